//! The county as a picture that leaves the site: wards in the steps of the scale, and on it all that it must not be seen
//! without: what it shows, as known when, what the colours mean, and the protective marking.

use super::{
    chart::{ChartError, rasterised},
    letters::{escaped, lines},
};
use std::fmt::Write as _;

const WIDTH: u32 = 900;
const EDGE: f64 = 28.0;
/// Width of the map; what the colours mean stands to its right.
const MAP: f64 = 590.0;
const HEADING: f64 = 24.0;
const TEXT: f64 = 15.0;
const NOTE: f64 = 13.0;

const PAPER: &str = "#ffffff";
const INK: &str = "#13201f";
const SOFT_INK: &str = "#44514f";
const BORDER: &str = "#6c7976";

/// A step of the scale: how a count stands against its own normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Once in 365 days or rarer.
    WellAbove,
    /// Once in 100 to 364 days.
    Above,
    /// Once in 30 to 99 days.
    SlightlyAbove,
    /// So few once in 30 days or rarer: dots, never plain.
    Below,
    /// Too little is known yet: hatched.
    TooEarly,
    /// As usual.
    Within,
    /// Not shown: the colour of the paper.
    Blank,
}

impl Step {
    const fn fill(self) -> &'static str {
        match self {
            Self::WellAbove => "#083c49",
            Self::Above => "#337d89",
            Self::SlightlyAbove => "#8ec3c9",
            Self::Below => "url(#dots)",
            Self::TooEarly => "url(#hatch)",
            Self::Within => "#e9edea",
            Self::Blank => PAPER,
        }
    }

    /// What is off its normal has an outline that a grey printer keeps.
    const fn is_off(self) -> bool {
        matches!(self, Self::WellAbove | Self::Above | Self::SlightlyAbove | Self::Below)
    }
}

/// What the picture shows.
#[derive(Debug, Clone, PartialEq)]
pub struct CountyMap<'a> {
    /// The protective marking.
    pub marking: &'a str,
    /// The finding in a sentence.
    pub heading: &'a str,
    /// Which days, which reports, and as known when.
    pub about: &'a str,
    /// Each ward's outline as an SVG path, with its step.
    pub wards: &'a [(Step, &'a str)],
    /// Width and height of the box in which the paths lie.
    pub size: (f64, f64),
    /// What the colours mean, each with the areas to be named.
    pub legend: &'a [(Step, &'a str, &'a str)],
    /// What must be known of the figures.
    pub notes: &'a [&'a str],
}

/// The picture as PNG, at twice its size.
///
/// # Errors
///
/// When there is no ward to draw, or it can't be drawn.
pub fn png(view: &CountyMap<'_>) -> Result<Vec<u8>, ChartError> {
    let (svg, height) = svg(view)?;
    rasterised(&svg, (WIDTH, height))
}

fn svg(view: &CountyMap<'_>) -> Result<(String, u32), ChartError> {
    let (wide, high) = view.size;
    if view.wards.is_empty() || !(wide > 0.0 && high > 0.0) {
        return Err(ChartError("no ward has an outline".into()));
    }
    let scale = MAP / wide;
    let mut body = String::new();
    let mut text = |x: f64, y: f64, size: f64, style: &str, words: &str| {
        let words = escaped(words);
        let _ = write!(body, "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" {style}>{words}</text>");
    };
    let all = f64::from(WIDTH) - 2.0 * EDGE;
    let marking = "font-weight=\"bold\" text-anchor=\"middle\" letter-spacing=\"1\"";
    let middle = f64::from(WIDTH) / 2.0;
    let mut y = EDGE;
    text(middle, y, NOTE, marking, view.marking);
    y += 12.0;
    for line in lines(view.heading, all, HEADING) {
        y += HEADING * 1.25;
        text(EDGE, y, HEADING, &format!("font-weight=\"bold\" fill=\"{INK}\""), &line);
    }
    y += 4.0;
    for line in lines(view.about, all, TEXT) {
        y += TEXT * 1.4;
        text(EDGE, y, TEXT, "", &line);
    }
    let top = y + 20.0;
    let beside = EDGE + MAP + 24.0;
    let mut side = top + TEXT;
    let mut swatches = String::new();
    for (step, words, names) in view.legend {
        let (fill, stroke) = (step.fill(), if step.is_off() { INK } else { BORDER });
        let _ = write!(
            swatches,
            "<rect x=\"{beside:.1}\" y=\"{:.1}\" width=\"16\" height=\"16\" fill=\"{fill}\" stroke=\"{stroke}\"/>",
            side - 13.0
        );
        for line in lines(words, f64::from(WIDTH) - EDGE - beside - 24.0, TEXT) {
            text(beside + 24.0, side, TEXT, "", &line);
            side += TEXT * 1.35;
        }
        for line in lines(names, f64::from(WIDTH) - EDGE - beside - 24.0, NOTE) {
            text(beside + 24.0, side - 1.0, NOTE, &format!("fill=\"{INK}\""), &line);
            side += NOTE * 1.35;
        }
        side += 6.0;
    }
    side += 10.0;
    for note in view.notes {
        for line in lines(note, f64::from(WIDTH) - EDGE - beside, NOTE) {
            text(beside, side, NOTE, "", &line);
            side += NOTE * 1.4;
        }
        side += 6.0;
    }
    let bottom = (top + high * scale).max(side) + 24.0;
    text(middle, bottom, NOTE, marking, view.marking);
    let height = (bottom + EDGE / 2.0).ceil();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"DejaVu Sans Condensed, \
         DejaVu Sans\" font-stretch=\"condensed\" fill=\"{SOFT_INK}\"><defs>\
         {}{}</defs>\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"{PAPER}\"/>\
         <g fill-rule=\"evenodd\" transform=\"translate({EDGE} {top:.1}) scale({scale:.5})\">",
        patterns("", 1.0),
        patterns("ward-", 1.0 / scale),
    );
    // What is off its normal lies on top, so that its outline is whole.
    for off in [false, true] {
        for (step, path) in view.wards.iter().filter(|(step, _)| step.is_off() == off) {
            let (stroke, thick) = if off { (INK, 1.6 / scale) } else { (BORDER, 0.5 / scale) };
            let _ = write!(
                svg,
                "<path d=\"{}\" fill=\"{}\" stroke=\"{stroke}\" stroke-width=\"{thick:.2}\"/>",
                escaped(path),
                step.fill().replace("url(#", "url(#ward-")
            );
        }
    }
    let _ = write!(svg, "</g>{swatches}{body}</svg>");
    Ok((svg, height as u32))
}

/// Dots and lines that a grey printer keeps. Wards are drawn in units of their own, in which these would vanish.
fn patterns(prefix: &str, scale: f64) -> String {
    format!(
        "<pattern id=\"{prefix}dots\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"scale({scale:.4})\"><rect width=\"5\" height=\"5\" fill=\"#d8b061\"/>\
         <circle cx=\"2.5\" cy=\"2.5\" r=\"1\" fill=\"#5d4410\"/></pattern>\
         <pattern id=\"{prefix}hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"scale({scale:.4}) rotate(45)\"><rect width=\"5\" height=\"5\" fill=\"#e9edea\"/>\
         <rect width=\"1\" height=\"5\" fill=\"{BORDER}\"/></pattern>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: &str = "M0 0L100 0L100 100L0 100Z";
    const OTHER: &str = "M100 0L200 0L200 100L100 100Z";

    fn view<'a>(wards: &'a [(Step, &'a str)]) -> CountyMap<'a> {
        CountyMap {
            marking: "OFFICIAL-SENSITIVE",
            heading: "One ward <is> above its own normal & the others are as usual, in a sentence that needs two lines at least",
            about: "2 June 2026 to 29 June 2026, as known on 30 June 2026, 04:30",
            wards,
            size: (200.0, 100.0),
            legend: &[
                (Step::Above, "Above their own normal: 1", "Knighton 9"),
                (Step::Blank, "Not shown to you", ""),
            ],
            notes: &["A note."],
        }
    }

    #[test]
    fn it_says_what_it_is_and_is_marked_twice() {
        let (svg, height) = svg(&view(&[(Step::Above, SQUARE), (Step::Within, OTHER)])).unwrap();
        assert_eq!(svg.matches("OFFICIAL-SENSITIVE").count(), 2);
        for words in ["&lt;is&gt;", "as known on", "Knighton 9", "Not shown to you", "A note."] {
            assert!(svg.contains(words), "{words}");
        }
        assert!(svg.find(OTHER) < svg.find(SQUARE), "what is off its normal lies on top");
        assert!((400..700).contains(&height), "{height}");
    }

    #[test]
    fn the_wards_have_their_colours_in_the_picture() {
        let steps = [(Step::WellAbove, SQUARE), (Step::Within, OTHER)];
        let png = png(&view(&steps)).unwrap();
        let picture = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
        assert_eq!(picture.width(), 2 * WIDTH);
        let at = |x: u32, y: u32| picture.pixel(x, y).unwrap();
        // Half way down the map, a quarter and three quarters across it.
        let y = picture.height() * 2 / 3;
        let colour = |x| (at(x, y).red(), at(x, y).green(), at(x, y).blue());
        assert_eq!(colour((2.0 * (EDGE + MAP / 4.0)) as u32), (0x08, 0x3c, 0x49));
        assert_eq!(colour((2.0 * (EDGE + MAP * 0.75)) as u32), (0xe9, 0xed, 0xea));
    }

    #[test]
    fn dots_are_seen_in_wards_of_any_unit() {
        for unit in [1.0, 32.0] {
            let (wide, high) = (200.0 * unit, 100.0 * unit);
            let ward = format!("M0 0L{wide} 0L{wide} {high}L0 {high}Z");
            let wards = [(Step::Below, ward.as_str())];
            let view = CountyMap { size: (wide, high), ..view(&wards) };
            let picture = resvg::tiny_skia::Pixmap::decode_png(&png(&view).unwrap()).unwrap();
            // A square of twelve dots each way, well inside the ward: a dot fills an eighth of its field.
            let y = picture.height() * 2 / 3;
            let inside = (0..120).flat_map(|down| (300..420).map(move |x| (x, y - 60 + down)));
            let dark =
                inside.filter(|(x, y)| picture.pixel(*x, *y).is_some_and(|at| at.red() < 0xa0)).count();
            assert!((700..2_500).contains(&dark), "{dark} of 14,400 are dark in units of {unit}");
        }
    }

    #[test]
    fn without_wards_there_is_no_picture() {
        assert!(png(&view(&[])).is_err());
        assert!(png(&CountyMap { size: (0.0, 0.0), ..view(&[(Step::Above, SQUARE)]) }).is_err());
    }
}
