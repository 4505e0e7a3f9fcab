//! Token lengths of requests.

use crate::domain::TokenShape;
use crate::simulate::random::Stream;
use std::sync::Arc;

/// Standard normal 95th percentile.
const Z95: f64 = 1.644_853_626_951_472_7;

/// Coefficient of variation of answer lengths where only their mean is known. Between the Azure 2023 conversation trace
/// (0.77, 19,366 requests) and the histogram of ServeGen's large model (1.47); that of an exponential law.
pub const OUTPUT_CV: f64 = 1.0;

/// Longest prompt or answer that is drawn from a fitted law: the context window of the served models of the catalogue.
pub const LONGEST: u32 = 131_072;

/// Lognormal law of a length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogNormal {
    mu: f64,
    sigma: f64,
}

impl LogNormal {
    /// With this mean and coefficient of variation.
    #[must_use]
    pub fn of_mean_cv(mean: f64, cv: f64) -> Self {
        let variance = (cv * cv).ln_1p();
        Self { mu: mean.max(1e-9).ln() - variance / 2.0, sigma: variance.sqrt() }
    }

    /// With this mean and 95th percentile: `p95/mean = exp(z sigma - sigma^2/2)`, the smaller root. No lognormal has a
    /// ratio above `exp(z^2/2) = 3.87`; then the one that comes nearest. At or below 1: constant.
    #[must_use]
    pub fn of_mean_p95(mean: f64, p95: f64) -> Self {
        let ratio = (p95 / mean).ln();
        let sigma = if ratio > 0.0 { Z95 - (Z95 * Z95 - 2.0 * ratio).max(0.0).sqrt() } else { 0.0 };
        Self { mu: mean.max(1e-9).ln() - sigma * sigma / 2.0, sigma }
    }

    fn draw(&self, stream: &mut Stream) -> u32 {
        whole(if self.sigma > 0.0 { stream.lognormal(self.mu, self.sigma) } else { self.mu.exp() })
    }

    /// Tokens that this share of the lengths stay below; `share` in (0, 1).
    #[must_use]
    pub fn quantile(&self, share: f64) -> u32 {
        whole((self.mu + self.sigma * normal_quantile(share)).exp())
    }
}

/// Whole tokens: saturating, and never empty.
fn whole(tokens: f64) -> u32 {
    (tokens.round() as u32).clamp(1, LONGEST)
}

/// Quantile of the standard normal law: Acklam's rational approximation, off by at most 1.2e-9 of its value.
fn normal_quantile(share: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] =
        [-54.476_098_798_224_06, 161.585_836_858_040_9, -155.698_979_859_886_6, 66.801_311_887_719_72, -13.280_681_552_885_72];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416];
    /// Below this share, and as far from one, the tail's form holds.
    const TAIL: f64 = 0.02425;
    let polynomial = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |share: f64| {
        let q = (-2.0 * share.max(f64::MIN_POSITIVE).ln()).sqrt();
        polynomial(&C, q) / (polynomial(&D, q) * q + 1.0)
    };
    if share < TAIL {
        tail(share)
    } else if share > 1.0 - TAIL {
        -tail(1.0 - share)
    } else {
        let q = share - 0.5;
        let r = q * q;
        polynomial(&A, r) * q / (polynomial(&B, r) * r + 1.0)
    }
}

/// A histogram of lengths: uniform inside each bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    bins: Arc<[(u32, u32)]>,
    running_sums: Arc<[f64]>,
}

impl Histogram {
    /// From bins `(lowest, first above, weight)`; a bin without tokens or weight is left out.
    #[must_use]
    pub fn new(bins: &[(u32, u32, f64)]) -> Self {
        let used: Vec<_> = bins.iter().filter(|(low, high, weight)| *weight > 0.0 && low < high).collect();
        let running_sums = used.iter().scan(0.0, |sum, bin| {
            *sum += bin.2;
            Some(*sum)
        });
        Self { running_sums: running_sums.collect(), bins: used.iter().map(|bin| (bin.0, bin.1)).collect() }
    }

    fn draw(&self, stream: &mut Stream) -> u32 {
        let Some(&(low, high)) = self.bins.get(stream.weighted(&self.running_sums)) else { return 1 };
        (low + stream.below((high - low) as usize) as u32).max(1)
    }
}

/// Law of prompt and answer lengths.
#[derive(Clone, Debug, PartialEq)]
pub enum Lengths {
    /// No tokens: a request server.
    None,
    /// Independent lognormals.
    LogNormal {
        /// Prompt.
        input: LogNormal,
        /// Answer.
        output: LogNormal,
    },
    /// Independent histograms.
    Histograms {
        /// Prompt.
        input: Histogram,
        /// Answer.
        output: Histogram,
    },
    /// Pairs (prompt, answer) drawn with replacement from a trace: their correlation is kept.
    Pairs(Arc<[(u32, u32)]>),
}

impl Lengths {
    /// Lognormals that fit a scenario's token shape; answers with this coefficient of variation ([`OUTPUT_CV`]).
    #[must_use]
    pub fn fitted(shape: &TokenShape, output_cv: f64) -> Self {
        Self::LogNormal {
            input: LogNormal::of_mean_p95(shape.input_mean, shape.input_p95),
            output: LogNormal::of_mean_cv(shape.output_mean, output_cv),
        }
    }

    /// Prompt and answer of the next request.
    pub fn draw(&self, stream: &mut Stream) -> (u32, u32) {
        match self {
            Self::None => (0, 0),
            Self::LogNormal { input, output } => (input.draw(stream), output.draw(stream)),
            Self::Histograms { input, output } => (input.draw(stream), output.draw(stream)),
            Self::Pairs(pairs) => pairs.get(stream.below(pairs.len())).copied().unwrap_or((1, 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and 95th percentile of `draws`.
    fn summary(mut draws: Vec<u32>) -> (f64, f64) {
        draws.sort_unstable();
        let mean = draws.iter().map(|&d| f64::from(d)).sum::<f64>() / draws.len() as f64;
        (mean, f64::from(draws[draws.len() * 95 / 100]))
    }

    #[test]
    fn fitted_lengths_have_the_mean_and_p95_asked_for() {
        let mut stream = Stream::new(5, "lengths", "test");
        for (mean, p95) in [(780.0, 2400.0), (900.0, 2600.0), (2900.0, 7400.0), (500.0, 500.0)] {
            let shape = TokenShape { input_mean: mean, input_p95: p95, output_mean: 190.0 };
            let lengths = Lengths::fitted(&shape, OUTPUT_CV);
            let drawn: Vec<_> = (0..200_000).map(|_| lengths.draw(&mut stream)).collect();
            let (m, p) = summary(drawn.iter().map(|d| d.0).collect());
            // Sampling error of a lognormal mean with sigma 1 at 200,000 draws is 0.3%.
            assert!((m / mean - 1.0).abs() < 0.015 && (p / p95 - 1.0).abs() < 0.02, "{m} {p}");
            let (m, p) = summary(drawn.iter().map(|d| d.1).collect());
            // Lognormal with cv 1: sigma^2 = ln 2, p95/mean = exp(1.645 x 0.8326 - 0.3466) = 2.781.
            assert!((m / 190.0 - 1.0).abs() < 0.015 && (p / 190.0 / 2.781 - 1.0).abs() < 0.02, "{m} {p}");
        }
    }

    /// Against the tables: 0.84134 is one standard deviation, 0.95 and 0.995 are 1.6449 and 2.5758.
    #[test]
    fn quantiles_are_those_of_the_normal_law() {
        for (share, exact) in
            [(0.5, 0.0), (0.841_344_746_068_543, 1.0), (0.95, Z95), (0.995, 2.575_829_303_548_901), (1e-4, -3.719_016_485_455_68)]
        {
            assert!((normal_quantile(share) - exact).abs() < 1e-7, "{share}: {}", normal_quantile(share));
            assert!((normal_quantile(1.0 - share) + exact).abs() < 1e-7, "{share}");
        }
        assert_eq!(LogNormal::of_mean_p95(780.0, 2400.0).quantile(0.95), 2400);
    }

    #[test]
    fn a_p95_that_no_lognormal_has_keeps_the_mean() {
        let law = LogNormal::of_mean_p95(100.0, 1000.0);
        assert!((law.sigma - Z95).abs() < 1e-12 && (law.mu - (100.0_f64.ln() - Z95 * Z95 / 2.0)).abs() < 1e-12);
    }

    #[test]
    fn histograms_and_pairs_draw_what_they_hold() {
        let mut stream = Stream::new(5, "lengths", "test");
        let law = Histogram::new(&[(0, 10, 0.0), (10, 20, 3.0), (20, 20, 5.0), (100, 101, 1.0)]);
        let drawn: Vec<_> = (0..40_000).map(|_| law.draw(&mut stream)).collect();
        assert!(drawn.iter().all(|&d| (10..20).contains(&d) || d == 100));
        let share = drawn.iter().filter(|&&d| d == 100).count() as f64 / 40_000.0;
        assert!((share - 0.25).abs() < 0.011, "five standard errors: {share}");
        let pairs = Lengths::Pairs(Arc::from([(1, 2), (3, 4)]));
        assert!((0..100).all(|_| [(1, 2), (3, 4)].contains(&pairs.draw(&mut stream))));
        assert_eq!(Lengths::Pairs(Arc::from([])).draw(&mut stream), (1, 1));
    }
}
