//! Reads a folder of rule files as one set, and finds every mistake in one pass.

mod build;
mod values;

use super::{
    Calendar, Mistake, Rule, RuleSet,
    fields::{self, DETECTORS, EPISODE, EVENT, Field, LISTS, SECTIONS, Shape},
};
use crate::{
    detect::{fits_a_year, tells_rarity},
    import::hex,
    model::{AreaKind, Categories, Geography, Period},
};
use build::sections;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt::Write, ops::Range};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
pub(super) use values::is_id;
use values::{
    Lookup, budget, date, days, get, level, nearest, number, once_in, percent, points, short, text_of, whole,
};

/// What rule files may name.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The categories of the area pack.
    pub categories: &'a Categories,
    /// The areas in force.
    pub geography: &'a Geography,
    /// Wards of other boundary years, by code: the name and the year.
    pub former: &'a BTreeMap<String, (String, i32)>,
}

/// A folder of rule files, checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checked {
    /// The rules of the files without mistakes, by id.
    pub rules: Vec<Rule>,
    /// Every mistake, by file and line.
    pub mistakes: Vec<Mistake>,
    /// What this version reads but does not use yet.
    pub notes: Vec<String>,
    /// Events, campaigns and episodes of the files without mistakes.
    pub calendar: Calendar,
    version: String,
}

impl Checked {
    /// The rules as a set; none while there is a mistake in any file: a folder comes into force whole or not at all.
    #[must_use]
    pub fn rule_set(&self) -> Option<RuleSet> {
        self.mistakes.is_empty().then(|| RuleSet {
            rules: self.rules.clone(),
            calendar: self.calendar.clone(),
            version: self.version.clone(),
        })
    }

    /// Every mistake with the lines it stands on, and how many there are.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut text: String = self.mistakes.iter().map(|mistake| mistake.shown() + "\n\n").collect();
        let count = self.mistakes.len();
        let _ = write!(text, "{count} mistake{} to mend", if count == 1 { "" } else { "s" });
        text
    }
}

/// Checks rule files, by name and text. Files of a folder `calendar` hold events, those of `episodes` labelled episodes.
#[must_use]
pub fn check(files: &BTreeMap<String, String>, known: &Known<'_>) -> Checked {
    let mut checked = Checked::default();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut hash = Sha256::new();
    for (name, text) in files {
        hash.update(format!("{name}\0{text}\0"));
        let mut file = File { name, text, known, mistakes: Vec::new(), notes: Vec::new() };
        match kind_of(name) {
            FileKind::Rule => {
                let rule = file.read(&mut ids);
                if file.mistakes.is_empty() {
                    checked.rules.extend(rule);
                }
            }
            FileKind::Calendar => checked.calendar.events.extend(file.entries("event", EVENT, File::event)),
            FileKind::Episodes => {
                checked.calendar.episodes.extend(file.entries("episode", EPISODE, File::episode));
            }
        }
        file.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        checked.mistakes.append(&mut file.mistakes);
        checked.notes.append(&mut file.notes);
    }
    checked.rules.sort_by(|a, b| a.id.cmp(&b.id));
    checked.calendar.events.sort_by(|a, b| (a.window.first, &a.name).cmp(&(b.window.first, &b.name)));
    checked.calendar.episodes.sort_by(|a, b| (a.window.first, &a.name).cmp(&(b.window.first, &b.name)));
    checked.version = hex(&hash.finalize()[..6]);
    checked
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Rule,
    Calendar,
    Episodes,
}

/// By its folder.
fn kind_of(name: &str) -> FileKind {
    let folder = name.rsplit(['/', '\\']).nth(1);
    match folder {
        Some("calendar") => FileKind::Calendar,
        Some("episodes") => FileKind::Episodes,
        _ => FileKind::Rule,
    }
}

/// One file while it is read.
struct File<'a> {
    name: &'a str,
    text: &'a str,
    known: &'a Known<'a>,
    mistakes: Vec<Mistake>,
    notes: Vec<String>,
}

type Value<'i> = Spanned<DeValue<'i>>;

impl<'a> File<'a> {
    fn wrong(&mut self, span: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) {
        let mistake = Mistake::new(self.name, self.text, span, message.into(), remedy.into());
        self.mistakes.push(mistake);
    }

    /// The line of a place in the file, from 1.
    fn line_at(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    /// The tables of the file; none when it is no TOML.
    fn parsed(&mut self) -> Option<Spanned<DeTable<'a>>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        let curly = self.text.contains(['\u{201c}', '\u{201d}']);
        for error in &errors {
            let remedy = if curly {
                "there are curly quotes in the file; replace them by straight ones (\")"
            } else {
                "text stands in straight quotes, lists in [ ], items apart by commas"
            };
            self.wrong(error.span().unwrap_or(0..0), error.message().to_owned(), remedy);
        }
        errors.is_empty().then_some(root)
    }

    fn read(&mut self, ids: &mut BTreeMap<String, String>) -> Option<Rule> {
        let root = self.parsed()?;
        let root = root.get_ref();
        self.section("", root, 0..0);
        for (key, value) in root {
            self.top(key.get_ref(), key.span(), value);
        }
        self.one_detector(root);
        self.meaning(root, ids);
        if self.mistakes.is_empty() { self.rule(root) } else { None }
    }

    /// The entries of a file that is a list of one kind of section.
    fn entries<T>(
        &mut self,
        section: &str,
        fields: &'static [Field],
        build: impl Fn(&Self, &DeTable<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(root) = self.parsed() else { return Vec::new() };
        for (key, value) in root.get_ref() {
            let key_name: &str = key.get_ref();
            if key_name != section || value.get_ref().as_array().is_none() {
                self.wrong(
                    key.span(),
                    format!("`{}` is not known in this file", short(key_name)),
                    format!("begin each entry with [[{section}]]"),
                );
            }
        }
        for (table, at) in sections(root.get_ref(), section) {
            self.check_fields(section, fields, table, at..at + section.len() + 4);
        }
        if !self.mistakes.is_empty() {
            return Vec::new();
        }
        sections(root.get_ref(), section).filter_map(|(table, _)| build(self, table)).collect()
    }

    /// A key at the top: a section, or a field of the rule itself.
    fn top(&mut self, key: &str, span: Range<usize>, value: &Value<'_>) {
        let is_section = DETECTORS.contains(&key) || SECTIONS.contains(&key);
        match value.get_ref() {
            DeValue::Table(table) if is_section => self.section(key, table, span),
            DeValue::Array(items) if LISTS.contains(&key) => {
                for item in items {
                    match item.get_ref() {
                        DeValue::Table(table) => self.section(key, table, item.span()),
                        _ => self.wrong(
                            item.span(),
                            format!("`{key}` is a section"),
                            format!("write it as [[{key}]]"),
                        ),
                    }
                }
            }
            _ if is_section => {
                self.wrong(span, format!("`{key}` is a section"), format!("write it as [{key}]"));
            }
            _ if LISTS.contains(&key) => {
                self.wrong(span, format!("`{key}` is a list of sections"), format!("write it as [[{key}]]"));
            }
            _ if fields::of("").any(|field| field.name == key) => {}
            _ => {
                let sections = DETECTORS.iter().chain(&SECTIONS).chain(&LISTS).copied();
                let names: Vec<&str> = fields::of("").map(|field| field.name).chain(sections).collect();
                self.unknown(span, key, "this file", &names);
            }
        }
    }

    /// Checks the fields of a section of a rule file.
    fn section(&mut self, section: &str, table: &DeTable<'_>, span: Range<usize>) {
        let own: Vec<Field> = fields::of(section).copied().collect();
        self.check_fields(section, &own, table, span);
    }

    /// Checks fields against the table. What is unknown at the top of a file is looked at elsewhere.
    fn check_fields(&mut self, section: &str, fields: &[Field], table: &DeTable<'_>, span: Range<usize>) {
        for key in table.keys().filter(|_| !section.is_empty()) {
            let name: &str = key.get_ref();
            if !fields.iter().any(|field| field.name == name) {
                let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                self.unknown(key.span(), name, &format!("[{section}]"), &names);
            }
        }
        for field in fields {
            match table.get(field.name) {
                Some(value) => self.shape(field, value),
                None if field.needed => {
                    let place =
                        if section.is_empty() { "the file".to_owned() } else { format!("[{section}]") };
                    self.wrong(
                        span.clone(),
                        format!("`{}` is missing in {place}", field.name),
                        format!("add for example  {}", field.example),
                    );
                }
                None => {}
            }
        }
    }

    fn unknown(&mut self, span: Range<usize>, name: &str, place: &str, names: &[&str]) {
        let remedy = nearest(name, names).map_or_else(
            || format!("{place} can hold {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.wrong(span, format!("`{}` is not known in {place}", short(name)), remedy);
    }

    /// Whether a value is what its field holds.
    fn shape(&mut self, field: &Field, value: &Value<'_>) {
        let example = format!("for example  {}", field.example);
        let name = field.name;
        let text = value.get_ref().as_str();
        match (field.shape, text) {
            (
                Shape::Text(_)
                | Shape::Id
                | Shape::Rule
                | Shape::Event
                | Shape::Category
                | Shape::Word(_)
                | Shape::Period
                | Shape::Days
                | Shape::WorkingDays
                | Shape::OnceIn
                | Shape::Percent
                | Shape::Points
                | Shape::Budget,
                None,
            ) => {
                self.wrong(value.span(), format!("`{name}` must be text in quotes"), example);
            }
            (Shape::Text(_), Some(text)) if text.trim().is_empty() => {
                self.wrong(value.span(), format!("`{name}` is empty"), example);
            }
            (Shape::Id, Some(text)) if !is_id(text) => self.wrong(
                value.span(),
                format!("the id \"{}\" has other than small letters, digits and hyphens", short(text)),
                example,
            ),
            (Shape::Word(words), Some(text)) => self.word(field, value.span(), text, words),
            (Shape::Period, Some(text)) => {
                if let Err(wrong) = text.parse::<Period>() {
                    self.wrong(value.span(), wrong.to_string(), example);
                }
            }
            (Shape::Days | Shape::WorkingDays, Some(text)) if days(text).is_none() => self.wrong(
                value.span(),
                format!("`{}` is not a number of days", short(text)),
                format!("write a whole number and `days` or `working days`, {example}"),
            ),
            (Shape::OnceIn, Some(text)) if once_in(text).is_none() => self.wrong(
                value.span(),
                format!("`{}` does not say how rare", short(text)),
                format!("write `once in` and a number of days, {example}"),
            ),
            (Shape::Whole(low, high), _) => match whole(value) {
                Some(number) if (low..=high).contains(&number) => {}
                Some(_) => {
                    self.wrong(value.span(), format!("`{name}` must be from {low} to {high}"), example);
                }
                None => self.wrong(
                    value.span(),
                    format!("`{name}` must be a whole number without quotes"),
                    example,
                ),
            },
            (Shape::Number(low, high), _) => match number(value) {
                Some(found) if (low..=high).contains(&found) => {}
                Some(_) => {
                    self.wrong(value.span(), format!("`{name}` must be from {low} to {high}"), example);
                }
                None => {
                    self.wrong(value.span(), format!("`{name}` must be a number without quotes"), example);
                }
            },
            (Shape::Date, _) if date(value).is_none() => {
                self.wrong(value.span(), format!("`{name}` must be a day without quotes"), example);
            }
            (Shape::Flag, _) if value.get_ref().as_bool().is_none() => {
                self.wrong(value.span(), format!("`{name}` must be true or false, without quotes"), example);
            }
            (Shape::Percent, Some(text)) if percent(text).is_none() => {
                self.wrong(value.span(), format!("`{}` is not a share of the whole", short(text)), example);
            }
            (Shape::Points, Some(text)) if points(text).is_none() => {
                self.wrong(value.span(), format!("`{}` is not a difference of shares", short(text)), example);
            }
            (Shape::Budget, Some(text)) if budget(text).is_none() => {
                self.wrong(
                    value.span(),
                    format!("`{}` does not say how many in what time", short(text)),
                    example,
                );
            }
            (
                Shape::Words(_)
                | Shape::Texts
                | Shape::Rules
                | Shape::Categories
                | Shape::Wards
                | Shape::Districts
                | Shape::Csps,
                _,
            ) => self.list(field, value),
            _ => {}
        }
    }

    fn word(&mut self, field: &Field, span: Range<usize>, text: &str, words: &[&str]) {
        if words.contains(&text) {
            return;
        }
        let list = words.join(", ");
        let remedy = nearest(text, words).map_or_else(
            || format!("use one of {list}"),
            |near| format!("did you mean \"{near}\"? There are {list}"),
        );
        self.wrong(span, format!("\"{}\" is not known in `{}`", short(text), field.name), remedy);
    }

    /// A list of text, each item known.
    fn list(&mut self, field: &Field, value: &Value<'_>) {
        let example = format!("for example  {}", field.example);
        let Some(items) = value.get_ref().as_array().filter(|items| items.iter().next().is_some()) else {
            let message =
                format!("`{}` must be a list in square brackets with at least one item", field.name);
            return self.wrong(value.span(), message, example);
        };
        for item in items {
            let Some(text) = item.get_ref().as_str() else {
                self.wrong(item.span(), format!("`{}` holds text in quotes", field.name), example.clone());
                continue;
            };
            match field.shape {
                Shape::Words(words) => self.word(field, item.span(), text, words),
                Shape::Categories => {
                    let mut words: Vec<&str> =
                        self.known.categories.codes().iter().map(String::as_str).collect();
                    words.insert(0, "any");
                    self.word(field, item.span(), text, &words);
                }
                Shape::Wards => self.known_area(item.span(), text, AreaKind::Ward),
                Shape::Districts => self.known_area(item.span(), text, AreaKind::District),
                Shape::Csps => self.known_area(item.span(), text, AreaKind::Csp),
                _ => {}
            }
        }
    }

    fn known_area(&mut self, span: Range<usize>, text: &str, kind: AreaKind) {
        let known = self.known;
        let found = known.area(kind, text);
        if matches!(found, Lookup::One(_)) {
            return;
        }
        let what = kind.code();
        let message = format!("no {what} has the code or name {}", short(text));
        let all = || known.geography.of_kind(kind);
        let names: Vec<&str> = all().map(|area| area.name.as_str()).collect();
        let codes: Vec<&str> = all().map(|area| area.code.as_str()).collect();
        let looks_like_code = kind == AreaKind::Ward && text.chars().any(|c| c.is_ascii_digit());
        let length = codes.first().map_or(0, |code| code.chars().count());
        let near = nearest(text, if looks_like_code { &codes } else { &names });
        let remedy = if found == Lookup::Several {
            format!("several have this name; write the code of the {what}")
        } else if let Some((name, year)) = known.former.get(text) {
            format!("it was {name} by the boundaries of {year}; write the code that is in force now")
        } else if looks_like_code && text.chars().count() != length {
            format!("ward codes here have {length} characters, this has {}", text.chars().count())
        } else {
            near.map_or_else(
                || format!("write the code of a {what} in the area pack"),
                |near| format!("did you mean {near}?"),
            )
        };
        self.wrong(span, message, remedy);
    }

    /// A rule finds one thing in one way.
    fn one_detector(&mut self, root: &DeTable<'_>) {
        let found: Vec<(&str, Range<usize>)> = root
            .keys()
            .filter_map(|key| {
                Some((*DETECTORS.iter().find(|name| **name == key.get_ref().as_ref())?, key.span()))
            })
            .collect();
        match &found[..] {
            [] => {
                let list = DETECTORS.map(|name| format!("[{name}]")).join(", ");
                self.wrong(
                    0..0,
                    "the rule has no section that finds something",
                    format!("add one of {list}"),
                );
            }
            [_] => {}
            [_, rest @ ..] => {
                for (name, span) in rest.iter().cloned() {
                    self.wrong(
                        span,
                        format!("[{name}] is a second way to find something"),
                        "put it into a rule file of its own",
                    );
                }
            }
        }
        if !root.contains_key("look_at") && !root.contains_key("combine") {
            self.wrong(0..0, "the section [look_at] is missing", "add [look_at] with categories and period");
        }
        if !root.contains_key("tell") {
            self.wrong(0..0, "the section [tell] is missing", r#"add [tell] with who = ["csp"]"#);
        }
    }

    /// What fields mean together.
    fn meaning(&mut self, root: &DeTable<'_>, ids: &mut BTreeMap<String, String>) {
        if let (Some(id), Some(value)) = (text_of(root, "", "id"), root.get("id")) {
            if let Some(before) = ids.get(id) {
                let message = format!("the id \"{}\" is already used", short(id));
                self.wrong(
                    value.span(),
                    message,
                    format!("it is also in {before}; ids are part of an alert's identity"),
                );
            } else {
                ids.insert(id.to_owned(), self.name.to_owned());
            }
        }
        let level = text_of(root, "", "level").and_then(level);
        for detector in DETECTORS {
            if let (Some(level), Some(rare), Some(value)) = (
                level,
                text_of(root, detector, "rarer_than").and_then(once_in),
                get(root, detector, "rarer_than"),
            ) && rare < level.promised_days()
            {
                let promised = level.promised_days();
                self.wrong(
                    value.span(),
                    format!("the level of this rule promises once in {promised} days or rarer"),
                    format!("write  rarer_than = \"once in {promised} days\"  or choose a lower level"),
                );
            }
        }
        self.method(root);
        if get(root, "look_at", "areas").is_some()
            && let Some(wards) = get(root, "look_at", "wards")
        {
            self.wrong(wards.span(), "a rule has either `areas` or `wards`", "remove one of them");
        }
        if root.contains_key("spike")
            && let (Some(Ok(Period::Months(2..))), Some(value)) =
                (text_of(root, "look_at", "period").map(str::parse), get(root, "look_at", "period"))
        {
            self.wrong(
                value.span(),
                "a spike looks at days, weeks or one calendar month",
                r#"write  period = "28 days"  or  period = "month""#,
            );
        }
    }

    /// A reference method that a rule names must be able to say how rare a count is.
    fn method(&mut self, root: &DeTable<'_>) {
        let named = text_of(root, "spike", "method").and_then(|name| name.parse().ok());
        let (Some(method), Some(value)) = (named, get(root, "spike", "method")) else { return };
        if !tells_rarity(method) {
            self.wrong(
                value.span(),
                format!("{method} does not say how rare a count is, so `rarer_than` could not be kept"),
                r#"write  method = "house"  or one of farrington-flexible, farrington-1996, ears-c1, ears-c2"#,
            );
            return;
        }
        let message = match text_of(root, "look_at", "period").map(str::parse) {
            Some(Ok(Period::Months(_))) => "calendar months have a method of their own",
            Some(Ok(Period::Days(days))) if !fits_a_year(days) => {
                "reference methods look back by years, and a year is no whole number of such periods"
            }
            _ => return,
        };
        self.wrong(value.span(), message, r#"remove `method`, or look at  period = "28 days""#);
    }
}

#[cfg(test)]
mod tests;
