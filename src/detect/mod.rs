//! From counts to signals: how unusual is a count against what is usual for its series?
//!
//! In: counts and expectations. Out: probabilities, and how often by chance. Nothing here reads a clock, a file or a
//! database.
//!
//! `house` judges groups of series, `nightly` uses it on the areas of a night, `reference` holds the published methods
//! and `windows` uses those on a rule's window. docs/DETECTION.md gives the mathematics.
//!
//! # Adding a method
//!
//! One file that turns counts into [`Expectation`]s or judgements; what is shared (tails, recurrence) stays apart.

mod discovery;
mod dispersion;
mod effect;
pub mod house;
mod judged;
mod month;
mod nightly;
mod recurrence;
pub mod reference;
mod tails;
mod weekdays;
mod windows;

pub use discovery::discoveries;
pub use dispersion::Dispersion;
pub use effect::{BeforeAfter, before_and_after, share_of, times_usual};
pub use judged::judgement;
pub use month::{LEAST_MONTHS, MonthBaseline};
pub use nightly::{Multipliers, Nightly, Past, Surroundings};
pub use recurrence::{Ceilings, Cell, Floors, recurrence, recurrence_below};
pub use tails::{Expectation, ExpectationError};
pub use weekdays::Weekdays;
pub use windows::{fits_a_year, tells_rarity, usual_by};
