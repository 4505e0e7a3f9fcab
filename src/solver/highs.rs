//! The one file that talks to HiGHS: a [`Model`] in, values, duals and bound out.
//!
//! One thread and a fixed seed, so that runs repeat bit by bit.

use crate::lp::Model;
use crate::solver::SolveError;
use ::highs::{HighsModelStatus, RowProblem, Sense};

/// Relative gap at which an integer solve may end.
pub const MIP_GAP: f64 = 1e-5;

/// Branch-and-bound nodes after which an integer solve ends with what it has.
const MAX_NODES: i32 = 20_000;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Value of each column.
    pub values: Vec<f64>,
    /// Dual of each row; empty for integer models.
    pub duals: Vec<f64>,
    /// Objective.
    pub objective: f64,
    /// Proven bound of this model.
    pub bound: f64,
}

/// Solves the model, as a linear relaxation when `relaxed`. `Ok(None)`: it has no solution.
pub fn solve(model: &Model, relaxed: bool) -> Result<Option<Answer>, SolveError> {
    solve_within(model, (relaxed, MIP_GAP))
}

/// The same; an integer solve may end at this relative gap.
pub fn solve_within(model: &Model, (relaxed, gap): (bool, f64)) -> Result<Option<Answer>, SolveError> {
    let mut problem = RowProblem::default();
    let columns: Vec<_> =
        model.columns.iter().map(|c| problem.add_column_with_integrality(c.cost, c.lower..=c.upper, c.integer && !relaxed)).collect();
    for row in &model.rows {
        problem.add_row(row.lower..=row.upper, row.terms.iter().map(|&(column, coefficient)| (columns[column], coefficient)));
    }
    let integer = !relaxed && model.columns.iter().any(|c| c.integer);
    let mut highs = problem.try_optimise(Sense::Minimise).map_err(|e| SolveError::Solver(format!("{e:?}")))?;
    highs.make_quiet();
    for (option, value) in [("threads", 1), ("random_seed", 7), ("mip_max_nodes", MAX_NODES)] {
        highs.try_set_option(option, value).map_err(|e| SolveError::Solver(format!("option {option}: {e:?}")))?;
    }
    highs.try_set_option("parallel", "off").map_err(|e| SolveError::Solver(format!("option parallel: {e:?}")))?;
    highs.try_set_option("mip_rel_gap", gap).map_err(|e| SolveError::Solver(format!("option mip_rel_gap: {e:?}")))?;
    let solved = highs.try_solve().map_err(|e| SolveError::Solver(format!("{e:?}")))?;
    match solved.status() {
        HighsModelStatus::Optimal | HighsModelStatus::ReachedSolutionLimit | HighsModelStatus::ReachedIterationLimit => {}
        HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible => return Ok(None),
        other => return Err(SolveError::Solver(format!("{other:?}"))),
    }
    let solution = solved.get_solution();
    let objective = solved.objective_value();
    let bound = if integer {
        solved.double_info_value(c"mip_dual_bound").map_err(|e| SolveError::Solver(format!("mip_dual_bound: {e:?}")))?
    } else {
        objective
    };
    let duals = if integer { Vec::new() } else { solution.dual_rows().to_vec() };
    Ok(Some(Answer { values: solution.columns().to_vec(), duals, objective, bound }))
}
