//! What 10,000 series cost by Farrington flexible, one week each: `cargo bench --bench reference`.
//!
//! `TENSION_WATCH_SERIES` names a CSV file with scenario,replicate,week,count of 300 weeks and more; without it series
//! of our own are used. One core; the machine is shared, so compare figures of one run only.

use rand::SeedableRng;
use rand_distr::{Distribution, Poisson};
use std::{collections::BTreeMap, hint::black_box, time::Instant};
use tension_watch::detect::reference::{Control, History, Method, judge};

const SERIES: usize = 10_000;
const CONTROL: &str = r#"{"b": 5, "w": 3, "noPeriods": 10, "trend": true, "pThresholdTrend": 1, "reweight": true,
    "pastWeeksNotIncluded": 26, "limit54": [0, 4], "alpha": 0.01, "thresholdMethod": "METHOD"}"#;

type Counts = Vec<Option<u64>>;

fn main() {
    let all = std::env::var("TENSION_WATCH_SERIES").map_or_else(|_| made(), |path| read(&path));
    for method in ["delta", "nbPlugin", "muan"] {
        let control = Control::from_json(Method::FarringtonFlexible, &CONTROL.replace("METHOD", method));
        let control = control.expect("a control");
        let began = Instant::now();
        let mut alarms = 0;
        for series in 0..SERIES {
            let counts = &all[series % all.len()];
            let end = 300 + series * 7 % (counts.len() - 300);
            let history = History::indexed(&counts[..end], 52).expect("a history");
            let verdicts = judge(&history, &control, history.last(1)).expect("verdicts");
            alarms += verdicts.iter().filter(|verdict| verdict.alarm).count();
            black_box(verdicts);
        }
        let seconds = began.elapsed().as_secs_f64();
        println!("farrington-flexible {method}: {SERIES} series x 1 week in {seconds:.2} s, {alarms} alarms");
    }
}

fn read(path: &str) -> Vec<Counts> {
    let mut series: BTreeMap<(String, String), Counts> = BTreeMap::new();
    for row in csv::Reader::from_path(path).expect("the file opens").records() {
        let row = row.expect("a row");
        series.entry((row[0].to_owned(), row[1].to_owned())).or_default().push(row[3].parse().ok());
    }
    series.into_values().collect()
}

/// Seven levels from 0.1 to 150 a week, with a season.
fn made() -> Vec<Counts> {
    let mut chance = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    (0..420)
        .map(|series| {
            let level = [0.1, 0.5, 1.5, 4.0, 12.0, 40.0, 150.0][series % 7];
            (0..624)
                .map(|week| {
                    let season = (f64::from(week) * std::f64::consts::TAU / 52.0).cos();
                    let usual = Poisson::new(level * (0.4 * season).exp()).expect("a mean above zero");
                    Some(usual.sample(&mut chance) as u64)
                })
                .collect()
        })
        .collect()
}
