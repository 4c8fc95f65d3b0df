//! Who runs the engine while several machines could.

use super::{Result, Store, Tx};
use chrono::{DateTime, Utc};

statements! {
    TAKE_LEASE = "INSERT INTO lease (name, holder, expires_at) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
        WHERE lease.holder = excluded.holder OR lease.expires_at <= $4 RETURNING holder";
    GIVE_BACK_LEASE = "DELETE FROM lease WHERE name = $1 AND holder = $2";
}

impl Store {
    /// Takes or renews a lease until `until`. True when `holder` has it now.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let mut tx = self.begin().await?;
        let got: Option<String> = on!(Tx, &mut tx, tx => sqlx::query_scalar(TAKE_LEASE)
            .bind(name)
            .bind(holder)
            .bind(until)
            .bind(now)
            .fetch_optional(&mut **tx)
            .await?);
        tx.commit().await?;
        Ok(got.is_some())
    }

    /// Gives a lease back, so that another machine need not wait for its end.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn give_back_lease(&self, name: &str, holder: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(GIVE_BACK_LEASE).bind(name).bind(holder));
        tx.commit().await
    }
}
