//! Commitments are charged in full, n x price x 730 a month, whatever the plan does; what it leaves unused is shown.

use super::finding::{Dollars, Family, Finding};
use super::tolerance::{same, same_price, same_usd};
use super::view::{self, View};
use crate::plan::CommitmentCost;
use crate::units::{HOURS_PER_MONTH, HOURS_PER_WEEK};
use std::collections::BTreeSet;

/// Checks both lists, the covered pools and the stranded hours.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(list(view, &view.plan.cost.commitments));
    findings.extend(list(view, &view.plan.baseline.commitments));
    findings.extend(covered(view));
    findings.extend(stranded(view));
    for idle in view.plan.baseline.commitments.iter().filter(|c| !same(0.0, c.stranded_node_hours_per_week)) {
        findings.push(finding(&idle.name, "stranded hours in a baseline").differs(0.0, idle.stranded_node_hours_per_week));
    }
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Commitment, subject, message)
}

fn list(view: &View<'_>, stated: &[CommitmentCost]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for held in &view.scenario.fleet.commitments {
        let name = held.id.as_str();
        let rows: Vec<_> = stated.iter().filter(|c| c.name == name).collect();
        let [row] = rows[..] else {
            findings.push(finding(name, "a commitment is paid for once").differs(1_usize, rows.len()));
            continue;
        };
        let covers = (held.instance_type.as_str(), held.region.as_str(), held.nodes, held.expires.as_str());
        if covers != (row.instance_type.as_str(), row.region.as_str(), row.nodes, row.expires.as_str()) {
            findings.push(finding(name, "another commitment than the scenario's").differs(format!("{covers:?}"), format!("{row:?}")));
        }
        if !same_price(held.price.as_f64(), row.usd_per_hour.as_f64()) {
            findings.push(finding(name, "another price an hour").differs(held.price.as_f64(), row.usd_per_hour.as_f64()));
        }
        let wanted = f64::from(held.nodes) * held.price.as_f64() * HOURS_PER_MONTH;
        if !same_usd(wanted, row.usd_per_month.as_f64()) {
            findings.push(finding(name, "not charged in full, a month").differs(Dollars(wanted), Dollars(row.usd_per_month.as_f64())));
        }
    }
    for row in stated {
        if !view.scenario.fleet.commitments.iter().any(|held| held.id.as_str() == row.name) {
            findings.push(finding(&row.name, "the scenario holds no such commitment"));
        }
    }
    findings
}

/// Machine and region of each commitment, once.
fn keys<'a>(view: &View<'a>) -> BTreeSet<(&'a str, &'a str)> {
    view.scenario.fleet.commitments.iter().map(|c| (c.instance_type.as_str(), c.region.as_str())).collect()
}

fn covered(view: &View<'_>) -> Vec<Finding> {
    let wrong = view.pools.iter().filter(|p| p.pool.committed_nodes != p.committed);
    wrong.map(|p| finding(&p.pool.name, "other nodes paid by commitments").differs(p.committed, p.pool.committed_nodes)).collect()
}

fn stranded(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (machine, region) in keys(view) {
        let held = f64::from(view::committed(view.scenario, machine, region));
        let pools: Vec<_> = view.pools.iter().filter(|p| !p.spot && p.pool.instance_type == machine && p.pool.region == region).collect();
        let idle = |t: usize| (held - pools.iter().map(|p| p.pool.nodes_by_hour[t]).sum::<f64>()).max(0.0);
        let wanted: f64 = (0..HOURS_PER_WEEK).map(idle).sum();
        let rows = view.plan.cost.commitments.iter().filter(|c| c.instance_type == machine && c.region == region);
        let found: f64 = rows.map(|c| c.stranded_node_hours_per_week).sum();
        if !same(wanted, found) {
            findings.push(finding(machine, format!("other stranded node-hours a week in {region}")).differs(wanted, found));
        }
    }
    findings
}
