//! Incidents in versions, and which of two reports of one event is counted.

use super::{Result, Store, StoreError, Tx, text, value};
use crate::model::{CategorySet, Incident, Place, Status};
use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use std::collections::HashMap;
use uuid::Uuid;

statements! {
    /// Incidents of a time by what was known of them; each once, though it has several versions.
    QUALITY = "SELECT COUNT(DISTINCT CASE WHEN ward IS NULL THEN id END), COUNT(DISTINCT CASE WHEN status = 'reclassified' THEN id END),
            COUNT(DISTINCT CASE WHEN status = 'withdrawn' THEN id END)
        FROM incident WHERE occurred_from >= $1 AND occurred_from < $2 AND known_at < $3";
    REFERENCES = "SELECT DISTINCT id, reference FROM incident";
    AROUND = "SELECT id, known_at, source, reference, class, status, categories, occurred_from, occurred_to,
            recorded_at, lon, lat, easting, northing, precision, ward, channel, offence, repeat_key
        FROM incident
        WHERE id IN (SELECT id FROM incident WHERE occurred_from BETWEEN $1 AND $2 AND source <> $4) AND known_at < $3
        ORDER BY id, known_at";
    ANOTHER_SOURCE = "SELECT source FROM incident WHERE source < $1 OR source > $1 LIMIT 1";
    LAST_KNOWN = "SELECT MAX(known_at) FROM incident WHERE known_at < $1";
    LINK_SAME_EVENT = "INSERT INTO same_event (also, kept, reason, linked_at, undone_at)
        VALUES ($1, $2, $3, $4, NULL) ON CONFLICT DO NOTHING";
    SAME_EVENTS = "SELECT also, kept, reason, linked_at, undone_at FROM same_event ORDER BY linked_at, also";
    UNDO_SAME_EVENT = "UPDATE same_event SET undone_at = $2 WHERE also = $1 AND undone_at IS NULL";
}

/// A version that is stored already: what an import compares with.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownVersion {
    /// The incident.
    pub id: Uuid,
    /// From when it was known.
    pub known_at: DateTime<Utc>,
    /// A hash of what it says.
    pub content: String,
}

/// A version to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVersion<'a> {
    /// What it says.
    pub incident: &'a Incident,
    /// A hash of what it says.
    pub content: String,
}

/// Two reports that are probably one event.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LinkedEvent {
    /// The report that is not counted while the link stands.
    pub also: Uuid,
    /// The report that is counted.
    pub kept: Uuid,
    /// Why they are taken as one.
    pub reason: String,
    /// From when.
    pub linked_at: DateTime<Utc>,
    /// When somebody said that they are two, if so.
    pub undone_at: Option<DateTime<Utc>>,
}

const EVERY_COLUMN: &str = "SELECT id, known_at, source, reference, class, status, categories, occurred_from, occurred_to, \
                            recorded_at, lon, lat, easting, northing, precision, ward, channel, offence, repeat_key \
                            FROM incident";

/// So many values are bound to one statement.
const BOUND: usize = 500;

type PlaceRow = (Uuid, String, Option<f64>, Option<f64>, Option<String>);

/// Degrees east and north, and the ward they lie in.
pub type WardPlace = ((f64, f64), String);

/// A version. What a question has no use for, and leaves out, is empty.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: Uuid,
    known_at: DateTime<Utc>,
    source: String,
    #[sqlx(default)]
    reference: String,
    class: String,
    status: String,
    categories: i64,
    occurred_from: DateTime<Utc>,
    occurred_to: DateTime<Utc>,
    #[sqlx(default)]
    recorded_at: Option<DateTime<Utc>>,
    lon: Option<f64>,
    lat: Option<f64>,
    easting: Option<f64>,
    northing: Option<f64>,
    precision: String,
    ward: Option<String>,
    channel: Option<String>,
    offence: Option<String>,
    repeat_key: Option<String>,
}

/// Of versions by incident, oldest first, the last of each.
fn last_versions(rows: Vec<Row>) -> Result<Vec<Incident>> {
    let mut found: Vec<Incident> = Vec::new();
    for row in rows {
        let incident = Incident::try_from(row)?;
        match found.last_mut().filter(|last| last.id == incident.id) {
            Some(last) => *last = incident,
            None => found.push(incident),
        }
    }
    Ok(found)
}

impl TryFrom<Row> for Incident {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let place = match (row.lon, row.lat, row.easting, row.northing) {
            (Some(lon), Some(lat), Some(easting), Some(northing)) => {
                Some(Place { lon, lat, easting, northing })
            }
            _ => None,
        };
        let categories = u32::try_from(row.categories)
            .map_err(|_| StoreError::Unreadable { what: "set of categories" })?;
        Ok(Self {
            id: row.id,
            source: row.source,
            reference: row.reference,
            known_at: row.known_at,
            class: row.class,
            status: value(&row.status, "status")?,
            categories: CategorySet::from_bits(categories),
            occurred_from: row.occurred_from,
            occurred_to: row.occurred_to,
            recorded_at: row.recorded_at,
            place,
            precision: value(&row.precision, "precision")?,
            ward: row.ward,
            channel: row.channel,
            offence: row.offence,
            repeat_key: row.repeat_key,
        })
    }
}

impl Store {
    /// The stored versions of some incidents, by incident and time.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn known_versions(&self, ids: &[Uuid]) -> Result<Vec<KnownVersion>> {
        let mut found = Vec::new();
        for ids in ids.chunks(BOUND) {
            let mut rows: Vec<KnownVersion> = on!(Self, self, pool => {
                let mut query = QueryBuilder::new("SELECT id, known_at, content FROM incident WHERE id IN (");
                let mut list = query.separated(", ");
                for id in ids {
                    list.push_bind(*id);
                }
                query.push(") ORDER BY id, known_at");
                query.build_query_as().fetch_all(pool).await?
            });
            found.append(&mut rows);
        }
        Ok(found)
    }

    /// The suppliers' references of all incidents.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn references(&self) -> Result<HashMap<Uuid, String>> {
        let rows: Vec<(Uuid, String)> =
            on!(Self, self, pool => sqlx::query_as(REFERENCES).fetch_all(pool).await?);
        Ok(rows.into_iter().collect())
    }

    /// The incidents that other sources told of and that happened at some time, as known just before an instant; withdrawn ones
    /// too.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn incidents_between(
        &self,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        source: &str,
        instant: DateTime<Utc>,
    ) -> Result<Vec<Incident>> {
        let rows: Vec<Row> = on!(Self, self, pool => sqlx::query_as(AROUND)
            .bind(from)
            .bind(to)
            .bind(instant)
            .bind(source)
            .fetch_all(pool)
            .await?);
        last_versions(rows)
    }

    /// Incidents by their last versions known before an instant; those that are not known are left out.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn incidents_of(&self, ids: &[Uuid], instant: DateTime<Utc>) -> Result<Vec<Incident>> {
        let mut found = Vec::new();
        for ids in ids.chunks(BOUND) {
            let rows: Vec<Row> = on!(Self, self, pool => {
                let mut query = QueryBuilder::new(EVERY_COLUMN);
                query.push(" WHERE known_at < ").push_bind(instant).push(" AND id IN (");
                let mut list = query.separated(", ");
                for id in ids {
                    list.push_bind(*id);
                }
                query.push(") ORDER BY id, known_at");
                query.build_query_as().fetch_all(pool).await?
            });
            found.extend(last_versions(rows)?);
        }
        Ok(found)
    }

    /// Whether anybody but this source has told of incidents.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn has_another_source(&self, source: &str) -> Result<bool> {
        let other: Option<String> = on!(Self, self, pool => sqlx::query_scalar(ANOTHER_SOURCE).bind(source).fetch_optional(pool).await?);
        Ok(other.is_some())
    }

    /// How many incidents that began between two instants were, in any version known before a third: without a ward,
    /// reclassified, taken back.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn record_quality(
        &self,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        instant: DateTime<Utc>,
    ) -> Result<(i64, i64, i64)> {
        Ok(
            on!(Self, self, pool => sqlx::query_as(QUALITY).bind(from).bind(to).bind(instant).fetch_one(pool).await?),
        )
    }

    /// When the latest version known before `instant` became known: how fresh the data are.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn last_known(&self, instant: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(LAST_KNOWN).bind(instant).fetch_one(pool).await?))
    }

    /// Degrees east and north, and the ward, of some incidents, by the versions known just before an instant; those without a
    /// place or a ward, or taken back, are left out.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn places_of(&self, ids: &[Uuid], instant: DateTime<Utc>) -> Result<HashMap<Uuid, WardPlace>> {
        let mut found = HashMap::new();
        for ids in ids.chunks(BOUND) {
            let rows: Vec<PlaceRow> = on!(Self, self, pool => {
                let mut query = QueryBuilder::new(
                    "SELECT id, status, lon, lat, ward FROM incident WHERE known_at < ",
                );
                query.push_bind(instant).push(" AND id IN (");
                let mut list = query.separated(", ");
                for id in ids {
                    list.push_bind(*id);
                }
                query.push(") ORDER BY id, known_at");
                query.build_query_as().fetch_all(pool).await?
            });
            for (id, status, lon, lat, ward) in rows {
                // The last version counts, also one that has lost its place or was taken back.
                found.remove(&id);
                if let (Some(lon), Some(lat), Some(ward)) = (lon, lat, ward)
                    && value::<Status>(&status, "status")? != Status::Withdrawn
                {
                    found.insert(id, ((lon, lat), ward));
                }
            }
        }
        Ok(found)
    }

    /// Every link between two reports of probably one event, undone ones too, oldest first.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn same_events(&self) -> Result<Vec<LinkedEvent>> {
        Ok(on!(Self, self, pool => sqlx::query_as(SAME_EVENTS).fetch_all(pool).await?))
    }
}

impl Tx {
    /// Keeps versions. Each has an incident and a time of its own; the caller has seen to that.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says; also when a version is there already.
    pub async fn add_versions(&mut self, import: Uuid, versions: &[NewVersion<'_>]) -> Result<()> {
        for chunk in versions.chunks(500) {
            let names = chunk
                .iter()
                .map(|new| {
                    Ok((
                        new,
                        text(&new.incident.status, "status")?,
                        text(&new.incident.precision, "precision")?,
                    ))
                })
                .collect::<Result<Vec<_>>>()?;
            on!(Self, self, tx => {
                let mut insert = QueryBuilder::new(
                    "INSERT INTO incident (id, known_at, content, import_id, source, reference, class, status, \
                     categories, occurred_from, occurred_to, recorded_at, lon, lat, easting, northing, precision, \
                     ward, channel, offence, repeat_key) ",
                );
                insert.push_values(names, |mut row, (new, status, precision)| {
                    let NewVersion { incident, content } = new;
                    let place = incident.place;
                    row.push_bind(incident.id)
                        .push_bind(incident.known_at)
                        .push_bind(content)
                        .push_bind(import)
                        .push_bind(&incident.source)
                        .push_bind(&incident.reference)
                        .push_bind(&incident.class)
                        .push_bind(status)
                        .push_bind(i64::from(incident.categories.bits()))
                        .push_bind(incident.occurred_from)
                        .push_bind(incident.occurred_to)
                        .push_bind(incident.recorded_at)
                        .push_bind(place.map(|at| at.lon))
                        .push_bind(place.map(|at| at.lat))
                        .push_bind(place.map(|at| at.easting))
                        .push_bind(place.map(|at| at.northing))
                        .push_bind(precision)
                        .push_bind(&incident.ward)
                        .push_bind(&incident.channel)
                        .push_bind(&incident.offence)
                        .push_bind(&incident.repeat_key);
                });
                insert.build().execute(&mut **tx).await?;
            });
        }
        Ok(())
    }

    /// Takes two reports as one event from `linked_at` on. A pair that somebody has undone stays undone.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn link_same_event(&mut self, link: &LinkedEvent) -> Result<()> {
        execute!(
            self,
            sqlx::query(LINK_SAME_EVENT)
                .bind(link.also)
                .bind(link.kept)
                .bind(&link.reason)
                .bind(link.linked_at)
        );
        Ok(())
    }

    /// Says that a report is an event of its own after all. False when no such link stands.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn undo_same_event(&mut self, also: Uuid, now: DateTime<Utc>) -> Result<bool> {
        Ok(execute!(self, sqlx::query(UNDO_SAME_EVENT).bind(also).bind(now)) == 1)
    }
}
