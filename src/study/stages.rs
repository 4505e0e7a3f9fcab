//! Stages two and three: the safest plan within a target that least cost meets.

use crate::formulation::Problem;
use crate::plan;
use crate::solver::{self, ColumnPool, Solution, SolveError, Stage};
use crate::study::{TARGET_MARGIN, monthly};
use crate::units::{MONTHS_PER_WEEK_FACTOR, Usd};

/// A target in dollars.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Dollars a month.
    pub usd: Usd,
    /// Baseline a month.
    pub baseline: Usd,
}

/// The plan's solution and the stages that led to it.
#[derive(Clone, Debug)]
pub struct Staged {
    /// Solution.
    pub solution: Solution,
    /// Stages in order.
    pub stages: Vec<plan::Stage>,
}

/// Runs the safety stages when a target is asked for and least cost meets it.
pub fn after(
    problem: &Problem,
    pool: &mut ColumnPool,
    (least, committed, ask): (&Solution, Usd, Option<Ask>),
) -> Result<Staged, SolveError> {
    let first = plan::Stage {
        name: "least_cost".to_owned(),
        unit: "usd_per_month".to_owned(),
        value: monthly(least.value, committed).as_f64(),
        bound: monthly(least.bound, committed).as_f64(),
        gap: gap(monthly(least.value, committed).as_f64(), monthly(least.bound, committed).as_f64()),
        usd_per_month: monthly(least.cost, committed),
    };
    let Some(ask) = ask.filter(|a| monthly(least.cost, committed) <= a.usd) else {
        return Ok(Staged { solution: least.clone(), stages: vec![first] });
    };
    let week = |usd: Usd| (usd - committed).as_f64() / MONTHS_PER_WEEK_FACTOR;
    // The margin is kept where least cost leaves room for it; a hair is added so that least cost itself stays feasible.
    let cap = week(ask.usd - ask.baseline.scaled(TARGET_MARGIN)).max(least.cost * (1.0 + 1e-9));
    let safest = solver::solve(problem, &Stage::least_exposure(cap), pool)?;
    let exposure_cap = safest.exposure * (1.0 + 1e-9) + 1e-6;
    let calmest = solver::solve(problem, &Stage::fewest_changes(cap, exposure_cap), pool)?;
    let solution = solver::solve(problem, &Stage::cheapest_within(exposure_cap, f64::from(calmest.changed_nodes)), pool)?;
    // `of` proves the stage's bound; the last stage's plan is the cheapest of those that it leaves.
    let stage = |name: &str, unit: &str, (value, of, cost): (f64, &Solution, f64)| plan::Stage {
        name: name.to_owned(),
        unit: unit.to_owned(),
        value,
        bound: of.bound.clamp(0.0, value.max(0.0)),
        gap: gap(value, of.bound.clamp(0.0, value.max(0.0))),
        usd_per_month: monthly(cost, committed),
    };
    let stages = vec![
        first,
        stage("least_exposure", "spot_gpu_hours_x_hazard_per_week", (solution.exposure, &safest, safest.cost)),
        stage("fewest_changes", "changed_nodes", (f64::from(solution.changed_nodes), &calmest, solution.cost)),
    ];
    Ok(Staged { solution, stages })
}

/// `(value - bound) / value`, 0 when the value is 0.
fn gap(value: f64, bound: f64) -> f64 {
    if value.abs() < 1e-9 { 0.0 } else { ((value - bound) / value).max(0.0) }
}
