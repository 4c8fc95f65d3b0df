//! The reference page of rule files, `docs/RULES.md`: its tables come from the table of fields, its prose from here.

mod prose;

use super::fields::{self, DETECTORS, EPISODE, EVENT, Field, INCIDENT, PLAY, POINT, Shape};
use crate::model::AlertLevel;
use std::fmt::Write;

/// The page, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = prose::HEAD.to_owned();
    page += &example();
    page += prose::NIGHT;
    levels(&mut page);
    page += prose::STATUSES;
    page += prose::FORMAT;
    section(&mut page, "The top of the file", "");
    named(&mut page, "look_at");
    page += prose::DETECTORS;
    for name in DETECTORS {
        named(&mut page, name);
    }
    page += prose::TELLING;
    named(&mut page, "tell");
    named(&mut page, "budget");
    page += prose::OVERRIDES;
    several(&mut page, "override");
    page += prose::CALENDAR;
    several(&mut page, "calendar");
    page += prose::EVENTS;
    table(&mut page, EVENT.iter());
    page += prose::POINT;
    table(&mut page, POINT.iter());
    page += prose::EPISODES;
    table(&mut page, EPISODE.iter());
    page += prose::PLAYBOOKS;
    table(&mut page, PLAY.iter());
    page += prose::TESTS;
    several(&mut page, "test");
    page += prose::INCIDENTS;
    table(&mut page, INCIDENT.iter());
    page += prose::LIFE;
    page
}

/// A rule that comes with the program, whole.
fn example() -> String {
    format!("```toml\n{}```\n", include_str!("../../rules/race-week-spike.toml"))
}

fn levels(page: &mut String) {
    *page += "\n| Level | By chance, over everything the rule looks at |\n|---|---|\n";
    let levels =
        [("watch", AlertLevel::Watch), ("elevated", AlertLevel::Elevated), ("severe", AlertLevel::Severe)];
    for (name, level) in levels {
        let _ = writeln!(page, "| `{name}` | no more often than once in {:.0} days |", level.promised_days());
    }
    *page += prose::AFTER_LEVELS;
}

/// A section in single brackets.
fn named(page: &mut String, name: &str) {
    section(page, &format!("`[{name}]`"), name);
}

/// A section in double brackets.
fn several(page: &mut String, name: &str) {
    section(page, &format!("`[[{name}]]`"), name);
}

fn section(page: &mut String, title: &str, name: &str) {
    let _ = writeln!(page, "\n### {title}\n\n{}", fields::meaning(name));
    table(page, fields::of(name));
}

fn table<'f>(page: &mut String, fields: impl Iterator<Item = &'f Field>) {
    *page += "\n| Field | What it holds | Needed? | Example | What it means |\n|---|---|---|---|---|\n";
    for field in fields {
        let needed = if field.needed { "yes" } else { "no" };
        let Field { name, example, meaning, .. } = field;
        let holds = in_words(field.shape);
        let _ = writeln!(page, "| `{name}` | {holds} | {needed} | `{example}` | {meaning} |");
    }
}

/// What a field holds, in words.
fn in_words(shape: Shape) -> String {
    let words =
        |words: &[&str]| words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ");
    match shape {
        Shape::Text(longest) => format!("text of at most {longest} characters"),
        Shape::Id => "at most 60 small letters, digits and hyphens".to_owned(),
        Shape::Rule => "the id of a rule".to_owned(),
        Shape::Rules => "a list of ids of rules".to_owned(),
        Shape::Word([only]) => format!("`\"{only}\"`"),
        Shape::Word(known) => format!("one of {}", words(known)),
        Shape::Words(known) => format!("a list of {}", words(known)),
        Shape::Texts => "a list of text".to_owned(),
        Shape::Whole(low, high) => format!("a whole number from {} to {}", figure(low), figure(high)),
        Shape::Number(low, high) if low < -1e6 && high > 1e6 => "a number of metres".to_owned(),
        Shape::Number(low, high) => format!("a number from {low} to {}", figure(high as i64)),
        Shape::Date => "a day: year, month, day".to_owned(),
        Shape::Period => "days, weeks or months".to_owned(),
        Shape::Days => "days or weeks".to_owned(),
        Shape::WorkingDays => "working days, days or weeks".to_owned(),
        Shape::OnceIn => "once in so many days, weeks or years".to_owned(),
        Shape::Percent => "a percentage".to_owned(),
        Shape::Points => "percentage points".to_owned(),
        Shape::Budget => "so many per year, quarter, month or week".to_owned(),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Categories => "a list of strands of your area pack, or of `\"any\"`".to_owned(),
        Shape::Category => "a strand of your area pack".to_owned(),
        Shape::Wards => "a list of wards, by code or name".to_owned(),
        Shape::Districts => "a list of districts, by code or name".to_owned(),
        Shape::Csps => "a list of partnerships, by code or name".to_owned(),
        Shape::Event => "the name of an entry of the calendar".to_owned(),
        Shape::Counts => "a list of whole numbers".to_owned(),
        Shape::Incidents => "a list of incidents, see below".to_owned(),
        Shape::Point => "a point, see below".to_owned(),
    }
}

/// A whole number as people read it: `10,000`.
fn figure(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::FIELDS;

    #[test]
    fn the_page_in_docs_is_the_one_that_the_table_of_fields_gives() {
        let kept = include_str!("../../docs/RULES.md");
        let differs = kept.lines().zip(reference().lines().map(str::to_owned)).find(|(old, new)| old != new);
        assert!(
            kept == reference(),
            "docs/RULES.md is out of date, first at {differs:?}; renew it with\n\
             cargo run -- rules reference --out docs/RULES.md"
        );
    }

    #[test]
    fn every_field_stands_on_the_page_in_a_row_of_five_cells() {
        let page = reference();
        for field in FIELDS.iter().chain(EVENT).chain(EPISODE).chain(INCIDENT).chain(POINT) {
            let end = format!("| `{}` | {} |", field.example, field.meaning);
            let row = page.lines().find(|line| line.ends_with(&end));
            let row = row.unwrap_or_else(|| panic!("no row for [{}] {}", field.section, field.name));
            assert_eq!(row.matches('|').count(), 6, "a bar in a cell breaks the table: {row}");
        }
        assert!(page.contains("| `severe` | no more often than once in 365 days |"));
    }

    #[test]
    fn figures_are_grouped_as_people_read_them() {
        assert_eq!(
            [7, 365, 1_000, 10_000, 1_234_567, -3_660].map(figure),
            ["7", "365", "1,000", "10,000", "1,234,567", "-3,660"]
        );
    }
}
