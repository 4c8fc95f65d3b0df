//! `tension-watch rules tune`: the threshold that keeps a budget of false alerts.

use super::{past, picture, trial::about};
use crate::{
    cli::{init::write, site::Site, wrong},
    picture::chart,
    rules::{
        RuleSet,
        trial::Rate,
        tune::{COMMONEST, Threshold, a_month, budget, proposal, solve, years_wanted},
    },
    stages::{
        candidate::Candidate,
        past::{Past, Since},
        trial::{Replay, as_live, loosened, quiet},
        tune::curve,
    },
};
use anyhow::{Context, Result};
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Find the threshold of a rule that keeps a budget of false alerts, and propose the change.
///
/// False alerts are those that belong to no labelled episode of rules/episodes, and all those in a simulated county in which
/// nothing happens. The other numbers of the rule stay. The file is never edited: the change is printed for you to make.
///
/// Example: tension-watch rules tune rules/race-week-spike.toml --budget "4 per year" --picture curve.svg
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The rule file.
    file: PathBuf,
    /// False alerts that are accepted, as "4 per year"; that of the file's [budget] otherwise.
    #[arg(long, value_name = "BUDGET")]
    budget: Option<String>,
    /// Hold the budget over the whole county, or in each partnership.
    #[arg(long, value_enum, default_value = "county")]
    per: Per,
    /// From when on: 3y, 18m, 90d before the last night, or a day as 2024-06-30.
    #[arg(long, default_value = "3y")]
    since: Since,
    /// Draw the curve into this file, as SVG, or as PNG when its name ends so.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Another simulated quiet county.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// All of it as JSON.
    #[arg(long)]
    json: bool,
}

/// What a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Per {
    /// All alerts of the rule together.
    County,
    /// Each community safety partnership.
    Csp,
}

/// Nights of the simulated county: two years.
const SIMULATED_NIGHTS: u64 = 730;

/// A solved curve.
struct Tuned<'a> {
    past: &'a Past,
    candidate: &'a Candidate,
    curve: Vec<Threshold>,
    budget: f64,
    per: Per,
    /// Where the budget is kept first.
    solved: Option<usize>,
    /// That, or what the level promises when that is rarer.
    proposed: Option<usize>,
}

pub(super) async fn run(site: &Site, args: Args) -> Result<()> {
    let past = past::open(site, args.since).await?;
    let candidate = past::candidate(site, &past, &args.file)?;
    let budget = match &args.budget {
        Some(text) => budget(text).ok_or_else(|| {
            wrong(format!("--budget \"{text}\": write it as \"4 per year\" or \"1 per month\""))
        })?,
        None => candidate.rule.budget_a_year.ok_or_else(|| {
            wrong(
                "the file has no [budget]; say how many false alerts you accept, as --budget \"4 per year\"",
            )
        })?,
    };
    let tuned = solved(&past, &candidate, budget, args.per, args.seed).await?;
    if let Some(file) = &args.picture {
        draw(file, &tuned)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&tuned.json())?);
        return Ok(());
    }
    tuned.told(args.seed);
    if let Some(file) = &args.picture {
        println!("\nThe curve is drawn in {}.", file.display());
    }
    Ok(())
}

async fn solved<'a>(
    past: &'a Past,
    candidate: &'a Candidate,
    budget: f64,
    per: Per,
    seed: u64,
) -> Result<Tuned<'a>> {
    let rule = &candidate.rule;
    let mut loose: RuleSet = as_live(&candidate.set, &rule.id);
    for own in loose.rules.iter_mut().filter(|own| own.id == rule.id) {
        *own = loosened(own, COMMONEST.min(rule.rarer_than_days));
    }
    let history = past::replay(past, "nights", &past.history, &past.nights, &[&loose])?;
    let last = past.window().last;
    let nights = past.nights_before(last, SIMULATED_NIGHTS);
    let until = nights.last().map_or(past.engine.county.start_of(last), |when| when.as_known_on);
    let simulated: Option<Replay> = match quiet(&past.engine, seed, last, until).await? {
        Some(county) => Some(past::replay(past, "simulated nights", &county, &nights, &[&loose])?),
        None => None,
    };
    let labels = past.labels(&candidate.set);
    let curve = tokio::task::block_in_place(|| curve(rule, &history, simulated.as_ref(), &labels));
    let solved = solve(&curve, budget, per == Per::Csp);
    let promised = curve.iter().position(|one| one.days >= rule.level.promised_days());
    let proposed = solved.map(|place| promised.map_or(place, |promised| place.max(promised)));
    Ok(Tuned { past, candidate, curve, budget, per, solved, proposed })
}

fn draw(file: &Path, tuned: &Tuned<'_>) -> Result<()> {
    let proposed = tuned.proposed.map(|place| tuned.curve[place].days);
    let marks = picture::Marks {
        title: &tuned.candidate.rule.id,
        own: tuned.candidate.rule.rarer_than_days,
        proposed,
        budget: (tuned.per == Per::County).then_some(tuned.budget),
    };
    let drawn = picture::svg(&tuned.curve, &marks);
    if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
        let png = chart::rasterised(&drawn, picture::SIZE)?;
        return std::fs::write(file, png).with_context(|| format!("{}: can't be written", file.display()));
    }
    write(file, &drawn)
}

impl Tuned<'_> {
    fn told(&self, seed: u64) {
        let rule = &self.candidate.rule;
        println!("{}: {}\n{}.", rule.id, rule.title, rule.in_words());
        println!("{}", self.past.told());
        if self.curve.iter().any(|one| one.simulated.is_some()) {
            println!(
                "Beside it {SIMULATED_NIGHTS} nights of a simulated county of the same wards in which nothing happens (seed {seed})."
            );
        } else {
            println!("The simulation knows other wards than these: only history is counted.");
        }
        let of = if self.per == Per::Csp { "in each partnership" } else { "over everything it looks at" };
        println!("Budget: {:.1} false alerts a year {of}.\n", self.budget);
        self.table();
        println!();
        self.sure();
        if self.per == Per::Csp {
            self.partnerships();
        }
        self.change();
    }

    /// The curve: every fourth threshold, and those that matter.
    fn table(&self) {
        let own = self.candidate.rule.rarer_than_days;
        let matters = |place: usize| {
            (self.curve[place].days - own).abs() < 0.5
                || self.proposed == Some(place)
                || self.solved == Some(place)
        };
        let per_csp = self.per == Per::Csp;
        if per_csp {
            println!("   In the partnership with most:");
        }
        println!("   once in   false alerts a month (95% interval)         episodes   lead,");
        println!("      days   on history            simulated            told of    days");
        for (place, one) in self.curve.iter().enumerate() {
            if !place.is_multiple_of(4) && !matters(place) && place + 1 != self.curve.len() {
                continue;
            }
            let mut mark = String::new();
            if (one.days - own).abs() < 0.5 {
                mark.push_str("  <- the file");
            }
            if self.proposed == Some(place) {
                mark.push_str("  <- proposed");
            }
            println!(
                "  {:>8.0}   {:<20}  {:<20} {:>3} of {:<3}  {:>5}{mark}",
                one.days,
                monthly(one.history.judged(per_csp)),
                one.simulated.as_ref().map_or_else(|| "-".to_owned(), |all| monthly(all.judged(per_csp))),
                one.found,
                one.labelled,
                one.lead.map_or_else(|| "-".to_owned(), |days| format!("{days:.0}")),
            );
        }
    }

    /// What the histories can and can't support.
    fn sure(&self) {
        let Some(one) = self.proposed.map(|place| &self.curve[place]) else {
            println!(
                "Not even once in ten years keeps this budget. Raise at_least or times_usual, or the budget."
            );
            return;
        };
        println!("Once in {:.0} days:", one.days);
        let per_csp = self.per == Per::Csp;
        for (name, all) in [("history", Some(&one.history)), ("the simulated county", one.simulated.as_ref())]
        {
            let Some(rate) = all.map(|all| all.judged(per_csp)) else { continue };
            let place = if per_csp { " in the partnership with most" } else { "" };
            println!("  {name}: {} in {:.1} quiet years{place}, {}.", rate.count, rate.years, about(rate));
            if rate.high > self.budget {
                println!(
                    "    That is too little time to be sure of the budget: it may be {:.1} a year more than {:.1}. Even without any \
                     false alert it takes {:.1} quiet years.",
                    rate.high - self.budget,
                    self.budget,
                    years_wanted(self.budget)
                );
            }
        }
    }

    fn partnerships(&self) {
        let Some(one) = self.proposed.map(|place| &self.curve[place]) else { return };
        println!("\nFalse alerts a year in each partnership at once in {:.0} days:", one.days);
        let all = one.history.by_csp.keys().chain(one.simulated.iter().flat_map(|all| all.by_csp.keys()));
        for csp in all.collect::<BTreeSet<_>>() {
            let of = |rate: Option<&Rate>| rate.map_or_else(|| "-".to_owned(), |rate| yearly(*rate));
            let simulated = one.simulated.as_ref().and_then(|all| all.by_csp.get(csp));
            println!(
                "  {:<44} history {:<20} simulated {}",
                self.past.csp(csp),
                of(one.history.by_csp.get(csp)),
                of(simulated)
            );
        }
    }

    fn change(&self) {
        let rule = &self.candidate.rule;
        let Some((solved, proposed)) = self.solved.zip(self.proposed) else { return };
        let days = self.curve[proposed].days;
        if solved < proposed {
            println!(
                "\nThe budget would be kept at once in {:.0} days already, but the level `{}` promises once in {:.0} days or rarer.",
                self.curve[solved].days,
                level(rule),
                rule.level.promised_days()
            );
        }
        if (days - rule.rarer_than_days).abs() < 0.5 {
            println!("\nThe file keeps the budget as it is: no change is proposed.");
            return;
        }
        match proposal(&self.candidate.name, &self.candidate.text, rule.detector.section(), days) {
            Some(diff) => println!("\nThe change proposed; nothing has been edited:\n\n{diff}"),
            None => println!(
                "\nThe change proposed: rarer_than = \"once in {days:.0} days\". Nothing has been edited."
            ),
        }
    }

    fn json(&self) -> serde_json::Value {
        let rule = &self.candidate.rule;
        let days = |place: Option<usize>| place.map(|place| self.curve[place].days);
        let diff = days(self.proposed).filter(|days| (days - rule.rarer_than_days).abs() >= 0.5);
        let diff = diff.and_then(|days| {
            proposal(&self.candidate.name, &self.candidate.text, rule.detector.section(), days)
        });
        json!({
            "rule": rule.id,
            "budget_a_year": self.budget,
            "per": if self.per == Per::Csp { "csp" } else { "county" },
            "own": rule.rarer_than_days,
            "promised": rule.level.promised_days(),
            "solved": days(self.solved),
            "proposed": days(self.proposed),
            "diff": diff,
            "curve": self.curve,
        })
    }
}

fn level(rule: &crate::rules::Rule) -> &'static str {
    use crate::model::AlertLevel;
    match rule.level {
        AlertLevel::Watch => "watch",
        AlertLevel::Elevated => "elevated",
        AlertLevel::Severe => "severe",
    }
}

fn monthly(rate: Rate) -> String {
    format!("{:.2} ({:.2} to {:.2})", a_month(rate.a_year), a_month(rate.low), a_month(rate.high))
}

fn yearly(rate: Rate) -> String {
    format!("{:.1} ({:.1} to {:.1})", rate.a_year, rate.low, rate.high)
}
