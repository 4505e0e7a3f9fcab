//! What a replay of a plan needs of its scenario.

use crate::domain::{
    Cloud, DecodeStep, GangPoint, Job, LlmModel, OperatingPoint, Performance, Profile, Scenario, Service, Spread as Stage, Workload,
    WorkloadKind,
};
use crate::plan::replay::{
    AffineStep, CheckpointCost, Engine, GangRate, HeldCommitment, JobInputs, LlmEngine, LoadMetric, Machine, NodeDelays, NodeReserves,
    REPLAY_FORMAT, ReplayInputs, RequestKnot, RunWindow, ServiceInputs, Spread, StartUp, StepTable, TodayGroup, TodayPlace, TokenLengths,
    Traffic,
};
use crate::plan::{Plan, WorkloadPlan};
use std::collections::BTreeSet;

/// Inputs of a replay of this plan of the scenario: of everything only what the plan or today's fleet uses.
#[must_use]
pub fn of(scenario: &Scenario, plan: &Plan) -> ReplayInputs {
    let nodes = &scenario.node_autoscaler;
    let reserves = &scenario.reserves;
    let network = |w: &Workload| super::network::inputs((scenario, w), plan.workloads.iter().find(|planned| planned.name == w.id.as_str()));
    let services = scenario.workloads.iter().filter_map(|w| {
        let inputs = service(scenario, (w, w.service()?), variant(plan, w))?;
        Some(ServiceInputs { network: network(w), ..inputs })
    });
    let jobs = scenario.workloads.iter().filter_map(|w| {
        let inputs = job(scenario, (w, w.job()?), variant(plan, w))?;
        Some(JobInputs { network: network(w), ..inputs })
    });
    ReplayInputs {
        format: REPLAY_FORMAT.to_owned(),
        verification: plan.verification.mark(),
        scenario_sha256: scenario.sha256.clone(),
        anchor_monday: scenario.anchor_monday.clone(),
        nodes: NodeDelays {
            provision_s: Spread { p50: nodes.provision_p50.0, p95: nodes.provision_p95.0 },
            consolidate_after_s: nodes.consolidate_after.0,
            drain_s: nodes.drain.0,
        },
        reserves: NodeReserves { share: reserves.share, vcpus: reserves.vcpus, ram_gib: reserves.ram.0 },
        machines: machines(scenario, plan),
        commitments: scenario
            .fleet
            .commitments
            .iter()
            .map(|c| HeldCommitment {
                name: c.id.to_string(),
                instance_type: c.instance_type.to_string(),
                region: c.region.to_string(),
                nodes: c.nodes,
                usd_per_hour: c.price,
            })
            .collect(),
        node_groups: scenario
            .fleet
            .node_groups
            .iter()
            .map(|g| TodayGroup {
                name: g.id.to_string(),
                instance_type: g.instance_type.to_string(),
                region: g.region.to_string(),
                capacity_type: g.capacity_type.as_str().to_owned(),
                nodes: g.nodes,
                max_nodes: g.max_nodes,
            })
            .collect(),
        services: services.collect(),
        jobs: jobs.collect(),
    }
}

/// Machines of the plan's pools and of today's groups; of spot ones the on-demand twin as well, which stands in.
fn machines(scenario: &Scenario, plan: &Plan) -> Vec<Machine> {
    let planned = plan.pools.iter().map(|p| (p.instance_type.as_str(), p.region.as_str()));
    let today = scenario.fleet.node_groups.iter().map(|g| (g.instance_type.as_str(), g.region.as_str()));
    let used: BTreeSet<(&str, &str)> = planned.chain(today).collect();
    let offerings = scenario.offerings.iter().filter(|o| used.contains(&(o.instance_type.as_str(), o.region.as_str())));
    offerings
        .filter_map(|o| {
            let shape = scenario.instance_types.get(&o.instance_type)?;
            let cloud: Cloud = shape.cloud;
            Some(Machine {
                instance_type: o.instance_type.to_string(),
                region: o.region.to_string(),
                capacity_type: o.capacity_type.as_str().to_owned(),
                accelerator: shape.accelerator.to_string(),
                gpus: shape.gpus,
                vcpus: shape.vcpus,
                ram_gib: shape.ram.0,
                zones: o.zones.clone(),
                usd_per_hour: o.price,
                availability: o.risk.map(|r| r.availability),
                reclaims_per_hour: o.risk.map(|r| r.reclaims_per_hour),
                notice_s: cloud.reclaim_notice_s(),
                scarce: o.assurance == crate::domain::Assurance::Scarce,
            })
        })
        .collect()
}

/// Accelerator, GPUs of a replica, precision, part of a GPU.
type Variant<'a> = (&'a str, u32, &'a str, Option<&'a str>);

/// What the plan runs a workload on; a member of a bundle on its server's GPU, in a precision of its own.
fn variant<'a>(plan: &'a Plan, workload: &Workload) -> Option<Variant<'a>> {
    let name = workload.id.as_str();
    let shared = plan.bundles.iter().find_map(|bundle| {
        let member = bundle.members.iter().find(|member| member.workload == name)?;
        let server = &bundle.host.variant;
        Some((server.accelerator.as_str(), server.gpus_per_replica, member.precision.as_str(), None))
    });
    let own = |planned: &'a WorkloadPlan| {
        let variant = &planned.variant;
        let slice = variant.slice.as_ref().map(|slice| slice.name.as_str());
        (variant.accelerator.as_str(), variant.gpus_per_replica, variant.precision.as_str(), slice)
    };
    shared.or_else(|| plan.workloads.iter().find(|planned| planned.name == name).map(own))
}

/// Points of the profile that the plan or today's placement runs on.
fn points<'a>(profile: &'a Profile, chosen: Option<Variant<'_>>, today: Option<&TodayPlace>) -> Vec<&'a OperatingPoint> {
    let is = |p: &OperatingPoint, (accelerator, gpus, precision, slice): Variant<'_>| {
        p.accelerator.as_str() == accelerator && p.gpus_per_replica == gpus && p.precision == precision && p.slice.as_deref() == slice
    };
    let planned = |p: &OperatingPoint| chosen.is_some_and(|chosen| is(p, chosen));
    let current = |p: &OperatingPoint| today.is_some_and(|t| is(p, (&t.accelerator, t.gpus_per_replica, &t.precision, None)));
    profile.points.iter().filter(|p| planned(p) || current(p)).collect()
}

fn today(scenario: &Scenario, workload: &Workload) -> Option<TodayPlace> {
    let placement = workload.placement.as_ref()?;
    let group = scenario.node_group(&placement.node_group)?;
    let shape = scenario.instance_types.get(&group.instance_type)?;
    Some(TodayPlace {
        node_group: placement.node_group.to_string(),
        replicas: placement.replicas,
        gpus_per_replica: placement.gpus_per_replica,
        accelerator: shape.accelerator.to_string(),
        precision: placement.precision.clone(),
    })
}

fn service(scenario: &Scenario, (workload, service): (&Workload, &Service), chosen: Option<Variant<'_>>) -> Option<ServiceInputs> {
    let profile = scenario.profiles.get(&workload.profile)?;
    let today = today(scenario, workload);
    let engines = points(profile, chosen, today.as_ref()).into_iter().filter_map(engine).collect();
    let traffic = &service.demand.traffic;
    Some(ServiceInputs {
        name: workload.id.to_string(),
        namespace: workload.namespace.clone(),
        time_zone: workload.time_zone.clone(),
        traffic: Traffic {
            step_s: traffic.step_s,
            rate_rps: traffic.rate_rps.clone(),
            cv2: traffic.cv2.clone(),
            lengths: traffic.lengths.clone(),
        },
        tokens: service.demand.tokens.map(|t| TokenLengths {
            input_mean: t.input_mean,
            input_p95: t.input_p95,
            output_mean: t.output_mean,
        }),
        slo: super::service::slo(&service.slo),
        routing: service.scaling.routing.as_str().to_owned(),
        cold_requests: service.scaling.cold_requests.as_str().to_owned(),
        request_timeout_s: service.scaling.request_timeout.0,
        metric: service.scaling.metrics.as_ref().map(|m| LoadMetric {
            query: m.query.clone(),
            survives_pods: m.survives_pods,
            activity_query: m.activity_query.clone(),
        }),
        min_replicas: service.scaling.min_replicas,
        polling_s: service.scaling.polling.0,
        stabilization_s: service.scaling.stabilization.0,
        start_up: start_up(profile),
        engines,
        network: None,
        today,
    })
}

fn start_up(profile: &Profile) -> StartUp {
    let spread = |s: &Stage| Spread { p50: s.p50.0, p95: s.p95.0 };
    let cold = &profile.cold_start;
    StartUp {
        image_pull_s: spread(&cold.image_pull),
        weights_load_s: spread(&cold.weights_load),
        engine_start_s: spread(&cold.engine_start),
    }
}

fn engine(point: &OperatingPoint) -> Option<Engine> {
    let (llm, knots) = match &point.performance {
        Performance::Llm(model) => (Some(llm(model)), None),
        Performance::Request { knots } => {
            let knot = |k: &crate::domain::Knot| RequestKnot {
                concurrency: k.concurrency,
                rate_per_s: k.rate.0,
                p50_ms: k.p50.0,
                p95_ms: k.p95.0,
                p99_ms: k.p99.0,
            };
            (None, Some(knots.iter().map(knot).collect()))
        }
        Performance::Job { .. } => return None,
    };
    Some(Engine {
        accelerator: point.accelerator.to_string(),
        gpus_per_replica: point.gpus_per_replica,
        precision: point.precision.clone(),
        slice: point.slice.clone(),
        evidence: point.evidence.as_str().to_owned(),
        vcpus: point.vcpus,
        ram_gib: point.ram.0,
        llm,
        knots,
    })
}

fn llm(model: &LlmModel) -> LlmEngine {
    let (affine, table) = match &model.decode {
        DecodeStep::Affine { alpha_ms, beta_ms, eps_ms_per_ktok } => {
            (Some(AffineStep { alpha_ms: *alpha_ms, beta_ms: *beta_ms, eps_ms_per_ktok: *eps_ms_per_ktok }), None)
        }
        DecodeStep::Table { batch, context_tokens, step_ms } => {
            (None, Some(StepTable { batch: batch.clone(), context_tokens: context_tokens.clone(), step_ms: step_ms.clone() }))
        }
    };
    LlmEngine {
        affine,
        table,
        prefill_gamma_ms: model.prefill_gamma_ms,
        prefill_delta_ms_per_ktok: model.prefill_delta_ms_per_ktok,
        prefill_zeta_ms_per_ktok2: model.prefill_zeta_ms_per_ktok2,
        max_batch: model.max_batch,
        max_kv_tokens: model.max_kv_tokens,
    }
}

fn job(scenario: &Scenario, (workload, job): (&Workload, &Job), chosen: Option<Variant<'_>>) -> Option<JobInputs> {
    let profile = scenario.profiles.get(&workload.profile)?;
    let today = today(scenario, workload);
    let gang = |point: &OperatingPoint, at: &GangPoint| GangRate {
        accelerator: point.accelerator.to_string(),
        precision: point.precision.clone(),
        gpus_per_worker: point.gpus_per_replica,
        vcpus: point.vcpus,
        ram_gib: point.ram.0,
        workers: at.workers,
        units_per_s: at.units_per_s,
    };
    let gangs = points(profile, chosen, today.as_ref()).into_iter().flat_map(|point| match &point.performance {
        Performance::Job { throughput } => throughput.iter().map(|at| gang(point, at)).collect::<Vec<_>>(),
        Performance::Llm(_) | Performance::Request { .. } => Vec::new(),
    });
    debug_assert!(matches!(workload.kind, WorkloadKind::Job(_)));
    Some(JobInputs {
        name: workload.id.to_string(),
        namespace: workload.namespace.clone(),
        time_zone: workload.time_zone.clone(),
        gang: job.training && !profile.divisible,
        work_per_run: job.work_per_run,
        runs: job.runs.iter().map(|r| RunWindow { release_hour: r.release_hour, deadline_hour: r.deadline_hour }).collect(),
        checkpoint: profile.checkpoint.as_ref().map(|c| CheckpointCost { save_s: c.save.0, restart_s: c.restart.0 }),
        start_up: start_up(profile),
        gangs: gangs.collect(),
        queued: job.queue.is_some(),
        network: None,
        today,
    })
}
