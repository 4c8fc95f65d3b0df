//! What rules cost beside detection: `cargo bench --bench rules`.
//!
//! The check of 200 rule files should take less than 100 ms, and a night with 200 rules less than 200 ms beyond what the
//! distinct things they look at take to detect.

mod placed;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::{collections::BTreeMap, time::Instant};
use tension_watch::{
    count::Case,
    import::{ImportContext, Mapping, PackFiles, read_incidents, read_pack},
    locate::Grid,
    model::{AreaKind, AreaRef, Geography},
    rules::{Detector, Known, Night, Rule, RuleSet, check, evaluate},
    synth::{Options, county, llr},
};

const FILES: usize = 200;
const RULE: &str = include_str!("../rules/race-week-spike.toml");

fn main() {
    let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).expect("the shipped pack");
    let day = "2026-06-29".parse().expect("a day");
    let geography = Geography::on(day, files.areas.clone(), files.links.clone()).expect("the shipped areas");
    let known = Known { categories: &files.pack.categories, geography: &geography, former: &BTreeMap::new() };
    checked(&known);
    a_night(&files, &known, day);
}

/// The least of some times, in milliseconds.
fn timed<T>(turns: usize, mut work: impl FnMut() -> T) -> (f64, T) {
    let mut turn = || {
        let began = Instant::now();
        let made = work();
        (began.elapsed().as_secs_f64() * 1e3, made)
    };
    let mut best = turn();
    for _ in 1..turns {
        let next = turn();
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

fn checked(known: &Known<'_>) {
    let good = |number: usize| {
        let text = RULE.replace("race-week-spike", &format!("rule-{number}"));
        text.replace("at_least    = 4", &format!("at_least    = {}", number + 2))
    };
    let bad =
        |number: usize| good(number).replace("[\"race\"]", "[\"rase\"]").replace("\"elevated\"", "elevated");
    for (what, text) in
        [("without mistakes", &good as &dyn Fn(usize) -> String), ("each with two mistakes", &bad)]
    {
        let files: BTreeMap<String, String> =
            (0..FILES).map(|number| (format!("{number}.toml"), text(number))).collect();
        let (best, found) = timed(5, || check(&files, known));
        println!("{FILES} files {what} ({} mistakes): {best:.1} ms", found.mistakes.len());
    }
}

/// The shipped rules, and 200 made from them with other thresholds, every third within one district alone.
fn a_night(files: &PackFiles, known: &Known<'_>, last: NaiveDate) {
    let shipped = shipped(known);
    let districts: Vec<AreaRef> = known
        .geography
        .of_kind(AreaKind::District)
        .map(|area| AreaRef { kind: AreaKind::District, code: area.code.clone() })
        .collect();
    let other = |number: usize| {
        let mut rule = shipped.rules[number % shipped.rules.len()].clone();
        rule.id = format!("{}-{number}", rule.id);
        match &mut rule.detector {
            Detector::Spike { at_least, times_usual, .. } => {
                *at_least += number as u64 % 4;
                *times_usual += number as f64 / 400.0;
                rule.rarer_than_days += number as f64;
            }
            Detector::Drop { below_usual, .. } => *below_usual += number as f64 / 2_000.0,
            Detector::Share { rises_by, .. } => *rises_by += number as f64 / 2_000.0,
            Detector::Repeat { .. } => rule.rarer_than_days += number as f64,
            _ => {}
        }
        if number.is_multiple_of(3) && rule.areas.only.is_empty() {
            rule.areas.only = vec![districts[number % districts.len()].clone()];
        }
        rule
    };
    let many = RuleSet { rules: (0..FILES).map(other).collect::<Vec<Rule>>(), ..shipped.clone() };
    // The share of chance that cluster rules leave each other depends on how many there are: so is what is detected.
    let clusters = |rule: &&Rule| matches!(rule.detector, Detector::Cluster { .. });
    let scans = many.rules.iter().filter(clusters).count();
    let mut cases = cases(files, last);
    cases.sort_by_key(|case| (case.day, case.id));
    let night = || Night::new(known.geography, known.categories, &cases, last);
    println!("a night over {} incidents:", cases.len());
    let (new, _) = timed(7, night);
    let (few, _) = timed(7, || evaluate(&shipped, &mut night()));
    let (all, outcomes) = timed(7, || evaluate(&many, &mut night()));
    let mut warm = night();
    let _ = evaluate(&many, &mut warm);
    let (again, _) = timed(7, || evaluate(&many, &mut warm));
    println!("  prepared: {new:.1} ms");
    println!("  with the {} shipped rules: {few:.1} ms", shipped.rules.len());
    let found: usize = outcomes.iter().map(|outcome| outcome.findings.len()).sum();
    println!("  with {FILES} made from them ({scans} cluster rules, {found} findings): {all:.1} ms");
    println!("  beyond what the shipped ones take: {:.1} ms", all - few);
    println!("  the {FILES} again on the same night, all of it detected already: {again:.1} ms");
    let mut kinds: BTreeMap<&str, f64> = BTreeMap::new();
    for rule in &many.rules {
        let one = RuleSet { rules: vec![rule.clone()], ..shipped.clone() };
        *kinds.entry(rule.detector.section()).or_default() += timed(1, || evaluate(&one, &mut warm)).0;
    }
    for (kind, took) in kinds {
        println!("    {kind:<10} {took:.1} ms");
    }
}

fn shipped(known: &Known<'_>) -> RuleSet {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")).expect("rules/").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(entry.path()).expect("a rule file");
            files.insert(entry.file_name().to_string_lossy().into_owned(), text);
        }
    }
    check(&files, known).rule_set().expect("shipped rules have no mistakes").clone()
}

/// The synthetic county of five years, as known on the last morning.
fn cases(files: &PackFiles, last: NaiveDate) -> Vec<Case> {
    let now: DateTime<Utc> = "2026-06-30T03:30:00Z".parse().expect("an instant");
    let first = "2021-07-01".parse().expect("a day");
    let wards = llr::wards();
    let made = county(wards, &Options { seed: 1, first, last, known_until: now, null: false });
    let grid = Grid::new(files.pack.projection);
    let mapping = Mapping::shipped("own").expect("shipped");
    let context = ImportContext { pack: &files.pack, grid: &grid, source: "police", imported_at: now };
    let read = read_incidents(made.police.as_bytes(), &mapping, &context).expect("ours");
    let mut latest = BTreeMap::new();
    for incident in placed::place(&read.incidents, &placed::outlines(wards)) {
        latest.insert(incident.id, incident);
    }
    let tick = NaiveTime::from_hms_opt(4, 30, 0).expect("a time of day");
    let counted = latest.values().filter(|one| one.counts());
    counted.map(|one| Case::of(one, one.known_at, files.pack.zone, tick)).collect()
}
