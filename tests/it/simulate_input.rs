//! Bad input to `simulate`: exit code 2, file and line, and nothing written. Odd input that is sound: the right answer.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::simulate::{answer, attained, by_hand, edited, listing, simulate, workload};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

const HEADER: &str = "t_s,input_tokens,output_tokens";

/// Requests every two seconds from a second on.
fn rows(text: &mut String, from_s: f64, count: u32) {
    for i in 0..count {
        writeln!(text, "{},800,200", from_s + 2.0 * f64::from(i)).unwrap();
    }
}

fn sound() -> String {
    let mut text = format!("{HEADER}\n");
    rows(&mut text, 0.0, 200);
    text
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Exit code 2, all of the words on standard error, nothing on standard output, and not a byte changed in `folder` or where it ran.
fn refused(plan_of: &Path, more: &[&str], words: &[&str]) {
    let here = tempfile::tempdir().unwrap();
    let before = listing(plan_of);
    let output = simulate(plan_of, more).current_dir(here.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty(), "{words:?}: {}", String::from_utf8_lossy(&output.stdout));
    for word in words {
        assert!(said.contains(word), "no `{word}`: {said}");
    }
    assert!(before == listing(plan_of), "{words:?}: the folder was changed");
    assert!(listing(here.path()).is_empty(), "{words:?}: something was written");
}

/// A trace of the assistant in a file of this name.
fn trace_refused(name: &str, bytes: &[u8], words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    refused(&by_hand().folder(), &["--trace", &format!("assistant={}", path.display())], words);
    assert_eq!(listing(folder.path()).len(), 1);
}

#[test]
fn traces_that_are_none_are_refused_with_their_line() {
    let cases: [(&str, &str, &[&str]); 9] = [
        ("order.csv", "5,1,1\n4,1,1\n", &["order.csv:3", "comes after", "sort the trace"]),
        ("negative.csv", "5,1,1\n6,-1,1\n", &["negative.csv:3", "`input_tokens` is `-1`"]),
        ("negative-out.csv", "5,1,1\n6,1,-2\n", &["negative-out.csv:3", "`output_tokens` is `-2`"]),
        ("before.csv", "-5,1,1\n", &["before.csv:2", "`t_s` is `-5`"]),
        ("nan.csv", "NaN,1,1\n", &["nan.csv:2", "`t_s` is `NaN`"]),
        ("infinite.csv", "1,inf,1\n", &["infinite.csv:2", "`input_tokens` is `inf`"]),
        ("word.csv", "1,many,1\n", &["word.csv:2", "many"]),
        ("ragged.csv", "1,1,1\n2,1\n", &["ragged.csv:3", "2 cells"]),
        ("no-rows.csv", "", &["no-rows.csv", "no rows"]),
    ];
    for (name, rows, words) in cases {
        trace_refused(name, format!("{HEADER}\n{rows}").as_bytes(), words);
    }
    trace_refused("empty.csv", b"", &["empty.csv", "is empty"]);
    trace_refused("bytes.csv", &[0xff, 0xfe, 0x00], &["bytes.csv"]);
}

#[test]
fn wrong_columns_are_named() {
    trace_refused("columns.csv", b"when,a,b\n1,2,3\n", &["columns.csv:1", "no column `t_s`"]);
    trace_refused("times.csv", b"t_s\n1\n2\n", &["times.csv", "`input_tokens`", "`output_tokens`", "`assistant`"]);
    trace_refused("half.csv", b"t_s,input_tokens\n1,3\n", &["half.csv", "`output_tokens`"]);
}

#[test]
fn damaged_gzip_is_refused() {
    let whole = gzip(&sound());
    trace_refused("truncated.csv.gz", &whole[..whole.len() / 2], &["truncated.csv.gz", "gzip is damaged"]);
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0xff;
    trace_refused("flipped.csv.gz", &flipped, &["flipped.csv.gz", "gzip is damaged"]);
    trace_refused("checksum.csv.gz", &[&whole[..whole.len() - 8], &[0; 8]].concat(), &["checksum.csv.gz", "gzip is damaged"]);
    trace_refused("text.csv.gz", b"this is no gzip", &["text.csv.gz"]);
}

#[test]
fn arguments_that_mean_nothing_are_refused() {
    let folder = by_hand().folder();
    let cases: [(&[&str], &str); 10] = [
        (&["--trace", "nobody=trace.csv"], "`nobody`"),
        (&["--trace", "embeddings=trace.csv"], "`embeddings`"),
        (&["--trace", "assistant=nowhere.csv"], "nowhere.csv"),
        (&["--trace", "assistant"], "NAME=FILE"),
        (&["--week", "2026-03-03"], "no Monday"),
        (&["--week", "soon"], "no date"),
        (&["--demand", "0"], "no factor"),
        (&["--burst", "NaN"], "no factor"),
        (&["--seeds", "0"], "0"),
        (&["--spot-trace", "pool=trace.csv"], "--spot-trace-one"),
    ];
    for (more, word) in cases {
        refused(&folder, more, &[word]);
    }
}

/// A trace replayed for the assistant.
fn traced(name: &str, bytes: &[u8]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let found = answer(simulate(&by_hand().folder(), &["--trace", &format!("assistant={}", path.display())]));
    assert_eq!(listing(folder.path()).len(), 1);
    found
}

#[test]
fn a_month_of_one_request_is_a_right_answer() {
    // On the thirtieth day, at noon.
    let at_s = 29 * 86_400 + 12 * 3600;
    let found = traced("one.csv", format!("{HEADER}\n{at_s},800,200\n").as_bytes());
    // Objectives hold; on traffic of its own that verifies no plan.
    assert_eq!(found["verdict"], "holds", "{:?}", found["reasons"]);
    assert_eq!(found["method"]["hours"], 29 * 24 + 13);
    let of = workload(&found, "assistant");
    assert!((of["arrived"].as_f64().unwrap() - 1.0).abs() < 1e-9, "{of}");
    assert!((attained(&found, "assistant") - 1.0).abs() < 1e-9);
    // Alone on a replica: a prefill and 200 passes of at least 20 ms, and no more than the objective's 40 ms.
    let whole_ms = of["latency_ms"]["p50"].as_f64().unwrap();
    assert!((200.0 * 20.0..200.0 * 40.0 + 600.0).contains(&whole_ms), "{whole_ms}");
}

#[test]
fn a_gap_in_a_trace_is_a_quiet_time() {
    let mut text = sound();
    rows(&mut text, 86_400.0, 200);
    let found = traced("gap.csv", text.as_bytes());
    assert_eq!(found["verdict"], "holds", "{:?}", found["reasons"]);
    assert!((workload(&found, "assistant")["arrived"].as_f64().unwrap() - 400.0).abs() < 1e-9);
    assert!((attained(&found, "assistant") - 1.0).abs() < 1e-9);
}

#[test]
fn a_compressed_trace_is_the_same_trace() {
    let strip = |mut found: serde_json::Value| {
        found["wall_seconds"] = serde_json::Value::Null;
        found
    };
    let plain = strip(traced("plain.csv", sound().as_bytes()));
    assert_eq!(plain, strip(traced("packed.csv.gz", &gzip(&sound()))));
    assert!((workload(&plain, "assistant")["arrived"].as_f64().unwrap() - 200.0).abs() < 1e-9);
    assert!((attained(&plain, "assistant") - 1.0).abs() < 1e-9);
}

#[test]
fn the_bill_of_a_trace_is_not_held_against_the_plan() {
    // Seven minutes at night, all met: the plan's bill is one of whole weeks.
    let found = traced("night.csv", sound().as_bytes());
    assert_eq!(found["verdict"], "holds", "{:?}", found["reasons"]);
}

#[test]
fn plans_and_inputs_of_another_kind_are_refused() {
    let swap = |file: &str, (from, to): (&str, &str), words: &[&str]| {
        let copy = edited(by_hand(), file, |text| text.replacen(from, to, 1));
        refused(copy.path(), &[], words);
    };
    swap("plan.json", ("gpuplan/plan/v1", "gpuplan/plan/v9"), &["plan.json", "`gpuplan/plan/v9`"]);
    swap("plan.json", ("\"name\"", "\"nom\""), &["plan.json`:", "nom"]);
    swap("replay.json", ("gpuplan/replay/v1", "gpuplan/replay/v9"), &["replay.json", "`gpuplan/replay/v9`"]);
    swap("replay.json", ("\"scenario_sha256\":\"", "\"scenario_sha256\":\"0"), &["replay.json", "another scenario"]);
    let cut = edited(by_hand(), "replay.json", |text| text[..text.len() / 2].to_owned());
    refused(cut.path(), &[], &["replay.json", "line 1"]);
    for (file, help) in [("replay.json", "gpuplan optimize"), ("plan.json", "plan.json")] {
        let copy = edited(by_hand(), "report.md", |text| format!("{text}\n"));
        fs::remove_file(copy.path().join(file)).unwrap();
        refused(copy.path(), &[], &[file, help]);
    }
}

#[test]
fn folders_that_are_none_are_refused() {
    let plan = by_hand().folder();
    let empty = tempfile::tempdir().unwrap();
    let from = |dir: &Path| dir.to_str().unwrap().to_owned();
    refused(&plan, &["--from", &from(&empty.path().join("nowhere"))], &["nowhere", "no folder"]);
    refused(&plan, &["--from", &from(empty.path())], &["no output folder"]);
    refused(&plan, &["--from", &from(&plan.join("plan.json"))], &["plan.json", "no folder"]);
    assert!(listing(empty.path()).is_empty());
    let copy = edited(by_hand(), "report.md", |text| format!("{text}\n"));
    fs::remove_file(copy.path().join("kubernetes/kustomization.yaml")).unwrap();
    refused(&plan, &["--from", &from(copy.path())], &["kustomization.yaml"]);
}

#[test]
fn broken_yaml_is_refused_with_file_and_line() {
    let file = "kubernetes/keda/assistant-floor.yaml";
    let cases: [((&str, &str), &[&str]); 4] = [
        (("spec:", "spec: ["), &["assistant-floor.yaml:", "no YAML"]),
        (("Etc/UTC", "Mars/Olympus"), &["assistant-floor.yaml:", "`Mars/Olympus`"]),
        (("47 8 * * *", "99 8 * * *"), &["assistant-floor.yaml:49", "`99` is no minute"]),
        (("name: assistant\n", "name: nobody\n"), &["assistant-floor.yaml", "`help-desk/nobody`"]),
    ];
    for ((from, to), words) in cases {
        let copy = edited(by_hand(), file, |text| {
            let at = text.rfind("scaleTargetRef").filter(|_| from.starts_with("name")).unwrap_or(0);
            format!("{}{}", &text[..at], text[at..].replacen(from, to, 1))
        });
        let before = listing(copy.path());
        refused(&by_hand().folder(), &["--from", copy.path().to_str().unwrap()], words);
        assert!(before == listing(copy.path()));
    }
}
