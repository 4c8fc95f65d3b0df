//! Lines that are no line of a rule file: brackets, commas and quotes that are missing or too many.

use super::{
    place::{Found, Place, Trust, is_list, outside_end},
    values::{nearest, short},
    words::{begins_entry, field_named, header, is_section, outside},
};
use crate::rules::fields::{FIELDS, Shape};
use std::ops::Range;

impl Place<'_> {
    /// A line without `=`, or whose name is none.
    pub(super) fn no_field(&self) -> Found {
        let text = self.text();
        let end = outside_end(text);
        let words = text[..end].trim();
        let span = self.trimmed(&text[..end]);
        if let Some(at) = text.find(|c: char| {
            c != ' ' && c != '\t' && (c.is_whitespace() || c == '\u{200b}' || c == '\u{feff}') && c != '\r'
        }) {
            let sign = text[at..].chars().next().map_or(1, char::len_utf8);
            let place = self.line.start + at..self.line.start + at + sign;
            let message = "this blank is not an ordinary one, as when text is copied from a document";
            let remedy = "delete it and type a blank".to_owned();
            let edit = Some((place.clone(), " ".to_owned()));
            return Found { span: place, message: message.into(), remedy, edit, trust: Trust::Sure };
        }
        for begin in ["//", "--", ";", "/*", "%"] {
            if let Some(rest) = words.strip_prefix(begin) {
                let span = span.start..span.start + begin.len();
                return self.line_mended(span, "a comment begins with #", &format!("# {}", rest.trim()));
            }
        }
        if words.starts_with('[') {
            return self.section();
        }
        let name = words.trim_matches(['[', ']', ':', ' ']);
        if is_section(name) {
            return self.line_mended(span, format!("the section {name} needs its brackets"), &header(name));
        }
        self.no_equals(words, span)
    }

    fn no_equals(&self, words: &str, span: Range<usize>) -> Found {
        let name: String =
            words.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect();
        let rest = words[name.len()..].trim_start();
        if let Some(key) = self.key() {
            return self.odd_name(key);
        }
        let known = field_named(&name).is_some();
        for (sign, message) in [(":", "a field has `=` after its name, not `:`"), ("==", "one `=` is enough")]
        {
            if let Some(value) = rest.strip_prefix(sign) {
                let at = span.start + (words.len() - rest.len());
                let mended = format!("{name} = {}", value.trim());
                return self.line_mended(at..at + sign.len(), message, &mended);
            }
        }
        if rest.starts_with(['"', '[', '{']) || known && !rest.is_empty() {
            return self.line_mended(
                span,
                format!("`=` is missing after `{name}`"),
                &format!("{name} = {rest}"),
            );
        }
        if let Some(field) = field_named(&name) {
            return self.left_out(
                span,
                format!("`{name}` has no value"),
                format!("write for example  {}", field.example),
            );
        }
        let remedy = "write  name = value  or  [section], or begin a comment with #";
        self.left_out(span, "this is neither a field nor a section", remedy)
    }

    /// A name with blanks or letters that no name has.
    fn odd_name(&self, key: &str) -> Found {
        let from = self.line.start + (self.text().len() - self.text().trim_start().len());
        let span = from..from + key.len();
        let plain = key.trim_end_matches(':').trim().to_lowercase().replace([' ', '-'], "_");
        let names: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
        let value = self.value().and_then(|value| self.whole.get(value)).unwrap_or_default();
        match nearest(&plain, &names) {
            Some(name) => {
                let message = format!("`{}` is not a name: names have small letters and `_`", short(key));
                self.line_mended(span, message, &format!("{name} = {value}"))
            }
            None => self.left_out(
                span,
                format!("`{}` is not a name: names have small letters and `_`", short(key)),
                "compare it with the fields of the section",
            ),
        }
    }

    /// A list whose commas or brackets are wrong.
    pub(super) fn list(&self, extra_comma: bool) -> Found {
        let at_start = self.text()[..self.span.start.saturating_sub(self.line.start).min(self.text().len())]
            .trim()
            .trim_matches('[')
            .is_empty();
        let last = self.whole[self.span.start.min(self.whole.len())..].trim().is_empty();
        if begins_entry(self.text())
            && (at_start || self.value().is_none_or(|value| value.start > self.span.start))
        {
            return self.open_list(self.line.start, "]\n");
        }
        if extra_comma {
            return Found {
                span: self.span.clone(),
                message: "there is a comma too many".into(),
                remedy: "delete it".into(),
                edit: Some((self.span.clone(), String::new())),
                trust: Trust::Sure,
            };
        }
        if last {
            return self.open_list(self.whole.len(), "\n]");
        }
        if self.whole[self.span.clone()].starts_with('=') {
            return self.not_understood("`=` stands in a list", "write the items in quotes, apart by commas");
        }
        let before = self.whole[..self.span.start].trim_end().len();
        Found {
            span: before..self.span.start,
            message: "a comma is missing between two items of the list".into(),
            remedy: format!("write a comma before {}", short(self.item())),
            edit: Some((self.span.start..self.span.start, ",".into())),
            trust: Trust::Sure,
        }
    }

    /// The item of a list that the place begins with.
    fn item(&self) -> &str {
        let rest = &self.whole[self.span.start..self.line.end.max(self.span.start)];
        rest.split([',', ']']).next().unwrap_or_default().trim()
    }

    /// A list that has no end; it is closed before `at`.
    fn open_list(&self, at: usize, with: &str) -> Found {
        let open = self.whole[..at].rfind('[').unwrap_or(0);
        let message = "the list that begins here has no closing bracket";
        Found {
            span: open..(open + 1).min(self.whole.len()),
            message: message.into(),
            remedy: "end the list with ]".into(),
            edit: Some((at..at, with.to_owned())),
            trust: Trust::Guess,
        }
    }

    /// Something in braces.
    pub(super) fn braces(&self) -> Found {
        let text = self.text();
        let count = |sign: char| outside(text).filter(|(_, found)| *found == sign).count();
        let message = if count('{') > count('}') {
            "the closing brace } is missing"
        } else {
            "what stands in braces is name = value, apart by commas"
        };
        let remedy = "write for example  { day = -1, east = 461200, north = 305900 }";
        let span = if self.span.is_empty() {
            let before = self.whole[..self.span.start].trim_end().len();
            before.max(self.line.start)..self.span.start
        } else {
            self.span.clone()
        };
        self.left_out(span, message, remedy)
    }

    /// Something after a value or a header.
    pub(super) fn after_value(&self) -> Found {
        let end = self.line.start + outside_end(self.text());
        let start = self.span.start;
        let rest = self.whole.get(start..end.max(start)).unwrap_or_default().trim_end();
        let span = start..start + rest.len();
        let header_line = self.text().trim_start().starts_with('[');
        if header_line && rest.starts_with(']') {
            let name = self.text().trim().trim_matches(['[', ']', ' ']);
            return self.line_mended(span, "there is a bracket too many", &header(name));
        }
        if begins_entry(rest) {
            return Found {
                span,
                message: "a line holds one field or one section".into(),
                remedy: format!("begin a new line with  {}", short(rest)),
                edit: Some((start..start, "\n".into())),
                trust: Trust::Sure,
            };
        }
        self.after_text(rest, span)
    }

    fn after_text(&self, rest: &str, span: Range<usize>) -> Found {
        let value = self.value().and_then(|value| self.whole.get(value)).unwrap_or_default();
        let before = value.strip_suffix(rest).unwrap_or(value).trim();
        if matches!(rest.trim(), "," | ";") {
            return self.value_mended(span, format!("a `{}` ends the line", rest.trim()), before);
        }
        let counts = matches!(self.shape(), Some(Shape::Counts));
        if rest.starts_with(',') && (counts || is_list(self.shape())) {
            let message = format!("`{}` must be a list in square brackets", self.key().unwrap_or_default());
            return self.value_mended(span, message, &format!("[{value}]"));
        }
        let whole = matches!(self.shape(), Some(Shape::Whole(..)));
        if rest.starts_with(',') && before.bytes().all(|b| b.is_ascii_digit()) {
            let number = value.replace(',', if whole { "" } else { "." });
            return self.value_mended(span, "numbers have no comma here", &number);
        }
        if before.starts_with(['"', '\'']) && rest.ends_with(['"', '\'']) {
            let inner = value.trim_matches(['"', '\'']);
            let mended = if inner.contains('"') {
                format!("\"{}\"", inner.replace('"', "'"))
            } else {
                format!("\"{inner}\"")
            };
            return self.value_mended(span, "a quote inside text ends the text", &mended);
        }
        Found {
            span: span.clone(),
            message: format!("`{}` stands after the value", short(rest.trim())),
            remedy: "delete it, or begin a comment with #".into(),
            edit: Some((span, String::new())),
            trust: Trust::Guess,
        }
    }

    /// Text whose closing quote is missing, or with a sign that can't be seen.
    pub(super) fn unclosed_text(&self) -> Found {
        let text = self.text();
        let sign = self.whole[self.span.clone()].chars().next();
        if let Some(sign) = sign.filter(|sign| sign.is_control() && *sign != '\n' && *sign != '\r') {
            let place = self.span.start..self.span.start + sign.len_utf8();
            return Found {
                span: place.clone(),
                message: "a sign that can't be seen stands in the text".into(),
                remedy: "delete what is here and type it again".into(),
                edit: Some((place, " ".into())),
                trust: Trust::Sure,
            };
        }
        for three in ["\"\"\"", "'''"] {
            if let Some(at) = self.whole[..self.span.start]
                .rfind(three)
                .filter(|_| !text.contains('=') || text.contains(three))
            {
                let place = Place::new(self.whole, at..at + 3);
                return place.left_out(
                    at..at + 3,
                    "text that begins with three quotes has no end",
                    "write it on one line, in single straight quotes",
                );
            }
        }
        let Some(open) = text.rfind(['"', '\'']) else {
            return self.not_understood("this text can't be read", "put it in straight quotes");
        };
        let opening = &text[open..=open];
        let tail = &text[open + 1..];
        let inner = tail.find(" #").map_or(tail, |at| &tail[..at]).trim_end();
        let list = text[..open].contains('[');
        let inner = if list { inner.trim_end_matches([']', ',', ' ']) } else { inner };
        let mut mended = text.to_owned();
        mended.insert_str(open + 1 + inner.len(), opening);
        let span = self.line.start + open..self.line.start + open + 1 + inner.len();
        self.line_mended(span, "the closing quote is missing", &mended)
    }

    /// A backslash in text.
    pub(super) fn backslash(&self) -> Found {
        let at = self.whole[..self.span.start].rfind('\\').unwrap_or(self.line.start);
        Found {
            span: at..(at + 1).min(self.whole.len()),
            message: "a backslash in text has a meaning of its own".into(),
            remedy: "write / in its place, or two of them".into(),
            edit: Some((at..(at + 1).min(self.whole.len()), "/".into())),
            trust: Trust::Sure,
        }
    }

    /// An end of a line that no editor of today writes.
    pub(super) fn line_end(&self) -> Found {
        let from = self.whole[..self.span.start].rfind('\r');
        let at = from.unwrap_or(self.span.start);
        Found {
            span: at..at,
            message: "this line ends in a way that other programs no longer write".into(),
            remedy: "save the file as plain text (UTF-8)".into(),
            edit: Some((at..(at + 1).min(self.whole.len()), "\n".into())),
            trust: Trust::Sure,
        }
    }
}
