//! What a plan stands: its fate in every case, how far each workload holds, and what standing more than the expected case costs.

use crate::units::Usd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the plan stands, and how it was chosen for that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Robustness {
    /// `low`, `medium` or `high`.
    pub level: String,
    /// Factor on the demand of every service that the level stands.
    pub required_demand_factor: f64,
    /// Factor on the work of every job that the level stands.
    pub required_work_factor: f64,
    /// Every workload that is planned holds what the level asks for.
    pub held: bool,
    /// Cost of the cases, $ a month.
    pub usd_per_month: Spread,
    /// Share of requests that meet their limits over all services, by case.
    pub attainment: Spread,
    /// Cost of this plan less that of the plan for `low`, $ a month.
    pub insurance_usd_per_month: Usd,
    /// Dollars of expected cost that a dollar of the worst cases counts as.
    pub tail_weight: f64,
    /// Plans that were weighed, in the order in which they were made; the first is that for `low`.
    pub candidates: Vec<Candidate>,
    /// This plan in every case, unchanged.
    pub cases: Vec<CaseOutcome>,
    /// How far each planned workload holds, sorted by name.
    pub holds: Vec<Hold>,
    /// Who gives up first as the demand grows; none where nothing is planned.
    pub gives_up_first: Option<GivesUp>,
    /// The files replayed at the demand that `high` stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<StressReplay>,
}

/// A number over the cases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Mean by probability.
    pub expected: f64,
    /// Worst case.
    pub worst: f64,
    /// Mean of the worst twentieth (conditional value at risk at 95%).
    pub cvar_95: f64,
}

/// A plan that was weighed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// What it was planned for.
    pub name: String,
    /// Cost as planned, $ a month.
    pub usd_per_month: Usd,
    /// Mean cost over the cases, $ a month.
    pub expected_usd_per_month: f64,
    /// Mean cost of the worst twentieth, $ a month.
    pub cvar_95_usd_per_month: f64,
    /// Holds what the level asks for.
    pub held: bool,
    /// It is this plan.
    pub chosen: bool,
}

/// The plan in one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseOutcome {
    /// Name.
    pub name: String,
    /// Probability.
    pub probability: f64,
    /// Factor on demand and work.
    pub demand_factor: f64,
    /// Factor on the peaks of services as well.
    pub burst_factor: f64,
    /// Factor on posted spot prices.
    pub spot_price_factor: f64,
    /// Factor on the reclaim hazard.
    pub hazard_factor: f64,
    /// Factor on the availability of spot pools.
    pub availability_factor: f64,
    /// Cost, commitments included.
    pub usd_per_month: Usd,
    /// Share of the unchanged baseline that is saved.
    pub saving: f64,
    /// Share of requests that meet their limits over all planned services (of runs, where there is no service).
    pub attainment: f64,
    /// By planned workload, sorted.
    pub workloads: Vec<CaseWorkload>,
}

/// A workload in one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseWorkload {
    /// Name.
    pub name: String,
    /// Share of requests within their limits, or of runs in time; a careful estimate from the capacity table.
    pub attainment: f64,
    /// That is the objective or more.
    pub met: bool,
}

/// How far a workload holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Workload.
    pub workload: String,
    /// Factor on its demand (work) that it was planned to hold.
    pub insured_factor: f64,
    /// Largest factor on its demand (work) with which the planning capacity still carries every hour (every run is in time).
    pub demand_factor: f64,
    /// That is what the level asks for, or more.
    pub held: bool,
    /// Replicas that its autoscaler may add to the most of any planned hour; 0 for who stands there.
    pub added_by_autoscaler: u32,
    /// Seconds until such a replica serves, p95; 0 where none comes.
    pub late_s: f64,
    /// What ends it, in words.
    pub limited_by: String,
}

/// Who gives up first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivesUp {
    /// Workload.
    pub workload: String,
    /// Factor on the demand above which it does not hold.
    pub demand_factor: f64,
}

/// The files replayed at a higher demand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StressReplay {
    /// Factor on every request rate.
    pub demand_factor: f64,
    /// Seeds.
    pub seeds: u32,
    /// Services and jobs, sorted by name.
    pub workloads: Vec<CaseWorkload>,
    /// The workload that is furthest below its objective; none where all hold.
    pub gives_up_first: Option<String>,
}

/// Another full plan that costs nearly as little.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// `fewest-instance-types`, `least-spot` or `fewest-changes`: what it is best at; its files are in `alternatives/`.
    pub name: String,
    /// Cost, commitments included.
    pub usd_per_month: Usd,
    /// Share of the baseline that is saved.
    pub saving: f64,
    /// Instance types in use.
    pub instance_types: Vec<String>,
    /// Spot GPU-hours a week times the hazard of their pools.
    pub spot_exposure: f64,
    /// Nodes taken away and added, against today.
    pub changed_nodes: u32,
    /// What differs from this plan, in words.
    pub differs: Vec<String>,
    /// What a replay of its own files said, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
}
