//! Why a rule does not hold: the first of its conditions that failed, and by how much.

use crate::model::{AreaRef, Window};
use std::fmt;

/// The first condition that failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Miss {
    /// Fewer incidents than the rule asks for.
    TooFew {
        /// It asks for so many.
        needed: u64,
    },
    /// Not so many times what is usual.
    NotTimesUsual {
        /// It asks for so many times.
        needed: f64,
    },
    /// Chance would bring it too often.
    TooCommon {
        /// About once in so many days.
        days: f64,
        /// It asks for once in so many.
        needed: f64,
    },
    /// Too few are usual there for a fall to mean anything.
    TooLittleUsual {
        /// It asks for so many.
        needed: f64,
    },
    /// Not far enough below what is usual.
    NotBelow {
        /// It asks for less than this share, 0 to 1.
        needed: f64,
    },
    /// The source is late.
    SourceLate,
    /// The share has not risen so far.
    NotRisen {
        /// It rose by this much, in parts of 1.
        by: f64,
        /// It asks for this much.
        needed: f64,
    },
    /// The share may have risen by chance.
    NotSure {
        /// The lower end of the interval of the rise.
        lowest: f64,
    },
    /// There is too little history to compare with.
    NoHistory,
    /// The rule it follows has not held nearby.
    NothingBefore {
        /// That rule.
        after: String,
    },
    /// Too few of the rules it combines hold together.
    Alone {
        /// Those that hold.
        holding: Vec<String>,
        /// It asks for so many.
        needed: usize,
    },
}

/// Something a rule looked at that does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Missed {
    /// The area; none for a cluster or a place.
    pub area: Option<AreaRef>,
    /// Its wards, the most concerned first.
    pub wards: Vec<String>,
    /// The category, where each is judged apart.
    pub category: Option<String>,
    /// The source, where each is judged apart.
    pub source: Option<String>,
    /// When.
    pub window: Window,
    /// Incidents known.
    pub observed: u64,
    /// Incidents usual.
    pub expected: f64,
    /// The first condition that failed.
    pub miss: Miss,
}

impl Missed {
    /// How near it came: any that only chance speaks against before any other, and more incidents before fewer.
    pub(in crate::rules) fn nearness(&self) -> f64 {
        match &self.miss {
            Miss::TooCommon { days, needed } => 2.0 + (days / needed).min(1.0),
            Miss::TooFew { needed } => self.observed as f64 / (*needed).max(1) as f64,
            Miss::NotTimesUsual { needed } => {
                1.0 + (self.observed as f64 / (needed * self.expected).max(1e-9)).min(1.0)
            }
            Miss::NotSure { .. } => 1.5,
            Miss::NotRisen { by, needed } => (by / needed).clamp(0.0, 1.0),
            Miss::Alone { holding, needed } => holding.len() as f64 / (*needed).max(1) as f64,
            Miss::NotBelow { .. } => 0.5,
            Miss::TooLittleUsual { .. } | Miss::SourceLate | Miss::NoHistory | Miss::NothingBefore { .. } => {
                0.0
            }
        }
    }

    /// What was seen, and which condition failed by how much, as a sentence without a full stop.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{} seen where {:.1} are usual: {}", self.observed, self.expected, self.why())
    }

    /// Which condition failed by how much.
    #[must_use]
    pub fn why(&self) -> String {
        match &self.miss {
            Miss::TooFew { needed } => {
                let short = needed.saturating_sub(self.observed);
                format!("the rule asks for at least {needed}, {short} more")
            }
            Miss::NotTimesUsual { needed } => {
                let times = self.observed as f64 / self.expected.max(1e-9);
                format!("that is {times:.1} times what is usual, and the rule asks for {needed:.1} times")
            }
            Miss::TooCommon { days, needed } => format!(
                "by chance that comes about once in {days:.0} days anywhere the rule looks, and it asks for once in {needed:.0} days"
            ),
            Miss::TooLittleUsual { needed } => {
                format!("the rule looks only where at least {needed:.0} are usual")
            }
            Miss::NotBelow { needed } => format!(
                "that is {:.0}% of what is usual, and the rule asks for less than {:.0}%",
                100.0 * self.observed as f64 / self.expected.max(1e-9),
                needed * 100.0
            ),
            Miss::SourceLate => "its data are late, so that a fall can't be told from a delay".into(),
            Miss::NotRisen { by, needed } => format!(
                "the share changed by {:.0} points, and the rule asks for a rise of {:.0}",
                by * 100.0,
                needed * 100.0
            ),
            Miss::NotSure { lowest } => {
                format!("the rise of the share is not sure: it may be as low as {:.0} points", lowest * 100.0)
            }
            Miss::NoHistory => "there is too little history to compare with".into(),
            Miss::NothingBefore { after } => format!("{after} has not held nearby in that time"),
            Miss::Alone { holding, needed } => match holding.as_slice() {
                [] => format!("none of the rules it combines holds, and it asks for {needed}"),
                some => {
                    format!("only {} holds there, and it asks for {needed} of its rules", some.join(" and "))
                }
            },
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.area {
            Some(area) => format!("{} {}", area.kind.code(), area.code),
            None => format!("ward {}", self.wards.first().map_or("none", String::as_str)),
        };
        write!(f, "{place}: {}", self.in_words())
    }
}
