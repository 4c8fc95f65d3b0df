//! One alert of a small county, for the tests of this folder.

use super::{Asked, Figures, LateReports, MailContext};
use crate::{
    alerts::NoticeKind,
    model::{
        Alert, AlertLevel, AlertState, Area, AreaKind, AreaRef, Bounds, Categories, Class, Finding,
        Geography, Pack, Projection, Recurrence, Subject, Told, Window,
    },
    picture::{History, Period},
};
use chrono::{Days, NaiveDate};
use uuid::Uuid;

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn pack() -> Pack {
    let class =
        |code: &str, label: &str| Class { code: code.into(), label: label.into(), from: None, to: None };
    Pack {
        name: "Leicester, Leicestershire and Rutland".into(),
        prefix: "LLR".into(),
        zone: chrono_tz::Europe::London,
        projection: Projection::BritishNationalGrid,
        bounds: Bounds { west: -2.0, south: 52.0, east: 0.0, north: 53.0 },
        categories: Categories::new(["race", "religion", "sexual_orientation", "disability"]).unwrap(),
        category_labels: ["Race", "Religion", "Sexual orientation", "Disability"].map(String::from).into(),
        category_word: "strand".into(),
        classes: vec![class("crime", "Hate crime"), class("incident", "Hate incident")],
        holidays: Vec::new(),
        publish: crate::model::Terms::default(),
        reporting: Vec::new(),
    }
}

fn geography() -> Geography {
    let area = |kind, code: &str, name: &str| Area {
        kind,
        code: code.into(),
        name: name.into(),
        boundary_year: 2025,
        valid_from: day("2020-01-01"),
        valid_to: None,
        population: None,
        workday_population: None,
    };
    let wards = [
        ("W1", "Belgrave", "leicester"),
        ("W2", "Rushey Mead", "leicester"),
        ("W3", "Syston East", "charnwood"),
        ("W4", "Troon", "leicester"),
    ];
    let mut areas = vec![
        area(AreaKind::Csp, "leicester", "Safer Leicester"),
        area(AreaKind::Csp, "charnwood", "Charnwood"),
    ];
    areas.extend(wards.map(|(code, name, _)| area(AreaKind::Ward, code, name)));
    let links = wards.map(|(code, _, csp)| (code.to_owned(), AreaKind::Csp, csp.to_owned()));
    Geography::on(day("2026-06-29"), areas, links).unwrap()
}

fn alert() -> Alert {
    let latest = Finding {
        rule: "race-week-spike".into(),
        rule_version: "1a2b3c4d".into(),
        title: "Racist incidents well above usual for this ward".into(),
        level: AlertLevel::Elevated,
        subject: Subject::Area {
            area: AreaRef { kind: AreaKind::Ward, code: "W1".into() },
            boundary_year: 2025,
            category: None,
            source: None,
        },
        wards: vec!["W1".into(), "W2".into()],
        categories: vec!["race".into(), "religion".into()],
        window: Window::ending(day("2026-06-29"), 7),
        observed: 9,
        expected: 2.1,
        usual_range: Some((0, 5)),
        times_usual: Some((1.9, 8.1)),
        change: None,
        signal: crate::model::SignalKind::Spike,
        share: None,
        calendar: Vec::new(),
        without_calendar: None,
        recurrence: Recurrence::from_daily_rate(1.0 / 140.0),
        members: Vec::new(),
    };
    Alert {
        id: Uuid::from_u128(147),
        number: "LLR-2026-0147".into(),
        identity: latest.identity(),
        state: AlertState::Open,
        opened: day("2026-06-29"),
        night: day("2026-06-29"),
        latest,
        told: None,
        quiet_nights: 0,
        sequence: 1,
        changed_at: "2026-06-30T03:30:00Z".parse().unwrap(),
        held_nights: 1,
        untold: None,
        asked: Vec::new(),
        acknowledged: Vec::new(),
        follow_up_days: None,
        closing: None,
        expected_event: None,
    }
}

/// What a context borrows, changed by each test as it likes.
pub(super) struct Sample {
    pub(super) alert: Alert,
    pub(super) kind: NoticeKind,
    pub(super) before: Option<Told>,
    pub(super) pack: Pack,
    pub(super) geography: Geography,
    pub(super) figures: Figures,
    pub(super) history: Option<History>,
    pub(super) others: Vec<String>,
    pub(super) calendar: Vec<String>,
}

impl Sample {
    pub(super) fn new() -> Self {
        let mut hours = [0; 24];
        (hours[15], hours[16], hours[18], hours[22]) = (3, 2, 1, 1);
        let figures = Figures {
            incidents: 9,
            mentions: [("race".to_owned(), 8), ("religion".to_owned(), 2)].into(),
            crimes: 6,
            hours,
            across_metres: Some(870.0),
        };
        let counts = [
            1, 0, 2, 7, 3, 2, 1, 0, 2, 1, 3, 1, 0, 0, 2, 1, 1, 0, 1, 2, 0, 1, 3, 0, 1, 2, 2, 1, 3, 2, 0, 4,
            2, 1, 3, 2, 2, 5, 1, 2, 3, 0, 2, 4, 1, 3, 2, 2, 1, 4, 3, 9,
        ];
        let first = day("2026-06-29") - Days::new(7 * 51);
        // Less is usual in winter.
        let winter = |week| (18..34).contains(&week);
        let periods = (0..)
            .zip(counts)
            .map(|(week, count)| Period {
                last: first + Days::new(7 * week),
                count,
                expected: if winter(week) { 1.2 } else { 2.1 },
                usual_range: (0, if winter(week) { 4 } else { 5 }),
            })
            .collect();
        Self {
            alert: alert(),
            kind: NoticeKind::New,
            before: None,
            pack: pack(),
            geography: geography(),
            figures,
            history: Some(History { periods }),
            others: vec!["neighbourhood sergeant, East Leicester".into(), "force hate crime lead".into()],
            calendar: vec![
                "Reporting centre opened in Belgrave on 19 June: 1.2 times as many expected".into(),
            ],
        }
    }

    pub(super) fn context(&self) -> MailContext<'_> {
        MailContext {
            alert: &self.alert,
            kind: &self.kind,
            about: None,
            before: self.before.as_ref(),
            pack: &self.pack,
            geography: &self.geography,
            figures: self.figures.clone(),
            history: self.history.clone(),
            map: None,
            data_as_at: "2026-06-29T23:00:00Z".parse().unwrap(),
            late: Some(LateReports { days: 3, percent: 25.0 }),
            calendar: &self.calendar,
            rule_in_words: "at least 5 reports in 7 days, twice what is usual, rarer than once in 100 days",
            reader: "CSP coordinator, Safer Leicester",
            others: &self.others,
            asked: Asked {
                by: Some("2026-07-02T16:00:00Z".parse().unwrap()),
                then: Some("CSP chair, Safer Leicester"),
            },
            tell_again: crate::rules::TellAgain::ALL,
            waiting: &[],
            answer: "https://watch.county.invalid/answer/0123456789abcdef0123456789abcdef",
            site: "https://watch.county.invalid",
            marking: "OFFICIAL-SENSITIVE",
            synthetic: true,
        }
    }
}
