//! Other rules hold in the same place at about the same time.

use super::{
    super::{Detector, Rule, RuleSet, Same},
    Earlier, Miss, Missed, RuleOutcome, finding,
};
use crate::model::{AreaKind, AreaRef, Finding, Geography, Recurrence, Subject, Window};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// What each rule holds in one place: the latest of its findings there, by rule.
type Held<'a> = BTreeMap<&'a str, (NaiveDate, &'a Finding)>;

/// The identities of all findings in one place.
type Identities = BTreeMap<AreaRef, BTreeSet<String>>;

pub(super) fn judge(
    rule: &Rule,
    rules: &RuleSet,
    outcome: &mut RuleOutcome,
    earlier: &Earlier<'_>,
    geography: &Geography,
) {
    let Detector::Combine { members, at_least, same, within, replaces } = &rule.detector else { return };
    let mut places: BTreeMap<AreaRef, Held<'_>> = BTreeMap::new();
    let mut all = Identities::new();
    let mut clusters: BTreeSet<String> = BTreeSet::new();
    for member in members {
        for (night, found) in earlier.of(member, within.saturating_sub(1)) {
            if matches!(found.subject, Subject::Cluster { .. }) {
                clusters.insert(found.identity());
            }
            for place in places_of(found, *same, geography) {
                all.entry(place.clone()).or_default().insert(found.identity());
                let held = places.entry(place).or_default();
                let latest = held.entry(member.as_str()).or_insert((night, found));
                if (night, found.recurrence) > (latest.0, latest.1.recurrence) {
                    *latest = (night, found);
                }
            }
        }
    }
    outcome.looked_at = places.len();
    // By identity: which finding tells it.
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    // The place with most rules first: what is told of it is not told of its neighbours again.
    let mut places: Vec<(AreaRef, Held<'_>)> = places.into_iter().collect();
    places.sort_by(|a, b| {
        b.1.len().cmp(&a.1.len()).then_with(|| own_wards(b).cmp(&own_wards(a))).then_with(|| a.0.cmp(&b.0))
    });
    for (place, held) in places {
        // News of tonight, in an area that the rule looks at.
        let tonight = held.values().any(|(night, _)| *night == earlier.night);
        let identities = all.remove(&place).unwrap_or_default();
        if !tonight || identities.iter().all(|identity| told.contains_key(identity)) {
            continue;
        }
        let strength = strength(&held, members, *at_least, rules);
        let miss = if held.len() < *at_least {
            Miss::Alone { holding: held.keys().map(|id| (*id).to_owned()).collect(), needed: *at_least }
        } else if strength.days() < rule.rarer_than_days {
            Miss::TooCommon { days: strength.days(), needed: rule.rarer_than_days }
        } else {
            if *replaces {
                outcome.folds.extend(identities.iter().cloned());
            }
            let found = combined(rule, &place, &held, strength, geography);
            // A cluster is one thing wherever borders run through it: what holds with it elsewhere joins the same finding.
            let mut shared = identities.iter().filter(|identity| clusters.contains(*identity));
            let at = if let Some(&at) = shared.find_map(|identity| told.get(identity)) {
                join(&mut outcome.findings[at], &found);
                at
            } else {
                outcome.findings.push(found);
                outcome.findings.len() - 1
            };
            told.extend(identities.into_iter().map(|identity| (identity, at)));
            continue;
        };
        outcome.missed.push(missed(&place, &held, miss));
    }
}

/// How many rules hold in the place itself, not only beside it.
fn own_wards((place, held): &(AreaRef, Held<'_>)) -> usize {
    held.values().filter(|(_, found)| found.wards.contains(&place.code)).count()
}

/// Where a finding counts.
fn places_of(found: &Finding, same: Same, geography: &Geography) -> BTreeSet<AreaRef> {
    let ward = |code: &str| AreaRef { kind: AreaKind::Ward, code: code.to_owned() };
    let wards = found.wards.iter();
    match same {
        Same::Ward => wards.map(|code| ward(code)).collect(),
        Same::AdjacentWards => wards
            .flat_map(|code| std::iter::once(code.as_str()).chain(geography.neighbours(code)).map(ward))
            .collect(),
        Same::Csp => wards
            .flat_map(|code| geography.above(code, AreaKind::Csp))
            .map(|csp| AreaRef { kind: AreaKind::Csp, code: csp.code.clone() })
            .collect(),
    }
}

/// All of n rules hold together no oftener than the rarest of them is promised to; and one of them as rare as the rarest
/// seen comes n times as often as that at most. At least k of n do no oftener than the rates of all n added up over k
/// (Markov's inequality), each rate as the rule promises. That holds however much they have in common; as they look at
/// the same incidents, nothing better can be said.
fn strength(held: &Held<'_>, members: &[String], at_least: usize, rules: &RuleSet) -> Recurrence {
    let promised = |id: &String| {
        let rule = rules.rules.iter().find(|rule| rule.id == *id);
        rule.map_or(1.0, |rule| rule.rarer_than_days)
    };
    let days = if at_least >= members.len() {
        let rarest = held.values().map(|(_, found)| found.recurrence.days()).fold(0.0, f64::max);
        members.iter().map(promised).fold(rarest / members.len().max(1) as f64, f64::max)
    } else {
        at_least.max(1) as f64 / members.iter().map(|id| 1.0 / promised(id)).sum::<f64>()
    };
    Recurrence::from_daily_rate(1.0 / days)
}

fn combined(
    rule: &Rule,
    place: &AreaRef,
    held: &Held<'_>,
    strength: Recurrence,
    geography: &Geography,
) -> Finding {
    let found = || held.values().map(|(_, found)| *found);
    let (mut members, mut wards, mut categories, mut calendar) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    if place.kind == AreaKind::Ward {
        wards.push(place.code.clone());
    }
    for one in found() {
        add_new(&mut members, &one.members);
        add_new(&mut wards, &one.wards);
        add_new(&mut categories, &one.categories);
        add_new(&mut calendar, &one.calendar);
    }
    // In the middle between two wards that hold there may lie one that has nothing to do with it.
    if !found().any(|one| one.wards.contains(&place.code)) {
        wards.retain(|ward| *ward != place.code);
    }
    let widest = Window {
        first: found().map(|one| one.window.first).min().unwrap_or_default(),
        last: found().map(|one| one.window.last).max().unwrap_or_default(),
    };
    Finding {
        subject: Subject::Area {
            boundary_year: geography.get(place.kind, &place.code).map_or(0, |area| area.boundary_year),
            area: place.clone(),
            category: None,
            source: None,
        },
        wards,
        categories,
        observed: members.len() as u64,
        expected: found().map(|one| one.expected).fold(0.0, f64::max),
        calendar,
        ..finding(rule, widest, strength, members)
    }
}

/// What holds in another place with the same cluster. How rare it is stays what it is in the first place.
fn join(one: &mut Finding, other: &Finding) {
    add_new(&mut one.members, &other.members);
    add_new(&mut one.wards, &other.wards);
    add_new(&mut one.categories, &other.categories);
    add_new(&mut one.calendar, &other.calendar);
    one.observed = one.members.len() as u64;
    one.expected = one.expected.max(other.expected);
    one.window = Window {
        first: one.window.first.min(other.window.first),
        last: one.window.last.max(other.window.last),
    };
}

fn add_new<T: PartialEq + Clone>(all: &mut Vec<T>, new: &[T]) {
    for one in new {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

fn missed(place: &AreaRef, held: &Held<'_>, miss: Miss) -> Missed {
    let most = held.values().map(|(_, found)| *found).max_by_key(|found| found.observed);
    Missed {
        area: Some(place.clone()),
        wards: if place.kind == AreaKind::Ward {
            vec![place.code.clone()]
        } else {
            most.map(|found| found.wards.clone()).unwrap_or_default()
        },
        category: None,
        source: None,
        window: most.map_or(Window { first: NaiveDate::MIN, last: NaiveDate::MIN }, |found| found.window),
        observed: most.map_or(0, |found| found.observed),
        expected: most.map_or(0.0, |found| found.expected),
        miss,
    }
}
