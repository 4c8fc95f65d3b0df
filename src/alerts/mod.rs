//! From findings to alerts with a life.
//!
//! In: the findings of a night and the alerts alive before it. Out: the alerts after it and who is to be told what. The
//! order of the steps is the meaning. Nothing here reads a clock, a file or a database.
//!
//! [`step`] takes one night; [`growth`] decides whether an alert has outgrown what was told; [`route`] finds the
//! mailboxes. One alert is one thread: one message for each recipient and notice. A cap on messages to one recipient in
//! one night, with one summary beyond it, does not exist yet. A new reason to tell again is a variant of [`Growth`] and one line where growth is looked for.

mod growth;
mod life;
mod routing;

pub use growth::{Growth, growth};
pub use life::{CLOSES_AFTER, Event, Judged, Notice, NoticeKind, Step, numbers_wanted, step};
pub use routing::{Gap, Recipient, Route, role_in_words, route};
