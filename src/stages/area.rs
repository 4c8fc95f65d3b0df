//! One area closely: how its counts ran, which categories they carry and when in the week they happened.

use super::{background::background, figures::Question, night::Engine};
use crate::{
    count::{Seen, SeenIncident},
    detect::Past,
    model::{AreaRef, CategorySet, Geography, Window},
};
use anyhow::Result;
use chrono::{DateTime, Datelike, Days, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;
use std::sync::Arc;

/// Days of the curve and of the hours: two years.
const REACH: u64 = 2 * 365;

/// Hours that are counted together.
pub const HOURS: u32 = 3;

/// Reports by weekday, Monday first, and by blocks of three hours, midnight first.
pub type Week = [[u32; 24 / HOURS as usize]; 7];

/// One area closely.
#[derive(Debug, Clone, PartialEq)]
pub struct AreaView {
    /// Two years of windows without gaps between them, oldest first; the last is the one asked for. Empty with too little
    /// history.
    pub curve: Vec<Past>,
    /// What each category has, in the order of the pack; an incident that carries several counts in each.
    pub categories: Vec<CategoryView>,
    /// When in the week, over two years, of the categories asked for.
    pub hours: Week,
    /// Reports of the same time whose hour is not known to three hours.
    pub without_hour: u32,
}

/// One category in one area.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryView {
    /// Its code.
    pub code: String,
    /// Incidents in the window.
    pub observed: u64,
    /// Incidents usual in it.
    pub expected: f64,
    /// The central 95 % of what is usual.
    pub usual_range: (u64, u64),
    /// Incidents in the year that ends with the window.
    pub year: u64,
}

/// Looks at one area; the question's kind of area is not asked for. None when there is no such area on that day.
///
/// # Errors
///
/// When the store fails.
pub async fn area_view(
    engine: &Arc<Engine>,
    area: &AreaRef,
    question: &Question,
) -> Result<Option<AreaView>> {
    let seen = engine.as_known(question.as_known_on).await?;
    let (engine, area, question) = (Arc::clone(engine), area.clone(), question.clone());
    background(move || looked_at(&engine, &seen, &area, &question)).await?
}

fn looked_at(engine: &Engine, seen: &Seen, area: &AreaRef, question: &Question) -> Result<Option<AreaView>> {
    let geography = engine.county.geography(question.night)?;
    if geography.get(area.kind, &area.code).is_none() {
        return Ok(None);
    }
    let known = &engine.county.pack.categories;
    let mut night = question.counted(engine, &geography, seen);
    let one = question.category.as_deref().and_then(|code| known.find(code));
    let asked: CategorySet = one.unwrap_or(known.all());
    let window = Window::ending(question.night, question.days);
    let windows = (REACH / u64::from(question.days.max(1))) as usize;
    let curve = night.curve(area, asked, window, windows);
    let categories = known.codes().iter().filter_map(|code| {
        let one = known.find(code)?;
        let (judgement, usual) =
            night.judge(area.kind, one, window).into_iter().find(|(judgement, _)| judgement.area == *area)?;
        let series = night.ledger().series(area, one);
        let end = usize::try_from((window.last - night.ledger().first()).num_days() + 1).ok()?;
        let year = series.get(end.saturating_sub(365)..end).unwrap_or_default();
        Some(CategoryView {
            code: code.clone(),
            observed: judgement.observed,
            expected: judgement.expected,
            usual_range: usual.usual_range(),
            year: year.iter().map(|count| u64::from(*count)).sum(),
        })
    });
    let categories = categories.collect();
    let own = Own {
        area,
        geography: &geography,
        asked,
        question,
        first: window.last - Days::new(REACH - 1),
        last: window.last,
    };
    let (hours, without_hour) = own.hours(seen, engine.county.pack.zone);
    Ok(Some(AreaView { curve, categories, hours, without_hour }))
}

/// Which reports are counted by hour.
struct Own<'a> {
    area: &'a AreaRef,
    geography: &'a Geography,
    asked: CategorySet,
    question: &'a Question,
    first: NaiveDate,
    last: NaiveDate,
}

impl Own<'_> {
    fn holds(&self, incident: &SeenIncident<'_>, zone: Tz) -> bool {
        let day = incident.occurred().0.with_timezone(&zone).date_naive();
        incident.categories().touches(self.asked)
            && self.question.counts(incident)
            && (self.first..=self.last).contains(&day)
            && incident.ward().is_some_and(|ward| self.geography.lies_in(ward, self.area))
    }

    fn hours(&self, seen: &Seen, zone: Tz) -> (Week, u32) {
        let mut week = Week::default();
        let mut without = 0;
        for one in seen.iter().filter(|one| self.holds(one, zone)) {
            match block(one.occurred(), zone) {
                Some((weekday, block)) => week[weekday][block] += 1,
                None => without += 1,
            }
        }
        (week, without)
    }
}

/// The weekday and the block of hours in which it happened, when both ends of its range lie in the same one. Midnight to the
/// minute is what records without an hour say.
fn block((first, last): (DateTime<Utc>, DateTime<Utc>), zone: Tz) -> Option<(usize, usize)> {
    let of = |at: DateTime<Utc>| {
        let local = at.with_timezone(&zone);
        (local.date_naive(), (local.hour() / HOURS) as usize)
    };
    let (from, to) = (of(first), of(last));
    let local = first.with_timezone(&zone);
    let is_bare_day = local.num_seconds_from_midnight() == 0 && first == last;
    (from == to && !is_bare_day).then_some((from.0.weekday().num_days_from_monday() as usize, from.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_is_local_and_counts_only_when_it_is_known() {
        let of = |from: &str, to: &str| {
            block((from.parse().unwrap(), to.parse().unwrap()), chrono_tz::Europe::London)
        };
        // 23:30 on a Monday in winter; in summer the same instant is half past midnight on Tuesday.
        assert_eq!(of("2026-01-05T23:30:00Z", "2026-01-05T23:30:00Z"), Some((0, 7)));
        assert_eq!(of("2026-06-29T23:30:00Z", "2026-06-29T23:30:00Z"), Some((1, 0)));
        assert_eq!(of("2026-06-29T10:00:00Z", "2026-06-29T10:40:00Z"), Some((0, 3)));
        // A whole day, an evening, and a day without an hour.
        assert_eq!(of("2026-06-28T23:00:00Z", "2026-06-29T22:59:59Z"), None);
        assert_eq!(of("2026-06-29T17:00:00Z", "2026-06-29T21:00:00Z"), None);
        assert_eq!(of("2026-06-28T23:00:00Z", "2026-06-28T23:00:00Z"), None);
    }
}
