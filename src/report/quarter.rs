//! Calendar quarters, as boards count them, in weeks, as figures are published.

use crate::{model::Window, publish::Span};
use chrono::{Datelike, Days, NaiveDate};
use std::{fmt, str::FromStr};

/// A quarter of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quarter {
    year: i32,
    /// 1 to 4.
    number: u32,
}

/// A text that names no quarter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no quarter; write for example 2026Q2")]
pub struct UnknownQuarter(String);

impl FromStr for Quarter {
    type Err = UnknownQuarter;

    fn from_str(text: &str) -> Result<Self, UnknownQuarter> {
        let unknown = || UnknownQuarter(text.chars().take(20).collect());
        let (year, number) = text.split_once(['Q', 'q']).ok_or_else(unknown)?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || number.len() != 1 || !digits(year) || !digits(number) {
            return Err(unknown());
        }
        let (year, number) = (year.parse().map_err(|_| unknown())?, number.parse().map_err(|_| unknown())?);
        // Calendars of other centuries have other gaps.
        if !(1900..2200).contains(&year) || !(1..=4).contains(&number) {
            return Err(unknown());
        }
        Ok(Self { year, number })
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Q{}", self.year, self.number)
    }
}

impl Quarter {
    /// The quarter that a day lies in.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self { year: day.year(), number: day.month0() / 3 + 1 }
    }

    /// The same quarter of the year before.
    #[must_use]
    pub const fn a_year_before(self) -> Self {
        Self { year: self.year - 1, number: self.number }
    }

    /// The quarter before.
    #[must_use]
    pub const fn before(self) -> Self {
        match self.number {
            1 => Self { year: self.year - 1, number: 4 },
            number => Self { year: self.year, number: number - 1 },
        }
    }

    /// Its days.
    #[must_use]
    pub fn days(self) -> Window {
        let first = |of: Self| NaiveDate::from_ymd_opt(of.year, of.number * 3 - 2, 1).unwrap_or_default();
        let next = match self.number {
            4 => Self { year: self.year + 1, number: 1 },
            number => Self { year: self.year, number: number + 1 },
        };
        Window { first: first(self), last: first(next) - Days::new(1) }
    }

    /// Its weeks, Monday to Sunday: those whose Thursday lies in it, so that every week belongs to one quarter (as ISO 8601
    /// gives weeks to years). 13, now and then 12 or 14.
    #[must_use]
    pub fn weeks(self) -> Vec<Window> {
        let days = self.days();
        let around = |day: NaiveDate| Span::Week.around(day);
        let mut weeks = Vec::new();
        let mut next = around(days.first);
        while let Some(week) = next.filter(|week| week.first <= days.last) {
            if self.has(week) {
                weeks.push(week);
            }
            next = around(week.last + Days::new(1));
        }
        weeks
    }

    /// Whether a week, Monday to Sunday, is one of its own.
    #[must_use]
    pub fn has(self, week: Window) -> bool {
        self.days().holds(week.first + Days::new(3))
    }

    /// In words: `April to June 2026`.
    #[must_use]
    pub fn in_words(self) -> String {
        const MONTHS: [&str; 4] =
            ["January to March", "April to June", "July to September", "October to December"];
        format!("{} {}", MONTHS[(self.number as usize - 1) % 4], self.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quarter(text: &str) -> Quarter {
        text.parse().unwrap()
    }

    #[test]
    fn a_quarter_is_read_and_has_its_weeks() {
        let second = quarter("2026q2");
        assert_eq!(second.to_string(), "2026Q2");
        assert_eq!(second.in_words(), "April to June 2026");
        assert_eq!(
            (second.before().to_string(), second.a_year_before().to_string()),
            ("2026Q1".into(), "2025Q2".into())
        );
        assert_eq!(quarter("2026Q1").before().to_string(), "2025Q4");
        // 1 April 2026 is a Wednesday, 1 July too: the weeks of their Thursdays.
        let weeks = second.weeks();
        assert_eq!(weeks.len(), 13);
        assert_eq!(weeks[0].first, "2026-03-30".parse().unwrap());
        assert_eq!(weeks[12].last, "2026-06-28".parse().unwrap());
        assert_eq!(Quarter::of("2026-06-30".parse().unwrap()), second);
        for wrong in
            ["", "2026", "2026Q5", "2026Q0", "26Q1", "2026Q12", "+026Q1", "Q22026", "2026-Q1", "9999Q1"]
        {
            assert!(wrong.parse::<Quarter>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_week_belongs_to_one_quarter(year in 1901_i32..2199, number in 1_u32..=4) {
            let own = Quarter { year, number };
            let (before, weeks) = (own.before().weeks(), own.weeks());
            prop_assert!((12..=14).contains(&weeks.len()));
            prop_assert_eq!(before.last().unwrap().last + Days::new(1), weeks[0].first);
            prop_assert!(weeks.windows(2).all(|pair| pair[0].last + Days::new(1) == pair[1].first));
        }

        #[test]
        fn any_text_is_a_quarter_or_an_error(text in ".{0,12}") {
            if let Ok(own) = text.parse::<Quarter>() {
                prop_assert_eq!(own.to_string().to_uppercase(), text.to_uppercase());
            }
        }
    }
}
