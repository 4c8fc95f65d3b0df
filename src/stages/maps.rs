//! The maps in letters. They take longer to draw than messages to write, so they are drawn before a transaction begins:
//! readers of pages, whose visits are noted, would wait for it meanwhile.

use super::{county::apart, night::Engine};
use crate::{
    locate::Boundary,
    mail::Picture,
    model::{Alert, AreaKind},
    picture::map::{self, MapView},
};
use anyhow::Result;
use chrono::NaiveDate;
use std::collections::{BTreeMap, btree_map::Entry};

/// So many are drawn beforehand; the others when their letter is written. More are a fault of a rule or of the data.
const BEFOREHAND: usize = 40;

/// What a map shows: boundaries of a night, and the wards concerned.
pub(super) type Shows = (NaiveDate, Vec<String>);

/// One map for all who are told of the same.
#[derive(Default)]
pub(super) struct Maps(BTreeMap<Shows, Option<Picture>>);

impl Maps {
    /// That of an alert; none when its wards have no outlines.
    pub(super) async fn of(&mut self, engine: &Engine, alert: &Alert) -> Result<Option<&Picture>> {
        self.draw(engine, (alert.night, alert.latest.wards.clone())).await
    }

    async fn draw(&mut self, engine: &Engine, shows: Shows) -> Result<Option<&Picture>> {
        let map = match self.0.entry(shows) {
            Entry::Occupied(drawn) => drawn.into_mut(),
            Entry::Vacant(free) => {
                let drawn = engine.map(free.key()).await?;
                free.insert(drawn)
            }
        };
        Ok(map.as_ref())
    }
}

impl Engine {
    /// Draws maps before a transaction begins. A fault is met by whoever writes the letter.
    pub(super) async fn maps_at_hand(&self, shows: impl IntoIterator<Item = Shows>) -> Maps {
        let mut maps = Maps::default();
        for one in shows {
            if maps.0.len() == BEFOREHAND || maps.draw(self, one).await.is_err() {
                break;
            }
        }
        maps
    }

    /// The map of the wards concerned; none when they have no outlines. A map that can't be drawn is left out: the message
    /// says the same without it.
    async fn map(&self, (night, concerned): &Shows) -> Result<Option<Picture>> {
        let outlines = self.county.shapes(&self.store, *night).await?;
        let (geography, concerned) = (self.county.geography(*night)?, concerned.clone());
        let drawn = move || {
            let ward = |one: &Boundary| {
                let partnership = geography.above(&one.code, AreaKind::Csp).next();
                map::WardShape {
                    code: one.code.clone(),
                    name: geography
                        .get(AreaKind::Ward, &one.code)
                        .map_or(one.code.clone(), |known| known.name.clone()),
                    partnership: partnership.map_or_else(String::new, |csp| csp.name.clone()),
                    shape: one.shape.clone(),
                }
            };
            let by_code = |code: &String| outlines.iter().find(|one| one.code == *code).map(ward);
            let view = MapView {
                concerned: concerned.iter().filter_map(by_code).collect(),
                around: outlines.iter().filter(|one| !concerned.contains(&one.code)).map(ward).collect(),
                whole_county: true,
            };
            let png = map::png(&view).ok()?;
            Some(Picture { cid: "map".into(), png, alternative: map::alternative(&view) })
        };
        apart(drawn).await
    }
}
