//! FLAC with Vorbis comments, and a CUESHEET block on images of a CD.

use super::labels::Labels;
use super::writer::Form;
use crate::beside::Beside;
use crate::fault::{Fault, Result};
use flac_codec::encode::{FlacSampleWriter, Options};
use flac_codec::metadata::Cuesheet;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A FLAC file that is being written.
pub(super) struct FlacFile {
    path: PathBuf,
    /// The encoder ends by dropping its end of the file.
    file: Arc<Mutex<Beside>>,
    encoder: FlacSampleWriter<Shared>,
}

impl FlacFile {
    pub(super) fn begin(file: Beside, form: Form, labels: &Labels, cue: Option<(&str, u64)>) -> Result<Self> {
        let path = file.path().to_owned();
        let mut options = Options::best().no_padding();
        for (name, value) in labels.comments() {
            options = options.tag(name, value);
        }
        if let Some((text, frames)) = cue {
            let sheet = Cuesheet::parse(frames, text).map_err(|e| {
                let what = format!("the cue sheet cannot be held by FLAC ({e})");
                Fault::in_file(&path, what, "deliver the image as WAV")
            })?;
            options = options.cuesheet(sheet);
        }
        let file = Arc::new(Mutex::new(file));
        let Form { sample, sample_rate_hz, channels, .. } = form;
        let shared = Shared(Arc::clone(&file));
        let encoder =
            FlacSampleWriter::new(shared, options, sample_rate_hz, sample.bits(), channels.min(2) as u8, None);
        let encoder = encoder.map_err(|e| fault_of(&file, &e))?;
        Ok(FlacFile { path, file, encoder })
    }

    pub(super) fn write(&mut self, steps: &[i32]) -> Result<()> {
        self.encoder.write(steps).map_err(|e| fault_of(&self.file, &e))
    }

    pub(super) fn complete(self) -> Result<Beside> {
        let FlacFile { path, file, encoder } = self;
        encoder.finalize().map_err(|e| fault_of(&file, &e))?;
        let file = Arc::into_inner(file).map(|file| file.into_inner().unwrap_or_else(PoisonError::into_inner));
        file.ok_or_else(|| Fault::in_file(&path, "is still being written", "report this as a defect"))
    }
}

fn fault_of(file: &Mutex<Beside>, error: &flac_codec::Error) -> Fault {
    lock(file).fault(&io::Error::other(error.to_string()))
}

fn lock(file: &Mutex<Beside>) -> MutexGuard<'_, Beside> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The encoder's end of the file.
struct Shared(Arc<Mutex<Beside>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        lock(&self.0).flush()
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        lock(&self.0).seek(to)
    }
}
