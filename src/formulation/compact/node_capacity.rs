//! Node capacity: the slots of every hour fit into the nodes of a fixed pool, which are whole and the same all week.
//!
//! ```text
//! slots[k] N[pool] >= sum of slots of kind k taken in hour t        for each fixed pool, kind k and hour t
//! ```
//!
//! `N`: nodes (whole); `slots`: of a node, its GPUs, or its slices of each kind where GPUs are cut. A node costs its price in all 168 hours. The dual is the price of a slot
//! in that hour, dollars a week.

use crate::formulation::compact::draft::{Draft, Sense, Terms};
use crate::formulation::family::Family;
use crate::formulation::problem::{PoolIndex, Sharing};
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeSet;

/// Makes the node variables and states the rows.
pub fn state(draft: &mut Draft<'_>) {
    let problem = draft.problem;
    let used: BTreeSet<PoolIndex> = draft.uses.iter().map(|u| u.pool).filter(|&p| problem.pools[p].sharing == Sharing::Fixed).collect();
    for pool in used {
        let (p, week) = (&problem.pools[pool], HOURS_PER_WEEK as f64);
        let nodes = draft.model.column(format!("nodes_{pool}"), 0.0, true);
        draft.nodes.insert(pool, nodes);
        draft.cost.push((nodes, p.price * week));
        draft.exposure.push((nodes, f64::from(p.gpus) * p.hazard * week));
        for kind in 0..p.kinds() {
            let suffix = if p.partition.is_some() { format!("_{kind}") } else { String::new() };
            for hour in 0..HOURS_PER_WEEK {
                let mut terms: Terms = vec![(nodes, f64::from(p.slots(kind)))];
                let taken = draft.uses.iter().filter(|u| (u.pool, u.kind, u.hour) == (pool, kind, hour));
                terms.extend(taken.map(|u| (u.column, -u.slots)));
                draft.row((Family::NodeCapacity, &format!("{pool}{suffix}_{hour}")), &terms, (Sense::AtLeast, 0.0));
            }
        }
    }
}
