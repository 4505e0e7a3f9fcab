//! Bundles: several served models in one Triton server, scaled as one.

use crate::plan::workload::{SloPlan, WorkloadPlan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Several services that share every replica of one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The server as if it were one service: name, pools, counts, autoscaler. Its loads are sums over the members; a row of its
    /// capacity table is the rate at which the members' mix of the busiest hour still meets every objective.
    pub host: WorkloadPlan,
    /// What it serves, sorted by workload.
    pub members: Vec<BundleMember>,
    /// Factor on every member's service time while another model is at work beside it.
    pub interference: f64,
    /// Where the factor comes from.
    pub interference_source: String,
}

/// A served model of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleMember {
    /// Workload.
    pub workload: String,
    /// Name of the model in the repository: letters, digits and underscores.
    pub model: String,
    /// Precision that it runs in.
    pub precision: String,
    /// `measured`, `fitted`, `estimated`: of the model alone on the card.
    pub evidence: String,
    /// Source of the numbers and their day.
    pub source: String,
    /// Memory that it takes on the GPU: weights, workspace and cache.
    pub gpu_memory_gib: f64,
    /// Execution instances.
    pub instances: u32,
    /// Largest batch.
    pub max_batch_size: u32,
    /// Longest wait for a fuller batch, microseconds.
    pub max_queue_delay_us: u64,
    /// Scheduling priority in the server, 1 the most urgent: by the length of the latency limit.
    pub priority: u32,
    /// Objective.
    pub slo: SloPlan,
    /// Factor that its peaks were raised by after a replay missed; 1 otherwise.
    pub load_factor: f64,
    /// Planning load in each hour of the week (UTC), requests a second.
    pub planning_load_rps: Vec<f64>,
    /// Mean load in each hour of the week (UTC), requests a second.
    pub mean_load_rps: Vec<f64>,
    /// Rate that one replica would carry for this model alone at its planning percentile, derated, requests a second.
    pub alone_rps: f64,
}
