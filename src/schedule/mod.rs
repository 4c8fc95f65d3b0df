//! When the engine runs.
//!
//! In: cron expressions as the configuration writes them, a time zone, an instant. Out: ticks as UTC instants.

mod ticks;

pub use ticks::{Schedule, ScheduleError};
