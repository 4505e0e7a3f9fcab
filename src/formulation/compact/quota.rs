//! Quotas: the cloud's cap on a group of instance types holds in every hour.
//!
//! ```text
//! sum over pools of units[pool] (N[pool] or nodes held in hour t) <= limit        for each group and hour t
//! ```
//!
//! `units`: vCPUs or GPUs of a node, or 1. Nodes of services that may be at zero count as when awake. The dual is what
//! one more unit of quota in that hour saves, dollars a week.

use crate::formulation::compact::draft::{Draft, Sense, Terms};
use crate::formulation::family::Family;
use crate::formulation::problem::QuotaGroup;
use crate::units::HOURS_PER_WEEK;

/// States the rows.
pub fn state(draft: &mut Draft<'_>) {
    let problem = draft.problem;
    for (index, group) in problem.quotas.iter().enumerate() {
        for hour in 0..HOURS_PER_WEEK {
            let terms = used(draft, group, hour);
            draft.row((Family::Quota, &format!("{index}_{hour}")), &terms, (Sense::AtMost, group.limit));
        }
    }
}

/// Units of a group that are used in an hour.
pub fn used(draft: &Draft<'_>, group: &QuotaGroup, hour: usize) -> Terms {
    let mut terms = Terms::new();
    for (pool, units) in &group.units {
        terms.extend(draft.nodes.get(pool).map(|&nodes| (nodes, *units)));
        terms.extend(draft.uses.iter().filter(|u| u.pool == *pool && u.hour == hour).map(|u| (u.column, units * u.held)));
    }
    terms
}
