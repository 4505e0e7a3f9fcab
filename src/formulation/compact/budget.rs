//! Budgets: of errors, of changes, of money and of exposure.
//!
//! ```text
//! sum of misses[column] column <= spare y        each way or schedule of a service
//! sum of ways that differ from today <= most     workloads
//! cost <= cap, exposure <= cap                   where the goal has caps
//! ```
//!
//! `misses`: expected requests a week that miss from reclaims and cold starts, a constant of each level and hour;
//! `spare`: half of the error budget, requests a week. The dual of the first row is what a tolerated miss saves, dollars
//! a week.

use crate::formulation::compact::Goal;
use crate::formulation::compact::draft::{Draft, Presence, Sense, Terms};
use crate::formulation::family::Family;

/// States the rows.
pub fn state(draft: &mut Draft<'_>, goal: &Goal) {
    errors(draft);
    if let Some(most) = draft.problem.max_changes {
        let changes = draft.changes.clone();
        draft.row((Family::Budget, "changes"), &changes, (Sense::AtMost, f64::from(most)));
    }
    for (name, cap, terms) in [("cost", goal.cost_cap, draft.cost.clone()), ("exposure", goal.exposure_cap, draft.exposure.clone())] {
        if let Some(cap) = cap {
            draft.row((Family::Budget, name), &terms, (Sense::AtMost, cap));
        }
    }
}

fn errors(draft: &mut Draft<'_>) {
    let problem = draft.problem;
    let misses = |presence: &Presence| -> f64 {
        let option = &problem.workloads[presence.workload].services[presence.option];
        presence.hours.iter().map(|(t, count)| count.cold_misses + option.reclaim_misses(count, option.shape.mean_rps[*t])).sum()
    };
    let of_schedules: Vec<(String, Terms)> = draft
        .schedules
        .iter()
        .map(|plan| {
            let own = |column: &usize| plan.level.iter().flatten().flatten().any(|x| x == column);
            let mut terms: Terms = vec![(plan.taken, -plan.option.shape.spare_misses)];
            terms.extend(draft.presences.iter().filter(|p| p.workload == plan.workload && own(&p.column)).map(|p| (p.column, misses(p))));
            (format!("misses_{}", plan.name), terms)
        })
        .collect();
    // A fixed week of counts has its own binary, which the row rules out or leaves free.
    let of_weeks: Vec<(String, Terms)> = draft
        .presences
        .iter()
        .filter(|p| p.hours.len() == crate::units::HOURS_PER_WEEK)
        .map(|p| {
            let spare = problem.workloads[p.workload].services[p.option].shape.spare_misses;
            (format!("misses_{}", draft.model.columns[p.column].name), vec![(p.column, misses(p) - spare)])
        })
        .collect();
    for (name, terms) in of_schedules.into_iter().chain(of_weeks.into_iter().filter(|(_, terms)| terms[0].1 > 0.0)) {
        draft.row((Family::Budget, &name), &terms, (Sense::AtMost, 0.0));
    }
}
