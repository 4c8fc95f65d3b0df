//! What a scan is asked for, and what it refuses.

use super::Point;

/// How far a cluster may reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The largest radius, inclusive; 0 looks at each place by itself.
    pub metres: u32,
    /// The longest window, in days.
    pub days: u32,
    /// The largest share of all cases of the study that may lie in the circle, over 0 and at most 1; usually 0.5.
    pub share: f64,
    /// Fewer cases than these are no cluster; usually 2.
    pub least_cases: u32,
}

/// Which windows are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Those that last until the study's last day.
    Alive,
    /// All.
    Any,
}

/// Where circles are drawn about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Centres {
    /// Every place of a case.
    Places,
    /// The nodes of a square lattice that have a case in reach.
    Lattice {
        /// From node to node.
        metres: u32,
    },
}

/// What to look for, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How far a cluster may reach.
    pub limits: Limits,
    /// The study's first day. All events must lie in the study; beyond that it changes nothing.
    pub first_day: i32,
    /// The study's last day.
    pub last_day: i32,
    /// Which windows.
    pub mode: Mode,
    /// Which circles.
    pub centres: Centres,
    /// How often the dates are dealt out anew; 0 leaves every probability at 1.
    pub replications: u32,
    /// The same seed gives the same answer, on any number of threads.
    pub seed: u64,
    /// Stops dealing once the most likely cluster's rank is sure to stay above this probability (Besag and Clifford,
    /// Sequential Monte Carlo p-values, Biometrika 1991, 78, 301-304).
    pub stop_early: Option<f64>,
}

/// A scan that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ScanError {
    /// Wider than any country's grid, or longer than any record.
    #[error("{0} {1} is too far; give at most 2,000,000 metres and 200,000 days")]
    TooFar(u32, &'static str),
    /// No window has no day.
    #[error("a window needs at least 1 day; give a limit of 1 or more")]
    NoDays,
    /// A share that is none.
    #[error("a circle cannot hold a share of {0} of all cases; give more than 0 and at most 1")]
    Share(f64),
    /// A level that is no probability.
    #[error("{0} is no probability to stop at; give more than 0 and less than 1")]
    StopEarly(f64),
    /// A study that ends before it begins.
    #[error("the study ends on day {last}, before its first day {first}")]
    Backwards {
        /// The first day.
        first: i32,
        /// The last day.
        last: i32,
    },
    /// An event before or after the study.
    #[error("event {index} is of day {day}, outside the study; leave it out, or widen the study")]
    Outside {
        /// Which event.
        index: usize,
        /// Its day.
        day: i32,
    },
    /// More events than can be scanned.
    #[error("{0} events are too many; give at most 1,000,000")]
    TooManyEvents(usize),
    /// More replications than tell anything.
    #[error("{0} replications are too many; give at most 1,000,000 and use the fitted tail beyond")]
    TooManyReplications(u32),
    /// A lattice without a step.
    #[error("a lattice needs at least 1 metre from node to node")]
    NoStep,
    /// Circles that hold too much together.
    #[error("the circles hold too many places; give a shorter radius, a smaller share or a wider lattice")]
    TooManyMembers,
    /// Too many runs of days.
    #[error("there are too many windows; give fewer days, or look at those that are still alive only")]
    TooManyWindows,
}

/// Refuses what cannot be scanned.
pub(super) fn check(events: &[Point], plan: &Plan) -> Result<(), ScanError> {
    let Limits { metres, days, share, .. } = plan.limits;
    match (metres, days) {
        (2_000_001.., _) => return Err(ScanError::TooFar(metres, "metres")),
        (_, 200_001..) => return Err(ScanError::TooFar(days, "days")),
        (_, 0) => return Err(ScanError::NoDays),
        _ => (),
    }
    if !(share > 0.0 && share <= 1.0) {
        return Err(ScanError::Share(share));
    }
    if let Some(level) = plan.stop_early.filter(|level| !(*level > 0.0 && *level < 1.0)) {
        return Err(ScanError::StopEarly(level));
    }
    if plan.centres == (Centres::Lattice { metres: 0 }) {
        return Err(ScanError::NoStep);
    }
    let study = plan.first_day..=plan.last_day;
    if study.is_empty() {
        return Err(ScanError::Backwards { first: plan.first_day, last: plan.last_day });
    }
    if let Some((index, event)) = events.iter().enumerate().find(|(_, event)| !study.contains(&event.day)) {
        return Err(ScanError::Outside { index, day: event.day });
    }
    if events.len() > 1_000_000 {
        return Err(ScanError::TooManyEvents(events.len()));
    }
    if plan.replications > 1_000_000 {
        return Err(ScanError::TooManyReplications(plan.replications));
    }
    Ok(())
}
