//! A refresh builds what was worked out by hand: `tests/golden/prices/public.csv`, offering by offering, no more and no less.
//!
//! The sums stand beside the tables of `aws`, `azure` and `google`. The golden file is written by hand and not blessed.

#![expect(clippy::unwrap_used, reason = "test")]

use super::clouds::{Server, public};
use super::desk::{Desk, KEY, Ran, read_now, rows};
use crate::repository;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::OnceLock;

/// Every region that the clouds on loopback have.
pub const EVERYWHERE: &str =
    "--cloud aws,azure,gcp --region us-east-1,eu-west-1,eastus,westeurope,us-central1,us-east4,europe-west4 --retries 0";

/// A sum of a few prices with at most nine decimals is right to far less than this; a price is given to a ten-thousandth of a cent.
const CLOSE: f64 = 1e-9;

/// A refresh of everything from public lists.
struct World {
    server: Server,
    desk: Desk,
    ran: Ran,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let server = public(Vec::new());
        let desk = Desk::at(&server);
        let ran = desk.refresh(EVERYWHERE);
        World { server, desk, ran }
    })
}

/// A golden file: dollars an hour by offering.
pub fn golden(name: &str) -> BTreeMap<String, f64> {
    let text = fs::read_to_string(repository::root().join("tests/golden/prices").join(name)).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("offering,usd_per_hour"));
    let prices: BTreeMap<String, f64> = lines
        .map(|line| {
            let (offering, price) = line.split_once(',').unwrap();
            (offering.to_owned(), price.parse().unwrap())
        })
        .collect();
    assert_eq!(prices.len() + 1, text.lines().count(), "an offering stands twice");
    prices
}

/// Prices that were read are those of the file: which are missing, which are too many, which differ.
pub fn compare(found: &BTreeMap<String, f64>, wanted: &BTreeMap<String, f64>, close: f64) {
    let names = |prices: &BTreeMap<String, f64>| prices.keys().cloned().collect::<BTreeSet<_>>();
    let missing: Vec<String> = names(wanted).difference(&names(found)).cloned().collect();
    let too_many: Vec<String> = names(found).difference(&names(wanted)).cloned().collect();
    assert!(missing.is_empty() && too_many.is_empty(), "missing: {missing:#?}\ntoo many: {too_many:#?}");
    let differ: Vec<String> = wanted
        .iter()
        .filter(|(name, price)| (found[*name] - **price).abs() > close)
        .map(|(name, price)| format!("{name}: {} and not {price}", found[name]))
        .collect();
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn public_lists_bring_the_prices_that_were_worked_out_by_hand() {
    let World { desk, ran, .. } = world();
    ran.ends(0);
    let wanted = golden("public.csv");
    for (cloud, least) in [("aws/", 40), ("azure/", 25), ("gcp/", 50)] {
        assert!(wanted.keys().filter(|name| name.starts_with(cloud)).count() >= least, "{cloud}");
    }
    compare(&read_now(&desk.newest()), &wanted, CLOSE);
    ran.says(&[&format!(" prices, {} of them read now", wanted.len())]);
}

/// What people see is what was kept.
#[test]
fn the_list_shows_the_prices_that_were_read() {
    let listed = world().desk.run(&["prices", "list", "--format", "json"]);
    let listed = listed.ends(0).json();
    let mut shown: BTreeMap<String, f64> = BTreeMap::new();
    for price in listed["prices"].as_array().unwrap().iter().filter(|price| price["term"] == "") {
        let part = |name: &str| price[name].as_str().unwrap().to_owned();
        let name = [part("cloud"), part("region"), part("instance_type"), part("capacity_type")].join("/");
        assert!(shown.insert(name.clone(), price["usd_per_hour"].as_f64().unwrap()).is_none(), "{name} stands twice");
    }
    for (name, price) in golden("public.csv").iter().filter(|(name, _)| !name.contains("/committed/")) {
        assert!(shown.get(name).is_some_and(|shown| (shown - price).abs() < CLOSE), "{name}: {:?} and not {price}", shown.get(name));
    }
    let show = world().desk.run(&["prices", "show", "gcp/us-central1/a2-highgpu-1g/on-demand"]);
    show.ends(0).says(&["$3.7000 an hour", "12 x core 0.03 + 85 x ram 0.004 + 1 x gpu 3", "Google Cloud Billing catalogue"]);
}

/// Nothing is dropped in silence: code, and the first of those that it is about.
#[test]
fn whatever_is_left_out_is_told() {
    let told = [
        ("E1820", "left out (6): `aws/us-east-1/p5en.48xlarge/spot` (CNY), `azure/eastus/Standard_NC8as_T4_v3/on-demand` (EUR), `gcp/"),
        (
            "E1821",
            "left out (3): `aws/us-east-1/g5.xlarge/committed/1y/standard-reserved/all-upfront` (0), `aws/us-east-1/g6.48xlarge/on-demand` (0), \
             `azure/eastus/Standard_NC16as_T4_v3/on-demand` (0)",
        ),
        (
            "E1822",
            "above on-demand, left out (4): `aws/us-east-1/g4dn.12xlarge/spot` (4, on-demand 3.92), `aws/us-east-1/g4dn.xlarge/committed/",
        ),
        (
            "E1824",
            "kept (11): `aws/us-east-1/g5.12xlarge/on-demand` (5.7 and 5.8), `aws/us-east-1/p4de.24xlarge/spot` (21.8 and 22.9), `azure/",
        ),
        ("E1825", "`MALFORMED1` in `us-east-1` (no product)"),
        ("E1825", "`p4d.24xlarge` in `us-east-1` (reserved: no upfront fee)"),
        ("E1825", "`g5.xlarge` in `us-east-1` (reserved: term `2yr`)"),
        ("E1825", "`Standard_NC96ads_A100_v4` (missing field `retailPrice`"),
        ("E1825", "`Standard_NV12ads_A10_v5` (unit `1 GB`)"),
        ("E1825", "(A2 Instance Core running in Americas): a price that cannot be read"),
        ("E1826", "`aws/g4ad.xlarge`"),
        ("E1826", "`aws/p9.48xlarge`"),
        ("E1826", "`azure/Standard_NC128ads_H900_v9`"),
        ("E1827", "a part of them has no price"),
        ("E1829", "not listed any more, dropped"),
    ];
    let lines: Vec<&str> = world().ran.err.lines().collect();
    for (code, words) in told {
        let of_code: Vec<&&str> = lines.iter().filter(|line| line.contains(code)).collect();
        assert!(of_code.iter().any(|line| line.contains(words)), "{code}: `{words}` in {of_code:#?}");
    }
    // A few lines, and not one for each of hundreds of prices.
    assert!(lines.len() < 40, "{}", world().ran.err);
}

/// Contradictions keep the embedded price with its day; what is wrong by itself leaves no price at all.
#[test]
fn unknown_stays_unknown() {
    let rows = rows(&world().desk.newest());
    for (name, price, day) in [
        ("aws/us-east-1/g5.12xlarge/on-demand", 5.672, "2026-07-20"),
        ("aws/us-east-1/p4de.24xlarge/spot", 21.8259, "2026-08-10"),
        ("azure/eastus/Standard_NC48ads_A100_v4/on-demand", 7.346, "2026-06-18"),
        ("gcp/europe-west4/g2-standard-4/spot", 0.38986, "2026-07-30"),
    ] {
        let row = &rows[name];
        assert!((row["usd_per_hour"].as_f64().unwrap() - price).abs() < CLOSE, "{row}");
        assert_eq!((row["as_of"].as_str(), row.get("read_at")), (Some(day), None), "{name}");
    }
    // Another currency, nothing, above on-demand: never taken; where there was a price before it may stay.
    for name in [
        "aws/us-east-1/p5en.48xlarge/spot",
        "gcp/us-central1/n1-standard-4+1xT4/spot",
        "aws/us-east-1/g6.48xlarge/on-demand",
        "aws/us-east-1/g4dn.12xlarge/spot",
    ] {
        assert!(rows.get(name).is_none_or(|row| row.get("read_at").is_none()), "{}", rows[name]);
    }
    for name in [
        // Not on offer, and not sold so.
        "aws/us-east-1/g5.48xlarge/spot",
        "gcp/us-central1/a3-highgpu-1g/on-demand",
        "gcp/us-central1/a3-ultragpu-8g/on-demand",
        "gcp/us-east4/a4-highgpu-8g/on-demand",
        // Prices of parts, and no such machine in the region; a machine that lacks the price of a part.
        "gcp/us-central1/a3-megagpu-8g/on-demand",
        "gcp/europe-west4/a3-highgpu-8g/on-demand",
        "gcp/us-central1/a2-ultragpu-1g/committed/1y/resource-commitment/no-upfront",
    ] {
        assert!(!rows.contains_key(name), "{}", rows[name]);
    }
}

/// Beside the price: source, day, how it was put together, zones, band, and whether it can be bought.
#[test]
fn each_price_says_where_it_comes_from() {
    let rows = rows(&world().desk.newest());
    for (name, source, day, derivation) in [
        ("aws/us-east-1/g6e.xlarge/on-demand", "AWS Price List", "2026-08-01", ""),
        (
            "aws/us-east-1/g6e.xlarge/committed/1y/standard-reserved/partial-upfront",
            "AWS Price List",
            "2026-03-31",
            "0.55 an hour + 4818 at once / 8760 h",
        ),
        ("aws/us-east-1/g6e.xlarge/committed/1y/compute-savings-plan/no-upfront", "AWS savings plan price list", "2026-06-23", ""),
        ("azure/eastus/Standard_NC24ads_A100_v4/on-demand", "Azure Retail Prices", "2025-09-01", ""),
        (
            "azure/eastus/Standard_NC24ads_A100_v4/committed/1y/reservation/no-upfront",
            "Azure Retail Prices",
            "2025-09-01",
            "21900 for the term / 8760 h",
        ),
        (
            "gcp/us-central1/a2-ultragpu-1g/on-demand",
            "Google Cloud Billing catalogue",
            "2026-03-24",
            "12 x core 0.03 + 170 x ram 0.004 + 1 x gpu 3.9 + 375 x local ssd 0.073/730",
        ),
        ("gcp/us-east4/a4-highgpu-8g/spot", "Google Cloud Billing catalogue", "2026-03-24", "8 x gpu slice 4"),
    ] {
        let row = &rows[name];
        let said = ["source", "as_of", "derivation"].map(|field| row[field].as_str().unwrap());
        assert_eq!(said, [source, day, derivation], "{name}");
        assert_eq!(row["currency"], "USD");
    }
    let spot = |name: &str| rows[name]["interruption_band"].as_str().unwrap();
    assert_eq!([spot("aws/us-east-1/g6e.xlarge/spot"), spot("aws/us-east-1/p4d.24xlarge/spot")], ["5-10%", "<5%"]);
    assert_eq!([spot("aws/eu-west-1/g4dn.xlarge/spot"), spot("aws/us-east-1/p5.4xlarge/spot")], ["10-15%", ""]);
    // Listed and not sold: that is known from before, and outlives the price.
    for name in ["aws/us-east-1/p3.2xlarge/on-demand", "azure/eastus/Standard_NC12s_v3/on-demand"] {
        assert_eq!(rows[name]["purchasable"], false, "{name}");
    }
    assert_eq!(rows["gcp/us-central1/a2-highgpu-1g/on-demand"]["zones"][0], "us-central1-a");
}

/// What is asked: the whole list, page by page, with the key where no log sees it.
#[test]
fn questions_are_asked_once_and_hold_no_secret() {
    let asked = world().server.asked();
    let routes = |part: &str| asked.iter().filter(|request| request.route.contains(part)).count();
    for region in ["us-east-1", "eu-west-1"] {
        assert_eq!(routes(&format!("AmazonEC2/current/{region}/")), 1);
        assert_eq!(routes(&format!("20260623215842/{region}/")), 1);
    }
    assert_eq!(
        [routes("/spot.json"), routes("/spot-advisor-data.json"), routes("v1.0/aws/index.json"), routes("region_index.json")],
        [1; 4]
    );
    assert_eq!(routes("armRegionName eq 'westeurope'"), 1);
    // 10 by the hour, 6 on spot, 5 reserved, 24 traps: 45, ten a page.
    assert_eq!(routes("armRegionName eq 'eastus'"), 5);
    assert_eq!(routes("/skus?"), 4);
    for request in &asked {
        assert!(!request.route.contains(KEY), "{}", request.route);
        let has_key = request.header("x-goog-api-key").is_some();
        assert_eq!(has_key, request.route.starts_with("/gcp/"), "{}", request.route);
        assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("gpuplan/")), "{}", request.head);
    }
}

/// The same lists again are the same prices: nothing is said to have moved, and the first snapshot stays as it was.
#[test]
fn the_same_lists_again_are_the_same_prices() {
    let server = public(Vec::new());
    let desk = Desk::at(&server);
    desk.take_cache_of(&world().desk);
    let before = desk.snapshots();
    let again = desk.refresh(&format!("{EVERYWHERE} --format json"));
    let said = again.ends(0).json();
    assert_eq!((said["changes"].as_array().map(Vec::len), said["held_back"].as_array().map(Vec::len)), (Some(0), Some(0)), "{said}");
    compare(&read_now(&desk.newest()), &golden("public.csv"), CLOSE);
    let after = desk.snapshots();
    assert_eq!(after.len(), 2);
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "the first snapshot was changed");
    let newest = desk.newest();
    let regions: BTreeSet<&str> = newest["refreshed"].as_array().unwrap().iter().map(|r: &Value| r["region"].as_str().unwrap()).collect();
    assert_eq!(regions.len(), 7);
}

/// A snapshot is newer than the one before it, though the clock says the same second: what was read now is still what was read now.
#[test]
fn refreshes_within_a_second_count_what_they_read() {
    let server = public(Vec::new());
    let desk = Desk::at(&server);
    for _ in 0..3 {
        let said = desk.refresh("--cloud azure --region westeurope --retries 0 --format json");
        let said = said.ends(0).json();
        assert_eq!((said["read"].as_u64(), said["complete"].as_bool()), (Some(6), Some(true)), "{}", desk.snapshots().len());
    }
    let listed = desk.run(&["prices", "snapshots"]);
    listed.ends(0);
    assert_eq!(listed.out.lines().filter(|line| line.ends_with("read azure: 1 region")).count(), 3, "{}", listed.out);
}

/// A region of one cloud: the others keep what they had, the embedded prices included.
#[test]
fn what_was_not_asked_for_stays() {
    let server = public(Vec::new());
    let desk = Desk::at(&server);
    desk.refresh("--cloud azure --region westeurope --retries 0").ends(0).says(&["6 of them read now", "read: azure/westeurope"]);
    let newest = desk.newest();
    let read = read_now(&newest);
    let wanted: BTreeMap<String, f64> =
        golden("public.csv").into_iter().filter(|(name, _)| name.starts_with("azure/westeurope/")).collect();
    compare(&read, &wanted, CLOSE);
    let rows = rows(&newest);
    assert!((rows["aws/us-east-1/g6e.xlarge/on-demand"]["usd_per_hour"].as_f64().unwrap() - 1.861).abs() < CLOSE);
    assert!((rows["azure/eastus/Standard_NC24ads_A100_v4/on-demand"]["usd_per_hour"].as_f64().unwrap() - 3.673).abs() < CLOSE);
    assert_eq!(server.asked().len(), 1);
}

/// Azure has no account to ask: its public list is read, and said to be public.
#[test]
fn azure_is_public_either_way() {
    let server = public(Vec::new());
    let desk = Desk::at(&server);
    desk.refresh("--cloud azure --region westeurope --source api --retries 0").ends(0).says(&["6 of them read now"]);
    assert_eq!(desk.newest()["refreshed"][0]["source"], "public");
}
