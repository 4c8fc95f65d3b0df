//! What a message says: the sentences of one alert, each made from its data.

use super::context::{Figures, MailContext};
use crate::{
    alerts::{Growth, NoticeKind},
    model::{AlertLevel, AreaKind, Change, Finding, SignalKind, Subject},
    words::{
        clean, counted, days_from_to, how_often, inside, listed, long_day, range, sentence, span, thousands,
        times, usual_figure, where_usual,
    },
};
use chrono::{DateTime, Utc};
use std::fmt::Write as _;

/// Names beyond these are counted, not listed.
const MOST_NAMES: usize = 6;
/// No figure below this is told of a part.
pub const FEWEST: u64 = 5;
/// Longest band of hours worth telling.
const LONGEST_BAND: usize = 6;

impl MailContext<'_> {
    fn finding(&self) -> &Finding {
        &self.alert.latest
    }

    /// A ward, as people call it; its code where it has no name here.
    pub(super) fn ward(&self, code: &str) -> String {
        let known = self.geography.get(AreaKind::Ward, code);
        clean(known.map_or(code, |area| &area.name))
    }

    /// The wards concerned, most concerned first.
    pub(super) fn wards(&self) -> Vec<String> {
        self.finding().wards.iter().map(|code| self.ward(code)).collect()
    }

    /// A category, as people call it.
    pub(super) fn category(&self, code: &str) -> String {
        inside(&clean(self.pack.label(code)))
    }

    /// Where, for a heading: the area when the rule looked at a larger one, else the wards.
    pub(super) fn place(&self, most: usize) -> String {
        if let Subject::Area { area, .. } = &self.finding().subject
            && area.kind != AreaKind::Ward
        {
            let known = self.geography.get(area.kind, &area.code).map(|known| known.name.as_str());
            return clean(known.unwrap_or(&area.code));
        }
        match self.wards() {
            wards if wards.is_empty() => clean(&self.pack.name),
            wards => listed(&wards, most),
        }
    }

    /// The finding in one sentence, without a full stop.
    pub(super) fn headline(&self) -> String {
        let finding = self.finding();
        let (count, days) = (counted(finding.observed, "report"), span(finding.window.days()));
        let (place, usual) = (self.place(4), where_usual(finding.expected));
        match finding.signal {
            SignalKind::Drop => return self.dropped(&count, &days, &place, &usual),
            SignalKind::Share => return self.shared(&days, &place),
            SignalKind::Spread => return self.spread(&count, &days, &usual),
            SignalKind::Combine => {
                return format!("{count} in {days} in {place}, found by several rules at once");
            }
            SignalKind::Spike | SignalKind::Cluster | SignalKind::Repeat => {}
        }
        let found = match &finding.subject {
            Subject::Area { category: Some(code), .. } => {
                format!("{count} ({}) in {days} in {place}", self.category(code))
            }
            Subject::Area { .. } => format!("{count} in {days} in {place}"),
            Subject::Cluster(_) => match self.figures.across_metres {
                Some(metres) => format!("{count} within {} and {days} in {place}", about_metres(metres)),
                None => format!("{count} close together within {days} in {place}"),
            },
            Subject::Place(_) => format!("{count} at one place in {place} in {days}"),
        };
        if usual.is_empty() { found } else { format!("{found}, {usual}") }
    }

    fn dropped(&self, count: &str, days: &str, place: &str, usual: &str) -> String {
        let from = match &self.finding().subject {
            Subject::Area { source: Some(source), .. } => format!(" from {}", clean(source)),
            _ => String::new(),
        };
        let found = format!("Only {count}{from} in {days} in {place}");
        if usual.is_empty() { found } else { format!("{found}, {usual}") }
    }

    /// In whole percent: a share needs no small figure to be told.
    fn shared(&self, days: &str, place: &str) -> String {
        let finding = self.finding();
        let Some(share) = &finding.share else {
            return format!("The kinds of offence have shifted in {place}");
        };
        let percent = |part: f64| format!("{:.0}%", part * 100.0);
        let kinds: Vec<String> = share.of.iter().map(|kind| clean(kind)).collect();
        sentence(&format!(
            "{} made up {} of {} in {days} in {place}, {} before",
            listed(&kinds, MOST_NAMES),
            percent(finding.observed as f64 / share.total.max(1) as f64),
            counted(share.total, "report"),
            percent(share.before)
        ))
    }

    fn spread(&self, count: &str, days: &str, usual: &str) -> String {
        let wards = self.wards();
        let here = wards.first().cloned().unwrap_or_default();
        let beside = wards.get(1).map_or_else(String::new, |other| format!(", next to {other}"));
        let found = format!("{count} in {days} in {here}{beside}");
        if usual.is_empty() { found } else { format!("{found}, {usual}") }
    }

    /// The same in figures: what is known, what is usual, what is normal.
    pub(super) fn in_figures(&self) -> String {
        let finding = self.finding();
        if finding.signal == SignalKind::Combine {
            return format!("{} in {}", counted(finding.observed, "report"), span(finding.window.days()));
        }
        let mut text = format!(
            "{} in {}; about {} usual",
            counted(finding.observed, "report"),
            span(finding.window.days()),
            usual_figure(finding.expected)
        );
        if let Some(usual) = finding.usual_range {
            let _ = write!(text, "; normal range {}", range(usual));
        }
        if let Some((low, high)) = finding.times_usual {
            let _ = write!(text, "; {} to {} times usual", times(low), times(high));
        }
        text
    }

    /// How unusual, in one sentence: the only measure of strength.
    pub(super) fn chance(&self) -> String {
        let often = how_often(self.finding().recurrence);
        let about = if often.starts_with("less") { "" } else { "about " };
        format!(
            "A signal this strong would come by chance {about}{often} anywhere in {}.",
            clean(&self.pack.prefix)
        )
    }

    /// What is new since the last message, one sentence each; none in a first message.
    pub(super) fn since_last(&self) -> Vec<String> {
        let reasons = match self.kind {
            NoticeKind::New => return Vec::new(),
            NoticeKind::Grown(reasons) => reasons,
            NoticeKind::Unanswered { since } => return self.unanswered(*since),
            NoticeKind::RanOut { acknowledged } => {
                return vec![format!(
                    "You acknowledged this alert on {}. No action has been recorded since, and it is not marked as an \
                     expected event.",
                    long_day(acknowledged.with_timezone(&self.pack.zone).date_naive())
                )];
            }
        };
        let mut told: Vec<String> = reasons.iter().map(|reason| self.grown(reason)).collect();
        let doubled = reasons.iter().any(|reason| matches!(reason, Growth::CountDoubled { .. }));
        if let (Some(before), false) = (self.before, doubled) {
            let change = self.finding().observed as i64 - before.observed as i64;
            let change = if change == 0 { "no change".to_owned() } else { format!("{change:+}") };
            told.push(format!(
                "{} when last told, on {}; {} now ({change}).",
                sentence(&counted(before.observed, "report")),
                days_from_to(before.on, before.on),
                thousands(self.finding().observed)
            ));
        }
        told
    }

    fn grown(&self, reason: &Growth) -> String {
        match reason {
            Growth::LevelRose { from } => {
                format!("The level has risen from {} to {}.", level(*from), level(self.finding().level))
            }
            Growth::CountDoubled { from } => {
                let now = thousands(self.finding().observed);
                format!("The count has doubled or more: {} when last told, {now} now.", thousands(*from))
            }
            Growth::WardsJoined(codes) => {
                joined("ward", &codes.iter().map(|code| self.ward(code)).collect::<Vec<_>>())
            }
            Growth::CategoriesJoined(codes) => joined(
                &clean(&self.pack.category_word),
                &codes.iter().map(|code| self.category(code)).collect::<Vec<_>>(),
            ),
        }
    }

    /// Since when it waits, and for whom.
    fn unanswered(&self, since: DateTime<Utc>) -> Vec<String> {
        let day = long_day(since.with_timezone(&self.pack.zone).date_naive());
        let waiting: Vec<String> = self.waiting.iter().map(|party| clean(party)).collect();
        let whom = match waiting.len() {
            0 => String::new(),
            1 | 2 => format!(" by {}", waiting.join(" and by ")),
            many => format!(" by {} of those told", thousands(many as u64)),
        };
        vec![format!("This alert was told on {day} and has not been acknowledged in time{whom}.")]
    }

    /// When the reader hears again, in one sentence.
    pub(super) fn again(&self) -> String {
        let news = self.tell_again;
        let word = clean(&self.pack.category_word);
        let parts: Vec<String> = [
            (news.level, "the level rises".to_owned()),
            (news.count, "the count doubles".to_owned()),
            (news.category, format!("a {word} joins")),
            (news.ward, "a ward joins".to_owned()),
        ]
        .into_iter()
        .filter_map(|(is_news, words)| is_news.then_some(words))
        .collect();
        let when = match parts.as_slice() {
            [] => {
                return "You will not hear of this alert again unless it is not acknowledged in time.".into();
            }
            [one] => one.clone(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        };
        format!("You will hear again only if {when}, or if it is not acknowledged in time.")
    }

    /// What is asked, in one sentence.
    pub(super) fn asked(&self) -> String {
        let by = self.asked.by.map(|by| format!(" by {}", self.moment_by(by))).unwrap_or_default();
        match self.kind {
            NoticeKind::New | NoticeKind::Grown(_) => {}
            NoticeKind::Unanswered { .. } => {
                return format!(
                    "Please see that somebody takes this alert on, or acknowledge it yourself{by}."
                );
            }
            NoticeKind::RanOut { .. } => {
                return "Please record an action, or close the alert and say what you made of it.".into();
            }
        }
        format!("Please acknowledge this alert{by}, then record an action or say that there is no concern.")
    }

    /// Ward names, partnerships' areas and how close together; never a street.
    pub(super) fn where_(&self) -> String {
        let wards = self.wards();
        let mut text = if wards.is_empty() { self.place(MOST_NAMES) } else { listed(&wards, MOST_NAMES) };
        match (&self.finding().subject, self.figures.across_metres) {
            (Subject::Cluster(_), Some(metres)) => {
                let _ = write!(text, ", all within {} of one another", about_metres(metres));
            }
            (Subject::Place(_), _) => text.push_str(", at one place"),
            _ => {}
        }
        text
    }

    /// The partnerships whose wards are concerned, by name.
    pub(super) fn partnerships(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for ward in &self.finding().wards {
            for csp in self.geography.above(ward, AreaKind::Csp) {
                let name = clean(&csp.name);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The days looked at.
    pub(super) fn when(&self) -> String {
        let days = days_from_to(self.finding().window.first, self.finding().window.last);
        let change = match self.finding().change {
            Some(Change::Intensifying) => ", more of them of late",
            Some(Change::Diminishing) => ", fewer of them of late",
            Some(Change::New | Change::Ongoing) | None => "",
        };
        format!("{days}{change}")
    }

    /// Which categories, and which of them most: in words, so that nothing small can be worked out.
    pub(super) fn categories(&self) -> String {
        let figures = &self.figures;
        let codes = &self.finding().categories;
        let names = |codes: &[&String]| {
            listed(&codes.iter().map(|code| self.category(code)).collect::<Vec<_>>(), MOST_NAMES)
        };
        let all: Vec<&String> = codes.iter().collect();
        if codes.len() < 2 || figures.incidents < FEWEST {
            return sentence(&names(&all));
        }
        let of = |code: &String| figures.mentions.get(code).copied().unwrap_or(0);
        let (many, few): (Vec<&String>, Vec<&String>) = all.iter().partition(|code| of(code) >= FEWEST);
        let each = if few.len() > 1 { " each" } else { "" };
        match (many.as_slice(), few.as_slice()) {
            ([], few) => sentence(&format!("{}, in fewer than 5{each}", names(few))),
            (many, []) => sentence(&names(many)),
            (many, few) => {
                let mostly = many.len() == 1 && of(many[0]) * 2 > figures.incidents;
                let mostly = if mostly { "mostly " } else { "" };
                sentence(&format!("{mostly}{}; {} in fewer than 5{each}", names(many), names(few)))
            }
        }
    }

    /// Whether most are recorded as crimes, where that can be told without telling a small figure.
    pub(super) fn class(&self) -> Option<String> {
        let told_apart =
            self.pack.classes.len() > 1 && self.pack.classes.iter().any(|class| class.code == "crime");
        (told_apart && self.figures.incidents >= FEWEST).then(|| {
            let most = self.figures.crimes * 2 > self.figures.incidents;
            let share = if most { "More than half" } else { "Half or fewer" };
            format!("{share} recorded as crimes")
        })
    }

    /// The shortest band of hours that holds most of them, if there is one.
    pub(super) fn hours(&self) -> Option<String> {
        band(&self.figures).map(|(from, to)| format!("Most between {from:02}:00 and {to:02}:00"))
    }

    /// Up to when reports were known, and how they still grow.
    pub(super) fn data(&self) -> String {
        let mut text = format!("As at {}", self.moment(self.data_as_at));
        let late = self.late.filter(|late| late.percent.is_finite() && late.percent >= 1.0 && late.days > 0);
        if let Some(late) = late {
            let days = if late.days == 1 { "day".to_owned() } else { format!("{} days", late.days) };
            let _ = write!(
                text,
                ". Reports from the last {days} usually still grow by about {:.0}%",
                late.percent
            );
        }
        text
    }

    /// The rule by title, id and version, and what it asks for.
    pub(super) fn rule(&self) -> String {
        let finding = self.finding();
        let mut text = format!(
            "{} (rule {}, version {})",
            clean(&finding.title),
            clean(&finding.rule),
            clean(&finding.rule_version)
        );
        let words = clean_long(self.rule_in_words);
        if !words.is_empty() {
            text.push_str(": ");
            text.push_str(&words);
        }
        text
    }

    /// Who else gets the message.
    pub(super) fn others(&self) -> String {
        let others: Vec<String> = self.others.iter().map(|other| clean(other)).collect();
        let mut text = if others.is_empty() { "Nobody else".into() } else { sentence(&others.join("; ")) };
        if let Some(then) = self.asked.then {
            let _ = write!(text, ". If not acknowledged in time: {}", clean(then));
        }
        text
    }

    /// `Friday 30 October 2026, 01:30`.
    fn moment(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.pack.zone);
        format!("{}, {}", long_day(local.date_naive()), local.format("%H:%M"))
    }

    /// `17:00 on Monday 2 November 2026`.
    fn moment_by(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.pack.zone);
        format!("{} on {}", local.format("%H:%M"), long_day(local.date_naive()))
    }
}

/// A level, as people read it.
pub(super) const fn level(level: AlertLevel) -> &'static str {
    match level {
        AlertLevel::Watch => "watch",
        AlertLevel::Elevated => "elevated",
        AlertLevel::Severe => "severe",
    }
}

/// Sentences of others: cleaned piece by piece, so that they may be longer than a name.
pub(super) fn clean_long(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(clean).filter(|word| !word.is_empty()).collect();
    crate::words::cap(words.join(" ").trim_end_matches('.'), 400)
}

fn joined(one: &str, names: &[String]) -> String {
    match names {
        [] => String::new(),
        [name] => format!("The {one} {name} has joined."),
        _ => format!("The {one}s {} have joined.", listed(names, MOST_NAMES)),
    }
}

/// Rounded up to the next 50 metres, from 2 km on in kilometres.
fn about_metres(metres: f64) -> String {
    let up = (metres.max(1.0) / 50.0).ceil() as u64 * 50;
    if up < 2_000 {
        format!("{} metres", thousands(up))
    } else {
        format!("{:.1} kilometres", up as f64 / 1_000.0)
    }
}

fn band(figures: &Figures) -> Option<(usize, usize)> {
    let all = figures.incidents.max(figures.hours.iter().sum());
    (1..=LONGEST_BAND).find_map(|length| {
        let within = |from: usize| (from..from + length).map(|hour| figures.hours[hour % 24]).sum::<u64>();
        let from = (0..24).max_by_key(|from| (within(*from), std::cmp::Reverse(*from)))?;
        let most = within(from) >= FEWEST && within(from) * 2 > all;
        most.then_some((from, (from + length) % 24))
    })
}

#[cfg(test)]
mod tests;
