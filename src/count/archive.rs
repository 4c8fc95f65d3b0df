//! Every version of every incident, packed: a million of them take about a hundred megabytes.
//!
//! A night, a page and a replay ask the same of it: what was known just before an instant. Only what counting and comparing
//! need is kept; the record itself stays in the store.

use super::{
    Case, Counted, Linked,
    case::{plain, seen_on},
};
use crate::model::{CategorySet, Incident, Precision, Status, day_and_month};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// No word, or no place.
const NONE: u32 = u32::MAX;

/// Places are kept in whole centimetres, on the pack's grid and in degrees: also a UTM zone's ten thousand kilometres fit.
const METRE: f64 = 1e2;
const DEGREE: f64 = 1e7;

/// Instead of east, where there is no place.
const NOWHERE: i32 = i32::MIN;

/// One version, in whole numbers: microseconds since 1970, centimetres, places in the list of words.
#[derive(Debug, Clone, Copy)]
struct Row {
    id: Uuid,
    known_at: i64,
    from: i64,
    /// Seconds from the earliest to the latest it can have happened; begun ones count.
    length: u32,
    /// East and north on the grid. The second pair is the same in degrees: turning one into the other for a map would bring
    /// the whole table of a national grid into memory.
    place: (i32, i32),
    degrees: (i32, i32),
    categories: CategorySet,
    /// Place in the list of kinds.
    kind: u32,
    ward: u32,
    repeat_key: u32,
    precision: Precision,
    withdrawn: bool,
}

/// What many versions have in common, kept once: places in the list of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    source: u32,
    class: u32,
    channel: u32,
    offence: u32,
}

/// Every version of every incident, and which reports were taken as second ones.
#[derive(Debug, Clone, Default)]
pub struct Archive {
    /// By incident, oldest first.
    rows: Vec<Row>,
    words: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
    kinds: Vec<Kind>,
    kind_places: HashMap<Kind, u32>,
    links: HashMap<Uuid, Vec<Linked>>,
}

impl Archive {
    /// From versions in any order, and the times in which an incident was taken as a second report.
    #[must_use]
    pub fn of<I: Borrow<Incident>>(
        incidents: impl IntoIterator<Item = I>,
        links: HashMap<Uuid, Vec<Linked>>,
    ) -> Self {
        let mut archive = Self::default();
        for incident in incidents {
            archive.add(incident.borrow());
        }
        archive.put_in_order(links);
        archive
    }

    /// Room for so many more versions: growing by doubling would take twice as much for a while.
    pub fn reserve(&mut self, versions: usize) {
        self.rows.reserve_exact(versions);
    }

    /// Adds a version. [`Archive::put_in_order`] must follow before anything is asked.
    pub fn add(&mut self, incident: &Incident) {
        // Cut off, not rounded: rounded to metres later, it is what the whole number would have been.
        let packed = |metres: f64| ((metres * METRE).trunc() as i32).max(NOWHERE + 1);
        let place = incident.place.map_or((NOWHERE, 0), |at| (packed(at.easting), packed(at.northing)));
        let whole = |degrees: f64| (degrees * DEGREE).round() as i32;
        let degrees = incident.place.map_or((0, 0), |at| (whole(at.lon), whole(at.lat)));
        let kind = Kind {
            source: self.word(Some(&incident.source)),
            class: self.word(Some(&incident.class)),
            channel: self.word(plain(incident.channel.as_ref()).as_deref()),
            offence: self.word(plain(incident.offence.as_ref()).as_deref()),
        };
        let row = Row {
            id: incident.id,
            known_at: incident.known_at.timestamp_micros(),
            from: incident.occurred_from.timestamp_micros(),
            length: seconds(incident.occurred_to - incident.occurred_from),
            place,
            degrees,
            categories: incident.categories,
            kind: self.kind(kind),
            ward: self.word(incident.ward.as_deref()),
            repeat_key: self.word(incident.repeat_key.as_deref()),
            precision: incident.precision,
            withdrawn: incident.status == Status::Withdrawn,
        };
        self.rows.push(row);
    }

    fn word(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return NONE };
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let (word, place) = (Arc::<str>::from(text), self.words.len() as u32);
        self.words.push(Arc::clone(&word));
        self.places.insert(word, place);
        place
    }

    fn kind(&mut self, kind: Kind) -> u32 {
        *self.kind_places.entry(kind).or_insert_with(|| {
            self.kinds.push(kind);
            self.kinds.len() as u32 - 1
        })
    }

    /// Sorts what was added, and takes these links in place of those before.
    pub fn put_in_order(&mut self, links: HashMap<Uuid, Vec<Linked>>) {
        self.rows.sort_unstable_by_key(|row| (row.id, row.known_at));
        self.links = links;
    }

    /// How many versions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The versions by incident, the oldest first.
    pub(super) fn incidents(&self) -> impl Iterator<Item = Vec<Version<'_>>> {
        let mut begin = 0;
        self.rows.chunk_by(|a, b| a.id == b.id).map(move |rows| {
            let first = begin;
            begin += rows.len();
            let of_one = rows.iter().zip(first..);
            of_one
                .map(|(row, place)| Version { seen: self.seen(place, first), withdrawn: row.withdrawn })
                .collect()
        })
    }

    pub(super) fn links_of(&self, id: Uuid) -> &[Linked] {
        self.links.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    fn seen(&self, row: usize, first: usize) -> SeenIncident<'_> {
        SeenIncident { archive: self, row: &self.rows[row], first_known: self.rows[first].known_at }
    }

    /// Every incident that counts, as it was known just before `instant`: no later version, none that had been taken
    /// back by then, and of two reports of one event only the one that is kept. Oldest first.
    #[must_use]
    pub fn as_known(self: &Arc<Self>, instant: DateTime<Utc>) -> Seen {
        let until = instant.timestamp_micros();
        let mut first = 0;
        let mut seen = Vec::with_capacity(self.rows.len());
        for versions in self.rows.chunk_by(|a, b| a.id == b.id) {
            let known = versions.partition_point(|version| version.known_at < until);
            if let Some(last) = versions[..known].last()
                && !last.withdrawn
                && !is_second(self.links_of(last.id), instant)
            {
                seen.push(((first + known - 1) as u32, first as u32));
            }
            first += versions.len();
        }
        seen.sort_unstable_by_key(|(row, _)| {
            let row = &self.rows[*row as usize];
            (row.from, row.id)
        });
        Seen { archive: Arc::clone(self), rows: Arc::new(seen) }
    }
}

/// Whether by then a report was taken as a second one of an event.
pub(super) fn is_second(links: &[Linked], instant: DateTime<Utc>) -> bool {
    links.iter().any(|(from, to)| *from < instant && to.is_none_or(|to| to >= instant))
}

/// One version, also one by which the report was taken back.
pub(super) struct Version<'a> {
    pub(super) seen: SeenIncident<'a>,
    pub(super) withdrawn: bool,
}

/// What was known just before an instant, oldest first. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    archive: Arc<Archive>,
    /// The version in force and the first one of each.
    rows: Arc<Vec<(u32, u32)>>,
}

impl Seen {
    /// Every incident, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = SeenIncident<'_>> + Clone {
        self.rows.iter().map(|(row, first)| self.archive.seen(*row as usize, *first as usize))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Those among `ids` that are there, in no order.
    #[must_use]
    pub fn of(&self, ids: &[Uuid]) -> Vec<SeenIncident<'_>> {
        let wanted: HashSet<&Uuid> = ids.iter().collect();
        self.iter().filter(|one| wanted.contains(&one.row.id)).collect()
    }
}

/// An incident as known on a date.
#[derive(Debug, Clone, Copy)]
pub struct SeenIncident<'a> {
    archive: &'a Archive,
    row: &'a Row,
    first_known: i64,
}

impl<'a> SeenIncident<'a> {
    fn kind(&self) -> Kind {
        self.archive.kinds[self.row.kind as usize]
    }

    fn text(&self, word: u32) -> Option<&'a str> {
        self.archive.words.get(word as usize).map(|word| &**word)
    }

    fn shared(&self, word: u32) -> Option<Arc<str>> {
        self.archive.words.get(word as usize).cloned()
    }

    /// The incident.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.row.id
    }

    /// Who supplied it.
    #[must_use]
    pub fn source(&self) -> &'a str {
        self.text(self.kind().source).unwrap_or_default()
    }

    /// A code of the pack's class list.
    #[must_use]
    pub fn class(&self) -> &'a str {
        self.text(self.kind().class).unwrap_or_default()
    }

    /// What it carries.
    #[must_use]
    pub fn categories(&self) -> CategorySet {
        self.row.categories
    }

    /// The ward; none for online incidents and those outside.
    #[must_use]
    pub fn ward(&self) -> Option<&'a str> {
        self.text(self.row.ward)
    }

    /// How it was reported, in small letters; none where that is not told.
    #[must_use]
    pub fn channel(&self) -> Option<&'a str> {
        self.text(self.kind().channel).filter(|channel| !channel.is_empty())
    }

    /// Where on the pack's grid, east and north in metres, to a centimetre.
    #[must_use]
    pub fn metres(&self) -> Option<(f64, f64)> {
        let (east, north) = self.row.place;
        (east != NOWHERE).then(|| (f64::from(east) / METRE, f64::from(north) / METRE))
    }

    /// Where in degrees, east and north, to a centimetre.
    #[must_use]
    pub fn degrees(&self) -> Option<(f64, f64)> {
        let (east, north) = self.row.degrees;
        (self.row.place.0 != NOWHERE).then(|| (f64::from(east) / DEGREE, f64::from(north) / DEGREE))
    }

    /// The earliest and the latest it can have happened, the latter to the second.
    #[must_use]
    pub fn occurred(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let from = instant(self.row.from);
        (from, from + TimeDelta::seconds(self.row.length.into()))
    }

    /// When this version became known here.
    #[must_use]
    pub fn known_at(&self) -> DateTime<Utc> {
        instant(self.row.known_at)
    }

    /// When its first version became known here.
    #[must_use]
    pub fn first_known(&self) -> DateTime<Utc> {
        instant(self.first_known)
    }

    /// As [`Incident::day`].
    #[must_use]
    pub fn day(&self, zone: Tz) -> Option<NaiveDate> {
        day_and_month(self.occurred(), zone).0
    }

    /// What analysis needs of it, for nights that look at the local time `tick`.
    #[must_use]
    pub fn case(&self, zone: Tz, tick: NaiveTime) -> Case {
        let (day, month) = day_and_month(self.occurred(), zone);
        Case {
            id: self.row.id,
            source: self.shared(self.kind().source).unwrap_or_else(|| "".into()),
            day,
            month,
            categories: self.row.categories,
            ward: self.shared(self.row.ward),
            point: self.metres().map(|(east, north)| (east.round() as i32, north.round() as i32)),
            precision: self.row.precision,
            known_on: seen_on(self.first_known(), zone, tick),
            repeat_key: self.shared(self.row.repeat_key),
            offence: self.shared(self.kind().offence),
            channel: self.shared(self.kind().channel).filter(|channel| !channel.is_empty()),
        }
    }

    /// What counting needs of it.
    #[must_use]
    pub fn counted(&self, zone: Tz, tick: NaiveTime) -> Counted<'a> {
        let (day, month) = day_and_month(self.occurred(), zone);
        Counted {
            source: self.source(),
            day,
            month,
            categories: self.row.categories,
            ward: self.ward(),
            known_on: seen_on(self.first_known(), zone, tick),
        }
    }
}

/// Whole seconds; begun ones count, so that an end after a midnight stays after it.
fn seconds(length: TimeDelta) -> u32 {
    let begun = i64::from(length.subsec_nanos() > 0);
    u32::try_from(length.num_seconds() + begun)
        .unwrap_or_else(|_| if length < TimeDelta::zero() { 0 } else { u32::MAX })
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Place;
    use proptest::prelude::*;

    const BEGIN: &str = "2026-06-01T00:00:00Z";

    /// When it happened, which it is, when this version and the first one became known.
    type Told = (DateTime<Utc>, Uuid, DateTime<Utc>, DateTime<Utc>);

    fn hours(hours: i64) -> DateTime<Utc> {
        BEGIN.parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
    }

    fn version(id: u128, known: i64, occurred: i64, withdrawn: bool) -> Incident {
        Incident {
            id: Uuid::from_u128(id),
            source: if id.is_multiple_of(2) { "police" } else { "council" }.into(),
            reference: "1".into(),
            known_at: hours(known),
            class: "crime".into(),
            status: if withdrawn { Status::Withdrawn } else { Status::Confirmed },
            categories: CategorySet::from_bits(1 + u32::from(known % 2 == 0)),
            occurred_from: hours(occurred),
            occurred_to: hours(occurred + 2),
            recorded_at: None,
            place: Some(Place {
                lon: -1.133_456_78,
                lat: 52.6,
                easting: 458_000.2 + known as f64 / 1_000.0,
                northing: 304_000.5,
            }),
            precision: Precision::Street,
            ward: (id > 1).then(|| format!("W{id}")),
            channel: Some("999".into()),
            offence: Some(" Violence ".into()),
            repeat_key: None,
        }
    }

    #[test]
    fn a_case_is_the_same_from_the_record_and_from_the_archive() {
        let zone = chrono_tz::Europe::London;
        let tick = NaiveTime::from_hms_opt(4, 30, 0).unwrap();
        let none = Incident { place: None, offence: None, ..version(3, 9, 1, false) };
        let versions = [version(1, 0, -20, false), version(2, 5, -900, false), none];
        let archive = Arc::new(Archive::of(&versions, HashMap::new()));
        let seen = archive.as_known(hours(100));
        assert_eq!((seen.len(), archive.len()), (3, 3));
        for one in seen.iter() {
            let own = versions.iter().find(|version| version.id == one.id()).unwrap();
            let case = Case::of(own, own.known_at, zone, tick);
            assert_eq!(one.case(zone, tick), case);
            assert_eq!(one.counted(zone, tick), Counted::from(&case));
            assert_eq!(one.metres().is_some(), own.place.is_some());
            if let (Some((east, north)), Some(given)) = (one.metres(), own.place) {
                assert!((given.easting - east).abs() <= 0.011, "to a centimetre");
                assert!((given.northing - north).abs() <= 0.011, "to a centimetre");
                let (lon, lat) = one.degrees().unwrap();
                assert!((given.lon - lon).abs() <= 1e-7 && (given.lat - lat).abs() <= 1e-7);
            }
        }
        assert_eq!(seen.of(&[versions[1].id, Uuid::nil()]).len(), 1);
        assert!(size_of::<Row>() <= 72, "a million take more than 72 MB");
    }

    proptest! {
        #[test]
        fn a_place_comes_to_the_same_metre_in_every_projection(
            easting in -10_000_000.0_f64..10_000_000.0,
            northing in prop::sample::select(vec![-0.5_f64, 0.499_9, 9_999_999.995, 4_304_000.5, -4_304_000.496]),
        ) {
            let place = Some(Place { easting, northing, ..version(1, 0, -20, false).place.unwrap() });
            let one = Incident { place, ..version(1, 0, -20, false) };
            let seen = Arc::new(Archive::of([&one], HashMap::new())).as_known(hours(100));
            let case = seen.iter().next().unwrap().case(chrono_tz::Europe::London, NaiveTime::MIN);
            prop_assert_eq!(case.point, Some((easting.round() as i32, northing.round() as i32)));
        }

        #[test]
        fn what_was_known_is_the_last_version_before_the_instant(
            versions in prop::collection::btree_map((0_u128..6, 0_i64..40), (-50_i64..0, any::<bool>()), 0..40),
            linked in prop::collection::btree_map(0_u128..6, (0_i64..40, prop::option::of(0_i64..40)), 0..3),
            asked in 0_i64..50,
        ) {
            let all: Vec<Incident> = versions
                .iter()
                .map(|((id, known), (occurred, withdrawn))| version(*id, *known, *occurred, *withdrawn))
                .collect();
            let links: HashMap<Uuid, Vec<Linked>> = linked
                .iter()
                .map(|(id, (from, to))| (Uuid::from_u128(*id), vec![(hours(*from), to.map(hours))]))
                .collect();
            let mut expected: Vec<Told> = Vec::new();
            for id in (0..6).map(Uuid::from_u128) {
                let own = || all.iter().filter(|version| version.id == id);
                let Some(last) = own().filter(|version| version.known_at < hours(asked)).max_by_key(|one| one.known_at)
                else { continue };
                let second = links.get(&id).is_some_and(|links| links.iter().any(|(from, to)| {
                    *from < hours(asked) && to.is_none_or(|to| to >= hours(asked))
                }));
                if last.counts() && !second {
                    let first = own().map(|one| one.known_at).min().unwrap();
                    expected.push((last.occurred_from, id, last.known_at, first));
                }
            }
            expected.sort();
            // In any order, and in two goes.
            let (some, rest) = all.split_at(all.len() / 2);
            let mut archive = Archive::of(rest, HashMap::new());
            some.iter().rev().for_each(|one| archive.add(one));
            archive.put_in_order(links);
            let seen = Arc::new(archive).as_known(hours(asked));
            let told: Vec<_> =
                seen.iter().map(|one| (one.occurred().0, one.id(), one.known_at(), one.first_known())).collect();
            prop_assert_eq!(told, expected);
        }
    }
}
