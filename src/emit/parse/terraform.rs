//! Node pools of `terraform/gpuplan.auto.tfvars.json`: all of them on GKE and AKS; beside Karpenter, the GPUs of a node.

use super::fault::Faults;
use super::field::Field;
use super::folder::Folder;
use super::manifest;
use super::types::{Origin, PoolSpec};
use crate::emit::POOL_LABEL;
use std::collections::{BTreeMap, BTreeSet};

/// Path of the variable values.
pub(super) const PATH: &str = "terraform/gpuplan.auto.tfvars.json";

/// A pool with what a pod must fit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pool {
    /// As the node autoscaler runs it.
    pub spec: PoolSpec,
    /// GPUs of a node.
    pub gpus_per_node: u32,
    /// Taints that keep pods off.
    pub taints: Vec<Taint>,
    /// Where it is declared.
    pub origin: Origin,
}

/// A taint of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taint {
    /// Key.
    pub key: String,
    /// Value, may be empty.
    pub value: String,
    /// `NoSchedule` or `NoExecute`.
    pub effect: String,
}

/// The variable values.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    /// The file is there and was read.
    pub there: bool,
    /// `karpenter`, `gke` or `aks`.
    pub node_autoscaler: String,
    /// Pools with their cloud, by name.
    pub pools: BTreeMap<String, (String, Pool)>,
    /// Names of pools that stand there and are not sound, which has been told.
    pub unsound: BTreeSet<String>,
    /// Namespaces by workload.
    pub namespaces: BTreeMap<String, String>,
}

/// Reads the file; a fault where it is missing.
pub(super) fn read(folder: &Folder, faults: &mut Faults) -> Values {
    let Some(text) = folder.get(PATH) else {
        let at = Origin { path: PATH.to_owned(), place: None };
        faults.lose(at, "the file is missing, and with it the node pools", "let `gpuplan optimize` write it anew");
        return Values::default();
    };
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let place = u32::try_from(error.line()).ok().zip(u32::try_from(error.column()).ok()).filter(|(line, _)| *line > 0);
        let at = Origin { path: PATH.to_owned(), place };
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        faults.lose(at, format!("this is no JSON: {what}"), "mend the text, or let `gpuplan optimize` write it anew");
        return Values::default();
    }
    // JSON is YAML, whose reader knows the places.
    let documents = manifest::documents(folder, PATH, faults);
    let Some(root) = documents.first() else { return Values::default() };
    let field = Field { node: root, file: PATH, owner: "the Terraform values" };
    let node_autoscaler = field.at(&["gpuplan"]).and_then(|g| g.text("node_autoscaler", faults)).unwrap_or_default().to_owned();
    let mut values = Values { there: true, node_autoscaler, ..Values::default() };
    for (name, value) in field.required_map("node_pools", faults).map_or(Vec::new(), Field::entries) {
        let owner = format!("node pool `{name}`");
        match pool(name, Field { owner: &owner, ..value }, faults) {
            Some(pool) => {
                values.pools.insert(name.to_owned(), pool);
            }
            None => {
                values.unsound.insert(name.to_owned());
                faults.lose_pool();
            }
        }
    }
    for (name, workload) in field.map("workloads", faults).map_or(Vec::new(), Field::entries) {
        if let Some(namespace) = workload.text("namespace", faults) {
            values.namespaces.insert(name.to_owned(), namespace.to_owned());
        }
    }
    values
}

fn pool(name: &str, field: Field, faults: &mut Faults) -> Option<(String, Pool)> {
    let (cloud, region) = (field.required("cloud", faults), field.required("region", faults));
    let instance_type = field.required("instance_type", faults);
    let spot = match field.required("capacity_type", faults) {
        Some("spot") => Some(true),
        Some("on-demand") => Some(false),
        Some(other) => {
            let at = field.get("capacity_type").unwrap_or(field);
            at.fault(faults, format!("`capacity_type` of {} is `{other}`", field.owner), "write `on-demand` or `spot`");
            None
        }
        None => None,
    };
    for key in ["gpus_per_node", "min_nodes", "max_nodes"] {
        if field.get(key).is_none() {
            field.missing(key, faults);
        }
    }
    let gpus_per_node = field.positive("gpus_per_node", faults);
    let (min_nodes, max_nodes) = (field.count("min_nodes", faults), field.count("max_nodes", faults));
    if let Some((min, max)) = min_nodes.zip(max_nodes).filter(|(min, max)| min > max) {
        let at = field.get("min_nodes").unwrap_or(field);
        at.fault(faults, format!("`min_nodes` {min} of {} is above `max_nodes` {max}", field.owner), "lower one or raise the other");
    }
    limits(field, (max_nodes, gpus_per_node), faults);
    let label = field.at(&["labels"]).and_then(|labels| labels.required(POOL_LABEL, faults));
    if let Some(label) = label.filter(|label| *label != name) {
        let at = field.at(&["labels", POOL_LABEL]).unwrap_or(field);
        at.fault(faults, format!("{} has the pool label `{label}`", field.owner), format!("write `{name}`: pods choose nodes by it"));
    }
    let zones = field.texts("zones", faults).into_iter().map(str::to_owned).collect();
    let spec = PoolSpec {
        name: name.to_owned(),
        region: region?.to_owned(),
        instance_type: instance_type?.to_owned(),
        spot: spot?,
        zones,
        max_nodes: max_nodes?,
        min_nodes: min_nodes?,
        consolidate_after_s: field.count("consolidate_after_s", faults),
        replaces_underutilized: false,
        weight: 0,
        slices: slices(field, faults),
    };
    let pool = Pool { spec, gpus_per_node: gpus_per_node?, taints: taints(field, faults), origin: field.origin() };
    Some((cloud?.to_owned(), pool))
}

/// Slices of a node, where its GPUs are cut.
fn slices(field: Field, faults: &mut Faults) -> BTreeMap<String, u32> {
    let Some(counts) = field.map("partition", faults).and_then(|partition| partition.required_map("slices_per_node", faults)) else {
        return BTreeMap::new();
    };
    counts.entries().into_iter().filter_map(|(name, _)| counts.positive(name, faults).map(|count| (name.to_owned(), count))).collect()
}

/// The limits that `terraform plan` holds against the nodes.
fn limits(field: Field, (max_nodes, gpus_per_node): (Option<u32>, Option<u32>), faults: &mut Faults) {
    let (Some(limits), Some(nodes), Some(gpus)) = (field.map("limits", faults), max_nodes, gpus_per_node) else { return };
    let expected = [("nodes", u64::from(nodes)), ("gpus", u64::from(nodes) * u64::from(gpus))];
    for (key, expected) in expected {
        let Some(found) = limits.count(key, faults).filter(|found| u64::from(*found) != expected) else { continue };
        let at = limits.get(key).unwrap_or(limits);
        let what = format!("`limits.{key}` of {} is {found}, its nodes make {expected}", field.owner);
        at.fault(faults, what, "change `max_nodes` and both limits together: Terraform refuses the values otherwise");
    }
}

/// Taints that keep pods off; `PreferNoSchedule` does not.
pub(super) fn taints(field: Field, faults: &mut Faults) -> Vec<Taint> {
    let mut taints = Vec::new();
    for item in field.items("taints", faults) {
        let (key, effect) = (item.required("key", faults), item.required("effect", faults));
        let value = item.text("value", faults).unwrap_or_default().to_owned();
        match (key, effect) {
            (Some(key), Some(effect @ ("NoSchedule" | "NoExecute"))) => {
                taints.push(Taint { key: key.to_owned(), value, effect: effect.to_owned() });
            }
            (_, Some("PreferNoSchedule") | None) | (None, _) => {}
            (Some(_), Some(other)) => {
                let at = item.get("effect").unwrap_or(item);
                let help = "write `NoSchedule`, `NoExecute` or `PreferNoSchedule`";
                at.fault(faults, format!("the effect of a taint of {} is `{other}`", item.owner), help);
            }
        }
    }
    taints
}
