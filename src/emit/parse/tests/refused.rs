//! Edits that a cluster refuses, that can only be slips, or that a replay cannot follow.

use super::sample::{Sample, lines};
use crate::emit::parse::files;

/// The one fault of an edited file: its place as `line:column`, and words of what is wrong.
fn one(sample: &Sample, (path, place): (&str, &str), words: &[&str]) {
    let faults = sample.read().expect_err("a fault");
    assert_eq!(faults.len(), 1, "{}", lines(&faults));
    let text = faults[0].to_string();
    let start = if place.is_empty() { format!("{path}: ") } else { format!("{path}:{place}: ") };
    assert!(text.starts_with(&start), "{start} {text}");
    for word in words {
        assert!(text.contains(word), "{word:?} in {text}");
    }
    assert!(!faults[0].help.is_empty());
}

/// An edit of the ScaledObject `chat-flex`.
fn chat(from: &str, to: &str, (place, words): (&str, &[&str])) {
    one(&Sample::new().edit("keda/chat-flex.yaml", from, to), ("kubernetes/keda/chat-flex.yaml", place), words);
}

#[test]
fn thresholds_are_numbers_above_zero_in_quotes() {
    chat("\"11.456\"", "\"eleven\"", ("53:18", &["`threshold` of a trigger of ScaledObject `serving/chat-flex` is `eleven`", "no number"]));
    chat("\"11.456\"", "\"0\"", ("53:18", &["is `0`", "at least"]));
    chat("\"11.456\"", "\"-3\"", ("53:18", &["is `-3`"]));
    chat("\"11.456\"", "\"NaN\"", ("53:18", &["no number"]));
    chat("\"11.456\"", "11.456", ("53:18", &["a number, not text", "quotes"]));
    chat("      threshold: \"11.456\"\n", "", ("51:7", &["has no `threshold`", "add"]));
    chat("activationThreshold: \"0\"", "activationThreshold: \"none\"", ("54:28", &["`activationThreshold`"]));
    chat("ignoreNullValues: \"false\"", "ignoreNullValues: \"no\"", ("55:25", &["truth value"]));
}

#[test]
fn cron_triggers_end_after_they_start() {
    chat("end: 0 19 * * 1-5", "end: 52 7 * * 1-5", ("45:12", &["`start` and `end`", "the same"]));
    chat("\"4\"", "\"0\"", ("46:24", &["`desiredReplicas`", "`0`", "minReplicaCount: 0"]));
    chat("\"4\"", "\"four\"", ("46:24", &["no whole number"]));
    chat("\"4\"", "\"4.5\"", ("46:24", &["no whole number"]));
    chat("\"4\"", "4", ("46:24", &["quotes"]));
    chat("start: 52 7 * * 1-5", "start: 52 7 * *", ("44:14", &["4 fields, not 5"]));
    chat("start: 52 7 * * 1-5", "start: 52 25 * * 1-5", ("44:14", &["`25` is no hour"]));
    chat("start: 52 7 * * 1-5", "start: 52 7 * * 7", ("44:14", &["`7` is no day of the week"]));
    chat("Europe/Berlin", "Europe/Berlim", ("43:17", &["there is no time zone `Europe/Berlim`"]));
    chat("Europe/Berlin", "europe/berlin", ("43:17", &["is spelled `Europe/Berlin`"]));
    chat("      timezone: Europe/Berlin\n", "", ("43:7", &["has no `timezone`"]));
}

#[test]
fn counts_stand_in_order() {
    chat("minReplicaCount: 1", "minReplicaCount: 7", ("15:20", &["`minReplicaCount` 7", "above `maxReplicaCount` 6"]));
    chat("minReplicaCount: 1", "minReplicaCount: \"1\"", ("15:20", &["text, not a whole number", "without quotes"]));
    chat("minReplicaCount: 1", "minReplicaCount: -1", ("15:20", &["is -1"]));
    chat("maxReplicaCount: 6", "maxReplicaCount: 0", ("16:20", &["is 0", "at least 1"]));
    chat("minReplicaCount: 1", "minReplicaCount: 1.5", ("15:20", &["not a whole number"]));
    chat("minReplicaCount: 1", "minReplicaCount: 1\n  idleReplicaCount: 1", ("16:21", &["`idleReplicaCount` 1", "not below"]));
    chat("pollingInterval: 15", "pollingInterval: 0", ("13:20", &["`pollingInterval`", "is 0"]));
    chat("failureThreshold: 3", "failureThreshold: -3", ("37:23", &["-3"]));
    let ocr = Sample::new().edit("keda/ocr.yaml", "minReplicaCount: 0", "minReplicaCount: 9");
    one(&ocr, ("kubernetes/keda/ocr.yaml", "10:20"), &["ScaledJob `serving/ocr`", "above"]);
}

#[test]
fn behaviour_is_what_the_hpa_takes() {
    chat("stabilizationWindowSeconds: 300", "stabilizationWindowSeconds: 3601", ("31:39", &["at most 3600"]));
    chat("selectPolicy: Max", "selectPolicy: Most", ("22:25", &["`Most`"]));
    chat("type: Pods", "type: Pod", ("24:19", &["`Pod`"]));
    chat("periodSeconds: 15", "periodSeconds: 1801", ("26:28", &["at most 1800"]));
    chat("value: 4", "value: 0", ("25:20", &["`value`", "is 0"]));
    chat("selectPolicy: Max", "tolerance: low", ("22:22", &["no quantity"]));
}

#[test]
fn triggers_are_of_a_type_and_of_one_name() {
    chat("type: prometheus", "type: promethues", ("47:11", &["`promethues`", "did you mean `prometheus`?"]));
    chat("type: prometheus", "type: cpu", ("47:11", &["`cpu`"]));
    chat("name: load", "name: window-1", ("47:5", &["two triggers", "`window-1`"]));
    chat("metricType: AverageValue", "metricType: Average", ("49:17", &["`Average`"]));
    chat("name: window-1", "name: window-1\n    useCachedMetrics: true", ("40:5", &["`useCachedMetrics`", "`cron`"]));
    let ocr = |from: &str, to: &str| Sample::new().edit("keda/ocr.yaml", from, to);
    one(&ocr("      awsRegion: us-east-1\n", ""), ("kubernetes/keda/ocr.yaml", "40:7"), &["`aws-sqs-queue`", "has no `awsRegion`"]);
    one(&ocr("\"1\"\n      queueURL", "\"many\"\n      queueURL"), ("kubernetes/keda/ocr.yaml", "41:20"), &["`queueLength`", "`many`"]);
}

#[test]
fn a_scaled_object_has_a_target_of_its_own() {
    chat("    name: chat-flex\n", "", ("10:5", &["has no `name`"]));
    chat("kind: Deployment", "kind: StatefulSet", ("11:11", &["`StatefulSet`"]));
    chat("    name: chat-flex\n  polling", "    name: chat-flexx\n  polling", ("1:1", &["`serving/chat-flexx`, which is nowhere"]));
    let two = Sample::new().edit("keda/tutor-floor.yaml", "namespace: education", "namespace: serving").edit(
        "keda/tutor-floor.yaml",
        "campus-tutor",
        "chat-flex",
    );
    one(&two, ("kubernetes/keda/tutor-floor.yaml", "1:1"), &["scales `chat-flex`, as ScaledObject `serving/chat-flex` does"]);
    let no_reference = Sample::new().edit("keda/tutor-floor.yaml", "  scaleTargetRef:\n    name: campus-tutor\n", "");
    one(&no_reference, ("kubernetes/keda/tutor-floor.yaml", "9:3"), &["has no `scaleTargetRef`"]);
}

#[test]
fn names_stand_once() {
    let again = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: campus-tutor, namespace: education, labels: {app.kubernetes.io/name: tutor}}\nspec: {template: {spec: {containers: [{name: c}]}}}\n";
    let faults = Sample::new().with("own.yaml", again).read().expect_err("a fault");
    assert!(
        lines(&faults).contains("Deployment `education/campus-tutor` stands twice, first in `kubernetes/own.yaml`"),
        "{}",
        lines(&faults)
    );
    let listed =
        Sample::new().edit("kubernetes/kustomization.yaml", "- workloads/tune.yaml\n", "- workloads/tune.yaml\n- ./workloads/tune.yaml\n");
    one(&listed, ("kubernetes/kustomization.yaml", "12:3"), &["listed twice"]);
}

#[test]
fn pods_can_run_somewhere() {
    let chat = |from: &str, to: &str| Sample::new().edit("workloads/chat.yaml", from, to);
    let path = "kubernetes/workloads/chat.yaml";
    one(
        &chat("gpuplan.dev/pool: l4-od", "gpuplan.dev/pool: l4-odd"),
        (path, "1:1"),
        &["Deployment `serving/chat-floor` can run nowhere", "no node pool `l4-odd`"],
    );
    one(
        &chat("      - key: nvidia.com/gpu\n", "      - key: nvidia.com/cpu\n"),
        (path, "1:1"),
        &["taint `nvidia.com/gpu=true:NoSchedule`"],
    );
    one(
        &chat(
            "nvidia.com/gpu: \"1\"\n          limits:\n            memory: 16Gi\n            nvidia.com/gpu: \"1\"",
            "nvidia.com/gpu: \"2\"\n          limits:\n            nvidia.com/gpu: \"2\"",
        ),
        (path, "1:1"),
        &["ask for 2 GPUs"],
    );
    one(
        &chat("            nvidia.com/gpu: \"1\"\n          limits", "            nvidia.com/gpu: \"2\"\n          limits"),
        (path, "21:11"),
        &["no count of GPUs"],
    );
    one(
        &chat("gpuplan.dev/pool: l4-od", "topology.kubernetes.io/zone: us-east-1a"),
        (path, "13:38"),
        &["chooses nodes by `topology.kubernetes.io/zone`"],
    );
    one(&chat("cpu: 2500m", "cpu: lots"), (path, "22:18"), &["`cpu`", "no quantity"]);
    one(&chat("maxSkew: 1", "maxSkew: 2"), (path, "63:18"), &["`maxSkew`"]);
    one(&chat("whenUnsatisfiable: DoNotSchedule", "whenUnsatisfiable: Never"), (path, "66:28"), &["`Never`", "`DoNotSchedule`"]);
    one(&chat("replicas: 2", "replicas: two"), (path, "9:13"), &["`replicas`", "whole number"]);
    one(&chat("  labels:\n    app.kubernetes.io/name: chat\n", ""), (path, "1:1"), &["no label `app.kubernetes.io/name`"]);
}

#[test]
fn node_pools_are_one_shape_with_a_limit() {
    let pool = |from: &str, to: &str, (place, words): (&str, &[&str])| {
        one(&Sample::new().edit("karpenter/l4-spot.yaml", from, to), ("kubernetes/karpenter/l4-spot.yaml", place), words);
    };
    pool(
        "        - g6.xlarge\n",
        "        - g6.xlarge\n        - g6.2xlarge\n",
        ("21:7", &["2 values of `node.kubernetes.io/instance-type`"]),
    );
    pool("        - spot\n", "        - spott\n", ("21:7", &["`spott`"]));
    pool("  limits:\n    nvidia.com/gpu: \"8\"\n", "", ("6:3", &["no limit of `nvidia.com/gpu`"]));
    pool("\"8\"", "\"8\"\n    cpu: \"64\"", ("9:10", &["`limits.cpu`"]));
    pool("60s", "60", ("11:23", &["not text"]));
    pool("60s", "1d", ("11:23", &["`1d`", "such as `60s`"]));
    pool("WhenEmpty", "WhenUnderutilized", ("10:26", &["`WhenUnderutilized`"]));
    pool("expireAfter: 720h", "expireAfter: 12h", ("43:20", &["`expireAfter of less than a week`"]));
    pool("karpenter.sh/v1", "karpenter.sh/v1beta1", ("1:13", &["`karpenter.sh/v1beta1`", "`karpenter.sh/v1`"]));
    pool("        gpuplan.dev/pool: l4-spot\n", "        other: label\n", ("17:5", &["no label `gpuplan.dev/pool`"]));
}

#[test]
fn an_unsound_pool_is_one_fault_and_not_one_a_pod() {
    let pool = Sample::new().edit("karpenter/l4-od.yaml", "  limits:\n    nvidia.com/gpu: \"8\"\n", "");
    one(&pool, ("kubernetes/karpenter/l4-od.yaml", "6:3"), &["no limit of `nvidia.com/gpu`"]);
    let values = Sample::new().edit("tfvars.json", "\"on-demand\"", "\"reserved\"");
    one(&values, ("terraform/gpuplan.auto.tfvars.json", "12:24"), &["`capacity_type` of node pool `l4-od` is `reserved`"]);
    let effect = Sample::new().edit("karpenter/l4-od.yaml", "effect: NoSchedule", "effect: Never");
    one(&effect, ("kubernetes/karpenter/l4-od.yaml", "50:17"), &["the effect of a taint of NodePool `l4-od` is `Never`"]);
    let away = Sample::new().without("karpenter/l4-od.yaml").edit("kubernetes/kustomization.yaml", "- karpenter/l4-od.yaml\n", "");
    let text = lines(&away.read().expect_err("faults"));
    assert_eq!(text.matches("can run nowhere: no node pool `l4-od`").count(), 4, "{text}");
}

#[test]
fn terraform_values_are_sound() {
    let path = "terraform/gpuplan.auto.tfvars.json";
    let values = |from: &str, to: &str| Sample::new().edit("tfvars.json", from, to);
    one(&values("\"region\"", "region"), (path, "8:7"), &["this is no JSON"]);
    one(&values("\"gpus\": 8", "\"gpus\": 9"), (path, "15:38"), &["`limits.gpus`", "make 8"]);
    one(&Sample::new().without("tfvars.json"), (path, ""), &["missing"]);
    let renamed = values("\"l4-od\": {", "\"l4-odd\": {");
    let faults = lines(&renamed.read().expect_err("faults"));
    assert!(faults.contains("kubernetes/karpenter/l4-od.yaml:6:3: GPUs of a node of NodePool `l4-od` are not known"), "{faults}");
    assert!(faults.contains("node pool `l4-odd` has the pool label `l4-od`"), "{faults}");
    let min = values("\"min_nodes\": 1", "\"min_nodes\": 9");
    one(&min, (path, "13:20"), &["`min_nodes` 9", "above `max_nodes` 8"]);
}

#[test]
fn what_is_listed_is_there() {
    one(&Sample::new().without("keda/ocr.yaml"), ("kubernetes/kustomization.yaml", "8:3"), &["`keda/ocr.yaml` is listed and not there"]);
    one(
        &Sample::new().without("tutor/floor.yaml"),
        ("kubernetes/patches/tutor/kustomization.yaml", "4:9"),
        &["`floor.yaml` is listed and not there"],
    );
    one(&Sample::new().without("tutor/kustomization.yaml"), ("kubernetes/patches/tutor/kustomization.yaml", ""), &["no kustomization"]);
    one(&Sample::new().without("kubernetes/kustomization.yaml"), ("kubernetes/kustomization.yaml", ""), &["nothing is applied"]);
    let empty = files(&[]).expect_err("a fault");
    assert_eq!(lines(&empty), "kubernetes/kustomization.yaml: the folder is empty; name a folder that `gpuplan optimize` wrote\n");
}

#[test]
fn what_changes_objects_on_their_way_is_refused() {
    let listed = |line: &str| Sample::new().edit("kubernetes/kustomization.yaml", "resources:\n", &format!("{line}\nresources:\n"));
    one(&listed("namePrefix: x-"), ("kubernetes/kustomization.yaml", "3:13"), &["`namePrefix`"]);
    one(&listed("replicas: [{name: chat-floor, count: 9}]"), ("kubernetes/kustomization.yaml", "3:11"), &["`replicas`"]);
    assert!(listed("images: [{name: a, newTag: b}]\npatches: []").read().is_ok());
}

#[test]
fn what_a_replay_does_not_know_is_refused() {
    chat("  advanced:\n", "  advanced:\n    scalingModifiers: {formula: load / 2, target: \"2\"}\n", ("18:23", &["`scalingModifiers`"]));
    chat("    replicas: 6\n", "    replicas: 6\n    behavior: currentReplicas\n", ("39:15", &["currentReplicas"]));
    chat(
        "  namespace: serving\n",
        "  namespace: serving\n  annotations: {autoscaling.keda.sh/paused-replicas: \"2\"}\n",
        ("6:54", &["paused-replicas"]),
    );
    let hpa = Sample::new().with("hpa.yaml", "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\n");
    one(&hpa, ("kubernetes/hpa.yaml", "1:1"), &["HorizontalPodAutoscaler `default/x`"]);
    let ocr = |from: &str, to: &str| Sample::new().edit("keda/ocr.yaml", from, to);
    one(&ocr("strategy: default", "strategy: eager"), ("kubernetes/keda/ocr.yaml", "13:15"), &["eager"]);
    one(&ocr("parallelism: 1", "parallelism: 4"), ("kubernetes/keda/ocr.yaml", "15:18"), &["`parallelism`"]);
    let tune = Sample::new().edit("workloads/tune.yaml", "policy: Forbid".replace('p', "P").as_str(), "Policy: Allow");
    one(&tune, ("kubernetes/workloads/tune.yaml", "11:22"), &["`concurrencyPolicy`", "`Allow`"]);
    let gate = Sample::new().edit("keda/ocr-gate.yaml", "- annotate", "- delete");
    one(&gate, ("kubernetes/keda/ocr-gate.yaml", "9:3"), &["which a replay does not follow"]);
}

#[test]
fn cron_jobs_have_a_schedule() {
    let tune = |from: &str, to: &str| Sample::new().edit("workloads/tune.yaml", from, to);
    one(&tune("schedule: 0 2 * * 6", "schedule: 0 2 * *"), ("kubernetes/workloads/tune.yaml", "10:13"), &["4 fields"]);
    one(&tune("timeZone: Europe/Berlin", "timeZone: Berlin"), ("kubernetes/workloads/tune.yaml", "9:13"), &["`Berlin`"]);
    one(&tune("parallelism: 4", "parallelism: 0"), ("kubernetes/workloads/tune.yaml", "15:20"), &["`parallelism`", "is 0"]);
}

#[test]
fn components_are_followed_or_refused() {
    let component = |from: &str, to: &str| Sample::new().edit("tutor/kustomization.yaml", from, to);
    let path = "kubernetes/patches/tutor/kustomization.yaml";
    one(
        &component("nvidia.com/gpu: \"1\"\n        limits", "nvidia.com/gpu: \"2\"\n        limits"),
        (path, "14:9"),
        &["no count of GPUs"],
    );
    one(&component("memory: 8192Mi", "memory: much"), (path, "16:19"), &["`memory`", "no quantity"]);
    one(&component("op: add", "op: move"), (path, "11:7"), &["`move`"]);
    one(&component("name: ^campus-tutor$", "name: campus-.*"), (path, "9:11"), &["pattern `campus-.*`"]);
    one(
        &Sample::new().edit("tutor/floor.yaml", "pool: l4-od", "pool: l5"),
        ("kubernetes/patches/tutor/floor.yaml", "1:1"),
        &["no node pool `l5`"],
    );
    one(
        &Sample::new().edit("tutor/floor.yaml", "name: campus-tutor", "name: tutor"),
        ("kubernetes/patches/tutor/floor.yaml", "1:1"),
        &["aimed at `campus-tutor`"],
    );
}

#[test]
fn unreadable_text_hides_no_other_fault_and_makes_none() {
    let sample = Sample::new()
        .edit("workloads/chat.yaml", "spec:\n  replicas", "spec: [\n  replicas")
        .edit("keda/tutor-floor.yaml", "\"1\"", "\"0\"")
        .edit("karpenter/l4-od.yaml", "weight: 10", "weight: 1000");
    let faults = sample.read().expect_err("faults");
    let text = lines(&faults);
    assert_eq!(faults.len(), 3, "{text}");
    assert!(text.contains("kubernetes/workloads/chat.yaml:") && text.contains("this is no YAML"), "{text}");
    assert!(text.contains("`desiredReplicas`") && text.contains("`weight`"), "{text}");
    let twice = Sample::new().edit("keda/chat-flex.yaml", "pollingInterval: 15", "pollingInterval: 15\n  pollingInterval: 30");
    one(&twice, ("kubernetes/keda/chat-flex.yaml", "14:3"), &["key `pollingInterval` stands twice"]);
    let scalar = Sample::new().with("x.yaml", "just text\n");
    one(&scalar, ("kubernetes/x.yaml", "1:1"), &["is text, not an object"]);
    let nameless = Sample::new().with("x.yaml", "apiVersion: v1\nkind: Service\n");
    let text = lines(&nameless.read().expect_err("faults"));
    assert!(text.contains("has no `metadata`"), "{text}");
}

#[test]
fn every_fault_is_told_in_the_order_of_the_files() {
    let sample = Sample::new()
        .edit("keda/chat-flex.yaml", "\"11.456\"", "\"x\"")
        .edit("keda/chat-flex.yaml", "minReplicaCount: 1", "minReplicaCount: 7")
        .edit("keda/chat-flex.yaml", "Europe/Berlin", "Nowhere")
        .edit("keda/ocr.yaml", "queueLength: \"1\"", "queueLength: \"0\"")
        .edit("workloads/tune.yaml", "0 2 * * 6", "x");
    let faults = sample.read().expect_err("faults");
    let places: Vec<_> = faults.iter().map(|f| (f.at.path.as_str(), f.at.place.map_or(0, |(line, _)| line))).collect();
    let (chat, ocr, tune) = ("kubernetes/keda/chat-flex.yaml", "kubernetes/keda/ocr.yaml", "kubernetes/workloads/tune.yaml");
    assert_eq!(places, [(chat, 15), (chat, 43), (chat, 53), (ocr, 41), (tune, 10)], "{}", lines(&faults));
}
