//! KEDA and the HPA that it makes, as state machines: from readings at an instant to counts of replicas.
//!
//! In: a ScaledObject or a ScaledJob as it was read back from the emitted files, the present counts, and what its triggers read.
//! Out: the count that the autoscaler sets. Time is whole seconds since the anchor; nothing here knows a clock, a cluster or a
//! request.
//!
//! ```text
//! every pollingInterval  keda     triggers -> active? -> 0 to 1, to idle or zero, to the minimum
//! every 15 s             hpa      metrics of all triggers -> largest -> stabilization -> policies -> count
//! ```
//!
//! Followed are KEDA at 8b4f083 (2.20 and what comes after it) and Kubernetes 1.33 and newer. Differences of older releases that a
//! plan can meet: before 2.19 KEDA applies `fallback` only at the HPA's requests, so that a failing trigger does not wake a
//! service at zero; before 1.33 the tolerance band was |1 - ratio| <= 0.1, which in binary leaves out a ratio of exactly 1.1.
//!
//! Not represented: `scalingModifiers`, push scalers, CPU and memory triggers, fallback behaviours other than `static`, the time
//! that requests take, and an HPA without `behavior` (its older rule goes 1, 4, 8, 16; the emitted files always have one).

pub mod cron;
pub mod hpa;
pub mod keda;
pub mod promql;
pub mod queue;
pub mod scaled_job;
pub mod scaler;
pub mod trigger;

#[cfg(test)]
mod timelines;

pub use scaled_job::ScaledJobScaler;
pub use scaler::Scaler;
pub use trigger::{Reading, TriggerError};

/// Counts of a Deployment at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// `spec.replicas`.
    pub spec: u32,
    /// `status.replicas`: pods that exist, ready or not.
    pub status: u32,
    /// Pods that are ready.
    pub ready: u32,
}
