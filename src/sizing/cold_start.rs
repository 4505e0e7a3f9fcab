//! The start-up chain: how long a new replica takes to serve, and what its start costs in paid hours.

use crate::domain::{NodeAutoscaler, Profile};

/// Seconds from a pending pod to a serving replica on a new node, 95th percentile.
#[must_use]
pub fn chain_p95_s(nodes: &NodeAutoscaler, profile: &Profile) -> f64 {
    nodes.provision_p95.0 + profile.cold_start.p95().0
}

/// Paid hours that one start adds on a node of its own: the chain before, drain and consolidation delay after.
#[must_use]
pub fn paid_hours_per_start(nodes: &NodeAutoscaler, profile: &Profile) -> f64 {
    (chain_p95_s(nodes, profile) + tail_s(nodes)) / 3600.0
}

/// Seconds a node stays after its last replica is told to go.
#[must_use]
pub fn tail_s(nodes: &NodeAutoscaler) -> f64 {
    nodes.drain.0 + nodes.consolidate_after.0
}

/// HPA syncs needed to grow from one to `replicas` with the default policies (+4 or +100% every 15 s).
#[must_use]
pub fn ramp_steps(replicas: u32) -> u32 {
    let (mut current, mut steps) = (1_u32, 0);
    while current < replicas {
        current = (current + 4).max(current * 2);
        steps += 1;
    }
    steps
}
