//! More than usual: every area of the rule, each category apart or all together, one window.

use super::{
    super::{Detector, Rule, night::Night},
    Miss, RuleOutcome, apart,
    area::{Looked, found, look, past},
};
use crate::{
    detect::{Cell, Floors, recurrence},
    model::{AlertLevel, Judgement, Recurrence},
};

pub(super) fn judge(rule: &Rule, night: &mut Night<'_>) -> RuleOutcome {
    let Detector::Spike { at_least, times_usual, method } = rule.detector else {
        return RuleOutcome::of(rule);
    };
    let floors = Floors { at_least, times_usual };
    let all = look(rule, apart(rule), method, night);
    let cells: Vec<Cell> = all.iter().map(Looked::cell).collect();
    let plain_cells: Vec<Cell> = all.iter().map(Looked::plain_cell).collect();
    let mut outcome = RuleOutcome { looked_at: all.len(), ..RuleOutcome::of(rule) };
    for looked in all {
        let with = strength(looked.judgement(), &cells, floors, rule.rarer_than_days);
        let plain = looked
            .with
            .as_ref()
            .map(|_| strength(&looked.plain.0, &plain_cells, floors, rule.rarer_than_days));
        let plain_days = plain.as_ref().and_then(|plain| plain.as_ref().ok().copied());
        // The calendar takes no severe alert away.
        let kept = rule.level == AlertLevel::Severe && plain_days.is_some();
        match with {
            Ok(strength) => {
                outcome.find(found(rule, &looked, (strength, plain_days), night), past(rule, &looked, night));
            }
            Err(_) if kept => {
                let strength = plain_days.unwrap_or(Recurrence::from_daily_rate(1.0));
                outcome.find(found(rule, &looked, (strength, plain_days), night), past(rule, &looked, night));
            }
            Err(miss) => outcome.missed.push(looked.missed(miss, night)),
        }
    }
    outcome
}

/// How rare a count is, or which condition it fails first.
pub(super) fn strength(
    judgement: &Judgement,
    cells: &[Cell],
    floors: Floors,
    needed: f64,
) -> Result<Recurrence, Miss> {
    if judgement.observed < floors.at_least {
        return Err(Miss::TooFew { needed: floors.at_least });
    }
    if judgement.observed < floors.least(judgement.expected) {
        return Err(Miss::NotTimesUsual { needed: floors.times_usual });
    }
    let strength = recurrence(judgement.p_upper, cells, floors);
    if strength.days() >= needed {
        Ok(strength)
    } else {
        Err(Miss::TooCommon { days: strength.days(), needed })
    }
}
