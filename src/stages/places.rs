//! Where in the county, for the map of those responsible: hexagons of density, and the outlines of clusters.

use super::{background::background, figures::Question, night::Engine};
use crate::{
    count::{Seen, SeenIncident},
    model::{Alert, CategorySet, Subject, Window},
};
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use geo::{ConvexHull, MultiPoint, Point};
use h3o::{CellIndex, LatLng, Resolution};
use std::{collections::BTreeMap, sync::Arc};

/// Hexagons of about 0.7 square kilometres, 500 metres along each side: the streets of one neighbourhood.
const SIZE: Resolution = Resolution::Eight;

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
    background(move || placed(&engine, &seen, &question)).await
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
    counts.into_iter().map(|(cell, count)| Hexagon { ring: ring(cell), count }).collect()
}

/// The alerts of clusters that lived on a night, as [`Alert::lived_on`].
///
/// # Errors
///
/// When the store fails.
pub async fn living_clusters(
    engine: &Engine,
    night: NaiveDate,
    latest_night: NaiveDate,
) -> Result<Vec<Alert>> {
    let mut alerts = engine.store.alerts_since(night).await?;
    alerts.retain(|alert| {
        alert.lived_on(night, latest_night) && matches!(alert.latest.subject, Subject::Cluster(_))
    });
    Ok(alerts)
}

/// Where the reports of a cluster lie, by hexagon and ward, as known just before an instant.
///
/// # Errors
///
/// When the store fails.
pub async fn of_cluster(engine: &Engine, alert: &Alert, as_known_on: DateTime<Utc>) -> Result<Vec<Spot>> {
    let places = engine.store.places_of(&alert.latest.members, as_known_on).await?;
    Ok(spots(places.values().map(|(at, ward)| (*at, ward.as_str()))))
}

/// The outline of a cluster for somebody who may see these wards: the convex hull of the hexagons of its reports in them, the
/// first corner repeated at the end; none when no report of it may be seen. A hexagon holds a neighbourhood, so that no
/// corner says where anybody lives, and reports of other wards move no corner.
pub fn outline(spots: &[Spot], may_see: impl Fn(&str) -> bool) -> Option<Vec<Corner>> {
    let cells = spots.iter().filter(|spot| may_see(&spot.ward)).map(|spot| spot.cell);
    let corners: Vec<Point> =
        cells.flat_map(|cell| ring(cell).into_iter().map(|(east, north)| Point::new(east, north))).collect();
    // At this size the earth is flat, and a hull does not mind that a degree east is shorter than one north.
    let hull = MultiPoint::new(corners).convex_hull();
    let ring: Vec<Corner> = hull.exterior().coords().map(|at| (at.x, at.y)).collect();
    (ring.len() > 3).then_some(ring)
}

/// The corners of a hexagon, the first one not repeated.
fn ring(cell: CellIndex) -> Vec<Corner> {
    cell.boundary().iter().map(|at| (at.lng(), at.lat())).collect()
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

    #[test]
    fn an_outline_says_nothing_of_addresses_or_of_wards_that_may_not_be_seen() {
        let in_one = [((-1.1330, 52.6400), "A"), ((-1.1400, 52.6500), "A"), ((-1.1000, 52.6300), "B")];
        let all = spots(in_one.into_iter());
        assert_eq!(outline(&all, |ward| ward == "C"), None);
        let own = outline(&all, |ward| ward == "A").unwrap();
        let alone = outline(&spots(in_one[..2].iter().copied()), |_| true).unwrap();
        assert_eq!(own, alone, "what lies in another ward moves no corner");
        assert_ne!(outline(&all, |_| true).unwrap(), own);
        // Every corner is one of a hexagon of the whole world's grid, wherever in it the reports lie.
        let corners: Vec<Corner> =
            hexagons(&all, |ward| ward == "A").into_iter().flat_map(|one| one.ring).collect();
        assert!(own.iter().all(|corner| corners.contains(corner)), "{own:?}");
        let moved = in_one[..2].iter().map(|((east, north), ward)| ((east + 1e-4, north + 1e-4), *ward));
        assert_eq!(outline(&spots(moved), |_| true).unwrap(), own, "ten metres are not seen");
    }

    proptest! {
        #[test]
        fn every_report_is_in_one_hexagon(places in prop::collection::vec((-2.0..0.0, 52.0..54.0), 0..40)) {
            let found = hexagons(&spots(places.iter().map(|at| (*at, "A"))), |_| true);
            prop_assert_eq!(found.iter().map(|one| one.count as usize).sum::<usize>(), places.len());
        }
    }
}
