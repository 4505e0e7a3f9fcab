//! What the plan says that it stands: cases, their costs and shares, spreads, holds, insurance; and its alternatives.
//!
//! The mean of the worst twentieth is recomputed as Rockafellar and Uryasev define it: `min over z of z + sum p max(0, x - z)/0.05`.

use super::finding::{Dollars, Family, Finding, first_hour};
use super::quota;
use super::surprise::{self, Asked};
use super::tolerance::{USD, at_most, same, same_usd};
use super::view::View;
use crate::domain::{Case, RiskLevel};
use crate::plan::{CaseOutcome, CaseWorkload, Hold, Robustness, Spread};
use crate::units::HOURS_PER_WEEK;

/// The part of the probability whose mean is the conditional value at risk.
const WORST: f64 = 0.05;
/// An alternative costs at most so much of least cost.
const WITHIN: f64 = 1.02;
/// Kinds of alternatives.
const ALTERNATIVES: [&str; 3] = ["fewest-instance-types", "least-spot", "fewest-changes"];

/// Checks what the plan stands, where that is asked or said, and its alternatives.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = alternatives(view);
    match &view.plan.robustness {
        Some(stated) => findings.extend(stands(view, stated)),
        None if view.scenario.uncertainty.asked(None).is_some() => {
            findings.push(finding("plan", "the scenario asks what the plan stands, and the plan does not say"));
        }
        None => {}
    }
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Robustness, subject, message)
}

fn stands(view: &View<'_>, stated: &Robustness) -> Vec<Finding> {
    let cases = view.scenario.uncertainty.cases();
    let mut findings = named(stated, &cases);
    let insured = |name: &str| stated.holds.iter().find(|h| h.workload == name).map_or(1.0, |h| h.insured_factor);
    let services: Vec<Asked<'_, '_>> =
        view.promised().map(|service| Asked { service, insured: insured(service.common.name()).max(1.0) }).collect();
    findings.extend(services.iter().filter_map(|asked| insurance_is_there(view, asked)));
    for (case, outcome) in cases.iter().zip(&stated.cases) {
        findings.extend(of_case(view, (&services, case), outcome));
    }
    findings.extend(spreads(stated));
    findings.extend(holds(view, &services, stated));
    findings.extend(limits(view, &services));
    findings.extend(weighed(view, stated));
    findings.extend(replayed(view, stated));
    findings
}

/// Level, what it asks for, and the cases as the scenario (or the default set) has them.
fn named(stated: &Robustness, cases: &[Case]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let level = [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High].into_iter().find(|level| level.as_str() == stated.level);
    let asked = level.map_or((f64::NAN, f64::NAN, f64::NAN), |level| {
        let (demand, work) = (ninth_tenth(cases, |c| c.demand * c.burst), ninth_tenth(cases, |c| c.demand));
        match level {
            RiskLevel::Low => (1.0, 1.0, 0.0),
            RiskLevel::Medium => (demand, work, 0.25),
            RiskLevel::High => (demand.max(1.5), work, 0.5),
        }
    });
    for (what, wanted, found) in [
        ("factor on demand that the level asks for", asked.0, stated.required_demand_factor),
        ("factor on work that the level asks for", asked.1, stated.required_work_factor),
        ("weight of the worst cases", asked.2, stated.tail_weight),
    ] {
        if !same(wanted, found) {
            findings.push(finding(&stated.level, format!("another {what}")).differs(wanted, found));
        }
    }
    if cases.len() != stated.cases.len() {
        findings.push(finding("cases", "another number of cases").differs(cases.len(), stated.cases.len()));
    }
    let sum: f64 = stated.cases.iter().map(|c| c.probability).sum();
    if (sum - 1.0).abs() > 1e-6 {
        findings.push(finding("cases", "the probabilities do not sum to 1").differs(1.0, sum));
    }
    for (case, found) in cases.iter().zip(&stated.cases) {
        let factors = [
            (case.probability, found.probability),
            (case.demand, found.demand_factor),
            (case.burst, found.burst_factor),
            (case.spot_price, found.spot_price_factor),
            (case.hazard, found.hazard_factor),
            (case.availability, found.availability_factor),
        ];
        if case.name != found.name || factors.iter().any(|(wanted, found)| !same(*wanted, *found)) {
            findings.push(finding(&found.name, "another case than the scenario has").differs(case.name.as_str(), found.name.as_str()));
        }
    }
    findings
}

/// The least factor that nine tenths of the cases do not pass; 1 at the least.
fn ninth_tenth(cases: &[Case], factor: impl Fn(&Case) -> f64) -> f64 {
    let below = |limit: f64| cases.iter().filter(|c| factor(c) <= limit).map(|c| c.probability).sum::<f64>();
    let enough = cases.iter().map(&factor).filter(|limit| below(*limit) >= 0.9 - 1e-9);
    enough.fold(f64::INFINITY, f64::min).max(1.0)
}

/// Nobody is said to be insured for more than its planning load was raised by.
fn insurance_is_there(view: &View<'_>, asked: &Asked<'_, '_>) -> Option<Finding> {
    let name = asked.service.common.name();
    let stands = asked.service.common.plan.mode != "reactive";
    let known = view.plan.workloads.iter().find(|w| w.name == name).and_then(|w| w.service.as_ref())?;
    let most = known.load_factor;
    (stands && !at_most(asked.insured, most))
        .then(|| finding(name, "insured for more than its load was raised by").differs(most, asked.insured))
}

fn of_case(view: &View<'_>, (services, case): (&[Asked<'_, '_>], &Case), stated: &CaseOutcome) -> Vec<Finding> {
    let mut findings = Vec::new();
    let subject = stated.name.as_str();
    let usd = surprise::cost(view, services, case);
    if !same_usd(usd, stated.usd_per_month.as_f64()) {
        findings.push(finding(subject, "another cost a month").differs(Dollars(usd), Dollars(stated.usd_per_month.as_f64())));
    }
    let baseline = view.plan.baseline.usd_per_month.as_f64();
    let saving = if baseline > 0.0 { 1.0 - stated.usd_per_month.as_f64() / baseline } else { 0.0 };
    if !same(saving, stated.saving) {
        findings.push(finding(subject, "another saving, share of the baseline").differs(saving, stated.saving));
    }
    let mut wanted: Vec<(&str, f64, f64)> = Vec::new();
    let (mut met, mut requests) = (0.0, 0.0);
    for asked in services {
        let share = asked.attainment(view, case);
        let weight: f64 = asked.service.service.demand.mean_rps.iter().sum();
        (met, requests) = (met + share * weight, requests + weight);
        wanted.push((asked.service.common.name(), share, asked.service.service.slo.attainment));
    }
    let jobs: Vec<_> = view.jobs.iter().filter(|job| !job.common.frozen).collect();
    let runs: Vec<f64> = jobs.iter().map(|job| surprise::runs_in_time(view, job, case)).collect();
    wanted.extend(jobs.iter().zip(&runs).map(|(job, share)| (job.common.name(), *share, 1.0)));
    wanted.sort_by(|a, b| a.0.cmp(b.0));
    let of_runs = if runs.is_empty() { 1.0 } else { runs.iter().sum::<f64>() / runs.len() as f64 };
    let all = if requests > 0.0 { met / requests } else { of_runs };
    if !same(all, stated.attainment) {
        findings.push(finding(subject, "another share of requests within their limits").differs(all, stated.attainment));
    }
    findings.extend(of_workloads(subject, &wanted, &stated.workloads));
    findings
}

/// Name, share and objective of each against what is stated.
fn of_workloads(case: &str, wanted: &[(&str, f64, f64)], stated: &[CaseWorkload]) -> Vec<Finding> {
    if wanted.len() != stated.len() {
        return vec![finding(case, "another number of workloads").differs(wanted.len(), stated.len())];
    }
    let mut findings = Vec::new();
    for ((name, share, objective), found) in wanted.iter().zip(stated) {
        if *name != found.name || !same(*share, found.attainment) {
            let message = format!("another share within the limits in case `{case}`");
            findings.push(finding(&found.name, message).differs(*share, found.attainment));
        }
        let met = *share >= objective - 1e-6;
        if met != found.met {
            findings.push(finding(&found.name, format!("met or not in case `{case}`")).differs(met, found.met));
        }
    }
    findings
}

fn spreads(stated: &Robustness) -> Vec<Finding> {
    let of = |value: &dyn Fn(&CaseOutcome) -> f64| -> Vec<(f64, f64)> {
        stated.cases.iter().map(|case| (case.probability, value(case))).collect()
    };
    let costs = spread(&of(&|case| case.usd_per_month.as_f64()));
    // Less is worse of a share.
    let losses = spread(&of(&|case| -case.attainment));
    let shares = Spread { expected: -losses.expected, worst: -losses.worst, cvar_95: -losses.cvar_95 };
    let mut findings = Vec::new();
    for (what, wanted, found) in [("cost", costs, stated.usd_per_month), ("share within the limits", shares, stated.attainment)] {
        let numbers = [
            ("expected", wanted.expected, found.expected),
            ("worst", wanted.worst, found.worst),
            ("mean of the worst", wanted.cvar_95, found.cvar_95),
        ];
        let wrong = numbers.into_iter().filter(|(_, wanted, found)| !same(*wanted, *found));
        findings.extend(wrong.map(|(which, wanted, found)| finding("cases", format!("another {which} {what}")).differs(wanted, found)));
    }
    findings
}

/// Mean, worst and conditional value at risk of a loss.
fn spread(cases: &[(f64, f64)]) -> Spread {
    let at = |z: f64| z + cases.iter().map(|(p, x)| p * (x - z).max(0.0)).sum::<f64>() / WORST;
    Spread {
        expected: cases.iter().map(|(p, x)| p * x).sum(),
        worst: cases.iter().map(|(_, x)| *x).fold(f64::NEG_INFINITY, f64::max),
        // The minimum over z is at one of the values.
        cvar_95: cases.iter().map(|(_, x)| at(*x)).fold(f64::INFINITY, f64::min),
    }
}

fn holds(view: &View<'_>, services: &[Asked<'_, '_>], stated: &Robustness) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wanted: Vec<(&str, f64, f64, (u32, f64))> = Vec::new();
    for asked in services {
        let most = (0..HOURS_PER_WEEK).map(|t| asked.limit(t)).max().unwrap_or(0);
        let planned = (0..HOURS_PER_WEEK).map(|t| asked.service.total(t)).max().unwrap_or(0);
        let added = most.saturating_sub(planned);
        let late_s = if added > 0 { asked.late_s() } else { 0.0 };
        wanted.push((asked.service.common.name(), asked.holds(), stated.required_demand_factor, (added, late_s)));
    }
    for job in view.jobs.iter().filter(|job| !job.common.frozen) {
        wanted.push((job.common.name(), surprise::job_holds(view, job), stated.required_work_factor, (0, 0.0)));
    }
    wanted.sort_by(|a, b| a.0.cmp(b.0));
    if wanted.len() != stated.holds.len() {
        return vec![finding("holds", "another number of workloads").differs(wanted.len(), stated.holds.len())];
    }
    for ((name, factor, asked, late), hold) in wanted.iter().zip(&stated.holds) {
        findings.extend(of_hold((name, *factor, *asked), *late, hold));
    }
    let all = stated.holds.iter().all(|hold| hold.held);
    if all != stated.held {
        findings.push(finding("holds", "held or not, by its workloads").differs(all, stated.held));
    }
    let least = wanted.iter().map(|w| w.1).fold(f64::INFINITY, f64::min);
    let first = stated.gives_up_first.as_ref();
    let known = first.is_none_or(|f| wanted.iter().any(|w| w.0 == f.workload && same(w.1, least) && same(f.demand_factor, least)));
    if !known || first.is_none() != wanted.is_empty() {
        findings.push(finding("holds", "another workload gives up first").differs(least, first.map(|f| f.workload.clone())));
    }
    findings
}

fn of_hold((name, factor, asked): (&str, f64, f64), (added, late_s): (u32, f64), stated: &Hold) -> Vec<Finding> {
    let mut findings = Vec::new();
    if name != stated.workload || !same(factor, stated.demand_factor) {
        findings.push(finding(&stated.workload, "holds up to another factor").differs(factor, stated.demand_factor));
    }
    let held = factor >= asked - 1e-6;
    if held != stated.held {
        findings.push(finding(&stated.workload, "holds what the level asks for or not").differs(held, stated.held));
    }
    if added != stated.added_by_autoscaler || !same(late_s, stated.late_s) {
        findings.push(finding(&stated.workload, "other replicas come late").differs(added, stated.added_by_autoscaler));
    }
    if !(1.0..=100.0).contains(&stated.insured_factor) {
        findings.push(finding(&stated.workload, "insured for less than its demand").differs(1.0, stated.insured_factor));
    }
    findings
}

/// What services may follow up to is allowed, has its nodes, and fits the quotas with everything else.
fn limits(view: &View<'_>, services: &[Asked<'_, '_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for asked in services {
        let most = (0..HOURS_PER_WEEK).map(|t| asked.limit(t)).max().unwrap_or(0);
        if let Some(allowed) = asked.service.service.scaling.max_replicas.filter(|allowed| most > *allowed) {
            findings.push(finding(asked.service.common.name(), "may follow beyond what its owner allows").differs(allowed, most));
        }
    }
    let more = |pool: &str, hour: usize| -> u32 {
        let mine = services.iter().filter(|a| a.service.decided.flex.as_ref().is_some_and(|f| f.pool == pool));
        mine.map(|a| a.count(hour, a.insured).saturating_sub(a.service.total(hour))).sum()
    };
    for pool in view.pools.iter().filter(|p| !p.shared) {
        let claims: Vec<_> = view.claims.iter().filter(|c| c.pool == pool.pool.name).collect();
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| {
            let needed = claims.iter().map(|c| f64::from(c.peak[t])).sum::<f64>() + f64::from(more(&pool.pool.name, t));
            let most = f64::from(pool.pool.max_nodes);
            (!at_most(needed, most)).then(|| finding(&pool.pool.name, "no nodes to follow up to").at(t).differs(needed, most))
        })));
    }
    for group in &view.scenario.quotas {
        let pools: Vec<_> = view.pools.iter().filter(|p| !p.shared && quota::covers(group, p)).collect();
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| {
            let follow: f64 = pools.iter().map(|p| quota::units(group.unit, p) * f64::from(more(&p.pool.name, t))).sum();
            let used = quota::used(view, group, t) + follow;
            let message = "no room in the quota to follow up to what is insured";
            (follow > 0.0 && !at_most(used, group.limit)).then(|| finding(group.id.as_str(), message).at(t).differs(group.limit, used))
        })));
    }
    findings
}

/// The plan is the best of those that were weighed, and its insurance is counted from the first of them.
fn weighed(view: &View<'_>, stated: &Robustness) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(low) = stated.candidates.first() else { return vec![finding("candidates", "nothing was weighed")] };
    let insurance = view.plan.cost.usd_per_month.as_f64() - low.usd_per_month.as_f64();
    if !same_usd(insurance, stated.insurance_usd_per_month.as_f64()) {
        let found = Dollars(stated.insurance_usd_per_month.as_f64());
        findings.push(finding("insurance", "costs another amount").differs(Dollars(insurance), found));
    }
    let chosen: Vec<_> = stated.candidates.iter().filter(|c| c.chosen).collect();
    if chosen.len() > 1 {
        findings.push(finding("candidates", "more than one was chosen").differs(1_usize, chosen.len()));
    }
    let Some(chosen) = chosen.first() else { return findings };
    let numbers = [
        (view.plan.cost.usd_per_month.as_f64(), chosen.usd_per_month.as_f64()),
        (stated.usd_per_month.expected, chosen.expected_usd_per_month),
        (stated.usd_per_month.cvar_95, chosen.cvar_95_usd_per_month),
    ];
    if numbers.iter().any(|(wanted, found)| !same(*wanted, *found)) || chosen.held != stated.held {
        findings.push(finding(&chosen.name, "was chosen, and the plan has other numbers"));
    }
    let objective = |c: &crate::plan::Candidate| c.expected_usd_per_month + stated.tail_weight * c.cvar_95_usd_per_month;
    let better = stated.candidates.iter().find(|c| c.held && (!chosen.held || objective(c) < objective(chosen) - USD));
    findings.extend(better.map(|c| finding(&c.name, "holds and is better than what was chosen").differs(objective(c), objective(chosen))));
    findings
}

/// A replay at a higher demand names workloads of the plan, and somebody gives up first exactly where one misses.
fn replayed(view: &View<'_>, stated: &Robustness) -> Vec<Finding> {
    let Some(replay) = &stated.replayed else { return Vec::new() };
    let mut findings = Vec::new();
    if stated.level != RiskLevel::High.as_str() || !same(1.5, replay.demand_factor) {
        findings.push(finding("replay", "at another demand than the level stands").differs(1.5, replay.demand_factor));
    }
    let unknown = replay.workloads.iter().find(|w| !view.plan.workloads.iter().any(|own| own.name == w.name));
    findings.extend(unknown.map(|w| finding(&w.name, "replayed, and not planned")));
    let first = replay.gives_up_first.as_deref();
    let agrees = match first {
        None => replay.workloads.iter().all(|w| w.met),
        Some(first) => replay.workloads.iter().any(|w| w.name == first && !w.met),
    };
    if !agrees {
        findings
            .push(finding("replay", "somebody gives up first where one misses").differs("a workload that misses", first.unwrap_or("none")));
    }
    findings
}

fn alternatives(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let plan = view.plan;
    let (least, bound) = (plan.optimality.usd_per_month.as_f64(), plan.optimality.bound_usd_per_month.as_f64());
    let baseline = plan.baseline.usd_per_month.as_f64();
    for (index, other) in plan.alternatives.iter().enumerate() {
        let usd = other.usd_per_month.as_f64();
        if !ALTERNATIVES.contains(&other.name.as_str()) || plan.alternatives[..index].iter().any(|o| o.name == other.name) {
            findings.push(finding(&other.name, "no such alternative, or twice").differs(ALTERNATIVES.join(", "), other.name.as_str()));
        }
        if usd > least * WITHIN + USD || usd < bound - USD {
            let range = format!("{bound:.2} to {:.2}", least * WITHIN);
            findings.push(finding(&other.name, "not within 2% of least cost, $ a month").differs(range, Dollars(usd)));
        }
        let saving = if baseline > 0.0 { 1.0 - usd / baseline } else { 0.0 };
        if !same(saving, other.saving) {
            findings.push(finding(&other.name, "another saving, share of the baseline").differs(saving, other.saving));
        }
    }
    findings
}
