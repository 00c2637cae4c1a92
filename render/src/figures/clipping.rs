//! Runs of samples that stick at full scale.

use crate::audio_file::Word;

/// What a file has of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clips {
    /// Runs, of all channels together.
    pub runs: u64,
    /// The longest, in frames.
    pub longest_frames: u64,
    /// Where the first begins, in seconds; `None` where there is none.
    pub first_seconds: Option<f64>,
}

impl Clips {
    pub(super) fn of(channels: impl Iterator<Item = Clipping>, rate_hz: f64) -> Clips {
        channels.fold(Clips::default(), |all, mut channel| {
            channel.end_run();
            let first = channel.first_frame.map(|frame| frame as f64 / rate_hz);
            Clips {
                runs: all.runs + channel.runs,
                longest_frames: all.longest_frames.max(channel.longest),
                first_seconds: match (all.first_seconds, first) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                },
            }
        })
    }
}

/// Samples in a row at full scale that count as a clip. One or two are where a wave just touches it.
const SHORTEST_RUN: u64 = 3;

/// Counts the runs of one channel.
#[derive(Clone, Debug)]
pub(super) struct Clipping {
    /// Magnitudes from here on are full scale: the highest positive step of the word.
    full_scale: f64,
    frame: u64,
    run: u64,
    runs: u64,
    longest: u64,
    first_frame: Option<u64>,
}

impl Clipping {
    pub(super) fn new(word: Word) -> Self {
        let full_scale = match word {
            Word::Integer(bits) => 1.0 - 0.5f64.powi(bits.saturating_sub(1).min(52) as i32),
            Word::Float(_) | Word::Lossy => 1.0,
        };
        Clipping { full_scale, frame: 0, run: 0, runs: 0, longest: 0, first_frame: None }
    }

    pub(super) fn process(&mut self, samples: &[f64]) {
        for sample in samples {
            if sample.abs() >= self.full_scale {
                self.run += 1;
            } else if self.run > 0 {
                self.end_run();
            }
            self.frame += 1;
        }
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run >= SHORTEST_RUN {
            self.runs += 1;
            self.longest = self.longest.max(run);
            self.first_frame.get_or_insert(self.frame - run);
        }
    }
}
