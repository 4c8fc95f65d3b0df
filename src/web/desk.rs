//! What every page needs and nobody has to be kept from: the county's words, its outlines, and what was published.
//!
//! Pages for partners get a [`Desk`] and nothing else: from here no way leads to an incident, an exact count or an alert that
//! was not released.

use super::{classes::Class, error::PageError, reader::Reader, routes::Right};
use crate::{
    import,
    stages::county::County,
    store::{PublishedStore, WardShape},
};
use anyhow::Result;
use chrono::NaiveDate;
use geo::{BoundingRect, Coord, CoordsIter, MapCoordsInPlace, MultiPolygon, Rect, Simplify};
use minijinja::{Environment, Value, context};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
};

/// Outlines are drawn to about 20 metres, in degrees: a page shows no more.
const DETAIL: f64 = 0.0002;

/// The width of the server-made map, in its own units.
const WIDTH: f64 = 640.0;

/// What pages for partners stand on.
pub(super) struct Desk {
    pub(super) store: PublishedStore,
    pub(super) county: Arc<County>,
    pub(super) synthetic: bool,
    pub(super) templates: Environment<'static>,
    /// Outlines by the day on which their boundaries came into force.
    drawn: Mutex<BTreeMap<NaiveDate, Arc<Drawn>>>,
}

/// The desk as handlers get it.
#[derive(Clone)]
pub(super) struct AtDesk(pub(super) Arc<Desk>);

/// Outlines of the wards, ready to be coloured.
pub(super) struct Drawn {
    height: f64,
    /// Code and path of each ward.
    paths: Vec<(String, String)>,
    /// The same as GeoJSON, without any figure.
    pub(super) geojson: String,
}

impl Desk {
    pub(super) fn new(
        store: PublishedStore,
        county: Arc<County>,
        synthetic: bool,
        templates: Environment<'static>,
    ) -> Self {
        Self { store, county, synthetic, templates, drawn: Mutex::default() }
    }

    pub(super) fn render(&self, template: &str, values: Value) -> Result<String> {
        Ok(self.templates.get_template(template)?.render(values)?)
    }

    /// What every page of a signed-in reader has.
    pub(super) fn frame(&self, reader: &Reader) -> Value {
        context! {
            county => &self.county.pack.name,
            prefix => &self.county.pack.prefix,
            synthetic => self.synthetic,
            reader => &reader.name,
            role => reader.role.label(),
            token => &reader.token,
            exact_pages => reader.sees_exact(),
            figures_page => Right::Figures.allows(reader.role),
            may_download => Right::Download.allows(reader.role),
            alerts_page => Right::AlertList.allows(reader.role),
            silences_page => Right::Silences.allows(reader.role),
            rules_page => Right::Rules.allows(reader.role),
            imports_page => Right::Imports.allows(reader.role),
            runs_page => Right::Runs.allows(reader.role),
            outbox_page => Right::Outbox.allows(reader.role),
            access_page => Right::Access.allows(reader.role),
            audit_page => Right::Audit.allows(reader.role),
        }
    }

    /// The outlines in force on a day.
    pub(super) async fn drawn(&self, day: NaiveDate) -> Result<Arc<Drawn>, PageError> {
        let since = self.county.boundaries_since(day);
        let kept = self.drawn.lock().unwrap_or_else(PoisonError::into_inner).get(&since).cloned();
        if let Some(drawn) = kept {
            return Ok(drawn);
        }
        let shapes = self.store.ward_shapes(day).await?;
        let county = Arc::clone(&self.county);
        let drawn = Arc::new(tokio::task::spawn_blocking(move || draw(&shapes, &county)).await?);
        // None yet may only mean that no outlines were loaded: those are not kept.
        if !drawn.paths.is_empty() {
            self.drawn.lock().unwrap_or_else(PoisonError::into_inner).insert(since, Arc::clone(&drawn));
        }
        Ok(drawn)
    }
}

/// Simplified outlines in degrees; those kept in metres are turned.
fn draw(shapes: &[WardShape], county: &County) -> Drawn {
    let mut wards: Vec<(String, MultiPolygon)> = Vec::new();
    for saved in shapes {
        let Ok(mut shape) = import::shape(&saved.shape) else { continue };
        if saved.in_metres {
            shape.map_coords_in_place(|at| {
                county.grid.to_degrees(at.x, at.y).map_or(at, |(x, y)| Coord { x, y })
            });
        }
        let simple = shape.simplify(DETAIL);
        wards.push((saved.ward.clone(), if simple.coords_count() > 0 { simple } else { shape }));
    }
    let bounds = wards.iter().filter_map(|(_, shape)| shape.bounding_rect()).reduce(|a, b| {
        Rect::new(
            Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
            Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
        )
    });
    let features: Vec<serde_json::Value> = wards
        .iter()
        .map(|(code, shape)| {
            json!({ "type": "Feature", "properties": {"code": code}, "geometry": import::geometry(shape) })
        })
        .collect();
    let geojson = json!({"type": "FeatureCollection", "features": features}).to_string();
    let Some(bounds) = bounds else { return Drawn { height: 0.0, paths: Vec::new(), geojson } };
    // A degree of longitude is shorter by the cosine of the latitude.
    let squeeze = bounds.center().y.to_radians().cos();
    let scale = WIDTH / (bounds.width() * squeeze);
    let path = |shape: &MultiPolygon| {
        let mut path = String::new();
        for ring in shape.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors())) {
            for (place, at) in ring.coords().enumerate() {
                let (x, y) = ((at.x - bounds.min().x) * squeeze * scale, (bounds.max().y - at.y) * scale);
                let _ = write!(path, "{}{x:.1} {y:.1}", if place == 0 { 'M' } else { 'L' });
            }
            path.push('Z');
        }
        path
    };
    let paths = wards.iter().map(|(code, shape)| (code.clone(), path(shape))).collect();
    Drawn { height: bounds.height() * scale, paths, geojson }
}

impl Drawn {
    /// The path of each ward with what is said of it, and the box they lie in.
    pub(super) fn paths_of<T>(&self, of: impl Fn(&str) -> T) -> (Vec<(T, String)>, (f64, f64)) {
        let paths = self.paths.iter().map(|(code, path)| (of(code), path.clone())).collect();
        (paths, (WIDTH, self.height))
    }

    /// The outlines as GeoJSON, each with the properties that are given for its ward; those without any are left out.
    pub(super) fn geojson_of(
        &self,
        properties: impl Fn(&str) -> Option<serde_json::Value>,
    ) -> Result<serde_json::Value, serde_json::Error> {
        let mut body: serde_json::Value = serde_json::from_str(&self.geojson)?;
        if let Some(features) = body["features"].as_array_mut() {
            features.retain_mut(|feature| {
                let own = properties(feature["properties"]["code"].as_str().unwrap_or_default());
                own.map(|own| feature["properties"] = own).is_some()
            });
        }
        Ok(body)
    }

    /// The map as a picture: it needs no script and it prints. Wards without a class are blank.
    pub(super) fn picture(&self, class_of: impl Fn(&str) -> Option<Class>) -> String {
        if self.paths.is_empty() {
            return String::new();
        }
        let mut svg = format!(
            "<svg class=\"map\" viewBox=\"0 0 {WIDTH:.0} {:.0}\" role=\"img\" aria-label=\"Map of the wards; the table \
             says the same\">",
            self.height
        );
        for (code, path) in &self.paths {
            let class = class_of(code).map_or("elsewhere", Class::code);
            let _ = write!(svg, "<path class=\"ward {class}\" d=\"{path}\"/>");
        }
        svg + "</svg>"
    }
}
