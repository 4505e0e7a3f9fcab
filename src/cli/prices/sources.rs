//! The sources of prices, with what they need of the environment: addresses, keys, proxies.
//!
//! Addresses can be set to a mirror: `GPUPLAN_AWS_PRICES_URL`, `GPUPLAN_AWS_SPOT_URL`, `GPUPLAN_AWS_ADVISOR_URL`,
//! `GPUPLAN_AZURE_PRICES_URL`, `GPUPLAN_GCP_BILLING_URL`. The SDKs have variables of their own for that.

use super::scope;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use crate::pricing::account;
use crate::pricing::codes;
use crate::pricing::gathered::Gathered;
use crate::pricing::http::{Client, OnBytes, Policy};
use crate::pricing::public::{aws, azure, gcp};
use jiff::Timestamp;
use std::env;

/// What one cloud is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Cloud.
    pub cloud: Cloud,
    /// Regions.
    pub regions: &'a [String],
    /// What is known of machines.
    pub catalog: &'a Catalog,
    /// The moment.
    pub now: Timestamp,
}

/// A cloud's name for people.
#[must_use]
pub const fn name(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Aws => "AWS",
        Cloud::Gcp => "Google Cloud",
        Cloud::Azure => "Azure",
    }
}

/// A variable that is set, and not empty.
fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Public price lists.
pub struct Public {
    client: Client,
}

impl Public {
    /// A client with the roots of trust of `SSL_CERT_FILE` where that is set.
    ///
    /// # Errors
    /// That file cannot be read, or holds no certificate.
    pub fn new(policy: Policy, on_bytes: OnBytes) -> Result<Self, Diagnostic> {
        let roots = set("SSL_CERT_FILE").map(|path| {
            std::fs::read(&path).map_err(|fault| {
                let mut diagnostic = Diagnostic::new(codes::UNREACHABLE, Severity::Error, format!("SSL_CERT_FILE `{path}`: {fault}"));
                diagnostic.help("name a file of PEM certificates, or unset SSL_CERT_FILE");
                diagnostic
            })
        });
        Client::new(policy, roots.transpose()?.as_deref(), on_bytes).map(|client| Self { client })
    }

    /// Asks one cloud's public lists.
    #[must_use]
    pub fn ask(&self, scope: &Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
        let is_gpu_type: &dyn Fn(&str) -> bool = &scope::has_gpus(scope.cloud, scope.catalog);
        let (regions, now) = (scope.regions, scope.now);
        match scope.cloud {
            Cloud::Aws => aws::fetch(&self.client, &aws_endpoints(), &aws::Scope { regions, is_gpu_type, now }),
            Cloud::Azure => {
                let base = set("GPUPLAN_AZURE_PRICES_URL").unwrap_or_else(|| azure::BASE.to_owned());
                azure::fetch(&self.client, &base, &azure::Scope { regions, is_gpu_type, now })
            }
            Cloud::Gcp => {
                let Some(key) = set("GOOGLE_API_KEY") else { return (Gathered::default(), vec![no_key()]) };
                let base = set("GPUPLAN_GCP_BILLING_URL").unwrap_or_else(|| gcp::BASE.to_owned());
                let machines = scope::machines(scope.catalog);
                let asked = gcp::Scope { regions, machines: &machines, now };
                match gcp::fetch(&self.client, &gcp::Source { base: &base, key: &key }, &asked) {
                    Ok(gathered) => (gathered, Vec::new()),
                    Err(fault) => (Gathered::default(), vec![fault]),
                }
            }
        }
    }
}

fn aws_endpoints() -> aws::Endpoints {
    let usual = aws::Endpoints::default();
    aws::Endpoints {
        prices: set("GPUPLAN_AWS_PRICES_URL").unwrap_or(usual.prices),
        spot: set("GPUPLAN_AWS_SPOT_URL").unwrap_or(usual.spot),
        advisor: set("GPUPLAN_AWS_ADVISOR_URL").unwrap_or(usual.advisor),
    }
}

fn no_key() -> Diagnostic {
    let mut fault =
        Diagnostic::new(codes::CREDENTIALS, Severity::Error, "Google Cloud: its catalogue of prices needs an API key, and none is set");
    fault.help("set GOOGLE_API_KEY (docs/prices.md says how to make one), or use --source api with your account");
    fault
}

/// Asks one cloud through the user's account.
#[must_use]
pub fn account(scope: &Scope<'_>, policy: Policy, progress: &dyn Fn(&str)) -> (Gathered, Vec<Diagnostic>) {
    let is_gpu_type: &dyn Fn(&str) -> bool = &scope::has_gpus(scope.cloud, scope.catalog);
    let asked = account::Scope { regions: scope.regions, is_gpu_type, now: scope.now, progress };
    match scope.cloud {
        Cloud::Aws => aws_account(policy, &asked),
        Cloud::Gcp => gcp_account(policy, &asked),
        Cloud::Azure => (Gathered::default(), vec![account::missing_feature(Cloud::Azure)]),
    }
}

#[cfg(feature = "aws")]
fn aws_account(policy: Policy, scope: &account::Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
    // The SDK knows AWS_PROFILE itself.
    account::aws::fetch(&account::aws::Settings { policy, profile: None }, scope)
}

#[cfg(not(feature = "aws"))]
fn aws_account(_: Policy, _: &account::Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
    (Gathered::default(), vec![account::missing_feature(Cloud::Aws)])
}

#[cfg(feature = "gcp")]
fn gcp_account(policy: Policy, scope: &account::Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
    let settings = account::gcp::Settings {
        policy,
        project: set("GOOGLE_CLOUD_PROJECT").or_else(|| set("CLOUDSDK_CORE_PROJECT")),
        compute: set("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"),
        billing: set("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBILLING"),
    };
    account::gcp::fetch(&settings, scope)
}

#[cfg(not(feature = "gcp"))]
fn gcp_account(_: Policy, _: &account::Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
    (Gathered::default(), vec![account::missing_feature(Cloud::Gcp)])
}
