//! Pages by hand, in the form that the catalogue is recorded in.

use super::*;
use crate::pricing::gathered::Bought;
use crate::pricing::loopback::{Answer, Loopback, hasty};
use serde_json::json;
use std::collections::BTreeMap;

const KEY: &str = "AIzaTopSecret";

fn now() -> Timestamp {
    "2026-08-15T12:00:00Z".parse().expect("a time")
}

/// A SKU of the Americas; `price` is units and nanos as they stand in the answer.
fn sku(description: &str, unit: &str, price: Value) -> Value {
    json!({
        "name": "services/6F81-5844-456A/skus/039F",
        "skuId": description.chars().filter(char::is_ascii_uppercase).collect::<String>(),
        "description": description,
        "category": { "resourceFamily": "Compute", "resourceGroup": "GPU", "usageType": "OnDemand" },
        "serviceRegions": ["us-central1", "us-east1", "us-west1"],
        "pricingInfo": [info(unit, &[price], "2026-03-24T10:52:50.681Z")],
        "serviceProviderName": "Google",
        "geoTaxonomy": { "type": "MULTI_REGIONAL", "regions": ["us-central1", "us-east1", "us-west1"] },
    })
}

fn info(unit: &str, tiers: &[Value], effective: &str) -> Value {
    let rates: Vec<Value> = tiers.iter().map(|price| json!({ "startUsageAmount": 0, "unitPrice": price })).collect();
    json!({
        "summary": "",
        "pricingExpression": { "usageUnit": unit, "displayQuantity": 1, "tieredRates": rates },
        "currencyConversionRate": 1,
        "effectiveTime": effective,
    })
}

fn usd(units: &str, nanos: i64) -> Value {
    json!({ "currencyCode": "USD", "units": units, "nanos": nanos })
}

fn core() -> Value {
    sku("A2 Instance Core running in Americas", "h", usd("0", 31_611_000))
}

fn ram() -> Value {
    sku("A2 Instance Ram running in Americas", "GiBy.h", usd("0", 4_237_000))
}

fn gpu() -> Value {
    sku("Nvidia Tesla A100 GPU running in Americas", "h", usd("2", 933_908_000))
}

fn with(mut sku: Value, pointer: &str, value: Value) -> Value {
    *sku.pointer_mut(pointer).expect("a field") = value;
    sku
}

fn page(skus: &[Value], next: &str) -> String {
    json!({ "skus": skus, "nextPageToken": next }).to_string()
}

fn a2() -> Machine {
    Machine {
        instance_type: "a2-highgpu-1g".to_owned(),
        accelerator: "a100-40-sxm".to_owned(),
        gpus: 1.0,
        vcpus: 12.0,
        ram_gib: 85.0,
        local_ssd_gib: 0.0,
        zones: BTreeMap::from([("us-central1".to_owned(), vec!["us-central1-a".to_owned()])]),
    }
}

/// What comes of these SKUs for one a2-highgpu-1g in Iowa.
fn read(skus: &[Value]) -> Gathered {
    let regions = ["us-central1".to_owned()];
    let entries = parse_page(page(skus, "").as_bytes()).expect("a page").items;
    priced(entries, &Scope { regions: &regions, machines: &[a2()], now: now() })
}

fn on_demand(gathered: &Gathered) -> f64 {
    let prices: Vec<f64> = gathered.quotes.iter().filter(|q| q.bought == Bought::OnDemand).map(|q| q.per_hour).collect();
    assert_eq!(prices.len(), 1, "{gathered:#?}");
    prices[0]
}

/// Sums are rounded to the billionth in which prices are listed.
fn close(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-9, "{got} is not {expected}");
}

#[test]
fn recorded_prices_add_up() {
    let gathered = read(&[gpu(), ram(), core()]);
    close(on_demand(&gathered), 3.673_385);
    let quote = &gathered.quotes[0];
    assert_eq!((quote.currency.as_str(), quote.source.as_str()), ("USD", "Google Cloud Billing catalogue"));
    assert_eq!(quote.as_of, "2026-03-24T10:52:50.681Z".parse().expect("a time"));
    assert_eq!(quote.derivation, "12 x core 0.031611 + 85 x ram 0.004237 + 1 x gpu 2.933908");
}

#[test]
fn units_are_a_string_and_what_is_zero_may_be_absent() {
    for price in [usd("3", 0), json!({ "currencyCode": "USD", "units": "3" }), json!({ "currencyCode": "USD", "units": 3 })] {
        close(
            on_demand(&read(&[core(), ram(), sku("Nvidia Tesla A100 GPU running in Americas", "h", price)])),
            3.673_385 - 2.933_908 + 3.0,
        );
    }
    let nanos = json!({ "currencyCode": "USD", "nanos": 500_000_000 });
    close(on_demand(&read(&[core(), ram(), sku("Nvidia Tesla A100 GPU running in Americas", "h", nanos)])), 3.673_385 - 2.933_908 + 0.5);
}

#[test]
fn the_last_tier_with_a_price_counts() {
    let tiers = |prices: &[Value]| with(gpu(), "/pricingInfo", json!([info("h", prices, "2026-01-01T00:00:00Z")]));
    for prices in [vec![usd("0", 0), usd("3", 0)], vec![usd("9", 0), usd("3", 0)], vec![usd("3", 0), usd("0", 0)]] {
        close(on_demand(&read(&[core(), ram(), tiers(&prices)])), 3.673_385 - 2.933_908 + 3.0);
    }
}

#[test]
fn the_newest_price_that_is_not_in_the_future_holds() {
    let at = |price: &str, time: &str| info("h", &[usd(price, 0)], time);
    let infos = json!([at("4", "2026-08-01T00:00:00Z"), at("3", "2026-01-01T00:00:00Z"), at("9", "2026-09-01T00:00:00Z")]);
    close(on_demand(&read(&[core(), ram(), with(gpu(), "/pricingInfo", infos)])), 3.673_385 - 2.933_908 + 4.0);
    let future = json!([at("9", "2026-09-01T00:00:00Z")]);
    assert_eq!(read(&[core(), ram(), with(gpu(), "/pricingInfo", future)]).quotes, []);
}

#[test]
fn both_spellings_of_the_time_are_read() {
    let mut skus = [core(), ram(), gpu()];
    for sku in &mut skus {
        let info = sku["pricingInfo"][0].as_object_mut().expect("an object");
        let time = info.remove("effectiveTime").expect("a time");
        info.insert("EffectiveTime".to_owned(), time);
    }
    assert_eq!(read(&skus).quotes[0].as_of, "2026-03-24T10:52:50.681Z".parse().expect("a time"));
}

#[test]
fn zero_is_no_price() {
    let gathered = read(&[core(), ram(), sku("Nvidia Tesla A100 GPU running in Americas", "h", usd("0", 0))]);
    assert_eq!(gathered.quotes, []);
    let codes: Vec<&str> = gathered.findings.iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&codes::NO_PRICE) && codes.contains(&codes::PARTS_MISSING), "{codes:?}");
}

#[test]
fn rupiah_stay_rupiah() {
    let rupiah = |sku: Value| with(sku, "/pricingInfo/0/pricingExpression/tieredRates/0/unitPrice/currencyCode", json!("IDR"));
    let gathered = read(&[rupiah(core()), rupiah(ram()), rupiah(gpu())]);
    assert_eq!(gathered.quotes[0].currency, "IDR");
}

#[test]
fn one_bad_entry_does_not_spoil_the_page() {
    let gathered = read(&[
        core(),
        ram(),
        gpu(),
        with(gpu(), "/description", json!(7)),
        with(gpu(), "/serviceRegions", json!([])),
        with(gpu(), "/pricingInfo", json!([])),
        with(gpu(), "/pricingInfo/0/pricingExpression/tieredRates/0/unitPrice/units", json!("two")),
        with(sku("N2 Instance Core running in Americas", "h", usd("0", 1)), "/pricingInfo", json!("none of ours")),
    ]);
    close(on_demand(&gathered), 3.673_385);
    let told = gathered.findings.iter().find(|finding| finding.code == codes::BAD_ENTRY).expect("a finding").to_string();
    let start = "[E1825] Google Cloud Billing catalogue: entries that cannot be read, left out (4): `NTAGPUA` (): no description";
    assert!(told.starts_with(start), "{told}");
    assert!(told.ends_with("and 1 more"), "{told}");
}

#[test]
fn what_is_no_page_is_malformed_and_what_ends_early_is_broken() {
    for text in ["[1]", "{\"skus\": 3}", "<html></html>"] {
        assert!(matches!(parse_page(text.as_bytes()), Err(ReadFault::Malformed(_))), "{text}");
    }
    let whole = page(&[core()], "");
    assert!(matches!(parse_page(&whole.as_bytes()[..whole.len() / 2]), Err(ReadFault::Broken(_))));
    let empty = parse_page("{\"nextPageToken\": \"more\"}".as_bytes()).expect("an empty page");
    assert_eq!((empty.items.len(), empty.next.as_deref()), (0, Some("more")));
}

fn ask(cloud: &Loopback, key: &str) -> Result<Gathered, Diagnostic> {
    let regions = ["us-central1".to_owned()];
    let base = format!("{}/v1", cloud.url());
    fetch(&hasty(), &Source { base: &base, key }, &Scope { regions: &regions, machines: &[a2()], now: now() })
}

/// A catalogue of three pages, the second of them empty.
fn three_pages(third: impl Fn() -> Answer + Send + 'static) -> Loopback {
    Loopback::start(move |head| match head.split_once("pageToken=").map(|(_, rest)| rest.split(' ').next().unwrap_or_default()) {
        None => Answer::Whole(200, page(&[core(), ram()], "a+b/=")),
        Some("a%2Bb%2F%3D") => Answer::Whole(200, json!({ "nextPageToken": "last" }).to_string()),
        Some("last") => third(),
        Some(other) => Answer::Whole(400, other.to_owned()),
    })
}

#[test]
fn pages_are_followed_and_the_key_is_in_no_address() {
    let cloud = three_pages(|| Answer::Whole(200, page(&[gpu()], "")));
    close(on_demand(&ask(&cloud, KEY).expect("prices")), 3.673_385);
    let heads = cloud.heads();
    assert_eq!(heads.len(), 3);
    let first = heads[0].lines().next().unwrap_or_default();
    assert_eq!(first, "GET /v1/services/6F81-5844-456A/skus?pageSize=5000&currencyCode=USD HTTP/1.1");
    assert!(heads.iter().all(|head| head.contains(&format!("x-goog-api-key: {KEY}\r\n"))));
    assert!(heads.iter().all(|head| !head.lines().next().unwrap_or_default().contains(KEY)));
}

#[test]
fn faults_of_pages_leave_out_the_whole() {
    type Third = fn() -> Answer;
    let cases: [(Third, &str, usize); 6] = [
        (|| Answer::Whole(404, String::new()), codes::BROKEN_PAGES, 3),
        (|| Answer::Whole(500, String::new()), codes::SERVER_FAULT, 5),
        (|| Answer::Whole(200, page(&[gpu()], "a+b/=")), codes::BROKEN_PAGES, 3),
        (|| Answer::Cut(page(&[gpu()], ""), 300), codes::MALFORMED, 5),
        (|| Answer::Hangup, codes::UNREACHABLE, 5),
        (|| Answer::Whole(200, "<html>sign in</html>".to_owned()), codes::MALFORMED, 3),
    ];
    for (third, code, asked) in cases {
        let cloud = three_pages(third);
        let fault = ask(&cloud, KEY).expect_err("a fault");
        assert_eq!((fault.code, cloud.heads().len()), (code, asked), "{fault}");
        assert!(fault.help.is_some() && !fault.message.contains(KEY), "{fault}");
    }
}

#[test]
fn a_bad_key_says_so_and_is_not_shown() {
    let body = json!({ "error": {
        "code": 400, "message": format!("API key not valid: {KEY}. Please pass a valid API key."), "status": "INVALID_ARGUMENT",
        "details": [{ "reason": "API_KEY_INVALID", "domain": "googleapis.com" }],
    } });
    let cloud = Loopback::start(move |_| Answer::Whole(400, body.to_string()));
    let fault = ask(&cloud, KEY).expect_err("a bad key");
    assert_eq!((fault.code, cloud.heads().len()), (codes::NOT_ALLOWED, 1));
    assert!(fault.message.contains("API key not valid") && !fault.message.contains(KEY), "{fault}");
    for key in ["", "  ", "two words", "line\nbreak", "schlüssel"] {
        let fault = ask(&cloud, key).expect_err("no key");
        assert_eq!(fault.code, codes::CREDENTIALS);
        assert!(fault.help.as_deref().is_some_and(|help| help.contains("GOOGLE_API_KEY")));
    }
    assert_eq!(cloud.heads().len(), 1);
}

#[test]
fn the_key_is_not_carried_to_another_server() {
    let other = Loopback::start(|_| Answer::Whole(200, page(&[core(), ram(), gpu()], "")));
    let there = other.url();
    let cloud = Loopback::start(move |_| Answer::Elsewhere(there.clone()));
    assert_eq!(ask(&cloud, KEY).expect_err("a redirect").code, codes::BAD_QUESTION);
    assert_eq!(other.heads(), Vec::<String>::new());
}

#[test]
fn a_catalogue_without_gpus_is_no_catalogue() {
    let cloud = Loopback::start(|_| Answer::Whole(200, page(&[sku("N2 Instance Core running in Americas", "h", usd("0", 1))], "")));
    assert_eq!(ask(&cloud, KEY).expect_err("nothing").code, codes::NOTHING_FOUND);
}
