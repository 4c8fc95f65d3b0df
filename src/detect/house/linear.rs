//! Symmetric positive systems.

/// A Cholesky factor, lower triangle by rows.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// The factor of the identity.
    pub fn identity(size: usize) -> Self {
        let mut lower = vec![0.0; size * size];
        (0..size).for_each(|i| lower[i * size + i] = 1.0);
        Self { size, lower }
    }

    /// Factors a matrix of which the lower triangle is given. A pivot lost to rounding is replaced by a small one, which
    /// shortens a step along a direction the data and the prior say nothing about.
    pub fn new(mut matrix: Vec<f64>, size: usize) -> Self {
        for i in 0..size {
            for j in 0..=i {
                let (upper, lower) = matrix.split_at(i * size);
                let row = &lower[..size];
                let other = if i == j { row } else { &upper[j * size..(j + 1) * size] };
                let sum = row[j] - row[..j].iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
                let floor = row[i].abs() * 1e-12 + 1e-300;
                matrix[i * size + j] =
                    if i == j { sum.max(floor).sqrt() } else { sum / matrix[j * size + j] };
            }
        }
        Self { size, lower: matrix }
    }

    /// Solves for a right-hand side.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.size;
        let mut x = right.to_vec();
        for i in 0..n {
            let sum: f64 = self.lower[i * n..i * n + i].iter().zip(&x).map(|(a, b)| a * b).sum();
            x[i] = (x[i] - sum) / self.lower[i * n + i];
        }
        for i in (0..n).rev() {
            x[i] /= self.lower[i * n + i];
            let value = x[i];
            let row = &self.lower[i * n..i * n + i];
            x.iter_mut().zip(row).for_each(|(x, lower)| *x -= lower * value);
        }
        x
    }

    /// A form through the inverse: x' A⁻¹ x, the square of the length of L⁻¹ x. `room` is what it works in.
    pub fn inverse_norm(&self, x: &[f64], room: &mut Vec<f64>) -> f64 {
        let n = self.size;
        room.clear();
        let mut norm = 0.0;
        for (i, x) in x.iter().enumerate().take(n) {
            let row = &self.lower[i * n..=i * n + i];
            let sum: f64 = row.iter().zip(room.iter()).map(|(a, b)| a * b).sum();
            let own = (x - sum) / row[i];
            norm += own * own;
            room.push(own);
        }
        norm
    }

    /// Logarithm of the matrix's determinant.
    pub fn log_determinant(&self) -> f64 {
        (0..self.size).map(|i| 2.0 * self.lower[i * self.size + i].ln()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_system_is_solved() {
        // [4 2; 2 3] x = [10; 8] has x = [1.75; 1.5]; the determinant is 8.
        let factor = Cholesky::new(vec![4.0, 0.0, 2.0, 3.0], 2);
        let x = factor.solve(&[10.0, 8.0]);
        assert!((x[0] - 1.75).abs() < 1e-12 && (x[1] - 1.5).abs() < 1e-12);
        // [10 8] x = 17.5 + 12
        assert!((factor.inverse_norm(&[10.0, 8.0], &mut Vec::new()) - 29.5).abs() < 1e-12);
        assert!((factor.log_determinant() - 8.0_f64.ln()).abs() < 1e-12);
    }
}
