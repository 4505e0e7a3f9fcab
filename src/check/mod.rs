//! The independent checker: holds a [`Plan`] against its [`Scenario`] and says what is wrong.
//!
//! In: the scenario, which is trusted, and the plan, which is not. Out: [`Finding`]s, sorted; none means that every
//! number of the plan that a promise hangs on has been recomputed and agrees. It must not use `sizing`, `demand`, `risk`,
//! `feasibility`, `formulation`, `lp` or `solver`: a fault there is what it is for. One file a constraint family; the rules
//! are told in `docs/checks.md`.

mod allowed;
mod baseline;
mod bundle;
mod capacity;
mod claims;
mod commitment;
mod cost;
mod cron;
mod deadline;
mod demand_cover;
mod error_budget;
mod finding;
mod frozen;
mod llm;
mod load_factor;
mod network;
mod node_capacity;
mod packing;
mod pool_loss;
mod price;
mod provenance;
mod purchase;
mod purchased;
mod queueing;
mod quota;
mod robustness;
mod run_shape;
mod scarce;
mod sharing;
mod spot;
mod start_up;
mod structure;
mod surprise;
mod target;
mod tolerance;
mod verification;
mod view;
mod windows;
mod zero_hours;

pub use finding::{Family, Finding};
pub use tolerance::{RELATIVE, USD};

use crate::domain::Scenario;
use crate::plan::Plan;
use view::View;

/// Every fault of the plan, sorted by family, subject and hour.
///
/// A plan whose structure is broken (a name without its thing, a series that is not a week long) gets the structure's
/// findings alone: everything else would only repeat them.
#[must_use]
pub fn plan(scenario: &Scenario, plan: &Plan) -> Vec<Finding> {
    let mut findings = structure::check(scenario, plan);
    if findings.is_empty() {
        findings = load_factor::check(scenario, plan);
        let raised = load_factor::raised(scenario, plan);
        let (raised, flat) = bundle::flattened(&raised, plan);
        let near = network::near(&raised, &flat);
        let view = View::of((&raised, &near), &flat);
        for family in FAMILIES {
            findings.extend(family(&view));
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

type Check = fn(&View<'_>) -> Vec<Finding>;

/// The families that need a sound structure.
const FAMILIES: [Check; 25] = [
    provenance::check,
    verification::check,
    price::check,
    spot::check,
    allowed::check,
    network::check,
    demand_cover::check,
    windows::check,
    zero_hours::check,
    node_capacity::check,
    sharing::check,
    bundle::check,
    pool_loss::check,
    quota::check,
    start_up::check,
    deadline::check,
    error_budget::check,
    commitment::check,
    purchase::check,
    scarce::check,
    frozen::check,
    cost::check,
    baseline::check,
    target::check,
    robustness::check,
];
