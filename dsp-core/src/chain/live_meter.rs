//! What a channel's meter shows beside sample peaks: how full it is, how high between the samples, how loud.

use crate::block::Block;
use crate::metering::loudness::LoudnessMeter;
use crate::metering::rms::Rms;
use crate::metering::true_peak::TruePeakMeter;
use crate::processor::{PrepareError, StreamConfig};

/// Live values of a mono or stereo signal; no measurement of the whole, which belongs to the master.
#[derive(Clone, Debug)]
pub(crate) struct LiveMeter<const CH: usize> {
    rms: Rms<CH>,
    true_peak: TruePeakMeter<CH>,
    loudness: LoudnessMeter<CH>,
}

/// Live values of what goes out of a channel. A mono chain fills the first of two.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LiveReading {
    /// Root mean square over the last 300 ms, linear; a sine of full scale reads √½.
    pub rms: [f32; 2],
    /// The highest true peak since the last reading, linear; 1 is 0 dBTP.
    pub true_peak: [f32; 2],
    /// Loudness over the last 3 s, in LUFS; −∞ for silence, `None` before they are over.
    pub short_term_lufs: Option<f64>,
}

impl<const CH: usize> LiveMeter<CH> {
    pub fn prepare(&mut self, config: StreamConfig) -> Result<(), PrepareError> {
        self.rms = Rms::new(config.sample_rate_hz);
        self.true_peak = TruePeakMeter::new(config.sample_rate_hz);
        self.loudness.prepare_live(config)
    }

    pub fn reset(&mut self) {
        self.rms.reset();
        self.true_peak.reset();
        self.loudness.reset();
    }

    pub fn process(&mut self, block: &Block<'_, CH>) {
        let channels = block.channels_ref();
        self.rms.process(channels);
        self.true_peak.process(channels);
        self.loudness.process(channels);
    }

    pub fn take_reading(&mut self) -> LiveReading {
        let two = |values: [f32; CH]| std::array::from_fn(|c| values.get(c).copied().unwrap_or(0.0));
        LiveReading {
            rms: two(self.rms.rms()),
            true_peak: two(self.true_peak.take()),
            short_term_lufs: self.loudness.short_term_lufs(),
        }
    }
}

impl<const CH: usize> Default for LiveMeter<CH> {
    fn default() -> Self {
        LiveMeter { rms: Rms::new(48_000.0), true_peak: TruePeakMeter::new(48_000.0), loudness: LoudnessMeter::new() }
    }
}
