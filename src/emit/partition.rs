//! GPUs cut into slices: node labels that say how, the configurations that the labels name, and what Karpenter must know of such nodes.
//!
//! MIG by the GPU operator's MIG manager (`nvidia.com/mig.config`, strategy `mixed`: each profile is a resource of its own); MPS and
//! time-slicing by the device plugin (`nvidia.com/device-plugin.config`). Sources: NVIDIA GPU operator documentation, "GPU Operator with
//! MIG" and "Time-Slicing GPUs", and the device plugin's README, read 2026-11-26.

use super::{Artifact, names, yaml};
use crate::plan::{NodePool, Plan, PoolPartition};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Label that the MIG manager cuts a node's GPUs by.
pub(super) const MIG_LABEL: &str = "nvidia.com/mig.config";
/// Label that the device plugin chooses a node's configuration by.
pub(super) const PLUGIN_LABEL: &str = "nvidia.com/device-plugin.config";
/// Namespace of the GPU operator, where both configurations have to lie.
const OPERATOR: &str = "gpu-operator";
/// ConfigMap of the MIG manager: `migManager.config.name` of the ClusterPolicy.
const MIG_MAP: &str = "gpuplan-mig-layouts";
/// ConfigMap of the device plugin: `devicePlugin.config.name` of the ClusterPolicy.
const PLUGIN_MAP: &str = "gpuplan-device-plugin";

/// The label of a node that is cut like this.
#[must_use]
pub fn label(partition: &PoolPartition) -> (&'static str, String) {
    match partition.technique.as_str() {
        "mig" => (MIG_LABEL, format!("gpuplan-{}", partition.layout)),
        _ => (PLUGIN_LABEL, partition.layout.clone()),
    }
}

/// Slices of a node by resource.
#[must_use]
pub fn resources(pool: &NodePool) -> BTreeMap<String, u32> {
    let slices = pool.partition.iter().flat_map(|partition| &partition.slices);
    slices.map(|slice| (slice.resource.clone(), slice.per_gpu * pool.gpus_per_node)).collect()
}

/// ConfigMaps for the GPU operator, and for Karpenter an overlay a pool; nothing where all GPUs are whole.
#[must_use]
pub fn manifests(plan: &Plan) -> Vec<Artifact> {
    let cut: Vec<(&NodePool, &PoolPartition)> =
        names::managed_pools(plan).into_iter().filter_map(|pool| pool.partition.as_ref().map(|partition| (pool, partition))).collect();
    let mut maps = Vec::new();
    let of = |mig: bool| cut.iter().map(|(_, p)| *p).filter(move |p| (p.technique == "mig") == mig);
    if of(true).next().is_some() {
        maps.push(config_map(plan, MIG_MAP, BTreeMap::from([("config.yaml".to_owned(), mig_configs(of(true)))])));
    }
    if of(false).next().is_some() {
        let configs = of(false).map(|partition| (partition.layout.clone(), plugin_config(partition)));
        maps.push(config_map(plan, PLUGIN_MAP, configs.collect()));
    }
    let mut files = Vec::new();
    if !maps.is_empty() {
        files.push(yaml::file(plan, "kubernetes/gpu-sharing.yaml".to_owned(), &maps));
    }
    if plan.provenance.node_autoscaler == "karpenter" {
        let pools = cut.iter().map(|(pool, _)| *pool).filter(|pool| pool.cloud == "aws");
        files.extend(pools.map(|pool| {
            let path = format!("kubernetes/karpenter/{}-slices.yaml", names::label(&pool.name));
            yaml::file(plan, path, &[overlay(plan, pool)])
        }));
    }
    files
}

fn config_map(plan: &Plan, name: &str, data: BTreeMap<String, String>) -> Value {
    let metadata = yaml::metadata(plan, (name, Some(OPERATOR)), yaml::plain_labels(plan));
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
}

/// The MIG manager's file: every layout on all devices of a node, and the operator's own way back to whole GPUs.
fn mig_configs<'a>(partitions: impl Iterator<Item = &'a PoolPartition>) -> String {
    let mut configs = Map::new();
    configs.insert("all-disabled".to_owned(), json!([{"devices": "all", "mig-enabled": false}]));
    for partition in partitions {
        let devices: Map<String, Value> = partition.slices.iter().map(|s| (s.name.clone(), json!(s.per_gpu))).collect();
        configs.insert(format!("gpuplan-{}", partition.layout), json!([{"devices": "all", "mig-enabled": true, "mig-devices": devices}]));
    }
    yaml::text(&[json!({"version": "v1", "mig-configs": configs})])
}

/// The device plugin's file for one layout: equal parts under a name of their own, so that no pod takes one for a whole GPU.
fn plugin_config(partition: &PoolPartition) -> String {
    let replicas = partition.slices.first().map_or(1, |slice| slice.per_gpu);
    let key = if partition.technique == "mps" { "mps" } else { "timeSlicing" };
    let resources = json!([{"name": "nvidia.com/gpu", "replicas": replicas}]);
    let sharing = match key {
        "mps" => json!({"mps": {"renameByDefault": true, "resources": resources}}),
        // A pod that asks for two parts would not get more time than with one.
        _ => json!({"timeSlicing": {"renameByDefault": true, "failRequestsGreaterThanOne": true, "resources": resources}}),
    };
    yaml::text(&[json!({"version": "v1", "sharing": sharing})])
}

/// Karpenter does not know of slices until a node is there; without the overlay it would never start one for a pod that asks for them.
fn overlay(plan: &Plan, pool: &NodePool) -> Value {
    let name = names::label(&pool.name);
    let capacity: Map<String, Value> = resources(pool).into_iter().map(|(resource, count)| (resource, json!(count.to_string()))).collect();
    json!({
        "apiVersion": "karpenter.sh/v1alpha1",
        "kind": "NodeOverlay",
        "metadata": yaml::metadata(plan, (&name, None), yaml::plain_labels(plan)),
        "spec": {
            "requirements": [{"key": "karpenter.sh/nodepool", "operator": "In", "values": [name]}],
            "capacity": capacity,
        },
    })
}
