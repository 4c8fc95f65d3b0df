//! The design of both Farrington methods: one level per season group and, if wanted, one common trend.
//!
//! In R this is intercept + trend + treatment contrasts solved by QR. A level per group spans the same columns, and its
//! least squares problem has a closed form (the within-group regression of the analysis of covariance): weighted means
//! per group, one slope from what is left. It costs one pass and does not lose digits when a group's weights are
//! 1e-10. Source: Searle, Linear Models, 1971, chapter 8.

use super::glm::Design;

/// Points sorted by group, with their times, and the coefficients of the last fit.
#[derive(Debug, Default)]
pub(super) struct Grouped {
    /// Periods from the point to predict (negative: before it), sorted by group.
    times: Vec<f64>,
    groups: Vec<Group>,
    /// Which of `groups` the prediction is for.
    target: usize,
    with_trend: bool,
    slope: f64,
    slope_before: f64,
    solves: u32,
    /// Weighted sum of squares of the times about their group means.
    spread: f64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Group {
    size: usize,
    /// Log mean of this group at the time of the prediction.
    level: f64,
    level_before: f64,
    weight: f64,
    mean_time: f64,
}

impl Grouped {
    /// Takes times sorted by group, the size of each group, and the group to predict.
    ///
    /// `None` when the group to predict is empty: it has no level.
    pub(super) fn load(
        &mut self,
        times: impl Iterator<Item = f64>,
        sizes: impl Iterator<Item = usize>,
        target: usize,
    ) -> Option<()> {
        self.times.clear();
        self.times.extend(times);
        self.groups.clear();
        self.target = usize::MAX;
        for (group, size) in sizes.enumerate().filter(|(_, size)| *size > 0) {
            if group == target {
                self.target = self.groups.len();
            }
            self.groups.push(Group { size, ..Group::default() });
        }
        (self.target < self.groups.len()).then_some(())
    }

    /// Forgets coefficients, and says whether the next fits have a trend.
    pub(super) fn start(&mut self, with_trend: bool) {
        self.with_trend = with_trend;
        self.slope = 0.0;
        self.slope_before = 0.0;
        self.solves = 0;
        self.spread = 0.0;
    }

    /// Number of coefficients.
    pub(super) fn rank(&self) -> usize {
        self.groups.len() + usize::from(self.with_trend)
    }

    /// Change of the log mean per period, if there is a trend.
    pub(super) fn slope(&self) -> Option<f64> {
        self.with_trend.then_some(self.slope)
    }

    /// Variance of the slope for dispersion 1.
    pub(super) fn slope_variance(&self) -> f64 {
        1.0 / self.spread
    }

    /// Predicted log mean.
    pub(super) fn prediction(&self) -> f64 {
        self.groups.get(self.target).map_or(f64::NAN, |group| group.level)
    }

    /// Variance of the predicted log mean for dispersion 1.
    pub(super) fn prediction_variance(&self) -> f64 {
        self.groups.get(self.target).map_or(f64::NAN, |group| self.leverage_per_weight(group, 0.0))
    }

    /// Writes the leverage of every point: the diagonal of the hat matrix of the last solve.
    pub(super) fn leverages(&self, weights: &[f64], out: &mut [f64]) {
        let mut points = self.times.iter().zip(weights).zip(out);
        for group in &self.groups {
            for ((time, weight), leverage) in points.by_ref().take(group.size) {
                *leverage = weight * self.leverage_per_weight(group, *time);
            }
        }
    }

    fn leverage_per_weight(&self, group: &Group, time: f64) -> f64 {
        let off = time - group.mean_time;
        1.0 / group.weight + if self.with_trend { off * off / self.spread } else { 0.0 }
    }

    /// The share of the times' spread below which groups leave nothing for a trend.
    const NO_SPREAD: f64 = 1e-20;
}

/// Takes the first `n` off a slice.
fn front<'a>(slice: &mut &'a [f64], n: usize) -> &'a [f64] {
    let (front, rest) = slice.split_at(n.min(slice.len()));
    *slice = rest;
    front
}

impl Group {
    /// Weighted means of time and working response.
    fn average(&mut self, times: &[f64], weights: &[f64], working: &[f64]) {
        let (mut sum, mut sum_time, mut sum_working) = (0.0, 0.0, 0.0);
        for ((time, weight), value) in times.iter().zip(weights).zip(working) {
            sum += weight;
            sum_time += weight * time;
            sum_working += weight * value;
        }
        self.level_before = self.level;
        self.weight = sum;
        self.mean_time = sum_time / sum;
        self.level = sum_working / sum;
    }
}

impl Design for Grouped {
    fn solve(&mut self, weights: &[f64], working: &[f64]) -> Option<()> {
        self.solves += 1;
        let (mut spread, mut together, mut raw_spread) = (0.0, 0.0, 0.0);
        let (mut all_times, mut all_weights, mut all_working) = (self.times.as_slice(), weights, working);
        for group in &mut self.groups {
            let times = front(&mut all_times, group.size);
            let weights = front(&mut all_weights, group.size);
            let working = front(&mut all_working, group.size);
            group.average(times, weights, working);
            if self.with_trend {
                for ((time, weight), value) in times.iter().zip(weights).zip(working) {
                    let off = time - group.mean_time;
                    spread += weight * off * off;
                    together += weight * off * (value - group.level);
                    raw_spread += weight * time * time;
                }
            }
        }
        if self.with_trend {
            if spread.is_nan() || spread <= Self::NO_SPREAD * raw_spread {
                return None;
            }
            self.spread = spread;
            self.slope_before = self.slope;
            self.slope = together / spread;
            for group in &mut self.groups {
                group.level -= self.slope * group.mean_time;
            }
        }
        Some(())
    }

    fn predict(&self, eta: &mut [f64]) {
        let mut points = self.times.iter().zip(eta);
        for group in &self.groups {
            for (time, eta) in points.by_ref().take(group.size) {
                *eta = group.level + self.slope * time;
            }
        }
    }

    fn step_back(&mut self) -> Option<()> {
        if self.solves < 2 {
            return None;
        }
        self.slope = f64::midpoint(self.slope, self.slope_before);
        for group in &mut self.groups {
            group.level = f64::midpoint(group.level, group.level_before);
        }
        Some(())
    }
}
