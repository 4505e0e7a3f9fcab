//! Constraint families: the one list of what couples decisions, and the names of rows.

/// A family of constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Replicas of an hour carry its planning load.
    DemandCover,
    /// Slots of an hour fit into the nodes of a shared pool.
    NodeCapacity,
    /// Cap of the cloud on a group of instance types.
    Quota,
    /// Nodes already paid for are free at the margin.
    Commitment,
    /// Largest share of replicas on spot.
    SpotShare,
    /// What is left carries the load when a pool is lost, and its fallback fits the quota.
    PoolLoss,
    /// Starts cost paid hours.
    StartUp,
    /// At most N windows that a cron can express.
    Window,
    /// Jobs are done in time.
    Deadline,
    /// Cost stays below a target; at most so many workloads change.
    Budget,
    /// One way to run each workload.
    Choice,
}

impl Family {
    /// Every family, in order.
    pub const ALL: [Self; 11] = [
        Self::DemandCover,
        Self::NodeCapacity,
        Self::Quota,
        Self::Commitment,
        Self::SpotShare,
        Self::PoolLoss,
        Self::StartUp,
        Self::Window,
        Self::Deadline,
        Self::Budget,
        Self::Choice,
    ];

    /// The name used in rows, files and docs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DemandCover => "demand_cover",
            Self::NodeCapacity => "node_capacity",
            Self::Quota => "quota",
            Self::Commitment => "commitment",
            Self::SpotShare => "spot_share",
            Self::PoolLoss => "pool_loss",
            Self::StartUp => "start_up",
            Self::Window => "window",
            Self::Deadline => "deadline",
            Self::Budget => "budget",
            Self::Choice => "choice",
        }
    }
}
