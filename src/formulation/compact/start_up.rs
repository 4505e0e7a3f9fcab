//! Start-up: a replica that starts in a pool of its own pays its node before it serves and after it has gone.
//!
//! ```text
//! u[r, t] >= count[r](t) - count[r](t-1)       r: floor or flex, t and t-1 neighbouring hours of the service day, u >= 0
//! ```
//!
//! `count` is linear in `x`; asleep it is 0, since wakes are counted with the hour. `u` (starts a day) costs the place's
//! price of a start, dollars, on every day that has the transition. The first hour of the week follows the last. The dual
//! is the price of a start as far as it is paid.

use crate::formulation::compact::draft::{Draft, Schedule, Sense, Terms};
use crate::formulation::family::Family;
use std::collections::BTreeMap;

/// An hour of the service day of a set of days.
type Slot = (usize, usize);

/// States the rows.
pub fn state(draft: &mut Draft<'_>) {
    for plan in draft.schedules.clone() {
        for ((before, now), days) in transitions(&plan) {
            for (role, start) in [("floor", plan.option.floor.start), ("flex", plan.option.flex().start)] {
                let mut terms = counts(&plan, (role, now), -1.0);
                terms.extend(counts(&plan, (role, before), 1.0));
                if start <= 0.0 || terms.is_empty() {
                    continue;
                }
                let name = format!("{role}_{}_{}_{}_{}", plan.name, before.0, now.0, now.1);
                let starts = draft.model.column(format!("starts_{name}"), 0.0, false);
                draft.cost.push((starts, f64::from(days) * start));
                terms.push((starts, 1.0));
                draft.row((Family::StartUp, &name), &terms, (Sense::AtLeast, 0.0));
            }
        }
    }
}

/// Neighbouring hours with the days of the week that have them.
fn transitions(plan: &Schedule<'_>) -> BTreeMap<(Slot, Slot), u32> {
    let set_of = |day: usize| plan.sets.iter().position(|days| days.contains(&(day as u8))).unwrap_or(0);
    let mut found = BTreeMap::new();
    for day in 0..7 {
        for position in 0..24 {
            let before = if position == 0 { (set_of((day + 6) % 7), 23) } else { (set_of(day), position - 1) };
            *found.entry((before, (set_of(day), position))).or_insert(0) += 1;
        }
    }
    found
}

/// Replicas of a role that are kept up in an hour of the service day.
fn counts(plan: &Schedule<'_>, (role, (set, position)): (&str, Slot), sign: f64) -> Terms {
    let levels = plan.levels.iter().zip(&plan.level[set][position]);
    let count = levels.map(|(level, &x)| (x, sign * f64::from(if role == "floor" { level.floor } else { level.flex })));
    count.filter(|(_, c)| c.abs() > 0.0).collect()
}
