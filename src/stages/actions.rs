//! The action register: what partners do, what is overdue, and the second look at an area four weeks after.

use super::{
    answers::Answerer,
    figures::Question,
    night::{Engine, When},
    rules::checked_apart,
};
use crate::{
    count::Seen,
    detect::{Past, before_and_after},
    mail::{Note, NoteLine, NoteSection},
    model::{
        Action, ActionState, Alert, AreaKind, AreaRef, CategorySet, Geography, Mailbox, Party, Priority,
        Role, Subject, Window,
    },
    rules::Play,
    store::MessageKind,
    words::{counted, times},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The longest line of an action, and of what came of it.
pub const LONGEST_ACTION: usize = 200;

/// An area is looked at again so many days after an action, against as many before.
const LOOKED_AFTER: u32 = 28;

/// What can't be told by then, because reports still do not arrive, is not told any more.
const LOOKED_UNTIL: u64 = 120;

/// Windows of that length whose spread says how much counts vary there: two years.
const WINDOWS: usize = 26;

/// What somebody wrote, as one line of at most [`LONGEST_ACTION`] letters.
#[must_use]
pub fn one_line(text: &str) -> String {
    let kept = text.chars().filter(|letter| !letter.is_control());
    kept.take(LONGEST_ACTION).collect::<String>().trim().to_owned()
}

/// What somebody wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What, in a line without names.
    pub title: String,
    /// By when.
    pub due: Option<NaiveDate>,
    /// What it is for.
    pub priority: Priority,
    /// Who does it; whoever records it without a role.
    pub owner: Option<Role>,
}

impl Plan {
    /// The action about an alert that it becomes.
    pub(super) fn about(
        &self,
        alert: &Alert,
        by: &Party,
        who: &str,
        geography: &Geography,
        now: DateTime<Utc>,
    ) -> Action {
        let owner = self.owner_at(&alert.latest.wards, by, geography);
        let area = area_of(alert, geography);
        self.action(Some((alert.id, alert.number.clone())), owner, area, who, now)
    }

    /// Who does it, in some wards.
    fn owner_at(&self, wards: &[String], by: &Party, geography: &Geography) -> Party {
        self.owner.map_or_else(|| by.clone(), |role| at(role, wards, by, geography))
    }

    fn action(
        &self,
        alert: Option<(Uuid, String)>,
        owner: Party,
        area: Option<AreaRef>,
        who: &str,
        now: DateTime<Utc>,
    ) -> Action {
        Action {
            id: Uuid::now_v7(),
            alert,
            owner,
            area,
            priority: self.priority,
            title: self.title.clone(),
            due: self.due,
            at: now,
            who: who.to_owned(),
            state: ActionState::Open,
            outcome: None,
            ended_at: None,
            overdue_told_at: None,
            looked_at: None,
        }
    }
}

/// Who has a role in some wards: in the area of whoever speaks where theirs is of the kind, else in that of the first ward.
fn at(role: Role, wards: &[String], by: &Party, geography: &Geography) -> Party {
    let kind = match role {
        Role::CspCoordinator | Role::CspChair => AreaKind::Csp,
        Role::NptSergeant | Role::NpaCommander => AreaKind::Npa,
        _ => return Party { role, area: None },
    };
    let own = by.area.clone().filter(|area| area.kind == kind);
    let there = || {
        let above = geography.above(wards.first()?, kind).next()?;
        Some(AreaRef { kind, code: above.code.clone() })
    };
    Party { role, area: own.or_else(there) }
}

/// Where an alert is: its own area, its one ward, or the partnership of its first.
fn area_of(alert: &Alert, geography: &Geography) -> Option<AreaRef> {
    if let Subject::Area { area, .. } = &alert.latest.subject {
        return Some(area.clone());
    }
    match &*alert.latest.wards {
        [] => None,
        [ward] => Some(AreaRef { kind: AreaKind::Ward, code: ward.clone() }),
        [ward, ..] => geography
            .above(ward, AreaKind::Csp)
            .next()
            .map(|csp| AreaRef { kind: AreaKind::Csp, code: csp.code.clone() }),
    }
}

impl Engine {
    /// What the playbooks suggest about an alert.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn suggestions(&self, alert: &Alert, geography: &Geography) -> Result<Vec<Play>> {
        let saved = self.store.last_rules().await.context("loading the rules")?;
        let Some(saved) = saved else { return Ok(Vec::new()) };
        // Only the playbooks: what the other files say is not asked.
        let own = saved.files.into_iter().filter(|(name, _)| name.starts_with("playbooks/")).collect();
        let checked = checked_apart(own, &self.county, alert.night).await?;
        let categories = &self.county.pack.categories;
        let mut plays = checked.playbook;
        plays.retain(|play| play.fits(&alert.latest, categories, geography));
        Ok(plays)
    }

    /// Records an action that answers no alert.
    ///
    /// # Errors
    ///
    /// When the store fails; then nothing has changed.
    pub async fn plan(
        &self,
        plan: &Plan,
        by: &Answerer,
        area: Option<AreaRef>,
        now: DateTime<Utc>,
    ) -> Result<Action> {
        let geography = self.county.geography(self.county.day_of(now))?;
        let owner = plan.owner_at(&geography.wards_in(area.as_ref()), &by.party, &geography);
        let action = plan.action(None, owner, area, &by.who, now);
        let mut tx = self.store.begin().await?;
        tx.add_action(&action).await.context("keeping an action")?;
        tx.commit().await.context("keeping an action")?;
        Ok(action)
    }

    /// Ends an open action; false when it had ended before.
    ///
    /// # Errors
    ///
    /// When the store fails; then nothing has changed.
    pub async fn end_action(
        &self,
        id: Uuid,
        state: ActionState,
        outcome: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let ended = tx.end_action(id, state, outcome, now).await.context("ending an action")?;
        tx.commit().await.context("ending an action")?;
        Ok(ended)
    }

    /// Tells the owners of overdue actions and the chairs of their partnerships, each once for each action; how many messages
    /// were made.
    ///
    /// # Errors
    ///
    /// When the store fails, or a message can't be made; then nothing has changed.
    pub async fn tell_overdue(&self, now: DateTime<Utc>) -> Result<usize> {
        let today = self.county.day_of(now);
        let mut due = self.store.action_register(now).await.context("loading the action register")?;
        due.retain(|action| action.is_overdue(today) && action.overdue_told_at.is_none());
        if due.is_empty() {
            return Ok(0);
        }
        let geography = self.county.geography(today)?;
        let directory = self.directory().await?;
        let mut tx = self.store.begin().await?;
        let mut boxes: BTreeMap<String, (&Mailbox, Vec<&Action>)> = BTreeMap::new();
        for action in &due {
            if !tx.overdue_told(action.id, now).await.context("noting what is told")? {
                continue;
            }
            for to in directory.iter().filter(|to| to.active && hears_of(to, action, &geography)) {
                let own = boxes.entry(to.address.to_lowercase()).or_insert((to, Vec::new()));
                own.1.push(action);
            }
        }
        for (to, actions) in boxes.values() {
            let note = self.overdue_note(to, actions, &geography);
            self.note(&mut tx, &note, (MessageKind::Action, Uuid::now_v7()), to, now).await?;
        }
        tx.commit().await.context("telling of overdue actions")?;
        Ok(boxes.len())
    }

    fn overdue_note(&self, to: &Mailbox, actions: &[&Action], geography: &Geography) -> Note {
        let many = match actions.len() {
            1 => "One action is".to_owned(),
            many => format!("{many} actions are"),
        };
        let line = |action: &&Action| {
            let day = action.due.map_or_else(String::new, |due| due.format("%-d %B %Y").to_string());
            let owner = action.owner.label(geography);
            let about =
                action.alert.as_ref().map_or_else(String::new, |(_, number)| format!(", for {number}"));
            let link = match &action.alert {
                Some((_, number)) => format!("{}/alerts/{number}", self.site),
                None => format!("{}/actions", self.site),
            };
            NoteLine { text: format!("{} (by {day}; {owner}{about})", action.title), link: Some(link) }
        };
        Note {
            subject: format!("{many} overdue"),
            heading: format!("{many} overdue"),
            lede: "The day by which it was to be done has passed, and nobody has said what came of it".into(),
            asked: "Please open the register and say what was done, or that it was dropped and why".into(),
            link: Some((format!("{}/actions", self.site), "Open the action register".into())),
            sections: vec![NoteSection {
                heading: "Overdue".into(),
                lines: actions.iter().map(line).collect(),
            }],
            reader: Party { role: to.role, area: to.area.clone() }.label(geography),
            again: "You hear of each action once; the register keeps it at the top until it has ended".into(),
            unsubscribe: None,
            attached: None,
        }
    }

    /// Looks again at the areas of actions that were done four weeks before a night, and keeps what is seen; how many.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(super) async fn look_again(&self, seen: &Seen, when: When) -> Result<usize> {
        let days = Days::new(u64::from(LOOKED_AFTER));
        let since = self.county.start_of(when.night - Days::new(LOOKED_UNTIL));
        let actions = self.store.action_register(since).await.context("loading the action register")?;
        let mut looked = 0;
        for action in actions {
            let Some(done) = action.ended_at.filter(|_| action.state == ActionState::Done) else { continue };
            let done = self.county.day_of(done);
            // The day itself belongs to the time before.
            let last = done + days;
            if action.looked_at.is_some() || last > when.night {
                continue;
            }
            // Without a figure of those days it is tried again the next night.
            let Some(area) = &action.area else { continue };
            let Some(words) = self.after(seen, when, area, &action, done)? else { continue };
            let mut tx = self.store.begin().await?;
            tx.action_looked_at(action.id, &words).await.context("keeping the second look")?;
            tx.commit().await.context("keeping the second look")?;
            looked += 1;
        }
        Ok(looked)
    }

    fn after(
        &self,
        seen: &Seen,
        when: When,
        area: &AreaRef,
        action: &Action,
        done: NaiveDate,
    ) -> Result<Option<String>> {
        let last = done + Days::new(u64::from(LOOKED_AFTER));
        let question = Question {
            night: last,
            as_known_on: when.as_known_on,
            kind: area.kind,
            category: None,
            class: None,
            days: LOOKED_AFTER,
        };
        let geography = self.county.geography(last)?;
        let mut night = question.counted(self, &geography, seen);
        let all: CategorySet = self.county.pack.categories.all();
        let mut past = night.curve(area, all, Window::ending(last, LOOKED_AFTER), WINDOWS + 2);
        let after = past.pop();
        Ok(after.zip(past.pop()).and_then(|(after, before)| in_words(&before, &after, &past, action)))
    }
}

/// Whether a mailbox hears that an action is overdue: its owner's, and the chairs of the partnerships where it is.
fn hears_of(to: &Mailbox, action: &Action, geography: &Geography) -> bool {
    let owner = to.role == action.owner.role && to.area == action.owner.area;
    let in_csp = || {
        let wards = geography.wards_in(action.area.as_ref());
        let Some(area) = &to.area else { return false };
        wards.iter().any(|ward| geography.lies_in(ward, area))
    };
    owner || to.role == Role::CspChair && action.area.is_some() && in_csp()
}

/// Before and after, in words that claim no more than the counts say.
fn in_words(before: &Past, after: &Past, others: &[Past], action: &Action) -> Option<String> {
    let spread = spread(others)?;
    let effect =
        before_and_after((before.observed, before.expected), (after.observed, after.expected), spread)?;
    let reports = |count: u64| counted(count, "report");
    let seen = format!(
        "{} in the {LOOKED_AFTER} days before it was done, where {:.1} would be usual; {} in the {LOOKED_AFTER} days after, \
         where {:.1} would be.",
        reports(before.observed),
        before.expected,
        reports(after.observed),
        after.expected
    );
    let found = match (effect.ratio, effect.high) {
        (None, _) => "Too few to say whether anything changed.".to_owned(),
        (Some(ratio), high) => {
            let to = high.map_or_else(|| "any number of".to_owned(), times);
            let interval = format!(
                "Against what is usual that is {} times as many, {} to {to} times with what chance does.",
                times(ratio),
                times(effect.low)
            );
            let meaning = match high {
                Some(high) if high < 1.0 => "Fewer than before by more than chance explains",
                _ if effect.low > 1.0 => "More than before by more than chance explains",
                _ => "Consistent with no change",
            };
            format!("{interval} {meaning}.")
        }
    };
    // What was picked because it was high is lower the next time by itself.
    let caution = if action.alert.is_some() {
        " The action followed an alert, and counts fall after a peak whatever is done: this shows no effect by itself."
    } else {
        " Other things changed too: this shows no effect by itself."
    };
    Some(format!("{seen} {found}{caution}"))
}

/// The variance of counts against what is usual, in units of the mean: 1 where they vary as Poisson counts.
fn spread(others: &[Past]) -> Option<f64> {
    let known: Vec<f64> = others
        .iter()
        .filter(|one| one.expected > 0.0)
        .map(|one| (one.observed as f64 - one.expected).powi(2) / one.expected)
        .collect();
    (known.len() >= 6).then(|| (known.iter().sum::<f64>() / known.len() as f64).max(1.0))
}

/// Where the suggestions of the playbook begin to be due.
#[must_use]
pub fn due_by(play: &Play, today: NaiveDate) -> NaiveDate {
    today + Days::new(u64::from(play.due_within_days))
}
