//! Who saw and did what: rows are added and read, never changed or taken away.

use super::{Result, Store};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

statements! {
    ADD_AUDIT = "INSERT INTO audit (id, at, account, role, what, about, outcome)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    AUDIT = "SELECT at, account, role, what, about, outcome FROM audit
        WHERE at >= $1 AND at < $2 AND (CAST($3 AS TEXT) IS NULL OR account = $3)
        ORDER BY at DESC, id DESC LIMIT $4 OFFSET $5";
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct AuditEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose account; empty where nobody was signed in.
    pub account: String,
    /// Their role then; empty where there was none.
    pub role: String,
    /// What was seen or done.
    pub what: String,
    /// About what: an address of the site, an alert's number, an account.
    pub about: String,
    /// How it went.
    pub outcome: String,
}

impl Store {
    /// Adds lines, all or none.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn add_audit(&self, entries: &[AuditEntry]) -> Result<()> {
        let mut tx = self.begin().await?;
        for entry in entries {
            execute!(
                &mut tx,
                sqlx::query(ADD_AUDIT)
                    .bind(Uuid::now_v7())
                    .bind(entry.at)
                    .bind(&entry.account)
                    .bind(&entry.role)
                    .bind(&entry.what)
                    .bind(&entry.about)
                    .bind(&entry.outcome)
            );
        }
        tx.commit().await
    }

    /// Lines of a time, or of one account in it, the newest first: `limit` of them after the first `skip`.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn audit(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        account: Option<&str>,
        limit: i64,
        skip: i64,
    ) -> Result<Vec<AuditEntry>> {
        Ok(on!(Self, self, pool => sqlx::query_as(AUDIT)
            .bind(from)
            .bind(until)
            .bind(account)
            .bind(limit)
            .bind(skip)
            .fetch_all(pool)
            .await?))
    }
}
