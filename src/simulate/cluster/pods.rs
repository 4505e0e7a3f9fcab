//! Pods: their state, and how a group lies over zones.

use super::types::PodRequest;
use std::collections::BTreeMap;

/// Where a pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PodState {
    /// Without a node; no pool is asked for one before the second.
    Waiting(i64),
    /// Waits for a node that boots.
    Nominated(u64),
    /// On a node; ready at the second.
    Starting(u64, i64),
    /// Serves.
    Ready(u64),
    /// Ends; gone at the second.
    Leaving(u64, i64),
}

/// A pod.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    /// As asked for.
    pub request: PodRequest,
    /// Rank in the order of requests.
    pub rank: u64,
    /// State.
    pub state: PodState,
    /// That it finds no place was said.
    pub told_pending: bool,
    /// Second of its eviction.
    pub evicted_at: Option<i64>,
}

impl Pod {
    /// Its node, if it has one or is nominated to one.
    pub const fn node(&self) -> Option<u64> {
        match self.state {
            PodState::Waiting(_) => None,
            PodState::Nominated(node) | PodState::Starting(node, _) | PodState::Ready(node) | PodState::Leaving(node, _) => Some(node),
        }
    }

    /// Not yet on a node.
    pub const fn unbound(&self) -> bool {
        matches!(self.state, PodState::Waiting(_) | PodState::Nominated(_))
    }

    /// Serves.
    pub const fn ready(&self) -> bool {
        matches!(self.state, PodState::Ready(_))
    }

    /// On its way out.
    pub const fn leaving(&self) -> bool {
        matches!(self.state, PodState::Leaving(..))
    }
}

/// Where a pod is, for those who ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Number of its node.
    pub node: u64,
    /// Position of the node's pool.
    pub pool: usize,
}

/// A hard spread of one pod over the zones that count.
#[derive(Clone, Debug)]
pub(super) struct SpreadRule {
    pub group: u32,
    /// `minDomains`.
    pub min_domains: u32,
    /// Zones that count.
    pub domains: Vec<usize>,
    /// Where the pod itself is counted, while it waits for a node that boots.
    pub counted_in: Option<usize>,
}

/// Pods of each group in each zone, those that are leaving not counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread(BTreeMap<(u32, usize), u32>);

impl Spread {
    pub fn add(&mut self, group: u32, zone: usize) {
        *self.0.entry((group, zone)).or_insert(0) += 1;
    }

    pub fn remove(&mut self, group: u32, zone: usize) {
        if let Some(count) = self.0.get_mut(&(group, zone)) {
            *count = count.saturating_sub(1);
        }
    }

    pub fn count(&self, group: u32, zone: usize) -> u32 {
        self.0.get(&(group, zone)).copied().unwrap_or(0)
    }

    /// Whether one more pod may go to `zone`: `count + 1 - min <= 1`, with the least count over `domains`, 0 where they are fewer than
    /// `min_domains` (Kubernetes, Pod Topology Spread Constraints). A pod that is counted somewhere already is taken out of the count.
    pub fn allows(&self, rule: &SpreadRule, zone: usize) -> bool {
        let count = |zone: usize| self.count(rule.group, zone) - u32::from(rule.counted_in == Some(zone));
        let least = match rule.domains.iter().map(|zone| count(*zone)).min() {
            Some(least) if rule.domains.len() >= rule.min_domains as usize => least,
            Some(_) | None => 0,
        };
        count(zone) <= least
    }
}
