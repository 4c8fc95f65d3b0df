//! The quarterly report by mail: to the boards, once, as soon as the last week of a quarter is published.

use super::night::Engine;
use crate::{
    mail::{Attached, Note, NoteLine, NoteSection},
    model::{Mailbox, Party, Role},
    publish::Span,
    report::{Definition, Quarter, Report, Whom, in_short},
    store::{MessageKind, PublishedStore},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, Utc};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// Who gets it.
const READERS: [Role; 2] = [Role::Sog, Role::Spb];

/// A quarter whose last week was published longer ago is not sent any more: a site that has just begun, or a mailbox that was just
/// added, gets the next one.
const NEWS: Days = Days::new(28);

impl Engine {
    /// Puts the report of the latest quarter into the outbox, for each mailbox of the boards that has not had it; how many messages
    /// there were. Only quarters whose last week was published within four weeks are sent. `on_paper` makes the file that goes
    /// with it; without one the mail has the figures in short and leads to the page.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn send_quarter(
        self: &Arc<Self>,
        terms: &[Definition],
        on_paper: impl FnOnce(Report) -> Option<Vec<u8>> + Send + 'static,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        let published = PublishedStore::new(self.store.clone());
        let Some((_, last)) = published.reach(Span::Week).await? else { return Ok(0) };
        let Some(run) = self.store.last_night().await? else { return Ok(0) };
        let current = Quarter::of(last);
        let whole = current.weeks().last().is_some_and(|week| week.last <= last);
        let quarter = if whole { current } else { current.before() };
        let Some(end) = quarter.weeks().last().map(|week| week.last) else { return Ok(0) };
        let week = published.publications(Span::Week, (end - Days::new(6), end)).await?;
        if !week.iter().any(|week| week.as_known_on + NEWS >= now) {
            return Ok(0);
        }
        let key = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("report/{quarter}").as_bytes());
        let directory = self.directory().await?;
        let mut told = BTreeSet::new();
        let mut due: Vec<&Mailbox> = Vec::new();
        let mut tx = self.store.begin().await?;
        for to in directory.iter().filter(|to| to.active && READERS.contains(&to.role)) {
            if told.insert(to.address.to_lowercase()) && tx.thread_root(key, &to.address).await?.is_none() {
                due.push(to);
            }
        }
        tx.commit().await?;
        if due.is_empty() {
            return Ok(0);
        }
        let report = match self.quarter(quarter, Whom::County, terms.to_vec(), run.as_known_on).await? {
            // One week in the middle that could not be published makes it provisional for ever: it is not sent as whole.
            Ok(report) if !report.is_provisional() => report,
            Ok(_) | Err(_) => return Ok(0),
        };
        let made = report.clone();
        let file = super::county::apart(move || on_paper(made)).await?;
        let attached = file.map(|bytes| Attached {
            name: format!("{}-county.pdf", report.quarter),
            kind: "application/pdf".into(),
            bytes,
        });
        let geography = self.county.geography(run.night)?;
        let mut tx = self.store.begin().await?;
        let mut made = 0;
        for to in due {
            if tx.thread_root(key, &to.address).await?.is_some() {
                continue; // somebody else was quicker
            }
            let reader = Party { role: to.role, area: to.area.clone() }.label(&geography);
            let note = self.quarter_note(&report, reader, attached.clone());
            self.note(&mut tx, &note, (MessageKind::Report, key), to, now).await?;
            made += 1;
        }
        tx.commit().await.context("sending a quarterly report")?;
        Ok(made)
    }

    fn quarter_note(&self, report: &Report, reader: String, attached: Option<Attached>) -> Note {
        let (heading, answers) = in_short(report);
        let page = format!("{}/reports/{}", self.site, report.quarter);
        let line = |(name, said, code): (String, String, Option<String>)| NoteLine {
            text: format!("{name}: {said}"),
            link: code.map(|code| format!("{page}?for={code}")),
        };
        Note {
            subject: format!("Quarterly report, {}", report.quarter_in_words),
            heading,
            lede: answers.first().cloned().unwrap_or_default(),
            asked: String::new(),
            link: Some((page.clone(), "Open the report".into())),
            sections: vec![
                NoteSection {
                    heading: "What was done".into(),
                    lines: answers.iter().skip(1).map(NoteLine::plain).collect(),
                },
                NoteSection {
                    heading: "By partnership".into(),
                    lines: crate::report::by_partnership(report).into_iter().map(line).collect(),
                },
            ],
            reader,
            again: "The next report comes two weeks after the end of the next quarter".into(),
            unsubscribe: None,
            attached,
        }
    }
}
