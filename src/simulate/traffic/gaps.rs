//! Gaps between requests with mean 1: a renewal process in operational time.
//!
//! Gamma and Weibull gaps with a given squared coefficient of variation; cv2 = 1 is a Poisson stream. Over long windows the index of dispersion of a renewal process is
//! its cv2, so the one stands for the other.

use crate::simulate::random::Stream;
use rand_distr::Gamma;

/// Family of gap distributions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GapShape {
    /// Gamma.
    #[default]
    Gamma,
    /// Weibull: for the same cv2 a longer tail.
    Weibull,
}

/// A distribution of gaps with mean 1, and the rest of a gap seen at a random moment.
#[derive(Clone, Copy, Debug)]
pub enum Gaps {
    /// Evenly spaced.
    Constant,
    /// Poisson.
    Exponential,
    /// Gamma, and its length-biased form (shape + 1).
    Gamma {
        /// Of a gap.
        gap: Gamma<f64>,
        /// Of the gap that covers a random moment.
        covering: Gamma<f64>,
    },
    /// Weibull by its inverse shape and scale; the length-biased form is a Gamma variate to the power `inverse`.
    Weibull {
        /// 1 / shape.
        inverse: f64,
        /// Scale.
        scale: f64,
        /// Shape 1 / shape + 1, scale 1.
        covering: Gamma<f64>,
    },
}

impl Gaps {
    /// Gaps with mean 1 and this squared coefficient of variation.
    #[must_use]
    pub fn new(shape: GapShape, cv2: f64) -> Self {
        if cv2 < 1e-6 {
            return Self::Constant;
        }
        if (cv2 - 1.0).abs() < 1e-9 {
            return Self::Exponential;
        }
        let fitted = match shape {
            GapShape::Gamma => {
                Gamma::new(1.0 / cv2, cv2).and_then(|gap| Gamma::new(1.0 / cv2 + 1.0, cv2).map(|covering| Self::Gamma { gap, covering }))
            }
            GapShape::Weibull => {
                let inverse = weibull_inverse_shape(cv2);
                let scale = (-ln_gamma(1.0 + inverse)).exp();
                Gamma::new(inverse + 1.0, 1.0).map(|covering| Self::Weibull { inverse, scale, covering })
            }
        };
        // Only a cv2 that is not a finite positive number gets here.
        fitted.unwrap_or(Self::Exponential)
    }

    /// The next gap.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Exponential => stream.exponential(),
            Self::Gamma { gap, covering: _ } => stream.sample(gap),
            Self::Weibull { inverse, scale, covering: _ } => scale * stream.exponential().powf(*inverse),
        }
    }

    /// What is left of the gap that covers a random moment: the covering gap times a uniform number.
    pub fn draw_rest(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Constant => stream.uniform(),
            Self::Exponential => stream.exponential(),
            Self::Gamma { gap: _, covering } => stream.sample(covering) * stream.uniform(),
            Self::Weibull { inverse, scale, covering } => scale * stream.sample(covering).powf(*inverse) * stream.uniform(),
        }
    }
}

/// Solves `Gamma(1 + 2x) / Gamma(1 + x)^2 - 1 = cv2` for `x = 1 / shape` by bisection; the left side grows with x.
fn weibull_inverse_shape(cv2: f64) -> f64 {
    let (mut low, mut high) = (1e-3, 20.0);
    for _ in 0..80 {
        let x = f64::midpoint(low, high);
        let reached = (ln_gamma(1.0 + 2.0 * x) - 2.0 * ln_gamma(1.0 + x)).exp() - 1.0;
        if reached < cv2 { low = x } else { high = x }
    }
    high
}

/// Logarithm of the Gamma function for x >= 1: Lanczos' approximation (g = 7, nine terms), good to 1e-14.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum = TERMS.iter().zip(1..).fold(0.999_999_999_999_809_9, |sum, (term, k)| sum + term / (x + f64::from(k)));
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_gamma_knows_factorials() {
        for (x, factorial) in [(1.0, 1.0_f64), (2.0, 1.0), (5.0, 24.0), (11.0, 3_628_800.0)] {
            assert!((ln_gamma(x) - factorial.ln()).abs() < 1e-12, "{x}");
        }
        assert!((ln_gamma(1.5) - (std::f64::consts::PI.sqrt() / 2.0).ln()).abs() < 1e-12);
    }

    /// Mean 1, the cv2 asked for, and a rest of mean (1 + cv2)/2, as renewal theory has it. Tolerances are six standard
    /// errors for the heaviest case.
    #[test]
    fn gaps_have_mean_one_and_the_spread_asked_for() {
        for shape in [GapShape::Gamma, GapShape::Weibull] {
            for cv2 in [0.0, 0.25, 1.0, 4.0] {
                let (gaps, mut stream, n) = (Gaps::new(shape, cv2), Stream::new(3, "gaps", "test"), 400_000);
                let (mut sum, mut squares, mut rest) = (0.0, 0.0, 0.0);
                for _ in 0..n {
                    let gap = gaps.draw(&mut stream);
                    sum += gap;
                    squares += gap * gap;
                    rest += gaps.draw_rest(&mut stream);
                }
                let (mean, n) = (sum / f64::from(n), f64::from(n));
                assert!((mean - 1.0).abs() < 0.02, "{shape:?} {cv2}: mean {mean}");
                let spread = squares / n - mean * mean;
                assert!((spread - cv2).abs() < 0.05 * cv2 + 1e-9, "{shape:?} {cv2}: {spread}");
                assert!((rest / n / f64::midpoint(1.0, cv2) - 1.0).abs() < 0.04, "{shape:?} {cv2}: rest {}", rest / n);
            }
        }
    }
}
