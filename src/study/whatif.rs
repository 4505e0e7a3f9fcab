//! Scenarios under another assumption. Each takes a scenario and gives a changed copy.

use crate::domain::{CapacityType, Scenario, SharePolicy, WorkloadKind};
use crate::units::UsdPerHour;
use std::collections::BTreeMap;

/// Demand and work times a factor.
#[must_use]
pub fn demand(scenario: &Scenario, factor: f64) -> Scenario {
    let mut changed = scenario.clone();
    for workload in &mut changed.workloads {
        match &mut workload.kind {
            WorkloadKind::Service(service) => {
                for rps in service.demand.mean_rps.iter_mut().chain(&mut service.demand.peak_rps) {
                    *rps *= factor;
                }
            }
            WorkloadKind::Job(job) => job.work_per_run *= factor,
        }
    }
    changed
}

/// Capacity of every operating point times a factor: the same as demand by its inverse.
#[must_use]
pub fn capacity(scenario: &Scenario, factor: f64) -> Scenario {
    demand(scenario, 1.0 / factor)
}

/// Spot prices times a factor.
#[must_use]
pub fn spot_price(scenario: &Scenario, factor: f64) -> Scenario {
    let mut changed = scenario.clone();
    for offering in changed.offerings.iter_mut().filter(|o| o.capacity_type == CapacityType::Spot) {
        offering.price = UsdPerHour::from_f64(offering.price.as_f64() * factor);
    }
    changed
}

/// What replays taught, by workload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lessons {
    /// Factors on planning loads of services.
    pub loads: BTreeMap<String, f64>,
    /// Factors on expected misses of services.
    pub misses: BTreeMap<String, f64>,
    /// Hours before their deadlines that runs of jobs have to end by.
    pub slack_hours: BTreeMap<String, u32>,
}

/// Factor on the planning load of a service from which it shares no GPU: what more load does not mend is not for want of capacity.
const ALONE_FROM: f64 = 1.2;

/// A scenario with what replays taught: peaks and expected misses times a factor, no company from [`ALONE_FROM`] on, earlier ends of jobs.
#[must_use]
pub fn taught(scenario: &Scenario, lessons: &Lessons) -> Scenario {
    let mut changed = scenario.clone();
    for workload in &mut changed.workloads {
        let name = workload.id.as_str();
        let of = |factors: &BTreeMap<String, f64>| factors.get(name).copied().unwrap_or(1.0);
        let (load, miss) = (of(&lessons.loads), of(&lessons.misses));
        match &mut workload.kind {
            WorkloadKind::Service(service) => {
                if load >= ALONE_FROM {
                    workload.share = SharePolicy::NEVER;
                }
                service.demand.load_factor *= load;
                service.demand.miss_factor *= miss;
                service.demand.peak_rps.iter_mut().for_each(|peak| *peak *= load);
            }
            WorkloadKind::Job(job) => job.slack_hours += lessons.slack_hours.get(name).copied().unwrap_or(0),
        }
    }
    changed
}

/// Reclaim hazards times a factor.
#[must_use]
pub fn hazard(scenario: &Scenario, factor: f64) -> Scenario {
    let mut changed = scenario.clone();
    for risk in changed.offerings.iter_mut().filter_map(|o| o.risk.as_mut()) {
        risk.reclaims_per_hour *= factor;
    }
    changed
}
