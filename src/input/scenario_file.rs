//! `scenario.yaml` as it is written: format `gpuplan/scenario/v1`. Workloads are in `workload_file`.

use super::at::At;
use super::network_file::NetworkFile;
use super::purchase_file::BuyFile;
use super::uncertainty_file::{RiskLevelFile, UncertaintyFile};
use super::workload_file::WorkloadFile;
use schemars::JsonSchema;
use serde::Deserialize;

/// The version of the scenario format that this program reads.
pub const SCENARIO_FORMAT: &str = "gpuplan/scenario/v1";

/// A scenario: what runs, what is asked of it, where it may run and what is paid today.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Always `gpuplan/scenario/v1`.
    pub format: At<String>,
    /// Name: lower-case letters, digits and dashes.
    pub name: At<String>,
    /// Free text for the reader.
    pub description: Option<String>,
    /// IANA time zone of the report, and of the workloads that name none, for example `America/New_York`.
    pub time_zone: At<String>,
    /// First day of the anchor week, a Monday: fixes the zones' offsets. Default 2026-01-12.
    pub anchor_monday: Option<At<String>>,
    /// Cloud regions that may be used.
    pub regions: At<Vec<At<String>>>,
    /// Default target; the command line goes before it.
    pub target: Option<At<TargetFile>>,
    /// What runs and is paid for today.
    pub baseline: Option<BaselineFile>,
    /// Commitments that the plan may buy. Default: none.
    pub commitments_to_buy: Option<At<BuyFile>>,
    /// Served models and jobs.
    pub workloads: At<Vec<WorkloadFile>>,
    /// Caps of the clouds on what may run at once.
    #[serde(default)]
    pub quotas: Vec<QuotaFile>,
    /// The program that adds and removes nodes. Default: the usual one of the region's cloud.
    pub node_autoscaler: Option<At<NodeAutoscalerFile>>,
    /// What of a node workloads cannot have.
    pub reserves: Option<ReservesFile>,
    /// What comes on top of the price list.
    pub adders: Option<AddersFile>,
    /// Discount held on list on-demand prices, percent. Default 0.
    pub discount_percent: Option<At<f64>>,
    /// Workloads that stay exactly as they are.
    #[serde(default)]
    pub freeze: Vec<At<String>>,
    /// Most workloads that may change.
    pub max_changes: Option<At<u32>>,
    /// Risk conventions.
    pub risk: Option<RiskFile>,
    /// Cases that the plan is held against. Default: a set of six, see `docs/mathematics.md`.
    pub uncertainty: Option<At<UncertaintyFile>>,
    /// Prices that are better known than the catalogue's.
    #[serde(default)]
    pub prices: Vec<PriceFile>,
    /// What distance costs: round trips, traffic, bytes of starts. Without it regions differ by their machines alone.
    pub network: Option<NetworkFile>,
    /// File of calibrated capacity tables, as `gpuplan calibrate` writes it. Default: none, closed forms are used.
    pub capacity_tables: Option<At<String>>,
}

/// What is asked for: exactly one of the two.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// Save this percentage of today's bill.
    pub saving_percent: Option<At<f64>>,
    /// Spend at most this, dollars a month.
    pub budget_usd_per_month: Option<At<f64>>,
}

/// What runs and is paid for today.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineFile {
    /// Sets of equal machines.
    #[serde(default)]
    pub node_groups: Vec<NodeGroupFile>,
    /// Discounts already held.
    #[serde(default)]
    pub commitments: Vec<CommitmentFile>,
}

/// How a node is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityTypeFile {
    /// By the hour, not taken back.
    OnDemand,
    /// Cheaper, and taken back when the cloud wants it.
    Spot,
}

/// A set of equal machines that run today.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeGroupFile {
    /// Name.
    pub name: At<String>,
    /// The cloud's machine type, for example `g6e.xlarge`.
    pub instance_type: At<String>,
    /// Region.
    pub region: At<String>,
    /// How it is bought.
    pub capacity_type: CapacityTypeFile,
    /// Machines, the mean over the week; an autoscaled group may have 2.6.
    pub nodes: At<f64>,
    /// Most machines at any time. Default: `nodes`, rounded up.
    pub max_nodes: Option<At<u32>>,
    /// Why it is there, for the reader.
    #[serde(default)]
    pub reason: String,
}

/// A discount already held: paid whatever the plan does, free at the margin.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitmentFile {
    /// Name.
    pub name: At<String>,
    /// Machine type it covers.
    pub instance_type: At<String>,
    /// Region it covers.
    pub region: At<String>,
    /// Machines covered.
    pub nodes: At<u32>,
    /// Paid a machine and hour, used or not.
    pub usd_per_hour: At<f64>,
    /// Last day, `YYYY-MM-DD`.
    pub expires: At<String>,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaUnitFile {
    /// Virtual CPUs (AWS).
    Vcpus,
    /// GPUs (Google Cloud).
    Gpus,
    /// Machines.
    Nodes,
}

/// A cap over a group of machine types in a region.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaFile {
    /// Name.
    pub name: At<String>,
    /// Region.
    pub region: At<String>,
    /// Capacity type it caps.
    pub capacity_type: CapacityTypeFile,
    /// Families it counts, for example `[g5, g6e]`, or `[g]` for all of AWS's G generations.
    pub families: Option<At<Vec<At<String>>>>,
    /// Or the machine types themselves.
    pub instance_types: Option<At<Vec<At<String>>>>,
    /// What it counts.
    pub unit: QuotaUnitFile,
    /// The cap.
    pub limit: At<f64>,
}

/// Node autoscalers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeAutoscalerKindFile {
    /// Karpenter on EKS.
    Karpenter,
    /// Node pools on GKE.
    Gke,
    /// Cluster autoscaler on AKS.
    Aks,
}

/// The program that adds and removes nodes, and its delays.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeAutoscalerFile {
    /// Which.
    pub kind: NodeAutoscalerKindFile,
    /// Pending pod to ready node, median, seconds. Default 120.
    pub provision_p50_s: Option<At<f64>>,
    /// Pending pod to ready node, 95th percentile, seconds. Default 300.
    pub provision_p95_s: Option<At<f64>>,
    /// An empty node is kept this long, seconds. Default 60.
    pub consolidate_after_s: Option<At<f64>>,
    /// Draining a node, seconds. Default 30.
    pub drain_s: Option<At<f64>>,
}

/// What of a node workloads cannot have.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservesFile {
    /// Share of CPUs and memory. Default 0.10.
    pub share: Option<At<f64>>,
    /// CPUs of daemon sets. Default 1.
    pub vcpus: Option<At<f64>>,
    /// Memory of daemon sets, GiB. Default 2.
    pub ram_gib: Option<At<f64>>,
    /// Share of visible GPU memory that an engine may use. Default 0.9.
    pub gpu_memory_share: Option<At<f64>>,
}

/// What comes on top of the price list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddersFile {
    /// Root disk and the like, dollars a node and hour. Default 0.
    pub usd_per_node_hour: Option<At<f64>>,
    /// Support, tax: a percentage of everything. Default 0.
    pub percent: Option<At<f64>>,
}

/// Risk conventions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskFile {
    /// How much of a surprise the plan must stand; `--risk` goes before it. Default: none is planned for, and nothing is said.
    pub level: Option<RiskLevelFile>,
    /// Share of time in which a spot pool of which nothing is known can supply. Default 0.8.
    pub prior_availability: Option<At<f64>>,
    /// Collapses of such a pool an hour. Default 0.05.
    pub prior_reclaims_per_hour: Option<At<f64>>,
    /// Scarce accelerators (A100 and larger) may be released in windows and counted as fallback. Default false.
    #[serde(default)]
    pub allow_scarce_release: bool,
    /// Estimated operating points may be planned on. Default false.
    #[serde(default)]
    pub allow_estimated: bool,
    /// Pools of which the scenario knows more.
    #[serde(default)]
    pub pools: Vec<SpotPoolFile>,
}

/// Where knowledge of a spot pool comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PoolEvidenceFile {
    /// Your own interruption log.
    OwnLog,
    /// A collected availability trace.
    Trace,
}

/// What is known of a spot pool.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpotPoolFile {
    /// Machine type.
    pub instance_type: At<String>,
    /// Region.
    pub region: At<String>,
    /// Share of time in which it supplies.
    pub availability: At<f64>,
    /// Collapses an hour while it supplies.
    pub reclaims_per_hour: At<f64>,
    /// Where both come from.
    pub evidence: PoolEvidenceFile,
}

/// A price that is better known than the catalogue's.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceFile {
    /// Machine type.
    pub instance_type: At<String>,
    /// Region.
    pub region: At<String>,
    /// How it is bought.
    pub capacity_type: CapacityTypeFile,
    /// List price, dollars a machine and hour.
    pub usd_per_hour: At<f64>,
    /// Where it comes from.
    pub source: String,
    /// Day of the price, `YYYY-MM-DD`.
    pub as_of: At<String>,
}
