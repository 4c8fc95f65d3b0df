//! Everything a night shows to the rules, as known on it: counts, delays, and what is usual, learned once.

use crate::{
    count::{Case, Completeness, Ledger},
    detect::{
        Expectation, MonthBaseline, Nightly, Surroundings, Weekdays, judgement, reference::Method, usual_by,
    },
    model::{AreaKind, AreaRef, Categories, CategorySet, Geography, Judgement, Window},
};
use chrono::{Days, Months, NaiveDate};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Everything a night shows to the rules, as known on it.
pub struct Night<'a> {
    pub(super) geography: &'a Geography,
    pub(super) categories: &'a Categories,
    pub(super) cases: &'a [Case],
    pub(super) ledger: Ledger,
    completeness: Completeness,
    weekdays: Weekdays,
    learned: BTreeMap<Wanted, Option<Nightly>>,
}

/// Windows of up to so many days share what is learned: eight weeks.
const LONGEST_SHARED: u32 = 56;

/// What is usual for windows up to `longest` days that end on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    kind: AreaKind,
    categories: CategorySet,
    last: NaiveDate,
    longest: u32,
}

impl Wanted {
    pub(super) fn new(kind: AreaKind, categories: CategorySet, window: Window) -> Self {
        Self { kind, categories, last: window.last, longest: window.days().max(LONGEST_SHARED) }
    }
}

impl<'a> Night<'a> {
    /// Prepares a night: counts, delays and season are learned once for all rules.
    #[must_use]
    pub fn new(
        geography: &'a Geography,
        categories: &'a Categories,
        cases: &'a [Case],
        last: NaiveDate,
    ) -> Self {
        let ledger = Ledger::new(geography, cases, last);
        let completeness = Completeness::learn(cases, last);
        let mut county = vec![0.0; ledger.length()];
        for ward in ledger.by_ward(categories.all()) {
            for (sum, count) in county.iter_mut().zip(ward) {
                *sum += f64::from(count);
            }
        }
        let weekdays = Weekdays::learn(ledger.first(), &county);
        Self { geography, categories, cases, ledger, completeness, weekdays, learned: BTreeMap::new() }
    }

    /// The counts.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How late reports come.
    #[must_use]
    pub fn completeness(&self) -> &Completeness {
        &self.completeness
    }

    /// The counts and the delays, when all is judged.
    #[must_use]
    pub fn into_counts(self) -> (Ledger, Completeness) {
        (self.ledger, self.completeness)
    }

    /// The share of a window's incidents that is usually known by the morning after the night, and by sources that are
    /// late not yet: from 0 to 1.
    #[must_use]
    pub fn known_share(&self, window: Window) -> f64 {
        let morning = self.ledger.last() + Days::new(1);
        let days = window.first.iter_days().take(window.days() as usize);
        days.map(|day| self.completeness.after((morning - day).num_days())).sum::<f64>()
            / f64::from(window.days())
    }

    /// Judges every area of a kind over a window by the house method; empty without enough history.
    pub fn judge(
        &mut self,
        kind: AreaKind,
        categories: CategorySet,
        window: Window,
    ) -> Vec<(Judgement, Expectation)> {
        let wanted = Wanted::new(kind, categories, window);
        self.learn(&[wanted]);
        let learned = self.learned.get(&wanted).and_then(Option::as_ref);
        learned.map(|usual| usual.judge(window.days())).unwrap_or_default()
    }

    /// Learns what is usual, once a night for each that is wanted, side by side. What a ward has of one strand is drawn
    /// towards what it has of all, so that comes first.
    pub(super) fn learn(&mut self, wanted: &[Wanted]) {
        let all = self.categories.all();
        let wards = wanted.iter().filter(|wanted| wanted.kind == AreaKind::Ward);
        let first: BTreeSet<Wanted> = wards.map(|wanted| Wanted { categories: all, ..*wanted }).collect();
        for turn in [first, wanted.iter().copied().collect()] {
            let missing: Vec<Wanted> =
                turn.into_iter().filter(|wanted| !self.learned.contains_key(wanted)).collect();
            let around = Surroundings { completeness: &self.completeness, weekdays: &self.weekdays };
            let learned: Vec<Option<Nightly>> = missing
                .par_iter()
                .map(|wanted| {
                    let Wanted { kind, categories, last, longest } = *wanted;
                    let together = self.learned.get(&Wanted { categories: all, ..*wanted });
                    let together = together.filter(|_| kind == AreaKind::Ward);
                    let alike = together.and_then(Option::as_ref).map(Nightly::relative);
                    Nightly::learn(&self.ledger, around, kind, categories, (last, longest), alike.as_deref())
                })
                .collect();
            self.learned.extend(missing.into_iter().zip(learned));
        }
    }

    /// Judges every area of a kind over a window by a reference method; without those for which it has no model.
    pub(super) fn judge_by(
        &self,
        method: Method,
        kind: AreaKind,
        categories: CategorySet,
        window: Window,
    ) -> Vec<(Judgement, Expectation)> {
        let counts = self.ledger.by_ward(categories);
        let end = (window.last - self.ledger.first()).num_days() + 1;
        let end = usize::try_from(end).unwrap_or(0).min(self.ledger.length());
        let judge = |area: AreaRef| {
            let mut days = vec![0; end];
            for ward in self.ledger.members(&area) {
                days.iter_mut().zip(&counts[ward]).for_each(|(sum, count)| *sum += count);
            }
            let usual = usual_by(method, &days, window.days() as usize)?;
            let seen = days.iter().rev().take(window.days() as usize).map(|count| u64::from(*count)).sum();
            Some((judgement(area, categories, window, seen, usual), usual))
        };
        self.ledger.areas(kind).into_iter().filter_map(judge).collect()
    }

    /// Judges the latest calendar month that was over by `last` and of which anything is known; empty without enough earlier months.
    pub(super) fn judge_month(
        &self,
        kind: AreaKind,
        categories: CategorySet,
        last: NaiveDate,
    ) -> Vec<(Judgement, Expectation)> {
        let (months, _) = self.ledger.months_by_ward(self.categories.all());
        let whole = |month: &&NaiveDate| {
            month.checked_add_months(Months::new(1)).is_some_and(|next| next <= last + Days::new(1))
        };
        let latest = months.iter().rev().find(whole);
        let baseline = latest.and_then(|month| MonthBaseline::learn(&self.ledger, kind, categories, *month));
        baseline.map(|baseline| baseline.judge(&self.ledger)).unwrap_or_default()
    }

    /// The cases of an area, categories and window, oldest first.
    pub(super) fn members(
        &self,
        area: &AreaRef,
        categories: CategorySet,
        window: Window,
        by_month: bool,
    ) -> Vec<&'a Case> {
        let wards = self.ledger.wards();
        let own: Vec<&String> = self.ledger.members(area).into_iter().map(|place| &wards[place]).collect();
        let within = |case: &&Case| {
            let day = if by_month { case.month } else { case.day };
            day.is_some_and(|day| window.holds(day))
                && case.categories.touches(categories)
                && case.ward.as_ref().is_some_and(|ward| own.contains(&ward))
        };
        let mut found: Vec<&Case> = self.cases.iter().filter(within).collect();
        found.sort_by_key(|case| (case.day, case.id));
        found
    }

    /// Codes of the categories that cases carry, of those a rule looks at.
    pub(super) fn seen(&self, cases: &[&Case], wanted: CategorySet) -> Vec<String> {
        let carried = cases.iter().fold(CategorySet::EMPTY, |all, case| all.with(case.categories));
        self.names(carried, wanted)
    }

    pub(super) fn names(&self, carried: CategorySet, wanted: CategorySet) -> Vec<String> {
        let both = CategorySet::from_bits(carried.bits() & wanted.bits());
        self.categories.names(both).map(str::to_owned).collect()
    }
}
