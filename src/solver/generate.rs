//! Column generation: price, solve the relaxed master, repeat; then the integer master over what was found.
//!
//! The bound is Lagrangian: the relaxed master's value plus, for each workload, the least reduced cost that any of its
//! columns can have. It holds for the full problem, windows, whole nodes and starts included, at any duals.

use crate::formulation::columns::{Column, Duals, price};
use crate::formulation::problem::Problem;
use crate::solver::SolveError;
use crate::solver::highs;
use crate::solver::master::{self, Parts};
use crate::solver::quota::{self, QuotaRow};
use crate::solver::solution::{self, Solution};
use crate::solver::stage::Stage;
use std::collections::BTreeSet;

/// Rounds of pricing after which the bound is taken as it is.
const MAX_ROUNDS: usize = 60;

/// Columns added a workload and round.
const KEEP: usize = 4;

/// Relative distance of relaxed master and bound at which pricing ends.
const CLOSE: f64 = 1e-5;

/// Columns known so far: those of modes without a choice, and those that pricing found.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Static, reactive and frozen columns by workload.
    known: Vec<Vec<Column>>,
    /// Columns in the master.
    active: Vec<Column>,
    /// Quota rows in force.
    quotas: BTreeSet<QuotaRow>,
}

impl Pool {
    /// Starts with the columns that look best at face value.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let known: Vec<Vec<Column>> = (0..problem.workloads.len()).map(|w| price::fixed_columns(problem, w)).collect();
        let mut pool = Self { known, active: Vec::new(), quotas: BTreeSet::new() };
        let mut duals = Duals::face_value(problem);
        duals.choice = vec![1e9; problem.workloads.len()];
        for workload in 0..problem.workloads.len() {
            let (columns, _) = price::best(problem, workload, (&pool.known[workload], &duals, 2 * KEEP));
            pool.add(columns);
        }
        pool
    }

    /// Adds columns that are not there yet; whether any was new.
    fn add(&mut self, columns: Vec<Column>) -> bool {
        let before = self.active.len();
        for column in columns {
            if !self.active.iter().any(|c| c.workload == column.workload && c.decision == column.decision) {
                self.active.push(column);
            }
        }
        self.active.len() > before
    }
}

/// Solves a stage. The pool keeps what was found for the next stage.
pub fn solve(problem: &Problem, stage: &Stage, pool: &mut Pool) -> Result<Solution, SolveError> {
    let mut bound = f64::NEG_INFINITY;
    loop {
        bound = bound.max(relax(problem, stage, pool)?);
        let mut solution = round(problem, stage, pool)?;
        let broken: Vec<QuotaRow> = quota::broken(problem, &solution).into_iter().filter(|row| !pool.quotas.contains(row)).collect();
        if broken.is_empty() {
            solution.value = stage.value(solution.cost, solution.exposure, solution.changed_nodes);
            solution.bound = bound.min(solution.value);
            return Ok(solution);
        }
        pool.quotas.extend(broken);
    }
}

/// Prices until no column improves the relaxed master; the best bound seen.
fn relax(problem: &Problem, stage: &Stage, pool: &mut Pool) -> Result<f64, SolveError> {
    let mut bound = f64::NEG_INFINITY;
    for _ in 0..MAX_ROUNDS {
        let columns = std::mem::take(&mut pool.active);
        let parts = Parts { problem, columns: &columns, stage, quotas: &pool.quotas };
        let master = master::build(&parts);
        let answer = highs::solve(&master.model, true);
        let priced = answer.map(|answer| answer.map(|answer| (master.duals(&parts, &answer), answer.objective)));
        pool.active = columns;
        let Some((duals, value)) = priced? else { return Err(SolveError::Infeasible(names(problem, &[]))) };
        let mut lagrangian = value;
        let mut improved = false;
        for workload in 0..problem.workloads.len() {
            let (columns, least) = price::best(problem, workload, (&pool.known[workload], &duals, KEEP));
            lagrangian += least.min(0.0);
            improved |= pool.add(columns);
        }
        bound = bound.max(lagrangian);
        if !improved || value - bound <= CLOSE * value.abs() {
            break;
        }
    }
    Ok(bound)
}

/// The integer master over the columns found.
fn round(problem: &Problem, stage: &Stage, pool: &Pool) -> Result<Solution, SolveError> {
    let parts = Parts { problem, columns: &pool.active, stage, quotas: &pool.quotas };
    let master = master::build(&parts);
    let Some(answer) = highs::solve(&master.model, false)? else { return Err(SolveError::Infeasible(names(problem, &[]))) };
    let unplaced: Vec<usize> = (0..problem.workloads.len()).filter(|&w| answer.values[master.unplaced[w]] > 0.5).collect();
    if !unplaced.is_empty() {
        return Err(SolveError::Infeasible(names(problem, &unplaced)));
    }
    let mut chosen: Vec<Column> =
        pool.active.iter().zip(&answer.values).filter(|(_, value)| **value > 0.5).map(|(c, _)| c.clone()).collect();
    chosen.sort_by_key(|c| c.workload);
    Ok(solution::of_columns(problem, chosen))
}

fn names(problem: &Problem, workloads: &[usize]) -> Vec<String> {
    let all = workloads.is_empty();
    problem.workloads.iter().enumerate().filter(|(i, _)| all || workloads.contains(i)).map(|(_, w)| w.id.to_string()).collect()
}
