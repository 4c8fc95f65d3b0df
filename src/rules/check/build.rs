//! A rule from the tables of its file, once every field has been checked.

use super::{
    File,
    values::{date, days, get, level, number, once_in, role, text_of, texts, whole},
};
use crate::{
    import::hex,
    model::{AreaKind, CategorySet, Precision},
    rules::{Areas, CategoryChoice, Detector, RepeatOf, Rule, Status, fields::EVALUATED},
};
use sha2::{Digest, Sha256};
use toml::de::DeTable;

impl File<'_> {
    /// The rule that the tables say; every field has been checked. None for a detector that is not evaluated.
    pub(super) fn rule(&self, root: &DeTable<'_>) -> Option<Rule> {
        let text = |section: &str, name: &str| text_of(root, section, name);
        let level = text("", "level").and_then(level)?;
        let detector = Self::detector(root)?;
        let section = EVALUATED.into_iter().find(|name| root.contains_key(*name))?;
        let period = text("look_at", "period")?.parse().ok()?;
        let default_quality = if section == "spike" { None } else { Some(Precision::Street) };
        Some(Rule {
            id: text("", "id")?.to_owned(),
            title: text("", "title")?.to_owned(),
            status: match text("", "status")? {
                "live" => Status::Live,
                "shadow" => Status::Shadow,
                "retired" => Status::Retired,
                _ => Status::Draft,
            },
            level,
            review_by: date(root.get("review_by")?)?,
            categories: self.categories(root),
            areas: self.areas(root),
            period,
            wait_days: text("look_at", "wait_for_late_reports").and_then(days).unwrap_or(0),
            quality: match text("look_at", "location_quality") {
                Some("exact") => Some(Precision::Exact),
                Some("street or better") => Some(Precision::Street),
                Some("postcode or better") => Some(Precision::Postcode),
                _ => default_quality,
            },
            detector,
            rarer_than_days: text(section, "rarer_than").and_then(once_in).unwrap_or(level.promised_days()),
            who: texts(root, "tell", "who").filter_map(role).collect(),
            quiet_for_days: text("tell", "quiet_for").and_then(days).unwrap_or(14),
            ack_within_days: text("tell", "ack_within").and_then(days),
            version: hex(&Sha256::digest(self.text)[..4]),
        })
    }

    fn detector(root: &DeTable<'_>) -> Option<Detector> {
        let number_of = |section: &str, name: &str| get(root, section, name).and_then(whole);
        let at_least = |section: &str| number_of(section, "at_least").unwrap_or(1);
        if root.contains_key("spike") {
            let times_usual = get(root, "spike", "times_usual").and_then(number).unwrap_or(1.0);
            let method = text_of(root, "spike", "method").and_then(|name| name.parse().ok());
            Some(Detector::Spike { at_least: at_least("spike") as u64, times_usual, method })
        } else if root.contains_key("cluster") {
            Some(Detector::Cluster {
                at_least: at_least("cluster") as usize,
                metres: number_of("cluster", "within_metres")? as u32,
                days: text_of(root, "cluster", "within").and_then(days)?,
            })
        } else if root.contains_key("repeat") {
            let of = if text_of(root, "repeat", "of") == Some("victim") {
                RepeatOf::Victim
            } else {
                RepeatOf::Place
            };
            let within = text_of(root, "repeat", "within")?.parse().ok()?;
            Some(Detector::Repeat { of, at_least: at_least("repeat") as usize, within })
        } else {
            None
        }
    }

    fn categories(&self, root: &DeTable<'_>) -> CategoryChoice {
        let known = self.known.categories;
        let named: Vec<&str> = texts(root, "look_at", "categories").collect();
        let codes: Vec<&str> = known
            .codes()
            .iter()
            .map(String::as_str)
            .filter(|code| named.contains(&"any") || named.contains(code))
            .collect();
        let sets: Vec<_> =
            codes.iter().filter_map(|code| Some(((*code).to_owned(), known.find(code)?))).collect();
        let all = sets.iter().fold(CategorySet::EMPTY, |all, (_, set)| all.with(*set));
        let each = get(root, "look_at", "each").and_then(|value| value.get_ref().as_bool()) == Some(true);
        CategoryChoice { all, each: if each { sets } else { Vec::new() } }
    }

    fn areas(&self, root: &DeTable<'_>) -> Areas {
        let code = |text: &str| {
            let by_name =
                self.known.wards.iter().find(|(_, name)| *name == text).map(|(code, _)| code.clone());
            by_name.unwrap_or_else(|| text.to_owned())
        };
        if get(root, "look_at", "wards").is_some() {
            return Areas::Wards(texts(root, "look_at", "wards").map(code).collect());
        }
        Areas::Every(match text_of(root, "look_at", "areas") {
            Some("every district") => AreaKind::District,
            Some("every csp") => AreaKind::Csp,
            Some("every npa") => AreaKind::Npa,
            Some("whole county") => AreaKind::Whole,
            _ => AreaKind::Ward,
        })
    }
}
