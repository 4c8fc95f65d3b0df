//! What the house method costs: `cargo bench --bench house`.
//!
//! Groups of wards over five years of weeks, the last week judged: one county, and the wards of England and Wales by
//! police force, for seven series each (six strands and all together). The machine is shared: compare figures of one run.

use rand::SeedableRng;
use rand_distr::{Distribution, Gamma, Poisson};
use rayon::prelude::*;
use std::time::Instant;
use tension_watch::detect::house::{Control, Series, judge};

const WEEKS: usize = 261;
/// Incidents a ward-week by strand, about those of Leicestershire; the last is all together.
const MEANS: [f64; 7] = [0.21, 0.016, 0.03, 0.02, 0.005, 0.004, 0.27];

fn main() {
    for (what, groups, wards) in [
        ("a county: 176 wards x 7 series", 1, 176),
        ("England and Wales: 43 forces, 8,000 wards x 7 series", 43, 186),
    ] {
        let made: Vec<Vec<Vec<Option<u32>>>> = (0..groups * MEANS.len())
            .map(|group| group_of(group as u64, wards, MEANS[group % MEANS.len()]))
            .collect();
        let began = Instant::now();
        let control = Control::blocks(365.25 / 7.0);
        let judged: usize = made
            .par_iter()
            .map(|group| {
                let series: Vec<Series<'_>> =
                    group.iter().map(|counts| Series { counts, exposure: &[] }).collect();
                judge(&series, WEEKS - 1, &control).map_or(0, |night| night.verdicts.len())
            })
            .sum();
        println!("{what}: {judged} series in {:.2} s", began.elapsed().as_secs_f64());
    }
}

fn group_of(seed: u64, wards: usize, mean: f64) -> Vec<Vec<Option<u32>>> {
    let mut chance = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let differ = Gamma::new(1.5, 1.0 / 1.5).expect("a shape above zero");
    (0..wards)
        .map(|_| {
            let rate = mean * differ.sample(&mut chance);
            (0..WEEKS)
                .map(|week| {
                    let season = (0.2 * (week as f64 * std::f64::consts::TAU / 52.18).cos()).exp();
                    let usual = Poisson::new((rate * season).max(1e-9)).expect("a mean above zero");
                    Some(usual.sample(&mut chance) as u32)
                })
                .collect()
        })
        .collect()
}
