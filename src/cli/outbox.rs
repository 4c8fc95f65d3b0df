//! `tension-watch outbox`: what has left, what waits, and what could not be sent.

use super::{
    site::{Site, now},
    wrong,
};
use crate::{
    clock::SystemClock,
    mail::{Signer, transport::Transport},
    stages::send::send_due,
    store::{MessageKind, MessageState, OutboxEntry, OutboxFilter},
};
use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use std::{io::Write, path::PathBuf};
use uuid::Uuid;

/// See what has left, what waits and what could not be sent; try it again; send what is due.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List messages, the newest first: never their text.
    ///
    /// Example: tension-watch outbox list --state failed
    List {
        /// Only these: waiting, sending, sent, failed or held.
        #[arg(long)]
        state: Option<MessageState>,
        /// Only these: alert, summary, digest or data.
        #[arg(long)]
        kind: Option<MessageKind>,
        /// Only those to this address.
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one message: where it stands, and with --message its text as it leaves.
    ///
    /// Example: tension-watch outbox show 0197b2a4-0c8e-7a31-9d55-3f6c1b7e2d10 --message > message.eml
    Show {
        /// Its id, as `outbox list` shows it.
        id: Uuid,
        /// The text instead, as it leaves: it tells of incidents, treat it as they are.
        #[arg(long)]
        message: bool,
        /// As JSON.
        #[arg(long, conflicts_with = "message")]
        json: bool,
    },
    /// Let messages that failed, or were held, wait to be sent now; they are tried for five days once more.
    ///
    /// Example: tension-watch outbox retry --all-failed
    Retry {
        /// Their ids, as `outbox list` shows them.
        #[arg(required_unless_present_any = ["all_failed", "all_held"], conflicts_with_all = ["all_failed", "all_held"])]
        ids: Vec<Uuid>,
        /// Everything that failed.
        #[arg(long)]
        all_failed: bool,
        /// Everything that is held.
        #[arg(long)]
        all_held: bool,
    },
    /// Send what is due, once: what `serve` does every 15 seconds, for sites that are run by cron.
    ///
    /// Exit code 1 when the mail server is down or anything had to be given up.
    ///
    /// Example: tension-watch outbox send
    Send,
    /// Print the DNS record that belongs to the key of [mail.dkim].
    ///
    /// Example: tension-watch outbox dkim
    Dkim,
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = Site::open(&config).await?;
    match args.command {
        Command::List { state, kind, to, limit, json } => {
            let filter = OutboxFilter { state, kind, mailbox: to };
            let entries = site.store.outbox(&filter, limit.into()).await?;
            if json { print(&serde_json::to_string_pretty(&entries)?) } else { list(&site, &entries).await }
        }
        Command::Show { id, message, json } => show(&site, id, message, json).await,
        Command::Retry { ids, all_failed, all_held } => retry(&site, &ids, all_failed, all_held).await,
        Command::Send => send(&site).await,
        Command::Dkim => {
            let signer = Signer::of(&site.config).map_err(wrong)?;
            let signer = signer.ok_or_else(|| {
                wrong("messages are not signed: there is no [mail.dkim] with domain, selector and key_file")
            })?;
            print(&format!("{}\n{}", signer.name(), signer.record()))
        }
    }
}

/// To standard output; a reader that has seen enough, as `head`, is no failure.
fn print(text: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(failed) if failed.kind() != std::io::ErrorKind::BrokenPipe => Err(failed.into()),
        _ => Ok(()),
    }
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}

/// When something happens or has happened to it.
fn when(entry: &OutboxEntry) -> String {
    match entry.state {
        MessageState::Sent => entry.sent_at.map(|at| format!("at {}", minute(at))),
        MessageState::Failed => entry.failed_at.map(|at| format!("at {}", minute(at))),
        MessageState::Held => None,
        MessageState::Waiting => Some(format!("next {}", minute(entry.next_try))),
        MessageState::Sending => entry.claimed_until.map(|at| format!("until {}", minute(at))),
    }
    .unwrap_or_default()
}

async fn list(site: &Site, entries: &[OutboxEntry]) -> Result<()> {
    let mut lines = Vec::new();
    for entry in entries {
        let maybe = if entry.maybe_arrived { "  may have arrived more than once" } else { "" };
        let why = entry.last_error.as_ref().map_or_else(String::new, |why| format!("  {why}"));
        lines.push(format!(
            "{}  {:<7}  {:<7}  {:<23}  {:>3} tries  {}{maybe}{why}",
            entry.id,
            entry.state.code(),
            entry.kind.code(),
            when(entry),
            entry.attempts,
            entry.mailbox
        ));
    }
    let counts = site.store.outbox_counts().await?;
    let counts: Vec<String> =
        counts.iter().map(|count| format!("{} {}", count.messages, count.state.code())).collect();
    let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
    lines.push(format!("{} shown; in the outbox: {counts}", entries.len()));
    print(&lines.join("\n"))
}

async fn show(site: &Site, id: Uuid, message: bool, json: bool) -> Result<()> {
    let unknown = || wrong(format!("there is no message {id}; `tension-watch outbox list` shows the ids"));
    let entry = site.store.outbox_entry(id).await?.ok_or_else(unknown)?;
    if message {
        let text = site.store.outbox_message(id).await?.ok_or_else(unknown)?;
        // To the byte: what is printed can be sent by hand.
        std::io::stdout().lock().write_all(text.as_bytes())?;
        return Ok(());
    }
    if json {
        return print(&serde_json::to_string_pretty(&entry)?);
    }
    let mut lines = vec![
        format!("message       {}", entry.id),
        format!("about         {} {}", entry.kind.code(), entry.about),
        format!("to            {}", entry.mailbox),
        format!("Message-ID    {}", entry.message_id),
        format!("number        {} of its thread, priority {}", entry.sequence, entry.priority),
        format!("made          {}", minute(entry.created_at)),
        format!("may leave     {}", minute(entry.due)),
        format!("state         {} {}", entry.state.code(), when(&entry)),
        format!("attempts      {}", entry.attempts),
    ];
    if entry.maybe_arrived {
        lines.push(
            "note          it may have arrived more than once, always under the same Message-ID".into(),
        );
    }
    lines.extend(entry.last_error.as_ref().map(|why| format!("last error    {why}")));
    lines.push(match entry.state {
        MessageState::Failed | MessageState::Held => {
            format!("to send it    tension-watch outbox retry {}", entry.id)
        }
        _ => format!("its text      tension-watch outbox show {} --message", entry.id),
    });
    print(&lines.join("\n"))
}

async fn retry(site: &Site, ids: &[Uuid], all_failed: bool, all_held: bool) -> Result<()> {
    let now = now();
    let mut released = 0;
    for id in ids {
        if !site.store.retry_message(*id, now).await? {
            let state = match site.store.outbox_entry(*id).await? {
                Some(entry) => format!("is {}; only failed and held messages can be", entry.state.code()),
                None => "is not in the outbox; `tension-watch outbox list` shows the ids; it can't be".into(),
            };
            return Err(wrong(format!("{id} {state} tried again ({released} others wait to be sent now)")));
        }
        released += 1;
    }
    for (asked, state) in [(all_failed, MessageState::Failed), (all_held, MessageState::Held)] {
        if asked {
            released += site.store.retry_all(state, now).await?;
        }
    }
    print(&format!(
        "{released} messages wait to be sent now: `serve` or `tension-watch outbox send` sends them"
    ))
}

async fn send(site: &Site) -> Result<()> {
    let transport = Transport::of(&site.config).map_err(wrong)?;
    let from = site.config.mail.envelope_sender();
    let sent = send_due(&site.store, &transport, from, &SystemClock).await?;
    print(&format!("{} sent, {} to be tried again, {} given up", sent.sent, sent.later, sent.failed))?;
    if sent.server_down {
        bail!(
            "the mail server is down or will not have us; `tension-watch outbox list --state waiting` tells why"
        );
    }
    if sent.failed > 0 {
        bail!("messages were given up; `tension-watch outbox list --state failed` tells why");
    }
    Ok(())
}
