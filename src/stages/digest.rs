//! The weekly digest: what is open, what was too weak for a mail, what was quiet on request, and that the engine ran. It goes
//! out when all was quiet too, so that silence is known to be health.

use super::{
    data_alerts::analysts,
    night::{Engine, When},
    rules::InForce,
};
use crate::{
    failpoint,
    mail::{Note, NoteLine, NoteSection, about},
    model::{Alert, AlertLevel, AlertState, AreaKind, Geography, Mailbox, Party, Role},
    rules::Status,
    store::{MessageKind, Run, SavedSilence, Tx},
    words::counted,
};
use anyhow::{Context, Result};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Who gets it.
const READERS: [Role; 4] = [Role::CspCoordinator, Role::NptSergeant, Role::HateLead, Role::Analyst];

/// Whether a night is the last of a digest's week.
#[must_use]
pub fn ends_a_week(night: NaiveDate) -> bool {
    night.weekday() == Weekday::Sun
}

/// A week, for everybody.
struct Week {
    first: NaiveDate,
    last: NaiveDate,
    alerts: Vec<Alert>,
    runs: Vec<Run>,
    silences: Vec<SavedSilence>,
    events: BTreeMap<String, i64>,
    wards: usize,
    rules: usize,
    rules_version: String,
    overdue: Vec<String>,
    /// The analyst's address.
    analyst: Option<String>,
}

impl Engine {
    /// Puts the digest of the week that ends with this night into the outbox, one for each reader; how many there were.
    pub(super) async fn digest(&self, tx: &mut Tx, when: When, rules: &InForce) -> Result<usize> {
        if !ends_a_week(when.night) {
            return Ok(0);
        }
        let geography = self.county.geography(when.night)?;
        let directory = self.directory().await?;
        let analyst = analysts(&directory).next().map(|analyst| analyst.address.clone());
        let week = self.week(tx, when, rules, &geography, analyst).await?;
        let key = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("digest/{}", when.night).as_bytes());
        let mut made = 0;
        let mut told = BTreeSet::new();
        for to in &directory {
            if !to.active || !READERS.contains(&to.role) || !told.insert(to.address.to_lowercase()) {
                continue;
            }
            if tx.thread_root(key, &to.address).await?.is_some() {
                continue; // the same night again
            }
            let note = week.note(to, &geography, self);
            self.note(tx, &note, (MessageKind::Digest, key), to, when.now).await?;
            made += 1;
            failpoint::reached("digest");
        }
        Ok(made)
    }

    async fn week(
        &self,
        tx: &mut Tx,
        when: When,
        rules: &InForce,
        geography: &Geography,
        analyst: Option<String>,
    ) -> Result<Week> {
        let first = when.night - Days::new(6);
        let mut runs = Vec::new();
        for back in 1..7 {
            let night = when.night - Days::new(back);
            runs.extend(self.store.run_of(night).await.context("looking for the nights of the week")?);
        }
        let (from, to) = (self.county.start_of(first), when.now);
        let judged = rules.set.rules.iter().filter(|rule| rule.is_evaluated());
        Ok(Week {
            first,
            last: when.night,
            alerts: tx.alerts_since(first).await.context("loading the alerts")?,
            runs,
            silences: self.store.silences().await.context("loading the silences")?,
            events: self
                .store
                .events_between(from, to)
                .await
                .context("counting what happened")?
                .into_iter()
                .collect(),
            wards: geography.of_kind(AreaKind::Ward).count(),
            rules: judged.clone().filter(|rule| rule.status == Status::Live).count(),
            rules_version: rules.set.version.clone(),
            overdue: judged
                .filter(|rule| rule.review_by < when.night)
                .map(|rule| {
                    format!(
                        "{}: was to be looked at again by {}",
                        rule.title,
                        rule.review_by.format("%-d %B %Y")
                    )
                })
                .collect(),
            analyst,
        })
    }
}

impl Week {
    fn note(&self, to: &Mailbox, geography: &Geography, engine: &Engine) -> Note {
        let own = |alert: &&Alert| concerns(to, alert, geography);
        let alerts: Vec<&Alert> = self.alerts.iter().filter(own).collect();
        let part = |keep: &dyn Fn(&Alert) -> bool| -> Vec<NoteLine> {
            let kept = alerts.iter().filter(|alert| keep(alert));
            kept.map(|alert| line(alert, geography, engine)).collect()
        };
        let alive = |alert: &Alert| alert.state != AlertState::Closed;
        let watch = |alert: &Alert| alert.latest.level == AlertLevel::Watch && alert.told.is_none();
        let open = part(&|alert| alive(alert) && !watch(alert));
        let weak = part(&|alert| watch(alert) && (alive(alert) || alert.opened >= self.first));
        let closed = part(&|alert| !alive(alert) && !watch(alert));
        let analyst = to.role == Role::Analyst;
        let heading = match (open.len(), weak.len()) {
            // What was not looked at was not quiet.
            (0, 0) if self.missing() > 0 => "Nothing was found on the nights that ran".to_owned(),
            (0, 0) => "All was quiet".to_owned(),
            (0, 1) => "One weak signal, no alert".to_owned(),
            (0, many) => format!("{many} weak signals, no alert"),
            (1, _) => "One alert is open".to_owned(),
            (many, _) => format!("{many} alerts are open"),
        };
        let reader = Party { role: to.role, area: to.area.clone() }.label(geography);
        let days = format!("{} to {}", self.first.format("%-d %B"), self.last.format("%-d %B %Y"));
        Note {
            subject: format!("Weekly digest, {days}"),
            heading: format!("{heading} in the week {days}"),
            lede: self.health(),
            asked: String::new(),
            link: Some((format!("{}/alerts", engine.site), "See all alerts".into())),
            sections: vec![
                NoteSection { heading: "Open alerts".into(), lines: open },
                NoteSection {
                    heading: "Weak signals, expected about once in 30 days by chance".into(),
                    lines: weak,
                },
                NoteSection { heading: "Closed this week".into(), lines: closed },
                NoteSection { heading: "Quiet on request".into(), lines: self.silent(engine) },
                NoteSection {
                    heading: "Rules that are due for a review".into(),
                    lines: if analyst { self.overdue.iter().map(NoteLine::plain).collect() } else { Vec::new() },
                },
                NoteSection {
                    heading: "What ran".into(),
                    lines: if analyst { self.ran() } else { Vec::new() },
                },
            ],
            reader,
            again: "A digest comes every week, also when all was quiet: one that is missing means that something is wrong"
                .into(),
            // The analysts keep the directory.
            unsubscribe: self.analyst.clone(),
            attached: None,
        }
    }

    /// One sentence that says whether the silence can be trusted.
    fn health(&self) -> String {
        let nights = counted(self.runs.len() as u64 + 1, "night");
        let errors = self.errors();
        let wrong = match errors.len() {
            0 => "no errors".to_owned(),
            1 => "one error".to_owned(),
            many => format!("{many} errors"),
        };
        let missing = match self.missing() {
            0 => String::new(),
            1 => "; one night did not run".into(),
            many => format!("; {many} nights did not run"),
        };
        let rules = if self.rules == 1 { "One rule".to_owned() } else { format!("{} rules", self.rules) };
        format!("{rules} looked at {} wards on {nights}, with {wrong}{missing}", self.wards)
    }

    /// Nights of the week that were not judged; the one that sends this was.
    fn missing(&self) -> usize {
        6_usize.saturating_sub(self.runs.len())
    }

    fn errors(&self) -> Vec<String> {
        let of = |run: &Run| {
            let rules = run.summary["rules"].as_array().cloned().unwrap_or_default();
            let failed = rules.iter().filter_map(|rule| {
                rule["failed"]
                    .as_str()
                    .map(|why| format!("{}: {}", rule["rule"].as_str().unwrap_or("a rule"), why))
            });
            failed.collect::<Vec<_>>()
        };
        self.runs.iter().flat_map(of).collect()
    }

    fn silent(&self, engine: &Engine) -> Vec<NoteLine> {
        let zone = engine.county.pack.zone;
        let ended = |saved: &SavedSilence| {
            let ended = saved.ended_at.map(|at| at.with_timezone(&zone).date_naive());
            ended.unwrap_or(saved.silence.last).min(saved.silence.last)
        };
        let in_week = self
            .silences
            .iter()
            .filter(|saved| saved.silence.first <= self.last && ended(saved) >= self.first);
        in_week
            .map(|saved| {
                let silence = &saved.silence;
                NoteLine::plain(format!(
                    "{}, until {}, asked for by {}: {}",
                    super::silences::in_words(silence, engine),
                    ended(saved).format("%-d %B %Y"),
                    silence.author,
                    silence.reason
                ))
            })
            .collect()
    }

    fn ran(&self) -> Vec<NoteLine> {
        let count = |what: &str| self.events.get(what).copied().unwrap_or(0);
        let mut lines = vec![
            NoteLine::plain(format!("Version {} of the rules", self.rules_version)),
            NoteLine::plain(format!(
                "{} alerts opened, {} messages told, {} not told for a reason on record, {} acknowledged, {} not acknowledged \
                 in time, {} closed",
                count("opened"),
                count("told"),
                count("not told"),
                count("acknowledged"),
                count("not acknowledged in time"),
                count("closed")
            )),
        ];
        lines.extend(self.errors().into_iter().map(NoteLine::plain));
        lines
    }
}

/// Whether an alert lies where a mailbox answers.
fn concerns(to: &Mailbox, alert: &Alert, geography: &Geography) -> bool {
    let Some(area) = &to.area else { return true };
    alert.latest.wards.iter().any(|ward| geography.lies_in(ward, area))
}

fn line(alert: &Alert, geography: &Geography, engine: &Engine) -> NoteLine {
    let finding = &alert.latest;
    let state = alert.closing.as_ref().map_or_else(
        || alert.state.code().to_owned(),
        |closing| format!("closed, {}", closing.outcome.label()),
    );
    let untold = alert.untold.as_ref().filter(|_| alert.told.is_none() && finding.level > AlertLevel::Watch);
    let untold = untold.map_or_else(String::new, |reason| format!("; not mailed: {}", reason.in_words()));
    NoteLine {
        text: format!(
            "{}, {state}: {}, {} {}, since {}{untold}",
            alert.number,
            about(finding, &engine.county.pack, geography),
            finding.observed,
            if finding.observed == 1 { "report" } else { "reports" },
            alert.opened.format("%-d %B")
        ),
        link: Some(format!("{}/alerts/{}", engine.site, alert.number)),
    }
}
