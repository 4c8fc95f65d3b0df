//! Tails of a negative binomial expectation, and how often chance crosses them.

use statrs::function::{beta::beta_reg, gamma::ln_gamma};

/// A parameter that no expectation can have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "an expectation needs a finite mean of at least 0 and a size above 0; it was given mean {mean}, size {size}"
)]
pub struct ExpectationError {
    mean: f64,
    size: f64,
}

/// What is usual for one series in one period: a negative binomial with variance `mean + mean² / size`.
///
/// It is the predictive distribution of a Poisson count whose rate is uncertain or varies as a gamma variable with
/// shape `size`. An infinite size is the Poisson distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    mean: f64,
    size: f64,
}

impl Expectation {
    /// Beyond this size the distribution is taken as Poisson: they differ by less than 1e-9 in every tail used.
    const NEARLY_POISSON: f64 = 1e10;

    /// Takes a mean (incidents in the period) and a size (no unit; smaller is more variable).
    ///
    /// # Errors
    ///
    /// When the mean is negative or not finite, or the size is not above zero.
    pub fn new(mean: f64, size: f64) -> Result<Self, ExpectationError> {
        if mean.is_finite() && mean >= 0.0 && size > 0.0 {
            Ok(Self { mean, size })
        } else {
            Err(ExpectationError { mean, size })
        }
    }

    /// What is usual of several series together: the negative binomial with the sum of their means and of their variances. They
    /// are taken as independent, so what they share (a common season that is not known exactly) is left out of the variance.
    #[must_use]
    pub fn together(each: impl IntoIterator<Item = Self>) -> Self {
        let (mean, variance) = each
            .into_iter()
            .fold((0.0, 0.0), |(mean, variance), one| (mean + one.mean, variance + one.variance()));
        let more = variance - mean;
        let size = if more > 1e-9 * mean { mean * mean / more } else { f64::INFINITY };
        Self { mean, size: if size > 0.0 { size } else { f64::INFINITY } }
    }

    /// With a mean so many times as large, and the same relative variation; itself for a factor it can't have.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self::new(self.mean * factor, self.size).unwrap_or(self)
    }

    /// Expected incidents in the period.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Its variance, incidents squared.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.size >= Self::NEARLY_POISSON {
            self.mean
        } else {
            self.mean + self.mean * self.mean / self.size
        }
    }

    /// P(X = count).
    #[must_use]
    pub fn probability_of(&self, count: u64) -> f64 {
        if self.mean == 0.0 {
            return if count == 0 { 1.0 } else { 0.0 };
        }
        let k = count as f64;
        let log = if self.size >= Self::NEARLY_POISSON {
            k * self.mean.ln() - self.mean - ln_gamma(k + 1.0)
        } else {
            ln_gamma(k + self.size)
                - ln_gamma(self.size)
                - ln_gamma(k + 1.0)
                - self.size * (self.mean / self.size).ln_1p()
                - k * (self.size / self.mean).ln_1p()
        };
        log.exp().min(1.0)
    }

    /// P(X >= count). Zero observed gives 1.
    ///
    /// P(X >= k) = I(q; k, size) with q = mean / (mean + size), the regularised incomplete beta function; for the
    /// Poisson limit the lower regularised gamma function P(k, mean). Source: Johnson, Kemp and Kotz, Univariate
    /// Discrete Distributions, 3rd ed. 2005, equations 5.31 and 4.83.
    #[must_use]
    pub fn upper_tail(&self, count: u64) -> f64 {
        if count == 0 {
            return 1.0;
        }
        if self.mean == 0.0 {
            return 0.0;
        }
        let k = count as f64;
        if self.size >= Self::NEARLY_POISSON {
            statrs::function::gamma::gamma_lr(k, self.mean)
        } else {
            beta_reg(k, self.size, self.mean / (self.mean + self.size))
        }
    }

    /// The mid-p value upward: P(X > count) + P(X = count) / 2. On quiet data its distribution is closest to
    /// uniform among the non-random choices for discrete counts (Lancaster, JASA 1961, 56, 223-234).
    #[must_use]
    pub fn mid_p_upper(&self, count: u64) -> f64 {
        (self.upper_tail(count) - self.probability_of(count) / 2.0).clamp(0.0, 1.0)
    }

    /// The least count whose upper tail is at most `p`: what would have been as strong here. `p` above zero.
    #[must_use]
    pub fn least_count_as_rare_as(&self, p: f64) -> u64 {
        self.least_count_from(1, p)
    }

    /// The least count of at least `least` whose upper tail is at most `p`. `p` above zero.
    #[must_use]
    pub fn least_count_from(&self, least: u64, p: f64) -> u64 {
        // The tail falls with the count: gallop to a bracket, then halve it.
        let mut high = least.max(1);
        if self.upper_tail(high) <= p {
            return high;
        }
        let mut low = high;
        high *= 2;
        while self.upper_tail(high) > p && high < 1 << 40 {
            low = high;
            high *= 2;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.upper_tail(middle) > p { low = middle } else { high = middle }
        }
        high
    }

    /// The central 95 % of what is usual, in whole incidents.
    #[must_use]
    pub fn usual_range(&self) -> (u64, u64) {
        // The least count that is not below it.
        let low = (0..=1 << 20).find(|count| 1.0 - self.upper_tail(count + 1) > 0.025).unwrap_or(0);
        (low, self.least_count_as_rare_as(0.025).saturating_sub(1).max(low))
    }

    /// How many times a day chance newly reaches `count` in a rolling window of `window_days`.
    ///
    /// A rolling count reaches k when an incident arrives while k - 1 are in the window. For a Poisson stream that
    /// happens at the rate (mean / days) P(X = k - 1) = (k / days) P(X = k), and by the recursion of its
    /// probabilities the same form holds for the negative binomial. This counts *episodes* of being above, not
    /// nights above, and so is what a reader means by "about once in N days". It is an upper bound when looking
    /// happens once a day. Source: the declumping argument for scan statistics, Alm, Extremes 1998, 1, 111-126.
    #[must_use]
    pub fn crossings_a_day(&self, count: u64, window_days: f64) -> f64 {
        if count == 0 {
            return 1.0;
        }
        (count as f64 / window_days * self.probability_of(count)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, relative: f64) -> bool {
        (a - b).abs() <= relative * b.abs().max(1e-300)
    }

    #[test]
    fn tails_agree_with_values_worked_by_hand() {
        // Poisson, mean 2: P(X >= 9) = 1 - e^-2 (1 + 2 + 2 + 4/3 + 2/3 + 4/15 + 4/45 + 8/315 + 2/315)
        let below =
            1.0 + 2.0 + 2.0 + 4.0 / 3.0 + 2.0 / 3.0 + 4.0 / 15.0 + 4.0 / 45.0 + 8.0 / 315.0 + 2.0 / 315.0;
        let poisson = Expectation::new(2.0, f64::INFINITY).unwrap();
        assert!(close(poisson.upper_tail(9), 1.0 - (-2.0_f64).exp() * below, 1e-9));
        // Size 1 is geometric: P(X >= k) = (mean / (1 + mean))^k.
        let geometric = Expectation::new(2.0, 1.0).unwrap();
        assert!(close(geometric.upper_tail(9), (2.0_f64 / 3.0).powi(9), 1e-10));
        assert!(close(geometric.probability_of(4), (2.0_f64 / 3.0).powi(4) / 3.0, 1e-12));
    }

    #[test]
    fn several_series_have_the_sum_of_means_and_variances() {
        let two = [Expectation::new(2.0, 4.0).unwrap(), Expectation::new(3.0, f64::INFINITY).unwrap()];
        let both = Expectation::together(two);
        assert!(close(both.mean(), 5.0, 1e-12) && close(both.variance(), 6.0, 1e-12));
        let poisson = Expectation::together([two[1], two[1]]);
        assert!(close(poisson.variance(), 6.0, 1e-12));
        assert_eq!(Expectation::together([]), Expectation::new(0.0, f64::INFINITY).unwrap());
    }

    #[test]
    fn a_ward_that_never_had_any_is_sensible() {
        let never = Expectation::new(0.0, 3.0).unwrap();
        assert!(close(never.upper_tail(0), 1.0, 1e-12));
        assert!(never.upper_tail(1) <= 0.0);
        assert!(Expectation::new(f64::NAN, 1.0).is_err());
        assert!(Expectation::new(1.0, 0.0).is_err());
    }

    proptest! {
        #[test]
        fn more_incidents_are_never_more_usual(mean in 1e-6_f64..500.0, size in 0.05_f64..1e6, k in 1_u64..400) {
            let usual = Expectation::new(mean, size).unwrap();
            prop_assert!(usual.upper_tail(k + 1) <= usual.upper_tail(k) + 1e-12);
            let p = usual.upper_tail(k) - usual.upper_tail(k + 1);
            prop_assert!((p - usual.probability_of(k)).abs() < 1e-8);
            prop_assert!((0.0..=1.0).contains(&usual.mid_p_upper(k)));
        }

        #[test]
        fn the_least_count_is_the_least(mean in 1e-4_f64..200.0, size in 0.1_f64..1e6, p in 1e-9_f64..0.5) {
            let usual = Expectation::new(mean, size).unwrap();
            let k = usual.least_count_as_rare_as(p);
            prop_assert!(usual.upper_tail(k) <= p);
            prop_assert!(k == 1 || usual.upper_tail(k - 1) > p);
            for least in [1, 2, 4, k, k + 1, 3 * k] {
                prop_assert_eq!(usual.least_count_from(least, p), k.max(least));
            }
        }
    }
}
