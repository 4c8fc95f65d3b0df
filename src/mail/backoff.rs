//! When a message that did not get through is tried again.

use chrono::{DateTime, TimeDelta, Utc};

/// How long a message is tried before it counts as failed.
pub const GIVES_UP_AFTER: TimeDelta = TimeDelta::days(5);
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(5);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// When the next attempt is due after `attempts` that failed: five seconds, then twice as long each time, at most an
/// hour. None when the message, made at `created`, would be older than five days by then: the operator is told, and
/// nothing is dropped in silence.
#[must_use]
pub fn next_try(attempts: u32, created: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let doubled = attempts.saturating_sub(1).min(16);
    let wait = (FIRST_WAIT * 2_i32.pow(doubled)).min(LONGEST_WAIT);
    now.checked_add_signed(wait).filter(|due| *due - created <= GIVES_UP_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_to_an_hour_and_end_after_five_days() {
        let made: DateTime<Utc> = "2026-06-30T04:30:00Z".parse().unwrap();
        let (mut now, mut waits) = (made, Vec::new());
        while let Some(due) = next_try(waits.len() as u32 + 1, made, now) {
            waits.push((due - now).num_seconds());
            now = due;
        }
        assert_eq!(waits[..11], [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]);
        assert_eq!(waits.last(), Some(&3600));
        assert_eq!(waits.len(), 128);
        assert!(now - made > GIVES_UP_AFTER - LONGEST_WAIT);
    }

    proptest! {
        #[test]
        fn it_is_always_later_and_never_too_late(attempts in any::<u32>(), age in 0_i64..1_000_000) {
            let made: DateTime<Utc> = "2026-06-30T04:30:00Z".parse().unwrap();
            let now = made + TimeDelta::seconds(age);
            if let Some(due) = next_try(attempts, made, now) {
                prop_assert!(due >= now + FIRST_WAIT && due <= now + LONGEST_WAIT);
                prop_assert!(due - made <= GIVES_UP_AFTER);
            }
        }
    }
}
