//! Who is signed in, and how often somebody failed to.

use super::{Result, Store, Tx};
use chrono::{DateTime, Utc};

statements! {
    NEW_SESSION = "INSERT INTO session (id, account, body, started_at, seen_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    SAVE_SESSION = "UPDATE session SET account = $2, body = $3 WHERE id = $1";
    LOAD_SESSION = "SELECT id, account, body, started_at, seen_at FROM session
        WHERE id = $1 AND seen_at > $2 AND started_at > $3";
    SEEN = "UPDATE session SET seen_at = $2 WHERE id = $1 AND seen_at < $2";
    DELETE_SESSION = "DELETE FROM session WHERE id = $1";
    TAKE_SESSION = "DELETE FROM session WHERE id = $1 AND started_at > $2 RETURNING body";
    DELETE_OLD_SESSIONS = "DELETE FROM session WHERE seen_at <= $1 OR started_at <= $2";
    FORGET_OLD_TRIES = "DELETE FROM sign_in_failure WHERE counted_from < $1";
    COUNT_TRY = "INSERT INTO sign_in_failure (who, failures, counted_from) VALUES ($1, 1, $2)
        ON CONFLICT (who) DO UPDATE SET failures = sign_in_failure.failures + 1 RETURNING failures";
    FORGET_TRIES = "DELETE FROM sign_in_failure WHERE who = $1";
    TAKE_BACK_TRY = "UPDATE sign_in_failure SET failures = failures - 1 WHERE who = $1 AND failures > 0";
}

/// A session of the site.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct SavedSession {
    /// Key.
    pub id: String,
    /// Whose.
    pub account: String,
    /// What it holds, a JSON object.
    pub body: serde_json::Value,
    /// When somebody signed in.
    pub started_at: DateTime<Utc>,
    /// When they were last seen.
    pub seen_at: DateTime<Utc>,
}

/// Something whose failed sign-ins are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted<'a> {
    /// What it is.
    pub who: &'a str,
    /// So many may fail.
    pub most: i64,
}

impl Store {
    /// Keeps a session that is new. False when its key is taken.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn new_session(&self, session: &SavedSession) -> Result<bool> {
        let mut tx = self.begin().await?;
        let added = execute!(
            &mut tx,
            sqlx::query(NEW_SESSION)
                .bind(&session.id)
                .bind(&session.account)
                .bind(&session.body)
                .bind(session.started_at)
                .bind(session.seen_at)
        );
        tx.commit().await?;
        Ok(added == 1)
    }

    /// Keeps what a session holds. One that has been ended meanwhile stays ended.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn save_session(&self, id: &str, account: &str, body: &serde_json::Value) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(SAVE_SESSION).bind(id).bind(account).bind(body));
        tx.commit().await
    }

    /// A session that began after `started` and was seen after `seen`.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn session(
        &self,
        id: &str,
        seen: DateTime<Utc>,
        started: DateTime<Utc>,
    ) -> Result<Option<SavedSession>> {
        Ok(on!(Self, self, pool => sqlx::query_as(LOAD_SESSION)
            .bind(id)
            .bind(seen)
            .bind(started)
            .fetch_optional(pool)
            .await?))
    }

    /// Somebody was seen.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn session_seen(&self, id: &str, now: DateTime<Utc>) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(SEEN).bind(id).bind(now));
        tx.commit().await
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn delete_session(&self, id: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(DELETE_SESSION).bind(id));
        tx.commit().await
    }

    /// What a session held that began after `started`, and its end: of those who ask at once, one gets it.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn take_session(&self, id: &str, started: DateTime<Utc>) -> Result<Option<serde_json::Value>> {
        let mut tx = self.begin().await?;
        let body = on!(Tx, &mut tx, tx => sqlx::query_scalar(TAKE_SESSION)
            .bind(id)
            .bind(started)
            .fetch_optional(&mut **tx)
            .await?);
        tx.commit().await?;
        Ok(body)
    }

    /// Forgets sessions that were not seen after `seen`, or began no later than `started`.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn delete_old_sessions(&self, seen: DateTime<Utc>, started: DateTime<Utc>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let gone = execute!(&mut tx, sqlx::query(DELETE_OLD_SESSIONS).bind(seen).bind(started));
        tx.commit().await?;
        Ok(gone)
    }

    /// Counts a sign-in as failed before its password is looked at, so that those who try at the same moment are all
    /// counted. False when one of `counted` has failed too often since `since`; what stands after it is not counted then.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn may_try(
        &self,
        counted: &[Counted<'_>],
        now: DateTime<Utc>,
        since: DateTime<Utc>,
    ) -> Result<bool> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(FORGET_OLD_TRIES).bind(since));
        let mut may = true;
        for one in counted {
            let failures: i64 = on!(Tx, &mut tx, tx => sqlx::query_scalar(COUNT_TRY)
                .bind(one.who)
                .bind(now)
                .fetch_one(&mut **tx)
                .await?);
            if failures > one.most {
                may = false;
                break;
            }
        }
        tx.commit().await?;
        Ok(may)
    }

    /// A sign-in that was counted has succeeded: the account begins anew, its address has one failure less.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn has_signed_in(&self, account: &str, client: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        // In the order in which tries are counted: two that sign in at once must not wait for each other.
        execute!(&mut tx, sqlx::query(TAKE_BACK_TRY).bind(client));
        execute!(&mut tx, sqlx::query(FORGET_TRIES).bind(account));
        tx.commit().await
    }
}
