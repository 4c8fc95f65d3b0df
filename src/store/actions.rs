//! The action register.

use super::{
    Result, Store, StoreError, Tx,
    answers::party,
    areas::{area_ref, kind_and_code},
};
use crate::model::{Action, ActionState, Priority};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

statements! {
    ADD = "INSERT INTO action (id, alert_id, role, kind, code, area_kind, area_code, priority, title, due, at, who, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    OF_ALERT = "SELECT a.id, a.alert_id, l.number, a.role, a.kind, a.code, a.area_kind, a.area_code, a.priority, a.title,
            a.due, a.at, a.who, a.state, a.outcome, a.ended_at, a.overdue_told_at, a.looked_at
        FROM action a LEFT JOIN alert l ON l.id = a.alert_id WHERE a.alert_id = $1 ORDER BY a.at, a.id";
    BY_ID = "SELECT a.id, a.alert_id, l.number, a.role, a.kind, a.code, a.area_kind, a.area_code, a.priority, a.title,
            a.due, a.at, a.who, a.state, a.outcome, a.ended_at, a.overdue_told_at, a.looked_at
        FROM action a LEFT JOIN alert l ON l.id = a.alert_id WHERE a.id = $1";
    /// Open ones first, the most urgent of them first; then those that ended last.
    REGISTER = "SELECT a.id, a.alert_id, l.number, a.role, a.kind, a.code, a.area_kind, a.area_code, a.priority, a.title,
            a.due, a.at, a.who, a.state, a.outcome, a.ended_at, a.overdue_told_at, a.looked_at
        FROM action a LEFT JOIN alert l ON l.id = a.alert_id WHERE a.state = 'open' OR a.ended_at >= $1
        ORDER BY CASE WHEN a.state = 'open' THEN 0 ELSE 1 END, CASE WHEN a.due IS NULL THEN 1 ELSE 0 END, a.due,
            a.ended_at DESC, a.at, a.id";
    BEGUN_BEFORE = "SELECT a.id, a.alert_id, l.number, a.role, a.kind, a.code, a.area_kind, a.area_code, a.priority,
            a.title, a.due, a.at, a.who, a.state, a.outcome, a.ended_at, a.overdue_told_at, a.looked_at
        FROM action a LEFT JOIN alert l ON l.id = a.alert_id WHERE a.at < $1 ORDER BY a.at, a.id";
    END = "UPDATE action SET state = $2, outcome = $3, ended_at = $4 WHERE id = $1 AND state = 'open'";
    OVERDUE_TOLD = "UPDATE action SET overdue_told_at = $2 WHERE id = $1 AND overdue_told_at IS NULL AND state = 'open'";
    LOOKED_AT = "UPDATE action SET looked_at = $2 WHERE id = $1";
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    alert_id: Option<Uuid>,
    number: Option<String>,
    role: String,
    kind: String,
    code: String,
    area_kind: String,
    area_code: String,
    priority: String,
    title: String,
    due: Option<NaiveDate>,
    at: DateTime<Utc>,
    who: String,
    state: String,
    outcome: Option<String>,
    ended_at: Option<DateTime<Utc>>,
    overdue_told_at: Option<DateTime<Utc>>,
    looked_at: Option<String>,
}

impl TryFrom<Row> for Action {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            alert: row.alert_id.zip(row.number),
            owner: party(&row.role, &row.kind, row.code)?,
            area: area_ref(&row.area_kind, row.area_code)?,
            priority: Priority::of(&row.priority).ok_or(StoreError::Unreadable { what: "priority" })?,
            title: row.title,
            due: row.due,
            at: row.at,
            who: row.who,
            state: ActionState::of(&row.state)
                .ok_or(StoreError::Unreadable { what: "state of an action" })?,
            outcome: row.outcome,
            ended_at: row.ended_at,
            overdue_told_at: row.overdue_told_at,
            looked_at: row.looked_at,
        })
    }
}

impl Store {
    /// The actions recorded for an alert, in order.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn actions(&self, alert: Uuid) -> Result<Vec<Action>> {
        let rows: Vec<Row> =
            on!(Self, self, pool => sqlx::query_as(OF_ALERT).bind(alert).fetch_all(pool).await?);
        rows.into_iter().map(Action::try_from).collect()
    }

    /// One action.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn action(&self, id: Uuid) -> Result<Option<Action>> {
        let row: Option<Row> =
            on!(Self, self, pool => sqlx::query_as(BY_ID).bind(id).fetch_optional(pool).await?);
        row.map(Action::try_from).transpose()
    }

    /// Every open action, the most urgent first, and those that ended since an instant, the latest first.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn action_register(&self, since: DateTime<Utc>) -> Result<Vec<Action>> {
        let rows: Vec<Row> =
            on!(Self, self, pool => sqlx::query_as(REGISTER).bind(since).fetch_all(pool).await?);
        rows.into_iter().map(Action::try_from).collect()
    }

    /// Every action recorded before an instant, oldest first: what reports count.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn actions_before(&self, instant: DateTime<Utc>) -> Result<Vec<Action>> {
        let rows: Vec<Row> =
            on!(Self, self, pool => sqlx::query_as(BEGUN_BEFORE).bind(instant).fetch_all(pool).await?);
        rows.into_iter().map(Action::try_from).collect()
    }
}

impl Tx {
    /// Keeps a new action.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn add_action(&mut self, action: &Action) -> Result<()> {
        let (kind, code) = kind_and_code(action.owner.area.as_ref());
        let (area_kind, area_code) = kind_and_code(action.area.as_ref());
        execute!(
            self,
            sqlx::query(ADD)
                .bind(action.id)
                .bind(action.alert.as_ref().map(|alert| alert.0))
                .bind(action.owner.role.code())
                .bind(kind)
                .bind(code)
                .bind(area_kind)
                .bind(area_code)
                .bind(action.priority.code())
                .bind(&action.title)
                .bind(action.due)
                .bind(action.at)
                .bind(&action.who)
                .bind(action.state.code())
        );
        Ok(())
    }

    /// Ends an open action; false when it had ended before.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn end_action(
        &mut self,
        id: Uuid,
        state: ActionState,
        outcome: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let ended = execute!(self, sqlx::query(END).bind(id).bind(state.code()).bind(outcome).bind(now));
        Ok(ended == 1)
    }

    /// Notes that the owner was told that it is overdue; false when somebody else has noted it, or it has ended.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn overdue_told(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        Ok(execute!(self, sqlx::query(OVERDUE_TOLD).bind(id).bind(now)) == 1)
    }

    /// Keeps how the area looked four weeks after.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn action_looked_at(&mut self, id: Uuid, words: &str) -> Result<()> {
        execute!(self, sqlx::query(LOOKED_AT).bind(id).bind(words));
        Ok(())
    }
}
