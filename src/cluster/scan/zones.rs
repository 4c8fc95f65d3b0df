//! The circles that are looked at: which places lie in them, from the centre outwards.

use super::{Centres, Plan, Point, ScanError};
use rayon::prelude::*;
use rstar::RTree;
use std::collections::BTreeSet;

/// So many memberships of places in circles are kept at most (256 MB); more would not be a local scan.
const MOST_MEMBERS: usize = 64_000_000;

/// Marks a member whose successor is just as far from the centre: both join the circle together.
const TIED: u32 = 1 << 31;

/// A group ends before the circle holds so much more (in percent) than at its start.
const GROUP_PERCENT: u32 = 25;

/// Where and how often something happened.
pub(super) struct Places {
    /// By easting, then northing: an order that moving everything does not change.
    pub points: Vec<[i64; 2]>,
    pub cases: Vec<u32>,
}

impl Places {
    pub fn new(events: &[Point]) -> Self {
        let mut all: Vec<[i64; 2]> =
            events.iter().map(|event| [event.easting.into(), event.northing.into()]).collect();
        all.sort_unstable();
        let (mut points, mut cases) = (Vec::new(), Vec::new());
        for same in all.chunk_by(|a, b| a == b) {
            points.push(same[0]);
            cases.push(same.len() as u32);
        }
        Self { points, cases }
    }

    /// The index of a place that is known.
    pub fn at(&self, event: Point) -> usize {
        let point = [event.easting.into(), event.northing.into()];
        self.points.partition_point(|other| *other < point)
    }
}

/// A place in a circle.
#[derive(Clone, Copy)]
pub(super) struct Member(u32);

impl Member {
    pub fn place(self) -> usize {
        (self.0 & !TIED) as usize
    }

    /// Whether the circle may end with this member.
    pub fn ends(self) -> bool {
        self.0 & TIED == 0
    }
}

/// Successive circles about one centre that hold about as many cases.
#[derive(Clone, Copy)]
pub(super) struct Group {
    /// One past the last member.
    pub end: u32,
    /// The cases of the circle before the group's first member.
    pub before: u32,
    /// The size class of the group's smallest circle.
    pub class: u32,
}

/// All circles. A circle is a centre and how many of its members it reaches.
pub(super) struct Zones {
    pub centres: Vec<[i64; 2]>,
    /// Per centre one past its last member, and one past its last group.
    ends: Vec<(usize, usize)>,
    pub members: Vec<Member>,
    groups: Vec<Group>,
    /// The cases of the fullest circle.
    pub fullest: u32,
}

impl Zones {
    pub fn new(places: &Places, plan: &Plan) -> Result<Self, ScanError> {
        let metres = i64::from(plan.limits.metres);
        let centres = match plan.centres {
            Centres::Places => places.points.clone(),
            Centres::Lattice { metres: step } => lattice(&places.points, i64::from(step), metres)?,
        };
        let all: u32 = places.cases.iter().sum();
        let most = (plan.limits.share * f64::from(all)).floor() as u32;
        let tree = RTree::bulk_load(places.points.clone());
        let mut zones = Self::empty();
        // Batches bound what is held twice.
        let batch = (4_000_000 / places.points.len().max(1)).clamp(1, 256);
        for batch in centres.chunks(batch) {
            let around: Vec<Vec<(i64, u32)>> =
                batch.par_iter().map(|&centre| circle(&tree, places, centre, metres, most)).collect();
            for (&centre, members) in batch.iter().zip(around) {
                let tied = members.iter().zip(members.iter().skip(1).map(Some).chain([None]));
                let members = tied.map(|(this, next)| {
                    let mark = if next.is_some_and(|next| next.0 == this.0) { TIED } else { 0 };
                    Member(this.1 | mark)
                });
                zones.push(centre, members, &places.cases);
                if zones.members.len() > MOST_MEMBERS {
                    return Err(ScanError::TooManyMembers);
                }
            }
        }
        Ok(zones)
    }

    fn empty() -> Self {
        Self { centres: Vec::new(), ends: Vec::new(), members: Vec::new(), groups: Vec::new(), fullest: 0 }
    }

    fn push(&mut self, centre: [i64; 2], members: impl Iterator<Item = Member>, cases: &[u32]) {
        let first = self.members.len();
        self.members.extend(members);
        let (mut inside, mut open): (u32, Option<Group>) = (0, None);
        let mut joining = 0;
        for (member, index) in self.members[first..].iter().zip(first as u32..) {
            joining += cases[member.place()];
            if member.ends() {
                let now = inside + joining;
                let fits = |group: &Group| {
                    let start = class_floor(group.class);
                    now <= start + start * GROUP_PERCENT / 100
                };
                if let Some(group) = open.filter(|group| !fits(group)) {
                    self.groups.push(group);
                    open = None;
                }
                let group = open.get_or_insert(Group { end: 0, before: inside, class: class(now) });
                group.end = index + 1;
                (inside, joining) = (now, 0);
            }
        }
        self.groups.extend(open);
        self.centres.push(centre);
        self.ends.push((self.members.len(), self.groups.len()));
        self.fullest = self.fullest.max(inside);
    }

    /// The members about a centre: the index of the first, and one past the last.
    pub fn span(&self, centre: usize) -> (usize, usize) {
        (centre.checked_sub(1).map_or(0, |before| self.ends[before].0), self.ends[centre].0)
    }

    pub fn groups(&self, centre: usize) -> &[Group] {
        &self.groups[centre.checked_sub(1).map_or(0, |before| self.ends[before].1)..self.ends[centre].1]
    }

    /// The circles that reach none of the places already taken.
    pub fn without(&self, taken: &[bool], cases: &[u32]) -> Self {
        let mut zones = Self::empty();
        for (centre, &point) in self.centres.iter().enumerate() {
            let (first, end) = self.span(centre);
            let members = &self.members[first..end];
            let free = members.iter().position(|member| taken[member.place()]).unwrap_or(members.len());
            // What is as far as a place taken would join together with it.
            let whole = members[..free].iter().rposition(|member| member.ends()).map_or(0, |last| last + 1);
            zones.push(point, members[..whole].iter().copied(), cases);
        }
        zones
    }
}

/// The size class of a number of cases: exact below 16, then steps of at most one in sixteen.
pub(super) fn class(cases: u32) -> u32 {
    let shift = cases.max(16).ilog2() - 4;
    shift * 16 + (cases >> shift)
}

/// The smallest number of cases in a class.
pub(super) fn class_floor(class: u32) -> u32 {
    let shift = (class / 16).saturating_sub(1);
    (class - shift * 16) << shift
}

/// The places about a centre by distance, as far as the reach and the share of all cases allow.
fn circle(
    tree: &RTree<[i64; 2]>,
    places: &Places,
    centre: [i64; 2],
    metres: i64,
    most: u32,
) -> Vec<(i64, u32)> {
    let [east, north] = centre;
    let around = rstar::AABB::from_corners([east - metres, north - metres], [east + metres, north + metres]);
    let mut near: Vec<(i64, u32)> = tree
        .locate_in_envelope(around)
        .map(|&point| (squared(point, centre), point))
        .filter(|&(apart, _)| apart <= metres * metres)
        .map(|(apart, point)| (apart, places.points.partition_point(|other| *other < point) as u32))
        .collect();
    near.sort_unstable();
    let (mut inside, mut keep) = (0_u32, 0);
    for same in near.chunk_by(|a, b| a.0 == b.0) {
        inside += same.iter().map(|&(_, place)| places.cases[place as usize]).sum::<u32>();
        if inside > most {
            break;
        }
        keep += same.len();
    }
    near.truncate(keep);
    near
}

/// Exact: no circle reaches further than 2,000 kilometres.
pub(super) fn squared(a: [i64; 2], b: [i64; 2]) -> i64 {
    (a[0] - b[0]).pow(2) + (a[1] - b[1]).pow(2)
}

/// The nodes of a lattice that have a place in reach. It is anchored at the westernmost and the southernmost place.
fn lattice(points: &[[i64; 2]], step: i64, metres: i64) -> Result<Vec<[i64; 2]>, ScanError> {
    let origin = [0, 1].map(|axis| points.iter().map(|point| point[axis]).min().unwrap_or(0));
    let a_side = 2 * metres / step + 1;
    if a_side.saturating_mul(a_side).saturating_mul(points.len() as i64) > MOST_MEMBERS as i64 {
        return Err(ScanError::TooManyMembers);
    }
    let mut nodes = BTreeSet::new();
    for &point in points {
        let [east, north] = [0, 1].map(|axis| {
            let from = (point[axis] - origin[axis] - metres + step - 1).div_euclid(step);
            let to = (point[axis] - origin[axis] + metres).div_euclid(step);
            (from..=to).map(move |node| origin[axis] + node * step)
        });
        let on_grid = |node: &[i64; 2]| node.iter().all(|&metres| i32::try_from(metres).is_ok());
        for east in east {
            let column = north.clone().map(|north| [east, north]);
            nodes.extend(column.filter(|&node| squared(node, point) <= metres * metres).filter(on_grid));
        }
    }
    Ok(nodes.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_narrow_and_in_order() {
        for cases in 1..20_000 {
            let floor = class_floor(class(cases));
            assert!(floor <= cases && cases - floor <= cases / 16, "{cases} {floor}");
            assert!(class(cases) <= class(cases + 1));
        }
    }
}
