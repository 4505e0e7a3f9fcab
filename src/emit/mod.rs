//! Emitters: the files that carry a plan out.
//!
//! Input is a [`Plan`] and nothing else; output is a list of [`Artifact`]s sorted by path. No choice is made here: what is not a
//! number of the plan is a fixed convention, documented in the README that goes out with the files. Nothing here reads a file,
//! the clock or the environment.

mod clusters;
mod cron;
mod header;
mod job;
mod karpenter;
mod keda;
mod kustomize;
mod names;
pub mod parse;
mod partition;
mod patch;
mod pods;
mod service;
mod terraform;
mod triton;
mod yaml;

use crate::plan::Plan;

pub use names::{POOL_LABEL, model as model_name};

/// A rendered file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Artifact {
    /// Path relative to the output folder, with `/` between its parts; never absolute, never with `..`.
    pub path: String,
    /// Text, ending in a newline.
    pub contents: String,
}

/// Every file that carries the plan out, sorted by path: `terraform/...` and `kubernetes/...`; for a plan over several clusters the
/// same below `clusters/<cloud>-<region>/`, and an index.
#[must_use]
pub fn artifacts(plan: &Plan) -> Vec<Artifact> {
    let clusters = clusters::of(plan);
    if clusters.len() < 2 {
        return of_cluster(plan);
    }
    let mut all = vec![clusters::index(plan, &clusters)];
    for cluster in &clusters {
        let inside = |file: Artifact| Artifact { path: format!("{}{}/{}", clusters::FOLDER, cluster.name(), file.path), ..file };
        all.extend(of_cluster(&clusters::part(plan, cluster)).into_iter().map(inside));
    }
    all.sort();
    all
}

/// Folders in which kustomizations and Terraform roots of a plan lie: the output folder itself, or one for each cluster.
#[must_use]
pub fn roots(plan: &Plan) -> Vec<String> {
    let clusters = clusters::of(plan);
    if clusters.len() < 2 { vec![String::new()] } else { clusters.iter().map(|c| format!("{}{}/", clusters::FOLDER, c.name())).collect() }
}

/// The files of one cluster.
fn of_cluster(plan: &Plan) -> Vec<Artifact> {
    let mut manifests: Vec<Artifact> = karpenter::manifests(plan);
    manifests.extend(partition::manifests(plan));
    for workload in names::managed(plan) {
        manifests.extend(service::manifests(plan, workload));
        manifests.extend(keda::manifests(plan, workload));
        manifests.extend(job::manifests(plan, workload));
    }
    let mut all = kustomize::frame(plan, &manifests);
    all.append(&mut manifests);
    all.extend(names::managed(plan).flat_map(|workload| patch::components(plan, workload)));
    all.extend(triton::configurations(plan));
    all.extend(terraform::files(plan));
    all.sort();
    all
}

/// The plan as indented JSON with a newline at its end.
///
/// # Errors
/// A number that JSON cannot hold (NaN, infinity), which no plan that passed the checker has.
pub fn plan_json(plan: &Plan) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(plan)?;
    text.push('\n');
    Ok(text)
}
