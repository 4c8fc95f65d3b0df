//! Where in the county, for the map of those responsible: hexagons of density, and the outlines of clusters.

use super::{figures::Question, night::Engine};
use crate::{
    count::{Seen, SeenIncident},
    model::{Alert, AlertState, CategorySet, Place, Subject, Window},
};
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use geo::{ConvexHull, MultiPoint, Point};
use h3o::{CellIndex, LatLng, Resolution};
use std::{collections::BTreeMap, f64::consts::TAU, sync::Arc};

/// Hexagons of about 0.7 square kilometres, 500 metres along each side: the streets of one neighbourhood.
const SIZE: Resolution = Resolution::Eight;

/// An outline keeps this far from the reports in it, in metres: it shows an area, not addresses.
const MARGIN: f64 = 150.0;

/// Metres in a degree north, and in one east at the equator.
const DEGREE: f64 = 111_195.0;

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
    spots(placed.filter_map(|incident| Some((incident.degrees()?, incident.ward()?))))
}

fn spots<'a>(placed: impl Iterator<Item = (Corner, &'a str)>) -> Vec<Spot> {
    let mut counts: BTreeMap<(CellIndex, &str), u32> = BTreeMap::new();
    for ((east, north), ward) in placed {
        if let Ok(at) = LatLng::new(north, east) {
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

/// The alerts of clusters that lived on a night.
///
/// # Errors
///
/// When the store fails.
pub async fn living_clusters(engine: &Engine, night: NaiveDate) -> Result<Vec<Alert>> {
    let mut alerts = engine.store.alerts_since(night).await?;
    alerts.retain(|alert| {
        alert.opened <= night
            && alert.state != AlertState::Pending
            && matches!(alert.latest.subject, Subject::Cluster(_))
    });
    Ok(alerts)
}

/// The outline of a cluster by the places of its reports, as known just before an instant; none when none has a place.
///
/// # Errors
///
/// When the store fails.
pub async fn cluster_outline(
    engine: &Engine,
    alert: &Alert,
    as_known_on: DateTime<Utc>,
) -> Result<Option<ClusterOutline>> {
    let places = engine.store.places_of(&alert.latest.members, as_known_on).await?;
    let ring = ring(places.into_values());
    Ok((ring.len() > 3).then(|| ClusterOutline { number: alert.number.clone(), ring }))
}

/// The convex hull of circles around places, in degrees: at this size the earth is flat, and a hull does not mind that a
/// degree east is shorter than one north.
fn ring(places: impl Iterator<Item = Place>) -> Vec<Corner> {
    let around = |place: Place| {
        let east = MARGIN / (DEGREE * place.lat.to_radians().cos());
        (0..CORNERS).map(move |corner| {
            let turn = TAU * f64::from(corner) / f64::from(CORNERS);
            Point::new(place.lon + east * turn.cos(), place.lat + MARGIN / DEGREE * turn.sin())
        })
    };
    let hull = MultiPoint::new(places.flat_map(around).collect()).convex_hull();
    hull.exterior().coords().map(|at| (at.x, at.y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reports_of_one_street_share_a_hexagon_that_holds_them() {
        let placed = [((-1.1330, 52.6400), "A"), ((-1.1331, 52.6401), "B"), ((-1.3, 52.5), "A")];
        let spots = spots(placed.into_iter());
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
            let found = hexagons(&spots(places.iter().map(|at| (*at, "A"))), |_| true);
            prop_assert_eq!(found.iter().map(|one| one.count as usize).sum::<usize>(), places.len());
        }
    }
}
