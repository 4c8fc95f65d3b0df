//! The places of one square of the grid, day by day, and the box by which the R-tree finds them.

use super::{Point, Reach};
use rayon::prelude::*;
use rstar::{
    AABB, RTree,
    primitives::{GeomWithData, Rectangle},
};

/// What the R-tree holds: the box around a column and the column's index.
pub(super) type Leaf = GeomWithData<Rectangle<[f64; 3]>, u32>;

/// All points at one place on one day. They have the same neighbours, so they are looked at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) point: Point,
    /// The first of its points, in the order of the input.
    pub(super) first: u32,
    /// How many points it has.
    pub(super) weight: u32,
    /// How many neighbours its points have, themselves counted; not counted further than what makes a core point.
    pub(super) near: u32,
}

/// The occupied part of one square, in the order of days.
///
/// The square is so small that its corners are within reach of each other: of two spots in one column only the days
/// need to be compared, however crowded it is.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) spots: Vec<Spot>,
    low: Point,
    high: Point,
}

impl Column {
    pub(super) fn new(spot: Spot) -> Self {
        Self { spots: vec![spot], low: spot.point, high: spot.point }
    }

    /// Widens the box; says whether that changed it.
    pub(super) fn widen(&mut self, point: Point) -> bool {
        let (low, high) = (self.low, self.high);
        self.low.easting = low.easting.min(point.easting);
        self.low.northing = low.northing.min(point.northing);
        self.low.day = low.day.min(point.day);
        self.high.easting = high.easting.max(point.easting);
        self.high.northing = high.northing.max(point.northing);
        self.high.day = high.day.max(point.day);
        (low, high) != (self.low, self.high)
    }

    pub(super) fn leaf(&self, index: u32, reach: Reach) -> Leaf {
        let corners = Rectangle::from_corners(corner(self.low, reach), corner(self.high, reach));
        GeomWithData::new(corners, index)
    }

    /// Whether any pair of points can be near enough by the boxes; the R-tree looks at squares, this at circles.
    fn meets(&self, other: &Self, reach: Reach) -> bool {
        let gap = |low: i32, high: i32, other_low: i32, other_high: i32| {
            let gap = (i64::from(other_low) - i64::from(high)).max(i64::from(low) - i64::from(other_high));
            gap.max(0)
        };
        let east = gap(self.low.easting, self.high.easting, other.low.easting, other.high.easting);
        let north = gap(self.low.northing, self.high.northing, other.low.northing, other.high.northing);
        gap(self.low.day, self.high.day, other.low.day, other.high.day) <= reach.days
            && east * east + north * north <= reach.metres * reach.metres
    }
}

/// For every column the other ones that can hold neighbours of its points. Neighbouring columns find nearly the same
/// ones, so the R-tree is asked once for up to eight of a row.
pub(super) fn near(columns: &[Column], tree: &RTree<Leaf>, reach: Reach) -> Vec<Vec<u32>> {
    let side = reach.side();
    let west = |column: &Column| i64::from(column.low.easting).div_euclid(side);
    let south = |column: &Column| i64::from(column.low.northing);
    let beside = |a: &Column, b: &Column| west(a) == west(b) && south(b) - south(a) <= 3 * side;
    let mut first = 0;
    let mut rows = Vec::new();
    for row in columns.chunk_by(beside).flat_map(|row| row.chunks(8)) {
        rows.push((first, row));
        first += row.len();
    }
    let near = |(first, row): (usize, &[Column])| -> Vec<Vec<u32>> {
        let mut all = Column { spots: Vec::new(), ..row[0] };
        for column in row {
            all.widen(column.low);
            all.widen(column.high);
        }
        let found = tree.locate_in_envelope_intersecting(around(all.low, all.high, reach));
        let found: Vec<u32> = found.map(|leaf| leaf.data).collect();
        let those = |(index, column): (usize, &Column)| {
            let meets =
                |&&other: &&u32| other as usize != index && column.meets(&columns[other as usize], reach);
            found.iter().filter(meets).copied().collect()
        };
        (first..).zip(row).map(those).collect()
    };
    rows.into_par_iter().flat_map_iter(near).collect()
}

/// The box around a point's neighbours.
pub(super) fn around(low: Point, high: Point, reach: Reach) -> AABB<[f64; 3]> {
    let (metres, days) = (reach.metres as f64, (reach.days * reach.stretch()) as f64);
    let ([west, south, early], [east, north, late]) = (corner(low, reach), corner(high, reach));
    AABB::from_corners(
        [west - metres, south - metres, early - days],
        [east + metres, north + metres, late + days],
    )
}

/// Whole numbers below two to the power of 53, so nothing is rounded; in 64-bit integers the R-tree's volumes would
/// overflow.
fn corner(point: Point, reach: Reach) -> [f64; 3] {
    let day = i64::from(point.day) * reach.stretch();
    [point.easting.into(), point.northing.into(), day as f64]
}

/// The part of the spots, in the order of days, that is within reach of a day.
pub(super) fn window(spots: &[Spot], day: i32, reach: Reach) -> std::ops::Range<usize> {
    let apart = |spot: &Spot| i64::from(spot.point.day) - i64::from(day);
    let from = spots.partition_point(|spot| apart(spot) < -reach.days);
    from..from + spots[from..].partition_point(|spot| apart(spot) <= reach.days)
}

/// Walks through two lists in the order of days: calls `visit` with every spot of the first and the start of what is
/// within reach of its day in the second.
pub(super) fn sweep<'a>(
    here: &'a [Spot],
    there: &'a [Spot],
    reach: Reach,
    mut visit: impl FnMut(usize, &'a [Spot]) -> bool,
) -> bool {
    let mut from = 0;
    here.iter().enumerate().any(|(index, spot)| {
        let early = i64::from(spot.point.day) - reach.days;
        while there.get(from).is_some_and(|spot| i64::from(spot.point.day) < early) {
            from += 1;
        }
        visit(index, &there[from..])
    })
}
