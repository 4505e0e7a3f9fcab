//! Kubernetes names and labels that the files agree on.

use crate::plan::{NodePool, Plan, WorkloadPlan};
use sha2::{Digest, Sha256};

/// Node label that carries the pool's name: what pods select and what every node of the pool must have.
pub const POOL_LABEL: &str = "gpuplan.dev/pool";
/// Node label of a zone's name.
pub const ZONE_LABEL: &str = "topology.kubernetes.io/zone";
/// Node label of a zone's id on AWS, which Karpenter knows as well.
pub const ZONE_ID_LABEL: &str = "topology.k8s.aws/zone-id";

/// Longest DNS label.
const LABEL_MAX: usize = 63;

/// Longest name of a CronJob or ScaledJob: its Jobs add eleven characters, their workers' host names five more.
pub const JOB_MAX: usize = 47;

/// A DNS label of at most `max` characters: the name itself when it is one, else its nearest with a digest of the original, so
/// that two names never meet.
#[must_use]
pub fn dns_label(name: &str, max: usize) -> String {
    let lower = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '-' });
    let plain: String = lower.collect();
    let plain = plain.trim_matches('-');
    if plain == name && plain.len() <= max && !plain.is_empty() {
        return plain.to_owned();
    }
    let digest = Sha256::digest(name.as_bytes());
    let short: String = plain.chars().take(max.saturating_sub(7)).collect();
    let short = if short.is_empty() { "x" } else { short.trim_end_matches('-') };
    format!("{short}-{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
}

/// A name as a DNS label.
#[must_use]
pub fn label(name: &str) -> String {
    dns_label(name, LABEL_MAX)
}

/// A name for a Service, which unlike other names starts with a letter.
#[must_use]
pub fn service_name(name: &str) -> String {
    let plain = label(name);
    if plain.starts_with(|c: char| c.is_ascii_digit()) { label(&format!("s-{name}")) } else { plain }
}

/// A model's name in a Triton repository, which is a folder and a key of a ConfigMap: the name itself when it is letters, digits and
/// underscores, else its nearest with a digest of the original.
#[must_use]
pub fn model(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(LABEL_MAX).collect();
    if plain == name && !plain.is_empty() {
        return plain;
    }
    let digest = Sha256::digest(name.as_bytes());
    format!("{plain}_{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
}

/// The floor or the flex part of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// On-demand floor.
    Floor,
    /// Elastic part.
    Flex,
}

impl Part {
    /// Suffix of names and value of `app.kubernetes.io/component`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Flex => "flex",
        }
    }
}

/// Name of what belongs to a part of a workload: `<workload>-floor`, `<workload>-flex`.
#[must_use]
pub fn part_name(workload: &WorkloadPlan, part: Part) -> String {
    label(&format!("{}-{}", workload.name, part.as_str()))
}

/// Name of the Deployment of a part. The user's own Deployment is the floor, or the flex part of a service without a floor.
#[must_use]
pub fn deployment_name(workload: &WorkloadPlan, part: Part) -> String {
    let Some(own) = &workload.kubernetes.scale_target else { return part_name(workload, part) };
    let first = parts(workload).first().copied();
    if first == Some(part) { own.clone() } else { part_name(workload, part) }
}

/// Parts that a service has: the floor when it ever holds a replica (or when there is nothing else), then the flex part.
#[must_use]
pub fn parts(workload: &WorkloadPlan) -> Vec<Part> {
    let Some(service) = &workload.service else { return Vec::new() };
    let mut parts = Vec::new();
    if service.floor.max_replicas > 0 || service.flex.is_none() {
        parts.push(Part::Floor);
    }
    if service.flex.is_some() {
        parts.push(Part::Flex);
    }
    parts
}

/// The part that follows load: flex, or the floor when there is no flex.
#[must_use]
pub fn elastic_part(workload: &WorkloadPlan) -> Part {
    let flex = workload.service.as_ref().is_some_and(|service| service.flex.is_some());
    if flex { Part::Flex } else { Part::Floor }
}

/// The pool of that name.
#[must_use]
pub fn pool<'a>(plan: &'a Plan, name: &str) -> Option<&'a NodePool> {
    plan.pools.iter().find(|pool| pool.name == name)
}

/// What the files manage: workloads, but for frozen ones, which are left alone, and for members of bundles, whose servers stand for
/// them.
pub fn managed(plan: &Plan) -> impl Iterator<Item = &WorkloadPlan> {
    let own = plan.workloads.iter().filter(|workload| workload.mode != "frozen" && workload.mode != "bundled");
    own.chain(plan.bundles.iter().map(|bundle| &bundle.host))
}

/// Pools that the files declare: those of managed workloads, and what stands in for them. Nodes of frozen workloads are
/// declared elsewhere already.
#[must_use]
pub fn managed_pools(plan: &Plan) -> Vec<&NodePool> {
    // A pool of a bundle may name its server or its members.
    let used = |pool: &NodePool, w: &WorkloadPlan| w.mode != "frozen" && pool.workloads.contains(&w.name);
    let all_frozen = |pool: &NodePool| !pool.workloads.is_empty() && !plan.workloads.iter().chain(managed(plan)).any(|w| used(pool, w));
    let lost_to = |pool: &NodePool| -> Vec<&NodePool> {
        plan.pools.iter().filter(|p| p.spot.as_ref().is_some_and(|s| s.fallback_pool.as_deref() == Some(&pool.name))).collect()
    };
    let unmanaged = |pool: &NodePool| {
        let spots = lost_to(pool);
        // A pool that only stands in is as managed as what it stands in for.
        let only_for_frozen = !spots.is_empty() && spots.iter().all(|spot| all_frozen(spot));
        (all_frozen(pool) && (spots.is_empty() || only_for_frozen)) || (pool.workloads.is_empty() && only_for_frozen)
    };
    plan.pools.iter().filter(|pool| !unmanaged(pool)).collect()
}

/// A taint: `key=value:effect`, the value may be missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taint {
    /// Key.
    pub key: String,
    /// Value, may be empty.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// Reads `key=value:effect`; without an effect it is `NoSchedule`.
#[must_use]
pub fn taint(text: &str) -> Taint {
    let (pair, effect) = text.rsplit_once(':').unwrap_or((text, "NoSchedule"));
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_kept_or_made_distinct() {
        assert_eq!(label("chat-70b"), "chat-70b");
        assert_ne!(label("../a"), label("..-a"));
        assert!(label(&"x".repeat(80)).len() <= LABEL_MAX);
        assert!(!label("../../etc/passwd").contains(['.', '/']));
        assert!(label("Üx").is_ascii());
        assert_eq!(service_name("70b"), "s-70b");
        assert_eq!(model("Face_blur2"), "Face_blur2");
        assert_ne!(model("../a"), model("..-a"));
        assert!(!model("../../etc").contains(['.', '/']));
    }

    #[test]
    fn taints_are_read() {
        assert_eq!(taint("a/b=c:NoExecute"), Taint { key: "a/b".into(), value: "c".into(), effect: "NoExecute".into() });
        assert_eq!(taint("a:NoSchedule").value, "");
    }
}
