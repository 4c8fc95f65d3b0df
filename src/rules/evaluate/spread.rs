//! After another rule has held: a rise in the wards beside it, or in other categories of the same ward.
//!
//! What wards have is judged with the night's other counts; which of them lie beside a ward where the first rule held is
//! known only when the nights before are ([`beside`]).

use super::{
    super::{
        Detector, Into, Rule,
        night::{Night, Only},
    },
    Earlier, Miss, Missed, RuleOutcome,
    area::{self, By, Looked, found},
    spike,
};
use crate::{
    detect::{Cell, Floors, recurrence},
    model::{CategorySet, Finding, Geography, Period, Recurrence, Subject},
};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// A ward with enough incidents for a finding, if another rule held beside it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Beside {
    ward: String,
    p_upper: f64,
    finding: Finding,
}

/// The sets of categories to look at: those of the rule, or of those only the ones that the first rule does not look at.
pub(super) fn apart(rule: &Rule, all: &[&Rule]) -> Vec<(Option<String>, CategorySet)> {
    let Detector::Spread { after, into: Into::OtherCategories, .. } = &rule.detector else {
        return super::apart(rule);
    };
    let first =
        all.iter().find(|other| other.id == *after).map_or(CategorySet::EMPTY, |other| other.categories.all);
    let others = CategorySet::from_bits(rule.categories.all.bits() & !first.bits());
    let sets = super::apart(rule)
        .into_iter()
        .map(|(code, set)| (code, CategorySet::from_bits(set.bits() & others.bits())));
    sets.filter(|(_, set)| set.bits() != 0).collect()
}

/// What every ward has, before it is known where the first rule held.
pub(super) fn look(rule: &Rule, all: &[&Rule], night: &mut Night<'_>) -> RuleOutcome {
    let Detector::Spread { at_least, times_usual, .. } = rule.detector else { return RuleOutcome::of(rule) };
    let floors = Floors { at_least, times_usual };
    let looked = counted(rule, all, night);
    let mut outcome = RuleOutcome { looked_at: looked.len(), ..RuleOutcome::of(rule) };
    for looked in looked {
        let judgement = looked.judgement();
        let ward = judgement.area.code.clone();
        outcome.cells.push((ward.clone(), looked.cell()));
        match spike::strength(judgement, &[], floors, 0.0) {
            Ok(strength) => {
                let finding = found(rule, &looked, (strength, None), night);
                outcome.beside.push(Beside { ward, p_upper: judgement.p_upper, finding });
            }
            Err(miss) => outcome.missed.push(looked.missed(miss, night)),
        }
    }
    outcome
}

/// Incidents that the first rule counts as well are no rise in other categories.
fn counted(rule: &Rule, all: &[&Rule], night: &mut Night<'_>) -> Vec<Looked> {
    let sets = apart(rule, all);
    let Detector::Spread { after, into: Into::OtherCategories, .. } = &rule.detector else {
        return area::look(rule, sets, None, night);
    };
    let first =
        all.iter().find(|other| other.id == *after).map_or(CategorySet::EMPTY, |other| other.categories.all);
    let Some(window) = super::rolling(rule, night) else { return Vec::new() };
    let kind = rule.areas.kind;
    let mut looked = Vec::new();
    for (category, set) in sets {
        let judged = night.judge_only(&Only::Without(first), (kind, set, window));
        let there = judged.into_iter().filter(|one| rule.areas.hold(&one.0.area.code, night.geography));
        looked.extend(there.map(|plain| Looked {
            category: category.clone(),
            source: None,
            plain,
            with: None,
            by: By::Other,
        }));
    }
    looked
}

/// Of the wards with enough incidents those beside a ward where the first rule held, or in it, by chance seldom enough.
///
/// The first rule holds by chance once in R days at most. Each time it goes on for its own period at most, is remembered
/// for `within` days after that, and a rise beside it may have begun a period before: so for a part
/// f = min(1, (within + its period + this rule's) / R) of the time a rise would count as one that spreads, and one that
/// comes by chance so many times a day counts f times as often, as the two are independent when nothing happens.
pub(super) fn beside(
    rule: &Rule,
    first: Option<&Rule>,
    outcome: &mut RuleOutcome,
    earlier: &Earlier<'_>,
    geography: &Geography,
) {
    let Detector::Spread { after, into, at_least, times_usual, within } = &rule.detector else { return };
    let began = began(after, *within, earlier);
    let floors = Floors { at_least: *at_least, times_usual: *times_usual };
    let held_near = |ward: &str| -> Option<&str> {
        let before = |other: &str| {
            let at = began.get(other)?;
            // The ward itself may hold as well: it is beside the other when the other came first.
            began.get(ward).is_none_or(|own| at < own).then_some(*at)
        };
        match into {
            Into::OtherCategories => began.get_key_value(ward).map(|(ward, _)| ward.as_str()),
            Into::AdjacentWards => {
                let near = geography.neighbours(ward).filter_map(|other| Some((before(other)?, other)));
                near.min().map(|(_, other)| other)
            }
        }
    };
    let near: Vec<Cell> =
        outcome.cells.iter().filter(|(ward, _)| held_near(ward).is_some()).map(|(_, cell)| *cell).collect();
    // Where a partnership has another number, the commonest counts.
    let promised = first.map_or(1.0, |first| {
        first.overrides.iter().map(|own| own.rule.rarer_than_days).fold(first.rarer_than_days, f64::min)
    });
    let own_days = |rule: &Rule| match rule.period {
        Period::Days(days) => days,
        Period::Months(months) => months * 31,
    };
    let days = *within + own_days(rule) + first.map_or(0, own_days);
    let remembered = (f64::from(days) / promised).min(1.0);
    for one in std::mem::take(&mut outcome.beside) {
        let Beside { ward, p_upper, mut finding } = one;
        let miss = match held_near(&ward) {
            None => Miss::NothingBefore { after: after.clone() },
            Some(source) => {
                let alone = recurrence(p_upper, &near, floors);
                let strength = Recurrence::from_daily_rate(remembered / alone.days());
                if strength.days() >= rule.rarer_than_days {
                    if source != ward {
                        finding.wards.push(source.to_owned());
                    }
                    finding.recurrence = strength;
                    outcome.findings.push(finding);
                    continue;
                }
                Miss::TooCommon { days: strength.days(), needed: rule.rarer_than_days }
            }
        };
        outcome.missed.push(missed(&finding, ward, miss));
    }
}

/// Where the first rule held in the last days, and since when.
fn began(after: &str, within: u32, earlier: &Earlier<'_>) -> BTreeMap<String, NaiveDate> {
    let mut began: BTreeMap<String, NaiveDate> = BTreeMap::new();
    for (night, finding) in earlier.of(after, within) {
        if let Some(ward) = finding.wards.first() {
            let at = began.entry(ward.clone()).or_insert(night);
            *at = night.min(*at);
        }
    }
    began
}

fn missed(finding: &Finding, ward: String, miss: Miss) -> Missed {
    let (area, category) = match &finding.subject {
        Subject::Area { area, category, .. } => (Some(area.clone()), category.clone()),
        _ => (None, None),
    };
    Missed {
        area,
        wards: vec![ward],
        category,
        source: None,
        window: finding.window,
        observed: finding.observed,
        expected: finding.expected,
        miss,
    }
}
