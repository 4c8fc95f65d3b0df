//! `tension-watch rules schema`: what editors need to complete and explain fields.

use super::{put, strands, write};
use crate::{
    model::Categories,
    rules::{SchemaOf, schema},
};
use anyhow::Result;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The schema of calendar files instead.
    #[arg(long)]
    calendar: bool,
    /// The schema of episodes files instead.
    #[arg(long, conflicts_with = "calendar")]
    episodes: bool,
    /// The schema of playbooks instead.
    #[arg(long, conflicts_with_all = ["calendar", "episodes"])]
    playbooks: bool,
    /// A file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn run(config: &Path, args: &Args) -> Result<()> {
    let of = match (args.calendar, args.episodes, args.playbooks) {
        (true, _, _) => SchemaOf::Calendar,
        (_, true, _) => SchemaOf::Episodes,
        (_, _, true) => SchemaOf::Playbooks,
        _ => SchemaOf::Rules,
    };
    put(&text(of, &strands(config).await?)?, args.out.as_deref())
}

fn text(of: SchemaOf, categories: &Categories) -> Result<String> {
    Ok(serde_json::to_string_pretty(&schema(of, categories))? + "\n")
}

/// Lays the schemas beside the files they are for, so that `#:schema ./rule.schema.json` finds them.
pub(in crate::cli) fn write_schemas(rules: &Path, categories: &Categories) -> Result<()> {
    write(&rules.join("rule.schema.json"), &text(SchemaOf::Rules, categories)?)?;
    let folders = [
        ("calendar", "event.schema.json", SchemaOf::Calendar),
        ("episodes", "episode.schema.json", SchemaOf::Episodes),
        ("playbooks", "play.schema.json", SchemaOf::Playbooks),
    ];
    for (folder, file, of) in folders {
        let folder = rules.join(folder);
        if folder.is_dir() {
            write(&folder.join(file), &text(of, categories)?)?;
        }
    }
    Ok(())
}
