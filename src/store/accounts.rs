//! Who may sign in.

use super::{Result, Store, StoreError, areas::area_ref, areas::kind_and_code};
use crate::model::{AreaRef, Role};
use chrono::{DateTime, Utc};

statements! {
    SAVE_ACCOUNT = "INSERT INTO account (name, role, kind, code, password_hash, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET role = excluded.role, kind = excluded.kind, code = excluded.code,
            password_hash = excluded.password_hash";
    LOAD_ACCOUNT = "SELECT name, role, kind, code, password_hash, created_at FROM account WHERE name = $1";
    END_SESSIONS = "DELETE FROM session WHERE account = $1";
    ALL_ACCOUNTS = "SELECT name, role, kind, code, password_hash, created_at FROM account";
    DELETE_ACCOUNT = "DELETE FROM account WHERE name = $1";
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
        row.map(account).transpose()
    }

    /// Everybody who may sign in, by name.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        let rows: Vec<AccountRow> =
            on!(Self, self, pool => sqlx::query_as(ALL_ACCOUNTS).fetch_all(pool).await?);
        let mut accounts = rows.into_iter().map(account).collect::<Result<Vec<_>>>()?;
        accounts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(accounts)
    }

    /// Keeps an account; the same name replaces what was there, and whoever is signed in by that name is signed out.
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
        execute!(&mut tx, sqlx::query(END_SESSIONS).bind(&account.name));
        tx.commit().await
    }

    /// Takes an account away, with its sessions. False when there is none.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn delete_account(&self, name: &str) -> Result<bool> {
        let mut tx = self.begin().await?;
        let gone = execute!(&mut tx, sqlx::query(DELETE_ACCOUNT).bind(name));
        execute!(&mut tx, sqlx::query(END_SESSIONS).bind(name));
        tx.commit().await?;
        Ok(gone == 1)
    }
}

fn account(row: AccountRow) -> Result<Account> {
    Ok(Account {
        name: row.name,
        role: row.role.parse().map_err(|_| StoreError::Unreadable { what: "role" })?,
        area: area_ref(&row.kind, row.code)?,
        password_hash: row.password_hash,
        created_at: row.created_at,
    })
}
