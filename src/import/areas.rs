//! Outlines of wards from GeoJSON (RFC 7946, and the older files with a `crs` member).

use crate::locate::{Boundary, broken};
use geo::{Coord, LineString, MultiPolygon, Polygon};
use serde::Deserialize;
use serde_json::{Value, json};

/// Outlines that can't be used: every feature with its reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct AreasError(pub Vec<String>);

#[derive(Deserialize)]
struct Collection {
    #[serde(default)]
    crs: Option<Value>,
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    #[serde(default)]
    properties: serde_json::Map<String, Value>,
    #[serde(default)]
    geometry: Value,
}

/// Reads the outlines of wards. `code` and `name` are the properties that hold them; without `name` the code is taken.
///
/// Metres on the national grid are recognised by the `crs` member or by coordinates that no degrees can be.
///
/// # Errors
///
/// Every feature that can't be used, by its number, code and reason: no code, a code that stands there twice, no
/// polygon, a ring that is too short, not closed or crosses itself, a coordinate that is no number.
pub fn read_areas(text: &str, code: &str, name: Option<&str>) -> Result<Vec<Boundary>, AreasError> {
    let collection: Collection = serde_json::from_str(text)
        .map_err(|wrong| AreasError(vec![format!("not a GeoJSON feature collection: {wrong}")]))?;
    let declared = declared_metres(collection.crs.as_ref())?;
    let mut areas: Vec<Boundary> = Vec::new();
    let mut mistakes = Vec::new();
    for (number, feature) in (1..).zip(&collection.features) {
        match area(feature, code, name, declared) {
            Ok(area) if areas.iter().any(|before| before.code == area.code) => {
                mistakes.push(format!("feature {number}: the code `{}` stands there twice", area.code));
            }
            Ok(area) => areas.push(area),
            Err(reason) => mistakes.push(format!("feature {number}: {reason}")),
        }
    }
    if areas.is_empty() && mistakes.is_empty() {
        mistakes.push("the file holds no feature".into());
    }
    if mistakes.is_empty() { Ok(areas) } else { Err(AreasError(mistakes)) }
}

fn area(
    feature: &Feature,
    code: &str,
    name: Option<&str>,
    declared: Option<bool>,
) -> Result<Boundary, String> {
    let text = |property: &str| match feature.properties.get(property) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let Some(found) = text(code) else {
        let there: Vec<&str> = feature.properties.keys().map(String::as_str).take(20).collect();
        return Err(format!("there is no `{code}`; its properties are {}", there.join(", ")));
    };
    let shape = shape(&feature.geometry).map_err(|reason| format!("ward {found}: {reason}"))?;
    let far = |point: &Coord| point.x.abs() > 180.0 || point.y.abs() > 90.0;
    let in_metres = declared.unwrap_or_else(|| shape.iter().any(|part| part.exterior().coords().any(far)));
    let name = name.and_then(text).unwrap_or_else(|| found.clone());
    let ward = Boundary { code: found, name, shape, in_metres };
    // Looked for once, when a file is read.
    broken(&ward).map_or(Ok(ward), |fault| Err(fault.to_string()))
}

/// Whether the `crs` member says metres on the national grid; none when there is no such member.
fn declared_metres(crs: Option<&Value>) -> Result<Option<bool>, AreasError> {
    let Some(name) = crs.and_then(|crs| crs.pointer("/properties/name")).and_then(Value::as_str) else {
        return Ok(None);
    };
    if name.contains("27700") {
        Ok(Some(true))
    } else if name.contains("CRS84") || name.contains("4326") || name.contains("4258") {
        Ok(Some(false))
    } else {
        Err(AreasError(vec![format!(
            "the file is in `{}`; save it in WGS 84 (EPSG:4326) or British National Grid (EPSG:27700)",
            name.chars().take(60).collect::<String>()
        )]))
    }
}

/// The polygons of a GeoJSON geometry object.
///
/// # Errors
///
/// What is wrong with them, in words.
pub fn shape(geometry: &Value) -> Result<MultiPolygon<f64>, String> {
    let coordinates = geometry.get("coordinates").unwrap_or(&Value::Null);
    let parts = match geometry.get("type").and_then(Value::as_str) {
        Some("Polygon") => vec![polygon(coordinates)?],
        Some("MultiPolygon") => list(coordinates)?.iter().map(polygon).collect::<Result<_, _>>()?,
        Some(other) => {
            return Err(format!("it is a {}, not a polygon", other.chars().take(30).collect::<String>()));
        }
        None => return Err("it has no geometry".into()),
    };
    if parts.is_empty() {
        return Err("it has no polygon".into());
    }
    Ok(MultiPolygon(parts))
}

fn polygon(rings: &Value) -> Result<Polygon<f64>, String> {
    let mut rings = list(rings)?.iter().map(ring);
    let exterior = rings.next().ok_or("a polygon has no ring")??;
    Ok(Polygon::new(exterior, rings.collect::<Result<_, _>>()?))
}

fn ring(points: &Value) -> Result<LineString<f64>, String> {
    let points: Vec<Coord> = list(points)?.iter().map(point).collect::<Result<_, _>>()?;
    if points.len() < 4 {
        return Err(format!("a ring has {} points; it needs 4 or more", points.len()));
    }
    if points.first() != points.last() {
        return Err("a ring does not end where it begins".into());
    }
    Ok(LineString(points))
}

fn point(value: &Value) -> Result<Coord, String> {
    let number = |place: usize| value.get(place).and_then(Value::as_f64).filter(|n| n.is_finite());
    match (number(0), number(1)) {
        (Some(x), Some(y)) => Ok(Coord { x, y }),
        _ => Err("a coordinate is not two numbers".into()),
    }
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| "its coordinates are not lists of points".to_owned())
}

/// The geometry object of polygons.
#[must_use]
pub fn geometry(shape: &MultiPolygon<f64>) -> Value {
    let ring = |line: &LineString<f64>| line.coords().map(|at| json!([at.x, at.y])).collect::<Vec<_>>();
    let part = |part: &Polygon<f64>| {
        std::iter::once(part.exterior()).chain(part.interiors()).map(ring).collect::<Vec<_>>()
    };
    json!({"type": "MultiPolygon", "coordinates": shape.iter().map(part).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(features: &str) -> String {
        format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#)
    }

    fn feature(code: &str, coordinates: &str) -> String {
        format!(
            r#"{{"type":"Feature","properties":{{"WD25CD":"{code}","WD25NM":"Mill"}},
               "geometry":{{"type":"Polygon","coordinates":{coordinates}}}}}"#
        )
    }

    const SQUARE: &str = "[[[0,0],[1,0],[1,1],[0,1],[0,0]],[[0.2,0.2],[0.4,0.2],[0.4,0.4],[0.2,0.2]]]";

    #[test]
    fn wards_are_read_with_their_holes_and_written_back() {
        let wards = read_areas(&file(&feature("E05000001", SQUARE)), "WD25CD", Some("WD25NM")).unwrap();
        assert_eq!(
            (wards[0].code.as_str(), wards[0].name.as_str(), wards[0].in_metres),
            ("E05000001", "Mill", false)
        );
        assert_eq!(wards[0].shape.0[0].interiors().len(), 1);
        assert_eq!(shape(&geometry(&wards[0].shape)).unwrap(), wards[0].shape);
    }

    #[test]
    fn metres_are_recognised() {
        let metres = feature("A", "[[[450000,300000],[451000,300000],[451000,301000],[450000,300000]]]");
        assert!(read_areas(&file(&metres), "WD25CD", None).unwrap()[0].in_metres);
        let crs = r#"{"crs":{"properties":{"name":"urn:ogc:def:crs:EPSG::27700"}},"features":["#;
        let text = format!("{crs}{}]}}", feature("A", SQUARE));
        assert!(read_areas(&text, "WD25CD", None).unwrap()[0].in_metres);
        let mercator = text.replace("27700", "3857");
        assert!(read_areas(&mercator, "WD25CD", None).unwrap_err().to_string().contains("EPSG:27700"));
    }

    #[test]
    fn every_feature_that_cannot_be_used_is_named() {
        let text = file(
            &[
                feature("A", SQUARE),
                feature("A", SQUARE),
                feature("B", "[[[0,0],[1,1],[1,0],[0,1],[0,0]]]"),
                feature("C", "[[[0,0],[1,1],[1,0],[0,1]]]"),
                feature("D", "[[[0,0],[1,1],[0,0]]]"),
                feature("E", "[[[0,\"x\"],[1,1],[1,0],[0,0]]]"),
                r#"{"properties":{"other":1},"geometry":null}"#.to_owned(),
                r#"{"properties":{"WD25CD":"F"},"geometry":{"type":"Point","coordinates":[0,0]}}"#.to_owned(),
            ]
            .join(","),
        );
        insta::assert_snapshot!(read_areas(&text, "WD25CD", None).unwrap_err(), @"
        feature 2: the code `A` stands there twice
        feature 3: Ward B has a ring without any area near 0, 0.
        feature 4: ward C: a ring does not end where it begins
        feature 5: ward D: a ring has 3 points; it needs 4 or more
        feature 6: ward E: a coordinate is not two numbers
        feature 7: there is no `WD25CD`; its properties are other
        feature 8: ward F: it is a Point, not a polygon
        ");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}", numbers in proptest::collection::vec(any::<f64>(), 0..20)) {
            let _ = read_areas(&text, "code", None);
            let ring: Vec<_> = numbers.chunks(2).map(<[f64]>::to_vec).collect();
            let _ = shape(&json!({"type": "Polygon", "coordinates": [ring]}));
        }
    }
}
