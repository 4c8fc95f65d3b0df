//! Playbooks: what a partnership usually does about a kind of signal.

use crate::model::{AreaKind, Categories, CategorySet, Finding, Geography, Priority, Role, SignalKind};

/// One suggestion of a playbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Play {
    /// What to do, in a line.
    pub action: String,
    /// For these kinds of signal; empty is any.
    pub signals: Vec<SignalKind>,
    /// For alerts that have one of these categories.
    pub categories: CategorySet,
    /// For alerts in these partnerships, by code; empty is any.
    pub csps: Vec<String>,
    /// What it is for.
    pub priority: Priority,
    /// Who does it.
    pub owner: Role,
    /// Days in which it is to be done.
    pub due_within_days: u32,
}

impl Play {
    /// Whether it is a suggestion for a finding.
    #[must_use]
    pub fn fits(&self, finding: &Finding, categories: &Categories, geography: &Geography) -> bool {
        let signal = self.signals.is_empty() || self.signals.contains(&finding.signal);
        let category = finding
            .categories
            .iter()
            .filter_map(|code| categories.find(code))
            .any(|one| one.touches(self.categories));
        let in_csp =
            |ward: &String| geography.above(ward, AreaKind::Csp).any(|csp| self.csps.contains(&csp.code));
        signal && category && (self.csps.is_empty() || finding.wards.iter().any(in_csp))
    }
}
