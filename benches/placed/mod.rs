//! Incidents of the synthetic county in their wards, for benches.

use tension_watch::{
    locate::{Boundaries, Boundary},
    model::Incident,
    synth::{Ward, tessellation},
};

/// Outlines of the wards.
pub fn outlines(wards: &[Ward]) -> Boundaries {
    let centres: Vec<(f64, f64)> = wards.iter().map(|ward| ward.centre).collect();
    let outline = |(ward, cell): (&Ward, Vec<(f64, f64)>)| {
        let ring: Vec<(f64, f64)> = cell.iter().chain(cell.first()).copied().collect();
        let shape = geo::MultiPolygon(vec![geo::Polygon::new(geo::LineString::from(ring), vec![])]);
        Boundary { code: ward.code.clone(), name: String::new(), shape, in_metres: true }
    };
    Boundaries::new(wards.iter().zip(tessellation(&centres)).map(outline).collect())
}

/// Incidents with the wards they lie in.
pub fn place(incidents: &[Incident], boundaries: &Boundaries) -> Vec<Incident> {
    let mut incidents = incidents.to_vec();
    for incident in &mut incidents {
        incident.ward = incident.place.and_then(|place| boundaries.ward_of(&place).map(str::to_owned));
    }
    incidents
}
