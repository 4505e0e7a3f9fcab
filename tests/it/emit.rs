//! Emitters: golden files, and what the files say read back and held against the plan.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::emit_fixture::{HOSTILE, aws, gke};
use crate::golden;
use gpuplan::emit::{self, Artifact};
use gpuplan::plan::Plan;
use serde_json::Value;
use std::collections::BTreeMap;

/// Every YAML document, by `Kind/name`.
fn documents(artifacts: &[Artifact]) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for artifact in artifacts.iter().filter(|a| a.path.ends_with(".yaml")) {
        let read: Vec<Value> = serde_saphyr::from_multiple(&artifact.contents).unwrap();
        for document in read {
            let name = document["metadata"]["name"].as_str().unwrap_or(&artifact.path);
            let kind = document["kind"].as_str().unwrap();
            let patch = if artifact.path.contains("/patches/") { "patch:" } else { "" };
            assert!(all.insert(format!("{patch}{kind}/{name}"), document.clone()).is_none(), "{kind}/{name} twice");
        }
    }
    all
}

fn contents<'a>(artifacts: &'a [Artifact], path: &str) -> &'a str {
    &artifacts.iter().find(|a| a.path == path).unwrap_or_else(|| panic!("no {path}")).contents
}

fn triggers<'a>(object: &'a Value, kind: &str) -> Vec<&'a Value> {
    object["spec"]["triggers"].as_array().unwrap().iter().filter(|t| t["type"] == kind).collect()
}

fn golden_folder(name: &str, plan: &Plan) {
    let files: Vec<(String, String)> = emit::artifacts(plan).into_iter().map(|a| (a.path, a.contents)).collect();
    golden::check_folder(&format!("emit/{name}"), &files);
}

#[test]
fn goldens_of_aws() {
    golden_folder("aws", &aws());
}

#[test]
fn goldens_of_gke() {
    golden_folder("gke", &gke());
}

#[test]
fn paths_are_sorted_unique_and_inside() {
    let artifacts = emit::artifacts(&aws());
    assert!(artifacts.windows(2).all(|pair| pair[0].path < pair[1].path));
    assert!(artifacts.iter().all(|a| a.contents.ends_with('\n') && !a.path.starts_with('/') && !a.path.contains("..")));
}

#[test]
fn every_file_carries_the_mark() {
    for (plan, demo) in [(aws(), false), (gke(), true)] {
        for artifact in emit::artifacts(&plan) {
            let head: String = artifact.contents.lines().take(8).collect();
            assert!(head.contains("UNVERIFIED: not replayed"), "{}", artifact.path);
            assert!(head.contains("0123456789ab"), "{}", artifact.path);
            assert_eq!(head.contains("embedded demo and not your fleet"), demo, "{}", artifact.path);
        }
    }
}

#[test]
fn floor_and_flex_scale_by_their_own_triggers() {
    let plan = aws();
    let documents = documents(&emit::artifacts(&plan));
    let flex = &documents["ScaledObject/chat-flex"];
    let windows: Vec<_> = plan.windows.iter().filter(|w| w.workload == "chat").collect();
    let crons = triggers(flex, "cron");
    assert_eq!(crons.len(), 2, "both windows raise flex above its base of 1");
    for (cron, window) in crons.iter().zip(&windows) {
        let meta = &cron["metadata"];
        assert_eq!(meta["start"], window.cron_start.as_str());
        assert_eq!(meta["end"], window.cron_end.as_str());
        assert_eq!(meta["timezone"], window.time_zone.as_str());
        assert_eq!(meta["desiredReplicas"], window.flex.to_string().as_str(), "a string, as KEDA wants it");
    }
    let load = triggers(flex, "prometheus");
    assert_eq!(load.len(), 1);
    assert_eq!(load[0]["metricType"], "AverageValue");
    assert_eq!(load[0]["metadata"]["threshold"], "11.456", "thousandths, rounded down");
    assert_eq!(load[0]["metadata"]["query"], plan.workloads[0].service.as_ref().unwrap().scaling.query.as_deref().unwrap());
    assert_eq!(load[0]["metadata"]["ignoreNullValues"], "false");
    assert_eq!((&flex["spec"]["minReplicaCount"], &flex["spec"]["maxReplicaCount"]), (&1.into(), &6.into()));
    assert_eq!(flex["spec"]["fallback"]["replicas"], 6);
    assert_eq!(flex["spec"]["cooldownPeriod"], 420);

    let floor = &documents["ScaledObject/chat-floor"];
    assert_eq!(triggers(floor, "prometheus").len(), 0, "one metric never drives two scalers");
    assert_eq!(triggers(floor, "cron").len(), 1, "the weekend window does not raise the floor above its base");
    assert_eq!((&floor["spec"]["minReplicaCount"], &floor["spec"]["maxReplicaCount"]), (&2.into(), &3.into()));
    assert_eq!(floor["spec"].get("fallback"), None);
    assert_eq!(floor["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"], 0);
}

#[test]
fn counts_stand_in_one_place_only() {
    let documents = documents(&emit::artifacts(&aws()));
    for (key, document) in documents.iter().filter(|(key, _)| key.contains("Deployment/")) {
        let target = document["metadata"]["name"].as_str().unwrap();
        let scaled = documents.values().any(|d| d["kind"] == "ScaledObject" && d["spec"]["scaleTargetRef"]["name"] == target);
        assert_eq!(document["spec"].get("replicas").is_none(), scaled, "{key}");
    }
    assert_eq!(documents["Deployment/chat-70b-floor"]["spec"]["replicas"], 2);
    let targets: Vec<_> =
        documents.values().filter(|d| d["kind"] == "ScaledObject").map(|d| d["spec"]["scaleTargetRef"]["name"].to_string()).collect();
    let distinct: std::collections::BTreeSet<_> = targets.iter().collect();
    assert_eq!(targets.len(), distinct.len(), "one ScaledObject a Deployment");
}

#[test]
fn a_sleeping_service_wakes_by_load_and_has_no_floor() {
    let documents = documents(&emit::artifacts(&aws()));
    assert!(!documents.contains_key("Deployment/studio-floor"));
    let flex = &documents["ScaledObject/studio-flex"];
    assert_eq!(flex["spec"]["minReplicaCount"], 0);
    assert_eq!(flex["spec"].get("idleReplicaCount"), None);
    let load = triggers(flex, "prometheus")[0];
    assert_eq!(load["metadata"]["ignoreNullValues"], "true", "no series means that nobody asks");
    assert_eq!(load["metadata"]["activationThreshold"], "0");
    assert!(triggers(flex, "cron").is_empty(), "a window at zero is the absence of a trigger");
}

#[test]
fn a_window_without_end_becomes_a_minimum() {
    let mut plan = aws();
    for window in plan.windows.iter_mut().filter(|w| w.workload == "embed") {
        window.cron_end = window.cron_start.clone();
    }
    let documents = documents(&emit::artifacts(&plan));
    assert!(!documents.contains_key("ScaledObject/embed-floor"), "KEDA refuses start == end, and nothing else is left to scale");
}

#[test]
fn pods_go_to_their_pool_or_its_fallback() {
    let documents = documents(&emit::artifacts(&aws()));
    let floor = &documents["Deployment/chat-floor"]["spec"]["template"]["spec"];
    assert_eq!(floor["nodeSelector"], serde_json::json!({"gpuplan.dev/pool": "l40s-od"}));
    assert_eq!(floor["topologySpreadConstraints"][0]["whenUnsatisfiable"], "ScheduleAnyway");
    let flex = &documents["Deployment/chat-flex"]["spec"]["template"]["spec"];
    let required = &flex["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0];
    assert_eq!(required["matchExpressions"][0]["values"], serde_json::json!(["l40s-spot", "l40s-od"]));
    assert_eq!(flex["topologySpreadConstraints"][0]["whenUnsatisfiable"], "DoNotSchedule");
    assert_eq!(flex["topologySpreadConstraints"][0]["maxSkew"], 1);
    // 480 s a start, less 360 s to come up and 60 s of consolidation: 60 s of drain, within the notice of 120 s.
    assert_eq!(flex["terminationGracePeriodSeconds"], 60);
    let container = &documents["Deployment/chat-70b-floor"]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["resources"]["limits"]["nvidia.com/gpu"], "4");
    assert_eq!(container["resources"]["requests"]["cpu"], "2500m");
    assert_eq!(container["resources"]["requests"]["memory"], "16896Mi");
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/dev/shm");
}

#[test]
fn spot_is_tried_before_its_fallback_and_limits_hold() {
    let plan = aws();
    let documents = documents(&emit::artifacts(&plan));
    for pool in &plan.pools {
        let made = &documents[&format!("NodePool/{}", pool.name)]["spec"];
        let gpus = (pool.max_nodes * pool.gpus_per_node).to_string();
        assert_eq!(made["limits"]["nvidia.com/gpu"], gpus.as_str());
        let requirements = made["template"]["spec"]["requirements"].as_array().unwrap();
        let of = |key: &str| requirements.iter().find(|r| r["key"] == key).map(|r| r["values"].clone());
        assert_eq!(of("karpenter.sh/capacity-type"), Some(serde_json::json!([pool.capacity_type])));
        assert_eq!(of("node.kubernetes.io/instance-type"), Some(serde_json::json!([pool.instance_type])));
        assert_eq!(of("topology.kubernetes.io/zone"), Some(serde_json::json!(pool.zones)));
        assert_eq!(made["template"]["metadata"]["labels"]["gpuplan.dev/pool"], pool.name.as_str());
        assert_eq!(made["template"]["spec"]["taints"].as_array().unwrap().len(), pool.taints.len());
    }
    let weight = |pool: &str| documents[&format!("NodePool/{pool}")]["spec"]["weight"].as_u64().unwrap();
    assert!(weight("l40s-spot") > weight("l40s-od"));
    let disruption = |pool: &str| documents[&format!("NodePool/{pool}")]["spec"]["disruption"].clone();
    assert_eq!(disruption("l40s-spot")["consolidationPolicy"], "WhenEmpty");
    assert_eq!(disruption("l40s-od")["consolidationPolicy"], "WhenEmptyOrUnderutilized", "gives its nodes back to spot");
    assert_eq!(disruption("l40s-od")["consolidateAfter"], "60s");
    assert_eq!(disruption("h100")["consolidateAfter"], "Never");
    assert_eq!(documents["NodePool/h100"]["spec"]["template"]["spec"]["expireAfter"], "Never");
}

#[test]
fn other_node_autoscalers_get_no_node_pools() {
    let documents = documents(&emit::artifacts(&gke()));
    assert!(!documents.keys().any(|key| key.starts_with("NodePool/") || key.starts_with("EC2NodeClass/")));
    assert!(documents.contains_key("Namespace/serving"), "a demo brings its namespaces");
    let flex = &documents["Deployment/demo-chat-flex"];
    assert_eq!(flex["spec"]["replicas"], 3, "a static flex part has a fixed count");
    assert_eq!(flex["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 30, "not more than the notice");
    assert_eq!(documents["CronJob/demo-nightly"]["spec"]["schedule"], "0 1 * * *", "seven runs, one schedule");
}

#[test]
fn own_deployments_are_patched_and_not_listed() {
    let artifacts = emit::artifacts(&aws());
    let documents = documents(&artifacts);
    assert!(!documents.contains_key("Deployment/search-api"));
    let floor = &documents["patch:Deployment/search-api"];
    assert_eq!(floor["spec"]["replicas"], 2);
    let flex = &documents["patch:Deployment/search-flex"];
    assert_eq!(flex["spec"].get("replicas"), None);
    assert_eq!(documents["ScaledObject/search-flex"]["spec"]["scaleTargetRef"]["name"], "search-flex");
    assert!(!documents.contains_key("ScaledObject/search-floor"), "a fixed floor has no scaler");
    assert!(!documents.contains_key("Namespace/search"), "the user's namespace is the user's");
    assert!(!contents(&artifacts, "kubernetes/kustomization.yaml").contains("patches/"));
}

#[test]
fn an_own_deployment_without_a_floor_is_the_flex_part() {
    let mut plan = aws();
    let studio = plan.workloads.iter_mut().find(|w| w.name == "studio").unwrap();
    studio.kubernetes.scale_target = Some("studio-web".into());
    let documents = documents(&emit::artifacts(&plan));
    assert_eq!(documents["ScaledObject/studio-flex"]["spec"]["scaleTargetRef"]["name"], "studio-web");
    assert!(documents.contains_key("patch:Deployment/studio-web"));
    assert!(!documents.contains_key("patch:Deployment/studio-flex"));
}

#[test]
fn queues_are_scaled_jobs_behind_a_gate() {
    let documents = documents(&emit::artifacts(&aws()));
    let job = &documents["ScaledJob/ocr"]["spec"];
    assert_eq!(job["maxReplicaCount"], 4);
    assert_eq!(job["triggers"][0]["type"], "aws-sqs-queue");
    assert_eq!(job["triggers"][0]["metadata"]["queueLength"], "500");
    assert_eq!(job["jobTargetRef"]["activeDeadlineSeconds"], 6 * 3600);
    assert_eq!(job["jobTargetRef"]["template"]["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"], "true");
    let gate = |name: &str| &documents[name]["spec"];
    assert_eq!(gate("CronJob/ocr-open-1")["schedule"], "0 23 * * 1,2,3,4,5");
    assert_eq!(gate("CronJob/ocr-close-1")["schedule"], "0 5 * * 2,3,4,5,6", "six hours later is the next day");
    assert_eq!(gate("CronJob/ocr-open-1")["timeZone"], "Europe/Berlin");
}

#[test]
fn a_queue_that_starts_at_its_release_needs_no_gate() {
    let mut plan = aws();
    for workload in plan.workloads.iter_mut().filter(|w| w.name == "ocr") {
        for run in &mut workload.job.as_mut().unwrap().runs {
            run.release_hour = run.start_hour;
        }
    }
    assert!(!emit::artifacts(&plan).iter().any(|a| a.path.contains("gate")));
}

#[test]
fn a_gate_stays_open_over_a_deadline_that_another_run_covers() {
    let mut plan = aws();
    for workload in plan.workloads.iter_mut().filter(|w| w.name == "ocr") {
        // Thirty hours each: every deadline but Friday's lies inside the next day's run.
        for run in &mut workload.job.as_mut().unwrap().runs {
            run.deadline_hour = run.start_hour + 30;
        }
    }
    let documents = documents(&emit::artifacts(&plan));
    assert_eq!(documents["CronJob/ocr-close-1"]["spec"]["schedule"], "0 5 * * 0");
}

#[test]
fn gangs_run_as_cron_jobs_with_names_and_checkpoints() {
    let documents = documents(&emit::artifacts(&aws()));
    assert_eq!(documents["CronJob/tune-1"]["spec"]["schedule"], "0 2 * * 6");
    assert_eq!(documents["CronJob/tune-2"]["spec"]["schedule"], "30 4 * * 3");
    let job = &documents["CronJob/tune-1"]["spec"]["jobTemplate"]["spec"];
    assert_eq!((&job["parallelism"], &job["completions"], &job["completionMode"]), (&4.into(), &4.into(), &"Indexed".into()));
    let env = job["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let value = |name: &str| env.iter().find(|e| e["name"] == name).map(|e| e["value"].clone());
    assert_eq!(value("GPUPLAN_CHECKPOINT_INTERVAL_SECONDS"), Some("1897".into()));
    assert_eq!(documents["Service/tune"]["spec"]["clusterIP"], "None");
    assert_eq!(job["template"]["spec"]["subdomain"], "tune");
}

#[test]
fn hostile_text_stays_text() {
    let mut plan = aws();
    plan.name = format!("acme {HOSTILE}");
    plan.provenance.gpuplan_version = HOSTILE.into();
    for workload in &mut plan.workloads {
        workload.kubernetes.image = HOSTILE.into();
        if let Some(service) = &mut workload.service {
            service.scaling.query = service.scaling.query.take().map(|_| HOSTILE.into());
        }
    }
    let artifacts = emit::artifacts(&plan);
    let documents = documents(&artifacts);
    assert_eq!(triggers(&documents["ScaledObject/chat-flex"], "prometheus")[0]["metadata"]["query"], HOSTILE);
    assert_eq!(documents["Deployment/chat-floor"]["spec"]["template"]["spec"]["containers"][0]["image"], HOSTILE);
    let values: Value = serde_json::from_str(contents(&artifacts, "terraform/gpuplan.auto.tfvars.json")).unwrap();
    assert_eq!(values["workloads"]["chat"]["team"], HOSTILE);
    for artifact in &artifacts {
        let comment = artifact.contents.lines().take(2).all(|line| line.starts_with('#') || line.is_empty());
        assert!(comment || artifact.path.ends_with(".json"), "{}", artifact.path);
        assert!(!artifact.path.ends_with(".md") || !artifact.contents.contains("<b>"), "{}", artifact.path);
    }
}

#[test]
fn strings_that_look_like_something_else_are_quoted() {
    let mut plan = aws();
    for text in ["true", "no", "012", "1e3", "0x1f", "null", "~", "12:30", "2026-01-05", "", " x", "x: y", "-", "=", "<<", "*a", "1_000"] {
        plan.workloads[0].kubernetes.image = text.into();
        let artifacts = emit::artifacts(&plan);
        let read = documents(&artifacts)["Deployment/chat-floor"]["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        assert_eq!(read, text);
    }
}

#[test]
fn terraform_values_say_what_the_plan_says() {
    let plan = aws();
    let artifacts = emit::artifacts(&plan);
    let values: Value = serde_json::from_str(contents(&artifacts, "terraform/gpuplan.auto.tfvars.json")).unwrap();
    assert_eq!(values["node_pools"].as_object().unwrap().len(), plan.pools.len());
    let spot = &values["node_pools"]["l40s-spot"];
    assert_eq!(spot["spot"]["fallback_pool"], "l40s-od");
    assert_eq!(spot["capacity_type"], "spot");
    assert_eq!((&spot["min_nodes"], &spot["max_nodes"]), (&0.into(), &8.into()));
    assert_eq!(spot["labels"]["gpuplan.dev/pool"], "l40s-spot");
    assert_eq!(values["schedules"][0]["cron_start"], plan.windows[0].cron_start.as_str());
    assert_eq!(values["costs"]["usd_per_month"], 11_800.0);
    assert_eq!(values["workloads"]["chat"]["scaled_by_keda"], serde_json::json!(["floor", "flex"]));
}

#[test]
fn the_plan_goes_out_and_comes_back() {
    let plan = aws();
    let text = emit::plan_json(&plan).unwrap();
    assert!(text.ends_with("}\n"));
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}
