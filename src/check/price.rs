//! Pools are what the price list sells, at its price.
//!
//! On demand `p = (list x (1 - discount) + adder) x (1 + percent)`, spot without the discount, both to the nano-dollar.

use super::finding::{Family, Finding};
use super::spot;
use super::tolerance::{same, same_price};
use super::view::{PoolView, View};
use crate::domain::{Assurance, CapacityType, Offering};
use crate::ids::{InstanceTypeId, RegionId};
use crate::plan::PriceOrigin;

/// What a node-hour of the offering costs, from the list price, dollars.
pub(super) fn posted(view: &View<'_>, offering: &Offering) -> f64 {
    let adders = &view.scenario.adders;
    let discount = if offering.capacity_type == CapacityType::OnDemand { adders.discount_percent / 100.0 } else { 0.0 };
    let usd = (offering.list_price.as_f64() * (1.0 - discount) + adders.usd_per_node_hour) * (1.0 + adders.percent / 100.0);
    (usd * 1e9).round_ties_even() / 1e9
}

/// What the plan's cost counts for a node-hour of the pool, dollars; none: nobody sells it, or nothing takes it over.
pub(super) fn planned(view: &View<'_>, pool: &PoolView<'_>) -> Option<f64> {
    if pool.spot { spot::expected(view, pool).map(|e| e.planned) } else { pool.offering.map(|o| posted(view, o)) }
}

/// Checks every pool and the list of prices.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pool in &view.pools {
        findings.extend(machine(pool));
        findings.extend(sold(view, pool));
    }
    findings.extend(view.plan.provenance.prices.iter().filter_map(|row| origin(view, row)));
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Price, subject, message)
}

fn machine(pool: &PoolView<'_>) -> Vec<Finding> {
    let (stated, machine) = (pool.pool, pool.machine);
    let mut findings = Vec::new();
    for (what, wanted, found) in [
        ("cloud", machine.cloud.as_str(), stated.cloud.as_str()),
        ("accelerator", machine.accelerator.as_str(), stated.accelerator.as_str()),
    ] {
        if wanted != found {
            findings.push(finding(&stated.name, format!("another {what} than the instance type has")).differs(wanted, found));
        }
    }
    for (what, wanted, found) in [
        ("number of GPUs", f64::from(machine.gpus), f64::from(stated.gpus_per_node)),
        ("number of CPUs", machine.vcpus, stated.vcpus_per_node),
        ("memory, GiB", machine.ram.0, stated.ram_gib_per_node),
    ] {
        if !same(wanted, found) {
            findings.push(finding(&stated.name, format!("another {what} than the instance type has")).differs(wanted, found));
        }
    }
    findings
}

fn sold(view: &View<'_>, pool: &PoolView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let stated = pool.pool;
    let Some(offering) = pool.offering else {
        // Nodes of a commitment may have no price: nothing is bought beyond it.
        if stated.nodes_by_hour.iter().any(|n| *n > f64::from(pool.committed)) {
            findings.push(finding(&stated.name, format!("nobody sells this in {}", stated.region)));
        }
        return findings;
    };
    let wanted = posted(view, offering);
    if !same_price(wanted, stated.usd_per_hour.as_f64()) {
        findings.push(finding(&stated.name, "another price an hour, dollars").differs(wanted, stated.usd_per_hour.as_f64()));
    }
    if !pool.spot && !same_price(wanted, stated.planned_usd_per_hour.as_f64()) {
        findings
            .push(finding(&stated.name, "another planned price an hour, dollars").differs(wanted, stated.planned_usd_per_hour.as_f64()));
    }
    let reserved = pool.committed > 0 && stated.assurance == Assurance::Reserved.as_str();
    if stated.assurance != offering.assurance.as_str() && !reserved {
        findings.push(finding(&stated.name, "another assurance").differs(offering.assurance.as_str(), stated.assurance.as_str()));
    }
    if let Some(zone) = stated.zones.iter().find(|zone| !offering.zones.contains(zone)) {
        findings.push(finding(&stated.name, format!("not offered in zone `{zone}`")).differs(offering.zones.join(", "), zone.as_str()));
    }
    findings.extend(listed(view, pool, offering));
    findings
}

fn listed(view: &View<'_>, pool: &PoolView<'_>, offering: &Offering) -> Option<Finding> {
    let name = format!("{}/{}/{}/{}", pool.machine.cloud.as_str(), pool.region, pool.machine.id, offering.capacity_type.as_str());
    let known = view.plan.provenance.prices.iter().any(|row| row.offering == name);
    (!known).then(|| finding(&pool.pool.name, format!("the origin of price `{name}` is not given")))
}

fn origin(view: &View<'_>, row: &PriceOrigin) -> Option<Finding> {
    let parts: Vec<&str> = row.offering.split('/').collect();
    let [_, region, machine, capacity] = parts[..] else { return Some(finding(&row.offering, "no name of an offering")) };
    let spot = capacity == CapacityType::Spot.as_str();
    let Some(offering) = view.offering(&InstanceTypeId::new(machine), &RegionId::new(region), spot) else {
        return Some(finding(&row.offering, "the scenario has no such offering"));
    };
    let wanted = (offering.list_price.as_f64(), posted(view, offering));
    let found = (row.list_usd_per_hour.as_f64(), row.usd_per_hour.as_f64());
    if !same_price(wanted.0, found.0) || !same_price(wanted.1, found.1) {
        return Some(finding(&row.offering, "another price, list and paid").differs(format!("{wanted:?}"), format!("{found:?}")));
    }
    let origin = (offering.source.as_str(), offering.as_of.as_str());
    (origin != (row.source.as_str(), row.as_of.as_str()))
        .then(|| finding(&row.offering, "another origin").differs(format!("{origin:?}"), format!("{} {}", row.source, row.as_of)))
}
