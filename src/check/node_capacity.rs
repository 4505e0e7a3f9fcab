//! Nodes of every hour hold their replicas.
//!
//! Not shared: `nodes = sum of replicas` (expected). Shared: whole nodes, the same all week, and first fit on real GPUs, CPUs and memory finds a
//! place for every replica that may be awake.

use super::claims::{self, Claim, allocatable};
use super::finding::{Family, Finding, first_hour};
use super::packing::{self, Item, Room};
use super::run_shape;
use super::tolerance::{at_most, same};
use super::view::{PoolView, View};
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeSet;

/// Checks every pool.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pool in &view.pools {
        let claims: Vec<_> = view.claims.iter().filter(|c| c.pool == pool.pool.name).collect();
        findings.extend(sharing(pool, &claims));
        findings.extend(members(pool, &claims));
        findings.extend(extremes(pool, &claims));
        if pool.shared {
            findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| packed(view, (pool, &claims), t))));
        } else {
            findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| summed(pool, &claims, t))));
        }
    }
    findings.extend(workers(view));
    findings
}

fn finding(pool: &PoolView<'_>, message: impl Into<String>) -> Finding {
    Finding::new(Family::NodeCapacity, &pool.pool.name, message)
}

/// One replica a node exactly where two do not fit; and a shared pool's nodes stay all week, so that none has to move.
fn sharing(pool: &PoolView<'_>, claims: &[&Claim<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Cut GPUs are shared whatever is on them.
    for claim in claims.iter().filter(|c| c.used() && pool.pool.partition.is_none()) {
        let several = claim.slots.is_some_and(|slots| 2 * slots <= pool.machine.gpus);
        if several != pool.shared {
            findings.push(finding(pool, format!("`{}` shares its nodes or not", claim.workload)).differs(several, pool.shared));
        }
    }
    let first = pool.pool.nodes_by_hour.first().copied().unwrap_or(0.0);
    if pool.shared && pool.pool.nodes_by_hour.iter().any(|n| !same(first, *n)) {
        findings.push(finding(pool, "nodes of a shared pool come and go"));
    }
    findings
}

fn members(pool: &PoolView<'_>, claims: &[&Claim<'_>]) -> Vec<Finding> {
    let stated: BTreeSet<&str> = pool.pool.workloads.iter().map(String::as_str).collect();
    let users: BTreeSet<&str> = claims.iter().filter(|c| c.used()).map(|c| c.workload).collect();
    users.difference(&stated).map(|name| finding(pool, format!("the pool does not list its workload `{name}`"))).collect()
}

/// Nodes that may be up in the hour: every replica awake, every worker whole.
pub(super) fn peak_nodes(pool: &PoolView<'_>, claims: &[&Claim<'_>], hour: usize) -> f64 {
    if pool.shared {
        return pool.pool.nodes_by_hour[hour];
    }
    claims.iter().map(|c| f64::from(c.peak[hour])).sum()
}

fn extremes(pool: &PoolView<'_>, claims: &[&Claim<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let most = (0..HOURS_PER_WEEK).map(|t| peak_nodes(pool, claims, t)).fold(0.0, f64::max);
    if !at_most(most, f64::from(pool.pool.max_nodes)) {
        findings.push(finding(pool, "most nodes are below an hour's").differs(most, pool.pool.max_nodes));
    }
    let least = pool.pool.nodes_by_hour.iter().copied().fold(f64::INFINITY, f64::min);
    if !at_most(f64::from(pool.pool.min_nodes), least) {
        findings.push(finding(pool, "fewest nodes are above an hour's").differs(least, pool.pool.min_nodes));
    }
    findings
}

fn summed(pool: &PoolView<'_>, claims: &[&Claim<'_>], hour: usize) -> Option<Finding> {
    let wanted: f64 = claims.iter().map(|c| c.expected[hour]).sum();
    let found = pool.pool.nodes_by_hour[hour];
    (!same(wanted, found)).then(|| finding(pool, "nodes are not the sum of their replicas").at(hour).differs(wanted, found))
}

fn packed(view: &View<'_>, of: (&PoolView<'_>, &[&Claim<'_>]), hour: usize) -> Option<Finding> {
    let (pool, claims) = of;
    let nodes = pool.pool.nodes_by_hour[hour];
    if !same(nodes.round(), nodes) {
        return Some(finding(pool, "half a node").at(hour).differs(nodes.round(), nodes));
    }
    if pool.pool.partition.is_some() {
        return None; // Counted slice by slice in `sharing`.
    }
    let gpus = pool.machine.gpus;
    let items: Vec<Item> = claims
        .iter()
        .flat_map(|c| std::iter::repeat_n(Item { ask: c.ask, slots: c.slots.unwrap_or(gpus) }, c.peak[hour] as usize))
        .collect();
    let (vcpus, ram_gib) = allocatable(view, pool);
    let kept = packing::fits(&items, nodes.round() as usize, Room { gpus: f64::from(gpus), vcpus, ram_gib });
    let needed: u32 = items.iter().map(|item| item.slots).sum();
    (!kept).then(|| {
        let message = format!("{} replicas do not fit onto the nodes", items.len());
        finding(pool, message).at(hour).differs(f64::from(needed.div_ceil(gpus)), nodes)
    })
}

/// The hours that a job says it occupies are those of its runs.
fn workers(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for job in view.jobs.iter().filter(|j| !j.common.frozen) {
        let Some(shape) = run_shape::of(view, job) else { continue };
        let held = view.pool(&job.decided.pool).is_some_and(|pool| claims::held(view, pool));
        let all_week = vec![f64::from(job.decided.workers); HOURS_PER_WEEK];
        let wanted = if held { all_week } else { claims::occupied(job, &shape).1 };
        let found = &job.decided.workers_by_hour;
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter(|t| !same(wanted[*t], found[*t])).map(|t| {
            let message = "workers of the hour are not those of its runs";
            Finding::new(Family::NodeCapacity, job.common.name(), message).at(t).differs(wanted[t], found[t])
        })));
    }
    findings
}
