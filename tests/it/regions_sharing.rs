//! Shared GPUs where distance is priced: slices and servers with several models pay for traffic and starts like any replica, and stay
//! where the way takes nothing of their limits.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::planned;
use gpuplan::check::{self, Family};
use gpuplan::emit::parse;
use gpuplan::plan::from_solution::replay as inputs;
use gpuplan::plan::{Plan, WorkloadPlan};
use gpuplan::simulate::of_files;
use gpuplan::simulate::replay::{self, Seeds};
use gpuplan::simulate::run::Options;
use gpuplan::units::Usd;
use serde_json::{Value, json};

/// GiB of images and weights that each workload pulls through NAT, and what it sends a request.
const IMAGE_GIB: f64 = 8.0;
const WEIGHTS_GIB: f64 = 0.5;
const ANSWER_KIB: f64 = 64.0;

/// List prices of us-east-1 in the catalogue, dollars a GiB.
const TO_INTERNET: f64 = 0.09;
const THROUGH_NAT: f64 = 0.045;

/// A scenario of one region with `network`: all clients in one place, so far away.
fn document(name: &str, round_trip_ms: f64) -> Value {
    let mut document = planned::document(name);
    document["network"] = json!({"round_trips": [
        {"between": ["office", "us-east-1"], "round_trip_ms": round_trip_ms, "source": "a test", "as_of": "2026-11-26"},
    ]});
    for workload in document["workloads"].as_array_mut().unwrap() {
        workload["clients"] = json!([{"region": "office", "share": 1}]);
        workload["bytes"] = json!({"request_kib": 1, "response_kib": ANSWER_KIB});
        workload["image_gib"] = json!(IMAGE_GIB);
        workload["weights_gib"] = json!(WEIGHTS_GIB);
    }
    document
}

fn plan_of(name: &str, document: &Value) -> Plan {
    let root = planned::rewritten(name, document);
    let scenario = planned::load(root.path());
    let plan = planned::quick(&scenario, None);
    assert_eq!(check::plan(&scenario, &plan), []);
    plan
}

fn near(found: Usd, wanted: f64, what: &str) {
    assert!((found.as_f64() - wanted).abs() < 0.01, "{what}: {found}, by hand {wanted}");
}

/// Two requests a second all month to the internet.
fn traffic() -> f64 {
    2.0 * 3600.0 * 730.0 * ANSWER_KIB / 1_048_576.0 * TO_INTERNET
}

fn egress(workload: &WorkloadPlan) -> Usd {
    workload.network.as_ref().unwrap().egress_usd_per_month
}

#[test]
fn a_server_beside_its_clients_pays_for_the_traffic_of_its_models() {
    let plan = plan_of("bundle-by-hand", &document("bundle-by-hand", 0.0));
    assert_eq!(plan.bundles.len(), 1);
    let host = &plan.bundles[0].host;
    near(egress(host), 3.0 * traffic(), "the server");
    for workload in &plan.workloads {
        near(egress(workload), traffic(), &workload.name);
        near(workload.usd_per_month, traffic() + 0.752 * 730.0 / 3.0, &workload.name);
        assert_eq!(workload.network.as_ref().unwrap().cluster, "aws-us-east-1");
    }
    near(plan.cost.egress_usd_per_month.unwrap(), 3.0 * traffic(), "traffic");
    near(plan.cost.usd_per_month, 3.0 * traffic() + 0.752 * 730.0, "total");
    near(host.usd_per_month, plan.cost.usd_per_month.as_f64(), "the server");
}

#[test]
fn models_whose_clients_are_far_do_not_share_a_server() {
    let plan = plan_of("bundle-by-hand", &document("bundle-by-hand", 10.0));
    assert!(plan.bundles.is_empty());
    assert!(plan.workloads.iter().all(|w| (w.network.as_ref().unwrap().added_ms - 10.0).abs() < 1e-9));
}

#[test]
fn a_server_that_grows_pulls_one_image_and_the_weights_of_all() {
    let mut document = document("bundle-by-hand", 0.0);
    // Of two hours a day more than one card carries.
    let busy: Vec<f64> = (0..24).map(|hour| if hour == 9 || hour == 10 { 250.0 } else { 1.0 }).collect();
    for workload in document["workloads"].as_array_mut().unwrap() {
        workload["scaling"] = json!({"modes": ["static", "scheduled"]});
        workload["demand"]["shape"] = json!({"mean_rps": 43.5, "weekday": busy});
    }
    let plan = plan_of("bundle-by-hand", &document);
    assert_eq!(plan.bundles.len(), 1);
    let bytes = |w: &WorkloadPlan| w.network.as_ref().unwrap().start_up_bytes_usd_per_month;
    let wanted = 7.0 * (IMAGE_GIB + 3.0 * WEIGHTS_GIB) * THROUGH_NAT * 730.0 / 168.0;
    near(bytes(&plan.bundles[0].host), wanted, "the server");
    near(plan.workloads.iter().map(bytes).sum(), wanted, "its models");
    near(plan.cost.start_up_bytes_usd_per_month.unwrap(), wanted, "total");
}

#[test]
fn a_slice_away_from_its_clients_is_sized_for_what_the_way_leaves() {
    let plan = plan_of("mps-by-hand", &document("mps-by-hand", 30.0));
    assert!(plan.pools.iter().any(|pool| pool.partition.is_some()));
    for workload in &plan.workloads {
        assert!(workload.variant.slice.is_some(), "{}", workload.name);
        near(egress(workload), traffic(), &workload.name);
    }
}

#[test]
fn what_a_shared_plan_says_of_its_network_is_checked() {
    let document = document("bundle-by-hand", 0.0);
    let root = planned::rewritten("bundle-by-hand", &document);
    let scenario = planned::load(root.path());
    let plan = planned::quick(&scenario, None);
    let edits: [fn(&mut Plan); 4] = [
        |p| p.bundles[0].host.network.as_mut().unwrap().egress_usd_per_month = Usd::ZERO,
        |p| p.workloads[0].network.as_mut().unwrap().egress_usd_per_month = Usd::ZERO,
        |p| p.workloads[1].network = None,
        |p| "gcp-nowhere".clone_into(&mut p.workloads[2].network.as_mut().unwrap().cluster),
    ];
    for (index, edit) in edits.iter().enumerate() {
        let mut broken = plan.clone();
        edit(&mut broken);
        let findings = check::plan(&scenario, &broken);
        assert!(findings.iter().any(|f| f.family == Family::Network), "{index}: {findings:?}");
    }
}

#[test]
fn a_replay_charges_the_traffic_of_a_server_once() {
    let document = document("bundle-by-hand", 0.0);
    let root = planned::rewritten("bundle-by-hand", &document);
    let scenario = planned::load(root.path());
    let plan = planned::quick(&scenario, None);
    let texts =
        planned::files(&plan).into_iter().map(|file| parse::SourceText { path: file.path, text: file.contents }).collect::<Vec<_>>();
    let files = parse::files(&texts).unwrap();
    let inputs = inputs::of(&scenario, &plan);
    let fleet = of_files::fleet(&files, &plan, &inputs).unwrap();
    let (seeds, options) = (Seeds { first: 1, count: 1 }, Options::default());
    let played = replay::play(fleet, seeds, &options).unwrap();
    let bill = replay::outcome(&plan, &played, (seeds, &options)).bill;
    let share = bill.egress_usd_per_month.unwrap().as_f64() / (3.0 * traffic());
    assert!((share - 1.0).abs() < 0.02, "{share}");
}
