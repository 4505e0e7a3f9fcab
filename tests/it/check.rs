//! The checker: a good plan is clean, and every deliberate corruption is found by the family that is there for it.
#![expect(clippy::unwrap_used, reason = "test")]

use crate::fixture;
use gpuplan::check::{self, Family, Finding};
use gpuplan::domain::Scenario;
use gpuplan::plan::Plan;
use std::collections::BTreeSet;

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|f| format!("{f}\n")).collect()
}

#[test]
fn the_good_plan_is_clean() {
    let (scenario, plan) = fixture::good();
    let findings = check::plan(&scenario, &plan);
    assert!(findings.is_empty(), "{}", lines(&findings));
}
