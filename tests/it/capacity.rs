//! Calibrated capacity tables: from the file into the scenario, the plan and the checker.
#![expect(clippy::unwrap_used, reason = "test")]

use crate::input::{PROFILE, load_files, patched, sound};
use crate::planned;
use crate::repository::gpuplan;
use gpuplan::check::{self, Family};
use gpuplan::diagnostic::Diagnostic;
use gpuplan::domain::{CapacityTable, METHOD_VERSION, Scenario, Service, WorkloadKind};
use gpuplan::ids::WorkloadId;
use gpuplan::input::capacity_file::{CapacityEntry, CapacityFile, CapacityRow, key};
use gpuplan::input::{Loaded, Rejected};
use gpuplan::planner;
use gpuplan::sizing::capacity;
use gpuplan::study::Options;
use std::fs;

const NAMED: &str = "name: base\ncapacity_tables: capacity.json\n";

fn load(scenario: &str, tables: &str) -> Result<Loaded, Rejected> {
    load_files(&[
        ("scenario.yaml", scenario.as_bytes()),
        ("profiles/own-job.yaml", PROFILE.as_bytes()),
        ("capacity.json", tables.as_bytes()),
    ])
}

fn service<'a>(scenario: &'a Scenario, name: &str) -> &'a Service {
    scenario.workload(&WorkloadId::new(name)).and_then(|w| w.service()).unwrap()
}

/// A table for each operating point of `chat` in the base: a replica carries 1 alone, 2 from four on.
fn tables() -> CapacityFile {
    let (scenario, _) = sound(load_files(&[("scenario.yaml", patched(&[]).as_bytes()), ("profiles/own-job.yaml", PROFILE.as_bytes())]));
    let chat = scenario.workload(&WorkloadId::new("chat")).unwrap();
    let row =
        |replicas: u32, each: f64| CapacityRow { replicas, rps: 1.1 * each * f64::from(replicas), rps_low: each * f64::from(replicas) };
    let entry = |point: &gpuplan::domain::OperatingPoint| CapacityEntry {
        workload: "chat".to_owned(),
        accelerator: point.accelerator.to_string(),
        gpus_per_replica: point.gpus_per_replica,
        precision: point.precision.clone(),
        burst: "bursty".to_owned(),
        routing: "random".to_owned(),
        percentile: 0.995,
        key: key(chat.service().unwrap(), point),
        points: vec![row(1, 1.0), row(4, 2.0)],
        reason: None,
    };
    CapacityFile::new("by hand", METHOD_VERSION, scenario.profiles[&chat.profile].points.iter().map(entry).collect())
}

fn written(file: &CapacityFile) -> String {
    serde_json::to_string_pretty(file).unwrap()
}

fn told(loaded: Result<Loaded, Rejected>, code: &str) -> Option<Diagnostic> {
    let all = loaded.map_or_else(|rejected| rejected.diagnostics, |loaded| loaded.diagnostics);
    all.into_iter().find(|d| d.code == code)
}

#[test]
fn tables_are_used_instead_of_the_closed_form() {
    let (scenario, notes) = sound(load(&patched(&[("name: base\n", NAMED)]), &written(&tables())));
    assert!(notes.is_empty(), "{notes:?}");
    assert!(scenario.inputs.iter().any(|input| input.path == "capacity.json"), "the file is an input");
    let (plain, _) = sound(load(&patched(&[]), ""));
    assert_ne!(scenario.sha256, plain.sha256, "the tables are part of the scenario");
    let chat = service(&scenario, "chat");
    let workload = scenario.workload(&WorkloadId::new("chat")).unwrap();
    let point = scenario.profiles[&workload.profile].points.iter().find(|p| capacity::closed_form(chat, p).is_ok()).unwrap();
    let kept = 1.0 - point.evidence.derate();
    let found = capacity::of(chat, point, 20.0).unwrap();
    // Alone 1; half way in log2 to four, 1.5 each; 2 each from four on.
    for (n, rate) in [(1, 1.0), (2, 3.0), (4, 8.0), (10, 20.0)] {
        assert!((found.at(n) - rate * kept).abs() < 1e-9, "{n}: {}", found.at(n));
    }
}

#[test]
fn tables_of_other_numbers_are_not_used() {
    let tables = written(&tables());
    for (old, new) in [
        ("ttft_p99_ms: 2000", "ttft_p99_ms: 1900"),
        ("output_mean: 220", "output_mean: 230"),
        ("burst_cv2: 4", "burst_cv2: 1"),
        ("    team: search\n", "    team: search\n    scaling: {routing: least-loaded}\n"),
        ("    team: search\n", "    team: search\n    scaling: {request_timeout_s: 90}\n"),
    ] {
        let loaded = load(&patched(&[("name: base\n", NAMED), (old, new)]), &tables);
        let (scenario, notes) = sound(loaded);
        assert!(service(&scenario, "chat").tables.is_empty(), "{new}");
        assert!(notes.iter().any(|d| d.code == "E1703" && d.message.contains("other numbers")), "{new}: {notes:?}");
    }
    // More demand is the same question.
    let (scenario, notes) = sound(load(&patched(&[("name: base\n", NAMED), ("mean_rps: 4", "mean_rps: 5")]), &tables));
    assert!(!service(&scenario, "chat").tables.is_empty() && notes.is_empty(), "{notes:?}");
    let none = CapacityFile::new("by hand", METHOD_VERSION, Vec::new());
    assert!(told(load(&patched(&[("name: base\n", NAMED)]), &written(&none)), "E1703").is_some_and(|d| d.message.contains("no table")));
}

#[test]
fn a_file_that_is_none_is_refused() {
    let named = patched(&[("name: base\n", NAMED)]);
    let good = written(&tables());
    let refused = |text: &str, code: &str| {
        let loaded = load(&named, text);
        assert!(loaded.is_err(), "{text}");
        assert!(told(loaded, code).is_some_and(|d| d.place.is_some()), "{code}: {text}");
    };
    refused(&good.replacen("\"rps_low\": 8.0", "\"rps_low\": 9.0", 1), "E1702");
    refused(&good.replacen("capacity/v1", "capacity/v2", 1), "E1701");
    refused("{", "E1701");
    refused("[]", "E1701");
    refused(&good.replacen("\"method\":", "\"methods\":", 1), "E1701");
    let mut file = tables();
    file.entries[0].points[1].rps_low = 3.0;
    refused(&written(&CapacityFile::new("by hand", METHOD_VERSION, file.entries)), "E1701");
    let gone = named.replacen("capacity.json", "gone.json", 1);
    assert!(told(load(&gone, &good), "E1001").is_some_and(|d| d.help.is_some_and(|help| help.contains("calibrate"))));
}

/// A scenario of the repository with tables for every service but the last: what the closed form says, times a factor.
fn calibrated(factor: f64) -> Scenario {
    let mut scenario = planned::load(&planned::folder("gcp-assist"));
    let services = scenario.workloads.iter().filter(|w| w.service().is_some()).count();
    let profiles = scenario.profiles.clone();
    for workload in scenario.workloads.iter_mut().filter(|w| w.service().is_some()).take(services - 1) {
        let WorkloadKind::Service(service) = &mut workload.kind else { panic!("a service") };
        let before = service.clone();
        for point in &profiles[&workload.profile].points {
            let Ok(form) = capacity::closed_form(&before, point) else { continue };
            service.tables.push(CapacityTable {
                accelerator: point.accelerator.clone(),
                gpus_per_replica: point.gpus_per_replica,
                precision: point.precision.clone(),
                slice: None,
                points: [1, 2, 3, 6].map(|n| (n, factor * form.rate(n))).into(),
            });
        }
    }
    scenario
}

#[test]
fn a_plan_says_where_its_rates_come_from_and_the_checker_holds_it_to_them() {
    let scenario = calibrated(0.9);
    let plan = planned::quick(&scenario, None);
    let services: Vec<_> = scenario.workloads.iter().filter_map(|w| w.service()).collect();
    let sources = plan.workloads.iter().filter_map(|w| w.service.as_ref()).map(|s| s.capacity_source.as_str());
    let wanted = services.iter().map(|s| if s.tables.is_empty() { "closed-form" } else { "calibrated" });
    assert_eq!(sources.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
    assert!(services.len() > 1, "one of each");
    assert!(check::plan(&scenario, &plan).is_empty());
    // The same plan against tables that say less: it was made of inflated ones.
    for changed in [calibrated(0.8), calibrated(1.0), planned::load(&planned::folder("gcp-assist"))] {
        let found = check::plan(&changed, &plan);
        assert!(found.iter().any(|f| f.family == Family::CapacityTable), "{found:?}");
    }
    assert!(check::plan(&calibrated(0.3), &plan).iter().any(|f| f.family == Family::DemandCover));
}

#[test]
fn nothing_attained_is_no_variant() {
    let scenario = calibrated(0.0);
    let Err(planner::PlanError::Infeasible(faults)) =
        planner::plan(&scenario, &Options { target: None, explain: false, ..Options::default() }, &|_| {})
    else {
        panic!("a service that attains nothing was planned")
    };
    assert!(faults.iter().any(|f| f.code == "E1601" && f.message.contains("calibration")), "{faults:?}");
}

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = gpuplan(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn calibrate_writes_what_the_scenario_reads_and_then_has_nothing_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::create_dir(dir.path().join("profiles")).unwrap();
    fs::write(path("profiles/own-job.yaml"), PROFILE).unwrap();
    // One accelerator and a Poisson stream: the least work.
    let text = patched(&[("burst_cv2: 4", "burst_cv2: 1"), ("    team: search\n", "    team: search\n    accelerators: [l40s]\n")]);
    fs::write(path("scenario.yaml"), &text).unwrap();
    let folder = dir.path().display().to_string();
    let (code, out, err) = run(&["calibrate", &folder]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("capacity_tables: capacity.json"), "the next step is named: {out}");
    let first = fs::read_to_string(path("capacity.json")).unwrap();
    fs::write(path("scenario.yaml"), text.replacen("name: base\n", NAMED, 1)).unwrap();
    assert_eq!(run(&["validate", &folder]).2, "", "sound, without remarks");
    let (code, out, _) = run(&["calibrate", &folder, "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["computed"]), (0, &serde_json::json!(0)), "{out}");
    assert_eq!(fs::read_to_string(path("capacity.json")).unwrap(), first, "the same bytes");
    fs::write(path("other.json"), "{\"mine\": 1}").unwrap();
    assert_eq!(run(&["calibrate", &folder, "--out", &path("other.json")]).0, 2, "another file is not written over");
    assert_eq!(fs::read_to_string(path("other.json")).unwrap(), "{\"mine\": 1}");
}

#[test]
fn the_example_needs_a_file_to_write_to() {
    let dir = tempfile::tempdir().unwrap();
    let output = gpuplan(&["calibrate"]).current_dir(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--out"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
