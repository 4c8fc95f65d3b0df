//! Clusters alive on a night, each against the past of its own place.

use super::{Point, Reach, Strengths, st_dbscan};
use crate::{
    count::Case,
    detect::Expectation,
    model::{CategorySet, Cluster, Window},
};
use chrono::{Days, NaiveDate};
use rstar::{RTree, primitives::GeomWithData};

/// What belongs together.
#[derive(Debug, Clone, Copy)]
pub struct Near {
    /// As ST-DBSCAN takes it.
    pub reach: Reach,
    /// Days of the reach.
    pub days: u32,
}

/// Incidents usual at a place are drawn towards this many a year, as if a year had shown it: a place where nothing ever
/// happened is not one where nothing can.
const USUAL_A_YEAR: f64 = 0.5;

/// A circle drawn round few incidents is taken at least this wide, in metres.
const LEAST_RADIUS: f64 = 100.0;

type Index = RTree<GeomWithData<[f64; 2], usize>>;

/// Finds the clusters of placed cases that are alive on `last`: an incident in the days of the reach before it.
///
/// Every cluster of the past is scored in the same way, against the other days of its own circle, so that a place where
/// much is reported, or a point where a records system puts what it can't place, is not found for being itself. How often
/// one so strong comes up is then told by the county's own past ([`Strengths`]); what alerts were sent does not matter.
/// Cases without a point or a day are left out; the caller leaves out those placed too roughly.
#[must_use]
pub fn clusters(cases: &[&Case], categories: CategorySet, near: Near, last: NaiveDate) -> Vec<Cluster> {
    let mut placed: Vec<(&Case, Point)> = cases
        .iter()
        .filter(|case| case.categories.touches(categories) && case.day.is_some_and(|day| day <= last))
        .filter_map(|case| Some((*case, point(case)?)))
        .collect();
    placed.sort_by_key(|(case, point)| (point.day, case.id));
    let Some(first) = placed.first().and_then(|(case, _)| case.day) else { return Vec::new() };
    let points: Vec<Point> = placed.iter().map(|(_, point)| *point).collect();
    let roles = st_dbscan(&points, near.reach);
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (place, cluster) in
        roles.iter().enumerate().filter_map(|(place, role)| Some((place, role.cluster()?)))
    {
        members.resize_with(members.len().max(cluster + 1), Vec::new);
        members[cluster].push(place);
    }
    let index: Index = RTree::bulk_load(
        points
            .iter()
            .enumerate()
            .map(|(n, at)| GeomWithData::new([f64::from(at.easting), f64::from(at.northing)], n))
            .collect(),
    );
    let history = Window { first, last };
    let scored: Vec<Scored> = members
        .into_iter()
        .filter(|members| !members.is_empty())
        .map(|members| Scored::of(members, &placed, &index, near, history))
        .collect();
    let alive = |scored: &Scored| scored.last + Days::new(near.days.into()) > last;
    let past = scored.iter().filter(|one| !alive(one)).map(|one| one.strength).collect();
    let strengths = Strengths::new(past, f64::from(history.days()));
    scored
        .iter()
        .filter(|one| alive(one))
        .map(|one| {
            let name = one.members.iter().find(|&&place| matches!(roles[place], super::Role::Core(_)));
            one.cluster(&placed, name.copied().unwrap_or(one.members[0]), &strengths)
        })
        .collect()
}

/// A cluster and how strong it is at its strongest.
struct Scored {
    members: Vec<usize>,
    first: NaiveDate,
    last: NaiveDate,
    centre: (f64, f64),
    radius: f64,
    expected: f64,
    strength: f64,
}

impl Scored {
    fn of(
        members: Vec<usize>,
        placed: &[(&Case, Point)],
        index: &Index,
        near: Near,
        history: Window,
    ) -> Self {
        let n = members.len() as f64;
        let at = |place: usize| (f64::from(placed[place].1.easting), f64::from(placed[place].1.northing));
        let centre = members.iter().fold((0.0, 0.0), |sum, &m| (sum.0 + at(m).0 / n, sum.1 + at(m).1 / n));
        let apart = |place: usize| (at(place).0 - centre.0).hypot(at(place).1 - centre.1);
        let radius = members.iter().map(|&m| apart(m)).fold(LEAST_RADIUS, f64::max);
        let day = |place: usize| placed[place].0.day.unwrap_or(history.last);
        // Members stand in the order of days.
        let (first, last) = (day(members[0]), day(members[members.len() - 1]));
        let own = Window { first, last };
        let guard = Days::new(u64::from(near.days));
        let elsewhen = index
            .locate_within_distance([centre.0, centre.1], radius * radius)
            .filter(|there| day(there.data) + guard < own.first || day(there.data) > own.last + guard)
            .count() as f64;
        let years = f64::from(history.days().saturating_sub(own.days() + 2 * near.days)) / 365.25;
        let a_year = (elsewhen + USUAL_A_YEAR) / (years + 1.0);
        let length = f64::from(own.days().max(near.days)) / 365.25;
        let expected = a_year * length;
        // What is not known about the place: as much as the incidents it is learned from.
        let usual = Expectation::new(expected, elsewhen + USUAL_A_YEAR);
        let strength =
            usual.map_or(f64::NAN, |usual| -usual.upper_tail(members.len() as u64).max(1e-300).ln());
        Self { members, first, last, centre, radius, expected, strength }
    }

    fn cluster(&self, placed: &[(&Case, Point)], name: usize, strengths: &Strengths) -> Cluster {
        let cases: Vec<&Case> = self.members.iter().map(|&place| placed[place].0).collect();
        Cluster {
            members: cases.iter().map(|case| case.id).collect(),
            name: placed[name].0.id,
            wards: wards(&cases),
            categories: cases.iter().fold(CategorySet::EMPTY, |all, case| all.with(case.categories)),
            window: Window { first: self.first, last: self.last },
            centre: self.centre,
            radius: self.radius,
            expected: self.expected,
            recurrence: strengths.recurrence(self.strength),
        }
    }
}

/// Wards touched, most incidents first.
pub(super) fn wards(cases: &[&Case]) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::<&String, usize>::new();
    for ward in cases.iter().filter_map(|case| case.ward.as_ref()) {
        *counts.entry(ward).or_default() += 1;
    }
    let mut wards: Vec<_> = counts.into_iter().collect();
    wards.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    wards.into_iter().map(|(ward, _)| ward.clone()).collect()
}

fn point(case: &Case) -> Option<Point> {
    let (easting, northing) = case.point?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    Some(Point { easting, northing, day: (case.day? - epoch).num_days() as i32 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Precision;
    use uuid::Uuid;

    fn case(n: u128, east: i32, day: NaiveDate) -> Case {
        Case {
            source: "police".into(),
            id: Uuid::from_u128(n),
            day: Some(day),
            month: None,
            categories: CategorySet::from_bits(1),
            ward: Some(format!("W{}", east / 10_000)),
            point: Some((east, 0)),
            precision: Precision::Street,
            known_on: day,
            repeat_key: None,
        }
    }

    #[test]
    fn a_quiet_street_stands_out_and_the_police_station_does_not() {
        let last: NaiveDate = "2026-06-30".parse().unwrap();
        let mut cases = Vec::new();
        // The station: one a week for four years, five in its last week. Elsewhere: fours here and there.
        for n in 0..1_460_u64 {
            let day = last - Days::new(n);
            if n % 7 == 0 || n < 5 {
                cases.push(case(u128::from(n), 50_000, day));
            }
            if n % 41 == 30 {
                let east = 100_000 + 997 * (n as i32 % 400);
                cases.extend((0..4).map(|k| case(u128::from(10_000 + 10 * n + k), east + k as i32, day)));
            }
        }
        cases.extend((0..5).map(|n| case(90_000 + n, 20_000 + n as i32, last - Days::new(n as u64))));
        let all: Vec<&Case> = cases.iter().collect();
        let near = Near { reach: Reach::new(300, 7, 4).unwrap(), days: 7 };
        let mut found = clusters(&all, CategorySet::from_bits(1), near, last);
        found.sort_by(|a, b| b.recurrence.days().total_cmp(&a.recurrence.days()));
        assert_eq!(found[0].wards, ["W2"]);
        assert_eq!(found[0].members.len(), 5);
        assert_eq!(found[0].name, Uuid::from_u128(90_004), "named by its oldest core incident");
        assert!(found[0].expected < 0.1);
        assert!(found.iter().skip(1).all(|other| other.recurrence < found[0].recurrence));
    }
}
