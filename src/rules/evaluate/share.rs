//! A kind of offence makes up more of the incidents than it used to.
//!
//! Given how many incidents there are, how many of them are of the kind is compared with the share of the two years
//! before; a change in reporting that bears on all kinds alike changes nothing.

use super::{
    super::{Detector, Rule, night::Night},
    Miss, RuleOutcome, apart,
    area::{By, Looked, found},
    rolling,
};
use crate::{
    count::Case,
    detect::{Cell, Expectation, Floors, judgement, recurrence},
    model::{AreaRef, CategorySet, Finding, Recurrence, ShareSeen, Window},
};
use chrono::Days;
use statrs::distribution::{ContinuousCDF, Normal};

/// The share before is that of so many days.
const BEFORE: u32 = 730;

/// With fewer incidents before there is nothing to compare with.
const LEAST_BEFORE: u64 = 30;

pub(super) fn judge(rule: &Rule, night: &Night<'_>) -> RuleOutcome {
    let Detector::Share { of, at_least, rises_by, surely } = &rule.detector else {
        return RuleOutcome::of(rule);
    };
    let Some(window) = rolling(rule, night) else { return RuleOutcome::of(rule) };
    let mut all = Vec::new();
    for (category, set) in apart(rule) {
        for area in night.ledger.areas(rule.areas.kind) {
            if rule.areas.hold(&area.code, night.geography) {
                all.extend(Counted::of(&area, (category.clone(), set), of, window, night));
            }
        }
    }
    let floors = Floors { at_least: 1, times_usual: 1.0 };
    let enough = |one: &&Counted| one.total >= *at_least && one.before.1 >= LEAST_BEFORE;
    let cells: Vec<Cell> = all.iter().filter(enough).map(|one| one.looked.cell()).collect();
    let mut outcome = RuleOutcome { looked_at: all.len(), ..RuleOutcome::of(rule) };
    for one in all {
        let rise = one.rise(*surely);
        let strength = || recurrence(one.looked.judgement().p_upper, &cells, floors);
        match one.miss((*at_least, *rises_by), rise, strength, rule.rarer_than_days) {
            Ok(strength) => outcome.findings.push(Finding {
                share: Some(ShareSeen { of: of.clone(), total: one.total, before: one.share_before(), rise }),
                ..found(rule, &one.looked, (strength, None), night).keeping(&one.of_kind)
            }),
            Err(miss) => outcome.missed.push(one.looked.missed(miss, night)),
        }
    }
    outcome
}

/// The incidents of an area, and how many of them are of the kinds.
struct Counted {
    looked: Looked,
    of_kind: Vec<uuid::Uuid>,
    total: u64,
    /// Of the kinds, and all, in the time before.
    before: (u64, u64),
}

impl Counted {
    fn of(
        area: &AreaRef,
        (category, set): (Option<String>, CategorySet),
        kinds: &[String],
        window: Window,
        night: &Night<'_>,
    ) -> Option<Self> {
        let told = |window: Window| {
            let mut cases = night.members(area, set, window, false);
            cases.retain(|case| case.offence.is_some());
            cases
        };
        let is_kind =
            |case: &Case| case.offence.as_deref().is_some_and(|own| kinds.iter().any(|kind| kind == own));
        let now = told(window);
        let earlier = told(Window::ending(window.first - Days::new(1), BEFORE));
        let of_kind: Vec<_> = now.iter().filter(|case| is_kind(case)).map(|case| case.id).collect();
        let before = (earlier.iter().filter(|case| is_kind(case)).count() as u64, earlier.len() as u64);
        let total = now.len() as u64;
        // Jeffreys' prior for the share; what is not known of it is the relative variance of its beta posterior.
        let (a, b) = (before.0 as f64 + 0.5, (before.1 - before.0) as f64 + 0.5);
        let share = a / (a + b);
        let usual = Expectation::new(total as f64 * share, a * (a + b + 1.0) / b).ok()?;
        let judged = judgement(area.clone(), set, window, of_kind.len() as u64, usual);
        let looked = Looked { category, source: None, plain: (judged, usual), with: None, by: By::Other };
        Some(Self { looked, of_kind, total, before })
    }

    fn share_before(&self) -> f64 {
        self.before.0 as f64 / self.before.1.max(1) as f64
    }

    /// The interval of the rise of the share: Newcombe's for a difference of two proportions, from Wilson's of each
    /// (Newcombe, Stat. Med. 1998, 17, 873-890, method 10).
    fn rise(&self, surely: f64) -> (f64, f64) {
        let z = Normal::standard().inverse_cdf(0.5 + surely.clamp(0.0, 0.999_999) / 2.0);
        let wilson = |k: u64, n: u64| {
            let (k, n) = (k as f64, n.max(1) as f64);
            let (middle, half) = (k + z * z / 2.0, z * (k * (n - k) / n + z * z / 4.0).max(0.0).sqrt());
            ((middle - half) / (n + z * z), (middle + half) / (n + z * z))
        };
        let (now, before) = (self.of_kind.len() as u64, self.before);
        let (p1, p2) = (now as f64 / self.total.max(1) as f64, self.share_before());
        let ((low1, high1), (low2, high2)) = (wilson(now, self.total), wilson(before.0, before.1));
        let rise = p1 - p2;
        (rise - (p1 - low1).hypot(high2 - p2), rise + (high1 - p1).hypot(p2 - low2))
    }

    fn miss(
        &self,
        (at_least, rises_by): (u64, f64),
        (lowest, _): (f64, f64),
        strength: impl Fn() -> Recurrence,
        needed: f64,
    ) -> Result<Recurrence, Miss> {
        if self.total < at_least {
            return Err(Miss::TooFew { needed: at_least });
        }
        if self.before.1 < LEAST_BEFORE {
            return Err(Miss::NoHistory);
        }
        let by = self.of_kind.len() as f64 / self.total.max(1) as f64 - self.share_before();
        if by < rises_by {
            return Err(Miss::NotRisen { by, needed: rises_by });
        }
        if lowest <= 0.0 {
            return Err(Miss::NotSure { lowest });
        }
        let strength = strength();
        if strength.days() >= needed {
            Ok(strength)
        } else {
            Err(Miss::TooCommon { days: strength.days(), needed })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AreaKind;

    #[test]
    fn the_interval_of_a_rise_is_newcombes() {
        // Newcombe 1998, table II, example (a): 56/70 against 48/80, 0.2, method 10 gives 0.0524 to 0.3339.
        let area = AreaRef { kind: AreaKind::Csp, code: "C".into() };
        let window = Window::ending("2026-06-28".parse().unwrap(), 28);
        let usual = Expectation::new(1.0, 1.0).unwrap();
        let judged = judgement(area, CategorySet::from_bits(1), window, 56, usual);
        let counted = Counted {
            looked: Looked {
                category: None,
                source: None,
                plain: (judged, usual),
                with: None,
                by: By::Other,
            },
            of_kind: vec![uuid::Uuid::nil(); 56],
            total: 70,
            before: (48, 80),
        };
        let (low, high) = counted.rise(0.95);
        assert!((low - 0.0524).abs() < 5e-5 && (high - 0.3339).abs() < 5e-5, "{low} {high}");
    }
}
