//! Google Cloud on loopback: the billing catalogue in four pages, of which the second is empty. Every price below is one of ours.
//!
//! A machine is its parts: vCPUs x core + GiB x RAM + GPUs x GPU + GiB x local SSD. Sums are worked out beside the parts.

use super::clouds::Request;
use serde_json::{Value, json};

const AMERICAS: &[&str] = &["us-central1", "us-east1", "us-west1"];
const VIRGINIA: &[&str] = &["us-east4"];
const NETHERLANDS: &[&str] = &["europe-west4"];
/// Names of several regions.
const EUROPE: &[&str] = &["europe"];
const EMEA: &[&str] = &["emea"];

/// Description, usage type, regions, unit, currency, price.
type Sku = (&'static str, &'static str, &'static [&'static str], &'static str, &'static str, &'static str);

const H: &str = "h";
const GIB: &str = "GiBy.h";
const MONTH: &str = "GiBy.mo";
const OD: &str = "OnDemand";
const SPOT: &str = "Preemptible";
const C1: &str = "Commit1Yr";
const C3: &str = "Commit3Yr";

const PARTS: &[Sku] = &[
    // A2 in us-central1. a2-highgpu-1g has 12 vCPUs, 85 GiB, one A100 of 40 GB; 2g, 4g and 8g are that times 2, 4 and 8.
    // a2-megagpu-16g: 96 vCPUs, 1360 GiB, sixteen.
    // on demand: 12 x 0.03 + 85 x 0.004 + 3 = 0.36 + 0.34 + 3 = 3.70; 7.40; 14.80; 29.60; 2.88 + 5.44 + 48 = 56.32
    ("A2 Instance Core running in Americas", OD, AMERICAS, H, "USD", "0.03"),
    ("A2 Instance Ram running in Americas", OD, AMERICAS, GIB, "USD", "0.004"),
    ("Nvidia Tesla A100 GPU running in Americas", OD, AMERICAS, H, "USD", "3"),
    // spot: 0.18 + 0.17 + 1.55 = 1.90; 3.80; 7.60; 15.20; 1.44 + 2.72 + 24.80 = 28.96
    ("Spot Preemptible A2 Instance Core running in Americas", SPOT, AMERICAS, H, "USD", "0.015"),
    ("Spot Preemptible A2 Instance Ram running in Americas", SPOT, AMERICAS, GIB, "USD", "0.002"),
    ("Nvidia Tesla A100 GPU attached to Spot Preemptible VMs running in Americas", SPOT, AMERICAS, H, "USD", "1.55"),
    // one year: 0.228 + 0.221 + 1.85 = 2.299; 4.598; 9.196; 18.392; 1.824 + 3.536 + 29.6 = 34.96
    ("Commitment v1: A2 Cpu in Americas for 1 Year", C1, AMERICAS, H, "USD", "0.019"),
    ("Commitment v1: A2 Ram in Americas for 1 Year", C1, AMERICAS, GIB, "USD", "0.0026"),
    ("Commitment v1: Nvidia Tesla A100 GPU running in Americas for 1 Year", C1, AMERICAS, H, "USD", "1.85"),
    // three years: 0.126 + 0.1275 + 1.03 = 1.2835; 2.567; 5.134; 10.268; 1.008 + 2.04 + 16.48 = 19.528
    ("Commitment v1: A2 Cpu in Americas for 3 Years", C3, AMERICAS, H, "USD", "0.0105"),
    ("Commitment v1: A2 Ram in Americas for 3 Years", C3, AMERICAS, GIB, "USD", "0.0015"),
    ("Commitment v1: Nvidia Tesla A100 GPU running in Americas for 3 Years", C3, AMERICAS, H, "USD", "1.03"),
    // A2 Ultra: 12 vCPUs, 170 GiB, one A100 of 80 GB, 375 GiB of local SSD, times 1, 2, 4 and 8. A month has 730 hours: SSD at 0.073 is
    // 0.0001 an hour. No commitment is sold for its GPU, so that it has none.
    // on demand: 0.36 + 0.68 + 3.90 + 0.0375 = 4.9775; 9.955; 19.91; 39.82
    ("Nvidia Tesla A100 80GB GPU running in Americas", OD, AMERICAS, H, "USD", "3.9"),
    ("SSD backed Local Storage", OD, AMERICAS, MONTH, "USD", "0.073"),
    // spot: 0.18 + 0.34 + 2.10 + 375 x 0.00005 = 2.63875; 5.2775; 10.555; 21.11
    ("Nvidia Tesla A100 80GB GPU attached to Spot Preemptible VMs running in Americas", SPOT, AMERICAS, H, "USD", "2.1"),
    ("SSD backed Local Storage attached to Spot Preemptible VMs", SPOT, AMERICAS, MONTH, "USD", "0.0365"),
    // A3 High: 26 vCPUs, 234 GiB, one H100, 750 GiB of local SSD, times 1, 2, 4 and 8. Only the 8g is sold on demand, and committed to. The
    // family's own local SSD goes before the general one: 0.0876 / 730 = 0.00012.
    // on demand: 208 x 0.05 + 1872 x 0.004 + 8 x 9 + 6000 x 0.00012 = 10.4 + 7.488 + 72 + 0.72 = 90.608
    ("A3 Instance Core running in Americas", OD, AMERICAS, H, "USD", "0.05"),
    ("A3 Instance Ram running in Americas", OD, AMERICAS, GIB, "USD", "0.004"),
    ("Nvidia H100 80GB GPU running in Americas", OD, AMERICAS, H, "USD", "9"),
    ("A3 Instance Local SSD running in Americas", OD, AMERICAS, MONTH, "USD", "0.0876"),
    // spot, with the general SSD: 0.52 + 0.351 + 5 + 750 x 0.00005 = 5.9085; 11.817; 23.634; 47.268
    ("Spot Preemptible A3 Instance Core running in Americas", SPOT, AMERICAS, H, "USD", "0.02"),
    ("Spot Preemptible A3 Instance Ram running in Americas", SPOT, AMERICAS, GIB, "USD", "0.0015"),
    ("Nvidia H100 80GB GPU attached to Spot Preemptible VMs running in Americas", SPOT, AMERICAS, H, "USD", "5"),
    // one year, 8g: 7.28 + 5.2416 + 49.6 + 6000 x 0.0511 / 730 = 7.28 + 5.2416 + 49.6 + 0.42 = 62.5416
    ("Commitment v1: A3 Cpu in Americas for 1 Year", C1, AMERICAS, H, "USD", "0.035"),
    ("Commitment v1: A3 Ram in Americas for 1 Year", C1, AMERICAS, GIB, "USD", "0.0028"),
    ("Commitment v1: Nvidia H100 80GB GPU running in Americas for 1 Year", C1, AMERICAS, H, "USD", "6.2"),
    ("Commitment v1: Local SSD In Americas for 1 Year", C1, AMERICAS, MONTH, "USD", "0.0511"),
    // A3 Mega has no zone in us-central1: prices, and no machine. Whoever takes this GPU for the H100 of A3 High finds 10.2 beside 9.
    ("A3Plus Instance Core running in Americas", OD, AMERICAS, H, "USD", "0.055"),
    ("A3Plus Instance Ram running in Americas", OD, AMERICAS, GIB, "USD", "0.0045"),
    ("Nvidia H100 80GB Mega GPU running in Americas", OD, AMERICAS, H, "USD", "10.2"),
    // A3 Ultra is sold on spot only: 224 x 0.02 + 2952 x 0.0015 + 8 x 4.5 + 12000 x 0.00005 = 4.48 + 4.428 + 36 + 0.6 = 45.508
    ("A3 Ultra Instance Core running in Americas", OD, AMERICAS, H, "USD", "0.05"),
    ("A3Ultra Instance Ram running in Americas", OD, AMERICAS, GIB, "USD", "0.004"),
    ("H200 141GB GPU running in Americas", OD, AMERICAS, H, "USD", "10"),
    ("Spot Preemptible A3Ultra Instance Core running in Americas", SPOT, AMERICAS, H, "USD", "0.02"),
    ("Spot Preemptible A3 Ultra Instance Ram running in Americas", SPOT, AMERICAS, GIB, "USD", "0.0015"),
    ("H200 141GB GPU attached to Spot Preemptible VMs running in Americas", SPOT, AMERICAS, H, "USD", "4.5"),
    // N1 with T4. 4 vCPUs, 15 GiB: 0.12 + 0.06 + 0.35 = 0.53; 8, 30: 0.24 + 0.12 + 0.35 = 0.71, with two 1.06; 16, 60, four: 0.48 + 0.24 + 1.4 = 2.12
    ("N1 Predefined Instance Core running in Americas", OD, AMERICAS, H, "USD", "0.03"),
    ("N1 Predefined Instance Ram running in Americas", OD, AMERICAS, GIB, "USD", "0.004"),
    ("Nvidia Tesla T4 GPU running in Americas", OD, AMERICAS, H, "USD", "0.35"),
    // Not in dollars: left out.
    ("Preemptible N1 Predefined Instance Core running in Americas", SPOT, AMERICAS, H, "IDR", "150.25"),
    ("Preemptible N1 Predefined Instance Ram running in Americas", SPOT, AMERICAS, GIB, "IDR", "20.5"),
    ("Nvidia Tesla T4 GPU attached to Spot Preemptible VMs running in Americas", SPOT, AMERICAS, H, "IDR", "2500"),
    // A4 in us-east4, by the slice, sold on spot only; its spot SKU says that it is on demand. 8 x 4 = 32
    ("Spot Preemptible A4 Nvidia B200 (1 gpu slice) running in Virginia", OD, VIRGINIA, H, "USD", "4"),
    ("A4 Nvidia B200 (1 gpu slice) running in Virginia", OD, VIRGINIA, H, "USD", "16.11"),
    ("DWS Calendar Mode A4 Nvidia B200 (1 gpu slice) running in Virginia", OD, VIRGINIA, H, "USD", "0.01"),
    // G2 in europe-west4: vCPUs x 0.027 + GiB x 0.0032 + 0.58 a GPU. The region's own price goes before that of a group.
    // standard-4: 0.108 + 0.0512 + 0.58 = 0.7392; -8: 0.216 + 0.1024 + 0.58 = 0.8984; -12: 0.324 + 0.1536 + 0.58 = 1.0576
    // -16: 0.432 + 0.2048 + 0.58 = 1.2168; -32: 0.864 + 0.4096 + 0.58 = 1.8536; -24, two: 0.648 + 0.3072 + 1.16 = 2.1152
    // -48, four: 1.296 + 0.6144 + 2.32 = 4.2304; -96, eight: 2.592 + 1.2288 + 4.64 = 8.4608
    ("G2 Instance Core running in Netherlands", OD, NETHERLANDS, H, "USD", "0.027"),
    ("G2 Instance Ram running in Europe", OD, EUROPE, GIB, "USD", "0.0032"),
    ("Nvidia L4 GPU running in Netherlands", OD, NETHERLANDS, H, "USD", "0.58"),
    ("Nvidia L4 GPU running in EMEA", OD, EMEA, H, "USD", "0.99"),
    // Spot twice at two prices: the old prices stay.
    ("Spot Preemptible G2 Instance Core running in Netherlands", SPOT, NETHERLANDS, H, "USD", "0.012"),
    ("Spot Preemptible G2 Instance Ram running in Netherlands", SPOT, NETHERLANDS, GIB, "USD", "0.0014"),
    ("Nvidia L4 GPU attached to Spot Preemptible VMs running in Netherlands", SPOT, NETHERLANDS, H, "USD", "0.29"),
    ("Nvidia L4 GPU attached to Spot Preemptible VMs running in Netherlands", SPOT, NETHERLANDS, H, "USD", "0.31"),
    // A3 Mega in europe-west4: 208 x 0.055 + 1872 x 0.0045 + 8 x 10.5 + 6000 x 0.00011 = 11.44 + 8.424 + 84 + 0.66 = 104.524
    ("A3Plus Instance Core running in Netherlands", OD, NETHERLANDS, H, "USD", "0.055"),
    ("A3Plus Instance Ram running in Netherlands", OD, NETHERLANDS, GIB, "USD", "0.0045"),
    ("Nvidia H100 80GB Plus GPU running in Netherlands", OD, NETHERLANDS, H, "USD", "10.5"),
    ("SSD backed Local Storage in Netherlands", OD, NETHERLANDS, MONTH, "USD", "0.0803"),
    // spot: 4.576 + 3.3696 + 31.2 + 6000 x 0.00006 = 39.5056
    ("Spot Preemptible A3Plus Instance Core running in Netherlands", SPOT, NETHERLANDS, H, "USD", "0.022"),
    ("Spot Preemptible A3Plus Instance Ram running in Netherlands", SPOT, NETHERLANDS, GIB, "USD", "0.0018"),
    ("Nvidia H100 80GB Mega GPU attached to Spot Preemptible VMs running in Netherlands", SPOT, NETHERLANDS, H, "USD", "3.9"),
    ("SSD backed Local Storage attached to Spot Preemptible VMs in Netherlands", SPOT, NETHERLANDS, MONTH, "USD", "0.0438"),
    // A GPU without cores and memory: no machine.
    ("Nvidia H100 80GB GPU running in Netherlands", OD, NETHERLANDS, H, "USD", "9.5"),
    // G4 in europe-west4; its GPU is called by no such word. standard-48: 1.92 + 0.9 + 2 = 4.82; -96: 9.64; -192: 19.28; -384: 38.56
    // parts of one: -6: 0.24 + 0.11 + 0.25 = 0.60; -12: 0.48 + 0.225 + 0.5 = 1.205; -24: 0.96 + 0.45 + 1 = 2.41
    ("G4 Instance Core running in Netherlands", OD, NETHERLANDS, H, "USD", "0.04"),
    ("G4 Instance Ram running in Netherlands", OD, NETHERLANDS, GIB, "USD", "0.005"),
    ("RTX 6000 96GB running in Netherlands", OD, NETHERLANDS, H, "USD", "2"),
];

/// Other products, all of them said to be on demand, for a cent.
const DECOYS: &[&str] = &[
    "DWS Calendar Mode Nvidia H100 80GB GPU running in Americas",
    "Nvidia H100 80GB GPU in Calendar Mode running in Americas",
    "DWS Defined Duration A2 Instance Core running in Americas",
    "Reserved A2 Core in Americas",
    "Reserved Nvidia Tesla A100 GPU in Americas",
    "A2 Sole Tenancy Instance Core running in Americas",
    "Sole Tenancy Premium for A2 Sole Tenancy Instance Core running in Americas",
    "Custom Instance Core running in Americas",
    "A2 Custom Instance Core running in Americas",
    "Committed Use Discount Premium for A2 Instance Core running in Americas",
    "Nvidia Tesla A100 GPU suspended in Americas",
    "A2 Instance Ram suspended running in Americas",
    "Nvidia Tesla T4 Virtual Workstation GPU running in Americas",
    "Nvidia Tesla A100 GPU attached to something else running in Americas",
    "N2 Instance Core running in Americas",
    "Commitment - dollar based v1: GCE for 1 year",
];

/// Tiers of a price: nothing for the first hours, then the price, then nothing again. The last that has a price counts.
const TIERED: &str = "A2 Instance Core running in Americas";
/// A price that was another one before, and will be another one.
const CHANGED: &str = "Nvidia Tesla A100 GPU running in Americas";

fn money(currency: &str, price: &str) -> Value {
    let (units, decimals) = price.split_once('.').unwrap_or((price, ""));
    let nanos: u32 = format!("{decimals:0<9}").parse().expect("nanos");
    // Whole units are a text. A part that is zero need not be there.
    if nanos == 0 {
        json!({"currencyCode": currency, "units": units})
    } else {
        json!({"currencyCode": currency, "units": units, "nanos": nanos})
    }
}

fn info(unit: &str, tiers: &[Value], from: &str) -> Value {
    let rates: Vec<Value> = tiers.iter().enumerate().map(|(at, price)| json!({"startUsageAmount": at * 10, "unitPrice": price})).collect();
    json!({
        "summary": "",
        "pricingExpression": {"usageUnit": unit, "displayQuantity": 1, "tieredRates": rates, "usageUnitDescription": "words", "baseUnit": "s",
            "baseUnitDescription": "words", "baseUnitConversionFactor": 3600},
        "currencyConversionRate": 1,
        "effectiveTime": from,
    })
}

fn sku(at: usize, (description, usage, regions, unit, currency, price): &Sku) -> Value {
    let price = money(currency, price);
    let nothing = money(currency, "0");
    let from = "2026-03-24T10:52:50.681Z";
    let mut infos = match *description {
        TIERED => vec![info(unit, &[nothing.clone(), price, nothing], from)],
        CHANGED => vec![
            info(unit, &[money(currency, "2.5")], "2024-01-01T00:00:00Z"),
            info(unit, &[price], from),
            info(unit, &[money(currency, "9.9")], "2199-01-01T00:00:00Z"),
        ],
        _ => vec![info(unit, &[price], from)],
    };
    // Recorded answers have both spellings.
    if at % 7 == 3 {
        let first = infos[0].as_object_mut().expect("an object");
        let time = first.remove("effectiveTime").expect("a time");
        first.insert("EffectiveTime".to_owned(), time);
    }
    json!({
        "name": format!("services/6F81-5844-456A/skus/{at:04X}-0000-0001"), "skuId": format!("{at:04X}-0000-0001"), "description": description,
        "category": {"serviceDisplayName": "Compute Engine", "resourceFamily": "Compute", "resourceGroup": "GPU", "usageType": usage},
        "serviceRegions": regions, "pricingInfo": infos, "serviceProviderName": "Google",
        "geoTaxonomy": {"type": if regions.len() > 1 { "MULTI_REGIONAL" } else { "REGIONAL" }, "regions": regions},
    })
}

/// The whole catalogue.
pub fn skus() -> Vec<Value> {
    let decoys = DECOYS.iter().map(|description| (*description, OD, AMERICAS, H, "USD", "0.01"));
    let mut skus: Vec<Value> = decoys.chain(PARTS.iter().copied()).enumerate().map(|(at, one)| sku(at, &one)).collect();
    // Half an entry of a part that is ours.
    let mut bad = sku(999, &("A2 Instance Core running in Americas", OD, AMERICAS, H, "USD", "0.01"));
    bad["pricingInfo"][0]["pricingExpression"]["tieredRates"][0]["unitPrice"]["units"] = json!("none");
    skus.push(bad);
    skus
}

/// Tokens of the pages after the first; a token is opaque and must be encoded.
pub const TOKENS: [&str; 3] = ["APKCS1H/two+2=", "APKCS1H/three=", "APKCS1H/four="];

/// The page that is asked for with a key.
pub fn page(request: &Request) -> Option<String> {
    if request.route.starts_with("/gcp/v1/services/6F81-5844-456A/skus?") { part_of(&skus(), request) } else { None }
}

/// The page that is asked for through an account. A client library knows one spelling and no half entries: it would refuse the page.
#[cfg(feature = "gcp")]
pub fn account_page(request: &Request) -> Option<String> {
    if !request.route.starts_with("/v1/services/6F81-5844-456A/skus?") {
        return None;
    }
    let mut skus = skus();
    skus.pop();
    for sku in &mut skus {
        for info in sku["pricingInfo"].as_array_mut().expect("prices") {
            if let Some(time) = info.as_object_mut().expect("an object").remove("EffectiveTime") {
                info["effectiveTime"] = time;
            }
        }
    }
    part_of(&skus, request)
}

/// A third of the catalogue each, and an empty page.
fn part_of(skus: &[Value], request: &Request) -> Option<String> {
    assert_eq!((request.query("currencyCode"), request.query("pageSize")), (Some("USD"), Some("5000")), "{}", request.route);
    let token = request.query("pageToken").filter(|token| !token.is_empty());
    let third = skus.len().div_ceil(3);
    let part = |from: usize| skus.iter().skip(from * third).take(third).collect::<Vec<_>>();
    let [two, three, four] = TOKENS;
    let page = match token {
        None => json!({"skus": part(0), "nextPageToken": two}),
        Some(token) if token == two => json!({"nextPageToken": three}),
        Some(token) if token == three => json!({"skus": part(1), "nextPageToken": four}),
        Some(token) if token == four => json!({"skus": part(2), "nextPageToken": ""}),
        Some(_) => return None,
    };
    Some(page.to_string())
}
