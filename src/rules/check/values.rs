//! Values as they stand in a rule file: looked up, and turned into what they mean.

use super::{Known, Value};
use crate::model::{AlertLevel, AreaKind, Role, SignalKind};
use chrono::NaiveDate;
use toml::de::DeTable;

pub(super) fn get<'t, 'i>(root: &'t DeTable<'i>, section: &str, name: &str) -> Option<&'t Value<'i>> {
    if section.is_empty() { root.get(name) } else { root.get(section)?.get_ref().as_table()?.get(name) }
}

pub(super) fn text_of<'t>(root: &'t DeTable<'_>, section: &str, name: &str) -> Option<&'t str> {
    get(root, section, name)?.get_ref().as_str()
}

pub(super) fn texts<'t>(root: &'t DeTable<'_>, section: &str, name: &str) -> impl Iterator<Item = &'t str> {
    let items = get(root, section, name).and_then(|value| value.get_ref().as_array());
    items.into_iter().flat_map(|items| items.iter()).filter_map(|item| item.get_ref().as_str())
}

pub(super) fn whole(value: &Value<'_>) -> Option<i64> {
    let integer = value.get_ref().as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

pub(super) fn number(value: &Value<'_>) -> Option<f64> {
    let float = value.get_ref().as_float().and_then(|float| float.as_str().parse().ok());
    float.or_else(|| whole(value).map(|whole| whole as f64)).filter(|number| number.is_finite())
}

pub(super) fn date(value: &Value<'_>) -> Option<NaiveDate> {
    let date = value.get_ref().as_datetime()?.date?;
    NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
}

pub(super) fn flag(value: &Value<'_>) -> Option<bool> {
    value.get_ref().as_bool()
}

/// A list of counts; none of what is not one.
pub(super) fn wholes(value: &Value<'_>) -> Vec<u32> {
    let items = value.get_ref().as_array();
    let counts = items.into_iter().flat_map(|items| items.iter()).filter_map(whole);
    counts.filter_map(|count| u32::try_from(count).ok()).collect()
}

/// `60%` as 0.6.
pub(super) fn percent(text: &str) -> Option<f64> {
    let number: f64 = text.trim().strip_suffix('%')?.trim().parse().ok()?;
    (number > 0.0 && number <= 100.0).then_some(number / 100.0)
}

/// `15 points` as 0.15.
pub(super) fn points(text: &str) -> Option<f64> {
    let text = text.trim();
    let number = text.strip_suffix("points").or_else(|| text.strip_suffix("point"))?;
    number
        .trim()
        .parse()
        .ok()
        .filter(|number| (1.0..=100.0).contains(number))
        .map(|number: f64| number / 100.0)
}

/// `4 per year` as 4, `1 per month` as 12.
pub(in crate::rules) fn budget(text: &str) -> Option<f64> {
    let (number, unit) = text.trim().split_once(" per ")?;
    let number: f64 = number.trim().parse().ok()?;
    let a_year = match unit.trim() {
        "year" => 1.0,
        "quarter" => 4.0,
        "month" => 12.0,
        "week" => 52.0,
        _ => return None,
    };
    Some(number * a_year).filter(|budget| (0.05..=1_000.0).contains(budget))
}

/// What a name or code stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lookup {
    /// The area of this code.
    One(String),
    /// Several areas have the name.
    Several,
    /// None is in force.
    Nothing,
}

impl Known<'_> {
    /// An area in force by code, or by a name that only one has.
    pub(super) fn area(&self, kind: AreaKind, text: &str) -> Lookup {
        if self.geography.get(kind, text).is_some() {
            return Lookup::One(text.to_owned());
        }
        let mut named = self.geography.of_kind(kind).filter(|area| area.name == text);
        match (named.next(), named.next()) {
            (Some(one), None) => Lookup::One(one.code.clone()),
            (Some(_), Some(_)) => Lookup::Several,
            _ => Lookup::Nothing,
        }
    }
}

/// Days, working days and weeks, at most ten years.
pub(super) fn days(text: &str) -> Option<u32> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: u32 = number.parse().ok().filter(|n| *n <= 3_660)?;
    match unit.trim() {
        "day" | "days" | "working day" | "working days" => Some(number),
        "week" | "weeks" => Some(number * 7),
        _ => None,
    }
}

pub(super) fn once_in(text: &str) -> Option<f64> {
    let text = text.trim().strip_prefix("once in ")?;
    let (number, unit) = text.trim().split_once(' ')?;
    let number: f64 = number.parse().ok()?;
    let days = match unit.trim() {
        "days" | "day" => number,
        "weeks" => number * 7.0,
        "years" => number * 365.0,
        _ => return None,
    };
    Some(days).filter(|days| (1.0..=1e6).contains(days))
}

pub(super) fn level(text: &str) -> Option<AlertLevel> {
    match text {
        "watch" => Some(AlertLevel::Watch),
        "elevated" => Some(AlertLevel::Elevated),
        "severe" => Some(AlertLevel::Severe),
        _ => None,
    }
}

pub(super) fn role(text: &str) -> Option<Role> {
    Some(match text {
        "csp" => Role::CspCoordinator,
        "csp chair" => Role::CspChair,
        "neighbourhood team" => Role::NptSergeant,
        "neighbourhood commander" => Role::NpaCommander,
        "hate lead" => Role::HateLead,
        other => other.parse().ok()?,
    })
}

/// The kind of signal that a section finds.
pub(super) fn signal(section: &str) -> Option<SignalKind> {
    Some(match section {
        "spike" => SignalKind::Spike,
        "cluster" => SignalKind::Cluster,
        "repeat" => SignalKind::Repeat,
        "drop" => SignalKind::Drop,
        "share" => SignalKind::Share,
        "spread" => SignalKind::Spread,
        "combine" => SignalKind::Combine,
        _ => return None,
    })
}

pub(in crate::rules) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 60
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The word that was probably meant: nearly the same, or the only one that begins so.
pub(super) fn nearest<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    let text = text.chars().take(60).collect::<String>().to_lowercase();
    let near = words
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&word.to_lowercase(), &text), *word))
        .min()
        .filter(|(distance, word)| *distance <= 1 + word.chars().count() / 4)
        .map(|(_, word)| word);
    near.or_else(|| {
        let mut begin = words.iter().filter(|word| text.len() > 3 && word.to_lowercase().starts_with(&text));
        begin.next().copied().filter(|_| begin.next().is_none())
    })
}

pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// A day as people write it, of the years that data can be of.
pub(super) fn a_day(text: &str) -> Option<NaiveDate> {
    let plain: String = text.chars().take(40).filter(|c| !matches!(c, '"' | '\'' | ',')).collect();
    let formats = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %B %Y", "%B %d %Y", "%Y/%m/%d"];
    let found = formats.iter().find_map(|format| NaiveDate::parse_from_str(plain.trim(), format).ok());
    found.filter(|day| in_range(*day))
}

/// Whether a year is one that anybody means.
pub(super) fn in_range(day: NaiveDate) -> bool {
    (1990..=2100).contains(&chrono::Datelike::year(&day))
}

/// Items of a list with their places.
pub(super) fn items<'t, 'i>(value: &'t Value<'i>) -> impl Iterator<Item = &'t Value<'i>> + use<'t, 'i> {
    value.get_ref().as_array().into_iter().flat_map(|items| items.iter())
}
