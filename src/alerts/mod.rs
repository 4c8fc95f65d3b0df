//! From findings to alerts with a life.
//!
//! In: the findings of a night and the alerts alive before it. Out: the alerts after it and who is to be told what. The
//! order of the steps is the meaning. Nothing here reads a clock, a file or a database.
//!
//! [`step`] takes one night; [`growth`] decides whether an alert has outgrown what was told; [`route`] finds the mailboxes.
//! What people answer goes through [`acknowledge`], [`act`], [`expected`] and [`close`], what they leave unanswered through
//! [`missing`]. One alert is one thread: one message for each recipient and notice. A new reason to tell again is a variant
//! of [`Growth`] and one line where growth is looked for.

mod answers;
mod growth;
mod life;
mod register;
mod routing;
mod silences;
mod working_days;
mod worth;

pub use answers::{
    Answered, Missing, acknowledge, act, asked_too, attended, close, expected, has_acknowledged, missing,
};
pub use growth::{Growth, growth};
pub use life::{CLOSES_AFTER, EASES_AFTER, Event, Judged, Notice, NoticeKind, Step, numbers_wanted, step};
pub use register::{acted, is_unanswered};
pub use routing::{Gap, Recipient, Route, gaps, role_in_words, route};
pub use silences::{covers, silenced};
pub use working_days::WorkingDays;
pub use worth::Worth;
