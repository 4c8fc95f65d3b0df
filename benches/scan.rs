//! What the space-time permutation scan costs: `cargo bench --bench scan`.
//!
//! Counties are made: 25 towns over 60 x 50 km, the first the largest, places around them with unequal shares of the
//! cases, a year of days. Circles up to 5 km, windows up to 30 days that end on the last day, 999 replications.
//! `RAYON_NUM_THREADS` sets the threads. The machine is shared, so compare figures of one run only.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{hint::black_box, time::Instant};
use tension_watch::cluster::{
    Point,
    scan::{Centres, Limits, Mode, Plan, scan},
};

fn main() {
    for (cases, places) in [(2_020, 413), (10_030, 2_000)] {
        let events = county(cases, places);
        let plan = Plan {
            limits: Limits { metres: 5_000, days: 30, share: 0.5, least_cases: 2 },
            first_day: 0,
            last_day: 364,
            mode: Mode::Alive,
            centres: Centres::Places,
            replications: 999,
            seed: 1,
            stop_early: None,
        };
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let began = Instant::now();
            black_box(scan(black_box(&events), &plan).expect("a scan"));
            best = best.min(began.elapsed().as_secs_f64());
        }
        println!("{cases} cases at {places} places, 999 replications: {:.1} ms", best * 1e3);
    }
}

fn county(cases: usize, places: usize) -> Vec<Point> {
    let mut chance = ChaCha8Rng::seed_from_u64(cases as u64);
    let mut normal = move || {
        let (a, b): (f64, f64) = (chance.random_range(1e-12..1.0), chance.random_range(0.0..1.0));
        (-2.0 * a.ln()).sqrt() * (b * std::f64::consts::TAU).cos()
    };
    let mut chance = ChaCha8Rng::seed_from_u64(places as u64);
    let towns: Vec<(f64, f64)> = (0..25)
        .map(|_| {
            (430_000.0 + chance.random_range(0.0..60_000.0), 280_000.0 + chance.random_range(0.0..50_000.0))
        })
        .collect();
    let mut share = 0.0;
    let all: Vec<(i32, i32, f64)> = (0..places)
        .map(|_| {
            // The square of a uniform number crowds the first towns.
            let town = (25.0 * chance.random_range(0.0_f64..1.0).powi(2)) as usize;
            let spread = if town == 0 { 3_500.0 } else { 1_500.0 };
            let (east, north) = (towns[town].0 + spread * normal(), towns[town].1 + spread * normal());
            share += (0.8 * normal()).exp();
            (east as i32, north as i32, share)
        })
        .collect();
    (0..cases)
        .map(|case| {
            let at = chance.random_range(0.0..share);
            let place = if case < places { case } else { all.partition_point(|place| place.2 < at) };
            let (easting, northing, _) = all[place.min(places - 1)];
            Point { easting, northing, day: chance.random_range(0..365) }
        })
        .collect()
}
