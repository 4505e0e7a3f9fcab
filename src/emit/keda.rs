//! KEDA: one ScaledObject for each Deployment whose count changes.
//!
//! KEDA takes the largest of its triggers, so a window is a cron trigger and the count outside windows is `minReplicaCount`. A
//! window at zero is no trigger at all: cron refuses `desiredReplicas: "0"`. The load metric drives one ScaledObject of a service
//! only, that of its elastic part.

use super::names::{self, Part};
use super::service::counts;
use super::{Artifact, yaml};
use crate::plan::{Plan, ServicePlan, Window, WorkloadPlan};
use serde_json::{Value, json};

/// Failures in a row of the load metric after which the part goes to its largest count.
const FAILURES_BEFORE_FALLBACK: u32 = 3;

/// ScaledObjects of a workload.
#[must_use]
pub fn manifests(plan: &Plan, workload: &WorkloadPlan) -> Vec<Artifact> {
    let Some(service) = &workload.service else { return Vec::new() };
    let file = |part: Part| {
        let document = scaled_object(plan, (workload, service), part)?;
        Some(yaml::file(plan, format!("kubernetes/keda/{}.yaml", names::part_name(workload, part)), &[document]))
    };
    names::parts(workload).into_iter().filter_map(file).collect()
}

/// KEDA sets the count of this part; otherwise the count is fixed and stands in the Deployment.
#[must_use]
pub fn scales(plan: &Plan, workload: &WorkloadPlan, part: Part) -> bool {
    workload.service.as_ref().is_some_and(|service| !triggers(plan, (workload, service), part).is_empty())
}

/// Smallest and largest count that KEDA may set.
fn limits(plan: &Plan, (workload, service): (&WorkloadPlan, &ServicePlan), part: Part) -> (u32, u32) {
    let (base, most) = if part == names::elastic_part(workload) {
        (service.scaling.min_replicas, service.scaling.max_replicas)
    } else {
        counts(service, part)
    };
    // A window that never ends: cron refuses start == end, so its count is a minimum.
    let always = windows(plan, workload).filter(|w| w.cron_start == w.cron_end).map(|w| window_count(w, part)).max();
    let low = base.max(always.unwrap_or(0));
    (low, most.max(low).max(1))
}

fn windows<'a>(plan: &'a Plan, workload: &'a WorkloadPlan) -> impl Iterator<Item = &'a Window> {
    plan.windows.iter().filter(|window| window.workload == workload.name)
}

fn window_count(window: &Window, part: Part) -> u32 {
    match part {
        Part::Floor => window.floor,
        Part::Flex => window.flex,
    }
}

fn triggers(plan: &Plan, (workload, service): (&WorkloadPlan, &ServicePlan), part: Part) -> Vec<Value> {
    let (low, _) = limits(plan, (workload, service), part);
    let raised = windows(plan, workload).filter(|w| w.cron_start != w.cron_end && window_count(w, part) > low);
    let mut triggers: Vec<Value> = raised.enumerate().map(|(i, window)| cron(window, (i + 1, part))).collect();
    if part == names::elastic_part(workload) {
        triggers.extend(load(service));
        triggers.extend(activity(service));
    }
    triggers
}

fn cron(window: &Window, (number, part): (usize, Part)) -> Value {
    json!({
        "type": "cron",
        "name": format!("window-{number}"),
        "metadata": {
            "timezone": window.time_zone,
            "start": window.cron_start,
            "end": window.cron_end,
            "desiredReplicas": window_count(window, part).to_string(),
        },
    })
}

/// The load trigger, when the plan has one.
fn load(service: &ServicePlan) -> Option<Value> {
    let scaling = &service.scaling;
    let (server, query, threshold) = (scaling.prometheus_server.as_ref()?, scaling.query.as_ref()?, scaling.threshold?);
    Some(json!({
        "type": "prometheus",
        "name": "load",
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": server,
            "query": query,
            "threshold": quantity(threshold),
            "activationThreshold": "0",
            // Asleep, no series means that nobody asks. With a replica always up it means that the metric is broken, which
            // must end in the fallback and not in a scale-down.
            "ignoreNullValues": if scaling.scale_to_zero { "true" } else { "false" },
        },
    }))
}

/// The trigger that wakes a service from zero after a request that was turned away. It only wakes: its target is out of reach, so that
/// the HPA never asks for a second replica because of it.
fn activity(service: &ServicePlan) -> Option<Value> {
    let scaling = &service.scaling;
    let (server, query) = (scaling.prometheus_server.as_ref()?, scaling.activity_query.as_ref()?);
    Some(json!({
        "type": "prometheus",
        "name": "activity",
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": server,
            "query": query,
            "threshold": "1000000000",
            "activationThreshold": "0",
            "ignoreNullValues": "true",
        },
    }))
}

/// A threshold in thousandths, rounded down: what a Kubernetes quantity holds, on the safe side.
#[must_use]
pub fn quantity(threshold: f64) -> String {
    // Binary noise such as 11.999999999 for 12 is not a reason to lose a thousandth.
    let thousandths = threshold.mul_add(1000.0, 1e-6).floor().max(1.0);
    format!("{}", thousandths / 1000.0)
}

fn scaled_object(plan: &Plan, (workload, service): (&WorkloadPlan, &ServicePlan), part: Part) -> Option<Value> {
    let triggers = triggers(plan, (workload, service), part);
    if triggers.is_empty() {
        return None;
    }
    let scaling = &service.scaling;
    let by_load = triggers.iter().any(|trigger| trigger["type"] == "prometheus");
    let (low, most) = limits(plan, (workload, service), part);
    // Windows end when they end. Stabilization is for a metric that goes up and down.
    let stabilization_s = if by_load { scaling.stabilization_s } else { 0 };
    let mut spec = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": names::deployment_name(workload, part)},
        "pollingInterval": scaling.polling_interval_s,
        "cooldownPeriod": scaling.cooldown_s,
        "minReplicaCount": low,
        "maxReplicaCount": most,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior(stabilization_s)}},
    });
    if by_load {
        spec["fallback"] = json!({"failureThreshold": FAILURES_BEFORE_FALLBACK, "replicas": most});
    }
    spec["triggers"] = Value::Array(triggers);
    let labels = yaml::labels(plan, &workload.name, part.as_str());
    let name = names::part_name(workload, part);
    Some(json!({
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": yaml::metadata(plan, (&name, Some(&workload.kubernetes.namespace)), labels),
        "spec": spec,
    }))
}

/// The HPA's defaults spelled out, since the plan's lag counts on them, with the plan's stabilization on the way down.
fn behavior(stabilization_s: u32) -> Value {
    json!({
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 4, "periodSeconds": 15},
                {"type": "Percent", "value": 100, "periodSeconds": 15},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": stabilization_s,
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::quantity;

    #[test]
    fn thresholds_are_quantities_on_the_safe_side() {
        assert_eq!(quantity(12.0), "12");
        assert_eq!(quantity(7.123_99), "7.123");
        assert_eq!(quantity(0.1 + 0.2), "0.3");
        assert_eq!(quantity(0.000_1), "0.001");
    }
}
