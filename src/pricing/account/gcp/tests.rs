//! The account source against a small Google Cloud on loopback, asked through the real client libraries.

use super::*;
use crate::domain::Cloud;
use crate::pricing::double::{Double, Question, Reply};
use crate::pricing::gathered::{Bought, Product};
use serde_json::{Value, json};
use std::time::Duration;

const NOW: &str = "2026-11-26T00:00:00Z";

/// Tries three times and hardly waits.
fn hasty() -> Policy {
    Policy { retries: 2, timeout: Duration::from_secs(5), first_wait: Duration::from_millis(1) }
}

/// Machines of the catalogue in these tests.
fn is_gpu_type(name: &str) -> bool {
    ["a2-highgpu-1g", "g4-standard-6", "n1-standard-4+1xT4", "n1-standard-8+1xT4", "n1-standard-4+4xT4"].contains(&name)
}

/// What the project brings where the cloud answers as given.
fn ask(cloud: &Double, policy: &Policy) -> (Gathered, Vec<Diagnostic>) {
    let regions = ["us-central1".to_owned()];
    let scope = Scope { regions: &regions, is_gpu_type: &is_gpu_type, now: NOW.parse().unwrap(), progress: &|_| () };
    // As for other tools, the address of one of them has a path.
    let (compute, billing) = (Some(format!("{}/compute/v1/", cloud.url())), Some(cloud.url()));
    fetch(&Settings { policy: *policy, project: Some("my-project".to_owned()), compute, billing }, &scope)
}

fn kind(question: &Question) -> &'static str {
    let path = question.head.split_whitespace().nth(1).unwrap_or_default();
    let starts = |start: &str| path.starts_with(start);
    if starts("/compute/v1/projects/my-project/aggregated/machineTypes?") {
        "machines"
    } else if starts("/compute/v1/projects/my-project/aggregated/acceleratorTypes?") {
        "accelerators"
    } else if starts("/compute/v1/projects/my-project/aggregated/commitments?") {
        "commitments"
    } else if starts("/v1/services/6F81-5844-456A/skus?") {
        "skus"
    } else {
        "unknown"
    }
}

fn as_json(value: &Value) -> Reply {
    Reply::Whole(200, "application/json; charset=UTF-8", value.to_string())
}

/// The form of every refusal.
fn refusal(status: u16, name: &str, message: &str, reason: &str) -> Reply {
    let details =
        json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": {} }]);
    let error = json!({ "error": { "code": status, "message": message, "status": name, "details": details } });
    Reply::Whole(status, "application/json; charset=UTF-8", error.to_string())
}

fn machine(name: &str, zone: &str, cpus: u32, mib: u32, gpu: Option<(&str, u32)>) -> Value {
    let mut machine = json!({
        "kind": "compute#machineType", "id": "3001", "creationTimestamp": "2020-01-01T00:00:00.000-08:00", "name": name, "description": name,
        "guestCpus": cpus, "memoryMb": mib, "imageSpaceGb": 0, "maximumPersistentDisks": 128, "maximumPersistentDisksSizeGb": "263168",
        "zone": zone, "selfLink": format!("https://www.googleapis.com/compute/v1/projects/p/zones/{zone}/machineTypes/{name}"), "isSharedCpu": false,
    });
    if let Some((gpu, count)) = gpu {
        machine["accelerators"] = json!([{ "guestAcceleratorType": gpu, "guestAcceleratorCount": count }]);
    }
    machine
}

/// A page of a list by zone; zones without an entry come with a warning.
fn by_zone(field: &str, zones: &[(&str, Vec<Value>)], next: &str) -> Reply {
    let mut items = json!({ "zones/europe-west9-a": { "warning": { "code": "NO_RESULTS_ON_PAGE", "message": "There are no results." } } });
    for (zone, entries) in zones {
        items[format!("zones/{zone}")] = json!({ field: entries });
    }
    let mut page = json!({ "kind": "compute#aggregatedList", "id": "projects/my-project/aggregated", "items": items });
    if !next.is_empty() {
        page["nextPageToken"] = json!(next);
    }
    as_json(&page)
}

fn accelerator(name: &str, zone: &str, most: u32) -> Value {
    json!({ "kind": "compute#acceleratorType", "id": "10012", "name": name, "zone": zone, "maximumCardsPerInstance": most })
}

fn sku(description: &str, unit: &str, units: &str, nanos: i64) -> Value {
    let price = json!({ "currencyCode": "USD", "units": units, "nanos": nanos });
    let expression = json!({ "usageUnit": unit, "displayQuantity": 1, "tieredRates": [{ "startUsageAmount": 0, "unitPrice": price }] });
    json!({
        "name": "services/6F81-5844-456A/skus/039F-D0DA-4055", "skuId": "039F-D0DA-4055", "description": description,
        "category": { "serviceDisplayName": "Compute Engine", "resourceFamily": "Compute", "resourceGroup": "GPU", "usageType": "OnDemand" },
        "serviceRegions": ["us-central1", "us-east1"],
        "pricingInfo": [{ "summary": "", "pricingExpression": expression, "currencyConversionRate": 1, "effectiveTime": "2026-10-01T10:52:50.681Z" }],
        "serviceProviderName": "Google", "geoTaxonomy": { "type": "MULTI_REGIONAL", "regions": ["us-central1", "us-east1"] }
    })
}

fn commitment(name: &str, status: &str, region: &str) -> Value {
    json!({
        "kind": "compute#commitment", "id": "77", "name": name, "status": status, "plan": "TWELVE_MONTH", "type": "ACCELERATOR_OPTIMIZED",
        "region": format!("https://www.googleapis.com/compute/v1/projects/p/regions/{region}"),
        "startTimestamp": "2026-03-01T00:00:00.000-08:00", "endTimestamp": "2027-03-01T00:00:00.000-08:00",
        "resources": [
            { "type": "VCPU", "amount": "12" }, { "type": "MEMORY", "amount": "87040" },
            { "type": "ACCELERATOR", "amount": "1", "acceleratorType": "https://x/zones/us-central1-a/acceleratorTypes/nvidia-tesla-a100" }
        ]
    })
}

/// The small Google Cloud, well.
fn well(question: &Question) -> Reply {
    let is_page = |token: &str| question.has(&format!("pageToken={token}"));
    match kind(question) {
        // Machines of one zone come on two pages.
        "machines" if is_page("machines-2") => by_zone(
            "machineTypes",
            &[(
                "us-central1-a",
                vec![
                    machine("n1-standard-4", "us-central1-a", 4, 15360, None),
                    machine("a9-highgpu-1g", "us-central1-a", 8, 65536, Some(("nvidia-x9", 1))),
                    machine("ct5lp-hightpu-1t", "us-central1-a", 24, 49152, Some(("ct5lp", 1))),
                ],
            )],
            "",
        ),
        "machines" => by_zone(
            "machineTypes",
            &[
                (
                    "us-central1-a",
                    vec![
                        machine("a2-highgpu-1g", "us-central1-a", 12, 87040, Some(("nvidia-tesla-a100", 1))),
                        machine("e2-standard-2", "us-central1-a", 2, 8192, None),
                    ],
                ),
                (
                    "us-central1-f",
                    vec![
                        machine("a2-highgpu-1g", "us-central1-f", 12, 87040, Some(("nvidia-tesla-a100", 1))),
                        machine("g4-standard-6", "us-central1-f", 6, 23040, Some(("nvidia-rtx-pro-6000", 1))),
                        machine("n1-standard-8", "us-central1-f", 8, 30720, None),
                    ],
                ),
                ("us-east1-b", vec![machine("a2-highgpu-1g", "us-east1-b", 12, 87040, Some(("nvidia-tesla-a100", 1)))]),
            ],
            "machines-2",
        ),
        "accelerators" => by_zone(
            "acceleratorTypes",
            &[
                (
                    "us-central1-a",
                    vec![accelerator("nvidia-tesla-t4", "us-central1-a", 2), accelerator("nvidia-tesla-t4-vws", "us-central1-a", 4)],
                ),
                ("us-central1-f", vec![accelerator("nvidia-tesla-a100", "us-central1-f", 16)]),
            ],
            "",
        ),
        "commitments" => as_json(&json!({ "items": {
            "regions/us-central1": { "commitments": [commitment("held", "ACTIVE", "us-central1"), commitment("over", "EXPIRED", "us-central1")] },
            "regions/us-east1": { "commitments": [commitment("elsewhere", "ACTIVE", "us-east1")] },
        } })),
        // An empty page with a token.
        "skus" if is_page("skus-2") => as_json(&json!({ "skus": [], "nextPageToken": "skus-3" })),
        "skus" if is_page("skus-3") => as_json(&json!({ "skus": [
            sku("Nvidia Tesla A100 GPU running in Americas", "h", "2", 933_908_000),
            sku("Nvidia Tesla T4 GPU running in Americas", "h", "0", 350_000_000),
            // Without a price.
            { "skuId": "0000-0000-0001", "description": "Nvidia Tesla P4 GPU running in Americas", "serviceRegions": ["us-central1"], "category": { "usageType": "OnDemand" } },
        ], "nextPageToken": "" })),
        "skus" => as_json(&json!({ "skus": [
            sku("A2 Instance Core running in Americas", "h", "0", 31_611_000),
            sku("A2 Instance Ram running in Americas", "GiBy.h", "0", 4_237_000),
            sku("N1 Predefined Instance Core running in Americas", "h", "0", 31_611_000),
            sku("N1 Predefined Instance Ram running in Americas", "GiBy.h", "0", 4_237_000),
            sku("E2 Instance Core running in Americas", "h", "0", 21_811_000),
        ], "nextPageToken": "skus-2" })),
        _ => Reply::Hangup,
    }
}

fn of(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn machines_are_put_together_where_a_zone_has_them() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, faults) = ask(&cloud, &hasty());
    assert_eq!(of(&faults), Vec::<String>::new());
    let quotes: Vec<(String, &str, String)> = gathered
        .quotes
        .iter()
        .filter(|quote| quote.bought == Bought::OnDemand)
        .map(|quote| (quote.instance_type.clone(), quote.region.as_str(), format!("{:.4}", quote.per_hour)))
        .collect();
    // 12 x .031611 + 85 x .004237 + 2.933908; 4 x .031611 + 15 x .004237 + .35.
    let expected = [
        ("a2-highgpu-1g".to_owned(), "us-central1", "3.6734".to_owned()),
        ("n1-standard-4+1xT4".to_owned(), "us-central1", "0.5400".to_owned()),
    ];
    assert_eq!(quotes, expected, "no T4 beside `n1-standard-8`, and no four of them");
    let question = cloud.asked().into_iter().find(|question| kind(question) == "skus").unwrap();
    assert!(question.has("currencyCode=USD") && question.has("pageSize=5000"), "{}", question.head);
    assert!(!question.has("authorization:"), "no credentials without TLS");
}

#[test]
fn shapes_and_zones_are_listed() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, _) = ask(&cloud, &hasty());
    let shapes: Vec<String> = gathered
        .shapes
        .iter()
        .map(|shape| format!("{} {} {} {} {}", shape.instance_type, shape.gpu_name, shape.gpus, shape.vcpus, shape.ram_gib))
        .collect();
    let expected = [
        "a2-highgpu-1g nvidia-tesla-a100 1 12 85",
        "g4-standard-6 nvidia-rtx-pro-6000 0.125 6 22.5",
        "n1-standard-4+1xT4 nvidia-tesla-t4 1 4 15",
    ];
    assert_eq!(shapes, expected, "a small G4 has a part of a GPU");
    let zones: Vec<String> =
        gathered.zones.iter().map(|offer| format!("{} {} {}", offer.instance_type, offer.region, offer.zones.join(","))).collect();
    let expected = [
        "a2-highgpu-1g us-central1 us-central1-a,us-central1-f",
        "g4-standard-6 us-central1 us-central1-f",
        "n1-standard-4+1xT4 us-central1 us-central1-a",
    ];
    assert_eq!(zones, expected, "no region that was not asked for");
}

#[test]
fn what_is_left_out_is_said() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, _) = ask(&cloud, &hasty());
    let said = of(&gathered.findings).join("\n");
    assert!(
        said.contains("[E1826] machines of Google Cloud whose parts are not known, left out (1): `a9-highgpu-1g` (nvidia-x9)"),
        "{said}"
    );
    assert!(said.contains("[E1825]") && said.contains("`0000-0000-0001`"), "{said}");
    assert!(said.contains("[E1827]") && said.contains("g4-standard-6"), "no SKU for it: {said}");
    assert!(!said.contains("ct5lp"), "a TPU is no GPU: {said}");
}

#[test]
fn active_commitments_of_the_regions_are_held() {
    let cloud = Double::start(|question, _| well(question));
    let (gathered, _) = ask(&cloud, &hasty());
    assert_eq!(gathered.owned.len(), 1, "{:?}", gathered.owned);
    let owned = &gathered.owned[0];
    assert_eq!(
        (owned.cloud, owned.region.as_str(), owned.id.as_str(), owned.product),
        (Cloud::Gcp, "us-central1", "held", Product::ResourceCommitment)
    );
    assert_eq!(owned.covers, "accelerator-optimized: 12 vcpu, 85 GiB memory, 1 nvidia-tesla-a100");
    assert_eq!(owned.ends.map(|end| end.to_string()).as_deref(), Some("2027-03-01T08:00:00Z"));
    assert_eq!((owned.count, owned.usd_per_hour), (0, None), "the rate is not known");
}

/// The small Google Cloud, where one list answers something else.
fn but(list: &'static str, reply: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Double {
    Double::start(move |question, _| if kind(question) == list { reply(question) } else { well(question) })
}

#[test]
fn refusals_become_our_codes_with_a_way_out() {
    let cases = [
        (
            "machines",
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials.",
            "X",
            codes::CREDENTIALS,
            "gcloud auth application-default login",
        ),
        (
            "machines",
            403,
            "PERMISSION_DENIED",
            "Required 'compute.machineTypes.list' permission",
            "forbidden",
            codes::NOT_ALLOWED,
            "`compute.machineTypes.list`",
        ),
        (
            "commitments",
            403,
            "PERMISSION_DENIED",
            "Required 'compute.commitments.list' permission",
            "forbidden",
            codes::NOT_ALLOWED,
            "`compute.commitments.list`",
        ),
        (
            "skus",
            403,
            "PERMISSION_DENIED",
            "Cloud Billing API is off",
            "SERVICE_DISABLED",
            codes::NOT_ALLOWED,
            "gcloud services enable cloudbilling.googleapis.com",
        ),
        (
            "machines",
            403,
            "PERMISSION_DENIED",
            "Compute Engine API has not been used in project 7 before",
            "X",
            codes::NOT_ALLOWED,
            "gcloud services enable compute.googleapis.com",
        ),
        (
            "machines",
            404,
            "NOT_FOUND",
            "The resource 'projects/my-project' was not found",
            "notFound",
            codes::BAD_QUESTION,
            "GOOGLE_CLOUD_PROJECT",
        ),
        ("skus", 429, "RESOURCE_EXHAUSTED", "Quota exceeded", "RATE_LIMIT_EXCEEDED", codes::THROTTLED, "--region"),
        ("machines", 403, "PERMISSION_DENIED", "Rate Limit Exceeded", "X", codes::THROTTLED, "--region"),
        ("skus", 500, "INTERNAL", "Internal error encountered.", "X", codes::SERVER_FAULT, "try again later"),
        ("skus", 503, "UNAVAILABLE", "The service is currently unavailable.", "X", codes::SERVER_FAULT, "try again later"),
    ];
    for (list, status, name, message, reason, expected, way_out) in cases {
        let cloud = but(list, move |_| refusal(status, name, message, reason));
        let (_, faults) = ask(&cloud, &hasty());
        assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [expected], "{list} {status} {reason}: {faults:?}");
        assert!(faults[0].help.as_deref().is_some_and(|help| help.contains(way_out)), "{list} {status}: {faults:?}");
        let asked = cloud.asked().iter().filter(|question| kind(question) == list).count();
        let again = [codes::THROTTLED, codes::SERVER_FAULT].contains(&expected);
        assert_eq!(asked, if again { 3 } else { 1 }, "{list} {status} {reason}");
    }
}

#[test]
fn a_list_that_fails_takes_nothing_from_the_others() {
    let cloud = but("skus", |_| refusal(403, "PERMISSION_DENIED", "no", "forbidden"));
    let (gathered, faults) = ask(&cloud, &hasty());
    assert_eq!((faults.len(), gathered.quotes.len(), gathered.shapes.len(), gathered.owned.len()), (1, 0, 3, 1));

    let cloud = but("accelerators", |_| refusal(403, "PERMISSION_DENIED", "no", "forbidden"));
    let (gathered, faults) = ask(&cloud, &hasty());
    assert_eq!((faults.len(), gathered.shapes.len()), (0, 2), "machines that come with GPUs are there");
    assert!(of(&gathered.findings).join("\n").contains("[E1803] GPUs that can be attached"), "{:?}", gathered.findings);

    let cloud = but("machines", |_| refusal(500, "INTERNAL", "no", "X"));
    let (gathered, faults) = ask(&cloud, &hasty());
    assert_eq!((faults.len(), gathered.quotes.len(), gathered.owned.len()), (1, 0, 1), "parts of nothing have no price");
}

#[test]
fn credentials_that_are_refused_end_the_asking() {
    let cloud = Double::start(|_, _| refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "X"));
    let (_, faults) = ask(&cloud, &hasty());
    assert_eq!(of(&faults), ["[E1810] Google Cloud: the credentials are not accepted, or have expired (HTTP 401)"]);
    assert_eq!(cloud.asked().len(), 1);
}

#[test]
fn a_throttled_list_is_asked_again() {
    let refused = std::sync::atomic::AtomicU32::new(0);
    let cloud = but("skus", move |question| {
        if refused.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 {
            return refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded", "RATE_LIMIT_EXCEEDED");
        }
        well(question)
    });
    let (gathered, faults) = ask(&cloud, &hasty());
    assert_eq!((of(&faults).len(), gathered.quotes.len()), (0, 2));
}

#[test]
fn pages_that_lead_back_are_no_list() {
    let cloud = but("machines", |_| by_zone("machineTypes", &[], "again"));
    let (gathered, faults) = ask(&cloud, &hasty());
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [codes::BROKEN_PAGES], "{faults:?}");
    assert_eq!(gathered.shapes.len(), 0);

    let cloud = but("skus", |question| {
        if question.has("pageToken=skus-2") { refusal(400, "INVALID_ARGUMENT", "Invalid page token", "X") } else { well(question) }
    });
    let (_, faults) = ask(&cloud, &hasty());
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [codes::BROKEN_PAGES], "{faults:?}");
}

#[test]
fn answers_that_break_off_or_do_not_come_are_told_apart() {
    let quick = Policy { retries: 1, timeout: Duration::from_millis(600), first_wait: Duration::from_millis(1) };
    let cases: [(&str, fn() -> Reply, &str); 5] = [
        ("cut", || Reply::Cut("application/json", "{\"skus\": [], \"nextPageToken\": \"\"}".to_owned(), 10), codes::UNREACHABLE),
        ("no JSON", || Reply::Whole(200, "text/html", "<html>sign in<html>".to_owned()), codes::MALFORMED),
        // One entry of another form than documented: the client library reads a page whole or not at all.
        ("malformed", || as_json(&json!({ "skus": [{ "description": 7 }] })), codes::MALFORMED),
        ("hangup", || Reply::Hangup, codes::UNREACHABLE),
        ("late", || Reply::Late(Duration::from_secs(3)), codes::TIMED_OUT),
    ];
    for (name, reply, expected) in cases {
        let cloud = but("skus", move |_| reply());
        let (gathered, faults) = ask(&cloud, &quick);
        assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [expected], "{name}: {faults:?}");
        assert_eq!(gathered.shapes.len(), 3, "{name}");
    }
}

#[test]
fn nobody_there_is_unreachable_and_no_project_is_said() {
    let gone = Double::start(|_, _| Reply::Hangup).url();
    let regions = ["us-central1".to_owned()];
    let scope = Scope { regions: &regions, is_gpu_type: &is_gpu_type, now: NOW.parse().unwrap(), progress: &|_| () };
    let settings = Settings { policy: hasty(), project: Some("my-project".to_owned()), compute: Some(gone.clone()), billing: Some(gone) };
    let (_, faults) = fetch(&settings, &scope);
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [codes::UNREACHABLE; 2], "{faults:?}");
    assert!(faults[0].message.to_ascii_lowercase().contains("refused"), "{faults:?}");

    let (_, faults) = fetch(&Settings { project: Some(" ".to_owned()), ..settings }, &scope);
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [codes::CREDENTIALS], "{faults:?}");
    assert!(faults[0].help.as_deref().is_some_and(|help| help.contains("GOOGLE_CLOUD_PROJECT")));
}
