//! The quarterly report on both databases: it adds up from what partners may see, leads back to no count, and stays the same to
//! the byte when reports come later.

use crate::{
    nights::{county, night, read, rules, shipped},
    support::{at, day, stores},
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::{collections::BTreeMap, fmt::Write, sync::Arc};
use tension_watch::{
    publish::{Counts, Span, chance_of, chances},
    report::{NoReport, Report, SHIPPED_DEFINITIONS, Whom, csv, definitions, html},
    stages::night::Engine,
    store::PublishedStore,
    synth::llr,
};

const CATEGORIES: [&str; 6] =
    ["race", "religion", "sexual_orientation", "disability", "transgender", "other"];

/// Ward, strand and day of 1,500 incidents over fifteen months; nobody's records.
fn truth() -> Vec<(usize, &'static str, NaiveDate)> {
    let mut state = 11_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..1_500)
        .map(|_| {
            let ward = next(176) as usize;
            let category = CATEGORIES[[0, 0, 0, 0, 1, 1, 2, 3, 4, 5][next(10) as usize]];
            (ward, category, day("2025-01-06") + Days::new(next(448)))
        })
        .collect()
}

fn file(incidents: &[(usize, &str, NaiveDate)], from: usize, known: impl Fn(NaiveDate) -> String) -> String {
    let wards = llr::wards();
    let mut text = "reference,known_at,class,status,categories,occurred_from,easting,northing\n".to_owned();
    for (n, (ward, category, on)) in incidents.iter().enumerate() {
        let (east, north) = wards[*ward].centre;
        let (east, north) = (east as usize + (n * 37) % 300, north as usize + (n * 53) % 300);
        let class = if n % 6 == 0 { "incident" } else { "crime" };
        let _ =
            writeln!(text, "Q{},{},{class},confirmed,{category},{on},{east},{north}", from + n, known(*on));
    }
    text
}

async fn ask(
    engine: &Arc<Engine>,
    whom: &str,
    which: &str,
    as_of: DateTime<Utc>,
) -> Result<Report, NoReport> {
    let whom = if whom == "llr" { Whom::County } else { Whom::Csp(whom.into()) };
    let meanings = definitions(SHIPPED_DEFINITIONS).unwrap();
    engine.quarter(which.parse().unwrap(), whom, meanings, as_of).await.unwrap()
}

fn bytes(report: &Report) -> (String, String, String) {
    (html(report).unwrap(), csv(report).unwrap(), serde_json::to_string(report).unwrap())
}

/// The districts of the partnerships, as the shipped pack has them.
fn districts() -> BTreeMap<&'static str, Vec<&'static str>> {
    BTreeMap::from([
        ("safer-leicester", vec!["E06000016"]),
        ("safer-rutland", vec!["E06000017"]),
        ("blaby-hinckley", vec!["E07000129", "E07000132"]),
        ("charnwood", vec!["E07000130"]),
        ("harborough", vec!["E07000131"]),
        ("safer-melton", vec!["E07000133"]),
        ("nw-leicestershire", vec!["E07000134"]),
        ("oadby-wigston", vec!["E07000135"]),
    ])
}

/// The published weeks as anybody who may see them has them.
async fn published(engine: &Engine) -> BTreeMap<NaiveDate, Counts> {
    let store = PublishedStore::new(engine.store.clone());
    let weeks = store.publications(Span::Week, (day("2025-01-06"), day("2026-12-31"))).await.unwrap();
    weeks.into_iter().map(|week| (week.window.first, week.counts)).collect()
}

fn summed(
    weeks: &BTreeMap<NaiveDate, Counts>,
    first: &str,
    many: u64,
    areas: &[&str],
    strand: Option<&str>,
) -> i64 {
    let mondays = (0..many).map(|week| day(first) + Days::new(7 * week));
    mondays.flat_map(|monday| areas.iter().map(move |area| weeks[&monday].of(area, strand).unwrap())).sum()
}

#[tokio::test]
async fn the_report_adds_up_and_leads_back_to_no_count() {
    let incidents = truth();
    for (database, store) in &stores().await.each {
        let engine = Arc::new(county(store).await);
        let on_the_next_day = |on: NaiveDate| format!("{}T02:00:00Z", on + Days::new(1));
        read(&engine, &file(&incidents, 0, on_the_next_day), "2026-06-30T03:00:00Z").await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(shipped().join("race-week-spike.toml"), folder.path().join("race.toml")).unwrap();
        let rules = rules(&engine, folder.path()).await;
        let as_of = at("2026-07-01T00:00:00Z");
        let nothing = ask(&engine, "llr", "2026Q1", as_of).await.unwrap_err();
        assert_eq!(
            nothing,
            NoReport::NotYet { quarter: "2026Q1".parse().unwrap(), latest: None },
            "{database}"
        );
        night(&engine, &rules, "2026-06-29").await;

        let first = ask(&engine, "llr", "2026Q1", as_of).await.unwrap();
        let before = ask(&engine, "llr", "2025Q4", as_of).await.unwrap();
        let own = ask(&engine, "blaby-hinckley", "2026Q1", as_of).await.unwrap();
        // What adds up: partnerships to the county, strand by strand; and every figure is a sum of published cells.
        let weeks = published(&engine).await;
        for (report, begin) in [(&first, "2025-12-29"), (&before, "2025-09-29")] {
            assert_eq!((report.first, report.weeks), (day(begin), 13));
            assert!(report.others.is_none() && report.partnerships.len() == 8, "{database}");
            let sum: i64 = report.partnerships.iter().map(|one| one.reports).sum();
            assert_eq!(sum, report.total.reports, "{database}");
            for (n, strand) in report.total.strands.iter().enumerate() {
                assert_eq!(report.partnerships.iter().map(|one| one.strands[n]).sum::<i64>(), *strand);
            }
            for one in &report.partnerships {
                let areas = &districts()[one.code.as_str()];
                assert_eq!(one.reports, summed(&weeks, begin, 13, areas, None), "{}", one.name);
                for (strand, told) in report.strands.iter().zip(&one.strands) {
                    let sum = summed(&weeks, begin, 13, areas, Some(&strand.code));
                    assert_eq!(*told, sum, "{} {}", one.name, strand.code);
                }
            }
        }
        let areas = &districts()["blaby-hinckley"];
        assert_eq!(own.own().twelve_months, Some(summed(&weeks, "2025-03-31", 52, areas, None)));
        attacked(database, &incidents, &first, &before);

        // What becomes known later changes no byte of the same question, nor of the quarter before.
        let then = (bytes(&first), bytes(&own), bytes(&before));
        let late: Vec<(usize, &str, NaiveDate)> =
            incidents.iter().take(300).map(|(ward, _, on)| (*ward, "religion", *on)).collect();
        let known = "2026-07-01T05:00:00Z";
        read(&engine, &file(&late, 10_000, |_| known.into()), known).await;
        night(&engine, &rules, "2026-07-01").await;
        let again = (
            bytes(&ask(&engine, "llr", "2026Q1", as_of).await.unwrap()),
            bytes(&ask(&engine, "blaby-hinckley", "2026Q1", as_of).await.unwrap()),
            bytes(&ask(&engine, "llr", "2025Q4", as_of).await.unwrap()),
        );
        assert!(then == again, "{database}: the bytes differ");
        // Days later only the dates differ; the quality of the records is told as of the quarter's publication.
        let later = ask(&engine, "llr", "2026Q1", at("2026-07-03T00:00:00Z")).await.unwrap();
        assert!(later.as_of > first.as_of, "{database}");
        assert_eq!(
            (&later.total, &later.partnerships, later.quality),
            (&first.total, &first.partnerships, first.quality)
        );
        let crimes = first.total.crimes.unwrap();
        assert!((75..=90).contains(&crimes.share.unwrap()), "{database}: {crimes:?}");
        let parts = first.partnerships.iter().chain(&first.others).map(|line| line.crimes.unwrap().reports);
        assert_eq!(parts.sum::<i64>(), crimes.reports, "{database}: partnerships add up to the county");
    }
}

/// Tries to solve for small true counts of a partnership, strand and quarter from both reports together: the figure itself,
/// the total less the other strands, the county less the other partnerships, and the difference of the two rolling years.
fn attacked(database: &str, incidents: &[(usize, &str, NaiveDate)], now: &Report, before: &Report) {
    let wards = llr::wards();
    let mut small = 0;
    let (mut as_it_stands, mut together) = (0, 0);
    let mut expected = 0.0;
    for report in [now, before] {
        for (place, one) in report.partnerships.iter().enumerate() {
            let areas = &districts()[one.code.as_str()];
            for (n, strand) in report.strands.iter().enumerate() {
                let own = |(ward, category, on): &&(usize, &str, NaiveDate)| {
                    areas.contains(&wards[*ward].district.as_str())
                        && *category == strand.code
                        && (report.first..=report.last).contains(on)
                };
                let true_count = incidents.iter().filter(own).count() as i64;
                if !(1..=4).contains(&true_count) {
                    continue;
                }
                small += 1;
                // The likeliest number added is none: who reads a figure as it stands is right so often.
                let cells = areas.len() * report.weeks;
                expected += chances(cells).each().find(|(z, _)| *z == 0).unwrap().1;
                as_it_stands += u32::from(one.strands[n] == true_count);
                // Another way to the same count: the total less the other strands, six times as far off.
                let others: i64 = one.strands.iter().sum::<i64>() - one.strands[n];
                let guess = (one.strands[n] as f64 * 6.0 + (one.reports - others) as f64) / 7.0;
                together += u32::from(guess.round() as i64 == true_count);
                // The county is the sum of the partnerships' own cells: that way leads back to the same figure.
                let elsewhere = report.partnerships.iter().enumerate().filter(|(other, _)| *other != place);
                let elsewhere: i64 = elsewhere.map(|(_, other)| other.strands[n]).sum();
                assert_eq!(report.total.strands[n] - elsewhere, one.strands[n], "{database}");
            }
        }
    }
    let share = |right: u32| f64::from(right) / f64::from(small);
    let stated = expected / f64::from(small);
    let luck = 3.0 * (stated * (1.0 - stated) / f64::from(small)).sqrt();
    eprintln!(
        "{database}: of {small} small counts {:.3} guessed as they stand, {:.3} from everything together, {stated:.3} by chance",
        share(as_it_stands),
        share(together)
    );
    assert!(small > 30, "{database}: {small}");
    assert!(share(as_it_stands) < stated + luck && share(together) < 1.1 * stated + luck, "{database}");
    assert!(stated < chance_of(0), "sums of many cells say less than one cell");
}
