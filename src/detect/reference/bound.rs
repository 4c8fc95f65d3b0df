//! From a predicted mean to a threshold and a p-value, by a normal distribution on a power scale.

use std::f64::consts::SQRT_2;

use statrs::function::erf::{erfc, erfc_inv};

use super::PowerTransform;

/// P(Z > z) for a standard normal Z.
pub(super) fn normal_tail(z: f64) -> f64 {
    0.5 * erfc(z / SQRT_2)
}

/// The z with P(Z > z) = `alpha`.
pub(super) fn normal_quantile(alpha: f64) -> f64 {
    SQRT_2 * erfc_inv(2.0 * alpha)
}

/// A prediction that is normal after raising to a power.
///
/// Variance of a new count minus its prediction: mu tau, tau = phi + var(mu) / mu. By the delta method the standard
/// error of y^(2/3) is sqrt(4/9 mu^(1/3) tau), of y^(1/2) sqrt(tau / 4), of y itself sqrt(mu tau).
/// Source: Farrington et al., JRSS A 1996, 159, 547-563.
#[derive(Debug, Clone, Copy)]
pub(super) struct PowerBound {
    /// The mean to the power.
    middle: f64,
    spread: f64,
    power: f64,
}

impl PowerBound {
    /// Takes the mean, its variance (cases²) and the overdispersion.
    pub(super) fn new(mean: f64, variance: f64, phi: f64, scale: PowerTransform) -> Self {
        let tau = phi + variance / mean;
        let (power, spread) = match scale {
            PowerTransform::TwoThirds => (2.0 / 3.0, (4.0 / 9.0 * mean.cbrt() * tau).sqrt()),
            PowerTransform::Half => (0.5, (tau / 4.0).sqrt()),
            PowerTransform::None => (1.0, (mean * tau).sqrt()),
        };
        Self { middle: mean.powf(power), spread, power }
    }

    /// The count that is exceeded with probability `alpha`.
    pub(super) fn upper(&self, alpha: f64) -> f64 {
        (self.middle + normal_quantile(alpha) * self.spread).max(0.0).powf(1.0 / self.power)
    }

    /// P(this count or more), without continuity correction; NaN when nothing varies.
    pub(super) fn tail(&self, count: f64) -> f64 {
        normal_tail((count.powf(self.power) - self.middle) / self.spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_exact_to_ten_digits() {
        for (alpha, z) in
            [(0.01, 2.326_347_874_040_841), (0.005, 2.575_829_303_548_901), (0.3, 0.524_400_512_708_041)]
        {
            assert!((normal_quantile(alpha) - z).abs() < 1e-10);
            assert!((normal_tail(z) - alpha).abs() < 1e-12);
        }
    }

    #[test]
    fn a_square_root_scale_is_worked_by_hand() {
        // Mean 9, variance of the mean 9, phi 1: tau 2, spread sqrt(1/2); 3 + 2 spread squared.
        let bound = PowerBound::new(9.0, 9.0, 1.0, PowerTransform::Half);
        let alpha = normal_tail(2.0);
        assert!((bound.upper(alpha) - (3.0 + 2.0_f64.sqrt()).powi(2)).abs() < 1e-9);
        assert!((bound.tail((3.0 + 2.0_f64.sqrt()).powi(2)) - alpha).abs() < 1e-12);
    }
}
