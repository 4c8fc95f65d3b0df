//! From the best circles and windows to the clusters that are told.

use super::{
    ScanError, ScanWindow,
    replications::{Engine, Rows},
    search::{Hit, Top},
    windows::expected,
    zones::{Places, Zones, squared},
};

/// The observed dates, in order.
pub(super) struct Dates {
    pub days: Vec<i32>,
    /// The place of each.
    pub places: Vec<u32>,
    /// The event of each.
    pub events: Vec<usize>,
}

/// What is not known before all clusters are compared with chance.
const UNKNOWN: f64 = 1.0;

/// The clusters above `lowest`, the highest ratio first, and at least that of `top`. None shares a place with another.
pub(super) fn clusters(
    engine: &Engine,
    places: &Places,
    dates: &Dates,
    mut top: Top,
    lowest: f64,
) -> Result<Vec<ScanWindow>, ScanError> {
    let mut taken = vec![false; places.points.len()];
    let mut clusters = Vec::new();
    let mut rows = Rows::default();
    let mut narrowed: Option<Zones> = None;
    while top.ratio > 0.0 {
        let zones = narrowed.as_ref().unwrap_or(engine.field.zones);
        let reach =
            |hit: &Hit| squared(places.points[zones.members[hit.end - 1].place()], zones.centres[hit.centre]);
        // One zone is found from several centres: the tightest circle tells it, then the shorter window, the later one.
        let tightest = |hit: &Hit| (reach(hit), hit.zone, hit.count, std::cmp::Reverse(hit.span), hit.centre);
        let Some(best) = top.hits.iter().min_by_key(|hit| tightest(hit)) else { break };
        let members = &zones.members[zones.span(best.centre).0..best.end];
        let mut inside = vec![false; taken.len()];
        for member in members {
            inside[member.place()] = true;
            taken[member.place()] = true;
        }
        let span = &engine.field.spans[best.span];
        let window = span.starts[best.window]..span.end;
        let [easting, northing] = zones.centres[best.centre].map(|metres| metres as i32);
        let mut cases: Vec<usize> = window
            .clone()
            .filter(|&date| inside[dates.places[date] as usize])
            .map(|date| dates.events[date])
            .collect();
        cases.sort_unstable();
        clusters.push(ScanWindow {
            centre: (easting, northing),
            radius_metres: (reach(best) as f64).sqrt(),
            first_day: dates.days[window.start],
            last_day: span.last_day,
            observed: best.count,
            expected: expected(best.zone, window.len() as u32, engine.field.all),
            llr: top.ratio,
            p: UNKNOWN,
            p_tail: None,
            members: cases,
        });
        let left = zones.without(&taken, &places.cases);
        top = engine.top(&left, &dates.places, &mut rows)?;
        if top.ratio <= lowest {
            break;
        }
        narrowed = Some(left);
    }
    Ok(clusters)
}
