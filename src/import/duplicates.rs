//! Two sources that tell of one event: it is counted once.

use crate::model::{Incident, Precision};
use chrono::TimeDelta;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Reports farther apart than this are two events.
const NEAR_METRES: f64 = 300.0;

/// Reports farther apart than this are two events.
pub const NEAR_DAYS: i64 = 2;

/// Two reports that are probably one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SameEvent {
    /// The report that became known first: it is counted.
    pub kept: Uuid,
    /// The other.
    pub also: Uuid,
    /// Why they are taken as one.
    pub reason: String,
}

/// Finds reports of different sources that are probably one event: at most 300 m and 2 days apart, the same categories,
/// no two offences that differ, both placed to the street or better. `new` is compared with itself and with `known`;
/// of several versions of an incident the last stands for it. The nearest pairs are taken first, and no report twice,
/// so that three reports of two events do not become one.
#[must_use]
pub fn same_event(known: &[Incident], new: &[Incident]) -> Vec<SameEvent> {
    let fresh: HashSet<Uuid> = new.iter().map(|incident| incident.id).collect();
    let mut latest: HashMap<Uuid, &Incident> = HashMap::new();
    for incident in known.iter().chain(new) {
        let slot = latest.entry(incident.id).or_insert(incident);
        if incident.known_at >= slot.known_at {
            *slot = incident;
        }
    }
    let mut placed: Vec<&Incident> = latest
        .into_values()
        .filter(|incident| {
            incident.counts() && incident.place.is_some() && incident.precision <= Precision::Street
        })
        .collect();
    placed.sort_by_key(|incident| (incident.occurred_from, incident.id));
    if placed.windows(2).all(|pair| pair[0].source == pair[1].source) {
        return Vec::new();
    }
    let mut pairs = Vec::new();
    for (place, first) in placed.iter().enumerate() {
        let until = first.occurred_from + TimeDelta::days(NEAR_DAYS);
        for second in placed[place + 1..].iter().take_while(|second| second.occurred_from <= until) {
            if (fresh.contains(&first.id) || fresh.contains(&second.id))
                && let Some(metres) = alike(first, second)
            {
                pairs.push((metres, *first, *second));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| (a.1.id, a.2.id).cmp(&(b.1.id, b.2.id))));
    let mut taken = HashSet::new();
    let mut found = Vec::new();
    for (metres, a, b) in pairs {
        if taken.contains(&a.id) || taken.contains(&b.id) {
            continue;
        }
        taken.extend([a.id, b.id]);
        let (kept, also) = if (a.known_at, a.id) <= (b.known_at, b.id) { (a, b) } else { (b, a) };
        let days = (a.occurred_from - b.occurred_from).num_days().abs();
        found.push(SameEvent {
            kept: kept.id,
            also: also.id,
            reason: format!(
                "{metres:.0} m and {days} days apart, told by {} and {}",
                kept.source, also.source
            ),
        });
    }
    found
}

/// Metres between two reports that can be one event.
fn alike(a: &Incident, b: &Incident) -> Option<f64> {
    let offences_differ = a.offence.is_some() && b.offence.is_some() && a.offence != b.offence;
    if a.source == b.source || a.categories != b.categories || offences_differ {
        return None;
    }
    let (a, b) = (a.place?, b.place?);
    let metres = (a.easting - b.easting).hypot(a.northing - b.northing);
    (metres <= NEAR_METRES).then_some(metres)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CategorySet, Place, Status};

    fn report(n: u128, source: &str, easting: f64, day: u32) -> Incident {
        let at = format!("2026-06-{day:02}T12:00:00Z").parse().unwrap();
        Incident {
            id: Uuid::from_u128(n),
            source: source.into(),
            reference: n.to_string(),
            known_at: at,
            class: "crime".into(),
            status: Status::Confirmed,
            categories: CategorySet::from_bits(1),
            occurred_from: at,
            occurred_to: at,
            recorded_at: None,
            place: Some(Place { lon: 0.0, lat: 0.0, easting, northing: 0.0 }),
            precision: Precision::Street,
            ward: None,
            channel: None,
            offence: None,
            repeat_key: None,
        }
    }

    #[test]
    fn the_police_and_the_council_tell_of_one_event() {
        let known = [report(1, "police", 0.0, 3), report(2, "police", 250.0, 3)];
        let council = report(3, "council", 200.0, 4);
        let found = same_event(&known, std::slice::from_ref(&council));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].kept, found[0].also),
            (known[1].id, council.id),
            "the nearest, and the first known is kept"
        );
        assert_eq!(found[0].reason, "50 m and 1 days apart, told by police and council");
    }

    #[test]
    fn what_differs_is_two_events() {
        let known = [report(1, "police", 0.0, 3)];
        let mut other = report(3, "council", 10.0, 3);
        other.categories = CategorySet::from_bits(2);
        let far = report(4, "council", 320.0, 3);
        let late = report(5, "council", 10.0, 6);
        let same_source = report(6, "police", 10.0, 3);
        assert_eq!(same_event(&known, &[other, far, late, same_source]), []);
        assert_eq!(same_event(&[known[0].clone(), report(7, "council", 0.0, 3)], &[]), [], "nothing is new");
    }
}
