//! The present moment: the only place that reads the machine's clock.

use chrono::{DateTime, SubsecRound, Utc};

/// Where the present moment comes from. Asked once per piece of work and handed down as an argument.
pub trait Clock: Send + Sync {
    /// The present moment, to the microsecond: PostgreSQL keeps no more, and written must equal read.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock everything else asks")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands still, for tests, replays and the demonstration county.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub DateTime<Utc>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}
