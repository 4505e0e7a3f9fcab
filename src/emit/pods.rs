//! Pods: where they may run, what they ask for, how they start and stop.

use super::header;
use super::names::{self, POOL_LABEL, Part};
use crate::plan::{NodePool, Plan, WorkloadPlan};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Port that vLLM and Triton both serve HTTP on.
pub const PORT: u16 = 8000;

/// Topology key of zones.
const ZONE: &str = super::names::ZONE_LABEL;

/// Pools of a part of a workload: its own and the one that stands in for it.
#[derive(Clone, Copy)]
pub struct Pools<'a> {
    /// Name of its pool.
    pub name: &'a str,
    /// Its pool.
    pub own: Option<&'a NodePool>,
    /// Name of the fallback pool.
    pub fallback_name: Option<&'a str>,
    /// The fallback pool.
    pub fallback: Option<&'a NodePool>,
}

/// Pools of a pool name and an optional fallback name.
#[must_use]
pub fn pools<'a>(plan: &'a Plan, name: &'a str, fallback: Option<&'a str>) -> Pools<'a> {
    Pools { name, own: names::pool(plan, name), fallback_name: fallback, fallback: fallback.and_then(|f| names::pool(plan, f)) }
}

/// Pools of a part of a service.
#[must_use]
pub fn part_pools<'a>(plan: &'a Plan, workload: &'a WorkloadPlan, part: Part) -> Option<Pools<'a>> {
    let service = workload.service.as_ref()?;
    match part {
        Part::Floor => Some(pools(plan, &service.floor.pool, None)),
        Part::Flex => service.flex.as_ref().map(|flex| pools(plan, &flex.pool, flex.fallback_pool.as_deref())),
    }
}

/// `nodeSelector` or, with a fallback pool, a required choice between both with a preference for the first.
///
/// A choice by name, not by a label that both share: one on-demand pool may stand in for several spot pools.
#[must_use]
pub fn node_choice(pools: &Pools) -> (&'static str, Value) {
    let own = names::label(pools.name);
    let Some(fallback) = pools.fallback_name else { return ("nodeSelector", json!({POOL_LABEL: own})) };
    let both = json!({"key": POOL_LABEL, "operator": "In", "values": [own, names::label(fallback)]});
    let first = json!({"key": POOL_LABEL, "operator": "In", "values": [own]});
    let affinity = json!({"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [both]}]},
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": {"matchExpressions": [first]}}],
    }});
    ("affinity", affinity)
}

/// Tolerations of every taint of the pools, of the GPU taint that clouds put on GPU nodes, and of the one of AKS spot nodes.
#[must_use]
pub fn tolerations(pools: &Pools) -> Value {
    let mut rows = BTreeSet::from([("nvidia.com/gpu".to_owned(), None, "NoSchedule".to_owned())]);
    for pool in pools.own.iter().chain(pools.fallback.iter()) {
        for text in &pool.taints {
            let taint = names::taint(text);
            if taint.key != "nvidia.com/gpu" {
                rows.insert((taint.key, Some(taint.value), taint.effect));
            }
        }
        if pool.cloud == "azure" && pool.capacity_type == "spot" {
            rows.insert(("kubernetes.azure.com/scalesetpriority".to_owned(), Some("spot".to_owned()), "NoSchedule".to_owned()));
        }
    }
    let row = |(key, value, effect): (String, Option<String>, String)| match value {
        None => json!({"key": key, "operator": "Exists", "effect": effect}),
        Some(value) => json!({"key": key, "operator": "Equal", "value": value, "effect": effect}),
    };
    Value::Array(rows.into_iter().map(row).collect())
}

/// Spread over zones. Replicas on spot must spread, since the plan counts on losing one zone at a time; others should.
#[must_use]
pub fn spread(workload: &WorkloadPlan, part: Part, pools: &Pools) -> Value {
    let spot = pools.own.is_some_and(|pool| pool.capacity_type == "spot");
    let zones = workload.service.as_ref().and_then(|service| service.flex.as_ref()).map_or(1, |flex| flex.zones_spread);
    let must = part == Part::Flex && spot && zones > 1;
    let mut rule = json!({"maxSkew": 1, "topologyKey": ZONE});
    if must {
        rule["minDomains"] = json!(zones);
    }
    rule["whenUnsatisfiable"] = json!(if must { "DoNotSchedule" } else { "ScheduleAnyway" });
    rule["labelSelector"] = json!({"matchLabels": selector(&workload.name, part.as_str())});
    rule["matchLabelKeys"] = json!(["pod-template-hash"]);
    json!([rule])
}

/// Labels that select the pods of a component of a workload.
#[must_use]
pub fn selector(workload: &str, component: &str) -> Value {
    json!({"app.kubernetes.io/name": names::label(workload), "app.kubernetes.io/component": component})
}

/// Seconds a pod has to end: the drain that the plan pays for, and on spot not more than the notice.
#[must_use]
pub fn grace_s(workload: &WorkloadPlan, pools: &Pools) -> u32 {
    let consolidate_s = pools.own.map_or(0.0, |pool| f64::from(pool.consolidate_after_s));
    let tail_s = match (&workload.service, &workload.job) {
        (Some(service), _) => {
            let cold = &service.cold_start;
            cold.paid_hours_per_start.mul_add(3600.0, -cold.provision_p95_s - cold.replica_p95_s)
        }
        (None, Some(job)) => job.tail_hours * 3600.0,
        (None, None) => 0.0,
    };
    let notice_s = pools.own.and_then(|pool| pool.spot.as_ref()).map_or(f64::INFINITY, |spot| spot.notice_s);
    (tail_s - consolidate_s).min(notice_s).clamp(1.0, 3600.0).round() as u32
}

/// `resources` of the container: memory and GPUs with limits equal to requests, CPUs without a limit.
#[must_use]
pub fn resources(workload: &WorkloadPlan) -> Value {
    let requests = &workload.variant.requests;
    let cpu = format!("{}m", (requests.vcpus * 1000.0).round());
    let memory = format!("{}Mi", (requests.ram_gib * 1024.0).floor());
    let (resource, count) = match &workload.variant.slice {
        Some(slice) => (slice.resource.as_str(), "1".to_owned()),
        None => ("nvidia.com/gpu", requests.gpus.to_string()),
    };
    json!({
        "requests": {"cpu": cpu, "memory": memory, resource: count},
        "limits": {"memory": memory, resource: count},
    })
}

/// Annotations of a pod: who owns it and what runs in it, as free text.
#[must_use]
pub fn annotations(workload: &WorkloadPlan) -> Value {
    json!({
        "gpuplan.dev/team": header::one_line(&workload.team),
        "gpuplan.dev/cost-center": header::one_line(&workload.cost_center),
        "gpuplan.dev/variant": format!(
            "{} x{} {} {}", workload.variant.accelerator, workload.variant.gpus_per_replica, workload.variant.precision, workload.variant.engine
        ),
    })
}

/// The part of a pod spec that places it: choice of nodes and tolerations, then the grace period.
#[must_use]
pub fn placement(workload: &WorkloadPlan, pools: &Pools) -> Map<String, Value> {
    let (key, choice) = node_choice(pools);
    let mut spec = Map::new();
    spec.insert(key.to_owned(), choice);
    spec.insert("tolerations".to_owned(), tolerations(pools));
    spec.insert("terminationGracePeriodSeconds".to_owned(), json!(grace_s(workload, pools)));
    spec
}

/// Replicas over several GPUs talk through shared memory, of which a container has 64 MiB unless it is given more.
pub fn add_shared_memory(spec: &mut Map<String, Value>, container: &mut Value, gpus: u32) {
    if gpus > 1 {
        container["volumeMounts"] = json!([{"name": "shm", "mountPath": "/dev/shm"}]);
        spec.insert("volumes".to_owned(), json!([{"name": "shm", "emptyDir": {"medium": "Memory"}}]));
    }
}
