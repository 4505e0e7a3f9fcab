//! The problem in numbers: pools, options, coupling. Dollars are `f64` a week from here to the solver.

use crate::domain::CapacityType;
use crate::formulation::frozen::FrozenOption;
use crate::formulation::job::JobOption;
use crate::formulation::service::ServiceOption;
use crate::ids::{InstanceTypeId, QuotaId, RegionId, WorkloadId};
use std::collections::BTreeMap;

/// Index into [`Problem::pools`].
pub type PoolIndex = usize;

/// How replicas share the nodes of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sharing {
    /// One replica a node: the node comes and goes with it.
    Exclusive,
    /// Several replicas a node, of several workloads: the count of nodes is constant over the week, so that no plan
    /// needs a running replica to move.
    Fixed,
}

/// A set of equal machines that could be bought one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Machine shape.
    pub instance_type: InstanceTypeId,
    /// Region.
    pub region: RegionId,
    /// Machine shape as changes from today count it: with its region, where distance is priced.
    pub machine: String,
    /// On-demand or spot.
    pub capacity_type: CapacityType,
    /// Sharing.
    pub sharing: Sharing,
    /// GPUs a node.
    pub gpus: u32,
    /// Planned price of a node-hour, dollars.
    pub price: f64,
    /// Collapses an hour (0 on demand).
    pub hazard: f64,
    /// Zones a spot pool's replicas spread over.
    pub zones: u32,
    /// Nodes that commitments pay for (on-demand pools; both sharings of a type draw on the same ones).
    pub committed: u32,
    /// On-demand counts must be constant over the week.
    pub scarce: bool,
}

/// A pool as seen by one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Pool.
    pub pool: PoolIndex,
    /// Slots of a node that a replica takes (all of them in an exclusive pool).
    pub slots: u32,
    /// Price of a replica-hour in an exclusive pool; 0 in a fixed one, whose nodes are paid as such.
    pub price: f64,
    /// Cost of one start: in an exclusive pool its paid hours, and everywhere the bytes that it pulls.
    pub start: f64,
    /// Part of it that pays for bytes.
    pub bytes: f64,
    /// Bytes that reclaims cause a replica-hour, dollars; 0 on demand.
    pub restart: f64,
    /// Sharing of the pool.
    pub sharing: Sharing,
}

/// A cap over a group of pools.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaGroup {
    /// Name.
    pub id: QuotaId,
    /// Capacity type.
    pub capacity_type: CapacityType,
    /// Units of one node, by pool; pools outside the group are absent.
    pub units: Vec<(PoolIndex, f64)>,
    /// For on-demand groups: units that the fallback of one node of a spot pool takes.
    pub fallback_units: Vec<(PoolIndex, f64)>,
    /// Cap.
    pub limit: f64,
}

/// Every way one workload may be run.
#[derive(Clone, Debug)]
pub struct WorkloadOptions {
    /// Name.
    pub id: WorkloadId,
    /// Options of a service.
    pub services: Vec<ServiceOption>,
    /// Options of a job.
    pub jobs: Vec<JobOption>,
    /// As it is today, where that is allowed.
    pub frozen: Option<FrozenOption>,
    /// Today's nodes by (instance type, capacity type).
    pub today: BTreeMap<(String, CapacityType), u32>,
}

/// The whole problem.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Pools.
    pub pools: Vec<Pool>,
    /// Workloads, in the scenario's order.
    pub workloads: Vec<WorkloadOptions>,
    /// Quotas.
    pub quotas: Vec<QuotaGroup>,
    /// Most workloads that may change.
    pub max_changes: Option<u32>,
}
