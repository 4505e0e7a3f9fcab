//! Commitments to buy: their amounts in the master, and the best amounts for a fleet that is given.
//!
//! ```text
//! x[p, m, t]                                  node-hours of machine m that option p covers in hour t
//! sum over p of x[p, m, t] <= N[m] + expected nodes - credits of held commitments + z[m, t]     for each part of a machine
//! sum over m of units[p, m] x[p, m, t] <= C[p]
//! cost: 168 price[p] C[p] - worth[p, m] x[p, m, t] + price[m] z[m, t]
//! ```
//!
//! `C` is paid in every hour, used or not. `z` is a node-hour bought on demand for nobody: it never pays, and keeps the dual of the
//! first row at or below what a node-hour costs, so that pools without rows can be priced by it.

use crate::domain::Part;
use crate::formulation::Family;
use crate::formulation::columns::{Column, Duals};
use crate::formulation::problem::{PoolIndex, Problem, Sharing};
use crate::formulation::purchase::PurchaseOption;
use crate::lp::Model;
use crate::solver::highs::Answer;
use crate::units::HOURS_PER_WEEK;
use std::collections::{BTreeMap, BTreeSet};

/// What the rest of the master has made by the time purchases come.
pub struct Made<'a> {
    /// Node counts of fixed pools.
    pub nodes: &'a BTreeMap<PoolIndex, usize>,
    /// Credits of held commitments in fixed pools.
    pub fixed_credits: &'a BTreeMap<PoolIndex, usize>,
    /// Credits of held commitments in exclusive pools, by hour.
    pub hourly_credits: &'a BTreeMap<PoolIndex, Vec<usize>>,
    /// Least and most of each option.
    pub limits: &'a dyn Fn(usize) -> (f64, f64),
    /// Options that are considered where all would be many; all where this is not known.
    pub options: Option<&'a BTreeSet<usize>>,
    /// Hours of a day that share rows where rows would be many.
    pub hours_together: usize,
}

/// Positions in the model. Hours in which all columns use the machines alike share their rows. While columns are sought and that leaves
/// many, so do several hours of all workdays and of weekends, with the mean of what is used: that asks less, so a bound stays one.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Amounts by option.
    pub amounts: BTreeMap<usize, usize>,
    /// Node-hours bought for nobody; a whole choice needs none.
    pub nobodys: Vec<usize>,
    /// There are many rows, so that a solve takes long.
    pub many: bool,
    /// Position of each hour's rows, and how many hours share them.
    shared: Vec<(usize, f64)>,
    /// Rows of what is used, by machine and part.
    used: BTreeMap<(usize, Part), Vec<usize>>,
    /// Rows of what is bought, by option.
    bought: BTreeMap<usize, Vec<usize>>,
}

/// Variables of what is covered, above which they are many.
const MOST_COVERS: usize = 600;

/// Hours of the week before its weekend.
const WORKDAY_HOURS: usize = 5 * 24;

/// Terms of a row.
type Terms = Vec<(usize, f64)>;

/// Adds amounts and rows for the machines that the columns use. Returns them with the terms of the cost.
#[must_use]
pub fn rows(model: &mut Model, (problem, columns): (&Problem, &[Column]), made: &Made<'_>) -> (Rows, Terms) {
    let purchases = &problem.purchases;
    let mut in_use: BTreeSet<PoolIndex> = made.nodes.keys().copied().collect();
    in_use.extend(columns.iter().flat_map(|c| &c.exclusive).map(|u| u.pool));
    let mut machines: BTreeSet<usize> = in_use.iter().filter_map(|&pool| purchases.machine_of(pool)).collect();
    let mut supply: BTreeMap<usize, Vec<Terms>> = machines.iter().map(|&m| (m, supply((problem, columns), (made, m)))).collect();
    let covers = purchases.options.iter().flat_map(|o| &o.covers).filter(|c| machines.contains(&c.machine)).count();
    let many = alike(&supply).len() * covers > MOST_COVERS;
    let few = made.options.filter(|_| many);
    let wanted = |index: usize| few.is_none_or(|few| few.contains(&index));
    let kept = |machine: usize| {
        let covers = |o: &PurchaseOption| o.covers.iter().any(|c| c.machine == machine);
        purchases.options.iter().enumerate().any(|(index, option)| wanted(index) && covers(option))
    };
    machines.retain(|&machine| kept(machine));
    supply.retain(|machine, _| machines.contains(machine));
    let groups = if many && made.hours_together > 1 { similar(made.hours_together) } else { alike(&supply) };
    let hours: Vec<(usize, f64)> = groups.iter().map(|hours| (hours[0], hours.len() as f64)).collect();
    let mut shared = vec![(0, 0.0); HOURS_PER_WEEK];
    for (group, own) in groups.iter().enumerate() {
        own.iter().for_each(|&hour| shared[hour] = (group, own.len() as f64));
    }
    let mut rows = Rows { shared, many, ..Rows::default() };
    let mut cost = Vec::new();
    let mut covered: BTreeMap<(usize, Part), Vec<Vec<usize>>> = BTreeMap::new();
    for (index, option) in purchases.options.iter().enumerate().filter(|(index, _)| wanted(*index)) {
        let mine: Vec<_> = option.covers.iter().filter(|c| machines.contains(&c.machine)).collect();
        if mine.is_empty() {
            continue;
        }
        let amount = model.column(format!("bought_{index}"), 0.0, option.is_whole());
        (model.columns[amount].lower, model.columns[amount].upper) = (made.limits)(index);
        cost.push((amount, option.price * HOURS_PER_WEEK as f64));
        let mut takes: Vec<Terms> = vec![vec![(amount, 1.0)]; hours.len()];
        for cover in mine {
            let taken = covered.entry((cover.machine, option.part)).or_insert_with(|| vec![Vec::new(); hours.len()]);
            for (group, &(hour, count)) in hours.iter().enumerate() {
                let x = model.column(format!("covers_{index}_{}_{hour}", cover.machine), 0.0, false);
                cost.push((x, -cover.worth * count));
                takes[group].push((x, -cover.units));
                taken[group].push(x);
            }
        }
        let name = |hour: usize| format!("{}_bought_{index}_{hour}", Family::Commitment.as_str());
        let bought = takes.into_iter().zip(&hours).map(|(terms, (hour, _))| model.at_least(name(*hour), 0.0, terms)).collect();
        rows.amounts.insert(index, amount);
        rows.bought.insert(index, bought);
    }
    for (machine, terms) in supply {
        let mut ends = Vec::new();
        for &(hour, count) in &hours {
            let z = model.column(format!("nobodys_{machine}_{hour}"), 0.0, false);
            cost.push((z, purchases.machines[machine].price * count));
            ends.push(z);
        }
        for (&(_, part), taken) in covered.range((machine, Part::Machine)..=(machine, Part::Gpus)) {
            let name = |hour: usize| format!("{}_used_{machine}_{part:?}_{hour}", Family::Commitment.as_str());
            let row = |(group, &(hour, _)): (usize, &(usize, f64))| {
                let mut all = mean(&terms, &groups[group]);
                all.push((ends[group], 1.0));
                all.extend(taken[group].iter().map(|&x| (x, -1.0)));
                model.at_least(name(hour), 0.0, all)
            };
            rows.used.insert((machine, part), hours.iter().enumerate().map(row).collect());
        }
        rows.nobodys.extend(ends);
    }
    (rows, cost)
}

/// Hours of the week in groups with the same terms for every machine.
fn alike(supply: &BTreeMap<usize, Vec<Terms>>) -> Vec<Vec<usize>> {
    let mut alike: BTreeMap<Vec<(usize, usize, u64)>, Vec<usize>> = BTreeMap::new();
    for hour in 0..HOURS_PER_WEEK {
        let bits = |(&machine, hours): (&usize, &Vec<Terms>)| -> Vec<(usize, usize, u64)> {
            hours[hour].iter().map(|(column, value)| (machine, *column, value.to_bits())).collect()
        };
        alike.entry(supply.iter().flat_map(bits).collect()).or_default().push(hour);
    }
    in_order(alike.into_values())
}

/// Hours of the week in groups of so many hours of the day, on workdays and at weekends.
fn similar(together: usize) -> Vec<Vec<usize>> {
    let mut similar: BTreeMap<(bool, usize), Vec<usize>> = BTreeMap::new();
    for hour in 0..HOURS_PER_WEEK {
        similar.entry((hour >= WORKDAY_HOURS, hour % 24 / together)).or_default().push(hour);
    }
    in_order(similar.into_values())
}

fn in_order(groups: impl Iterator<Item = Vec<usize>>) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = groups.collect();
    groups.sort();
    groups
}

/// Terms of a row for several hours: the mean of theirs.
fn mean(terms: &[Terms], hours: &[usize]) -> Terms {
    let first = &terms[hours[0]];
    if hours.iter().all(|&hour| &terms[hour] == first) {
        return first.clone();
    }
    let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
    for (column, value) in hours.iter().flat_map(|&hour| &terms[hour]) {
        *sums.entry(*column).or_insert(0.0) += value;
    }
    sums.into_iter().map(|(column, sum)| (column, sum / hours.len() as f64)).collect()
}

/// Node-hours of a machine that no held commitment pays for, by hour.
fn supply((problem, columns): (&Problem, &[Column]), (made, machine): (&Made<'_>, usize)) -> Vec<Terms> {
    let pools = &problem.purchases.machines[machine].pools;
    let mut supply: Vec<Terms> = vec![Vec::new(); HOURS_PER_WEEK];
    for (index, column) in columns.iter().enumerate() {
        let mine: Vec<_> = column.exclusive.iter().filter(|u| pools.contains(&u.pool)).collect();
        for (hour, terms) in supply.iter_mut().enumerate().filter(|_| !mine.is_empty()) {
            let nodes: f64 = mine.iter().map(|u| u.expected[hour]).sum();
            if nodes > 0.0 {
                terms.push((index, nodes));
            }
        }
    }
    for (hour, terms) in supply.iter_mut().enumerate() {
        terms.extend(pools.iter().filter_map(|p| made.nodes.get(p)).map(|&n| (n, 1.0)));
        terms.extend(pools.iter().filter_map(|p| made.fixed_credits.get(p)).map(|&c| (c, -1.0)));
        terms.extend(pools.iter().filter_map(|p| made.hourly_credits.get(p)).map(|hours| (hours[hour], -1.0)));
    }
    supply
}

impl Rows {
    /// By how much a node-hour of a pool is priced below on demand, in each hour: the duals where the machine has rows, else what
    /// the prices of the options leave.
    #[must_use]
    pub fn discounts(&self, problem: &Problem, (answer, dollar): (&Answer, f64)) -> Vec<Vec<f64>> {
        let purchases = &problem.purchases;
        let dual = |rows: &[usize], hour: usize| {
            let (group, count) = self.shared[hour];
            answer.duals[rows[group]].max(0.0) / count
        };
        let of = |machine: usize, hour: usize| -> f64 {
            let mut own = self.used.range((machine, Part::Machine)..=(machine, Part::Gpus)).peekable();
            if own.peek().is_some() {
                return own.map(|(_, rows)| dual(rows, hour)).sum();
            }
            let unit_hour = |option: usize| {
                let priced = self.bought.get(&option).map(|rows| dual(rows, hour));
                priced.unwrap_or(dollar * purchases.options[option].price)
            };
            purchases.discount(machine, &unit_hour, dollar)
        };
        (0..purchases.machines.len()).map(|machine| (0..HOURS_PER_WEEK).map(|hour| of(machine, hour)).collect()).collect()
    }

    /// Takes the discounts off the prices of pools: of nodes in exclusive ones, of slots in fixed ones without rows.
    pub fn lower(&self, problem: &Problem, discounts: &[Vec<f64>], (duals, has_rows): (&mut Duals, &dyn Fn(PoolIndex) -> bool)) {
        for (machine, hours) in problem.purchases.machines.iter().zip(discounts) {
            for &pool in &machine.pools {
                let p = &problem.pools[pool];
                match p.sharing {
                    // What held commitments pay for is priced at nothing until it has rows: no less can be.
                    _ if !has_rows(pool) && p.committed > 0 => {}
                    Sharing::Exclusive => {
                        let prices = duals.expected.entry(pool).or_insert_with(|| vec![0.0; HOURS_PER_WEEK]);
                        prices.iter_mut().zip(hours).for_each(|(price, off)| *price -= off);
                    }
                    Sharing::Fixed if has_rows(pool) => {}
                    Sharing::Fixed => {
                        let prices = duals.slot.entry((pool, 0)).or_insert_with(|| vec![0.0; HOURS_PER_WEEK]);
                        prices.iter_mut().zip(hours).for_each(|(price, off)| *price = (*price - off / f64::from(p.gpus)).max(0.0));
                    }
                }
            }
        }
    }
}

/// Node-hours of each machine that held commitments leave, by hour.
#[must_use]
pub fn left_over(problem: &Problem, fixed: &BTreeMap<PoolIndex, u32>, expected: &BTreeMap<PoolIndex, Vec<f64>>) -> Vec<Vec<f64>> {
    let machines = problem.purchases.machines.iter();
    machines
        .map(|machine| {
            let constant: f64 = machine.pools.iter().filter_map(|p| fixed.get(p)).map(|&n| f64::from(n)).sum();
            let hour = |t: usize| -> f64 {
                let coming: f64 = machine.pools.iter().filter_map(|p| expected.get(p)).map(|hours| hours[t]).sum();
                (constant + coming - f64::from(machine.committed)).max(0.0)
            };
            (0..HOURS_PER_WEEK).map(hour).collect()
        })
        .collect()
}

/// Node-hours that each option covers: by option, by its covers, by hour. Options are credited in their order, each on the machines
/// with its largest discount first.
#[must_use]
pub fn covered(problem: &Problem, amounts: &[f64], left_over: &[Vec<f64>]) -> Vec<Vec<Vec<f64>>> {
    let mut left: BTreeMap<(usize, Part), Vec<f64>> =
        problem.purchases.layers().into_iter().map(|(machine, part)| ((machine, part), left_over[machine].clone())).collect();
    let options = problem.purchases.options.iter().zip(amounts);
    options
        .map(|(option, &amount)| {
            let mut room = vec![amount; HOURS_PER_WEEK];
            let one = |cover: &crate::formulation::purchase::Covered| {
                let mut taken = vec![0.0; HOURS_PER_WEEK];
                if let Some(nodes) = left.get_mut(&(cover.machine, option.part)).filter(|_| amount > 0.0) {
                    for hour in 0..HOURS_PER_WEEK {
                        taken[hour] = nodes[hour].min(room[hour] / cover.units).max(0.0);
                        nodes[hour] -= taken[hour];
                        room[hour] -= taken[hour] * cover.units;
                    }
                }
                taken
            };
            option.covers.iter().map(one).collect()
        })
        .collect()
}

/// What amounts cost a week beyond what they save, dollars.
#[must_use]
pub fn net(problem: &Problem, amounts: &[f64], left_over: &[Vec<f64>]) -> f64 {
    let covered = covered(problem, amounts, left_over);
    let options = problem.purchases.options.iter().zip(amounts).zip(&covered);
    let of = |((option, amount), hours): ((&PurchaseOption, &f64), &Vec<Vec<f64>>)| {
        let saved: f64 = option.covers.iter().zip(hours).map(|(c, hours)| c.worth * hours.iter().sum::<f64>()).sum();
        amount * option.price * HOURS_PER_WEEK as f64 - saved
    };
    options.map(of).sum()
}

/// Gain of one more step, dollars a week, below which it is not bought.
const WORTH_A_STEP: f64 = 1e-9;

/// Rounds over the options, after which amounts are taken as they are.
const MOST_ROUNDS: usize = 12;

/// The best amounts for what is left over: each option by the newsvendor's rule, a step as long as what it saves over the hours of
/// the week is more than it costs, in turn until none changes. With one option to a machine that is the optimum. With several it
/// may depend on where it begins, so it begins at the amounts of the master and at nothing, forwards and backwards.
#[must_use]
pub fn best(problem: &Problem, left_over: &[Vec<f64>], near: &[f64]) -> Vec<f64> {
    let options = &problem.purchases.options;
    let on_grid = |(option, amount): (&PurchaseOption, &f64)| option.amount((amount / option.step).round());
    let near: Vec<f64> = options.iter().zip(near).map(on_grid).collect();
    let nothing = vec![0.0; options.len()];
    let forwards: Vec<usize> = (0..options.len()).collect();
    let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
    let starts = [(&near, &forwards), (&nothing, &forwards), (&nothing, &backwards)];
    let ends = starts.into_iter().filter(|(start, _)| start.len() == options.len()).map(|(start, order)| {
        let amounts = settled(problem, left_over, (start, order));
        (net(problem, &amounts, left_over), amounts)
    });
    let better = |known: (f64, Vec<f64>), next: (f64, Vec<f64>)| if next.0 < known.0 - WORTH_A_STEP { next } else { known };
    ends.reduce(better).map(|(_, amounts)| amounts).unwrap_or_default()
}

/// Sets each option in turn until none changes.
fn settled(problem: &Problem, left_over: &[Vec<f64>], (start, order): (&[f64], &[usize])) -> Vec<f64> {
    let mut amounts = start.to_vec();
    for _ in 0..MOST_ROUNDS {
        let before = amounts.clone();
        for &index in order {
            amounts[index] = newsvendor(problem, left_over, (&amounts, index));
        }
        if amounts.iter().zip(&before).all(|(a, b)| a.total_cmp(b).is_eq()) {
            break;
        }
    }
    amounts
}

/// The best amount of one option with the others as they are: by bisection for the first step that does not pay, since no later
/// step pays more than one before it.
fn newsvendor(problem: &Problem, left_over: &[Vec<f64>], (amounts, index): (&[f64], usize)) -> f64 {
    let option = &problem.purchases.options[index];
    let cost_of = |steps: u64| {
        let mut tried = amounts.to_vec();
        tried[index] = option.amount(steps as f64);
        net(problem, &tried, left_over)
    };
    let peak = |hour: usize| option.covers.iter().map(|c| c.units * left_over[c.machine][hour]).sum::<f64>();
    let most = ((0..HOURS_PER_WEEK).map(peak).fold(0.0, f64::max) / option.step).ceil() as u64;
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = u64::midpoint(low, high);
        if cost_of(middle + 1) < cost_of(middle) - WORTH_A_STEP { low = middle + 1 } else { high = middle }
    }
    option.amount(low as f64)
}
