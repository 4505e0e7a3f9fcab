//! `gpuplan` plans GPU fleets: the cheapest nodes, counts and schedules that keep the SLOs, with a proven bound.
//!
//! ```text
//! files -> input::read -> *File -> input::validate -> Scenario -> sizing, risk, feasibility -> formulation
//!       -> solver -> Solution -> Plan -> check, emit, report, diff
//! ```
//!
//! Everything between the files and the [`plan::Plan`] is plain values and pure functions.

pub mod catalog;
pub mod check;
pub mod cli;
pub mod demand;
pub mod diagnostic;
pub mod domain;
pub mod emit;
pub mod feasibility;
pub mod formulation;
pub mod ids;
pub mod input;
pub mod lp;
pub mod parallel;
pub mod plan;
pub mod planner;
pub mod pricing;
pub mod report;
pub mod risk;
pub mod simulate;
pub mod sizing;
pub mod solver;
pub mod study;
pub mod units;
pub mod verify;
