//! Continuous batching, means only: step time, prefill, the rate of a batch and the batch of a rate. Milliseconds inside.

use crate::domain::{DecodeStep, LlmModel, Slo};

/// A p95 prompt waits behind others: its prefill counts this often.
const PREFILL_QUEUE: f64 = 1.7;

/// Tokens of a request.
pub(super) struct TokenLoad {
    pub input_mean: f64,
    pub input_p95: f64,
    pub output_mean: f64,
}

impl TokenLoad {
    fn context(&self) -> f64 {
        self.input_mean + self.output_mean / 2.0
    }
}

/// `P(I) = gamma + delta I + zeta I^2`, I in tokens here.
fn prefill(model: &LlmModel, tokens: f64) -> f64 {
    let k = tokens / 1000.0;
    model.prefill_gamma_ms + model.prefill_delta_ms_per_ktok * k + model.prefill_zeta_ms_per_ktok2 * k * k
}

fn step(model: &LlmModel, batch: f64, context: f64) -> f64 {
    match &model.decode {
        DecodeStep::Affine { alpha_ms, beta_ms, eps_ms_per_ktok } => alpha_ms + (beta_ms + eps_ms_per_ktok * context / 1000.0) * batch,
        DecodeStep::Table { batch: batches, context_tokens, step_ms } => {
            let rows: Vec<f64> = step_ms.iter().map(|row| along(context_tokens, row, context)).collect();
            along(batches, &rows, batch)
        }
    }
}

/// Piecewise linear through (xs, ys): flat below the first, the last segment's slope above the last.
fn along(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let (Some(&first), Some(&last)) = (ys.first(), ys.last()) else { return f64::NAN };
    if xs.len() < 2 || ys.len() < 2 || x <= xs[0] {
        return if xs.len() < 2 { last } else { first };
    }
    let right = xs.iter().position(|&at| x <= at).unwrap_or(xs.len() - 1).min(ys.len() - 1);
    let left = right - 1;
    ys[left] + (ys[right] - ys[left]) * (x - xs[left]) / (xs[right] - xs[left])
}

/// Time per output token with `batch` running: a step, and the prefills of the others' successors.
fn token_time(model: &LlmModel, load: &TokenLoad, batch: f64) -> f64 {
    step(model, batch, load.context()) + (batch - 1.0) * prefill(model, load.input_mean) / load.output_mean
}

/// Requests a second of one replica with `batch` running.
fn rate(model: &LlmModel, load: &TokenLoad, batch: f64) -> f64 {
    batch / (prefill(model, load.input_mean) + load.output_mean * token_time(model, load, batch)) * 1000.0
}

fn largest_batch(model: &LlmModel, load: &TokenLoad) -> u32 {
    let held = (model.max_kv_tokens / load.context()).floor().max(0.0);
    model.max_batch.min(held as u32)
}

/// Largest rate of one replica within the latency limits; 0 when no batch meets them.
pub(super) fn fastest_within(model: &LlmModel, load: &TokenLoad, slo: &Slo) -> f64 {
    let first = PREFILL_QUEUE * prefill(model, load.input_p95);
    if slo.ttft.is_some_and(|limit| first > limit.0) {
        return 0.0;
    }
    let within = |batch: f64| {
        let token = token_time(model, load, batch);
        slo.tpot.is_none_or(|limit| token <= limit.0) && slo.latency.is_none_or(|limit| first + load.output_mean * token <= limit.0)
    };
    let batches = (1..=largest_batch(model, load)).map(f64::from);
    batches.filter(|&b| within(b)).map(|b| rate(model, load, b)).fold(0.0, f64::max)
}

/// Largest rate of one replica whatever the latency.
pub(super) fn saturation(model: &LlmModel, load: &TokenLoad) -> f64 {
    (1..=largest_batch(model, load)).map(|b| rate(model, load, f64::from(b))).fold(0.0, f64::max)
}

/// Running sequences at which one replica turns out `wanted` requests a second: the inverse of the rate, by bisection.
pub(super) fn batch_at(model: &LlmModel, load: &TokenLoad, wanted: f64) -> f64 {
    let (mut low, mut high) = (0.0, f64::from(largest_batch(model, load)));
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if rate(model, load, middle) < wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Millis;

    fn model() -> LlmModel {
        LlmModel {
            decode: DecodeStep::Affine { alpha_ms: 10.0, beta_ms: 0.5, eps_ms_per_ktok: 0.0 },
            prefill_gamma_ms: 10.0,
            prefill_delta_ms_per_ktok: 90.0,
            prefill_zeta_ms_per_ktok2: 0.0,
            max_batch: 64,
            max_kv_tokens: 1e6,
        }
    }

    fn load() -> TokenLoad {
        TokenLoad { input_mean: 1000.0, input_p95: 2000.0, output_mean: 100.0 }
    }

    #[test]
    fn rate_by_hand() {
        // P = 100; step(11) = 15.5; TPOT = 15.5 + 10 x 100/100 = 25.5; rate = 11/(100 + 2550) x 1000.
        let expected = 11.0 / 2650.0 * 1000.0;
        assert!((rate(&model(), &load(), 11.0) - expected).abs() < 1e-12);
        assert!((batch_at(&model(), &load(), expected) - 11.0).abs() < 1e-9);
    }

    #[test]
    fn limits_cut_the_batch() {
        let slo = Slo { attainment: 0.9, ttft: None, tpot: Some(Millis(25.5)), latency: None };
        assert!((fastest_within(&model(), &load(), &slo) - 11.0 / 2650.0 * 1000.0).abs() < 1e-12);
        let slow = Slo { attainment: 0.9, ttft: Some(Millis(322.0)), tpot: None, latency: None };
        // 1.7 x P(2000) = 1.7 x 190 = 323.
        assert!(fastest_within(&model(), &load(), &slow) < 1e-12);
    }

    #[test]
    fn table_is_flat_below_and_straight_above() {
        assert!((along(&[1.0, 3.0], &[10.0, 20.0], 0.0) - 10.0).abs() < 1e-12);
        assert!((along(&[1.0, 3.0], &[10.0, 20.0], 2.0) - 15.0).abs() < 1e-12);
        assert!((along(&[1.0, 3.0], &[10.0, 20.0], 5.0) - 30.0).abs() < 1e-12);
    }
}
