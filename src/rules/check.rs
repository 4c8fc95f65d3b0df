//! Reads a folder of rule files as one set, and finds every mistake in one pass.

mod build;
mod entries;
mod line;
mod meaning;
mod mended;
mod overrides;
mod place;
mod sections;
mod shapes;
mod syntax;
mod tests_of_rules;
mod together;
pub(super) mod values;
mod words;

use super::{
    Calendar, Episode, Event, Mistake, Play, Rule, RuleSet,
    fields::{EPISODE, EVENT, PLAY},
};
use crate::{
    import::hex,
    model::{Categories, Geography},
};
use mended::Mended;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt::Write, ops::Range};
use together::Facts;
use toml::{Spanned, de::DeValue};
pub(super) use values::is_id;

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
    /// Events, campaigns and episodes of the files without mistakes.
    pub calendar: Calendar,
    /// What the playbooks without mistakes suggest.
    pub playbook: Vec<Play>,
    version: String,
}

impl Checked {
    /// The rules as a set; none while there is a mistake in any file: a folder comes into force whole or not at all.
    #[must_use]
    pub fn rule_set(&self) -> Option<RuleSet> {
        self.mistakes.is_empty().then(|| RuleSet {
            rules: self.rules.clone(),
            calendar: self.calendar.clone(),
            playbook: self.playbook.clone(),
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

/// Checks rule files, by name and text. Files of a folder `calendar` hold events, those of `episodes`
/// labelled episodes, those of `playbooks` suggestions.
#[must_use]
pub fn check(files: &BTreeMap<String, String>, known: &Known<'_>) -> Checked {
    let mut checked = Checked::default();
    let mut hash = Sha256::new();
    let mut read: Vec<File<'_>> = Vec::new();
    for (name, text) in files {
        hash.update(format!("{name}\0{text}\0"));
        let mut file = File::new(name, text, known);
        match kind_of(name) {
            FileKind::Rule => file.read(),
            FileKind::Calendar => file.events = file.entries("event", EVENT, File::event),
            FileKind::Episodes => file.episodes = file.entries("episode", EPISODE, File::episode),
            FileKind::Playbook => file.plays = file.entries("play", PLAY, File::play),
        }
        read.push(file);
    }
    together::check(&mut read);
    for mut file in read {
        if file.mistakes.is_empty() {
            checked.rules.extend(file.rule);
            checked.calendar.events.append(&mut file.events);
            checked.calendar.episodes.append(&mut file.episodes);
            checked.playbook.append(&mut file.plays);
        }
        file.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        file.mistakes.dedup();
        checked.mistakes.append(&mut file.mistakes);
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
    Playbook,
}

/// By its folder.
fn kind_of(name: &str) -> FileKind {
    let folder = name.rsplit(['/', '\\']).nth(1);
    match folder {
        Some("calendar") => FileKind::Calendar,
        Some("episodes") => FileKind::Episodes,
        Some("playbooks") => FileKind::Playbook,
        _ => FileKind::Rule,
    }
}

/// One file while it is read.
struct File<'a> {
    name: &'a str,
    text: &'a str,
    known: &'a Known<'a>,
    mistakes: Vec<Mistake>,
    /// The text as far as its syntax could be mended.
    mended: Mended,
    /// Places whose values say nothing any more, because their syntax is wrong.
    broken: Vec<Range<usize>>,
    /// Places where a line was left out.
    lost: Vec<usize>,
    /// Something may seem to be missing that is only unreadable.
    doubt: bool,
    /// No table could be read.
    unreadable: bool,
    facts: Facts,
    rule: Option<Rule>,
    events: Vec<Event>,
    episodes: Vec<Episode>,
    plays: Vec<Play>,
}

type Value<'i> = Spanned<DeValue<'i>>;

impl<'a> File<'a> {
    fn new(name: &'a str, text: &'a str, known: &'a Known<'a>) -> Self {
        Self {
            name,
            text,
            known,
            mistakes: Vec::new(),
            mended: Mended::new(text),
            broken: Vec::new(),
            lost: Vec::new(),
            doubt: false,
            unreadable: false,
            facts: Facts::default(),
            rule: None,
            events: Vec::new(),
            episodes: Vec::new(),
            plays: Vec::new(),
        }
    }

    /// Notes a mistake, unless its place can't be read anyway.
    fn wrong(&mut self, span: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) {
        let place = self.mended.span(&span);
        let end = place.end.max(place.start + 1);
        if self.broken.iter().any(|broken| place.start < broken.end && broken.start < end) {
            return;
        }
        self.mistakes.push(Mistake::new(self.name, self.text, place, message.into(), remedy.into()));
    }

    /// Notes that something is missing, unless it may stand where the file can't be read.
    fn missing(&mut self, span: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) {
        if !self.doubt {
            self.wrong(span, message, remedy);
        }
    }

    /// The line of a place in the file, from 1.
    fn line_at(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }
}

#[cfg(test)]
mod tests;
