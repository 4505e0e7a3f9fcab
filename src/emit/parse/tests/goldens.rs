//! The golden folders, read back, against what the fixture of their plan says.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::emit::parse::types::*;
use crate::emit::parse::{SourceText, files};
use std::path::Path;

fn texts(folder: &Path, prefix: &str, all: &mut Vec<SourceText>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            texts(&entry.path(), &format!("{path}/"), all);
        } else {
            all.push(SourceText { path, text: std::fs::read_to_string(entry.path()).unwrap() });
        }
    }
}

fn golden(name: &str) -> Files {
    let mut all = Vec::new();
    texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/emit").join(name), "", &mut all);
    files(&all).unwrap_or_else(|faults| panic!("{}", super::sample::lines(&faults)))
}

fn names<T>(list: &[T], name: fn(&T) -> (&str, &str)) -> Vec<String> {
    list.iter().map(|item| format!("{}/{}", name(item).0, name(item).1)).collect()
}

fn cron(name: &str, (start, end): (&str, &str), desired_replicas: u32) -> Trigger {
    let (timezone, start, end) = ("Europe/Berlin".to_owned(), start.to_owned(), end.to_owned());
    let kind = TriggerKind::Cron { timezone, start, end, desired_replicas };
    Trigger { name: name.into(), metric_type: MetricType::AverageValue, use_cached_metrics: false, kind }
}

fn pod(pools: &[&str], grace_s: u32) -> PodSpec {
    PodSpec {
        pools: pools.iter().map(|pool| (*pool).to_owned()).collect(),
        gpus: Some(1),
        slice: None,
        cpu_milli: Some(2500),
        memory_mib: Some(16_896),
        grace_s,
        zones_spread: None,
    }
}

#[test]
fn aws_has_what_the_plan_has() {
    let files = golden("aws");
    let scaled = names(&files.scaled_objects, |o| (&o.namespace, &o.name));
    assert_eq!(scaled, ["search/search-flex", "serving/chat-flex", "serving/chat-floor", "serving/embed-floor", "studio/studio-flex"]);
    let deployments = names(&files.deployments, |o| (&o.namespace, &o.name));
    let expected = [
        "search/search-api",
        "search/search-flex",
        "serving/chat-70b-floor",
        "serving/chat-flex",
        "serving/chat-floor",
        "serving/embed-floor",
        "studio/studio-flex",
    ];
    assert_eq!(deployments, expected);
    assert_eq!(names(&files.scaled_jobs, |o| (&o.namespace, &o.name)), ["serving/ocr"]);
    assert_eq!(names(&files.cron_jobs, |o| (&o.namespace, &o.name)), ["serving/tune-1", "serving/tune-2"]);
    assert_eq!(names(&files.gates, |o| (&o.namespace, &o.name)), ["serving/ocr-close-1", "serving/ocr-open-1"]);
    assert_eq!(names(&files.node_pools, |o| ("", &o.name)), ["/h100", "/l4-od", "/l4-spot", "/l40s-od", "/l40s-spot"]);
    assert_eq!(files.notes, []);
    assert_eq!(files.origins.len(), 5 + 7 + 1 + 2 + 2 + 5);
}

#[test]
fn scaled_objects_of_aws() {
    let files = golden("aws");
    let chat = files.scaled_objects.iter().find(|o| o.name == "chat-flex").unwrap();
    let policy = |unit, value| ScalingPolicy { unit, value, period_s: 15 };
    let rules = |stabilization_s, policies| ScalingRules { stabilization_s, select: SelectPolicy::Max, policies, tolerance: 0.1 };
    let load = Trigger {
        name: "load".into(),
        metric_type: MetricType::AverageValue,
        use_cached_metrics: false,
        kind: TriggerKind::Prometheus {
            server: "http://prometheus.monitoring:9090".into(),
            query: "clamp_min(sum(vllm:num_requests_running{model=\"chat\"} + vllm:num_requests_waiting) - 24, 0)".into(),
            threshold: 11.456,
            activation_threshold: 0.0,
            ignore_null_values: false,
        },
    };
    let expected = ScaledObject {
        namespace: "serving".into(),
        name: "chat-flex".into(),
        workload: "chat".into(),
        target: "chat-flex".into(),
        polling_interval_s: 15,
        cooldown_s: 420,
        initial_cooldown_s: 0,
        min_replicas: 1,
        max_replicas: 6,
        idle_replicas: None,
        fallback: Some(Fallback { failure_threshold: 3, replicas: 6 }),
        behavior: Behavior {
            up: rules(0, vec![policy(PolicyUnit::Pods, 4), policy(PolicyUnit::Percent, 100)]),
            down: rules(300, vec![policy(PolicyUnit::Percent, 100)]),
        },
        triggers: vec![cron("window-1", ("52 7 * * 1-5", "0 19 * * 1-5"), 4), cron("window-2", ("52 9 * * 0,6", "0 18 * * 0,6"), 2), load],
        paused: false,
    };
    assert_eq!(*chat, expected);

    let floor = files.scaled_objects.iter().find(|o| o.name == "chat-floor").unwrap();
    assert_eq!((floor.min_replicas, floor.max_replicas, floor.fallback), (2, 3, None));
    assert_eq!((floor.behavior.down.stabilization_s, &floor.triggers), (0, &vec![cron("window-1", ("52 7 * * 1-5", "0 19 * * 1-5"), 3)]));
    let studio = files.scaled_objects.iter().find(|o| o.name == "studio-flex").unwrap();
    assert_eq!((studio.min_replicas, studio.max_replicas), (0, 2), "asleep when nobody asks");
    assert!(matches!(&studio.triggers[..], [Trigger { kind: TriggerKind::Prometheus { ignore_null_values: true, .. }, .. }]));
    let search = files.scaled_objects.iter().find(|o| o.name == "search-flex").unwrap();
    assert_eq!((search.workload.as_str(), search.min_replicas, search.max_replicas), ("search", 1, 5));
}

#[test]
fn deployments_of_aws() {
    let files = golden("aws");
    let of = |name: &str| files.deployments.iter().find(|d| d.name == name).unwrap();
    let flex = of("chat-flex");
    assert_eq!(flex.replicas, None, "KEDA sets it");
    assert_eq!(flex.pod, PodSpec { zones_spread: Some(3), ..pod(&["l40s-spot", "l40s-od"], 60) });
    assert_eq!(of("chat-floor").pod, pod(&["l40s-od"], 60), "a soft spread is none");
    assert_eq!((of("chat-70b-floor").replicas, of("chat-70b-floor").pod.gpus), (Some(2), Some(4)));
    assert_eq!(of("chat-70b-floor").pod.pools, ["h100"]);
    // The user's own Deployment and its copy, out of patches.
    let (api, copy) = (of("search-api"), of("search-flex"));
    assert_eq!((api.workload.as_str(), api.replicas, &api.pod), ("search", Some(2), &pod(&["l40s-od"], 60)));
    assert_eq!((copy.workload.as_str(), copy.replicas, &copy.pod), ("search", None, &pod(&["l40s-spot", "l40s-od"], 60)));
}

#[test]
fn jobs_of_aws() {
    let files = golden("aws");
    let ocr = &files.scaled_jobs[0];
    assert_eq!((ocr.polling_interval_s, ocr.min_replicas, ocr.max_replicas, ocr.active_deadline_s), (30, 0, 4, Some(21_600)));
    assert_eq!((&ocr.pod, ocr.paused), (&pod(&["l4-spot", "l4-od"], 120), false));
    let TriggerKind::Other { scaler, metadata } = &ocr.triggers[0].kind else { panic!("a queue") };
    assert_eq!((scaler.as_str(), metadata["queueLength"].as_str(), metadata.len()), ("aws-sqs-queue", "500", 3));
    let tune = &files.cron_jobs[0];
    let expected = CronJob {
        namespace: "serving".into(),
        name: "tune-1".into(),
        workload: "tune".into(),
        time_zone: "Europe/Berlin".into(),
        schedule: "0 2 * * 6".into(),
        starting_deadline_s: Some(12_347),
        parallelism: 4,
        completions: 4,
        active_deadline_s: Some(21_600),
        suspend: false,
        pod: pod(&["l40s-spot", "l40s-od"], 120),
    };
    assert_eq!(*tune, expected);
    assert_eq!(files.cron_jobs[1].schedule, "30 4 * * 3");
    let gate = |name: &str, schedule: &str, pauses| Gate {
        namespace: "serving".into(),
        name: name.into(),
        scaled_job: "ocr".into(),
        time_zone: "Europe/Berlin".into(),
        schedule: schedule.into(),
        pauses,
    };
    assert_eq!(files.gates, [gate("ocr-close-1", "0 5 * * 2,3,4,5,6", true), gate("ocr-open-1", "0 23 * * 1,2,3,4,5", false)]);
}

#[test]
fn node_pools_of_aws_are_karpenters() {
    let files = golden("aws");
    let zones = || vec!["us-east-1a".to_owned(), "us-east-1b".to_owned(), "us-east-1c".to_owned()];
    let base = PoolSpec {
        name: "h100".into(),
        region: "us-east-1".into(),
        instance_type: "p5.48xlarge".into(),
        spot: false,
        zones: zones(),
        max_nodes: 1,
        min_nodes: 0,
        consolidate_after_s: None,
        replaces_underutilized: false,
        weight: 10,
        slices: std::collections::BTreeMap::new(),
    };
    assert_eq!(files.node_pools[0], base, "eight GPUs are one node");
    let on_demand = PoolSpec {
        name: "l4-od".into(),
        instance_type: "g6.xlarge".into(),
        max_nodes: 8,
        consolidate_after_s: Some(60),
        replaces_underutilized: true,
        ..base
    };
    assert_eq!(files.node_pools[1], on_demand);
    let spot = PoolSpec { name: "l4-spot".into(), spot: true, replaces_underutilized: false, weight: 20, ..on_demand };
    assert_eq!(files.node_pools[2], spot);
}

#[test]
fn gke_has_what_the_plan_has() {
    let files = golden("gke");
    assert_eq!(files.scaled_objects, []);
    assert_eq!(files.scaled_jobs, []);
    let counts: Vec<_> = files.deployments.iter().map(|d| (d.name.as_str(), d.replicas)).collect();
    assert_eq!(counts, [("demo-chat-flex", Some(3)), ("demo-chat-floor", Some(2))]);
    assert_eq!(files.deployments[0].pod, PodSpec { zones_spread: Some(2), ..pod(&["l4-spot", "l4-od"], 30) });
    assert_eq!((files.cron_jobs[0].schedule.as_str(), files.cron_jobs[0].parallelism), ("0 1 * * *", 4));
    let spot = PoolSpec {
        name: "l4-spot".into(),
        region: "us-central1".into(),
        instance_type: "g2-standard-4".into(),
        spot: true,
        zones: vec!["us-central1-a".into(), "us-central1-b".into()],
        max_nodes: 8,
        min_nodes: 0,
        consolidate_after_s: Some(60),
        replaces_underutilized: false,
        weight: 0,
        slices: std::collections::BTreeMap::new(),
    };
    let on_demand = PoolSpec { name: "l4-od".into(), spot: false, min_nodes: 1, ..spot.clone() };
    assert_eq!(files.node_pools, [on_demand, spot]);
    assert_eq!(files.notes, []);
}
