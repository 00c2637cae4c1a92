//! The chunks of a broadcast WAV, as EBU Tech 3285 describes them to a reader.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// What a WAV file says about itself beside its samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct BroadcastWave {
    /// Description, from `bext`.
    pub description: String,
    /// Originator's reference.
    pub reference: String,
    /// Date.
    pub date: String,
    /// Version of `bext`; 2 has loudness.
    pub version: u16,
    /// Loudness, range, true peak, highest momentary and short-term loudness; `None` where a field is not used.
    pub loudness: [Option<f64>; 5],
    /// The text of `axml`.
    pub axml: String,
    /// The INFO list: name and text.
    pub info: Vec<(String, String)>,
}

pub(super) fn read(path: &Path) -> io::Result<BroadcastWave> {
    let mut file = File::open(path)?;
    let end = file.metadata()?.len();
    let mut wave = BroadcastWave::default();
    let mut at = 12;
    while at + 8 <= end {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let size = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        let name = &head[..4];
        if [b"bext", b"axml", b"LIST"].iter().any(|known| name == *known) {
            let mut content = vec![];
            file.by_ref().take(size.min(MOST_BYTES)).read_to_end(&mut content)?;
            match name {
                b"bext" => wave.take_bext(&content),
                b"axml" => wave.axml = String::from_utf8_lossy(&content).into_owned(),
                _ => wave.take_list(&content),
            }
        }
        at += 8 + size + (size & 1);
    }
    Ok(wave)
}

/// No chunk of text is longer.
const MOST_BYTES: u64 = 1 << 20;

impl BroadcastWave {
    fn take_bext(&mut self, bytes: &[u8]) {
        let text = |from: usize, len: usize| until_zero(bytes.get(from..from + len).unwrap_or(&[]));
        self.description = text(0, 256);
        self.reference = text(288, 32);
        self.date = text(320, 10);
        let word = |at: usize| bytes.get(at..at + 2).map_or(0, |b| i16::from_le_bytes([b[0], b[1]]));
        self.version = word(346).cast_unsigned();
        self.loudness =
            [412, 414, 416, 418, 420].map(|at| Some(word(at)).filter(|v| *v != 0x7fff).map(|v| f64::from(v) / 100.0));
    }

    fn take_list(&mut self, bytes: &[u8]) {
        let Some(mut rest) = bytes.strip_prefix(b"INFO") else { return };
        while rest.len() >= 8 {
            let size = u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
            let name = String::from_utf8_lossy(&rest[..4]).into_owned();
            let content = rest.get(8..8 + size).unwrap_or(&rest[8..]);
            self.info.push((name, until_zero(content)));
            rest = rest.get(8 + size + (size & 1)..).unwrap_or(&[]);
        }
    }
}

fn until_zero(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|b| *b == 0).next().unwrap_or(&[])).into_owned()
}
