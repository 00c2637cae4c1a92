//! The meter at the end of a chain: everything that is measured, in one stage that changes nothing.

use super::correlation::{Correlation, CorrelationReading};
use super::goniometer::{Goniometer, GoniometerPoint};
use super::history::{Histogram, History, HistoryPoint, POINTS_PER_SECOND};
use super::loudness::{HOPS_PER_SECOND, LoudnessMeter, LoudnessReading};
use super::true_peak::TruePeakMeter;
use super::word_length::{WordLength, WordLengthDetector};
use crate::block::Block;
use crate::math;
use crate::processor::{PrepareError, Processor, StreamConfig};
use crate::{choices, controls};

choices! {
    /// What the song's transport does to the measurement.
    pub enum FollowTransport {
        /// Nothing.
        Off = ("off", "Off"),
        /// It is measured only while the song runs.
        Pause = ("pause", "Pause when stopped"),
        /// The same, and each start of the song starts the measurement anew.
        Restart = ("restart", "Restart on play"),
    }
}

controls! {
    /// Meter: what is measured when.
    pub struct MeterParams {
        /// Keeps the measurement as it is; live values go on.
        pub pause: bool = switch("Pause", false),
        /// Turned on, it starts the measurement anew.
        pub restart: bool = switch("Restart", false),
        /// What the song's transport does to the measurement.
        pub follow_transport: FollowTransport = choice("Follow Transport", FollowTransport::Off),
    }
}

/// What the meter shows. `None` where nothing was measured yet; silence is −∞.
///
/// *Of the measurement* means: since it began, without its pauses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeterReading<const CH: usize> {
    /// Loudness and mono-fold loss.
    pub loudness: LoudnessReading,
    /// The highest sample of each channel in the measurement, in dBFS.
    pub sample_peak_dbfs: Option<[f64; CH]>,
    /// The highest true peak of each channel in the measurement, in dBTP.
    pub true_peak_dbtp: Option<[f64; CH]>,
    /// The highest true peak of each channel in the last 100 ms, in dBTP.
    pub live_true_peak_dbtp: Option<[f64; CH]>,
    /// Peak to short-term loudness ratio: the highest true peak of the last 3 s less their loudness, in dB. `None` of
    /// silence.
    pub psr_db: Option<f64>,
    /// Peak to loudness ratio: the highest true peak of the measurement less its integrated loudness, in dB.
    pub plr_db: Option<f64>,
    /// How alike left and right are, over the last 400 ms. `None` in mono.
    pub correlation: CorrelationReading,
    /// Bits in use over the last 3 s; `None` of silence.
    pub word_length: Option<WordLength>,
    /// Bits in use in the measurement; `None` of silence.
    pub measured_word_length: Option<WordLength>,
    /// How long was measured, in seconds.
    pub measured_seconds: f64,
    /// Whether the measurement goes on now.
    pub running: bool,
}

/// The figures of a whole recording. `None` where it was too short or too soft for them; silence is −∞.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measurement {
    /// The highest sample, in dBFS.
    pub sample_peak_dbfs: Option<f64>,
    /// The highest true peak, in dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// Integrated loudness, in LUFS.
    pub integrated_lufs: Option<f64>,
    /// The highest momentary loudness, in LUFS.
    pub momentary_max_lufs: Option<f64>,
    /// The highest short-term loudness, in LUFS.
    pub short_term_max_lufs: Option<f64>,
    /// Loudness range, in LU.
    pub loudness_range_lu: Option<f64>,
}

/// Measures what passes and changes no bit of it.
///
/// All is evaluated in hops of 10 ms that are counted from where the measurement began, so readings do not depend on how
/// the stream is cut into blocks.
#[derive(Clone, Debug)]
pub struct Meter<const CH: usize> {
    params: MeterParams,
    playing: bool,
    sample_rate_hz: f64,
    /// How many measurements there were, this one included.
    measurement: u64,
    measured_frames: u64,
    loudness: LoudnessMeter<CH>,
    true_peak: TruePeakMeter<CH>,
    /// The highest of the measurement.
    true_peak_max: [f32; CH],
    /// The highest of any channel in the last 3 s, and of each in the last 100 ms, hop by hop.
    recent_peaks: [f32; RECENT_HOPS],
    live_peaks: [[f32; CH]; LIVE_HOPS],
    next_peak: usize,
    correlation: Correlation,
    goniometer: Goniometer,
    word_length: WordLengthDetector,
    history: History,
    momentary_histogram: Histogram,
    short_term_histogram: Histogram,
    /// The history's next point, and hops that are in it.
    point: PointPeaks,
}

/// What a point of the history has gathered so far.
#[derive(Clone, Copy, Debug, Default)]
struct PointPeaks {
    hops: usize,
    momentary_lufs: Option<f64>,
    true_peak: f32,
}

const RECENT_HOPS: usize = 3 * HOPS_PER_SECOND;
const LIVE_HOPS: usize = HOPS_PER_SECOND / 10;
const HOPS_PER_POINT: usize = HOPS_PER_SECOND / POINTS_PER_SECOND;

impl<const CH: usize> Meter<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Meter {
            params: MeterParams::default(),
            playing: false,
            sample_rate_hz: 48_000.0,
            measurement: 0,
            measured_frames: 0,
            loudness: LoudnessMeter::new(),
            true_peak: TruePeakMeter::new(48_000.0),
            true_peak_max: [0.0; CH],
            recent_peaks: [0.0; RECENT_HOPS],
            live_peaks: [[0.0; CH]; LIVE_HOPS],
            next_peak: 0,
            correlation: Correlation::new(48_000.0),
            goniometer: Goniometer::new(48_000.0),
            word_length: WordLengthDetector::new(),
            history: History::default(),
            momentary_histogram: Histogram::EMPTY,
            short_term_histogram: Histogram::EMPTY,
            point: PointPeaks::default(),
        }
    }

    /// Starts the measurement anew at the next frame; live values go on. Real-time safe.
    pub fn restart(&mut self) {
        self.loudness.restart();
        self.true_peak.reset();
        self.true_peak_max = [0.0; CH];
        self.word_length.end_hop(false);
        self.word_length.restart();
        self.measurement += 1;
        self.measured_frames = 0;
        self.history.clear();
        (self.momentary_histogram, self.short_term_histogram) = (Histogram::EMPTY, Histogram::EMPTY);
        self.point = PointPeaks::default();
    }

    /// All values now. Real-time safe.
    #[must_use]
    pub fn reading(&self) -> MeterReading<CH> {
        let loudness = self.loudness.reading();
        let measured = self.measured_frames > 0;
        let db = |peaks: [f64; CH]| peaks.map(math::gain_to_db);
        let mut true_peak = self.true_peak_max;
        if self.loudness.is_running() {
            hold(&mut true_peak, self.true_peak.held());
        }
        let true_peak_dbtp = measured.then(|| db(true_peak.map(f64::from)));
        let under_way = self.true_peak.held();
        let mut live = under_way;
        self.live_peaks.iter().for_each(|peaks| hold(&mut live, *peaks));
        let recent_dbtp = math::gain_to_db(f64::from(highest(&under_way).max(highest(&self.recent_peaks))));
        MeterReading {
            sample_peak_dbfs: measured.then(|| db(self.loudness.sample_peak())),
            true_peak_dbtp,
            live_true_peak_dbtp: loudness.momentary_lufs.map(|_| db(live.map(f64::from))),
            psr_db: loudness.short_term_lufs.map(|s| recent_dbtp - s).filter(|psr| psr.is_finite()),
            plr_db: loudness
                .integrated_lufs
                .zip(true_peak_dbtp)
                .map(|(i, peaks)| peaks.into_iter().fold(f64::NEG_INFINITY, f64::max) - i),
            loudness,
            correlation: self.correlation.reading(),
            word_length: self.word_length.recent(),
            measured_word_length: self.word_length.measured(),
            measured_seconds: self.measured_frames as f64 / self.sample_rate_hz,
            running: self.loudness.is_running(),
        }
    }

    /// Frames that were measured. Real-time safe.
    #[must_use]
    pub fn measured_frames(&self) -> u64 {
        self.measured_frames
    }

    /// Which measurement this is: another number after each restart. Real-time safe.
    #[must_use]
    pub fn measurement(&self) -> u64 {
        self.measurement
    }

    /// A point every 100 ms of the measurement. Real-time safe.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How often each momentary loudness was met in the measurement, ten times a second. Real-time safe.
    #[must_use]
    pub fn momentary_histogram(&self) -> &Histogram {
        &self.momentary_histogram
    }

    /// How often each short-term loudness was met in the measurement, ten times a second. Real-time safe.
    #[must_use]
    pub fn short_term_histogram(&self) -> &Histogram {
        &self.short_term_histogram
    }

    /// The last points of left against right, oldest first; none in mono. Real-time safe.
    pub fn goniometer(&self) -> impl ExactSizeIterator<Item = GoniometerPoint> + '_ {
        self.goniometer.points()
    }

    /// Ends a recording: takes in what the true-peak detectors still hold, and gives the figures of the whole. For
    /// another recording `reset` first. Real-time safe.
    pub fn finish(&mut self) -> Measurement {
        self.true_peak.finish();
        self.hold_measured();
        let reading = self.reading();
        let highest = |peaks: [f64; CH]| peaks.into_iter().fold(f64::NEG_INFINITY, f64::max);
        Measurement {
            sample_peak_dbfs: reading.sample_peak_dbfs.map(highest),
            true_peak_dbtp: reading.true_peak_dbtp.map(highest),
            integrated_lufs: reading.loudness.integrated_lufs,
            momentary_max_lufs: reading.loudness.momentary_max_lufs,
            short_term_max_lufs: reading.loudness.short_term_max_lufs,
            loudness_range_lu: reading.loudness.loudness_range_lu,
        }
    }

    /// Pauses or goes on, as the controls and the transport say.
    fn follow(&mut self, playing: bool) {
        let started = playing && !self.playing;
        self.playing = playing;
        let stopped = self.params.follow_transport != FollowTransport::Off && !playing;
        self.set_running(!self.params.pause && !stopped);
        if started && self.params.follow_transport == FollowTransport::Restart {
            self.restart();
        }
    }

    fn set_running(&mut self, running: bool) {
        if running == self.loudness.is_running() {
            return;
        }
        if running {
            // what is under way belongs to the pause
            self.word_length.end_hop(false);
            self.true_peak.reset();
        } else {
            self.hold_measured();
        }
        self.loudness.set_running(running);
    }

    /// What is under way, in the middle of a hop, counts.
    fn hold_measured(&mut self) {
        if self.loudness.is_running() {
            self.word_length.end_hop(true);
            hold(&mut self.true_peak_max, self.true_peak.held());
        }
    }

    fn measure(&mut self, channels: [&[f32]; CH]) {
        let frames = channels.first().map_or(0, |c| c.len());
        let mut start = 0;
        while start < frames {
            let to_hop = self.loudness.frames_to_hop();
            let end = frames.min(start + to_hop);
            let span = channels.map(|c| &c[start..end]);
            self.loudness.process(span);
            self.true_peak.process(span);
            span.iter().for_each(|c| self.word_length.process(c));
            if let [left, right] = span[..] {
                self.correlation.process(left, right);
                self.goniometer.process(left, right);
            }
            if self.loudness.is_running() {
                self.measured_frames += (end - start) as u64;
            }
            if end - start == to_hop {
                self.end_hop();
            }
            start = end;
        }
    }

    fn end_hop(&mut self) {
        let running = self.loudness.is_running();
        let peaks = self.true_peak.take();
        self.recent_peaks[self.next_peak % RECENT_HOPS] = highest(&peaks);
        self.live_peaks[self.next_peak % LIVE_HOPS] = peaks;
        self.next_peak = (self.next_peak + 1) % RECENT_HOPS;
        self.word_length.end_hop(running);
        if CH == 2 {
            self.correlation.end_hop();
        }
        if running {
            hold(&mut self.true_peak_max, peaks);
            self.gather(highest(&peaks));
        }
    }

    /// A hop more in the history's next point.
    fn gather(&mut self, true_peak: f32) {
        let momentary_lufs = self.loudness.momentary_lufs();
        let point = &mut self.point;
        point.hops += 1;
        point.true_peak = point.true_peak.max(true_peak);
        point.momentary_lufs = match (point.momentary_lufs, momentary_lufs) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        if point.hops == HOPS_PER_POINT {
            let point = std::mem::take(point);
            let short_term_lufs = self.loudness.short_term_lufs();
            momentary_lufs.into_iter().for_each(|m| self.momentary_histogram.add(m));
            short_term_lufs.into_iter().for_each(|s| self.short_term_histogram.add(s));
            let shown = |lufs: Option<f64>| lufs.map_or(f32::NEG_INFINITY, |l| l as f32);
            self.history.push(HistoryPoint {
                momentary_lufs: shown(point.momentary_lufs),
                short_term_lufs: shown(short_term_lufs),
                integrated_lufs: shown(self.loudness.integrated_lufs()),
                true_peak_dbtp: math::gain_to_db(f64::from(point.true_peak)) as f32,
            });
        }
    }
}

impl<const CH: usize> Processor<CH> for Meter<CH> {
    type Params = MeterParams;

    fn prepare(&mut self, config: StreamConfig, params: &MeterParams) -> Result<(), PrepareError> {
        self.loudness.prepare(config)?;
        self.sample_rate_hz = config.sample_rate_hz;
        self.true_peak = TruePeakMeter::new(config.sample_rate_hz);
        self.correlation = Correlation::new(config.sample_rate_hz);
        self.goniometer = Goniometer::new(config.sample_rate_hz);
        self.history = History::with_room();
        self.params = controls::clamped(params);
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.restart();
        self.loudness.reset();
        self.recent_peaks = [0.0; RECENT_HOPS];
        self.live_peaks = [[0.0; CH]; LIVE_HOPS];
        self.next_peak = 0;
        self.correlation.reset();
        self.goniometer.reset();
        self.word_length.reset();
        self.playing = false;
    }

    fn set_params(&mut self, params: &MeterParams) {
        if *params != self.params {
            let params = controls::clamped(params);
            let restarted = params.restart && !self.params.restart;
            self.params = params;
            if restarted {
                self.restart();
            }
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        self.follow(block.transport().playing);
        self.measure(block.channels_ref());
    }
}

impl<const CH: usize> Default for Meter<CH> {
    fn default() -> Self {
        Self::new()
    }
}

fn hold<const CH: usize>(held: &mut [f32; CH], peaks: [f32; CH]) {
    for (held, peak) in held.iter_mut().zip(peaks) {
        *held = if peak > *held { peak } else { *held };
    }
}

/// Eight side by side, for the compiler's vectors; none is NaN or below zero.
fn highest(peaks: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    for chunk in peaks.chunks(8) {
        for (lane, peak) in lanes.iter_mut().zip(chunk) {
            *lane = if *peak > *lane { *peak } else { *lane };
        }
    }
    lanes.into_iter().fold(0.0, f32::max)
}
