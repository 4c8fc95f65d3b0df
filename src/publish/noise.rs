//! The chance that a published count is changed by.
//!
//! The two-sided geometric mechanism: a whole number Z with P(Z = z) = (1 - a) / (1 + a) a^|z| is added, a = e^-1 (Ghosh,
//! Roughgarden and Sundararajan, "Universally utility-maximizing privacy mechanisms", SIAM J. Comput. 41(6), 2012,
//! definition 2.1). It is drawn from a key and from the very reports that are counted: the same reports give the same
//! number wherever and however often they are counted, and one report more gives an unrelated one, so that neither asking
//! again nor comparing two versions takes the chance away (the idea of the cell-key method of the census).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

/// a = e^-1: seeing one published count changes the odds that it holds one certain report by no more than e.
pub const ALPHA: f64 = 0.367_879_441_171_442_33;

/// The chance that a count is changed by exactly `by`.
#[must_use]
pub fn chance_of(by: i64) -> f64 {
    (1.0 - ALPHA) / (1.0 + ALPHA) * ALPHA.powi(i32::try_from(by.unsigned_abs()).unwrap_or(i32::MAX))
}

/// How likely each sum of `cells` such changes is, from minus to plus as many as matter. Worked out once for each: a county has
/// few sums, and that of all its districts over four weeks takes a while.
#[must_use]
pub fn chances(cells: usize) -> Arc<Chances> {
    static KNOWN: Mutex<BTreeMap<usize, Arc<Chances>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known().get(&cells) {
        return Arc::clone(found);
    }
    let made = Arc::new(summed(cells));
    Arc::clone(known().entry(cells).or_insert(made))
}

fn summed(cells: usize) -> Chances {
    // Beyond so many standard deviations there is nothing left that a page could show.
    let most = (12.0 * (VARIANCE * cells.max(1) as f64).sqrt()).ceil() as i64 + 12;
    let one: Vec<f64> = (-most..=most).map(chance_of).collect();
    let wide = one.len();
    let mut sum = one.clone();
    for _ in 1..cells {
        let mut next = vec![0.0; wide];
        for (a, p) in sum.iter().enumerate() {
            for (b, q) in one.iter().enumerate() {
                // Both indices stand for a change plus `most`.
                if let Some(cell) = (a + b).checked_sub(most as usize).and_then(|at| next.get_mut(at)) {
                    *cell += p * q;
                }
            }
        }
        sum = next;
    }
    Chances { most, chances: sum }
}

/// The distribution of a sum of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Chances {
    most: i64,
    chances: Vec<f64>,
}

impl Chances {
    /// Every change with its chance.
    pub fn each(&self) -> impl Iterator<Item = (i64, f64)> {
        (-self.most..).zip(self.chances.iter().copied())
    }

    /// The least d with P(|Z| <= d) of at least `share`.
    #[must_use]
    pub fn within(&self, share: f64) -> i64 {
        let inside = |d: i64| self.each().filter(|(z, _)| z.abs() <= d).map(|(_, p)| p).sum::<f64>();
        (0..=self.most).find(|d| inside(*d) >= share).unwrap_or(self.most)
    }
}

/// Var Z = 2 a / (1 - a)^2.
pub const VARIANCE: f64 = 2.0 * ALPHA / ((1.0 - ALPHA) * (1.0 - ALPHA));

/// The number that a cell is changed by. `members` in any order; the cell's name keeps different tables apart.
#[must_use]
pub fn draw(key: &str, cell: &str, members: &mut [Uuid]) -> i64 {
    members.sort_unstable();
    let mut block = [0; 64];
    block[..32].copy_from_slice(&Sha256::digest(key.as_bytes()));
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(b"published/");
    mac.update(cell.as_bytes());
    for member in members {
        mac.update(member.as_bytes());
    }
    let bytes = mac.finalize().into_bytes();
    let uniform = |part: &[u8]| {
        let whole = part.iter().take(8).fold(0_u64, |whole, byte| whole << 8 | u64::from(*byte));
        // Of 53 bits, never 0: the middle of its step.
        ((whole >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let geometric = |part: &[u8]| (uniform(part).ln() / ALPHA.ln()).floor() as i64;
    geometric(&bytes[..8]) - geometric(&bytes[8..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_distribution_that_is_promised() {
        let draws: Vec<i64> =
            (0..200_000_u128).map(|n| draw("key", "cell", &mut [Uuid::from_u128(n)])).collect();
        for by in -4..=4_i64 {
            let share = draws.iter().filter(|drawn| **drawn == by).count() as f64 / draws.len() as f64;
            let chance = chance_of(by);
            let error = (chance * (1.0 - chance) / draws.len() as f64).sqrt();
            assert!((share - chance).abs() < 4.0 * error, "{by}: {share} for {chance}");
        }
        let mean = draws.iter().sum::<i64>() as f64 / draws.len() as f64;
        assert!(mean.abs() < 0.02, "{mean}");
        assert!(
            (draws.iter().map(|z| (z * z) as f64).sum::<f64>() / draws.len() as f64 - VARIANCE).abs() < 0.05
        );
        assert!(((-60..=60).map(chance_of).sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn it_depends_on_the_reports_and_nothing_else() {
        let id = Uuid::from_u128;
        assert_eq!(draw("key", "A", &mut [id(1), id(2)]), draw("key", "A", &mut [id(2), id(1)]));
        let differ =
            |a: &dyn Fn(u128) -> i64, b: &dyn Fn(u128) -> i64| (0..200).filter(|n| a(*n) != b(*n)).count();
        let one = |n| draw("key", "A", &mut [id(n)]);
        assert!(differ(&one, &|n| draw("other", "A", &mut [id(n)])) > 80);
        assert!(differ(&one, &|n| draw("key", "B", &mut [id(n)])) > 80);
        assert!(differ(&one, &|n| draw("key", "A", &mut [id(n), id(n + 1)])) > 80);
        assert!(
            (0..200_u128).any(|n| draw("key", &format!("empty {n}"), &mut []) != 0),
            "none is changed too"
        );
    }

    #[test]
    fn so_far_off_at_most_mostly() {
        let inside = |d: i64| (-d..=d).map(chance_of).sum::<f64>();
        assert_eq!(chances(1).within(0.95), 3);
        assert!(inside(3) >= 0.95 && inside(2) < 0.95);
        for cells in [1, 4, 36] {
            let all = chances(cells);
            assert!((all.each().map(|(_, p)| p).sum::<f64>() - 1.0).abs() < 1e-9);
            let spread = all.each().map(|(z, p)| (z * z) as f64 * p).sum::<f64>();
            assert!((spread - VARIANCE * cells as f64).abs() < 1e-6, "{cells}: {spread}");
        }
        // Of 36 cells nearly the normal law: 1.96 sqrt(36 x 1.84) = 15.96.
        assert_eq!(chances(36).within(0.95), 16);
    }
}
