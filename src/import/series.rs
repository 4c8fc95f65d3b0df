//! Series of counts for analysis without a database: CSV with the columns group, series, period and count.

use chrono::{Datelike, Days, Months, NaiveDate};
use csv::{ReaderBuilder, StringRecord};
use std::collections::{BTreeMap, HashMap};

/// The longest series, in periods: 270 years of days. A mistyped year would otherwise fill the memory.
const LONGEST: i64 = 100_000;

/// The largest count.
const LARGEST: u64 = 1_000_000_000;

/// How many periods a year has, and so how long one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frequency {
    /// 365 a year.
    Daily,
    /// 52 a year.
    Weekly,
    /// 12 a year.
    Monthly,
}

impl Frequency {
    /// Periods in a year.
    #[must_use]
    pub fn a_year(self) -> u32 {
        match self {
            Self::Daily => 365,
            Self::Weekly => 52,
            Self::Monthly => 12,
        }
    }

    /// Whole periods from one date to another; none when they are not whole periods apart.
    fn between(self, first: NaiveDate, date: NaiveDate) -> Option<i64> {
        let days = (date - first).num_days();
        match self {
            Self::Daily => Some(days),
            Self::Weekly => (days % 7 == 0).then_some(days / 7),
            Self::Monthly => (date.day() == first.day()).then(|| {
                i64::from(date.year() - first.year()) * 12 + i64::from(date.month())
                    - i64::from(first.month())
            }),
        }
    }

    fn after(self, first: NaiveDate, periods: usize) -> Option<NaiveDate> {
        match self {
            Self::Daily => first.checked_add_days(Days::new(periods as u64)),
            Self::Weekly => first.checked_add_days(Days::new(7 * periods as u64)),
            Self::Monthly => first.checked_add_months(Months::new(u32::try_from(periods).ok()?)),
        }
    }
}

/// The periods of a group, without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Periods {
    /// Numbered from this one on.
    Numbered(i64),
    /// Dated.
    Dated(Vec<NaiveDate>),
}

impl Periods {
    /// A period as the file writes it.
    #[must_use]
    pub fn name(&self, place: usize) -> String {
        match self {
            Self::Numbered(first) => (first + place as i64).to_string(),
            Self::Dated(dates) => dates.get(place).map_or_else(String::new, NaiveDate::to_string),
        }
    }
}

/// Series that may share strength: the wards of one strand, for example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesGroup {
    /// Its name.
    pub name: String,
    /// From the first period that any of its series has to the last.
    pub periods: Periods,
    /// The series, in the order of the file.
    pub series: Vec<NamedSeries>,
}

/// The counts of one series over the periods of its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSeries {
    /// Its name.
    pub name: String,
    /// Counts; none where the file has no row or an empty count.
    pub counts: Vec<Option<u64>>,
    /// The line of the file on which it begins.
    pub line: u64,
}

/// A file of series that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {reason}")]
pub struct SeriesError {
    /// The line of the file; the header is line 1.
    pub line: u64,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// Rows of one group while they are collected.
#[derive(Default)]
struct Collected {
    dated: Option<bool>,
    names: Vec<(String, u64)>,
    places: HashMap<String, usize>,
    /// By series and period: the line and the count.
    cells: BTreeMap<(usize, Period), (u64, Option<u64>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Period {
    Number(i64),
    Date(NaiveDate),
}

/// Reads series. Rows may stand in any order; a period without a row, or with an empty count, is missing. The series of
/// a group may begin and end at different periods: what they lack is missing. Further columns are ignored.
///
/// # Errors
///
/// With the line: a column that is not there; a period that is neither a whole number nor a date, or not whole periods
/// after the group's first; both kinds in one group; the same period of a series twice; a count that is negative, not
/// whole or above 10^9; series of over 100,000 periods; nothing at all.
pub fn read_series(text: &str, frequency: Frequency) -> Result<Vec<SeriesGroup>, SeriesError> {
    let wrong = |line: u64, reason: String| SeriesError { line, reason };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|cause| wrong(1, cause.to_string()))?.clone();
    let mut places = [0; 4];
    for (place, column) in places.iter_mut().zip(["group", "series", "period", "count"]) {
        *place = header.iter().position(|name| name.eq_ignore_ascii_case(column)).ok_or_else(|| {
            let there = header.iter().collect::<Vec<_>>().join(", ");
            wrong(1, format!("there is no column `{column}`; there are {there}"))
        })?;
    }
    let (mut order, mut groups) = (Vec::new(), BTreeMap::<String, Collected>::new());
    let mut row = StringRecord::new();
    let mut line = 1;
    while reader.read_record(&mut row).map_err(|cause| {
        wrong(
            cause.position().map_or(line, csv::Position::line),
            "the row has more or fewer fields than the header".into(),
        )
    })? {
        line = row.position().map_or(line, csv::Position::line);
        let [group, series, period, count] = places.map(|place| row.get(place).unwrap_or_default());
        if !groups.contains_key(group) {
            order.push(group.to_owned());
        }
        let collected = groups.entry(group.to_owned()).or_default();
        collected.add(series, period, count, line).map_err(|reason| {
            wrong(line, format!("group `{}`, series `{}`: {reason}", short(group), short(series)))
        })?;
    }
    if order.is_empty() {
        return Err(wrong(1, "there are no rows below the header".into()));
    }
    let finish = |name: String| groups.remove(&name).unwrap_or_default().finish(name, frequency);
    order.into_iter().map(finish).collect()
}

impl Collected {
    fn add(&mut self, series: &str, period: &str, count: &str, line: u64) -> Result<(), String> {
        let period = match (period.parse::<i64>(), period.parse::<NaiveDate>()) {
            (Ok(number), _) if number.unsigned_abs() <= 1 << 40 => Period::Number(number),
            (_, Ok(date)) => Period::Date(date),
            _ => {
                return Err(format!(
                    "period: `{}` is neither a whole number nor a date YYYY-MM-DD",
                    short(period)
                ));
            }
        };
        let dated = matches!(period, Period::Date(_));
        if *self.dated.get_or_insert(dated) != dated {
            return Err("the group has numbered and dated periods; use one kind".into());
        }
        let count = match count {
            "" | "NA" => None,
            text => Some(text.parse::<u64>().ok().filter(|count| *count <= LARGEST).ok_or_else(|| {
                format!(
                    "count: `{}` is not a whole number from 0 to {LARGEST}; leave it empty if it is missing",
                    short(text)
                )
            })?),
        };
        let place = self.places.get(series).copied().unwrap_or_else(|| {
            self.names.push((series.to_owned(), line));
            self.places.insert(series.to_owned(), self.names.len() - 1);
            self.names.len() - 1
        });
        match self.cells.insert((place, period), (line, count)) {
            Some((before, _)) => {
                Err(format!("the same period stands on line {before} already; keep one of them"))
            }
            None => Ok(()),
        }
    }

    fn finish(self, name: String, frequency: Frequency) -> Result<SeriesGroup, SeriesError> {
        let first = self.cells.keys().map(|cell| cell.1).min().unwrap_or(Period::Number(0));
        let mut placed = Vec::with_capacity(self.cells.len());
        for (&(series, period), &(line, count)) in &self.cells {
            let wrong = |reason: String| {
                let reason =
                    format!("group `{}`, series `{}`: {reason}", short(&name), short(&self.names[series].0));
                SeriesError { line, reason }
            };
            let place = match (first, period) {
                (Period::Number(first), Period::Number(number)) => number - first,
                (Period::Date(first), Period::Date(date)) => {
                    frequency.between(first, date).ok_or_else(|| {
                        wrong(format!(
                            "{date} is not whole periods after {first}, the first of the group; check --freq"
                        ))
                    })?
                }
                _ => continue,
            };
            if place >= LONGEST {
                return Err(wrong(format!(
                    "the period is {place} periods after the first; at most {LONGEST} are read"
                )));
            }
            placed.push((series, place as usize, count));
        }
        let length = placed.iter().map(|cell| cell.1 + 1).max().unwrap_or(0);
        let mut series: Vec<NamedSeries> = self
            .names
            .into_iter()
            .map(|(name, line)| NamedSeries { name, counts: vec![None; length], line })
            .collect();
        for (place, period, count) in placed {
            series[place].counts[period] = count;
        }
        let periods = match first {
            Period::Number(first) => Periods::Numbered(first),
            Period::Date(first) => {
                Periods::Dated((0..length).map_while(|n| frequency.after(first, n)).collect())
            }
        };
        Ok(SeriesGroup { name, periods, series })
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &str = "group,series,period,count\n";

    fn refusal(rows: &str) -> String {
        read_series(&format!("{HEAD}{rows}"), Frequency::Weekly).unwrap_err().to_string()
    }

    #[test]
    fn gaps_ragged_groups_and_any_order_are_read() {
        let text = format!("\u{feff}{HEAD}g,b,4,7\ng,a,2,1\ng,a,4,\nh,a,2026-01-05,3\nh,a,2026-01-19,4\n");
        let groups = read_series(&text, Frequency::Weekly).unwrap();
        assert_eq!(groups[0].periods, Periods::Numbered(2));
        assert_eq!(groups[0].series[0].counts, [None, None, Some(7)]);
        assert_eq!(groups[0].series[1].counts, [Some(1), None, None]);
        assert_eq!(groups[0].periods.name(2), "4");
        assert_eq!(groups[1].series[0].counts, [Some(3), None, Some(4)]);
        assert_eq!(groups[1].periods.name(1), "2026-01-12");
        let months = format!("{HEAD}h,a,2025-12-01,3\nh,a,2026-02-01,4\n");
        assert_eq!(read_series(&months, Frequency::Monthly).unwrap()[0].series[0].counts.len(), 3);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (rows, said) in [
            ("g,a,1,1\ng,a,1,2\n", "3: group `g`, series `a`: the same period stands on line 2 already"),
            ("g,a,1,-1\n", "2: group `g`, series `a`: count: `-1` is not a whole number"),
            ("g,a,1,2.5\n", "2: group `g`, series `a`: count: `2.5` is not a whole number"),
            ("g,a,1,1000000001\n", "2: group `g`, series `a`: count:"),
            (
                "g,a,1,1\ng,b,2026-01-05,1\n",
                "3: group `g`, series `b`: the group has numbered and dated periods",
            ),
            (
                "g,a,-9223372036854775808,1\n",
                "2: group `g`, series `a`: period: `-9223372036854775808` is neither",
            ),
            ("g,a,next,1\n", "2: group `g`, series `a`: period: `next` is neither"),
            (
                "g,a,2026-01-05,1\ng,a,2026-01-08,1\n",
                "3: group `g`, series `a`: 2026-01-08 is not whole periods after",
            ),
            (
                "g,a,1,1\ng,a,999999,1\n",
                "3: group `g`, series `a`: the period is 999998 periods after the first",
            ),
            ("g,a,1\n", "2: the row has more or fewer fields"),
            ("", "1: there are no rows"),
        ] {
            assert!(refusal(rows).starts_with(said), "{rows}: {}", refusal(rows));
        }
        assert!(read_series("a,b\n", Frequency::Daily).unwrap_err().reason.contains("no column `group`"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(rows in "(([ab],){2}([0-9]{1,3}|2026-0[1-9]-[0-3][0-9]|.{0,6}),[0-9]{0,3}\n){0,8}") {
            for frequency in [Frequency::Daily, Frequency::Weekly, Frequency::Monthly] {
                let _ = read_series(&format!("{HEAD}{rows}"), frequency);
            }
        }
    }
}
