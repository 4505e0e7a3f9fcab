//! The user's account, asked through the clouds' own libraries on loopback: the same prices as the public lists, and what only an account
//! can tell: spot prices by zone with their history, zones, placement scores, commitments held.

#![expect(clippy::unwrap_used, reason = "test")]

use super::clouds::{Answer, Fault, Server};
use super::desk::{ACCESS_KEY, Desk, SECRET_KEY, SESSION_TOKEN, rows};
use super::expected::{compare, golden};
use super::faults::good;
use std::collections::BTreeMap;

/// A user with an account, whose cloud is this server.
fn at(server: &Server) -> Desk {
    let url = server.url();
    // The public lists are not asked.
    let mut desk = Desk::with("http://127.0.0.1:1");
    desk.unset("GOOGLE_API_KEY").set("AWS_ENDPOINT_URL", &url).set("AWS_ACCESS_KEY_ID", ACCESS_KEY);
    desk.set("AWS_SECRET_ACCESS_KEY", SECRET_KEY).set("AWS_SESSION_TOKEN", SESSION_TOKEN);
    desk.set("GOOGLE_CLOUD_PROJECT", "my-project").set("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", &format!("{url}/compute/v1/"));
    desk.set("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBILLING", &url);
    desk
}

/// Prices of a snapshot that were read by the refresh that took it.
fn read(desk: &Desk) -> BTreeMap<String, f64> {
    super::desk::read_now(&desk.newest())
}

#[cfg(feature = "aws")]
mod aws {
    use super::*;
    use crate::prices::clouds::Request;
    use crate::prices::ec2;
    use std::time::Duration;

    /// The means over ninety days end when the program asks, some seconds after the history was made: by far less than this.
    const CLOSE: f64 = 1e-5;

    const ASK: &str = "--cloud aws --region us-east-1,eu-west-1 --source api --retries 0 --timeout 10";
    const ONE: &str = "--cloud aws --region us-east-1 --source api --retries 0 --timeout 5";

    fn cloud(faults: Vec<Fault>) -> Server {
        Server::start(ec2::answer, faults)
    }

    #[test]
    fn an_account_brings_the_listed_prices_and_spot_by_zone() {
        let server = cloud(Vec::new());
        let desk = at(&server);
        let ran = desk.refresh(ASK);
        ran.ends(0);
        // By the hour and reserved as in the public list. Rates of savings plans are public only; spot prices have a history.
        let listed = golden("public.csv").into_iter().filter(|(name, _)| name.starts_with("aws/"));
        let listed = listed.filter(|(name, _)| !name.ends_with("/spot") && !name.contains("savings-plan"));
        let wanted: BTreeMap<String, f64> = listed.chain(golden("account.csv")).collect();
        compare(&read(&desk), &wanted, CLOSE);
        ran.says(&[
            "warning[E1822]: prices above on-demand, left out (2): `aws/us-east-1/g4dn.xlarge/committed/1y/standard-reserved/no-upfront`",
            "`aws/us-east-1/p4d.24xlarge/spot` (23, on-demand 21.96)",
            "warning[E1823]: prices far from the ones before, held back until a refresh brings them again (1): `aws/us-east-1/g5.xlarge/spot`",
            "`g6.xlarge` in use1-az1 (`N/A*`)",
            "`g4ad.xlarge` (AMD)",
            "`aws/p9.48xlarge`",
            "products of AWS in us-east-1 that cannot be read",
        ]);

        let newest = desk.newest();
        let rows = rows(&newest);
        let spot = &rows["aws/us-east-1/g6e.xlarge/spot"];
        assert_eq!(spot["zone_usd_per_hour"].to_string(), r#"{"use1-az1":1.6,"use1-az2":1.8}"#);
        let number = |name: &str| spot["statistics"][name].as_f64().unwrap();
        for (name, wanted) in [
            ("days", 90.0),
            ("level_usd_per_hour", 1.55),
            ("latest_usd_per_hour", 1.7),
            ("low_usd_per_hour", 1.2),
            ("high_usd_per_hour", 1.8),
        ] {
            assert!((number(name) - wanted).abs() < CLOSE, "{name}: {}", number(name));
        }
        assert!((number("share_at_on_demand")).abs() < CLOSE);
        let half = rows["aws/us-east-1/p5.4xlarge/spot"]["statistics"]["share_at_on_demand"].as_f64().unwrap();
        assert!((half - 0.5).abs() < CLOSE, "{half}");
        assert_eq!(spot["zones"].to_string(), r#"["use1-az1","use1-az2"]"#);
        assert_eq!(rows["aws/us-east-1/g6f.large/on-demand"]["gpus"].to_string(), "0.125");

        desk.run(&["prices", "show", "aws/us-east-1/g6e.xlarge/spot"]).ends(0).says(&[
            "$1.5500 an hour",
            "use1-az1 1.6000, use1-az2 1.8000",
            "90 days: mean 1.5500",
            "time-weighted mean over 90.0 days, mean of zones use1-az1, use1-az2",
        ]);
        desk.run(&["prices", "show", "aws/us-east-1/p5.4xlarge/spot"]).ends(0).says(&[", 50% of the time at the on-demand price"]);
    }

    /// No time at all is 0%, and not less.
    #[test]
    fn a_share_of_nothing_has_no_sign() {
        let server = cloud(Vec::new());
        let desk = at(&server);
        desk.refresh(ONE).ends(0);
        desk.run(&["prices", "show", "aws/us-east-1/p5.48xlarge/spot"]).ends(0).says(&[", 0% of the time at the on-demand price"]);
        let shown = desk.run(&["prices", "show", "aws/us-east-1/p5.48xlarge/spot", "--format", "json"]).json();
        assert_eq!(shown["spot_history"]["share_at_on_demand"].to_string(), "0.0");
    }

    /// AWS scores a family of three sizes and more; `prices show` has it for each of them.
    #[test]
    fn placement_scores_are_shown() {
        let server = cloud(Vec::new());
        let desk = at(&server);
        desk.refresh(ONE).ends(0);
        desk.run(&["prices", "show", "aws/us-east-1/g4dn.xlarge/spot"]).ends(0).says(&["placement", "use1-az1 7 of 10"]);
    }

    #[test]
    fn commitments_that_are_held_come_as_a_scenario_writes_them() {
        let server = cloud(Vec::new());
        let desk = at(&server);
        desk.refresh(ONE).ends(0);
        desk.run(&["prices", "owned"]).ends(0).says(&[
            "  - name: ri-1\n    instance_type: g6e.xlarge\n    region: us-east-1\n    nodes: 2\n    usd_per_hour: 1.20000\n    expires: 2199-03-01",
            "# compute-savings-plan sp-everything (aws), for anything, $12.50000 an hour",
        ]);
    }

    /// Questions are signed for their region, and every one is in the policy of docs/prices.md.
    #[test]
    fn what_is_asked_is_what_the_policy_allows() {
        let server = cloud(Vec::new());
        at(&server).refresh(ASK).ends(0);
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        for request in server.asked() {
            *asked.entry(format!("{} {}", ec2::action(&request), ec2::region(&request))).or_default() += 1;
            assert!(!request.head.contains(SECRET_KEY), "{}", request.head);
        }
        // Three pages a list and region.
        for action in ["DescribeInstanceTypes", "DescribeInstanceTypeOfferings", "DescribeSpotPriceHistory"] {
            assert_eq!([asked.get(&format!("{action} us-east-1")), asked.get(&format!("{action} eu-west-1"))], [Some(&3); 2], "{asked:?}");
        }
        assert_eq!(asked.get("DescribeSavingsPlans us-east-1"), Some(&1), "{asked:?}");
        let text = std::fs::read_to_string(crate::repository::root().join("docs/prices.md")).unwrap();
        for action in asked.keys().map(|asked| asked.split(' ').next().unwrap()) {
            assert!(text.contains(&format!(":{action}")), "{action} is not in the policy of docs/prices.md");
        }
    }

    /// A refusal of the service to every question.
    fn refused(status: u16, code: &'static str) -> Vec<Fault> {
        // Services that refuse who asks have been seen to quote the question, headers and all.
        let quoted = format!("The canonical string should have been x-amz-security-token:{SESSION_TOKEN}");
        let words = if status == 403 || status == 400 { quoted } else { "words".to_owned() };
        vec![Fault::on("/", move |request, _| ec2::refusal(request, status, code, &words))]
    }

    #[test]
    fn accounts_that_do_not_answer() {
        let untouched = "no prices were read; the last good snapshot is as it was";
        let html = || vec![Fault::instead("/", Answer::ok("<html>Sign in</html>"))];
        let late = || vec![Fault::on("/", |_, answer| Answer::Late(Duration::from_secs(4), Box::new(answer)))];
        let slow = "--cloud aws --region us-east-1 --source api --retries 0 --timeout 1";
        let cases: [(&str, Vec<Fault>, &[&str]); 10] = [
            (
                ONE,
                refused(400, "ExpiredToken"),
                &["error[E1810]", "the session of these credentials has expired", "sign in again (`aws sso login`)"],
            ),
            (ONE, refused(401, "AuthFailure"), &["error[E1810]"]),
            (ONE, refused(403, "InvalidClientTokenId"), &["error[E1810]", "the access key is not known", "check AWS_PROFILE"]),
            (ONE, refused(403, "SignatureDoesNotMatch"), &["error[E1810]", "the secret key does not fit", "the clock is right"]),
            (ONE, refused(400, "RequestTimeTooSkewed"), &["error[E1810]", "this machine's clock is wrong", "set the clock"]),
            (
                ONE,
                refused(403, "UnauthorizedOperation"),
                &["error[E1803]", "DescribeInstanceTypes in us-east-1 is not allowed", "add `ec2:DescribeInstanceTypes` to the policy"],
            ),
            (ONE, refused(503, "RequestLimitExceeded"), &["error[E1804]", "wait a few minutes"]),
            (ONE, refused(500, "InternalError"), &["error[E1805]", "try again later"]),
            (ONE, html(), &["error[E1806]"]),
            (slow, late(), &["error[E1802]", "raise --timeout"]),
        ];
        for (ask, faults, says) in cases {
            let server = cloud(faults);
            let desk = at(&server);
            desk.take_cache_of(good());
            let before = desk.snapshots();
            desk.refresh(ask).ends(1).says(says).says(&[untouched]);
            assert_eq!(desk.snapshots(), before, "{says:?}");
        }
    }

    #[test]
    fn nobody_to_ask_as() {
        let server = cloud(Vec::new());
        let mut desk = at(&server);
        for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            desk.unset(variable);
        }
        desk.refresh(ONE).ends(1).says(&["error[E1810]", "AWS: no credentials", "set AWS_PROFILE", "or use --source public"]);
        desk.set("AWS_PROFILE", "nobody");
        desk.refresh(ONE).ends(1).says(&["error[E1810]", "AWS: no credentials"]);
        assert_eq!(server.asked().len(), 0);
        // A profile of the usual files.
        let files = desk.home().join(".aws");
        std::fs::create_dir(&files).unwrap();
        std::fs::write(
            files.join("credentials"),
            format!("[nobody]\naws_access_key_id={ACCESS_KEY}\naws_secret_access_key={SECRET_KEY}\n"),
        )
        .unwrap();
        desk.refresh(ONE).ends(0).says(&["read: aws/us-east-1"]);
    }

    /// What one call cannot bring takes nothing from what the others brought: prices without spot, and it is said.
    #[test]
    fn a_call_that_is_not_allowed_costs_itself() {
        let turn = |request: &Request, answer: Answer| {
            let is_spot = ["DescribeSpotPriceHistory", "GetSpotPlacementScores"].contains(&ec2::action(request).as_str());
            if is_spot { ec2::refusal(request, 403, "UnauthorizedOperation", "You are not authorized") } else { answer }
        };
        let server = cloud(vec![Fault::on("/", turn)]);
        let desk = at(&server);
        desk.refresh(ONE).ends(1).says(&[
            "error[E1803]: AWS ec2:DescribeSpotPriceHistory in us-east-1 is not allowed",
            "add `ec2:DescribeSpotPriceHistory` to the policy",
            "warning[E1803]: AWS ec2:GetSpotPlacementScores",
            "not everything that was asked for could be read",
        ]);
        let read = read(&desk);
        assert!(read.contains_key("aws/us-east-1/g6e.xlarge/on-demand") && !read.contains_key("aws/us-east-1/g6e.xlarge/spot"));
        // The embedded spot price is still there, with its own day.
        assert_eq!(rows(&desk.newest())["aws/us-east-1/g6e.xlarge/spot"]["as_of"], "2026-08-10");
    }
}

#[cfg(feature = "gcp")]
mod gcp {
    use super::*;
    use crate::prices::compute;
    use serde_json::{Value, json};

    const ASK: &str = "--cloud gcp --region us-central1,us-east4,europe-west4 --source api --retries 0 --timeout 5";

    #[test]
    fn a_project_brings_the_prices_of_the_public_catalogue() {
        let server = Server::start(compute::answer, Vec::new());
        let desk = at(&server);
        desk.refresh(ASK).ends(0);
        let wanted: BTreeMap<String, f64> = golden("public.csv").into_iter().filter(|(name, _)| name.starts_with("gcp/")).collect();
        compare(&read(&desk), &wanted, 1e-9);
        let rows = rows(&desk.newest());
        // Zones are those of the project, and machines as it lists them.
        assert_eq!(rows["gcp/us-central1/a2-highgpu-1g/on-demand"]["zones"].to_string(), r#"["us-central1-a","us-central1-b"]"#);
        assert_eq!(rows["gcp/us-central1/n1-standard-8+2xT4/on-demand"]["zones"].to_string(), r#"["us-central1-a"]"#);
        assert_eq!(rows["gcp/europe-west4/g4-standard-6/on-demand"]["gpus"].to_string(), "0.125");
        assert_eq!(rows["gcp/europe-west4/a3-megagpu-8g/spot"]["accelerator"], "h100-80-sxm");
        desk.run(&["prices", "owned"]).ends(0).says(&["# resource-commitment a100-for-a-year (gcp us-central1), for accelerator-optimized: 12 vcpu, 85 GiB memory, 1 nvidia-tesla-a100"]);
    }

    fn refused(status: u16, name: &str, message: &str, reason: &str) -> Answer {
        let details =
            json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": {}}]);
        Answer::status(status, json!({"error": {"code": status, "message": message, "status": name, "details": details}}).to_string())
    }

    #[test]
    fn projects_that_do_not_answer() {
        let untouched = "no prices were read; the last good snapshot is as it was";
        let cases: [(Answer, &[&str]); 6] = [
            (refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "ACCESS_TOKEN_EXPIRED"), &["error[E1810]"]),
            (
                refused(403, "PERMISSION_DENIED", "Required 'compute.machineTypes.list' permission", "IAM_PERMISSION_DENIED"),
                &["error[E1803]", "compute.machineTypes.list"],
            ),
            (refused(403, "PERMISSION_DENIED", "Compute Engine API has not been used", "SERVICE_DISABLED"), &["error[E1803]"]),
            (refused(429, "RESOURCE_EXHAUSTED", "Quota exceeded", "RATE_LIMIT_EXCEEDED"), &["error[E1804]"]),
            (refused(503, "UNAVAILABLE", "The service is unavailable", ""), &["error[E1805]"]),
            (Answer::ok("<html>Sign in</html>"), &["error[E1806]"]),
        ];
        for (answer, says) in cases {
            let server = Server::start(compute::answer, vec![Fault::instead("/", answer)]);
            let desk = at(&server);
            desk.take_cache_of(good());
            let before = desk.snapshots();
            desk.refresh(ASK).ends(1).says(says).says(&[untouched]);
            assert_eq!(desk.snapshots(), before, "{says:?}");
        }
        let mut desk = at(&Server::start(compute::answer, Vec::new()));
        desk.unset("GOOGLE_CLOUD_PROJECT");
        desk.refresh(ASK).ends(1).says(&["error[E1810]", "no project", "set GOOGLE_CLOUD_PROJECT"]);
    }

    /// Without the cloud's address on loopback there is nobody to ask as.
    #[test]
    fn no_credentials_at_all() {
        let mut desk = at(&Server::start(compute::answer, Vec::new()));
        desk.unset("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE").unset("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBILLING");
        desk.set("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json");
        desk.refresh(ASK).ends(1).says(&["error[E1810]", "--source public"]);
    }

    /// Half a list is not taken for the whole.
    #[test]
    fn pages_of_a_project_that_do_not_fit_together() {
        let again = Fault::on("pageToken=second", |_, answer| {
            let mut page: Value = serde_json::from_str(answer.body()).unwrap();
            page["nextPageToken"] = json!("second/page");
            Answer::ok(page.to_string())
        });
        let missing = Fault::instead("pageToken=APK", Answer::status(404, "{}"));
        for (fault, says) in [(again, ["error[E1807]", "leads back"]), (missing, ["error[E1807]", "page 2 is missing"])] {
            let server = Server::start(compute::answer, vec![fault]);
            let desk = at(&server);
            desk.take_cache_of(good());
            let before = desk.snapshots();
            desk.refresh(ASK).ends(1).says(&says);
            assert_eq!(desk.snapshots(), before, "{says:?}");
        }
    }
}
