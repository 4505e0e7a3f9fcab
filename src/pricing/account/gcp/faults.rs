//! What Google Cloud says when it does not answer, in words that say what to do.
//!
//! In: a failed call. Out: a diagnostic of a code, made of the service's status and message only: whatever else a client library's
//! fault holds may have been a header.

use crate::diagnostic::{Diagnostic, Severity};
use crate::pricing::account::{in_short, reason};
use crate::pricing::codes;
use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::StatusDetails;

/// A list, as it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action {
    /// In words for people.
    pub(super) what: &'static str,
    /// Permission that it needs; empty where whoever signs in may ask.
    pub(super) permission: &'static str,
    /// API that must be enabled in the project.
    pub(super) api: &'static str,
    /// How bad it is to go without.
    pub(super) severity: Severity,
}

const SIGN_IN: &str =
    "sign in (`gcloud auth application-default login`), or name a key file in GOOGLE_APPLICATION_CREDENTIALS; or use --source public";
const LATER: &str = "the last good prices are untouched; try again later";
const NETWORK: &str = "check the network, and HTTPS_PROXY and NO_PROXY if there is a proxy; the last good prices are untouched";
const SLOW: &str = "raise --timeout, or try again later; the last good prices are untouched";

fn new(code: &'static str, severity: Severity, message: String, help: &str) -> Diagnostic {
    let mut fault = Diagnostic::new(code, severity, message);
    fault.help(help);
    fault
}

/// Nobody to ask as, or no token for it; `why` where the network is at fault.
pub(super) fn no_credentials(why: Option<String>) -> Diagnostic {
    let message = "Google Cloud: the Application Default Credentials are missing, have expired, or cannot be read";
    match why {
        None => new(codes::CREDENTIALS, Severity::Error, message.to_owned(), SIGN_IN),
        // Without any in place, the client library looks for the metadata service of a machine in the cloud.
        Some(why) => {
            let message = format!("Google Cloud: no token by the Application Default Credentials: {why}");
            new(codes::CREDENTIALS, Severity::Error, message, &format!("{SIGN_IN}; where they are in place, check the network"))
        }
    }
}

/// An address that is none. One with a password in it is not shown.
pub(super) fn no_address(address: &str) -> Diagnostic {
    let shown = if address.contains('@') { "…" } else { address.trim() };
    let help = "give it as https://HOST, in CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE and CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBILLING";
    new(codes::BAD_QUESTION, Severity::Error, format!("Google Cloud: `{shown}` is no address of a service"), help)
}

/// No client can be made: of TLS, as a rule.
pub(super) fn no_client() -> Diagnostic {
    let help = "check that the system has root certificates (the package ca-certificates, or SSL_CERT_FILE)";
    new(codes::UNREACHABLE, Severity::Error, "Google Cloud: no connection can be prepared".to_owned(), help)
}

/// Whether the same question may be answered the next time.
pub(super) fn is_passing(fault: &Error) -> bool {
    match fault.http_status_code() {
        Some(403) => is_of_rate(fault),
        Some(status) => status == 429 || (500..=599).contains(&status),
        None => fault.is_timeout() || fault.is_io() || fault.is_connect() || fault.is_transport(),
    }
}

/// Compute Engine refuses with 403 what other services refuse with 429.
fn is_of_rate(fault: &Error) -> bool {
    has_reason(fault, "RATE_LIMIT_EXCEEDED") || has_words(fault, &["Rate Limit Exceeded", "rateLimitExceeded", "Quota exceeded for quota"])
}

fn is_of_disabled_api(fault: &Error) -> bool {
    has_reason(fault, "SERVICE_DISABLED") || has_words(fault, &["has not been used in project", "accessNotConfigured"])
}

/// The reason as newer services give it, apart from the message.
fn has_reason(fault: &Error, reason: &str) -> bool {
    let is_it = |detail: &StatusDetails| matches!(detail, StatusDetails::ErrorInfo(info) if info.reason == reason);
    fault.status().is_some_and(|status| status.details.iter().any(is_it))
}

/// Words that older services say instead.
fn has_words(fault: &Error, words: &[&str]) -> bool {
    fault.status().is_some_and(|status| words.iter().any(|words| status.message.contains(words)))
}

/// The diagnostic of a failed call, which was tried `tries` times where trying again could help.
pub(super) fn told(action: &Action, fault: &Error, tries: u32) -> Diagnostic {
    let what = action.what;
    let tried = format!("({tries} tries)");
    if fault.is_authentication() {
        return no_credentials(reason(fault));
    }
    let Some(status) = fault.http_status_code() else { return unanswered(action, fault, &tried) };
    let words = in_short(fault.status().map(|status| status.message.as_str()).unwrap_or_default());
    let said = if words.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {words}") };
    let message = format!("Google Cloud {what}: {said}");
    match status {
        401 => {
            let message = "Google Cloud: the credentials are not accepted, or have expired (HTTP 401)".to_owned();
            new(codes::CREDENTIALS, Severity::Error, message, &format!("{SIGN_IN}; and check that the clock is right"))
        }
        429 => throttled(action, message, &tried),
        403 if is_of_rate(fault) => throttled(action, message, &tried),
        403 if is_of_disabled_api(fault) => {
            let help = format!("enable it: gcloud services enable {}", action.api);
            new(codes::NOT_ALLOWED, action.severity, format!("Google Cloud {what}: `{}` is not enabled in the project", action.api), &help)
        }
        403 => {
            let help = if action.permission.is_empty() {
                "check the project that is charged for the quota (`gcloud auth application-default set-quota-project`; docs/prices.md)"
                    .to_owned()
            } else {
                format!("grant a role with `{}` on the project (docs/prices.md has all of them)", action.permission)
            };
            new(codes::NOT_ALLOWED, action.severity, message, &help)
        }
        500..=599 => new(codes::SERVER_FAULT, action.severity, format!("{message} {tried}"), LATER),
        200..=299 => unanswered(action, fault, &tried),
        _ => {
            let help = "check the project's name (GOOGLE_CLOUD_PROJECT) and the address; the last good prices are untouched";
            new(codes::BAD_QUESTION, action.severity, message, help)
        }
    }
}

fn throttled(action: &Action, message: String, tried: &str) -> Diagnostic {
    let help = "wait a few minutes, or ask for fewer regions with --region; the last good prices are untouched";
    new(codes::THROTTLED, action.severity, format!("{message} {tried}"), help)
}

/// No answer, or one that is none.
fn unanswered(action: &Action, fault: &Error, tried: &str) -> Diagnostic {
    let what = action.what;
    if fault.is_timeout() {
        return new(codes::TIMED_OUT, action.severity, format!("Google Cloud {what}: no answer in time {tried}"), SLOW);
    }
    if fault.is_deserialization() {
        let message = format!("Google Cloud {what}: the answer broke off, or is not of the form that it should have");
        return new(codes::MALFORMED, action.severity, message, LATER);
    }
    let reason = reason(fault).unwrap_or_else(|| "the connection failed".to_owned());
    new(codes::UNREACHABLE, action.severity, format!("Google Cloud {what}: {reason} {tried}"), NETWORK)
}
