//! A CSV file as a table: decoded, with its header judged, and refused as a whole when it can't be read safely.

use super::Mapping;
use encoding_rs::WINDOWS_1252;
use std::borrow::Cow;

/// The longest field read: 64 KB. Nothing that we keep is that long; an unclosed quote easily is.
pub(super) const LONGEST_FIELD: usize = 64 * 1024;

/// The most columns a file may have.
const MOST_COLUMNS: usize = 500;

/// A file that can't be read as a whole. Nothing of it was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No header.
    #[error("line 1: the file is empty; it needs a header line that names the columns")]
    Empty,
    /// A character that no text holds.
    #[error("line {0}: there is a NUL character; save the file as CSV (UTF-8) again")]
    Nul(u64),
    /// A quote that never ends.
    #[error("line {0}: a quoted field opens here and is never closed; close it with a quotation mark")]
    UnclosedQuote(u64),
    /// A field that is too long.
    #[error("line {0}: a field is longer than 64 KB; narratives are not imported: remove the column")]
    LongField(u64),
    /// Too many columns.
    #[error("line 1: the header has {0} columns; at most {MOST_COLUMNS} are read")]
    ManyColumns(usize),
    /// Too many rows for one call.
    #[error("there are more than {0} rows; send them in several parts")]
    ManyRows(u64),
    /// A column the mapping needs.
    #[error("line 1: there is no column `{column}`; the header has {found}{hint}")]
    MissingColumn {
        /// As the mapping names it.
        column: String,
        /// What there is.
        found: String,
        /// What was probably meant.
        hint: String,
    },
    /// A column that stands there twice.
    #[error("line 1: the column `{0}` stands in the header twice; rename or remove one")]
    TwiceInHeader(String),
    /// Columns that we must not hold.
    #[error(
        "line 1: the column `{column}` looks as if it held {what}, which Tension Watch must not hold; remove it, or \
         list it under `ignore` in the mapping if it holds something else"
    )]
    Sensitive {
        /// As the file names it.
        column: String,
        /// What it seems to hold.
        what: &'static str,
    },
}

/// UTF-8 with or without its mark, else Windows-1252, which reads any bytes.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Refuses what the CSV reader would swallow: an unclosed quote takes the rest of the file for one field.
pub(super) fn check_fields(text: &str) -> Result<(), ImportError> {
    let (mut line, mut length, mut quoted, mut opened) = (1_u64, 0_usize, false, 1_u64);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            0 => return Err(ImportError::Nul(line)),
            b'"' if quoted && bytes.peek() == Some(&b'"') => {
                bytes.next();
                length += 1;
            }
            b'"' if quoted => quoted = false,
            b'"' if length == 0 => (quoted, opened) = (true, line),
            b',' if !quoted => length = 0,
            b'\n' => {
                line += 1;
                length = if quoted { length + 1 } else { 0 };
            }
            b'\r' if !quoted => {}
            _ => length += 1,
        }
        if length > LONGEST_FIELD {
            return Err(if quoted {
                ImportError::UnclosedQuote(opened)
            } else {
                ImportError::LongField(line)
            });
        }
    }
    if quoted { Err(ImportError::UnclosedQuote(opened)) } else { Ok(()) }
}

/// Which column of the file fills which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// As the file writes them.
    pub(super) names: Vec<String>,
    /// Whether the mapping uses the column: what it does not use is never kept.
    pub(super) used: Vec<bool>,
}

impl Header {
    /// Judges a header by the mapping.
    pub(super) fn new(names: Vec<String>, mapping: &Mapping) -> Result<Self, ImportError> {
        if names.len() > MOST_COLUMNS {
            return Err(ImportError::ManyColumns(names.len()));
        }
        let wanted = mapping.columns_used();
        for (place, name) in names.iter().enumerate() {
            if names[..place].contains(name) && wanted.contains(&name.as_str()) {
                return Err(ImportError::TwiceInHeader(name.clone()));
            }
            let known = wanted.contains(&name.as_str()) || mapping.ignores(name);
            if let Some(what) = sensitive(name).filter(|_| !known) {
                return Err(ImportError::Sensitive { column: name.clone(), what });
            }
        }
        for column in mapping.columns_needed() {
            if !names.iter().any(|name| name == column) {
                return Err(missing(column, &names));
            }
        }
        let used = names.iter().map(|name| wanted.contains(&name.as_str())).collect();
        Ok(Self { names, used })
    }

    /// Where a column stands.
    pub(super) fn find(&self, column: Option<&String>) -> Option<usize> {
        column.and_then(|column| self.names.iter().position(|name| name == column))
    }
}

fn missing(column: &str, names: &[String]) -> ImportError {
    let nearest = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&name.to_lowercase(), &column.to_lowercase()), name))
        .min()
        .filter(|(distance, _)| *distance <= 1 + column.chars().count() / 4);
    ImportError::MissingColumn {
        column: column.to_owned(),
        found: names.iter().take(40).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        hint: nearest.map_or_else(String::new, |(_, name)| format!("; did the mapping mean `{name}`?")),
    }
}

/// With the word `name`, these make a column of names of people.
const PEOPLE: [&str; 12] = [
    "victim",
    "suspect",
    "offender",
    "aggrieved",
    "witness",
    "complainant",
    "informant",
    "caller",
    "person",
    "first",
    "last",
    "full",
];

/// What a column of this name probably holds that we must not.
pub(super) fn sensitive(name: &str) -> Option<&'static str> {
    let words: String =
        name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let joined = words.concat();
    if words == ["name"]
        || any(&["surname", "forename", "forenames", "firstname", "lastname", "fullname", "alias"])
        || any(&["name", "names"]) && any(&PEOPLE)
    {
        Some("names")
    } else if any(&["dob", "birth", "birthdate", "birthday"]) || joined.contains("dateofbirth") {
        Some("birth dates")
    } else if any(&["phone", "telephone", "mobile", "email", "mail", "address", "nino", "passport"]) {
        Some("contact details")
    } else if any(&["narrative", "narratives", "notes", "note", "comments", "comment", "mo", "description"])
        || any(&["summary", "details", "text", "statement"])
        || joined.contains("modusoperandi")
    {
        Some("a narrative")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quote_that_never_closes_is_told_with_the_line_it_opened() {
        assert_eq!(check_fields("a,b\n1,\"x\n2,y\n3,z\n"), Err(ImportError::UnclosedQuote(2)));
        assert_eq!(check_fields("a,b\r\n1,\"two\r\nlines, \"\"quoted\"\"\"\r\n"), Ok(()));
        assert_eq!(check_fields("a\n1\0"), Err(ImportError::Nul(2)));
        assert_eq!(check_fields(&format!("a,b\n1,{}", "x".repeat(70_000))), Err(ImportError::LongField(2)));
    }

    #[test]
    fn names_birth_dates_and_narratives_are_recognised() {
        for (column, what) in [
            ("Victim Name", Some("names")),
            ("surname", Some("names")),
            ("D.O.B.", None),
            ("DOB", Some("birth dates")),
            ("Date of birth", Some("birth dates")),
            ("MO", Some("a narrative")),
            ("Incident notes", Some("a narrative")),
            ("Home address", Some("contact details")),
            ("LSOA name", None),
            ("Ward name", None),
            ("Month", None),
            ("Location", None),
        ] {
            assert_eq!(sensitive(column), what, "{column}");
        }
    }

    #[test]
    fn windows_1252_and_utf_8_are_both_read() {
        assert_eq!(decode(b"\xEF\xBB\xBFcaf\xC3\xA9"), "caf\u{e9}");
        assert_eq!(decode(b"caf\xE9 \x96"), "caf\u{e9} \u{2013}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = check_fields(&decode(&bytes));
        }
    }
}
