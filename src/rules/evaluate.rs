//! Applies rules to a night: what holds is a finding, what does not is recorded with how near it came.

use super::{
    Detector, RepeatOf, Rule, RuleSet,
    night::{Night, Wanted},
};
use crate::{
    cluster::{Again, Chance, Near, Reach, clusters, repeat_people, repeat_places},
    count::Case,
    detect::{Cell, Expectation, Floors, recurrence, reference::Method},
    model::{AreaKind, CategorySet, Cluster, Finding, Judgement, Period, Recurrence, Subject, Window},
};
use chrono::{Days, Months, NaiveDate};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What became of a rule in a night.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleOutcome {
    /// The rule's id.
    pub rule: String,
    /// What holds.
    pub findings: Vec<Finding>,
    /// Every cluster alive, for their lives from night to night.
    pub clusters: Vec<Cluster>,
    /// How many areas, clusters or places it looked at.
    pub looked_at: usize,
    /// The strongest that does not hold, in words.
    pub nearest: Option<String>,
}

impl RuleOutcome {
    /// Nothing found yet.
    fn of(rule: &Rule) -> Self {
        let (findings, clusters) = (Vec::new(), Vec::new());
        Self { rule: rule.id.clone(), findings, clusters, looked_at: 0, nearest: None }
    }
}

/// Evaluates every live and shadow rule.
#[must_use]
pub fn evaluate(rules: &RuleSet, night: &mut Night<'_>) -> Vec<RuleOutcome> {
    let active = || rules.rules.iter().filter(|rule| rule.is_evaluated());
    let wanted: Vec<Wanted> = active().flat_map(|rule| wanted(rule, night.ledger.last())).collect();
    night.learn(&wanted);
    let scans = active().filter(|rule| matches!(rule.detector, Detector::Cluster { .. })).count() as u32;
    active()
        .map(|rule| match rule.detector {
            Detector::Spike { at_least, times_usual, method } => {
                spike(rule, Floors { at_least, times_usual }, method, night)
            }
            Detector::Cluster { at_least, metres, days } => {
                cluster(rule, at_least, (metres, days), scans, night)
            }
            Detector::Repeat { of, at_least, within } => repeat(rule, of, at_least, within, night),
            _ => RuleOutcome::of(rule),
        })
        .collect()
}

/// What a rule needs of the house method.
fn wanted(rule: &Rule, night: NaiveDate) -> Vec<Wanted> {
    match (&rule.detector, rule.period) {
        (Detector::Spike { method: None, .. }, Period::Days(days)) => {
            let window = Window::ending(night - Days::new(rule.wait_days.into()), days);
            let sets = apart(rule).into_iter().map(|(_, set)| set);
            sets.map(|set| Wanted::new(rule.areas.kind, set, window)).collect()
        }
        _ => Vec::new(),
    }
}

/// The sets of categories that a rule judges, with their codes where it judges each apart.
fn apart(rule: &Rule) -> Vec<(Option<String>, CategorySet)> {
    if rule.categories.each.is_empty() {
        return vec![(None, rule.categories.all)];
    }
    rule.categories.each.iter().map(|(code, set)| (Some(code.clone()), *set)).collect()
}

/// More than usual: every area of the rule, each category apart or all together, one window.
fn spike(rule: &Rule, floors: Floors, method: Option<Method>, night: &mut Night<'_>) -> RuleOutcome {
    let last = night.ledger.last() - Days::new(rule.wait_days.into());
    let by_month = matches!(rule.period, Period::Months(_));
    let mut judged: Vec<(Option<String>, Judgement, Expectation)> = Vec::new();
    for (category, set) in apart(rule) {
        let kind = rule.areas.kind;
        let found = match (rule.period, method) {
            (Period::Days(days), None) => night.judge(kind, set, Window::ending(last, days)),
            (Period::Days(days), Some(method)) => {
                night.judge_by(method, kind, set, Window::ending(last, days))
            }
            (Period::Months(_), _) => night.judge_month(kind, set, last),
        };
        let within =
            found.into_iter().filter(|(judgement, _)| rule.areas.hold(&judgement.area.code, night.geography));
        judged.extend(within.map(|(judgement, usual)| (category.clone(), judgement, usual)));
    }
    let cells: Vec<Cell> = judged
        .iter()
        .map(|(_, judgement, usual)| Cell { usual: *usual, days: f64::from(judgement.window.days()) })
        .collect();
    let mut outcome = RuleOutcome { looked_at: judged.len(), ..RuleOutcome::of(rule) };
    let mut nearest = 0.0;
    for (category, judgement, _) in judged {
        if judgement.observed < floors.least(judgement.expected) {
            continue;
        }
        let strength = recurrence(judgement.p_upper, &cells, floors);
        if strength.days() >= rule.rarer_than_days {
            outcome.findings.push(spike_finding(rule, category, &judgement, strength, by_month, night));
        } else if strength.days() > nearest {
            nearest = strength.days();
            outcome.nearest = Some(format!(
                "{} {}: {} seen, {:.1} usual, about once in {nearest:.0} days",
                judgement.area.kind.code(),
                judgement.area.code,
                judgement.observed,
                judgement.expected
            ));
        }
    }
    outcome
}

fn spike_finding(
    rule: &Rule,
    category: Option<String>,
    judgement: &Judgement,
    strength: Recurrence,
    by_month: bool,
    night: &Night<'_>,
) -> Finding {
    let Judgement { area, categories, window, .. } = judgement;
    let members = night.members(area, *categories, *window, by_month);
    let wards = if area.kind == AreaKind::Ward { vec![area.code.clone()] } else { most(&members) };
    Finding {
        subject: Subject::Area {
            boundary_year: night.geography.get(area.kind, &area.code).map_or(0, |known| known.boundary_year),
            area: area.clone(),
            category,
        },
        wards,
        categories: night.seen(&members, rule.categories.all),
        observed: judgement.observed,
        expected: judgement.expected,
        usual_range: Some(judgement.usual_range),
        times_usual: judgement.times_usual,
        ..finding(rule, *window, strength, members.iter().map(|case| case.id).collect())
    }
}

/// Several near to each other: those placed well enough, in the areas of the rule.
fn cluster(
    rule: &Rule,
    at_least: usize,
    (metres, days): (u32, u32),
    scans: u32,
    night: &Night<'_>,
) -> RuleOutcome {
    let last = night.ledger.last() - Days::new(rule.wait_days.into());
    let mut outcome = RuleOutcome::of(rule);
    let Ok(reach) = Reach::new(metres, days, at_least) else { return outcome };
    let near = Near { reach, metres, days, at_least: at_least as u32 };
    let chance = Chance { scans, matters_from_days: rule.rarer_than_days };
    outcome.clusters = match clusters(&placed(rule, night), rule.categories.all, near, chance, last) {
        Ok(clusters) => clusters,
        Err(wrong) => {
            tracing::error!(rule = rule.id, %wrong, "a cluster rule could not be judged");
            outcome.nearest = Some(format!("could not be judged: {wrong}"));
            return outcome;
        }
    };
    outcome.looked_at = outcome.clusters.len();
    let mut nearest = 0.0;
    let within = outcome
        .clusters
        .iter()
        .filter(|one| one.wards.iter().any(|ward| rule.areas.hold_ward(ward, night.geography)));
    for found in within {
        let strength = found.recurrence;
        if strength.days() >= rule.rarer_than_days {
            outcome.findings.push(Finding {
                subject: Subject::Cluster(found.name),
                wards: found.wards.clone(),
                categories: night.names(found.categories, rule.categories.all),
                observed: found.part.len() as u64,
                expected: found.expected,
                change: Some(found.change),
                ..finding(rule, found.window, strength, found.part.clone())
            });
        } else if strength.days() > nearest {
            nearest = strength.days();
            outcome.nearest =
                Some(format!("a cluster of {}, about once in {nearest:.0} days", found.part.len()));
        }
    }
    outcome
}

/// One place or person again and again.
fn repeat(rule: &Rule, of: RepeatOf, at_least: usize, within: Period, night: &Night<'_>) -> RuleOutcome {
    let last = night.ledger.last() - Days::new(rule.wait_days.into());
    let window = match within {
        Period::Days(days) => Window::ending(last, days),
        Period::Months(months) => {
            let first = last.checked_sub_months(Months::new(months)).unwrap_or(last);
            Window { first: first + Days::new(1), last }
        }
    };
    let placed = placed(rule, night);
    let again = Again { window, at_least };
    let found = match of {
        RepeatOf::Place => repeat_places(&placed, rule.categories.all, again),
        RepeatOf::Victim => repeat_people(&placed, rule.categories.all, again),
    };
    let mut outcome = RuleOutcome { looked_at: found.len(), ..RuleOutcome::of(rule) };
    let mut nearest = 0.0;
    for found in found.into_iter().filter(|one| rule.areas.hold_ward(&one.ward, night.geography)) {
        let strength = found.recurrence;
        if strength.days() >= rule.rarer_than_days {
            outcome.findings.push(Finding {
                subject: Subject::Place(found.name),
                wards: vec![found.ward],
                categories: night.names(found.categories, rule.categories.all),
                observed: found.members.len() as u64,
                expected: found.expected,
                ..finding(rule, window, strength, found.members)
            });
        } else if strength.days() > nearest {
            nearest = strength.days();
            outcome.nearest =
                Some(format!("a place with {}, about once in {nearest:.0} days", found.members.len()));
        }
    }
    outcome
}

/// The cases that are placed well enough for a rule.
fn placed<'c>(rule: &Rule, night: &Night<'c>) -> Vec<&'c Case> {
    night.cases.iter().filter(|case| rule.quality.is_none_or(|quality| case.precision <= quality)).collect()
}

fn finding(rule: &Rule, window: Window, recurrence: Recurrence, members: Vec<Uuid>) -> Finding {
    Finding {
        rule: rule.id.clone(),
        rule_version: rule.version.clone(),
        title: rule.title.clone(),
        level: rule.level,
        subject: Subject::Place(Uuid::nil()),
        wards: Vec::new(),
        categories: Vec::new(),
        window,
        observed: 0,
        expected: 0.0,
        usual_range: None,
        times_usual: None,
        change: None,
        recurrence,
        members,
    }
}

/// The wards with most of the cases, at most five: those a larger area's alert is about.
fn most(cases: &[&Case]) -> Vec<String> {
    let mut counts = BTreeMap::<&String, usize>::new();
    for ward in cases.iter().filter_map(|case| case.ward.as_ref()) {
        *counts.entry(ward).or_default() += 1;
    }
    let mut wards: Vec<_> = counts.into_iter().collect();
    wards.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    wards.into_iter().take(5).map(|(ward, _)| ward.clone()).collect()
}
