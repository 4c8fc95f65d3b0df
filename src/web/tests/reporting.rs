//! Campaigns, under-reporting and changes in recording: for those responsible, each for their own areas.

use super::*;
use crate::locate::Boundary;
use std::fmt::Write;

const CALENDAR: &str = r#"[[event]]
name = "tell us & <more>"
kind = "campaign"
from = 2026-06-01
to = 2026-06-08
channels = ["online"]

[[event]]
name = "only in Charnwood"
kind = "campaign"
from = 2026-05-01
to = 2026-05-08
csps = ["Charnwood CSP"]

[[event]]
name = "autumn"
kind = "campaign"
from = 2026-10-01
to = 2026-10-08

[[event]]
name = "a new <form>"
kind = "recording change"
from = 2026-02-02
to = 2026-02-02
"#;

/// Three reports a day for two years in two wards, one of each partnership.
async fn furnished() -> Pages {
    let pages = Pages::new().await;
    let wards = llr::wards();
    let ward = |code: &str| wards.iter().find(|ward| ward.code == code).unwrap().centre;
    let (belgrave, charnwood) = (ward("E05010461"), ward("E05014685"));
    let square = |code: &str, (east, north): (f64, f64)| {
        let ring = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)]
            .map(|(right, up)| (east + 200.0 * right, north + 200.0 * up));
        let ring = geo::LineString::from(ring.to_vec());
        let shape = geo::MultiPolygon(vec![geo::Polygon::new(ring, Vec::new())]);
        Boundary { code: code.into(), name: String::new(), shape, in_metres: true }
    };
    let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).unwrap();
    let outlines = [square("E05010461", belgrave), square("E05014685", charnwood)];
    let now = "2026-06-30T02:00:00Z".parse().unwrap();
    save_pack(&pages.store, &files, &outlines, now).await.unwrap();
    let mut text =
        "reference,known_at,class,status,categories,occurred_from,easting,northing,channel\n".to_owned();
    let last: NaiveDate = "2026-06-29".parse().unwrap();
    for n in 0..700_u64 {
        let on = last - chrono::Days::new(n);
        for (place, (east, north)) in [belgrave, charnwood, belgrave].iter().enumerate() {
            let channel = if place == 0 { "online" } else { "101" };
            let _ = writeln!(
                text,
                "Q{n}-{place},{on}T20:00:00Z,crime,confirmed,race,{on},{east},{north},{channel}"
            );
        }
    }
    let mapping = Mapping::shipped("own").unwrap();
    let file = crate::stages::import::File {
        name: "a.csv",
        source: "police",
        bytes: text.as_bytes(),
        mapping: &mapping,
    };
    let engine = &pages.site.engine;
    let mut outlines = Outlines::default();
    crate::stages::import::import(&pages.store, &engine.county, &mut outlines, &file, now, false)
        .await
        .unwrap();
    let rule = include_str!("../../../rules/race-week-spike.toml").to_owned();
    let files =
        [("race-week-spike.toml".to_owned(), rule), ("calendar/own.toml".to_owned(), CALENDAR.to_owned())];
    let later = "2026-06-30T04:00:00Z".parse().unwrap();
    let mut tx = pages.store.begin().await.unwrap();
    tx.accept_rules(&SavedRules { version: "2".into(), files: files.into(), accepted_at: later })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    pages
}

#[tokio::test]
async fn a_campaign_is_told_to_each_for_their_own_areas() {
    let pages = furnished().await;
    let analyst = pages.sign_in("analyst").await;
    let (answer, page) = pages.get("/campaigns", &analyst).await;
    assert_eq!(answer.status(), StatusCode::OK, "{page}");
    assert!(page.contains("Tell us &amp; &lt;more&gt;") && !page.contains("<more>"), "{page}");
    for words in ["Charnwood CSP", "Safer Leicester Partnership", "Online", "named by the campaign", "Autumn"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let link = "/campaigns?name=only%20in%20Charnwood&amp;from=2026-05-01";
    assert!(page.contains(link), "{page}");
    let (answer, page) = pages.get(&link.replace("&amp;", "&"), &analyst).await;
    assert!(answer.status() == StatusCode::OK && page.contains("Only in Charnwood: "), "{page}");
    let (_, page) = pages.get("/campaigns?name=autumn&from=2026-10-01", &analyst).await;
    assert!(page.contains("Autumn: it has not begun"), "{page}");
    for unknown in ["/campaigns?name=none&from=2026-06-01", "/campaigns?name=autumn&from=x"] {
        assert_eq!(pages.get(unknown, &analyst).await.0.status(), StatusCode::NOT_FOUND, "{unknown}");
    }
    let leicester = pages.sign_in("leicester").await;
    let (_, page) = pages.get("/campaigns", &leicester).await;
    // That there is a campaign elsewhere is no secret; its figures are.
    let row = |name: &str| page.contains(&format!("<th scope=\"row\">{name}</th>"));
    assert!(row("Safer Leicester Partnership") && !row("Charnwood CSP"), "{page}");
    let (_, page) = pages.get(&link.replace("&amp;", "&"), &leicester).await;
    assert!(page.contains("not in your areas") && !page.contains("class=\"num\""), "{page}");
}

#[tokio::test]
async fn under_reporting_is_told_to_each_for_their_own_areas() {
    let pages = furnished().await;
    let analyst = pages.sign_in("analyst").await;
    let (answer, page) = pages.get("/under-reporting", &analyst).await;
    assert_eq!(answer.status(), StatusCode::OK, "{page}");
    // 176 wards, two of which had reports.
    assert!(page.contains("174 wards have had no report in a year"), "{page}");
    assert!(
        page.contains("if 40 to 60 of 100 incidents are reported")
            && page.contains("Leicester, Leicestershire")
    );
    let (_, page) = pages.get("/under-reporting?low=80&high=50", &analyst).await;
    assert!(page.contains("if 50 to 80 of 100 incidents are reported"), "{page}");
    let (_, page) = pages.get("/under-reporting?low=0&high=abc", &analyst).await;
    assert!(page.contains("if 40 to 60 of 100 incidents are reported"), "{page}");
    let (_, page) = pages.get("/under-reporting", &pages.sign_in("leicester").await).await;
    assert!(page.contains("Safer Leicester Partnership") && !page.contains("Charnwood"), "{page}");
    // 730 reports of the year.
    assert!(
        page.contains("730 reports of the past year in Safer Leicester Partnership stand for 1,217 to 1,825"),
        "{page}"
    );
}

#[tokio::test]
async fn the_curve_of_an_area_shows_when_recording_changed() {
    let pages = furnished().await;
    let (_, page) = pages.get("/areas/ward/E05010461?period=7", &pages.sign_in("leicester").await).await;
    assert!(
        page.contains("class=\"change\"") && page.contains("1, 2 February 2026: a new &lt;form&gt;"),
        "{page}"
    );
}
