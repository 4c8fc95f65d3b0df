//! `tension-watch rules diff`: which alerts another version of a rule gains and loses.

use super::{
    past,
    trial::{about, counted},
};
use crate::{
    cli::site::Site,
    rules::{
        trial::{Rate, TriedAlert, pair},
        tune::years,
    },
    stages::{
        past::{Past, Since},
        trial::as_live,
    },
};
use anyhow::Result;
use chrono::NaiveDate;
use serde_json::json;
use std::{cmp::Ordering, path::PathBuf};

/// Replay history with two rule files, and name the alerts gained and lost.
///
/// Both are tried as if they were live. Alerts are the same when they are about one area at about the same time, or share
/// half of their incidents.
///
/// Example: tension-watch rules diff rules/race-week-spike.toml new.toml --since 2y
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The rule file as it is.
    old: PathBuf,
    /// The rule file as it would be.
    new: PathBuf,
    /// From when on: 2y, 18m, 90d before the last night, or a day as 2024-06-30.
    #[arg(long, default_value = "2y")]
    since: Since,
    /// All of it as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(site: &Site, args: Args) -> Result<()> {
    let past = past::open(site, args.since).await?;
    let read = |path| past::candidate(site, &past, path);
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    let sets = [as_live(&old.set, &old.rule.id), as_live(&new.set, &new.rule.id)];
    let replay = past::replay(&past, "nights", &past.history, &past.nights, &[&sets[0], &sets[1]])?;
    let before = replay.alerts(0, &old.rule, None);
    let after = replay.alerts(1, &new.rule, None);
    let pairs = pair(&before, &after);
    if args.json {
        let told_of = |alert: &TriedAlert| json!({"night": alert.night, "where": past.name(&alert.finding), "csps": alert.csps, "finding": alert.finding});
        let both = |&(a, b): &(Option<usize>, Option<usize>)| json!({"old": a.map(|a| told_of(&before[a])), "new": b.map(|b| told_of(&after[b]))});
        let all: Vec<_> = pairs.iter().map(both).collect();
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    println!("{}", past.told());
    for (candidate, alerts) in [(&old, &before), (&new, &after)] {
        let rate = Rate::of(alerts.len(), years(past.nights.len()));
        println!("{}: {}, {}", candidate.name, counted(alerts.len(), "alert"), about(rate));
    }
    println!();
    told(&past, &before, &after, &pairs);
    Ok(())
}

/// The alerts by what became of them.
fn told(past: &Past, old: &[TriedAlert], new: &[TriedAlert], pairs: &[(Option<usize>, Option<usize>)]) {
    let gained = pairs.iter().filter(|(a, _)| a.is_none()).filter_map(|(_, b)| b.map(|b| &new[b]));
    let lost = pairs.iter().filter(|(_, b)| b.is_none()).filter_map(|(a, _)| a.map(|a| &old[a]));
    let kept: Vec<(&TriedAlert, &TriedAlert)> =
        pairs.iter().filter_map(|(a, b)| a.zip(*b)).map(|(a, b)| (&old[a], &new[b])).collect();
    for (title, alerts) in [("gained", gained.collect::<Vec<_>>()), ("lost", lost.collect())] {
        println!("{title}: {}", alerts.len());
        for alert in alerts {
            println!("  {}", past.line(alert));
        }
    }
    println!("kept: {}", kept.len());
    for (old, new) in kept {
        println!("  {}  {}", past.line(new), moved(old.night, new.night));
    }
}

fn moved(old: NaiveDate, new: NaiveDate) -> String {
    let days = (new - old).num_days().unsigned_abs() as usize;
    match new.cmp(&old) {
        Ordering::Less => format!("({} earlier)", counted(days, "day")),
        Ordering::Equal => "(the same night)".to_owned(),
        Ordering::Greater => format!("({} later)", counted(days, "day")),
    }
}
