//! Which ward a point lies in: an R-tree of boxes, then the exact question.

use crate::model::Place;
use geo::{BoundingRect, Coord, Intersects, MultiPolygon};
use rstar::{
    RTree,
    primitives::{GeomWithData, Rectangle},
};

/// A ward's outline.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    /// The ward's code.
    pub code: String,
    /// Its name as the file writes it.
    pub name: String,
    /// One or several polygons, with holes.
    pub shape: MultiPolygon<f64>,
    /// In metres on the pack's grid, or else in degrees.
    pub in_metres: bool,
}

type Boxed = GeomWithData<Rectangle<[f64; 2]>, usize>;

/// The wards of one set of boundaries.
///
/// An outline belongs to its ward, and so does the edge of a hole. A point on a border shared by several wards belongs
/// to the one whose code comes first: every point belongs to one ward at most, and to the same one on every machine.
#[derive(Debug)]
pub struct Boundaries {
    wards: Vec<Boundary>,
    in_degrees: RTree<Boxed>,
    in_metres: RTree<Boxed>,
}

impl Boundaries {
    /// Takes the outlines. One without any area (an empty shape) holds no point.
    #[must_use]
    pub fn new(mut wards: Vec<Boundary>) -> Self {
        wards.sort_by(|a, b| a.code.cmp(&b.code));
        let tree = |in_metres: bool| {
            let boxes = wards.iter().enumerate().filter(|(_, ward)| ward.in_metres == in_metres);
            let boxes = boxes.filter_map(|(index, ward)| {
                let bounds = ward.shape.bounding_rect()?;
                let (low, high) = (bounds.min(), bounds.max());
                Some(GeomWithData::new(Rectangle::from_corners([low.x, low.y], [high.x, high.y]), index))
            });
            RTree::bulk_load(boxes.collect())
        };
        Self { in_degrees: tree(false), in_metres: tree(true), wards }
    }

    /// The code of the ward a place lies in.
    #[must_use]
    pub fn ward_of(&self, place: &Place) -> Option<&str> {
        let by_degrees = self.first(&self.in_degrees, place.lon, place.lat);
        let by_metres = self.first(&self.in_metres, place.easting, place.northing);
        let index = by_degrees.into_iter().chain(by_metres).min()?;
        Some(&self.wards[index].code)
    }

    /// The first ward, in the order of codes, whose closed area holds the point.
    fn first(&self, tree: &RTree<Boxed>, x: f64, y: f64) -> Option<usize> {
        if !(x.is_finite() && y.is_finite()) {
            return None;
        }
        let point = Coord { x, y };
        tree.locate_all_at_point([x, y])
            .map(|boxed| boxed.data)
            .filter(|&index| self.wards[index].shape.intersects(&point))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{polygon, wkt};
    use proptest::prelude::*;

    fn ward(code: &str, shape: MultiPolygon<f64>) -> Boundary {
        Boundary { code: code.into(), name: code.into(), shape, in_metres: true }
    }

    fn at(easting: f64, northing: f64) -> Place {
        Place { lon: f64::NAN, lat: f64::NAN, easting, northing }
    }

    #[test]
    fn a_point_on_a_shared_border_belongs_to_the_first_code() {
        let west = wkt!(MULTIPOLYGON(((0. 0., 10. 0., 10. 10., 0. 10., 0. 0.))));
        let east = wkt!(MULTIPOLYGON(((10. 0., 20. 0., 20. 10., 10. 10., 10. 0.))));
        let wards = Boundaries::new(vec![ward("B", west), ward("A", east)]);
        assert_eq!(wards.ward_of(&at(5.0, 5.0)), Some("B"));
        assert_eq!(wards.ward_of(&at(10.0, 5.0)), Some("A"));
        assert_eq!(wards.ward_of(&at(0.0, 0.0)), Some("B"));
        assert_eq!(wards.ward_of(&at(20.1, 5.0)), None);
        assert_eq!(wards.ward_of(&at(f64::NAN, 5.0)), None);
    }

    #[test]
    fn a_hole_belongs_to_nobody_but_its_edge_does() {
        let ring = polygon!(
            exterior: [(x: 0., y: 0.), (x: 10., y: 0.), (x: 10., y: 10.), (x: 0., y: 10.)],
            interiors: [[(x: 4., y: 4.), (x: 6., y: 4.), (x: 6., y: 6.), (x: 4., y: 6.)]],
        );
        let island = polygon![(x: 20., y: 0.), (x: 21., y: 0.), (x: 21., y: 1.)];
        let wards = Boundaries::new(vec![ward("A", MultiPolygon(vec![ring, island]))]);
        assert_eq!(wards.ward_of(&at(5.0, 5.0)), None);
        assert_eq!(wards.ward_of(&at(4.0, 5.0)), Some("A"));
        assert_eq!(wards.ward_of(&at(20.9, 0.5)), Some("A"), "an island is the ward's too");
    }

    proptest! {
        #[test]
        fn squares_of_a_chessboard_hold_every_point_once(x in 0.0_f64..8.0, y in 0.0_f64..8.0) {
            let square = |east: u8, north: u8| {
                let (e, n) = (f64::from(east), f64::from(north));
                let ring = polygon![(x: e, y: n), (x: e + 1., y: n), (x: e + 1., y: n + 1.), (x: e, y: n + 1.)];
                ward(&format!("{east}{north}"), MultiPolygon(vec![ring]))
            };
            let board = Boundaries::new((0..64).map(|n| square(n / 8, n % 8)).collect());
            let code = format!("{}{}", x.floor(), y.floor());
            prop_assert_eq!(board.ward_of(&at(x, y)), Some(code.as_str()));
        }
    }
}
