//! The life of alerts, told as stories, and what holds for every sequence of findings.

use super::*;
use crate::model::{AreaKind, AreaRef, Recurrence, Subject, Window};
use chrono::Days;
use proptest::prelude::*;

fn day(n: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 1).unwrap() + Days::new(n)
}

fn at(n: u64) -> DateTime<Utc> {
    day(n).and_hms_opt(5, 0, 0).unwrap().and_utc()
}

fn found(area: &str, night: u64, observed: u64) -> Judged {
    let finding = Finding {
        rule: "race-week-spike".into(),
        rule_version: "1a2b".into(),
        title: "Racist incidents well above usual".into(),
        level: AlertLevel::Elevated,
        subject: Subject::Area {
            area: AreaRef { kind: AreaKind::Ward, code: area.into() },
            boundary_year: 2025,
            category: None,
            source: None,
        },
        wards: vec![area.into()],
        categories: vec!["race".into()],
        window: Window::ending(day(night), 7),
        observed,
        expected: 0.4,
        usual_range: Some((0, 5)),
        times_usual: None,
        change: None,
        signal: crate::model::SignalKind::Spike,
        share: None,
        calendar: Vec::new(),
        without_calendar: None,
        recurrence: Recurrence::from_daily_rate(1.0 / 140.0),
        members: Vec::new(),
    };
    Judged {
        finding,
        quiet_for_days: 14,
        shadow: false,
        folded: false,
        silenced: None,
        hold_nights: 1,
        tell_again: TellAgain::ALL,
    }
}

/// All alerts as a store would keep them, from night to night.
#[derive(Default)]
struct County {
    alerts: BTreeMap<Uuid, Alert>,
    numbers: i64,
    ids: u128,
}

impl County {
    fn night(&mut self, night: u64, findings: &[Judged]) -> Step {
        let (ids, numbers) = (&mut self.ids, &mut self.numbers);
        let alerts: Vec<Alert> = self.alerts.values().cloned().collect();
        let (wanted, first) = (numbers_wanted(day(night), &alerts, findings), *numbers);
        let step = step(
            day(night),
            at(night),
            alerts,
            findings,
            &mut || {
                *ids += 1;
                Uuid::from_u128(*ids)
            },
            &mut |year| {
                assert_eq!(year, 2026);
                *numbers += 1;
                *numbers
            },
            "LLR",
        );
        assert_eq!(*numbers - first, wanted as i64, "numbers asked for are the numbers announced");
        for alert in &step.alerts {
            self.alerts.insert(alert.id, alert.clone());
        }
        step
    }

    fn only(&self) -> &Alert {
        assert_eq!(self.alerts.len(), 1);
        self.alerts.values().next().unwrap()
    }

    fn acknowledge(&mut self) {
        self.alerts.values_mut().for_each(|alert| alert.state = AlertState::Acknowledged);
    }
}

#[test]
fn a_new_alert_is_told_once_and_again_only_when_it_doubles() {
    let mut county = County::default();
    let first = county.night(0, &[found("belgrave", 0, 9)]);
    assert_eq!(county.only().number, "LLR-2026-0001");
    assert_eq!(first.notices[0].kind, NoticeKind::New);
    assert_eq!(first.notices[0].before, None);
    for night in 1..4 {
        assert_eq!(county.night(night, &[found("belgrave", night, 9 + night)]).notices, []);
    }
    let doubled = county.night(4, &[found("belgrave", 4, 18)]);
    assert_eq!(doubled.notices[0].kind, NoticeKind::Grown(vec![Growth::CountDoubled { from: 9 }]));
    assert_eq!(doubled.notices[0].sequence, 1);
    assert_eq!(doubled.notices[0].before.as_ref().unwrap().on, day(0));
    assert_eq!(county.only().sequence, 2);
}

#[test]
fn every_way_of_growing_is_named() {
    let mut county = County::default();
    county.night(0, &[found("belgrave", 0, 9)]);
    let mut grown = found("belgrave", 1, 9);
    grown.finding.level = AlertLevel::Severe;
    grown.finding.wards.push("rushey-mead".into());
    grown.finding.categories.push("religion".into());
    let reasons = vec![
        Growth::LevelRose { from: AlertLevel::Elevated },
        Growth::WardsJoined(vec!["rushey-mead".into()]),
        Growth::CategoriesJoined(vec!["religion".into()]),
    ];
    assert_eq!(county.night(1, std::slice::from_ref(&grown)).notices[0].kind, NoticeKind::Grown(reasons));

    // A ward that leaves and comes back is no news.
    county.night(2, &[found("belgrave", 2, 9)]);
    grown.finding.level = AlertLevel::Elevated;
    assert_eq!(county.night(3, &[grown]).notices, []);
}

#[test]
fn reports_that_come_back_after_a_drop_are_no_growth() {
    let mut county = County::default();
    let dried_up = |night, observed| {
        let mut judged = found("belgrave", night, observed);
        judged.finding.expected = 30.0;
        judged
    };
    county.night(0, &[dried_up(0, 3)]);
    assert_eq!(county.night(1, &[dried_up(1, 9)]).notices, []);
}

#[test]
fn a_quiet_alert_eases_closes_and_comes_back_within_its_quiet_time_without_a_mail() {
    let mut county = County::default();
    county.night(0, &[found("belgrave", 0, 9)]);
    // One night below its line is no change: it may be the line.
    county.night(1, &[]);
    assert_eq!(county.only().state, AlertState::Open);
    let eased = county.night(2, &[]);
    assert_eq!(county.only().state, AlertState::Easing);
    assert_eq!(eased.events, [(county.only().id, Event::Easing)]);
    county.night(3, &[found("belgrave", 3, 9)]);
    assert_eq!((county.only().state, county.only().quiet_nights), (AlertState::Open, 0));

    for night in 4..10 {
        county.night(night, &[]);
        let state = if night == 4 { AlertState::Open } else { AlertState::Easing };
        assert_eq!(county.only().state, state);
    }
    assert_eq!(county.night(10, &[]).events, [(county.only().id, Event::Closed)]);
    assert_eq!(county.night(11, &[]), Step::default());

    let again = county.night(24, &[found("belgrave", 24, 12)]);
    assert_eq!(again.notices, []);
    assert_eq!(again.events, [(county.only().id, Event::OpenAgain)]);
    assert_eq!(county.only().state, AlertState::Open);
}

#[test]
fn after_the_quiet_time_the_same_trouble_is_a_new_alert() {
    let mut county = County::default();
    county.night(0, &[found("belgrave", 0, 9)]);
    (1..=7).for_each(|night| drop(county.night(night, &[])));
    let anew = county.night(22, &[found("belgrave", 22, 9)]);
    assert_eq!(anew.notices[0].kind, NoticeKind::New);
    assert_eq!(county.alerts.len(), 2);
    // The old one stays closed, whatever happens to the new one.
    assert_eq!(county.night(23, &[]).events, []);
    assert_eq!(county.night(24, &[]).events, [(anew.alerts[0].id, Event::Easing)]);
}

#[test]
fn acknowledged_stays_so_until_it_grows() {
    let mut county = County::default();
    county.night(0, &[found("belgrave", 0, 9)]);
    county.acknowledge();
    county.night(1, &[found("belgrave", 1, 10)]);
    county.night(2, &[]);
    county.night(3, &[found("belgrave", 3, 10)]);
    assert_eq!(county.only().state, AlertState::Acknowledged);
    let grown = county.night(4, &[found("belgrave", 4, 18)]);
    assert_eq!(county.only().state, AlertState::Open);
    assert_eq!(
        grown.events.iter().map(|(_, event)| event.code()).collect::<Vec<_>>(),
        ["open again", "told"]
    );
    county.acknowledge();
    (5..12).for_each(|night| drop(county.night(night, &[])));
    assert_eq!(county.only().state, AlertState::Closed);
}

#[test]
fn watch_sends_no_mail_and_the_first_mail_after_it_is_new() {
    let mut county = County::default();
    let mut watched = found("belgrave", 0, 5);
    watched.finding.level = AlertLevel::Watch;
    assert_eq!(county.night(0, &[watched]).notices, []);
    assert_eq!(county.only().state, AlertState::Open);
    assert_eq!(county.night(1, &[found("belgrave", 1, 6)]).notices[0].kind, NoticeKind::New);
}

#[test]
fn a_rule_that_waits_for_another_night_tells_only_what_lasts() {
    let mut county = County::default();
    let waits = |night| Judged { hold_nights: 2, ..found("belgrave", night, 9) };
    assert_eq!(county.night(0, &[waits(0)]).notices, []);
    // The same night again is not another one.
    county.night(0, &[waits(0)]);
    assert_eq!(county.only().state, AlertState::Pending);
    let told = county.night(1, &[waits(1)]);
    assert_eq!(told.notices.len(), 1);
    assert_eq!(told.events, [(county.only().id, Event::Opened), (county.only().id, Event::Told)]);

    let mut county = County::default();
    county.night(0, &[waits(0)]);
    county.night(1, &[]);
    assert_eq!((county.only().state, county.only().sequence), (AlertState::Closed, 0));

    // What went away untold has to last from the beginning when it comes back.
    let back = county.night(2, &[waits(2)]);
    assert_eq!((back.notices.len(), county.only().state), (0, AlertState::Pending));
    assert_eq!(back.events, [(county.only().id, Event::Pending)]);
    assert_eq!(county.night(3, &[waits(3)]).notices.len(), 1);
}

#[test]
fn what_is_silenced_is_kept_and_told_when_the_silence_ends() {
    let mut county = County::default();
    let silent = |night| Judged { silenced: Some(day(2)), ..found("belgrave", night, 9) };
    let untold = county.night(0, &[silent(0)]);
    assert_eq!(untold.notices, []);
    let reason = Untold::Silenced { until: day(2) };
    assert_eq!(untold.events[1], (county.only().id, Event::NotTold(reason)));
    assert_eq!(county.night(1, &[silent(1)]).events, [], "the reason is recorded once");
    assert_eq!(county.night(3, &[found("belgrave", 3, 9)]).notices[0].kind, NoticeKind::New);
    assert_eq!(county.only().untold, None);
}

#[test]
fn what_was_told_with_another_alert_is_told_again_only_when_it_grows() {
    let mut county = County::default();
    let folded = Judged { folded: true, ..found("belgrave", 0, 9) };
    assert_eq!(county.night(0, &[folded]).notices, []);
    assert_eq!(county.night(1, &[found("belgrave", 1, 9)]).notices, []);
    assert_eq!(county.night(2, &[found("belgrave", 2, 18)]).notices.len(), 1);
}

#[test]
fn what_somebody_closed_stays_closed_while_it_lasts_and_comes_back_only_grown() {
    let mut county = County::default();
    county.night(0, &[found("belgrave", 0, 9)]);
    let id = county.only().id;
    let party = crate::model::Party { role: crate::model::Role::CspCoordinator, area: None };
    let alert = county.alerts.get_mut(&id).unwrap();
    crate::alerts::close(alert, &party, Outcome::UsefulKnown, at(0));
    for night in 1..40 {
        assert_eq!(county.night(night, &[found("belgrave", night, 10)]).notices, []);
        assert_eq!(county.only().state, AlertState::Closed);
    }
    let grown = county.night(40, &[found("belgrave", 40, 18)]);
    assert_eq!(grown.notices.len(), 1);
    assert_eq!((county.only().state, county.only().closing.clone()), (AlertState::Open, None));
}

#[test]
fn a_rule_that_is_only_tried_raises_nothing() {
    let mut county = County::default();
    let tried = Judged { shadow: true, ..found("belgrave", 0, 9) };
    assert_eq!(county.night(0, &[tried]), Step::default());
}

#[test]
fn a_late_correction_of_the_same_night_counts_one_quiet_night() {
    let mut county = County::default();
    county.night(0, &[found("belgrave", 0, 9)]);
    for _ in 0..3 {
        county.night(0, &[]);
        assert_eq!((county.only().state, county.only().quiet_nights), (AlertState::Open, 1));
    }
    // An older night replayed over a newer state changes nothing.
    county.night(1, &[found("belgrave", 1, 9)]);
    assert_eq!(county.night(0, &[]), Step::default());
}

/// Nights of findings in three areas: which hold, how many, at which level, with which further wards and categories.
fn nights() -> impl Strategy<Value = Vec<Vec<Judged>>> {
    let one = (0_usize..3, 1_u64..40, 0_u8..3, prop::collection::vec(0_u8..4, 0..3), any::<bool>());
    prop::collection::vec(prop::collection::vec(one, 0..4), 1..40).prop_map(|nights| {
        let nights = nights.into_iter().enumerate();
        nights.map(|(night, all)| all.into_iter().map(|one| made(night as u64, one)).collect()).collect()
    })
}

fn made(night: u64, (area, observed, level, joined, religion): (usize, u64, u8, Vec<u8>, bool)) -> Judged {
    let mut judged = found(["a", "b", "c"][area], night, observed);
    judged.finding.level = [AlertLevel::Watch, AlertLevel::Elevated, AlertLevel::Severe][usize::from(level)];
    judged.finding.wards.extend(joined.iter().map(|ward| format!("w{ward}")));
    if religion {
        judged.finding.categories.push("religion".into());
    }
    judged
}

proptest! {
    #[test]
    fn every_mail_is_earned_by_growth_and_no_growth_is_kept_back(nights in nights()) {
        let mut county = County::default();
        // What a reader who keeps every mail knows: the last level and count, every ward and category so far.
        let mut known: BTreeMap<Uuid, (AlertLevel, u64, BTreeSet<String>)> = BTreeMap::new();
        for (night, findings) in nights.iter().enumerate() {
            let step = county.night(night as u64, findings);
            for alert in step.alerts.iter().filter(|alert| alert.quiet_nights == 0) {
                let latest = &alert.latest;
                let names: BTreeSet<String> = latest.wards.iter().chain(&latest.categories).cloned().collect();
                let earned = latest.level >= AlertLevel::Elevated
                    && known.get(&alert.id).is_none_or(|(level, observed, told)| {
                        latest.level > *level || latest.observed >= 2 * observed || !names.is_subset(told)
                    });
                let notices: Vec<_> = step.notices.iter().filter(|notice| notice.alert == alert.id).collect();
                prop_assert_eq!(notices.len(), usize::from(earned));
                if earned {
                    prop_assert_eq!(notices[0].kind == NoticeKind::New, !known.contains_key(&alert.id));
                    prop_assert_eq!(notices[0].sequence + 1, alert.sequence);
                    let entry = known.entry(alert.id).or_insert((latest.level, latest.observed, names.clone()));
                    (entry.0, entry.1) = (latest.level, latest.observed);
                    entry.2.extend(names);
                }
            }
            prop_assert!(step.notices.iter().all(|notice| step.alerts.iter().any(|alert| alert.id == notice.alert)));
        }
        let alive = county.alerts.values().filter(|alert| alert.state != AlertState::Closed);
        let identities: Vec<_> = alive.map(|alert| alert.identity.clone()).collect();
        let unique: BTreeSet<_> = identities.iter().collect();
        prop_assert_eq!(identities.len(), unique.len(), "one identity, one living alert");
    }

    #[test]
    fn a_steady_alert_sends_at_most_one_mail_for_each_doubling(counts in prop::collection::vec(1_u64..1_000, 1..60)) {
        let mut county = County::default();
        for (night, count) in (0..).zip(&counts) {
            county.night(night, &[found("belgrave", night, *count)]);
        }
        let most = counts.iter().max().unwrap_or(&1) / counts[0];
        prop_assert!(county.only().sequence <= 1 + i64::from(most.checked_ilog2().unwrap_or(0)));
    }

    #[test]
    fn the_same_night_again_changes_nothing_and_order_means_nothing(nights in nights()) {
        let (mut forward, mut backward) = (County::default(), County::default());
        for (night, findings) in nights.iter().enumerate() {
            let turned: Vec<Judged> = findings.iter().rev().cloned().collect();
            prop_assert_eq!(forward.night(night as u64, findings), backward.night(night as u64, &turned));
            prop_assert_eq!(forward.night(night as u64, findings), Step::default());
        }
        prop_assert_eq!(forward.alerts, backward.alerts);
    }
}
