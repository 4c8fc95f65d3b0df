//! `tension-watch rules try`: what a rule would have told.

use super::past::{self, Steps};
use crate::{
    cli::site::Site,
    model::AlertLevel,
    rules::trial::{Labels, Rate, Seen, TriedAlert, also_told},
    rules::tune::years,
    stages::{
        candidate::Candidate,
        past::{Past, Since, lead},
        tried::{Tried, tried},
    },
};
use anyhow::Result;
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
struct Told<'a> {
    past: &'a Past,
    labels: Labels<'a>,
    tried: Tried,
}

pub(super) async fn run(site: &Site, args: Args) -> Result<()> {
    let past = past::open(site, args.since).await?;
    let candidate = past::candidate(site, &past, &args.file)?;
    let steps = Steps::default();
    let watch = |what, done, all| steps.step(what, done, all);
    let tried = tokio::task::block_in_place(|| tried(&past, &candidate, args.alone, &watch))?;
    steps.finish();
    let told = Told { past: &past, labels: past.labels(&candidate.set), tried };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&told.json(&candidate))?);
        return Ok(());
    }
    println!("{}: {}\n{}.", candidate.rule.id, candidate.rule.title, candidate.rule.in_words());
    println!("{}\n", past.told());
    if candidate.rule.level < AlertLevel::Elevated {
        println!(
            "Its level is watch: what is called an alert here is a line of the weekly digest, no mail.\n"
        );
    }
    told.by_month();
    told.one_by_one();
    told.episodes();
    Ok(())
}

impl Told<'_> {
    /// A table of partnerships and months that have any, and the sums.
    fn by_month(&self) {
        let alerts = &self.tried.alerts;
        let mut months: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
        let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
        for alert in alerts {
            let month = months.entry(alert.night.format("%Y-%m").to_string()).or_default();
            for csp in &alert.csps {
                *month.entry(csp).or_default() += 1;
                *sums.entry(csp).or_default() += 1;
            }
            *month.entry("").or_default() += 1;
        }
        if !alerts.is_empty() {
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
            row("sum", &|csp| if csp.is_empty() { alerts.len() } else { sums[csp] });
            if sums.values().sum::<usize>() > alerts.len() {
                println!("  An alert that lies in two partnerships counts in both, and once in all.");
            }
            println!();
        }
        let all = Rate::of(alerts.len(), years(self.past.nights.len()));
        println!("{} in {:.0} months: {}.", counted(all.count, "alert"), self.past.months(), about(all));
        let stray = self.tried.stray;
        println!(
            "{} to no labelled episode, in {:.1} years outside of all episodes: {}.\n",
            if stray.count == 1 { "1 belongs".to_owned() } else { format!("{} belong", stray.count) },
            stray.years,
            about(stray)
        );
    }

    fn one_by_one(&self) {
        let alerts = &self.tried.alerts;
        for alert in alerts {
            println!("{}", self.past.line(alert));
            let episode = self.labels.of(&alert.finding).map(|place| &self.labels.episodes[place]);
            let belongs = episode.map_or_else(
                || "belongs to no labelled episode".to_owned(),
                |episode| format!("{}: {}", episode.name, lead((episode.peak - alert.night).num_days())),
            );
            let also = self.tried.live.as_ref().map(|live| match also_told(alert, live) {
                Some((night, finding)) => format!("; also told by {} on {night}", finding.rule),
                None => "; new: no live rule told of this".to_owned(),
            });
            println!("            {belongs}{}", also.unwrap_or_default());
        }
        if let Some(new) = self.tried.told_by_no_other().filter(|_| !alerts.is_empty()) {
            println!(
                "\nTo the live rules it would have added {} of {}.\n",
                new,
                counted(alerts.len(), "alert")
            );
        }
    }

    fn episodes(&self) {
        if self.tried.seen.is_empty() {
            println!("No labelled episode of rules/episodes lies in these nights and where the rule looks.");
        }
        for one in &self.tried.seen {
            let episode = &self.labels.episodes[one.episode];
            let told = match one.alert.map(|alert| &self.tried.alerts[alert]).zip(one.lead) {
                Some((alert, days)) => {
                    format!("told on {}, {}, in {}", alert.night, lead(days), self.past.name(&alert.finding))
                }
                None => "missed".to_owned(),
            };
            println!("{} ({} to {}): {told}", episode.name, episode.window.first, episode.window.last);
        }
    }

    fn json(&self, candidate: &Candidate) -> serde_json::Value {
        let alert = |alert: &TriedAlert| {
            let episode = self.labels.of(&alert.finding).map(|place| &self.labels.episodes[place]);
            let also = self.tried.live.as_ref().map(|live| also_told(alert, live));
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
            let night = one.alert.map(|alert| self.tried.alerts[alert].night);
            json!({"name": episode.name, "peak": episode.peak, "told_on": night, "lead_days": one.lead})
        };
        let csps: BTreeSet<&String> = self.tried.alerts.iter().flat_map(|alert| &alert.csps).collect();
        json!({
            "rule": candidate.rule.id,
            "rule_version": candidate.rule.version,
            "nights": {"first": self.past.window().first, "last": self.past.window().last, "count": self.past.nights.len()},
            "alerts_a_year": Rate::of(self.tried.alerts.len(), years(self.past.nights.len())),
            "false_alerts_a_year": self.tried.stray,
            "csps": csps.into_iter().map(|csp| (csp.clone(), self.past.csp(csp))).collect::<BTreeMap<_, _>>(),
            "alerts": self.tried.alerts.iter().map(alert).collect::<Vec<_>>(),
            "episodes": self.tried.seen.iter().map(seen).collect::<Vec<_>>(),
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
