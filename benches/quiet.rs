//! Whether the house method's probabilities are what they say on quiet data: `cargo bench --bench quiet`.
//!
//! Groups of 20 wards over seven years of weeks: ten levels from 0.02 to 3 incidents a ward-week, wards that differ
//! (gamma, coefficient of variation 0.71), season, trend, two steps in recording, over-dispersion of 1.2 to 2 through a
//! weekly gamma frailty, up to two outbreaks a ward in the past, none in the 49 weeks judged. Prints, for all and for each
//! level, the share of upper p-values at or below 0.05, 0.01, 0.001 and 0.0001, over that value: 1 is as promised.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, Poisson};
use rayon::prelude::*;
use tension_watch::detect::house::{Control, Series, judge};

const WEEKS: usize = 364;
const JUDGED: usize = 49;
const WARDS: usize = 20;
/// Groups of each level: 210 x 10 x 20 x 49 is a little more than two million ward-weeks.
const GROUPS: u64 = 210;
const AT: [f64; 4] = [0.05, 0.01, 1e-3, 1e-4];

/// Mean a ward-week, dispersion, yearly amplitude (log), trend a week (log), step (week, factor).
type Level = (f64, f64, f64, f64, Option<(usize, f64)>);
const LEVELS: [Level; 10] = [
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

fn main() {
    let control = Control::blocks(52.0);
    let mut whole = Vec::new();
    for (place, level) in LEVELS.iter().enumerate() {
        let p_values: Vec<f64> = (0..GROUPS)
            .into_par_iter()
            .flat_map_iter(|group| {
                let mut chance = ChaCha8Rng::seed_from_u64(1_000 * place as u64 + group);
                judged(&wards(&mut chance, level), &control)
            })
            .collect();
        told(&format!("mean {}", level.0), &p_values);
        whole.extend(p_values);
    }
    told("all", &whole);
}

fn judged(wards: &[Vec<Option<u32>>], control: &Control) -> Vec<f64> {
    let series: Vec<Series<'_>> = wards.iter().map(|counts| Series { counts, exposure: &[] }).collect();
    (WEEKS - JUDGED..WEEKS)
        .filter_map(|week| judge(&series, week, control))
        .flat_map(|night| night.verdicts.into_iter().flatten().map(|verdict| verdict.p_upper))
        .collect()
}

fn told(what: &str, p_values: &[f64]) {
    let share = |at: f64| p_values.iter().filter(|p| **p <= at).count() as f64 / p_values.len() as f64 / at;
    let shares: Vec<String> = AT.iter().map(|at| format!("{:.2}", share(*at))).collect();
    println!("{what:>10}: {} ward-weeks, share over nominal at {AT:?}: {}", p_values.len(), shares.join(" "));
}

fn wards(chance: &mut ChaCha8Rng, level: &Level) -> Vec<Vec<Option<u32>>> {
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
