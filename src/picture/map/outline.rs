//! Outlines in pixels, and the borders between partnerships.

use super::frame::{Frame, Panel};
use geo::{Coord, LineString, MultiPolygon, Polygon};
use std::{collections::HashMap, fmt::Write as _};

/// Farther from the origin lies no county, in metres.
const FARTHEST: f64 = 1e8;

/// Corners nearer than this to the one before are left out: half a pixel of a message, one of the stored picture.
const FINEST: f64 = 0.5;

/// What lies farther outside of the picture is drawn there.
const OUTSIDE: f64 = 4_000.0;

/// Without polygons of which a corner is no place.
pub(super) fn sound(shape: &MultiPolygon<f64>) -> MultiPolygon<f64> {
    let place = |at: &Coord| at.x.abs() <= FARTHEST && at.y.abs() <= FARTHEST;
    let ring = |ring: &LineString<f64>| ring.0.iter().all(place);
    let sound = shape.0.iter().filter(|part| ring(part.exterior()) && part.interiors().iter().all(ring));
    MultiPolygon(sound.filter(|part| !part.exterior().0.is_empty()).cloned().collect())
}

/// A ward in pixels.
#[derive(Debug, Clone, Default)]
pub(super) struct Drawn {
    pub name: String,
    rings: Vec<Vec<Coord>>,
}

impl Drawn {
    pub fn new(name: &str, shape: &MultiPolygon<f64>, frame: &Frame) -> Self {
        let rings = |part: &Polygon<f64>| -> Vec<Vec<Coord>> {
            let outer = std::iter::once(part.exterior()).chain(part.interiors());
            outer.map(|ring| thinned(&ring.0, frame)).collect()
        };
        Self { name: name.into(), rings: shape.0.iter().flat_map(rings).collect() }
    }

    pub fn path(&self) -> String {
        let mut path = String::new();
        for ring in &self.rings {
            points(&mut path, ring);
            path.push('Z');
        }
        path
    }

    /// The part of its box that lies in a panel.
    pub fn within(&self, panel: Panel) -> Option<Panel> {
        let mut all = self.rings.iter().flatten();
        let first = all.next()?;
        let mut own = Panel { left: first.x, top: first.y, right: first.x, bottom: first.y };
        for at in all {
            own.left = own.left.min(at.x);
            own.right = own.right.max(at.x);
            own.top = own.top.min(at.y);
            own.bottom = own.bottom.max(at.y);
        }
        let seen = Panel {
            left: own.left.max(panel.left),
            top: own.top.max(panel.top),
            right: own.right.min(panel.right),
            bottom: own.bottom.min(panel.bottom),
        };
        (seen.left <= seen.right && seen.top <= seen.bottom).then_some(seen)
    }

    /// Whether a point lies in it (even and odd crossings).
    pub fn holds(&self, at: Coord) -> bool {
        let crossed = |(from, to): (Coord, Coord)| {
            (from.y > at.y) != (to.y > at.y)
                && at.x < (to.x - from.x) * (at.y - from.y) / (to.y - from.y) + from.x
        };
        self.edges().filter(|edge| crossed(*edge)).count() % 2 == 1
    }

    /// How far the nearest edge is.
    pub fn clearance(&self, at: Coord) -> f64 {
        self.edges().map(|edge| distance(at, edge)).fold(f64::INFINITY, f64::min)
    }

    fn edges(&self) -> impl Iterator<Item = (Coord, Coord)> {
        self.rings.iter().flat_map(|ring| {
            ring.iter().zip(ring.iter().skip(1).chain(ring.first())).map(|(from, to)| (*from, *to))
        })
    }
}

/// A line as a path.
pub(super) fn line(line: &[Coord], frame: &Frame) -> String {
    let mut path = String::new();
    points(&mut path, &thinned(line, frame));
    path
}

fn points(path: &mut String, line: &[Coord]) {
    for (n, at) in line.iter().enumerate() {
        let _ = write!(path, "{}{:.1} {:.1}", if n == 0 { 'M' } else { 'L' }, at.x, at.y);
    }
}

/// In pixels, without corners that nobody would see: those at the one before, and those on the way between two others.
fn thinned(line: &[Coord], frame: &Frame) -> Vec<Coord> {
    let mut kept: Vec<Coord> = Vec::new();
    let last = line.len().saturating_sub(1);
    for (n, at) in line.iter().enumerate() {
        let at = frame.at(*at);
        let at = Coord { x: at.x.clamp(-OUTSIDE, OUTSIDE), y: at.y.clamp(-OUTSIDE, OUTSIDE) };
        let near = kept.last().is_some_and(|before| (at.x - before.x).hypot(at.y - before.y) < FINEST);
        if near && n < last {
            continue;
        }
        if let [.., before, between] = kept[..]
            && distance(between, (before, at)) < FINEST / 4.0
        {
            kept.pop();
        }
        kept.push(at);
    }
    kept
}

fn distance(at: Coord, (from, to): (Coord, Coord)) -> f64 {
    let (along, away) = (to - from, at - from);
    let squared = along.x * along.x + along.y * along.y;
    let part =
        if squared > 0.0 { ((away.x * along.x + away.y * along.y) / squared).clamp(0.0, 1.0) } else { 0.0 };
    (away.x - part * along.x).hypot(away.y - part * along.y)
}

/// An edge between two corners in whole metres, the lower one first.
type Edge = ((i64, i64), (i64, i64));

/// Lines between wards of different partnerships, where both have the same corners. None where outlines are so different
/// that too few edges are shared: half a border would be worse than none.
pub(super) fn borders(wards: &[(&str, &MultiPolygon<f64>)]) -> Vec<Vec<Coord>> {
    const SHARED: f64 = 0.5;
    let key = |from: Coord, to: Coord| -> Edge {
        let whole = |at: Coord| (at.x.round() as i64, at.y.round() as i64);
        let (a, b) = (whole(from), whole(to));
        if a <= b { (a, b) } else { (b, a) }
    };
    // The partnerships on both sides of an edge, as far as they are known.
    let mut sides: HashMap<Edge, (&str, Option<&str>)> = HashMap::new();
    for (partnership, shape) in wards {
        for edge in rings(shape).flat_map(LineString::lines) {
            let edge = key(edge.start, edge.end);
            sides
                .entry(edge)
                .and_modify(|(_, other)| *other = Some(other.unwrap_or(partnership)))
                .or_insert((partnership, None));
        }
    }
    let shared = sides.values().filter(|(_, other)| other.is_some()).count();
    if (shared as f64) < SHARED * sides.len() as f64 {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (partnership, shape) in wards {
        for ring in rings(shape) {
            let mut run: Vec<Coord> = Vec::new();
            for edge in ring.lines() {
                // Each border is drawn once, from its first side.
                let border = sides.get(&key(edge.start, edge.end)).is_some_and(|(one, other)| {
                    one == partnership
                        && other.is_some_and(|other| other != *one && !other.is_empty() && !one.is_empty())
                });
                if border {
                    if run.is_empty() {
                        run.push(edge.start);
                    }
                    run.push(edge.end);
                } else if !run.is_empty() {
                    found.push(std::mem::take(&mut run));
                }
            }
            if !run.is_empty() {
                found.push(run);
            }
        }
    }
    found
}

fn rings(shape: &MultiPolygon<f64>) -> impl Iterator<Item = &LineString<f64>> {
    shape.0.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()))
}
