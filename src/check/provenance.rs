//! The plan belongs to this scenario, and what it repeats of it is true.

use super::capacity;
use super::finding::{Family, Finding, Show, first_hour};
use super::tolerance::same;
use super::view::{Common, ServiceView, View};
use crate::plan::PLAN_FORMAT;
use crate::units::HOURS_PER_WEEK;

/// Checks digest, inputs and everything repeated.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = origin(view);
    findings.extend(inputs(view));
    findings.extend(view.workloads().flat_map(|common| owner(&common)));
    for service in &view.services {
        findings.extend(objective(service));
        findings.extend(settings(service));
        let mean = &service.service.demand.mean_rps;
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| {
            let found = service.decided.mean_load_rps[t];
            (!same(mean[t], found)).then(|| finding(service.common.name(), "mean load of another demand").at(t).differs(mean[t], found))
        })));
    }
    findings.extend(view.jobs.iter().filter_map(|job| {
        let unit = job.common.profile.and_then(|p| p.work_unit.clone()).unwrap_or_default();
        text(job.common.name(), "unit of work", (unit, job.decided.work_unit.as_str()))
    }));
    findings.extend(view.jobs.iter().filter_map(|job| {
        let wanted = job.job.queue.as_ref().map(|q| (q.scaler.as_str(), q.metadata.iter().cloned().collect()));
        let found = job.decided.queue.as_ref().map(|q| (q.scaler.as_str(), q.metadata.clone()));
        (wanted != found).then(|| finding(job.common.name(), "another queue").differs(format!("{wanted:?}"), format!("{found:?}")))
    }));
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Provenance, subject, message)
}

fn text(subject: &str, what: &str, both: (impl Show + PartialEq, impl Show)) -> Option<Finding> {
    let (wanted, found) = (both.0.show(), both.1.show());
    (wanted != found).then(|| finding(subject, format!("another {what} than the scenario's")).differs(wanted, found))
}

fn origin(view: &View<'_>) -> Vec<Finding> {
    let (scenario, plan) = (view.scenario, view.plan);
    let stated = &plan.provenance;
    debug_assert_eq!(plan.format, PLAN_FORMAT);
    [
        text("plan", "digest", (scenario.sha256.as_str(), stated.scenario_sha256.as_str())),
        text("plan", "name", (scenario.name.as_str(), plan.name.as_str())),
        text("plan", "demo mark", (scenario.demo, plan.demo)),
        text("plan", "anchor week", (scenario.anchor_monday.as_str(), stated.anchor_monday.as_str())),
        text("plan", "time zone", (scenario.time_zone.as_str(), stated.time_zone.as_str())),
        text("plan", "node autoscaler", (scenario.node_autoscaler.kind.as_str(), stated.node_autoscaler.as_str())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn inputs(view: &View<'_>) -> Vec<Finding> {
    let stated = &view.plan.provenance.inputs;
    let mut findings = Vec::new();
    for input in &view.scenario.inputs {
        match stated.iter().find(|s| s.path == input.path) {
            Some(row) => findings.extend(text(&input.path, "digest", (input.sha256.as_str(), row.sha256.as_str()))),
            None => findings.push(finding(&input.path, "this input is not listed")),
        }
    }
    for row in stated.iter().filter(|row| view.scenario.inputs.iter().all(|i| i.path != row.path)) {
        findings.push(finding(&row.path, "the scenario has no such input"));
    }
    findings
}

fn owner(common: &Common<'_>) -> Vec<Finding> {
    let (workload, plan, name) = (common.workload, common.plan, common.name());
    let kubernetes = &plan.kubernetes;
    [
        text(name, "team", (workload.team.as_str(), plan.team.as_str())),
        text(name, "cost centre", (workload.cost_center.as_str(), plan.cost_center.as_str())),
        text(name, "namespace", (workload.namespace.as_str(), kubernetes.namespace.as_str())),
        text(name, "image", (workload.image.as_str(), kubernetes.image.as_str())),
        text(name, "time zone", (workload.time_zone.as_str(), kubernetes.time_zone.as_str())),
        text(name, "scale target", (workload.scale_target.clone(), kubernetes.scale_target.clone())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn objective(service: &ServiceView<'_>) -> Vec<Finding> {
    let own = service.common.workload.service().unwrap_or(service.service);
    let (slo, stated, name) = (&own.slo, &service.decided.slo, service.common.name());
    let quantile = capacity::planning_percentile(slo.attainment);
    let rows = [
        ("attainment", Some(slo.attainment), Some(stated.attainment)),
        ("time to first token", slo.ttft.map(|l| l.0), stated.ttft_ms),
        ("time per token", slo.tpot.map(|l| l.0), stated.tpot_ms),
        ("latency", slo.latency.map(|l| l.0), stated.latency_ms),
        ("planning percentile", Some(quantile), Some(stated.planning_percentile)),
    ];
    let wrong = rows.into_iter().filter(|(_, wanted, found)| match (wanted, found) {
        (None, None) => false,
        (Some(wanted), Some(found)) => !same(*wanted, *found),
        _ => true,
    });
    wrong.map(|(what, wanted, found)| finding(name, format!("another {what} than the scenario's")).differs(wanted, found)).collect()
}

fn settings(service: &ServiceView<'_>) -> Vec<Finding> {
    let (wanted, stated, name) = (&service.service.scaling, &service.decided.scaling, service.common.name());
    let mut findings: Vec<Finding> = [
        text(name, "burst class", (service.service.demand.burst.as_str(), service.decided.burst.as_str())),
        text(name, "routing", (wanted.routing.as_str(), service.decided.routing.as_str())),
        text(name, "treatment of cold requests", (wanted.cold_requests.as_str(), stated.cold_requests.as_str())),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (what, wanted, found) in [
        ("polling interval, s", wanted.polling.0, stated.polling_interval_s),
        ("stabilization, s", wanted.stabilization.0, stated.stabilization_s),
    ] {
        // Whole seconds in the plan.
        if (wanted - f64::from(found)).abs() >= 1.0 {
            findings.push(finding(name, format!("another {what}, than the scenario's")).differs(wanted, found));
        }
    }
    findings
}
