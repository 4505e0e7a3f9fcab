//! Utilization that n pooled LLM replicas reach within the SLO, by burstiness and routing.
//!
//! The rows are simulation results for p95 TTFT and TPOT limits (mathematics, sizing); `percentile_factor` carries them
//! to other percentiles with the ratio p99/p95 = 0.45/0.56 seen in the same runs.

use crate::domain::{BurstClass, Routing};

/// Replica counts of the table's columns.
const REPLICAS: [f64; 5] = [1.0, 2.0, 4.0, 8.0, 16.0];

/// Ratio of p99 to p95 capacity.
const P99_OVER_P95: f64 = 0.45 / 0.56;

/// Utilization at the 95th percentile.
fn row(burst: BurstClass, routing: Routing) -> [f64; 5] {
    match (burst, routing) {
        (BurstClass::Poisson, Routing::LeastLoaded) => [0.69, 0.735, 0.766, 0.787, 0.798],
        (BurstClass::Poisson, Routing::Random) => [0.69, 0.69, 0.69, 0.695, 0.70],
        (BurstClass::Bursty, Routing::LeastLoaded) => [0.536, 0.655, 0.727, 0.766, 0.787],
        (BurstClass::Bursty, Routing::Random) => [0.536, 0.60, 0.66, 0.672, 0.685],
        (BurstClass::Spiky | BurstClass::Untrackable, Routing::LeastLoaded) => [0.05, 0.29, 0.55, 0.65, 0.73],
        (BurstClass::Spiky | BurstClass::Untrackable, Routing::Random) => [0.05, 0.29, 0.50, 0.57, 0.64],
    }
}

/// Utilization of each of `replicas` replicas at the 95th percentile: linear in log2 of the count, flat after 16.
#[must_use]
pub fn utilization(replicas: u32, burst: BurstClass, routing: Routing) -> f64 {
    let row = row(burst, routing);
    let n = f64::from(replicas.max(1));
    let upper = REPLICAS.partition_point(|&knot| knot < n);
    if upper == 0 {
        return row[0];
    }
    if upper == REPLICAS.len() {
        return row[REPLICAS.len() - 1];
    }
    let share = (n.log2() - REPLICAS[upper - 1].log2()) / (REPLICAS[upper].log2() - REPLICAS[upper - 1].log2());
    row[upper - 1] + (row[upper] - row[upper - 1]) * share
}

/// Factor that carries a capacity at p95 to another percentile, at most 1.
#[must_use]
pub fn percentile_factor(percentile: f64) -> f64 {
    if percentile <= 0.95 {
        return 1.0;
    }
    let exponent = ((1.0 - percentile) / 0.05).ln() / (0.01_f64 / 0.05).ln();
    P99_OVER_P95.powf(exponent)
}
