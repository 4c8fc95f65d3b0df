//! Settings of EARS and CUSUM, under the names of the R package.

use serde::Deserialize;

use super::control::{ControlError, demand, demand_alpha};

/// The three EARS methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum EarsMethod {
    /// Baseline right before the judged period.
    C1,
    /// Baseline two periods earlier, so that the start of an outbreak is not learnt.
    C2,
    /// The C2 excess of the two periods before.
    C3,
}

/// Settings of EARS. Defaults are the package's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct EarsControl {
    /// Which of the three; left out, it is C1.
    pub method: Option<EarsMethod>,
    /// Periods in the baseline.
    pub baseline: usize,
    /// Floor of the standard deviation (cases).
    pub min_sigma: f64,
    /// One-sided false alarm probability; left out, it is 0.001 for C1 and C2 and 0.025 for C3.
    pub alpha: Option<f64>,
}

impl Default for EarsControl {
    fn default() -> Self {
        Self { method: None, baseline: 7, min_sigma: 0.0, alpha: None }
    }
}

impl EarsControl {
    /// The method that is meant.
    #[must_use]
    pub fn method(&self) -> EarsMethod {
        self.method.unwrap_or(EarsMethod::C1)
    }

    /// The false alarm probability that is meant.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.alpha.unwrap_or(if self.method() == EarsMethod::C3 { 0.025 } else { 0.001 })
    }

    /// The same settings for `method`, as asked for by name.
    ///
    /// # Errors
    ///
    /// When the control names another one.
    pub fn with_method(self, method: EarsMethod) -> Result<Self, ControlError> {
        let said = self.method.unwrap_or(method);
        demand(
            said == method,
            "method",
            &format!("{said:?}"),
            "ask for the method of that name, or leave `method` out of the control",
        )?;
        Ok(Self { method: Some(method), ..self })
    }

    /// Whether every value is in its range.
    ///
    /// # Errors
    ///
    /// When one is not; the message says which and what to give instead.
    pub fn check(&self) -> Result<(), ControlError> {
        demand_alpha(self.alpha())?;
        demand(
            (2..=10_000).contains(&self.baseline),
            "baseline",
            &self.baseline,
            "give the number of periods to learn from, at least 2",
        )?;
        demand(
            self.min_sigma.is_finite() && self.min_sigma >= 0.0,
            "minSigma",
            &self.min_sigma,
            "give a standard deviation in cases, 0 or more",
        )
    }
}

/// Where the in-control mean of a CUSUM comes from.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub enum InControlMean {
    /// `null`: the mean of everything before the first judged period.
    #[default]
    Past,
    /// `"glm"`: a Poisson regression with one annual wave on everything before the first judged period.
    Glm,
    /// A number of cases.
    Fixed(f64),
}

impl TryFrom<serde_json::Value> for InControlMean {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        if value.is_null() {
            return Ok(Self::Past);
        }
        if value.as_str() == Some("glm") {
            return Ok(Self::Glm);
        }
        value
            .as_f64()
            .map(Self::Fixed)
            .ok_or_else(|| format!("`m` is {value}; give null, \"glm\" or a number of cases"))
    }
}

/// What a CUSUM adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum CusumTransform {
    /// (x - m) / sqrt m.
    #[default]
    #[serde(rename = "standard")]
    Standard,
    /// (x - 3 m + 2 sqrt(x m)) / (2 sqrt m), closer to normal for small m.
    #[serde(rename = "rossi")]
    Rossi,
    /// 1.5 (x^(2/3) - m^(2/3)) / m^(1/6).
    #[serde(rename = "anscombe")]
    Anscombe,
    /// The Anscombe residual with the mean of x^(2/3) to second order.
    #[serde(rename = "anscombe2nd")]
    Anscombe2nd,
    /// (x - m) / sqrt(m + alpha m²).
    #[serde(rename = "pearsonNegBin")]
    PearsonNegBin,
}

/// Settings of CUSUM. Defaults are the package's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CusumControl {
    /// Reference value taken off each step, standard deviations.
    pub k: f64,
    /// Decision boundary, standard deviations.
    pub h: f64,
    /// In-control mean.
    pub m: InControlMean,
    /// What is added up.
    pub trans: CusumTransform,
    /// Dispersion of the negative binomial (variance m + alpha m²); only `pearsonNegBin` uses and needs it.
    pub alpha: Option<f64>,
}

impl Default for CusumControl {
    fn default() -> Self {
        Self { k: 1.04, h: 2.26, m: InControlMean::Past, trans: CusumTransform::Standard, alpha: None }
    }
}

impl CusumControl {
    /// Whether every value is in its range.
    ///
    /// # Errors
    ///
    /// When one is not; the message says which and what to give instead.
    pub fn check(&self) -> Result<(), ControlError> {
        demand(self.k.is_finite() && self.k >= 0.0, "k", &self.k, "give a reference value, 0 or more")?;
        demand(self.h.is_finite() && self.h > 0.0, "h", &self.h, "give a decision boundary above 0")?;
        if let InControlMean::Fixed(m) = self.m {
            demand(m.is_finite() && m > 0.0, "m", &m, "give null, \"glm\" or a number of cases above 0")?;
        }
        if self.trans == CusumTransform::PearsonNegBin {
            let alpha = self.alpha.unwrap_or(f64::NAN);
            let said = self.alpha.map_or("left out".to_owned(), |alpha| alpha.to_string());
            demand(
                alpha.is_finite() && alpha >= 0.0,
                "alpha",
                &said,
                "pearsonNegBin needs a dispersion, 0 or more",
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_null_glm_or_a_number() {
        let read = |json: &str| serde_json::from_str::<CusumControl>(json).map(|control| control.m);
        assert_eq!(read(r#"{"m": null}"#).unwrap(), InControlMean::Past);
        assert_eq!(read(r#"{"m": "glm"}"#).unwrap(), InControlMean::Glm);
        assert_eq!(read(r#"{"m": 3}"#).unwrap(), InControlMean::Fixed(3.0));
        assert!(read(r#"{"m": "mean"}"#).unwrap_err().to_string().contains("give null, \"glm\" or a number"));
    }

    #[test]
    fn another_ears_method_is_a_contradiction() {
        let c2 = EarsControl { method: Some(EarsMethod::C2), ..EarsControl::default() };
        assert_eq!(
            c2.with_method(EarsMethod::C1).unwrap_err().to_string(),
            "`method` is C2; ask for the method of that name, or leave `method` out of the control"
        );
    }

    #[test]
    fn a_negative_binomial_cusum_needs_its_dispersion() {
        let control = CusumControl { trans: CusumTransform::PearsonNegBin, ..CusumControl::default() };
        assert_eq!(
            control.check().unwrap_err().to_string(),
            "`alpha` is left out; pearsonNegBin needs a dispersion, 0 or more"
        );
    }
}
