//! What chance alone would bring: the dates dealt out anew to the places, again and again.

use super::{
    Plan, ScanError,
    search::{Field, LANES, Lane, Top, search},
    windows::{Thresholds, expected},
    zones::Zones,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::sync::OnceLock;

/// Stopping early is decided after so many replications at a time, so that threads have no say in it.
const BATCH: u32 = 50;

/// A search whose counters are as narrow as they can be.
pub(super) struct Engine<'a> {
    pub field: Field<'a>,
    plan: &'a Plan,
    narrow: Option<Thresholds<u8>>,
    wide: OnceLock<Thresholds<u32>>,
}

/// Memory that is used again from one replication to the next.
#[derive(Default)]
pub(super) struct Rows {
    narrow: Vec<[u8; LANES]>,
    wide: Vec<[u32; LANES]>,
    places: Vec<u32>,
}

impl<'a> Engine<'a> {
    pub fn new(field: Field<'a>, plan: &'a Plan) -> Result<Self, ScanError> {
        let longest = field.spans.iter().map(|span| span.cases(span.starts.len() - 1)).max().unwrap_or(0);
        // Where a byte would often be too narrow it is not tried.
        let fits = expected(field.zones.fullest, longest, field.all) < 190.0;
        let mut engine = Self { field, plan, narrow: None, wide: OnceLock::new() };
        if fits {
            engine.narrow = Some(engine.thresholds()?);
        } else {
            engine.wide = OnceLock::from(engine.thresholds()?);
        }
        Ok(engine)
    }

    fn thresholds<L: Lane>(&self) -> Result<Thresholds<L>, ScanError> {
        Thresholds::new(self.field.spans, self.field.zones.fullest, self.field.all, self.plan)
    }

    /// The highest ratio when the dates, in order, fell on these places.
    pub fn top(&self, zones: &Zones, places: &[u32], rows: &mut Rows) -> Result<Top, ScanError> {
        let field = Field { zones, ..self.field };
        let narrow = self.narrow.as_ref();
        if let Some(top) = narrow.and_then(|thresholds| search(&field, thresholds, places, &mut rows.narrow))
        {
            return Ok(top);
        }
        if self.wide.get().is_none() {
            // Another thread may have been faster; both made the same.
            let _ = self.wide.set(self.thresholds()?);
        }
        let wide = self.wide.get();
        Ok(wide.and_then(|thresholds| search(&field, thresholds, places, &mut rows.wide)).unwrap_or_default())
    }

    /// The highest ratio of each replication, the first replication first. Those who ask to stop early get no more
    /// once it is sure that the rank of `observed` stays above the level they gave.
    pub fn replicate(&self, places: &[u32], observed: f64) -> Result<Vec<f64>, ScanError> {
        let replications = self.plan.replications;
        let enough = self.plan.stop_early.map(|level| level * (f64::from(replications) + 1.0));
        let batch = if enough.is_some() { BATCH } else { replications };
        let mut maxima: Vec<f64> = Vec::new();
        let mut first = 0;
        while first < replications {
            let last = replications.min(first + batch);
            let more: Result<Vec<f64>, ScanError> = (first..last)
                .into_par_iter()
                .map_init(Rows::default, |rows, number| self.replication(places, number, rows))
                .collect();
            maxima.extend(more?);
            first = last;
            let reached = maxima.iter().filter(|&&ratio| ratio >= observed).count();
            if enough.is_some_and(|enough| reached as f64 + 1.0 > enough) {
                break;
            }
        }
        Ok(maxima)
    }

    /// One replication. Every one has a stream of random numbers of its own, whichever thread it runs on.
    fn replication(&self, places: &[u32], number: u32, rows: &mut Rows) -> Result<f64, ScanError> {
        let mut chance = ChaCha8Rng::seed_from_u64(self.plan.seed);
        chance.set_stream(u64::from(number));
        let mut dealt = std::mem::take(&mut rows.places);
        dealt.clear();
        dealt.extend_from_slice(places);
        // Only dates in some window need a place: a shuffle from the latest date down, broken off at the earliest.
        let earliest = self.field.spans.iter().filter_map(|span| span.starts.last()).min();
        for slot in (earliest.map_or(dealt.len(), |&start| start)..dealt.len()).rev() {
            dealt.swap(slot, chance.random_range(0..=slot as u32) as usize);
        }
        let top = self.top(self.field.zones, &dealt, rows);
        rows.places = dealt;
        top.map(|top| top.ratio)
    }
}
