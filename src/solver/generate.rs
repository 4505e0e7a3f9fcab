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

/// The same where commitments make every solve long: a plan in seconds with a gap of half a percent, told, not in a minute with a third.
const CLOSE_ENOUGH_OF_MANY: f64 = 5e-3;

/// Relative gap at which an integer solve with that many rows may end.
const GAP_OF_MANY: f64 = 1e-3;

/// Hours of a day that share the rows of commitments while columns are sought.
const TOGETHER: usize = 6;

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
#[derive(Clone, Debug)]
struct Relaxed {
    branch: Branch,
    bound: f64,
    nodes: BTreeMap<Count, f64>,
    duals: Duals,
    /// Bound at these duals.
    at_duals: f64,
    /// Commitments that the relaxation buys of.
    bought: BTreeSet<usize>,
    /// Commitments have many rows.
    many: bool,
}

impl Relaxed {
    /// Whether a value is so near the bound that no more is tried.
    fn is_close(&self, stage: &Stage, value: f64) -> bool {
        let share = if self.many { CLOSE_ENOUGH_OF_MANY } else { CLOSE_ENOUGH };
        let one_node = self.many && stage.counts() && value - self.bound <= 1.0;
        one_node || value - self.bound <= share * value.abs()
    }

    /// Columns that may be in a choice of less than a value: a choice is at least the bound and its columns' reduced costs.
    fn below(&self, value: f64) -> Near<'_> {
        Near { duals: &self.duals, below: value - self.at_duals + price::TOLERANCE, options: &self.bought }
    }
}

/// Columns whose reduced cost at the duals is no more than this.
#[derive(Clone, Copy, Debug)]
struct Near<'a> {
    duals: &'a Duals,
    below: f64,
    /// Commitments that are considered where all would be many; amounts are settled over all of them in the end.
    options: &'a BTreeSet<usize>,
}

/// Solves a stage. The pool keeps what was found for the next stage.
pub fn solve(problem: &Problem, stage: &Stage, pool: &mut Pool) -> Result<Solution, SolveError> {
    loop {
        let root = relax(problem, stage, (pool, Branch::default()))?;
        let mut solution = match &root {
            Some(root) => best_of(problem, stage, (pool, root))?,
            None => round(problem, stage, (pool, None))?,
        };
        solution.bound = root.as_ref().map_or(solution.value, |r| r.bound).min(solution.value);
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

/// The best whole choice: of columns that nearly pay first, then of all that may be in a better one.
fn best_of(problem: &Problem, stage: &Stage, (pool, root): (&mut Pool, &Relaxed)) -> Result<Solution, SolveError> {
    let near = Near { duals: &root.duals, below: NEAR * root.bound.abs(), options: &root.bought };
    let first = match round(problem, stage, (pool, Some(near))) {
        // The columns found so far may leave no whole choice where all columns do.
        Err(SolveError::Infeasible(_)) => round(problem, stage, (pool, None)).or_else(|_| {
            enrich(problem, pool, (&root.duals, f64::INFINITY));
            round(problem, stage, (pool, None))
        })?,
        rounded => rounded?,
    };
    if root.is_close(stage, first.value) {
        return Ok(first);
    }
    let may = root.below(first.value);
    let more = enrich(problem, pool, (&root.duals, may.below));
    if !more && may.below <= near.below {
        return Ok(first);
    }
    better(problem, stage, (pool, may), first)
}

/// The better one of a choice in hand and of the best of columns that are near.
fn better(problem: &Problem, stage: &Stage, (pool, near): (&Pool, Near<'_>), known: Solution) -> Result<Solution, SolveError> {
    match round(problem, stage, (pool, Some(near))) {
        Ok(tried) if tried.value < known.value => Ok(tried),
        Ok(_) | Err(SolveError::Infeasible(_)) => Ok(known),
        Err(other) => Err(other),
    }
}

/// Splits the part with the least bound until the gap is closed, nothing is left to split, or enough has been tried.
fn prove(problem: &Problem, stage: &Stage, (pool, root, mut best): (&mut Pool, Relaxed, Solution)) -> Result<Solution, SolveError> {
    let mut tried_with = pool.active.len();
    let mut open = vec![root.clone()];
    let mut closed = f64::INFINITY;
    for _ in 0..MAX_SPLITS {
        let Some(lowest) = (0..open.len()).min_by(|&a, &b| open[a].bound.total_cmp(&open[b].bound)) else { break };
        if open[lowest].is_close(stage, best.value) {
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
        if pool.active.len() == tried_with {
            continue;
        }
        tried_with = pool.active.len();
        let may = root.below(best.value);
        best = better(problem, stage, (pool, may), best)?;
    }
    best.bound = open.iter().map(|part| part.bound).fold(closed, f64::min).min(best.value);
    Ok(best)
}

/// Prices until no column improves the relaxed master of a part; the best bound seen. `None`: the part is empty.
fn relax(problem: &Problem, stage: &Stage, (pool, branch): (&mut Pool, Branch)) -> Result<Option<Relaxed>, SolveError> {
    let none = f64::NEG_INFINITY;
    let (nodes, bought, duals) = (BTreeMap::new(), BTreeSet::new(), Duals::face_value(problem));
    let mut relaxed = Relaxed { branch, bound: none, nodes, duals, at_duals: none, bought, many: false };
    // Most columns are found while few hours are told apart.
    let mut hours_together = if problem.purchases.is_empty() { 1 } else { TOGETHER };
    for _ in 0..MAX_ROUNDS {
        let columns = std::mem::take(&mut pool.active);
        let (quotas, branch) = (&pool.quotas, &relaxed.branch);
        let parts = Parts { problem, columns: &columns, stage, quotas, branch, options: None, hours_together };
        let master = master::build(&parts);
        let answer = highs::solve(&master.model, true);
        let priced = answer.map(|answer| answer.map(|answer| (master.duals(&parts, &answer), answer)));
        pool.active = columns;
        let Some((duals, answer)) = priced? else { return Ok(None) };
        let nodes = master.nodes.iter().map(|(&pool, &column)| (Count::Nodes(pool), answer.values[column]));
        let whole = |&(&option, _): &(&usize, &usize)| problem.purchases.options[option].is_whole();
        relaxed.many |= master.purchases.many;
        let amounts = || master.purchases.amounts.iter();
        relaxed.bought = amounts().filter(|(_, column)| answer.values[**column] > 1e-9).map(|(&option, _)| option).collect();
        let bought = amounts().filter(whole).map(|(&o, &column)| (Count::Bought(o), answer.values[column]));
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
        (relaxed.duals, relaxed.at_duals) = (duals, lagrangian);
        if (!improved || close) && hours_together > 1 {
            hours_together = 1;
        } else if !improved || close {
            if relaxed.branch == Branch::default() {
                enrich(problem, pool, (&relaxed.duals, NEAR * answer.objective.abs()));
            }
            break;
        }
    }
    relaxed.bound = stage.sharp(relaxed.bound);
    Ok(Some(relaxed))
}

/// Adds columns that nearly pay at the final duals: the best whole choice is made of such as these. Whether any was new.
fn enrich(problem: &Problem, pool: &mut Pool, (duals, below): (&Duals, f64)) -> bool {
    let mut more = false;
    for workload in 0..problem.workloads.len() {
        let (columns, _) = price::best(problem, workload, (&pool.known[workload], Ask { duals, below, keep: ENRICH }));
        more |= pool.add(columns);
    }
    more
}

/// The integer master over the columns found, or over those that are near.
fn round(problem: &Problem, stage: &Stage, (pool, near): (&Pool, Option<Near<'_>>)) -> Result<Solution, SolveError> {
    let whole = Branch::default();
    let wanted = |column: &&Column| near.is_none_or(|near| price::reduced(problem, column, near.duals) <= near.below);
    let columns: Vec<Column> = pool.active.iter().filter(wanted).cloned().collect();
    let options = near.map(|near| near.options);
    let parts = Parts { problem, columns: &columns, stage, quotas: &pool.quotas, branch: &whole, options, hours_together: 1 };
    let mut master = master::build(&parts);
    for &nobodys in &master.purchases.nobodys {
        master.model.columns[nobodys].upper = 0.0;
    }
    round_model(problem, stage, (&columns, &master))
}

/// The whole choice that an integer master over columns makes.
pub(super) fn round_model(problem: &Problem, stage: &Stage, (columns, master): (&[Column], &Master)) -> Result<Solution, SolveError> {
    let gap = if master.purchases.many { GAP_OF_MANY } else { highs::MIP_GAP };
    let Some(answer) = highs::solve_within(&master.model, (false, gap))? else { return Err(SolveError::Infeasible(names(problem, &[]))) };
    let unplaced: Vec<usize> = (0..problem.count()).filter(|&w| answer.values[master.unplaced[w]] > 0.5).collect();
    if !unplaced.is_empty() {
        return Err(SolveError::Infeasible(names(problem, &unplaced)));
    }
    let mut chosen: Vec<Column> = columns.iter().zip(&answer.values).filter(|(_, value)| **value > 0.5).map(|(c, _)| c.clone()).collect();
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
