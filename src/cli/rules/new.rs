//! `tension-watch rules new`: a rule to begin with.

use super::{strands, write_schemas, wrong};
use crate::{
    cli::site::now,
    config::Config,
    rules::{DETECTORS, Template},
};
use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The rule's id, and the name of its file: small letters, digits and hyphens.
    id: String,
    /// What finds something.
    #[arg(long, default_value = "spike", value_parser = PossibleValuesParser::new(DETECTORS))]
    detector: String,
    /// What the rule finds, as people will read it.
    #[arg(long)]
    title: Option<String>,
    /// The folder of the rules; that of the configuration otherwise, or `rules` where there is none.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) async fn run(config: &Path, args: &Args) -> Result<()> {
    let template = Template {
        id: &args.id,
        detector: &args.detector,
        title: args.title.as_deref(),
        today: now().date_naive(),
    };
    let text = template.text().map_err(wrong)?;
    let folder = folder(config, args)?;
    fs::create_dir_all(&folder).with_context(|| format!("{}: can't be made", folder.display()))?;
    let path = folder.join(format!("{}.toml", args.id));
    create(&path, &text)?;
    if !folder.join("rule.schema.json").exists() {
        write_schemas(&folder, &strands(config).await?)?;
    }
    let shown = path.display();
    println!("{shown} is written: a draft that nobody is told of");
    println!("next: change it until it says what you mean, then");
    println!("  tension-watch rules check         every mistake, with its line and what to do");
    println!("  tension-watch rules test {shown}  the two tests in it");
    println!("  tension-watch rules try {shown}   what it would have found in past nights");
    Ok(())
}

fn folder(config: &Path, args: &Args) -> Result<PathBuf> {
    if let Some(folder) = &args.folder {
        return Ok(folder.clone());
    }
    if !config.exists() {
        return Ok(PathBuf::from("rules"));
    }
    let config = Config::read(config).map_err(wrong)?;
    Ok(config.path(&config.rules.folder))
}

/// Writes a file that is not there yet: a rule somebody wrote is never overwritten.
fn create(path: &Path, text: &str) -> Result<()> {
    let made = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    made.map_err(|failed| match failed.kind() {
        ErrorKind::AlreadyExists => {
            wrong(format!("{} is there already and was left as it is; choose another id", path.display()))
        }
        _ => anyhow::Error::new(failed).context(format!("{}: can't be written", path.display())),
    })
}
