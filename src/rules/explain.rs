//! Every number that made a finding, in order, and why a rule does not hold somewhere, in plain words.
//!
//! Only figures that the evaluation used are told: nothing here is worked out anew.

use super::{Detector, Missed, Rule, RuleOutcome, Status};
use crate::model::{AreaKind, Effect, Finding, Geography, SignalKind, Subject, Window};
use chrono::Datelike;

/// What a night knew of a window, beside the counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// The share of a window's reports that are usually known by then, 0 to 1.
    pub share: f64,
    /// Areas, clusters or places the rule looked at.
    pub looked_at: usize,
}

/// The numbers of a finding, each step a sentence.
#[must_use]
pub fn explain(finding: &Finding, rule: &Rule, known: Known, geography: &Geography) -> Vec<String> {
    let mut steps = vec![
        format!(
            "The rule {} was in force as version {}. It asks for {}.",
            finding.rule,
            finding.rule_version,
            rule.in_words()
        ),
        format!("It looked at {}.", looked_at(rule, known.looked_at)),
        format!("{}: {} incidents {}.", subject(finding, geography), finding.observed, days(finding.window)),
        usual(finding),
    ];
    if known.share < 0.995 && finding.signal != SignalKind::Repeat {
        steps.push(format!(
            "About {:.0}% of the reports of these days are usually known by then. What is usual is told as far as it would be known.",
            known.share * 100.0
        ));
    }
    steps.extend(calendar(finding));
    steps.extend(conditions(finding, rule));
    steps.push(format!(
        "By chance something so strong comes {}, over everything the rule looks at. The rule asks for once in {:.0} days or rarer, and its level, {}, promises once in {:.0} days.",
        finding.recurrence,
        rule.rarer_than_days,
        rule.level,
        rule.level.promised_days()
    ));
    steps
}

/// Why a rule does or does not hold in a ward, for a category (none: any), as lines; the first says whether it holds.
#[must_use]
pub fn why_not(
    rule: &Rule,
    outcome: Option<&RuleOutcome>,
    (ward, category): (&str, Option<&str>),
    known: Known,
    geography: &Geography,
) -> Vec<String> {
    match rule.status {
        Status::Draft => return vec!["not judged: the rule is a draft".into()],
        Status::Retired => return vec!["not judged: the rule is retired".into()],
        Status::Live | Status::Shadow => {}
    }
    let Some(outcome) = outcome else { return vec!["not judged on that night".into()] };
    if let Some(wrong) = &outcome.failed {
        return vec![format!("could not be judged: {wrong}")];
    }
    let looks = rule.areas.hold_ward(ward, geography)
        || geography.above(ward, rule.areas.kind).any(|area| rule.areas.hold(&area.code, geography));
    if !looks {
        return vec!["does not look there".into()];
    }
    let own = |codes: &[String]| category.is_none_or(|category| codes.iter().any(|code| code == category));
    let concerns = |wards: &[String]| wards.iter().any(|own| own == ward);
    let within = |finding: &Finding| match &finding.subject {
        Subject::Area { area, .. } if area.kind != AreaKind::Ward => {
            geography.above(ward, area.kind).any(|above| above.code == area.code)
        }
        _ => concerns(&finding.wards),
    };
    let held: Vec<&Finding> =
        outcome.findings.iter().filter(|finding| within(finding) && own(&finding.categories)).collect();
    if !held.is_empty() {
        let line = |finding: &&Finding| {
            format!(
                "holds: {} seen where {:.1} are usual, by chance {}",
                finding.observed, finding.expected, finding.recurrence
            )
        };
        return held.iter().map(line).collect();
    }
    let missed = outcome.missed.iter().filter(|missed| {
        concerns(&missed.wards) && missed.category.as_ref().is_none_or(|code| own(std::slice::from_ref(code)))
    });
    let nearest = missed.max_by(|a, b| a.nearness().total_cmp(&b.nearness()));
    let mut lines = vec![match nearest {
        Some(missed) => told(missed, geography),
        None => "does not hold: it found nothing there to judge".into(),
    }];
    if known.share < 0.9 {
        lines.push(format!(
            "only about {:.0}% of the reports of these days are usually known by then: later ones may still make it hold",
            known.share * 100.0
        ));
    }
    lines
}

fn told(missed: &Missed, geography: &Geography) -> String {
    let place = missed.area.as_ref().filter(|area| area.kind != AreaKind::Ward).map(|area| {
        let name = geography.get(area.kind, &area.code).map_or(area.code.as_str(), |area| &area.name);
        format!("in {name} ")
    });
    let category = missed.category.as_ref().map(|code| format!("of {code} "));
    let source = missed.source.as_ref().map(|source| format!("from {source} "));
    let which: String = [place, category, source].into_iter().flatten().collect();
    format!(
        "does not hold: {} {which}seen {} where {:.1} are usual; {}",
        missed.observed,
        days(missed.window),
        missed.expected,
        missed.why()
    )
}

fn subject(finding: &Finding, geography: &Geography) -> String {
    let name = |kind: AreaKind, code: &str| {
        geography.get(kind, code).map_or_else(|| code.to_owned(), |area| area.name.clone())
    };
    let wards = || {
        let names: Vec<String> = finding.wards.iter().map(|code| name(AreaKind::Ward, code)).collect();
        names.join(", ")
    };
    match &finding.subject {
        Subject::Area { area, source, category, .. } => {
            let of = category.as_ref().map_or_else(String::new, |category| format!(", {category}"));
            let from = source.as_ref().map_or_else(String::new, |source| format!(", reports from {source}"));
            format!("{}{of}{from}", name(area.kind, &area.code))
        }
        Subject::Cluster(_) => format!("A cluster in {}", wards()),
        Subject::Place(_) => format!("A place in {}", wards()),
    }
}

fn usual(finding: &Finding) -> String {
    let range = finding
        .usual_range
        .map_or_else(String::new, |(low, high)| format!(", and 19 times in 20 it lies from {low} to {high}"));
    let times = finding.times_usual.map_or_else(String::new, |(low, high)| {
        format!(" The count is {:.1} times as many, surely from {low:.1} to {high:.1} times.", {
            finding.observed as f64 / finding.expected.max(1e-9)
        })
    });
    format!("{:.1} are usual there in such a time{range}.{times}", finding.expected)
}

fn calendar(finding: &Finding) -> Vec<String> {
    let entry = |note: &crate::model::CalendarNote| {
        let what = match note.effect {
            None => "the rule makes nothing of it".to_owned(),
            Some(Effect::NoteOnly) => "the rule only notes it".to_owned(),
            Some(effect) => format!("the rule says: {effect}, by {}", note.by),
        };
        let through = note.through.as_ref().map_or_else(String::new, |through| {
            format!(" Of this count {}.", through.in_words(finding.observed))
        });
        format!("In the calendar: {} ({}); {what}.{through}", note.name, days(note.window))
    };
    let mut lines: Vec<String> = finding.calendar.iter().map(entry).collect();
    lines.extend(finding.without_calendar.map(|plain| {
        format!(
            "Without the calendar {:.1} would be usual, and the count would come by chance {}.",
            plain.expected, plain.recurrence
        )
    }));
    lines
}

fn conditions(finding: &Finding, rule: &Rule) -> Option<String> {
    let times = finding.observed as f64 / finding.expected.max(1e-9);
    Some(match &rule.detector {
        Detector::Spike { at_least, times_usual, .. } | Detector::Spread { at_least, times_usual, .. } => {
            format!(
                "The rule asks for at least {at_least} incidents: there are {}. It asks for at least {times_usual} times what is usual: it is {times:.1} times.",
                finding.observed
            )
        }
        Detector::Cluster { at_least, metres, days } => format!(
            "The rule asks for at least {at_least} incidents within {metres} metres and {days} days of each other: {} hang together.",
            finding.observed
        ),
        Detector::Repeat { at_least, within, .. } => {
            format!("The rule asks for at least {at_least} in {within}: there are {}.", finding.observed)
        }
        Detector::Drop { usual_at_least, below_usual, .. } => format!(
            "The rule looks only where at least {usual_at_least:.0} are usual, and asks for less than {:.0}% of that: it is {:.0}%.",
            below_usual * 100.0,
            times * 100.0
        ),
        Detector::Share { at_least, rises_by, .. } => {
            let share = finding.share.as_ref()?;
            let now = finding.observed as f64 / share.total.max(1) as f64;
            format!(
                "{} of {} incidents are of these kinds, {:.0}%; before it was {:.0}%. The rule asks for at least {at_least} incidents and a rise of {:.0} points: it is {:.0}, surely from {:.0} to {:.0}.",
                finding.observed,
                share.total,
                now * 100.0,
                share.before * 100.0,
                rises_by * 100.0,
                (now - share.before) * 100.0,
                share.rise.0 * 100.0,
                share.rise.1 * 100.0
            )
        }
        Detector::Combine { .. } => return None,
    })
}

fn looked_at(rule: &Rule, looked_at: usize) -> String {
    match rule.detector {
        Detector::Cluster { .. } => {
            format!("every group of incidents near to each other: {looked_at} were alive")
        }
        Detector::Repeat { .. } => {
            format!("every place or person with enough incidents: there were {looked_at}")
        }
        Detector::Combine { .. } => {
            format!("every place where one of its rules held: there were {looked_at}")
        }
        _ => format!("{looked_at} counts, one for each area and strand or source that it judges apart"),
    }
}

fn days(window: Window) -> String {
    if window.first == window.last {
        return format!("on {}", window.last.format("%-d %B %Y"));
    }
    let same_year = window.first.year() == window.last.year();
    let first = window.first.format(if same_year { "%-d %B" } else { "%-d %B %Y" });
    format!("from {first} to {}", window.last.format("%-d %B %Y"))
}
