//! `tension-watch cluster`: clusters of points in space and time.

use super::{
    table::{Table, number, output},
    wrong,
};
use crate::cluster::{Point, Reach, Role, st_dbscan};
use anyhow::Result;
use chrono::NaiveDate;
use std::path::PathBuf;

/// Find clusters of points in space and time.
///
/// In: CSV with id,easting,northing,date (metres, YYYY-MM-DD); further columns are ignored. Out: CSV id,cluster,role;
/// the cluster is empty for noise, the role is core, border or noise.
///
/// Example: tension-watch cluster points.csv --method st-dbscan --metres 300 --days 7 --min-points 4
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The points; - for standard input.
    points: PathBuf,
    /// The method.
    #[arg(long)]
    method: Method,
    /// Neighbours are at most so many metres apart.
    #[arg(long)]
    metres: u32,
    /// Neighbours are at most so many days apart.
    #[arg(long)]
    days: u32,
    /// A core point has so many neighbours, itself counted.
    #[arg(long)]
    min_points: usize,
    /// Where the answer goes; standard output otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Method {
    /// Density clusters in space and time.
    StDbscan,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let Method::StDbscan = args.method;
    let reach = Reach::new(args.metres, args.days, args.min_points).map_err(wrong)?;
    let table = Table::open(&args.points)?;
    let (id, east, north, date) =
        (table.column("id")?, table.column("easting")?, table.column("northing")?, table.column("date")?);
    let rows = table.rows(|row| {
        let day: NaiveDate = row
            .get(date)
            .and_then(|text| text.get(..10).unwrap_or(text).parse().ok())
            .ok_or("date: not a day of the form YYYY-MM-DD")?;
        let metres = |place, name| {
            let metres: f64 = number(row, place, name)?;
            if metres.abs() <= 2e9 { Ok(metres.round() as i32) } else { Err(format!("{name}: too far away")) }
        };
        let day = (day - NaiveDate::default()).num_days() as i32;
        let point = Point { easting: metres(east, "easting")?, northing: metres(north, "northing")?, day };
        Ok((row.get(id).unwrap_or_default().to_owned(), point))
    })?;
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
