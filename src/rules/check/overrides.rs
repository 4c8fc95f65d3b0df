//! What `[[override]]` means beside the rest of its rule.

use super::{
    File,
    build::sections,
    values::{Lookup, get, items, number, once_in, text_of, texts, whole},
};
use crate::model::{AlertLevel, AreaKind};
use std::collections::BTreeSet;
use toml::de::DeTable;

impl File<'_> {
    pub(super) fn overrides(&mut self, root: &DeTable<'_>, detector: &str, level: Option<AlertLevel>) {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (table, at) in sections(root, "override") {
            if matches!(detector, "spread" | "combine") {
                let span = at..at + "[[override]]".len();
                let message =
                    format!("[{detector}] follows other rules, so it has no numbers for single partnerships");
                self.wrong(span, message, "put the [[override]] into the rule that it follows");
                continue;
            }
            self.override_places(root, table, &mut seen);
            self.override_numbers(root, table, detector, level);
            if !table.keys().any(|key| key.get_ref() != "csps") {
                let span = at..at + "[[override]]".len();
                self.missing(span, "the override changes nothing", "add for example  at_least = 3");
            }
        }
    }

    /// Its partnerships: looked at by the rule, each in one override.
    fn override_places(&mut self, root: &DeTable<'_>, table: &DeTable<'_>, seen: &mut BTreeSet<String>) {
        let Some(value) = table.get("csps") else { return };
        let areas = self.areas(root);
        let geography = self.known.geography;
        for item in items(value) {
            let Some(Lookup::One(code)) =
                item.get_ref().as_str().map(|text| self.known.area(AreaKind::Csp, text))
            else {
                continue;
            };
            let looked_at =
                geography.wards_of(AreaKind::Csp, &code).any(|ward| areas.hold_ward(&ward.code, geography));
            if !looked_at {
                let message = "the rule does not look at this partnership";
                self.wrong(item.span(), message, "remove it here, or widen [look_at]");
            } else if !seen.insert(code) {
                self.wrong(
                    item.span(),
                    "this partnership has an override already",
                    "put both into one [[override]]",
                );
            }
        }
    }

    fn override_numbers(
        &mut self,
        root: &DeTable<'_>,
        table: &DeTable<'_>,
        detector: &str,
        level: Option<AlertLevel>,
    ) {
        let has = |name: &str| match name {
            "at_least" => !matches!(detector, "drop" | "combine"),
            "times_usual" => matches!(detector, "spike" | "spread"),
            "rarer_than" => detector != "combine",
            _ => true,
        };
        for name in ["at_least", "times_usual", "rarer_than", "status", "quiet_for", "who"] {
            let Some(value) = table.get(name) else { continue };
            if !detector.is_empty() && !has(name) {
                let message = format!("[{detector}] has no `{name}` that could be another");
                self.wrong(value.span(), message, "remove the line");
                continue;
            }
            let section = match name {
                "status" => "",
                "quiet_for" | "who" => "tell",
                _ => detector,
            };
            let Some(own) = get(root, section, name) else { continue };
            let same = match name {
                "at_least" => whole(own).is_some() && whole(own) == whole(value),
                "times_usual" => number(own).is_some_and(|own| number(value) == Some(own)),
                "who" => texts(root, "tell", "who").eq(texts(table, "", "who")),
                _ => own.get_ref().as_str().is_some() && own.get_ref().as_str() == value.get_ref().as_str(),
            };
            if same {
                let message = format!("`{name}` is the same as the rule's own");
                self.wrong(value.span(), message, "remove the line, or write another value");
            }
        }
        if let (Some(level), Some(rare), Some(value)) =
            (level, text_of(table, "", "rarer_than").and_then(once_in), table.get("rarer_than"))
            && rare < level.promised_days()
        {
            self.looser(value.span(), level);
        }
    }
}
