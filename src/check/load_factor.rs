//! A plan may carry more than the demand asks for: after a replay missed, planning loads are raised. Never less.

use super::finding::{Family, Finding};
use crate::domain::{Scenario, WorkloadKind};
use crate::plan::Plan;

/// Loads are raised a few times over at most; more is a fault of the loop.
const MOST: f64 = 100.0;

/// Factors below what the scenario has already, or out of any range.
pub(super) fn check(scenario: &Scenario, plan: &Plan) -> Vec<Finding> {
    let own_service = plan.workloads.iter().filter_map(|w| Some((w.name.as_str(), w.service.as_ref()?.load_factor)));
    let factors = own_service.chain(plan.bundles.iter().flat_map(|b| &b.members).map(|m| (m.workload.as_str(), m.load_factor)));
    let wrong = factors.filter(|(name, factor)| !(own(scenario, name)..=MOST).contains(factor));
    wrong
        .map(|(name, factor)| {
            let finding = Finding::new(Family::DemandCover, name, "planned for less than the demand");
            finding.differs(own(scenario, name), factor)
        })
        .collect()
}

/// Factor that the scenario's peaks carry already: 1 as read.
fn own(scenario: &Scenario, name: &str) -> f64 {
    let service = scenario.workloads.iter().find(|w| w.id.as_str() == name).and_then(|w| w.service());
    service.map_or(1.0, |s| s.demand.load_factor)
}

/// The scenario with its peaks raised as the plan says; means stay.
pub(super) fn raised(scenario: &Scenario, plan: &Plan) -> Scenario {
    let mut raised = scenario.clone();
    for workload in &mut raised.workloads {
        let WorkloadKind::Service(service) = &mut workload.kind else { continue };
        let decided = plan.workloads.iter().find(|w| w.name == workload.id.as_str()).and_then(|w| w.service.as_ref());
        let member = || plan.bundles.iter().flat_map(|b| &b.members).find(|m| m.workload == workload.id.as_str());
        let Some(planned) = decided.map(|d| d.load_factor).or_else(|| member().map(|m| m.load_factor)) else { continue };
        let factor = planned / service.demand.load_factor;
        if decided.is_none() {
            // What a member says is held against this.
            service.demand.load_factor = planned;
        }
        service.demand.peak_rps.iter_mut().for_each(|peak| *peak *= factor);
    }
    raised
}
