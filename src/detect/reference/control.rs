//! Settings of the two Farrington methods, under the names of the R package.

use serde::Deserialize;

/// What is wrong with a control.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Not JSON, an unknown name, or a value of the wrong kind.
    #[error("the control cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A value out of range.
    #[error("`{name}` is {value}; {way_out}")]
    Range {
        /// The setting, by its R name.
        name: &'static str,
        /// What was given.
        value: String,
        /// What to give instead.
        way_out: &'static str,
    },
    /// No such method.
    #[error(
        "there is no method `{name}`; give farrington-flexible, farrington-1996, ears-c1, ears-c2, ears-c3 or cusum"
    )]
    UnknownMethod {
        /// What was given.
        name: String,
    },
}

/// An error about one value, unless `fine`.
pub(super) fn demand(
    fine: bool,
    name: &'static str,
    value: &impl ToString,
    way_out: &'static str,
) -> Result<(), ControlError> {
    if fine { Ok(()) } else { Err(ControlError::Range { name, value: value.to_string(), way_out }) }
}

/// The range of every `alpha` that is a false alarm probability.
pub(super) fn demand_alpha(alpha: f64) -> Result<(), ControlError> {
    demand(
        alpha > 0.0 && alpha < 0.5,
        "alpha",
        &alpha,
        "give a probability above 0 and below 0.5, for example 0.01",
    )
}

/// The scale on which a prediction is taken as normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum PowerTransform {
    /// y^(2/3), skewness removing for a Poisson count.
    #[default]
    #[serde(rename = "2/3")]
    TwoThirds,
    /// y^(1/2), variance stabilising for a Poisson count.
    #[serde(rename = "1/2")]
    Half,
    /// y itself.
    #[serde(rename = "none")]
    None,
}

/// How Farrington flexible comes from a fitted mean to a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum ThresholdMethod {
    /// A normal quantile on a power scale, with the variance of the mean (delta method).
    #[default]
    #[serde(rename = "delta")]
    Delta,
    /// A negative binomial quantile at the fitted mean.
    #[serde(rename = "nbPlugin")]
    NbPlugin,
    /// A negative binomial quantile at the upper confidence limit of the mean.
    #[serde(rename = "muan")]
    Muan,
}

/// Settings of Farrington flexible. Defaults are the package's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "names and kinds are those of the R package")]
pub struct FlexibleControl {
    /// Years of history.
    pub b: u32,
    /// Half width of the window around each reference point, periods.
    pub w: usize,
    /// Whether past outbreaks are weighted down.
    pub reweight: bool,
    /// Standardised residual above which a past count is weighted down.
    pub weights_threshold: f64,
    /// One-sided false alarm probability per period.
    pub alpha: f64,
    /// Whether a linear trend of the log mean is tried.
    pub trend: bool,
    /// The trend is kept when its p-value is below this; 1 keeps it always, unless it extrapolates.
    pub p_threshold_trend: f64,
    /// (cases, periods): judge only if the last `periods`, this one included, have at least `cases`.
    pub limit54: (u64, usize),
    /// Scale of the delta method.
    pub powertrans: PowerTransform,
    /// Taken for compatibility; only `algo.farrington.fitGLM.flexible` exists.
    pub fit_fun: String,
    /// Taken for compatibility; must be false.
    pub population_offset: bool,
    /// Season groups in a year; 1 means only the windows around the reference points are used.
    pub no_periods: usize,
    /// The last periods to leave out of the baseline, so that an outbreak under way is not learnt; `null` is `w`.
    pub past_weeks_not_included: Option<usize>,
    /// From the fitted mean to a threshold.
    pub threshold_method: ThresholdMethod,
    /// Taken for compatibility; nothing is printed either way.
    pub glm_warnings: bool,
}

impl Default for FlexibleControl {
    fn default() -> Self {
        Self {
            b: 5,
            w: 3,
            reweight: true,
            weights_threshold: 2.58,
            alpha: 0.05,
            trend: true,
            p_threshold_trend: 0.05,
            limit54: (5, 4),
            powertrans: PowerTransform::TwoThirds,
            fit_fun: Self::FIT.to_owned(),
            population_offset: false,
            no_periods: 1,
            past_weeks_not_included: None,
            threshold_method: ThresholdMethod::Delta,
            glm_warnings: true,
        }
    }
}

impl FlexibleControl {
    const FIT: &'static str = "algo.farrington.fitGLM.flexible";

    /// Periods before the judged one that are not learnt from.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.past_weeks_not_included.unwrap_or(self.w)
    }

    /// Whether every value is in its range.
    ///
    /// # Errors
    ///
    /// When one is not; the message says which and what to give instead.
    pub fn check(&self) -> Result<(), ControlError> {
        demand_years(self.b)?;
        demand_alpha(self.alpha)?;
        demand(
            self.weights_threshold.is_finite() && self.weights_threshold > 0.0,
            "weightsThreshold",
            &self.weights_threshold,
            "give a number of standard deviations above 0, for example 2.58",
        )?;
        demand(
            (0.0..=1.0).contains(&self.p_threshold_trend),
            "pThresholdTrend",
            &self.p_threshold_trend,
            "give a probability from 0 to 1; 1 keeps every trend that does not extrapolate",
        )?;
        demand(
            (1..=366).contains(&self.no_periods),
            "noPeriods",
            &self.no_periods,
            "give the number of season groups, for example 10; 1 switches them off",
        )?;
        demand(
            !self.population_offset,
            "populationOffset",
            &true,
            "populations are not supported; leave it out",
        )?;
        demand(
            self.fit_fun == Self::FIT,
            "fitFun",
            &self.fit_fun,
            "only algo.farrington.fitGLM.flexible exists",
        )
    }
}

/// Settings of Farrington 1996. Defaults are the package's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Farrington1996Control {
    /// Years of history.
    pub b: u32,
    /// Half width of the window around each reference point, periods.
    pub w: usize,
    /// Whether past outbreaks are weighted down.
    pub reweight: bool,
    /// Two-sided false alarm probability per period: the bound is at the quantile 1 - alpha / 2.
    pub alpha: f64,
    /// Whether a linear trend of the log mean is tried; it is kept when p < 0.05.
    pub trend: bool,
    /// (cases, periods): judge only if the last `periods`, this one included, have at least `cases`.
    pub limit54: (u64, usize),
    /// Scale on which a prediction is taken as normal.
    pub powertrans: PowerTransform,
    /// Taken for compatibility; only `algo.farrington.fitGLM.fast` exists.
    pub fit_fun: String,
}

impl Default for Farrington1996Control {
    fn default() -> Self {
        Self {
            b: 5,
            w: 3,
            reweight: true,
            alpha: 0.05,
            trend: true,
            limit54: (5, 4),
            powertrans: PowerTransform::TwoThirds,
            fit_fun: Self::FIT.to_owned(),
        }
    }
}

impl Farrington1996Control {
    const FIT: &'static str = "algo.farrington.fitGLM.fast";

    /// Whether every value is in its range.
    ///
    /// # Errors
    ///
    /// When one is not; the message says which and what to give instead.
    pub fn check(&self) -> Result<(), ControlError> {
        demand_years(self.b)?;
        demand(
            self.alpha > 0.0 && self.alpha < 1.0,
            "alpha",
            &self.alpha,
            "give a two-sided probability above 0 and below 1, for example 0.05",
        )?;
        demand(self.fit_fun == Self::FIT, "fitFun", &self.fit_fun, "only algo.farrington.fitGLM.fast exists")
    }
}

fn demand_years(b: u32) -> Result<(), ControlError> {
    demand((1..=100).contains(&b), "b", &b, "give the years of history to learn from, 1 to 100")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_not_swallowed() {
        let refused = serde_json::from_str::<FlexibleControl>(r#"{"noPeriod": 10}"#).unwrap_err().to_string();
        assert!(refused.contains("unknown field `noPeriod`"), "{refused}");
    }

    #[test]
    fn a_value_out_of_range_says_what_to_give() {
        let told = |json: &str| {
            serde_json::from_str::<FlexibleControl>(json).unwrap().check().unwrap_err().to_string()
        };
        assert_eq!(
            told(r#"{"alpha": 0}"#),
            "`alpha` is 0; give a probability above 0 and below 0.5, for example 0.01"
        );
        assert_eq!(told(r#"{"b": 0}"#), "`b` is 0; give the years of history to learn from, 1 to 100");
        assert!(told(r#"{"noPeriods": 0}"#).starts_with("`noPeriods` is 0"));
        assert!(told(r#"{"populationOffset": true}"#).contains("not supported"));
    }

    #[test]
    fn null_past_weeks_means_the_window() {
        let control: FlexibleControl =
            serde_json::from_str(r#"{"w": 2, "pastWeeksNotIncluded": null}"#).unwrap();
        assert_eq!(control.left_out(), 2);
    }
}
