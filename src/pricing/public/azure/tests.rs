//! Pages by hand, in the form that the service is recorded in.

use super::*;
use crate::pricing::loopback::{Answer, Loopback, hasty};
use serde_json::json;

fn now() -> Timestamp {
    "2026-08-15T12:00:00Z".parse().expect("a time")
}

fn is_gpu_type(size: &str) -> bool {
    size.starts_with("Standard_N")
}

/// An item of the A100 in eastus, with some fields otherwise.
fn item(otherwise: Value) -> Value {
    let mut item = json!({
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": 3.673,
        "unitPrice": 3.673,
        "armRegionName": "eastus",
        "location": "US East",
        "effectiveStartDate": "2026-01-01T00:00:00Z",
        "meterId": "m",
        "meterName": "NC24ads A100 v4",
        "productName": "Virtual Machines NCads A100 v4 Series",
        "skuName": "NC24ads A100 v4",
        "serviceName": "Virtual Machines",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": true,
        "armSkuName": "Standard_NC24ads_A100_v4",
    });
    for (name, value) in otherwise.as_object().expect("fields") {
        item[name] = value.clone();
    }
    item
}

fn page(items: &[Value], next: Option<&str>) -> String {
    json!({
        "BillingCurrency": "USD",
        "CustomerEntityId": "Default",
        "CustomerEntityType": "Retail",
        "Items": items,
        "NextPageLink": next,
        "Count": items.len(),
    })
    .to_string()
}

fn read(items: &[Value]) -> Gathered {
    let regions = ["eastus".to_owned()];
    let scope = Scope { regions: &regions, is_gpu_type: &is_gpu_type, now: now() };
    priced(parse_page(page(items, None).as_bytes()).expect("a page").items, "eastus", &scope)
}

fn prices(gathered: &Gathered) -> Vec<(Bought, f64)> {
    gathered.quotes.iter().map(|quote| (quote.bought.clone(), quote.per_hour)).collect()
}

fn told(gathered: &Gathered) -> Vec<String> {
    gathered.findings.iter().map(ToString::to_string).collect()
}

fn committed(product: Product, years: u8) -> Bought {
    Bought::Committed(Term { product, years, payment: Payment::NoUpfront })
}

/// Prices that are one division away from what is listed.
fn same(got: &[(Bought, f64)], expected: &[(Bought, f64)]) {
    let agree = |((a, x), (b, y)): (&(Bought, f64), &(Bought, f64))| a == b && (x - y).abs() < 1e-9;
    assert!(got.len() == expected.len() && got.iter().zip(expected).all(agree), "{got:#?}");
}

#[test]
fn on_demand_spot_reserved_and_savings_plan() {
    let gathered = read(&[
        item(json!({ "savingsPlan": [
            { "unitPrice": 1.69, "retailPrice": 1.69, "term": "3 Years" },
            { "unitPrice": 2.53, "retailPrice": 2.53, "term": "1 Year" },
        ] })),
        item(json!({ "skuName": "NC24ads A100 v4 Spot", "meterName": "NC24ads A100 v4 Spot", "retailPrice": 0.68 })),
        item(json!({ "type": "Reservation", "reservationTerm": "1 Year", "retailPrice": 20_586.0 })),
        item(json!({ "type": "Reservation", "reservationTerm": "3 Years", "retailPrice": 39_420.0 })),
    ]);
    same(
        &prices(&gathered),
        &[
            (Bought::OnDemand, 3.673),
            (committed(Product::AzureSavingsPlan, 3), 1.69),
            (committed(Product::AzureSavingsPlan, 1), 2.53),
            (Bought::Spot, 0.68),
            (committed(Product::Reservation, 1), 2.35), // 20586 / 8760
            (committed(Product::Reservation, 3), 1.5),  // 39420 / 26280
        ],
    );
    let quote = &gathered.quotes[0];
    assert_eq!((quote.cloud, quote.region.as_str(), quote.instance_type.as_str()), (Cloud::Azure, "eastus", "Standard_NC24ads_A100_v4"));
    assert_eq!((quote.currency.as_str(), quote.source.as_str(), quote.derivation.as_str()), ("USD", "Azure Retail Prices", ""));
    assert_eq!(quote.as_of, "2026-01-01T00:00:00Z".parse().expect("a time"));
    assert_eq!(gathered.quotes[4].derivation, "20586 for the term / 8760 h");
    assert_eq!(told(&gathered), Vec::<String>::new());
}

#[test]
fn other_products_are_left_out() {
    let gathered = read(&[
        item(json!({ "productName": "Virtual Machines NCads A100 v4 Series Windows", "retailPrice": 4.777 })),
        item(json!({ "productName": "NCads A100 v4 Series CloudServices" })),
        item(json!({ "productName": "NCads A100 v4 Series Cloud Services" })),
        item(json!({ "skuName": "NC24ads A100 v4 Low Priority", "meterName": "NC24ads A100 v4 Low Priority", "retailPrice": 0.73 })),
        item(json!({ "type": "DevTestConsumption", "retailPrice": 3.0 })),
        item(json!({ "type": "Reservation", "reservationTerm": "5 Years", "retailPrice": 50_000.0 })),
        item(json!({ "armSkuName": "Standard_D2s_v5" })),
        item(json!({ "armSkuName": "" })),
        item(json!({ "armRegionName": "westeurope" })),
    ]);
    assert!(gathered.quotes.is_empty() && gathered.findings.is_empty(), "{gathered:#?}");
}

#[test]
fn a_price_holds_from_its_start_to_its_end() {
    let dated = |price: f64, start: &str, end: Option<&str>| {
        item(json!({ "retailPrice": price, "effectiveStartDate": start, "effectiveEndDate": end }))
    };
    let gathered = read(&[
        dated(1.0, "2026-01-01T00:00:00Z", None),
        dated(2.0, "2026-07-01T00:00:00Z", Some("9999-12-31T23:59:59Z")),
        dated(3.0, "2026-08-01T00:00:00Z", Some("2026-08-10T23:59:00Z")),
        dated(4.0, "2026-09-01T00:00:00Z", None),
    ]);
    same(&prices(&gathered), &[(Bought::OnDemand, 2.0)]);
    same(&prices(&read(&[dated(3.0, "2026-08-01T00:00:00Z", Some("2026-08-15T12:00:00Z"))])), &[]);
}

#[test]
fn duplicates_that_agree_are_one_and_others_stay_for_sanity() {
    let twice = [item(json!({})), item(json!({ "meterId": "other" }))];
    same(&prices(&read(&twice)), &[(Bought::OnDemand, 3.673)]);
    let differ = [item(json!({})), item(json!({ "retailPrice": 3.7 }))];
    same(&prices(&read(&differ)), &[(Bought::OnDemand, 3.673), (Bought::OnDemand, 3.7)]);
}

#[test]
fn the_region_s_own_meter_goes_first_but_another_is_better_than_none() {
    let foreign = item(json!({ "isPrimaryMeterRegion": false, "retailPrice": 3.5, "effectiveStartDate": "2026-08-01T00:00:00Z" }));
    same(&prices(&read(&[foreign.clone(), item(json!({}))])), &[(Bought::OnDemand, 3.673)]);
    same(&prices(&read(&[foreign])), &[(Bought::OnDemand, 3.5)]);
}

#[test]
fn one_bad_entry_does_not_spoil_the_page() {
    let gathered = read(&[
        item(json!({ "armSkuName": "Standard_NC48ads_A100_v4", "retailPrice": "7.346" })),
        item(json!({ "armSkuName": "Standard_D2s_v5", "retailPrice": "0.1" })),
        item(json!({ "armSkuName": "Standard_NC8as_T4_v3", "effectiveStartDate": "soon" })),
        item(json!({ "armSkuName": "Standard_NV36ads_A10_v5", "unitOfMeasure": "1/Month" })),
        item(json!({ "armSkuName": "Standard_ND96isr_H100_v5", "type": "Reservation" })),
        json!("not even an item"),
        item(json!({ "savingsPlan": [
            { "term": "1 Year" },
            { "term": "3 Years", "retailPrice": 1.7 },
            { "term": "5 Years", "retailPrice": 1.0 },
        ] })),
    ]);
    same(&prices(&gathered), &[(Bought::OnDemand, 3.673), (committed(Product::AzureSavingsPlan, 3), 1.7)]);
    let told = told(&gathered);
    assert_eq!(told.len(), 1);
    let start = "[E1825] Azure Retail Prices of eastus: entries that cannot be read, left out (6): \
                 `Standard_NC24ads_A100_v4` (savings plan: missing field `retailPrice`), ";
    assert!(told[0].starts_with(start) && told[0].ends_with("and 3 more"), "{}", told[0]);
}

#[test]
fn zero_and_other_currencies_are_handed_on() {
    let gathered = read(&[item(json!({ "retailPrice": 0, "currencyCode": "EUR" }))]);
    same(&prices(&gathered), &[(Bought::OnDemand, 0.0)]);
    assert_eq!(gathered.quotes[0].currency, "EUR");
}

#[test]
fn what_is_no_page_is_malformed_and_what_ends_early_is_broken() {
    for text in ["{}", "{\"Items\": 3}", "<html></html>", "[]"] {
        assert!(matches!(parse_page(text.as_bytes()), Err(ReadFault::Malformed(_))), "{text}");
    }
    let whole = page(&[item(json!({}))], None);
    assert!(matches!(parse_page(&whole.as_bytes()[..whole.len() / 2]), Err(ReadFault::Broken(_))));
    assert_eq!(parse_page(page(&[], Some("")).as_bytes()).expect("a page").next.as_deref(), Some(""));
}

/// Asks a server for regions, with three tries.
fn ask(cloud: &Loopback, regions: &[&str]) -> (Gathered, Vec<Diagnostic>) {
    let regions: Vec<String> = regions.iter().map(|region| (*region).to_owned()).collect();
    let base = format!("{}/api/retail/prices", cloud.url());
    fetch(&hasty(), &base, &Scope { regions: &regions, is_gpu_type: &is_gpu_type, now: now() })
}

/// A server of two pages in eastus: the second is `second`, told where the server is.
fn two_pages(second: impl Fn(&str) -> Answer + Send + 'static, link: &'static str) -> Loopback {
    Loopback::start(move |head| {
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
        if head.contains("skip=") {
            return second(&host);
        }
        let next = link.replace("HOST", &host);
        Answer::Whole(200, page(&[item(json!({}))], Some(&next)))
    })
}

const NEXT: &str = "http://HOST/api/retail/prices?$filter=serviceName eq 'x'&$skip=1000";

#[test]
fn pages_are_followed_to_the_end() {
    let cloud = two_pages(|_| Answer::Whole(200, page(&[item(json!({ "armSkuName": "Standard_NC48ads_A100_v4" }))], None)), NEXT);
    let (gathered, faults) = ask(&cloud, &["eastus"]);
    assert!(faults.is_empty(), "{faults:?}");
    let sizes: Vec<&str> = gathered.quotes.iter().map(|quote| quote.instance_type.as_str()).collect();
    assert_eq!(sizes, ["Standard_NC24ads_A100_v4", "Standard_NC48ads_A100_v4"]);
    let first = cloud.heads()[0].lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        first,
        "GET /api/retail/prices?api-version=2023-01-01-preview&$filter=serviceName%20eq%20%27Virtual%20Machines%27%20and%20\
         armRegionName%20eq%20%27eastus%27%20and%20contains%28armSkuName%2C%20%27Standard_N%27%29%20and%20%28priceType%20eq%20\
         %27Consumption%27%20or%20priceType%20eq%20%27Reservation%27%29 HTTP/1.1"
    );
    assert!(cloud.heads()[1].contains("$filter=serviceName%20eq%20'x'&$skip=1000"), "{}", cloud.heads()[1]);
}

#[test]
fn a_link_to_another_host_is_not_followed() {
    for link in ["http://example.com/api/retail/prices?skip=1", "http://HOST@example.com/?skip=1", "https://HOST/?skip=1", "?skip=1"] {
        let cloud = two_pages(|_| Answer::Whole(200, page(&[], None)), link);
        let (gathered, faults) = ask(&cloud, &["eastus"]);
        assert!(gathered.quotes.is_empty(), "{link}");
        assert_eq!((faults.len(), faults[0].code), (1, codes::BROKEN_PAGES), "{link}");
        assert!(faults[0].message.contains("elsewhere"), "{}", faults[0]);
        assert_eq!(cloud.heads().len(), 1, "{link}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Loopback::start(|_| Answer::Whole(200, page(&[item(json!({}))], None)));
    let there = other.url();
    let cloud = Loopback::start(move |_| Answer::Elsewhere(there.clone()));
    let (gathered, faults) = ask(&cloud, &["eastus"]);
    assert!(gathered.quotes.is_empty());
    assert_eq!((faults[0].code, other.heads().len()), (codes::BAD_QUESTION, 0));
}

#[test]
fn a_page_that_comes_again_is_an_error() {
    let again = |host: &str| Answer::Whole(200, page(&[], Some(&NEXT.replace("HOST", host))));
    let (gathered, faults) = ask(&two_pages(again, NEXT), &["eastus"]);
    assert!(gathered.quotes.is_empty());
    assert_eq!(faults[0].code, codes::BROKEN_PAGES);
}

#[test]
fn an_empty_page_goes_on() {
    let cloud = Loopback::start(|head| {
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
        if head.contains("skip=") {
            Answer::Whole(200, page(&[item(json!({}))], None))
        } else {
            Answer::Whole(200, page(&[], Some(&NEXT.replace("HOST", &host))))
        }
    });
    let (gathered, faults) = ask(&cloud, &["eastus"]);
    assert_eq!((gathered.quotes.len(), faults.len()), (1, 0));
}

#[test]
fn a_missing_page_leaves_out_the_region_and_only_it() {
    for (status, code, tries) in [(404, codes::BROKEN_PAGES, 1), (503, codes::SERVER_FAULT, 3)] {
        let cloud = Loopback::start(move |head| {
            let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
            if head.contains("skip=") {
                Answer::Whole(status, String::new())
            } else if head.contains("westus2") {
                Answer::Whole(200, page(&[item(json!({ "armRegionName": "westus2" }))], None))
            } else {
                Answer::Whole(200, page(&[item(json!({}))], Some(&NEXT.replace("HOST", &host))))
            }
        });
        let (gathered, faults) = ask(&cloud, &["eastus", "westus2"]);
        let regions: Vec<&str> = gathered.quotes.iter().map(|quote| quote.region.as_str()).collect();
        assert_eq!(regions, ["westus2"]);
        assert_eq!((faults.len(), faults[0].code), (1, code));
        assert!(faults[0].message.starts_with("page 2 is missing"), "{}", faults[0]);
        assert_eq!(cloud.heads().iter().filter(|head| head.contains("skip=")).count(), tries);
    }
}

#[test]
fn a_body_that_breaks_off_is_asked_for_again() {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let cloud = Loopback::start(move |_| match tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Answer::Cut(page(&[item(json!({}))], None), 200),
        1 => Answer::Hangup,
        _ => Answer::Whole(200, page(&[item(json!({}))], None)),
    });
    let (gathered, faults) = ask(&cloud, &["eastus"]);
    assert_eq!((gathered.quotes.len(), faults.len(), cloud.heads().len()), (1, 0, 3), "{faults:?}");
}

#[test]
fn a_source_that_does_not_answer_is_not_asked_for_every_region() {
    let cloud = Loopback::start(|_| Answer::Whole(429, String::new()));
    let (gathered, faults) = ask(&cloud, &["eastus", "westus2", "japaneast"]);
    assert!(gathered.quotes.is_empty());
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [codes::THROTTLED; 2]);
    assert_eq!(faults[1].message, "Azure Retail Prices: not asked any more, for the same reason: `westus2`, `japaneast`");
    assert!(faults.iter().all(|fault| fault.help.is_some()));
    assert_eq!(cloud.heads().len(), 3);
}
