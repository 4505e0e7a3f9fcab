//! One workload of `scenario.yaml` as it is written.

use super::at::At;
use super::network_file::{BytesFile, ClientFile, PullsThroughFile};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Kinds of workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KindFile {
    /// Answers requests when they come.
    Service,
    /// Work in independent units, done by a deadline.
    Batch,
    /// A gang of workers with checkpoints, done by a deadline.
    Training,
}

/// A served model or a job.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadFile {
    /// Name: lower-case letters, digits and dashes.
    pub name: At<String>,
    /// Service, batch or training.
    pub kind: KindFile,
    /// Performance profile: `profiles/<profile>.yaml` beside the scenario, or a builtin one.
    pub profile: At<String>,
    /// Path of the profile, relative to the scenario, if it lies elsewhere.
    pub profile_file: Option<At<String>>,
    /// Owner, for the report.
    pub team: Option<At<String>>,
    /// Cost centre, for the report. Default: the team.
    pub cost_center: Option<At<String>>,
    /// Kubernetes namespace. Default `default`.
    pub namespace: Option<At<String>>,
    /// Deployment that is there already; without it a whole one is written.
    pub scale_target: Option<At<String>>,
    /// Container image of the Deployment or job that is written.
    pub image: Option<At<String>>,
    /// IANA time zone of its schedule. Default: the scenario's.
    pub time_zone: Option<At<String>>,
    /// Accepted numeric precisions, today's first. Default: today's only.
    pub precisions: Option<At<Vec<At<String>>>>,
    /// Accelerators allowed. Default: all.
    #[serde(default)]
    pub accelerators: Vec<At<String>>,
    /// Regions allowed. Default: all of the scenario's.
    #[serde(default)]
    pub regions: Vec<At<String>>,
    /// Regions and jurisdictions (`eu`, `us` ..) that it must stay in. Default: anywhere. Needs `network`.
    #[serde(default)]
    pub residency: Vec<At<String>>,
    /// Services: where the requests come from. Needs `network`.
    pub clients: Option<At<Vec<ClientFile>>>,
    /// Services: mean sizes of a request and its answer. Needs `network`.
    pub bytes: Option<At<BytesFile>>,
    /// Size of the container image, GiB, pulled once a node. Needs `network`. Default 0: not priced.
    pub image_gib: Option<At<f64>>,
    /// Size of the weights, GiB, loaded by each replica. Needs `network`. Default 0: not priced.
    pub weights_gib: Option<At<f64>>,
    /// How image and weights come into a region. Default `nat`.
    pub pulls_through: Option<At<PullsThroughFile>>,
    /// Where it runs today. Without it the workload is new.
    pub runs_on: Option<RunsOnFile>,
    /// What its owner allows about spot. Default: none for services, all for jobs that checkpoint or are divisible.
    pub spot: Option<At<SpotFile>>,
    /// Services: with whom it may share a GPU. Default: with nobody.
    pub share: Option<At<ShareFile>>,
    /// Services: what is asked of it.
    pub demand: Option<At<DemandFile>>,
    /// Services: its objective.
    pub slo: Option<At<SloFile>>,
    /// Services: how it may scale.
    pub scaling: Option<At<ScalingFile>>,
    /// Jobs: what is to be done, and by when.
    pub work: Option<At<WorkFile>>,
    /// Jobs: widest gang allowed.
    pub max_workers: Option<At<u32>>,
    /// Jobs: queue that holds the work.
    pub queue: Option<QueueFile>,
    /// Its owner expects it to shrink within the year: a commitment that rests on it gets a warning. Default false.
    #[serde(default)]
    pub shrinking: bool,
}

/// Where a workload runs today.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunsOnFile {
    /// Node group of the baseline.
    pub node_group: At<String>,
    /// Replicas or workers there.
    pub replicas: At<u32>,
    /// GPUs of one replica. Default: the fewest of the profile on that accelerator.
    pub gpus_per_replica: Option<At<u32>>,
    /// Precision it runs with. Default: the first accepted one.
    pub precision: Option<At<String>>,
}

/// What the owner allows about spot.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpotFile {
    /// Largest share of replicas on spot at any time, 0 to 1.
    pub max_share: At<f64>,
    /// Share of the hour's mean demand that must stay stable when any one pool is lost. Default 0.5.
    pub contingency: Option<At<f64>>,
}

/// Whom a service may share a GPU with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareFile {
    /// With whom.
    pub with: ShareWithFile,
    /// What has to keep them apart. Default `hardware`: MIG only.
    pub isolation: Option<IsolationFile>,
}

/// Whom a service may share a GPU with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ShareWithFile {
    /// Nobody.
    Never,
    /// Services of its own team.
    Team,
    /// Any service whose owner says the same.
    Any,
}

/// What has to keep services on one GPU apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IsolationFile {
    /// Slices of their own in hardware: MIG.
    Hardware,
    /// Limits on memory and threads, caches and faults shared: MPS as well.
    Memory,
    /// Nothing: time-slicing, and one Triton server for several models.
    None,
}

/// What a service is asked for: exactly one of `series`, `trace` and `shape`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DemandFile {
    /// Rates by equal time steps.
    pub series: Option<At<SeriesRefFile>>,
    /// Single requests over at least a day.
    pub trace: Option<At<TraceRefFile>>,
    /// A mean rate and factors by hour of the day.
    pub shape: Option<At<ShapeFile>>,
    /// A trace, possibly of less than a day, from which only burstiness and token lengths are taken.
    pub like: Option<At<TraceRefFile>>,
    /// Factor on all rates. Default 1.
    pub scale: Option<At<f64>>,
    /// Margin on the peaks, percent. Default 0.
    pub headroom_percent: Option<At<f64>>,
    /// Squared coefficient of variation of inter-arrival times, if better known than from the data.
    pub burst_cv2: Option<At<f64>>,
    /// What the load may grow by while new replicas start, if better known than from the data. At least 1.
    pub lag_growth: Option<At<f64>>,
    /// Token lengths, needed by LLM profiles unless a trace gives them.
    pub tokens: Option<TokensFile>,
}

/// A CSV of rates: columns `t_s` (0 is Monday 00:00 in the workload's zone), a rate, and possibly a dispersion.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesRefFile {
    /// Path relative to the scenario.
    pub file: At<String>,
    /// Column of requests a second. Default `rate_rps`.
    pub rate_column: Option<At<String>>,
    /// Column of the index of dispersion. Default `idc`, if there is one.
    pub idc_column: Option<At<String>>,
}

/// A CSV of requests: columns `t_s` and, for LLMs, `input_tokens`, `output_tokens` (or `in_tok`, `out_tok`).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceRefFile {
    /// Path relative to the scenario.
    pub file: At<String>,
}

/// A mean rate and factors by hour of the day; the factors are brought to a mean of 1 over the week.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShapeFile {
    /// Mean of the week, requests a second.
    pub mean_rps: At<f64>,
    /// 24 factors, Monday to Friday, from midnight. Default: flat.
    pub weekday: Option<At<Vec<At<f64>>>>,
    /// 24 factors, Saturday and Sunday. Default: as weekdays.
    pub weekend: Option<At<Vec<At<f64>>>>,
}

/// Token lengths of an LLM service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokensFile {
    /// Mean prompt length.
    pub input_mean: At<f64>,
    /// 95th percentile of the prompt length.
    pub input_p95: At<f64>,
    /// Mean answer length.
    pub output_mean: At<f64>,
}

/// Latency limits, at least one, that `attainment` of the month's requests must all meet.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SloFile {
    /// Share of requests that meet every limit, between 0 and 1. Default: from the limits' names, else 0.99.
    pub attainment: Option<At<f64>>,
    /// Time to first token, ms.
    pub ttft_ms: Option<At<f64>>,
    /// The same; implies attainment 0.95.
    pub ttft_p95_ms: Option<At<f64>>,
    /// The same; implies attainment 0.99.
    pub ttft_p99_ms: Option<At<f64>>,
    /// Time per output token after the first, ms.
    pub tpot_ms: Option<At<f64>>,
    /// The same; implies attainment 0.95.
    pub tpot_p95_ms: Option<At<f64>>,
    /// The same; implies attainment 0.99.
    pub tpot_p99_ms: Option<At<f64>>,
    /// Whole request, ms.
    pub latency_ms: Option<At<f64>>,
    /// The same; implies attainment 0.95.
    pub latency_p95_ms: Option<At<f64>>,
    /// The same; implies attainment 0.99.
    pub latency_p99_ms: Option<At<f64>>,
}

/// Ways to follow demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModeFile {
    /// One count all week.
    Static,
    /// Floors in a few windows of the week.
    Scheduled,
    /// By requests in flight.
    Reactive,
}

/// How requests find a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoutingFile {
    /// A plain Kubernetes Service.
    Random,
    /// To the replica with the fewest requests in flight.
    LeastLoaded,
}

/// What happens to a request that finds no replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ColdRequestsFile {
    /// Answered with an error at once.
    Reject,
    /// Held until a replica serves.
    Hold,
    /// Sent to another endpoint.
    Fallback,
}

/// How a service may scale.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingFile {
    /// Modes to choose from. Default: all that are possible.
    pub modes: Option<At<Vec<ModeFile>>>,
    /// Most cron windows in scheduled mode. Default 4.
    pub max_windows: Option<At<u32>>,
    /// Fewest replicas while not at zero. Default 1.
    pub min_replicas: Option<At<u32>>,
    /// Most replicas. Default: no cap.
    pub max_replicas: Option<At<u32>>,
    /// Zero replicas are allowed when nobody asks. Default false.
    pub scale_to_zero: Option<At<bool>>,
    /// Idle time before the last replica goes, seconds. Default 300.
    pub cooldown_s: Option<At<f64>>,
    /// KEDA's polling interval, seconds. Default 30.
    pub polling_s: Option<At<f64>>,
    /// Scale-down stabilization window, seconds. Default 300.
    pub stabilization_s: Option<At<f64>>,
    /// How requests find a replica. Default random.
    pub routing: Option<RoutingFile>,
    /// What happens to a request that finds no replica. Default reject.
    pub cold_requests: Option<At<ColdRequestsFile>>,
    /// Shortest timeout on a request's way, seconds. Default 60.
    pub request_timeout_s: Option<At<f64>>,
    /// Load metric; without one the service cannot be reactive.
    pub metrics: Option<At<MetricsFile>>,
}

/// Where the autoscaler reads the load.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsFile {
    /// Prometheus address as KEDA sees it.
    pub server: At<String>,
    /// PromQL of requests in flight plus queued, one element.
    pub query: At<String>,
    /// The series exist without the service's pods: only then may it wake from zero. Default false.
    #[serde(default)]
    pub survives_pods: bool,
    /// PromQL that stays above zero for a while after any request, also one that was turned away, for example
    /// `sum(increase(gateway_requests_total{service="x"}[2m]))`: what wakes a service at zero whose cold requests are not held.
    pub activity_query: Option<At<String>>,
}

/// Work of a job: exactly one of `runs`, `daily` and `weekdays`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkFile {
    /// Work units of one run, in the profile's `work_unit`.
    pub units_per_run: At<f64>,
    /// Runs of the week: `{release: "mon 22:00", deadline: "tue 06:00"}`.
    pub runs: Option<At<Vec<At<RunFile>>>>,
    /// One run a day: `{release: "22:00", deadline: "06:00"}`.
    pub daily: Option<At<RunFile>>,
    /// One run a day, Monday to Friday.
    pub weekdays: Option<At<RunFile>>,
}

/// From when a run may start, and by when it must be done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// Earliest start: `22:00`, in `runs` with the day: `mon 22:00`.
    pub release: At<String>,
    /// Must be done by: `06:00`, in `runs` with the day: `tue 06:00`, or `next mon 06:00` in the week after.
    pub deadline: At<String>,
}

/// The queue that holds a job's work.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueFile {
    /// KEDA scaler: `aws-sqs-queue`, `rabbitmq`, `redis`, `kafka`.
    pub scaler: At<String>,
    /// Its metadata as KEDA spells it.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}
