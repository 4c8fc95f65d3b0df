//! `tension-watch rules check`: every mistake of rule files, without a database where there is none.

use super::super::{init::shipped, site, wrong};
use crate::{
    config::Config,
    rules::{Checked, Mistake},
    stages::{
        county::County,
        rules::{checked, read_folder},
    },
    store::Store,
};
use anyhow::Result;
use chrono::NaiveDate;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Show every mistake in rule files, with its line and what to do.
///
/// Without a path it checks the folder of the configuration, or the folder `rules` here. A file is judged together with
/// that folder, in place of the file of its name. Areas and strands are those of the site's database, or of the area
/// pack that comes with the program. The exit code is 0 without mistakes and 2 with some.
///
/// Example: tension-watch rules check rules/race-week-spike.toml
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder of rules, or files that are judged together with the folder.
    paths: Vec<PathBuf>,
    /// Print the mistakes as JSON.
    #[arg(long)]
    json: bool,
}

type Files = BTreeMap<String, String>;

/// What is judged.
struct Asked {
    files: Files,
    /// The files that were named; all of them when it is empty.
    named: Vec<String>,
    /// Where the files are from.
    folders: Vec<PathBuf>,
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = if config.exists() { Some(Config::read(&config).map_err(wrong)?) } else { None };
    let folder = site.as_ref().map_or_else(|| PathBuf::from("rules"), |site| site.path(&site.rules.folder));
    let (county, whose) = county(site.as_ref()).await?;
    let asked = read(&args.paths, &folder)?;
    let day = county.day_of(site::now());
    let found = checked(&asked.files, &county, day)?;
    let (shown, others) = sort(&asked, &found, &county, day)?;
    if args.json {
        println!("{:#}", as_json(&shown, others));
    } else {
        tell(&asked, &found, &shown, others, &whose, day);
    }
    if shown.is_empty() && others == 0 {
        return Ok(());
    }
    Err(wrong(summary(shown.len(), others)))
}

/// The county of the site's database; the one that comes with the program where there is none.
pub(super) async fn county(site: Option<&Config>) -> Result<(County, String)> {
    if let Some(site) = site {
        let address = site.store_address();
        let missing = address.strip_prefix("sqlite:").is_some_and(|path| !Path::new(path).exists());
        if !missing
            && let Ok(store) = Store::open(&address).await
            && let Ok(county) = County::load(&store).await
        {
            let name = county.pack.name.clone();
            return Ok((county, name));
        }
    }
    let (files, _) = shipped()?;
    let whose = format!("{}, the area pack that comes with the program", files.pack.name);
    Ok((County::of_pack(files), whose))
}

fn read(paths: &[PathBuf], folder: &Path) -> Result<Asked> {
    let mut asked = Asked { files: Files::new(), named: Vec::new(), folders: Vec::new() };
    let dirs: Vec<&PathBuf> = paths.iter().filter(|path| path.is_dir()).collect();
    if dirs.is_empty() && (paths.is_empty() || folder.is_dir()) {
        asked.files = read_folder(folder).map_err(|cause| wrong(format!("{cause:#}")))?;
        asked.folders.push(folder.to_owned());
    }
    for dir in dirs {
        asked.files.extend(read_folder(dir).map_err(|cause| wrong(format!("{cause:#}")))?);
        asked.folders.push(dir.clone());
    }
    for path in paths.iter().filter(|path| !path.is_dir()) {
        let text = fs::read_to_string(path)
            .map_err(|cause| wrong(format!("{}: can't be read ({cause})", path.display())))?;
        let name = name_of(path);
        asked.files.insert(name.clone(), text);
        asked.named.push(name);
    }
    Ok(asked)
}

/// A file's name as its folder knows it: events and episodes have folders of their own.
fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let parent = whole.parent().and_then(Path::file_name).unwrap_or_default();
    match parent.to_str() {
        Some(folder @ ("calendar" | "episodes")) => format!("{folder}/{name}"),
        _ => name.into_owned(),
    }
}

/// The mistakes to show, and how many there are in files that nobody asked about. What the named files cause in
/// others is shown.
fn sort(asked: &Asked, found: &Checked, county: &County, day: NaiveDate) -> Result<(Vec<Mistake>, usize)> {
    if asked.named.is_empty() || found.mistakes.is_empty() {
        return Ok((found.mistakes.clone(), 0));
    }
    let mut others = asked.files.clone();
    others.retain(|name, _| !asked.named.contains(name));
    let before = checked(&others, county, day)?.mistakes;
    let (shown, hidden): (Vec<Mistake>, Vec<Mistake>) = found
        .mistakes
        .iter()
        .cloned()
        .partition(|mistake| asked.named.contains(&mistake.file) || !before.contains(mistake));
    Ok((shown, hidden.len()))
}

fn tell(asked: &Asked, found: &Checked, shown: &[Mistake], others: usize, whose: &str, day: NaiveDate) {
    for mistake in shown {
        println!("{}\n", mistake.shown());
    }
    for folder in asked.folders.iter().flat_map(|folder| unread(folder)) {
        println!("note: {} is not read; rules stand directly in the folder", folder.display());
    }
    for rule in found.rules.iter().filter(|rule| rule.is_evaluated() && rule.review_by < day) {
        println!("note: {} should have been reviewed by {}", rule.id, rule.review_by);
    }
    if shown.is_empty() && others == 0 {
        let live = found.rules.iter().filter(|rule| rule.is_evaluated()).count();
        let version = found.rule_set().map(|set| set.version).unwrap_or_default();
        println!(
            "{} files, no mistakes; {live} rules are evaluated. Checked against {whose}. Version {version}",
            asked.files.len()
        );
    } else {
        let good = asked.files.keys().filter(|name| !found.mistakes.iter().any(|m| &m.file == *name)).count();
        println!("{good} of {} files have no mistakes. Checked against {whose}", asked.files.len());
    }
}

fn summary(shown: usize, others: usize) -> String {
    let count = |number: usize| format!("{number} mistake{}", if number == 1 { "" } else { "s" });
    match (shown, others) {
        (0, others) => {
            format!("no mistakes here, but {} in other files: run `tension-watch rules check`", count(others))
        }
        (shown, 0) => format!("{} to mend", count(shown)),
        (shown, others) => {
            format!(
                "{} to mend; also {} in other files: run `tension-watch rules check`",
                count(shown),
                count(others)
            )
        }
    }
}

fn as_json(shown: &[Mistake], others: usize) -> serde_json::Value {
    let mistakes: Vec<serde_json::Value> = shown
        .iter()
        .map(|mistake| {
            json!({
                "file": mistake.file,
                "line": mistake.line,
                "column": mistake.column,
                "message": mistake.message,
                "remedy": mistake.remedy,
                "text": mistake.text,
            })
        })
        .collect();
    json!({ "mistakes": mistakes, "in_other_files": others })
}

/// Folders with rule files that nobody reads.
fn unread(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = entries
        .filter(|path| path.is_dir() && !["calendar", "episodes"].iter().any(|known| path.ends_with(known)))
        .filter(|path| {
            fs::read_dir(path)
                .into_iter()
                .flatten()
                .flatten()
                .any(|entry| entry.path().extension().is_some_and(|extension| extension == "toml"))
        })
        .collect();
    found.sort();
    found
}
