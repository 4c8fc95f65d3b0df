//! Small pictures of a series: bars that can be counted, with the normal range behind them.

use chrono::NaiveDate;
use std::fmt::Write;

/// A drawing of weekly counts as SVG; decoration beside a table that says the same. A page has hundreds of them: all bars are
/// one path, in whole units.
pub(super) fn spark(weeks: &[(NaiveDate, u32)]) -> String {
    let most = weeks.iter().map(|week| week.1).max().unwrap_or(0).max(4);
    let tall = |count: u32| (f64::from(count) / f64::from(most) * 24.0).round().max(1.0);
    let (last, before) = match weeks.split_last() {
        Some((last, before)) => (Some(last), before),
        None => (None, weeks),
    };
    // From the foot of each bar up, and down again at the foot of the next.
    let mut past = String::from("M2 25");
    for (_, count) in before {
        let _ = write!(past, "v-{0}m5 {0}", tall(*count));
    }
    let now =
        last.map_or_else(String::new, |(_, count)| format!("M{} 25v-{}", before.len() * 5 + 2, tall(*count)));
    let width = weeks.len() * 5;
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 {width} 26\" width=\"{width}\" height=\"26\" aria-hidden=\"true\">\
         <path class=\"past\" d=\"{past}\"/><path class=\"now\" d=\"{now}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_side_by_side_on_one_foot() {
        let day = "2026-06-29".parse().unwrap();
        let svg = spark(&[(day, 4), (day, 0), (day, 2)]);
        assert!(svg.contains("d=\"M2 25v-24m5 24v-1m5 1\"") && svg.contains("d=\"M12 25v-12\""), "{svg}");
        assert!(spark(&[]).contains("width=\"0\""));
    }
}
