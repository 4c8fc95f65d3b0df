//! One place, or one person, again and again: slow repeats that no spike of a ward would show.

use super::{Strengths, clusters::wards};
use crate::{
    count::Case,
    detect::Expectation,
    model::{CategorySet, RepeatPlace, Window},
};
use chrono::{Days, NaiveDate, TimeDelta};
use std::collections::BTreeMap;

/// What makes a repeat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Again {
    /// The window looked at.
    pub window: Window,
    /// So many in it.
    pub at_least: usize,
}

/// Incidents so near to the first of a place are at that place, in metres: an address, or a published snap point.
const SAME_PLACE: f64 = 25.0;

/// A repeat is told while its last incident is at most this many days old.
const STILL_GOING: u64 = 28;

/// Before a place has a past of its own, incidents there are drawn towards this many a year, as if half a year had shown it.
const USUAL_A_YEAR: f64 = 0.4;
const PRIOR_YEARS: f64 = 0.5;

/// A place is judged against so many days before the window, no more: with ever longer pasts the same repeat would look
/// ever stronger, and past strengths could not be compared with those of now.
const PAST_DAYS: i64 = 730;

/// Places that are hit again and again. Cases without a point or a day are left out; the caller leaves out those that are
/// placed too roughly.
///
/// A place is judged against its own time before the window, so that a busy corner or a records system's default point is
/// not found for what it always was. How often one so strong comes up is told by the county's own past.
#[must_use]
pub fn repeat_places(cases: &[&Case], categories: CategorySet, again: Again) -> Vec<RepeatPlace> {
    let chosen = chosen(cases, categories, again);
    // The first incident of a place stands for it; a net of squares finds the places near by.
    let mut places: Vec<Vec<&Case>> = Vec::new();
    let mut net: BTreeMap<(i32, i32), Vec<usize>> = BTreeMap::new();
    for case in chosen {
        let Some((east, north)) = case.point else { continue };
        let square = (east.div_euclid(50), north.div_euclid(50));
        let around = (-1..=1).flat_map(|e| (-1..=1).map(move |n| (square.0 + e, square.1 + n)));
        let nearest = around
            .filter_map(|square| net.get(&square))
            .flatten()
            .filter_map(|&place| {
                let (e, n) = places[place][0].point?;
                let apart = f64::from(e - east).hypot(f64::from(n - north));
                (apart <= SAME_PLACE).then_some((apart, place))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        if let Some((_, place)) = nearest {
            places[place].push(case);
        } else {
            net.entry(square).or_default().push(places.len());
            places.push(vec![case]);
        }
    }
    found(&places, again)
}

/// People who are hit again and again, by the supplier's opaque key.
#[must_use]
pub fn repeat_people(cases: &[&Case], categories: CategorySet, again: Again) -> Vec<RepeatPlace> {
    let mut people: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in chosen(cases, categories, again) {
        if let Some(key) = &case.repeat_key {
            people.entry(key).or_default().push(case);
        }
    }
    found(&people.into_values().collect::<Vec<_>>(), again)
}

fn chosen<'a>(cases: &[&'a Case], categories: CategorySet, again: Again) -> Vec<&'a Case> {
    let mut chosen: Vec<&Case> = cases
        .iter()
        .copied()
        .filter(|case| {
            case.categories.touches(categories) && case.day.is_some_and(|day| day <= again.window.last)
        })
        .collect();
    chosen.sort_by_key(|case| (case.day, case.id));
    chosen
}

fn found(groups: &[Vec<&Case>], again: Again) -> Vec<RepeatPlace> {
    let days = |group: &[&Case]| group.iter().filter_map(|case| case.day).collect::<Vec<_>>();
    let Some(first) = groups.iter().filter_map(|group| group[0].day).min() else { return Vec::new() };
    let length = again.window.days();
    let history = Window { first, last: again.window.last };
    // Strengths of the past count from the day on which places had a whole past, if that leaves a year of them.
    let whole = first + Days::new(PAST_DAYS as u64 + u64::from(length));
    let comparable = if whole + Days::new(365) <= history.last { whole } else { first };
    // At every incident of the past: how strong was the repeat then? Each place counts once a window, at its strongest.
    let mut past = Vec::new();
    let mut now = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let days = days(group);
        let mut strongest: Option<(NaiveDate, f64)> = None;
        for (place, &day) in days.iter().enumerate().filter(|(_, day)| **day >= comparable) {
            let (count, expected, strength) = strength(&days[..=place], Window::ending(day, length), first);
            if count >= again.at_least
                && strongest.is_none_or(|(since, best)| {
                    strength > best || (day - since).num_days() > i64::from(length)
                })
            {
                if let Some((since, best)) = strongest
                    && (day - since).num_days() > i64::from(length)
                {
                    past.push((number, best));
                }
                strongest = Some((day, strength));
            }
            let going = day + Days::new(STILL_GOING) >= again.window.last;
            if place + 1 == days.len() && going && count >= again.at_least {
                now.push((number, count, expected, strength));
            }
        }
        past.extend(strongest.map(|(_, best)| (number, best)));
    }
    let compared = Window { first: comparable, last: history.last }.days();
    now.into_iter()
        .map(|(number, count, expected, strength)| {
            let others = past.iter().filter(|(other, _)| *other != number).map(|(_, strength)| *strength);
            let strengths = Strengths::new(others.collect(), f64::from(compared));
            let group = &groups[number];
            let members = &group[group.len() - count..];
            RepeatPlace {
                members: members.iter().map(|case| case.id).collect(),
                name: group[0].id,
                ward: wards(members).into_iter().next().unwrap_or_default(),
                categories: members.iter().fold(CategorySet::EMPTY, |all, case| all.with(case.categories)),
                window: again.window,
                expected,
                recurrence: strengths.recurrence(strength),
            }
        })
        .collect()
}

/// How many in the window, how many are usual there by the time before it, and how strong that is.
fn strength(days: &[NaiveDate], window: Window, first: NaiveDate) -> (usize, f64, f64) {
    let count = days.iter().filter(|day| window.holds(**day)).count();
    let from = first.max(window.first - TimeDelta::days(PAST_DAYS));
    let before = days.iter().filter(|day| (from..window.first).contains(*day)).count() as f64;
    let years = (window.first - from).num_days().max(0) as f64 / 365.25;
    let shape = before + USUAL_A_YEAR * PRIOR_YEARS;
    let expected = shape / (years + PRIOR_YEARS) * f64::from(window.days()) / 365.25;
    let usual = Expectation::new(expected, shape);
    let strength = usual.map_or(f64::NAN, |usual| -usual.upper_tail(count as u64).max(1e-300).ln());
    (count, expected, strength)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Precision;
    use uuid::Uuid;

    fn case(n: u128, at: (i32, i32), day: NaiveDate) -> Case {
        Case {
            source: "police".into(),
            id: Uuid::from_u128(n),
            day: Some(day),
            month: None,
            categories: CategorySet::from_bits(1),
            ward: Some("W".into()),
            point: Some(at),
            precision: Precision::Street,
            known_on: day,
            repeat_key: (at.0 < 100).then(|| "k".into()),
            offence: None,
            channel: None,
        }
    }

    #[test]
    fn one_house_for_a_year_is_found_and_the_station_is_not() {
        let last: NaiveDate = "2026-06-30".parse().unwrap();
        let mut cases: Vec<Case> =
            (0..14).map(|n| case(n, (10, (n % 3) as i32), last - Days::new(26 * n as u64))).collect();
        // The station has had two a month for five years, and pairs happen.
        cases.extend((0..120).map(|n| case(1_000 + n, (5_000, 0), last - Days::new(15 * n as u64))));
        cases.extend((0..400_i32).flat_map(|n| {
            let day = last - Days::new(5 + 4 * n as u64);
            (0..=n % 4).map(move |k| case(10_000 + 10 * n as u128 + k as u128, (10_000 + 100 * n, 0), day))
        }));
        let all: Vec<&Case> = cases.iter().collect();
        let again = Again { window: Window::ending(last, 365), at_least: 4 };
        let mut found = repeat_places(&all, CategorySet::from_bits(1), again);
        found.sort_by(|a, b| b.recurrence.days().total_cmp(&a.recurrence.days()));
        assert_eq!(found[0].members.len(), 14);
        assert_eq!(found[0].name, Uuid::from_u128(13), "named by its oldest incident");
        assert!(found[0].recurrence.days() > 365.0);
        assert!(found[1..].iter().all(|other| other.recurrence.days() < 365.0), "{found:#?}");
        assert_eq!(repeat_people(&all, CategorySet::from_bits(1), again).len(), 1);
    }
}
