//! What the control loop and the cluster tell each other.

use super::weather::Weather;
use crate::units::UsdPerHour;

/// Kinds of slices of GPUs that a fleet may have.
pub const SLICE_KINDS: usize = 16;

/// Resources of a node or of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// GPUs.
    pub gpus: u32,
    /// CPUs, thousandths.
    pub cpu_milli: u64,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// Slices of GPUs, by the fleet's own order of their resources.
    pub slices: [u16; SLICE_KINDS],
}

impl Room {
    /// Whether `ask` fits in.
    #[must_use]
    pub fn holds(self, ask: Self) -> bool {
        let slices = self.slices.iter().zip(&ask.slices).all(|(has, wants)| has >= wants);
        self.gpus >= ask.gpus && self.cpu_milli >= ask.cpu_milli && self.memory_mib >= ask.memory_mib && slices
    }

    /// What is left after `taken`, at least nothing.
    #[must_use]
    pub fn less(self, taken: Self) -> Self {
        Self {
            gpus: self.gpus.saturating_sub(taken.gpus),
            cpu_milli: self.cpu_milli.saturating_sub(taken.cpu_milli),
            memory_mib: self.memory_mib.saturating_sub(taken.memory_mib),
            slices: std::array::from_fn(|kind| self.slices[kind].saturating_sub(taken.slices[kind])),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            gpus: self.gpus + more.gpus,
            cpu_milli: self.cpu_milli + more.cpu_milli,
            memory_mib: self.memory_mib + more.memory_mib,
            slices: std::array::from_fn(|kind| self.slices[kind] + more.slices[kind]),
        }
    }
}

/// Equal machines bought one way, as the node autoscaler runs them.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Name.
    pub name: String,
    /// Machine shape.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// Zones; empty: the region counts as one zone.
    pub zones: Vec<String>,
    /// On spot.
    pub spot: bool,
    /// What pods may have of a node.
    pub allocatable: Room,
    /// Most nodes, those that boot included.
    pub max_nodes: u32,
    /// Nodes that are there from the start and are not given back.
    pub min_nodes: u32,
    /// Seconds that an empty node stays; `None`: it is never given back.
    pub consolidate_after_s: Option<u32>,
    /// Nodes with pods are given up for cheaper ones.
    pub replaces_underutilized: bool,
    /// Price of a node and hour as posted.
    pub usd_per_hour: UsdPerHour,
    /// Seconds from the notice of a reclaim to the loss of the node.
    pub notice_s: u32,
    /// Reclaims an hour that hit one node alone, beside collapses of its zone.
    pub node_reclaims_per_hour: f64,
}

/// A span of time, lognormal by its median and 95th percentile, seconds. Equal or falling percentiles: always the median.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    /// Median.
    pub p50_s: f64,
    /// 95th percentile.
    pub p95_s: f64,
}

impl Span {
    /// Always the same.
    #[must_use]
    pub const fn fixed(seconds: f64) -> Self {
        Self { p50_s: seconds, p95_s: seconds }
    }
}

/// Delays of the node autoscaler.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Delays {
    /// From the order of a node to a node that takes pods.
    pub provision: Span,
}

/// Serial stages from a bound pod to one that is ready. The stages are drawn independently.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StartUp {
    /// Image pull; not again on a node that has the image or is pulling it.
    pub image: Span,
    /// Loading the weights.
    pub weights: Span,
    /// Starting the engine.
    pub engine: Span,
}

/// A disruption budget: voluntary evictions wait while this many pods under the same key are not ready.
/// Pods that are not ready may always be evicted (`unhealthyPodEvictionPolicy: AlwaysAllow`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Pods with the same key share the budget.
    pub key: u32,
    /// `maxUnavailable`.
    pub max_unavailable: u32,
}

/// A pod that its controller wants.
#[derive(Clone, Debug, PartialEq)]
pub struct PodRequest {
    /// Its number, never used again. Its delays are drawn by it: equal numbers start equally long.
    pub pod: u64,
    /// Pods of one group (a component of a workload) spread over zones together.
    pub group: u32,
    /// Positions of the pools that it may run on, the preferred one first.
    pub pools: Vec<usize>,
    /// What it asks for.
    pub ask: Room,
    /// Seconds that it may take to end.
    pub grace_s: u32,
    /// Hard spread over zones, with its `minDomains`; `None`: spread where it costs nothing.
    pub zones_spread: Option<u32>,
    /// Its image.
    pub image: u32,
    /// Its start.
    pub start_up: StartUp,
    /// `karpenter.sh/do-not-disrupt`: never moved to a cheaper node.
    pub do_not_disrupt: bool,
    /// Its disruption budget.
    pub budget: Option<Budget>,
}

/// What happened to a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It serves from now on.
    PodReady {
        /// Pod.
        pod: u64,
        /// Second.
        at: i64,
    },
    /// It gets no new requests and is gone at `deadline`; its controller makes another one.
    PodEvicted {
        /// Pod.
        pod: u64,
        /// Second.
        at: i64,
        /// Second at which it is gone.
        deadline: i64,
    },
    /// It is gone and its place is free.
    PodGone {
        /// Pod.
        pod: u64,
        /// Second.
        at: i64,
    },
    /// No node has room for it, and no pool can take it now. Said once until it finds a place.
    PodPending {
        /// Pod.
        pod: u64,
        /// Second.
        at: i64,
    },
}

/// Nodes of a pool now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCounts {
    /// Ordered and not up yet.
    pub booting: u32,
    /// Up.
    pub up: u32,
    /// On their way out.
    pub leaving: u32,
}

/// What a cluster starts from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Pools; their positions are what [`PodRequest::pools`] names.
    pub pools: Vec<Pool>,
    /// What the clouds will do.
    pub weather: Weather,
    /// Delays of the node autoscaler.
    pub delays: Delays,
    /// Seed of all delays.
    pub seed: u64,
    /// First second. Nodes of `min_nodes` are up then.
    pub from: i64,
}

/// A start on a node: weights, and the image where the node did not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Second.
    pub at: i64,
    /// Key of the image: the workload.
    pub of: u32,
    /// The image came as well.
    pub image: bool,
}
