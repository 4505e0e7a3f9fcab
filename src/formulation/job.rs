//! The ways a job may be run: operating point x place x width. Its start in time is left to the columns.

use crate::domain::{CapacityType, JobRun, OperatingPoint, Performance};
use crate::formulation::freedom::Autoscaling;
use crate::formulation::network;
use crate::formulation::pools::{Context, Pools};
use crate::formulation::problem::{Place, Sharing};
use crate::formulation::service;
use crate::risk;
use crate::sizing::cold_start;

/// One way to run a job.
#[derive(Clone, Debug)]
pub struct JobOption {
    /// Position of the operating point in the profile.
    pub point: usize,
    /// Where.
    pub place: Place,
    /// On spot.
    pub spot: bool,
    /// Collapses an hour of the pool.
    pub hazard: f64,
    /// Workers of the gang.
    pub workers: u32,
    /// Units a second of the gang, derated.
    pub units_per_s: f64,
    /// Share of time that makes progress.
    pub efficiency: f64,
    /// Hours between checkpoints, where they are saved.
    pub checkpoint_hours: Option<f64>,
    /// Hours of one run: start-up chain, then work.
    pub hours: f64,
    /// Paid hours after a run.
    pub tail_hours: f64,
    /// Runs of the week.
    pub runs: Vec<JobRun>,
    /// Latest start after a run's release, whole hours.
    pub latest_offset: u32,
    /// Its nodes are held all week (no autoscaling).
    pub held: bool,
    /// Bytes that its starts pull, dollars a week.
    pub bytes: f64,
}

/// Every option of a job, in a stable order.
#[must_use]
pub fn options(context: &Context<'_>, pools: &mut Pools) -> Vec<JobOption> {
    let Some(job) = context.workload.job() else { return Vec::new() };
    let profile = &context.scenario.profiles[&context.workload.profile];
    let mut options = Vec::new();
    for (index, point) in profile.points.iter().enumerate() {
        let Performance::Job { throughput } = &point.performance else { continue };
        if !service::allowed(context, point) {
            continue;
        }
        for capacity_type in [CapacityType::OnDemand, CapacityType::Spot] {
            let spot = capacity_type == CapacityType::Spot;
            if spot && !spot_allowed(context, point) {
                continue;
            }
            let places = pools.places(context, point, capacity_type);
            for place in service::today_only(context, pools, places) {
                for gang in throughput.iter().filter(|g| g.workers <= job.max_workers) {
                    if !context.freedom.placement && gang.workers != job.baseline_workers {
                        continue;
                    }
                    let candidate = (index, place, gang.workers, gang.units_per_s * (1.0 - point.evidence.derate()));
                    options.extend(option(context, pools, candidate));
                }
            }
        }
    }
    options
}

/// Spot for a job: allowed by owner and lever, restartable, and not on scarce accelerators.
fn spot_allowed(context: &Context<'_>, point: &OperatingPoint) -> bool {
    let profile = &context.scenario.profiles[&context.workload.profile];
    let scarce = context.scenario.accelerators[&point.accelerator].scarce && !context.scenario.risk.allow_scarce_release;
    context.freedom.spot && context.workload.spot.max_share > 0.0 && (profile.divisible || profile.checkpoint.is_some()) && !scarce
}

/// The option, when it can be done in time.
fn option(context: &Context<'_>, pools: &Pools, (point, place, workers, units_per_s): (usize, Place, u32, f64)) -> Option<JobOption> {
    let job = context.workload.job()?;
    let profile = &context.scenario.profiles[&context.workload.profile];
    let pool = &pools.list[place.pool];
    let spot = pool.capacity_type == CapacityType::Spot;
    let chain_hours = context.chain_s() / 3600.0;
    let (efficiency, checkpoint_hours) = match (spot, profile.checkpoint) {
        (false, _) => (1.0, None),
        (true, Some(checkpoint)) if !profile.divisible => {
            let restart = checkpoint.restart.hours() + chain_hours;
            let (efficiency, interval) = risk::checkpoint_efficiency(1.0 / pool.hazard, checkpoint.save.hours(), restart);
            (efficiency, Some(interval))
        }
        (true, _) => (risk::requeue_efficiency(pool.hazard, chain_hours), None),
    };
    let hours = chain_hours + job.work_per_run / (units_per_s * efficiency * 3600.0);
    let insured_hours = chain_hours + job.work_per_run * job.insured / (units_per_s * efficiency * 3600.0);
    let latest = job
        .runs
        .iter()
        .map(|run| (f64::from(run.deadline_hour) - f64::from(job.slack_hours) - f64::from(run.release_hour) - insured_hours + 1e-9).floor())
        .fold(f64::INFINITY, f64::min);
    if latest < 0.0 {
        return None;
    }
    let held = context.freedom.autoscaling == Autoscaling::Off || (pool.scarce && place.sharing == Sharing::Exclusive);
    let terms = network::terms(context.scenario, context.workload, &pool.region)?;
    // Nodes that stay have the image.
    let each = if held { terms.known_node } else { place.bytes };
    let starts = job.runs.len() as f64 * f64::from(workers);
    Some(JobOption {
        point,
        place,
        spot,
        hazard: pool.hazard,
        workers,
        units_per_s,
        efficiency,
        checkpoint_hours,
        hours,
        tail_hours: cold_start::tail_s(&context.scenario.node_autoscaler) / 3600.0,
        runs: job.runs.clone(),
        latest_offset: if context.freedom.placement { latest.min(167.0) as u32 } else { 0 },
        held,
        bytes: starts * (each + place.restart * hours),
    })
}
