//! Commitments that a solution buys, as the plan tells them, and what they take off the bill of each pool.

use crate::domain::{Payment, Product, Scenario};
use crate::formulation::columns::Column;
use crate::formulation::problem::{PoolIndex, Problem, Sharing};
use crate::formulation::purchase::{Covered, PurchaseOption};
use crate::plan::{Ending, Newsvendor, Purchase, PurchaseCover};
use crate::solver::Solution;
use crate::solver::{purchase, solution};
use crate::units::{HOURS_PER_MONTH, HOURS_PER_WEEK, MONTHS_PER_WEEK_FACTOR, Usd, UsdPerHour};
use std::collections::BTreeMap;

/// What is bought, over the hours of the week.
#[derive(Clone, Debug)]
pub struct Bought {
    /// Use of each machine that held commitments leave.
    left_over: Vec<Vec<f64>>,
    /// Node-hours covered, by option, cover and hour.
    covered: Vec<Vec<Vec<f64>>>,
}

impl Bought {
    /// Of a solution.
    #[must_use]
    pub fn of(problem: &Problem, solution: &Solution) -> Self {
        let expected = solution::expected_nodes(&solution.columns);
        let left_over = purchase::left_over(problem, &solution.fixed_nodes, &expected);
        let covered = purchase::covered(problem, &solution.bought, &left_over);
        Self { left_over, covered }
    }

    /// What is taken off the bill of a pool a week, dollars. The shared pool of a machine comes first, as with held commitments.
    #[must_use]
    pub fn credit(&self, problem: &Problem, (pool, paid): (PoolIndex, &[f64])) -> f64 {
        let Some(machine) = problem.purchases.machine_of(pool) else { return 0.0 };
        let first = problem.pools[pool].sharing == Sharing::Fixed;
        let options = problem.purchases.options.iter().zip(&self.covered);
        let covers = options.flat_map(|(option, hours)| option.covers.iter().zip(hours).map(|(cover, hours)| (option.part, cover, hours)));
        // Taken before, by part: what of the machine's other pool comes first.
        let mut before: BTreeMap<crate::domain::Part, Vec<f64>> = BTreeMap::new();
        let mut credit = 0.0;
        for (part, cover, hours) in covers.filter(|(_, cover, _)| cover.machine == machine) {
            let taken = before.entry(part).or_insert_with(|| vec![0.0; HOURS_PER_WEEK]);
            for hour in 0..HOURS_PER_WEEK {
                let others = self.left_over[machine][hour] - paid[hour];
                // Of a machine's use the shared pool's node-hours are covered first.
                let (from, to) = (taken[hour], taken[hour] + hours[hour]);
                let (low, high) = if first { (0.0, paid[hour]) } else { (others, others + paid[hour]) };
                credit += cover.worth * (to.min(high) - from.max(low)).max(0.0);
                taken[hour] = to;
            }
        }
        credit
    }
}

/// The purchases of a solution; amounts of nothing are left out.
#[must_use]
pub fn of(scenario: &Scenario, problem: &Problem, (solution, bought): (&Solution, &Bought)) -> Vec<Purchase> {
    let options = problem.purchases.options.iter().enumerate().filter(|(index, _)| solution.bought[*index] > 0.0);
    options.map(|(index, option)| one(&Drawn { scenario, problem, solution, bought, index, option })).collect()
}

/// What a purchase is written from.
struct Drawn<'a> {
    scenario: &'a Scenario,
    problem: &'a Problem,
    solution: &'a Solution,
    bought: &'a Bought,
    index: usize,
    option: &'a PurchaseOption,
}

impl Drawn<'_> {
    fn product(&self) -> &Product {
        &self.scenario.buying.products[self.option.product]
    }

    fn hours(&self) -> impl Iterator<Item = (&Covered, &Vec<f64>)> {
        self.option.covers.iter().zip(&self.bought.covered[self.index])
    }

    /// Units in use of what is bought, by hour.
    fn used(&self) -> Vec<f64> {
        (0..HOURS_PER_WEEK).map(|t| self.hours().map(|(c, hours)| c.units * hours[t]).sum()).collect()
    }

    /// Units that all use of its machines would take as far as options before it leave it, by hour.
    fn asked(&self) -> Vec<f64> {
        let earlier = |machine: usize, t: usize| -> f64 {
            let before = self.problem.purchases.options.iter().zip(&self.bought.covered).take(self.index);
            let like = before.filter(|(o, _)| o.part == self.option.part);
            like.flat_map(|(o, hours)| o.covers.iter().zip(hours)).filter(|(c, _)| c.machine == machine).map(|(_, hours)| hours[t]).sum()
        };
        let left = |c: &Covered, t: usize| c.units * (self.bought.left_over[c.machine][t] - earlier(c.machine, t)).max(0.0);
        (0..HOURS_PER_WEEK).map(|t| self.option.covers.iter().map(|c| left(c, t)).sum()).collect()
    }
}

/// A quotient, 0 over nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 1e-12 { (part / whole).min(1.0) } else { 0.0 }
}

fn one(drawn: &Drawn<'_>) -> Purchase {
    let (product, option) = (drawn.product(), drawn.option);
    let amount = drawn.solution.bought[drawn.index];
    let unit = UsdPerHour::from_f64(option.price);
    let usd_per_month = unit.for_hours(amount * HOURS_PER_MONTH);
    let credited: f64 = drawn.hours().map(|(c, hours)| c.worth * hours.iter().sum::<f64>()).sum();
    let credited_usd_per_month = Usd::from_f64(credited * MONTHS_PER_WEEK_FACTOR);
    let cash = cash(drawn, amount);
    let best = option.covers.first().map_or(0.0, |c| c.worth / c.units);
    let term = f64::from(product.term_months);
    let (used, asked) = (drawn.used(), drawn.asked());
    let sum = |hours: &[f64]| hours.iter().sum::<f64>();
    let per_month = credited * MONTHS_PER_WEEK_FACTOR;
    let payback = cash.at_once / (per_month - cash.monthly);
    Purchase {
        product: product.id.to_string(),
        kind: product.kind.as_str().to_owned(),
        unit: product.unit.as_str().to_owned(),
        amount,
        term_months: product.term_months,
        payment: product.payment.as_str().to_owned(),
        usd_per_unit_hour: unit,
        usd_per_hour: unit.scaled(amount),
        usd_per_month,
        first_month_usd: Usd::from_f64(cash.at_once + cash.monthly),
        later_months_usd: Usd::from_f64(cash.monthly),
        covers: covers(drawn),
        credited_usd_per_month,
        saves_usd_per_month: credited_usd_per_month - usd_per_month,
        break_even_share: option.price / best,
        break_even_months: Some(term * usd_per_month.as_f64() / per_month).filter(|m| per_month > 0.0 && *m <= term),
        payback_months: Some(payback).filter(|m| per_month > cash.monthly && *m <= term),
        coverage: share(sum(&used), sum(&asked)),
        utilization: share(sum(&used), amount * HOURS_PER_WEEK as f64),
        coverage_by_hour: used.iter().zip(&asked).map(|(u, a)| share(*u, *a)).collect(),
        utilization_by_hour: used.iter().map(|u| share(*u, amount)).collect(),
        newsvendor: Newsvendor { quantile: 1.0 - option.price / best, amount: quantile(&asked, 1.0 - option.price / best) },
        regret: Vec::new(),
        ending: ending(drawn),
        warnings: warnings(drawn),
        source: product.source.clone(),
        as_of: product.as_of.clone(),
    }
}

/// The least amount that at most `1 - quantile` of the hours ask for more than.
fn quantile(asked: &[f64], quantile: f64) -> f64 {
    let mut sorted = asked.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (quantile * sorted.len() as f64 - 1e-9).ceil().max(0.0) as usize;
    if rank == 0 { 0.0 } else { sorted.get(rank - 1).copied().unwrap_or(0.0) }
}

/// What is paid at once and a month.
struct Cash {
    at_once: f64,
    monthly: f64,
}

fn cash(drawn: &Drawn<'_>, amount: f64) -> Cash {
    let product = drawn.product();
    let on_top = 1.0 + drawn.scenario.adders.percent / 100.0;
    let monthly = if product.payment == Payment::AllUpfront { 0.0 } else { product.hourly.as_f64() };
    Cash { at_once: amount * product.upfront.as_f64() * on_top, monthly: amount * monthly * HOURS_PER_MONTH * on_top }
}

fn covers(drawn: &Drawn<'_>) -> Vec<PurchaseCover> {
    let of = |(cover, hours): (&Covered, &Vec<f64>)| {
        let pool = &drawn.problem.pools[drawn.problem.purchases.machines[cover.machine].pools[0]];
        PurchaseCover {
            instance_type: pool.instance_type.to_string(),
            region: pool.region.to_string(),
            units_per_node_hour: cover.units,
            worth_usd_per_node_hour: UsdPerHour::from_f64(cover.worth),
            node_hours_per_week: hours.iter().sum(),
        }
    };
    drawn.hours().map(of).collect()
}

/// Day on which a term that begins with the anchor week is over.
fn last_day(scenario: &Scenario, months: u32) -> Option<String> {
    let (year, rest) = scenario.anchor_monday.split_once('-')?;
    Some(format!("{:04}-{rest}", year.parse::<u32>().ok()? + months / 12))
}

fn ending(drawn: &Drawn<'_>) -> Vec<Ending> {
    let Some(last) = last_day(drawn.scenario, drawn.product().term_months) else { return Vec::new() };
    let mut endings = Vec::new();
    for cover in &drawn.option.covers {
        let machine = &drawn.problem.purchases.machines[cover.machine];
        let pool = &drawn.problem.pools[machine.pools[0]];
        let held = drawn.scenario.fleet.commitments.iter();
        let same = held.filter(|c| c.instance_type == pool.instance_type && c.region == pool.region);
        let mut room = credited_hours(drawn, cover.machine);
        for commitment in same {
            let hours = room.min(f64::from(commitment.nodes) * HOURS_PER_WEEK as f64);
            room -= hours;
            if commitment.expires < last {
                endings.push(Ending {
                    commitment: commitment.id.to_string(),
                    expires: commitment.expires.clone(),
                    nodes: commitment.nodes,
                    frees_node_hours_per_week: hours,
                });
            }
        }
    }
    endings
}

/// Node-hours a week of a machine that held commitments pay for.
fn credited_hours(drawn: &Drawn<'_>, machine: usize) -> f64 {
    let expected = solution::expected_nodes(&drawn.solution.columns);
    let pools = &drawn.problem.purchases.machines[machine].pools;
    let constant: f64 = pools.iter().filter_map(|p| drawn.solution.fixed_nodes.get(p)).map(|&n| f64::from(n)).sum();
    let coming: f64 = pools.iter().filter_map(|p| expected.get(p)).flatten().sum();
    constant * HOURS_PER_WEEK as f64 + coming - drawn.bought.left_over[machine].iter().sum::<f64>()
}

fn warnings(drawn: &Drawn<'_>) -> Vec<String> {
    let rests_on = |column: &&Column| {
        let pools: Vec<PoolIndex> = column.exclusive.iter().map(|u| u.pool).chain(column.fixed.iter().map(|u| u.pool)).collect();
        drawn.option.covers.iter().any(|c| pools.iter().any(|p| drawn.problem.purchases.machines[c.machine].pools.contains(p)))
    };
    let mut warnings = Vec::new();
    for column in drawn.solution.columns.iter().filter(rests_on) {
        let workload = &drawn.scenario.workloads[column.workload];
        if drawn.scenario.buying.shrinking.contains(&workload.id) {
            warnings.push(format!(
                "`{}` runs on machines that it covers and is declared to shrink: what it no longer uses is paid all the same",
                workload.id
            ));
        }
        if workload.spot.max_share > 0.0 {
            warnings.push(format!(
                "`{}` runs on machines that it covers and may run on spot (up to {:.0}%): a commitment keeps it on demand for {} months",
                workload.id,
                100.0 * workload.spot.max_share,
                drawn.product().term_months
            ));
        }
    }
    warnings
}
