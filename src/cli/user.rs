//! `tension-watch user`: who may sign in.

use super::{
    audit,
    site::{Site, now},
    wrong,
};
use crate::{
    model::{AreaRef, Role},
    stages::access::{AccessError, place, save_account},
    store::Account,
    web::{hash_password, new_password},
};
use anyhow::Result;
use std::{io::IsTerminal, path::PathBuf};

/// Add or take away somebody who may sign in; list them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add an account, or give it a new role and password. The password is read from standard input when that is no
    /// terminal; otherwise one is made and shown once.
    ///
    /// Example: tension-watch user add lead --role analyst
    Add {
        /// What they type: a role, not a personal name.
        name: String,
        /// A role of the directory.
        #[arg(long)]
        role: Role,
        /// The area they answer for, as kind/code; the whole county otherwise.
        #[arg(long, value_name = "KIND/CODE")]
        area: Option<String>,
    },
    /// Take an account away; whoever is signed in by it is signed out at once.
    ///
    /// Example: tension-watch user remove lead
    Remove {
        /// What they type.
        name: String,
    },
    /// List accounts with their roles and areas.
    ///
    /// Example: tension-watch user list
    List,
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = Site::open(&config).await?;
    let (name, role, area) = match args.command {
        Command::Add { name, role, area } => (name, role, area),
        Command::Remove { name } => return remove(&site, &name).await,
        Command::List => return list(&site).await,
    };
    let area = area.map(|text| area_of(&text)).transpose()?;
    let given = if std::io::stdin().is_terminal() {
        String::new()
    } else {
        std::io::read_to_string(std::io::stdin())?
    };
    let given = given.trim_end_matches(['\r', '\n']);
    let password = if given.is_empty() { new_password() } else { given.to_owned() };
    let as_what = format!("{name} as {} of {}", role.code(), place(area.as_ref()));
    let known = add(&site, &name, role, area, &password).await?;
    audit::record(&site, if known { "account changed" } else { "account added" }, &as_what).await?;
    println!("{name} may sign in as {}", role.label());
    if given.is_empty() {
        println!("password (shown once): {password}");
    }
    Ok(())
}

async fn remove(site: &Site, name: &str) -> Result<()> {
    if !site.store.delete_account(name).await? {
        return Err(wrong(format!("there is no account `{name}`; `tension-watch user list` shows them")));
    }
    audit::record(site, "account removed", name).await?;
    println!("{name} may not sign in any more");
    Ok(())
}

async fn list(site: &Site) -> Result<()> {
    for account in site.store.accounts().await? {
        println!("{:<24} {:<16} {}", account.name, account.role.code(), place(account.area.as_ref()));
    }
    Ok(())
}

/// `csp/charnwood`.
pub(super) fn area_of(text: &str) -> Result<AreaRef> {
    let (kind, code) = text
        .split_once('/')
        .ok_or_else(|| wrong(format!("`{text}`: an area is written kind/code, for example csp/charnwood")))?;
    Ok(AreaRef { kind: kind.parse().map_err(wrong)?, code: code.to_owned() })
}

/// Keeps an account; true when there was one.
pub(super) async fn add(
    site: &Site,
    name: &str,
    role: Role,
    area: Option<AreaRef>,
    password: &str,
) -> Result<bool> {
    if password.chars().count() < 10 {
        return Err(wrong("a password has 10 characters or more"));
    }
    let account = Account {
        name: name.to_owned(),
        role,
        area,
        password_hash: hash_password(password)?,
        created_at: now(),
    };
    save_account(&site.store, &account).await.map_err(refused)
}

/// What was asked for is the asker's to mend; anything else is ours.
pub(super) fn refused(error: AccessError) -> anyhow::Error {
    match error {
        AccessError::Asked(what) => wrong(what),
        AccessError::Store(failed) => failed.into(),
    }
}
