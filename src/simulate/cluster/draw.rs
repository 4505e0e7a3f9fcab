//! Spans of time from random streams, one stream a purpose and entity, so that what is drawn for one thing never moves another.

use super::types::Span;
use crate::simulate::random::Stream;

/// Standard normal quantile of 0.95: a lognormal's `ln(p95/p50)/sigma`.
const Z95: f64 = 1.644_853_626_951_472_2;

/// A span in seconds: lognormal by median and 95th percentile, or its median where those do not spread.
pub(super) fn span(stream: &mut Stream, span: Span) -> f64 {
    // Drawn in any case, so that a fixed stage does not shift the draws of the next.
    let normal = stream.normal();
    if span.p50_s <= 0.0 || span.p95_s <= span.p50_s {
        return span.p50_s.max(0.0);
    }
    span.p50_s * (normal * (span.p95_s / span.p50_s).ln() / Z95).exp()
}

/// Whole seconds, at least 0.
pub(super) fn seconds(value: f64) -> i64 {
    value.max(0.0).round() as i64
}
