//! What a message is made from: the alert, and what its reader needs beside it.

use super::Picture;
use crate::{
    alerts::NoticeKind,
    count::SeenIncident,
    model::{Alert, Geography, Pack, Told},
    picture::History,
    rules::TellAgain,
};
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything one message needs. Nothing here names a street, a person or an incident.
#[derive(Debug, Clone)]
pub struct MailContext<'a> {
    /// The alert, as it now stands.
    pub alert: &'a Alert,
    /// Why the reader is told.
    pub kind: &'a NoticeKind,
    /// Where and which categories when it was first told, as [`super::about`] wrote it then: subjects keep it.
    pub about: Option<&'a str>,
    /// What was told before, for updates.
    pub before: Option<&'a Told>,
    /// The county.
    pub pack: &'a Pack,
    /// Names of areas, and which partnership a ward belongs to.
    pub geography: &'a Geography,
    /// What can be told of the incidents behind the alert.
    pub figures: Figures,
    /// The counts before, for the chart; no chart without them.
    pub history: Option<History>,
    /// The map of the wards concerned; no map without it.
    pub map: Option<&'a Picture>,
    /// Up to when reports were known.
    pub data_as_at: DateTime<Utc>,
    /// How much the latest reports usually still grow; none where that is not known.
    pub late: Option<LateReports>,
    /// Known events, campaigns and changes of recording in the window: one sentence each, without a full stop.
    pub calendar: &'a [String],
    /// What the rule asks for, in plain words and without a full stop; empty where there are none.
    pub rule_in_words: &'a str,
    /// The reader's role, as [`crate::alerts::Recipient::label`] writes it.
    pub reader: &'a str,
    /// The roles of the other recipients.
    pub others: &'a [String],
    /// What is asked of the reader.
    pub asked: Asked<'a>,
    /// What makes the reader hear again.
    pub tell_again: TellAgain,
    /// The roles of those who have not acknowledged it, where that is the news.
    pub waiting: &'a [String],
    /// The link by which this reader answers.
    pub answer: &'a str,
    /// What links begin with, without a slash at the end, for example `https://watch.county.invalid`.
    pub site: &'a str,
    /// The protective marking, top and bottom and in the subject, for example `OFFICIAL-SENSITIVE`; empty for none.
    pub marking: &'a str,
    /// The figures are invented: the message says so.
    pub synthetic: bool,
}

/// What the messages of one notice are made from, whoever reads them: kept, so that a reminder or a preview says what was
/// known then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The alert, as it stood.
    pub alert: Alert,
    /// Why it was told.
    pub kind: NoticeKind,
    /// Where and which categories when it was first told.
    pub about: String,
    /// What was told before.
    pub before: Option<Told>,
    /// What can be told of the incidents behind it.
    pub figures: Figures,
    /// The counts before, for the chart.
    pub history: Option<History>,
    /// Up to when reports were known.
    pub data_as_at: DateTime<Utc>,
    /// How much the latest reports usually still grow.
    pub late: Option<LateReports>,
    /// Known events and campaigns.
    pub calendar: Vec<String>,
    /// What the rule asks for.
    pub rule_in_words: String,
    /// What makes readers hear again.
    pub tell_again: TellAgain,
}

/// What the reader is asked to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Until when the alert should be acknowledged; none for no fixed time.
    pub by: Option<DateTime<Utc>>,
    /// Who is told otherwise, as a role; told to the reader.
    pub then: Option<&'a str>,
}

/// How much reports usually still grow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LateReports {
    /// The latest so many days.
    pub days: u32,
    /// By so many per cent; not above zero means no sentence.
    pub percent: f64,
}

/// What may be told of the incidents behind an alert: proportions in words, never a figure under five.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// How many incidents these figures are of; 0 when nothing is known.
    pub incidents: u64,
    /// How many carry each category, by code.
    pub mentions: BTreeMap<String, u64>,
    /// How many are recorded as crimes.
    pub crimes: u64,
    /// How many happened in each local hour, where the hour is known.
    pub hours: [u64; 24],
    /// The greatest distance between two of them, in metres, where all places are known.
    pub across_metres: Option<f64>,
}

impl Figures {
    /// Incidents whose time is vaguer than this have no hour.
    const VAGUEST_HOUR: TimeDelta = TimeDelta::hours(3);

    /// From the incidents of the alert, as known on the night. Midnight and noon sharp are what systems write when they
    /// don't know the hour, so they count as unknown.
    #[must_use]
    pub fn of(incidents: &[SeenIncident<'_>], pack: &Pack) -> Self {
        let mut figures = Self { incidents: incidents.len() as u64, ..Self::default() };
        for incident in incidents {
            for code in pack.categories.names(incident.categories()) {
                *figures.mentions.entry(code.to_owned()).or_default() += 1;
            }
            figures.crimes += u64::from(incident.class() == "crime");
            let (from, to) = incident.occurred();
            let local = from.with_timezone(&pack.zone).time();
            let sharp = local.num_seconds_from_midnight().is_multiple_of(12 * 3600);
            if !sharp && to - from <= Self::VAGUEST_HOUR {
                figures.hours[local.hour() as usize] += 1;
            }
        }
        figures.across_metres = across(incidents);
        figures
    }
}

fn across(incidents: &[SeenIncident<'_>]) -> Option<f64> {
    let places: Option<Vec<(f64, f64)>> = incidents.iter().map(SeenIncident::metres).collect();
    let places = places.filter(|places| places.len() > 1)?;
    let mut widest = 0.0_f64;
    for (n, one) in places.iter().enumerate() {
        for other in &places[n + 1..] {
            widest = widest.max((one.0 - other.0).hypot(one.1 - other.1));
        }
    }
    widest.is_finite().then_some(widest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        count::Archive,
        mail::sample::Sample,
        model::{Incident, Place, Precision, Status},
    };
    use std::{collections::HashMap, sync::Arc};
    use uuid::Uuid;

    fn incident(
        pack: &Pack,
        codes: &[&str],
        class: &str,
        from: &str,
        minutes: i64,
        easting: f64,
    ) -> Incident {
        let occurred_from: DateTime<Utc> = from.parse().unwrap();
        let sets = codes.iter().filter_map(|code| pack.categories.find(code));
        Incident {
            id: Uuid::nil(),
            source: "police".into(),
            reference: "1".into(),
            known_at: occurred_from,
            class: class.into(),
            status: Status::Confirmed,
            categories: sets.fold(crate::model::CategorySet::EMPTY, crate::model::CategorySet::with),
            occurred_from,
            occurred_to: occurred_from + TimeDelta::minutes(minutes),
            recorded_at: None,
            place: Some(Place { lon: -1.1, lat: 52.6, easting, northing: 305_000.0 }),
            precision: Precision::Exact,
            ward: None,
            channel: None,
            offence: None,
            repeat_key: None,
        }
    }

    fn of(incidents: &[Incident], pack: &Pack) -> Figures {
        let apart =
            incidents.iter().zip(1..).map(|(one, id)| Incident { id: Uuid::from_u128(id), ..one.clone() });
        let archive = Arc::new(Archive::of(apart, HashMap::new()));
        let seen = archive.as_known(DateTime::<Utc>::MAX_UTC);
        Figures::of(&seen.iter().collect::<Vec<_>>(), pack)
    }

    #[test]
    fn figures_count_mentions_crimes_local_hours_and_the_widest_distance() {
        let pack = Sample::new().pack;
        let mut incidents = [
            incident(&pack, &["race", "religion"], "crime", "2026-06-23T14:20:00Z", 0, 460_000.0),
            incident(&pack, &["race"], "incident", "2026-06-24T14:50:00Z", 60, 460_300.0),
            // Midnight sharp by local time, and a whole night: hours that nobody knows.
            incident(&pack, &["race"], "crime", "2026-06-24T23:00:00Z", 0, 460_100.0),
            incident(&pack, &["race"], "crime", "2026-06-25T20:30:00Z", 600, 460_100.0),
        ];
        let figures = of(&incidents, &pack);
        assert_eq!((figures.incidents, figures.crimes), (4, 3));
        assert_eq!(figures.mentions, [("race".to_owned(), 4), ("religion".to_owned(), 1)].into());
        assert_eq!((figures.hours[15], figures.hours.iter().sum::<u64>()), (2, 2));
        assert_eq!(figures.across_metres, Some(300.0));

        incidents[0].place = None;
        assert_eq!(of(&incidents, &pack).across_metres, None);
        assert_eq!(Figures::of(&[], &pack), Figures::default());
    }
}
