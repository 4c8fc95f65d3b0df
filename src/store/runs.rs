//! The record of every engine night.

use super::{Result, Store, StoreError, Tx, from_object, object, text, value};
use crate::model::Finding;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

statements! {
    BEGIN_RUN = "INSERT INTO run (id, night, tick, as_known_on, started_at, finished_at, outcome, rules_version,
            summary)
        VALUES ($1, $2, $3, $4, $5, NULL, $6, $7, $8) ON CONFLICT DO NOTHING";
    FINISH_RUN = "UPDATE run SET finished_at = $2, outcome = $3, rules_version = $4, summary = $5 WHERE id = $1";
    LAST_RUN = "SELECT id, night, tick, as_known_on, started_at, finished_at, outcome, rules_version, summary
        FROM run WHERE outcome = 'done' ORDER BY night DESC, started_at DESC LIMIT 1";
    RUN_OF = "SELECT id, night, tick, as_known_on, started_at, finished_at, outcome, rules_version, summary
        FROM run WHERE outcome = 'done' AND night = $1 ORDER BY started_at DESC, id DESC LIMIT 1";
    LAST_NIGHT = "SELECT night, as_known_on FROM run WHERE outcome = 'done' ORDER BY night DESC, started_at DESC LIMIT 1";
    NIGHT = "SELECT night, as_known_on FROM run
        WHERE outcome = 'done' AND night = $1 ORDER BY started_at DESC, id DESC LIMIT 1";
    RUNS = "SELECT id, night, tick, as_known_on, started_at, finished_at, outcome, rules_version, summary
        FROM run ORDER BY started_at DESC, id DESC LIMIT $1";
    NIGHTS = "SELECT DISTINCT night FROM run WHERE outcome = 'done' AND night >= $1 ORDER BY night";
    LAST_TICK = "SELECT MAX(tick) FROM run WHERE outcome = 'done'";
    LAST_FINISHED = "SELECT MAX(finished_at) FROM run WHERE outcome = 'done'";
    ABANDON_RUNS = "UPDATE run SET outcome = 'abandoned', finished_at = $1, tick = NULL WHERE outcome = 'running'";
    FAIL_RUN = "UPDATE run SET outcome = 'failed', finished_at = $2, tick = NULL, summary = $3 WHERE id = $1";
    ADD_FINDING = "INSERT INTO finding (run_id, position, body) VALUES ($1, $2, $3)";
    FINDINGS = "SELECT body FROM finding WHERE run_id = $1 ORDER BY position";
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Not ended yet.
    Running,
    /// All of it was saved.
    Done,
    /// Nothing of it was saved; the summary says why.
    Failed,
    /// The program ended before the run did; nothing of it was saved.
    Abandoned,
}

/// One engine night.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Key.
    pub id: Uuid,
    /// The last local day it looked at.
    pub night: NaiveDate,
    /// The tick of the schedule it answers; none for a night asked for by hand. One run for each tick.
    pub tick: Option<DateTime<Utc>>,
    /// It saw what was known before this instant.
    pub as_known_on: DateTime<Utc>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// The rules in force.
    pub rules_version: String,
    /// Counts, duration and what went wrong, as the stage tells it.
    pub summary: serde_json::Value,
}

/// A night that was judged: what every page asks for, without the summary of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct JudgedNight {
    /// The last local day it looked at.
    pub night: NaiveDate,
    /// It saw what was known before this instant.
    pub as_known_on: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    night: NaiveDate,
    tick: Option<DateTime<Utc>>,
    as_known_on: DateTime<Utc>,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    outcome: String,
    rules_version: String,
    summary: serde_json::Value,
}

impl TryFrom<Row> for Run {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            night: row.night,
            tick: row.tick,
            as_known_on: row.as_known_on,
            started_at: row.started_at,
            finished_at: row.finished_at,
            outcome: value(&row.outcome, "outcome of a run")?,
            rules_version: row.rules_version,
            summary: row.summary,
        })
    }
}

impl Store {
    /// The latest night that was done.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn last_run(&self) -> Result<Option<Run>> {
        let row: Option<Row> = on!(Self, self, pool => sqlx::query_as(LAST_RUN).fetch_optional(pool).await?);
        row.map(Run::try_from).transpose()
    }

    /// The latest night that was done, without its summary.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn last_night(&self) -> Result<Option<JudgedNight>> {
        Ok(on!(Self, self, pool => sqlx::query_as(LAST_NIGHT).fetch_optional(pool).await?))
    }

    /// A night as its latest run judged it; none that was not judged.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn judged_night(&self, night: NaiveDate) -> Result<Option<JudgedNight>> {
        Ok(on!(Self, self, pool => sqlx::query_as(NIGHT).bind(night).fetch_optional(pool).await?))
    }

    /// The latest run of a night that was done.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn run_of(&self, night: NaiveDate) -> Result<Option<Run>> {
        let row: Option<Row> =
            on!(Self, self, pool => sqlx::query_as(RUN_OF).bind(night).fetch_optional(pool).await?);
        row.map(Run::try_from).transpose()
    }

    /// Nights that were judged, from one on, oldest first.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn nights_since(&self, first: NaiveDate) -> Result<Vec<NaiveDate>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(NIGHTS).bind(first).fetch_all(pool).await?))
    }

    /// The latest runs, the newest first.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn runs(&self, at_most: i64) -> Result<Vec<Run>> {
        let rows: Vec<Row> =
            on!(Self, self, pool => sqlx::query_as(RUNS).bind(at_most).fetch_all(pool).await?);
        rows.into_iter().map(Run::try_from).collect()
    }

    /// The latest tick of the schedule that was answered.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn last_tick(&self) -> Result<Option<DateTime<Utc>>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(LAST_TICK).fetch_one(pool).await?))
    }

    /// When a run was done last.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn last_finished(&self) -> Result<Option<DateTime<Utc>>> {
        Ok(on!(Self, self, pool => sqlx::query_scalar(LAST_FINISHED).fetch_one(pool).await?))
    }

    /// What a run found, in its order.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn findings(&self, run: Uuid) -> Result<Vec<Finding>> {
        let bodies: Vec<serde_json::Value> =
            on!(Self, self, pool => sqlx::query_scalar(FINDINGS).bind(run).fetch_all(pool).await?);
        bodies.into_iter().map(|body| from_object(body, "finding")).collect()
    }
}

impl Tx {
    /// Notes that a run has begun. False when its tick has one already.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn begin_run(&mut self, run: &Run) -> Result<bool> {
        let outcome = text(&run.outcome, "outcome of a run")?;
        Ok(execute!(
            self,
            sqlx::query(BEGIN_RUN)
                .bind(run.id)
                .bind(run.night)
                .bind(run.tick)
                .bind(run.as_known_on)
                .bind(run.started_at)
                .bind(&outcome)
                .bind(&run.rules_version)
                .bind(&run.summary)
        ) == 1)
    }

    /// Notes how a run ended, with what it found.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn finish_run(&mut self, run: &Run, findings: &[Finding]) -> Result<()> {
        let outcome = text(&run.outcome, "outcome of a run")?;
        execute!(
            self,
            sqlx::query(FINISH_RUN)
                .bind(run.id)
                .bind(run.finished_at)
                .bind(&outcome)
                .bind(&run.rules_version)
                .bind(&run.summary)
        );
        for (position, finding) in findings.iter().enumerate() {
            let body = object(finding, "finding")?;
            execute!(self, sqlx::query(ADD_FINDING).bind(run.id).bind(position as i64).bind(&body));
        }
        Ok(())
    }

    /// Notes that a run failed. Its tick becomes free, so that it can be tried again.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn fail_run(
        &mut self,
        run: Uuid,
        now: DateTime<Utc>,
        summary: &serde_json::Value,
    ) -> Result<()> {
        execute!(self, sqlx::query(FAIL_RUN).bind(run).bind(now).bind(summary));
        Ok(())
    }

    /// Notes that runs which never ended were abandoned; called when the program holds the engine's lease again.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn abandon_runs(&mut self, now: DateTime<Utc>) -> Result<u64> {
        Ok(execute!(self, sqlx::query(ABANDON_RUNS).bind(now)))
    }
}
