//! `tension-watch demo`: a synthetic county from nothing to mails and pages.

mod partners;

use super::{
    init::{lay_out, shipped, write},
    progress::Progress,
    serve::serve,
    site::Site,
    user, wrong,
};
use crate::{
    clock::FixedClock,
    import::Mapping,
    mail::transport::Transport,
    model::{AlertLevel, AreaKind, AreaRef, Finding, Role},
    stages::{
        county::Outlines,
        import::{File, import},
        night::{Engine, Evaluated, When},
        rules::in_force,
        send::send_due,
        setup::save_pack,
    },
    synth::{County, Episode, EpisodeKind, Options, county, llr},
    words::how_often,
};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::PathBuf,
    time::Instant,
};
use uuid::Uuid;

/// Try it: a synthetic county, its last nights replayed, mails as files, the site.
///
/// Everything is invented. The county's clock ends on the morning of 30 June 2026. Started again in the same folder it
/// goes on where it was.
///
/// Example: tension-watch demo --no-serve --nights 30
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder everything is put into.
    #[arg(long, default_value = "tension-watch-demo")]
    dir: PathBuf,
    /// End after the replay.
    #[arg(long)]
    no_serve: bool,
    /// How many nights are replayed.
    #[arg(long, default_value_t = 120)]
    nights: u32,
    /// A county without any episode: everything told is a false alarm.
    #[arg(long)]
    null: bool,
    /// Where the site listens.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Another county of the same kind.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Anyone who can reach the demonstration may sign in with this: there is nothing real in it.
const PASSWORD: &str = "demonstration";

fn last_night() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 29).unwrap_or_default()
}

pub(super) async fn run(args: Args) -> Result<()> {
    let began = Instant::now();
    let nights = args.nights.clamp(1, 1_400);
    let (site, made) = prepare(&args).await?;
    let engine = site.engine(true).await?;
    replay(&site, &engine, &made, nights).await?;
    let told = opened(&site).await?;
    compare(&site, &engine, &made, &told, nights, args.null).await?;
    println!("took {:.0} s; mails are in {}", began.elapsed().as_secs_f64(), args.dir.join("mail").display());
    if args.no_serve {
        return Ok(());
    }
    let accounts = accounts();
    println!("sign in with one of these accounts and the password {PASSWORD}:");
    for (name, role, _) in &accounts {
        println!("  {name}: {}", role.label());
    }
    let shown = accounts.into_iter().map(|(name, _, _)| (name.to_owned(), PASSWORD.to_owned())).collect();
    Box::pin(serve(site, true, shown)).await
}

fn accounts() -> Vec<(&'static str, Role, Option<AreaRef>)> {
    let area = |kind, code: &str| Some(AreaRef { kind, code: code.into() });
    vec![
        ("csp-leicester", Role::CspCoordinator, area(AreaKind::Csp, "safer-leicester")),
        ("csp-charnwood", Role::CspCoordinator, area(AreaKind::Csp, "charnwood")),
        ("sergeant-west", Role::NptSergeant, area(AreaKind::Npa, "west-leicester")),
        ("analyst", Role::Analyst, None),
        ("partner", Role::Partner, area(AreaKind::District, "E06000016")),
        ("auditor", Role::Auditor, None),
        ("admin", Role::Admin, None),
    ]
}

/// Makes the county and imports it, unless that was done before.
async fn prepare(args: &Args) -> Result<(Site, County)> {
    let config = format!(
        "# The demonstration: everything in this folder is invented and may be deleted.\n\
         [store]\naddress = \"sqlite:demo.db\"\n\
         [site]\nlisten = \"{0}\"\naddress = \"http://{0}\"\n\
         [mail]\nfrom = \"tension-watch@demo.invalid\"\ntransport = {{ kind = \"file\", folder = \"mail\" }}\n",
        args.listen
    );
    let (files, outlines) = shipped()?;
    let path = args.dir.join("tension-watch.toml");
    if path.exists() {
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        if !there.starts_with("# The demonstration") {
            return Err(wrong(format!("{} holds a real site; give another --dir", args.dir.display())));
        }
        write(&path, &config)?;
    } else {
        lay_out(&args.dir, &args.dir, &config, &files.pack.categories)?;
    }
    let site = Site::open(&path).await?;
    let known_until: DateTime<Utc> = "2026-06-30T03:30:00Z".parse()?;
    let first = NaiveDate::from_ymd_opt(2021, 7, 1).unwrap_or_default();
    let options = Options { seed: args.seed, first, last: last_night(), known_until, null: args.null };
    let wards = llr::wards();
    let made = county(wards, &options);
    let kind = format!("seed {} {}", args.seed, if args.null { "null" } else { "episodes" });
    let marker = args.dir.join("county.txt");
    let before = std::fs::read_to_string(&marker).ok();
    if before.as_ref().is_some_and(|before| *before != kind) {
        return Err(wrong(format!("{} holds another county; give another --dir", args.dir.display())));
    }
    write(&marker, &kind)?;
    write(&args.dir.join("truth.csv"), &made.truth_csv())?;
    if let Some(labels) = made.labels(wards.len()) {
        let folder = args.dir.join("rules/episodes");
        std::fs::create_dir_all(&folder).with_context(|| format!("{}: can't be made", folder.display()))?;
        write(&folder.join("synthetic.toml"), &labels)?;
    }
    save_pack(&site.store, &files, &outlines, known_until).await?;
    for (name, role, area) in accounts() {
        if site.store.account(name).await?.is_none() {
            user::add(&site, name, role, area, PASSWORD).await?;
        }
    }
    let here = site.county().await?;
    let mut places = Outlines::default();
    let mapping = Mapping::shipped("own")?;
    for (source, text) in [("police", &made.police), ("council", &made.council)] {
        let name = format!("{source}.csv");
        write(&args.dir.join(&name), text)?;
        let file = File { name: &name, source, bytes: text.as_bytes(), mapping: &mapping };
        let report = import(&site.store, &here, &mut places, &file, known_until, false).await?;
        print!("{}", super::import::told(&report));
    }
    Ok((site, made))
}

/// An alert as it was when it opened.
struct Told {
    number: String,
    night: NaiveDate,
    finding: Finding,
}

/// Nights don't depend on each other until alerts are opened: so many are judged side by side.
const SIDE_BY_SIDE: usize = 8;

/// Replays the nights that were not done before, each with what was known then.
async fn replay(site: &Site, engine: &Engine, made: &County, nights: u32) -> Result<()> {
    let schedule = site.schedule(&engine.county)?;
    let transport = Transport::of(&site.config).map_err(wrong)?;
    let folder = site.config.path(&site.config.rules.folder);
    let done = site.store.last_run().await?.map(|run| run.night);
    let all = (0..nights).rev().map(|back| last_night() - Days::new(u64::from(back)));
    let new = all.filter(|night| done.is_none_or(|done| *night > done));
    let new: Vec<When> = new.map(|night| When::replayed(&engine.county, &schedule, night)).collect();
    let references = site.store.references().await?;
    let progress = Progress::new("nights", new.len() as u64);
    for (place, some) in new.chunks(SIDE_BY_SIDE).enumerate() {
        let rules = in_force(&site.store, &engine.county, &folder, some[0].night, some[0].now).await?;
        let mut known = Vec::new();
        for when in some {
            known.push((*when, engine.as_known(when.as_known_on).await?));
        }
        let judge = |(when, seen)| Ok((when, engine.evaluate(seen, when, &rules)?));
        let judged: Result<Vec<(When, Evaluated)>> =
            tokio::task::block_in_place(|| known.into_par_iter().map(judge).collect());
        for (when, night) in judged? {
            partners::answer(engine, made, when, &references).await?;
            let settled = engine.settle(when, &rules, night).await;
            settled.with_context(|| format!("the night of {}", when.night))?;
            send_due(&site.store, &transport, site.config.mail.envelope_sender(), &FixedClock(when.now))
                .await?;
        }
        progress.step((place * SIDE_BY_SIDE + some.len()) as u64);
    }
    progress.finish();
    // What a run that was killed had claimed is free again by then.
    let later = When::replayed(&engine.county, &schedule, last_night()).now + TimeDelta::hours(1);
    send_due(&site.store, &transport, site.config.mail.envelope_sender(), &FixedClock(later)).await?;
    Ok(())
}

/// Every alert with the finding that opened it, by number.
async fn opened(site: &Site) -> Result<Vec<Told>> {
    let mut told = Vec::new();
    for alert in site.store.alerts(i64::from(u32::MAX)).await? {
        let Some(run) = site.store.run_of(alert.opened).await? else { continue };
        let findings = site.store.findings(run.id).await?;
        if let Some(finding) = findings.into_iter().find(|finding| finding.identity() == alert.identity) {
            told.push(Told { number: alert.number, night: alert.opened, finding });
        }
    }
    told.sort_by(|a, b| a.number.cmp(&b.number));
    Ok(told)
}

/// Prints what was told against what was planted.
async fn compare(
    site: &Site,
    engine: &Engine,
    made: &County,
    told: &[Told],
    nights: u32,
    null: bool,
) -> Result<()> {
    let references = site.store.references().await?;
    let geography = engine.county.geography(last_night())?;
    let name =
        |code: &String| geography.get(AreaKind::Ward, code).map_or(code.clone(), |ward| ward.name.clone());
    let began = last_night() - Days::new(u64::from(nights - 1));
    let mut found: BTreeMap<&str, &Told> = BTreeMap::new();
    let mut false_alarms = 0;
    for alert in told {
        let episode = made.truth.iter().find(|episode| belongs(&alert.finding, episode, &references));
        match episode {
            Some(episode) if episode.kind.is_tension() => {
                found.entry(&episode.id).or_insert(alert);
            }
            _ if alert.finding.level >= AlertLevel::Elevated => false_alarms += 1,
            _ => {}
        }
        println!(
            "  {} {} {}: {} seen, {:.1} usual, by chance {}; {}{}",
            alert.night,
            alert.number,
            alert.finding.rule,
            alert.finding.observed,
            alert.finding.expected,
            how_often(alert.finding.recurrence),
            alert.finding.wards.iter().map(name).collect::<Vec<_>>().join(", "),
            episode.map_or_else(String::new, |episode| format!(" [{}]", episode.id)),
        );
    }
    for episode in made.truth.iter().filter(|episode| episode.kind.is_tension() && episode.end() >= began) {
        match found.get(episode.id.as_str()) {
            Some(alert) => {
                let lead = (episode.peak - alert.night).num_days();
                let when = if episode.kind != EpisodeKind::SlowRise {
                    format!("{} days after its first day", (alert.night - episode.start()).num_days())
                } else if lead > 0 {
                    format!("{lead} days before its burst")
                } else {
                    format!("{} days after its burst began", -lead)
                };
                println!("planted {}: found by {} on {}, {when}", episode.id, alert.number, alert.night);
            }
            None => println!("planted {}: MISSED", episode.id),
        }
    }
    let a_year = f64::from(false_alarms) * 365.25 / f64::from(nights);
    let what =
        if null { "alerts in a county without episodes" } else { "alerts that belong to no planted tension" };
    println!("{what}: {false_alarms} in {nights} nights, {a_year:.0} a year");
    Ok(())
}

/// An alert belongs to an episode when at least two, and a quarter, of its incidents were planted there.
fn belongs(finding: &Finding, episode: &Episode, references: &HashMap<Uuid, String>) -> bool {
    let planted = finding
        .members
        .iter()
        .filter(|id| references.get(id).is_some_and(|name| episode.planted.contains(name)))
        .count();
    planted >= 2 && planted * 4 >= finding.members.len()
}
