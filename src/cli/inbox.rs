//! Files dropped into the inbox: read before the nightly run.

use super::{
    import::{mapping, told},
    site::{Site, now},
};
use crate::stages::{
    county::Outlines,
    import::{File, import},
    night::Engine,
};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Reads what was dropped into `inbox/SOURCE/`, moves it to `done` or `rejected` beside a report, and logs which.
pub(super) async fn read(site: &Site, engine: &Engine) -> Result<()> {
    let inbox = site.config.path(&site.config.import.inbox);
    let Ok(sources) = fs::read_dir(&inbox) else { return Ok(()) };
    let mut outlines = Outlines::default();
    for source in sources.filter_map(Result::ok).filter(|entry| entry.path().is_dir()) {
        let name = source.file_name().to_string_lossy().into_owned();
        let mut files: Vec<PathBuf> = fs::read_dir(source.path())?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")))
            .collect();
        files.sort();
        for path in files {
            let outcome = read_one(site, engine, &mut outlines, &name, &path).await;
            let (folder, text) = match outcome {
                Ok(text) => ("done", text),
                Err(failed) if failed.is::<crate::store::StoreError>() => return Err(failed),
                Err(failed) => ("rejected", format!("{failed:#}\n")),
            };
            // A file that can't be moved is read again on the next night, which adds nothing: the night goes on.
            match put_away(&path, folder, &text) {
                Ok(report) => tracing::info!(source = name, report = %report.display(), "read the inbox"),
                Err(failed) => tracing::error!("{failed:#}"),
            }
        }
    }
    Ok(())
}

async fn read_one(
    site: &Site,
    engine: &Engine,
    outlines: &mut Outlines,
    source: &str,
    path: &Path,
) -> Result<String> {
    let mapping = mapping(site, source, None)?;
    let bytes = fs::read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = File { name: &name, source, bytes: &bytes, mapping: &mapping };
    let report = import(&site.store, &engine.county, outlines, &file, now(), false).await?;
    Ok(told(&report))
}

/// Moves a file into a folder beside it, under a name that overwrites nothing, with its report; tells where the report lies.
fn put_away(path: &Path, folder: &str, report: &str) -> Result<PathBuf> {
    let into = path.parent().unwrap_or(Path::new(".")).join(folder);
    fs::create_dir_all(&into).with_context(|| format!("{}: can't be made", into.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut free = name.clone();
    let mut number = 0;
    while into.join(&free).exists() {
        number += 1;
        free = format!("{number}-{name}");
    }
    let target = into.join(free);
    fs::rename(path, &target).with_context(|| format!("{}: can't be moved", path.display()))?;
    let beside = target.with_extension("report.txt");
    fs::write(&beside, report).with_context(|| format!("{}: can't be written", beside.display()))?;
    Ok(beside)
}
