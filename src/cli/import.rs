//! `tension-watch import`: incidents, outlines, the directory; and what to do about rejects and links.

use super::{
    site::{Site, now},
    wrong,
};
use crate::{
    import::{Mapping, Reject, read_areas, read_directory, rejects_csv},
    locate::misfits,
    model::{Area, AreaKind},
    stages::{
        county::Outlines,
        import::{File, ImportReport, import},
        setup::shape,
    },
};
use anyhow::{Context, Result};
use chrono::{Datelike, NaiveDate};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// Import incidents, outlines of wards, or the directory.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Import CSV files of incidents. The same file twice adds nothing; a changed record becomes a new version.
    ///
    /// Example: tension-watch import incidents june.csv --source police --mapping police-export
    Incidents {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Who supplied them.
        #[arg(long, value_name = "NAME")]
        source: String,
        /// own, police-uk, police-export, or a TOML file; what the configuration says for the source otherwise.
        #[arg(long, value_name = "FILE")]
        mapping: Option<String>,
        /// Say what would happen, and keep nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Import outlines of wards from GeoJSON. Wards in force that the file does not hold end on the day it begins.
    ///
    /// Example: tension-watch import areas wards.geojson --kind ward --code WD25CD --name WD25NM --valid-from 2025-05-01
    Areas {
        /// The file, in WGS 84 or British National Grid.
        file: PathBuf,
        /// The kind of area; outlines are of wards.
        #[arg(long, value_parser = ["ward"])]
        kind: String,
        /// The property that holds the code.
        #[arg(long, value_name = "PROPERTY")]
        code: String,
        /// The property that holds the name.
        #[arg(long, value_name = "PROPERTY")]
        name: String,
        /// The first day on which these boundaries are in force.
        #[arg(long, value_name = "YYYY-MM-DD")]
        valid_from: NaiveDate,
    },
    /// Import the directory, in place of the one before: CSV with role,kind,code,mailbox.
    ///
    /// Example: tension-watch import directory directory.csv
    Directory {
        /// The file.
        file: PathBuf,
    },
    /// Give the rejected rows of an import back as CSV, to be mended and imported again.
    ///
    /// Example: tension-watch import rejects 0197a1b2-… > mend.csv
    Rejects {
        /// The import's key, as the import's report names it.
        import: Uuid,
    },
    /// Show reports of different sources that are taken as one event, or say that a pair is two.
    ///
    /// Example: tension-watch import same-event --undo 0197a1b2-…
    SameEvent {
        /// The report that is to be counted again.
        #[arg(long, value_name = "KEY")]
        undo: Option<Uuid>,
    },
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let site = Site::open(&config).await?;
    match args.command {
        Command::Incidents { files, source, mapping, dry_run } => {
            incidents(&site, &files, &source, mapping.as_deref(), dry_run).await
        }
        Command::Areas { file, kind: _, code, name, valid_from } => {
            areas(&site, &file, &code, &name, valid_from).await
        }
        Command::Directory { file } => directory(&site, &file).await,
        Command::Rejects { import } => rejects(&site, import).await,
        Command::SameEvent { undo } => same_event(&site, undo).await,
    }
}

/// The mapping of a source: the one named, else the configuration's, else our own format.
pub(super) fn mapping(site: &Site, source: &str, named: Option<&str>) -> Result<Mapping> {
    let configured = site.config.import.mappings.get(source).map(String::as_str);
    let name = named.or(configured).unwrap_or("own");
    if Path::new(name).extension().is_none_or(|extension| extension != "toml") {
        return Mapping::shipped(name).map_err(wrong);
    }
    let path = if named.is_some() { PathBuf::from(name) } else { site.config.path(Path::new(name)) };
    let text = fs::read_to_string(&path)
        .map_err(|cause| wrong(format!("{}: can't be read ({cause})", path.display())))?;
    text.parse().map_err(|mistake| wrong(format!("{}: {mistake}", path.display())))
}

async fn incidents(
    site: &Site,
    files: &[PathBuf],
    source: &str,
    named: Option<&str>,
    dry_run: bool,
) -> Result<()> {
    let mapping = mapping(site, source, named)?;
    let county = site.county().await?;
    let mut outlines = Outlines::default();
    for path in files {
        let bytes =
            fs::read(path).map_err(|cause| wrong(format!("{}: can't be read ({cause})", path.display())))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = File { name: &name, source, bytes: &bytes, mapping: &mapping };
        let report =
            import(&site.store, &county, &mut outlines, &file, now(), dry_run).await.map_err(|failed| {
                match failed.downcast::<crate::import::ImportError>() {
                    Ok(mistake) => wrong(format!("{}: {mistake}", path.display())),
                    Err(failed) => failed,
                }
            })?;
        print!("{}", told(&report));
        if dry_run {
            println!("  nothing was kept (--dry-run)");
        }
    }
    Ok(())
}

/// An import's report, as people read it.
pub(super) fn told(report: &ImportReport) -> String {
    use std::fmt::Write;
    let record = &report.record;
    let mut text = format!(
        "{}: {} rows: {} new, {} changed, {} known already, {} rejected\n",
        record.file_name, record.row_count, record.added, record.changed, record.unchanged, record.rejected
    );
    let mut line = |line: String| {
        let _ = writeln!(text, "  {line}");
    };
    if let Some(before) = report.seen_before {
        line(format!("this very file was imported before, on {}", before.format("%-d %B %Y")));
    }
    if report.without_place > 0 {
        line(format!("{} without a place", report.without_place));
    }
    if report.outside_every_ward > 0 {
        line(format!("{} lie in no ward", report.outside_every_ward));
    }
    if report.same_event > 0 {
        line(format!("{} taken as events that another source has told of", report.same_event));
    }
    report.notes.iter().for_each(|note| line(note.clone()));
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for reject in &report.rejects {
        *reasons.entry(&reject.reason).or_default() += 1;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    for (reason, count) in reasons.iter().take(10) {
        line(format!("rejected {count}: {reason}"));
    }
    if let Some(first) = report.rejects.first() {
        line(format!(
            "the first on line {}; all of them: tension-watch import rejects {}",
            first.line, record.id
        ));
    }
    text
}

/// Overlaps and gaps of wards up to so many square metres are not worth a word: generalised outlines have them.
const SLIVER: f64 = 10.0;

async fn areas(site: &Site, file: &Path, code: &str, name: &str, valid_from: NaiveDate) -> Result<()> {
    let shown = file.display();
    let text =
        fs::read_to_string(file).map_err(|cause| wrong(format!("{shown}: can't be read ({cause})")))?;
    let outlines =
        read_areas(&text, code, Some(name)).map_err(|mistakes| wrong(format!("{shown}:\n{mistakes}")))?;
    let known: Vec<Area> =
        site.store.areas().await?.into_iter().filter(|area| area.kind == AreaKind::Ward).collect();
    let renewed = known.iter().any(|area| area.valid_from == valid_from);
    let mut tx = site.store.begin().await?;
    if !renewed {
        for before in known.iter().filter(|area| area.in_force(valid_from)) {
            tx.save_area(&Area { valid_to: Some(valid_from), ..before.clone() }).await?;
        }
    }
    for outline in &outlines {
        let same = known.iter().find(|area| area.code == outline.code && area.valid_from == valid_from);
        let ward = Area {
            kind: AreaKind::Ward,
            code: outline.code.clone(),
            name: outline.name.clone(),
            boundary_year: same.map_or(valid_from.year(), |area| area.boundary_year),
            valid_from,
            valid_to: same.and_then(|area| area.valid_to),
            population: same.and_then(|area| area.population),
            workday_population: same.and_then(|area| area.workday_population),
        };
        tx.save_area(&ward).await?;
        tx.save_ward_shape(&shape(outline, ward.boundary_year)).await?;
    }
    tx.commit().await.context("keeping the outlines")?;
    println!("{} wards in force from {valid_from}", outlines.len());
    let misfits = misfits(&outlines, SLIVER);
    for misfit in misfits.iter().take(20) {
        println!("note: {misfit}");
    }
    if misfits.len() > 20 {
        println!("note: and {} more gaps and overlaps", misfits.len() - 20);
    }
    println!("incidents imported before keep the ward they were given; import outlines first");
    Ok(())
}

async fn directory(site: &Site, file: &Path) -> Result<()> {
    let shown = file.display();
    let text =
        fs::read_to_string(file).map_err(|cause| wrong(format!("{shown}: can't be read ({cause})")))?;
    let directory = read_directory(&text, &site.store.areas().await?).map_err(wrong)?;
    let mut tx = site.store.begin().await?;
    tx.replace_directory(&directory).await?;
    tx.commit().await.context("keeping the directory")?;
    println!("{} mailboxes", directory.len());
    Ok(())
}

async fn rejects(site: &Site, import: Uuid) -> Result<()> {
    let saved = site.store.rejects(import).await?;
    let rejects: Vec<Reject> =
        saved.into_iter().map(|saved| serde_json::from_value(saved.body)).collect::<Result<_, _>>()?;
    let Some(imported) = site.store.imports().await?.into_iter().find(|known| known.id == import) else {
        return Err(wrong(format!("there is no import {import}")));
    };
    eprintln!("{} rejected rows of {}", rejects.len(), imported.file_name);
    print!("{}", rejects_csv(&imported.header, &rejects));
    Ok(())
}

async fn same_event(site: &Site, undo: Option<Uuid>) -> Result<()> {
    let Some(also) = undo else {
        println!("counted,not_counted,why,undone");
        for link in site.store.same_events().await? {
            let undone = link.undone_at.map(|at| at.to_rfc3339()).unwrap_or_default();
            println!("{},{},\"{}\",{undone}", link.kept, link.also, link.reason);
        }
        return Ok(());
    };
    let mut tx = site.store.begin().await?;
    let undone = tx.undo_same_event(also, now()).await?;
    tx.commit().await?;
    if !undone {
        return Err(wrong(format!("no such link stands: {also}")));
    }
    println!("{also} is counted again");
    Ok(())
}
