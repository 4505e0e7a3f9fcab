//! Deadlines: every run of a job is done in time.
//!
//! ```text
//! sum over k of (release + k + E) y[w, o, k] <= deadline sum over k of y[w, o, k]       for each run
//! ```
//!
//! `k`: hours from the release to the start, the same for all runs; `E`: hours of a run on option o, start-up included.
//! The dual is what an hour more costs or saves, dollars a week.

use crate::formulation::compact::draft::{Draft, Sense, Terms};
use crate::formulation::family::Family;
use std::collections::BTreeSet;

/// States the rows.
pub fn state(draft: &mut Draft<'_>) {
    let options: BTreeSet<(usize, usize)> = draft.job_starts.iter().map(|s| (s.workload, s.option)).collect();
    for (workload, index) in options {
        let option = &draft.problem.workloads[workload].jobs[index];
        for (run, times) in option.runs.iter().enumerate() {
            let late = |offset: u32| f64::from(times.release_hour + offset) + option.hours - f64::from(times.deadline_hour);
            let own = draft.job_starts.iter().filter(|s| (s.workload, s.option) == (workload, index));
            // To the last second is in time, however it rounds.
            let terms: Terms = own.map(|s| (s.column, late(s.offset))).filter(|(_, c)| c.abs() > 1e-9).collect();
            draft.row((Family::Deadline, &format!("{workload}_{index}_{run}")), &terms, (Sense::AtMost, 0.0));
        }
    }
}
