//! The house method: what is usual for an area, honest with tiny counts.
//!
//! Rates of wards are drawn towards their district's by a gamma prior, so that a ward without history has a sensible
//! expectation (empirical Bayes: Clayton and Kaldor, Biometrics 1987, 43, 671-681). Season and weekday are shared by all.
//! Old years count less and less (half-life [`HALF_LIFE_DAYS`]); county and district follow their own recent level. Past
//! episodes are taken out of what is learned, and nothing is learned from the [`GUARD_DAYS`] before the night, so that a
//! slow rise does not become its own normal. The count of a window is negative binomial: its variance holds what varies
//! from window to window ([`Dispersion`]) and what is not known about the rates.

use super::{Dispersion, Expectation, Season, times_usual};
use crate::{
    count::{Completeness, Days, Ledger},
    model::{AreaKind, AreaRef, CategorySet, Judgement, Window},
};
use chrono::NaiveDate;

/// Nothing is learned from so many days before the night: the longest window judged and four weeks.
pub const GUARD_DAYS: usize = 56;

/// With less history before the guard than this the house method does not judge at all.
pub const LEAST_HISTORY_DAYS: usize = 91;

/// A day this long ago counts half of a recent one.
const HALF_LIFE_DAYS: f64 = 548.0;

/// The recent level is followed with this half-life.
const LEVEL_HALF_LIFE_DAYS: f64 = 120.0;

/// The recent level is drawn towards no change as if this many incidents had said so.
const LEVEL_PRIOR: f64 = 60.0;

/// Blocks of the past in which episodes are looked for, in days.
const BLOCK: usize = 28;

/// A past block rarer than this is an episode, and teaches nothing.
const EPISODE: f64 = 1e-3;

/// The variation allowed for before it has been learned: that of a month of shape 8 with some follow-ups.
const BEFORE_LEARNING: (f64, f64) = (0.3, 0.125);

/// Dispersion is learned from so many days before the guard at most.
const DISPERSION_DAYS: usize = 3 * 365;

/// What is usual for one set of categories, in every ward.
#[derive(Debug, Clone)]
pub struct Baseline {
    first: NaiveDate,
    last: NaiveDate,
    categories: CategorySet,
    counts: Vec<Days>,
    /// Days that teach: from the first to the guard.
    taught: usize,
    /// Running sums of the season, one longer than the days.
    season: Vec<f64>,
    /// Running sums of season times completeness.
    known: Vec<f64>,
    /// Incidents per mean day, now.
    rates: Vec<f64>,
    /// What is not known about them: their variance.
    uncertainty: Vec<f64>,
    /// The level of the county on past days against now.
    level: Vec<f64>,
    /// Blocks of each ward that are episodes.
    episodes: Vec<Vec<bool>>,
}

impl Baseline {
    /// Learns what is usual for a set of categories. `season` is the county's, learned from all categories. None when
    /// there are fewer than [`LEAST_HISTORY_DAYS`] before the guard.
    #[must_use]
    pub fn learn(
        ledger: &Ledger,
        completeness: &Completeness,
        season: &Season,
        categories: CategorySet,
    ) -> Option<Self> {
        let length = ledger.length();
        let taught = length.checked_sub(GUARD_DAYS).filter(|days| *days >= LEAST_HISTORY_DAYS)?;
        let factors: Vec<f64> = ledger.first().iter_days().take(length).map(|day| season.on(day)).collect();
        let running = |values: &mut dyn Iterator<Item = f64>| {
            let mut sums = vec![0.0];
            let mut sum = 0.0;
            sums.extend(values.map(|value| {
                sum += value;
                sum
            }));
            sums
        };
        // What is known of a day was handed over by the morning after the night: one day more than between them.
        let known = |place: usize| factors[place] * completeness.after((length - place) as i64);
        let mut this = Self {
            first: ledger.first(),
            last: ledger.last(),
            categories,
            counts: ledger.by_ward(categories),
            taught,
            season: running(&mut factors.iter().copied()),
            known: running(&mut (0..length).map(known)),
            rates: Vec::new(),
            uncertainty: Vec::new(),
            level: vec![1.0; length / BLOCK + 1],
            episodes: vec![vec![false; length / BLOCK + 1]; ledger.wards().len()],
        };
        let districts: Vec<Vec<usize>> = match ledger.areas(AreaKind::District) {
            none if none.is_empty() => vec![(0..this.counts.len()).collect()],
            areas => areas.iter().map(|area| ledger.members(area)).collect(),
        };
        for _ in 0..3 {
            this.learn_rates(&districts);
            this.find_episodes(&districts);
        }
        Some(this)
    }

    /// Rates, with what past episodes added left out.
    fn learn_rates(&mut self, districts: &[Vec<usize>]) {
        let weights = self.weights(HALF_LIFE_DAYS);
        let recent = self.weights(LEVEL_HALF_LIFE_DAYS);
        let wards = self.counts.len();
        let seen = |weights: &[f64]| -> Vec<(f64, f64)> {
            (0..wards).map(|ward| self.seen(ward, weights)).collect()
        };
        let (long, short) = (seen(&weights), seen(&recent));
        let (mut rates, mut uncertainty) = (vec![0.0; wards], vec![0.0; wards]);
        let one_over_shape = spread(&long, districts);
        for members in districts {
            let (count, exposure) = sum(&long, members);
            // Half an incident in the whole district's history: a rate of nothing can't be known.
            let mean = (count + 0.5) / exposure.max(f64::MIN_POSITIVE);
            for &ward in members {
                let (count, exposure) = long[ward];
                let prior = 1.0 / (one_over_shape * mean);
                rates[ward] = (count + 1.0 / one_over_shape) / (exposure + prior);
                uncertainty[ward] = rates[ward] / (exposure + prior);
            }
        }
        let expected: Vec<f64> = short.iter().zip(&rates).map(|(seen, rate)| seen.1 * rate).collect();
        let expected = |members: &[usize]| members.iter().map(|&ward| expected[ward]).sum::<f64>();
        let all: Vec<usize> = (0..wards).collect();
        let county = (sum(&short, &all).0 + LEVEL_PRIOR) / (expected(&all) + LEVEL_PRIOR);
        for members in districts {
            let own = (sum(&short, members).0 + LEVEL_PRIOR * county) / (expected(members) + LEVEL_PRIOR);
            for &ward in members {
                rates[ward] *= own;
                uncertainty[ward] *= own * own;
            }
        }
        (self.rates, self.uncertainty) = (rates, uncertainty);
        self.learn_level();
    }

    /// The county's level half a year around every past block, against now.
    fn learn_level(&mut self) {
        let now: f64 = self.rates.iter().sum();
        let blocks: Vec<(f64, f64)> = (0..self.taught / BLOCK)
            .map(|block| {
                let (from, to) = (block * BLOCK, (block + 1) * BLOCK);
                let count: f64 = (0..self.counts.len())
                    .map(|ward| {
                        if self.episodes[ward][block] {
                            self.usual(ward, from, to)
                        } else {
                            self.count(ward, from, to)
                        }
                    })
                    .sum();
                (count, now * (self.season[to] - self.season[from]))
            })
            .collect();
        for block in 0..self.level.len() {
            let near = block.saturating_sub(6)..(block + 7).min(blocks.len());
            let (count, usual) =
                blocks.get(near).into_iter().flatten().fold((0.0, 0.0), |sum, b| (sum.0 + b.0, sum.1 + b.1));
            self.level[block] = (count + LEVEL_PRIOR) / (usual + LEVEL_PRIOR);
        }
    }

    /// Marks past blocks of wards, and of whole districts, that are too rare to be usual.
    fn find_episodes(&mut self, districts: &[Vec<usize>]) {
        let (clumping, one_over_size) = BEFORE_LEARNING;
        let rare = |count: f64, mean: f64, width: f64| {
            let size = 1.0 / (clumping / mean.max(1e-9) + one_over_size / width);
            Expectation::new(mean, size).is_ok_and(|usual| usual.upper_tail(count as u64) < EPISODE)
        };
        let mut found = vec![vec![false; self.level.len()]; self.counts.len()];
        let blocks = 0..self.taught / BLOCK;
        for (members, block) in
            districts.iter().flat_map(|members| blocks.clone().map(move |block| (members, block)))
        {
            let (from, to) = (block * BLOCK, (block + 1) * BLOCK);
            let count: f64 = members.iter().map(|&ward| self.count(ward, from, to)).sum();
            let usual: f64 = members.iter().map(|&ward| self.usual(ward, from, to)).sum();
            let whole = rare(count, usual, members.len().max(1) as f64);
            for &ward in members {
                found[ward][block] =
                    whole || rare(self.count(ward, from, to), self.usual(ward, from, to), 1.0);
            }
        }
        self.episodes = found;
    }

    /// How much each day that teaches counts.
    fn weights(&self, half_life: f64) -> Vec<f64> {
        (0..self.taught).map(|day| 0.5_f64.powf((self.taught - day) as f64 / half_life)).collect()
    }

    /// Weighted count and exposure of a ward over the days that teach.
    fn seen(&self, ward: usize, weights: &[f64]) -> (f64, f64) {
        let (mut count, mut exposure) = (0.0, 0.0);
        for (day, weight) in weights.iter().enumerate() {
            if !self.episodes[ward][day / BLOCK] {
                count += weight * f64::from(self.counts[ward][day]);
                exposure += weight * (self.season[day + 1] - self.season[day]);
            }
        }
        (count, exposure)
    }

    fn count(&self, ward: usize, from: usize, to: usize) -> f64 {
        self.counts[ward][from..to].iter().map(|count| f64::from(*count)).sum()
    }

    /// What was usual in a past span.
    fn usual(&self, ward: usize, from: usize, to: usize) -> f64 {
        self.rates[ward] * self.level[from / BLOCK] * (self.season[to] - self.season[from])
    }

    /// How much the counts of areas vary from window to window, learned from the past windows of this length.
    fn dispersion(&self, areas: &[Vec<usize>], days: usize) -> Dispersion {
        let windows = (self.taught / days).min(DISPERSION_DAYS / days);
        let cells = areas.iter().flat_map(|members| {
            (0..windows).filter_map(move |back| {
                let to = self.taught - back * days;
                let from = to - days;
                let quiet = |ward: &&usize| {
                    !self.episodes[**ward][from / BLOCK] && !self.episodes[**ward][(to - 1) / BLOCK]
                };
                let members: Vec<&usize> = members.iter().filter(quiet).collect();
                let mean: f64 = members.iter().map(|&&ward| self.usual(ward, from, to)).sum();
                let count: f64 = members.iter().map(|&&ward| self.count(ward, from, to)).sum();
                (mean > 0.0).then_some((mean, count))
            })
        });
        Dispersion::learn(cells)
    }

    /// Judges every area of a kind over a window that ends in the ledger's days; a window that begins before them is cut.
    #[must_use]
    pub fn judge(&self, ledger: &Ledger, kind: AreaKind, window: Window) -> Vec<(Judgement, Expectation)> {
        let areas = ledger.areas(kind);
        let members: Vec<Vec<usize>> = areas.iter().map(|area| ledger.members(area)).collect();
        let dispersion = self.dispersion(&members, window.days() as usize);
        let place = |day: NaiveDate| (day - self.first).num_days().max(0) as usize;
        let (from, to) = (place(window.first), place(window.last.min(self.last)) + 1);
        if window.last < self.first {
            return Vec::new();
        }
        let judge = |(area, members): (AreaRef, &Vec<usize>)| {
            let exposure = self.known[to] - self.known[from];
            let mean = members.iter().map(|&ward| self.rates[ward]).sum::<f64>() * exposure;
            let variance =
                members.iter().map(|&ward| self.uncertainty[ward]).sum::<f64>() * exposure * exposure;
            let one_over_size =
                dispersion.one_over_size(mean) + if mean > 0.0 { variance / (mean * mean) } else { 0.0 };
            let size = if one_over_size > 1e-12 { 1.0 / one_over_size } else { f64::INFINITY };
            let usual = Expectation::new(mean, size).ok()?;
            let observed: f64 = members.iter().map(|&ward| self.count(ward, from, to)).sum();
            Some((judgement(area, self.categories, window, observed as u64, usual), usual))
        };
        areas.into_iter().zip(&members).filter_map(judge).collect()
    }

    /// The weekly counts of an area, oldest first: `weeks` of them, the last ending on `last`. For charts.
    #[must_use]
    pub fn weeks(&self, members: &[usize], last: NaiveDate, weeks: usize) -> Vec<(NaiveDate, u32)> {
        let end = (last.min(self.last) - self.first).num_days().max(-1) + 1;
        (0..weeks)
            .rev()
            .filter_map(|back| {
                let to = usize::try_from(end - 7 * back as i64).ok().filter(|to| *to >= 7)?;
                let count = members.iter().map(|&ward| self.count(ward, to - 7, to)).sum::<f64>();
                Some((self.first + chrono::Days::new(to as u64 - 7), count as u32))
            })
            .collect()
    }
}

/// A count against what is usual.
#[must_use]
pub fn judgement(
    area: AreaRef,
    categories: CategorySet,
    window: Window,
    observed: u64,
    usual: Expectation,
) -> Judgement {
    let p_upper = usual.upper_tail(observed);
    // The least count that is not below the central 95 %.
    let low =
        (0..=observed.max(1 << 20)).find(|count| 1.0 - usual.upper_tail(count + 1) > 0.025).unwrap_or(0);
    let high = usual.least_count_as_rare_as(0.025).saturating_sub(1).max(low);
    Judgement {
        area,
        categories,
        window,
        observed,
        expected: usual.mean(),
        usual_range: (low, high),
        times_usual: times_usual(observed, usual),
        p_upper,
        p_lower: (1.0 - usual.upper_tail(observed + 1)).clamp(0.0, 1.0),
    }
}

fn sum(seen: &[(f64, f64)], members: &[usize]) -> (f64, f64) {
    members.iter().fold((0.0, 0.0), |sum, &ward| (sum.0 + seen[ward].0, sum.1 + seen[ward].1))
}

/// One over the shape of the gamma that wards of a district follow around its mean, by moments over all districts: what
/// rates differ by beyond what chance makes of counts. Between 0.05 (wards are alike) and 4 (they have little in common).
fn spread(seen: &[(f64, f64)], districts: &[Vec<usize>]) -> f64 {
    let (mut excess, mut squares) = (0.0, 0.0);
    for members in districts {
        let (count, exposure) = sum(seen, members);
        let mean = count / exposure.max(f64::MIN_POSITIVE);
        for &ward in members {
            let (count, exposure) = seen[ward];
            let usual = mean * exposure;
            excess += (count - usual).powi(2) - usual;
            squares += usual * usual;
        }
    }
    if squares > 0.0 { (excess / squares).clamp(0.05, 4.0) } else { 1.0 }
}
