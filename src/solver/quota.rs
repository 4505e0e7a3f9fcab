//! Quota rows, added only where a candidate breaks them: without them the bound still holds, with them plans do.

use crate::formulation::problem::{PoolIndex, Problem, Sharing};
use crate::solver::solution::Solution;
use crate::units::HOURS_PER_WEEK;

/// One row: a group in an hour, perhaps with the fallback of a lost spot pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuotaRow {
    /// Position of the group.
    pub group: usize,
    /// Hour.
    pub hour: usize,
    /// Spot pool that is lost.
    pub lost: Option<PoolIndex>,
}

/// Units that a solution uses of a row.
#[must_use]
pub fn used(problem: &Problem, solution: &Solution, row: &QuotaRow) -> f64 {
    let group = &problem.quotas[row.group];
    let units = |list: &[(PoolIndex, f64)], pool: PoolIndex| list.iter().find(|(p, _)| *p == pool).map_or(0.0, |(_, u)| *u);
    let mut total = 0.0;
    for (&pool, &nodes) in &solution.fixed_nodes {
        total += units(&group.units, pool) * f64::from(nodes);
    }
    for column in &solution.columns {
        for exclusive in &column.exclusive {
            total += units(&group.units, exclusive.pool) * exclusive.held[row.hour];
        }
    }
    let Some(lost) = row.lost else { return total };
    let fallback = units(&group.fallback_units, lost);
    if problem.pools[lost].sharing == Sharing::Fixed {
        total += fallback * f64::from(solution.fixed_nodes.get(&lost).copied().unwrap_or(0));
    }
    for column in &solution.columns {
        total += column.lost.iter().filter(|(pool, _)| *pool == lost).map(|(_, nodes)| fallback * nodes[row.hour]).sum::<f64>();
    }
    total
}

/// Rows that a solution breaks.
#[must_use]
pub fn broken(problem: &Problem, solution: &Solution) -> Vec<QuotaRow> {
    let mut rows = Vec::new();
    for (index, group) in problem.quotas.iter().enumerate() {
        let losses = std::iter::once(None).chain(group.fallback_units.iter().map(|(pool, _)| Some(*pool)));
        for lost in losses {
            for hour in 0..HOURS_PER_WEEK {
                let row = QuotaRow { group: index, hour, lost };
                if used(problem, solution, &row) > group.limit + 1e-6 {
                    rows.push(row);
                }
            }
        }
    }
    rows
}
