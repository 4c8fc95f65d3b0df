//! What the map shows, and to whom; and that what is kept of it follows what is known.

use super::{
    super::hotspots::{Asked, chosen},
    Pages, alert,
};
use crate::{
    model::{Alert, Incident, Place, Precision, Status, Subject},
    store::{ImportRecord, NewVersion},
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use uuid::Uuid;

const BELGRAVE: &str = "E05010461";
const SOUTH_CHARNWOOD: &str = "E05014685";

fn report(pages: &Pages, reference: u128, known_at: &str, (lon, lat): (f64, f64), ward: &str) -> Incident {
    let at = "2026-06-20T12:00:00Z".parse().unwrap();
    Incident {
        id: Uuid::from_u128(reference),
        source: "police".into(),
        reference: reference.to_string(),
        known_at: known_at.parse().unwrap(),
        class: "crime".into(),
        status: Status::Confirmed,
        categories: pages.site.engine.county.pack.categories.find("race").unwrap(),
        occurred_from: at,
        occurred_to: at,
        recorded_at: None,
        place: Some(Place { lon, lat, easting: 459_000.0, northing: 306_000.0 }),
        precision: Precision::Street,
        ward: Some(ward.into()),
        channel: None,
        offence: None,
        repeat_key: None,
    }
}

async fn import(pages: &Pages, reports: &[Incident], now: DateTime<Utc>) {
    let count = reports.len() as i64;
    let record = ImportRecord {
        id: Uuid::now_v7(),
        source: "police".into(),
        file_name: "june.csv".into(),
        header: Vec::new(),
        sha256: "00".into(),
        imported_at: now,
        row_count: count,
        added: count,
        changed: 0,
        unchanged: 0,
        rejected: 0,
        known_from: reports.iter().map(|report| report.known_at).min(),
    };
    let versions: Vec<NewVersion<'_>> =
        reports.iter().map(|incident| NewVersion { incident, content: incident.reference.clone() }).collect();
    let mut tx = pages.store.begin().await.unwrap();
    tx.add_import(&record).await.unwrap();
    tx.add_versions(record.id, &versions).await.unwrap();
    tx.commit().await.unwrap();
}

async fn json(pages: &Pages, path: &str, cookie: &str) -> Value {
    let (_, text) = pages.get(path, cookie).await;
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
}

#[tokio::test]
async fn what_an_import_tells_of_a_past_night_is_shown_and_what_it_tells_of_later_is_not() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("leicester").await;
    let now: DateTime<Utc> = "2026-07-02T09:00:00Z".parse().unwrap();
    let belgrave = (-1.1260, 52.6550);
    let shown = async || {
        let found = json(&pages, "/map/hexagons.json", &cookie).await;
        found["hexagons"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>()
    };
    import(&pages, &[report(&pages, 1, "2026-06-21T03:00:00Z", belgrave, BELGRAVE)], now).await;
    assert_eq!(shown().await, 1);
    // It says itself that it was known before the night was judged.
    import(&pages, &[report(&pages, 2, "2026-06-22T03:00:00Z", belgrave, BELGRAVE)], now).await;
    // Nobody waits for it; a moment later it is there.
    for _ in 0..1_000 {
        if shown().await == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(shown().await, 2);
    // Nobody could know of this one that night: the answer of before still holds.
    import(&pages, &[report(&pages, 3, "2026-07-02T09:00:00Z", belgrave, BELGRAVE)], now).await;
    let worked_out = Arc::new(AtomicUsize::new(0));
    let asked =
        chosen(&pages.site, &Asked::default()).await.unwrap_or_else(|_| panic!("a night was judged")).0;
    let edition = pages.site.edition(asked.as_known_on).await.unwrap();
    let again = {
        let worked_out = Arc::clone(&worked_out);
        async move {
            worked_out.fetch_add(1, Ordering::Relaxed);
            anyhow::Ok(Vec::new())
        }
    };
    pages.site.places.fresh(&asked, edition, again).await.unwrap();
    assert_eq!((shown().await, worked_out.load(Ordering::Relaxed)), (2, 0));
}

#[tokio::test]
async fn outlines_of_clusters_are_of_those_who_were_told_and_leave_other_wards_out() {
    let pages = Pages::new().await;
    let now: DateTime<Utc> = "2026-06-30T03:30:00Z".parse().unwrap();
    let near = [(-1.1260, 52.6550), (-1.1290, 52.6580), (-1.1900, 52.6950)];
    let wards = [BELGRAVE, BELGRAVE, SOUTH_CHARNWOOD];
    let reports: Vec<Incident> = (1..)
        .zip(near.into_iter().zip(wards))
        .map(|(reference, (at, ward))| report(&pages, reference, "2026-06-21T03:00:00Z", at, ward))
        .collect();
    import(&pages, &reports, now).await;
    let mut finding = alert().latest;
    finding.subject = Subject::Cluster(Uuid::from_u128(7));
    finding.wards = vec![BELGRAVE.into(), SOUTH_CHARNWOOD.into()];
    finding.members = reports.iter().map(|report| report.id).collect();
    let night = "2026-06-29".parse().unwrap();
    let cluster = Alert::new(Uuid::now_v7(), "LLR-2026-0002".into(), finding, night, now);
    let mut tx = pages.store.begin().await.unwrap();
    tx.save_alert(&cluster, night).await.unwrap();
    tx.commit().await.unwrap();

    let ring = async |name: &str| {
        let cookie = pages.sign_in(name).await;
        let found = json(&pages, "/map/figures.json", &cookie).await;
        let corner = |at: &Value| (at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
        let rings = found["clusters"].as_array().cloned().unwrap_or_default();
        let rings = rings.iter().map(|one| one["ring"].as_array().unwrap().iter().map(corner).collect());
        rings.collect::<Vec<Vec<(f64, f64)>>>()
    };
    let holds = |ring: &[(f64, f64)], (x, y): (f64, f64)| {
        let left = |((ax, ay), (bx, by)): ((f64, f64), (f64, f64))| {
            (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0
        };
        let mut sides = ring.iter().copied().zip(ring.iter().copied().skip(1)).map(left);
        let first = sides.next();
        sides.all(|side| Some(side) == first)
    };
    let (whole, city, county) = (ring("analyst").await, ring("leicester").await, ring("charnwood").await);
    assert!(near.iter().all(|at| holds(&whole[0], *at)), "{whole:?}");
    assert!(near[..2].iter().all(|at| holds(&city[0], *at)) && !holds(&city[0], near[2]), "{city:?}");
    assert!(holds(&county[0], near[2]) && !holds(&county[0], near[0]), "{county:?}");
    assert!(ring("partner").await.is_empty());

    // What somebody has closed is no longer outlined: the list of alerts leaves it out, too.
    let cookie = pages.sign_in("analyst").await;
    let closed = Alert { state: crate::model::AlertState::Closed, ..cluster };
    let mut tx = pages.store.begin().await.unwrap();
    tx.save_alert(&closed, night).await.unwrap();
    tx.commit().await.unwrap();
    assert!(ring("analyst").await.is_empty());
    let (_, page) = pages.get("/", &cookie).await;
    assert!(!page.contains("LLR-2026-0002"));
}

#[tokio::test]
async fn a_night_that_was_not_judged_leads_back_to_one_that_was() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("leicester").await;
    let (_, page) = pages.get("/?night=2026-06-22", &cookie).await;
    assert!(
        page.contains("There are no figures for this night") && page.contains("Show the latest night"),
        "{page}"
    );
    let (_, page) = pages.get("/", &cookie).await;
    assert!(!page.contains("A week earlier"), "that night was not judged");
}
