//! From a notice to what its recipients are to be told.

use super::{
    letters::Letter,
    night::{Engine, Evaluated, NightReport, When},
};
use crate::{
    alerts::{Notice, route},
    mail::{FEWEST, Facts, Figures, LateReports, about},
    model::{Alert, Asked, CalendarNote, Effect, Finding, Mailbox, SignalKind, Subject, Window},
    picture::History,
    rules::Rule,
};

/// The latest days of which reports usually still come.
const LATE_DAYS: u32 = 3;

/// What the messages of a night are made from.
pub(super) struct Telling<'a> {
    pub(super) engine: &'a Engine,
    pub(super) night: &'a Evaluated,
    pub(super) directory: &'a [Mailbox],
    pub(super) when: When,
}

impl Telling<'_> {
    /// Finds who is told of a notice and what, and notes in the alert that they are asked to acknowledge it.
    ///
    /// `first` is what was told first, if anything was.
    pub(super) fn notice(
        &self,
        alert: &mut Alert,
        notice: &Notice,
        rule: &Rule,
        first: Option<&Facts>,
        report: &mut NightReport,
    ) -> (Facts, Vec<Letter>) {
        let route = route(&alert.latest, &rule.who, &self.night.geography, self.directory);
        report.gaps.extend(route.gaps.iter().map(|gap| {
            format!(
                "{}: nobody as {} for ward {}",
                alert.number,
                gap.role,
                gap.ward.as_deref().unwrap_or("none")
            )
        }));
        let now = self.when.now;
        let by = rule.ack_within_days.map(|days| self.engine.county.working_days().after(now, days));
        let parties = route.recipients.iter().map(crate::alerts::Recipient::party).collect();
        alert.asked = vec![Asked { parties, since: now, by }];
        alert.follow_up_days = Some(rule.follow_up_within_days);
        let members = self.night.seen.of(&alert.latest.members);
        let facts = Facts {
            alert: alert.clone(),
            kind: notice.kind.clone(),
            about: first.map_or_else(
                || about(&alert.latest, &self.engine.county.pack, &self.night.geography),
                |first| first.about.clone(),
            ),
            before: notice.before.clone(),
            figures: Figures::of(&members, &self.engine.county.pack),
            history: self.history(alert, rule),
            data_as_at: self.when.as_known_on,
            late: self.late(),
            calendar: calendar(&alert.latest),
            rule_in_words: rule.in_words(),
            tell_again: rule.tell_again,
        };
        let then = by.map(|_| super::follow_up::next_in_words(&rule.then_tell));
        let letters = Letter::each(
            &facts,
            notice.sequence,
            route.recipients,
            &self.night.geography,
            by,
            then.as_deref(),
        );
        (facts, letters)
    }

    /// The counts of the windows before, of the same area and categories, each against its own normal where the night knows
    /// it.
    fn history(&self, alert: &Alert, rule: &Rule) -> Option<History> {
        let finding = &alert.latest;
        let Subject::Area { area, category, source: None, .. } = &finding.subject else { return None };
        if matches!(finding.signal, SignalKind::Share | SignalKind::Combine) {
            return None;
        }
        let outcome = self.night.outcomes.iter().find(|outcome| outcome.rule == finding.rule);
        let past = outcome.map(|outcome| outcome.past(finding)).unwrap_or_default();
        if !past.is_empty() {
            return Some(History::of(past, finding.window));
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
        // Of a handful even a half would tell a count.
        let through = note.through.as_ref().filter(|_| finding.observed >= FEWEST);
        let through =
            through.map_or_else(String::new, |through| format!("; {}", through.in_short(finding.observed)));
        format!("{}, {days}{made}{through}", note.name)
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
