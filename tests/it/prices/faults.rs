//! What goes wrong between here and the clouds: what the user sees, and that the last good snapshot is still there, to the byte.
//!
//! The same table, in words, is in `docs/prices.md`. Faults of the cache itself are in `cache_faults`.

#![expect(clippy::unwrap_used, reason = "test")]

use super::clouds::{Answer, Fault, Request, Server, public};
use super::desk::{Desk, KEY, Ran, read_now};
use super::expected::{EVERYWHERE, golden};
use super::google;
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A user whose cache holds one good snapshot of everything.
pub fn good() -> &'static Desk {
    static GOOD: OnceLock<Desk> = OnceLock::new();
    GOOD.get_or_init(|| {
        let server = public(Vec::new());
        let desk = Desk::at(&server);
        desk.refresh(EVERYWHERE).ends(0);
        desk
    })
}

/// What a snapshot must hold after a fault.
pub enum Kept {
    /// There is no new snapshot.
    Nothing,
    /// A new one, in which so many prices were read.
    New(usize),
}

/// A fault and what comes of it.
pub struct Case {
    pub name: &'static str,
    pub ask: &'static str,
    pub faults: Vec<Fault>,
    pub ends: i32,
    pub says: &'static [&'static str],
    pub kept: Kept,
}

pub const AZURE: &str = "--cloud azure --region eastus --retries 0 --timeout 5";
const BOTH: &str = "--cloud azure --region eastus,westeurope --retries 0 --timeout 5";
const AWS: &str = "--cloud aws --region us-east-1 --retries 0 --timeout 5";
const GOOGLE: &str = "--cloud gcp --region us-central1 --retries 0 --timeout 5";
const UNTOUCHED: &str = "no prices were read; the last good snapshot is as it was";

/// Prices of the golden file whose names begin so.
pub fn of(start: &str) -> usize {
    golden("public.csv").keys().filter(|name| name.starts_with(start)).count()
}

/// A page of Azure with its items changed.
pub fn items(change: impl Fn(&Request, &mut Vec<Value>) + Send + Sync + 'static) -> Fault {
    Fault::on("/azure/", move |request, answer| {
        let mut page: Value = serde_json::from_str(answer.body()).unwrap();
        change(request, page["Items"].as_array_mut().unwrap());
        Answer::ok(page.to_string())
    })
}

/// The first item of a size, as it is sold by the hour.
pub fn item<'a>(items: &'a mut [Value], sku: &str) -> Option<&'a mut Value> {
    items.iter_mut().find(|item| item["skuName"] == sku && item["type"] == "Consumption")
}

/// Runs each case with a cache of its own that holds the good snapshot.
pub fn run(cases: Vec<Case>) {
    for Case { name, ask, faults, ends, says, kept } in cases {
        let server = public(faults);
        let mut desk = Desk::at(&server);
        desk.take_cache_of(good());
        let before = desk.snapshots();
        let ran = desk.refresh(ask);
        assert_eq!(ran.code, Some(ends), "{name}: {}{}", ran.err, ran.out);
        for words in says {
            assert!(ran.err.contains(words) || ran.out.contains(words), "{name}: no `{words}` in:\n{}{}", ran.err, ran.out);
        }
        let after = desk.snapshots();
        assert!(before.iter().all(|(file, bytes)| after.get(file) == Some(bytes)), "{name}: the last good snapshot was touched");
        match kept {
            Kept::Nothing => assert_eq!(after.len(), before.len(), "{name}: a snapshot was taken"),
            Kept::New(read) => {
                assert_eq!(after.len(), before.len() + 1, "{name}: no snapshot was taken");
                assert_eq!(read_now(&desk.newest()).len(), read, "{name}");
            }
        }
        // And it is still the one that is planned on, or what it held is.
        desk.point_to("http://127.0.0.1:1");
        desk.run(&["prices", "show", "aws/us-east-1/g6e.xlarge/on-demand"]).ends(0).says(&["$1.8700 an hour"]);
    }
}

pub fn case(name: &'static str, ask: &'static str, faults: Vec<Fault>, says: &'static [&'static str]) -> Case {
    Case { name, ask, faults, ends: 1, says, kept: Kept::Nothing }
}

#[test]
fn answers_that_refuse() {
    let azure = |status, body: &str| vec![Fault::instead("/azure/", Answer::status(status, body))];
    let xml = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let aws = vec![Fault::instead("/aws/", Answer::status(403, xml))];
    run(vec![
        case(
            "400",
            AZURE,
            azure(400, "{\"error\":{\"message\":\"Invalid OData parameters supplied\"}}"),
            &["error[E1808]", "HTTP 400: Invalid OData parameters supplied", "= help: check the region's name", UNTOUCHED],
        ),
        case(
            "401",
            AZURE,
            azure(401, "who are you?"),
            &["error[E1803]", "HTTP 401: who are you?", "= help: check the credentials or the key"],
        ),
        case(
            "403",
            AWS,
            aws,
            &["error[E1803]", "AWS price list of us-east-1: HTTP 403, from http", "= help: check the credentials", UNTOUCHED],
        ),
        case(
            "404",
            AZURE,
            azure(404, ""),
            &["error[E1808]", "Azure Retail Prices of eastus: HTTP 404", "check the region's name and the address"],
        ),
        case(
            "500",
            AZURE,
            azure(500, "oops"),
            &["error[E1805]", "HTTP 500: oops", "= help: the last good prices are untouched; try again later"],
        ),
        case("503", AZURE, azure(503, ""), &["error[E1805]", "HTTP 503", UNTOUCHED]),
        // A region's list is missing: the other documents still bring their prices, and the run says that it is not whole.
        Case {
            name: "404 of one document",
            ask: AWS,
            faults: vec![Fault::instead("/AmazonEC2/current/us-east-1/", Answer::status(404, "<html>"))],
            ends: 1,
            says: &[
                "error[E1808]",
                "AWS price list of us-east-1: HTTP 404",
                "not everything that was asked for could be read",
                "11 of them read now",
            ],
            kept: Kept::New(11),
        },
        Case {
            name: "no savings plans",
            ask: AWS,
            faults: vec![Fault::instead("/current/region_index.json", Answer::status(500, ""))],
            ends: 1,
            says: &["error[E1805]", "AWS index of savings plans: HTTP 500"],
            kept: Kept::New(of("aws/us-east-1/") - 7),
        },
        Case {
            name: "one region of two",
            ask: BOTH,
            faults: vec![Fault::instead("'eastus'", Answer::status(400, ""))],
            ends: 1,
            says: &["error[E1808]", "Azure Retail Prices of eastus: HTTP 400", "read: azure/westeurope\n"],
            kept: Kept::New(of("azure/westeurope/")),
        },
    ]);
}

#[test]
fn too_many_requests() {
    let limited = || Answer::Whole(429, vec![("Retry-After", "1".to_owned())], "slow down".to_owned());
    let started = Instant::now();
    run(vec![case(
        "429",
        "--cloud azure --region eastus,westeurope --retries 1",
        vec![Fault::instead("/azure/", limited())],
        &[
            "error[E1804]",
            "HTTP 429: slow down (2 tries)",
            "= help: too many requests; wait a few minutes, or ask for fewer regions with --region",
            // The next region would only be refused as well.
            "not asked any more, for the same reason: `westeurope`",
            UNTOUCHED,
        ],
    )]);
    assert!(started.elapsed() >= Duration::from_secs(1), "the server asked for a second");
    for (first, header) in [(429, "x-ms-ratelimit-retailprices-retry-after"), (503, "x-nothing")] {
        let once = Answer::Whole(first, vec![(header, "1".to_owned())], String::new());
        run(vec![Case {
            name: "recovers",
            ask: "--cloud azure --region eastus --retries 1",
            faults: vec![Fault::instead("/azure/", once).first(1)],
            ends: 0,
            says: &["read: azure/eastus"],
            kept: Kept::New(of("azure/eastus/")),
        }]);
    }
}

#[test]
fn answers_of_another_form() {
    let html = "<html><body>Sign in to the company network</body></html>";
    run(vec![
        case(
            "truncated body",
            AZURE,
            vec![Fault::on("/azure/", |_, answer| Answer::Cut(answer.body().to_owned(), 2000))],
            &["error[E1806]", "the answer broke off after 2000 bytes", "try again later", UNTOUCHED],
        ),
        case(
            "truncated text",
            AZURE,
            vec![Fault::on("/azure/", |_, answer| Answer::ok(&answer.body()[..2000]))],
            &["error[E1806]", "the answer broke off after 2000 bytes", "EOF", UNTOUCHED],
        ),
        case(
            "page of a proxy",
            AZURE,
            vec![Fault::instead("/azure/", Answer::ok(html))],
            &["error[E1806]", "not of the form that it should have", "something on the way answers in its place", UNTOUCHED],
        ),
        case(
            "page of a proxy, AWS",
            AWS,
            vec![Fault::instead("/aws/", Answer::ok(html))],
            &["error[E1806]", "AWS price list of us-east-1", UNTOUCHED],
        ),
        case("page of a proxy, Google", GOOGLE, vec![Fault::instead("/gcp/", Answer::ok(html))], &["error[E1806]", UNTOUCHED]),
        case(
            "another document",
            AWS,
            vec![Fault::instead("/aws/", Answer::ok("{}"))],
            &["error[E1806]", "it has no `products`", UNTOUCHED],
        ),
        Case {
            name: "truncated once",
            ask: "--cloud azure --region eastus --retries 1",
            faults: vec![Fault::on("/azure/", |_, answer| Answer::Cut(answer.body().to_owned(), 2000)).first(1)],
            ends: 0,
            says: &["read: azure/eastus"],
            kept: Kept::New(of("azure/eastus/")),
        },
        // In one product only: the rest is kept, and what is lost of it is told.
        Case {
            name: "malformed in one product",
            ask: AZURE,
            faults: vec![items(|_, items| {
                if let Some(item) = item(items, "NC40ads H100 v5") {
                    item["retailPrice"] = json!({"dear": true});
                }
            })],
            ends: 0,
            says: &["warning[E1825]", "`Standard_NC40ads_H100_v5` (invalid type: map"],
            kept: Kept::New(of("azure/eastus/") - 1),
        },
        Case {
            name: "malformed in one product, AWS",
            ask: AWS,
            faults: vec![Fault::edit(
                "/AmazonEC2/current/us-east-1/",
                "\"pricePerUnit\":{\"USD\":\"3.3700000000\"}",
                "\"pricePerUnit\":[3.37]",
            )],
            ends: 0,
            says: &["warning[E1825]", "`g7e.2xlarge` in `us-east-1` (on demand: no price)"],
            kept: Kept::New(of("aws/us-east-1/") - 1),
        },
        Case {
            name: "a feed that says that it is old",
            ask: AWS,
            faults: vec![Fault::edit("/spot.json", "\"vers\":0.01", "\"updated\":\"2024-05-13\"")],
            ends: 0,
            says: &["warning[E1828]", "the AWS spot feed has not changed for", "--source api"],
            kept: Kept::New(of("aws/us-east-1/")),
        },
    ]);
}

#[test]
fn pages_that_do_not_fit_together() {
    let [two, three, _] = google::TOKENS;
    run(vec![
        case(
            "a page is missing",
            AZURE,
            vec![Fault::instead("$skip=20", Answer::status(404, ""))],
            &["error[E1807]", "page 3 is missing, so none of the list is used", "try again later", UNTOUCHED],
        ),
        case(
            "a page cannot be had",
            AZURE,
            vec![Fault::instead("$skip=20", Answer::status(500, ""))],
            &["error[E1805]", "page 3 is missing", UNTOUCHED],
        ),
        case(
            "a page comes again",
            AZURE,
            vec![Fault::edit("$skip=20", "$skip=30", "$skip=20")],
            &["error[E1807]", "leads back to a page that came before"],
        ),
        case(
            "pages elsewhere",
            AZURE,
            vec![Fault::on("$skip=20", |_, answer| {
                let mut page: Value = serde_json::from_str(answer.body()).unwrap();
                page["NextPageLink"] = json!("http://prices.example.com/api/retail/prices?$skip=30");
                Answer::ok(page.to_string())
            })],
            &["error[E1807]", "the next page is said to be elsewhere", UNTOUCHED],
        ),
        Case {
            name: "an empty page with a token goes on",
            ask: AZURE,
            faults: vec![Fault::on("/azure/", |request, answer| {
                if request.route.contains("$skip") {
                    return answer;
                }
                let mut page: Value = serde_json::from_str(answer.body()).unwrap();
                page["Items"] = json!([]);
                page["NextPageLink"] = json!(page["NextPageLink"].as_str().unwrap().replace("$skip=10", "$skip=0"));
                Answer::ok(page.to_string())
            })],
            ends: 0,
            says: &["read: azure/eastus"],
            kept: Kept::New(of("azure/eastus/")),
        },
        case(
            "a page of Google is missing",
            GOOGLE,
            vec![Fault::instead("pageToken=", Answer::status(404, ""))],
            &["error[E1807]", "page 2 is missing", UNTOUCHED],
        ),
        case(
            "a page of Google comes again",
            GOOGLE,
            vec![Fault::edit("pageToken=", three, two)],
            &["error[E1807]", "leads back", UNTOUCHED],
        ),
        case(
            "a catalogue without GPUs",
            GOOGLE,
            vec![Fault::instead("/gcp/", Answer::ok("{\"skus\":[],\"nextPageToken\":\"\"}"))],
            &["error[E1811]", "no price of a GPU machine's part in it", UNTOUCHED],
        ),
        case(
            "a region without GPUs",
            "--cloud azure --region marsnorth --retries 0",
            Vec::new(),
            &["error[E1811]", "no price of a GPU machine in `marsnorth`", UNTOUCHED],
        ),
    ]);
}

#[test]
fn connections_that_fail() {
    let mut late = case(
        "slow server",
        "--cloud azure --region eastus,westeurope --retries 0 --timeout 1",
        vec![Fault::on("/azure/", |_, answer| Answer::Late(Duration::from_secs(5), Box::new(answer)))],
        &["error[E1802]", "no answer in time", "= help: raise --timeout, or try again later", "not asked any more", UNTOUCHED],
    );
    late.ends = 1;
    run(vec![
        late,
        case(
            "reset",
            AZURE,
            vec![Fault::instead("/azure/", Answer::Reset)],
            &["error[E1801]", "= help: check the network, and HTTPS_PROXY", UNTOUCHED],
        ),
        Case {
            name: "reset once",
            ask: "--cloud azure --region eastus --retries 1",
            faults: vec![Fault::instead("/azure/", Answer::Reset).first(1)],
            ends: 0,
            says: &["read: azure/eastus"],
            kept: Kept::New(of("azure/eastus/")),
        },
    ]);
    // Addresses where nobody is.
    let refused = |change: &dyn Fn(&mut Desk), says: &[&str]| {
        let mut desk = Desk::with("http://127.0.0.1:1");
        desk.take_cache_of(good());
        change(&mut desk);
        let before = desk.snapshots();
        let ran = desk.refresh("--cloud azure --region eastus --retries 0 --timeout 2");
        ran.ends(1).says(says).says(&["error[E1801]", UNTOUCHED]);
        assert_eq!(desk.snapshots(), before);
    };
    refused(&|_| (), &["refused", "= help: check the network"]);
    refused(&|desk| desk.point_to("http://prices.invalid"), &["= help: check the network"]);
    refused(
        &|desk| {
            desk.set("HTTP_PROXY", "http://127.0.0.1:1").point_to("http://prices.example.com");
        },
        &["= help: check the network, and HTTPS_PROXY and NO_PROXY if there is a proxy"],
    );
}

/// An address that is none is said to be so.
#[test]
fn addresses_that_are_none() {
    let mut desk = Desk::with("http://127.0.0.1:1");
    for address in ["not an address", "prices.example.com"] {
        desk.point_to(address);
        desk.refresh("--cloud azure,aws --region eastus,us-east-1 --retries 0 --timeout 2")
            .ends(1)
            .says(&["error[E1801]", "check the address"]);
        let azure = desk.refresh("--cloud azure --region eastus --retries 0 --timeout 2");
        azure.ends(1).says(&["check the address"]);
        assert!(!azure.err.contains("next page"), "{}", azure.err);
    }
}

/// Where an answer points elsewhere, neither questions nor keys follow it.
#[test]
fn redirects_are_not_followed() {
    let other = public(Vec::new());
    let there = other.url();
    let turn = |route| {
        let there = there.clone();
        Fault::on(route, move |request, _| {
            Answer::Whole(302, vec![("location", format!("{there}{}", request.route.replace(' ', "%20")))], String::new())
        })
    };
    let server = public(vec![turn("/azure/"), turn("/gcp/"), turn("/aws/")]);
    let desk = Desk::at(&server);
    desk.take_cache_of(good());
    let before = desk.snapshots();
    desk.refresh(EVERYWHERE).ends(1).says(&["error[E1808]", "HTTP 302", "check the region's name and the address", UNTOUCHED]);
    assert_eq!((other.asked().len(), desk.snapshots()), (0, before));
}

#[test]
fn keys_that_are_missing_or_wrong() {
    let server = public(Vec::new());
    let mut desk = Desk::at(&server);
    desk.take_cache_of(good());
    let before = desk.snapshots();
    desk.unset("GOOGLE_API_KEY");
    desk.refresh(GOOGLE).ends(1).says(&["error[E1810]", "needs an API key, and none is set", "= help: set GOOGLE_API_KEY", UNTOUCHED]);
    assert_eq!((server.asked().len(), desk.snapshots()), (0, before.clone()));
    // Asked for by nobody: a hint is enough, and the rest is done.
    desk.refresh("--region eastus,us-central1 --retries 0").ends(0).says(&["note[E1810]", "read: azure/eastus\n"]);
    desk.set("GOOGLE_API_KEY", "two words");
    desk.refresh(GOOGLE).ends(1).says(&["error[E1810]", "the API key is empty or not a key"]);

    let refused = |status: u16, body: Value, says: &'static [&'static str]| {
        run(vec![case("a key", GOOGLE, vec![Fault::instead("/gcp/", Answer::status(status, body.to_string()))], says)]);
    };
    let invalid = format!("API key not valid: {KEY}. Please pass a valid API key.");
    refused(
        400,
        json!({"error": {"code": 400, "message": invalid, "status": "INVALID_ARGUMENT", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
                "metadata": {"service": "cloudbilling.googleapis.com"}}]}}),
        &["error[E1803]", "API key not valid: ***", "= help: check the API key in GOOGLE_API_KEY"],
    );
    refused(
        403,
        json!({"error": {"code": 403, "message": "Cloud Billing API has not been used in project 12345 before or it is disabled.", "status": "PERMISSION_DENIED"}}),
        &["error[E1803]", "HTTP 403: Cloud Billing API has not been used", "= help: check the credentials or the key"],
    );
    refused(
        429,
        json!({"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}),
        &["error[E1804]", "Quota exceeded"],
    );
}

/// Nothing is asked, and nothing is written.
#[test]
fn questions_that_make_no_sense() {
    let server = Server::start(|_| Answer::status(500, ""), Vec::new());
    let mut desk = Desk::at(&server);
    let refused = |desk: &Desk, ask: &str, words: &[&str]| {
        let ran: Ran = desk.refresh(ask);
        ran.ends(2).says(words);
        assert!(desk.snapshots().is_empty(), "{ask}");
    };
    refused(&desk, "--region us-esat-1", &["no cloud that is asked has a known region `us-esat-1`", "`us-east-1`"]);
    refused(&desk, "--cloud oci", &["oci", "[possible values: aws, gcp, azure]"]);
    refused(&desk, "--retries 11", &["11"]);
    refused(&desk, "--timeout 0", &["0"]);
    refused(&desk, "--source guess", &["guess", "[possible values: public, api]"]);
    desk.set("SSL_CERT_FILE", "/nowhere/roots.pem");
    refused(&desk, AZURE, &["E1801", "SSL_CERT_FILE `/nowhere/roots.pem`", "unset SSL_CERT_FILE"]);
    let empty = desk.home().join("empty.pem");
    std::fs::write(&empty, "no certificate\n").unwrap();
    desk.set("SSL_CERT_FILE", empty.to_str().unwrap());
    refused(&desk, AZURE, &["E1801", "the file in SSL_CERT_FILE holds no certificate"]);
    assert_eq!(server.asked().len(), 0);
}

/// A binary without the clouds' libraries says how to get them.
#[cfg(not(all(feature = "aws", feature = "gcp")))]
#[test]
fn an_account_without_its_feature() {
    let server = public(Vec::new());
    let desk = Desk::at(&server);
    desk.take_cache_of(good());
    let before = desk.snapshots();
    #[cfg(not(feature = "aws"))]
    desk.refresh("--cloud aws --region us-east-1 --source api").ends(1).says(&[
        "error[E1809]",
        "the feature `aws`",
        "--features aws",
        "--source public",
    ]);
    #[cfg(not(feature = "gcp"))]
    desk.refresh("--cloud gcp --region us-central1 --source api").ends(1).says(&[
        "error[E1809]",
        "the feature `gcp`",
        "--features gcp",
        "--source public",
    ]);
    assert_eq!((server.asked().len(), desk.snapshots()), (0, before));
}
