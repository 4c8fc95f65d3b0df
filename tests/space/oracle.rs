//! Reference answers in space and time, from the folder `spatial` in the one named by `TENSION_WATCH_ORACLE`.

use std::{collections::BTreeMap, fs, path::PathBuf};
use tension_watch::{
    cluster::{Point, Reach, Role, st_dbscan},
    import::read_areas,
    locate::Boundaries,
    model::Place,
};

/// The folder of one kind of answers; says loudly when there is none.
pub fn folder(kind: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TENSION_WATCH_ORACLE");
    if folder.is_none() {
        eprintln!("SKIPPED {kind}: TENSION_WATCH_ORACLE names no folder of reference answers");
    }
    folder.map(|folder| PathBuf::from(folder).join("spatial").join(kind))
}

pub fn rows(path: PathBuf) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("the file opens");
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Days since 1 March of the year 0.
pub fn day(date: &str) -> i32 {
    let parts: Vec<i32> = date.split('-').map(|part| part.parse().expect("a number")).collect();
    let (year, month) = if parts[1] < 3 { (parts[0] - 1, parts[1] + 9) } else { (parts[0], parts[1] - 3) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + parts[2]
}

#[test]
fn every_clustering_case_agrees() {
    let Some(folder) = folder("clustering") else { return };
    let index = fs::read_to_string(folder.join("index.json")).expect("an index");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&index).expect("JSON");
    assert!(!cases.is_empty());
    for case in cases {
        let number = |key: &str| case[key].as_u64();
        let days = number("eps_days");
        let points: Vec<Point> = rows(folder.join(case["points"].as_str().unwrap()))
            .iter()
            .map(|row| Point {
                easting: row[1].parse().unwrap(),
                northing: row[2].parse().unwrap(),
                day: days.map_or(0, |_| day(&row[3])),
            })
            .collect();
        let reach = Reach::new(
            number("eps_m").unwrap() as u32,
            days.unwrap_or(0) as u32,
            number("min_pts").unwrap() as usize,
        );
        let roles = st_dbscan(&points, reach.unwrap());
        let labels = rows(folder.join(case["labels"].as_str().unwrap()));
        assert_eq!(labels.len(), roles.len());
        let (mut names, mut back) = (BTreeMap::new(), BTreeMap::new());
        for (row, role) in labels.iter().zip(&roles) {
            if let Role::Core(cluster) = role {
                assert_eq!(*names.entry(row[2].clone()).or_insert(*cluster), *cluster, "{case}");
                assert_eq!(*back.entry(*cluster).or_insert(row[2].clone()), row[2], "{case}");
            }
        }
        for (row, role) in labels.iter().zip(&roles) {
            match role {
                Role::Core(_) => assert_eq!(row[1], "core", "{case}"),
                Role::Border(cluster) => {
                    assert!(
                        row[1] == "border" && row[2].split('|').any(|name| names[name] == *cluster),
                        "{case}"
                    );
                }
                Role::Noise => assert_eq!(row[1], "noise", "{case}"),
            }
        }
    }
}

#[test]
fn every_point_is_in_its_ward() {
    let Some(folder) = folder("pip") else { return };
    let text = fs::read_to_string(folder.join("wards.geojson")).expect("the file opens");
    let boundaries = Boundaries::new(read_areas(&text, "ward", None).unwrap());
    let points = rows(folder.join("points.csv"));
    assert!(!points.is_empty());
    for row in points {
        let (easting, northing) = (row[1].parse().unwrap(), row[2].parse().unwrap());
        let place = Place { lon: f64::NAN, lat: f64::NAN, easting, northing };
        assert_eq!(boundaries.ward_of(&place).unwrap_or_default(), row[6], "{row:?}");
    }
}
