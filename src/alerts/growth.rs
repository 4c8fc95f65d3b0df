//! Whether an alert has outgrown what its recipients were last told.

use crate::{
    model::{AlertLevel, Finding, SignalKind, Told},
    rules::TellAgain,
};
use serde::{Deserialize, Serialize};

/// One way in which an alert has outgrown what was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// The level is higher than the one last told.
    LevelRose {
        /// The level last told.
        from: AlertLevel,
    },
    /// At least twice as many as were last told.
    CountDoubled {
        /// The count last told; never 0.
        from: u64,
    },
    /// Wards that were never told of before, by code, in the finding's order.
    WardsJoined(Vec<String>),
    /// Categories that were never told of before, by code, in the finding's order.
    CategoriesJoined(Vec<String>),
}

/// Every way in which a finding has outgrown what was told, of those that its rule counts as news, in the order in which
/// a message names them; empty when it has not.
#[must_use]
pub fn growth(told: &Told, now: &Finding, news: TellAgain) -> Vec<Growth> {
    let mut found = Vec::new();
    // Of fewer reports it is no news where the few that are left come from.
    let news = if now.signal == SignalKind::Drop {
        TellAgain { level: news.level, count: false, category: false, ward: false }
    } else {
        news
    };
    if news.level && now.level > told.level {
        found.push(Growth::LevelRose { from: told.level });
    }
    // Where reports have dried up, more of them is no growth.
    let dried_up = (now.observed as f64) < now.expected;
    if news.count && told.observed > 0 && now.observed / 2 >= told.observed && !dried_up {
        found.push(Growth::CountDoubled { from: told.observed });
    }
    let wards = joined(&told.wards, &now.wards);
    if news.ward && !wards.is_empty() {
        found.push(Growth::WardsJoined(wards));
    }
    let categories = joined(&told.categories, &now.categories);
    if news.category && !categories.is_empty() {
        found.push(Growth::CategoriesJoined(categories));
    }
    found
}

/// What recipients know once a message about `now` has gone out.
pub(super) fn told_with(told: Option<&Told>, now: &Finding, on: chrono::NaiveDate) -> Told {
    let (mut wards, mut categories) =
        told.map(|told| (told.wards.clone(), told.categories.clone())).unwrap_or_default();
    wards.extend(joined(&wards, &now.wards));
    categories.extend(joined(&categories, &now.categories));
    Told { on, level: now.level, observed: now.observed, wards, categories }
}

fn joined(before: &[String], now: &[String]) -> Vec<String> {
    let mut new: Vec<String> = Vec::new();
    for code in now {
        if !before.contains(code) && !new.contains(code) {
            new.push(code.clone());
        }
    }
    new
}
