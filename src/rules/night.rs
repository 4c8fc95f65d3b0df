//! Everything a night shows to the rules, as known on it: counts, delays, and what is usual, learned once.

use super::calendar::{Calendar, Event, Where};
use crate::{
    count::{Case, Completeness, Counted, Ledger},
    detect::{
        Expectation, MonthBaseline, Multipliers, Nightly, Past, Surroundings, Weekdays, judgement,
        reference::Method, usual_by,
    },
    model::{AreaKind, AreaRef, Categories, CategorySet, Cluster, Geography, Judgement, Precision, Window},
};
use chrono::{Days, Months, NaiveDate};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, OnceLock},
};

/// Everything a night shows to the rules, as known on it.
pub struct Night<'a> {
    pub(super) geography: &'a Geography,
    pub(super) categories: &'a Categories,
    pub(super) cases: Vec<&'a Case>,
    pub(super) ledger: Ledger,
    completeness: Completeness,
    weekdays: Weekdays,
    learned: BTreeMap<Wanted, Option<Nightly>>,
    /// What was judged already: many rules look at the same window.
    judged: BTreeMap<(Wanted, u32), Arc<[Judged]>>,
    /// The same of some of the reports alone.
    apart: BTreeMap<(Only, Wanted, u32), Arc<[Judged]>>,
    /// The clusters found already.
    pub(super) scanned: Vec<(Scanned, Vec<Cluster>)>,
    /// Cases by ward.
    by_ward: OnceLock<HashMap<&'a str, Vec<&'a Case>>>,
    calendar: Option<&'a Calendar>,
    /// What calendar entries multiply expectations by while learning; the first has none.
    profiles: Vec<Profile>,
}

/// A count of an area, with what is usual there.
type Judged = (Judgement, Expectation);

/// Some of the reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Only {
    /// Those of one source.
    Source(String),
    /// Those that carry none of some categories.
    Without(CategorySet),
}

/// All that the clusters of a rule depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned {
    pub(super) quality: Option<Precision>,
    pub(super) categories: CategorySet,
    /// Metres, days and incidents.
    pub(super) reach: (u32, u32, usize),
    /// Scans of the night, and the bits of the rarity that matters.
    pub(super) chance: (u32, u64),
    pub(super) last: NaiveDate,
}

impl Only {
    fn holds(&self, case: &Case) -> bool {
        match self {
            Self::Source(source) => *case.source == **source,
            Self::Without(categories) => !case.categories.touches(*categories),
        }
    }
}

/// Events, by place in the calendar, and the multipliers that a rule gives them.
pub(super) type Profile = Vec<(usize, f64)>;

/// Windows of up to so many days share what is learned: eight weeks.
const LONGEST_SHARED: u32 = 56;

/// A chart shows at most so many windows.
const PAST_WINDOWS: usize = 52;

/// What is usual for windows up to `longest` days that end on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    kind: AreaKind,
    categories: CategorySet,
    last: NaiveDate,
    longest: u32,
    profile: usize,
}

impl Wanted {
    pub(super) fn new(kind: AreaKind, categories: CategorySet, window: Window, profile: usize) -> Self {
        let longest = window.days().max(LONGEST_SHARED);
        Self { kind, categories, last: window.last, longest, profile }
    }
}

impl<'a> Night<'a> {
    /// Prepares a night: counts, delays and season are learned once for all rules.
    #[must_use]
    pub fn new(
        geography: &'a Geography,
        categories: &'a Categories,
        cases: impl IntoIterator<Item = &'a Case>,
        last: NaiveDate,
    ) -> Self {
        let cases: Vec<&Case> = cases.into_iter().collect();
        let counted = cases.clone().into_iter().map(Counted::from);
        Self { cases, ..Self::counting(geography, categories, counted, last) }
    }

    /// A night that can be judged area by area, but has no single cases: for pages, which need no clusters. Of many
    /// incidents it takes much less room.
    #[must_use]
    pub fn counting<'c>(
        geography: &'a Geography,
        categories: &'a Categories,
        counted: impl IntoIterator<Item = Counted<'c>> + Clone,
        last: NaiveDate,
    ) -> Self {
        // One after the other: each holds something of every incident while it is made.
        let completeness = Completeness::learn(counted.clone(), last);
        let ledger = Ledger::new(geography, counted, last);
        let mut county = vec![0.0; ledger.length()];
        for ward in ledger.by_ward(categories.all()) {
            for (sum, count) in county.iter_mut().zip(ward) {
                *sum += f64::from(count);
            }
        }
        let weekdays = Weekdays::learn(ledger.first(), &county);
        Self::empty(geography, categories, (ledger, completeness, weekdays))
    }

    /// The same night with some of its reports alone, as those of one channel. Delays and weekdays are those of all: with little
    /// to learn from, silence would be taken for a delay.
    #[must_use]
    pub fn part<'c>(&self, counted: impl IntoIterator<Item = Counted<'c>>) -> Self {
        let ledger = self.ledger.part(self.geography, counted);
        let learned = (ledger, self.completeness.clone(), self.weekdays);
        Self::empty(self.geography, self.categories, learned)
    }

    /// With nothing judged yet.
    fn empty(
        geography: &'a Geography,
        categories: &'a Categories,
        (ledger, completeness, weekdays): (Ledger, Completeness, Weekdays),
    ) -> Self {
        Self {
            geography,
            categories,
            cases: Vec::new(),
            ledger,
            completeness,
            weekdays,
            learned: BTreeMap::new(),
            judged: BTreeMap::new(),
            apart: BTreeMap::new(),
            scanned: Vec::new(),
            by_ward: OnceLock::new(),
            calendar: None,
            profiles: vec![Profile::new()],
        }
    }

    /// With the events and campaigns that rules may name.
    #[must_use]
    pub fn with_calendar(self, calendar: &'a Calendar) -> Self {
        Self { calendar: Some(calendar), ..self }
    }

    /// The counts.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How late reports come.
    #[must_use]
    pub fn completeness(&self) -> &Completeness {
        &self.completeness
    }

    /// The counts and the delays, when all is judged.
    #[must_use]
    pub fn into_counts(self) -> (Ledger, Completeness) {
        (self.ledger, self.completeness)
    }

    /// The share of a window's incidents that is usually known by the morning after the night, and by sources that are
    /// late not yet: from 0 to 1.
    #[must_use]
    pub fn known_share(&self, window: Window) -> f64 {
        let morning = self.ledger.last() + Days::new(1);
        let days = window.first.iter_days().take(window.days() as usize);
        days.map(|day| self.completeness.after((morning - day).num_days())).sum::<f64>()
            / f64::from(window.days())
    }

    /// Judges every area of a kind over a window by the house method; empty without enough history.
    pub fn judge(&mut self, kind: AreaKind, categories: CategorySet, window: Window) -> Vec<Judged> {
        self.judge_with((kind, categories, window), 0, &Multipliers::default())
    }

    /// The same with what is expected by a profile of calendar entries, and scaled.
    pub(super) fn judge_with(
        &mut self,
        (kind, categories, window): (AreaKind, CategorySet, Window),
        profile: usize,
        scaled: &Multipliers,
    ) -> Vec<Judged> {
        let wanted = Wanted::new(kind, categories, window, profile);
        if scaled.events.is_empty()
            && let Some(judged) = self.judged.get(&(wanted, window.days()))
        {
            return judged.to_vec();
        }
        self.learn(&[wanted]);
        let learned = self.learned.get(&wanted).and_then(Option::as_ref);
        let judged = learned.map(|usual| usual.judge(window.days(), scaled)).unwrap_or_default();
        if scaled.events.is_empty() {
            self.judged.insert((wanted, window.days()), judged.clone().into());
        }
        judged
    }

    /// The windows of a year that end with one that was judged, each against what was usual in it.
    pub(super) fn past(&self, judged: &Judgement, profile: usize, scaled: &Multipliers) -> Vec<Past> {
        let Judgement { area, categories, window, .. } = judged;
        let wanted = Wanted::new(area.kind, *categories, *window, profile);
        let learned = self.learned.get(&wanted).and_then(Option::as_ref);
        learned.map(|usual| usual.past(area, window.days(), PAST_WINDOWS, scaled)).unwrap_or_default()
    }

    /// So many windows of one area without gaps between them, each against what was usual in it, oldest first; the last is
    /// this one. Fewer where the history is shorter.
    pub fn curve(
        &mut self,
        area: &AreaRef,
        categories: CategorySet,
        window: Window,
        windows: usize,
    ) -> Vec<Past> {
        let wanted = Wanted::new(area.kind, categories, window, 0);
        self.learn(&[wanted]);
        let learned = self.learned.get(&wanted).and_then(Option::as_ref);
        let past = |usual: &Nightly| usual.past(area, window.days(), windows, &Multipliers::default());
        learned.map(past).unwrap_or_default()
    }

    /// The calendar months that end with one that was judged. The method for months knows no season: what is usual in the
    /// judged one without the calendar is usual in each before.
    pub(super) fn past_months(
        &self,
        (judged, usual): (&Judgement, Expectation),
        plain: Expectation,
    ) -> Vec<Past> {
        let (months, by_ward) = self.ledger.months_by_ward(judged.categories);
        let members = self.ledger.members(&judged.area);
        let past = |(place, first): (usize, &NaiveDate)| {
            let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
            Some(Past {
                window: Window { first: *first, last },
                observed: members.iter().map(|ward| u64::from(by_ward[*ward][place])).sum(),
                expected: if *first == judged.window.first { usual.mean() } else { plain.mean() },
                usual_range: if *first == judged.window.first { usual } else { plain }.usual_range(),
            })
        };
        months
            .iter()
            .enumerate()
            .filter_map(past)
            .filter(|past| past.window.last <= judged.window.last)
            .collect()
    }

    /// Judges every area of a kind by some of the reports alone.
    pub(super) fn judge_only(
        &mut self,
        only: &Only,
        (kind, categories, window): (AreaKind, CategorySet, Window),
    ) -> Vec<Judged> {
        let wanted = Wanted::new(kind, categories, window, 0);
        let key = (only.clone(), wanted, window.days());
        if let Some(judged) = self.apart.get(&key) {
            return judged.to_vec();
        }
        let night = self.ledger.last();
        let own = || self.cases.iter().copied().filter(|case| only.holds(case));
        let ledger = Ledger::new(self.geography, own(), night);
        let completeness = Completeness::learn(own(), night);
        let events = Multipliers::default();
        let around = Surroundings { completeness: &completeness, weekdays: &self.weekdays, events: &events };
        let learned = Nightly::learn(&ledger, around, kind, categories, (window.last, wanted.longest), None);
        let judged = learned.map(|usual| usual.judge(window.days(), &events)).unwrap_or_default();
        self.apart.insert(key, judged.clone().into());
        judged
    }

    /// The calendar, empty without one.
    pub(super) fn events(&self) -> &'a [Event] {
        self.calendar.map(|calendar| calendar.events.as_slice()).unwrap_or_default()
    }

    /// The place of a profile among those of the night.
    pub(super) fn profile(&mut self, wanted: Profile) -> usize {
        self.profiles.iter().position(|known| *known == wanted).unwrap_or_else(|| {
            self.profiles.push(wanted);
            self.profiles.len() - 1
        })
    }

    /// The factors of a profile for every area of a kind: by the share of the area's past incidents that lies within the
    /// event, so that an event in one ward raises little of its district.
    pub(super) fn multipliers(&self, kind: AreaKind, profile: &[(usize, f64)]) -> Multipliers {
        if profile.is_empty() {
            return Multipliers::default();
        }
        let counts = self.ledger.by_ward(self.categories.all());
        let weights: Vec<f64> = counts
            .iter()
            .map(|days| 0.01 + days.iter().map(|count| f64::from(*count)).sum::<f64>())
            .collect();
        let of = |(event, by): &(usize, f64)| {
            let event = self.events().get(*event)?;
            let inside = self.within(event);
            let factor = |area: &AreaRef| {
                let members = self.ledger.members(area);
                let all: f64 = members.iter().map(|ward| weights[*ward]).sum();
                let part: f64 = members.iter().map(|ward| weights[*ward] * inside[*ward]).sum();
                if all > 0.0 { 1.0 + part / all * (by - 1.0) } else { 1.0 }
            };
            Some((event.window, self.ledger.areas(kind).iter().map(factor).collect()))
        };
        Multipliers { events: profile.iter().filter_map(of).collect() }
    }

    /// How much of each ward lies within an event, 0 to 1; of a circle, by the ward's past incidents.
    pub(super) fn within(&self, event: &Event) -> Vec<f64> {
        let wards = self.ledger.wards();
        let Where::Around { easting, northing, metres } = event.place else {
            let holds = |ward: &String| event.place.holds_ward(ward, self.geography);
            return wards.iter().map(|ward| f64::from(u8::from(holds(ward)))).collect();
        };
        let mut seen = vec![(0.0, 0.0); wards.len()];
        for &case in &self.cases {
            let ward = case.ward.as_deref();
            let ward = ward.and_then(|own| wards.binary_search_by(|ward| ward.as_str().cmp(own)).ok());
            if let (Some(ward), Some((east, north))) = (ward, case.point) {
                let away = (f64::from(east) - easting).hypot(f64::from(north) - northing);
                seen[ward].0 += f64::from(u8::from(away <= metres));
                seen[ward].1 += 1.0;
            }
        }
        seen.into_iter().map(|(inside, all)| if all > 0.0 { inside / all } else { 0.0 }).collect()
    }

    /// Learns what is usual, once a night for each that is wanted, side by side. What a ward has of one strand is drawn
    /// towards what it has of all, so that comes first.
    pub(super) fn learn(&mut self, wanted: &[Wanted]) {
        let all = self.categories.all();
        let wards = wanted.iter().filter(|wanted| wanted.kind == AreaKind::Ward);
        let plain = |wanted: &Wanted| Wanted { categories: all, profile: 0, ..*wanted };
        let first: BTreeSet<Wanted> = wards.map(plain).collect();
        for turn in [first, wanted.iter().copied().collect()] {
            let missing: Vec<Wanted> =
                turn.into_iter().filter(|wanted| !self.learned.contains_key(wanted)).collect();
            let learned: Vec<Option<Nightly>> = missing
                .par_iter()
                .map(|wanted| {
                    let Wanted { kind, categories, last, longest, profile } = *wanted;
                    let events = self.multipliers(kind, &self.profiles[profile]);
                    let around = Surroundings {
                        completeness: &self.completeness,
                        weekdays: &self.weekdays,
                        events: &events,
                    };
                    let together = self.learned.get(&plain(wanted));
                    let together = together.filter(|_| kind == AreaKind::Ward);
                    let alike = together.and_then(Option::as_ref).map(Nightly::relative);
                    Nightly::learn(&self.ledger, around, kind, categories, (last, longest), alike.as_deref())
                })
                .collect();
            self.learned.extend(missing.into_iter().zip(learned));
        }
    }

    /// Judges every area of a kind over a window by a reference method; without those for which it has no model.
    pub(super) fn judge_by(
        &self,
        method: Method,
        kind: AreaKind,
        categories: CategorySet,
        window: Window,
    ) -> Vec<Judged> {
        let counts = self.ledger.by_ward(categories);
        let end = (window.last - self.ledger.first()).num_days() + 1;
        let end = usize::try_from(end).unwrap_or(0).min(self.ledger.length());
        let judge = |area: AreaRef| {
            let mut days = vec![0; end];
            for ward in self.ledger.members(&area) {
                days.iter_mut().zip(&counts[ward]).for_each(|(sum, count)| *sum += count);
            }
            let usual = usual_by(method, &days, window.days() as usize)?;
            let seen = days.iter().rev().take(window.days() as usize).map(|count| u64::from(*count)).sum();
            Some((judgement(area, categories, window, seen, usual), usual))
        };
        self.ledger.areas(kind).into_iter().filter_map(judge).collect()
    }

    /// Judges the latest calendar month that was over by `last` and of which anything is known; empty without enough earlier months.
    pub(super) fn judge_month(
        &self,
        kind: AreaKind,
        categories: CategorySet,
        last: NaiveDate,
    ) -> Vec<Judged> {
        let (months, _) = self.ledger.months_by_ward(self.categories.all());
        let whole = |month: &&NaiveDate| {
            month.checked_add_months(Months::new(1)).is_some_and(|next| next <= last + Days::new(1))
        };
        let latest = months.iter().rev().find(whole);
        let baseline = latest.and_then(|month| MonthBaseline::learn(&self.ledger, kind, categories, *month));
        baseline.map(|baseline| baseline.judge(&self.ledger)).unwrap_or_default()
    }

    /// The cases of an area, categories and window, oldest first.
    pub(super) fn members(
        &self,
        area: &AreaRef,
        categories: CategorySet,
        window: Window,
        by_month: bool,
    ) -> Vec<&'a Case> {
        let wards = self.ledger.wards();
        let all = self.by_ward.get_or_init(|| {
            let mut by_ward: HashMap<&'a str, Vec<&'a Case>> = HashMap::new();
            for &case in &self.cases {
                if let Some(ward) = case.ward.as_deref() {
                    by_ward.entry(ward).or_default().push(case);
                }
            }
            by_ward
        });
        let within = |case: &&'a Case| {
            let day = if by_month { case.month } else { case.day };
            day.is_some_and(|day| window.holds(day)) && case.categories.touches(categories)
        };
        let own = self.ledger.members(area).into_iter().filter_map(|place| all.get(wards[place].as_str()));
        let mut found: Vec<&'a Case> = own.flatten().copied().filter(within).collect();
        found.sort_by_key(|case| (case.day, case.id));
        found
    }

    /// Codes of the categories that cases carry, of those a rule looks at.
    pub(super) fn seen(&self, cases: &[&Case], wanted: CategorySet) -> Vec<String> {
        let carried = cases.iter().fold(CategorySet::EMPTY, |all, case| all.with(case.categories));
        self.names(carried, wanted)
    }

    pub(super) fn names(&self, carried: CategorySet, wanted: CategorySet) -> Vec<String> {
        let both = CategorySet::from_bits(carried.bits() & wanted.bits());
        self.categories.names(both).map(str::to_owned).collect()
    }
}
