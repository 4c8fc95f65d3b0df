//! Values as they stand in a rule file: looked up, and turned into what they mean.

use super::Value;
use crate::model::{AlertLevel, Role};
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
    let number = text.trim().strip_prefix("once in ")?.strip_suffix(" days")?;
    number.trim().parse().ok().filter(|days| (1.0..=1e6).contains(days))
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

pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 60
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

pub(super) fn nearest<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    let text = text.chars().take(60).collect::<String>().to_lowercase();
    words
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&word.to_lowercase(), &text), *word))
        .min()
        .filter(|(distance, word)| *distance <= 1 + word.chars().count() / 4)
        .map(|(_, word)| word)
}

pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
