//! How much a served model carries within its SLO on a number of replicas.
//!
//! In: profile operating points, the SLO, token lengths, burstiness. Out: [`capacity::Capacity`], a table of the rate
//! that n replicas sustain at the planning percentile. Pure: no file, no clock, no price.

pub mod capacity;
pub mod cold_start;
pub mod distance;
pub mod fit;
pub mod latency;
pub mod pooling;
pub mod queueing;

pub use capacity::Capacity;
