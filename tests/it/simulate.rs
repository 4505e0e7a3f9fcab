//! `optimize --verify` and `simulate`: what is verified, and what a replay of edited files, of other traffic and of broken clouds says.
//! Scenarios are planned once; each test replays one or two weeks.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::planned;
use crate::repository::gpuplan;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A query that autoscalers of an LLM service ask; it vanishes with the pods.
const IN_FLIGHT: &str = r#"sum(vllm:num_requests_running{namespace="help-desk",job="assistant"})"#;

/// A word of the finding, and a way to spoil a verification.
type Spoiled = (&'static str, fn(&mut Value));

/// An output folder of `optimize`, and how it ended.
pub struct Made {
    scenario: tempfile::TempDir,
    out: tempfile::TempDir,
    output: Output,
}

impl Made {
    /// The folder.
    pub fn folder(&self) -> PathBuf {
        self.out.path().join("out")
    }

    fn plan(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.folder().join("plan.json")).unwrap()).unwrap()
    }

    fn said(&self) -> String {
        [&self.output.stdout, &self.output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
    }
}

fn made(name: &str, change: impl Fn(&mut Value), more: &[&str]) -> Made {
    let mut document = planned::document(name);
    change(&mut document);
    let (scenario, out) = (planned::rewritten(name, &document), tempfile::tempdir().unwrap());
    let place = out.path().join("out");
    let arguments = ["optimize", scenario.path().to_str().unwrap(), "--quick", "--out", place.to_str().unwrap()];
    let output = gpuplan(&[&arguments, more].concat()).output().unwrap();
    assert!(place.join("plan.json").is_file(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Made { scenario, out, output }
}

/// The chat assistant and the nightly job, verified.
pub fn by_hand() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| made("two-by-hand", |_| {}, &["--target", "-40%", "--verify", "--seeds", "5"]))
}

/// The same in New York, where clocks change.
fn in_new_york() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| made("two-by-hand", |s| s["time_zone"] = json!("America/New_York"), &[]))
}

/// The same, but that the assistant follows its load and nothing else.
fn by_load() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let change = |s: &mut Value| {
            let metrics = json!({"server": "http://prometheus.monitoring:9090", "query": IN_FLIGHT});
            s["workloads"][0]["scaling"] = json!({"modes": ["reactive"], "min_replicas": 1, "metrics": metrics});
        };
        made("two-by-hand", change, &[])
    })
}

/// The team on Google Cloud with a hundredth of its photos: they are nearly all of its requests, and need one replica.
fn few_photos() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let change = |s: &mut Value| {
            assert_eq!(s["workloads"][1]["name"], "photo-check");
            s["workloads"][1]["demand"]["scale"] = json!(0.03);
        };
        made("gcp-assist", change, &["--verify", "--seeds", "3"])
    })
}

fn fleet() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| made("fleet-50k", |_| {}, &["--target", "-40%"]))
}

/// `simulate` of a plan, one week unless `more` says otherwise.
pub fn simulate(plan_of: &Path, more: &[&str]) -> Command {
    let plan = plan_of.join("plan.json");
    let mut arguments = vec!["simulate", "--plan", plan.to_str().unwrap(), "--no-baseline"];
    if !more.contains(&"--seeds") {
        arguments.extend(["--seeds", "1"]);
    }
    arguments.extend_from_slice(more);
    gpuplan(&arguments)
}

/// The answer, and that the exit code is the verdict.
pub fn answer(mut command: Command) -> Value {
    let output = command.arg("--format=json").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("{fault}: {said}"));
    let wanted = match value["verdict"].as_str().unwrap() {
        "verified" | "holds" => 0,
        "missed" => 1,
        other => panic!("verdict {other}"),
    };
    assert_eq!(output.status.code(), Some(wanted), "{:?}", value["reasons"]);
    assert_eq!(wanted == 0, value["reasons"].as_array().unwrap().is_empty());
    value
}

/// A workload of an answer.
pub fn workload<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer["workloads"].as_array().unwrap().iter().find(|w| w["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

/// Its attainment.
pub fn attained(answer: &Value, name: &str) -> f64 {
    workload(answer, name)["attainment"].as_f64().unwrap()
}

fn lines(answer: &Value, field: &str) -> Vec<String> {
    answer[field].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

/// Every file below a folder, with its bytes.
pub fn listing(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(listing(&path)) } else { found.push((path.clone(), fs::read(&path).unwrap())) }
    }
    found.sort();
    found
}

/// A copy of an output folder in which one file reads otherwise.
pub fn edited(made: &Made, file: &str, edit: impl Fn(&str) -> String) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let folder = made.folder();
    for (path, bytes) in listing(&folder) {
        let place = copy.path().join(path.strip_prefix(&folder).unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    }
    let path = copy.path().join(file);
    let before = fs::read_to_string(&path).unwrap();
    let after = edit(&before);
    assert_ne!(before, after, "{file}: nothing to edit");
    fs::write(path, after).unwrap();
    copy
}

/// A replay of the plan with edited files: `--from`, not what lies beside the plan.
fn replayed(made: &Made, (file, edit): (&str, &dyn Fn(&str) -> String)) -> Value {
    let copy = edited(made, file, edit);
    answer(simulate(&made.folder(), &["--from", copy.path().to_str().unwrap()]))
}

/// Missed, with the workload in the reason, and what differs named with its file.
fn broken(answer: &Value, name: &str, (file, word): (&str, &str)) {
    let (reasons, differences) = (lines(answer, "reasons"), lines(answer, "differences"));
    assert_eq!(answer["verdict"], "missed", "{differences:?}");
    assert!(reasons.iter().any(|r| r.contains(&format!("`{name}`")) && r.contains("UTC")), "no `{name}`: {reasons:?}");
    assert!(differences.iter().any(|d| d.starts_with(file) && d.contains(word)), "no {file} {word}: {differences:?}");
}

fn checked(made: &Made, plan: &Path) -> Output {
    gpuplan(&["check", plan.to_str().unwrap(), "--scenario", made.scenario.path().to_str().unwrap()]).output().unwrap()
}

fn verified(made: &Made) {
    let plan = made.plan();
    let verification = &plan["verification"];
    assert_eq!(verification["status"], "VERIFIED", "{}\n{}", verification["reason"], verification["replay"]["rounds"]);
    // With its reason: a comment on what the field may say is no mark.
    let mark = "UNVERIFIED: ";
    assert_eq!(made.output.status.code(), Some(0), "{}", made.said());
    assert!(made.said().contains("VERIFIED"), "{}", made.said());
    let evidence = &verification["replay"];
    let replayed = evidence["workloads"].as_array().unwrap();
    assert_eq!(replayed.len(), plan["workloads"].as_array().unwrap().len());
    for workload in replayed.iter().filter(|w| w["kind"] == "service") {
        assert_eq!(workload["met"], true, "{workload}");
        assert!(workload["attainment_ci_low"].as_f64() >= workload["slo_target"].as_f64(), "{workload}");
    }
    let (bill, planned) = (evidence["usd_per_month"].as_f64().unwrap(), plan["cost"]["usd_per_month"].as_f64().unwrap());
    assert!((bill / planned - 1.0).abs() <= 0.03, "{bill} against {planned}");
    assert!(evidence["requests_simulated"].as_u64().unwrap() > 1000 && !evidence["rounds"].as_array().unwrap().is_empty());
    for (path, bytes) in listing(&made.folder()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(mark), "{}", path.display());
    }
    assert!(!made.said().contains(mark), "{}", made.said());
    let clean = checked(made, &made.folder().join("plan.json"));
    assert_eq!(clean.status.code(), Some(0), "{}", String::from_utf8_lossy(&clean.stdout));
}

#[test]
fn the_scenario_by_hand_ends_verified() {
    verified(by_hand());
}

#[test]
fn the_team_on_google_cloud_ends_verified() {
    verified(few_photos());
}

#[test]
fn a_verification_that_was_tampered_with_is_found() {
    let spoil: [Spoiled; 7] = [
        ("missed", |v| v["replay"]["workloads"][0]["met"] = json!(false)),
        ("does not", |v| v["replay"]["workloads"][0]["attainment_ci_low"] = json!(0.5)),
        ("target", |v| v["replay"]["workloads"][0]["slo_target"] = json!(0.5)),
        ("no replay", |v| v["replay"] = Value::Null),
        ("bill", |v| v["replay"]["usd_per_month"] = json!(2000.0)),
        ("in the replay once", |v| v["replay"]["workloads"] = json!([])),
        ("status", |v| v["status"] = json!("PROVEN")),
    ];
    for (word, spoil) in spoil {
        let mut plan = by_hand().plan();
        spoil(&mut plan["verification"]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        fs::write(&path, plan.to_string()).unwrap();
        let output = checked(by_hand(), &path);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{word}: {text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn json_has_the_fields_that_scripts_read() {
    let found = answer(simulate(&by_hand().folder(), &[]));
    assert_eq!(found["format"], "gpuplan/simulation/v1");
    let pointers = ["/bill/usd_per_month", "/plan/usd_per_month", "/requests_simulated", "/wall_seconds"];
    for pointer in pointers {
        assert!(found.pointer(pointer).is_some_and(|v| v.as_f64().is_some_and(|n| n > 0.0)), "{pointer}");
    }
    let names: Vec<&str> = found["workloads"].as_array().unwrap().iter().map(|w| w["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["assistant", "embeddings"]);
    for name in names {
        let shares = ["slo_target", "attainment", "attainment_ci_low"].map(|field| workload(&found, name)[field].as_f64().unwrap());
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)) && shares[2] <= shares[1], "{name}: {shares:?}");
    }
    assert_eq!(found["verdict"], "verified");
    assert!(lines(&found, "differences").is_empty(), "{:?}", found["differences"]);
}

#[test]
fn the_same_bytes_twice_and_on_one_core() {
    let text = |command: Command| {
        let mut found = answer(command);
        found["wall_seconds"] = Value::Null;
        found.to_string()
    };
    let seeds = &["--seeds", "3"];
    let first = text(simulate(&by_hand().folder(), seeds));
    assert!(first == text(simulate(&by_hand().folder(), seeds)), "two runs differ");
    assert!(first != text(simulate(&by_hand().folder(), &["--seeds", "3", "--first-seed", "2"])), "seeds do nothing");
    let available = Command::new("taskset").args(["-c", "0", "true"]).output().is_ok_and(|o| o.status.success());
    if available {
        let plain = simulate(&by_hand().folder(), seeds);
        let mut pinned = Command::new("taskset");
        pinned.args(["-c", "0"]).arg(plain.get_program()).args(plain.get_args()).current_dir(plain.get_current_dir().unwrap());
        assert!(first == text(pinned), "one core gives another answer");
    }
}

#[test]
fn pass_by_pass_gives_the_same_attainment() {
    for made in [by_hand(), by_load()] {
        let fast = attained(&answer(simulate(&made.folder(), &[])), "assistant");
        let exact = attained(&answer(simulate(&made.folder(), &["--exact"])), "assistant");
        // The closed form of an affine step is exact; what is left is rounding.
        assert!((fast - exact).abs() <= 1e-6, "{fast} and {exact}");
    }
}

#[test]
fn files_that_are_edited_are_what_is_replayed() {
    let floor = "kubernetes/keda/assistant-floor.yaml";
    let listed = |text: &str| text.replace("- keda/assistant-floor.yaml\n", "");
    let gone = replayed(by_hand(), ("kubernetes/kustomization.yaml", &listed));
    broken(&gone, "assistant", (floor, "is gone"));
    assert!(attained(&gone, "assistant") < 0.5, "one replica for office hours");
    let fewer = |text: &str| text.replace("maxReplicaCount: 3", "maxReplicaCount: 2");
    broken(&replayed(by_hand(), (floor, &fewer)), "assistant", (floor, "`maxReplicaCount` is 2"));
    let none = |text: &str| text.replace("minReplicaCount: 1", "minReplicaCount: 0");
    let asleep = replayed(by_hand(), (floor, &none));
    broken(&asleep, "assistant", (floor, "`minReplicaCount` is 0"));
    assert!(workload(&asleep, "assistant")["fates"]["rejected"].as_f64().unwrap() > 0.0, "nobody serves at night");
    let lower = |text: &str| text.replace("desiredReplicas: \"3\"", "desiredReplicas: \"2\"");
    broken(&replayed(by_hand(), (floor, &lower)), "assistant", (floor, "`desiredReplicas`"));
    // The files beside the plan are untouched, and still hold.
    assert_eq!(answer(simulate(&by_hand().folder(), &[]))["verdict"], "verified");
}

#[test]
fn a_threshold_that_is_tampered_with_is_missed() {
    let file = "kubernetes/keda/assistant-flex.yaml";
    assert_eq!(answer(simulate(&by_load().folder(), &[]))["verdict"], "verified");
    let edit = |text: &str| {
        let of = |line: &str| {
            if line.trim_start().starts_with("threshold:") { "      threshold: \"90000\"\n".into() } else { format!("{line}\n") }
        };
        text.lines().map(of).collect()
    };
    broken(&replayed(by_load(), (file, &edit)), "assistant", (file, "`threshold`"));
}

#[test]
fn triggers_that_are_deleted_are_missed() {
    let file = "kubernetes/keda/poster-maker-flex.yaml";
    let by_load = |text: &str| text[..text.find("  - type: prometheus").unwrap()].to_owned();
    broken(&replayed(few_photos(), (file, &by_load)), "poster-maker", (file, "trigger `load` (prometheus) is gone"));
    // Without crons, and with metrics that nobody exports: nothing can wake it.
    let deaf = |text: &str| {
        let (crons, load) = (text.find("  - type: cron").unwrap(), text.find("  - type: prometheus").unwrap());
        format!(
            "{}{}",
            &text[..crons],
            text[load..].replace("sum(envoy_cluster", "sum(nobody").replace("(increase(envoy", "(increase(nobody")
        )
    };
    let asleep = replayed(few_photos(), (file, &deaf));
    broken(&asleep, "poster-maker", (file, "(cron) is gone"));
    broken(&asleep, "poster-maker", (file, "`query` of trigger `load`"));
    assert!(attained(&asleep, "poster-maker") < 1e-9);
    assert!(workload(&asleep, "poster-maker")["replica_hours_per_week"].as_f64().unwrap() < 1e-9);
}

#[test]
fn without_its_only_trigger_nothing_scales_it() {
    let file = "kubernetes/keda/assistant-flex.yaml";
    let copy = edited(by_load(), file, |text| text[..text.find("  triggers:").unwrap()].to_owned());
    let found = answer(simulate(&by_load().folder(), &["--from", copy.path().to_str().unwrap()]));
    assert_eq!(found["verdict"], "missed");
    assert!(lines(&found, "differences").iter().any(|d| d.starts_with(file) && d.contains("trigger")), "{:?}", found["differences"]);
    assert!(lines(&found, "reasons").iter().any(|r| r.contains("not the plan's")), "{:?}", found["reasons"]);
}

#[test]
fn burstier_or_more_traffic_is_missed_with_workload_hour_and_cause() {
    for more in [["--burst", "30"], ["--demand", "1.6"]] {
        let found = answer(simulate(&by_hand().folder(), &more));
        let reasons = lines(&found, "reasons");
        let of = reasons.iter().find(|r| r.starts_with("`assistant`")).unwrap_or_else(|| panic!("{more:?}: {reasons:?}"));
        assert!(["the objective is 98", "most misses on", "UTC", "mostly late"].iter().all(|word| of.contains(word)), "{of}");
        assert!(!workload(&found, "assistant")["worst_hours"].as_array().unwrap().is_empty());
    }
    let text = simulate(&by_hand().folder(), &["--burst", "30"]).output().unwrap();
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("MISSED") && text.contains("assistant") && text.contains("UTC"), "{text}");
}

#[test]
fn fault_runs_say_what_was_broken() {
    for (fault, word) in [("no-on-demand", "no on-demand"), ("slow-nodes", "twice as long"), ("prometheus-down", "Prometheus")] {
        let found = answer(simulate(&by_hand().folder(), &["--fault", fault]));
        assert!(found["method"]["fault"].as_str().unwrap().contains(word), "{fault}: {}", found["method"]["fault"]);
        assert!(attained(&found, "assistant") > 0.9, "{fault}: the base replica serves");
    }
}

#[test]
fn spot_that_is_not_there_cannot_be_lost() {
    for fault in ["spot-pool-lost", "no-spot"] {
        let output = simulate(&by_hand().folder(), &["--fault", fault]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("no spot pool"), "{said}");
    }
}

#[test]
fn people_read_what_was_broken() {
    let output = simulate(&by_hand().folder(), &["--fault", "no-on-demand"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains("no on-demand capacity"), "{text}");
}

#[test]
fn a_lost_spot_pool_takes_capacity_and_leaves_the_floor() {
    let plan = fleet().plan();
    let spot: Vec<&Value> = plan["pools"].as_array().unwrap().iter().filter(|p| p["capacity_type"] == "spot").collect();
    assert!(!spot.is_empty(), "the fleet has spot pools");
    let usual = answer(simulate(&fleet().folder(), &[]));
    let lost = answer(simulate(&fleet().folder(), &["--fault", "spot-pool-lost"]));
    let evicted =
        |found: &Value| -> f64 { found["workloads"].as_array().unwrap().iter().map(|w| w["evictions_per_week"].as_f64().unwrap()).sum() };
    assert!(evicted(&lost) > evicted(&usual), "{} and {}", evicted(&lost), evicted(&usual));
    for service in lost["workloads"].as_array().unwrap().iter().filter(|w| w["kind"] == "service") {
        assert!(service["attainment"].as_f64().unwrap() > 0.5, "{service:#}");
    }
}

#[test]
fn weeks_with_clock_changes_hold() {
    // Mondays before the four Sundays on which clocks change: in the United States, in Europe, in Europe, in the United States.
    for week in ["2026-03-02", "2026-03-23", "2026-10-19", "2026-10-26"] {
        let found = answer(simulate(&in_new_york().folder(), &["--week", week]));
        assert_eq!(found["method"]["week_of"], week);
        assert_eq!(found["verdict"], "verified", "{week}: {:?}", found["reasons"]);
    }
}
