//! Several services in one Triton server: the files of the server, read back, and their replay.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::bundle_fixture::{MEMBERS, SERVER, bundled, inputs};
use crate::emit_tools::{run, succeeded};
use crate::golden;
use gpuplan::cli::write::write_all;
use gpuplan::emit;
use gpuplan::emit::parse::{SourceText, compare, files};
use gpuplan::plan::Plan;
use gpuplan::simulate::of_files;
use gpuplan::simulate::outcome::{Simulation, WorkloadOutcome};
use gpuplan::simulate::replay::{self, Seeds};
use gpuplan::simulate::run::{Options, Sampling};
use serde_json::Value;
use std::fs;

fn texts(plan: &Plan) -> Vec<SourceText> {
    emit::artifacts(plan).into_iter().map(|file| SourceText { path: file.path, text: file.contents }).collect()
}

/// The first half day, every request, of two seeds; files of the plan with edits (end of the path, text, replacement).
fn replayed(plan: &Plan, edits: &[(&str, &str, &str)]) -> Simulation {
    let mut texts = texts(plan);
    for (path, from, to) in edits {
        let file = texts.iter_mut().find(|file| file.path.ends_with(path)).unwrap();
        assert!(file.text.contains(from), "{path} has no {from:?}");
        file.text = file.text.replacen(from, to, 1);
    }
    let read = files(&texts).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let fleet = of_files::fleet(&read, plan, &inputs(plan)).unwrap();
    let options = Options { hours: 12, sampling: Sampling::Week, timeline: true, ..Options::default() };
    let seeds = Seeds { first: 1, count: 2 };
    let played = replay::play(fleet, seeds, &options).unwrap();
    replay::outcome(plan, &played, (seeds, &options))
}

fn of<'a>(simulation: &'a Simulation, name: &str) -> &'a WorkloadOutcome {
    simulation.workloads.iter().find(|w| w.name == name).unwrap()
}

#[test]
fn every_member_is_a_workload_with_its_own_objective() {
    let simulation = replayed(&bundled(), &[]);
    let names: Vec<&str> = simulation.workloads.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(names, MEMBERS.map(|member| member.name));
    for member in MEMBERS {
        let found = of(&simulation, member.name);
        assert_eq!((found.kind.as_str(), found.server.as_deref()), ("service", Some(SERVER)));
        // A day of Poisson arrivals in all: a standard error of 0.06 to 0.2%.
        let expected = member.rps * 86_400.0;
        assert!((found.arrived / expected - 1.0).abs() < 0.01, "{}: {} of {expected}", member.name, found.arrived);
        assert!(found.met && found.attainment > 0.995, "{}: {} {:?}", member.name, found.attainment, found.fates);
        assert!(found.latency_ms.is_some_and(|ms| ms.p99 < member.limit_ms), "{}: {:?}", member.name, found.latency_ms);
        let shown = &found.timeline[30];
        assert!((shown.demand_rps - member.rps).abs() < 1e-9 && shown.ready >= 2, "{shown:?}");
    }
    // Two replicas all day, four while the window is open: all of it is paid, by every member once.
    let hours = of(&simulation, "captions").replica_hours_per_week;
    assert!(hours > 2.0 * 168.0 && hours < 5.0 * 168.0, "{hours}");
    assert!(simulation.reasons.is_empty(), "{:?}", simulation.reasons);
    assert_eq!(simulation.verdict, "holds");
}

/// Models that slow each other down twelve times take a load that the same replicas carried otherwise.
#[test]
fn interference_is_what_the_plan_states() {
    let mut plan = bundled();
    plan.windows.clear();
    plan.bundles[0].interference = 12.0;
    let simulation = replayed(&plan, &[("vision-models-floor.yaml", "maxReplicaCount: 6", "maxReplicaCount: 2")]);
    assert_eq!(simulation.verdict, "missed");
    let missed: Vec<&str> = simulation.workloads.iter().filter(|w| !w.met).map(|w| w.name.as_str()).collect();
    assert!(missed.contains(&"photo-check"), "{missed:?}");
    assert!(simulation.reasons.iter().any(|reason| reason.starts_with("`photo-check`: ")), "{:?}", simulation.reasons);
}

#[test]
fn a_member_that_the_inputs_do_not_know_is_named() {
    let plan = bundled();
    let read = files(&texts(&plan)).unwrap();
    let mut without = inputs(&plan);
    without.services.remove(1);
    assert!(of_files::fleet(&read, &plan, &without).unwrap_err().contains("`face-blur`"));
    let mut other = inputs(&plan);
    other.services[0].engines[0].precision = "int8".into();
    assert!(of_files::fleet(&read, &plan, &other).unwrap_err().contains("`captions` on 1 x l4 in fp16"));
}

fn edited(plan: &Plan, (path, from, to): (&str, &str, &str)) -> Vec<SourceText> {
    let mut texts = texts(plan);
    let file = texts.iter_mut().find(|file| file.path.ends_with(path)).unwrap();
    assert!(file.text.contains(from), "{path} has no {from:?}:\n{}", file.text);
    file.text = file.text.replacen(from, to, 1);
    texts
}

const FACE_BLUR: &str = "serving/triton/vision-models/models/face_blur/config.pbtxt";
const DEPLOYMENT: &str = "workloads/vision-models.yaml";

#[test]
fn goldens_of_a_shared_server() {
    let files: Vec<(String, String)> = emit::artifacts(&bundled()).into_iter().map(|a| (a.path, a.contents)).collect();
    golden::check_folder("emit/shared", &files);
}

#[test]
fn what_was_emitted_is_the_plan() {
    let plan = bundled();
    let read = files(&texts(&plan)).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!((compare(&plan, &read), read.notes.as_slice()), (vec![], &[][..]));
    let deployment = read.deployments.iter().find(|d| d.workload == SERVER).unwrap();
    let server = deployment.server.as_ref().unwrap();
    let models: Vec<_> = server.models.iter().map(|m| (m.name.as_str(), m.instances, m.max_batch_size, m.priority)).collect();
    assert_eq!(models, [("captions", 1, 8, 3), ("face_blur", 2, 8, 2), ("photo_check", 3, 8, 1)]);
    // Six instances of batches of eight.
    assert_eq!((server.executions, server.most_in_service()), (Some(6), 48));
}

/// Members have no files of their own but the address that their callers know.
#[test]
fn one_server_stands_for_its_members() {
    let artifacts = emit::artifacts(&bundled());
    let paths: Vec<&str> =
        artifacts.iter().map(|a| a.path.as_str()).filter(|path| path.ends_with(".pbtxt") || path.contains("/w")).collect();
    let models = ["captions", "face_blur", "photo_check"].map(|m| format!("kubernetes/serving/triton/{SERVER}/models/{m}/config.pbtxt"));
    assert_eq!(paths, [models.each_ref().map(String::as_str).as_slice(), &["kubernetes/workloads/vision-models.yaml"]].concat());
    let text = &artifacts.iter().find(|a| a.path.ends_with(DEPLOYMENT)).unwrap().contents;
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    let services: Vec<_> = documents.iter().filter(|d| d["kind"] == "Service").collect();
    let names: Vec<&str> = services.iter().map(|d| d["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, [SERVER, "captions", "face-blur", "photo-check"]);
    assert!(services.iter().all(|d| d["spec"]["selector"]["app.kubernetes.io/name"] == SERVER));
    let mut own = bundled();
    own.workloads[1].kubernetes.scale_target = Some("blur".into());
    own.workloads[2].kubernetes.namespace = "elsewhere".into();
    let theirs = emit::artifacts(&own).into_iter().find(|a| a.path.ends_with(DEPLOYMENT)).unwrap();
    assert_eq!(theirs.contents.matches("kind: Service").count(), 2, "what is the user's, or elsewhere, is left alone");
}

#[test]
fn edits_of_the_server_are_differences() {
    let plan = bundled();
    let one = |edit: (&str, &str, &str), expected: &[&str]| {
        let read = files(&edited(&plan, edit)).unwrap_or_else(|faults| panic!("{faults:#?}"));
        let found: Vec<String> = compare(&plan, &read).into_iter().map(|d| d.what).collect();
        assert_eq!(found, expected);
    };
    let of = |what: &str| format!("Deployment `serving/vision-models-floor`: {what}");
    one((FACE_BLUR, "  count: 2", "  count: 5"), &[&of("`count` of model `face_blur` is 5, the plan has 2")]);
    one((FACE_BLUR, "priority: 2", "priority: 7"), &[&of("`priority` of model `face_blur` is 7, the plan has 2")]);
    one((FACE_BLUR, "max_batch_size: 8", "max_batch_size: 4"), &[&of("`max_batch_size` of model `face_blur` is 4, the plan has 8")]);
    one(
        (FACE_BLUR, "microseconds: 500", "microseconds: 900"),
        &[&of("`max_queue_delay_microseconds` of model `face_blur` is 900, the plan has 500")],
    );
    one((DEPLOYMENT, "execution:6", "execution:4"), &[&of("executions at a time is 4, the plan has 6")]);
    one((DEPLOYMENT, "--load-model=captions", "--log-verbose=0"), &[&of("model `captions` is gone")]);
    one(
        (DEPLOYMENT, "--rate-limit=execution_count", "--rate-limit=off"),
        &[
            &of("`priority` of model `captions` is 1, the plan has 3"),
            &of("`priority` of model `face_blur` is 1, the plan has 2"),
            &of("executions at a time is not set, the plan has 6"),
        ],
    );
}

#[test]
fn what_a_replay_does_not_know_is_refused_with_its_line() {
    let plan = bundled();
    let one = |edit: (&str, &str, &str), line: u32, words: &str| {
        let faults = files(&edited(&plan, edit)).unwrap_err();
        let found: Vec<_> = faults.iter().map(|f| (f.at.path.as_str(), f.at.place.map(|place| place.0), f.what.as_str())).collect();
        let told = |f: &&(&str, Option<u32>, &str)| f.0.ends_with(edit.0) && f.1 == Some(line) && f.2.contains(words);
        assert!(found.len() == 1 && found.iter().any(|f| told(&f)), "{words}: {found:?}");
    };
    one((FACE_BLUR, "kind: KIND_GPU", "kind: KIND_CPU"), 7, "does not run on the GPU");
    one((FACE_BLUR, "gpus: 0", "gpus: [0, 1]"), 8, "GPU 1");
    one((FACE_BLUR, "  count: 2", "  count: 0"), 5, "without instances");
    one((FACE_BLUR, "name: \"execution\"", "name: \"memory\""), 10, "a resource");
    one((FACE_BLUR, "name: \"face_blur\"", "name: \"blur\""), 3, "another name");
    one((FACE_BLUR, "dynamic_batching {", "sequence_batching {"), 17, "`sequence_batching`");
    one((FACE_BLUR, "  max_queue_delay", "  priority_levels: 2\n  max_queue_delay"), 18, "`priority_levels`");
    one((FACE_BLUR, "max_batch_size: 8", "max_batch_size: -1"), 4, "no count");
    one((FACE_BLUR, "max_batch_size: 8", "max_batch_size: 8\nmax_batch_size: 9"), 5, "a second `max_batch_size`");
    one((FACE_BLUR, "dynamic_batching {", "dynamic_batching {{"), 17, "begins with its name");
    let deployment = texts(&plan).into_iter().find(|file| file.path.ends_with(DEPLOYMENT)).unwrap().text;
    let line = 1 + deployment.lines().position(|line| line.contains("control-mode")).unwrap() as u32;
    one((DEPLOYMENT, "control-mode=explicit", "control-mode=poll"), line, "--model-control-mode=poll");
    let faults = files(&edited(&plan, ("kustomization.yaml", "captions.pbtxt=serving", "captions.pbtxt=elsewhere"))).unwrap_err();
    assert!(faults.iter().any(|f| f.what.contains("is listed and not there")), "{faults:?}");
}

/// One execution at a time, of one request: captions take 83 ms and photos must be done in 80. They are in front of the captions that
/// wait, and with the priorities turned round behind them.
#[test]
fn priorities_and_executions_have_their_consequence() {
    let mut plan = bundled();
    plan.windows.clear();
    let one = ["captions", "face_blur", "photo_check"].map(|model| format!("models/{model}/config.pbtxt"));
    let mut few = vec![
        ("vision-models-floor.yaml", "minReplicaCount: 2", "minReplicaCount: 1"),
        ("vision-models-floor.yaml", "maxReplicaCount: 6", "maxReplicaCount: 1"),
        (DEPLOYMENT, "execution:6", "execution:1"),
    ];
    few.extend(one.iter().map(|path| (path.as_str(), "max_batch_size: 8", "max_batch_size: 1")));
    let attained = |more: &[(&str, &str, &str)]| of(&replayed(&plan, &[&few, more].concat()), "photo-check").attainment;
    let first = attained(&[]);
    let turned = attained(&[(&one[0], "priority: 3", "priority: 1"), (&one[2], "priority: 1", "priority: 3")]);
    assert!(first > turned + 0.01, "{first} in front, {turned} behind");
}

#[test]
fn a_model_that_is_not_loaded_is_named() {
    let plan = bundled();
    let read = files(&edited(&plan, (DEPLOYMENT, "--load-model=captions", "--log-verbose=0"))).unwrap();
    assert!(of_files::fleet(&read, &plan, &inputs(&plan)).unwrap_err().contains("`captions`"));
}

#[test]
fn the_report_says_where_the_models_go() {
    let report = gpuplan::report::markdown(&bundled());
    assert!(report.contains("`vision-models-repository` (captions, face"), "{report}");
    assert!(report.contains("kubectl get persistentvolumeclaim vision-models-repository --namespace serving"), "{report}");
}

/// A hostile name stays one name: a folder, a key and a string.
#[test]
fn hostile_names_of_models_stay_names() {
    let mut plan = bundled();
    plan.bundles[0].members[1].model = "../../\"}\nname: x # é".into();
    let read = files(&texts(&plan)).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(compare(&plan, &read), []);
    let root = tempfile::tempdir().unwrap();
    write_all(&root.path().join("out"), &emit::artifacts(&plan)).unwrap();
}

/// Configurations under protobuf's own parser, where it is installed.
#[test]
fn configurations_are_text_format() {
    let plan = bundled();
    let root = tempfile::tempdir().unwrap();
    write_all(&root.path().join("out"), &emit::artifacts(&plan)).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/text_format.py");
    let known = run("python3", &["-c", "import google.protobuf.text_format"], root.path());
    if known.is_none_or(|output| !output.status.success()) {
        let line = "skipped: python3 has no protobuf here\n";
        return std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    }
    let folder = format!("out/kubernetes/serving/triton/{SERVER}/models");
    let paths = ["captions", "face_blur", "photo_check"].map(|model| format!("{folder}/{model}/config.pbtxt"));
    let arguments: Vec<&str> = std::iter::once(script).chain(paths.iter().map(String::as_str)).collect();
    let found: Value = serde_json::from_str(&succeeded(&run("python3", &arguments, root.path()).unwrap())).unwrap();
    for (config, member) in found.as_array().unwrap().iter().zip(&plan.bundles[0].members) {
        let group = &config["instance_group"][0];
        assert_eq!((&config["name"], &config["max_batch_size"]), (&member.model.as_str().into(), &member.max_batch_size.into()));
        assert_eq!((&group["count"], &group["kind"]), (&member.instances.into(), &"KIND_GPU".into()));
        assert_eq!((&group["gpus"], &group["rate_limiter"]["priority"]), (&serde_json::json!([0]), &member.priority.into()));
        assert_eq!(group["rate_limiter"]["resources"], serde_json::json!([{"name": "execution", "count": 1}]));
        // 64-bit numbers are strings in protobuf's JSON, and a zero is left out.
        let delay = config["dynamic_batching"]["max_queue_delay_microseconds"].as_str().unwrap_or("0");
        assert_eq!(delay, member.max_queue_delay_us.to_string());
    }
}

#[test]
fn kustomize_makes_the_config_map() {
    let root = tempfile::tempdir().unwrap();
    write_all(&root.path().join("out"), &emit::artifacts(&bundled())).unwrap();
    let Some(output) = run("kubectl", &["kustomize", "out/kubernetes"], root.path()) else { return };
    let built: Vec<Value> = serde_saphyr::from_multiple(&succeeded(&output)).unwrap();
    let map = built.iter().find(|d| d["kind"] == "ConfigMap").unwrap();
    assert_eq!((&map["metadata"]["name"], &map["metadata"]["namespace"]), (&"vision-models-models".into(), &"serving".into()));
    for model in ["captions", "face_blur", "photo_check"] {
        let path = root.path().join(format!("out/kubernetes/serving/triton/{SERVER}/models/{model}/config.pbtxt"));
        assert_eq!(map["data"][format!("{model}.pbtxt")], std::fs::read_to_string(path).unwrap().as_str());
    }
    let deployment = built.iter().find(|d| d["kind"] == "Deployment").unwrap();
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
    assert!(volumes.iter().any(|v| v["configMap"]["name"] == "vision-models-models"), "{volumes:?}");
}

/// The init step, run for real on a repository of the user's, in folders of our own.
#[test]
fn configurations_are_laid_over_the_users_repository() {
    let artifacts = emit::artifacts(&bundled());
    let text = &artifacts.iter().find(|a| a.path.ends_with(DEPLOYMENT)).unwrap().contents;
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    let init = &documents.iter().find(|d| d["kind"] == "Deployment").unwrap()["spec"]["template"]["spec"]["initContainers"][0];
    let words = |field: &str| -> Vec<String> { init[field].as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect() };
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    let put = |path: &str, text: &str| {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), text).unwrap();
    };
    for model in ["captions", "face_blur", "photo_check"] {
        put(&format!("repository/{model}/1/model.onnx"), "weights");
        let config = artifacts.iter().find(|a| a.path.ends_with(&format!("models/{model}/config.pbtxt"))).unwrap();
        put(&format!("plan/{model}.pbtxt"), &config.contents);
    }
    put(
        "repository/captions/config.pbtxt",
        "name: \"captions\"\nbackend: \"python\"\ninput [\n  { name: \"TEXT\" data_type: TYPE_STRING dims: [ 1 ] }\n]\n",
    );
    let run_in = |name: &str| {
        let here = root.path().to_str().unwrap();
        let moved = |word: &String| {
            ["/repository", "/models", "/plan"]
                .iter()
                .fold(word.clone(), |w, path| w.replace(&format!("\"{path}/"), &format!("\"{here}{path}/")))
        };
        let all: Vec<String> = [words("command"), words("args")].concat().iter().map(moved).collect();
        let arguments: Vec<&str> = all[1..].iter().map(String::as_str).collect();
        run(&all[0], &arguments, root.path()).unwrap_or_else(|| panic!("{name}: no shell"))
    };
    succeeded(&run_in("plain"));
    let laid = fs::read_to_string(at("models/captions/config.pbtxt")).unwrap();
    assert!(laid.starts_with("backend: \"python\"\ninput [") && laid.matches("name: \"captions\"").count() == 1, "{laid}");
    assert!(laid.contains("instance_group {"), "{laid}");
    assert_eq!(fs::read_to_string(at("models/photo_check/1/model.onnx")).unwrap(), "weights");
    assert_eq!(fs::read_link(at("models/photo_check/1")).unwrap(), at("repository/photo_check/1"), "weights are not copied");
    // Twice is as good as once: a container that starts again finds its folder full.
    succeeded(&run_in("again"));
    put("repository/captions/config.pbtxt", "backend: \"python\"\ninstance_group [ { count: 4 } ]\n");
    let refused = run_in("groups of the user's");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("take instance_group"), "{refused:?}");
    fs::remove_dir_all(at("repository/face_blur")).unwrap();
    fs::remove_file(at("repository/captions/config.pbtxt")).unwrap();
    let missing = run_in("no model");
    assert!(!missing.status.success() && String::from_utf8_lossy(&missing.stderr).contains("no model face_blur"), "{missing:?}");
}
