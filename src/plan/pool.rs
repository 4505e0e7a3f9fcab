//! Node pools: sets of equal machines bought one way.

use crate::units::{Usd, UsdPerHour};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A set of equal machines bought one way, in one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodePool {
    /// Name: a DNS label, unique.
    pub name: String,
    /// `aws`, `gcp`, `azure`.
    pub cloud: String,
    /// Region.
    pub region: String,
    /// Zones it may use; empty: any of the region. A spot pool of single-GPU nodes spreads evenly over them.
    pub zones: Vec<String>,
    /// Machine shape.
    pub instance_type: String,
    /// GPU type.
    pub accelerator: String,
    /// GPUs a node.
    pub gpus_per_node: u32,
    /// Virtual CPUs a node.
    pub vcpus_per_node: f64,
    /// Memory a node.
    pub ram_gib_per_node: f64,
    /// `on-demand` or `spot`.
    pub capacity_type: String,
    /// `reserved`, `reliable` or `scarce`.
    pub assurance: String,
    /// Several replicas share a node, of several workloads; the count of nodes is constant over the week. Otherwise
    /// every replica has a node of its own, which comes and goes with it.
    pub shared: bool,
    /// Price of a node and hour; for spot the posted price.
    pub usd_per_hour: UsdPerHour,
    /// Price that the plan's cost uses: the same, or for spot the expected price with fallback and switching.
    pub planned_usd_per_hour: UsdPerHour,
    /// Spot terms; none for on-demand.
    pub spot: Option<SpotTerms>,
    /// Nodes that a commitment already pays for (on-demand pools).
    pub committed_nodes: u32,
    /// Fewest nodes at any hour, those of frozen workloads not counted.
    pub min_nodes: u32,
    /// Most nodes at any hour: the limit that is emitted, fallback for lost spot pools included.
    pub max_nodes: u32,
    /// Nodes in each hour of the week (UTC, Monday first). Whole and constant for shared pools; expected (fractional where a
    /// service may be asleep or a job ends inside the hour) for the others.
    pub nodes_by_hour: Vec<f64>,
    /// Paid node-hours a week beyond commitments, start-ups not included.
    pub paid_node_hours_per_week: f64,
    /// Node-hours a week that start-ups and tails of its workloads add; none in shared pools, whose nodes stay.
    pub start_up_node_hours_per_week: f64,
    /// What commitments that the plan buys take off its cost, a month (on-demand pools).
    #[serde(default, skip_serializing_if = "super::outcome::is_zero")]
    pub purchases_credit_usd_per_month: Usd,
    /// Cost of the pool, start-ups of its workloads included, less that credit.
    pub usd_per_month: Usd,
    /// Seconds that the node autoscaler keeps an empty node, as priced.
    pub consolidate_after_s: u32,
    /// Kubernetes labels of its nodes.
    pub labels: BTreeMap<String, String>,
    /// Kubernetes taints of its nodes, `key=value:effect`.
    pub taints: Vec<String>,
    /// Workloads that use it, sorted.
    pub workloads: Vec<String>,
    /// What happens when the pool is lost, in words (spot pools).
    pub when_lost: Option<String>,
    /// How its GPUs are cut into slices; none: they are whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PoolPartition>,
}

/// How the GPUs of a pool are cut. All nodes alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolPartition {
    /// `mig`, `mps` or `time-slicing`.
    pub technique: String,
    /// Name of the layout: of MIG that of the GPU operator's configuration.
    pub layout: String,
    /// Slices of a node, sorted by name.
    pub slices: Vec<PoolSlice>,
    /// The one team that may run here; none: every workload that shares with any.
    pub team: Option<String>,
}

/// Slices of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolSlice {
    /// Name.
    pub name: String,
    /// Kubernetes resource.
    pub resource: String,
    /// So many on one GPU.
    pub per_gpu: u32,
    /// Memory that an engine sees.
    pub memory_gib: f64,
}

/// Terms of a spot pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpotTerms {
    /// Share of time in which the pool can supply.
    pub availability: f64,
    /// Collapses an hour of the pool in one zone.
    pub reclaims_per_hour: f64,
    /// `own-log`, `trace`, `advisor-band` or `prior`.
    pub evidence: String,
    /// Zones that its nodes spread over: the loss of one takes this share.
    pub zones_spread: u32,
    /// Seconds of notice.
    pub notice_s: f64,
    /// Pool that takes its replicas over.
    pub fallback_pool: Option<String>,
    /// Price an hour of the fallback capacity of one node.
    pub fallback_usd_per_hour: UsdPerHour,
    /// Paid hours that one reclaim wastes.
    pub switch_hours: f64,
}
