//! The map's data, its server-made picture, and static files.

use super::{
    STYLE, Site,
    classes::Class,
    error::PageError,
    hotspots::{Asked, rows},
    reader::{Reader, Sight},
};
use crate::{import, locate::Boundary};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use geo::{BoundingRect, CoordsIter, Simplify};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write, sync::Arc};

/// Outlines are drawn to about 20 metres, in degrees: a page shows no more.
const DETAIL: f64 = 0.0002;

const SCRIPT: &str = include_str!(concat!(env!("OUT_DIR"), "/ui/map.js"));
const MAP_STYLE: &str = include_str!(concat!(env!("OUT_DIR"), "/ui/map.css"));
const TYPEFACE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ui/source-sans-3.woff2"));

/// Whether the map's script was built in.
pub(super) const HAS_SCRIPT: bool = !SCRIPT.is_empty();

/// Files that are the same for everyone.
pub(super) async fn asset(Path(file): Path<String>) -> Result<Response, PageError> {
    let (kind, bytes) = match file.as_str() {
        "site.css" => ("text/css; charset=utf-8", STYLE.as_bytes()),
        "map.css" => ("text/css; charset=utf-8", MAP_STYLE.as_bytes()),
        "map.js" => ("text/javascript; charset=utf-8", SCRIPT.as_bytes()),
        "source-sans-3.woff2" if !TYPEFACE.is_empty() => ("font/woff2", TYPEFACE),
        _ => return Err(PageError::NotFound),
    };
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=3600")], bytes)
        .into_response())
}

/// The class and counts of every area the reader may see.
pub(super) async fn figures(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, PageError> {
    let answer = rows(&site, &reader, &asked).await?;
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
            });
            (figure.area.code.as_str(), value)
        })
        .collect();
    Ok(Json(json!({"areas": areas})))
}

/// Outlines of the wards in force on the last night; no counts.
pub(super) async fn wards(State(site): State<Arc<Site>>, _reader: Reader) -> Result<Response, PageError> {
    let night =
        site.engine.store.last_run().await?.map_or_else(|| site.clock.now().date_naive(), |run| run.night);
    let features: Vec<Value> = outlines(&site, night)
        .await?
        .iter()
        .map(|ward| {
            json!({
                "type": "Feature",
                "properties": {"code": ward.code},
                "geometry": import::geometry(&ward.shape),
            })
        })
        .collect();
    let body = json!({"type": "FeatureCollection", "features": features}).to_string();
    let kind =
        [(header::CONTENT_TYPE, "application/geo+json"), (header::CACHE_CONTROL, "private, max-age=3600")];
    Ok((kind, body).into_response())
}

/// Simplified outlines in degrees; those kept in metres are turned.
async fn outlines(site: &Site, night: NaiveDate) -> anyhow::Result<Vec<Boundary>> {
    let grid = &site.engine.county.grid;
    let mut wards = Vec::new();
    for saved in site.engine.store.ward_shapes(night).await? {
        let Ok(mut shape) = import::shape(&saved.shape) else { continue };
        if saved.in_metres {
            geo::MapCoordsInPlace::map_coords_in_place(&mut shape, |at| {
                grid.to_degrees(at.x, at.y).map_or(at, |(x, y)| geo::Coord { x, y })
            });
        }
        let simple = shape.simplify(DETAIL);
        let shape = if simple.coords_count() > 0 { simple } else { shape };
        wards.push(Boundary { code: saved.ward, name: String::new(), shape, in_metres: false });
    }
    Ok(wards)
}

/// The map as a picture: it needs no script and it prints.
pub(super) async fn picture(
    site: &Site,
    night: NaiveDate,
    classes: &BTreeMap<String, (Class, String)>,
    sight: &Sight,
) -> anyhow::Result<String> {
    let wards = outlines(site, night).await?;
    let Some(bounds) = wards.iter().filter_map(|ward| ward.shape.bounding_rect()).reduce(|a, b| {
        geo::Rect::new(
            geo::Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
            geo::Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
        )
    }) else {
        return Ok(String::new());
    };
    // A degree of longitude is shorter by the cosine of the latitude.
    let squeeze = bounds.center().y.to_radians().cos();
    let width = 640.0;
    let scale = width / (bounds.width() * squeeze);
    let height = bounds.height() * scale;
    let mut svg = format!(
        "<svg class=\"map\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"Map of the wards; the table \
         says the same\">"
    );
    for ward in &wards {
        let class = match classes.get(&ward.code) {
            Some((class, _)) => class.code(),
            None if sight.of_ward(&ward.code) => "within",
            None => "elsewhere",
        };
        let mut path = String::new();
        for ring in
            ward.shape.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()))
        {
            for (place, at) in ring.coords().enumerate() {
                let (x, y) = ((at.x - bounds.min().x) * squeeze * scale, (bounds.max().y - at.y) * scale);
                let _ = write!(path, "{}{x:.1} {y:.1}", if place == 0 { 'M' } else { 'L' });
            }
            path.push('Z');
        }
        let _ = write!(svg, "<path class=\"ward {class}\" d=\"{path}\"/>");
    }
    Ok(svg + "</svg>")
}
