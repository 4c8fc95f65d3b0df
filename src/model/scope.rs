//! What a program may do with its token.

use serde::{Deserialize, Serialize};

/// One thing that a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// To send incidents of one source.
    #[serde(rename = "incidents:write")]
    IncidentsWrite,
    /// To read exact figures.
    #[serde(rename = "figures:read")]
    FiguresRead,
    /// To read what is published.
    #[serde(rename = "published:read")]
    PublishedRead,
    /// To read alerts.
    #[serde(rename = "alerts:read")]
    AlertsRead,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::IncidentsWrite, Self::FiguresRead, Self::PublishedRead, Self::AlertsRead];

    /// As commands, tables and messages write it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::IncidentsWrite => "incidents:write",
            Self::FiguresRead => "figures:read",
            Self::PublishedRead => "published:read",
            Self::AlertsRead => "alerts:read",
        }
    }
}

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope; there are incidents:write, figures:read, published:read and alerts:read")]
pub struct UnknownScope(String);

impl std::str::FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.code() == text)
            .ok_or_else(|| UnknownScope(text.chars().take(40).collect()))
    }
}
