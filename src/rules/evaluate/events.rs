//! What the calendar does to a rule's expectations.

use super::super::{
    Rule,
    calendar::Event,
    night::{Night, Profile},
};
use crate::{
    detect::Multipliers,
    model::{AreaKind, AreaRef, CalendarNote, CategorySet, Effect, Through, Window},
};
use chrono::Days;
use std::collections::HashSet;
use uuid::Uuid;

/// With fewer reports in the year before, no share of them is told.
const LEAST: u64 = 12;

/// The events that a rule names, with what it makes of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Used {
    /// Place in the calendar, effect and multiplier.
    entries: Vec<(usize, Effect, f64)>,
}

impl Used {
    /// Those that the county has seen by now, and that bear on the categories.
    pub(super) fn of(rule: &Rule, categories: CategorySet, night: &Night<'_>) -> Self {
        let mut entries = Vec::new();
        for (place, event) in night.events().iter().enumerate() {
            let begun =
                event.window.first <= night.ledger.last() && event.window.last >= night.ledger.first();
            if !begun || !event.categories.touches(categories) {
                continue;
            }
            let uses = rule.calendar.iter().filter(|own| own.when == event.name);
            entries.extend(uses.map(|own| (place, own.effect, own.by)));
        }
        Self { entries }
    }

    /// Events that more is expected of; past ones teach with their multiplier.
    pub(super) fn profile(&self, night: &mut Night<'_>) -> usize {
        let more: Profile = self.with(Effect::ExpectMore).collect();
        if more.is_empty() { 0 } else { night.profile(more) }
    }

    /// Factors below 1 where the rule watches closer.
    pub(super) fn closer(&self, kind: AreaKind, window: Window, night: &Night<'_>) -> Multipliers {
        let profile: Profile = self
            .during(window, night)
            .filter(|one| one.1 == Effect::WatchCloser)
            .map(|one| (one.0, 1.0 / one.2))
            .collect();
        night.multipliers(kind, &profile)
    }

    /// Every factor of a window, for methods that learn without a calendar.
    pub(super) fn all(&self, kind: AreaKind, window: Window, night: &Night<'_>) -> Multipliers {
        let factor = |one: (usize, Effect, f64)| match one.1 {
            Effect::ExpectMore => Some((one.0, one.2)),
            Effect::WatchCloser => Some((one.0, 1.0 / one.2)),
            Effect::NoteOnly => None,
        };
        let profile: Profile = self.during(window, night).filter_map(factor).collect();
        night.multipliers(kind, &profile)
    }

    /// Whether it changes what is expected of a window, by its own days or by what past events taught.
    pub(super) fn matter(&self, window: Window, night: &Night<'_>) -> bool {
        self.with(Effect::ExpectMore).next().is_some()
            || self.during(window, night).any(|one| one.1 == Effect::WatchCloser)
    }

    fn with(&self, effect: Effect) -> impl Iterator<Item = (usize, f64)> {
        self.entries.iter().filter(move |one| one.1 == effect).map(|one| (one.0, one.2))
    }

    fn during<'a>(
        &'a self,
        window: Window,
        night: &'a Night<'_>,
    ) -> impl Iterator<Item = (usize, Effect, f64)> + 'a {
        let held = move |place: usize| night.events().get(place).is_some_and(|event| overlap(event, window));
        self.entries.iter().copied().filter(move |one| held(one.0))
    }
}

fn overlap(event: &Event, window: Window) -> bool {
    event.window.first <= window.last && window.first <= event.window.last
}

/// Every event of the calendar at the time of a window and in any of the wards, with what the rule makes of it, and how many of
/// these incidents came through its channels.
pub(super) fn notes(
    rule: &Rule,
    categories: CategorySet,
    (wards, members): (&[String], &[Uuid]),
    window: Window,
    night: &Night<'_>,
) -> Vec<CalendarNote> {
    let known = night.ledger.wards();
    let bears = |event: &&Event| {
        overlap(event, window) && event.categories.touches(categories) && {
            let inside = night.within(event);
            wards.iter().any(|ward| known.binary_search(ward).is_ok_and(|place| inside[place] > 0.0))
        }
    };
    let note = |event: &Event| {
        let own = rule.calendar.iter().find(|own| own.when == event.name);
        CalendarNote {
            name: event.name.clone(),
            window: event.window,
            effect: own.map(|own| own.effect),
            by: own.map_or(1.0, |own| own.by),
            through: through(event, categories, (wards, members), window, night),
        }
    };
    night.events().iter().filter(bears).map(note).collect()
}

/// What came through the channels of a campaign; none where it names no channel.
fn through(
    event: &Event,
    categories: CategorySet,
    (wards, members): (&[String], &[Uuid]),
    window: Window,
    night: &Night<'_>,
) -> Option<Through> {
    if event.channels.is_empty() {
        return None;
    }
    let members: HashSet<&Uuid> = members.iter().collect();
    let wards: HashSet<&str> = wards.iter().map(String::as_str).collect();
    let before = Window { first: window.first - Days::new(365), last: window.first - Days::new(1) };
    let (mut reports, mut own_before, mut all_before) = (0, 0, 0);
    for case in &night.cases {
        let own = u64::from(case.channel.as_deref().is_some_and(|channel| event.has_channel(channel)));
        if members.contains(&case.id) {
            reports += own;
        } else if case.day.is_some_and(|day| before.holds(day))
            && case.categories.touches(categories)
            && case.ward.as_deref().is_some_and(|ward| wards.contains(ward))
        {
            own_before += own;
            all_before += 1;
        }
    }
    let share_before = (all_before >= LEAST).then(|| own_before as f64 / all_before as f64);
    Some(Through { channels: event.channels.clone(), reports, share_before })
}

/// The wards of an area.
pub(super) fn wards_of(area: &AreaRef, night: &Night<'_>) -> Vec<String> {
    let wards = night.ledger.wards();
    night.ledger.members(area).into_iter().map(|place| wards[place].clone()).collect()
}
