//! RF64 and BW64 (EBU Tech 3306; ITU-R BS.2088) for a decoder that knows RIFF only: it is shown a RIFF file of unknown length
//! that ends where the samples end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use symphonia::core::io::MediaSource;

/// What the chunks before the samples say.
#[derive(Clone, Debug, Default)]
pub(super) struct RiffHeader {
    /// Sizes stand in `ds64`.
    pub is_64_bit: bool,
    /// Channels, where the format was found.
    pub channels: Option<u16>,
    frame_bytes: u16,
    /// Where `data` begins with its name, and how many bytes are in it.
    data_at: u64,
    data_bytes: u64,
}

impl RiffHeader {
    /// Reads the chunks of a RIFF, RF64 or BW64 file as far as its samples, and goes back to its beginning. `None` of any
    /// other file.
    pub fn of(file: &mut File) -> io::Result<Option<RiffHeader>> {
        let header = RiffHeader::read(file);
        file.rewind()?;
        match header {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            header => header,
        }
    }

    fn read(file: &mut File) -> io::Result<Option<RiffHeader>> {
        let mut head = [0; 12];
        file.read_exact(&mut head)?;
        let is_64_bit = head.starts_with(b"RF64") || head.starts_with(b"BW64");
        if !is_64_bit && !head.starts_with(b"RIFF") || !head.ends_with(b"WAVE") {
            return Ok(None);
        }
        let mut header = RiffHeader { is_64_bit, ..RiffHeader::default() };
        let mut long_data_bytes = 0;
        loop {
            let at = file.stream_position()?;
            let mut chunk = [0; 8];
            file.read_exact(&mut chunk)?;
            let size = u64::from(number(&chunk[4..8]));
            let mut taken = 0;
            match &chunk[..4] {
                b"ds64" if size >= 16 => {
                    let mut sizes = [0; 16];
                    file.read_exact(&mut sizes)?;
                    taken = 16;
                    long_data_bytes = u64::from(number(&sizes[8..12])) | u64::from(number(&sizes[12..16])) << 32;
                }
                b"fmt " if size >= 16 => {
                    let mut format = [0; 16];
                    file.read_exact(&mut format)?;
                    taken = 16;
                    header.channels = Some(number(&format[2..4]) as u16);
                    header.frame_bytes = number(&format[12..14]) as u16;
                }
                b"data" => {
                    header.data_at = at;
                    header.data_bytes = if size == u64::from(u32::MAX) { long_data_bytes } else { size };
                    return Ok(Some(header));
                }
                _ => {}
            }
            file.seek(SeekFrom::Start(at + 8 + size + size % 2))?;
            debug_assert!(taken <= size);
        }
    }

    /// Frames that the file promises.
    pub fn frames(&self) -> Option<u64> {
        (self.frame_bytes > 0).then(|| self.data_bytes / u64::from(self.frame_bytes))
    }
}

/// Up to four bytes, little-endian.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The file as RIFF.
pub(super) struct Rf64 {
    /// `RIFF` and a size that says nothing, all chunks before the samples, and `data` with a size that says nothing.
    head: Vec<u8>,
    head_at: usize,
    samples: io::Take<File>,
}

impl Rf64 {
    pub fn new(mut file: File, header: RiffHeader) -> io::Result<Self> {
        let mut head = vec![];
        file.by_ref().take(header.data_at + 8).read_to_end(&mut head)?;
        if let Some(riff) = head.get_mut(..8) {
            riff.copy_from_slice(b"RIFF\xff\xff\xff\xff");
        }
        let size_at = head.len().saturating_sub(4);
        head[size_at..].fill(0xff);
        Ok(Rf64 { head, head_at: 0, samples: file.take(header.data_bytes) })
    }
}

impl Read for Rf64 {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.head_at == self.head.len() {
            return self.samples.read(into);
        }
        let taken = (&self.head[self.head_at..]).read(into)?;
        self.head_at += taken;
        Ok(taken)
    }
}

impl Seek for Rf64 {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl MediaSource for Rf64 {
    fn is_seekable(&self) -> bool {
        false
    }

    fn byte_len(&self) -> Option<u64> {
        None
    }
}
