//! A chosen column for every workload, whole nodes for every fixed pool, and what it all comes to.

use crate::domain::CapacityType;
use crate::formulation::columns::Column;
use crate::formulation::problem::{PoolIndex, Problem, Sharing, SlotKind};
use crate::solver::purchase;
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeMap;

/// A solved problem.
#[derive(Clone, Debug)]
pub struct Solution {
    /// Columns in the order of their units: each workload is run by exactly one.
    pub columns: Vec<Column>,
    /// Nodes of fixed pools in use.
    pub fixed_nodes: BTreeMap<PoolIndex, u32>,
    /// Amounts of the commitments that are bought, by option.
    pub bought: Vec<f64>,
    /// Cost a week beyond held commitments, dollars.
    pub cost: f64,
    /// Spot GPU-hours x hazard a week.
    pub exposure: f64,
    /// Changed nodes.
    pub changed_nodes: u32,
    /// Value of the stage's objective.
    pub value: f64,
    /// Proven lower bound of the stage's objective.
    pub bound: f64,
}

impl Solution {
    /// `(value - bound) / value`; 0 when the value is 0.
    #[must_use]
    pub fn gap(&self) -> f64 {
        if self.value.abs() < 1e-9 { 0.0 } else { ((self.value - self.bound) / self.value).max(0.0) }
    }
}

/// Position among the columns of the one that runs a workload, alone or in a bundle.
#[must_use]
pub fn column_of<'a>(problem: &Problem, columns: &'a [Column], workload: usize) -> Option<&'a Column> {
    columns.iter().find(|c| problem.workloads[c.workload].members.contains(&workload))
}

/// Nodes that each fixed pool needs for the chosen columns.
#[must_use]
pub fn fixed_nodes(problem: &Problem, columns: &[Column]) -> BTreeMap<PoolIndex, u32> {
    let mut slots: BTreeMap<(PoolIndex, SlotKind), Vec<u32>> = BTreeMap::new();
    for used in columns.iter().flat_map(|c| &c.fixed) {
        let total = slots.entry((used.pool, used.kind)).or_insert_with(|| vec![0; HOURS_PER_WEEK]);
        for (sum, own) in total.iter_mut().zip(&used.slots) {
            *sum += own;
        }
    }
    let mut nodes = BTreeMap::new();
    for ((pool, kind), hours) in slots {
        let needed = hours.into_iter().max().unwrap_or(0).div_ceil(problem.pools[pool].slots(kind));
        let most = nodes.entry(pool).or_insert(0);
        *most = needed.max(*most);
    }
    nodes
}

/// Expected nodes of every exclusive pool by hour.
#[must_use]
pub fn expected_nodes(columns: &[Column]) -> BTreeMap<PoolIndex, Vec<f64>> {
    let mut nodes: BTreeMap<PoolIndex, Vec<f64>> = BTreeMap::new();
    for used in columns.iter().flat_map(|c| &c.exclusive) {
        let total = nodes.entry(used.pool).or_insert_with(|| vec![0.0; HOURS_PER_WEEK]);
        for (sum, own) in total.iter_mut().zip(&used.expected) {
            *sum += own;
        }
    }
    nodes
}

/// Nodes of an exclusive pool that commitments pay for, by hour: what the fixed pool of the same type leaves.
#[must_use]
pub fn credited(problem: &Problem, (pool, nodes): (PoolIndex, &[f64]), fixed: &BTreeMap<PoolIndex, u32>) -> Vec<f64> {
    let own = &problem.pools[pool];
    if own.committed == 0 || own.capacity_type != CapacityType::OnDemand {
        return vec![0.0; HOURS_PER_WEEK];
    }
    let taken: u32 = fixed
        .iter()
        .filter(|(p, _)| problem.pools[**p].instance_type == own.instance_type && problem.pools[**p].region == own.region)
        .filter(|(p, _)| problem.pools[**p].capacity_type == CapacityType::OnDemand && problem.pools[**p].partition.is_none())
        .map(|(_, n)| *n)
        .sum();
    let left = f64::from(own.committed.saturating_sub(taken));
    nodes.iter().map(|n| n.min(left)).collect()
}

/// Adds up columns: cost, exposure and changes with whole nodes, held commitments credited, and the best amounts of those that
/// may be bought, sought near some.
#[must_use]
pub fn of_columns(problem: &Problem, (columns, near): (Vec<Column>, &[f64])) -> Solution {
    let fixed = fixed_nodes(problem, &columns);
    let mut cost: f64 = columns.iter().map(|c| c.cost).sum();
    let mut exposure: f64 = columns.iter().map(|c| c.exposure).sum();
    for (&pool, &nodes) in &fixed {
        let p = &problem.pools[pool];
        debug_assert_eq!(p.sharing, Sharing::Fixed);
        cost += f64::from(nodes.saturating_sub(p.committed)) * p.price * HOURS_PER_WEEK as f64;
        exposure += f64::from(nodes) * f64::from(p.gpus) * p.hazard * HOURS_PER_WEEK as f64;
    }
    let expected = expected_nodes(&columns);
    for (&pool, nodes) in &expected {
        cost -= problem.pools[pool].price * credited(problem, (pool, nodes), &fixed).iter().sum::<f64>();
    }
    let left_over = purchase::left_over(problem, &fixed, &expected);
    let bought = purchase::best(problem, &left_over, near);
    cost += purchase::net(problem, &bought, &left_over);
    let changed_nodes = columns.iter().map(|c| c.changed_nodes).sum();
    Solution { columns, fixed_nodes: fixed, bought, cost, exposure, changed_nodes, value: 0.0, bound: f64::NEG_INFINITY }
}
