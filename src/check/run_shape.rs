//! How long a run of a job takes, recomputed: throughput of the gang, spot efficiency, hours.
//!
//! Spot with checkpoints (Young, Daly): C = save, R = restart + provisioning + cold start, M = 1/h, `tau = sqrt(2 C M)`,
//! `eff = tau / (M e^(R/M) (e^((tau + C)/M) - 1))`, all in hours. Divisible: `eff = 1/(1 + h x (provisioning + cold start))`.

use super::capacity;
use super::spot;
use super::view::{JobView, View};
use crate::domain::Performance;

/// A run.
pub(super) struct RunShape {
    /// Work units a second of the gang, derated.
    pub units_per_s: f64,
    /// Share of time that makes progress.
    pub efficiency: f64,
    /// Seconds between checkpoints, when they matter.
    pub checkpoint_s: Option<f64>,
    /// Hours from the start until the work is done, start-up included.
    pub hours: f64,
}

/// The run at the width that the plan states; none: the profile has no such width, or spot would lose all the work.
pub(super) fn of(view: &View<'_>, job: &JobView<'_>) -> Option<RunShape> {
    let point = job.common.point?;
    let Performance::Job { throughput } = &point.performance else { return None };
    let gang = throughput.iter().find(|gang| gang.workers == job.decided.workers)?;
    let units_per_s = gang.units_per_s * (1.0 - capacity::derate(point.evidence));
    let pool = view.pool(&job.decided.pool)?;
    let up_hours = (view.provision_s() + job.common.replica_cold_s()) / 3600.0;
    let (efficiency, checkpoint_s) = if pool.spot {
        let profile = job.common.profile?;
        let hazard = spot::risk(view, pool).reclaims_per_hour;
        match profile.checkpoint {
            _ if profile.divisible => (1.0 / (1.0 + hazard * up_hours), None),
            Some(checkpoint) => {
                let save = checkpoint.save.0 / 3600.0;
                let (interval, efficiency) = young(hazard, save, checkpoint.restart.0 / 3600.0 + up_hours);
                (efficiency, Some(interval * 3600.0))
            }
            None => return None,
        }
    } else {
        (1.0, None)
    };
    let hours = up_hours + job.job.work_per_run / (units_per_s * efficiency * 3600.0);
    (hours.is_finite() && hours >= 0.0).then_some(RunShape { units_per_s, efficiency, checkpoint_s, hours })
}

/// Interval (hours) and efficiency of checkpointing under a hazard (an hour).
fn young(hazard: f64, save: f64, restart: f64) -> (f64, f64) {
    let between = 1.0 / hazard;
    let interval = (2.0 * save * between).sqrt();
    let efficiency = interval / (between * (restart / between).exp() * ((interval + save) / between).exp_m1());
    (interval, efficiency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn young_by_hand() {
        // h = 0.05: M = 20 h; C = 0.1 h: tau = 2 h; R = 0.5 h.
        let (interval, efficiency) = young(0.05, 0.1, 0.5);
        assert!((interval - 2.0).abs() < 1e-12);
        let expected = 2.0 / (20.0 * 0.025_f64.exp() * (0.105_f64.exp() - 1.0));
        assert!((efficiency - expected).abs() < 1e-12 && efficiency < 0.9);
    }
}
