//! The last blocks of a series against what is usual.

use super::{Control, Series, panel::Panel};
use statrs::function::{beta::checked_beta_reg, gamma::ln_gamma};

/// A negative binomial: variance `mean + mean² / size`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usual {
    mean: f64,
    size: f64,
}

impl Usual {
    pub fn new(mean: f64, size: f64) -> Self {
        let size = if size.is_nan() { 1e10 } else { size.clamp(1e-9, 1e10) };
        Self { mean: if mean.is_finite() { mean.max(1e-12) } else { 1e-12 }, size }
    }

    pub fn size(&self) -> f64 {
        self.size
    }

    /// P(X >= count) = I(q; count, size), q = mean / (mean + size): Johnson, Kemp and Kotz, Univariate Discrete
    /// Distributions, 3rd ed. 2005, equation 5.31. Beyond a million, where the continued fraction tires, Wilson's and
    /// Hilferty's cube root of a gamma (Proc. Nat. Acad. Sci. 1931, 17, 684-688) with the same mean and variance.
    pub fn upper_tail(&self, count: f64) -> f64 {
        if count < 0.5 {
            return 1.0;
        }
        if count < 1.5 {
            // One report is by far the commonest question.
            return -(-self.size * (self.mean / self.size).ln_1p()).exp_m1();
        }
        if count.max(self.mean) > 1e6 {
            let shape = self.mean / (1.0 + self.mean / self.size);
            let third = 1.0 / (9.0 * shape);
            let z = (((count - 0.5) / self.mean).cbrt() - 1.0 + third) / third.sqrt();
            return statrs::function::erf::erfc(z / std::f64::consts::SQRT_2) / 2.0;
        }
        let tail = checked_beta_reg(count, self.size, self.mean / (self.mean + self.size));
        tail.ok().filter(|p| p.is_finite()).map_or(1.0, |p| p.clamp(0.0, 1.0))
    }

    /// Whether the upper tail surely reaches a limit: the first terms of its sum do. False says nothing. Most counts that
    /// are asked about are not rare, and to see that takes a tenth of the time of the tail.
    pub fn surely_reaches(&self, count: f64, limit: f64) -> bool {
        if !(1.5..100.0).contains(&count) {
            return false;
        }
        let grow = self.mean / (self.mean + self.size);
        let mut probability = (-self.size * (self.mean / self.size).ln_1p()).exp();
        let mut k = 0.0;
        while k < count - 0.5 {
            probability *= grow * (k + self.size) / (k + 1.0);
            k += 1.0;
        }
        // Beyond the rounding of either.
        let enough = limit * (1.0 + 1e-6);
        let mut sum = probability;
        for _ in 0..8 {
            if sum >= enough {
                return true;
            }
            probability *= grow * (k + self.size) / (k + 1.0);
            sum += probability;
            k += 1.0;
        }
        sum >= enough
    }

    /// Mid-p upward and downward: half of the chance of the count itself belongs to either side (Lancaster, JASA 1961, 56,
    /// 223-234).
    pub fn mid_p(&self, count: f64) -> (f64, f64) {
        let upper = 0.5 * (self.upper_tail(count) + self.upper_tail(count + 1.0));
        (upper, 1.0 - upper)
    }

    /// The least count whose upper tail is at most `p`.
    pub fn least_count_as_rare_as(&self, p: f64) -> u64 {
        Self::first(|count| self.upper_tail(count) <= p)
    }

    /// The least count that is not below the central part: P(X <= count) > p.
    pub fn least_count_not_below(&self, p: f64) -> u64 {
        if 1.0 - self.upper_tail(1.0) > p {
            0
        } else {
            Self::first(|count| 1.0 - self.upper_tail(count + 1.0) > p)
        }
    }

    /// The least count of at least 1 for which something holds that goes on holding: gallop, then halve.
    fn first(holds: impl Fn(f64) -> bool) -> u64 {
        let mut high = 1_u64;
        while !holds(high as f64) && high < 1 << 50 {
            high *= 2;
        }
        let mut low = high / 2;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if holds(middle as f64) { high = middle } else { low = middle }
        }
        high
    }

    /// Mean and variance of the lesser of the count and `cap`.
    fn capped(&self, cap: u64) -> (f64, f64) {
        let variance = self.mean + self.mean * self.mean / self.size;
        if cap > 300 {
            // A normal cut at its upper 5 %.
            return (self.mean - 0.0209 * variance.sqrt(), 0.915 * variance);
        }
        let grow = self.mean / (self.mean + self.size);
        let mut probability = (-self.size * (self.mean / self.size).ln_1p()).exp();
        let (mut rest, mut first, mut second) = (1.0, 0.0, 0.0);
        for count in 0..cap {
            let k = count as f64;
            first += probability * k;
            second += probability * k * k;
            rest -= probability;
            probability *= grow * (k + self.size) / (k + 1.0);
        }
        let (cap, rest) = (cap as f64, rest.max(0.0));
        let mean = first + rest * cap;
        (mean, (second + rest * cap * cap - mean * mean).max(0.0))
    }
}

/// The last blocks of a series, the judged one first.
#[derive(Debug)]
pub(super) struct Forecast {
    /// Running sums of counts and of means, one longer than the blocks.
    counts: Vec<f64>,
    means: Vec<f64>,
    /// Variance over mean of a block.
    pub dispersion: f64,
    /// Relative variance of the expectation: what is not known about it.
    pub unsure: f64,
}

impl Forecast {
    pub fn new(panel: &Panel, i: usize, series: &Series<'_>, t: usize, control: &Control) -> Self {
        let (mut counts, mut means) = (vec![0.0], vec![0.0]);
        let (mut count, mut mean) = (0.0, 0.0);
        for block in (0..=t).rev().take(control.guard) {
            let (seen, exposure) = series.at(block).unwrap_or_default();
            count += seen;
            mean += panel.rates.mean[i] * exposure * panel.levels[block];
            counts.push(count);
            means.push(mean);
        }
        Self { counts, means, dispersion: panel.dispersion, unsure: panel.unsure(i) }
    }

    /// Blocks that are known of.
    pub fn blocks(&self) -> usize {
        self.counts.len() - 1
    }

    /// Count and expectation of the blocks `from` to `to` - 1 back, 0 being the judged one.
    pub fn total(&self, from: usize, to: usize) -> (f64, f64) {
        let (from, to) = (from.min(self.blocks()), to.min(self.blocks()));
        (self.counts[to] - self.counts[from], self.means[to] - self.means[from])
    }

    /// Variance over mean less one of a window with this expectation.
    pub fn clumping(&self, mean: f64) -> f64 {
        self.dispersion - 1.0 + self.unsure * mean
    }

    /// What is usual for a window with this expectation.
    pub fn usual(&self, mean: f64) -> Usual {
        Usual::new(mean, mean / self.clumping(mean))
    }

    /// Mid-p values of a window in which blocks older than `fresh` count at most what is usual in 95 of 100: a burst that
    /// is over does not pass for a rise that goes on.
    pub fn capped_mid_p(&self, blocks: usize, fresh: usize) -> (f64, f64) {
        let (mut count, mean) = self.total(0, fresh.min(blocks));
        let (mut means, mut variance) = (mean, self.dispersion * mean);
        for back in fresh..blocks.min(self.blocks()) {
            let (seen, mean) = self.total(back, back + 1);
            if mean > 0.0 {
                let usual = Usual::new(mean, mean / (self.dispersion - 1.0));
                let cap = usual.least_count_as_rare_as(0.05).saturating_sub(1).max(1);
                let moments = usual.capped(cap);
                count += seen.min(cap as f64);
                means += moments.0;
                variance += moments.1;
            }
        }
        let excess = variance + self.unsure * means * means - means;
        Usual::new(means, if excess > 0.0 { means * means / excess } else { f64::INFINITY }).mid_p(count)
    }
}

/// ln Γ(x + a) - ln Γ(x), without losing digits where x is large (Stirling's series, two terms).
pub(super) fn ln_gamma_ratio(x: f64, a: f64) -> f64 {
    if x < 1e3 {
        return ln_gamma(x + a) - ln_gamma(x);
    }
    (x + a - 0.5) * (a / x).ln_1p() + a * x.ln() - a + (1.0 / (x + a) - 1.0 / x) / 12.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_agree_with_values_worked_by_hand() {
        // Size 1 is geometric: P(X >= k) = (mean / (1 + mean))^k.
        let geometric = Usual::new(2.0, 1.0);
        assert!((geometric.upper_tail(9.0) - (2.0_f64 / 3.0).powi(9)).abs() < 1e-12);
        assert_eq!(geometric.least_count_as_rare_as(0.5), 2);
        assert_eq!(geometric.least_count_not_below(0.4), 1);
        let (mean, _) = geometric.capped(1);
        assert!((mean - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn what_surely_reaches_a_limit_does() {
        let (mut surely, mut all) = (0, 0);
        for mean in (0..60).map(|n| 1e-3 * 1.2_f64.powi(n)) {
            for dispersion in [1.02, 1.3, 3.0, 10.0] {
                let usual = Usual::new(mean, mean / (dispersion - 1.0));
                for count in (1..120).map(f64::from) {
                    for limit in [3e-4, 1e-3, 3e-3] {
                        let (told, reaches) =
                            (usual.surely_reaches(count, limit), usual.upper_tail(count) >= limit);
                        assert!(reaches || !told, "{count} where {mean} are usual: {limit} {dispersion}");
                        let asked = reaches && (1.5..100.0).contains(&count) && mean < count;
                        all += usize::from(asked);
                        surely += usize::from(asked && told);
                    }
                }
            }
        }
        assert!(surely * 20 > all * 19, "{surely} of {all}: it saves too little");
    }

    #[test]
    fn the_normal_end_meets_the_exact_one() {
        let usual = Usual::new(999_000.0, 1e10);
        let (below, above) = (usual.upper_tail(1_000_000.0), usual.upper_tail(1_000_001.0));
        assert!(above <= below && (above / below - 1.0).abs() < 0.02, "{below} {above}");
    }

    #[test]
    fn ratios_of_gamma_functions_agree_where_the_series_takes_over() {
        for a in [0.01, 1.0, 7.5, 300.0] {
            let exact = ln_gamma(1000.0 + a) - ln_gamma(1000.0);
            assert!((ln_gamma_ratio(1000.0, a) - exact).abs() < 1e-8 * exact.abs().max(1.0));
        }
    }
}
