//! Columns: whole weekly schedules of one workload, with everything that couples it to the others.
//!
//! A column has already passed the tests that are not linear: SLO capacity in every hour, loss of any zone, spot share,
//! error budget, windows that a cron can express, deadlines. What is left to the master is linear: nodes of fixed
//! pools, commitments, quotas, change limits and targets.

pub mod column;
pub mod duals;
pub mod price;
pub mod schedule;

pub use column::{Column, Decision, WindowSpec};
pub use duals::Duals;
