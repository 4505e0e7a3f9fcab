//! Jobs: a CronJob for each time of day, or for work that waits in a queue a ScaledJob.
//!
//! KEDA cannot hold a queue back until a window opens: of several triggers a ScaledJob counts only the active ones, with every
//! `multipleScalersCalculation`, so a cron trigger adds Jobs and never takes any away. Where the plan starts a run later than its
//! release, two small CronJobs therefore pause the ScaledJob at the deadline and release it at the planned start.

use super::cron::{self, Weekly};
use super::names::{self, JOB_MAX};
use super::{Artifact, pods, yaml};
use crate::plan::{JobPlan, JobRunPlan, Plan, QueuePlan, WorkloadPlan};
use serde_json::{Map, Value, json};

/// Image with `kubectl` for the gate of a ScaledJob.
const KUBECTL_IMAGE: &str = "registry.k8s.io/kubectl:v1.32.4";
/// Hours of a week.
const WEEK_H: u32 = 168;

/// Manifests of a job; nothing for services.
#[must_use]
pub fn manifests(plan: &Plan, workload: &WorkloadPlan) -> Vec<Artifact> {
    let Some(job) = &workload.job else { return Vec::new() };
    let name = names::label(&workload.name);
    let Some(queue) = &job.queue else {
        let mut documents = cron_jobs(plan, (workload, job));
        if gang(workload, job) {
            documents.push(rendezvous(plan, workload));
        }
        return vec![yaml::file(plan, format!("kubernetes/workloads/{name}.yaml"), &documents)];
    };
    let mut files = vec![yaml::file(plan, format!("kubernetes/keda/{name}.yaml"), &[scaled_job(plan, (workload, job), queue)])];
    let gate = gate(plan, (workload, job));
    if !gate.is_empty() {
        files.push(yaml::file(plan, format!("kubernetes/keda/{name}-gate.yaml"), &gate));
    }
    files
}

/// Workers that need each other.
fn gang(workload: &WorkloadPlan, job: &JobPlan) -> bool {
    workload.kind == "training" && job.workers > 1
}

/// Seconds from a run's start to its deadline.
fn allowed_s(run: &JobRunPlan) -> u32 {
    run.deadline_hour.saturating_sub(run.start_hour).max(1) * 3600
}

/// The tightest of the runs.
fn deadline_s(job: &JobPlan) -> u32 {
    job.runs.iter().map(allowed_s).min().unwrap_or(WEEK_H * 3600)
}

/// How late a run may start and still be done by its deadline.
fn start_slack_s(job: &JobPlan) -> u32 {
    let slack = |run: &JobRunPlan| ((f64::from(run.deadline_hour) - run.end_hour).max(0.0) * 3600.0) as u32;
    // The controller looks every ten seconds; below that it would never start anything.
    job.runs.iter().map(slack).min().unwrap_or(0).max(300)
}

fn cron_jobs(plan: &Plan, (workload, job): (&WorkloadPlan, &JobPlan)) -> Vec<Value> {
    let schedules = cron::joined(job.runs.iter().map(|run| run.cron.as_str()));
    let several = schedules.len() > 1;
    let one = |(i, schedule): (usize, &String)| {
        let name = if several { format!("{}-{}", workload.name, i + 1) } else { workload.name.clone() };
        let name = names::dns_label(&name, JOB_MAX);
        let mut spec = json!({
            "parallelism": job.workers,
            "completions": job.workers,
            "completionMode": "Indexed",
            "activeDeadlineSeconds": deadline_s(job),
        });
        extend(&mut spec, failure_rules());
        spec["template"] = pod(plan, (workload, job));
        json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": yaml::metadata(plan, (&name, Some(&workload.kubernetes.namespace)), yaml::labels(plan, &workload.name, "job")),
            "spec": {
                "timeZone": workload.kubernetes.time_zone,
                "schedule": schedule,
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": start_slack_s(job),
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 3,
                "jobTemplate": {"spec": spec},
            },
        })
    };
    schedules.iter().enumerate().map(one).collect()
}

/// A worker that a reclaim or a drain ends is started again and counts as no failure.
fn failure_rules() -> Value {
    json!({
        "backoffLimit": 6,
        "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]},
    })
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}

fn pod(plan: &Plan, (workload, job): (&WorkloadPlan, &JobPlan)) -> Value {
    let pools = pods::pools(plan, &job.pool, job.fallback_pool.as_deref());
    let mut spec = pods::placement(workload, &pools);
    spec.insert("restartPolicy".to_owned(), json!("Never"));
    if gang(workload, job) {
        spec.insert("subdomain".to_owned(), json!(names::service_name(&workload.name)));
    }
    let mut container = json!({
        "name": "worker",
        "image": workload.kubernetes.image,
        "env": environment(workload, job),
        "resources": pods::resources(workload),
    });
    // Data loaders of training use shared memory even on one GPU.
    let gpus = if workload.kind == "training" { workload.variant.requests.gpus.max(2) } else { workload.variant.requests.gpus };
    pods::add_shared_memory(&mut spec, &mut container, gpus);
    spec.insert("containers".to_owned(), json!([container]));
    let mut annotations = pods::annotations(workload);
    if plan.provenance.node_autoscaler == "karpenter" {
        annotations["karpenter.sh/do-not-disrupt"] = json!("true");
    }
    json!({"metadata": {"labels": yaml::labels(plan, &workload.name, "job"), "annotations": annotations}, "spec": spec})
}

/// What a worker may want to know of the plan.
fn environment(workload: &WorkloadPlan, job: &JobPlan) -> Value {
    let variable = |name: &str, value: String| json!({"name": name, "value": value});
    let mut env = vec![
        variable("GPUPLAN_WORKERS", job.workers.to_string()),
        variable("GPUPLAN_WORK_PER_RUN", job.work_per_run.to_string()),
        variable("GPUPLAN_WORK_UNIT", job.work_unit.clone()),
    ];
    if let Some(interval_s) = job.checkpoint_interval_s {
        env.push(variable("GPUPLAN_CHECKPOINT_INTERVAL_SECONDS", format!("{}", interval_s.floor())));
    }
    if gang(workload, job) {
        let label = json!({"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"});
        env.push(json!({"name": "GPUPLAN_JOB_NAME", "valueFrom": {"fieldRef": label}}));
        env.push(variable("MASTER_ADDR", format!("$(GPUPLAN_JOB_NAME)-0.{}", names::service_name(&workload.name))));
        env.push(variable("MASTER_PORT", "29500".to_owned()));
    }
    Value::Array(env)
}

/// Names for the workers of a gang.
fn rendezvous(plan: &Plan, workload: &WorkloadPlan) -> Value {
    let name = names::service_name(&workload.name);
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": yaml::metadata(plan, (&name, Some(&workload.kubernetes.namespace)), yaml::labels(plan, &workload.name, "job")),
        "spec": {"clusterIP": "None", "publishNotReadyAddresses": true, "selector": pods::selector(&workload.name, "job")},
    })
}

/// At most the planned workers at a time; each takes work until the queue is empty, so that it starts cold once.
fn scaled_job(plan: &Plan, (workload, job): (&WorkloadPlan, &JobPlan), queue: &QueuePlan) -> Value {
    let metadata: Map<String, Value> = queue.metadata.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let mut target = json!({"parallelism": 1, "completions": 1, "activeDeadlineSeconds": deadline_s(job)});
    extend(&mut target, failure_rules());
    target["template"] = pod(plan, (workload, job));
    let name = scaled_job_name(workload);
    json!({
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledJob",
        "metadata": yaml::metadata(plan, (&name, Some(&workload.kubernetes.namespace)), yaml::labels(plan, &workload.name, "job")),
        "spec": {
            "pollingInterval": 30,
            "minReplicaCount": 0,
            "maxReplicaCount": job.workers,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            // A changed plan does not kill running work.
            "rollout": {"strategy": "gradual"},
            "scalingStrategy": {"strategy": "default"},
            "jobTargetRef": target,
            "triggers": [{"type": queue.scaler, "name": "queue", "metadata": metadata}],
        },
    })
}

fn scaled_job_name(workload: &WorkloadPlan) -> String {
    names::dns_label(&workload.name, JOB_MAX)
}

/// When the queue may start work: opens at planned starts, closes at deadlines that no other run covers. `None` when every run
/// starts at its release (the queue itself is the gate), when it would never close, or when a schedule cannot be read.
fn gate_times(job: &JobPlan) -> Option<(Vec<String>, Vec<String>)> {
    if job.runs.iter().all(|run| run.start_hour <= run.release_hour) {
        return None;
    }
    let read: Vec<(Weekly, &JobRunPlan)> = job.runs.iter().map(|run| Some((cron::parse(&run.cron)?, run))).collect::<Option<_>>()?;
    let hours = |run: &JobRunPlan| run.deadline_hour.saturating_sub(run.start_hour);
    let covered = |hour: u32| {
        let since = |run: &JobRunPlan| (hour % WEEK_H + WEEK_H - run.start_hour % WEEK_H) % WEEK_H;
        job.runs.iter().any(|run| since(run) < hours(run))
    };
    let opens = cron::joined(job.runs.iter().map(|run| run.cron.as_str()));
    let closing = read.iter().filter(|(_, run)| !covered(run.deadline_hour));
    let closes: Vec<String> = closing.map(|(schedule, run)| cron::text(&cron::later(schedule, hours(run)))).collect();
    let closes = cron::joined(closes.iter().map(String::as_str));
    (!closes.is_empty()).then_some((opens, closes))
}

fn gate(plan: &Plan, (workload, job): (&WorkloadPlan, &JobPlan)) -> Vec<Value> {
    let Some((opens, closes)) = gate_times(job) else { return Vec::new() };
    let name = names::dns_label(&format!("{}-gate", workload.name), JOB_MAX);
    let namespace = workload.kubernetes.namespace.as_str();
    let meta = |name: &str| yaml::metadata(plan, (name, Some(namespace)), yaml::labels(plan, &workload.name, "gate"));
    let rule = json!({
        "apiGroups": ["keda.sh"],
        "resources": ["scaledjobs"],
        "resourceNames": [scaled_job_name(workload)],
        "verbs": ["get", "patch"],
    });
    let mut documents = vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(&name)}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta(&name), "rules": [rule]}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta(&name),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        }),
    ];
    let sides = [("open", opens, "autoscaling.keda.sh/paused-"), ("close", closes, "autoscaling.keda.sh/paused=true")];
    for (side, schedules, annotation) in sides {
        for (i, schedule) in schedules.iter().enumerate() {
            let own = names::dns_label(&format!("{}-{side}-{}", workload.name, i + 1), JOB_MAX);
            let spec = gate_spec(workload, (&name, schedule, annotation));
            documents.push(json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta(&own), "spec": spec}));
        }
    }
    documents
}

/// A CronJob that sets or removes the annotation that pauses KEDA.
fn gate_spec(workload: &WorkloadPlan, (account, schedule, annotation): (&str, &str, &str)) -> Value {
    let target = format!("scaledjobs.keda.sh/{}", scaled_job_name(workload));
    let command = ["kubectl", "annotate", "--overwrite", "--namespace", &workload.kubernetes.namespace, &target, annotation];
    let container = json!({
        "name": "kubectl",
        "image": KUBECTL_IMAGE,
        "command": command,
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true, "runAsUser": 65532,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        },
    });
    json!({
        "timeZone": workload.kubernetes.time_zone,
        "schedule": schedule,
        "concurrencyPolicy": "Replace",
        "startingDeadlineSeconds": 3600,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"spec": {"backoffLimit": 6, "template": {"spec": {
            "restartPolicy": "Never", "serviceAccountName": account, "containers": [container],
        }}}},
    })
}
