//! From alerts to messages, and from the outbox to the mail server.
//!
//! In: an alert and what its reader needs beside it. Out: the bytes of a message, stored before they are sent; files or
//! an SMTP conversation.
//!
//! ```text
//! MailContext ─ told (sentences) ─ view ─┬─ templates/alert.txt  ─┐
//!                                        ├─ templates/alert.mjml ─┼─ Composed ─ message_bytes ─ outbox ─ transport
//!                                        └─ pictures ─────────────┘
//! ```
//!
//! Everything up to the bytes is pure. A new line in the message is a sentence in `told`, a field or fact in `view`, and
//! its place in both templates.

pub mod backoff;
mod compose;
mod context;
mod dkim;
mod message;
mod note;
mod render;
#[cfg(test)]
mod sample;
mod thread_index;
mod told;
pub mod transport;
mod view;

pub use compose::{Attached, Composed, Picture, compose};
pub use context::{Asked, Facts, Figures, LateReports, MailContext};
pub use dkim::{DkimError, Signer};
pub use message::{Envelope, MessageError, Thread, message_bytes, message_id};
pub use note::{Note, NoteLine, NoteSection, compose_note};
pub use render::RenderError;
pub use thread_index::ThreadIndex;
pub use told::FEWEST;
pub use view::{about, in_a_line};
