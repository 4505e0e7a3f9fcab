//! Costs to the cent: every pool, every workload's share, totals, evidence classes and the saving.
//!
//! `(sum of nodes beyond commitments + start hours) x planned price`, shared out by slot-hours in shared pools and by
//! node-hours with starts and tails in the others. A week becomes a month by 730/168.

use super::claims::Claim;
use super::finding::{Dollars, Family, Finding};
use super::network;
use super::price;
use super::start_up::start_hours;
use super::tolerance::{same, same_usd};
use super::view::{PoolView, View};
use crate::units::MONTHS_PER_WEEK_FACTOR;
use std::collections::BTreeMap;

/// Checks pools, workloads and totals.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let bills: Vec<_> = view.pools.iter().map(|pool| bill(view, pool)).collect();
    for (pool, bill) in view.pools.iter().zip(&bills) {
        findings.extend(of_pool(pool, bill));
    }
    findings.extend(of_workloads(view, &bills));
    findings.extend(totals(view, &bills));
    findings.extend(evidence_classes(view));
    findings.extend(savings(view));
    findings
}

/// What a pool costs, recomputed.
struct Bill {
    paid_hours: f64,
    usd_per_month: f64,
    /// Dollars a month by workload.
    shares: BTreeMap<String, f64>,
}

fn bill(view: &View<'_>, pool: &PoolView<'_>) -> Bill {
    let usd_per_hour = price::planned(view, pool).unwrap_or(pool.pool.planned_usd_per_hour.as_f64());
    let monthly = |hours: f64| hours * usd_per_hour * MONTHS_PER_WEEK_FACTOR;
    let claims: Vec<_> = view.claims.iter().filter(|c| c.pool == pool.pool.name).collect();
    let mut shares = BTreeMap::new();
    // Shared pools are shared out by slot-hours, others by node-hours with starts and tails.
    let weight = |claim: &Claim<'_>| if pool.shared { claim.slot_hours() } else { claim.expected.iter().sum::<f64>() + claim.start_hours };
    let paid_hours: f64 = pool.pool.nodes_by_hour.iter().enumerate().map(|(t, n)| n - view.credited(pool, t)).sum();
    let start_hours = start_hours(view, pool);
    // What purchases take off is held against the use by the family of purchases.
    let usd_per_month = monthly(paid_hours + start_hours) - pool.pool.purchases_credit_usd_per_month.as_f64();
    let all: f64 = claims.iter().map(|c| weight(c)).sum();
    for claim in claims.iter().filter(|_| all > 0.0) {
        *shares.entry(claim.workload.to_owned()).or_insert(0.0) += usd_per_month * weight(claim) / all;
    }
    Bill { paid_hours, usd_per_month, shares }
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Cost, subject, message)
}

fn money(subject: &str, message: &str, both: (f64, f64)) -> Option<Finding> {
    let (wanted, found) = both;
    (!same_usd(wanted, found)).then(|| finding(subject, message).differs(Dollars(wanted), Dollars(found)))
}

fn of_pool(pool: &PoolView<'_>, bill: &Bill) -> Vec<Finding> {
    let stated = pool.pool;
    let mut findings = Vec::new();
    if !same(bill.paid_hours, stated.paid_node_hours_per_week) {
        findings.push(finding(&stated.name, "other paid node-hours a week").differs(bill.paid_hours, stated.paid_node_hours_per_week));
    }
    findings.extend(money(&stated.name, "another cost a month", (bill.usd_per_month, stated.usd_per_month.as_f64())));
    findings
}

fn of_workloads(view: &View<'_>, bills: &[Bill]) -> Vec<Finding> {
    let share = |name: &str| bills.iter().filter_map(|b| b.shares.get(name)).sum::<f64>();
    let mut findings = Vec::new();
    // Members of a server pay it, not a pool: `bundle`.
    for common in view.workloads().filter(|common| common.plan.mode != "bundled") {
        let wanted = share(common.name()) + network::planned(view, &common).monthly();
        findings.extend(money(common.name(), "another share of the cost a month", (wanted, common.plan.usd_per_month.as_f64())));
    }
    findings
}

fn totals(view: &View<'_>, bills: &[Bill]) -> Vec<Finding> {
    let stated = &view.plan.cost;
    let by_type = |spot: bool| -> f64 {
        let pools = view.pools.iter().zip(bills).filter(|(pool, _)| pool.spot == spot);
        pools.map(|(_, bill)| bill.usd_per_month).sum()
    };
    let held: f64 = view.scenario.fleet.commitments.iter().map(monthly_commitment).sum();
    let bought: f64 = view.plan.purchases.iter().map(|p| p.usd_per_month.as_f64()).sum();
    let (on_demand, spot) = (by_type(false), by_type(true));
    let remote = network::all_planned(view).monthly();
    [
        ("another cost of on-demand a month", on_demand, stated.on_demand_usd_per_month),
        ("another cost of spot a month", spot, stated.spot_usd_per_month),
        ("another cost of commitments a month", held, stated.commitments_usd_per_month),
        ("another cost of purchases a month", bought, stated.purchases_usd_per_month),
        ("another total a month", on_demand + spot + held + bought + remote, stated.usd_per_month),
    ]
    .into_iter()
    .filter_map(|(message, wanted, found)| money("total", message, (wanted, found.as_f64())))
    .collect()
}

/// A commitment's charge, dollars a month.
pub(super) fn monthly_commitment(held: &crate::domain::Commitment) -> f64 {
    f64::from(held.nodes) * held.price.as_f64() * crate::units::HOURS_PER_MONTH
}

fn evidence_classes(view: &View<'_>) -> Vec<Finding> {
    let mut wanted: BTreeMap<&str, f64> = BTreeMap::new();
    for workload in view.plan.workloads.iter().filter(|w| w.kind != "bundle") {
        *wanted.entry(workload.variant.evidence.as_str()).or_insert(0.0) += workload.usd_per_month.as_f64();
    }
    let stated = &view.plan.cost.by_evidence_usd_per_month;
    for class in stated.keys() {
        wanted.entry(class.as_str()).or_insert(0.0);
    }
    wanted
        .into_iter()
        .filter_map(|(class, usd)| {
            let found = stated.get(class).map_or(0.0, |usd| usd.as_f64());
            money(class, "another cost of this evidence class a month", (usd, found))
        })
        .collect()
}

/// The share saved, of the plan, of competent operations and of every sensitivity.
fn savings(view: &View<'_>) -> Vec<Finding> {
    let plan = view.plan;
    let baseline = plan.baseline.usd_per_month.as_f64();
    let share = |usd: f64| if baseline > 0.0 { 1.0 - usd / baseline } else { 0.0 };
    let mut rows = vec![
        ("plan", share(plan.cost.usd_per_month.as_f64()), plan.saving),
        ("competent operations", share(plan.competent_operations.usd_per_month.as_f64()), plan.competent_operations.saving),
    ];
    for case in &plan.sensitivity {
        if let (Some(usd), Some(saving)) = (case.usd_per_month, case.saving) {
            rows.push((case.name.as_str(), share(usd.as_f64()), saving));
        }
    }
    let wrong = rows.into_iter().filter(|(_, wanted, found)| !same(*wanted, *found));
    wrong.map(|(subject, wanted, found)| finding(subject, "another saving, share of the baseline").differs(wanted, found)).collect()
}
