//! An incident as known on a date, cut down to what analysis needs.

use crate::model::{CategorySet, Incident, Precision};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// One incident, once: withdrawn records and second reports of the same event are left out before this.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The incident.
    pub id: Uuid,
    /// Who supplied it.
    pub source: String,
    /// The local day it is counted on; none when its date is a month or longer.
    pub day: Option<NaiveDate>,
    /// The first day of the calendar month it fell in; none when its range crosses months.
    pub month: Option<NaiveDate>,
    /// What it carries.
    pub categories: CategorySet,
    /// The ward; none for online incidents and those outside.
    pub ward: Option<String>,
    /// Whole metres east and north on the pack's grid.
    pub point: Option<(i32, i32)>,
    /// How well the place is known.
    pub precision: Precision,
    /// The first morning on which a night's run could see it: its delay is the days between.
    pub known_on: NaiveDate,
    /// The supplier's opaque key for repeats on one person.
    pub repeat_key: Option<String>,
    /// The kind of offence, in small letters.
    pub offence: Option<String>,
}

impl Case {
    /// From the version known on a date; `first_known` is when the first version of the incident became known, and `tick`
    /// the local time at which nights look: what comes later in the day is seen on the next morning.
    #[must_use]
    pub fn of(incident: &Incident, first_known: DateTime<Utc>, zone: Tz, tick: NaiveTime) -> Self {
        let first_known = first_known.with_timezone(&zone).naive_local();
        let later = i64::from(first_known.time() >= tick);
        Self {
            id: incident.id,
            source: incident.source.clone(),
            day: incident.day(zone),
            month: incident.month(zone),
            categories: incident.categories,
            ward: incident.ward.clone(),
            point: incident.place.map(|place| (place.easting.round() as i32, place.northing.round() as i32)),
            precision: incident.precision,
            known_on: first_known.date() + TimeDelta::days(later),
            repeat_key: incident.repeat_key.clone(),
            offence: incident.offence.as_ref().map(|offence| offence.trim().to_lowercase()),
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
        }
    }
}
