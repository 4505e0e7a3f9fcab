//! The service-level objective: latency limits plus one attainment.

use crate::units::Millis;

/// Latency limits that `attainment` of the month's requests must all meet. At least one limit is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slo {
    /// Share of requests that meet every limit; drops, time-outs and cold waits are misses.
    pub attainment: f64,
    /// Time to first token.
    pub ttft: Option<Millis>,
    /// Time per output token after the first.
    pub tpot: Option<Millis>,
    /// Whole request.
    pub latency: Option<Millis>,
}

impl Slo {
    /// Percentile that steady-state capacity is planned at: half of the error budget, `1 - (1 - attainment)/2`.
    #[must_use]
    pub fn planning_percentile(&self) -> f64 {
        1.0 - self.spare_budget()
    }

    /// The other half of the error budget, which pays for cold starts, reclaims and scaling lag.
    #[must_use]
    pub fn spare_budget(&self) -> f64 {
        (1.0 - self.attainment) / 2.0
    }
}
