//! What no plan can meet, said before solving: a workload without a variant that meets its SLO or its deadline, and
//! demand that no quota can hold. Every fault at once, each with the way out.

pub mod job;
pub mod quota;
pub mod service;

use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::{Evidence, Offering, OperatingPoint, Scenario, Workload, WorkloadKind};
use crate::ids::RegionId;
use crate::sizing::fit;
use std::collections::BTreeMap;

/// Every fault of a scenario that makes planning pointless.
#[must_use]
pub fn check(scenario: &Scenario) -> Vec<Diagnostic> {
    // A workload that may stay as it is today can always be run.
    let stays = |w: &Workload| scenario.freeze.contains(&w.id) || (scenario.max_changes.is_some() && w.placement.is_some());
    let planned = scenario.workloads.iter().filter(|w| !stays(w));
    planned
        .filter_map(|workload| match &workload.kind {
            WorkloadKind::Service(service) => service::check(scenario, workload, service),
            WorkloadKind::Job(job) => job::check(scenario, workload, job),
        })
        .collect()
}

/// A fault without a place: it belongs to the workload as a whole.
fn fault(code: &'static str, message: String, help: String) -> Diagnostic {
    Diagnostic { code, severity: Severity::Error, message, place: None, label: None, help: Some(help) }
}

/// Why an operating point is not considered at all, if it is not.
#[must_use]
pub fn ruled_out(scenario: &Scenario, workload: &Workload, point: &OperatingPoint) -> Option<&'static str> {
    if !workload.precisions.contains(&point.precision) {
        return Some("their precision is not accepted");
    }
    if !workload.accelerators.is_empty() && !workload.accelerators.contains(&point.accelerator) {
        return Some("their accelerator is not among those allowed");
    }
    if point.evidence == Evidence::Estimated && !scenario.risk.allow_estimated {
        return Some("they are only estimated (`risk.allow_estimated`)");
    }
    regions_of(scenario, workload, point).next().is_none().then_some("no machine of the regions holds them")
}

/// Regions whose machines hold the operating point, as far as the workload may go there.
fn regions_of<'a>(scenario: &'a Scenario, workload: &'a Workload, point: &'a OperatingPoint) -> impl Iterator<Item = &'a RegionId> {
    let holds = move |o: &&Offering| {
        let allowed = workload.regions.is_empty() || workload.regions.contains(&o.region);
        allowed && fit::slots(point, &scenario.instance_types[&o.instance_type], &scenario.reserves).is_some()
    };
    scenario.offerings.iter().filter(holds).map(|o| &o.region)
}

/// `3 because ..., 2 because ...`.
fn in_words(reasons: &BTreeMap<String, u32>) -> String {
    let parts: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} of its operating points: {reason}")).collect();
    if parts.is_empty() { "its profile has no operating points".to_owned() } else { parts.join("; ") }
}
