//! What is written into a file about what it holds.

/// Names and codes. Empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Title of the track, or of the album on an image of it.
    pub title: String,
    /// Who performs it.
    pub artist: String,
    /// Who wrote it.
    pub composer: String,
    /// Title of the album.
    pub album: String,
    /// Who performs the album.
    pub album_artist: String,
    /// Number of the track, and of all tracks.
    pub number: Option<(u32, u32)>,
    /// ISRC, 12 characters (ISO 3901).
    pub isrc: String,
    /// UPC or EAN, 12 or 13 digits.
    pub upc: String,
    /// Date of release, `2026-11-27`.
    pub date: String,
}

impl Labels {
    /// As Vorbis comments, by the names that players look for; none that is empty.
    #[must_use]
    pub fn comments(&self) -> Vec<(&'static str, String)> {
        let number = |get: fn((u32, u32)) -> u32| self.number.map(|n| get(n).to_string()).unwrap_or_default();
        let comments = [
            ("TITLE", self.title.clone()),
            ("ARTIST", self.artist.clone()),
            ("ALBUM", self.album.clone()),
            ("ALBUMARTIST", self.album_artist.clone()),
            ("COMPOSER", self.composer.clone()),
            ("TRACKNUMBER", number(|n| n.0)),
            ("TRACKTOTAL", number(|n| n.1)),
            ("DATE", self.date.clone()),
            ("ISRC", self.isrc.clone()),
            ("BARCODE", self.upc.clone()),
        ];
        comments.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// As chunks of RIFF's INFO list. None of them holds the ISRC: `ISRC` there means the source (RIFF MCI, 1991).
    pub(super) fn info(&self) -> Vec<([u8; 4], String)> {
        let number = self.number.map(|(n, _)| n.to_string()).unwrap_or_default();
        let info = [
            (*b"INAM", self.title.clone()),
            (*b"IART", self.artist.clone()),
            (*b"IPRD", self.album.clone()),
            (*b"IPRT", number),
            (*b"ICRD", self.date.clone()),
        ];
        info.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The ISRC and the title as EBU Core: what goes into the `axml` chunk (EBU Tech 3352, 2012). `None` without an ISRC.
    #[must_use]
    pub fn axml(&self) -> Option<String> {
        if self.isrc.is_empty() {
            return None;
        }
        let (title, isrc) = (escape(&self.title), &self.isrc);
        Some(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <ebucore:ebuCoreMain xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
             xmlns:ebucore=\"urn:ebu:metadata-schema:ebuCore_2012\">\n\
             <ebucore:coreMetadata>\n\
             <ebucore:title><dc:title>{title}</dc:title></ebucore:title>\n\
             <ebucore:identifier typeLabel=\"GUID\" typeDefinition=\"Globally Unique Identifier\" formatLabel=\"ISRC\" \
             formatDefinition=\"International Standard Recording Code\" \
             formatLink=\"http://www.ebu.ch/metadata/cs/ebu_IdentifierTypeCodeCS.xml#3.7\">\n\
             <dc:identifier>ISRC:{isrc}</dc:identifier>\n\
             </ebucore:identifier>\n\
             </ebucore:coreMetadata>\n\
             </ebucore:ebuCoreMain>\n"
        ))
    }
}

/// Text between two tags of XML or HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
