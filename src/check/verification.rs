//! Nothing claims to be verified without a replay that says so, workload by workload.

use super::finding::{Family, Finding};
use super::view::View;
use crate::plan::{Plan, ReplayEvidence, Verification};
use crate::units::Usd;

/// A replayed bill may differ so much from the plan's.
const BILL: f64 = 0.03;

/// Checks mark and evidence.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let plan = view.plan;
    let Verification { status, reason, replay } = &plan.verification;
    let mut findings = Vec::new();
    match (status.as_str(), replay) {
        (Verification::UNVERIFIED, None) if reason == "not replayed" => {}
        (Verification::UNVERIFIED, None) => findings.push(finding("another reason than that nothing was replayed")),
        (Verification::UNVERIFIED, Some(evidence)) => findings.extend(consistent(plan, evidence)),
        (Verification::VERIFIED, Some(evidence)) => {
            findings.extend(consistent(plan, evidence));
            findings.extend(holds(plan, evidence));
        }
        (Verification::VERIFIED, None) => findings.push(finding("claims to be verified, and names no replay")),
        (other, _) => findings.push(finding("unknown status").differs("UNVERIFIED or VERIFIED", other)),
    }
    findings
}

fn finding(message: impl Into<String>) -> Finding {
    Finding::new(Family::Provenance, "verification", message)
}

/// The evidence is one of this plan, and its parts agree.
fn consistent(plan: &Plan, evidence: &ReplayEvidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names = |name: &str| evidence.workloads.iter().filter(|w| w.name == name).count();
    for workload in plan.workloads.iter().filter(|w| w.kind != "bundle") {
        if names(&workload.name) != 1 {
            findings.push(finding(format!("`{}` is not in the replay once", workload.name)));
        }
    }
    for replayed in &evidence.workloads {
        let own = plan.workloads.iter().find(|w| w.name == replayed.name).and_then(|w| w.service.as_ref()).map(|s| s.slo.attainment);
        let member = plan.bundles.iter().flat_map(|b| &b.members).find(|m| m.workload == replayed.name).map(|m| m.slo.attainment);
        let target = own.or(member);
        if let Some(target) = target.filter(|t| t.total_cmp(&replayed.slo_target).is_ne()) {
            findings.push(finding(format!("`{}` was replayed against another target", replayed.name)).differs(target, replayed.slo_target));
        }
        if replayed.attainment_ci_low > replayed.attainment {
            findings.push(finding(format!("`{}`: a confidence interval that leaves its middle out", replayed.name)));
        }
        let met = replayed.kind != "service" || replayed.attainment_ci_low >= replayed.slo_target;
        if replayed.met && !met {
            findings.push(
                finding(format!("`{}` is said to hold and does not", replayed.name))
                    .differs(replayed.slo_target, replayed.attainment_ci_low),
            );
        }
    }
    if let (Some(saving), Some(baseline)) = (evidence.saving, evidence.baseline_usd_per_month)
        && baseline > Usd::ZERO
    {
        let wanted = 1.0 - evidence.usd_per_month.as_f64() / baseline.as_f64();
        if (wanted - saving).abs() > 1e-9 {
            findings.push(finding("another saving than the replayed bills give").differs(wanted, saving));
        }
    }
    findings
}

/// Every objective holds, and the bill is the plan's.
fn holds(plan: &Plan, evidence: &ReplayEvidence) -> Vec<Finding> {
    let missed = evidence.workloads.iter().filter(|w| !w.met);
    let mut findings: Vec<Finding> = missed.map(|w| finding(format!("verified, and `{}` missed", w.name))).collect();
    let (planned, replayed) = (plan.cost.usd_per_month.as_f64(), evidence.usd_per_month.as_f64());
    if (replayed - planned).abs() > BILL * planned {
        findings.push(finding("verified, and the replayed bill is more than 3% off the plan").differs(planned, replayed));
    }
    findings
}
