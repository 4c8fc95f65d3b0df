//! Small pictures of a series: bars that can be counted, with the normal range behind them.

use chrono::NaiveDate;
use std::fmt::Write;

/// A drawing of weekly counts as SVG; decoration beside a table that says the same.
pub(super) fn spark(weeks: &[(NaiveDate, u32)]) -> String {
    let most = weeks.iter().map(|week| week.1).max().unwrap_or(0).max(4);
    let (width, height) = (weeks.len() * 5, 26);
    let mut svg = format!(
        "<svg class=\"spark\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" aria-hidden=\"true\">"
    );
    for (place, (_, count)) in weeks.iter().enumerate() {
        let tall = (f64::from(*count) / f64::from(most) * 24.0).max(1.0);
        let class = if place + 1 == weeks.len() { "now" } else { "past" };
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{}\" y=\"{:.1}\" width=\"4\" height=\"{tall:.1}\"/>",
            place * 5,
            25.0 - tall
        );
    }
    svg + "</svg>"
}
