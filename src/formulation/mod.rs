//! From a [`Scenario`](crate::domain::Scenario) to a [`Problem`]: every way each workload may be run, the pools that it
//! may use, and what couples the workloads. Pure and infallible: what cannot be run at all has been said before by
//! `feasibility`.
//!
//! `columns` holds whole weekly schedules of one workload, which plans are made with; `compact` is the textbook program
//! that says what is meant and that the tests hold the columns against.

pub mod bundle;
pub mod columns;
pub mod compact;
pub mod family;
pub mod freedom;
pub mod frozen;
pub mod job;
pub mod network;
pub mod pools;
pub mod problem;
pub mod purchase;
pub mod service;

pub use family::Family;
pub use freedom::Freedom;
pub use problem::{Partition, Place, Pool, PoolIndex, Problem, Sharing, SliceCount, SlotKind, Tenants, WorkloadOptions};

use crate::domain::Scenario;

/// Builds the problem of a scenario under the given freedom.
#[must_use]
pub fn build(scenario: &Scenario, freedom: &Freedom) -> Problem {
    let mut pools = pools::Pools::of(scenario, freedom);
    let mut workloads: Vec<WorkloadOptions> = scenario
        .workloads
        .iter()
        .enumerate()
        .map(|(index, workload)| {
            let context = pools::Context { scenario, workload, freedom };
            let frozen = frozen::option(&context, &mut pools);
            let stays = scenario.freeze.contains(&workload.id);
            WorkloadOptions {
                id: workload.id.clone(),
                members: vec![index],
                bundle: None,
                services: if stays { Vec::new() } else { service::options(&context, &mut pools) },
                jobs: if stays { Vec::new() } else { job::options(&context, &mut pools) },
                today: columns::column::today(scenario, workload),
                // Where changes are counted, any workload may be the one that stays.
                frozen: frozen.filter(|_| stays || freedom.may_stay_frozen() || scenario.max_changes.is_some()),
            }
        })
        .collect();
    workloads.extend(bundle::units(scenario, freedom, &mut pools));
    Problem {
        quotas: pools::quota_rows(scenario, &pools),
        max_changes: scenario.max_changes,
        workloads,
        purchases: purchase::options(scenario, freedom, &pools.list),
        pools: pools.list,
    }
}
