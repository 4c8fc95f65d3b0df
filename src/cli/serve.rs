//! `tension-watch serve`: the site, the nightly engine and the mail sender, until it is told to stop.

use super::{site::Site, wrong};
use crate::{
    clock::{Clock, SystemClock},
    import::Mapping,
    mail::transport::Transport,
    model::AreaRef,
    schedule::{Leading, keep, lead},
    stages::{
        night::{Engine, When},
        rules::{InForce, in_force},
        send::Sender,
    },
    web::Provider,
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use uuid::Uuid;

/// How often the sender looks into the outbox.
const SENDER_LOOKS: Duration = Duration::from_secs(15);

/// How often missing answers are looked for: their clocks end at five in the afternoon, to the minute.
const ANSWERS_LOOKED_FOR: Duration = Duration::from_mins(1);

pub(super) async fn run(config: PathBuf) -> Result<()> {
    let site = Site::open(&config).await?;
    Box::pin(serve(site, false, Vec::new())).await
}

/// Serves until Ctrl-C or a termination signal.
pub(super) async fn serve(site: Site, synthetic: bool, demo_accounts: Vec<(String, String)>) -> Result<()> {
    let site = Arc::new(site);
    let transport = Transport::of(&site.config).map_err(wrong)?;
    let engine = Arc::new(site.engine(synthetic).await?);
    let provider = provider(&site).await?;
    let leading = Leading::default();
    let listener = listening(site.config.site.listen).await?;
    let metrics = match site.config.metrics.listen {
        Some(address) => Some(listening(address).await?),
        None => None,
    };
    if let Some(metrics) = &metrics {
        println!("Counts for Prometheus: http://{}/metrics", metrics.local_addr()?);
    }
    println!("Tension Watch listens on http://{}", listener.local_addr()?);
    let pages = crate::web::Site::new(&engine, site.config.site.address.clone(), demo_accounts)?
        .behind(&site.config.site.trusted_proxies)
        .signing_in_by(provider.clone())
        .defining(super::report::terms(&site)?)
        .reading(mappings(&site))
        .leading(leading.clone());
    // One that can't be read is told by the engine; pages go on.
    let pages = match site.schedule(&engine.county) {
        Ok(nightly) => pages.looking(nightly),
        Err(_) => pages,
    };
    if let Some(provider) = provider {
        tokio::spawn(async move { provider.greet(&SystemClock).await });
    }
    // A task of its own, so that a night at work keeps nobody from a page.
    let web = tokio::spawn(crate::web::serve(pages, listener, metrics, stopped()));
    let sender = send_for_ever(&site, transport);
    if synthetic {
        // The demonstration's clock stands still: no night comes after its last.
        tokio::select! { done = web => done?, () = sender => Ok(()) }
    } else {
        let holder = Uuid::now_v7().to_string();
        let since = SystemClock.now();
        let ended = tokio::select! {
            done = web => done?,
            () = sender => Ok(()),
            () = lead(&site.store, &holder, &leading, async |store| run_engine(&site.led(store), since).await) => Ok(()),
        };
        if let Err(failed) = site.store.give_up_lead(&holder).await {
            tracing::warn!(error = %failed, "another machine has to wait before it runs the engine");
        }
        ended
    }
}

/// What one machine does for all: nights and missing answers, for ever. `since` is when this program began.
async fn run_engine(site: &Site, since: DateTime<Utc>) {
    let engine = loop {
        match site.engine(false).await {
            Ok(engine) => break Arc::new(engine),
            Err(failed) => {
                tracing::error!(
                    error = format!("{failed:#}"),
                    "the engine could not begin; it is tried again"
                );
                tokio::time::sleep(SENDER_LOOKS).await;
            }
        }
    };
    tokio::join!(nights(site, &engine, since), answers(site, &engine));
}

async fn listening(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("{address}: can't listen; is another program there?"))
}

/// Who else says who somebody is; not asked yet.
async fn provider(site: &Site) -> Result<Option<Arc<Provider>>> {
    let areas = site.store.areas().await.context("loading the areas")?;
    let is_area =
        |wanted: &AreaRef| areas.iter().any(|known| known.kind == wanted.kind && known.code == wanted.code);
    Ok(Provider::of(&site.config, &is_area).map_err(wrong)?.map(Arc::new))
}

/// The mapping of every source that has one. One that can't be read is no reason to serve no pages.
fn mappings(site: &Site) -> BTreeMap<String, Option<Mapping>> {
    let read = |source: &String| {
        let mapping = super::import::mapping(site, source, None);
        if let Err(mistake) = &mapping {
            tracing::error!(
                source,
                error = format!("{mistake:#}"),
                "no CSV of this source is taken by the API"
            );
        }
        (source.clone(), mapping.ok())
    };
    site.config.import.mappings.keys().map(read).collect()
}

async fn send_for_ever(site: &Site, transport: Transport) {
    let mut sender = Sender::new(transport, site.config.mail.envelope_sender().to_owned());
    loop {
        if let Err(failed) = sender.pass(&site.store, &SystemClock).await {
            tracing::error!(error = format!("{failed:#}"), "the sender failed; it tries again");
        }
        tokio::time::sleep(SENDER_LOOKS).await;
    }
}

/// Looks for ever for answers that are missing.
async fn answers(site: &Site, engine: &Arc<Engine>) {
    loop {
        tokio::time::sleep(ANSWERS_LOOKED_FOR).await;
        if let Err(failed) = missing(site, engine).await {
            tracing::error!(
                error = format!("{failed:#}"),
                "missing answers could not be looked for; it is tried again"
            );
        }
    }
}

async fn missing(site: &Site, engine: &Arc<Engine>) -> Result<()> {
    let now = SystemClock.now();
    let folder = site.config.path(&site.config.rules.folder);
    let rules = in_force(&site.store, &engine.county, &folder, engine.county.day_of(now), now).await?;
    let made = engine.follow_up(now, &rules).await?;
    if made > 0 {
        tracing::info!(messages = made, "answers are missing; the next in the chain are told");
    }
    let overdue = engine.tell_overdue(now).await?;
    if overdue > 0 {
        tracing::info!(messages = overdue, "actions are overdue; their owners are told");
    }
    super::report::send(site, engine, now).await?;
    Ok(())
}

/// Answers the ticks of the schedule, for ever: those since the last that was answered, by whichever machine. The first ever is
/// one after `since`.
async fn nights(site: &Site, engine: &Engine, since: DateTime<Utc>) {
    let schedule = match site.schedule(&engine.county) {
        Ok(schedule) => schedule,
        Err(mistake) => {
            tracing::error!(error = format!("{mistake:#}"), "no night will run");
            return std::future::pending().await;
        }
    };
    let clock = SystemClock;
    let last = loop {
        match site.store.last_tick().await {
            Ok(last) => break last.unwrap_or(since),
            Err(failed) => {
                tracing::error!(error = %failed, "the last night could not be looked up; it is tried again");
                tokio::time::sleep(SENDER_LOOKS).await;
            }
        }
    };
    keep(&schedule, &clock, last, async |tick| night(site, engine, tick).await).await;
}

/// One tick: what is in the inbox is read, then the night that ended is judged.
async fn night(site: &Site, engine: &Engine, tick: DateTime<Utc>) -> Result<()> {
    let now = SystemClock.now();
    let mut tx = site.store.begin().await?;
    tx.abandon_runs(now).await?;
    tx.commit().await?;
    let night = engine.county.day_of(tick) - Days::new(1);
    let (rules, now) = match prepared(site, engine, night).await {
        Ok(prepared) => prepared,
        Err(wrong) => {
            if let Err(untold) = engine.night_failed(&wrong, SystemClock.now()).await {
                tracing::error!(error = format!("{untold:#}"), "nobody could be told that the night failed");
            }
            return Err(wrong);
        }
    };
    if let Some(mistakes) = &rules.mistakes {
        tracing::error!("the rule files have mistakes; the last good ones are in force:\n{mistakes}");
    }
    let due = When::replayed(&engine.county, &site.schedule(&engine.county)?, night).as_known_on;
    let when = When { night, as_known_on: now.max(due), now, tick: Some(tick) };
    let report = engine.night(when, &rules).await?;
    tracing::info!(
        %night,
        incidents = report.incidents,
        findings = report.findings().count(),
        messages = report.messages,
        "the night is done"
    );
    for gap in &report.gaps {
        tracing::error!("{gap}");
    }
    // The night stands whatever comes of this; what is over goes on the next one.
    if let Err(failed) = super::erase::retain(site, now).await {
        tracing::error!(error = format!("{failed:#}"), "what is kept too long could not be erased");
    }
    Ok(())
}

/// Reads the inbox, then finds the rules in force; and the time by then.
async fn prepared(site: &Site, engine: &Engine, night: NaiveDate) -> Result<(InForce, DateTime<Utc>)> {
    super::inbox::read(site, engine).await?;
    let now = SystemClock.now();
    let folder = site.config.path(&site.config.rules.folder);
    Ok((in_force(&site.store, &engine.county, &folder, night, now).await?, now))
}

/// Ends with Ctrl-C or a termination signal.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! { _ = interrupted => (), _ = terminated.recv() => () }
        }
        Err(_) => {
            let _ = interrupted.await;
        }
    }
}
