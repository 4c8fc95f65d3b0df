//! The counts of one night: every area, every set of categories, every day.

use super::Counted;
use crate::model::{AreaKind, AreaRef, CategorySet, Geography};
use chrono::NaiveDate;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A county that reports is never silent for so many days.
const SILENCE: i64 = 182;

/// Counts of one area, a day each, from the ledger's first day to its last.
pub type Days = Vec<u32>;

/// What was counted, as known on a night. Built once, then asked.
#[derive(Debug, Clone)]
pub struct Ledger {
    first: NaiveDate,
    last: NaiveDate,
    wards: Vec<String>,
    entries: Vec<Entry>,
    above: BTreeMap<AreaRef, Vec<usize>>,
}

/// The place of an incident in no ward.
const OUTSIDE: u32 = u32::MAX;

/// As much of an incident as is counted: a page counts a million of them.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Its day, if it has one.
    day: Option<NaiveDate>,
    /// The first day of its month, if it has one.
    month: Option<NaiveDate>,
    /// Its ward's place, or [`OUTSIDE`].
    ward: u32,
    categories: CategorySet,
}

impl Ledger {
    /// Counts cases up to `last`; later ones are left out. Wards are those of the geography.
    #[must_use]
    pub fn new<'c>(
        geography: &Geography,
        cases: impl IntoIterator<Item: Into<Counted<'c>>>,
        last: NaiveDate,
    ) -> Self {
        Self::begun(geography, cases, last, |entries| beginning(entries, last))
    }

    /// Counts some of the cases of another ledger, up to its last day: from the first of them on, however long they were silent
    /// between.
    #[must_use]
    pub fn part<'c>(&self, geography: &Geography, cases: impl IntoIterator<Item: Into<Counted<'c>>>) -> Self {
        let begun = |entries: &[Entry]| {
            let first = entries.iter().filter_map(|entry| entry.day).min().unwrap_or(self.last);
            first.max(self.first)
        };
        Self::begun(geography, cases, self.last, begun)
    }

    fn begun<'c>(
        geography: &Geography,
        cases: impl IntoIterator<Item: Into<Counted<'c>>>,
        last: NaiveDate,
        begun: impl FnOnce(&[Entry]) -> NaiveDate,
    ) -> Self {
        let wards: Vec<String> = geography.of_kind(AreaKind::Ward).map(|ward| ward.code.clone()).collect();
        let places: HashMap<&str, usize> = wards.iter().map(String::as_str).zip(0..).collect();
        let place = |ward: Option<&str>| {
            ward.and_then(|ward| places.get(ward)).map_or(OUTSIDE, |place| *place as u32)
        };
        let entry = |case: Counted<'_>| Entry {
            day: case.day.filter(|day| *day <= last),
            month: case.month.filter(|month| *month <= last),
            ward: place(case.ward),
            categories: case.categories,
        };
        let cases = cases.into_iter();
        // Room for all at once: growing by doubling would take twice as much for a while.
        let mut entries = Vec::with_capacity(cases.size_hint().1.unwrap_or_default().min(1 << 24));
        entries.extend(cases.map(|case| entry(case.into())));
        let first = begun(&entries);
        for entry in &mut entries {
            entry.day = entry.day.filter(|day| *day >= first);
        }
        let mut above = BTreeMap::new();
        for kind in AreaKind::ALL.into_iter().filter(|kind| *kind != AreaKind::Ward) {
            for area in geography.of_kind(kind) {
                let members = geography.wards_of(kind, &area.code);
                let members = members.filter_map(|ward| wards.binary_search(&ward.code).ok()).collect();
                above.insert(AreaRef { kind, code: area.code.clone() }, members);
            }
        }
        Self { first, last, wards, entries, above }
    }

    /// The first day counted.
    #[must_use]
    pub fn first(&self) -> NaiveDate {
        self.first
    }

    /// The last day counted.
    #[must_use]
    pub fn last(&self) -> NaiveDate {
        self.last
    }

    /// How many days there are.
    #[must_use]
    pub fn length(&self) -> usize {
        (self.last - self.first).num_days() as usize + 1
    }

    /// The wards, by code.
    #[must_use]
    pub fn wards(&self) -> &[String] {
        &self.wards
    }

    /// Where the wards of an area stand in [`Ledger::wards`]; empty for an area there is none of.
    #[must_use]
    pub fn members(&self, area: &AreaRef) -> Vec<usize> {
        match area.kind {
            AreaKind::Ward => self.wards.binary_search(&area.code).into_iter().collect(),
            _ => self.above.get(area).cloned().unwrap_or_default(),
        }
    }

    /// The areas of a kind, by code.
    #[must_use]
    pub fn areas(&self, kind: AreaKind) -> Vec<AreaRef> {
        if kind == AreaKind::Ward {
            return self.wards.iter().map(|code| AreaRef { kind, code: code.clone() }).collect();
        }
        self.above.keys().filter(|area| area.kind == kind).cloned().collect()
    }

    /// The daily counts of every ward, in the order of [`Ledger::wards`]: incidents that carry any of the categories,
    /// each once.
    #[must_use]
    pub fn by_ward(&self, categories: CategorySet) -> Vec<Days> {
        let mut counts = vec![vec![0; self.length()]; self.wards.len()];
        for (day, entry) in self.of_days(categories) {
            if let Some(own) = counts.get_mut(entry.ward as usize) {
                own[day] += 1;
            }
        }
        counts
    }

    /// The incidents that carry any of the categories and have a day, with its place.
    fn of_days(&self, categories: CategorySet) -> impl Iterator<Item = (usize, &Entry)> {
        let carried = self.entries.iter().filter(move |entry| entry.categories.touches(categories));
        carried.filter_map(|entry| Some(((entry.day? - self.first).num_days() as usize, entry)))
    }

    /// The daily counts of one area.
    #[must_use]
    pub fn series(&self, area: &AreaRef, categories: CategorySet) -> Days {
        let members = self.members(area);
        let mut counts = vec![0; self.length()];
        for (day, entry) in self.of_days(categories) {
            if members.contains(&(entry.ward as usize)) {
                counts[day] += 1;
            }
        }
        counts
    }

    /// The monthly counts of every ward, in the order of [`Ledger::wards`], with the first days of the months: every
    /// month from the first with an incident to the last.
    #[must_use]
    pub fn months_by_ward(&self, categories: CategorySet) -> (Vec<NaiveDate>, Vec<Vec<u32>>) {
        let mut seen = self.entries.iter().filter_map(|entry| entry.month);
        let Some(first) = seen.next().map(|one| seen.fold(one, NaiveDate::min)) else {
            return (Vec::new(), vec![Vec::new(); self.wards.len()]);
        };
        let last = self.entries.iter().filter_map(|entry| entry.month).max().unwrap_or(first);
        let months: Vec<NaiveDate> = (0..)
            .map_while(|n| first.checked_add_months(chrono::Months::new(n)).filter(|m| *m <= last))
            .collect();
        let mut counts = vec![vec![0; months.len()]; self.wards.len()];
        for entry in self.entries.iter().filter(|entry| entry.categories.touches(categories)) {
            let place = entry.month.and_then(|month| months.binary_search(&month).ok());
            if let (Some(own), Some(place)) = (counts.get_mut(entry.ward as usize), place) {
                own[place] += 1;
            }
        }
        (months, counts)
    }
}

/// The first day of the county's history: the day after its last silence of [`SILENCE`] days, so that one report of long
/// ago does not pass for years without any.
fn beginning(entries: &[Entry], last: NaiveDate) -> NaiveDate {
    let days: HashSet<NaiveDate> = entries.iter().filter_map(|entry| entry.day).collect();
    let mut days: Vec<NaiveDate> = days.into_iter().collect();
    days.sort_unstable_by(|a, b| b.cmp(a));
    days.into_iter()
        .try_fold(None, |earliest: Option<NaiveDate>, day| match earliest {
            Some(later) if (later - day).num_days() > SILENCE => Err(later),
            _ => Ok(Some(day)),
        })
        .map_or_else(|later| later, |earliest| earliest.unwrap_or(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{count::Case, model::Area};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn case(on: &str, ward: Option<&str>, categories: u32) -> Case {
        Case {
            month: Some(day(&format!("{}01", &on[..8]))),
            categories: CategorySet::from_bits(categories),
            ward: ward.map(Into::into),
            ..crate::count::case::tests::case(day(on), day(on))
        }
    }

    #[test]
    fn incidents_are_counted_once_and_empty_days_are_zero() {
        let area = |kind, code: &str| Area {
            kind,
            code: code.into(),
            name: code.into(),
            boundary_year: 2025,
            valid_from: day("2000-01-01"),
            valid_to: None,
            population: None,
            workday_population: None,
        };
        let areas = [area(AreaKind::Ward, "A"), area(AreaKind::Ward, "B"), area(AreaKind::Csp, "C")];
        let links = ["A", "B"].map(|ward| (ward.to_owned(), AreaKind::Csp, "C".to_owned()));
        let geography = Geography::on(day("2026-06-30"), areas, links).unwrap();
        let cases = [
            case("2026-06-26", Some("A"), 0b11),
            case("2026-06-28", Some("B"), 0b01),
            case("2026-06-28", None, 0b01),
            case("2026-07-02", Some("B"), 0b01),
        ];
        let ledger = Ledger::new(&geography, &cases, day("2026-06-30"));
        let csp = AreaRef { kind: AreaKind::Csp, code: "C".into() };
        let both = CategorySet::from_bits(0b11);
        assert_eq!(
            ledger.series(&csp, both),
            [1, 0, 1, 0, 0],
            "two categories are one incident; none is from the future"
        );
        assert_eq!(ledger.by_ward(CategorySet::from_bits(0b10)), [[1, 0, 0, 0, 0], [0; 5]]);
        assert_eq!(ledger.months_by_ward(both).1, [[1], [1]]);
        assert_eq!(Ledger::new(&geography, &[] as &[Case], day("2026-06-30")).length(), 1);
        let old = [case("1998-01-01", Some("A"), 1), cases[0].clone(), cases[1].clone()];
        let ledger = Ledger::new(&geography, &old, day("2026-06-30"));
        assert_eq!(ledger.first(), day("2026-06-26"), "one report of long ago is no history");
    }
}
