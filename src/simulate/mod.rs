//! The replay: what the emitted files do to real traffic.
//!
//! In: the files as read back ([`crate::emit::parse`]), the inputs that `replay.json` holds, and seeds. Out: a [`outcome::Simulation`]:
//! attainment, latencies, the bill, and a verdict. A discrete-event simulation: the control plane ([`autoscaler`], [`cluster`],
//! [`job`]) in whole seconds, the data plane ([`station`]: a router and its replicas) between its events. It knows neither the scenario
//! nor how the plan was made, and touches no file and no clock.

pub mod autoscaler;
pub mod calibrate;
pub mod cluster;
pub mod fleet;
pub mod job;
pub mod of_files;
pub mod outcome;
pub mod random;
pub mod replay;
pub mod replica;
pub mod run;
pub mod station;
pub mod statistics;
pub mod summary;
pub mod tally;
pub mod today;
pub mod traffic;
