//! What replicas sustain, recomputed from the operating point: the checker's own sizing.
//!
//! `f(n)`: the scenario's calibrated table times `1 - d` where it has one; else LLM `n rho(n) pct(q) lambda_max (1 - d)`,
//! requests by the Allen-Cunneen tail (see `queueing`). `s`: the rate that
//! one replica survives without falling behind, used when a pool is lost. Requests a second throughout.

use super::llm::{self, TokenLoad};
use super::queueing::{self, Stream};
use crate::domain::{BurstClass, CapacityTable, Evidence, OperatingPoint, Performance, Routing, Service};

/// Share of the saturation rate that counts as stable.
const STABLE_SHARE: f64 = 0.95;

/// One service on one operating point.
pub(super) struct Ask<'a> {
    pub point: &'a OperatingPoint,
    pub service: &'a Service,
}

/// Share of capacity that is not planned on, by class of evidence.
pub(super) fn derate(evidence: Evidence) -> f64 {
    match evidence {
        Evidence::Measured => 0.05,
        Evidence::Fitted => 0.10,
        Evidence::Estimated => 0.30,
    }
}

/// Percentile that steady state is planned at: half of the error budget.
pub(super) fn planning_percentile(attainment: f64) -> f64 {
    1.0 - (1.0 - attainment) / 2.0
}

/// Rate that `n` replicas sustain within the SLO at the planning percentile, derated.
pub(super) fn sustained(ask: &Ask<'_>, n: u32) -> f64 {
    if n == 0 {
        return 0.0;
    }
    let q = planning_percentile(ask.service.slo.attainment);
    let kept = 1.0 - derate(ask.point.evidence);
    if let Some(table) = table(ask) {
        return looked_up(table, n) * kept;
    }
    match &ask.point.performance {
        Performance::Llm(model) => {
            let Some(load) = token_load(ask) else { return 0.0 };
            let pooling = rho(n, ask.service.demand.burst, ask.service.scaling.routing);
            f64::from(n) * pooling * tail_factor(q) * llm::fastest_within(model, &load, &ask.service.slo) * kept
        }
        Performance::Request { knots } => {
            let stream = stream(ask, n, q);
            knots.iter().map(|knot| queueing::sustained(knot, &stream)).fold(0.0, f64::max) * kept
        }
        Performance::Job { .. } => 0.0,
    }
}

/// `calibrated` or `closed-form`: where the rates of the operating point come from.
pub(super) fn source(ask: &Ask<'_>) -> &'static str {
    if table(ask).is_some() { "calibrated" } else { "closed-form" }
}

/// The calibrated table of the operating point.
fn table<'a>(ask: &Ask<'a>) -> Option<&'a CapacityTable> {
    let same = |t: &&CapacityTable| {
        t.slice == ask.point.slice
            && (&t.accelerator, t.gpus_per_replica, &t.precision)
                == (&ask.point.accelerator, ask.point.gpus_per_replica, &ask.point.precision)
    };
    ask.service.tables.iter().find(same)
}

/// `n g(log2 n)`, g the rate a replica: straight lines through the table's counts, level outside them.
fn looked_up(table: &CapacityTable, n: u32) -> f64 {
    let place = f64::from(n).log2();
    let mut left: Option<(f64, f64)> = None;
    for (count, rate) in &table.points {
        let right = (f64::from(*count).log2(), rate / f64::from(*count));
        if *count >= n {
            let from = left.unwrap_or(right);
            let span = right.0 - from.0;
            let share = if span > 0.0 { (place - from.0) / span } else { 1.0 };
            return f64::from(n) * (from.1 * (1.0 - share) + right.1 * share);
        }
        left = Some(right);
    }
    left.map_or(0.0, |(_, each)| f64::from(n) * each)
}

/// Rate that one replica survives, derated.
pub(super) fn stable(ask: &Ask<'_>) -> f64 {
    let saturation = match &ask.point.performance {
        Performance::Llm(model) => token_load(ask).map_or(0.0, |load| llm::saturation(model, &load)),
        Performance::Request { knots } => knots.iter().map(|k| k.rate.0).fold(0.0, f64::max),
        Performance::Job { .. } => 0.0,
    };
    STABLE_SHARE * saturation * (1.0 - derate(ask.point.evidence))
}

/// Requests in flight on one replica that carries `rate`, when `n` replicas are the fewest planned.
pub(super) fn in_flight(ask: &Ask<'_>, rate: f64, n: u32) -> f64 {
    match &ask.point.performance {
        Performance::Llm(model) => token_load(ask).map_or(0.0, |load| llm::batch_at(model, &load, rate)),
        Performance::Request { knots } => {
            let stream = stream(ask, n, planning_percentile(ask.service.slo.attainment));
            let mut best = (0.0, 0.0);
            for knot in knots {
                let sustained = queueing::sustained(knot, &stream);
                if sustained > best.0 {
                    best = (sustained, rate * knot.concurrency / knot.rate.0);
                }
            }
            best.1
        }
        Performance::Job { .. } => 0.0,
    }
}

fn token_load(ask: &Ask<'_>) -> Option<TokenLoad> {
    let tokens = ask.service.demand.tokens?;
    Some(TokenLoad { input_mean: tokens.input_mean, input_p95: tokens.input_p95, output_mean: tokens.output_mean })
}

fn stream(ask: &Ask<'_>, n: u32, percentile: f64) -> Stream {
    Stream {
        replicas: n,
        pooled: ask.service.scaling.routing == Routing::LeastLoaded,
        arrival_cv2: planned_cv2(ask.service.demand.burst),
        percentile,
        latency_limit_ms: ask.service.slo.latency.map(|l| l.0),
    }
}

fn planned_cv2(burst: BurstClass) -> f64 {
    match burst {
        BurstClass::Poisson => 1.0,
        BurstClass::Bursty => 4.0,
        BurstClass::Spiky | BurstClass::Untrackable => 16.0,
    }
}

/// From the p95 that rho is tabled for to the planning percentile: 0.45/0.56 is what the p99 keeps of it.
fn tail_factor(q: f64) -> f64 {
    let steps = ((1.0 - q) / 0.05).ln() / (0.01_f64 / 0.05).ln();
    (0.45_f64 / 0.56).powf(steps).min(1.0)
}

/// Utilisation that n pooled replicas reach within a p95 limit; rows n = 1, 2, 4, 8, 16.
fn rho(n: u32, burst: BurstClass, routing: Routing) -> f64 {
    let pooled = routing == Routing::LeastLoaded;
    let row: [f64; 5] = match (burst, pooled) {
        (BurstClass::Poisson, true) => [0.69, 0.735, 0.766, 0.787, 0.798],
        (BurstClass::Poisson, false) => [0.69, 0.69, 0.69, 0.695, 0.70],
        (BurstClass::Bursty, true) => [0.536, 0.655, 0.727, 0.766, 0.787],
        (BurstClass::Bursty, false) => [0.536, 0.60, 0.66, 0.672, 0.685],
        (BurstClass::Spiky | BurstClass::Untrackable, true) => [0.05, 0.29, 0.55, 0.65, 0.73],
        (BurstClass::Spiky | BurstClass::Untrackable, false) => [0.05, 0.29, 0.50, 0.57, 0.64],
    };
    let place = f64::from(n).log2().clamp(0.0, 4.0);
    let left = (place.floor() as usize).min(3);
    let share = place - left as f64;
    row[left] + (row[left + 1] - row[left]) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn rho_is_the_table_and_linear_in_log2_between() {
        assert!(near(rho(1, BurstClass::Poisson, Routing::LeastLoaded), 0.69));
        assert!(near(rho(16, BurstClass::Spiky, Routing::Random), 0.64));
        assert!(near(rho(500, BurstClass::Bursty, Routing::LeastLoaded), 0.787));
        let three = 0.655 + (0.727 - 0.655) * (3.0_f64.log2() - 1.0);
        assert!(near(rho(3, BurstClass::Bursty, Routing::LeastLoaded), three));
    }

    #[test]
    fn a_table_is_straight_in_log2_and_level_outside() {
        let id = crate::ids::AcceleratorId::new("l4");
        let table =
            CapacityTable { accelerator: id, gpus_per_replica: 1, precision: "fp8".into(), slice: None, points: vec![(1, 2.0), (4, 16.0)] };
        // A replica's rate: 2 at one, 4 at four, 3 half way in log2.
        for (n, rate) in [(1, 2.0), (2, 6.0), (4, 16.0), (40, 160.0)] {
            assert!((looked_up(&table, n) - rate).abs() < 1e-12, "{n}: {}", looked_up(&table, n));
        }
    }

    #[test]
    fn tail_factor_is_one_at_p95_and_the_ratio_at_p99() {
        assert!(near(tail_factor(0.95), 1.0));
        assert!(near(tail_factor(0.90), 1.0));
        assert!((tail_factor(0.99) - 0.45 / 0.56).abs() < 1e-9);
    }
}
