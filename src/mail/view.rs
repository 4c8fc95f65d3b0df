//! What the templates see: finished sentences, nothing to compute.

use super::{
    Picture,
    context::MailContext,
    told::{clean_long, level},
};
use crate::{
    alerts::NoticeKind,
    model::{AlertLevel, AreaKind, Finding, Geography, Pack, Subject},
    picture::History,
    words::{cap, clean, inside, listed, period, sentence, span},
};
use minijinja::{Value, context};

/// Subjects are cut here: what is longer is shown by no mail program, and must never fill a line of its own.
const LONGEST_SUBJECT: usize = 120;

/// One message, as the templates see it.
pub(super) fn view(context: &MailContext<'_>, chart: Option<&Picture>) -> Value {
    let finding = &context.alert.latest;
    let site = clean(context.site).trim_end_matches('/').to_owned();
    let chart = chart.zip(context.history.as_ref()).map(|(chart, history)| {
        context! {
            cid => chart.cid.clone(),
            alternative => chart.alternative.clone(),
            caption => caption(context, history),
        }
    });
    context! {
        marking => clean(context.marking),
        number => clean(&context.alert.number),
        preview => format!("{}. {}", context.in_figures(), context.asked()),
        change => change(context.kind),
        level => level(finding.level),
        headline => context.headline(),
        in_figures => context.in_figures(),
        chance => context.chance(),
        steps => steps(finding.level),
        since_last => Value::from_iter(context.since_last()),
        asked => context.asked(),
        link => clean_long(context.answer),
        page => format!("{site}/alerts/{}", in_path(&context.alert.number)),
        since_heading => match context.kind {
            NoticeKind::New | NoticeKind::Grown(_) => "Since the last message",
            NoticeKind::Unanswered { .. } | NoticeKind::RanOut { .. } => "Why you get this now",
        },
        again => context.again(),
        chart => chart,
        map => context.map.map(|map| context! { cid => map.cid.clone(), alternative => map.alternative.clone() }),
        facts => facts(context, &site),
        reader => clean(context.reader),
        category_word => clean(&context.pack.category_word),
        synthetic => context.synthetic,
    }
}

/// The subject of a message, the same over the life of an alert: marking, number, where and which categories when it was
/// first told. What has changed stands in the message.
pub(super) fn subject(context: &MailContext<'_>) -> String {
    let marking = clean(context.marking);
    let marking = if marking.is_empty() { marking } else { format!("[{marking}] ") };
    let about = context
        .about
        .map_or_else(|| about(&context.alert.latest, context.pack, context.geography), ToOwned::to_owned);
    let text = format!("{marking}{} - {about}", topic(context));
    // A literal encoded word would pass as it is and be decoded by the reader's program.
    cap(&clean_long(&text).replace("=?", "= ?"), LONGEST_SUBJECT)
}

/// An alert in one line of a summary: what has changed, its number, and the finding in a sentence.
#[must_use]
pub fn in_a_line(context: &MailContext<'_>) -> String {
    let level = level(context.alert.latest.level);
    format!("{}, {level}, {}: {}", change(context.kind), clean(&context.alert.number), context.headline())
}

/// What every message of a thread has in common.
pub(super) fn topic(context: &MailContext<'_>) -> String {
    format!("Tension signal {}", clean(&context.alert.number))
}

/// Where and which categories, in a few words for a subject: `Belgrave + 1 ward - race/religion`.
#[must_use]
pub fn about(finding: &Finding, pack: &Pack, geography: &Geography) -> String {
    let name = |kind, code: &str| clean(geography.get(kind, code).map_or(code, |known| &known.name));
    let place = match (&finding.subject, finding.wards.as_slice()) {
        (Subject::Area { area, .. }, _) if area.kind != AreaKind::Ward => name(area.kind, &area.code),
        (_, []) => clean(&pack.name),
        (_, [one]) => name(AreaKind::Ward, one),
        (_, [first, _]) => format!("{} + 1 ward", name(AreaKind::Ward, first)),
        (_, [first, more @ ..]) => format!("{} + {} wards", name(AreaKind::Ward, first), more.len()),
    };
    let label = |code: &String| inside(&clean(pack.label(code)));
    let word = clean(&pack.category_word);
    let categories = match finding.categories.len() {
        0 => format!("any {word}"),
        1..=3 => finding.categories.iter().map(label).collect::<Vec<_>>().join("/"),
        many => format!("{many} {word}s"),
    };
    format!("{place} - {categories}")
}

const fn change(kind: &NoticeKind) -> &'static str {
    match kind {
        NoticeKind::New => "New",
        NoticeKind::Grown(_) => "Intensifying",
        NoticeKind::Unanswered { .. } => "Not acknowledged",
        NoticeKind::RanOut { .. } => "Reminder",
    }
}

/// The ruler of levels, with the alert's own step marked.
fn steps(here: AlertLevel) -> Value {
    let step = |step: AlertLevel| {
        context! { word => level(step), from => step.promised_days() as u32, here => step == here }
    };
    [AlertLevel::Watch, AlertLevel::Elevated, AlertLevel::Severe].into_iter().map(step).collect()
}

/// What the bars stand for.
fn caption(context: &MailContext<'_>, history: &History) -> String {
    // Of a larger area the wards with most are named, and all are counted.
    let together = match &context.alert.latest.subject {
        Subject::Area { area, .. } if area.kind != AreaKind::Ward => ", in all of its wards",
        _ => "",
    };
    let days = context.alert.latest.window.days();
    let bars = history.shown().len();
    let period = plural(period(days), bars);
    format!("Reports in {}{together}, {bars} {period}", span(days))
}

/// The lines of the table: a label, a sentence, and for the rule a link.
fn facts(context: &MailContext<'_>, site: &str) -> Value {
    let partnerships = context.partnerships();
    let word = sentence(&clean(&context.pack.category_word));
    let calendar: Vec<String> = context.calendar.iter().map(|entry| clean_long(entry)).collect();
    let about_rule = format!("{site}/rules/{}", in_path(&context.alert.latest.rule));
    let facts = [
        ("Where".to_owned(), context.where_(), None),
        (plural("Partnership", partnerships.len()), listed(&partnerships, 8), None),
        ("Days".to_owned(), context.when(), None),
        (plural(&word, context.alert.latest.categories.len()), context.categories(), None),
        ("Kind".to_owned(), context.class().unwrap_or_default(), None),
        ("Hours".to_owned(), context.hours().unwrap_or_default(), None),
        (
            "In the calendar".to_owned(),
            if calendar.is_empty() { "Nothing known".into() } else { calendar.join(". ") },
            None,
        ),
        ("Data".to_owned(), context.data(), None),
        ("Rule".to_owned(), context.rule(), Some(about_rule)),
        ("Also told".to_owned(), context.others(), None),
    ];
    facts
        .into_iter()
        .filter(|(_, value, _)| !value.is_empty())
        .map(|(label, value, link)| context! { label => label, value => value, link => link })
        .collect()
}

fn plural(one: &str, count: usize) -> String {
    if count > 1 { format!("{one}s") } else { one.to_owned() }
}

/// A piece of an address, safe whatever it holds.
fn in_path(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => out.push(char::from(byte)),
            _ => drop(write!(out, "%{byte:02X}")),
        }
        out
    })
}
