//! Scarce accelerators are kept all week once held, and services do not put them on spot, unless the scenario allows it.

use super::finding::{Family, Finding, first_hour};
use super::view::{PoolView, View};
use crate::domain::Assurance;
use crate::units::HOURS_PER_WEEK;

/// Checks every workload on a scarce accelerator.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if view.scenario.risk.allow_scarce_release {
        return findings;
    }
    for service in view.promised() {
        let name = service.common.name();
        let flex = service.flex_pool(view);
        let floor = view.pool(&service.decided.floor.pool);
        let scarce = |pool: Option<&PoolView<'_>>| pool.is_some_and(|p| is_scarce(view, p));
        if flex.is_some_and(|p| p.spot) && scarce(flex) {
            findings.push(Finding::new(Family::Scarce, name, "a service on spot of a scarce accelerator").differs("on-demand", "spot"));
        }
        let held = |t: usize| {
            let (floor_count, flex_count) = service.counts(t);
            let floor_held = if scarce(floor) { floor_count } else { 0 };
            let flex_held = if scarce(flex) { flex_count } else { 0 };
            floor_held + flex_held
        };
        let first = held(0);
        findings.extend(first_hour(
            (0..HOURS_PER_WEEK)
                .filter(|t| held(*t) != first)
                .map(|t| Finding::new(Family::Scarce, name, "scarce replicas are released and taken back").at(t).differs(first, held(t))),
        ));
        if first > 0 && (0..HOURS_PER_WEEK).any(|t| service.asleep(t)) {
            findings.push(Finding::new(Family::Scarce, name, "scarce replicas go to zero"));
        }
    }
    for job in view.jobs.iter().filter(|j| !j.common.frozen) {
        if view.pool(&job.decided.pool).is_some_and(|p| p.spot && is_scarce(view, p)) {
            findings.push(
                Finding::new(Family::Scarce, job.common.name(), "a job on spot of a scarce accelerator").differs("on-demand", "spot"),
            );
        }
    }
    findings
}

/// The card or its on-demand offering is hard to get.
pub(super) fn is_scarce(view: &View<'_>, pool: &PoolView<'_>) -> bool {
    let card = view.scenario.accelerators.get(&pool.machine.accelerator).is_some_and(|a| a.scarce);
    let on_demand = view.offering(&pool.machine.id, &pool.region, false);
    card || on_demand.is_some_and(|o| o.assurance == Assurance::Scarce)
}
