//! The album as one stream: tracks in their places, with gains, fades and crossfades.

use super::order::{Album, Track};
use super::plan::{Plan, Start, seconds_to_frames, sectors_to_frames};
use crate::audio_file::{BLOCK_FRAMES, Reader};
use crate::fault::Result;
use crate::figures;
use crate::resample::Converter;
use dsp_core::math;

/// Left and right of the whole album at one rate, block after block.
pub(super) struct Timeline<'a> {
    album: &'a Album,
    rate_hz: u32,
    /// Where each track begins and ends, in frames.
    spans: Vec<(u64, u64)>,
    gains_db: &'a [f64],
    playing: Vec<Playing>,
    next_track: usize,
    at: u64,
    end: u64,
}

impl<'a> Timeline<'a> {
    /// The album at `rate_hz`; masters of another rate are converted. A gain for each track, in decibels.
    pub fn new(album: &'a Album, plan: &Plan, rate_hz: u32, gains_db: &'a [f64]) -> Self {
        let mut spans: Vec<(u64, u64)> = vec![];
        for (track, start) in album.tracks.iter().zip(&plan.starts) {
            let previous = spans.last().map_or(0, |(_, end)| *end);
            let from = match start {
                Start::Sector(sector) => sectors_to_frames(*sector, rate_hz),
                Start::Previous => previous.saturating_sub(seconds_to_frames(track.crossfade_seconds, rate_hz)),
            };
            let frames = Converter::converted_frames(track.description.sample_rate_hz, rate_hz, track.frames);
            spans.push((from, from + frames));
        }
        let end = sectors_to_frames(plan.end_sector, rate_hz);
        Timeline { album, rate_hz, spans, gains_db, playing: vec![], next_track: 0, at: 0, end }
    }

    /// The next frames, at most `max_frames`; what was in `into` is gone. Returns how many there are, 0 at the end.
    pub fn read(&mut self, into: &mut [Vec<f64>; 2], max_frames: usize) -> Result<usize> {
        let frames = (self.end - self.at).min(max_frames as u64) as usize;
        for channel in into.iter_mut() {
            channel.clear();
            channel.resize(frames, 0.0);
        }
        let until = self.at + frames as u64;
        while let Some((from, _)) = self.spans.get(self.next_track)
            && *from < until
        {
            let crossfade_out_seconds = self.album.tracks.get(self.next_track + 1).map_or(0.0, |t| t.crossfade_seconds);
            let track = &self.album.tracks[self.next_track];
            let gain_db = self.gains_db.get(self.next_track).copied().unwrap_or(0.0);
            let span = self.spans[self.next_track];
            self.playing.push(Playing::open(track, span, self.rate_hz, gain_db, crossfade_out_seconds)?);
            self.next_track += 1;
        }
        for track in &mut self.playing {
            let from = track.start.max(self.at);
            let to = track.end.min(until);
            if from < to {
                let offset = (from - self.at) as usize;
                track.add(into, offset, (to - from) as usize)?;
            }
        }
        self.playing.retain(|track| track.end > until);
        self.at = until;
        Ok(frames)
    }
}

/// A track that sounds.
struct Playing {
    start: u64,
    end: u64,
    reader: Reader,
    converter: Converter,
    ended: bool,
    block: Vec<Vec<f64>>,
    /// At the timeline's rate: what waits to be heard.
    waiting: Vec<Vec<f64>>,
    /// Frames heard.
    at: u64,
    envelope: Envelope,
}

impl Playing {
    fn open(track: &Track, (start, end): (u64, u64), rate_hz: u32, gain_db: f64, crossfade_out: f64) -> Result<Self> {
        let reader = figures::open(&track.file)?;
        let channels = reader.description().channels;
        let frames = |seconds: f64| seconds_to_frames(seconds, rate_hz);
        Ok(Playing {
            start,
            end,
            converter: Converter::new(reader.description().sample_rate_hz, rate_hz, channels),
            reader,
            ended: false,
            block: vec![vec![]; channels],
            waiting: vec![vec![]; channels],
            at: 0,
            envelope: Envelope {
                gain: math::db_to_gain(gain_db),
                frames: end - start,
                fade_in: frames(track.fade_in_seconds),
                fade_out: frames(track.fade_out_seconds),
                crossfade_in: frames(track.crossfade_seconds),
                crossfade_out: frames(crossfade_out),
            },
        })
    }

    /// Adds the next `frames` to both sides from `offset` on.
    fn add(&mut self, into: &mut [Vec<f64>; 2], offset: usize, frames: usize) -> Result<()> {
        while !self.ended && self.waiting.first().map_or(0, Vec::len) < frames {
            if self.reader.read(&mut self.block, BLOCK_FRAMES)? == 0 {
                self.converter.finish(&mut self.waiting);
                self.ended = true;
            } else {
                self.converter.process(&self.block, &mut self.waiting);
            }
        }
        let there = self.waiting.first().map_or(0, Vec::len).min(frames);
        // a mono track is on both sides
        for (side, sum) in into.iter_mut().enumerate() {
            let Some(channel) = self.waiting.get(side).or(self.waiting.first()) else { continue };
            for (n, (sum, sample)) in sum.iter_mut().skip(offset).zip(&channel[..there]).enumerate() {
                *sum += sample * self.envelope.at(self.at + n as u64);
            }
        }
        self.waiting.iter_mut().for_each(|c| drop(c.drain(..there)));
        self.at += frames as u64;
        Ok(())
    }
}

/// Gain over a track. Fades are halves of a raised cosine; crossfades keep the power of what is not alike, by sine and
/// cosine.
struct Envelope {
    gain: f64,
    frames: u64,
    fade_in: u64,
    fade_out: u64,
    crossfade_in: u64,
    crossfade_out: u64,
}

impl Envelope {
    fn at(&self, frame: u64) -> f64 {
        let left = self.frames.saturating_sub(frame + 1);
        let part = |frame: u64, len: u64| (frame as f64 + 0.5) / len as f64;
        let mut gain = self.gain;
        for (frame, len) in [(frame, self.fade_in), (left, self.fade_out)] {
            if frame < len {
                gain *= 0.5 - 0.5 * math::cos(math::PI * part(frame, len));
            }
        }
        for (frame, len) in [(frame, self.crossfade_in), (left, self.crossfade_out)] {
            if frame < len {
                gain *= math::sin(0.5 * math::PI * part(frame, len));
            }
        }
        gain
    }
}
