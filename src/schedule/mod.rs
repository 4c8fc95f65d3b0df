//! When the engine runs.
//!
//! In: cron expressions as the configuration writes them, a time zone, an instant. Out: ticks as UTC instants, and the
//! job of each called once.

mod keeper;
mod leader;
mod ticks;

pub use keeper::keep;
pub use leader::{Leading, lead};
pub use ticks::{Schedule, ScheduleError};
