//! Spot for those who allow it, and what is left when a pool is lost.
//!
//! `S <= theta n`; with `lost = ceil(S/Z)`: `s (n - lost) >= contingency x mean`; what is lost restarts on the fallback pool,
//! within the on-demand quota that is left and within the nodes that the fallback pool may have.

use super::claims::{self, NodeAsk};
use super::finding::{Family, Finding, first_hour};
use super::node_capacity::peak_nodes;
use super::quota::{self, units};
use super::scarce;
use super::tolerance::at_most;
use super::view::{Common, PoolView, ServiceView, View};
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeSet;

/// Checks services, jobs and the fallback of every spot pool.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in view.promised() {
        findings.extend(floor_on_demand(view, service));
        if let Some(pool) = service.spot_pool(view) {
            let flex = service.decided.flex.as_ref();
            findings.extend(fallback(view, (service.common, pool), flex.and_then(|f| f.fallback_pool.as_deref())));
            findings.extend(spread(service, pool));
            findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| share(service, t))));
            findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| contingency(service, pool, t))));
        }
    }
    for job in view.jobs.iter().filter(|j| !j.common.frozen) {
        let Some(pool) = view.pool(&job.decided.pool).filter(|p| p.spot) else { continue };
        findings.extend(fallback(view, (job.common, pool), job.decided.fallback_pool.as_deref()));
        if job.common.workload.spot.max_share <= 0.0 {
            findings.push(finding(job.common.name(), "a job on spot that its owner does not allow").differs("on-demand", "spot"));
        }
        if job.common.profile.is_some_and(|p| p.checkpoint.is_none() && !p.divisible) {
            findings.push(finding(job.common.name(), "a job on spot that keeps nothing when reclaimed").differs("on-demand", "spot"));
        }
    }
    for pool in view.pools.iter().filter(|p| p.spot) {
        findings.extend(after_loss(view, pool));
    }
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::PoolLoss, subject, message)
}

fn floor_on_demand(view: &View<'_>, service: &ServiceView<'_>) -> Option<Finding> {
    let spot = view.pool(&service.decided.floor.pool).is_some_and(|p| p.spot);
    let used = service.decided.floor_by_hour.iter().any(|n| *n > 0);
    (spot && used).then(|| finding(service.common.name(), "the floor is on spot").differs("on-demand", "spot"))
}

fn fallback(view: &View<'_>, of: (Common<'_>, &PoolView<'_>), name: Option<&str>) -> Option<Finding> {
    let (common, pool) = of;
    let Some(fallback) = name.and_then(|name| view.pool(name)) else {
        return Some(finding(common.name(), format!("nothing takes over from spot pool `{}`", pool.pool.name)));
    };
    if fallback.spot || fallback.region != pool.region || fallback.machine.accelerator != pool.machine.accelerator {
        let wanted = format!("on-demand, {}, {}", pool.region, pool.machine.accelerator);
        let found = format!("{}, {}, {}", fallback.pool.capacity_type, fallback.region, fallback.machine.accelerator);
        return Some(finding(common.name(), "the fallback pool cannot take over").differs(wanted, found));
    }
    if scarce::is_scarce(view, fallback) && !view.scenario.risk.allow_scarce_release {
        return Some(finding(common.name(), "a scarce accelerator is no fallback"));
    }
    if claims::slots(view, fallback, &claims::node_ask(&common)).is_none() {
        return Some(finding(common.name(), "a replica does not fit a node of the fallback pool"));
    }
    let agreed = pool.pool.spot.as_ref().and_then(|s| s.fallback_pool.as_deref());
    (agreed != name)
        .then(|| finding(common.name(), "another fallback than its pool's").differs(agreed.unwrap_or("none"), name.unwrap_or("none")))
}

fn spread(service: &ServiceView<'_>, pool: &PoolView<'_>) -> Option<Finding> {
    let stated = service.decided.flex.as_ref().map_or(1, |f| f.zones_spread);
    (stated != pool.zones).then(|| finding(service.common.name(), "replicas spread over other zones").differs(pool.zones, stated))
}

fn share(service: &ServiceView<'_>, hour: usize) -> Option<Finding> {
    let (_, flex) = service.counts(hour);
    let most = service.common.workload.spot.max_share * f64::from(service.total(hour));
    let message = "more replicas on spot than the owner allows";
    (!at_most(f64::from(flex), most)).then(|| finding(service.common.name(), message).at(hour).differs(most, flex))
}

fn contingency(service: &ServiceView<'_>, pool: &PoolView<'_>, hour: usize) -> Option<Finding> {
    let (_, flex) = service.counts(hour);
    if flex == 0 {
        return None;
    }
    let left = service.total(hour) - flex.div_ceil(pool.zones);
    let needed = service.common.workload.spot.contingency * service.service.demand.mean_rps[hour];
    let stable = service.stable * f64::from(left);
    let message = format!("{left} replicas after the loss of a pool do not stay stable, requests a second");
    (!at_most(needed, stable)).then(|| finding(service.common.name(), message).at(hour).differs(needed, stable))
}

/// Replicas of one workload that restart elsewhere when one zone of a pool is lost, by hour.
struct Displaced {
    ask: NodeAsk,
    count: Vec<u32>,
}

fn displaced(view: &View<'_>, lost: &PoolView<'_>) -> Vec<Displaced> {
    let services: BTreeSet<&str> = view.services.iter().map(|s| s.common.plan.name.as_str()).collect();
    let claims = view.claims.iter().filter(|c| c.pool == lost.pool.name);
    claims
        .map(|claim| {
            // A gang loses its workers together, a service the share of one zone.
            let zones = if services.contains(claim.workload) { lost.zones } else { 1 };
            Displaced { ask: claim.ask, count: claim.peak.iter().map(|n| n.div_ceil(zones)).collect() }
        })
        .collect()
}

fn fallback_nodes(view: &View<'_>, fallback: &PoolView<'_>, parts: (&[Displaced], usize)) -> f64 {
    let (displaced, hour) = parts;
    let slots = displaced.iter().map(|d| d.count[hour] * claims::slots(view, fallback, &d.ask).unwrap_or(fallback.machine.gpus));
    f64::from(slots.sum::<u32>().div_ceil(fallback.machine.gpus))
}

fn after_loss(view: &View<'_>, lost: &PoolView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = lost.pool.spot.as_ref().and_then(|s| s.fallback_pool.as_deref());
    let Some(fallback) = name.and_then(|name| view.pool(name)) else { return findings };
    let displaced = displaced(view, lost);
    let own: Vec<_> = view.claims.iter().filter(|c| c.pool == fallback.pool.name).collect();
    findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| {
        let needed = peak_nodes(fallback, &own, t) + fallback_nodes(view, fallback, (&displaced, t));
        let most = f64::from(fallback.pool.max_nodes);
        let message = format!("too few nodes to take over from `{}`", lost.pool.name);
        (!at_most(needed, most)).then(|| finding(&fallback.pool.name, message).at(t).differs(needed, most))
    })));
    for group in view.scenario.quotas.iter().filter(|q| quota::covers(q, fallback)) {
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| {
            let more = units(group.unit, fallback) * fallback_nodes(view, fallback, (&displaced, t));
            let needed = quota::used(view, group, t) + more;
            let message = format!("no room to take over from `{}`", lost.pool.name);
            (more > 0.0 && !at_most(needed, group.limit)).then(|| finding(group.id.as_str(), message).at(t).differs(group.limit, needed))
        })));
    }
    findings
}
