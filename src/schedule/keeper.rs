//! Keeps a schedule: waits for each tick and answers it once.

use super::Schedule;
use crate::clock::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The longest sleep between two looks at the clock: a machine that slept, or whose clock was set, is caught up with.
const LONGEST_SLEEP: TimeDelta = TimeDelta::seconds(20);

/// How long to wait before a tick whose job failed is tried again.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// Calls `job` for every tick after `last`, for ever. After a time of standing still only the latest tick is answered:
/// a night looks at everything that was known by then, so the ones before it have nothing to add. A job that fails is
/// tried again until it succeeds or the next tick takes its place.
pub async fn keep<C, J>(schedule: &Schedule, clock: &C, mut last: DateTime<Utc>, mut job: J)
where
    C: Clock + ?Sized,
    J: AsyncFnMut(DateTime<Utc>) -> anyhow::Result<()>,
{
    loop {
        let now = clock.now();
        if let Some(tick) = schedule.latest_due(last, now) {
            match job(tick).await {
                Ok(()) => last = tick,
                Err(wrong) => {
                    tracing::error!(error = format!("{wrong:#}"), %tick, "the nightly run failed; it is tried again");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
            continue;
        }
        let Some(next) = schedule.next_after(now) else {
            tracing::error!("the schedule never comes again; no nightly run will start");
            std::future::pending::<()>().await;
            return;
        };
        let sleep = (next - now).min(LONGEST_SLEEP).to_std().unwrap_or_default();
        tokio::time::sleep(sleep.max(Duration::from_millis(10))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use chrono_tz::Europe::London;

    #[tokio::test]
    async fn after_downtime_the_latest_night_is_answered_once() {
        let schedule = Schedule::new("30 4 * * *", London).unwrap();
        let clock = FixedClock("2026-06-30T12:00:00Z".parse().unwrap());
        let mut answered = Vec::new();
        let standing_still = "2026-06-01T12:00:00Z".parse().unwrap();
        let job = async |tick: DateTime<Utc>| {
            answered.push(tick);
            Ok(())
        };
        let kept = keep(&schedule, &clock, standing_still, job);
        assert!(tokio::time::timeout(Duration::from_millis(50), kept).await.is_err(), "it never ends");
        assert_eq!(answered, ["2026-06-30T03:30:00Z".parse::<DateTime<Utc>>().unwrap()]);
    }
}
