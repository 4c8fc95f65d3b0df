//! Solves for the rarity that keeps a budget of false alerts, and proposes the change of the file.

use super::{
    Rule,
    check::values,
    trial::{Rate, YEAR},
};
use std::{collections::BTreeMap, fmt::Write};

/// The commonest threshold on a curve, in days.
pub const COMMONEST: f64 = 7.0;

/// The rarest, in days: ten years.
pub const RAREST: f64 = 3_650.0;

/// Steps between them, evenly on a logarithmic scale: each about 11 % rarer than the one before.
const STEPS: usize = 60;

/// False alerts a year that are accepted, from words as `4 per year` or `1 per month`.
#[must_use]
pub fn budget(text: &str) -> Option<f64> {
    values::budget(text)
}

/// The false alerts of one history.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FalseAlerts {
    /// Over everything that the rule looks at.
    pub all: Rate,
    /// In each partnership, by code.
    pub by_csp: BTreeMap<String, Rate>,
}

impl FalseAlerts {
    /// The rate that a budget is held against: over everything, or in the partnership with most.
    #[must_use]
    pub fn judged(&self, per_csp: bool) -> Rate {
        if !per_csp {
            return self.all;
        }
        let worst = self.by_csp.values().copied().max_by(|a, b| a.a_year.total_cmp(&b.a_year));
        worst.unwrap_or(self.all)
    }
}

/// What a threshold would have brought.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Threshold {
    /// By chance no oftener than once in so many days.
    pub days: f64,
    /// All alerts of the history, those that belong to labelled episodes too.
    pub alerts: Rate,
    /// Alerts of the history that belong to no labelled episode.
    pub history: FalseAlerts,
    /// Alerts of the simulated quiet county, where there is one.
    pub simulated: Option<FalseAlerts>,
    /// Labelled episodes that were told of.
    pub found: usize,
    /// Labelled episodes that the rule could have told of.
    pub labelled: usize,
    /// The middle of the lead times of those found, in days before everybody knew.
    pub lead: Option<f64>,
}

impl Threshold {
    /// Whether both histories keep a budget of false alerts a year.
    #[must_use]
    pub fn keeps(&self, budget: f64, per_csp: bool) -> bool {
        let all = [Some(&self.history), self.simulated.as_ref()];
        all.into_iter().flatten().all(|one| one.judged(per_csp).a_year <= budget)
    }
}

/// The thresholds that are tried, in whole days, with the rule's own and what its level promises. Rising.
#[must_use]
pub fn grid(rule: &Rule) -> Vec<f64> {
    let step = (RAREST / COMMONEST).ln() / (STEPS - 1) as f64;
    let mut all: Vec<f64> = (0..STEPS).map(|n| (COMMONEST * (step * n as f64).exp()).round()).collect();
    all.extend([rule.rarer_than_days, rule.level.promised_days()]);
    all.sort_by(f64::total_cmp);
    all.dedup_by(|a, b| (*a - *b).abs() < 0.5);
    all
}

/// The place of the commonest threshold from which on every rarer one keeps the budget as well; none when not even the
/// rarest does.
#[must_use]
pub fn solve(curve: &[Threshold], budget: f64, per_csp: bool) -> Option<usize> {
    let kept = curve.iter().rev().take_while(|one| one.keeps(budget, per_csp)).count();
    (kept > 0).then(|| curve.len() - kept)
}

/// Years of quiet history with no false alert at all after which the upper limit of the interval lies at the budget.
#[must_use]
pub fn years_wanted(budget: f64) -> f64 {
    Rate::of(0, 1.0).high / budget.max(1e-9)
}

/// The middle of some lead times.
#[must_use]
pub fn middle(mut days: Vec<i64>) -> Option<f64> {
    days.sort_unstable();
    let half = days.len() / 2;
    let upper = *days.get(half)? as f64;
    Some(if days.len() % 2 == 1 { upper } else { f64::midpoint(upper, days[half - 1] as f64) })
}

/// A rate as alerts a month.
#[must_use]
pub fn a_month(a_year: f64) -> f64 {
    a_year / 12.0
}

/// Nights as years.
#[must_use]
pub fn years(nights: usize) -> f64 {
    nights as f64 / YEAR
}

/// The change of a rule file that sets another rarity, as a unified diff: one line, everything else as it was. None when
/// the section of the detector is not in the file.
#[must_use]
pub fn proposal(name: &str, text: &str, section: &str, days: f64) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let header = lines.iter().position(|line| is_header(line, section))?;
    let rest = lines[header + 1..].iter().take_while(|line| !line.trim_start().starts_with('['));
    let at = rest.enumerate().find(|(_, line)| key(line) == Some("rarer_than")).map(|(n, _)| header + 1 + n);
    let value = format!("\"once in {days:.0} days\"");
    let (first, removed, added) = match at {
        Some(at) => (at, Some(lines[at]), replaced(lines[at], &value)?),
        None => (header + 1, None, format!("rarer_than = {value}")),
    };
    let after = first + usize::from(removed.is_some());
    let (from, to) = (first.saturating_sub(3), (after + 3).min(lines.len()));
    let (old, new) = (to - from, to - from + usize::from(removed.is_none()));
    let mut diff = format!("--- {name}\n+++ {name}\n@@ -{},{old} +{},{new} @@\n", from + 1, from + 1);
    for line in &lines[from..first] {
        let _ = writeln!(diff, " {line}");
    }
    if let Some(removed) = removed {
        let _ = writeln!(diff, "-{removed}");
    }
    let _ = writeln!(diff, "+{added}");
    for line in &lines[after..to] {
        let _ = writeln!(diff, " {line}");
    }
    Some(diff)
}

fn is_header(line: &str, section: &str) -> bool {
    let inner = line.trim().strip_prefix('[').and_then(|line| line.split(']').next());
    inner.is_some_and(|inner| inner.trim() == section)
}

fn key(line: &str) -> Option<&str> {
    line.split_once('=').map(|(key, _)| key.trim())
}

/// The line with another value; a comment behind it stays in its column where there is room.
fn replaced(line: &str, value: &str) -> Option<String> {
    let begin = line.find('=')? + 1;
    let open = begin + line[begin..].find(['"', '\''])?;
    let quote = line[open..].chars().next()?;
    let close = open + 1 + line[open + 1..].find(quote)?;
    let (before, after) = (&line[..open], &line[close + 1..]);
    let comment = after.trim_start();
    if comment.is_empty() {
        return Some(format!("{before}{value}"));
    }
    let column = line.chars().count() - comment.chars().count();
    let used = before.chars().count() + value.chars().count();
    let space = column.saturating_sub(used).max(1);
    Some(format!("{before}{value}{}{comment}", " ".repeat(space)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(days: f64, history: usize, simulated: usize) -> Threshold {
        let of = |count| FalseAlerts {
            all: Rate::of(count, 2.0),
            by_csp: BTreeMap::from([("a".into(), Rate::of(count / 2, 2.0)), ("b".into(), Rate::of(0, 2.0))]),
        };
        Threshold {
            days,
            alerts: Rate::of(history, 2.0),
            history: of(history),
            simulated: Some(of(simulated)),
            found: 0,
            labelled: 0,
            lead: None,
        }
    }

    #[test]
    fn the_commonest_threshold_from_which_on_all_keep_the_budget_is_taken() {
        let curve = [
            threshold(10.0, 30, 40),
            threshold(20.0, 8, 8),
            threshold(40.0, 10, 6),
            threshold(80.0, 6, 8),
            threshold(160.0, 2, 3),
        ];
        assert_eq!(solve(&curve, 4.0, false), Some(3), "20 days keeps it, 40 days does not");
        assert_eq!(solve(&curve, 1.5, false), Some(4));
        assert_eq!(solve(&curve, 1.0, false), None);
        assert_eq!(solve(&curve, 2.5, true), Some(1), "the partnership with most has half of them");
        assert_eq!(solve(&[], 4.0, false), None);
    }

    #[test]
    fn budgets_are_read_as_rule_files_write_them() {
        assert_eq!([budget("4 per year"), budget("1 per month"), budget("4")], [Some(4.0), Some(12.0), None]);
        // Garwood: none seen, at most 3.689 expected.
        assert!((years_wanted(4.0) - 0.922).abs() < 1e-3);
    }

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        assert_eq!(
            [middle(vec![5, -2, 9]), middle(vec![4, 1]), middle(vec![])],
            [Some(5.0), Some(2.5), None]
        );
    }

    #[test]
    fn one_line_changes_and_comments_keep_their_column() {
        let text = "id = \"x\"\n\n[spike]\nat_least    = 4                        # never below\nrarer_than  = \"once in 100 days\"       # by chance\n\n[tell]\nwho = [\"csp\"]\n";
        assert_eq!(
            proposal("rules/x.toml", text, "spike", 1_287.0).unwrap(),
            "--- rules/x.toml\n+++ rules/x.toml\n@@ -2,7 +2,7 @@\n \n [spike]\n at_least    = 4                        # never below\n-rarer_than  = \"once in 100 days\"       # by chance\n+rarer_than  = \"once in 1287 days\"      # by chance\n \n [tell]\n who = [\"csp\"]\n"
        );
    }

    #[test]
    fn a_rarity_that_was_not_written_is_added() {
        let text = "[repeat]\nof = \"place\"\n[[override]]\nrarer_than = \"once in 9 days\"\n";
        let diff = proposal("a.toml", text, "repeat", 200.0).unwrap();
        assert_eq!(
            diff,
            "--- a.toml\n+++ a.toml\n@@ -1,4 +1,5 @@\n [repeat]\n+rarer_than = \"once in 200 days\"\n of = \"place\"\n [[override]]\n rarer_than = \"once in 9 days\"\n"
        );
        assert_eq!(proposal("a.toml", text, "spike", 200.0), None);
    }
}
