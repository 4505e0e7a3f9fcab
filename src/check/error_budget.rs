//! Misses fit into the half of the error budget that queueing does not have: `(1 - attainment)/2 x requests`, over the misses that a
//! replay saw for each expected one.
//!
//! Cold starts: `w (1 + r L)` an hour at zero. Reclaims, in an hour with S spot replicas: `Zo = min(Z, S)`,
//! `lost = ceil(S/Z)`, `recover = max(0, provisioning + cold start - notice)`, `deficit = max(0, 1 - f(n - lost)/mean)`,
//! misses `awake x Zo x h x recover x deficit x mean x 3600`.

use super::finding::{Family, Finding};
use super::spot;
use super::tolerance::{RELATIVE, at_most, same};
use super::view::{ServiceView, View};
use super::{capacity, zero_hours};
use crate::units::HOURS_PER_WEEK;

/// Checks every service that is not frozen.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    view.promised().flat_map(|service| of_service(view, service)).collect()
}

fn finding(service: &ServiceView<'_>, message: impl Into<String>) -> Finding {
    Finding::new(Family::ErrorBudget, service.common.name(), message)
}

fn of_service(view: &View<'_>, service: &ServiceView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let stated = &service.decided.error_budget;
    let requests = service.service.demand.mean_rps.iter().sum::<f64>() * 3600.0;
    let spare = 1.0 - capacity::planning_percentile(service.service.slo.attainment);
    for (what, wanted, found) in [
        ("number of requests a week", requests, stated.requests_per_week),
        ("share for steady state", spare, stated.steady_state_share),
        ("spare share", spare, stated.spare_share),
    ] {
        if !same(wanted, found) {
            findings.push(finding(service, format!("another {what}")).differs(wanted, found));
        }
    }
    if let Some(other) = stated.uses.iter().find(|u| u.name != "cold_starts" && u.name != "reclaims") {
        findings.push(finding(service, format!("unknown use `{}`", other.name)));
    }
    let cold = cold_misses(view, service);
    let reclaims = reclaim_misses(view, service);
    for (name, wanted) in [("cold_starts", cold), ("reclaims", reclaims)] {
        let found: f64 = stated.uses.iter().filter(|u| u.name == name).map(|u| u.misses_per_week).sum();
        if (found - wanted).abs() > wanted * RELATIVE + 1e-6 {
            findings.push(finding(service, format!("other misses a week by {name}")).differs(wanted, found));
        }
    }
    if !(1.0..=1000.0).contains(&stated.miss_factor) {
        findings.push(finding(service, "fewer misses than expected are counted on").differs(1.0, stated.miss_factor));
    }
    let (used, budget) = (cold + reclaims, spare * requests / stated.miss_factor.max(1.0));
    if !at_most(used, budget) {
        findings.push(finding(service, "more misses a week than the error budget has").differs(budget, used));
    }
    findings
}

/// Expected misses of cold starts a week.
fn cold_misses(view: &View<'_>, service: &ServiceView<'_>) -> f64 {
    let chain = zero_hours::chain_s(view, service);
    let asleep = (0..HOURS_PER_WEEK).filter(|t| service.asleep(*t));
    asleep.map(|t| zero_hours::wakes_of(view, service, t) * (1.0 + service.service.demand.mean_rps[t] * chain)).sum()
}

fn reclaim_misses(view: &View<'_>, service: &ServiceView<'_>) -> f64 {
    let Some(pool) = service.spot_pool(view) else { return 0.0 };
    let hazard = spot::risk(view, pool).reclaims_per_hour;
    let recover_hours = (zero_hours::chain_s(view, service) - spot::notice_s(pool)).max(0.0) / 3600.0;
    let hours = (0..HOURS_PER_WEEK).map(|t| {
        let (_, flex) = service.counts(t);
        let mean = service.service.demand.mean_rps[t];
        if flex == 0 || mean <= 0.0 {
            return 0.0;
        }
        let left = service.total(t) - flex.div_ceil(pool.zones);
        let deficit = (1.0 - service.rate(left) / mean).max(0.0);
        let events = service.decided.awake_share_by_hour[t] * f64::from(pool.zones.min(flex)) * hazard;
        events * recover_hours * deficit * mean * 3600.0
    });
    hours.sum()
}
