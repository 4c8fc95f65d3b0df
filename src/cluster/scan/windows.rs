//! The stretches of days that are looked at, the likelihood of a count, and the least counts worth a second look.

use super::{
    Mode, Plan, ScanError,
    search::{LANES, Lane},
    zones::{class, class_floor},
};

/// Thresholds take so many bytes at most.
const MOST_BYTES: usize = 256_000_000;

/// Windows that end on the same day. The dates of all cases stand in order; a window is a run of them.
pub(super) struct Span {
    pub last_day: i32,
    /// One past the last date of every window.
    pub end: usize,
    /// The first date of each window; the shortest window first, each holding more dates than the one before.
    pub starts: Vec<usize>,
}

impl Span {
    pub fn cases(&self, window: usize) -> u32 {
        (self.end - self.starts[window]) as u32
    }
}

/// Their starts take 240 MB.
const MOST_WINDOWS: usize = 30_000_000;

/// The spans of a plan, over the sorted days of all cases.
pub(super) fn spans(days: &[i32], plan: &Plan) -> Result<Vec<Span>, ScanError> {
    let ends: Vec<(i32, usize)> = match plan.mode {
        Mode::Alive => vec![(plan.last_day, days.len())],
        // A window that ends on a day without cases holds what a shorter one holds.
        Mode::Any => {
            let mut end = 0;
            days.chunk_by(|a, b| a == b)
                .map(|same| {
                    end += same.len();
                    (same[0], end)
                })
                .collect()
        }
    };
    let span = |(last_day, end): (i32, usize)| {
        let earliest = i64::from(last_day) - i64::from(plan.limits.days) + 1;
        let mut start = end;
        let within = days[..end].chunk_by(|a, b| a == b).rev();
        let starts = within
            .take_while(|same| i64::from(same[0]) >= earliest)
            .map(|same| {
                start -= same.len();
                start
            })
            .collect();
        Span { last_day, end, starts }
    };
    let mut spans = Vec::new();
    let mut windows = 0;
    for span in ends.into_iter().map(span).filter(|span| !span.starts.is_empty()) {
        windows += span.starts.len();
        if windows > MOST_WINDOWS {
            return Err(ScanError::TooManyWindows);
        }
        spans.push(span);
    }
    Ok(spans)
}

/// What is expected in a zone in a window if the dates had nothing to do with the places.
pub(super) fn expected(zone: u32, window: u32, all: u32) -> f64 {
    (u64::from(zone) * u64::from(window)) as f64 / f64::from(all)
}

/// The log likelihood ratio of a count against what was expected, for more than expected; else 0.
pub(super) fn log_ratio(count: u32, expected: f64, all: u32) -> f64 {
    let (count, rest) = (f64::from(count), f64::from(all - count));
    if count <= expected {
        return 0.0;
    }
    // Nothing outside has no logarithm, and nothing to add.
    let outside = if rest > 0.0 { rest * (rest / (f64::from(all) - expected)).ln() } else { 0.0 };
    count * (count / expected).ln() + outside
}

/// Per level of the ratio, span, 32 windows and size class of the zone: the largest count that stays below the level.
/// Both the level and the zone's size are rounded down, so that nothing at or above the level is missed.
pub(super) struct Thresholds<L> {
    /// Per span where its rows begin.
    starts: Vec<usize>,
    rows: Vec<[L; LANES]>,
    classes: usize,
    levels: usize,
    step: f64,
}

impl<L: Lane> Thresholds<L> {
    pub fn new(spans: &[Span], fullest: u32, all: u32, plan: &Plan) -> Result<Self, ScanError> {
        let (levels, step) = if plan.mode == Mode::Alive { (25, 0.5) } else { (9, 1.5) };
        let classes = class(fullest) as usize + 1;
        let blocks: usize = spans.iter().map(|span| span.starts.len().div_ceil(LANES)).sum();
        if blocks.saturating_mul(size_of::<[L; LANES]>() * levels * classes) > MOST_BYTES {
            return Err(ScanError::TooManyWindows);
        }
        let longest = spans.iter().map(|span| span.cases(span.starts.len() - 1)).max().unwrap_or(0);
        let ceilings: Vec<Vec<f64>> = (0..levels)
            .map(|level| ceilings(step * level as f64, expected(fullest, longest, all), all))
            .collect();
        let least = plan.limits.least_cases.max(1) - 1;
        let mut thresholds = Self { starts: Vec::new(), rows: Vec::new(), classes, levels, step };
        for span in spans {
            thresholds.starts.push(thresholds.rows.len());
            for block in 0..span.starts.len().div_ceil(LANES) {
                let windows = block * LANES..span.starts.len().min((block + 1) * LANES);
                for ceilings in &ceilings {
                    for class in 0..classes {
                        let zone = class_floor(class as u32);
                        let mut row = [L::MAX; LANES];
                        let mut below = 0;
                        for (lane, window) in row.iter_mut().zip(windows.clone()) {
                            let expected = expected(zone, span.cases(window), all);
                            while ceilings.get(below).is_some_and(|&ceiling| ceiling < expected) {
                                below += 1;
                            }
                            *lane = L::threshold(least.max(below as u32));
                        }
                        thresholds.rows.push(row);
                    }
                }
            }
        }
        Ok(thresholds)
    }

    /// The rows of all classes for what is at least as high as the best so far.
    pub fn rows(&self, span: usize, block: usize, best: f64) -> &[[L; LANES]] {
        let level = ((best / self.step) as usize).min(self.levels - 1);
        let from = self.starts[span] + (block * self.levels + level) * self.classes;
        &self.rows[from..from + self.classes]
    }
}

/// Per count, from 1: the largest expectation at which it still reaches the level, rounded up. They rise with the count.
fn ceilings(level: f64, highest: f64, all: u32) -> Vec<f64> {
    let mut ceilings = Vec::new();
    let mut before = 0.0;
    for count in 1..=all {
        let (mut low, mut high) = (before, f64::from(count));
        if level > 0.0 {
            for _ in 0..26 {
                let middle = f64::midpoint(low, high);
                if log_ratio(count, middle, all) >= level {
                    low = middle;
                } else {
                    high = middle;
                }
            }
        }
        // Beyond all rounding of the ratio itself.
        let ceiling = high * (1.0 + 1e-9);
        ceilings.push(ceiling);
        if ceiling > highest {
            break;
        }
        before = low;
    }
    ceilings
}
