//! The section `uncertainty` of a scenario, and its `risk.level`.

use super::at::At;
use schemars::JsonSchema;
use serde::Deserialize;

/// How much of a surprise the plan must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RiskLevelFile {
    /// The expected case.
    Low,
    /// Every case up to the 90th percentile of the cases' demand.
    Medium,
    /// The same, and 1.5 times the demand in every service.
    High,
}

/// Cases that the plan is held against.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UncertaintyFile {
    /// The cases; their probabilities sum to 1.
    pub cases: Vec<CaseFile>,
}

/// A world that may come, as factors on the expected one. Default of every factor: 1.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Name: lower-case letters, digits and dashes.
    pub name: At<String>,
    /// Probability, above 0.
    pub probability: At<f64>,
    /// Demand of services and work of jobs times this: growth, or a percentile of the demand over its mean.
    pub demand_factor: Option<At<f64>>,
    /// Peaks of services times this as well; the mean stays.
    pub burst_factor: Option<At<f64>>,
    /// Posted spot prices times this.
    pub spot_price_factor: Option<At<f64>>,
    /// Reclaim hazard times this.
    pub hazard_factor: Option<At<f64>>,
    /// Availability of spot pools times this; at most all of the time.
    pub availability_factor: Option<At<f64>>,
}
