//! How often by chance, over everything a rule looks at.

use super::Expectation;
use crate::model::Recurrence;

/// One thing a rule looks at every night.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// What is usual there.
    pub usual: Expectation,
    /// The length of the window, in days.
    pub days: f64,
}

/// What a rule asks for beside rarity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floors {
    /// Never below this many incidents.
    pub at_least: u64,
    /// And at least this multiple of what is usual.
    pub times_usual: f64,
}

impl Floors {
    /// The least count that both allow.
    #[must_use]
    pub fn least(&self, mean: f64) -> u64 {
        self.at_least.max((self.times_usual * mean).ceil() as u64).max(1)
    }
}

/// The recurrence interval of a signal with this upper tail: in every cell the least count that would have been at least
/// as rare, and allowed by the floors, is newly reached by chance so many times a day; over all cells these add up.
#[must_use]
pub fn recurrence(upper_tail: f64, cells: &[Cell], floors: Floors) -> Recurrence {
    let a_day = |cell: &Cell| {
        let count = cell.usual.least_count_from(floors.least(cell.usual.mean()), upper_tail.max(1e-15));
        cell.usual.crossings_a_day(count, cell.days)
    };
    Recurrence::from_daily_rate(cells.iter().map(a_day).sum())
}

/// What a rule that looks for a fall asks for beside rarity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceilings {
    /// Only where so many are usual.
    pub usual_at_least: f64,
    /// And less than this share of them, 0 to 1.
    pub below_usual: f64,
}

impl Ceilings {
    /// The greatest count that both allow; none where too few are usual.
    #[must_use]
    pub fn most(&self, mean: f64) -> Option<u64> {
        let share = self.below_usual * mean;
        let most = share.ceil() as u64;
        (mean >= self.usual_at_least && most > 0).then(|| most - 1)
    }
}

/// The recurrence interval of a fall with this lower tail, as [`recurrence()`] of a rise: a rolling count falls to k as
/// often as it rises from k to k + 1.
#[must_use]
pub fn recurrence_below(lower_tail: f64, cells: &[Cell], ceilings: Ceilings) -> Recurrence {
    let a_day = |cell: &Cell| {
        let most = ceilings.most(cell.usual.mean())?;
        // Upper tails fall with the count, so lower tails rise with it.
        let beyond = cell.usual.least_count_as_rare_as(1.0 - lower_tail.clamp(1e-15, 1.0 - 1e-12));
        let as_rare = beyond.checked_sub(1)?;
        let as_rare = if 1.0 - cell.usual.upper_tail(as_rare + 1) <= lower_tail * (1.0 + 1e-9) {
            as_rare
        } else {
            as_rare.checked_sub(1)?
        };
        Some(cell.usual.crossings_a_day(as_rare.min(most) + 1, cell.days))
    };
    Recurrence::from_daily_rate(cells.iter().filter_map(a_day).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_at_twice_as_much_makes_a_signal_half_as_rare() {
        let cell = Cell { usual: Expectation::new(0.3, 2.0).unwrap(), days: 7.0 };
        let floors = Floors { at_least: 3, times_usual: 2.0 };
        let once = recurrence(1e-4, &[cell; 100], floors).days();
        let twice = recurrence(1e-4, &[cell; 200], floors).days();
        assert!((once / twice - 2.0).abs() < 1e-9);
        // A floor above what rarity asks for makes the rule rarer.
        let floor = Floors { at_least: 9, ..floors };
        assert!(recurrence(1e-4, &[cell; 100], floor).days() > once);
        assert!(recurrence(1e-6, &[cell; 100], floors).days() > once);
    }

    #[test]
    fn a_fall_is_as_rare_as_the_rise_back_from_it() {
        let usual = Expectation::new(20.0, 40.0).unwrap();
        let cell = Cell { usual, days: 28.0 };
        let ceilings = Ceilings { usual_at_least: 12.0, below_usual: 0.6 };
        for count in 0..12 {
            let lower = 1.0 - usual.upper_tail(count + 1);
            let days = recurrence_below(lower, &[cell], ceilings).days();
            let by_hand = (1.0 / usual.crossings_a_day(count.min(11) + 1, 28.0)).min(Recurrence::LONGEST);
            assert!((days / by_hand - 1.0).abs() < 1e-9, "{count}: {days} {by_hand}");
        }
        assert_eq!(ceilings.most(20.0), Some(11), "12 is 60 %, not below it");
        assert_eq!(ceilings.most(11.9), None);
        let few = Cell { usual: Expectation::new(3.0, 40.0).unwrap(), days: 28.0 };
        assert!(
            recurrence_below(0.01, &[few], ceilings).days() >= Recurrence::LONGEST,
            "nothing to fall from"
        );
    }
}
