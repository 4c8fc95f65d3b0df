//! The map's data, and static files.

use super::{
    STYLE, Site,
    error::PageError,
    hotspots::{Asked, chosen, rows},
    reader::{Reader, Sight},
};
use crate::stages::places::{self, Corner};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, LazyLock},
};

const SCRIPT: &str = include_str!(concat!(env!("OUT_DIR"), "/ui/map.js"));
const LIVE: &str = include_str!(concat!(env!("OUT_DIR"), "/ui/live.js"));
const MAP_STYLE: &str = include_str!(concat!(env!("OUT_DIR"), "/ui/map.css"));
const TYPEFACE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ui/source-sans-3.woff2"));

/// Whether the map's script was built in.
pub(super) const HAS_SCRIPT: bool = !SCRIPT.is_empty();

/// The longer ones, compressed once and as well as can be: they never change.
static COMPRESSED: LazyLock<BTreeMap<&str, Vec<u8>>> = LazyLock::new(|| {
    let small = |text: &str| {
        let mut made = GzEncoder::new(Vec::new(), Compression::best());
        made.write_all(text.as_bytes()).and_then(|()| made.finish()).ok()
    };
    let files = [("site.css", STYLE), ("map.css", MAP_STYLE), ("map.js", SCRIPT)];
    files.into_iter().filter_map(|(name, text)| Some((name, small(text)?))).collect()
});

/// Files that are the same for everyone.
pub(super) async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, PageError> {
    let (kind, bytes) = match file.as_str() {
        "site.css" => ("text/css; charset=utf-8", STYLE.as_bytes()),
        "map.css" => ("text/css; charset=utf-8", MAP_STYLE.as_bytes()),
        "live.js" => ("text/javascript; charset=utf-8", LIVE.as_bytes()),
        "map.js" => ("text/javascript; charset=utf-8", SCRIPT.as_bytes()),
        "source-sans-3.woff2" if !TYPEFACE.is_empty() => ("font/woff2", TYPEFACE),
        _ => return Err(PageError::NotFound),
    };
    let head = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::VARY, "accept-encoding"),
    ];
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let gzip = accepted.split(',').any(|one| one.trim() == "gzip");
    Ok(match COMPRESSED.get(file.as_str()).filter(|_| gzip) {
        Some(small) => (head, [(header::CONTENT_ENCODING, "gzip")], small.as_slice()).into_response(),
        None => (head, bytes).into_response(),
    })
}

/// The class and counts of every area the reader may see.
pub(super) async fn figures(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, PageError> {
    let (answer, latest_night) = rows(&site, &reader, &asked).await?;
    if answer.sight == Sight::Published {
        return Ok(Json(json!({"areas": {}})));
    }
    let mut clusters: Vec<Value> = Vec::new();
    for alert in places::living_clusters(&site.engine, answer.question.night, latest_night).await? {
        if !answer.sight.of_any(&alert.latest.wards) {
            continue;
        }
        let spots = site.cluster(&alert, answer.question.as_known_on).await?;
        if let Some(ring) = places::outline(&spots, |ward| answer.sight.of_ward(ward)) {
            clusters.push(json!({"number": alert.number, "ring": rounded(&ring)}));
        }
    }
    let areas: BTreeMap<&str, Value> = answer
        .lines
        .iter()
        .map(|row| {
            let figure = &row.figure;
            let value = json!({
                "name": figure.name,
                "class": row.class.code(),
                "observed": figure.observed,
                "usual": (figure.expected * 10.0).round() / 10.0,
                "standing": row.class.of_one(),
            });
            (figure.area.code.as_str(), value)
        })
        .collect();
    Ok(Json(json!({"areas": areas, "clusters": clusters})))
}

/// Reports in hexagons, of the wards that the reader may see.
pub(super) async fn hexagons(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, PageError> {
    let (question, _) = chosen(&site, &asked).await?;
    let sight = reader.sight(&*site.engine.county.geography(question.night)?);
    let spots = site.places(&question).await?;
    let hexagons: Vec<Value> = places::hexagons(&spots, |ward| sight.of_ward(ward))
        .iter()
        .map(|one| json!({"ring": rounded(&one.ring), "count": one.count}))
        .collect();
    Ok(Json(json!({"hexagons": hexagons})))
}

/// To a metre: more would only be longer.
fn rounded(ring: &[Corner]) -> Vec<[f64; 2]> {
    let short = |degrees: f64| (degrees * 1e5).round() / 1e5;
    ring.iter().map(|(east, north)| [short(*east), short(*north)]).collect()
}
