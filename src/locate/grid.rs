//! Degrees to metres and back.
//!
//! British National Grid by OSTN15, through the crate `lonlat_bng`: within 1.4 mm of the Ordnance Survey's 40 test
//! points. OSTN15 is © Crown copyright, Ordnance Survey and the Ministry of Defence (MOD) 2016, BSD 2-clause licence.
//! Elsewhere a transverse Mercator around the pack's own centre.

use super::TransverseMercator;
use crate::model::{Place, Projection};

/// How an area pack turns degrees into metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Grid {
    /// EPSG:27700.
    British,
    /// Around the pack's centre.
    Around(TransverseMercator),
}

impl Grid {
    /// The grid of a projection.
    #[must_use]
    pub fn new(projection: Projection) -> Self {
        match projection {
            Projection::BritishNationalGrid => Self::British,
            Projection::TransverseMercator { lon, lat } => Self::Around(TransverseMercator::around(lon, lat)),
        }
    }

    /// Easting and northing in metres; none outside the grid's reach or when the degrees are no numbers.
    #[must_use]
    pub fn to_grid(&self, lon: f64, lat: f64) -> Option<(f64, f64)> {
        if !(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat) {
            return None;
        }
        let found = match self {
            Self::British => lonlat_bng::convert_osgb36(lon, lat).ok()?,
            Self::Around(projection) => projection.to_grid(lon, lat),
        };
        finite(found)
    }

    /// Degrees east and north; none outside the grid's reach or when the metres are no numbers.
    #[must_use]
    pub fn to_degrees(&self, easting: f64, northing: f64) -> Option<(f64, f64)> {
        finite((easting, northing))?;
        let found = match self {
            // The crate overflows far off its grid.
            Self::British
                if !(0.0..=700_000.0).contains(&easting) || !(0.0..=1_250_000.0).contains(&northing) =>
            {
                return None;
            }
            Self::British => lonlat_bng::convert_osgb36_to_ll(easting, northing).ok()?,
            Self::Around(projection) => projection.to_degrees(easting, northing),
        };
        finite(found)
    }

    /// The place at a point in degrees.
    #[must_use]
    pub fn place_at_degrees(&self, lon: f64, lat: f64) -> Option<Place> {
        self.to_grid(lon, lat).map(|(easting, northing)| Place { lon, lat, easting, northing })
    }

    /// The place at a point in metres.
    #[must_use]
    pub fn place_on_grid(&self, easting: f64, northing: f64) -> Option<Place> {
        self.to_degrees(easting, northing).map(|(lon, lat)| Place { lon, lat, easting, northing })
    }
}

fn finite(pair: (f64, f64)) -> Option<(f64, f64)> {
    (pair.0.is_finite() && pair.1.is_finite()).then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_grid_of_the_ordnance_survey() {
        // TP04 of the Ordnance Survey's OSTN15 developer pack.
        let grid = Grid::new(Projection::BritishNationalGrid);
        let (east, north) = grid.to_grid(-1.197_476_559_0, 51.855_909_25).unwrap_or_default();
        assert!(
            (450_000.0..460_000.0).contains(&east) && (215_000.0..220_000.0).contains(&north),
            "{east} {north}"
        );
        assert_eq!(grid.to_grid(2.35, 48.86).map(|_| ()), None, "Paris is not on it");
    }

    proptest! {
        #[test]
        fn the_county_goes_there_and_back(lon in -1.6_f64..-0.4, lat in 52.3_f64..53.0) {
            let grid = Grid::new(Projection::BritishNationalGrid);
            let place = grid.place_at_degrees(lon, lat).unwrap();
            let back = grid.place_on_grid(place.easting, place.northing).unwrap();
            // A millimetre is 1e-8 degrees; the inverse is iterated to the same.
            prop_assert!((back.lon - lon).abs() < 2e-8 && (back.lat - lat).abs() < 2e-8);
        }

        #[test]
        fn no_number_makes_it_panic(a in any::<f64>(), b in any::<f64>()) {
            for grid in [Grid::British, Grid::Around(TransverseMercator::around(-77.0, 38.9))] {
                let _ = grid.place_at_degrees(a, b);
                let _ = grid.place_on_grid(a, b);
            }
        }
    }
}
