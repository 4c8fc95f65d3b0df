//! `tension-watch locate`: the ward of every point.

use super::{
    table::{Table, number, output},
    wrong,
};
use crate::{import::read_areas, locate::Boundaries, model::Place};
use anyhow::Result;
use std::{fs, path::PathBuf};

/// Find the ward of points.
///
/// In: CSV with id and lon,lat or easting,northing; further columns are ignored. Out: CSV id,code; the code is empty
/// outside every area. A point on a shared border belongs to the first code. Areas in British National Grid (EPSG:27700)
/// are compared in metres, others in degrees.
///
/// Example: tension-watch locate points.csv --areas wards.geojson --code WD25CD
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The points; - for standard input.
    points: PathBuf,
    /// The areas, GeoJSON.
    #[arg(long, value_name = "FILE")]
    areas: PathBuf,
    /// The property that holds an area's code.
    #[arg(long, value_name = "PROPERTY")]
    code: String,
    /// Where the answer goes; standard output otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let name = args.areas.display();
    let text =
        fs::read_to_string(&args.areas).map_err(|cause| wrong(format!("{name}: can't be read ({cause})")))?;
    let areas =
        read_areas(&text, &args.code, None).map_err(|mistakes| wrong(format!("{name}: {mistakes}")))?;
    let in_metres = areas.iter().any(|area| area.in_metres);
    let boundaries = Boundaries::new(areas);
    let table = Table::open(&args.points)?;
    let id = table.column("id")?;
    let (x_name, y_name) = if table.find("lon").is_some() { ("lon", "lat") } else { ("easting", "northing") };
    if (x_name == "easting") != in_metres {
        let (areas, points) = if in_metres { ("metres", "degrees") } else { ("degrees", "metres") };
        return Err(wrong(format!(
            "{name} is in {areas}, the points are in {points}; give both in the same"
        )));
    }
    let (x, y) = (table.column(x_name)?, table.column(y_name)?);
    let mut out = output(args.out.as_deref())?;
    out.write_record(["id", "code"])?;
    let rows = table.rows(|row| {
        let (east, north): (f64, f64) = (number(row, x, x_name)?, number(row, y, y_name)?);
        let place = Place { lon: east, lat: north, easting: east, northing: north };
        let code = boundaries.ward_of(&place).unwrap_or_default().to_owned();
        Ok((row.get(id).unwrap_or_default().to_owned(), code))
    })?;
    for (id, code) in rows {
        out.write_record([id, code])?;
    }
    Ok(out.flush()?)
}
