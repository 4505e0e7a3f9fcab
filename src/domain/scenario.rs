//! The validated inputs of one planning run.

use crate::domain::accelerator::Accelerator;
use crate::domain::fleet::{Fleet, NodeGroup};
use crate::domain::network::Network;
use crate::domain::offering::{CapacityType, InstanceType, Offering};
use crate::domain::policy::{Adders, NodeAutoscaler, Quota, Reserves, Risk, Target};
use crate::domain::profile::Profile;
use crate::domain::purchase::Buying;
use crate::domain::uncertainty::Uncertainty;
use crate::domain::workload::Workload;
use crate::ids::{AcceleratorId, InstanceTypeId, NodeGroupId, ProfileId, RegionId, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// A file that went into the scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputFile {
    /// Path as the user would write it, relative to the scenario's folder; `builtin:` for embedded data.
    pub path: String,
    /// SHA-256 of its bytes, or of its canonical form for the scenario itself.
    pub sha256: String,
}

/// Everything the planner knows. Every list is sorted by id, so the order of a file does not matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Name: a DNS label.
    pub name: String,
    /// The embedded example, which never passes for the user's own.
    pub demo: bool,
    /// IANA zone of the report.
    pub time_zone: String,
    /// First day of the anchor week, a Monday, `YYYY-MM-DD`: fixes the zones' offsets.
    pub anchor_monday: String,
    /// Regions that may be used.
    pub regions: Vec<RegionId>,
    /// GPU types by id.
    pub accelerators: BTreeMap<AcceleratorId, Accelerator>,
    /// Machine shapes by id.
    pub instance_types: BTreeMap<InstanceTypeId, InstanceType>,
    /// What can be bought in the scenario's regions, sorted by (instance type, region, capacity type).
    pub offerings: Vec<Offering>,
    /// Offerings of the same clouds in other regions, for the question what another region would save.
    pub elsewhere: Vec<Offering>,
    /// Profiles that the workloads use.
    pub profiles: BTreeMap<ProfileId, Profile>,
    /// Workloads sorted by id.
    pub workloads: Vec<Workload>,
    /// Today's fleet.
    pub fleet: Fleet,
    /// Commitments that may be bought.
    pub buying: Buying,
    /// Quotas sorted by id.
    pub quotas: Vec<Quota>,
    /// Node autoscaler.
    pub node_autoscaler: NodeAutoscaler,
    /// Node reserves.
    pub reserves: Reserves,
    /// Adders and discount.
    pub adders: Adders,
    /// Risk conventions.
    pub risk: Risk,
    /// Surprises that a plan is held against.
    pub uncertainty: Uncertainty,
    /// Workloads that stay exactly as they are.
    pub freeze: BTreeSet<WorkloadId>,
    /// Most workloads that may change.
    pub max_changes: Option<u32>,
    /// What distance costs; none: regions are told apart by their machines alone.
    pub network: Option<Network>,
    /// Default target of the scenario; the command line goes before it.
    pub target: Option<Target>,
    /// Digest of the canonical, sorted scenario.
    pub sha256: String,
    /// Every file that went in.
    pub inputs: Vec<InputFile>,
}

impl Scenario {
    /// The offering of an instance type in a region, bought one way.
    #[must_use]
    pub fn offering(&self, instance_type: &InstanceTypeId, region: &RegionId, capacity_type: CapacityType) -> Option<&Offering> {
        self.offerings.iter().find(|o| &o.instance_type == instance_type && &o.region == region && o.capacity_type == capacity_type)
    }

    /// The node group of that name.
    #[must_use]
    pub fn node_group(&self, id: &NodeGroupId) -> Option<&NodeGroup> {
        self.fleet.node_groups.iter().find(|g| &g.id == id)
    }

    /// The workload of that name.
    #[must_use]
    pub fn workload(&self, id: &WorkloadId) -> Option<&Workload> {
        self.workloads.iter().find(|w| &w.id == id)
    }
}
