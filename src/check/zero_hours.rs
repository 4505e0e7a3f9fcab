//! Hours that may be at zero: who may, and how long the service is awake.
//!
//! With r mean requests a second, L = provisioning + cold start (p95, s) and K = cool-down (s):
//! awake share `a = 1 - exp(-r (L + K))`, wakes an hour `w = 3600 r (1 - a) + max(0, a - a of the hour before)`, misses an
//! hour `w (1 + r L)`.

use super::finding::{Family, Finding, first_hour};
use super::tolerance::{at_most, same};
use super::view::{ServiceView, View};
use crate::domain::ColdRequests;
use crate::units::HOURS_PER_WEEK;

/// Seconds from the first request at zero to a replica that serves, p95.
pub(super) fn chain_s(view: &View<'_>, service: &ServiceView<'_>) -> f64 {
    view.provision_s() + service.common.replica_cold_s()
}

/// The cool-down that the plan states, not below what it must be.
pub(super) fn cooldown(view: &View<'_>, service: &ServiceView<'_>) -> f64 {
    let needed = service.service.scaling.cooldown.0.max(chain_s(view, service));
    f64::from(service.decided.scaling.cooldown_s).max(needed)
}

/// Expected wakes from zero in an hour, given the mean rate of the hour before.
pub(super) fn wakes(rates: (f64, f64), chain_s: f64, cooldown_s: f64) -> f64 {
    let (before, rate) = rates;
    let asleep = |r: f64| 1.0 - awake(r, chain_s, cooldown_s);
    3600.0 * rate * asleep(rate) + (asleep(before) - asleep(rate)).max(0.0)
}

/// Expected wakes of a service in an hour.
pub(super) fn wakes_of(view: &View<'_>, service: &ServiceView<'_>, hour: usize) -> f64 {
    let mean = &service.service.demand.mean_rps;
    let before = mean[(hour + HOURS_PER_WEEK - 1) % HOURS_PER_WEEK];
    wakes((before, mean[hour]), chain_s(view, service), cooldown(view, service))
}

fn awake(rate: f64, chain_s: f64, cooldown_s: f64) -> f64 {
    1.0 - (-rate * (chain_s + cooldown_s)).exp()
}

/// Checks permission, cool-down, awake shares and counts.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in view.promised() {
        let asleep = (0..HOURS_PER_WEEK).find(|t| service.asleep(*t));
        if asleep.is_some() || service.decided.scaling.scale_to_zero {
            findings.extend(permission(view, service).map(|f| asleep.map_or(f.clone(), |t| f.at(t))));
            findings.extend(trigger(service));
            findings.extend(cooldown_is_long_enough(view, service));
        }
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| share_of_hour(view, service, t))));
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| count_of_hour(service, t))));
    }
    findings
}

fn finding(service: &ServiceView<'_>, message: impl Into<String>) -> Finding {
    Finding::new(Family::ZeroHours, service.common.name(), message)
}

fn permission(view: &View<'_>, service: &ServiceView<'_>) -> Option<Finding> {
    let scaling = &service.service.scaling;
    if !scaling.scale_to_zero {
        return Some(finding(service, "at zero, and the scenario does not allow it").differs("at least 1 replica", "0"));
    }
    if !scaling.metrics.as_ref().is_some_and(|m| m.survives_pods) {
        return Some(finding(service, "at zero, and no metric that outlives its pods can wake it").differs("at least 1 replica", "0"));
    }
    let chain = chain_s(view, service);
    let held = scaling.cold_requests == ColdRequests::Hold && !at_most(chain, scaling.request_timeout.0);
    held.then(|| finding(service, "at zero, and held requests time out before it is up, s").differs(scaling.request_timeout.0, chain))
}

fn trigger(service: &ServiceView<'_>) -> Option<Finding> {
    let scaling = &service.decided.scaling;
    if !scaling.scale_to_zero {
        return Some(finding(service, "has hours at zero and does not say so").differs(true, false));
    }
    let wanted = service.service.scaling.metrics.as_ref().and_then(|m| m.activity_query.clone());
    if scaling.activity_query != wanted {
        return Some(finding(service, "another query of activity").differs(wanted, scaling.activity_query.clone()));
    }
    scaling.query.is_none().then(|| finding(service, "may be at zero and has no trigger that wakes it"))
}

fn cooldown_is_long_enough(view: &View<'_>, service: &ServiceView<'_>) -> Option<Finding> {
    let needed = service.service.scaling.cooldown.0.max(chain_s(view, service));
    let stated = f64::from(service.decided.scaling.cooldown_s);
    (!at_most(needed, stated)).then(|| finding(service, "cool-down below the scenario's or the cold start, s").differs(needed, stated))
}

fn share_of_hour(view: &View<'_>, service: &ServiceView<'_>, hour: usize) -> Option<Finding> {
    let found = service.decided.awake_share_by_hour[hour];
    let wanted = if service.asleep(hour) {
        awake(service.service.demand.mean_rps[hour], chain_s(view, service), cooldown(view, service))
    } else {
        1.0
    };
    (!same(wanted, found)).then(|| finding(service, "wrong awake share").at(hour).differs(wanted, found))
}

fn count_of_hour(service: &ServiceView<'_>, hour: usize) -> Option<Finding> {
    let silent = service.service.demand.mean_rps[hour] <= 0.0;
    let missing = service.asleep(hour) && service.total(hour) == 0 && !silent;
    missing.then(|| finding(service, "no replica when awake").at(hour).differs("at least 1", 0_u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_service_is_awake_and_does_not_wake() {
        assert!(awake(1.0, 300.0, 300.0) > 0.999_999);
        assert!(wakes((1.0, 1.0), 300.0, 300.0) < 1e-9);
        assert!((wakes((0.0, 1.0), 300.0, 300.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_request_an_hour() {
        let rate = 1.0 / 3600.0;
        let gap = (-900.0_f64 / 3600.0).exp();
        assert!((awake(rate, 300.0, 600.0) - (1.0 - gap)).abs() < 1e-12);
        assert!((wakes((rate, rate), 300.0, 600.0) - gap).abs() < 1e-12);
    }
}
