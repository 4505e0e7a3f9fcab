//! Price sources that anyone may read: no account, no credentials.
//!
//! In: addresses and a client. Out: [`Gathered`](super::gathered::Gathered) prices, judged by nobody yet. A source must not know
//! another, nor what the prices are for.

pub mod aws;
pub mod azure;
pub mod gcp;
