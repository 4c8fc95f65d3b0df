//! An incident as known on a date, cut down to what analysis needs.

use crate::model::{CategorySet, Incident, Precision};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::sync::Arc;
use uuid::Uuid;

/// One incident, once: withdrawn records and second reports of the same event are left out before this.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The incident.
    pub id: Uuid,
    /// Who supplied it.
    pub source: Arc<str>,
    /// The local day it is counted on; none when its date is a month or longer.
    pub day: Option<NaiveDate>,
    /// The first day of the calendar month it fell in; none when its range crosses months.
    pub month: Option<NaiveDate>,
    /// What it carries.
    pub categories: CategorySet,
    /// The ward; none for online incidents and those outside.
    pub ward: Option<Arc<str>>,
    /// Whole metres east and north on the pack's grid.
    pub point: Option<(i32, i32)>,
    /// How well the place is known.
    pub precision: Precision,
    /// The first morning on which a night's run could see it: its delay is the days between.
    pub known_on: NaiveDate,
    /// The supplier's opaque key for repeats on one person.
    pub repeat_key: Option<Arc<str>>,
    /// The kind of offence, in small letters.
    pub offence: Option<Arc<str>>,
    /// How it was reported, in small letters; none where that is not told.
    pub channel: Option<Arc<str>>,
}

impl Case {
    /// From the version known on a date; `first_known` is when the first version of the incident became known, and `tick`
    /// the local time at which nights look: what comes later in the day is seen on the next morning.
    #[must_use]
    pub fn of(incident: &Incident, first_known: DateTime<Utc>, zone: Tz, tick: NaiveTime) -> Self {
        Self {
            id: incident.id,
            source: incident.source.as_str().into(),
            day: incident.day(zone),
            month: incident.month(zone),
            categories: incident.categories,
            ward: incident.ward.as_deref().map(Into::into),
            point: incident.place.map(|place| (place.easting.round() as i32, place.northing.round() as i32)),
            precision: incident.precision,
            known_on: seen_on(first_known, zone, tick),
            repeat_key: incident.repeat_key.as_deref().map(Into::into),
            offence: plain(incident.offence.as_ref()).map(Into::into),
            channel: plain(incident.channel.as_ref()).filter(|channel| !channel.is_empty()).map(Into::into),
        }
    }
}

/// Words that suppliers write with capitals or without.
pub(super) fn plain(words: Option<&String>) -> Option<String> {
    words.map(|words| words.trim().to_lowercase())
}

/// The first morning on which nights that look at the local time `tick` could see what became known at an instant.
pub(super) fn seen_on(first_known: DateTime<Utc>, zone: Tz, tick: NaiveTime) -> NaiveDate {
    let local = first_known.with_timezone(&zone).naive_local();
    local.date() + TimeDelta::days(i64::from(local.time() >= tick))
}

/// As much of an incident as is needed to count it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted<'c> {
    /// Who supplied it.
    pub source: &'c str,
    /// As [`Case::day`].
    pub day: Option<NaiveDate>,
    /// As [`Case::month`].
    pub month: Option<NaiveDate>,
    /// What it carries.
    pub categories: CategorySet,
    /// As [`Case::ward`].
    pub ward: Option<&'c str>,
    /// As [`Case::known_on`].
    pub known_on: NaiveDate,
}

impl<'c> From<&'c Case> for Counted<'c> {
    fn from(case: &'c Case) -> Self {
        Self {
            source: &case.source,
            day: case.day,
            month: case.month,
            categories: case.categories,
            ward: case.ward.as_deref(),
            known_on: case.known_on,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One of category 1, without a ward.
    pub(in crate::count) fn case(day: NaiveDate, known_on: NaiveDate) -> Case {
        Case {
            id: Uuid::nil(),
            source: "police".into(),
            day: Some(day),
            month: None,
            categories: CategorySet::from_bits(1),
            ward: None,
            point: None,
            precision: Precision::None,
            known_on,
            repeat_key: None,
            offence: None,
            channel: None,
        }
    }
}
