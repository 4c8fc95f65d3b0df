//! Where in the county, for the map of those responsible: hexagons of density, and the outlines of clusters.

use super::{figures::Question, night::Engine};
use crate::{
    count::{Seen, SeenIncident},
    model::{Alert, AlertState, CategorySet, Place, Subject, Window},
};
use anyhow::Result;
use geo::{ConvexHull, MultiPoint, Point};
use h3o::{CellIndex, LatLng, Resolution};
use std::{
    collections::{BTreeMap, BTreeSet},
    f64::consts::TAU,
    sync::Arc,
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

/// Reports of one ward in one hexagon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    cell: CellIndex,
    ward: String,
    count: u32,
}

/// The reports of a question's window, category and class by hexagon and ward. Reports without a place, or of which only
/// the ward is known, are in none.
///
/// # Errors
///
/// When the store fails.
pub async fn density(engine: &Arc<Engine>, question: &Question) -> Result<Vec<Spot>> {
    let seen = engine.as_known(question.as_known_on).await?;
    let (engine, question) = (Arc::clone(engine), question.clone());
    Ok(tokio::task::spawn_blocking(move || placed(&engine, &seen, &question)).await?)
}

fn placed(engine: &Engine, seen: &Seen, question: &Question) -> Vec<Spot> {
    let pack = &engine.county.pack;
    let one = question.category.as_deref().and_then(|code| pack.categories.find(code));
    let asked: CategorySet = one.unwrap_or(pack.categories.all());
    let window = Window::ending(question.night, question.days);
    let counted = |incident: &SeenIncident<'_>| {
        incident.categories().touches(asked)
            && question.counts(incident)
            && incident.day(pack.zone).is_some_and(|day| (window.first..=window.last).contains(&day))
    };
    let placed = seen.iter().filter(counted);
    spots(placed.filter_map(|incident| Some((incident.place()?, incident.ward()?))))
}

fn spots<'a>(placed: impl Iterator<Item = (Place, &'a str)>) -> Vec<Spot> {
    let mut counts: BTreeMap<(CellIndex, &str), u32> = BTreeMap::new();
    for (place, ward) in placed {
        if let Ok(at) = LatLng::new(place.lat, place.lon) {
            *counts.entry((at.to_cell(SIZE), ward)).or_default() += 1;
        }
    }
    counts.into_iter().map(|((cell, ward), count)| Spot { cell, ward: ward.to_owned(), count }).collect()
}

/// The hexagons of those wards that may be seen.
pub fn hexagons(spots: &[Spot], may_see: impl Fn(&str) -> bool) -> Vec<Hexagon> {
    let mut counts: BTreeMap<CellIndex, u32> = BTreeMap::new();
    for spot in spots.iter().filter(|spot| may_see(&spot.ward)) {
        *counts.entry(spot.cell).or_default() += spot.count;
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
    let members: BTreeSet<Uuid> = clusters.iter().flat_map(|alert| alert.latest.members.clone()).collect();
    let members: Vec<Uuid> = members.into_iter().collect();
    let places = engine.store.places_of(&members, question.as_known_on).await?;
    let outline = |alert: &&Alert| {
        let members = alert.latest.members.iter().filter_map(|id| places.get(id).copied());
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
        let placed = [((-1.1330, 52.6400), "A"), ((-1.1331, 52.6401), "B"), ((-1.3, 52.5), "A")];
        let spots = spots(placed.map(|((x, y), ward)| (place(x, y), ward)).into_iter());
        assert_eq!(hexagons(&spots, |ward| ward == "B").len(), 1, "of another ward nothing is shown");
        let found = hexagons(&spots, |_| true);
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
            let found = hexagons(&spots(places.iter().map(|(x, y)| (place(*x, *y), "A"))), |_| true);
            prop_assert_eq!(found.iter().map(|one| one.count as usize).sum::<usize>(), places.len());
        }
    }
}
