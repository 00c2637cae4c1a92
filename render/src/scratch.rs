//! Audio on disk between two passes over it: as long as the disk is large, gone when it is dropped.

use crate::beside::Beside;
use crate::fault::Result;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Left and right in single precision, in a file beside the one that they are for.
pub struct Scratch {
    file: Beside,
    /// Frames in it.
    frames: u64,
    bytes: Vec<u8>,
}

const BYTES_PER_FRAME: usize = 8;
/// Frames that are read at a time.
const READ_FRAMES: usize = 1 << 14;

impl Scratch {
    /// A new one, for the file that is to become `path`.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn create(path: &Path) -> Result<Self> {
        let file = Beside::create(&path.with_added_extension("scratch"))?;
        Ok(Scratch { file, frames: 0, bytes: vec![] })
    }

    /// Frames in it.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Appends frames.
    ///
    /// # Errors
    /// A full disk.
    pub fn append(&mut self, [left, right]: [&[f32]; 2]) -> Result<()> {
        self.bytes.clear();
        for (l, r) in left.iter().zip(right) {
            self.bytes.extend(l.to_le_bytes());
            self.bytes.extend(r.to_le_bytes());
        }
        self.frames += left.len().min(right.len()) as u64;
        self.file.write_all(&self.bytes).map_err(|e| self.file.fault(&e))
    }

    /// Gives all frames to `each`, in order, some at a time.
    ///
    /// # Errors
    /// A disk that fails; whatever `each` reports.
    pub fn for_each(&mut self, mut each: impl FnMut([&mut [f32]; 2]) -> Result<()>) -> Result<()> {
        let Scratch { file, frames, bytes } = self;
        file.flush().and_then(|()| file.seek(SeekFrom::Start(0))).map_err(|e| file.fault(&e))?;
        let mut left_over = *frames as usize;
        let mut audio = [vec![], vec![]];
        while left_over > 0 {
            let now = left_over.min(READ_FRAMES);
            bytes.resize(now * BYTES_PER_FRAME, 0);
            file.read_exact(bytes).map_err(|e| file.fault(&e))?;
            audio.iter_mut().for_each(Vec::clear);
            for frame in bytes.as_chunks::<BYTES_PER_FRAME>().0 {
                let [a, b, c, d, e, f, g, h] = *frame;
                audio[0].push(f32::from_le_bytes([a, b, c, d]));
                audio[1].push(f32::from_le_bytes([e, f, g, h]));
            }
            let [left, right] = &mut audio;
            each([left, right])?;
            left_over -= now;
        }
        Ok(())
    }
}
