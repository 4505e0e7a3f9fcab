//! Which levers the planner may pull: the whole problem has all of them, the lever study takes them away one by one.

/// How far replicas may follow the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autoscaling {
    /// One count all week; job nodes are held all week.
    Off,
    /// A tuned HPA where the load can be tracked and job nodes only while they run: no windows, no zero.
    Tuned,
    /// Every mode that the owner allows.
    Full,
}

/// Levers that may be pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freedom {
    /// Another accelerator, machine shape or replica count than today's.
    pub right_sizing: bool,
    /// Counts that follow the week.
    pub autoscaling: Autoscaling,
    /// Spot beyond what runs on spot today.
    pub spot: bool,
    /// Jobs at another time or width than today's.
    pub placement: bool,
    /// Precisions other than today's, where the owner accepts them.
    pub precision: bool,
    /// Several workloads on one GPU, where their owners allow it.
    pub sharing: bool,
    /// Commitments that are not held yet, where the scenario offers them.
    pub commitments: bool,
    /// Regions and clouds other than today's, where the scenario says what the distance costs.
    pub regions: bool,
}

impl Freedom {
    /// Everything that the scenario allows.
    pub const FULL: Self = Self {
        right_sizing: true,
        autoscaling: Autoscaling::Full,
        spot: true,
        placement: true,
        precision: true,
        sharing: true,
        commitments: true,
        regions: true,
    };

    /// Best single accelerator a workload, on demand, tuned HPA, batch nodes stopped when idle.
    pub const COMPETENT: Self = Self {
        right_sizing: true,
        autoscaling: Autoscaling::Tuned,
        spot: false,
        placement: false,
        precision: false,
        sharing: false,
        commitments: false,
        regions: false,
    };

    /// A workload may keep its nodes exactly as they are (only where sizing is not free to replace them).
    #[must_use]
    pub const fn may_stay_frozen(&self) -> bool {
        !self.right_sizing
    }
}
