//! What is counted apart. In the county's pack the categories are the monitored strands of hate crime.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The most categories one area pack may name: a set of them is a 32-bit mask.
pub const MAX_CATEGORIES: usize = 32;

/// An area pack names more categories than a [`CategorySet`] can hold, or one of them twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an area pack can name at most {MAX_CATEGORIES} different categories; {0}")]
pub struct TooManyCategories(String);

/// The categories of an area pack, in the pack's own order. Position is identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Categories {
    codes: Vec<String>,
}

impl Categories {
    /// Takes the pack's list.
    ///
    /// # Errors
    ///
    /// When there are more than [`MAX_CATEGORIES`], or a code stands there twice.
    pub fn new(codes: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, TooManyCategories> {
        let codes: Vec<String> = codes.into_iter().map(Into::into).collect();
        if codes.len() > MAX_CATEGORIES {
            return Err(TooManyCategories(format!("this one names {}", codes.len())));
        }
        for (place, code) in codes.iter().enumerate() {
            if codes[..place].contains(code) {
                return Err(TooManyCategories(format!("`{code}` stands there twice")));
            }
        }
        Ok(Self { codes })
    }

    /// The codes in the pack's order.
    #[must_use]
    pub fn codes(&self) -> &[String] {
        &self.codes
    }

    /// The set that holds just this code, or `None` when the pack does not know it.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<CategorySet> {
        self.codes.iter().position(|known| known == code).map(|place| CategorySet(1 << place))
    }

    /// Every category of the pack.
    #[must_use]
    pub fn all(&self) -> CategorySet {
        CategorySet(((1_u64 << self.codes.len()) - 1) as u32)
    }

    /// The codes in a set, in the pack's order.
    pub fn names(&self, set: CategorySet) -> impl Iterator<Item = &str> {
        self.codes
            .iter()
            .enumerate()
            .filter(move |(place, _)| set.0 & (1 << place) != 0)
            .map(|(_, code)| code.as_str())
    }
}

impl TryFrom<Vec<String>> for Categories {
    type Error = TooManyCategories;

    fn try_from(codes: Vec<String>) -> Result<Self, Self::Error> {
        Self::new(codes)
    }
}

impl From<Categories> for Vec<String> {
    fn from(categories: Categories) -> Self {
        categories.codes
    }
}

/// Which categories an incident carries, or a rule looks at. An incident may carry several: counting incidents in a
/// set counts each once, however many of its categories are in the set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct CategorySet(u32);

impl CategorySet {
    /// No category at all.
    pub const EMPTY: Self = Self(0);

    /// As a mask: bit n stands for the n-th category of the pack.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// From a mask.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two sets share a category.
    #[must_use]
    pub fn touches(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// How many categories are in the set: the *mentions* of an incident.
    #[must_use]
    pub fn mentions(self) -> u32 {
        self.0.count_ones()
    }
}

impl fmt::Debug for CategorySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CategorySet({:#b})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_in_two_categories_is_one_incident_and_two_mentions() {
        let pack = Categories::new(["race", "religion", "disability"]).unwrap();
        let both = pack.find("race").unwrap().with(pack.find("religion").unwrap());
        assert_eq!(both.mentions(), 2);
        assert!(both.touches(pack.find("religion").unwrap()));
        assert!(!both.touches(pack.find("disability").unwrap()));
        assert_eq!(pack.names(both).collect::<Vec<_>>(), ["race", "religion"]);
        assert_eq!(pack.all().mentions(), 3);
    }

    #[test]
    fn a_pack_of_thirty_two_is_the_largest() {
        let codes = |n: usize| (0..n).map(|i| format!("c{i}")).collect::<Vec<_>>();
        assert_eq!(Categories::new(codes(32)).unwrap().all().mentions(), 32);
        assert!(Categories::new(codes(33)).is_err());
        assert!(Categories::new(["race", "race"]).unwrap_err().to_string().contains("`race`"));
    }
}
