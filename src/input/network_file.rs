//! The section `network` of `scenario.yaml`, and what workloads say of their traffic.

use super::at::At;
use schemars::JsonSchema;
use serde::Deserialize;

/// What distance costs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkFile {
    /// Times that the way between two places takes, there and back. Inside a region it is 0.
    #[serde(default)]
    pub round_trips: Vec<RoundTripFile>,
    /// Prices of what leaves a region. Default: the catalogue's list prices.
    #[serde(default)]
    pub egress: Vec<EgressFile>,
    /// Prices of what comes in through NAT gateways. Default: the catalogue's list prices.
    #[serde(default)]
    pub nat: Vec<NatFile>,
    /// Jurisdictions beside the catalogue's (countries by their two letters, and `eu`).
    #[serde(default)]
    pub jurisdictions: Vec<JurisdictionFile>,
}

/// A round trip.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundTripFile {
    /// Two places: regions, or names of your own such as `office-berlin`.
    pub between: At<Vec<At<String>>>,
    /// Time there and back, ms.
    pub round_trip_ms: At<f64>,
    /// Where it was measured or read.
    pub source: String,
    /// Day of it, `YYYY-MM-DD`.
    pub as_of: At<String>,
}

/// A price of what leaves a region.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EgressFile {
    /// Region that is left.
    pub from: At<String>,
    /// Place that is reached.
    pub to: At<String>,
    /// List price, dollars a GiB.
    pub usd_per_gib: At<f64>,
    /// Where it comes from.
    pub source: String,
    /// Day of it, `YYYY-MM-DD`.
    pub as_of: At<String>,
}

/// A price of what comes in through a NAT gateway.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NatFile {
    /// Region.
    pub region: At<String>,
    /// List price, dollars a GiB.
    pub usd_per_gib: At<f64>,
    /// Where it comes from.
    pub source: String,
    /// Day of it, `YYYY-MM-DD`.
    pub as_of: At<String>,
}

/// A jurisdiction of your own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JurisdictionFile {
    /// Name.
    pub name: At<String>,
    /// Its regions.
    pub regions: Vec<At<String>>,
}

/// A share of a service's requests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientFile {
    /// Region, or a name of your own, that they come from.
    pub region: At<String>,
    /// Share of the requests; all sum to 1.
    pub share: At<f64>,
}

/// Mean sizes of a request and its answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BytesFile {
    /// Request, KiB.
    pub request_kib: At<f64>,
    /// Answer, KiB.
    pub response_kib: At<f64>,
}

/// How image and weights come into a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PullsThroughFile {
    /// Through a NAT gateway, which is paid by the byte.
    Nat,
    /// From a registry or mirror inside the region.
    Mirror,
}
