//! Savings by lever: exact Shapley shares over every subset of levers, since savings of levers do not add up.
//!
//! `v(none)` is today's frozen inventory, `v(all)` the least-cost plan. Accepting another precision is kept apart.

use crate::domain::Scenario;
use crate::formulation::Freedom;
use crate::formulation::freedom::Autoscaling;
use crate::parallel;
use crate::plan::Lever;
use crate::solver::SolveError;
use crate::study::least_cost;
use crate::units::Usd;

/// Levers in the order of their bits.
const LEVERS: [&str; 4] = ["right_sizing", "autoscaling", "spot", "placement"];

/// Shares of the saving from `baseline` to `least`, which sum to it.
pub fn of(scenario: &Scenario, (baseline, least): (Usd, Usd)) -> Result<Vec<Lever>, SolveError> {
    let values = values(scenario, baseline)?;
    let all = values.len() - 1;
    let mut levers: Vec<Lever> = LEVERS
        .iter()
        .enumerate()
        .map(|(bit, name)| Lever {
            name: (*name).to_owned(),
            usd_per_month: shapley(&values, bit),
            first_in_usd_per_month: values[0] - values[1 << bit],
            last_in_usd_per_month: values[all & !(1 << bit)] - values[all],
            counted: true,
        })
        .collect();
    // What rounding leaves goes to the largest share, so that the lines add up to the cent.
    let sum: Usd = levers.iter().map(|l| l.usd_per_month).sum();
    if let Some(largest) = levers.iter_mut().max_by_key(|l| l.usd_per_month) {
        largest.usd_per_month += values[0] - values[all] - sum;
    }
    if scenario.workloads.iter().any(|w| w.precisions.len() > 1) {
        let saved = values[all] - least;
        levers.push(Lever {
            name: "precision".to_owned(),
            usd_per_month: saved,
            first_in_usd_per_month: saved,
            last_in_usd_per_month: saved,
            counted: true,
        });
    }
    Ok(levers)
}

/// Cost of the best plan for every subset of levers, by bit mask. More levers never cost more.
fn values(scenario: &Scenario, baseline: Usd) -> Result<Vec<Usd>, SolveError> {
    let masks: Vec<usize> = (1..1 << LEVERS.len()).collect();
    let solved = parallel::map(&masks, |&mask| match least_cost(scenario, &freedom(mask)) {
        Ok(usd) => Ok(usd.min(baseline)),
        Err(SolveError::Infeasible(_)) => Ok(baseline),
        Err(other) => Err(other),
    });
    let mut values = vec![baseline];
    for value in solved {
        values.push(value?);
    }
    for mask in 1..values.len() {
        for bit in (0..LEVERS.len()).filter(|bit| mask & (1 << bit) != 0) {
            values[mask] = values[mask].min(values[mask & !(1 << bit)]);
        }
    }
    Ok(values)
}

fn freedom(mask: usize) -> Freedom {
    let has = |bit: usize| mask & (1 << bit) != 0;
    Freedom {
        right_sizing: has(0),
        autoscaling: if has(1) { Autoscaling::Full } else { Autoscaling::Off },
        spot: has(2),
        placement: has(3),
        precision: false,
    }
}

/// Mean of what a lever saves over all orders in which levers may be pulled.
fn shapley(values: &[Usd], bit: usize) -> Usd {
    let n = LEVERS.len();
    let factorial = |k: usize| (1..=k).product::<usize>() as f64;
    let mut share = 0.0;
    for mask in (0..values.len()).filter(|mask| mask & (1 << bit) == 0) {
        let before = mask.count_ones() as usize;
        let weight = factorial(before) * factorial(n - before - 1) / factorial(n);
        share += weight * (values[mask] - values[mask | (1 << bit)]).as_f64();
    }
    Usd::from_f64(share)
}
