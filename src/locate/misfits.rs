//! Where the outlines of wards do not fit together.
//!
//! Where they fit, each edge between two wards is an edge of both, in opposite directions. Such pairs cancel out; the few
//! edges that are left over bound the whole area and whatever does not fit, so only these need a closer look.

use super::{
    Boundary, Fault, FaultKind,
    broken::{broken, rings},
};
use geo::{
    Area, BooleanOps, BoundingRect, Coord, CoordsIter, Distance, Euclidean, InteriorPoint, Intersects, Line,
    LineString, MultiPolygon, OpType, Point, Polygon, Rect,
    bool_ops::FillRule,
    orient::{Direction, Orient},
};
use rayon::prelude::*;
use rstar::{
    AABB, RTree,
    primitives::{GeomWithData, Rectangle},
};
use std::collections::{BTreeMap, BTreeSet};

/// Where wards overlap, or leave a gap between them, by kind and ward. What is no larger than `sliver` square metres is
/// left out: generalised boundaries are full of it. A ward that is broken by itself is not compared with others. Every
/// hole in the whole counts as a gap, a lake also; a gap that opens to the outside does not.
#[must_use]
pub fn misfits(wards: &[Boundary], sliver: f64) -> Vec<Fault> {
    let mut faults = Vec::new();
    let sound: Vec<bool> = wards.par_iter().map(|ward| broken(ward).is_none()).collect();
    for in_metres in [false, true] {
        let sound = wards.iter().zip(&sound).filter(|(ward, sound)| **sound && ward.in_metres == in_metres);
        let sound: Vec<Shape> = sound.map(|(ward, _)| Shape::new(ward)).collect();
        let loose = loose_edges(&sound);
        faults.extend(overlaps(&sound, &loose, sliver, in_metres));
        faults.extend(gaps(&sound, &loose, sliver, in_metres));
    }
    faults.sort_by(|a, b| (a.kind, &a.wards).cmp(&(b.kind, &b.wards)));
    faults
}

/// A sound ward, its exteriors against the clock and its holes with it, so that the ward is left of every edge.
struct Shape<'a> {
    code: &'a str,
    outline: MultiPolygon<f64>,
    bounds: Rect<f64>,
}

impl<'a> Shape<'a> {
    fn new(ward: &'a Boundary) -> Self {
        let outline = ward.shape.orient(Direction::Default);
        let bounds = outline.bounding_rect().unwrap_or_else(|| Rect::new(Coord::zero(), Coord::zero()));
        Self { code: &ward.code, outline, bounds }
    }
}

/// An edge that is no neighbour's, and its ward.
#[derive(Debug, Clone, Copy)]
struct Loose {
    line: Line<f64>,
    ward: u32,
}

/// Numbers as keys: their order does not matter, only which are equal.
fn key(corner: Coord<f64>) -> [u64; 2] {
    // Adding 0 makes one zero of the two.
    [(corner.x + 0.0).to_bits(), (corner.y + 0.0).to_bits()]
}

/// All edges, without those that two wards use in opposite directions.
fn loose_edges(wards: &[Shape]) -> Vec<Loose> {
    let mut all: Vec<([[u64; 2]; 2], Loose)> = Vec::new();
    for (ward, shape) in (0..).zip(wards) {
        let lines = rings(&shape.outline).flat_map(LineString::lines).filter(|line| line.start != line.end);
        all.extend(lines.map(|line| {
            let mut ends = [key(line.start), key(line.end)];
            ends.sort_unstable();
            (ends, Loose { line, ward })
        }));
    }
    all.par_sort_unstable_by_key(|(ends, loose)| (*ends, loose.ward));
    let mut loose = Vec::new();
    for same in all.chunk_by(|a, b| a.0 == b.0) {
        let (one, other): (Vec<Loose>, Vec<Loose>) =
            same.iter().map(|(_, loose)| *loose).partition(|loose| loose.line.start == same[0].1.line.start);
        let pairs = one.len().min(other.len());
        loose.extend_from_slice(&one[pairs..]);
        loose.extend_from_slice(&other[pairs..]);
    }
    loose
}

fn boxed(bounds: Rect<f64>, index: usize) -> GeomWithData<Rectangle<[f64; 2]>, usize> {
    GeomWithData::new(Rectangle::from_corners(bounds.min().into(), bounds.max().into()), index)
}

/// Pairs of wards that share an area. Looks closely only at pairs with a loose edge where they meet, and at wards whose
/// middle lies in another one.
fn overlaps(wards: &[Shape], loose: &[Loose], sliver: f64, in_metres: bool) -> Vec<Fault> {
    let tree =
        RTree::bulk_load(wards.iter().enumerate().map(|(index, ward)| boxed(ward.bounds, index)).collect());
    let near = |low: [f64; 2], high: [f64; 2]| {
        tree.locate_in_envelope_intersecting(AABB::from_corners(low, high)).map(|boxed| boxed.data)
    };
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    for edge in loose {
        let (one, ends) = (edge.ward as usize, [edge.line.start.into(), edge.line.end.into()]);
        pairs.extend(
            near(ends[0], ends[1])
                .filter(|&other| other != one)
                .map(|other| (one.min(other), one.max(other))),
        );
    }
    let middles = wards.par_iter().enumerate().map(|(one, ward)| {
        let Some(middle) = ward.outline.interior_point() else { return Vec::new() };
        let middle_at = [middle.x(), middle.y()];
        let others = near(middle_at, middle_at)
            .filter(|&other| other != one && wards[other].outline.intersects(&middle));
        others.map(|other| (one.min(other), one.max(other))).collect()
    });
    pairs.extend(middles.collect::<Vec<_>>().into_iter().flatten());
    let pairs: Vec<_> = pairs.into_iter().collect();
    let shared = pairs.par_iter().filter_map(|&(one, other)| {
        let shared = wards[one].outline.intersection(&wards[other].outline);
        let at = shared.coords_iter().next()?;
        let size = square_metres(shared.unsigned_area(), at, in_metres);
        let fault = Fault::new(FaultKind::Overlap, &[wards[one].code, wards[other].code], Some(at.into()));
        (size > sliver).then_some(Fault { square_metres: Some(size), ..fault })
    });
    shared.collect()
}

/// Holes in the whole. The loose edges wind around a point as often as wards hold it, so that the whole can be had from
/// them alone.
fn gaps(wards: &[Shape], loose: &[Loose], sliver: f64, in_metres: bool) -> Vec<Fault> {
    let loops = MultiPolygon(loops(loose).into_iter().map(|ring| Polygon::new(ring, vec![])).collect());
    let Some(bounds) = loops.bounding_rect() else { return Vec::new() };
    let whole = loops.boolean_op_with_fill_rule(&MultiPolygon::empty(), OpType::Union, FillRule::Positive);
    // The union rounds to about a thousand-millionth of the whole.
    let rounding = 1e-8 * bounds.width().max(bounds.height());
    let edges = loose.iter().enumerate().map(|(index, edge)| boxed(edge.line.bounding_rect(), index));
    let edges = RTree::bulk_load(edges.collect());
    let holes: Vec<&LineString<f64>> = whole.iter().flat_map(Polygon::interiors).collect();
    let gaps = holes.into_par_iter().filter_map(|ring| {
        let at = *ring.0.first()?;
        let size = square_metres(Polygon::new(ring.clone(), vec![]).unsigned_area(), at, in_metres);
        if size <= sliver {
            return None;
        }
        let mut neighbours = BTreeSet::new();
        // The middle of an edge has fewer wards about it than its ends.
        for line in ring.lines() {
            let middle = Point::from((line.start + line.end) / 2.0);
            let low = [middle.x() - rounding, middle.y() - rounding];
            let high = [middle.x() + rounding, middle.y() + rounding];
            let found = edges.locate_in_envelope_intersecting(AABB::from_corners(low, high));
            let touching = found.map(|boxed| loose[boxed.data]);
            let touching = touching.filter(|edge| Euclidean.distance(&middle, &edge.line) <= rounding);
            neighbours.extend(touching.map(|edge| wards[edge.ward as usize].code));
        }
        let neighbours: Vec<&str> = neighbours.into_iter().collect();
        Some(Fault { square_metres: Some(size), ..Fault::new(FaultKind::Gap, &neighbours, Some(at.into())) })
    });
    gaps.collect()
}

/// Joins edges end to end. As rings did, loose edges leave each corner as often as they come to it, so every loop closes.
fn loops(loose: &[Loose]) -> Vec<LineString<f64>> {
    let mut from: BTreeMap<[u64; 2], Vec<Line<f64>>> = BTreeMap::new();
    for edge in loose {
        from.entry(key(edge.line.start)).or_default().push(edge.line);
    }
    let mut loops = Vec::new();
    for edge in loose {
        while let Some(first) = from.get_mut(&key(edge.line.start)).and_then(Vec::pop) {
            let mut ring = vec![first.start, first.end];
            let mut end = first.end;
            while key(end) != key(first.start) {
                let Some(next) = from.get_mut(&key(end)).and_then(Vec::pop) else { break };
                ring.push(next.end);
                end = next.end;
            }
            loops.push(LineString(ring));
        }
    }
    loops
}

/// An area in the units of the outlines as square metres; in degrees near enough to say how large it is.
fn square_metres(area: f64, at: Coord<f64>, in_metres: bool) -> f64 {
    const DEGREE: f64 = 111_320.0;
    if in_metres { area } else { area * DEGREE * DEGREE * at.y.to_radians().cos() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{polygon, wkt};

    fn ward(code: &str, shape: MultiPolygon<f64>) -> Boundary {
        Boundary { code: code.into(), name: code.into(), shape, in_metres: true }
    }

    fn square(code: &str, x: f64, y: f64, side: f64) -> Boundary {
        let ring =
            polygon![(x: x, y: y), (x: x + side, y: y), (x: x + side, y: y + side), (x: x, y: y + side)];
        ward(code, MultiPolygon(vec![ring]))
    }

    fn kinds(wards: &[Boundary], sliver: f64) -> Vec<(FaultKind, String)> {
        misfits(wards, sliver).into_iter().map(|fault| (fault.kind, fault.wards.join(" "))).collect()
    }

    #[test]
    fn wards_that_fit_have_no_faults() {
        let board: Vec<_> =
            (0..16).map(|n| square(&format!("{n:02}"), f64::from(n / 4), f64::from(n % 4), 1.0)).collect();
        assert_eq!(misfits(&board, 0.0), []);
        assert_eq!(misfits(&[], 0.0), []);
    }

    #[test]
    fn a_missing_square_is_a_gap_between_its_neighbours() {
        let board = (0..9).filter(|n| *n != 4);
        let board: Vec<_> =
            board.map(|n| square(&n.to_string(), f64::from(n / 3), f64::from(n % 3), 1.0)).collect();
        let faults = misfits(&board, 0.5);
        assert_eq!((faults.len(), faults[0].kind), (1, FaultKind::Gap));
        assert_eq!(faults[0].wards, ["1", "3", "5", "7"]);
        assert!(
            faults[0].to_string().contains("gap of about 1 square metres between the wards 1, 3, 5, 7 near")
        );
        assert_eq!(misfits(&board, 1.5), []);
    }

    #[test]
    fn overlaps_are_found_however_they_come_about() {
        let over = |other: Boundary| kinds(&[square("A", 0., 0., 10.), other], 0.0);
        let fault = vec![(FaultKind::Overlap, "A B".to_owned())];
        assert_eq!(over(square("B", 9., 5., 10.)), fault, "across");
        assert_eq!(over(square("B", 2., 2., 1.)), fault, "within");
        assert_eq!(over(square("B", 0., 0., 10.)), fault, "the same");
        assert_eq!(over(square("B", 10., 3., 2.)), [], "side by side, with other corners");
        // Two whole boards on top of each other, each fitting in itself.
        let board = |side: f64, count: u8, name: &'static str| {
            (0..count * count).map(move |n| {
                let (x, y) = (f64::from(n / count) * side, f64::from(n % count) * side);
                square(&format!("{name}{n}"), x, y, side)
            })
        };
        let two: Vec<_> = board(4.0, 3, "A").chain(board(2.0, 6, "B")).collect();
        assert_eq!(kinds(&two, 0.0).len(), 36);
    }

    #[test]
    fn sound_wards_may_touch_and_have_holes_and_islands() {
        let ring = wkt!(MULTIPOLYGON(((0. 0., 10. 0., 10. 10., 0. 10., 0. 0.), (0. 5., 5. 4., 5. 6., 0. 5.)),
            ((10. 10., 12. 10., 12. 12., 10. 10.))));
        let lake = wkt!(MULTIPOLYGON(((0. 5., 5. 6., 5. 4., 0. 5.))));
        assert_eq!(misfits(&[ward("A", ring.clone()), ward("B", lake)], 0.0), []);
        assert_eq!(kinds(&[ward("A", ring)], 0.0), [(FaultKind::Gap, "A".to_owned())]);
    }
}
