//! From a notice to the messages of its recipients.

use super::night::{Engine, Evaluated, NightReport, When, by_id};
use crate::{
    alerts::{Notice, route},
    mail::{
        Asked, Envelope, Figures, History, LateReports, MailContext, Thread, compose, message_bytes,
        message_id,
    },
    model::{Alert, CalendarNote, Effect, Finding, Incident, SignalKind, Subject, Window},
    rules::Rule,
    store::{OutboxMessage, Tx},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Datelike, Days, NaiveTime, TimeZone, Utc, Weekday};
use uuid::Uuid;

/// The latest days of which reports usually still come.
const LATE_DAYS: u32 = 3;

/// What the messages of a night are made from.
pub(super) struct Telling<'a> {
    pub(super) engine: &'a Engine,
    pub(super) night: &'a Evaluated,
    pub(super) when: When,
}

impl Telling<'_> {
    /// Puts one message for each recipient into the outbox.
    pub(super) async fn notice(
        &self,
        tx: &mut Tx,
        alert: &Alert,
        notice: &Notice,
        rule: &Rule,
        report: &mut NightReport,
    ) -> Result<()> {
        let route = route(&alert.latest, &rule.who, &self.night.geography, &self.engine.county.directory);
        report.gaps.extend(route.gaps.iter().map(|gap| {
            format!(
                "{}: nobody as {} for ward {}",
                alert.number,
                gap.role,
                gap.ward.as_deref().unwrap_or("none")
            )
        }));
        let members: Vec<&Incident> = alert
            .latest
            .members
            .iter()
            .filter_map(|id| Some(&*by_id(&self.night.seen, id)?.incident))
            .collect();
        let labels: Vec<String> = route.recipients.iter().map(|to| to.label(&self.night.geography)).collect();
        let rule_in_words = rule.in_words();
        let calendar = calendar(&alert.latest);
        for (place, to) in route.recipients.iter().enumerate() {
            let others: Vec<String> = labels
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != place)
                .map(|(_, label)| label.clone())
                .collect();
            let context = MailContext {
                alert,
                kind: &notice.kind,
                before: notice.before.as_ref(),
                pack: &self.engine.county.pack,
                geography: &self.night.geography,
                figures: Figures::of(&members, &self.engine.county.pack),
                history: self.history(alert, rule),
                data_as_at: self.when.as_known_on,
                late: self.late(),
                calendar: &calendar,
                rule_in_words: &rule_in_words,
                reader: &labels[place],
                others: &others,
                asked: Asked { by: rule.ack_within_days.map(|days| self.working_days(days)), then: None },
                site: &self.engine.site,
                marking: "OFFICIAL-SENSITIVE",
                synthetic: self.engine.synthetic,
            };
            let composed = compose(&context).context("making a message")?;
            let envelope = Envelope { from: &self.engine.from, to: &to.address };
            let id = message_id(alert.id, notice.sequence, envelope);
            let follows: Vec<String> = tx.thread_root(alert.id, &to.address).await?.into_iter().collect();
            let bytes =
                message_bytes(&composed, envelope, Thread { id: &id, follows: &follows }, self.when.now)
                    .context("making a message")?;
            let message = OutboxMessage {
                id: Uuid::now_v7(),
                alert_id: alert.id,
                mailbox: to.address.clone(),
                sequence: notice.sequence,
                message_id: id,
                message: String::from_utf8(bytes).context("a message is ASCII")?,
                created_at: self.when.now,
                attempts: 0,
            };
            tx.add_message(&message).await.context("putting a message into the outbox")?;
            report.messages += 1;
        }
        Ok(())
    }

    /// The counts of the windows before, of the same area and categories.
    fn history(&self, alert: &Alert, rule: &Rule) -> Option<History> {
        let finding = &alert.latest;
        let Subject::Area { area, category, source: None, .. } = &finding.subject else { return None };
        if matches!(finding.signal, SignalKind::Share | SignalKind::Combine) {
            return None;
        }
        let known = &self.engine.county.pack.categories;
        let categories = category.as_deref().and_then(|code| known.find(code)).unwrap_or(rule.categories.all);
        let series = self.night.ledger.series(area, categories);
        let first = self.night.ledger.first();
        let counts = History::windows(finding.window).into_iter().filter_map(|window| {
            let from = usize::try_from((window.first - first).num_days()).ok()?;
            let to = usize::try_from((window.last - first).num_days()).ok()?;
            Some((window.last, series.get(from..=to)?.iter().sum()))
        });
        Some(History::constant(counts, finding.expected, finding.usual_range?))
    }

    fn late(&self) -> Option<LateReports> {
        let known = &self.night.completeness;
        let mean =
            (1..=i64::from(LATE_DAYS)).map(|days| known.after(days)).sum::<f64>() / f64::from(LATE_DAYS);
        (mean > 0.0 && mean < 1.0)
            .then(|| LateReports { days: LATE_DAYS, percent: (1.0 / mean - 1.0) * 100.0 })
    }

    /// Five in the afternoon so many working days from now. Public holidays count as working days here.
    fn working_days(&self, days: u32) -> DateTime<Utc> {
        let zone = self.engine.county.pack.zone;
        let mut day = self.when.now.with_timezone(&zone).date_naive();
        let mut left = days;
        while left > 0 {
            day = day + Days::new(1);
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                left -= 1;
            }
        }
        let five = NaiveTime::from_hms_opt(17, 0, 0).unwrap_or(NaiveTime::MIN);
        let local = zone.from_local_datetime(&day.and_time(five)).earliest();
        local.map_or(self.when.now, |at| at.with_timezone(&Utc))
    }
}

/// Events and campaigns in the window, and what they did to what was expected, a sentence each.
fn calendar(finding: &Finding) -> Vec<String> {
    let entry = |note: &CalendarNote| {
        let Window { first, last } = note.window;
        let days = format!("{} to {}", first.format("%-d %B"), last.format("%-d %B %Y"));
        let made = match note.effect {
            Some(Effect::ExpectMore) => format!(": {} times as many are expected", note.by),
            Some(Effect::WatchCloser) => format!(": watched closer, by {}", note.by),
            Some(Effect::NoteOnly) | None => String::new(),
        };
        format!("{}, {days}{made}", note.name)
    };
    let mut lines: Vec<String> = finding.calendar.iter().map(entry).collect();
    lines.extend(finding.without_calendar.filter(|_| !lines.is_empty()).map(|plain| {
        format!(
            "Without that about {:.1} would be usual, and so many would come by chance {}",
            plain.expected, plain.recurrence
        )
    }));
    lines
}
