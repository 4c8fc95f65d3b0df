//! Time that is counted in working days.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// Which days people work: not on Saturdays, Sundays and the public holidays of the area pack.
#[derive(Debug, Clone, Copy)]
pub struct WorkingDays<'a> {
    /// Local days are days of this zone.
    pub zone: Tz,
    /// Public holidays.
    pub holidays: &'a [NaiveDate],
}

impl WorkingDays<'_> {
    /// Whether a day is one.
    #[must_use]
    pub fn holds(&self, day: NaiveDate) -> bool {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !self.holidays.contains(&day)
    }

    /// Five in the afternoon of the last of so many working days after the day of `from`, which itself does not count; for
    /// 0 days five in the afternoon of the first working day that is not over.
    #[must_use]
    pub fn after(&self, from: DateTime<Utc>, days: u32) -> DateTime<Utc> {
        let mut day = from.with_timezone(&self.zone).date_naive();
        let mut left = days;
        while left > 0 || !self.holds(day) || self.five(day) <= from {
            day = day + Days::new(1);
            if self.holds(day) {
                left = left.saturating_sub(1);
            }
        }
        self.five(day)
    }

    fn five(&self, day: NaiveDate) -> DateTime<Utc> {
        let five = NaiveTime::from_hms_opt(17, 0, 0).unwrap_or(NaiveTime::MIN);
        let local = self.zone.from_local_datetime(&day.and_time(five)).earliest();
        local.map_or_else(|| day.and_time(five).and_utc(), |at| at.with_timezone(&Utc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::London;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn weekends_and_bank_holidays_are_passed_over() {
        // Easter 2026: Good Friday on 3 April, Easter Monday on the 6th.
        let holidays = ["2026-04-03", "2026-04-06"].map(|day| day.parse().unwrap());
        let days = WorkingDays { zone: London, holidays: &holidays };
        // The night before Maundy Thursday, asked within two working days: Tuesday the 7th, at five in summer time.
        assert_eq!(days.after(at("2026-04-01T03:30:00Z"), 2), at("2026-04-07T16:00:00Z"));
        assert_eq!(days.after(at("2026-04-03T10:00:00Z"), 1), at("2026-04-07T16:00:00Z"));
        let plain = WorkingDays { zone: London, holidays: &[] };
        assert_eq!(plain.after(at("2026-01-07T03:30:00Z"), 1), at("2026-01-08T17:00:00Z"));
        assert_eq!(plain.after(at("2026-01-07T03:30:00Z"), 0), at("2026-01-07T17:00:00Z"));
    }

    proptest! {
        #[test]
        fn it_is_always_later_on_a_working_day_and_never_earlier_for_more_days(
            hours in 0_i64..200_000,
            days in 1_u32..30,
            off in prop::collection::vec(0_u64..8_000, 0..40),
        ) {
            let from = at("2020-01-01T00:00:00Z") + chrono::TimeDelta::hours(hours);
            let first: NaiveDate = "2020-01-01".parse().unwrap();
            let holidays: Vec<NaiveDate> = off.iter().map(|day| first + Days::new(*day)).collect();
            let all = WorkingDays { zone: London, holidays: &holidays };
            let due = all.after(from, days);
            prop_assert!(due > from && all.holds(due.with_timezone(&London).date_naive()));
            prop_assert!(all.after(from, days + 1) > due);
        }
    }
}
