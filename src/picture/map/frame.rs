//! From metres to pixels.

use geo::{BoundingRect, Coord, MultiPolygon, Rect};

/// A part of the picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Panel {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Panel {
    pub fn overlaps(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    pub fn holds(self, other: Self) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }

    fn middle(self) -> Coord {
        Coord { x: f64::midpoint(self.left, self.right), y: f64::midpoint(self.top, self.bottom) }
    }
}

/// How a panel shows the ground.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    panel: Panel,
    /// The ground in the middle of the panel.
    middle: Coord,
    /// Pixels in a metre.
    scale: f64,
}

impl Frame {
    /// With so much around it that neighbours are seen, and its foot free for the scale bar.
    pub fn around(focus: Rect, panel: Panel) -> Self {
        const SHARE: f64 = 0.68;
        const FOOT: f64 = 30.0;
        let inner = Panel { bottom: panel.bottom - FOOT, ..panel };
        let mut frame = Self::holding(focus, inner);
        frame.scale *= SHARE;
        // Everything keeps its place: the middle of the inner part, seen from the middle of the panel.
        frame.middle.y -= (panel.middle().y - inner.middle().y) / frame.scale;
        frame.panel = panel;
        frame
    }

    /// As large as the panel holds it.
    pub fn holding(ground: Rect, panel: Panel) -> Self {
        /// Nothing is shown larger: metres across.
        const LEAST: f64 = 200.0;
        let wide = (panel.right - panel.left) / ground.width().max(LEAST);
        let high = (panel.bottom - panel.top) / ground.height().max(LEAST);
        Self { panel, middle: ground.center(), scale: wide.min(high) }
    }

    pub fn at(&self, ground: Coord) -> Coord {
        let middle = self.panel.middle();
        Coord {
            x: middle.x + (ground.x - self.middle.x) * self.scale,
            y: middle.y - (ground.y - self.middle.y) * self.scale,
        }
    }

    /// The ground that the panel shows.
    pub fn seen(&self) -> Rect {
        let half = Coord {
            x: (self.panel.right - self.panel.left) / 2.0 / self.scale,
            y: (self.panel.bottom - self.panel.top) / 2.0 / self.scale,
        };
        Rect::new(self.middle - half, self.middle + half)
    }
}

/// A round length on the ground, as the map shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScaleBar {
    pub left: f64,
    pub y: f64,
    pub length: f64,
    pub text: String,
}

impl ScaleBar {
    /// In the foot of the panel: the longest of 1, 2, 5, 10 … that is not too long.
    pub fn new(frame: &Frame) -> Self {
        const LONGEST: f64 = 110.0;
        let mut metres = 10_u32;
        let mut decade = 10_u32;
        for step in [2_u32, 5, 10].into_iter().cycle() {
            let next = decade * step;
            if f64::from(next) * frame.scale > LONGEST || next > 100_000 {
                break;
            }
            metres = next;
            if step == 10 {
                decade = next;
            }
        }
        let text = if metres < 1_000 { format!("{metres} m") } else { format!("{} km", metres / 1_000) };
        let length = (f64::from(metres) * frame.scale).min(LONGEST);
        Self { left: frame.panel.left + 14.0, y: frame.panel.bottom - 13.0, length, text }
    }

    /// What it takes, with its text.
    pub fn room(&self) -> Panel {
        let text = 10.0 * self.text.len() as f64;
        Panel {
            left: self.left - 8.0,
            top: self.y - 17.0,
            right: self.left + self.length + 12.0 + text,
            bottom: self.y + 7.0,
        }
    }
}

pub(super) fn bounds(shape: &MultiPolygon<f64>) -> Option<Rect> {
    shape.bounding_rect()
}

/// The box around all boxes.
pub(super) fn together(boxes: impl Iterator<Item = Rect>) -> Option<Rect> {
    boxes.reduce(|one, other| {
        let (a, b, c, d) = (one.min(), other.min(), one.max(), other.max());
        Rect::new(Coord { x: a.x.min(b.x), y: a.y.min(b.y) }, Coord { x: c.x.max(d.x), y: c.y.max(d.y) })
    })
}

/// Whether two boxes come as near as a gap.
pub(super) fn overlap(one: Rect, other: Rect, gap: f64) -> bool {
    one.min().x <= other.max().x + gap
        && other.min().x <= one.max().x + gap
        && one.min().y <= other.max().y + gap
        && other.min().y <= one.max().y + gap
}
