//! Karpenter: a NodePool for each AWS pool and one EC2NodeClass, when Karpenter is the node autoscaler.

use super::{Artifact, names, partition, yaml};
use crate::plan::{NodePool, Plan};
use serde_json::{Map, Value, json};

/// Weight of spot pools: tried before what stands in for them.
const WEIGHT_SPOT: u32 = 20;
/// Weight of on-demand pools.
const WEIGHT_ON_DEMAND: u32 = 10;
/// Name of the EC2NodeClass.
const NODE_CLASS: &str = "gpuplan";

/// NodePools and their node class; nothing for other node autoscalers.
#[must_use]
pub fn manifests(plan: &Plan) -> Vec<Artifact> {
    let pools: Vec<&NodePool> = names::managed_pools(plan).into_iter().filter(|pool| pool.cloud == "aws").collect();
    if plan.provenance.node_autoscaler != "karpenter" || pools.is_empty() {
        return Vec::new();
    }
    let mut files = vec![yaml::file(plan, "kubernetes/karpenter/node-class.yaml".to_owned(), &[node_class(plan)])];
    for pool in pools {
        let path = format!("kubernetes/karpenter/{}.yaml", names::label(&pool.name));
        files.push(yaml::file(plan, path, &[node_pool(plan, pool)]));
    }
    files
}

fn node_pool(plan: &Plan, pool: &NodePool) -> Value {
    let name = names::label(&pool.name);
    let gpus = u64::from(pool.max_nodes) * u64::from(pool.gpus_per_node);
    let weight = if pool.capacity_type == "spot" { WEIGHT_SPOT } else { WEIGHT_ON_DEMAND };
    let taint = |text: &String| {
        let taint = names::taint(text);
        match taint.value.is_empty() {
            true => json!({"key": taint.key, "effect": taint.effect}),
            false => json!({"key": taint.key, "value": taint.value, "effect": taint.effect}),
        }
    };
    let mut template = json!({
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": NODE_CLASS},
        "requirements": requirements(pool),
        // Capacity that is hard to get is not given back for being old.
        "expireAfter": if held(pool) { "Never" } else { "720h" },
    });
    if !pool.taints.is_empty() {
        template["taints"] = Value::Array(pool.taints.iter().map(taint).collect());
    }
    json!({
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": yaml::metadata(plan, (&name, None), yaml::plain_labels(plan)),
        "spec": {
            "weight": weight,
            "limits": {"nvidia.com/gpu": gpus.to_string()},
            "disruption": disruption(plan, pool),
            "template": {"metadata": {"labels": node_labels(pool)}, "spec": template},
        },
    })
}

/// Scarce or committed: held whether it is used or not.
fn held(pool: &NodePool) -> bool {
    pool.capacity_type != "spot" && (pool.assurance == "scarce" || pool.committed_nodes > 0)
}

fn requirements(pool: &NodePool) -> Value {
    let one_of = |key: &str, values: &[String]| json!({"key": key, "operator": "In", "values": values});
    let mut rows = vec![
        one_of("karpenter.sh/capacity-type", std::slice::from_ref(&pool.capacity_type)),
        one_of("node.kubernetes.io/instance-type", std::slice::from_ref(&pool.instance_type)),
        // A plan may span regions; a cluster of another region must not take this pool.
        one_of("topology.kubernetes.io/region", std::slice::from_ref(&pool.region)),
    ];
    if !pool.zones.is_empty() {
        rows.push(one_of(zone_key(&pool.zones), &pool.zones));
    }
    Value::Array(rows)
}

/// Label that zones are required by. Ids (`use1-az1`) mean the same to every AWS account; names (`us-east-1a`) do not, and are the
/// account's own.
fn zone_key(zones: &[String]) -> &'static str {
    let is_id = |zone: &String| zone.rsplit_once("-az").is_some_and(|(_, number)| number.parse::<u8>().is_ok());
    if zones.iter().all(is_id) { names::ZONE_ID_LABEL } else { names::ZONE_LABEL }
}

/// Labels of the plan and the pool's own; those of domains that Karpenter keeps for itself are left out.
fn node_labels(pool: &NodePool) -> Value {
    let reserved = |key: &str| {
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        ["kubernetes.io", "k8s.io", "karpenter.sh", "karpenter.k8s.aws"].iter().any(|r| domain == *r || domain.ends_with(&format!(".{r}")))
    };
    let own = pool.labels.iter().filter(|(key, _)| !reserved(key)).map(|(key, value)| (key.clone(), json!(value)));
    let mut labels: Map<String, Value> = own.collect();
    labels.insert(names::POOL_LABEL.to_owned(), json!(names::label(&pool.name)));
    if let Some(cut) = &pool.partition {
        let (key, value) = partition::label(cut);
        labels.insert(key.to_owned(), json!(value));
    }
    Value::Object(labels)
}

/// Empty nodes go at once, drifted ones one at a time. A pool that stands in for spot also gives its nodes back to spot, one at a
/// time, when spot supplies again: without that, the first reclaim would leave the service on demand for good.
fn disruption(plan: &Plan, pool: &NodePool) -> Value {
    let flexes = plan.workloads.iter().filter_map(|w| w.service.as_ref()?.flex.as_ref()?.fallback_pool.as_ref());
    let spots = plan.pools.iter().filter_map(|p| p.spot.as_ref()?.fallback_pool.as_ref());
    let stands_in = flexes.chain(spots).any(|name| *name == pool.name) && pool.assurance != "scarce";
    let policy = if stands_in { "WhenEmptyOrUnderutilized" } else { "WhenEmpty" };
    let after = if held(pool) && pool.min_nodes == pool.max_nodes { "Never".to_owned() } else { format!("{}s", pool.consolidate_after_s) };
    let mut budgets = vec![json!({"nodes": "100%", "reasons": ["Empty"]}), json!({"nodes": "1", "reasons": ["Drifted"]})];
    if stands_in {
        budgets.push(json!({"nodes": "1", "reasons": ["Underutilized"]}));
    }
    json!({"consolidationPolicy": policy, "consolidateAfter": after, "budgets": budgets})
}

/// One node class for all pools. Role and discovery tag are the cluster's and are set in an overlay (see the README).
fn node_class(plan: &Plan) -> Value {
    let discovery = json!([{"tags": {"karpenter.sh/discovery": "YOUR-CLUSTER"}}]);
    json!({
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": yaml::metadata(plan, (NODE_CLASS, None), yaml::plain_labels(plan)),
        "spec": {
            // On GPU instance types Karpenter takes the NVIDIA image of this family.
            "amiSelectorTerms": [{"alias": "al2023@latest"}],
            "role": "KarpenterNodeRole-YOUR-CLUSTER",
            "subnetSelectorTerms": discovery,
            "securityGroupSelectorTerms": discovery,
            // Images and weights do not fit on the default 20 GiB.
            "blockDeviceMappings": [{
                "deviceName": "/dev/xvda",
                "rootVolume": true,
                "ebs": {"volumeSize": "200Gi", "volumeType": "gp3", "encrypted": true, "deleteOnTermination": true},
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_required_by_id_where_they_are_ids() {
        let key = |zones: &[&str]| zone_key(&zones.iter().map(|zone| (*zone).to_owned()).collect::<Vec<_>>());
        assert_eq!(key(&["use1-az1", "use1-az6"]), "topology.k8s.aws/zone-id");
        assert_eq!(key(&["us-east-1a", "us-east-1b"]), "topology.kubernetes.io/zone");
    }
}
