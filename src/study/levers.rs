//! Savings by lever: exact Shapley shares over every subset of levers, since savings of levers do not add up.
//!
//! `v(none)` is today's frozen inventory, `v(all)` the least-cost plan. Accepting another precision is kept apart.

use crate::domain::{Scenario, ShareWith};
use crate::formulation::Freedom;
use crate::formulation::freedom::Autoscaling;
use crate::parallel;
use crate::plan::Lever;
use crate::solver::SolveError;
use crate::study::least_cost;
use crate::units::Usd;

/// A lever: its name, and how it widens what may be chosen.
type Pull = (&'static str, fn(&mut Freedom));

/// Levers in the order of their bits: those that every scenario has, and those that it offers.
fn in_play(scenario: &Scenario) -> Vec<Pull> {
    let mut pulls: Vec<Pull> = vec![
        ("right_sizing", |f| f.right_sizing = true),
        ("autoscaling", |f| f.autoscaling = Autoscaling::Full),
        ("spot", |f| f.spot = true),
        ("placement", |f| f.placement = true),
    ];
    if scenario.workloads.iter().any(|w| w.share.with != ShareWith::Never) {
        pulls.push(("sharing", |f| f.sharing = true));
    }
    if !scenario.buying.products.is_empty() {
        pulls.push(("commitments", |f| f.commitments = true));
    }
    // Without prices of distance, regions are told apart by their machines alone, and right-sizing chooses among them.
    if scenario.network.is_some() && scenario.regions.len() > 1 {
        pulls.push(("regions", |f| f.regions = true));
    }
    pulls
}

/// No lever pulled. Another precision is kept apart.
const NONE: Freedom = Freedom {
    right_sizing: false,
    autoscaling: Autoscaling::Off,
    spot: false,
    placement: false,
    precision: false,
    sharing: false,
    commitments: false,
    regions: false,
};

/// Shares of the saving from `baseline` to `least`, which sum to it.
pub fn of(scenario: &Scenario, (baseline, least): (Usd, Usd)) -> Result<Vec<Lever>, SolveError> {
    let pulls = in_play(scenario);
    let values = values(scenario, (&pulls, baseline))?;
    let all = values.len() - 1;
    let mut levers: Vec<Lever> = pulls
        .iter()
        .enumerate()
        .map(|(bit, (name, _))| Lever {
            name: (*name).to_owned(),
            usd_per_month: shapley(&values, (bit, pulls.len())),
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
fn values(scenario: &Scenario, (pulls, baseline): (&[Pull], Usd)) -> Result<Vec<Usd>, SolveError> {
    let masks: Vec<usize> = (1..1 << pulls.len()).collect();
    let solved = parallel::map(&masks, |&mask| match least_cost(scenario, &freedom(pulls, mask)) {
        Ok(usd) => Ok(usd.min(baseline)),
        Err(SolveError::Infeasible(_)) => Ok(baseline),
        Err(other) => Err(other),
    });
    let mut values = vec![baseline];
    for value in solved {
        values.push(value?);
    }
    for mask in 1..values.len() {
        for bit in (0..pulls.len()).filter(|bit| mask & (1 << bit) != 0) {
            values[mask] = values[mask].min(values[mask & !(1 << bit)]);
        }
    }
    Ok(values)
}

fn freedom(pulls: &[Pull], mask: usize) -> Freedom {
    let mut freedom = NONE;
    for (bit, (_, pull)) in pulls.iter().enumerate() {
        if mask & (1 << bit) != 0 {
            pull(&mut freedom);
        }
    }
    freedom
}

/// Mean of what a lever saves over all orders in which levers may be pulled.
fn shapley(values: &[Usd], (bit, n): (usize, usize)) -> Usd {
    let factorial = |k: usize| (1..=k).product::<usize>() as f64;
    let mut share = 0.0;
    for mask in (0..values.len()).filter(|mask| mask & (1 << bit) == 0) {
        let before = mask.count_ones() as usize;
        let weight = factorial(before) * factorial(n - before - 1) / factorial(n);
        share += weight * (values[mask] - values[mask | (1 << bit)]).as_f64();
    }
    Usd::from_f64(share)
}
