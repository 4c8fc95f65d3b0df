//! The figures of the hotspot page: every area of a kind against its own normal.

use super::night::Engine;
use crate::{
    count::Feed,
    detect::{Cell, Floors, recurrence},
    model::{AreaKind, AreaRef, CategorySet, Recurrence, Window},
    rules::Night,
};
use anyhow::Result;
use chrono::{DateTime, Days, NaiveDate, Utc};

/// Counts with an upper or a lower tail above this are within their normal range, and need no recurrence.
const UNREMARKABLE: f64 = 0.02;

/// Weeks of history shown.
const WEEKS: u64 = 26;

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
pub async fn figures(engine: &Engine, question: &Question) -> Result<Figures> {
    let seen = engine.as_known(question.as_known_on).await?;
    let cases = engine.cases(&seen, question.as_known_on);
    let pack = &engine.county.pack;
    let geography = engine.county.geography(question.night)?;
    let mut night = Night::new(&geography, &pack.categories, &cases, question.night);
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

fn weeks(series: &[u32], first: NaiveDate, last: NaiveDate) -> Vec<(NaiveDate, u32)> {
    (0..WEEKS)
        .rev()
        .filter_map(|back| {
            let week = Window::ending(last - Days::new(7 * back), 7);
            let from = usize::try_from((week.first - first).num_days()).ok()?;
            Some((week.first, series.get(from..from + 7)?.iter().sum()))
        })
        .collect()
}
