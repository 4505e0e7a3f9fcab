//! Closing the loop: plan, replay the files that the plan emits, and where the replay misses plan anew for what it saw.
//!
//! In: a scenario. Out: a plan with the replay that it rests on. What a replay faults is mended where the plan went wrong: a service whose
//! requests are late is planned for more load (and from some load on without company on its GPU), one whose requests meet no replica or lose
//! theirs for more misses than expected. At most [`ROUNDS`] times; a plan that still misses is handed out as unverified, with what it missed.

mod beside;

use crate::domain::Scenario;
use crate::emit::{self, parse};
use crate::plan::from_solution::replay as replay_inputs;
use crate::plan::replay::ReplayInputs;
use crate::plan::{Plan, ReplayEvidence, ReplayRound, ReplayedWorkload, Verification};
use crate::planner::{self, PlanError};
use crate::simulate::outcome::{Simulation, WorkloadOutcome};
use crate::simulate::replay::{self, Played, Seeds};
use crate::simulate::run::Options as Replay;
use crate::simulate::{of_files, today};
use crate::study::whatif::{self, Lessons};
use crate::study::{self, Options, Progress};
use crate::units::Usd;
use std::collections::BTreeMap;

/// Times that a plan is made anew.
pub const ROUNDS: usize = 5;

/// Hazards that the final plan is replayed under as well, and how many seeds each gets.
const HAZARDS: [f64; 2] = [0.1, 10.0];
const HAZARD_SEEDS: u32 = 5;

/// Seeds of the competent-operations comparator: it stands beside the plan and decides nothing.
const COMPETENT_SEEDS: u32 = 5;

/// A plan, what its replay needs, and what the replay saw.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The plan, with its mark.
    pub plan: Plan,
    /// Inputs of the replay.
    pub inputs: ReplayInputs,
    /// The replay, baselines included.
    pub simulation: Simulation,
    /// The full plans of its alternatives.
    pub alternatives: Vec<Plan>,
}

/// Why there is none.
#[derive(Debug)]
pub enum VerifyError {
    /// There is no plan.
    Plan(PlanError),
    /// The plan's files cannot be replayed, or the simulation's books do not balance: a fault of ours.
    Replay(String),
}

/// Plans a scenario until a replay holds; `traffic` is the scenario whose requests are played: the same, or one of other days.
///
/// # Errors
/// See [`VerifyError`].
pub fn plan(
    (scenario, traffic): (&Scenario, &Scenario),
    (options, seeds): (&Options, Seeds),
    replay_options: &Replay,
    progress: Progress<'_>,
) -> Result<Verified, VerifyError> {
    let quick = Options { explain: false, alternatives: false, ..*options };
    let mut lessons = Lessons::default();
    let mut rounds: Vec<ReplayRound> = Vec::new();
    let mut plan = planner::plan(scenario, &quick, progress).map_err(VerifyError::Plan)?;
    let (mut inputs, mut played, mut simulation) = replayed((scenario, scenario), &plan, (seeds, replay_options), progress)?;
    rounds.push(round(&lessons, &plan, &simulation));
    while simulation.verdict != "verified" && rounds.len() <= ROUNDS {
        let Some(next) = learn(&lessons, (&plan, &simulation)) else { break };
        progress("planning anew for what the replay saw");
        let raised = whatif::taught(scenario, &next);
        // Where no plan can carry what the replay asks for, the last one stands, as missed.
        let Ok(better) = planner::plan(&raised, &quick, progress) else { break };
        lessons = next;
        plan = better;
        (inputs, played, simulation) = replayed((scenario, scenario), &plan, (seeds, replay_options), progress)?;
        rounds.push(round(&lessons, &plan, &simulation));
    }
    if !std::ptr::eq(scenario, traffic) {
        // Other days: nothing is learned from them, they are what the plan is tried on.
        (inputs, played, simulation) = replayed((scenario, traffic), &plan, (seeds, replay_options), progress)?;
    }
    let mut others = Vec::new();
    if options.explain || options.alternatives {
        let raised = whatif::taught(scenario, &lessons);
        let studied = planner::full(&raised, options, progress).map_err(VerifyError::Plan)?;
        (plan, others) = (studied.plan, studied.alternatives);
    }
    compare((scenario, traffic), (&plan, &inputs), (&played, &mut simulation), (seeds, replay_options, progress))?;
    progress("replaying what stands beside the plan");
    beside::stress(&mut plan, &inputs, (seeds, replay_options))?;
    beside::alternatives(traffic, (&mut plan, &others), (seeds, replay_options))?;
    plan.verification = verification(&simulation, rounds);
    inputs.verification = plan.verification.mark();
    plan.notes.retain(|note| note != study::NOT_REPLAYED);
    Ok(Verified { plan, inputs, simulation, alternatives: others })
}

/// The plan's own files, written and read back, on all seeds.
fn replayed(
    (scenario, traffic): (&Scenario, &Scenario),
    plan: &Plan,
    (seeds, options): (Seeds, &Replay),
    progress: Progress<'_>,
) -> Result<(ReplayInputs, Played, Simulation), VerifyError> {
    progress("replaying the files");
    // Of other days only the traffic is taken; the plan and its files stay those of the scenario.
    let inputs = ReplayInputs { scenario_sha256: scenario.sha256.clone(), ..replay_inputs::of(traffic, plan) };
    let played = play(plan, &inputs, (seeds, options))?;
    let simulation = replay::outcome(plan, &played, (seeds, options));
    Ok((inputs, played, simulation))
}

fn play(plan: &Plan, inputs: &ReplayInputs, (seeds, options): (Seeds, &Replay)) -> Result<Played, VerifyError> {
    let texts: Vec<parse::SourceText> =
        emit::artifacts(plan).into_iter().map(|a| parse::SourceText { path: a.path, text: a.contents }).collect();
    let files = parse::files(&texts).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        VerifyError::Replay(lines.join("\n"))
    })?;
    let fleet = of_files::fleet(&files, plan, inputs).map_err(VerifyError::Replay)?;
    replay::play(fleet, seeds, options).map_err(VerifyError::Replay)
}

fn round(lessons: &Lessons, plan: &Plan, simulation: &Simulation) -> ReplayRound {
    ReplayRound {
        load_factors: lessons.loads.clone(),
        miss_factors: lessons.misses.clone(),
        slack_hours: lessons.slack_hours.clone(),
        usd_per_month: plan.cost.usd_per_month,
        missed: simulation.reasons.clone(),
    }
}

/// What to plan for next; `None` where nothing that planning decides is at fault.
fn learn(lessons: &Lessons, (plan, simulation): (&Plan, &Simulation)) -> Option<Lessons> {
    let mut next = lessons.clone();
    // Ten-thousandths, so that a factor reads well and is the same everywhere.
    let grow = |factors: &mut BTreeMap<String, f64>, name: &str, step: f64| {
        let factor = factors.entry(name.to_owned()).or_insert(1.0);
        *factor = (*factor * step * 1e4).round() / 1e4;
    };
    let mut learned = false;
    for workload in simulation.workloads.iter().filter(|w| !w.met && w.kind == "service") {
        let (factors, step) = step(workload, &mut next);
        grow(factors, &workload.name, step);
        learned = true;
    }
    for job in simulation.workloads.iter().filter(|w| !w.met && w.kind == "job") {
        let hours = next.slack_hours.entry(job.name.clone()).or_insert(0);
        *hours = (*hours * 2).max(1);
        learned = true;
    }
    if !learned {
        for (name, step) in otherwise_billed(plan, simulation) {
            let before = next.loads.get(&name).copied().unwrap_or(1.0);
            // Never less than the demand: what the plan has dearer than the replay from the start stays so.
            let factor = (before * step * 1e4).round().max(1e4) / 1e4;
            if factor.total_cmp(&before).is_ne() {
                next.loads.insert(name, factor);
                learned = true;
            }
        }
    }
    learned.then_some(next)
}

/// Where the bill is off by more than the tolerance: services that follow their load and run in pools that came dearer than planned (the
/// autoscaler holds more of them, or longer: planned for more load they cost what they cost), or cheaper.
fn otherwise_billed(plan: &Plan, simulation: &Simulation) -> Vec<(String, f64)> {
    let off_by = simulation.plan.off_by;
    if off_by.abs() <= replay::BILL_TOLERANCE {
        return Vec::new();
    }
    let excess = |pool: &str| {
        let planned = plan.pools.iter().find(|p| p.name == pool).map_or(0.0, |p| p.usd_per_month.as_f64());
        let replayed = simulation.bill.pools.iter().find(|p| p.name == pool).map_or(0.0, |p| p.usd_per_month.as_f64());
        if planned > 0.0 { replayed / planned } else { 1.0 }
    };
    let follows = |w: &&crate::plan::WorkloadPlan| w.service.as_ref().is_some_and(|s| s.scaling.threshold.is_some());
    let mine = |w: &crate::plan::WorkloadPlan| -> f64 {
        let service = w.service.as_ref();
        let pools = service.map(|s| [Some(&s.floor.pool), s.flex.as_ref().map(|f| &f.pool)]);
        let mine = pools.into_iter().flatten().flatten().map(|pool| excess(pool));
        if off_by > 0.0 { mine.fold(1.0, f64::max) } else { mine.fold(1.0, f64::min) }
    };
    let own = plan.workloads.iter().filter(follows).map(|w| (w.name.clone(), mine(w)));
    // A server that follows its load does so for all of its members.
    let shared = plan.bundles.iter().filter(|bundle| follows(&&bundle.host)).flat_map(|bundle| {
        let excess = mine(&bundle.host);
        bundle.members.iter().map(move |member| (member.workload.clone(), excess))
    });
    let all = own.chain(shared);
    let off = all.filter(|(_, excess)| (excess - 1.0).abs() > replay::BILL_TOLERANCE);
    off.map(|(name, excess)| (name, excess.clamp(0.7, 1.3))).collect()
}

/// Which factor grows, and by how much: by what the misses are mostly, and how far they are beyond the budget.
fn step<'a>(workload: &WorkloadOutcome, lessons: &'a mut Lessons) -> (&'a mut BTreeMap<String, f64>, f64) {
    let fates = &workload.fates;
    let excess = (1.0 - workload.attainment_ci_low) / (1.0 - workload.slo_target).max(f64::MIN_POSITIVE);
    let no_replica = fates.rejected + fates.fallen_back + fates.lost;
    if no_replica > fates.late + fates.timed_out {
        (&mut lessons.misses, (excess * 1.15).clamp(1.15, 3.0))
    } else {
        (&mut lessons.loads, (1.0 + 0.08 * excess).clamp(1.05, 1.3))
    }
}

/// Today's configuration, competent operations and other hazards on the same traffic.
fn compare(
    (scenario, traffic): (&Scenario, &Scenario),
    (plan, inputs): (&Plan, &ReplayInputs),
    (played, simulation): (&Played, &mut Simulation),
    (seeds, options, progress): (Seeds, &Replay, Progress<'_>),
) -> Result<(), VerifyError> {
    let plain = Replay { timeline: false, ..options.clone() };
    if !inputs.node_groups.is_empty() {
        progress("replaying today's configuration");
        let fleet = today::fleet(inputs).map_err(VerifyError::Replay)?;
        let now = replay::play(fleet, seeds, &plain).map_err(VerifyError::Replay)?;
        let baseline = replay::baseline(&now, plan.baseline.usd_per_month, options.hours);
        let target = plan.target.as_ref().map(|t| 1.0 - t.usd_per_month.as_f64() / plan.baseline.usd_per_month.as_f64());
        let mut saving = replay::saving((played, &now), &baseline, (target, options.hours));
        simulation.requests_simulated += replay::requests(&now);
        if saving.share.is_some() {
            progress("replaying other hazards");
            saving.by_hazard = hazards((plan, inputs), (seeds, &plain), baseline.usd_per_month)?;
        }
        simulation.saving = Some(saving);
        simulation.baseline = Some(baseline);
    }
    progress("replaying competent operations");
    // A fleet that a competent team would leave as it is has no plan of its own to replay.
    if let Ok(competent) = study::competent_plan(scenario) {
        let inputs = replay_inputs::of(traffic, &competent);
        let few = Seeds { count: seeds.count.min(COMPETENT_SEEDS), ..seeds };
        let other = play(&competent, &inputs, (few, &plain))?;
        simulation.competent_operations = Some(replay::baseline(&other, competent.cost.usd_per_month, options.hours));
        simulation.requests_simulated += replay::requests(&other);
    }
    Ok(())
}

fn hazards(
    (plan, inputs): (&Plan, &ReplayInputs),
    (seeds, options): (Seeds, &Replay),
    baseline: Usd,
) -> Result<Vec<crate::simulate::outcome::HazardOutcome>, VerifyError> {
    if plan.pools.iter().all(|pool| pool.capacity_type != "spot") {
        return Ok(Vec::new());
    }
    let few = Seeds { count: seeds.count.min(HAZARD_SEEDS), ..seeds };
    let under = |factor: f64| {
        let options = Replay { hazard_factor: factor, ..options.clone() };
        let played = play(plan, inputs, (few, &options))?;
        Ok(replay::under_hazard(factor, &played, (baseline, options.hours)))
    };
    HAZARDS.into_iter().map(under).collect()
}

/// The mark and what it rests on. Never more than the replay saw.
fn verification(simulation: &Simulation, rounds: Vec<ReplayRound>) -> Verification {
    let holds = simulation.verdict == "verified";
    let missed: Vec<&str> = simulation.workloads.iter().filter(|w| !w.met).map(|w| w.name.as_str()).collect();
    let method = &simulation.method;
    let reason = if holds {
        format!("replayed {} weeks, every objective holds", method.seeds)
    } else if missed.is_empty() {
        "the replayed bill is another than the plan's".to_owned()
    } else {
        format!("the replay missed the objective of {}", missed.join(", "))
    };
    let saving = simulation.saving.as_ref();
    Verification {
        status: if holds { Verification::VERIFIED } else { Verification::UNVERIFIED }.to_owned(),
        reason,
        replay: Some(ReplayEvidence {
            seeds: method.seeds,
            sampling: method.sampling.clone(),
            requests_simulated: simulation.requests_simulated,
            workloads: simulation
                .workloads
                .iter()
                .map(|w| ReplayedWorkload {
                    name: w.name.clone(),
                    kind: w.kind.clone(),
                    slo_target: w.slo_target,
                    attainment: w.attainment,
                    attainment_ci_low: w.attainment_ci_low,
                    met: w.met,
                })
                .collect(),
            usd_per_month: simulation.bill.usd_per_month,
            baseline_usd_per_month: simulation.baseline.as_ref().map(|b| b.usd_per_month),
            competent_usd_per_month: simulation.competent_operations.as_ref().map(|b| b.usd_per_month),
            saving: saving.and_then(|s| s.share),
            withheld: saving.and_then(|s| s.withheld.clone()),
            saving_p5_p95: saving.and_then(|s| s.p5.zip(s.p95)),
            p_target_and_slos: saving.and_then(|s| s.p_target_and_slos),
            rounds,
        }),
    }
}
