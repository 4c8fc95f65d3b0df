//! What partners get, everything of it, and whether it leads back to true counts.

use crate::{
    nights::{county, night, read, rules, shipped},
    support::{at, day, stores},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use chrono::{Days, NaiveDate};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};
use tension_watch::{
    model::Role,
    publish::{ALPHA, VARIANCE},
    stages::night::Engine,
    store::Account,
    synth::llr,
    web::{Site, hash_password, router},
};
use tower::ServiceExt;

const CATEGORIES: [&str; 6] =
    ["race", "religion", "sexual_orientation", "disability", "transgender", "other"];

/// Ward, category and day of 500 incidents of half a year, most of them in forty wards; nobody's records.
fn truth() -> Vec<(usize, &'static str, NaiveDate)> {
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..500)
        .map(|_| {
            let ward = if next(4) == 0 { next(176) } else { next(40) } as usize;
            let category = CATEGORIES[[0, 0, 0, 0, 1, 1, 2, 3, 4, 5][next(10) as usize]];
            (ward, category, day("2026-01-05") + Days::new(next(176)))
        })
        .collect()
}

fn file(incidents: &[(usize, &str, NaiveDate)], from: usize) -> String {
    let wards = llr::wards();
    let mut text = "reference,known_at,class,status,categories,occurred_from,easting,northing\n".to_owned();
    for (n, (ward, category, on)) in incidents.iter().enumerate() {
        // Far apart, so that no two count as reports of one event.
        let (east, north) = wards[*ward].centre;
        let (east, north) = (east as usize + (n * 37) % 300, north as usize + (n * 53) % 300);
        let known = *on + Days::new(1);
        let _ =
            writeln!(text, "P{},{known}T02:00:00Z,crime,confirmed,{category},{on},{east},{north}", from + n);
    }
    text
}

struct Partner {
    router: Router,
    cookie: String,
}

impl Partner {
    async fn at(engine: &Arc<Engine>) -> Self {
        let account = Account {
            name: "council".into(),
            role: Role::Partner,
            area: None,
            password_hash: hash_password("a long password").unwrap(),
            created_at: at("2026-01-01T00:00:00Z"),
        };
        engine.store.save_account(&account).await.unwrap();
        let address = "http://127.0.0.1:8080".to_owned();
        let router = router(Site::new(engine, address, Vec::new()).unwrap());
        let request = Request::post("/sign-in")
            .header("host", "127.0.0.1:8080")
            .header("origin", "http://127.0.0.1:8080")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("name=council&password=a+long+password"))
            .unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        Self { cookie: cookie.split(';').next().unwrap().to_owned(), router }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let request = Request::get(path)
            .header("host", "127.0.0.1:8080")
            .header("cookie", &self.cookie)
            .body(Body::empty())
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), 50_000_000).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Everything that can be asked for: every level, strand, period and last day, as a page, data of the map and files.
    async fn everything(&self, days: &[NaiveDate]) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let areas =
            ["/published/ward/E05010461", "/published/district/E06000016", "/published/csp/safer-leicester"];
        let files = [
            "/published",
            "/published/figures.json",
            "/published.csv",
            "/published.geojson",
            "/published.png",
        ];
        for path in files.iter().chain(&areas) {
            for (area, periods) in [
                ("ward", &["month"][..]),
                ("district", &["week", "4-weeks"]),
                ("csp", &["week", "4-weeks"]),
                ("llr", &["week", "4-weeks"]),
            ] {
                for period in periods {
                    // A picture shows the classes of the figures; drawing all of them would take minutes.
                    let strands = &CATEGORIES[..if path.ends_with("png") { 1 } else { CATEGORIES.len() }];
                    for strand in strands.iter().chain(&[""]) {
                        // Pages and outlines are heavy: they say what the files say, which is looked at once.
                        let few = days.len().min(if path.ends_with("csv") { days.len() } else { 1 });
                        for to in &days[days.len() - few..] {
                            let address =
                                format!("{path}?area={area}&strand={strand}&period={period}&to={to}");
                            let (status, body) = self.get(&address).await;
                            assert_eq!(status, 200, "{address}");
                            all.insert(address, body);
                        }
                    }
                }
            }
        }
        all
    }
}

/// What is known of one cell: itself, and with it all together and the others of the same ward and month.
struct Seen {
    own: Option<i64>,
    all: i64,
    others: Vec<Option<i64>>,
}

/// The best guess at a cell from everything that adds up to it. A cell that is shown is weighed against the total less the
/// others, each by how sure it is (all are changed alike, so the total less five others counts a sixth); one that is not
/// shown is the total less the others where those are all shown.
fn guess(seen: &Seen) -> Option<i64> {
    let rest: Option<i64> = seen.others.iter().copied().sum();
    match (seen.own, rest) {
        (Some(own), Some(rest)) => {
            let weight = 1.0 / (seen.others.len() as f64 + 2.0);
            Some((own as f64 + weight * (seen.all - rest - own) as f64).round() as i64)
        }
        (own, None) => own,
        (None, Some(rest)) => Some(seen.all - rest),
    }
}

/// Of the small cells, of one or two reports: how many are guessed right, how many of the guesses are right, and how many there
/// are.
fn share_guessed(cells: &[(i64, Seen)]) -> (f64, f64, usize) {
    let small: Vec<&(i64, Seen)> = cells.iter().filter(|(truth, _)| (1..=2).contains(truth)).collect();
    let right = small.iter().filter(|(truth, seen)| guess(seen) == Some(*truth)).count();
    let guesses = small.iter().filter(|(_, seen)| guess(seen).is_some()).count();
    (right as f64 / small.len() as f64, right as f64 / guesses as f64, small.len())
}

fn months() -> Vec<NaiveDate> {
    ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"].map(day).to_vec()
}

#[tokio::test]
async fn partners_get_what_was_published_and_it_leads_back_to_no_count() {
    let incidents = truth();
    for (database, store) in &stores().await.each {
        let engine = Arc::new(county(store).await);
        read(&engine, &file(&incidents, 0), "2026-06-30T03:00:00Z").await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(shipped().join("race-week-spike.toml"), folder.path().join("race.toml")).unwrap();
        let rules = rules(&engine, folder.path()).await;
        let partner = Partner::at(&engine).await;
        let (status, page) = partner.get("/published").await;
        assert!(status == 200 && page.contains("Nothing has been published yet"), "{database}: {page}");

        night(&engine, &rules, "2026-06-29").await;
        let weeks: Vec<NaiveDate> =
            (0..8).map(|back| day("2026-06-14") - Days::new(7 * back)).rev().collect();
        let mut days = months();
        days.extend(&weeks);
        let before = partner.everything(&days).await;
        let pictures = before.iter().filter(|(path, _)| path.starts_with("/published.png"));
        assert!(
            pictures.clone().count() == 14 && pictures.clone().all(|(_, body)| body.contains("PNG")),
            "{database}"
        );

        // Nothing else shows through: with other incidents, late ones and an alert in the county a partner gets the same bytes.
        let late: Vec<(usize, &str, NaiveDate)> =
            incidents.iter().take(200).map(|(ward, _, on)| (*ward, "religion", *on)).collect();
        read(&engine, &file(&late, 10_000), "2026-06-30T05:00:00Z").await;
        night(&engine, &rules, "2026-06-30").await;
        let after = partner.everything(&days).await;
        let changed: BTreeSet<&String> = before.keys().filter(|key| before[*key] != after[*key]).collect();
        assert!(changed.is_empty(), "{database}: {changed:?}");
        for path in ["/", "/alerts", "/hotspots.csv", "/map/figures.json", "/silences", "/rules"] {
            let (status, body) = partner.get(path).await;
            assert!(status != 200 || !body.contains("Usual"), "{database} {path}: {status} {body}");
        }

        attacked(database, &incidents, &before);
    }
}

/// Tries to solve for the true cells of wards, months and strands; then the same with counts that are true, and hidden where
/// they are small.
fn attacked(database: &str, incidents: &[(usize, &str, NaiveDate)], all: &BTreeMap<String, String>) {
    let mut shown: BTreeMap<(String, String, NaiveDate), i64> = BTreeMap::new();
    for (address, body) in all.iter().filter(|(address, _)| address.starts_with("/published.csv?area=ward")) {
        let strand = address.split("strand=").nth(1).unwrap().split('&').next().unwrap();
        for row in csv::Reader::from_reader(body.as_bytes()).records() {
            let row = row.unwrap();
            assert_eq!(&row[13], "OFFICIAL");
            shown.insert((row[0].to_owned(), strand.to_owned(), day(&row[5])), row[6].parse().unwrap());
        }
    }
    let wards = llr::wards();
    let mut true_cells: BTreeMap<(String, String, NaiveDate), i64> = BTreeMap::new();
    for to in months() {
        for (ward, strand, on) in incidents {
            if chrono::Datelike::month(on) == chrono::Datelike::month(&to) {
                for strand in [strand, ""] {
                    *true_cells.entry((wards[*ward].code.clone(), strand.to_owned(), to)).or_default() += 1;
                }
            }
        }
    }
    let truth = |ward: &str, strand: &str, to| {
        true_cells.get(&(ward.to_owned(), strand.to_owned(), to)).copied().unwrap_or(0)
    };
    let (mut published, mut hidden) = (Vec::new(), Vec::new());
    let mut off = Vec::new();
    for to in months() {
        for ward in wards {
            let of = |strand: &str| shown[&(ward.code.clone(), strand.to_owned(), to)];
            let small = |count: i64| (!(1..=2).contains(&count)).then_some(count);
            for own in CATEGORIES {
                let others = || CATEGORIES.iter().filter(|strand| **strand != own);
                let true_count = truth(&ward.code, own, to);
                off.push((of(own) - true_count) as f64);
                let seen = Seen {
                    own: Some(of(own)),
                    all: of(""),
                    others: others().map(|one| Some(of(one))).collect(),
                };
                published.push((true_count, seen));
                let seen = Seen {
                    own: small(true_count),
                    all: truth(&ward.code, "", to),
                    others: others().map(|one| small(truth(&ward.code, one, to))).collect(),
                };
                hidden.push((true_count, seen));
            }
        }
    }
    let (right, _, cells) = share_guessed(&published);
    // Read as it stands a figure is right as often as nothing was added. The total is one more look, six times as unsure.
    let stated = (1.0 - ALPHA) / (1.0 + ALPHA);
    let luck = 3.0 * (stated * (1.0 - stated) / cells as f64).sqrt();
    eprintln!("{database}: {right:.3} of {cells} small cells guessed, {stated:.3} stated");
    assert!(right < stated + luck, "{database}: {right} of {cells}, {stated} stated");
    let (found, sure, _) = share_guessed(&hidden);
    eprintln!(
        "{database}: {found:.3} of them where small counts are only hidden, {sure:.3} of the guesses there are right"
    );
    assert!(found > 0.3 && sure > 0.99, "{database}: the attack is worth something: {found} {sure}");
    // The noise is there; cutting figures off at 0 takes about half of it from cells of none.
    let spread = off.iter().map(|off| off * off).sum::<f64>() / off.len() as f64;
    assert!(spread > VARIANCE / 4.0, "{database}: {spread}");
}
