//! Log-linear Poisson regression by iteratively reweighted least squares.
//!
//! It takes the steps of R's `glm.fit` (start, floor of the mean, stopping rule, halving of a step that overflows), so
//! that it also *stops* where R stops: on sparse counts the estimate lies at minus infinity, and the figures are those
//! of the last iteration. Source of the method: Nelder and Wedderburn, Generalized linear models, JRSS A 1972,
//! 135, 370-384.

/// The columns of a regression: how to solve one weighted least squares problem on them.
pub(super) trait Design {
    /// Fits `working` with `weights`; `None` when the columns cannot be told apart.
    fn solve(&mut self, weights: &[f64], working: &[f64]) -> Option<()>;
    /// Writes the linear predictor of the present coefficients.
    fn predict(&self, eta: &mut [f64]);
    /// Goes half the way back to the coefficients of the solve before; `None` at the first.
    fn step_back(&mut self) -> Option<()>;
}

/// How an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The deviance settled.
    Converged,
    /// It did not in [`MOST_ITERATIONS`]; the figures are those of the last iteration.
    Running,
    /// No figures at all.
    Failed,
}

const MOST_ITERATIONS: usize = 25;
const SETTLED: f64 = 1e-8;

/// Counts with everything an iteration writes, kept from fit to fit so that none allocates.
#[derive(Debug, Default)]
pub(super) struct Irls {
    /// Observed counts.
    pub(super) y: Vec<f64>,
    /// Prior weights.
    pub(super) prior: Vec<f64>,
    /// Fitted means, at least the machine epsilon, as in R.
    pub(super) mu: Vec<f64>,
    /// Working weights of the last solve, so from the mean *before* the last update.
    pub(super) weights: Vec<f64>,
    log_y: Vec<f64>,
    eta: Vec<f64>,
    working: Vec<f64>,
}

impl Irls {
    /// Takes the counts of the next fits, all with prior weight 1.
    pub(super) fn load(&mut self, counts: impl Iterator<Item = f64>) {
        self.y.clear();
        self.y.extend(counts);
        self.log_y.clear();
        self.log_y.extend(self.y.iter().map(|y| y.ln()));
        let n = self.y.len();
        for buffer in [&mut self.mu, &mut self.weights, &mut self.eta, &mut self.working] {
            buffer.resize(n, 0.0);
        }
        self.level_prior();
    }

    /// Sets all prior weights to 1.
    pub(super) fn level_prior(&mut self) {
        self.prior.clear();
        self.prior.resize(self.y.len(), 1.0);
    }

    /// Fits from the usual start, mean = count + 0.1.
    pub(super) fn fit(&mut self, design: &mut impl Design) -> End {
        for ((mu, eta), y) in self.mu.iter_mut().zip(&mut self.eta).zip(&self.y) {
            *mu = y + 0.1;
            *eta = mu.ln();
        }
        let mut before = self.deviance();
        for _ in 0..MOST_ITERATIONS {
            self.linearise();
            if design.solve(&self.weights, &self.working).is_none() {
                return End::Failed;
            }
            let Some(deviance) = self.settle(design) else { return End::Failed };
            if (deviance - before).abs() / (deviance.abs() + 0.1) < SETTLED {
                return End::Converged;
            }
            before = deviance;
        }
        End::Running
    }

    /// Working response and weights at the present mean.
    fn linearise(&mut self) {
        let means = self.mu.iter().zip(&self.eta).zip(&self.y).zip(&self.prior);
        for ((weight, working), (((mu, eta), y), prior)) in
            self.weights.iter_mut().zip(&mut self.working).zip(means)
        {
            *weight = prior * mu;
            *working = eta + (y - mu) / mu;
        }
    }

    /// Mean and deviance of the present coefficients, halving the step while they overflow.
    fn settle(&mut self, design: &mut impl Design) -> Option<f64> {
        for _ in 0..=MOST_ITERATIONS {
            design.predict(&mut self.eta);
            for (mu, eta) in self.mu.iter_mut().zip(&self.eta) {
                *mu = eta.exp().max(f64::EPSILON);
            }
            let deviance = self.deviance();
            // A NaN predictor gives the mean epsilon (`max` ignores it), so it is asked for apart.
            if deviance.is_finite() && self.eta.iter().all(|eta| eta.is_finite()) {
                return Some(deviance);
            }
            design.step_back()?;
        }
        None
    }

    /// Poisson deviance: 2 sum of prior (y log(y / mu) - (y - mu)).
    fn deviance(&self) -> f64 {
        let floor = f64::EPSILON.ln();
        let mut sum = 0.0;
        for ((((y, log_y), mu), eta), prior) in
            self.y.iter().zip(&self.log_y).zip(&self.mu).zip(&self.eta).zip(&self.prior)
        {
            let log_part = if *y > 0.0 { y * (log_y - eta.max(floor)) } else { 0.0 };
            sum += prior * (log_part - (y - mu));
        }
        2.0 * sum
    }
}
