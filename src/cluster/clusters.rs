//! Clusters alive on a night: density gives their members and shape, the permutation scan says whether chance explains
//! them.

use super::{
    Point, Reach, Role,
    scan::{Centres, Limits, Mode, Plan, ScanError, ScanWindow, scan},
    st_dbscan,
};
use crate::{
    count::Case,
    model::{CategorySet, Change, Cluster, Recurrence, Window},
};
use chrono::{Days, NaiveDate};
use rstar::{RTree, primitives::GeomWithData};
use std::{cmp::Reverse, collections::BTreeSet};

/// What belongs together.
#[derive(Debug, Clone, Copy)]
pub struct Near {
    /// As ST-DBSCAN takes it.
    pub reach: Reach,
    /// Metres of the reach.
    pub metres: u32,
    /// Days of the reach.
    pub days: u32,
    /// So many make a cluster.
    pub at_least: u32,
}

/// What chance is asked on a night.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    /// Scans of the night: each is one more opportunity for a false alarm.
    pub scans: u32,
    /// What comes up more often than once in so many days does not matter, and need not be told exactly.
    pub matters_from_days: f64,
}

/// Days that a scan looks back: a whole year, so that no season stands out as such.
const STUDY_DAYS: u64 = 365;

/// The scan's circles and windows reach so many times as far as neighbours do: clusters are chains of neighbours.
const WIDER: u32 = 4;

/// But no wider and longer than this, in metres and days, unless the reach itself is: beyond it most windows are of a town
/// and a season, and a scan takes ten times as long.
const WIDEST: u32 = 2_000;
const LONGEST: u32 = 56;

/// How often the dates are dealt out anew.
const REPLICATIONS: u32 = 999;

/// Incidents usual at a place are drawn towards this many a year, as if a year had shown it: a place where nothing ever
/// happened is not one where nothing can.
const USUAL_A_YEAR: f64 = 0.5;

/// A circle drawn round few incidents is taken at least this wide, in metres.
const LEAST_RADIUS: f64 = 100.0;

/// A change of rate is told when equal rates would bring so much in at most this share of cases, either way.
const CHANGE_P: f64 = 0.05;

/// A density cluster: its members and its first core point, by their places in the input.
type Density = (Vec<usize>, usize);

/// A window of the scan, and how often a day chance brings one as unusual.
type Unusual = (ScanWindow, f64);

type Index = RTree<GeomWithData<[f64; 2], usize>>;

/// Finds the clusters of placed cases that are alive on `last`: an incident in the days of the reach before it.
///
/// A cluster is as rare as the most unusual window of the prospective permutation scan that overlaps it: of all clusters
/// it shares most incidents with this one, and at least half of the incidents of either. Without such a window it is no
/// news. What is told is the cluster's part in the window's days and at most the reach beyond its circle: in a town centre
/// neighbours hang together for months. A window that only the scan sees is a cluster too, once it matters.
/// Cases without a point or a day are left out; the caller leaves out those placed too roughly.
///
/// # Errors
///
/// When there is too much for a scan: far too wide a reach, or a million incidents in a year.
pub fn clusters(
    cases: &[&Case],
    categories: CategorySet,
    near: Near,
    chance: Chance,
    last: NaiveDate,
) -> Result<Vec<Cluster>, ScanError> {
    let mut placed: Vec<(&Case, Point)> = cases
        .iter()
        .filter(|case| case.categories.touches(categories) && case.day.is_some_and(|day| day <= last))
        .filter_map(|case| Some((*case, point(case)?)))
        .collect();
    placed.sort_by_key(|(case, point)| (point.day, case.id));
    let points: Vec<Point> = placed.iter().map(|(_, point)| *point).collect();
    let alive = alive(&points, near, days_of(last));
    let windows = windows(&points, near, chance, last)?;
    let all = Placed::new(&placed, near, last);
    // A window belongs to the cluster that it shares most with.
    let mut best: Vec<Option<&Unusual>> = vec![None; alive.len()];
    let mut alone = Vec::new();
    for window in &windows {
        let own: BTreeSet<usize> = window.0.members.iter().copied().collect();
        let shared = alive.iter().map(|(members, _)| members.iter().filter(|one| own.contains(one)).count());
        let most = shared.enumerate().max_by_key(|(place, shared)| (*shared, Reverse(*place)));
        match most.filter(|(place, shared)| 2 * shared >= own.len().min(alive[*place].0.len())) {
            Some((place, _)) if best[place].is_none_or(|other| window.1 < other.1) => {
                best[place] = Some(window);
            }
            Some(_) => {}
            None => alone.push(window),
        }
    }
    let describe = |((members, name), best): (&Density, Option<&Unusual>)| {
        let part = best.map_or_else(|| members.clone(), |(window, _)| part(members, window, &points, near));
        let rate = best.map_or(1.0, |(_, rate)| *rate);
        all.cluster(members, &part, *name, Recurrence::from_daily_rate(rate))
    };
    let mut found: Vec<Cluster> = alive.iter().zip(best).map(describe).collect();
    for (window, rate) in alone.into_iter().filter(|(_, rate)| 1.0 / rate >= chance.matters_from_days) {
        let free = |place: &usize| found.iter().all(|other| other.name != placed[*place].0.id);
        if let Some(name) = window.members.iter().copied().find(free) {
            found.push(all.cluster(
                &window.members,
                &window.members,
                name,
                Recurrence::from_daily_rate(*rate),
            ));
        }
    }
    Ok(found)
}

/// What is told of a cluster: what of it lies in the window, and where that is too little, the window itself with it.
fn part(members: &[usize], window: &ScanWindow, points: &[Point], near: Near) -> Vec<usize> {
    let own: BTreeSet<usize> =
        members.iter().copied().filter(|&one| reaches(window, points[one], near)).collect();
    if own.len() >= near.at_least as usize {
        return own.into_iter().collect();
    }
    window.members.iter().copied().chain(own).collect::<BTreeSet<usize>>().into_iter().collect()
}

/// Whether a point is of the window's days, and in its circle or at most the reach beyond.
fn reaches(window: &ScanWindow, point: Point, near: Near) -> bool {
    let east = f64::from(point.easting) - f64::from(window.centre.0);
    let north = f64::from(point.northing) - f64::from(window.centre.1);
    point.day >= window.first_day && east.hypot(north) <= window.radius_metres + f64::from(near.metres)
}

/// Members and first core point of every density cluster that is alive, by their places in the input.
fn alive(points: &[Point], near: Near, last: i32) -> Vec<Density> {
    let mut clusters: Vec<(Vec<usize>, Option<usize>)> = Vec::new();
    for (place, role) in st_dbscan(points, near.reach).into_iter().enumerate() {
        let Some(cluster) = role.cluster() else { continue };
        clusters.resize_with(clusters.len().max(cluster + 1), Default::default);
        clusters[cluster].0.push(place);
        if matches!(role, Role::Core(_)) {
            clusters[cluster].1.get_or_insert(place);
        }
    }
    let alive = |members: &Vec<usize>| {
        members.last().is_some_and(|&place| points[place].day + near.days as i32 > last)
    };
    let named = clusters.into_iter().filter_map(|(members, core)| Some((members, core?)));
    named.filter(|(members, _)| alive(members)).collect()
}

/// The windows of the prospective scan with their daily rates by chance: the probability, times the night's scans.
fn windows(points: &[Point], near: Near, chance: Chance, last: NaiveDate) -> Result<Vec<Unusual>, ScanError> {
    let (first_day, last_day) = (days_of(last - Days::new(STUDY_DAYS - 1)), days_of(last));
    let begin = points.partition_point(|point| point.day < first_day);
    let scans = f64::from(chance.scans.max(1));
    let plan = Plan {
        limits: Limits {
            metres: near.metres.saturating_mul(WIDER).min(near.metres.max(WIDEST)),
            days: near.days.saturating_mul(WIDER).min(near.days.max(LONGEST)).clamp(1, STUDY_DAYS as u32 / 2),
            share: 0.5,
            least_cases: near.at_least.max(2),
        },
        first_day,
        last_day,
        mode: Mode::Alive,
        centres: Centres::Places,
        replications: REPLICATIONS,
        seed: last_day.unsigned_abs().into(),
        // Above this a window is far from what matters.
        stop_early: Some((5.0 / (chance.matters_from_days * scans)).clamp(0.005, 0.5)),
    };
    let scan = scan(&points[begin..], &plan)?;
    let windows = scan
        .clusters
        .into_iter()
        .map(|mut window| {
            window.members.iter_mut().for_each(|member| *member += begin);
            let rate = window.probability() * scans;
            (window, rate)
        })
        .collect();
    Ok(windows)
}

/// The placed cases of a night, to describe clusters by.
struct Placed<'a> {
    cases: &'a [(&'a Case, Point)],
    index: Index,
    near: Near,
    last: NaiveDate,
}

impl<'a> Placed<'a> {
    fn new(cases: &'a [(&'a Case, Point)], near: Near, last: NaiveDate) -> Self {
        let leaf = |(n, (_, at)): (usize, &(&Case, Point))| {
            GeomWithData::new([f64::from(at.easting), f64::from(at.northing)], n)
        };
        Self { index: RTree::bulk_load(cases.iter().enumerate().map(leaf).collect()), cases, near, last }
    }

    fn day(&self, place: usize) -> NaiveDate {
        self.cases[place].0.day.unwrap_or(self.last)
    }

    /// Members stand in the order of days; `part` are those that are told.
    fn cluster(&self, members: &[usize], part: &[usize], name: usize, recurrence: Recurrence) -> Cluster {
        let n = part.len() as f64;
        let at = |place: usize| {
            let point = self.cases[place].1;
            (f64::from(point.easting), f64::from(point.northing))
        };
        let centre = part.iter().fold((0.0, 0.0), |sum, &m| (sum.0 + at(m).0 / n, sum.1 + at(m).1 / n));
        let apart = |place: usize| (at(place).0 - centre.0).hypot(at(place).1 - centre.1);
        let radius = part.iter().map(|&m| apart(m)).fold(LEAST_RADIUS, f64::max);
        let window = Window { first: self.day(part[0]), last: self.day(part[part.len() - 1]) };
        let cases: Vec<&Case> = part.iter().map(|&place| self.cases[place].0).collect();
        Cluster {
            members: members.iter().map(|&place| self.cases[place].0.id).collect(),
            part: cases.iter().map(|case| case.id).collect(),
            name: self.cases[name].0.id,
            wards: wards(&cases),
            categories: cases.iter().fold(CategorySet::EMPTY, |all, case| all.with(case.categories)),
            expected: self.expected(centre, radius, window),
            change: self.change(members),
            window,
            centre,
            radius,
            recurrence,
        }
    }

    /// Incidents usual in a circle in so many days, by the other days of its own past: a place where much is reported, or
    /// where a records system puts what it can't place, has its own normal.
    fn expected(&self, centre: (f64, f64), radius: f64, window: Window) -> f64 {
        let guard = Days::new(u64::from(self.near.days));
        let elsewhen = self
            .index
            .locate_within_distance([centre.0, centre.1], radius * radius)
            .map(|there| self.day(there.data))
            .filter(|day| *day + guard < window.first || *day > window.last + guard)
            .count() as f64;
        let first = self.cases.first().and_then(|(case, _)| case.day).unwrap_or(self.last);
        let history = Window { first, last: self.last }.days();
        let years = f64::from(history.saturating_sub(window.days() + 2 * self.near.days)) / 365.25;
        let length = f64::from(window.days().max(self.near.days)) / 365.25;
        (elsewhen + USUAL_A_YEAR) / (years + 1.0) * length
    }

    /// The members of the last days of the reach against those of as many days before. With equal rates the former would
    /// be binomial with one half (Przyborowski and Wilenski, Biometrika 1940, 31, 313-323).
    fn change(&self, members: &[usize]) -> Change {
        let back = |times: u32| self.last - Days::new(u64::from(times * self.near.days));
        let (now, before) = (back(1), back(2));
        let late = members.iter().filter(|&&m| self.day(m) > now).count();
        let earlier = members.iter().filter(|&&m| self.day(m) > before && self.day(m) <= now).count();
        if members.iter().all(|&m| self.day(m) > now) {
            Change::New
        } else if at_least(late, late + earlier) <= CHANGE_P {
            Change::Intensifying
        } else if at_least(earlier, late + earlier) <= CHANGE_P {
            Change::Diminishing
        } else {
            Change::Ongoing
        }
    }
}

/// P(X >= k) of a binomial with n draws and chance one half.
fn at_least(k: usize, n: usize) -> f64 {
    if k == 0 {
        return 1.0;
    }
    let upper = statrs::function::beta::checked_beta_reg(k as f64, (n - k + 1) as f64, 0.5);
    upper.unwrap_or(1.0)
}

/// Wards touched, most incidents first.
pub(super) fn wards(cases: &[&Case]) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for ward in cases.iter().filter_map(|case| case.ward.as_deref()) {
        *counts.entry(ward).or_default() += 1;
    }
    let mut wards: Vec<_> = counts.into_iter().collect();
    wards.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    wards.into_iter().map(|(ward, _)| ward.to_owned()).collect()
}

fn point(case: &Case) -> Option<Point> {
    let (easting, northing) = case.point?;
    Some(Point { easting, northing, day: days_of(case.day?) })
}

/// Days since 1 January 1970.
fn days_of(day: NaiveDate) -> i32 {
    (day - NaiveDate::default()).num_days() as i32
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
            ward: Some(format!("W{}", east / 10_000).into()),
            point: Some((east, 0)),
            precision: Precision::Street,
            known_on: day,
            repeat_key: None,
            offence: None,
            channel: None,
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
        let near = Near { reach: Reach::new(300, 7, 4).unwrap(), metres: 300, days: 7, at_least: 4 };
        let chance = Chance { scans: 1, matters_from_days: 365.0 };
        let mut found = clusters(&all, CategorySet::from_bits(1), near, chance, last).unwrap();
        found.sort_by(|a, b| b.recurrence.days().total_cmp(&a.recurrence.days()));
        assert_eq!(found[0].wards, ["W2"]);
        assert_eq!(found[0].members.len(), 5);
        assert_eq!(found[0].name, Uuid::from_u128(90_004), "named by its oldest core incident");
        assert!(found[0].expected < 0.1);
        assert!(found.iter().skip(1).all(|other| other.recurrence < found[0].recurrence));
    }
}
