//! The problem in numbers: pools, options, coupling. Dollars are `f64` a week from here to the solver.

use crate::domain::{CapacityType, Technique};
use crate::formulation::bundle::BundleOptions;
use crate::formulation::frozen::FrozenOption;
use crate::formulation::job::JobOption;
use crate::formulation::purchase::Purchases;
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

/// Who may run in a pool of cut GPUs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tenants {
    /// Whoever shares with anybody.
    Any,
    /// One team.
    Team(String),
}

/// Slices of one kind on a node.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceCount {
    /// Name of the slice.
    pub name: String,
    /// So many on a node.
    pub per_node: u32,
    /// Share of the node's price that all of them stand for while nothing better is known; the kinds of a pool add up to 1.
    pub weight: f64,
}

/// How the GPUs of a pool are cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// Name of the layout.
    pub layout: String,
    /// How.
    pub technique: Technique,
    /// For whom.
    pub tenants: Tenants,
    /// Kinds of slices.
    pub slices: Vec<SliceCount>,
}

/// Which slots of a fixed pool: position among [`Partition::slices`]; 0 where GPUs are whole.
pub type SlotKind = usize;

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
    /// How its GPUs are cut; `None`: they are whole. Cut ones are in fixed pools only.
    pub partition: Option<Partition>,
}

impl Pool {
    /// Kinds of slots.
    #[must_use]
    pub fn kinds(&self) -> usize {
        self.partition.as_ref().map_or(1, |p| p.slices.len())
    }

    /// Slots of a kind on a node.
    #[must_use]
    pub fn slots(&self, kind: SlotKind) -> u32 {
        self.partition.as_ref().map_or(self.gpus, |p| p.slices[kind].per_node)
    }

    /// Price of a node that one slot of a kind stands for, before anything is known of the others.
    #[must_use]
    pub fn share_of_slot(&self, kind: SlotKind) -> f64 {
        let weight = self.partition.as_ref().map_or(1.0, |p| p.slices[kind].weight);
        weight / f64::from(self.slots(kind))
    }
}

/// A pool as seen by one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Pool.
    pub pool: PoolIndex,
    /// Kind of the slots; 0 in an exclusive pool.
    pub kind: SlotKind,
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
    /// Positions of the workloads that it runs: itself, or the members of a bundle.
    pub members: Vec<usize>,
    /// Options of a service.
    pub services: Vec<ServiceOption>,
    /// Options of a job.
    pub jobs: Vec<JobOption>,
    /// As it is today, where that is allowed.
    pub frozen: Option<FrozenOption>,
    /// Today's nodes by (instance type, capacity type).
    pub today: BTreeMap<(String, CapacityType), u32>,
    /// What it is if it is no workload but several in one server.
    pub bundle: Option<BundleOptions>,
}

/// The whole problem.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Pools.
    pub pools: Vec<Pool>,
    /// Workloads, in the scenario's order, then bundles.
    pub workloads: Vec<WorkloadOptions>,
    /// Quotas.
    pub quotas: Vec<QuotaGroup>,
    /// Most workloads that may change.
    pub max_changes: Option<u32>,
    /// Commitments that may be bought.
    pub purchases: Purchases,
}

impl Problem {
    /// Workloads without the bundles: so many ways have to be chosen.
    #[must_use]
    pub fn count(&self) -> usize {
        self.workloads.iter().filter(|w| w.bundle.is_none()).count()
    }
}
