//! Today's bill at the plan's prices: `sum over groups of (nodes - committed) x price x 730 + commitments`, and
//! where they are priced traffic and bytes of starts.
//!
//! Spot groups at their expected price, with the same machine on demand as fallback, so that both sides are counted alike.

use super::cost::monthly_commitment;
use super::finding::{Dollars, Family, Finding};
use super::tolerance::{USD, same, same_usd};
use super::view::{self, View};
use super::{network, price, spot};
use crate::domain::{CapacityType, NodeGroup};
use crate::plan::NodeGroupCost;
use crate::units::HOURS_PER_MONTH;
use std::collections::BTreeSet;

/// Checks groups, their workloads' shares and the total.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let stated = &view.plan.baseline;
    let mut findings = Vec::new();
    if stated.kind != "inventory" {
        findings.push(finding("baseline", "another kind of baseline").differs("inventory", stated.kind.as_str()));
    }
    let mut groups_usd = 0.0;
    for group in &view.scenario.fleet.node_groups {
        let rows: Vec<_> = stated.node_groups.iter().filter(|g| g.name == group.id.as_str()).collect();
        let [row] = rows[..] else {
            findings.push(finding(group.id.as_str(), "a node group counts once").differs(1_usize, rows.len()));
            continue;
        };
        findings.extend(repeats(group, row));
        findings.extend(bill(view, group, row));
        findings.extend(shares(view, row));
        groups_usd += row.usd_per_month.as_f64();
    }
    for row in &stated.node_groups {
        if view.scenario.fleet.node_groups.iter().all(|g| g.id.as_str() != row.name) {
            findings.push(finding(&row.name, "the scenario has no such node group"));
        }
    }
    findings.extend(committed(view));
    let remote: f64 = view.workloads().map(|c| network::today(view, c.workload).monthly()).sum();
    let wanted = groups_usd + remote + view.scenario.fleet.commitments.iter().map(monthly_commitment).sum::<f64>();
    let found = stated.usd_per_month.as_f64();
    if !same_usd(wanted, found) {
        findings.push(finding("baseline", "another total a month").differs(Dollars(wanted), Dollars(found)));
    }
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Baseline, subject, message)
}

fn repeats(group: &NodeGroup, row: &NodeGroupCost) -> Option<Finding> {
    let wanted = (group.instance_type.as_str(), group.region.as_str(), group.capacity_type.as_str());
    let found = (row.instance_type.as_str(), row.region.as_str(), row.capacity_type.as_str());
    let kept = wanted == found && same(group.nodes, row.nodes) && group.reason == row.reason;
    (!kept).then(|| finding(&row.name, "another group than the scenario's").differs(format!("{wanted:?}"), format!("{found:?}")))
}

/// Price of a node-hour of the group, dollars; none when the price list does not have it.
fn usd_per_hour(view: &View<'_>, group: &NodeGroup) -> Option<f64> {
    let machine = &group.instance_type;
    let on_demand = view.offering(machine, &group.region, false).map(|o| price::posted(view, o));
    if group.capacity_type == CapacityType::OnDemand {
        return on_demand;
    }
    let posted = price::posted(view, view.offering(machine, &group.region, true)?);
    let switch_hours = view.slowest_chain_s() / 3600.0;
    Some(spot::blend(&spot::risk_of(view, machine, &group.region), (posted, on_demand?), switch_hours))
}

fn bill(view: &View<'_>, group: &NodeGroup, row: &NodeGroupCost) -> Option<Finding> {
    let paid = (group.nodes - f64::from(row.committed_nodes)).max(0.0);
    let found = row.usd_per_month.as_f64();
    let Some(usd_per_hour) = usd_per_hour(view, group) else {
        return (paid > 0.0).then(|| finding(&row.name, "the price list does not have these nodes"));
    };
    let wanted = paid * usd_per_hour * HOURS_PER_MONTH;
    (!same_usd(wanted, found)).then(|| finding(&row.name, "another cost a month").differs(Dollars(wanted), Dollars(found)))
}

/// The workloads of a group are all of those placed there, and their costs today add up to its bill.
fn shares(view: &View<'_>, row: &NodeGroupCost) -> Vec<Finding> {
    let mut findings = Vec::new();
    let here: Vec<_> =
        view.workloads().filter(|c| c.workload.placement.as_ref().is_some_and(|p| p.node_group.as_str() == row.name)).collect();
    let wanted: BTreeSet<&str> = here.iter().map(|c| c.plan.name.as_str()).collect();
    let found: BTreeSet<&str> = row.workloads.iter().map(String::as_str).collect();
    if wanted != found {
        findings.push(finding(&row.name, "other workloads run there").differs(format!("{wanted:?}"), format!("{found:?}")));
    }
    let machines = |c: &super::view::Common<'_>| c.plan.baseline_usd_per_month.as_f64() - network::today(view, c.workload).monthly();
    let sum: f64 = here.iter().map(machines).sum();
    // Half a cent for every share that is rounded on its own.
    let kept = (sum - row.usd_per_month.as_f64()).abs() <= USD * here.len().max(1) as f64;
    if !here.is_empty() && !kept {
        let message = "its workloads' costs today do not add up to its bill";
        findings.push(finding(&row.name, message).differs(Dollars(row.usd_per_month.as_f64()), Dollars(sum)));
    }
    findings
}

/// Commitments take as many nodes off the bill of today as they cover, and no more.
fn committed(view: &View<'_>) -> Vec<Finding> {
    let groups = &view.scenario.fleet.node_groups;
    let keys: BTreeSet<_> = groups.iter().map(|g| (g.instance_type.as_str(), g.region.as_str())).collect();
    let mut findings = Vec::new();
    for (machine, region) in keys {
        let own = || groups.iter().filter(|g| g.instance_type.as_str() == machine && g.region.as_str() == region);
        let on_demand: f64 = own().filter(|g| g.capacity_type == CapacityType::OnDemand).map(|g| g.nodes.ceil()).sum();
        let wanted = f64::from(view::committed(view.scenario, machine, region)).min(on_demand);
        let rows = view.plan.baseline.node_groups.iter().filter(|row| own().any(|g| g.id.as_str() == row.name));
        let found: f64 = rows.map(|row| f64::from(row.committed_nodes)).sum();
        if !same(wanted, found) {
            findings.push(finding(machine, format!("other nodes paid by commitments in {region}")).differs(wanted, found));
        }
    }
    findings
}
