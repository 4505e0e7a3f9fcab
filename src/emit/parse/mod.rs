//! Reads back what the emitters wrote and a user may have edited since: the values that a replay runs on.
//!
//! In: the texts of an output folder. Out: [`Files`], or every fault at once. Pure; the caller reads the folder. Nothing here knows the
//! plan, but for [`compare`].
//!
//! # What counts
//!
//! Manifests that `kubernetes/kustomization.yaml` lists, folder by folder; components under `kubernetes/patches/`, which a user adds to a
//! kustomization of their own; configurations of the models of a shared server that its `configMapGenerator` lists; node pools of Karpenter, and those of `terraform/gpuplan.auto.tfvars.json` that Karpenter does not run. Other
//! kinds (Service, PodDisruptionBudget, Namespace, roles, EC2NodeClass, Job) and other fields do not scale anything and are passed over.
//! What a file leaves out has the default of Kubernetes, KEDA or Karpenter. Of a plan over several clusters each folder below `clusters/` is
//! read by itself: pods find the pools of their own cluster only.
//!
//! # Fault or consequence
//!
//! A **fault** is what the cluster refuses (a threshold of 0, equal times of a cron trigger, two ScaledObjects on one Deployment), what can
//! only be a slip (a target that is nowhere, pods that can run nowhere), and what scales in a way that a replay does not know:
//! `scalingModifiers`, `fallback.behavior` other than `static`, triggers `cpu` and `memory`, the annotations `paused-replicas`,
//! `paused-scale-in`, `paused-scale-out`, `paused-scale-down` and `force-activation`, scaling strategies of a ScaledJob other than the
//! default, Jobs of several pods in a ScaledJob, `concurrencyPolicy` other than `Forbid`, node choices by other labels than the pool's,
//! required pod affinities, hard spreads over anything but zones, limits of CPU or memory of a NodePool, its `replicas`, budgets with a
//! schedule, `expireAfter` of less than a week, HorizontalPodAutoscalers, HTTPScaledObjects, StatefulSets, ReplicaSets, fields of a
//! kustomization that change objects, and of a shared server control modes other than `explicit`, resources other than one `execution` an
//! instance, instances off the GPU, and fields of a configuration that batch, order, cache or chain requests in another way.
//!
//! A **consequence** is legal and is replayed: other counts, thresholds, windows and pools, other instances, batches and priorities of a model, a trigger or a whole ScaledObject that was taken
//! out, a file that is no longer listed, a paused object, a missing toleration where another pool takes the pods. Where that is easily
//! overlooked there is a [note](types::Note), and [`compare`] says what differs from the plan.

mod behavior;
mod clusters;
mod component;
mod coverage;
mod cron_job;
mod deployment;
mod fault;
mod field;
mod folder;
mod found;
mod kustomize;
mod manifest;
mod model_config;
mod node;
mod node_pool;
mod patch;
mod placement;
mod pod;
mod quantity;
mod scaled_job;
mod scaled_object;
mod scalers;
mod schedule;
mod server;
mod terraform;
mod text_format;
mod trigger;
pub mod types;

#[cfg(test)]
mod tests;

pub use coverage::{Difference, compare};
pub use fault::ParseFault;
pub use folder::SourceText;
pub use types::Files;

use fault::Faults;
use folder::Folder;
use found::Found;

/// What the files of an output folder say, each list sorted by namespace and name.
///
/// # Errors
/// Every fault of the files, sorted by place.
pub fn files(texts: &[SourceText]) -> Result<Files, Vec<ParseFault>> {
    let clusters = clusters::split(texts);
    if clusters.is_empty() { one(texts) } else { clusters::joined(texts, clusters) }
}

/// The files of one cluster.
fn one(texts: &[SourceText]) -> Result<Files, Vec<ParseFault>> {
    let folder = Folder::new(texts);
    let mut faults = Faults::default();
    let applied = kustomize::applied(&folder, &mut faults);
    // An empty folder is one fault.
    let values = if applied.is_nothing() { terraform::Values::default() } else { terraform::read(&folder, &mut faults) };
    let mut found = Found::default();
    for path in &applied.files {
        for manifest in manifest::of_file(&folder, path, &mut faults) {
            found.read(&manifest, (&values, &applied.config_maps), &mut faults);
        }
    }
    for (workload, path) in &applied.components {
        let namespace = values.namespaces.get(workload).map_or("default", String::as_str);
        let patched = component::read(&folder, (workload, path), namespace, &mut faults);
        found.patched(patched, &mut faults);
    }
    found.declare(&values);
    let mut files = found.linked(&mut faults);
    files.notes = faults.finish()?;
    Ok(files)
}
