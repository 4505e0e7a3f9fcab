//! Workloads and pools as lists of named values. Destructured so that a new field of the plan cannot be forgotten.

use crate::plan::{
    ChangeFromToday, ChosenVariant, ErrorBudget, FlexPlan, FloorPlan, JobPlan, KubernetesTarget, NodePool, ScalingPlan, ServicePlan,
    SpotTerms, WorkloadNetwork, WorkloadPlan,
};
use serde::Serialize;
use serde_json::Value;

/// Dotted field names with their values, in the order of the plan file.
pub type Facts = Vec<(String, Value)>;

/// Variables as facts under their own names, behind a prefix: `facts!["job."; pool, workers]`.
macro_rules! facts {
    ($prefix:expr; $($name:ident),* $(,)?) => {{
        let mut facts: crate::plan::diff::fields::Facts = Vec::new();
        $(facts.push((format!("{}{}", $prefix, stringify!($name)), crate::plan::diff::fields::value($name)));)*
        facts
    }};
}
pub(super) use facts;

/// A value as the plan file holds it; what JSON cannot hold is null.
pub fn value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// A workload.
pub fn workload(workload: &WorkloadPlan) -> Facts {
    let WorkloadPlan {
        name: _,
        kind,
        profile,
        team,
        cost_center,
        kubernetes,
        variant,
        mode,
        service,
        job,
        network,
        usd_per_month,
        baseline_usd_per_month,
        change,
        why,
    } = workload;
    let mut out = facts![""; usd_per_month, baseline_usd_per_month, kind, mode];
    let ChosenVariant { accelerator, gpus_per_replica, precision, engine, evidence, source, derate, slice, requests } = variant;
    out.extend(facts!["variant."; accelerator, gpus_per_replica, precision, engine, evidence, source, derate, requests]);
    if slice.is_some() {
        out.extend(facts!["variant."; slice]);
    }
    out.extend(service.as_ref().map(self::service).unwrap_or_default());
    out.extend(job.as_ref().map(self::job).unwrap_or_default());
    if let Some(WorkloadNetwork { cluster, clients, added_ms, egress_usd_per_month, start_up_bytes_usd_per_month }) = network {
        out.extend(facts!["network."; cluster, clients, added_ms, egress_usd_per_month, start_up_bytes_usd_per_month]);
    }
    out.extend(facts![""; profile, team, cost_center]);
    let KubernetesTarget { namespace, scale_target, image, time_zone } = kubernetes;
    out.extend(facts!["kubernetes."; namespace, scale_target, image, time_zone]);
    let ChangeFromToday { unchanged, changed_nodes, summary } = change;
    out.extend(facts!["change."; unchanged, changed_nodes, summary]);
    out.extend(facts![""; why]);
    out
}

fn service(service: &ServicePlan) -> Facts {
    let ServicePlan {
        slo,
        floor,
        flex,
        load_factor,
        planning_load_rps,
        mean_load_rps,
        floor_by_hour,
        flex_by_hour,
        awake_share_by_hour,
        starts_per_week,
        capacity,
        capacity_source,
        stable_rps_per_replica,
        burst,
        routing,
        scaling,
        error_budget,
        cold_start,
    } = service;
    let FloorPlan { pool, base_replicas, max_replicas } = floor;
    let mut out = facts!["floor."; pool, base_replicas, max_replicas];
    if let Some(FlexPlan { pool, fallback_pool, base_replicas, max_replicas, zones_spread }) = flex {
        out.extend(facts!["flex."; pool, fallback_pool, base_replicas, max_replicas, zones_spread]);
    }
    out.extend(facts![""; floor_by_hour, flex_by_hour, awake_share_by_hour, starts_per_week, slo]);
    out.extend(facts![""; load_factor, planning_load_rps, mean_load_rps, capacity, capacity_source]);
    out.extend(facts![""; stable_rps_per_replica, burst, routing]);
    let ScalingPlan {
        polling_interval_s,
        cooldown_s,
        stabilization_s,
        min_replicas,
        max_replicas,
        prometheus_server,
        query,
        activity_query,
        threshold,
        threshold_headroom,
        scale_to_zero,
        cold_requests,
        lead_minutes,
    } = scaling;
    out.extend(facts!["scaling."; min_replicas, max_replicas, threshold, threshold_headroom, scale_to_zero, cold_requests]);
    out.extend(facts!["scaling."; polling_interval_s, cooldown_s, stabilization_s, prometheus_server, query, activity_query, lead_minutes]);
    let ErrorBudget { requests_per_week, steady_state_share, spare_share, miss_factor, uses } = error_budget;
    out.extend(facts!["error_budget."; requests_per_week, steady_state_share, spare_share, miss_factor, uses]);
    out.extend(facts![""; cold_start]);
    out
}

fn job(job: &JobPlan) -> Facts {
    let JobPlan {
        pool,
        fallback_pool,
        workers,
        work_per_run,
        work_unit,
        units_per_s,
        efficiency,
        checkpoint_interval_s,
        hours_per_run,
        tail_hours,
        runs,
        queue,
        workers_by_hour,
    } = job;
    let mut out = facts!["job."; pool, fallback_pool, workers, work_per_run, work_unit, units_per_s, efficiency, checkpoint_interval_s];
    out.extend(facts!["job."; hours_per_run, tail_hours, runs, queue, workers_by_hour]);
    out
}

/// A pool.
pub fn pool(pool: &NodePool) -> Facts {
    let NodePool {
        name: _,
        cloud,
        region,
        zones,
        instance_type,
        accelerator,
        gpus_per_node,
        vcpus_per_node,
        ram_gib_per_node,
        capacity_type,
        assurance,
        shared,
        usd_per_hour,
        planned_usd_per_hour,
        spot,
        committed_nodes,
        min_nodes,
        max_nodes,
        nodes_by_hour,
        paid_node_hours_per_week,
        start_up_node_hours_per_week,
        purchases_credit_usd_per_month,
        usd_per_month,
        consolidate_after_s,
        labels,
        taints,
        workloads,
        when_lost,
        partition,
    } = pool;
    let mut out = facts![""; usd_per_month, instance_type, capacity_type, cloud, region, zones, accelerator, gpus_per_node];
    out.extend(facts![""; vcpus_per_node, ram_gib_per_node, assurance, shared, usd_per_hour, planned_usd_per_hour]);
    if let Some(terms) = spot {
        out.extend(spot_terms(terms));
    }
    out.extend(facts![""; committed_nodes, min_nodes, max_nodes, nodes_by_hour, paid_node_hours_per_week]);
    if *purchases_credit_usd_per_month != crate::units::Usd::ZERO {
        out.extend(facts![""; purchases_credit_usd_per_month]);
    }
    out.extend(facts![""; start_up_node_hours_per_week, consolidate_after_s, labels, taints, workloads, when_lost]);
    if partition.is_some() {
        out.extend(facts![""; partition]);
    }
    out
}

fn spot_terms(terms: &SpotTerms) -> Facts {
    let SpotTerms { availability, reclaims_per_hour, evidence, zones_spread, notice_s, fallback_pool, fallback_usd_per_hour, switch_hours } =
        terms;
    facts!["spot."; availability, reclaims_per_hour, evidence, zones_spread, notice_s, fallback_pool, fallback_usd_per_hour, switch_hours]
}
