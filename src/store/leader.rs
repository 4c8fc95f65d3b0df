//! Who runs the engine while several machines could, by terms that only grow. No clock of any machine is compared with
//! another's: a leader counts beats, and who waits measures with its own clock how long the count has stood still.

use super::{Result, Store, StoreError, Tx};

statements! {
    LEADER = "SELECT heartbeat.term, beat, holder FROM heartbeat
        JOIN leader ON leader.name = heartbeat.name WHERE heartbeat.name = 'engine'";
    TAKE_HEARTBEAT = "UPDATE heartbeat SET term = term + 1, beat = 0
        WHERE name = 'engine' AND term = $1 AND beat = $2 RETURNING term";
    TAKE_LEAD = "UPDATE leader SET term = $1, holder = $2 WHERE name = 'engine'";
    BEAT = "UPDATE heartbeat SET beat = beat + 1 WHERE name = 'engine' AND term = $1";
    GIVE_UP_LEAD = "UPDATE leader SET holder = '' WHERE name = 'engine' AND holder = $1";
    /// Keeps hold of the row until the end of the transaction: who takes over waits for what was begun in time.
    FENCE = "UPDATE leader SET holder = holder WHERE name = 'engine' AND term = $1";
}

/// Who leads, as somebody saw it who may want to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LeaderSeen {
    /// Grows with every change of hands.
    pub term: i64,
    /// Grows as long as the leader lives.
    pub beat: i64,
    /// Who; empty when nobody does.
    pub holder: String,
}

/// Writes of a leader are refused once another has taken over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fence(Option<i64>);

impl Fence {
    /// Refuses a transaction that begins after the term has ended.
    pub(super) async fn check(self, tx: &mut Tx) -> Result<()> {
        let Some(term) = self.0 else { return Ok(()) };
        let holds = execute!(tx, sqlx::query(FENCE).bind(term)) == 1;
        if holds { Ok(()) } else { Err(StoreError::Deposed) }
    }
}

impl Store {
    /// The same store, whose writes are those of the leader of a term: once that has ended they are refused.
    #[must_use]
    pub fn led(&self, term: i64) -> Self {
        let fence = Fence(Some(term));
        match self {
            Self::Sqlite(pool, turns, _) => Self::Sqlite(pool.clone(), turns.clone(), fence),
            Self::Postgres(pool, _) => Self::Postgres(pool.clone(), fence),
        }
    }

    /// Who leads now.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn leader(&self) -> Result<LeaderSeen> {
        Ok(on!(Self, self, pool => sqlx::query_as(LEADER).fetch_one(pool).await?))
    }

    /// Takes over from what was seen, if nothing has moved since. The new term; none when somebody was there first, or the
    /// leader lives.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn take_lead(&self, seen: &LeaderSeen, holder: &str) -> Result<Option<i64>> {
        let mut tx = self.begin().await?;
        let term: Option<i64> = on!(Tx, &mut tx, tx => sqlx::query_scalar(TAKE_HEARTBEAT)
            .bind(seen.term)
            .bind(seen.beat)
            .fetch_optional(&mut **tx)
            .await?);
        if let Some(term) = term {
            execute!(&mut tx, sqlx::query(TAKE_LEAD).bind(term).bind(holder));
            tx.commit().await?;
        }
        Ok(term)
    }

    /// Tells that the leader of a term lives. False when it leads no more.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn beat(&self, term: i64) -> Result<bool> {
        let mut tx = self.begin().await?;
        let leads = execute!(&mut tx, sqlx::query(BEAT).bind(term)) == 1;
        tx.commit().await?;
        Ok(leads)
    }

    /// Leads no more, so that nobody has to wait.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn give_up_lead(&self, holder: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(&mut tx, sqlx::query(GIVE_UP_LEAD).bind(holder));
        tx.commit().await
    }
}
