//! Judging calendar months where dates say no more than the month.

use super::{Dispersion, Expectation, judgement};
use crate::{
    count::Ledger,
    model::{AreaKind, CategorySet, Judgement, Window},
};
use chrono::{Months, NaiveDate};

/// With fewer earlier months than this nothing is judged.
pub const LEAST_MONTHS: usize = 3;

/// What is usual in a month for every area of a kind.
///
/// The mean of an area's earlier months, drawn towards the mean of all areas of its kind as if the prior had seen
/// `prior_months` of it. How far a month strays from what the *other* months foretell is learned over all areas, so that
/// the little that is known about each mean is paid for.
#[derive(Debug, Clone)]
pub struct MonthBaseline {
    kind: AreaKind,
    categories: CategorySet,
    window: Window,
    cells: Vec<(u64, Expectation)>,
}

impl MonthBaseline {
    /// Learns from the months before `month` (its first day). None with fewer than [`LEAST_MONTHS`] of them.
    #[must_use]
    pub fn learn(ledger: &Ledger, kind: AreaKind, categories: CategorySet, month: NaiveDate) -> Option<Self> {
        let (months, by_ward) = ledger.months_by_ward(categories);
        let now = months.binary_search(&month).ok().filter(|place| *place >= LEAST_MONTHS)?;
        let counts: Vec<Vec<f64>> = ledger
            .areas(kind)
            .iter()
            .map(|area| {
                let members = ledger.members(area);
                let total = |place: usize| members.iter().map(|&ward| f64::from(by_ward[ward][place])).sum();
                (0..=now).map(total).collect()
            })
            .collect();
        let past = |area: &Vec<f64>| area[..now].iter().sum::<f64>();
        let n = now as f64;
        let mean = counts.iter().map(past).sum::<f64>() / (n * counts.len().max(1) as f64);
        let excess: f64 = counts.iter().map(|area| (past(area) / n - mean).powi(2) - mean / n).sum();
        let between = (excess / counts.len().max(1) as f64).max(mean * mean / 20.0);
        let prior_months = if between > 0.0 { mean / between } else { 1.0 };
        let usual = |sum: f64, n: f64| (sum + prior_months * mean) / (n + prior_months);
        let strays = counts.iter().flat_map(|area| {
            let all = past(area);
            area[..now].iter().map(move |&count| (usual(all - count, n - 1.0), count))
        });
        let dispersion = Dispersion::learn(strays);
        let cells = counts
            .iter()
            .map(|area| {
                let mean = usual(past(area), n);
                let one_over_size = dispersion.one_over_size(mean);
                let size = if one_over_size > 1e-12 { 1.0 / one_over_size } else { f64::INFINITY };
                Some((area[now] as u64, Expectation::new(mean, size).ok()?))
            })
            .collect::<Option<_>>()?;
        let last = month.checked_add_months(Months::new(1))?.pred_opt()?;
        Some(Self { kind, categories, window: Window { first: month, last }, cells })
    }

    /// Judges every area of the kind.
    #[must_use]
    pub fn judge(&self, ledger: &Ledger) -> Vec<(Judgement, Expectation)> {
        ledger
            .areas(self.kind)
            .into_iter()
            .zip(&self.cells)
            .map(|(area, (observed, usual))| {
                (judgement(area, self.categories, self.window, *observed, *usual), *usual)
            })
            .collect()
    }
}
