//! Windows: a schedule leaves its base at most N times, and only for more.
//!
//! ```text
//! v[d, p] >= x[d, p, s] - x[d, p-1, s] - b[s]                      v: a window opens in hour p (binary)
//! sum over d, p of v[d, p] <= N y
//! x[d, p, s] <= sum over s' <= s of b[s'] + b[asleep]             a level is never below the base
//! x[d, p, asleep] <= b[asleep]                                    only the base sleeps
//! x[d, p, s] <= b[s]                                              in the first quiet hours of the service day
//! x[d, p, asleep] = 0                                             where one wake does not bring up what is needed
//! ```
//!
//! N: windows allowed (count). The dual of the second row is what one more window saves, dollars a week.

use crate::formulation::compact::draft::{Draft, Schedule, Sense, Terms};
use crate::formulation::family::Family;

/// States the rows.
pub fn state(draft: &mut Draft<'_>) {
    for plan in draft.schedules.clone() {
        let mut opened: Terms = vec![(plan.taken, -f64::from(plan.option.shape.max_windows))];
        for set in 0..plan.sets.len() {
            for position in 0..24 {
                bounds(draft, &plan, (set, position));
                if position < plan.option.shape.quiet_hours {
                    continue;
                }
                let name = format!("{}_{set}_{position}", plan.name);
                let opens = draft.binary(format!("opens_{name}"));
                opened.push((opens, 1.0));
                for state in (0..plan.states()).filter(|&s| !plan.is_asleep(s)) {
                    let (now, before) = (plan.level[set][position][state], plan.level[set][position - 1][state]);
                    let terms = [(opens, 1.0), (now, -1.0), (before, 1.0), (plan.base[state], 1.0)];
                    draft.row((Family::Window, &format!("opens_{name}_{state}")), &terms, (Sense::AtLeast, 0.0));
                }
            }
        }
        draft.row((Family::Window, &format!("count_{}", plan.name)), &opened, (Sense::AtMost, 0.0));
    }
}

/// Which states an hour may have over each base.
fn bounds(draft: &mut Draft<'_>, plan: &Schedule<'_>, (set, position): (usize, usize)) {
    for state in 0..plan.states() {
        let column = plan.level[set][position][state];
        let own_base_only = plan.is_asleep(state) || position < plan.option.shape.quiet_hours;
        let bases = (0..plan.states()).filter(|&b| b == state || !own_base_only && (b < state || plan.is_asleep(b)));
        let mut terms: Terms = bases.map(|b| (plan.base[b], -1.0)).collect();
        terms.push((column, 1.0));
        draft.row((Family::Window, &format!("base_{}_{set}_{position}_{state}", plan.name)), &terms, (Sense::AtMost, 0.0));
        if plan.is_asleep(state) && !plan.hours(set, position).into_iter().all(|hour| plan.option.may_sleep(hour)) {
            draft.row((Family::Window, &format!("awake_{}_{set}_{position}", plan.name)), &[(column, 1.0)], (Sense::AtMost, 0.0));
        }
    }
}
