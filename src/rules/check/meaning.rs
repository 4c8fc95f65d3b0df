//! What the fields of one rule mean together: promises that are not kept, and numbers that can never hold.

use super::{
    File,
    build::sections,
    values::{budget, days, get, items, level, number, once_in, percent, points, short, text_of, whole},
};
use crate::{
    detect::{fits_a_year, tells_rarity},
    model::{AlertLevel, AreaKind, Period},
    rules::fields::DETECTORS,
};
use std::ops::Range;
use toml::de::DeTable;

impl File<'_> {
    pub(super) fn meaning(&mut self, root: &DeTable<'_>) {
        let level = text_of(root, "", "level").and_then(level);
        let detector = DETECTORS.into_iter().find(|name| root.contains_key(*name)).unwrap_or_default();
        self.promises(root, level);
        self.method(root);
        self.place(root, detector);
        self.times(root, detector);
        self.numbers(root);
        self.combine(root);
        self.telling(root);
        self.calendar_uses(root, detector);
        self.overrides(root, detector, level);
        for (table, at) in sections(root, "test") {
            self.test_meaning(table, at..at + "[[test]]".len(), detector);
        }
    }

    pub(super) fn looser(&mut self, span: Range<usize>, level: AlertLevel) {
        let promised = level.promised_days();
        self.wrong(
            span,
            format!("the level of this rule promises once in {promised} days or rarer"),
            format!("write  rarer_than = \"once in {promised} days\"  or choose a lower level"),
        );
    }

    /// Rarity and budget are not looser than the level promises.
    fn promises(&mut self, root: &DeTable<'_>, level: Option<AlertLevel>) {
        let Some(level) = level else { return };
        for detector in DETECTORS {
            if let Some(rare) = text_of(root, detector, "rarer_than").and_then(once_in)
                && let Some(value) = get(root, detector, "rarer_than")
                && rare < level.promised_days()
            {
                self.looser(value.span(), level);
            }
        }
        let a_year = (365.25 / level.promised_days()).round();
        if let Some(found) = text_of(root, "budget", "false_alerts").and_then(budget)
            && let Some(value) = get(root, "budget", "false_alerts")
            && found > a_year
        {
            self.wrong(
                value.span(),
                format!(
                    "the level of this rule promises at most {a_year} false alerts a year; this is {found}"
                ),
                format!("write  false_alerts = \"{a_year} per year\"  or choose a lower level"),
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

    /// Where the rule looks.
    fn place(&mut self, root: &DeTable<'_>, detector: &str) {
        let areas = get(root, "look_at", "areas");
        if let (Some(_), Some(wards)) = (areas, get(root, "look_at", "wards")) {
            self.wrong(wards.span(), "a rule has either `areas` or `wards`", "remove one of them");
            return;
        }
        if detector == "cluster" {
            let each = get(root, "look_at", "each").filter(|value| value.get_ref().as_bool() == Some(true));
            if let Some(value) = each {
                let remedy = "remove `each`, or write a rule for each strand";
                self.wrong(value.span(), "a cluster is looked for in all the strands together", remedy);
            }
            if let Some(value) = areas.filter(|value| value.get_ref().as_str() != Some("every ward")) {
                let remedy = "remove `areas`; only_districts and only_csps can narrow it";
                self.wrong(value.span(), "a cluster knows no borders, so it has no areas but wards", remedy);
                return;
            }
        }
        self.unused(root, detector);
        let chosen = self.areas(root);
        let geography = self.known.geography;
        let mut kind = geography.of_kind(chosen.kind).peekable();
        if kind.peek().is_none() {
            if let Some(value) =
                areas.filter(|_| chosen.kind != AreaKind::Whole && chosen.kind != AreaKind::Ward)
            {
                let message = format!("the area pack has no {}", chosen.kind.code());
                self.wrong(value.span(), message, "write  areas = \"every ward\"");
            }
            return;
        }
        let narrow = ["wards", "only_districts", "only_csps"];
        let last = narrow.into_iter().rev().find_map(|name| get(root, "look_at", name));
        let Some(value) = last.filter(|_| !(chosen.wards.is_empty() && chosen.only.is_empty())) else {
            return;
        };
        if !kind.any(|area| chosen.hold(&area.code, geography)) {
            let message = "no area is left to look at";
            self.wrong(
                value.span(),
                message,
                "the parts of [look_at] shut each other out; remove one of them",
            );
        }
    }

    /// Fields of `[look_at]` that the detector would never look at.
    fn unused(&mut self, root: &DeTable<'_>, detector: &str) {
        let value = |name: &str| get(root, "look_at", name);
        if let (Some(value), false) = (value("location_quality"), matches!(detector, "cluster" | "repeat")) {
            let message = format!(
                "[{detector}] counts by ward and not by place, so `location_quality` changes nothing"
            );
            self.wrong(value.span(), message, "remove it; only [cluster] and [repeat] have it");
        }
        if let (Some(value), "repeat") = (value("each"), detector) {
            let message = "a repeat is looked for in all the strands together";
            self.wrong(value.span(), message, "remove `each`, or write a rule for each strand");
        }
        let wards = value("areas").filter(|value| value.get_ref().as_str() != Some("every ward"));
        if let (Some(value), "spread") = (wards, detector) {
            let message = "a rise spreads from ward to ward, so [spread] has no areas but wards";
            self.wrong(value.span(), message, "remove `areas`; only_districts and only_csps can narrow it");
        }
        if let (Some(value), "combine") = (root.get("look_at"), detector) {
            let message = "[combine] looks where its rules look, so [look_at] changes nothing";
            self.wrong(value.span(), message, "remove [look_at]");
        }
    }

    /// How long a time the rule looks at.
    fn times(&mut self, root: &DeTable<'_>, detector: &str) {
        let period = text_of(root, "look_at", "period").map(str::parse);
        if detector == "spike"
            && let (Some(Ok(Period::Months(2..))), Some(value)) = (&period, get(root, "look_at", "period"))
        {
            let remedy = r#"write  period = "28 days"  or  period = "month""#;
            self.wrong(value.span(), "a spike looks at days, weeks or one calendar month", remedy);
        }
        if matches!(detector, "drop" | "share" | "spread")
            && let (Some(Ok(Period::Months(_))), Some(value)) = (&period, get(root, "look_at", "period"))
        {
            let message = format!("[{detector}] looks at days and weeks");
            self.wrong(value.span(), message, r#"write  period = "28 days""#);
        }
        let limits: [(&str, &str, u32); 7] = [
            ("look_at", "period", if detector == "repeat" { 3_660 } else { 366 }),
            ("look_at", "wait_for_late_reports", 60),
            ("cluster", "within", 366),
            ("spread", "within", 366),
            ("combine", "within", 366),
            ("tell", "quiet_for", 366),
            ("repeat", "within", 3_660),
        ];
        for (section, name, most) in limits {
            let found = text_of(root, section, name).and_then(|text| match text.parse() {
                Ok(Period::Months(months)) => Some(months.saturating_mul(30)),
                _ => days(text),
            });
            if let (Some(found), Some(value)) = (found, get(root, section, name))
                && found > most
            {
                let message = format!("`{name}` is longer than the {most} days that make sense");
                self.wrong(value.span(), message, format!("write at most {most} days"));
            }
        }
    }

    /// Numbers that can never hold, or that ask nothing.
    fn numbers(&mut self, root: &DeTable<'_>) {
        let mut say = |section: &str, name: &str, message: &str, remedy: &str| {
            if let Some(value) = get(root, section, name) {
                self.wrong(value.span(), message, remedy);
            }
        };
        if text_of(root, "drop", "below_usual").and_then(percent).is_some_and(|share| share >= 1.0) {
            say(
                "drop",
                "below_usual",
                "100% of what is usual is no drop",
                "write for example  below_usual = \"60%\"  or remove the line",
            );
        }
        if let Some(sure) = text_of(root, "share", "surely").and_then(percent) {
            if sure < 0.5 {
                say(
                    "share",
                    "surely",
                    "a rise that is less than 50% sure may as well be a fall",
                    "write for example  surely = \"95%\"",
                );
            } else if sure >= 1.0 {
                say(
                    "share",
                    "surely",
                    "nothing is sure by 100%, so the rule could never hold",
                    "write for example  surely = \"95%\"",
                );
            }
        }
        if text_of(root, "share", "rises_by").and_then(points).is_some_and(|rise| rise >= 1.0) {
            say(
                "share",
                "rises_by",
                "no share rises by 100 points, so the rule could never hold",
                "write for example  rises_by = \"15 points\"",
            );
        }
    }

    fn combine(&mut self, root: &DeTable<'_>) {
        let Some((key, _)) = root.get_key_value("combine") else { return };
        let (all, any) = (get(root, "combine", "all_of"), get(root, "combine", "any_of"));
        let at_least = get(root, "combine", "at_least");
        match (all, any) {
            (Some(_), Some(any)) => {
                self.wrong(any.span(), "a rule has either `all_of` or `any_of`", "remove one of them");
            }
            (None, None) => {
                let remedy = r#"add for example  all_of = ["race-week-spike", "any-street-cluster"]"#;
                self.missing(key.span(), "[combine] names no rules", remedy);
            }
            (Some(list), None) | (None, Some(list)) => {
                let count = items(list).count();
                if count == 1 {
                    self.wrong(list.span(), "one rule is nothing to combine", "name at least two rules");
                }
                let wanted = at_least.and_then(whole).unwrap_or(1);
                if let Some(value) = at_least {
                    if all.is_some() {
                        let remedy = "remove it, or write any_of instead of all_of";
                        self.wrong(
                            value.span(),
                            "`at_least` goes with `any_of`; `all_of` is all of them",
                            remedy,
                        );
                    } else if wanted > count as i64 {
                        let message = format!("at least {wanted} of {count} rules can never hold");
                        self.wrong(value.span(), message, format!("write at most {count}"));
                    }
                }
            }
        }
    }

    fn telling(&mut self, root: &DeTable<'_>) {
        if let (Some(value), None) = (get(root, "tell", "then_tell"), get(root, "tell", "ack_within")) {
            let remedy = "add for example  ack_within = \"2 working days\"";
            self.missing(value.span(), "`then_tell` needs `ack_within`: after how long?", remedy);
        }
    }

    /// What known events do to the rule.
    fn calendar_uses(&mut self, root: &DeTable<'_>, detector: &str) {
        for (table, at) in sections(root, "calendar") {
            let Some(effect) = text_of(table, "", "effect") else { continue };
            let span = table.get("effect").map_or(0..0, super::Value::span);
            let changes = matches!(effect, "expect more" | "watch closer");
            if changes && !matches!(detector, "spike" | "drop" | "") {
                let message =
                    format!("[{detector}] has no expected count that \"{}\" could change", short(effect));
                self.wrong(span, message, "write  effect = \"note only\"");
                continue;
            }
            if effect == "watch closer" && detector == "drop" {
                let message = "[drop] looks for fewer, so a divided expectation would watch less";
                self.wrong(span, message, "write  effect = \"expect more\"  or  \"note only\"");
                continue;
            }
            match table.get("by") {
                None if changes => {
                    let at = at..at + "[[calendar]]".len();
                    self.missing(at, format!("\"{effect}\" needs `by`"), "add for example  by = 1.4");
                }
                Some(value) if effect == "note only" => {
                    self.wrong(
                        value.span(),
                        "\"note only\" changes no number",
                        "remove `by`, or choose another effect",
                    );
                }
                Some(value) if changes && number(value).is_some_and(|by| (by - 1.0).abs() < 1e-9) => {
                    let remedy = "write for example  by = 1.4  or  effect = \"note only\"";
                    self.wrong(value.span(), "`by = 1` changes nothing", remedy);
                }
                _ => {}
            }
        }
    }
}
