//! How a supplier's columns are read: a TOML file that a person writes once for each supplier.

use crate::model::{Precision, Status};
use serde::Deserialize;
use std::{collections::BTreeMap, str::FromStr};

/// The mappings that come with the program, by name.
pub const SHIPPED_MAPPINGS: [(&str, &str); 3] = [
    ("own", include_str!("../../mappings/own.toml")),
    ("police-uk", include_str!("../../mappings/police-uk.toml")),
    ("police-export", include_str!("../../mappings/police-export.toml")),
];

/// A mapping that can't be used; the text shows the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MappingError(String);

/// A mapping.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// When a record became known here.
    #[serde(default)]
    pub known_at: KnownAt,
    /// How well places are known, where no column says it.
    #[serde(default = "street")]
    pub precision: Precision,
    /// The class of every record, where no column says it.
    #[serde(default = "crime")]
    pub class: String,
    /// Columns that are looked away from, also when their names sound like something we must not hold.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Which column fills which field.
    pub columns: Columns,
    /// How dates are written.
    #[serde(default)]
    pub dates: Dates,
    /// How the words of the category column become categories.
    #[serde(default)]
    pub categories: CategoryWords,
    /// Columns that say yes or no to one category each.
    #[serde(default)]
    pub flags: BTreeMap<String, String>,
    /// The supplier's words for classes.
    #[serde(default)]
    pub classes: BTreeMap<String, String>,
    /// The supplier's words for statuses.
    #[serde(default)]
    pub statuses: BTreeMap<String, Status>,
}

/// Which column fills which field; what is left out is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// Fills `reference`.
    pub reference: Option<String>,
    /// Fills `known_at`.
    pub known_at: Option<String>,
    /// Fills `class`.
    pub class: Option<String>,
    /// Fills `status`.
    pub status: Option<String>,
    /// Fills `categories`.
    pub categories: Option<String>,
    /// Fills `occurred_from`.
    pub occurred_from: Option<String>,
    /// A time of day that belongs to the date of `occurred_from`.
    pub occurred_time: Option<String>,
    /// Fills `occurred_to`.
    pub occurred_to: Option<String>,
    /// Fills `recorded_at`.
    pub recorded_at: Option<String>,
    /// Fills `lon`.
    pub lon: Option<String>,
    /// Fills `lat`.
    pub lat: Option<String>,
    /// Fills `easting`.
    pub easting: Option<String>,
    /// Fills `northing`.
    pub northing: Option<String>,
    /// Fills `precision`.
    pub precision: Option<String>,
    /// Fills `channel`.
    pub channel: Option<String>,
    /// Fills `offence`.
    pub offence: Option<String>,
    /// Fills `repeat_key`.
    pub repeat_key: Option<String>,
}

/// How dates are written. RFC 3339 and ISO dates are always understood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dates {
    /// Formats as strftime writes them, the first that fits is taken: `%d/%m/%Y %H:%M`, `%d/%m/%Y`, `%Y-%m`.
    pub formats: Vec<String>,
    /// Whether a plain number is a spreadsheet's day number.
    pub excel: bool,
}

/// How the words of the category column become categories.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CategoryWords {
    /// What stands between several.
    pub separator: char,
    /// Whether words are written small and with underscores before they are looked up.
    pub slug: bool,
    /// The supplier's words and the category of each.
    pub values: BTreeMap<String, String>,
    /// The category of every word that is not listed; the word itself is kept as the offence.
    pub otherwise: Option<String>,
}

impl Default for CategoryWords {
    fn default() -> Self {
        Self { separator: ';', slug: false, values: BTreeMap::new(), otherwise: None }
    }
}

/// When a record became known here: what a replay of a past night may see of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum KnownAt {
    /// When it was imported.
    #[default]
    Import,
    /// When the supplier recorded it; when it was imported where that is not told.
    Recorded,
    /// A column says it.
    Column,
    /// So many days after it happened, for files that come out on a schedule.
    DaysAfter(u32),
}

impl TryFrom<String> for KnownAt {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let days = text.strip_suffix(" days after occurred").map(str::parse);
        match (text.as_str(), days) {
            ("import", _) => Ok(Self::Import),
            ("recorded", _) => Ok(Self::Recorded),
            ("column", _) => Ok(Self::Column),
            (_, Some(Ok(days @ 0..=3_660))) => Ok(Self::DaysAfter(days)),
            _ => Err(format!(
                "`{text}` says nothing known_at understands; write \"import\", \"recorded\", \"column\" or for example \
                 \"60 days after occurred\""
            )),
        }
    }
}

fn street() -> Precision {
    Precision::Street
}

fn crime() -> String {
    "crime".into()
}

impl FromStr for Mapping {
    type Err = MappingError;

    fn from_str(text: &str) -> Result<Self, MappingError> {
        let mapping: Self =
            toml::from_str(text).map_err(|wrong| MappingError(wrong.to_string().trim_end().to_owned()))?;
        let says = |what: &str| Err(MappingError(what.to_owned()));
        let columns = &mapping.columns;
        if columns.occurred_from.is_none() {
            return says("[columns] needs occurred_from: the column that says when it happened");
        }
        if columns.categories.is_none() && mapping.flags.is_empty() {
            return says("[columns] needs categories, or [flags] one column for each category");
        }
        if mapping.known_at == KnownAt::Column && columns.known_at.is_none() {
            return says("known_at = \"column\" needs the column's name under [columns] known_at");
        }
        if mapping.known_at == KnownAt::Recorded && columns.recorded_at.is_none() {
            return says("known_at = \"recorded\" needs the column's name under [columns] recorded_at");
        }
        if columns.lon.is_some() != columns.lat.is_some()
            || columns.easting.is_some() != columns.northing.is_some()
        {
            return says("[columns] needs both lon and lat, or both easting and northing");
        }
        Ok(mapping)
    }
}

impl Mapping {
    /// A mapping that comes with the program.
    ///
    /// # Errors
    ///
    /// When there is none of that name; the text names those there are.
    pub fn shipped(name: &str) -> Result<Self, MappingError> {
        let known = SHIPPED_MAPPINGS.map(|(name, _)| format!("`{name}`")).join(", ");
        let found = SHIPPED_MAPPINGS.into_iter().find(|(shipped, _)| *shipped == name);
        let (_, text) = found.ok_or_else(|| {
            MappingError(format!(
                "no mapping `{name}` comes with the program; there are {known}, or name a TOML file"
            ))
        })?;
        text.parse()
    }

    /// Every column that fills a field.
    pub(super) fn columns_used(&self) -> Vec<&str> {
        let c = &self.columns;
        [
            &c.reference,
            &c.known_at,
            &c.class,
            &c.status,
            &c.categories,
            &c.occurred_from,
            &c.occurred_time,
            &c.occurred_to,
            &c.recorded_at,
            &c.lon,
            &c.lat,
            &c.easting,
            &c.northing,
            &c.precision,
            &c.channel,
            &c.offence,
            &c.repeat_key,
        ]
        .into_iter()
        .flatten()
        .chain(self.flags.keys())
        .map(String::as_str)
        .collect()
    }

    /// Every column that must be there: without these a file is another supplier's. Fields that are unknown for every
    /// record may be left out of a file.
    pub(super) fn columns_needed(&self) -> Vec<&str> {
        let c = &self.columns;
        let place = if c.lon.is_some() && c.easting.is_some() {
            vec![]
        } else {
            vec![&c.lon, &c.lat, &c.easting, &c.northing]
        };
        let known_at = if self.known_at == KnownAt::Column { &c.known_at } else { &None };
        [&c.reference, &c.occurred_from, &c.categories, known_at]
            .into_iter()
            .chain(place)
            .flatten()
            .chain(self.flags.keys())
            .map(String::as_str)
            .collect()
    }

    /// Whether a column is to be looked away from.
    pub(super) fn ignores(&self, column: &str) -> bool {
        self.ignore.iter().any(|ignored| ignored == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_comes_with_the_program_can_be_read() {
        for (name, _) in SHIPPED_MAPPINGS {
            Mapping::shipped(name).unwrap();
        }
        assert!(Mapping::shipped("ours").unwrap_err().to_string().contains("`police-uk`"));
    }

    #[test]
    fn a_mistake_is_shown_with_its_line() {
        let wrong = "[columns]\noccured_from = \"Date\"\n".parse::<Mapping>().unwrap_err().to_string();
        assert!(wrong.contains("line 2") && wrong.contains("occurred_from"), "{wrong}");
        let wrong = "known_at = \"soon\"\n[columns]\n".parse::<Mapping>().unwrap_err().to_string();
        assert!(wrong.contains("line 1") && wrong.contains("60 days after occurred"), "{wrong}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = text.parse::<Mapping>();
        }
    }
}
