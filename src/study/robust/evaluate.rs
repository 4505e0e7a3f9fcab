//! A plan held against the cases: cost and attainment of each, and how far every workload holds.

use super::{bill, run, spread, week};
use crate::domain::uncertainty::Required;
use crate::domain::{Case, RiskLevel, Scenario};
use crate::plan::from_solution::share_saved;
use crate::plan::{CaseOutcome, CaseWorkload, GivesUp, Hold, Plan, Robustness};
use crate::units::Usd;
use std::collections::BTreeMap;

/// What a plan is judged by.
pub struct Terms<'a> {
    /// Level.
    pub level: RiskLevel,
    /// Cases.
    pub cases: &'a [Case],
    /// Factors that each workload was planned to hold; 1 where it is not named.
    pub insured: &'a BTreeMap<String, f64>,
    /// Why a workload was planned to hold less than the level asks for.
    pub short: &'a BTreeMap<String, String>,
}

/// How far two factors may lie apart and still be the same.
const SAME: f64 = 1e-6;

/// The plan in every case. What weighing it against other plans says is filled in by who does that.
#[must_use]
pub fn evaluate(scenario: &Scenario, plan: &Plan, terms: &Terms<'_>) -> Robustness {
    let services: Vec<week::Part<'_>> = plan.workloads.iter().filter_map(|w| week::Part::of(scenario, plan, w)).collect();
    let jobs: Vec<run::Part<'_>> = plan.workloads.iter().filter_map(|w| run::Part::of(scenario, plan, w)).collect();
    let cases: Vec<CaseOutcome> = terms.cases.iter().map(|case| outcome(plan, (&services, &jobs), case)).collect();
    let required = Required::of(terms.level, terms.cases);
    let mut holds: Vec<Hold> = services.iter().map(|part| of_service(part, (terms, required.demand))).collect();
    holds.extend(jobs.iter().map(|part| of_job(part, (terms, required.work))));
    holds.sort_by(|a, b| a.workload.cmp(&b.workload));
    let costs: Vec<(f64, f64)> = cases.iter().map(|c| (c.probability, c.usd_per_month.as_f64())).collect();
    let shares: Vec<(f64, f64)> = cases.iter().map(|c| (c.probability, c.attainment)).collect();
    Robustness {
        level: terms.level.as_str().to_owned(),
        required_demand_factor: required.demand,
        required_work_factor: required.work,
        held: holds.iter().all(|hold| hold.held),
        usd_per_month: spread::of_costs(&costs),
        attainment: spread::of_shares(&shares),
        insurance_usd_per_month: Usd::ZERO,
        tail_weight: terms.level.tail_weight(),
        candidates: Vec::new(),
        gives_up_first: first(&holds),
        cases,
        holds,
        replayed: None,
    }
}

fn outcome(plan: &Plan, parts: (&[week::Part<'_>], &[run::Part<'_>]), case: &Case) -> CaseOutcome {
    let (services, jobs) = parts;
    let usd_per_month = bill::of(plan, parts, case);
    let mut workloads = Vec::new();
    let (mut met, mut requests) = (0.0, 0.0);
    for part in services {
        let attainment = part.attainment(case);
        let asked = part.service.demand.requests_per_week();
        (met, requests) = (met + attainment * asked, requests + asked);
        let objective = part.service.slo.attainment;
        workloads.push(CaseWorkload { name: part.plan.name.clone(), attainment, met: attainment >= objective - SAME });
    }
    let runs: Vec<f64> = jobs.iter().map(|part| part.attainment(case)).collect();
    for (part, attainment) in jobs.iter().zip(&runs) {
        workloads.push(CaseWorkload { name: part.plan.name.clone(), attainment: *attainment, met: *attainment >= 1.0 });
    }
    workloads.sort_by(|a, b| a.name.cmp(&b.name));
    let of_runs = if runs.is_empty() { 1.0 } else { runs.iter().sum::<f64>() / runs.len() as f64 };
    CaseOutcome {
        name: case.name.clone(),
        probability: case.probability,
        demand_factor: case.demand,
        burst_factor: case.burst,
        spot_price_factor: case.spot_price,
        hazard_factor: case.hazard,
        availability_factor: case.availability,
        usd_per_month,
        saving: share_saved(usd_per_month, plan.baseline.usd_per_month),
        attainment: if requests > 0.0 { met / requests } else { of_runs },
        workloads,
    }
}

fn of_service(part: &week::Part<'_>, (terms, required): (&Terms<'_>, f64)) -> Hold {
    let most = (0..crate::units::HOURS_PER_WEEK).map(|hour| part.limit(hour)).max().unwrap_or(0);
    let added = most - part.planned_most().min(most);
    let ends = if part.follows() {
        format!("the {most} replicas that its autoscaler may have")
    } else {
        "the replicas that stand there in its tightest hour".to_owned()
    };
    hold(
        (&part.plan.name, part.holds()),
        (terms, required),
        Ends { words: ends, added, late_s: if added > 0 { part.late_s() } else { 0.0 } },
    )
}

fn of_job(part: &run::Part<'_>, (terms, required): (&Terms<'_>, f64)) -> Hold {
    let ends = Ends { words: "the deadline of its tightest run".to_owned(), added: 0, late_s: 0.0 };
    hold((&part.plan.name, part.holds()), (terms, required), ends)
}

/// What ends a hold.
struct Ends {
    words: String,
    added: u32,
    late_s: f64,
}

fn hold((name, factor): (&str, f64), (terms, required): (&Terms<'_>, f64), ends: Ends) -> Hold {
    let held = factor >= required - SAME;
    let why = terms.short.get(name).filter(|_| !held).map_or_else(String::new, |why| format!("; {why}"));
    Hold {
        workload: name.to_owned(),
        insured_factor: terms.insured.get(name).copied().unwrap_or(1.0),
        demand_factor: factor,
        held,
        added_by_autoscaler: ends.added,
        late_s: ends.late_s,
        limited_by: format!("{}{why}", ends.words),
    }
}

/// The least factor; the first by name of equal ones.
fn first(holds: &[Hold]) -> Option<GivesUp> {
    let least = holds.iter().min_by(|a, b| a.demand_factor.total_cmp(&b.demand_factor))?;
    Some(GivesUp { workload: least.workload.clone(), demand_factor: least.demand_factor })
}
