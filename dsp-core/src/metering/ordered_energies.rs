//! Energies kept in order, so that a gate is exact and a percentile is exact, in bounded time and memory.

/// Entries in a page. A page is what is moved when one entry comes in, and a page's sum is what is read to sum.
const PAGE: usize = 512;

/// A multiset of energies in ascending order.
///
/// Entries lie in pages of up to [`PAGE`]; a full page is split in two. So adding costs the move of one page at most,
/// and summing all above a gate costs one look at each page plus the entries of one page. Each sum is taken over the
/// entries afresh, so that nothing drifts, and each entry beside the gate is compared with it: there is no histogram
/// and no bias.
///
/// Once all pages are in use a full page is thinned instead: neighbours become one entry that counts as both, with
/// their mean. Sums stay what they were, and ranks change only between near neighbours: memory is bounded however long
/// the programme is.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderedEnergies {
    energies: Vec<f64>,
    weights: Vec<u32>,
    /// In ascending order of their energies.
    pages: Vec<Page>,
    capacity: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Page {
    /// Its entries start at `slot * PAGE`.
    slot: usize,
    len: usize,
    lowest: f64,
    sum: f64,
    count: u64,
}

/// How many energies, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Total {
    pub count: u64,
    pub sum: f64,
}

impl Total {
    /// The mean energy; zero of nothing.
    pub fn mean(&self) -> f64 {
        if self.count > 0 { self.sum / self.count as f64 } else { 0.0 }
    }
}

impl OrderedEnergies {
    /// Room for `exact` energies in any order before any two must share an entry. May allocate.
    pub fn with_capacity(exact: usize) -> Self {
        // a page is split only when it is full, so each is at least half full
        let capacity = (2 * exact).div_ceil(PAGE) + 1;
        OrderedEnergies {
            energies: vec![0.0; capacity * PAGE],
            weights: vec![0; capacity * PAGE],
            pages: Vec::with_capacity(capacity),
            capacity,
        }
    }

    /// Forgets all. Real-time safe.
    pub fn clear(&mut self) {
        self.pages.clear();
    }

    /// Adds one energy. Real-time safe: at most one page is moved.
    pub fn insert(&mut self, energy: f64) {
        if self.capacity == 0 {
            return;
        }
        if self.pages.is_empty() {
            self.pages.push(Page { lowest: energy, ..Page::default() });
        }
        let mut at = self.pages.partition_point(|p| p.lowest <= energy).saturating_sub(1);
        if self.pages[at].len == PAGE {
            if self.pages.len() < self.capacity {
                self.split(at);
                at += usize::from(self.pages[at + 1].lowest <= energy);
            } else {
                self.thin(at);
            }
        }
        let page = &mut self.pages[at];
        let (start, len) = (page.slot * PAGE, page.len);
        let place = self.energies[start..start + len].partition_point(|e| *e <= energy);
        self.energies.copy_within(start + place..start + len, start + place + 1);
        self.weights.copy_within(start + place..start + len, start + place + 1);
        self.energies[start + place] = energy;
        self.weights[start + place] = 1;
        page.len += 1;
        self.sum_up(at);
    }

    /// All of them. Real-time safe.
    pub fn total(&self) -> Total {
        total_of(&self.pages)
    }

    /// Those for which `passes` holds, which must be so for all energies from some energy up. Real-time safe.
    pub fn passing(&self, passes: impl Fn(f64) -> bool) -> Total {
        // pages from `first` on hold passing energies only; the one before it may hold both
        let first = self.pages.partition_point(|p| !passes(p.lowest));
        let mut total = total_of(&self.pages[first..]);
        if let Some(page) = first.checked_sub(1).and_then(|p| self.pages.get(p)) {
            let (energies, weights) = self.entries(page);
            let from = energies.partition_point(|e| !passes(*e));
            for (energy, weight) in energies[from..].iter().zip(&weights[from..]) {
                total.count += u64::from(*weight);
                total.sum += energy * f64::from(*weight);
            }
        }
        total
    }

    /// The energy at `rank`, counted from 0 at the lowest. Real-time safe.
    pub fn at_rank(&self, rank: u64) -> Option<f64> {
        let mut rank = rank;
        for page in &self.pages {
            if rank < page.count {
                let (energies, weights) = self.entries(page);
                for (energy, weight) in energies.iter().zip(weights) {
                    match rank.checked_sub(u64::from(*weight)) {
                        Some(rest) => rank = rest,
                        None => return Some(*energy),
                    }
                }
            }
            rank = rank.saturating_sub(page.count);
        }
        None
    }

    fn entries(&self, page: &Page) -> (&[f64], &[u32]) {
        let entries = page.slot * PAGE..page.slot * PAGE + page.len;
        (&self.energies[entries.clone()], &self.weights[entries])
    }

    /// The upper half of the page moves to a new page behind it.
    fn split(&mut self, at: usize) {
        let half = PAGE / 2;
        let (from, to) = (self.pages[at].slot * PAGE, self.pages.len() * PAGE);
        self.energies.copy_within(from + half..from + PAGE, to);
        self.weights.copy_within(from + half..from + PAGE, to);
        let slot = self.pages.len();
        // within the capacity: no heap call
        self.pages.insert(at + 1, Page { slot, len: PAGE - half, ..Page::default() });
        self.pages[at].len = half;
        self.sum_up(at);
        self.sum_up(at + 1);
    }

    /// Light neighbours become one. The average weight of a pair is twice that of an entry, so fewer than half of the
    /// pairs can weigh more than four times that of an entry: at least a quarter of the page falls free, and no entry
    /// outgrows the others.
    fn thin(&mut self, at: usize) {
        let start = self.pages[at].slot * PAGE;
        let most = 4 * self.pages[at].count / PAGE as u64;
        let mut len = 0;
        for a in (start..start + PAGE).step_by(2) {
            let ([ea, eb], [wa, wb]) =
                ([self.energies[a], self.energies[a + 1]], [self.weights[a], self.weights[a + 1]]);
            let weight = u64::from(wa) + u64::from(wb);
            if weight <= most && weight <= u64::from(u32::MAX) {
                self.energies[start + len] = (ea * f64::from(wa) + eb * f64::from(wb)) / weight as f64;
                self.weights[start + len] = wa + wb;
                len += 1;
            } else {
                (self.energies[start + len], self.energies[start + len + 1]) = (ea, eb);
                (self.weights[start + len], self.weights[start + len + 1]) = (wa, wb);
                len += 2;
            }
        }
        self.pages[at].len = len;
        self.sum_up(at);
    }

    fn sum_up(&mut self, at: usize) {
        let (energies, weights) = self.entries(&self.pages[at]);
        // four sums side by side: an addition waits for the one before it
        let (mut sums, mut count) = ([0.0; 4], 0);
        for (energies, weights) in energies.chunks(4).zip(weights.chunks(4)) {
            for ((sum, energy), weight) in sums.iter_mut().zip(energies).zip(weights) {
                *sum += energy * f64::from(*weight);
                count += u64::from(*weight);
            }
        }
        let lowest = energies.first().copied().unwrap_or(0.0);
        let page = &mut self.pages[at];
        (page.sum, page.count, page.lowest) = ((sums[0] + sums[1]) + (sums[2] + sums[3]), count, lowest);
    }
}

/// Four sums side by side: an addition waits for the one before it.
fn total_of(pages: &[Page]) -> Total {
    let (mut sums, mut counts) = ([0.0; 4], [0; 4]);
    for pages in pages.chunks(4) {
        for ((sum, count), page) in sums.iter_mut().zip(&mut counts).zip(pages) {
            *sum += page.sum;
            *count += page.count;
        }
    }
    Total { count: counts.iter().sum(), sum: (sums[0] + sums[1]) + (sums[2] + sums[3]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize) -> Vec<f64> {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        (0..n)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                crate::math::exp(((state >> 11) as f64 / (1u64 << 53) as f64 - 1.0) * 12.0)
            })
            .collect()
    }

    /// Against a sorted list: counts, sums and every rank, for energies in random, rising, falling and equal order.
    #[test]
    fn agrees_with_a_sorted_list() {
        let random = noise(20_000);
        let mut rising = random.clone();
        rising.sort_by(f64::total_cmp);
        let falling: Vec<f64> = rising.iter().rev().copied().collect();
        for input in [random, rising.clone(), falling, vec![0.25; 20_000]] {
            let mut ordered = OrderedEnergies::with_capacity(input.len());
            input.iter().for_each(|e| ordered.insert(*e));
            let mut sorted = input.clone();
            sorted.sort_by(f64::total_cmp);
            for (rank, energy) in sorted.iter().enumerate().step_by(97) {
                assert_eq!(ordered.at_rank(rank as u64), Some(*energy));
            }
            assert_eq!(ordered.at_rank(sorted.len() as u64), None);
            for gate in [0.0, sorted[0], sorted[7777], 0.3, 2.0] {
                let above: Vec<f64> = sorted.iter().copied().filter(|e| *e > gate).collect();
                let total = ordered.passing(|e| e > gate);
                assert_eq!(total.count as usize, above.len());
                // sums of 20,000 positive numbers in two orders
                assert!((total.sum - above.iter().sum::<f64>()).abs() <= 1e-11 * total.sum);
                let from = ordered.passing(|e| e >= gate);
                assert_eq!(from.count as usize, sorted.iter().filter(|e| **e >= gate).count());
            }
        }
    }

    /// Beyond its capacity count and sum stay exact, and ranks and gates stay within a neighbour's distance.
    #[test]
    fn memory_stays_bounded() {
        let input = noise(60_000);
        let mut ordered = OrderedEnergies::with_capacity(5000);
        let before = (ordered.energies.len(), ordered.pages.capacity());
        input.iter().for_each(|e| ordered.insert(*e));
        assert_eq!((ordered.energies.len(), ordered.pages.capacity()), before);
        let total = ordered.total();
        assert_eq!(total.count, 60_000);
        assert!((total.sum / input.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for page in &ordered.pages {
            let (_, weights) = ordered.entries(page);
            let heaviest = u64::from(weights.iter().copied().max().unwrap());
            assert!(heaviest * PAGE as u64 <= 4 * page.count, "{heaviest} of {}", page.count);
        }
        let mut sorted = input;
        sorted.sort_by(f64::total_cmp);
        for percent in [10, 50, 95] {
            let rank = sorted.len() * percent / 100;
            let ours = ordered.at_rank(rank as u64).unwrap();
            // at least 21 pages share 52 dB, each in at least 256 entries, none over eight times the average weight
            let db = 10.0 * crate::math::log10(ours / sorted[rank]);
            assert!(db.abs() < 8.0 * 52.0 / (21.0 * 256.0), "{db}");
        }
    }
}
