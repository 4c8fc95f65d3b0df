//! Whether a value is what its field holds.

use super::{
    File, Value,
    place::quoted,
    tests_of_rules::{MOST_INCIDENTS, MOST_WEEKS},
    values::{
        Lookup, a_day, budget, date, days, in_range, is_id, items, nearest, number, once_in, percent, points,
        role, short, whole,
    },
};
use crate::{
    model::{AreaKind, Period},
    rules::fields::{Field, Shape, WHO},
};
use std::ops::Range;

impl File<'_> {
    /// Whether a value is what its field holds.
    pub(super) fn shape(&mut self, field: &Field, value: &Value<'_>) {
        match field.shape {
            Shape::Whole(low, high) => self.whole_number(field, value, low, high),
            Shape::Number(low, high) => self.number(field, value, low, high),
            Shape::Date => self.date(field, value),
            Shape::Flag => self.flag(field, value),
            Shape::Counts => self.counts(field, value),
            Shape::Incidents => self.incidents(field, value),
            Shape::Point => self.point(field, value),
            Shape::Words(_)
            | Shape::Texts
            | Shape::Rules
            | Shape::Categories
            | Shape::Wards
            | Shape::Districts
            | Shape::Csps => self.list(field, value),
            _ => match value.get_ref().as_str() {
                Some(text) => self.text(field, value, text),
                None => self.not_text(field, value),
            },
        }
    }

    fn not_text(&mut self, field: &Field, value: &Value<'_>) {
        let one = items(value).next().filter(|_| items(value).count() == 1);
        let message = format!("`{}` must be text in quotes", field.name);
        let remedy = match one.and_then(|item| item.get_ref().as_str()) {
            Some(text) => format!("write it without brackets: {} = {}", field.name, quoted(&short(text))),
            None => example(field),
        };
        self.wrong(value.span(), message, remedy);
    }

    /// A field that holds one text.
    fn text(&mut self, field: &Field, value: &Value<'_>, text: &str) {
        let span = value.span();
        let found = short(text);
        if text.trim().is_empty() {
            return self.wrong(span, format!("`{}` is empty", field.name), example(field));
        }
        let message = match field.shape {
            Shape::Text(most) => return self.plain_text(field, span, text, most),
            Shape::Id | Shape::Rule if !is_id(text) => return self.id(field, span, text),
            Shape::Word(words) => return self.word(field, span, text, words),
            Shape::Category => {
                let known = self.known.categories.codes().iter().map(String::as_str).collect::<Vec<_>>();
                return self.word(field, span, text, &known);
            }
            Shape::Days => return self.days(field, span, text),
            Shape::WorkingDays => return self.working_days(field, span, text),
            Shape::Period if text.parse::<Period>().is_err() => {
                format!("\"{found}\" is not a length of time")
            }
            Shape::OnceIn if once_in(text).is_none() => format!("\"{found}\" does not say how rare"),
            Shape::Percent if percent(text).is_none() => {
                format!("\"{found}\" is not a share of the whole, from 1% to 100%")
            }
            Shape::Points if points(text).is_none() => {
                format!("\"{found}\" is not a difference of two shares, from 1 to 100 points")
            }
            Shape::Budget if budget(text).is_none() => {
                format!("\"{found}\" does not say how many in what time (week, month, quarter or year)")
            }
            _ => return,
        };
        let remedy = match field.shape {
            Shape::OnceIn => format!("write `once in` and a number of days, {}", example(field)),
            Shape::Period => format!("write a whole number and days, weeks or months, {}", example(field)),
            _ => example(field),
        };
        self.wrong(span, message, remedy);
    }

    fn plain_text(&mut self, field: &Field, span: Range<usize>, text: &str, most: usize) {
        let length = text.chars().count();
        // Only a long text, as `why`, has lines.
        let lines = |c: char| c.is_control() && !(most > 200 && matches!(c, '\n' | '\r' | '\t'));
        if length > most {
            let message = format!("`{}` has {length} characters; it can have {most}", field.name);
            self.wrong(span, message, "say it in fewer words");
        } else if text.contains(lines) {
            let message = format!("`{}` has more than one line, or a sign that can't be seen", field.name);
            self.wrong(span, message, "write it on one line");
        }
    }

    fn id(&mut self, field: &Field, span: Range<usize>, text: &str) {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let meant: String = text.trim().chars().map(plain).take(60).collect();
        let meant = meant.trim_matches('-');
        let (message, remedy) = if text.chars().count() > 60 {
            (format!("`{}` has more than 60 characters", field.name), "choose a shorter one".to_owned())
        } else if meant.is_empty() {
            (format!("\"{}\" is not an id", short(text)), example(field))
        } else {
            let message =
                format!("the id \"{}\" has other than small letters, digits and hyphens", short(text));
            (message, format!("write  {} = \"{meant}\"", field.name))
        };
        self.wrong(span, message, remedy);
    }

    fn days(&mut self, field: &Field, span: Range<usize>, text: &str) {
        let zero = matches!(field.name, "within");
        let message = if text.contains("working") {
            format!(
                "`{}` counts all days; only `ack_within` and `follow_up_within` count working days",
                field.name
            )
        } else {
            match days(text) {
                Some(0) if zero => format!("`{}` is at least 1 day", field.name),
                Some(_) => return,
                None => format!("\"{}\" is not a number of days", short(text)),
            }
        };
        self.wrong(span, message, format!("write a whole number and days or weeks, {}", example(field)));
    }

    fn working_days(&mut self, field: &Field, span: Range<usize>, text: &str) {
        let message = match days(text) {
            Some(1..=60) if !text.contains("week") => return,
            Some(_) => format!("\"{}\" is not from 1 to 60 working days", short(text)),
            None => format!("\"{}\" is not a number of working days", short(text)),
        };
        self.wrong(span, message, format!("write a whole number and `working days`, {}", example(field)));
    }

    fn whole_number(&mut self, field: &Field, value: &Value<'_>, low: i64, high: i64) {
        let name = field.name;
        let quoted = value.get_ref().as_str().and_then(|text| text.trim().parse::<i64>().ok());
        let (message, remedy) = match (whole(value), number(value), quoted) {
            (Some(found), _, _) if (low..=high).contains(&found) => return,
            (Some(found), _, _) => {
                (format!("`{name}` is {found}; it must be from {low} to {high}"), example(field))
            }
            (None, Some(_), _) => (format!("`{name}` must be a whole number"), example(field)),
            (None, None, Some(meant)) => (
                format!("`{name}` must be a whole number without quotes"),
                format!("write  {name} = {meant}"),
            ),
            _ => (format!("`{name}` must be a whole number without quotes"), example(field)),
        };
        self.wrong(value.span(), message, remedy);
    }

    fn number(&mut self, field: &Field, value: &Value<'_>, low: f64, high: f64) {
        let name = field.name;
        let quoted = value.get_ref().as_str().and_then(|text| text.trim().parse::<f64>().ok());
        let (message, remedy) = match (number(value), quoted.filter(|meant| meant.is_finite())) {
            (Some(found), _) if (low..=high).contains(&found) => return,
            (Some(found), _) => {
                (format!("`{name}` is {found}; it must be from {low} to {high}"), example(field))
            }
            (None, Some(meant)) => {
                (format!("`{name}` must be a number without quotes"), format!("write  {name} = {meant}"))
            }
            _ => (format!("`{name}` must be a number without quotes"), example(field)),
        };
        self.wrong(value.span(), message, remedy);
    }

    fn date(&mut self, field: &Field, value: &Value<'_>) {
        let name = field.name;
        let timed = value.get_ref().as_datetime().is_some_and(|found| found.time.is_some());
        let (message, remedy) = match date(value) {
            Some(_) if timed => (format!("`{name}` is a day, without a time"), example(field)),
            Some(day) if in_range(day) => return,
            Some(day) => (format!("{day} is not between 1990 and 2100"), "correct the year".to_owned()),
            None => {
                let remedy = value.get_ref().as_str().and_then(a_day);
                (
                    format!("`{name}` must be a day without quotes: year, month, day"),
                    remedy.map_or_else(|| example(field), |day| format!("write  {name} = {day}")),
                )
            }
        };
        self.wrong(value.span(), message, remedy);
    }

    fn flag(&mut self, field: &Field, value: &Value<'_>) {
        if value.get_ref().as_bool().is_none() {
            let message = format!("`{}` must be true or false, without quotes", field.name);
            self.wrong(value.span(), message, example(field));
        }
    }

    pub(super) fn word(&mut self, field: &Field, span: Range<usize>, text: &str, words: &[&str]) {
        if words.contains(&text) {
            return;
        }
        let list = words.join(", ");
        // A role as tables and files of the directory write it.
        let by_code = role(text).and_then(|meant| WHO.iter().find(|word| role(word) == Some(meant)));
        let near = by_code.copied().filter(|word| words.contains(word)).or_else(|| nearest(text, words));
        let remedy = near.map_or_else(
            || format!("use one of {list}"),
            |near| format!("did you mean \"{near}\"? There are {list}"),
        );
        self.wrong(span, format!("\"{}\" is not known in `{}`", short(text), field.name), remedy);
    }

    /// A list of text, each item known and there once.
    fn list(&mut self, field: &Field, value: &Value<'_>) {
        let name = field.name;
        if let Some(text) = value.get_ref().as_str() {
            let remedy = format!("write  {name} = [{}]", quoted(&short(text)));
            return self.wrong(value.span(), format!("`{name}` must be a list in square brackets"), remedy);
        }
        if items(value).next().is_none() {
            let message = format!("`{name}` must be a list in square brackets with at least one item");
            return self.wrong(value.span(), message, example(field));
        }
        let mut seen = std::collections::BTreeSet::new();
        for item in items(value) {
            let Some(text) = item.get_ref().as_str() else {
                self.wrong(item.span(), format!("`{name}` holds text in quotes"), example(field));
                continue;
            };
            if !seen.insert(text) {
                self.wrong(
                    item.span(),
                    format!("\"{}\" is in `{name}` twice", short(text)),
                    "remove one of them",
                );
                continue;
            }
            self.item(field, item.span(), text);
        }
        if field.shape == Shape::Categories && seen.contains("any") && seen.len() > 1 {
            let message = "\"any\" is every strand, so the others say nothing";
            self.wrong(
                value.span(),
                message,
                format!("write  {name} = [\"any\"]  or name the strands without it"),
            );
        }
    }

    fn item(&mut self, field: &Field, span: Range<usize>, text: &str) {
        match field.shape {
            Shape::Words(words) => self.word(field, span, text, words),
            Shape::Categories => {
                let mut words: Vec<&str> = self.known.categories.codes().iter().map(String::as_str).collect();
                words.insert(0, "any");
                self.word(field, span, text, &words);
            }
            Shape::Wards => self.known_area(span, text, AreaKind::Ward),
            Shape::Districts => self.known_area(span, text, AreaKind::District),
            Shape::Csps => self.known_area(span, text, AreaKind::Csp),
            Shape::Rules if !is_id(text) => self.id(&Field { name: "id", ..*field }, span, text),
            _ if text.trim().is_empty() => {
                self.wrong(span, format!("`{}` holds an empty text", field.name), example(field));
            }
            _ if text.chars().count() > 120 => {
                self.wrong(
                    span,
                    format!("a text in `{}` has more than 120 characters", field.name),
                    "say it in fewer words",
                );
            }
            _ => {}
        }
    }

    fn known_area(&mut self, span: Range<usize>, text: &str, kind: AreaKind) {
        let known = self.known;
        let found = known.area(kind, text);
        if matches!(found, Lookup::One(_)) {
            return;
        }
        let what = if kind == AreaKind::Csp { "partnership" } else { kind.code() };
        let message = format!("no {what} has the code or name {}", short(text));
        let all = || known.geography.of_kind(kind);
        let names: Vec<&str> = all().map(|area| area.name.as_str()).collect();
        let codes: Vec<&str> = all().map(|area| area.code.as_str()).collect();
        let looks_like_code = kind != AreaKind::Csp && text.chars().any(|c| c.is_ascii_digit());
        let length = codes.first().map_or(0, |code| code.chars().count());
        let near =
            nearest(text, if looks_like_code { &codes } else { &names }).or_else(|| nearest(text, &codes));
        let elsewhere = [AreaKind::Ward, AreaKind::District, AreaKind::Csp]
            .into_iter()
            .find(|other| *other != kind && matches!(known.area(*other, text), Lookup::One(_)));
        let former = known.former.get(text).map(|(name, year)| (name, year, text)).or_else(|| {
            let earlier = known.former.iter().find(|(_, (name, _))| name == text);
            earlier.map(|(code, (name, year))| (name, year, code.as_str()))
        });
        let remedy = if found == Lookup::Several {
            format!("several have this name; write the code of the {what}")
        } else if let Some((name, year, code)) = former.filter(|_| kind == AreaKind::Ward) {
            format!("{code} was {name} by the boundaries of {year}; write the ward that is there now")
        } else if let Some(other) = elsewhere {
            format!(
                "it is a {}; see the fields that hold those",
                if other == AreaKind::Csp { "partnership" } else { other.code() }
            )
        } else if looks_like_code && text.chars().count() != length {
            format!("{what} codes here have {length} characters, this has {}", text.chars().count())
        } else {
            near.map_or_else(
                || format!("write the code or name of a {what} of the area pack"),
                |near| format!("did you mean {near}?"),
            )
        };
        self.wrong(span, message, remedy);
    }

    /// Whole numbers of weeks.
    fn counts(&mut self, field: &Field, value: &Value<'_>) {
        let name = field.name;
        let count = items(value).count();
        if count == 0 {
            let message = format!("`{name}` must be a list of whole numbers in square brackets");
            return self.wrong(value.span(), message, example(field));
        }
        if count > MOST_WEEKS {
            let message = format!("`{name}` has {count} weeks; it can have {MOST_WEEKS}");
            return self.wrong(value.span(), message, "keep the last ones");
        }
        for item in items(value) {
            if !whole(item).is_some_and(|found| (0..=200).contains(&found)) {
                let message = format!("`{name}` holds whole numbers from 0 to 200");
                self.wrong(item.span(), message, example(field));
            }
        }
    }

    fn incidents(&mut self, field: &Field, value: &Value<'_>) {
        let count = items(value).count();
        if count == 0 {
            let message = format!("`{}` must be a list of incidents in braces", field.name);
            return self.wrong(value.span(), message, example(field));
        }
        if count > MOST_INCIDENTS {
            let message = format!("there are {count} incidents; a test can have {MOST_INCIDENTS}");
            return self.wrong(value.span(), message, "make a smaller test that shows the same");
        }
        for item in items(value) {
            self.incident(field, item);
        }
    }
}

/// How a field is written.
pub(super) fn example(field: &Field) -> String {
    format!("for example  {}", field.example)
}
