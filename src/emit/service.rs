//! Services without a Deployment of their own: whole Deployments for floor and flex, one Service and one disruption budget.

use super::names::{self, Part};
use super::pods::{self, PORT};
use super::{Artifact, keda, triton, yaml};
use crate::plan::{Plan, ServicePlan, WorkloadPlan};
use serde_json::{Map, Value, json};

/// Manifests of a service that brings no Deployment; nothing for others.
#[must_use]
pub fn manifests(plan: &Plan, workload: &WorkloadPlan) -> Vec<Artifact> {
    let Some(service) = &workload.service else { return Vec::new() };
    if workload.kubernetes.scale_target.is_some() {
        return Vec::new();
    }
    let mut documents: Vec<Value> =
        names::parts(workload).into_iter().filter_map(|part| deployment(plan, (workload, service), part)).collect();
    documents.push(front(plan, workload));
    documents.extend(triton::bundle(plan, workload).into_iter().flat_map(|bundle| triton::aliases(plan, bundle)));
    documents.push(disruption_budget(plan, workload));
    let path = format!("kubernetes/workloads/{}.yaml", names::label(&workload.name));
    vec![yaml::file(plan, path, &documents)]
}

/// Count outside windows and the largest count of a part.
#[must_use]
pub fn counts(service: &ServicePlan, part: Part) -> (u32, u32) {
    match (part, &service.flex) {
        (Part::Flex, Some(flex)) => (flex.base_replicas, flex.max_replicas),
        (Part::Flex, None) => (0, 0),
        (Part::Floor, _) => (service.floor.base_replicas, service.floor.max_replicas),
    }
}

fn deployment(plan: &Plan, (workload, service): (&WorkloadPlan, &ServicePlan), part: Part) -> Option<Value> {
    let pools = pods::part_pools(plan, workload, part)?;
    let (base, most) = counts(service, part);
    let selector = pods::selector(&workload.name, part.as_str());
    let mut spec = Map::new();
    // Where KEDA scales, a count here would undo its work at every apply.
    if !keda::scales(plan, workload, part) {
        spec.insert("replicas".to_owned(), json!(base));
    }
    // A surge pod needs a node beyond the pool's limit, so it is for single replicas, which cannot go one down.
    let (surge, unavailable) = if most > 1 { (0, 1) } else { (1, 0) };
    spec.insert("revisionHistoryLimit".to_owned(), json!(5));
    spec.insert("progressDeadlineSeconds".to_owned(), json!(progress_s(service)));
    let update = json!({"maxSurge": surge, "maxUnavailable": unavailable});
    spec.insert("strategy".to_owned(), json!({"type": "RollingUpdate", "rollingUpdate": update}));
    spec.insert("selector".to_owned(), json!({"matchLabels": selector}));
    let mut pod = pods::placement(workload, &pools);
    pod.insert("topologySpreadConstraints".to_owned(), pods::spread(workload, part, &pools));
    let mut container = container(workload, service, pods::grace_s(workload, &pools));
    pods::add_shared_memory(&mut pod, &mut container, workload.variant.requests.gpus);
    let labels = yaml::labels(plan, &workload.name, part.as_str());
    let mut meta = json!({"labels": labels, "annotations": pods::annotations(workload)});
    if let Some(bundle) = triton::bundle(plan, workload) {
        triton::serve(bundle, (&mut pod, &mut container));
        meta["annotations"]["gpuplan.dev/models"] = json!(triton::digest(bundle));
    }
    pod.insert("containers".to_owned(), json!([container]));
    spec.insert("template".to_owned(), json!({"metadata": meta, "spec": pod}));
    let name = names::deployment_name(workload, part);
    Some(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": yaml::metadata(plan, (&name, Some(&workload.kubernetes.namespace)), labels),
        "spec": spec,
    }))
}

/// A rollout is given twice the time that node and replica need at p95, and ten minutes.
fn progress_s(service: &ServicePlan) -> u32 {
    let cold = &service.cold_start;
    2.0f64.mul_add(cold.provision_p95_s + cold.replica_p95_s, 600.0).ceil() as u32
}

fn container(workload: &WorkloadPlan, service: &ServicePlan, grace_s: u32) -> Value {
    const STARTUP_PERIOD_S: f64 = 10.0;
    let (live, ready) = probe_actions(&workload.variant.engine);
    // Twice the p95 start: a slow start is not a dead one.
    let tries = (2.0 * service.cold_start.replica_p95_s / STARTUP_PERIOD_S).ceil().max(6.0) as u32;
    let probe = |action: &Value, rest: Value| {
        let mut probe = action.clone();
        if let (Value::Object(probe), Value::Object(rest)) = (&mut probe, rest) {
            probe.extend(rest);
        }
        probe
    };
    json!({
        "name": "server",
        "image": workload.kubernetes.image,
        "ports": [{"name": "http", "containerPort": PORT}],
        "resources": pods::resources(workload),
        "startupProbe": probe(&ready, json!({"periodSeconds": STARTUP_PERIOD_S as u32, "failureThreshold": tries})),
        "readinessProbe": probe(&ready, json!({"periodSeconds": 5, "failureThreshold": 2})),
        "livenessProbe": probe(&live, json!({"periodSeconds": 10, "failureThreshold": 6, "timeoutSeconds": 5})),
        // Time for the endpoint to leave the load balancers before the server stops taking requests.
        "lifecycle": {"preStop": {"sleep": {"seconds": (grace_s / 3).clamp(1, 10)}}},
    })
}

/// Probe actions (live, ready) of an engine; a plain connection where its health path is not known.
fn probe_actions(engine: &str) -> (Value, Value) {
    let http = |path: &str| json!({"httpGet": {"path": path, "port": "http"}});
    match engine.to_ascii_lowercase() {
        e if e.starts_with("vllm") || e.starts_with("sglang") => (http("/health"), http("/health")),
        e if e.starts_with("triton") || e.starts_with("tensorrt") => (http("/v2/health/live"), http("/v2/health/ready")),
        _ => (json!({"tcpSocket": {"port": "http"}}), json!({"tcpSocket": {"port": "http"}})),
    }
}

fn front(plan: &Plan, workload: &WorkloadPlan) -> Value {
    let name = names::service_name(&workload.name);
    let mut ports = vec![json!({"name": "http", "port": 80, "targetPort": "http"})];
    if triton::bundle(plan, workload).is_some() {
        ports.extend(triton::ports());
    }
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": yaml::metadata(plan, (&name, Some(&workload.kubernetes.namespace)), yaml::labels(plan, &workload.name, "service")),
        "spec": {
            "selector": {"app.kubernetes.io/name": names::label(&workload.name)},
            "ports": ports,
        },
    })
}

/// One replica of floor and flex together may be taken away at a time.
fn disruption_budget(plan: &Plan, workload: &WorkloadPlan) -> Value {
    let name = names::label(&workload.name);
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": yaml::metadata(plan, (&name, Some(&workload.kubernetes.namespace)), yaml::labels(plan, &workload.name, "service")),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
        },
    })
}
