//! The space-time permutation scan: where, of late, has more happened than place and time alone explain?
//!
//! Every circle about a centre is crossed with every run of days. Expected in both is the circle's share of all cases
//! times the cases of those days, so no population is needed, and neither a busy town nor a busy month stands out by
//! itself. The circle and days with the highest likelihood ratio are the most likely cluster; how often chance alone
//! brings one as high is told by dealing out the dates anew to the cases, again and again.
//!
//! Source: Kulldorff, Heffernan, Hartman, Assunção and Mostashari, A space-time permutation scan statistic for disease
//! outbreak detection, PLOS Medicine 2005, 2(3):e59. High rates only.
//!
//! ```text
//! events ─ zones ───┬─ search ─┬─ report ─ clusters
//!          windows ─┘          └─ replications ─ tail ─ probabilities
//! ```
//!
//! How it is fast and still exact: the counts of 32 windows are added at once, in bytes. For rows of circles about as
//! full, only the largest is compared with the count that the smallest would need to beat the best so far; seldom is
//! a closer look needed. The ratio itself is only worked out for what may beat the best.

mod plan;
mod replications;
mod report;
mod search;
mod tail;
mod windows;
mod zones;

#[cfg(test)]
mod edges;
#[cfg(test)]
mod tests;

pub use plan::{Centres, Limits, Mode, Plan, ScanError};
pub use tail::Gumbel;

use super::Point;
use replications::{Engine, Rows};
use report::Dates;
use search::Field;
use zones::{Places, Zones};

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The highest ratio first; no two share a place. After the most likely cluster those that are higher than what at
    /// least one replication brought.
    pub clusters: Vec<ScanWindow>,
    /// The highest ratio of every replication, ascending. Fewer than planned when stopped early; none when there is
    /// no cluster to compare.
    pub maxima: Vec<f64>,
    /// The distribution fitted to them.
    pub tail: Option<Gumbel>,
}

/// A circle and a run of days in which more happened than expected.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanWindow {
    /// Easting and northing of the circle's centre.
    pub centre: (i32, i32),
    /// From the centre to the place furthest from it.
    pub radius_metres: f64,
    /// The first day of the window.
    pub first_day: i32,
    /// The last day of the window.
    pub last_day: i32,
    /// Cases in it.
    pub observed: u32,
    /// Cases expected in it.
    pub expected: f64,
    /// The log likelihood ratio.
    pub llr: f64,
    /// How often chance brings something as high anywhere in the study, by rank: never below 1 in replications + 1.
    pub p: f64,
    /// The same by the fitted distribution: for what is rarer than the rank can tell.
    pub p_tail: Option<f64>,
    /// The indexes of its events, ascending.
    pub members: Vec<usize>,
}

/// Below this the rank among the replications tells little, and the distribution fitted to them is taken.
const BY_TAIL: f64 = 0.02;

impl ScanWindow {
    /// How often chance brings something as high: by rank, and where that is rare by the fitted distribution.
    #[must_use]
    pub fn probability(&self) -> f64 {
        self.p_tail.filter(|_| self.p < BY_TAIL).unwrap_or(self.p)
    }
}

/// Scans the events. No events, or too few for any cluster, give no cluster.
///
/// # Errors
///
/// When the plan is impossible, an event lies outside the study, or the circles and windows together are too many to
/// be held in memory.
pub fn scan(events: &[Point], plan: &Plan) -> Result<Scan, ScanError> {
    plan::check(events, plan)?;
    let places = Places::new(events);
    let dates = dates(events, &places);
    let zones = Zones::new(&places, plan)?;
    let spans = windows::spans(&dates.days, plan)?;
    let field = Field { zones: &zones, spans: &spans, cases: &places.cases, all: events.len() as u32 };
    let engine = Engine::new(field, plan)?;
    let top = engine.top(&zones, &dates.places, &mut Rows::default())?;
    let mut maxima =
        if top.hits.is_empty() { Vec::new() } else { engine.replicate(&dates.places, top.ratio)? };
    maxima.sort_unstable_by(f64::total_cmp);
    let lowest = maxima.first().copied().unwrap_or(0.0);
    let mut clusters = report::clusters(&engine, &places, &dates, top, lowest)?;
    let tail = Gumbel::fit(&maxima);
    for cluster in &mut clusters {
        let as_high = maxima.len() - maxima.partition_point(|&ratio| ratio < cluster.llr);
        cluster.p = (as_high as f64 + 1.0) / (maxima.len() as f64 + 1.0);
        cluster.p_tail = tail.map(|tail| tail.tail(cluster.llr));
    }
    Ok(Scan { clusters, maxima, tail })
}

/// The dates in order, those of one day in the order of places: neither the order of events nor where the grid begins
/// has a say in what chance deals.
fn dates(events: &[Point], places: &Places) -> Dates {
    let mut sorted: Vec<(i32, u32, usize)> = events
        .iter()
        .enumerate()
        .map(|(index, event)| (event.day, places.at(*event) as u32, index))
        .collect();
    sorted.sort_unstable();
    Dates {
        days: sorted.iter().map(|date| date.0).collect(),
        places: sorted.iter().map(|date| date.1).collect(),
        events: sorted.iter().map(|date| date.2).collect(),
    }
}
