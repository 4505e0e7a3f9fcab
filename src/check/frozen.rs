//! Frozen workloads stay exactly as they are, and no more workloads change than may.

use super::finding::{Family, Finding};
use super::view::{Common, PoolView, View};
use crate::domain::Placement;

/// Checks frozen and unchanged workloads and the number of changes.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for common in view.workloads() {
        let must = view.scenario.freeze.contains(&common.workload.id);
        if must && !common.frozen {
            findings.push(finding(&common, "the scenario freezes it").differs("frozen", common.plan.mode.as_str()));
        }
        // Left as it is without being told to: only where changes are counted.
        if common.frozen && !must && view.scenario.max_changes.is_none() {
            findings.push(finding(&common, "frozen, and the scenario does not say so").differs("planned", "frozen"));
        }
        if common.frozen && !common.plan.change.unchanged {
            findings.push(finding(&common, "frozen, and it changes").differs(true, false));
        }
        if common.plan.change.unchanged {
            findings.extend(stays(view, &common));
        }
    }
    let changed = view.workloads().filter(|c| c.workload.placement.is_some() && !c.plan.change.unchanged).count();
    if let Some(most) = view.scenario.max_changes.filter(|most| changed > *most as usize) {
        findings.push(Finding::new(Family::Frozen, "plan", "more workloads change than may").differs(most, changed));
    }
    findings
}

fn finding(common: &Common<'_>, message: impl Into<String>) -> Finding {
    Finding::new(Family::Frozen, common.name(), message)
}

/// Unchanged: the variant, the machines and the counts of today.
fn stays(view: &View<'_>, common: &Common<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if common.plan.change.changed_nodes > 0 {
        findings.push(finding(common, "unchanged, and nodes change").differs(0_u32, common.plan.change.changed_nodes));
    }
    let Some(placement) = &common.workload.placement else {
        findings.push(finding(common, "unchanged, and it does not run today"));
        return findings;
    };
    let variant = &common.plan.variant;
    let today = (placement.gpus_per_replica, placement.precision.as_str());
    if today != (variant.gpus_per_replica, variant.precision.as_str()) {
        let found = format!("{} GPUs, {}", variant.gpus_per_replica, variant.precision);
        findings.push(finding(common, "unchanged, and another variant").differs(format!("{} GPUs, {}", today.0, today.1), found));
    }
    if let Some(slice) = &variant.slice {
        findings.push(finding(common, "unchanged, and on a part of a GPU").differs("whole GPUs", slice.name.as_str()));
    }
    findings.extend(counts(view, common, placement));
    let held = view.claims.iter().filter(|c| c.workload == common.plan.name && c.used());
    for pool in held.filter_map(|c| view.pool(c.pool)) {
        findings.extend(machines(view, (common, placement), pool));
    }
    findings
}

fn counts(view: &View<'_>, common: &Common<'_>, placement: &Placement) -> Option<Finding> {
    let found = match view.services.iter().find(|s| s.common.plan.name == common.plan.name) {
        Some(service) => (0..service.decided.floor_by_hour.len()).map(|t| service.total(t)).find(|n| *n != placement.replicas),
        None => {
            let job = view.jobs.iter().find(|j| j.common.plan.name == common.plan.name)?;
            (job.decided.workers != placement.replicas).then_some(job.decided.workers)
        }
    };
    found.map(|found| finding(common, "unchanged, and another count").differs(placement.replicas, found))
}

fn machines(view: &View<'_>, of: (&Common<'_>, &Placement), pool: &PoolView<'_>) -> Option<Finding> {
    let (common, placement) = of;
    let group = view.scenario.fleet.node_groups.iter().find(|g| g.id == placement.node_group)?;
    let today = format!("{} {} in {}", group.instance_type, group.capacity_type.as_str(), group.region);
    let planned = format!("{} {} in {}", pool.machine.id, pool.pool.capacity_type, pool.region);
    (today != planned).then(|| finding(common, "unchanged, and on other machines").differs(today, planned))
}
