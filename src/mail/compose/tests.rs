//! The whole message, as its readers get it.

use super::*;
use crate::{
    alerts::{Growth, Judged, NoticeKind, route, step},
    mail::{
        Envelope, Thread, message_bytes, message_id,
        sample::Sample,
        transport::{FileTransport, Letter, Outcome, Transport},
    },
    model::{AlertLevel, AreaKind, AreaRef, Mailbox, Recurrence, Role, Subject, Told},
};
use proptest::prelude::*;

#[test]
fn the_plain_text_is_complete_by_itself() {
    let sample = Sample::new();
    let composed = compose(&sample.context()).unwrap();
    assert_eq!(
        composed.subject,
        "[OFFICIAL-SENSITIVE] Tension signal LLR-2026-0147 - Belgrave + 1 ward - race/religion"
    );
    insta::assert_snapshot!(composed.text, @"
    OFFICIAL-SENSITIVE

    New, elevated - LLR-2026-0147

    9 reports in 7 days in Belgrave and Rushey Mead, where about 2 is usual.

    9 reports in 7 days; about 2.1 usual; normal range 0 to 5; 1.9 to 8.1
    times usual.
    A signal this strong would come by chance about once in 140 days anywhere
    in LLR.

    WHAT IS ASKED OF YOU
    Please acknowledge this alert by 17:00 on Thursday 2 July 2026, then
    record an action or say that there is no concern.
    https://watch.county.invalid/answer/0123456789abcdef0123456789abcdef
    The link only opens a page. Nothing happens until you press a button there.
    It is yours alone: please don't forward it. All about the alert, for those
    who may sign in: https://watch.county.invalid/alerts/LLR-2026-0147

    WHAT IS KNOWN
    Where: Belgrave and Rushey Mead
    Partnership: Safer Leicester
    Days: 23 to 29 June 2026
    Strands: Mostly race; religion in fewer than 5
    Kind: More than half recorded as crimes
    Hours: Most between 15:00 and 17:00
    In the calendar: Reporting centre opened in Belgrave on 19 June: 1.2
      times as many expected
    Data: As at Tuesday 30 June 2026, 00:00. Reports from the last 3 days
      usually still grow by about 25%
    Rule: Racist incidents well above usual for this ward (rule
      race-week-spike, version 1a2b3c4d): at least 5 reports in 7 days, twice
      what is usual, rarer than once in 100 days
      https://watch.county.invalid/rules/race-week-spike
    Also told: Neighbourhood sergeant, East Leicester; force hate crime
      lead. If not acknowledged in time: CSP chair, Safer Leicester

    Bar chart of reports in 7 days, up to 29 June 2026: the last bar stands
    for 9 reports, where 2.1 is usual and 0 to 5 is the normal range. 1 of the
    51 weeks before was above its own normal range; the highest had 7.

    You get this as CSP coordinator, Safer Leicester. You will hear again only
    if the level rises, the count doubles, a strand joins or a ward joins, or
    if it is not acknowledged in time.
    These are reports, not all that happened; this is not a forecast.
    Synthetic figures: nothing here has happened.

    OFFICIAL-SENSITIVE
    ");
}

fn grown() -> Sample {
    let mut sample = Sample::new();
    sample.before = Some(Told {
        on: "2026-06-25".parse().unwrap(),
        level: AlertLevel::Elevated,
        observed: 6,
        wards: vec!["W1".into()],
        categories: vec!["race".into()],
    });
    sample.alert.latest.level = AlertLevel::Severe;
    sample.alert.latest.recurrence = Recurrence::from_daily_rate(1.0 / 412.0);
    sample.alert.latest.expected = 0.3;
    sample.alert.latest.usual_range = Some((0, 2));
    sample.alert.latest.subject = Subject::Cluster(uuid::Uuid::nil());
    sample.kind = NoticeKind::Grown(vec![
        Growth::LevelRose { from: AlertLevel::Elevated },
        Growth::WardsJoined(vec!["W2".into()]),
        Growth::CategoriesJoined(vec!["religion".into()]),
    ]);
    sample
}

#[test]
fn an_update_keeps_the_topic_and_says_what_is_new_first() {
    let sample = grown();
    let composed = compose(&sample.context()).unwrap();
    assert_eq!(composed.topic, compose(&Sample::new().context()).unwrap().topic);
    assert!(composed.subject.contains("LLR-2026-0147 - Belgrave + 1 ward"), "{}", composed.subject);
    let (new, asked) = (composed.text.find("SINCE THE LAST MESSAGE"), composed.text.find("WHAT IS ASKED"));
    assert!(new.unwrap() < asked.unwrap());
    assert!(composed.text.contains("- The ward Rushey Mead has joined.\n"));
    assert!(composed.html.contains("The ward Rushey Mead has joined."));
}

#[test]
fn without_chart_calendar_marking_or_company_it_is_still_a_message() {
    let mut sample = Sample::new();
    (sample.history, sample.calendar, sample.others) = (None, Vec::new(), Vec::new());
    sample.figures = crate::mail::Figures::default();
    let mut context = sample.context();
    (context.late, context.marking, context.synthetic) = (None, "", false);
    let composed = compose(&context).unwrap();
    assert_eq!(composed.pictures, []);
    assert!(!composed.html.contains("cid:") && !composed.html.contains("OFFICIAL"));
    assert!(composed.subject.starts_with("Tension signal"));
    assert!(composed.text.contains("In the calendar: Nothing known"));
}

#[test]
fn opening_it_asks_nobody_elsewhere_for_anything() {
    let html = compose(&Sample::new().context()).unwrap().html;
    let links: Vec<&str> =
        html.match_indices("http").map(|(at, _)| &html[at..(at + 40).min(html.len())]).collect();
    for link in links {
        assert!(
            link.starts_with("https://watch.county.invalid/")
                || link.starts_with("http://www.w3.org/1999/xhtml")
                || link.starts_with("http-equiv"),
            "{link}"
        );
    }
    assert!(html.contains("https://watch.county.invalid/alerts/LLR-2026-0147"));
    assert!(!html.contains("<script") && !html.contains("@import"));
}

#[tokio::test]
async fn a_finding_becomes_a_file_that_any_mail_program_opens() {
    let mut sample = Sample::new();
    let night = sample.alert.night;
    let judged = Judged {
        finding: sample.alert.latest.clone(),
        quiet_for_days: 14,
        shadow: false,
        folded: false,
        silenced: None,
        hold_nights: 1,
        tell_again: crate::rules::TellAgain::ALL,
    };
    let now = sample.alert.changed_at;
    let step = step(night, now, vec![], &[judged], &mut || uuid::Uuid::from_u128(7), &mut |_| 147, "LLR");
    let notice = &step.notices[0];
    (sample.alert, sample.kind) = (step.alerts[0].clone(), notice.kind.clone());

    let area = AreaRef { kind: AreaKind::Csp, code: "leicester".into() };
    let address = "csp@leicester.invalid".to_owned();
    let directory =
        [Mailbox { role: Role::CspCoordinator, area: Some(area), address, active: true, mute: None }];
    let route = route(&sample.alert.latest, &[Role::CspCoordinator], &sample.geography, &directory);
    let reader = route.recipients[0].label(&sample.geography);
    let composed = compose(&MailContext { reader: &reader, ..sample.context() }).unwrap();
    let envelope = Envelope { from: "watch@county.invalid", to: &route.recipients[0].address };
    let id = message_id(notice.alert, notice.sequence, envelope);
    let message =
        message_bytes(&composed, envelope, Thread { id: &id, follows: &[], index: None }, now, None).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let files = FileTransport::new(folder.path().to_owned());
    let file = files.file(&id);
    assert_eq!(
        Transport::File(files).send(Letter { envelope, id: &id, message: &message }).await,
        Outcome::Sent
    );
    assert_eq!(std::fs::read(file).unwrap(), message);
    assert!(composed.text.contains("You get this as CSP coordinator, Safer Leicester."));
}

/// Elements and attributes of a page, without their values.
fn skeleton(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1).filter_map(|tag| tag.split('>').next());
    tags.map(|tag| tag.split_whitespace().next().unwrap_or_default().to_lowercase()).collect()
}

#[test]
fn hostile_names_add_no_element_no_header_and_no_template() {
    let plain = compose(&Sample::new().context()).unwrap();
    for hostile in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)",
        "{{ 7 * 7 }}{% raw %}",
        "</td></mj-table><mj-raw>",
        "]]>&amp;<!--",
        "Bel\r\nBcc: x@y.invalid\u{202e}",
        "=?utf-8?q?x?=",
    ] {
        let mut sample = Sample::new();
        sample.pack.category_labels[0] = hostile.into();
        sample.alert.latest.title = hostile.into();
        sample.alert.latest.wards[1] = hostile.into();
        sample.others[0] = hostile.into();
        sample.calendar[0] = hostile.into();
        let mut context = sample.context();
        (context.reader, context.rule_in_words) = (hostile, hostile);
        let composed = compose(&context).unwrap();
        assert_eq!(skeleton(&composed.html), skeleton(&plain.html), "{hostile}");
        assert!(!composed.text.contains("49"));
        assert!(!composed.subject.contains(['\r', '\n', '\u{202e}']) && !composed.subject.contains("=?"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_data_makes_a_message_that_can_be_written(
        name in ".{0,60}",
        wards in prop::collection::vec("W[1-9]|.{0,12}", 0..9),
        categories in prop::collection::vec("race|religion|.{0,12}", 0..6),
        observed in any::<u64>(),
        expected in any::<f64>(),
        kind in 0_u8..3,
    ) {
        let mut sample = grown();
        let latest = &mut sample.alert.latest;
        (latest.title, latest.wards, latest.categories) = (name.clone(), wards.clone(), categories.clone());
        (latest.observed, latest.expected) = (observed, expected);
        if kind == 1 {
            latest.subject = Subject::Place(uuid::Uuid::nil());
        }
        if kind == 2 {
            sample.kind = NoticeKind::Grown(vec![
                Growth::WardsJoined(wards),
                Growth::CategoriesJoined(categories),
                Growth::CountDoubled { from: observed },
            ]);
        }
        let mut context = sample.context();
        (context.reader, context.site, context.marking) = (&name, &name, &name);
        let composed = compose(&context).unwrap();
        prop_assert!(composed.subject.chars().count() <= 120);
        let envelope = Envelope { from: "watch@county.invalid", to: "csp@leicester.invalid" };
        let id = message_id(sample.alert.id, 1, envelope);
        let bytes =
            message_bytes(&composed, envelope, Thread { id: &id, follows: &[], index: None }, sample.alert.changed_at, None).unwrap();
        prop_assert!(bytes.is_ascii());
        prop_assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
    }
}
