//! Draws from stated distributions.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp, Gamma, Poisson};

/// Chance, from one seed.
pub(super) type Chance = ChaCha8Rng;

/// True with a probability.
pub(super) fn happens(chance: &mut Chance, probability: f64) -> bool {
    chance.random::<f64>() < probability
}

/// A whole number with a Poisson mean.
pub(super) fn poisson(chance: &mut Chance, mean: f64) -> u32 {
    Poisson::new(mean).map_or(0, |of| of.sample(chance) as u32)
}

/// A factor around 1: gamma with this shape.
pub(super) fn gamma(chance: &mut Chance, shape: f64) -> f64 {
    Gamma::new(shape, 1.0 / shape).map_or(1.0, |of| of.sample(chance))
}

/// Days, exponential with this mean.
pub(super) fn days(chance: &mut Chance, mean: f64) -> f64 {
    Exp::new(1.0 / mean).map_or(mean, |of| of.sample(chance))
}

/// A place of a list of weights.
pub(super) fn weighted(chance: &mut Chance, weights: &[f64]) -> usize {
    let mut left = chance.random::<f64>() * weights.iter().sum::<f64>();
    for (place, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return place;
        }
    }
    weights.len().saturating_sub(1)
}

/// A number in a range.
pub(super) fn between(chance: &mut Chance, low: f64, high: f64) -> f64 {
    low + (high - low) * chance.random::<f64>()
}

/// A point at most so many metres from another, evenly over the disc.
pub(super) fn near(chance: &mut Chance, centre: (f64, f64), metres: f64) -> (f64, f64) {
    let (angle, out) = (between(chance, 0.0, std::f64::consts::TAU), metres * chance.random::<f64>().sqrt());
    (centre.0 + out * angle.cos(), centre.1 + out * angle.sin())
}
