//! Two years of an area as a picture: bars that can be counted, with the normal range behind them.

use crate::{detect::Past, model::Window};
use chrono::{Datelike, NaiveDate};
use std::fmt::Write;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 280.0;
/// Room for the numbers of the axis and for the months.
const LEFT: f64 = 34.0;
const BELOW: f64 = 26.0;
const ABOVE: f64 = 24.0;

/// One window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bar {
    pub(super) window: Window,
    pub(super) count: u64,
    /// What was usual in it, where that can be said.
    pub(super) usual: Option<f64>,
    /// Its normal range, where that can be said.
    pub(super) range: Option<(u64, u64)>,
}

impl From<&Past> for Bar {
    fn from(past: &Past) -> Self {
        Self {
            window: past.window,
            count: past.observed,
            usual: Some(past.expected),
            range: Some(past.usual_range),
        }
    }
}

/// Whole numbers on the axis, at most five of them.
fn ticks(most: u64) -> Vec<u64> {
    let steps = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000];
    let step = steps.into_iter().find(|step| most <= 4 * step).unwrap_or(most.div_ceil(4));
    (0..=most.div_ceil(step)).map(|n| n * step).collect()
}

/// The drawing as SVG; a table beside it says the same. Days on which recording changed are lines through it, with a number that
/// the text around it explains. Empty without windows.
pub(super) fn curve(past: &[Bar], changes: &[NaiveDate], label: &str) -> String {
    let Some(last) = past.last() else { return String::new() };
    let most =
        past.iter().map(|one| one.count.max(one.range.map_or(0, |range| range.1))).max().unwrap_or(0).max(4);
    let ticks = ticks(most);
    let top = ticks.last().copied().unwrap_or(most) as f64;
    let (wide, tall) = ((WIDTH - LEFT) / past.len() as f64, HEIGHT - ABOVE - BELOW);
    let x = |place: usize| LEFT + place as f64 * wide;
    let y = |count: f64| ABOVE + tall * (1.0 - count / top);
    let mut svg = format!(
        "<svg class=\"curve\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        minijinja::HtmlEscape(label)
    );
    for tick in &ticks {
        let at = y(*tick as f64);
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"tick\" \
             x=\"{:.0}\" y=\"{:.1}\">{tick}</text>",
            LEFT - 8.0,
            at + 5.0
        );
    }
    for (place, one) in past.iter().enumerate() {
        let Some((low, high)) = one.range.map(|(low, high)| (low as f64, high as f64)) else { continue };
        let _ = write!(
            svg,
            "<rect class=\"band\" x=\"{:.2}\" width=\"{:.2}\" y=\"{:.1}\" height=\"{:.1}\"/>",
            x(place),
            // Neighbours touch without a seam.
            wide + 0.3,
            y(high),
            (y(low) - y(high)).max(1.0)
        );
    }
    let mut year = None;
    for (place, one) in past.iter().enumerate() {
        let is_last = place + 1 == past.len();
        let class = if is_last { "now" } else { "past" };
        let bar = (wide * 0.62).max(1.5);
        let middle = x(place) + wide / 2.0;
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{:.2}\" width=\"{bar:.2}\" y=\"{:.1}\" height=\"{:.1}\"/>",
            middle - bar / 2.0,
            y(one.count as f64),
            y(0.0) - y(one.count as f64),
        );
        if let Some(usual) = one.usual {
            let (left, right, at) = (x(place), x(place) + wide, y(usual));
            let _ = write!(
                svg,
                "<line class=\"usual\" x1=\"{left:.2}\" x2=\"{right:.2}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"
            );
        }
        // Each year where it begins, and the first window.
        if year != Some(one.window.last.year()) && x(place) < WIDTH - 60.0 {
            year = Some(one.window.last.year());
            let text = if place == 0 { month(one.window.first) } else { one.window.last.year().to_string() };
            let _ = write!(
                svg,
                "<text class=\"year\" x=\"{:.1}\" y=\"{:.0}\">{text}</text>",
                x(place),
                HEIGHT - 6.0
            );
        }
    }
    for (number, change) in changes.iter().enumerate() {
        let Some(place) = past.iter().position(|one| one.window.holds(*change)) else { continue };
        let _ = write!(
            svg,
            "<line class=\"change\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"14\" y2=\"{1:.1}\"/><text class=\"change\" x=\"{0:.1}\" \
             y=\"11\">{2}</text>",
            x(place),
            HEIGHT - BELOW,
            number + 1
        );
    }
    let _ = write!(
        svg,
        "<text class=\"count\" x=\"{:.1}\" y=\"{:.1}\">{}</text></svg>",
        WIDTH - 2.0,
        (y(last.count as f64) - 6.0).max(16.0),
        last.count
    );
    svg
}

fn month(day: NaiveDate) -> String {
    day.format("%b %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_whole_numbers_and_room_for_all() {
        for most in 1..3_000 {
            let ticks = ticks(most);
            assert!(ticks.len() <= 5 && *ticks.last().unwrap() >= most, "{most}: {ticks:?}");
        }
    }

    #[test]
    fn a_label_stays_a_label() {
        let past = Bar {
            window: Window::ending("2026-06-29".parse().unwrap(), 28),
            count: 9,
            usual: Some(2.1),
            range: Some((0, 5)),
        };
        let svg = curve(&[past, past], &["2026-06-03".parse().unwrap()], "9 in \"Belgrave\" <b>");
        assert!(svg.contains("9 in &quot;Belgrave&quot; &lt;b&gt;") && !svg.contains("<b>"), "{svg}");
        assert!(svg.contains(">9</text>"), "{svg}");
        assert!(svg.contains("class=\"change\""), "{svg}");
        assert_eq!(curve(&[], &[], "x"), "");
    }
}
