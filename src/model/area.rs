//! Wards and what they belong to: geography is data, with dates.

use super::AreaRef;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaKind {
    /// The smallest area counted; found from coordinates, never from its name.
    Ward,
    /// Local authority district.
    District,
    /// Community safety partnership.
    Csp,
    /// Neighbourhood policing area.
    Npa,
    /// The whole of the pack's area.
    Whole,
}

impl AreaKind {
    /// Every kind, the smallest first.
    pub const ALL: [Self; 5] = [Self::Ward, Self::District, Self::Csp, Self::Npa, Self::Whole];

    /// As files, tables and addresses write it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ward => "ward",
            Self::District => "district",
            Self::Csp => "csp",
            Self::Npa => "npa",
            Self::Whole => "whole",
        }
    }
}

/// A kind of area that there is none of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of area; the kinds are ward, district, csp, npa and whole")]
pub struct UnknownKind(String);

impl std::str::FromStr for AreaKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.code() == text)
            .ok_or_else(|| UnknownKind(text.chars().take(40).collect()))
    }
}

/// One area, under one boundary year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// What it is.
    pub kind: AreaKind,
    /// Its official code, unique within kind and boundary year.
    pub code: String,
    /// Its name as people write it.
    pub name: String,
    /// The year of the boundaries: part of an alert's identity.
    pub boundary_year: i32,
    /// First day in force.
    pub valid_from: NaiveDate,
    /// First day no longer in force, or none while it lasts.
    pub valid_to: Option<NaiveDate>,
    /// Residents, where known.
    pub population: Option<u32>,
    /// People who are there on a working day, where known: in a centre many more than live there.
    #[serde(default)]
    pub workday_population: Option<u32>,
}

impl Area {
    /// Whether it is in force on a day.
    #[must_use]
    pub fn in_force(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|end| day < end)
    }
}

/// The areas in force on one day and how wards link to them.
///
/// Links are many-to-many: a policing area may span two partnerships, a partnership two districts, and a ward may
/// belong to several areas of one kind.
#[derive(Debug, Clone, Default)]
pub struct Geography {
    areas: BTreeMap<(AreaKind, String), Area>,
    above: BTreeMap<String, Vec<(AreaKind, String)>>,
    neighbours: BTreeMap<String, Vec<String>>,
}

/// A link that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the link from ward `{ward}` to {kind:?} `{code}` names an area that is not in force on {day}")]
pub struct DanglingLink {
    ward: String,
    kind: AreaKind,
    code: String,
    day: NaiveDate,
}

impl Geography {
    /// Keeps the areas in force on `day` and their links (ward code, kind and code of the area above it).
    ///
    /// # Errors
    ///
    /// When a link of a ward in force names an area that is not. Links of wards that are not in force are left out.
    pub fn on(
        day: NaiveDate,
        areas: impl IntoIterator<Item = Area>,
        links: impl IntoIterator<Item = (String, AreaKind, String)>,
    ) -> Result<Self, DanglingLink> {
        let areas: BTreeMap<_, _> = areas
            .into_iter()
            .filter(|area| area.in_force(day))
            .map(|area| ((area.kind, area.code.clone()), area))
            .collect();
        let mut above: BTreeMap<String, Vec<(AreaKind, String)>> = BTreeMap::new();
        for (ward, kind, code) in links {
            if !areas.contains_key(&(AreaKind::Ward, ward.clone())) {
                continue;
            }
            if !areas.contains_key(&(kind, code.clone())) {
                return Err(DanglingLink { ward, kind, code, day });
            }
            let links = above.entry(ward).or_default();
            if !links.contains(&(kind, code.clone())) {
                links.push((kind, code));
            }
        }
        Ok(Self { areas, above, neighbours: BTreeMap::new() })
    }

    /// With the wards that share a border, by ward; without them no ward has a neighbour.
    #[must_use]
    pub fn with_neighbours(self, neighbours: BTreeMap<String, Vec<String>>) -> Self {
        Self { neighbours, ..self }
    }

    /// The wards in force that share a border with a ward, by code.
    pub fn neighbours<'a>(&'a self, ward: &str) -> impl Iterator<Item = &'a str> {
        let all = self.neighbours.get(ward).map(Vec::as_slice).unwrap_or_default();
        all.iter().map(String::as_str).filter(|code| self.get(AreaKind::Ward, code).is_some())
    }

    /// The areas of a kind, by code.
    pub fn of_kind(&self, kind: AreaKind) -> impl Iterator<Item = &Area> {
        self.areas.values().filter(move |area| area.kind == kind)
    }

    /// One area.
    #[must_use]
    pub fn get(&self, kind: AreaKind, code: &str) -> Option<&Area> {
        self.areas.get(&(kind, code.to_owned()))
    }

    /// The wards of an area, by code; all of the county's without one.
    #[must_use]
    pub fn wards_in(&self, area: Option<&AreaRef>) -> Vec<String> {
        let codes = |kind, code: &str| self.wards_of(kind, code).map(|ward| ward.code.clone()).collect();
        match area {
            Some(AreaRef { kind: AreaKind::Ward, code }) => vec![code.clone()],
            Some(area) => codes(area.kind, &area.code),
            None => self.of_kind(AreaKind::Ward).map(|ward| ward.code.clone()).collect(),
        }
    }

    /// The areas of a kind that a ward belongs to, in the order of the links.
    pub fn above<'a>(&'a self, ward: &str, kind: AreaKind) -> impl Iterator<Item = &'a Area> + use<'a> {
        self.above
            .get(ward)
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter(move |(of, _)| *of == kind)
            .filter_map(|key| self.areas.get(key))
    }

    /// Whether a ward is an area, or belongs to it; every ward belongs to the whole county.
    #[must_use]
    pub fn lies_in(&self, ward: &str, area: &AreaRef) -> bool {
        match area.kind {
            AreaKind::Whole => true,
            AreaKind::Ward => area.code == ward,
            kind => self.above(ward, kind).any(|above| above.code == area.code),
        }
    }

    /// The wards that belong to an area, by code.
    pub fn wards_of<'a>(&'a self, kind: AreaKind, code: &'a str) -> impl Iterator<Item = &'a Area> {
        self.above
            .iter()
            .filter(move |(_, links)| links.iter().any(|(of, there)| *of == kind && there == code))
            .filter_map(|(ward, _)| self.areas.get(&(AreaKind::Ward, ward.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn area(kind: AreaKind, code: &str, from: &str, to: Option<&str>) -> Area {
        Area {
            kind,
            code: code.into(),
            name: code.into(),
            boundary_year: 2025,
            valid_from: day(from),
            valid_to: to.map(day),
            population: None,
            workday_population: None,
        }
    }

    #[test]
    fn one_policing_area_spans_two_partnerships() {
        let areas = [
            area(AreaKind::Ward, "oakham", "2019-05-01", None),
            area(AreaKind::Ward, "melton", "2019-05-01", None),
            area(AreaKind::Ward, "gone", "2013-05-01", Some("2019-05-01")),
            area(AreaKind::Csp, "safer-rutland", "2010-01-01", None),
            area(AreaKind::Csp, "safer-melton", "2010-01-01", None),
            area(AreaKind::Npa, "melton-rutland", "2020-03-01", None),
        ];
        let links = [
            ("oakham", AreaKind::Csp, "safer-rutland"),
            ("melton", AreaKind::Csp, "safer-melton"),
            ("oakham", AreaKind::Npa, "melton-rutland"),
            ("melton", AreaKind::Npa, "melton-rutland"),
            ("gone", AreaKind::Csp, "long-gone"),
        ]
        .map(|(ward, kind, code)| (ward.to_owned(), kind, code.to_owned()));
        let today = Geography::on(day("2026-06-30"), areas.clone(), links.clone()).unwrap();
        let names = |found: Vec<&Area>| found.iter().map(|area| area.code.clone()).collect::<Vec<_>>();
        assert_eq!(names(today.wards_of(AreaKind::Npa, "melton-rutland").collect()), ["melton", "oakham"]);
        assert_eq!(names(today.above("oakham", AreaKind::Csp).collect()), ["safer-rutland"]);
        assert!(today.get(AreaKind::Ward, "gone").is_none());
        assert_eq!(today.of_kind(AreaKind::Csp).count(), 2);

        // Before the policing area existed, a link to it is a mistake in the data, and is named.
        let early = Geography::on(day("2019-12-31"), areas, links).unwrap_err();
        assert!(early.to_string().contains("`melton-rutland`"), "{early}");
    }
}
