//! Column generation: price, solve the relaxed master, repeat; then the integer master over what was found.
//!
//! Where the relaxation buys part of a node, the problem is split and each part has its own bound.
//!
//! The bound is Lagrangian: the relaxed master's value plus, for each workload, the least reduced cost that any of its
//! columns can have. It holds for the full problem, windows, whole nodes and starts included, at any duals.

use crate::formulation::columns::price::{self, Ask};
use crate::formulation::columns::{Column, Duals};
use crate::formulation::problem::Problem;
use crate::solver::SolveError;
use crate::solver::branch::{Branch, Count};
use crate::solver::highs;
use crate::solver::master::{self, Master, Parts};
use crate::solver::quota::{self, QuotaRow};
use crate::solver::solution::{self, Solution};
use crate::solver::stage::Stage;
use std::collections::{BTreeMap, BTreeSet};

/// Rounds of pricing after which the bound is taken as it is.
const MAX_ROUNDS: usize = 60;

/// Times that a part of the problem is split while the gap is open.
const MAX_SPLITS: usize = 24;

/// Columns a workload that are added before the integer master.
const ENRICH: usize = 40;

/// Reduced cost below which a column nearly pays, as a share of the objective.
const NEAR: f64 = 0.01;

/// Relative gap at which nothing more is split.
const CLOSE_ENOUGH: f64 = 1e-4;

/// Columns added a workload and round.
const KEEP: usize = 4;

/// Relative distance of relaxed master and bound at which pricing ends.
const CLOSE: f64 = 1e-5;

/// Columns known so far: those of modes without a choice, and those that pricing found.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Static, reactive and frozen columns by workload.
    pub(super) known: Vec<Vec<Column>>,
    /// Columns in the master.
    pub(super) active: Vec<Column>,
    /// Quota rows in force.
    pub(super) quotas: BTreeSet<QuotaRow>,
}

impl Pool {
    /// Starts with the columns that look best at face value.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let known: Vec<Vec<Column>> = (0..problem.workloads.len()).map(|w| price::fixed_columns(problem, w)).collect();
        let mut pool = Self { known, active: Vec::new(), quotas: BTreeSet::new() };
        let mut duals = Duals::face_value(problem);
        duals.choice = vec![1e9; problem.count()];
        for workload in 0..problem.workloads.len() {
            let (columns, _) = price::best(problem, workload, (&pool.known[workload], Ask { duals: &duals, below: 0.0, keep: 2 * KEEP }));
            pool.add(columns);
        }
        pool
    }

    /// Adds columns that are not there yet; whether any was new.
    pub(super) fn add(&mut self, columns: Vec<Column>) -> bool {
        let before = self.active.len();
        for column in columns {
            if !self.active.iter().any(|c| c.workload == column.workload && c.decision == column.decision) {
                self.active.push(column);
            }
        }
        self.active.len() > before
    }
}

/// A part of the problem, relaxed.
struct Relaxed {
    branch: Branch,
    bound: f64,
    nodes: BTreeMap<Count, f64>,
    duals: Duals,
}

/// Solves a stage. The pool keeps what was found for the next stage.
pub fn solve(problem: &Problem, stage: &Stage, pool: &mut Pool) -> Result<Solution, SolveError> {
    loop {
        let root = relax(problem, stage, (pool, Branch::default()))?;
        let mut solution = match (round(problem, stage, pool), &root) {
            // The columns found so far may leave no whole choice where all columns do.
            (Err(SolveError::Infeasible(_)), Some(root)) => {
                enrich(problem, pool, (&root.duals, f64::INFINITY));
                round(problem, stage, pool)?
            }
            (rounded, _) => rounded?,
        };
        solution.bound = root.as_ref().map_or(solution.value, |r| r.bound).min(solution.value);
        if let Some(root) = root.as_ref().filter(|root| solution.value - root.bound > CLOSE_ENOUGH * solution.value.abs()) {
            // No plan below this value has a column whose reduced cost is above the gap.
            enrich(problem, pool, (&root.duals, solution.value - root.bound));
            let again = round(problem, stage, pool)?;
            if again.value < solution.value {
                solution = Solution { bound: solution.bound.min(again.value), ..again };
            }
        }
        if let Some(root) = root.filter(|_| stage.prove) {
            solution = prove(problem, stage, (pool, root, solution))?;
        }
        let broken: Vec<QuotaRow> = quota::broken(problem, &solution).into_iter().filter(|row| !pool.quotas.contains(row)).collect();
        if broken.is_empty() {
            // No stage has a value below 0, whatever the multipliers make of it.
            solution.bound = solution.bound.max(0.0).min(solution.value);
            return Ok(solution);
        }
        pool.quotas.extend(broken);
    }
}

/// Splits the part with the least bound until the gap is closed, nothing is left to split, or enough has been tried.
fn prove(problem: &Problem, stage: &Stage, (pool, root, mut best): (&mut Pool, Relaxed, Solution)) -> Result<Solution, SolveError> {
    let mut open = vec![root];
    let mut closed = f64::INFINITY;
    for _ in 0..MAX_SPLITS {
        let Some(lowest) = (0..open.len()).min_by(|&a, &b| open[a].bound.total_cmp(&open[b].bound)) else { break };
        if best.value - open[lowest].bound <= CLOSE_ENOUGH * best.value.abs() {
            break;
        }
        let part = open.swap_remove(lowest);
        let Some(halves) = part.branch.split(&part.nodes) else {
            closed = closed.min(part.bound);
            continue;
        };
        for half in halves {
            if let Some(mut relaxed) = relax(problem, stage, (pool, half))? {
                relaxed.bound = relaxed.bound.max(part.bound);
                if relaxed.bound < best.value {
                    open.push(relaxed);
                }
            }
        }
        let tried = round(problem, stage, pool)?;
        if tried.value < best.value {
            best = tried;
        }
    }
    best.bound = open.iter().map(|part| part.bound).fold(closed, f64::min).min(best.value);
    Ok(best)
}

/// Prices until no column improves the relaxed master of a part; the best bound seen. `None`: the part is empty.
fn relax(problem: &Problem, stage: &Stage, (pool, branch): (&mut Pool, Branch)) -> Result<Option<Relaxed>, SolveError> {
    let mut relaxed = Relaxed { branch, bound: f64::NEG_INFINITY, nodes: BTreeMap::new(), duals: Duals::face_value(problem) };
    for _ in 0..MAX_ROUNDS {
        let columns = std::mem::take(&mut pool.active);
        let parts = Parts { problem, columns: &columns, stage, quotas: &pool.quotas, branch: &relaxed.branch };
        let master = master::build(&parts);
        let answer = highs::solve(&master.model, true);
        let priced = answer.map(|answer| answer.map(|answer| (master.duals(&parts, &answer), answer)));
        pool.active = columns;
        let Some((duals, answer)) = priced? else { return Ok(None) };
        let nodes = master.nodes.iter().map(|(&pool, &column)| (Count::Nodes(pool), answer.values[column]));
        let whole = |&(&option, _): &(&usize, &usize)| problem.purchases.options[option].is_whole();
        let bought = master.purchases.amounts.iter().filter(whole).map(|(&o, &column)| (Count::Bought(o), answer.values[column]));
        relaxed.nodes = nodes.chain(bought).collect();
        let mut lagrangian = answer.objective;
        let mut improved = false;
        for workload in 0..problem.workloads.len() {
            let (columns, least) =
                price::best(problem, workload, (&pool.known[workload], Ask { duals: &duals, below: -price::TOLERANCE, keep: KEEP }));
            lagrangian += least.min(0.0);
            improved |= pool.add(columns);
        }
        relaxed.bound = relaxed.bound.max(lagrangian);
        let close = answer.objective - relaxed.bound <= CLOSE * answer.objective.abs();
        relaxed.duals = duals;
        if !improved || close {
            if relaxed.branch == Branch::default() {
                enrich(problem, pool, (&relaxed.duals, NEAR * answer.objective.abs()));
            }
            break;
        }
    }
    Ok(Some(relaxed))
}

/// Adds columns that nearly pay at the final duals: the best whole choice is made of such as these.
fn enrich(problem: &Problem, pool: &mut Pool, (duals, below): (&Duals, f64)) {
    for workload in 0..problem.workloads.len() {
        let (columns, _) = price::best(problem, workload, (&pool.known[workload], Ask { duals, below, keep: ENRICH }));
        pool.add(columns);
    }
}

/// The integer master over the columns found.
fn round(problem: &Problem, stage: &Stage, pool: &Pool) -> Result<Solution, SolveError> {
    let whole = Branch::default();
    let parts = Parts { problem, columns: &pool.active, stage, quotas: &pool.quotas, branch: &whole };
    let master = master::build(&parts);
    round_model(problem, stage, (pool, &master))
}

/// The whole choice that an integer master over the pool's columns makes.
pub(super) fn round_model(problem: &Problem, stage: &Stage, (pool, master): (&Pool, &Master)) -> Result<Solution, SolveError> {
    let Some(answer) = highs::solve(&master.model, false)? else { return Err(SolveError::Infeasible(names(problem, &[]))) };
    let unplaced: Vec<usize> = (0..problem.count()).filter(|&w| answer.values[master.unplaced[w]] > 0.5).collect();
    if !unplaced.is_empty() {
        return Err(SolveError::Infeasible(names(problem, &unplaced)));
    }
    let mut chosen: Vec<Column> =
        pool.active.iter().zip(&answer.values).filter(|(_, value)| **value > 0.5).map(|(c, _)| c.clone()).collect();
    chosen.sort_by_key(|c| c.workload);
    let bought = |option: usize| master.purchases.amounts.get(&option).map_or(0.0, |&column| answer.values[column]);
    let near: Vec<f64> = (0..problem.purchases.options.len()).map(bought).collect();
    let mut solution = solution::of_columns(problem, (chosen, &near));
    solution.value = stage.value(solution.cost, solution.exposure, solution.changed_nodes);
    Ok(solution)
}

fn names(problem: &Problem, workloads: &[usize]) -> Vec<String> {
    let all = workloads.is_empty();
    problem
        .workloads
        .iter()
        .take(problem.count())
        .enumerate()
        .filter(|(i, _)| all || workloads.contains(i))
        .map(|(_, w)| w.id.to_string())
        .collect()
}
