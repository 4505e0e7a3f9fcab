//! What n replicas of a service sustain on one operating point, as calibrated: found by simulation instead of a formula.

use crate::domain::profile::OperatingPoint;
use crate::ids::AcceleratorId;

/// Version of the method that tables are made with; part of every table's key. Raise it whenever the same question may get
/// another answer: a change of the simulator's replica model, of its random streams, of the search or of its confidence.
pub const METHOD_VERSION: u32 = 1;

/// A calibrated table of one service on one operating point.
#[derive(Clone, Debug, PartialEq)]
pub struct CapacityTable {
    /// GPU type.
    pub accelerator: AcceleratorId,
    /// GPUs of one replica.
    pub gpus_per_replica: u32,
    /// Numeric precision.
    pub precision: String,
    /// Part of a GPU; `None`: whole GPUs.
    pub slice: Option<String>,
    /// Replicas, ascending from 1, with the requests a second that they sustain together at the planning percentile: lower
    /// confidence bound, before the derate. A replica's rate never falls with the count.
    pub points: Vec<(u32, f64)>,
}

impl CapacityTable {
    /// Whether it is that of an operating point; whoever attached it made sure of the numbers.
    #[must_use]
    pub fn is_of(&self, point: &OperatingPoint) -> bool {
        let Self { accelerator, gpus_per_replica, precision, slice, points: _ } = self;
        *slice == point.slice
            && *accelerator == point.accelerator
            && *gpus_per_replica == point.gpus_per_replica
            && *precision == point.precision
    }
}
