//! Five years of a county.

use super::{
    Episode, EpisodeKind,
    draw::{Chance, days, gamma, happens, near, poisson, weighted},
    episodes::{MIX, episodes},
    record::{Event, HEADER, rows},
};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use rand::{RngExt, SeedableRng};
use std::{collections::BTreeSet, fmt::Write};

/// A ward as the county is made from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ward {
    /// Its code.
    pub code: String,
    /// The code of its district.
    pub district: String,
    /// The share of the county's incidents that its district has.
    pub district_share: f64,
    /// Residents.
    pub population: f64,
    /// More than 1 in town centres, less in the country.
    pub factor: f64,
    /// Metres on the grid.
    pub centre: (f64, f64),
}

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The same seed makes the same county.
    pub seed: u64,
    /// The first day.
    pub first: NaiveDate,
    /// The last day on which something can happen.
    pub last: NaiveDate,
    /// Nothing that becomes known later is written.
    pub known_until: DateTime<Utc>,
    /// A county without episodes: ordinary noise, near repeats, delays and faults only.
    pub null: bool,
}

/// The files of a county, and the truth about it.
#[derive(Debug, Clone, PartialEq)]
pub struct County {
    /// What the police hand over, in our own format.
    pub police: String,
    /// What councils and other bodies hand over, in our own format.
    pub council: String,
    /// What was planted.
    pub truth: Vec<Episode>,
}

/// Crimes a year.
const CRIMES_A_YEAR: f64 = 2_500.0;
/// Incidents that are no crimes, for every crime: before and from April 2026, when recording rules changed.
const NON_CRIMES: (f64, f64) = (0.20, 0.05);
/// January to December.
const MONTHS: [f64; 12] = [0.90, 0.90, 0.97, 0.98, 1.05, 1.08, 1.10, 1.08, 1.04, 1.04, 0.97, 0.89];
/// Monday to Sunday, of the week.
const WEEKDAYS: [f64; 7] = [0.130, 0.134, 0.136, 0.140, 0.152, 0.165, 0.143];
/// A ward's month varies around its mean by a gamma factor of this shape: the counts are negative binomial.
const SHAPE_OF_A_MONTH: f64 = 8.0;
/// Wards of a district vary by a gamma factor of this shape.
const SHAPE_OF_WARDS: f64 = 2.5;
/// So many incidents are followed by another within 200 m, after 14 days in the mean.
const NEAR_REPEATS: f64 = 0.15;
/// Streets in a ward on which incidents are placed.
const STREETS: usize = 60;
/// Reports that reach the police first.
const BY_POLICE: f64 = 0.82;
/// Events that two bodies record.
const TOLD_TWICE: f64 = 0.02;

/// A ward while its days are drawn.
struct Place<'a> {
    ward: &'a Ward,
    a_year: f64,
    streets: Vec<((f64, f64), f64)>,
}

/// Makes a county. Wards in the same order and the same options give the same bytes.
#[must_use]
pub fn county(wards: &[Ward], options: &Options) -> County {
    let mut chance = Chance::seed_from_u64(options.seed);
    let mut truth = episodes(wards, options);
    let places = places(wards, &mut chance);
    let mut events = Vec::new();
    for place in &places {
        ordinary(place, options, &mut truth, &mut chance, &mut events);
    }
    for episode in &mut truth {
        at_one_place(episode, &mut chance, &mut events);
    }
    write(events, truth, options, &mut chance)
}

/// Each ward's yearly mean and its streets.
fn places<'a>(wards: &'a [Ward], chance: &mut Chance) -> Vec<Place<'a>> {
    let weights: Vec<f64> = wards
        .iter()
        .map(|ward| ward.population * ward.factor * gamma(chance, SHAPE_OF_WARDS).max(0.15))
        .collect();
    wards
        .iter()
        .zip(&weights)
        .map(|(ward, weight)| {
            let of_district = |(other, _): &(&Ward, &f64)| other.district == ward.district;
            let district: f64 =
                wards.iter().zip(&weights).filter(of_district).map(|(_, weight)| weight).sum();
            let reach = nearest(ward, wards) * 0.45;
            let streets = (1..=STREETS)
                .map(|rank| {
                    let (east, north) = near(chance, ward.centre, reach);
                    ((east.round(), north.round()), 1.0 / (rank as f64).sqrt())
                })
                .collect();
            Place { ward, a_year: CRIMES_A_YEAR * ward.district_share * weight / district, streets }
        })
        .collect()
}

fn nearest(ward: &Ward, wards: &[Ward]) -> f64 {
    let apart = |other: &Ward| (other.centre.0 - ward.centre.0).hypot(other.centre.1 - ward.centre.1);
    wards.iter().filter(|other| other.code != ward.code).map(apart).fold(4_000.0, f64::min)
}

/// The days of a ward: what is usual, and what episodes add to it.
fn ordinary(
    place: &Place<'_>,
    options: &Options,
    truth: &mut [Episode],
    chance: &mut Chance,
    events: &mut Vec<Event>,
) {
    let mut month = 0;
    let mut mood = 1.0;
    let class_change = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap_or_default();
    for day in options.first.iter_days().take_while(|day| *day <= options.last) {
        if day.month() != month {
            month = day.month();
            mood = gamma(chance, SHAPE_OF_A_MONTH);
        }
        let non_crimes = if day >= class_change && !options.null { NON_CRIMES.1 } else { NON_CRIMES.0 };
        let usual = place.a_year / 365.25
            * (1.0 + non_crimes)
            * MONTHS[day.month0() as usize]
            * WEEKDAYS[day.weekday().num_days_from_monday() as usize]
            * 7.0
            * mood;
        let crime = 1.0 / (1.0 + non_crimes);
        for _ in 0..poisson(chance, usual / (1.0 + NEAR_REPEATS)) {
            let street = place.streets[weighted_street(place, chance)].0;
            let mut event = event(day, near(chance, street, 15.0), &MIX, crime, chance);
            events.push(event.clone());
            // Each may be followed by another near by, which may be followed by a third.
            while happens(chance, NEAR_REPEATS / (1.0 + NEAR_REPEATS)) {
                event.day = event.day + Days::new(days(chance, 14.0) as u64);
                event.at = near(chance, event.at, 200.0);
                if event.day <= options.last {
                    events.push(event.clone());
                }
            }
        }
        for episode in truth.iter_mut().filter(|episode| episode.wards.contains(&place.ward.code)) {
            let share: f64 =
                if episode.strands.len() == 1 && episode.strands[0].0 == "religion" { 0.06 } else { 1.0 };
            let more = episode.factor(day) - 1.0;
            for _ in 0..poisson(chance, usual * more.max(0.0) * share) {
                let street = place.streets[weighted_street(place, chance)].0;
                let mut event = event(day, near(chance, street, 15.0), &episode.strands, crime, chance);
                event.planted = episode.kind.is_tension();
                event.by_police &= episode.kind != EpisodeKind::Campaign || happens(chance, 0.5);
                event.reference = format!("{}-{}", episode.id, episode.planted.len() + 1);
                episode.planted.push(event.reference.clone());
                events.push(event);
            }
        }
    }
}

fn weighted_street(place: &Place<'_>, chance: &mut Chance) -> usize {
    let weights: Vec<f64> = place.streets.iter().map(|street| street.1).collect();
    weighted(chance, &weights)
}

fn event(
    day: NaiveDate,
    at: (f64, f64),
    strands: &[(&'static str, f64)],
    crime: f64,
    chance: &mut Chance,
) -> Event {
    let weights: Vec<f64> = strands.iter().map(|strand| strand.1).collect();
    Event {
        reference: String::new(),
        day,
        at,
        categories: strands[weighted(chance, &weights)].0,
        class: if happens(chance, crime) { "crime" } else { "incident" },
        by_police: happens(chance, BY_POLICE),
        planted: false,
    }
}

/// Episodes at one place: so many incidents over their days, at one address or along one street.
fn at_one_place(episode: &mut Episode, chance: &mut Chance, events: &mut Vec<Event>) {
    let Some((place, incidents)) = episode.at_one_place else { return };
    let long = (episode.end() - episode.start()).num_days().max(1) as u64;
    let reach = if episode.kind == EpisodeKind::RepeatPlace { 8.0 } else { 110.0 };
    for n in 0..incidents {
        let slot = long * u64::from(n) / u64::from(incidents);
        let width = (long / u64::from(incidents)).max(1);
        let day = episode.start() + Days::new(slot + chance.random_range(0..width));
        let mut event = event(day, near(chance, place, reach), &episode.strands, 0.5, chance);
        event.by_police = true;
        event.planted = true;
        event.reference = format!("{}-{}", episode.id, n + 1);
        episode.planted.push(event.reference.clone());
        events.push(event);
    }
}

fn write(mut events: Vec<Event>, truth: Vec<Episode>, options: &Options, chance: &mut Chance) -> County {
    events.sort_by(|a, b| a.day.cmp(&b.day).then(a.at.0.total_cmp(&b.at.0)));
    let (mut police, mut council) = (HEADER.to_owned(), HEADER.to_owned());
    let mut told_twice = 0;
    for (number, mut event) in events.into_iter().enumerate() {
        if event.reference.is_empty() {
            event.reference = format!("{}/{:06}", event.day.year() % 100, number + 1);
        }
        let text = rows(&event, chance, options.known_until);
        if event.by_police { &mut police } else { &mut council }.push_str(&text);
        if event.by_police && happens(chance, TOLD_TWICE) {
            told_twice += 1;
            let again = Event {
                reference: format!("C{told_twice:05}"),
                day: event.day + Days::new(chance.random_range(0..2)),
                at: near(chance, event.at, 200.0),
                by_police: false,
                planted: false,
                ..event
            };
            council.push_str(&rows(&again, chance, options.known_until));
        }
    }
    County { police, council, truth }
}

impl County {
    /// The truth as CSV: episode, kind, wards, strands, start, peak, end, planted incidents.
    #[must_use]
    pub fn truth_csv(&self) -> String {
        let mut text = "episode,kind,wards,strands,start,peak,end,planted\n".to_owned();
        for episode in &self.truth {
            let strands: Vec<&str> = episode.strands.iter().map(|strand| strand.0).collect();
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{}",
                episode.id,
                episode.kind.code(),
                episode.wards.join(" "),
                strands.join(" "),
                episode.start(),
                episode.peak,
                episode.end(),
                episode.planted.join(" "),
            );
        }
        text
    }

    /// The planted tensions as a file of labelled episodes, for rules to be tried against; none without any. An episode
    /// in all of the county's wards names none.
    #[must_use]
    pub fn labels(&self, wards: usize) -> Option<String> {
        let mut text = "# What was planted in this invented county, and when everybody knew.\n".to_owned();
        let mut any = false;
        for episode in self.truth.iter().filter(|episode| episode.kind.is_tension()) {
            any = true;
            let quoted = |names: &mut dyn Iterator<Item = &str>| {
                names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
            };
            let strands = episode.strands.iter().flat_map(|strand| strand.0.split(';'));
            let strands: BTreeSet<&str> = strands.collect();
            let _ = writeln!(
                text,
                "\n[[episode]]\nname = \"{}\"\nfrom = {}\npeak = {}\nto = {}",
                episode.id,
                episode.start(),
                episode.peak,
                episode.end(),
            );
            if episode.wards.len() < wards {
                let _ = writeln!(text, "wards = [{}]", quoted(&mut episode.wards.iter().map(String::as_str)));
            }
            let _ = writeln!(text, "categories = [{}]", quoted(&mut strands.into_iter()));
        }
        any.then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::llr;

    fn five_years(null: bool) -> County {
        let day = |text: &str| text.parse().unwrap();
        let options = Options {
            seed: 1,
            first: day("2021-07-01"),
            last: day("2026-06-29"),
            known_until: "2026-06-30T05:00:00Z".parse().unwrap(),
            null,
        };
        county(llr::wards(), &options)
    }

    #[test]
    fn a_quiet_county_has_the_stated_volume_and_mix() {
        let quiet = five_years(true);
        assert!(quiet.truth.is_empty());
        let rows = |text: &str| {
            let mut seen = std::collections::BTreeMap::new();
            for line in text.lines().skip(1) {
                let cells: Vec<String> = line.split(',').map(str::to_owned).collect();
                assert_eq!(cells.len(), 16, "{line}");
                seen.insert(cells[0].clone(), cells);
            }
            seen.into_values().collect::<Vec<_>>()
        };
        let all: Vec<Vec<String>> = rows(&quiet.police).into_iter().chain(rows(&quiet.council)).collect();
        let a_year = all.len() as f64 / 5.0;
        assert!((2_700.0..3_300.0).contains(&a_year), "{a_year} a year");
        let share = |of: &dyn Fn(&Vec<String>) -> bool| {
            all.iter().filter(|cells| of(cells)).count() as f64 / all.len() as f64
        };
        let race = share(&|cells| cells[4].contains("race"));
        assert!((0.74..0.82).contains(&race), "{race} race");
        let placed = share(&|cells| !cells[10].is_empty());
        assert!((0.93..0.97).contains(&placed), "{placed} with a place");
        let crime = share(&|cells| cells[2] == "crime");
        assert!((0.77..0.86).contains(&crime), "{crime} crimes");
    }

    #[test]
    fn the_same_seed_makes_the_same_county_and_the_truth_is_in_it() {
        let one = five_years(false);
        assert_eq!(one, five_years(false));
        let kinds = |kind: EpisodeKind| one.truth.iter().filter(|episode| episode.kind == kind).count();
        assert_eq!((kinds(EpisodeKind::SlowRise), kinds(EpisodeKind::RepeatPlace)), (1, 1));
        assert_eq!((kinds(EpisodeKind::StreetCluster), kinds(EpisodeKind::RecordingStep)), (1, 1));
        assert_eq!(kinds(EpisodeKind::Campaign), 6);
        for episode in &one.truth {
            assert!(episode.start() < episode.end(), "{}", episode.id);
            assert!(!episode.planted.is_empty(), "{}", episode.id);
            let there = |reference: &String| {
                one.police.contains(reference.as_str()) || one.council.contains(reference.as_str())
            };
            assert!(episode.planted.iter().filter(|r| there(r)).count() * 10 >= episode.planted.len() * 7);
        }
    }
}
