//! The connection to a project: credentials, event loop, clients, and how a question is asked.
//!
//! In: settings, and the Application Default Credentials, which the client library looks up. Out: answers, or diagnostics. Retries and
//! backoff are the client library's, set by the one [`Policy`].

use super::Settings;
use super::faults::{self, Action};
use crate::diagnostic::Diagnostic;
use crate::pricing::account::event_loop;
use crate::pricing::codes;
use crate::pricing::http::Policy;
use crate::pricing::pages::{self, Page};
use google_cloud_auth::credentials::{self, Credentials};
use google_cloud_billing_v1::client::CloudCatalog;
use google_cloud_compute_v1::client::{AcceleratorTypes, MachineTypes, RegionCommitments};
use google_cloud_gax::client_builder::ClientBuilder;
use google_cloud_gax::error::Error;
use google_cloud_gax::exponential_backoff::ExponentialBackoffBuilder;
use google_cloud_gax::retry_policy::RetryPolicy;
use google_cloud_gax::retry_result::RetryResult;
use google_cloud_gax::retry_state::RetryState;
use std::future::Future;
use tokio::runtime::Runtime;
use ureq::http::Uri;

/// A project that can be asked.
pub(super) struct Session<'a> {
    runtime: Runtime,
    tries: u32,
    progress: &'a dyn Fn(&str),
    /// Whose machines.
    pub(super) project: String,
    /// Prices.
    pub(super) catalog: CloudCatalog,
    /// Machines.
    pub(super) machines: MachineTypes,
    /// GPUs that can be attached.
    pub(super) accelerators: AcceleratorTypes,
    /// Commitments.
    pub(super) commitments: RegionCommitments,
}

/// Looks up credentials and makes the clients.
///
/// # Errors
/// There are no credentials, or an address is none.
pub(super) fn open<'a>(settings: &Settings, project: &str, progress: &'a dyn Fn(&str)) -> Result<Session<'a>, Diagnostic> {
    let runtime = event_loop()?;
    let compute = settings.compute.as_deref().map(origin).transpose()?;
    let billing = settings.billing.as_deref().map(origin).transpose()?;
    // The clients renew tokens in the background, so they are made inside the event loop.
    let (catalog, machines, accelerators, commitments) = runtime.block_on(async {
        let of_compute = How { policy: &settings.policy, address: compute.as_deref(), credentials: credentials(compute.as_deref())? };
        let of_billing = How { policy: &settings.policy, address: billing.as_deref(), credentials: credentials(billing.as_deref())? };
        Ok::<_, Diagnostic>((
            of_billing.set(CloudCatalog::builder()).build().await.map_err(|_| faults::no_client())?,
            of_compute.set(MachineTypes::builder()).build().await.map_err(|_| faults::no_client())?,
            of_compute.set(AcceleratorTypes::builder()).build().await.map_err(|_| faults::no_client())?,
            of_compute.set(RegionCommitments::builder()).build().await.map_err(|_| faults::no_client())?,
        ))
    })?;
    let (tries, project) = (settings.policy.retries + 1, project.to_owned());
    Ok(Session { runtime, tries, progress, project, catalog, machines, accelerators, commitments })
}

/// Scheme, host and port of an address: the paths are the client library's, and an override for other tools may have one.
fn origin(address: &str) -> Result<String, Diagnostic> {
    let uri: Option<Uri> = address.trim().parse().ok();
    let origin = uri.as_ref().and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    origin.filter(|origin| !origin.contains('@')).ok_or_else(|| faults::no_address(address))
}

/// Who asks. No credentials are looked up for, nor sent to, an address without TLS: that is a cloud for tests.
fn credentials(address: Option<&str>) -> Result<Credentials, Diagnostic> {
    if address.is_some_and(|address| address.starts_with("http://")) {
        return Ok(credentials::anonymous::Builder::new().build());
    }
    credentials::Builder::default().build().map_err(|_| faults::no_credentials(None))
}

/// How every question is asked.
struct How<'a> {
    policy: &'a Policy,
    address: Option<&'a str>,
    credentials: Credentials,
}

impl How<'_> {
    fn set<F>(&self, builder: ClientBuilder<F, Credentials>) -> ClientBuilder<F, Credentials> {
        let waits = ExponentialBackoffBuilder::new().with_initial_delay(self.policy.first_wait).with_maximum_delay(Policy::LONGEST_WAIT);
        let builder = builder
            .with_credentials(self.credentials.clone())
            .with_retry_policy(Again { retries: self.policy.retries })
            .with_backoff_policy(waits.clamp())
            // Head and body together, and the client library has no other limit: the largest page is some megabytes.
            .with_attempt_timeout(self.policy.timeout * 2);
        match self.address {
            Some(address) => builder.with_endpoint(address),
            None => builder,
        }
    }
}

/// Asks again what may be answered the next time. Every question only reads.
#[derive(Clone, Debug)]
struct Again {
    retries: u32,
}

impl RetryPolicy for Again {
    fn on_error(&self, state: &RetryState, error: Error) -> RetryResult {
        if !faults::is_passing(&error) {
            RetryResult::Permanent(error)
        } else if state.attempt_count > self.retries {
            RetryResult::Exhausted(error)
        } else {
            RetryResult::Continue(error)
        }
    }
}

impl Session<'_> {
    /// Asks for page after page.
    ///
    /// # Errors
    /// As [`pages::all`].
    pub(super) fn all<T, F, O>(
        &self,
        action: &Action,
        mut ask: impl FnMut(String) -> F,
        page: impl Fn(O) -> Page<T>,
    ) -> Result<Vec<T>, Diagnostic>
    where
        F: Future<Output = Result<O, Error>>,
    {
        let what = format!("Google Cloud {}", action.what);
        let mut number = 0;
        let items = pages::all(&what, |token| {
            number += 1;
            (self.progress)(&if number == 1 { what.clone() } else { format!("{what}, page {number}") });
            let answer = self.runtime.block_on(ask(token.unwrap_or_default().to_owned()));
            answer.map(&page).map_err(|fault| faults::told(action, &fault, self.tries))
        });
        let severity = |fault: &Diagnostic| if fault.code == codes::CREDENTIALS { fault.severity } else { action.severity };
        items.map_err(|fault| Diagnostic { severity: severity(&fault), ..fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_without_its_path_and_a_bad_one_is_refused() {
        assert_eq!(origin("http://127.0.0.1:8080/compute/v1/").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(origin("https://compute.example.com").unwrap(), "https://compute.example.com");
        for address in ["", "compute.example.com", "https://user:secret@example.com/"] {
            let fault = origin(address).unwrap_err();
            assert_eq!(fault.code, codes::BAD_QUESTION);
            assert!(!fault.message.contains("secret"), "{fault}");
        }
    }
}
