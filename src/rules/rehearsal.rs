//! Runs the tests that stand in rule files, on the same path as a real night.
//!
//! A test tells the weeks of one area, or single incidents. Around them stands a quiet county, made the same way every
//! time: three years in which every area has what the tested one usually has, and whose reports come the next morning.
//! So a test asks what a real night asks: how rare is this, anywhere the rule looks?

use super::{
    Detector, Night, Rule, RuleSet, TestCase, TestIncident, evaluate, evaluate::Missed, follow, rule::lies_in,
};
use crate::{
    count::Case,
    model::{AreaKind, AreaRef, Categories, CategorySet, Finding, Geography, Period, Precision},
};
use chrono::{Datelike, Days, NaiveDate};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Weeks of history that a test has at least; what it doesn't tell is as its own earlier weeks.
const WEEKS: usize = 156;

/// An area of which a test tells single incidents only: one a month, as the county's wards have.
const QUIET: [u32; 4] = [0, 1, 0, 0];

/// Wards lie so many metres apart, each with its incidents scattered over a part of that.
const APART: i32 = 3_000;

const NOTHING: &str = "nothing to judge";

/// What a test brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsed {
    /// The rule's id.
    pub rule: String,
    /// The file.
    pub file: String,
    /// The line on which the test begins.
    pub line: usize,
    /// The test's name.
    pub test: String,
    /// What it expects.
    pub expected: bool,
    /// Whether the rule held in the tested area.
    pub held: bool,
    /// The numbers behind it, as a sentence without a full stop.
    pub why: String,
}

impl Rehearsed {
    /// Whether it is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.expected == self.held
    }
}

/// Runs every test of a rule. `rules` holds the rules that it follows, `geography` the county's areas; the calendar has
/// no say, so that a test says the same on every day.
#[must_use]
pub fn rehearse(
    rule: &Rule,
    rules: &RuleSet,
    geography: &Geography,
    categories: &Categories,
) -> Vec<Rehearsed> {
    let Some(stage) = Stage::new(rule, rules, geography, categories) else {
        return rule
            .tests
            .iter()
            .map(|test| told(rule, test, false, "the rule looks at no area".into()))
            .collect();
    };
    rule.tests.iter().map(|test| stage.run(rule, test)).collect()
}

fn told(rule: &Rule, test: &TestCase, held: bool, why: String) -> Rehearsed {
    Rehearsed {
        rule: rule.id.clone(),
        file: rule.file.clone(),
        line: test.line,
        test: test.name.clone(),
        expected: test.alert,
        held,
        why,
    }
}

/// The county around a test.
struct Stage<'a> {
    rules: RuleSet,
    geography: Geography,
    categories: &'a Categories,
    /// Wards of the areas that have counts: the tested one first, the one next door second.
    wards: Vec<String>,
    /// The window of the rules ends so many days before the night.
    wait: u32,
    night: NaiveDate,
}

impl<'a> Stage<'a> {
    fn new(rule: &Rule, rules: &RuleSet, geography: &Geography, categories: &'a Categories) -> Option<Self> {
        let named = |rule: &Rule| match &rule.detector {
            Detector::Combine { members, .. } => members.clone(),
            Detector::Spread { after, .. } => vec![after.clone()],
            _ => Vec::new(),
        };
        let mut members = named(rule);
        let further: Vec<String> =
            rules.rules.iter().filter(|other| members.contains(&other.id)).flat_map(named).collect();
        members.extend(further);
        let live = |rule: &Rule| Rule { status: super::Status::Live, overrides: Vec::new(), ..rule.clone() };
        let others = rules.rules.iter().filter(|other| members.contains(&other.id) && other.id != rule.id);
        let together: Vec<Rule> = others.map(live).chain([live(rule)]).collect();
        let wards = one_ward_each(rule, geography)?;
        let by_month = together.iter().any(|rule| matches!(rule.period, Period::Months(_)));
        let next_to = |from: usize, to: usize| Some((wards.get(from)?.clone(), vec![wards.get(to)?.clone()]));
        let neighbours: BTreeMap<_, _> = [next_to(0, 1), next_to(1, 0)].into_iter().flatten().collect();
        Some(Self {
            wait: together.iter().map(|rule| rule.wait_days).max().unwrap_or(0),
            rules: RuleSet { rules: together, ..RuleSet::default() },
            geography: geography.clone().with_neighbours(neighbours),
            categories,
            wards,
            // Any night does, as seasons are flat here; for calendar months the last one of a month.
            night: NaiveDate::from_ymd_opt(2026, 6, if by_month { 30 } else { 28 })?,
        })
    }

    fn run(&self, rule: &Rule, test: &TestCase) -> Rehearsed {
        let cases = self.cases(rule, test);
        let remembered = self.rules.remembers();
        let mut before: Vec<(NaiveDate, Finding)> = Vec::new();
        let mut outcomes = Vec::new();
        for back in (0..=remembered).rev() {
            let night = self.night - Days::new(back.into());
            let seen: Vec<Case> =
                cases.iter().filter(|case| case.known_on <= night + Days::new(1)).cloned().collect();
            let mut judged = Night::new(&self.geography, self.categories, &seen, night);
            outcomes = evaluate(&self.rules, &mut judged);
            follow(&self.rules, &self.geography, night, &before, &mut outcomes);
            before.extend(
                outcomes.iter().flat_map(|one| one.findings.iter().map(|found| (night, found.clone()))),
            );
        }
        let Some(outcome) = outcomes.into_iter().find(|outcome| outcome.rule == rule.id) else {
            return told(rule, test, false, "the rule was not judged".into());
        };
        let tested = if rule.areas.kind == AreaKind::Ward { 2 } else { 1 };
        let own = |ward: &String| self.wards.iter().take(tested).any(|own| own == ward);
        let here = |wards: &[String]| wards.iter().any(own);
        let held = outcome.findings.iter().find(|finding| here(&finding.wards));
        let nearest = |place: usize| {
            let ward = self.wards.get(place)?;
            let near = outcome.missed.iter().filter(|missed| missed.wards.first() == Some(ward));
            near.max_by(|a, b| a.nearness().total_cmp(&b.nearness())).map(Missed::in_words)
        };
        let why = match (held, test.next_door.is_empty()) {
            (Some(finding), _) => format!(
                "{} seen where {:.1} are usual, by chance {} anywhere the rule looks",
                finding.observed, finding.expected, finding.recurrence
            ),
            (None, true) => nearest(0).unwrap_or_else(|| NOTHING.into()),
            (None, false) => format!(
                "here {}; next door {}",
                nearest(0).unwrap_or_else(|| NOTHING.into()),
                nearest(1).unwrap_or_else(|| NOTHING.into())
            ),
        };
        told(rule, test, held.is_some(), why)
    }

    /// Every incident of the test and of the county around it.
    fn cases(&self, rule: &Rule, test: &TestCase) -> Vec<Case> {
        let category = self.category(rule, test.category.as_deref());
        let period = (rule.period_days().div_ceil(7) as usize).max(1);
        let own = Weeks::of(&test.weeks, &test.of_which, period);
        let door = Weeks::of(&test.next_door, &[], period);
        let kinds = match &rule.detector {
            Detector::Share { of, .. } => of.first().cloned(),
            _ => None,
        };
        let made = Made {
            category,
            source: test.source.clone().unwrap_or_else(|| "police".into()),
            kind: kinds,
            centre: test.incidents.iter().find_map(|one| one.point).unwrap_or((458_000, 304_000)),
            end: self.night - Days::new(self.wait.into()),
        };
        let mut cases = Vec::new();
        for (place, ward) in self.wards.iter().enumerate() {
            for back in 0..WEEKS.max(test.weeks.len()) {
                let (count, of_kind) = match place {
                    0 => own.told(back),
                    1 if !test.next_door.is_empty() => door.told(back),
                    _ => own.usual(back + place),
                };
                cases.extend((0..count).map(|n| made.case(place, ward, back, (n, count), n < of_kind)));
            }
        }
        cases.extend(test.incidents.iter().map(|one| self.single(rule, one, &made)));
        for (n, case) in cases.iter_mut().enumerate() {
            case.id = Uuid::from_u128(n as u128 + 1);
        }
        cases
    }

    fn single(&self, rule: &Rule, one: &TestIncident, made: &Made) -> Case {
        let day = self.night - Days::new(one.day.unsigned_abs());
        let ward = if one.next_door { self.wards.get(1) } else { self.wards.first() };
        Case {
            id: Uuid::nil(),
            source: one.source.as_deref().unwrap_or(&made.source).into(),
            day: Some(day),
            month: day.with_day(1),
            categories: self.category(rule, one.category.as_deref()),
            ward: ward.map(|ward| ward.as_str().into()),
            point: one.point,
            precision: if one.point.is_some() { Precision::Exact } else { Precision::Ward },
            known_on: day + Days::new(1),
            repeat_key: one.repeat_key.as_deref().map(Into::into),
            offence: one.offence.as_ref().map(|offence| offence.trim().to_lowercase().into()),
            channel: None,
        }
    }

    fn category(&self, rule: &Rule, named: Option<&str>) -> CategorySet {
        let first =
            || self.categories.names(rule.categories.all).next().and_then(|code| self.categories.find(code));
        named.and_then(|code| self.categories.find(code)).or_else(first).unwrap_or(rule.categories.all)
    }
}

/// One ward of every area that the rule looks at, the tested one first; a second of the same partnership next to it.
fn one_ward_each(rule: &Rule, geography: &Geography) -> Option<Vec<String>> {
    let kind = rule.areas.kind;
    let ward_of = |code: &str| match kind {
        AreaKind::Ward => Some(code.to_owned()),
        kind => geography.wards_of(kind, code).next().map(|ward| ward.code.clone()),
    };
    let areas = || geography.of_kind(kind).map(|area| area.code.as_str());
    let first = areas().find(|code| rule.areas.hold(code, geography)).and_then(ward_of)?;
    let mut wards = vec![first.clone()];
    let csp = geography.above(&first, AreaKind::Csp).next();
    let door = csp.and_then(|csp| {
        let area = AreaRef { kind: AreaKind::Csp, code: csp.code.clone() };
        let beside = |code: &&str| **code != *first && lies_in(code, &area, geography);
        geography.of_kind(AreaKind::Ward).map(|ward| ward.code.as_str()).find(beside)
    });
    if kind == AreaKind::Ward {
        wards.extend(door.map(str::to_owned));
    }
    let rest: Vec<String> = areas().filter_map(ward_of).filter(|ward| !wards.contains(ward)).collect();
    wards.extend(rest);
    Some(wards)
}

/// Counts a week, and how many of them are of the kind of offence that is looked at.
struct Weeks {
    told: Vec<(u32, u32)>,
    /// What is usual: the weeks before the last period, again and again.
    past: Vec<(u32, u32)>,
}

impl Weeks {
    fn of(weeks: &[u32], of_kind: &[u32], period: usize) -> Self {
        let pair =
            |(place, count): (usize, &u32)| (*count, of_kind.get(place).copied().unwrap_or(0).min(*count));
        let told: Vec<(u32, u32)> = weeks.iter().enumerate().map(pair).collect();
        let earlier = &told[..told.len().saturating_sub(period)];
        let past = if earlier.is_empty() { QUIET.map(|count| (count, 0)).to_vec() } else { earlier.to_vec() };
        Self { told, past }
    }

    /// The week so many weeks ago: as told, and before that as usual.
    fn told(&self, back: usize) -> (u32, u32) {
        match self.told.len().checked_sub(back + 1) {
            Some(place) => self.told[place],
            None => self.usual(back),
        }
    }

    fn usual(&self, back: usize) -> (u32, u32) {
        self.past[self.past.len() - 1 - back % self.past.len()]
    }
}

/// What incidents that are told by the week have in common.
struct Made {
    category: CategorySet,
    source: String,
    kind: Option<String>,
    centre: (i32, i32),
    end: NaiveDate,
}

impl Made {
    /// One of `count` of a week, spread evenly over its days and scattered over its ward.
    fn case(&self, place: usize, ward: &str, back: usize, (n, count): (u32, u32), of_kind: bool) -> Case {
        let into_week = u64::from(n * 7 / count.max(1));
        let day = self.end - Days::new(7 * back as u64 + into_week);
        // A step that has nothing in common with the square's side visits all of it.
        let scatter = (back * 31 + n as usize * 17 + place * 7) as i32;
        let (column, row) = ((place % 14) as i32, (place / 14) as i32);
        let east = self.centre.0 + column * APART + 700 + scatter * 397 % 1_201;
        let north = self.centre.1 + row * APART + 700 + scatter * 769 % 1_201;
        let other = "another kind";
        Case {
            id: Uuid::nil(),
            source: self.source.as_str().into(),
            day: Some(day),
            month: day.with_day(1),
            categories: self.category,
            ward: Some(ward.into()),
            point: Some((east, north)),
            precision: Precision::Exact,
            known_on: day + Days::new(1),
            repeat_key: None,
            offence: Some(self.kind.as_deref().filter(|_| of_kind).unwrap_or(other).into()),
            channel: None,
        }
    }
}

impl Rule {
    /// About how many days it looks at: what its tests tell of them is not what is usual.
    fn period_days(&self) -> u32 {
        let own = match self.period {
            Period::Days(days) => days,
            Period::Months(months) => months * 31,
        };
        match self.detector {
            Detector::Spread { within, .. } | Detector::Combine { within, .. } => own + within,
            _ => own,
        }
    }
}
