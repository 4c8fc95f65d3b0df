//! The past that rules are tried on, with its progress shown.

use crate::{
    cli::{
        progress::Progress,
        site::{Site, now},
        wrong,
    },
    count::History,
    rules::RuleSet,
    stages::{
        candidate::{Candidate, NoCandidate},
        night::When,
        past::{NoPast, Past, Since},
        rules::read_folder,
        trial::Replay,
    },
};
use anyhow::Result;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// The nights from `since` on.
pub(super) async fn open(site: &Site, since: Since) -> Result<Past> {
    let engine = Arc::new(site.engine(false).await?);
    let schedule = site.schedule(&engine.county)?;
    let past = Past::open(engine, schedule, since, now()).await;
    past.map_err(|failed| if failed.is::<NoPast>() { wrong(failed) } else { failed })
}

/// Reads a rule file and checks it together with the folder of the configuration.
pub(super) fn candidate(site: &Site, past: &Past, path: &Path) -> Result<Candidate> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|cause| wrong(format!("{name}: can't be read ({cause})")))?;
    let folder = site.config.path(&site.config.rules.folder);
    let files = if folder.is_dir() { read_folder(&folder)? } else { BTreeMap::new() };
    let candidate = Candidate::of(name, text, files, &past.engine.county, past.window().last);
    candidate.map_err(|failed| if failed.is::<NoCandidate>() { wrong(failed) } else { failed })
}

/// Replays nights, and shows how far it is.
pub(super) fn replay(
    past: &Past,
    what: &'static str,
    history: &History,
    nights: &[When],
    sets: &[&RuleSet],
) -> Result<Replay> {
    let progress = Progress::new(what, nights.len() as u64);
    let replay =
        tokio::task::block_in_place(|| past.replay(history, nights, sets, &|done| progress.step(done)));
    progress.finish();
    replay
}

/// Progress of a work of several parts, each with a bar of its own.
#[derive(Default)]
pub(super) struct Steps(Mutex<Option<(&'static str, Progress)>>);

impl Steps {
    /// So many of all are done of a part.
    pub(super) fn step(&self, what: &'static str, done: u64, all: u64) {
        let mut at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at.as_ref().is_none_or(|(own, _)| *own != what) {
            if let Some((_, before)) = at.take() {
                before.finish();
            }
            *at = Some((what, Progress::new(what, all)));
        }
        if let Some((_, progress)) = at.as_ref() {
            progress.step(done);
        }
    }

    pub(super) fn finish(self) {
        if let Some((_, progress)) = self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            progress.finish();
        }
    }
}
