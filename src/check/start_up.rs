//! Starts and their paid hours: `(provisioning + cold start + drain + consolidation delay)/3600` a start, over the cyclic week.
//!
//! A service starts `sum max(0, F_t - F_{t-1})` floor and as many flex replicas, and wakes once for each expected wake in
//! hours that may be at zero. A shared pool starts nodes that are paid beyond the commitment.

use super::claims;
use super::finding::{Dollars, Family, Finding};
use super::price;
use super::tolerance::{RELATIVE, USD, at_most, same};
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
    for pool in view.pools.iter().filter(|p| p.shared) {
        let (wanted, found) = (shared_start_hours(view, pool), pool.pool.start_up_node_hours_per_week);
        if !same(wanted, found) {
            findings.push(Finding::new(Family::StartUp, &pool.pool.name, "other node-hours of start-ups a week").differs(wanted, found));
        }
    }
    findings.extend(total(view));
    findings
}

fn finding(service: &ServiceView<'_>, message: impl Into<String>) -> Finding {
    Finding::new(Family::StartUp, service.common.name(), message)
}

fn starts(view: &View<'_>, service: &ServiceView<'_>) -> Option<Finding> {
    let planned = claims::starts(&service.decided.floor_by_hour) + claims::starts(&claims::flex_kept_up(service));
    let (chain, cooldown) = (zero_hours::chain_s(view, service), zero_hours::cooldown(view, service));
    let wakes = |cooldown_s: f64| -> f64 {
        let asleep = (0..HOURS_PER_WEEK).filter(|t| service.asleep(*t));
        asleep.map(|t| zero_hours::wakes(service.service.demand.mean_rps[t], chain, cooldown_s)).sum()
    };
    let (least, most) = (planned + wakes(cooldown.most_s), planned + wakes(cooldown.least_s));
    let found = service.decided.starts_per_week;
    let kept = found >= least * (1.0 - RELATIVE) - 1e-9 && at_most(found, most);
    (!kept).then(|| finding(service, "other starts a week").differs(least, found))
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

/// Node-hours a week that starts of paid nodes add in a shared pool: each at the longest of its workloads.
pub(super) fn shared_start_hours(view: &View<'_>, pool: &PoolView<'_>) -> f64 {
    let paid: Vec<f64> = pool.pool.nodes_by_hour.iter().map(|n| (n - f64::from(pool.committed)).max(0.0)).collect();
    let before = paid.iter().cycle().skip(HOURS_PER_WEEK - 1);
    let started: f64 = before.zip(&paid).map(|(before, now)| (now - before).max(0.0)).sum();
    let users = view.claims.iter().filter(|c| c.pool == pool.pool.name && c.used());
    started * users.map(|c| c.hours_per_start).fold(0.0, f64::max)
}

/// The start-up part of the cost: services' starts and shared pools' for sure; of jobs between nothing and boot plus tail.
fn total(view: &View<'_>) -> Option<Finding> {
    let jobs: Vec<&str> = view.jobs.iter().map(|j| j.common.plan.name.as_str()).collect();
    let (mut least, mut jobs_most) = (0.0, 0.0);
    for pool in &view.pools {
        let usd_per_hour = price::planned(view, pool).unwrap_or(pool.pool.planned_usd_per_hour.as_f64());
        if pool.shared {
            least += shared_start_hours(view, pool) * usd_per_hour;
            continue;
        }
        for claim in view.claims.iter().filter(|c| c.pool == pool.pool.name) {
            if let Some(job) = view.jobs.iter().find(|j| j.common.plan.name == claim.workload) {
                let started = f64::from(job.decided.workers) * job.decided.runs.len() as f64;
                jobs_most += started * claim.hours_per_start * usd_per_hour;
            } else if !jobs.contains(&claim.workload) {
                least += claim.start_hours * usd_per_hour;
            }
        }
    }
    let (least, most) = (least * MONTHS_PER_WEEK_FACTOR, (least + jobs_most) * MONTHS_PER_WEEK_FACTOR);
    let found = view.plan.cost.start_up_usd_per_month.as_f64();
    let kept = found >= least - USD && found <= most + USD;
    (!kept).then(|| Finding::new(Family::StartUp, "cost", "another cost of start-ups a month").differs(Dollars(least), Dollars(found)))
}
