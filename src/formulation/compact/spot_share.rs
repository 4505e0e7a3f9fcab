//! Spot share: at most the owner's share of the replicas of an hour is on spot.
//!
//! ```text
//! sum over s of (flex[s] - share (floor[s] + flex[s])) x[d, p, s] <= 0      for each hour of a scheduled option on spot
//! ```
//!
//! `share`: between 0 and 1. Levels are split so that each keeps it; the row says so. Its dual is what a larger share
//! saves, dollars a week and replica.

use crate::formulation::compact::draft::{Draft, Sense, Terms};
use crate::formulation::family::Family;

/// States the rows.
pub fn state(draft: &mut Draft<'_>) {
    for plan in draft.schedules.clone().into_iter().filter(|plan| plan.option.spot.is_some()) {
        for set in 0..plan.sets.len() {
            for position in 0..24 {
                for hour in plan.hours(set, position) {
                    let over = |state: usize| {
                        let count = plan.count(state, hour);
                        f64::from(count.flex) - plan.option.share * f64::from(count.floor + count.flex)
                    };
                    // Shares are products; what rounding leaves is not over.
                    let terms: Terms =
                        plan.level[set][position].iter().enumerate().map(|(s, &x)| (x, over(s))).filter(|(_, c)| c.abs() > 1e-9).collect();
                    draft.row((Family::SpotShare, &format!("{}_{hour}", plan.name)), &terms, (Sense::AtMost, 0.0));
                }
            }
        }
    }
}
