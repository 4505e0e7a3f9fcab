//! What has been proven about a plan's promise, and by which replay.

use crate::units::Usd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What has been proven about the promise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// `UNVERIFIED` until a replay of the emitted files has passed, then `VERIFIED`.
    pub status: String,
    /// Why: `not replayed`, `the replay missed: ...`, or what was replayed.
    pub reason: String,
    /// The replay, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayEvidence>,
}

/// The replay that a mark rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayEvidence {
    /// Seeds.
    pub seeds: u32,
    /// `week` or `stratified`.
    pub sampling: String,
    /// Requests simulated.
    pub requests_simulated: u64,
    /// Services and jobs with what the replay saw, sorted by name.
    pub workloads: Vec<ReplayedWorkload>,
    /// The bill that the files produced.
    pub usd_per_month: Usd,
    /// Today's configuration, replayed on the same traffic and seeds.
    pub baseline_usd_per_month: Option<Usd>,
    /// The competent-operations comparator, replayed likewise.
    pub competent_usd_per_month: Option<Usd>,
    /// Saving against the replayed baseline; none where it is withheld.
    pub saving: Option<f64>,
    /// Why the saving is withheld.
    pub withheld: Option<String>,
    /// 5th and 95th percentile of the saving over resampled months.
    pub saving_p5_p95: Option<(f64, f64)>,
    /// Probability that in a month the target is met and every objective holds.
    pub p_target_and_slos: Option<f64>,
    /// Rounds of raising planning loads and planning anew, the first with none raised.
    pub rounds: Vec<ReplayRound>,
}

/// A workload in a replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayedWorkload {
    /// Name.
    pub name: String,
    /// `service` or `job`.
    pub kind: String,
    /// Share of requests or runs that must meet their limits.
    pub slo_target: f64,
    /// Share that did.
    pub attainment: f64,
    /// Lower end of the 95% confidence interval.
    pub attainment_ci_low: f64,
    /// The objective holds.
    pub met: bool,
}

/// One round of closing the loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRound {
    /// Factors on planning loads, by workload; those at 1 are left out.
    pub load_factors: std::collections::BTreeMap<String, f64>,
    /// Factors on expected misses, by workload; those at 1 are left out.
    pub miss_factors: std::collections::BTreeMap<String, f64>,
    /// Hours before their deadlines that runs of jobs are planned to end by; those at 0 are left out.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub slack_hours: std::collections::BTreeMap<String, u32>,
    /// Cost of the plan of this round.
    pub usd_per_month: Usd,
    /// What the replay faulted; empty in a round that passed.
    pub missed: Vec<String>,
}

impl Verification {
    /// Status of a plan that a replay has passed.
    pub const VERIFIED: &str = "VERIFIED";
    /// Status of any other plan.
    pub const UNVERIFIED: &str = "UNVERIFIED";

    /// The mark that every output carries until a replay exists.
    #[must_use]
    pub fn not_replayed() -> Self {
        Self { status: Self::UNVERIFIED.to_owned(), reason: "not replayed".to_owned(), replay: None }
    }

    /// `UNVERIFIED: not replayed`.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{}: {}", self.status, self.reason)
    }

    /// A replay has passed.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.status == Self::VERIFIED
    }
}
