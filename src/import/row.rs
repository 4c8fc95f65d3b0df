//! One row becomes one version of one incident, or is refused with its column and reason.

use super::{
    identity,
    mapping::{KnownAt, Mapping},
    reader::ImportContext,
    table::Header,
    when::{When, when},
};
use crate::model::{CategorySet, Incident, Place, Precision, Status};
use chrono::{DateTime, TimeDelta, Utc};
use csv::StringRecord;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Why a row can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) column: Option<String>,
    pub(super) reason: String,
}

type Outcome<T> = Result<T, Refusal>;

/// Where each field stands in the rows of a file.
struct Fields {
    reference: Option<usize>,
    known_at: Option<usize>,
    class: Option<usize>,
    status: Option<usize>,
    categories: Option<usize>,
    occurred_from: Option<usize>,
    occurred_time: Option<usize>,
    occurred_to: Option<usize>,
    recorded_at: Option<usize>,
    lon: Option<usize>,
    lat: Option<usize>,
    easting: Option<usize>,
    northing: Option<usize>,
    precision: Option<usize>,
    channel: Option<usize>,
    offence: Option<usize>,
    repeat_key: Option<usize>,
    flags: Vec<(usize, String)>,
}

/// Reads the rows of one file.
pub(super) struct Rows<'a> {
    header: &'a Header,
    mapping: &'a Mapping,
    context: &'a ImportContext<'a>,
    fields: Fields,
    /// How many rows with the same content came before: they are different incidents.
    seen: HashMap<[u8; 32], u32>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(header: &'a Header, mapping: &'a Mapping, context: &'a ImportContext<'a>) -> Self {
        let c = &mapping.columns;
        let find = |column: &Option<String>| header.find(column.as_ref());
        let fields = Fields {
            reference: find(&c.reference),
            known_at: find(&c.known_at),
            class: find(&c.class),
            status: find(&c.status),
            categories: find(&c.categories),
            occurred_from: find(&c.occurred_from),
            occurred_time: find(&c.occurred_time),
            occurred_to: find(&c.occurred_to),
            recorded_at: find(&c.recorded_at),
            lon: find(&c.lon),
            lat: find(&c.lat),
            easting: find(&c.easting),
            northing: find(&c.northing),
            precision: find(&c.precision),
            channel: find(&c.channel),
            offence: find(&c.offence),
            repeat_key: find(&c.repeat_key),
            flags: mapping
                .flags
                .iter()
                .filter_map(|(column, category)| Some((header.find(Some(column))?, category.clone())))
                .collect(),
        };
        Self { header, mapping, context, fields, seen: HashMap::new() }
    }

    /// Reads a row.
    pub(super) fn read(&mut self, row: &StringRecord) -> Outcome<Incident> {
        if row.len() != self.header.names.len() {
            return Err(Refusal {
                column: None,
                reason: format!(
                    "the row has {} fields, the header {}; check for a missing or an extra comma",
                    row.len(),
                    self.header.names.len()
                ),
            });
        }
        let fields = &self.fields;
        let occurred = self.occurred(row)?;
        let recorded_at = self.optional_when(row, fields.recorded_at)?.map(|when| when.from);
        let known_at = self.known_at(row, recorded_at, occurred)?;
        let (categories, unlisted) = self.categories(row)?;
        let place = self.place(row)?;
        let precision = if place.is_some() { self.precision(row)? } else { Precision::None };
        let class = self.class(row)?;
        let status = self.status(row)?;
        let text = |field| cell(row, field).filter(|text| !text.is_empty()).map(str::to_owned);
        let (channel, repeat_key) = (text(fields.channel), text(fields.repeat_key));
        let offence = text(fields.offence).or(unlisted);
        let reference = text(fields.reference).unwrap_or_else(|| self.by_content(row));
        Ok(Incident {
            id: identity::id_of(self.context.source, &reference),
            source: self.context.source.to_owned(),
            reference,
            known_at,
            class,
            status,
            categories,
            occurred_from: occurred.from,
            occurred_to: occurred.to,
            recorded_at,
            place,
            precision,
            ward: None,
            channel,
            offence,
            repeat_key,
        })
    }

    fn refuse<T>(&self, field: Option<usize>, reason: impl Into<String>) -> Outcome<T> {
        let column = field.and_then(|field| self.header.names.get(field)).cloned();
        Err(Refusal { column, reason: reason.into() })
    }

    fn occurred(&self, row: &StringRecord) -> Outcome<When> {
        let fields = &self.fields;
        let date = cell(row, fields.occurred_from).unwrap_or_default();
        if date.is_empty() {
            return self.refuse(fields.occurred_from, "there is no date; without one it can't be counted");
        }
        let time = cell(row, fields.occurred_time).filter(|time| !time.is_empty());
        let joined = time.map(|time| format!("{date} {time}"));
        let from = self.when(joined.as_deref().unwrap_or(date), fields.occurred_from)?;
        let to = self.optional_when(row, fields.occurred_to)?.map_or(from.to, |end| end.to);
        if to < from.from {
            return self.refuse(fields.occurred_to, "it ends before it begins; check both dates");
        }
        if from.from > self.context.imported_at + TimeDelta::days(1) {
            return self.refuse(
                fields.occurred_from,
                "the date is in the future; check the year and the order of day and month",
            );
        }
        Ok(When { from: from.from, to })
    }

    fn when(&self, text: &str, field: Option<usize>) -> Outcome<When> {
        let dates = &self.mapping.dates;
        when(text, dates, self.context.pack.zone).map_or_else(
            || {
                let formats = if dates.formats.is_empty() {
                    "YYYY-MM-DD or YYYY-MM-DD HH:MM".to_owned()
                } else {
                    dates.formats.join(" or ")
                };
                self.refuse(field, format!("`{}` is not a date of the form {formats}", short(text)))
            },
            Ok,
        )
    }

    fn optional_when(&self, row: &StringRecord, field: Option<usize>) -> Outcome<Option<When>> {
        match cell(row, field) {
            None | Some("") => Ok(None),
            Some(text) => self.when(text, field).map(Some),
        }
    }

    fn known_at(
        &self,
        row: &StringRecord,
        recorded_at: Option<DateTime<Utc>>,
        occurred: When,
    ) -> Outcome<DateTime<Utc>> {
        let now = self.context.imported_at;
        match self.mapping.known_at {
            KnownAt::Import => Ok(now),
            KnownAt::Recorded => Ok(recorded_at.unwrap_or(now).min(now)),
            KnownAt::DaysAfter(days) => Ok((occurred.to + TimeDelta::days(days.into())).min(now)),
            KnownAt::Column => {
                let field = self.fields.known_at;
                let known = self.optional_when(row, field)?.map_or(now, |when| when.from);
                if known > now {
                    return self.refuse(field, "it became known in the future; check the date");
                }
                Ok(known)
            }
        }
    }

    /// The categories, and the supplier's word where the mapping does not list it.
    fn categories(&self, row: &StringRecord) -> Outcome<(CategorySet, Option<String>)> {
        let mut set = CategorySet::EMPTY;
        let mut unlisted = None;
        let words = &self.mapping.categories;
        let field = self.fields.categories;
        for word in cell(row, field).unwrap_or_default().split(words.separator).map(str::trim) {
            if word.is_empty() {
                continue;
            }
            let slug = if words.slug { slug(word) } else { word.to_owned() };
            let code = words.values.get(word).unwrap_or(&slug);
            match (self.context.pack.categories.find(code), &words.otherwise) {
                (Some(known), _) => set = set.with(known),
                (None, Some(otherwise)) => {
                    set = set.with(self.known_category(otherwise, field)?);
                    unlisted = Some(word.to_owned());
                }
                (None, None) => set = set.with(self.known_category(code, field)?),
            }
        }
        for (field, category) in &self.fields.flags {
            let text = cell(row, Some(*field)).unwrap_or_default().to_ascii_lowercase();
            match text.as_str() {
                "y" | "yes" | "true" | "1" | "x" => {
                    set = set.with(self.known_category(category, Some(*field))?);
                }
                "" | "n" | "no" | "false" | "0" => {}
                _ => return self.refuse(Some(*field), format!("`{}` is neither yes nor no", short(&text))),
            }
        }
        if set == CategorySet::EMPTY {
            let Some(otherwise) = &words.otherwise else {
                let word = &self.context.pack.category_word;
                return self.refuse(field, format!("there is no {word}; name at least one"));
            };
            set = self.known_category(otherwise, field)?;
        }
        Ok((set, unlisted))
    }

    fn known_category(&self, code: &str, field: Option<usize>) -> Outcome<CategorySet> {
        let pack = self.context.pack;
        pack.categories.find(code).map_or_else(
            || {
                let known = pack.categories.codes();
                let nearest = known
                    .iter()
                    .map(|known| (strsim::damerau_levenshtein(known, &code.to_lowercase()), known))
                    .min()
                    .filter(|(distance, known)| *distance <= 1 + known.chars().count() / 4);
                let hint =
                    nearest.map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"));
                let word = &pack.category_word;
                let list = known.join(", ");
                self.refuse(field, format!("`{}` is not a {word}; there are {list}{hint}", short(code)))
            },
            Ok,
        )
    }

    fn place(&self, row: &StringRecord) -> Outcome<Option<Place>> {
        let fields = &self.fields;
        let degrees = self.pair(row, fields.lon, fields.lat)?;
        let metres = self.pair(row, fields.easting, fields.northing)?;
        let bounds = &self.context.pack.bounds;
        let grid = self.context.grid;
        let (place, swapped, field) = match (degrees, metres) {
            (Some((lon, lat)), _) => (
                bounds.hold(lon, lat).then(|| grid.place_at_degrees(lon, lat)).flatten(),
                bounds.hold(lat, lon),
                fields.lon,
            ),
            (None, Some((easting, northing))) => {
                let inside = |east, north| {
                    grid.place_on_grid(east, north).filter(|place| bounds.hold(place.lon, place.lat))
                };
                (inside(easting, northing), inside(northing, easting).is_some(), fields.easting)
            }
            (None, None) => return Ok(None),
        };
        match place {
            Some(place) => Ok(Some(place)),
            None if swapped => self.refuse(field, "the two coordinates are swapped; exchange them"),
            None => self.refuse(
                field,
                format!(
                    "the place lies outside {}; check the coordinates, or leave both empty",
                    self.context.pack.name
                ),
            ),
        }
    }

    /// Two coordinates: both, or none.
    fn pair(&self, row: &StringRecord, x: Option<usize>, y: Option<usize>) -> Outcome<Option<(f64, f64)>> {
        let number = |field: Option<usize>| match cell(row, field) {
            None | Some("") => Ok(None),
            Some(text) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => self.refuse(field, format!("`{}` is not a finite number", short(text))),
            },
        };
        match (number(x)?, number(y)?) {
            (None, None) => Ok(None),
            (Some(x_value), Some(y_value)) if x_value == 0.0 && y_value == 0.0 => self.refuse(
                x,
                "both coordinates are 0, which is no place here; leave them empty if it is unknown",
            ),
            (Some(x), Some(y)) => Ok(Some((x, y))),
            (None, Some(_)) => self.refuse(x, "one coordinate is missing; give both or none"),
            (Some(_), None) => self.refuse(y, "one coordinate is missing; give both or none"),
        }
    }

    fn precision(&self, row: &StringRecord) -> Outcome<Precision> {
        match cell(row, self.fields.precision) {
            None | Some("") => Ok(self.mapping.precision),
            Some("exact") => Ok(Precision::Exact),
            Some("street") => Ok(Precision::Street),
            Some("postcode") => Ok(Precision::Postcode),
            Some("ward") => Ok(Precision::Ward),
            Some("none") => Ok(Precision::None),
            Some(other) => self.refuse(
                self.fields.precision,
                format!(
                    "`{}` is not a precision; there are exact, street, postcode, ward, none",
                    short(other)
                ),
            ),
        }
    }

    fn class(&self, row: &StringRecord) -> Outcome<String> {
        let word = match cell(row, self.fields.class) {
            None | Some("") => &self.mapping.class,
            Some(word) => word,
        };
        let code = self.mapping.classes.get(word).map_or(word, String::as_str);
        let classes = &self.context.pack.classes;
        if classes.iter().any(|class| class.code == code) {
            return Ok(code.to_owned());
        }
        let list = classes.iter().map(|class| class.code.as_str()).collect::<Vec<_>>().join(", ");
        self.refuse(
            self.fields.class,
            format!("`{}` is not a class of record; there are {list}", short(word)),
        )
    }

    fn status(&self, row: &StringRecord) -> Outcome<Status> {
        let Some(word) = cell(row, self.fields.status).filter(|word| !word.is_empty()) else {
            return Ok(Status::Confirmed);
        };
        if let Some(status) = self.mapping.statuses.get(word) {
            return Ok(*status);
        }
        match word {
            "pending" => Ok(Status::Pending),
            "confirmed" => Ok(Status::Confirmed),
            "reclassified" => Ok(Status::Reclassified),
            "withdrawn" => Ok(Status::Withdrawn),
            _ => self.refuse(
                self.fields.status,
                format!(
                    "`{}` is not a status; there are pending, confirmed, reclassified, withdrawn",
                    short(word)
                ),
            ),
        }
    }

    /// A reference for a row that has none: its content and its place among equal rows of the file.
    fn by_content(&mut self, row: &StringRecord) -> String {
        let mut hash = Sha256::new();
        for (cell, _) in row.iter().zip(&self.header.used).filter(|(_, used)| **used) {
            hash.update(cell.as_bytes());
            hash.update([0]);
        }
        let hash: [u8; 32] = hash.finalize().into();
        let ordinal = self.seen.entry(hash).or_insert(0);
        *ordinal += 1;
        format!("content-{}-{ordinal}", identity::hex(&hash[..12]))
    }
}

fn cell(row: &StringRecord, field: Option<usize>) -> Option<&str> {
    row.get(field?).map(str::trim)
}

/// At most so much of a value is told back.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

fn slug(word: &str) -> String {
    word.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}
