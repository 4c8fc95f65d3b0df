//! The quarterly report: what it needs, loaded.

use super::{background::background, figures::Question, night::Engine, rules::checked_apart};
use crate::{
    count::{Seen, SeenIncident},
    model::{Action, ActionState, Alert, AlertState, AreaKind, Window},
    publish::{Publication, Span, draw},
    report::{Definition, Inputs, NoReport, Quarter, RecordCounts, Records, Report, Whom, reach},
    rules::Event,
    store::PublishedStore,
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// The class of crimes, where a pack has one.
const CRIME: &str = "crime";

/// Days after which it is looked how many reports are known.
const LATEST: u32 = 90;

/// Alerts that are looked through, the latest first: many times as many as a county has in years.
const ALERTS: i64 = 20_000;

/// An alert without what was said of it from an instant on.
fn alert_as_of(alert: &mut Alert, as_of: DateTime<Utc>) {
    if alert.state == AlertState::Closed && alert.changed_at >= as_of {
        alert.state = AlertState::Open;
    }
    alert.closing = alert.closing.take().filter(|closing| closing.at < as_of);
    alert.acknowledged.retain(|one| one.at < as_of);
}

/// An action that had not ended by an instant.
fn action_as_of(action: &mut Action, as_of: DateTime<Utc>) {
    if action.ended_at.is_some_and(|at| at >= as_of) {
        (action.state, action.ended_at, action.outcome) = (ActionState::Open, None, None);
    }
}

impl Engine {
    /// The report of a quarter as of an instant: publications, alerts, actions and records of before it. An error of the inner
    /// kind is the caller's to mend.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn quarter(
        self: &Arc<Self>,
        quarter: Quarter,
        whom: Whom,
        definitions: Vec<Definition>,
        as_of: DateTime<Utc>,
    ) -> Result<Result<Report, NoReport>> {
        let needed = reach(quarter);
        let published = PublishedStore::new(self.store.clone());
        let mut weeks = published
            .publications(Span::Week, (needed.first, needed.last))
            .await
            .context("loading what is published")?;
        weeks.retain(|week| week.as_known_on <= as_of);
        // Of a quarter before everything that is published it is told where that begins.
        if weeks.is_empty()
            && let Some((_, last)) = published.reach(Span::Week).await?
        {
            weeks = published.publications(Span::Week, (NaiveDate::MIN, last)).await?;
        }
        let days = quarter.days();
        let last = weeks.iter().map(|week| week.window.last).filter(|last| *last <= days.last).max();
        let geography = self.county.geography(last.unwrap_or(days.last).min(self.county.day_of(as_of)))?;
        let mut alerts = self.store.alerts(ALERTS).await.context("loading the alerts")?;
        for alert in &mut alerts {
            alert_as_of(alert, as_of);
        }
        let mut actions = self.store.actions_before(as_of).await.context("loading the actions")?;
        for action in &mut actions {
            action_as_of(action, as_of);
        }
        let events = self.events(days.last).await?;
        let own: Vec<&Publication> = weeks.iter().filter(|week| quarter.has(week.window)).collect();
        let records = self.records(quarter, &own).await?;
        let changed_areas = self.county.changed_between(days.first, days.last);
        let pack = &self.county.pack;
        let inputs = Inputs {
            quarter,
            whom,
            pack,
            geography: &geography,
            changed_areas,
            weeks,
            alerts,
            actions,
            events: &events,
            records,
            definitions,
            as_of,
        };
        Ok(Report::of(&inputs))
    }

    /// The events of the calendar of the rules in force, by first day.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn events(&self, day: NaiveDate) -> Result<Vec<Event>> {
        let saved = self.store.last_rules().await.context("loading the rules")?;
        let Some(saved) = saved else { return Ok(Vec::new()) };
        let own = saved.files.into_iter().filter(|(name, _)| name.starts_with("calendar/")).collect();
        Ok(checked_apart(own, &self.county, day).await?.calendar.events)
    }

    /// The records of some weeks of a quarter as known when the last of them was published: what arrives later moves no share.
    /// People's reports are counted once, when all of its weeks are there: each further week would be one more look at them.
    async fn records(self: &Arc<Self>, quarter: Quarter, weeks: &[&Publication]) -> Result<Records> {
        let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else { return Ok(Records::default()) };
        let known = last.as_known_on;
        let end = last.window.last + Days::new(1);
        let between = (self.county.start_of(first.window.first), self.county.start_of(end));
        let counts = if weeks.len() == quarter.weeks().len() {
            Some(self.record_counts(quarter, weeks, between, known).await?)
        } else {
            None
        };
        let (mut rows, mut rejected) = (0, 0);
        for import in self.store.imports().await.context("loading the imports")? {
            if (between.0..between.1).contains(&import.imported_at) && import.imported_at <= known {
                rows += import.row_count;
                rejected += import.rejected;
            }
        }
        let (half_known_after, most_known_after) = self.delays(last.window.last, known).await?;
        Ok(Records { counts, rows, rejected, half_known_after, most_known_after })
    }

    async fn record_counts(
        self: &Arc<Self>,
        quarter: Quarter,
        weeks: &[&Publication],
        between: (DateTime<Utc>, DateTime<Utc>),
        known: DateTime<Utc>,
    ) -> Result<RecordCounts> {
        let (unlocated, reclassified, withdrawn) =
            self.store.record_quality(between, known).await.context("counting records")?;
        // The same count gets the same number, another count an unrelated one.
        let changed = |what: &str, count: i64| {
            count + draw(&self.answer_key, &format!("records/{quarter}/{what}/{count}"), &mut [])
        };
        let mut crimes = None;
        if self.county.pack.class_label(CRIME).is_some() {
            let (seen, engine) = (self.as_known(known).await?, Arc::clone(self));
            let windows: Vec<Window> = weeks.iter().map(|week| week.window).collect();
            crimes = Some(background(move || engine.crimes(&seen, quarter, &windows)).await??);
        }
        Ok(RecordCounts {
            crimes,
            unlocated: changed("unlocated", unlocated),
            reclassified: changed("reclassified", reclassified),
            withdrawn: changed("withdrawn", withdrawn),
        })
    }

    /// Crimes of some weeks by district, each on the boundaries of its week, as its published count is; changed as that is.
    fn crimes(&self, seen: &Seen, quarter: Quarter, weeks: &[Window]) -> Result<BTreeMap<String, i64>> {
        let mut members: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
        for week in weeks {
            let geography = self.county.geography(week.last)?;
            for district in geography.of_kind(AreaKind::District) {
                members.entry(district.code.clone()).or_default();
            }
            let zone = self.county.pack.zone;
            let own = |crime: &SeenIncident<'_>| {
                crime.class() == CRIME && crime.day(zone).is_some_and(|day| week.holds(day))
            };
            for crime in seen.iter().filter(own) {
                let above =
                    crime.ward().into_iter().flat_map(|ward| geography.above(ward, AreaKind::District));
                for district in above {
                    members.entry(district.code.clone()).or_default().push(crime.id());
                }
            }
        }
        let changed = |(district, mut members): (String, Vec<Uuid>)| {
            let cell = format!("records/{quarter}/{CRIME}/{district}");
            let count = members.len() as i64 + draw(&self.answer_key, &cell, &mut members);
            (district, count)
        };
        Ok(members.into_iter().map(changed).collect())
    }

    /// After how many days half and nine tenths of reports are known, as the engine has learned it by the quarter's end.
    async fn delays(
        self: &Arc<Self>,
        last: NaiveDate,
        as_of: DateTime<Utc>,
    ) -> Result<(Option<u32>, Option<u32>)> {
        let night = last.min(self.county.day_of(as_of) - Days::new(1));
        let seen = self.as_known(as_of).await?;
        let engine = Arc::clone(self);
        background(move || {
            let question = Question {
                night,
                as_known_on: as_of,
                kind: AreaKind::Whole,
                category: None,
                class: None,
                days: 1,
            };
            let geography = engine.county.geography(night)?;
            let counted = question.counted(&engine, &geography, &seen);
            let known = counted.completeness();
            let after = |share: f64| (0..=LATEST).find(|days| known.after(i64::from(*days)) >= share);
            Ok((after(0.5), after(0.9)))
        })
        .await?
    }
}
