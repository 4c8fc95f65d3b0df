//! The same period in earlier years.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::{History, JudgeError};

/// The same calendar day `years` earlier; 29 February becomes 1 March where there is none, as in R.
pub(super) fn years_before(date: NaiveDate, years: u32) -> Option<NaiveDate> {
    let year = date.year().checked_sub(i32::try_from(years).ok()?)?;
    date.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
}

/// The nearest date with the weekday of `like`: at most three days away, so never a tie.
pub(super) fn nearest_weekday(date: NaiveDate, like: NaiveDate) -> Option<NaiveDate> {
    let ahead = like.weekday().days_since(date.weekday());
    if ahead <= 3 {
        date.checked_add_days(Days::new(u64::from(ahead)))
    } else {
        date.checked_sub_days(Days::new(u64::from(7 - ahead)))
    }
}

/// The date `steps` periods after (or, negative, before) another.
pub(super) fn shifted(date: NaiveDate, steps: i64, freq: u32) -> Option<NaiveDate> {
    let days = match freq {
        12 => {
            let months = Months::new(u32::try_from(steps.unsigned_abs()).ok()?);
            return if steps < 0 { date.checked_sub_months(months) } else { date.checked_add_months(months) };
        }
        52 => 7,
        _ => 1,
    };
    let days_away = Days::new(steps.unsigned_abs().checked_mul(days)?);
    if steps < 0 { date.checked_sub_days(days_away) } else { date.checked_add_days(days_away) }
}

/// The position `years` before `point`.
///
/// With an integer index that is `freq` periods a year. With dates it is the same calendar day, for weekly series
/// moved to the nearest date with the weekday of the point.
///
/// # Errors
///
/// When the series does not have it.
pub(super) fn reference(history: &History<'_>, point: usize, years: u32) -> Result<usize, JudgeError> {
    let too_short = |needed: String| JudgeError::TooShort {
        point: history.label(point),
        needed,
        way_out: "lower b or judge fewer periods",
    };
    let Some((dates, today)) = history.dates().and_then(|dates| Some((dates, *dates.get(point)?))) else {
        let back = (years as usize).saturating_mul(history.freq() as usize);
        return point.checked_sub(back).ok_or_else(|| too_short(format!("{years} years earlier")));
    };
    let day = years_before(today, years);
    let day = if history.freq() == 52 { day.and_then(|day| nearest_weekday(day, today)) } else { day };
    let Some(day) = day else { return Err(too_short(format!("{years} years earlier"))) };
    if dates.first().is_some_and(|first| day < *first) {
        return Err(too_short(day.to_string()));
    }
    dates
        .binary_search(&day)
        .map_err(|_| JudgeError::NoSuchDate { point: history.label(point), needed: day.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn a_leap_day_becomes_the_first_of_march() {
        assert_eq!(years_before(day(2024, 2, 29), 1), Some(day(2023, 3, 1)));
        assert_eq!(years_before(day(2024, 2, 29), 4), Some(day(2020, 2, 29)));
    }

    #[test]
    fn the_nearest_monday_is_at_most_three_days_away() {
        let monday = day(2024, 5, 6);
        for offset in 0..7 {
            let moved = nearest_weekday(day(2023, 5, 6) + Days::new(offset), monday).unwrap();
            assert_eq!(moved.weekday(), monday.weekday());
            assert!((moved - (day(2023, 5, 6) + Days::new(offset))).num_days().abs() <= 3);
        }
    }

    #[test]
    fn a_week_of_last_year_is_the_nearest_one() {
        // 2015 had 53 ISO weeks: 52 weeks before 2016-01-04 is 2015-01-05, the Monday nearest to 2015-01-04.
        let dates: Vec<_> = (0..110).map(|week| day(2014, 1, 6) + Days::new(7 * week)).collect();
        let counts = vec![Some(1); dates.len()];
        let history = History::dated(&counts, &dates, 52).unwrap();
        let at = |date| dates.binary_search(&date).unwrap();
        assert_eq!(reference(&history, at(day(2016, 1, 4)), 1), Ok(at(day(2015, 1, 5))));
        assert_eq!(reference(&history, at(day(2015, 12, 28)), 1), Ok(at(day(2014, 12, 29))));
        assert_eq!(
            reference(&history, at(day(2015, 1, 5)), 2).unwrap_err().to_string(),
            "judging 2015-01-05 needs counts back to 2013-01-07, before the series begins; lower b or judge fewer \
             periods"
        );
        let holes = [dates[0], dates[60]];
        let history = History::dated(&counts[..2], &holes, 52).unwrap();
        assert_eq!(
            reference(&history, 1, 1).unwrap_err().to_string(),
            "judging 2015-03-02 needs a count dated 2014-03-03, which the series does not have; add the row (it may \
             be empty), lower b or judge fewer periods"
        );
    }

    #[test]
    fn periods_step_by_their_own_length() {
        assert_eq!(shifted(day(2024, 3, 31), -1, 12), Some(day(2024, 2, 29)));
        assert_eq!(shifted(day(2024, 3, 1), -1, 52), Some(day(2024, 2, 23)));
        assert_eq!(shifted(day(2024, 3, 1), 2, 365), Some(day(2024, 3, 3)));
    }
}
