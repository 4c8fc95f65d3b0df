//! Nights through the public door: incidents in, alerts and messages out, on both databases.

use crate::support::{at, day, stores};
use chrono::{Days, NaiveDate};
use std::{collections::BTreeMap, fmt::Write};
use tension_watch::{
    clock::FixedClock,
    import::{Mapping, read_pack},
    locate::{Boundary, Grid},
    mail::transport::{FileTransport, Transport},
    model::AlertState,
    stages::{
        county::{County, Outlines},
        import::{File, ImportReport, import},
        night::{Engine, NightReport, When},
        rules::{InForce, in_force},
        send::send_due,
        setup::save_pack,
    },
    store::{Known, MessageKind, OutboxFilter, Store},
    synth::{llr, tessellation},
};

/// Two years of a quiet ward pair, then seven racist incidents within a week in one of them.
pub fn incidents() -> String {
    let mut text = "reference,known_at,class,status,categories,occurred_from,easting,northing\n".to_owned();
    let mut add = |n: usize, on: NaiveDate, categories: &str, east: u32, north: u32| {
        let known = on + Days::new(1);
        let _ = writeln!(text, "R{n},{known}T02:00:00Z,crime,confirmed,{categories},{on},{east},{north}");
    };
    let first = day("2024-06-01");
    for n in 0..380_usize {
        // About one a fortnight in each of fourteen wards, never near to each other.
        let ward = &llr::wards()[n % 14];
        let (east, north) =
            (ward.centre.0 as u32 + (n as u32 * 37) % 300, ward.centre.1 as u32 + (n as u32 * 53) % 300);
        add(n, first + Days::new(2 * n as u64), if n % 5 == 0 { "religion" } else { "race" }, east, north);
    }
    for n in 0..7_usize {
        let ward = &llr::wards()[3];
        let at = (ward.centre.0 as u32 + 100 * n as u32, ward.centre.1 as u32);
        add(1_000 + n, day("2026-06-22") + Days::new(n as u64), "race", at.0, at.1);
    }
    text
}

pub async fn county(store: &Store) -> Engine {
    let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).unwrap();
    let wards = llr::wards();
    let centres: Vec<(f64, f64)> = wards.iter().map(|ward| ward.centre).collect();
    let outlines: Vec<Boundary> = wards
        .iter()
        .zip(tessellation(&centres))
        .map(|(ward, cell)| {
            let ring: Vec<(f64, f64)> = cell.iter().chain(cell.first()).copied().collect();
            let shape = geo::MultiPolygon(vec![geo::Polygon::new(geo::LineString::from(ring), vec![])]);
            Boundary { code: ward.code.clone(), name: String::new(), shape, in_metres: true }
        })
        .collect();
    save_pack(store, &files, &outlines, at("2026-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(Grid::new(files.pack.projection), Grid::British);
    Engine {
        store: store.clone(),
        known: Known::default(),
        county: County::load(store).await.unwrap().into(),
        from: "watch@llr.invalid".into(),
        signer: None,
        site: "http://127.0.0.1:8080".into(),
        marking: "OFFICIAL-SENSITIVE".into(),
        answer_key: "a key".into(),
        synthetic: true,
    }
}

pub async fn read(engine: &Engine, text: &str, now: &str) -> ImportReport {
    read_from(engine, "police", text, now).await
}

pub async fn read_from(engine: &Engine, source: &str, text: &str, now: &str) -> ImportReport {
    let mapping = Mapping::shipped("own").unwrap();
    let file = File { name: "june.csv", source, bytes: text.as_bytes(), mapping: &mapping };
    import(&engine.store, &engine.county, &mut Outlines::default(), &file, at(now), false).await.unwrap()
}

pub async fn rules(engine: &Engine, folder: &std::path::Path) -> InForce {
    in_force(&engine.store, &engine.county, folder, day("2026-06-29"), at("2026-06-30T03:30:00Z"))
        .await
        .unwrap()
}

pub async fn night(engine: &Engine, rules: &InForce, night: &str) -> NightReport {
    let night = day(night);
    let morning = engine.county.start_of(night + Days::new(1)) + chrono::TimeDelta::minutes(270);
    engine.night(When { night, as_known_on: morning, now: morning, tick: None }, rules).await.unwrap()
}

pub fn shipped() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

#[tokio::test]
async fn a_rise_is_mailed_once_to_those_whose_ward_it_is() {
    for (database, store) in &stores().await.each {
        let engine = county(store).await;
        let report = read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
        assert_eq!((report.record.added, report.record.rejected, report.outside_every_ward), (387, 0, 0));
        let again = read(&engine, &incidents(), "2026-06-30T03:10:00Z").await;
        assert_eq!(
            (again.record.added, again.record.changed, again.record.unchanged),
            (0, 0, 387),
            "{database}"
        );
        assert!(again.seen_before.is_some());

        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(shipped().join("race-week-spike.toml"), folder.path().join("race.toml")).unwrap();
        let rules = rules(&engine, folder.path()).await;
        let before = night(&engine, &rules, "2026-06-21").await;
        assert_eq!(before.findings().count(), 0, "{database}: {:?}", before.outcomes);
        let found = night(&engine, &rules, "2026-06-28").await;
        let spike: Vec<_> = found.findings().filter(|finding| finding.rule == "race-week-spike").collect();
        assert_eq!(spike.len(), 1, "{database}: {:?}", found.outcomes);
        assert_eq!(spike[0].wards, ["E05010461"]);
        assert!(spike[0].observed >= 7 && spike[0].recurrence.days() >= 100.0);
        // The chart's band is what was usual in each week of the year before, not the last week's everywhere.
        let outcome = found.outcomes.iter().find(|outcome| outcome.rule == "race-week-spike").unwrap();
        let past = outcome.past(spike[0]);
        let last = past.last().unwrap();
        assert_eq!((past.len(), last.observed, last.window), (52, spike[0].observed, spike[0].window));
        assert_eq!(Some(last.usual_range), spike[0].usual_range);
        assert!(
            past.iter().any(|week| (week.expected - last.expected).abs() > 1e-6 * last.expected),
            "{past:?}"
        );
        assert!(found.messages > 0 && found.gaps.is_empty(), "{:?}", found.gaps);

        // The same night again finds the same and tells nobody.
        let repeated = night(&engine, &rules, "2026-06-28").await;
        let plain = |report: &NightReport| report.findings().cloned().collect::<Vec<_>>();
        assert_eq!(plain(&found), plain(&repeated), "{database}");
        assert_eq!(repeated.messages, 0);
        // A night before the last is judged, and nobody is told of the past.
        let past = night(&engine, &rules, "2026-06-27").await;
        assert!(past.past && past.messages == 0);

        let folder = tempfile::tempdir().unwrap();
        let transport = Transport::File(FileTransport::new(folder.path().to_owned()));
        let now = FixedClock(at("2026-06-29T04:00:00Z"));
        let sent = send_due(store, &transport, &engine.from, &now).await.unwrap();
        // Both nights are Sundays: each made the digests of its week.
        assert_eq!(sent.sent, before.messages + found.messages, "{database}");
        assert_eq!(send_due(store, &transport, &engine.from, &now).await.unwrap().sent, 0);
        let mut to: BTreeMap<String, usize> = BTreeMap::new();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains("easting"));
            if text.contains("Weekly digest") {
                continue;
            }
            let line = text.lines().find(|line| line.starts_with("To:")).unwrap().to_owned();
            *to.entry(line).or_default() += 1;
        }
        let own = ["To: csp-coordinator@safer-leicester.invalid", "To: npt-east-leicester@police.invalid"];
        assert_eq!(to.keys().map(String::as_str).collect::<Vec<_>>(), own, "{database}");

        // Quiet nights: the alert eases and closes, and those told are not told again.
        for later in (1..=16).map(|days| day("2026-06-28") + Days::new(days)) {
            night(&engine, &rules, &later.to_string()).await;
        }
        let of_alerts = OutboxFilter { kind: Some(MessageKind::Alert), ..OutboxFilter::default() };
        let (first, later): (Vec<_>, Vec<_>) =
            store.outbox(&of_alerts, 1_000).await.unwrap().into_iter().partition(|one| one.sequence == 0);
        assert_eq!(first.len(), 2, "{database}");
        // Nobody acknowledged it within two working days, while it lasted: the chair hears.
        let mailboxes: Vec<&str> = later.iter().map(|one| one.mailbox.as_str()).collect();
        assert_eq!(mailboxes, ["csp-chair@safer-leicester.invalid"], "{database}");
        // The police's file ended on that day: the analyst is told that it is late, and nobody else.
        let of_data = OutboxFilter { kind: Some(MessageKind::Data), ..OutboxFilter::default() };
        let data = store.outbox(&of_data, 1_000).await.unwrap();
        assert!(data.iter().all(|message| message.mailbox == "analysis-team@police.invalid"), "{data:?}");
        let states: Vec<AlertState> =
            store.alerts(10).await.unwrap().iter().map(|alert| alert.state).collect();
        assert!(states.contains(&AlertState::Closed), "{database}: {states:?}");
    }
}

#[tokio::test]
async fn a_wrong_rule_file_leaves_the_last_good_rules_in_force() {
    let stores = stores().await;
    for (database, store) in &stores.each {
        let engine = county(store).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("race.toml");
        std::fs::copy(shipped().join("race-week-spike.toml"), &file).unwrap();
        let good = rules(&engine, folder.path()).await;
        assert!(good.mistakes.is_none());
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("at_least", "at_leest")).unwrap();
        let still = rules(&engine, folder.path()).await;
        assert_eq!(still.set, good.set, "{database}");
        let told = still.mistakes.unwrap();
        assert!(told.contains("race.toml") && told.contains("did you mean `at_least`?"), "{told}");
        std::fs::remove_file(&file).unwrap();
        std::fs::write(folder.path().join("other.toml"), text.replace("race-week-spike", "other")).unwrap();
        assert_ne!(rules(&engine, folder.path()).await.set, good.set);
    }
}

#[tokio::test]
async fn a_rule_may_name_a_reference_method() {
    let good = std::fs::read_to_string(shipped().join("race-week-spike.toml")).unwrap();
    for (database, store) in &stores().await.each {
        let engine = county(store).await;
        read(&engine, &incidents(), "2026-06-30T03:00:00Z").await;
        let folder = tempfile::tempdir().unwrap();
        for method in ["farrington-flexible", "farrington-1996", "ears-c1", "ears-c2"] {
            let text = good
                .replace("race-week-spike", &format!("by-{method}"))
                .replace("[spike]", &format!("[spike]\nmethod = \"{method}\""));
            std::fs::write(folder.path().join(format!("{method}.toml")), text).unwrap();
        }
        let rules = rules(&engine, folder.path()).await;
        let found = night(&engine, &rules, "2026-06-28").await;
        let spikes: Vec<_> =
            found.findings().map(|finding| (finding.rule.as_str(), finding.wards.as_slice())).collect();
        let ward = ["E05010461".to_owned()];
        let expected = ["by-ears-c1", "by-ears-c2", "by-farrington-1996", "by-farrington-flexible"];
        assert_eq!(spikes, expected.map(|rule| (rule, &ward[..])), "{database}: {:?}", found.outcomes);
    }
}

#[tokio::test]
async fn a_cluster_across_the_border_of_two_partnerships_is_one_alert_for_both() {
    for (database, store) in &stores().await.each {
        let engine = county(store).await;
        let mut text = incidents();
        let centre = |code: &str| llr::wards().iter().find(|ward| ward.code == code).unwrap().centre;
        let (here, there) = (centre("E05010459"), centre("E05015261"));
        let border = (f64::midpoint(here.0, there.0), f64::midpoint(here.1, there.1));
        for n in 0..16_u32 {
            let on = day("2026-06-24") + Days::new(u64::from(n % 5));
            let (east, north) = (border.0 as u32 + 60 * (n % 4) - 90, border.1 as u32 + 60 * (n / 4) - 90);
            writeln!(text, "B{n},{on}T20:00:00Z,crime,confirmed,race,{on},{east},{north}").unwrap();
        }
        assert_eq!(read(&engine, &text, "2026-06-30T03:00:00Z").await.record.rejected, 0);
        let folder = tempfile::tempdir().unwrap();
        for rule in ["race-week-spike.toml", "any-street-cluster.toml", "spike-and-cluster.toml"] {
            std::fs::copy(shipped().join(rule), folder.path().join(rule)).unwrap();
        }
        let rules = rules(&engine, folder.path()).await;
        let report = night(&engine, &rules, "2026-06-28").await;
        let of = |rule: &str, ward: &str| {
            report
                .findings()
                .filter(|one| one.rule == rule && one.wards.iter().any(|own| own == ward))
                .count()
        };
        // Both wards are above their own usual, by the two halves of one cluster.
        assert_eq!((of("race-week-spike", "E05010459"), of("race-week-spike", "E05015261")), (1, 1));
        let both: Vec<_> = report.findings().filter(|one| one.rule == "spike-and-cluster").collect();
        assert_eq!(both.len(), 1, "{database}: {both:?}");
        assert_eq!((both[0].wards.len(), both[0].observed), (2, 16), "{database}");
        let alerts = store.alerts(10).await.unwrap();
        let told: Vec<_> =
            alerts.iter().filter(|alert| alert.latest.wards.contains(&both[0].wards[1])).collect();
        let told: Vec<_> = told.into_iter().filter(|alert| alert.untold.is_none()).collect();
        assert_eq!(told.len(), 1, "{database}: {told:?}");
        // Each of the six is told once, and reads who else is.
        let outbox = store.outbox(&OutboxFilter::default(), 100).await.unwrap();
        let mut to: Vec<&str> = outbox
            .iter()
            .filter(|entry| entry.kind == MessageKind::Alert && entry.about == told[0].id)
            .map(|entry| entry.mailbox.as_str())
            .collect();
        to.sort_unstable();
        assert_eq!(to.len(), 6, "{database}: {to:?}");
        for name in ["csp-coordinator@safer-leicester.invalid", "csp-coordinator@blaby-hinckley.invalid"] {
            assert!(to.contains(&name), "{database}: {to:?}");
        }
    }
}

#[tokio::test]
async fn a_cluster_keeps_its_name_when_a_late_report_comes_in_front() {
    for (database, store) in &stores().await.each {
        let engine = county(store).await;
        let mut text = incidents();
        let ward = &llr::wards()[20];
        let (east, north) = (ward.centre.0 as u32, ward.centre.1 as u32);
        for n in 0..5_u32 {
            let on = day("2026-06-18") + Days::new(u64::from(n));
            let known = on + Days::new(1);
            let at = format!("{},{north}", east + 40 * n);
            writeln!(text, "C{n},{known}T02:00:00Z,crime,confirmed,race,{on},{at}").unwrap();
        }
        // The day before all others, told last.
        writeln!(text, "C9,2026-06-24T02:00:00Z,crime,confirmed,race,2026-06-17,{east},{north}").unwrap();
        let report = read(&engine, &text, "2026-06-30T03:00:00Z").await;
        assert_eq!(report.record.rejected, 0);
        let folder = tempfile::tempdir().unwrap();
        let rule = std::fs::read_to_string(shipped().join("any-street-cluster.toml")).unwrap();
        std::fs::write(folder.path().join("cluster.toml"), rule).unwrap();
        let rules = rules(&engine, folder.path()).await;
        let mut told = Vec::new();
        for last in ["2026-06-22", "2026-06-23", "2026-06-24"] {
            let report = night(&engine, &rules, last).await;
            let here = report.findings().filter(|finding| finding.wards == [ward.code.clone()]);
            let here: Vec<_> = here.map(|finding| (finding.identity(), finding.observed)).collect();
            assert_eq!(here.len(), 1, "{database}, {last}: {:?}", report.outcomes);
            told.extend(here);
        }
        assert_eq!(told.iter().map(|one| one.1).collect::<Vec<_>>(), [5, 6, 6], "{database}");
        assert!(told.iter().all(|one| one.0 == told[0].0), "{database}: {told:?}");
        assert_eq!(store.alerts(10).await.unwrap().len(), 1, "{database}: one cluster, one alert");
        let lives = store.lives_before("any-street-cluster", day("2026-06-25")).await.unwrap();
        assert!(lives.turns.is_empty(), "{database}: {:?}", lives.turns);
    }
}
