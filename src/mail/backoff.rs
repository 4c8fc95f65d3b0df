//! When a message that did not get through is tried again, and when a mail server that is down is asked again.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;

/// How long a message is tried before it counts as failed, from the moment it was due.
pub const GIVES_UP_AFTER: TimeDelta = TimeDelta::days(5);

/// A server that is down is asked at most this often.
pub const ASKED_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// Seconds after the first, second … attempt; the last one for all that follow.
const WAITS: [i64; 6] = [5, 30, 120, 600, 1_800, 3_600];

/// Each wait is longer or shorter by up to this part, so that what failed together does not come back together.
const JITTER: f64 = 0.2;

/// When the next attempt is due after `attempts` that failed: five seconds, half a minute, 2, 10 and 30 minutes, then
/// every hour, each moved by `chance` from -20 % (at 0) to +20 % (at 1). None when that would be more than five days
/// after the message was `due` first: the operator is told, and nothing is dropped in silence.
#[must_use]
pub fn next_try(attempts: u32, due: DateTime<Utc>, now: DateTime<Utc>, chance: f64) -> Option<DateTime<Utc>> {
    let place = (attempts.saturating_sub(1) as usize).min(WAITS.len() - 1);
    let factor = 1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0);
    let wait = TimeDelta::microseconds((WAITS[place] as f64 * 1e6 * factor) as i64);
    now.checked_add_signed(wait).filter(|at| *at - due <= GIVES_UP_AFTER).map(|at| at.trunc_subsecs(6))
}

/// A number from 0 to 1 that belongs to an attempt at a message: the same whenever it is asked for, another for every
/// message and attempt.
#[must_use]
pub fn chance(message: Uuid, attempts: u32) -> f64 {
    let (high, _) = Uuid::new_v5(&message, &attempts.to_be_bytes()).as_u64_pair();
    // The version stands in the lowest bits but twelve; the upper half is plain.
    (high >> 32) as f64 / f64::from(u32::MAX)
}

/// Whether a mail server may be asked. While it is down one message a minute asks; all others wait untouched, with their
/// attempts uncounted. The first that gets through lets all others follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Circuit {
    open_until: Option<DateTime<Utc>>,
}

impl Circuit {
    /// Whether a connection may be made now.
    #[must_use]
    pub fn lets_through(&self, now: DateTime<Utc>) -> bool {
        self.open_until.is_none_or(|until| now >= until)
    }

    /// The server is down, or will not have us: a minute's pause from now.
    pub fn down(&mut self, now: DateTime<Utc>) {
        self.open_until = Some(now + ASKED_AGAIN_AFTER);
    }

    /// The server has answered: no pause.
    pub fn up(&mut self) {
        self.open_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made() -> DateTime<Utc> {
        "2026-06-30T04:30:00Z".parse().unwrap()
    }

    #[test]
    fn waits_grow_to_an_hour_and_end_after_five_days() {
        let (mut now, mut waits) = (made(), Vec::new());
        while let Some(at) = next_try(waits.len() as u32 + 1, made(), now, 0.5) {
            waits.push((at - now).num_seconds());
            now = at;
        }
        assert_eq!(waits[..7], [5, 30, 120, 600, 1_800, 3_600, 3_600]);
        assert!(waits[5..].iter().all(|wait| *wait == 3_600));
        assert_eq!(waits.len(), 124);
        assert!(now - made() > GIVES_UP_AFTER - TimeDelta::hours(1));
    }

    #[test]
    fn the_days_of_trying_count_from_when_it_was_due() {
        let muted = made() + TimeDelta::days(3);
        assert!(next_try(9, muted, made() + TimeDelta::days(7), 0.5).is_some());
        assert_eq!(next_try(9, made(), made() + TimeDelta::days(7), 0.5), None);
    }

    #[test]
    fn chance_is_the_same_when_asked_again_and_spreads() {
        let message = Uuid::from_u128(7);
        assert!((chance(message, 3) - chance(message, 3)).abs() < f64::EPSILON);
        let all: Vec<f64> = (0..1_000).map(|n| chance(Uuid::from_u128(n), 1)).collect();
        let mean = all.iter().sum::<f64>() / 1_000.0;
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
        assert!(all.iter().any(|one| *one < 0.05) && all.iter().any(|one| *one > 0.95));
    }

    #[test]
    fn a_server_that_is_down_is_asked_once_a_minute() {
        let (mut circuit, mut asked) = (Circuit::default(), 0);
        for second in 0..3_600 {
            let now = made() + TimeDelta::seconds(second);
            if circuit.lets_through(now) {
                asked += 1;
                circuit.down(now);
            }
        }
        assert_eq!(asked, 60);
        assert!(!circuit.lets_through(made()));
        circuit.up();
        assert!(circuit.lets_through(made()));
    }

    proptest! {
        #[test]
        fn it_is_always_later_within_a_fifth_and_never_too_late(
            attempts in any::<u32>(), age in 0_i64..1_000_000, chance in 0.0..=1.0_f64,
        ) {
            let now = made() + TimeDelta::seconds(age);
            if let Some(at) = next_try(attempts, made(), now, chance) {
                let plain = WAITS[(attempts.max(1) as usize - 1).min(5)] as f64;
                let waited = (at - now).as_seconds_f64();
                prop_assert!(waited >= plain * 0.799_999 && waited <= plain * 1.200_001);
                prop_assert!(at - made() <= GIVES_UP_AFTER);
            }
        }
    }
}
