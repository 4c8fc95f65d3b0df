//! How unusual a count is against its own normal, in five steps and in words.

use crate::{model::AlertLevel, stages::figures::AreaFigure};

/// A step of the scale; the order is that of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    WellAbove,
    Above,
    SlightlyAbove,
    Below,
    TooEarly,
    Within,
}

/// With less of a window known than this, nothing is said of counts that are not above: a false calm is worse.
const DECIDABLE: f64 = 0.5;

impl Class {
    pub(super) const ALL: [Self; 6] =
        [Self::WellAbove, Self::Above, Self::SlightlyAbove, Self::Below, Self::TooEarly, Self::Within];

    /// The steps are those of the alert levels: rarity by chance over all areas of the kind, never the multiple.
    /// `known_share` is that of the window.
    pub(super) fn of(figure: &AreaFigure, known_share: f64) -> Self {
        match figure.above.and_then(AlertLevel::of) {
            Some(AlertLevel::Severe) => Self::WellAbove,
            Some(AlertLevel::Elevated) => Self::Above,
            Some(AlertLevel::Watch) => Self::SlightlyAbove,
            None if known_share < DECIDABLE => Self::TooEarly,
            None if figure.below.and_then(AlertLevel::of).is_some() => Self::Below,
            None => Self::Within,
        }
    }

    /// Above or below its own normal: neither as usual nor too early to say.
    pub(super) const fn is_off(self) -> bool {
        !matches!(self, Self::Within | Self::TooEarly)
    }

    /// As the style sheet and the map's data write it.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::WellAbove => "well-above",
            Self::Above => "above",
            Self::SlightlyAbove => "slightly-above",
            Self::Below => "below",
            Self::TooEarly => "too-early",
            Self::Within => "within",
        }
    }

    /// As people read it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::WellAbove => "Well above their own normal",
            Self::Above => "Above their own normal",
            Self::SlightlyAbove => "Slightly above their own normal",
            Self::Below => "Below their own normal",
            Self::TooEarly => "Too early to say",
            Self::Within => "Within their normal range",
        }
    }

    /// The same of one area.
    pub(super) const fn of_one(self) -> &'static str {
        match self {
            Self::WellAbove => "Well above its own normal",
            Self::Above => "Above its own normal",
            Self::SlightlyAbove => "Slightly above its own normal",
            Self::Below => "Below its own normal",
            Self::TooEarly => "Too early to say",
            Self::Within => "Within its normal range",
        }
    }

    /// What the step means.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::WellAbove => "by chance once in 365 days or rarer, anywhere on this page",
            Self::Above => "by chance once in 100 to 364 days, anywhere on this page",
            Self::SlightlyAbove => "by chance once in 30 to 99 days, anywhere on this page",
            Self::Below => "so few by chance once in 30 days or rarer; look whether reports still arrive",
            Self::TooEarly => "more than half of the reports usually still come; a low count is no calm yet",
            Self::Within => "as many as usual, give or take",
        }
    }
}

/// A finding in a sentence: never a page's name.
pub(super) fn heading(counts: &[(Class, usize)], one: &str, many: &str) -> String {
    let count = |class: Class| counts.iter().find(|(of, _)| *of == class).map_or(0, |(_, count)| *count);
    let above = count(Class::WellAbove) + count(Class::Above) + count(Class::SlightlyAbove);
    let below = count(Class::Below);
    match (above, below) {
        (0, _) if count(Class::TooEarly) > 0 => {
            format!("No {one} is above its own normal so far; it is too early to say more")
        }
        (0, 0) => format!("No {one} is off its own normal"),
        (0, 1) => format!("No {one} is above its own normal, one is below"),
        (0, below) => format!("No {one} is above its own normal, {} are below", number(below)),
        (1, _) => format!("One {one} is above its own normal"),
        (above, _) => format!("{} {many} are above their own normal", capital(&number(above))),
    }
}

/// Small numbers are written out.
pub(super) fn number(n: usize) -> String {
    const WORDS: [&str; 10] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    WORDS.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

/// With a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heading_is_right_for_none_one_and_many() {
        let told = |above: usize, below: usize| {
            heading(&[(Class::Above, above), (Class::Below, below)], "ward", "wards")
        };
        assert_eq!(told(0, 0), "No ward is off its own normal");
        assert_eq!(told(0, 1), "No ward is above its own normal, one is below");
        assert_eq!(told(0, 3), "No ward is above its own normal, three are below");
        assert_eq!(told(1, 3), "One ward is above its own normal");
        assert_eq!(told(12, 0), "12 wards are above their own normal");
        let early = heading(&[(Class::TooEarly, 176)], "ward", "wards");
        assert_eq!(early, "No ward is above its own normal so far; it is too early to say more");
    }

    #[test]
    fn a_low_count_of_which_little_is_known_is_no_calm() {
        let rate = |days: f64| Some(crate::model::Recurrence::from_daily_rate(1.0 / days));
        let figure = |above, below| AreaFigure {
            area: crate::model::AreaRef { kind: crate::model::AreaKind::Ward, code: "A".into() },
            name: "A".into(),
            observed: 0,
            change: None,
            year: None,
            expected: 1.0,
            usual_range: (0, 3),
            above,
            below,
            weeks: Vec::new(),
        };
        assert_eq!(Class::of(&figure(None, rate(60.0)), 0.9), Class::Below);
        assert_eq!(Class::of(&figure(None, rate(60.0)), 0.3), Class::TooEarly);
        assert_eq!(Class::of(&figure(None, None), 0.3), Class::TooEarly);
        assert_eq!(
            Class::of(&figure(rate(400.0), None), 0.3),
            Class::WellAbove,
            "what is much already is much"
        );
    }
}
