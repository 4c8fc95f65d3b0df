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
    /// Cells that weigh less than 1.
    light: Vec<(usize, usize)>,
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
        let light = weight.iter().enumerate().flat_map(|(i, weights)| {
            weights.iter().enumerate().filter(|one| *one.1 < 1.0).map(move |(block, _)| (i, block))
        });
        let light = light.collect();
        Self { kept: kept.collect(), count, exposure, weight, factors: Kept::all(), light, blocks }
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

    /// Lets dispersion and weights settle together for a pattern and rates, which costs no fit, and gives the dispersion.
    /// The `first` weighing of all is strict: it takes the dispersion given.
    pub fn settle(
        &mut self,
        (levels, rates): (&[f64], &Rates),
        mut dispersion: f64,
        first: bool,
        control: &Control,
    ) -> f64 {
        let means = Means::new(&self.count, &self.exposure, levels, rates, control);
        for turn in 0..TURNS {
            if turn > 0 || !first {
                dispersion = self.dispersion(&means, control);
            }
            self.weigh(&means, dispersion, control);
        }
        for (i, kept) in self.kept.iter_mut().enumerate() {
            for (block, kept) in kept.iter_mut().enumerate() {
                let left = self.factors.at(means.place[i][block]).mean;
                *kept = self.weight[i][block] * self.exposure[i][block] * left;
            }
        }
        dispersion
    }

    /// Variance over mean of a block, pooled over series and blocks: the mean of ((y - m)² - m) / m, weighted by
    /// 1 / (2 + 1 / m), the inverse of its variance under Poisson (fourth moment m + 3 m²), drawn towards the prior, and
    /// divided by what weighing keeps of it.
    fn dispersion(&self, means: &Means, control: &Control) -> f64 {
        let mut sum = control.dispersion_information * (control.dispersion - 1.0) + means.excess;
        let mut information = means.information;
        // All cells first, then without what the few light ones lack.
        for &(i, block) in &self.light {
            let lacks = 1.0 - self.weight[i][block];
            let mean = means.mean[i][block];
            if mean > LEAST_MEAN {
                let (weight, excess) = excess(self.count[i][block], mean);
                sum -= lacks * weight * excess;
                information[means.place[i][block]] -= lacks * weight;
            }
        }
        let kept =
            information.iter().enumerate().map(|(place, weight)| weight * self.factors.at(place).excess);
        let dispersion = 1.0 + sum / (control.dispersion_information + kept.sum::<f64>());
        if dispersion.is_finite() { dispersion.clamp(LEAST_DISPERSION, 1e6) } else { control.dispersion }
    }

    /// Weighs every cell anew: those of spans too rare to be usual weigh p / limit, p being the span's upper tail. Since
    /// rare quiet cells go with the episodes, what that does to means is put right ([`Kept`]).
    fn weigh(&mut self, means: &Means, dispersion: f64, control: &Control) {
        self.factors = Kept::new(dispersion, control.episodes[0].1);
        for (i, block) in self.light.drain(..) {
            self.weight[i][block] = 1.0;
        }
        for span in &means.high {
            // Most are too near to their mean for a tail below the limit, and need no tail.
            if span.count < span.mean + span.near * (dispersion * span.mean).sqrt() {
                continue;
            }
            let usual = Usual::new(span.mean, span.mean / (dispersion - 1.0));
            if usual.surely_reaches(span.count, span.limit) {
                continue;
            }
            let p = usual.upper_tail(span.count);
            if p < span.limit {
                let (i, mean) = (span.series, &means.mean[span.series]);
                for block in span.blocks().filter(|&block| self.count[i][block] > mean[block]) {
                    if self.weight[i][block] >= 1.0 {
                        self.light.push((i, block));
                    }
                    self.weight[i][block] = self.weight[i][block].min(p / span.limit);
                }
            }
        }
    }
}

/// Dispersion and weights settle in so many turns.
const TURNS: usize = 3;

/// A cell that expects less says nothing of the dispersion.
const LEAST_MEAN: f64 = 1e-9;

/// No dispersion is taken to be smaller.
const LEAST_DISPERSION: f64 = 1.02;

/// What follows from the expectation of every cell, as long as pattern and rates stay.
struct Means {
    mean: Vec<Vec<f64>>,
    /// Its place in the table of [`Kept`].
    place: Vec<Vec<usize>>,
    /// Spans high enough above their mean to be looked at.
    high: Vec<High>,
    /// The weighted sum of the excesses of all cells, and their weights by place.
    excess: f64,
    information: [f64; Kept::PLACES],
}

/// A span of blocks with more than usual.
struct High {
    series: usize,
    first: usize,
    length: usize,
    count: f64,
    mean: f64,
    limit: f64,
    near: f64,
}

impl High {
    fn blocks(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.length
    }
}

impl Means {
    fn new(
        count: &[Vec<f64>],
        exposure: &[Vec<f64>],
        levels: &[f64],
        rates: &Rates,
        control: &Control,
    ) -> Self {
        let of = |(exposure, rate): (&Vec<f64>, &f64)| -> Vec<f64> {
            exposure.iter().zip(levels).map(|(exposure, level)| exposure * level * rate).collect()
        };
        let mean: Vec<Vec<f64>> = exposure.iter().zip(&rates.mean).map(of).collect();
        let place: Vec<Vec<usize>> =
            mean.iter().map(|means| means.iter().map(|mean| Kept::place(*mean)).collect()).collect();
        let (mut all, mut information) = (0.0, [0.0; Kept::PLACES]);
        let mut high = Vec::new();
        for (i, counts) in count.iter().enumerate() {
            for (block, mean) in mean[i].iter().enumerate().filter(|cell| *cell.1 > LEAST_MEAN) {
                let (weight, excess) = excess(counts[block], *mean);
                all += weight * excess;
                information[place[i][block]] += weight;
            }
            for (length, limit) in control.episodes {
                high.extend(
                    high_spans(counts, &mean[i], (length, limit)).map(|span| High { series: i, ..span }),
                );
            }
        }
        Self { mean, place, high, excess: all, information }
    }
}

/// A cell's weight in the dispersion, and its excess variance over its mean. A million standard deviations away, a slip of
/// the pen, it weighs nothing: taken in and out again it would leave its rounding behind.
fn excess(count: f64, mean: f64) -> (f64, f64) {
    let squared = (count - mean).powi(2);
    if squared > 1e12 * mean { (0.0, 0.0) } else { (mean / (2.0 * mean + 1.0), (squared - mean) / mean) }
}

/// Before anything is known, cells beyond twenty times (one more than the ninth decile) teach nothing: a slip of the pen
/// would bend the first fit so far that it looked usual.
fn first_weights(counts: &[f64]) -> Vec<f64> {
    let mut sorted = counts.to_vec();
    sorted.sort_by(f64::total_cmp);
    let decile = sorted.get(counts.len() * 9 / 10).copied().unwrap_or(0.0);
    counts.iter().map(|&count| if count > 20.0 * (decile + 1.0) { 0.0 } else { 1.0 }).collect()
}

/// Less than so many standard deviations above its mean no count has a tail below the limit: fewer than of a normal
/// distribution, for counts that are nearly always 0. True up to a dispersion of 10, far beyond any of incidents.
fn standard_deviations(limit: f64) -> f64 {
    match limit {
        limit if limit <= 3e-4 => 3.0,
        limit if limit <= 1e-3 => 2.7,
        _ => 2.0,
    }
}

/// Spans of a length that some dispersion could make rarer than the limit.
fn high_spans<'a>(
    count: &'a [f64],
    mean: &'a [f64],
    (length, limit): (usize, f64),
) -> impl Iterator<Item = High> + 'a {
    let length = length.max(1);
    let near = standard_deviations(limit);
    let squared = near * near * LEAST_DISPERSION;
    // Counts are whole numbers, so that a running sum of them is exact. Most spans of small wards hold none.
    let mut y: f64 = count.iter().take(length - 1).sum();
    (0..(count.len() + 1).saturating_sub(length)).filter_map(move |first| {
        y += count[first + length - 1] - first.checked_sub(1).map_or(0.0, |left| count[left]);
        if y <= 0.0 {
            return None;
        }
        let m: f64 = mean[first..first + length].iter().sum();
        let high = m > 0.0 && y > m && (y - m) * (y - m) >= squared * m;
        high.then_some(High { series: 0, first, length, count: y, mean: m, limit, near })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_that_is_passed_over_is_rare() {
        for limit in [3e-4, 1e-3, 3e-3] {
            for dispersion in [1.02, 1.2, 1.5, 3.0, 10.0] {
                for mean in (0..400).map(|n| 1e-3 * 1.04_f64.powi(n)) {
                    let usual = Usual::new(mean, mean / (dispersion - 1.0));
                    let end = (mean + standard_deviations(limit) * (dispersion * mean).sqrt()).ceil();
                    let last = (end - 1.0).max(0.0);
                    assert!(
                        usual.upper_tail(last) >= limit,
                        "{last} where {mean} are usual: {limit} {dispersion}"
                    );
                }
            }
        }
    }
}
