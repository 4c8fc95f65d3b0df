//! Replays rules over past nights: what they would have told. Nothing is saved.
//!
//! Every night is judged with what was known on it, as [`super::night::Engine::evaluate`] does; then its findings go
//! through the same life as an engine's, in memory.

use super::{
    county::{County, Outlines},
    import::links,
    night::{Engine, When, name_after},
};
use crate::{
    alerts::{self, Judged},
    cluster::Lives,
    count::{Archive, History, HistoryAt},
    import::{ImportContext, Mapping, read_incidents},
    model::{Alert, AlertLevel, AlertState, AreaKind, Finding, Geography, Incident, Period, Subject, Window},
    rules::{
        Detector, Night, Override, Rule, RuleOutcome, RuleSet, Status, evaluate, follow, trial::TriedAlert,
    },
    synth::{Options, county, llr},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, Utc};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use uuid::Uuid;

/// Years of the simulated county; its last ones are replayed.
const SIMULATED_YEARS: u32 = 5;

/// Everything that was ever known here.
///
/// # Errors
///
/// When the store fails.
pub async fn known(engine: &Engine) -> Result<History> {
    let archive = engine.known.archive(&engine.store).await.context("loading what was known")?;
    Ok(History::of(&archive, engine.county.pack.zone))
}

/// A county of the same wards in which nothing happens beside what is usual: every alert in it is a false one. Its last day
/// is `last`; none when the wards are not those the simulation knows.
///
/// # Errors
///
/// When the store fails, or the simulated files can't be read.
pub async fn quiet(
    engine: &Engine,
    seed: u64,
    last: NaiveDate,
    known_until: DateTime<Utc>,
) -> Result<Option<History>> {
    let here = &engine.county;
    let wards = llr::wards();
    let geography = here.geography(last)?;
    if !wards.iter().all(|ward| geography.get(AreaKind::Ward, &ward.code).is_some()) {
        return Ok(None);
    }
    let first = last.checked_sub_months(Months::new(12 * SIMULATED_YEARS)).unwrap_or(last);
    let made = county(wards, &Options { seed, first, last, known_until, null: true });
    let mapping = Mapping::shipped("own")?;
    let mut outlines = Outlines::default();
    let mut read = Vec::new();
    for (source, text) in [("police", &made.police), ("council", &made.council)] {
        let context = ImportContext { pack: &here.pack, grid: &here.grid, source, imported_at: known_until };
        let mut incidents = read_incidents(text.as_bytes(), &mapping, &context)?.incidents;
        outlines.place(&engine.store, here, &mut incidents).await?;
        read.push(incidents);
    }
    let second = read.pop().unwrap_or_default();
    let mut all: Vec<Incident> = read.into_iter().flatten().collect();
    let mut linked: HashMap<Uuid, Vec<_>> = HashMap::new();
    for link in links(&all, &second) {
        linked.entry(link.also).or_default().push((link.linked_at, link.undone_at));
    }
    all.extend(second);
    Ok(Some(History::of(&Archive::of(all, linked), here.pack.zone)))
}

/// The rule as if it were live, with those it can't be judged without: the rules it names, and for a cluster rule the other
/// cluster rules, which share what chance is allowed.
#[must_use]
pub fn as_live(set: &RuleSet, id: &str) -> RuleSet {
    let mut wanted = BTreeSet::from([id]);
    loop {
        let named = set.rules.iter().filter(|rule| wanted.contains(rule.id.as_str()));
        let named: Vec<&str> = named.flat_map(needs).collect();
        let before = wanted.len();
        wanted.extend(named);
        if wanted.len() == before {
            break;
        }
    }
    let by_cluster = |rule: &&Rule| matches!(rule.detector, Detector::Cluster { .. });
    let shared = set.rules.iter().any(|rule| by_cluster(&rule) && wanted.contains(rule.id.as_str()));
    let needed =
        |rule: &&Rule| wanted.contains(rule.id.as_str()) || shared && by_cluster(rule) && rule.is_evaluated();
    let live = |rule: &Rule| {
        let mut tried = rule.clone();
        if wanted.contains(rule.id.as_str()) {
            tried.status = Status::Live;
            // What a partnership has of its own stays; what it has of the rule goes with it.
            for own in tried.overrides.iter_mut().filter(|own| own.rule.status == rule.status) {
                own.rule.status = Status::Live;
            }
        }
        tried
    };
    RuleSet { rules: set.rules.iter().filter(needed).map(live).collect(), ..set.clone() }
}

fn needs(rule: &Rule) -> Vec<&str> {
    match &rule.detector {
        Detector::Spread { after, .. } => vec![after],
        Detector::Combine { members, .. } => members.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The live rules of a set, without one.
#[must_use]
pub fn live_without(set: &RuleSet, id: &str) -> RuleSet {
    let others = set.rules.iter().filter(|rule| rule.status == Status::Live && rule.id != id);
    RuleSet { rules: others.cloned().collect(), ..set.clone() }
}

/// Wards that share a border, by ward.
pub type Neighbours = BTreeMap<String, Vec<String>>;

/// What several sets of rules found on many nights.
pub struct Replay {
    /// By the day since which the areas are the same.
    geographies: BTreeMap<NaiveDate, Geography>,
    nights: Vec<Tried>,
    sets: Vec<RuleSet>,
}

/// A night: the day since which its areas are the same, and what each set found.
struct Tried {
    when: When,
    since: NaiveDate,
    found: Vec<Vec<RuleOutcome>>,
}

impl Replay {
    /// Judges nights by several sets of rules, which share what a night knows. `done` is called with the number of nights
    /// judged so far. `neighbours` are the wards that share a border, for rules that ask for them. Takes every core; call it
    /// where nobody waits.
    ///
    /// # Errors
    ///
    /// When the county's links are wrong on a night.
    pub fn of(
        county: &County,
        history: &History,
        nights: &[When],
        (sets, neighbours): (&[&RuleSet], &Neighbours),
        done: &(dyn Fn(u64) + Sync),
    ) -> Result<Self> {
        let mut geographies = BTreeMap::new();
        for when in nights {
            let since = county.areas_since(when.night);
            if let Entry::Vacant(slot) = geographies.entry(since) {
                let geography = Arc::unwrap_or_clone(county.geography(when.night)?);
                slot.insert(geography.with_neighbours(neighbours.clone()));
            }
        }
        let tick = |when: &When| when.as_known_on.with_timezone(&county.pack.zone).time();
        let ticks: BTreeSet<NaiveTime> = nights.iter().map(tick).collect();
        let known: BTreeMap<NaiveTime, HistoryAt<'_>> =
            ticks.into_iter().map(|tick| (tick, history.at(tick))).collect();
        let so_far = AtomicU64::new(0);
        let judge = |when: &When| {
            let since = county.areas_since(when.night);
            let geography = geographies.get(&since)?;
            let quiet = |rule: &Rule| !could_hold(rule, history, when, geography);
            let found = if sets.iter().all(|set| set.rules.iter().all(quiet)) {
                vec![Vec::new(); sets.len()]
            } else {
                let cases = known.get(&tick(when))?.cases(when.as_known_on);
                // A calendar belongs to its set; sets that are tried together share a folder, and so the calendar.
                let mut night = Night::new(geography, &county.pack.categories, cases, when.night);
                if let Some(set) = sets.first() {
                    night = night.with_calendar(&set.calendar);
                }
                let evaluated = sets.iter().map(|set| {
                    let mut outcomes = evaluate(set, &mut night);
                    // Hundreds of nights are kept: not with all that did not hold.
                    for outcome in &mut outcomes {
                        outcome.missed = Vec::new();
                    }
                    outcomes
                });
                evaluated.collect()
            };
            done(so_far.fetch_add(1, Ordering::Relaxed) + 1);
            Some(Tried { when: *when, since, found })
        };
        let nights = nights.par_iter().filter_map(judge).collect();
        Ok(Self { geographies, nights, sets: sets.iter().map(|set| (*set).clone()).collect() })
    }

    /// The nights, in order.
    #[must_use]
    pub fn nights(&self) -> Vec<NaiveDate> {
        self.nights.iter().map(|tried| tried.when.night).collect()
    }

    /// Every finding of a set, with its night.
    #[must_use]
    pub fn findings(&self, set: usize) -> Vec<(NaiveDate, Finding)> {
        let of = |tried: &Tried| {
            let all = tried.found[set].iter().flat_map(|outcome| outcome.findings.clone());
            all.map(|finding| (tried.when.night, finding)).collect::<Vec<_>>()
        };
        self.nights.iter().flat_map(of).collect()
    }

    /// The alerts that a rule of a set would have opened, in order; with `rarer_than` as if that were its threshold, of at
    /// least the one it was judged by. Overrides with a threshold of their own keep it.
    #[must_use]
    pub fn alerts(&self, set: usize, rule: &Rule, rarer_than: Option<f64>) -> Vec<TriedAlert> {
        let mut life = Life::default();
        let mut following = Following::of(&self.sets[set], rule);
        for Tried { when, since, found } in &self.nights {
            let Some(geography) = self.geographies.get(since) else { continue };
            let outcome = match &mut following {
                Some(following) => following.night(when.night, &found[set], geography),
                None => found[set].iter().find(|outcome| outcome.rule == rule.id).cloned(),
            };
            // A night on which the rule could not hold was not judged; alerts live on through it.
            let Some(mut outcome) = outcome else {
                life.night(*when, Vec::new(), rule, geography);
                continue;
            };
            if let Some(days) = rarer_than {
                let own = |finding: &Finding| has_its_own(rule, &csps(finding, geography));
                outcome.findings.retain(|finding| strongest(finding) >= days || own(finding));
            }
            if matches!(rule.detector, Detector::Cluster { .. }) {
                life.lives = name_after(&mut outcome, &life.lives, when.night);
            }
            life.night(*when, outcome.findings, rule, geography);
        }
        life.opened
    }
}

/// A rule that follows others, from night to night.
struct Following<'a> {
    set: &'a RuleSet,
    rule: &'a Rule,
    /// Of each cluster rule.
    lives: HashMap<String, Lives>,
    before: Vec<(NaiveDate, Finding)>,
}

impl<'a> Following<'a> {
    fn of(set: &'a RuleSet, rule: &'a Rule) -> Option<Self> {
        let follows = matches!(rule.detector, Detector::Spread { .. } | Detector::Combine { .. });
        follows.then(|| Self { set, rule, lives: HashMap::new(), before: Vec::new() })
    }

    fn night(
        &mut self,
        night: NaiveDate,
        found: &[RuleOutcome],
        geography: &Geography,
    ) -> Option<RuleOutcome> {
        let mut outcomes = found.to_vec();
        for outcome in &mut outcomes {
            let rule = self.set.rules.iter().find(|rule| rule.id == outcome.rule);
            if rule.is_some_and(|rule| matches!(rule.detector, Detector::Cluster { .. })) {
                let lives = self.lives.entry(outcome.rule.clone()).or_default();
                *lives = name_after(outcome, lives, night);
            }
        }
        follow(self.set, geography, night, &self.before, &mut outcomes);
        let held = outcomes.iter().flat_map(|outcome| outcome.findings.iter().cloned());
        self.before.extend(held.map(|finding| (night, finding)));
        let oldest = night - Days::new(self.set.remembers().into());
        self.before.retain(|(earlier, _)| *earlier >= oldest);
        outcomes.into_iter().find(|outcome| outcome.rule == self.rule.id)
    }
}

/// Whether some area has as many incidents in the rule's window as it asks for at least. Without that nothing needs to be
/// learned of the night. Always, where that is not easily told.
fn could_hold(rule: &Rule, history: &History, when: &When, geography: &Geography) -> bool {
    let (Detector::Spike { at_least, .. }, Period::Days(days)) = (&rule.detector, rule.period) else {
        return rule.is_evaluated();
    };
    let asked = |one: &Override| match one.rule.detector {
        Detector::Spike { at_least, .. } => at_least,
        _ => 0,
    };
    let least = rule.overrides.iter().map(asked).fold(*at_least, u64::min);
    let window = Window::ending(when.night - Days::new(rule.wait_days.into()), days);
    let sets = rule.categories.each.iter().map(|(_, set)| *set);
    let sets: Vec<_> = sets.chain([rule.categories.all]).collect();
    let mut counts: HashMap<(usize, &str), u64> = HashMap::new();
    for case in history.in_window(when.as_known_on, window) {
        let Some(ward) = case.ward.as_deref() else { continue };
        for place in (0..sets.len()).filter(|place| case.categories.touches(sets[*place])) {
            if rule.areas.kind == AreaKind::Ward {
                *counts.entry((place, ward)).or_default() += 1;
                continue;
            }
            for area in geography.above(ward, rule.areas.kind) {
                *counts.entry((place, area.code.as_str())).or_default() += 1;
            }
        }
    }
    rule.is_evaluated() && counts.values().any(|count| *count >= least)
}

/// How rare a finding is; the calendar takes no severe one away.
fn strongest(finding: &Finding) -> f64 {
    let plain = finding.without_calendar.filter(|_| finding.level == AlertLevel::Severe);
    plain.map_or(0.0, |plain| plain.recurrence.days()).max(finding.recurrence.days())
}

/// Whether an override gives one of the partnerships a threshold of its own.
fn has_its_own(rule: &Rule, csps: &[String]) -> bool {
    let own = rule.overrides.iter().filter(|one| differs(one.rule.rarer_than_days, rule.rarer_than_days));
    own.flat_map(|one| &one.csps).any(|csp| csps.contains(csp))
}

fn differs(a: f64, b: f64) -> bool {
    (a - b).abs() > 1e-9
}

/// The rule with the commonest threshold of a curve, so that every other one is a choice among its findings.
#[must_use]
pub fn loosened(rule: &Rule, days: f64) -> Rule {
    let mut loose = Rule { rarer_than_days: days, ..rule.clone() };
    for one in &mut loose.overrides {
        if !differs(one.rule.rarer_than_days, rule.rarer_than_days) {
            one.rule.rarer_than_days = days;
        }
    }
    loose
}

/// Alerts from night to night, in memory.
#[derive(Default)]
struct Life {
    lives: Lives,
    alerts: BTreeMap<String, Alert>,
    /// Where an alert stands among the opened.
    places: HashMap<Uuid, usize>,
    opened: Vec<TriedAlert>,
}

impl Life {
    fn night(&mut self, when: When, findings: Vec<Finding>, rule: &Rule, geography: &Geography) {
        let judged: Vec<Judged> = findings
            .into_iter()
            .map(|finding| {
                let here = rule.at(&finding.wards, geography);
                Judged {
                    quiet_for_days: here.quiet_for_days,
                    shadow: false,
                    folded: false,
                    silenced: None,
                    hold_nights: here.hold_nights,
                    tell_again: here.tell_again,
                    finding,
                }
            })
            .collect();
        let alive = std::mem::take(&mut self.alerts);
        let step = {
            let mut made = self.opened.len() as u128;
            let mut new_id = || {
                made += 1;
                Uuid::from_u128(made)
            };
            let mut number = self.opened.len() as i64;
            let mut next_number = |_| {
                number += 1;
                number
            };
            let before = alive.values().cloned().collect();
            alerts::step(when.night, when.now, before, &judged, &mut new_id, &mut next_number, "TRY")
        };
        self.alerts = alive;
        for alert in step.alerts {
            let opened = self.opened.len();
            let place = *self.places.entry(alert.id).or_insert(opened);
            if place == opened {
                self.opened.push(TriedAlert {
                    night: when.night,
                    last: when.night,
                    csps: csps(&alert.latest, geography),
                    finding: alert.latest.clone(),
                    mails: 0,
                });
            } else if alert.quiet_nights == 0 {
                self.opened[place].last = when.night;
            }
            self.alerts.insert(alert.identity.clone(), alert);
        }
        for notice in &step.notices {
            if let Some(place) = self.places.get(&notice.alert) {
                self.opened[*place].mails += 1;
            }
        }
        let own = rule.overrides.iter().map(|own| own.rule.quiet_for_days);
        let quiet = i64::from(own.fold(rule.quiet_for_days, u32::max)) + 1;
        self.alerts.retain(|_, alert| {
            alert.state != AlertState::Closed || (when.night - alert.night).num_days() <= quiet
        });
    }
}

/// The partnerships that a finding lies in, by code.
#[must_use]
pub fn csps(finding: &Finding, geography: &Geography) -> Vec<String> {
    if let Subject::Area { area, .. } = &finding.subject
        && area.kind == AreaKind::Csp
    {
        return vec![area.code.clone()];
    }
    let all = finding.wards.iter().flat_map(|ward| geography.above(ward, AreaKind::Csp));
    all.map(|csp| csp.code.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}
