//! Cron expressions in a time zone, one tick per wall-clock time.
//!
//! The `cron` crate goes astray around daylight saving when it is asked in a zone, so it is asked for wall-clock
//! times only (as if they were UTC) and each is mapped to the zone here: a time that the spring change skips runs at
//! the next valid instant, a time that the autumn change repeats runs the first time.

use chrono::{DateTime, Days, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use std::str::FromStr;

/// An expression that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not five fields.
    #[error(
        "`{0}` is not a schedule; write five fields: minute, hour, day of month, month, day of week, \
         for example `30 5 * * *` for half past five every morning"
    )]
    Fields(String),
    /// Weekdays by number mean different days in different tools.
    #[error(
        "`{0}` names weekdays by number, which mean different days in different tools; write MON, TUE … SUN"
    )]
    NumberedWeekday(String),
}

/// A schedule in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    wall: cron::Schedule,
    zone: Tz,
}

impl Schedule {
    /// Reads a five-field expression.
    ///
    /// # Errors
    ///
    /// When the expression has not five fields, cannot be read, or names weekdays by number.
    pub fn new(expression: &str, zone: Tz) -> Result<Self, ScheduleError> {
        let shown = || expression.chars().take(80).collect::<String>();
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [.., weekday] = fields[..] else { return Err(ScheduleError::Fields(shown())) };
        if fields.len() != 5 {
            return Err(ScheduleError::Fields(shown()));
        }
        if weekday.split('/').next().is_some_and(|days| days.contains(|c: char| c.is_ascii_digit())) {
            return Err(ScheduleError::NumberedWeekday(shown()));
        }
        let wall = cron::Schedule::from_str(&format!("0 {}", fields.join(" ")))
            .map_err(|_| ScheduleError::Fields(shown()))?;
        Ok(Self { wall, zone })
    }

    /// The first tick strictly after an instant, or `None` when the schedule never comes again.
    #[must_use]
    pub fn next_after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Begin a day early: around a change, the wall clock of an instant says little about what lies ahead.
        let begin =
            instant.with_timezone(&self.zone).naive_local().and_utc().checked_sub_days(Days::new(1))?;
        self.wall
            .after(&begin)
            .map(|wall| self.instant_of(wall.naive_utc()))
            .take_while(Option::is_some)
            .flatten()
            .find(|tick| *tick > instant)
    }

    /// The latest tick at or before an instant and after another: what is due after a time of standing still.
    #[must_use]
    pub fn latest_due(&self, after: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut latest = None;
        let mut at = after;
        while let Some(tick) = self.next_after(at).filter(|tick| *tick <= now) {
            latest = Some(tick);
            at = tick;
        }
        latest
    }

    /// The instant of a wall-clock time: the first of two, or the end of the gap that swallowed it.
    fn instant_of(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.zone.from_local_datetime(&wall) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => Some(instant.to_utc()),
            LocalResult::None => {
                // Gaps begin and end on whole minutes; the longest known is a day (Samoa, 2011).
                (1..=24 * 60).find_map(|minutes| {
                    self.zone.from_local_datetime(&(wall + TimeDelta::minutes(minutes))).earliest()
                })
            }
            .map(|instant| instant.to_utc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;
    use chrono_tz::Europe::London;
    use proptest::prelude::*;
    use std::borrow::Borrow;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_skipped_time_runs_once_at_the_next_valid_instant() {
        let nightly = Schedule::new("30 1 * * *", London).unwrap();
        // 2027-03-28: 01:00 becomes 02:00.
        assert_eq!(nightly.next_after(utc("2027-03-27T12:00:00Z")), Some(utc("2027-03-28T01:00:00Z")));
        assert_eq!(nightly.next_after(utc("2027-03-28T01:00:00Z")), Some(utc("2027-03-29T00:30:00Z")));
    }

    #[test]
    fn a_repeated_time_runs_the_first_time_only() {
        let nightly = Schedule::new("30 1 * * *", London).unwrap();
        // 2027-10-31: 02:00 BST becomes 01:00 GMT.
        assert_eq!(nightly.next_after(utc("2027-10-30T12:00:00Z")), Some(utc("2027-10-31T00:30:00Z")));
        assert_eq!(nightly.next_after(utc("2027-10-31T00:30:00Z")), Some(utc("2027-11-01T01:30:00Z")));
    }

    #[test]
    fn after_thirty_days_down_only_the_latest_is_due() {
        let nightly = Schedule::new("30 5 * * *", London).unwrap();
        let due = nightly.latest_due(utc("2026-06-01T04:30:00Z"), utc("2026-07-01T12:00:00Z"));
        assert_eq!(due, Some(utc("2026-07-01T04:30:00Z")));
        assert_eq!(nightly.latest_due(utc("2026-07-01T04:30:00Z"), utc("2026-07-01T12:00:00Z")), None);
    }

    #[test]
    fn twelve_years_of_nights_have_one_run_each() {
        let nightly = Schedule::new("30 1 * * *", London).unwrap();
        let mut at = utc("2025-01-01T00:00:00Z");
        let end = utc("2037-01-01T00:00:00Z");
        let mut days = Vec::new();
        while let Some(tick) = nightly.next_after(at).filter(|tick| *tick < end) {
            assert!(tick > at);
            days.push(tick.with_timezone(&London).date_naive());
            at = tick;
        }
        assert_eq!(days.len() as i64, (end - utc("2025-01-01T00:00:00Z")).num_days());
        assert!(days.windows(2).all(|pair| pair[0].succ_opt() == Some(pair[1])));
    }

    /// Zones with changes of many kinds: by half an hour, a day left out or lived twice, at midnight, in the south, and none.
    const ZONES: [Tz; 20] = [
        London,
        chrono_tz::Europe::Dublin,
        chrono_tz::Europe::Berlin,
        chrono_tz::Europe::Istanbul,
        chrono_tz::Europe::Moscow,
        chrono_tz::America::New_York,
        chrono_tz::America::St_Johns,
        chrono_tz::America::Sao_Paulo,
        chrono_tz::America::Santiago,
        chrono_tz::America::Havana,
        chrono_tz::Africa::Cairo,
        chrono_tz::Africa::Casablanca,
        chrono_tz::Asia::Tehran,
        chrono_tz::Asia::Kolkata,
        chrono_tz::Asia::Gaza,
        chrono_tz::Asia::Pyongyang,
        chrono_tz::Australia::Lord_Howe,
        chrono_tz::Australia::Sydney,
        chrono_tz::Pacific::Apia,
        chrono_tz::Pacific::Chatham,
    ];

    /// The days on which a zone's offset changes, from 1970 to 2100.
    fn changes(zone: Tz) -> Vec<DateTime<Utc>> {
        let offset =
            |at: &DateTime<Utc>| chrono::Offset::fix(zone.offset_from_utc_datetime(&at.naive_utc()).borrow());
        let days = (0..365 * 130 + 30).map(|day| utc("1970-01-03T00:00:00Z") + TimeDelta::days(day));
        days.collect::<Vec<_>>()
            .windows(2)
            .filter(|pair| offset(&pair[0]) != offset(&pair[1]))
            .map(|pair| pair[0])
            .collect()
    }

    #[test]
    fn fixed_times_of_twenty_zones_come_as_another_reader_of_cron_says() {
        let (mut compared, mut other) = (0, Vec::new());
        for zone in ZONES {
            for expression in
                ["30 1 * * *", "0 2 * * *", "30 2 * * *", "0 0 * * *", "30 4 * * MON", "15 3 1 * *"]
            {
                let own = Schedule::new(expression, zone).unwrap();
                let theirs = croner::Cron::from_str(expression).unwrap();
                for change in changes(zone) {
                    let mut at = change - TimeDelta::days(2);
                    for _ in 0..4 {
                        let next = own.next_after(at).unwrap();
                        let said = theirs
                            .find_next_occurrence(&at.with_timezone(&zone), false)
                            .ok()
                            .map(|at| at.to_utc());
                        compared += 1;
                        if Some(next) != said {
                            other.push(format!("{zone} `{expression}` after {at}: {next}, croner {said:?}"));
                        }
                        at = next;
                    }
                }
            }
        }
        // Samoa left out the 30th of December 2011: its nights come when the day after has begun; croner finds none.
        let left_out = |one: &String| {
            one.starts_with("Pacific/Apia") && one.contains(": 2011-12-30 10:00:00 UTC, croner None")
        };
        assert!(other.len() == 4 && other.iter().all(left_out), "{other:#?}");
        assert!(compared > 80_000, "{compared}");
    }

    #[test]
    fn numbered_weekdays_and_odd_expressions_are_refused_with_the_remedy() {
        assert!(Schedule::new("0 6 * * 1", London).unwrap_err().to_string().contains("MON"));
        assert!(Schedule::new("every day", London).unwrap_err().to_string().contains("30 5 * * *"));
        assert_eq!(
            Schedule::new("0 6 * * MON", London).unwrap().next_after(utc("2026-11-23T12:00:00Z")),
            Some(utc("2026-11-30T06:00:00Z"))
        );
    }

    proptest! {
        #[test]
        fn half_hourly_ticks_always_go_forward(minutes in 0_i64..(12 * 366 * 24 * 60)) {
            let often = Schedule::new("*/30 * * * *", London).unwrap();
            let start = utc("2025-01-01T00:00:00Z") + TimeDelta::minutes(minutes);
            let first = often.next_after(start).unwrap();
            let second = often.next_after(first).unwrap();
            prop_assert!(first > start && second > first);
            prop_assert!(first.minute().is_multiple_of(30) && second - start <= TimeDelta::minutes(120));
        }

        #[test]
        fn no_expression_makes_it_panic(text in ".{0,40}") {
            let _ = Schedule::new(&text, London);
        }
    }
}
