//! Commitments: nodes that are paid for already are free at the margin.
//!
//! ```text
//! c[fixed] <= N[fixed]                                   constant over the week
//! c[exclusive, t] <= expected nodes in hour t
//! c[fixed] + c[exclusive, t] <= committed                both pools of the type draw on the same nodes
//! ```
//!
//! `c`: nodes credited; each takes the planned price of its node-hours off the cost. The dual of the last row is what one
//! more committed node is worth in that hour, dollars a week.

use crate::formulation::compact::draft::{Draft, Sense, Terms};
use crate::formulation::family::Family;
use crate::formulation::problem::{PoolIndex, Sharing};
use crate::units::HOURS_PER_WEEK;
use std::collections::{BTreeMap, BTreeSet};

/// Makes the credit variables and states the rows. Returns the variables by pool and hour.
pub fn state(draft: &mut Draft<'_>) -> BTreeMap<PoolIndex, Vec<usize>> {
    let problem = draft.problem;
    let mut credits: BTreeMap<PoolIndex, Vec<usize>> = BTreeMap::new();
    let mut constant: Vec<(PoolIndex, usize)> = Vec::new();
    for (pool, nodes) in draft.nodes.clone() {
        let p = &problem.pools[pool];
        if p.committed > 0 {
            let credit = draft.model.column(format!("credit_{pool}"), 0.0, false);
            draft.model.columns[credit].upper = f64::from(p.committed);
            draft.cost.push((credit, -p.price * HOURS_PER_WEEK as f64));
            draft.row((Family::Commitment, &format!("{pool}")), &[(credit, 1.0), (nodes, -1.0)], (Sense::AtMost, 0.0));
            constant.push((pool, credit));
            credits.insert(pool, vec![credit; HOURS_PER_WEEK]);
        }
    }
    let exclusive = |&p: &PoolIndex| problem.pools[p].sharing == Sharing::Exclusive && problem.pools[p].committed > 0;
    let used: BTreeSet<PoolIndex> = draft.uses.iter().map(|u| u.pool).filter(exclusive).collect();
    for pool in used {
        let p = &problem.pools[pool];
        let same = |other: PoolIndex| problem.pools[other].instance_type == p.instance_type && problem.pools[other].region == p.region;
        let shared: Terms = constant.iter().filter(|(other, _)| same(*other)).map(|(_, credit)| (*credit, 1.0)).collect();
        for hour in 0..HOURS_PER_WEEK {
            let credit = draft.model.column(format!("credit_{pool}_{hour}"), 0.0, false);
            draft.cost.push((credit, -p.price));
            credits.entry(pool).or_default().push(credit);
            let mut terms: Terms = vec![(credit, 1.0)];
            terms.extend(draft.uses.iter().filter(|u| u.pool == pool && u.hour == hour).map(|u| (u.column, -u.expected)));
            draft.row((Family::Commitment, &format!("{pool}_{hour}")), &terms, (Sense::AtMost, 0.0));
            let both: Terms = [vec![(credit, 1.0)], shared.clone()].concat();
            draft.row((Family::Commitment, &format!("both_{pool}_{hour}")), &both, (Sense::AtMost, f64::from(p.committed)));
        }
    }
    credits
}
