//! What an analyst has to know of the data, the rules, the directory and the mail: told once when it begins, listed while it
//! lasts, never told to a partnership.

use super::{
    night::{Engine, NightReport},
    rules::InForce,
};
use crate::{
    failpoint,
    mail::{Note, NoteLine, NoteSection},
    model::{DataAlert, Mailbox, Role},
    store::{FailedMessage, MessageKind, Tx},
};
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Messages that failed in so many days are told.
const FAILED_WITHIN: TimeDelta = TimeDelta::days(7);

/// So many lines of a list are told.
const MOST_LINES: usize = 20;

/// The night itself came to nothing.
const NIGHT_FAILED: &str = "night-failed";

/// Mail is held; with the day it was made.
const STORM: &str = "storm/";

/// Everything that holds after a night. Pure: what was found goes in, what an analyst has to know comes out. That a night
/// failed is not among it: a night that got so far has not.
#[must_use]
pub fn data_alerts(
    report: &NightReport,
    rules: &InForce,
    failed: &[FailedMessage],
    held: &BTreeMap<NaiveDate, usize>,
) -> Vec<DataAlert> {
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
        text: format!(
            "Run `tension-watch rules check`, which shows each with what to do. {}",
            in_short(mistakes)
        ),
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
    found.extend(held.iter().map(storm));
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

/// Mail that was made on a day and is held.
fn storm((day, messages): (&NaiveDate, &usize)) -> DataAlert {
    let many = match messages {
        1 => "One message is held".to_owned(),
        many => format!("{many} messages are held"),
    };
    DataAlert {
        identity: format!("{STORM}{day}"),
        title: format!("{many}: one mailbox would have got too many at once, or a backup was restored"),
        text: "So many at once are a fault of a rule or of the data; what was written just after a restore may have been sent \
               before. Look at the alerts of the night, then release them \
               with `tension-watch outbox retry --all-held`"
            .into(),
    }
}

fn first_lines(text: &str) -> String {
    text.lines().take(MOST_LINES).collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

/// Mistakes of rule files without the drawing of their lines.
fn in_short(shown: &str) -> String {
    let lines: Vec<&str> = shown.lines().collect();
    let found = lines.windows(2).filter_map(|pair| {
        let (message, place) = (pair[0].strip_prefix("error: ")?, pair[1].trim().strip_prefix("--> ")?);
        Some(format!("{place}: {message}"))
    });
    let found: Vec<String> = found.take(MOST_LINES).collect();
    first_lines(&if found.is_empty() { shown.to_owned() } else { found.join("; ") })
}

/// Who looks after the data.
pub(super) fn analysts(directory: &[Mailbox]) -> impl Iterator<Item = &Mailbox> {
    directory.iter().filter(|entry| entry.role == Role::Analyst && entry.active)
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
            told += self.raise_data_alert(tx, alert, now).await?;
        }
        Ok(told)
    }

    /// Opens a data alert and tells the analyst of it, unless it is open; how many messages were made.
    async fn raise_data_alert(&self, tx: &mut Tx, alert: &DataAlert, now: DateTime<Utc>) -> Result<usize> {
        let id = Uuid::now_v7();
        if !tx.open_data_alert(id, alert, now).await.context("opening a data alert")? {
            return Ok(0);
        }
        let mut told = 0;
        for to in analysts(&self.directory().await?) {
            self.note(tx, &self.data_note(alert, to), (MessageKind::Data, id), to, now).await?;
            told += 1;
        }
        failpoint::reached("data-alert");
        Ok(told)
    }

    /// Tells the analyst that a night came to nothing, once while that lasts: the next night that is done ends it.
    ///
    /// # Errors
    ///
    /// When the store fails, or the message can't be made.
    pub async fn night_failed(&self, why: &anyhow::Error, now: DateTime<Utc>) -> Result<()> {
        let alert = DataAlert {
            identity: NIGHT_FAILED.into(),
            title: "The nightly run failed: nothing is judged and nobody is told".into(),
            text: format!(
                "`serve` tries again every minute. Whoever runs the program has to look at its log. {}",
                first_lines(&format!("{why:#}"))
            ),
        };
        let mut tx = self.store.begin().await?;
        self.raise_data_alert(&mut tx, &alert, now).await?;
        tx.commit().await.context("keeping that a night failed")
    }

    /// Mail that is held, by the day it was made. `new` is what this run holds; without any and without an open data alert
    /// nothing is.
    pub(super) async fn held(&self, tx: &mut Tx, new: usize) -> Result<BTreeMap<NaiveDate, usize>> {
        let open = tx.open_data_alerts().await.context("loading the data alerts")?;
        let mut held = BTreeMap::new();
        if new > 0 || open.iter().any(|open| open.alert.identity.starts_with(STORM)) {
            for made in tx.held_since().await.context("looking for held messages")? {
                *held.entry(self.county.day_of(made)).or_default() += 1;
            }
        }
        Ok(held)
    }

    /// Tells the analyst of mail that is held outside a night; how many messages were made.
    pub(super) async fn tell_held(&self, tx: &mut Tx, new: usize, now: DateTime<Utc>) -> Result<usize> {
        if new == 0 {
            return Ok(0);
        }
        let mut told = 0;
        for alert in self.held(tx, new).await?.iter().map(storm) {
            told += self.raise_data_alert(tx, &alert, now).await?;
        }
        Ok(told)
    }

    /// Messages given up lately.
    pub(super) async fn failed_lately(&self, now: DateTime<Utc>) -> Result<Vec<FailedMessage>> {
        self.store.failed_since(now - FAILED_WITHIN).await.context("looking for failed messages")
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
            unsubscribe: None,
            attached: None,
        }
    }
}
