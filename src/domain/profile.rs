//! What a served model or a job does on each accelerator: measured, fitted or estimated operating points.

use crate::ids::{AcceleratorId, ProfileId};
use crate::units::{GiB, Millis, PerSecond, Seconds};

/// How an operating point was obtained; each class carries its own derate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Measured on the hardware: derate 5%.
    Measured,
    /// Fitted on measured operator tables: derate 10%.
    Fitted,
    /// From specifications: derate 30%, left out unless the scenario says `allow_estimated`.
    Estimated,
}

impl Evidence {
    /// Share of the analytic capacity that is not planned on.
    #[must_use]
    pub const fn derate(self) -> f64 {
        match self {
            Self::Measured => 0.05,
            Self::Fitted => 0.10,
            Self::Estimated => 0.30,
        }
    }

    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Fitted => "fitted",
            Self::Estimated => "estimated",
        }
    }
}

/// Decode step time of a continuous-batching LLM engine.
#[derive(Clone, Debug, PartialEq)]
pub enum DecodeStep {
    /// `step(b, c) = alpha + (beta + eps x c) x b`, `b` running sequences, `c` mean context in 1,000 tokens.
    Affine {
        /// Step time of an empty batch, ms.
        alpha_ms: f64,
        /// Added by each sequence, ms.
        beta_ms: f64,
        /// Added by each sequence and 1,000 tokens of context, ms.
        eps_ms_per_ktok: f64,
    },
    /// Measured grid, bilinear inside, held flat below and extrapolated on the last segment above.
    Table {
        /// Batch sizes, ascending.
        batch: Vec<f64>,
        /// Context lengths in tokens, ascending.
        context_tokens: Vec<f64>,
        /// Milliseconds, one row a batch size.
        step_ms: Vec<Vec<f64>>,
    },
}

/// Latency model of an LLM replica.
#[derive(Clone, Debug, PartialEq)]
pub struct LlmModel {
    /// Decode.
    pub decode: DecodeStep,
    /// Prefill `P(I) = gamma + delta x I + zeta x I^2`, `I` in 1,000 tokens: gamma, ms.
    pub prefill_gamma_ms: f64,
    /// delta, ms per 1,000 tokens.
    pub prefill_delta_ms_per_ktok: f64,
    /// zeta, ms per (1,000 tokens)^2.
    pub prefill_zeta_ms_per_ktok2: f64,
    /// Most sequences that run together.
    pub max_batch: u32,
    /// Tokens that the KV cache holds.
    pub max_kv_tokens: f64,
}

/// One knot of a closed-loop concurrency curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knot {
    /// Requests kept in flight.
    pub concurrency: f64,
    /// Completed a second.
    pub rate: PerSecond,
    /// Median latency.
    pub p50: Millis,
    /// 95th percentile.
    pub p95: Millis,
    /// 99th percentile.
    pub p99: Millis,
}

/// Throughput of a gang of equal workers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GangPoint {
    /// Workers in the gang.
    pub workers: u32,
    /// Work units a second of the whole gang.
    pub units_per_s: f64,
}

/// The performance model of one operating point.
#[derive(Clone, Debug, PartialEq)]
pub enum Performance {
    /// Token generation with continuous batching.
    Llm(LlmModel),
    /// Requests with a bounded service time: Triton curves.
    Request {
        /// Ascending in concurrency.
        knots: Vec<Knot>,
    },
    /// A job.
    Job {
        /// Ascending in workers.
        throughput: Vec<GangPoint>,
    },
}

/// One way to run the profile: an operating point on an accelerator.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatingPoint {
    /// GPU type.
    pub accelerator: AcceleratorId,
    /// GPUs of one replica, inside one node: 1, 2, 4 or 8.
    pub gpus_per_replica: u32,
    /// Numeric precision, for example `fp8`.
    pub precision: String,
    /// Serving engine.
    pub engine: String,
    /// How the numbers were obtained.
    pub evidence: Evidence,
    /// Needs NVLink between its GPUs.
    pub requires_nvlink: bool,
    /// Part of a GPU that it runs on; `None`: whole GPUs.
    pub slice: Option<String>,
    /// Memory needed on each GPU.
    pub gpu_memory: GiB,
    /// Memory of an LLM's weights on each GPU, where known.
    pub weights: Option<GiB>,
    /// CPUs that a replica requests.
    pub vcpus: f64,
    /// Memory that a replica requests.
    pub ram: GiB,
    /// The performance model.
    pub performance: Performance,
    /// Source id of the profile.
    pub source: String,
    /// Day of the numbers.
    pub as_of: String,
}

/// A span with its median and its 95th percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Median.
    pub p50: Seconds,
    /// 95th percentile.
    pub p95: Seconds,
}

/// Serial stages from a node that is up to a replica that serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColdStart {
    /// Pulling the container image.
    pub image_pull: Spread,
    /// Loading the weights.
    pub weights_load: Spread,
    /// Starting the engine.
    pub engine_start: Spread,
}

impl ColdStart {
    /// Sum of the stages' 95th percentiles: pessimistic, since the stages are not perfectly correlated.
    #[must_use]
    pub fn p95(&self) -> Seconds {
        Seconds(self.image_pull.p95.0 + self.weights_load.p95.0 + self.engine_start.p95.0)
    }

    /// Sum of the medians.
    #[must_use]
    pub fn p50(&self) -> Seconds {
        Seconds(self.image_pull.p50.0 + self.weights_load.p50.0 + self.engine_start.p50.0)
    }
}

/// Cost of saving and of restarting from a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checkpoint {
    /// Time to write one.
    pub save: Seconds,
    /// Time from a restart to progress.
    pub restart: Seconds,
}

/// The kind of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileKind {
    /// Token generation.
    Llm,
    /// Bounded requests.
    Request,
    /// Jobs.
    Job,
}

/// Performance of a served model or a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// File stem.
    pub id: ProfileId,
    /// Kind.
    pub kind: ProfileKind,
    /// Title for people.
    pub title: String,
    /// Unit of work, jobs only.
    pub work_unit: Option<String>,
    /// Operating points, sorted by (accelerator, gpus, precision).
    pub points: Vec<OperatingPoint>,
    /// Start of a replica.
    pub cold_start: ColdStart,
    /// Checkpointing, jobs only.
    pub checkpoint: Option<Checkpoint>,
    /// Work can be cut into independent units.
    pub divisible: bool,
    /// SHA-256 of the file.
    pub sha256: String,
}
