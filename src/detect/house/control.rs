//! Every number of the method that somebody chose, in one place, with its reason.

/// A window length that is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Blocks in it.
    pub blocks: usize,
    /// How likely an outbreak seen now began so many blocks ago (any positive scale): weighs the score.
    pub prior: f64,
    /// Its share of the p-values (any scale; 0: not tested).
    pub test: f64,
}

/// How the method judges. [`Control::blocks`] gives the values that were measured; docs/DETECTION.md says how.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Blocks in a year: 52 (weeks), 12 (months), 365 (days).
    pub freq: f64,
    /// Windows looked at, shortest first, beginning with one block.
    pub spans: Vec<Span>,
    /// Nothing is learned from so many blocks, the judged one included: the longest window.
    pub guard: usize,
    /// Blocks of a tested window that count in full; in longer windows older ones are capped.
    pub fresh: usize,
    /// Blocks before the guard without which nothing is judged.
    pub least_history: usize,
    /// Harmonics of the year: two give an asymmetric or double-peaked year.
    pub harmonics: usize,
    /// Prior standard deviations of a harmonic's coefficients tried, log scale (0.3 is a year from 0.7 to 1.4 of its mean).
    /// Of these, as of trends and levels, the one with most evidence is taken; steps are looked for with the first.
    pub season_sds: Vec<f64>,
    /// Prior standard deviations of the trend, log units a year.
    pub trend_sds: Vec<f64>,
    /// Standard deviations of the level's wandering, log units per square root of a year.
    pub level_sds: Vec<f64>,
    /// Prior standard deviation of a step in recording, log scale: a doubling is one of them.
    pub step_sd: f64,
    /// A step is taken when its squared score statistic exceeds this: 4.7 standard deviations, since every place is tried.
    pub step_needs: f64,
    /// Steps at most.
    pub steps: usize,
    /// A step leaves at least so many blocks on either side.
    pub segment: usize,
    /// Past spans (length in blocks, limit) whose upper tail is below the limit are episodes: their cells weigh p / limit.
    pub episodes: [(usize, f64); 3],
    /// Rounds of fit and down-weighting.
    pub rounds: usize,
    /// Prior mean of the dispersion (variance over mean of a block). The first weighing uses it: strict, so that episodes
    /// do not hide behind the variance they make.
    pub dispersion: f64,
    /// What that prior is worth: the information of so many cells of mean 1, times a third.
    pub dispersion_information: f64,
    /// Years after which a block tells half as much of a series' own rate (groups of two and more).
    pub rate_half_life: f64,
    /// Excess of an outbreak, incidents: sizes the score looks for. In series whose block has a standard deviation above
    /// 1.25 incidents, times 0.8 of it.
    pub excesses: Vec<f64>,
    /// Chance that an outbreak begins in a block, for the score.
    pub onset: f64,
}

impl Control {
    /// The method for blocks of which there are `freq` in a year (at least 1). The windows reach 8 weeks back.
    #[must_use]
    pub fn blocks(freq: f64) -> Self {
        let freq = if freq.is_finite() { freq.clamp(1.0, 400.0) } else { 52.0 };
        let spans = spans(freq);
        let guard = spans.iter().map(|span| span.blocks).max().unwrap_or(1);
        Self {
            freq,
            spans,
            guard,
            fresh: if freq > 100.0 { 21 } else { 3 },
            least_history: (freq / 4.0).ceil() as usize,
            harmonics: 2,
            season_sds: vec![0.3, 0.03, 1.0],
            trend_sds: vec![0.2, 0.02],
            level_sds: vec![0.02, 0.1, 0.25],
            step_sd: 0.7,
            step_needs: 22.0,
            steps: 3,
            segment: guard,
            episodes: [(1, 3e-3), (guard.div_ceil(3), 1e-3), (guard, 3e-4)],
            rounds: 4,
            dispersion: 1.3,
            dispersion_information: 8.0,
            rate_half_life: 5.0,
            excesses: vec![3.0, 6.0, 12.0],
            onset: 0.04,
        }
    }
}

impl Control {
    pub(super) fn sds(&self, part: super::pattern::Part) -> &[f64] {
        match part {
            super::pattern::Part::Trend => &self.trend_sds,
            super::pattern::Part::Season => &self.season_sds,
            super::pattern::Part::Level => &self.level_sds,
        }
    }
}

/// Windows of weeks, months or days. Most outbreaks are seen best over two weeks, slow ones over up to eight; the weights
/// were chosen on the benchmark's tuning seeds among a few, and matter little.
fn spans(freq: f64) -> Vec<Span> {
    let of = |all: &[(usize, f64, f64)]| {
        all.iter().map(|&(blocks, prior, test)| Span { blocks, prior, test }).collect()
    };
    if freq > 100.0 {
        of(&[(1, 0.1, 0.1), (7, 0.2, 0.25), (14, 0.5, 0.45), (28, 0.12, 0.12), (56, 0.08, 0.08)])
    } else if freq > 20.0 {
        of(&[
            (1, 0.20, 0.32),
            (2, 0.50, 0.60),
            (3, 0.12, 0.0),
            (4, 0.06, 0.05),
            (5, 0.04, 0.0),
            (6, 0.03, 0.0),
            (7, 0.03, 0.0),
            (8, 0.02, 0.03),
        ])
    } else {
        of(&[(1, 0.7, 0.7), (2, 0.3, 0.3)])
    }
}
