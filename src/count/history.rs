//! Every version of every incident, read once, to be asked what many past nights knew.

use super::{Archive, Case, archive::is_second};
use crate::model::Window;
use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// From when to when a report was taken as a second one of another's event.
pub type Linked = (DateTime<Utc>, Option<DateTime<Utc>>);

/// What every night of the past knew.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// In the order in which a night has its cases: by the begin of the incident, then by its key.
    versions: Vec<Version>,
}

/// A version that counts, while it was in force.
#[derive(Debug, Clone)]
struct Version {
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    linked: Vec<Linked>,
    /// Local time.
    first_known: NaiveDateTime,
    case: Case,
}

impl Version {
    fn in_force(&self, instant: DateTime<Utc>) -> bool {
        self.from < instant
            && self.until.is_none_or(|until| until >= instant)
            && !is_second(&self.linked, instant)
    }
}

impl History {
    /// From everything that was ever known.
    #[must_use]
    pub fn of(archive: &Archive, zone: Tz) -> Self {
        let mut found: Vec<(DateTime<Utc>, Version)> = Vec::new();
        for versions in archive.incidents() {
            let Some(first) = versions.first().map(|first| first.seen) else { continue };
            let linked = archive.links_of(first.id());
            for (place, version) in versions.iter().enumerate().filter(|(_, version)| !version.withdrawn) {
                let own = Version {
                    from: version.seen.known_at(),
                    until: versions.get(place + 1).map(|next| next.seen.known_at()),
                    linked: linked.to_vec(),
                    first_known: first.known_at().with_timezone(&zone).naive_local(),
                    case: version.seen.case(zone, NaiveTime::MIN),
                };
                found.push((version.seen.occurred().0, own));
            }
        }
        found.sort_by_key(|(begin, version)| (*begin, version.case.id));
        Self { versions: found.into_iter().map(|(_, version)| version).collect() }
    }

    /// For nights that look at the local time `tick`.
    #[must_use]
    pub fn at(&self, tick: NaiveTime) -> HistoryAt<'_> {
        let case = |version: &Version| {
            let later = i64::from(version.first_known.time() >= tick);
            Case { known_on: version.first_known.date() + TimeDelta::days(later), ..version.case.clone() }
        };
        HistoryAt { history: self, cases: self.versions.iter().map(case).collect() }
    }

    /// The cases of a window, as known just before an instant. The morning on which each could first be seen is left open.
    pub fn in_window(&self, instant: DateTime<Utc>, window: Window) -> impl Iterator<Item = &Case> {
        let own = self.versions.iter().filter(move |version| {
            version.case.day.is_some_and(|day| window.holds(day)) && version.in_force(instant)
        });
        own.map(|version| &version.case)
    }

    /// When the first and the last version became known; none without any.
    #[must_use]
    pub fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let known = || self.versions.iter().map(|version| version.from);
        known().min().zip(known().max())
    }
}

/// What every night of the past knew that looks at one local time.
#[derive(Debug, Clone)]
pub struct HistoryAt<'h> {
    history: &'h History,
    /// Of each version.
    cases: Vec<Case>,
}

impl HistoryAt<'_> {
    /// The cases of a night: what was known just before an instant.
    pub fn cases(&self, instant: DateTime<Utc>) -> impl Iterator<Item = &Case> {
        let all = self.history.versions.iter().zip(&self.cases);
        all.filter(move |(version, _)| version.in_force(instant)).map(|(_, case)| case)
    }
}
