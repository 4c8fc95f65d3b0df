//! The curve of a rule as a picture: threshold against false alerts a month, and against the lead on labelled episodes.

use crate::rules::{
    trial::Rate,
    tune::{Threshold, a_month},
};
use std::fmt::Write;

/// Width and height.
pub(super) const SIZE: (u32, u32) = (760, 560);

const LEFT: f64 = 70.0;
const RIGHT: f64 = 730.0;
/// Top and bottom of the alerts' plot.
const ALERTS: (f64, f64) = (60.0, 300.0);
/// Top and bottom of the episodes' plot.
const LEADS: (f64, f64) = (380.0, 500.0);
const HISTORY: &str = "#13566b";
const SIMULATED: &str = "#b8632d";

/// What is marked on it.
pub(super) struct Marks<'a> {
    /// The rule.
    pub(super) title: &'a str,
    /// Its own threshold.
    pub(super) own: f64,
    /// The one proposed.
    pub(super) proposed: Option<f64>,
    /// False alerts a year that are accepted over everything.
    pub(super) budget: Option<f64>,
}

/// Where things lie.
struct Plane {
    days: (f64, f64),
    top: f64,
}

impl Plane {
    fn x(&self, days: f64) -> f64 {
        let (low, high) = self.days;
        LEFT + (days / low).ln() / (high / low).ln().max(1e-9) * (RIGHT - LEFT)
    }

    /// Of alerts a month.
    fn y(&self, alerts: f64) -> f64 {
        ALERTS.1 - (alerts / self.top).clamp(0.0, 1.0) * (ALERTS.1 - ALERTS.0)
    }
}

/// Draws the curve.
pub(super) fn svg(curve: &[Threshold], marks: &Marks<'_>) -> String {
    let (width, height) = SIZE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"DejaVu Sans Condensed, DejaVu Sans, sans-serif\" font-size=\"14\" fill=\"#263332\">\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#f7f8f7\"/>"
    );
    let days = (curve.first().map_or(7.0, |one| one.days), curve.last().map_or(3_650.0, |one| one.days));
    let most = curve.iter().flat_map(|one| [Some(&one.history), one.simulated.as_ref()]).flatten();
    let most = most.map(|one| a_month(one.all.a_year)).fold(0.0, f64::max);
    let plane = Plane { days, top: nice((most * 1.1).max(marks.budget.map_or(0.0, a_month) * 1.5).max(0.1)) };
    let _ = write!(out, "<text x=\"{LEFT}\" y=\"26\" font-weight=\"700\">{}</text>", escaped(marks.title));
    let _ = write!(out, "<text x=\"{LEFT}\" y=\"47\">False alerts a month, with 95% intervals</text>");
    axes(&mut out, &plane);
    let history: Vec<(f64, Rate)> = curve.iter().map(|one| (one.days, one.history.all)).collect();
    let simulated = curve.iter().filter_map(|one| Some((one.days, one.simulated.as_ref()?.all)));
    let simulated: Vec<(f64, Rate)> = simulated.collect();
    line(&mut out, &plane, &simulated, SIMULATED);
    line(&mut out, &plane, &history, HISTORY);
    lead(&mut out, &plane, curve);
    marked(&mut out, &plane, marks);
    legend(&mut out, !simulated.is_empty());
    out.push_str("</svg>\n");
    out
}

/// A round number at or above one.
fn nice(most: f64) -> f64 {
    let size = 10.0_f64.powf(most.log10().floor());
    let step = [1.0, 2.0, 3.0, 5.0, 10.0].into_iter().find(|step| step * size >= most * (1.0 - 1e-9));
    step.unwrap_or(10.0) * size
}

fn axes(out: &mut String, plane: &Plane) {
    for part in 0..=4 {
        let alerts = plane.top * f64::from(part) / 4.0;
        let y = plane.y(alerts);
        let _ = write!(
            out,
            "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#d3dad8\"/>\
             <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 5.0,
            short(alerts)
        );
    }
    for days in [7.0, 14.0, 30.0, 60.0, 100.0, 200.0, 365.0, 730.0, 1_825.0, 3_650.0] {
        if days < plane.days.0 - 0.5 || days > plane.days.1 + 0.5 {
            continue;
        }
        let x = plane.x(days);
        for (top, bottom) in [ALERTS, LEADS] {
            let _ = write!(out, "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"#e4e9e7\"/>");
            let y = bottom + 19.0;
            let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{days:.0}</text>");
        }
    }
    let middle = f64::midpoint(LEFT, RIGHT);
    let y = LEADS.1 + 42.0;
    let _ = write!(
        out,
        "<text x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\">Threshold: by chance no oftener than once in so many days</text>"
    );
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Rates with their band.
fn line(out: &mut String, plane: &Plane, rates: &[(f64, Rate)], colour: &str) {
    if rates.is_empty() {
        return;
    }
    let point = |days: f64, a_year: f64| format!("{:.1},{:.1}", plane.x(days), plane.y(a_month(a_year)));
    let upper = rates.iter().map(|(days, rate)| point(*days, rate.high));
    let lower = rates.iter().rev().map(|(days, rate)| point(*days, rate.low));
    let band: Vec<String> = upper.chain(lower).collect();
    let middle: Vec<String> = rates.iter().map(|(days, rate)| point(*days, rate.a_year)).collect();
    let _ = write!(
        out,
        "<polygon points=\"{}\" fill=\"{colour}\" fill-opacity=\"0.13\"/>\
         <polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.2\"/>",
        band.join(" "),
        middle.join(" ")
    );
}

/// The share of labelled episodes told of, and the middle lead beside points where it changes.
fn lead(out: &mut String, plane: &Plane, curve: &[Threshold]) {
    let (top, bottom) = LEADS;
    let title = "Labelled episodes told of, and the middle lead in days before everybody knew";
    let _ = write!(out, "<text x=\"{LEFT}\" y=\"{}\">{title}</text>", top - 14.0);
    let all = curve.first().map_or(0, |one| one.labelled);
    let _ = write!(out, "<path d=\"M{LEFT} {bottom}H{RIGHT}M{LEFT} {top}H{RIGHT}\" stroke=\"#d3dad8\"/>");
    let x = LEFT - 8.0;
    for (y, count) in [(bottom, 0), (top, all)] {
        let _ = write!(out, "<text x=\"{x}\" y=\"{:.1}\" text-anchor=\"end\">{count}</text>", y + 5.0);
    }
    if all == 0 {
        return;
    }
    let y = |found: usize| bottom - found as f64 / all as f64 * (bottom - top);
    let points: Vec<String> =
        curve.iter().map(|one| format!("{:.1},{:.1}", plane.x(one.days), y(one.found))).collect();
    let points = points.join(" ");
    let _ = write!(
        out,
        "<polyline points=\"{points}\" fill=\"none\" stroke=\"{HISTORY}\" stroke-width=\"2.2\"/>"
    );
    let (mut before, mut free) = (None, LEFT);
    for one in curve {
        let told = one.lead.map(|days| format!("{days:.0}"));
        let x = plane.x(one.days);
        if told != before && x >= free {
            let text = told.as_deref().unwrap_or("none");
            let _ = write!(out, "<text x=\"{:.1}\" y=\"{:.1}\">{text}</text>", x + 3.0, y(one.found) + 18.0);
            free = x + 34.0;
            before = told;
        }
    }
}

fn marked(out: &mut String, plane: &Plane, marks: &Marks<'_>) {
    if let Some(budget) = marks.budget {
        let y = plane.y(a_month(budget));
        let _ = write!(
            out,
            "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#263332\" stroke-dasharray=\"6 4\"/>\
             <text x=\"{RIGHT}\" y=\"{:.1}\" text-anchor=\"end\">budget: {} a year</text>",
            y - 5.0,
            short(budget)
        );
    }
    let last = marks.own.max(marks.proposed.unwrap_or(marks.own));
    let own = (Some(marks.own), "the file", "3 3", 76.0);
    for (days, name, dashes, y) in [own, (marks.proposed, "proposed", "none", 94.0)] {
        let Some(days) = days.filter(|days| *days >= plane.days.0 && *days <= plane.days.1) else { continue };
        let (x, (top, middle), (again, bottom)) = (plane.x(days), ALERTS, LEADS);
        let (anchor, at) = if x > RIGHT - 150.0 || days < last && x > LEFT + 130.0 {
            ("end", x - 4.0)
        } else {
            ("start", x + 4.0)
        };
        let _ = write!(
            out,
            "<path d=\"M{x:.1} {top}V{middle}M{x:.1} {again}V{bottom}\" stroke=\"#263332\" stroke-dasharray=\"{dashes}\"/>\
             <text x=\"{at:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{name}: {days:.0} days</text>"
        );
    }
}

fn legend(out: &mut String, simulated: bool) {
    let entries = [
        (HISTORY, "on history, outside of labelled episodes", true),
        (SIMULATED, "simulated quiet county", simulated),
    ];
    let mut x = LEFT + 40.0;
    for (colour, text, _) in entries.into_iter().filter(|entry| entry.2) {
        let y = ALERTS.1 + 42.0;
        let _ = write!(
            out,
            "<path d=\"M{x} {:.0}h24\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{y}\">{text}</text>",
            y - 5.0,
            x + 32.0
        );
        x += 330.0;
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
