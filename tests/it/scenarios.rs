//! What holds of every scenario of the repository: found by itself, a new folder is tested as well.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::corruptions::{CORRUPTIONS, REMOTE};
use crate::emit_tools::{run, succeeded};
use crate::planned::{self, all, assert_same, files};
use crate::sharing_corruptions::SHARING;
use gpuplan::check;
use gpuplan::emit;
use gpuplan::plan::{Plan, WorkloadPlan};
use gpuplan::units::Usd;
use serde_json::Value;
use std::process::Command;

/// Largest distance of plan and bound that is good enough to be handed out here.
const GAP_MAX: f64 = 0.01;

/// Corruptions that a plan with services, jobs, spot, windows and a commitment offers at the least.
const APPLICABLE_MIN: usize = 30;

#[test]
fn every_scenario_is_planned_cleanly_and_nearly_at_its_bound() {
    for of in all() {
        let findings = check::plan(&of.scenario, &of.plan);
        assert!(findings.is_empty(), "{}: {findings:?}", of.name);
        let proof = &of.plan.optimality;
        assert!(proof.gap <= GAP_MAX, "{}: gap {}", of.name, proof.gap);
        // Every pool is rounded to the nano-dollar, the objective once.
        let cost = of.plan.cost.usd_per_month + Usd::from_nanos(1000);
        assert!(proof.bound_usd_per_month <= proof.usd_per_month && proof.usd_per_month <= cost, "{}", of.name);
        assert!(of.plan.cost.usd_per_month <= of.plan.baseline.usd_per_month, "{}: dearer than today", of.name);
        assert!(of.plan.target.as_ref().unwrap().met, "{}: misses its target", of.name);
        assert!(emit::artifacts(&of.plan).len() > 5, "{}", of.name);
    }
}

#[test]
fn every_corruption_of_a_real_plan_is_found() {
    let mut missed = String::new();
    for of in all() {
        let mut applicable = 0;
        for corruption in CORRUPTIONS.iter().chain(REMOTE).chain(SHARING) {
            let mut plan = of.plan.clone();
            if !(corruption.apply)(&mut plan) || plan == of.plan {
                continue;
            }
            applicable += 1;
            let findings = check::plan(&of.scenario, &plan);
            if !findings.iter().any(|f| f.family == corruption.family) {
                let found: Vec<String> = findings.iter().take(3).map(ToString::to_string).collect();
                missed.push_str(&format!(
                    "{}: `{}` is not found by {}, but by {found:?}\n",
                    of.name,
                    corruption.name,
                    corruption.family.as_str()
                ));
            }
        }
        assert!(of.name != "fleet-50k" || applicable >= APPLICABLE_MIN, "{}: {applicable} corruptions apply", of.name);
    }
    assert!(missed.is_empty(), "{missed}");
}

#[test]
fn a_second_plan_is_the_same_to_the_byte() {
    for of in all() {
        let again = planned::quick(&of.scenario, planned::goal(&of.scenario));
        assert_same(&files(&again), &files(&of.plan), &of.name);
    }
}

/// Lists whose order means nothing, in reverse and then turned by one.
fn shuffle(document: &mut Value) {
    for path in ["/workloads", "/quotas", "/baseline/node_groups", "/baseline/commitments"] {
        if let Some(list) = document.pointer_mut(path).and_then(Value::as_array_mut) {
            list.reverse();
            let turned = list.len().min(1);
            list.rotate_left(turned);
        }
    }
    for workload in document["workloads"].as_array_mut().unwrap() {
        if let Some(list) = workload.get_mut("accelerators").and_then(Value::as_array_mut) {
            list.reverse();
        }
    }
}

#[test]
fn the_order_of_a_scenario_changes_nothing() {
    for of in all() {
        let mut document = planned::document(&of.name);
        shuffle(&mut document);
        assert_ne!(document, planned::document(&of.name));
        let root = planned::rewritten(&of.name, &document);
        let scenario = planned::load(root.path());
        assert!(scenario == of.scenario, "{}: another scenario", of.name);
        let plan = planned::quick(&scenario, planned::goal(&scenario));
        assert_same(&files(&plan), &files(&of.plan), &of.name);
    }
}

#[test]
fn a_plan_file_reads_back_as_the_plan() {
    for of in all() {
        let text = emit::plan_json(&of.plan).unwrap();
        let read: Plan = serde_json::from_str(&text).unwrap();
        assert!(read == of.plan, "{}: another plan after a round trip", of.name);
        assert_eq!(emit::plan_json(&read).unwrap(), text, "{}", of.name);
    }
}

#[test]
fn terraform_plans_every_output() {
    for of in all() {
        let root = planned::written(&of.plan);
        for cluster in emit::roots(&of.plan) {
            let dir = root.path().join(format!("out/{cluster}terraform"));
            let Some(init) = run("terraform", &["init", "-no-color", "-input=false"], &dir) else { return };
            succeeded(&init);
            succeeded(&run("terraform", &["validate", "-no-color"], &dir).unwrap());
            let said = succeeded(&run("terraform", &["plan", "-no-color", "-input=false"], &dir).unwrap());
            assert!(said.contains(" to add, 0 to change, 0 to destroy"), "{}: {said}", of.name);
        }
    }
}

#[test]
fn kustomize_builds_every_output() {
    for of in all() {
        let root = planned::written(&of.plan);
        let mut built = String::new();
        for cluster in emit::roots(&of.plan) {
            let Some(output) = run("kubectl", &["kustomize", &format!("out/{cluster}kubernetes")], root.path()) else { return };
            built.push_str(&succeeded(&output));
        }
        // A model of a server has no object of its own; a Deployment of the user's is patched by a component; what scales it, and all else, is in the base.
        let own = |w: &WorkloadPlan| (w.kubernetes.scale_target.is_some() && w.mode == "static") || w.mode == "bundled";
        for workload in of.plan.workloads.iter().filter(|w| !own(w)) {
            assert!(built.contains(&format!("name: {}", workload.name)), "{}: nothing of `{}`", of.name, workload.name);
        }
    }
}

/// `GPUPLAN_CONTRACTS` names a program that takes a folder and exits with 0 when every manifest keeps its contract.
#[test]
fn every_manifest_keeps_its_contract() {
    let Some(checker) = std::env::var_os("GPUPLAN_CONTRACTS") else { return };
    for of in all() {
        let root = planned::written(&of.plan);
        let output = Command::new(&checker).arg(root.path()).output().unwrap();
        let said = succeeded(&output);
        assert!(said.contains(" 0 faults") && !said.contains("no contract here"), "{}: {said}", of.name);
    }
}
