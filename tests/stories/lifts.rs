//! Whether the intervals of campaigns hold what they promise, when a campaign does nothing.

use crate::{
    nights::{county, read_from},
    support::day,
};
use chrono::{Days, TimeDelta};
use std::sync::Arc;
use tension_watch::{
    model::Window,
    rules::{Event, EventKind, Where},
    stages::campaigns::{Asked, Lift, areas_of, campaign_view},
    store::Store,
    synth::{self, Options, llr},
};

/// Campaigns that are asked about, this many days apart.
const CAMPAIGNS: u64 = 60;
const APART: u64 = 17;

/// The last of them ends here, before crimes begin to be recorded otherwise.
const LAST: &str = "2026-02-15";

/// How many of some lifts hold 1, of those that say something.
fn held<'a>(lifts: impl Iterator<Item = &'a Lift>) -> (usize, usize) {
    let told: Vec<(f64, f64)> = lifts.filter_map(|lift| lift.times).collect();
    (told.iter().filter(|(low, high)| (*low..=*high).contains(&1.0)).count(), told.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn nineteen_of_twenty_intervals_hold_no_change_where_nothing_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("t.db").display())).await.unwrap();
    let engine = Arc::new(county(&store).await);
    let known_until = "2026-06-30T03:30:00Z".parse().unwrap();
    let options =
        Options { seed: 11, first: day("2021-07-01"), last: day("2026-06-29"), known_until, null: true };
    let made = synth::county(llr::wards(), &options);
    for (source, text) in [("police", &made.police), ("council", &made.council)] {
        read_from(&engine, source, text, "2026-06-30T03:30:00Z").await;
    }
    let (mut together, mut areas, mut channels) = (Vec::new(), Vec::new(), Vec::new());
    for back in 0..CAMPAIGNS {
        let window = Window::ending(day(LAST) - Days::new(APART * back), 8);
        let event = Event {
            name: "a campaign that does nothing".into(),
            kind: EventKind::Campaign,
            window,
            place: Where::Everywhere,
            categories: engine.county.pack.categories.all(),
            channels: Vec::new(),
        };
        let night = window.last + Days::new(14);
        let geography = engine.county.geography(night).unwrap();
        let as_known_on = engine.county.start_of(night + Days::new(1)) + TimeDelta::hours(4);
        let areas_told = areas_of(&event, None, &geography);
        let asked = Asked { event, areas: areas_told, night, as_known_on };
        let view = campaign_view(&engine, &asked).await.unwrap().unwrap();
        together.push(view.together);
        areas.extend(view.areas.into_iter().map(|(_, lift)| lift));
        channels.extend(view.channels.into_iter().map(|(_, lift)| lift));
    }
    let found = [held(together.iter()), held(areas.iter()), held(channels.iter())];
    println!("county, partnerships, channels: {found:?}");
    for (inside, of) in found {
        // 95 % within the luck of so many: three deviations of the binomial.
        let (expected, luck) = (0.95 * of as f64, 3.0 * (of as f64 * 0.05 * 0.95).sqrt());
        assert!(of >= CAMPAIGNS as usize && inside as f64 >= expected - luck, "{found:?}");
    }
}
