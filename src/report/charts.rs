//! The two charts of a report, as SVG that needs nothing else: titles and descriptions say what they show.

use super::{AreaLine, Control};
use minijinja::HtmlEscape;
use std::fmt::Write;

const WIDE: f64 = 680.0;
const HIGH: f64 = 260.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;
/// A letter's width and a line's height, for names that must not lie on one another.
const LETTER: f64 = 6.6;
const LINE: f64 = 13.0;

/// A scale from values to places on a line.
struct Scale {
    first: f64,
    last: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn at(&self, value: f64) -> f64 {
        let share = (value - self.first) / (self.last - self.first).max(1e-12);
        self.from + share * (self.to - self.from)
    }

    /// Three to six round values within it.
    fn ticks(&self) -> Vec<f64> {
        let wide = self.last - self.first;
        let power = 10_f64.powf((wide / 4.0).max(1e-9).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|of| of * power).find(|step| wide / step <= 6.0);
        let step = step.unwrap_or(10.0 * power);
        let begin = (self.first / step).ceil() as i64;
        (begin..)
            .map(|tick| tick as f64 * step)
            .take_while(|tick| *tick <= self.last + 1e-9)
            .take(8)
            .collect()
    }
}

fn opened(title: &str, description: &str) -> String {
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDE} {HIGH}\" role=\"img\" aria-label=\"{}\"><title>{}</title><desc>{}</desc>",
        HtmlEscape(&format!("{title}. {description}")),
        HtmlEscape(title),
        HtmlEscape(description)
    )
}

fn up(svg: &mut String, scale: &Scale) {
    for tick in scale.ticks() {
        let y = scale.at(tick);
        let label = if tick.fract().abs() < 1e-9 { format!("{tick:.0}") } else { format!("{tick:.1}") };
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
            WIDE - RIGHT,
            LEFT - 8.0,
            y + 4.0
        );
    }
}

/// Blocks of four weeks against the limits that the blocks before the quarter give. Days of `changes` have a line.
pub(super) fn control_chart(control: &Control, changes: &[(chrono::NaiveDate, String)]) -> String {
    let (Some(first), Some(last)) = (control.points.first(), control.points.last()) else {
        return String::new();
    };
    let most = control.points.iter().map(|point| point.1 as f64);
    let most = most.chain(control.limits.map(|limits| limits[2])).fold(1.0, f64::max);
    let y = Scale { first: 0.0, last: most * 1.08, from: HIGH - BOTTOM, to: TOP };
    let day = |day: chrono::NaiveDate| (day - first.0).num_days() as f64;
    let x = Scale { first: 0.0, last: day(last.0).max(1.0), from: LEFT + 8.0, to: WIDE - RIGHT - 8.0 };
    let above = control.limits.map_or(0, |limits| {
        control
            .points
            .iter()
            .rev()
            .take(control.of_the_quarter)
            .filter(|point| point.1 as f64 > limits[2])
            .count()
    });
    let description = match control.limits {
        Some([centre, low, high]) => format!(
            "{} blocks of four weeks from {} on; the centre is {centre:.0}, the limits {low:.0} and {high:.0}; {above} of the \
             quarter's {} blocks are above them",
            control.points.len(),
            first.0.format("%-d %B %Y"),
            control.of_the_quarter
        ),
        None => format!("{} blocks of four weeks; too few for limits", control.points.len()),
    };
    let mut svg = opened("Published reports in blocks of four weeks", &description);
    if let Some([centre, low, high]) = control.limits {
        let _ = write!(
            svg,
            "<rect class=\"band\" x=\"{LEFT}\" width=\"{:.1}\" y=\"{:.1}\" height=\"{:.1}\"/>\
             <line class=\"usual\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
            WIDE - RIGHT - LEFT,
            y.at(high),
            y.at(low) - y.at(high),
            WIDE - RIGHT,
            y.at(centre),
            y.at(centre)
        );
    }
    up(&mut svg, &y);
    for (at, name) in changes.iter().filter(|(at, _)| (first.0..=last.0).contains(at)) {
        let place = x.at(day(*at));
        let _ = write!(
            svg,
            "<line class=\"change\" x1=\"{place:.1}\" x2=\"{place:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            HIGH - BOTTOM,
            place + 4.0,
            TOP + 10.0,
            HtmlEscape(name)
        );
    }
    let line: Vec<String> = control
        .points
        .iter()
        .map(|point| format!("{:.1} {:.1}", x.at(day(point.0)), y.at(point.1.max(0) as f64)))
        .collect();
    let _ = write!(svg, "<polyline class=\"line\" points=\"{}\"/>", line.join(" "));
    let quarter = control.points.len() - control.of_the_quarter;
    for (place, point) in control.points.iter().enumerate() {
        let class = if place >= quarter { "now" } else { "past" };
        let size = if place >= quarter { 5.0 } else { 3.0 };
        let _ = write!(
            svg,
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{size}\"/>",
            x.at(day(point.0)),
            y.at(point.1.max(0) as f64)
        );
    }
    for (place, point) in control.points.iter().enumerate() {
        // A year has 13 of them.
        let new_year = place == 0
            || control.points[place - 1].0.format("%Y").to_string() != point.0.format("%Y").to_string();
        if new_year && (place == 0 || x.at(day(point.0)) > LEFT + 60.0) {
            let at = x.at(day(point.0));
            let class = if at > WIDE - 60.0 { " class=\"end\"" } else { "" };
            let _ = write!(
                svg,
                "<text x=\"{at:.1}\" y=\"{:.1}\"{class}>{}</text>",
                HIGH - BOTTOM + 20.0,
                point.0.format("%b %Y")
            );
        }
    }
    svg + "</svg>"
}

/// The rates of partnerships by how many people live there, within the limits of chance around the county's rate.
pub(super) fn funnel_chart(lines: &[AreaLine], county: &AreaLine, own: Option<&str>) -> String {
    let points: Vec<(&AreaLine, f64, f64, [f64; 4])> = lines
        .iter()
        .filter_map(|line| Some((line, f64::from(line.population?), line.rate?[0], line.funnel?)))
        .collect();
    let (Some(rate), true) = (county.rate, points.len() >= 2) else { return String::new() };
    let most_people = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let least_people = points.iter().map(|point| point.1).fold(f64::MAX, f64::min);
    let highest = points.iter().map(|point| point.2.max(point.3[3])).fold(0.0, f64::max);
    let x = Scale { first: 0.0, last: most_people * 1.12, from: LEFT, to: WIDE - RIGHT };
    let y = Scale { first: 0.0, last: highest * 1.05, from: HIGH - BOTTOM, to: TOP };
    let outside = points.iter().filter(|point| point.2 > point.3[3] || point.2 < point.3[0]).count();
    let description = format!(
        "{} partnerships; the county's rate is {:.2} for every 1,000 residents a year; {outside} lie outside the limits within which \
         998 of 1,000 would lie by chance",
        points.len(),
        rate[0]
    );
    let mut svg =
        opened("Reports for every 1,000 residents a year, by how many people live there", &description);
    up(&mut svg, &y);
    // Limits are worked out at the partnerships' own sizes; between them they follow a line through those.
    let mut by_size = points.clone();
    by_size.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (limit, class) in [(0, "limit far"), (1, "limit"), (2, "limit"), (3, "limit far")] {
        let line: Vec<String> = by_size
            .iter()
            .map(|point| format!("{:.1} {:.1}", x.at(point.1), y.at(point.3[limit].max(0.0))))
            .collect();
        let _ = write!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", line.join(" "));
    }
    let _ = write!(
        svg,
        "<line class=\"usual\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
        x.at(least_people),
        x.at(most_people),
        y.at(rate[0]),
        y.at(rate[0])
    );
    let mut names: Vec<(f64, f64, f64)> = Vec::new();
    for (line, people, rate, _) in &by_size {
        let class = if own == Some(line.code.as_str()) { "now" } else { "past" };
        let (at, high) = (x.at(*people), y.at(*rate));
        let right = at < WIDE * 0.7;
        let long = LETTER * line.name.chars().count() as f64;
        let (from, to) = if right { (at + 9.0, at + 9.0 + long) } else { (at - 9.0 - long, at - 9.0) };
        // Beside its dot, or as near to it as no other name stands.
        let free = |shift: &f64| {
            let own = high + shift;
            names
                .iter()
                .all(|(first, last, taken)| to < *first || from > *last || (own - taken).abs() >= LINE)
        };
        let shift =
            [0.0, -LINE, LINE, -2.0 * LINE, 2.0 * LINE, -3.0 * LINE, 3.0 * LINE].into_iter().find(free);
        let text = high + shift.unwrap_or(0.0);
        names.push((from, to, text));
        let _ = write!(
            svg,
            "<circle class=\"{class}\" cx=\"{at:.1}\" cy=\"{high:.1}\" r=\"5\"/><text x=\"{:.1}\" y=\"{:.1}\"{}>{}</text>",
            if right { from } else { to },
            text + 4.0,
            if right { "" } else { " class=\"end\"" },
            HtmlEscape(&line.name)
        );
    }
    for tick in x.ticks() {
        let _ = write!(
            svg,
            "<text class=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x.at(tick),
            HIGH - BOTTOM + 20.0,
            crate::words::thousands(tick as u64)
        );
    }
    let _ =
        write!(svg, "<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">residents</text>", WIDE - RIGHT, HIGH - 4.0);
    svg + "</svg>"
}
