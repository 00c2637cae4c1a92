//! Files that are written beside their place and moved there once they are whole, so that nothing half-written is ever
//! found: not after an error, not after Ctrl-C.

use crate::fault::{Fault, Result};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Every file that is being written now.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A file on its way: what is written goes to `NAME.part`; [`finish`](Self::finish) moves it to its name. Dropped
/// before, it is removed.
#[derive(Debug)]
pub struct Beside {
    file: Option<BufWriter<File>>,
    part: PathBuf,
    path: PathBuf,
}

impl Beside {
    /// A new, empty file that is to become `path`.
    ///
    /// # Errors
    /// Where no file can be made there.
    pub fn create(path: &Path) -> Result<Self> {
        let part = path.with_added_extension("part");
        unfinished().push(part.clone());
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&part);
        let mut beside = Beside { file: None, part, path: path.to_owned() };
        beside.file = Some(BufWriter::with_capacity(BUFFER_BYTES, file.map_err(|e| cannot_write(path, &e))?));
        Ok(beside)
    }

    /// Where the file is until it is finished.
    #[must_use]
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Where it will be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same file, on its way to another name.
    #[must_use]
    pub fn renamed(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Moves the whole file to its place, over what was there.
    ///
    /// # Errors
    /// A full disk, a folder in the file's place.
    pub fn finish(mut self) -> Result<()> {
        self.close().and_then(|()| std::fs::rename(&self.part, &self.path)).map_err(|e| cannot_write(&self.path, &e))
    }

    /// What failed while writing, as a fault of this file.
    #[must_use]
    pub fn fault(&self, error: &io::Error) -> Fault {
        cannot_write(&self.path, error)
    }

    fn close(&mut self) -> io::Result<()> {
        match self.file.take() {
            Some(mut file) => file.flush(),
            None => Ok(()),
        }
    }

    fn file(&mut self) -> io::Result<&mut BufWriter<File>> {
        self.file.as_mut().ok_or_else(|| io::Error::other("the file is closed"))
    }
}

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file()?.flush()
    }
}

impl Seek for Beside {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file()?.seek(to)
    }
}

impl Read for Beside {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let file = self.file()?;
        file.flush()?;
        file.get_mut().read(into)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        drop(self.file.take());
        let mut unfinished = unfinished();
        // after `finish` it is not there any more, and that is right
        let _ = std::fs::remove_file(&self.part);
        unfinished.retain(|part| *part != self.part);
    }
}

/// Removes every unfinished file, and lets no other one begin: for the last breath of a program that is interrupted. The
/// caller must end the process.
pub fn remove_unfinished() {
    let unfinished = unfinished();
    for part in unfinished.iter() {
        let _ = std::fs::remove_file(part);
    }
    std::mem::forget(unfinished);
}

/// Writes a text file.
///
/// # Errors
/// As [`Beside`].
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    let mut beside = Beside::create(path)?;
    beside.write_all(text.as_bytes()).map_err(|e| beside.fault(&e))?;
    beside.finish()
}

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Fault {
    Fault::in_file(path, format!("cannot be written ({error})"), "choose a folder with room that you may write to")
}

const BUFFER_BYTES: usize = 1 << 18;
