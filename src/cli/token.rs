//! `tension-watch token`: programs that may call the API.

use super::{
    audit,
    site::{Site, now},
    user::{area_of, refused},
    wrong,
};
use crate::{
    model::{AreaRef, Scope},
    stages::access::{add_token, allows, end_of, last_day, place, state},
    store::ApiToken,
    web::new_token,
};
use anyhow::Result;
use chrono::NaiveDate;
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
    scopes.sort_unstable();
    scopes.dedup();
    let created_at = now();
    let county = site.county().await?;
    let ends_at = ends.map(|last| end_of(&county, last, created_at)).transpose().map_err(refused)?;
    let (secret, hash) = new_token();
    let token = ApiToken { name, scopes, source, area, created_at, ends_at, revoked_at: None, used_at: None };
    add_token(&site.store, &token, &hash).await.map_err(refused)?;
    let about = format!("{} with {}", token.name, allows(&token));
    audit::record(site, "token added", &about).await?;
    println!("{about}");
    println!("token (shown once): {secret}");
    Ok(())
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
    let text = if json {
        let line = |token: &ApiToken| {
            json!({
                "name": token.name,
                "scopes": token.scopes,
                "source": token.source,
                "area": token.area.as_ref().map(|area| place(Some(area))),
                "state": state(token, now),
                "created_at": token.created_at,
                "ends": token.ends_at.map(|ends| last_day(&county, ends)),
                "revoked_at": token.revoked_at,
                "last_used": token.used_at.map(|used| county.day_of(used)),
            })
        };
        serde_json::to_string_pretty(&tokens.iter().map(line).collect::<Vec<_>>())?
    } else if tokens.is_empty() {
        "there is no token; `tension-watch token add` makes one".into()
    } else {
        let line = |token: &ApiToken| {
            let ends =
                token.ends_at.map_or_else(|| "never".into(), |ends| last_day(&county, ends).to_string());
            let used = token.used_at.map_or_else(|| "never".into(), |used| county.day_of(used).to_string());
            let state = state(token, now);
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
