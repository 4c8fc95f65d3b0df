use super::{weeks::districts, *};
use crate::{
    import::read_pack,
    model::{AlertState, AreaKind, Asked, Party, Priority, Role, Window},
    publish::{Counts, Span},
    rules::{EventKind, Where},
    synth::llr,
};
use chrono::Days;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use uuid::Uuid;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

struct Made {
    pack: Pack,
    geography: Geography,
    /// True counts by week and district, which no report may reach.
    truth: BTreeMap<(NaiveDate, String), i64>,
    weeks: Vec<Publication>,
    events: Vec<Event>,
}

/// A random number as publishing adds it: P(Z = z) proportional to e^-|z|.
fn noise(rng: &mut ChaCha8Rng) -> i64 {
    let geometric = |rng: &mut ChaCha8Rng| (rng.random::<f64>().max(1e-300).ln() / -1.0).floor() as i64;
    geometric(rng) - geometric(rng)
}

/// The county with published weeks from 2022 up to a day: about four reports a week in a district.
fn made(last: &str) -> Made {
    let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).unwrap();
    let geography = Geography::on(day("2026-06-30"), files.areas.clone(), files.links.clone()).unwrap();
    let districts: Vec<String> =
        geography.of_kind(AreaKind::District).map(|district| district.code.clone()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut truth, mut weeks) = (BTreeMap::new(), Vec::new());
    let mut next = Span::Week.around(day("2022-06-06")).unwrap();
    while next.last <= day(last) {
        let mut counts = serde_json::Map::new();
        for district in &districts {
            let true_count = (0..40).filter(|_| rng.random::<f64>() < 0.1).count() as i64;
            truth.insert((next.first, district.clone()), true_count);
            let mut cell =
                serde_json::Map::from_iter([(String::new(), (true_count + noise(&mut rng)).into())]);
            for (place, code) in files.pack.categories.codes().iter().enumerate() {
                let part = if place == 0 { true_count / 2 } else { 0 };
                cell.insert(code.clone(), (part + noise(&mut rng)).into());
            }
            counts.insert(district.clone(), cell.into());
        }
        let counts: Counts = serde_json::from_value(counts.into()).unwrap();
        let as_known_on = at(&format!("{}T03:30:00Z", next.last + Days::new(15)));
        weeks.push(Publication { span: Span::Week, window: next, as_known_on, counts });
        next = Span::Week.around(next.last + Days::new(1)).unwrap();
    }
    let event = |name: &str, kind, first: &str, last: &str| Event {
        name: name.into(),
        kind,
        window: Window { first: day(first), last: day(last) },
        place: Where::Everywhere,
        categories: files.pack.categories.all(),
        channels: Vec::new(),
    };
    let events = vec![
        event("spring campaign", EventKind::Campaign, "2026-05-04", "2026-05-10"),
        event("a new form", EventKind::RecordingChange, "2026-02-02", "2026-02-02"),
        event("an old form", EventKind::RecordingChange, "2023-02-02", "2023-02-02"),
    ];
    Made { pack: files.pack, geography, truth, weeks, events }
}

impl Made {
    fn report(&self, quarter: &str, whom: Whom) -> Result<Report, NoReport> {
        let csp = Party {
            role: Role::CspCoordinator,
            area: Some(crate::model::AreaRef { kind: AreaKind::Csp, code: "charnwood".into() }),
        };
        let action = |title: &str, due: &str| Action {
            id: Uuid::nil(),
            alert: None,
            owner: csp.clone(),
            area: csp.area.clone(),
            priority: Priority::RaiseAwareness,
            title: title.into(),
            due: Some(day(due)),
            at: at("2026-05-01T09:00:00Z"),
            who: "KM".into(),
            state: crate::model::ActionState::Open,
            outcome: None,
            ended_at: None,
            overdue_told_at: None,
            looked_at: None,
        };
        let quarter: Quarter = quarter.parse().unwrap();
        let published = self.weeks.iter().filter(|week| quarter.has(week.window)).count();
        let counts = RecordCounts {
            crimes: Some(
                districts(&self.geography).into_iter().zip([48, 40, 30, 41, 50, 22, 38, 27, 50]).collect(),
            ),
            unlocated: 12,
            reclassified: 9,
            withdrawn: 3,
        };
        let inputs = Inputs {
            quarter,
            whom,
            pack: &self.pack,
            geography: &self.geography,
            changed_areas: vec![("A <ward>".into(), day("2026-05-07"))],
            weeks: self.weeks.clone(),
            alerts: vec![alert(&csp)],
            actions: vec![action("a talk", "2026-06-01"), action("another", "2026-12-01")],
            events: &self.events,
            records: Records {
                counts: (published == quarter.weeks().len()).then_some(counts),
                rows: 520,
                rejected: 4,
                half_known_after: Some(1),
                most_known_after: Some(9),
            },
            definitions: definitions(SHIPPED_DEFINITIONS).unwrap(),
            as_of: at("2026-07-20T03:30:00Z"),
        };
        Report::of(&inputs)
    }
}

/// One of a ward of Charnwood, acknowledged in time and judged useful.
fn alert(csp: &Party) -> Alert {
    let ward = "E05014685";
    let finding = crate::model::Finding {
        rule: "race-week-spike".into(),
        rule_version: "1".into(),
        title: "Racist incidents well above usual".into(),
        level: crate::model::AlertLevel::Elevated,
        subject: crate::model::Subject::Area {
            area: crate::model::AreaRef { kind: AreaKind::Ward, code: ward.into() },
            boundary_year: 2025,
            category: None,
            source: None,
        },
        wards: vec![ward.into()],
        categories: vec!["race".into()],
        window: Window::ending(day("2026-05-11"), 7),
        observed: 9,
        expected: 2.1,
        usual_range: None,
        times_usual: None,
        change: None,
        signal: crate::model::SignalKind::Spike,
        share: None,
        calendar: Vec::new(),
        without_calendar: None,
        recurrence: crate::model::Recurrence::from_daily_rate(0.005),
        members: Vec::new(),
    };
    let (night, now) = (day("2026-05-11"), at("2026-05-12T03:30:00Z"));
    let mut alert = Alert::new(Uuid::nil(), "LLR-2026-0001".into(), finding, night, now);
    alert.told = serde_json::from_value(serde_json::json!({
        "on": "2026-05-11", "level": "elevated", "observed": 9, "categories": ["race"], "wards": [ward]
    }))
    .ok();
    alert.asked =
        vec![Asked { parties: vec![csp.clone()], since: now, by: Some(at("2026-05-14T16:00:00Z")) }];
    alert.acknowledged = vec![crate::model::Acknowledgement {
        party: csp.clone(),
        at: at("2026-05-13T09:00:00Z"),
        until: None,
    }];
    alert.closing = Some(crate::model::Closing {
        outcome: crate::model::Outcome::UsefulActed,
        party: csp.clone(),
        at: at("2026-05-20T09:00:00Z"),
    });
    alert.state = AlertState::Closed;
    alert
}

#[test]
fn partnerships_add_up_to_the_county_and_the_same_inputs_give_the_same_bytes() {
    let made = made("2026-06-28");
    let report = made.report("2026Q2", Whom::County).unwrap();
    assert_eq!((report.weeks, report.weeks_in_all, report.is_provisional()), (13, 13, false));
    let lines: Vec<&AreaLine> = report.partnerships.iter().chain(&report.others).collect();
    assert!(lines.len() >= 8, "{}", lines.len());
    let sum = |of: &dyn Fn(&AreaLine) -> Option<i64>| lines.iter().map(|line| of(line)).sum::<Option<i64>>();
    let whole = &report.total;
    assert!(whole.year_before.is_some() && whole.twelve_months_before.is_some());
    assert_eq!(sum(&|line| Some(line.reports)), Some(whole.reports));
    assert_eq!(sum(&|line| line.year_before), whole.year_before);
    assert_eq!(sum(&|line| line.twelve_months), whole.twelve_months);
    assert_eq!(sum(&|line| line.twelve_months_before), whole.twelve_months_before);
    for strand in 0..report.strands.len() {
        assert_eq!(sum(&|line| Some(line.strands[strand])), Some(report.total.strands[strand]));
    }
    // What was done: of Charnwood and, once, of the county.
    let charnwood = report.partnerships.iter().find(|line| line.code == "charnwood").unwrap();
    let work = Work {
        raised: 1,
        asked: 1,
        in_time: 1,
        judged: 1,
        useful: 1,
        unanswered: 1,
        opened: 2,
        done: 0,
        dropped: 0,
        overdue: 1,
    };
    assert_eq!((charnwood.work, report.total.work), (work, work));
    assert!(report.partnerships.iter().all(|line| line.code == "charnwood" || line.work == Work::default()));
    assert_eq!(report.recording_changes, [(day("2026-02-02"), "a new form".to_owned())]);
    assert!(report.campaigns[0].lift.is_some());

    let again = self::made("2026-06-28").report("2026Q2", Whom::County).unwrap();
    let bytes = |report: &Report| {
        (html(report).unwrap(), csv(report).unwrap(), serde_json::to_string_pretty(report).unwrap())
    };
    assert_eq!(bytes(&report), bytes(&again));
    let one = made.report("2026Q2", Whom::Csp("charnwood".into())).unwrap();
    assert_eq!((one.own(), &one.total), (charnwood, &report.total), "the same figures for whomever they are");
}

#[test]
fn what_is_protected_cannot_be_solved_from_reports_of_two_quarters() {
    let made = made("2026-06-28");
    let (first, second) =
        (made.report("2026Q1", Whom::County).unwrap(), made.report("2026Q2", Whom::County).unwrap());
    let truth = |district: &str, from: NaiveDate, to: NaiveDate| -> i64 {
        let own =
            made.truth.iter().filter(|((week, code), _)| code == district && (from..=to).contains(week));
        own.map(|(_, count)| count).sum()
    };
    // Partnerships of one district: their figures, and every difference of two figures that leaves few weeks over. An attacker
    // who takes one figure from another must be off by as much as the cells that are left allow, and never by less.
    let mut squares: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for (one, two) in first.partnerships.iter().zip(&second.partnerships) {
        let districts: Vec<String> = made
            .geography
            .of_kind(AreaKind::District)
            .filter(|district| {
                made.geography.wards_of(AreaKind::District, &district.code).all(|ward| {
                    made.geography.above(&ward.code, AreaKind::Csp).any(|csp| csp.code == one.code)
                })
            })
            .map(|district| district.code.clone())
            .collect();
        let all = |from: NaiveDate, to: NaiveDate| -> i64 {
            districts.iter().map(|own| truth(own, from, to)).sum()
        };
        let cells = |weeks: usize| (districts.len() * weeks) as f64 * crate::publish::VARIANCE;
        let mut seen = |name, figure: i64, true_count: i64, weeks: usize| {
            squares.entry(name).or_default().push((((figure - true_count) as f64).powi(2), cells(weeks)));
        };
        let quarter = |report: &Report| (report.first, report.last);
        let ((a, b), (c, d)) = (quarter(&first), quarter(&second));
        seen("quarter", one.reports, all(a, b), first.weeks);
        seen("quarter", two.reports, all(c, d), second.weeks);
        // Two rolling years a quarter apart, less the new quarter: the quarter a year before, which was not told so.
        let year = |end: NaiveDate| end - Days::new(7 * 52 - 1);
        let moved = two.twelve_months.unwrap() - one.twelve_months.unwrap() - two.reports;
        let gone = -all(year(b), year(d) - Days::new(1));
        seen("difference", moved, gone, 13);
        // The year less its published quarters of the year before and now: what lies between.
        let rest = two.twelve_months.unwrap() - two.reports - one.reports;
        seen("rest", rest, all(year(d), a - Days::new(1)), 52 - first.weeks - second.weeks);
    }
    for (name, errors) in &squares {
        let off: f64 = errors.iter().map(|(square, _)| square).sum();
        let allowed: f64 = errors.iter().map(|(_, variance)| variance).sum();
        // Chi-square with eight or sixteen degrees: half of what is expected is a one in thirty chance; the seed is fixed.
        assert!(off > 0.3 * allowed, "{name}: off by {off:.0}, where chance gives {allowed:.0}");
    }
    // A control: without the added numbers the same differences give the truth.
    let plain = squares["difference"].iter().map(|(square, _)| square).sum::<f64>();
    assert!(plain > 0.0);
    let bare = Made { weeks: bared(&made), ..self::made("2026-06-28") };
    let (first, second) =
        (bare.report("2026Q1", Whom::County).unwrap(), bare.report("2026Q2", Whom::County).unwrap());
    let (a, b) = (second.last, first.last);
    let year = |end: NaiveDate| end - Days::new(7 * 52 - 1);
    let all: Vec<String> =
        bare.geography.of_kind(AreaKind::District).map(|district| district.code.clone()).collect();
    let gone: i64 = all.iter().map(|own| truth(own, year(b), year(a) - Days::new(1))).sum();
    let moved =
        first.total.twelve_months.unwrap() + second.total.reports - second.total.twelve_months.unwrap();
    assert_eq!(moved, gone, "the attack breaks a report of true counts");
}

/// The same weeks with the true counts in them.
fn bared(made: &Made) -> Vec<Publication> {
    let bare = |week: &Publication| {
        let counts: serde_json::Map<String, serde_json::Value> = week
            .counts
            .areas()
            .map(|area| {
                let count = made.truth[&(week.window.first, area.to_owned())];
                (area.to_owned(), serde_json::json!({"": count}))
            })
            .collect();
        Publication { counts: serde_json::from_value(counts.into()).unwrap(), ..week.clone() }
    };
    made.weeks.iter().map(bare).collect()
}

#[test]
fn a_quarter_that_is_not_whole_says_so_and_others_are_refused_with_what_there_is() {
    let made = made("2026-06-14");
    let report = made.report("2026Q2", Whom::County).unwrap();
    assert_eq!((report.weeks, report.weeks_in_all), (11, 13));
    let page = html(&report).unwrap();
    assert!(page.contains("provisional: 11 of the quarter&#x27;s 13 weeks"));
    assert!(page.contains("were moved or taken back is told once") && !page.contains("Share of crimes"));
    let refused = |quarter: &str, whom: Whom| made.report(quarter, whom).unwrap_err().to_string();
    assert_eq!(
        refused("2026Q3", Whom::County),
        "nothing of 2026Q3 is published yet; the latest published week ends on 14 June 2026, in 2026Q2"
    );
    assert_eq!(
        refused("2019Q1", Whom::County),
        "the published figures begin on 6 June 2022; 2019Q1 is before them"
    );
    let unknown = refused("2026Q2", Whom::Csp("atlantis".into()));
    assert!(
        unknown.starts_with("`atlantis` is no partnership") && unknown.contains("charnwood"),
        "{unknown}"
    );
    // The first quarters have nothing to compare with, and say so.
    let early = made.report("2022Q3", Whom::County).unwrap();
    assert_eq!((early.total.year_before, early.total.twelve_months), (None, None));
    assert!(html(&early).unwrap().contains("not published"));
}

#[test]
fn a_county_without_figures_of_residents_has_no_rates_and_everything_else() {
    let mut made = made("2026-06-28");
    let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).unwrap();
    let areas = files.areas.into_iter().map(|area| crate::model::Area { population: None, ..area });
    made.geography = Geography::on(day("2026-06-30"), areas, files.links).unwrap();
    let report = made.report("2026Q2", Whom::County).unwrap();
    assert!(report.partnerships.iter().all(|line| line.rate.is_none() && line.funnel.is_none()));
    assert!(html(&report).unwrap().contains("no figure of residents"));
}

#[test]
fn the_page_of_a_partnership_reads_so() {
    let page = html(&made("2026-06-28").report("2026Q2", Whom::Csp("charnwood".into())).unwrap()).unwrap();
    assert!(!page.contains("A <ward>") && page.contains("A &lt;ward&gt;"));
    let body = page.split_once("<body>").unwrap().1;
    insta::assert_snapshot!(body);
}
