//! The account source against a small AWS on loopback, asked through the real client libraries.

mod answers;
mod faulty;

use super::*;
use crate::domain::Cloud;
use crate::pricing::codes;
use crate::pricing::double::{Double, Question, Reply};
use crate::pricing::gathered::{Bought, Payment, Product, Term};
use answers::{
    as_json, hourly, machine, machines, offers, product, products, refusal, reservation, reservations, scores, spot, spots, zones,
};
use jiff::Timestamp;
use serde_json::json;
use std::cell::RefCell;
use std::time::Duration;

const NOW: &str = "2026-11-26T00:00:00Z";
const VPC: &str = "Linux/UNIX (Amazon VPC)";

/// Tries three times and hardly waits.
fn hasty() -> Policy {
    Policy { retries: 2, timeout: Duration::from_secs(5), first_wait: Duration::from_millis(1) }
}

/// Machines of the catalogue in these tests.
fn is_gpu_type(name: &str) -> bool {
    ["g6e.xlarge", "g6e.2xlarge", "g6e.12xlarge", "g6f.large", "p5.48xlarge"].contains(&name)
}

/// What the account brings where the cloud answers as given.
fn ask(cloud: &Double, policy: &Policy, regions: &[&str]) -> (Gathered, Vec<Diagnostic>) {
    let regions: Vec<String> = regions.iter().map(|region| (*region).to_owned()).collect();
    let scope = Scope { regions: &regions, is_gpu_type: &is_gpu_type, now: NOW.parse().unwrap(), progress: &|_| () };
    let session = session::testing::session(&cloud.url(), policy, &|_| ());
    ask_all(&session, &scope)
}

/// The small AWS, well.
fn well(question: &Question) -> Reply {
    let is_page = |token: &str| question.has(&format!("NextToken={token}")) || question.has(&format!("\"NextToken\":\"{token}\""));
    match answers::action(question) {
        "DescribeInstanceTypes" if is_page("types-2") => machines(
            &[
                machine("g6e.12xlarge", 48, 384, Some(("NVIDIA", "L40S", 4, 45776))),
                machine("g6f.large", 2, 8, Some(("NVIDIA", "L4", 0, 2861))),
                machine("g9.xlarge", 4, 32, Some(("NVIDIA", "X9", 1, 1024))),
            ],
            "",
        ),
        "DescribeInstanceTypes" => machines(
            &[
                machine("m5.large", 2, 8, None),
                machine("g4ad.xlarge", 4, 16, Some(("AMD", "Radeon Pro V520", 1, 8192))),
                machine("g6e.xlarge", 4, 32, Some(("NVIDIA", "L40S", 1, 45776))),
                machine("g6e.2xlarge", 8, 64, Some(("NVIDIA", "L40S", 1, 45776))),
                machine("p5.48xlarge", 192, 2048, Some(("NVIDIA", "H100", 8, 81920))),
            ],
            "types-2",
        ),
        "DescribeInstanceTypeOfferings" => offers(
            &[
                ("g6e.xlarge", "use1-az4"),
                ("g6e.xlarge", "use1-az1"),
                ("g6e.xlarge", "use1-atl2-az1"),
                ("m5.large", "use1-az1"),
                ("p5.48xlarge", "use1-az6"),
            ],
            "",
        ),
        "GetProducts" if question.has("bare metal") => products(&[], ""),
        "GetProducts" if is_page("list-2") => products(&[block(), product("SKU4", "m5.large", "OnDemand", &[on_demand("0.096")])], ""),
        "GetProducts" => products(
            &[
                product("SKU1", "g6e.xlarge", "OnDemand", &[on_demand("1.8610000000"), reserved()]),
                "{\"product\":{\"sku\":\"SKU2\",\"attributes\":{".to_owned(),
                product("SKU3", "p5.48xlarge", "OnDemand", &[on_demand("55.0400000000")]),
                product("SKU5", "g9.xlarge", "OnDemand", &[on_demand("9.0000000000")]),
            ],
            "list-2",
        ),
        "DescribeSpotPriceHistory" if is_page("spot-2") => spots(&spot_page(), ""),
        "DescribeSpotPriceHistory" => spots(&[], "spot-2"),
        "DescribeAvailabilityZones" => zones(&[("us-east-1a", "use1-az6"), ("us-east-1b", "use1-az1")]),
        "GetSpotPlacementScores" => scores(&[("us-east-1", "use1-az4", 3), ("us-east-1", "use1-az1", 9)]),
        "DescribeReservedInstances" => reservations(&[
            reservation(["ri-2", "g6e.xlarge", "3", "Linux/UNIX", "standard", "876.0", "0.4"]),
            reservation(["ri-1", "g6e.xlarge", "1", "Windows", "standard", "0.0", "0.4"]),
            reservation(["ri-3", "m5.large", "1", "Linux/UNIX", "standard", "0.0", "0.4"]),
            reservation(["ri-0", "p5.48xlarge", "1", "Linux/UNIX (Amazon VPC)", "convertible", "0.0", "30.0"]),
        ]),
        "DescribeSavingsPlans" => as_json(&json!({ "savingsPlans": [
            plan("sp-1", "Compute", "", "", "12.5"),
            plan("sp-2", "EC2Instance", "us-east-1", "g6e", "1.25"),
            plan("sp-3", "EC2Instance", "us-east-1", "m5", "1.0"),
            plan("sp-4", "EC2Instance", "eu-west-1", "g6e", "1.0"),
            plan("sp-5", "SageMaker", "", "", "1.0"),
        ] })),
        _ => Reply::Hangup,
    }
}

fn on_demand(dollars: &str) -> (&'static str, &'static str, serde_json::Value, serde_json::Value) {
    ("OnDemand", "JRTCKXETXF", json!({}), hourly(dollars))
}

fn reserved() -> (&'static str, &'static str, serde_json::Value, serde_json::Value) {
    let attributes = json!({ "LeaseContractLength": "1yr", "OfferingClass": "standard", "PurchaseOption": "No Upfront" });
    ("Reserved", "4NA7Y494T4", attributes, hourly("1.1720000000"))
}

/// A capacity block, which is listed for nothing.
fn block() -> String {
    product("SKU9", "p5.48xlarge", "CapacityBlock", &[on_demand("0.0000000000")])
}

fn plan(id: &str, kind: &str, region: &str, family: &str, commitment: &str) -> serde_json::Value {
    let mut plan = json!({
        "savingsPlanId": id, "savingsPlanType": kind, "state": "active", "commitment": commitment, "currency": "USD",
        "start": "2026-03-01T00:00:00.000Z", "end": "2027-03-01T00:00:00.000Z", "termDurationInSeconds": 31_536_000, "paymentOption": "No Upfront",
    });
    if !region.is_empty() {
        plan["region"] = json!(region);
        plan["ec2InstanceFamily"] = json!(family);
    }
    plan
}

fn spot_page() -> Vec<String> {
    vec![
        spot(["g6e.xlarge", "us-east-1c", "use1-az4", VPC, "0.812300", "2026-11-25T01:02:03.000Z"]),
        // The same moment outside of a private cloud, at another price, and twice.
        spot(["g6e.xlarge", "us-east-1c", "use1-az4", "Linux/UNIX", "0.900000", "2026-11-25T01:02:03.000Z"]),
        spot(["g6e.xlarge", "us-east-1c", "use1-az4", VPC, "0.812300", "2026-11-25T01:02:03.000Z"]),
        // Zones by name: of this account, and of none.
        spot(["g6e.xlarge", "us-east-1b", "", VPC, "0.700000", "2026-11-20T00:00:00.500Z"]),
        spot(["g6e.xlarge", "us-east-1z", "", VPC, "0.600000", "2026-11-20T00:00:00.000Z"]),
        // A Local Zone.
        spot(["g6e.xlarge", "us-east-1-atl-2a", "use1-atl2-az1", VPC, "2.000000", "2026-11-20T00:00:00.000Z"]),
        spot(["p5.48xlarge", "us-east-1a", "use1-az6", VPC, "N/A*", "2026-11-20T00:00:00.000Z"]),
        spot(["p5.48xlarge", "us-east-1a", "use1-az6", "Linux/UNIX", "19.500000", "2026-11-19T00:00:00.000Z"]),
    ]
}

fn of(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn prices_of_the_list_are_read_past_all_its_traps() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, faults) = ask(&cloud, &hasty(), &["us-east-1"]);
    assert_eq!(of(&faults), Vec::<String>::new());
    let quotes: Vec<(&str, &Bought, String)> =
        gathered.quotes.iter().map(|quote| (quote.instance_type.as_str(), &quote.bought, format!("{:.4}", quote.per_hour))).collect();
    let year = Bought::Committed(Term { product: Product::StandardReserved, years: 1, payment: Payment::NoUpfront });
    let expected = [
        ("g6e.xlarge", &Bought::OnDemand, "1.8610".to_owned()),
        ("g6e.xlarge", &year, "1.1720".to_owned()),
        ("g9.xlarge", &Bought::OnDemand, "9.0000".to_owned()),
        ("p5.48xlarge", &Bought::OnDemand, "55.0400".to_owned()),
    ];
    assert_eq!(quotes, expected, "no capacity block, no machine without GPUs");
    assert!(gathered.quotes.iter().all(|quote| quote.region == "us-east-1" && quote.currency == "USD" && quote.source == "AWS Price List"));
    assert_eq!(gathered.quotes[0].as_of, "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap());
    let question = cloud.asked().into_iter().find(|question| answers::action(question) == "GetProducts").unwrap();
    assert_eq!(answers::region(&question), "us-east-1", "the price list has few endpoints");
    for wanted in ["regionCode", "marketoption", "OnDemand", "capacitystatus", "\"MaxResults\":100", "TERM_MATCH"] {
        assert!(question.has(wanted), "{wanted} in {}", question.body);
    }
}

#[test]
fn machines_are_described_with_their_gpus_and_zones_by_id() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, _) = ask(&cloud, &hasty(), &["us-east-1"]);
    let shapes: Vec<(&str, &str, f64)> =
        gathered.shapes.iter().map(|shape| (shape.instance_type.as_str(), shape.gpu_name.as_str(), shape.gpus)).collect();
    let expected = [
        ("g6e.12xlarge", "NVIDIA L40S", 4.0),
        ("g6e.2xlarge", "NVIDIA L40S", 1.0),
        ("g6e.xlarge", "NVIDIA L40S", 1.0),
        ("g6f.large", "NVIDIA L4", 0.125),
        ("g9.xlarge", "NVIDIA X9", 1.0),
        ("p5.48xlarge", "NVIDIA H100", 8.0),
    ];
    assert_eq!(shapes, expected, "each once, a part of a GPU is a fraction, and new machines are there");
    let memory: Vec<String> = gathered.shapes.iter().map(|shape| format!("{:.2}", shape.gpu_memory_gib.unwrap())).collect();
    assert_eq!(memory[..4], ["44.70", "44.70", "44.70", "2.79"], "GiB that the device shows");
    let zones: Vec<(&str, Vec<String>)> = gathered.zones.iter().map(|offer| (offer.instance_type.as_str(), offer.zones.clone())).collect();
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    assert_eq!(zones, [("g6e.xlarge", ids(&["use1-az1", "use1-az4"])), ("p5.48xlarge", ids(&["use1-az6"]))], "no Local Zone");
}

#[test]
fn spot_points_are_keyed_by_zone_id_and_each_is_there_once() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, _) = ask(&cloud, &hasty(), &["us-east-1"]);
    let points: Vec<String> = gathered
        .spot_history
        .iter()
        .map(|point| format!("{} {} {} {:.4}", point.instance_type, point.zone, point.at, point.usd_per_hour))
        .collect();
    let expected = [
        "g6e.xlarge use1-az1 2026-11-20T00:00:00.5Z 0.7000",
        "g6e.xlarge use1-az4 2026-11-25T01:02:03Z 0.8123",
        "p5.48xlarge use1-az6 2026-11-19T00:00:00Z 19.5000",
    ];
    assert_eq!(points, expected);
    let asked: Vec<Question> =
        cloud.asked().into_iter().filter(|question| answers::action(question) == "DescribeSpotPriceHistory").collect();
    assert_eq!(asked.len(), 2, "the empty page has a token");
    for wanted in
        ["StartTime=2026-08-28T00%3A00%3A00Z", "InstanceType.1=g6e.12xlarge", "ProductDescription.2=Linux%2FUNIX%20%28Amazon%20VPC%29"]
    {
        assert!(asked[0].has(wanted), "{wanted} in {}", asked[0].body);
    }
    assert!(!asked[0].has("g4ad") && !asked[0].has("m5.large"));
}

#[test]
fn what_is_left_out_is_said() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, _) = ask(&cloud, &hasty(), &["us-east-1"]);
    let mut findings = of(&gathered.findings);
    findings.sort();
    let expected = [
        "[E1825] products of AWS in us-east-1 that cannot be read, left out (1): `SKU2`",
        "[E1825] reserved instances that are not for Linux on shared machines, left out (1): `ri-1` (`g6e.xlarge`)",
        "[E1825] spot prices of AWS in us-east-1 that cannot be read, left out (1): `p5.48xlarge` in use1-az6 (`N/A*`)",
        "[E1825] spot prices of AWS in us-east-1 whose zone has no id, left out (1): `us-east-1z`",
        "[E1826] AWS machines with accelerators of other makers than NVIDIA, left out (1): `g4ad.xlarge` (AMD)",
    ];
    assert_eq!(findings, expected);
}

#[test]
fn commitments_are_held_at_whole_rates() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, _) = ask(&cloud, &hasty(), &["us-east-1"]);
    let owned: Vec<String> = gathered
        .owned
        .iter()
        .map(|owned| {
            format!(
                "{} {} `{}` `{}` {} {:.4}",
                owned.id,
                owned.product.as_str(),
                owned.region,
                owned.covers,
                owned.count,
                owned.usd_per_hour.unwrap()
            )
        })
        .collect();
    // ri-2: 876 dollars at once are 0.1 an hour for a year, and 0.4 more: three machines at 0.5.
    let expected = [
        "ri-0 convertible-reserved `us-east-1` `p5.48xlarge` 1 30.0000",
        "ri-2 standard-reserved `us-east-1` `g6e.xlarge` 3 1.5000",
        "sp-1 compute-savings-plan `` `` 0 12.5000",
        "sp-2 instance-savings-plan `us-east-1` `g6e` 0 1.2500",
    ];
    assert_eq!(owned, expected, "nothing for machines, regions and services that were not asked for");
    let end = "2027-03-01T00:00:00Z".parse::<Timestamp>().unwrap();
    assert!(gathered.owned.iter().all(|owned| owned.cloud == Cloud::Aws && owned.ends == Some(end)));
    assert!(cloud.asked().iter().any(|question| question.has("Filter.1.Name=state") && question.has("Filter.1.Value.1=active")));
}

#[test]
fn placement_scores_are_of_families_with_three_sizes() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, _) = ask(&cloud, &hasty(), &["us-east-1"]);
    let scores: Vec<(&str, &str, u8)> =
        gathered.placement.iter().map(|score| (score.instance_type.as_str(), score.zone.as_str(), score.score)).collect();
    assert_eq!(scores, [("g6e.*", "use1-az1", 9), ("g6e.*", "use1-az4", 3)]);
    let score = &gathered.placement[0];
    assert!(score.is_of("g6e.48xlarge") && !score.is_of("g6.xlarge") && !score.is_of("p5.48xlarge"));
    let asked: Vec<Question> = cloud.asked().into_iter().filter(|question| answers::action(question) == "GetSpotPlacementScores").collect();
    assert_eq!(asked.len(), 1, "one question, for the one family of three sizes");
    for wanted in ["InstanceType.3=g6e.xlarge", "TargetCapacity=1", "SingleAvailabilityZone=true", "RegionName.1=us-east-1"] {
        assert!(asked[0].has(wanted), "{wanted} in {}", asked[0].body);
    }
}

#[test]
fn each_region_is_asked_by_itself_and_told() {
    let cloud = Double::start(|question, _| well(question));
    let regions = ["us-east-1".to_owned(), "eu-west-1".to_owned()];
    let told = RefCell::new(Vec::new());
    let progress = |what: &str| told.borrow_mut().push(what.to_owned());
    let scope = Scope { regions: &regions, is_gpu_type: &is_gpu_type, now: NOW.parse().unwrap(), progress: &progress };
    let session = session::testing::session(&cloud.url(), &hasty(), &progress);
    let (gathered, _) = ask_all(&session, &scope);
    drop(session);
    let asked: Vec<String> =
        cloud.asked().iter().filter(|question| answers::action(question) == "DescribeInstanceTypeOfferings").map(answers::region).collect();
    assert_eq!(asked, ["us-east-1", "eu-west-1"]);
    assert!(gathered.spot_history.iter().any(|point| point.region == "eu-west-1"));
    let told = told.into_inner();
    assert!(told.contains(&"AWS ec2:DescribeInstanceTypes in eu-west-1, page 2".to_owned()), "{told:?}");
}

#[test]
fn zones_of_the_region_are_told_from_others() {
    assert!(is_of_region("use1-az1") && is_of_region("apne1-az4"));
    for other in ["usw2-lax1-az1", "use1-wl1-bos-wlz1", "us-east-1a", "use1-az", "", "use1-az1a"] {
        assert!(!is_of_region(other), "{other}");
    }
}
