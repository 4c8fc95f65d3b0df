//! ST-DBSCAN: density clusters in space and time, on an R-tree over easting, northing and day.
//!
//! Source: Birant and Kut, ST-DBSCAN: An algorithm for clustering spatial-temporal data, Data & Knowledge
//! Engineering 2007, 60, 208-221, with its two radii and without its non-spatial measure.

use super::Clustering;

/// An incident's place and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Metres east on the pack's grid.
    pub easting: i32,
    /// Metres north on the pack's grid.
    pub northing: i32,
    /// The local day, as days since any fixed day.
    pub day: i32,
}

/// Who is a neighbour of whom, and how many make a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    pub(super) metres: i64,
    pub(super) days: i64,
    pub(super) min_points: usize,
}

/// A reach that no cluster can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// Wider than any country's grid, or longer than any record.
    #[error("{0} {1} is too far; give at most 2,000,000 metres and 200,000 days")]
    TooFar(u32, &'static str),
    /// A cluster of none.
    #[error("a cluster needs at least 1 point; give a minimum of 1 or more")]
    NoPoints,
}

impl Reach {
    /// Two points are neighbours when they are at most `metres` apart and at most `days` days apart, both inclusive.
    /// A point with at least `min_points` neighbours, itself counted, is a core point.
    ///
    /// # Errors
    ///
    /// When a radius is absurdly large or `min_points` is 0. A radius of 0 is allowed: same place, or same day.
    pub fn new(metres: u32, days: u32, min_points: usize) -> Result<Self, ReachError> {
        match (metres, days, min_points) {
            (2_000_001.., _, _) => Err(ReachError::TooFar(metres, "metres")),
            (_, 200_001.., _) => Err(ReachError::TooFar(days, "days")),
            (_, _, 0) => Err(ReachError::NoPoints),
            _ => Ok(Self { metres: metres.into(), days: days.into(), min_points }),
        }
    }

    /// The side of a square whose points are all within reach of each other: between whole metres, one more fits in.
    pub(super) fn side(self) -> i64 {
        (self.metres * self.metres / 2).isqrt() + 1
    }

    /// Stretches a day so that both radii are about as long, which keeps the tree's boxes compact.
    pub(super) fn stretch(self) -> i64 {
        (self.metres / self.days.max(1)).max(1)
    }
}

/// What a point is to its cluster. Clusters are numbered from 0 in the order of their first core point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Has enough neighbours; belongs to exactly this cluster.
    Core(usize),
    /// Has too few, but a core neighbour; where it could belong to several clusters, the one of its first core
    /// neighbour in the order of the input.
    Border(usize),
    /// Neither.
    Noise,
}

impl Role {
    /// The cluster the point belongs to.
    #[must_use]
    pub fn cluster(self) -> Option<usize> {
        match self {
            Self::Core(cluster) | Self::Border(cluster) => Some(cluster),
            Self::Noise => None,
        }
    }
}

/// The role of every point, in the order of the input. An empty input gives an empty answer; points at one address
/// on one day are each other's neighbours, however many there are.
#[must_use]
pub fn st_dbscan(points: &[Point], reach: Reach) -> Vec<Role> {
    let mut roles = Clustering::new(points, reach).roles();
    let mut numbers = vec![0; roles.len()];
    let mut clusters = 0;
    for (index, role) in roles.iter().enumerate() {
        if *role == Role::Core(index) {
            numbers[index] = clusters;
            clusters += 1;
        }
    }
    for role in &mut roles {
        if let Role::Core(cluster) | Role::Border(cluster) = role {
            *cluster = numbers[*cluster];
        }
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(easting: i32, northing: i32, day: i32) -> Point {
        Point { easting, northing, day }
    }

    #[test]
    fn both_radii_are_inclusive() {
        let reach = Reach::new(500, 14, 2).unwrap();
        // 300 and 400 metres make exactly 500.
        assert_eq!(st_dbscan(&[at(0, 0, 0), at(300, 400, 14)], reach), [Role::Core(0), Role::Core(0)]);
        assert_eq!(st_dbscan(&[at(0, 0, 0), at(300, 401, 14)], reach), [Role::Noise; 2]);
        assert_eq!(st_dbscan(&[at(0, 0, 0), at(300, 400, 15)], reach), [Role::Noise; 2]);
    }

    #[test]
    fn fifty_incidents_at_one_address_are_one_cluster() {
        let roles = st_dbscan(&vec![at(458_000, 304_000, 20_000); 50], Reach::new(0, 0, 50).unwrap());
        assert!(roles.iter().all(|role| *role == Role::Core(0)));
    }

    #[test]
    fn a_border_point_between_two_clusters_goes_with_its_first_core_neighbour() {
        // The points at 0 and at 200 are core with four neighbours each; the one between sees only both and itself.
        let points = [-50, -50, 0, 100, 200, 250, 250].map(|easting| at(easting, 0, 0));
        let roles = st_dbscan(&points, Reach::new(100, 0, 4).unwrap());
        assert_eq!([roles[2], roles[4]], [Role::Core(0), Role::Core(1)]);
        assert_eq!(roles[3], Role::Border(0));
    }

    #[test]
    fn impossible_reaches_are_refused() {
        assert!(Reach::new(100, 7, 0).unwrap_err().to_string().contains("minimum of 1"));
        assert!(Reach::new(u32::MAX, 7, 3).is_err());
        assert!(st_dbscan(&[], Reach::new(100, 7, 3).unwrap()).is_empty());
    }

    fn joins(reach: Reach, a: Point, b: Point) -> bool {
        let apart = |a: i32, b: i32| (i128::from(a) - i128::from(b)).abs();
        let (east, north) = (apart(a.easting, b.easting), apart(a.northing, b.northing));
        apart(a.day, b.day) <= i128::from(reach.days)
            && east * east + north * north <= i128::from(reach.metres) * i128::from(reach.metres)
    }

    /// The definition, word by word, with every pair looked at.
    fn by_definition(points: &[Point], reach: Reach) -> (Vec<bool>, Vec<Option<usize>>) {
        let neighbours = |a: usize| (0..points.len()).filter(move |&b| joins(reach, points[a], points[b]));
        let core: Vec<bool> = (0..points.len()).map(|a| neighbours(a).count() >= reach.min_points).collect();
        let mut name: Vec<Option<usize>> = (0..points.len()).map(|a| core[a].then_some(a)).collect();
        loop {
            let before = name.clone();
            for a in (0..points.len()).filter(|&a| core[a]) {
                name[a] = neighbours(a).filter_map(|b| name[b]).min();
            }
            if name == before {
                return (core, name);
            }
        }
    }

    proptest! {
        #[test]
        fn labels_are_those_of_the_definition(
            places in prop::collection::vec((0_i32..1200, 0_i32..1200, 0_i32..60), 0..80),
            metres in 0_u32..400, days in 0_u32..20, min_points in 1_usize..6,
        ) {
            let points: Vec<Point> = places.into_iter().map(|(e, n, d)| at(e, n, d)).collect();
            let reach = Reach::new(metres, days, min_points).unwrap();
            let roles = st_dbscan(&points, reach);
            let (core, name) = by_definition(&points, reach);
            for a in 0..points.len() {
                match roles[a] {
                    Role::Core(_) => prop_assert!(core[a]),
                    Role::Border(cluster) => prop_assert!(!core[a] && (0..points.len()).any(|b| core[b]
                        && joins(reach, points[a], points[b]) && roles[b] == Role::Core(cluster))),
                    Role::Noise => prop_assert!(!core[a]
                        && (0..points.len()).all(|b| !(core[b] && joins(reach, points[a], points[b])))),
                }
                if let Role::Border(cluster) = roles[a] {
                    let first = (0..points.len()).find(|&b| core[b] && joins(reach, points[a], points[b]));
                    prop_assert_eq!(first.map(|first| roles[first]), Some(Role::Core(cluster)));
                }
                for b in (0..a).filter(|&b| core[a] && core[b]) {
                    prop_assert_eq!(name[a] == name[b], roles[a] == roles[b]);
                }
            }
        }

        #[test]
        fn moving_everything_changes_nothing(
            places in prop::collection::vec((0_i32..900, 0_i32..900, 0_i32..40), 0..60),
            east in -100_000_i32..100_000, later in -5_000_i32..5_000,
        ) {
            let reach = Reach::new(150, 7, 3).unwrap();
            let here: Vec<Point> = places.iter().map(|&(e, n, d)| at(e, n, d)).collect();
            let there: Vec<Point> = places.iter().map(|&(e, n, d)| at(e + east, n - east, d + later)).collect();
            prop_assert_eq!(st_dbscan(&here, reach), st_dbscan(&there, reach));
        }
    }
}
