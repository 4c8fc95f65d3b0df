//! Answers of the engine about a night that is over: judged again with what was known and the rules that were in force.

use super::{
    county::County,
    night::{Engine, When, name_after},
    rules::checked,
};
use crate::{
    model::{Alert, AreaKind, Finding, Geography},
    rules::{Detector, ExplainKnown, Night, Rule, RuleOutcome, RuleSet, evaluate, explain, follow, why_not},
    store::{AlertEvent, Run},
};
use anyhow::{Context, Result, anyhow, bail};
use chrono::{Days, NaiveDate};
use std::sync::Arc;

/// An alert, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The alert.
    pub alert: Alert,
    /// Its night.
    pub night: NaiveDate,
    /// Every number in order, each a sentence.
    pub steps: Vec<String>,
    /// What happened to it.
    pub events: Vec<AlertEvent>,
    /// The mailboxes that were told.
    pub told: Vec<String>,
}

/// What a rule said of a ward on a night.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyNot {
    /// The rule's id.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// Whether it holds, or the first condition that failed; then what else bears on it.
    pub lines: Vec<String>,
}

/// A night judged again.
struct Again {
    set: RuleSet,
    outcomes: Vec<RuleOutcome>,
    geography: Arc<Geography>,
    /// What share of a window's reports was usually known, by rule.
    known: Vec<(String, f64)>,
}

impl Again {
    fn known(&self, rule: &Rule) -> ExplainKnown {
        let share = self.known.iter().find(|(id, _)| *id == rule.id).map_or(1.0, |(_, share)| *share);
        let outcome = self.outcomes.iter().find(|outcome| outcome.rule == rule.id);
        ExplainKnown { share, looked_at: outcome.map_or(0, |outcome| outcome.looked_at) }
    }
}

impl Engine {
    /// Explains an alert by the latest night on which its rule held.
    ///
    /// # Errors
    ///
    /// When there is no such alert, or its night can't be judged again.
    pub async fn explain(&self, number: &str) -> Result<Option<Explained>> {
        let Some(alert) = self.store.alert(number).await.context("looking for the alert")? else {
            return Ok(None);
        };
        let (run, finding) = self.latest(&alert).await?;
        let again = self.again(&run).await?;
        let rule = again.set.rules.iter().find(|rule| rule.id == finding.rule);
        let rule = rule.ok_or_else(|| anyhow!("the rule {} was not in force that night", finding.rule))?;
        let rule = rule.at(&finding.wards, &again.geography);
        let mut steps = explain(&finding, rule, again.known(rule), &again.geography);
        let same = again.outcomes.iter().flat_map(|outcome| &outcome.findings).any(|found| {
            found.rule == finding.rule
                && found.members == finding.members
                && found.observed == finding.observed
        });
        steps.push(if same {
            "Judged again with what was known that night, the rule finds the same.".into()
        } else {
            "Judged again with what was known that night, the rule does not find quite the same: the program or the records have changed since.".into()
        });
        let events = self.store.alert_events(alert.id).await.context("loading what happened")?;
        let told = self.store.mailboxes_told(alert.id).await.context("loading who was told")?;
        Ok(Some(Explained { night: run.night, alert, steps, events, told }))
    }

    /// The latest night on which an alert's rule held, with the finding.
    async fn latest(&self, alert: &Alert) -> Result<(Run, Finding)> {
        let mut night = alert.night;
        while night >= alert.opened {
            if let Some(run) = self.store.run_of(night).await.context("looking for the night")? {
                let findings = self.store.findings(run.id).await.context("loading what was found")?;
                if let Some(finding) = findings.into_iter().find(|found| found.identity() == alert.identity) {
                    return Ok((run, finding));
                }
            }
            night = night - Days::new(1);
        }
        bail!("no run on record found {}", alert.number)
    }

    /// What each rule said of a ward on a night: those that held, and the first condition of each that did not.
    ///
    /// # Errors
    ///
    /// When no run of that night is on record, or it can't be judged again.
    pub async fn why_not(
        &self,
        ward: &str,
        category: Option<&str>,
        night: NaiveDate,
    ) -> Result<Option<Vec<WhyNot>>> {
        let Some(run) = self.store.run_of(night).await.context("looking for the night")? else {
            return Ok(None);
        };
        let again = self.again(&run).await?;
        anyhow::ensure!(
            again.geography.get(AreaKind::Ward, ward).is_some(),
            "no ward {ward} was in force on {night}"
        );
        let alerts = self.store.alerts_since(night).await.context("loading the alerts")?;
        let mut answers = Vec::new();
        for rule in &again.set.rules {
            let here = rule.at(&[ward.to_owned()], &again.geography);
            let outcome = again.outcomes.iter().find(|outcome| outcome.rule == rule.id);
            let looks = category.is_none_or(|code| {
                let asked = self.county.pack.categories.find(code);
                asked.is_none_or(|asked| asked.touches(rule.categories.all))
            });
            let mut lines = if looks {
                why_not(here, outcome, (ward, category), again.known(rule), &again.geography)
            } else {
                vec!["does not look at that strand".into()]
            };
            let about = |alert: &&Alert| {
                alert.latest.rule == rule.id
                    && alert.opened <= night
                    && alert.night >= night
                    && alert.latest.wards.iter().any(|own| own == ward)
            };
            for alert in alerts.iter().filter(about) {
                lines.push(standing(alert, &again));
            }
            answers.push(WhyNot { rule: rule.id.clone(), title: rule.title.clone(), lines });
        }
        Ok(Some(answers))
    }

    /// Judges a night again with the rules that were in force on it.
    async fn again(&self, run: &Run) -> Result<Again> {
        let saved =
            self.store.rules_of(&run.rules_version).await.context("loading the rules of that night")?;
        let saved = saved.ok_or_else(|| anyhow!("the rules {} are not on record", run.rules_version))?;
        let set = checked(&saved.files, &self.county, run.night)?
            .rule_set()
            .ok_or_else(|| anyhow!("the rules of that night do not fit the area pack any more"))?;
        let when = When { night: run.night, as_known_on: run.as_known_on, now: run.as_known_on, tick: None };
        let seen = self.as_known(when.as_known_on).await?;
        let cases = self.cases(&seen, when.as_known_on);
        let geography = self.with_neighbours(&set, run.night).await?;
        let mut night = Night::new(&geography, &self.county.pack.categories, &cases, run.night)
            .with_calendar(&set.calendar);
        let mut outcomes = evaluate(&set, &mut night);
        for outcome in outcomes.iter_mut().filter(|outcome| !outcome.clusters.is_empty()) {
            let lives =
                self.store.lives_before(&outcome.rule, run.night).await.context("loading the clusters")?;
            name_after(outcome, &lives, run.night);
        }
        let before = self.before(&set, run.night).await?;
        follow(&set, &geography, run.night, &before, &mut outcomes);
        let share = |rule: &Rule| {
            let days = match (&rule.detector, rule.period) {
                (Detector::Cluster { days, .. }, _) => *days,
                (_, crate::model::Period::Days(days)) => days,
                (_, crate::model::Period::Months(_)) => return (rule.id.clone(), 1.0),
            };
            let last = run.night - Days::new(rule.wait_days.into());
            (rule.id.clone(), night.known_share(crate::model::Window::ending(last, days)))
        };
        let known = set.rules.iter().map(share).collect();
        Ok(Again { set, outcomes, geography, known })
    }
}

/// How an alert stands, and why nobody was told again.
fn standing(alert: &Alert, again: &Again) -> String {
    let folded = again.outcomes.iter().find(|outcome| outcome.folds.contains(&alert.identity));
    match (folded, &alert.told) {
        (Some(combined), _) => format!("alert {} is folded into that of {}", alert.number, combined.rule),
        (None, Some(told)) => format!(
            "alert {} is {} now; its recipients were last told on {}, and are told again only when it grows",
            alert.number,
            state(alert),
            told.on.format("%-d %B %Y")
        ),
        (None, None) => format!("alert {} is {} now, and nobody was told", alert.number, state(alert)),
    }
}

/// How an alert stands, as a word.
fn state(alert: &Alert) -> &'static str {
    alert.state.code()
}

/// The ward that a code or a name stands for on a day.
///
/// # Errors
///
/// When the county's links are wrong on that day.
pub fn ward_named(county: &County, text: &str, day: NaiveDate) -> Result<Option<String>> {
    let geography = county.geography(day)?;
    let mut found = geography
        .of_kind(AreaKind::Ward)
        .filter(|ward| ward.code == text || ward.name.eq_ignore_ascii_case(text));
    Ok(match (found.next(), found.next()) {
        (Some(ward), None) => Some(ward.code.clone()),
        _ => None,
    })
}
