//! The whole program in one function: what cannot be met, the plan, and the independent check of it.

use crate::check::{self, Finding};
use crate::diagnostic::Diagnostic;
use crate::domain::Scenario;
use crate::feasibility;
use crate::plan::Plan;
use crate::solver::SolveError;
use crate::study::{self, Options, Progress, Studied};

/// Why there is no plan.
#[derive(Debug)]
pub enum PlanError {
    /// No plan can meet the scenario; every reason.
    Infeasible(Vec<Diagnostic>),
    /// The solver found none, or gave up.
    Solve(SolveError),
    /// The checker found faults in the plan: a fault of ours, and the plan is not handed out.
    Unsound(Vec<Finding>),
}

/// Plans a scenario and never hands out a plan that cannot be defended.
///
/// # Errors
/// See [`PlanError`].
pub fn plan(scenario: &Scenario, options: &Options, progress: Progress<'_>) -> Result<Plan, PlanError> {
    full(scenario, options, progress).map(|studied| studied.plan)
}

/// The same with the full plans of its alternatives, which the checker has passed as well.
///
/// # Errors
/// See [`PlanError`].
pub fn full(scenario: &Scenario, options: &Options, progress: Progress<'_>) -> Result<Studied, PlanError> {
    let faults = feasibility::check(scenario);
    if !faults.is_empty() {
        return Err(PlanError::Infeasible(faults));
    }
    let studied = study::plan(scenario, options, progress).map_err(PlanError::Solve)?;
    progress("independent check");
    let findings: Vec<Finding> =
        std::iter::once(&studied.plan).chain(&studied.alternatives).flat_map(|plan| check::plan(scenario, plan)).collect();
    if findings.is_empty() { Ok(studied) } else { Err(PlanError::Unsound(findings)) }
}
