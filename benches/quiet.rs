//! Whether the house method's probabilities are what they say on quiet data: `cargo bench --bench quiet`.
//!
//! Groups of 20 wards over seven years of weeks: ten levels from 0.02 to 3 incidents a ward-week, wards that differ
//! (gamma, coefficient of variation 0.71), season, trend, two steps in recording, over-dispersion of 1.2 to 2 through a
//! weekly gamma frailty, up to two outbreaks a ward in the past, none in the 49 weeks judged. Prints, for all and for each
//! level, the share of upper p-values at or below 0.05, 0.01, 0.001 and 0.0001, over that value: 1 is as promised.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tension_watch::detect::house::{Control, Series, judge};

mod made;
use made::{JUDGED, LEVELS, WEEKS, wards};

/// Groups of each level: 210 x 10 x 20 x 49 is a little more than two million ward-weeks.
const GROUPS: u64 = 210;
const AT: [f64; 4] = [0.05, 0.01, 1e-3, 1e-4];

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
