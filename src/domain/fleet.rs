//! What runs and is paid for today.

use crate::domain::offering::CapacityType;
use crate::ids::{CommitmentId, InstanceTypeId, NodeGroupId, RegionId};
use crate::units::UsdPerHour;

/// A set of equal machines that run today.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeGroup {
    /// Name.
    pub id: NodeGroupId,
    /// Machine shape.
    pub instance_type: InstanceTypeId,
    /// Region.
    pub region: RegionId,
    /// How it is bought; commitments that match pay for part of an on-demand group.
    pub capacity_type: CapacityType,
    /// Machines, the mean over the week (an autoscaled group may have 2.6).
    pub nodes: f64,
    /// Most machines at any time.
    pub max_nodes: u32,
    /// Why it is there, for the reader.
    pub reason: String,
}

/// A discount already held: paid in full whatever the plan does, free at the margin.
#[derive(Clone, Debug, PartialEq)]
pub struct Commitment {
    /// Name.
    pub id: CommitmentId,
    /// Machine shape it covers.
    pub instance_type: InstanceTypeId,
    /// Region it covers.
    pub region: RegionId,
    /// Machines covered.
    pub nodes: u32,
    /// Paid a machine and hour, used or not.
    pub price: UsdPerHour,
    /// Last day, `YYYY-MM-DD`.
    pub expires: String,
}

/// Today's fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fleet {
    /// Machines, sorted by id.
    pub node_groups: Vec<NodeGroup>,
    /// Commitments, sorted by id.
    pub commitments: Vec<Commitment>,
}
