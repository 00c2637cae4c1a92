//! What a measurement has been: a point every 100 ms for four hours and more, and how often each loudness was met.

/// Points a second.
pub const POINTS_PER_SECOND: usize = 10;
/// Points that are kept: four and a half hours.
pub const POINTS: usize = 4 * 36_000 + 18_000;
/// Bins of the histogram.
pub const HISTOGRAM_BINS: usize = 160;
/// The lower edge of the histogram's lowest bin, in LUFS. What is quieter is not counted.
pub const HISTOGRAM_LOWEST_LUFS: f64 = -70.0;
/// Width of a bin, in LU.
pub const HISTOGRAM_STEP_LU: f64 = 0.5;

/// 100 ms of a measurement. −∞ is silence, and what was not measured yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryPoint {
    /// The highest momentary loudness, in LUFS.
    pub momentary_lufs: f32,
    /// Short-term loudness, in LUFS.
    pub short_term_lufs: f32,
    /// Integrated loudness up to here, in LUFS.
    pub integrated_lufs: f32,
    /// The highest true peak of any channel, in dBTP.
    pub true_peak_dbtp: f32,
}

impl HistoryPoint {
    /// Nothing measured.
    pub const NONE: HistoryPoint = HistoryPoint {
        momentary_lufs: f32::NEG_INFINITY,
        short_term_lufs: f32::NEG_INFINITY,
        integrated_lufs: f32::NEG_INFINITY,
        true_peak_dbtp: f32::NEG_INFINITY,
    };
}

/// The last [`POINTS`] points of a measurement, in a ring that is sized once.
#[derive(Clone, Debug, Default)]
pub struct History {
    points: Vec<HistoryPoint>,
    total: u64,
}

impl History {
    /// With room for [`POINTS`]. May allocate: 2.6 MB.
    #[must_use]
    pub fn with_room() -> Self {
        History { points: vec![HistoryPoint::NONE; POINTS], total: 0 }
    }

    /// Forgets all points. Real-time safe.
    pub fn clear(&mut self) {
        self.total = 0;
    }

    /// Points since the measurement began; those before `total − len` are gone. A reader that remembers this number
    /// asks for what came since. Real-time safe.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Points that are kept. Real-time safe.
    #[must_use]
    pub fn len(&self) -> usize {
        self.total.min(self.points.len() as u64) as usize
    }

    /// Whether there is no point. Real-time safe.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The point at `index`, counted from the measurement's begin; `None` where it is gone or still to come. Real-time
    /// safe.
    #[must_use]
    pub fn point(&self, index: u64) -> Option<HistoryPoint> {
        let kept = self.total - self.len() as u64..self.total;
        if kept.contains(&index) { self.points.get((index % self.points.len() as u64) as usize).copied() } else { None }
    }

    /// The points from `index` on, oldest first. Real-time safe.
    pub fn since(&self, index: u64) -> impl Iterator<Item = HistoryPoint> + '_ {
        let first = index.max(self.total - self.len() as u64);
        (first..self.total).filter_map(|i| self.point(i))
    }

    pub(super) fn push(&mut self, point: HistoryPoint) {
        let room = self.points.len().max(1) as u64;
        if let Some(place) = self.points.get_mut((self.total % room) as usize) {
            *place = point;
            self.total += 1;
        }
    }
}

/// How often each loudness was met: counts in bins of half a loudness unit. Bin n holds from
/// `HISTOGRAM_LOWEST_LUFS + n × HISTOGRAM_STEP_LU` on; the last one all that is louder, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Counts by bin.
    pub counts: [u32; HISTOGRAM_BINS],
}

impl Histogram {
    pub(super) const EMPTY: Histogram = Histogram { counts: [0; HISTOGRAM_BINS] };

    pub(super) fn add(&mut self, lufs: f64) {
        if lufs >= HISTOGRAM_LOWEST_LUFS {
            let bin = ((lufs - HISTOGRAM_LOWEST_LUFS) / HISTOGRAM_STEP_LU) as usize;
            if let Some(count) = self.counts.get_mut(bin.min(HISTOGRAM_BINS - 1)) {
                *count = count.saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that asks for what came since gets every point once, and the ring keeps four hours.
    #[test]
    fn ring_keeps_the_last_points() {
        let mut history = History::with_room();
        assert!(history.is_empty() && history.since(0).next().is_none());
        let point = |n: u64| HistoryPoint { momentary_lufs: n as f32, ..HistoryPoint::NONE };
        (0..10).for_each(|n| history.push(point(n)));
        assert!(history.since(7).map(|p| p.momentary_lufs).eq([7.0, 8.0, 9.0]));
        (10..200_000).for_each(|n| history.push(point(n)));
        assert_eq!((history.total(), history.len()), (200_000, POINTS));
        assert!(history.len() >= 4 * 3600 * POINTS_PER_SECOND);
        let oldest = 200_000 - POINTS as u64;
        assert_eq!(history.point(oldest - 1), None);
        assert_eq!(history.point(oldest), Some(point(oldest)));
        assert_eq!(history.point(200_000), None);
        assert_eq!(history.since(0).count(), POINTS);
        history.clear();
        assert_eq!((history.len(), history.point(0)), (0, None));
    }

    #[test]
    fn bins_hold_half_a_unit() {
        let mut histogram = Histogram::EMPTY;
        [-70.1, f64::NEG_INFINITY, -70.0, -69.51, -69.5, -23.25, 9.9, 40.0].into_iter().for_each(|l| histogram.add(l));
        let counts = histogram.counts;
        assert_eq!((counts[0], counts[1], counts[93], counts[159]), (2, 1, 1, 2));
        assert_eq!(counts.iter().sum::<u32>(), 6);
    }
}
