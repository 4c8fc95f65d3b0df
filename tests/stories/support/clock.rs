//! A clock that is moved by hand.

use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Mutex, PoisonError};
use tension_watch::clock::Clock;

/// Stands still until it is moved.
#[derive(Debug)]
pub struct HandClock(Mutex<DateTime<Utc>>);

impl HandClock {
    /// Standing at an instant.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it on.
    pub fn pass(&self, time: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
