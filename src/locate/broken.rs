//! What is wrong with an outline by itself.

use super::{Boundary, Fault, FaultKind};
use geo::{
    Area, Coord, CoordsIter, Line, LineString, MultiPolygon, Polygon,
    coordinate_position::{CoordPos, CoordinatePosition},
    line_intersection::{LineIntersection, line_intersection},
};

/// What is wrong with an outline by itself, without looking at others; the first fault found.
#[must_use]
pub fn broken(ward: &Boundary) -> Option<Fault> {
    let say = |kind, at: Option<Coord<f64>>| Some(Fault::new(kind, &[&ward.code], at.map(|at| [at.x, at.y])));
    if ward.shape.coords_count() == 0 {
        return say(FaultKind::Empty, None);
    }
    if ward.shape.coords_iter().any(|corner| !(corner.x.is_finite() && corner.y.is_finite())) {
        return say(FaultKind::NotANumber, None);
    }
    let rings: Vec<&LineString<f64>> = rings(&ward.shape).collect();
    for ring in &rings {
        let mut corners: Vec<[f64; 2]> = ring.coords().map(|corner| [corner.x, corner.y]).collect();
        corners.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
        corners.dedup();
        if corners.len() < 3 {
            return say(FaultKind::TooFewCorners, ring.0.first().copied());
        }
        if Polygon::new((*ring).clone(), vec![]).unsigned_area() <= 0.0 {
            return say(FaultKind::NoArea, ring.0.first().copied());
        }
    }
    ward.shape.iter().find_map(|part| {
        let rings: Vec<&LineString<f64>> = std::iter::once(part.exterior()).chain(part.interiors()).collect();
        if let Some(at) = crossing(&rings) {
            return say(FaultKind::Crossing, Some(at));
        }
        let outline = Polygon::new(part.exterior().clone(), vec![]);
        let outside = |corner: &&Coord<f64>| outline.coordinate_position(corner) == CoordPos::Outside;
        let at = part.interiors().iter().find_map(|hole| hole.coords().find(outside));
        at.and_then(|at| say(FaultKind::HoleOutside, Some(*at)))
    })
}

pub(super) fn rings(shape: &MultiPolygon<f64>) -> impl Iterator<Item = &LineString<f64>> {
    shape.iter().flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()))
}

/// Where two edges cross, or lie on each other. Edges are compared as far as they overlap in the direction of x.
fn crossing(rings: &[&LineString<f64>]) -> Option<Coord<f64>> {
    let all =
        rings.iter().enumerate().flat_map(|(ring, corners)| corners.lines().map(move |line| (ring, line)));
    let mut all: Vec<(usize, Line<f64>)> = all.filter(|(_, line)| line.start != line.end).collect();
    all.sort_by(|(_, a), (_, b)| a.start.x.min(a.end.x).total_cmp(&b.start.x.min(b.end.x)));
    for (index, (ring, line)) in all.iter().enumerate() {
        let (right, low, high) =
            (line.start.x.max(line.end.x), line.start.y.min(line.end.y), line.start.y.max(line.end.y));
        let others = all[index + 1..].iter().take_while(|(_, other)| other.start.x.min(other.end.x) <= right);
        for (other_ring, other) in others {
            if other.start.y.max(other.end.y) < low || other.start.y.min(other.end.y) > high {
                continue;
            }
            match line_intersection(*line, *other) {
                Some(LineIntersection::Collinear { intersection })
                    if intersection.start != intersection.end =>
                {
                    return Some(intersection.start);
                }
                Some(LineIntersection::SinglePoint { intersection, is_proper: true }) => {
                    return Some(intersection);
                }
                // A corner on the middle of an edge: a hole may touch the outline, but a ring may not touch itself.
                Some(LineIntersection::SinglePoint { intersection, .. }) if ring == other_ring => {
                    let is_end = |line: &Line<f64>| intersection == line.start || intersection == line.end;
                    if !(is_end(line) && is_end(other)) {
                        return Some(intersection);
                    }
                }
                _ => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::wkt;

    #[test]
    fn wards_broken_in_themselves_are_named() {
        let cross = wkt!(MULTIPOLYGON(((0. 0., 10. 10., 10. 0., 0. 11., 0. 0.))));
        let spike = wkt!(MULTIPOLYGON(((0. 0., 10. 0., 10. 10., 5. 10., 5. 20., 5. 10., 0. 10., 0. 0.))));
        let hole = wkt!(MULTIPOLYGON(((0. 0., 10. 0., 10. 10., 0. 0.), (8. 2., 12. 2., 9. 4., 8. 2.))));
        let outside = wkt!(MULTIPOLYGON(((0. 0., 10. 0., 10. 10., 0. 0.), (20. 2., 22. 2., 20. 4., 20. 2.))));
        let nan = wkt!(MULTIPOLYGON(((0. 0., 10. 0., 10. 10., 0. 0.))));
        let nan = MultiPolygon(vec![Polygon::new(
            nan.0[0].exterior().coords().map(|corner| Coord { x: corner.x, y: f64::NAN }).collect(),
            vec![],
        )]);
        for (kind, shape) in [
            (FaultKind::Empty, MultiPolygon(vec![])),
            (FaultKind::NotANumber, nan),
            (FaultKind::TooFewCorners, wkt!(MULTIPOLYGON(((1. 1., 2. 2., 1. 1.))))),
            (FaultKind::NoArea, wkt!(MULTIPOLYGON(((1. 1., 2. 2., 3. 3., 1. 1.))))),
            (FaultKind::Crossing, cross),
            (FaultKind::Crossing, hole),
            (FaultKind::HoleOutside, outside),
            (FaultKind::Crossing, spike),
        ] {
            let ward = Boundary { code: "A".into(), name: "A".into(), shape, in_metres: true };
            assert_eq!(broken(&ward).map(|fault| fault.kind), Some(kind));
        }
    }
}
