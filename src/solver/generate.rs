//! Column generation: price, solve the relaxed master, repeat; then the integer master over what was found.
//!
//! The bound is Lagrangian: the relaxed master's value plus, for each workload, the least reduced cost that any of its
//! columns can have. It holds for the full problem, windows, whole nodes and starts included, at any duals.

use crate::formulation::columns::price::{self, Wanted};
use crate::formulation::columns::{Column, Duals};
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

/// Columns added a workload when the plan is still above the bound: those that a better plan could be made of.
const KEEP_WITHIN_GAP: usize = 96;

/// Of these, at most so many of one option.
const KEEP_OF_OPTION: usize = 12;

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
            let wanted = Wanted { below: 0.0, most: 2 * KEEP, each: KEEP, every_base: false };
            let (columns, _) = price::best(problem, workload, (&pool.known[workload], &duals), wanted);
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

    /// Adds the columns whose reduced cost leaves them room within a gap; no plan below the value has another. Whether
    /// any was new.
    fn add_within(&mut self, problem: &Problem, duals: &Duals, gap: f64) -> bool {
        let wanted = Wanted { below: gap, most: KEEP_WITHIN_GAP, each: KEEP_OF_OPTION, every_base: true };
        let mut added = false;
        for workload in 0..problem.workloads.len() {
            let (columns, _) = price::best(problem, workload, (&self.known[workload], duals), wanted);
            added |= self.add(columns);
        }
        added
    }
}

/// Solves a stage. The pool keeps what was found for the next stage.
pub fn solve(problem: &Problem, stage: &Stage, pool: &mut Pool) -> Result<Solution, SolveError> {
    let mut bound = f64::NEG_INFINITY;
    loop {
        let relaxed = relax(problem, stage, pool)?;
        bound = bound.max(relaxed.bound);
        let mut solution = round(problem, stage, pool);
        let gap = match &solution {
            Ok(found) => stage.value(found.cost, found.exposure, found.changed_nodes) - relaxed.bound,
            Err(SolveError::Infeasible(_)) => f64::INFINITY,
            Err(_) => 0.0,
        };
        if gap > CLOSE * relaxed.bound.abs() && pool.add_within(problem, &relaxed.duals, gap) {
            solution = round(problem, stage, pool);
        }
        let mut solution = solution?;
        let broken: Vec<QuotaRow> = quota::broken(problem, &solution).into_iter().filter(|row| !pool.quotas.contains(row)).collect();
        if broken.is_empty() {
            solution.value = stage.value(solution.cost, solution.exposure, solution.changed_nodes);
            // No stage has a value below 0, whatever the multipliers make of it.
            solution.bound = bound.max(0.0).min(solution.value);
            return Ok(solution);
        }
        pool.quotas.extend(broken);
    }
}

/// What the relaxed master proves.
struct Relaxed {
    bound: f64,
    /// Prices that the bound holds at.
    duals: Duals,
}

/// Prices until no column improves the relaxed master; the best bound seen.
fn relax(problem: &Problem, stage: &Stage, pool: &mut Pool) -> Result<Relaxed, SolveError> {
    let mut best = Relaxed { bound: f64::NEG_INFINITY, duals: Duals::face_value(problem) };
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
            let wanted = Wanted { below: -price::TOLERANCE, most: KEEP, each: KEEP, every_base: false };
            let (columns, least) = price::best(problem, workload, (&pool.known[workload], &duals), wanted);
            lagrangian += least.min(0.0);
            improved |= pool.add(columns);
        }
        if lagrangian > best.bound {
            best = Relaxed { bound: lagrangian, duals };
        }
        if !improved || value - best.bound <= CLOSE * value.abs() {
            break;
        }
    }
    Ok(best)
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
