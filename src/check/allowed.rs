//! What a workload may run on: its operating point fits the nodes, and evidence, precision and region are allowed.

use super::finding::{Family, Finding};
use super::tolerance::{at_most, same};
use super::view::{Common, PoolView, View};
use super::{capacity, claims};
use crate::domain::{Evidence, OperatingPoint};

/// Checks every workload that is not frozen, on every pool that it names.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in view.promised() {
        let decided = service.decided;
        let flex = decided.flex.as_ref();
        let floor = decided.floor_by_hour.iter().any(|n| *n > 0).then_some(decided.floor.pool.as_str());
        let named = [floor, flex.map(|f| f.pool.as_str()), flex.and_then(|f| f.fallback_pool.as_deref())];
        findings.extend(workload(view, &service.common, &named));
    }
    for job in view.jobs.iter().filter(|j| !j.common.frozen) {
        let named = [Some(job.decided.pool.as_str()), job.decided.fallback_pool.as_deref()];
        findings.extend(workload(view, &job.common, &named));
    }
    findings
}

fn workload(view: &View<'_>, common: &Common<'_>, named: &[Option<&str>]) -> Vec<Finding> {
    let finding = |family: Family, message: &str| Finding::new(family, common.name(), message);
    let mut findings = Vec::new();
    let variant = &common.plan.variant;
    if !common.workload.precisions.contains(&variant.precision) {
        let accepted = common.workload.precisions.join(" or ");
        findings.push(finding(Family::Precision, "the owner does not accept this precision").differs(accepted, variant.precision.as_str()));
    }
    let listed = &common.workload.accelerators;
    if !listed.is_empty() && listed.iter().all(|a| a.as_str() != variant.accelerator) {
        let allowed: Vec<_> = listed.iter().map(|a| a.as_str()).collect();
        findings.push(
            finding(Family::Variant, "an accelerator that is not allowed").differs(allowed.join(" or "), variant.accelerator.as_str()),
        );
    }
    let Some(point) = common.point else {
        findings.push(finding(Family::Variant, "the profile has no such operating point"));
        return findings;
    };
    findings.extend(evidence(view, common, point));
    findings.extend(requests(common, point));
    for pool in named.iter().flatten().filter_map(|name| view.pool(name)) {
        findings.extend(region(view, common, pool));
        findings.extend(fits(view, (common, point), pool));
    }
    findings
}

fn evidence(view: &View<'_>, common: &Common<'_>, point: &OperatingPoint) -> Vec<Finding> {
    let mut findings = Vec::new();
    let variant = &common.plan.variant;
    // Who lets others share his GPU takes what is known of that.
    if point.evidence == Evidence::Estimated && !view.scenario.risk.allow_estimated && point.slice.is_none() && common.plan.kind != "bundle"
    {
        let message = "an estimated operating point, and the scenario does not allow it";
        findings.push(Finding::new(Family::Evidence, common.name(), message).differs("measured or fitted", "estimated"));
    }
    if variant.evidence != point.evidence.as_str() {
        let found = variant.evidence.as_str();
        findings.push(Finding::new(Family::Evidence, common.name(), "another evidence class").differs(point.evidence.as_str(), found));
    }
    let derate = capacity::derate(point.evidence);
    if !same(derate, variant.derate) {
        findings.push(Finding::new(Family::Evidence, common.name(), "another derate").differs(derate, variant.derate));
    }
    findings
}

fn requests(common: &Common<'_>, point: &OperatingPoint) -> Vec<Finding> {
    let stated = &common.plan.variant.requests;
    let rows = [
        ("CPUs", point.vcpus, stated.vcpus),
        ("memory, GiB", point.ram.0, stated.ram_gib),
        ("GPUs", f64::from(point.gpus_per_replica), f64::from(stated.gpus)),
        ("GPU memory, GiB", point.gpu_memory.0, stated.gpu_memory_gib),
    ];
    let wrong = rows.into_iter().filter(|(_, wanted, found)| !same(*wanted, *found));
    wrong
        .map(|(what, wanted, found)| Finding::new(Family::Variant, common.name(), format!("requests other {what}")).differs(wanted, found))
        .collect()
}

fn region(view: &View<'_>, common: &Common<'_>, pool: &PoolView<'_>) -> Option<Finding> {
    let own = &common.workload.regions;
    let allowed = view.scenario.regions.contains(&pool.region) && (own.is_empty() || own.contains(&pool.region));
    let regions = if own.is_empty() { &view.scenario.regions } else { own };
    let names: Vec<_> = regions.iter().map(|r| r.as_str()).collect();
    (!allowed).then(|| {
        Finding::new(Family::Region, common.name(), "a region that is not allowed").differs(names.join(" or "), pool.region.as_str())
    })
}

fn fits(view: &View<'_>, of: (&Common<'_>, &OperatingPoint), pool: &PoolView<'_>) -> Vec<Finding> {
    let (common, point) = of;
    let finding = |message: &str| Finding::new(Family::Variant, common.name(), format!("{message} (pool `{}`)", pool.pool.name));
    let mut findings = Vec::new();
    let machine = pool.machine;
    if machine.accelerator != point.accelerator {
        findings.push(finding("another accelerator").differs(point.accelerator.as_str(), machine.accelerator.as_str()));
    }
    if point.slice.is_some() {
        return findings; // Memory and place of a slice: `sharing`.
    }
    let usable = machine.gpu_memory.0 * view.scenario.reserves.gpu_memory_share;
    if !at_most(point.gpu_memory.0, usable) {
        findings.push(finding("more GPU memory than the device shows and reserves leave, GiB").differs(usable, point.gpu_memory.0));
    }
    if point.requires_nvlink && point.gpus_per_replica > 1 && !machine.nvlink {
        findings.push(finding("needs NVLink").differs(true, false));
    }
    let (vcpus, ram) = claims::allocatable(view, pool);
    if claims::slots(view, pool, &claims::node_ask(common)).is_none() {
        let wanted = format!("at most {} GPUs, {vcpus} CPUs, {ram} GiB", machine.gpus);
        let found = format!("{} GPUs, {} CPUs, {} GiB", point.gpus_per_replica, point.vcpus, point.ram.0);
        findings.push(finding("a replica does not fit a node").differs(wanted, found));
    }
    findings
}
