//! Jobs that cannot be done between release and deadline.

use super::{fault, in_words, ruled_out};
use crate::diagnostic::Diagnostic;
use crate::domain::{Job, Performance, Scenario, Workload};
use crate::sizing::cold_start;
use std::collections::BTreeMap;

/// The fault of a job, if it has one: on demand, at any allowed width, it is too late.
#[must_use]
pub fn check(scenario: &Scenario, workload: &Workload, job: &Job) -> Option<Diagnostic> {
    let profile = &scenario.profiles[&workload.profile];
    let chain_hours = cold_start::chain_p95_s(&scenario.node_autoscaler, profile) / 3600.0;
    let allowed = job.runs.iter().map(|r| f64::from(r.deadline_hour) - f64::from(r.release_hour)).fold(f64::INFINITY, f64::min);
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    for point in &profile.points {
        if let Some(reason) = ruled_out(scenario, workload, point) {
            *reasons.entry(reason.to_owned()).or_insert(0) += 1;
            continue;
        }
        let Performance::Job { throughput } = &point.performance else {
            *reasons.entry("they describe a service".to_owned()).or_insert(0) += 1;
            continue;
        };
        let widest = throughput.iter().filter(|g| g.workers <= job.max_workers).map(|g| g.units_per_s).fold(0.0, f64::max);
        let hours = chain_hours + job.work_per_run / (widest * (1.0 - point.evidence.derate()) * 3600.0);
        if hours <= allowed + 1e-9 {
            return None;
        }
        let reason = format!("a run takes {hours:.1} h at the widest gang allowed, {allowed:.0} h lie between release and deadline");
        *reasons.entry(reason).or_insert(0) += 1;
    }
    Some(fault(
        "E1602",
        format!("job `{}` cannot be done in time: {}", workload.id, in_words(&reasons)),
        "move the deadline, raise `max_workers`, or accept a faster accelerator".to_owned(),
    ))
}
