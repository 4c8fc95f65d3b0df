//! How strong: recurrence interval and the alert level that promises it.

use serde::{Deserialize, Serialize};

/// By chance, a rule brings a signal this strong about once in this many days, anywhere it looks.
///
/// Always finite and above zero; what is rarer than a million days is told as a million days, because no history
/// here could support a larger number.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Recurrence(f64);

impl Recurrence {
    /// The longest interval told, in days.
    pub const LONGEST: f64 = 1e6;

    /// From the expected number of such signals a day. Zero and anything not finite give the longest interval for
    /// zero and the shortest for the rest, so that a fault in the arithmetic can never raise an alert.
    #[must_use]
    pub fn from_daily_rate(signals_a_day: f64) -> Self {
        if !signals_a_day.is_finite() || signals_a_day < 0.0 {
            return Self(f64::MIN_POSITIVE);
        }
        // An empty sum is -0.0, and 1 / -0.0 is no rarity.
        Self((1.0 / signals_a_day.abs()).min(Self::LONGEST))
    }

    /// Days.
    #[must_use]
    pub fn days(self) -> f64 {
        self.0
    }
}

impl std::fmt::Display for Recurrence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 >= Self::LONGEST {
            f.write_str("less than once in a million days")
        } else {
            write!(f, "about once in {:.0} days", self.0)
        }
    }
}

/// What an alert promises about its rarity over everything its rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertLevel {
    /// Weekly digest only.
    Watch,
    /// A mail.
    Elevated,
    /// A mail at once, and an escalation clock.
    Severe,
}

impl std::fmt::Display for AlertLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Watch => "watch",
            Self::Elevated => "elevated",
            Self::Severe => "severe",
        })
    }
}

impl AlertLevel {
    /// The least recurrence interval, in days, that the level promises.
    #[must_use]
    pub const fn promised_days(self) -> f64 {
        match self {
            Self::Watch => 30.0,
            Self::Elevated => 100.0,
            Self::Severe => 365.0,
        }
    }

    /// The highest level whose promise this strength keeps, if any.
    #[must_use]
    pub fn of(strength: Recurrence) -> Option<Self> {
        [Self::Severe, Self::Elevated, Self::Watch]
            .into_iter()
            .find(|level| strength.days() >= level.promised_days())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_promise_in_days() {
        let level = |days: f64| AlertLevel::of(Recurrence::from_daily_rate(1.0 / days));
        assert_eq!(level(29.0), None);
        assert_eq!(level(30.5), Some(AlertLevel::Watch));
        assert_eq!(level(140.0), Some(AlertLevel::Elevated));
        assert_eq!(level(400.0), Some(AlertLevel::Severe));
    }

    #[test]
    fn nothing_to_look_at_is_the_rarest() {
        let none: f64 = [0.0; 0].iter().sum();
        assert!((Recurrence::from_daily_rate(none).days() - Recurrence::LONGEST).abs() < 1e-9);
        assert!((Recurrence::from_daily_rate(-0.0).days() - Recurrence::LONGEST).abs() < 1e-9);
        assert_eq!(Recurrence::from_daily_rate(0.0).to_string(), "less than once in a million days");
        assert_eq!(Recurrence::from_daily_rate(0.01).to_string(), "about once in 100 days");
    }

    #[test]
    fn broken_arithmetic_never_raises_an_alert() {
        for rate in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(AlertLevel::of(Recurrence::from_daily_rate(rate)), None);
        }
        assert!((Recurrence::from_daily_rate(0.0).days() - Recurrence::LONGEST).abs() < 1e-9);
    }
}
