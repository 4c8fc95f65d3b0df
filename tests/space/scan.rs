//! The permutation scan against `SaTScan` 10.3.2 on two counties, where the reference answers are at hand.

use super::oracle::folder;
use std::{collections::BTreeMap, fs, path::Path};
use tension_watch::cluster::{
    Point,
    scan::{Centres, Limits, Mode, Plan, ScanWindow, scan},
};

struct County {
    places: Vec<(i32, i32)>,
    events: Vec<Point>,
    expected: serde_json::Value,
}

fn county(folder: &Path) -> County {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let rows = |text: &str| -> Vec<Vec<String>> {
        text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let number = |field: &str| field.parse::<i32>().unwrap();
    let places: Vec<(i32, i32)> =
        rows(&read("locations.csv")).iter().map(|row| (number(&row[1]), number(&row[2]))).collect();
    let events = rows(&read("cases.csv"))
        .iter()
        .map(|row| {
            let (easting, northing) = places[row[1].parse::<usize>().unwrap()];
            let [year, month, day] = [0, 1, 2].map(|part| number(row[2].split('-').nth(part).unwrap()));
            Point { easting, northing, day: day_of(year, month, day) }
        })
        .collect();
    County { places, events, expected: serde_json::from_str(&read("expected.json")).unwrap() }
}

/// Days since the first of January 2024, in that year.
fn day_of(year: i32, month: i32, day: i32) -> i32 {
    assert_eq!(year, 2024);
    [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30].iter().take(month as usize - 1).sum::<i32>() + day - 1
}

#[test]
fn clusters_and_probabilities_are_those_of_satscan() {
    let Some(root) = folder("stp") else { return };
    for name in ["dev_a", "dev_b"] {
        let county = county(&root.join(name));
        let told = |key: &str| county.expected["definition"][key].as_f64().unwrap();
        let study = told("study_days") as i32;
        let limits = Limits {
            metres: told("max_radius_m") as u32,
            days: told("max_days") as u32,
            share: told("max_fraction_of_cases_in_zone"),
            least_cases: told("min_cases") as u32,
        };
        let plan = Plan {
            limits,
            first_day: 0,
            last_day: study - 1,
            mode: Mode::Alive,
            centres: Centres::Places,
            replications: 19_999,
            seed: 7,
            stop_early: None,
        };
        let found = scan(&county.events, &plan).unwrap();
        let by_zone: BTreeMap<Vec<usize>, &ScanWindow> =
            found.clusters.iter().map(|cluster| (zone(&county, cluster), cluster)).collect();
        for (rank, known) in county.expected["clusters"].as_array().unwrap().iter().enumerate() {
            let places: Vec<usize> = known["locations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|id| id.as_u64().unwrap() as usize)
                .collect();
            let cluster = by_zone[&places];
            assert_eq!(*cluster, found.clusters[rank], "{name}: another order");
            let days: Vec<i32> = known["time_frame"]
                .as_str()
                .unwrap()
                .split(" to ")
                .map(|date| {
                    let part: Vec<i32> = date.split('/').map(|part| part.parse().unwrap()).collect();
                    day_of(part[0], part[1], part[2])
                })
                .collect();
            assert_eq!([cluster.first_day, cluster.last_day], days[..], "{name}");
            assert_eq!(u64::from(cluster.observed), known["cases"].as_u64().unwrap());
            assert!((cluster.expected - known["expected"].as_f64().unwrap()).abs() <= 0.005 + 1e-9);
            assert!((cluster.llr - known["llr"].as_f64().unwrap()).abs() < 1e-5);
            // The same places may fit a tighter circle about another centre.
            assert!(cluster.radius_metres <= known["radius_m"].as_f64().unwrap() + 0.005);
            let p: f64 = known["p"].as_str().unwrap().parse().unwrap();
            let error = 3.0 * (p * (1.0 - p) / 1000.0).sqrt() + 0.001;
            assert!((cluster.p - p).abs() <= error, "{name}: {} against {p}", cluster.p);
        }
        let brute = &county.expected["brute_force"];
        let first = &found.clusters[0];
        assert!((first.llr - brute["llr"].as_f64().unwrap()).abs() < 1e-9);
        assert!((first.expected - brute["expected"].as_f64().unwrap()).abs() < 1e-9);
        assert!((first.radius_metres - brute["radius_m"].as_f64().unwrap()).abs() < 1e-9);
        // The share of our maxima below each of SaTScan's quantiles; SaTScan's are of a sample of 999.
        for (share, height) in county.expected["null_llr_quantiles"].as_object().unwrap() {
            let (share, height) = (share.parse::<f64>().unwrap(), height.as_f64().unwrap());
            let below = found.maxima.partition_point(|ratio| *ratio <= height) as f64 / 19_999.0;
            let error = 3.0 * (share * (1.0 - share) / 999.0).sqrt() + 0.001;
            assert!((below - share).abs() <= error, "{name}: {below} below the quantile of {share}");
        }
    }
}

fn squared(a: [i64; 2], b: [i64; 2]) -> i64 {
    (a[0] - b[0]).pow(2) + (a[1] - b[1]).pow(2)
}

/// The numbers of a cluster's places.
fn zone(county: &County, cluster: &ScanWindow) -> Vec<usize> {
    let centre = [cluster.centre.0.into(), cluster.centre.1.into()];
    let reach = (cluster.radius_metres * cluster.radius_metres).round() as i64;
    let cases: Vec<[i64; 2]> =
        county.events.iter().map(|event| [event.easting.into(), event.northing.into()]).collect();
    (0..county.places.len())
        .filter(|&place| {
            let point = [county.places[place].0.into(), county.places[place].1.into()];
            squared(point, centre) <= reach && cases.contains(&point)
        })
        .collect()
}
