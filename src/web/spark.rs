//! Small pictures of a series: bars that can be counted, with the normal range behind them.

use chrono::NaiveDate;
use std::fmt::Write;

/// A drawing of weekly counts as SVG; decoration beside a table that says the same. A page has hundreds of them: all bars are
/// one path, in whole units.
pub(super) fn spark(weeks: &[(NaiveDate, u32)]) -> String {
    let most = weeks.iter().map(|week| week.1).max().unwrap_or(0).max(4);
    let (mut past, mut now) = (String::new(), String::new());
    for (place, (_, count)) in weeks.iter().enumerate() {
        let tall = (f64::from(*count) / f64::from(most) * 24.0).round().max(1.0);
        let bars = if place + 1 == weeks.len() { &mut now } else { &mut past };
        let _ = write!(bars, "M{} 25v-{tall}h4v{tall}", place * 5);
    }
    let width = weeks.len() * 5;
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 {width} 26\" width=\"{width}\" height=\"26\" aria-hidden=\"true\">\
         <path class=\"past\" d=\"{past}\"/><path class=\"now\" d=\"{now}\"/></svg>"
    )
}
