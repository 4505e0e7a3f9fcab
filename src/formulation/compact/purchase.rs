//! Commitments to buy: amounts that are paid in every hour, used or not, and what they cover.
//!
//! ```text
//! sum over p of x[p, m, t] <= N[m] + expected nodes in hour t - credits        each machine (or part of it) that products cover
//! sum over m of units[p, m] x[p, m, t] <= C[p]
//! ```
//!
//! `C`: units bought, at the price of 168 unit-hours; `x`: node-hours covered, each of which takes its worth off the cost.

use crate::domain::Part;
use crate::formulation::compact::draft::{Draft, Sense, Terms};
use crate::formulation::family::Family;
use crate::formulation::problem::PoolIndex;
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeMap;

/// Makes the variables and states the rows. `credits` are those of held commitments, by pool and hour.
pub fn state(draft: &mut Draft<'_>, credits: &BTreeMap<PoolIndex, Vec<usize>>) {
    let purchases = &draft.problem.purchases;
    let mut covered: BTreeMap<(usize, Part, usize), Terms> = BTreeMap::new();
    for (index, option) in purchases.options.iter().enumerate() {
        let amount = draft.model.column(format!("bought_{index}"), 0.0, option.is_whole());
        draft.cost.push((amount, option.price * HOURS_PER_WEEK as f64));
        for hour in 0..HOURS_PER_WEEK {
            let mut taken: Terms = vec![(amount, -1.0)];
            for cover in &option.covers {
                let x = draft.model.column(format!("covers_{index}_{}_{hour}", cover.machine), 0.0, false);
                draft.cost.push((x, -cover.worth));
                taken.push((x, cover.units));
                covered.entry((cover.machine, option.part, hour)).or_default().push((x, 1.0));
            }
            draft.row((Family::Commitment, &format!("bought_{index}_{hour}")), &taken, (Sense::AtMost, 0.0));
        }
    }
    for ((machine, part, hour), mut terms) in covered {
        for pool in &purchases.machines[machine].pools {
            terms.extend(draft.nodes.get(pool).map(|&nodes| (nodes, -1.0)));
            terms.extend(draft.uses.iter().filter(|u| u.pool == *pool && u.hour == hour).map(|u| (u.column, -u.expected)));
            terms.extend(credits.get(pool).map(|hours| (hours[hour], 1.0)));
        }
        draft.row((Family::Commitment, &format!("used_{machine}_{part:?}_{hour}")), &terms, (Sense::AtMost, 0.0));
    }
}
