//! `tension-watch silence`: quiet about a rule, an area or a category, for a while.

use super::{
    site::{Site, now},
    user::area_of,
    wrong,
};
use crate::{
    model::Silence,
    stages::{
        night::Engine,
        silences::{checked, in_words},
    },
};
use anyhow::Result;
use chrono::{Days, NaiveDate};
use std::path::PathBuf;
use uuid::Uuid;

/// Ask for quiet about a rule, an area or a category until a day; see and end what was asked for.
///
/// An alert that is silenced is still found and recorded, stands in the weekly digest, and is told when the silence ends.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Ask for quiet; shows first what it would have covered in the last 90 days.
    ///
    /// Example: tension-watch silence add --rule race-week-spike --area csp/charnwood --until 2026-07-12 --why "known campaign"
    Add(New),
    /// Show what a silence would have covered, and keep nothing.
    ///
    /// Example: tension-watch silence preview --area csp/charnwood
    Preview(What),
    /// List silences, the newest first.
    ///
    /// Example: tension-watch silence list
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a silence before its time.
    ///
    /// Example: tension-watch silence end 0197b2a4-0c8e-7a31-9d55-3f6c1b7e2d10
    End {
        /// Its key, as `silence list` shows it.
        id: Uuid,
    },
}

#[derive(Debug, clap::Args)]
struct What {
    /// Only this rule.
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Only alerts that lie wholly in this area.
    #[arg(long, value_name = "KIND/CODE")]
    area: Option<String>,
    /// Only alerts of nothing but this category.
    #[arg(long, value_name = "CODE")]
    category: Option<String>,
}

#[derive(Debug, clap::Args)]
struct New {
    #[command(flatten)]
    what: What,
    /// The first silent day; today without it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// The last silent day: every silence ends.
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: NaiveDate,
    /// Why: it stands in the weekly digest.
    #[arg(long, value_name = "REASON")]
    why: String,
    /// Who asks for it.
    #[arg(long, default_value = "analyst, on the command line", value_name = "ROLE")]
    by: String,
}

impl What {
    fn silence(self, first: NaiveDate, last: NaiveDate, reason: String, author: String) -> Result<Silence> {
        let area = self.area.as_deref().map(area_of).transpose()?;
        Ok(Silence { rule: self.rule, area, category: self.category, first, last, reason, author })
    }
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = Site::open(&config).await?;
    let engine = site.engine(false).await?;
    let today = engine.county.day_of(now());
    match args.command {
        Command::Add(new) => {
            let first = new.from.unwrap_or(today);
            let silence = new.what.silence(first, new.until, new.why, new.by)?;
            check(&engine, &silence).await?;
            preview(&engine, &silence, today).await?;
            let id = engine.keep_silence(&silence, now()).await?;
            println!("{id}: quiet about {} from {first} to {}", in_words(&silence, &engine), silence.last);
        }
        Command::Preview(what) => {
            let silence = what.silence(today, today, "a preview".into(), String::new())?;
            check(&engine, &silence).await?;
            preview(&engine, &silence, today).await?;
        }
        Command::List { json } => list(&engine, json, today).await?,
        Command::End { id } => {
            if !engine.end_silence(id, now()).await? {
                return Err(wrong(format!(
                    "no silence {id} stands; `tension-watch silence list` shows the keys"
                )));
            }
            println!("{id} has ended; what it kept quiet is told from the next night on, if it still holds");
        }
    }
    Ok(())
}

async fn check(engine: &Engine, silence: &Silence) -> Result<()> {
    checked(silence, engine, &engine.rule_ids().await?).map_err(wrong)
}

async fn preview(engine: &Engine, silence: &Silence, today: NaiveDate) -> Result<()> {
    let covered = engine.would_be_silent(silence, today).await?;
    println!("of the alerts since {} it would have covered {}:", today - Days::new(90), covered.len());
    let geography = engine.county.geography(today)?;
    for alert in &covered {
        println!(
            "  {}  {}  {} ({})",
            alert.number,
            alert.opened,
            crate::mail::about(&alert.latest, &engine.county.pack, &geography),
            alert.latest.rule
        );
    }
    Ok(())
}

async fn list(engine: &Engine, json: bool, today: NaiveDate) -> Result<()> {
    let all = engine.store.silences().await?;
    if json {
        let silences: Vec<&Silence> = all.iter().map(|saved| &saved.silence).collect();
        println!("{}", serde_json::to_string_pretty(&silences)?);
        return Ok(());
    }
    for saved in &all {
        let silence = &saved.silence;
        let state = match (saved.ended_at, silence.last < today, silence.first > today) {
            (Some(_), ..) => "ended",
            (None, true, _) => "over",
            (None, _, true) => "to come",
            _ => "in force",
        };
        println!(
            "{}  {state:<8}  {} to {}  {}: {} ({})",
            saved.id,
            silence.first,
            silence.last,
            in_words(silence, engine),
            silence.reason,
            silence.author
        );
    }
    if all.is_empty() {
        println!("no quiet has been asked for");
    }
    Ok(())
}
