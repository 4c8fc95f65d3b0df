//! How often something this strong comes up, by the county's own past.

use crate::model::Recurrence;

/// The strongest so many of the past give the tail its slope.
const TAIL: usize = 30;

/// The strengths (minus the logarithm of a probability) of everything of a kind that came up in the past.
///
/// A chance model of incidents near to each other would have to know streets, station roads and follow-ups; the past
/// knows them all. Up to the strongest the rate is counted, beyond it is continued as an exponential with the mean excess
/// of the strongest [`TAIL`] (the peaks-over-threshold method with shape 0; Coles, An Introduction to Statistical Modeling
/// of Extreme Values, 2001, section 4.3).
#[derive(Debug, Clone, PartialEq)]
pub struct Strengths {
    /// The strongest first.
    sorted: Vec<f64>,
    days: f64,
}

impl Strengths {
    /// Everything that came up in so many days. What is not a number is left out.
    #[must_use]
    pub fn new(mut strengths: Vec<f64>, days: f64) -> Self {
        strengths.retain(|strength| strength.is_finite());
        strengths.sort_by(|a, b| b.total_cmp(a));
        Self { sorted: strengths, days }
    }

    /// How often something at least this strong comes up. With less than a year of past, nothing is told to be rarer than
    /// the past is long.
    #[must_use]
    pub fn recurrence(&self, strength: f64) -> Recurrence {
        if !strength.is_finite() || self.days <= 0.0 {
            return Recurrence::from_daily_rate(f64::NAN);
        }
        let stronger = self.sorted.partition_point(|past| *past >= strength);
        // One more than were seen: the past is a sample too, and this one belongs to it.
        let counted = (stronger as f64 + 1.0) / self.days;
        let rate = match self.beyond(strength) {
            Some(beyond) if stronger < 5 && self.days >= 365.0 => beyond.max(0.2 / self.days),
            _ => counted,
        };
        Recurrence::from_daily_rate(rate)
    }

    /// The rate by the exponential tail; none with too few to fit one.
    fn beyond(&self, strength: f64) -> Option<f64> {
        let threshold = *self.sorted.get(TAIL)?;
        let excess = self.sorted[..TAIL].iter().map(|past| past - threshold).sum::<f64>() / TAIL as f64;
        (excess > 0.0).then(|| TAIL as f64 / self.days * (-(strength - threshold) / excess).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_counts_and_its_tail_goes_on() {
        // 1,000 in 1,000 days, exponential with mean 1: strength s comes up about e^-s a day.
        let past: Vec<f64> = (0..1_000).map(|n| -((f64::from(n) + 0.5) / 1_000.0).ln()).collect();
        let strengths = Strengths::new(past, 1_000.0);
        let days = |strength: f64| strengths.recurrence(strength).days();
        assert!((2.5..3.0).contains(&days(1.0)), "{}", days(1.0));
        assert!((300.0..600.0).contains(&days(6.0)), "{}", days(6.0));
        assert!(days(7.5) > days(6.5));
        assert!(days(50.0) <= 5_001.0, "no past tells of rarer than five times its length");
        assert!(days(f64::NAN) < 1e-9);
    }
}
