//! From what recipients are to be told to messages in the outbox.

use super::{maps::Maps, night::Engine};
use crate::{
    alerts::Recipient,
    mail::{
        Asked, Composed, Envelope, Facts, MailContext, Note, NoteLine, NoteSection, Picture, Thread,
        ThreadIndex, compose, compose_note, in_a_line, message_bytes, message_id,
    },
    model::{Alert, AlertLevel, Geography, Mailbox, Mute, Party, Role},
    store::{MessageKind, OutboxMessage, Tx},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// So many messages to one recipient in one run; what is beyond goes into one summary. Severe alerts come first.
pub const MOST_LETTERS: usize = 5;

/// So many messages to one recipient in one run that are sent even when all are severe. What is beyond is held, and the
/// analyst is told: a storm is a fault of a rule or of the data.
pub const STORM: usize = 20;

/// One alert, to be told to one recipient.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) facts: Facts,
    pub(super) sequence: i64,
    pub(super) to: Recipient,
    /// The roles of the others who are told.
    pub(super) others: Vec<String>,
    /// The roles of those who have not acknowledged it, where that is the news.
    pub(super) waiting: Vec<String>,
    pub(super) by: Option<DateTime<Utc>>,
    /// Who is told when it is not acknowledged in time.
    pub(super) then: Option<String>,
}

impl Letter {
    /// One for each recipient, who each read of the others.
    pub(super) fn each(
        facts: &Facts,
        sequence: i64,
        recipients: Vec<Recipient>,
        geography: &Geography,
        by: Option<DateTime<Utc>>,
        then: Option<&str>,
    ) -> Vec<Self> {
        let labels: Vec<String> = recipients.iter().map(|to| to.label(geography)).collect();
        let one = |(place, to): (usize, Recipient)| {
            let others = labels.iter().enumerate().filter(|(other, _)| *other != place);
            Self {
                facts: facts.clone(),
                sequence,
                to,
                others: others.map(|(_, label)| label.clone()).collect(),
                waiting: Vec::new(),
                by,
                then: then.map(ToOwned::to_owned),
            }
        };
        recipients.into_iter().enumerate().map(one).collect()
    }

    fn level(&self) -> AlertLevel {
        self.facts.alert.latest.level
    }
}

/// What a message is about.
#[derive(Clone, Copy)]
struct About {
    kind: MessageKind,
    key: Uuid,
    sequence: i64,
    /// Leaves first, and passes mute hours.
    urgent: bool,
}

/// What went into the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Posted {
    /// Messages, summaries included.
    pub(super) messages: usize,
    /// Messages held because one recipient would have got too many.
    pub(super) held: usize,
}

impl Engine {
    /// Puts a run's letters into the outbox: the severe first, at most [`MOST_LETTERS`] for a recipient, the rest of theirs
    /// in one summary.
    pub(super) async fn post(
        &self,
        tx: &mut Tx,
        letters: Vec<Letter>,
        maps: &mut Maps,
        geography: &Geography,
        now: DateTime<Utc>,
    ) -> Result<Posted> {
        let mut boxes: BTreeMap<String, Vec<Letter>> = BTreeMap::new();
        for letter in letters {
            boxes.entry(letter.to.address.to_lowercase()).or_default().push(letter);
        }
        let mut posted = Posted::default();
        for mut letters in boxes.into_values() {
            letters.sort_by(|a, b| {
                (b.level().cmp(&a.level())).then_with(|| a.facts.alert.number.cmp(&b.facts.alert.number))
            });
            let severe = letters.iter().filter(|letter| letter.level() == AlertLevel::Severe).count();
            let rest = letters.split_off(letters.len().min(severe.max(MOST_LETTERS)));
            for (place, letter) in letters.iter().enumerate() {
                let held = place >= STORM;
                let alert = &letter.facts.alert;
                let map = maps.of(self, alert).await?;
                self.write(tx, letter, map, geography, now, held).await?;
                posted.held += usize::from(held);
                posted.messages += 1;
            }
            if !rest.is_empty() {
                self.summarise(tx, &rest, geography, now).await?;
                posted.messages += 1;
            }
        }
        Ok(posted)
    }

    async fn write(
        &self,
        tx: &mut Tx,
        letter: &Letter,
        map: Option<&Picture>,
        geography: &Geography,
        now: DateTime<Utc>,
        held: bool,
    ) -> Result<()> {
        let alert = &letter.facts.alert;
        let answer = self.answer_link(tx, alert.id, &letter.to.address, &letter.to.party(), now).await?;
        let reader = letter.to.label(geography);
        let mut context = self.mail_context(letter, geography, &reader, &answer);
        context.map = map;
        let composed = compose(&context).context("making a message")?;
        let severe = letter.level() == AlertLevel::Severe;
        let about =
            About { kind: MessageKind::Alert, key: alert.id, sequence: letter.sequence, urgent: severe };
        self.put(tx, &composed, about, &letter.to.address, letter.to.mute, now, held).await
    }

    /// Puts a message into the outbox; mute hours hold it unless it is urgent.
    #[expect(clippy::too_many_arguments, reason = "they are what a message in the outbox is")]
    async fn put(
        &self,
        tx: &mut Tx,
        composed: &Composed,
        about: About,
        address: &str,
        mute: Option<Mute>,
        now: DateTime<Utc>,
        held: bool,
    ) -> Result<()> {
        let envelope = Envelope { from: &self.from, to: address };
        let id = message_id(about.key, about.sequence, envelope);
        let root = tx.thread_root(about.key, address).await?;
        let index = (about.kind == MessageKind::Alert).then(|| ThreadIndex {
            alert: about.key,
            root: root.as_ref().map_or(now, |root| root.created_at),
            later: root.as_ref().map(|_| (now, about.sequence)),
        });
        let follows: Vec<String> = root.into_iter().map(|root| root.message_id).collect();
        let thread = Thread { id: &id, follows: &follows, index };
        let bytes = message_bytes(composed, envelope, thread, now, self.signer.as_ref())
            .context("making a message")?;
        let due = mute.filter(|_| !about.urgent);
        let message = OutboxMessage {
            id: Uuid::now_v7(),
            kind: about.kind,
            about: about.key,
            mailbox: address.to_owned(),
            sequence: about.sequence,
            priority: i64::from(!about.urgent),
            message_id: id,
            message: String::from_utf8(bytes).context("a message is ASCII")?,
            created_at: now,
            due: due.map_or(now, |mute| mute.free_from(now, self.county.pack.zone)),
            held,
        };
        tx.add_message(&message).await.context("putting a message into the outbox")
    }

    /// Puts a note for one mailbox into the outbox.
    pub(super) async fn note(
        &self,
        tx: &mut Tx,
        note: &Note,
        (kind, key): (MessageKind, Uuid),
        to: &Mailbox,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let composed = compose_note(note, &self.marking, self.synthetic).context("making a note")?;
        let about = About { kind, key, sequence: 0, urgent: kind == MessageKind::Data };
        self.put(tx, &composed, about, &to.address, to.mute, now, false).await
    }

    pub(super) fn mail_context<'a>(
        &'a self,
        letter: &'a Letter,
        geography: &'a Geography,
        reader: &'a str,
        answer: &'a str,
    ) -> MailContext<'a> {
        let facts = &letter.facts;
        MailContext {
            alert: &facts.alert,
            kind: &facts.kind,
            about: Some(&facts.about),
            before: facts.before.as_ref(),
            pack: &self.county.pack,
            geography,
            figures: facts.figures.clone(),
            history: facts.history.clone(),
            map: None,
            data_as_at: facts.data_as_at,
            late: facts.late,
            calendar: &facts.calendar,
            rule_in_words: &facts.rule_in_words,
            reader,
            others: &letter.others,
            asked: Asked { by: letter.by, then: letter.then.as_deref() },
            tell_again: facts.tell_again,
            waiting: &letter.waiting,
            answer,
            site: &self.site,
            marking: &self.marking,
            synthetic: self.synthetic,
        }
    }

    /// One message in place of many.
    async fn summarise(
        &self,
        tx: &mut Tx,
        letters: &[Letter],
        geography: &Geography,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Some(first) = letters.first() else { return Ok(()) };
        let mut lines = Vec::new();
        for letter in letters {
            let alert = &letter.facts.alert;
            let link = self.answer_link(tx, alert.id, &letter.to.address, &letter.to.party(), now).await?;
            let reader = letter.to.label(geography);
            let context = self.mail_context(letter, geography, &reader, &link);
            lines.push(NoteLine { text: in_a_line(&context), link: Some(link) });
        }
        let many = letters.len();
        let note = Note {
            subject: format!(
                "{many} further tension signals, {}",
                self.county.day_of(now).format("%-d %B %Y")
            ),
            heading: format!("{many} further alerts are told in one message"),
            lede: format!(
                "More than {MOST_LETTERS} alerts concern you at once. The strongest came each in a message of its own"
            ),
            asked: "Please open each of them and acknowledge it, or close it and say what you made of it"
                .into(),
            link: Some((format!("{}/alerts", self.site), "See all alerts".into())),
            sections: vec![NoteSection { heading: "The alerts".into(), lines }],
            reader: first.to.label(geography),
            again: "You will hear again of each of them as of any other alert".into(),
            unsubscribe: None,
            attached: None,
        };
        let composed = compose_note(&note, &self.marking, self.synthetic).context("making a summary")?;
        let key = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("summary/{}", now.to_rfc3339()).as_bytes());
        let about = About { kind: MessageKind::Summary, key, sequence: 0, urgent: false };
        self.put(tx, &composed, about, &first.to.address, first.to.mute, now, false).await
    }

    /// The mail about an alert as it was told last, as the first of those asked would get it; none when nobody was told.
    ///
    /// # Errors
    ///
    /// When the store fails, or the message can't be made.
    pub async fn preview(&self, alert: &Alert) -> Result<Option<Composed>> {
        let told =
            self.store.notice::<Facts>(alert.id, alert.sequence).await.context("loading what was told")?;
        let Some(facts) = told else { return Ok(None) };
        let geography = self.county.geography(facts.alert.night)?;
        let asked = facts.alert.asked.first();
        let parties = asked.map_or(&[][..], |asked| &asked.parties);
        let to = parties.first().cloned().unwrap_or(Party { role: Role::Analyst, area: None });
        let recipient = Recipient {
            address: String::new(),
            role: to.role,
            area: to.area.clone(),
            in_place: false,
            mute: None,
        };
        let letter = Letter {
            others: parties.iter().skip(1).map(|party| party.label(&geography)).collect(),
            by: asked.and_then(|asked| asked.by),
            sequence: 0,
            to: recipient,
            waiting: Vec::new(),
            then: None,
            facts,
        };
        let reader = to.label(&geography);
        let answer = format!("{}/answer/{}", self.site, "0".repeat(32));
        let mut maps = Maps::default();
        let mut context = self.mail_context(&letter, &geography, &reader, &answer);
        context.map = maps.of(self, &letter.facts.alert).await?;
        Ok(Some(compose(&context).context("making the message")?))
    }

    /// The link by which a recipient answers an alert: the same in every message of the thread. Whoever holds it may answer
    /// for the mailbox, so only its hash is kept.
    pub(super) async fn answer_link(
        &self,
        tx: &mut Tx,
        alert: Uuid,
        mailbox: &str,
        party: &Party,
        now: DateTime<Utc>,
    ) -> Result<String> {
        let token = answer_token(&self.answer_key, alert, mailbox);
        tx.save_answer_link(&hash_of(&token), alert, mailbox, party, now).await.context("keeping a link")?;
        Ok(format!("{}/answer/{token}", self.site))
    }
}

/// 32 hexadecimal digits that nobody can guess without the key.
fn answer_token(key: &str, alert: Uuid, mailbox: &str) -> String {
    keyed(key, &format!("{alert}/{}", mailbox.to_lowercase()))
}

/// A text as only somebody with the key can make it: HMAC-SHA256 (RFC 2104), the first 128 bits in hexadecimal digits.
pub(crate) fn keyed(key: &str, text: &str) -> String {
    // A key of any length is one for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    crate::import::hex(&mac.finalize().into_bytes()[..16])
}

/// What is kept of the secret part of a link.
pub(crate) fn hash_of(token: &str) -> String {
    crate::import::hex(&Sha256::digest(token.as_bytes()))
}
