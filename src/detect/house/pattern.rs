//! What a group's series share: season, trend, level and steps of their summed counts.

use super::{Control, linear::Cholesky};

/// Newton steps of one fit at most.
const NEWTON: usize = 25;

/// The logarithm of the expected total, one row a block.
#[derive(Debug, Clone)]
pub(super) struct Design {
    columns: usize,
    rows: Vec<f64>,
    /// Prior precision of each coefficient; the first is the intercept's.
    precision: Vec<f64>,
    /// Columns that share a prior: trend, each harmonic, level.
    parts: Vec<(Part, std::ops::Range<usize>)>,
}

/// What of the pattern is drawn towards nothing, each by its own prior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Trend,
    Season,
    Level,
}

impl Design {
    /// Rows for blocks 0 to `blocks` - 1, of which the first `history` teach. `steps` are the first blocks of new regimes.
    pub fn new(control: &Control, blocks: usize, history: usize, steps: &[usize]) -> Self {
        let years = ((history as f64 / control.freq).ceil() as usize).min(15);
        let level = 2 + 2 * control.harmonics;
        let columns = level + years + steps.len();
        let mut rows = Vec::with_capacity(blocks * columns);
        for block in 0..blocks {
            let years_ago = (history as f64 - block as f64) / control.freq;
            rows.extend([1.0, -years_ago]);
            for harmonic in 1..=control.harmonics {
                let angle = std::f64::consts::TAU * harmonic as f64 * block as f64 / control.freq;
                rows.extend([angle.cos(), angle.sin()]);
            }
            rows.extend((0..years).map(|knot| (years_ago - knot as f64).clamp(0.0, 1.0)));
            rows.extend(steps.iter().map(|&step| if block < step { 1.0 } else { 0.0 }));
        }
        let mut precision = vec![1.0; columns];
        precision[0] = 0.25;
        precision[level + years..].fill(control.step_sd.powi(-2));
        let mut parts = vec![(Part::Trend, 1..2), (Part::Level, level..level + years)];
        parts.extend((1..=control.harmonics).map(|harmonic| (Part::Season, 2 * harmonic..2 * harmonic + 2)));
        let mut this = Self { columns, rows, precision, parts };
        for place in 0..this.parts.len() {
            this.set(place, control.sds(this.parts[place].0).first().copied().unwrap_or(0.1));
        }
        this
    }

    /// The row of a block.
    pub fn row(&self, block: usize) -> &[f64] {
        &self.rows[block * self.columns..(block + 1) * self.columns]
    }

    /// Which parts have a prior, by place.
    pub fn parts(&self) -> impl Iterator<Item = (usize, Part)> {
        self.parts.clone().into_iter().enumerate().map(|(place, part)| (place, part.0))
    }

    /// Gives a part another prior standard deviation.
    pub fn set(&mut self, place: usize, sd: f64) {
        if let Some((_, columns)) = self.parts.get(place) {
            self.precision[columns.clone()].fill(sd.max(1e-3).powi(-2));
        }
    }

    /// The prior variance of the level's wandering in a year.
    pub fn wandering(&self) -> f64 {
        let level = self.parts.iter().find(|part| part.0 == Part::Level).map_or(0, |part| part.1.start);
        self.precision.get(level).map_or(0.0, |precision| 1.0 / precision)
    }
}

/// Totals of a group: count and exposure (in which the series' own rates are) of each block that teaches.
#[derive(Debug)]
pub(super) struct Totals {
    pub count: Vec<f64>,
    pub exposure: Vec<f64>,
}

/// A penalised quasi-Poisson regression with log link.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub design: Design,
    coefficients: Vec<f64>,
    information: Cholesky,
    /// Laplace's approximation of the log marginal likelihood, up to what all designs share.
    pub evidence: f64,
    dispersion: f64,
}

impl Pattern {
    /// Fits by penalised quasi-likelihood: Newton's steps, halved where they overshoot. The log likelihood of totals Y with
    /// expectation N exp(x β) is divided by the dispersion (Wedderburn, Biometrika 1974, 61, 439-447), and coefficients
    /// have normal priors around nothing (the intercept: around the mean, standard deviation 2).
    pub fn fit(design: Design, totals: &Totals, dispersion: f64, start: Option<&[f64]>) -> Self {
        let columns = design.columns;
        let (y, n): (f64, f64) = (totals.count.iter().sum(), totals.exposure.iter().sum());
        let centre = ((y + 0.5) / (n + 1e-9)).ln().clamp(-25.0, 25.0);
        let mut beta = vec![0.0; columns];
        beta[0] = centre;
        if let Some(start) = start {
            let shared = start.len().min(columns);
            beta[..shared].copy_from_slice(&start[..shared]);
        }
        // Leaves behind what is expected of every block, which the derivatives ask for next.
        let mut means = vec![0.0; totals.count.len()];
        let objective = |beta: &[f64], means: &mut [f64]| {
            let mut sum = 0.0;
            let blocks = totals.count.iter().zip(&totals.exposure).zip(means);
            for (row, ((&y, &n), mean)) in design.rows.chunks_exact(columns).zip(blocks) {
                if n > 0.0 {
                    let eta = dot(row, beta).clamp(-40.0, 40.0);
                    *mean = n * eta.exp();
                    sum += y * eta - *mean;
                }
            }
            sum / dispersion - 0.5 * penalty(&design, beta, centre)
        };
        let mut value = objective(&beta, &mut means);
        let mut information = Cholesky::identity(columns);
        for _ in 0..NEWTON {
            let (gradient, hessian) = derivatives(&design, totals, dispersion, (&beta, &means), centre);
            information = Cholesky::new(hessian, columns);
            let step = information.solve(&gradient);
            let gain = dot(&step, &gradient);
            let mut size = 1.0;
            let mut next = beta.clone();
            let mut next_value = value;
            while size > 1e-3 {
                next = beta.iter().zip(&step).map(|(b, s)| b + size * s).collect();
                next_value = objective(&next, &mut means);
                if next_value >= value {
                    break;
                }
                size *= 0.5;
            }
            if next_value > value {
                beta = next;
                value = next_value;
            } else {
                break;
            }
            if gain < 1e-5 {
                break;
            }
        }
        let evidence = value + 0.5 * design.precision.iter().map(|p| p.ln()).sum::<f64>()
            - 0.5 * information.log_determinant();
        Self { design, coefficients: beta, information, evidence, dispersion }
    }

    /// Intercept, trend, harmonics, level, steps.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// Expected total of a block, per unit of exposure.
    pub fn level(&self, block: usize) -> f64 {
        dot(self.design.row(block), &self.coefficients).clamp(-40.0, 40.0).exp()
    }

    /// Variance of a linear form in the coefficients.
    pub fn variance(&self, form: &[f64]) -> f64 {
        dot(form, &self.information.solve(form)).max(0.0)
    }

    /// The most convincing step not yet in the design: its first block and the square of its score statistic
    /// (Rao's score test for one more column, profiled over every place; Andrews, Econometrica 1993, 61, 821-856).
    pub fn best_step(&self, totals: &Totals, segment: usize) -> Option<(usize, f64)> {
        let blocks = totals.count.len();
        let mut cross = vec![0.0; self.design.columns];
        let mut room = Vec::new();
        let (mut score, mut own) = (0.0, 0.0);
        let mut best: Option<(usize, f64)> = None;
        for block in 0..blocks.saturating_sub(segment) {
            let row = self.design.row(block);
            let mean = totals.exposure[block] * self.level(block);
            score += (totals.count[block] - mean) / self.dispersion;
            own += mean / self.dispersion;
            cross.iter_mut().zip(row).for_each(|(c, x)| *c += x * mean / self.dispersion);
            let step = block + 1;
            if step >= segment {
                let left = own - self.information.inverse_norm(&cross, &mut room);
                if left > 0.5 {
                    let squared = score * score / left;
                    if best.is_none_or(|(_, most)| squared > most) {
                        best = Some((step, squared));
                    }
                }
            }
        }
        best
    }
}

fn derivatives(
    design: &Design,
    totals: &Totals,
    dispersion: f64,
    (beta, means): (&[f64], &[f64]),
    centre: f64,
) -> (Vec<f64>, Vec<f64>) {
    let columns = design.columns;
    let mut gradient: Vec<f64> =
        (0..columns).map(|c| -design.precision[c] * (beta[c] - if c == 0 { centre } else { 0.0 })).collect();
    let mut hessian = vec![0.0; columns * columns];
    let blocks = totals.count.iter().zip(&totals.exposure).zip(means);
    for (row, ((&y, &n), &mean)) in design.rows.chunks_exact(columns).zip(blocks) {
        if n <= 0.0 {
            continue;
        }
        let mean = mean / dispersion;
        let residual = y / dispersion - mean;
        for (i, &x) in row.iter().enumerate() {
            if x != 0.0 {
                gradient[i] += x * residual;
                let xw = x * mean;
                for (h, &z) in hessian[i * columns..=i * columns + i].iter_mut().zip(row) {
                    *h += xw * z;
                }
            }
        }
    }
    for c in 0..columns {
        hessian[c * columns + c] += design.precision[c];
    }
    (gradient, hessian)
}

fn penalty(design: &Design, beta: &[f64], centre: f64) -> f64 {
    let intercept = design.precision[0] * (beta[0] - centre).powi(2);
    intercept + design.precision[1..].iter().zip(&beta[1..]).map(|(p, b)| p * b * b).sum::<f64>()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
