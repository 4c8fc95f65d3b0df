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
            let counts = totals.count.iter_mut().zip(&self.weight[i]).zip(&self.count[i]);
            counts.for_each(|((total, weight), count)| *total += weight * count);
            totals.exposure.iter_mut().zip(&self.kept[i]).for_each(|(total, kept)| *total += kept * rate);
        }
        totals
    }

    /// Weighted count of each series, and its expectation at relative rate 1, over the dispersion. Each block back counts
    /// `fade` times the next.
    pub fn seen(&self, levels: &[f64], dispersion: f64, fade: f64) -> Vec<(f64, f64)> {
        // Each sum waits for the one before it: those of several series go on side by side.
        let mut seen = Vec::with_capacity(self.count.len());
        for first in (0..self.count.len()).step_by(SIDE_BY_SIDE) {
            let own: [usize; SIDE_BY_SIDE] = std::array::from_fn(|k| (first + k).min(self.count.len() - 1));
            let count = own.map(|i| &self.count[i][..self.blocks]);
            let weight = own.map(|i| &self.weight[i][..self.blocks]);
            let kept = own.map(|i| &self.kept[i][..self.blocks]);
            let mut sums = [(0.0, 0.0); SIDE_BY_SIDE];
            for (block, level) in levels.iter().enumerate().take(self.blocks) {
                for (k, sum) in sums.iter_mut().enumerate() {
                    let expected = kept[k][block] * level;
                    sum.0 = sum.0 * fade + weight[k][block] * count[k][block] / dispersion;
                    sum.1 = sum.1 * fade + expected / dispersion;
                }
            }
            seen.extend(sums.into_iter().take(self.count.len() - first));
        }
        seen
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
            let cells = self.weight[i].iter().zip(&self.exposure[i]).zip(&means.place[i]);
            for (kept, ((weight, exposure), place)) in kept.iter_mut().zip(cells) {
                *kept = weight * exposure * self.factors.at(usize::from(*place)).mean;
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
                information[usize::from(means.place[i][block])] -= lacks * weight;
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

/// So many series are summed at a time.
const SIDE_BY_SIDE: usize = 4;

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
    place: Vec<Vec<u8>>,
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
        let place: Vec<Vec<u8>> = mean.iter().map(|means| Kept::places(means)).collect();
        let (mut all, mut information) = (0.0, [0.0; Kept::PLACES]);
        let mut high = Vec::new();
        let (mut weights, mut excesses) = (Vec::new(), Vec::new());
        let mut sums = Sums::default();
        for (i, (counts, means)) in count.iter().zip(&mean).enumerate() {
            weights.resize(means.len(), 0.0);
            excesses.resize(means.len(), 0.0);
            let cells = counts.iter().zip(means).zip(weights.iter_mut().zip(&mut excesses));
            for ((count, mean), (weight, part)) in cells {
                let (own, excess) = excess(*count, *mean);
                let known = *mean > LEAST_MEAN;
                *weight = if known { own } else { 0.0 };
                *part = if known { own * excess } else { 0.0 };
            }
            all = excesses.iter().fold(all, |sum, excess| sum + excess);
            for (weight, place) in weights.iter().zip(&place[i]) {
                information[usize::from(*place)] += weight;
            }
            sums.run(counts, means);
            for (length, limit) in control.episodes {
                let length = length.max(1);
                sums.high(length, limit, |first| {
                    let span = first..first + length;
                    let found = high_span(&counts[span.clone()], &means[span], limit);
                    high.extend(found.map(|span| High { series: i, first, ..span }));
                });
            }
        }
        Self { mean, place, high, excess: all, information }
    }
}

/// A cell's weight in the dispersion, and its excess variance over its mean. A million standard deviations away, a slip of
/// the pen, it weighs nothing: taken in and out again it would leave its rounding behind.
fn excess(count: f64, mean: f64) -> (f64, f64) {
    let squared = (count - mean).powi(2);
    let (weight, excess) = (mean / (2.0 * mean + 1.0), (squared - mean) / mean);
    let slip = squared > 1e12 * mean;
    (if slip { 0.0 } else { weight }, if slip { 0.0 } else { excess })
}

/// Before anything is known, cells beyond twenty times (one more than the ninth decile) teach nothing: a slip of the pen
/// would bend the first fit so far that it looked usual.
fn first_weights(counts: &[f64]) -> Vec<f64> {
    if counts.iter().all(|count| *count <= 20.0) {
        return vec![1.0; counts.len()];
    }
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

/// A span that some dispersion could make rarer than the limit.
fn high_span(count: &[f64], mean: &[f64], limit: f64) -> Option<High> {
    let near = standard_deviations(limit);
    let (y, m): (f64, f64) = (count.iter().sum(), mean.iter().sum());
    let high = m > 0.0 && y > m && (y - m) * (y - m) >= near * near * LEAST_DISPERSION * m;
    high.then_some(High { series: 0, first: 0, length: count.len(), count: y, mean: m, limit, near })
}

/// Running sums of the counts and means of a series: most spans are not high, and need no sums of their own.
#[derive(Default)]
struct Sums {
    count: Vec<f64>,
    mean: Vec<f64>,
}

impl Sums {
    fn run(&mut self, count: &[f64], mean: &[f64]) {
        for (sums, cells) in [(&mut self.count, count), (&mut self.mean, mean)] {
            let mut sum = 0.0;
            sums.clear();
            sums.push(0.0);
            sums.extend(cells.iter().map(|cell| {
                sum += cell;
                sum
            }));
        }
    }

    /// Calls `look` with the first blocks of all spans that may be high, and of some that are not.
    fn high(&self, length: usize, limit: f64, mut look: impl FnMut(usize)) {
        let near = standard_deviations(limit);
        let squared = near * near * LEAST_DISPERSION;
        let (Some(whole), Some(counts), Some(means)) =
            (self.mean.last(), self.count.get(length..), self.mean.get(length..))
        else {
            return;
        };
        // Far beyond what rounding leaves behind in a running sum.
        let slack = 1e-9 * whole;
        // Not below 0 where a span may be high.
        let beyond = |y: f64, m: f64| {
            let least = m - slack;
            let over = if y > least { y - least } else { 0.0 };
            over * over - squared * least
        };
        let mut found = [0.0; CHUNK];
        let ends = counts.chunks(CHUNK).zip(means.chunks(CHUNK));
        let begins = self.count.chunks(CHUNK).zip(self.mean.chunks(CHUNK));
        for (chunk, (end, begin)) in ends.zip(begins).enumerate() {
            let cells = end.0.iter().zip(end.1).zip(begin.0.iter().zip(begin.1));
            for (found, ((y, m), (before, mean))) in found.iter_mut().zip(cells) {
                *found = beyond(y - before, m - mean);
            }
            let found = &found[..end.0.len()];
            #[expect(clippy::needless_bitwise_bool, reason = "without a branch many are compared at once")]
            let any = found.iter().fold(false, |any, beyond| any | (*beyond >= 0.0));
            if any {
                let of = |(place, _): (usize, &f64)| chunk * CHUNK + place;
                found.iter().enumerate().filter(|one| *one.1 >= 0.0).map(of).for_each(&mut look);
            }
        }
    }
}

/// So many spans are looked at together.
const CHUNK: usize = 16;

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
