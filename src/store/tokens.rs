//! Tokens of programs, and the calls that were made with them.

use super::{Result, Store, StoreError, Tx, areas::area_ref, areas::kind_and_code};
use crate::model::{AreaRef, Scope};
use chrono::{DateTime, Utc};
use uuid::Uuid;

statements! {
    ADD_TOKEN = "INSERT INTO api_token (name, hash, scopes, source, kind, code, created_at, ends_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING";
    TOKENS = "SELECT name, scopes, source, kind, code, created_at, ends_at, revoked_at, used_at FROM api_token";
    TOKEN_BY_HASH = "SELECT name, scopes, source, kind, code, created_at, ends_at, revoked_at, used_at FROM api_token
        WHERE hash = $1";
    REVOKE_TOKEN = "UPDATE api_token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL";
    TOKEN_USED = "UPDATE api_token SET used_at = $2 WHERE name = $1 AND (used_at IS NULL OR used_at < $2)";
    FORGET_CALLS = "DELETE FROM api_call WHERE claimed_at < $1";
    CLAIM_CALL = "INSERT INTO api_call (token, key, body_hash, claim, claimed_at, answer)
        VALUES ($1, $2, $3, $4, $5, NULL) ON CONFLICT (token, key) DO NOTHING";
    TAKE_CALL_OVER = "UPDATE api_call SET claim = $4, claimed_at = $5
        WHERE token = $1 AND key = $2 AND body_hash = $3 AND answer IS NULL AND claimed_at < $6";
    CALL = "SELECT body_hash, answer FROM api_call WHERE token = $1 AND key = $2";
    ANSWER_CALL = "UPDATE api_call SET answer = $2 WHERE claim = $1 AND answer IS NULL";
    GIVE_CALL_UP = "DELETE FROM api_call WHERE claim = $1 AND answer IS NULL";
}

/// What a program may do, as its token says. The token itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whose incidents it may send.
    pub source: Option<String>,
    /// Which area's figures and alerts it reads; none is the whole county.
    pub area: Option<AreaRef>,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// From when on it is no longer good.
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, give or take a minute.
    pub used_at: Option<DateTime<Utc>>,
}

impl ApiToken {
    /// Whether it is good at an instant.
    #[must_use]
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.ends_at.is_none_or(|ends| now < ends)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    scopes: String,
    source: String,
    kind: String,
    code: String,
    created_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    used_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for ApiToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let scope =
            |word: &str| word.parse().map_err(|_| StoreError::Unreadable { what: "scope of a token" });
        Ok(Self {
            name: row.name,
            scopes: row.scopes.split(' ').map(scope).collect::<Result<_>>()?,
            source: Some(row.source).filter(|source| !source.is_empty()),
            area: area_ref(&row.kind, row.code)?,
            created_at: row.created_at,
            ends_at: row.ends_at,
            revoked_at: row.revoked_at,
            used_at: row.used_at,
        })
    }
}

/// A call that writes, by the name that its caller gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiCall<'a> {
    /// Whose.
    pub token: &'a str,
    /// Its name.
    pub key: &'a str,
    /// A hash of what was sent.
    pub body_hash: &'a str,
    /// Whoever works on it now.
    pub claim: Uuid,
}

/// Whether a call may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallClaim {
    /// It is ours.
    Ours,
    /// It was answered before.
    Answered(String),
    /// Somebody else works on it.
    UnderWay,
    /// Another body was sent under this name.
    Another,
}

impl Store {
    /// Keeps a token under the hash of it. False when the name is taken.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn add_token(&self, token: &ApiToken, hash: &str) -> Result<bool> {
        let (kind, code) = kind_and_code(token.area.as_ref());
        let scopes = token.scopes.iter().map(|scope| scope.code()).collect::<Vec<_>>().join(" ");
        let mut tx = self.begin().await?;
        let added = execute!(
            &mut tx,
            sqlx::query(ADD_TOKEN)
                .bind(&token.name)
                .bind(hash)
                .bind(&scopes)
                .bind(token.source.as_deref().unwrap_or_default())
                .bind(kind)
                .bind(code)
                .bind(token.created_at)
                .bind(token.ends_at)
        );
        tx.commit().await?;
        Ok(added == 1)
    }

    /// Every token, those that are no longer good too, by name.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn tokens(&self) -> Result<Vec<ApiToken>> {
        let rows: Vec<Row> = on!(Self, self, pool => sqlx::query_as(TOKENS).fetch_all(pool).await?);
        let mut tokens = rows.into_iter().map(ApiToken::try_from).collect::<Result<Vec<_>>>()?;
        tokens.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tokens)
    }

    /// The token of this hash, good or not.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn token(&self, hash: &str) -> Result<Option<ApiToken>> {
        let row: Option<Row> =
            on!(Self, self, pool => sqlx::query_as(TOKEN_BY_HASH).bind(hash).fetch_optional(pool).await?);
        row.map(ApiToken::try_from).transpose()
    }

    /// Takes a token back. False when there is none of that name that was not taken back before.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn revoke_token(&self, name: &str, now: DateTime<Utc>) -> Result<bool> {
        let mut tx = self.begin().await?;
        let gone = execute!(&mut tx, sqlx::query(REVOKE_TOKEN).bind(name).bind(now));
        tx.commit().await?;
        Ok(gone == 1)
    }

    /// A token was used.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn token_used(&self, name: &str, now: DateTime<Utc>) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(TOKEN_USED).bind(name).bind(now));
        tx.commit().await
    }

    /// Claims a call. Calls claimed before `forget` are forgotten; one that was claimed before `stale` and never answered
    /// is taken over.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn claim_call(
        &self,
        call: &ApiCall<'_>,
        now: DateTime<Utc>,
        stale: DateTime<Utc>,
        forget: DateTime<Utc>,
    ) -> Result<CallClaim> {
        let ApiCall { token, key, body_hash, claim } = *call;
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(FORGET_CALLS).bind(forget));
        let mut ours = execute!(
            &mut tx,
            sqlx::query(CLAIM_CALL).bind(token).bind(key).bind(body_hash).bind(claim).bind(now)
        );
        if ours == 0 {
            ours = execute!(
                &mut tx,
                sqlx::query(TAKE_CALL_OVER)
                    .bind(token)
                    .bind(key)
                    .bind(body_hash)
                    .bind(claim)
                    .bind(now)
                    .bind(stale)
            );
        }
        let before: Option<(String, Option<String>)> = if ours == 0 {
            on!(Tx, &mut tx, tx => sqlx::query_as(CALL).bind(token).bind(key).fetch_optional(&mut **tx).await?)
        } else {
            None
        };
        tx.commit().await?;
        Ok(match before {
            _ if ours == 1 => CallClaim::Ours,
            Some((sent, _)) if sent != body_hash => CallClaim::Another,
            Some((_, Some(answer))) => CallClaim::Answered(answer),
            _ => CallClaim::UnderWay,
        })
    }

    /// Gives a call up that came to nothing: its name may be used again.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn give_call_up(&self, claim: Uuid) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(GIVE_CALL_UP).bind(claim));
        tx.commit().await
    }
}

impl Tx {
    /// Keeps the answer to a call. False when somebody else has taken it over: then nothing of this may be kept.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn answer_call(&mut self, claim: Uuid, answer: &str) -> Result<bool> {
        Ok(execute!(self, sqlx::query(ANSWER_CALL).bind(claim).bind(answer)) == 1)
    }
}
