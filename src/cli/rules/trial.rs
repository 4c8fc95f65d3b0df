//! `tension-watch rules try`: what a rule would have told.

use super::{
    candidate::Candidate,
    past::{Past, Since, lead},
};
use crate::{
    cli::site::Site,
    model::{AlertLevel, Finding},
    rules::trial::{Labels, Rate, SAME_WITHIN, Seen, TriedAlert, also_told},
    rules::tune::years,
    stages::{
        night::When,
        trial::{as_live, live_without},
    },
};
use anyhow::Result;
use chrono::{NaiveDate, TimeDelta};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Replay history as it was known each night, and say what a rule would have told.
///
/// The rule is tried as if it were live, whatever its status, together with the folder of the configuration. Nothing is
/// saved and nobody is told.
///
/// Example: tension-watch rules try rules/race-week-spike.toml --since 2y
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The rule file.
    file: PathBuf,
    /// From when on: 2y, 18m, 90d before the last night, or a day as 2024-06-30.
    #[arg(long, default_value = "2y")]
    since: Since,
    /// Don't compare with the live rules of the folder: it takes most of the time.
    #[arg(long)]
    alone: bool,
    /// All of it as JSON.
    #[arg(long)]
    json: bool,
}

/// Everything that is told about a tried rule.
struct Tried<'a> {
    past: &'a Past,
    labels: Labels<'a>,
    alerts: Vec<TriedAlert>,
    seen: Vec<Seen>,
    /// Nights and findings of the live rules, near the alerts; none when they were not asked.
    live: Option<Vec<(NaiveDate, Finding)>>,
    /// False alerts: those that belong to no labelled episode, over the quiet years.
    stray: Rate,
}

pub(super) async fn run(site: &Site, args: Args) -> Result<()> {
    let past = Past::open(site, args.since).await?;
    let tried = Candidate::read(site, &past.engine.county, &args.file, past.window().last)?;
    let own = as_live(&tried.set, &tried.rule.id);
    let replay = past.replay("nights", &past.history, &past.nights, &[&own])?;
    let alerts = replay.alerts(0, &tried.rule, None);
    let live = if args.alone { None } else { Some(near(&past, &alerts, &tried)?) };
    let labels = past.labels(&tried.set);
    let seen = labels.seen(&tried.rule, past.window(), &alerts);
    let wards = labels.wards(&tried.rule.areas);
    let quiet = labels.quiet_years(&tried.rule, &wards, &replay.nights());
    let stray = alerts.iter().filter(|alert| labels.of(&alert.finding).is_none()).count();
    let stray = Rate::of(stray, quiet);
    let told = Tried { past: &past, labels, alerts, seen, live, stray };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&told.json(&tried))?);
        return Ok(());
    }
    println!("{}: {}\n{}.", tried.rule.id, tried.rule.title, tried.rule.in_words());
    println!("{}\n", past.told());
    if tried.rule.level < AlertLevel::Elevated {
        println!(
            "Its level is watch: what is called an alert here is a line of the weekly digest, no mail.\n"
        );
    }
    told.by_month();
    told.one_by_one();
    told.episodes();
    Ok(())
}

/// What the live rules of the folder found on the alerts' own nights, and where that is not the same, about four days and a
/// week before and after: what a rule tells lasts for days, so that a look every few nights sees it.
fn near(past: &Past, alerts: &[TriedAlert], tried: &Candidate) -> Result<Vec<(NaiveDate, Finding)>> {
    let others = live_without(&tried.set, &tried.rule.id);
    let mut found: Vec<(NaiveDate, Finding)> = Vec::new();
    let around = [-SAME_WITHIN, -4, 4, SAME_WITHIN];
    for (what, apart) in [("nights of the live rules", &[0][..]), ("nights around them", &around)] {
        let open: Vec<NaiveDate> = alerts
            .iter()
            .filter(|alert| also_told(alert, &found).is_none())
            .flat_map(|alert| apart.iter().map(|days| alert.night + TimeDelta::days(*days)))
            .collect();
        let unseen = |night| found.iter().all(|(seen, _)| *seen != night);
        let wanted = |when: &&When| open.contains(&when.night) && unseen(when.night);
        let nights: Vec<When> = past.nights.iter().filter(wanted).copied().collect();
        if !nights.is_empty() && !others.rules.is_empty() {
            found.extend(past.replay(what, &past.history, &nights, &[&others])?.findings(0));
        }
    }
    found.sort_by_key(|(night, _)| *night);
    Ok(found)
}

impl Tried<'_> {
    /// A table of partnerships and months that have any, and the sums.
    fn by_month(&self) {
        let mut months: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
        let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
        for alert in &self.alerts {
            let month = months.entry(alert.night.format("%Y-%m").to_string()).or_default();
            for csp in &alert.csps {
                *month.entry(csp).or_default() += 1;
                *sums.entry(csp).or_default() += 1;
            }
            *month.entry("").or_default() += 1;
        }
        if !self.alerts.is_empty() {
            let names: Vec<(&str, String)> = sums.keys().map(|csp| (*csp, self.past.csp(csp))).collect();
            let row = |title: &str, of: &dyn Fn(&str) -> usize| {
                let cell = |(csp, name): &(&str, String)| {
                    let count = of(csp);
                    let text = if count == 0 { ".".to_owned() } else { count.to_string() };
                    format!("{text:>width$}", width = name.chars().count())
                };
                let cells: Vec<String> = names.iter().map(cell).collect();
                println!("  {title:<8}{}  {:>4}", cells.join("  "), of(""));
            };
            let heads: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
            println!("  {:<8}{}  {:>4}", "month", heads.join("  "), "all");
            for (month, counts) in &months {
                row(month, &|csp| counts.get(csp).copied().unwrap_or(0));
            }
            row("sum", &|csp| if csp.is_empty() { self.alerts.len() } else { sums[csp] });
            if sums.values().sum::<usize>() > self.alerts.len() {
                println!("  An alert that lies in two partnerships counts in both, and once in all.");
            }
            println!();
        }
        let all = Rate::of(self.alerts.len(), years(self.past.nights.len()));
        println!("{} in {:.0} months: {}.", counted(all.count, "alert"), self.past.months(), about(all));
        println!(
            "{} to no labelled episode, in {:.1} years outside of all episodes: {}.\n",
            if self.stray.count == 1 {
                "1 belongs".to_owned()
            } else {
                format!("{} belong", self.stray.count)
            },
            self.stray.years,
            about(self.stray)
        );
    }

    fn one_by_one(&self) {
        for alert in &self.alerts {
            println!("{}", self.past.line(alert));
            let episode = self.labels.of(&alert.finding).map(|place| &self.labels.episodes[place]);
            let belongs = episode.map_or_else(
                || "belongs to no labelled episode".to_owned(),
                |episode| format!("{}: {}", episode.name, lead((episode.peak - alert.night).num_days())),
            );
            let also = self.live.as_ref().map(|live| match also_told(alert, live) {
                Some((night, finding)) => format!("; also told by {} on {night}", finding.rule),
                None => "; new: no live rule told of this".to_owned(),
            });
            println!("            {belongs}{}", also.unwrap_or_default());
        }
        if let Some(live) = self.live.as_ref().filter(|_| !self.alerts.is_empty()) {
            let new = self.alerts.iter().filter(|alert| also_told(alert, live).is_none()).count();
            println!(
                "\nTo the live rules it would have added {} of {}.\n",
                new,
                counted(self.alerts.len(), "alert")
            );
        }
    }

    fn episodes(&self) {
        if self.seen.is_empty() {
            println!("No labelled episode of rules/episodes lies in these nights and where the rule looks.");
        }
        for one in &self.seen {
            let episode = &self.labels.episodes[one.episode];
            let told = match one.alert.map(|alert| &self.alerts[alert]).zip(one.lead) {
                Some((alert, days)) => {
                    format!("told on {}, {}, in {}", alert.night, lead(days), self.past.name(&alert.finding))
                }
                None => "missed".to_owned(),
            };
            println!("{} ({} to {}): {told}", episode.name, episode.window.first, episode.window.last);
        }
    }

    fn json(&self, tried: &Candidate) -> serde_json::Value {
        let alert = |alert: &TriedAlert| {
            let episode = self.labels.of(&alert.finding).map(|place| &self.labels.episodes[place]);
            let also = self.live.as_ref().map(|live| also_told(alert, live));
            json!({
                "night": alert.night,
                "last_night": alert.last,
                "where": self.past.name(&alert.finding),
                "csps": alert.csps,
                "mails": alert.mails,
                "episode": episode.map(|episode| &episode.name),
                "lead_days": episode.map(|episode| (episode.peak - alert.night).num_days()),
                "live_rules_asked": also.is_some(),
                "also_told_by": also.flatten().map(|(night, finding)| json!({"rule": finding.rule, "night": night})),
                "finding": alert.finding,
            })
        };
        let seen = |one: &Seen| {
            let episode = &self.labels.episodes[one.episode];
            let night = one.alert.map(|alert| self.alerts[alert].night);
            json!({"name": episode.name, "peak": episode.peak, "told_on": night, "lead_days": one.lead})
        };
        let csps: BTreeSet<&String> = self.alerts.iter().flat_map(|alert| &alert.csps).collect();
        json!({
            "rule": tried.rule.id,
            "rule_version": tried.rule.version,
            "nights": {"first": self.past.window().first, "last": self.past.window().last, "count": self.past.nights.len()},
            "alerts_a_year": Rate::of(self.alerts.len(), years(self.past.nights.len())),
            "false_alerts_a_year": self.stray,
            "csps": csps.into_iter().map(|csp| (csp.clone(), self.past.csp(csp))).collect::<BTreeMap<_, _>>(),
            "alerts": self.alerts.iter().map(alert).collect::<Vec<_>>(),
            "episodes": self.seen.iter().map(seen).collect::<Vec<_>>(),
        })
    }
}

/// `1 alert`, `3 alerts`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A rate in words.
pub(super) fn about(rate: Rate) -> String {
    if rate.high >= 1e6 {
        return "over no time at all nothing can be said".to_owned();
    }
    format!("about {:.1} a year (95% interval {:.1} to {:.1})", rate.a_year, rate.low, rate.high)
}
