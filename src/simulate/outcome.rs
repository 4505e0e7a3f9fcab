//! What a replay found: attainment, latencies, the bill, deadlines, and the verdict. Plain values; what the screen, the JSON and the
//! report show.

use crate::units::Usd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the format.
pub const SIMULATION_FORMAT: &str = "gpuplan/simulation/v1";

/// A replay of one configuration over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Simulation {
    /// Always `gpuplan/simulation/v1`.
    pub format: String,
    /// Plan that was replayed.
    pub name: String,
    /// The embedded example: never the user's own fleet.
    pub demo: bool,
    /// `verified`: the plan's own files, in the week that it was made for; `holds`: all objectives hold, in another week or with other
    /// files; or `missed`.
    pub verdict: String,
    /// Why not, one line each; empty when verified.
    pub reasons: Vec<String>,
    /// Where the files say something else than the plan, one line each.
    pub differences: Vec<String>,
    /// How it was replayed.
    pub method: Method,
    /// Services and jobs, sorted by name.
    pub workloads: Vec<WorkloadOutcome>,
    /// The bill that the files produce.
    pub bill: Bill,
    /// The bill that the plan states.
    pub plan: PlannedBill,
    /// Today's configuration on the same traffic and seeds.
    pub baseline: Option<BaselineOutcome>,
    /// The competent-operations comparator on the same traffic and seeds.
    pub competent_operations: Option<BaselineOutcome>,
    /// Saving against the replayed baseline.
    pub saving: Option<SavingOutcome>,
    /// Requests that were simulated, over all seeds.
    pub requests_simulated: u64,
    /// Time that the replay took; 0 in what is stored, where equal inputs give equal bytes.
    pub wall_seconds: f64,
}

/// How a configuration was replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Seeds.
    pub seeds: u32,
    /// First seed.
    pub first_seed: u64,
    /// `week`: every hour; `stratified`: a share of the hours, and all with the peak or a reclaim, weighted to the week.
    pub sampling: String,
    /// First day of the week that is replayed.
    pub week_of: String,
    /// Hours of the horizon.
    pub hours: u32,
    /// Reclaim hazard as a multiple of the plan's.
    pub hazard_factor: f64,
    /// Demand as a multiple of the scenario's.
    pub demand_factor: f64,
    /// What was broken on purpose.
    pub fault: Option<String>,
}

/// What became of one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadOutcome {
    /// Name.
    pub name: String,
    /// `service` or `job`.
    pub kind: String,
    /// The server that it shares with others: replicas, starts and evictions are the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Share of requests (runs for a job) that must meet their limits.
    pub slo_target: f64,
    /// Share that did, over all seeds.
    pub attainment: f64,
    /// Lower end of its 95% confidence interval over seeds.
    pub attainment_ci_low: f64,
    /// Upper end.
    pub attainment_ci_high: f64,
    /// The objective holds: a service's lower end is at or above its target.
    pub met: bool,
    /// Requests that arrived, or runs that were due, weighted to the whole horizon and all seeds.
    pub arrived: f64,
    /// By fate, weighted.
    pub fates: Fates,
    /// Time to first token; LLM services only.
    pub ttft_ms: Option<Percentiles>,
    /// Time per output token; LLM services only.
    pub tpot_ms: Option<Percentiles>,
    /// Whole request.
    pub latency_ms: Option<Percentiles>,
    /// Replica-hours ready, a week, mean over seeds.
    pub replica_hours_per_week: f64,
    /// Starts of replicas a week, mean over seeds.
    pub starts_per_week: f64,
    /// Replicas that had to go with their node, a week, mean over seeds.
    pub evictions_per_week: f64,
    /// Hours of the week with the most misses: `Mon 13:00` UTC and their share of all misses.
    pub worst_hours: Vec<WorstHour>,
    /// Ten-minute timeline of the first seed.
    pub timeline: Vec<Moment>,
}

/// What became of requests, weighted to the horizon, all seeds together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fates {
    /// Answered within the limits.
    pub met: f64,
    /// Answered, but late.
    pub late: f64,
    /// Given up after the timeout on the way.
    pub timed_out: f64,
    /// Found no replica and were turned away.
    pub rejected: f64,
    /// Found no replica and went to the other endpoint: a miss of this service.
    pub fallen_back: f64,
    /// Lost with a replica that had to go.
    pub lost: f64,
    /// Too large for any replica.
    pub dropped: f64,
    /// Of all of these, found no replica when they came (cold hits).
    pub cold: f64,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 95th.
    pub p95: f64,
    /// 99th.
    pub p99: f64,
}

/// An hour with many misses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorstHour {
    /// `Mon 13:00`, UTC.
    pub hour: String,
    /// Share of the workload's misses.
    pub share_of_misses: f64,
    /// Attainment in that hour.
    pub attainment: f64,
}

/// Ten minutes of one workload.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Seconds after Monday 00:00 UTC.
    pub t_s: i64,
    /// Demand, requests a second.
    pub demand_rps: f64,
    /// Replicas that serve.
    pub ready: u32,
    /// Replicas wanted.
    pub wanted: u32,
    /// Requests in flight and queued; none where the moment was not sampled.
    pub in_flight: Option<u32>,
}

/// A bill a month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bill {
    /// Total, commitments in full.
    pub usd_per_month: Usd,
    /// Lower end of its 95% confidence interval over seeds.
    pub usd_per_month_ci_low: Usd,
    /// Upper end.
    pub usd_per_month_ci_high: Usd,
    /// On-demand nodes beyond commitments.
    pub on_demand_usd_per_month: Usd,
    /// Spot nodes.
    pub spot_usd_per_month: Usd,
    /// Commitments.
    pub commitments_usd_per_month: Usd,
    /// Traffic, where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_usd_per_month: Option<Usd>,
    /// Bytes of starts that happened, where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_up_bytes_usd_per_month: Option<Usd>,
    /// Node-hours a week by pool, mean over seeds.
    pub pools: Vec<PoolBill>,
}

/// Nodes of one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolBill {
    /// Pool.
    pub name: String,
    /// `on-demand` or `spot`.
    pub capacity_type: String,
    /// Node-hours a week.
    pub node_hours_per_week: f64,
    /// Dollars a month beyond commitments.
    pub usd_per_month: Usd,
}

/// What the plan says it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedBill {
    /// Total.
    pub usd_per_month: Usd,
    /// The replayed bill over it, less one.
    pub off_by: f64,
}

/// Another configuration on the same traffic and seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineOutcome {
    /// Bill as replayed.
    pub usd_per_month: Usd,
    /// Bill as counted from the inventory, or as planned.
    pub counted_usd_per_month: Usd,
    /// Replayed over counted, less one.
    pub off_by: f64,
    /// Services: name, target, attainment.
    pub workloads: Vec<BaselineWorkload>,
    /// How the configuration was read, one line each.
    pub notes: Vec<String>,
}

/// A workload in another configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineWorkload {
    /// Name.
    pub name: String,
    /// Target.
    pub slo_target: f64,
    /// Attainment.
    pub attainment: f64,
}

/// What the plan saves against the replayed baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavingOutcome {
    /// Share of the replayed baseline; none where the baseline is more than 5% off the inventory.
    pub share: Option<f64>,
    /// Why there is none.
    pub withheld: Option<String>,
    /// 5th percentile over resampled seeds and days.
    pub p5: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// Probability that the target is met and every objective holds, over resampled seeds and days.
    pub p_target_and_slos: Option<f64>,
    /// The same with reclaim hazards times 0.1, 1 and 10.
    pub by_hazard: Vec<HazardOutcome>,
}

/// The plan under another reclaim hazard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HazardOutcome {
    /// Factor.
    pub factor: f64,
    /// Bill.
    pub usd_per_month: Usd,
    /// Saving against the replayed baseline.
    pub saving: f64,
    /// Every objective holds.
    pub met: bool,
}
