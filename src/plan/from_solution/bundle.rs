//! Servers that several services share: the server as a workload of its own, and what each member is in it.

use super::{Context, one, pools::Billed, windows};
use crate::domain::{Profile, ProfileKind, Scenario, Workload};
use crate::formulation::bundle::{BundleOption, INTERFERENCE_SOURCE, interference};
use crate::formulation::columns::{Column, Decision};
use crate::formulation::problem::{Problem, WorkloadOptions};
use crate::plan::{Bundle, BundleMember, ChosenVariant, ResourceRequests, Window};
use crate::units::{HOURS_PER_WEEK, Usd};
use std::collections::BTreeMap;

/// Longest that a request waits for company in a batch, microseconds: short against every latency limit that Triton's curves meet.
const QUEUE_DELAY_US: u64 = 500;

/// Where a server's rates come from: its models' own, added up as parts of a card's time.
pub const MIX: &str = "mix";

/// Parts of a card's time that the models take in the hour in which they take the most.
fn busiest(scenario: &Scenario, (unit, option): (&WorkloadOptions, &BundleOption)) -> f64 {
    let peak =
        |member: usize, hour: usize| scenario.workloads[member].service().map_or(0.0, |s| s.demand.peak_rps[hour] * s.demand.insured);
    let used = |hour: usize| -> f64 { unit.members.iter().zip(&option.alone_rps).map(|(&m, rps)| peak(m, hour) / rps).sum() };
    (0..HOURS_PER_WEEK).map(used).fold(0.0, f64::max)
}

/// The option that a column of a bundle has chosen.
#[must_use]
pub fn chosen<'a>(problem: &'a Problem, column: &Column) -> Option<(&'a WorkloadOptions, &'a BundleOption)> {
    let unit = &problem.workloads[column.workload];
    let Decision::Service { option, .. } = &column.decision else { return None };
    unit.bundle.as_ref().and_then(|bundle| bundle.options.get(*option)).map(|option| (unit, option))
}

/// The scenario with a profile for each server that runs, so that a server is read like any service.
#[must_use]
pub fn with_servers(scenario: &Scenario, problem: &Problem, columns: &[Column]) -> Scenario {
    let mut extended = scenario.clone();
    for column in columns {
        let (Some((unit, option)), Some(bundle)) = (chosen(problem, column), &problem.workloads[column.workload].bundle) else { continue };
        let id = option.workload.profile.clone();
        extended.profiles.insert(
            id.clone(),
            Profile {
                id,
                kind: ProfileKind::Request,
                title: format!("{} models in one server", unit.members.len()),
                work_unit: None,
                points: vec![option.point.clone()],
                cold_start: bundle.cold_start,
                checkpoint: None,
                divisible: false,
                sha256: String::new(),
            },
        );
    }
    extended
}

/// Bundles with the windows of their servers.
#[must_use]
pub fn of(
    (scenario, problem): (&Scenario, &Problem),
    columns: &[Column],
    (names, billed): (&BTreeMap<usize, String>, &Billed),
) -> (Vec<Bundle>, Vec<Window>) {
    let (mut bundles, mut all_windows) = (Vec::new(), Vec::new());
    for column in columns {
        let Some((unit, option)) = chosen(problem, column) else { continue };
        let context = Context { scenario, problem, workload: &option.workload, index: column.workload, column, names };
        let usd_per_month = billed.by_workload.get(unit.id.as_str()).copied().unwrap_or(Usd::ZERO);
        let mut host = one(&context, usd_per_month, Usd::ZERO);
        host.kind = "bundle".to_owned();
        host.why = vec![format!(
            "{} models are parts of {:.2} of a card's time in their busiest hour, and their memory fits into one",
            unit.members.len(),
            busiest(scenario, (unit, option))
        )];
        if let Some(service) = &mut host.service {
            service.capacity_source = MIX.to_owned();
        }
        all_windows.extend(windows::of(&context));
        let limits = |w: &Workload| w.service().and_then(|s| s.slo.latency).map_or(f64::INFINITY, |l| l.0);
        let mut members: Vec<BundleMember> =
            (0..unit.members.len()).filter_map(|position| member(scenario, (unit, option), position)).collect();
        // The shorter the limit, the more urgent.
        let mut by_limit: Vec<f64> = unit.members.iter().map(|&m| limits(&scenario.workloads[m])).collect();
        by_limit.sort_by(f64::total_cmp);
        by_limit.dedup();
        for (member, &index) in members.iter_mut().zip(&unit.members) {
            let limit = limits(&scenario.workloads[index]);
            member.priority = by_limit.iter().position(|l| l.total_cmp(&limit).is_eq()).map_or(1, |rank| rank as u32 + 1);
        }
        let interference = interference(members.len());
        bundles.push(Bundle { host, members, interference, interference_source: INTERFERENCE_SOURCE.to_owned() });
    }
    (bundles, all_windows)
}

fn member(scenario: &Scenario, (unit, option): (&WorkloadOptions, &BundleOption), position: usize) -> Option<BundleMember> {
    let workload = &scenario.workloads[unit.members[position]];
    let service = workload.service()?;
    let point = &scenario.profiles[&workload.profile].points[option.points[position]];
    let most = match &point.performance {
        crate::domain::Performance::Request { knots } => knots.iter().map(|k| k.concurrency).fold(1.0, f64::max),
        _ => 1.0,
    };
    Some(BundleMember {
        workload: workload.id.to_string(),
        model: workload.id.as_str().replace('-', "_"),
        precision: point.precision.clone(),
        evidence: point.evidence.as_str().to_owned(),
        source: format!("{}, {}", point.source, point.as_of),
        gpu_memory_gib: point.gpu_memory.0,
        instances: 1,
        max_batch_size: most.round() as u32,
        max_queue_delay_us: QUEUE_DELAY_US,
        priority: 1,
        slo: super::service::slo(&service.slo),
        load_factor: service.demand.load_factor * service.demand.insured,
        planning_load_rps: service.demand.peak_rps.iter().map(|peak| peak * service.demand.insured).collect(),
        mean_load_rps: service.demand.mean_rps.clone(),
        alone_rps: option.alone_rps[position],
    })
}

/// A member's part of its server's cost, by the time of the card that its mean load takes.
#[must_use]
pub fn shares(scenario: &Scenario, (unit, option): (&WorkloadOptions, &BundleOption), usd_per_month: Usd) -> Vec<Usd> {
    let taken = |(&member, rps): (&usize, &f64)| -> f64 {
        let mean = scenario.workloads[member].service().map_or(0.0, |s| s.demand.mean_rps.iter().sum::<f64>());
        mean / (HOURS_PER_WEEK as f64 * rps)
    };
    let taken: Vec<f64> = unit.members.iter().zip(&option.alone_rps).map(taken).collect();
    let all: f64 = taken.iter().sum();
    let mut left = usd_per_month;
    let mut parts: Vec<Usd> = Vec::with_capacity(taken.len());
    for (position, part) in taken.iter().enumerate() {
        let usd = if position + 1 == taken.len() { left } else { usd_per_month.scaled(part / all) };
        left = left - usd;
        parts.push(usd);
    }
    parts
}

/// What a member bears of an amount of its server.
#[must_use]
pub fn part_of(context: &Context<'_>, usd: Usd) -> Usd {
    let Some((unit, option)) = chosen(context.problem, context.column) else { return usd };
    let parts = shares(context.scenario, (unit, option), usd);
    unit.members.iter().zip(parts).find(|(member, _)| **member == context.index).map_or(Usd::ZERO, |(_, usd)| usd)
}

/// The point of a member, as it runs in the server: its own numbers, derated as estimated.
#[must_use]
pub fn variant(context: &Context<'_>, (unit, option): (&WorkloadOptions, &BundleOption)) -> Option<ChosenVariant> {
    let position = unit.members.iter().position(|&m| m == context.index)?;
    let point = &context.scenario.profiles[&context.workload.profile].points[option.points[position]];
    let evidence = crate::domain::Evidence::Estimated;
    Some(ChosenVariant {
        accelerator: point.accelerator.to_string(),
        gpus_per_replica: point.gpus_per_replica,
        precision: point.precision.clone(),
        engine: point.engine.clone(),
        evidence: evidence.as_str().to_owned(),
        source: format!("{}, {}; beside others: {INTERFERENCE_SOURCE}", point.source, point.as_of),
        derate: evidence.derate(),
        slice: None,
        requests: ResourceRequests {
            vcpus: point.vcpus,
            ram_gib: point.ram.0,
            gpus: point.gpus_per_replica,
            gpu_memory_gib: point.gpu_memory.0,
        },
    })
}
