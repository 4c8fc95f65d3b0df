//! The bytes of a message: made once, stored, and sent again unchanged until they are through.

use super::{Composed, Signer, ThreadIndex};
use chrono::{DateTime, Utc};
use lettre::{
    Address, Message,
    message::{
        Attachment, Mailbox, MultiPart, MultiPartBuilder, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// Who sends a message and who gets it: addresses only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The sender's address.
    pub from: &'a str,
    /// The recipient's address.
    pub to: &'a str,
}

/// A message's place among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread<'a> {
    /// Its own id, as [`message_id`] makes it; the same at every attempt.
    pub id: &'a str,
    /// The messages it follows, the first of the thread first; empty for the first message itself.
    pub follows: &'a [String],
    /// Its place in the thread of an alert, for Outlook; none for what is no such thread.
    pub index: Option<ThreadIndex>,
}

/// A message that can't be made.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// An address of the directory or the configuration.
    #[error(
        "`{address}` is not an address that mail can be sent to; mend it in the directory or in [mail] from"
    )]
    Address {
        /// As it was given, cleaned and cut.
        address: String,
    },
    /// An id that would not survive as a header.
    #[error("`{0}` is not a Message-ID: it is written <something@domain>")]
    Id(String),
    /// The signature.
    #[error(transparent)]
    Sign(#[from] super::DkimError),
    /// Anything else, from the library that writes messages.
    #[error("the message could not be written: {0}")]
    Write(#[from] lettre::error::Error),
}

/// The Message-ID of an alert's message to an address: the same whenever it is asked for, so that a message sent twice
/// is one message to the mail programs that look.
#[must_use]
pub fn message_id(alert: Uuid, sequence: i64, envelope: Envelope<'_>) -> String {
    let id = Uuid::new_v5(&alert, format!("{sequence}/{}", envelope.to.to_lowercase()).as_bytes());
    let domain = envelope.from.rsplit_once('@').map_or("tension-watch.invalid", |(_, domain)| domain);
    format!("<{id}@{domain}>")
}

/// Writes a message: plain text, and HTML with its pictures; signed where there is a signer. ASCII with CRLF; the same
/// arguments give the same bytes.
///
/// # Errors
///
/// When an address or an id can't stand in a message; see [`MessageError`].
pub fn message_bytes(
    composed: &Composed,
    envelope: Envelope<'_>,
    thread: Thread<'_>,
    date: DateTime<Utc>,
    signer: Option<&Signer>,
) -> Result<Vec<u8>, MessageError> {
    let sender = Mailbox::new(Some("Tension Watch".into()), address(envelope.from)?);
    let mut message = Message::builder()
        .from(sender)
        .to(Mailbox::new(None, address(envelope.to)?))
        .subject(&composed.subject)
        .date(system_time(date))
        .message_id(Some(checked(thread.id)?));
    if let Some(last) = thread.follows.last() {
        let all: Result<Vec<String>, MessageError> = thread.follows.iter().map(|id| checked(id)).collect();
        message = message.in_reply_to(checked(last)?).references(all?.join(" "));
    }
    let mut others = vec![
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "All".to_owned()),
        ("Thread-Topic", composed.topic.clone()),
    ];
    others.extend(thread.index.map(|index| ("Thread-Index", index.header())));
    if let Some(to) = &composed.unsubscribe {
        // An address that could end the header early is refused, as any other.
        others.push(("List-Unsubscribe", format!("<mailto:{}?subject=unsubscribe>", address(to)?)));
    }
    for (name, value) in others {
        message = message.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
    }
    let bytes = message.multipart(body(composed, thread.id))?.formatted();
    Ok(match signer {
        Some(signer) => signer.sign(&bytes, date)?,
        None => bytes,
    })
}

fn body(composed: &Composed, id: &str) -> MultiPart {
    // Boundaries by chance would make other bytes of the same message.
    let boundary =
        |what: &str| format!("{what}-{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, id.as_bytes()).simple());
    let html = SinglePart::html(composed.html.clone());
    let mut related =
        part().kind(lettre::message::MultiPartKind::Related).boundary(boundary("related")).singlepart(html);
    for picture in &composed.pictures {
        let inline = Attachment::new_inline(picture.cid.clone());
        related = related.singlepart(inline.body(picture.png.clone(), image_png()));
    }
    let text = part()
        .kind(lettre::message::MultiPartKind::Alternative)
        .boundary(boundary("alternative"))
        .singlepart(SinglePart::plain(composed.text.clone()))
        .multipart(related);
    let Some(file) = &composed.attached else { return text };
    let kind = ContentType::parse(&file.kind).unwrap_or(ContentType::TEXT_PLAIN);
    part()
        .kind(lettre::message::MultiPartKind::Mixed)
        .boundary(boundary("mixed"))
        .multipart(text)
        .singlepart(Attachment::new(file.name.clone()).body(file.bytes.clone(), kind))
}

fn part() -> MultiPartBuilder {
    MultiPart::builder()
}

fn image_png() -> ContentType {
    ContentType::parse("image/png").unwrap_or(ContentType::TEXT_PLAIN)
}

/// Refuses what would panic or add headers further on.
pub(super) fn address(text: &str) -> Result<Address, MessageError> {
    let wrong = || MessageError::Address { address: crate::words::clean(text) };
    let plain = text.is_ascii() && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if plain && text.len() <= 254 { text.parse().map_err(|_| wrong()) } else { Err(wrong()) }
}

fn checked(id: &str) -> Result<String, MessageError> {
    let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).and_then(|id| id.split_once('@'));
    let safe = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b"<>@\\\"()".contains(&b))
    };
    match inner {
        Some((left, right)) if id.len() <= 250 && safe(left) && safe(right) => Ok(id.to_owned()),
        _ => Err(MessageError::Id(crate::words::clean(id))),
    }
}

/// Kept to the years that a Date header can hold.
fn system_time(at: DateTime<Utc>) -> SystemTime {
    const LAST: i64 = 253_402_300_799;
    SystemTime::UNIX_EPOCH + Duration::from_secs(at.timestamp().clamp(0, LAST) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Picture;
    use proptest::prelude::*;

    const ENVELOPE: Envelope<'_> = Envelope { from: "watch@county.invalid", to: "csp@leicester.invalid" };

    fn composed(subject: &str) -> Composed {
        Composed {
            unsubscribe: None,
            subject: subject.into(),
            topic: "Tension signal LLR-2026-0147".into(),
            text: "9 reports – more than usual\n".into(),
            html: format!("<p>{}</p>", "long ".repeat(400)),
            attached: None,
            pictures: vec![Picture {
                cid: "chart".into(),
                png: vec![0x89; 90],
                alternative: "A chart.".into(),
            }],
        }
    }

    fn at() -> DateTime<Utc> {
        "2026-06-30T04:30:00Z".parse().unwrap()
    }

    fn written(subject: &str, follows: &[String]) -> String {
        let id = message_id(Uuid::from_u128(1), 0, ENVELOPE);
        let index = Some(ThreadIndex {
            alert: Uuid::from_u128(1),
            root: at(),
            later: (!follows.is_empty()).then(|| (at() + chrono::TimeDelta::days(1), 1)),
        });
        let thread = Thread { id: &id, follows, index };
        let bytes = message_bytes(&composed(subject), ENVELOPE, thread, at(), None).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_what_may_be_refused_says_how() {
        assert!(!written("Signal", &[]).contains("List-Unsubscribe"));
        let thread = Thread { id: "<a@b>", follows: &[], index: None };
        let mut digest =
            Composed { unsubscribe: Some("analysts@county.invalid".into()), ..composed("Digest") };
        let text = |digest: &Composed| message_bytes(digest, ENVELOPE, thread, at(), None);
        let text_of_digest = String::from_utf8(text(&digest).unwrap()).unwrap();
        let line = "\r\nList-Unsubscribe: <mailto:analysts@county.invalid?subject=unsubscribe>\r\n";
        assert!(text_of_digest.contains(line), "{text_of_digest}");
        assert!(!text_of_digest.contains("Thread-Index"));
        digest.unsubscribe = Some("a@b.invalid>\r\nBcc: <c@d.invalid".into());
        assert!(matches!(text(&digest), Err(MessageError::Address { .. })));
    }

    #[test]
    fn the_same_message_is_the_same_bytes_with_fixed_date_and_id() {
        let message = written("Signal", &[]);
        assert_eq!(message, written("Signal", &[]));
        assert!(message.is_ascii());
        assert!(message.lines().all(|line| line.len() <= 998));
        let head = message.split("\r\n\r\n").next().unwrap();
        insta::assert_snapshot!(head.replace('\r', ""), @r#"
        From: "Tension Watch" <watch@county.invalid>
        To: csp@leicester.invalid
        Subject: Signal
        Date: Tue, 30 Jun 2026 04:30:00 +0000
        Message-ID: <3885c1b6-dac1-585d-b1bb-3de0386b8ea5@county.invalid>
        Auto-Submitted: auto-generated
        X-Auto-Response-Suppress: All
        Thread-Topic: Tension signal LLR-2026-0147
        Thread-Index: AQHdCEkcH8AIpeviV5+t7HNnNNLhxg==
        MIME-Version: 1.0
        Content-Type: multipart/alternative;
         boundary="alternative-a5723126c6e554a7a90ac29d4f84290c"
        "#);
        assert!(message.contains("Content-ID: <chart>"));
        assert!(!head.contains("In-Reply-To"));
    }

    #[test]
    fn an_update_follows_the_first_message() {
        let root = message_id(Uuid::from_u128(1), 0, ENVELOPE);
        let update = written("Signal", std::slice::from_ref(&root));
        assert!(update.contains(&format!("In-Reply-To: {root}")));
        assert!(update.contains(&format!("References: {root}")));
        let index = |message: &str| {
            let line = message.lines().find_map(|line| line.strip_prefix("Thread-Index: "));
            line.unwrap_or_default().to_owned()
        };
        // 22 bytes are 29 characters and a bit; what follows continues them.
        assert_eq!(index(&update)[..29], index(&written("Signal", &[]))[..29]);
        assert_ne!(index(&update), index(&written("Signal", &[])));
        assert_ne!(root, message_id(Uuid::from_u128(1), 1, ENVELOPE));
        assert_eq!(
            root,
            message_id(Uuid::from_u128(1), 0, Envelope { to: "CSP@leicester.invalid", ..ENVELOPE })
        );
    }

    #[test]
    fn addresses_and_ids_that_would_add_headers_are_refused_by_name() {
        let thread = Thread { id: "<a@b>", follows: &[], index: None };
        for to in
            ["a@b.invalid\r\nBcc: x@y.invalid", "", "no address", "a@b.invalid,c@d.invalid", "ü@b.invalid"]
        {
            let made = message_bytes(&composed("Signal"), Envelope { to, ..ENVELOPE }, thread, at(), None);
            assert!(made.unwrap_err().to_string().contains("directory"), "{to}");
        }
        for id in ["<a b@c>", "a@b", "<a@b>\r\nBcc: x", "<a>", "<@>"] {
            let thread = Thread { id, follows: &[], index: None };
            let made = message_bytes(&composed("Signal"), ENVELOPE, thread, at(), None);
            assert!(matches!(made, Err(MessageError::Id(_))), "{id}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_no_header_is_added(
            to in ".{0,40}", subject in ".{0,200}", id in ".{0,20}", seconds in any::<i32>(),
        ) {
            let date = DateTime::from_timestamp(i64::from(seconds) * 200, 0).unwrap_or_default();
            let envelope = Envelope { to: &to, ..ENVELOPE };
            let id = format!("<{id}@b>");
            let index = Some(ThreadIndex { alert: Uuid::from_u128(1), root: date, later: Some((at(), 1)) });
            let thread = Thread { id: &id, follows: &[], index };
            let _ = message_bytes(&composed("Signal"), envelope, thread, date, None);
            let message = written(&crate::words::clean(&subject), &[]);
            let names = message.split("\r\n\r\n").next().unwrap().lines().filter(|line| !line.starts_with(' ')).count();
            prop_assert_eq!(names, 11);
        }
    }
}
