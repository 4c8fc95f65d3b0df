//! What recipients made of alerts: how often a rule was right.

use crate::model::{Alert, Outcome};
use std::collections::BTreeMap;

/// Outcomes counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Worth {
    /// How many alerts had each outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Alerts that closed without anybody saying.
    pub unsaid: u64,
}

impl Worth {
    /// Counts closed alerts; others are passed over.
    #[must_use]
    pub fn of<'a>(alerts: impl IntoIterator<Item = &'a Alert>) -> Self {
        let mut worth = Self::default();
        for alert in alerts {
            match &alert.closing {
                Some(closing) => *worth.outcomes.entry(closing.outcome).or_default() += 1,
                None => worth.unsaid += u64::from(alert.state == crate::model::AlertState::Closed),
            }
        }
        worth
    }

    /// Right ones among those that were right or wrong: the precision, as (right, judged). A few say little: of n judged the
    /// interval of the share is wider than 1 / sqrt(n).
    #[must_use]
    pub fn right(&self) -> (u64, u64) {
        let count = |right: bool| -> u64 {
            let of = self.outcomes.iter().filter(|(outcome, _)| outcome.was_right() == Some(right));
            of.map(|(_, count)| count).sum()
        };
        (count(true), count(true) + count(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_and_what_could_not_be_judged_count_for_neither_side() {
        let outcomes = [
            (Outcome::UsefulActed, 2),
            (Outcome::UsefulKnown, 1),
            (Outcome::FalseAlarm, 1),
            (Outcome::Duplicate, 5),
            (Outcome::TooLittle, 5),
        ];
        let worth = Worth { outcomes: outcomes.into(), unsaid: 7 };
        assert_eq!(worth.right(), (3, 4));
        assert_eq!(Worth::of([]).right(), (0, 0));
    }
}
