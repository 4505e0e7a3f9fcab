//! The connection to an account: configuration, event loop, and how a question is asked.
//!
//! In: settings, and the variables and files of the default chain, which the client library reads itself. Out: answers, or
//! diagnostics. Retries, backoff and timeouts are the client library's, set by the one [`Policy`].

use super::Settings;
use super::faults::{self, Action};
use crate::diagnostic::Diagnostic;
use crate::pricing::account::event_loop;
use crate::pricing::codes;
use crate::pricing::http::Policy;
use crate::pricing::pages::{self, Page};
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_ec2::config::ProvideCredentials;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use std::future::Future;
use tokio::runtime::Runtime;

/// Region of what has none: the price list and savings plans. Its endpoint serves all regions of the public cloud.
const HOME: &str = "us-east-1";

/// An account that can be asked.
pub(super) struct Session<'a> {
    runtime: Runtime,
    config: SdkConfig,
    tries: u32,
    progress: &'a dyn Fn(&str),
}

/// Looks up credentials by the default chain.
///
/// # Errors
/// There are none, or they cannot be had.
pub(super) fn open<'a>(settings: &Settings, progress: &'a dyn Fn(&str)) -> Result<Session<'a>, Diagnostic> {
    let runtime = event_loop()?;
    let mut loader = loader(&settings.policy);
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    let config = runtime.block_on(loader.load());
    let none = || faults::no_credentials("none are configured, or the profile has none");
    let Some(provider) = config.credentials_provider() else { return Err(none()) };
    // Once beforehand: else each question would say that there are none.
    runtime.block_on(provider.provide_credentials()).map_err(|fault| match fault.to_string().as_str() {
        "the credential provider was not enabled" => none(),
        // The kind of fault only: its causes may hold what a command printed.
        kind => faults::no_credentials(kind),
    })?;
    Ok(Session { runtime, config, tries: settings.policy.retries + 1, progress })
}

/// How every question is asked.
fn loader(policy: &Policy) -> ConfigLoader {
    let retries = RetryConfig::standard()
        .with_max_attempts(policy.retries + 1)
        .with_initial_backoff(policy.first_wait)
        .with_max_backoff(Policy::LONGEST_WAIT);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(policy.timeout)
        .read_timeout(policy.timeout)
        // As for the public sources: a body may take twenty times as long as its first byte.
        .operation_attempt_timeout(policy.timeout * 20)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(HOME))
        .retry_config(retries)
        .timeout_config(timeouts)
        // One for all clients: a profile may run a command or ask for a second factor.
        .identity_cache(IdentityCache::lazy().build())
}

impl Session<'_> {
    pub(super) fn ec2(&self, region: &str) -> aws_sdk_ec2::Client {
        let config = aws_sdk_ec2::config::Builder::from(&self.config).region(Region::new(region.to_owned()));
        aws_sdk_ec2::Client::from_conf(config.build())
    }

    pub(super) fn pricing(&self) -> aws_sdk_pricing::Client {
        aws_sdk_pricing::Client::new(&self.config)
    }

    pub(super) fn savings_plans(&self) -> aws_sdk_savingsplans::Client {
        aws_sdk_savingsplans::Client::new(&self.config)
    }

    /// Asks once.
    ///
    /// # Errors
    /// What [`faults::told`] makes of it.
    pub(super) fn one<O, E: ProvideErrorMetadata>(
        &self,
        action: &Action<'_>,
        ask: impl Future<Output = Result<O, SdkError<E>>>,
    ) -> Result<O, Diagnostic> {
        (self.progress)(&format!("AWS {}", action.what()));
        self.runtime.block_on(ask).map_err(|fault| faults::told(action, &fault, self.tries))
    }

    /// Asks for page after page.
    ///
    /// # Errors
    /// As [`pages::all`].
    pub(super) fn all<T, F, O, E>(
        &self,
        action: &Action<'_>,
        mut ask: impl FnMut(Option<String>) -> F,
        page: impl Fn(O) -> Page<T>,
    ) -> Result<Vec<T>, Diagnostic>
    where
        F: Future<Output = Result<O, SdkError<E>>>,
        E: ProvideErrorMetadata,
    {
        let what = format!("AWS {}", action.what());
        let mut number = 0;
        let items = pages::all(&what, |token| {
            number += 1;
            (self.progress)(&if number == 1 { what.clone() } else { format!("{what}, page {number}") });
            let answer = self.runtime.block_on(ask(token.map(str::to_owned)));
            answer.map(&page).map_err(|fault| faults::told(action, &fault, self.tries))
        });
        let severity = |fault: &Diagnostic| if fault.code == codes::CREDENTIALS { fault.severity } else { action.severity };
        items.map_err(|fault| Diagnostic { severity: severity(&fault), ..fault })
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use aws_sdk_ec2::config::Credentials;

    /// Asks another address, with keys that are none, and looks at no variable and no file.
    pub(crate) fn session<'a>(url: &str, policy: &Policy, progress: &'a dyn Fn(&str)) -> Session<'a> {
        let keys = Credentials::new("AKIDLOOPBACK", "a-key-that-is-secret", Some("a-token-that-is-secret".to_owned()), None, "test");
        let runtime = event_loop().unwrap();
        let loader = loader(policy).empty_test_environment().endpoint_url(url).credentials_provider(keys);
        let config = runtime.block_on(loader.load());
        Session { runtime, config, tries: policy.retries + 1, progress }
    }
}
