//! `tension-watch rules test`: runs the tests that stand in rule files.

use super::{
    super::{site, wrong},
    check::county,
};
use crate::{
    config::Config,
    rules::{Rehearsed, Rule, rehearse},
    stages::rules::{checked, read_folder},
};
use anyhow::Result;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Run the tests inside rule files, on the same path as a real night.
///
/// Around each test stands a quiet county, so that it asks what a real night asks: how rare is this, anywhere the rule
/// looks? No database is needed. The exit code is 0 when all are as expected and 2 when one is not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the tests of these rules, by id or file; all of the folder otherwise.
    rules: Vec<String>,
    /// The folder of rules; that of the configuration otherwise.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Also the numbers behind tests that pass.
    #[arg(long)]
    verbose: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Path, args: &Args) -> Result<()> {
    let site = if config.exists() { Some(Config::read(config).map_err(wrong)?) } else { None };
    let of_site = || site.as_ref().map_or_else(|| "rules".into(), |site| site.path(&site.rules.folder));
    let folder = args.folder.clone().unwrap_or_else(of_site);
    let (county, _) = county(site.as_ref()).await?;
    let day = county.day_of(site::now());
    let files = read_folder(&folder).map_err(|cause| wrong(format!("{cause:#}")))?;
    let found = checked(&files, &county, day)?;
    let Some(set) = found.rule_set() else {
        return Err(wrong(format!(
            "{}\n\nmend this first: tests run on rules without mistakes",
            found.shown()
        )));
    };
    let (geography, categories) = (county.geography(day)?, &county.pack.categories);
    let asked = |rule: &&Rule| {
        let file = Path::new(&rule.file).file_name();
        let named = |name: &String| *name == rule.id || file.is_some() && Path::new(name).file_name() == file;
        args.rules.is_empty() || args.rules.iter().any(named)
    };
    let rules: Vec<&Rule> = set.rules.iter().filter(asked).collect();
    if rules.is_empty() {
        return Err(wrong(format!(
            "no rule in {} is called {}; give an id or a file, for example race-week-spike",
            folder.display(),
            args.rules.join(" or ")
        )));
    }
    let all: Vec<Rehearsed> =
        rules.par_iter().flat_map(|rule| rehearse(rule, &set, &geography, categories)).collect();
    let failed = all.iter().filter(|one| !one.passed()).count();
    if args.json {
        let line = |one: &Rehearsed| {
            serde_json::json!({
                "rule": one.rule, "file": one.file, "line": one.line, "test": one.test,
                "expected": word(one.expected), "found": word(one.held), "why": one.why,
            })
        };
        println!("{}", serde_json::to_string_pretty(&all.iter().map(line).collect::<Vec<_>>())?);
    } else {
        for one in &all {
            told(one, args.verbose);
        }
        for rule in rules.iter().filter(|rule| rule.tests.is_empty()) {
            println!("note   {} has no [[test]]", rule.id);
        }
        println!(
            "{} tests of {} rules: {} as expected, {failed} not",
            all.len(),
            rules.len(),
            all.len() - failed
        );
    }
    if failed > 0 {
        return Err(wrong(format!("{failed} of {} tests are not as expected", all.len())));
    }
    Ok(())
}

fn told(one: &Rehearsed, verbose: bool) {
    if one.passed() {
        println!("ok     {}: {}", one.rule, one.test);
        if verbose {
            println!("       {}", one.why);
        }
        return;
    }
    println!("FAILED {}:{}: {}: {}", one.file, one.line, one.rule, one.test);
    println!("       expected {}, found {}", word(one.expected), word(one.held));
    println!("       {}", one.why);
}

const fn word(alert: bool) -> &'static str {
    if alert { "an alert" } else { "nothing" }
}
