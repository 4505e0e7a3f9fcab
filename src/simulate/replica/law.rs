//! How a request server works: at which speed, and how much work a request is.
//!
//! With `b` requests in service each is worked on at speed `s(b)`, and leaves when its work is done. Plain queues have
//! `s = 1` and their service time as work. A closed-loop concurrency curve (Triton) has `s(b) = r(b)/b`, `r` the curve's
//! rate, and work of mean 1: kept at concurrency `b` it completes `r(b)` a second, each request taking `W b / r(b)`, so
//! that the curve's percentiles are those of the work times its mean latency `b/r(b)` (Little's law). Off the knots, rate
//! and percentiles are linear in `b`; below the first knot latency stays that of the first knot; above the last requests
//! queue, first come first served. That is processor sharing with a load-dependent rate, as in a server that batches.

use crate::domain::Knot;
use crate::simulate::random::Stream;
use rand_distr::Gamma;

/// Work of a request, in seconds at speed 1, or relative to the mean latency for a curve.
#[derive(Clone, Debug)]
pub enum Work {
    /// Always the same.
    Constant(f64),
    /// Exponential with this mean.
    Exponential(f64),
    /// Lognormal: `exp(mu + sigma Z)`.
    LogNormal {
        /// Location.
        mu: f64,
        /// Scale.
        sigma: f64,
    },
    /// Gamma.
    Gamma {
        /// The distribution.
        gamma: Gamma<f64>,
        /// Its mean.
        mean_s: f64,
    },
    /// As percentiles say, by requests in service (entry 0 is for one).
    Spread(Vec<Spread>),
}

impl Work {
    /// Lognormal with this mean and squared coefficient of variation.
    #[must_use]
    pub fn lognormal(mean_s: f64, cv2: f64) -> Self {
        let variance = cv2.ln_1p();
        Self::LogNormal { mu: mean_s.ln() - variance / 2.0, sigma: variance.sqrt() }
    }

    /// Gamma with this mean and squared coefficient of variation; constant when the latter is not a positive number.
    #[must_use]
    pub fn gamma(mean_s: f64, cv2: f64) -> Self {
        Gamma::new(1.0 / cv2, mean_s * cv2).map_or(Self::Constant(mean_s), |gamma| Self::Gamma { gamma, mean_s })
    }

    fn draw(&self, in_service: usize, stream: &mut Stream) -> f64 {
        match self {
            Self::Constant(work) => *work,
            Self::Exponential(mean) => mean * stream.exponential(),
            Self::LogNormal { mu, sigma } => stream.lognormal(*mu, *sigma),
            Self::Gamma { gamma, mean_s: _ } => stream.sample(gamma),
            Self::Spread(spreads) => {
                let spread = in_service.checked_sub(1).and_then(|index| spreads.get(index)).or(spreads.last());
                spread.map_or(1.0, |spread| spread.quantile(stream.uniform()))
            }
        }
    }
}

/// A distribution of mean 1 with a given median, 95th and 99th percentile, all relative to the mean.
///
/// Above the median the logarithm of the survival function is linear between the percentiles and goes on beyond the
/// last; below it the quantile function is `p50 (2u)^a`, with `a` chosen so that the mean is 1. Percentiles that leave no
/// such `a` contradict Little's law at their knot's rate; then the whole is scaled to mean 1: the rate is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    p50: f64,
    p95: f64,
    p99: f64,
    power: f64,
}

/// `ln 10` and `ln 5`: the survival function falls by 10 from p50 to p95 and by 5 from p95 to p99.
const LN_10: f64 = std::f64::consts::LN_10;
const LN_5: f64 = 1.609_437_912_434_100_3;

/// Largest power of the lower half: its mean is then 1/21 of the median.
const LARGEST_POWER: f64 = 20.0;

impl Spread {
    /// From percentiles relative to the mean.
    #[must_use]
    pub fn new(p50: f64, p95: f64, p99: f64) -> Self {
        let (p95, p99) = (p95.max(p50), p99.max(p95).max(p50));
        // Means of the pieces: of -ln x over [1/10, 1] and [1/5, 1], in units of their width, and an exponential tail.
        let middle = p50 + (p95 - p50) * (1.0 / LN_10 - 1.0 / 9.0);
        let upper = p95 + (p99 - p95) * (1.0 / LN_5 - 0.25);
        let tail = p99 + (p99 - p95) / LN_5;
        let above = 0.45 * middle + 0.04 * upper + 0.01 * tail;
        let below = 2.0 * (1.0 - above);
        let power = if below > 0.0 { (p50 / below - 1.0).clamp(0.0, LARGEST_POWER) } else { LARGEST_POWER };
        let mean = above + 0.5 * p50 / (1.0 + power);
        Self { p50: p50 / mean, p95: p95 / mean, p99: p99 / mean, power }
    }

    /// Quantile function, `share` in [0, 1).
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let Self { p50, p95, p99, power } = *self;
        if share < 0.5 {
            p50 * (2.0 * share).powf(power)
        } else if share < 0.95 {
            p50 - (p95 - p50) * ((1.0 - share) * 2.0).ln() / LN_10
        } else {
            p95 - (p99 - p95) * ((1.0 - share) * 20.0).ln() / LN_5
        }
    }
}

/// The law of a request server.
#[derive(Clone, Debug)]
pub struct Law {
    /// Speed by requests in service; entry 0 is not used. Its length bounds the number in service.
    speeds: Vec<f64>,
    work: Work,
    /// Requests that may wait; one more is dropped.
    room: usize,
    capacity_rps: f64,
}

impl Law {
    /// A queue with equal servers: M/M/c, M/D/c, M/G/c, and with `room` for waiting requests M/M/c/K (`room = K - c`).
    #[must_use]
    pub fn queue(servers: usize, work: Work, room: Option<usize>) -> Self {
        let servers = servers.max(1);
        let mean_s = match &work {
            Work::Constant(mean_s) | Work::Exponential(mean_s) | Work::Gamma { gamma: _, mean_s } => *mean_s,
            Work::LogNormal { mu, sigma } => (mu + sigma * sigma / 2.0).exp(),
            Work::Spread(_) => 1.0,
        };
        Self { speeds: vec![1.0; servers + 1], work, room: room.unwrap_or(usize::MAX), capacity_rps: servers as f64 / mean_s }
    }

    /// A server measured in a closed loop; knots ascend in concurrency. Without any it serves nothing in no time.
    #[must_use]
    pub fn curve(knots: &[Knot]) -> Self {
        let most = knots.last().map_or(1.0, |knot| knot.concurrency.round()).max(1.0) as usize;
        let (mut speeds, mut spreads, mut capacity_rps) = (vec![1.0], Vec::with_capacity(most), 0.0_f64);
        for in_service in 1..=most {
            let point = at(knots, in_service as f64);
            capacity_rps = capacity_rps.max(point.rate_rps);
            speeds.push(point.rate_rps / in_service as f64);
            spreads.push(point.spread);
        }
        Self { speeds, work: Work::Spread(spreads), room: usize::MAX, capacity_rps }
    }

    /// Most requests in service.
    #[must_use]
    pub fn servers(&self) -> usize {
        self.speeds.len() - 1
    }

    /// Most requests that may wait.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room
    }

    /// Most requests that it completes a second.
    #[must_use]
    pub fn capacity_rps(&self) -> f64 {
        self.capacity_rps
    }

    pub(super) fn speed(&self, in_service: usize) -> f64 {
        self.speeds.get(in_service).copied().unwrap_or(1.0)
    }

    pub(super) fn draw_work(&self, in_service: usize, stream: &mut Stream) -> f64 {
        self.work.draw(in_service, stream)
    }
}

struct Point {
    rate_rps: f64,
    spread: Spread,
}

/// The curve at a concurrency.
fn at(knots: &[Knot], concurrency: f64) -> Point {
    let relative = |knot: &Knot| {
        let mean_s = knot.concurrency / knot.rate.0;
        [knot.p50.0, knot.p95.0, knot.p99.0].map(|ms| ms / 1000.0 / mean_s)
    };
    let upper = knots.partition_point(|knot| knot.concurrency < concurrency);
    let (rate_rps, [p50, p95, p99]) = match (upper.checked_sub(1).and_then(|below| knots.get(below)), knots.get(upper)) {
        (None, None) => (1e12, [1.0; 3]),
        (Some(only), None) => (only.rate.0, relative(only)),
        (None, Some(only)) => (only.rate.0 * concurrency / only.concurrency, relative(only)),
        (Some(low), Some(high)) => {
            let share = (concurrency - low.concurrency) / (high.concurrency - low.concurrency);
            let between = |a: f64, b: f64| a + (b - a) * share;
            let (a, b) = (relative(low), relative(high));
            (between(low.rate.0, high.rate.0), [between(a[0], b[0]), between(a[1], b[1]), between(a[2], b[2])])
        }
    };
    Point { rate_rps, spread: Spread::new(p50, p95, p99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_mean_one_and_its_percentiles() {
        // Triton ResNet-50 at 32 in flight; an estimated curve with p95 = 2.05 p50; exponential; heavy.
        for (p50, p95, p99) in [(0.999, 1.015, 1.023), (1.0, 2.053, 2.783), (0.693, 2.996, 4.605), (0.3, 3.5, 8.0)] {
            let spread = Spread::new(p50, p95, p99);
            for (share, percentile) in [(0.5, p50), (0.95, p95), (0.99, p99)] {
                assert!((spread.quantile(share) / percentile - 1.0).abs() < 1e-9, "{p50}: {share}");
            }
            let n = 1_000_000;
            let mean = (0..n).map(|k| spread.quantile((f64::from(k) + 0.5) / f64::from(n))).sum::<f64>() / f64::from(n);
            // The midpoint rule misses part of the tail's last 1e-6.
            assert!((mean - 1.0).abs() < 1e-4, "{p50}: {mean}");
        }
    }

    #[test]
    fn percentiles_that_contradict_the_rate_are_scaled_to_it() {
        let spread = Spread::new(0.9, 0.92, 0.95);
        assert!((spread.quantile(0.95) / spread.quantile(0.5) - 0.92 / 0.9).abs() < 1e-12);
        assert!(spread.quantile(0.5) > 0.98 && spread.power.abs() < 1e-12);
    }
}
