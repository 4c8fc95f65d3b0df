//! How many incidents were reported in each area in some days, exactly.

use super::{background::background, night::Engine};
use crate::{
    count::Seen,
    model::{Area, AreaKind, Window},
};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The incidents of one area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaCount {
    /// The area.
    pub area: Area,
    /// Incidents, each once.
    pub incidents: u64,
    /// Incidents that carry each category, in the pack's order; one that carries two is in both.
    pub mentions: Vec<u64>,
}

impl Engine {
    /// The incidents of every area of a kind that happened on the days of a window, as known just before an instant.
    /// Those without a ward, and those whose date is longer than a day, are in none. Areas are those in force on the last
    /// day; by code.
    ///
    /// # Errors
    ///
    /// When the store fails, or the county's links are wrong on that day.
    pub async fn counts(
        self: &Arc<Self>,
        kind: AreaKind,
        window: Window,
        as_known_on: DateTime<Utc>,
    ) -> Result<Vec<AreaCount>> {
        let seen = self.as_known(as_known_on).await?;
        let engine = Arc::clone(self);
        background(move || engine.counted(kind, window, &seen)).await?
    }

    fn counted(&self, kind: AreaKind, window: Window, seen: &Seen) -> Result<Vec<AreaCount>> {
        let geography = self.county.geography(window.last)?;
        let pack = &self.county.pack;
        let codes = pack.categories.codes();
        let sets: Vec<_> = codes.iter().filter_map(|code| pack.categories.find(code)).collect();
        let mut by_ward: HashMap<&str, (u64, Vec<u64>)> = HashMap::new();
        for one in seen.iter() {
            let day = one.day(pack.zone).filter(|day| (window.first..=window.last).contains(day));
            let (Some(_), Some(ward)) = (day, one.ward()) else { continue };
            let (incidents, mentions) = by_ward.entry(ward).or_insert_with(|| (0, vec![0; sets.len()]));
            *incidents += 1;
            for (count, set) in mentions.iter_mut().zip(&sets) {
                *count += u64::from(one.categories().touches(*set));
            }
        }
        let mut found: BTreeMap<String, AreaCount> = geography
            .of_kind(kind)
            .map(|area| {
                let none = AreaCount { area: area.clone(), incidents: 0, mentions: vec![0; sets.len()] };
                (area.code.clone(), none)
            })
            .collect();
        for (ward, (incidents, mentions)) in by_ward {
            let codes: Vec<String> = if kind == AreaKind::Ward {
                vec![ward.to_owned()]
            } else {
                geography.above(ward, kind).map(|area| area.code.clone()).collect()
            };
            for code in codes {
                let Some(area) = found.get_mut(&code) else { continue };
                area.incidents += incidents;
                area.mentions.iter_mut().zip(&mentions).for_each(|(all, more)| *all += more);
            }
        }
        Ok(found.into_values().collect())
    }
}
