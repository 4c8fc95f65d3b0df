//! Several near to each other: those placed well enough, in the areas of the rule.

use super::{
    super::{
        Rule,
        night::{Night, Scanned},
    },
    Miss, Missed, RuleOutcome, events, finding, placed,
};
use crate::{
    cluster::{Chance, Near, Reach, clusters},
    model::{Cluster, Finding, Subject},
};
use chrono::Days;

pub(super) fn judge(
    rule: &Rule,
    at_least: usize,
    (metres, days): (u32, u32),
    scans: u32,
    night: &mut Night<'_>,
) -> RuleOutcome {
    let last = night.ledger.last() - Days::new(rule.wait_days.into());
    let mut outcome = RuleOutcome::of(rule);
    let Ok(reach) = Reach::new(metres, days, at_least) else { return outcome };
    let near = Near { reach, metres, days, at_least: at_least as u32 };
    let chance = Chance { scans, matters_from_days: rule.rarer_than_days };
    let asked = Scanned {
        quality: rule.quality,
        categories: rule.categories.all,
        reach: (metres, days, at_least),
        chance: (scans, chance.matters_from_days.to_bits()),
        last,
    };
    let known = night.scanned.iter().find(|(other, _)| *other == asked).map(|(_, found)| found.clone());
    outcome.clusters = match known
        .map_or_else(|| clusters(&placed(rule, night), rule.categories.all, near, chance, last), Ok)
    {
        Ok(clusters) => clusters,
        Err(wrong) => {
            tracing::error!(rule = rule.id, %wrong, "a cluster rule could not be judged");
            outcome.failed = Some(wrong.to_string());
            return outcome;
        }
    };
    if night.scanned.iter().all(|(other, _)| *other != asked) {
        night.scanned.push((asked, outcome.clusters.clone()));
    }
    outcome.looked_at = outcome.clusters.len();
    let within = |one: &&Cluster| one.wards.iter().any(|ward| rule.areas.hold_ward(ward, night.geography));
    for found in outcome.clusters.iter().filter(within) {
        let strength = found.recurrence;
        if strength.days() >= rule.rarer_than_days {
            outcome.findings.push(Finding {
                subject: Subject::Cluster(found.name),
                wards: found.wards.clone(),
                categories: night.names(found.categories, rule.categories.all),
                observed: found.part.len() as u64,
                expected: found.expected,
                change: Some(found.change),
                calendar: events::notes(
                    rule,
                    rule.categories.all,
                    (&found.wards, &found.part),
                    found.window,
                    night,
                ),
                ..finding(rule, found.window, strength, found.part.clone())
            });
        } else {
            outcome.missed.push(Missed {
                area: None,
                wards: found.wards.clone(),
                category: None,
                source: None,
                window: found.window,
                observed: found.part.len() as u64,
                expected: found.expected,
                miss: Miss::TooCommon { days: strength.days(), needed: rule.rarer_than_days },
            });
        }
    }
    outcome
}
