//! The curve of a message: a year of counts that can be counted, each against its own normal.
//!
//! Drawn as SVG on an opaque pale ground, so that it stays readable where a mail program turns everything dark, and
//! stored as PNG at twice its size.

use super::{History, Period, indexed};
use crate::{
    model::AlertLevel,
    words::{counted, days_from_to, period, range, span, thousands, usual_figure},
};
use chrono::{Datelike, NaiveDate};
use resvg::{tiny_skia, usvg};
use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

/// Width in a message.
pub const WIDTH: u32 = 552;
/// Height in a message.
pub const HEIGHT: u32 = 240;
const SCALE: f32 = 2.0;
const RIGHT: f64 = 416.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 198.0;
/// The last bar is never thinner, or its colour would not be seen.
const LAST: f64 = 13.0;
/// Letters that a phone shrinks to ten pixels.
const LETTERS: f64 = 17.0;
/// A digit of that size, and a letter of a date.
const DIGIT: f64 = 9.8;
const LETTER: f64 = 8.8;
/// Days of windows that begin in a year of their own.
const LONG: i64 = 62;

pub(super) const GROUND: &str = "#f3f5f3";
pub(super) const INK: &str = "#13201f";
pub(super) const SOFT_INK: &str = "#44514f";
const BAND: &str = "#d2dcd8";
const PAST: &str = "#758684";
/// A bar of the past that was above its own normal.
const PAST_ABOVE: &str = "#36423f";

/// A picture that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the picture could not be drawn: {0}")]
pub struct ChartError(pub(super) String);

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

/// A drawing on an opaque ground as PNG at twice its width and height; letters are those of the program.
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
    indexed::png(&picture)
}

/// The beginning of a drawing: its size, its letters, its ground.
pub(super) fn opened((width, height): (u32, u32)) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"DejaVu Sans Condensed, DejaVu Sans\" font-stretch=\"condensed\" font-size=\"{LETTERS}\" \
         fill=\"{SOFT_INK}\"><rect width=\"{width}\" height=\"{height}\" fill=\"{GROUND}\"/>"
    )
}

/// What the chart shows, in two sentences, for readers without the picture. `days` is the length of one window.
#[must_use]
pub fn alternative(history: &History, days: u32) -> String {
    let Some((last, before)) = history.shown().split_last() else { return String::new() };
    let mut text = format!(
        "Bar chart of reports in {}, up to {}: the last bar stands for {}, where {} is usual and {} is the normal range.",
        span(days),
        days_from_to(last.last, last.last),
        counted(u64::from(last.count), "report"),
        usual_figure(last.expected),
        range(last.usual_range),
    );
    let Some(most) = before.iter().map(|period| period.count).max() else { return text };
    let above = before.iter().filter(|period| period.is_above()).count();
    let word = period(days);
    let _ = match (before.len(), above) {
        (1, 0) => write!(text, " The {word} before had {most}, not above its normal range."),
        (1, _) => write!(text, " The {word} before had {most}, above its normal range."),
        (all, 0) => write!(
            text,
            " None of the {all} {word}s before was above its own normal range; the highest had {most}."
        ),
        (all, 1) => {
            write!(
                text,
                " 1 of the {all} {word}s before was above its own normal range; the highest had {most}."
            )
        }
        (all, above) => write!(
            text,
            " {above} of the {all} {word}s before were above their own normal range; the highest had {most}."
        ),
    };
    text
}

/// Where things lie.
struct Plane {
    left: f64,
    slot: f64,
    /// Width of the last slot.
    last: f64,
    bars: usize,
    top: f64,
    step: f64,
}

impl Plane {
    fn new(bars: &[Period]) -> Self {
        let highest = bars.iter().map(|bar| u64::from(bar.count).max(bar.usual_range.1)).max();
        let (top, step) = axis(highest.unwrap_or(1).max(1) as f64);
        let left = 18.0 + DIGIT * thousands(top as u64).len() as f64;
        let room = RIGHT - left;
        let last = (room / bars.len() as f64).max(LAST);
        let slot = (room - last) / (bars.len() - 1).max(1) as f64;
        // On whole pixels of the stored picture, bars and gaps are all alike.
        let slot = if bars.len() > 13 { (slot * 2.0).floor() / 2.0 } else { slot };
        let left = RIGHT - last - slot * (bars.len() - 1) as f64;
        Self { left, slot, last, bars: bars.len(), top, step }
    }

    fn y(&self, count: f64) -> f64 {
        let count = if count.is_finite() { count } else { 0.0 };
        BOTTOM - count.clamp(0.0, self.top) / self.top * (BOTTOM - TOP)
    }

    /// From where to where a bar's slot goes.
    fn slot(&self, n: usize) -> (f64, f64) {
        let from = self.left + self.slot * n as f64;
        (from, if n + 1 == self.bars { RIGHT } else { from + self.slot })
    }

    fn bar(&self, n: usize) -> (f64, f64) {
        let (from, to) = self.slot(n);
        let width = if n + 1 == self.bars { self.last * 0.7 } else { self.slot * 0.66 }.min(26.0);
        let width = (width * 2.0).round() / 2.0;
        (f64::midpoint(from, to) - width / 2.0, width)
    }
}

fn svg(history: &History, level: AlertLevel) -> Result<String, ChartError> {
    let bars = history.shown();
    let Some((last, before)) = bars.split_last() else {
        return Err(ChartError("there are no counts".into()));
    };
    let plane = Plane::new(bars);
    let mut out = opened((WIDTH, HEIGHT));
    band(&mut out, bars, &plane);
    for (n, past) in before.iter().enumerate() {
        let fill = if past.is_above() { PAST_ABOVE } else { PAST };
        bar(&mut out, &plane, n, plane.y(f64::from(past.count)), &format!("fill=\"{fill}\""));
    }
    usual(&mut out, bars, &plane);
    let paint = format!("fill=\"{}\" stroke=\"{INK}\" stroke-width=\"1.2\"", colour(level));
    // A last count of nothing is a fact, and has a mark too.
    bar(&mut out, &plane, before.len(), plane.y(f64::from(last.count)).min(BOTTOM - 2.5), &paint);
    let left = plane.left;
    let _ = write!(out, "<path d=\"M{left:.1} {BOTTOM}H{RIGHT}\" stroke=\"#5f6d6b\" stroke-width=\"1.2\"/>");
    scale(&mut out, &plane);
    dates(&mut out, bars, &plane);
    labels(&mut out, last, &plane);
    out.push_str("</svg>");
    Ok(out)
}

/// The normal range of each bar, one step a bar: counts are whole, and so are its ends.
fn band(out: &mut String, bars: &[Period], plane: &Plane) {
    let mut path = format!("M{:.1} {BOTTOM}", plane.left);
    for (n, bar) in bars.iter().enumerate() {
        let _ = write!(path, "V{:.1}H{:.1}", plane.y(bar.usual_range.1 as f64), plane.slot(n).1);
    }
    for (n, bar) in bars.iter().enumerate().rev() {
        // Where nothing else than a count is normal, it is a line.
        let (low, high) = (plane.y(bar.usual_range.0 as f64), plane.y(bar.usual_range.1 as f64));
        let _ = write!(path, "V{:.1}H{:.1}", low.max(high + 1.5).min(BOTTOM), plane.slot(n).0);
    }
    let _ = write!(out, "<path d=\"{path}Z\" fill=\"{BAND}\"/>");
}

/// The line of what is usual, with a halo where it crosses bars.
fn usual(out: &mut String, bars: &[Period], plane: &Plane) {
    let mut path = String::new();
    for (n, bar) in bars.iter().enumerate() {
        let ((from, to), y) = (plane.slot(n), plane.y(bar.expected));
        let _ =
            if n == 0 { write!(path, "M{from:.1} {y:.1}H{to:.1}") } else { write!(path, "V{y:.1}H{to:.1}") };
    }
    let _ = write!(
        out,
        "<g fill=\"none\" stroke-linejoin=\"round\"><path d=\"{path}\" stroke=\"{GROUND}\" stroke-opacity=\".75\" \
         stroke-width=\"3.4\"/><path d=\"{path}\" stroke=\"{INK}\" stroke-width=\"1.4\"/></g>"
    );
}

fn scale(out: &mut String, plane: &Plane) {
    let mut tick = 0.0;
    while tick <= plane.top {
        let (x, y) = (plane.left - 8.0, plane.y(tick) + 6.0);
        let figure = thousands(tick as u64);
        let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{figure}</text>");
        tick += plane.step;
    }
}

fn bar(out: &mut String, plane: &Plane, n: usize, y: f64, paint: &str) {
    let ((x, width), height) = (plane.bar(n), BOTTOM - y);
    if height > 0.0 {
        let _ = write!(
            out,
            "<rect x=\"{x:.2}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" {paint}/>"
        );
    }
}

/// The last day under the last bar; a tick where a month begins, and its name where there is room for every one, every
/// second, every third.
fn dates(out: &mut String, bars: &[Period], plane: &Plane) {
    let Some(last) = bars.last() else { return };
    let y = BOTTOM + 25.0;
    let (left, width) = plane.bar(bars.len() - 1);
    let middle = left + width / 2.0;
    let day = last.last.format("%-d %b").to_string();
    let free_to = middle - LETTER * day.len() as f64 / 2.0 - 8.0;
    let _ = write!(
        out,
        "<text x=\"{middle:.1}\" y=\"{y}\" text-anchor=\"middle\" font-weight=\"700\" fill=\"{INK}\">{day}</text>"
    );
    let begins: Vec<(f64, NaiveDate)> = bars
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| month(pair[0].last) != month(pair[1].last))
        .map(|(n, pair)| (plane.slot(n + 1).0, pair[1].last))
        .collect();
    for (x, _) in &begins {
        let to = BOTTOM + 6.0;
        let _ = write!(out, "<path d=\"M{x:.1} {BOTTOM}V{to}\" stroke=\"#5f6d6b\" stroke-width=\"1.2\"/>");
    }
    let long = bars.windows(2).any(|pair| (pair[1].last - pair[0].last).num_days() > LONG);
    let of_every = |every: u32| -> Vec<(f64, f64, String)> {
        begins
            .iter()
            .filter(|(_, day)| day.month0().is_multiple_of(every))
            .map(|(x, day)| {
                let text = day.format(if long || day.month() == 1 { "%b %Y" } else { "%b" }).to_string();
                (*x, x + LETTER * text.len() as f64, text)
            })
            .filter(|(_, to, _)| *to <= free_to)
            .collect()
    };
    let fits = |names: &Vec<(f64, f64, String)>| names.windows(2).all(|pair| pair[0].1 + 8.0 <= pair[1].0);
    let names = [1, 2, 3, 6, 12].into_iter().map(of_every).find(|names| !names.is_empty() && fits(names));
    for (x, _, name) in names.unwrap_or_default() {
        let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y}\">{name}</text>");
    }
}

fn month(day: NaiveDate) -> (i32, u32) {
    (day.year(), day.month())
}

/// Beside the plot, each at its own height as far as the others leave room.
fn labels(out: &mut String, last: &Period, plane: &Plane) {
    const LINE: f64 = 21.0;
    const GAP: f64 = 5.0;
    let bold = format!(" font-weight=\"700\" fill=\"{INK}\"");
    let (low, high) = last.usual_range;
    // The middle of each, and its lines.
    let mut labels = [
        (plane.y(f64::from(last.count)), vec![counted(u64::from(last.count), "report")], bold.as_str()),
        (plane.y(high as f64) + LINE, vec!["Normal range".into(), range((low, high))], ""),
        (plane.y(last.expected), vec![format!("Usual {}", usual_figure(last.expected))], ""),
    ];
    labels.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut tops = [0.0; 3];
    let mut free = 4.0;
    for (top, (middle, lines, _)) in tops.iter_mut().zip(&labels) {
        let height = LINE * lines.len() as f64;
        *top = (middle - height / 2.0).max(free);
        free = *top + height + GAP;
    }
    let mut free = BOTTOM + 5.0;
    for (top, (_, lines, _)) in tops.iter_mut().zip(&labels).rev() {
        *top = top.min(free - LINE * lines.len() as f64);
        free = *top - GAP;
    }
    for (top, (_, lines, paint)) in tops.iter().zip(&labels) {
        for (n, text) in lines.iter().enumerate() {
            let (x, y) = (RIGHT + 12.0, top + LINE * n as f64 + 16.0);
            let size = if text.chars().count() > 13 { " font-size=\"14\"" } else { "" };
            let _ = write!(out, "<text x=\"{x}\" y=\"{y:.1}\"{paint}{size}>{text}</text>");
        }
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
        let counts = counts.iter().enumerate().map(|(n, count)| (day(n), *count));
        History::constant(counts, expected, usual_range)
    }

    fn at(picture: &tiny_skia::Pixmap, x: f64, y: f64) -> String {
        let pixel = picture.pixel((x * 2.0) as u32, (y * 2.0) as u32).unwrap();
        format!("#{:02x}{:02x}{:02x}", pixel.red(), pixel.green(), pixel.blue())
    }

    #[test]
    fn the_picture_is_told_in_two_sentences_too() {
        insta::assert_snapshot!(
            alternative(&history(&[2, 1, 5, 0, 9], 2.3, (0, 6)), 7),
            @"Bar chart of reports in 7 days, up to 29 June 2026: the last bar stands for 9 reports, where 2.3 is usual and 0 to 6 is the normal range. None of the 4 weeks before was above its own normal range; the highest had 5."
        );
        let end = |counts: &[u32], days| {
            let told = alternative(&history(counts, 2.3, (0, 6)), days);
            told.split_once(". ")
                .map_or(String::new(), |(_, end)| end.rsplit("range. ").next().unwrap().to_owned())
        };
        assert_eq!(
            end(&[7, 0, 1], 1),
            "1 of the 2 days before was above its own normal range; the highest had 7."
        );
        assert_eq!(
            end(&[7, 8, 1, 0], 28),
            "2 of the 3 periods before were above their own normal range; the highest had 8."
        );
        assert_eq!(end(&[3, 9], 28), "The period before had 3, not above its normal range.");
        assert_eq!(end(&[8, 9], 7), "The week before had 8, above its normal range.");
        let one = alternative(&history(&[1], 0.01, (0, 0)), 1);
        assert!(
            one.ends_with("stands for 1 report, where less than 0.1 is usual and 0 is the normal range."),
            "{one}"
        );
        assert_eq!(alternative(&history(&[], 1.0, (0, 3)), 7), "");
    }

    #[test]
    fn it_is_drawn_with_letters_on_opaque_ground_at_twice_its_size() {
        let history = history(&[2, 1, 5, 0, 9], 2.3, (0, 6));
        let drawn = png(&history, AlertLevel::Elevated).unwrap();
        assert_eq!(drawn, png(&history, AlertLevel::Elevated).unwrap());
        let picture = tiny_skia::Pixmap::decode_png(&drawn).unwrap();
        assert_eq!((picture.width(), picture.height()), (1104, 480));
        assert!(picture.pixels().iter().all(|pixel| pixel.alpha() == 255));
        assert_eq!(at(&picture, 1.0, 1.0), GROUND);
        // The label beside the last bar is there: without a font, nothing is drawn and nobody says so.
        let dark = |x: u32, y: u32| picture.pixel(x, y).is_some_and(|pixel| pixel.red() < 60);
        assert!((856..1104).any(|x| (10..60).any(|y| dark(x, y))), "no letters");
        assert!(png(&History::default(), AlertLevel::Watch).is_err());
    }

    #[test]
    fn each_bar_stands_against_its_own_normal() {
        let mut history = history(&[4; 52], 5.0, (2, 8));
        history.periods[10].usual_range = (0, 3);
        let plane = Plane::new(&history.periods);
        let picture = tiny_skia::Pixmap::decode_png(&png(&history, AlertLevel::Severe).unwrap()).unwrap();
        let middle = |n| f64::midpoint(plane.slot(n).0, plane.slot(n).1);
        assert_eq!(at(&picture, middle(9), plane.y(1.0)), PAST);
        assert_eq!(at(&picture, middle(10), plane.y(1.0)), PAST_ABOVE);
        assert_eq!(at(&picture, middle(51), plane.y(1.0)), colour(AlertLevel::Severe));
        assert_eq!(at(&picture, middle(9), plane.y(7.0)), BAND);
        assert_eq!(at(&picture, middle(10), plane.y(7.0)), GROUND);
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
            periods in prop::collection::vec(
                (prop_oneof![0_u32..20, any::<u32>()], any::<f64>(), any::<u64>(), any::<u64>()), 1..60,
            ),
            gap in 1_u64..400,
        ) {
            let first: NaiveDate = "2025-07-07".parse().unwrap();
            let period = |(n, (count, expected, low, high)): (u64, _)| Period {
                last: first + chrono::Days::new(gap * n), count, expected, usual_range: (low, high),
            };
            let history = History { periods: (0_u64..).zip(periods).map(period).collect() };
            prop_assert!(png(&history, AlertLevel::Severe).is_ok());
            prop_assert!(alternative(&history, gap as u32).contains("Bar chart"));
        }

        #[test]
        fn a_year_of_weeks_is_a_small_file(
            counts in prop::collection::vec(prop_oneof![0_u32..4, 0_u32..60], 52),
            expected in 0.1_f64..50.0,
        ) {
            let high = (expected + 2.0 * expected.sqrt()) as u64;
            let drawn = png(&history(&counts, expected, (0, high)), AlertLevel::Watch).unwrap();
            prop_assert!(drawn.len() < 60_000, "{}", drawn.len());
        }
    }
}
