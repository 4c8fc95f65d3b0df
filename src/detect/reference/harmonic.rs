//! The design of the CUSUM mean: intercept and one annual wave.

use std::f64::consts::TAU;

use super::glm::Design;

const COLUMNS: usize = 3;
type Row = [f64; COLUMNS];

/// log m(t) = a + c cos(2 pi t / freq) + s sin(2 pi t / freq), t in periods.
#[derive(Debug)]
pub(super) struct Harmonic {
    rows: Vec<Row>,
    freq: f64,
    coefficients: Row,
    before: Option<Row>,
}

impl Harmonic {
    /// A wave of `freq` periods, to be fitted at these times.
    pub(super) fn new(times: impl Iterator<Item = usize>, freq: u32) -> Self {
        let freq = f64::from(freq);
        let rows = times.map(|time| row(time, freq)).collect();
        Self { rows, freq, coefficients: [0.0; COLUMNS], before: None }
    }

    /// Fitted log mean at a time.
    pub(super) fn at(&self, time: usize) -> f64 {
        dot(&row(time, self.freq), &self.coefficients)
    }
}

fn row(time: usize, freq: f64) -> Row {
    let angle = TAU * time as f64 / freq;
    [1.0, angle.cos(), angle.sin()]
}

fn dot(a: &Row, b: &Row) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Design for Harmonic {
    fn solve(&mut self, weights: &[f64], working: &[f64]) -> Option<()> {
        let mut normal = [[0.0; COLUMNS]; COLUMNS];
        let mut right = [0.0; COLUMNS];
        for ((row, weight), value) in self.rows.iter().zip(weights).zip(working) {
            for ((line, right), x) in normal.iter_mut().zip(&mut right).zip(row) {
                let weighted = weight * x;
                *right += weighted * value;
                line.iter_mut().zip(row).for_each(|(cell, x)| *cell += weighted * x);
            }
        }
        self.before = Some(std::mem::replace(&mut self.coefficients, solve_symmetric(normal, right)?));
        Some(())
    }

    fn predict(&self, eta: &mut [f64]) {
        for (eta, row) in eta.iter_mut().zip(&self.rows) {
            *eta = dot(row, &self.coefficients);
        }
    }

    fn step_back(&mut self) -> Option<()> {
        let before = self.before?;
        for (now, before) in self.coefficients.iter_mut().zip(before) {
            *now = f64::midpoint(*now, before);
        }
        Some(())
    }
}

/// Solves a symmetric positive system by elimination. A column that the ones before explain to 11 digits gets the
/// coefficient 0, as R leaves it out.
fn solve_symmetric(mut matrix: [Row; COLUMNS], mut right: Row) -> Option<Row> {
    const SAME: f64 = 1e-11;
    let diagonal: Row = std::array::from_fn(|i| matrix[i][i]);
    let mut kept = [false; COLUMNS];
    for i in 0..COLUMNS {
        if !matrix[i][i].is_finite() {
            return None;
        }
        kept[i] = matrix[i][i] > SAME * diagonal[i];
        if !kept[i] {
            continue;
        }
        let (line, value) = (matrix[i], right[i]);
        for j in i + 1..COLUMNS {
            let factor = matrix[j][i] / line[i];
            matrix[j].iter_mut().zip(line).for_each(|(cell, above)| *cell -= factor * above);
            right[j] -= factor * value;
        }
    }
    let mut solution = [0.0; COLUMNS];
    for i in (0..COLUMNS).rev().filter(|i| kept[*i]) {
        let known: f64 = (i + 1..COLUMNS).map(|j| matrix[i][j] * solution[j]).sum();
        solution[i] = (right[i] - known) / matrix[i][i];
    }
    solution.iter().all(|c| c.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::super::glm::{End, Irls};
    use super::*;

    #[test]
    fn a_wave_is_found_again() {
        let mean = |t: usize| {
            (1.5 + 0.6 * (TAU * t as f64 / 52.0).cos() - 0.3 * (TAU * t as f64 / 52.0).sin()).exp()
        };
        let mut design = Harmonic::new(0..104, 52);
        let mut irls = Irls::default();
        irls.load((0..104).map(mean));
        assert_eq!(irls.fit(&mut design), End::Converged);
        for t in [0, 40, 110] {
            assert!((design.at(t).exp() / mean(t) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn columns_that_say_the_same_are_left_out() {
        // One period a year: the wave is the intercept again.
        let mut design = Harmonic::new(0..10, 1);
        let mut irls = Irls::default();
        irls.load(std::iter::repeat_n(4.0, 10));
        assert_eq!(irls.fit(&mut design), End::Converged);
        assert!((design.at(3) - 4.0_f64.ln()).abs() < 1e-9);
    }
}
