//! Spot: what a node-hour costs when the pool is sometimes away and sometimes taken back, and what a lost pool breaks.

use crate::units::UsdPerHour;

/// What the expected price of a spot node-hour is made of.
#[derive(Clone, Copy, Debug)]
pub struct SpotPriceTerms {
    /// Posted price after adders.
    pub spot: UsdPerHour,
    /// Price an hour of the on-demand capacity that stands in.
    pub fallback: UsdPerHour,
    /// Share of time in which the pool supplies.
    pub availability: f64,
    /// Collapses an hour.
    pub reclaims_per_hour: f64,
    /// Hours from a reclaim to a serving replacement.
    pub switch_hours: f64,
}

/// Expected price of a spot node-hour: `u spot + (1-u) fallback + h x switch x (spot + fallback)`.
///
/// The last term pays the start-up chain twice at each reclaim: on the node that is lost and on the one that comes.
#[must_use]
pub fn expected_price(terms: &SpotPriceTerms) -> UsdPerHour {
    let (spot, fallback) = (terms.spot.as_f64(), terms.fallback.as_f64());
    let u = terms.availability;
    UsdPerHour::from_f64(u * spot + (1.0 - u) * fallback + terms.reclaims_per_hour * terms.switch_hours * (spot + fallback))
}

/// Share of time that makes progress for a job that saves checkpoints: Daly's exact form at Young's interval.
///
/// `tau = sqrt(2 C M)`, `eff = tau / (M e^(R/M) (e^((tau+C)/M) - 1))`; hours.
#[must_use]
pub fn checkpoint_efficiency(mean_hours_between_reclaims: f64, save_hours: f64, restart_hours: f64) -> (f64, f64) {
    let m = mean_hours_between_reclaims;
    let interval = (2.0 * save_hours * m).sqrt();
    let efficiency = interval / (m * (restart_hours / m).exp() * (((interval + save_hours) / m).exp() - 1.0));
    (efficiency, interval)
}

/// Share of time that makes progress for independent units that are queued again when lost.
#[must_use]
pub fn requeue_efficiency(reclaims_per_hour: f64, switch_hours: f64) -> f64 {
    1.0 / (1.0 + reclaims_per_hour * switch_hours)
}

/// Replicas that go with one of `zones` zones when `replicas` spread evenly.
#[must_use]
pub fn lost_with_one_zone(replicas: u32, zones: u32) -> u32 {
    replicas.div_ceil(zones.max(1))
}

/// Requests that miss in an hour because a zone is taken back before its replacement serves.
#[derive(Clone, Copy, Debug)]
pub struct ReclaimLoss {
    /// Spot replicas.
    pub spot_replicas: u32,
    /// Zones they spread over.
    pub zones: u32,
    /// Collapses an hour of one zone.
    pub reclaims_per_hour: f64,
    /// Hours from the end of the notice to a serving replacement.
    pub recover_hours: f64,
    /// Rate within SLO of what is left, requests a second.
    pub left_rps: f64,
    /// Mean load, requests a second.
    pub mean_rps: f64,
}

/// Expected misses in the hour: each occupied zone may go, and what the rest cannot carry misses until it is replaced.
#[must_use]
pub fn reclaim_misses(loss: &ReclaimLoss) -> f64 {
    if loss.spot_replicas == 0 || loss.mean_rps <= 0.0 {
        return 0.0;
    }
    let zones = f64::from(loss.zones.min(loss.spot_replicas));
    let deficit = (1.0 - loss.left_rps / loss.mean_rps).max(0.0);
    zones * loss.reclaims_per_hour * loss.recover_hours * deficit * loss.mean_rps * 3600.0
}
