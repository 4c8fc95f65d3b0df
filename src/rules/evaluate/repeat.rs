//! One place or person again and again.

use super::{
    super::{RepeatOf, Rule, night::Night},
    Miss, Missed, RuleOutcome, events, finding, placed,
};
use crate::{
    cluster::{Again, repeat_people, repeat_places},
    model::{Finding, Period, Subject, Window},
};
use chrono::{Days, Months};

pub(super) fn judge(
    rule: &Rule,
    of: RepeatOf,
    at_least: usize,
    within: Period,
    night: &Night<'_>,
) -> RuleOutcome {
    let last = night.ledger.last() - Days::new(rule.wait_days.into());
    let window = match within {
        Period::Days(days) => Window::ending(last, days),
        Period::Months(months) => {
            let first = last.checked_sub_months(Months::new(months)).unwrap_or(last);
            Window { first: first + Days::new(1), last }
        }
    };
    let placed = placed(rule, night);
    let again = Again { window, at_least };
    let found = match of {
        RepeatOf::Place => repeat_places(&placed, rule.categories.all, again),
        RepeatOf::Victim => repeat_people(&placed, rule.categories.all, again),
    };
    let mut outcome = RuleOutcome { looked_at: found.len(), ..RuleOutcome::of(rule) };
    for found in found.into_iter().filter(|one| rule.areas.hold_ward(&one.ward, night.geography)) {
        let strength = found.recurrence;
        let wards = vec![found.ward];
        if strength.days() >= rule.rarer_than_days {
            outcome.findings.push(Finding {
                subject: Subject::Place(found.name),
                categories: night.names(found.categories, rule.categories.all),
                observed: found.members.len() as u64,
                expected: found.expected,
                calendar: events::notes(rule, rule.categories.all, (&wards, &found.members), window, night),
                wards,
                ..finding(rule, window, strength, found.members)
            });
        } else {
            outcome.missed.push(Missed {
                area: None,
                wards,
                category: None,
                source: None,
                window,
                observed: found.members.len() as u64,
                expected: found.expected,
                miss: Miss::TooCommon { days: strength.days(), needed: rule.rarer_than_days },
            });
        }
    }
    outcome
}
