//! Which ward a point lies in: a lattice for most points, an R-tree of boxes and the exact question for the others.

use super::{
    lattice::{Known, Lattice},
    outline::{Outline, size},
};
use crate::model::Place;
use geo::{BoundingRect, Coord, GeometryCollection, MultiPolygon, Polygon, Rect};
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

/// The wards of one set of boundaries.
///
/// An outline belongs to its ward, and so does the edge of a hole. A point on a border shared by several wards belongs
/// to the one whose code comes first: every point belongs to one ward at most, and to the same one on every machine.
#[derive(Debug)]
pub struct Boundaries {
    codes: Vec<String>,
    in_degrees: Layer,
    in_metres: Layer,
}

impl Boundaries {
    /// Takes the outlines. A polygon without any area holds no point but those on its lines, one with a coordinate that
    /// is no number holds none.
    #[must_use]
    pub fn new(mut wards: Vec<Boundary>) -> Self {
        wards.sort_by(|a, b| a.code.cmp(&b.code));
        let mut codes = Vec::with_capacity(wards.len());
        let (mut in_degrees, mut in_metres) = (Vec::new(), Vec::new());
        for (index, ward) in wards.into_iter().enumerate() {
            let layer = if ward.in_metres { &mut in_metres } else { &mut in_degrees };
            layer.extend(ward.shape.0.into_iter().map(|polygon| (index, polygon)));
            codes.push(ward.code);
        }
        Self { codes, in_degrees: Layer::new(in_degrees), in_metres: Layer::new(in_metres) }
    }

    /// The code of the ward a place lies in.
    #[must_use]
    pub fn ward_of(&self, place: &Place) -> Option<&str> {
        let by_degrees = self.in_degrees.ward_of(place.lon, place.lat);
        let by_metres = self.in_metres.ward_of(place.easting, place.northing);
        let index = by_degrees.into_iter().chain(by_metres).min()?;
        Some(&self.codes[index])
    }
}

/// The wards in one unit.
#[derive(Debug)]
struct Layer {
    outlines: Outlines,
    lattice: Option<Lattice>,
}

impl Layer {
    fn new(polygons: Vec<(usize, Polygon<f64>)>) -> Self {
        let corners = polygons.iter().map(|(_, polygon)| size(polygon)).sum();
        let outlines = Outlines::new(polygons);
        let lattice = outlines.bounds().and_then(|bounds| {
            let edges = outlines.all.iter().flat_map(|(_, outline)| outline.edges());
            Lattice::new(bounds, corners, edges, |point| outlines.first(point))
        });
        Self { outlines, lattice }
    }

    fn ward_of(&self, x: f64, y: f64) -> Option<usize> {
        let point = Coord { x, y };
        match self.lattice.as_ref().map_or(Known::Unknown, |lattice| lattice.look(point)) {
            Known::Ward(ward) => Some(ward),
            Known::Unknown if x.is_finite() && y.is_finite() => self.outlines.first(point),
            Known::Nobody | Known::Unknown => None,
        }
    }
}

/// Polygons, each with the index of its ward, in the order of the wards, and the R-tree of their boxes.
#[derive(Debug)]
struct Outlines {
    all: Vec<(usize, Outline)>,
    tree: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

impl Outlines {
    fn new(polygons: Vec<(usize, Polygon<f64>)>) -> Self {
        let prepared =
            polygons.into_iter().filter_map(|(ward, polygon)| Some((ward, Outline::new(polygon)?)));
        let all: Vec<_> = prepared.collect();
        let boxes = all.iter().enumerate().map(|(index, (_, outline))| {
            let (low, high) = (outline.bounds().min(), outline.bounds().max());
            GeomWithData::new(Rectangle::from_corners([low.x, low.y], [high.x, high.y]), index)
        });
        Self { tree: RTree::bulk_load(boxes.collect()), all }
    }

    fn bounds(&self) -> Option<Rect<f64>> {
        let boxes = self.all.iter().map(|(_, outline)| outline.bounds().into());
        GeometryCollection::from_iter(boxes.collect::<Vec<geo::Geometry<f64>>>()).bounding_rect()
    }

    /// The first ward, in the order of codes, whose closed area holds the point.
    fn first(&self, point: Coord<f64>) -> Option<usize> {
        let mut first = usize::MAX;
        for boxed in self.tree.locate_all_at_point([point.x, point.y]) {
            let (ward, outline) = &self.all[boxed.data];
            if *ward < first && outline.holds(point) {
                first = *ward;
            }
        }
        (first != usize::MAX).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{CoordsIter, Intersects, polygon, wkt};
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

    /// By geo, ward by ward.
    fn by_definition(wards: &[Boundary], point: Coord<f64>) -> Option<&str> {
        let all = wards.iter().filter(|ward| ward.shape.intersects(&point));
        all.map(|ward| ward.code.as_str()).min()
    }

    #[test]
    fn broken_shapes_do_no_harm() {
        let nan = polygon![(x: 0., y: 0.), (x: f64::NAN, y: 1.), (x: 1., y: 1.)];
        let far = polygon![(x: -1e308, y: -1e308), (x: 1e308, y: -1e308), (x: 1e308, y: 1e308)];
        let tiny = polygon![(x: 1e6, y: 1e6), (x: 1e6 + 1e-9, y: 1e6), (x: 1e6, y: 1e6 + 1e-9)];
        let flat = polygon![(x: 0., y: 3.), (x: 5., y: 3.), (x: 9., y: 3.)];
        let dot = polygon![(x: 7., y: 7.)];
        let none = MultiPolygon(vec![polygon![]]);
        let one = |polygon: &Polygon<f64>| MultiPolygon(vec![polygon.clone()]);
        for shape in [one(&nan), one(&far), one(&tiny), one(&flat), one(&dot), none, MultiPolygon(vec![])] {
            let wards = vec![ward("A", shape.clone())];
            let boundaries = Boundaries::new(wards.clone());
            let no_number = shape.coords_iter().any(|corner| corner.x.is_nan());
            for (x, y) in [(0., 0.), (7., 7.), (3., 3.), (1e6, 1e6), (-1e308, 2.), (1e300, -1e300)] {
                let expected = by_definition(&wards, Coord { x, y }).filter(|_| !no_number);
                assert_eq!(boundaries.ward_of(&at(x, y)), expected, "{shape:?} {x} {y}");
            }
            assert_eq!(boundaries.ward_of(&at(f64::INFINITY, 0.)), None);
        }
        assert_eq!(Boundaries::new(vec![]).ward_of(&at(0., 0.)), None);
    }

    #[test]
    fn edges_as_long_as_the_ward_are_prepared_in_bounded_time() {
        let up_and_down = (0..300_000).map(|n| Coord { x: f64::from(n), y: f64::from(n % 2) * 1e6 });
        let comb = Polygon::new(up_and_down.chain([Coord { x: 3e5, y: 2e6 }]).collect(), vec![]);
        let wards = Boundaries::new(vec![ward("A", MultiPolygon(vec![comb]))]);
        assert_eq!(wards.ward_of(&at(2.0, 0.0)), Some("A"));
        assert_eq!(wards.ward_of(&at(2.0, -1.0)), None);
    }

    proptest! {
        #[test]
        fn any_wards_hold_what_geo_says(
            rings in prop::collection::vec(prop::collection::vec((0_u8..12, 0_u8..12), 0..14), 1..6),
            holes in prop::collection::vec(prop::collection::vec((0_u8..12, 0_u8..12), 0..6), 0..4),
            shift in prop_oneof![Just(0.0), Just(0.1), Just(459_547.3)],
        ) {
            // Mostly crossing themselves and each other, with corners, edges and points on top of each other.
            let ring = |corners: &Vec<(u8, u8)>| -> geo::LineString<f64> {
                corners.iter().map(|&(x, y)| Coord { x: f64::from(x) + shift, y: f64::from(y) + shift }).collect()
            };
            let wards: Vec<Boundary> = rings.iter().enumerate().map(|(index, corners)| {
                let holes = holes.iter().skip(index).step_by(2).map(ring).collect();
                let other = Polygon::new(ring(&rings[index / 2]), vec![]);
                let shape = MultiPolygon(vec![Polygon::new(ring(corners), holes), other]);
                ward(&format!("{}", 9 - index), shape)
            }).collect();
            let boundaries = Boundaries::new(wards.clone());
            for x in 0..50 {
                for y in 0..50 {
                    let point = Coord { x: f64::from(x) / 4. + shift, y: f64::from(y) / 4. + shift };
                    prop_assert_eq!(
                        boundaries.ward_of(&at(point.x, point.y)), by_definition(&wards, point), "{:?}", point
                    );
                }
            }
        }

        #[test]
        fn a_fine_star_holds_what_geo_says(
            radii in prop::collection::vec(50_u16..100, 40..400), points in prop::collection::vec((0_u16..220, 0_u16..220), 100),
        ) {
            let count = radii.len() as f64;
            let corners = radii.iter().enumerate().map(|(index, radius)| {
                let (sin, cos) = (index as f64 / count * std::f64::consts::TAU).sin_cos();
                Coord { x: 110. + (cos * f64::from(*radius)).round(), y: 110. + (sin * f64::from(*radius)).round() }
            });
            let star = Polygon::new(corners.collect(), vec![]);
            let middles: Vec<Coord<f64>> = star.exterior().lines().map(|line| (line.start + line.end) / 2.).collect();
            let all = star.exterior().0.iter().copied().chain(middles);
            let all: Vec<_> = all.chain(points.iter().map(|&(x, y)| Coord { x: x.into(), y: y.into() })).collect();
            let wards = vec![ward("A", MultiPolygon(vec![star]))];
            let boundaries = Boundaries::new(wards.clone());
            for point in all {
                prop_assert_eq!(boundaries.ward_of(&at(point.x, point.y)), by_definition(&wards, point), "{:?}", point);
            }
        }

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
