//! Where fewer people may be reporting: counts improbably low for an area, a category or a channel, wards without any report, and
//! how many reports come through others than the police. Quiet is a reason to look, never good news by itself.

use super::{background::background, night::Engine};
use crate::{
    count::{Feed, Seen, SeenIncident},
    detect::{discoveries, share_of},
    model::{AreaKind, AreaRef, CategorySet, Geography, Window},
    rules::Night,
};
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// Lengths of time that are looked at: four weeks for what stops, twelve for what fades.
pub const LOOKED_BACK: [u32; 2] = [28, 84];

/// Days in which a ward without a report is told.
pub const YEAR: u32 = 365;

/// Of the counts told as improbably low, at most this share is so by chance, on average.
pub const FALSE_SHARE: f64 = 0.1;

/// Reports of a year that a channel must have to be looked at.
const LEAST_A_YEAR: u64 = 12;

/// Which reports are looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// All.
    All,
    /// Those of a category, by code.
    Category(String),
    /// Those of a channel.
    Channel(String),
}

/// A count that is improbably low.
#[derive(Debug, Clone, PartialEq)]
pub struct Quiet {
    /// Where.
    pub area: AreaRef,
    /// What is counted.
    pub what: What,
    /// When.
    pub window: Window,
    /// Reports known.
    pub observed: u64,
    /// Reports usual, as far as they would be known by now.
    pub expected: f64,
    /// The central 95 % of what is usual.
    pub usual_range: (u64, u64),
    /// P(at most so many), when nothing changed.
    pub p_lower: f64,
}

/// A ward without a report in a year.
#[derive(Debug, Clone, PartialEq)]
pub struct SilentWard {
    /// Its code.
    pub ward: String,
    /// Residents.
    pub population: Option<u32>,
    /// Wards that share a border with it, with figures of residents.
    pub neighbours: usize,
    /// Reports that it would have had, had its residents reported as often as its neighbours'.
    pub like_neighbours: Option<f64>,
}

/// Through whom an area's reports came in a year.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// Where.
    pub area: AreaRef,
    /// Reports that the police sent.
    pub police: u64,
    /// Reports that others sent.
    pub others: u64,
    /// The share of the others, with its central 95 %; none without reports.
    pub share: Option<(f64, f64, f64)>,
}

/// Where fewer people may be reporting.
#[derive(Debug, Clone, PartialEq)]
pub struct Reporting {
    /// The last night.
    pub night: NaiveDate,
    /// Counts that were looked at.
    pub looked_at: usize,
    /// Those improbably low, the least probable first.
    pub quiet: Vec<Quiet>,
    /// Wards without a report in a year, those with most residents first. None while there is less than a year of history.
    pub silent: Option<Vec<SilentWard>>,
    /// By partnership, and the county last.
    pub mix: Vec<Mix>,
    /// Reports of the year by area: partnerships and the county.
    pub year: BTreeMap<AreaRef, u64>,
    /// Sources that are late: what is missing from them is no quiet.
    pub late: Vec<Feed>,
}

/// Whether a source is the police: its name says so.
fn is_police(source: &str) -> bool {
    source.to_lowercase().starts_with("police")
}

/// Looks at the whole county on a night, as known at an instant.
///
/// # Errors
///
/// When the store fails.
pub async fn reporting(
    engine: &Arc<Engine>,
    night: NaiveDate,
    as_known_on: DateTime<Utc>,
) -> Result<Reporting> {
    let seen = engine.as_known(as_known_on).await?;
    let neighbours = engine.county.neighbours(&engine.store, night).await?;
    let engine = Arc::clone(engine);
    background(move || {
        let geography = engine.county.geography(night)?;
        let looking = Looking { engine: &engine, seen: &seen, geography: &geography, night, as_known_on };
        Ok(looking.all(&neighbours))
    })
    .await?
}

struct Looking<'a> {
    engine: &'a Engine,
    seen: &'a Seen,
    geography: &'a Geography,
    night: NaiveDate,
    as_known_on: DateTime<Utc>,
}

impl Looking<'_> {
    fn all(&self, neighbours: &BTreeMap<String, Vec<String>>) -> Reporting {
        let categories = &self.engine.county.pack.categories;
        let mut counts = Vec::new();
        let mut night = whole_night(self.engine, self.seen, self.when());
        for days in LOOKED_BACK {
            let window = Window::ending(self.night, days);
            for kind in [AreaKind::Whole, AreaKind::Csp] {
                counts.extend(judged(&mut night, kind, (categories.all(), &What::All), window));
                for code in categories.codes() {
                    if let Some(one) = categories.find(code) {
                        counts.extend(judged(&mut night, kind, (one, &What::Category(code.clone())), window));
                    }
                }
            }
        }
        let longest = Window::ending(self.night, LOOKED_BACK[1]);
        counts.extend(judged(&mut night, AreaKind::Ward, (categories.all(), &What::All), longest));
        let late = night.completeness().feeds().iter().filter(|feed| feed.late_by > 0).cloned().collect();
        let first = night.ledger().first();
        drop(night);
        let year = Window::ending(self.night, YEAR);
        for channel in self.channels(year) {
            let mut own = night_of_channel(self.engine, self.seen, self.when(), Some(&channel));
            for days in LOOKED_BACK {
                for kind in [AreaKind::Whole, AreaKind::Csp] {
                    let what = (categories.all(), &What::Channel(channel.clone()));
                    counts.extend(judged(&mut own, kind, what, Window::ending(self.night, days)));
                }
            }
        }
        let low: Vec<f64> = counts.iter().map(|count| count.p_lower).collect();
        let looked_at = counts.len();
        let found = discoveries(&low, FALSE_SHARE);
        let mut quiet: Vec<Quiet> =
            counts.into_iter().zip(found).filter(|(_, found)| *found).map(|(count, _)| count).collect();
        quiet.sort_by(|a, b| {
            a.p_lower.total_cmp(&b.p_lower).then_with(|| (&a.area, &a.what).cmp(&(&b.area, &b.what)))
        });
        let (by_ward, mix) = self.of_a_year(year);
        let total = |mix: &Mix| (mix.area.clone(), mix.police + mix.others);
        Reporting {
            night: self.night,
            looked_at,
            quiet,
            silent: (first <= year.first).then(|| self.silent(&by_ward, neighbours)),
            year: mix.iter().map(total).collect(),
            mix,
            late,
        }
    }

    const fn when(&self) -> When<'_> {
        (self.geography, self.night, self.as_known_on)
    }

    fn of(&self, year: Window) -> impl Iterator<Item = SeenIncident<'_>> {
        let zone = self.engine.county.pack.zone;
        self.seen.iter().filter(move |one| one.day(zone).is_some_and(|day| year.holds(day)))
    }

    /// The channels with enough reports in the year before what is looked at, or in it.
    fn channels(&self, year: Window) -> BTreeSet<String> {
        let before = Window { first: year.first - chrono::Days::new(LOOKED_BACK[1].into()), last: year.last };
        let mut found: BTreeMap<&str, u64> = BTreeMap::new();
        for channel in self.of(before).filter_map(|one| one.channel()) {
            *found.entry(channel).or_default() += 1;
        }
        found
            .into_iter()
            .filter(|(_, count)| *count >= LEAST_A_YEAR)
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// Reports of a year by ward, and through whom they came by partnership and in the county.
    fn of_a_year(&self, year: Window) -> (HashMap<&str, u64>, Vec<Mix>) {
        let mut by_ward: HashMap<&str, u64> = HashMap::new();
        let mut by_area: BTreeMap<AreaRef, (u64, u64)> = BTreeMap::new();
        let kinds = [AreaKind::Csp, AreaKind::Whole];
        for kind in kinds {
            for area in self.geography.of_kind(kind) {
                by_area.insert(AreaRef { kind, code: area.code.clone() }, (0, 0));
            }
        }
        for one in self.of(year) {
            let Some(ward) = one.ward() else { continue };
            *by_ward.entry(ward).or_default() += 1;
            for kind in kinds {
                for area in self.geography.above(ward, kind) {
                    let own = by_area.entry(AreaRef { kind, code: area.code.clone() }).or_default();
                    if is_police(one.source()) { own.0 += 1 } else { own.1 += 1 }
                }
            }
        }
        let mix = |(area, (police, others)): (AreaRef, (u64, u64))| Mix {
            share: share_of(others, police + others)
                .map(|(low, high)| (others as f64 / (police + others) as f64, low, high)),
            area,
            police,
            others,
        };
        let mut mixes: Vec<Mix> = by_area.into_iter().map(mix).collect();
        mixes.sort_by_key(|mix| mix.area.kind == AreaKind::Whole);
        (by_ward, mixes)
    }

    fn silent(
        &self,
        by_ward: &HashMap<&str, u64>,
        neighbours: &BTreeMap<String, Vec<String>>,
    ) -> Vec<SilentWard> {
        let none =
            self.geography.of_kind(AreaKind::Ward).filter(|ward| !by_ward.contains_key(ward.code.as_str()));
        let mut silent: Vec<SilentWard> = none
            .map(|ward| {
                let around = neighbours.get(&ward.code).map(Vec::as_slice).unwrap_or_default();
                let known = around.iter().filter_map(|code| {
                    let people = self.geography.get(AreaKind::Ward, code)?.population?;
                    Some((by_ward.get(code.as_str()).copied().unwrap_or(0), people))
                });
                let (mut many, mut reports, mut people) = (0, 0, 0_u64);
                for (own, residents) in known {
                    (many, reports, people) = (many + 1, reports + own, people + u64::from(residents));
                }
                let rate = (people > 0).then(|| reports as f64 / people as f64);
                SilentWard {
                    ward: ward.code.clone(),
                    population: ward.population,
                    neighbours: many,
                    like_neighbours: ward.population.zip(rate).map(|(people, rate)| f64::from(people) * rate),
                }
            })
            .collect();
        silent.sort_by(|a, b| b.population.cmp(&a.population).then_with(|| a.ward.cmp(&b.ward)));
        silent
    }
}

/// The areas of a night, the night, and the instant as known on.
pub(super) type When<'a> = (&'a Geography, NaiveDate, DateTime<Utc>);

/// A night with all reports.
pub(super) fn whole_night<'a>(
    engine: &'a Engine,
    seen: &'a Seen,
    (geography, night, as_known_on): When<'a>,
) -> Night<'a> {
    let pack = &engine.county.pack;
    let tick = as_known_on.with_timezone(&pack.zone).time();
    let all = seen.iter().map(|one| one.counted(pack.zone, tick));
    Night::counting(geography, &pack.categories, all, night)
}

/// A night with the reports of one channel, or those of which none is told. How late they come is learned from all reports of
/// the sources that have some: a channel that stops is no source that is late.
pub(super) fn night_of_channel<'a>(
    engine: &'a Engine,
    seen: &'a Seen,
    (geography, night, as_known_on): When<'a>,
    channel: Option<&str>,
) -> Night<'a> {
    let pack = &engine.county.pack;
    let tick = as_known_on.with_timezone(&pack.zone).time();
    let counted = |one: SeenIncident<'a>| one.counted(pack.zone, tick);
    let own = |one: &SeenIncident<'_>| one.channel() == channel;
    let sources: BTreeSet<&str> = seen.iter().filter(own).map(|one| one.source()).collect();
    let theirs = seen.iter().filter(|one| sources.contains(one.source())).map(counted);
    Night::counting(geography, &pack.categories, theirs, night).part(seen.iter().filter(own).map(counted))
}

/// Every area of a kind over a window.
fn judged(
    night: &mut Night<'_>,
    kind: AreaKind,
    (categories, what): (CategorySet, &What),
    window: Window,
) -> Vec<Quiet> {
    let count = |(judgement, usual): (crate::model::Judgement, crate::detect::Expectation)| Quiet {
        area: judgement.area,
        what: what.clone(),
        window,
        observed: judgement.observed,
        expected: judgement.expected,
        usual_range: usual.usual_range(),
        p_lower: judgement.p_lower,
    };
    night.judge(kind, categories, window).into_iter().map(count).collect()
}
