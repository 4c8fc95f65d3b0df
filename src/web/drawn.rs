//! Outlines of the wards as pages have them: one picture that needs no script, and that the map's script reads its own from.

use super::classes::Class;
use crate::{import, stages::county::County, store::WardShape};
use geo::{BoundingRect, Coord, CoordsIter, MapCoordsInPlace, MultiPolygon, Rect, Simplify};
use minijinja::HtmlEscape;
use serde_json::json;
use std::fmt::Write;

/// Outlines are drawn to about 30 metres, in degrees: a page shows no more.
const DETAIL: f64 = 0.0003;

/// The width of the picture, in its own whole units: of a county each is about as long as the detail of its outlines.
const WIDTH: f64 = 3_200.0;

/// Dots and lines for what colour alone must not say; their colours are the style sheet's.
const PATTERNS: &str = "<defs><pattern id=\"dots\" width=\"32\" height=\"32\" patternUnits=\"userSpaceOnUse\">\
    <rect class=\"ground\" width=\"32\" height=\"32\"/><circle cx=\"16\" cy=\"16\" r=\"7\"/></pattern>\
    <pattern id=\"hatch\" width=\"32\" height=\"32\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
    <rect class=\"ground\" width=\"32\" height=\"32\"/><rect class=\"line\" width=\"7\" height=\"32\"/></pattern></defs>";

/// Outlines of the wards, ready to be coloured.
pub(super) struct Drawn {
    height: f64,
    /// Degrees east and north of the corner at the top left, and degrees in one unit to the right and down.
    degrees: [f64; 4],
    /// Code and path of each ward.
    paths: Vec<(String, String)>,
    /// The same as GeoJSON, without any figure.
    geojson: String,
}

impl Drawn {
    /// Simplified outlines; those kept in metres are turned into degrees.
    pub(super) fn of(shapes: &[WardShape], county: &County) -> Self {
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
        let features: Vec<serde_json::Value> = wards
            .iter()
            .map(|(code, shape)| {
                json!({ "type": "Feature", "properties": {"code": code}, "geometry": import::geometry(shape) })
            })
            .collect();
        let geojson = json!({"type": "FeatureCollection", "features": features}).to_string();
        let bounds = wards.iter().filter_map(|(_, shape)| shape.bounding_rect()).reduce(|a, b| {
            Rect::new(
                Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
                Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
            )
        });
        let Some(bounds) = bounds.filter(|bounds| bounds.width() > 0.0) else {
            return Self { height: 0.0, degrees: [0.0; 4], paths: Vec::new(), geojson };
        };
        let across = bounds.width() / WIDTH;
        // A degree of longitude is shorter by the cosine of the latitude.
        let down = across * bounds.center().y.to_radians().cos();
        let corner = Coord { x: bounds.min().x, y: bounds.max().y };
        let unit = |at: &Coord| ((at.x - corner.x) / across, (corner.y - at.y) / down);
        let paths = wards.iter().map(|(code, shape)| (code.clone(), path(shape, unit))).collect();
        let degrees = [corner.x, corner.y, across, down];
        Self { height: bounds.height() / down, degrees, paths, geojson }
    }

    /// Whether no ward has an outline.
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

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

    /// The map as a picture: it needs no script and it prints. Wards without a class are blank. The map's script turns the
    /// same paths back into degrees, so that outlines are sent once.
    pub(super) fn picture(&self, class_of: impl Fn(&str) -> Option<Class>) -> String {
        if self.paths.is_empty() {
            return String::new();
        }
        let [west, north, across, down] = self.degrees;
        let mut svg = format!(
            "<svg class=\"map\" viewBox=\"0 0 {WIDTH:.0} {:.0}\" data-degrees=\"{west:.6} {north:.6} {across:e} {down:e}\" \
             role=\"img\" aria-label=\"Map of the wards; the table says the same\">",
            self.height
        );
        svg.push_str(PATTERNS);
        for (code, path) in &self.paths {
            let class = class_of(code).map_or("elsewhere", Class::code);
            let _ =
                write!(svg, "<path class=\"ward {class}\" data-ward=\"{}\" d=\"{path}\"/>", HtmlEscape(code));
        }
        svg + "</svg>"
    }
}

/// A path of whole units, each corner as the step from the one before: that is a third of the letters.
fn path(shape: &MultiPolygon, unit: impl Fn(&Coord) -> (f64, f64)) -> String {
    let mut path = String::new();
    for ring in shape.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors())) {
        let whole = |at: &Coord| {
            let (x, y) = unit(at);
            (x.round() as i64, y.round() as i64)
        };
        let mut corners: Vec<(i64, i64)> = ring.coords().map(whole).collect();
        corners.dedup();
        // The first corner, at least two others, and the first one again: less is an island too small to be seen.
        let [(x, y), others @ ..] = &*corners else { continue };
        if others.len() < 3 {
            continue;
        }
        let _ = write!(path, "M{x} {y}l");
        let (mut x, mut y) = (x, y);
        for (next_x, next_y) in others {
            let _ = write!(path, "{} {} ", next_x - x, next_y - y);
            (x, y) = (next_x, next_y);
        }
        path.truncate(path.trim_end().len());
        path.push('z');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{LineString, Polygon, polygon};

    #[test]
    fn a_path_goes_from_corner_to_corner_by_whole_steps() {
        let outer = LineString::from(vec![(0.0, 0.0), (10.4, 0.0), (10.4, 0.2), (10.0, 20.0), (0.0, 0.0)]);
        let hole = LineString::from(vec![(2.0, 2.0), (4.0, 2.0), (4.0, 4.0), (2.0, 2.0)]);
        let shape = MultiPolygon::new(vec![
            Polygon::new(outer, vec![hole]),
            polygon![(x: -3.0, y: 1.0), (x: -1.0, y: 1.0), (x: -1.0, y: 5.0)],
            // Islands of one point and of one line.
            polygon![(x: 7.0, y: 7.0), (x: 7.1, y: 7.0), (x: 7.1, y: 7.1)],
            polygon![(x: 7.0, y: 7.0), (x: 8.0, y: 7.0), (x: 8.1, y: 7.1)],
        ]);
        assert_eq!(
            path(&shape, |at| (at.x, at.y)),
            "M0 0l10 0 0 20 -10 -20zM2 2l2 0 0 2 -2 -2zM-3 1l2 0 0 4 -2 -4z"
        );
    }
}
