//! Fewer reports than usual, of all sources together or of each apart.

use super::{
    super::{
        Detector, Rule,
        night::{Night, Only},
    },
    Miss, RuleOutcome, apart,
    area::{By, Looked, found, look, past, scaled},
    events, rolling,
};
use crate::{
    count::Feed,
    detect::{Ceilings, Cell, recurrence_below},
    model::{AlertLevel, Judgement, Recurrence},
};

pub(super) fn judge(rule: &Rule, night: &mut Night<'_>) -> RuleOutcome {
    let Detector::Drop { usual_at_least, below_usual, by_source, ignore_late } = rule.detector else {
        return RuleOutcome::of(rule);
    };
    let ceilings = Ceilings { usual_at_least, below_usual };
    let all = if by_source { by_sources(rule, night) } else { look(rule, apart(rule), None, night) };
    let late: Vec<String> = night
        .completeness()
        .feeds()
        .iter()
        .filter(|feed| feed.late_by > 0)
        .map(|feed| feed.source.clone())
        .collect();
    let cells: Vec<Cell> = all.iter().map(Looked::cell).collect();
    let plain_cells: Vec<Cell> = all.iter().map(Looked::plain_cell).collect();
    let mut outcome = RuleOutcome { looked_at: all.len(), ..RuleOutcome::of(rule) };
    for looked in all {
        let silent = match &looked.source {
            Some(source) => late.contains(source),
            None => !late.is_empty(),
        };
        if ignore_late && silent {
            outcome.missed.push(looked.missed(Miss::SourceLate, night));
            continue;
        }
        let with = strength(looked.judgement(), &cells, ceilings, rule.rarer_than_days);
        let plain = looked
            .with
            .as_ref()
            .and_then(|_| strength(&looked.plain.0, &plain_cells, ceilings, rule.rarer_than_days).ok());
        match (with, plain) {
            (Ok(strength), plain) => {
                outcome.find(found(rule, &looked, (strength, plain), night), past(rule, &looked, night));
            }
            // The calendar takes no severe alert away.
            (Err(_), Some(strength)) if rule.level == AlertLevel::Severe => {
                outcome.find(found(rule, &looked, (strength, plain), night), past(rule, &looked, night));
            }
            (Err(miss), _) => outcome.missed.push(looked.missed(miss, night)),
        }
    }
    outcome
}

fn strength(
    judgement: &Judgement,
    cells: &[Cell],
    ceilings: Ceilings,
    needed: f64,
) -> Result<Recurrence, Miss> {
    let Some(most) = ceilings.most(judgement.expected) else {
        return Err(Miss::TooLittleUsual { needed: ceilings.usual_at_least });
    };
    if judgement.observed > most {
        return Err(Miss::NotBelow { needed: ceilings.below_usual });
    }
    let strength = recurrence_below(judgement.p_lower, cells, ceilings);
    if strength.days() >= needed {
        Ok(strength)
    } else {
        Err(Miss::TooCommon { days: strength.days(), needed })
    }
}

/// Every area by the reports of each source alone.
fn by_sources(rule: &Rule, night: &mut Night<'_>) -> Vec<Looked> {
    let Some(window) = rolling(rule, night) else { return Vec::new() };
    let kind = rule.areas.kind;
    let sources: Vec<String> =
        night.completeness().feeds().iter().map(|feed: &Feed| feed.source.clone()).collect();
    let mut looked = Vec::new();
    for source in &sources {
        for (category, set) in apart(rule) {
            let plain = night.judge_only(&Only::Source(source.clone()), (kind, set, window));
            let used = events::Used::of(rule, set, night);
            let mut with = scaled(&plain, &used, kind, night).map(Vec::into_iter);
            for plain in plain {
                let with = with.as_mut().and_then(Iterator::next);
                if rule.areas.hold(&plain.0.area.code, night.geography) {
                    looked.push(Looked {
                        category: category.clone(),
                        source: Some(source.clone()),
                        plain,
                        with,
                        by: By::Other,
                    });
                }
            }
        }
    }
    looked
}
