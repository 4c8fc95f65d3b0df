//! Rolling periods of whole local days, as rule files write them: `7 days`, `4 weeks`, `12 months`.

use std::{fmt, str::FromStr};

/// A length of time a rule looks at, ending with the last complete local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// So many local days. A week is seven of them.
    Days(u32),
    /// So many calendar months; months differ in length, so they are not turned into days.
    Months(u32),
}

/// A period that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a period; write a whole number and a unit, for example `7 days`, `4 weeks` or `12 months`"
)]
pub struct PeriodError(String);

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || PeriodError(text.chars().take(40).collect());
        let trimmed = text.trim();
        if trimmed == "month" {
            return Ok(Self::Months(1));
        }
        let (number, unit) = trimmed.split_once(' ').ok_or_else(wrong)?;
        let number: u32 = number.parse().ok().filter(|n| (1..=3_660).contains(n)).ok_or_else(wrong)?;
        match unit.trim_start() {
            "day" | "days" => Ok(Self::Days(number)),
            "week" | "weeks" => Ok(Self::Days(number * 7)),
            "month" | "months" => Ok(Self::Months(number)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match *self {
            Self::Days(number) => (number, "day"),
            Self::Months(number) => (number, "month"),
        };
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn periods_read_as_analysts_write_them() {
        assert_eq!("7 days".parse(), Ok(Period::Days(7)));
        assert_eq!("4 weeks".parse(), Ok(Period::Days(28)));
        assert_eq!("12 months".parse(), Ok(Period::Months(12)));
        assert_eq!("month".parse(), Ok(Period::Months(1)));
        assert_eq!(Period::Days(1).to_string(), "1 day");
        let message = "7 dyas".parse::<Period>().unwrap_err().to_string();
        assert!(message.contains("`7 dyas`") && message.contains("`4 weeks`"), "{message}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_read_is_written_back(text in ".{0,30}", n in 1_u32..3_660) {
            let _ = text.parse::<Period>();
            prop_assert_eq!(Period::Days(n).to_string().parse(), Ok(Period::Days(n)));
        }
    }
}
