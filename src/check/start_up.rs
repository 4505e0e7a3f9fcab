//! Starts and their paid hours: `(provisioning + cold start + drain + consolidation delay)/3600` a start, over the cyclic week.
//!
//! A service starts `sum max(0, F_t - F_{t-1})` floor and as many flex replicas, and all of an hour's flex replicas for each
//! expected wake in hours that may be at zero. Nodes of a shared pool stay all week and never start.

use super::claims;
use super::finding::{Dollars, Family, Finding};
use super::price;
use super::tolerance::{same, same_usd};
use super::view::{PoolView, ServiceView, View};
use super::zero_hours;
use crate::units::{HOURS_PER_WEEK, MONTHS_PER_WEEK_FACTOR};

/// Checks services, pools and the total.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in view.promised() {
        findings.extend(starts(view, service));
        findings.extend(cold_start(view, service));
    }
    for pool in &view.pools {
        let (wanted, found) = (start_hours(view, pool), pool.pool.start_up_node_hours_per_week);
        if !same(wanted, found) {
            findings.push(Finding::new(Family::StartUp, &pool.pool.name, "other node-hours of start-ups a week").differs(wanted, found));
        }
    }
    findings.extend(view.pools.iter().filter_map(|pool| consolidation(view, pool)));
    findings.extend(total(view));
    findings
}

/// The delay that is emitted is the one that starts are priced with, in whole seconds.
fn consolidation(view: &View<'_>, pool: &PoolView<'_>) -> Option<Finding> {
    let (wanted, found) = (view.scenario.node_autoscaler.consolidate_after.0, pool.pool.consolidate_after_s);
    let differs = (wanted - f64::from(found)).abs() >= 1.0;
    differs.then(|| Finding::new(Family::StartUp, &pool.pool.name, "another consolidation delay, s").differs(wanted, found))
}

fn finding(service: &ServiceView<'_>, message: impl Into<String>) -> Finding {
    Finding::new(Family::StartUp, service.common.name(), message)
}

fn starts(view: &View<'_>, service: &ServiceView<'_>) -> Option<Finding> {
    let planned = claims::starts(&service.decided.floor_by_hour) + claims::starts(&claims::flex_kept_up(service));
    let asleep = (0..HOURS_PER_WEEK).filter(|t| service.asleep(*t));
    let woken: f64 = asleep.map(|t| f64::from(service.decided.flex_by_hour[t]) * zero_hours::wakes_of(view, service, t)).sum();
    let (wanted, found) = (planned + woken, service.decided.starts_per_week);
    (!same(wanted, found)).then(|| finding(service, "other starts a week").differs(wanted, found))
}

fn cold_start(view: &View<'_>, service: &ServiceView<'_>) -> Vec<Finding> {
    let stated = &service.decided.cold_start;
    let (provision, replica) = (view.provision_s(), service.common.replica_cold_s());
    let rows = [
        ("node provisioning, s", provision, stated.provision_p95_s),
        ("cold start of a replica, s", replica, stated.replica_p95_s),
        ("paid hours a start", (provision + replica) / 3600.0 + view.tail_hours(), stated.paid_hours_per_start),
    ];
    let wrong = rows.into_iter().filter(|(_, wanted, found)| !same(*wanted, *found));
    wrong.map(|(what, wanted, found)| finding(service, format!("another {what}")).differs(wanted, found)).collect()
}

/// Node-hours a week that starts and tails of its workloads add in a pool; none in a shared one, whose nodes stay.
pub(super) fn start_hours(view: &View<'_>, pool: &PoolView<'_>) -> f64 {
    if pool.shared {
        return 0.0;
    }
    view.claims.iter().filter(|c| c.pool == pool.pool.name).map(|c| c.start_hours).sum()
}

/// The start-up part of the cost.
fn total(view: &View<'_>) -> Option<Finding> {
    let of = |pool: &PoolView<'_>| {
        let usd_per_hour = price::planned(view, pool).unwrap_or(pool.pool.planned_usd_per_hour.as_f64());
        start_hours(view, pool) * usd_per_hour * MONTHS_PER_WEEK_FACTOR
    };
    let wanted: f64 = view.pools.iter().map(of).sum();
    let found = view.plan.cost.start_up_usd_per_month.as_f64();
    (!same_usd(wanted, found))
        .then(|| Finding::new(Family::StartUp, "cost", "another cost of start-ups a month").differs(Dollars(wanted), Dollars(found)))
}
