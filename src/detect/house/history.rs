//! The cells that teach: counts, exposures, and the weight that past episodes leave them.

use super::{Control, Series, forecast::Usual, kept::Kept, pattern::Totals, rates::Rates};

/// History of a group: by series and block. A block that is not known has exposure 0.
#[derive(Debug)]
pub(super) struct History {
    count: Vec<Vec<f64>>,
    exposure: Vec<Vec<f64>>,
    weight: Vec<Vec<f64>>,
    /// What weighing leaves of the exposure: weight times exposure times the share of the mean that is kept.
    kept: Vec<Vec<f64>>,
    factors: Kept,
    blocks: usize,
}

impl History {
    pub fn new(series: &[Series<'_>], blocks: usize) -> Self {
        let cells = |one: &Series<'_>| -> (Vec<f64>, Vec<f64>) {
            (0..blocks).map(|block| one.at(block).unwrap_or_default()).unzip()
        };
        let (count, exposure): (Vec<Vec<f64>>, Vec<Vec<f64>>) = series.iter().map(cells).unzip();
        let weight: Vec<Vec<f64>> = count.iter().map(|counts| first_weights(counts)).collect();
        let kept = exposure.iter().zip(&weight).map(|(e, w)| e.iter().zip(w).map(|(e, w)| e * w).collect());
        Self { kept: kept.collect(), count, exposure, weight, factors: Kept::all(), blocks }
    }

    /// Rates before any fit: counts against the mean of the group.
    pub fn rough_rates(&self) -> Rates {
        if self.count.len() < 2 {
            return Rates::one(self.count.len());
        }
        let seen = self.seen(&vec![1.0; self.blocks], 1.0, 1.0);
        let (y, n) = seen.iter().fold((0.5, 1e-9), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        Rates::learn(&seen.iter().map(|one| (one.0, one.1 * y / n)).collect::<Vec<_>>())
    }

    /// What each cell counts, by series.
    pub fn into_weights(self) -> Vec<Vec<f64>> {
        self.weight
    }

    /// Weighted totals of the group by block.
    pub fn totals(&self, rates: &Rates) -> Totals {
        let mut totals = Totals { count: vec![0.0; self.blocks], exposure: vec![0.0; self.blocks] };
        for (i, rate) in rates.mean.iter().enumerate() {
            for block in 0..self.blocks {
                totals.count[block] += self.weight[i][block] * self.count[i][block];
                totals.exposure[block] += self.kept[i][block] * rate;
            }
        }
        totals
    }

    /// Weighted count of each series, and its expectation at relative rate 1, over the dispersion. Each block back counts
    /// `fade` times the next.
    pub fn seen(&self, levels: &[f64], dispersion: f64, fade: f64) -> Vec<(f64, f64)> {
        let of = |i: usize| {
            (0..self.blocks).fold((0.0, 0.0), |sum: (f64, f64), block| {
                let count = self.weight[i][block] * self.count[i][block];
                let expected = self.kept[i][block] * levels[block];
                (sum.0 * fade + count / dispersion, sum.1 * fade + expected / dispersion)
            })
        };
        (0..self.count.len()).map(of).collect()
    }

    fn means(&self, i: usize, levels: &[f64], rate: f64) -> Vec<f64> {
        self.exposure[i].iter().zip(levels).map(|(exposure, level)| exposure * level * rate).collect()
    }

    /// Variance over mean of a block, pooled over series and blocks: the mean of ((y - m)² - m) / m, weighted by
    /// 1 / (2 + 1 / m), the inverse of its variance under Poisson (fourth moment m + 3 m²), drawn towards the prior, and
    /// divided by what weighing keeps of it.
    pub fn dispersion(&self, levels: &[f64], rates: &Rates, control: &Control) -> f64 {
        let mut information = control.dispersion_information;
        let mut sum = information * (control.dispersion - 1.0);
        for (i, rate) in rates.mean.iter().enumerate() {
            for (block, mean) in
                self.means(i, levels, *rate).into_iter().enumerate().filter(|cell| cell.1 > 1e-9)
            {
                let weight = self.weight[i][block] * mean / (2.0 * mean + 1.0);
                sum += weight * ((self.count[i][block] - mean).powi(2) - mean) / mean;
                information += weight * self.factors.at(mean).excess;
            }
        }
        let dispersion = 1.0 + sum / information;
        if dispersion.is_finite() { dispersion.clamp(1.02, 1e6) } else { control.dispersion }
    }

    /// Weighs every cell anew: those of spans too rare to be usual weigh p / limit, p being the span's upper tail. Since
    /// rare quiet cells go with the episodes, what that does to means is put right ([`Kept`]).
    pub fn weigh(&mut self, levels: &[f64], rates: &Rates, dispersion: f64, control: &Control) {
        self.factors = Kept::new(dispersion, control.episodes[0].1);
        for (i, rate) in rates.mean.iter().enumerate() {
            let means = self.means(i, levels, *rate);
            self.weight[i].fill(1.0);
            for (span, limit) in control.episodes {
                weigh_spans(&mut self.weight[i], &self.count[i], &means, dispersion, (span, limit));
            }
            for (block, mean) in means.iter().enumerate() {
                self.kept[i][block] =
                    self.weight[i][block] * self.exposure[i][block] * self.factors.at(*mean).mean;
            }
        }
    }
}

/// Before anything is known, cells beyond twenty times (one more than the ninth decile) teach nothing: a slip of the pen
/// would bend the first fit so far that it looked usual.
fn first_weights(counts: &[f64]) -> Vec<f64> {
    let mut sorted = counts.to_vec();
    sorted.sort_by(f64::total_cmp);
    let decile = sorted.get(counts.len() * 9 / 10).copied().unwrap_or(0.0);
    counts.iter().map(|&count| if count > 20.0 * (decile + 1.0) { 0.0 } else { 1.0 }).collect()
}

fn weigh_spans(
    weight: &mut [f64],
    count: &[f64],
    mean: &[f64],
    dispersion: f64,
    (span, limit): (usize, f64),
) {
    let span = span.max(1);
    // Counts are whole numbers, so that a running sum of them is exact. Most spans of small wards hold none.
    let mut y: f64 = count.iter().take(span - 1).sum();
    for first in 0..(count.len() + 1).saturating_sub(span) {
        let cells = first..first + span;
        y += count[first + span - 1] - first.checked_sub(1).map_or(0.0, |left| count[left]);
        if y <= 0.0 {
            continue;
        }
        let m: f64 = mean[cells.clone()].iter().sum();
        // Nearer than two standard deviations no tail is below a limit of 1 %.
        if m <= 0.0 || y < m + 2.0 * (dispersion * m).sqrt() {
            continue;
        }
        let p = Usual::new(m, m / (dispersion - 1.0)).upper_tail(y);
        if p < limit {
            for cell in cells.filter(|&cell| count[cell] > mean[cell]) {
                weight[cell] = weight[cell].min(p / limit);
            }
        }
    }
}
