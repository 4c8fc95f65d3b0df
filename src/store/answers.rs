//! Links by which recipients answer, and buttons that were pressed.

use super::{
    Result, Store, StoreError, Tx,
    areas::{area_ref, kind_and_code},
};
use crate::model::Party;
use chrono::{DateTime, Utc};
use uuid::Uuid;

statements! {
    SAVE_LINK = "INSERT INTO answer_link (hash, alert_id, mailbox, role, kind, code, made_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    LINK = "SELECT a.number, l.mailbox, l.role, l.kind, l.code FROM answer_link l
        JOIN alert a ON a.id = l.alert_id WHERE l.hash = $1";
    PRESS = "INSERT INTO pressed (token, at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    FORGET_PRESSED = "DELETE FROM pressed WHERE at < $1";
    MAKE_SECRET = "INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    SECRET = "SELECT value FROM secret WHERE name = $1";
}

/// Where a link of a mail leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerLink {
    /// The alert, as people call it.
    pub alert: String,
    /// The mailbox the link was sent to.
    pub mailbox: String,
    /// Whose mailbox it is.
    pub party: Party,
}

/// Whoever role and area name.
pub(super) fn party(role: &str, kind: &str, code: String) -> Result<Party> {
    let role = role.parse().map_err(|_| StoreError::Unreadable { what: "role" })?;
    Ok(Party { role, area: area_ref(kind, code)? })
}

impl Store {
    /// Where the link with this hash leads.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn answer_link(&self, hash: &str) -> Result<Option<AnswerLink>> {
        let row: Option<(String, String, String, String, String)> =
            on!(Self, self, pool => sqlx::query_as(LINK).bind(hash).fetch_optional(pool).await?);
        row.map(|(alert, mailbox, role, kind, code)| {
            Ok(AnswerLink { alert, mailbox, party: party(&role, &kind, code)? })
        })
        .transpose()
    }

    /// A key that this installation made for itself; `fresh` becomes it when there is none yet.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn secret(&self, name: &str, fresh: &str) -> Result<String> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(MAKE_SECRET).bind(name).bind(fresh));
        let secret =
            on!(Tx, &mut tx, tx => sqlx::query_scalar(SECRET).bind(name).fetch_one(&mut **tx).await?);
        tx.commit().await?;
        Ok(secret)
    }
}

impl Tx {
    /// Keeps a link, by the hash of its secret part.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn save_answer_link(
        &mut self,
        hash: &str,
        alert: Uuid,
        mailbox: &str,
        party: &Party,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (kind, code) = kind_and_code(party.area.as_ref());
        execute!(
            self,
            sqlx::query(SAVE_LINK)
                .bind(hash)
                .bind(alert)
                .bind(mailbox)
                .bind(party.role.code())
                .bind(kind)
                .bind(code)
                .bind(now)
        );
        Ok(())
    }

    /// Notes that a button was pressed; false when it was before. Those pressed before `forget` are forgotten: they are too
    /// old to be pressed.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn press(&mut self, token: &str, now: DateTime<Utc>, forget: DateTime<Utc>) -> Result<bool> {
        execute!(self, sqlx::query(FORGET_PRESSED).bind(forget));
        Ok(execute!(self, sqlx::query(PRESS).bind(token).bind(now)) == 1)
    }
}
