//! One event becomes rows: when it was recorded and became known, what was revised, what went wrong.

use super::draw::{Chance, between, days, happens, near, weighted};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Europe::London;
use rand::RngExt;
use std::fmt::Write;

/// The columns of our own format.
pub(super) const HEADER: &str = "reference,known_at,class,status,categories,occurred_from,occurred_to,recorded_at,\
                                 lon,lat,easting,northing,precision,channel,offence,repeat_key\n";

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) reference: String,
    pub(super) day: NaiveDate,
    pub(super) at: (f64, f64),
    pub(super) categories: &'static str,
    pub(super) class: &'static str,
    pub(super) by_police: bool,
    /// Planted events carry no fault of place, so that the truth can be measured.
    pub(super) planted: bool,
}

/// Weights of the hours: few at night, school gates at 8 and 15, most from 16 to 20.
const HOURS: [f64; 24] = [
    2.2, 1.6, 1.2, 0.7, 0.5, 0.5, 0.9, 2.0, 3.6, 3.2, 3.6, 4.2, 4.8, 4.6, 4.8, 6.6, 7.0, 7.0, 6.8, 6.4, 6.0,
    5.2, 4.4, 3.4,
];

/// The police station where the records system puts what it can't place.
const DEFAULT_POINT: (f64, f64) = (458_930.0, 304_020.0);

/// The rows of an event, each a version: nothing that became known after `end`. False reports of place included.
pub(super) fn rows(event: &Event, chance: &mut Chance, end: DateTime<Utc>) -> String {
    let hour = weighted(chance, &HOURS) as u32;
    let minute = chance.random_range(0..60);
    let time = if happens(chance, 0.12) { noon_or_midnight(chance) } else { clock(hour, minute) };
    let occurred = instant(event.day.and_time(time));
    let recorded = recorded(event, chance, occurred);
    let known = transferred(recorded);
    let place = place(event, chance);
    let channel = channel(event, chance);
    let offence = ["public order", "violence against the person", "criminal damage", "other"]
        [weighted(chance, &[52.0, 38.0, 6.0, 4.0])];
    let mut said = Said { class: event.class, status: "confirmed", categories: event.categories };
    let mut versions = vec![(known, said)];
    let later = |chance: &mut Chance| {
        transferred(recorded + TimeDelta::hours((24.0 * between(chance, 1.0, 30.0)) as i64))
    };
    if happens(chance, 0.08) && !event.planted {
        said.categories = revised(event.categories);
        versions.push((later(chance), said));
    }
    if happens(chance, 0.06) {
        said.class = if said.class == "crime" { "incident" } else { "crime" };
        said.status = "reclassified";
        versions.push((later(chance), said));
    }
    if happens(chance, 0.03) && !event.planted {
        said.status = "withdrawn";
        versions.push((later(chance), said));
    }
    versions.sort_by_key(|version| version.0);
    versions.dedup_by_key(|version| version.0);
    let mut text = String::new();
    for (known, said) in versions.into_iter().filter(|version| version.0 <= end) {
        let Said { class, status, categories } = said;
        let at = occurred.format("%Y-%m-%dT%H:%M:%SZ");
        let _ = writeln!(
            text,
            "{},{},{class},{status},{categories},{at},{at},{},{place},{channel},{offence},",
            event.reference,
            known.format("%Y-%m-%dT%H:%M:%SZ"),
            recorded.format("%Y-%m-%dT%H:%M:%SZ"),
        );
    }
    text
}

#[derive(Clone, Copy)]
struct Said {
    class: &'static str,
    status: &'static str,
    categories: &'static str,
}

/// Half are recorded on the day, 22 % the next, 18 % within a week, 8 % within a month, 2 % within 400 days; reports to
/// other bodies than the police reach them after six days in the middle.
fn recorded(event: &Event, chance: &mut Chance, occurred: DateTime<Utc>) -> DateTime<Utc> {
    let delay = if event.by_police {
        match weighted(chance, &[50.0, 22.0, 18.0, 8.0, 2.0]) {
            0 => between(chance, 0.02, 0.4),
            1 => between(chance, 0.5, 1.5),
            2 => between(chance, 2.0, 7.0),
            3 => between(chance, 8.0, 30.0),
            _ => between(chance, 31.0, 400.0),
        }
    } else {
        days(chance, 8.7)
    };
    occurred + TimeDelta::minutes((delay * 1_440.0) as i64)
}

/// Records are handed over every night at three.
fn transferred(recorded: DateTime<Utc>) -> DateTime<Utc> {
    let local = recorded.with_timezone(&London).date_naive();
    instant((local + Days::new(1)).and_time(clock(3, 0)))
}

/// 4 % have no place, 3 % a postcode, 2 % the police station, 0.5 % swapped coordinates, 1 % happened online.
fn place(event: &Event, chance: &mut Chance) -> String {
    let (easting, northing) = event.at;
    let faults = if event.planted { 0.0 } else { 1.0 };
    let which = weighted(
        chance,
        &[100.0 - 10.5 * faults, 4.0 * faults, 3.0 * faults, 2.0 * faults, 0.5 * faults, faults],
    );
    match which {
        1 | 5 => ",,,,none".to_owned(),
        2 => {
            let (easting, northing) = near(chance, event.at, 250.0);
            format!(",,{easting:.0},{northing:.0},postcode")
        }
        3 => format!(",,{:.0},{:.0},exact", DEFAULT_POINT.0, DEFAULT_POINT.1),
        4 => format!(",,{northing:.0},{easting:.0},street"),
        _ => format!(",,{easting:.0},{northing:.0},street"),
    }
}

fn channel(event: &Event, chance: &mut Chance) -> &'static str {
    if event.by_police {
        ["101", "online", "999"][weighted(chance, &[40.0, 22.0, 20.0])]
    } else {
        ["third party", "council", "school"][weighted(chance, &[6.0, 8.0, 4.0])]
    }
}

/// A flag that was set or taken away later.
fn revised(categories: &'static str) -> &'static str {
    match categories {
        "race" | "religion" => "race;religion",
        "race;religion" => "race",
        "disability" => "race;disability",
        other => other,
    }
}

/// An unknown time is stamped as midnight or noon.
fn noon_or_midnight(chance: &mut Chance) -> NaiveTime {
    if happens(chance, 0.5) { clock(0, 0) } else { clock(12, 0) }
}

fn clock(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN)
}

/// The instant of a local time; the hour that the clocks skip is taken an hour later.
fn instant(local: chrono::NaiveDateTime) -> DateTime<Utc> {
    let found = London.from_local_datetime(&local).earliest();
    found
        .or_else(|| London.from_local_datetime(&(local + TimeDelta::hours(1))).earliest())
        .map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}
