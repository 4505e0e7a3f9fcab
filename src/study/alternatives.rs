//! Three full plans within 2% of least cost, each the best at something else: fewest instance types, least spot, fewest changes.

use super::{Studied, committed, monthly};
use crate::domain::Scenario;
use crate::formulation::Problem;
use crate::plan::from_solution::{self, Findings};
use crate::plan::{self, Alternative, Plan};
use crate::solver::{self, ColumnPool, Solution, SolveError, Stage, variety};
use crate::units::MONTHS_PER_WEEK_FACTOR;
use std::collections::BTreeSet;

/// How much more than least cost an alternative may cost, as a share of it.
pub const WITHIN: f64 = 0.02;

/// Names, in the order in which they are shown; the stages of their plans have the same.
const NAMES: [(&str, &str, &str); 3] = [
    ("fewest-instance-types", "fewest_instance_types", "instance_types"),
    ("least-spot", "least_exposure", "spot_gpu_hours_x_hazard_per_week"),
    ("fewest-changes", "fewest_changes", "changed_nodes"),
];

/// The alternatives as full plans. One that the solver finds no whole plan for is left out.
///
/// # Errors
/// The solver gave up.
pub fn of(
    scenario: &Scenario,
    problem: &Problem,
    (pool, least, findings): (&mut ColumnPool, &Solution, &Findings),
) -> Result<Vec<Plan>, SolveError> {
    let committed = committed(scenario);
    let cap_usd = monthly(least.cost, committed).scaled(1.0 + WITHIN);
    let cap = ((cap_usd - committed).as_f64() / MONTHS_PER_WEEK_FACTOR).max(least.cost * (1.0 + 1e-9));
    let mut plans = Vec::new();
    for (index, (_, stage, unit)) in NAMES.iter().enumerate() {
        let found = match index {
            0 => variety::fewest_types(problem, pool, cap).map(|s| (variety::types_of(problem, &s).len() as f64, 0.0, s)),
            1 => least_spot(problem, pool, cap),
            _ => fewest_changes(problem, pool, cap),
        };
        let (value, bound, solution) = match found {
            Ok(found) => found,
            Err(SolveError::Infeasible(_)) => continue,
            Err(other) => return Err(other),
        };
        let mut optimality = findings.optimality.clone();
        optimality.stages.truncate(1);
        optimality.stages.push(plan::Stage {
            name: (*stage).to_owned(),
            unit: (*unit).to_owned(),
            value,
            bound,
            gap: if value > 0.0 { (value - bound) / value } else { 0.0 },
            usd_per_month: monthly(solution.cost, committed),
        });
        let own = Findings { optimality, ..findings.clone() };
        plans.push(from_solution::plan(scenario, problem, (&solution, own)));
    }
    Ok(plans)
}

/// Value, bound and the cheapest solution of that value.
type Found = (f64, f64, Solution);

fn least_spot(problem: &Problem, pool: &mut ColumnPool, cap: f64) -> Result<Found, SolveError> {
    let quick = Stage::quick_least_cost();
    let least = solver::solve(problem, &Stage { cost_weight: 0.0, exposure_weight: 1.0, cost_cap: Some(cap), ..quick }, pool)?;
    let exposure_cap = Some(least.exposure * (1.0 + 1e-9) + 1e-6);
    let solution = solver::solve(problem, &Stage { exposure_cap, ..quick }, pool)?;
    let value = solution.exposure;
    Ok((value, least.bound.clamp(0.0, value.max(0.0)), solution))
}

fn fewest_changes(problem: &Problem, pool: &mut ColumnPool, cap: f64) -> Result<Found, SolveError> {
    let quick = Stage::quick_least_cost();
    let fewest = solver::solve(problem, &Stage { cost_weight: 0.0, change_weight: 1.0, cost_cap: Some(cap), ..quick }, pool)?;
    let solution = solver::solve(problem, &Stage { change_cap: Some(f64::from(fewest.changed_nodes)), ..quick }, pool)?;
    let value = f64::from(solution.changed_nodes);
    Ok((value, fewest.bound.clamp(0.0, value), solution))
}

/// What the plan says of its alternatives.
#[must_use]
pub fn summaries(studied: &Studied) -> Vec<Alternative> {
    let summary = |other: &Plan| {
        let stage = other.optimality.stages.last().map_or("", |s| s.name.as_str());
        let name = NAMES.iter().find(|(_, s, _)| *s == stage).map_or("", |(name, _, _)| name);
        Alternative {
            name: name.to_owned(),
            usd_per_month: other.cost.usd_per_month,
            saving: other.saving,
            instance_types: types(other).into_iter().map(str::to_owned).collect(),
            spot_exposure: exposure(other),
            changed_nodes: changed(other),
            differs: differs(&studied.plan, other),
            replay: None,
        }
    };
    studied.alternatives.iter().map(summary).collect()
}

/// Instance types of which the plan ever has a node.
fn types(plan: &Plan) -> BTreeSet<&str> {
    plan.pools.iter().filter(|p| p.nodes_by_hour.iter().any(|n| *n > 0.0)).map(|p| p.instance_type.as_str()).collect()
}

/// Spot GPU-hours a week times the hazard of their pool.
fn exposure(plan: &Plan) -> f64 {
    let spot = plan.pools.iter().filter_map(|p| Some((p, p.spot.as_ref()?)));
    spot.map(|(p, s)| p.nodes_by_hour.iter().sum::<f64>() * f64::from(p.gpus_per_node) * s.reclaims_per_hour)
        .fold(0.0, |sum, own| sum + own)
}

fn changed(plan: &Plan) -> u32 {
    plan.workloads.iter().map(|w| w.change.changed_nodes).sum()
}

/// What differs from the plan, in words.
fn differs(plan: &Plan, other: &Plan) -> Vec<String> {
    let mut words = Vec::new();
    let (ours, theirs) = (types(plan), types(other));
    let list = |names: Vec<&str>| names.join(", ");
    let without: Vec<&str> = ours.difference(&theirs).copied().collect();
    let with: Vec<&str> = theirs.difference(&ours).copied().collect();
    if !without.is_empty() {
        words.push(format!("without {}", list(without)));
    }
    if !with.is_empty() {
        words.push(format!("with {}", list(with)));
    }
    for (now, then) in plan.workloads.iter().zip(&other.workloads) {
        let (a, b) = (way(now), way(then));
        if a != b {
            words.push(format!("{}: {b} instead of {a}", now.name));
        }
    }
    if words.is_empty() {
        words.push(
            if plan.pools == other.pools { "nothing: the plan is the best at this as well" } else { "counts and hours only" }.to_owned(),
        );
    }
    words
}

/// How a workload runs, in short.
fn way(workload: &plan::WorkloadPlan) -> String {
    let mode = &workload.mode;
    if let Some(job) = &workload.job {
        return format!("{mode} on {} x {}", job.workers, job.pool);
    }
    let Some(service) = &workload.service else { return mode.clone() };
    let mut pools: Vec<&str> = Vec::new();
    if service.floor.max_replicas > 0 {
        pools.push(&service.floor.pool);
    }
    pools.extend(service.flex.as_ref().map(|f| f.pool.as_str()).filter(|pool| !pools.contains(pool)));
    format!("{mode} on {}", pools.join(" and "))
}
