//! The master: one way to run each workload, whole nodes of fixed pools, commitments, quotas, caps.

use crate::formulation::Family;
use crate::formulation::columns::column::counted_changes;
use crate::formulation::columns::{Column, Duals};
use crate::formulation::problem::{PoolIndex, Problem, Sharing, SlotKind};
use crate::lp::Model;
use crate::solver::branch::{Branch, Count};
use crate::solver::highs::Answer;
use crate::solver::purchase;
use crate::solver::quota::QuotaRow;
use crate::solver::stage::Stage;
use crate::units::HOURS_PER_WEEK;
use std::collections::{BTreeMap, BTreeSet};

/// Cost of leaving a workload unplaced, dollars a week: above any real plan.
const UNPLACED: f64 = 1e8;

/// The model with the meaning of its rows and columns.
#[derive(Clone, Debug)]
pub struct Master {
    /// The program.
    pub model: Model,
    /// Position of each workload's `unplaced` column.
    pub unplaced: Vec<usize>,
    /// Position of each fixed pool's node count.
    pub nodes: BTreeMap<PoolIndex, usize>,
    /// Commitments to buy.
    pub purchases: purchase::Rows,
    choice: Vec<usize>,
    slots: SlotRows,
    peaks: BTreeMap<(usize, PoolIndex), usize>,
    credits: BTreeMap<PoolIndex, Vec<usize>>,
    quotas: Vec<(QuotaRow, usize)>,
    changes: Option<usize>,
    cost_row: Option<usize>,
    exposure_row: Option<usize>,
    change_row: Option<usize>,
}

/// What a master is built from.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// Problem.
    pub problem: &'a Problem,
    /// Columns; they are the model's first variables, in this order.
    pub columns: &'a [Column],
    /// Stage.
    pub stage: &'a Stage,
    /// Quota rows in force.
    pub quotas: &'a BTreeSet<QuotaRow>,
    /// Limits on the node counts of fixed pools.
    pub branch: &'a Branch,
    /// Commitments that are considered where all would be many rows.
    pub options: Option<&'a BTreeSet<usize>>,
    /// Hours of a day that share the rows of commitments where rows would be many.
    pub hours_together: usize,
}

/// Terms of the cost and exposure of what is not in columns.
#[derive(Default)]
struct Shared {
    nodes: BTreeMap<PoolIndex, usize>,
    /// Credits of held commitments: constant in fixed pools, by hour in exclusive ones.
    credits: (BTreeMap<PoolIndex, usize>, BTreeMap<PoolIndex, Vec<usize>>),
    cost: Vec<(usize, f64)>,
    exposure: Vec<(usize, f64)>,
}

/// Builds the model.
#[must_use]
pub fn build(parts: &Parts<'_>) -> Master {
    let Parts { problem, columns, stage, quotas, .. } = *parts;
    let mut model = Model::default();
    for (index, column) in columns.iter().enumerate() {
        let value = stage.value(column.cost, column.exposure, column.changed_nodes);
        model.column(format!("way_{}_{index}", column.workload), value, true);
    }
    let unplaced: Vec<usize> = (0..problem.count()).map(|w| model.column(format!("unplaced_{w}"), UNPLACED, false)).collect();
    let choice = (0..problem.count())
        .map(|w| {
            let runs = |c: &Column| problem.workloads[c.workload].members.contains(&w);
            let mut terms: Vec<(usize, f64)> = columns.iter().enumerate().filter(|(_, c)| runs(c)).map(|(i, _)| (i, 1.0)).collect();
            terms.push((unplaced[w], 1.0));
            model.equal(format!("{}_{w}", Family::Choice.as_str()), 1.0, terms)
        })
        .collect();
    let mut shared = Shared::default();
    let (slots, peaks) = fixed_pools(&mut model, parts, &mut shared);
    let credits = commitments(&mut model, parts, &mut shared);
    let purchases = buying(&mut model, parts, &mut shared);
    let quotas = quotas.iter().map(|row| (*row, quota(&mut model, parts, (row, &shared.nodes)))).collect();
    let changes = problem.max_changes.map(|most| {
        let terms = columns.iter().enumerate().map(|(i, c)| (i, counted_changes(problem, c))).filter(|(_, n)| *n > 0.0).collect();
        model.at_most(format!("{}_changes", Family::Budget.as_str()), f64::from(most), terms)
    });
    let capped = |model: &mut Model, name: &str, cap: Option<f64>, own: &dyn Fn(&Column) -> f64, rest: &[(usize, f64)]| {
        cap.map(|cap| {
            let mut terms: Vec<(usize, f64)> = columns.iter().enumerate().map(|(i, c)| (i, own(c))).collect();
            terms.extend_from_slice(rest);
            model.at_most(format!("{}_{name}", Family::Budget.as_str()), cap, terms)
        })
    };
    let cost_row = capped(&mut model, "cost", stage.cost_cap, &|c| c.cost, &shared.cost);
    let exposure_row = capped(&mut model, "exposure", stage.exposure_cap, &|c| c.exposure, &shared.exposure);
    let change_row = capped(&mut model, "changed_nodes", stage.change_cap, &|c| f64::from(c.changed_nodes), &[]);
    for (column, dollars) in &shared.cost {
        model.columns[*column].cost += stage.cost_weight * dollars;
    }
    for (column, exposure) in &shared.exposure {
        model.columns[*column].cost += stage.exposure_weight * exposure;
    }
    Master {
        model,
        unplaced,
        nodes: shared.nodes,
        purchases,
        choice,
        slots,
        peaks,
        credits,
        quotas,
        changes,
        cost_row,
        exposure_row,
        change_row,
    }
}

/// Commitments to buy, within the part's limits.
fn buying(model: &mut Model, parts: &Parts<'_>, shared: &mut Shared) -> purchase::Rows {
    if parts.problem.purchases.is_empty() {
        return purchase::Rows::default();
    }
    let limits = |option: usize| {
        let key = Count::Bought(option);
        let whole = |map: &BTreeMap<Count, u32>, none: f64| map.get(&key).map_or(none, |n| f64::from(*n));
        (whole(&parts.branch.least, 0.0), whole(&parts.branch.most, f64::INFINITY))
    };
    let made = purchase::Made {
        nodes: &shared.nodes,
        fixed_credits: &shared.credits.0,
        hourly_credits: &shared.credits.1,
        limits: &limits,
        options: parts.options,
        hours_together: parts.hours_together,
    };
    let (rows, cost) = purchase::rows(model, (parts.problem, parts.columns), &made);
    shared.cost.extend(cost);
    rows
}

/// Rows of a kind of slots, each with the hours that it stands for.
type SlotRows = BTreeMap<(PoolIndex, SlotKind), Vec<(usize, Vec<usize>)>>;
type PeakRows = BTreeMap<(usize, PoolIndex), usize>;

/// Nodes of fixed pools: enough slots in every hour, and enough for each workload's own peak (which the slots imply for
/// whole choices, and which makes the relaxation tight).
fn fixed_pools(model: &mut Model, parts: &Parts<'_>, shared: &mut Shared) -> (SlotRows, PeakRows) {
    let used: BTreeSet<PoolIndex> = parts.columns.iter().flat_map(|c| &c.fixed).map(|u| u.pool).collect();
    let (mut slots, mut peaks) = (SlotRows::new(), PeakRows::new());
    for pool in used {
        let p = &parts.problem.pools[pool];
        let nodes = model.column(format!("nodes_{pool}"), 0.0, true);
        shared.nodes.insert(pool, nodes);
        model.columns[nodes].lower = parts.branch.least.get(&Count::Nodes(pool)).map_or(0.0, |n| f64::from(*n));
        model.columns[nodes].upper = parts.branch.most.get(&Count::Nodes(pool)).map_or(f64::INFINITY, |n| f64::from(*n));
        shared.cost.push((nodes, p.price * HOURS_PER_WEEK as f64));
        shared.exposure.push((nodes, f64::from(p.gpus) * p.hazard * HOURS_PER_WEEK as f64));
        let uses: Vec<(usize, &Column, &crate::formulation::columns::column::FixedUse)> = parts
            .columns
            .iter()
            .enumerate()
            .flat_map(|(i, c)| c.fixed.iter().filter(move |u| u.pool == pool).map(move |u| (i, c, u)))
            .collect();
        for kind in 0..p.kinds() {
            let suffix = if p.partition.is_some() { format!("_{kind}") } else { String::new() };
            let of_kind: Vec<_> = uses.iter().filter(|(_, _, u)| u.kind == kind).collect();
            let row = |(taken, hours): (Vec<u32>, Vec<usize>)| {
                let mut terms = vec![(nodes, f64::from(p.slots(kind)))];
                terms.extend(of_kind.iter().zip(&taken).filter(|(_, n)| **n > 0).map(|((i, _, _), &n)| (*i, -f64::from(n))));
                let name = format!("{}_{pool}{suffix}_{}", Family::NodeCapacity.as_str(), hours[0]);
                (model.at_least(name, 0.0, terms), hours)
            };
            let taken = |hour: usize| of_kind.iter().map(|(_, _, u)| u.slots[hour]).collect();
            slots.insert((pool, kind), fullest(taken).into_iter().map(row).collect());
        }
        for workload in uses.iter().map(|(_, c, _)| c.workload).collect::<BTreeSet<_>>() {
            let mut terms = vec![(nodes, 1.0)];
            terms.extend(uses.iter().filter(|(_, c, _)| c.workload == workload).map(|(i, _, u)| (*i, -f64::from(u.peak_nodes))));
            let row = model.at_least(format!("{}_peak_{pool}_{workload}", Family::NodeCapacity.as_str()), 0.0, terms);
            peaks.insert((workload, pool), row);
        }
    }
    (slots, peaks)
}

/// What is taken in the hours in which no other hour takes as much of everything, each with the hours that are like it. A pool that
/// holds these holds all.
fn fullest(taken: impl Fn(usize) -> Vec<u32>) -> Vec<(Vec<u32>, Vec<usize>)> {
    let mut hours: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    for hour in 0..HOURS_PER_WEEK {
        hours.entry(taken(hour)).or_default().push(hour);
    }
    let mut by_sum: Vec<(Vec<u32>, Vec<usize>)> = hours.into_iter().collect();
    by_sum.sort_by_cached_key(|(taken, hours)| (std::cmp::Reverse(taken.iter().sum::<u32>()), hours[0]));
    let mut kept: Vec<(Vec<u32>, Vec<usize>)> = Vec::new();
    for (taken, hours) in by_sum {
        let holds = |(known, _): &(Vec<u32>, Vec<usize>)| known.iter().zip(&taken).all(|(known, taken)| known >= taken);
        if !kept.iter().any(holds) {
            kept.push((taken, hours));
        }
    }
    kept
}

/// Credits of commitments: constant in fixed pools, by hour in exclusive ones, together no more than is held.
fn commitments(model: &mut Model, parts: &Parts<'_>, shared: &mut Shared) -> BTreeMap<PoolIndex, Vec<usize>> {
    let problem = parts.problem;
    let mut fixed_credit: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (&pool, &nodes) in &shared.nodes.clone() {
        let p = &problem.pools[pool];
        if p.committed > 0 {
            let credit = model.column(format!("credit_{pool}"), 0.0, false);
            model.columns[credit].upper = f64::from(p.committed);
            model.at_least(format!("{}_{pool}", Family::Commitment.as_str()), 0.0, vec![(nodes, 1.0), (credit, -1.0)]);
            shared.cost.push((credit, -p.price * HOURS_PER_WEEK as f64));
            fixed_credit.insert((p.instance_type.to_string(), p.region.to_string()), credit);
            shared.credits.0.insert(pool, credit);
        }
    }
    let used: BTreeSet<PoolIndex> = parts.columns.iter().flat_map(|c| &c.exclusive).map(|u| u.pool).collect();
    let mut rows = BTreeMap::new();
    for pool in used.into_iter().filter(|&p| problem.pools[p].committed > 0) {
        let p = &problem.pools[pool];
        let fixed = fixed_credit.get(&(p.instance_type.to_string(), p.region.to_string()));
        let hours = (0..HOURS_PER_WEEK)
            .map(|hour| {
                let credit = model.column(format!("credit_{pool}_{hour}"), 0.0, false);
                model.columns[credit].upper = f64::from(p.committed);
                shared.cost.push((credit, -p.price));
                shared.credits.1.entry(pool).or_default().push(credit);
                if let Some(&constant) = fixed {
                    let name = format!("{}_both_{pool}_{hour}", Family::Commitment.as_str());
                    model.at_most(name, f64::from(p.committed), vec![(credit, 1.0), (constant, 1.0)]);
                }
                let mut terms: Vec<(usize, f64)> = exclusive_terms(parts.columns, pool, |u| u.expected[hour]);
                terms.push((credit, -1.0));
                model.at_least(format!("{}_{pool}_{hour}", Family::Commitment.as_str()), 0.0, terms)
            })
            .collect();
        rows.insert(pool, hours);
    }
    rows
}

/// Terms of the columns in an exclusive pool.
fn exclusive_terms(
    columns: &[Column],
    pool: PoolIndex,
    amount: impl Fn(&crate::formulation::columns::column::ExclusiveUse) -> f64,
) -> Vec<(usize, f64)> {
    let mut terms = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let sum: f64 = column.exclusive.iter().filter(|u| u.pool == pool).map(&amount).sum();
        if sum > 0.0 {
            terms.push((index, sum));
        }
    }
    terms
}

/// One quota row.
fn quota(model: &mut Model, parts: &Parts<'_>, (row, nodes): (&QuotaRow, &BTreeMap<PoolIndex, usize>)) -> usize {
    let group = &parts.problem.quotas[row.group];
    let mut terms: BTreeMap<usize, f64> = BTreeMap::new();
    for &(pool, units) in &group.units {
        if let Some(&column) = nodes.get(&pool) {
            *terms.entry(column).or_insert(0.0) += units;
        }
        for (column, held) in exclusive_terms(parts.columns, pool, |u| u.held[row.hour]) {
            *terms.entry(column).or_insert(0.0) += units * held;
        }
    }
    for &(pool, units) in group.fallback_units.iter().filter(|(pool, _)| row.lost == Some(*pool)) {
        if parts.problem.pools[pool].sharing == Sharing::Fixed
            && let Some(&column) = nodes.get(&pool)
        {
            *terms.entry(column).or_insert(0.0) += units;
        }
        for (index, column) in parts.columns.iter().enumerate() {
            for (_, lost) in column.lost.iter().filter(|(p, _)| *p == pool) {
                *terms.entry(index).or_insert(0.0) += units * lost[row.hour];
            }
        }
    }
    let family = if row.lost.is_some() { Family::PoolLoss } else { Family::Quota };
    let suffix = row.lost.map_or_else(String::new, |pool| format!("_{pool}"));
    model.at_most(format!("{}_{}_{}{suffix}", family.as_str(), row.group, row.hour), group.limit, terms.into_iter().collect())
}

impl Master {
    /// Prices for the columns from the duals of the relaxed master.
    #[must_use]
    pub fn duals(&self, parts: &Parts<'_>, answer: &Answer) -> Duals {
        let y = |row: usize| answer.duals[row];
        let mut duals = Duals::face_value(parts.problem);
        let stage = parts.stage;
        duals.cost = stage.cost_weight - self.cost_row.map_or(0.0, y);
        duals.exposure = stage.exposure_weight - self.exposure_row.map_or(0.0, y);
        duals.changed_nodes = stage.change_weight - self.change_row.map_or(0.0, y);
        duals.changed = -self.changes.map_or(0.0, y);
        duals.choice = self.choice.iter().map(|&row| y(row)).collect();
        for (key, prices) in &mut duals.slot {
            let p = &parts.problem.pools[key.0];
            let face = duals.cost * p.price + duals.exposure * f64::from(p.gpus) * p.hazard;
            let unused = if p.committed > 0 { 0.0 } else { face * p.share_of_slot(key.1) };
            let Some(rows) = self.slots.get(key) else {
                prices.fill(unused);
                continue;
            };
            // Hours that are alike share the price of their row; one that a fuller hour makes room for is free.
            prices.fill(0.0);
            for (row, hours) in rows {
                hours.iter().for_each(|&hour| prices[hour] = y(*row).max(0.0) / hours.len() as f64);
            }
        }
        duals.peak = self.peaks.iter().map(|(key, &row)| (*key, y(row).max(0.0))).collect();
        for (pool, prices) in &mut duals.expected {
            let p = &parts.problem.pools[*pool];
            let unused = if p.committed > 0 { -duals.cost * p.price } else { 0.0 };
            for (hour, price) in prices.iter_mut().enumerate() {
                *price = self.credits.get(pool).map_or(unused, |rows| -y(rows[hour]).max(0.0));
            }
        }
        let discounts = self.purchases.discounts(parts.problem, (answer, duals.cost));
        let has_rows = |pool: PoolIndex| self.slots.contains_key(&(pool, 0)) || self.credits.contains_key(&pool);
        self.purchases.lower(parts.problem, &discounts, (&mut duals, &has_rows));
        for (row, index) in &self.quotas {
            let price = -y(*index).min(0.0);
            let group = &parts.problem.quotas[row.group];
            let add = |map: &mut BTreeMap<PoolIndex, Vec<f64>>, pool: PoolIndex, units: f64| {
                map.entry(pool).or_insert_with(|| vec![0.0; HOURS_PER_WEEK])[row.hour] += price * units;
            };
            for &(pool, units) in &group.units {
                add(&mut duals.held, pool, units);
            }
            for &(pool, units) in group.fallback_units.iter().filter(|(pool, _)| row.lost == Some(*pool)) {
                add(&mut duals.lost, pool, units);
            }
        }
        duals
    }
}
