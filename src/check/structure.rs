//! Format, names, references and lengths. Everything after it relies on these.

use super::finding::{Family, Finding};
use crate::domain::{CapacityType, Mode, Scenario, Workload};
use crate::ids::InstanceTypeId;
use crate::plan::{Bundle, JobPlan, NodePool, PLAN_FORMAT, Plan, ServicePlan, WorkloadPlan};
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeSet;

/// More replicas than any plan has: a guard for the arithmetic after it.
const MOST_REPLICAS: u32 = 4096;
/// More nodes of one pool than any plan has.
const MOST_NODES: f64 = 10_000.0;
/// A run a minute is more than any week has.
const MOST_RUNS: usize = 10_080;

/// What is broken.
pub(super) fn check(scenario: &Scenario, plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    if plan.format != PLAN_FORMAT {
        findings.push(finding("plan", "unknown format").differs(PLAN_FORMAT, plan.format.as_str()));
    }
    findings.extend(names(scenario, plan));
    findings.extend(plan.pools.iter().flat_map(|pool| self::pool(scenario, pool)));
    for bundle in &plan.bundles {
        findings.extend(server(plan, bundle));
    }
    for decided in &plan.workloads {
        if let Some(workload) = scenario.workloads.iter().find(|w| w.id.as_str() == decided.name) {
            findings.extend(kind(workload, decided));
            if let Some(service) = &decided.service {
                findings.extend(self::service(plan, &decided.name, service));
            }
            if let Some(job) = &decided.job {
                findings.extend(self::job(plan, &decided.name, job));
            }
        }
    }
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Structure, subject, message)
}

fn names(scenario: &Scenario, plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut pools = BTreeSet::new();
    for pool in &plan.pools {
        if !pools.insert(pool.name.as_str()) {
            findings.push(finding(&pool.name, "two pools have this name"));
        }
    }
    let mut workloads = BTreeSet::new();
    for workload in &plan.workloads {
        if !workloads.insert(workload.name.as_str()) {
            findings.push(finding(&workload.name, "two workloads have this name"));
        }
        if !scenario.workloads.iter().any(|w| w.id.as_str() == workload.name) {
            findings.push(finding(&workload.name, "the scenario has no such workload"));
        }
    }
    for workload in &scenario.workloads {
        if !workloads.contains(workload.id.as_str()) {
            findings.push(finding(workload.id.as_str(), "the plan leaves this workload out"));
        }
    }
    for window in &plan.windows {
        let mut servers = plan.workloads.iter().chain(plan.bundles.iter().map(|b| &b.host));
        if !servers.any(|w| w.name == window.workload && w.service.is_some()) {
            findings.push(finding(&window.workload, "a window of a service that the plan does not have"));
        }
    }
    findings
}

fn pool(scenario: &Scenario, pool: &NodePool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !scenario.instance_types.contains_key(&InstanceTypeId::new(pool.instance_type.clone())) {
        findings.push(finding(&pool.name, format!("the scenario has no instance type `{}`", pool.instance_type)));
    }
    if ![CapacityType::OnDemand, CapacityType::Spot].iter().any(|c| c.as_str() == pool.capacity_type) {
        findings.push(finding(&pool.name, "unknown capacity type").differs("on-demand or spot", pool.capacity_type.as_str()));
    }
    findings.extend(series(&pool.name, "nodes_by_hour", &pool.nodes_by_hour));
    findings.extend(too_many(&pool.name, &pool.nodes_by_hour));
    findings
}

fn kind(workload: &Workload, decided: &WorkloadPlan) -> Vec<Finding> {
    let mut findings = Vec::new();
    if decided.kind != workload.kind_name() {
        findings.push(finding(&decided.name, "wrong kind").differs(workload.kind_name(), decided.kind.as_str()));
    }
    if decided.profile != workload.profile.as_str() {
        findings.push(finding(&decided.name, "wrong profile").differs(workload.profile.as_str(), decided.profile.as_str()));
    }
    let is_service = workload.service().is_some();
    // A member of a server has no counts of its own.
    if decided.mode == "bundled" && is_service {
        if decided.service.is_some() || decided.job.is_some() {
            findings.push(finding(&decided.name, "a member of a server has counts of its own"));
        }
        return findings;
    }
    if decided.service.is_some() != is_service || decided.job.is_some() == is_service {
        findings.push(finding(&decided.name, "the decision is not one for this kind"));
    }
    let modes: &[&str] = if is_service {
        &[Mode::Static.as_str(), Mode::Scheduled.as_str(), Mode::Reactive.as_str(), "frozen"]
    } else {
        &["placed", "frozen"]
    };
    if !modes.contains(&decided.mode.as_str()) {
        findings.push(finding(&decided.name, "unknown mode").differs(modes.join(" or "), decided.mode.as_str()));
    }
    findings
}

fn service(plan: &Plan, name: &str, service: &ServicePlan) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(series(name, "planning_load_rps", &service.planning_load_rps));
    findings.extend(series(name, "mean_load_rps", &service.mean_load_rps));
    findings.extend(series(name, "awake_share_by_hour", &service.awake_share_by_hour));
    if service.awake_share_by_hour.iter().any(|share| *share > 1.0) {
        findings.push(finding(name, "a share in awake_share_by_hour is above 1"));
    }
    for (what, counts) in [("floor_by_hour", &service.floor_by_hour), ("flex_by_hour", &service.flex_by_hour)] {
        if counts.len() != HOURS_PER_WEEK {
            findings.push(finding(name, format!("{what} is not a week long")).differs(HOURS_PER_WEEK, counts.len()));
        }
        if let Some(most) = counts.iter().copied().max().filter(|n| *n > MOST_REPLICAS) {
            findings.push(finding(name, format!("{what} has too many replicas")).differs(MOST_REPLICAS, most));
        }
    }
    if let Some(row) = service.capacity.iter().find(|row| row.replicas > MOST_REPLICAS) {
        findings.push(finding(name, "the capacity table has too many replicas").differs(MOST_REPLICAS, row.replicas));
    }
    if service.floor_by_hour.iter().any(|n| *n > 0) {
        findings.extend(known_pool(plan, name, &service.floor.pool));
    }
    match &service.flex {
        Some(flex) => {
            findings.extend(known_pool(plan, name, &flex.pool));
            findings.extend(flex.fallback_pool.as_ref().and_then(|pool| known_pool(plan, name, pool)));
        }
        None if service.flex_by_hour.iter().any(|n| *n > 0) => {
            findings.push(finding(name, "flex replicas without a flex part"));
        }
        None => {}
    }
    findings
}

fn job(plan: &Plan, name: &str, job: &JobPlan) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(series(name, "workers_by_hour", &job.workers_by_hour));
    findings.extend(too_many(name, &job.workers_by_hour));
    if job.runs.len() > MOST_RUNS {
        findings.push(finding(name, "too many runs").differs(MOST_RUNS, job.runs.len()));
    }
    findings.extend(known_pool(plan, name, &job.pool));
    findings.extend(job.fallback_pool.as_ref().and_then(|pool| known_pool(plan, name, pool)));
    if job.workers == 0 || job.workers > MOST_REPLICAS {
        findings.push(finding(name, "no such width").differs(format!("1 to {MOST_REPLICAS}"), job.workers));
    }
    findings
}

/// A server's own plan and the series of its members.
fn server(plan: &Plan, bundle: &Bundle) -> Vec<Finding> {
    let name = &bundle.host.name;
    let mut findings = Vec::new();
    if plan.workloads.iter().any(|w| &w.name == name) || plan.bundles.iter().filter(|b| &b.host.name == name).count() > 1 {
        findings.push(finding(name, "a server has the name of something else"));
    }
    if bundle.host.kind != "bundle" || !["static", "scheduled"].contains(&bundle.host.mode.as_str()) {
        findings.push(finding(name, "unknown kind or mode of a server"));
    }
    match &bundle.host.service {
        Some(service) => findings.extend(self::service(plan, name, service)),
        None => findings.push(finding(name, "a server without counts")),
    }
    for member in &bundle.members {
        findings.extend(series(&member.workload, "planning_load_rps", &member.planning_load_rps));
        findings.extend(series(&member.workload, "mean_load_rps", &member.mean_load_rps));
        if !(member.alone_rps.is_finite() && member.alone_rps > 0.0) {
            findings.push(finding(&member.workload, "no rate alone"));
        }
    }
    findings
}

fn known_pool(plan: &Plan, subject: &str, pool: &str) -> Option<Finding> {
    let known = plan.pools.iter().any(|p| p.name == pool);
    (!known).then(|| finding(subject, format!("the plan has no pool `{pool}`")))
}

fn too_many(subject: &str, nodes: &[f64]) -> Option<Finding> {
    let most = nodes.iter().copied().fold(0.0, f64::max);
    (most > MOST_NODES).then(|| finding(subject, "too many nodes").differs(MOST_NODES, most))
}

fn series(subject: &str, what: &str, values: &[f64]) -> Option<Finding> {
    if values.len() != HOURS_PER_WEEK {
        return Some(finding(subject, format!("{what} is not a week long")).differs(HOURS_PER_WEEK, values.len()));
    }
    let bad = values.iter().position(|v| !v.is_finite() || *v < 0.0)?;
    Some(finding(subject, format!("{what} has a value that is no count")).at(bad).differs("0 or more", values[bad]))
}
