//! Today's bill at the plan's prices: every node group, commitments in full, and where it is priced the traffic.

use crate::domain::{CapacityType, Scenario};
use crate::formulation::pools::{planned_price, switch_hours};
use crate::plan::{Baseline, NodeGroupCost};
use crate::units::{HOURS_PER_MONTH, Usd, UsdPerHour};

/// The inventory baseline.
#[must_use]
pub fn of(scenario: &Scenario) -> Baseline {
    let switch = switch_hours(scenario);
    let mut left: Vec<u32> = scenario.fleet.commitments.iter().map(|c| c.nodes).collect();
    let mut node_groups = Vec::new();
    for group in &scenario.fleet.node_groups {
        let mut covered = 0;
        for (commitment, left) in scenario.fleet.commitments.iter().zip(&mut left) {
            let matches = commitment.instance_type == group.instance_type && commitment.region == group.region;
            if matches && group.capacity_type == CapacityType::OnDemand {
                let take = (*left).min(group.nodes.ceil() as u32 - covered);
                *left -= take;
                covered += take;
            }
        }
        let price = scenario
            .offering(&group.instance_type, &group.region, group.capacity_type)
            .and_then(|o| planned_price(scenario, o, switch))
            .unwrap_or(UsdPerHour::ZERO);
        let paid = (group.nodes - f64::from(covered)).max(0.0);
        node_groups.push(NodeGroupCost {
            name: group.id.to_string(),
            instance_type: group.instance_type.to_string(),
            region: group.region.to_string(),
            capacity_type: group.capacity_type.as_str().to_owned(),
            nodes: group.nodes,
            committed_nodes: covered,
            usd_per_month: price.for_hours(paid * HOURS_PER_MONTH),
            workloads: tenants(scenario, &group.id),
            reason: group.reason.clone(),
        });
    }
    let commitments = super::pools::commitment_costs(scenario, &std::collections::BTreeMap::new());
    let (egress, bytes) = scenario
        .workloads
        .iter()
        .map(|w| super::network::today(scenario, w))
        .fold((Usd::ZERO, Usd::ZERO), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let usd_per_month = node_groups.iter().map(|g| g.usd_per_month).sum::<Usd>()
        + commitments.iter().map(|c| c.usd_per_month).sum::<Usd>()
        + egress
        + bytes;
    let commitments = commitments.into_iter().map(|c| crate::plan::CommitmentCost { stranded_node_hours_per_week: 0.0, ..c }).collect();
    let priced = |usd: Usd| scenario.network.as_ref().map(|_| usd);
    Baseline {
        usd_per_month,
        kind: "inventory".to_owned(),
        node_groups,
        commitments,
        egress_usd_per_month: priced(egress),
        start_up_bytes_usd_per_month: priced(bytes),
    }
}

fn tenants(scenario: &Scenario, group: &crate::ids::NodeGroupId) -> Vec<String> {
    let on = |w: &&crate::domain::Workload| w.placement.as_ref().is_some_and(|p| &p.node_group == group);
    scenario.workloads.iter().filter(on).map(|w| w.id.to_string()).collect()
}
