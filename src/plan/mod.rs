//! The plan: the artefact that everything after the solver reads. Versioned, self-contained, every decision made.
//!
//! Emitters and reports read a [`Plan`] and nothing else; the checker reads it beside the scenario.

pub mod bundle;
pub mod diff;
pub mod from_solution;
pub mod money;
pub mod network;
pub mod outcome;
pub mod pool;
pub mod purchase;
pub mod replay;
pub mod robustness;
pub mod verification;
pub mod workload;

pub use bundle::{Bundle, BundleMember};
pub use diff::{PlanDiff, diff};
pub use network::{ClientDistance, NetworkOrigin, WorkloadNetwork};
pub use outcome::{
    Baseline, Binding, CommitmentCost, Comparator, CostBreakdown, Lever, NodeGroupCost, Optimality, Relaxation, Sensitivity, Stage,
    TargetOutcome,
};
pub use pool::{NodePool, PoolPartition, PoolSlice, SpotTerms};
pub use purchase::{Ending, Newsvendor, Purchase, PurchaseCover, Regret};
pub use robustness::{Alternative, Candidate, CaseOutcome, CaseWorkload, GivesUp, Hold, Robustness, Spread, StressReplay};
pub use verification::{ReplayEvidence, ReplayRound, ReplayedWorkload, Verification};
pub use workload::{
    BudgetUse, CapacityPoint, ChangeFromToday, ChosenSlice, ChosenVariant, ColdStartPlan, ErrorBudget, FlexPlan, FloorPlan, JobPlan,
    JobRunPlan, KubernetesTarget, QueuePlan, ResourceRequests, ScalingPlan, ServicePlan, SloPlan, Window, WorkloadPlan,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the plan format that this program writes and reads.
pub const PLAN_FORMAT: &str = "gpuplan/plan/v1";

/// The decided fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Always `gpuplan/plan/v1`.
    pub format: String,
    /// Scenario name.
    pub name: String,
    /// Made from the embedded example: never the user's own fleet.
    pub demo: bool,
    /// What has been proven about the promise.
    pub verification: Verification,
    /// Today's bill at the plan's prices.
    pub baseline: Baseline,
    /// Best single accelerator a workload, on demand, tuned HPA, batch nodes stopped when idle.
    pub competent_operations: Comparator,
    /// What the plan costs.
    pub cost: CostBreakdown,
    /// Share of the baseline that is saved: 0.41 is 41%.
    pub saving: f64,
    /// The target, if one was asked for.
    pub target: Option<TargetOutcome>,
    /// Least cost, bound and gap, and the stages after it.
    pub optimality: Optimality,
    /// Saving by lever on the least-cost plan (exact Shapley shares).
    pub levers: Vec<Lever>,
    /// What the least-cost plan becomes when an assumption is off.
    pub sensitivity: Vec<Sensitivity>,
    /// What the plan stands; only where a risk level or cases are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robustness: Option<Robustness>,
    /// Full plans within 2% of least cost that are best at something else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Alternative>,
    /// Sets of equal machines bought one way, sorted by name.
    pub pools: Vec<NodePool>,
    /// Workloads, sorted by name.
    pub workloads: Vec<WorkloadPlan>,
    /// Servers that several services share, sorted by name; their members are also among the workloads, with mode `bundled`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<Bundle>,
    /// Commitments that the plan buys, in the order in which they are credited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchases: Vec<Purchase>,
    /// Spans of the week with their own floors, sorted by workload and start.
    pub windows: Vec<Window>,
    /// Explanations for the reader, in a stable order.
    pub notes: Vec<String>,
    /// Where every input came from.
    pub provenance: Provenance,
}

/// Where every input came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Version of this program.
    pub gpuplan_version: String,
    /// Digest of the canonical, sorted scenario.
    pub scenario_sha256: String,
    /// Files that went in.
    pub inputs: Vec<InputDigest>,
    /// Prices used, sorted.
    pub prices: Vec<PriceOrigin>,
    /// Round trips and prices of traffic, where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<NetworkOrigin>,
    /// Solver and its version.
    pub solver: String,
    /// First day of the anchor week.
    pub anchor_monday: String,
    /// IANA zone of the report.
    pub time_zone: String,
    /// How a week becomes a month.
    pub weeks_to_month: String,
    /// Node autoscaler the files are written for: `karpenter`, `gke` or `aks`.
    pub node_autoscaler: String,
}

/// A file that went in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputDigest {
    /// Path relative to the scenario, or `builtin:` data.
    pub path: String,
    /// SHA-256.
    pub sha256: String,
}

/// A price and where it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceOrigin {
    /// `cloud/region/instance type/capacity type`.
    pub offering: String,
    /// List price.
    pub list_usd_per_hour: crate::units::UsdPerHour,
    /// What the plan pays: after discount, adders and percentage.
    pub usd_per_hour: crate::units::UsdPerHour,
    /// Source.
    pub source: String,
    /// Day of the price.
    pub as_of: String,
}
