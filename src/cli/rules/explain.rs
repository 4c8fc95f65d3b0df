//! `tension-watch rules explain`: every number that made an alert.

use super::super::{site::Site, wrong};
use anyhow::Result;
use std::path::Path;

/// Tell every number that made an alert, in order.
///
/// The night is judged again with what was known and the rules that were in force then.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The alert's number, for example LLR-2026-0147.
    alert: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Path, args: &Args) -> Result<()> {
    let site = Site::open(config).await?;
    let engine = site.engine(false).await?;
    let Some(found) = engine.explain(&args.alert).await? else {
        return Err(wrong(format!("there is no alert {}; numbers look like LLR-2026-0147", args.alert)));
    };
    if args.json {
        let events = found
            .events
            .iter()
            .map(|event| serde_json::json!({ "at": event.at, "what": event.what, "who": event.who }));
        let told = serde_json::json!({
            "alert": found.alert.number,
            "night": found.night,
            "steps": found.steps,
            "events": events.collect::<Vec<_>>(),
            "told": found.told,
            "finding": found.alert.latest,
        });
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    println!("{}: {}", found.alert.number, found.alert.latest.title);
    println!("by the night of {}\n", found.night.format("%-d %B %Y"));
    for (place, step) in found.steps.iter().enumerate() {
        println!("{:>2}. {step}", place + 1);
    }
    println!("\nWhat happened to it:");
    for event in &found.events {
        let at = event.at.with_timezone(&engine.county.pack.zone);
        println!("  {} {} ({})", at.format("%-d %B %Y %H:%M"), event.what, event.who);
    }
    match found.told.as_slice() {
        [] => println!("Nobody was told."),
        some => println!("Told: {}", some.join(", ")),
    }
    Ok(())
}
