//! Words of rule files, and where they stand in a line.

use crate::rules::fields::{DETECTORS, EPISODE, EVENT, FIELDS, Field, LISTS, SECTIONS};

/// The first field of a name, in any section.
pub(super) fn field_named(name: &str) -> Option<&'static Field> {
    FIELDS.iter().chain(EVENT).chain(EPISODE).find(|field| field.name == name)
}

/// Whether a section can have this name.
pub(super) fn is_section(name: &str) -> bool {
    DETECTORS.contains(&name)
        || SECTIONS.contains(&name)
        || LISTS.contains(&name)
        || matches!(name, "event" | "episode")
}

/// A section as its header is written.
pub(super) fn header(section: &str) -> String {
    if LISTS.contains(&section) || matches!(section, "event" | "episode") {
        format!("[[{section}]]")
    } else {
        format!("[{section}]")
    }
}

/// The signs of a line that stand outside text in straight quotes and outside the comment; with the `#` that begins one.
pub(super) fn outside(line: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut comment = false;
    line.char_indices().filter(move |(_, sign)| {
        if comment {
            return false;
        }
        match quote {
            Some(open) => {
                if escaped {
                    escaped = false;
                } else if *sign == '\\' && open == '"' {
                    escaped = true;
                } else if *sign == open {
                    quote = None;
                }
                false
            }
            None if matches!(sign, '"' | '\'') => {
                quote = Some(*sign);
                false
            }
            None => {
                comment = *sign == '#';
                true
            }
        }
    })
}

/// Whether a line begins a field or a section.
pub(super) fn begins_entry(line: &str) -> bool {
    let line = line.trim();
    let name = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    };
    if let Some(rest) = line.strip_prefix('[') {
        let inner = rest.trim_start_matches('[');
        return inner.split(']').next().is_some_and(|inner| is_section(inner.trim()));
    }
    line.split_once('=').is_some_and(|(before, _)| name(before.trim()))
}
