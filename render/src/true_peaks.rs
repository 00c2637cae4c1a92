//! True peak by three meters that know nothing of each other: ours, the `ebur128` crate, and the table of the standard.

use crate::fault::{Fault, Result};
use dsp_core::math::gain_to_db;
use dsp_core::metering::true_peak::TruePeakMeter;
use ebur128::{EbuR128, Mode};

/// The three of them on one stereo stream.
pub struct ThreeMeters {
    ours: TruePeakMeter<2>,
    ebur128: EbuR128,
    table: [Table; 2],
}

/// What they read, in dBTP; −∞ of silence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruePeaks {
    /// The meter of dsp-core.
    pub ours_dbtp: f64,
    /// The meter of the `ebur128` crate.
    pub ebur128_dbtp: f64,
    /// Four phases of twelve taps, as printed in ITU-R BS.1770-5, Annex 2.
    pub table_dbtp: f64,
}

impl TruePeaks {
    /// The highest of the three.
    #[must_use]
    pub fn highest_dbtp(&self) -> f64 {
        self.ours_dbtp.max(self.ebur128_dbtp).max(self.table_dbtp)
    }
}

impl ThreeMeters {
    /// Meters that have heard nothing.
    ///
    /// # Errors
    /// A rate that `ebur128` does not serve.
    pub fn new(sample_rate_hz: u32) -> Result<Self> {
        let ebur128 = EbuR128::new(2, sample_rate_hz, Mode::TRUE_PEAK).map_err(|e| fault(&e))?;
        let ours = TruePeakMeter::new(f64::from(sample_rate_hz));
        Ok(ThreeMeters { ours, ebur128, table: [Table::default(), Table::default()] })
    }

    /// Hears the next frames.
    ///
    /// # Errors
    /// None that stereo can meet.
    pub fn hear(&mut self, [left, right]: [&[f32]; 2]) -> Result<()> {
        self.ours.process([left, right]);
        self.ebur128.add_frames_planar_f32(&[left, right]).map_err(|e| fault(&e))?;
        self.table[0].hear(left);
        self.table[1].hear(right);
        Ok(())
    }

    /// What they read at the end of the stream.
    ///
    /// # Errors
    /// None that stereo can meet.
    pub fn finish(mut self) -> Result<TruePeaks> {
        // the filters of the others ring out
        const SILENCE: [f32; 64] = [0.0; 64];
        self.ours.finish();
        self.ebur128.add_frames_planar_f32(&[&SILENCE, &SILENCE]).map_err(|e| fault(&e))?;
        self.table.iter_mut().for_each(|t| t.hear(&SILENCE));
        let [left, right] = self.ours.held().map(f64::from);
        let peak = |channel| self.ebur128.true_peak(channel).map_err(|e| fault(&e));
        Ok(TruePeaks {
            ours_dbtp: gain_to_db(left.max(right)),
            ebur128_dbtp: gain_to_db(peak(0)?.max(peak(1)?)),
            table_dbtp: gain_to_db(self.table[0].greatest.max(self.table[1].greatest)),
        })
    }
}

fn fault(error: &ebur128::Error) -> Fault {
    Fault {
        place: "true-peak meter".to_owned(),
        what: error.to_string(),
        cure: "use stereo at a common sample rate".to_owned(),
    }
}

/// One channel by the table.
#[derive(Default)]
struct Table {
    /// The last samples and those that come.
    samples: Vec<f64>,
    greatest: f64,
}

const TAPS: usize = 12;

impl Table {
    fn hear(&mut self, samples: &[f32]) {
        if self.samples.is_empty() {
            self.samples.resize(TAPS - 1, 0.0);
        }
        self.samples.extend(samples.iter().map(|s| f64::from(*s)));
        for window in self.samples.array_windows::<TAPS>() {
            let mut sums = [0.0f64; 4];
            for (tap, sample) in window.iter().rev().enumerate() {
                sums[0] += sample * PHASE_0[tap];
                sums[1] += sample * PHASE_1[tap];
                sums[2] += sample * PHASE_1[TAPS - 1 - tap];
                sums[3] += sample * PHASE_0[TAPS - 1 - tap];
            }
            self.greatest = sums.iter().fold(self.greatest, |greatest, sum| greatest.max(sum.abs()));
        }
        let old = self.samples.len() - (TAPS - 1);
        self.samples.drain(..old);
    }
}

/// ITU-R BS.1770-5, Annex 2, phase 0; phase 3 is the same backwards.
const PHASE_0: [f64; TAPS] = [
    0.0017089843750,
    0.0109863281250,
    -0.0196533203125,
    0.0332031250000,
    -0.0594482421875,
    0.1373291015625,
    0.9721679687500,
    -0.1022949218750,
    0.0476074218750,
    -0.0266113281250,
    0.0148925781250,
    -0.0083007812500,
];
/// Phase 1; phase 2 is the same backwards.
const PHASE_1: [f64; TAPS] = [
    -0.0291748046875,
    0.0292968750000,
    -0.0517578125000,
    0.0891113281250,
    -0.1665039062500,
    0.4650878906250,
    0.7797851562500,
    -0.2003173828125,
    0.1015625000000,
    -0.0582275390625,
    0.0330810546875,
    -0.0189208984375,
];
