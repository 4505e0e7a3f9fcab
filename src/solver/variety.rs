//! Fewest instance types within a cost: a 0/1 variable for each type in the integer master.
//!
//! The columns are those at hand and, for every set of types that a workload can run on, its cheapest ones. No bound is proven: a
//! schedule that no price asked for is not among them.

use crate::formulation::Family;
use crate::formulation::columns::price::{self, Ask};
use crate::formulation::columns::{Column, Duals};
use crate::formulation::problem::Problem;
use crate::solver::generate::{Pool, round_model};
use crate::solver::master::{self, Parts};
use crate::solver::stage::Stage;
use crate::solver::{Solution, SolveError, branch::Branch, quota};
use std::collections::{BTreeMap, BTreeSet};

/// Columns kept of a workload for each set of types.
const KEEP: usize = 3;

/// Rounds of adding broken quotas.
const ROUNDS: usize = 20;

/// Instance types that a column uses.
fn types(problem: &Problem, column: &Column) -> BTreeSet<String> {
    let pools = column.exclusive.iter().map(|u| u.pool).chain(column.fixed.iter().map(|u| u.pool));
    pools.map(|pool| problem.pools[pool].instance_type.to_string()).collect()
}

/// Instance types that a solution uses.
#[must_use]
pub fn types_of(problem: &Problem, solution: &Solution) -> BTreeSet<String> {
    solution.columns.iter().flat_map(|column| types(problem, column)).collect()
}

/// The cheapest solution found with the fewest instance types that a weekly cost allows.
///
/// # Errors
/// No whole choice of the columns keeps the limits, or the solver gave up.
pub fn fewest_types(problem: &Problem, pool: &mut Pool, cost_cap: f64) -> Result<Solution, SolveError> {
    diversify(problem, pool);
    let capped = Stage { cost_weight: 0.0, cost_cap: Some(cost_cap), ..Stage::quick_least_cost() };
    let fewest = settle(problem, pool, (&capped, None))?;
    let most = types_of(problem, &fewest).len();
    settle(problem, pool, (&Stage { cost_weight: 1.0, ..capped }, Some(most)))
}

/// Adds each workload's cheapest columns for every set of types.
fn diversify(problem: &Problem, pool: &mut Pool) {
    let mut duals = Duals::face_value(problem);
    duals.choice = vec![0.0; problem.workloads.len()];
    for workload in 0..problem.workloads.len() {
        let ask = Ask { duals: &duals, below: f64::INFINITY, keep: usize::MAX };
        let (columns, _) = price::best(problem, workload, (&pool.known[workload], ask));
        let mut kept: BTreeMap<BTreeSet<String>, usize> = BTreeMap::new();
        let few = columns.into_iter().filter(|column| {
            let count = kept.entry(types(problem, column)).or_insert(0);
            *count += 1;
            *count <= KEEP
        });
        let few = few.collect();
        pool.add(few);
    }
}

/// Solves the integer master with the types counted, or with at most so many, until no quota is broken.
fn settle(problem: &Problem, pool: &mut Pool, (stage, most): (&Stage, Option<usize>)) -> Result<Solution, SolveError> {
    for _ in 0..ROUNDS {
        let whole = Branch::default();
        let parts = Parts { problem, columns: &pool.active, stage, quotas: &pool.quotas, branch: &whole, options: None, hours_together: 1 };
        let mut master = master::build(&parts);
        let mut variables: BTreeMap<String, usize> = BTreeMap::new();
        let mut uses: BTreeMap<(String, usize), Vec<(usize, f64)>> = BTreeMap::new();
        for (index, column) in pool.active.iter().enumerate() {
            for name in types(problem, column) {
                uses.entry((name, column.workload)).or_default().push((index, 1.0));
            }
        }
        for ((name, workload), mut terms) in uses {
            let counted = if most.is_some() { 0.0 } else { 1.0 };
            let variable = *variables.entry(name.clone()).or_insert_with(|| {
                let variable = master.model.column(format!("type_{name}"), counted, true);
                master.model.columns[variable].upper = 1.0;
                variable
            });
            terms.push((variable, -1.0));
            master.model.at_most(format!("{}_type_{name}_{workload}", Family::Choice.as_str()), 0.0, terms);
        }
        if let Some(most) = most {
            let all = variables.values().map(|variable| (*variable, 1.0)).collect();
            master.model.at_most(format!("{}_types", Family::Budget.as_str()), most as f64, all);
        }
        let solution = round_model(problem, stage, (&pool.active, &master))?;
        let broken: Vec<_> = quota::broken(problem, &solution).into_iter().filter(|row| !pool.quotas.contains(row)).collect();
        if broken.is_empty() {
            return Ok(solution);
        }
        pool.quotas.extend(broken);
    }
    Err(SolveError::Solver("quotas without end".to_owned()))
}
