//! Latency of a continuous-batching LLM replica: prefill, decode step, TPOT and rate as functions of the batch.
//!
//! `P(I) = gamma + delta I + zeta I^2`; `step(b) = alpha + (beta + eps c) b` or a measured grid;
//! `TPOT(b) = step(b) + (b - 1) P(I)/O`; `rate(b) = b / (P + O TPOT(b))`. The last term of TPOT is the interference of
//! other requests' prefills. Against 165 measured points of Llama-3.1-70B on vLLM the form errs by 9.9% (MAPE).

use crate::domain::{DecodeStep, LlmModel, TokenShape};

/// Milliseconds to prefill a prompt of `tokens`.
#[must_use]
pub fn prefill_ms(model: &LlmModel, tokens: f64) -> f64 {
    let ktok = tokens / 1000.0;
    model.prefill_gamma_ms + model.prefill_delta_ms_per_ktok * ktok + model.prefill_zeta_ms_per_ktok2 * ktok * ktok
}

/// Milliseconds of one decode step with `batch` sequences of mean context `context_tokens`.
#[must_use]
pub fn step_ms(model: &LlmModel, batch: f64, context_tokens: f64) -> f64 {
    match &model.decode {
        DecodeStep::Affine { alpha_ms, beta_ms, eps_ms_per_ktok } => {
            alpha_ms + (beta_ms + eps_ms_per_ktok * context_tokens / 1000.0) * batch
        }
        DecodeStep::Table { batch: batches, context_tokens: contexts, step_ms } => {
            let column: Vec<f64> = step_ms.iter().map(|row| interpolate(contexts, row, context_tokens)).collect();
            interpolate(batches, &column, batch)
        }
    }
}

/// Piecewise linear through `(xs, ys)`: flat below the first knot, the last segment's slope above the last.
fn interpolate(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let (Some(&first_x), Some(&first_y)) = (xs.first(), ys.first()) else { return 0.0 };
    if x <= first_x || xs.len() == 1 {
        return first_y;
    }
    let upper = xs.partition_point(|&knot| knot < x).clamp(1, xs.len() - 1);
    let (x0, x1, y0, y1) = (xs[upper - 1], xs[upper], ys[upper - 1], ys[upper]);
    y0 + (y1 - y0) * (x - x0) / (x1 - x0)
}

/// Mean context while decoding: the prompt and half of the answer.
#[must_use]
pub fn mean_context(tokens: &TokenShape) -> f64 {
    tokens.input_mean + tokens.output_mean / 2.0
}

/// Largest batch that the KV cache and the engine allow.
#[must_use]
pub fn max_batch(model: &LlmModel, tokens: &TokenShape) -> u32 {
    let by_memory = (model.max_kv_tokens / mean_context(tokens)).floor().max(0.0) as u32;
    by_memory.min(model.max_batch)
}

/// Mean time per output token at a batch, ms.
#[must_use]
pub fn tpot_ms(model: &LlmModel, tokens: &TokenShape, batch: f64) -> f64 {
    step_ms(model, batch, mean_context(tokens)) + (batch - 1.0) * prefill_ms(model, tokens.input_mean) / tokens.output_mean
}

/// Requests a second that a replica completes with `batch` requests running.
#[must_use]
pub fn rate(model: &LlmModel, tokens: &TokenShape, batch: f64) -> f64 {
    batch / (prefill_ms(model, tokens.input_mean) + tokens.output_mean * tpot_ms(model, tokens, batch)) * 1000.0
}

/// Requests running on a replica that is asked for `rps`: Little's law on the same curve, by bisection on the batch.
#[must_use]
pub fn in_flight(model: &LlmModel, tokens: &TokenShape, rps: f64) -> f64 {
    let (mut low, mut high) = (0.0, f64::from(max_batch(model, tokens).max(1)));
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if rate(model, tokens, middle.max(1e-9)) < rps { low = middle } else { high = middle }
    }
    high
}
