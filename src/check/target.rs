//! The target is judged by the plan's own cost; stages, bounds and gaps hold together; exposure and changes are recomputed.
//!
//! A bound is a proof that the checker cannot redo; it can only see that no value lies below one.

use super::finding::{Dollars, Family, Finding};
use super::spot;
use super::tolerance::{RELATIVE, USD, at_most, same, same_usd};
use super::view::View;
use crate::plan::{Stage, TargetOutcome};
use std::collections::BTreeSet;

/// A later stage may give a little of the exposure back, not more than this share.
const EXPOSURE_SLACK: f64 = 0.01;

/// Stage of the alternative that uses the fewest instance types.
const FEWEST_TYPES: &str = "fewest_instance_types";

/// Checks target, stages, levers and sensitivities.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &view.plan.target {
        Some(target) => findings.extend(outcome(view, target)),
        None if view.scenario.target.is_some() => findings.push(finding("target", "the scenario has a target and the plan has none")),
        None => {}
    }
    findings.extend(optimality(view));
    findings.extend(view.plan.optimality.stages.iter().flat_map(|stage| arithmetic(view, stage)));
    findings.extend(values(view));
    findings.extend(levers(view));
    findings.extend(sensitivities(view));
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Target, subject, message)
}

/// Dollars a month that the request comes to, and how far its wording is rounded.
fn requested(view: &View<'_>, text: &str) -> Option<(f64, f64)> {
    if let Some(percent) = text.strip_prefix('-').and_then(|t| t.strip_suffix('%')) {
        let baseline = view.plan.baseline.usd_per_month.as_f64();
        return percent.parse::<f64>().ok().map(|percent| (baseline * (1.0 - percent / 100.0), USD));
    }
    let digits: String = text.strip_prefix("budget $")?.chars().filter(|c| *c != ',').collect();
    // A budget is worded in whole dollars.
    digits.parse::<f64>().ok().map(|usd| (usd, 0.51))
}

fn outcome(view: &View<'_>, target: &TargetOutcome) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (limit, cost) = (target.usd_per_month.as_f64(), view.plan.cost.usd_per_month.as_f64());
    match requested(view, &target.requested) {
        Some((wanted, slack)) if (wanted - limit).abs() > slack + USD => {
            findings.push(finding("target", "another amount than requested").differs(Dollars(wanted), Dollars(limit)));
        }
        Some(_) => {}
        None => findings.push(finding("target", "no such request").differs("-40% or budget $30,000", target.requested.as_str())),
    }
    let met = cost <= limit + USD;
    if met != target.met {
        findings.push(finding("target", "met or not, judged by the cost").differs(met, target.met));
    }
    let missed = if met { 0.0 } else { cost - limit };
    if !same_usd(missed, target.missed_by_usd_per_month.as_f64()) {
        findings
            .push(finding("target", "missed by another amount").differs(Dollars(missed), Dollars(target.missed_by_usd_per_month.as_f64())));
    }
    let impossible = view.plan.optimality.bound_usd_per_month.as_f64() > limit + USD;
    if impossible != target.provably_impossible {
        findings.push(finding("target", "impossible if the bound lies above it").differs(impossible, target.provably_impossible));
    }
    let least = view.plan.optimality.usd_per_month.as_f64();
    let kept_below = (limit - target.margin * view.plan.baseline.usd_per_month.as_f64()).max(least);
    // The stages of a target come together; one stage alone after least cost is that of an alternative.
    let later = view.plan.optimality.stages.len() > 2;
    if later && cost > kept_below + USD {
        findings.push(finding("target", "the safety stages do not keep the margin").differs(Dollars(kept_below), Dollars(cost)));
    }
    if later && least > limit + USD {
        findings.push(
            finding("target", "safety stages after a target that least cost misses").differs(1_usize, view.plan.optimality.stages.len()),
        );
    }
    findings
}

fn optimality(view: &View<'_>) -> Vec<Finding> {
    let stated = &view.plan.optimality;
    let (value, bound) = (stated.usd_per_month.as_f64(), stated.bound_usd_per_month.as_f64());
    let mut findings = gap("optimality", (value, bound, stated.gap));
    if !["optimal", "within-gap", "limit"].contains(&stated.outcome.as_str()) {
        findings.push(finding("optimality", "unknown outcome").differs("optimal, within-gap or limit", stated.outcome.as_str()));
    }
    let cost = view.plan.cost.usd_per_month.as_f64();
    if cost < bound - USD {
        findings.push(finding("optimality", "the plan costs less than the bound").differs(Dollars(bound), Dollars(cost)));
    }
    match (stated.stages.first(), stated.stages.last()) {
        (Some(first), Some(last)) => {
            if first.name != "least_cost" || !same_usd(value, first.value) || !same_usd(bound, first.bound) {
                let wanted = format!("least_cost {value:.4} >= {bound:.4}");
                let found = format!("{} {:.4} >= {:.4}", first.name, first.value, first.bound);
                findings.push(finding("optimality", "the first stage is not the least cost").differs(wanted, found));
            }
            if !same_usd(cost, last.usd_per_month.as_f64()) {
                let found = Dollars(last.usd_per_month.as_f64());
                findings.push(finding(&last.name, "the last stage has another cost than the plan").differs(Dollars(cost), found));
            }
        }
        _ => findings.push(finding("optimality", "no stages")),
    }
    let order: Vec<&str> = stated.stages.iter().map(|s| s.name.as_str()).collect();
    let known = ["least_cost", "least_exposure", "fewest_changes"];
    let alternative = order.len() == 2 && order[0] == known[0] && (known.contains(&order[1]) || order[1] == FEWEST_TYPES);
    if !known.starts_with(&order) && !alternative {
        findings.push(finding("optimality", "stages in another order").differs(known.join(", "), order.join(", ")));
    }
    findings
}

/// `0 <= bound <= value` and `gap = (value - bound)/value`.
fn gap(subject: &str, stated: (f64, f64, f64)) -> Vec<Finding> {
    let (value, bound, gap) = stated;
    let mut findings = Vec::new();
    if !at_most(bound, value) || !at_most(0.0, bound) {
        findings.push(finding(subject, "the bound is not between 0 and the value").differs(value, bound));
    }
    let wanted = if value > 0.0 { (value - bound) / value } else { 0.0 };
    if !same(wanted, gap) {
        findings.push(finding(subject, "another gap").differs(wanted, gap));
    }
    findings
}

fn arithmetic(view: &View<'_>, stage: &Stage) -> Vec<Finding> {
    let mut findings = gap(&stage.name, (stage.value, stage.bound, stage.gap));
    let unit = match stage.name.as_str() {
        "least_cost" => "usd_per_month",
        "least_exposure" => "spot_gpu_hours_x_hazard_per_week",
        "fewest_changes" => "changed_nodes",
        FEWEST_TYPES => "instance_types",
        _ => return findings,
    };
    if stage.unit != unit {
        findings.push(finding(&stage.name, "another unit").differs(unit, stage.unit.as_str()));
    }
    let cost = stage.usd_per_month.as_f64();
    if stage.name == "least_cost" && !same_usd(stage.value, cost) {
        findings.push(finding(&stage.name, "value and cost differ").differs(Dollars(stage.value), Dollars(cost)));
    }
    let bound = view.plan.optimality.bound_usd_per_month.as_f64();
    if cost < bound - USD {
        findings.push(finding(&stage.name, "costs less than the bound").differs(Dollars(bound), Dollars(cost)));
    }
    findings
}

/// Spot GPU-hours a week times the hazard of their pool.
fn exposure(view: &View<'_>) -> f64 {
    let pools = view.pools.iter().filter(|p| p.spot);
    pools
        .map(|p| {
            let gpu_hours = p.pool.nodes_by_hour.iter().sum::<f64>() * f64::from(p.machine.gpus);
            gpu_hours * spot::risk(view, p).reclaims_per_hour
        })
        .sum()
}

/// What the later stages say of the plan is what the plan shows.
fn values(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let last = view.plan.optimality.stages.last().map(|s| s.name.as_str());
    for stage in &view.plan.optimality.stages {
        match stage.name.as_str() {
            "least_exposure" => {
                let found = exposure(view);
                let slack = if last == Some("least_exposure") { RELATIVE } else { EXPOSURE_SLACK };
                let above = found > stage.value * (1.0 + slack) + 1e-9;
                let below = found < stage.bound * (1.0 - RELATIVE) - 1e-9 || (last == Some("least_exposure") && !same(found, stage.value));
                if above || below {
                    findings.push(finding(&stage.name, "the plan has another exposure").differs(found, stage.value));
                }
            }
            "fewest_changes" => {
                let changed: f64 = view.plan.workloads.iter().map(|w| f64::from(w.change.changed_nodes)).sum();
                if !same(changed, stage.value) {
                    findings.push(finding(&stage.name, "the workloads change other nodes").differs(changed, stage.value));
                }
            }
            FEWEST_TYPES => {
                let used = view.pools.iter().filter(|p| p.pool.nodes_by_hour.iter().any(|n| *n > 0.0));
                let found = used.map(|p| p.machine.id.as_str()).collect::<BTreeSet<_>>().len() as f64;
                if !same(found, stage.value) {
                    findings.push(finding(&stage.name, "the plan uses another number of instance types").differs(found, stage.value));
                }
            }
            _ => {}
        }
    }
    findings
}

/// Shapley shares add up to what least cost saves.
fn levers(view: &View<'_>) -> Option<Finding> {
    let counted: Vec<f64> = view.plan.levers.iter().filter(|l| l.counted).map(|l| l.usd_per_month.as_f64()).collect();
    let wanted = view.plan.baseline.usd_per_month.as_f64() - view.plan.optimality.usd_per_month.as_f64();
    let found: f64 = counted.iter().sum();
    let kept = counted.is_empty() || (wanted - found).abs() <= USD * counted.len() as f64;
    (!kept).then(|| finding("levers", "the levers do not add up to the saving of least cost").differs(Dollars(wanted), Dollars(found)))
}

fn sensitivities(view: &View<'_>) -> Vec<Finding> {
    let limit = view.plan.target.as_ref().map(|t| t.usd_per_month.as_f64());
    let mut findings = Vec::new();
    for case in &view.plan.sensitivity {
        let wanted = limit.map(|limit| case.usd_per_month.is_some_and(|usd| usd.as_f64() <= limit + USD));
        if case.target_met != wanted {
            findings.push(finding(&case.name, "the target met or not, judged by the cost").differs(wanted, case.target_met));
        }
    }
    findings
}
