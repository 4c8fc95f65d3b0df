//! The area pack: a county as data.

use super::Categories;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// How degrees become metres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Projection {
    /// EPSG:27700 by OSTN15.
    BritishNationalGrid,
    /// A transverse Mercator on WGS84 around the pack's own centre, scale 1 there, false origin 500 km west and
    /// south so that coordinates are positive.
    TransverseMercator {
        /// Degrees east of the centre.
        lon: f64,
        /// Degrees north of the centre.
        lat: f64,
    },
}

/// A box in degrees; what lies outside is not this pack's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Degrees east.
    pub west: f64,
    /// Degrees north.
    pub south: f64,
    /// Degrees east.
    pub east: f64,
    /// Degrees north.
    pub north: f64,
}

impl Bounds {
    /// Whether a point lies inside or on the edge. Never for coordinates that are not numbers.
    #[must_use]
    pub fn hold(&self, lon: f64, lat: f64) -> bool {
        (self.west..=self.east).contains(&lon) && (self.south..=self.north).contains(&lat)
    }
}

/// A code of an effective-dated list: recording law changes, records keep the code they were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// As stored, for example `crime` or `incident`.
    pub code: String,
    /// As people read it.
    pub label: String,
    /// First day it could be recorded, if it was not always so.
    pub from: Option<NaiveDate>,
    /// First day it could no longer be recorded.
    pub to: Option<NaiveDate>,
}

/// A county: its name, its time, its grid, and what it counts apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pack {
    /// As people read it, for example `Leicester, Leicestershire and Rutland`.
    pub name: String,
    /// Begins alert numbers, for example `LLR` in `LLR-2026-0147`.
    pub prefix: String,
    /// Local days are days of this zone.
    pub zone: Tz,
    /// How degrees become metres.
    pub projection: Projection,
    /// Coordinates outside are refused at import.
    pub bounds: Bounds,
    /// What is counted apart.
    pub categories: Categories,
    /// The categories as people read them, in the same order.
    pub category_labels: Vec<String>,
    /// The word for a category on pages and in mails, for example `strand`.
    pub category_word: String,
    /// The class list.
    pub classes: Vec<Class>,
    /// Public holidays, which are no working days.
    #[serde(default)]
    pub holidays: Vec<NaiveDate>,
    /// When figures for partners are published.
    #[serde(default)]
    pub publish: Terms,
    /// Where people report what happened to them or what they saw.
    #[serde(default)]
    pub reporting: Vec<Reporting>,
}

impl Pack {
    /// What people call a category; its code where the pack does not know it.
    #[must_use]
    pub fn label<'a>(&'a self, code: &'a str) -> &'a str {
        self.labels().find(|(known, _)| *known == code).map_or(code, |(_, label)| label)
    }

    /// What people call a class.
    #[must_use]
    pub fn class_label(&self, code: &str) -> Option<&str> {
        self.classes.iter().find(|class| class.code == code).map(|class| class.label.as_str())
    }

    /// The codes of the categories and what people call them, in the pack's order.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.categories
            .codes()
            .iter()
            .map(String::as_str)
            .zip(self.category_labels.iter().map(String::as_str))
    }
}

/// A way to report hate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reporting {
    /// As people read it, for example `Report online`.
    pub label: String,
    /// A page's address, with `https`; none for a way without one, for example a telephone number in the label.
    pub url: Option<String>,
}

/// When figures are published: late enough that most reports are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Whole days between the end of a month and its publication.
    pub months_after_days: u32,
    /// The same for weeks.
    pub weeks_after_days: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self { months_after_days: 14, weeks_after_days: 14 }
    }
}
