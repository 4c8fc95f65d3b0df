//! Applies rules to a night: what holds is a finding, what does not is kept with the first condition that failed.
//!
//! Rules that look at counts and places are judged each for itself ([`evaluate`]), nights side by side if need be; those
//! that follow other rules come after them, and know the nights before ([`follow`]).

mod area;
mod cluster;
mod combine;
mod drop;
mod events;
mod follow;
mod missed;
mod repeat;
mod share;
mod spike;
mod spread;

pub use follow::{Earlier, follow};
pub use missed::{Miss, Missed};

use super::{
    Detector, Into, Rule, RuleSet, Status,
    night::{Night, Wanted},
    rule::lies_in_any,
};
use crate::{
    count::Case,
    detect::{Cell, Expectation, Past},
    model::{CategorySet, Cluster, Finding, Geography, Period, Recurrence, Subject, Window},
};
use chrono::Days;
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};
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
    /// What it looked at and does not hold.
    pub missed: Vec<Missed>,
    /// Identities of findings of other rules that are told with this one's.
    pub folds: Vec<String>,
    /// Why it could not be judged.
    pub failed: Option<String>,
    /// The windows before a finding's own, by its identity: what a chart shows.
    past: BTreeMap<String, Vec<Past>>,
    /// What a rule that follows another one may find there.
    beside: Vec<spread::Beside>,
    /// The same as expectations.
    cells: Vec<(String, Cell)>,
}

impl RuleOutcome {
    /// Nothing found yet.
    fn of(rule: &Rule) -> Self {
        Self {
            rule: rule.id.clone(),
            findings: Vec::new(),
            clusters: Vec::new(),
            looked_at: 0,
            missed: Vec::new(),
            folds: Vec::new(),
            failed: None,
            past: BTreeMap::new(),
            beside: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// The strongest that does not hold.
    #[must_use]
    pub fn nearest(&self) -> Option<&Missed> {
        self.missed.iter().max_by(|a, b| a.nearness().total_cmp(&b.nearness()))
    }

    /// The windows before a finding's own and it, each against what was usual in it; empty where nobody knows.
    #[must_use]
    pub fn past(&self, finding: &Finding) -> &[Past] {
        self.past.get(&finding.identity()).map(Vec::as_slice).unwrap_or_default()
    }

    fn find(&mut self, finding: Finding, past: Vec<Past>) {
        self.past.insert(finding.identity(), past);
        self.findings.push(finding);
    }

    /// Takes what another judged within some partnerships, and drops the own there.
    fn replace_within(&mut self, other: Self, csps: &[String], geography: &Geography) {
        let there = |wards: &[String]| lies_in_any(wards, csps, geography);
        self.findings.retain(|finding| !there(&finding.wards));
        self.missed.retain(|missed| !there(&missed.wards));
        self.clusters.retain(|cluster| !there(&cluster.wards));
        self.clusters.extend(other.clusters.into_iter().filter(|cluster| there(&cluster.wards)));
        for finding in other.findings.into_iter().filter(|finding| there(&finding.wards)) {
            self.past.extend(
                other.past.get_key_value(&finding.identity()).map(|(id, past)| (id.clone(), past.clone())),
            );
            self.findings.push(finding);
        }
        self.missed.extend(other.missed.into_iter().filter(|missed| there(&missed.wards)));
        self.failed = self.failed.take().or(other.failed);
    }
}

/// Evaluates every live and shadow rule but those that follow others. A rule that fails is named, and stops no other.
#[must_use]
pub fn evaluate(rules: &RuleSet, night: &mut Night<'_>) -> Vec<RuleOutcome> {
    let active: Vec<&Rule> = rules.rules.iter().filter(|rule| rule.is_evaluated()).collect();
    let mut wanted: Vec<Wanted> = Vec::new();
    for rule in &active {
        wanted.extend(wanted_by(rule, &active, night));
    }
    night.learn(&wanted);
    let scans = active.iter().filter(|rule| matches!(rule.detector, Detector::Cluster { .. })).count() as u32;
    active.iter().map(|rule| with_overrides(rule, &active, scans, night)).collect()
}

fn with_overrides(rule: &Rule, all: &[&Rule], scans: u32, night: &mut Night<'_>) -> RuleOutcome {
    let mut outcome = safely(rule, all, scans, night);
    for own in &rule.overrides {
        let there = match own.rule.status {
            Status::Live | Status::Shadow => safely(&own.rule, all, scans, night),
            Status::Draft | Status::Retired => RuleOutcome::of(rule),
        };
        outcome.replace_within(there, &own.csps, night.geography);
    }
    outcome
}

/// A fault in the arithmetic of one rule must not silence the others.
fn safely(rule: &Rule, all: &[&Rule], scans: u32, night: &mut Night<'_>) -> RuleOutcome {
    catch_unwind(AssertUnwindSafe(|| one(rule, all, scans, night))).unwrap_or_else(|_| {
        tracing::error!(rule = rule.id, "a rule could not be judged");
        RuleOutcome { failed: Some("a fault in the program".into()), ..RuleOutcome::of(rule) }
    })
}

fn one(rule: &Rule, all: &[&Rule], scans: u32, night: &mut Night<'_>) -> RuleOutcome {
    match &rule.detector {
        Detector::Spike { .. } => spike::judge(rule, night),
        Detector::Cluster { at_least, metres, days } => {
            cluster::judge(rule, *at_least, (*metres, *days), scans, night)
        }
        Detector::Repeat { of, at_least, within } => repeat::judge(rule, *of, *at_least, *within, night),
        Detector::Drop { .. } => drop::judge(rule, night),
        Detector::Share { .. } => share::judge(rule, night),
        Detector::Spread { .. } => spread::look(rule, all, night),
        Detector::Combine { .. } => RuleOutcome::of(rule),
    }
}

/// What a rule needs of the house method.
fn wanted_by(rule: &Rule, all: &[&Rule], night: &mut Night<'_>) -> Vec<Wanted> {
    let sets: Vec<CategorySet> = match &rule.detector {
        Detector::Spike { method: None, .. } | Detector::Drop { by_source: false, .. } => {
            apart(rule).into_iter().map(|(_, set)| set).collect()
        }
        Detector::Spread { into: Into::AdjacentWards, .. } => {
            spread::apart(rule, all).into_iter().map(|(_, set)| set).collect()
        }
        _ => return Vec::new(),
    };
    let Some(window) = rolling(rule, night) else { return Vec::new() };
    let kind = rule.areas.kind;
    let mut wanted = Vec::new();
    for set in sets {
        wanted.push(Wanted::new(kind, set, window, 0));
        let profile = events::Used::of(rule, set, night).profile(night);
        if profile != 0 {
            wanted.push(Wanted::new(kind, set, window, profile));
        }
    }
    wanted
}

/// The window of a rule that looks at days; none where it looks at calendar months.
fn rolling(rule: &Rule, night: &Night<'_>) -> Option<Window> {
    match rule.period {
        Period::Days(days) => {
            Some(Window::ending(night.ledger.last() - Days::new(rule.wait_days.into()), days))
        }
        Period::Months(_) => None,
    }
}

/// The sets of categories that a rule judges, with their codes where it judges each apart.
fn apart(rule: &Rule) -> Vec<(Option<String>, CategorySet)> {
    if rule.categories.each.is_empty() {
        return vec![(None, rule.categories.all)];
    }
    rule.categories.each.iter().map(|(code, set)| (Some(code.clone()), *set)).collect()
}

/// The cases that are placed well enough for a rule.
fn placed<'c>(rule: &Rule, night: &Night<'c>) -> Vec<&'c Case> {
    let well = |case: &&Case| rule.quality.is_none_or(|quality| case.precision <= quality);
    night.cases.iter().copied().filter(well).collect()
}

/// What an expectation over a window adds to what a rule looks at.
fn cell(usual: Expectation, window: Window) -> Cell {
    Cell { usual, days: f64::from(window.days()) }
}

/// A finding about nothing yet.
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
        signal: super::rule::signal(&rule.detector),
        share: None,
        calendar: Vec::new(),
        without_calendar: None,
        recurrence,
        members,
    }
}

/// The wards with most of the cases, at most five: those a larger area's alert is about.
fn most(cases: &[&Case]) -> Vec<String> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for ward in cases.iter().filter_map(|case| case.ward.as_deref()) {
        *counts.entry(ward).or_default() += 1;
    }
    let mut wards: Vec<_> = counts.into_iter().collect();
    wards.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    wards.into_iter().take(5).map(|(ward, _)| ward.to_owned()).collect()
}
