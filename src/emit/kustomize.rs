//! The frame of `kubernetes/`: the kustomization that lists the manifests, the namespaces, and the README.

use super::{Artifact, header, names, triton, yaml};
use crate::plan::{Plan, WorkloadPlan};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The page that explains the folder.
const README: &str = include_str!("text/kubernetes.md");

/// What it adds for servers that several services share.
const SHARED_SERVERS: &str = include_str!("text/shared_servers.md");

/// Kustomization, namespaces and README for these manifests.
#[must_use]
pub fn frame(plan: &Plan, manifests: &[Artifact]) -> Vec<Artifact> {
    let mut files = Vec::new();
    let namespaces = namespaces(plan);
    if !namespaces.is_empty() {
        let document = |name: &String| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": yaml::metadata(plan, (name, None), yaml::plain_labels(plan))});
        let documents: Vec<Value> = namespaces.iter().map(document).collect();
        files.push(yaml::file(plan, "kubernetes/namespace.yaml".to_owned(), &documents));
    }
    let paths = files.iter().chain(manifests).filter_map(|file| file.path.strip_prefix("kubernetes/"));
    let resources: BTreeSet<&str> = paths.collect();
    let mut kustomization = json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources});
    let generators = triton::generators(plan);
    if !generators.is_empty() {
        kustomization["configMapGenerator"] = Value::Array(generators);
    }
    files.push(yaml::file(plan, "kubernetes/kustomization.yaml".to_owned(), &[kustomization]));
    let body = if plan.bundles.is_empty() { README.to_owned() } else { format!("{README}{SHARED_SERVERS}") };
    let contents = header::page(plan, ("Kubernetes side of the plan", &body));
    files.push(Artifact { path: "kubernetes/README.md".to_owned(), contents });
    files
}

/// Namespaces that hold nothing of the user's: all of a demo, else those where every workload comes whole. Deleting what was
/// applied deletes them too, so a namespace with a Deployment of the user's is never among them.
fn namespaces(plan: &Plan) -> BTreeSet<String> {
    let whole = |workload: &WorkloadPlan| workload.kubernetes.scale_target.is_none() && workload.mode != "frozen";
    let is_own = |name: &str| {
        let built_in = name == "default" || name.starts_with("kube-");
        let mut there = plan.workloads.iter().filter(|workload| workload.kubernetes.namespace == name);
        !built_in && (plan.demo || there.all(whole))
    };
    names::managed(plan).map(|w| w.kubernetes.namespace.clone()).filter(|name| is_own(name)).collect()
}
