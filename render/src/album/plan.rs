//! Where everything lies: tracks on a line of time, marks on a grid of 1/75 s.

use super::order::Album;
use crate::fault::{Fault, Result};
use crate::resample::Converter;

/// Steps of the grid in a second: a CD's frames (IEC 60908).
pub const SECTORS_PER_SECOND: u64 = 75;

/// Where everything lies. Positions are in sectors of 1/75 s from the first sample of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where each track's audio begins, hidden ones among them.
    pub starts: Vec<Start>,
    /// The marks of the numbered tracks.
    pub marks: Vec<Mark>,
    /// The end of all.
    pub end_sector: u64,
    /// The rate at which it was laid out, in hertz: that of all masters, or the highest of them.
    pub rate_hz: u32,
}

/// Where a track's audio begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// On the grid.
    Sector(u64),
    /// At the end of the one before, or before that where they overlap.
    Previous,
}

/// Where a numbered track begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where the pause before it begins (INDEX 00), if there is one.
    pub pause_sector: Option<u64>,
    /// Where it begins (INDEX 01).
    pub start_sector: u64,
}

/// Frames at `rate_hz` in so many sectors; exact at every rate of an album.
#[must_use]
pub fn sectors_to_frames(sectors: u64, rate_hz: u32) -> u64 {
    sectors * u64::from(rate_hz) / SECTORS_PER_SECOND
}

/// Frames at `rate_hz` in so many seconds, rounded.
#[must_use]
pub fn seconds_to_frames(seconds: f64, rate_hz: u32) -> u64 {
    (seconds * f64::from(rate_hz)).round() as u64
}

impl Plan {
    /// Lays an album out.
    ///
    /// # Errors
    /// Tracks that would begin in the same sector, and what a CD does not allow where it is asked for.
    pub fn of(album: &Album) -> Result<Plan> {
        let rates = || album.tracks.iter().map(|t| t.description.sample_rate_hz);
        let rate_hz = rates().max().unwrap_or(44_100);
        let sector_frames = u64::from(rate_hz) / SECTORS_PER_SECOND;
        let mut plan = Plan { starts: vec![], marks: vec![], end_sector: 0, rate_hz };
        let mut end = 0u64;
        for (n, track) in album.tracks.iter().enumerate() {
            let gap = seconds_to_frames(track.gap_seconds, rate_hz);
            let (start, start_at, mark) = if gap > 0 || n == 0 {
                let sector = (end + gap).div_ceil(sector_frames);
                (Start::Sector(sector), sector * sector_frames, sector)
            } else {
                let at = end.saturating_sub(seconds_to_frames(track.crossfade_seconds, rate_hz));
                (Start::Previous, at, at / sector_frames)
            };
            if !track.hidden {
                let pause = end.div_ceil(sector_frames);
                let first = plan.marks.is_empty();
                // what lies before the first track, hidden music or silence, is its pause
                let pause_sector = if first { (mark > 0).then_some(0) } else { (pause < mark).then_some(pause) };
                plan.marks.push(Mark { pause_sector, start_sector: mark });
            }
            plan.starts.push(start);
            let frames = Converter::converted_frames(track.description.sample_rate_hz, rate_hz, track.frames);
            end = start_at + frames;
        }
        plan.end_sector = end.div_ceil(sector_frames);
        plan.check(album)?;
        Ok(plan)
    }

    /// Sectors of the numbered track at `index`, its pause left out and the next one's in.
    #[must_use]
    pub fn track_sectors(&self, index: usize) -> std::ops::Range<u64> {
        let start = |i: usize| self.marks.get(i).map_or(self.end_sector, |m| m.start_sector);
        start(index)..start(index + 1)
    }

    fn check(&self, album: &Album) -> Result<()> {
        let fault = |index: usize, what: String, cure: &str| {
            let title = album.numbered().nth(index).map_or("", |t| t.title.as_str());
            Err(Fault::within(&album.path, &format!("track {} ('{title}')", index + 1), what, cure))
        };
        for index in 0..self.marks.len() {
            let sectors = self.track_sectors(index);
            let len = sectors.end.saturating_sub(sectors.start);
            if len == 0 {
                return fault(index, "is shorter than 1/75 s".to_owned(), "join it to its neighbour");
            }
            if album.red_book && len < 4 * SECTORS_PER_SECOND {
                let seconds = len as f64 / SECTORS_PER_SECOND as f64;
                return fault(index, format!("lasts {seconds:.2} s; a CD's track lasts 4"), "join it to its neighbour");
            }
        }
        if !album.red_book {
            return Ok(());
        }
        let whole = |what: String, cure: &str| Err(Fault::in_file(&album.path, what, cure));
        if self.marks.len() > 99 {
            return whole(format!("{} tracks; a CD has 99 at most", self.marks.len()), "make two albums of it");
        }
        if self.end_sector > MOST_CD_SECTORS {
            let what = format!("lasts {}; a CD holds 79:57", crate::show::time(self.end_sector as f64 / 75.0));
            return whole(what, "leave a track out");
        }
        let cd = |d: &super::order::Deliverable| {
            d.kind == super::order::Kind::Image
                && d.rate_hz == 44_100
                && d.format.written().1 == crate::audio_file::SampleFormat::Int16
        };
        if !album.deliverables.iter().any(cd) {
            let cure = "add a [[deliver]] with kind = \"image\", format = \"wav16\", rate_hz = 44100";
            return whole("red_book is asked for, and no image of 44100 Hz and 16 bit".to_owned(), cure);
        }
        Ok(())
    }
}

/// 79:57.74, the last that a CD's lead-in can tell, less the 2 s before the first track.
const MOST_CD_SECTORS: u64 = (79 * 60 + 57) * SECTORS_PER_SECOND + 74;
