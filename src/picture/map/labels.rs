//! Where names fit: inside their ward, else beside it with a line to it, else nowhere. None overlaps another.

use super::{super::letters::wide, frame::Panel, outline::Drawn};
use geo::Coord;

/// Size of the names of wards concerned.
pub(super) const LARGE: f64 = 17.0;
/// Size of their neighbours' names.
pub(super) const SMALL: f64 = 15.0;

/// More wards than these are not named.
const MOST: usize = 12;

/// A name with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    /// Which of the wards concerned; none for a neighbour.
    pub concerned: Option<usize>,
    pub lines: Vec<String>,
    pub inside: bool,
    /// From the ward to the name.
    pub leader: Option<(Coord, Coord)>,
    room: Panel,
    size: f64,
}

impl Label {
    /// The middle of a line's foot.
    pub fn line(&self, n: usize) -> (f64, f64) {
        let high = height(self.size);
        let x = f64::midpoint(self.room.left, self.room.right);
        (x, self.room.top + high * n as f64 + high * 0.76)
    }
}

/// Names of the wards concerned first, then those of neighbours as far as they fit inside.
pub(super) fn placed(concerned: &[Drawn], beside: &[Drawn], panel: Panel, taken: Vec<Panel>) -> Vec<Label> {
    const EDGE: f64 = 5.0;
    let panel = Panel {
        left: panel.left + EDGE,
        top: panel.top + EDGE,
        right: panel.right - EDGE,
        bottom: panel.bottom - EDGE,
    };
    let mut map = Map { concerned, panel, taken };
    let mut labels: Vec<Label> = Vec::new();
    let mut outside = Vec::new();
    for (n, ward) in concerned.iter().enumerate().take(MOST).filter(|(_, ward)| !ward.name.is_empty()) {
        match map.inside(ward, LARGE, Some(n)) {
            Some(label) => labels.push(label),
            None => outside.push((n, ward)),
        }
    }
    for (n, ward) in outside {
        labels.extend(map.outside(ward, n));
    }
    for ward in beside.iter().filter(|ward| !ward.name.is_empty()) {
        labels.extend(map.inside(ward, SMALL, None));
    }
    labels
}

struct Map<'a> {
    concerned: &'a [Drawn],
    panel: Panel,
    taken: Vec<Panel>,
}

impl Map<'_> {
    fn is_free(&self, room: Panel) -> bool {
        self.panel.holds(room) && !self.taken.iter().any(|taken| taken.overlaps(room))
    }

    fn inside(&mut self, ward: &Drawn, size: f64, concerned: Option<usize>) -> Option<Label> {
        let there = ward.within(self.panel)?;
        for lines in broken(&ward.name) {
            let (width, high) = measure(&lines, size);
            if width > there.right - there.left || high > there.bottom - there.top {
                continue;
            }
            let fits = |at: &Coord| {
                let room = around(*at, width, high);
                self.is_free(room) && spots(room).all(|spot| ward.holds(spot))
            };
            if let Some(at) = most_central(ward, there, fits) {
                let room = around(at, width, high);
                self.taken.push(room);
                return Some(Label { concerned, lines, inside: true, leader: None, room, size });
            }
        }
        None
    }

    fn outside(&mut self, ward: &Drawn, n: usize) -> Option<Label> {
        const TURNS: usize = 24;
        let there = ward.within(self.panel)?;
        let centre =
            Coord { x: f64::midpoint(there.left, there.right), y: f64::midpoint(there.top, there.bottom) };
        let anchor = most_central(ward, there, |_| true).unwrap_or(centre);
        let lines = broken(&ward.name).pop()?;
        let (width, high) = measure(&lines, LARGE);
        // Over other wards concerned only where there is no other way.
        for strict in [true, false] {
            for away in (1..24).map(|step| 8.0 * f64::from(step)) {
                for turn in 0..TURNS {
                    // To the right and to the left first: names are wide.
                    let turn = if turn % 2 == 0 { turn / 2 } else { TURNS - 1 - turn / 2 };
                    let (sin, cos) = (turn as f64 / TURNS as f64 * std::f64::consts::TAU).sin_cos();
                    let at = Coord {
                        x: anchor.x + cos * (away + width / 2.0),
                        y: anchor.y + sin * (away + high / 2.0),
                    };
                    let room = around(at, width, high);
                    let covers = || {
                        spots(around(at, width + 6.0, high + 4.0))
                            .any(|spot| self.concerned.iter().any(|ward| ward.holds(spot)))
                    };
                    if !self.is_free(room) || covers() {
                        continue;
                    }
                    let end = Coord {
                        x: anchor.x.clamp(room.left, room.right),
                        y: anchor.y.clamp(room.top, room.bottom),
                    };
                    let crosses = along(anchor, end).any(|on| {
                        self.taken.iter().any(|taken| taken.overlaps(around(on, 4.0, 4.0)))
                            || strict
                                && self.concerned.iter().enumerate().any(|(m, ward)| m != n && ward.holds(on))
                    });
                    if !crosses {
                        self.taken.push(room);
                        self.taken.extend(along(anchor, end).map(|on| around(on, 6.0, 6.0)));
                        let leader = Some((anchor, end));
                        return Some(Label {
                            concerned: Some(n),
                            lines,
                            inside: false,
                            leader,
                            room,
                            size: LARGE,
                        });
                    }
                }
            }
        }
        None
    }
}

/// The place in a ward that is farthest from its edges, of those that will do.
fn most_central(ward: &Drawn, there: Panel, will_do: impl Fn(&Coord) -> bool) -> Option<Coord> {
    const STEPS: usize = 24;
    let step = |from: f64, to: f64, n: usize| from + (to - from) * (n as f64 + 0.5) / STEPS as f64;
    let grid = (0..STEPS).flat_map(|row| (0..STEPS).map(move |column| (column, row)));
    let places = grid.map(|(column, row)| Coord {
        x: step(there.left, there.right, column),
        y: step(there.top, there.bottom, row),
    });
    places
        .filter(|at| ward.holds(*at) && will_do(at))
        .map(|at| (ward.clearance(at), at))
        .reduce(|best, other| if other.0 > best.0 { other } else { best })
        .map(|(_, at)| at)
}

/// Points of a line.
fn along(from: Coord, to: Coord) -> impl Iterator<Item = Coord> {
    const APART: f64 = 5.0;
    let parts = ((to - from).x.hypot((to - from).y) / APART).ceil().clamp(1.0, 1_000.0) as u32;
    (0..=parts).map(move |part| from + (to - from) * (f64::from(part) / f64::from(parts)))
}

fn around(at: Coord, width: f64, high: f64) -> Panel {
    Panel {
        left: at.x - width / 2.0,
        top: at.y - high / 2.0,
        right: at.x + width / 2.0,
        bottom: at.y + high / 2.0,
    }
}

/// Points of a box so near to each other that no shape of interest slips through.
fn spots(room: Panel) -> impl Iterator<Item = Coord> {
    const APART: f64 = 6.0;
    let (width, high) = (room.right - room.left, room.bottom - room.top);
    let (columns, rows) = ((width / APART).ceil().max(1.0) as u32, (high / APART).ceil().max(1.0) as u32);
    (0..=rows).flat_map(move |row| {
        (0..=columns).map(move |column| Coord {
            x: room.left + width * f64::from(column) / f64::from(columns),
            y: room.top + high * f64::from(row) / f64::from(rows),
        })
    })
}

/// On one line, and on two where there is a space to break at, as evenly as can be.
fn broken(name: &str) -> Vec<Vec<String>> {
    let mut ways = vec![vec![name.to_owned()]];
    let even = name
        .match_indices(' ')
        .map(|(at, _)| at)
        .min_by_key(|at| name[..*at].chars().count().abs_diff(name[at + 1..].chars().count()));
    if let Some(at) = even.filter(|_| name.chars().count() > 9) {
        ways.push(vec![name[..at].to_owned(), name[at + 1..].to_owned()]);
    }
    ways
}

fn height(size: f64) -> f64 {
    size * 1.15
}

/// Width and height with a little around it.
fn measure(lines: &[String], size: f64) -> (f64, f64) {
    let widest = lines.iter().map(|line| line.chars().map(wide).sum::<f64>()).fold(0.0, f64::max);
    (widest * size + 6.0, height(size) * lines.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::{
        super::frame::{Frame, together},
        *,
    };
    use geo::{BoundingRect, MultiPolygon, polygon};
    use proptest::prelude::*;

    const PANEL: Panel = Panel { left: 0.0, top: 0.0, right: 552.0, bottom: 300.0 };

    fn square(east: f64, north: f64, side: f64) -> MultiPolygon<f64> {
        let (right, top) = (east + side, north + side);
        polygon![(x: east, y: north), (x: right, y: north), (x: right, y: top), (x: east, y: top)].into()
    }

    #[test]
    fn names_stand_inside_else_beside_else_nowhere() {
        let (large, small) = (square(0.0, 0.0, 10_000.0), square(10_000.0, 0.0, 300.0));
        let all = together([&large, &small].iter().filter_map(|shape| shape.bounding_rect())).unwrap();
        let frame = Frame::around(all, PANEL);
        let wards = [Drawn::new("Billesdon", &large, &frame), Drawn::new("Castle", &small, &frame)];
        let labels = placed(&wards, &[], PANEL, vec![]);
        assert_eq!(labels.iter().map(|label| label.inside).collect::<Vec<_>>(), [true, false]);
        assert!(labels[1].leader.is_some());
        assert_eq!(placed(&wards, &[], PANEL, vec![PANEL]), [], "no room, no names");
        let beside = placed(&[], &wards, PANEL, vec![]);
        assert_eq!(beside.len(), 1, "a neighbour is named inside or not at all");
    }

    #[test]
    fn long_names_break_in_their_middle() {
        assert_eq!(broken("Braunstone Park & Rowley Fields")[1], ["Braunstone Park", "& Rowley Fields"]);
        assert_eq!([broken("Castle").len(), broken("Loughborough").len(), broken("").len()], [1, 1, 1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn no_name_covers_another(
            squares in prop::collection::vec((0_u32..9_000, 0_u32..6_000, 100_u32..2_500, "[A-Z][a-z]{2,9}( [A-Z][a-z]{2,9})?"), 1..9),
            concerned in 1_usize..6,
        ) {
            let shapes: Vec<_> = squares.iter().map(|(x, y, side, _)| square((*x).into(), (*y).into(), (*side).into())).collect();
            let all = together(shapes.iter().filter_map(geo::BoundingRect::bounding_rect)).unwrap();
            let frame = Frame::around(all, PANEL);
            let wards: Vec<Drawn> =
                squares.iter().zip(&shapes).map(|((.., name), shape)| Drawn::new(name, shape, &frame)).collect();
            let (concerned, beside) = wards.split_at(concerned.min(wards.len()));
            let foot = Panel { left: 0.0, top: 270.0, right: 150.0, bottom: 300.0 };
            let labels = placed(concerned, beside, PANEL, vec![foot]);
            for (n, label) in labels.iter().enumerate() {
                prop_assert!(PANEL.holds(label.room) && !foot.overlaps(label.room));
                prop_assert!(!labels[..n].iter().any(|other| other.room.overlaps(label.room)), "{:?}", labels);
            }
        }
    }
}
