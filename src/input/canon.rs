//! Digests: of bytes, and of a scenario in a canonical form that the order and the layout of its file do not change.

use crate::domain::Scenario;
use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Digest of the canonical form of a scenario.
#[must_use]
pub fn sha256(scenario: &Scenario) -> String {
    sha256_hex(format!("{scenario:?}").as_bytes())
}
