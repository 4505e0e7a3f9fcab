//! A plan taken apart into named lists. Destructured so that a new field of the plan cannot be forgotten.

use super::fields::{self, Facts, facts, value};
use super::purchase;
use super::robust;
use crate::plan::{
    Baseline, Bundle, CommitmentCost, Comparator, CostBreakdown, InputDigest, Lever, NodeGroupCost, Optimality, Plan, PriceOrigin,
    Provenance, Sensitivity, Stage, TargetOutcome, Verification, Window,
};

/// A named thing and its fields.
type Items = Vec<(String, Facts)>;

/// The plan, part by part, as in [`PlanDiff`](super::PlanDiff).
pub struct Parts {
    pub totals: Facts,
    pub target: Facts,
    pub optimality: Facts,
    pub stages: Items,
    pub workloads: Items,
    pub pools: Items,
    pub bundles: Items,
    pub purchases: Items,
    pub windows: Items,
    pub node_groups: Items,
    pub commitments: Items,
    pub levers: Items,
    pub sensitivity: Items,
    pub robustness: Facts,
    pub cases: Items,
    pub alternatives: Items,
    pub prices: Items,
    pub inputs: Items,
    pub notes: Items,
    pub provenance: Facts,
}

/// Takes a plan apart.
pub fn of(plan: &Plan) -> Parts {
    let Plan {
        format,
        name,
        demo,
        verification,
        baseline,
        competent_operations,
        cost,
        saving,
        target,
        optimality,
        levers,
        sensitivity,
        robustness,
        alternatives,
        pools,
        workloads,
        bundles,
        purchases,
        windows,
        notes,
        provenance,
    } = plan;
    let Provenance { inputs, prices, .. } = provenance;
    let mut totals = facts![""; format, name, demo, saving];
    totals.extend(costs(cost, baseline, competent_operations));
    let Verification { status, reason, replay } = verification;
    totals.extend(facts!["verification."; status, reason, replay]);
    let mut commitments = commitment_items("today", &baseline.commitments);
    commitments.extend(commitment_items("plan", &cost.commitments));
    Parts {
        totals,
        target: target.as_ref().map(target_facts).unwrap_or_default(),
        optimality: optimality_facts(optimality),
        stages: optimality.stages.iter().map(stage).collect(),
        workloads: workloads.iter().map(|w| (w.name.clone(), fields::workload(w))).collect(),
        pools: pools.iter().map(|p| (p.name.clone(), fields::pool(p))).collect(),
        bundles: bundles.iter().map(bundle).collect(),
        purchases: purchases.iter().map(purchase::item).collect(),
        windows: windows.iter().map(window).collect(),
        node_groups: baseline.node_groups.iter().map(node_group).collect(),
        commitments,
        levers: levers.iter().map(lever).collect(),
        sensitivity: sensitivity.iter().map(sensitivity_item).collect(),
        robustness: robustness.as_ref().map(robust::facts_of).unwrap_or_default(),
        cases: robustness.iter().flat_map(|r| &r.cases).map(robust::case).collect(),
        alternatives: alternatives.iter().map(robust::alternative).collect(),
        prices: prices.iter().map(price).collect(),
        inputs: inputs.iter().map(|InputDigest { path, sha256 }| (path.clone(), facts![""; sha256])).collect(),
        notes: notes.iter().map(|n| (n.clone(), Vec::new())).collect(),
        provenance: provenance_facts(provenance),
    }
}

fn costs(cost: &CostBreakdown, baseline: &Baseline, competent: &Comparator) -> Facts {
    let CostBreakdown {
        usd_per_month,
        on_demand_usd_per_month,
        spot_usd_per_month,
        commitments_usd_per_month,
        purchases_usd_per_month,
        start_up_usd_per_month,
        egress_usd_per_month,
        start_up_bytes_usd_per_month,
        commitments: _,
        by_evidence_usd_per_month,
    } = cost;
    let mut out = facts!["cost."; usd_per_month, on_demand_usd_per_month, spot_usd_per_month, commitments_usd_per_month];
    if *purchases_usd_per_month != crate::units::Usd::ZERO {
        out.extend(facts!["cost."; purchases_usd_per_month]);
    }
    out.extend(facts!["cost."; start_up_usd_per_month, egress_usd_per_month, start_up_bytes_usd_per_month]);
    out.extend(by_evidence_usd_per_month.iter().map(|(class, usd)| (format!("cost.by_evidence_usd_per_month.{class}"), value(usd))));
    let Baseline { usd_per_month, kind, node_groups: _, commitments: _, egress_usd_per_month, start_up_bytes_usd_per_month } = baseline;
    out.extend(facts!["baseline."; usd_per_month, kind, egress_usd_per_month, start_up_bytes_usd_per_month]);
    let Comparator { usd_per_month, rules, saving } = competent;
    out.extend(facts!["competent_operations."; usd_per_month, rules, saving]);
    out
}

fn target_facts(target: &TargetOutcome) -> Facts {
    let TargetOutcome { requested, usd_per_month, margin, met, missed_by_usd_per_month, provably_impossible, binding, relaxations } =
        target;
    facts![""; requested, met, usd_per_month, missed_by_usd_per_month, margin, provably_impossible, binding, relaxations]
}

fn optimality_facts(optimality: &Optimality) -> Facts {
    let Optimality { usd_per_month, bound_usd_per_month, gap, outcome, stages: _ } = optimality;
    facts![""; usd_per_month, bound_usd_per_month, gap, outcome]
}

fn stage(stage: &Stage) -> (String, Facts) {
    let Stage { name, unit, value, bound, gap, usd_per_month } = stage;
    (name.clone(), facts![""; usd_per_month, unit, value, bound, gap])
}

/// The server, and each of its members under its own name.
fn bundle(bundle: &Bundle) -> (String, Facts) {
    let Bundle { host, members, interference, interference_source } = bundle;
    let mut out = fields::workload(host);
    out.extend(facts![""; interference, interference_source]);
    out.extend(members.iter().map(|member| (format!("members.{}", member.workload), value(member))));
    (host.name.clone(), out)
}

fn window(window: &Window) -> (String, Facts) {
    let Window { workload, time_zone, days, start_hour, end_hour, floor, flex, cron_start, cron_end } = window;
    let days: Vec<&str> = days.iter().map(|d| DAYS.get(usize::from(*d)).copied().unwrap_or("?")).collect();
    let name = format!("{workload} {} {start_hour:02}:00-{end_hour:02}:00", days.join(","));
    (name, facts![""; floor, flex, cron_start, cron_end, time_zone])
}

/// Days as a window counts them.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn node_group(group: &NodeGroupCost) -> (String, Facts) {
    let NodeGroupCost { name, instance_type, region, capacity_type, nodes, committed_nodes, usd_per_month, workloads, reason } = group;
    let mut out = facts![""; usd_per_month, nodes, instance_type, capacity_type, region, committed_nodes];
    out.extend(facts![""; workloads, reason]);
    (name.clone(), out)
}

fn commitment_items(side: &str, commitments: &[CommitmentCost]) -> Items {
    let item = |c: &CommitmentCost| {
        let CommitmentCost { name, instance_type, region, nodes, usd_per_hour, usd_per_month, stranded_node_hours_per_week, expires } = c;
        let mut out = facts![""; usd_per_month, nodes, usd_per_hour, instance_type, region];
        out.extend(facts![""; stranded_node_hours_per_week, expires]);
        (format!("{name} ({side})"), out)
    };
    commitments.iter().map(item).collect()
}

fn lever(lever: &Lever) -> (String, Facts) {
    let Lever { name, usd_per_month, first_in_usd_per_month, last_in_usd_per_month, counted } = lever;
    (name.clone(), facts![""; usd_per_month, first_in_usd_per_month, last_in_usd_per_month, counted])
}

fn sensitivity_item(sensitivity: &Sensitivity) -> (String, Facts) {
    let Sensitivity { name, usd_per_month, saving, target_met } = sensitivity;
    (name.clone(), facts![""; usd_per_month, saving, target_met])
}

fn price(price: &PriceOrigin) -> (String, Facts) {
    let PriceOrigin { offering, list_usd_per_hour, usd_per_hour, source, as_of } = price;
    (offering.clone(), facts![""; list_usd_per_hour, usd_per_hour, source, as_of])
}

fn provenance_facts(provenance: &Provenance) -> Facts {
    let Provenance {
        gpuplan_version,
        scenario_sha256,
        inputs: _,
        prices: _,
        network,
        solver,
        anchor_monday,
        time_zone,
        weeks_to_month,
        node_autoscaler,
    } = provenance;
    facts![""; gpuplan_version, scenario_sha256, solver, anchor_monday, time_zone, weeks_to_month, node_autoscaler, network]
}
