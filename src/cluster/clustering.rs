//! The clusters of a growing set of points.
//!
//! Sources: Ester, Kriegel, Sander, Wimmer and Xu, Incremental clustering for mining in a data warehousing
//! environment, VLDB 1998, 323-333 (insertion); Gan and Tao, DBSCAN revisited, SIGMOD 2015, 519-530 (squares whose
//! points are all each other's neighbours).

use super::{
    Point, Reach, Role,
    column::{Column, Leaf, Spot, around, near, sweep, window},
};
use rayon::prelude::*;
use rstar::{AABB, RTree};
use std::ops::ControlFlow;

/// Belongs to no cluster.
const NONE: u32 = u32::MAX;

/// Points, their clusters, and an R-tree over easting, northing and day to add further points by.
///
/// A cluster is named by the index of its first core point in the order of the input. New points come after the old
/// ones, so a name stays, except where the definition itself changes it: an earlier point becomes core, or clusters
/// merge; then the earliest core point names them all. Points cannot be taken away; that needs a new run.
///
/// Holds up to four billion points.
#[derive(Debug)]
pub struct Clustering {
    reach: Reach,
    /// How many neighbours make a core point.
    enough: u32,
    columns: Vec<Column>,
    /// One leaf for a column. Its box is as tight as can be, so that a column's search meets few others.
    tree: RTree<Leaf>,
    /// For every point the first one at its place on its day; what follows holds only for these.
    same: Vec<u32>,
    core: Vec<bool>,
    /// For a core point one of its cluster that is not later than itself, for a border point its first core neighbour.
    links: Vec<u32>,
}

impl Clustering {
    /// Clusters the points. Uses the threads of the current pool; the answer does not depend on their number.
    #[must_use]
    pub fn new(points: &[Point], reach: Reach) -> Self {
        let enough = u32::try_from(reach.min_points).unwrap_or(u32::MAX);
        let (columns, same) = columns(points, reach);
        let leaves = columns.iter().zip(0..).map(|(column, index)| column.leaf(index, reach)).collect();
        let (core, links) = (vec![false; points.len()], vec![NONE; points.len()]);
        let mut all = Self { reach, enough, columns, tree: RTree::bulk_load(leaves), same, core, links };

        let near: Vec<Vec<u32>> = near(&all.columns, &all.tree, reach);
        let counts: Vec<Vec<u32>> =
            near.par_iter().enumerate().map(|(at, near)| all.count(at, near)).collect();
        for (spot, count) in
            all.columns.iter_mut().flat_map(|column| &mut column.spots).zip(counts.iter().flatten())
        {
            spot.near = *count;
        }
        drop(counts);
        // Room for some years of nights: to move a million of each would take as long as the night's points.
        let room = points.len() / 8;
        all.same.reserve(room);
        all.core.reserve(room);
        all.links.reserve(room);
        all.columns.reserve(all.columns.len() / 8);

        let is_core = |spot: &&Spot| spot.near >= enough;
        let cores: Vec<Vec<Spot>> = all
            .columns
            .par_iter()
            .map(|column| column.spots.iter().filter(is_core).copied().collect())
            .collect();
        for spot in cores.iter().flatten() {
            all.rise(spot);
        }
        let runs: Vec<Vec<(u32, u32)>> =
            near.par_iter().enumerate().map(|(at, near)| all.runs(at, near, &cores)).collect();
        let borders: Vec<Vec<(u32, u32)>> =
            near.par_iter().enumerate().map(|(at, near)| all.borders(at, near, &cores)).collect();
        for column in &cores {
            for pair in column.windows(2).filter(|pair| follows(&pair[0], &pair[1], reach)) {
                all.unite(pair[0].first, pair[1].first);
            }
        }
        for &(a, b) in runs.iter().flatten() {
            all.unite(a, b);
        }
        for &(border, core) in borders.iter().flatten() {
            all.links[border as usize] = core;
        }
        all
    }

    /// How many points there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.same.len()
    }

    /// Whether there is no point at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.same.is_empty()
    }

    /// The role of one point; nothing where there is no such point. Clusters go by the index of their first core point.
    #[must_use]
    pub fn role(&self, index: usize) -> Option<Role> {
        let first = *self.same.get(index)? as usize;
        Some(match self.links[first] {
            NONE => Role::Noise,
            link if self.core[first] => Role::Core(self.root(link) as usize),
            link => Role::Border(self.root(link) as usize),
        })
    }

    /// The role of every point, in the order of the input. Clusters go by the index of their first core point.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        (0..self.len()).filter_map(|index| self.role(index)).collect()
    }

    /// Adds points, after those that are there. Afterwards all roles are what a new run over all points would give.
    pub fn insert(&mut self, points: &[Point]) {
        let (mut risen, mut fresh) = (Vec::new(), Vec::new());
        for &point in points {
            self.add(point, &mut risen, &mut fresh);
        }
        for spot in &risen {
            self.rise(spot);
        }
        let mut found = Vec::new();
        for spot in &risen {
            self.neighbours(spot.point, &mut found);
            for &other in &found {
                if self.core[other as usize] {
                    self.unite(spot.first, other);
                } else {
                    let link = &mut self.links[other as usize];
                    *link = spot.first.min(*link);
                }
            }
        }
        for spot in fresh {
            if !self.core[spot.first as usize] {
                self.neighbours(spot.point, &mut found);
                let cores = found.iter().copied().filter(|&other| self.core[other as usize]);
                self.links[spot.first as usize] = cores.min().unwrap_or(NONE);
            }
        }
    }

    /// Puts a point into its column and counts it with its neighbours. Keeps the spots that became core.
    fn add(&mut self, point: Point, risen: &mut Vec<Spot>, fresh: &mut Vec<Spot>) {
        let id = self.same.len() as u32;
        let new = Spot { point, first: id, weight: 1, near: 0 };
        let first = self.put(new);
        self.same.push(first);
        self.core.push(false);
        self.links.push(NONE);
        let (reach, enough) = (self.reach, self.enough);
        let mut count = 0_u32;
        for at in self.columns_near(point) {
            let spots = &mut self.columns[at as usize].spots;
            let window = window(spots, point.day, reach);
            for spot in spots[window].iter_mut().filter(|spot| within(spot.point, point, reach)) {
                count = count.saturating_add(spot.weight);
                if spot.first != id && spot.near < enough {
                    spot.near += 1;
                    if spot.near == enough {
                        risen.push(*spot);
                    }
                }
            }
        }
        if first == id {
            let spot = Spot { near: count.min(enough), ..new };
            if let Some((at, slot)) = self.find(point) {
                self.columns[at].spots[slot].near = spot.near;
            }
            if spot.near == enough { risen.push(spot) } else { fresh.push(spot) }
        }
    }

    /// The column of a point and its place in there, once it is in.
    fn find(&self, point: Point) -> Option<(usize, usize)> {
        let at = self.column_of(point)? as usize;
        let slot =
            self.columns[at].spots.binary_search_by_key(&order(point), |spot| order(spot.point)).ok()?;
        Some((at, slot))
    }

    /// Puts a spot where it belongs; gives the first point of its place and day.
    fn put(&mut self, new: Spot) -> u32 {
        let Some(at) = self.column_of(new.point) else {
            let column = Column::new(new);
            self.tree.insert(column.leaf(self.columns.len() as u32, self.reach));
            self.columns.push(column);
            return new.first;
        };
        let column = &mut self.columns[at as usize];
        match column.spots.binary_search_by_key(&order(new.point), |spot| order(spot.point)) {
            Ok(slot) => {
                column.spots[slot].weight += 1;
                column.spots[slot].first
            }
            Err(slot) => {
                let old = column.leaf(at, self.reach);
                column.spots.insert(slot, new);
                if column.widen(new.point) {
                    self.tree.remove(&old);
                    self.tree.insert(column.leaf(at, self.reach));
                }
                new.first
            }
        }
    }

    /// The column of a point, if there is one. Columns do not overlap, so only one box can reach into the square.
    fn column_of(&self, point: Point) -> Option<u32> {
        let side = self.reach.side();
        let (east, north) = square(point, side);
        let low = [(east * side) as f64, (north * side) as f64, f64::NEG_INFINITY];
        let high = [(east * side + side - 1) as f64, (north * side + side - 1) as f64, f64::INFINITY];
        match self.tree.locate_in_envelope_intersecting_int(AABB::from_corners(low, high), |leaf| {
            ControlFlow::Break(leaf.data)
        }) {
            ControlFlow::Break(at) => Some(at),
            ControlFlow::Continue(()) => None,
        }
    }

    fn columns_near(&self, point: Point) -> Vec<u32> {
        let around = around(point, point, self.reach);
        self.tree.locate_in_envelope_intersecting(around).map(|leaf| leaf.data).collect()
    }

    /// The first points of all spots within reach.
    fn neighbours(&self, point: Point, found: &mut Vec<u32>) {
        found.clear();
        for at in self.columns_near(point) {
            let spots = &self.columns[at as usize].spots;
            let spots = &spots[window(spots, point.day, self.reach)];
            found.extend(
                spots.iter().filter(|spot| within(spot.point, point, self.reach)).map(|spot| spot.first),
            );
        }
    }

    /// The number of neighbours of a column's spots, counted up to what makes a core point.
    fn count(&self, at: usize, near: &[u32]) -> Vec<u32> {
        let (reach, enough) = (self.reach, self.enough);
        let here = &self.columns[at].spots;
        let mut counts = Vec::with_capacity(here.len());
        let (mut to, mut sum) = (0, 0_u64);
        let mut from = 0;
        for spot in here {
            let day = i64::from(spot.point.day);
            while let Some(late) = here.get(to).filter(|late| i64::from(late.point.day) - day <= reach.days) {
                sum += u64::from(late.weight);
                to += 1;
            }
            while day - i64::from(here[from].point.day) > reach.days {
                sum -= u64::from(here[from].weight);
                from += 1;
            }
            counts.push(sum.min(enough.into()) as u32);
        }
        for &other in near {
            sweep(here, &self.columns[other as usize].spots, reach, |index, there| {
                let (point, count) = (here[index].point, &mut counts[index]);
                let late = i64::from(point.day) + reach.days;
                for spot in there {
                    if *count >= enough || i64::from(spot.point.day) > late {
                        break;
                    }
                    if within(spot.point, point, reach) {
                        *count = count.saturating_add(spot.weight).min(enough);
                    }
                }
                false
            });
        }
        counts
    }

    /// Pairs of core points by which a column's runs hang together with those of later columns, one for each pair
    /// of runs. A run is a row of core points of one column without a gap that is longer than the reach in days.
    fn runs(&self, at: usize, near: &[u32], cores: &[Vec<Spot>]) -> Vec<(u32, u32)> {
        let reach = self.reach;
        let mut pairs = Vec::new();
        for run in cores[at].chunk_by(|a, b| follows(a, b, reach)) {
            for other in near.iter().map(|&other| other as usize).filter(|&other| other > at) {
                let early = i64::from(run[0].point.day) - reach.days;
                let late = run.last().map_or(early, |last| i64::from(last.point.day) + reach.days);
                let there = &cores[other];
                let from = there.partition_point(|spot| i64::from(spot.point.day) < early);
                let to = from + there[from..].partition_point(|spot| i64::from(spot.point.day) <= late);
                for there in there[from..to].chunk_by(|a, b| follows(a, b, reach)) {
                    if touch(run, there, reach) {
                        pairs.push((run[0].first, there[0].first));
                    }
                }
            }
        }
        pairs
    }

    /// A column's border points, each with its first core neighbour.
    fn borders(&self, at: usize, near: &[u32], cores: &[Vec<Spot>]) -> Vec<(u32, u32)> {
        let reach = self.reach;
        let first_core = |spot: &Spot| {
            let columns = near.iter().map(|&other| other as usize).chain([at]);
            let windows =
                columns.flat_map(|other| &cores[other][window(&cores[other], spot.point.day, reach)]);
            windows.filter(|core| within(core.point, spot.point, reach)).map(|core| core.first).min()
        };
        let spots = self.columns[at].spots.iter();
        // One whose neighbours are all at its own place has no core among them.
        let open = spots.filter(|spot| spot.near < self.enough && spot.near > spot.weight);
        open.filter_map(|spot| Some((spot.first, first_core(spot)?))).collect()
    }

    /// Makes a spot core, in a cluster of its own.
    fn rise(&mut self, spot: &Spot) {
        self.core[spot.first as usize] = true;
        self.links[spot.first as usize] = spot.first;
    }

    fn root(&self, mut id: u32) -> u32 {
        while self.links[id as usize] != id {
            id = self.links[id as usize];
        }
        id
    }

    /// As [`Self::root`], and shortens the way for the next time.
    fn shorten(&mut self, mut id: u32) -> u32 {
        while self.links[id as usize] != id {
            let link = self.links[id as usize];
            self.links[id as usize] = self.links[link as usize];
            id = link;
        }
        id
    }

    /// Makes one cluster of two; the earlier core point keeps the name.
    fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.shorten(a), self.shorten(b));
        self.links[a.max(b) as usize] = a.min(b);
    }
}

/// The points in columns, and for every point the first one at its place on its day.
fn columns(points: &[Point], reach: Reach) -> (Vec<Column>, Vec<u32>) {
    let side = reach.side();
    let mut all: Vec<_> = points
        .par_iter()
        .enumerate()
        .map(|(index, &point)| {
            let (east, north) = square(point, side);
            // A side is one metre or more, so the squares' numbers are no larger than the coordinates.
            ((east as i32, north as i32), order(point), index as u32)
        })
        .collect();
    all.par_sort_unstable();
    let mut same = vec![0; points.len()];
    let columns = all.chunk_by(|a, b| a.0 == b.0).filter_map(|square| {
        let mut column: Option<Column> = None;
        for alike in square.chunk_by(|a, b| a.1 == b.1) {
            let first = alike[0].2;
            for &(_, _, index) in alike {
                same[index as usize] = first;
            }
            let new = Spot { point: points[first as usize], first, weight: alike.len() as u32, near: 0 };
            match &mut column {
                None => column = Some(Column::new(new)),
                Some(column) => {
                    column.widen(new.point);
                    column.spots.push(new);
                }
            }
        }
        column
    });
    (columns.collect(), same)
}

fn square(point: Point, side: i64) -> (i64, i64) {
    (i64::from(point.easting).div_euclid(side), i64::from(point.northing).div_euclid(side))
}

/// The order within a column: by day first.
fn order(point: Point) -> (i32, i32, i32) {
    (point.day, point.easting, point.northing)
}

/// Exact in 64-bit integers: no pair is lost to rounding at the rim. Only for points of columns near each other, whose
/// days have been compared.
fn within(a: Point, b: Point, reach: Reach) -> bool {
    let east = i64::from(a.easting) - i64::from(b.easting);
    let north = i64::from(a.northing) - i64::from(b.northing);
    east * east + north * north <= reach.metres * reach.metres
}

/// Whether the later of two core points of one column is still in the run of the earlier.
fn follows(early: &Spot, late: &Spot, reach: Reach) -> bool {
    i64::from(late.point.day) - i64::from(early.point.day) <= reach.days
}

/// Whether any of some core points is within reach of any of some others.
fn touch(here: &[Spot], there: &[Spot], reach: Reach) -> bool {
    sweep(here, there, reach, |index, there| {
        let point = here[index].point;
        let late = i64::from(point.day) + reach.days;
        let mut window = there.iter().take_while(|spot| i64::from(spot.point.day) <= late);
        window.any(|spot| within(spot.point, point, reach))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::st_dbscan;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    fn at(&(easting, northing, day): &(i32, i32, i32)) -> Point {
        Point { easting, northing, day }
    }

    fn crowd() -> impl Strategy<Value = Vec<(i32, i32, i32)>> {
        // Two grids of places: one so coarse that places and distances often coincide.
        let coarse = (0_i32..12, 0_i32..12, 0_i32..40).prop_map(|(e, n, d)| (e * 100, n * 100, d));
        let fine = (0_i32..1500, 0_i32..1500, -20_i32..40);
        prop::collection::vec(prop_oneof![coarse, fine], 0..120)
    }

    #[test]
    fn crowds_at_one_address_take_no_longer_than_others() {
        let began = Instant::now();
        let points = vec![at(&(458_000, 304_000, 20_000)); 200_000];
        let reach = Reach::new(500, 14, 5).unwrap();
        let mut all = Clustering::new(&points, reach);
        all.insert(&points[..1_000]);
        assert!((0..201_000).all(|index| all.role(index) == Some(Role::Core(0))));
        // Two addresses and many days, just out of reach of each other.
        let points: Vec<_> = (0..100_000).map(|n| at(&(n % 2 * 501, 0, n / 100))).collect();
        let roles = st_dbscan(&points, reach);
        assert_eq!([roles[0], roles[1], roles[99_999]], [Role::Core(0), Role::Core(1), Role::Core(1)]);
        let roles = st_dbscan(&points, Reach::new(500, 14, 1_000_000).unwrap());
        assert_eq!(roles[0], Role::Noise);
        assert!(began.elapsed() < Duration::from_secs(10), "took {:?}", began.elapsed());
    }

    #[test]
    fn the_ends_of_the_numbers_are_places_like_others() {
        let ends = [i32::MIN, 0, i32::MAX];
        let points: Vec<_> =
            ends.iter().flat_map(|&e| ends.iter().flat_map(move |&n| ends.map(|d| at(&(e, n, d))))).collect();
        for (metres, days) in [(0, 0), (2_000_000, 200_000), (2_000_000, 0), (0, 200_000)] {
            let reach = Reach::new(metres, days, 2).unwrap();
            assert_eq!(st_dbscan(&points, reach), vec![Role::Noise; 27]);
            let mut all = Clustering::new(&[], reach);
            assert!(all.is_empty());
            for point in &points {
                all.insert(&[*point]);
            }
            all.insert(&points);
            assert!((0..27).all(|index| all.role(index) == Some(Role::Core(index))));
            assert_eq!((all.len(), all.role(54)), (54, None));
        }
        let everyone = st_dbscan(&points, Reach::new(0, 0, 1).unwrap());
        assert!(everyone.iter().enumerate().all(|(index, role)| *role == Role::Core(index)));
    }

    proptest! {
        #[test]
        fn nights_added_one_by_one_give_what_a_new_run_gives(
            places in crowd(), nights in prop::collection::vec(0_usize..40, 1..8),
            metres in 0_u32..500, days in 0_u32..20, min_points in 1_usize..7,
        ) {
            let points: Vec<Point> = places.iter().map(at).collect();
            let reach = Reach::new(metres, days, min_points).unwrap();
            let mut rest = &points[..];
            let mut all = Clustering::new(&[], reach);
            for (index, night) in nights.into_iter().enumerate() {
                let (new, later) = rest.split_at(night.min(rest.len()));
                rest = later;
                if index == 0 {
                    all = Clustering::new(new, reach);
                } else {
                    all.insert(new);
                }
                let again = Clustering::new(&points[..points.len() - rest.len()], reach);
                prop_assert_eq!(all.roles(), again.roles());
            }
        }

        #[test]
        fn the_order_of_the_input_changes_only_names(places in crowd(), min_points in 1_usize..6) {
            let reach = Reach::new(150, 7, min_points).unwrap();
            let points: Vec<Point> = places.iter().map(at).collect();
            let backwards: Vec<Point> = points.iter().rev().copied().collect();
            let (roles, mut other) = (st_dbscan(&points, reach), st_dbscan(&backwards, reach));
            other.reverse();
            let mut names = std::collections::BTreeMap::new();
            for (role, other) in roles.iter().zip(&other) {
                match (role, other) {
                    (Role::Core(a), Role::Core(b)) => prop_assert_eq!(*names.entry(*a).or_insert(*b), *b),
                    (Role::Border(_), Role::Border(_)) | (Role::Noise, Role::Noise) => {}
                    _ => prop_assert!(false, "{:?} became {:?}", role, other),
                }
            }
            let mut once: Vec<_> = names.values().collect();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), names.len());
        }

        #[test]
        fn further_points_only_make_more_core_points_and_merge_clusters(places in crowd(), old in 0_usize..120) {
            let reach = Reach::new(150, 7, 4).unwrap();
            let points: Vec<Point> = places.iter().map(at).collect();
            let old = old.min(points.len());
            let (before, after) = (st_dbscan(&points[..old], reach), st_dbscan(&points, reach));
            for (a, role) in before.iter().enumerate() {
                prop_assert!(!matches!(role, Role::Core(_)) || matches!(after[a], Role::Core(_)));
                prop_assert!(role.cluster().is_none() || after[a].cluster().is_some());
                for (b, other) in before.iter().enumerate().take(a) {
                    if matches!((role, other), (Role::Core(one), Role::Core(two)) if one == two) {
                        prop_assert_eq!(after[a], after[b]);
                    }
                }
            }
        }

        #[test]
        fn the_number_of_threads_changes_nothing(places in crowd()) {
            let reach = Reach::new(150, 7, 3).unwrap();
            let points: Vec<Point> = places.iter().map(at).collect();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            prop_assert_eq!(pool.install(|| st_dbscan(&points, reach)), st_dbscan(&points, reach));
        }
    }
}
