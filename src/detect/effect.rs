//! How large an effect is: how many times what is usual, with its interval.

use super::Expectation;
use statrs::distribution::{ContinuousCDF, Gamma};

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

    proptest! {
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
