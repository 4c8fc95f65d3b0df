//! Where in the county, for the map of those responsible: hexagons of density, and the outlines of clusters.

use super::{figures::Question, night::Engine};
use crate::{
    model::{Alert, AlertState, CategorySet, Incident, Place, Subject, Window},
    store::SeenIncident,
};
use anyhow::Result;
use geo::{ConvexHull, MultiPoint, Point};
use h3o::{CellIndex, LatLng, Resolution};
use std::{
    collections::{BTreeMap, HashMap},
    f64::consts::TAU,
};
use uuid::Uuid;

/// Hexagons of about 0.7 square kilometres, 500 metres along each side: the streets of one neighbourhood.
const SIZE: Resolution = Resolution::Eight;

/// An outline keeps this far from the reports in it, in metres: it shows an area, not addresses.
const MARGIN: f64 = 150.0;

/// Corners of the circle around each report.
const CORNERS: u32 = 12;

/// Degrees east and north.
pub type Corner = (f64, f64);

/// How many reports lie in one hexagon.
#[derive(Debug, Clone, PartialEq)]
pub struct Hexagon {
    /// Its corners, the first one not repeated.
    pub ring: Vec<Corner>,
    /// Reports, each once.
    pub count: u32,
}

/// The outline of a cluster that people were told of.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterOutline {
    /// The alert's number.
    pub number: String,
    /// Its corners, the first one repeated at the end.
    pub ring: Vec<Corner>,
}

/// The reports of a question's window and category in hexagons, of those wards that may be seen. Reports without a place, or
/// of which only the ward is known, are in none.
///
/// # Errors
///
/// When the store fails.
pub async fn density(
    engine: &Engine,
    question: &Question,
    may_see: impl Fn(&str) -> bool,
) -> Result<Vec<Hexagon>> {
    let seen = engine.as_known(question.as_known_on).await?;
    let pack = &engine.county.pack;
    let one = question.category.as_deref().and_then(|code| pack.categories.find(code));
    let asked: CategorySet = one.unwrap_or(pack.categories.all());
    let window = Window::ending(question.night, question.days);
    let counted = |incident: &Incident| {
        incident.categories.touches(asked)
            && incident.day(pack.zone).is_some_and(|day| (window.first..=window.last).contains(&day))
            && incident.ward.as_deref().is_some_and(&may_see)
    };
    let places = seen.iter().filter(|one| counted(&one.incident)).filter_map(|one| one.incident.place);
    Ok(hexagons(places))
}

fn hexagons(places: impl Iterator<Item = Place>) -> Vec<Hexagon> {
    let mut counts: BTreeMap<CellIndex, u32> = BTreeMap::new();
    for place in places {
        if let Ok(at) = LatLng::new(place.lat, place.lon) {
            *counts.entry(at.to_cell(SIZE)).or_default() += 1;
        }
    }
    let ring = |cell: CellIndex| cell.boundary().iter().map(|at| (at.lng(), at.lat())).collect();
    counts.into_iter().map(|(cell, count)| Hexagon { ring: ring(cell), count }).collect()
}

/// The outlines of the clusters whose alerts lived on a night, those that `may_see` lets through.
///
/// # Errors
///
/// When the store fails.
pub async fn cluster_outlines(
    engine: &Engine,
    question: &Question,
    may_see: impl Fn(&Alert) -> bool,
) -> Result<Vec<ClusterOutline>> {
    let alerts = engine.store.alerts_since(question.night).await?;
    let living = |alert: &&Alert| {
        alert.opened <= question.night
            && alert.state != AlertState::Pending
            && matches!(alert.latest.subject, Subject::Cluster(_))
            && may_see(alert)
    };
    let clusters: Vec<&Alert> = alerts.iter().filter(living).collect();
    if clusters.is_empty() {
        return Ok(Vec::new());
    }
    let seen = engine.as_known(question.as_known_on).await?;
    let by_id: HashMap<Uuid, &SeenIncident> = seen.iter().map(|one| (one.incident.id, one)).collect();
    let outline = |alert: &&Alert| {
        let members = alert.latest.members.iter().filter_map(|id| by_id.get(id)?.incident.place);
        let ring = ring(engine, members);
        (ring.len() > 3).then(|| ClusterOutline { number: alert.number.clone(), ring })
    };
    Ok(clusters.iter().filter_map(outline).collect())
}

/// The convex hull of circles around places.
fn ring(engine: &Engine, places: impl Iterator<Item = Place>) -> Vec<Corner> {
    let around = |place: Place| {
        (0..CORNERS).map(move |corner| {
            let turn = TAU * f64::from(corner) / f64::from(CORNERS);
            Point::new(place.easting + MARGIN * turn.cos(), place.northing + MARGIN * turn.sin())
        })
    };
    let hull = MultiPoint::new(places.flat_map(around).collect()).convex_hull();
    let corners = hull.exterior().coords();
    corners.filter_map(|at| engine.county.grid.to_degrees(at.x, at.y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(lon: f64, lat: f64) -> Place {
        Place { lon, lat, easting: 0.0, northing: 0.0 }
    }

    #[test]
    fn reports_of_one_street_share_a_hexagon_that_holds_them() {
        let found = hexagons(
            [(-1.1330, 52.6400), (-1.1331, 52.6401), (-1.3, 52.5)].map(|(x, y)| place(x, y)).into_iter(),
        );
        let mut counts: Vec<u32> = found.iter().map(|one| one.count).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 2]);
        let own = found.iter().find(|one| one.count == 2).unwrap();
        assert_eq!(own.ring.len(), 6);
        let (west, east) =
            own.ring.iter().fold((f64::MAX, f64::MIN), |(a, b), at| (a.min(at.0), b.max(at.0)));
        assert!(west < -1.1331 && east > -1.1330, "{own:?}");
    }

    proptest! {
        #[test]
        fn every_report_is_in_one_hexagon(places in prop::collection::vec((-2.0..0.0, 52.0..54.0), 0..40)) {
            let found = hexagons(places.iter().map(|(x, y)| place(*x, *y)));
            prop_assert_eq!(found.iter().map(|one| one.count as usize).sum::<usize>(), places.len());
        }
    }
}
