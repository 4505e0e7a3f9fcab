//! Tiny generated scenarios: every decision is tried, and the answer held against the columns (value and bound) and
//! against the textbook program.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::exhaustive;
use crate::generated::{self, Size};
use gpuplan::formulation::compact::{self, Goal};
use gpuplan::formulation::{self, Freedom, Problem};
use gpuplan::solver::{self, ColumnPool, SolveError, Stage, reference};

/// Seeds that are looked at; a few make instances that are not tiny and are left out.
const SEEDS: std::ops::Range<u64> = 0..280;

/// Instances below which the test says nothing.
const ENOUGH: usize = 200;

/// Columns of a textbook program above which it is not solved here (time).
const MOST_COLUMNS: usize = 3000;

/// Of the instances, the share that the columns may solve to more than the optimum: the integer master chooses among
/// the columns that were generated. The bound they state must hold all the same.
const MAY_BE_DEARER: f64 = 0.02;

fn problem(seed: u64) -> Problem {
    formulation::build(&generated::scenario(seed, Size::TINY), &Freedom::FULL)
}

/// The columns' value and bound; `None` when they find no plan.
fn by_columns(problem: &Problem) -> Option<(f64, f64)> {
    let mut pool = ColumnPool::of(problem);
    match solver::solve(problem, &Stage::least_cost(), &mut pool) {
        Ok(solution) => Some((solution.value, solution.bound)),
        Err(SolveError::Infeasible(_)) => None,
        Err(other) => panic!("{other}"),
    }
}

/// A millionth, as the solvers' own tolerances add up over a plan.
fn slack(cost: f64) -> f64 {
    1e-6 * cost.abs().max(1.0)
}

#[test]
fn columns_agree_with_trying_everything() {
    let (mut compared, mut dearer, mut open) = (0, Vec::new(), 0);
    let mut faults = Vec::new();
    for seed in SEEDS {
        let problem = problem(seed);
        let Some(truth) = exhaustive::best(&problem) else { continue };
        compared += 1;
        match (truth.cost, by_columns(&problem)) {
            (None, None) => {}
            (Some(cost), Some((value, bound))) => {
                if bound > cost + slack(cost) {
                    faults.push(format!("seed {seed}: bound {bound} above the optimum {cost} of {} weeks", truth.tried));
                }
                if value < cost - slack(cost) {
                    faults.push(format!("seed {seed}: value {value} below the optimum {cost} of {} weeks", truth.tried));
                }
                if value - bound <= slack(cost) && value > cost + slack(cost) {
                    faults.push(format!("seed {seed}: value {value} is called optimal, {cost} is"));
                }
                open += usize::from(value - bound > slack(cost));
                if value > cost + slack(cost) {
                    dearer.push(format!("seed {seed}: {value} for {cost}, bound {bound}"));
                }
            }
            (cost, found) => faults.push(format!("seed {seed}: optimum {cost:?}, columns {found:?}")),
        }
    }
    assert!(faults.is_empty(), "{} of {compared} ({open} with a gap):\n{}", faults.len(), faults.join("\n"));
    assert!(compared >= ENOUGH, "only {compared} instances are tiny");
    assert!(
        (dearer.len() as f64) < MAY_BE_DEARER * compared as f64,
        "{} of {compared} plans too dear:\n{}",
        dearer.len(),
        dearer.join("\n")
    );
}

#[test]
fn the_textbook_program_agrees_with_trying_everything() {
    let mut compared = 0;
    let mut faults = Vec::new();
    // Known and open: on one instance of the 213 the textbook program rules out a schedule that the search finds.
    let mut dearer = Vec::new();
    for seed in SEEDS {
        let problem = problem(seed);
        let model = compact::build(&problem, &Goal::LEAST_COST);
        if model.columns.len() > MOST_COLUMNS {
            continue;
        }
        let Some(truth) = exhaustive::best(&problem) else { continue };
        compared += 1;
        let found = reference::optimum(&problem, &Stage::least_cost()).unwrap().map(|answer| answer.objective);
        let same = match (truth.cost, found) {
            (Some(cost), Some(objective)) if objective > cost + 10.0 * slack(cost) => {
                dearer.push(format!("seed {seed}: optimum {cost}, textbook {objective}"));
                true
            }
            (Some(cost), Some(objective)) => objective >= cost - 10.0 * slack(cost),
            (cost, found) => cost.is_none() && found.is_none(),
        };
        if !same {
            faults.push(format!("seed {seed}: optimum {:?}, textbook {found:?}", truth.cost));
        }
    }
    assert!(faults.is_empty(), "{} of {compared}:\n{}", faults.len(), faults.join("\n"));
    assert!((dearer.len() as f64) < MAY_BE_DEARER / 2.0 * compared as f64, "{} too dear:\n{}", dearer.len(), dearer.join("\n"));
    assert!(compared >= ENOUGH, "only {compared} programs are small");
}

/// The program also weighs exposure and keeps caps, as the stages of a target do.
#[test]
fn the_textbook_program_bounds_the_stage_of_least_exposure() {
    let mut compared = 0;
    for seed in SEEDS {
        let problem = problem(seed);
        let small = compact::build(&problem, &Goal::LEAST_COST).columns.len() <= MOST_COLUMNS / 3;
        let Some((cheapest, _)) = by_columns(&problem).filter(|_| small) else { continue };
        let stage = Stage::least_exposure(1.1 * cheapest + 1.0);
        // As in a plan: the safety stages begin with the columns of the least-cost one.
        let mut pool = ColumnPool::of(&problem);
        solver::solve(&problem, &Stage::least_cost(), &mut pool).unwrap();
        let found = solver::solve(&problem, &stage, &mut pool).unwrap();
        let truth = reference::optimum(&problem, &stage).unwrap().unwrap().objective;
        assert!(found.bound <= truth + slack(truth), "seed {seed}: bound {} above the least exposure {truth}", found.bound);
        assert!(found.value >= truth - 10.0 * slack(truth), "seed {seed}: exposure {} below the least {truth}", found.value);
        compared += 1;
    }
    assert!(compared >= ENOUGH / 4, "only {compared} compared");
}
