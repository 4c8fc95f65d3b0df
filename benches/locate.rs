//! What it costs to find the wards of a million points: `cargo bench --bench locate`.
//!
//! Wards are made: squares whose borders, shared with their neighbours, wander; 770 corners each. One thread.
//! `TENSION_WATCH_POINTS` names a folder to leave wards and points in, for `benches/peers/locate.py`. The machine is
//! shared, so compare figures of one run only.

use geo::{Coord, LineString, MultiPolygon, Polygon};
use std::{fmt::Write as _, fs, hint::black_box, path::Path, time::Instant};
use tension_watch::{
    locate::{Boundaries, Boundary},
    model::Place,
};

const POINTS: u64 = 1_000_000;
/// Corners on one side of a square: a power of two, so that it can be halved.
const SIDE: usize = 192;

fn main() {
    let folder = std::env::var("TENSION_WATCH_POINTS").ok().filter(|folder| !folder.is_empty());
    for (name, east, north) in [("400", 20, 20), ("8000", 100, 80)] {
        let wards = county(east, north);
        let points: Vec<Place> = (0..POINTS)
            .map(|point| {
                let easting = unit(2 * point) * east as f64 * 2000.0;
                Place {
                    lon: f64::NAN,
                    lat: f64::NAN,
                    easting,
                    northing: unit(2 * point + 1) * north as f64 * 2000.0,
                }
            })
            .collect();
        let corners: usize = wards.iter().map(|ward| ward.shape.0[0].exterior().0.len() - 1).sum();
        let file = folder.as_ref().map(|folder| (Path::new(folder), geojson(&wards)));
        let began = Instant::now();
        let boundaries = Boundaries::new(wards);
        let built = began.elapsed().as_secs_f64();
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let began = Instant::now();
            let found = points.iter().filter(|point| black_box(boundaries.ward_of(point)).is_some()).count();
            best = best.min(began.elapsed().as_secs_f64());
            assert!(found > 900_000);
        }
        println!(
            "{name} wards, {corners} corners: built in {built:.3} s, 1,000,000 points in {best:.3} s; peak {}",
            peak()
        );
        if let Some((folder, wards)) = file {
            fs::write(folder.join(format!("wards-{name}.geojson")), wards).expect("the file is written");
            let mut rows = String::from("x,y,code\n");
            for point in &points {
                let code = boundaries.ward_of(point).unwrap_or_default();
                writeln!(rows, "{},{},{code}", point.easting, point.northing).expect("a row");
            }
            fs::write(folder.join(format!("points-{name}.csv")), rows).expect("the file is written");
        }
    }
}

fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim().into()
}

/// A number from 0 to 1 for another, the same on every machine: `SplitMix64`.
fn unit(of: u64) -> f64 {
    let mut mixed = (of + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn county(east: usize, north: usize) -> Vec<Boundary> {
    let square = |e: usize, n: usize| {
        let mut ring = border([e, n], [e + 1, n]);
        ring.extend(border([e + 1, n], [e + 1, n + 1]));
        ring.extend(border([e, n + 1], [e + 1, n + 1]).into_iter().rev());
        ring.extend(border([e, n], [e, n + 1]).into_iter().rev());
        ring.dedup();
        let code = format!("W{n:03}{e:03}");
        let shape = MultiPolygon(vec![Polygon::new(LineString(ring), vec![])]);
        Boundary { name: code.clone(), code, shape, in_metres: true }
    };
    (0..north).flat_map(|n| (0..east).map(move |e| square(e, n))).collect()
}

/// The border between two corners of the lattice, the same for the wards on both sides: it wanders up to 300 m off.
fn border(from: [usize; 2], to: [usize; 2]) -> Vec<Coord<f64>> {
    let corner = |at: [usize; 2]| Coord { x: at[0] as f64 * 2000.0, y: at[1] as f64 * 2000.0 };
    let (a, b) = (corner(from), corner(to));
    let seed = ((from[0] * 1000 + from[1]) * 1000 + to[0]) as u64 * 1_000_000;
    let mut off = vec![0.0; SIDE + 1];
    let mut step = SIDE / 3;
    for at in (step..SIDE).step_by(step) {
        off[at] = 300.0 * (unit(seed + at as u64) - 0.5);
    }
    while step > 1 {
        let half = step / 2;
        for at in (half..SIDE).step_by(step) {
            let wander = 0.15 * step as f64 * 2000.0 / SIDE as f64;
            off[at] = f64::midpoint(off[at - half], off[at + half]) + wander * (unit(seed + at as u64) - 0.5);
        }
        step = half;
    }
    let across = Coord { x: (b.y - a.y) / 2000.0, y: (b.x - a.x) / 2000.0 };
    (0..=SIDE).map(|at| a + (b - a) * (at as f64 / SIDE as f64) + across * off[at]).collect()
}

fn geojson(wards: &[Boundary]) -> String {
    let mut text = String::from("{\"type\":\"FeatureCollection\",\"features\":[");
    for (index, ward) in wards.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let ring: Vec<String> = ward.shape.0[0]
            .exterior()
            .0
            .iter()
            .map(|corner| format!("[{},{}]", corner.x, corner.y))
            .collect();
        let (code, ring) = (&ward.code, ring.join(","));
        write!(
            text,
            "{comma}{{\"type\":\"Feature\",\"properties\":{{\"code\":\"{code}\"}},\"geometry\":{{\"type\":\"Polygon\",\
             \"coordinates\":[[{ring}]]}}}}"
        )
        .expect("a ward");
    }
    text + "]}"
}
