//! Who may sign in, who has, and who failed to.

use super::{Result, Store, StoreError, areas::area_ref, areas::kind_and_code};
use crate::model::{AreaRef, Role};
use chrono::{DateTime, Utc};

statements! {
    SAVE_ACCOUNT = "INSERT INTO account (name, role, kind, code, password_hash, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET role = excluded.role, kind = excluded.kind, code = excluded.code,
            password_hash = excluded.password_hash";
    LOAD_ACCOUNT = "SELECT name, role, kind, code, password_hash, created_at FROM account WHERE name = $1";
    SAVE_SESSION = "INSERT INTO session (id, body, expires_at) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at";
    NEW_SESSION = "INSERT INTO session (id, body, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    LOAD_SESSION = "SELECT id, body, expires_at FROM session WHERE id = $1 AND expires_at > $2";
    DELETE_SESSION = "DELETE FROM session WHERE id = $1";
    DELETE_OLD_SESSIONS = "DELETE FROM session WHERE expires_at <= $1";
    COUNT_FAILURE = "INSERT INTO sign_in_failure (who, failures, counted_from) VALUES ($1, 1, $2)
        ON CONFLICT (who) DO UPDATE SET
            failures = CASE WHEN sign_in_failure.counted_from < $3 THEN 1 ELSE sign_in_failure.failures + 1 END,
            counted_from = CASE WHEN sign_in_failure.counted_from < $3 THEN $2
                                ELSE sign_in_failure.counted_from END";
    LOAD_FAILURES = "SELECT failures FROM sign_in_failure WHERE who = $1 AND counted_from >= $2";
    FORGET_FAILURES = "DELETE FROM sign_in_failure WHERE who = $1";
}

/// Somebody who may sign in: a role, never a personal name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What they type.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// The area they answer for; none is the whole county.
    pub area: Option<AreaRef>,
    /// An argon2id hash.
    pub password_hash: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// A session of the site.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct SavedSession {
    /// Key.
    pub id: String,
    /// What it holds, a JSON object.
    pub body: serde_json::Value,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    name: String,
    role: String,
    kind: String,
    code: String,
    password_hash: String,
    created_at: DateTime<Utc>,
}

impl Store {
    /// An account by its name.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn account(&self, name: &str) -> Result<Option<Account>> {
        let row: Option<AccountRow> =
            on!(Self, self, pool => sqlx::query_as(LOAD_ACCOUNT).bind(name).fetch_optional(pool).await?);
        row.map(|row| {
            Ok(Account {
                name: row.name,
                role: row.role.parse().map_err(|_| StoreError::Unreadable { what: "role" })?,
                area: area_ref(&row.kind, row.code)?,
                password_hash: row.password_hash,
                created_at: row.created_at,
            })
        })
        .transpose()
    }

    /// Keeps an account; the same name replaces what was there.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn save_account(&self, account: &Account) -> Result<()> {
        let (kind, code) = kind_and_code(account.area.as_ref());
        let mut tx = self.begin().await?;
        execute!(
            &mut tx,
            sqlx::query(SAVE_ACCOUNT)
                .bind(&account.name)
                .bind(account.role.code())
                .bind(kind)
                .bind(code)
                .bind(&account.password_hash)
                .bind(account.created_at)
        );
        tx.commit().await
    }

    /// Keeps a session that is new. False when its key is taken.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn new_session(&self, session: &SavedSession) -> Result<bool> {
        let mut tx = self.begin().await?;
        let query = execute!(
            &mut tx,
            sqlx::query(NEW_SESSION).bind(&session.id).bind(&session.body).bind(session.expires_at)
        );
        tx.commit().await?;
        Ok(query == 1)
    }

    /// Keeps a session as it now stands.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn save_session(&self, session: &SavedSession) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(
            &mut tx,
            sqlx::query(SAVE_SESSION).bind(&session.id).bind(&session.body).bind(session.expires_at)
        );
        tx.commit().await
    }

    /// A session that has not run out.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn session(&self, id: &str, now: DateTime<Utc>) -> Result<Option<SavedSession>> {
        Ok(
            on!(Self, self, pool => sqlx::query_as(LOAD_SESSION).bind(id).bind(now).fetch_optional(pool).await?),
        )
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn delete_session(&self, id: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(DELETE_SESSION).bind(id));
        tx.commit().await
    }

    /// Forgets sessions that have run out.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn delete_old_sessions(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let gone = execute!(&mut tx, sqlx::query(DELETE_OLD_SESSIONS).bind(now));
        tx.commit().await?;
        Ok(gone)
    }

    /// Counts a failed sign-in; failures counted from before `since` are forgotten first.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn count_sign_in_failure(
        &self,
        who: &str,
        now: DateTime<Utc>,
        since: DateTime<Utc>,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(COUNT_FAILURE).bind(who).bind(now).bind(since));
        tx.commit().await
    }

    /// Failed sign-ins counted from `since` on.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn sign_in_failures(&self, who: &str, since: DateTime<Utc>) -> Result<i64> {
        let count: Option<i64> = on!(Self, self, pool => sqlx::query_scalar(LOAD_FAILURES)
            .bind(who)
            .bind(since)
            .fetch_optional(pool)
            .await?);
        Ok(count.unwrap_or(0))
    }

    /// Forgets failed sign-ins, after one that succeeded.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn forget_sign_in_failures(&self, who: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(FORGET_FAILURES).bind(who));
        tx.commit().await
    }
}
