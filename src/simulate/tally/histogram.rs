//! Histogram of spans in logarithmic buckets, with weights.
//!
//! 256 buckets an octave from 15 microseconds to 18 hours: a quantile is off by at most 0.4% of its value. The bucket is
//! read off the bits of the number, so that it is the same on every machine.

const BITS: u32 = 8;
const LOWEST_EXPONENT: u64 = 1023 - 16;
const OCTAVES: usize = 32;
const BUCKETS: usize = OCTAVES << BITS;

/// Weighted counts of spans in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanHistogram {
    counts: Vec<f64>,
    total: f64,
    sum_s: f64,
}

impl Default for SpanHistogram {
    fn default() -> Self {
        Self { counts: vec![0.0; BUCKETS], total: 0.0, sum_s: 0.0 }
    }
}

impl SpanHistogram {
    /// Adds a span.
    pub fn add(&mut self, span_s: f64, weight: f64) {
        if let Some(count) = self.counts.get_mut(bucket(span_s)) {
            *count += weight;
        }
        self.total += weight;
        self.sum_s += span_s * weight;
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        let Self { counts, total, sum_s } = other;
        for (mine, count) in self.counts.iter_mut().zip(counts) {
            *mine += count;
        }
        self.total += total;
        self.sum_s += sum_s;
    }

    /// Weight of everything added.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Mean, s; not from the buckets.
    #[must_use]
    pub fn mean_s(&self) -> Option<f64> {
        (self.total > 0.0).then(|| self.sum_s / self.total)
    }

    /// Quantile, s: linear inside its bucket.
    #[must_use]
    pub fn quantile_s(&self, share: f64) -> Option<f64> {
        if self.total <= 0.0 {
            return None;
        }
        let mark = share.clamp(0.0, 1.0) * self.total;
        let mut below = 0.0;
        let mut last = None;
        for (index, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            if below + count >= mark {
                return Some(lower_edge(index) + (lower_edge(index + 1) - lower_edge(index)) * ((mark - below) / count));
            }
            below += count;
            last = Some(lower_edge(index + 1));
        }
        last
    }

    /// Share of the weight at or below a span, linear inside its bucket.
    #[must_use]
    pub fn share_within(&self, span_s: f64) -> Option<f64> {
        let index = bucket(span_s);
        let below: f64 = self.counts.iter().take(index).sum();
        let (low, high) = (lower_edge(index), lower_edge(index + 1));
        let inside = self.counts.get(index).map_or(0.0, |count| count * ((span_s - low) / (high - low)).clamp(0.0, 1.0));
        (self.total > 0.0).then(|| (below + inside) / self.total)
    }
}

/// Bucket of a span: zero and everything shorter than the first goes into the first, everything longer into the last.
fn bucket(span_s: f64) -> usize {
    let position = span_s.max(0.0).to_bits() >> (52 - BITS);
    (position.saturating_sub(LOWEST_EXPONENT << BITS) as usize).min(BUCKETS - 1)
}

fn lower_edge(index: usize) -> f64 {
    if index == 0 { 0.0 } else { f64::from_bits((index as u64 + (LOWEST_EXPONENT << BITS)) << (52 - BITS)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_the_width_of_a_bucket() {
        let mut histogram = SpanHistogram::default();
        assert_eq!((histogram.quantile_s(0.5), histogram.mean_s(), histogram.share_within(1.0)), (None, None, None));
        for k in 1..=100_000 {
            histogram.add(f64::from(k) * 1e-4, 0.5);
        }
        for share in [0.01, 0.5, 0.95, 0.99, 0.999, 1.0] {
            let found = histogram.quantile_s(share).unwrap_or(0.0);
            assert!((found / (share * 10.0) - 1.0).abs() < 0.004, "{share}: {found}");
            assert!((histogram.share_within(share * 10.0).unwrap_or(0.0) - share).abs() < 0.001);
        }
        assert!((histogram.mean_s().unwrap_or(0.0) - 5.00005).abs() < 1e-9);
        assert!((histogram.total() - 50_000.0).abs() < 1e-9);
    }

    #[test]
    fn the_ends_take_what_lies_outside() {
        assert_eq!((bucket(0.0), bucket(-1.0), bucket(1e-9), bucket(1e12)), (0, 0, 0, BUCKETS - 1));
        for index in 1..BUCKETS {
            assert_eq!(bucket(lower_edge(index)), index);
        }
        let (mut one, mut other) = (SpanHistogram::default(), SpanHistogram::default());
        one.add(1.0, 1.0);
        other.add(3.0, 3.0);
        one.merge(&other);
        assert!((one.mean_s().unwrap_or(0.0) - 2.5).abs() < 1e-12);
    }
}
