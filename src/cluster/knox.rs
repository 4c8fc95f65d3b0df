//! Near repeats: is it more likely than chance that an incident is followed by another one nearby and soon?
//!
//! Sources: Knox, The detection of space-time interactions, Applied Statistics 1964, 13, 25-29, for the table of pairs;
//! Johnson, Bernasco, Bowers, Elffers, Ratcliffe, Rengert and Townsley, Space-time patterns of risk: a cross national
//! assessment of residential burglary victimization, Journal of Quantitative Criminology 2007, 23, 201-219, for the
//! permutations of days, the ratio to their mean and the Monte Carlo probability, as Ratcliffe's Near Repeat Calculator
//! made them common.
//!
//! The days are dealt out anew among the places, so that both keep what they had, hot spots and seasons alike, and only
//! what ties a day to a place is lost.

use super::Point;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::ops::{ControlFlow, Range};

/// What is kept of the pairs takes 4 bytes each, so this is 200 MB.
const MOST_PAIRS: u32 = 50_000_000;
/// Every replication keeps a count for every cell, at most 100 MB with the most bands.
const MOST_REPLICATIONS: u32 = 99_999;
const MOST_BANDS: usize = 16;
/// Gaps between days are compared so many at a time, which compilers turn into a few wide instructions.
const LANES: usize = 128;

/// How far apart and how long apart, in steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bands {
    metres: Vec<u32>,
    days: Vec<u32>,
}

/// Bands that no table can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BandsError {
    /// None, or so many that a table says nothing.
    #[error("there are {0} bands of {1}; give 1 to {MOST_BANDS}")]
    Count(usize, &'static str),
    /// Unordered, overlapping or empty.
    #[error(
        "a band up to {1} {2} cannot follow one up to {0}; give the ends of the bands in rising order, each once"
    )]
    NotRising(u32, u32, &'static str),
    /// Wider than any country's grid, or longer than any record.
    #[error("{0} {1} is too far; give at most 2,000,000 metres and 200,000 days")]
    TooFar(u32, &'static str),
}

impl Bands {
    /// Bands by their ends, which belong to them. The first of each begins at 0, every other one just after the one
    /// before, so that bands can neither overlap nor leave a gap; a first end of 0 metres is the same place.
    ///
    /// # Errors
    ///
    /// When there are none or more than 16 of a kind, when they do not rise, or when one is absurdly far.
    pub fn new(metres: &[u32], days: &[u32]) -> Result<Self, BandsError> {
        for (ends, most, unit) in [(metres, 2_000_000, "metres"), (days, 200_000, "days")] {
            if ends.is_empty() || ends.len() > MOST_BANDS {
                return Err(BandsError::Count(ends.len(), unit));
            }
            for pair in ends.windows(2) {
                if let &[before, after] = pair
                    && before >= after
                {
                    return Err(BandsError::NotRising(before, after, unit));
                }
            }
            if let Some(&far) = ends.iter().find(|end| **end > most) {
                return Err(BandsError::TooFar(far, unit));
            }
        }
        Ok(Self { metres: metres.to_vec(), days: days.to_vec() })
    }

    /// The ends of the distance bands, in metres.
    #[must_use]
    pub fn metres(&self) -> &[u32] {
        &self.metres
    }

    /// The ends of the time bands, in days.
    #[must_use]
    pub fn days(&self) -> &[u32] {
        &self.days
    }
}

impl Default for Bands {
    /// The same place, then up to 100, 200, 400 and 1,000 metres; up to 7, 14, 28 and 56 days.
    fn default() -> Self {
        Self { metres: vec![0, 100, 200, 400, 1_000], days: vec![7, 14, 28, 56] }
    }
}

/// The pairs of one distance band and one time band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// So many there are.
    pub observed: u64,
    /// So many there are on average with the days dealt out anew.
    pub expected: f64,
    /// The middle 95 % of the replications, both ends included; with fewer than 39, the lowest and the highest.
    pub range: (u64, u64),
    /// Observed to expected; none when no replication had any.
    pub ratio: Option<f64>,
    /// How likely chance alone has at least so many: one more than the replications that do, of one more than there are.
    /// It is for this cell alone, and a table has many.
    pub p: f64,
}

/// What [`knox`] finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// A row for every distance band, in it a cell for every time band.
    pub cells: Vec<Vec<Cell>>,
    /// So many pairs are within the last distance band, however long apart.
    pub pairs: u64,
}

/// Why there is no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KnoxError {
    /// No pair at all.
    #[error("there are {0} incidents, which make no pair; give at least 2")]
    TooFew(usize),
    /// More than can be numbered.
    #[error("there are {0} incidents, more than 10,000,000; take a shorter period or a smaller area")]
    TooMany(usize),
    /// Whichever way the days are dealt out, the table stays the same.
    #[error(
        "all incidents are on one day, so nothing can be said of when they follow each other; take a longer period"
    )]
    OneDay,
    /// Likewise.
    #[error(
        "all incidents are at one place, so nothing can be said of where they follow each other; take a larger area"
    )]
    OnePlace,
    /// The memory is bounded.
    #[error(
        "more than {pairs} pairs of incidents are within {metres} metres; \
         end the last distance band earlier, or take a shorter period or a smaller area"
    )]
    TooManyPairs {
        /// The most that are allowed.
        pairs: u32,
        /// The end of the last distance band.
        metres: u32,
    },
    /// None, or more than can be kept.
    #[error("{0} replications cannot be had; give 1 to {MOST_REPLICATIONS}, usually 999")]
    Replications(u32),
}

/// Counts the pairs in every band and compares with as many `replications` of the days dealt out anew, usually 999.
///
/// The same incidents, in any order and wherever they are moved to as a whole, give the same table with the same
/// `seed`, on any number of threads.
///
/// # Errors
///
/// When there is nothing to compare, or too much: see [`KnoxError`].
pub fn knox(points: &[Point], bands: &Bands, replications: u32, seed: u64) -> Result<Table, KnoxError> {
    if !(1..=MOST_REPLICATIONS).contains(&replications) {
        return Err(KnoxError::Replications(replications));
    }
    let near = Near::new(points, bands, MOST_PAIRS)?;
    let observed = near.count(&near.dealt, bands.days());
    let chance: Vec<Vec<u32>> = (0..u64::from(replications))
        .into_par_iter()
        .map_init(Vec::new, |days: &mut Vec<i32>, replication| {
            // Every replication has its own stream and begins with the same deal, so it owes nothing to its thread.
            let mut dice = ChaCha8Rng::seed_from_u64(seed);
            dice.set_stream(replication);
            days.clear();
            days.extend_from_slice(&near.dealt);
            days.shuffle(&mut dice);
            near.count(days, bands.days())
        })
        .collect();
    let cells: Vec<Cell> = observed
        .iter()
        .enumerate()
        .map(|(cell, observed)| {
            compare(*observed, chance.iter().filter_map(|counts| counts.get(cell).copied()).collect())
        })
        .collect();
    let pairs = near.others.len() as u64;
    Ok(Table { cells: cells.chunks(bands.days.len()).map(<[Cell]>::to_vec).collect(), pairs })
}

fn compare(observed: u32, mut chance: Vec<u32>) -> Cell {
    chance.sort_unstable();
    let replications = chance.len();
    let expected = chance.iter().copied().map(f64::from).sum::<f64>() / replications.max(1) as f64;
    let reached = replications - chance.partition_point(|count| *count < observed);
    // The 25th and the 975th of 999.
    let end = ((replications + 1) / 40).max(1);
    let at =
        |index: Option<usize>| index.and_then(|index| chance.get(index)).map_or(0, |count| u64::from(*count));
    Cell {
        observed: observed.into(),
        expected,
        range: (at(Some(end - 1)), at(replications.checked_sub(end))),
        ratio: (expected > 0.0).then(|| f64::from(observed) / expected),
        p: (reached + 1) as f64 / (replications + 1) as f64,
    }
}

/// All near pairs, found once: dealing out days does not move places.
struct Near {
    /// Where the row of a distance band and a point begins in `others`; the rows of the first band come first.
    starts: Vec<u32>,
    /// The near points later in the order.
    others: Vec<u32>,
    /// The days as they were, in the order of the points.
    dealt: Vec<i32>,
}

/// A point and its square of the grid, both counted from the southwestern corner of all, so that moving changes neither.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    square: (i64, i64),
    at: (i64, i64),
    day: i32,
}

impl Near {
    fn new(points: &[Point], bands: &Bands, most: u32) -> Result<Self, KnoxError> {
        let (Some(first), 2..) = (points.first(), points.len()) else {
            return Err(KnoxError::TooFew(points.len()));
        };
        if points.len() > 10_000_000 {
            return Err(KnoxError::TooMany(points.len()));
        }
        if points.iter().all(|point| point.day == first.day) {
            return Err(KnoxError::OneDay);
        }
        if points.iter().all(|point| (point.easting, point.northing) == (first.easting, first.northing)) {
            return Err(KnoxError::OnePlace);
        }
        let metres = bands.metres.last().copied().unwrap_or_default();
        let places = order(points, i64::from(metres).max(1));
        let ends: Vec<i64> = bands.metres.iter().map(|end| i64::from(*end).pow(2)).collect();

        // Counted first and written second, so that no list ever grows.
        let mut starts = vec![0_u32; ends.len() * places.len() + 1];
        let mut pairs = 0_u32;
        let counted = each_pair(&places, &ends, |band, a, _| {
            if pairs == most {
                return ControlFlow::Break(());
            }
            pairs += 1;
            starts[band * places.len() + a + 1] += 1;
            ControlFlow::Continue(())
        });
        if counted.is_break() {
            return Err(KnoxError::TooManyPairs { pairs: most, metres });
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        // Rows fill from their beginning; a row's beginning is where the one before ends once all are full.
        let mut filled = starts.clone();
        let mut others = vec![0_u32; pairs as usize];
        let _ = each_pair(&places, &ends, |band, a, b| {
            let next = &mut filled[band * places.len() + a];
            others[*next as usize] = b as u32;
            *next += 1;
            ControlFlow::Continue(())
        });
        Ok(Self { starts, others, dealt: places.iter().map(|place| place.day).collect() })
    }

    /// How many pairs every cell has with these days, row by row.
    fn count(&self, days: &[i32], ends: &[u32]) -> Vec<u32> {
        let points = days.len();
        let mut counts = Vec::with_capacity(self.starts.len() / points.max(1) * ends.len());
        for starts in
            (0..self.starts.len() - 1).step_by(points.max(1)).map(|at| &self.starts[at..=at + points])
        {
            let mut up_to = Tally { gaps: [0; LANES], filled: 0, ends, counts: vec![0; ends.len()] };
            for (day, row) in days.iter().zip(starts.windows(2)) {
                for other in &self.others[row[0] as usize..row[1] as usize] {
                    up_to.add(day.abs_diff(days[*other as usize]));
                }
            }
            let mut before = 0;
            counts.extend(
                up_to.finish().into_iter().map(|up_to| up_to - std::mem::replace(&mut before, up_to)),
            );
        }
        counts
    }
}

/// How many gaps are up to each end.
struct Tally<'a> {
    gaps: [u32; LANES],
    filled: usize,
    ends: &'a [u32],
    counts: Vec<u32>,
}

impl Tally<'_> {
    fn add(&mut self, gap: u32) {
        self.gaps[self.filled] = gap;
        self.filled += 1;
        if self.filled == LANES {
            self.empty();
        }
    }

    fn empty(&mut self) {
        for (count, end) in self.counts.iter_mut().zip(self.ends) {
            *count += self.gaps[..self.filled].iter().map(|gap| u32::from(gap <= end)).sum::<u32>();
        }
        self.filled = 0;
    }

    fn finish(mut self) -> Vec<u32> {
        self.empty();
        self.counts
    }
}

/// In an order that is the points' own, by squares as wide as `side`, which keeps near ones near in memory too.
fn order(points: &[Point], side: i64) -> Vec<Place> {
    let west = points.iter().map(|point| i64::from(point.easting)).min().unwrap_or_default();
    let south = points.iter().map(|point| i64::from(point.northing)).min().unwrap_or_default();
    let mut places: Vec<Place> = points
        .iter()
        .map(|point| {
            let at = (i64::from(point.easting) - west, i64::from(point.northing) - south);
            Place { square: (at.0 / side, at.1 / side), at, day: point.day }
        })
        .collect();
    places.sort_unstable();
    places
}

/// Every pair within the last of the squared `ends`, with its band; the first of the pair comes first in the order.
fn each_pair(
    places: &[Place],
    ends: &[i64],
    mut found: impl FnMut(usize, usize, usize) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let within = |from: (i64, i64), to: (i64, i64)| -> Range<usize> {
        places.partition_point(|place| place.square < from)
            ..places.partition_point(|place| place.square <= to)
    };
    let mut first = 0;
    for square in places.chunk_by(|a, b| a.square == b.square) {
        let Some(&Place { square: (column, row), .. }) = square.first() else { continue };
        // In the order of the squares, what is near is the rest of the square and the next of the column, then three
        // squares of the next column; everything before has already looked ahead.
        let rest = within((column, row), (column, row + 1));
        let beside = within((column + 1, row - 1), (column + 1, row + 1));
        for (a, place) in (first..).zip(square) {
            for b in (a + 1..rest.end).chain(beside.clone()) {
                let (east, north) = (places[b].at.0 - place.at.0, places[b].at.1 - place.at.1);
                let apart = east * east + north * north;
                if let Some(band) = ends.iter().position(|end| apart <= *end) {
                    found(band, a, b)?;
                }
            }
        }
        first += square.len();
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::RngExt;

    fn at(easting: i32, northing: i32, day: i32) -> Point {
        Point { easting, northing, day }
    }

    fn scattered(count: usize, metres: i32, days: i32, seed: u64) -> Vec<Point> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |end| dice.random_range(0..end);
        (0..count).map(|_| at(draw(metres), draw(metres), draw(days))).collect()
    }

    /// Every pair looked at, and bands by their words.
    fn by_definition(points: &[Point], bands: &Bands) -> Vec<Vec<u64>> {
        let mut counts = vec![vec![0; bands.days().len()]; bands.metres().len()];
        for (index, a) in points.iter().enumerate() {
            for b in &points[..index] {
                let (east, north) = (
                    i128::from(a.easting) - i128::from(b.easting),
                    i128::from(a.northing) - i128::from(b.northing),
                );
                let apart = east * east + north * north;
                let gap = (i64::from(a.day) - i64::from(b.day)).abs();
                let row = bands.metres().iter().position(|end| apart <= i128::from(*end) * i128::from(*end));
                let column = bands.days().iter().position(|end| gap <= i64::from(*end));
                if let (Some(row), Some(column)) = (row, column) {
                    counts[row][column] += 1;
                }
            }
        }
        counts
    }

    fn observed(table: &Table) -> Vec<Vec<u64>> {
        table.cells.iter().map(|row| row.iter().map(|cell| cell.observed).collect()).collect()
    }

    #[test]
    fn ends_belong_to_their_bands() {
        let points = [at(0, 0, 0), at(60, 80, 7), at(60, 81, 15), at(60, 81, 15)];
        let table = knox(&points, &Bands::new(&[0, 100, 101], &[7, 14]).unwrap(), 9, 1).unwrap();
        // The pairs: 100 m and 7 days; 101 m (rounded up) and 15 days, twice; 1 m and 8 days, twice; the same, once.
        assert_eq!(observed(&table), [[1, 0], [1, 2], [0, 0]]);
        assert_eq!(table.pairs, 6);
    }

    #[test]
    fn a_cell_is_compared_as_the_books_say() {
        let cell = compare(975, (1..=999).rev().collect());
        assert_eq!((cell.range, cell.expected, cell.p), ((25, 975), 500.0, 26.0 / 1_000.0));
        assert_eq!(cell.ratio, Some(1.95));
        let cell = compare(3, vec![0; 19]);
        assert_eq!((cell.range, cell.ratio, cell.p), ((0, 0), None, 0.05));
    }

    #[test]
    fn what_cannot_be_compared_is_refused_and_says_why() {
        let bands = Bands::default();
        assert_eq!(knox(&[], &bands, 99, 1), Err(KnoxError::TooFew(0)));
        assert_eq!(knox(&[at(1, 1, 1)], &bands, 99, 1), Err(KnoxError::TooFew(1)));
        assert_eq!(knox(&[at(1, 1, 1); 9], &bands, 99, 1), Err(KnoxError::OneDay));
        assert_eq!(knox(&[at(1, 1, 1), at(1, 1, 2)], &bands, 99, 1), Err(KnoxError::OnePlace));
        let two = [at(1, 1, 1), at(2, 1, 2)];
        assert_eq!(knox(&two, &bands, 0, 1), Err(KnoxError::Replications(0)));
        assert_eq!(knox(&two, &bands, 100_000, 1), Err(KnoxError::Replications(100_000)));
        let many: Vec<Point> = (0..20).map(|day| at(day % 2, 0, day)).collect();
        assert!(Near::new(&many, &bands, 190).is_ok());
        let error = Near::new(&many, &bands, 189).err().unwrap();
        assert!(error.to_string().contains("more than 189 pairs"), "{error}");
        assert!(error.to_string().contains("1000 metres; end the last distance band earlier"), "{error}");
    }

    #[test]
    fn impossible_bands_are_refused() {
        assert_eq!(Bands::new(&[0, 100], &[7, 7]), Err(BandsError::NotRising(7, 7, "days")));
        assert_eq!(Bands::new(&[200, 100], &[7]), Err(BandsError::NotRising(200, 100, "metres")));
        assert_eq!(Bands::new(&[], &[7]), Err(BandsError::Count(0, "metres")));
        assert_eq!(Bands::new(&[0; 17], &[7]), Err(BandsError::Count(17, "metres")));
        assert_eq!(Bands::new(&[0, u32::MAX], &[7]), Err(BandsError::TooFar(u32::MAX, "metres")));
        let bands = Bands::default();
        assert_eq!(Bands::new(bands.metres(), bands.days()), Ok(bands));
    }

    #[test]
    fn the_ends_of_the_grid_and_of_time_are_counted_too() {
        let ends = [i32::MIN, i32::MIN + 1, i32::MAX];
        let points: Vec<Point> = ends
            .iter()
            .flat_map(|e| ends.iter().flat_map(move |n| ends.map(|day| at(*e, *n, day))))
            .collect();
        for bands in [Bands::default(), Bands::new(&[2_000_000], &[200_000]).unwrap()] {
            assert_eq!(observed(&knox(&points, &bands, 9, 1).unwrap()), by_definition(&points, &bands));
        }
    }

    #[test]
    fn threads_change_nothing() {
        let points = scattered(300, 3_000, 200, 5);
        let tables = [1, 2, 7].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| knox(&points, &Bands::default(), 99, 3).unwrap())
        });
        assert_eq!(tables[0], tables[1]);
        assert_eq!(tables[0], tables[2]);
        assert_ne!(
            tables[0],
            knox(&points, &Bands::default(), 99, 4).unwrap(),
            "another seed is another chance"
        );
    }

    #[test]
    fn chance_agrees_with_what_can_be_worked_out() {
        // On average a cell has the near pairs of its row, times the share of all pairs that are so long apart.
        let points = scattered(250, 2_000, 120, 8);
        let table = knox(&points, &Bands::default(), 1_999, 3).unwrap();
        let anywhere = by_definition(&points, &Bands::new(&[2_000_000], Bands::default().days()).unwrap());
        let anytime = by_definition(&points, &Bands::new(Bands::default().metres(), &[200_000]).unwrap());
        let all = f64::from(250 * 249 / 2);
        assert_eq!(table.pairs, anytime.iter().flatten().sum::<u64>());
        for (row, near) in table.cells.iter().zip(&anytime) {
            for (cell, soon) in row.iter().zip(&anywhere[0]) {
                let exact = near[0] as f64 * *soon as f64 / all;
                // Counts scatter about as their square root, and a mean of 1,999 by so much less.
                assert!(
                    (cell.expected - exact).abs() <= 0.15 * exact.sqrt() + 1e-9,
                    "{cell:?}, exactly {exact}"
                );
                assert!(
                    cell.range.0 as f64 <= exact && exact <= cell.range.1 as f64,
                    "{cell:?}, exactly {exact}"
                );
            }
        }
    }

    #[test]
    fn without_near_repeats_p_is_as_often_small_as_it_says() {
        let bands = Bands::new(&[200, 500], &[7, 28]).unwrap();
        let mut small = [[0; 2]; 2];
        let mut half = [[0; 2]; 2];
        for seed in 0..400 {
            let table = knox(&scattered(200, 3_000, 365, seed), &bands, 99, seed).unwrap();
            for (row, cells) in table.cells.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    small[row][column] += u32::from(cell.p <= 0.05);
                    half[row][column] += u32::from(cell.p <= 0.5);
                }
            }
        }
        // 20 and 200 of 400 are expected at most, less where ties are common; 4 standard deviations are 17 and 40.
        for (small, half) in small.iter().flatten().zip(half.iter().flatten()) {
            assert!(*small <= 37, "{small} of 400 below 0.05");
            assert!((100..=240).contains(half), "{half} of 400 below 0.5");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_pair_is_in_its_band(
            places in prop::collection::vec((-700_i32..700, -700_i32..700, -60_i32..60), 2..90),
            metres in prop::collection::btree_set(0_u32..600, 1..6),
            days in prop::collection::btree_set(0_u32..80, 1..5),
        ) {
            let points: Vec<Point> = places.into_iter().map(|(e, n, day)| at(e, n, day)).collect();
            let bands = Bands::new(&Vec::from_iter(metres), &Vec::from_iter(days)).unwrap();
            match knox(&points, &bands, 3, 1) {
                Ok(table) => prop_assert_eq!(observed(&table), by_definition(&points, &bands)),
                Err(error) => prop_assert!(matches!(error, KnoxError::OneDay | KnoxError::OnePlace)),
            }
        }

        #[test]
        fn neither_order_nor_moving_everything_changes_anything(
            (places, shuffled) in prop::collection::vec((0_i32..1_500, 0_i32..1_500, 0_i32..90), 2..60)
                .prop_flat_map(|places| (Just(places.clone()), Just(places).prop_shuffle())),
            east in -100_000_i32..100_000, later in -5_000_i32..5_000,
        ) {
            let here: Vec<Point> = places.iter().map(|&(e, n, day)| at(e, n, day)).collect();
            let there: Vec<Point> =
                shuffled.iter().map(|&(e, n, day)| at(e + east, n - east, day + later)).collect();
            let bands = Bands::default();
            prop_assert_eq!(knox(&here, &bands, 39, 7), knox(&there, &bands, 39, 7));
        }

        #[test]
        fn planted_near_repeats_are_found(seed in any::<u64>()) {
            // 60 of 300 are followed by another within 100 m and a week.
            let mut points = scattered(300, 8_000, 365, seed);
            let followed: Vec<Point> =
                points[..60].iter().map(|point| at(point.easting + 40, point.northing - 50, point.day + 4)).collect();
            points.extend(followed);
            let table = knox(&points, &Bands::default(), 199, seed).unwrap();
            let cell = table.cells[1][0];
            prop_assert!(cell.p <= 0.005 && cell.ratio.is_some_and(|ratio| ratio > 3.0), "{:?}", cell);
            prop_assert!(cell.range.1 < cell.observed);
        }
    }
}
