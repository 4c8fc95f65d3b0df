//! `tension-watch rules why-not`: for each rule the first condition that failed.

use super::super::{site::Site, wrong};
use crate::stages::explain::ward_named;
use anyhow::Result;
use chrono::NaiveDate;
use std::path::Path;

/// Tell for each rule why it did not hold in a ward on a night: the first condition that failed, and by how much.
///
/// The night is judged again with what was known and the rules that were in force then.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The ward, by code or name.
    ward: String,
    /// The strand, by code, or `any`.
    strand: String,
    /// The night: the last day that was looked at.
    #[arg(value_name = "YYYY-MM-DD")]
    date: NaiveDate,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Path, args: &Args) -> Result<()> {
    let site = Site::open(config).await?;
    let engine = site.engine(false).await?;
    let categories = &engine.county.pack.categories;
    let strand = match args.strand.as_str() {
        "any" => None,
        code if categories.find(code).is_some() => Some(code),
        other => {
            let list = categories.codes().join(", ");
            return Err(wrong(format!("no strand has the code {other}; there are any, {list}")));
        }
    };
    let Some(ward) = ward_named(&engine.county, &args.ward, args.date)? else {
        return Err(wrong(format!(
            "{} is the code or name of no ward, or of several; write the code",
            args.ward
        )));
    };
    let Some(answers) = engine.why_not(&ward, strand, args.date).await? else {
        return Err(wrong(format!(
            "no run of the night of {0} is on record; judge it first: tension-watch run --as-of {0}",
            args.date
        )));
    };
    if args.json {
        let told = answers
            .iter()
            .map(|one| serde_json::json!({ "rule": one.rule, "title": one.title, "lines": one.lines }));
        println!("{}", serde_json::to_string_pretty(&told.collect::<Vec<_>>())?);
        return Ok(());
    }
    println!("{} ({}), the night of {}", args.ward, args.strand, args.date.format("%-d %B %Y"));
    for answer in &answers {
        println!("\n{}: {}", answer.rule, answer.title);
        for line in &answer.lines {
            println!("  {line}");
        }
    }
    Ok(())
}
