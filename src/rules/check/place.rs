//! The place of a mistake of syntax, and what stands around it.

use super::{
    values::{a_day, short},
    words::{field_named, is_section, outside},
};
use crate::rules::fields::{LISTS, Shape};
use std::ops::Range;

/// How far the mended text says what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// It does.
    Sure,
    /// The field is there, its value is not to be judged.
    Guess,
    /// The line was left out: a field may seem to be missing that is not.
    Lost,
}

/// A mistake of syntax, and how it is mended.
pub(super) struct Found {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) remedy: String,
    /// What to put where; none where the text can stay as it is.
    pub(super) edit: Option<(Range<usize>, String)>,
    pub(super) trust: Trust,
}

/// Where a mistake is.
pub(super) struct Place<'t> {
    pub(super) whole: &'t str,
    /// What the parser points at.
    pub(super) span: Range<usize>,
    /// The line it begins on, without its end.
    pub(super) line: Range<usize>,
}

/// Quotes that word processors put in place of straight ones.
const CURLY: [char; 9] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}', '\u{2033}'];

/// Dashes that are no hyphen.
const DASHES: [char; 6] = ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}'];

impl<'t> Place<'t> {
    pub(super) fn new(whole: &'t str, span: Range<usize>) -> Self {
        let boundary = |mut at: usize| {
            at = at.min(whole.len());
            while !whole.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let mut start = boundary(span.start);
        let end = boundary(span.end.max(start));
        if start == whole.len() && start == end && whole.ends_with('\n') {
            start -= 1;
        }
        let from = whole[..start].rfind('\n').map_or(0, |at| at + 1);
        let to = whole[start..].find('\n').map_or(whole.len(), |at| start + at);
        Self { whole, span: start..end, line: from..to }
    }

    pub(super) fn text(&self) -> &'t str {
        &self.whole[self.line.clone()]
    }

    /// The name before the `=` of the line.
    pub(super) fn key(&self) -> Option<&'t str> {
        let at = outside(self.text()).find(|(_, sign)| *sign == '=')?.0;
        Some(self.text()[..at].trim()).filter(|key| !key.is_empty())
    }

    /// What stands after the `=`, up to a comment.
    pub(super) fn value(&self) -> Option<Range<usize>> {
        let text = self.text();
        let at = outside(text).find(|(_, sign)| *sign == '=')?.0 + 1;
        let end = outside_end(text).max(at);
        let value = &text[at..end];
        let from = self.line.start + at + (value.len() - value.trim_start().len());
        Some(from..(self.line.start + at + value.trim_end().len()).max(from))
    }

    /// What the field of the line holds, if there is such a field.
    pub(super) fn shape(&self) -> Option<Shape> {
        field_named(self.key()?).map(|field| field.shape)
    }

    fn example(&self) -> String {
        self.key().and_then(field_named).map_or_else(
            || "write  name = value".to_owned(),
            |field| format!("write for example  {}", field.example),
        )
    }

    /// A mistake with the line left out.
    pub(super) fn left_out(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Found {
        Found {
            span,
            message: message.into(),
            remedy: remedy.into(),
            edit: Some((self.line.clone(), String::new())),
            trust: Trust::Lost,
        }
    }

    pub(super) fn not_understood(&self, message: &str, remedy: &str) -> Found {
        self.left_out(self.span.clone(), message, remedy)
    }

    /// A mistake whose line is mended as a whole.
    pub(super) fn line_mended(&self, span: Range<usize>, message: impl Into<String>, mended: &str) -> Found {
        Found {
            span,
            message: message.into(),
            remedy: format!("write  {}", mended.trim()),
            edit: Some((self.line.clone(), mended.to_owned())),
            trust: Trust::Sure,
        }
    }

    /// The value of the line replaced by what was meant.
    pub(super) fn value_mended(&self, span: Range<usize>, message: impl Into<String>, value: &str) -> Found {
        let place = self.value().unwrap_or(span.clone());
        let key = self.key().unwrap_or_default();
        Found {
            span,
            message: message.into(),
            remedy: format!("write  {key} = {value}"),
            edit: Some((place, value.to_owned())),
            trust: Trust::Sure,
        }
    }

    /// Quotes from a word processor, anywhere in the line.
    pub(super) fn curly_quotes(&self) -> Option<Found> {
        let text = self.text();
        let is_apostrophe = |at: usize| {
            let before = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            before && text[at..].chars().nth(1).is_some_and(char::is_alphanumeric)
        };
        let found: Vec<(usize, char)> =
            outside(text).filter(|(at, sign)| CURLY.contains(sign) && !is_apostrophe(*at)).collect();
        let (first, last) = (found.first()?, found.last()?);
        let mut mended = text.to_owned();
        for (at, sign) in found.iter().rev() {
            mended.replace_range(*at..*at + sign.len_utf8(), "\"");
        }
        let span = self.line.start + first.0..self.line.start + last.0 + last.1.len_utf8();
        let message = "the quotes are curly ones, as word processors make them";
        Some(self.line_mended(span, message, &mended))
    }

    /// Text without quotes, or something that is no value at all.
    pub(super) fn unquoted(&self) -> Found {
        let value = self.value().filter(|value| value.start <= self.span.start);
        let Some(value) = value else { return self.list(false) };
        let in_list = value.start != self.span.start;
        let span = if in_list { self.span.clone() } else { value };
        let raw = self.whole.get(span.clone()).unwrap_or_default().trim_end();
        let span = span.start..span.start + raw.len();
        if raw.is_empty() {
            let name = self.key().map_or_else(|| "the field".to_owned(), |key| format!("`{}`", short(key)));
            return self.left_out(self.line.clone(), format!("{name} has no value"), self.example());
        }
        let braces = outside(&self.whole[self.line.start..span.start]).any(|(_, sign)| sign == '{');
        if in_list && braces && raw.contains(' ') {
            return self.braces();
        }
        if in_list {
            let quoted = quoted(raw);
            return Found {
                span: span.clone(),
                message: format!("`{}` has no quotes", short(raw)),
                remedy: format!("put it in quotes: {quoted}"),
                edit: Some((span, quoted)),
                trust: Trust::Sure,
            };
        }
        self.unquoted_value(span, raw)
    }

    fn unquoted_value(&self, span: Range<usize>, raw: &str) -> Found {
        if raw.contains(DASHES) && a_day(&raw.replace(DASHES, "-")).is_some() {
            let day = raw.replace(DASHES, "-");
            return self.value_mended(span, "the dashes of this date are longer than hyphens", &day);
        }
        if self.shape() == Some(Shape::Date) {
            return self.odd_date();
        }
        if let Some((before, _)) = raw.split_once("//") {
            return self.value_mended(span, "a comment begins with #", before.trim());
        }
        if let Some(before) = raw.strip_suffix([';', ',']) {
            let sign = &raw[before.len()..];
            return self.value_mended(span, format!("a `{sign}` ends the line"), before.trim());
        }
        match self.shape() {
            Some(Shape::Flag) => return self.boolean(),
            Some(Shape::Whole(..) | Shape::Number(..)) => return self.no_number(span, raw),
            _ if is_list(self.shape()) => {
                let items: Vec<String> = raw.split(',').map(|item| quoted(item.trim())).collect();
                let message =
                    format!("`{}` must be a list in square brackets", self.key().unwrap_or_default());
                return self.value_mended(span, message, &format!("[{}]", items.join(", ")));
            }
            _ => {}
        }
        let (key, text) = (self.key().unwrap_or_default(), quoted(raw));
        Found {
            span: span.clone(),
            message: format!("`{}` has no quotes", short(raw)),
            remedy: format!("put it in quotes: {} = {text}", short(key)),
            edit: Some((span, text)),
            trust: Trust::Sure,
        }
    }

    /// A number that is none, as `five` or `5 metres`.
    fn no_number(&self, span: Range<usize>, raw: &str) -> Found {
        let digits: String = raw.chars().skip_while(|c| !c.is_ascii_digit()).collect();
        let number: String = digits.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = number.trim_end_matches('.');
        let message = format!("`{}` is not a number", short(raw));
        if number.is_empty() {
            let place = span.clone();
            let edit = Some((place, "1".to_owned()));
            return Found { span, message, remedy: self.example(), edit, trust: Trust::Guess };
        }
        self.value_mended(span, message, number)
    }

    /// true and false are small.
    pub(super) fn boolean(&self) -> Found {
        let span = self.value().unwrap_or(self.span.clone());
        let raw = self.whole.get(span.clone()).unwrap_or_default();
        let meant = match raw.to_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => "true",
            "false" | "no" | "off" | "n" => "false",
            _ => {
                return self.left_out(
                    span,
                    format!("`{}` is neither true nor false", short(raw)),
                    self.example(),
                );
            }
        };
        self.value_mended(span, format!("`{}` is written in another way here", short(raw)), meant)
    }

    /// A date as people write it.
    pub(super) fn odd_date(&self) -> Found {
        let span = self.value().unwrap_or(self.span.clone());
        let raw = self.whole.get(span.clone()).unwrap_or_default();
        let message = format!("`{}` is not a day as it is written here: year, month, day", short(raw));
        if let Some(day) = a_day(raw) {
            return self.value_mended(span, message, &day.to_string());
        }
        let message = format!("`{}` is no day of the calendar", short(raw));
        self.left_out(span, message, "write year, month and day with two digits each, as 2027-04-01")
    }

    /// `05`, `.5` or `1__000`.
    pub(super) fn odd_number(&self) -> Found {
        let span = self.value().unwrap_or(self.span.clone());
        let raw = self.whole.get(span.clone()).unwrap_or_default();
        let plain: String = raw.chars().filter(|c| !matches!(c, '_' | ' ' | '+')).collect();
        match plain.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => {
                let message = format!("`{}` is not how numbers are written here", short(raw));
                self.value_mended(span, message, &number.to_string())
            }
            None => self.left_out(span, format!("`{}` is not a number", short(raw)), self.example()),
        }
    }

    /// A field or a section that stands there already.
    pub(super) fn twice(&self) -> Found {
        let name = self.whole.get(self.span.clone()).unwrap_or_default();
        let section = self.text().trim_start().starts_with('[');
        let (message, remedy) = if section && LISTS.contains(&name) {
            (
                format!("[{name}] stands in single brackets here"),
                format!("write it as [[{name}]], in each place"),
            )
        } else if section {
            (
                format!("the section [{}] is there twice", short(name)),
                format!("put all its fields under the first [{}]", short(name)),
            )
        } else {
            (format!("`{}` is there twice", short(name)), "keep one of the two lines".to_owned())
        };
        Found { span: self.span.clone(), message, remedy, edit: None, trust: Trust::Sure }
    }

    /// A header of a section without all its brackets, or without a name.
    pub(super) fn section(&self) -> Found {
        let text = &self.text()[..outside_end(self.text())];
        let name = text.trim().trim_matches(['[', ']']).trim();
        let span = self.trimmed(text);
        if name.is_empty() {
            return self.left_out(span, "a section has no name", "write for example  [spike]");
        }
        let plain = name.replace([' ', '-'], "_");
        let double = text.trim_start().starts_with("[[");
        let mended = if double { format!("[[{plain}]]") } else { format!("[{plain}]") };
        let message = if plain != name && is_section(&plain) {
            "the name of a section has `_` between its words"
        } else {
            "the closing bracket is missing"
        };
        if is_section(&plain) || plain == name && !plain.contains(['=', '"', '[', ']']) {
            self.line_mended(span, message, &mended)
        } else {
            self.left_out(span, "this is neither a field nor a section", "write  name = value  or  [section]")
        }
    }

    /// A part of the line without the blanks around it.
    pub(super) fn trimmed(&self, text: &str) -> Range<usize> {
        let from = self.line.start + (text.len() - text.trim_start().len());
        from..(self.line.start + text.trim_end().len()).max(from)
    }
}

/// Where the comment of a line begins, or its end.
pub(super) fn outside_end(text: &str) -> usize {
    outside(text).find(|(_, sign)| *sign == '#').map_or(text.len(), |(at, _)| at)
}

/// Text in straight quotes.
pub(super) fn quoted(text: &str) -> String {
    let inner: String = text.chars().filter(|c| !matches!(c, '"' | '\\') && !c.is_control()).collect();
    format!("\"{}\"", inner.trim().trim_matches('\''))
}

/// Whether a field holds a list of text.
pub(super) fn is_list(shape: Option<Shape>) -> bool {
    matches!(
        shape,
        Some(
            Shape::Words(_)
                | Shape::Texts
                | Shape::Rules
                | Shape::Categories
                | Shape::Wards
                | Shape::Districts
                | Shape::Csps
        )
    )
}
