//! Nodes: what they hold, and the record of when they lived.

use super::types::Room;
use std::collections::{BTreeMap, BTreeSet};

/// Where a node is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeState {
    /// Ordered; up at the second.
    Booting(i64),
    /// Takes pods.
    Up,
    /// Takes none; gone at the second at the latest.
    Leaving(i64),
}

/// A machine.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Position of its pool.
    pub pool: usize,
    /// Zone, by number.
    pub zone: usize,
    /// Second of its order.
    pub ordered_at: i64,
    /// State.
    pub state: NodeState,
    /// Taken by its pods.
    pub taken: Room,
    /// Pods on it or nominated to it.
    pub pods: BTreeSet<u64>,
    /// Images and the second from which they are there.
    pub images: BTreeMap<u32, i64>,
    /// Last time that a pod came or went, or that it came up.
    pub touched_at: i64,
    /// Draw that decides which nodes a partial reclaim takes: the smallest go first.
    pub luck: f64,
}

impl Node {
    /// Counts against its pool's limit.
    pub const fn active(&self) -> bool {
        !matches!(self.state, NodeState::Leaving(_))
    }

    /// Takes pods now.
    pub const fn up(&self) -> bool {
        matches!(self.state, NodeState::Up)
    }
}

/// From the order of a node to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLife {
    /// Number of the node, in the order of orders.
    pub node: u64,
    /// Position of its pool.
    pub pool: usize,
    /// Second of its order.
    pub from: i64,
    /// Second of its end, or the second of the look if it still runs.
    pub to: i64,
}
