//! What stands in `[[test]]`, and points on the grid.

use super::{
    File, Value,
    shapes::example,
    values::{items, nearest, number, short, whole, wholes},
};
use crate::rules::fields::{Field, TEST};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Ten years of weeks.
pub(super) const MOST_WEEKS: usize = 520;
/// Incidents of one test.
pub(super) const MOST_INCIDENTS: usize = 2_000;
/// Three years before the night: longer than any rule looks.
const OLDEST_DAY: i64 = -1_100;
const KEYS: [&str; 8] = ["day", "east", "north", "category", "source", "offence", "ward", "repeat_key"];

impl File<'_> {
    /// One incident of a test.
    pub(super) fn incident(&mut self, field: &Field, item: &Value<'_>) {
        let DeValue::Table(table) = item.get_ref() else {
            return self.wrong(item.span(), "an incident stands in braces", example(field));
        };
        for (key, value) in table {
            let name: &str = key.get_ref();
            match name {
                "day" => {
                    if !whole(value).is_some_and(|day| (OLDEST_DAY..=0).contains(&day)) {
                        let message = format!("`day` must be a whole number from {OLDEST_DAY} to 0");
                        self.wrong(value.span(), message, "0 is the night, -1 the day before");
                    }
                }
                "east" | "north" => self.metres(name, value),
                "category" => {
                    let known: Vec<&str> = self.known.categories.codes().iter().map(String::as_str).collect();
                    match value.get_ref().as_str() {
                        Some(text) => {
                            self.word(&Field { name: "category", ..*field }, value.span(), text, &known);
                        }
                        None => self.wrong(value.span(), "`category` must be text in quotes", example(field)),
                    }
                }
                "ward" if value.get_ref().as_str() != Some("next door") => {
                    let message = "a test has no wards of its own, only the tested one and one beside it";
                    self.wrong(value.span(), message, "write  ward = \"next door\"  or leave it out");
                }
                "source" | "offence" | "repeat_key" => {
                    if !value.get_ref().as_str().is_some_and(|text| (1..=120).contains(&text.trim().len())) {
                        let message = format!("`{name}` must be text in quotes, up to 120 characters");
                        self.wrong(value.span(), message, format!("for example  {name} = \"police\""));
                    }
                }
                "ward" => {}
                _ => {
                    let remedy = nearest(name, &KEYS).map_or_else(
                        || format!("it can have {}", KEYS.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.wrong(key.span(), format!("`{}` is not known in an incident", short(name)), remedy);
                }
            }
        }
        if !table.contains_key("day") {
            self.missing(
                item.span(),
                "the incident has no `day`",
                "write  day = 0  for the night, -1 for the day before",
            );
        }
        if table.contains_key("east") != table.contains_key("north") {
            self.missing(item.span(), "`east` and `north` come together", "write both, or neither");
        }
    }

    /// A number of metres on the grid.
    fn metres(&mut self, name: &str, value: &Value<'_>) {
        let message = match number(value) {
            Some(found) if (1_000.0..=10_000_000.0).contains(&found) => return,
            Some(found) if found.abs() <= 180.0 => {
                format!("`{name}` is {found}: that looks like degrees, and metres on the grid are needed")
            }
            _ => format!("`{name}` must be a number of metres on the grid, without quotes"),
        };
        self.wrong(
            value.span(),
            message,
            format!("for example  {name} = {}", if name == "east" { 458_300 } else { 303_900 }),
        );
    }

    /// A point, as `{ east = 458300, north = 303900 }`.
    pub(super) fn point(&mut self, field: &Field, value: &Value<'_>) {
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("`{}` must be a point in braces", field.name);
            return self.wrong(value.span(), message, example(field));
        };
        for (key, value) in table {
            let name: &str = key.get_ref();
            if matches!(name, "east" | "north") {
                self.metres(name, value);
            } else {
                self.wrong(
                    key.span(),
                    format!("`{}` is not known in a point", short(name)),
                    "it has east and north",
                );
            }
        }
        if !table.contains_key("east") || !table.contains_key("north") {
            self.missing(value.span(), "a point has east and north", example(field));
        }
    }

    /// What the fields of a test mean together.
    pub(super) fn test_meaning(&mut self, table: &DeTable<'_>, at: Range<usize>, detector: &str) {
        if !table.contains_key("weeks") && !table.contains_key("incidents") {
            let remedy = format!("{TEST} Add for example  weeks = [1, 0, 2, 1, 8]");
            self.missing(at, "the test has neither `weeks` nor `incidents`", remedy);
        }
        if let Some(value) = table.get("next_door")
            && !matches!(detector, "spread" | "combine" | "")
        {
            self.wrong(
                value.span(),
                format!("[{detector}] does not look next door"),
                "remove `next_door`; only [spread] and [combine] have it",
            );
        }
        let Some(value) = table.get("of_which") else { return };
        if !matches!(detector, "share" | "") {
            let message = format!("[{detector}] does not look at kinds of offence");
            return self.wrong(value.span(), message, "remove `of_which`; only [share] has it");
        }
        let weeks = table.get("weeks").map(wholes).unwrap_or_default();
        let parts = wholes(value);
        if parts.len() != weeks.len() {
            let message = format!("`of_which` has {} weeks and `weeks` has {}", parts.len(), weeks.len());
            return self.wrong(value.span(), message, "write one number for each week");
        }
        for ((part, week), item) in parts.iter().zip(&weeks).zip(items(value)) {
            if part > week {
                self.wrong(
                    item.span(),
                    format!("{part} of {week} incidents can't be"),
                    "`of_which` counts a part of `weeks`",
                );
            }
        }
    }
}
