//! The county as the store has it: loaded once for a piece of work and handed down.

use crate::{
    alerts::WorkingDays,
    import,
    locate::{Boundaries, Boundary, Grid, TransverseMercator, neighbours},
    model::{Area, AreaKind, Geography, Incident, Pack},
    store::{Store, WardShape},
};
use anyhow::{Context, Result, anyhow, bail};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use geo::{BoundingRect, MapCoordsInPlace};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

/// The area pack, with what is made of it.
pub struct County {
    /// Its words.
    pub pack: Pack,
    /// Degrees and metres.
    pub grid: Grid,
    areas: Vec<Area>,
    links: Vec<(String, AreaKind, String)>,
    /// The areas in force, by the day on which any of them changed.
    geographies: Mutex<BTreeMap<NaiveDate, Arc<Geography>>>,
    /// Wards that share a border, by the day on which their boundaries came into force; worked out when asked for.
    neighbours: Mutex<BTreeMap<NaiveDate, BTreeMap<String, Vec<String>>>>,
    /// Outlines in metres, by the same day.
    shapes: Mutex<BTreeMap<NaiveDate, Arc<Vec<Boundary>>>>,
}

impl County {
    /// Loads it.
    ///
    /// # Errors
    ///
    /// When the store can't be read, or holds no area pack yet.
    pub async fn load(store: &Store) -> Result<Self> {
        let Some(pack) = store.pack().await.context("loading the area pack")? else {
            bail!("there is no area pack yet; `tension-watch init` loads one");
        };
        Ok(Self {
            grid: Grid::new(pack.projection),
            areas: store.areas().await.context("loading the areas")?,
            links: store.area_links().await.context("loading the links")?,
            geographies: Mutex::default(),
            neighbours: Mutex::default(),
            shapes: Mutex::default(),
            pack,
        })
    }

    /// The county of a pack's files, without a database.
    #[must_use]
    pub fn of_pack(files: import::PackFiles) -> Self {
        Self {
            grid: Grid::new(files.pack.projection),
            areas: files.areas,
            links: files.links,
            pack: files.pack,
            geographies: Mutex::default(),
            neighbours: Mutex::default(),
            shapes: Mutex::default(),
        }
    }

    /// The areas in force on a day and their links. Links of wards to areas that are not in force then are left out.
    ///
    /// # Errors
    ///
    /// When a ward in force is linked to an area that is not.
    pub fn geography(&self, day: NaiveDate) -> Result<Arc<Geography>> {
        let since = self.areas_since(day);
        let kept = || self.geographies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept().get(&since) {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(Geography::on(day, self.areas.iter().cloned(), self.links.iter().cloned())?);
        kept().insert(since, Arc::clone(&found));
        Ok(found)
    }

    /// Wards that are not in force on a day, by code: the name and the year of their boundaries.
    #[must_use]
    pub fn former_wards(&self, day: NaiveDate) -> BTreeMap<String, (String, i32)> {
        let wards = || self.areas.iter().filter(|area| area.kind == AreaKind::Ward);
        let in_force = |code: &str| wards().any(|ward| ward.code == code && ward.in_force(day));
        let others = wards().filter(|ward| !ward.in_force(day) && !in_force(&ward.code));
        others.map(|ward| (ward.code.clone(), (ward.name.clone(), ward.boundary_year))).collect()
    }

    /// The last day up to `day` on which boundaries of wards changed: the same answer means the same boundaries. What
    /// happened before the oldest boundaries on record is placed in those.
    pub(crate) fn boundaries_since(&self, day: NaiveDate) -> NaiveDate {
        let changes = || {
            let wards = self.areas.iter().filter(|area| area.kind == AreaKind::Ward);
            wards.flat_map(|area| [Some(area.valid_from), area.valid_to]).flatten()
        };
        changes().filter(|change| *change <= day).max().or_else(|| changes().min()).unwrap_or(day)
    }

    /// Which wards share a border, by the boundaries in force on a day.
    ///
    /// # Errors
    ///
    /// When an outline in the store can't be read.
    pub async fn neighbours(&self, store: &Store, day: NaiveDate) -> Result<BTreeMap<String, Vec<String>>> {
        let since = self.boundaries_since(day);
        let kept = || self.neighbours.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept().get(&since) {
            return Ok(found.clone());
        }
        let outlines = outlines(store, since).await?;
        let found = apart(move || neighbours(&outlines)).await?;
        kept().insert(since, found.clone());
        Ok(found)
    }

    /// The outlines of the wards in force on a day, in metres, for pictures: on the grid where one of them is kept so, else around
    /// their middle. Kept.
    ///
    /// # Errors
    ///
    /// When an outline in the store can't be read.
    pub async fn shapes(&self, store: &Store, day: NaiveDate) -> Result<Arc<Vec<Boundary>>> {
        let since = self.boundaries_since(day);
        let kept = || self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept().get(&since) {
            return Ok(Arc::clone(found));
        }
        let (mut found, mut grid) = (outlines(store, since).await?, self.grid);
        let in_metres = move || {
            // Metres around the county serve a picture as well, and the national grid's table has 28 MB.
            if let Some(centre) = centre(&found) {
                grid = Grid::Around(centre);
            }
            for ward in found.iter_mut().filter(|ward| !ward.in_metres) {
                ward.shape.map_coords_in_place(|at| {
                    grid.to_grid(at.x, at.y).map_or(at, |(x, y)| geo::Coord { x, y })
                });
                ward.in_metres = true;
            }
            found
        };
        let found = Arc::new(apart(in_metres).await?);
        kept().insert(since, Arc::clone(&found));
        Ok(found)
    }

    /// Areas that began or ended between two days, both included, with the day: boundaries that changed.
    #[must_use]
    pub fn changed_between(&self, first: NaiveDate, last: NaiveDate) -> Vec<(String, NaiveDate)> {
        let within = |day: NaiveDate| (first..=last).contains(&day);
        let changes = self.areas.iter().flat_map(|area| {
            [Some(area.valid_from), area.valid_to].into_iter().flatten().map(|day| (area.name.clone(), day))
        });
        let mut changes: Vec<(String, NaiveDate)> = changes.filter(|(_, day)| within(*day)).collect();
        changes.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        changes.dedup();
        changes
    }

    /// The last day up to `day` on which areas of any kind changed: the same answer means the same [`County::geography`].
    pub(super) fn areas_since(&self, day: NaiveDate) -> NaiveDate {
        let changes = self.areas.iter().flat_map(|area| [Some(area.valid_from), area.valid_to]).flatten();
        changes.filter(|change| *change <= day).max().unwrap_or(NaiveDate::MIN)
    }

    /// The first instant of a local day.
    #[must_use]
    pub fn start_of(&self, day: NaiveDate) -> DateTime<Utc> {
        start_of(day, self.pack.zone)
    }

    /// Which days people work.
    #[must_use]
    pub fn working_days(&self) -> WorkingDays<'_> {
        WorkingDays { zone: self.pack.zone, holidays: &self.pack.holidays }
    }

    /// The local day of an instant.
    #[must_use]
    pub fn day_of(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.pack.zone).date_naive()
    }
}

/// The first instant of a local day; where the clocks skip midnight, the first that exists.
fn start_of(day: NaiveDate, zone: chrono_tz::Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..=180)
        .find_map(|minutes| {
            (midnight + chrono::TimeDelta::minutes(minutes)).and_local_timezone(zone).earliest()
        })
        .map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc))
}

/// The outlines of the wards. Boundaries change; each set is loaded once, by the day on which it came into force.
#[derive(Default)]
pub struct Outlines {
    sets: BTreeMap<NaiveDate, Boundaries>,
}

impl Outlines {
    /// Gives every incident with a place its ward, by the boundaries in force on the day it happened. Whatever ward it
    /// had is forgotten.
    ///
    /// # Errors
    ///
    /// When an outline in the store can't be read.
    pub async fn place(&mut self, store: &Store, county: &County, incidents: &mut [Incident]) -> Result<()> {
        for incident in incidents {
            let Some(place) = incident.place else { continue };
            let since = county.boundaries_since(county.day_of(incident.occurred_from));
            let boundaries = match self.sets.entry(since) {
                Entry::Occupied(set) => set.into_mut(),
                Entry::Vacant(slot) => slot.insert(load(store, since).await?),
            };
            incident.ward = boundaries.ward_of(&place).map(str::to_owned);
        }
        Ok(())
    }
}

async fn load(store: &Store, day: NaiveDate) -> Result<Boundaries> {
    let outlines = outlines(store, day).await?;
    apart(move || Boundaries::new(outlines)).await
}

/// A grid around the middle of outlines that are all in degrees.
fn centre(outlines: &[Boundary]) -> Option<TransverseMercator> {
    let boxes = outlines.iter().filter(|ward| !ward.in_metres).filter_map(|ward| ward.shape.bounding_rect());
    let middles: Vec<geo::Coord> = boxes.map(geo::Rect::center).collect();
    if middles.is_empty() || middles.len() < outlines.len() {
        return None;
    }
    let many = middles.len() as f64;
    let middle = |of: fn(&geo::Coord) -> f64| middles.iter().map(of).sum::<f64>() / many;
    Some(TransverseMercator::around(middle(|at| at.x), middle(|at| at.y)))
}

async fn outlines(store: &Store, day: NaiveDate) -> Result<Vec<Boundary>> {
    let shapes = store.ward_shapes(day).await.context("loading the outlines of the wards")?;
    let outline = |saved: WardShape| {
        let shape = import::shape(&saved.shape)
            .map_err(|wrong| anyhow!("the outline of ward {}: {wrong}", saved.ward))?;
        Ok(Boundary { code: saved.ward, name: String::new(), shape, in_metres: saved.in_metres })
    };
    apart(move || shapes.into_iter().map(outline).collect()).await?
}

/// On a thread where nobody waits for a page meanwhile: outlines and rules take some tenths of a second.
pub(super) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    Ok(tokio::task::spawn_blocking(work).await?)
}
