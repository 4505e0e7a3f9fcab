//! The problem as one textbook mixed-integer program over the hours of the week: the reference.
//!
//! It says the same as the columns without their machinery: binaries for the way a workload is run, for the level of each
//! hour of a service day, for the start of a job; whole nodes of fixed pools; credits of commitments. One file states one
//! constraint family. It grows with options x hours x levels, so it is for tiny problems: printed to be read, and solved
//! by tests to hold the columns against. Plans are never made with it.
//!
//! Symbols used throughout: `w` workload, `o` option (operating point, places, spot share), `t` hour of the week, `d` set
//! of days that share their windows, `p` hour of the service day, `s` level (floor, flex), `z` asleep; `y` way is taken,
//! `x` level is held, `b` level is the base. Money is dollars a week.
//!
//! Left out: the number of changed nodes (a peak, which has no small linear statement), so the stage of fewest changes
//! has no counterpart here.

mod budget;
mod choice;
mod commitment;
mod deadline;
mod demand_cover;
mod draft;
mod node_capacity;
mod pool_loss;
mod purchase;
mod quota;
mod spot_share;
mod start_up;
mod uses;
mod window;

use crate::formulation::problem::Problem;
use crate::lp::{Model, text};
use draft::Draft;

/// What is minimised and what must be kept, a week.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Weight of a dollar.
    pub cost_weight: f64,
    /// Weight of a spot GPU-hour x hazard.
    pub exposure_weight: f64,
    /// Dollars may not pass this.
    pub cost_cap: Option<f64>,
    /// Exposure may not pass this.
    pub exposure_cap: Option<f64>,
}

impl Goal {
    /// Least cost.
    pub const LEAST_COST: Self = Self { cost_weight: 1.0, exposure_weight: 0.0, cost_cap: None, exposure_cap: None };
}

/// The program. Its objective is the weekly cost beyond commitments (or what the goal weighs).
#[must_use]
pub fn build(problem: &Problem, goal: &Goal) -> Model {
    let mut draft = Draft::of(problem);
    choice::state(&mut draft);
    window::state(&mut draft);
    demand_cover::state(&mut draft);
    spot_share::state(&mut draft);
    start_up::state(&mut draft);
    deadline::state(&mut draft);
    node_capacity::state(&mut draft);
    let credits = commitment::state(&mut draft);
    purchase::state(&mut draft, &credits);
    quota::state(&mut draft);
    pool_loss::state(&mut draft);
    budget::state(&mut draft, goal);
    draft.with_objective(goal)
}

/// The least-cost program as CPLEX LP text.
#[must_use]
pub fn lp_text(problem: &Problem) -> String {
    text::render(&build(problem, &Goal::LEAST_COST))
}
