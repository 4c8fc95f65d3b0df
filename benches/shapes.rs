//! How early the house method sees outbreaks of several shapes: `cargo bench --bench shapes`.
//!
//! The wards of the bench `quiet`, 1,000 of them a shape; half have one outbreak in the 49 weeks judged. For each shape:
//! the share of outbreaks with an alarm while they last, and the mean weeks to it with misses counted as their whole
//! length, at the threshold of the score that 0.1 % and 1 % of the other weeks pass (the three weeks after an outbreak are
//! left out); and what Benjamini and Hochberg's rule at 10 % over all wards of a week finds, with its share of false alarms.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tension_watch::detect::{
    discoveries,
    house::{Control, Series, judge},
};

mod made;
use made::{JUDGED, LEVELS, WARDS, WEEKS, wards};

const GROUPS: u64 = 50;

/// Incidents added by week from the start.
type Shape = fn(&mut ChaCha8Rng) -> Vec<u32>;

const SHAPES: [(&str, Shape); 3] = [
    ("3 to 10 in one week", |chance| vec![chance.random_range(3..11)]),
    ("6 to 30 rising evenly over 4 to 8 weeks", |chance| {
        let (size, weeks) = (chance.random_range(6..31), chance.random_range(4..9));
        rising(chance, size, weeks)
    }),
    ("3 to 30 rising evenly over 1 to 8 weeks", |chance| {
        let (size, weeks) = (chance.random_range(3..31), chance.random_range(1..9));
        rising(chance, size, weeks)
    }),
];

/// One ward-week that was judged.
#[derive(Clone, Copy)]
struct Judged {
    score: f64,
    p_upper: f64,
    /// Weeks since the outbreak of the ward began, while it lasts.
    ill: Option<usize>,
    /// Neither ill nor just over it.
    quiet: bool,
}

fn main() {
    let control = Control::blocks(52.0);
    for (place, (name, shape)) in SHAPES.into_iter().enumerate() {
        let judged: Vec<Vec<Judged>> = (0..GROUPS)
            .into_par_iter()
            .flat_map_iter(|group| {
                let mut chance = ChaCha8Rng::seed_from_u64(100_000 * (place as u64 + 1) + group);
                judge_group(&mut chance, &LEVELS[group as usize % LEVELS.len()], shape, &control)
            })
            .collect();
        println!("{name}: {} wards", judged.len());
        let mut quiet: Vec<f64> =
            judged.iter().flatten().filter(|one| one.quiet).map(|one| one.score).collect();
        quiet.sort_by(|a, b| b.total_cmp(a));
        for share in [0.001, 0.01] {
            let limit = quiet[(share * quiet.len() as f64) as usize];
            let (seen, weeks) = told(&judged, |_, _, one| one.score > limit);
            println!("  at {:.1} % of quiet weeks: {seen:.3} seen, {weeks:.2} weeks", share * 100.0);
        }
        let found: Vec<Vec<bool>> = (0..JUDGED)
            .map(|week| discoveries(&judged.iter().map(|ward| ward[week].p_upper).collect::<Vec<_>>(), 0.1))
            .collect();
        let (seen, _) = told(&judged, |ward, week, _| found[week][ward]);
        let alarms = |wanted: fn(&Judged) -> bool| {
            let of = |ward: usize| {
                (0..JUDGED).filter(|&week| found[week][ward] && wanted(&judged[ward][week])).count()
            };
            (0..judged.len()).map(of).sum::<usize>() as f64
        };
        let (wrong, right) = (alarms(|one| one.quiet), alarms(|one| one.ill.is_some()));
        println!(
            "  Benjamini-Hochberg at 10 %: {seen:.3} seen, {:.3} of its alarms false",
            wrong / (wrong + right)
        );
    }
}

/// The share of outbreaks seen while they last, and the mean weeks until then with misses counted as their length.
fn told(judged: &[Vec<Judged>], alarm: impl Fn(usize, usize, &Judged) -> bool) -> (f64, f64) {
    let (mut outbreaks, mut seen, mut weeks) = (0.0, 0.0, 0.0);
    for (place, ward) in judged.iter().enumerate() {
        let ill: Vec<usize> = (0..JUDGED).filter(|&week| ward[week].ill.is_some()).collect();
        if ill.is_empty() {
            continue;
        }
        outbreaks += 1.0;
        let first = ill.iter().position(|&week| alarm(place, week, &ward[week]));
        seen += f64::from(u8::from(first.is_some()));
        weeks += first.unwrap_or(ill.len()) as f64;
    }
    (seen / outbreaks, weeks / outbreaks)
}

fn judge_group(
    chance: &mut ChaCha8Rng,
    level: &made::Level,
    shape: Shape,
    control: &Control,
) -> Vec<Vec<Judged>> {
    let mut counts = wards(chance, level);
    let first = WEEKS - JUDGED;
    let mut spells = vec![(usize::MAX, 0); WARDS];
    for (ward, spell) in counts.iter_mut().zip(&mut spells) {
        if chance.random_range(0..2) == 0 {
            continue;
        }
        let added = shape(chance);
        let start = chance.random_range(first..WEEKS - added.len());
        *spell = (start, added.len());
        for (week, more) in added.into_iter().enumerate() {
            ward[start + week] = ward[start + week].map(|count| count + more);
        }
    }
    let series: Vec<Series<'_>> = counts.iter().map(|counts| Series { counts, exposure: &[] }).collect();
    let mut judged = vec![Vec::new(); WARDS];
    for week in first..WEEKS {
        let Some(night) = judge(&series, week, control) else { continue };
        for ((ward, spell), verdict) in judged.iter_mut().zip(&spells).zip(night.verdicts) {
            let Some(verdict) = verdict else { continue };
            let since = week.checked_sub(spell.0);
            ward.push(Judged {
                score: verdict.score,
                p_upper: verdict.p_upper,
                ill: since.filter(|since| *since < spell.1),
                quiet: since.is_none_or(|since| since >= spell.1 + 3),
            });
        }
    }
    judged
}

/// Incidents of which each week has more than the one before, on average.
fn rising(chance: &mut ChaCha8Rng, size: u32, weeks: usize) -> Vec<u32> {
    let mut added = vec![0; weeks];
    for _ in 0..size {
        // The larger of two even draws rises evenly.
        added[chance.random_range(0..weeks).max(chance.random_range(0..weeks))] += 1;
    }
    // An outbreak begins with its first incident and ends with its last.
    let first = added.iter().position(|more| *more > 0).unwrap_or(0);
    added.drain(..first);
    added
}
