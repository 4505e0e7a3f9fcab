//! The money side of a plan: baselines, cost, target, stages, levers, sensitivities.

use crate::units::{Usd, UsdPerHour};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Today's bill at the plan's prices (the inventory baseline).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Total.
    pub usd_per_month: Usd,
    /// `inventory` until a replayed baseline exists.
    pub kind: String,
    /// By node group, sorted; nodes that a commitment covers cost nothing here.
    pub node_groups: Vec<NodeGroupCost>,
    /// Commitments, charged in full on both sides.
    pub commitments: Vec<CommitmentCost>,
    /// Traffic that leaves regions; only where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_usd_per_month: Option<Usd>,
    /// Bytes that starts pull through NAT gateways; only where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_up_bytes_usd_per_month: Option<Usd>,
}

/// A node group of today.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeGroupCost {
    /// Name.
    pub name: String,
    /// Machine shape.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// `on-demand` or `spot`.
    pub capacity_type: String,
    /// Mean machines.
    pub nodes: f64,
    /// Machines that a commitment pays for.
    pub committed_nodes: u32,
    /// Paid beyond the commitment.
    pub usd_per_month: Usd,
    /// Workloads that run there.
    pub workloads: Vec<String>,
    /// Why it is there.
    pub reason: String,
}

/// A commitment: paid whatever the plan does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitmentCost {
    /// Name.
    pub name: String,
    /// Machine shape it covers.
    pub instance_type: String,
    /// Region it covers.
    pub region: String,
    /// Machines.
    pub nodes: u32,
    /// Price a machine and hour.
    pub usd_per_hour: UsdPerHour,
    /// Paid a month.
    pub usd_per_month: Usd,
    /// Node-hours a week that the plan leaves unused; 0 in a baseline.
    pub stranded_node_hours_per_week: f64,
    /// Last day.
    pub expires: String,
}

/// Another way to run the same fleet, for comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparator {
    /// Total, commitments included.
    pub usd_per_month: Usd,
    /// What the rules are.
    pub rules: String,
    /// Saving over the inventory baseline, as a share.
    pub saving: f64,
}

/// What the plan costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostBreakdown {
    /// Total: on-demand + spot + commitments, held and bought, and where they are priced traffic and bytes of starts.
    pub usd_per_month: Usd,
    /// On-demand pools beyond commitments, start-ups included.
    pub on_demand_usd_per_month: Usd,
    /// Spot pools at their expected price (fallback and switching included), start-ups included.
    pub spot_usd_per_month: Usd,
    /// Commitments, in full.
    pub commitments_usd_per_month: Usd,
    /// Commitments that the plan buys, in full; what they save is taken off the on-demand pools.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purchases_usd_per_month: Usd,
    /// Part of the above that pays for boot, pull, load, drain and consolidation delay.
    pub start_up_usd_per_month: Usd,
    /// Traffic that leaves regions; only where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_usd_per_month: Option<Usd>,
    /// Bytes that starts pull through NAT gateways; only where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_up_bytes_usd_per_month: Option<Usd>,
    /// Commitments one by one.
    pub commitments: Vec<CommitmentCost>,
    /// Part of the plan's pool cost by evidence class of the operating points: measured, fitted, estimated.
    pub by_evidence_usd_per_month: std::collections::BTreeMap<String, Usd>,
}

/// Left out of a file where it is nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
pub(super) fn is_zero(usd: &Usd) -> bool {
    *usd == Usd::ZERO
}

/// How the plan stands to the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetOutcome {
    /// As asked: `-40%` or `budget $30,000`.
    pub requested: String,
    /// Cost to reach.
    pub usd_per_month: Usd,
    /// Margin kept below it by the safety stages, as a share of the baseline.
    pub margin: f64,
    /// Reached by this plan.
    pub met: bool,
    /// Dollars above the target; 0 when met.
    pub missed_by_usd_per_month: Usd,
    /// The proven bound lies above the target: no plan under these limits can reach it.
    pub provably_impossible: bool,
    /// Limits that hold the cost up, dearest first.
    pub binding: Vec<Binding>,
    /// Cheapest declared relaxations, best first; only when missed.
    pub relaxations: Vec<Relaxation>,
}

/// A limit that binds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Constraint family or rule.
    pub limit: String,
    /// What it touches.
    pub subject: String,
    /// In words, with numbers.
    pub detail: String,
}

/// One declared step of one limit and what it would save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relaxation {
    /// `slo`, `quota`, `spot_share`, `region`, `precision`, `estimated`, `scarce`.
    pub kind: String,
    /// Workload or quota.
    pub subject: String,
    /// The edit of the scenario, in words.
    pub change: String,
    /// The edit of the scenario as path and value, applied by hand to reproduce.
    pub set: Vec<ScenarioEdit>,
    /// Cost of the re-solved plan.
    pub usd_per_month: Usd,
    /// Saving over the least-cost plan.
    pub saves_usd_per_month: Usd,
}

/// One edit of a scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioEdit {
    /// Dotted path, for example `workloads.chat-70b.slo.ttft_ms`.
    pub path: String,
    /// New value as YAML text.
    pub value: String,
}

/// Least cost with its proof, and the safety stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Optimality {
    /// Cost of the least-cost plan.
    pub usd_per_month: Usd,
    /// Proven: no plan of the full problem (whole nodes, starts, windows) costs less.
    pub bound_usd_per_month: Usd,
    /// `(cost - bound) / cost` of the least-cost plan.
    pub gap: f64,
    /// `optimal`, `within-gap` or `limit`.
    pub outcome: String,
    /// Stages in order: `least_cost`, then with a target that is met `least_exposure`, `fewest_changes`.
    pub stages: Vec<Stage>,
}

/// One stage of the solve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// `least_cost`, `least_exposure`, `fewest_changes`.
    pub name: String,
    /// `usd_per_month`, `spot_gpu_hours_x_hazard_per_week`, `changed_nodes`.
    pub unit: String,
    /// Value of the plan after this stage.
    pub value: f64,
    /// Proven lower bound of the stage's problem.
    pub bound: f64,
    /// `(value - bound) / value`, 0 when the value is 0.
    pub gap: f64,
    /// Cost of the plan after this stage.
    pub usd_per_month: Usd,
}

/// Saving of one lever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lever {
    /// `right_sizing`, `autoscaling`, `spot`, `placement`, and where the scenario offers them `sharing`, `commitments`, `regions`; `precision` apart.
    pub name: String,
    /// Shapley share of the saving (for `precision`: what leaving it out would cost).
    pub usd_per_month: Usd,
    /// Saving of this lever alone over the inventory.
    pub first_in_usd_per_month: Usd,
    /// What is lost when only this lever is taken away.
    pub last_in_usd_per_month: Usd,
    /// Counted in the sum of levers.
    pub counted: bool,
}

/// What the least-cost plan becomes when an assumption is off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sensitivity {
    /// `capacity -10%`, `demand +20%`, `spot price +50%`, `reclaim hazard x0.1` ...
    pub name: String,
    /// Cost of the least-cost plan under the changed assumption; `None`: no feasible plan.
    pub usd_per_month: Option<Usd>,
    /// Saving over the same baseline.
    pub saving: Option<f64>,
    /// The target would still be met; `None` without a target.
    pub target_met: Option<bool>,
}
