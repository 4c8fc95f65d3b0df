//! The outbox and who leads the engine, against a model of a few lines: claims, results in time and too late, crashes,
//! messages released by hand, in any order.

use crate::{delivery::message, support::at};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tension_watch::store::{Claimed, LeaderSeen, MessageState, OutboxMessage, Store};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// A claim lasts so many seconds.
const CLAIM: i64 = 180;

#[derive(Debug, Clone)]
enum Step {
    Add {
        priority: i64,
        delay: i64,
        held: bool,
    },
    Claim,
    /// The answer to a claim, in time or late.
    Sent(usize),
    Later(usize, i64, bool),
    Failed(usize, bool),
    /// The program ends; nobody answers to its claims, and the file is opened again.
    Crash,
    Wait(i64),
    Release(usize),
    ReleaseAll(MessageState),
    /// A machine looks at who leads.
    Look(usize),
    /// It takes over from what it saw then.
    TakeLead(usize),
    Beat(usize),
    GiveUpLead(usize),
    /// It writes as the leader that it was last.
    Write(usize),
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    state: MessageState,
    priority: i64,
    next_try: i64,
    attempts: i64,
    claimed_until: Option<i64>,
    maybe_arrived: bool,
}

#[derive(Debug, Clone, Default)]
struct Model {
    now: i64,
    rows: Vec<Row>,
    /// Message, attempt and end of every claim that somebody may still answer to.
    claims: Vec<(usize, i64, i64)>,
    lead: Lead,
}

/// Who leads, and what each of three machines believes of it.
#[derive(Debug, Clone, Copy, Default)]
struct Lead {
    term: i64,
    beat: i64,
    holder: Option<usize>,
    seen: [Option<(i64, i64)>; 3],
    own: [Option<i64>; 3],
}

impl Model {
    /// The message that a sender gets now.
    fn next(&self) -> Option<usize> {
        let due = |row: &Row| match row.state {
            MessageState::Waiting => row.next_try <= self.now,
            MessageState::Sending => row.claimed_until.is_some_and(|until| until <= self.now),
            _ => false,
        };
        let found = self.rows.iter().enumerate().filter(|(_, row)| due(row));
        found.min_by_key(|(n, row)| (row.priority, row.next_try, *n)).map(|(n, _)| n)
    }

    /// Whether the last term of a machine goes on.
    fn leads(&self, who: usize) -> bool {
        self.lead.own[who] == Some(self.lead.term)
    }

    /// The row that a claim still holds.
    fn held_by(&mut self, claim: usize) -> Option<&mut Row> {
        let (row, attempts, until) = *self.claims.get(claim)?;
        let row = &mut self.rows[row];
        let same = row.state == MessageState::Sending
            && row.attempts == attempts
            && row.claimed_until == Some(until);
        same.then_some(row)
    }

    fn release(row: &mut Row, now: i64) {
        (row.state, row.next_try) = (MessageState::Waiting, now);
    }
}

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Step> {
        let claim = 0..model.claims.len().max(1);
        let row = 0..model.rows.len().max(1);
        prop_oneof![
            4 => (0..2_i64, prop_oneof![Just(0), 1..600_i64], prop::bool::weighted(0.2))
                .prop_map(|(priority, delay, held)| Step::Add { priority, delay, held }),
            6 => Just(Step::Claim),
            3 => claim.clone().prop_map(Step::Sent),
            3 => (claim.clone(), 1..400_i64, any::<bool>()).prop_map(|(n, wait, maybe)| Step::Later(n, wait, maybe)),
            1 => (claim, any::<bool>()).prop_map(|(n, maybe)| Step::Failed(n, maybe)),
            1 => Just(Step::Crash),
            4 => (1..400_i64).prop_map(Step::Wait),
            1 => row.prop_map(Step::Release),
            1 => prop::sample::select(MessageState::ALL.to_vec()).prop_map(Step::ReleaseAll),
            2 => (0..3_usize).prop_map(Step::Look),
            2 => (0..3_usize).prop_map(Step::TakeLead),
            2 => (0..3_usize).prop_map(Step::Beat),
            1 => (0..3_usize).prop_map(Step::GiveUpLead),
            2 => (0..3_usize).prop_map(Step::Write),
        ]
        .boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        let now = model.now;
        match *step {
            Step::Add { priority, delay, held } => model.rows.push(Row {
                state: if held { MessageState::Held } else { MessageState::Waiting },
                priority,
                next_try: now + delay,
                attempts: 0,
                claimed_until: None,
                maybe_arrived: false,
            }),
            Step::Claim => {
                if let Some(n) = model.next() {
                    let row = &mut model.rows[n];
                    row.maybe_arrived |= row.state == MessageState::Sending;
                    row.state = MessageState::Sending;
                    row.attempts += 1;
                    row.claimed_until = Some(now + CLAIM);
                    let claim = (n, row.attempts, now + CLAIM);
                    model.claims.push(claim);
                }
            }
            Step::Sent(claim) => {
                if let Some(row) = model.held_by(claim) {
                    (row.state, row.claimed_until) = (MessageState::Sent, None);
                }
            }
            Step::Later(claim, wait, maybe) => {
                if let Some(row) = model.held_by(claim) {
                    (row.state, row.claimed_until) = (MessageState::Waiting, None);
                    row.next_try = now + wait;
                    row.maybe_arrived |= maybe;
                }
            }
            Step::Failed(claim, maybe) => {
                if let Some(row) = model.held_by(claim) {
                    (row.state, row.claimed_until) = (MessageState::Failed, None);
                    row.maybe_arrived |= maybe;
                }
            }
            Step::Crash => model.claims.clear(),
            Step::Wait(time) => model.now += time,
            Step::Release(n) => {
                if let Some(row) = model.rows.get_mut(n)
                    && matches!(row.state, MessageState::Failed | MessageState::Held)
                {
                    Model::release(row, now);
                }
            }
            Step::ReleaseAll(state) => {
                if matches!(state, MessageState::Failed | MessageState::Held) {
                    model
                        .rows
                        .iter_mut()
                        .filter(|row| row.state == state)
                        .for_each(|row| Model::release(row, now));
                }
            }
            Step::Look(who) => model.lead.seen[who] = Some((model.lead.term, model.lead.beat)),
            Step::TakeLead(who) => {
                let lead = &mut model.lead;
                if lead.seen[who] == Some((lead.term, lead.beat)) {
                    (lead.term, lead.beat, lead.holder) = (lead.term + 1, 0, Some(who));
                    lead.own[who] = Some(lead.term);
                }
            }
            Step::Beat(who) => model.lead.beat += i64::from(model.leads(who)),
            Step::GiveUpLead(who) => model.lead.holder = model.lead.holder.filter(|holder| *holder != who),
            Step::Write(_) => {}
        }
        model
    }
}

/// The store on SQLite, with the claims that its senders have in hand.
struct Real {
    folder: tempfile::TempDir,
    store: Store,
    claims: Vec<Claimed>,
    now: i64,
    rows: usize,
}

fn instant(seconds: i64) -> DateTime<Utc> {
    at("2026-06-30T04:30:00Z") + TimeDelta::seconds(seconds)
}

fn id(n: usize) -> Uuid {
    Uuid::from_u128(n as u128 + 1)
}

async fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(&format!("sqlite:{}", folder.path().join("test.db").display())).await.unwrap()
}

impl Real {
    async fn step(&mut self, before: &Model, after: &Model, step: &Step) {
        let (store, now) = (self.store.clone(), instant(self.now));
        match *step {
            Step::Add { priority, delay, held } => {
                let due = now + TimeDelta::seconds(delay);
                let mut tx = store.begin().await.unwrap();
                let message = message(self.rows as u128 + 1, now);
                tx.add_message(&OutboxMessage { priority, due, held, ..message }).await.unwrap();
                tx.commit().await.unwrap();
                self.rows += 1;
            }
            Step::Claim => {
                let got = store.claim_messages(now, instant(self.now + CLAIM), 1).await.unwrap();
                let expected: Vec<Uuid> =
                    after.claims[before.claims.len()..].iter().map(|one| id(one.0)).collect();
                assert_eq!(got.iter().map(|one| one.id).collect::<Vec<_>>(), expected);
                self.claims.extend(got);
            }
            Step::Sent(claim) | Step::Later(claim, ..) | Step::Failed(claim, _) => {
                let Some(mine) = self.claims.get(claim) else { return };
                let holds = before.clone().held_by(claim).is_some();
                let mut tx = store.begin().await.unwrap();
                let noted = match *step {
                    Step::Later(_, wait, maybe) => {
                        tx.message_later(mine, instant(self.now + wait), "451 later", maybe).await
                    }
                    Step::Failed(_, maybe) => tx.message_failed(mine, now, "550 no", maybe).await,
                    _ => tx.message_sent(mine, now).await,
                };
                assert_eq!(noted.unwrap(), holds, "a result counts for the claim that it belongs to only");
                tx.commit().await.unwrap();
            }
            Step::Crash => {
                self.claims.clear();
                self.store.close().await;
                self.store = open(&self.folder).await;
            }
            Step::Wait(time) => self.now += time,
            Step::Release(n) => {
                store.retry_message(id(n), now).await.unwrap();
            }
            Step::ReleaseAll(state) => {
                store.retry_all(state, now).await.unwrap();
            }
            Step::Look(who) => {
                let seen = store.leader().await.unwrap();
                assert_eq!((seen.term, seen.beat), after.lead.seen[who].unwrap());
                assert_eq!(seen.holder, after.lead.holder.map_or_else(String::new, |who| who.to_string()));
            }
            Step::TakeLead(who) => {
                let Some((term, beat)) = before.lead.seen[who] else { return };
                let seen = LeaderSeen { term, beat, holder: String::new() };
                let got = store.take_lead(&seen, &who.to_string()).await.unwrap();
                let taken = (after.lead.term > before.lead.term).then_some(after.lead.term);
                assert_eq!(got, taken, "{step:?}");
            }
            Step::Beat(who) => {
                let Some(term) = before.lead.own[who] else { return };
                assert_eq!(store.beat(term).await.unwrap(), before.leads(who), "{step:?}");
            }
            Step::GiveUpLead(who) => store.give_up_lead(&who.to_string()).await.unwrap(),
            Step::Write(who) => {
                let Some(term) = before.lead.own[who] else { return };
                let begun = store.led(term).begin().await;
                let told = begun.as_ref().err().map(ToString::to_string);
                assert_eq!(begun.is_ok(), before.leads(who), "one leader's writes: {step:?}, {told:?}");
            }
        }
    }

    async fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for n in 0..self.rows {
            let row = self.store.outbox_entry(id(n)).await.unwrap().unwrap();
            let seconds = |at: DateTime<Utc>| (at - instant(0)).num_seconds();
            rows.push(Row {
                state: row.state,
                priority: row.priority,
                next_try: seconds(row.next_try),
                attempts: row.attempts,
                claimed_until: row.claimed_until.map(seconds),
                maybe_arrived: row.maybe_arrived,
            });
        }
        rows
    }
}

struct Test;

impl StateMachineTest for Test {
    type SystemUnderTest = (Runtime, Real, Model);
    type Reference = Machine;

    fn init_test(model: &Model) -> (Runtime, Real, Model) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = runtime.block_on(open(&folder));
        (runtime, Real { folder, store, claims: Vec::new(), now: 0, rows: 0 }, model.clone())
    }

    fn apply(
        (runtime, mut real, before): (Runtime, Real, Model),
        after: &Model,
        step: Step,
    ) -> (Runtime, Real, Model) {
        runtime.block_on(real.step(&before, after, &step));
        assert_eq!(runtime.block_on(real.rows()), after.rows, "after {step:?}");
        (runtime, real, after.clone())
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("TENSION_WATCH_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    })]
    #[test]
    fn the_outbox_and_the_lead_do_as_the_model_does(sequential 1..60 => Test);
}
