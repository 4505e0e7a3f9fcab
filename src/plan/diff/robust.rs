//! What a plan stands, and its alternatives, as fields.

use super::fields::{Facts, facts, value};
use crate::plan::{Alternative, CaseOutcome, Robustness, Spread};

/// Everything but the cases; each workload's hold under its own name.
pub fn facts_of(robustness: &Robustness) -> Facts {
    let Robustness {
        level,
        required_demand_factor,
        required_work_factor,
        held,
        usd_per_month,
        attainment,
        insurance_usd_per_month,
        tail_weight,
        candidates,
        cases: _,
        holds,
        gives_up_first,
        replayed,
    } = robustness;
    let mut out = facts![""; level, required_demand_factor, required_work_factor, held, insurance_usd_per_month, tail_weight];
    for (prefix, spread) in [("usd_per_month.", usd_per_month), ("attainment.", attainment)] {
        let Spread { expected, worst, cvar_95 } = spread;
        out.extend(facts![prefix; expected, worst, cvar_95]);
    }
    out.extend(holds.iter().map(|hold| (format!("holds.{}", hold.workload), value(hold))));
    out.extend(candidates.iter().map(|candidate| (format!("candidates.{}", candidate.name), value(candidate))));
    out.extend(facts![""; gives_up_first, replayed]);
    out
}

/// A case.
pub fn case(case: &CaseOutcome) -> (String, Facts) {
    let CaseOutcome {
        name,
        probability,
        demand_factor,
        burst_factor,
        spot_price_factor,
        hazard_factor,
        availability_factor,
        usd_per_month,
        saving,
        attainment,
        workloads,
    } = case;
    let mut out = facts![""; usd_per_month, saving, attainment, probability, demand_factor, burst_factor, spot_price_factor];
    out.extend(facts![""; hazard_factor, availability_factor]);
    out.extend(workloads.iter().map(|w| (format!("workloads.{}", w.name), value(w))));
    (name.clone(), out)
}

/// An alternative.
pub fn alternative(alternative: &Alternative) -> (String, Facts) {
    let Alternative { name, usd_per_month, saving, instance_types, spot_exposure, changed_nodes, differs, replay } = alternative;
    (name.clone(), facts![""; usd_per_month, saving, instance_types, spot_exposure, changed_nodes, differs, replay])
}
