//! One engine night: what was known, what the rules say of it, which alerts change, who is told.

use super::{county::County, data_alerts::data_alerts, maps::Maps, rules::InForce, telling};
use crate::{
    alerts::{self, Judged},
    cluster::Lives,
    count::{Case, Completeness, Ledger, Seen},
    failpoint,
    mail::{Facts, Signer},
    model::{AlertLevel, Cluster, Finding, Geography, Mailbox, Subject},
    rules::{Detector, Night, Rule, RuleOutcome, RuleSet, Status, evaluate, follow},
    store::{AlertEvent, Known, Run, RunOutcome, Store, Tx},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::json;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::Instrument;
use uuid::Uuid;

/// What every night needs beside the rules.
pub struct Engine {
    /// Where everything is kept.
    pub store: Store,
    /// What is known of incidents, kept between nights.
    pub known: Known,
    /// The county.
    pub county: Arc<County>,
    /// The sender of messages.
    pub from: String,
    /// Who signs messages, if they are signed.
    pub signer: Option<Signer>,
    /// What links in messages begin with.
    pub site: String,
    /// The protective marking of messages, for example `OFFICIAL-SENSITIVE`; empty for none.
    pub marking: String,
    /// Makes the links by which recipients answer; a secret of this installation.
    pub answer_key: String,
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

/// What the rules say of a night, with what they said it of.
pub struct Evaluated {
    pub(super) seen: Seen,
    pub(super) geography: Arc<Geography>,
    pub(super) ledger: Ledger,
    pub(super) completeness: Completeness,
    pub(super) outcomes: Vec<RuleOutcome>,
    took: Duration,
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
    /// Messages held, because one recipient would have got too many at once.
    pub held: usize,
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
    /// Roles and mailboxes as they are now: whoever mends the directory need not start the program again.
    pub(super) async fn directory(&self) -> Result<Vec<Mailbox>> {
        self.store.directory().await.context("loading the directory")
    }

    /// Runs a night. Alerts, messages, findings and the record of the run are saved together or not at all. The same night
    /// with the same data and rules gives the same findings; alerts and messages that are there already stay as they are.
    ///
    /// # Errors
    ///
    /// When the store fails, or a message can't be made; the run is then recorded as failed, and the analyst told.
    pub async fn night(&self, when: When, rules: &InForce) -> Result<NightReport> {
        self.recorded(when, rules, None).await
    }

    /// The rest of a night that was evaluated before, as when many are replayed side by side.
    ///
    /// # Errors
    ///
    /// As [`Engine::night`].
    pub async fn settle(&self, when: When, rules: &InForce, evaluated: Evaluated) -> Result<NightReport> {
        self.recorded(when, rules, Some(evaluated)).await
    }

    /// What the rules say of a night with the incidents known on it. Nothing is saved, and nights don't depend on each
    /// other.
    ///
    /// # Errors
    ///
    /// When the county's links are wrong on that day.
    pub fn evaluate(&self, seen: Seen, when: When, rules: &InForce) -> Result<Evaluated> {
        let began = Instant::now();
        let cases = self.cases(&seen, when.as_known_on);
        let geography = self.county.geography(when.night)?;
        let mut night = Night::new(&geography, &self.county.pack.categories, &cases, when.night)
            .with_calendar(&rules.set.calendar);
        let outcomes = evaluate(&rules.set, &mut night);
        let (ledger, completeness) = night.into_counts();
        Ok(Evaluated { seen, geography, ledger, completeness, outcomes, took: began.elapsed() })
    }

    async fn recorded(
        &self,
        when: When,
        rules: &InForce,
        evaluated: Option<Evaluated>,
    ) -> Result<NightReport> {
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
        let span = tracing::info_span!("night", run = %run.id, night = %when.night);
        match Box::pin(self.judge_and_tell(&mut run, when, rules, past, evaluated)).instrument(span).await {
            Ok(report) => Ok(report),
            Err(wrong) => {
                let mut tx = self.store.begin().await?;
                tx.fail_run(run.id, when.now, &json!({"error": format!("{wrong:#}")})).await?;
                tx.commit().await.context("noting that the run failed")?;
                // A replay of the past tells nobody; whoever asked for it sees the error.
                if !past && let Err(untold) = self.night_failed(&wrong, when.now).await {
                    tracing::error!(
                        error = format!("{untold:#}"),
                        "nobody could be told that the night failed"
                    );
                }
                Err(wrong)
            }
        }
    }

    /// Every incident that counts, as known just before an instant.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn as_known(&self, instant: DateTime<Utc>) -> Result<Seen> {
        self.known.as_known(&self.store, instant).await.context("loading what was known")
    }

    /// What analysis needs of them, for nights that look at the local time of an instant.
    pub(super) fn cases(&self, seen: &Seen, instant: DateTime<Utc>) -> Vec<Case> {
        let zone = self.county.pack.zone;
        let tick = instant.with_timezone(&zone).time();
        seen.iter().map(|one| one.case(zone, tick)).collect()
    }

    async fn judge_and_tell(
        &self,
        run: &mut Run,
        when: When,
        rules: &InForce,
        past: bool,
        evaluated: Option<Evaluated>,
    ) -> Result<NightReport> {
        let mut evaluated = match evaluated {
            Some(evaluated) => evaluated,
            None => self.evaluate(self.as_known(when.as_known_on).await?, when, rules)?,
        };
        let began = Instant::now();
        let lives = self.name_clusters(&mut evaluated.outcomes, when.night, rules).await?;
        self.follow(&mut evaluated, when.night, rules).await?;
        let late = evaluated.completeness.feeds().iter().filter(|feed| feed.late_by > 0);
        let mut report = NightReport {
            night: when.night,
            incidents: evaluated.seen.len(),
            outcomes: evaluated.outcomes.clone(),
            opened: Vec::new(),
            messages: 0,
            held: 0,
            gaps: Vec::new(),
            late: late.map(|feed| feed.source.clone()).collect(),
            past,
        };
        let told =
            || report.findings().map(|finding| (when.night, finding.wards.clone())).collect::<Vec<_>>();
        let mut maps = if past { Maps::default() } else { self.maps_at_hand(told()).await };
        let mut tx = self.store.begin().await?;
        if !past {
            for (rule, lives) in &lives {
                tx.save_lives(rule, when.night, lives).await.context("keeping the clusters")?;
            }
            let directory = &self.directory().await?;
            let telling = telling::Telling { engine: self, night: &evaluated, directory, when };
            self.tell(&mut tx, &telling, &mut maps, rules, &mut report).await?;
        }
        run.finished_at = Some(when.now);
        run.outcome = RunOutcome::Done;
        run.summary = summary(&report, rules, evaluated.took + began.elapsed());
        let findings: Vec<Finding> = report.findings().cloned().collect();
        tx.finish_run(run, &findings).await.context("noting that the run is done")?;
        failpoint::reached("night-before-commit");
        tx.commit().await.context("saving the night")?;
        failpoint::reached("night-after-commit");
        // The night stands whatever comes of this; what is due stays due.
        if !past && let Err(wrong) = self.look_again(&evaluated.seen, when).await {
            tracing::error!(error = %format!("{wrong:#}"), "areas of actions could not be looked at again");
        }
        if !past && let Err(wrong) = self.publish_due(&evaluated.seen, evaluated.ledger.first(), when).await {
            tracing::error!(error = %format!("{wrong:#}"), "figures for partners could not be published");
        }
        Ok(report)
    }

    /// Judges the rules that follow others, by what was found on the nights before.
    async fn follow(&self, evaluated: &mut Evaluated, night: NaiveDate, rules: &InForce) -> Result<()> {
        if rules.set.remembers() == 0 {
            return Ok(());
        }
        let before = self.before(&rules.set, night).await?;
        evaluated.geography = self.with_neighbours(&rules.set, night).await?;
        follow(&rules.set, &evaluated.geography, night, &before, &mut evaluated.outcomes);
        Ok(())
    }

    /// What was found on the nights before, as far back as the rules look.
    pub(super) async fn before(
        &self,
        rules: &RuleSet,
        night: NaiveDate,
    ) -> Result<Vec<(NaiveDate, Finding)>> {
        let mut before = Vec::new();
        for back in 1..=rules.remembers() {
            let earlier = night - Days::new(back.into());
            if let Some(run) = self.store.run_of(earlier).await.context("looking for earlier nights")? {
                let findings = self.store.findings(run.id).await.context("loading earlier findings")?;
                before.extend(findings.into_iter().map(|finding| (earlier, finding)));
            }
        }
        Ok(before)
    }

    /// The areas of a night, with the wards that share a border where a rule asks for them.
    pub(super) async fn with_neighbours(&self, rules: &RuleSet, night: NaiveDate) -> Result<Arc<Geography>> {
        let geography = self.county.geography(night)?;
        if rules.remembers() == 0 {
            return Ok(geography);
        }
        let neighbours = self.county.neighbours(&self.store, night).await?;
        Ok(Arc::new(Arc::unwrap_or_clone(geography).with_neighbours(neighbours)))
    }

    /// Gives every cluster the name it had on the night before, and tells what became of each rule's clusters.
    async fn name_clusters(
        &self,
        outcomes: &mut [RuleOutcome],
        night: NaiveDate,
        rules: &InForce,
    ) -> Result<Vec<(String, Lives)>> {
        let mut all = Vec::new();
        let by_clusters = |outcome: &&mut RuleOutcome| {
            find(rules, &outcome.rule).is_some_and(|rule| matches!(rule.detector, Detector::Cluster { .. }))
        };
        for outcome in outcomes.iter_mut().filter(by_clusters) {
            let before =
                self.store.lives_before(&outcome.rule, night).await.context("loading the clusters")?;
            let lives = name_after(outcome, &before, night);
            all.push((outcome.rule.clone(), lives));
        }
        Ok(all)
    }

    /// Takes the alerts one night further and puts what is due into the outbox.
    async fn tell(
        &self,
        tx: &mut Tx,
        telling: &telling::Telling<'_>,
        maps: &mut Maps,
        rules: &InForce,
        report: &mut NightReport,
    ) -> Result<()> {
        let when = telling.when;
        let geography = &telling.night.geography;
        // A member folds into a rule that is told, of at least its own level.
        let folded: BTreeSet<(&String, AlertLevel)> = report
            .outcomes
            .iter()
            .filter_map(|outcome| Some((outcome, find(rules, &outcome.rule)?)))
            .filter(|(_, rule)| rule.status == Status::Live)
            .flat_map(|(outcome, rule)| outcome.folds.iter().map(move |identity| (identity, rule.level)))
            .collect();
        let folds = |finding: &Finding| {
            let identity = finding.identity();
            folded.iter().any(|(own, level)| **own == identity && *level >= finding.level)
        };
        let silences = self.store.silences_on(when.night).await.context("loading the silences")?;
        let judged: Vec<Judged> = report
            .outcomes
            .iter()
            .flat_map(|outcome| outcome.findings.iter().map(move |finding| (&outcome.rule, finding)))
            .filter_map(|(id, finding)| {
                let rule = find(rules, id)?.at(&finding.wards, geography);
                Some(Judged {
                    finding: finding.clone(),
                    quiet_for_days: rule.quiet_for_days,
                    shadow: rule.status == Status::Shadow,
                    folded: folds(finding),
                    silenced: alerts::silenced(finding, &silences, when.night, geography),
                    hold_nights: rule.hold_nights,
                    tell_again: rule.tell_again,
                })
            })
            .collect();
        let quiet = |rule: &Rule| {
            rule.overrides.iter().map(|own| own.rule.quiet_for_days).fold(rule.quiet_for_days, u32::max)
        };
        let longest = rules.set.rules.iter().map(quiet).max().unwrap_or(0);
        let since = when.night - Days::new(u64::from(longest) + 1);
        tx.take_turn_with_alerts().await.context("waiting for others")?;
        let alerts = tx.alerts_since(since).await.context("loading the alerts")?;
        let year = chrono::Datelike::year(&when.night);
        let mut numbers = std::collections::VecDeque::new();
        for _ in 0..alerts::numbers_wanted(when.night, &alerts, &judged) {
            numbers.push_back(tx.next_alert_number(year).await?);
        }
        let mut next_number = |_| numbers.pop_front().unwrap_or_default();
        let prefix = &self.county.pack.prefix;
        let mut step =
            alerts::step(when.night, when.now, alerts, &judged, &mut Uuid::now_v7, &mut next_number, prefix);
        let mut letters = Vec::new();
        let mut notices = Vec::new();
        for notice in &step.notices {
            let Some(alert) = step.alerts.iter_mut().find(|alert| alert.id == notice.alert) else { continue };
            let Some(rule) = find(rules, &alert.latest.rule) else { continue };
            let rule = rule.at(&alert.latest.wards, geography);
            let first: Option<Facts> =
                self.store.notice(alert.id, 0).await.context("loading what was told first")?;
            let (facts, own) = telling.notice(alert, notice, rule, first.as_ref(), report);
            notices.push((alert.id, notice.sequence, facts));
            letters.extend(own);
        }
        for alert in &step.alerts {
            tx.save_alert(alert, when.night).await.context("saving an alert")?;
        }
        for (alert, event) in &step.events {
            let event = AlertEvent {
                at: when.now,
                what: event.code().into(),
                who: "engine".into(),
                why: event.why(),
            };
            tx.add_alert_event(Uuid::now_v7(), *alert, &event).await?;
        }
        for (alert, sequence, facts) in &notices {
            tx.save_notice(*alert, *sequence, facts).await.context("keeping what is told")?;
        }
        let posted = self.post(tx, letters, maps, geography, when.now).await?;
        report.messages += posted.messages;
        report.held += posted.held;
        let posted = self.follow_up_in(tx, maps, when.now, rules).await?;
        report.messages += posted.messages;
        report.held += posted.held;
        report.messages += self.digest(tx, when, rules).await?;
        let failed = self.failed_lately(when.now).await?;
        let held = self.held(tx, report.held).await?;
        let data = data_alerts(report, rules, &failed, &held);
        report.messages += self.keep_data_alerts(tx, &data, when.now).await?;
        let opened = step.alerts.iter().filter(|alert| alert.opened == when.night && alert.sequence <= 1);
        report.opened = opened.map(|alert| alert.number.clone()).collect();
        Ok(())
    }
}

/// Gives the clusters of a rule the names they had on the night before.
pub(super) fn name_after(outcome: &mut RuleOutcome, before: &Lives, night: NaiveDate) -> Lives {
    let holds =
        |one: &Cluster| outcome.findings.iter().any(|finding| finding.subject == Subject::Cluster(one.name));
    let lives = before.next(&outcome.clusters, night, holds);
    let found = outcome.clusters.iter().zip(&lives.alive);
    let names: HashMap<Uuid, Uuid> = found.map(|(found, life)| (found.name, life.name)).collect();
    for finding in &mut outcome.findings {
        if let Subject::Cluster(name) = &mut finding.subject {
            *name = names.get(name).copied().unwrap_or(*name);
        }
    }
    lives
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
            "nearest": outcome.nearest().map(ToString::to_string),
            "failed": outcome.failed,
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
