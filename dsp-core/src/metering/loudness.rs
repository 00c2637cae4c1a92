//! Loudness: momentary, short-term, integrated and loudness range.
//!
//! ITU-R BS.1770-5 (11/2023), EBU Tech 3341 V4 and EBU Tech 3342 (both November 2023).

use super::k_weighting::{self, KWeighting, PairState};
use super::ordered_energies::OrderedEnergies;
use crate::math;
use crate::processor::{PrepareError, StreamConfig};
use fearless_simd::{Level, dispatch};

/// Evaluations of momentary and short-term loudness a second. Tech 3341, case 13, needs 50.
pub const HOPS_PER_SECOND: usize = 100;
/// Hours of programme through which every gating block and every short-term value is kept exactly, whatever their
/// order. A longer programme is measured on, with neighbours of nearly the same loudness taken together.
pub const EXACT_HOURS: usize = 4;
/// Channel gains of L, R, C, LFE, Ls, Rs (BS.1770-5, Annex 1, Table 3).
pub const SURROUND_5_1_GAINS: [f64; 6] = [1.0, 1.0, 1.0, 0.0, 1.41, 1.41];

const MOMENTARY_HOPS: usize = 40;
const SHORT_TERM_HOPS: usize = 300;
/// Gating blocks of 400 ms overlap by 75 %; short-term values for the loudness range are taken as often.
const GATING_HOPS: u64 = 10;
const BLOCKS_PER_HOUR: usize = 36_000;
/// Energy at −70 LUFS: 10^((−70 + 0.691)/10).
const ABSOLUTE_GATE: f64 = 1.172_465_304_582_298_1e-7;
/// Ratio of the relative gate of integrated loudness: −10 LU.
const INTEGRATED_GATE: f64 = 0.1;
/// Ratio of the relative gate of the loudness range: −20 LU.
const RANGE_GATE: f64 = 0.01;

/// Loudness of the mean-square `energy` of K-weighted channels: −0.691 + 10 log₁₀ (BS.1770-5, Annex 1, equation 2); −∞
/// for none. Real-time safe.
#[must_use]
pub fn energy_to_lufs(energy: f64) -> f64 {
    -0.691 + 10.0 * math::log10(energy)
}

/// What a loudness meter shows. `None` where nothing was measured yet; silence is −∞ LUFS.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoudnessReading {
    /// Over the last 400 ms, in LUFS.
    pub momentary_lufs: Option<f64>,
    /// Over the last 3 s, in LUFS.
    pub short_term_lufs: Option<f64>,
    /// Of the measurement, gated, in LUFS. `None` also while all of it lies under the absolute gate of −70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range of the measurement, in LU. `None` also while all of it lies under −70 LUFS.
    pub loudness_range_lu: Option<f64>,
    /// The highest momentary loudness of the measurement, in LUFS.
    pub momentary_max_lufs: Option<f64>,
    /// The highest short-term loudness of the measurement, in LUFS.
    pub short_term_max_lufs: Option<f64>,
    /// By how much the last 3 s lose loudness when left and right are folded to mono, in LU: see
    /// [`LoudnessMeter::reading`].
    pub mono_fold_loss_lu: Option<f64>,
    /// The same over all gating blocks of the measurement above −70 LUFS.
    pub mono_fold_loss_integrated_lu: Option<f64>,
}

/// Measures the loudness of `CH` channels.
///
/// A *measurement* runs from [`restart`](Self::restart) on while the meter is running. Integrated loudness, range and
/// the two maxima belong to it; momentary and short-term loudness are live and go on while it pauses. After a pause
/// only windows that lie wholly behind it are taken in, so that audio which was not to be measured never counts.
///
/// A mono stream is one channel, as in BS.1770: the same tone on both channels of a stereo stream reads 3.01 LU more
/// than on the one channel of a mono stream. Played over two loudspeakers a mono file is that much louder than it reads;
/// who wants that figure measures it as stereo with both channels alike.
#[derive(Clone, Debug)]
pub struct LoudnessMeter<const CH: usize> {
    level: Level,
    gains: [f64; CH],
    weighting: KWeighting,
    /// One for two channels.
    pairs: Vec<PairState>,
    sample_rate_hz: f64,
    /// Hops since the hops were last aligned, and frames into the present one.
    hop: u64,
    hop_len: usize,
    hop_at: usize,
    hops: Hops,
    sample_peak: [f64; CH],

    running: bool,
    /// Hops in an unbroken row that belong to the measurement.
    row: u64,
    momentary_max: Option<f64>,
    short_term_max: Option<f64>,
    blocks: OrderedEnergies,
    short_terms: OrderedEnergies,
    fold: Fold,
    integrated_lufs: Option<f64>,
    range_lu: Option<f64>,
}

impl<const CH: usize> LoudnessMeter<CH> {
    /// A meter of channels that all count alike: mono, stereo. Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_gains([1.0; CH])
    }

    /// A meter whose channels count with these gains of power, such as [`SURROUND_5_1_GAINS`]. Not prepared yet.
    #[must_use]
    pub fn with_gains(gains: [f64; CH]) -> Self {
        LoudnessMeter {
            level: Level::new(),
            gains,
            weighting: KWeighting::new(48_000.0),
            pairs: Vec::new(),
            sample_rate_hz: 48_000.0,
            hop: 0,
            hop_len: usize::MAX,
            hop_at: 0,
            hops: Hops::default(),
            sample_peak: [0.0; CH],
            running: true,
            row: 0,
            momentary_max: None,
            short_term_max: None,
            blocks: OrderedEnergies::default(),
            short_terms: OrderedEnergies::default(),
            fold: Fold::default(),
            integrated_lufs: None,
            range_lu: None,
        }
    }

    /// Sizes all for the stream and resets. May allocate: about 7 MB.
    ///
    /// # Errors
    /// [`PrepareError`] where the sample rate is not served.
    pub fn prepare(&mut self, config: StreamConfig) -> Result<(), PrepareError> {
        self.prepare_with_room(config, EXACT_HOURS * BLOCKS_PER_HOUR)
    }

    /// The same for who wants the live values only, momentary and short-term: nothing is measured until
    /// [`set_running`](Self::set_running), and a long measurement would not be exact. May allocate: about 50 KB.
    ///
    /// # Errors
    /// [`PrepareError`] where the sample rate is not served.
    pub fn prepare_live(&mut self, config: StreamConfig) -> Result<(), PrepareError> {
        self.prepare_with_room(config, 0)?;
        self.set_running(false);
        Ok(())
    }

    fn prepare_with_room(&mut self, config: StreamConfig, exact_blocks: usize) -> Result<(), PrepareError> {
        config.check()?;
        self.level = Level::new();
        self.sample_rate_hz = config.sample_rate_hz;
        self.weighting = KWeighting::new(config.sample_rate_hz);
        self.pairs = vec![PairState::default(); CH.div_ceil(2)];
        self.hops = Hops::with_room();
        self.blocks = OrderedEnergies::with_capacity(exact_blocks);
        self.short_terms = OrderedEnergies::with_capacity(exact_blocks);
        self.reset();
        Ok(())
    }

    /// Forgets all audio and the measurement. Real-time safe.
    pub fn reset(&mut self) {
        self.pairs.fill(PairState::default());
        self.hops.clear();
        self.restart();
    }

    /// Starts the measurement anew, at the next frame exactly. Live values go on. Real-time safe.
    pub fn restart(&mut self) {
        self.align();
        self.row = 0;
        self.sample_peak = [0.0; CH];
        (self.momentary_max, self.short_term_max) = (None, None);
        self.blocks.clear();
        self.short_terms.clear();
        self.fold = Fold::default();
        (self.integrated_lufs, self.range_lu) = (None, None);
    }

    /// Pauses the measurement, or lets it go on. Real-time safe.
    pub fn set_running(&mut self, running: bool) {
        if running && !self.running {
            self.align();
            self.row = 0;
        } else if !running {
            // what of this hop was still measured
            self.sample_peak = self.sample_peak();
        }
        self.running = running;
    }

    /// Whether the measurement goes on. Real-time safe.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Frames until momentary and short-term loudness are next evaluated, at least 1. Real-time safe.
    #[must_use]
    pub fn frames_to_hop(&self) -> usize {
        self.hop_len - self.hop_at
    }

    /// Takes in audio, which must be finite; channels are read as far as the shortest goes. Real-time safe.
    pub fn process(&mut self, channels: [&[f32]; CH]) {
        let frames = channels.iter().map(|c| c.len()).min().unwrap_or(0);
        let mut start = 0;
        while start < frames {
            let end = frames.min(start + self.frames_to_hop());
            for (pair, state) in self.pairs.iter_mut().enumerate() {
                let first = &channels[2 * pair][start..end];
                // an odd channel out runs beside itself
                let second = channels.get(2 * pair + 1).map_or(first, |c| &c[start..end]);
                let weighting = &self.weighting;
                dispatch!(self.level, simd => k_weighting::weigh_pair(simd, weighting, state, first, second));
            }
            self.hop_at += end - start;
            if self.hop_at == self.hop_len {
                self.end_hop();
            }
            start = end;
        }
    }

    /// All values. Real-time safe.
    ///
    /// The mono-fold loss compares the loudness of a stereo stream with that of (L + R)/2 on both loudspeakers, both
    /// K-weighted: 0 LU for the same on both sides, 3.01 LU for sides that have nothing in common or where one is
    /// silent, more where they cancel, 100 LU where nothing is left. `None` unless there are two channels.
    #[must_use]
    pub fn reading(&self) -> LoudnessReading {
        let short_term = self.hops.window(SHORT_TERM_HOPS);
        LoudnessReading {
            momentary_lufs: self.momentary_lufs(),
            short_term_lufs: short_term.map(|w| energy_to_lufs(w.energy)),
            integrated_lufs: self.integrated_lufs,
            loudness_range_lu: self.range_lu,
            momentary_max_lufs: self.momentary_max.map(energy_to_lufs),
            short_term_max_lufs: self.short_term_max.map(energy_to_lufs),
            mono_fold_loss_lu: short_term.and_then(|w| self.fold_of(w).loss_lu()),
            mono_fold_loss_integrated_lu: self.fold.loss_lu(),
        }
    }

    /// Loudness of the last 400 ms, in LUFS. Real-time safe.
    #[must_use]
    pub fn momentary_lufs(&self) -> Option<f64> {
        self.hops.window(MOMENTARY_HOPS).map(|w| energy_to_lufs(w.energy))
    }

    /// Loudness of the last 3 s, in LUFS. Real-time safe.
    #[must_use]
    pub fn short_term_lufs(&self) -> Option<f64> {
        self.hops.window(SHORT_TERM_HOPS).map(|w| energy_to_lufs(w.energy))
    }

    /// Integrated loudness of the measurement, in LUFS. Real-time safe.
    #[must_use]
    pub fn integrated_lufs(&self) -> Option<f64> {
        self.integrated_lufs
    }

    /// The largest magnitude that each channel had in the measurement, linear. Real-time safe.
    #[must_use]
    pub fn sample_peak(&self) -> [f64; CH] {
        let mut peaks = self.sample_peak;
        if self.running {
            for (pair, state) in self.pairs.iter().enumerate() {
                hold_peaks(&mut peaks, pair, state.peak());
            }
        }
        peaks
    }

    /// Hops begin at the next frame.
    fn align(&mut self) {
        self.pairs.iter_mut().for_each(PairState::drop_sums);
        self.hop = 0;
        self.hop_at = 0;
        self.hop_len = self.hop_start(1) as usize;
    }

    /// The frame at which a hop starts, counted from where hops were aligned: rounded, so that windows have the right
    /// length on average where the rate is no multiple of the hops.
    fn hop_start(&self, hop: u64) -> u64 {
        (hop as f64 * self.sample_rate_hz / HOPS_PER_SECOND as f64 + 0.5) as u64
    }

    fn end_hop(&mut self) {
        let mut sums = Window::default();
        for (pair, state) in self.pairs.iter_mut().enumerate() {
            let taken = state.take();
            for (lane, energy) in taken.energy.into_iter().enumerate() {
                if let Some(gain) = self.gains.get(2 * pair + lane) {
                    sums.energy += gain * energy;
                }
            }
            sums.cross += taken.cross;
            if self.running {
                hold_peaks(&mut self.sample_peak, pair, taken.peak);
            }
        }
        self.hops.push(sums, self.hop_len);
        self.hop += 1;
        self.hop_at = 0;
        self.hop_len = (self.hop_start(self.hop + 1) - self.hop_start(self.hop)) as usize;
        if self.running {
            self.row += 1;
            self.measure();
        }
    }

    fn measure(&mut self) {
        let sampled = self.row.is_multiple_of(GATING_HOPS);
        if self.row < MOMENTARY_HOPS as u64 {
            return;
        }
        if let Some(window) = self.hops.window(MOMENTARY_HOPS) {
            self.momentary_max = Some(self.momentary_max.unwrap_or(0.0).max(window.energy));
            if sampled && window.energy > ABSOLUTE_GATE {
                self.blocks.insert(window.energy);
                self.fold.add(self.fold_of(window));
                // BS.1770-5, Annex 1, equations 5 to 7
                let gate = INTEGRATED_GATE * self.blocks.total().mean();
                self.integrated_lufs = Some(energy_to_lufs(self.blocks.passing(|e| e > gate).mean()));
            }
        }
        if self.row < SHORT_TERM_HOPS as u64 {
            return;
        }
        if let Some(window) = self.hops.window(SHORT_TERM_HOPS) {
            self.short_term_max = Some(self.short_term_max.unwrap_or(0.0).max(window.energy));
            if sampled && window.energy >= ABSOLUTE_GATE {
                self.short_terms.insert(window.energy);
                self.range_lu = range_lu(&self.short_terms);
            }
        }
    }

    fn fold_of(&self, window: Window) -> Fold {
        if CH == 2 {
            // ((l + r)/2)² on each of two loudspeakers is l²/2 + r²/2 + l r
            Fold { stereo: window.energy, mono: window.energy / 2.0 + window.cross }
        } else {
            Fold::default()
        }
    }
}

impl<const CH: usize> Default for LoudnessMeter<CH> {
    fn default() -> Self {
        Self::new()
    }
}

/// Tech 3342: what lies between the 10th and the 95th percentile of short-term loudness above the gates. The rank of
/// percentile p of n values, from 0, is (n − 1) p / 100 rounded.
fn range_lu(short_terms: &OrderedEnergies) -> Option<f64> {
    let total = short_terms.total();
    let gate = RANGE_GATE * total.mean();
    let n = short_terms.passing(|e| e >= gate).count;
    let last = n.checked_sub(1)?;
    let percentile = |p: u64| short_terms.at_rank(total.count - n + (last * p + 50) / 100);
    Some(10.0 * math::log10(percentile(95)? / percentile(10)?))
}

/// Mean squares of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Window {
    /// Of all channels, with their gains.
    energy: f64,
    /// Of left times right.
    cross: f64,
}

/// The last 3 s, hop by hop.
#[derive(Clone, Debug, Default)]
struct Hops {
    energy: Vec<f64>,
    cross: Vec<f64>,
    frames: Vec<usize>,
    next: usize,
    len: usize,
}

impl Hops {
    fn with_room() -> Self {
        let zeros = vec![0.0; SHORT_TERM_HOPS];
        Hops { energy: zeros.clone(), cross: zeros, frames: vec![0; SHORT_TERM_HOPS], next: 0, len: 0 }
    }

    fn clear(&mut self) {
        (self.next, self.len) = (0, 0);
    }

    fn push(&mut self, sums: Window, frames: usize) {
        if let (Some(energy), Some(cross), Some(len)) =
            (self.energy.get_mut(self.next), self.cross.get_mut(self.next), self.frames.get_mut(self.next))
        {
            (*energy, *cross, *len) = (sums.energy, sums.cross, frames);
            self.next = (self.next + 1) % SHORT_TERM_HOPS;
            self.len = (self.len + 1).min(SHORT_TERM_HOPS);
        }
    }

    /// Means over the last `hops` hops, summed afresh: sums that are carried along keep the rounding of a loud passage.
    fn window(&self, hops: usize) -> Option<Window> {
        if self.len < hops {
            return None;
        }
        let start = (self.next + SHORT_TERM_HOPS - hops) % SHORT_TERM_HOPS;
        let (tail, head) =
            (start..SHORT_TERM_HOPS.min(start + hops), 0..(start + hops).saturating_sub(SHORT_TERM_HOPS));
        let frames: usize = [tail.clone(), head.clone()].into_iter().flat_map(|r| &self.frames[r]).sum();
        let mean = |of: &[f64]| (sum(&of[tail.clone()]) + sum(&of[head.clone()])) / frames as f64;
        Some(Window { energy: mean(&self.energy), cross: mean(&self.cross) })
    }
}

fn hold_peaks<const CH: usize>(peaks: &mut [f64; CH], pair: usize, lanes: [f64; 2]) {
    for (peak, lane) in peaks.iter_mut().skip(2 * pair).zip(lanes) {
        *peak = peak.max(lane);
    }
}

/// Four sums side by side: an addition waits for the one before it.
fn sum(values: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let chunks = values.chunks_exact(4);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    rest.iter().fold((sums[0] + sums[1]) + (sums[2] + sums[3]), |sum, value| sum + value)
}

/// Energies of stereo and of its fold to mono.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Fold {
    stereo: f64,
    mono: f64,
}

impl Fold {
    fn add(&mut self, other: Fold) {
        self.stereo += other.stereo;
        self.mono += other.mono;
    }

    /// In LU, 0 to 100; `None` of silence.
    fn loss_lu(self) -> Option<f64> {
        (self.stereo > 0.0).then(|| (-10.0 * math::log10((self.mono / self.stereo).max(1e-10))).max(0.0))
    }
}
