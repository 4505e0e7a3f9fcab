//! What the plan decides for each workload.

use crate::units::Usd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The decision for one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadPlan {
    /// Name.
    pub name: String,
    /// `service`, `batch` or `training`.
    pub kind: String,
    /// Profile.
    pub profile: String,
    /// Owner.
    pub team: String,
    /// Cost centre.
    pub cost_center: String,
    /// Kubernetes side.
    pub kubernetes: KubernetesTarget,
    /// Accelerator, precision, evidence.
    pub variant: ChosenVariant,
    /// `static`, `scheduled`, `reactive` for services; `placed` for jobs; `frozen` when left as it is.
    pub mode: String,
    /// Service decisions; none for jobs.
    pub service: Option<ServicePlan>,
    /// Job decisions; none for services.
    pub job: Option<JobPlan>,
    /// Where it runs, how far from its clients, and what that costs; only where the scenario has `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<super::WorkloadNetwork>,
    /// Cost of its share of the pools, start-ups, traffic and bytes included; commitments are not shared out.
    pub usd_per_month: Usd,
    /// Its cost today: its share of the node groups' bill, and its traffic and bytes; commitments not included.
    pub baseline_usd_per_month: Usd,
    /// What changes.
    pub change: ChangeFromToday,
    /// Why this and not something else, in words.
    pub why: Vec<String>,
}

/// Where a workload lives in Kubernetes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubernetesTarget {
    /// Namespace.
    pub namespace: String,
    /// The user's own Deployment that is patched; none: a whole one is emitted.
    pub scale_target: Option<String>,
    /// Container image of an emitted Deployment or job.
    pub image: String,
    /// IANA zone of its schedules.
    pub time_zone: String,
}

/// The chosen operating point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenVariant {
    /// GPU type.
    pub accelerator: String,
    /// GPUs of a replica.
    pub gpus_per_replica: u32,
    /// Precision.
    pub precision: String,
    /// Engine.
    pub engine: String,
    /// `measured`, `fitted`, `estimated`.
    pub evidence: String,
    /// Source of the numbers and their day.
    pub source: String,
    /// Share of capacity not planned on.
    pub derate: f64,
    /// Part of a GPU that a replica has; none: whole GPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<ChosenSlice>,
    /// Requests of the replica's pod.
    pub requests: ResourceRequests,
}

/// Part of a GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenSlice {
    /// Name: a MIG profile, `mps-4`, `time-slicing-2`.
    pub name: String,
    /// `mig`, `mps` or `time-slicing`.
    pub technique: String,
    /// Kubernetes resource; a replica asks for one.
    pub resource: String,
    /// Share of the card.
    pub share: f64,
    /// Share of its part of the card that it is planned to deliver; 1 where the slice itself was measured.
    pub delivered: f64,
    /// Whom the owner lets it share with, and what must keep them apart.
    pub share_with: String,
    /// `hardware`, `memory` or `none`.
    pub isolation: String,
}

/// Resources of one replica.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceRequests {
    /// CPUs.
    pub vcpus: f64,
    /// Memory.
    pub ram_gib: f64,
    /// GPUs.
    pub gpus: u32,
    /// Memory used on each GPU.
    pub gpu_memory_gib: f64,
}

/// Decisions for a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServicePlan {
    /// The objective.
    pub slo: SloPlan,
    /// The on-demand floor.
    pub floor: FloorPlan,
    /// The elastic part; none when all replicas are in the floor.
    pub flex: Option<FlexPlan>,
    /// Factor on the demand's peaks that the planning load was raised by after a replay missed; 1 otherwise.
    pub load_factor: f64,
    /// Planning load in each hour of the week (UTC), requests a second: what the replicas of the hour must carry.
    pub planning_load_rps: Vec<f64>,
    /// Mean load in each hour (UTC), requests a second.
    pub mean_load_rps: Vec<f64>,
    /// Floor replicas in each hour (UTC).
    pub floor_by_hour: Vec<u32>,
    /// Flex replicas in each hour (UTC); in an hour that may be at zero, the count when awake.
    pub flex_by_hour: Vec<u32>,
    /// Share of each hour in which the flex replicas are expected to run: 1 except in hours that may be at zero.
    pub awake_share_by_hour: Vec<f64>,
    /// Replica starts a week that the schedule causes, expected wakes from zero included.
    pub starts_per_week: f64,
    /// Capacity table used: the rate that n replicas sustain at the planning percentile.
    pub capacity: Vec<CapacityPoint>,
    /// Where the table comes from: `calibrated` (simulated, `gpuplan calibrate`) or `closed-form`, of a server with several models `mix`; of a frozen service, of
    /// which nothing is promised, `closed-form`.
    pub capacity_source: String,
    /// Rate one replica survives without falling behind (used when a pool is lost), requests a second.
    pub stable_rps_per_replica: f64,
    /// Burst class and routing behind the capacity table.
    pub burst: String,
    /// `random` or `least-loaded`.
    pub routing: String,
    /// Autoscaler settings.
    pub scaling: ScalingPlan,
    /// Error budget and what uses it.
    pub error_budget: ErrorBudget,
    /// Start of a replica.
    pub cold_start: ColdStartPlan,
}

/// Objective as planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SloPlan {
    /// Attainment.
    pub attainment: f64,
    /// Time to first token, ms.
    pub ttft_ms: Option<f64>,
    /// Time per output token, ms.
    pub tpot_ms: Option<f64>,
    /// Whole request, ms.
    pub latency_ms: Option<f64>,
    /// Percentile that capacity is planned at.
    pub planning_percentile: f64,
}

/// The on-demand floor: a Deployment whose count is fixed within a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FloorPlan {
    /// Pool of its nodes.
    pub pool: String,
    /// Replicas outside windows.
    pub base_replicas: u32,
    /// Most replicas in any window.
    pub max_replicas: u32,
}

/// The elastic part: a Deployment that follows windows or load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlexPlan {
    /// Pool of its nodes.
    pub pool: String,
    /// Pool that takes over when the first cannot supply (spot only).
    pub fallback_pool: Option<String>,
    /// Replicas outside windows; 0 may be asleep.
    pub base_replicas: u32,
    /// Most replicas.
    pub max_replicas: u32,
    /// Zones that replicas spread over.
    pub zones_spread: u32,
}

/// A row of the capacity table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityPoint {
    /// Replicas.
    pub replicas: u32,
    /// Requests a second within the SLO at the planning percentile, derated.
    pub rps: f64,
}

/// Autoscaler settings, every number decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingPlan {
    /// KEDA polling interval, s.
    pub polling_interval_s: u32,
    /// KEDA cooldown, s: not below the p95 cold start.
    pub cooldown_s: u32,
    /// HPA scale-down stabilization, s.
    pub stabilization_s: u32,
    /// minReplicaCount of the flex ScaledObject (of the floor's, when there is no flex).
    pub min_replicas: u32,
    /// maxReplicaCount of the same.
    pub max_replicas: u32,
    /// Prometheus address; none when no load trigger is used.
    pub prometheus_server: Option<String>,
    /// PromQL of the load trigger of the flex Deployment, the floor's share taken off; none when not reactive and
    /// never at zero.
    pub query: Option<String>,
    /// PromQL that wakes the service from zero after a request that was turned away; none when never at zero, or not given.
    pub activity_query: Option<String>,
    /// Requests in flight and queued a replica at which the HPA adds one.
    pub threshold: Option<f64>,
    /// Load factor inside the threshold for growth while replicas start (lag) and for the HPA's 10% tolerance.
    pub threshold_headroom: f64,
    /// The service may be at zero replicas.
    pub scale_to_zero: bool,
    /// `reject`, `hold` or `fallback`.
    pub cold_requests: String,
    /// Minutes that cron starts are moved ahead: polling, HPA steps, provisioning and cold start, p95.
    pub lead_minutes: u32,
}

/// The month's error budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorBudget {
    /// Requests a week.
    pub requests_per_week: f64,
    /// Share set aside for queueing in steady state, which the capacity table keeps.
    pub steady_state_share: f64,
    /// Share left for everything below.
    pub spare_share: f64,
    /// Misses that a replay saw for each that is expected below: the uses may take only so much less of the spare share. 1 until a
    /// replay saw more.
    pub miss_factor: f64,
    /// Uses, expected.
    pub uses: Vec<BudgetUse>,
}

/// One use of the error budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetUse {
    /// `cold_starts` or `reclaims`.
    pub name: String,
    /// Requests a week that are expected to miss.
    pub misses_per_week: f64,
}

/// Start of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColdStartPlan {
    /// Node provisioning, p95, s.
    pub provision_p95_s: f64,
    /// Image, weights and engine, p95, s.
    pub replica_p95_s: f64,
    /// Paid hours that one start adds: provisioning and cold start (p95), drain, consolidation delay.
    pub paid_hours_per_start: f64,
}

/// A span of the week with its own floors. Outside windows the base counts hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Workload.
    pub workload: String,
    /// IANA zone.
    pub time_zone: String,
    /// Local days on which it starts: 0 Monday .. 6 Sunday.
    pub days: Vec<u8>,
    /// First local hour, 0..=23.
    pub start_hour: u8,
    /// Local hour at which it ends, start_hour+1 ..= start_hour+24; above 24 it ends on the next day.
    pub end_hour: u8,
    /// Floor replicas (on demand).
    pub floor: u32,
    /// Flex replicas.
    pub flex: u32,
    /// KEDA cron start: the window's, moved ahead by the start-up chain. Five fields, Sunday is 0.
    pub cron_start: String,
    /// KEDA cron end.
    pub cron_end: String,
}

/// Decisions for a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobPlan {
    /// Pool of its nodes.
    pub pool: String,
    /// Pool that takes over when the first cannot supply (spot only).
    pub fallback_pool: Option<String>,
    /// Workers of the gang.
    pub workers: u32,
    /// Work units of one run.
    pub work_per_run: f64,
    /// Unit of work.
    pub work_unit: String,
    /// Units a second of the whole gang, derated.
    pub units_per_s: f64,
    /// Share of time that makes progress: checkpoints and rework off (1 on demand).
    pub efficiency: f64,
    /// Seconds between checkpoints (Young); none when on demand or divisible.
    pub checkpoint_interval_s: Option<f64>,
    /// Hours one run occupies its nodes: provisioning and cold start (p95), then work.
    pub hours_per_run: f64,
    /// Paid hours a worker node and run after the work: drain and consolidation delay.
    pub tail_hours: f64,
    /// Runs of the week.
    pub runs: Vec<JobRunPlan>,
    /// The queue that starts its pods.
    pub queue: Option<QueuePlan>,
    /// Workers in each hour of the week (UTC), as share of the hour times workers.
    pub workers_by_hour: Vec<f64>,
}

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRunPlan {
    /// Hour of the week (UTC) it may start from.
    pub release_hour: u32,
    /// Hour of the week (UTC) it starts; may exceed 167 when it starts in the next week.
    pub start_hour: u32,
    /// Hour it is done by, start-up included.
    pub end_hour: f64,
    /// Hour it must be done by.
    pub deadline_hour: u32,
    /// Start as five-field cron in the workload's zone.
    pub cron: String,
}

/// The queue behind a batch job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueuePlan {
    /// KEDA scaler type.
    pub scaler: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
}

/// What changes for a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeFromToday {
    /// Nothing changes.
    pub unchanged: bool,
    /// Nodes taken away and added, at the peak.
    pub changed_nodes: u32,
    /// In words: `3 x g6e.xlarge on-demand -> ...`.
    pub summary: String,
}
