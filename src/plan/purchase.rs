//! Commitments that the plan buys: how much of what, what it costs and saves, and what it rests on.

use crate::units::{Usd, UsdPerHour};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A commitment that the plan buys. Paid in full every hour; part of the plan's cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    /// Product, as the scenario or the price list names it.
    pub product: String,
    /// `instance`, `resource` or `savings-plan`.
    pub kind: String,
    /// What the amount counts: `nodes`, `vcpus`, `ram-gib`, `gpus` or `usd-per-hour`.
    pub unit: String,
    /// How much is bought.
    pub amount: f64,
    /// Months that it binds.
    pub term_months: u32,
    /// `no-upfront`, `partial-upfront` or `all-upfront`.
    pub payment: String,
    /// Price of a unit and hour: the upfront payment spread over the term, percentages on top included.
    pub usd_per_unit_hour: UsdPerHour,
    /// Cost of the amount, an hour.
    pub usd_per_hour: UsdPerHour,
    /// Cost of the amount a month of 730 hours, upfront payment spread.
    pub usd_per_month: Usd,
    /// Cash in the first month.
    pub first_month_usd: Usd,
    /// Cash in each later month of the term.
    pub later_months_usd: Usd,
    /// Machines that it covers, in the order in which it is credited.
    pub covers: Vec<PurchaseCover>,
    /// On-demand cost that it takes away, a month.
    pub credited_usd_per_month: Usd,
    /// What that leaves after its own cost, a month.
    pub saves_usd_per_month: Usd,
    /// Share of the hours that a unit must be used for it to pay, on the machine with its largest discount.
    pub break_even_share: f64,
    /// Months that the use must last as it is for the whole term to have paid; none if it never pays.
    pub break_even_months: Option<f64>,
    /// Months after which the cash that was paid is below the cash that on demand would have taken; none if never.
    pub payback_months: Option<f64>,
    /// Share of the use of its machines, as far as earlier commitments leave it, that it covers.
    pub coverage: f64,
    /// Share of what is bought that is used.
    pub utilization: f64,
    /// Coverage in each hour of the week (UTC, Monday first); 0 where nothing runs.
    pub coverage_by_hour: Vec<f64>,
    /// Utilization in each hour of the week.
    pub utilization_by_hour: Vec<f64>,
    /// What the newsvendor's rule says of the same use.
    pub newsvendor: Newsvendor,
    /// What the amount costs too much when demand is less than planned; only with the studies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regret: Vec<Regret>,
    /// Commitments already held for the same machines that end within the term.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ending: Vec<Ending>,
    /// Why to think twice, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Where the price was read.
    pub source: String,
    /// Day of the price.
    pub as_of: String,
}

/// A machine that a purchase covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseCover {
    /// Machine shape.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// Units that a covered node-hour takes.
    pub units_per_node_hour: f64,
    /// On-demand cost that a covered node-hour saves.
    pub worth_usd_per_node_hour: UsdPerHour,
    /// Node-hours a week that are covered.
    pub node_hours_per_week: f64,
}

/// A quantile of the use: of a unit that costs `c` and saves `v` an hour, so many are bought that the last is in use in more than
/// `c/v` of the hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Newsvendor {
    /// `1 - c/v` on the machine with the largest discount.
    pub quantile: f64,
    /// That quantile of the use over the hours of the week, in units: what would be bought if nothing else were. It is the amount
    /// where one product covers one machine.
    pub amount: f64,
}

/// The same amount under less demand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Regret {
    /// Change of demand: -0.2 is a fifth less.
    pub demand: f64,
    /// The amount that the fleet planned for that demand would have.
    pub best_amount: f64,
    /// What the amount at hand costs beyond that, a month.
    pub usd_per_month: Usd,
}

/// A commitment already held that ends within the term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Its name.
    pub commitment: String,
    /// Its last day.
    pub expires: String,
    /// Nodes that it pays for until then.
    pub nodes: u32,
    /// Node-hours a week that it pays for now, and that go to this purchase or to on demand afterwards.
    pub frees_node_hours_per_week: f64,
}
