//! Machines: pods that wait for nodes, nodes that the node autoscaler orders and gives back, spot that comes and goes, the bill.
//!
//! In: pools as the emitted files describe them, a [`Weather`] made ahead, and the pods that the control loop asks for and
//! deletes. Out: [`Happening`]s (ready, evicted, gone, pending) and the lives of all nodes, which [`billing`] turns into money.
//! It decides no replica counts and serves no requests. Time is whole seconds since the anchor Monday 00:00 UTC.
//!
//! **Scheduling.** A pod binds to a node that is up and has room, its preferred pool first (a preference of weight 100 outweighs
//! the scheduler's other scores); among those the zone with the fewest of its group, then the emptiest node (the default
//! `LeastAllocated` score of kube-scheduler, over CPUs and memory: not the fullest). Otherwise it is nominated to a node that is
//! booting, otherwise the node autoscaler orders a node: pool by pool in the pod's order, in the zone with the fewest of its
//! group that can supply. A pod that waits for a booting node takes room on one that is up if some appears.
//! A hard spread (`maxSkew` 1, `DoNotSchedule`) is judged as the two programs judge it: for nodes that are up over the zones that
//! have such nodes, for new ones over all zones of the pod's pools; with fewer zones than `minDomains` the least count is 0.
//! Pods that are being deleted do not count.
//!
//! **Limits.** As in Karpenter (`provisioner.go`: the scheduler sees `nodes.Active()`, `Create` compares `status.resources` with
//! the limit): nodes on their way out leave room for a successor, but nothing is ordered while all nodes together are above the
//! limit. A pool that cannot supply costs no time: the next pool is tried at once. A pod that no pool can take is tried again
//! every [`RETRY_S`] seconds.
//!
//! **Giving back.** An empty node goes `consolidate_after_s` after its last pod left; at that very second it is gone. Pools with
//! `replaces_underutilized` are looked at on each full minute ([`CHECK_S`]; Karpenter looks every 10 s and validates for 15 s):
//! a node whose pods were not touched for `consolidate_after_s` is drained if they fit on others that are up, or if one node of a
//! cheaper pool that can supply holds them all; that one is ordered first, and when it is up the old one is drained. One at
//! a time a pool, from the order until the old node is gone. The pod starts afresh on the new node, so its service is a
//! replica short for image, weights and engine. Karpenter does not ask whether pods are ready; a disruption budget does.
//!
//! **Reclaims.** A collapse gives all nodes of a pool in a zone their notice; their pods are evicted at once with
//! `min(grace, notice)` to finish (disruption budgets do not hold up a reclaim), and the node goes when the last has left. A node that
//! is still booting is lost at once, its pods wait again.
//!
//! **Left out.** `expireAfter` (30 days), drift, daemon sets beyond what `allocatable` leaves, pod priorities, image locality as a
//! score, the seconds of Karpenter's batching and of failed launches, weights cached on a node.

pub mod billing;
mod climate;
mod consolidate;
mod control;
mod draw;
mod nodes;
mod place;
mod pods;
mod purchased;
mod reclaim;
mod script;
mod trace;
mod types;
mod weather;

pub use climate::{Climate, INDEPENDENT_SHARE, REGIONAL_SHARE, Risk};
pub use control::Cluster;
pub use nodes::NodeLife;
pub use pods::Whereabouts;
pub use purchased::{Purchased, PurchasedCover};
pub use script::{Outage, Script, Slow, Which};
pub use trace::{OneMeans, Trace, TraceFault};
pub use types::{Budget, Delays, Happening, NodeCounts, PodRequest, Pool, Pull, Room, SLICE_KINDS, Setup, Span, StartUp};
pub use weather::{Change, Place, UNLIMITED, Weather, WeatherFault, Window};

/// Seconds after which a pod that no pool could take is tried again.
///
/// Karpenter looks at pending pods all the time but takes an offering that failed as unavailable for three minutes; managed
/// autoscalers back off for minutes. One minute lies between what they would do if capacity came back and what they often do.
pub const RETRY_S: i64 = 60;

/// Seconds between looks for nodes that could be given back to cheaper pools.
pub const CHECK_S: i64 = 60;

#[cfg(test)]
mod tests;
