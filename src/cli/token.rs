//! `tension-watch token`: programs that may call the API.

use super::{
    audit,
    site::{Site, now},
    user::area_of,
    wrong,
};
use crate::{
    model::{AreaRef, Scope},
    stages::county::County,
    store::ApiToken,
    web::new_token,
};
use anyhow::Result;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::json;
use std::{io::Write, path::PathBuf};

/// Add or revoke the token by which a program calls the API; list them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a token. It is shown once, and only a hash of it is kept.
    ///
    /// Example: tension-watch token add --name police-feed --scope incidents:write --source police --ends 2027-03-31
    Add {
        /// What people call it, in the audit log too: the program, not a person.
        #[arg(long)]
        name: String,
        /// incidents:write, figures:read, published:read or alerts:read; several times for several.
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<Scope>,
        /// Whose incidents it sends; needed for incidents:write.
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// The area whose figures and alerts it reads, as kind/code; the whole county otherwise.
        #[arg(long, value_name = "KIND/CODE")]
        area: Option<String>,
        /// The last day on which it is good; for ever otherwise.
        #[arg(long, value_name = "YYYY-MM-DD")]
        ends: Option<NaiveDate>,
    },
    /// List tokens with what they allow, those that are no longer good too.
    ///
    /// Example: tension-watch token list
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a token back: the next call with it is refused.
    ///
    /// Example: tension-watch token revoke police-feed
    Revoke {
        /// Its name.
        name: String,
    },
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = Site::open(&config).await?;
    match args.command {
        Command::Add { name, scopes, source, area, ends } => {
            let area = area.map(|text| area_of(&text)).transpose()?;
            add(&site, name, scopes, source, area, ends).await
        }
        Command::List { json } => list(&site, json).await,
        Command::Revoke { name } => revoke(&site, &name).await,
    }
}

async fn add(
    site: &Site,
    name: String,
    mut scopes: Vec<Scope>,
    source: Option<String>,
    area: Option<AreaRef>,
    ends: Option<NaiveDate>,
) -> Result<()> {
    let plain = |text: &str| {
        let letters = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !text.is_empty() && text.len() <= 60 && text.chars().all(letters)
    };
    if !plain(&name) {
        return Err(wrong("a name has letters, digits, hyphens, dots and underscores only"));
    }
    scopes.sort_unstable();
    scopes.dedup();
    let writes = scopes.contains(&Scope::IncidentsWrite);
    if writes != source.is_some() {
        return Err(wrong(
            "incidents:write and --source NAME go together: a token sends incidents of one source",
        ));
    }
    if source.as_ref().is_some_and(|source| !plain(source)) {
        return Err(wrong("a source has letters, digits, hyphens, dots and underscores only"));
    }
    let county = site.county().await?;
    if let Some(wanted) = &area {
        if !scopes.iter().any(|scope| matches!(scope, Scope::FiguresRead | Scope::AlertsRead)) {
            return Err(wrong("--area limits figures:read and alerts:read; without them it says nothing"));
        }
        let known = site.store.areas().await?;
        if !known.iter().any(|known| known.kind == wanted.kind && known.code == wanted.code) {
            let kind = wanted.kind.code();
            return Err(wrong(format!("there is no {kind} `{}` in the area pack", wanted.code)));
        }
    }
    let created_at = now();
    let ends_at = ends.map(|last| end_of(&county, last, created_at)).transpose()?;
    let (secret, hash) = new_token();
    let token = ApiToken { name, scopes, source, area, created_at, ends_at, revoked_at: None, used_at: None };
    if !site.store.add_token(&token, &hash).await? {
        return Err(wrong(format!(
            "there is a token `{}`, or was one; choose another name, so that the audit log stays clear",
            token.name
        )));
    }
    let about = format!("{} with {}", token.name, allows(&token));
    audit::record(site, "token added", &about).await?;
    println!("{about}");
    println!("token (shown once): {secret}");
    Ok(())
}

/// The first instant after a day.
fn end_of(county: &County, last: NaiveDate, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let next = last.checked_add_days(Days::new(1)).map(|next| county.start_of(next));
    next.filter(|ends| *ends > now)
        .ok_or_else(|| wrong(format!("{last} is over; a token ends on a day that is yet to end")))
}

async fn revoke(site: &Site, name: &str) -> Result<()> {
    if !site.store.revoke_token(name, now()).await? {
        return Err(wrong(format!(
            "there is no token `{name}` to revoke; `tension-watch token list` shows them"
        )));
    }
    audit::record(site, "token revoked", name).await?;
    println!("{name} may not call any more");
    Ok(())
}

async fn list(site: &Site, json: bool) -> Result<()> {
    let county = site.county().await?;
    let now = now();
    let tokens = site.store.tokens().await?;
    let last_day = |ends: DateTime<Utc>| county.day_of(ends - chrono::TimeDelta::seconds(1));
    let state = |token: &ApiToken| match (token.revoked_at, token.ends_at) {
        (Some(_), _) => "revoked",
        (None, Some(ends)) if ends <= now => "ended",
        _ => "good",
    };
    let text = if json {
        let line = |token: &ApiToken| {
            json!({
                "name": token.name,
                "scopes": token.scopes,
                "source": token.source,
                "area": token.area.as_ref().map(|area| format!("{}/{}", area.kind.code(), area.code)),
                "state": state(token),
                "created_at": token.created_at,
                "ends": token.ends_at.map(last_day),
                "revoked_at": token.revoked_at,
                "last_used": token.used_at.map(|used| county.day_of(used)),
            })
        };
        serde_json::to_string_pretty(&tokens.iter().map(line).collect::<Vec<_>>())?
    } else if tokens.is_empty() {
        "there is no token; `tension-watch token add` makes one".into()
    } else {
        let line = |token: &ApiToken| {
            let ends = token.ends_at.map_or_else(|| "never".into(), |ends| last_day(ends).to_string());
            let used = token.used_at.map_or_else(|| "never".into(), |used| county.day_of(used).to_string());
            let state = state(token);
            format!("{:<24} {state:<8} ends {ends:<10}  used {used:<10}  {}", token.name, allows(token))
        };
        tokens.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    match writeln!(std::io::stdout().lock(), "{text}") {
        // A reader that has seen enough, as `head`, is no failure.
        Err(failed) if failed.kind() != std::io::ErrorKind::BrokenPipe => Err(failed.into()),
        _ => Ok(()),
    }
}

/// What a token allows, in a line.
fn allows(token: &ApiToken) -> String {
    let area = || token.area.as_ref().map(|area| format!(" of {}/{}", area.kind.code(), area.code));
    let one = |scope: &Scope| match scope {
        Scope::IncidentsWrite => {
            format!("{} of {}", scope.code(), token.source.as_deref().unwrap_or_default())
        }
        Scope::PublishedRead => scope.code().to_owned(),
        Scope::FiguresRead | Scope::AlertsRead => format!("{}{}", scope.code(), area().unwrap_or_default()),
    };
    token.scopes.iter().map(one).collect::<Vec<_>>().join(", ")
}
