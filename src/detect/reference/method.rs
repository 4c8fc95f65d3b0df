//! The methods by name, and one door to all of them.

use std::{fmt, ops::Range, str::FromStr};

use super::{
    ControlError, CusumControl, EarsControl, EarsMethod, Farrington1996Control, FlexibleControl, History,
    JudgeError, Verdict, cusum, ears, farrington_1996, farrington_flexible,
};

/// A reference method, as a command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `farrington-flexible`
    FarringtonFlexible,
    /// `farrington-1996`
    Farrington1996,
    /// `ears-c1`, `ears-c2`, `ears-c3`
    Ears(EarsMethod),
    /// `cusum`
    Cusum,
}

impl Method {
    /// All of them, in the order in which a help text lists them.
    pub const ALL: [Self; 6] = [
        Self::FarringtonFlexible,
        Self::Farrington1996,
        Self::Ears(EarsMethod::C1),
        Self::Ears(EarsMethod::C2),
        Self::Ears(EarsMethod::C3),
        Self::Cusum,
    ];

    /// The name on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FarringtonFlexible => "farrington-flexible",
            Self::Farrington1996 => "farrington-1996",
            Self::Ears(EarsMethod::C1) => "ears-c1",
            Self::Ears(EarsMethod::C2) => "ears-c2",
            Self::Ears(EarsMethod::C3) => "ears-c3",
            Self::Cusum => "cusum",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = ControlError;

    fn from_str(name: &str) -> Result<Self, ControlError> {
        Self::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| ControlError::UnknownMethod { name: name.to_owned() })
    }
}

/// A method with its settings, checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// Farrington flexible.
    FarringtonFlexible(FlexibleControl),
    /// Farrington 1996.
    Farrington1996(Farrington1996Control),
    /// EARS.
    Ears(EarsControl),
    /// CUSUM.
    Cusum(CusumControl),
}

impl Control {
    /// Reads settings from JSON whose names are those of the R package; what is left out has the package's default,
    /// so `{}` is the package's own setting.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, a name is unknown, a value is out of range, or an EARS control names another method.
    pub fn from_json(method: Method, json: &str) -> Result<Self, ControlError> {
        let control = match method {
            Method::FarringtonFlexible => Self::FarringtonFlexible(serde_json::from_str(json)?),
            Method::Farrington1996 => Self::Farrington1996(serde_json::from_str(json)?),
            Method::Ears(ears) => Self::Ears(serde_json::from_str::<EarsControl>(json)?.with_method(ears)?),
            Method::Cusum => Self::Cusum(serde_json::from_str(json)?),
        };
        control.check()?;
        Ok(control)
    }

    /// The package's own settings.
    #[must_use]
    pub fn default_for(method: Method) -> Self {
        match method {
            Method::FarringtonFlexible => Self::FarringtonFlexible(FlexibleControl::default()),
            Method::Farrington1996 => Self::Farrington1996(Farrington1996Control::default()),
            Method::Ears(ears) => Self::Ears(EarsControl { method: Some(ears), ..EarsControl::default() }),
            Method::Cusum => Self::Cusum(CusumControl::default()),
        }
    }

    /// Whether every value is in its range; [`Control::from_json`] has asked already.
    ///
    /// # Errors
    ///
    /// When a value is out of range; the message says which and what to give instead.
    pub fn check(&self) -> Result<(), ControlError> {
        match self {
            Self::FarringtonFlexible(control) => control.check(),
            Self::Farrington1996(control) => control.check(),
            Self::Ears(control) => control.check(),
            Self::Cusum(control) => control.check(),
        }
    }
}

/// Judges the periods at `points` (0-based positions) with the method and settings of `control`.
///
/// # Errors
///
/// When a setting is out of range, a point does not exist, the history is too short for the method, or a count it cannot do without is missing.
pub fn judge(
    history: &History<'_>,
    control: &Control,
    points: Range<usize>,
) -> Result<Vec<Verdict>, JudgeError> {
    match control {
        Control::FarringtonFlexible(control) => farrington_flexible::judge(history, control, points),
        Control::Farrington1996(control) => farrington_1996::judge(history, control, points),
        Control::Ears(control) => ears::judge(history, control, points),
        Control::Cusum(control) => cusum::judge(history, control, points),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for method in Method::ALL {
            assert_eq!(method.to_string().parse::<Method>().unwrap(), method);
            assert_eq!(Control::from_json(method, "{}").unwrap(), Control::default_for(method));
        }
        assert_eq!(
            "farringtn".parse::<Method>().unwrap_err().to_string(),
            "there is no method `farringtn`; give farrington-flexible, farrington-1996, ears-c1, ears-c2, ears-c3 \
             or cusum"
        );
    }
}
