//! Progress of long work: a bar for each file, on a terminal; none with `--quiet`, nor in a pipe.

use crate::Options;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::Path;
use tandem_render::fault::Result;
use tandem_render::figures::Figures;

/// The bars of one command.
pub struct Progress(MultiProgress);

impl Progress {
    /// None yet.
    pub fn new(options: Options) -> Self {
        // indicatif draws nothing where the error output is no terminal
        let target = if options.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Progress(MultiProgress::with_draw_target(target))
    }

    /// A bar for one file. It goes away with its work.
    pub fn bar(&self, name: &str) -> Bar {
        let bar = self.0.add(ProgressBar::new(STEPS));
        let colour = if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) { "" } else { ".cyan/238" };
        // the template is a constant, so it parses
        if let Ok(style) =
            ProgressStyle::with_template(&format!("{{prefix:>26}} {{bar:40{colour}}} {{percent:>3}} %  {{msg}}"))
        {
            bar.set_style(style.progress_chars("━━─"));
        }
        bar.set_prefix(name.to_owned());
        bar.tick();
        Bar(bar)
    }
}

const STEPS: u64 = 1000;

/// Measures a file, with a bar of its own.
pub fn measure(file: &Path, progress: &Progress) -> Result<Figures> {
    let bar = progress.bar(&file.file_name().unwrap_or_default().to_string_lossy());
    Figures::of(file, |share| bar.at("measuring", share))
}

/// The bar of one file.
pub struct Bar(ProgressBar);

impl Bar {
    /// What is being done, and the share that is done.
    pub fn at(&self, doing: &str, share: f64) {
        if self.0.message() != doing {
            self.0.set_message(doing.to_owned());
        }
        self.0.set_position((share * STEPS as f64) as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
