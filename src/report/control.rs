//! The county over time: blocks of four weeks, against the limits of those before the quarter.

use super::{
    control,
    weeks::{Cells, Weeks},
};
use chrono::{Days, NaiveDate};
use serde::Serialize;

/// Weeks that a point adds up.
pub(super) const BLOCK: usize = 4;

/// Points before the quarter, whose limits it is held against: three years at most.
pub(super) const POINTS: usize = 36;

/// The county in blocks of four weeks, against its own limits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Control {
    /// First day and sum of each block, oldest first; the last ones are of the quarter.
    pub points: Vec<(NaiveDate, i64)>,
    /// How many of them are of the quarter.
    pub of_the_quarter: usize,
    /// Centre, lower and upper limit, from the blocks before.
    pub limits: Option<[f64; 3]>,
}

impl Control {
    /// Blocks of the quarter from its first week on, and those before it.
    pub(super) fn of(weeks: &Weeks<'_>, all: &Cells) -> Self {
        let mut points: Vec<(NaiveDate, i64)> = Vec::new();
        let mut end = weeks.days().0;
        while points.len() < POINTS
            && let Some(block) = weeks.before(end, BLOCK)
        {
            end = end - Days::new(7 * BLOCK as u64);
            points.push((end, Weeks::sum(block, all, None)));
        }
        points.reverse();
        let before: Vec<i64> = points.iter().map(|point| point.1).collect();
        let blocks = weeks.own.chunks_exact(BLOCK);
        points.extend(
            blocks.map(|block| (block[0].window.first, Weeks::sum(block.iter().copied(), all, None))),
        );
        let limits = control(&before).map(|(centre, low, high)| [centre, low, high]);
        Self { of_the_quarter: points.len() - before.len(), points, limits }
    }

    /// The sums before the quarter.
    pub(super) fn before(&self) -> Vec<i64> {
        self.points[..self.points.len() - self.of_the_quarter].iter().map(|point| point.1).collect()
    }
}
