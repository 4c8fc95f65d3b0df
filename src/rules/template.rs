//! A new rule to begin with: every field of its sections with what it means, the optional ones commented out.

mod histories;

use super::{
    check::is_id,
    fields::{self, DETECTORS, Field, LISTS, TITLE},
};
use chrono::{Months, NaiveDate};
use std::fmt::Write;

/// A template cannot be written; says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The id has characters that an id may not have.
    #[error(
        "`{0}` can't be a rule's id: write 1 to 60 small letters, digits and hyphens, for example race-week-spike"
    )]
    Id(String),
    /// The title is empty or too long.
    #[error("a title has 1 to {TITLE} characters, this has {0}")]
    Title(usize),
    /// No such detector.
    #[error("`{0}` is no detector: there are {list}", list = DETECTORS.join(", "))]
    Detector(String),
}

/// What to write a template for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template<'a> {
    /// The rule's id.
    pub id: &'a str,
    /// The section that finds something.
    pub detector: &'a str,
    /// What it finds; the meaning of the detector otherwise.
    pub title: Option<&'a str>,
    /// The day it is written; half a year later somebody looks at it again.
    pub today: NaiveDate,
}

/// How long a line of comment may be.
const WIDTH: usize = 100;

const SCHEMA: &str = "#:schema ./rule.schema.json\n";
const HEAD: &str = "A draft: it is checked and tested, but not judged at night. A field with a # before its name is \
    optional: take the # away to use it.";

impl Template<'_> {
    /// The file.
    ///
    /// # Errors
    ///
    /// When the id, the title or the detector is none.
    pub fn text(&self) -> Result<String, TemplateError> {
        if !is_id(self.id) {
            return Err(TemplateError::Id(self.id.chars().take(60).collect()));
        }
        if !DETECTORS.contains(&self.detector) {
            return Err(TemplateError::Detector(self.detector.chars().take(60).collect()));
        }
        let length = self.title().trim().chars().count();
        if !(1..=TITLE).contains(&length) {
            return Err(TemplateError::Title(length));
        }
        let mut text = SCHEMA.to_owned();
        comment(&mut text, HEAD);
        self.section(&mut text, "", "", true);
        if self.detector != "combine" {
            self.section(&mut text, "look_at", "[look_at]", true);
        }
        self.section(&mut text, self.detector, &format!("[{}]", self.detector), true);
        self.section(&mut text, "tell", "[tell]", true);
        self.section(&mut text, "budget", "[budget]", false);
        for name in LISTS.into_iter().filter(|name| *name != "test") {
            self.section(&mut text, name, &format!("[[{name}]]"), false);
        }
        tests(&mut text, self.detector);
        Ok(text)
    }

    fn title(&self) -> &str {
        self.title.unwrap_or_else(|| fields::meaning(self.detector).trim_end_matches('.'))
    }

    /// A section; one that is not in use is commented out as a whole.
    fn section(&self, text: &mut String, name: &str, head: &str, used: bool) {
        text.push('\n');
        if !name.is_empty() {
            comment(text, fields::meaning(name));
            let _ = writeln!(text, "{}{head}", if used { "" } else { "#" });
        }
        for field in fields::of(name) {
            comment(text, field.meaning);
            let mark = if used && writes(field) { "" } else { "#" };
            let _ = writeln!(text, "{mark}{}", self.line(field));
        }
    }

    /// A field as it stands in the template: its example, unless this rule knows better.
    fn line(&self, field: &Field) -> String {
        let value = match (field.section, field.name) {
            ("", "id") => format!("\"{}\"", self.id),
            ("", "title") => toml::Value::from(self.title().trim()).to_string(),
            ("", "status") => r#""draft""#.to_owned(),
            ("", "review_by") => {
                self.today.checked_add_months(Months::new(6)).unwrap_or(self.today).to_string()
            }
            ("look_at", "categories") => r#"["any"]"#.to_owned(),
            ("look_at", "period") if self.detector == "repeat" => r#""12 months""#.to_owned(),
            // Shares and drops need more incidents than a week has.
            ("look_at", "period") if matches!(self.detector, "drop" | "share") => r#""28 days""#.to_owned(),
            _ => return field.example.to_owned(),
        };
        format!("{} = {value}", field.name)
    }
}

/// Whether a template uses a field.
fn writes(field: &Field) -> bool {
    // One of the two lists of rules is needed; which, no single field can say.
    field.needed || (field.section, field.name) == ("combine", "all_of")
}

/// Two tests to begin with, and what else a test can hold.
fn tests(text: &mut String, detector: &str) {
    text.push('\n');
    comment(text, fields::TEST);
    for field in fields::of("test") {
        comment(text, &format!("{}: {}", field.name, field.meaning));
    }
    for history in histories::of(detector) {
        let _ = write!(text, "[[test]]\n{history}");
    }
}

/// A comment, in lines of at most [`WIDTH`] characters.
fn comment(text: &mut String, words: &str) {
    let mut line = "#".to_owned();
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line += word;
    }
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Categories, Geography},
        rules::{Known, Status, check},
    };
    use std::collections::BTreeMap;

    fn today() -> NaiveDate {
        "2026-11-30".parse().unwrap()
    }

    fn template(detector: &str) -> String {
        Template { id: "my-rule", detector, title: None, today: today() }.text().unwrap()
    }

    #[test]
    fn every_template_is_right_as_it_is_written_beside_the_rules_that_come_with_the_program() {
        let categories = Categories::new(["race", "religion"]).unwrap();
        let geography = Geography::on(today(), [], []).unwrap();
        let known = Known { categories: &categories, geography: &geography, former: &BTreeMap::new() };
        let shipped = [
            ("race-week-spike.toml", include_str!("../../rules/race-week-spike.toml")),
            ("any-street-cluster.toml", include_str!("../../rules/any-street-cluster.toml")),
        ];
        for detector in DETECTORS {
            let mut files: BTreeMap<String, String> =
                shipped.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
            files.insert("my-rule.toml".to_owned(), template(detector));
            let found = check(&files, &known);
            let set = found.rule_set().unwrap_or_else(|| panic!("{detector}: {}", found.shown()));
            let rule = set.rules.iter().find(|rule| rule.id == "my-rule").unwrap();
            assert_eq!((rule.detector.section(), rule.status), (detector, Status::Draft));
            assert_eq!(rule.review_by, "2027-05-30".parse().unwrap());
            assert_eq!(rule.tests.iter().map(|test| test.alert).collect::<Vec<_>>(), [false, true]);
        }
    }

    #[test]
    fn a_template_shows_every_field_of_its_sections_with_its_meaning() {
        for detector in DETECTORS {
            let text = template(detector);
            assert!(text.starts_with("#:schema ./rule.schema.json\n"));
            assert!(text.lines().all(|line| line.chars().count() <= 170), "{text}");
            let words = text.replace("\n#", "").replace('\n', " ");
            for field in ["", detector, "tell", "budget", "override", "calendar", "test"]
                .into_iter()
                .flat_map(fields::of)
            {
                assert!(words.contains(field.meaning), "[{}] {}: {text}", field.section, field.name);
            }
        }
    }

    #[test]
    fn what_cannot_be_a_rule_is_refused_with_what_to_do() {
        fn new(id: &str, detector: &str, title: Option<&str>) -> Result<String, TemplateError> {
            Template { id, detector, title, today: today() }.text()
        }
        for id in ["", "Race Week", "../race", "race_week", &"a".repeat(61)] {
            let refused = new(id, "spike", None).unwrap_err().to_string();
            assert!(refused.contains("small letters, digits and hyphens"), "{refused}");
        }
        let refused = new("race", "spikes", None).unwrap_err().to_string();
        assert!(
            refused.ends_with("there are spike, cluster, repeat, drop, share, spread, combine"),
            "{refused}"
        );
        assert_eq!(new("race", "spike", Some(" ")).unwrap_err(), TemplateError::Title(0));
        assert_eq!(new("race", "spike", Some(&"x".repeat(121))).unwrap_err(), TemplateError::Title(121));
        let quoted = new("race", "spike", Some("The \"Saturday\" \\ rule")).unwrap();
        let read: toml::Table = quoted.parse().unwrap();
        assert_eq!(read["title"].as_str(), Some("The \"Saturday\" \\ rule"));
    }
}
