//! The best windows of one arrangement of dates over places.

use super::{
    windows::{Span, Thresholds, expected, log_ratio},
    zones::{Group, Zones, class},
};

/// So many windows are counted at once.
pub(super) const LANES: usize = 32;

/// A counter that stays at its maximum. Where it gets there, the search is done again with a wider one.
pub(super) trait Lane: Copy + Ord + Send + Sync + std::ops::BitOr<Output = Self> {
    const ZERO: Self;
    const MAX: Self;
    /// At most one below the maximum, so that a full counter is always looked at.
    fn threshold(count: u32) -> Self;
    fn plus(self, more: Self) -> Self;
    fn minus(self, less: Self) -> Self;
    fn next(self) -> Self;
    fn count(self) -> u32;
}

macro_rules! lane {
    ($($counter:ty),*) => {$(
        impl Lane for $counter {
            const ZERO: Self = 0;
            const MAX: Self = <$counter>::MAX;
            fn threshold(count: u32) -> Self {
                Self::try_from(count).unwrap_or(Self::MAX).min(Self::MAX - 1)
            }
            fn plus(self, more: Self) -> Self {
                self.saturating_add(more)
            }
            fn minus(self, less: Self) -> Self {
                self.saturating_sub(less)
            }
            fn next(self) -> Self {
                self.saturating_add(1)
            }
            fn count(self) -> u32 {
                u32::from(self)
            }
        }
    )*};
}
lane!(u8, u16, u32);

type Row<L> = [L; LANES];

fn plus<L: Lane>(a: &Row<L>, b: &Row<L>) -> Row<L> {
    std::array::from_fn(|lane| a[lane].plus(b[lane]))
}

/// Whether any count is above its threshold.
fn above<L: Lane>(counts: &Row<L>, thresholds: &Row<L>) -> bool {
    let mut any = L::ZERO;
    for lane in 0..LANES {
        any = any | counts[lane].minus(thresholds[lane]);
    }
    any != L::ZERO
}

/// A circle and a window.
#[derive(Clone, Copy)]
pub(super) struct Hit {
    pub centre: usize,
    /// One past its last member.
    pub end: usize,
    pub span: usize,
    pub window: usize,
    pub zone: u32,
    pub count: u32,
}

/// The highest ratio, and everything that has it.
#[derive(Default)]
pub(super) struct Top {
    pub ratio: f64,
    pub hits: Vec<Hit>,
}

/// What is searched.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub zones: &'a Zones,
    pub spans: &'a [Span],
    /// Per place.
    pub cases: &'a [u32],
    pub all: u32,
}

/// The highest ratio of all circles and windows when the dates, in order, fell on these places. None when a counter
/// was too narrow.
pub(super) fn search<L: Lane>(
    field: &Field,
    thresholds: &Thresholds<L>,
    places: &[u32],
    rows: &mut Vec<Row<L>>,
) -> Option<Top> {
    let mut top = Top::default();
    let zones = field.zones;
    for (number, span) in field.spans.iter().enumerate() {
        rows.clear();
        rows.resize(field.cases.len(), [L::ZERO; LANES]);
        for block in 0..span.starts.len().div_ceil(LANES) {
            fill(span, block, places, rows);
            let mut worth = thresholds.rows(number, block, top.ratio);
            for centre in 0..zones.centres.len() {
                let mut counts = [L::ZERO; LANES];
                let mut from = zones.span(centre).0;
                for &group in zones.groups(centre) {
                    let before = counts;
                    for member in &zones.members[from..group.end as usize] {
                        counts = plus(&counts, &rows[member.place()]);
                    }
                    if above(&counts, &worth[group.class as usize]) {
                        let here = Here { field, span: number, block, centre, from, group };
                        here.look(before, rows, worth, &mut top)?;
                        worth = thresholds.rows(number, block, top.ratio);
                    }
                    from = group.end as usize;
                }
            }
        }
    }
    Some(top)
}

/// Counts the cases of every place in each of a block's windows, on top of the block before.
fn fill<L: Lane>(span: &Span, block: usize, places: &[u32], rows: &mut [Row<L>]) {
    let first = block * LANES;
    if block > 0 {
        for row in rows.iter_mut() {
            *row = [row[LANES - 1]; LANES];
        }
    }
    let mut end = first.checked_sub(1).map_or(span.end, |before| span.starts[before]);
    for (lane, &start) in span.starts[first..].iter().take(LANES).enumerate() {
        for &place in &places[start..end] {
            for count in &mut rows[place as usize][lane..] {
                *count = count.next();
            }
        }
        end = start;
    }
}

struct Here<'a> {
    field: &'a Field<'a>,
    span: usize,
    block: usize,
    centre: usize,
    from: usize,
    group: Group,
}

impl Here<'_> {
    /// Goes through a group circle by circle.
    #[cold]
    #[inline(never)]
    fn look<L: Lane>(
        &self,
        mut counts: Row<L>,
        rows: &[Row<L>],
        worth: &[Row<L>],
        top: &mut Top,
    ) -> Option<()> {
        let (field, span) = (self.field, &self.field.spans[self.span]);
        let mut zone = self.group.before;
        for end in self.from + 1..=self.group.end as usize {
            let member = field.zones.members[end - 1];
            counts = plus(&counts, &rows[member.place()]);
            zone += field.cases[member.place()];
            let least = &worth[class(zone) as usize];
            if !member.ends() || !above(&counts, least) {
                continue;
            }
            let mut shorter = L::ZERO;
            for lane in 0..LANES {
                let count = std::mem::replace(&mut shorter, counts[lane]);
                // With no more cases than a shorter window, a window is no better.
                if counts[lane] <= least[lane] || (lane > 0 && counts[lane] == count) {
                    continue;
                }
                if counts[lane] == L::MAX {
                    return None;
                }
                let (count, window) = (counts[lane].count(), self.block * LANES + lane);
                let ratio = log_ratio(count, expected(zone, span.cases(window), field.all), field.all);
                if ratio > top.ratio {
                    top.ratio = ratio;
                    top.hits.clear();
                }
                if ratio >= top.ratio && ratio > 0.0 {
                    top.hits.push(Hit { centre: self.centre, end, span: self.span, window, zone, count });
                }
            }
        }
        Some(())
    }
}
