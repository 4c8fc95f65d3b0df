//! Cells that no edge comes near, each with its answer.

use super::outline::Bands;
use geo::{Coord, Rect};

/// Cells at most: 16 megabytes of them.
const CELLS: usize = 1 << 22;

/// An edge comes near this cell.
const MIXED: u32 = u32::MAX;
/// No ward holds this cell.
const NOBODY: u32 = u32::MAX - 1;

/// A lattice over all wards. Where no edge touches a cell, all of it has one answer, which is kept; everything else has
/// to be asked. It saves time and decides nothing.
#[derive(Debug)]
pub(super) struct Lattice {
    east: Bands,
    north: Bands,
    bounds: Rect<f64>,
    cells: Vec<u32>,
}

/// What the lattice knows of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Ward(usize),
    Nobody,
    Unknown,
}

impl Lattice {
    /// Takes all edges, and `ask` for the ward that holds a point. Nothing where the numbers are too close together,
    /// or too large, to divide them safely.
    pub(super) fn new(
        bounds: Rect<f64>,
        corners: usize,
        edges: impl Iterator<Item = [Coord<f64>; 2]> + Clone,
        ask: impl Fn(Coord<f64>) -> Option<usize>,
    ) -> Option<Self> {
        let (low, high) = (bounds.min(), bounds.max());
        // Four cells for each corner: most are then away from every edge.
        let side = corners.saturating_mul(4).min(CELLS).isqrt();
        // Edges as long as the whole, each of which touches a cell in every row, make it coarser.
        let lengths = edges
            .clone()
            .map(|[a, b]| (a.x - b.x).abs() / bounds.width() + (a.y - b.y).abs() / bounds.height());
        let side = side.min((8.0 * corners as f64 / lengths.sum::<f64>()) as usize);
        let (east, north) = (Bands::new(low.x, high.x, side), Bands::new(low.y, high.y, side));
        if !(east.are_wide() && north.are_wide()) {
            return None;
        }
        let mut cells = vec![NOBODY; east.count * north.count];
        for edge in edges {
            mark(edge, east, north, &mut cells);
        }
        let mut lattice = Self { east, north, bounds, cells };
        for row in 0..north.count {
            // Two neighbours that no edge touches have the same answer: one question for a row of them will do.
            let mut answer = None;
            for column in 0..east.count {
                let at = row * east.count + column;
                if lattice.cells[at] == MIXED {
                    answer = None;
                    continue;
                }
                let middle =
                    |bands: Bands, band: usize| bands.start(band) + 0.5 * (bands.start(1) - bands.start(0));
                let point = Coord { x: middle(east, column), y: middle(north, row) };
                let answer = *answer.get_or_insert_with(|| ask(point).map_or(NOBODY, |ward| ward as u32));
                lattice.cells[at] = answer;
            }
        }
        Some(lattice)
    }

    pub(super) fn look(&self, point: Coord<f64>) -> Known {
        let (low, high) = (self.bounds.min(), self.bounds.max());
        if !(low.x <= point.x && point.x <= high.x && low.y <= point.y && point.y <= high.y) {
            return Known::Nobody;
        }
        match self.cells[self.north.of(point.y) * self.east.count + self.east.of(point.x)] {
            MIXED => Known::Unknown,
            NOBODY => Known::Nobody,
            ward => Known::Ward(ward as usize),
        }
    }
}

/// Marks every cell that an edge touches, and perhaps some more.
fn mark([a, b]: [Coord<f64>; 2], east: Bands, north: Bands, cells: &mut [u32]) {
    let (west, right) = (east.of(a.x.min(b.x)), east.of(a.x.max(b.x)));
    let (south, top) = (north.of(a.y.min(b.y)), north.of(a.y.max(b.y)));
    for row in south..=top {
        let (mut from, mut to) = (west, right);
        if right - west > 2 && top > south {
            // The part of a long edge within this row, and a cell either way for what the division rounds.
            let x = |y: f64| a.x + ((y - a.y) / (b.y - a.y)).clamp(0.0, 1.0) * (b.x - a.x);
            let (one, two) = (x(north.start(row)), x(north.start(row + 1)));
            from = from.max(east.of(one.min(two)).saturating_sub(1));
            to = to.min(east.of(one.max(two)) + 1);
        }
        cells[row * east.count + from..=row * east.count + to].fill(MIXED);
    }
}
