//! `tension-watch report`: what the boards read.

use super::{site::Site, wrong};
use crate::{
    report::{Definition, Quarter, Report, SHIPPED_DEFINITIONS, Whom, csv, definitions, html},
    stages::{night::Engine, pdf},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Reports for the boards.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// A quarter, from published figures: the whole county partnership by partnership, or one partnership.
    ///
    /// A quarter whose weeks are not all published yet is reported as far as they are, and says so. The same quarter as of the
    /// same day gives the same bytes.
    ///
    /// Example: tension-watch report quarter 2026Q2 --for charnwood --format pdf --out charnwood-2026Q2.pdf
    Quarter {
        /// For example 2026Q2.
        quarter: Quarter,
        /// The county (`llr`, or whatever its alert numbers begin with) or the code of a partnership.
        #[arg(long = "for", value_name = "llr|CSP")]
        whom: String,
        /// PDF is printed by a headless Chromium that is found on the PATH, or named by `[report] browser`.
        #[arg(long, value_enum, default_value_t = Format::Html)]
        format: Format,
        /// Alerts and actions as they stood at the end of this day; without it as of the last night that was judged.
        #[arg(long, value_name = "YYYY-MM-DD")]
        as_of: Option<NaiveDate>,
        /// A file instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Html,
    Pdf,
    Csv,
    Json,
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = Site::open(&config).await?;
    let Command::Quarter { quarter, whom, format, as_of, out } = args.command;
    let engine = Arc::new(site.engine(false).await?);
    let as_of = match as_of {
        Some(day) => engine.county.start_of(day + Days::new(1)),
        None => match engine.store.last_run().await? {
            Some(run) => run.as_known_on,
            None => {
                return Err(wrong(
                    "no night has run yet; `tension-watch run` judges one and publishes figures",
                ));
            }
        },
    };
    let now = super::site::now();
    if as_of > now.max(engine.county.start_of(engine.county.day_of(now) + Days::new(1))) {
        return Err(wrong("--as-of is a day that is not over yet"));
    }
    let prefix = engine.county.pack.prefix.to_lowercase();
    let whom = match whom.to_lowercase() {
        asked if asked == prefix || asked == "llr" => Whom::County,
        asked => Whom::Csp(asked),
    };
    let terms = terms(&site)?;
    let report = engine.quarter(quarter, whom, terms, as_of).await?.map_err(wrong)?;
    let bytes = match format {
        Format::Html => html(&report)?.into_bytes(),
        Format::Csv => csv(&report)?.into_bytes(),
        Format::Json => (serde_json::to_string_pretty(&report)? + "\n").into_bytes(),
        Format::Pdf => printed(&site, &report)?,
    };
    match out {
        Some(file) => {
            fs::write(&file, bytes).with_context(|| format!("{}: can't be written", file.display()))
        }
        None => std::io::stdout().write_all(&bytes).context("writing to standard output"),
    }
}

fn printed(site: &Site, report: &Report) -> Result<Vec<u8>> {
    let browser = site.config.report.browser.as_deref();
    pdf::printed(&html(report)?, browser.map(|path| site.config.path(path)).as_deref(), report.as_of)
        .map_err(wrong)
}

/// Prints a report as PDF where there is a browser to do it; what goes wrong is logged, and the mail leaves without it.
pub(super) fn on_paper(site: &Site) -> impl FnOnce(Report) -> Option<Vec<u8>> + Send + use<> {
    let browser = site.config.report.browser.as_deref().map(|path| site.config.path(path));
    move |report| {
        let page = html(&report).map_err(anyhow::Error::from);
        let printed = page.and_then(|page| Ok(pdf::printed(&page, browser.as_deref(), report.as_of)?));
        printed
            .inspect_err(|none| tracing::warn!(error = %format!("{none:#}"), "the report goes without a PDF"))
            .ok()
    }
}

/// Sends the latest quarter to the boards, when it is due.
pub(super) async fn send(site: &Site, engine: &Arc<Engine>, now: DateTime<Utc>) -> Result<()> {
    let made = engine.send_quarter(&terms(site)?, on_paper(site), now).await?;
    if made > 0 {
        tracing::info!(messages = made, "a quarter is published; the boards are sent its report");
    }
    Ok(())
}

/// The terms of the site's own file, or those that come with the program.
pub(super) fn terms(site: &Site) -> Result<Vec<Definition>> {
    let Some(file) = &site.config.report.definitions else {
        return definitions(SHIPPED_DEFINITIONS).map_err(wrong);
    };
    let path = site.config.path(file);
    let named =
        |problem: &dyn std::fmt::Display, path: &Path| wrong(format!("{}: {problem}", path.display()));
    let text = fs::read_to_string(&path)
        .map_err(|unreadable| named(&format!("can't be read ({unreadable})"), &path))?;
    definitions(&text).map_err(|mistake| named(&mistake, &path))
}
