//! Everything that solves more than once: stages of a target, levers, comparators, sensitivities, relaxations.

pub mod alternatives;
pub mod levers;
pub mod regret;
pub mod relaxations;
pub mod robust;
pub mod sensitivity;
pub mod stages;
pub mod whatif;

use crate::domain::{RiskLevel, Scenario, Target};
use crate::formulation::{self, Freedom};
use crate::plan::from_solution::{self, Findings, share_saved};
use crate::plan::{Comparator, Optimality, Plan, TargetOutcome};
use crate::solver::{self, ColumnPool, Solution, SolveError, Stage};
use crate::units::{MONTHS_PER_WEEK_FACTOR, Usd};
use stages::Staged;

/// How a run is studied.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// Target; goes before the scenario's.
    pub target: Option<Target>,
    /// Levers, sensitivities and relaxations as well (many more solves).
    pub explain: bool,
    /// What the plan must stand; goes before the scenario's.
    pub risk: Option<RiskLevel>,
    /// Alternatives within 2% of least cost as well.
    pub alternatives: bool,
}

/// A plan, and the full plans that are nearly as cheap.
#[derive(Clone, Debug)]
pub struct Studied {
    /// The plan; it lists the alternatives.
    pub plan: Plan,
    /// The alternatives, in the order of that list.
    pub alternatives: Vec<Plan>,
}

/// Margin kept below a target by the safety stages, as a share of the baseline, so that a replay's noise does not break it.
pub const TARGET_MARGIN: f64 = 0.02;

/// A note on every plan until its files have been replayed.
pub const NOT_REPLAYED: &str = "the rest of the month's error budget is planned, not measured, until the emitted files have been replayed";

/// Told what is being done, for progress.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// Plans a scenario, for what may come where that is asked.
///
/// # Errors
/// There is no plan, or the solver gave up.
pub fn plan(scenario: &Scenario, options: &Options, progress: Progress<'_>) -> Result<Studied, SolveError> {
    let mut studied = match scenario.uncertainty.asked(options.risk) {
        None => core(scenario, options, progress)?,
        Some(level) => robust::plan(scenario, (level, options), progress)?,
    };
    let exposed = alternatives::summaries(&studied);
    studied.plan.alternatives = exposed;
    Ok(studied)
}

/// Plans a scenario as it is.
fn core(scenario: &Scenario, options: &Options, progress: Progress<'_>) -> Result<Studied, SolveError> {
    let baseline = from_solution::baseline::of(scenario);
    let target = options.target.or(scenario.target);
    progress("least cost");
    let problem = formulation::build(scenario, &Freedom::FULL);
    let mut pool = ColumnPool::of(&problem);
    let least = solver::solve(&problem, &Stage::least_cost(), &mut pool)?;
    let committed = baseline.commitments.iter().map(|c| c.usd_per_month).sum::<Usd>();
    let ask = target.map(|t| (t, target_usd(t, baseline.usd_per_month)));
    progress("safety within the target");
    let staged =
        stages::after(&problem, &mut pool, (&least, committed, ask.map(|(_, usd)| stages::Ask { usd, baseline: baseline.usd_per_month })))?;
    progress("competent operations");
    let competent = comparator(scenario, baseline.usd_per_month)?;
    let findings = Findings { optimality: optimality(&least, &staged, committed), competent, baseline: baseline.clone() };
    let mut others = Vec::new();
    if options.alternatives {
        progress("alternatives");
        others = alternatives::of(scenario, &problem, (&mut pool, &least, &findings))?;
    }
    let mut plan = from_solution::plan(scenario, &problem, (&staged.solution, findings));
    let least_usd = plan.optimality.usd_per_month;
    if let Some((target, usd)) = ask {
        plan.target = Some(outcome((target, usd), &plan));
    }
    if options.explain {
        progress("levers");
        plan.levers = levers::of(scenario, (baseline.usd_per_month, least_usd))?;
        progress("sensitivities");
        plan.sensitivity = sensitivity::of(scenario, (baseline.usd_per_month, least_usd), ask.map(|(_, usd)| usd))?;
        if !plan.purchases.is_empty() {
            progress("regrets");
            regret::of(scenario, (&problem, &staged.solution), &mut plan.purchases)?;
        }
        if let Some(outcome) = plan.target.as_mut().filter(|t| !t.met) {
            progress("relaxations");
            let found = relaxations::of(scenario, least_usd)?;
            outcome.binding = relaxations::binding(scenario, &found);
            outcome.relaxations = found;
        }
    }
    plan.notes = notes(&plan, &least);
    for other in &mut others {
        other.target = ask.map(|ask| outcome(ask, other));
        other.notes = notes(other, &least);
    }
    Ok(Studied { plan, alternatives: others })
}

/// Dollars a month that a target allows.
#[must_use]
pub fn target_usd(target: Target, baseline: Usd) -> Usd {
    match target {
        Target::Saving(share) => baseline.scaled(1.0 - share),
        Target::Budget(usd) => usd,
    }
}

/// A weekly cost beyond commitments as dollars a month, commitments included.
#[must_use]
pub fn monthly(week: f64, committed: Usd) -> Usd {
    Usd::from_f64(week * MONTHS_PER_WEEK_FACTOR) + committed
}

/// Commitments of the scenario a month.
#[must_use]
pub fn committed(scenario: &Scenario) -> Usd {
    scenario.fleet.commitments.iter().map(|c| c.price.for_hours(f64::from(c.nodes) * crate::units::HOURS_PER_MONTH)).sum()
}

/// Least cost a month under a freedom, commitments included.
pub fn least_cost(scenario: &Scenario, freedom: &Freedom) -> Result<Usd, SolveError> {
    let problem = formulation::build(scenario, freedom);
    let mut pool = ColumnPool::of(&problem);
    let solution = solver::solve(&problem, &Stage::quick_least_cost(), &mut pool)?;
    Ok(monthly(solution.cost, committed(scenario)))
}

/// The plan of competent operations, with its files to be replayed; its cost is that of the comparator or below.
///
/// # Errors
/// No such plan, or the solver gave up.
pub fn competent_plan(scenario: &Scenario) -> Result<Plan, SolveError> {
    let baseline = from_solution::baseline::of(scenario);
    let problem = formulation::build(scenario, &Freedom::COMPETENT);
    let mut pool = ColumnPool::of(&problem);
    let solution = solver::solve(&problem, &Stage::quick_least_cost(), &mut pool)?;
    let committed = committed(scenario);
    let usd_per_month = monthly(solution.cost, committed);
    let competent = Comparator { usd_per_month, rules: String::new(), saving: share_saved(usd_per_month, baseline.usd_per_month) };
    let staged = stages::after(&problem, &mut pool, (&solution, committed, None))?;
    let findings = Findings { optimality: optimality(&solution, &staged, committed), competent, baseline };
    Ok(from_solution::plan(scenario, &problem, (&staged.solution, findings)))
}

/// Best single accelerator a workload, on demand, tuned HPA, batch nodes stopped when idle.
fn comparator(scenario: &Scenario, baseline: Usd) -> Result<Comparator, SolveError> {
    let usd_per_month = match least_cost(scenario, &Freedom::COMPETENT) {
        Ok(usd) => usd.min(baseline),
        // Where even that cannot be had, a competent team leaves the fleet as it is.
        Err(SolveError::Infeasible(_)) => baseline,
        Err(other) => return Err(other),
    };
    Ok(Comparator {
        usd_per_month,
        rules: "best single accelerator a workload, on demand, autoscaled by a tuned HPA where its load can be tracked, batch nodes stopped when idle; no windows, no zero, no spot, jobs when and as wide as today".to_owned(),
        saving: share_saved(usd_per_month, baseline),
    })
}

/// The proof of least cost and the stages after it.
fn optimality(least: &Solution, staged: &Staged, committed: Usd) -> Optimality {
    let usd_per_month = monthly(least.cost, committed);
    let bound_usd_per_month = monthly(least.bound, committed).min(usd_per_month);
    let gap = if usd_per_month == Usd::ZERO { 0.0 } else { (usd_per_month - bound_usd_per_month).as_f64() / usd_per_month.as_f64() };
    let outcome = if gap <= 1e-4 { "optimal" } else { "within-gap" };
    Optimality { usd_per_month, bound_usd_per_month, gap, outcome: outcome.to_owned(), stages: staged.stages.clone() }
}

/// How the plan stands to the target; binding limits and relaxations follow.
fn outcome((target, usd_per_month): (Target, Usd), plan: &Plan) -> TargetOutcome {
    let met = plan.cost.usd_per_month <= usd_per_month;
    TargetOutcome {
        requested: match target {
            Target::Saving(share) => format!("-{}%", (share * 1e6).round() / 1e4),
            Target::Budget(usd) => format!("budget {usd}"),
        },
        usd_per_month,
        margin: TARGET_MARGIN,
        met,
        missed_by_usd_per_month: if met { Usd::ZERO } else { plan.cost.usd_per_month - usd_per_month },
        provably_impossible: plan.optimality.bound_usd_per_month > usd_per_month,
        binding: Vec::new(),
        relaxations: Vec::new(),
    }
}

/// Explanations for the reader.
fn notes(plan: &Plan, least: &Solution) -> Vec<String> {
    let mut notes = Vec::new();
    let given_back = plan.cost.usd_per_month - plan.optimality.usd_per_month;
    if given_back > Usd::from_f64(0.01) {
        notes.push(format!(
            "least cost is {} a month ({:.1}% saved); {given_back} of it is given back for less exposure to spot reclaims and fewer changed nodes, within the target",
            plan.optimality.usd_per_month,
            100.0 * share_saved(plan.optimality.usd_per_month, plan.baseline.usd_per_month)
        ));
    }
    if let Some(target) = plan.target.as_ref().filter(|t| t.provably_impossible) {
        notes.push(format!(
            "provably impossible under these limits: no plan costs less than {} a month, and the target is {}",
            plan.optimality.bound_usd_per_month, target.usd_per_month
        ));
    }
    let _ = least;
    for commitment in plan.cost.commitments.iter().filter(|c| c.stranded_node_hours_per_week > 0.5) {
        notes.push(format!(
            "commitment `{}` is paid in full; the plan leaves {:.0} of its node-hours a week unused",
            commitment.name, commitment.stranded_node_hours_per_week
        ));
    }
    for purchase in &plan.purchases {
        notes.extend(purchase.warnings.iter().map(|warning| format!("commitment to buy `{}`: {warning}", purchase.product)));
    }
    if plan.pools.iter().any(|p| p.spot.as_ref().is_some_and(|s| s.evidence == "prior")) {
        notes.push("spot availability and reclaim hazard are the stated pessimistic prior, not evidence of these pools: give your own interruption log under `risk.pools`".to_owned());
    }
    notes.push(NOT_REPLAYED.to_owned());
    notes
}
