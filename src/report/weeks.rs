//! Published weeks of districts, and what partnerships are as sums of them.

use super::{NoReport, Quarter};
use crate::{
    model::{AreaKind, AreaRef, Geography},
    publish::Publication,
};
use chrono::{Days, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};

/// Districts that an area is the sum of.
pub(super) type Cells = BTreeSet<String>;

/// What is published, by week.
pub(super) struct Weeks<'a> {
    /// The quarter's weeks that are published, without a gap from its first on: what is compared has the same weeks.
    pub own: Vec<&'a Publication>,
    by_first: BTreeMap<NaiveDate, &'a Publication>,
}

impl<'a> Weeks<'a> {
    /// The weeks of a quarter among those published; refuses one of which nothing is.
    pub fn of(quarter: Quarter, published: &'a [Publication]) -> Result<Self, NoReport> {
        let by_first: BTreeMap<NaiveDate, &Publication> =
            published.iter().map(|week| (week.window.first, week)).collect();
        let own: Vec<&Publication> =
            quarter.weeks().iter().map_while(|week| by_first.get(&week.first).copied()).collect();
        if !own.is_empty() {
            return Ok(Self { own, by_first });
        }
        let first = by_first.keys().next().copied();
        Err(match first.filter(|first| quarter.days().last < *first) {
            Some(first) => NoReport::Before { quarter, first },
            None => NoReport::NotYet {
                quarter,
                latest: by_first.values().next_back().map(|week| week.window.last),
            },
        })
    }

    /// The first and the last day of the quarter's weeks.
    pub fn days(&self) -> (NaiveDate, NaiveDate) {
        let first = self.own.first().map_or(NaiveDate::MIN, |week| week.window.first);
        (first, self.own.last().map_or(first, |week| week.window.last))
    }

    /// The week that begins on a day.
    pub fn at(&self, first: NaiveDate) -> Option<&'a Publication> {
        self.by_first.get(&first).copied()
    }

    /// The sum of some cells over some weeks, of one strand or all together; a district that was not there yet counts nothing.
    pub fn sum<'b>(
        weeks: impl IntoIterator<Item = &'b Publication>,
        cells: &Cells,
        strand: Option<&str>,
    ) -> i64 {
        let of =
            |week: &Publication| cells.iter().filter_map(|cell| week.counts.of(cell, strand)).sum::<i64>();
        weeks.into_iter().map(of).sum()
    }

    /// So many weeks that end with the one before `end`, the latest first, where all are published.
    pub fn before(&self, end: NaiveDate, weeks: usize) -> Option<Vec<&'a Publication>> {
        let first = |back: usize| end.checked_sub_days(Days::new(7 * back as u64));
        (1..=weeks).map(|back| self.at(first(back)?)).collect()
    }

    /// As many weeks of another quarter as this one has published, where all of them are.
    pub fn as_many_of(&self, other: Quarter) -> Option<Vec<&'a Publication>> {
        other.weeks().iter().take(self.own.len()).map(|week| self.at(week.first)).collect()
    }
}

/// Partnerships that are made of whole districts, by code with their names, and the districts that are left. Each district
/// belongs to the first partnership that has it, so that their sums are the county.
pub(super) fn partnerships(geography: &Geography) -> (BTreeMap<String, (String, Cells)>, Cells) {
    let mut left = districts(geography);
    let mut found = BTreeMap::new();
    for csp in geography.of_kind(AreaKind::Csp) {
        if let Some(cells) = whole_districts(geography, &csp.code).filter(|cells| cells.is_subset(&left)) {
            left.retain(|district| !cells.contains(district));
            found.insert(csp.code.clone(), (csp.name.clone(), cells));
        }
    }
    (found, left)
}

/// All districts.
pub(super) fn districts(geography: &Geography) -> Cells {
    geography.of_kind(AreaKind::District).map(|area| area.code.clone()).collect()
}

/// The districts of a partnership; none where it cuts one.
fn whole_districts(geography: &Geography, csp: &str) -> Option<Cells> {
    let wards: BTreeSet<String> =
        geography.wards_of(AreaKind::Csp, csp).map(|ward| ward.code.clone()).collect();
    let districts: Cells = wards
        .iter()
        .flat_map(|ward| geography.above(ward, AreaKind::District).map(|area| area.code.clone()))
        .collect();
    let whole = districts.iter().all(|district| {
        geography.wards_of(AreaKind::District, district).all(|ward| wards.contains(&ward.code))
    });
    (whole && !districts.is_empty()).then_some(districts)
}

/// Whether an area has a ward in a district.
pub(super) fn touches(geography: &Geography, district: &str, area: &AreaRef) -> bool {
    geography
        .wards_in(Some(area))
        .iter()
        .any(|ward| geography.above(ward, AreaKind::District).any(|above| above.code == district))
}
