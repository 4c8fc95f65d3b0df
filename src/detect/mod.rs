//! From counts to signals: how unusual is a count against what is usual for its series?
//!
//! In: counts and expectations. Out: probabilities, and how often by chance. Nothing here reads a clock, a file or a
//! database.
//!
//! # Adding a method
//!
//! One file that turns counts into [`Expectation`]s or judgements; what is shared (tails, recurrence) stays apart.

mod dispersion;
mod effect;
mod house;
mod month;
mod recurrence;
pub mod reference;
mod season;
mod tails;
mod windows;

pub use dispersion::Dispersion;
pub use effect::times_usual;
pub use house::{Baseline, GUARD_DAYS, LEAST_HISTORY_DAYS, judgement};
pub use month::{LEAST_MONTHS, MonthBaseline};
pub use recurrence::{Cell, Floors, recurrence};
pub use season::Season;
pub use tails::{Expectation, ExpectationError};
pub use windows::{tells_rarity, usual_by};
