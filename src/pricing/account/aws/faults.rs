//! What AWS says when it does not answer, in words that say what to do.
//!
//! In: a failed call. Out: a diagnostic of a code, made of the service's code and message only: whatever else a client library's fault
//! holds may have been a header. Where the signature is at fault the message goes too, for services quote the whole request in it.

use crate::diagnostic::{Diagnostic, Severity};
use crate::pricing::account::{in_short, reason};
use crate::pricing::codes;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

/// An action, as it is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action<'a> {
    /// As a policy names it: `ec2:DescribeInstanceTypes`.
    pub(super) name: &'static str,
    /// Region that it is asked of; empty where it has none.
    pub(super) region: &'a str,
    /// How bad it is to go without.
    pub(super) severity: Severity,
}

impl Action<'_> {
    /// In words for people.
    pub(super) fn what(&self) -> String {
        if self.region.is_empty() { self.name.to_owned() } else { format!("{} in {}", self.name, self.region) }
    }
}

/// What is behind an error code.
#[derive(Clone, Copy)]
enum Why {
    Expired,
    Late,
    UnknownKey,
    WrongSignature,
    WrongClock,
    UnknownHere,
    NotAllowed,
    Throttled,
    SpentForToday,
    ServerFault,
    BrokenPages,
}

/// Source: "Common errors" of the API references of EC2, Price List Service and Savings Plans, and "Error codes for the Amazon EC2 API".
fn why(code: &str) -> Option<Why> {
    Some(match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Why::Expired,
        "RequestExpired" => Why::Late,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => Why::UnknownKey,
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" | "IncompleteSignatureException" => {
            Why::WrongSignature
        }
        "RequestTimeTooSkewed" | "RequestInTheFuture" => Why::WrongClock,
        "AuthFailure" | "OptInRequired" => Why::UnknownHere,
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" | "NotAuthorized" => Why::NotAllowed,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "BandwidthLimitExceeded" => Why::Throttled,
        "MaxConfigLimitExceeded" => Why::SpentForToday,
        "InternalError"
        | "InternalFailure"
        | "InternalErrorException"
        | "InternalServerException"
        | "Unavailable"
        | "ServiceUnavailable" => Why::ServerFault,
        "InvalidNextToken" | "InvalidNextTokenException" | "ExpiredNextTokenException" | "InvalidPaginationToken" => Why::BrokenPages,
        _ => return None,
    })
}

const SIGN_IN: &str = "sign in again (`aws sso login`), or renew the temporary keys; the last good prices are untouched";
const CLOCK: &str = "set the clock (timedatectl, or the time service of the system): AWS refuses requests that are minutes off";
const KEYS: &str = "check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that the clock is right; `aws sts get-caller-identity` tells who asks";
const LATER: &str = "the last good prices are untouched; try again later";
const NETWORK: &str =
    "check the network, HTTPS_PROXY and NO_PROXY if there is a proxy, and AWS_ENDPOINT_URL; the last good prices are untouched";
const SLOW: &str = "raise --timeout, or try again later; the last good prices are untouched";

/// Nobody to ask as. `said` is what the chain of credentials says by itself, without what it was told.
pub(super) fn no_credentials(said: &str) -> Diagnostic {
    let mut fault = Diagnostic::new(codes::CREDENTIALS, Severity::Error, format!("AWS: no credentials: {said}"));
    fault.help("set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in (`aws sso login`); or use --source public");
    fault
}

/// The diagnostic of a failed call, which was tried `tries` times where trying again could help.
pub(super) fn told<E: ProvideErrorMetadata>(action: &Action<'_>, fault: &SdkError<E>, tries: u32) -> Diagnostic {
    let new = |code, message: String, help: &str| {
        let mut diagnostic = Diagnostic::new(code, action.severity, message);
        diagnostic.help(help);
        diagnostic
    };
    let what = action.what();
    let tried = format!("({tries} tries)");
    // An answer that cannot be read counts as the service's fault, with the status of a success.
    let is_success = fault.raw_response().is_some_and(|response| response.status().is_success());
    match fault {
        SdkError::ServiceError(_) if !is_success => refused(action, fault, &tried),
        SdkError::TimeoutError(_) => new(codes::TIMED_OUT, format!("AWS {what}: no answer in time {tried}"), SLOW),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            new(codes::TIMED_OUT, format!("AWS {what}: no answer in time {tried}"), SLOW)
        }
        SdkError::DispatchFailure(failure) => {
            let reason = failure.as_connector_error().and_then(|error| reason(error));
            let reason = reason.unwrap_or_else(|| "the connection failed".to_owned());
            new(codes::UNREACHABLE, format!("AWS {what}: {reason} {tried}"), NETWORK)
        }
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => {
            new(codes::MALFORMED, format!("AWS {what}: the answer broke off, or is not of the form that it should have"), LATER)
        }
        _ => new(codes::BAD_QUESTION, format!("AWS {what}: the question cannot be asked"), "check the region's name and AWS_ENDPOINT_URL"),
    }
}

/// The service's own words.
fn refused<E: ProvideErrorMetadata>(action: &Action<'_>, fault: &SdkError<E>, tried: &str) -> Diagnostic {
    let status = fault.raw_response().map_or(0, |response| response.status().as_u16());
    let meta = fault.meta();
    let code = meta.code().unwrap_or("no code");
    let what = action.what();
    // What comes from further inside the service may quote the request.
    let is_inside = status >= 500 || status == 429 || code.contains("Throttl") || code.contains("LimitExceeded");
    let said = if is_inside { String::new() } else { in_short(meta.message().unwrap_or_default()) };
    let said = if said.is_empty() { format!("`{code}` (HTTP {status})") } else { format!("`{code}`: {said}") };
    let by_status = match status {
        401 | 403 => Some(Why::NotAllowed),
        429 => Some(Why::Throttled),
        500..=599 => Some(Why::ServerFault),
        _ => None,
    };
    let credentials = |message: String, help: &str| (codes::CREDENTIALS, Severity::Error, message, help.to_owned());
    let (diagnostic_code, severity, message, help) = match why(code).or(by_status) {
        // The same for every call: said without naming one, so that it is said once.
        Some(Why::Expired) => credentials(format!("AWS: the session of these credentials has expired (`{code}`)"), SIGN_IN),
        Some(Why::Late) => credentials(
            format!("AWS: the request came too late (`{code}`): the credentials have expired, or this machine's clock is wrong"),
            &format!("{SIGN_IN}; or {CLOCK}"),
        ),
        Some(Why::UnknownKey) => credentials(format!("AWS: the access key is not known (`{code}`)"), KEYS),
        Some(Why::WrongSignature) => {
            credentials(format!("AWS: the secret key does not fit the access key, or this machine's clock is wrong (`{code}`)"), KEYS)
        }
        Some(Why::WrongClock) => credentials(format!("AWS: this machine's clock is wrong (`{code}`)"), CLOCK),
        Some(Why::UnknownHere) => credentials(
            format!("AWS {}: the credentials are not accepted (`{code}`)", action.region),
            &format!("if other regions answer, enable this one for the account, or leave it out; else {KEYS}"),
        ),
        Some(Why::NotAllowed) => (
            codes::NOT_ALLOWED,
            action.severity,
            format!("AWS {what} is not allowed (`{code}`)"),
            format!("add `{}` to the policy of this user or role (docs/prices.md has all of it)", action.name),
        ),
        Some(Why::Throttled) => {
            let help = "wait a few minutes, or ask for fewer regions with --region; the last good prices are untouched";
            (codes::THROTTLED, action.severity, format!("AWS {what}: too many requests {tried}: {said}"), help.to_owned())
        }
        Some(Why::SpentForToday) => {
            let help = "AWS answers new questions of this kind again after 24 hours; nothing else needs them";
            (codes::THROTTLED, action.severity, format!("AWS {what}: too many different questions today: {said}"), help.to_owned())
        }
        Some(Why::ServerFault) => (codes::SERVER_FAULT, action.severity, format!("AWS {what}: {said} {tried}"), LATER.to_owned()),
        Some(Why::BrokenPages) => (codes::BROKEN_PAGES, action.severity, format!("AWS {what}: {said}"), LATER.to_owned()),
        None => {
            let help = "check the region's name; the last good prices are untouched";
            (codes::BAD_QUESTION, action.severity, format!("AWS {what}: {said}"), help.to_owned())
        }
    };
    let mut diagnostic = Diagnostic::new(diagnostic_code, severity, message);
    diagnostic.help(help);
    diagnostic
}
