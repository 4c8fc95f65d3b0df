//! The shared words of the product, without behaviour that waits: no clock, no database, no network.
//!
//! In: nothing. Out: the types every other folder speaks in. A new word comes here only when two folders need it;
//! its name is the field's own term, the same in code, tables, pages and mails.

mod action;
mod answer;
mod area;
mod category;
mod directory;
mod finding;
mod incident;
mod level;
mod pack;
mod period;
mod scope;
mod signal;

pub use action::{Action, ActionState, Priority};
pub use answer::{Acknowledgement, Asked, Closing, DataAlert, Outcome, Party, Silence, Untold};
pub use area::{Area, AreaKind, DanglingLink, Geography, UnknownKind};
pub use category::{Categories, CategorySet, MAX_CATEGORIES, TooManyCategories};
pub use directory::{Mailbox, Mute, Role, UnknownMute, UnknownRole};
pub use finding::{
    Alert, AlertState, CalendarNote, Finding, Plain, ShareSeen, SignalKind, Subject, Through, Told,
};
pub use incident::{Incident, Place, Precision, Status, day_and_month};
pub use level::{AlertLevel, Recurrence};
pub use pack::{Bounds, Class, Pack, Projection, Reporting, Terms};
pub use period::{Period, PeriodError};
pub use scope::{Scope, UnknownScope};
pub use signal::{AreaRef, Change, Cluster, Effect, Judgement, RepeatPlace, Window};
