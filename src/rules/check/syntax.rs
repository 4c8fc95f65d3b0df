//! What is no TOML, in an analyst's words. Each mistake is mended in memory, so that the rest of the file can be judged.

use super::{
    File,
    place::{Found, Place, Trust},
};
use toml::de::{DeTable, Error};

/// So many mistakes of syntax are told of one file; after that something bigger is wrong with it.
const MOST: usize = 40;

/// A rule file is a page, a calendar a few; what is longer has been put there by mistake.
const LONGEST: usize = 200_000;

impl File<'_> {
    /// The text with its syntax mended, and every mistake of syntax told; none when what is left would be guesswork.
    pub(super) fn mend(&mut self) -> Option<String> {
        if self.text.len() > LONGEST {
            let remedy = "a rule fits on a page; look whether another file was saved under this name";
            self.wrong(0..0, format!("the file has more than {LONGEST} characters"), remedy);
            return None;
        }
        let mut told: Vec<usize> = Vec::new();
        let mut seen: Vec<usize> = Vec::new();
        for _ in 0..MOST {
            let (_, errors) = DeTable::parse_recoverable(&self.mended.text);
            let start = |error: &Error| error.span().map_or(0, |span| span.start);
            let new = errors.iter().filter(|error| !told.contains(&self.mended.written(start(error))));
            let Some(first) = new.clone().min_by_key(|error| start(error)) else {
                return Some(self.mended.text.clone());
            };
            // A quote that is missing makes brackets and commas of its line seem to be missing too.
            let line = Place::new(&self.mended.text, start(first)..start(first)).line;
            let open = |error: &Error| {
                error.message().starts_with("invalid basic string") && start(error) == line.end
            };
            let mut in_line = new.filter(|error| start(error) <= line.end);
            let first = in_line.find(|error| open(error)).unwrap_or(first);
            let at = self.mended.written(start(first));
            let found = explain(&self.mended.text, first);
            // What stays wrong after it was mended is beyond mending.
            let tries = seen.iter().filter(|seen| **seen == at).count();
            if self.lost.contains(&at) || tries > 2 {
                return None;
            }
            seen.push(at);
            self.tell(found, at, &mut told);
        }
        let remedy = "mend these first and check again";
        self.wrong(0..0, format!("more than {MOST} places of this file can't be read"), remedy);
        None
    }

    /// Tells a mistake and mends it.
    fn tell(&mut self, found: Found, at: usize, told: &mut Vec<usize>) {
        let span = self.mended.span(&found.span);
        self.wrong(found.span, found.message, found.remedy);
        match found.trust {
            Trust::Sure => {}
            Trust::Guess => self.broken.push(span),
            Trust::Lost => {
                self.lost.push(at);
                self.broken.push(span);
            }
        }
        match found.edit {
            Some((place, with)) => self.mended.edit(place, &with),
            None => told.push(at),
        }
    }
}

/// What an error of the parser means.
fn explain(text: &str, error: &Error) -> Found {
    let place = Place::new(text, error.span().unwrap_or(0..0));
    let message = error.message();
    let says = |words: &str| message.contains(words);
    if says("duplicate key") || says("cannot extend value") {
        return place.twice();
    }
    if let Some(found) = place.curly_quotes() {
        return found;
    }
    if says("must be quoted") || says("invalid boolean") {
        place.unquoted()
    } else if says("unclosed table") || says("unclosed array table") || says("keys cannot be empty") {
        place.section()
    } else if says("no value") || says("unquoted key") {
        place.no_field()
    } else if says("between array elements") || says("unclosed array") || says("in array") {
        place.list(says("extra comma"))
    } else if says("inline table") || says("key-value pair") {
        place.braces()
    } else if says("unexpected key or value") {
        place.after_value()
    } else if says("basic string") || says("literal string") {
        place.unclosed_text()
    } else if says("escape") || says("unicode") {
        place.backslash()
    } else if says("carriage return") {
        place.line_end()
    } else if says("leading zero") || says("mantissa") || says("numeric sign") || says("between digits") {
        place.odd_number()
    } else if says("date") || says("time") {
        place.odd_date()
    } else if says("recurs") {
        place.not_understood("brackets stand in brackets in brackets", "no field needs more than two")
    } else {
        place.not_understood("this can't be read", "compare the line with that of a rule that works")
    }
}
