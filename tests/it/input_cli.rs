//! `init`, `validate`, `schema` and `prices` as their users meet them: what is printed where, and the exit codes.

use crate::input::{BASE, PROFILE};
use crate::repository::gpuplan;
use std::fs;
use std::path::Path;

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = gpuplan(arguments).output().unwrap_or_else(|e| panic!("gpuplan did not start: {e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"))
}

/// A folder with the base scenario, patched.
fn scenario(old: &str, new: &str) -> tempfile::TempDir {
    let dir = folder();
    let write = |path: &str, text: &str| fs::write(dir.path().join(path), text).unwrap_or_else(|e| panic!("{path}: {e}"));
    fs::create_dir(dir.path().join("profiles")).unwrap_or_else(|e| panic!("profiles: {e}"));
    write("profiles/own-job.yaml", PROFILE);
    write("scenario.yaml", &BASE.replacen(old, new, 1));
    dir
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn init_writes_a_sound_scenario_and_never_over_one() {
    let dir = folder();
    let inside = shown(&dir.path().join("new"));
    let (code, out, _) = run(&["init", &inside]);
    assert_eq!(code, 0);
    assert!(out.contains("gpuplan validate"), "the next step is named: {out}");
    let (code, out, err) = run(&["validate", &inside]);
    assert_eq!((code, err.as_str()), (0, ""), "what init writes is sound, without remarks");
    assert!(out.contains("sound"), "{out}");
    let file = dir.path().join("new/scenario.yaml");
    fs::write(&file, "mine").unwrap_or_else(|e| panic!("{e}"));
    let (code, _, err) = run(&["init", &inside]);
    assert_eq!((code, fs::read_to_string(&file).ok().as_deref()), (2, Some("mine")), "{err}");
    assert!(err.contains("--force"), "{err}");
    assert_eq!(run(&["init", "--force", &inside]).0, 0);
    assert!(fs::read_to_string(&file).is_ok_and(|text| text.starts_with("# A scenario for gpuplan")));
}

#[test]
fn the_optional_keys_that_init_shows_are_keys() {
    // Every commented key, switched on: the scenario must still be of the right structure.
    let template = include_str!("../../src/cli/init.yaml");
    let mut on: Vec<String> = Vec::new();
    for line in template.lines().skip(8) {
        let body = line.trim_start();
        let indent = &line[..line.len() - body.len()];
        let live = body.strip_prefix("# ").filter(|rest| rest.trim_start().starts_with("- ") || rest.contains(": ") || rest.ends_with(':'));
        on.push(live.map_or_else(|| line.to_owned(), |rest| format!("{indent}{rest}")));
    }
    let exclusive = ["series: {file", "trace: {file", "like: {file"];
    on.retain(|line| !exclusive.iter().any(|key| line.contains(key)));
    let dir = folder();
    fs::write(dir.path().join("scenario.yaml"), on.join("\n")).unwrap_or_else(|e| panic!("{e}"));
    let (_, _, err) = run(&["validate", &shown(dir.path())]);
    for code in ["E1003", "E1005", "E1006", "E1007", "E1008", "E1009"] {
        assert!(!err.contains(code), "{err}\n{}", on.join("\n"));
    }
}

#[test]
fn validate_shows_the_place_and_exits_with_2() {
    let dir = scenario("America/New_York", "America/New_Yrok");
    let file = shown(&dir.path().join("scenario.yaml"));
    let (code, out, err) = run(&["validate", &file]);
    assert_eq!((code, out.as_str()), (2, ""));
    let expected = format!(
        "error[E1110]: unknown time zone `America/New_Yrok`\n --> {file}:3:12\n  |\n3 | time_zone: America/New_Yrok\n  |            ^^^^^^^^^^^^^^^^\n  |\n  = help: did you mean `America/New_York`?\n"
    );
    assert!(err.starts_with(&expected), "{err}\n{expected}");
    assert!(err.trim_end().ends_with("not sound: 1 error"), "{err}");
    assert!(!err.contains('\u{1b}'), "no colour when it is not a terminal");
}

#[test]
fn validate_tells_programs_the_same() {
    let dir = scenario("America/New_York", "America/New_Yrok");
    let (code, out, err) = run(&["validate", "--format", "json", &shown(dir.path())]);
    assert_eq!((code, err.as_str()), (2, ""));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    assert_eq!(report["format"], "gpuplan/diagnostics/v1");
    assert_eq!(report["sound"], false);
    let first = &report["diagnostics"][0];
    assert_eq!((&first["code"], &first["line"], &first["column"]), (&"E1110".into(), &3.into(), &12.into()));
    let dir = scenario("team: search", "team: find");
    let (code, out, _) = run(&["validate", "--format", "json", &shown(dir.path())]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    assert_eq!((code, report["sound"].as_bool(), report["scenario_sha256"].as_str().map(str::len)), (0, Some(true), Some(64)));
}

#[test]
fn a_missing_scenario_says_how_to_get_one() {
    let dir = folder();
    let (code, _, err) = run(&["validate", &shown(&dir.path().join("none.yaml"))]);
    assert_eq!(code, 2);
    assert!(err.contains("E1001") && err.contains("gpuplan init"), "{err}");
}

#[test]
fn schemas_name_what_is_required() {
    for (which, required) in [("scenario", "workloads"), ("profile", "cold_start"), ("plan", "optimality")] {
        let (code, out, _) = run(&["schema", which]);
        let schema: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
        assert_eq!(code, 0);
        assert!(schema["required"].as_array().is_some_and(|keys| keys.contains(&required.into())), "{which}: {}", schema["required"]);
        assert_eq!(schema["additionalProperties"], false);
    }
}

#[test]
fn prices_are_filtered_and_carry_day_and_source() {
    let (code, out, _) = run(&["prices", "list", "--gpu", "l4", "--region", "us-east-1", "--capacity-type", "spot", "--format", "csv"]);
    assert_eq!(code, 0);
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let rows: Vec<std::collections::BTreeMap<String, String>> = reader.deserialize().map(|r| r.unwrap_or_else(|e| panic!("{e}"))).collect();
    assert!(rows.len() > 2);
    for row in &rows {
        assert_eq!((row["accelerator"].as_str(), row["region"].as_str(), row["capacity_type"].as_str()), ("l4", "us-east-1", "spot"));
        assert!(!row["source"].is_empty() && row["as_of"].len() == 10, "{row:?}");
        assert!(row["usd_per_hour"].parse::<f64>().is_ok_and(|usd| usd > 0.0));
    }
    let per_gpu: Vec<f64> = rows.iter().filter_map(|row| row["usd_per_gpu_hour"].parse().ok()).collect();
    assert!(per_gpu.is_sorted(), "cheapest first: {per_gpu:?}");
    let (_, out, _) = run(&["prices", "--gpu", "a100", "--max-price", "5", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    let prices = document["prices"].as_array().cloned().unwrap_or_default();
    assert!(!prices.is_empty());
    assert!(prices.iter().all(|p| p["usd_per_hour"].as_f64().is_some_and(|usd| usd <= 5.0)));
    assert!(prices.iter().all(|p| p["accelerator"].as_str().is_some_and(|gpu| gpu.starts_with("a100-"))));
}

#[test]
fn the_table_of_prices_says_how_old_and_from_where() {
    let (code, out, _) = run(&["prices", "--gpu", "l40s", "--region", "us-east-1"]);
    assert_eq!(code, 0);
    assert!(out.contains("g6e.xlarge") && out.contains("days ago"), "{out}");
    assert!(out.contains("[1] ") && out.contains("no quote"), "{out}");
    let (code, _, err) = run(&["prices", "--gpu", "l40"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean `l40s`?"), "{err}");
}
