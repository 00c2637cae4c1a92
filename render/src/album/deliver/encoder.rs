//! Lossy codecs, by the encoders that are on the machine.

use crate::album::order::Format;
use crate::audio_file::Labels;
use crate::beside::Beside;
use crate::fault::{Fault, Result};
use lofty::config::WriteOptions;
use lofty::tag::{ItemKey, Tag, TagExt, TagType};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether the encoder of a format is there, where it needs one.
///
/// # Errors
/// An encoder that is not there.
pub(super) fn check(format: Format, album: &Path) -> Result<()> {
    let Some(program) = format.encoder() else { return Ok(()) };
    let asked = Command::new(program).arg("-version").stdin(Stdio::null()).output();
    if asked.is_ok() {
        return Ok(());
    }
    let what = format!("asks for {}, and the encoder '{program}' is not on this machine", format.name());
    Err(Fault::in_file(album, what, format!("install {program}, or remove that [[deliver]]")))
}

/// The file itself, or what an encoder makes of it.
///
/// # Errors
/// An encoder that fails, a full disk.
pub(super) fn encode(format: Format, mut wav: Beside, labels: &Labels) -> Result<Beside> {
    let (Some(program), tag_type) =
        (format.encoder(), if format == Format::Mp3 { TagType::Id3v2 } else { TagType::Mp4Ilst })
    else {
        return Ok(wav);
    };
    wav.flush().map_err(|e| wav.fault(&e))?;
    // both names end in .part; the encoder's own lies beside
    let path = wav.path().to_owned();
    let encoded = Beside::create(&path.with_added_extension(format.extension()))?;
    let mut command = Command::new(program);
    match format {
        Format::Mp3 => command.args(["--quiet", "-b", "320", "-q", "2"]).arg(wav.part()).arg(encoded.part()),
        _ => command
            .args(["-v", "error", "-nostdin", "-y", "-f", "wav", "-i"])
            .arg(wav.part())
            .args(["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"])
            .args(["-c:a", "aac", "-b:a", "256k", "-f", "ipod"])
            .arg(encoded.part()),
    };
    let ran = command.stdin(Stdio::null()).output().map_err(|e| encoded.fault(&e))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        let what = format!("{program} failed ({})", said.lines().last().unwrap_or("it did not say why"));
        return Err(Fault::in_file(&path, what, "look whether there is room, or deliver WAV or FLAC"));
    }
    write_tags(&encoded, tag_type, labels)?;
    Ok(encoded.renamed(&path))
}

fn write_tags(file: &Beside, tag_type: TagType, labels: &Labels) -> Result<()> {
    let mut tag = Tag::new(tag_type);
    let number = |get: fn((u32, u32)) -> u32| labels.number.map(|n| get(n).to_string()).unwrap_or_default();
    for (key, value) in [
        (ItemKey::TrackTitle, labels.title.clone()),
        (ItemKey::TrackArtist, labels.artist.clone()),
        (ItemKey::AlbumTitle, labels.album.clone()),
        (ItemKey::AlbumArtist, labels.album_artist.clone()),
        (ItemKey::Composer, labels.composer.clone()),
        (ItemKey::TrackNumber, number(|n| n.0)),
        (ItemKey::TrackTotal, number(|n| n.1)),
        (ItemKey::RecordingDate, labels.date.clone()),
        (ItemKey::Isrc, labels.isrc.clone()),
        (ItemKey::Barcode, labels.upc.clone()),
    ] {
        if !value.is_empty() {
            tag.insert_text(key, value);
        }
    }
    tag.save_to_path(file.part(), WriteOptions::default())
        .map_err(|e| Fault::in_file(file.path(), format!("cannot be tagged ({e})"), "deliver WAV or FLAC"))
}
