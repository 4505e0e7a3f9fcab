//! The emitted files read back: nothing differs from the plan, and what someone edits does.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::emit_fixture::{aws, gke};
use gpuplan::emit;
use gpuplan::emit::parse::{SourceText, compare, files};
use gpuplan::plan::Plan;

fn texts(plan: &Plan) -> Vec<SourceText> {
    emit::artifacts(plan).into_iter().map(|file| SourceText { path: file.path, text: file.contents }).collect()
}

/// Differences after edits (end of the path, text, replacement), a line each.
fn differences(plan: &Plan, edits: &[(&str, &str, &str)]) -> Vec<String> {
    let mut texts = texts(plan);
    for (path, from, to) in edits {
        let file = texts.iter_mut().find(|file| file.path.ends_with(path)).unwrap();
        assert!(file.text.contains(from), "{path} has no {from:?}");
        file.text = file.text.replacen(from, to, 1);
    }
    let read = files(&texts).unwrap_or_else(|faults| panic!("{faults:#?}"));
    compare(plan, &read).into_iter().map(|d| format!("{}: {}", d.path, d.what)).collect()
}

#[test]
fn what_was_emitted_is_the_plan() {
    for plan in [aws(), gke()] {
        let read = files(&texts(&plan)).unwrap_or_else(|faults| panic!("{faults:#?}"));
        assert_eq!(compare(&plan, &read), []);
        assert_eq!(read.notes, []);
    }
}

/// The plan's own numbers, without the emitters between.
#[test]
fn what_was_read_back_is_in_the_plan() {
    use gpuplan::emit::parse::types::TriggerKind;
    let plan = aws();
    let read = files(&texts(&plan)).unwrap();
    for window in &plan.windows {
        let of = |count: u32| {
            let objects = read.scaled_objects.iter().filter(|o| o.workload == window.workload);
            objects.flat_map(|o| &o.triggers).any(|t| {
                let wanted = (&window.cron_start, &window.cron_end, &window.time_zone, count);
                matches!(&t.kind, TriggerKind::Cron { start, end, timezone, desired_replicas } if (start, end, timezone, *desired_replicas) == wanted)
            })
        };
        assert!(of(window.floor) || of(window.flex), "{} {}", window.workload, window.cron_start);
    }
    for pool in &plan.pools {
        let found = read.node_pools.iter().find(|p| p.name == pool.name).unwrap();
        assert_eq!((found.max_nodes, &found.instance_type, &found.zones), (pool.max_nodes, &pool.instance_type, &pool.zones));
        assert_eq!(found.spot, pool.capacity_type == "spot");
    }
    for workload in plan.workloads.iter().filter(|w| w.service.is_some()) {
        let service = workload.service.as_ref().unwrap();
        let mut deployments: Vec<_> = read.deployments.iter().filter(|d| d.workload == workload.name).collect();
        deployments.retain(|d| d.namespace == workload.kubernetes.namespace);
        let pools: Vec<&String> = deployments.iter().flat_map(|d| &d.pod.pools).collect();
        assert!(service.floor.max_replicas == 0 || pools.contains(&&service.floor.pool), "{}", workload.name);
        assert!(deployments.iter().all(|d| d.pod.gpus == Some(workload.variant.requests.gpus)), "{}", workload.name);
    }
}

#[test]
fn a_frozen_workload_is_no_difference() {
    let mut plan = aws();
    plan.workloads.iter_mut().find(|w| w.name == "embed").unwrap().mode = "frozen".into();
    assert_eq!(differences(&plan, &[]), [] as [&str; 0]);
}

#[test]
fn names_that_are_no_labels_come_back() {
    let mut plan = aws();
    for workload in &mut plan.workloads {
        if workload.name == "search" {
            workload.name = format!("Search/{}", "long".repeat(20));
        }
    }
    plan.windows.iter_mut().filter(|w| w.workload == "search").for_each(|w| w.workload = format!("Search/{}", "long".repeat(20)));
    assert_eq!(differences(&plan, &[]), [] as [&str; 0]);
}

#[test]
fn changed_values_are_named() {
    let plan = aws();
    let one = |edit: (&str, &str, &str), expected: &str| assert_eq!(differences(&plan, &[edit]), [expected]);
    one(
        ("keda/chat-flex.yaml", "\"11.456\"", "\"1145.6\""),
        "kubernetes/keda/chat-flex.yaml: ScaledObject `serving/chat-flex`: `threshold` of trigger `load` is 1145.6, the plan has 11.456",
    );
    one(
        ("keda/chat-flex.yaml", "maxReplicaCount: 6", "maxReplicaCount: 3"),
        "kubernetes/keda/chat-flex.yaml: ScaledObject `serving/chat-flex`: `maxReplicaCount` is 3, the plan has 6",
    );
    one(
        ("keda/chat-flex.yaml", "start: 52 7 * * 1-5", "start: 30 8 * * 1-5"),
        "kubernetes/keda/chat-flex.yaml: ScaledObject `serving/chat-flex`: `start` of trigger `window-1` is `30 8 * * 1-5`, the plan has `52 7 * * 1-5`",
    );
    one(
        ("keda/chat-flex.yaml", "    replicas: 6", "    replicas: 1"),
        "kubernetes/keda/chat-flex.yaml: ScaledObject `serving/chat-flex`: `fallback` is 1 replicas after 3 failures, the plan has 6 replicas after 3 failures",
    );
    one(
        ("keda/chat-flex.yaml", "stabilizationWindowSeconds: 300", "stabilizationWindowSeconds: 0"),
        "kubernetes/keda/chat-flex.yaml: ScaledObject `serving/chat-flex`: `scaleDown.stabilizationWindowSeconds` is 0, the plan has 300",
    );
    one(
        ("keda/chat-flex.yaml", "            value: 4\n", "            value: 1\n"),
        "kubernetes/keda/chat-flex.yaml: ScaledObject `serving/chat-flex`: `scaleUp.policies` is 1 Pods in 15 s and 100 Percent in 15 s, the plan has 4 Pods in 15 s and 100 Percent in 15 s",
    );
    one(
        ("karpenter/l40s-od.yaml", "nvidia.com/gpu: \"8\"", "nvidia.com/gpu: \"4\""),
        "kubernetes/karpenter/l40s-od.yaml: node pool `l40s-od`: the most nodes is 4, the plan has 8",
    );
    one(
        ("workloads/tune.yaml", "schedule: 0 2 * * 6", "schedule: 0 5 * * 6"),
        "kubernetes/workloads/tune.yaml: CronJob `serving/tune-1`: `schedule` is `0 5 * * 6`, the plan has `0 2 * * 6`",
    );
    one(
        ("keda/ocr-gate.yaml", "schedule: 0 23", "schedule: 0 22"),
        "kubernetes/keda/ocr-gate.yaml: gate `serving/ocr-open-1`: `schedule` is `0 22 * * 1,2,3,4,5`, the plan has `0 23 * * 1,2,3,4,5`",
    );
    one(
        ("keda/ocr.yaml", "queueLength: \"500\"", "queueLength: \"5\""),
        "kubernetes/keda/ocr.yaml: ScaledJob `serving/ocr`: `queueLength` of trigger `queue` is 5, the plan has 500",
    );
    one(
        ("patches/search/floor.yaml", "replicas: 2", "replicas: 1"),
        "kubernetes/patches/search/floor.yaml: Deployment `search/search-api`: the count is 1, the plan has 2",
    );
    one(
        ("workloads/embed.yaml", "gpuplan.dev/pool: l4-od", "gpuplan.dev/pool: l40s-od"),
        "kubernetes/workloads/embed.yaml: Deployment `serving/embed-floor`: the list of its pools is `l40s-od`, the plan has `l4-od`",
    );
}

#[test]
fn what_is_gone_is_named() {
    let plan = aws();
    let gone = differences(&plan, &[("kubernetes/kustomization.yaml", "- keda/chat-floor.yaml\n", "")]);
    let expected = [
        "kubernetes/keda/chat-floor.yaml: ScaledObject `serving/chat-floor` is gone",
        "kubernetes/workloads/chat.yaml: Deployment `serving/chat-floor`: the count is 1, the plan has KEDA's",
    ];
    assert_eq!(gone, expected);
    let mut edited = texts(&plan);
    let file = edited.iter_mut().find(|file| file.path.ends_with("keda/chat-flex.yaml")).unwrap();
    let at = file.text.find("  - type: prometheus").unwrap();
    file.text.truncate(at);
    let changes = compare(&plan, &files(&edited).unwrap());
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].what.as_str(), changes[0].line),
        ("ScaledObject `serving/chat-flex`: trigger `load` (prometheus) is gone", Some(3))
    );
}

#[test]
fn a_plan_that_changed_after_the_files_is_seen() {
    let files = files(&texts(&aws())).unwrap();
    let mut plan = aws();
    plan.pools.retain(|pool| pool.name != "l4-spot");
    plan.workloads.retain(|workload| workload.name != "ocr");
    let what: Vec<String> = compare(&plan, &files).into_iter().map(|d| d.what).collect();
    let of = |words: &str| what.iter().any(|line| line == words);
    assert!(of("node pool `l4-spot` is not in the plan") && of("ScaledJob `serving/ocr` is not in the plan"), "{what:?}");
    assert!(of("gate `serving/ocr-open-1` is not in the plan"), "{what:?}");
}
