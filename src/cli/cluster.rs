//! `tension-watch cluster`: clusters of points in space and time.

use super::{
    table::{Table, number, output},
    wrong,
};
use crate::cluster::{
    Bands, Point, Reach, Role, knox,
    scan::{Centres, Limits, Mode, Plan, scan},
    st_dbscan,
};
use crate::model::Recurrence;
use anyhow::Result;
use chrono::{Days, NaiveDate};
use std::path::PathBuf;

/// Find clusters of points in space and time.
///
/// In: CSV with id,easting,northing,date (metres, YYYY-MM-DD); further columns are ignored.
///
/// Out, by st-dbscan: CSV id,cluster,role; the cluster is empty for noise, the role is core, border or noise. By
/// permutation-scan: CSV of circles with their days, observed, expected, llr, p and recurrence in days, the most unusual
/// first; at least 2 and at most half of all points in a circle. Below 0.02, p is that of the
/// distribution fitted to the replications. By near-repeat: CSV of pairs by how far and how long apart, with those expected
/// when the days are dealt out anew among the places.
///
/// Examples:
/// tension-watch cluster points.csv --method st-dbscan --metres 300 --days 7 --min-points 4
/// tension-watch cluster points.csv --method permutation-scan --max-metres 1000 --max-days 28 --prospective-end 2026-06-29
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The points; - for standard input.
    points: PathBuf,
    /// The method.
    #[arg(long)]
    method: Method,
    /// st-dbscan: neighbours are at most so many metres apart.
    #[arg(long, required_if_eq("method", "st-dbscan"))]
    metres: Option<u32>,
    /// st-dbscan: neighbours are at most so many days apart.
    #[arg(long, required_if_eq("method", "st-dbscan"))]
    days: Option<u32>,
    /// st-dbscan: a core point has so many neighbours, itself counted.
    #[arg(long, required_if_eq("method", "st-dbscan"))]
    min_points: Option<usize>,
    /// permutation-scan: the largest radius.
    #[arg(long, required_if_eq("method", "permutation-scan"))]
    max_metres: Option<u32>,
    /// permutation-scan: the longest window.
    #[arg(long, required_if_eq("method", "permutation-scan"))]
    max_days: Option<u32>,
    /// permutation-scan, near-repeat: how often the dates are dealt out anew.
    #[arg(long, default_value_t = 999)]
    replications: u32,
    /// permutation-scan, near-repeat: the same seed gives the same answer.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// permutation-scan: only windows that end on this day, as a night would look at it; later points are left out.
    /// Without it windows may end on any day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    prospective_end: Option<NaiveDate>,
    /// Where the answer goes; standard output otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    /// Density clusters in space and time.
    StDbscan,
    /// Circles and days with more than place and time alone explain, and how often chance brings them.
    PermutationScan,
    /// Whether incidents follow each other nearby and soon more often than chance would have it.
    NearRepeat,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let points = points(args)?;
    match args.method {
        Method::StDbscan => by_density(args, &points),
        Method::PermutationScan => by_scan(args, &points),
        Method::NearRepeat => near_repeat(args, &points),
    }
}

fn points(args: &Args) -> Result<Vec<(String, Point)>> {
    let table = Table::open(&args.points)?;
    let (id, east, north, date) =
        (table.column("id")?, table.column("easting")?, table.column("northing")?, table.column("date")?);
    table.rows(|row| {
        let day: NaiveDate = row
            .get(date)
            .and_then(|text| text.get(..10).unwrap_or(text).parse().ok())
            .ok_or("date: not a day of the form YYYY-MM-DD")?;
        let metres = |place, name| {
            let metres: f64 = number(row, place, name)?;
            if metres.abs() <= 2e9 { Ok(metres.round() as i32) } else { Err(format!("{name}: too far away")) }
        };
        let point = Point {
            easting: metres(east, "easting")?,
            northing: metres(north, "northing")?,
            day: days_of(day),
        };
        Ok((row.get(id).unwrap_or_default().to_owned(), point))
    })
}

fn days_of(day: NaiveDate) -> i32 {
    (day - NaiveDate::default()).num_days() as i32
}

fn day_of(days: i32) -> NaiveDate {
    let (back, on) = (Days::new(u64::from(days.unsigned_abs())), Days::new(days.unsigned_abs().into()));
    if days < 0 { NaiveDate::default() - back } else { NaiveDate::default() + on }
}

fn by_density(args: &Args, rows: &[(String, Point)]) -> Result<()> {
    let (Some(metres), Some(days), Some(min_points)) = (args.metres, args.days, args.min_points) else {
        return Err(wrong("st-dbscan needs --metres, --days and --min-points"));
    };
    let reach = Reach::new(metres, days, min_points).map_err(wrong)?;
    let points: Vec<Point> = rows.iter().map(|row| row.1).collect();
    let mut out = output(args.out.as_deref())?;
    out.write_record(["id", "cluster", "role"])?;
    for ((id, _), role) in rows.iter().zip(st_dbscan(&points, reach)) {
        let cluster = role.cluster().map_or_else(String::new, |cluster| (cluster + 1).to_string());
        let role = match role {
            Role::Core(_) => "core",
            Role::Border(_) => "border",
            Role::Noise => "noise",
        };
        out.write_record([id, cluster.as_str(), role])?;
    }
    Ok(out.flush()?)
}

fn by_scan(args: &Args, rows: &[(String, Point)]) -> Result<()> {
    let (Some(metres), Some(days)) = (args.max_metres, args.max_days) else {
        return Err(wrong("permutation-scan needs --max-metres and --max-days"));
    };
    let mut points: Vec<Point> = rows.iter().map(|row| row.1).collect();
    let last = args.prospective_end.map(days_of).or_else(|| points.iter().map(|point| point.day).max());
    points.retain(|point| last.is_some_and(|last| point.day <= last));
    let first_day = points.iter().map(|point| point.day).min().or(last).unwrap_or_default();
    let plan = Plan {
        limits: Limits { metres, days, share: 0.5, least_cases: 2 },
        first_day,
        last_day: last.unwrap_or_default(),
        mode: if args.prospective_end.is_some() { Mode::Alive } else { Mode::Any },
        centres: Centres::Places,
        replications: args.replications,
        seed: args.seed,
        stop_early: None,
    };
    let found = scan(&points, &plan).map_err(wrong)?;
    let mut out = output(args.out.as_deref())?;
    out.write_record([
        "rank",
        "centre_easting",
        "centre_northing",
        "radius_metres",
        "from",
        "to",
        "observed",
        "expected",
        "llr",
        "p",
        "recurrence_days",
    ])?;
    for (rank, window) in (1..).zip(&found.clusters) {
        let p = window.probability();
        out.write_record([
            rank.to_string(),
            window.centre.0.to_string(),
            window.centre.1.to_string(),
            format!("{:.2}", window.radius_metres),
            day_of(window.first_day).to_string(),
            day_of(window.last_day).to_string(),
            window.observed.to_string(),
            format!("{:.6}", window.expected),
            format!("{:.6}", window.llr),
            format!("{:.6e}", p.max(f64::MIN_POSITIVE)),
            format!("{:.1}", Recurrence::from_daily_rate(p).days()),
        ])?;
    }
    Ok(out.flush()?)
}

/// The table of near repeats, a row for each pair of bands.
fn near_repeat(args: &Args, rows: &[(String, Point)]) -> Result<()> {
    let points: Vec<Point> = rows.iter().map(|row| row.1).collect();
    let bands = Bands::default();
    let table = knox(&points, &bands, args.replications, args.seed).map_err(wrong)?;
    let mut out = output(args.out.as_deref())?;
    out.write_record(["up_to_metres", "up_to_days", "observed", "expected", "low", "high", "ratio", "p"])?;
    for (metres, cells) in bands.metres().iter().zip(&table.cells) {
        for (days, cell) in bands.days().iter().zip(cells) {
            out.write_record([
                metres.to_string(),
                days.to_string(),
                cell.observed.to_string(),
                format!("{:.3}", cell.expected),
                cell.range.0.to_string(),
                cell.range.1.to_string(),
                cell.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}")),
                format!("{:.4}", cell.p),
            ])?;
        }
    }
    Ok(out.flush()?)
}
