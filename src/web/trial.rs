//! A rule tried over past nights, as its file is or as somebody would have it: what it would have told. Nothing is saved and
//! nobody is told; who wants the change edits the file.

use super::{
    Site,
    classes::{capital, number},
    error::PageError,
    hotspots::{day, frame, once_in, options},
    reader::Reader,
};
use crate::{
    model::AlertLevel,
    rules::trial::{Rate, also_told},
    stages::{
        candidate::{Candidate, NoCandidate},
        past::{NoPast, Past, Since, lead},
        tried::{Tried, tried},
    },
    words::counted,
};
use anyhow::Result;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use minijinja::{Value, context};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// From when on nights can be tried here.
const SINCE: [(&str, &str); 4] =
    [("3m", "3 months"), ("6m", "6 months"), ("1y", "1 year"), ("2y", "2 years")];

/// Letters of a rule file that is tried.
const LONGEST: usize = 20_000;

/// So many people's last trials are kept.
const KEPT: usize = 20;

/// The trials of a site: one at a time, since each takes half of the machine; and the last one of everybody.
pub(super) struct Trials {
    turn: Arc<Semaphore>,
    last: Mutex<BTreeMap<String, Arc<Trial>>>,
}

impl Default for Trials {
    fn default() -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), last: Mutex::default() }
    }
}

/// What somebody tries.
struct Trial {
    /// The rule whose page it was begun on.
    rule: String,
    text: String,
    since: String,
    alone: bool,
    /// What is replayed, and of how many nights so many are done.
    at: Mutex<(&'static str, u64, u64)>,
    outcome: OnceLock<Result<Value, String>>,
}

impl Trials {
    fn of(&self, reader: &Reader, rule: &str) -> Option<Arc<Trial>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(&reader.name).filter(|trial| trial.rule == rule).cloned()
    }

    /// The turn, unless somebody has it.
    pub(super) fn taken(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turn).try_acquire_owned().ok()
    }

    fn keep(&self, reader: &Reader, trial: &Arc<Trial>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= KEPT && !last.contains_key(&reader.name) {
            last.pop_first();
        }
        last.insert(reader.name.clone(), Arc::clone(trial));
    }
}

#[derive(Deserialize)]
pub(super) struct Sent {
    token: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    alone: Option<String>,
}

/// The form, and the reader's last trial of this rule.
pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let (name, text) = file(&site, &id).await?;
    let trial = site.trials.of(&reader, &id);
    let shown = match &trial {
        Some(trial) => Shown {
            text: &trial.text,
            since: &trial.since,
            alone: trial.alone,
            trial: Some(trial),
            problem: None,
        },
        None => Shown { text: &text, since: "1y", alone: false, trial: None, problem: None },
    };
    render(&site, &reader, (&id, &name, &text), &shown)
}

/// What the page shows.
struct Shown<'a> {
    text: &'a str,
    since: &'a str,
    alone: bool,
    trial: Option<&'a Trial>,
    problem: Option<String>,
}

fn render(
    site: &Site,
    reader: &Reader,
    (id, name, original): (&str, &str, &str),
    shown: &Shown<'_>,
) -> Result<Html<String>, PageError> {
    let outcome = shown.trial.map(|trial| (trial, trial.outcome.get()));
    let (mut running, mut told, mut failed) = (None, None, None);
    match outcome {
        Some((trial, None)) => running = Some(*trial.at.lock().unwrap_or_else(PoisonError::into_inner)),
        Some((_, Some(Ok(value)))) => told = Some(value.clone()),
        Some((_, Some(Err(why)))) => failed = Some(why.clone()),
        None => {}
    }
    let heading = match (&told, &running, &shown.problem) {
        (_, _, Some(_)) => "The rule has mistakes".to_owned(),
        (_, Some(_), _) => "The rule is being tried".to_owned(),
        (Some(told), ..) => told.get_attr("heading").map_or_else(|_| String::new(), |text| text.to_string()),
        _ => "What would this rule have told?".to_owned(),
    };
    let values = context! {
        ..frame(site, reader),
        ..context! {
            heading, id, name, told, failed,
            problem => &shown.problem,
            running => running.map(|(what, done, all)| context! { what, done, all }),
            text => shown.text,
            changed => shown.text.trim() != original.trim(),
            sinces => options(SINCE, shown.since),
            alone => shown.alone,
        },
    };
    Ok(Html(site.render("trial.html", values)?))
}

/// The file of a rule that is in force: its name and text.
async fn file(site: &Site, id: &str) -> Result<(String, String), PageError> {
    let saved = site.engine.store.last_rules().await?.ok_or(PageError::NotFound)?;
    let county = &site.engine.county;
    let rules = crate::stages::rules::checked(&saved.files, county, county.day_of(saved.accepted_at))?.rules;
    let rule = rules.iter().find(|rule| rule.id == id).ok_or(PageError::NotFound)?;
    Ok((rule.file.clone(), saved.files.get(&rule.file).cloned().unwrap_or_default()))
}

/// Checks the text and begins to try it.
pub(super) async fn begin(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(id): Path<String>,
    Form(form): Form<Sent>,
) -> Result<Response, PageError> {
    reader.sent(&form.token)?;
    let (name, original) = file(&site, &id).await?;
    // Browsers send lines as forms have them.
    let text = form.text.replace("\r\n", "\n");
    let since = SINCE.iter().find(|since| since.0 == form.since).map_or("1y", |since| since.0);
    let alone = form.alone.is_some();
    let refused = |problem: String, status: StatusCode| -> Result<Response, PageError> {
        let shown = Shown { text: &text, since, alone, trial: None, problem: Some(problem) };
        Ok((status, render(&site, &reader, (&id, &name, &original), &shown)?).into_response())
    };
    if text.len() > LONGEST {
        let problem = format!("The file is longer than {LONGEST} letters.");
        return refused(problem, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let saved = site.engine.store.last_rules().await?.ok_or(PageError::NotFound)?;
    let county = &site.engine.county;
    let today = county.day_of(site.clock.now());
    let mut folder = saved.files.clone();
    folder.remove(&name);
    let candidate = match Candidate::of(name.clone(), text.clone(), folder, county, today) {
        Ok(candidate) => candidate,
        Err(failed) if failed.is::<NoCandidate>() => {
            return refused(format!("{failed}"), StatusCode::UNPROCESSABLE_ENTITY);
        }
        Err(failed) => return Err(failed.into()),
    };
    let Some(turn) = site.trials.taken() else {
        let problem =
            "Another rule is being tried just now, and one is tried at a time. Wait a minute and try again.";
        return refused(problem.to_owned(), StatusCode::CONFLICT);
    };
    let trial = Arc::new(Trial {
        rule: id.clone(),
        text: text.clone(),
        since: since.to_owned(),
        alone,
        at: Mutex::new(("what was known", 0, 1)),
        outcome: OnceLock::new(),
    });
    site.trials.keep(&reader, &trial);
    let here = Arc::clone(&site);
    tokio::spawn(async move {
        let _turn = turn;
        let outcome = match worked_out(&here, &candidate, &trial).await {
            Ok(told) => Ok(told),
            Err(failed) if failed.is::<NoPast>() => Err(capital(&format!("{failed}."))),
            Err(failed) => {
                tracing::error!(
                    error = format!("{failed:#}"),
                    rule = candidate.rule.id,
                    "a rule could not be tried"
                );
                Err("It could not be tried. Whoever runs the program finds the reason in its log.".to_owned())
            }
        };
        let _ = trial.outcome.set(outcome);
    });
    Ok(Redirect::to(&format!("/rules/{id}/try")).into_response())
}

/// Replays the nights, on half of the cores.
async fn worked_out(site: &Arc<Site>, candidate: &Candidate, trial: &Arc<Trial>) -> Result<Value> {
    let since: Since = trial.since.parse().map_err(anyhow::Error::msg)?;
    let schedule = site.nightly.clone().ok_or_else(|| anyhow::anyhow!("the site has no schedule"))?;
    let past = Past::open(Arc::clone(&site.engine), schedule, since, site.clock.now()).await?;
    let (candidate, trial) = (candidate.clone(), Arc::clone(trial));
    let work = move || {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(cores).build()?;
        let watch = |what, done, all| {
            *trial.at.lock().unwrap_or_else(PoisonError::into_inner) = (what, done, all);
        };
        let tried = pool.install(|| tried(&past, &candidate, trial.alone, &watch))?;
        Ok(told(&past, &candidate, &tried))
    };
    tokio::task::spawn_blocking(work).await?
}

fn rate(rate: Rate) -> String {
    if rate.high >= 1e6 {
        return "over no time at all nothing can be said".to_owned();
    }
    format!("about {:.1} a year (95% interval {:.1} to {:.1})", rate.a_year, rate.low, rate.high)
}

/// The result in words.
fn told(past: &Past, candidate: &Candidate, tried: &Tried) -> Value {
    let labels = past.labels(&candidate.set);
    let nights = past.nights.len();
    let months = past.months().round();
    let count = tried.alerts.len();
    let mut by_csp: BTreeMap<String, usize> = BTreeMap::new();
    for csp in tried.alerts.iter().flat_map(|alert| &alert.csps) {
        *by_csp.entry(past.csp(csp)).or_default() += 1;
    }
    let alerts = tried.alerts.iter().map(|alert| {
        let finding = &alert.finding;
        let episode = labels.of(finding).map(|place| &labels.episodes[place]);
        let also = tried.live.as_ref().map(|live| also_told(alert, live));
        context! {
            night => day(alert.night),
            at => past.name(finding),
            observed => finding.observed,
            usual => format!("{:.1}", finding.expected),
            rare => once_in(finding.recurrence),
            episode => episode.map(|episode| format!("{}: {}", episode.name, lead((episode.peak - alert.night).num_days()))),
            also => also.map(|also| also.map_or_else(
                || "no live rule".to_owned(),
                |(night, finding)| format!("{} on {}", finding.rule, day(*night)),
            )),
        }
    });
    let episodes = tried.seen.iter().map(|one| {
        let episode = &labels.episodes[one.episode];
        let told = one.alert.map(|alert| &tried.alerts[alert]).zip(one.lead);
        context! {
            name => &episode.name,
            told => told.map(|(alert, days)| format!("told on {}, {}, in {}", day(alert.night), lead(days), past.name(&alert.finding))),
        }
    });
    let times = match count {
        0 => "nothing".to_owned(),
        1 => "one alert".to_owned(),
        count => format!("{} alerts", number(count)),
    };
    context! {
        heading => format!("{}: {times} in {}", candidate.rule.title, counted(months as u64, "month")),
        in_words => candidate.rule.in_words(),
        nights,
        first => day(past.window().first),
        last => day(past.window().last),
        digest => candidate.rule.level < AlertLevel::Elevated,
        rate => rate(Rate::of(count, crate::rules::tune::years(nights))),
        stray => tried.stray.count,
        stray_rate => rate(tried.stray),
        new => tried.told_by_no_other(),
        count,
        compared => tried.live.is_some(),
        alerts => alerts.collect::<Vec<_>>(),
        csps => by_csp.into_iter().map(|(name, count)| context! { name, count }).collect::<Vec<_>>(),
        episodes => episodes.collect::<Vec<_>>(),
    }
}
