//! Incidents that a program sends: imported as a file is, once for each name that the program gave its call.
//!
//! A call is claimed before the work; its answer is kept in the transaction of the import. Whoever dies between the two
//! leaves a claim that another may take over a minute later, and has imported nothing.

use super::{
    county::Outlines,
    import::{ImportReport, Origin, committed, save},
    night::Engine,
};
use crate::{
    import::{self, ImportContext, ImportError, JsonError, MOST_OBJECTS, Mapping, read_at_most, read_json},
    store::{ApiCall, CallClaim},
};
use anyhow::anyhow;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use uuid::Uuid;

/// Answers are kept for so long.
const KEPT: TimeDelta = TimeDelta::days(7);

/// Longer than any call may take: whoever claimed one before that is dead.
const DEAD: TimeDelta = TimeDelta::minutes(1);

/// How incidents are written.
#[derive(Debug, Clone, Copy)]
pub enum Form<'a> {
    /// As JSON objects with our own names.
    Json,
    /// As CSV with the columns of a supplier.
    Csv(&'a Mapping),
}

/// What a program sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// The name of its token.
    pub token: &'a str,
    /// Whose incidents they are.
    pub source: &'a str,
    /// What it calls this call.
    pub key: &'a str,
    /// The body.
    pub bytes: &'a [u8],
    /// How it is written.
    pub form: Form<'a>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It was imported; this is the answer.
    Done(String),
    /// It was imported before; this was the answer.
    Before(String),
    /// It is being imported.
    UnderWay,
    /// Another body was sent under this name before.
    Another,
}

/// Why nothing of it was imported.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The JSON can't be used.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The CSV can't be used.
    #[error(transparent)]
    Csv(#[from] ImportError),
    /// Something failed here.
    #[error(transparent)]
    Inside(#[from] anyhow::Error),
}

impl From<crate::store::StoreError> for ReceiveError {
    fn from(failed: crate::store::StoreError) -> Self {
        Self::Inside(failed.into())
    }
}

impl Engine {
    /// Imports what a program sent; `answer` writes what it is told, and is told again when it asks again. Calls take
    /// turns by the outlines.
    ///
    /// # Errors
    ///
    /// As [`ReceiveError`] says; the name of the call is free again then.
    pub async fn receive(
        &self,
        outlines: &Mutex<Outlines>,
        sent: &Sent<'_>,
        now: DateTime<Utc>,
        answer: impl Fn(&ImportReport) -> serde_json::Result<String>,
    ) -> Result<Received, ReceiveError> {
        let form = match sent.form {
            Form::Json => b'j',
            Form::Csv(_) => b'c',
        };
        let body_hash = import::hex(&Sha256::new().chain_update([form]).chain_update(sent.bytes).finalize());
        let claim = Uuid::now_v7();
        let call = ApiCall { token: sent.token, key: sent.key, body_hash: &body_hash, claim };
        match self.store.claim_call(&call, now, now - DEAD, now - KEPT).await? {
            CallClaim::Ours => {}
            CallClaim::Answered(answer) => return Ok(Received::Before(answer)),
            CallClaim::UnderWay => return Ok(Received::UnderWay),
            CallClaim::Another => return Ok(Received::Another),
        }
        let done = self.import_call(outlines, sent, claim, now, answer).await;
        if done.is_err() {
            self.store.give_call_up(claim).await?;
        }
        done.map(Received::Done)
    }

    async fn import_call(
        &self,
        outlines: &Mutex<Outlines>,
        sent: &Sent<'_>,
        claim: Uuid,
        now: DateTime<Utc>,
        answer: impl Fn(&ImportReport) -> serde_json::Result<String>,
    ) -> Result<String, ReceiveError> {
        let county = &self.county;
        let context =
            ImportContext { pack: &county.pack, grid: &county.grid, source: sent.source, imported_at: now };
        let mut read = match sent.form {
            Form::Json => read_json(sent.bytes, &context)?,
            Form::Csv(mapping) => read_at_most(sent.bytes, mapping, &context, MOST_OBJECTS)?,
        };
        // Held until the end: a connection waits for the database, and there are few of them.
        let mut outlines = outlines.lock().await;
        outlines.place(&self.store, county, &mut read.incidents).await?;
        let name = format!("sent with the token {}", sent.token);
        let sha256 = import::hex(&Sha256::digest(sent.bytes));
        let origin = Origin { name: &name, source: sent.source, sha256 };
        let (mut tx, report) = save(&self.store, read, origin, now).await?;
        let answer = answer(&report).map_err(anyhow::Error::from)?;
        if !tx.answer_call(claim, &answer).await? {
            return Err(anyhow!("a call took longer than a minute, and was taken over").into());
        }
        committed(tx).await?;
        Ok(answer)
    }
}
