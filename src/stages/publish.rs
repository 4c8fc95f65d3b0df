//! Publishing what partners may know, and releasing alerts to them.

use super::night::{Engine, When};
use crate::{
    count::{Case, Seen},
    model::Alert,
    publish::{Publication, due, publish},
    store::AlertEvent,
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, Utc};
use uuid::Uuid;

impl Engine {
    /// Publishes every month and week that is due on the morning after a night, as known then. What is there stays.
    pub(super) async fn publish_due(&self, seen: &Seen, since: NaiveDate, when: When) -> Result<usize> {
        let there = self.store.published_keys().await.context("looking for what is published")?;
        let morning = when.night + Days::new(1);
        let due = due(self.county.pack.publish, since, morning, &there);
        if due.is_empty() {
            return Ok(0);
        }
        let cases: Vec<Case> = self.cases(seen, when.as_known_on);
        let mut tx = self.store.begin().await?;
        for (span, window) in &due {
            // A time whose areas are not on record can't be counted; it must not keep the others from partners.
            let geography = match self.county.geography(window.last) {
                Ok(geography) if geography.of_kind(span.kind()).next().is_some() => geography,
                Ok(_) => continue,
                Err(wrong) => {
                    tracing::error!(error = %format!("{wrong:#}"), first = %window.first, "not published");
                    continue;
                }
            };
            let counts =
                publish((*span, *window), &cases, &geography, &self.county.pack.categories, &self.answer_key);
            let publication =
                Publication { span: *span, window: *window, as_known_on: when.as_known_on, counts };
            tx.publish(&publication, when.now).await.context("publishing")?;
        }
        tx.commit().await.context("publishing")?;
        Ok(due.len())
    }

    /// Lets partners know of an alert, or takes that back. What they have read stays read.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn release(
        &self,
        alert: &Alert,
        let_know: bool,
        who: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let (changed, what) = if let_know {
            (tx.release(alert, now, who).await?, "released")
        } else {
            (tx.take_back(alert.id).await?, "taken-back")
        };
        if changed {
            let event = AlertEvent { at: now, what: what.into(), who: who.into(), why: String::new() };
            tx.add_alert_event(Uuid::now_v7(), alert.id, &event).await?;
        }
        tx.commit().await?;
        Ok(changed)
    }
}
