//! ScaledObjects of KEDA, its defaults filled in.
//!
//! Source: github.com/kedacore/keda, `apis/keda/v1alpha1/scaledobject_types.go`; `CheckReplicaCountBoundsAreValid` for the bounds.

use super::fault::Faults;
use super::field::Field;
use super::manifest::Manifest;
use super::types::{Fallback, ScaledObject};
use super::{behavior, trigger};

/// Reads one; its workload is empty where no label names it.
pub(super) fn read(manifest: &Manifest, faults: &mut Faults) -> Option<ScaledObject> {
    let spec = manifest.spec(faults)?;
    let target = target(spec, faults);
    let (min_replicas, max_replicas, idle_replicas) = bounds(spec, faults);
    let advanced = spec.map("advanced", faults);
    if let Some(modifiers) = advanced.and_then(|advanced| advanced.get("scalingModifiers")).filter(|m| !m.entries().is_empty()) {
        modifiers.unsupported("scalingModifiers", faults);
    }
    let hpa = advanced.and_then(|advanced| advanced.map("horizontalPodAutoscalerConfig", faults));
    let behavior = behavior::read(hpa.and_then(|hpa| hpa.map("behavior", faults)), faults);
    let triggers = trigger::read(spec, faults);
    if spec.get("triggers").is_none_or(|_| spec.items("triggers", &mut Faults::default()).is_empty()) {
        faults.note(spec.origin(), format!("{} has no trigger: its count stays at `minReplicaCount`", manifest.owner));
    }
    let polling_interval_s = spec.positive("pollingInterval", faults).unwrap_or(30);
    let cooldown_s = spec.count("cooldownPeriod", faults).unwrap_or(300);
    let initial_cooldown_s = spec.count("initialCooldownPeriod", faults).unwrap_or(0);
    let fallback = spec.map("fallback", faults).and_then(|field| fallback(field, faults));
    let paused = trigger::paused(manifest.field(), faults);
    Some(ScaledObject {
        namespace: manifest.namespace.clone(),
        name: manifest.name.clone(),
        workload: manifest.workload.clone().unwrap_or_default(),
        target: target?.to_owned(),
        polling_interval_s,
        cooldown_s,
        initial_cooldown_s,
        min_replicas,
        max_replicas,
        idle_replicas,
        fallback,
        behavior,
        triggers,
        paused,
    })
}

fn target<'a>(spec: Field<'a>, faults: &mut Faults) -> Option<&'a str> {
    let reference = spec.required_map("scaleTargetRef", faults)?;
    let kind = reference.text("kind", faults).unwrap_or("Deployment");
    if kind != "Deployment" {
        let at = reference.get("kind").unwrap_or(reference);
        at.fault(faults, format!("{} scales a `{kind}`, which a replay does not know", spec.owner), "scale a `Deployment`");
        return None;
    }
    reference.required("name", faults)
}

/// `minReplicaCount`, `maxReplicaCount`, `idleReplicaCount`.
fn bounds(spec: Field, faults: &mut Faults) -> (u32, u32, Option<u32>) {
    let (min, max, idle) =
        (spec.count("minReplicaCount", faults), spec.positive("maxReplicaCount", faults), spec.count("idleReplicaCount", faults));
    let (low, high) = (min.unwrap_or(0), max.unwrap_or(100));
    // A maximum that is no count at all has been told.
    let high_is_sound = max.is_some() || spec.get("maxReplicaCount").is_none();
    if low > high && high_is_sound {
        let at = spec.get("minReplicaCount").unwrap_or(spec);
        at.fault(
            faults,
            format!("`minReplicaCount` {low} of {} is above `maxReplicaCount` {high}", spec.owner),
            "lower one or raise the other",
        );
    }
    // KEDA compares with the HPA's minimum, which is never below 1 where a minimum is written at all.
    let least = if min.is_some() { low.max(1) } else { 0 };
    if let Some(count) = idle.filter(|count| *count >= least) {
        let at = spec.get("idleReplicaCount").unwrap_or(spec);
        let what = format!("`idleReplicaCount` {count} of {} is not below `minReplicaCount` {low}", spec.owner);
        at.fault(faults, what, "take it out, or raise `minReplicaCount`");
    }
    (low, high, idle)
}

fn fallback(field: Field, faults: &mut Faults) -> Option<Fallback> {
    if let Some(behavior) = field.text("behavior", faults).filter(|behavior| *behavior != "static" && !behavior.is_empty()) {
        field.get("behavior").unwrap_or(field).unsupported(&format!("fallback.behavior: {behavior}"), faults);
    }
    for key in ["failureThreshold", "replicas"] {
        if field.get(key).is_none() {
            field.missing(key, faults);
        }
    }
    let (failure_threshold, replicas) = (field.count("failureThreshold", faults), field.count("replicas", faults));
    Some(Fallback { failure_threshold: failure_threshold?, replicas: replicas? })
}
