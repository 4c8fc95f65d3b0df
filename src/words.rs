//! Sentences made from data, each right for none, one, two and many.

use crate::model::Recurrence;
use chrono::{Datelike, NaiveDate};

/// The most characters of a name that a message repeats.
const LONGEST_NAME: usize = 80;

/// Without what could change how other text reads: line breaks, controls, marks of direction; no longer than 80
/// characters.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars().map(|letter| if is_break(letter) { ' ' } else { letter }) {
        let doubled = letter == ' ' && out.ends_with(' ');
        if !is_hidden(letter) && !doubled {
            out.push(letter);
        }
    }
    cap(out.trim(), LONGEST_NAME)
}

/// Cut at so many characters, with an ellipsis that shows it.
#[must_use]
pub fn cap(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

fn is_break(letter: char) -> bool {
    letter.is_whitespace() || letter == '\u{2028}' || letter == '\u{2029}'
}

fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{00ad}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

/// `Belgrave`, `Belgrave and Troon`, `Belgrave, Troon and 4 more`; empty for none.
#[must_use]
pub fn listed(names: &[String], most: usize) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= most => format!("{} and {last}", first.join(", ")),
        _ => {
            let shown = most.saturating_sub(1).max(1);
            format!("{} and {} more", names[..shown].join(", "), names.len() - shown)
        }
    }
}

/// `1 report`, `9 reports`.
#[must_use]
pub fn counted(count: u64, one: &str) -> String {
    format!("{} {one}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// `12`, `1,200`.
#[must_use]
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `0 to 5`, or `0` where nothing else is normal.
#[must_use]
pub fn range((low, high): (u64, u64)) -> String {
    if low == high { thousands(low) } else { format!("{} to {}", thousands(low), thousands(high)) }
}

/// How long a window is: `7 days`, `1 day`, `12 months`.
#[must_use]
pub fn span(days: u32) -> String {
    match days {
        1 => "1 day".into(),
        365 | 366 => "12 months".into(),
        days => format!("{} days", thousands(u64::from(days))),
    }
}

/// What a window is called: `week`, `day`, or `period` for any other length.
#[must_use]
pub const fn period(days: u32) -> &'static str {
    match days {
        1 => "day",
        7 => "week",
        _ => "period",
    }
}

/// What is usual, as a clause: `where about 2 is usual`.
#[must_use]
pub fn where_usual(expected: f64) -> String {
    if !expected.is_finite() || expected < 0.0 {
        return String::new();
    }
    match expected.round() as u64 {
        0 => "where fewer than 1 is usual".into(),
        many => format!("where about {} is usual", thousands(many)),
    }
}

/// What is usual, as a figure: `0.4`, `2.1`, `12`.
#[must_use]
pub fn usual_figure(expected: f64) -> String {
    if !expected.is_finite() || expected < 0.0 {
        "unknown".into()
    } else if expected < 0.05 {
        "less than 0.1".into()
    } else if expected < 10.0 {
        format!("{expected:.1}")
    } else {
        thousands(expected.round() as u64)
    }
}

/// How often by chance: `once in 140 days`, `once in 3 years`. Two figures, rounded down: never rarer than it is.
#[must_use]
pub fn how_often(recurrence: Recurrence) -> String {
    let days = recurrence.days();
    let years = days / 365.25;
    if !days.is_finite() || days < 2.0 {
        "every day or two".into()
    } else if years < 2.0 {
        format!("once in {} days", two_figures(days))
    } else if years < 100.0 {
        format!("once in {} years", years.floor() as u64)
    } else {
        "less than once in 100 years".into()
    }
}

fn two_figures(value: f64) -> u64 {
    let step = 10_f64.powi((value.log10().floor() as i32 - 1).max(0));
    ((value / step).floor() * step) as u64
}

/// `Monday 29 June 2026`.
#[must_use]
pub fn long_day(day: NaiveDate) -> String {
    day.format("%A %-d %B %Y").to_string()
}

/// `23 to 29 June 2026`, `29 October to 4 November 2026`, `29 June 2026`.
#[must_use]
pub fn days_from_to(first: NaiveDate, last: NaiveDate) -> String {
    let whole = |day: NaiveDate| day.format("%-d %B %Y").to_string();
    if first >= last {
        whole(last)
    } else if first.year() != last.year() {
        format!("{} to {}", whole(first), whole(last))
    } else if first.month() != last.month() {
        format!("{} to {}", first.format("%-d %B"), whole(last))
    } else {
        format!("{} to {}", first.day(), whole(last))
    }
}

/// The first letter large.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The first letter small, unless the word is all large letters.
#[must_use]
pub fn inside(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), text.chars().nth(1)) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// A multiple: one decimal where it says something.
#[must_use]
pub fn times(multiple: f64) -> String {
    if multiple < 9.95 { format!("{multiple:.1}") } else { format!("{multiple:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(count: usize) -> Vec<String> {
        ["Belgrave", "Rushey Mead", "Troon", "North Evington", "Evington"][..count]
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn lists_read_right_for_none_one_two_and_many() {
        let read: Vec<_> = (0..=5).map(|count| listed(&names(count), 4)).collect();
        assert_eq!(
            read,
            [
                "",
                "Belgrave",
                "Belgrave and Rushey Mead",
                "Belgrave, Rushey Mead and Troon",
                "Belgrave, Rushey Mead, Troon and North Evington",
                "Belgrave, Rushey Mead, Troon and 2 more",
            ]
        );
    }

    #[test]
    fn figures_read_right_for_none_one_and_many() {
        assert_eq!(
            [0, 1, 9, 1_200].map(|n| counted(n, "report")),
            ["0 reports", "1 report", "9 reports", "1,200 reports"]
        );
        assert_eq!(
            [1, 7, 28, 365, 1_000].map(span),
            ["1 day", "7 days", "28 days", "12 months", "1,000 days"]
        );
        let usual = [0.0, 0.4, 0.6, 2.1, 12.4].map(where_usual);
        assert_eq!(usual[0], "where fewer than 1 is usual");
        assert_eq!(usual[1..3], ["where fewer than 1 is usual", "where about 1 is usual"]);
        assert_eq!(usual[3..], ["where about 2 is usual", "where about 12 is usual"]);
        assert_eq!([0.01, 0.4, 2.14, 11.6].map(usual_figure), ["less than 0.1", "0.4", "2.1", "12"]);
        assert_eq!([(0, 0), (0, 5)].map(range), ["0", "0 to 5"]);
        assert_eq!(where_usual(f64::NAN), "");
    }

    #[test]
    fn how_often_is_never_told_rarer_than_it_is() {
        let told = |days: f64| how_often(Recurrence::from_daily_rate(1.0 / days));
        assert_eq!(
            [31.7, 99.99, 147.0, 729.0].map(told),
            [31, 99, 140, 720].map(|days| format!("once in {days} days"))
        );
        assert_eq!(
            [731.0, 3_700.0, 1e6].map(told),
            ["once in 2 years", "once in 10 years", "less than once in 100 years"]
        );
        assert_eq!(how_often(Recurrence::from_daily_rate(f64::NAN)), "every day or two");
    }

    #[test]
    fn days_are_told_without_repeating_month_and_year() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(days_from_to(day("2026-06-23"), day("2026-06-29")), "23 to 29 June 2026");
        assert_eq!(days_from_to(day("2026-10-29"), day("2026-11-04")), "29 October to 4 November 2026");
        assert_eq!(days_from_to(day("2026-12-29"), day("2027-01-04")), "29 December 2026 to 4 January 2027");
        assert_eq!(days_from_to(day("2026-06-29"), day("2026-06-29")), "29 June 2026");
        assert_eq!(long_day(day("2026-06-29")), "Monday 29 June 2026");
    }

    #[test]
    fn hidden_letters_and_line_breaks_are_taken_out() {
        assert_eq!(clean("Bel\u{202e}grave\r\nBcc: x@y.invalid\u{0}"), "Belgrave Bcc: x@y.invalid");
        assert_eq!(clean(&"x".repeat(200)).chars().count(), 80);
        assert_eq!(
            [inside("Sexual orientation"), inside("LGBT+"), sentence("race")],
            ["sexual orientation", "LGBT+", "Race"]
        );
    }

    proptest! {
        #[test]
        fn no_data_makes_words_panic(text in ".{0,200}", days in any::<f64>(), count in any::<u64>()) {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(|c| c.is_control() || is_hidden(c)));
            prop_assert_eq!(clean(&cleaned), cleaned);
            drop((how_often(Recurrence::from_daily_rate(days)), where_usual(days), usual_figure(days)));
            drop((thousands(count), inside(&text), sentence(&text), cap(&text, 3)));
        }
    }
}
