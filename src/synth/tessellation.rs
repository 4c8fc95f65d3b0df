//! Illustrative ward outlines: the Voronoi cells of ward centres inside their widened hull.

use std::collections::BTreeMap;

type Point = (f64, f64);

/// How far the county reaches beyond its outermost ward centres, in metres.
const MARGIN: f64 = 3_000.0;

/// Corners nearer than this are one corner, so that neighbours share them exactly. Metres.
const ONE_CORNER: f64 = 2.0;

/// The outline of each centre's cell, counter-clockwise, in whole metres, not closed. Neighbouring cells share their
/// corners. Centres must differ; fewer than three give no cells.
#[must_use]
pub fn tessellation(centres: &[Point]) -> Vec<Vec<Point>> {
    if centres.len() < 3 {
        return Vec::new();
    }
    let county = widened(&hull(centres));
    let mut corners = Corners::default();
    centres
        .iter()
        .enumerate()
        .map(|(own, &centre)| {
            let mut cell = county.clone();
            for (_, &other) in centres.iter().enumerate().filter(|(there, _)| *there != own) {
                cell = nearer(&cell, centre, other);
            }
            let mut cell: Vec<Point> = cell.into_iter().map(|corner| corners.shared(corner)).collect();
            cell.dedup();
            if cell.first() == cell.last() {
                cell.pop();
            }
            cell
        })
        .collect()
}

/// The part of a convex outline that is nearer to `own` than to `other` (Sutherland and Hodgman's clipping by one line).
fn nearer(outline: &[Point], own: Point, other: Point) -> Vec<Point> {
    let normal = (other.0 - own.0, other.1 - own.1);
    let middle = (f64::midpoint(own.0, other.0), f64::midpoint(own.1, other.1));
    let beyond = |p: Point| (p.0 - middle.0) * normal.0 + (p.1 - middle.1) * normal.1;
    let mut kept = Vec::new();
    for (place, &here) in outline.iter().enumerate() {
        let next = outline[(place + 1) % outline.len()];
        let (a, b) = (beyond(here), beyond(next));
        if a <= 0.0 {
            kept.push(here);
        }
        if (a < 0.0 && b > 0.0) || (a > 0.0 && b < 0.0) {
            let t = a / (a - b);
            kept.push((here.0 + t * (next.0 - here.0), here.1 + t * (next.1 - here.1)));
        }
    }
    kept
}

/// The convex hull, counter-clockwise (Andrew's monotone chain).
fn hull(points: &[Point]) -> Vec<Point> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let turn = |o: Point, a: Point, b: Point| (a.0 - o.0) * (b.1 - o.1) - (a.1 - o.1) * (b.0 - o.0);
    let chain = |points: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for point in points {
            while let [.., before, last] = chain[..]
                && turn(before, last, point) <= 0.0
            {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut lower = chain(&mut sorted.iter().copied());
    lower.extend(chain(&mut sorted.iter().rev().copied()));
    lower
}

/// Every corner moved away from the middle.
fn widened(outline: &[Point]) -> Vec<Point> {
    let n = outline.len() as f64;
    let middle = outline.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0 / n, sum.1 + p.1 / n));
    let out = |p: &Point| {
        let away = (p.0 - middle.0, p.1 - middle.1);
        let stretch = 1.0 + MARGIN / away.0.hypot(away.1).max(1.0);
        (middle.0 + away.0 * stretch, middle.1 + away.1 * stretch)
    };
    outline.iter().map(out).collect()
}

/// Corners seen so far, by the square of a net they lie in.
#[derive(Default)]
struct Corners {
    net: BTreeMap<(i64, i64), Vec<Point>>,
}

impl Corners {
    fn shared(&mut self, corner: Point) -> Point {
        let square = ((corner.0 / 10.0).floor() as i64, (corner.1 / 10.0).floor() as i64);
        for east in -1..=1 {
            for north in -1..=1 {
                let there = self.net.get(&(square.0 + east, square.1 + north)).into_iter().flatten();
                for &known in there {
                    if (known.0 - corner.0).hypot(known.1 - corner.1) <= ONE_CORNER {
                        return known;
                    }
                }
            }
        }
        let new = (corner.0.round(), corner.1.round());
        self.net.entry(square).or_default().push(new);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        locate::{Boundaries, Boundary},
        model::Place,
        synth::llr,
    };
    use geo::{Area, LineString, MultiPolygon, Polygon, Validation};

    #[test]
    fn the_cells_of_the_county_are_valid_hold_their_centres_and_fill_it() {
        let wards = llr::wards();
        let centres: Vec<Point> = wards.iter().map(|ward| ward.centre).collect();
        let cells = tessellation(&centres);
        let mut total = 0.0;
        let boundaries: Vec<Boundary> = wards
            .iter()
            .zip(&cells)
            .map(|(ward, cell)| {
                let polygon = Polygon::new(LineString::from(cell.clone()), vec![]);
                polygon.check_validation().unwrap_or_else(|wrong| panic!("{}: {wrong}", ward.code));
                total += polygon.unsigned_area();
                let shape = MultiPolygon(vec![polygon]);
                Boundary { code: ward.code.clone(), name: String::new(), shape, in_metres: true }
            })
            .collect();
        let county = Polygon::new(LineString::from(widened(&hull(&centres))), vec![]);
        assert!((total / county.unsigned_area() - 1.0).abs() < 1e-4, "no gaps and no overlaps");
        let found = Boundaries::new(boundaries);
        for ward in wards {
            let (easting, northing) = ward.centre;
            let place = Place { lon: f64::NAN, lat: f64::NAN, easting, northing };
            assert_eq!(found.ward_of(&place), Some(ward.code.as_str()));
        }
    }
}
