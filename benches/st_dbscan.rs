//! What ST-DBSCAN costs, and one night's points added to a million: `cargo bench --bench st_dbscan`.
//!
//! Counties are made: towns scattered over a square, each with a spread of 0.3 to 1.5 km, some far larger than others;
//! a quarter of the incidents come in runs of up to ten, within 200 m and ten days. 10,000 in two years and
//! 100,000 in twenty on 50 x 50 km, 1,000,000 in twenty years on 158 x 158 km and, ten times as dense, on 50 x 50.
//! `RAYON_NUM_THREADS` sets the threads. `TENSION_WATCH_POINTS` names a folder to leave points and roles in, for
//! `benches/peers/st_dbscan.py`. The machine is shared, so compare figures of one run only.

use std::{fmt::Write as _, fs, hint::black_box, path::Path, time::Instant};
use tension_watch::cluster::{Clustering, Point, Reach, Role, st_dbscan};

fn main() {
    let reach = Reach::new(500, 14, 5).expect("a reach");
    let folder = std::env::var("TENSION_WATCH_POINTS").ok().filter(|folder| !folder.is_empty());
    let sets = [
        ("10k", 10_000, 2, 50_000.0),
        ("100k", 100_000, 20, 50_000.0),
        ("1m", 1_000_000, 20, 158_000.0),
        ("1m-dense", 1_000_000, 20, 50_000.0),
    ];
    for (name, count, years, extent) in sets {
        let points = county(count, years * 365, extent);
        let mut best = f64::INFINITY;
        let mut roles = Vec::new();
        for _ in 0..5 {
            let began = Instant::now();
            roles = st_dbscan(black_box(&points), reach);
            best = best.min(began.elapsed().as_secs_f64());
        }
        let core = roles.iter().filter(|role| matches!(role, Role::Core(_))).count();
        let noise = roles.iter().filter(|role| **role == Role::Noise).count();
        let clusters = roles.iter().filter_map(|role| role.cluster()).max().map_or(0, |last| last + 1);
        println!(
            "{name}: {:.2} ms, {clusters} clusters, {core} core, {noise} noise; peak {}",
            best * 1e3,
            peak()
        );
        if let Some(folder) = &folder {
            save(&Path::new(folder).join(format!("{name}.csv")), &points, &roles);
        }
        nightly(&points, reach);
    }
}

/// Adds the last 9,000 points, 300 at a time.
fn nightly(points: &[Point], reach: Reach) {
    let (old, new) = points.split_at(points.len() - 9_000);
    let mut clustering = Clustering::new(old, reach);
    let mut times = Vec::new();
    for night in new.chunks(300) {
        let began = Instant::now();
        clustering.insert(night);
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let worst = times.last().copied().unwrap_or_default();
    println!("  300 points more: {:.3} ms, at worst {worst:.3} ms", times[times.len() / 2]);
}

fn save(path: &Path, points: &[Point], roles: &[Role]) {
    let mut rows = String::from("easting,northing,day,kind,cluster\n");
    for (Point { easting, northing, day }, role) in points.iter().zip(roles) {
        let kind = match role {
            Role::Core(_) => "core",
            Role::Border(_) => "border",
            Role::Noise => "noise",
        };
        let cluster = role.cluster().map_or(String::new(), |cluster| cluster.to_string());
        writeln!(rows, "{easting},{northing},{day},{kind},{cluster}").expect("a row");
    }
    fs::write(path, rows).expect("the file is written");
}

fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim().into()
}

/// Numbers from 0 to 1, the same on every machine: `SplitMix64`.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

fn county(count: usize, days: i32, extent: f64) -> Vec<Point> {
    let mut chance = Chance(7);
    // 300 towns on 50 x 50 km.
    let towns = (300.0 * (extent / 50_000.0).powi(2)) as usize;
    let centres: Vec<[f64; 3]> = (0..towns)
        .map(|_| [chance.unit() * extent, chance.unit() * extent, 300.0 + 1200.0 * chance.unit()])
        .collect();
    let mut points: Vec<Point> = Vec::with_capacity(count);
    while points.len() < count {
        // The square makes some towns larger: half of the incidents are in a quarter of the towns.
        let [east, north, spread] = centres[(chance.unit().powi(2) * towns as f64) as usize];
        let (east, north) = (east + spread * chance.normal(), north + spread * chance.normal());
        let day = chance.unit() * f64::from(days);
        let run = if chance.unit() < 0.05 { 1 + (10.0 * chance.unit()) as usize } else { 1 };
        for _ in 0..run.min(count - points.len()) {
            let (wide, long) = if run > 1 { (100.0, 10.0) } else { (0.0, 0.0) };
            points.push(Point {
                easting: 430_000 + (east + wide * chance.normal()).round() as i32,
                northing: 280_000 + (north + wide * chance.normal()).round() as i32,
                day: 18_000 + (day + long * chance.unit()) as i32,
            });
        }
    }
    points.sort_by_key(|point| point.day);
    points
}
