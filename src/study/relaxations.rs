//! What one declared step of one limit would save: each step is solved again, exactly, and ranked.

use crate::domain::{Performance, Scenario, WorkloadKind};
use crate::formulation::Freedom;
use crate::parallel;
use crate::plan::outcome::{Binding, Relaxation, ScenarioEdit};
use crate::sizing::capacity;
use crate::solver::SolveError;
use crate::study::least_cost;
use crate::units::{Millis, Usd};

/// Savings below this many dollars a month are no reason to relax anything.
const WORTH_NAMING: f64 = 1.0;

/// Most relaxations named.
const MOST: usize = 12;

/// A candidate with the scenario under it.
struct Step {
    kind: &'static str,
    subject: String,
    change: String,
    set: Vec<ScenarioEdit>,
    scenario: Scenario,
}

/// Relaxations that save, best first.
pub fn of(scenario: &Scenario, least: Usd) -> Result<Vec<Relaxation>, SolveError> {
    let steps = steps(scenario);
    let solved = parallel::map(&steps, |step| least_cost(&step.scenario, &Freedom::FULL));
    let mut found = Vec::new();
    for (step, answer) in steps.into_iter().zip(solved) {
        let usd_per_month = match answer {
            Ok(usd) => usd,
            Err(SolveError::Infeasible(_)) => continue,
            Err(other) => return Err(other),
        };
        let saves = least - usd_per_month;
        if saves.as_f64() >= WORTH_NAMING {
            found.push(Relaxation {
                kind: step.kind.to_owned(),
                subject: step.subject,
                change: step.change,
                set: step.set,
                usd_per_month,
                saves_usd_per_month: saves,
            });
        }
    }
    found.sort_by(|a, b| b.saves_usd_per_month.cmp(&a.saves_usd_per_month).then_with(|| (&a.kind, &a.subject).cmp(&(&b.kind, &b.subject))));
    found.truncate(MOST);
    Ok(found)
}

/// Limits that bind: those of which one step saves.
#[must_use]
pub fn binding(_scenario: &Scenario, relaxations: &[Relaxation]) -> Vec<Binding> {
    relaxations
        .iter()
        .map(|r| Binding {
            limit: r.kind.clone(),
            subject: r.subject.clone(),
            detail: format!("{}: one step saves {} a month", r.change, r.saves_usd_per_month),
        })
        .collect()
}

fn edit(path: String, value: impl ToString) -> ScenarioEdit {
    ScenarioEdit { path, value: value.to_string() }
}

/// Every declared step.
fn steps(scenario: &Scenario) -> Vec<Step> {
    let mut steps = Vec::new();
    for index in 0..scenario.workloads.len() {
        steps.extend(slo(scenario, index));
        steps.extend(spot_share(scenario, index));
        steps.extend(precision(scenario, index));
        steps.extend(zero(scenario, index));
    }
    steps.extend((0..scenario.quotas.len()).map(|index| quota(scenario, index)));
    steps.extend(region(scenario));
    if !scenario.risk.allow_estimated {
        let mut changed = scenario.clone();
        changed.risk.allow_estimated = true;
        let set = vec![edit("risk.allow_estimated".to_owned(), true)];
        let change = "plan on operating points that are only estimated".to_owned();
        steps.push(Step { kind: "estimated", subject: "all workloads".to_owned(), change, set, scenario: changed });
    }
    if !scenario.risk.allow_scarce_release {
        let mut changed = scenario.clone();
        changed.risk.allow_scarce_release = true;
        let set = vec![edit("risk.allow_scarce_release".to_owned(), true)];
        let change = "release scarce accelerators in windows and count them as fallback".to_owned();
        steps.push(Step { kind: "scarce", subject: "all workloads".to_owned(), change, set, scenario: changed });
    }
    steps
}

/// Every latency limit of a service half as long again.
fn slo(scenario: &Scenario, index: usize) -> Option<Step> {
    let mut changed = scenario.clone();
    let name = scenario.workloads[index].id.to_string();
    let before = scenario.workloads[index].service()?;
    let WorkloadKind::Service(service) = &mut changed.workloads[index].kind else { return None };
    let mut set = Vec::new();
    for (key, limit) in [("ttft_ms", &mut service.slo.ttft), ("tpot_ms", &mut service.slo.tpot), ("latency_ms", &mut service.slo.latency)] {
        if let Some(limit) = limit {
            *limit = Millis(limit.0 * 1.5);
            set.push(edit(format!("workloads.{name}.slo.{key}"), limit.0));
        }
    }
    let points = &scenario.profiles[&scenario.workloads[index].profile].points;
    service.tables = service.tables.iter().filter_map(|table| capacity::carried_over(table, points, (before, service))).collect();
    let change = "latency limits half as long again".to_owned();
    Some(Step { kind: "slo", subject: name, change, set, scenario: changed })
}

/// A quarter more on spot (half, for a service that has none).
fn spot_share(scenario: &Scenario, index: usize) -> Option<Step> {
    let mut changed = scenario.clone();
    let workload = &mut changed.workloads[index];
    let before = workload.spot.max_share;
    if before >= 1.0 {
        return None;
    }
    let after = if before <= 0.0 { 0.5 } else { (before + 0.25).min(1.0) };
    workload.spot.max_share = after;
    let name = workload.id.to_string();
    let change = format!("up to {:.0}% on spot instead of {:.0}%", after * 100.0, before * 100.0);
    let set = vec![edit(format!("workloads.{name}.spot.max_share"), after)];
    Some(Step { kind: "spot_share", subject: name, change, set, scenario: changed })
}

/// Every precision that the profile knows.
fn precision(scenario: &Scenario, index: usize) -> Option<Step> {
    let mut changed = scenario.clone();
    let workload = &mut changed.workloads[index];
    let known = scenario.profiles[&workload.profile].points.iter().filter(|p| !matches!(p.performance, Performance::Job { .. }));
    let mut more: Vec<String> = known.map(|p| p.precision.clone()).filter(|p| !workload.precisions.contains(p)).collect();
    more.sort();
    more.dedup();
    if more.is_empty() {
        return None;
    }
    workload.precisions.extend(more.iter().cloned());
    let name = workload.id.to_string();
    let change = format!("accept {} as well", more.join(", "));
    let set = vec![edit(format!("workloads.{name}.precisions"), format!("[{}]", workload.precisions.join(", ")))];
    Some(Step { kind: "precision", subject: name, change, set, scenario: changed })
}

/// Zero replicas when nobody asks, where a metric could wake the service.
fn zero(scenario: &Scenario, index: usize) -> Option<Step> {
    let mut changed = scenario.clone();
    let name = scenario.workloads[index].id.to_string();
    let WorkloadKind::Service(service) = &mut changed.workloads[index].kind else { return None };
    let wakes = service.scaling.metrics.as_ref().is_some_and(|m| m.survives_pods);
    if service.scaling.scale_to_zero || !wakes {
        return None;
    }
    service.scaling.scale_to_zero = true;
    let set = vec![edit(format!("workloads.{name}.scaling.scale_to_zero"), true)];
    Some(Step { kind: "scale_to_zero", subject: name, change: "zero replicas when nobody asks".to_owned(), set, scenario: changed })
}

/// Half as much quota again.
fn quota(scenario: &Scenario, index: usize) -> Step {
    let mut changed = scenario.clone();
    let quota = &mut changed.quotas[index];
    let before = quota.limit;
    quota.limit = (before * 1.5).ceil();
    let (name, after) = (quota.id.to_string(), quota.limit);
    let change = format!("{after:.0} {} instead of {before:.0}", quota.unit.as_str());
    let set = vec![edit(format!("quotas.{name}.limit"), after)];
    Step { kind: "quota", subject: name, change, set, scenario: changed }
}

/// One more region of the same cloud, each in turn.
fn region(scenario: &Scenario) -> Vec<Step> {
    let mut regions: Vec<_> = scenario.elsewhere.iter().map(|o| o.region.clone()).collect();
    regions.sort();
    regions.dedup();
    regions
        .into_iter()
        .map(|region| {
            let mut changed = scenario.clone();
            changed.offerings.extend(scenario.elsewhere.iter().filter(|o| o.region == region).cloned());
            changed
                .offerings
                .sort_by(|a, b| (&a.instance_type, &a.region, a.capacity_type).cmp(&(&b.instance_type, &b.region, b.capacity_type)));
            changed.regions.push(region.clone());
            changed.regions.sort();
            let list: Vec<String> = changed.regions.iter().map(ToString::to_string).collect();
            let set = vec![edit("regions".to_owned(), format!("[{}]", list.join(", ")))];
            let change = match &scenario.network {
                Some(_) => format!("use {region} as well (distance and traffic as the scenario's `network` has them)"),
                None => format!("use {region} as well (traffic between regions is not priced)"),
            };
            Step { kind: "region", subject: region.to_string(), change, set, scenario: changed }
        })
        .collect()
}
