//! What was published, and a door to it behind which there is nothing else.

use super::{Result, Store, StoreError, Tx, WardShape, from_object, object};
use crate::{
    model::{Alert, AlertLevel, Window},
    publish::{Publication, Span},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

statements! {
    PUBLISH = "INSERT INTO published (span, first, last, as_known_on, published_at, body)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (span, first) DO NOTHING";
    PUBLISHED_KEYS = "SELECT span, first FROM published";
    PUBLISHED = "SELECT span, first, last, as_known_on, body FROM published WHERE span = $1 AND first >= $2 AND first <= $3
        ORDER BY first";
    REACH = "SELECT MIN(last), MAX(last) FROM published WHERE span = $1";
    RELEASE = "INSERT INTO released (alert_id, at, who, body) VALUES ($1, $2, $3, $4) ON CONFLICT (alert_id) DO NOTHING";
    TAKE_BACK = "DELETE FROM released WHERE alert_id = $1";
    IS_RELEASED = "SELECT at FROM released WHERE alert_id = $1";
    RELEASED = "SELECT released.body, alert.state, released.at FROM released JOIN alert ON alert.id = released.alert_id
        WHERE released.at >= $1 ORDER BY released.at DESC, alert.number";
}

/// What a partner may know of an alert: no counts, no number by which to ask for more. It is what stood there when somebody
/// released it: what a later night adds is not told by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedAlert {
    /// The rule's title.
    pub title: String,
    /// The wards concerned, by code.
    pub wards: Vec<String>,
    /// The categories seen, by code.
    pub categories: Vec<String>,
    /// Its level.
    pub level: AlertLevel,
    /// The night it began.
    pub since: NaiveDate,
    /// Whether it is over.
    #[serde(skip)]
    pub over: bool,
    /// When partners could first know.
    pub released_at: DateTime<Utc>,
}

impl ReleasedAlert {
    fn of(alert: &Alert, released_at: DateTime<Utc>) -> Self {
        Self {
            title: alert.latest.title.clone(),
            wards: alert.latest.wards.clone(),
            categories: alert.latest.categories.clone(),
            level: alert.latest.level,
            since: alert.opened,
            over: false,
            released_at,
        }
    }
}

/// The store as pages for partners see it: publications, released alerts and the outlines of wards. There is no way from
/// here to an incident, a count or an alert.
#[derive(Debug, Clone)]
pub struct PublishedStore(Store);

impl PublishedStore {
    /// A door into a store.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self(store)
    }

    /// The last days of the first and the latest publication of a span.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn reach(&self, span: Span) -> Result<Option<(NaiveDate, NaiveDate)>> {
        let (first, last): (Option<NaiveDate>, Option<NaiveDate>) =
            on!(Store, &self.0, pool => sqlx::query_as(REACH).bind(span.code()).fetch_one(pool).await?);
        Ok(first.zip(last))
    }

    /// Publications of a span that begin between two days, oldest first.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn publications(
        &self,
        span: Span,
        (since, until): (NaiveDate, NaiveDate),
    ) -> Result<Vec<Publication>> {
        type Row = (String, NaiveDate, NaiveDate, DateTime<Utc>, serde_json::Value);
        let rows: Vec<Row> = on!(Store, &self.0, pool => sqlx::query_as(PUBLISHED).bind(span.code()).bind(since).bind(until).fetch_all(pool).await?);
        rows.into_iter()
            .map(|(_, first, last, as_known_on, body)| {
                let counts = from_object(body, "publication")?;
                Ok(Publication { span, window: Window { first, last }, as_known_on, counts })
            })
            .collect()
    }

    /// Alerts that were released since then, the latest first.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn released(&self, since: DateTime<Utc>) -> Result<Vec<ReleasedAlert>> {
        let rows: Vec<(serde_json::Value, String, DateTime<Utc>)> =
            on!(Store, &self.0, pool => sqlx::query_as(RELEASED).bind(since).fetch_all(pool).await?);
        rows.into_iter()
            .map(|(body, state, _)| {
                let told: ReleasedAlert = from_object(body, "released alert")?;
                Ok(ReleasedAlert { over: state == "closed", ..told })
            })
            .collect()
    }

    /// Outlines in force on a day.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn ward_shapes(&self, day: NaiveDate) -> Result<Vec<WardShape>> {
        self.0.ward_shapes(day).await
    }
}

impl Store {
    /// The first days of what is published.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn published_keys(&self) -> Result<BTreeSet<(Span, NaiveDate)>> {
        let rows: Vec<(String, NaiveDate)> =
            on!(Self, self, pool => sqlx::query_as(PUBLISHED_KEYS).fetch_all(pool).await?);
        rows.into_iter()
            .map(|(span, first)| match span.as_str() {
                "month" => Ok((Span::Month, first)),
                "week" => Ok((Span::Week, first)),
                _ => Err(StoreError::Unreadable { what: "publication" }),
            })
            .collect()
    }

    /// Since when partners know of an alert.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn released_since(&self, alert: Uuid) -> Result<Option<DateTime<Utc>>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(IS_RELEASED).bind(alert).fetch_optional(pool).await?))
    }
}

impl Tx {
    /// Publishes, unless it was published before: then it stays as it is.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn publish(&mut self, publication: &Publication, now: DateTime<Utc>) -> Result<()> {
        let Publication { span, window, as_known_on, counts } = publication;
        let body = object(counts, "publication")?;
        execute!(
            self,
            sqlx::query(PUBLISH)
                .bind(span.code())
                .bind(window.first)
                .bind(window.last)
                .bind(*as_known_on)
                .bind(now)
                .bind(&body)
        );
        Ok(())
    }

    /// Lets partners know of an alert; false when they do already.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn release(&mut self, alert: &Alert, now: DateTime<Utc>, who: &str) -> Result<bool> {
        let body = object(&ReleasedAlert::of(alert, now), "released alert")?;
        Ok(execute!(self, sqlx::query(RELEASE).bind(alert.id).bind(now).bind(who).bind(&body)) == 1)
    }

    /// Takes a release back; false when there was none.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn take_back(&mut self, alert: Uuid) -> Result<bool> {
        Ok(execute!(self, sqlx::query(TAKE_BACK).bind(alert)) == 1)
    }
}
