//! Pool loss: when one zone of a spot pool goes, what is left stays stable and its stand-ins fit the on-demand quota.
//!
//! ```text
//! sum over s of stable (n[s] - lost[s]) x[d, p, s] >= contingency mean[t] y            scheduled options on spot, hour t
//! use[group, t] + sum of units[pool] lost nodes of the pool <= limit                   on-demand group, spot pool, hour t
//! ```
//!
//! `stable`: requests a second that a replica survives; `lost[s] = ceil(flex[s] / zones)`; fixed spot pools are lost as a
//! whole. The dual of the second row is what one more unit of quota for stand-ins saves, dollars a week.

use crate::formulation::compact::draft::{Draft, Sense, Terms};
use crate::formulation::compact::quota;
use crate::formulation::family::Family;
use crate::risk;
use crate::units::HOURS_PER_WEEK;

/// States the rows.
pub fn state(draft: &mut Draft<'_>) {
    left(draft);
    let problem = draft.problem;
    for (index, group) in problem.quotas.iter().enumerate() {
        for (pool, units) in &group.fallback_units {
            for hour in 0..HOURS_PER_WEEK {
                let mut terms = quota::used(draft, group, hour);
                terms.extend(draft.nodes.get(pool).map(|&nodes| (nodes, *units)));
                terms.extend(draft.uses.iter().filter(|u| u.pool == *pool && u.hour == hour).map(|u| (u.column, units * u.lost)));
                draft.row((Family::PoolLoss, &format!("fallback_{index}_{pool}_{hour}")), &terms, (Sense::AtMost, group.limit));
            }
        }
    }
}

/// What is left of scheduled services.
fn left(draft: &mut Draft<'_>) {
    for plan in draft.schedules.clone().into_iter().filter(|plan| plan.option.spot.is_some()) {
        let shape = &plan.option.shape;
        for set in 0..plan.sets.len() {
            for position in 0..24 {
                for hour in plan.hours(set, position) {
                    let mut terms: Terms = vec![(plan.taken, -shape.contingency * shape.mean_rps[hour])];
                    for (state, &column) in plan.level[set][position].iter().enumerate() {
                        let count = plan.count(state, hour);
                        let left = count.floor + count.flex - risk::lost_with_one_zone(count.flex, plan.option.zones);
                        terms.push((column, shape.capacity.stable_rps * f64::from(left)));
                    }
                    draft.row((Family::PoolLoss, &format!("{}_{hour}", plan.name)), &terms, (Sense::AtLeast, 0.0));
                }
            }
        }
    }
}
