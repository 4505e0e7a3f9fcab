//! From a solution to a plan: whole replicas and exact money from here on. Pure; decides nothing that costs money.

pub mod baseline;
pub mod bundle;
pub mod frozen;
pub mod job;
pub mod names;
pub mod network;
pub mod pools;
pub mod purchase;
pub mod replay;
pub mod service;
pub mod windows;

use crate::domain::{Evidence, OperatingPoint, Profile, Scenario, WorkloadKind};
use crate::formulation::Problem;
use crate::formulation::columns::{Column, Decision};
use crate::plan::{
    Baseline, ChangeFromToday, ChosenSlice, ChosenVariant, Comparator, CostBreakdown, InputDigest, KubernetesTarget, Optimality,
    PLAN_FORMAT, Plan, PriceOrigin, Provenance, Purchase, ResourceRequests, Verification, WorkloadNetwork, WorkloadPlan,
};
use crate::solver::Solution;
use crate::solver::solution::column_of;
use crate::units::Usd;
use std::collections::BTreeMap;

/// What a solve came to beside its solution.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Today's bill.
    pub baseline: Baseline,
    /// Competent operations.
    pub competent: Comparator,
    /// Stages.
    pub optimality: Optimality,
}

/// Context of one workload while its plan is written.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Scenario.
    pub scenario: &'a Scenario,
    /// Problem.
    pub problem: &'a Problem,
    /// Workload.
    pub workload: &'a crate::domain::Workload,
    /// Position of the workload.
    pub index: usize,
    /// Chosen column.
    pub column: &'a Column,
    /// Pool names by position.
    pub names: &'a BTreeMap<usize, String>,
}

/// Writes the plan. Levers, sensitivities and the target are filled in by the study.
#[must_use]
pub fn plan(scenario: &Scenario, problem: &Problem, (solution, findings): (&Solution, Findings)) -> Plan {
    let names = names::of(problem, solution, scenario.demo);
    let bought = purchase::Bought::of(problem, solution);
    let purchases = purchase::of(scenario, problem, (solution, &bought));
    let billed = pools::bill(scenario, problem, &pools::Of { solution, names: &names, bought: &bought });
    let with_servers = bundle::with_servers(scenario, problem, &solution.columns);
    let (bundles, mut windows) = bundle::of((&with_servers, problem), &solution.columns, (&names, &billed));
    let mut workloads: Vec<WorkloadPlan> = Vec::new();
    for (index, workload) in scenario.workloads.iter().enumerate() {
        let Some(column) = column_of(problem, &solution.columns, index) else { continue };
        let context = Context { scenario, problem, workload, index, column, names: &names };
        let usd_per_month = usd_of(&context, &billed);
        let (egress, bytes) = network::today(scenario, workload);
        if column.workload == index {
            windows.extend(windows::of(&context));
        }
        workloads.push(one(&context, usd_per_month, findings.baseline_share(scenario, workload) + egress + bytes));
    }
    windows.sort_by(|a, b| (&a.workload, &a.days, a.start_hour).cmp(&(&b.workload, &b.days, b.start_hour)));
    let cost = cost(scenario, &billed, (&workloads, &purchases));
    let saving = share_saved(cost.usd_per_month, findings.baseline.usd_per_month);
    Plan {
        format: PLAN_FORMAT.to_owned(),
        name: scenario.name.clone(),
        demo: scenario.demo,
        verification: Verification::not_replayed(),
        baseline: findings.baseline,
        competent_operations: findings.competent,
        cost,
        saving,
        target: None,
        optimality: findings.optimality,
        levers: Vec::new(),
        sensitivity: Vec::new(),
        robustness: None,
        alternatives: Vec::new(),
        pools: billed.pools,
        workloads,
        bundles,
        purchases,
        windows,
        notes: Vec::new(),
        provenance: provenance(scenario, problem, solution),
    }
}

/// A workload's part of the bill: its own, or of its server's.
fn usd_of(context: &Context<'_>, billed: &pools::Billed) -> Usd {
    let of = |name: &str| billed.by_workload.get(name).copied().unwrap_or(Usd::ZERO);
    match bundle::chosen(context.problem, context.column) {
        Some((unit, _)) => bundle::part_of(context, of(unit.id.as_str())),
        None => of(context.workload.id.as_str()),
    }
}

/// `1 - cost / baseline`; 0 for a fleet that costs nothing today.
#[must_use]
pub fn share_saved(cost: Usd, baseline: Usd) -> f64 {
    if baseline == Usd::ZERO { 0.0 } else { 1.0 - cost.as_f64() / baseline.as_f64() }
}

impl Findings {
    /// A workload's share of its node group's bill today, by GPUs.
    fn baseline_share(&self, scenario: &Scenario, workload: &crate::domain::Workload) -> Usd {
        let Some(placement) = &workload.placement else { return Usd::ZERO };
        let gpus = |w: &crate::domain::Workload| {
            w.placement.as_ref().filter(|p| p.node_group == placement.node_group).map_or(0, |p| p.replicas * p.gpus_per_replica)
        };
        let all: u32 = scenario.workloads.iter().map(gpus).sum();
        let group = self.baseline.node_groups.iter().find(|g| g.name == placement.node_group.as_str());
        group.map_or(Usd::ZERO, |g| g.usd_per_month.scaled(f64::from(gpus(workload)) / f64::from(all.max(1))))
    }
}

/// The plan of one workload.
fn one(context: &Context<'_>, usd_per_month: Usd, baseline_usd_per_month: Usd) -> WorkloadPlan {
    let Context { scenario, workload, column, .. } = *context;
    // A member of a bundle has its place in the server, not one of its own.
    let bundled = column.workload != context.index;
    let (service, job) = match (&workload.kind, &column.decision) {
        _ if bundled => (None, None),
        (WorkloadKind::Service(s), Decision::Service { .. }) => (service::of(context, s), None),
        (WorkloadKind::Job(j), Decision::Job { .. }) => (None, job::of(context, j)),
        (WorkloadKind::Service(s), Decision::Frozen) => (frozen::service(context, s), None),
        (WorkloadKind::Job(j), Decision::Frozen) => (None, frozen::job(context, j)),
        _ => (None, None),
    };
    let network = network::of(context);
    let mut why = why(scenario, context);
    why.extend(network.as_ref().map(network::why));
    let remote = network.as_ref().map_or(Usd::ZERO, |n| n.egress_usd_per_month + n.start_up_bytes_usd_per_month);
    WorkloadPlan {
        name: workload.id.to_string(),
        kind: workload.kind_name().to_owned(),
        profile: workload.profile.to_string(),
        team: workload.team.clone(),
        cost_center: workload.cost_center.clone(),
        kubernetes: KubernetesTarget {
            namespace: workload.namespace.clone(),
            scale_target: workload.scale_target.clone(),
            image: workload.image.clone(),
            time_zone: workload.time_zone.clone(),
        },
        variant: variant(context),
        mode: match &column.decision {
            Decision::Service { .. } if bundled => "bundled".to_owned(),
            Decision::Service { mode, .. } => mode.as_str().to_owned(),
            Decision::Job { .. } => "placed".to_owned(),
            Decision::Frozen => "frozen".to_owned(),
        },
        service,
        job,
        network,
        usd_per_month: usd_per_month + remote,
        baseline_usd_per_month,
        change: change(context),
        why,
    }
}

/// The chosen operating point; for a frozen workload today's, as far as it is known.
fn variant(context: &Context<'_>) -> ChosenVariant {
    let Context { scenario, problem, workload, index, column, .. } = *context;
    if column.workload != index
        && let Some(variant) = bundle::chosen(problem, column).and_then(|chosen| bundle::variant(context, chosen))
    {
        return variant;
    }
    let profile = &scenario.profiles[&workload.profile];
    let options = &problem.workloads[index];
    let position = match &column.decision {
        Decision::Service { option, .. } => Some(options.services[*option].shape.point),
        Decision::Job { option, .. } => Some(options.jobs[*option].point),
        Decision::Frozen => None,
    };
    let Some(point) = position.map(|p| &profile.points[p]) else { return frozen::variant(context) };
    let title = &point.source;
    ChosenVariant {
        accelerator: point.accelerator.to_string(),
        gpus_per_replica: point.gpus_per_replica,
        precision: point.precision.clone(),
        engine: point.engine.clone(),
        evidence: point.evidence.as_str().to_owned(),
        source: format!("{title}, {}", point.as_of),
        derate: point.evidence.derate(),
        slice: slice(scenario, (workload, profile), point),
        requests: ResourceRequests {
            vcpus: point.vcpus,
            ram_gib: point.ram.0,
            gpus: point.gpus_per_replica,
            gpu_memory_gib: point.gpu_memory.0,
        },
    }
}

/// The part of a GPU that an operating point is for.
fn slice(scenario: &Scenario, (workload, profile): (&crate::domain::Workload, &Profile), point: &OperatingPoint) -> Option<ChosenSlice> {
    let name = point.slice.as_deref()?;
    let slice = scenario.accelerators.get(&point.accelerator)?.slice(name)?;
    // A point that was derived has the rate of the whole card's point times share and what is delivered of it; a measured one does not.
    let measured = point.evidence != Evidence::Estimated
        || !profile.points.iter().any(|p| p.slice.is_none() && p.accelerator == point.accelerator && p.precision == point.precision);
    Some(ChosenSlice {
        name: name.to_owned(),
        technique: slice.technique.as_str().to_owned(),
        resource: slice.resource(),
        share: slice.share(),
        delivered: if measured { 1.0 } else { slice.technique.delivered() },
        share_with: workload.share.with.as_str().to_owned(),
        isolation: workload.share.isolation.as_str().to_owned(),
    })
}

/// `2 x g6e.xlarge on-demand + 1 x g6e.xlarge spot`.
fn nodes_in_words(nodes: &BTreeMap<(String, crate::domain::CapacityType), u32>) -> String {
    let words: Vec<String> = nodes.iter().filter(|(_, n)| **n > 0).map(|((t, c), n)| format!("{n} x {t} {}", c.as_str())).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(" + ") }
}

fn change(context: &Context<'_>) -> ChangeFromToday {
    let Context { problem, index, column, .. } = *context;
    let today = &problem.workloads[index].today;
    let plan = match &column.decision {
        Decision::Frozen => today.clone(),
        _ => crate::formulation::columns::column::peak_nodes(problem, column),
    };
    if column.workload != index {
        let server = &problem.workloads[column.workload];
        let summary = format!("{} -> a part of {}", nodes_in_words(today), server.id);
        return ChangeFromToday { unchanged: false, changed_nodes: 0, summary };
    }
    let summary = if column.changed {
        format!("{} -> {}", nodes_in_words(today), nodes_in_words(&plan))
    } else {
        format!("no change: {}", nodes_in_words(today))
    };
    ChangeFromToday { unchanged: !column.changed, changed_nodes: column.changed_nodes, summary }
}

/// Reasons, in words.
fn why(scenario: &Scenario, context: &Context<'_>) -> Vec<String> {
    let Context { problem, workload, index, column, .. } = *context;
    let mut why = Vec::new();
    if column.workload != index {
        let server = &problem.workloads[column.workload];
        why.push(format!(
            "one of {} models in the server `{}`: their owners allow it, and it costs less than a card each",
            server.members.len(),
            server.id
        ));
        return why;
    }
    match &column.decision {
        Decision::Frozen if scenario.freeze.contains(&workload.id) => why.push("left as it is: listed under `freeze`".to_owned()),
        Decision::Frozen => why.push("left as it is: `max_changes` lets only so many workloads change".to_owned()),
        Decision::Service { option, mode, .. } => {
            let chosen = &problem.workloads[index].services[*option];
            let point = &scenario.profiles[&workload.profile].points[chosen.shape.point];
            why.push(format!(
                "{} x{} in {} carries {:.3} requests/s a replica within the SLO at its count for the week's peak",
                point.accelerator,
                point.gpus_per_replica,
                point.precision,
                chosen.shape.capacity.at(chosen.shape.need_static) / f64::from(chosen.shape.need_static.max(1))
            ));
            if workload.spot.max_share <= 0.0 {
                why.push("on demand only: its owner has not opted in to spot".to_owned());
            } else if chosen.spot.is_none() {
                why.push("on demand only: spot does not pay, or breaks the error budget or the loss of a zone".to_owned());
            }
            if workload.service().is_some_and(|s| s.demand.burst == crate::domain::BurstClass::Untrackable) {
                why.push("its bursts are faster than replicas start, so it cannot be reactive".to_owned());
            }
            why.push(format!("mode {}: the cheapest of those that its owner allows", mode.as_str()));
        }
        Decision::Job { option, offset } => {
            let chosen = &problem.workloads[index].jobs[*option];
            why.push(format!("{} workers, {:.1} h a run, started {offset} h after release", chosen.workers, chosen.hours));
        }
    }
    why
}

/// Totals from pools, commitments and evidence.
fn cost(scenario: &Scenario, billed: &pools::Billed, (workloads, purchases): (&[WorkloadPlan], &[Purchase])) -> CostBreakdown {
    let of = |capacity_type: &str| billed.pools.iter().filter(|p| p.capacity_type == capacity_type).map(|p| p.usd_per_month).sum::<Usd>();
    let commitments = pools::commitment_costs(scenario, &billed.committed_hours_used);
    let committed = commitments.iter().map(|c| c.usd_per_month).sum::<Usd>();
    let purchased = purchases.iter().map(|p| p.usd_per_month).sum::<Usd>();
    let mut by_evidence: BTreeMap<String, Usd> = BTreeMap::new();
    for workload in workloads {
        *by_evidence.entry(workload.variant.evidence.clone()).or_insert(Usd::ZERO) += workload.usd_per_month;
    }
    let remote = |of: fn(&WorkloadNetwork) -> Usd| {
        scenario.network.as_ref().map(|_| workloads.iter().filter_map(|w| w.network.as_ref()).map(of).sum::<Usd>())
    };
    let (egress, bytes) = (remote(|n| n.egress_usd_per_month), remote(|n| n.start_up_bytes_usd_per_month));
    CostBreakdown {
        usd_per_month: of("on-demand") + of("spot") + committed + purchased + egress.unwrap_or(Usd::ZERO) + bytes.unwrap_or(Usd::ZERO),
        on_demand_usd_per_month: of("on-demand"),
        spot_usd_per_month: of("spot"),
        commitments_usd_per_month: committed,
        purchases_usd_per_month: purchased,
        start_up_usd_per_month: billed.start_up,
        egress_usd_per_month: egress,
        start_up_bytes_usd_per_month: bytes,
        commitments,
        by_evidence_usd_per_month: by_evidence,
    }
}

/// Where everything came from.
fn provenance(scenario: &Scenario, problem: &Problem, solution: &Solution) -> Provenance {
    let used: std::collections::BTreeSet<_> = pools::used(problem, solution)
        .into_iter()
        .map(|p| (&problem.pools[p].instance_type, &problem.pools[p].region))
        .chain(scenario.fleet.node_groups.iter().map(|g| (&g.instance_type, &g.region)))
        .collect();
    let mut prices: Vec<PriceOrigin> = scenario
        .offerings
        .iter()
        .filter(|o| used.contains(&(&o.instance_type, &o.region)))
        .map(|o| PriceOrigin {
            offering: format!(
                "{}/{}/{}/{}",
                scenario.instance_types[&o.instance_type].cloud.as_str(),
                o.region,
                o.instance_type,
                o.capacity_type.as_str()
            ),
            list_usd_per_hour: o.list_price,
            usd_per_hour: o.price,
            source: o.source.clone(),
            as_of: o.as_of.clone(),
        })
        .collect();
    prices.sort_by(|a, b| a.offering.cmp(&b.offering));
    Provenance {
        gpuplan_version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario_sha256: scenario.sha256.clone(),
        inputs: scenario.inputs.iter().map(|i| InputDigest { path: i.path.clone(), sha256: i.sha256.clone() }).collect(),
        prices,
        network: network::origins(scenario),
        solver: "HiGHS 1.16, one thread, columns and priced master".to_owned(),
        anchor_monday: scenario.anchor_monday.clone(),
        time_zone: scenario.time_zone.clone(),
        weeks_to_month: "730/168".to_owned(),
        node_autoscaler: scenario.node_autoscaler.kind.as_str().to_owned(),
    }
}
