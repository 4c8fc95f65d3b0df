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
        let count =
            cell.usual.least_count_as_rare_as(upper_tail.max(1e-15)).max(floors.least(cell.usual.mean()));
        cell.usual.crossings_a_day(count, cell.days)
    };
    Recurrence::from_daily_rate(cells.iter().map(a_day).sum())
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
}
