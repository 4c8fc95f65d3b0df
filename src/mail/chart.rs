//! The one picture of a message: counts that can be counted, against their own normal.
//!
//! Drawn as SVG on an opaque pale ground, so that it stays readable where a mail program turns everything dark, and
//! stored as PNG at twice its size.

use super::{
    context::History,
    words::{counted, days_from_to, range, span, thousands, usual_figure},
};
use crate::model::AlertLevel;
use chrono::{Datelike, NaiveDate};
use resvg::{tiny_skia, usvg};
use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

/// Width in a message.
pub const WIDTH: u32 = 552;
/// Height in a message.
pub const HEIGHT: u32 = 236;
const SCALE: f32 = 2.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 388.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 196.0;
/// More bars than these are not told apart on a phone.
pub(super) const MOST_BARS: usize = 26;

/// A picture that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the chart could not be drawn: {0}")]
pub struct ChartError(String);

static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(dejavu::sans_condensed::regular().to_vec());
    fonts.load_font_data(dejavu::sans_condensed::bold().to_vec());
    Arc::new(fonts)
});

/// The chart as PNG.
///
/// # Errors
///
/// When there is nothing to draw, or it can't be drawn.
pub fn png(history: &History, level: AlertLevel) -> Result<Vec<u8>, ChartError> {
    rasterised(&svg(history, level)?, (WIDTH, HEIGHT))
}

/// A drawing as PNG at twice its width and height; letters are those of the program.
///
/// # Errors
///
/// When it can't be drawn.
pub fn rasterised(svg: &str, (width, height): (u32, u32)) -> Result<Vec<u8>, ChartError> {
    let options = usvg::Options { fontdb: Arc::clone(&FONTS), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options).map_err(|cause| ChartError(cause.to_string()))?;
    let (width, height) = (width * SCALE as u32, height * SCALE as u32);
    let mut picture =
        tiny_skia::Pixmap::new(width, height).ok_or_else(|| ChartError("no room for it".into()))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
    picture.encode_png().map_err(|cause| ChartError(cause.to_string()))
}

/// What the chart shows, in a sentence, for readers without the picture. `days` is the length of one window.
#[must_use]
pub fn alternative(history: &History, days: u32) -> String {
    let bars = shown(history);
    let Some(((last, now), before)) = bars.split_last() else { return String::new() };
    let mut text = format!(
        "Bar chart of reports in {}, up to {}. The last bar stands for {}. {} is usual and {} is the normal range",
        span(days),
        days_from_to(*last, *last),
        counted(u64::from(*now), "report"),
        usual_figure(history.expected),
        range(history.usual_range),
    );
    if let Some(most) = before.iter().map(|(_, count)| *count).max() {
        let _ = match before.len() {
            1 => write!(text, "; the bar before it stands for {most}"),
            earlier => write!(text, "; none of the {earlier} bars before it stands for more than {most}"),
        };
    }
    text.push('.');
    text
}

fn shown(history: &History) -> &[(NaiveDate, u32)] {
    &history.counts[history.counts.len().saturating_sub(MOST_BARS)..]
}

/// Where things lie.
struct Plane {
    top: f64,
    step: f64,
    bars: usize,
}

impl Plane {
    fn y(&self, count: f64) -> f64 {
        BOTTOM - count.clamp(0.0, self.top) / self.top * (BOTTOM - TOP)
    }

    fn slot(&self) -> f64 {
        (RIGHT - LEFT) / self.bars as f64
    }

    fn bar(&self, n: usize) -> (f64, f64) {
        let width = (self.slot() * 0.68).min(26.0);
        (LEFT + self.slot() * (n as f64 + 0.5) - width / 2.0, width)
    }
}

fn svg(history: &History, level: AlertLevel) -> Result<String, ChartError> {
    let bars = shown(history);
    let Some((&(_, now), before)) = bars.split_last() else {
        return Err(ChartError("there are no counts".into()));
    };
    let most = bars.iter().map(|(_, count)| f64::from(*count)).fold(0.0, f64::max);
    let (top, step) = axis(most.max(history.usual_range.1 as f64).max(1.0));
    let plane = Plane { top, step, bars: bars.len() };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"DejaVu Sans Condensed, DejaVu Sans\" font-stretch=\"condensed\" font-size=\"16\" fill=\"#44514f\">\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#f3f5f3\"/>"
    );
    background(&mut out, history, &plane);
    for (n, (_, count)) in before.iter().enumerate() {
        bar(&mut out, &plane, n, *count, "fill=\"#728280\"");
    }
    let paint = format!("fill=\"{}\" stroke=\"#13201f\" stroke-width=\"1.6\"", colour(level));
    bar(&mut out, &plane, before.len(), now, &paint);
    let _ = write!(out, "<path d=\"M{LEFT} {BOTTOM}H{RIGHT}\" stroke=\"#5f6d6b\" stroke-width=\"1.2\"/>");
    dates(&mut out, bars, &plane);
    labels(&mut out, history, now, &plane);
    out.push_str("</svg>");
    Ok(out)
}

fn background(out: &mut String, history: &History, plane: &Plane) {
    let (high, low) = (plane.y(history.usual_range.1 as f64), plane.y(history.usual_range.0 as f64));
    let (width, height) = (RIGHT - LEFT, (low - high).max(2.0));
    let _ = write!(
        out,
        "<rect x=\"{LEFT}\" y=\"{high:.1}\" width=\"{width}\" height=\"{height:.1}\" fill=\"#d6dedb\"/>"
    );
    let mut tick = 0.0;
    while tick <= plane.top {
        let (x, y) = (LEFT - 10.0, plane.y(tick) + 5.5);
        let _ =
            write!(out, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>", thousands(tick as u64));
        tick += plane.step;
    }
    let y = plane.y(history.expected.max(0.0));
    let _ = write!(out, "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#5f6d6b\" stroke-width=\"1.4\"/>");
}

fn bar(out: &mut String, plane: &Plane, n: usize, count: u32, paint: &str) {
    if count > 0 {
        let ((x, width), y) = (plane.bar(n), plane.y(f64::from(count)));
        let height = BOTTOM - y;
        let _ = write!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" {paint}/>"
        );
    }
}

/// The last day under the last bar; months where they begin, as far as there is room.
fn dates(out: &mut String, bars: &[(NaiveDate, u32)], plane: &Plane) {
    const ROOM: f64 = 62.0;
    let Some((last, _)) = bars.last() else { return };
    let y = BOTTOM + 24.0;
    let (left, width) = plane.bar(bars.len() - 1);
    let middle = (left + width / 2.0).min(RIGHT - 24.0);
    let day = last.format("%-d %b");
    let _ = write!(out, "<text x=\"{middle:.1}\" y=\"{y}\" text-anchor=\"middle\">{day}</text>");
    let mut free_from = LEFT;
    for (n, pair) in bars.windows(2).enumerate() {
        let x = plane.bar(n + 1).0;
        if pair[0].0.month() != pair[1].0.month() && x >= free_from && x + 2.0 * ROOM <= RIGHT {
            let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y}\">{}</text>", pair[1].0.format("%b"));
            free_from = x + ROOM;
        }
    }
}

/// Beside the plot, each at its own height as far as the others leave room.
fn labels(out: &mut String, history: &History, now: u32, plane: &Plane) {
    const ROOM: f64 = 24.0;
    let (low, high) = history.usual_range;
    let mut labels = [
        (
            plane.y(f64::from(now)) + 6.0,
            counted(u64::from(now), "report"),
            " font-weight=\"700\" fill=\"#13201f\"",
        ),
        (plane.y(high as f64) + 14.0, format!("Normal, {}", range((low, high))), ""),
        (plane.y(history.expected) + 6.0, format!("Usual, {}", usual_figure(history.expected)), ""),
    ];
    labels.sort_by(|one, other| one.0.total_cmp(&other.0));
    let lowest = BOTTOM + 4.0;
    labels[1].0 = labels[1].0.max(labels[0].0 + ROOM);
    labels[2].0 = labels[2].0.max(labels[1].0 + ROOM).min(lowest);
    labels[1].0 = labels[1].0.min(labels[2].0 - ROOM);
    labels[0].0 = labels[0].0.min(labels[1].0 - ROOM);
    for (y, text, paint) in labels {
        let x = RIGHT + 14.0;
        let _ = write!(out, "<text x=\"{x}\" y=\"{y:.1}\"{paint}>{text}</text>");
    }
}

/// A round top at or above the highest value, and a whole step with at most four of them to the top.
fn axis(highest: f64) -> (f64, f64) {
    let mut size = 1.0;
    loop {
        for step in [1.0, 2.0, 3.0, 5.0].map(|step| step * size) {
            if highest <= step * 4.0 {
                return ((highest / step).ceil() * step, step);
            }
        }
        size *= 10.0;
    }
}

fn colour(level: AlertLevel) -> &'static str {
    match level {
        AlertLevel::Watch => "#8ec3c9",
        AlertLevel::Elevated => "#337d89",
        AlertLevel::Severe => "#083c49",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn history(counts: &[u32], expected: f64, usual_range: (u64, u64)) -> History {
        let last: NaiveDate = "2026-06-29".parse().unwrap();
        let day = |n: usize| last - chrono::Days::new(7 * (counts.len() - 1 - n) as u64);
        let counts = counts.iter().enumerate().map(|(n, count)| (day(n), *count)).collect();
        History { counts, expected, usual_range }
    }

    #[test]
    fn the_picture_is_told_in_a_sentence_too() {
        insta::assert_snapshot!(
            alternative(&history(&[2, 1, 5, 0, 9], 2.3, (0, 6)), 7),
            @"Bar chart of reports in 7 days, up to 29 June 2026. The last bar stands for 9 reports. 2.3 is usual and 0 to 6 is the normal range; none of the 4 bars before it stands for more than 5."
        );
        assert!(
            alternative(&history(&[3, 9], 2.3, (0, 6)), 28).ends_with("; the bar before it stands for 3.")
        );
        assert!(alternative(&history(&[1], 0.01, (0, 0)), 1).contains("stands for 1 report. less than"));
        assert_eq!(alternative(&history(&[], 1.0, (0, 3)), 7), "");
    }

    #[test]
    fn it_is_drawn_with_letters_on_opaque_ground_at_twice_its_size() {
        let drawn = png(&history(&[2, 1, 5, 0, 9], 2.3, (0, 6)), AlertLevel::Elevated).unwrap();
        let picture = tiny_skia::Pixmap::decode_png(&drawn).unwrap();
        assert_eq!((picture.width(), picture.height()), (1104, 472));
        assert!(picture.pixels().iter().all(|pixel| pixel.alpha() == 255));
        // The label beside the last bar is there: without a font, nothing is drawn and nobody says so.
        let dark = |x: u32, y: u32| picture.pixel(x, y).is_some_and(|pixel| pixel.red() < 60);
        assert!((804..1104).any(|x| (40..100).any(|y| dark(x, y))), "no letters");
        assert!(png(&history(&[0; 0], 1.0, (0, 1)), AlertLevel::Watch).is_err());
    }

    #[test]
    fn axes_are_whole_and_short() {
        assert_eq!(
            [1.0, 4.0, 9.0, 13.0, 41.0, 230.0].map(axis),
            [(1.0, 1.0), (4.0, 1.0), (9.0, 3.0), (15.0, 5.0), (60.0, 20.0), (300.0, 100.0)]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_counts_can_be_drawn(
            counts in prop::collection::vec(prop_oneof![0_u32..20, any::<u32>()], 1..40),
            expected in any::<f64>(),
            low in any::<u64>(),
            high in any::<u64>(),
        ) {
            let history = history(&counts, expected, (low, high));
            prop_assert!(png(&history, AlertLevel::Severe).is_ok());
            prop_assert!(alternative(&history, 7).contains("Bar chart"));
        }
    }
}
