//! Edits that a cluster takes: they are read, and the replay shows what comes of them.

#![expect(clippy::unwrap_used, reason = "test")]

use super::sample::Sample;
use crate::emit::parse::types::*;
use crate::emit::parse::{SourceText, files};

fn chat(files: &Files) -> &ScaledObject {
    files.scaled_objects.iter().find(|o| o.name == "chat-flex").unwrap()
}

fn deployment<'a>(files: &'a Files, name: &str) -> &'a Deployment {
    files.deployments.iter().find(|d| d.name == name).unwrap()
}

fn notes(files: &Files) -> String {
    files.notes.iter().map(|note| format!("{}: {}\n", note.at.path, note.text)).collect()
}

#[test]
fn the_sample_is_sound_and_has_no_notes() {
    let files = Sample::new().sound();
    assert_eq!(notes(&files), "");
    assert_eq!((files.scaled_objects.len(), files.deployments.len(), files.node_pools.len()), (2, 3, 2));
    let id = ObjectId { kind: ObjectKind::ScaledObject, namespace: "serving".into(), name: "chat-flex".into() };
    assert_eq!(files.origins[&id], Origin { path: "kubernetes/keda/chat-flex.yaml".into(), place: Some((1, 1)) });
}

#[test]
fn what_is_left_out_has_its_default() {
    let files = Sample::new().sound();
    let tutor = files.scaled_objects.iter().find(|o| o.name == "tutor-floor").unwrap();
    assert_eq!((tutor.polling_interval_s, tutor.cooldown_s, tutor.initial_cooldown_s), (30, 300, 0));
    assert_eq!((tutor.min_replicas, tutor.max_replicas, tutor.idle_replicas), (0, 100, None));
    let Behavior { up, down } = &tutor.behavior;
    assert_eq!((up.stabilization_s, up.policies.len(), down.stabilization_s, down.policies.len()), (0, 2, 300, 1));
    assert_eq!(files.deployments[0].pod.grace_s, 45, "a patch with another grace");
    assert_eq!(deployment(&files, "chat-floor").pod.grace_s, 30);
    assert_eq!(deployment(&files, "chat-flex").pod.memory_mib, None);
    assert_eq!(deployment(&files, "chat-floor").pod.memory_mib, Some(16_384));
}

#[test]
fn order_of_files_changes_nothing() {
    let sample = Sample::new();
    let mut reversed = sample.clone();
    reversed.texts.reverse();
    assert_eq!(sample.sound(), reversed.sound());
}

#[test]
fn a_tampered_threshold_is_another_threshold() {
    let files = Sample::new().edit("chat-flex.yaml", "\"11.456\"", "\"1146\"").sound();
    assert!(matches!(chat(&files).triggers[1].kind, TriggerKind::Prometheus { threshold, .. } if threshold.total_cmp(&1146.0).is_eq()));
}

#[test]
fn a_trigger_may_be_taken_out_even_the_last() {
    let load = "  - type: prometheus\n    name: load\n    metricType: AverageValue\n    metadata:\n      serverAddress: http://prometheus.monitoring:9090\n      query: sum(vllm:num_requests_running{model=\"chat\"})\n      threshold: \"11.456\"\n      activationThreshold: \"0\"\n      ignoreNullValues: \"false\"\n";
    let files = Sample::new().edit("chat-flex.yaml", load, "").sound();
    assert_eq!(chat(&files).triggers.len(), 1);
    let rest = "  - type: cron\n    name: window-1\n    metadata:\n      timezone: Europe/Berlin\n      start: 52 7 * * 1-5\n      end: 0 19 * * 1-5\n      desiredReplicas: \"4\"\n";
    let files = Sample::new().edit("chat-flex.yaml", load, "").edit("chat-flex.yaml", rest, "").sound();
    assert_eq!(chat(&files).triggers, []);
    assert!(notes(&files).contains("ScaledObject `serving/chat-flex` has no trigger"), "{}", notes(&files));
}

#[test]
fn a_scaled_object_may_be_taken_out() {
    let files = Sample::new().without("keda/chat-flex.yaml").edit("kubernetes/kustomization.yaml", "- keda/chat-flex.yaml\n", "").sound();
    assert_eq!(files.scaled_objects.len(), 1);
    assert_eq!(deployment(&files, "chat-flex").replicas, Some(1), "Kubernetes' default");
    assert!(notes(&files).contains("has no count and no ScaledObject"), "{}", notes(&files));
}

#[test]
fn a_file_that_is_not_listed_is_not_applied() {
    let files = Sample::new().edit("kubernetes/kustomization.yaml", "- keda/chat-flex.yaml\n", "").sound();
    assert_eq!(files.scaled_objects.len(), 1);
    assert!(notes(&files).contains("kubernetes/keda/chat-flex.yaml: is in no list"), "{}", notes(&files));
}

#[test]
fn lists_lead_on_to_other_folders() {
    let mut sample = Sample::new().edit("kubernetes/kustomization.yaml", "- keda/chat-flex.yaml\n", "- ./more/\n");
    let text = "resources: [../keda/chat-flex.yaml]\n".to_owned();
    sample.texts.push(SourceText { path: "kubernetes/more/kustomization.yml".into(), text });
    assert_eq!(sample.sound().scaled_objects.len(), 2);
}

#[test]
fn a_count_beside_a_scaled_object_is_kedas() {
    let flex = "  name: chat-flex\n  namespace: serving\n  labels:\n    app.kubernetes.io/name: chat\nspec:\n";
    let files = Sample::new().edit("workloads/chat.yaml", flex, &format!("{flex}  replicas: 3\n")).sound();
    assert_eq!(deployment(&files, "chat-flex").replicas, None);
    assert!(notes(&files).contains("`replicas: 3` beside a ScaledObject"), "{}", notes(&files));
}

#[test]
fn pausing_is_by_anything_that_is_not_false() {
    let paused = |value: &str| {
        let meta = format!("  namespace: serving\n  annotations:\n    autoscaling.keda.sh/paused: {value}\n");
        chat(&Sample::new().edit("chat-flex.yaml", "  namespace: serving\n", &meta).sound()).paused
    };
    assert!(paused("\"true\"") && paused("\"yes please\""));
    assert!(!paused("\"false\"") && !paused("\"0\""));
}

#[test]
fn rules_of_one_direction_keep_the_other() {
    let all = "          selectPolicy: Max\n          policies:\n          - type: Pods\n            value: 4\n            periodSeconds: 15\n          - type: Percent\n            value: 100\n            periodSeconds: 15\n";
    let files = Sample::new().edit("chat-flex.yaml", all, "          selectPolicy: Disabled\n          tolerance: 50m\n").sound();
    let Behavior { up, down } = &chat(&files).behavior;
    assert_eq!((up.select, up.policies.len(), down.select), (SelectPolicy::Disabled, 2, SelectPolicy::Max));
    assert!(up.tolerance.total_cmp(&0.05).is_eq() && down.tolerance.total_cmp(&0.1).is_eq());
}

#[test]
fn a_pool_among_several_may_be_gone() {
    let files =
        Sample::new().without("karpenter/l4-spot.yaml").edit("kubernetes/kustomization.yaml", "- karpenter/l4-spot.yaml\n", "").sound();
    assert_eq!(deployment(&files, "chat-flex").pod.pools, ["l4-od"]);
    assert!(notes(&files).contains("also names the pool `l4-spot`"), "{}", notes(&files));
}

#[test]
fn without_a_preference_the_heavier_pool_comes_first() {
    let preference = "          preferredDuringSchedulingIgnoredDuringExecution:\n          - weight: 100\n            preference:\n              matchExpressions:\n              - key: gpuplan.dev/pool\n                operator: In\n                values:\n                - l4-spot\n";
    let sample = Sample::new().edit("workloads/chat.yaml", preference, "");
    assert_eq!(deployment(&sample.sound(), "chat-flex").pod.pools, ["l4-spot", "l4-od"]);
    let lighter = sample.edit("l4-spot.yaml", "weight: 20", "weight: 5");
    assert_eq!(deployment(&lighter.sound(), "chat-flex").pod.pools, ["l4-od", "l4-spot"]);
}

#[test]
fn pods_that_name_no_pool_go_where_they_are_let() {
    let files = Sample::new().edit("workloads/chat.yaml", "      nodeSelector:\n        gpuplan.dev/pool: l4-od\n", "").sound();
    assert_eq!(deployment(&files, "chat-floor").pod.pools, ["l4-spot", "l4-od"]);
    let files = Sample::new()
        .edit("workloads/chat.yaml", "      nodeSelector:\n        gpuplan.dev/pool: l4-od\n", "")
        .edit("karpenter/l4-spot.yaml", "value: \"true\"", "value: spot\n        effect: NoExecute\n      - key: other")
        .sound();
    assert_eq!(deployment(&files, "chat-floor").pod.pools, ["l4-od"], "the other has a taint that they do not tolerate");
}

#[test]
fn limits_of_node_pools_are_whole_nodes() {
    let most = |sample: Sample| sample.sound().node_pools[0].max_nodes;
    assert_eq!(most(Sample::new().edit("l4-od.yaml", "\"8\"", "3")), 3);
    assert_eq!(
        most(Sample::new().edit("l4-od.yaml", "\"8\"", "\"7\"").edit("tfvars.json", "\"gpus_per_node\": 1", "\"gpus_per_node\": 2").edit(
            "tfvars.json",
            "\"gpus\": 8",
            "\"gpus\": 16"
        )),
        3
    );
}

#[test]
fn consolidation_may_be_closed() {
    let pool = |sample: Sample| {
        let pool = sample.sound().node_pools[0].clone();
        (pool.consolidate_after_s, pool.replaces_underutilized)
    };
    assert_eq!(pool(Sample::new()), (Some(60), true));
    assert_eq!(pool(Sample::new().edit("l4-od.yaml", "60s", "Never")), (None, false));
    assert_eq!(pool(Sample::new().edit("l4-od.yaml", "nodes: \"1\"", "nodes: \"0\"")), (Some(60), false));
    assert_eq!(pool(Sample::new().edit("l4-od.yaml", "nodes: 100%", "nodes: \"0\"")), (None, false));
}

#[test]
fn pools_of_other_node_autoscalers_come_from_terraform() {
    let sample = Sample::new()
        .without("l4-od.yaml")
        .without("l4-spot.yaml")
        .edit("kubernetes/kustomization.yaml", "- karpenter/l4-od.yaml\n- karpenter/l4-spot.yaml\n", "")
        .edit("tfvars.json", "karpenter", "aks");
    let files = sample.sound();
    let pools: Vec<_> = files.node_pools.iter().map(|p| (p.name.as_str(), p.min_nodes, p.max_nodes, p.weight)).collect();
    assert_eq!(pools, [("l4-od", 1, 8, 0), ("l4-spot", 0, 8, 0)]);
    assert_eq!(deployment(&files, "chat-flex").pod.pools, ["l4-spot", "l4-od"]);
}

#[test]
fn a_suspended_gate_does_not_move_and_an_orphan_is_noted() {
    let files = Sample::new().edit("ocr-gate.yaml", "  schedule:", "  suspend: true\n  schedule:").sound();
    assert_eq!(files.gates.len(), 1);
    let files = Sample::new().edit("kubernetes/kustomization.yaml", "- keda/ocr.yaml\n", "").sound();
    assert!(notes(&files).contains("is the gate of ScaledJob `serving/ocr`, which is nowhere"), "{}", notes(&files));
}

#[test]
fn what_is_none_of_the_fleets_is_passed_over() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web}]}}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\napiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: cpu}\nspec: {template: {spec: {}}}\n";
    let files = Sample::new().with("web.yaml", text).sound();
    assert_eq!((files.deployments.len(), files.node_pools.len()), (3, 2));
    assert!(notes(&files).contains("Deployment `default/web` belongs to no workload"), "{}", notes(&files));
}

#[test]
fn lists_of_objects_are_their_items() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: apps/v1, kind: Deployment, metadata: {name: a, labels: {app.kubernetes.io/name: a}}, spec: {replicas: 2, template: {spec: {containers: [{name: c}]}}}}\n";
    let files = Sample::new().with("list.yaml", text).sound();
    assert_eq!((deployment(&files, "a").replicas, &deployment(&files, "a").pod.pools), (Some(2), &vec![]));
}

#[test]
fn a_component_may_patch_in_several_steps() {
    let more = "- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: campus-tutor}\n    spec: {replicas: 3, template: {spec: {terminationGracePeriodSeconds: 90}}}\n- patch: '[{op: replace, path: /spec/template/spec/nodeSelector/gpuplan.dev~1pool, value: l4-spot}]'\n  target: {name: campus-tutor}\n- path";
    let files = Sample::new().edit("tutor/kustomization.yaml", "- path", more).without("tutor-floor.yaml").edit(
        "kubernetes/kustomization.yaml",
        "- keda/tutor-floor.yaml\n",
        "",
    );
    // The last patch wins: `floor.yaml` comes after both.
    let files = files.sound();
    let tutor = deployment(&files, "campus-tutor");
    assert_eq!((tutor.replicas, tutor.pod.grace_s, &tutor.pod.pools), (Some(3), 45, &vec!["l4-od".to_owned()]));
}

#[test]
fn a_patch_without_namespace_is_in_that_of_its_workload() {
    let files = Sample::new().edit("tutor/floor.yaml", "  namespace: education\n", "").sound();
    assert_eq!(deployment(&files, "campus-tutor").namespace, "education");
}

#[test]
fn line_ends_and_marks_of_other_systems_are_read() {
    let mut sample = Sample::new();
    for file in sample.texts.iter_mut().filter(|file| file.path.ends_with(".yaml")) {
        file.text = format!("\u{feff}{}", file.text.replace('\n', "\r\n"));
    }
    let mut files = sample.sound();
    files.origins = Sample::new().sound().origins;
    assert_eq!(files, Sample::new().sound());
}

#[test]
fn nothing_but_the_folder_is_read() {
    let mut sample = Sample::new();
    sample.texts.iter_mut().for_each(|file| file.path = format!("./{}", file.path));
    assert_eq!(sample.sound(), files(&Sample::new().texts).unwrap());
}
