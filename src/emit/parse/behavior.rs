//! Behaviour of the HPA: rules of each direction, with Kubernetes' defaults for what is left out.
//!
//! Source: k8s.io/kubernetes/pkg/apis/autoscaling/v2/defaults.go and the HPA's validation (stabilization at most 3600 s, periods at most
//! 1800 s, at least one policy).

use super::fault::Faults;
use super::field::Field;
use super::quantity;
use super::types::{Behavior, PolicyUnit, ScalingPolicy, ScalingRules, SelectPolicy};

/// Longest stabilization window, s.
const MAX_STABILIZATION_S: u32 = 3600;
/// Longest period of a policy, s.
const MAX_PERIOD_S: u32 = 1800;

/// What holds without a behaviour.
pub(super) fn default() -> Behavior {
    let policy = |unit, value| ScalingPolicy { unit, value, period_s: 15 };
    let rules = |stabilization_s, policies| ScalingRules { stabilization_s, select: SelectPolicy::Max, policies, tolerance: 0.1 };
    Behavior {
        up: rules(0, vec![policy(PolicyUnit::Pods, 4), policy(PolicyUnit::Percent, 100)]),
        down: rules(300, vec![policy(PolicyUnit::Percent, 100)]),
    }
}

/// `advanced.horizontalPodAutoscalerConfig.behavior`.
pub(super) fn read(behavior: Option<Field>, faults: &mut Faults) -> Behavior {
    let Behavior { up, down } = default();
    let Some(behavior) = behavior else { return Behavior { up, down } };
    Behavior { up: rules(behavior.map("scaleUp", faults), up, faults), down: rules(behavior.map("scaleDown", faults), down, faults) }
}

fn rules(field: Option<Field>, default: ScalingRules, faults: &mut Faults) -> ScalingRules {
    let Some(field) = field else { return default };
    let stabilization_s = field.count("stabilizationWindowSeconds", faults).unwrap_or(default.stabilization_s);
    if stabilization_s > MAX_STABILIZATION_S {
        let at = field.get("stabilizationWindowSeconds").unwrap_or(field);
        let what = format!("`stabilizationWindowSeconds` of {} is {stabilization_s}", field.owner);
        at.fault(faults, what, format!("write at most {MAX_STABILIZATION_S}"));
    }
    let select = match field.text("selectPolicy", faults) {
        None => default.select,
        Some("Max") => SelectPolicy::Max,
        Some("Min") => SelectPolicy::Min,
        Some("Disabled") => SelectPolicy::Disabled,
        Some(other) => {
            let at = field.get("selectPolicy").unwrap_or(field);
            at.fault(faults, format!("`selectPolicy` of {} is `{other}`", field.owner), "write `Max`, `Min` or `Disabled`");
            default.select
        }
    };
    let tolerance = quantity::read(field, "tolerance", faults).unwrap_or(default.tolerance);
    let policies = match field.get("policies") {
        None => default.policies,
        Some(at) => {
            let items = field.items("policies", faults);
            if items.is_empty() {
                at.fault(
                    faults,
                    format!("`policies` of {} is empty", field.owner),
                    "write a policy, or take `policies` out for the default",
                );
            }
            items.into_iter().filter_map(|item| policy(item, faults)).collect()
        }
    };
    ScalingRules { stabilization_s, select, policies, tolerance }
}

fn policy(item: Field, faults: &mut Faults) -> Option<ScalingPolicy> {
    let unit = match item.required("type", faults) {
        Some("Pods") => Some(PolicyUnit::Pods),
        Some("Percent") => Some(PolicyUnit::Percent),
        Some(other) => {
            let at = item.get("type").unwrap_or(item);
            at.fault(faults, format!("a scaling policy of {} is of type `{other}`", item.owner), "write `Pods` or `Percent`");
            None
        }
        None => None,
    };
    for key in ["value", "periodSeconds"] {
        if item.get(key).is_none() {
            item.missing(key, faults);
        }
    }
    let (value, period_s) = (item.positive("value", faults), item.positive("periodSeconds", faults));
    if let Some(period_s) = period_s.filter(|period_s| *period_s > MAX_PERIOD_S) {
        let at = item.get("periodSeconds").unwrap_or(item);
        at.fault(faults, format!("`periodSeconds` of {} is {period_s}", item.owner), format!("write at most {MAX_PERIOD_S}"));
    }
    Some(ScalingPolicy { unit: unit?, value: value?, period_s: period_s? })
}
