//! Prices of the user's own account, through the clouds' own client libraries: behind the features `aws` and `gcp`.
//!
//! In: how to ask, and what for. Out: [`Gathered`](super::gathered::Gathered) prices, and the faults of calls that brought nothing. A
//! call that fails takes nothing from what the others brought. Credentials come from each cloud's usual chain, and no text that leaves
//! this module holds any part of them.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "gcp")]
pub mod gcp;

use super::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use jiff::Timestamp;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Regions, by the cloud's own names.
    pub regions: &'a [String],
    /// Whether a machine is one of the catalogue's, with GPUs that can be planned with.
    pub is_gpu_type: &'a dyn Fn(&str) -> bool,
    /// The moment of reading.
    pub now: Timestamp,
    /// Told what is being read, in words for people.
    pub progress: &'a dyn Fn(&str),
}

/// What to say where the binary was built without the cloud's client library.
#[must_use]
pub fn missing_feature(cloud: Cloud) -> Diagnostic {
    let message = |feature| format!("this binary was built without the feature `{feature}`, so it cannot ask the account");
    let build = |feature| format!("cargo install --path . --features {feature}, or use --source public");
    let (message, help) = match cloud {
        Cloud::Aws | Cloud::Gcp => (message(cloud.as_str()), build(cloud.as_str())),
        Cloud::Azure => ("prices of Azure are read without an account".to_owned(), "use --source public for Azure".to_owned()),
    };
    let mut fault = Diagnostic::new(codes::NO_FEATURE, Severity::Error, message);
    fault.help(help);
    fault
}

/// What both clouds brought so far.
#[cfg(any(feature = "aws", feature = "gcp"))]
#[derive(Default)]
struct Brought {
    gathered: super::gathered::Gathered,
    faults: Vec<Diagnostic>,
}

/// The account does not answer this caller: further questions would be refused like the one before.
#[cfg(any(feature = "aws", feature = "gcp"))]
struct Shut;

#[cfg(any(feature = "aws", feature = "gcp"))]
impl Brought {
    /// What a call brought, if anything; its fault is noted, once. A fault of the credentials ends the asking.
    fn take<T>(&mut self, result: Result<T, Diagnostic>) -> Result<Option<T>, Shut> {
        let fault = match result {
            Ok(brought) => return Ok(Some(brought)),
            Err(fault) => fault,
        };
        let is_of_credentials = fault.code == codes::CREDENTIALS;
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
        if is_of_credentials { Err(Shut) } else { Ok(None) }
    }
}

/// The thread's event loop, which the client libraries run on. Nothing runs while nothing is asked.
#[cfg(any(feature = "aws", feature = "gcp"))]
fn event_loop() -> Result<tokio::runtime::Runtime, Diagnostic> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|fault| {
        let mut diagnostic = Diagnostic::new(codes::UNREACHABLE, Severity::Error, format!("no connections can be opened: {fault}"));
        diagnostic.help("check the limits of open files and threads (ulimit -a)");
        diagnostic
    })
}

/// Why a connection failed: the innermost fault of the operating system or of TLS. Faults of client libraries are not shown: they may
/// hold requests with their headers.
#[cfg(any(feature = "aws", feature = "gcp"))]
fn reason(fault: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut innermost = None;
    let mut next = Some(fault);
    while let Some(fault) = next {
        innermost = fault.downcast_ref::<std::io::Error>().map(ToString::to_string).or(innermost);
        next = fault.source();
    }
    innermost
}

/// A message of a cloud, in one line, and not too long.
#[cfg(any(feature = "aws", feature = "gcp"))]
fn in_short(message: &str) -> String {
    // What an administrator may decode, and long.
    let message = message.split("Encoded authorization failure message").next().unwrap_or_default();
    let words: String = message.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
    super::http::masked(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_feature_says_how_to_get_it() {
        let fault = missing_feature(Cloud::Aws);
        assert_eq!(fault.code, codes::NO_FEATURE);
        assert!(fault.message.contains("without the feature `aws`"), "{fault}");
        assert_eq!(fault.help.as_deref(), Some("cargo install --path . --features aws, or use --source public"));
        assert!(missing_feature(Cloud::Gcp).help.is_some_and(|help| help.contains("--features gcp")));
        assert!(missing_feature(Cloud::Azure).help.is_some_and(|help| help.contains("--source public")));
    }
}
