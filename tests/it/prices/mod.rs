//! `gpuplan prices` against clouds on loopback: right prices, and every fault. No network, no account, no cache of the user's.

#[cfg(any(feature = "aws", feature = "gcp"))]
mod account;
mod aws;
mod azure;
mod cache_faults;
mod clouds;
#[cfg(feature = "gcp")]
mod compute;
mod desk;
#[cfg(feature = "aws")]
mod ec2;
mod expected;
mod faults;
mod google;
mod plans;
mod price_faults;
mod streamed;
