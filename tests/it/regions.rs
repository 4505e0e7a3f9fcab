//! Placement over regions and clouds: the scenario that is solved on paper, its variations with a known optimum, and its files.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::check::{edits, leaves};
use crate::corruptions::REMOTE;
use crate::planned;
use crate::repository;
use gpuplan::check::{self, Family};
use gpuplan::emit::{self, parse};
use gpuplan::formulation::Freedom;
use gpuplan::input;
use gpuplan::plan::from_solution::replay as inputs;
use gpuplan::plan::{Plan, WorkloadNetwork, WorkloadPlan};
use gpuplan::planner;
use gpuplan::simulate::replay::{self, Seeds};
use gpuplan::simulate::run::Options;
use gpuplan::simulate::{of_files, today};
use gpuplan::study;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

const SCENARIO: &str = "two-regions";
const VIRGINIA: &str = "aws-us-east-1";
const NETHERLANDS: &str = "gcp-europe-west4";

fn near(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() < 2e-3, "{what}: {found}, by hand {wanted}");
}

fn plan() -> Plan {
    planned::quick(&planned::load(&planned::folder(SCENARIO)), None)
}

fn workload<'a>(plan: &'a Plan, name: &str) -> &'a WorkloadPlan {
    plan.workloads.iter().find(|w| w.name == name).unwrap()
}

fn network<'a>(plan: &'a Plan, name: &str) -> &'a WorkloadNetwork {
    workload(plan, name).network.as_ref().unwrap()
}

/// The scenario with one workload only, changed.
fn alone(name: &str, change: impl Fn(&mut Value)) -> Plan {
    let root = planned::rewritten(SCENARIO, &only(name, change));
    planned::quick(&planned::load(root.path()), None)
}

fn only(name: &str, change: impl Fn(&mut Value)) -> Value {
    let mut document = planned::document(SCENARIO);
    let list = document["workloads"].as_array_mut().unwrap();
    list.retain(|w| w["name"] == name);
    change(&mut list[0]);
    document
}

#[test]
fn money_is_that_of_the_readme() {
    let plan = plan();
    for (name, wanted) in [("ranker", 587.504), ("moderation", 553.757), ("voice", 722.842), ("embeddings", 156.029)] {
        near(workload(&plan, name).usd_per_month.as_f64(), wanted, name);
    }
    near(plan.cost.usd_per_month.as_f64(), 2_020.132, "plan");
    near(plan.cost.egress_usd_per_month.unwrap().as_f64(), (2.630_127 + 31.146_240) * 730.0 / 168.0, "traffic");
    near(plan.cost.start_up_bytes_usd_per_month.unwrap().as_f64(), 4.0005 * 730.0 / 168.0, "bytes of starts");
    near(plan.baseline.usd_per_month.as_f64(), 4_287.320, "today");
    near(plan.baseline.egress_usd_per_month.unwrap().as_f64(), 40.005_615 * 730.0 / 168.0, "today's traffic");
    near(plan.baseline.start_up_bytes_usd_per_month.unwrap().as_f64(), 0.2205 * 730.0 / 168.0, "today's bytes");
    assert_eq!(plan.optimality.outcome, "optimal");
    let readme = repository::text(Path::new("scenarios/two-regions/README.md")).unwrap();
    let answer = format!("a saving of {:.2}%.**", plan.saving * 100.0);
    assert!(readme.contains("**Answer: $2,020.13 a month instead of $4,287.32, ") && readme.contains(&answer), "{answer}");
}

#[test]
fn places_are_those_of_the_readme() {
    let plan = plan();
    for (name, cluster, added) in
        [("ranker", VIRGINIA, 0.0), ("moderation", NETHERLANDS, 90.0), ("voice", VIRGINIA, 8.0), ("embeddings", NETHERLANDS, 0.0)]
    {
        assert_eq!(network(&plan, name).cluster, cluster, "{name}");
        near(network(&plan, name).added_ms, added, name);
    }
    assert!(workload(&plan, "voice").why.iter().any(|line| line.contains("8 ms from its farthest clients")));
}

#[test]
fn a_cheaper_gpu_does_not_pay_for_its_traffic_and_does_without() {
    let stays = alone("ranker", |_| {});
    assert_eq!(network(&stays, "ranker").cluster, VIRGINIA);
    near(stays.cost.usd_per_month.as_f64(), 587.504, "stays");
    // A hundredth of the traffic: 124.809888 + (389.328003 + 13.842773) / 100 a week, below 135.2064.
    let moves = alone("ranker", |w| w["bytes"] = json!({"request_kib": 1.5, "response_kib": 0.04}));
    assert_eq!(network(&moves, "ranker").cluster, NETHERLANDS);
    near(moves.cost.usd_per_month.as_f64(), (124.809_888 + 4.031_708) * 730.0 / 168.0, "moves");
}

#[test]
fn traffic_alone_draws_a_service_to_its_clients() {
    // The dearer region of the two, by traffic: all clients in Virginia, and the service runs in Europe's cheaper one only without them.
    let beside = alone("moderation", |w| {
        w.as_object_mut().unwrap().remove("residency");
        w["clients"] = json!([{"region": "us-east-1", "share": 1}]);
    });
    // 12,096,000 x (8 x 0.12 + 2 x 0.09) / 1,048,576 = 13.15 a week in Europe, more than the 10.40 that its machine saves.
    assert_eq!(network(&beside, "moderation").cluster, VIRGINIA);
    near(beside.cost.usd_per_month.as_f64(), 587.504, "beside its clients");
}

#[test]
fn a_way_that_eats_the_limit_rules_a_region_out_and_a_shorter_one_does_not() {
    let quiet = |w: &mut Value| {
        w.as_object_mut().unwrap().remove("bytes");
    };
    let stays = alone("voice", quiet);
    assert_eq!(network(&stays, "voice").cluster, VIRGINIA);
    near(stays.cost.usd_per_month.as_f64(), 587.504, "too far");
    let moves = alone("voice", |w| {
        quiet(w);
        w["slo"] = json!({"attainment": 0.99, "latency_ms": 200});
    });
    assert_eq!(network(&moves, "voice").cluster, NETHERLANDS);
    near(moves.cost.usd_per_month.as_f64(), 124.809_888 * 730.0 / 168.0, "near enough");
}

#[test]
fn a_limit_that_no_way_keeps_is_told_before_solving() {
    let root = planned::rewritten(SCENARIO, &only("voice", |w| w["slo"] = json!({"attainment": 0.99, "latency_ms": 8})));
    let scenario = planned::load(root.path());
    let options = study::Options { explain: false, ..study::Options::default() };
    let Err(planner::PlanError::Infeasible(faults)) = planner::plan(&scenario, &options, &|_| {}) else { panic!("there is a plan") };
    let told: Vec<_> = faults.iter().filter(|f| f.code == "E1601").collect();
    assert!(told.len() == 1 && told[0].message.contains("the way to the nearest region takes 8 ms, all of a limit"), "{faults:?}");
}

#[test]
fn residency_is_kept_whatever_it_costs() {
    let free = alone("moderation", |w| {
        for key in ["residency", "clients", "bytes"] {
            w.as_object_mut().unwrap().remove(key);
        }
    });
    assert_eq!(network(&free, "moderation").cluster, NETHERLANDS);
    let held = alone("moderation", |w| {
        w["residency"] = json!(["us"]);
        w.as_object_mut().unwrap().remove("clients");
        w.as_object_mut().unwrap().remove("bytes");
    });
    assert_eq!(network(&held, "moderation").cluster, VIRGINIA);
    near(held.cost.usd_per_month.as_f64(), 587.504, "in the US");
}

#[test]
fn without_the_region_lever_everything_stays_where_it_runs() {
    let mut document = only("embeddings", |_| {});
    document["regions"] = json!(["us-east-1", "europe-west4"]);
    let scenario = planned::load(planned::rewritten(SCENARIO, &document).path());
    let bound = Freedom { regions: false, ..Freedom::FULL };
    near(study::least_cost(&scenario, &bound).unwrap().as_f64(), 38.566_018 * 730.0 / 168.0, "Virginia");
    near(study::least_cost(&scenario, &Freedom::FULL).unwrap().as_f64(), 35.908_149 * 730.0 / 168.0, "the Netherlands");
}

#[test]
fn the_region_lever_is_told_and_the_shares_add_up() {
    let root = planned::rewritten(SCENARIO, &only("embeddings", |_| {}));
    let plan = planner::plan(&planned::load(root.path()), &study::Options { explain: true, ..study::Options::default() }, &|_| {}).unwrap();
    let lever = plan.levers.iter().find(|l| l.name == "regions").unwrap();
    // Last in: what moving saves once the node rests by day, (38.566018 - 35.908149) a week.
    near(lever.last_in_usd_per_month.as_f64(), 2.657_869 * 730.0 / 168.0, "last in");
}

#[test]
fn every_new_corruption_applies_and_is_found() {
    let scenario = planned::load(&planned::folder(SCENARIO));
    let good = plan();
    for corruption in REMOTE {
        let mut plan = good.clone();
        assert!((corruption.apply)(&mut plan) && plan != good, "`{}` does not apply", corruption.name);
        let findings = check::plan(&scenario, &plan);
        assert!(findings.iter().any(|f| f.family == corruption.family), "`{}`: {findings:?}", corruption.name);
    }
    assert!(REMOTE.iter().filter(|c| c.family == Family::Network).count() >= 5);
}

#[test]
fn every_value_of_the_network_is_checked() {
    let scenario = planned::load(&planned::folder(SCENARIO));
    let document = serde_json::to_value(plan()).unwrap();
    let mut all = Vec::new();
    leaves(&document, "", "", &mut all);
    let (mut noticed, mut silent) = (BTreeSet::new(), BTreeSet::new());
    let ours = ["network", "egress_usd_per_month", "start_up_bytes_usd_per_month"];
    for (path, pointer) in all.into_iter().filter(|(path, _)| path.split('.').any(|part| ours.contains(&part))) {
        for edit in edits(document.pointer(&pointer).unwrap()) {
            let mut edited = document.clone();
            *edited.pointer_mut(&pointer).unwrap() = edit;
            let Ok(plan) = serde_json::from_value::<Plan>(edited) else { continue };
            let list = if check::plan(&scenario, &plan).is_empty() { &mut silent } else { &mut noticed };
            list.insert(path.clone());
        }
    }
    let never: Vec<&String> = silent.difference(&noticed).collect();
    assert!(never.is_empty(), "{never:?}");
    assert!(noticed.len() >= 12, "{noticed:?}");
}

fn texts(plan: &Plan) -> Vec<parse::SourceText> {
    emit::artifacts(plan).into_iter().map(|a| parse::SourceText { path: a.path, text: a.contents }).collect()
}

#[test]
fn each_cluster_has_its_own_complete_folder() {
    let plan = plan();
    let files = emit::artifacts(&plan);
    let has = |path: &str| files.iter().any(|f| f.path == path);
    assert_eq!(emit::roots(&plan), [format!("clusters/{VIRGINIA}/"), format!("clusters/{NETHERLANDS}/")]);
    for root in emit::roots(&plan) {
        for part in ["kubernetes/kustomization.yaml", "terraform/main.tf", "terraform/variables.tf", "terraform/gpuplan.auto.tfvars.json"] {
            assert!(has(&format!("{root}{part}")), "{root}{part}");
        }
    }
    assert!(has("README.md") && !files.iter().any(|f| f.path.starts_with("kubernetes/") || f.path.starts_with("terraform/")));
    let karpenter: Vec<&str> = files.iter().map(|f| f.path.as_str()).filter(|path| path.contains("/karpenter/")).collect();
    assert!(!karpenter.is_empty() && karpenter.iter().all(|path| path.starts_with(&format!("clusters/{VIRGINIA}/"))), "{karpenter:?}");
    let index = &files.iter().find(|f| f.path == "README.md").unwrap().contents;
    assert!(index.contains(VIRGINIA) && index.contains(NETHERLANDS) && index.contains("moderation"), "{index}");
}

#[test]
fn files_read_back_cluster_by_cluster() {
    let plan = plan();
    let files = parse::files(&texts(&plan)).unwrap();
    assert!(parse::compare(&plan, &files).is_empty());
    let region = |name: &str| files.node_pools.iter().find(|p| p.name == name).unwrap().region.clone();
    for deployment in &files.deployments {
        let wanted = network(&plan, &deployment.workload).cluster.split_once('-').unwrap().1.to_owned();
        assert!(deployment.pod.pools.iter().all(|pool| region(pool) == wanted), "{}", deployment.name);
    }
    let at = files.origins.values().map(|origin| origin.path.as_str());
    assert!(at.into_iter().all(|path| path.starts_with("clusters/")));
}

#[test]
fn a_pod_finds_no_pool_of_another_cluster() {
    let plan = plan();
    let foreign = plan.pools.iter().find(|p| p.region == "europe-west4").unwrap().name.clone();
    let own = plan.pools.iter().find(|p| p.region == "us-east-1").unwrap().name.clone();
    let mut texts = texts(&plan);
    let file = texts
        .iter_mut()
        .find(|t| t.path.starts_with(&format!("clusters/{VIRGINIA}/")) && t.path.ends_with("workloads/ranker.yaml"))
        .unwrap();
    file.text = file.text.replace(&own, &foreign);
    let faults = parse::files(&texts).unwrap_err();
    assert!(faults.iter().any(|f| f.at.path.starts_with("clusters/") && f.what.contains("can run nowhere")), "{faults:?}");
}

#[test]
fn the_replay_adds_the_way_and_charges_traffic_and_starts() {
    let scenario = planned::load(&planned::folder(SCENARIO));
    let plan = plan();
    let inputs = inputs::of(&scenario, &plan);
    let (seeds, options) = (Seeds { first: 1, count: 2 }, Options::default());
    let fleet = of_files::fleet(&parse::files(&texts(&plan)).unwrap(), &plan, &inputs).unwrap();
    let played = replay::play(fleet, seeds, &options).unwrap();
    let outcome = replay::outcome(&plan, &played, (seeds, &options));
    assert_eq!(outcome.verdict, "verified", "{:?}", outcome.reasons);
    let planned = (plan.cost.egress_usd_per_month.unwrap().as_f64(), plan.cost.start_up_bytes_usd_per_month.unwrap().as_f64());
    let replayed = (outcome.bill.egress_usd_per_month.unwrap().as_f64(), outcome.bill.start_up_bytes_usd_per_month.unwrap().as_f64());
    assert!((replayed.0 / planned.0 - 1.0).abs() < 0.02, "traffic: {replayed:?} {planned:?}");
    assert!((replayed.1 / planned.1 - 1.0).abs() < 1e-6, "seven starts a week: {replayed:?} {planned:?}");
    let latency = |name: &str| outcome.workloads.iter().find(|w| w.name == name).unwrap().latency_ms.unwrap();
    // Four fifths are next door, one fifth 90 ms away; New York is 8 ms away.
    assert!(latency("moderation").p50 < 60.0 && latency("moderation").p95 > 90.0, "{:?}", latency("moderation"));
    assert!(latency("voice").p50 > 8.0 + 10.0, "{:?}", latency("voice"));
    let today = replay::play(today::fleet(&inputs).unwrap(), seeds, &options).unwrap();
    let now = replay::baseline(&today, plan.baseline.usd_per_month, options.hours);
    assert!(now.off_by.abs() < 0.01, "today's traffic is charged by the same rule: {}", now.off_by);
}

#[test]
fn a_plan_says_what_differs_in_its_network() {
    let (before, mut after) = (plan(), plan());
    let moved = after.workloads.iter_mut().find(|w| w.name == "voice").unwrap().network.as_mut().unwrap();
    moved.added_ms = 86.0;
    let diff = gpuplan::plan::diff(&before, &after);
    assert_eq!(diff.workloads.changed.len(), 1);
    assert_eq!(diff.workloads.changed[0].fields[0].field, "network.added_ms");
}

/// A change of the document, the code that it must bring, and a word of the message.
type Case = (fn(&mut Value), &'static str, &'static str);

const FAULTS: [Case; 9] = [
    (|d| drop(d.as_object_mut().unwrap().remove("network")), "E1711", "needs the section `network`"),
    (|d| d["network"]["round_trips"] = json!([]), "E1712", "no round trip between"),
    (|d| d["network"]["egress"] = json!([]), "E1713", "no price of traffic"),
    (|d| d["network"]["nat"] = json!([]), "E1713", "no price of a NAT gateway"),
    (|d| d["workloads"][1]["residency"] = json!(["jp"]), "E1714", "leaves `moderation` no region"),
    (|d| d["workloads"][1]["clients"][0]["share"] = json!(0.5), "E1715", "sum to 0.7"),
    (|d| d["workloads"][1]["residency"] = json!(["mars"]), "E1716", "neither a region nor a jurisdiction"),
    (|d| d["workloads"][3]["bytes"] = json!({"request_kib": 1, "response_kib": 1}), "E1013", "does not belong to a job"),
    (
        |d| {
            let again = d["network"]["round_trips"][0].clone();
            d["network"]["round_trips"].as_array_mut().unwrap().push(again);
        },
        "E1102",
        "is given twice",
    ),
];

#[test]
fn every_fault_of_the_section_is_told() {
    for (change, code, words) in FAULTS {
        let mut document = planned::document(SCENARIO);
        change(&mut document);
        let root = planned::rewritten(SCENARIO, &document);
        let rejected = input::load(root.path()).unwrap_err();
        let told = rejected.diagnostics.iter().any(|d| d.code == code && d.message.contains(words) && d.place.is_some());
        assert!(told, "{code}: {:?}", rejected.diagnostics);
    }
    let mut document = planned::document(SCENARIO);
    document["workloads"][0].as_object_mut().unwrap().remove("bytes");
    let loaded = input::load(planned::rewritten(SCENARIO, &document).path()).unwrap();
    assert!(loaded.diagnostics.iter().any(|d| d.code == "E1717"), "{:?}", loaded.diagnostics);
}
