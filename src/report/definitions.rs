//! The terms that figures are counted by, with where they come from and since when they hold.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A term, in the words of its source's meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The term.
    pub term: String,
    /// What counts as one.
    pub meaning: String,
    /// Where it is laid down.
    pub source: String,
    /// The first day on which it holds; open where that is not known.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// The last day; open while it holds.
    #[serde(default)]
    pub to: Option<NaiveDate>,
}

impl Definition {
    /// Whether it held on some day from `first` to `last`.
    #[must_use]
    pub fn held(&self, first: NaiveDate, last: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= last) && self.to.is_none_or(|to| to >= first)
    }
}

/// A file of definitions that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionsError {
    /// It is no such file.
    #[error("{0}")]
    Unreadable(String),
    /// It ends before it begins.
    #[error("\"{term}\" ends on {to}, before it begins on {from}; exchange the two days")]
    Crossed {
        /// The term.
        term: String,
        /// Its first day.
        from: NaiveDate,
        /// Its last.
        to: NaiveDate,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    definition: Vec<Definition>,
}

/// Those that come with the program.
pub const SHIPPED: &str = include_str!("definitions.toml");

/// Reads a file of `[[definition]]` entries.
///
/// # Errors
///
/// When it is no TOML, has unknown or missing fields, or days that cross.
pub fn definitions(text: &str) -> Result<Vec<Definition>, DefinitionsError> {
    let file: File = toml::from_str(text).map_err(|wrong| DefinitionsError::Unreadable(wrong.to_string()))?;
    for one in &file.definition {
        if let (Some(from), Some(to)) = (one.from, one.to)
            && to < from
        {
            return Err(DefinitionsError::Crossed { term: one.term.clone(), from, to });
        }
    }
    Ok(file.definition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_terms_are_read_and_mistakes_are_named() {
        let shipped = definitions(SHIPPED).unwrap();
        assert!(shipped.iter().any(|one| one.term == "Hate crime") && shipped.len() >= 4);
        let crossed = "[[definition]]\nterm = \"x\"\nmeaning = \"y\"\nsource = \"z\"\nfrom = \"2026-02-01\"\nto = \"2026-01-01\"";
        let wrong = definitions(crossed).unwrap_err().to_string();
        assert_eq!(wrong, "\"x\" ends on 2026-01-01, before it begins on 2026-02-01; exchange the two days");
        let unknown = definitions("[[definition]]\nterm = \"x\"\nmeaning = \"y\"\nsauce = \"z\"")
            .unwrap_err()
            .to_string();
        assert!(unknown.contains("sauce") && unknown.contains("line 4"), "{unknown}");
        let held = &shipped[0];
        assert!(held.held("2026-01-01".parse().unwrap(), "2026-03-31".parse().unwrap()));
    }
}
