//! What an analyst has to know of the data, the rules, the directory and the mail: told once when it begins, listed while it
//! lasts, never told to a partnership.

use super::{
    night::{Engine, NightReport},
    rules::InForce,
};
use crate::{
    mail::{Note, NoteLine, NoteSection},
    model::{DataAlert, Mailbox, Role},
    store::{FailedMessage, MessageKind, Tx},
};
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Messages that failed in so many days are told.
const FAILED_WITHIN: TimeDelta = TimeDelta::days(7);

/// So many lines of a list are told.
const MOST_LINES: usize = 20;

/// Everything that holds after a night. Pure: what was found goes in, what an analyst has to know comes out.
#[must_use]
pub fn data_alerts(report: &NightReport, rules: &InForce, failed: &[FailedMessage]) -> Vec<DataAlert> {
    let mut found: Vec<DataAlert> = report
        .late
        .iter()
        .map(|source| DataAlert {
            identity: format!("late/{source}"),
            title: format!("No reports from {source} for longer than ever in a year"),
            text: "What it is behind counts as not yet known: areas are shown as too early to say, and rules about falling \
                   reports wait. Ask the source whether its export runs, then import what is missing"
                .into(),
        })
        .collect();
    if report.incidents == 0 {
        found.push(DataAlert {
            identity: "no-data".into(),
            title: "No incident is known at all".into(),
            text: "Nothing can be found without reports. Import files with `tension-watch import incidents`"
                .into(),
        });
    }
    found.extend(rules.mistakes.iter().map(|mistakes| DataAlert {
        identity: "rules/mistakes".into(),
        title: "The rule files have mistakes; the last good ones stay in force".into(),
        text: format!("Run `tension-watch rules check` and mend them. {}", first_lines(mistakes)),
    }));
    let failing =
        report.outcomes.iter().filter_map(|outcome| Some((&outcome.rule, outcome.failed.as_ref()?)));
    found.extend(failing.map(|(rule, why)| DataAlert {
        identity: format!("rule-failed/{rule}"),
        title: format!("The rule {rule} could not be judged"),
        text: format!("All other rules were. {why}"),
    }));
    if !report.gaps.is_empty() {
        found.push(DataAlert {
            identity: "directory/gaps".into(),
            title: "Somebody who should have been told is not in the directory".into(),
            text: format!(
                "The analyst and the force's lead were told instead. Run `tension-watch directory check`. {}",
                first_lines(&report.gaps.join(". "))
            ),
        });
    }
    if report.held > 0 {
        found.push(DataAlert {
            identity: format!("storm/{}", report.night),
            title: format!("{} messages to one mailbox are held", report.held),
            text: "So many at once are a fault of a rule or of the data. Look at the alerts of the night, then release them \
                   with `tension-watch outbox retry --all-held`"
                .into(),
        });
    }
    let mut by_mailbox: BTreeMap<&str, Vec<&FailedMessage>> = BTreeMap::new();
    for message in failed {
        by_mailbox.entry(&message.mailbox).or_default().push(message);
    }
    found.extend(by_mailbox.into_iter().map(|(mailbox, messages)| DataAlert {
        identity: format!("undelivered/{mailbox}"),
        title: format!("Mail to {mailbox} does not arrive"),
        text: format!(
            "{} given up: {}. Mend the directory, then send again with `tension-watch outbox retry --all-failed`",
            if messages.len() == 1 { "One message was".to_owned() } else { format!("{} messages were", messages.len()) },
            messages.last().and_then(|message| message.last_error.as_deref()).unwrap_or("no reason is known")
        ),
    }));
    found
}

fn first_lines(text: &str) -> String {
    text.lines().take(MOST_LINES).collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

impl Engine {
    /// Opens the data alerts that are new, closes those that are over, and tells the analyst of the new ones.
    pub(super) async fn keep_data_alerts(
        &self,
        tx: &mut Tx,
        found: &[DataAlert],
        now: DateTime<Utc>,
    ) -> Result<usize> {
        let open = tx.open_data_alerts().await.context("loading the data alerts")?;
        for over in open.iter().filter(|open| found.iter().all(|one| one.identity != open.alert.identity)) {
            tx.close_data_alert(over.id, now).await.context("closing a data alert")?;
        }
        let mut told = 0;
        for alert in found {
            if open.iter().any(|open| open.alert.identity == alert.identity) {
                continue;
            }
            let id = Uuid::now_v7();
            if tx.open_data_alert(id, alert, now).await.context("opening a data alert")? {
                for to in self.analysts() {
                    self.note(tx, &self.data_note(alert, to), (MessageKind::Data, id), to, now).await?;
                    told += 1;
                }
            }
        }
        Ok(told)
    }

    /// Messages given up lately.
    pub(super) async fn failed_lately(&self, now: DateTime<Utc>) -> Result<Vec<FailedMessage>> {
        self.store.failed_since(now - FAILED_WITHIN).await.context("looking for failed messages")
    }

    pub(super) fn analysts(&self) -> impl Iterator<Item = &Mailbox> {
        self.county.directory.iter().filter(|entry| entry.role == Role::Analyst && entry.active)
    }

    fn data_note(&self, alert: &DataAlert, to: &Mailbox) -> Note {
        Note {
            subject: format!("Data alert - {}", alert.title),
            heading: alert.title.clone(),
            lede: String::new(),
            asked: alert.text.clone(),
            link: Some((format!("{}/alerts", self.site), "See all faults that last".into())),
            sections: vec![NoteSection {
                heading: "Who gets this".into(),
                lines: vec![NoteLine::plain(
                    "Analysts only: partnerships are never told of faults in the data",
                )],
            }],
            reader: to.role.label().into(),
            again: "You will hear again only if it is over and begins anew".into(),
        }
    }
}
            unsubscribe: None,
