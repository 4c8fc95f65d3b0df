//! The sections of a file and the names of their fields.

use super::{
    File, Value,
    build::sections,
    values::{nearest, short},
    words::{header, is_section},
};
use crate::rules::fields::{self, DETECTORS, FIELDS, Field, LISTS, MEANINGS, SECTIONS};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

impl File<'_> {
    /// Reads a rule file.
    pub(super) fn read(&mut self) {
        let Some(text) = self.mend() else {
            self.unreadable = true;
            return;
        };
        self.doubt = !self.lost.is_empty();
        let (root, _) = DeTable::parse_recoverable(&text);
        let root = root.get_ref();
        if root.is_empty() {
            self.unreadable = true;
            let remedy = "begin with a rule that is like it, and change its id";
            return self.missing(0..0, "there is no rule in this file", remedy);
        }
        self.section("", root, root, 0..0);
        for (key, value) in root {
            self.top(root, key.get_ref(), key.span(), value);
        }
        self.one_detector(root);
        self.meaning(root);
        self.learn(root);
        if self.mistakes.is_empty() {
            self.rule = self.rule(root);
        }
    }

    /// The entries of a file that is a list of one kind of section.
    pub(super) fn entries<T>(
        &mut self,
        section: &'static str,
        fields: &'static [Field],
        build: impl Fn(&Self, &DeTable<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(text) = self.mend() else {
            self.unreadable = true;
            return Vec::new();
        };
        self.doubt = !self.lost.is_empty();
        let (root, _) = DeTable::parse_recoverable(&text);
        let root = root.get_ref();
        for (key, value) in root {
            let name: &str = key.get_ref();
            if name != section || value.get_ref().as_array().is_none() {
                let message = if name == section {
                    format!("`{section}` is a list of sections")
                } else {
                    format!("`{}` is not known in this file", short(name))
                };
                self.wrong(key.span(), message, format!("begin each entry with [[{section}]]"));
            }
        }
        let tables: Vec<(&DeTable<'_>, usize)> = sections(root, section).collect();
        for (table, at) in &tables {
            let span = *at..*at + section.len() + 4;
            self.check_fields(section, fields, table, root, span.clone());
            self.entry_meaning(table, span);
        }
        self.learn_entries(&tables);
        if !self.mistakes.is_empty() {
            return Vec::new();
        }
        tables.iter().filter_map(|(table, _)| build(self, table)).collect()
    }

    /// A key at the top: a section, or a field of the rule itself.
    fn top(&mut self, root: &DeTable<'_>, key: &str, span: Range<usize>, value: &Value<'_>) {
        let single = DETECTORS.contains(&key) || SECTIONS.contains(&key);
        match value.get_ref() {
            DeValue::Table(table) if single => self.section(key, table, root, span),
            DeValue::Array(items) if LISTS.contains(&key) => {
                for item in items {
                    if let DeValue::Table(table) = item.get_ref() {
                        self.section(key, table, root, item.span());
                    } else {
                        let remedy = format!("write it as [[{key}]]");
                        self.wrong(item.span(), format!("`{key}` is a list of sections"), remedy);
                    }
                }
            }
            _ if single => {
                self.wrong(span, format!("`{key}` is one section"), format!("write it as [{key}]"));
            }
            _ if LISTS.contains(&key) => {
                self.wrong(span, format!("`{key}` is a list of sections"), format!("write it as [[{key}]]"));
            }
            _ if fields::of("").any(|field| field.name == key) => {}
            _ => self.unknown_at_top(root, key, span, value),
        }
    }

    fn unknown_at_top(&mut self, root: &DeTable<'_>, key: &str, span: Range<usize>, value: &Value<'_>) {
        if matches!(key, "event" | "episode") {
            let folder = if key == "event" { "calendar" } else { "episodes" };
            let remedy = format!("put it into a file of the folder {folder}/");
            return self.wrong(span, format!("[[{key}]] is not part of a rule"), remedy);
        }
        let is_table = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
        let sections: Vec<&str> = DETECTORS.iter().chain(&SECTIONS).chain(&LISTS).copied().collect();
        let own: Vec<&str> = fields::of("").map(|field| field.name).collect();
        if is_table && let Some(near) = nearest(key, &sections) {
            let remedy = format!("did you mean {}?", header(near));
            return self.wrong(span, format!("the section [{}] is not known", short(key)), remedy);
        }
        let names = if is_table { sections } else { own };
        self.unknown(span, key, "", root, &names);
    }

    /// Checks the fields of a section of a rule file.
    fn section(&mut self, section: &'_ str, table: &DeTable<'_>, root: &DeTable<'_>, span: Range<usize>) {
        let own: Vec<Field> = fields::of(section).copied().collect();
        self.check_fields(section, &own, table, root, span);
    }

    /// Checks fields against the table. What is unknown at the top of a file is looked at elsewhere.
    fn check_fields(
        &mut self,
        section: &str,
        fields: &[Field],
        table: &DeTable<'_>,
        root: &DeTable<'_>,
        span: Range<usize>,
    ) {
        let mut meant: Vec<&str> = Vec::new();
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !fields.iter().any(|field| field.name == name) {
                let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                meant.extend(nearest(name, &names));
                if !section.is_empty() {
                    self.unknown(key.span(), name, section, root, &names);
                }
            }
        }
        for field in fields {
            match table.get(field.name) {
                Some(value) => self.shape(field, value),
                // A misspelt field is told once.
                None if field.needed && !meant.contains(&field.name) => {
                    let place = if section.is_empty() { "the file".to_owned() } else { header(section) };
                    self.missing(
                        span.clone(),
                        format!("`{}` is missing in {place}", field.name),
                        format!("add for example  {}", field.example),
                    );
                }
                None => {}
            }
        }
    }

    fn unknown(&mut self, span: Range<usize>, name: &str, section: &str, root: &DeTable<'_>, names: &[&str]) {
        let place = if section.is_empty() { "a rule".to_owned() } else { header(section) };
        let mut homes = FIELDS.iter().filter(|field| field.name == name).map(|field| field.section);
        let here = |home: &&str| home.is_empty() || root.contains_key(*home);
        let remedy = match (homes.find(here), nearest(name, names)) {
            (Some(""), _) => "it belongs at the top, above the first section".to_owned(),
            (Some(home), _) => format!("it belongs under {}", header(home)),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!("{place} can hold {}", names.join(", ")),
        };
        self.wrong(span, format!("`{}` is not known in {place}", short(name)), remedy);
    }

    /// A rule finds one thing in one way.
    fn one_detector(&mut self, root: &DeTable<'_>) {
        let all: Vec<&str> = DETECTORS.iter().chain(&SECTIONS).copied().collect();
        // A section whose name is misspelt is told as that.
        let unknown = root.keys().filter(|key| !is_section(key.get_ref()));
        let meant: Vec<&str> = unknown.filter_map(|key| nearest(key.get_ref(), &all)).collect();
        let mut found: Vec<(Range<usize>, &str)> = root
            .keys()
            .filter_map(|key| {
                Some((key.span(), *DETECTORS.iter().find(|name| **name == key.get_ref().as_ref())?))
            })
            .collect();
        found.sort_by_key(|(span, _)| span.start);
        for (span, name) in found.iter().skip(1).cloned() {
            let message = format!("[{name}] is a second way to find something");
            self.wrong(span, message, "put it into a rule file of its own");
        }
        if found.is_empty() && !meant.iter().any(|name| DETECTORS.contains(name)) {
            let meaning = |name: &str| {
                MEANINGS.iter().find(|(section, _)| *section == name).map_or("", |(_, text)| *text)
            };
            let list = DETECTORS.map(|name| format!("[{name}] {}", meaning(name))).join(" ");
            self.missing(
                0..0,
                "the rule has no section that finds something",
                format!("add one of these. {list}"),
            );
        }
        let has = |name: &str| root.contains_key(name) || meant.contains(&name);
        if !has("look_at") && !has("combine") {
            let remedy = "add [look_at] with categories and period";
            self.missing(0..0, "the section [look_at] is missing", remedy);
        }
        if !has("tell") {
            self.missing(0..0, "the section [tell] is missing", r#"add [tell] with who = ["csp"]"#);
        }
    }
}
