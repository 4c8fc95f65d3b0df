//! Erasing incidents for good: from every table, and from the file.

use super::{Result, Store, Tx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::{collections::HashSet, time::Duration};
use uuid::Uuid;

statements! {
    NAMED = "SELECT DISTINCT id, source, reference FROM incident WHERE source = $1 AND reference = $2";
    /// Those of which every version says that they were over by then.
    OVER_BEFORE = "SELECT id, source, reference FROM incident GROUP BY id, source, reference HAVING MAX(occurred_to) < $1";
    ERASE_INCIDENT = "DELETE FROM incident WHERE id = $1";
    ERASE_SAME_EVENT = "DELETE FROM same_event WHERE also = $1 OR kept = $1";
    REJECTED_OF = "SELECT reject.import_id, reject.position, reject.body FROM reject
        JOIN import_file ON import_file.id = reject.import_id WHERE import_file.source = $1";
    ERASE_REJECT = "DELETE FROM reject WHERE import_id = $1 AND position = $2";
    ERASE_REJECTS_BEFORE = "DELETE FROM reject WHERE import_id IN (SELECT id FROM import_file WHERE imported_at < $1)";
    ERASE_MESSAGES_BEFORE = "DELETE FROM outbox WHERE state IN ('sent', 'failed') AND created_at < $1";
    /// What they answered names references; a call that is sent again adds nothing.
    ERASE_CALLS = "DELETE FROM api_call WHERE answer IS NOT NULL";
    ALERT_KEYS = "SELECT id FROM alert";
    ALERT_BODY = "SELECT body FROM alert WHERE id = $1";
    SET_ALERT_BODY = "UPDATE alert SET body = $2 WHERE id = $1";
    FINDING_KEYS = "SELECT run_id, position FROM finding";
    FINDING_BODY = "SELECT body FROM finding WHERE run_id = $1 AND position = $2";
    SET_FINDING_BODY = "UPDATE finding SET body = $3 WHERE run_id = $1 AND position = $2";
    NOTICE_KEYS = "SELECT alert_id, sequence FROM notice";
    NOTICE_BODY = "SELECT body FROM notice WHERE alert_id = $1 AND sequence = $2";
    SET_NOTICE_BODY = "UPDATE notice SET body = $3 WHERE alert_id = $1 AND sequence = $2";
    CLUSTER_KEYS = "SELECT rule, night FROM cluster_night";
    CLUSTER_BODY = "SELECT body FROM cluster_night WHERE rule = $1 AND night = $2";
    SET_CLUSTER_BODY = "UPDATE cluster_night SET body = $3 WHERE rule = $1 AND night = $2";
}

/// So long readers are waited for, before what they still need is left in the write-ahead log.
const READERS_END: Duration = Duration::from_secs(10);

/// An incident that is to be erased.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Erasable {
    /// Its key.
    pub id: Uuid,
    /// Who supplied it.
    pub source: String,
    /// The source's own reference.
    pub reference: String,
}

/// Takes the names of some incidents out of the bodies of a table whose key has one or two columns.
macro_rules! forget {
    ($tx:expr, $gone:expr, ($keys:ident, $body:ident, $set:ident), $($column:ident: $kind:ty),+) => {{
        let keys: Vec<($($kind,)+)> = on!(Tx, $tx, tx => sqlx::query_as($keys).fetch_all(&mut **tx).await?);
        let mut changed = 0;
        for ($($column,)+) in keys {
            let mut body: Value =
                on!(Tx, $tx, tx => sqlx::query_scalar($body)$(.bind(&$column))+.fetch_one(&mut **tx).await?);
            if without(&mut body, $gone) {
                execute!($tx, sqlx::query($set)$(.bind(&$column))+.bind(&body));
                changed += 1;
            }
        }
        changed
    }};
}

impl Store {
    /// The incident of a source's reference.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn erasable(&self, source: &str, reference: &str) -> Result<Vec<Erasable>> {
        Ok(on!(Self, self, pool => sqlx::query_as(NAMED).bind(source).bind(reference).fetch_all(pool).await?))
    }

    /// Incidents that were over before an instant, by every version of them.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn erasable_before(&self, instant: DateTime<Utc>) -> Result<Vec<Erasable>> {
        Ok(on!(Self, self, pool => sqlx::query_as(OVER_BEFORE).bind(instant).fetch_all(pool).await?))
    }

    /// Takes what was erased out of the database's files, too. False when readers held a part of the write-ahead log; it goes
    /// with the next call, or when the program ends. On PostgreSQL its own logs and archives stay as its operator keeps them.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn forget_erased(&self) -> Result<bool> {
        match self {
            Self::Sqlite(pool, ..) => {
                let began = tokio::time::Instant::now();
                loop {
                    let (busy, ..): (i64, i64, i64) =
                        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(pool).await?;
                    if busy == 0 || began.elapsed() > READERS_END {
                        return Ok(busy == 0);
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
            Self::Postgres(pool, _) => {
                sqlx::query("VACUUM (FULL) incident, same_event, reject, api_call, alert, finding, notice, cluster_night, outbox")
                    .execute(pool)
                    .await?;
                Ok(true)
            }
        }
    }
}

impl Tx {
    /// Erases every version of some incidents, the rejected rows that name them, what calls of programs were answered of them,
    /// and their keys wherever one stands. Counts in alerts stay as they were told. How many rows of rejects went.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn erase(&mut self, incidents: &[Erasable]) -> Result<u64> {
        for one in incidents {
            execute!(self, sqlx::query(ERASE_INCIDENT).bind(one.id));
            execute!(self, sqlx::query(ERASE_SAME_EVENT).bind(one.id));
        }
        execute!(self, sqlx::query(ERASE_CALLS));
        let gone: HashSet<String> = incidents.iter().map(|one| one.id.to_string()).collect();
        forget!(self, &gone, (ALERT_KEYS, ALERT_BODY, SET_ALERT_BODY), id: Uuid);
        forget!(self, &gone, (FINDING_KEYS, FINDING_BODY, SET_FINDING_BODY), run: Uuid, position: i64);
        forget!(self, &gone, (NOTICE_KEYS, NOTICE_BODY, SET_NOTICE_BODY), alert: Uuid, sequence: i64);
        forget!(self, &gone, (CLUSTER_KEYS, CLUSTER_BODY, SET_CLUSTER_BODY), rule: String, night: chrono::NaiveDate);
        let mut rejects = 0;
        let sources: HashSet<&str> = incidents.iter().map(|one| one.source.as_str()).collect();
        for source in sources {
            let named: HashSet<&str> = incidents
                .iter()
                .filter(|one| one.source == source)
                .map(|one| one.reference.as_str())
                .collect();
            rejects += self.erase_rejects(source, &named).await?;
        }
        Ok(rejects)
    }

    /// Erases the rejected rows of a source in which one of these references stands.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn erase_rejects(&mut self, source: &str, references: &HashSet<&str>) -> Result<u64> {
        let rows: Vec<(Uuid, i64, Value)> =
            on!(Self, self, tx => sqlx::query_as(REJECTED_OF).bind(source).fetch_all(&mut **tx).await?);
        let mut erased = 0;
        for (import, position, body) in rows {
            let names = |cell: &Value| cell.as_str().is_some_and(|cell| references.contains(cell.trim()));
            if body["row"].as_array().is_some_and(|row| row.iter().any(names)) {
                erased += execute!(self, sqlx::query(ERASE_REJECT).bind(import).bind(position));
            }
        }
        Ok(erased)
    }

    /// Erases the rejected rows of files that were read before an instant.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn erase_rejects_before(&mut self, instant: DateTime<Utc>) -> Result<u64> {
        Ok(execute!(self, sqlx::query(ERASE_REJECTS_BEFORE).bind(instant)))
    }

    /// Erases messages made before an instant that have left or were given up.
    ///
    /// # Errors
    ///
    /// As [`super::StoreError`] says.
    pub async fn erase_messages_before(&mut self, instant: DateTime<Utc>) -> Result<u64> {
        Ok(execute!(self, sqlx::query(ERASE_MESSAGES_BEFORE).bind(instant)))
    }
}

/// Takes texts out of every list in a value; whether there was one.
fn without(value: &mut Value, gone: &HashSet<String>) -> bool {
    match value {
        Value::Array(list) => {
            let before = list.len();
            list.retain(|one| one.as_str().is_none_or(|text| !gone.contains(text)));
            let own = list.len() < before;
            list.iter_mut().fold(own, |found, one| without(one, gone) | found)
        }
        Value::Object(fields) => fields.values_mut().fold(false, |found, one| without(one, gone) | found),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_taken_out_of_lists_however_deep_and_nothing_else_is() {
        let gone = HashSet::from(["b".to_owned()]);
        let mut body = json!({"members": ["a", "b"], "deep": [{"members": ["b"], "title": "b"}], "n": 2});
        assert!(without(&mut body, &gone));
        assert_eq!(body, json!({"members": ["a"], "deep": [{"members": [], "title": "b"}], "n": 2}));
        assert!(!without(&mut body, &gone));
    }
}
