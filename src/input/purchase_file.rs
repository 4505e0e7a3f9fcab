//! Commitments that may be bought, as they are written: `commitments_to_buy` of a scenario.

use super::at::At;
use schemars::JsonSchema;
use serde::Deserialize;

/// Commitments that the plan may buy. Without this section it buys none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyFile {
    /// Longest term that you would sign, months: 12 or 36. Default 12.
    pub max_term_months: Option<At<u32>>,
    /// Ways to pay that you accept. Default: all.
    pub payments: Option<Vec<PaymentFile>>,
    /// Take products from the prices that are planned on, as far as they are known there. Default true.
    pub from_prices: Option<bool>,
    /// Products with prices of your own.
    #[serde(default)]
    pub products: Vec<ProductFile>,
}

/// When a commitment is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentFile {
    /// By the hour.
    NoUpfront,
    /// A part at once, the rest by the hour.
    PartialUpfront,
    /// At once.
    AllUpfront,
}

/// What a commitment is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PurchaseKindFile {
    /// So many nodes of one machine type in one region (AWS, Azure).
    Instance,
    /// So many dollars an hour, at a rate for each machine type (AWS, Azure).
    SavingsPlan,
    /// CPUs, memory and GPUs in one region, each with its price (Google Cloud).
    Resource,
}

/// A commitment that is offered.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductFile {
    /// Name.
    pub name: At<String>,
    /// What it is to.
    pub kind: At<PurchaseKindFile>,
    /// Months that it binds: 12 or 36.
    pub term_months: At<u32>,
    /// When it is paid.
    pub payment: At<PaymentFile>,
    /// Region (`instance`, `resource`).
    pub region: Option<At<String>>,
    /// Machine type (`instance`).
    pub instance_type: Option<At<String>>,
    /// Paid at once for a node (`instance`). Default 0.
    pub upfront_usd: Option<At<f64>>,
    /// Paid a node and hour, used or not (`instance`). Default 0.
    pub usd_per_hour: Option<At<f64>>,
    /// What a covered node-hour takes of the plan, by machine type (`savings-plan`).
    pub rates: Option<At<Vec<RateFile>>>,
    /// Machine types whose parts it covers (`resource`).
    pub instance_types: Option<At<Vec<At<String>>>>,
    /// Prices of the parts (`resource`).
    pub parts: Option<At<PartsFile>>,
    /// Where the prices come from.
    pub source: String,
    /// Day of the prices, `YYYY-MM-DD`.
    pub as_of: At<String>,
}

/// Rate of a savings plan.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateFile {
    /// Machine type.
    pub instance_type: At<String>,
    /// Region.
    pub region: At<String>,
    /// Dollars of the plan that a node-hour takes.
    pub usd_per_hour: At<f64>,
}

/// Prices of parts of a machine.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartsFile {
    /// One virtual CPU.
    pub vcpu: Option<PartFile>,
    /// One GiB of memory.
    pub ram_gib: Option<PartFile>,
    /// One GPU.
    pub gpu: Option<PartFile>,
}

/// Prices of one part.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartFile {
    /// On demand, dollars an hour.
    pub on_demand_usd_per_hour: At<f64>,
    /// Committed, dollars an hour.
    pub usd_per_hour: At<f64>,
}
