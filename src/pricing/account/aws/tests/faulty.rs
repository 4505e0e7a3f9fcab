//! The small AWS, badly.

use super::*;

/// The small AWS, where one action answers something else.
fn but(action: &'static str, reply: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Double {
    Double::start(move |question, _| if answers::action(question) == action { reply(question) } else { well(question) })
}

/// Code, what it becomes, and whether the cloud's help names the action.
#[test]
fn codes_of_aws_become_ours_with_a_way_out() {
    let cases = [
        ("DescribeInstanceTypes", 400, "RequestExpired", codes::CREDENTIALS, "aws sso login"),
        ("DescribeInstanceTypes", 401, "AuthFailure", codes::CREDENTIALS, "enable this one for the account"),
        ("DescribeInstanceTypes", 403, "SignatureDoesNotMatch", codes::CREDENTIALS, "AWS_SECRET_ACCESS_KEY"),
        ("DescribeInstanceTypes", 403, "InvalidClientTokenId", codes::CREDENTIALS, "AWS_ACCESS_KEY_ID"),
        ("DescribeInstanceTypes", 403, "RequestTimeTooSkewed", codes::CREDENTIALS, "set the clock"),
        ("GetProducts", 400, "ExpiredTokenException", codes::CREDENTIALS, "aws sso login"),
        ("GetProducts", 400, "UnrecognizedClientException", codes::CREDENTIALS, "AWS_ACCESS_KEY_ID"),
        ("DescribeSpotPriceHistory", 403, "UnauthorizedOperation", codes::NOT_ALLOWED, "add `ec2:DescribeSpotPriceHistory` to the policy"),
        ("GetProducts", 400, "AccessDeniedException", codes::NOT_ALLOWED, "add `pricing:GetProducts` to the policy"),
        ("DescribeSavingsPlans", 403, "AccessDeniedException", codes::NOT_ALLOWED, "add `savingsplans:DescribeSavingsPlans`"),
        ("DescribeSpotPriceHistory", 503, "RequestLimitExceeded", codes::THROTTLED, "--region"),
        ("GetProducts", 400, "ThrottlingException", codes::THROTTLED, "--region"),
        ("GetSpotPlacementScores", 400, "MaxConfigLimitExceeded", codes::THROTTLED, "24 hours"),
        ("GetProducts", 500, "InternalErrorException", codes::SERVER_FAULT, "try again later"),
        ("DescribeSpotPriceHistory", 503, "Unavailable", codes::SERVER_FAULT, "try again later"),
        ("DescribeSpotPriceHistory", 400, "InvalidParameterValue", codes::BAD_QUESTION, "region"),
        ("DescribeReservedInstances", 429, "Nonsense", codes::THROTTLED, "--region"),
    ];
    for (action, status, code, expected, way_out) in cases {
        let cloud = but(action, move |_| refusal(action, status, code, "in the cloud's words"));
        let (_, faults) = ask(&cloud, &hasty(), &["us-east-1"]);
        assert_eq!(faults.len(), 1, "{code}: {faults:?}");
        assert_eq!(faults[0].code, expected, "{code}: {faults:?}");
        assert!(faults[0].message.contains(code), "{code}: {faults:?}");
        assert!(faults[0].help.as_deref().is_some_and(|help| help.contains(way_out)), "{code}: {faults:?}");
    }
}

#[test]
fn a_call_that_fails_takes_nothing_from_the_others() {
    let cloud = but("DescribeInstanceTypes", |_| refusal("DescribeInstanceTypes", 403, "UnauthorizedOperation", "no"));
    let (gathered, faults) = ask(&cloud, &hasty(), &["us-east-1"]);
    assert_eq!(of(&faults), ["[E1803] AWS ec2:DescribeInstanceTypes in us-east-1 is not allowed (`UnauthorizedOperation`)"]);
    assert_eq!(gathered.quotes.len(), 3, "the catalogue's machines are priced");
    assert_eq!(gathered.spot_history.len(), 3, "and those with a price are asked about");

    let cloud = but("GetProducts", |_| refusal("GetProducts", 400, "AccessDeniedException", "no"));
    let (gathered, faults) = ask(&cloud, &hasty(), &["us-east-1"]);
    assert_eq!((faults.len(), gathered.quotes.len(), gathered.spot_history.len(), gathered.owned.len()), (1, 0, 3, 4));
}

#[test]
fn going_without_evidence_is_a_warning_and_without_prices_an_error() {
    use crate::diagnostic::Severity;
    for (action, severity) in [
        ("DescribeInstanceTypes", Severity::Error),
        ("GetProducts", Severity::Error),
        ("DescribeSpotPriceHistory", Severity::Error),
        ("DescribeInstanceTypeOfferings", Severity::Warning),
        ("GetSpotPlacementScores", Severity::Warning),
        ("DescribeReservedInstances", Severity::Warning),
        ("DescribeSavingsPlans", Severity::Warning),
    ] {
        let cloud = but(action, move |_| refusal(action, 403, "AccessDenied", "no"));
        let (_, faults) = ask(&cloud, &hasty(), &["us-east-1"]);
        assert_eq!(faults.iter().map(|fault| fault.severity).collect::<Vec<_>>(), [severity], "{action}");
    }
}

#[test]
fn an_expired_session_is_said_once_and_ends_the_asking() {
    let cloud = Double::start(|question, _| {
        refusal(answers::action(question), 400, "ExpiredToken", "The security token included in the request is expired")
    });
    let (gathered, faults) = ask(&cloud, &hasty(), &["us-east-1", "eu-west-1", "us-west-2"]);
    assert_eq!(of(&faults), ["[E1810] AWS: the session of these credentials has expired (`ExpiredToken`)"]);
    assert_eq!(gathered.quotes.len() + gathered.shapes.len(), 0);
    assert!(cloud.asked().len() <= 9, "one question a region: {}", cloud.asked().len());
}

#[test]
fn a_region_that_is_not_enabled_does_not_end_the_others() {
    let cloud = Double::start(|question, _| match answers::region(question).as_str() {
        "ap-east-2" => refusal("DescribeInstanceTypes", 401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        _ => well(question),
    });
    let (gathered, faults) = ask(&cloud, &hasty(), &["ap-east-2", "us-east-1"]);
    assert_eq!(of(&faults), ["[E1810] AWS ap-east-2: the credentials are not accepted (`AuthFailure`)"]);
    assert_eq!(gathered.quotes.len(), 4);
}

#[test]
fn a_throttled_question_is_asked_again() {
    let cloud = Double::start({
        let refused = std::sync::atomic::AtomicU32::new(0);
        move |question, _| {
            let is_history = answers::action(question) == "DescribeSpotPriceHistory";
            if is_history && refused.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 {
                return refusal("DescribeSpotPriceHistory", 503, "RequestLimitExceeded", "Request limit exceeded.");
            }
            well(question)
        }
    });
    let (gathered, faults) = ask(&cloud, &hasty(), &["us-east-1"]);
    assert_eq!((of(&faults).len(), gathered.spot_history.len()), (0, 3));

    let cloud =
        but("DescribeSpotPriceHistory", |_| refusal("DescribeSpotPriceHistory", 503, "RequestLimitExceeded", "Request limit exceeded."));
    let (_, faults) = ask(&cloud, &hasty(), &["us-east-1"]);
    let expected = "[E1804] AWS ec2:DescribeSpotPriceHistory in us-east-1: too many requests (3 tries): `RequestLimitExceeded` (HTTP 503)";
    assert_eq!(of(&faults), [expected]);
    let asked = cloud.asked().iter().filter(|question| answers::action(question) == "DescribeSpotPriceHistory").count();
    assert_eq!(asked, 3);
}

#[test]
fn pages_that_do_not_fit_together_are_no_list() {
    let round = but("DescribeSpotPriceHistory", |_| spots(&spot_page(), "again"));
    let (gathered, faults) = ask(&round, &hasty(), &["us-east-1"]);
    assert_eq!((gathered.spot_history.len(), faults.len(), faults[0].code), (0, 1, codes::BROKEN_PAGES));
    assert!(faults[0].message.contains("leads back"), "{faults:?}");

    let hole = but("DescribeInstanceTypeOfferings", |question| {
        if question.has("NextToken=") {
            return refusal("DescribeInstanceTypeOfferings", 400, "InvalidNextToken", "The token is no longer valid");
        }
        offers(&[("g6e.xlarge", "use1-az1")], "zones-2")
    });
    let (gathered, faults) = ask(&hole, &hasty(), &["us-east-1"]);
    assert_eq!((gathered.zones.len(), faults.len(), faults[0].code), (0, 1, codes::BROKEN_PAGES));
    assert!(faults[0].message.starts_with("page 2 is missing"), "{faults:?}");
}

#[test]
fn answers_that_break_off_or_do_not_come_are_told_apart() {
    let quick = Policy { retries: 1, timeout: Duration::from_millis(600), first_wait: Duration::from_millis(1) };
    let cut = || Reply::Cut("text/xml", "<DescribeSpotPriceHistoryResponse></DescribeSpotPriceHistoryResponse>".to_owned(), 30);
    // With the times that it is asked.
    let cases: [(&str, fn() -> Reply, &str, usize); 5] = [
        ("cut", cut, codes::MALFORMED, 2),
        ("no XML", || Reply::Whole(200, "text/html", "<html>sign in<html>".to_owned()), codes::MALFORMED, 1),
        ("hangup", || Reply::Hangup, codes::UNREACHABLE, 2),
        ("late", || Reply::Late(Duration::from_secs(3)), codes::TIMED_OUT, 2),
        ("proxy", || Reply::Whole(502, "text/html", "<html>bad gateway</html>".to_owned()), codes::SERVER_FAULT, 2),
    ];
    for (name, reply, expected, times) in cases {
        let cloud = but("DescribeSpotPriceHistory", move |_| reply());
        let (gathered, faults) = ask(&cloud, &quick, &["us-east-1"]);
        assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [expected], "{name}: {faults:?}");
        assert_eq!(gathered.quotes.len(), 4, "{name}");
        assert!(faults[0].help.is_some(), "{name}");
        let asked = cloud.asked().iter().filter(|question| answers::action(question) == "DescribeSpotPriceHistory").count();
        assert_eq!(asked, times, "{name}");
    }
}

#[test]
fn nobody_there_is_unreachable() {
    let gone = Double::start(|_, _| Reply::Hangup).url();
    let regions = ["us-east-1".to_owned()];
    let scope = Scope { regions: &regions, is_gpu_type: &is_gpu_type, now: NOW.parse().unwrap(), progress: &|_| () };
    let session = session::testing::session(&gone, &hasty(), &|_| ());
    let (_, faults) = ask_all(&session, &scope);
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault.code == codes::UNREACHABLE), "{faults:?}");
    assert!(faults[0].message.to_ascii_lowercase().contains("refused"), "{faults:?}");
}

#[test]
fn an_empty_region_says_so() {
    let cloud = Double::start(|question, _| match answers::action(question) {
        "DescribeInstanceTypes" => machines(&[machine("m5.large", 2, 8, None)], ""),
        "GetProducts" => products(&[], ""),
        _ => well(question),
    });
    let (_, faults) = ask(&cloud, &hasty(), &["us-east-1"]);
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [codes::NOTHING_FOUND; 2], "{faults:?}");
}

/// Services quote the request that they expected, headers and token included.
#[test]
fn nothing_that_is_said_holds_a_secret() {
    let quoted = "The Canonical String for this request should have been 'POST / host:x x-amz-security-token:a-token-that-is-secret'";
    for code in ["SignatureDoesNotMatch", "ExpiredToken", "AuthFailure", "UnauthorizedOperation"] {
        let cloud = Double::start(move |question, _| refusal(answers::action(question), 403, code, quoted));
        let (gathered, faults) = ask(&cloud, &hasty(), &["us-east-1"]);
        let said = format!("{faults:?} {:?}", gathered.findings);
        assert!(!said.contains("that-is-secret"), "{said}");
        assert!(cloud.asked()[0].has("a-token-that-is-secret"), "it was sent");
    }
}
