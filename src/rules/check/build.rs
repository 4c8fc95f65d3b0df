//! A rule from the tables of its file, once every field has been checked.

use super::{
    File, Value,
    values::{
        Lookup, budget, date, days, flag, get, level, number, once_in, percent, points, role, signal,
        text_of, texts, whole, wholes,
    },
};
use crate::{
    import::hex,
    model::{AreaKind, AreaRef, CategorySet, Effect, Period, Precision, Priority, Role, Window},
    rules::{
        Areas, CalendarUse, CategoryChoice, Detector, Episode, Event, EventKind, FOLLOW_UP_DAYS, Into,
        Override, Play, RepeatOf, Rule, Same, Status, TellAgain, TestCase, TestIncident, Where,
        fields::DETECTORS,
    },
};
use sha2::{Digest, Sha256};
use toml::de::DeTable;

type Table<'i> = DeTable<'i>;

impl File<'_> {
    /// The rule that the tables say; every field has been checked.
    pub(super) fn rule(&self, root: &Table<'_>) -> Option<Rule> {
        let text = |section: &str, name: &str| text_of(root, section, name);
        let level = text("", "level").and_then(level)?;
        let section = DETECTORS.into_iter().find(|name| root.contains_key(*name))?;
        let detector = detector(root, section)?;
        let within = text(section, "within").and_then(days).map_or(Period::Days(7), Period::Days);
        let default_quality = matches!(section, "cluster" | "repeat").then_some(Precision::Street);
        let roles = |name: &str| -> Vec<Role> { texts(root, "tell", name).filter_map(role).collect() };
        let mut rule = Rule {
            id: text("", "id")?.to_owned(),
            title: text("", "title")?.to_owned(),
            owner: text("", "owner")?.to_owned(),
            why: text("", "why").map(str::to_owned),
            status: text("", "status").and_then(status)?,
            level,
            review_by: date(root.get("review_by")?)?,
            categories: self.categories(root),
            areas: self.areas(root),
            period: text("look_at", "period").and_then(|text| text.parse().ok()).unwrap_or(within),
            wait_days: text("look_at", "wait_for_late_reports").and_then(days).unwrap_or(0),
            quality: match text("look_at", "location_quality") {
                Some("exact") => Some(Precision::Exact),
                Some("street or better") => Some(Precision::Street),
                Some("postcode or better") => Some(Precision::Postcode),
                _ => default_quality,
            },
            detector,
            rarer_than_days: text(section, "rarer_than").and_then(once_in).unwrap_or(level.promised_days()),
            budget_a_year: text("budget", "false_alerts").and_then(budget),
            who: roles("who"),
            quiet_for_days: text("tell", "quiet_for").and_then(days).unwrap_or(14),
            tell_again: tell_again(root),
            hold_nights: get(root, "tell", "hold_nights").and_then(whole).map_or(1, |nights| nights as u32),
            ack_within_days: text("tell", "ack_within").and_then(days),
            follow_up_within_days: text("tell", "follow_up_within").and_then(days).unwrap_or(FOLLOW_UP_DAYS),
            then_tell: roles("then_tell"),
            calendar: sections(root, "calendar").filter_map(|(table, _)| calendar_use(table)).collect(),
            overrides: Vec::new(),
            tests: Vec::new(),
            version: hex(&Sha256::digest(self.text)[..4]),
            file: self.name.to_owned(),
        };
        rule.tests = sections(root, "test").filter_map(|(table, at)| self.test(table, at)).collect();
        let plain = rule.clone();
        rule.overrides =
            sections(root, "override").map(|(table, _)| self.override_of(&plain, table)).collect();
        Some(rule)
    }

    /// The set of categories that a list names.
    pub(super) fn set_of<'t>(&self, named: impl Iterator<Item = &'t str>) -> CategorySet {
        let known = self.known.categories;
        named.fold(CategorySet::EMPTY, |all, code| {
            all.with(if code == "any" { known.all() } else { known.find(code).unwrap_or(CategorySet::EMPTY) })
        })
    }

    fn categories(&self, root: &Table<'_>) -> CategoryChoice {
        let known = self.known.categories;
        let all = match get(root, "look_at", "categories") {
            Some(_) => self.set_of(texts(root, "look_at", "categories")),
            None => known.all(),
        };
        let each = get(root, "look_at", "each").and_then(flag) == Some(true);
        let sets = known.names(all).filter_map(|code| Some((code.to_owned(), known.find(code)?)));
        CategoryChoice { all, each: if each { sets.collect() } else { Vec::new() } }
    }

    pub(super) fn areas(&self, root: &Table<'_>) -> Areas {
        let kind = match text_of(root, "look_at", "areas") {
            Some("every district") => AreaKind::District,
            Some("every csp") => AreaKind::Csp,
            Some("every npa") => AreaKind::Npa,
            Some("whole county") => AreaKind::Whole,
            _ => AreaKind::Ward,
        };
        let find = |name: &str, kind: AreaKind| -> Vec<AreaRef> {
            texts(root, "look_at", name).filter_map(|text| self.area(kind, text)).collect()
        };
        let mut only = find("only_districts", AreaKind::District);
        only.extend(find("only_csps", AreaKind::Csp));
        let wards = find("wards", AreaKind::Ward).into_iter().map(|ward| ward.code).collect();
        Areas { kind, wards, only }
    }

    /// An area by code or by a name that only one has.
    fn area(&self, kind: AreaKind, text: &str) -> Option<AreaRef> {
        match self.known.area(kind, text) {
            Lookup::One(code) => Some(AreaRef { kind, code }),
            _ => None,
        }
    }

    fn areas_of(&self, table: &Table<'_>) -> Vec<AreaRef> {
        let kinds = [("wards", AreaKind::Ward), ("districts", AreaKind::District), ("csps", AreaKind::Csp)];
        let mut found = Vec::new();
        for (name, kind) in kinds {
            found.extend(texts(table, "", name).filter_map(|text| self.area(kind, text)));
        }
        found
    }

    fn override_of(&self, plain: &Rule, table: &Table<'_>) -> Override {
        let mut rule = plain.clone();
        let at_least = table.get("at_least").and_then(whole);
        let times = table.get("times_usual").and_then(number);
        match &mut rule.detector {
            Detector::Spike { at_least: own, times_usual, .. }
            | Detector::Spread { at_least: own, times_usual, .. } => {
                *own = at_least.map_or(*own, |value| value as u64);
                *times_usual = times.unwrap_or(*times_usual);
            }
            Detector::Cluster { at_least: own, .. } | Detector::Repeat { at_least: own, .. } => {
                *own = at_least.map_or(*own, |value| value as usize);
            }
            Detector::Share { at_least: own, .. } => *own = at_least.map_or(*own, |value| value as u64),
            Detector::Drop { .. } | Detector::Combine { .. } => {}
        }
        rule.rarer_than_days =
            text_of(table, "", "rarer_than").and_then(once_in).unwrap_or(rule.rarer_than_days);
        rule.status = text_of(table, "", "status").and_then(status).unwrap_or(rule.status);
        if table.contains_key("who") {
            rule.who = texts(table, "", "who").filter_map(role).collect();
        }
        rule.quiet_for_days = text_of(table, "", "quiet_for").and_then(days).unwrap_or(rule.quiet_for_days);
        let csps = texts(table, "", "csps").filter_map(|text| self.area(AreaKind::Csp, text));
        Override { csps: csps.map(|csp| csp.code).collect(), rule: Box::new(rule) }
    }

    fn test(&self, table: &Table<'_>, at: usize) -> Option<TestCase> {
        let counts = |name: &str| table.get(name).map(wholes).unwrap_or_default();
        let own = |name: &str| text_of(table, "", name).map(str::to_owned);
        let incidents = table.get("incidents").and_then(|value| value.get_ref().as_array());
        Some(TestCase {
            name: own("name")?,
            line: self.line_at(at),
            weeks: counts("weeks"),
            of_which: counts("of_which"),
            next_door: counts("next_door"),
            category: own("category"),
            source: own("source"),
            incidents: incidents.into_iter().flat_map(|items| items.iter()).filter_map(incident).collect(),
            alert: text_of(table, "", "expect")? == "alert",
        })
    }

    /// An entry of a calendar file.
    pub(super) fn event(&self, table: &Table<'_>) -> Option<Event> {
        let areas = self.areas_of(table);
        let around = table.get("around").and_then(|value| value.get_ref().as_table());
        let place = if let Some(point) = around {
            let metres = |name: &str| point.get(name).and_then(number);
            Where::Around {
                easting: metres("east")?,
                northing: metres("north")?,
                metres: table.get("within_metres").and_then(number)?,
            }
        } else if areas.is_empty() {
            Where::Everywhere
        } else {
            Where::Areas(areas)
        };
        Some(Event {
            name: text_of(table, "", "name")?.to_owned(),
            kind: match text_of(table, "", "kind") {
                Some("campaign") => EventKind::Campaign,
                Some("recording change") => EventKind::RecordingChange,
                _ => EventKind::Event,
            },
            window: Window { first: date(table.get("from")?)?, last: date(table.get("to")?)? },
            place,
            categories: self.categories_of(table),
            channels: texts(table, "", "channels").map(str::to_owned).collect(),
        })
    }

    /// An entry of an episodes file.
    pub(super) fn episode(&self, table: &Table<'_>) -> Option<Episode> {
        let window = Window { first: date(table.get("from")?)?, last: date(table.get("to")?)? };
        Some(Episode {
            name: text_of(table, "", "name")?.to_owned(),
            window,
            peak: table.get("peak").and_then(date).unwrap_or(window.first),
            areas: self.areas_of(table),
            categories: self.categories_of(table),
        })
    }

    /// An entry of a playbook.
    pub(super) fn play(&self, table: &Table<'_>) -> Option<Play> {
        Some(Play {
            action: text_of(table, "", "action")?.to_owned(),
            signals: texts(table, "", "signals").filter_map(signal).collect(),
            categories: self.categories_of(table),
            csps: self.areas_of(table).into_iter().map(|csp| csp.code).collect(),
            priority: Priority::of(text_of(table, "", "priority")?)?,
            owner: text_of(table, "", "owner").and_then(role)?,
            due_within_days: text_of(table, "", "due_within").and_then(days)?,
        })
    }

    fn categories_of(&self, table: &Table<'_>) -> CategorySet {
        match table.get("categories") {
            Some(_) => self.set_of(texts(table, "", "categories")),
            None => self.known.categories.all(),
        }
    }
}

/// The tables of a section in double brackets, with where each begins.
pub(super) fn sections<'t, 'i>(
    root: &'t Table<'i>,
    name: &str,
) -> impl Iterator<Item = (&'t Table<'i>, usize)> + use<'t, 'i> {
    let items = root.get(name).and_then(|value| value.get_ref().as_array());
    items
        .into_iter()
        .flat_map(|items| items.iter())
        .filter_map(|item| Some((item.get_ref().as_table()?, item.span().start)))
}

fn status(text: &str) -> Option<Status> {
    Some(match text {
        "live" => Status::Live,
        "shadow" => Status::Shadow,
        "retired" => Status::Retired,
        "draft" => Status::Draft,
        _ => return None,
    })
}

fn detector(root: &Table<'_>, section: &str) -> Option<Detector> {
    let of = |name: &str| get(root, section, name);
    let text = |name: &str| text_of(root, section, name);
    let at_least = of("at_least").and_then(whole).unwrap_or(1);
    let times_usual = of("times_usual").and_then(number).unwrap_or(1.0);
    let yes = |name: &str| of(name).and_then(flag) == Some(true);
    Some(match section {
        "spike" => Detector::Spike {
            at_least: at_least as u64,
            times_usual,
            method: text("method").and_then(|name| name.parse().ok()),
        },
        "cluster" => Detector::Cluster {
            at_least: at_least as usize,
            metres: of("within_metres").and_then(whole)? as u32,
            days: text("within").and_then(days)?,
        },
        "repeat" => Detector::Repeat {
            of: if text("of") == Some("victim") { RepeatOf::Victim } else { RepeatOf::Place },
            at_least: at_least as usize,
            within: text("within")?.parse().ok()?,
        },
        "drop" => Detector::Drop {
            usual_at_least: of("usual_at_least").and_then(number)?,
            below_usual: text("below_usual").and_then(percent).unwrap_or(1.0),
            by_source: yes("by_source"),
            ignore_late: texts(root, section, "ignore_if").next().is_some(),
        },
        "share" => Detector::Share {
            of: texts(root, section, "of").map(|text| text.trim().to_lowercase()).collect(),
            at_least: at_least as u64,
            rises_by: text("rises_by").and_then(points)?,
            surely: text("surely").and_then(percent).unwrap_or(0.95),
        },
        "spread" => Detector::Spread {
            after: text("after")?.to_owned(),
            into: if text("into") == Some("other categories") {
                Into::OtherCategories
            } else {
                Into::AdjacentWards
            },
            at_least: at_least as u64,
            times_usual,
            within: text("within").and_then(days)?,
        },
        "combine" => {
            let all: Vec<String> = texts(root, section, "all_of").map(str::to_owned).collect();
            let any: Vec<String> = texts(root, section, "any_of").map(str::to_owned).collect();
            let least = if all.is_empty() { at_least as usize } else { all.len() };
            Detector::Combine {
                members: if all.is_empty() { any } else { all },
                at_least: least,
                same: match text("same") {
                    Some("csp") => Same::Csp,
                    Some("adjacent wards") => Same::AdjacentWards,
                    _ => Same::Ward,
                },
                within: text("within").and_then(days)?,
                replaces: yes("replaces"),
            }
        }
        _ => return None,
    })
}

fn tell_again(root: &Table<'_>) -> TellAgain {
    if get(root, "tell", "tell_again_when").is_none() {
        return TellAgain::ALL;
    }
    let holds = |word: &str| texts(root, "tell", "tell_again_when").any(|text| text == word);
    TellAgain {
        level: holds("level rises"),
        count: holds("count doubles"),
        category: holds("new category joins"),
        ward: holds("new ward joins"),
    }
}

fn calendar_use(table: &Table<'_>) -> Option<CalendarUse> {
    let effect = match text_of(table, "", "effect")? {
        "expect more" => Effect::ExpectMore,
        "watch closer" => Effect::WatchCloser,
        _ => Effect::NoteOnly,
    };
    let by = table.get("by").and_then(number).filter(|_| effect != Effect::NoteOnly).unwrap_or(1.0);
    Some(CalendarUse { when: text_of(table, "", "when")?.to_owned(), effect, by })
}

/// An incident of a test, as `{ day = -1, east = 461200, north = 305900, category = "race" }`.
fn incident(value: &Value<'_>) -> Option<TestIncident> {
    let table = value.get_ref().as_table()?;
    let metres = |name: &str| table.get(name).and_then(number).map(|metres| metres.round() as i32);
    let own = |name: &str| text_of(table, "", name).map(str::to_owned);
    Some(TestIncident {
        day: table.get("day").and_then(whole)?,
        point: metres("east").zip(metres("north")),
        category: own("category"),
        source: own("source"),
        offence: own("offence"),
        next_door: own("ward").as_deref() == Some("next door"),
        repeat_key: own("repeat_key"),
    })
}
