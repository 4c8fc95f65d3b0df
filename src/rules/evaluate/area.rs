//! Counts of areas against what is usual there, with and without the calendar.

use super::{
    super::{Rule, night::Night},
    Miss, Missed, cell, events, finding, most,
};
use crate::{
    detect::{Cell, Expectation, Past, reference::Method, times_usual},
    model::{AreaKind, CategorySet, Finding, Judgement, Period, Plain, Recurrence, Subject, Window},
};
use chrono::Days;

/// One count of an area.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Looked {
    pub(super) category: Option<String>,
    pub(super) source: Option<String>,
    /// Without the calendar.
    pub(super) plain: (Judgement, Expectation),
    /// With it, where it changes anything.
    pub(super) with: Option<(Judgement, Expectation)>,
    /// Whose model of the past it was judged by.
    pub(super) by: By,
}

/// What knows how usual the windows before were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The house method, learned with a profile of calendar entries.
    House(usize),
    /// Earlier calendar months, all alike.
    Months,
    /// A method that says nothing of earlier windows.
    Other,
}

impl Looked {
    /// A count with what is usual there, the calendar included.
    fn judged(&self) -> (&Judgement, Expectation) {
        let (judgement, usual) = self.with.as_ref().unwrap_or(&self.plain);
        (judgement, *usual)
    }

    pub(super) fn judgement(&self) -> &Judgement {
        self.judged().0
    }

    pub(super) fn cell(&self) -> Cell {
        let (judgement, usual) = self.judged();
        cell(usual, judgement.window)
    }

    pub(super) fn plain_cell(&self) -> Cell {
        cell(self.plain.1, self.plain.0.window)
    }

    pub(super) fn missed(&self, miss: Miss, night: &Night<'_>) -> Missed {
        let judgement = self.judgement();
        Missed {
            wards: events::wards_of(&judgement.area, night),
            area: Some(judgement.area.clone()),
            category: self.category.clone(),
            source: self.source.clone(),
            window: judgement.window,
            observed: judgement.observed,
            expected: judgement.expected,
            miss,
        }
    }
}

/// Judges every area that a rule looks at, for each of the sets.
pub(super) fn look(
    rule: &Rule,
    sets: Vec<(Option<String>, CategorySet)>,
    method: Option<Method>,
    night: &mut Night<'_>,
) -> Vec<Looked> {
    let last = night.ledger.last() - Days::new(rule.wait_days.into());
    let kind = rule.areas.kind;
    let mut looked = Vec::new();
    for (category, set) in sets {
        let used = events::Used::of(rule, set, night);
        let profile = used.profile(night);
        let (plain, with) = match (rule.period, method) {
            (Period::Days(days), None) => {
                let window = Window::ending(last, days);
                let asked = (kind, set, window);
                let plain = night.judge(kind, set, window);
                let with = used.matter(window, night).then(|| {
                    let closer = used.closer(kind, window, night);
                    night.judge_with(asked, profile, &closer)
                });
                (plain, with)
            }
            (Period::Days(days), Some(method)) => {
                let plain = night.judge_by(method, kind, set, Window::ending(last, days));
                let with = scaled(&plain, &used, kind, night);
                (plain, with)
            }
            (Period::Months(_), _) => {
                let plain = night.judge_month(kind, set, last);
                let with = scaled(&plain, &used, kind, night);
                (plain, with)
            }
        };
        let by = match (rule.period, method) {
            (Period::Days(_), None) => By::House(if with.is_some() { profile } else { 0 }),
            (Period::Days(_), Some(_)) => By::Other,
            (Period::Months(_), _) => By::Months,
        };
        let mut with = with.map(Vec::into_iter);
        for plain in plain {
            let with = with.as_mut().and_then(Iterator::next);
            if rule.areas.hold(&plain.0.area.code, night.geography) {
                looked.push(Looked { category: category.clone(), source: None, plain, with, by });
            }
        }
    }
    looked
}

/// The windows before, each against what was usual in it; empty where nobody knows.
pub(super) fn past(rule: &Rule, looked: &Looked, night: &Night<'_>) -> Vec<Past> {
    let (judgement, usual) = looked.judged();
    match looked.by {
        By::House(profile) => {
            let closer = events::Used::of(rule, judgement.categories, night).closer(
                rule.areas.kind,
                judgement.window,
                night,
            );
            night.past(judgement, profile, &closer)
        }
        By::Months => night.past_months((judgement, usual), looked.plain.1),
        By::Other => Vec::new(),
    }
}

/// Expectations times the mean factor of their windows, for methods that learn without a calendar.
pub(super) fn scaled(
    plain: &[(Judgement, Expectation)],
    used: &events::Used,
    kind: AreaKind,
    night: &Night<'_>,
) -> Option<Vec<(Judgement, Expectation)>> {
    let window = plain.first()?.0.window;
    let factors = used.all(kind, window, night);
    if factors.events.is_empty() {
        return None;
    }
    let areas = night.ledger.areas(kind);
    let scale = |(judgement, usual): &(Judgement, Expectation)| {
        let place = areas.iter().position(|area| *area == judgement.area).unwrap_or(usize::MAX);
        let days = window.first.iter_days().take(window.days() as usize);
        let factor = days.map(|day| factors.on(place, day)).sum::<f64>() / f64::from(window.days());
        let usual = usual.times(factor);
        let again = crate::detect::judgement(
            judgement.area.clone(),
            judgement.categories,
            window,
            judgement.observed,
            usual,
        );
        (again, usual)
    };
    Some(plain.iter().map(scale).collect())
}

/// What holds in an area. `plain` is how rare it is without the calendar.
pub(super) fn found(
    rule: &Rule,
    looked: &Looked,
    (strength, plain): (Recurrence, Option<Recurrence>),
    night: &Night<'_>,
) -> Finding {
    let (judgement, usual) = looked.judged();
    let Judgement { area, categories, window, .. } = judgement;
    let by_month = matches!(rule.period, Period::Months(_));
    let mut members = night.members(area, *categories, *window, by_month);
    members.retain(|case| looked.source.as_ref().is_none_or(|source| *case.source == **source));
    let wards = if area.kind == AreaKind::Ward {
        vec![area.code.clone()]
    } else {
        let most = most(&members);
        if most.is_empty() { events::wards_of(area, night).into_iter().take(5).collect() } else { most }
    };
    let ids: Vec<_> = members.iter().map(|case| case.id).collect();
    let without = Plain { expected: looked.plain.0.expected, recurrence: plain.unwrap_or(strength) };
    Finding {
        subject: Subject::Area {
            boundary_year: night.geography.get(area.kind, &area.code).map_or(0, |known| known.boundary_year),
            area: area.clone(),
            category: looked.category.clone(),
            source: looked.source.clone(),
        },
        categories: night.seen(&members, rule.categories.all),
        observed: judgement.observed,
        expected: judgement.expected,
        usual_range: Some(usual.usual_range()),
        times_usual: times_usual(judgement.observed, usual),
        calendar: events::notes(rule, *categories, (&events::wards_of(area, night), &ids), *window, night),
        without_calendar: looked.with.is_some().then_some(without),
        wards,
        ..finding(rule, *window, strength, ids)
    }
}
