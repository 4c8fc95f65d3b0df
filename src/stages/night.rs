//! One engine night: what was known, what the rules say of it, which alerts change, who is told.

use super::{county::County, rules::InForce, telling};
use crate::{
    alerts::{self, Judged},
    count::Case,
    model::Finding,
    rules::{Night, Rule, RuleOutcome, Status, evaluate},
    store::{AlertEvent, Run, RunOutcome, SeenIncident, Store, Tx},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::json;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What every night needs beside the rules.
pub struct Engine {
    /// Where everything is kept.
    pub store: Store,
    /// The county.
    pub county: County,
    /// The sender of messages.
    pub from: String,
    /// What links in messages begin with.
    pub site: String,
    /// The county is invented: messages say so.
    pub synthetic: bool,
}

/// Which night, seen from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The last local day looked at.
    pub night: NaiveDate,
    /// What became known from this instant on is not seen.
    pub as_known_on: DateTime<Utc>,
    /// The present moment, or for a replay the moment it is replayed as.
    pub now: DateTime<Utc>,
    /// The tick of the schedule that is answered.
    pub tick: Option<DateTime<Utc>>,
}

/// What a night brought.
#[derive(Debug, Clone, PartialEq)]
pub struct NightReport {
    /// The night.
    pub night: NaiveDate,
    /// Incidents known.
    pub incidents: usize,
    /// What each rule found.
    pub outcomes: Vec<RuleOutcome>,
    /// Alerts that opened, by number.
    pub opened: Vec<String>,
    /// Messages put into the outbox.
    pub messages: usize,
    /// Wards and roles for which nobody could be found.
    pub gaps: Vec<String>,
    /// Sources that are late.
    pub late: Vec<String>,
    /// The night lies before one that was done: it was judged, and nobody is told.
    pub past: bool,
}

impl NightReport {
    /// Everything that holds.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.outcomes.iter().flat_map(|outcome| &outcome.findings)
    }
}

impl Engine {
    /// Runs a night. Alerts, messages, findings and the record of the run are saved together or not at all. The same night
    /// with the same data and rules gives the same findings; alerts and messages that are there already stay as they are.
    ///
    /// # Errors
    ///
    /// When the store fails, or a message can't be made; the run is then recorded as failed.
    pub async fn night(&self, when: When, rules: &InForce) -> Result<NightReport> {
        let mut run = Run {
            id: Uuid::now_v7(),
            night: when.night,
            tick: when.tick,
            as_known_on: when.as_known_on,
            started_at: when.now,
            finished_at: None,
            outcome: RunOutcome::Running,
            rules_version: rules.set.version.clone(),
            summary: json!({}),
        };
        let last = self.store.last_run().await.context("looking for the last night")?;
        let past = last.is_some_and(|last| last.night > when.night);
        let mut tx = self.store.begin().await?;
        let begun = tx.begin_run(&run).await.context("noting that the run begins")?;
        tx.commit().await?;
        anyhow::ensure!(begun, "the tick {:?} has been answered already", when.tick);
        match self.judge_and_tell(&mut run, when, rules, past).await {
            Ok(report) => Ok(report),
            Err(wrong) => {
                let mut tx = self.store.begin().await?;
                tx.fail_run(run.id, when.now, &json!({"error": format!("{wrong:#}")})).await?;
                tx.commit().await.context("noting that the run failed")?;
                Err(wrong)
            }
        }
    }

    async fn judge_and_tell(
        &self,
        run: &mut Run,
        when: When,
        rules: &InForce,
        past: bool,
    ) -> Result<NightReport> {
        let began = Instant::now();
        let seen = self.store.incidents_as_known(when.as_known_on).await.context("loading what was known")?;
        let zone = self.county.pack.zone;
        let tick = when.as_known_on.with_timezone(&zone).time();
        let cases: Vec<Case> =
            seen.iter().map(|one| Case::of(&one.incident, one.first_known, zone, tick)).collect();
        let geography = self.county.geography(when.night)?;
        let mut night = Night::new(&geography, &self.county.pack.categories, &cases, when.night);
        let outcomes = evaluate(&rules.set, &mut night);
        let late = night.completeness().feeds().iter().filter(|feed| feed.late_by > 0);
        let late = late.map(|feed| feed.source.clone()).collect();
        let mut report = NightReport {
            night: when.night,
            incidents: seen.len(),
            outcomes,
            opened: Vec::new(),
            messages: 0,
            gaps: Vec::new(),
            late,
            past,
        };
        let mut tx = self.store.begin().await?;
        if !past {
            let telling =
                telling::Telling { engine: self, geography: &geography, seen: &seen, night: &night, when };
            self.tell(&mut tx, &telling, rules, &mut report).await?;
        }
        run.finished_at = Some(when.now);
        run.outcome = RunOutcome::Done;
        run.summary = summary(&report, rules, began.elapsed());
        let findings: Vec<Finding> = report.findings().cloned().collect();
        tx.finish_run(run, &findings).await.context("noting that the run is done")?;
        tx.commit().await.context("saving the night")?;
        Ok(report)
    }

    /// Takes the alerts one night further and puts what is due into the outbox.
    async fn tell(
        &self,
        tx: &mut Tx,
        telling: &telling::Telling<'_>,
        rules: &InForce,
        report: &mut NightReport,
    ) -> Result<()> {
        let when = telling.when;
        let judged: Vec<Judged> = report
            .outcomes
            .iter()
            .flat_map(|outcome| outcome.findings.iter().map(move |finding| (&outcome.rule, finding)))
            .filter_map(|(id, finding)| {
                let rule = find(rules, id)?;
                let shadow = rule.status == Status::Shadow;
                Some(Judged { finding: finding.clone(), quiet_for_days: rule.quiet_for_days, shadow })
            })
            .collect();
        let longest = rules.set.rules.iter().map(|rule| rule.quiet_for_days).max().unwrap_or(0);
        let since = when.night - Days::new(u64::from(longest) + 1);
        let alerts = self.store.alerts_since(since).await.context("loading the alerts")?;
        let year = chrono::Datelike::year(&when.night);
        let mut numbers = std::collections::VecDeque::new();
        for _ in 0..alerts::numbers_wanted(when.night, &alerts, &judged) {
            numbers.push_back(tx.next_alert_number(year).await?);
        }
        let mut next_number = |_| numbers.pop_front().unwrap_or_default();
        let prefix = &self.county.pack.prefix;
        let step =
            alerts::step(when.night, when.now, alerts, &judged, &mut Uuid::now_v7, &mut next_number, prefix);
        for alert in &step.alerts {
            tx.save_alert(alert, when.night).await.context("saving an alert")?;
        }
        for (alert, event) in &step.events {
            let event = AlertEvent { at: when.now, what: event.code().into(), who: "engine".into() };
            tx.add_alert_event(Uuid::now_v7(), *alert, &event).await?;
        }
        for notice in &step.notices {
            let Some(alert) = step.alerts.iter().find(|alert| alert.id == notice.alert) else { continue };
            let Some(rule) = find(rules, &alert.latest.rule) else { continue };
            telling.notice(tx, alert, notice, rule, report).await?;
        }
        let opened = step.alerts.iter().filter(|alert| alert.opened == when.night && alert.sequence <= 1);
        report.opened = opened.map(|alert| alert.number.clone()).collect();
        Ok(())
    }
}

fn find<'r>(rules: &'r InForce, id: &str) -> Option<&'r Rule> {
    rules.set.rules.iter().find(|rule| rule.id == id)
}

fn summary(report: &NightReport, rules: &InForce, took: Duration) -> serde_json::Value {
    let rule = |outcome: &RuleOutcome| {
        json!({
            "rule": outcome.rule,
            "looked_at": outcome.looked_at,
            "findings": outcome.findings.len(),
            "nearest": outcome.nearest,
        })
    };
    json!({
        "incidents": report.incidents,
        "milliseconds": took.as_millis() as u64,
        "rules": report.outcomes.iter().map(rule).collect::<Vec<_>>(),
        "alerts_opened": report.opened,
        "messages": report.messages,
        "gaps": report.gaps,
        "replay_of_a_past_night": report.past,
        "late_sources": report.late,
        "rule_mistakes": rules.mistakes,
    })
}

/// What the engine saw of an incident, by its key.
pub(super) fn by_id<'s>(seen: &'s [SeenIncident], id: &Uuid) -> Option<&'s SeenIncident> {
    seen.iter().find(|one| one.incident.id == *id)
}
