//! Triton servers that several models share: a `config.pbtxt` for each model, how it comes beside the user's weights, and the server's
//! command line.
//!
//! What a configuration says is what the plan decided: instances, batch, queue delay, priority. What the model is (backend, inputs,
//! outputs) stands in the user's repository, whose own `config.pbtxt`, if there is one, comes before it in one file.
//!
//! Source of the fields: github.com/triton-inference-server/common, `protobuf/model_config.proto`; of the options:
//! docs.nvidia.com, Triton user guide, "Rate Limiter" and "Model Management".

mod text;

use super::names;
use super::{Artifact, header, pods, yaml};
use crate::plan::{Bundle, BundleMember, Plan, WorkloadPlan};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use text::{Field, Value};

/// Resource of the rate limiter that every execution of a model takes one of.
pub const EXECUTION: &str = "execution";
/// Port of gRPC.
const GRPC_PORT: u16 = 8001;
/// Port of the server's metrics.
const METRICS_PORT: u16 = 8002;
/// Lays configurations over the user's repository; a model a line of arguments.
const LAY_OVER: &str = include_str!("../text/lay_over.sh");

/// The bundle that a server stands for.
#[must_use]
pub fn bundle<'a>(plan: &'a Plan, host: &WorkloadPlan) -> Option<&'a Bundle> {
    plan.bundles.iter().find(|bundle| bundle.host.name == host.name)
}

/// A configuration for each model of each bundle.
#[must_use]
pub fn configurations(plan: &Plan) -> Vec<Artifact> {
    let one = |bundle: &Bundle, member: &BundleMember| Artifact {
        path: path(bundle, member),
        contents: header::commented(plan, &configuration(member)),
    };
    plan.bundles.iter().flat_map(|bundle| bundle.members.iter().map(move |member| one(bundle, member))).collect()
}

/// Entries of the kustomization that make a ConfigMap of the configurations of each bundle.
///
/// Without a digest in its name: the header would change it with every plan. What matters of the configurations is in an annotation
/// of the pods.
#[must_use]
pub fn generators(plan: &Plan) -> Vec<Json> {
    let one = |bundle: &Bundle| {
        let file = |member: &BundleMember| {
            let path = path(bundle, member);
            format!("{}={}", key(member), path.strip_prefix("kubernetes/").unwrap_or(&path))
        };
        json!({
            "name": config_map(bundle),
            "namespace": bundle.host.kubernetes.namespace,
            "files": bundle.members.iter().map(file).collect::<Vec<_>>(),
            "options": {"disableNameSuffixHash": true, "labels": yaml::labels(plan, &bundle.host.name, "models")},
        })
    };
    plan.bundles.iter().map(one).collect()
}

fn path(bundle: &Bundle, member: &BundleMember) -> String {
    let host = &bundle.host;
    let (namespace, server) = (names::label(&host.kubernetes.namespace), names::label(&host.name));
    format!("kubernetes/{namespace}/triton/{server}/models/{}/config.pbtxt", names::model(&member.model))
}

fn key(member: &BundleMember) -> String {
    format!("{}.pbtxt", names::model(&member.model))
}

fn config_map(bundle: &Bundle) -> String {
    names::label(&format!("{}-models", bundle.host.name))
}

/// Executions that may run at a time: as many as there are instances, so that none waits for another model's while the plan holds.
fn executions(bundle: &Bundle) -> u32 {
    bundle.members.iter().map(|member| member.instances.max(1)).sum()
}

/// A model's configuration.
fn configuration(member: &BundleMember) -> String {
    let number = |n: u32| Value::Number(u64::from(n));
    let resource = vec![("name", Value::Text(EXECUTION.to_owned())), ("count", number(1))];
    let limiter: Vec<Field> = vec![("resources", Value::Message(resource)), ("priority", number(member.priority.max(1)))];
    let group = vec![
        ("count", number(member.instances.max(1))),
        ("kind", Value::Word("KIND_GPU")),
        ("gpus", number(0)),
        ("rate_limiter", Value::Message(limiter)),
    ];
    let mut fields = vec![
        ("name", Value::Text(names::model(&member.model))),
        ("max_batch_size", number(member.max_batch_size)),
        ("instance_group", Value::Message(group)),
    ];
    if member.max_batch_size > 1 {
        let delay = vec![("max_queue_delay_microseconds", Value::Number(member.max_queue_delay_us))];
        fields.push(("dynamic_batching", Value::Message(delay)));
    }
    text::message(&fields)
}

/// Turns the Deployment of a plain service into that of a shared server: an init step, the command line, ports and volumes.
pub fn serve(bundle: &Bundle, (pod, container): (&mut Map<String, Json>, &mut Json)) {
    let models: Vec<String> = bundle.members.iter().map(|member| names::model(&member.model)).collect();
    let mut arguments = vec![
        "--model-repository=/models".to_owned(),
        "--model-control-mode=explicit".to_owned(),
        "--rate-limit=execution_count".to_owned(),
        format!("--rate-limit-resource={EXECUTION}:{}", executions(bundle)),
    ];
    arguments.extend(models.iter().map(|model| format!("--load-model={model}")));
    container["command"] = json!(["tritonserver"]);
    container["args"] = json!(arguments);
    container["ports"] = json!([
        {"name": "http", "containerPort": pods::PORT},
        {"name": "grpc", "containerPort": GRPC_PORT},
        {"name": "metrics", "containerPort": METRICS_PORT},
    ]);
    let mount = |name: &str, path: &str, read_only: bool| match read_only {
        true => json!({"name": name, "mountPath": path, "readOnly": true}),
        false => json!({"name": name, "mountPath": path}),
    };
    append(&mut container["volumeMounts"], [mount("repository", "/repository", true), mount("models", "/models", true)]);
    let init = json!({
        "name": "lay-over",
        "image": container["image"],
        "command": ["/bin/sh", "-eu", "-c", LAY_OVER, "lay-over"],
        "args": models,
        "volumeMounts": [mount("repository", "/repository", true), mount("plan", "/plan", true), mount("models", "/models", false)],
    });
    pod.insert("initContainers".to_owned(), json!([init]));
    let claim = names::label(&format!("{}-repository", bundle.host.name));
    let volumes = pod.entry("volumes").or_insert(Json::Null);
    let added = [
        json!({"name": "repository", "persistentVolumeClaim": {"claimName": claim, "readOnly": true}}),
        json!({"name": "plan", "configMap": {"name": config_map(bundle)}}),
        json!({"name": "models", "emptyDir": {}}),
    ];
    append(volumes, added);
}

fn append(list: &mut Json, more: impl IntoIterator<Item = Json>) {
    match list {
        Json::Array(items) => items.extend(more),
        other => *other = Json::Array(more.into_iter().collect()),
    }
}

/// Digest of the configurations without their headers: pods start anew when it changes.
#[must_use]
pub fn digest(bundle: &Bundle) -> String {
    let all: String = bundle.members.iter().map(configuration).collect();
    Sha256::digest(all.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The server's further ports, for its Service.
#[must_use]
pub fn ports() -> [Json; 1] {
    [json!({"name": "grpc", "port": GRPC_PORT, "targetPort": "grpc"})]
}

/// Services under the names of the members, where gpuplan gave them one before: their callers keep the address.
#[must_use]
pub fn aliases(plan: &Plan, bundle: &Bundle) -> Vec<Json> {
    let host = &bundle.host;
    let was_ours = |member: &&BundleMember| {
        let found = plan.workloads.iter().find(|workload| workload.name == member.workload);
        found.is_some_and(|w| w.kubernetes.scale_target.is_none() && w.kubernetes.namespace == host.kubernetes.namespace)
    };
    let one = |member: &BundleMember| {
        let name = names::service_name(&member.workload);
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": yaml::metadata(plan, (&name, Some(&host.kubernetes.namespace)), yaml::labels(plan, &member.workload, "service")),
            "spec": {
                "selector": {"app.kubernetes.io/name": names::label(&host.name)},
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}, ports()[0]],
            },
        })
    };
    bundle.members.iter().filter(was_ours).map(one).collect()
}
