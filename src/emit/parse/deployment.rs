//! Deployments: whole ones, and patches of the user's own.

use super::fault::Faults;
use super::manifest::Manifest;
use super::pod::{self, Draft, Whole};
use super::server::{self, ConfigMaps};
use super::types::Deployment;

/// Reads one, with where its pods want to run. A whole Deployment of no workload that asks for no GPU is none of the fleet's.
pub(super) fn read(manifest: &Manifest, (whole, maps): (Whole, &ConfigMaps), faults: &mut Faults) -> Option<(Deployment, Draft)> {
    let spec = match whole {
        Whole::Yes => manifest.spec(faults)?,
        Whole::Patch => manifest.field().get("spec")?,
    };
    let replicas = spec.count("replicas", faults);
    let template = match whole {
        Whole::Yes => spec.required_map("template", faults)?,
        Whole::Patch => spec.get("template")?,
    };
    let draft = pod::read(template, whole, faults)?;
    let workload = match &manifest.workload {
        Some(workload) => workload.clone(),
        None if draft.spec.gpus.is_none_or(|gpus| gpus == 0) && draft.choice == pod::Choice::default() => {
            faults.note(manifest.origin(), format!("{} belongs to no workload and asks for no GPU: it is left out", manifest.owner));
            return None;
        }
        None => {
            let what = format!("{} asks for GPUs and has no label `app.kubernetes.io/name`", manifest.owner);
            faults.push(manifest.origin(), what, "label it with the name of its workload");
            return None;
        }
    };
    let (namespace, name) = (manifest.namespace.clone(), manifest.name.clone());
    let server = template.get("spec").and_then(|pod| server::of_pod((pod, &namespace), maps, faults));
    Some((Deployment { namespace, name, workload, replicas, pod: draft.spec.clone(), server }, draft))
}
