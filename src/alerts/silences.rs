//! Whether somebody asked for quiet about a finding.

use crate::model::{Finding, Geography, Silence};
use chrono::NaiveDate;

/// The last day of the longest silence that covers a finding on a day, if one does.
#[must_use]
pub fn silenced(
    finding: &Finding,
    silences: &[Silence],
    day: NaiveDate,
    geography: &Geography,
) -> Option<NaiveDate> {
    let covering = silences.iter().filter(|silence| covers(silence, finding, day, geography));
    covering.map(|silence| silence.last).max()
}

/// Whether a silence covers a finding on a day. A finding that also lies elsewhere, or is also of another category, is not
/// covered: quiet about one place must not hide another.
#[must_use]
pub fn covers(silence: &Silence, finding: &Finding, day: NaiveDate, geography: &Geography) -> bool {
    let rule = silence.rule.as_ref().is_none_or(|rule| *rule == finding.rule);
    let category = silence.category.as_ref().is_none_or(|only| {
        !finding.categories.is_empty() && finding.categories.iter().all(|code| code == only)
    });
    let place = silence.area.as_ref().is_none_or(|area| {
        !finding.wards.is_empty() && finding.wards.iter().all(|ward| geography.lies_in(ward, area))
    });
    (silence.first..=silence.last).contains(&day) && rule && category && place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::routing::tests::{finding, geography};
    use crate::model::{AreaKind, AreaRef};

    #[test]
    fn a_silence_covers_only_what_lies_wholly_within_it() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let everything = Silence {
            rule: None,
            area: None,
            category: None,
            first: day("2026-06-28"),
            last: day("2026-07-05"),
            reason: "planned march".into(),
            author: "CSP coordinator, Safer Rutland".into(),
        };
        let rutland = Some(AreaRef { kind: AreaKind::Csp, code: "rutland".into() });
        let here = Silence { area: rutland, ..everything.clone() };
        let (inside, across) = (finding(&["oakham"]), finding(&["oakham", "melton"]));
        let covered = |silence: &Silence, found: &Finding| {
            silenced(found, std::slice::from_ref(silence), day("2026-06-29"), &geography())
        };
        assert_eq!(covered(&everything, &across), Some(day("2026-07-05")));
        assert_eq!(covered(&here, &inside), Some(day("2026-07-05")));
        assert_eq!(covered(&here, &across), None, "it also lies elsewhere");
        assert_eq!(covered(&Silence { rule: Some("other".into()), ..here.clone() }, &inside), None);
        assert_eq!(covered(&Silence { category: Some("religion".into()), ..here.clone() }, &inside), None);
        let over = silenced(&inside, &[here], day("2026-07-06"), &geography());
        assert_eq!(over, None, "every silence ends");
    }
}
