//! One cluster each: a plan over several clouds or regions is split, so that each folder holds what its cluster takes and nothing else.

use super::{Artifact, header, names};
use crate::plan::{NodePool, Plan, WorkloadPlan};
use std::collections::BTreeSet;

/// Folder of the clusters, where there are several.
pub const FOLDER: &str = "clusters/";

/// A cloud and a region: one cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cluster {
    /// `aws`, `gcp`, `azure`.
    pub cloud: String,
    /// Region.
    pub region: String,
}

impl Cluster {
    fn of(pool: &NodePool) -> Self {
        Self { cloud: pool.cloud.clone(), region: pool.region.clone() }
    }

    /// `aws-us-east-1`.
    #[must_use]
    pub fn name(&self) -> String {
        names::label(&format!("{}-{}", self.cloud, self.region))
    }

    /// Node autoscaler of its cloud.
    fn node_autoscaler(&self) -> &'static str {
        match self.cloud.as_str() {
            "gcp" => "gke",
            "azure" => "aks",
            _ => "karpenter",
        }
    }
}

/// Clusters of the pools that the files declare, sorted.
#[must_use]
pub fn of(plan: &Plan) -> Vec<Cluster> {
    let all: BTreeSet<Cluster> = names::managed_pools(plan).into_iter().map(Cluster::of).collect();
    all.into_iter().collect()
}

/// What of a plan one cluster takes. The money stays that of the whole plan.
#[must_use]
pub fn part(plan: &Plan, cluster: &Cluster) -> Plan {
    let mut part = plan.clone();
    part.pools.retain(|pool| &Cluster::of(pool) == cluster);
    let here: BTreeSet<&str> = part.pools.iter().map(|pool| pool.name.as_str()).collect();
    part.bundles.retain(|bundle| pool_of(&bundle.host).is_some_and(|pool| here.contains(pool)));
    let member = |name: &str| part.bundles.iter().any(|bundle| bundle.members.iter().any(|m| m.workload == name));
    part.workloads.retain(|workload| pool_of(workload).is_some_and(|pool| here.contains(pool)) || member(&workload.name));
    let kept: BTreeSet<&str> = part.workloads.iter().map(|workload| workload.name.as_str()).collect();
    part.windows.retain(|window| kept.contains(window.workload.as_str()) || part.bundles.iter().any(|b| b.host.name == window.workload));
    cluster.node_autoscaler().clone_into(&mut part.provenance.node_autoscaler);
    part
}

/// A pool that the workload uses: all of them are in one cluster.
fn pool_of(workload: &WorkloadPlan) -> Option<&str> {
    let service = workload.service.as_ref().map(|service| match (&service.flex, service.floor.max_replicas) {
        (Some(flex), 0) => flex.pool.as_str(),
        (Some(_) | None, _) => service.floor.pool.as_str(),
    });
    service.or(workload.job.as_ref().map(|job| job.pool.as_str()))
}

/// The page that names the clusters.
#[must_use]
pub fn index(plan: &Plan, clusters: &[Cluster]) -> Artifact {
    let mut body = String::from(
        "The plan spans several clusters: one a cloud and region. Each folder is complete in itself and is applied to its own cluster;\n\
         nothing in it runs in another. A workload runs in one cluster; sending its clients there (DNS, gateways) is yours.\n\
         The amounts in `terraform/` of each folder are those of the whole plan.\n\n\
         | cluster | nodes by | pools | workloads |\n|---|---|---|---|\n",
    );
    for cluster in clusters {
        let part = part(plan, cluster);
        let pools = names::managed_pools(&part).len();
        let workloads: Vec<String> = names::managed(&part).map(|workload| header::markdown(&workload.name)).collect();
        let (name, by) = (cluster.name(), cluster.node_autoscaler());
        body.push_str(&format!("| [{name}]({FOLDER}{name}/kubernetes/README.md) | {by} | {pools} | {} |\n", workloads.join(", ")));
    }
    let left: Vec<String> = plan.workloads.iter().filter(|w| w.mode == "frozen").map(|w| header::markdown(&w.name)).collect();
    if !left.is_empty() {
        body.push_str(&format!("\nLeft as they are, and in no file: {}.\n", left.join(", ")));
    }
    body.push_str("\n```sh\nkubectl --context CONTEXT-OF-THE-CLUSTER apply --server-side -k clusters/NAME/kubernetes\n```\n");
    Artifact { path: "README.md".to_owned(), contents: header::page(plan, ("Clusters of the plan", &body)) }
}
