//! `tension-watch alert`: what is open, one alert, and answers to it.

use super::{site::Site, user::area_of, wrong};
use crate::{
    model::{Alert, AlertLevel, AlertState, Outcome, Party, Priority, Role},
    stages::{
        actions::{Plan, one_line},
        answers::{Answer, Answerer},
        night::Engine,
    },
};
use anyhow::{Context, Result};
use chrono::NaiveDate;
use std::path::PathBuf;

/// Alerts: list them, show one, answer it, look at its mail.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

fn priority(text: &str) -> Result<Priority, String> {
    let all = Priority::ALL.map(|one| format!("\"{}\"", one.code())).join(", ");
    Priority::of(text).ok_or_else(|| format!("there are {all}"))
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List alerts, the latest first: those that are open, or all.
    ///
    /// Example: tension-watch alert list --all
    List {
        /// Closed ones too.
        #[arg(long)]
        all: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show an alert, who was asked, what they answered, and what happened to it.
    ///
    /// Example: tension-watch alert show LLR-2026-0147
    Show {
        /// Its number.
        number: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Acknowledge an alert for a role.
    ///
    /// Example: tension-watch alert ack LLR-2026-0147 --as csp_coordinator:csp/safer-leicester
    Ack {
        /// Its number.
        number: String,
        /// For whom: ROLE for the whole county, or ROLE:KIND/CODE.
        #[arg(long = "as", value_name = "ROLE[:KIND/CODE]", default_value = "analyst")]
        party: String,
    },
    /// Record an action for an alert.
    ///
    /// Example: tension-watch alert act LLR-2026-0147 "Patrols at closing time" --due 2026-07-14
    Act {
        /// Its number.
        number: String,
        /// What, in a line without names.
        title: String,
        /// By when.
        #[arg(long, value_name = "YYYY-MM-DD")]
        due: Option<NaiveDate>,
        /// What it is for: "raise awareness", "improve response" or "strengthen communities".
        #[arg(long, default_value = "improve response", value_parser = priority)]
        priority: Priority,
        /// Who does it, by role; whoever records it without one.
        #[arg(long, value_name = "ROLE")]
        owner: Option<Role>,
        /// For whom: ROLE for the whole county, or ROLE:KIND/CODE.
        #[arg(long = "as", value_name = "ROLE[:KIND/CODE]", default_value = "analyst")]
        party: String,
    },
    /// Close an alert and say what it was worth: useful-acted, useful-known, false-alarm, duplicate, data-error, too-little.
    ///
    /// Example: tension-watch alert close LLR-2026-0147 useful-acted
    Close {
        /// Its number.
        number: String,
        /// What it was worth.
        outcome: String,
        /// For whom: ROLE for the whole county, or ROLE:KIND/CODE.
        #[arg(long = "as", value_name = "ROLE[:KIND/CODE]", default_value = "analyst")]
        party: String,
    },
    /// Write the mail about an alert as it was told last: as text, or as files in a folder (HTML, text, pictures).
    ///
    /// With --pictures also as it looks in a mail program, on a desktop, on a phone and in the dark: that needs Chromium.
    ///
    /// Example: tension-watch alert preview LLR-2026-0147 --dir preview --pictures
    Preview {
        /// Its number.
        number: String,
        /// The folder; without it the text is printed.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// As it looks, too.
        #[arg(long, requires = "dir")]
        pictures: bool,
    },
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = Site::open(&config).await?;
    let engine = site.engine(false).await?;
    match args.command {
        Command::List { all, json } => list(&engine, all, json).await,
        Command::Show { number, json } => show(&engine, &number, json).await,
        Command::Ack { number, party } => answer(&engine, &number, &party, &Answer::Acknowledge).await,
        Command::Act { number, title, due, priority, owner, party } => {
            let title = one_line(&title);
            if title.is_empty() {
                return Err(wrong("write what is done, in a line"));
            }
            let plan = Plan { title, due, priority, owner };
            answer(&engine, &number, &party, &Answer::Act(plan)).await
        }
        Command::Close { number, outcome, party } => {
            let known = Outcome::ALL.map(Outcome::code).join(", ");
            let outcome = Outcome::of(&outcome)
                .ok_or_else(|| wrong(format!("`{outcome}` is no outcome; they are {known}")))?;
            answer(&engine, &number, &party, &Answer::Close(outcome)).await
        }
        Command::Preview { number, dir, pictures } => preview(&engine, &number, dir, pictures).await,
    }
}

async fn find(engine: &Engine, number: &str) -> Result<Alert> {
    let found = engine.store.alert(number).await?;
    found.ok_or_else(|| {
        wrong(format!("there is no alert {number}; `tension-watch alert list --all` lists them"))
    })
}

async fn list(engine: &Engine, all: bool, json: bool) -> Result<()> {
    let alerts = engine.store.alerts(1_000).await?;
    let alerts: Vec<Alert> =
        alerts.into_iter().filter(|alert| all || alert.state != AlertState::Closed).collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&alerts)?);
        return Ok(());
    }
    let geography = engine.county.geography(engine.county.day_of(super::site::now()))?;
    for alert in &alerts {
        let finding = &alert.latest;
        println!(
            "{:<14}  {:<8}  {:<12}  since {}  {:>4} seen  {:>6.1} usual  {}  ({})",
            alert.number,
            word(finding.level),
            alert.state.code(),
            alert.opened,
            finding.observed,
            finding.expected,
            crate::mail::about(finding, &engine.county.pack, &geography),
            finding.rule
        );
    }
    match (alerts.len(), all) {
        (0, false) => println!("no alert is open; --all lists closed ones too"),
        (0, true) => println!("there has been no alert yet"),
        (1, _) => println!("1 alert"),
        (many, _) => println!("{many} alerts"),
    }
    Ok(())
}

const fn word(level: AlertLevel) -> &'static str {
    match level {
        AlertLevel::Watch => "watch",
        AlertLevel::Elevated => "elevated",
        AlertLevel::Severe => "severe",
    }
}

async fn show(engine: &Engine, number: &str, json: bool) -> Result<()> {
    let alert = find(engine, number).await?;
    let (events, actions) =
        (engine.store.alert_events(alert.id).await?, engine.store.actions(alert.id).await?);
    if json {
        println!("{}", serde_json::to_string_pretty(&alert)?);
        return Ok(());
    }
    let geography = engine.county.geography(alert.night)?;
    let moment = |at: chrono::DateTime<chrono::Utc>| {
        at.with_timezone(&engine.county.pack.zone).format("%Y-%m-%d %H:%M").to_string()
    };
    let finding = &alert.latest;
    println!("{}, {}, {}", alert.number, word(finding.level), alert.state.code());
    println!("{}: {}", finding.title, crate::mail::about(finding, &engine.county.pack, &geography));
    println!(
        "{} seen from {} to {}, {:.1} usual",
        finding.observed, finding.window.first, finding.window.last, finding.expected
    );
    if let Some(untold) = &alert.untold {
        println!("not told: {}", untold.in_words());
    }
    for (round, asked) in alert.asked.iter().enumerate() {
        for party in &asked.parties {
            let own = alert.acknowledged.iter().find(|one| one.party == *party);
            let said = own.map_or_else(
                || asked.by.map_or("not yet".into(), |by| format!("not yet, asked for by {}", moment(by))),
                |own| format!("acknowledged {}", moment(own.at)),
            );
            println!(
                "{}{}: {said}",
                if round > 0 { "then told: " } else { "asked: " },
                party.label(&geography)
            );
        }
    }
    for action in actions {
        let due = action.due.map_or_else(String::new, |due| format!(", by {due}"));
        println!("action: {}{due} ({})", action.title, action.owner.label(&geography));
    }
    if let Some(closing) = &alert.closing {
        println!("closed as {} by {}", closing.outcome.label(), closing.party.label(&geography));
    }
    println!();
    for event in events {
        let why = if event.why.is_empty() { String::new() } else { format!(": {}", event.why) };
        println!("{}  {}{why} ({})", moment(event.at), event.what, event.who);
    }
    Ok(())
}

async fn answer(engine: &Engine, number: &str, party: &str, answer: &Answer) -> Result<()> {
    let party = named(party)?;
    let geography = engine.county.geography(engine.county.day_of(super::site::now()))?;
    let by = Answerer { who: format!("{}, on the command line", party.label(&geography)), party };
    let answered = engine.answer(number, &by, answer, super::site::now()).await?;
    match answered {
        None => Err(find(engine, number)
            .await
            .err()
            .unwrap_or_else(|| wrong(format!("there is no alert {number}")))),
        Some((alert, true)) => {
            println!("{} is {}", alert.number, alert.state.code());
            Ok(())
        }
        Some((alert, false)) => {
            println!("nothing changed: {} is {}", alert.number, alert.state.code());
            Ok(())
        }
    }
}

/// `analyst`, or `csp_coordinator:csp/safer-leicester`.
pub(super) fn named(text: &str) -> Result<Party> {
    let (role, area) = text.split_once(':').map_or((text, None), |(role, area)| (role, Some(area)));
    Ok(Party { role: role.parse().map_err(wrong)?, area: area.map(area_of).transpose()? })
}

async fn preview(engine: &Engine, number: &str, dir: Option<PathBuf>, pictures: bool) -> Result<()> {
    let alert = find(engine, number).await?;
    let Some(mail) = engine.preview(&alert).await? else {
        return Err(wrong(format!(
            "nobody was mailed about {number}; `tension-watch alert show {number}` says why"
        )));
    };
    let Some(dir) = dir else {
        println!("Subject: {}\n\n{}", mail.subject, mail.text);
        return Ok(());
    };
    std::fs::create_dir_all(&dir).with_context(|| format!("{}: can't be made", dir.display()))?;
    let mut files = vec![
        (format!("{number}.txt"), format!("Subject: {}\n\n{}", mail.subject, mail.text).into_bytes()),
        (format!("{number}.html"), mail.whole_html().into_bytes()),
    ];
    files.extend(
        mail.pictures.iter().map(|picture| (format!("{number}-{}.png", picture.cid), picture.png.clone())),
    );
    for (name, bytes) in files {
        let path = dir.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("{}: can't be written", path.display()))?;
        println!("{}", path.display());
    }
    if pictures {
        for picture in super::picture::of_mail(&dir, number)? {
            println!("{}", picture.display());
        }
    }
    Ok(())
}
