//! NodePools of Karpenter: one machine shape bought one way, which is what gpuplan writes.
//!
//! Source: karpenter.sh/docs/concepts/nodepools and /disruption (v1).

use super::fault::Faults;
use super::field::Field;
use super::manifest::Manifest;
use super::node::Value;
use super::quantity;
use super::terraform::{self, Pool, Values};
use super::types::PoolSpec;
use crate::emit::partition::{MIG_LABEL, PLUGIN_LABEL};
use crate::emit::{POOL_LABEL, names};

/// A node that is older than a replay's week is no event of it.
const WEEK_S: u32 = 7 * 24 * 3600;

/// Reads one; `None` for a pool that is none of the plan's, and where something is wrong.
pub(super) fn read(manifest: &Manifest, values: &Values, faults: &mut Faults) -> Option<Pool> {
    let spec = manifest.spec(faults)?;
    let template = spec.required_map("template", faults)?;
    let Some(name) = template.at(&["metadata", "labels"]).and_then(|labels| labels.text(POOL_LABEL, faults)) else {
        if values.pools.contains_key(&manifest.name) {
            let what = format!("nodes of {} have no label `{POOL_LABEL}`, by which pods choose them", manifest.owner);
            template.fault(faults, what, format!("add `{POOL_LABEL}: {}` to `spec.template.metadata.labels`", manifest.name));
        } else {
            faults.note(manifest.origin(), format!("{} is no pool of the plan: it is left out", manifest.owner));
        }
        return None;
    };
    let inner = template.required_map("spec", faults)?;
    if let Some(field) = spec.get("replicas") {
        field.unsupported("replicas", faults);
    }
    let requirements = requirements(inner, faults);
    expiry(inner, faults);
    let gpus_per_node = gpus_per_node(spec, (name, values), faults);
    let max_nodes = gpus_per_node.and_then(|gpus| max_nodes(spec, gpus, faults));
    let disruption = disruption(spec, faults);
    let weight = spec.count("weight", faults).unwrap_or(0);
    if weight > 100 {
        let at = spec.get("weight").unwrap_or(spec);
        at.fault(faults, format!("`weight` of {} is {weight}", manifest.owner), "write 1 to 100");
    }
    let (requirements, disruption) = (requirements?, disruption?);
    let region = requirements.region.or_else(|| values.pools.get(name).map(|(_, pool)| pool.spec.region.clone()));
    if region.is_none() {
        inner.missing("topology.kubernetes.io/region", faults);
    }
    let spec = PoolSpec {
        name: name.to_owned(),
        region: region?,
        instance_type: requirements.instance_type,
        spot: requirements.spot,
        zones: requirements.zones,
        max_nodes: max_nodes?,
        min_nodes: 0,
        consolidate_after_s: disruption.0,
        replaces_underutilized: disruption.1,
        weight,
        slices: values.pools.get(name).map(|(_, pool)| pool.spec.slices.clone()).unwrap_or_default(),
    };
    cut(template, &spec, faults);
    Some(Pool { spec, gpus_per_node: gpus_per_node?, taints: terraform::taints(inner, faults), origin: manifest.origin() })
}

/// Nodes whose GPUs the Terraform values have as cut must carry the label that the GPU operator cuts them by.
fn cut(template: Field, spec: &PoolSpec, faults: &mut Faults) {
    let labels = template.at(&["metadata", "labels"]);
    let labelled = [MIG_LABEL, PLUGIN_LABEL].into_iter().any(|key| labels.is_some_and(|labels| labels.get(key).is_some()));
    if labelled == spec.slices.is_empty() {
        let what =
            format!("nodes of {} are cut into slices by their labels or by {}, and not by the other", template.owner, terraform::PATH);
        let help = format!("keep `{MIG_LABEL}` or `{PLUGIN_LABEL}` and `partition` together, or let `gpuplan optimize` write both anew");
        labels.unwrap_or(template).fault(faults, what, help);
    }
}

struct Requirements {
    spot: bool,
    instance_type: String,
    region: Option<String>,
    zones: Vec<String>,
}

fn requirements(inner: Field, faults: &mut Faults) -> Option<Requirements> {
    let rows = inner.items("requirements", faults);
    let mut of_key = |wanted: &str| -> Option<Vec<String>> {
        let row = rows.iter().find(|row| matches!(row.get("key").map(|key| &key.node.value), Some(Value::Text(key)) if key == wanted))?;
        let operator = row.required("operator", faults)?;
        if operator != "In" {
            let at = row.get("operator").unwrap_or(*row);
            at.fault(faults, format!("`{wanted}` of {} is required by `{operator}`", inner.owner), "write `In`");
            return None;
        }
        Some(row.texts("values", faults).into_iter().map(str::to_owned).collect())
    };
    let capacity = of_key("karpenter.sh/capacity-type");
    let (instance_types, regions) = (of_key("node.kubernetes.io/instance-type"), of_key("topology.kubernetes.io/region"));
    let zones = of_key(names::ZONE_LABEL).or_else(|| of_key(names::ZONE_ID_LABEL)).unwrap_or_default();
    let mut one = |key: &str, values: Option<Vec<String>>| match values.as_deref() {
        Some([only]) => Some(only.clone()),
        found => {
            let count = found.map_or(0, <[String]>::len);
            inner.fault(
                faults,
                format!("{} requires {count} values of `{key}`", inner.owner),
                "require exactly one: a pool is one machine shape bought one way",
            );
            None
        }
    };
    let region = regions.map(|regions| one("topology.kubernetes.io/region", Some(regions)));
    let (capacity, instance_type) = (one("karpenter.sh/capacity-type", capacity), one("node.kubernetes.io/instance-type", instance_types));
    let spot = match capacity.as_deref() {
        Some("spot") => Some(true),
        Some("on-demand") => Some(false),
        Some(other) => {
            inner.fault(faults, format!("capacity type `{other}` of {} is unknown", inner.owner), "write `on-demand` or `spot`");
            None
        }
        None => None,
    };
    let region = match region {
        None => None,
        Some(region) => Some(region?),
    };
    Some(Requirements { spot: spot?, instance_type: instance_type?, region, zones })
}

/// `expireAfter`, 30 days by default, takes nodes away whatever runs on them.
fn expiry(inner: Field, faults: &mut Faults) {
    let after = duration(inner, "expireAfter", faults);
    if matches!(after, Some(Some(seconds)) if seconds < WEEK_S) {
        inner.get("expireAfter").unwrap_or(inner).unsupported("expireAfter of less than a week", faults);
    }
}

/// From the Terraform values, which alone know it.
fn gpus_per_node(spec: Field, (name, values): (&str, &Values), faults: &mut Faults) -> Option<u32> {
    let known = values.pools.get(name).map(|(_, pool)| pool.gpus_per_node);
    if known.is_none() && values.there && !values.unsound.contains(name) {
        let what = format!("GPUs of a node of {} are not known: {} has no node pool `{name}`", spec.owner, terraform::PATH);
        spec.fault(faults, what, format!("add `{name}` to its `node_pools`, or let `gpuplan optimize` write both anew"));
    }
    known
}

/// The limit of GPUs in whole nodes.
fn max_nodes(spec: Field, gpus_per_node: u32, faults: &mut Faults) -> Option<u32> {
    let limits = spec.map("limits", faults);
    for key in ["cpu", "memory"] {
        if let Some(field) = limits.and_then(|limits| limits.get(key)) {
            field.unsupported(&format!("limits.{key}"), faults);
        }
    }
    if limits.and_then(|limits| limits.get("nvidia.com/gpu")).is_none() {
        let help = "write `limits: {nvidia.com/gpu: \"8\"}`: without a limit a pool has no bill to replay";
        limits.unwrap_or(spec).fault(faults, format!("{} has no limit of `nvidia.com/gpu`", spec.owner), help);
        return None;
    }
    let gpus = quantity::read(limits?, "nvidia.com/gpu", faults)?;
    let nodes = limits.and_then(|limits| limits.count("nodes", faults)).unwrap_or(u32::MAX);
    Some(((gpus / f64::from(gpus_per_node)).floor() as u32).min(nodes))
}

/// Seconds until an empty node goes, and whether nodes that are not empty may be given up.
fn disruption(spec: Field, faults: &mut Faults) -> Option<(Option<u32>, bool)> {
    let Some(field) = spec.map("disruption", faults) else { return Some((Some(0), true)) };
    let policy = match field.text("consolidationPolicy", faults) {
        None | Some("WhenEmptyOrUnderutilized") => true,
        Some("WhenEmpty") => false,
        Some(other) => {
            let at = field.get("consolidationPolicy").unwrap_or(field);
            at.fault(
                faults,
                format!("`consolidationPolicy` of {} is `{other}`", spec.owner),
                "write `WhenEmpty` or `WhenEmptyOrUnderutilized`",
            );
            return None;
        }
    };
    let after = match field.get("consolidateAfter") {
        None => Some(0),
        Some(_) => duration(field, "consolidateAfter", faults)?,
    };
    let mut closed = |reason: &str| {
        let mut closed = false;
        for budget in field.items("budgets", faults) {
            if let Some(schedule) = budget.get("schedule") {
                schedule.unsupported("budgets.schedule", faults);
            }
            let reasons = budget.texts("reasons", faults);
            let nodes = budget.text("nodes", faults);
            closed |= matches!(nodes, Some("0" | "0%")) && (reasons.is_empty() || reasons.contains(&reason));
        }
        closed
    };
    let (empty_stays, full_stays) = (closed("Empty"), closed("Underutilized"));
    let after = after.filter(|_| !empty_stays);
    Some((after, policy && after.is_some() && !full_stays))
}

/// A duration such as `60s` or `1h30m`: seconds, `Some(None)` for `Never`, `None` where it is absent or wrong.
fn duration(field: Field, key: &str, faults: &mut Faults) -> Option<Option<u32>> {
    let text = field.text(key, faults)?;
    if text == "Never" {
        return Some(None);
    }
    let seconds = seconds(text);
    if seconds.is_none() {
        let at = field.get(key).unwrap_or(field);
        at.fault(faults, format!("`{key}` of {} is `{text}`", field.owner), "write a duration such as `60s`, `1h30m`, or `Never`");
    }
    Some(Some(seconds?))
}

fn seconds(text: &str) -> Option<u32> {
    let mut total = 0u32;
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(at);
        let (factor, tail) = match tail.split_at_checked(1)? {
            ("s", tail) => (1, tail),
            ("m", tail) => (60, tail),
            ("h", tail) => (3600, tail),
            _ => return None,
        };
        total = total.checked_add(number.parse::<u32>().ok()?.checked_mul(factor)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_are_those_of_karpenter() {
        assert_eq!(seconds("60s"), Some(60));
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("720h"), Some(2_592_000));
        for text in ["", "60", "s", "1d", "-1s", "1.5h", "9999999999s"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
