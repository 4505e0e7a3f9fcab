//! Solves the textbook program through `good_lp`: the oracle that tests hold the columns against. Tiny problems only.
//!
//! Another path to the same solver on purpose: the program, its rows and their translation share nothing with the master.

use crate::formulation::compact::{self, Goal};
use crate::formulation::problem::Problem;
use crate::lp::Model;
use crate::solver::SolveError;
use crate::solver::stage::Stage;
use good_lp::{Expression, ProblemVariables, ResolutionError, Solution, SolverModel, Variable, highs, variable};

/// Relative gap at which the solver may end.
pub const MIP_GAP: f64 = 1e-7;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Value of the objective.
    pub objective: f64,
    /// Value of each column.
    pub values: Vec<f64>,
}

/// Optimum of a problem by the textbook program; `Ok(None)`: it has no solution. The stage's changed nodes are not
/// stated there, so it must not weigh or cap them.
pub fn optimum(problem: &Problem, stage: &Stage) -> Result<Option<Answer>, SolveError> {
    if stage.change_weight.abs() > 0.0 || stage.change_cap.is_some() {
        return Err(SolveError::Solver("the textbook program does not count changed nodes".to_owned()));
    }
    let Stage { cost_weight, exposure_weight, cost_cap, exposure_cap, .. } = *stage;
    solve(&compact::build(problem, &Goal { cost_weight, exposure_weight, cost_cap, exposure_cap }))
}

/// Solves a model; `Ok(None)`: it has no solution.
pub fn solve(model: &Model) -> Result<Option<Answer>, SolveError> {
    if model.columns.is_empty() {
        let holds = model.rows.iter().all(|row| row.lower <= 0.0 && row.upper >= 0.0);
        return Ok(holds.then(|| Answer { objective: 0.0, values: Vec::new() }));
    }
    let mut variables = ProblemVariables::new();
    let columns: Vec<Variable> = model
        .columns
        .iter()
        .map(|c| {
            let bounded = variable().min(c.lower).max(c.upper);
            variables.add(if c.integer { bounded.integer() } else { bounded })
        })
        .collect();
    let sum = |terms: &mut dyn Iterator<Item = (usize, f64)>| -> Expression { terms.map(|(i, c)| c * columns[i]).sum() };
    let objective = sum(&mut model.columns.iter().enumerate().map(|(i, c)| (i, c.cost)));
    let mut program = variables.minimise(objective).using(highs);
    for row in &model.rows {
        let expression = || sum(&mut row.terms.iter().copied());
        if row.lower.total_cmp(&row.upper).is_eq() {
            program.add_constraint(expression().eq(row.lower));
            continue;
        }
        if row.lower.is_finite() {
            program.add_constraint(expression().geq(row.lower));
        }
        if row.upper.is_finite() {
            program.add_constraint(expression().leq(row.upper));
        }
    }
    let program = program.set_threads(1).set_option("random_seed", 7).set_option("parallel", "off").set_option("mip_rel_gap", MIP_GAP);
    match program.set_option("mip_abs_gap", 0.0).solve() {
        Ok(solution) => {
            let values: Vec<f64> = columns.iter().map(|&c| solution.value(c)).collect();
            let objective = model.columns.iter().zip(&values).map(|(c, v)| c.cost * v).sum();
            Ok(Some(Answer { objective, values }))
        }
        Err(ResolutionError::Infeasible) => Ok(None),
        Err(other) => Err(SolveError::Solver(other.to_string())),
    }
}
