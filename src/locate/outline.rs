//! A polygon prepared for many questions whether it holds a point.

use geo::{
    BoundingRect, Coord, CoordsIter, LineString, Polygon, Rect,
    kernels::{Kernel, Orientation, RobustKernel},
};

/// Edges a band has about, where they are of one length.
const EDGES: usize = 8;

/// A polygon whose rings are cut into horizontal bands, so that a point is compared with the few edges of its height.
///
/// It holds what geo's `intersects` says it holds, edges and corners exactly, and broken shapes alike: a point is inside
/// a ring that winds around it (the winding number of Sunday, Inclusion of a point in a polygon, 2001).
#[derive(Debug)]
pub(super) struct Outline {
    exterior: Ring,
    holes: Vec<Ring>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Inside,
    Border,
    Outside,
}

impl Outline {
    /// Nothing where there is no ring, or numbers that are none.
    pub(super) fn new(polygon: Polygon<f64>) -> Option<Self> {
        let (exterior, holes) = polygon.into_inner();
        let exterior = Ring::new(exterior)?;
        Some(Self { exterior, holes: holes.into_iter().filter_map(Ring::new).collect() })
    }

    pub(super) fn bounds(&self) -> Rect<f64> {
        self.exterior.bounds
    }

    /// The edges of all rings.
    pub(super) fn edges(&self) -> impl Iterator<Item = [Coord<f64>; 2]> + Clone {
        let rings = std::iter::once(&self.exterior).chain(&self.holes);
        rings.flat_map(|ring| ring.corners.windows(2).map(|edge| [edge[0], edge[1]]))
    }

    /// Whether the point is within, or on the outline or the edge of a hole.
    pub(super) fn holds(&self, point: Coord<f64>) -> bool {
        match self.exterior.side(point) {
            Side::Outside => false,
            Side::Border => true,
            Side::Inside => {
                let mut holes = self.holes.iter().map(|hole| hole.side(point));
                holes.find(|side| *side != Side::Outside) != Some(Side::Inside)
            }
        }
    }
}

/// A closed ring. Each band lists runs of edges that follow each other in the ring and reach into the band.
#[derive(Debug)]
struct Ring {
    corners: Vec<Coord<f64>>,
    bounds: Rect<f64>,
    bands: Bands,
    /// Where a band's runs begin, and after the last where they end.
    starts: Vec<u32>,
    /// From the first corner of the first edge to the last corner of the last.
    runs: Vec<[u32; 2]>,
}

impl Ring {
    fn new(ring: LineString<f64>) -> Option<Self> {
        let bounds = ring.bounding_rect()?;
        let mut corners = ring.into_inner();
        if let [only] = corners[..] {
            // An edge from itself to itself, so that it is not forgotten.
            corners.push(only);
        }
        if corners.iter().any(|corner| !(corner.x.is_finite() && corner.y.is_finite())) {
            return None;
        }
        let bands = Bands::new(bounds.min().y, bounds.max().y, bands(&corners, bounds.height()));
        let count = bands.count;
        let mut all: Vec<(u32, [u32; 2])> = Vec::new();
        // In which run of each band the last edge was: an edge that follows it there makes it longer.
        let mut last = vec![u32::MAX; count];
        for (edge, ends) in (0..).zip(corners.windows(2)) {
            let (low, high) = (ends[0].y.min(ends[1].y), ends[0].y.max(ends[1].y));
            for (band, last) in last.iter_mut().enumerate().take(bands.of(high) + 1).skip(bands.of(low)) {
                match all.get_mut(*last as usize) {
                    Some((_, run)) if run[1] == edge => run[1] = edge + 1,
                    _ => {
                        *last = all.len() as u32;
                        all.push((band as u32, [edge, edge + 1]));
                    }
                }
            }
        }
        let mut starts = vec![0; count + 1];
        for (band, _) in &all {
            starts[*band as usize + 1] += 1;
        }
        for band in 0..count {
            starts[band + 1] += starts[band];
        }
        all.sort_by_key(|(band, _)| *band);
        let runs = all.into_iter().map(|(_, run)| run).collect();
        Some(Self { corners, bounds, bands, starts, runs })
    }

    fn side(&self, point: Coord<f64>) -> Side {
        let (low, high) = (self.bounds.min(), self.bounds.max());
        if !(low.x <= point.x && point.x <= high.x && low.y <= point.y && point.y <= high.y) {
            return Side::Outside;
        }
        let band = self.bands.of(point.y);
        let runs = &self.runs[self.starts[band] as usize..self.starts[band + 1] as usize];
        let mut winding = 0;
        for &[from, to] in runs {
            for edge in self.corners[from as usize..=to as usize].windows(2) {
                let (a, b) = (edge[0], edge[1]);
                let up = a.y <= point.y && point.y <= b.y;
                let down = b.y <= point.y && point.y <= a.y;
                if !(up || down) || (a.x < point.x && b.x < point.x) {
                    continue;
                }
                match turn(a, b, point) {
                    // Half open, so that a corner counts once; level edges count for nothing.
                    Orientation::CounterClockwise if up && point.y < b.y => winding += 1,
                    Orientation::Clockwise if down && point.y < a.y => winding -= 1,
                    Orientation::Collinear if point.x >= a.x.min(b.x) && point.x <= a.x.max(b.x) => {
                        return Side::Border;
                    }
                    _ => {}
                }
            }
        }
        if winding == 0 { Side::Outside } else { Side::Inside }
    }
}

/// How many bands to cut a ring into. One whose edges are as long as itself gets few: each edge is in all of them, and
/// together they must not be listed more often than twice.
fn bands(corners: &[Coord<f64>], height: f64) -> usize {
    let up_and_down: f64 = corners.windows(2).map(|edge| (edge[0].y - edge[1].y).abs() / height).sum();
    (corners.len() / EDGES).min((2.0 * corners.len() as f64 / up_and_down) as usize)
}

/// Where a point is from an edge: first in plain arithmetic, exactly where that leaves a doubt.
fn turn(a: Coord<f64>, b: Coord<f64>, point: Coord<f64>) -> Orientation {
    let left = (a.x - point.x) * (b.y - point.y);
    let right = (a.y - point.y) * (b.x - point.x);
    // Shewchuk, Adaptive precision floating-point arithmetic, 1997: the sign holds beyond this bound.
    let doubt = 3.330_669_073_875_472e-16 * (left.abs() + right.abs());
    if left - right > doubt {
        Orientation::CounterClockwise
    } else if right - left > doubt {
        Orientation::Clockwise
    } else {
        RobustKernel::orient2d(a, b, point)
    }
}

/// Equal parts of a stretch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bands {
    from: f64,
    scale: f64,
    pub(super) count: usize,
}

impl Bands {
    pub(super) fn new(from: f64, to: f64, count: usize) -> Self {
        let (count, scale) = match count as f64 / (to - from) {
            scale if count > 0 && scale.is_finite() && scale > 0.0 => (count, scale),
            _ => (1, 0.0),
        };
        Self { from, scale, count }
    }

    /// Never falls as the number rises, so what lies between two numbers lies in their bands or between these.
    pub(super) fn of(&self, number: f64) -> usize {
        (((number - self.from) * self.scale) as usize).min(self.count - 1)
    }

    /// About where a band begins.
    pub(super) fn start(&self, band: usize) -> f64 {
        self.from + band as f64 / self.scale
    }

    /// Whether a band is so much wider than the rounding of numbers that `start` is right to a fraction of it.
    pub(super) fn are_wide(&self) -> bool {
        let far = self.from.abs() + self.count as f64 / self.scale;
        self.scale > 0.0 && 1.0 / self.scale > far * 1e-9
    }
}

/// How many corners a polygon has.
pub(super) fn size(polygon: &Polygon<f64>) -> usize {
    polygon.coords_count()
}
