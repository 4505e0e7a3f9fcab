//! What a service is left with when one zone of its spot pool is taken back, hour by hour.

use crate::plan::ServicePlan;

/// The hour at which the loss of one zone leaves least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorstHour {
    /// Hour of the week, UTC.
    pub utc_hour: usize,
    /// Replicas before.
    pub replicas: u32,
    /// Replicas lost at once.
    pub lost: u32,
    /// Rate that the rest survives without falling behind, over the hour's mean demand.
    pub stable_over_mean: f64,
}

/// The worst hour of a service with flex replicas that spread over `zones` zones; none when no hour loses anything.
///
/// Losing a zone takes `ceil(flex / zones)` replicas; the rest is stable up to its stable rate, not within its SLO.
#[must_use]
pub fn worst_hour(service: &ServicePlan) -> Option<WorstHour> {
    let zones = service.flex.as_ref()?.zones_spread.max(1);
    let hours = service.floor_by_hour.iter().zip(&service.flex_by_hour).zip(&service.mean_load_rps).enumerate();
    let mut worst: Option<WorstHour> = None;
    for (utc_hour, ((floor, flex), mean)) in hours {
        if *flex == 0 || *mean <= 0.0 {
            continue;
        }
        let (replicas, lost) = (floor + flex, flex.div_ceil(zones));
        let stable_over_mean = f64::from(replicas - lost) * service.stable_rps_per_replica / mean;
        if worst.is_none_or(|w| stable_over_mean < w.stable_over_mean) {
            worst = Some(WorstHour { utc_hour, replicas, lost, stable_over_mean });
        }
    }
    worst
}
