//! Plans that stand a surprise: several are made, each is held against every case, and the best one that holds is taken.
//!
//! In: a scenario, its cases and a level. Out: the plan with the least expected cost plus a weight times the mean cost of the worst
//! twentieth, of those that hold what the level asks for. What is held against a case is the unchanged plan: nothing is solved again.

pub mod bill;
pub mod candidates;
pub mod evaluate;
pub mod run;
pub mod spread;
pub mod week;

use super::{Options, Progress, Studied, core};
use crate::domain::uncertainty::Required;
use crate::domain::{Case, RiskLevel, Scenario};
use crate::parallel;
use crate::plan::{Candidate, Plan, Robustness};
use crate::solver::SolveError;
use candidates::Insured;
use evaluate::{Terms, evaluate};

/// Factors beyond this are not told apart.
pub const MOST_FACTOR: f64 = 1000.0;

/// Halvings of the share of the insurance, once the whole of it has no plan.
const HALVINGS: u32 = 5;

/// A plan that was made, and what it was made for.
struct Made {
    name: &'static str,
    insured: Insured,
    plan: Plan,
    robustness: Robustness,
}

/// Plans a scenario for a level.
///
/// # Errors
/// No plan for the expected case, or the solver gave up.
pub fn plan(scenario: &Scenario, (level, options): (RiskLevel, &Options), progress: Progress<'_>) -> Result<Studied, SolveError> {
    let cases = scenario.uncertainty.cases();
    let made = make(scenario, ((level, &cases), options), progress)?;
    let chosen = choose(&made);
    let mut studied = if options.explain || options.alternatives {
        core(&made[chosen].insured.scenario, options, progress)?
    } else {
        Studied { plan: made[chosen].plan.clone(), alternatives: Vec::new() }
    };
    // The plan for the expected case may hold as far as any, and knows not why nothing holds further.
    let reasons = made.iter().map(|one| &one.insured.short).find(|short| !short.is_empty()).unwrap_or(&made[chosen].insured.short);
    let candidates: Vec<Candidate> = made.iter().enumerate().map(|(index, one)| candidate(one, index == chosen)).collect();
    for (index, plan) in std::iter::once(&mut studied.plan).chain(&mut studied.alternatives).enumerate() {
        let terms = Terms { level, cases: &cases, insured: &made[chosen].insured.factors, short: reasons };
        let mut robustness = evaluate(scenario, plan, &terms);
        robustness.insurance_usd_per_month = plan.cost.usd_per_month - made[0].plan.cost.usd_per_month;
        // An alternative was weighed by what it is best at, not by its cases.
        robustness.candidates = if index == 0 { candidates.clone() } else { candidates.iter().take(1).map(unchosen).collect() };
        plan.robustness = Some(robustness);
    }
    Ok(studied)
}

fn unchosen(candidate: &Candidate) -> Candidate {
    Candidate { chosen: false, ..candidate.clone() }
}

fn candidate(made: &Made, chosen: bool) -> Candidate {
    Candidate {
        name: made.name.to_owned(),
        usd_per_month: made.plan.cost.usd_per_month,
        expected_usd_per_month: made.robustness.usd_per_month.expected,
        cvar_95_usd_per_month: made.robustness.usd_per_month.cvar_95,
        held: made.robustness.held,
        chosen,
    }
}

/// All candidates, that for the expected case first.
fn make(
    scenario: &Scenario,
    ((level, cases), options): ((RiskLevel, &[Case]), &Options),
    progress: Progress<'_>,
) -> Result<Vec<Made>, SolveError> {
    let quick = Options { explain: false, alternatives: false, ..*options };
    let judged = |name: &'static str, insured: Insured, plan: Plan| {
        let terms = Terms { level, cases, insured: &insured.factors, short: &insured.short };
        let robustness = evaluate(scenario, &plan, &terms);
        Made { name, insured, plan, robustness }
    };
    let expected = core(scenario, &quick, progress)?.plan;
    let mut made = vec![judged("expected case", Insured::nothing(scenario), expected)];
    let required = Required::of(level, cases);
    if required.demand <= 1.0 && required.work <= 1.0 {
        return Ok(made);
    }
    progress("a plan that stands a surprise");
    let Some((insured, plan)) = furthest(scenario, required, &quick)? else { return Ok(made) };
    let variants = candidates::variants(&insured, &plan);
    made.push(judged("insured", insured, plan));
    let plans = parallel::map(&variants, |(_, variant)| core(&variant.scenario, &quick, &|_| {}));
    for ((name, insured), plan) in variants.into_iter().zip(plans) {
        match plan {
            Ok(studied) => made.push(judged(name, insured, studied.plan)),
            Err(SolveError::Infeasible(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(made)
}

/// The plan insured for all that is asked; where there is none, for the largest share of it that has one.
fn furthest(scenario: &Scenario, required: Required, quick: &Options) -> Result<Option<(Insured, Plan)>, SolveError> {
    let attempt = |share: f64| -> Result<Option<(Insured, Plan)>, SolveError> {
        let insured = Insured::of(scenario, required, share);
        match core(&insured.scenario, quick, &|_| {}) {
            Ok(studied) => Ok(Some((insured, studied.plan))),
            Err(SolveError::Infeasible(_)) => Ok(None),
            Err(other) => Err(other),
        }
    };
    if let Some(whole) = attempt(1.0)? {
        return Ok(Some(whole));
    }
    let (mut best, mut low, mut high) = (None, 0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        match attempt(middle)? {
            Some(found) => (best, low) = (Some(found), middle),
            None => high = middle,
        }
    }
    Ok(best)
}

/// Position of the best: of those that hold, else of those that hold furthest, the least objective; the first of equal ones.
fn choose(made: &[Made]) -> usize {
    let furthest = |one: &Made| one.robustness.gives_up_first.as_ref().map_or(MOST_FACTOR, |first| first.demand_factor);
    let most = made.iter().map(furthest).fold(0.0, f64::max);
    let any_holds = made.iter().any(|one| one.robustness.held);
    let counts = |one: &Made| if any_holds { one.robustness.held } else { furthest(one) >= most - 1e-9 };
    let objective = |one: &Made| one.robustness.usd_per_month.expected + one.robustness.tail_weight * one.robustness.usd_per_month.cvar_95;
    let best = made.iter().enumerate().filter(|(_, one)| counts(one)).min_by(|a, b| objective(a.1).total_cmp(&objective(b.1)));
    best.map_or(0, |(index, _)| index)
}
