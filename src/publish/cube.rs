//! The cube: two tables, written once for every month and every week.

use super::noise::draw;
use crate::{
    count::Case,
    model::{AreaKind, Categories, CategorySet, Geography, Terms, Window},
};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// How long a publication is about, and which areas it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// A calendar month, of wards.
    Month,
    /// Monday to Sunday, of districts.
    Week,
}

impl Span {
    /// As stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Week => "week",
        }
    }

    /// The areas it counts.
    #[must_use]
    pub const fn kind(self) -> AreaKind {
        match self {
            Self::Month => AreaKind::Ward,
            Self::Week => AreaKind::District,
        }
    }

    /// The one that holds a day.
    #[must_use]
    pub fn around(self, day: NaiveDate) -> Option<Window> {
        match self {
            Self::Month => {
                let first = day.with_day(1)?;
                Some(Window { first, last: first.checked_add_months(Months::new(1))?.pred_opt()? })
            }
            Self::Week => {
                let first = day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))?;
                Some(Window { first, last: first.checked_add_days(Days::new(6))? })
            }
        }
    }
}

/// Changed counts by area and category; may be negative, so that sums stay right in the mean.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<String, BTreeMap<String, i64>>);

/// All together, where a category's code would stand.
const ALL: &str = "";

impl Counts {
    /// The changed count of an area; of a category, or of all reports whatever they carry.
    #[must_use]
    pub fn of(&self, area: &str, category: Option<&str>) -> Option<i64> {
        self.0.get(area)?.get(category.unwrap_or(ALL)).copied()
    }

    /// The areas counted.
    pub fn areas(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What was published of a month or a week. It is never written again: what becomes known later changes nothing in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// How long.
    pub span: Span,
    /// When.
    pub window: Window,
    /// What became known from this instant on is not in it.
    pub as_known_on: DateTime<Utc>,
    /// The counts.
    pub counts: Counts,
}

/// What is to be published on a morning: every month and week since `since` that ended long enough ago and is not there
/// yet, oldest first.
#[must_use]
pub fn due(
    terms: Terms,
    since: NaiveDate,
    morning: NaiveDate,
    there: &BTreeSet<(Span, NaiveDate)>,
) -> Vec<(Span, Window)> {
    let mut due = Vec::new();
    for (span, wait) in [(Span::Month, terms.months_after_days), (Span::Week, terms.weeks_after_days)] {
        // A month or week that the history cuts is no whole one.
        let mut next = span.around(since).and_then(|first| {
            if first.first < since { span.around(first.last.succ_opt()?) } else { Some(first) }
        });
        while let Some(window) = next {
            if window.last + Days::new(u64::from(wait)) >= morning {
                break;
            }
            if !there.contains(&(span, window.first)) {
                due.push((span, window));
            }
            next = window.last.succ_opt().and_then(|day| span.around(day));
        }
    }
    due
}

/// Counts a month or a week and changes every count. Each report is in two cells of the table of its span for each
/// category it carries, one and all together; what is larger is summed from these, so nothing else is ever counted of it.
#[must_use]
pub fn publish<'a>(
    (span, window): (Span, Window),
    cases: impl IntoIterator<Item = &'a Case>,
    geography: &Geography,
    categories: &Categories,
    key: &str,
) -> Counts {
    let sets: Vec<(&str, CategorySet)> = std::iter::once((ALL, None))
        .chain(categories.codes().iter().map(|code| (code.as_str(), categories.find(code))))
        .map(|(code, set)| (code, set.unwrap_or(categories.all())))
        .collect();
    let mut members: BTreeMap<String, Vec<Vec<Uuid>>> = geography
        .of_kind(span.kind())
        .map(|area| (area.code.clone(), vec![Vec::new(); sets.len()]))
        .collect();
    for case in cases {
        let day = match span {
            Span::Month => case.month,
            Span::Week => case.day,
        };
        let Some(ward) = case.ward.as_deref().filter(|_| day.is_some_and(|day| window.holds(day))) else {
            continue;
        };
        let areas: Vec<String> = match span.kind() {
            AreaKind::Ward => vec![ward.to_owned()],
            kind => geography.above(ward, kind).map(|area| area.code.clone()).collect(),
        };
        for area in areas {
            let Some(cells) = members.get_mut(&area) else { continue };
            for (cell, (_, set)) in cells.iter_mut().zip(&sets) {
                if case.categories.touches(*set) {
                    cell.push(case.id);
                }
            }
        }
    }
    let changed = |(area, cells): (String, Vec<Vec<Uuid>>)| {
        let counts = cells.into_iter().zip(&sets).map(|(mut members, (code, _))| {
            let cell = format!("{}/{}/{area}/{code}", span.code(), window.first);
            ((*code).to_owned(), members.len() as i64 + draw(key, &cell, &mut members))
        });
        (area.clone(), counts.collect())
    };
    Counts(members.into_iter().map(changed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn months_and_weeks_come_when_they_are_old_enough_and_once() {
        let terms = Terms { months_after_days: 14, weeks_after_days: 7 };
        let names = |since: &str, morning: &str, there: &BTreeSet<(Span, NaiveDate)>| -> Vec<String> {
            due(terms, day(since), day(morning), there)
                .iter()
                .map(|(span, window)| format!("{} {}", span.code(), window.first))
                .collect()
        };
        let none = BTreeSet::new();
        // 2 March 2026 is a Monday.
        assert_eq!(names("2026-03-02", "2026-03-16", &none), ["week 2026-03-02"]);
        assert_eq!(names("2026-03-02", "2026-03-15", &none), [""; 0]);
        assert_eq!(names("2026-03-01", "2026-04-15", &none)[0], "month 2026-03-01");
        assert_eq!(names("2026-03-01", "2026-04-14", &none)[0], "week 2026-03-02", "a day too early");
        assert_eq!(names("2026-03-02", "2026-04-15", &none)[0], "week 2026-03-02", "the month is cut");
        let there = BTreeSet::from([(Span::Week, day("2026-03-02"))]);
        assert_eq!(names("2026-03-02", "2026-03-23", &there), ["week 2026-03-09"]);
        assert_eq!(due(terms, NaiveDate::MAX, day("2026-03-23"), &none), []);
    }
}
