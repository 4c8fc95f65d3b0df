//! A transverse Mercator projection on WGS84 around a pack's own centre.
//!
//! Krüger's series to the fourth power of the third flattening, as given in IOGP Guidance Note 7-2 (method 9807) and
//! analysed in Karney, Transverse Mercator with an accuracy of a few nanometers, Journal of Geodesy 2011, 85, 475-485,
//! equations 7 to 23. Within 1,000 km of the centre the truncation is below a hundredth of a millimetre.

const SEMI_MAJOR_AXIS: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// Third flattening.
const N: f64 = FLATTENING / (2.0 - FLATTENING);
const N2: f64 = N * N;
const N3: f64 = N2 * N;
const N4: f64 = N3 * N;

const TO_GRID: [f64; 4] = [
    N / 2.0 - 2.0 * N2 / 3.0 + 5.0 * N3 / 16.0 + 41.0 * N4 / 180.0,
    13.0 * N2 / 48.0 - 3.0 * N3 / 5.0 + 557.0 * N4 / 1_440.0,
    61.0 * N3 / 240.0 - 103.0 * N4 / 140.0,
    49_561.0 * N4 / 161_280.0,
];
const FROM_GRID: [f64; 4] = [
    N / 2.0 - 2.0 * N2 / 3.0 + 37.0 * N3 / 96.0 - N4 / 360.0,
    N2 / 48.0 + N3 / 15.0 - 437.0 * N4 / 1_440.0,
    17.0 * N3 / 480.0 - 37.0 * N4 / 840.0,
    4_397.0 * N4 / 161_280.0,
];
const FROM_CONFORMAL: [f64; 4] = [
    2.0 * N - 2.0 * N2 / 3.0 - 2.0 * N3 + 116.0 * N4 / 45.0,
    7.0 * N2 / 3.0 - 8.0 * N3 / 5.0 - 227.0 * N4 / 45.0,
    56.0 * N3 / 15.0 - 136.0 * N4 / 35.0,
    4_279.0 * N4 / 630.0,
];
/// Metres of meridian for a radian of rectifying latitude.
const RECTIFYING_RADIUS: f64 = SEMI_MAJOR_AXIS / (1.0 + N) * (1.0 + N2 / 4.0 + N4 / 64.0);

/// Metres from the false origin to the centre, east and north.
const FALSE_ORIGIN: f64 = 500_000.0;

/// The projection; scale 1 at its centre, which lies 500 km east and north of the false origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransverseMercator {
    central_meridian: f64,
    centre_northing: f64,
}

impl TransverseMercator {
    /// Around a centre in degrees.
    #[must_use]
    pub fn around(lon: f64, lat: f64) -> Self {
        let mut this = Self { central_meridian: lon.to_radians(), centre_northing: 0.0 };
        this.centre_northing = this.to_grid(lon, lat).1 - FALSE_ORIGIN;
        this
    }

    /// Easting and northing in metres of a point in degrees.
    #[must_use]
    pub fn to_grid(&self, lon: f64, lat: f64) -> (f64, f64) {
        let east = lon.to_radians() - self.central_meridian;
        let sine = lat.to_radians().sin();
        let eccentricity = 2.0 * N.sqrt() / (1.0 + N);
        let conformal = (sine.atanh() - eccentricity * (eccentricity * sine).atanh()).sinh();
        let xi = conformal.atan2(east.cos());
        let eta = (east.sin() / conformal.hypot(1.0)).atanh();
        let (mut northing, mut easting) = (xi, eta);
        for (j, term) in (1..).map(|j| 2.0 * f64::from(j)).zip(TO_GRID) {
            northing += term * (j * xi).sin() * (j * eta).cosh();
            easting += term * (j * xi).cos() * (j * eta).sinh();
        }
        (FALSE_ORIGIN + RECTIFYING_RADIUS * easting, RECTIFYING_RADIUS * northing - self.centre_northing)
    }

    /// Degrees east and north of a point in metres.
    #[must_use]
    pub fn to_degrees(&self, easting: f64, northing: f64) -> (f64, f64) {
        let xi = (northing + self.centre_northing) / RECTIFYING_RADIUS;
        let eta = (easting - FALSE_ORIGIN) / RECTIFYING_RADIUS;
        let (mut north, mut east) = (xi, eta);
        for (j, term) in (1..).map(|j| 2.0 * f64::from(j)).zip(FROM_GRID) {
            north -= term * (j * xi).sin() * (j * eta).cosh();
            east -= term * (j * xi).cos() * (j * eta).sinh();
        }
        let conformal = (north.sin() / east.cosh()).asin();
        let mut lat = conformal;
        for (j, term) in (1..).map(|j| 2.0 * f64::from(j)).zip(FROM_CONFORMAL) {
            lat += term * (j * conformal).sin();
        }
        let lon = self.central_meridian + east.sinh().atan2(north.cos());
        (lon.to_degrees(), lat.to_degrees())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_agrees_with_utm_at_a_known_point() {
        // The CN Tower, zone 17 north: 630,084 m east and 4,833,438 m north, told to the metre in gazetteers. UTM has scale
        // 0.9996 on its meridian and its false origin on the equator.
        let utm = TransverseMercator { central_meridian: (-81.0_f64).to_radians(), centre_northing: 0.0 };
        let (east, north) =
            utm.to_grid(-(79.0 + 23.0 / 60.0 + 13.7 / 3_600.0), 43.0 + 38.0 / 60.0 + 33.24 / 3_600.0);
        let (east, north) = (500_000.0 + 0.9996 * (east - FALSE_ORIGIN), 0.9996 * north);
        assert!((east - 630_084.0).abs() < 1.0 && (north - 4_833_438.0).abs() < 1.0, "{east} {north}");
    }

    proptest! {
        #[test]
        fn there_and_back_is_within_a_millimetre(
            lon in -170.0_f64..170.0, lat in -75.0_f64..75.0, east in -3.0_f64..3.0, north in -3.0_f64..3.0
        ) {
            let grid = TransverseMercator::around(lon, lat);
            let (easting, northing) = grid.to_grid(lon, lat);
            prop_assert!((easting - 500_000.0).abs() < 1e-6 && (northing - 500_000.0).abs() < 1e-6);
            let (easting, northing) = grid.to_grid(lon + east, lat + north);
            let (back_lon, back_lat) = grid.to_degrees(easting, northing);
            prop_assert!((back_lon - lon - east).abs() < 1e-8 && (back_lat - lat - north).abs() < 1e-8);
        }
    }
}
