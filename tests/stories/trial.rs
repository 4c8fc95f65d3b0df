//! A trial says what would have happened: the same alerts as nights that were really run, and budgets that are kept.

use crate::support::day;
use chrono::{Days, NaiveDate};
use std::collections::BTreeMap;
use tension_watch::{
    import::{Mapping, read_pack},
    locate::Boundary,
    model::AreaKind,
    rules::{
        Rule, RuleSet,
        trial::{Labels, Rate, TriedAlert},
        tune::{COMMONEST, Threshold, solve, years},
    },
    stages::{
        county::{County, Outlines},
        import::{File, import},
        night::{Engine, When},
        rules::{InForce, checked},
        setup::save_pack,
        trial::{Neighbours, Replay, as_live, known, loosened, quiet},
        tune::curve,
    },
    store::{Known, Store},
    synth::{self, Options, llr, tessellation},
};

const LAST: &str = "2026-06-29";

/// The synthetic county on SQLite, with its labelled episodes as a file.
async fn made(store: &Store) -> (Engine, String) {
    let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).unwrap();
    let wards = llr::wards();
    let centres: Vec<(f64, f64)> = wards.iter().map(|ward| ward.centre).collect();
    let outline = |(ward, cell): (&synth::Ward, Vec<(f64, f64)>)| {
        let ring: Vec<(f64, f64)> = cell.iter().chain(cell.first()).copied().collect();
        let shape = geo::MultiPolygon(vec![geo::Polygon::new(geo::LineString::from(ring), vec![])]);
        Boundary { code: ward.code.clone(), name: String::new(), shape, in_metres: true }
    };
    let outlines: Vec<Boundary> = wards.iter().zip(tessellation(&centres)).map(outline).collect();
    let known_until = "2026-06-30T03:30:00Z".parse().unwrap();
    save_pack(store, &files, &outlines, known_until).await.unwrap();
    let engine = Engine {
        store: store.clone(),
        known: Known::default(),
        county: County::load(store).await.unwrap().into(),
        from: "watch@llr.invalid".into(),
        signer: None,
        site: "http://127.0.0.1:8080".into(),
        marking: "OFFICIAL-SENSITIVE".into(),
        answer_key: "a key".into(),
        synthetic: true,
    };
    let options = Options { seed: 1, first: day("2021-07-01"), last: day(LAST), known_until, null: false };
    let county = synth::county(wards, &options);
    let mapping = Mapping::shipped("own").unwrap();
    let mut places = Outlines::default();
    for (source, text) in [("police", &county.police), ("council", &county.council)] {
        let file = File { name: "county.csv", source, bytes: text.as_bytes(), mapping: &mapping };
        import(store, &engine.county, &mut places, &file, known_until, false).await.unwrap();
    }
    (engine, county.labels(wards.len()).unwrap())
}

fn rules(engine: &Engine, labels: &str, names: &[&str]) -> RuleSet {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let read = |name: &&str| {
        let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        (format!("{name}.toml"), text)
    };
    let mut files: BTreeMap<String, String> = names.iter().map(read).collect();
    files.insert("episodes/synthetic.toml".into(), labels.into());
    let found = checked(&files, &engine.county, day(LAST)).unwrap();
    found.rule_set().unwrap_or_else(|| panic!("{}", found.shown()))
}

fn nights(engine: &Engine, last: NaiveDate, many: u64) -> Vec<When> {
    let night = |back: u64| {
        let night = last - Days::new(back);
        let morning = engine.county.start_of(night + Days::new(1)) + chrono::TimeDelta::minutes(270);
        When { night, as_known_on: morning, now: morning, tick: None }
    };
    (0..many).rev().map(night).collect()
}

fn replay(
    engine: &Engine,
    nights: &[When],
    set: &RuleSet,
    history: &tension_watch::count::History,
) -> Replay {
    Replay::of(&engine.county, history, nights, (&[set], &Neighbours::new()), &|_| ()).unwrap()
}

fn rule<'a>(set: &'a RuleSet, id: &str) -> &'a Rule {
    set.rules.iter().find(|rule| rule.id == id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_opens_the_alerts_that_the_engine_opens() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("t.db").display())).await.unwrap();
    let (engine, labels) = made(&store).await;
    // A street of April, then a rise and an old repeat place: each on the nights that show it.
    let spans = [
        (&["any-street-cluster"][..], "2026-04-23", 3),
        (&["race-week-spike", "repeat-place"][..], "2026-06-08", 8),
    ];
    for (names, last, many) in spans {
        let all = rules(&engine, &labels, names);
        let nights = nights(&engine, day(last), many);
        let in_force = InForce { set: all.clone(), mistakes: None };
        for when in &nights {
            engine.night(*when, &in_force).await.unwrap();
        }
        let opened = store.alerts(1_000).await.unwrap();
        let history = known(&engine).await.unwrap();
        for name in names {
            let set = as_live(&all, name);
            let tried = replay(&engine, &nights, &set, &history).alerts(0, rule(&set, name), None);
            let own = opened.iter().filter(|alert| alert.latest.rule == *name);
            let mut real = Vec::new();
            for alert in own {
                // Reminders of answers that are missing are no matter of a rule.
                let events = store.alert_events(alert.id).await.unwrap();
                let told = events.iter().filter(|event| event.what == "told").count() as i64;
                real.push((alert.opened, alert.identity.clone(), told));
            }
            real.sort();
            let told = tried.iter().map(|one| (one.night, one.finding.identity(), one.mails as i64));
            let mut told: Vec<_> = told.collect();
            told.sort();
            assert!(!real.is_empty(), "{name}");
            assert_eq!(told, real, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tuned_rule_keeps_its_budget_in_another_quiet_county() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("t.db").display())).await.unwrap();
    let (engine, labels) = made(&store).await;
    let all = rules(&engine, &labels, &["race-week-spike"]);
    let own = rule(&all, "race-week-spike");
    let mut loose = as_live(&all, &own.id);
    loose.rules[0] = loosened(own, COMMONEST);
    let (short, long) = (nights(&engine, day(LAST), 120), nights(&engine, day(LAST), 365));
    let history = replay(&engine, &short, &loose, &known(&engine).await.unwrap());
    let until = long[364].as_known_on;
    let simulated = quiet(&engine, 1, day(LAST), until).await.unwrap().unwrap();
    let simulated = replay(&engine, &long, &loose, &simulated);
    let geography = engine.county.geography(day(LAST)).unwrap();
    let labels = Labels {
        episodes: &all.calendar.episodes,
        geography: &geography,
        categories: &engine.county.pack.categories,
    };
    let curve = curve(own, &history, Some(&simulated), &labels);
    assert!(curve.windows(2).all(|pair| pair[0].days < pair[1].days));
    // The rise of 2026 was told before everybody knew.
    assert!(curve[0].found >= 1 && curve[0].labelled >= 2, "{:?}", curve[0]);
    let at = |days: f64| curve.iter().find(|one| (one.days - days).abs() < 0.5).unwrap();
    let plain: Vec<TriedAlert> = history.alerts(0, own, Some(100.0));
    assert_eq!(at(100.0).alerts.count, plain.len());

    let budget = 6.0;
    let place = solve(&curve, budget, false).unwrap();
    let tuned: &Threshold = &curve[place];
    assert!(tuned.keeps(budget, false) && !curve[place - 1].keeps(budget, false));
    // Csps: no partnership has more than all together.
    for one in [&tuned.history, tuned.simulated.as_ref().unwrap()] {
        assert!(one.by_csp.values().all(|csp| csp.count <= one.all.count));
        assert_eq!(one.by_csp.len(), geography.of_kind(AreaKind::Csp).count());
    }
    let other = quiet(&engine, 2, day(LAST), until).await.unwrap().unwrap();
    let set = RuleSet { rules: vec![Rule { rarer_than_days: tuned.days, ..own.clone() }], ..all.clone() };
    let alerts = replay(&engine, &long, &set, &other).alerts(0, &set.rules[0], None);
    let rate = Rate::of(alerts.len(), years(long.len()));
    assert!(rate.low <= budget, "{rate:?} at once in {} days", tuned.days);
}
