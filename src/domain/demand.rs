//! What a service is asked for over the week.

use crate::units::HOURS_PER_WEEK;

/// How much faster than a Poisson stream the requests come in clumps, by the squared coefficient of variation of
/// inter-arrival times (or the index of dispersion of a rate series).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BurstClass {
    /// At most 1.5.
    Poisson,
    /// At most 6: planned as 4.
    Bursty,
    /// At most 30: planned as 16.
    Spiky,
    /// More: planned as 16 on the peak minute, and never reactive.
    Untrackable,
}

impl BurstClass {
    /// Class of a squared coefficient of variation.
    #[must_use]
    pub fn of(cv2: f64) -> Self {
        if cv2 <= 1.5 {
            Self::Poisson
        } else if cv2 <= 6.0 {
            Self::Bursty
        } else if cv2 <= 30.0 {
            Self::Spiky
        } else {
            Self::Untrackable
        }
    }

    /// The squared coefficient of variation that capacity is planned at.
    #[must_use]
    pub const fn planned_cv2(self) -> f64 {
        match self {
            Self::Poisson => 1.0,
            Self::Bursty => 4.0,
            Self::Spiky | Self::Untrackable => 16.0,
        }
    }

    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Poisson => "poisson",
            Self::Bursty => "bursty",
            Self::Spiky => "spiky",
            Self::Untrackable => "untrackable",
        }
    }
}

/// Token lengths of an LLM service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenShape {
    /// Mean prompt length.
    pub input_mean: f64,
    /// 95th percentile of the prompt length.
    pub input_p95: f64,
    /// Mean answer length.
    pub output_mean: f64,
}

/// Requests of one or more whole weeks by equal steps, Monday 00:00 in the workload's zone first: what a replay plays.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// Length of a step, s; divides an hour.
    pub step_s: u32,
    /// Mean rate of each step, requests a second; no headroom in it.
    pub rate_rps: Vec<f64>,
    /// Squared coefficient of variation of inter-arrival times in each step.
    pub cv2: Vec<f64>,
    /// Prompt and answer lengths of single requests of a trace, in its order; empty where only means are known.
    pub lengths: Vec<(u32, u32)>,
}

/// Demand of a service by hour of the week. Index 0 is Monday 00:00 UTC.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// Mean requests a second in each hour.
    pub mean_rps: Vec<f64>,
    /// Peak inside each hour: the 99th percentile of the one-minute rate, or its estimate. Never below the mean.
    pub peak_rps: Vec<f64>,
    /// Factor by which `peak_rps` has been raised after a replay missed; 1 as read.
    pub load_factor: f64,
    /// Misses by cold starts and reclaims for each that is planned, after a replay saw more; 1 as read.
    pub miss_factor: f64,
    /// Factor on the peaks that replicas must be able to carry, by standing there or by following up to their maximum; 1 as read.
    pub insured: f64,
    /// `max over s <= L of rate(t+s)/rate(t)`, p95 over the hour's own trace: what the load may grow by while new
    /// replicas start. At least 1; one number a service.
    pub lag_growth: f64,
    /// Burstiness.
    pub burst: BurstClass,
    /// Token lengths, LLM services only.
    pub tokens: Option<TokenShape>,
    /// The same demand in the detail that its source has, for a replay.
    pub traffic: Traffic,
    /// Where the numbers come from, for the reader of the plan.
    pub source: String,
}

impl Demand {
    /// Requests of a week.
    #[must_use]
    pub fn requests_per_week(&self) -> f64 {
        debug_assert_eq!(self.mean_rps.len(), HOURS_PER_WEEK);
        self.mean_rps.iter().sum::<f64>() * 3600.0
    }
}
