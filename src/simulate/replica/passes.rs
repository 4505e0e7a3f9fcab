//! Duration of the forward passes of an LLM engine, and of runs of equal passes in closed form.
//!
//! While the same n sequences decode, each pass adds one token to each, so the mean context c grows by 1 a pass. For the
//! affine model a pass takes `alpha + beta n + eps n c`; for a measured grid it is, at a fixed n, piecewise linear in c.
//! Both are a line `a + b c` up to some context, and k passes from c on take `k (a + b c) + b k (k - 1) / 2`: exact, also
//! for grids, as long as a run ends where the line does.

use crate::domain::{DecodeStep, LlmModel};

/// Pass time as a function of the mean context, at a fixed number of sequences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    at_zero_s: f64,
    slope_s: f64,
    /// Mean context in tokens up to which the line holds.
    until: f64,
}

impl Line {
    /// Time of the pass at a mean context, s.
    #[must_use]
    pub fn pass_s(&self, context: f64) -> f64 {
        self.at_zero_s + self.slope_s * context
    }

    /// Time of `passes` passes, the first at a mean context, s.
    #[must_use]
    pub fn run_s(&self, context: f64, passes: u64) -> f64 {
        let k = passes as f64;
        k * (self.pass_s(context) + self.slope_s * 0.5 * (k - 1.0))
    }

    /// Passes from a mean context on for which the line holds; at least 1.
    #[must_use]
    pub fn holds_for(&self, context: f64) -> u64 {
        // Saturating for an infinite end.
        ((self.until - context).max(0.0) as u64).saturating_add(1)
    }

    /// Fewest passes, at most `most`, that together take at least `span_s`.
    #[must_use]
    pub fn passes_for(&self, context: f64, span_s: f64, most: u64) -> u64 {
        if span_s >= self.run_s(context, most) {
            return most;
        }
        let half = self.slope_s * 0.5;
        let first = self.pass_s(context) - half;
        let root = (first * first + 4.0 * half * span_s).max(0.0).sqrt();
        let guess = 2.0 * span_s / (first + root);
        // Rounding can put the guess on either side of a whole number.
        let mut passes = (guess.ceil() as u64).clamp(1, most.max(1));
        while passes > 1 && self.run_s(context, passes - 1) >= span_s {
            passes -= 1;
        }
        while passes < most && self.run_s(context, passes) < span_s {
            passes += 1;
        }
        passes
    }
}

/// Pass times of one operating point, in seconds and tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct PassTimes {
    decode: Decode,
    gamma_s: f64,
    delta_s_per_token: f64,
    zeta_s_per_token2: f64,
}

#[derive(Clone, Debug, PartialEq)]
enum Decode {
    Affine {
        alpha_s: f64,
        beta_s: f64,
        eps_s_per_token: f64,
    },
    /// `segments` lines for each number of sequences from 1 on.
    Grid {
        segments: usize,
        lines: Vec<Line>,
    },
}

impl PassTimes {
    /// Those of a latency model.
    #[must_use]
    pub fn new(model: &LlmModel) -> Self {
        let decode = match &model.decode {
            DecodeStep::Affine { alpha_ms, beta_ms, eps_ms_per_ktok } => {
                Decode::Affine { alpha_s: alpha_ms * 1e-3, beta_s: beta_ms * 1e-3, eps_s_per_token: eps_ms_per_ktok * 1e-6 }
            }
            DecodeStep::Table { batch, context_tokens, step_ms } => {
                let rows: Vec<Vec<f64>> = (1..=model.max_batch).map(|n| row(batch, step_ms, f64::from(n))).collect();
                let lines: Vec<Line> = rows.iter().flat_map(|row| lines(context_tokens, row)).collect();
                Decode::Grid { segments: context_tokens.len().max(1), lines }
            }
        };
        Self {
            decode,
            gamma_s: model.prefill_gamma_ms * 1e-3,
            delta_s_per_token: model.prefill_delta_ms_per_ktok * 1e-6,
            zeta_s_per_token2: model.prefill_zeta_ms_per_ktok2 * 1e-9,
        }
    }

    /// The line that holds for `sequences` (at least 1) decoding sequences at a mean context.
    #[must_use]
    pub fn line(&self, sequences: usize, context: f64) -> Line {
        match &self.decode {
            Decode::Affine { alpha_s, beta_s, eps_s_per_token } => {
                let n = sequences as f64;
                Line { at_zero_s: alpha_s + beta_s * n, slope_s: eps_s_per_token * n, until: f64::INFINITY }
            }
            Decode::Grid { segments, lines } => {
                let start = (sequences.max(1) - 1) * segments;
                let all = lines.get(start..start + segments).unwrap_or(&[]);
                let found = all.iter().find(|line| context <= line.until).or(all.last());
                found.copied().unwrap_or(Line { at_zero_s: self.gamma_s, slope_s: 0.0, until: f64::INFINITY })
            }
        }
    }

    /// Fixed time of a pass in which nothing decodes, s.
    #[must_use]
    pub fn prefill_only_s(&self) -> f64 {
        self.gamma_s
    }

    /// Time that the prompt's tokens from `done` on add to a pass, `take` of them, s.
    #[must_use]
    pub fn chunk_s(&self, done: u32, take: u32) -> f64 {
        let (from, to) = (f64::from(done), f64::from(done) + f64::from(take));
        self.delta_s_per_token * (to - from) + self.zeta_s_per_token2 * (to * to - from * from)
    }
}

/// The grid's row at a batch size: flat below the first, the last segment's slope above the last.
fn row(batches: &[f64], step_ms: &[Vec<f64>], n: f64) -> Vec<f64> {
    let upper = batches.partition_point(|&knot| knot < n).clamp(1, batches.len().max(2) - 1);
    let (Some(first), Some(last)) = (step_ms.first(), step_ms.get(upper)) else {
        return step_ms.first().cloned().unwrap_or_default();
    };
    let below = &step_ms[upper - 1];
    let share = (n - batches[upper - 1]) / (batches[upper] - batches[upper - 1]);
    if n <= batches[0] {
        return first.clone();
    }
    below.iter().zip(last).map(|(low, high)| low + (high - low) * share).collect()
}

/// Lines through a row of step times: flat up to the first context, then one a segment, the last without end.
fn lines(contexts: &[f64], row_ms: &[f64]) -> Vec<Line> {
    let flat = Line { at_zero_s: row_ms.first().map_or(0.0, |ms| ms * 1e-3), slope_s: 0.0, until: f64::INFINITY };
    let segments = contexts.windows(2).zip(row_ms.windows(2)).map(|(x, y)| {
        let slope = (y[1] - y[0]) / (x[1] - x[0]);
        Line { at_zero_s: (y[0] - slope * x[0]) * 1e-3, slope_s: slope * 1e-3, until: x[1] }
    });
    let mut all: Vec<Line> = std::iter::once(Line { until: contexts.first().copied().unwrap_or(0.0), ..flat }).chain(segments).collect();
    if let Some(last) = all.last_mut() {
        last.until = f64::INFINITY;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(decode: DecodeStep) -> LlmModel {
        LlmModel {
            decode,
            prefill_gamma_ms: 8.0,
            prefill_delta_ms_per_ktok: 50.0,
            prefill_zeta_ms_per_ktok2: 2.0,
            max_batch: 64,
            max_kv_tokens: 1e5,
        }
    }

    fn grid() -> DecodeStep {
        DecodeStep::Table {
            batch: vec![1.0, 4.0, 16.0],
            context_tokens: vec![256.0, 1024.0, 4096.0],
            step_ms: vec![vec![6.0, 6.5, 7.5], vec![12.0, 13.5, 15.0], vec![20.0, 22.0, 30.0]],
        }
    }

    #[test]
    fn a_pass_costs_what_the_model_says() {
        let affine = PassTimes::new(&model(DecodeStep::Affine { alpha_ms: 11.0, beta_ms: 0.5, eps_ms_per_ktok: 0.1 }));
        // 11 + (0.5 + 0.1 x 2) x 10 = 18 ms.
        assert!((affine.line(10, 2000.0).pass_s(2000.0) - 0.018).abs() < 1e-15);
        // Tokens 1,000 to 3,000: 50 x 2 + 2 x (9 - 1) = 116 ms; whole or in pieces.
        assert!((affine.chunk_s(1000, 2000) - 0.116).abs() < 1e-15);
        assert!((affine.chunk_s(1000, 500) + affine.chunk_s(1500, 1500) - 0.116).abs() < 1e-15);
    }

    /// Corners, centres and outsides of the grid, by hand.
    #[test]
    fn a_grid_is_bilinear_flat_below_and_extrapolated_above() {
        let times = PassTimes::new(&model(grid()));
        let at = |n: usize, c: f64| times.line(n, c).pass_s(c) * 1e3;
        for (n, context, expected) in [
            (1, 100.0, 6.0),
            (1, 256.0, 6.0),
            (1, 640.0, 6.25),
            (4, 4096.0, 15.0),
            (10, 1024.0, 17.75),
            (16, 7168.0, 38.0),
            (28, 1024.0, 30.5),
        ] {
            assert!((at(n, context) - expected).abs() < 1e-9, "{n} {context}: {}", at(n, context));
        }
    }

    #[test]
    fn runs_are_the_sum_of_their_passes() {
        for decode in [grid(), DecodeStep::Affine { alpha_ms: 11.0, beta_ms: 0.5, eps_ms_per_ktok: 0.1 }] {
            let times = PassTimes::new(&model(decode));
            for (n, context) in [(1, 100.0), (7, 250.5), (7, 1000.0), (20, 5000.25)] {
                let line = times.line(n, context);
                let most = line.holds_for(context).min(500);
                let mut sum = 0.0;
                for k in 0..most {
                    let c = context + k as f64;
                    sum += times.line(n, c).pass_s(c);
                    assert!((line.run_s(context, k + 1) - sum).abs() < 1e-12 * sum.max(1.0), "{n} {context} {k}");
                    let span = sum - line.pass_s(c) * 0.5;
                    assert_eq!(line.passes_for(context, span, most), k + 1);
                }
            }
        }
    }
}
