//! Demand cover: the replicas of an hour carry its planning load.
//!
//! ```text
//! sum over s of (floor[s] + flex[s]) x[d, p, s] >= need[t] y        for each hour t of a scheduled service
//! ```
//!
//! `need[t]`: replicas that carry the peak of hour t within the SLO (count). Constant and reactive ways are counted from
//! the same capacity table when they are made. The dual is what one replica in that hour costs, dollars a week.

use crate::formulation::compact::draft::{Draft, Sense, Terms};
use crate::formulation::family::Family;

/// States the rows.
pub fn state(draft: &mut Draft<'_>) {
    for plan in draft.schedules.clone() {
        for set in 0..plan.sets.len() {
            for position in 0..24 {
                for hour in plan.hours(set, position) {
                    let mut terms: Terms = vec![(plan.taken, -f64::from(plan.option.shape.need[hour]))];
                    for (state, &column) in plan.level[set][position].iter().enumerate() {
                        let count = plan.count(state, hour);
                        terms.push((column, f64::from(count.floor + count.flex)));
                    }
                    draft.row((Family::DemandCover, &format!("{}_{hour}", plan.name)), &terms, (Sense::AtLeast, 0.0));
                }
            }
        }
    }
}
