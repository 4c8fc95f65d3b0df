//! `tension-watch run`: one engine night.

use super::{site::Site, wrong};
use crate::{
    mail::transport::Transport,
    model::AreaKind,
    rules::Status,
    stages::{night::When, rules::in_force, send::send_due},
    words::how_often,
};
use anyhow::Result;
use chrono::{Days, NaiveDate};
use std::{path::PathBuf, sync::Arc};

/// Run one engine night, now or replayed.
///
/// Without --as-of it is the night that has just ended, with what is known now: files in the inbox are read first. A
/// replayed night sees what was known when it was due, and gives the same findings whenever it is repeated; nobody is
/// told about a night before the last one.
///
/// Example: tension-watch run --as-of 2026-06-29
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The last day that the night looks at.
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<NaiveDate>,
    /// Findings as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = Site::open(&config).await?;
    let engine = Arc::new(site.engine(false).await?);
    if args.as_of.is_none() {
        super::inbox::read(&site, &engine).await?;
    }
    let now = super::site::now();
    let when = match args.as_of {
        Some(night) => When::replayed(&engine.county, &site.schedule(&engine.county)?, night),
        None => When { night: engine.county.day_of(now) - Days::new(1), as_known_on: now, now, tick: None },
    };
    if when.as_known_on > now {
        return Err(wrong(format!("the night of {} is not over yet", when.night)));
    }
    let folder = site.config.path(&site.config.rules.folder);
    let rules = in_force(&site.store, &engine.county, &folder, when.night, now).await?;
    if let Some(mistakes) = &rules.mistakes {
        eprintln!("the rule files have mistakes; the last good ones are in force:\n{mistakes}");
    }
    let report = engine.night(when, &rules).await?;
    if args.as_of.is_none() {
        super::report::send(&site, &engine, now).await?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report.findings().collect::<Vec<_>>())?);
    } else {
        println!(
            "{}: {} incidents known, {} findings",
            report.night,
            report.incidents,
            report.findings().count()
        );
        if report.incidents == 0 {
            println!("  no report has been imported yet; `tension-watch import incidents` reads them");
        }
        let geography = engine.county.geography(report.night)?;
        for finding in report.findings() {
            let rule = rules.set.rules.iter().find(|rule| rule.id == finding.rule);
            let shadow = rule.is_some_and(|rule| rule.status == Status::Shadow);
            let name = |code: &String| {
                geography.get(AreaKind::Ward, code).map_or(code.clone(), |ward| ward.name.clone())
            };
            println!(
                "  {}{}: {} seen, {:.1} usual, by chance {}; {}",
                finding.rule,
                if shadow { " (shadow: nobody is told)" } else { "" },
                finding.observed,
                finding.expected,
                how_often(finding.recurrence),
                finding.wards.iter().map(name).collect::<Vec<_>>().join(", ")
            );
        }
        for source in &report.late {
            println!("  {source} is late: what it is behind counts as not yet known");
        }
        for gap in &report.gaps {
            println!("  {gap}");
        }
    }
    let transport = Transport::of(&site.config).map_err(wrong)?;
    let sent =
        send_due(&site.store, &transport, site.config.mail.envelope_sender(), &crate::clock::SystemClock)
            .await?;
    if !args.json {
        println!("{} messages made, {} sent", report.messages, sent.sent);
    }
    Ok(())
}
