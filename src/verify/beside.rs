//! Replays beside the main one: the plan at the demand that `high` stands, and each alternative's own files. A few seeds each: they
//! mark nothing.

use super::{VerifyError, play};
use crate::domain::Scenario;
use crate::domain::uncertainty::BURST;
use crate::plan::from_solution::replay as replay_inputs;
use crate::plan::replay::ReplayInputs;
use crate::plan::{CaseWorkload, Plan, StressReplay};
use crate::simulate::outcome::WorkloadOutcome;
use crate::simulate::replay::{self, Seeds};
use crate::simulate::run::Options as Replay;

/// Seeds of each.
const SEEDS: u32 = 5;

/// Replays the plan at a higher demand, where it was planned to stand that.
pub fn stress(plan: &mut Plan, inputs: &ReplayInputs, (seeds, options): (Seeds, &Replay)) -> Result<(), VerifyError> {
    let Some(robustness) = plan.robustness.as_ref().filter(|r| r.level == "high") else { return Ok(()) };
    let mut robustness = robustness.clone();
    let few = Seeds { count: seeds.count.min(SEEDS), ..seeds };
    let options = Replay { demand_factor: options.demand_factor * BURST, timeline: false, ..options.clone() };
    let played = play(plan, inputs, (few, &options))?;
    let seen = replay::outcome(plan, &played, (few, &options));
    let short = |w: &WorkloadOutcome| w.attainment_ci_low - w.slo_target;
    let first = seen.workloads.iter().filter(|w| !w.met).min_by(|a, b| short(a).total_cmp(&short(b)));
    robustness.replayed = Some(StressReplay {
        demand_factor: BURST,
        seeds: few.count,
        gives_up_first: first.map(|w| w.name.clone()),
        workloads: seen.workloads.iter().map(|w| CaseWorkload { name: w.name.clone(), attainment: w.attainment, met: w.met }).collect(),
    });
    plan.robustness = Some(robustness);
    Ok(())
}

/// Replays the alternatives and says in the plan what each replay saw.
pub fn alternatives(
    traffic: &Scenario,
    (plan, others): (&mut Plan, &[Plan]),
    (seeds, options): (Seeds, &Replay),
) -> Result<(), VerifyError> {
    let few = Seeds { count: seeds.count.min(SEEDS), ..seeds };
    let options = Replay { timeline: false, ..options.clone() };
    for (summary, other) in plan.alternatives.iter_mut().zip(others) {
        let inputs = ReplayInputs { scenario_sha256: other.provenance.scenario_sha256.clone(), ..replay_inputs::of(traffic, other) };
        let played = play(other, &inputs, (few, &options))?;
        let seen = replay::outcome(other, &played, (few, &options));
        summary.replay = Some(match seen.reasons.first() {
            None => format!("every objective holds in {} weeks", few.count),
            Some(reason) => format!("missed in {} weeks: {reason}", few.count),
        });
    }
    Ok(())
}
