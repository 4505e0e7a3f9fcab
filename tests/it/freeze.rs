//! Workloads that stay as they are: `freeze` and `max_changes`.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::planned::{self, all, names};
use gpuplan::domain::{Scenario, SharePolicy, Target};
use gpuplan::emit;
use gpuplan::ids::WorkloadId;
use gpuplan::plan::Plan;

fn unchanged(plan: &Plan) -> usize {
    plan.workloads.iter().filter(|w| w.change.unchanged).count()
}

fn frozen(name: &str, keep: impl Fn(&WorkloadId) -> bool) -> Scenario {
    let mut scenario = planned::load(&planned::folder(name));
    scenario.freeze = scenario.workloads.iter().map(|w| w.id.clone()).filter(|id| keep(id)).collect();
    // A commitment may be bought for what stays as it is.
    scenario.buying.products.clear();
    scenario
}

#[test]
fn with_everything_frozen_the_bill_is_todays() {
    for name in names() {
        let scenario = frozen(&name, |_| true);
        let plan = planned::quick(&scenario, None);
        let off = (plan.cost.usd_per_month - plan.baseline.usd_per_month).as_f64();
        assert!(off.abs() < 0.01, "{name}: {} instead of {}", plan.cost.usd_per_month, plan.baseline.usd_per_month);
        assert_eq!(unchanged(&plan), plan.workloads.len(), "{name}");
        assert!(plan.windows.is_empty() && plan.workloads.iter().all(|w| w.mode == "frozen"), "{name}");
        for workload in &plan.workloads {
            let off = (workload.usd_per_month - workload.baseline_usd_per_month).as_f64();
            // What a commitment pays for is shared by all of a pool, and today by its first group.
            let committed = !plan.cost.commitments.is_empty();
            assert!(committed || off.abs() < 0.01, "{name}: {} costs {}", workload.name, workload.usd_per_month);
        }
    }
}

#[test]
fn what_is_frozen_is_paid_for_and_not_touched() {
    // Today on spot, on several nodes' GPUs, behind an HPA, and alone on its machine.
    let kept = ["embed-reviews", "vision-experiments", "assistant-8b", "chat-70b"];
    let scenario = frozen("fleet-50k", |id| kept.contains(&id.as_str()));
    let plan = planned::quick(&scenario, Some(Target::Saving(0.05)));
    assert!(plan.target.as_ref().unwrap().met && plan.saving > 0.05);
    for name in kept {
        let workload = plan.workloads.iter().find(|w| w.name == name).unwrap();
        assert_eq!(workload.mode, "frozen", "{name}");
        assert!(workload.usd_per_month.as_f64() > 100.0, "{name} costs {}", workload.usd_per_month);
        assert!(plan.pools.iter().any(|p| p.workloads.contains(&workload.name)), "{name} is in no pool");
    }
    let only_frozen: Vec<&str> = plan
        .pools
        .iter()
        .filter(|p| !p.workloads.is_empty() && p.workloads.iter().all(|w| kept.contains(&w.as_str())))
        .map(|p| p.name.as_str())
        .collect();
    assert!(only_frozen.len() >= 3, "{only_frozen:?}");
    for artifact in emit::artifacts(&plan).iter().filter(|a| a.path.starts_with("kubernetes/")) {
        for name in kept.iter().chain(&only_frozen) {
            let names_it = artifact.path.contains(&format!("/{name}.")) || artifact.path.contains(&format!("/{name}-"));
            assert!(!names_it && !artifact.contents.contains(&format!("name: {name}")), "{}: touches {name}", artifact.path);
        }
    }
    let values = emit::artifacts(&plan).into_iter().find(|a| a.path.ends_with("tfvars.json")).unwrap().contents;
    let values: serde_json::Value = serde_json::from_str(&values).unwrap();
    for name in only_frozen {
        assert!(values["node_pools"].get(name).is_none(), "Terraform declares {name}");
    }
    for name in kept {
        assert_eq!(values["workloads"][name]["mode"], "frozen");
        assert!(values["workloads"][name]["floor_pool"].is_null() && values["workloads"][name]["flex_pool"].is_null());
    }
    // The least that a pool keeps up is what the files manage, not what stays elsewhere.
    let shared = plan.pools.iter().find(|p| p.name == "g6e-xlarge-od").unwrap();
    let least = shared.nodes_by_hour.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(f64::from(shared.min_nodes) <= least - 3.8 + 1e-6, "{} of {least}", shared.min_nodes);
}

#[test]
fn tenants_of_one_group_freeze_apart_and_together() {
    // Three machines of four GPUs, two workloads of four, four GPUs idle.
    let both = ["intent-finetune", "vision-experiments"];
    for kept in [&both[..], &both[..1], &both[1..]] {
        let mut scenario = frozen("fleet-50k", |id| kept.contains(&id.as_str()));
        scenario.fleet.node_groups.retain(|g| g.id.as_str() != "finetune");
        let group = scenario.fleet.node_groups.iter_mut().find(|g| g.id.as_str() == "research").unwrap();
        (group.nodes, group.max_nodes) = (3.0, 3);
        let id = group.id.clone();
        for workload in scenario.workloads.iter_mut().filter(|w| both.contains(&w.id.as_str())) {
            workload.placement.as_mut().unwrap().node_group = id.clone();
        }
        let plan = planned::quick(&scenario, None);
        let today = plan.baseline.node_groups.iter().find(|g| g.name == "research").unwrap().usd_per_month;
        let pool = plan.pools.iter().find(|p| p.instance_type == "g4dn.12xlarge").unwrap();
        // The first by name holds what nobody uses.
        let nodes = if kept.len() == 2 {
            3.0
        } else if kept[0] == both[0] {
            2.0
        } else {
            1.0
        };
        assert!((pool.usd_per_month - today.scaled(nodes / 3.0)).as_f64().abs() < 0.01, "{kept:?}: {}", pool.usd_per_month);
        assert_eq!(pool.min_nodes, 0, "{kept:?}: nothing of it is managed");
    }
}

#[test]
fn a_frozen_output_still_builds() {
    let scenario = frozen("fleet-50k", |_| true);
    let plan = planned::quick(&scenario, None);
    let root = planned::written(&plan);
    let dir = root.path().join("out/terraform");
    let Some(init) = crate::emit_tools::run("terraform", &["init", "-no-color", "-input=false"], &dir) else { return };
    crate::emit_tools::succeeded(&init);
    crate::emit_tools::succeeded(&crate::emit_tools::run("terraform", &["plan", "-no-color", "-input=false"], &dir).unwrap());
}

#[test]
fn no_more_workloads_change_than_may() {
    let mut costs = Vec::new();
    for of in all() {
        for most in [0, 1, 2] {
            let mut scenario = of.scenario.clone();
            scenario.max_changes = Some(most);
            scenario.target = None;
            // A commitment may be bought for what stays.
            scenario.buying.products.clear();
            let plan = planned::quick(&scenario, None);
            let changed = plan.workloads.len() - unchanged(&plan);
            assert!(changed <= most as usize, "{}: {changed} workloads change, {most} may", of.name);
            if most == 0 {
                let off = (plan.cost.usd_per_month - plan.baseline.usd_per_month).as_f64();
                assert!(off.abs() < 0.01, "{}: {} instead of {}", of.name, plan.cost.usd_per_month, plan.baseline.usd_per_month);
            }
            // One service that shares has nobody to share with.
            if of.scenario.workloads.iter().all(|w| w.share == SharePolicy::NEVER) {
                assert_eq!(changed, most as usize, "{}: a change pays", of.name);
                costs.push((of.name.clone(), most, plan.cost.usd_per_month));
            }
        }
    }
    for pair in costs.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert!(pair[1].2 < pair[0].2, "{}: {} changes cost no less than {}", pair[0].0, pair[1].1, pair[0].1);
    }
}
