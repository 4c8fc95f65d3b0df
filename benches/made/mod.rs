//! Wards that are made for benches: quiet weeks with old outbreaks in them.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, Poisson};

/// Weeks of a series: seven years.
pub const WEEKS: usize = 364;
/// Of them the last are judged.
pub const JUDGED: usize = 49;
/// Wards of a group.
pub const WARDS: usize = 20;

/// Mean a ward-week, dispersion, yearly amplitude (log), trend a week (log), step (week, factor).
pub type Level = (f64, f64, f64, f64, Option<(usize, f64)>);
/// Ten levels as a county has them.
pub const LEVELS: [Level; 10] = [
    (0.02, 1.2, 0.2, 0.0, None),
    (0.05, 1.2, 0.3, 0.0, None),
    (0.10, 1.3, 0.2, 0.001, None),
    (0.20, 1.3, 0.4, 0.0, None),
    (0.35, 1.5, 0.2, -0.001, None),
    (0.50, 1.5, 0.3, 0.0, Some((210, 2.0))),
    (0.80, 1.5, 0.3, 0.001, None),
    (1.20, 2.0, 0.2, 0.0, None),
    (2.00, 1.8, 0.4, 0.001, None),
    (3.00, 2.0, 0.3, 0.0, Some((180, 0.6))),
];

/// A group of wards, as daily life would count them.
pub fn wards(chance: &mut ChaCha8Rng, level: &Level) -> Vec<Vec<Option<u32>>> {
    (0..WARDS).map(|_| ward(chance, level)).collect()
}

fn ward(chance: &mut ChaCha8Rng, &(mean, dispersion, amplitude, trend, step): &Level) -> Vec<Option<u32>> {
    let rate = mean * drawn(chance, 2.0, 0.5);
    let mut counts: Vec<u32> = (0..WEEKS)
        .map(|week| {
            let season = amplitude * ((week as f64 - 26.0) * std::f64::consts::TAU / 52.0).cos();
            let stepped = step.filter(|step| week >= step.0).map_or(1.0, |step| step.1);
            let usual = rate * stepped * (season + trend * (week as f64 - 182.0)).exp();
            let lively = drawn(chance, (usual / (dispersion - 1.0)).max(1e-9), dispersion - 1.0);
            if lively > 1e-12 { Poisson::new(lively).map_or(0, |p| p.sample(chance) as u32) } else { 0 }
        })
        .collect();
    for _ in 0..chance.random_range(0..3) {
        let (start, size, weeks) =
            (chance.random_range(60..280), chance.random_range(3..11), chance.random_range(1..4));
        for _ in 0..size {
            counts[start + chance.random_range(0..weeks)] += 1;
        }
    }
    counts.into_iter().map(Some).collect()
}

fn drawn(chance: &mut impl Rng, shape: f64, scale: f64) -> f64 {
    Gamma::new(shape, scale).map_or(0.0, |gamma| gamma.sample(chance))
}
