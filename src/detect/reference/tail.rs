//! Tails and quantiles of a count with a mean and an overdispersion.

use statrs::function::gamma::checked_gamma_ur;

use super::bound::normal_tail;

/// A count with variance phi times mean: negative binomial with size mean / (phi - 1), or Poisson when phi is 1.
///
/// Probabilities are sums of weights that follow from that of the mode by p(i + 1) / p(i) =
/// (mean / phi + i (1 - 1 / phi)) / (i + 1), divided by the sum of all. This holds for both distributions, is exact to
/// rounding, and has no limit to take as phi goes to 1. Source: Johnson, Kemp and Kotz, Univariate Discrete
/// Distributions, 3rd ed. 2005, section 2.3 (the Katz family).
#[derive(Debug, Clone, Copy)]
pub(super) struct CountTail {
    mean: f64,
    phi: f64,
}

/// Weights below this share of the largest no longer change a sum.
const NOTHING: f64 = 1e-18;
/// Wider distributions (in cases) are taken as gamma: summing takes long, and steps of one case no longer matter.
const WIDE: f64 = 2e4;
/// Counts this far above the mode are not walked to; the gamma tail is as good as nothing there too.
const FAR: u64 = 2_000_000;
/// A product of ratios below this is nothing. Further down a float no longer shrinks, and the walk would not end.
const LEAST: f64 = 1e-300;

impl CountTail {
    /// `None` unless the mean is finite and not negative, and phi finite and at least 1.
    pub(super) fn new(mean: f64, phi: f64) -> Option<Self> {
        (mean.is_finite() && mean >= 0.0 && phi.is_finite() && phi >= 1.0).then_some(Self { mean, phi })
    }

    /// P(Y >= count).
    pub(super) fn at_least(&self, count: u64) -> f64 {
        if count == 0 {
            return 1.0;
        }
        let mode = self.mode();
        if self.is_wide() || count > mode.saturating_add(FAR) {
            return self.wide_tail(count as f64);
        }
        let from_mode = self.sum_up(mode, 1.0);
        let tail = if count <= mode {
            from_mode + self.sum_down(mode, count)
        } else {
            let mut weight = 1.0;
            for i in mode..count {
                weight *= self.ratio(i);
                if weight < LEAST {
                    return 0.0;
                }
            }
            self.sum_up(count, weight)
        };
        (tail / (from_mode + self.sum_down(mode, 0))).min(1.0)
    }

    /// The least count with P(Y > count) <= `alpha`: the quantile 1 - alpha. `alpha` of 1e-12 or more.
    pub(super) fn quantile(&self, alpha: f64) -> f64 {
        if self.is_wide() {
            return self.wide_quantile(alpha);
        }
        let mode = self.mode();
        let total = self.sum_up(mode, 1.0) + self.sum_down(mode, 0);
        // R grants a relative rounding error too, so that a tail that is alpha exactly is small enough.
        let enough = alpha * (1.0 + 1e-12) * total;
        // From where nothing is left, come down until too much is.
        let (mut count, mut weight) = (mode, 1.0);
        while weight * self.ratio(count) > NOTHING {
            weight *= self.ratio(count);
            count += 1;
        }
        let mut tail = weight;
        while tail <= enough && count > 0 {
            count -= 1;
            weight /= self.ratio(count);
            tail += weight;
        }
        count as f64
    }

    /// p(i + 1) / p(i).
    fn ratio(&self, i: u64) -> f64 {
        let i = i as f64;
        (self.mean / self.phi + i * (1.0 - 1.0 / self.phi)) / (i + 1.0)
    }

    /// The most probable count: the last one whose ratio from below is at least 1.
    fn mode(&self) -> u64 {
        (self.mean - self.phi + 1.0).max(0.0) as u64
    }

    /// Sum of the weights of `count` and more, if its own is `weight`.
    fn sum_up(&self, mut count: u64, mut weight: f64) -> f64 {
        let mut sum = 0.0;
        while weight > NOTHING * sum {
            sum += weight;
            weight *= self.ratio(count);
            count += 1;
        }
        sum
    }

    /// Sum of the weights of `least..mode`, if that of the mode is 1.
    fn sum_down(&self, mode: u64, least: u64) -> f64 {
        let (mut sum, mut weight) = (0.0, 1.0);
        for count in (least..mode).rev() {
            weight /= self.ratio(count);
            if weight <= NOTHING {
                break;
            }
            sum += weight;
        }
        sum
    }

    fn is_wide(&self) -> bool {
        (self.mean * self.phi).sqrt() + self.phi > WIDE
    }

    /// The gamma distribution with the same mean and variance, with a continuity correction; from shape 1e4 on by its
    /// normal cube root (Wilson and Hilferty, PNAS 1931, 17, 684-688).
    fn wide_tail(&self, count: f64) -> f64 {
        let shape = self.mean / self.phi;
        let x = count - 0.5;
        if x <= 0.0 {
            return 1.0;
        }
        if shape > 1e4 {
            let spread = 1.0 / (9.0 * shape);
            return normal_tail(((x / self.mean).cbrt() - (1.0 - spread)) / spread.sqrt());
        }
        checked_gamma_ur(shape, x / self.phi).map_or(0.0, |tail| tail.clamp(0.0, 1.0))
    }

    fn wide_quantile(&self, alpha: f64) -> f64 {
        let mut high = self.mean.max(1.0);
        while self.wide_tail(high + 1.0) > alpha && high < f64::MAX / 4.0 {
            high *= 2.0;
        }
        let mut low = 0.0;
        while high - low > 1.0_f64.max(high * 1e-15) {
            let middle = f64::midpoint(low, high);
            if self.wide_tail(middle + 1.0) > alpha { low = middle } else { high = middle }
        }
        high.ceil()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, relative: f64) -> bool {
        (a - b).abs() <= relative * b.abs()
    }

    #[test]
    fn tails_agree_with_values_worked_by_hand() {
        let poisson = CountTail::new(2.0, 1.0).unwrap();
        let below = 1.0 + 2.0 + 2.0 + 4.0 / 3.0 + 2.0 / 3.0 + 4.0 / 15.0;
        assert!(close(poisson.at_least(6), 1.0 - (-2.0_f64).exp() * below, 1e-13));
        assert!(close(poisson.quantile(0.01), 6.0, 0.0));
        // phi 3 and mean 2: size 1, geometric with P(Y >= k) = (2 / 3)^k.
        let geometric = CountTail::new(2.0, 3.0).unwrap();
        assert!(close(geometric.at_least(9), (2.0_f64 / 3.0).powi(9), 1e-13));
        // The least k with (2/3)^(k + 1) <= 4/9 is 1: an exact tie.
        assert!(close(geometric.quantile(4.0 / 9.0), 1.0, 0.0));
    }

    #[test]
    fn a_mean_of_nothing_is_defined() {
        let never = CountTail::new(0.0, 1.0).unwrap();
        assert!(never.at_least(1) <= 0.0);
        assert!(never.quantile(0.01) <= 0.0);
        assert!(close(CountTail::new(1e-60, 3.0).unwrap().at_least(1), 1e-60 * 3.0_f64.ln() / 2.0, 1e-12));
        assert!(CountTail::new(f64::INFINITY, 1.0).is_none());
        assert!(CountTail::new(1.0, f64::NAN).is_none());
    }

    #[test]
    fn wide_and_narrow_meet() {
        let phi = 4.0;
        let mean = (WIDE - phi).powi(2) / phi;
        let (narrow, wide) =
            (CountTail::new(mean * 0.9999, phi).unwrap(), CountTail::new(mean * 1.0001, phi).unwrap());
        assert!(!narrow.is_wide() && wide.is_wide());
        let far = mean + 2.5 * WIDE;
        assert!(close(narrow.at_least((far * 0.9999) as u64), wide.at_least((far * 1.0001) as u64), 1e-2));
        assert!(close(narrow.quantile(0.01) / 0.9999, wide.quantile(0.01) / 1.0001, 1e-6));
    }

    proptest! {
        #[test]
        fn the_quantile_is_the_least(mean in 1e-6_f64..2000.0, phi in 1.0_f64..30.0, alpha in 1e-6_f64..0.5) {
            let tail = CountTail::new(mean, phi).unwrap();
            let k = tail.quantile(alpha) as u64;
            prop_assert!(tail.at_least(k + 1) <= alpha * (1.0 + 1e-9));
            prop_assert!(tail.at_least(k) > alpha * (1.0 - 1e-9));
        }

        #[test]
        fn anything_ends_and_is_a_probability(log_mean in -300.0_f64..300.0, log_phi in 0.0_f64..300.0, y: u32) {
            let tail = CountTail::new(10.0_f64.powf(log_mean), 10.0_f64.powf(log_phi)).unwrap();
            prop_assert!((0.0..=1.0).contains(&tail.at_least(u64::from(y))));
            prop_assert!(tail.quantile(0.01).is_finite());
        }
    }
}
