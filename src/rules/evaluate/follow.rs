//! Rules that follow other rules: judged after them, night by night, with what held on the nights before.

use super::{
    super::{Detector, Rule, RuleSet},
    RuleOutcome, combine, spread,
};
use crate::model::{Finding, Geography};
use chrono::{Days, NaiveDate};

/// What held on a night and on those before it.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// The night.
    pub night: NaiveDate,
    /// Findings with the nights they held on, the night itself among them.
    pub findings: &'a [(NaiveDate, Finding)],
}

impl<'a> Earlier<'a> {
    /// Findings of a rule on the night and so many days before.
    pub(super) fn of(
        &self,
        rule: &'a str,
        days: u32,
    ) -> impl Iterator<Item = (NaiveDate, &'a Finding)> + use<'a> {
        let (from, to) = (self.night - Days::new(days.into()), self.night);
        let held = self
            .findings
            .iter()
            .filter(move |(night, finding)| (from..=to).contains(night) && finding.rule == rule);
        held.map(|(night, finding)| (*night, finding))
    }
}

/// Judges the rules that follow others. `before` holds the findings of the nights before, at least as many as
/// [`RuleSet::remembers`] says, with the nights; the order of nights matters, and the same nights give the same.
pub fn follow(
    rules: &RuleSet,
    geography: &Geography,
    night: NaiveDate,
    before: &[(NaiveDate, Finding)],
    outcomes: &mut [RuleOutcome],
) {
    let of = |id: &str| rules.rules.iter().find(|rule| rule.id == id);
    // Combined rules come last: they may name a rule that spreads.
    for combined in [false, true] {
        let mut all: Vec<(NaiveDate, Finding)> =
            before.iter().filter(|(earlier, _)| *earlier < night).cloned().collect();
        all.extend(
            outcomes.iter().flat_map(|outcome| outcome.findings.iter().map(|one| (night, one.clone()))),
        );
        let earlier = Earlier { night, findings: &all };
        for outcome in outcomes.iter_mut() {
            let Some(rule) = of(&outcome.rule) else { continue };
            match &rule.detector {
                Detector::Spread { after, .. } if !combined => {
                    spread::beside(rule, of(after), outcome, &earlier, geography);
                }
                Detector::Combine { .. } if combined => {
                    combine::judge(rule, rules, outcome, &earlier, geography);
                }
                _ => {}
            }
        }
    }
}

impl RuleSet {
    /// How many nights back rules that follow others look; 0 without any.
    #[must_use]
    pub fn remembers(&self) -> u32 {
        let days = |rule: &Rule| match rule.detector {
            Detector::Spread { within, .. } | Detector::Combine { within, .. } if rule.is_evaluated() => {
                within
            }
            _ => 0,
        };
        self.rules.iter().map(days).max().unwrap_or(0)
    }
}
