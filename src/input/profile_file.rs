//! A performance profile as it is written: format `gpuplan/profile/v1`.

use super::at::At;
use schemars::JsonSchema;
use serde::Deserialize;

/// The version of the profile format that this program reads.
pub const PROFILE_FORMAT: &str = "gpuplan/profile/v1";

/// What a served model or a job does on each accelerator.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileFile {
    /// Always `gpuplan/profile/v1`.
    pub format: At<String>,
    /// Name: the stem of the file.
    pub name: At<String>,
    /// Title for people.
    pub title: String,
    /// Kind of work.
    pub kind: ProfileKindFile,
    /// What was measured and what was not.
    pub description: Option<String>,
    /// Jobs: what is counted, for example `samples`.
    pub work_unit: Option<String>,
    /// Where the numbers come from.
    pub sources: Vec<SourceFile>,
    /// Operating points.
    pub variants: At<Vec<VariantFile>>,
    /// Serial stages from a node that is up to a replica that serves.
    pub cold_start: ColdStartFile,
    /// Jobs: cost of saving and of restarting.
    pub checkpoint: Option<CheckpointFile>,
    /// Jobs: work can be cut into independent units.
    #[serde(default)]
    pub divisible: bool,
}

/// Kinds of profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileKindFile {
    /// Token generation.
    Llm,
    /// Requests with a bounded service time.
    Request,
    /// Jobs.
    Job,
}

/// A source of numbers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Id that the blocks of numbers name.
    pub id: At<String>,
    /// Title.
    pub title: Option<String>,
    /// What it gave.
    pub what: Option<String>,
    /// Address.
    pub url: Option<String>,
    /// Day it was read, `YYYY-MM-DD`.
    pub as_of: At<String>,
}

/// How numbers were obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceFile {
    /// Measured on the hardware.
    Measured,
    /// Fitted on measured operator tables.
    Fitted,
    /// From specifications.
    Estimated,
}

/// One operating point, with exactly one of `llm`, `llm_table`, `request` and `job`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantFile {
    /// GPU type of the catalogue.
    pub accelerator: At<String>,
    /// GPUs of one replica, in one node: 1, 2, 4 or 8.
    pub gpus_per_replica: At<u32>,
    /// Numeric precision, for example `fp8`.
    pub precision: At<String>,
    /// Serving engine.
    pub engine: String,
    /// How the numbers were obtained.
    pub evidence: EvidenceFile,
    /// Needs NVLink between its GPUs.
    #[serde(default)]
    pub requires_nvlink: bool,
    /// Part of a GPU that it was measured on: a MIG profile (`1g.10gb`), `mps-4`, `time-slicing-2`. Default: whole GPUs.
    pub slice: Option<At<String>>,
    /// Memory needed on each GPU, GiB.
    pub gpu_memory_gib: At<f64>,
    /// Memory of an LLM's weights on each GPU, GiB; needed to derive what it does on a part of a GPU.
    pub weights_gib: Option<At<f64>>,
    /// CPUs that a replica requests.
    pub vcpus: At<f64>,
    /// Memory that a replica requests, GiB.
    pub ram_gib: At<f64>,
    /// Source id.
    pub source: At<String>,
    /// Day of the numbers, `YYYY-MM-DD`.
    pub as_of: At<String>,
    /// Free text.
    pub note: Option<String>,
    /// Token generation, closed form.
    pub llm: Option<At<LlmFile>>,
    /// Token generation, decode steps from a table.
    pub llm_table: Option<At<LlmTableFile>>,
    /// Bounded requests.
    pub request: Option<At<RequestFile>>,
    /// Job.
    pub job: Option<At<JobFile>>,
}

/// Decode step `alpha + (beta + eps x context) x batch`, prefill `gamma + delta x I + zeta x I^2` (I in 1,000 tokens).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LlmFile {
    /// alpha, ms.
    pub decode_alpha_ms: At<f64>,
    /// beta, ms a sequence.
    pub decode_beta_ms_per_seq: At<f64>,
    /// eps, ms a sequence and 1,000 tokens of context.
    pub decode_eps_ms_per_seq_ktok: At<f64>,
    /// gamma, ms.
    pub prefill_gamma_ms: At<f64>,
    /// delta, ms per 1,000 tokens.
    pub prefill_delta_ms_per_ktok: At<f64>,
    /// zeta, ms per (1,000 tokens)^2.
    pub prefill_zeta_ms_per_ktok2: At<f64>,
    /// Most sequences that run together.
    pub max_batch: At<u32>,
    /// Tokens that the KV cache holds.
    pub max_kv_tokens: At<f64>,
}

/// Decode steps by batch and context, bilinear between; prefill as in `llm`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LlmTableFile {
    /// Batch sizes, ascending.
    pub batch: Vec<f64>,
    /// Context lengths in tokens, ascending.
    pub context_tokens: Vec<f64>,
    /// Milliseconds, one row a batch size.
    pub step_ms: Vec<Vec<f64>>,
    /// gamma, ms.
    pub prefill_gamma_ms: At<f64>,
    /// delta, ms per 1,000 tokens.
    pub prefill_delta_ms_per_ktok: At<f64>,
    /// zeta, ms per (1,000 tokens)^2.
    pub prefill_zeta_ms_per_ktok2: At<f64>,
    /// Most sequences that run together.
    pub max_batch: At<u32>,
    /// Tokens that the KV cache holds.
    pub max_kv_tokens: At<f64>,
}

/// Closed-loop concurrency curve of one replica.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestFile {
    /// Knots, ascending in concurrency.
    pub knots: Vec<At<KnotFile>>,
}

/// One knot of the curve.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnotFile {
    /// Requests kept in flight.
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

/// Throughput of a gang.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobFile {
    /// Points, ascending in workers.
    pub throughput: Vec<At<GangFile>>,
}

/// Throughput at one width.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GangFile {
    /// Workers.
    pub workers: u32,
    /// Work units a second of the whole gang.
    pub units_per_s: f64,
}

/// Serial stages of a cold start.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColdStartFile {
    /// Pulling the image.
    pub image_pull_s: At<SpreadFile>,
    /// Loading the weights.
    pub weights_load_s: At<SpreadFile>,
    /// Starting the engine.
    pub engine_start_s: At<SpreadFile>,
}

/// A span with its median and its 95th percentile, seconds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpreadFile {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Source id.
    pub source: At<String>,
    /// Day of the numbers, `YYYY-MM-DD`.
    pub as_of: At<String>,
}

/// Cost of saving and of restarting from a checkpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckpointFile {
    /// Time to write one, seconds.
    pub save_s: At<f64>,
    /// Time from a restart to progress, seconds.
    pub restart_s: At<f64>,
    /// Source id.
    pub source: At<String>,
    /// Day of the numbers, `YYYY-MM-DD`.
    pub as_of: At<String>,
}
