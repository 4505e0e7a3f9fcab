//! All AWS documents from a cloud on loopback: whole, and with one of them missing.

#![expect(clippy::unwrap_used, reason = "test")]

use super::*;
use crate::pricing::loopback::{Answer, Loopback, hasty};

const INDEX: &str = "/offers/v1.0/aws/index.json";
const PLAN_REGIONS: &str = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/region_index.json";
const PLANS_OF_EAST: &str = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/20260801000000/us-east-1/index.json";

fn list_of(region: &str) -> String {
    format!("/offers/v1.0/aws/AmazonEC2/current/{region}/index.json")
}

/// The document at a path; machines `g6e.xlarge` in us-east-1, `g6e.xlarge` and one that nobody knows in eu-west-1.
fn document(path: &str) -> Option<String> {
    let product = |sku: &str, machine: &str, region: &str| {
        format!(
            r#""{sku}":{{"sku":"{sku}","productFamily":"Compute Instance","attributes":{{"locationType":"AWS Region","instanceType":"{machine}",
            "vcpu":"4","memory":"32 GiB","gpu":"1","tenancy":"Shared","operatingSystem":"Linux","operation":"RunInstances",
            "capacitystatus":"Used","marketoption":"OnDemand","preInstalledSw":"NA","regionCode":"{region}"}}}}"#
        )
    };
    let term = |sku: &str, price: &str| {
        format!(
            r#""{sku}":{{"{sku}.J":{{"effectiveDate":"2026-08-01T00:00:00Z","termAttributes":{{}},
            "priceDimensions":{{"{sku}.J.6":{{"unit":"Hrs","pricePerUnit":{{"USD":"{price}"}}}}}}}}}}"#
        )
    };
    Some(match path {
        "/spot.json" => r#"{"config":{"regions":[{"region":"us-east-1","instanceTypes":[{"type":"gpu","sizes":[
            {"size":"g6e.xlarge","valueColumns":[{"name":"linux","prices":{"USD":"1.6119"}}]}]}]}]}}"#
            .to_owned(),
        "/advisor.json" => r#"{"ranges":[{"index":1,"label":"5-10%","max":11}],
            "spot_advisor":{"us-east-1":{"Linux":{"g6e.xlarge":{"s":40,"r":1}}},"eu-west-1":{"Linux":{}}}}"#
            .to_owned(),
        INDEX => format!(r#"{{"offers":{{"AmazonEC2":{{"currentSavingsPlanIndexUrl":"{PLAN_REGIONS}"}}}}}}"#),
        PLAN_REGIONS => format!(r#"{{"regions":[{{"regionCode":"us-east-1","versionUrl":"{PLANS_OF_EAST}"}}]}}"#),
        PLANS_OF_EAST => r#"{"products":[{"sku":"P","productFamily":"EC2InstanceSavingsPlans",
            "attributes":{"purchaseTerm":"1yr","purchaseOption":"No Upfront"}}],
            "terms":{"savingsPlan":[{"sku":"P","effectiveDate":"2026-08-01T00:00:00Z","rates":[{"discountedSku":"A","unit":"Hrs",
            "discountedRate":{"price":"1.17","currency":"USD"}}]}]}}"#
            .to_owned(),
        // Terms before products: read twice.
        _ if path == list_of("us-east-1") => {
            format!(r#"{{"terms":{{"OnDemand":{{{}}}}},"products":{{{}}}}}"#, term("A", "1.861"), product("A", "g6e.xlarge", "us-east-1"))
        }
        _ if path == list_of("eu-west-1") => format!(
            r#"{{"products":{{{},{}}},"terms":{{"OnDemand":{{{}}}}}}}"#,
            product("B", "g6e.xlarge", "eu-west-1"),
            product("C", "g9.xlarge", "eu-west-1"),
            term("B", "2.072")
        ),
        _ => return None,
    })
}

fn path_of(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

fn fetched(server: &Loopback, regions: &[&str]) -> (Gathered, Vec<Diagnostic>) {
    let base = server.url();
    let endpoints = Endpoints { prices: base.clone(), spot: format!("{base}/spot.json"), advisor: format!("{base}/advisor.json") };
    let regions: Vec<String> = regions.iter().map(|r| (*r).to_owned()).collect();
    let scope = Scope { regions: &regions, is_gpu_type: &|name| name.starts_with("g6e"), now: "2026-08-10T12:00:00Z".parse().unwrap() };
    fetch(&hasty(), &endpoints, &scope)
}

/// A server that answers `spoilt` where `is_spoilt` says so.
fn server(is_spoilt: impl Fn(&str) -> bool + Send + 'static, spoilt: Answer) -> Loopback {
    Loopback::start(move |head| {
        let path = path_of(head);
        if is_spoilt(path) {
            return spoilt.clone();
        }
        document(path).map_or_else(|| Answer::Whole(404, "<Error>NoSuchKey</Error>".to_owned()), |body| Answer::Whole(200, body))
    })
}

/// `region machine how price` of each quote.
fn found(gathered: &Gathered) -> Vec<String> {
    use crate::pricing::gathered::Bought;
    let how = |bought: &Bought| match bought {
        Bought::OnDemand => "on-demand",
        Bought::Spot => "spot",
        Bought::Committed(term) => term.product.as_str(),
    };
    gathered.quotes.iter().map(|q| format!("{} {} {} {}", q.region, q.instance_type, how(&q.bought), q.per_hour)).collect()
}

const ON_DEMAND_WEST: &str = "eu-west-1 g6e.xlarge on-demand 2.072";
const ON_DEMAND_EAST: &str = "us-east-1 g6e.xlarge on-demand 1.861";
const SPOT_EAST: &str = "us-east-1 g6e.xlarge spot 1.6119";
const PLAN_EAST: &str = "us-east-1 g6e.xlarge instance-savings-plan 1.17";

#[test]
fn all_documents_together() {
    let server = server(|_| false, Answer::Hangup);
    let (gathered, faults) = fetched(&server, &["us-east-1", "eu-west-1"]);
    assert_eq!(faults, []);
    assert_eq!(found(&gathered), [ON_DEMAND_WEST, ON_DEMAND_EAST, SPOT_EAST, PLAN_EAST]);
    // Both regions describe the machine: it is one.
    assert_eq!(gathered.shapes.len(), 1);
    let bands: Vec<(&str, &str)> = gathered.bands.iter().map(|b| (b.region.as_str(), b.band.as_str())).collect();
    assert_eq!(bands, [("us-east-1", "5-10%")]);
    let findings: Vec<String> = gathered.findings.iter().map(ToString::to_string).collect();
    let expected = [
        "[E1826] machines that the catalogue does not know, left out (1): `aws/g9.xlarge`",
        "[E1811] regions for which no AWS savings plans are listed (1): `eu-west-1`",
        "[E1811] regions that are not in the AWS spot feed (1): `eu-west-1`",
    ];
    assert_eq!(findings, expected);
    let paths: Vec<String> = server.heads().iter().map(|head| path_of(head).to_owned()).collect();
    let (east, west) = (list_of("us-east-1"), list_of("eu-west-1"));
    assert_eq!(paths, [&east, &east, &west, INDEX, PLAN_REGIONS, PLANS_OF_EAST, "/spot.json", "/advisor.json"]);
}

/// Each document in turn is refused: one fault, which names it, and the others' prices.
#[test]
fn a_document_that_is_missing_costs_only_its_own() {
    let all = [ON_DEMAND_WEST, ON_DEMAND_EAST, SPOT_EAST, PLAN_EAST];
    let east = list_of("us-east-1");
    let cases: [(&str, &str, &[&str]); 6] = [
        (&east, "AWS price list of us-east-1: HTTP 404", &[ON_DEMAND_EAST, PLAN_EAST]),
        (INDEX, "AWS offer index: HTTP 404", &[PLAN_EAST]),
        (PLAN_REGIONS, "AWS index of savings plans: HTTP 404", &[PLAN_EAST]),
        (PLANS_OF_EAST, "AWS savings plans of us-east-1: HTTP 404", &[PLAN_EAST]),
        ("/spot.json", "AWS spot feed: HTTP 404", &[SPOT_EAST]),
        ("/advisor.json", "AWS Spot Advisor: HTTP 404", &[]),
    ];
    for (missing, message, without) in cases {
        let path = missing.to_owned();
        let server = server(move |asked| asked == path, Answer::Whole(404, String::new()));
        let (gathered, faults) = fetched(&server, &["us-east-1", "eu-west-1"]);
        let left: Vec<&str> = all.into_iter().filter(|quote| !without.contains(quote)).collect();
        assert_eq!(found(&gathered), left, "{missing}");
        let [fault] = &faults[..] else { panic!("{missing}: {faults:?}") };
        assert_eq!((fault.code, fault.severity), (codes::BAD_QUESTION, Severity::Error), "{missing}");
        assert!(fault.message.starts_with(message), "{}", fault.message);
    }
}

/// A body that breaks off is asked for again, three times in all, and never taken for the whole.
#[test]
fn a_price_list_that_breaks_off_brings_nothing() {
    let path = list_of("us-east-1");
    let whole = document(&path).unwrap();
    let half = whole.len() / 2;
    let spoilt = path.clone();
    let server = server(move |asked| asked == spoilt, Answer::Cut(whole, half));
    let (gathered, faults) = fetched(&server, &["us-east-1"]);
    assert_eq!(found(&gathered), [SPOT_EAST]);
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [codes::MALFORMED]);
    assert_eq!(server.heads().iter().filter(|head| path_of(head) == path).count(), 3);
}

/// After a host that does not answer, the other regions are not waited for; other hosts are asked.
#[test]
fn a_host_that_does_not_answer_is_asked_for_one_region() {
    let server = server(|path| path.starts_with("/offers/"), Answer::Hangup);
    let (gathered, faults) = fetched(&server, &["us-east-1", "eu-west-1", "us-west-2"]);
    assert_eq!(found(&gathered), [SPOT_EAST]);
    let told: Vec<(&str, &str)> = faults.iter().map(|f| (f.code, f.message.as_str())).collect();
    assert_eq!(told[0].0, codes::UNREACHABLE);
    assert_eq!(told[1..], [(codes::UNREACHABLE, "AWS price lists: not asked any more, for the same reason: `eu-west-1`, `us-west-2`")]);
}

#[test]
fn a_savings_plan_file_that_does_not_come_is_waited_for_once() {
    let server = Loopback::start(|head| match path_of(head) {
        PLANS_OF_EAST => Answer::Hangup,
        PLAN_REGIONS => {
            let regions = ["us-east-1", "eu-west-1"].map(|r| format!(r#"{{"regionCode":"{r}","versionUrl":"{PLANS_OF_EAST}"}}"#));
            Answer::Whole(200, format!(r#"{{"regions":[{}]}}"#, regions.join(",")))
        }
        path => Answer::Whole(200, document(path).unwrap_or_default()),
    });
    let (gathered, faults) = fetched(&server, &["us-east-1", "eu-west-1"]);
    assert_eq!(found(&gathered), [ON_DEMAND_WEST, ON_DEMAND_EAST, SPOT_EAST]);
    let told: Vec<(&str, &str)> = faults.iter().map(|f| (f.code, f.message.as_str())).collect();
    assert_eq!(told[0].0, codes::UNREACHABLE);
    assert_eq!(told[1..], [(codes::UNREACHABLE, "AWS savings plans: not asked any more, for the same reason: `eu-west-1`")]);
}

/// Without machines there is nothing to join the rates to: hundreds of megabytes are not asked for.
#[test]
fn savings_plans_are_not_asked_for_without_machines() {
    let server = server(|path| path.ends_with("us-west-2/index.json"), Answer::Whole(200, r#"{"products":{},"terms":{}}"#.to_owned()));
    let (gathered, faults) = fetched(&server, &["us-west-2"]);
    assert_eq!((found(&gathered).len(), faults.len()), (0, 0));
    assert!(!server.heads().iter().any(|head| path_of(head) == INDEX));
}

#[test]
fn the_addresses_are_those_of_aws() {
    let Endpoints { prices, spot, advisor } = Endpoints::default();
    assert_eq!(prices, "https://pricing.us-east-1.amazonaws.com");
    assert_eq!(spot, "https://website.spot.ec2.aws.a2z.com/spot.json");
    assert_eq!(advisor, "https://spot-bid-advisor.s3.amazonaws.com/spot-advisor-data.json");
}
