//! What a replay needs beside the emitted files: traffic, latency models, start-up stages, machines, and what runs today.
//!
//! Written as `replay.json` beside the plan, so that a plan can be replayed without the scenario that it was made from.

use crate::units::UsdPerHour;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the format that this program writes and reads.
pub const REPLAY_FORMAT: &str = "gpuplan/replay/v1";

/// Inputs of a replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayInputs {
    /// Always `gpuplan/replay/v1`.
    pub format: String,
    /// The mark of the plan that it belongs to: `UNVERIFIED: not replayed`.
    pub verification: String,
    /// Digest of the scenario, as in the plan's provenance.
    pub scenario_sha256: String,
    /// First day of the week, a Monday, `YYYY-MM-DD`.
    pub anchor_monday: String,
    /// Delays of the node autoscaler.
    pub nodes: NodeDelays,
    /// What of a node pods cannot have.
    pub reserves: NodeReserves,
    /// Machines that the plan or today's fleet uses, by (instance type, region, capacity type).
    pub machines: Vec<Machine>,
    /// Discounts already held.
    pub commitments: Vec<HeldCommitment>,
    /// Today's node groups.
    pub node_groups: Vec<TodayGroup>,
    /// Services, sorted by name.
    pub services: Vec<ServiceInputs>,
    /// Jobs, sorted by name.
    pub jobs: Vec<JobInputs>,
}

/// Delays of the node autoscaler, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeDelays {
    /// Pending pod to ready node.
    pub provision_s: Spread,
    /// An empty node stays.
    pub consolidate_after_s: f64,
    /// Draining a node.
    pub drain_s: f64,
}

/// Median and 95th percentile of a duration in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
}

/// `allocatable = capacity x (1 - share) - vcpus - ram`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeReserves {
    /// Share of CPUs and memory.
    pub share: f64,
    /// CPUs.
    pub vcpus: f64,
    /// Memory.
    pub ram_gib: f64,
}

/// A machine shape in a region, bought one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Machine shape.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// `on-demand` or `spot`.
    pub capacity_type: String,
    /// GPU type.
    pub accelerator: String,
    /// GPUs.
    pub gpus: u32,
    /// Virtual CPUs.
    pub vcpus: f64,
    /// Memory.
    pub ram_gib: f64,
    /// Zones that offer it; empty when unknown.
    pub zones: Vec<String>,
    /// What a node and hour cost: discount and adders in; for spot the posted price.
    pub usd_per_hour: UsdPerHour,
    /// Spot: share of time in which a pool (machine shape and zone) supplies.
    pub availability: Option<f64>,
    /// Spot: collapses of a pool an hour.
    pub reclaims_per_hour: Option<f64>,
    /// Seconds of notice before a spot node is taken back.
    pub notice_s: f64,
    /// The node is not had back easily once it is given up.
    pub scarce: bool,
}

/// A discount already held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldCommitment {
    /// Name.
    pub name: String,
    /// Machine shape.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// Machines.
    pub nodes: u32,
    /// Paid a machine and hour, used or not.
    pub usd_per_hour: UsdPerHour,
}

/// A node group of today.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TodayGroup {
    /// Name.
    pub name: String,
    /// Machine shape.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// `on-demand` or `spot`.
    pub capacity_type: String,
    /// Machines, the mean over the week.
    pub nodes: f64,
    /// Most machines.
    pub max_nodes: u32,
}

/// What a service is asked for and how it answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceInputs {
    /// Workload.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// IANA zone of its demand.
    pub time_zone: String,
    /// Requests.
    pub traffic: Traffic,
    /// Lengths; LLM services only.
    pub tokens: Option<TokenLengths>,
    /// Objective.
    pub slo: super::SloPlan,
    /// `random` or `least-loaded`.
    pub routing: String,
    /// `reject`, `hold` or `fallback`.
    pub cold_requests: String,
    /// The shortest timeout on a request's way.
    pub request_timeout_s: f64,
    /// The load metric, if there is one.
    pub metric: Option<LoadMetric>,
    /// Fewest replicas of today's autoscaler.
    pub min_replicas: u32,
    /// Polling interval, s.
    pub polling_s: f64,
    /// HPA scale-down stabilization, s.
    pub stabilization_s: f64,
    /// Stages of a replica's start.
    pub start_up: StartUp,
    /// Latency models of the variants in use.
    pub engines: Vec<Engine>,
    /// What distance adds and costs, where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkInputs>,
    /// Where it runs today.
    pub today: Option<TodayPlace>,
}

/// Requests of a week, by equal steps from Monday 00:00 in the workload's zone. Less than a week is repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Length of a step.
    pub step_s: u32,
    /// Mean rate of each step, requests a second.
    pub rate_rps: Vec<f64>,
    /// Squared coefficient of variation of inter-arrival times in each step; one entry holds for all.
    pub cv2: Vec<f64>,
    /// Prompt and answer lengths to draw from; empty: the laws that `tokens` gives.
    #[serde(default)]
    pub lengths: Vec<(u32, u32)>,
}

/// Token lengths.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenLengths {
    /// Mean prompt.
    pub input_mean: f64,
    /// 95th percentile of the prompt.
    pub input_p95: f64,
    /// Mean answer.
    pub output_mean: f64,
}

/// The PromQL that an autoscaler of the service may read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadMetric {
    /// Requests in flight plus queued.
    pub query: String,
    /// Its series exist without the service's pods.
    pub survives_pods: bool,
    /// Above zero for a while after any request, one that was turned away too.
    #[serde(default)]
    pub activity_query: Option<String>,
}

/// Serial stages from a node that is up to a replica that serves, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartUp {
    /// Pulling the image: once a node.
    pub image_pull_s: Spread,
    /// Loading the weights.
    pub weights_load_s: Spread,
    /// Starting the engine.
    pub engine_start_s: Spread,
}

/// A variant with its latency model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// GPU type.
    pub accelerator: String,
    /// GPUs of a replica.
    pub gpus_per_replica: u32,
    /// Precision.
    pub precision: String,
    /// Part of a GPU that a replica has; none: whole GPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// How the numbers were obtained.
    pub evidence: String,
    /// CPUs of a replica.
    pub vcpus: f64,
    /// Memory of a replica.
    pub ram_gib: f64,
    /// LLM engines.
    pub llm: Option<LlmEngine>,
    /// Request engines: knots of a closed-loop concurrency curve.
    pub knots: Option<Vec<RequestKnot>>,
}

/// Latency model of an LLM engine (see the profile format).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LlmEngine {
    /// Decode step, affine.
    pub affine: Option<AffineStep>,
    /// Decode step, measured.
    pub table: Option<StepTable>,
    /// Prefill, ms.
    pub prefill_gamma_ms: f64,
    /// Prefill, ms per 1,000 tokens.
    pub prefill_delta_ms_per_ktok: f64,
    /// Prefill, ms per (1,000 tokens)^2.
    pub prefill_zeta_ms_per_ktok2: f64,
    /// Most sequences together.
    pub max_batch: u32,
    /// Tokens that the KV cache holds.
    pub max_kv_tokens: f64,
}

/// `alpha + (beta + eps c) b` ms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AffineStep {
    /// alpha.
    pub alpha_ms: f64,
    /// beta.
    pub beta_ms: f64,
    /// eps, per 1,000 tokens.
    pub eps_ms_per_ktok: f64,
}

/// Decode steps by batch and context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepTable {
    /// Batch sizes.
    pub batch: Vec<f64>,
    /// Context lengths.
    pub context_tokens: Vec<f64>,
    /// A row for each batch size.
    pub step_ms: Vec<Vec<f64>>,
}

/// A knot of a concurrency curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestKnot {
    /// Requests in flight.
    pub concurrency: f64,
    /// Completed a second.
    pub rate_per_s: f64,
    /// Median latency.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
}

/// Where a workload runs today.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TodayPlace {
    /// Node group.
    pub node_group: String,
    /// Replicas or workers.
    pub replicas: u32,
    /// GPUs of each.
    pub gpus_per_replica: u32,
    /// Accelerator.
    pub accelerator: String,
    /// Precision.
    pub precision: String,
}

/// What a job has to do and how fast its gangs are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobInputs {
    /// Workload.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// IANA zone.
    pub time_zone: String,
    /// Workers need each other (a gang); otherwise each takes work on its own.
    pub gang: bool,
    /// Work units of one run.
    pub work_per_run: f64,
    /// Runs of the week.
    pub runs: Vec<RunWindow>,
    /// Checkpoints.
    pub checkpoint: Option<CheckpointCost>,
    /// Stages of a worker's start.
    pub start_up: StartUp,
    /// Throughput of the gangs in use.
    pub gangs: Vec<GangRate>,
    /// Its work waits in a queue.
    pub queued: bool,
    /// What bytes of starts cost, where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkInputs>,
    /// Where it runs today.
    pub today: Option<TodayPlace>,
}

/// When a run may start and must be done, hours after Monday 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunWindow {
    /// Earliest start.
    pub release_hour: u32,
    /// Latest end; above 168 in the next week.
    pub deadline_hour: u32,
}

/// Cost of checkpoints, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckpointCost {
    /// Writing one.
    pub save_s: f64,
    /// From a restart to progress.
    pub restart_s: f64,
}

/// Speed of a gang, as measured (no derate).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GangRate {
    /// GPU type.
    pub accelerator: String,
    /// Precision.
    pub precision: String,
    /// GPUs of a worker.
    pub gpus_per_worker: u32,
    /// CPUs of a worker.
    pub vcpus: f64,
    /// Memory of a worker.
    pub ram_gib: f64,
    /// Workers.
    pub workers: u32,
    /// Units a second of the whole gang.
    pub units_per_s: f64,
}

/// What a workload sends and pulls, and what that costs in each region that it may be replayed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkInputs {
    /// Container image, pulled once a node.
    pub image_gib: f64,
    /// Weights, loaded by each replica.
    pub weights_gib: f64,
    /// By region: the plan's and today's.
    pub regions: Vec<RegionTerms>,
}

/// A region as a workload's clients and starts see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionTerms {
    /// Region.
    pub region: String,
    /// Where requests come from; empty: not known, nothing is added.
    pub clients: Vec<ClientWay>,
    /// Traffic of a mean request.
    pub usd_per_request: f64,
    /// Bytes that starts pull.
    pub usd_per_start_gib: f64,
}

/// A share of the requests and its round trip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientWay {
    /// Share of the requests.
    pub share: f64,
    /// Round trip.
    pub round_trip_ms: f64,
}
