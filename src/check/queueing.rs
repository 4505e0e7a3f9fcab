//! Request services: the largest arrival rate whose wait stays below what the latency limit leaves, by the Allen-Cunneen tail
//! `P(wait > W) = C(c, a) exp(-(c/S - lam) W 2/(A + Cs2))`, C the Erlang C formula at `a = lam S`.

use crate::domain::Knot;

/// Squared coefficient of variation of the service time, stated in the model.
const SERVICE_CV2: f64 = 0.25;
/// Highest utilisation planned.
const MOST_BUSY: f64 = 0.95;
/// Most servers of the recursion.
const MOST_SERVERS: f64 = 20_000.0;

/// What arrives, and where.
pub(super) struct Stream {
    pub replicas: u32,
    /// Routed to the least loaded replica: one pool. Otherwise each replica is alone.
    pub pooled: bool,
    pub arrival_cv2: f64,
    pub percentile: f64,
    pub latency_limit_ms: Option<f64>,
}

/// Largest rate of all replicas at this knot, requests a second; 0 when the knot itself is too slow.
pub(super) fn sustained(knot: &Knot, stream: &Stream) -> f64 {
    let Some(limit) = stream.latency_limit_ms else { return 0.0 };
    let wait_s = (limit - latency_ms(knot, stream.percentile)) / 1000.0;
    if wait_s <= 0.0 || wait_s.is_nan() || knot.rate.0 <= 0.0 {
        return 0.0;
    }
    let n = f64::from(stream.replicas);
    let (servers, cv2, copies) = if stream.pooled {
        (knot.concurrency * n, stream.arrival_cv2, 1.0)
    } else {
        (knot.concurrency, 1.0 + (stream.arrival_cv2 - 1.0) / n, n)
    };
    let servers = servers.round().clamp(1.0, MOST_SERVERS);
    let desk = Desk { servers, service_s: knot.concurrency / knot.rate.0, wait_s, decay: 2.0 / (cv2 + SERVICE_CV2) };
    copies * desk.largest_rate(1.0 - stream.percentile)
}

/// Latency of the knot at percentile `q`: exact at p95 and p99, straight in -ln(1-q) between and beyond.
fn latency_ms(knot: &Knot, q: f64) -> f64 {
    if q <= 0.95 {
        return knot.p95.0;
    }
    let (at95, at99) = (-(0.05_f64.ln()), -(0.01_f64.ln()));
    let share = (-((1.0 - q).ln()) - at95) / (at99 - at95);
    let line = knot.p95.0 + (knot.p99.0 - knot.p95.0) * share;
    if q >= 0.99 { line.max(knot.p99.0) } else { line }
}

struct Desk {
    servers: f64,
    service_s: f64,
    wait_s: f64,
    decay: f64,
}

impl Desk {
    fn largest_rate(&self, misses: f64) -> f64 {
        let full = MOST_BUSY * self.servers / self.service_s;
        if self.late(full) <= misses {
            return full;
        }
        let (mut low, mut high) = (0.0, full);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if self.late(middle) <= misses {
                low = middle;
            } else {
                high = middle;
            }
            if high - low <= 1e-13 * high {
                break;
            }
        }
        low
    }

    /// Share of requests that wait longer than the limit leaves.
    fn late(&self, rate: f64) -> f64 {
        let waits = erlang_c(self.servers, rate * self.service_s);
        waits * (-(self.servers / self.service_s - rate) * self.wait_s * self.decay).exp()
    }
}

/// Share of arrivals that wait, from the Erlang B recursion.
fn erlang_c(servers: f64, load: f64) -> f64 {
    if load <= 0.0 {
        return 0.0;
    }
    let mut blocked = 1.0;
    for k in 1..=(servers as u32) {
        blocked = load * blocked / (f64::from(k) + load * blocked);
    }
    blocked / (1.0 - load / servers * (1.0 - blocked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Millis, PerSecond};

    #[test]
    fn erlang_c_by_hand() {
        // One server: C = rho. Two servers at a = 1: B = 0.2, C = 0.2/(1 - 0.5 x 0.8) = 1/3.
        assert!((erlang_c(1.0, 0.7) - 0.7).abs() < 1e-12);
        assert!((erlang_c(2.0, 1.0) - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn latency_between_percentiles() {
        let knot = Knot { concurrency: 4.0, rate: PerSecond(40.0), p50: Millis(90.0), p95: Millis(110.0), p99: Millis(130.0) };
        assert!((latency_ms(&knot, 0.95) - 110.0).abs() < 1e-9);
        assert!((latency_ms(&knot, 0.99) - 130.0).abs() < 1e-9);
        // ln(0.05/0.002)/ln(5) = 2 steps of 20 ms.
        assert!((latency_ms(&knot, 0.998) - 150.0).abs() < 1e-9);
    }

    #[test]
    fn the_rate_found_is_on_the_edge() {
        let desk = Desk { servers: 3.0, service_s: 0.1, wait_s: 0.05, decay: 1.6 };
        let rate = desk.largest_rate(0.01);
        assert!(rate > 0.0 && rate < 28.5);
        assert!((desk.late(rate) - 0.01).abs() < 1e-9);
    }
}
