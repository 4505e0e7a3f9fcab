//! Services that bring their own Deployment: a Kustomize component for each, which the user adds to their own kustomization.
//!
//! The Deployment itself is the user's and cannot be a resource here. It becomes the floor; the flex part needs a copy of it under
//! another name, since one Deployment cannot be pinned to on-demand and to spot at a time.

use super::names::{self, Part};
use super::service::counts;
use super::{Artifact, header, keda, pods, yaml};
use crate::plan::{Plan, WorkloadPlan};
use serde_json::{Map, Value, json};

/// Component and patches of a service with a Deployment of its own; nothing for others.
#[must_use]
pub fn components(plan: &Plan, workload: &WorkloadPlan) -> Vec<Artifact> {
    if workload.kubernetes.scale_target.is_none() || workload.service.is_none() {
        return Vec::new();
    }
    let folder = format!("kubernetes/patches/{}", names::label(&workload.name));
    let parts = names::parts(workload);
    let mut files = Vec::new();
    let mut patches = Vec::new();
    for part in parts {
        let Some(document) = patch(plan, workload, part) else { continue };
        let file = format!("{}.yaml", part.as_str());
        // Anchored: Kustomize reads the name of a target as a regular expression.
        let target = json!({"group": "apps", "version": "v1", "kind": "Deployment", "name": format!("^{}$", names::deployment_name(workload, part))});
        patches.push(json!({"path": file, "target": target}));
        patches.push(json!({"patch": resources_patch(workload), "target": target}));
        files.push(yaml::file(plan, format!("{folder}/{file}"), &[document]));
    }
    let component = json!({"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "patches": patches});
    files.push(yaml::file(plan, format!("{folder}/kustomization.yaml"), &[component]));
    files.push(Artifact { path: format!("{folder}/README.md"), contents: readme(plan, workload) });
    files
}

/// Count, place, tolerations and spread, as a strategic merge. The user's node selector is replaced: it names today's nodes.
fn patch(plan: &Plan, workload: &WorkloadPlan, part: Part) -> Option<Value> {
    let service = workload.service.as_ref()?;
    let pools = pods::part_pools(plan, workload, part)?;
    let mut spec = Map::new();
    if !keda::scales(plan, workload, part) {
        spec.insert("replicas".to_owned(), json!(counts(service, part).0));
    }
    let mut pod = pods::placement(workload, &pools);
    if let Some(Value::Object(selector)) = pod.get_mut("nodeSelector") {
        selector.insert("$patch".to_owned(), json!("replace"));
    } else {
        pod.insert("nodeSelector".to_owned(), json!({"$patch": "delete"}));
    }
    spec.insert("template".to_owned(), json!({"metadata": {"annotations": pods::annotations(workload)}, "spec": pod}));
    let name = names::deployment_name(workload, part);
    Some(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": workload.kubernetes.namespace},
        "spec": spec,
    }))
}

/// Resources of the first container, whose name only the user knows, as a JSON patch.
fn resources_patch(workload: &WorkloadPlan) -> String {
    let operation = json!([{"op": "add", "path": "/spec/template/spec/containers/0/resources", "value": pods::resources(workload)}]);
    yaml::text(&[operation])
}

fn readme(plan: &Plan, workload: &WorkloadPlan) -> String {
    let parts = names::parts(workload);
    let target = header::markdown(workload.kubernetes.scale_target.as_deref().unwrap_or_default());
    let folder = names::label(&workload.name);
    let mut body = format!(
        "Your Deployment **{target}** stays yours. Add this component to the kustomization that holds it:\n\n\
         ```yaml\ncomponents:\n  - path/to/gpuplan-out/kubernetes/patches/{folder}\n```\n\n\
         It sets the count (where KEDA does not), the pool that the pods run on, tolerations, the grace period, and the resources of\n\
         the *first* container. It replaces your node selector and tolerations. Check that the image and its arguments fit\n\
         {} x {}, {}.\n",
        workload.variant.gpus_per_replica,
        header::markdown(&workload.variant.accelerator),
        header::markdown(&workload.variant.precision),
    );
    if parts.len() > 1 {
        let flex = header::markdown(&names::deployment_name(workload, Part::Flex));
        body.push_str(&format!(
            "\n## The flex part\n\nThe plan runs part of this service elsewhere than the floor, and one Deployment cannot do both. Copy your\n\
             Deployment under the name **{flex}** into the same kustomization, with one label more in its selector and in its pods (for\n\
             example `app.kubernetes.io/component: flex`), so that the two do not adopt each other's pods; your Service must select\n\
             both. `flex.yaml` patches the copy. Until the copy is there, its ScaledObject waits and the capacity of the flex part is\n\
             missing. On spot, also spread the copy over zones (`topologySpreadConstraints`, `DoNotSchedule`), with your own labels: the\n\
             plan counts on losing one zone at a time.\n"
        ));
    }
    header::page(plan, (&format!("Patches for {target}"), &body))
}
