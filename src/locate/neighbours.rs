//! Which wards share a border.

use super::Boundary;
use geo::{BoundingRect, Coord, CoordsIter, Line, LinesIter, Rect};
use std::collections::BTreeMap;

/// Outlines of two wards may miss each other by so many metres and still share a border: published outlines are
/// simplified, each in its own way.
const GAP: f64 = 15.0;

/// Metres in a degree of latitude, near enough for a gap.
const METRES_A_DEGREE: f64 = 111_320.0;

/// For each ward the wards that come within 15 metres of its outline, by code; those that only touch in a corner too.
/// Wards in degrees and wards in metres are not compared with one another.
#[must_use]
pub fn neighbours(wards: &[Boundary]) -> BTreeMap<String, Vec<String>> {
    let all: Vec<Edges> = wards.iter().filter_map(Edges::new).collect();
    let mut found: BTreeMap<String, Vec<String>> =
        wards.iter().map(|ward| (ward.code.clone(), Vec::new())).collect();
    for (place, one) in all.iter().enumerate() {
        for other in &all[place + 1..] {
            if one.touch(other) {
                found.entry(one.code.clone()).or_default().push(other.code.clone());
                found.entry(other.code.clone()).or_default().push(one.code.clone());
            }
        }
    }
    for codes in found.values_mut() {
        codes.sort_unstable();
        codes.dedup();
    }
    found
}

/// A ward's outline in metres on a flat piece of the earth.
struct Edges {
    code: String,
    in_metres: bool,
    lines: Vec<Line<f64>>,
    bounds: Rect<f64>,
}

impl Edges {
    fn new(ward: &Boundary) -> Option<Self> {
        let flat = |at: Coord<f64>| {
            if ward.in_metres {
                return at;
            }
            // One parallel serves the whole county: wards that touch lie in one place.
            let east = METRES_A_DEGREE * at.y.round().to_radians().cos();
            Coord { x: at.x * east, y: at.y * METRES_A_DEGREE }
        };
        if !ward.shape.coords_iter().all(|at| at.x.is_finite() && at.y.is_finite()) {
            return None;
        }
        let lines: Vec<Line<f64>> =
            ward.shape.lines_iter().map(|line| Line::new(flat(line.start), flat(line.end))).collect();
        let ends = lines.iter().flat_map(|line| [line.start, line.end]);
        let bounds = ends.map(geo::Point::from).collect::<geo::MultiPoint>().bounding_rect()?;
        Some(Self { code: ward.code.clone(), in_metres: ward.in_metres, lines, bounds })
    }

    fn touch(&self, other: &Self) -> bool {
        let Some(common) = common(self.bounds, other.bounds).filter(|_| self.in_metres == other.in_metres)
        else {
            return false;
        };
        let near = |edges: &Self| -> Vec<Line<f64>> {
            let crosses = |line: &&Line<f64>| self::common(line.bounding_rect(), common).is_some();
            edges.lines.iter().filter(crosses).copied().collect()
        };
        let (mine, theirs) = (near(self), near(other));
        let meets = |ends: &[Line<f64>], lines: &[Line<f64>]| {
            ends.iter().any(|end| lines.iter().any(|line| distance(end.start, line) <= GAP))
        };
        meets(&mine, &theirs) || meets(&theirs, &mine)
    }
}

/// The part of two boxes that is within the gap of both.
fn common(a: Rect<f64>, b: Rect<f64>) -> Option<Rect<f64>> {
    let low = Coord { x: a.min().x.max(b.min().x) - GAP, y: a.min().y.max(b.min().y) - GAP };
    let high = Coord { x: a.max().x.min(b.max().x) + GAP, y: a.max().y.min(b.max().y) + GAP };
    (low.x <= high.x && low.y <= high.y).then(|| Rect::new(low, high))
}

/// From a point to a line between two points.
fn distance(at: Coord<f64>, line: &Line<f64>) -> f64 {
    let (along, from) = (line.end - line.start, at - line.start);
    let squared = along.x * along.x + along.y * along.y;
    let part =
        if squared > 0.0 { ((from.x * along.x + from.y * along.y) / squared).clamp(0.0, 1.0) } else { 0.0 };
    (from.x - part * along.x).hypot(from.y - part * along.y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::wkt;

    fn ward(code: &str, shape: geo::Polygon<f64>, in_metres: bool) -> Boundary {
        Boundary { code: code.into(), name: code.into(), shape: shape.into(), in_metres }
    }

    #[test]
    fn wards_that_share_a_border_or_nearly_do_are_neighbours() {
        let wards = [
            ward("A", wkt!(POLYGON((0. 0.,1000. 0.,1000. 1000.,0. 1000.,0. 0.))), true),
            // Its long side has no corner near A's corners, and lies 9 metres away.
            ward("B", wkt!(POLYGON((1009. -5000.,2000. -5000.,2000. 5000.,1009. 5000.,1009. -5000.))), true),
            ward("C", wkt!(POLYGON((0. 1040.,1000. 1040.,1000. 2000.,0. 2000.,0. 1040.))), true),
        ];
        let found = neighbours(&wards);
        assert_eq!(found["A"], ["B"]);
        assert_eq!(found["B"], ["A", "C"], "C lies beside it");
        assert_eq!(found["C"], ["B"], "40 metres are no border");
    }

    #[test]
    fn degrees_are_compared_in_metres() {
        let wards = [
            ward("A", wkt!(POLYGON((-1.10 52.60,-1.05 52.60,-1.05 52.65,-1.10 52.65,-1.10 52.60))), false),
            ward(
                "B",
                wkt!(POLYGON((-1.0499 52.60,-1.0 52.60,-1.0 52.65,-1.0499 52.65,-1.0499 52.60))),
                false,
            ),
            ward("C", wkt!(POLYGON((-1.04 52.66,-1.0 52.66,-1.0 52.70,-1.04 52.70,-1.04 52.66))), false),
        ];
        let found = neighbours(&wards);
        assert_eq!((found["A"].as_slice(), found["C"].len()), (["B".to_owned()].as_slice(), 0));
        let broken = ward("D", wkt!(POLYGON((0. 0.,1. 0.,1. 1.,0. 0.))), true);
        let mut odd = broken.clone();
        odd.shape.0[0].exterior_mut(|ring| ring.0[0].x = f64::NAN);
        assert!(neighbours(&[odd, broken])["D"].is_empty());
    }
}
