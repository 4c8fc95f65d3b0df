//! The lives of clusters, night by night.

use super::{Result, Store, Tx, from_object, object};
use crate::cluster::Lives;
use chrono::NaiveDate;

statements! {
    LIVES_BEFORE = "SELECT body FROM cluster_night WHERE rule = $1 AND night < $2 ORDER BY night DESC LIMIT 1";
    SAVE_LIVES = "INSERT INTO cluster_night (rule, night, body) VALUES ($1, $2, $3)
        ON CONFLICT (rule, night) DO UPDATE SET body = excluded.body";
}

impl Store {
    /// The clusters of a rule as the last night before this one left them; none before the first.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn lives_before(&self, rule: &str, night: NaiveDate) -> Result<Lives> {
        let body: Option<serde_json::Value> = on!(Self, self, pool => sqlx::query_scalar(LIVES_BEFORE).bind(rule).bind(night).fetch_optional(pool).await?);
        body.map_or_else(|| Ok(Lives::default()), |body| from_object(body, "life of a cluster"))
    }
}

impl Tx {
    /// Keeps the clusters of a rule as a night left them; the same night again replaces them.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn save_lives(&mut self, rule: &str, night: NaiveDate, lives: &Lives) -> Result<()> {
        let body = object(lives, "life of a cluster")?;
        execute!(self, sqlx::query(SAVE_LIVES).bind(rule).bind(night).bind(&body));
        Ok(())
    }
}
