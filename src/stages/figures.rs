//! The figures of the hotspot page: every area of a kind against its own normal.

use super::{background::background, night::Engine};
use crate::{
    count::{Feed, Seen, SeenIncident},
    detect::{Cell, Floors, recurrence},
    model::{AreaKind, AreaRef, CategorySet, Geography, Recurrence, Window},
    rules::Night,
};
use anyhow::Result;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::sync::Arc;

/// Counts with an upper or a lower tail above this are within their normal range, and need no recurrence.
const UNREMARKABLE: f64 = 0.02;

/// Weeks of history shown.
const WEEKS: u64 = 26;

/// Days of the year whose rate is told.
pub const YEAR: u32 = 365;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The last day looked at.
    pub night: NaiveDate,
    /// What became known from this instant on is not seen.
    pub as_known_on: DateTime<Utc>,
    /// The kind of area.
    pub kind: AreaKind,
    /// One category, or all together.
    pub category: Option<String>,
    /// One class of the pack, for example `crime`, or all together.
    pub class: Option<String>,
    /// Days of the window.
    pub days: u32,
}

/// One area against its own normal.
#[derive(Debug, Clone, PartialEq)]
pub struct AreaFigure {
    /// The area.
    pub area: AreaRef,
    /// Its name.
    pub name: String,
    /// Incidents known.
    pub observed: u64,
    /// How many more that is than were known by then of the window before, of the same length; none where that begins before
    /// the first incident.
    pub change: Option<i64>,
    /// Incidents of the 365 days that end with the window; none with less history.
    pub year: Option<u64>,
    /// Incidents usual, as far as they would be known by now.
    pub expected: f64,
    /// The central 95 % of what is usual.
    pub usual_range: (u64, u64),
    /// How rare by chance, over all areas of the kind; none within its normal range.
    pub above: Option<Recurrence>,
    /// The same for a count so low.
    pub below: Option<Recurrence>,
    /// First days and counts of the weeks before, oldest first.
    pub weeks: Vec<(NaiveDate, u32)>,
}

/// Every area of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The window.
    pub window: Window,
    /// By code; empty when there is too little history to judge.
    pub areas: Vec<AreaFigure>,
    /// The share of the window's incidents that is usually known by now: with less than half a low count is no calm.
    pub known_share: f64,
    /// Sources that are late.
    pub late: Vec<Feed>,
}

/// Answers a question from what was known then.
///
/// # Errors
///
/// When the store fails.
pub async fn figures(engine: &Arc<Engine>, question: &Question) -> Result<Figures> {
    let seen = engine.as_known(question.as_known_on).await?;
    let (engine, question) = (Arc::clone(engine), question.clone());
    background(move || judged(&engine, &seen, &question)).await?
}

fn judged(engine: &Engine, seen: &Seen, question: &Question) -> Result<Figures> {
    let pack = &engine.county.pack;
    let geography = engine.county.geography(question.night)?;
    let mut night = question.counted(engine, &geography, seen);
    let one = question.category.as_deref().and_then(|code| pack.categories.find(code));
    let categories: CategorySet = one.unwrap_or(pack.categories.all());
    let window = Window::ending(question.night, question.days);
    let judged = night.judge(question.kind, categories, window);
    let length = f64::from(window.days());
    let cells: Vec<Cell> = judged.iter().map(|(_, usual)| Cell { usual: *usual, days: length }).collect();
    let floors = Floors { at_least: 1, times_usual: 1.0 };
    let areas = judged
        .iter()
        .map(|(judgement, usual)| {
            let series = night.ledger().series(&judgement.area, categories);
            let low_a_day = judgement.p_lower * cells.len() as f64 / length;
            AreaFigure {
                name: geography
                    .get(question.kind, &judgement.area.code)
                    .map_or_else(|| judgement.area.code.clone(), |area| area.name.clone()),
                area: judgement.area.clone(),
                observed: judgement.observed,
                change: sum(&series, night.ledger().first(), before(window))
                    .map(|before| judgement.observed as i64 - before as i64),
                year: sum(&series, night.ledger().first(), Window::ending(window.last, YEAR)),
                expected: judgement.expected,
                usual_range: usual.usual_range(),
                above: (judgement.p_upper < UNREMARKABLE)
                    .then(|| recurrence(judgement.p_upper, &cells, floors)),
                below: (judgement.p_lower < UNREMARKABLE).then(|| Recurrence::from_daily_rate(low_a_day)),
                weeks: weeks(&series, night.ledger().first(), window.last),
            }
        })
        .collect();
    let late = night.completeness().feeds().iter().filter(|feed| feed.late_by > 0).cloned().collect();
    Ok(Figures { window, areas, known_share: night.known_share(window), late })
}

impl Question {
    /// Whether an incident is of the class asked for.
    pub(super) fn counts(&self, incident: &SeenIncident<'_>) -> bool {
        self.class.as_ref().is_none_or(|class| incident.class() == *class)
    }

    /// The night with what is counted of the class asked for.
    pub(super) fn counted<'a>(
        &self,
        engine: &'a Engine,
        geography: &'a Geography,
        seen: &'a Seen,
    ) -> Night<'a> {
        let zone = engine.county.pack.zone;
        let tick = self.as_known_on.with_timezone(&zone).time();
        let counted = seen.iter().filter(|one| self.counts(one)).map(|one| one.counted(zone, tick));
        Night::counting(geography, &engine.county.pack.categories, counted, self.night)
    }
}

/// The window before one, of the same length.
fn before(window: Window) -> Window {
    Window::ending(window.first - Days::new(1), window.days())
}

/// The sum of a window; none where the series begins within it or later.
fn sum(series: &[u32], first: NaiveDate, window: Window) -> Option<u64> {
    let from = usize::try_from((window.first - first).num_days()).ok()?;
    let to = from + usize::try_from(window.days()).ok()?;
    Some(series.get(from..to)?.iter().map(|count| u64::from(*count)).sum())
}

fn weeks(series: &[u32], first: NaiveDate, last: NaiveDate) -> Vec<(NaiveDate, u32)> {
    (0..WEEKS)
        .rev()
        .filter_map(|back| {
            let week = Window::ending(last - Days::new(7 * back), 7);
            Some((week.first, u32::try_from(sum(series, first, week)?).unwrap_or(u32::MAX)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_told_only_of_days_that_the_series_holds() {
        let first: NaiveDate = "2026-06-01".parse().unwrap();
        let window = |last: &str, days| Window::ending(last.parse().unwrap(), days);
        let series = [1, 0, 2, 4];
        assert_eq!(sum(&series, first, window("2026-06-04", 2)), Some(6));
        assert_eq!(sum(&series, first, window("2026-06-02", 2)), Some(1));
        assert_eq!(sum(&series, first, window("2026-06-01", 2)), None, "it began before");
        assert_eq!(sum(&series, first, window("2026-06-05", 2)), None, "the last day is not there");
        assert_eq!(before(window("2026-06-04", 2)), window("2026-06-02", 2));
    }
}
