//! Limits and conventions of a planning run that belong to no single workload.

use crate::domain::offering::{CapacityType, SpotEvidence};
use crate::ids::{InstanceTypeId, QuotaId, RegionId};
use crate::units::{GiB, Seconds, Usd};

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuotaUnit {
    /// Virtual CPUs (AWS).
    Vcpus,
    /// GPUs (Google Cloud).
    Gpus,
    /// Machines.
    Nodes,
}

impl QuotaUnit {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vcpus => "vcpus",
            Self::Gpus => "gpus",
            Self::Nodes => "nodes",
        }
    }
}

/// A cap over a group of instance types in a region.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// Name.
    pub id: QuotaId,
    /// Region.
    pub region: RegionId,
    /// Capacity type it caps.
    pub capacity_type: CapacityType,
    /// Instance types it counts, resolved and sorted.
    pub instance_types: Vec<InstanceTypeId>,
    /// Unit.
    pub unit: QuotaUnit,
    /// Cap.
    pub limit: f64,
}

/// The program that adds and removes nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeAutoscalerKind {
    /// Karpenter on EKS.
    Karpenter,
    /// Node pools with location policy and ComputeClass on GKE.
    Gke,
    /// Cluster autoscaler on AKS.
    Aks,
}

impl NodeAutoscalerKind {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Karpenter => "karpenter",
            Self::Gke => "gke",
            Self::Aks => "aks",
        }
    }
}

/// Delays of the node autoscaler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeAutoscaler {
    /// Which.
    pub kind: NodeAutoscalerKind,
    /// Pending pod to ready node, median.
    pub provision_p50: Seconds,
    /// Pending pod to ready node, 95th percentile.
    pub provision_p95: Seconds,
    /// An empty node is kept this long.
    pub consolidate_after: Seconds,
    /// Draining a node.
    pub drain: Seconds,
}

/// What of a node workloads cannot have: `allocatable = capacity x (1 - share) - vcpus - ram`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reserves {
    /// Share of CPUs and memory.
    pub share: f64,
    /// CPUs of daemon sets.
    pub vcpus: f64,
    /// Memory of daemon sets.
    pub ram: GiB,
    /// Share of visible GPU memory that an engine may use.
    pub gpu_memory_share: f64,
}

/// What comes on top of the price list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adders {
    /// Root disk and the like, dollars a node and hour.
    pub usd_per_node_hour: f64,
    /// Support, tax: a percentage of everything.
    pub percent: f64,
    /// Discount the user holds on list on-demand prices, percent.
    pub discount_percent: f64,
}

impl Adders {
    /// Nothing on top of the price list.
    pub const NONE: Self = Self { usd_per_node_hour: 0.0, percent: 0.0, discount_percent: 0.0 };
}

/// Spot risk where the scenario knows better than the prior.
#[derive(Clone, Debug, PartialEq)]
pub struct SpotRiskOverride {
    /// Machine shape.
    pub instance_type: InstanceTypeId,
    /// Region.
    pub region: RegionId,
    /// Share of time in which the pool supplies.
    pub availability: f64,
    /// Pool collapses an hour.
    pub reclaims_per_hour: f64,
    /// Own log or trace.
    pub evidence: SpotEvidence,
}

/// Risk conventions.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// Prior availability of a spot pool, 0.8.
    pub prior_availability: f64,
    /// Prior collapses of a spot pool an hour, 0.05.
    pub prior_reclaims_per_hour: f64,
    /// What the scenario knows of single pools.
    pub overrides: Vec<SpotRiskOverride>,
    /// Scarce accelerators may be released in windows and counted as fallback.
    pub allow_scarce_release: bool,
    /// Estimated operating points may be planned on.
    pub allow_estimated: bool,
}

impl Risk {
    /// Availability of a spot pool of which nothing is known.
    pub const PRIOR_AVAILABILITY: f64 = 0.8;
    /// Collapses an hour of a spot pool of which nothing is known.
    pub const PRIOR_RECLAIMS_PER_HOUR: f64 = 0.05;

    /// What a scenario plans on that says nothing of risk.
    #[must_use]
    pub const fn prior() -> Self {
        Self {
            prior_availability: Self::PRIOR_AVAILABILITY,
            prior_reclaims_per_hour: Self::PRIOR_RECLAIMS_PER_HOUR,
            overrides: Vec::new(),
            allow_scarce_release: false,
            allow_estimated: false,
        }
    }
}

/// What the user asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// Save this share of the baseline: 0.4 for `-40%`.
    Saving(f64),
    /// Spend at most this a month.
    Budget(Usd),
}
