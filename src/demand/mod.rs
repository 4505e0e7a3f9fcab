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

/// Expected sleep of a service in each hour of the cyclic week: within an hour requests come as a Poisson stream, a
/// wake takes `cold_s`, and the service stays up for `cooldown_s` after the last request. Asleep with probability
/// `idle = exp(-r (L + K))`, it wakes `3600 r idle` times, and once more by as much as it is less idle than in the hour
/// before. Bursty streams wake less often inside an hour, so this errs on the dear side.
#[must_use]
pub fn sleepy_week(mean_rps: &[f64], cold_s: f64, cooldown_s: f64) -> Vec<SleepyHour> {
    let idle = |rps: f64| (-rps * (cold_s + cooldown_s)).exp();
    let before = mean_rps.iter().cycle().skip(mean_rps.len().saturating_sub(1));
    before
        .zip(mean_rps)
        .map(|(&before, &rps)| {
            let wakes = 3600.0 * rps * idle(rps) + (idle(before) - idle(rps)).max(0.0);
            SleepyHour { awake_share: 1.0 - idle(rps), wakes, misses: wakes * (1.0 + rps * cold_s) }
        })
        .collect()
}
