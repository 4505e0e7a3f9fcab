//! Where a workload's requests come from, what the way adds, and what traffic and the bytes of starts cost.

use crate::units::Usd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A workload's place in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadNetwork {
    /// Cluster that it runs in: `aws-us-east-1`.
    pub cluster: String,
    /// Where its requests come from, sorted by place; empty for jobs, and where it is not known.
    pub clients: Vec<ClientDistance>,
    /// Taken off the limits on the first token and on the whole request: the round trip of the farthest clients.
    pub added_ms: f64,
    /// Traffic a month.
    pub egress_usd_per_month: Usd,
    /// Bytes that its starts pull through a NAT gateway, a month.
    pub start_up_bytes_usd_per_month: Usd,
}

/// A share of the requests and its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientDistance {
    /// Region of a cloud, or a name of the user's own.
    pub place: String,
    /// Share of the requests.
    pub share: f64,
    /// Round trip to the region that it is served from.
    pub round_trip_ms: f64,
    /// Answers that leave the region for it, a GiB; none where it is not priced.
    pub answer_usd_per_gib: Option<f64>,
    /// Requests that leave its own region, a GiB; none where it is no region of a cloud, or not priced.
    pub request_usd_per_gib: Option<f64>,
}

/// A number of the scenario's `network`, and where it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkOrigin {
    /// `round trip us-east-1 - us-west-2`, `egress us-east-1 -> internet`, `nat us-east-1`.
    pub what: String,
    /// Milliseconds of a round trip; list price of the others, dollars a GiB.
    pub value: f64,
    /// `ms` or `usd_per_gib`.
    pub unit: String,
    /// Source.
    pub source: String,
    /// Day of it.
    pub as_of: String,
}
