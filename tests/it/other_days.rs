//! `--plan-on` and `--replay-on`: a plan is tried on days that it was not made from.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::planned;
use crate::repository::gpuplan;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::Output;

/// The scenario by hand with a series of a week, whose days 5 to 7 are `later` times the others.
fn tried(later: f64, days: [&str; 2]) -> (Output, Value) {
    let mut document = planned::document("two-by-hand");
    let demand = document["workloads"][0]["demand"].as_object_mut().unwrap();
    demand.remove("shape").unwrap();
    demand.insert("series".to_owned(), json!({"file": "week.csv"}));
    let scenario = planned::rewritten("two-by-hand", &document);
    let mut csv = String::from("t_s,rate_rps\n");
    for hour in 0..168 {
        let rate = if (9..17).contains(&(hour % 24)) { 5.0 } else { 0.5 };
        let rate = if hour < 96 { rate } else { rate * later };
        writeln!(csv, "{},{rate}", hour * 3600).unwrap();
    }
    std::fs::write(scenario.path().join("week.csv"), csv).unwrap();
    let out = scenario.path().join("out");
    let [planned_on, replayed_on] = days;
    let output = gpuplan(&["optimize", scenario.path().to_str().unwrap(), "--target", "-40%", "--quick", "--verify", "--seeds", "4"])
        .args(["--plan-on", planned_on, "--replay-on", replayed_on, "--format", "json", "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    let plan = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, plan)
}

#[test]
fn days_that_are_alike_hold() {
    let (output, plan) = tried(1.0, ["1-4", "5-7"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(plan["verification"]["status"], "VERIFIED");
}

#[test]
fn busier_days_are_missed_and_nothing_is_learned_from_them() {
    let (_, alike) = tried(1.0, ["1-4", "5-7"]);
    let (_, busier) = tried(2.0, ["1-4", "5-7"]);
    assert_eq!(busier["verification"]["status"], "UNVERIFIED");
    assert!(busier["verification"]["reason"].as_str().unwrap().contains("assistant"), "{}", busier["verification"]);
    assert_eq!(busier["cost"], alike["cost"], "the plan is that of the first days");
    // Planned on the busy days the same traffic holds.
    let (_, seen) = tried(2.0, ["5-7", "5-7"]);
    assert_eq!(seen["verification"]["status"], "VERIFIED", "{}", seen["verification"]);
}

#[test]
fn days_that_are_not_there_are_named() {
    let (output, _) = tried(1.0, ["1-4", "8-10"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("week.csv") && said.contains("7 days"), "{said}");
}
