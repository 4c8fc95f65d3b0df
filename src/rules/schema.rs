//! A JSON Schema (draft-07) of the files, for editors that complete and explain while an analyst writes.
//!
//! Only what editors can say well is in it: "exactly one detector" needs `anyOf` or `oneOf`, and editors then answer
//! every slip with "not valid under any of the schemas". `rules check` says that, and what fields mean together.

use super::fields::{self, DETECTORS, EPISODE, EVENT, Field, INCIDENT, LISTS, PLAY, POINT, SECTIONS, Shape};
use crate::model::Categories;
use serde_json::{Map, Value, json};

/// Which files a schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOf {
    /// Rules.
    Rules,
    /// Files of the folder `calendar`.
    Calendar,
    /// Files of the folder `episodes`.
    Episodes,
    /// Files of the folder `playbooks`.
    Playbooks,
}

/// The schema of a kind of file. Strands are those of the area pack.
#[must_use]
pub fn schema(of: SchemaOf, categories: &Categories) -> Value {
    let (title, mut root) = match of {
        SchemaOf::Rules => ("A rule of Tension Watch", rule(categories)),
        SchemaOf::Calendar => {
            ("Events, campaigns and changes in recording", list_of("event", EVENT, categories))
        }
        SchemaOf::Episodes => {
            ("What really happened, to try rules against", list_of("episode", EPISODE, categories))
        }
        SchemaOf::Playbooks => {
            ("What partnerships usually do about a kind of signal", list_of("play", PLAY, categories))
        }
    };
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!(title);
    root
}

/// A file that is one rule.
fn rule(categories: &Categories) -> Value {
    let section = |name: &str| {
        let own: Vec<&Field> = fields::of(name).collect();
        let mut table = table(own.into_iter(), categories);
        table["description"] = json!(fields::meaning(name));
        table
    };
    let mut root = section("");
    for name in DETECTORS.iter().chain(&SECTIONS) {
        root["properties"][name] = section(name);
    }
    for name in LISTS {
        root["properties"][name] = several(&section(name));
    }
    if let Some(needed) = root["required"].as_array_mut() {
        needed.push(json!("tell"));
    }
    // Said at the file as a whole, like any field that is missing there.
    root["if"] = json!({ "required": ["combine"] });
    root["else"] = json!({ "required": ["look_at"] });
    root
}

/// A file that is a list of one kind of section.
fn list_of(section: &str, fields: &[Field], categories: &Categories) -> Value {
    let entries = several(&table(fields.iter(), categories));
    json!({ "type": "object", "additionalProperties": false, "properties": { section: entries } })
}

/// Sections in double brackets.
fn several(table: &Value) -> Value {
    let mut several = json!({ "type": "array", "items": table });
    if let Some(meaning) = table.get("description") {
        several["description"] = meaning.clone();
    }
    several
}

/// A section that holds these fields and no others.
fn table<'f>(fields: impl Iterator<Item = &'f Field>, categories: &Categories) -> Value {
    let mut properties = Map::new();
    let mut needed = Vec::new();
    for field in fields {
        properties.insert(field.name.to_owned(), property(field, categories));
        if field.needed {
            needed.push(field.name);
        }
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": needed,
        // What an editor writes when it completes the section's name.
        "x-taplo": { "initKeys": needed },
    })
}

/// A field, with what an editor shows when the pointer rests on it.
fn property(field: &Field, categories: &Categories) -> Value {
    let mut property = shape(field.shape, categories);
    property["description"] = json!(format!("{}\n\nFor example `{}`", field.meaning, field.example));
    property
}

fn shape(shape: Shape, categories: &Categories) -> Value {
    match shape {
        Shape::Text(longest) => json!({ "type": "string", "pattern": r"\S", "maxLength": longest }),
        Shape::Id | Shape::Rule => pattern("^[a-z0-9-]{1,60}$"),
        Shape::Rules => list(&pattern("^[a-z0-9-]{1,60}$")),
        Shape::Word(words) => json!({ "type": "string", "enum": words }),
        Shape::Words(words) => list(&json!({ "type": "string", "enum": words })),
        Shape::Texts | Shape::Wards | Shape::Districts | Shape::Csps => list(&pattern(r"\S")),
        Shape::Event => pattern(r"\S"),
        Shape::Whole(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Shape::Number(low, high) => json!({ "type": "number", "minimum": low, "maximum": high }),
        Shape::Date => json!({ "type": "string", "format": "date" }),
        Shape::Period => pattern("^(month|[1-9][0-9]{0,3} (days?|weeks?|months?))$"),
        Shape::Days => pattern("^[0-9]{1,4} (days?|weeks?)$"),
        Shape::WorkingDays => pattern("^[0-9]{1,4} (working days?|days?|weeks?)$"),
        Shape::OnceIn => pattern(r"^once in [0-9]+(\.[0-9]+)? (days?|weeks|years)$"),
        Shape::Percent => pattern(r"^[0-9]+(\.[0-9]+)? ?%$"),
        Shape::Points => pattern(r"^[0-9]+(\.[0-9]+)? points?$"),
        Shape::Budget => pattern(r"^[0-9]+(\.[0-9]+)? per (year|quarter|month|week)$"),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Categories => {
            let words: Vec<&str> =
                ["any"].into_iter().chain(categories.codes().iter().map(String::as_str)).collect();
            list(&json!({ "type": "string", "enum": words }))
        }
        Shape::Category => json!({ "type": "string", "enum": categories.codes() }),
        Shape::Counts => {
            json!({ "type": "array", "minItems": 1, "items": { "type": "integer", "minimum": 0 } })
        }
        Shape::Incidents => {
            json!({ "type": "array", "minItems": 1, "items": table(INCIDENT.iter(), categories) })
        }
        Shape::Point => table(POINT.iter(), categories),
    }
}

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "minItems": 1, "items": items })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every table in a schema.
    fn tables<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
        if value["type"] == "object" {
            found.push(value);
        }
        match value {
            Value::Object(inner) => inner.values().for_each(|value| tables(value, found)),
            Value::Array(inner) => inner.iter().for_each(|value| tables(value, found)),
            _ => {}
        }
    }

    #[test]
    fn no_table_takes_a_field_that_is_not_in_the_table_of_fields() {
        let categories = Categories::new(["race", "religion"]).unwrap();
        for (of, least) in [(SchemaOf::Rules, 15), (SchemaOf::Calendar, 3), (SchemaOf::Episodes, 2)] {
            let schema = schema(of, &categories);
            let mut found = Vec::new();
            tables(&schema, &mut found);
            assert!(found.len() >= least, "{of:?} holds {} tables", found.len());
            assert!(found.iter().all(|table| table["additionalProperties"] == false), "{schema:#}");
            assert!(!schema.to_string().contains("null"), "nothing in a schema may be null: {schema:#}");
            for word in ["anyOf", "oneOf"] {
                assert!(!schema.to_string().contains(word), "editors say nothing useful about {word}");
            }
        }
    }

    #[test]
    fn strands_come_from_the_area_pack() {
        let schema = schema(SchemaOf::Rules, &Categories::new(["race", "age"]).unwrap());
        let strands = &schema["properties"]["look_at"]["properties"]["categories"]["items"]["enum"];
        assert_eq!(strands, &json!(["any", "race", "age"]));
        let spike = &schema["properties"]["spike"];
        assert_eq!(spike["required"], json!(["at_least", "rarer_than"]));
        assert_eq!(spike["properties"]["at_least"]["maximum"], 10_000);
        let hover = spike["properties"]["at_least"]["description"].as_str().unwrap();
        assert!(
            hover.starts_with("Never below so many incidents.") && hover.contains("`at_least = 5`"),
            "{hover}"
        );
        assert_eq!(spike["description"], "More incidents than usual in an area.");
    }
}
