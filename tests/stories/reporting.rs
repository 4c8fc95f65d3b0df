//! What a campaign brought, what went quiet, and the report that the boards get by mail, on both databases.

use crate::{
    answers::mails,
    nights::{county, night, read, rules, shipped},
    support::{at, day, stores},
};
use chrono::{Days, NaiveDate};
use std::{fmt::Write, sync::Arc};
use tension_watch::{
    model::{AreaKind, AreaRef},
    report::{SHIPPED_DEFINITIONS, definitions},
    stages::{
        campaigns::{Asked, areas_of, campaign_view},
        reporting::{What, reporting},
    },
    synth::llr,
};

/// Wards of a partnership, by place.
fn wards_of(district: &str) -> Vec<usize> {
    (0..llr::wards().len()).filter(|ward| llr::wards()[*ward].district == district).collect()
}

/// Two years: in Leicester and in Charnwood every day, there also through a reporting centre every third day until that stops twelve
/// weeks before the end; and a campaign of eight days in Charnwood that brings three more online each day.
fn file(last: NaiveDate) -> String {
    let mut text =
        "reference,known_at,class,status,categories,occurred_from,easting,northing,channel\n".to_owned();
    let mut count = 0_usize;
    let mut add = |on: NaiveDate, ward: usize, channel: &str| {
        count += 1;
        let (known, ward) = (on + Days::new(1), &llr::wards()[ward]);
        let (east, north) = (ward.centre.0 as usize + (count * 37) % 300, ward.centre.1 as usize);
        let _ =
            writeln!(text, "C{count},{known}T02:00:00Z,crime,confirmed,race,{on},{east},{north},{channel}");
    };
    let (city, charnwood) = (wards_of("E06000016"), wards_of("E07000130"));
    let first = last - Days::new(730);
    for n in 0..731_u64 {
        let on = first + Days::new(n);
        // Neither wards nor days take turns: what is counted varies as by chance.
        let mixed = (n.wrapping_mul(2_654_435_761) >> 7) as usize;
        for extra in 0..(mixed % 3) {
            add(on, city[(mixed / 3 + extra) % city.len()], "101");
        }
        if mixed.is_multiple_of(2) {
            add(on, charnwood[(mixed / 5) % charnwood.len()], "Online");
        }
        if n % 3 == 0 && n < 731 - 84 {
            add(on, charnwood[(mixed / 7) % charnwood.len()], "third party");
        }
        if campaign().holds(on) {
            for extra in 0..3 {
                add(on, charnwood[(mixed + extra) % charnwood.len()], "online");
            }
        }
    }
    text
}

fn campaign() -> tension_watch::model::Window {
    tension_watch::model::Window::ending(day("2026-03-15"), 8)
}

const CALENDAR: &str = r#"[[event]]
name = "tell us"
kind = "campaign"
from = 2026-03-08
to = 2026-03-15
channels = ["online"]

[[event]]
name = "a new form"
kind = "recording change"
from = 2026-02-02
to = 2026-02-02
"#;

#[tokio::test]
async fn campaigns_quiet_and_the_boards_report() {
    for (database, store) in &stores().await.each {
        let engine = Arc::new(county(store).await);
        read(&engine, &file(day("2026-07-13")), "2026-07-14T03:00:00Z").await;
        let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::copy(shipped().join("race-week-spike.toml"), folder.path().join("race.toml")).unwrap();
        std::fs::create_dir(folder.path().join("calendar")).unwrap();
        std::fs::write(folder.path().join("calendar/own.toml"), CALENDAR).unwrap();
        let rules = rules(&engine, folder.path()).await;
        night(&engine, &rules, "2026-07-13").await;
        mails(store, mail.path(), "2026-07-14T04:00:00Z").await;
        let (last, known) = (day("2026-07-13"), at("2026-07-14T03:30:00Z"));
        let geography = engine.county.geography(last).unwrap();

        // The campaign: more in Charnwood and online, not in Leicester, nor through the reporting centre.
        let events = engine.events(last).await.unwrap();
        let event = events.iter().find(|event| event.name == "tell us").unwrap().clone();
        let asked = |own: Option<&AreaRef>| Asked {
            event: event.clone(),
            areas: areas_of(&event, own, &geography),
            night: last,
            as_known_on: known,
        };
        let view = campaign_view(&engine, &asked(None)).await.unwrap().unwrap();
        assert_eq!((view.window, view.areas.len()), (campaign(), 8), "{database}");
        assert!(view.together.is_more() && view.known_share > 0.99, "{database}: {view:?}");
        let of = |code: &str| &view.areas.iter().find(|(area, _)| area.code == code).unwrap().1;
        assert!(of("charnwood").is_more() && of("charnwood").observed >= 24, "{database}: {view:?}");
        assert!(!of("safer-leicester").is_more(), "{database}: {view:?}");
        assert_eq!(view.channels[0].0.as_deref(), Some("online"), "{database}: its own channel first");
        assert!(view.channels[0].1.is_more(), "{database}: {view:?}");
        let centre = view.channels.iter().find(|(name, _)| name.as_deref() == Some("third party")).unwrap();
        assert!(!centre.1.is_more(), "{database}: {view:?}");
        let sum: u64 = view.areas.iter().map(|(_, lift)| lift.observed).sum();
        assert_eq!(
            (view.together.observed, view.channels.iter().map(|(_, lift)| lift.observed).sum()),
            (sum, sum)
        );
        // Whoever answers for Leicester reads of Leicester.
        let city = AreaRef { kind: AreaKind::Csp, code: "safer-leicester".into() };
        let own = campaign_view(&engine, &asked(Some(&city))).await.unwrap().unwrap();
        assert_eq!(
            (own.areas.len(), own.together.observed),
            (1, of("safer-leicester").observed),
            "{database}"
        );
        let before =
            Asked { night: day("2026-03-01"), as_known_on: at("2026-03-02T03:30:00Z"), ..asked(None) };
        assert_eq!(campaign_view(&engine, &before).await.unwrap(), None, "{database}: it has not begun");

        // Quiet: the reporting centre, and nothing that only looks so.
        let found = reporting(&engine, last, known).await.unwrap();
        assert!(!found.quiet.is_empty(), "{database}: of {} nothing is quiet", found.looked_at);
        let centre = What::Channel("third party".into());
        let charnwood = AreaRef { kind: AreaKind::Csp, code: "charnwood".into() };
        assert!(
            found.quiet.iter().any(|one| one.what == centre && one.area == charnwood && one.observed == 0),
            "{database}: {:?}",
            found.quiet
        );
        assert!(
            found
                .quiet
                .iter()
                .all(|one| one.area.code != "safer-leicester" && one.what != What::Channel("101".into())),
            "{database}: {:?}",
            found.quiet
        );
        // Everywhere else nobody reported for a year.
        let silent = found.silent.as_ref().unwrap();
        let elsewhere = llr::wards().len() - wards_of("E06000016").len() - wards_of("E07000130").len();
        assert_eq!(silent.len(), elsewhere, "{database}");
        assert!(silent.windows(2).all(|pair| pair[0].population >= pair[1].population), "{database}");
        assert!(silent.iter().any(|ward| ward.like_neighbours.is_some_and(|like| like > 0.5)), "{database}");
        // All came through the police.
        let mix = found.mix.last().unwrap();
        assert_eq!((mix.area.kind, mix.others, mix.police > 400), (AreaKind::Whole, 0, true), "{database}");
        assert!(found.late.is_empty(), "{database}: {:?}", found.late);

        boards(&engine, mail.path(), database).await;
    }
}

/// The second quarter is whole: each board gets its report once, and nothing else.
async fn boards(engine: &Arc<tension_watch::stages::night::Engine>, mail: &std::path::Path, database: &str) {
    let store = &engine.store;
    let terms = definitions(SHIPPED_DEFINITIONS).unwrap();
    let pdf = b"%PDF-1.4 of a report".to_vec();
    let paper = |pdf: Vec<u8>| move |_| Some(pdf);
    let now = at("2026-07-14T05:00:00Z");
    assert_eq!(engine.send_quarter(&terms, paper(pdf.clone()), now).await.unwrap(), 2, "{database}");
    assert_eq!(engine.send_quarter(&terms, paper(pdf), now).await.unwrap(), 0, "{database}: once");
    let sent = mails(store, mail, "2026-07-14T05:01:00Z").await;
    let told: Vec<(&str, &str)> = sent.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
    let subject = "[OFFICIAL-SENSITIVE] Quarterly report, April to June 2026";
    assert_eq!(
        told,
        [("partnership-board@llr.invalid", subject), ("senior-officer-group@llr.invalid", subject)],
        "{database}"
    );
    let text = sent[0].text.replace("\r\n", "\n");
    for words in ["/reports/2026Q2", "Charnwood CSP", "a year before", "2026Q2-county.pdf"] {
        assert!(text.contains(words), "{database}: {words} in {text}");
    }
    // Months later it is no news.
    let late = at("2026-09-01T05:00:00Z");
    assert_eq!(engine.send_quarter(&terms, |_| None, late).await.unwrap(), 0, "{database}");
}

#[tokio::test]
async fn an_alert_in_a_campaign_says_what_came_through_its_channels() {
    for (database, store) in &stores().await.each {
        let engine = Arc::new(county(store).await);
        read(&engine, &file(day("2026-07-13")), "2026-07-14T03:00:00Z").await;
        let (folder, mail) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::copy(shipped().join("csp-month-spike.toml"), folder.path().join("csp.toml")).unwrap();
        std::fs::create_dir(folder.path().join("calendar")).unwrap();
        std::fs::write(folder.path().join("calendar/own.toml"), CALENDAR).unwrap();
        let rules = rules(&engine, folder.path()).await;
        night(&engine, &rules, "2026-03-15").await;

        let alerts = store.alerts(10).await.unwrap();
        let [alert] = alerts.as_slice() else { panic!("{database}: {alerts:?}") };
        let note = alert.latest.calendar.iter().find(|note| note.name == "tell us").unwrap();
        let through = note.through.as_ref().unwrap();
        // Three a day by the campaign, and what comes online on other days.
        assert!((24..=alert.latest.observed).contains(&through.reports), "{database}: {through:?}");
        // Every second day online, every third through the centre: three fifths.
        assert!((through.share_before.unwrap() - 0.6).abs() < 0.05, "{database}: {through:?}");

        let mails = mails(store, mail.path(), "2026-03-17T09:00:00Z").await;
        let said = "more than half of the reports came through its channels (online); in the year before 6";
        let told = mails.iter().any(|mail| {
            let text = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
            text.contains(said) && !text.contains(&format!("{} of the", through.reports))
        });
        assert!(told, "{database}: no mail says `{said}`: {mails:#?}");
    }
}
