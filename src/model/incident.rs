//! One reported event, as one source told it at one time.

use super::CategorySet;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a record stands with its supplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Reported, not yet confirmed. Counted: waiting for confirmation would lose the earliness.
    Pending,
    /// Confirmed.
    Confirmed,
    /// Confirmed under another class or category than first recorded; counted as it now stands.
    Reclassified,
    /// Taken back by the supplier. Not counted from the moment this became known.
    Withdrawn,
}

/// How well the place is known, best first: an analysis may ask for `street or better`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// The place itself.
    Exact,
    /// A point on the street, or a published snap point.
    Street,
    /// The middle of a postcode.
    Postcode,
    /// Only the ward.
    Ward,
    /// No place: online, or not told.
    None,
}

/// A place, in degrees and in metres on the pack's grid; both describe the same point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees east, WGS84.
    pub lon: f64,
    /// Degrees north, WGS84.
    pub lat: f64,
    /// Metres east on the pack's grid.
    pub easting: f64,
    /// Metres north on the pack's grid.
    pub northing: f64,
}

/// One version of an incident: what one source said of it, from [`Incident::known_at`] until its next version.
///
/// There is no field that describes a victim or a suspect, and no free text.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The same over all versions.
    pub id: Uuid,
    /// Who told us: the name given at import.
    pub source: String,
    /// The supplier's own reference, or one made from the content where there is none.
    pub reference: String,
    /// When this version became known here. A replay of a past night sees no later version.
    pub known_at: DateTime<Utc>,
    /// A code of the pack's class list, for example `crime` or `incident`.
    pub class: String,
    /// Where the record stands.
    pub status: Status,
    /// The categories it carries; never empty.
    pub categories: CategorySet,
    /// The earliest it can have happened.
    pub occurred_from: DateTime<Utc>,
    /// The latest it can have happened; not before `occurred_from`.
    pub occurred_to: DateTime<Utc>,
    /// When the source recorded it, where it says so.
    pub recorded_at: Option<DateTime<Utc>>,
    /// Where, unless it has no place.
    pub place: Option<Place>,
    /// How well the place is known.
    pub precision: Precision,
    /// The ward by the boundaries in force when it happened; none for online incidents and those outside.
    pub ward: Option<String>,
    /// How it was reported, for example `999`, `online` or `third party`.
    pub channel: Option<String>,
    /// The kind of offence, for example `violence against the person`.
    pub offence: Option<String>,
    /// The supplier's opaque key for repeats on one person; not reversible here.
    pub repeat_key: Option<String>,
}

impl Incident {
    /// Ranges longer than this many days are too vague to count by day.
    pub const LONGEST_DAILY_RANGE: i64 = 7;

    /// The local day it is counted on: the first of its range, or `None` when the range is longer than a week.
    /// Such incidents are judged by the calendar month alone ([`Incident::month`]).
    #[must_use]
    pub fn day(&self, zone: Tz) -> Option<NaiveDate> {
        day_and_month((self.occurred_from, self.occurred_to), zone).0
    }

    /// The first day of the calendar month it fell in, or `None` when its range crosses months.
    #[must_use]
    pub fn month(&self, zone: Tz) -> Option<NaiveDate> {
        day_and_month((self.occurred_from, self.occurred_to), zone).1
    }

    /// Whether it counts at all.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.status != Status::Withdrawn
    }
}

/// The local day and the first day of the month on which what happened in a range of time is counted, as
/// [`Incident::day`] and [`Incident::month`] say.
#[must_use]
pub fn day_and_month(
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    zone: Tz,
) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let local = |instant: DateTime<Utc>| instant.with_timezone(&zone).date_naive();
    let first = local(from);
    let last = if to == from { first } else { local(to) };
    let month = |day: NaiveDate| day.with_day(1);
    (
        ((last - first).num_days() <= Incident::LONGEST_DAILY_RANGE).then_some(first),
        month(first).filter(|begin| month(last) == Some(*begin)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Categories;
    use chrono_tz::Europe::London;

    fn between(from: &str, to: &str) -> Incident {
        Incident {
            id: Uuid::nil(),
            source: "police".into(),
            reference: "1".into(),
            known_at: "2026-06-30T04:30:00Z".parse().unwrap(),
            class: "crime".into(),
            status: Status::Pending,
            categories: Categories::new(["race"]).unwrap().all(),
            occurred_from: from.parse().unwrap(),
            occurred_to: to.parse().unwrap(),
            recorded_at: None,
            place: None,
            precision: Precision::None,
            ward: None,
            channel: None,
            offence: None,
            repeat_key: None,
        }
    }

    #[test]
    fn the_day_is_the_local_day() {
        // Half past midnight in London in summer is the evening before in UTC.
        let late = between("2026-06-20T23:30:00Z", "2026-06-20T23:30:00Z");
        assert_eq!(late.day(London), NaiveDate::from_ymd_opt(2026, 6, 21));
    }

    #[test]
    fn a_month_only_date_is_judged_by_month_alone() {
        let june = between("2022-05-31T23:00:00Z", "2022-06-30T22:59:59Z");
        assert_eq!(june.day(London), None);
        assert_eq!(june.month(London), NaiveDate::from_ymd_opt(2022, 6, 1));
        let weekend = between("2026-05-29T17:00:00Z", "2026-06-01T07:00:00Z");
        assert_eq!(weekend.day(London), NaiveDate::from_ymd_opt(2026, 5, 29));
        assert_eq!(weekend.month(London), None);
    }

    #[test]
    fn a_pending_record_counts_and_a_withdrawn_one_does_not() {
        let mut one = between("2026-06-20T12:00:00Z", "2026-06-20T12:00:00Z");
        assert!(one.counts());
        one.status = Status::Withdrawn;
        assert!(!one.counts());
        assert!(Precision::Street <= Precision::Street && Precision::Exact < Precision::Ward);
    }
}
