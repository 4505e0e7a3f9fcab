//! The plan of a workload that stays as it is: today's machines and count. It is paid for and holds its quota; nothing is
//! promised for it and nothing is emitted.

use super::Context;
use crate::domain::{Job, Service};
use crate::plan::{ChosenVariant, ColdStartPlan, ErrorBudget, FloorPlan, JobPlan, QueuePlan, ResourceRequests, ScalingPlan, ServicePlan};
use crate::sizing::cold_start;
use crate::units::HOURS_PER_WEEK;

/// Today's machine and precision, as far as they are known.
#[must_use]
pub fn variant(context: &Context<'_>) -> ChosenVariant {
    let placement = context.workload.placement.as_ref();
    let group = placement.and_then(|p| context.scenario.node_group(&p.node_group));
    let accelerator = group.map_or_else(String::new, |g| context.scenario.instance_types[&g.instance_type].accelerator.to_string());
    let gpus = placement.map_or(1, |p| p.gpus_per_replica);
    ChosenVariant {
        accelerator,
        gpus_per_replica: gpus,
        precision: placement.map_or_else(String::new, |p| p.precision.clone()),
        engine: "as today".to_owned(),
        evidence: "as today".to_owned(),
        source: "as today: nothing is planned on it".to_owned(),
        derate: 0.0,
        slice: None,
        requests: ResourceRequests { vcpus: 0.0, ram_gib: 0.0, gpus, gpu_memory_gib: 0.0 },
    }
}

/// Name of the pool that stands for its node group, and its count.
fn place(context: &Context<'_>) -> Option<(String, u32)> {
    let option = context.problem.workloads[context.index].frozen.as_ref()?;
    Some((context.names[&option.pool].clone(), context.workload.placement.as_ref()?.replicas))
}

/// A service.
#[must_use]
pub fn service(context: &Context<'_>, service: &Service) -> Option<ServicePlan> {
    let (pool, replicas) = place(context)?;
    let autoscaler = &context.scenario.node_autoscaler;
    let profile = &context.scenario.profiles[&context.workload.profile];
    Some(ServicePlan {
        slo: super::service::slo(&service.slo),
        floor: FloorPlan { pool, base_replicas: replicas, max_replicas: replicas },
        flex: None,
        load_factor: service.demand.load_factor,
        planning_load_rps: service.demand.peak_rps.clone(),
        mean_load_rps: service.demand.mean_rps.clone(),
        floor_by_hour: vec![replicas; HOURS_PER_WEEK],
        flex_by_hour: vec![0; HOURS_PER_WEEK],
        awake_share_by_hour: vec![1.0; HOURS_PER_WEEK],
        starts_per_week: 0.0,
        capacity: Vec::new(),
        capacity_source: "closed-form".to_owned(),
        stable_rps_per_replica: 0.0,
        burst: service.demand.burst.as_str().to_owned(),
        routing: service.scaling.routing.as_str().to_owned(),
        scaling: ScalingPlan {
            polling_interval_s: service.scaling.polling.0.round() as u32,
            cooldown_s: service.scaling.cooldown.0.ceil() as u32,
            stabilization_s: service.scaling.stabilization.0.round() as u32,
            min_replicas: replicas,
            max_replicas: replicas,
            prometheus_server: None,
            query: None,
            activity_query: None,
            threshold: None,
            threshold_headroom: 1.0,
            scale_to_zero: false,
            cold_requests: service.scaling.cold_requests.as_str().to_owned(),
            lead_minutes: 0,
        },
        error_budget: ErrorBudget {
            requests_per_week: service.demand.requests_per_week(),
            steady_state_share: service.slo.spare_budget(),
            spare_share: service.slo.spare_budget(),
            miss_factor: service.demand.miss_factor,
            uses: Vec::new(),
        },
        cold_start: ColdStartPlan {
            provision_p95_s: autoscaler.provision_p95.0,
            replica_p95_s: profile.cold_start.p95().0,
            paid_hours_per_start: cold_start::paid_hours_per_start(autoscaler, profile),
        },
    })
}

/// A job: when it runs today is not known, so its machines are taken as held all week.
#[must_use]
pub fn job(context: &Context<'_>, job: &Job) -> Option<JobPlan> {
    let (pool, workers) = place(context)?;
    let profile = &context.scenario.profiles[&context.workload.profile];
    Some(JobPlan {
        pool,
        fallback_pool: None,
        workers,
        work_per_run: job.work_per_run,
        work_unit: profile.work_unit.clone().unwrap_or_else(|| "units".to_owned()),
        units_per_s: 0.0,
        efficiency: 1.0,
        checkpoint_interval_s: None,
        hours_per_run: 0.0,
        tail_hours: 0.0,
        runs: Vec::new(),
        queue: job.queue.as_ref().map(|q| QueuePlan { scaler: q.scaler.clone(), metadata: q.metadata.iter().cloned().collect() }),
        workers_by_hour: vec![f64::from(workers); HOURS_PER_WEEK],
    })
}
