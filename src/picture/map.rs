//! The map of a message: the wards concerned among their neighbours, and where in the county that is.
//!
//! Wards only: no street, no place of an incident is ever given to it.
//!
//! ```text
//! MapView ─▶ frame (metres to pixels) ─▶ outline (what can be drawn) ─▶ labels (where names fit) ─▶ SVG ─▶ PNG
//! ```

mod frame;
mod labels;
mod outline;

use super::{
    chart::{ChartError, GROUND, INK, SOFT_INK, opened, rasterised},
    letters::escaped,
};
use crate::{
    locate::{Boundary, neighbours},
    words::{clean, listed},
};
use frame::{Frame, Panel, bounds, overlap};
use geo::{MultiPolygon, Rect};
use labels::Label;
use outline::{Drawn, borders};
use std::{collections::BTreeSet, fmt::Write as _};

/// Width in a message.
pub const WIDTH: u32 = 552;
/// Height in a message.
pub const HEIGHT: u32 = 300;

const STRONGEST: &str = "#337d89";
const CONCERNED: &str = "#8ec3c9";
const AROUND: &str = "#ffffff";
const THIN: &str = "#b3bfbb";
const BORDER: &str = "#5f6d6b";
const COUNTY: &str = "#ccd6d2";

/// The column of the locator.
const COLUMN: Panel = Panel { left: 428.0, top: 14.0, right: 542.0, bottom: 194.0 };
const WITH_COLUMN: Panel = Panel { left: 0.0, top: 0.0, right: 418.0, bottom: HEIGHT as f64 };
const ALONE: Panel = Panel { left: 0.0, top: 0.0, right: WIDTH as f64, bottom: HEIGHT as f64 };

/// A map that shows this much of the county's width or height needs no locator.
const MOST_OF_THE_COUNTY: f64 = 0.7;

/// A ward to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct WardShape {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The name of the partnership it belongs to; empty where it is not known.
    pub partnership: String,
    /// Its outline in metres, east and north.
    pub shape: MultiPolygon<f64>,
}

/// What a map shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MapView {
    /// The wards concerned; the first one is drawn strongest.
    pub concerned: Vec<WardShape>,
    /// Other wards; those beyond the edge of the map are not drawn.
    pub around: Vec<WardShape>,
    /// Both together are the whole county: then a small map of it says where this is.
    pub whole_county: bool,
}

/// The map as PNG.
///
/// # Errors
///
/// When no ward concerned has an outline, or it can't be drawn.
pub fn png(view: &MapView) -> Result<Vec<u8>, ChartError> {
    rasterised(&svg(view)?, (WIDTH, HEIGHT))
}

/// What the map shows, in one or two sentences, for readers without the picture; empty for no ward.
#[must_use]
pub fn alternative(view: &MapView) -> String {
    const MOST: usize = 8;
    let names: Vec<String> = view.concerned.iter().map(|ward| clean(&ward.name)).collect();
    let Some(first) = names.first() else { return String::new() };
    let mut text = format!("Map of {}", listed(&names, MOST));
    let partnerships: BTreeSet<String> = view.concerned.iter().map(|ward| clean(&ward.partnership)).collect();
    let partnerships: Vec<String> = partnerships.into_iter().filter(|name| !name.is_empty()).collect();
    if !partnerships.is_empty() {
        let _ = write!(text, ", in {}", listed(&partnerships, MOST));
    }
    if names.len() > 1 {
        let _ = write!(text, "; {first} is drawn strongest");
    }
    text.push('.');
    let beside = beside(view);
    if !beside.is_empty() {
        let it = if names.len() == 1 { "It borders" } else { "They border" };
        let _ = write!(text, " {it} on {}.", listed(&beside, MOST));
    }
    text
}

/// Names of the wards that share a border with one concerned, by the alphabet.
fn beside(view: &MapView) -> Vec<String> {
    /// Farther from all concerned, no ward is asked whether it borders on them. Metres.
    const NEAR: f64 = 100.0;
    let outline = |ward: &WardShape| Boundary {
        code: ward.code.clone(),
        name: String::new(),
        shape: outline::sound(&ward.shape),
        in_metres: true,
    };
    let concerned: Vec<Boundary> = view.concerned.iter().map(outline).collect();
    let boxes: Vec<Rect> = concerned.iter().filter_map(|ward| bounds(&ward.shape)).collect();
    let own: BTreeSet<&str> = view.concerned.iter().map(|ward| ward.code.as_str()).collect();
    let near = |ward: &Boundary| {
        let there = bounds(&ward.shape);
        there.is_some_and(|there| boxes.iter().any(|here| overlap(*here, there, NEAR)))
    };
    let others: Vec<Boundary> = view
        .around
        .iter()
        .filter(|ward| !own.contains(ward.code.as_str()))
        .map(outline)
        .filter(near)
        .collect();
    let all: Vec<Boundary> = concerned.into_iter().chain(others).collect();
    let found = neighbours(&all);
    let codes: BTreeSet<&str> = own
        .iter()
        .filter_map(|code| found.get(*code))
        .flatten()
        .map(String::as_str)
        .filter(|code| !own.contains(code))
        .collect();
    let names: BTreeSet<String> = view
        .around
        .iter()
        .filter(|ward| codes.contains(ward.code.as_str()))
        .map(|ward| clean(&ward.name))
        .filter(|name| !name.is_empty())
        .collect();
    names.into_iter().collect()
}

fn svg(view: &MapView) -> Result<String, ChartError> {
    let concerned: Vec<(&WardShape, MultiPolygon<f64>)> =
        view.concerned.iter().map(|ward| (ward, outline::sound(&ward.shape))).collect();
    let around: Vec<(&WardShape, MultiPolygon<f64>)> =
        view.around.iter().map(|ward| (ward, outline::sound(&ward.shape))).collect();
    let focus = frame::together(concerned.iter().filter_map(|(_, shape)| bounds(shape)))
        .ok_or_else(|| ChartError("no ward has an outline".into()))?;
    let all: Vec<&(&WardShape, MultiPolygon<f64>)> = concerned.iter().chain(&around).collect();
    let county = view
        .whole_county
        .then(|| frame::together(all.iter().filter_map(|(_, shape)| bounds(shape))))
        .flatten()
        .filter(|county| {
            let seen = Frame::around(focus, WITH_COLUMN).seen();
            seen.width() < MOST_OF_THE_COUNTY * county.width()
                && seen.height() < MOST_OF_THE_COUNTY * county.height()
        });
    let panel = if county.is_some() { WITH_COLUMN } else { ALONE };
    let frame = Frame::around(focus, panel);
    let seen = frame.seen();
    let here: Vec<&(&WardShape, MultiPolygon<f64>)> = all
        .iter()
        .copied()
        .filter(|(_, shape)| bounds(shape).is_some_and(|there| overlap(seen, there, 0.0)))
        .collect();
    let lines =
        borders(&all.iter().map(|(ward, shape)| (ward.partnership.as_str(), shape)).collect::<Vec<_>>());

    let drawn =
        |(ward, shape): &(&WardShape, MultiPolygon<f64>)| Drawn::new(&clean(&ward.name), shape, &frame);
    let (own, others) = (concerned.len(), around.len());
    let own: Vec<Drawn> = concerned[..own].iter().map(drawn).collect();
    let beside: Vec<Drawn> = around[..others]
        .iter()
        .filter(|ward| here.iter().any(|one| std::ptr::eq(*one, *ward)))
        .map(drawn)
        .collect();

    let mut out = opened((WIDTH, HEIGHT));
    let _ = write!(
        out,
        "<clipPath id=\"map\"><rect width=\"{}\" height=\"{HEIGHT}\"/></clipPath><g clip-path=\"url(#map)\" \
         stroke-linejoin=\"round\">",
        panel.right
    );
    for ward in &beside {
        let _ = write!(out, "<path d=\"{}\" fill=\"{AROUND}\" stroke=\"{THIN}\"/>", ward.path());
    }
    for (n, ward) in own.iter().enumerate().rev() {
        let fill = if n == 0 { STRONGEST } else { CONCERNED };
        let _ = write!(out, "<path d=\"{}\" fill=\"{fill}\"/>", ward.path());
    }
    let paths: String = lines.iter().map(|line| outline::line(line, &frame)).collect();
    let _ = write!(
        out,
        "<path d=\"{paths}\" fill=\"none\" stroke=\"{BORDER}\" stroke-width=\"2.2\" stroke-dasharray=\"7 3\"/>"
    );
    for ward in &own {
        let path = ward.path();
        let _ = write!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"1.5\"/>");
    }
    out.push_str("</g>");
    let bar = frame::ScaleBar::new(&frame);
    let border_seen = lines.iter().flatten().any(|at| holds(seen, *at));
    let foot = Panel { left: panel.right - 202.0, top: panel.bottom - 30.0, ..panel };
    let taken = if border_seen && county.is_none() { vec![bar.room(), foot] } else { vec![bar.room()] };
    for label in labels::placed(&own, &beside, panel, taken) {
        name(&mut out, &label);
    }
    scale_bar(&mut out, &bar);
    if let Some(county) = county {
        let _ = write!(out, "<path d=\"M{}.5 0V{HEIGHT}\" stroke=\"{THIN}\"/>", panel.right);
        let shapes = |wards: &[(&WardShape, MultiPolygon<f64>)]| -> Vec<MultiPolygon<f64>> {
            wards.iter().map(|(_, shape)| shape.clone()).collect()
        };
        locator(&mut out, county, seen, (&shapes(&concerned), &shapes(&around)), &lines);
    }
    if border_seen {
        key(&mut out, if county.is_some() { None } else { Some(foot) });
    }
    out.push_str("</svg>");
    Ok(out)
}

fn name(out: &mut String, label: &Label) {
    let (ink, halo) = match (label.concerned, label.inside) {
        (Some(0), true) => ("#ffffff", STRONGEST),
        (Some(_), true) => (INK, CONCERNED),
        (Some(_), false) => (INK, AROUND),
        (None, _) => ("#5a6765", AROUND),
    };
    if let Some((from, to)) = label.leader {
        let path = format!("M{:.1} {:.1}L{:.1} {:.1}", from.x, from.y, to.x, to.y);
        let _ = write!(
            out,
            "<path d=\"{path}\" stroke=\"{AROUND}\" stroke-width=\"3.6\"/><path d=\"{path}\" stroke=\"{INK}\" \
             stroke-width=\"1.4\"/><circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{INK}\" stroke=\"{AROUND}\"/>",
            from.x, from.y
        );
    }
    let (size, weight) = if label.concerned.is_some() { (labels::LARGE, 700) } else { (labels::SMALL, 400) };
    for (n, text) in label.lines.iter().enumerate() {
        let (x, y) = label.line(n);
        let text = escaped(text);
        let _ = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" font-size=\"{size}\" font-weight=\"{weight}\" \
             fill=\"{ink}\" stroke=\"{halo}\" stroke-width=\"3\" stroke-linejoin=\"round\" \
             paint-order=\"stroke\">{text}</text>"
        );
    }
}

fn scale_bar(out: &mut String, bar: &frame::ScaleBar) {
    let room = bar.room();
    let (left, top, width, height) = (room.left, room.top, room.right - room.left, room.bottom - room.top);
    let (from, to, y) = (bar.left, bar.left + bar.length, bar.y);
    let _ = write!(
        out,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{GROUND}\"/>\
         <path d=\"M{from:.1} {}V{y:.1}H{to:.1}V{}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"1.6\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{INK}\">{}</text>",
        y - 6.0,
        y - 6.0,
        to + 8.0,
        y,
        bar.text
    );
}

/// The whole county, small: its partnerships, the wards concerned, and what the map beside it shows.
fn locator(
    out: &mut String,
    county: Rect,
    seen: Rect,
    (concerned, around): (&[MultiPolygon<f64>], &[MultiPolygon<f64>]),
    lines: &[Vec<geo::Coord>],
) {
    /// The wards concerned are seen inside of it.
    const LEAST: f64 = 12.0;
    let flat = (COLUMN.right - COLUMN.left) * county.height() / county.width().max(1.0);
    let column = Panel { bottom: COLUMN.bottom.min(COLUMN.top + flat), ..COLUMN };
    let frame = Frame::holding(county, column);
    let paths: String =
        around.iter().chain(concerned).map(|shape| Drawn::new("", shape, &frame).path()).collect();
    let _ = write!(out, "<path d=\"{paths}\" fill=\"{COUNTY}\" stroke=\"{COUNTY}\" stroke-width=\".6\"/>");
    let paths: String = lines.iter().map(|line| outline::line(line, &frame)).collect();
    let _ = write!(out, "<path d=\"{paths}\" fill=\"none\" stroke=\"{GROUND}\" stroke-width=\"1.2\"/>");
    let paths: String = concerned.iter().map(|shape| Drawn::new("", shape, &frame).path()).collect();
    let _ =
        write!(out, "<path d=\"{paths}\" fill=\"{STRONGEST}\" stroke=\"{STRONGEST}\" stroke-width=\".6\"/>");
    let (from, to) = (frame.at(seen.min()), frame.at(seen.max()));
    let more = |one: f64, other: f64| ((LEAST - (other - one)) / 2.0).max(0.0);
    let (wider, higher) = (more(from.x, to.x), more(to.y, from.y));
    // The map beside it may reach beyond the county.
    let (left, right) = ((from.x - wider).max(COLUMN.left - 6.0), (to.x + wider).min(COLUMN.right + 6.0));
    let (top, bottom) = ((to.y - higher).max(COLUMN.top - 6.0), (from.y + higher).min(COLUMN.bottom + 6.0));
    let _ = write!(
        out,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"none\" stroke=\"{INK}\" \
         stroke-width=\"1.4\"/>",
        (right - left).max(1.0),
        (bottom - top).max(1.0)
    );
}

fn holds(ground: Rect, at: geo::Coord) -> bool {
    let (low, high) = (ground.min(), ground.max());
    (low.x..=high.x).contains(&at.x) && (low.y..=high.y).contains(&at.y)
}

/// What the dashed line is: in the column, or without one in the foot of the map.
fn key(out: &mut String, foot: Option<Panel>) {
    if let Some(Panel { left, top, right, bottom }) = foot {
        let (width, height, y) = (right - left, bottom - top, bottom - 11.0);
        let _ = write!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{GROUND}\"/>\
             <path d=\"M{} {}h24\" stroke=\"{BORDER}\" stroke-width=\"2.2\" stroke-dasharray=\"7 3\"/>\
             <text x=\"{}\" y=\"{y}\" font-size=\"15\" fill=\"{SOFT_INK}\">Partnership boundary</text>",
            left + 8.0,
            y - 5.0,
            left + 39.0
        );
        return;
    }
    let (left, y) = (COLUMN.left, f64::from(HEIGHT) - 36.0);
    let _ = write!(
        out,
        "<path d=\"M{left} {}h24\" stroke=\"{BORDER}\" stroke-width=\"2.2\" stroke-dasharray=\"7 3\"/>\
         <text x=\"{}\" y=\"{y}\" font-size=\"15\" fill=\"{SOFT_INK}\">Partnership</text>\
         <text x=\"{}\" y=\"{}\" font-size=\"15\" fill=\"{SOFT_INK}\">boundary</text>",
        y - 5.0,
        left + 31.0,
        left + 31.0,
        y + 18.0
    );
}

#[cfg(test)]
mod tests;
