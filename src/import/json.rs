//! Incidents as JSON objects: the fields have the names of our own format, and are read as its columns are.
//!
//! What has the wrong shape (a text where a number belongs, a field that there is none of) is refused as a whole, because
//! a program made it; what a row says is judged row by row, as in a file.

use super::{
    ImportContext, ImportedFile, Mapping, MappingError,
    row::{Refusal, Rows},
    table::{Header, LONGEST_FIELD, sensitive},
};
use csv::StringRecord;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::fmt;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Texts,
}

/// Every field, what it holds, and whether it must be there.
const FIELDS: [(&str, Kind, bool); 16] = [
    ("reference", Kind::Text, true),
    ("known_at", Kind::Text, false),
    ("class", Kind::Text, false),
    ("status", Kind::Text, false),
    ("categories", Kind::Texts, true),
    ("occurred_from", Kind::Text, true),
    ("occurred_to", Kind::Text, false),
    ("recorded_at", Kind::Text, false),
    ("lon", Kind::Number, false),
    ("lat", Kind::Number, false),
    ("easting", Kind::Number, false),
    ("northing", Kind::Number, false),
    ("precision", Kind::Text, false),
    ("channel", Kind::Text, false),
    ("offence", Kind::Text, false),
    ("repeat_key", Kind::Text, false),
];

/// The most incidents that one body may hold.
pub const MOST_OBJECTS: u64 = 10_000;

/// The longest list that is read; no incident carries so many categories.
const LONGEST_LIST: usize = 64;

/// A body that can't be used as a whole. Nothing of it was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// No JSON.
    #[error("this is not JSON: {0}")]
    Syntax(String),
    /// JSON of another kind.
    #[error("{0}")]
    Shape(String),
    /// One object is not what an incident is.
    #[error("row {row}: {reason}")]
    Row {
        /// Its place, counted from 1.
        row: u64,
        /// The field, as it is written there.
        field: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Too many for one call.
    #[error("there are more than {0} rows; send them in several parts")]
    ManyRows(u64),
    /// Our own format can't be read.
    #[error(transparent)]
    Mapping(#[from] MappingError),
}

/// Reads a list of incidents, or an object that holds one under `incidents`.
///
/// # Errors
///
/// When nothing of it can be used: see [`JsonError`].
pub fn read_json(bytes: &[u8], context: &ImportContext<'_>) -> Result<ImportedFile, JsonError> {
    let Body(List(objects)) = serde_json::from_slice(bytes).map_err(|wrong| told(&wrong))?;
    if objects.len() as u64 > MOST_OBJECTS {
        return Err(JsonError::ManyRows(MOST_OBJECTS));
    }
    for (place, object) in objects.iter().enumerate() {
        object.check().map_err(|(field, reason)| JsonError::Row { row: place as u64 + 1, field, reason })?;
    }
    let mapping = Mapping::shipped("own")?;
    let names = FIELDS.map(|(name, ..)| name.to_owned()).to_vec();
    let header = Header::new(names.clone(), &mapping).map_err(|wrong| JsonError::Shape(wrong.to_string()))?;
    let mut rows = Rows::new(&header, &mapping, context);
    let mut file = ImportedFile {
        header: names,
        incidents: Vec::new(),
        rejects: Vec::new(),
        usable: Vec::new(),
        rows: 0,
        notes: Vec::new(),
    };
    for (place, object) in objects.into_iter().enumerate() {
        let cells = object.cells.map(Cell::text);
        let nul = cells.iter().position(|cell| cell.contains('\0'));
        // No database keeps it, not even with a rejected row.
        let row: StringRecord = cells.iter().map(|cell| cell.replace('\0', "")).collect();
        let read = match nul {
            Some(field) => Err(Refusal {
                column: Some(FIELDS[field].0.to_owned()),
                reason: "there is a NUL character; take it out".into(),
            }),
            None => rows.read(&row),
        };
        // As in a file, where the header is line 1.
        file.add(read, &header, &row, place as u64 + 2);
    }
    Ok(file)
}

/// What is wrong, without repeating much of what was sent.
fn told(wrong: &serde_json::Error) -> JsonError {
    let text: String = wrong.to_string().chars().filter(|c| !c.is_control()).take(300).collect();
    if wrong.is_data() { JsonError::Shape(text) } else { JsonError::Syntax(text) }
}

/// One value.
#[derive(Debug, Clone, Default, PartialEq)]
enum Cell {
    #[default]
    Missing,
    Null,
    Text(String),
    Number(String),
    Texts(Vec<String>),
    /// What no field holds, in a word.
    Other(&'static str),
}

impl Cell {
    const fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Texts(_) => "a list of texts",
            Self::Other(word) => word,
        }
    }

    /// As a file would write it.
    fn text(self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Texts(texts) => texts.join(";"),
            Self::Missing | Self::Null | Self::Other(_) => String::new(),
        }
    }

    fn longest(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Texts(texts) => texts.iter().map(String::len).sum(),
            _ => 0,
        }
    }
}

/// One object, before its values are judged.
#[derive(Debug, Default)]
struct Object {
    cells: [Cell; FIELDS.len()],
    unknown: Option<String>,
    twice: Option<&'static str>,
}

impl Object {
    /// The first field that is not as it should be, and why.
    fn check(&self) -> Result<(), (String, String)> {
        if let Some(name) = &self.unknown {
            return Err((name.clone(), unknown(name)));
        }
        if let Some(name) = self.twice {
            return Err((name.into(), format!("the field `{name}` stands there twice; remove one")));
        }
        for ((name, kind, needed), cell) in FIELDS.iter().zip(&self.cells) {
            let wrong = |reason: String| Err(((*name).to_owned(), reason));
            match (kind, cell) {
                (_, Cell::Missing | Cell::Null) if *needed => {
                    return wrong(format!("the field `{name}` is missing; every incident has one"));
                }
                (Kind::Text, Cell::Text(text)) if text.is_empty() && *name == "reference" => {
                    return wrong(
                        "`reference` is empty; without one a correction can't be told from a second incident"
                            .into(),
                    );
                }
                (_, Cell::Missing | Cell::Null)
                | (Kind::Text, Cell::Text(_))
                | (Kind::Number, Cell::Number(_))
                | (Kind::Texts, Cell::Texts(_)) => {}
                (kind, cell) => {
                    let wanted = match kind {
                        Kind::Text => "a text",
                        Kind::Number => "a number",
                        Kind::Texts => "a list of texts",
                    };
                    return wrong(format!("`{name}` is {}; it should be {wanted}", cell.word()));
                }
            }
            if cell.longest() > LONGEST_FIELD {
                return wrong(format!("`{name}` is longer than 64 KB; narratives are not imported"));
            }
        }
        Ok(())
    }
}

/// What to say of a field that there is none of.
fn unknown(name: &str) -> String {
    if let Some(what) = sensitive(name) {
        return format!(
            "the field `{name}` looks as if it held {what}, which Tension Watch must not hold; remove it"
        );
    }
    let near = |known: &&str| strsim::damerau_levenshtein(known, &name.to_lowercase()) <= 1 + known.len() / 4;
    let hint = FIELDS
        .iter()
        .map(|(known, ..)| *known)
        .find(near)
        .map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
    format!("there is no field `{name}`{hint}")
}

/// Incidents; one more than are read when there are too many, so that no body fills the memory.
struct List(Vec<Object>);

impl List {
    fn of<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut objects = Vec::new();
        while objects.len() as u64 <= MOST_OBJECTS {
            let Some(object) = list.next_element()? else { return Ok(Self(objects)) };
            objects.push(object);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(objects))
    }
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Listed;
        impl<'de> Visitor<'de> for Listed {
            type Value = List;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of incidents")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<List, A::Error> {
                List::of(list)
            }
        }
        from.deserialize_seq(Listed)
    }
}

/// The whole.
struct Body(List);

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Body;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of incidents, or an object with `incidents`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Body, A::Error> {
                List::of(list).map(Body)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
                let mut found = None;
                while let Some(name) = map.next_key::<String>()? {
                    if name != "incidents" || found.is_some() {
                        let name: String = name.chars().take(40).collect();
                        return Err(A::Error::custom(format_args!(
                            "beside one `incidents` there is `{name}`; a list of incidents stands there alone"
                        )));
                    }
                    found = Some(map.next_value::<List>()?);
                }
                found.map(Body).ok_or_else(|| A::Error::missing_field("incidents"))
            }
        }
        from.deserialize_any(Whole)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an incident, which is an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object::default();
                while let Some(name) = map.next_key::<String>()? {
                    let Some(field) = FIELDS.iter().position(|(known, ..)| *known == name) else {
                        map.next_value::<IgnoredAny>()?;
                        object.unknown.get_or_insert_with(|| name.chars().take(40).collect());
                        continue;
                    };
                    if object.cells[field] != Cell::Missing {
                        object.twice = Some(FIELDS[field].0);
                    }
                    object.cells[field] = map.next_value()?;
                }
                Ok(object)
            }
        }
        from.deserialize_any(One)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Cell;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Cell, E> {
                Ok(Cell::Other("true or false"))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
                Ok(Cell::Number(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Cell, E> {
                Ok(Cell::Number(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Cell, E> {
                Ok(Cell::Number(number.to_string()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
                Ok(Cell::Text(text.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<Cell, E> {
                Ok(Cell::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell, A::Error> {
                let mut found = Cell::Texts(Vec::new());
                while let Some(next) = list.next_element::<Cell>()? {
                    found = match (found, next) {
                        (Cell::Texts(texts), Cell::Text(_)) if texts.len() >= LONGEST_LIST => {
                            Cell::Other("a list of more than 64")
                        }
                        (Cell::Texts(mut texts), Cell::Text(text)) => {
                            texts.push(text);
                            Cell::Texts(texts)
                        }
                        (Cell::Texts(_), _) => Cell::Other("a list of something else"),
                        (wrong, _) => wrong,
                    };
                }
                Ok(found)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Cell::Other("an object"))
            }
        }
        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests;
