//! Terraform: the plan as variable values, and fixed text that declares, checks and reshapes them.

use super::{Artifact, header, keda, names, partition};
use crate::plan::{NodePool, Plan, Window, WorkloadPlan};
use serde_json::{Map, Value, json};

/// Format of the variable values.
const FORMAT: &str = "gpuplan/terraform/v1";

/// The folder `terraform/`.
#[must_use]
pub fn files(plan: &Plan) -> Vec<Artifact> {
    let text = |name: &str, body: &str| Artifact { path: format!("terraform/{name}"), contents: header::commented(plan, body) };
    vec![
        values(plan),
        text("variables.tf", include_str!("text/variables.tf")),
        text("main.tf", include_str!("text/main.tf")),
        text("outputs.tf", include_str!("text/outputs.tf")),
        Artifact {
            path: "terraform/README.md".to_owned(),
            contents: header::page(plan, ("Terraform side of the plan", include_str!("text/terraform.md"))),
        },
    ]
}

/// `gpuplan.auto.tfvars.json`. Terraform takes strings of this file as they are: `${` has no meaning in it.
fn values(plan: &Plan) -> Artifact {
    let pools: Map<String, Value> =
        names::managed_pools(plan).into_iter().map(|pool| (names::label(&pool.name), node_pool(pool))).collect();
    let listed = plan.workloads.iter().chain(plan.bundles.iter().map(|bundle| &bundle.host));
    let workloads: Map<String, Value> = listed.map(|w| (names::label(&w.name), workload(plan, w))).collect();
    let schedules: Vec<Value> = plan.windows.iter().map(schedule).collect();
    let document = json!({
        // Terraform skips this key: it is how JSON files carry a comment.
        "//": header::lines(plan),
        "gpuplan": {
            "format": FORMAT,
            "plan": plan.name,
            "demo": plan.demo,
            "verification": plan.verification.mark(),
            "scenario_sha256": plan.provenance.scenario_sha256,
            "gpuplan_version": plan.provenance.gpuplan_version,
            "node_autoscaler": plan.provenance.node_autoscaler,
        },
        "node_pools": pools,
        "workloads": workloads,
        "schedules": schedules,
        "costs": costs(plan),
    });
    Artifact { path: "terraform/gpuplan.auto.tfvars.json".to_owned(), contents: format!("{document:#}\n") }
}

fn node_pool(pool: &NodePool) -> Value {
    let taint = |text: &String| {
        let taint = names::taint(text);
        json!({"key": taint.key, "value": taint.value, "effect": taint.effect})
    };
    let taints: Vec<Value> = pool.taints.iter().map(taint).collect();
    let mut labels = json!(pool.labels);
    labels[names::POOL_LABEL] = json!(names::label(&pool.name));
    let spot = pool.spot.as_ref().map(|spot| {
        json!({
            "fallback_pool": spot.fallback_pool.as_deref().map(names::label),
            "zones_spread": spot.zones_spread,
            "notice_s": spot.notice_s,
            "availability": spot.availability,
            "reclaims_per_hour": spot.reclaims_per_hour,
            "evidence": spot.evidence,
        })
    });
    if let Some(cut) = &pool.partition {
        let (key, value) = partition::label(cut);
        labels[key] = json!(value);
    }
    let mut values = json!({
        "cloud": pool.cloud,
        "region": pool.region,
        "zones": pool.zones,
        "instance_type": pool.instance_type,
        "accelerator": pool.accelerator,
        "gpus_per_node": pool.gpus_per_node,
        "capacity_type": pool.capacity_type,
        "assurance": pool.assurance,
        "min_nodes": pool.min_nodes,
        "max_nodes": pool.max_nodes,
        "committed_nodes": pool.committed_nodes,
        "limits": {"nodes": pool.max_nodes, "gpus": u64::from(pool.max_nodes) * u64::from(pool.gpus_per_node)},
        "consolidate_after_s": pool.consolidate_after_s,
        "labels": labels,
        "taints": taints,
        "spot": spot,
        "workloads": pool.workloads,
        "usd_per_node_hour": pool.usd_per_hour,
        "planned_usd_per_node_hour": pool.planned_usd_per_hour,
        "usd_per_month": pool.usd_per_month,
    });
    if let Some(cut) = &pool.partition {
        values["partition"] =
            json!({"technique": cut.technique, "layout": cut.layout, "slices_per_node": partition::resources(pool), "team": cut.team});
    }
    values
}

fn workload(plan: &Plan, workload: &WorkloadPlan) -> Value {
    // A frozen workload is listed for its cost; where and how it runs is not declared here.
    let managed = workload.mode != "frozen";
    let service = workload.service.as_ref().filter(|_| managed);
    let flex = service.and_then(|s| s.flex.as_ref());
    let job = workload.job.as_ref().filter(|_| managed);
    let scaled: Vec<&str> =
        names::parts(workload).into_iter().filter(|part| managed && keda::scales(plan, workload, *part)).map(names::Part::as_str).collect();
    let fallback = flex.and_then(|f| f.fallback_pool.as_deref()).or(job.and_then(|j| j.fallback_pool.as_deref()));
    json!({
        "kind": workload.kind,
        "mode": workload.mode,
        "team": workload.team,
        "cost_center": workload.cost_center,
        "namespace": workload.kubernetes.namespace,
        "floor_pool": service.map(|s| names::label(&s.floor.pool)),
        "floor_replicas": service.map(|s| s.floor.base_replicas),
        "floor_max_replicas": service.map(|s| s.floor.max_replicas),
        "flex_pool": flex.map(|f| names::label(&f.pool)).or(job.map(|j| names::label(&j.pool))),
        "flex_max_replicas": flex.map(|f| f.max_replicas).or(job.map(|j| j.workers)),
        "fallback_pool": fallback.map(names::label),
        "scaled_by_keda": scaled,
        "usd_per_month": workload.usd_per_month,
        "baseline_usd_per_month": workload.baseline_usd_per_month,
    })
}

fn schedule(window: &Window) -> Value {
    json!({
        "workload": window.workload,
        "time_zone": window.time_zone,
        "days": window.days,
        "start_hour": window.start_hour,
        "end_hour": window.end_hour,
        "floor_replicas": window.floor,
        "flex_replicas": window.flex,
        "cron_start": window.cron_start,
        "cron_end": window.cron_end,
    })
}

fn costs(plan: &Plan) -> Value {
    json!({
        "usd_per_month": plan.cost.usd_per_month,
        "on_demand_usd_per_month": plan.cost.on_demand_usd_per_month,
        "spot_usd_per_month": plan.cost.spot_usd_per_month,
        "commitments_usd_per_month": plan.cost.commitments_usd_per_month,
        "baseline_usd_per_month": plan.baseline.usd_per_month,
        "saving": plan.saving,
        "bound_usd_per_month": plan.optimality.bound_usd_per_month,
        "gap": plan.optimality.gap,
        "target_met": plan.target.as_ref().map(|target| target.met),
    })
}
