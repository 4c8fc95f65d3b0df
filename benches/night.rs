//! What a night costs, step by step: `cargo bench --bench night`.
//!
//! The synthetic county of five years; every figure is the median of several turns. The machine is shared: compare
//! figures of one run only.

mod placed;

use chrono::{DateTime, NaiveDate, Utc};
use std::{collections::BTreeMap, time::Instant};
use tension_watch::{
    count::Case,
    import::{ImportContext, Mapping, read_incidents, read_pack},
    locate::Grid,
    model::{AreaKind, Geography, Incident, Window},
    rules::{Known, Night, RuleSet, check, evaluate},
    synth::{Options, county, llr},
};

fn timed<T>(what: &str, turns: usize, mut work: impl FnMut() -> T) -> T {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..turns {
        let began = Instant::now();
        last = Some(work());
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("{what:<60} {:>9.1} ms", times[turns / 2]);
    last.expect("at least one turn")
}

fn main() {
    let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY)
        .expect("the pack that comes with the program");
    let last: NaiveDate = "2026-06-29".parse().expect("a day");
    let now: DateTime<Utc> = "2026-06-30T03:30:00Z".parse().expect("an instant");
    let options =
        Options { seed: 1, first: "2021-07-01".parse().expect("a day"), last, known_until: now, null: false };
    let wards = llr::wards();
    let made = timed("five years made", 3, || county(wards, &options));

    let grid = Grid::new(files.pack.projection);
    let mapping = Mapping::shipped("own").expect("shipped");
    let context = ImportContext { pack: &files.pack, grid: &grid, source: "police", imported_at: now };
    let rows = made.police.lines().count() - 1;
    let read = timed(&format!("{rows} rows read"), 5, || {
        read_incidents(made.police.as_bytes(), &mapping, &context).expect("ours")
    });
    let boundaries = placed::outlines(wards);
    let placed = timed(&format!("{} incidents placed in wards", read.incidents.len()), 5, || {
        placed::place(&read.incidents, &boundaries)
    });

    let mut latest: BTreeMap<_, Incident> = BTreeMap::new();
    for incident in placed {
        latest.insert(incident.id, incident);
    }
    let zone = files.pack.zone;
    let tick = chrono::NaiveTime::from_hms_opt(4, 30, 0).expect("a time of day");
    let cases: Vec<Case> = latest
        .values()
        .filter(|one| one.counts())
        .map(|one| Case::of(one, one.known_at, zone, tick))
        .collect();
    let geography = Geography::on(last, files.areas.clone(), files.links.clone()).expect("the pack's links");
    let categories = &files.pack.categories;
    println!("a night over {} incidents:", cases.len());
    timed("  prepared: ledger, delays, season", 5, || drop(Night::new(&geography, categories, &cases, last)));
    timed("  judged: 4 levels x 7 series x 3 periods, all 194 areas", 3, || {
        let mut night = Night::new(&geography, categories, &cases, last);
        let sets =
            categories.codes().iter().filter_map(|code| categories.find(code)).chain([categories.all()]);
        let mut judged = 0;
        for set in sets {
            for days in [1, 7, 28] {
                for kind in [AreaKind::Ward, AreaKind::District, AreaKind::Csp, AreaKind::Whole] {
                    judged += night.judge(kind, set, Window::ending(last, days)).len();
                }
            }
        }
        judged
    });
    rules(&geography, categories, &cases, last);
}

/// Every shipped rule by itself.
fn rules(
    geography: &Geography,
    categories: &tension_watch::model::Categories,
    cases: &[Case],
    last: NaiveDate,
) {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")).expect("rules/").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(entry.path()).expect("a rule file");
            files.insert(entry.file_name().to_string_lossy().into_owned(), text);
        }
    }
    let checked = check(&files, &Known { categories, geography, former: &BTreeMap::new() });
    let all = checked.rule_set().expect("shipped rules have no mistakes");
    for rule in &all.rules {
        let one = RuleSet { rules: vec![rule.clone()], ..RuleSet::default() };
        timed(&format!("  rule {}", rule.id), 3, || {
            evaluate(&one, &mut Night::new(geography, categories, cases, last))
        });
    }
    timed("  all rules together", 3, || evaluate(&all, &mut Night::new(geography, categories, cases, last)));
}
