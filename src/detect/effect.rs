//! How large an effect is: how many times what is usual, with its interval.

use super::Expectation;
use statrs::distribution::{Beta, ContinuousCDF, Gamma};

/// The central 95 % of how many times what is usual the true level of a window is, given its count; none for an
/// expectation of nothing.
///
/// The exact limits of a Poisson mean (Garwood, Biometrika 1936, 28, 437-442: gamma quantiles with shapes y and y + 1),
/// with count and mean divided by the ratio of variance to mean of what is usual, so that over-dispersion and what is not
/// known about the mean widen them (quasi-likelihood; Wedderburn, Biometrika 1974, 61, 439-447).
#[must_use]
pub fn times_usual(observed: u64, usual: Expectation) -> Option<(f64, f64)> {
    let mean = usual.mean();
    if mean <= 0.0 {
        return None;
    }
    let ratio = usual.variance() / mean;
    let limit = |count: f64, p: f64| {
        let shape = count / ratio;
        if shape <= 0.0 {
            return Some(0.0);
        }
        let times = Gamma::new(shape, 1.0).ok()?.inverse_cdf(p) * ratio / mean;
        times.is_finite().then_some(times)
    };
    Some((limit(observed as f64, 0.025)?, limit(observed as f64 + 1.0, 0.975)?))
}

/// The central 95 % of the share that so many of so many are; none of nothing.
///
/// The exact limits of a binomial chance (Clopper and Pearson, Biometrika 1934, 26, 404-413: beta quantiles with shapes y,
/// n - y + 1 and y + 1, n - y).
#[must_use]
pub fn share_of(part: u64, whole: u64) -> Option<(f64, f64)> {
    if whole == 0 || part > whole {
        return None;
    }
    let (y, n) = (part as f64, whole as f64);
    let limit = |a: f64, b: f64, p: f64| Beta::new(a, b).ok().map(|beta| beta.inverse_cdf(p));
    let low = if part > 0 { limit(y, n - y + 1.0, 0.025)? } else { 0.0 };
    let high = if part < whole { limit(y + 1.0, n - y, 0.975)? } else { 1.0 };
    Some((low, high))
}

/// How two counts compare, each against what is usual in its own time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeforeAfter {
    /// How many times as many after as before; none where there were none before.
    pub ratio: Option<f64>,
    /// The lower limit of its central 95 %.
    pub low: f64,
    /// The upper limit; none where it has none.
    pub high: Option<f64>,
}

/// Compares a count and what is usual in its time with another one before it; none where nothing is usual.
///
/// Given the sum of two Poisson counts y0 and y1 with means m0 and r m1, y1 is binomial with chance r m1 / (m0 + r m1): the exact
/// limits of that chance (Clopper and Pearson, Biometrika 1934, 26, 404-413: beta quantiles with shapes y1, y0 + 1 and y1 + 1,
/// y0) give those of r (Przyborowski and Wilenski, Biometrika 1940, 31, 313-323). `spread` is the ratio of variance to mean, at
/// least 1; counts are divided by it, as in [`times_usual`].
#[must_use]
pub fn before_and_after(before: (u64, f64), after: (u64, f64), spread: f64) -> Option<BeforeAfter> {
    if !(before.1 > 0.0 && after.1 > 0.0) {
        return None;
    }
    let spread = spread.max(1.0);
    let (y0, y1) = (before.0 as f64 / spread, after.0 as f64 / spread);
    let usual = before.1 / after.1;
    let ratio_of = |share: f64| share / (1.0 - share) * usual;
    let limit = |a: f64, b: f64, p: f64| Beta::new(a, b).ok().map(|beta| ratio_of(beta.inverse_cdf(p)));
    let low = if y1 > 0.0 { limit(y1, y0 + 1.0, 0.025)? } else { 0.0 };
    let high = if y0 > 0.0 { limit(y1 + 1.0, y0, 0.975).filter(|high| high.is_finite()) } else { None };
    Some(BeforeAfter { ratio: (y0 > 0.0).then(|| y1 / y0 * usual), low, high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_limits_of_a_poisson_mean_are_garwoods() {
        let usual = Expectation::new(1.0, f64::INFINITY).unwrap();
        // Garwood's table: 10 seen, 4.80 to 18.39.
        let (low, high) = times_usual(10, usual).unwrap();
        assert!((low - 4.795).abs() < 0.005 && (high - 18.391).abs() < 0.005, "{low} {high}");
        let (low, high) = times_usual(0, usual).unwrap();
        assert!(low.abs() < 1e-12 && (high - 3.689).abs() < 0.005);
        assert_eq!(times_usual(3, Expectation::new(0.0, 1.0).unwrap()), None);
    }

    #[test]
    fn before_and_after_are_compared_by_exact_limits() {
        // Of 12 events 3 after: Clopper and Pearson give 0.0549 to 0.5719 for 3 of 12.
        let found = before_and_after((9, 2.0), (3, 2.0), 1.0).unwrap();
        assert!((found.ratio.unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert!((found.low - 0.0549 / 0.9451).abs() < 5e-4, "{found:?}");
        assert!((found.high.unwrap() - 0.5719 / 0.4281).abs() < 5e-3, "{found:?}");
        // Twice as many usual after: half the ratio.
        let twice = before_and_after((9, 2.0), (3, 4.0), 1.0).unwrap();
        assert!((twice.ratio.unwrap() - 1.0 / 6.0).abs() < 1e-12);
        let none = before_and_after((0, 2.0), (0, 2.0), 1.0).unwrap();
        assert_eq!((none.ratio, none.low, none.high), (None, 0.0, None));
        assert_eq!(before_and_after((3, 0.0), (3, 1.0), 1.0), None);
    }

    #[test]
    fn the_limits_of_a_share_are_those_of_clopper_and_pearson() {
        let (low, high) = share_of(3, 12).unwrap();
        assert!((low - 0.0549).abs() < 5e-5 && (high - 0.5719).abs() < 5e-5, "{low} {high}");
        assert!(share_of(0, 5).unwrap().0 <= 0.0);
        assert!(share_of(5, 5).unwrap().1 >= 1.0);
        assert_eq!((share_of(0, 0), share_of(3, 2)), (None, None));
    }

    proptest! {
        #[test]
        fn the_interval_of_a_ratio_holds_it_and_widens_with_variation(
            y0 in 0_u64..10_000, y1 in 0_u64..10_000, m0 in 1e-3_f64..1e3, m1 in 1e-3_f64..1e3, spread in 1.0_f64..20.0,
        ) {
            let found = before_and_after((y0, m0), (y1, m1), spread).unwrap();
            let plain = before_and_after((y0, m0), (y1, m1), 1.0).unwrap();
            if let Some(ratio) = found.ratio {
                prop_assert!(found.low <= ratio * (1.0 + 1e-6));
                prop_assert!(found.high.is_none_or(|high| ratio <= high * (1.0 + 1e-6)));
            }
            prop_assert!(found.low <= plain.low * (1.0 + 1e-6));
        }

        #[test]
        fn the_interval_holds_the_estimate_and_widens_with_variation(
            seen in 0_u64..100_000, mean in 1e-4_f64..1e4, size in 0.05_f64..1e6,
        ) {
            let varied = times_usual(seen, Expectation::new(mean, size).unwrap());
            let poisson = times_usual(seen, Expectation::new(mean, f64::INFINITY).unwrap());
            let (Some(varied), Some(poisson)) = (varied, poisson) else {
                return Err(TestCaseError::fail("no interval"));
            };
            let estimate = seen as f64 / mean;
            prop_assert!(varied.0 <= estimate * (1.0 + 1e-6) && estimate <= varied.1 * (1.0 + 1e-6));
            prop_assert!(varied.0 <= poisson.0 * (1.0 + 1e-6));
        }
    }
}
