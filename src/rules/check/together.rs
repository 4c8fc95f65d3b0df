//! What rules, events and their names mean over all files.

use super::{
    File,
    build::sections,
    values::{date, get, is_id, items, level, nearest, once_in, short, text_of, whole},
};
use crate::{
    model::AlertLevel,
    rules::{Detector, Rule, fields::DETECTORS},
};
use chrono::NaiveDate;
use std::{collections::BTreeMap, ops::Range};
use toml::de::DeTable;

/// A name with its place.
type Named = (String, Range<usize>);

/// An event: first and last day, which file, and the place of its name.
type Dated<'f> = (NaiveDate, NaiveDate, usize, &'f Range<usize>);

/// What other files need to know of a file, known even when the file has mistakes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Facts {
    id: Option<Named>,
    section: &'static str,
    /// Live or shadow.
    evaluated: bool,
    /// Draft or retired.
    idle: bool,
    level: Option<(AlertLevel, Range<usize>)>,
    /// Once in so many days, by the file or by its level.
    rare_days: Option<f64>,
    /// Rules it combines.
    members: Vec<Named>,
    /// So many of them.
    at_least: Option<usize>,
    /// The rule it follows.
    after: Option<Named>,
    /// It judges wards.
    by_ward: bool,
    calendar: Vec<Named>,
    /// Events: name, first and last day.
    events: Vec<(Named, Option<(NaiveDate, NaiveDate)>)>,
}

impl File<'_> {
    /// Keeps what other files need to know of a rule.
    pub(super) fn learn(&mut self, root: &DeTable<'_>) {
        let named = |section: &str, name: &str| {
            let value = get(root, section, name)?;
            Some((value.get_ref().as_str()?.to_owned(), value.span()))
        };
        let list = |name: &str| -> Vec<Named> {
            let value = get(root, "combine", name);
            let texts = value.into_iter().flat_map(items);
            texts.filter_map(|item| Some((item.get_ref().as_str()?.to_owned(), item.span()))).collect()
        };
        let own_level = named("", "level").and_then(|(text, span)| Some((level(&text)?, span)));
        let section = DETECTORS.into_iter().find(|name| root.contains_key(*name)).unwrap_or_default();
        let rare = text_of(root, section, "rarer_than").and_then(once_in);
        let all = list("all_of");
        let when = |table: &DeTable<'_>| {
            let value = table.get("when")?;
            Some((value.get_ref().as_str()?.to_owned(), value.span()))
        };
        self.facts = Facts {
            id: named("", "id"),
            section,
            evaluated: matches!(text_of(root, "", "status"), Some("live" | "shadow")),
            idle: matches!(text_of(root, "", "status"), Some("draft" | "retired")),
            rare_days: rare.or(own_level.as_ref().map(|(level, _)| level.promised_days())),
            level: own_level,
            at_least: if all.is_empty() {
                Some(
                    get(root, "combine", "at_least").and_then(whole).map_or(1, |least| least.max(1) as usize),
                )
            } else {
                None
            },
            members: if all.is_empty() { list("any_of") } else { all },
            after: named("spread", "after"),
            by_ward: text_of(root, "look_at", "areas").is_none_or(|areas| areas == "every ward"),
            calendar: sections(root, "calendar").filter_map(|(table, _)| when(table)).collect(),
            events: Vec::new(),
        };
    }

    /// Keeps what rules need to know of events.
    pub(super) fn learn_entries(&mut self, tables: &[(&DeTable<'_>, usize)]) {
        self.facts.events = tables
            .iter()
            .filter_map(|(table, _)| {
                let value = table.get("name")?;
                let day = |name: &str| table.get(name).and_then(date);
                Some(((value.get_ref().as_str()?.to_owned(), value.span()), day("from").zip(day("to"))))
            })
            .collect();
    }
}

/// Checks all files together.
pub(super) fn check(files: &mut [File<'_>]) {
    let facts: Vec<(String, Facts)> =
        files.iter().map(|file| (file.name.to_owned(), file.facts.clone())).collect();
    // A file that can't be read may hold any rule or event: then nothing is said to be missing.
    let kind = |calendar: bool| {
        let of_kind = |file: &&File<'_>| (super::kind_of(file.name) == super::FileKind::Rule) != calendar;
        !files
            .iter()
            .filter(of_kind)
            .any(|file| file.unreadable || !file.lost.is_empty() || (!calendar && no_id(file)))
    };
    let (rules_known, events_known) = (kind(false), kind(true));
    let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (_, own)) in facts.iter().enumerate() {
        let Some((id, span)) = &own.id else { continue };
        if let Some(first) = by_id.get(id.as_str()) {
            let message = format!("the id \"{}\" is already used", short(id));
            let remedy = format!("it is also in {}; ids are part of an alert's identity", facts[*first].0);
            files[index].wrong(span.clone(), message, remedy);
        } else {
            by_id.insert(id, index);
        }
    }
    let all = All { facts: &facts, by_id: &by_id, rules_known };
    let mut names: Vec<&str> = Vec::new();
    for (name, own) in &facts {
        if super::kind_of(name) == super::FileKind::Calendar {
            names.extend(own.events.iter().map(|((name, _), _)| name.as_str()));
        }
    }
    names.sort_unstable();
    names.dedup();
    for (file, (_, own)) in files.iter_mut().zip(&facts) {
        all.members(file, own);
        all.after(file, own);
        all.promise(file, own);
        if events_known {
            calendar(file, own, &names);
        }
    }
    events_once(files, &facts);
    said_once(files);
}

/// Whether a rule's id is missing or none: other files may well name it.
fn no_id(file: &File<'_>) -> bool {
    !file.facts.id.as_ref().is_some_and(|(id, _)| is_id(id))
}

struct All<'f> {
    facts: &'f [(String, Facts)],
    by_id: &'f BTreeMap<&'f str, usize>,
    /// Every rule file could be read.
    rules_known: bool,
}

impl All<'_> {
    fn rule(&self, id: &str) -> Option<&Facts> {
        self.by_id.get(id).map(|index| &self.facts[*index].1)
    }

    /// A rule that another one names: there, another one, and evaluated if that is.
    fn named(&self, file: &mut File<'_>, own: &Facts, (id, span): &Named, what: &str) -> Option<&Facts> {
        if own.id.as_ref().is_some_and(|(own, _)| own == id) {
            file.wrong(span.clone(), format!("the rule {what} itself"), "name another rule");
            return None;
        }
        let Some(found) = self.rule(id) else {
            if self.rules_known {
                let ids: Vec<&str> = self.by_id.keys().copied().collect();
                let remedy = nearest(id, &ids).map_or_else(
                    || format!("the rules are {}", some_of(&ids)),
                    |near| format!("did you mean \"{near}\"?"),
                );
                file.wrong(span.clone(), format!("there is no rule with the id \"{}\"", short(id)), remedy);
            }
            return None;
        };
        if own.evaluated && found.idle {
            let message = format!("the rule \"{}\" is a draft or retired, so it never holds", short(id));
            file.wrong(span.clone(), message, "make that rule live or shadow, or name another one");
            return None;
        }
        Some(found)
    }

    fn members(&self, file: &mut File<'_>, own: &Facts) {
        for member in &own.members {
            if self.named(file, own, member, "combines with").is_some_and(|found| found.section == "combine")
            {
                let message = format!("\"{}\" is itself a [combine]", short(&member.0));
                file.wrong(member.1.clone(), message, "name the rules that it combines");
            }
        }
    }

    fn after(&self, file: &mut File<'_>, own: &Facts) {
        let Some(after) = &own.after else { return };
        let found = self.named(file, own, after, "would follow").map(|found| found.section);
        if found == Some("spike") && self.rule(&after.0).is_some_and(|first| !first.by_ward) {
            let message =
                format!("\"{}\" does not look at wards; a rise spreads from ward to ward", short(&after.0));
            file.wrong(after.1.clone(), message, "name a [spike] rule with  areas = \"every ward\"");
        }
        if let Some(section) = found.filter(|section| !matches!(*section, "spike" | "")) {
            let message = format!("\"{}\" is a [{section}]; a spread follows a [spike]", short(&after.0));
            file.wrong(after.1.clone(), message, "name a [spike] rule");
        }
    }

    /// Rules that hold together are at least as rare as the rarest of them; so many of them, as all of them together
    /// allow by Markov's inequality.
    fn promise(&self, file: &mut File<'_>, own: &Facts) {
        let Some((level, span)) = own.level.as_ref().filter(|_| own.section == "combine") else { return };
        let days: Option<Vec<f64>> =
            own.members.iter().map(|(id, _)| self.rule(id).and_then(|found| found.rare_days)).collect();
        let Some(days) = days.filter(|days| !days.is_empty()) else { return };
        let bound = match own.at_least {
            None => days.iter().copied().fold(0.0, f64::max),
            Some(least) => least as f64 / days.iter().map(|days| 1.0 / days).sum::<f64>(),
        };
        if bound + 1e-6 < level.promised_days() {
            let promised = level.promised_days();
            file.wrong(
                span.clone(),
                format!("this level promises once in {promised} days; the rules it combines allow once in {bound:.0}"),
                "choose a lower level, ask for more of the rules, or make them rarer",
            );
        }
    }
}

/// Events that a rule names.
fn calendar(file: &mut File<'_>, own: &Facts, names: &[&str]) {
    for (when, span) in &own.calendar {
        if names.contains(&when.as_str()) || when.trim().is_empty() {
            continue;
        }
        let remedy = match nearest(when, names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if names.is_empty() => "add an [[event]] to a file of rules/calendar/".to_owned(),
            None => format!("the events are {}; add it to a file of rules/calendar/", some_of(names)),
        };
        file.wrong(span.clone(), format!("no event of the calendar is called \"{}\"", short(when)), remedy);
    }
}

/// Events of one name follow one another.
fn events_once(files: &mut [File<'_>], facts: &[(String, Facts)]) {
    let mut by_name: BTreeMap<&str, Vec<Dated<'_>>> = BTreeMap::new();
    for (index, (file, own)) in facts.iter().enumerate() {
        if super::kind_of(file) != super::FileKind::Calendar {
            continue;
        }
        for ((name, span), days) in &own.events {
            if let Some((from, to)) = days.filter(|(from, to)| from <= to) {
                by_name.entry(name).or_default().push((from, to, index, span));
            }
        }
    }
    for (name, mut events) in by_name {
        events.sort_by_key(|(from, to, index, span)| (*from, *to, *index, span.start));
        let mut last: Option<NaiveDate> = None;
        for (from, to, index, span) in events {
            if let Some(last) = last.filter(|last| from <= *last) {
                let message = format!("another \"{}\" lasts until {last}, so the two overlap", short(name));
                files[index].wrong(
                    span.clone(),
                    message,
                    "join them into one event, or give one another name",
                );
            }
            last = last.max(Some(to));
        }
    }
}

/// Rules that say the same would tell everything twice.
fn said_once(files: &mut [File<'_>]) {
    let mut said: BTreeMap<String, (String, String)> = BTreeMap::new();
    for file in files {
        let Some(rule) = file.rule.as_ref().filter(|rule| rule.is_evaluated()) else { continue };
        let own = (rule.id.clone(), file.name.to_owned());
        match said.entry(essence(rule)) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(own);
            }
            std::collections::btree_map::Entry::Occupied(first) => {
                let (id, name) = first.get();
                let message = format!("this rule says the same as \"{id}\" in {name}");
                let span = file.facts.id.as_ref().map_or(0..0, |(_, span)| span.clone());
                file.wrong(span, message, "retire one of them, or change what it looks at or asks for");
            }
        }
    }
}

/// What a rule finds, without what it is called and whom it tells.
fn essence(rule: &Rule) -> String {
    let mut detector = rule.detector.clone();
    match &mut detector {
        Detector::Combine { members, .. } => members.sort(),
        Detector::Share { of, .. } => of.sort(),
        _ => {}
    }
    let mut areas = rule.areas.clone();
    areas.wards.sort();
    let elsewhere: Vec<String> =
        rule.overrides.iter().map(|other| format!("{:?} {}", other.csps, essence(&other.rule))).collect();
    format!(
        "{:?} {areas:?} {:?} {} {:?} {detector:?} {} {:?} {elsewhere:?}",
        rule.categories, rule.period, rule.wait_days, rule.quality, rule.rarer_than_days, rule.calendar
    )
}

/// The first of many names.
fn some_of(names: &[&str]) -> String {
    let shown = names.iter().take(12).map(|name| short(name)).collect::<Vec<_>>().join(", ");
    if names.len() > 12 { format!("{shown} and {} more", names.len() - 12) } else { shown }
}
