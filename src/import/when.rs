//! Dates as suppliers write them, as the time between two instants.

use super::mapping::Dates;
use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

/// The earliest and the latest instant that a text can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

/// Years outside are typing mistakes.
const YEARS: std::ops::RangeInclusive<i32> = 1950..=2150;

/// Reads a date, a date with a time, or a month; none when the text is none of them.
pub(super) fn when(text: &str, dates: &Dates, zone: Tz) -> Option<When> {
    let text = text.trim();
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        let instant = instant.with_timezone(&Utc);
        return YEARS.contains(&instant.year()).then(|| at(instant));
    }
    let found = dates.formats.iter().find_map(|format| by_format(text, format));
    let found = found.or_else(|| iso(text)).or_else(|| dates.excel.then(|| spreadsheet(text)).flatten())?;
    let year = match found {
        Found::Moment(moment) => moment.year(),
        Found::Day(day) | Found::Month(day) => day.year(),
    };
    if !YEARS.contains(&year) {
        return None;
    }
    match found {
        Found::Moment(moment) => local(moment, zone).map(at),
        Found::Day(day) => between(day, day + Days::new(1), zone),
        Found::Month(first) => between(first, first + Months::new(1), zone),
    }
}

enum Found {
    Moment(NaiveDateTime),
    Day(NaiveDate),
    Month(NaiveDate),
}

fn by_format(text: &str, format: &str) -> Option<Found> {
    if let Ok(moment) = NaiveDateTime::parse_from_str(text, format) {
        return Some(Found::Moment(moment));
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, format) {
        return Some(Found::Day(day));
    }
    if format.contains("%d") {
        return None;
    }
    NaiveDate::parse_from_str(&format!("{text} 01"), &format!("{format} %d")).ok().map(Found::Month)
}

fn iso(text: &str) -> Option<Found> {
    ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]
        .iter()
        .find_map(|format| by_format(text, format))
}

/// A day number counts from 30 December 1899; its fraction is the time of day.
fn spreadsheet(text: &str) -> Option<Found> {
    let number: f64 = text.parse().ok().filter(|n| (18_264.0..91_000.0).contains(n))?;
    let day = NaiveDate::from_ymd_opt(1899, 12, 30)? + Days::new(number.trunc() as u64);
    let minutes = (number.fract() * 1_440.0).round() as i64;
    Some(if minutes == 0 {
        Found::Day(day)
    } else {
        Found::Moment(day.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes))
    })
}

fn at(instant: DateTime<Utc>) -> When {
    When { from: instant, to: instant }
}

fn between(first: NaiveDate, after: NaiveDate, zone: Tz) -> Option<When> {
    let start = local(first.and_time(NaiveTime::MIN), zone)?;
    let end = local(after.and_time(NaiveTime::MIN), zone)?;
    Some(When { from: start, to: end - TimeDelta::seconds(1) })
}

/// The instant of a wall-clock time: the first where the clocks go back, the next that exists where they skip it.
fn local(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let found = zone.from_local_datetime(&wall).earliest();
    let found = found.or_else(|| zone.from_local_datetime(&(wall + TimeDelta::hours(1))).earliest());
    found.map(|instant| instant.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::London;
    use proptest::prelude::*;

    fn british() -> Dates {
        Dates { formats: vec!["%d/%m/%Y %H:%M".into(), "%d/%m/%Y".into(), "%Y-%m".into()], excel: true }
    }

    #[test]
    fn dates_as_people_write_them() {
        for (text, from, to) in [
            ("03/07/2026 23:30", "2026-07-03T22:30:00Z", "2026-07-03T22:30:00Z"),
            ("03/07/2026", "2026-07-02T23:00:00Z", "2026-07-03T22:59:59Z"),
            ("2022-06", "2022-05-31T23:00:00Z", "2022-06-30T22:59:59Z"),
            ("2026-01-05T10:00:00+00:00", "2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"),
            ("2026-01-05", "2026-01-05T00:00:00Z", "2026-01-05T23:59:59Z"),
            ("46206", "2026-07-02T23:00:00Z", "2026-07-03T22:59:59Z"),
            ("46206.75", "2026-07-03T17:00:00Z", "2026-07-03T17:00:00Z"),
            // Half past one does not exist on the night the clocks go forward.
            ("29/03/2026 01:30", "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z"),
        ] {
            let found = when(text, &british(), London).unwrap();
            assert_eq!((found.from, found.to), (from.parse().unwrap(), to.parse().unwrap()), "{text}");
        }
        for text in ["", "31/02/2026", "2026-13", "yesterday", "03/07/26", "1e9", "7/2026/03"] {
            assert_eq!(when(text, &british(), London), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,30}", number in any::<f64>()) {
            let _ = when(&text, &british(), London);
            let _ = when(&number.to_string(), &british(), London);
        }
    }
}
