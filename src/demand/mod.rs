//! Planning load: what the replicas of an hour must carry in each mode.

use crate::domain::Service;

/// Tolerance of the HPA around its target: it does not add a replica before the load is 10% above.
pub const HPA_TOLERANCE: f64 = 0.1;

/// Highest peak of the week, requests a second.
#[must_use]
pub fn highest_peak(service: &Service) -> f64 {
    service.demand.peak_rps.iter().copied().fold(0.0, f64::max)
}

/// Envelope of a reactive service in each hour: the load may grow by `lag_growth` before new replicas serve, but not
/// beyond the highest peak of the week.
#[must_use]
pub fn reactive_envelope(service: &Service) -> Vec<f64> {
    let highest = highest_peak(service);
    service.demand.peak_rps.iter().map(|&peak| (peak * service.demand.lag_growth).min(highest)).collect()
}

/// What is expected in an hour in which a service may be at zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SleepyHour {
    /// Share of the hour in which it is awake.
    pub awake_share: f64,
    /// Wakes from zero.
    pub wakes: f64,
    /// Requests that wait for a cold start, and miss.
    pub misses: f64,
}

/// Expected sleep of a service in an hour: requests come as a Poisson stream of `rps`, a wake takes `cold_s`, and it
/// stays up for `cooldown_s` after the last request. Bursty streams wake less often, so this errs on the dear side.
#[must_use]
pub fn sleepy_hour(rps: f64, cold_s: f64, cooldown_s: f64) -> SleepyHour {
    // Never quite 0, so that an hour that may be at zero is told from one that may not by its share alone.
    let idle = (-rps * (cold_s + cooldown_s)).exp().max(f64::EPSILON);
    let wakes = 3600.0 * rps * idle;
    SleepyHour { awake_share: 1.0 - idle, wakes, misses: wakes * (1.0 + rps * cold_s) }
}
