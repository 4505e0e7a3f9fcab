//! Replicas of every hour carry the planning load of their mode; capacity tables and thresholds are recomputed.
//!
//! Static: the peak of the week, every hour. Scheduled: the peak of the hour. Reactive: the envelope
//! `e = min(peak x lag growth, peak of the week)`, answered by the HPA with `max(min, ceil(1.1 e / kappa))`,
//! `kappa = f(n0)/n0`, at the threshold `inflight(kappa) / (lag growth x 1.1)`.

use super::capacity::{self, Ask};
use super::finding::{Family, Finding, first_hour};
use super::tolerance::{RELATIVE, at_most, ceil, same};
use super::view::{ServiceView, View};
use crate::domain::{BurstClass, Mode};
use crate::units::HOURS_PER_WEEK;

/// Kubernetes ignores deviations below 10%.
const HPA_TOLERANCE: f64 = 1.1;

/// Checks every service that is not frozen.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(view.services.iter().filter_map(source));
    for service in view.promised() {
        findings.extend(table(service));
        let (Some(mode), Some(point)) = (service.mode, service.common.point) else { continue };
        findings.extend(mode_allowed(service, mode));
        let load = planning_load(service, mode);
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| {
            let found = service.decided.planning_load_rps[t];
            (!same(load[t], found)).then(|| finding(service, "planning load of another demand").at(t).differs(load[t], found))
        })));
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| carries(service, t, load[t]))));
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| within_limits(service, t))));
        if mode == Mode::Reactive {
            findings.extend(reactive(service, &Ask { point, service: service.service }, &load));
        }
    }
    findings
}

fn finding(service: &ServiceView<'_>, message: impl Into<String>) -> Finding {
    Finding::new(Family::DemandCover, service.common.name(), message)
}

/// What the replicas of each hour must carry, requests a second.
fn planning_load(service: &ServiceView<'_>, mode: Mode) -> Vec<f64> {
    let demand = &service.service.demand;
    let most = demand.peak_rps.iter().copied().fold(0.0, f64::max);
    match mode {
        Mode::Static => vec![most; HOURS_PER_WEEK],
        Mode::Scheduled => demand.peak_rps.clone(),
        Mode::Reactive => demand.peak_rps.iter().map(|peak| (peak * demand.lag_growth).min(most)).collect(),
    }
}

fn table(service: &ServiceView<'_>) -> Vec<Finding> {
    let finding = |message: &str| Finding::new(Family::CapacityTable, service.common.name(), message);
    let mut findings = Vec::new();
    let rows = &service.decided.capacity;
    if rows.is_empty() || rows.windows(2).any(|pair| pair[0].replicas >= pair[1].replicas) {
        findings.push(finding("rows are missing or not ascending"));
    }
    for row in rows {
        let wanted = service.rate(row.replicas);
        if !same(wanted, row.rps) {
            findings.push(finding(&format!("another rate for {} replicas, requests a second", row.replicas)).differs(wanted, row.rps));
        }
    }
    if !same(service.stable, service.decided.stable_rps_per_replica) {
        let found = service.decided.stable_rps_per_replica;
        findings.push(finding("another stable rate of a replica, requests a second").differs(service.stable, found));
    }
    findings
}

/// The plan says where its rates come from; nothing is promised of a frozen service.
fn source(service: &ServiceView<'_>) -> Option<Finding> {
    let point = service.common.point.filter(|_| !service.common.frozen);
    // A server's rates are its models' own, added up.
    let mix = service.common.plan.kind == "bundle";
    let wanted = if mix { "mix" } else { point.map_or("closed-form", |point| capacity::source(&Ask { point, service: service.service })) };
    let found = service.decided.capacity_source.as_str();
    let finding = || Finding::new(Family::CapacityTable, service.common.name(), "rates of another source").differs(wanted, found);
    (wanted != found).then(finding)
}

fn mode_allowed(service: &ServiceView<'_>, mode: Mode) -> Option<Finding> {
    let scaling = &service.service.scaling;
    if !scaling.modes.contains(&mode) {
        let modes: Vec<_> = scaling.modes.iter().map(|m| m.as_str()).collect();
        return Some(finding(service, "a mode that the scenario does not allow").differs(modes.join(" or "), mode.as_str()));
    }
    None
}

fn carries(service: &ServiceView<'_>, hour: usize, load: f64) -> Option<Finding> {
    let total = service.total(hour);
    let rate = service.rate(total);
    let message = format!("{total} replicas do not carry the planning load, requests a second");
    (!at_most(load, rate)).then(|| finding(service, message).at(hour).differs(load, rate))
}

fn within_limits(service: &ServiceView<'_>, hour: usize) -> Option<Finding> {
    let scaling = &service.service.scaling;
    let total = service.total(hour);
    if let Some(most) = scaling.max_replicas.filter(|most| total > *most) {
        return Some(finding(service, "more replicas than allowed").at(hour).differs(most, total));
    }
    let fewer = !service.asleep(hour) && total < scaling.min_replicas;
    fewer.then(|| finding(service, "fewer replicas than allowed").at(hour).differs(scaling.min_replicas, total))
}

fn reactive(service: &ServiceView<'_>, ask: &Ask<'_>, load: &[f64]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (demand, decided) = (&service.service.demand, &service.decided.scaling);
    if demand.burst == BurstClass::Untrackable {
        findings.push(finding(service, "reactive, and too bursty for any autoscaler"));
    }
    match &service.service.scaling.metrics {
        None => findings.push(finding(service, "reactive, and without a load metric")),
        Some(metrics) if decided.prometheus_server.as_ref() != Some(&metrics.server) => {
            findings.push(finding(service, "another metrics server").differs(metrics.server.as_str(), decided.prometheus_server.clone()));
        }
        Some(_) if decided.query.is_none() => findings.push(finding(service, "reactive, and without a query")),
        Some(_) => {}
    }
    let least = service.service.scaling.min_replicas.max(1);
    let kappa = service.rate(least) / f64::from(least);
    let headroom = demand.lag_growth * HPA_TOLERANCE;
    let threshold = capacity::in_flight(ask, kappa, least) / headroom;
    if !decided.threshold.is_some_and(|found| same(threshold, found)) {
        findings.push(finding(service, "another threshold, requests in flight a replica").differs(threshold, decided.threshold));
    }
    if !same(headroom, decided.threshold_headroom) {
        findings.push(finding(service, "another headroom in the threshold").differs(headroom, decided.threshold_headroom));
    }
    findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| response(service, t, HPA_TOLERANCE * load[t] / kappa))));
    findings
}

/// The count is the one that the HPA itself would settle on; asleep it may be more.
fn response(service: &ServiceView<'_>, hour: usize, exact: f64) -> Option<Finding> {
    let fewest = if service.asleep(hour) { 1 } else { service.service.scaling.min_replicas };
    let fewest = f64::from(fewest.max(service.schedule.floor[hour].saturating_add(service.schedule.flex[hour])));
    let (low, high) = (ceil(exact).max(fewest), (exact * (1.0 + RELATIVE)).ceil().max(fewest));
    let found = f64::from(service.total(hour));
    let kept = found >= low && (found <= high || service.asleep(hour));
    (!kept).then(|| finding(service, "not the count that the autoscaler settles on").at(hour).differs(low, found))
}
