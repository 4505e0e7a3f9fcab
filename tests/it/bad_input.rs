//! Bad input to `optimize`: exit code 2, a reason on standard error, and not a byte written.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::planned;
use crate::repository::gpuplan;
use gpuplan::cli::write::write_all;
use gpuplan::emit::Artifact;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Output;

/// A way to spoil the scenario, and a word of the reason.
type Spoiled = (&'static str, fn(&mut Value));

const SPOILED: &[Spoiled] = &[
    ("frobnicate", |s| s["frobnicate"] = json!(1)),
    ("assistant", |s| s["workloads"][0]["slo"]["tpot_ms"] = json!(0.001)),
    ("E1", |s| s["workloads"][0]["slo"]["attainment"] = json!(1.5)),
    ("E1", |s| s["baseline"]["node_groups"][0]["nodes"] = json!(-3)),
    ("no-such-machine", |s| s["baseline"]["node_groups"][0]["instance_type"] = json!("no-such-machine")),
    ("no-such-profile", |s| s["workloads"][0]["profile"] = json!("no-such-profile")),
    ("atlantis-1", |s| s["regions"] = json!(["atlantis-1"])),
    ("nobody", |s| s["freeze"] = json!(["nobody"])),
    ("v9", |s| s["format"] = json!("gpuplan/scenario/v9")),
    ("assistant", |s| s["workloads"][1]["name"] = json!("assistant")),
    ("missing.csv", |s| s["workloads"][0]["demand"] = json!({"series": {"file": "missing.csv"}})),
    ("deadline", |s| s["workloads"][1]["work"]["daily"] = json!({"release": "22:00", "deadline": "25:00"})),
    ("embeddings", |s| s["workloads"][1]["work"]["units_per_run"] = json!(1e12)),
    // Sound, and nothing fits: found before and by the solver.
    ("quota", |s| s["quotas"][0]["limit"] = json!(4)),
];

fn optimize(scenario: &Path, out: &Path) -> Output {
    let arguments = ["optimize", scenario.to_str().unwrap(), "--quick", "--out", out.to_str().unwrap()];
    gpuplan(&arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn refused(output: &Output, word: &str) {
    assert_eq!(output.status.code(), Some(2), "{word}: {}", said(output));
    assert!(output.stdout.is_empty(), "{word}: {}", String::from_utf8_lossy(&output.stdout));
    assert!(said(output).to_lowercase().contains(&word.to_lowercase()), "no word of `{word}`: {}", said(output));
    assert!(said(output).contains("nothing was written"), "{word}: {}", said(output));
}

#[test]
fn nothing_is_written_where_nothing_was() {
    for (word, spoil) in SPOILED {
        let mut document = planned::document("two-by-hand");
        spoil(&mut document);
        let root = planned::rewritten("two-by-hand", &document);
        let out = root.path().join("below/out");
        refused(&optimize(root.path(), &out), word);
        assert!(!root.path().join("below").exists(), "{word}");
    }
}

#[test]
fn what_was_written_before_stays() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    let old = Artifact { path: "plan.json".to_owned(), contents: "an earlier plan\n".to_owned() };
    write_all(&out, std::slice::from_ref(&old)).unwrap();
    let (word, spoil) = SPOILED[0];
    let mut document = planned::document("two-by-hand");
    spoil(&mut document);
    let scenario = planned::rewritten("two-by-hand", &document);
    refused(&optimize(scenario.path(), &out), word);
    let mut left: Vec<String> = fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, [".gpuplan", "plan.json"]);
    assert_eq!(fs::read_to_string(out.join("plan.json")).unwrap(), old.contents);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "no folder is left beside it");
}

#[test]
fn files_that_are_none_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    refused(&optimize(&root.path().join("nowhere.yaml"), &out), "nowhere.yaml");
    for (name, contents) in
        [("empty", &b""[..]), ("list", b"[1, 2]"), ("open", b"name: [a"), ("bytes", &[0xff, 0xfe, 0x00]), ("twice", b"name: a\nname: b\n")]
    {
        let file = root.path().join(format!("{name}.yaml"));
        fs::write(&file, contents).unwrap();
        refused(&optimize(&file, &out), "error");
    }
    assert!(!out.exists());
}

#[test]
fn a_folder_of_somebody_elses_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis.txt"), "mine").unwrap();
    let output = optimize(&planned::folder("two-by-hand"), root.path());
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("thesis.txt") && output.stdout.is_empty(), "{}", said(&output));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}
