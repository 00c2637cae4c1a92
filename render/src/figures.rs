//! Every figure of a file, measured in one pass whatever its length.

mod clipping;

use crate::audio_file::{BLOCK_FRAMES, Description, Reader, Word};
use crate::fault::{Fault, Result};
use clipping::Clipping;
use dsp_core::block::Block;
use dsp_core::delivery::Levels;
use dsp_core::math::gain_to_db;
use dsp_core::metering::loudness::HOPS_PER_SECOND;
use dsp_core::metering::meter::{Meter, MeterParams};
use dsp_core::metering::word_length::WordLength;
use dsp_core::processor::{Processor, StreamConfig};
use std::path::Path;

pub use clipping::Clips;

/// The figures of a recording; `None` where something could not be measured: silence has no loudness.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// What the file says about itself.
    pub description: Description,
    /// Frames in it.
    pub frames: u64,
    /// Greatest magnitude of a sample, dBFS.
    pub sample_peak_dbfs: Option<f64>,
    /// Where it is, in seconds.
    pub sample_peak_seconds: f64,
    /// Greatest magnitude of the sound between its samples, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// Where it is, in seconds, to the 10 ms.
    pub true_peak_seconds: f64,
    /// Integrated loudness, LUFS (ITU-R BS.1770-5).
    pub integrated_lufs: Option<f64>,
    /// Highest loudness of 400 ms, LUFS (EBU Tech 3341).
    pub momentary_max_lufs: Option<f64>,
    /// Highest loudness of 3 s, LUFS (EBU Tech 3341).
    pub short_term_max_lufs: Option<f64>,
    /// The end of those 3 s, in seconds.
    pub short_term_max_seconds: f64,
    /// Loudness range, LU (EBU Tech 3342).
    pub loudness_range_lu: Option<f64>,
    /// True peak over integrated loudness, dB.
    pub plr_db: Option<f64>,
    /// The least that the true peak of 3 s was over their loudness, dB, where they were at most 10 LU under the integrated
    /// loudness or over it.
    pub psr_db: Option<f64>,
    /// Correlation of left and right over the whole, −1 to 1; `None` in mono and of silence.
    pub correlation: Option<f64>,
    /// The lowest correlation of any 400 ms, and their end in seconds.
    pub correlation_min: Option<(f64, f64)>,
    /// The lowest correlation of any 400 ms in the two lowest bands, 20 to 178 Hz, and their end in seconds. Passages that
    /// are more than 20 LU under the integrated loudness do not count.
    pub bass_correlation_min: Option<(f64, f64)>,
    /// Loudness that is lost when left and right are folded to mono, LU.
    pub mono_fold_loss_lu: Option<f64>,
    /// Mean of each channel, as a part of full scale.
    pub dc_offset: Vec<f64>,
    /// Runs of samples at full scale.
    pub clips: Clips,
    /// Bits that the samples use; `None` of silence.
    pub word_length: Option<WordLength>,
    /// The highest sample of each 100 ms, any channel, as a part of full scale.
    pub peaks: Vec<f32>,
}

/// The lowest sample rate that music is taken at, in hertz.
pub const MIN_SAMPLE_RATE_HZ: u32 = 11_025;
/// The highest, in hertz.
pub const MAX_SAMPLE_RATE_HZ: u32 = 384_000;

impl Figures {
    /// Measures a mono or stereo file. `progress` hears the share that is done, where the file tells how long it is.
    ///
    /// # Errors
    /// A file that cannot be read to its end, has other channels or a rate that is not music's, or holds samples that are
    /// no numbers.
    pub fn of(path: &Path, progress: impl FnMut(f64)) -> Result<Figures> {
        let reader = open(path)?;
        match reader.description().channels {
            1 => measure::<1>(reader, progress),
            _ => measure::<2>(reader, progress),
        }
    }

    /// What decides how it is played by services; `None` of silence.
    #[must_use]
    pub fn levels(&self) -> Option<Levels> {
        let (integrated_lufs, true_peak_dbtp) = self.integrated_lufs.zip(self.true_peak_dbtp)?;
        Some(Levels { integrated_lufs, true_peak_dbtp })
    }

    /// Its length in seconds.
    #[must_use]
    pub fn duration_seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.description.sample_rate_hz)
    }
}

/// Opens a file of music: mono or stereo, at a rate that music is made at.
///
/// # Errors
/// As [`Reader::open`], and any other file.
pub fn open(path: &Path) -> Result<Reader> {
    let reader = Reader::open(path)?;
    let Description { channels, sample_rate_hz, .. } = *reader.description();
    if !(1..=2).contains(&channels) {
        let what = format!("has {channels} channels, expected 1 or 2");
        return Err(Fault::in_file(path, what, "export it as a mono or stereo file"));
    }
    if !(MIN_SAMPLE_RATE_HZ..=MAX_SAMPLE_RATE_HZ).contains(&sample_rate_hz) {
        let what = format!("is at {sample_rate_hz} Hz, expected {MIN_SAMPLE_RATE_HZ} to {MAX_SAMPLE_RATE_HZ} Hz");
        return Err(Fault::in_file(path, what, "export it at 44100 to 192000 Hz"));
    }
    Ok(reader)
}

fn measure<const CH: usize>(mut reader: Reader, mut progress: impl FnMut(f64)) -> Result<Figures> {
    let description = *reader.description();
    let mut meters = Measurer::<CH>::of_word(description.sample_rate_hz, description.word);
    let mut block = vec![vec![]; CH];
    loop {
        let frames = reader.read(&mut block, BLOCK_FRAMES)?;
        if frames == 0 {
            return Ok(meters.finish(description));
        }
        meters.process(&block);
        if let Some(frames) = description.frames {
            progress(meters.frames as f64 / frames.max(1) as f64);
        }
    }
}

/// All that is measured, while it is measured.
pub struct Measurer<const CH: usize> {
    rate_hz: f64,
    hop_frames: usize,
    meter: Meter<CH>,
    single: [Vec<f32>; CH],
    frames: u64,
    sample_peak: (f64, u64),
    true_peak: (f64, u64),
    short_term_max: (f64, u64),
    /// Peak to short-term loudness, and that loudness, each 100 ms.
    psr: Vec<(f64, f64)>,
    correlation_min: Option<(f64, u64)>,
    /// Momentary loudness, the lower correlation of the two lowest bands, and the frame, each 100 ms.
    bass: Vec<(f64, f64, u64)>,
    /// Σl², Σr², Σlr.
    products: [f64; 3],
    sums: [f64; CH],
    clipping: [Clipping; CH],
    peaks: Vec<f32>,
    /// The tenth of a second under way: its highest sample and hops.
    tenth: (f32, usize),
}

impl<const CH: usize> Measurer<CH> {
    /// A measurer of floating-point audio at this rate, which must be one of music's.
    #[must_use]
    pub fn new(sample_rate_hz: u32) -> Self {
        Measurer::of_word(sample_rate_hz, Word::Float(32))
    }

    fn of_word(sample_rate_hz: u32, word: Word) -> Self {
        let rate_hz = f64::from(sample_rate_hz);
        let hop_frames = (sample_rate_hz as usize).div_ceil(HOPS_PER_SECOND);
        let mut meter = Meter::new();
        let config = StreamConfig { sample_rate_hz: rate_hz, max_frames: hop_frames };
        // `open` let through no rate that the meter does not serve
        let prepared = meter.prepare(config, &MeterParams::default());
        debug_assert!(prepared.is_ok(), "{rate_hz} Hz");
        Measurer {
            rate_hz,
            hop_frames,
            meter,
            single: std::array::from_fn(|_| vec![]),
            frames: 0,
            sample_peak: (0.0, 0),
            true_peak: (f64::NEG_INFINITY, 0),
            short_term_max: (f64::NEG_INFINITY, 0),
            psr: vec![],
            correlation_min: None,
            bass: vec![],
            products: [0.0; 3],
            sums: [0.0; CH],
            clipping: std::array::from_fn(|_| Clipping::new(word)),
            peaks: vec![],
            tenth: (0.0, 0),
        }
    }

    /// Takes in frames, one vector a channel.
    pub fn process(&mut self, channels: &[Vec<f64>]) {
        let frames = channels.first().map_or(0, Vec::len);
        for (c, channel) in channels.iter().enumerate().take(CH) {
            let first = self.frames;
            for (n, sample) in channel.iter().enumerate() {
                if sample.abs() > self.sample_peak.0 {
                    self.sample_peak = (sample.abs(), first + n as u64);
                }
            }
            self.sums[c] += channel.iter().sum::<f64>();
            self.clipping[c].process(channel);
        }
        if let [left, right] = channels {
            for (l, r) in left.iter().zip(right) {
                self.products[0] += l * l;
                self.products[1] += r * r;
                self.products[2] += l * r;
            }
        }
        for (single, channel) in self.single.iter_mut().zip(channels) {
            single.clear();
            single.extend(channel.iter().map(|s| *s as f32));
        }
        // hops are counted from the file's first frame, however it is read
        let mut start = 0;
        while start < frames {
            let into_hop = (self.frames % self.hop_frames as u64) as usize;
            let end = frames.min(start + self.hop_frames - into_hop);
            let highest = self.single.iter().flat_map(|c| &c[start..end]).fold(0.0f32, |h, s| h.max(s.abs()));
            self.tenth.0 = self.tenth.0.max(highest);
            self.meter.process(&mut Block::new(self.single.each_mut().map(|c| &mut c[start..end])));
            self.frames += (end - start) as u64;
            if into_hop + end - start == self.hop_frames {
                self.end_hop();
            }
            start = end;
        }
    }

    fn end_hop(&mut self) {
        let reading = self.meter.reading();
        let true_peak = reading.true_peak_dbtp.map_or(f64::NEG_INFINITY, highest);
        if true_peak > self.true_peak.0 {
            self.true_peak = (true_peak, self.frames);
        }
        if let Some(max) = reading.loudness.short_term_max_lufs
            && max > self.short_term_max.0
        {
            self.short_term_max = (max, self.frames);
        }
        if let Some(whole) = reading.correlation.whole
            && self.correlation_min.is_none_or(|(lowest, _)| f64::from(whole) < lowest)
        {
            self.correlation_min = Some((f64::from(whole), self.frames));
        }
        self.tenth.1 += 1;
        if self.tenth.1 == HOPS_PER_SECOND / 10 {
            self.peaks.push(self.tenth.0);
            self.tenth = (0.0, 0);
            if let (Some(psr), Some(short_term)) = (reading.psr_db, reading.loudness.short_term_lufs) {
                self.psr.push((psr, short_term));
            }
            let bass = reading.correlation.bands.iter().take(2).flatten().map(|c| f64::from(*c)).min_by(f64::total_cmp);
            if let (Some(bass), Some(momentary)) = (bass, reading.loudness.momentary_lufs) {
                self.bass.push((momentary, bass, self.frames));
            }
        }
    }

    /// Ends the recording: its integrated loudness in LUFS, and its true peak in dBTP.
    #[must_use]
    pub fn loudness_and_true_peak(mut self) -> (Option<f64>, Option<f64>) {
        let measured = self.meter.finish();
        let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
        (finite(measured.integrated_lufs), finite(measured.true_peak_dbtp))
    }

    /// Ends the recording: all its figures.
    #[must_use]
    pub fn finish(mut self, description: Description) -> Figures {
        if self.tenth.0 > 0.0 {
            self.peaks.push(self.tenth.0);
        }
        let measured = self.meter.finish();
        let reading = self.meter.reading();
        let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
        let seconds = |frame: u64| frame as f64 / self.rate_hz;
        // where the peak came in the last hop, the meter has told only now
        if measured.true_peak_dbtp.is_some_and(|p| p > self.true_peak.0) {
            self.true_peak.1 = self.frames;
        }
        let integrated_lufs = finite(measured.integrated_lufs);
        let gate = integrated_lufs.unwrap_or(f64::NEG_INFINITY) - 10.0;
        let psr = self.psr.iter().filter(|(_, loudness)| *loudness >= gate).map(|(psr, _)| *psr);
        let bass = self.bass.iter().filter(|(loudness, _, _)| *loudness >= gate - 10.0);
        let bass = bass.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(_, lowest, frame)| (*lowest, seconds(*frame)));
        let [ll, rr, lr] = self.products;
        let true_peak_dbtp = finite(measured.true_peak_dbtp);
        Figures {
            description,
            frames: self.frames,
            sample_peak_dbfs: finite(Some(gain_to_db(self.sample_peak.0))),
            sample_peak_seconds: seconds(self.sample_peak.1),
            true_peak_dbtp,
            true_peak_seconds: seconds(self.true_peak.1),
            integrated_lufs,
            momentary_max_lufs: finite(measured.momentary_max_lufs),
            short_term_max_lufs: finite(measured.short_term_max_lufs),
            short_term_max_seconds: seconds(self.short_term_max.1),
            loudness_range_lu: measured.loudness_range_lu,
            plr_db: true_peak_dbtp.zip(integrated_lufs).map(|(peak, loudness)| peak - loudness),
            psr_db: psr.min_by(f64::total_cmp),
            correlation: (ll > 0.0 && rr > 0.0).then(|| (lr / (ll * rr).sqrt()).clamp(-1.0, 1.0)),
            correlation_min: self.correlation_min.map(|(lowest, frame)| (lowest, seconds(frame))),
            bass_correlation_min: bass,
            mono_fold_loss_lu: finite(reading.loudness.mono_fold_loss_integrated_lu),
            dc_offset: self.sums.iter().map(|sum| sum / self.frames.max(1) as f64).collect(),
            clips: Clips::of(self.clipping.into_iter(), self.rate_hz),
            word_length: reading.measured_word_length,
            peaks: self.peaks,
        }
    }
}

fn highest<const CH: usize>(peaks: [f64; CH]) -> f64 {
    peaks.into_iter().fold(f64::NEG_INFINITY, f64::max)
}
