//! How sure the numbers are and where they come from.

use crate::plan::{CostBreakdown, InputDigest, Plan, PriceOrigin, Provenance, WorkloadPlan};
use crate::report::facts;
use crate::report::markdown::table::{Column, bullets, table};
use crate::report::text::{md, percent};

/// Cost by evidence class, the operating points behind it, and the prices.
pub fn by_class(plan: &Plan, cost: &CostBreakdown) -> String {
    let pools = cost.usd_per_month - cost.commitments_usd_per_month - cost.purchases_usd_per_month;
    let share = |usd: crate::units::Usd| if pools.nanos() > 0 { percent(usd.as_f64() / pools.as_f64()) } else { "-".to_owned() };
    let classes =
        cost.by_evidence_usd_per_month.iter().map(|(class, usd)| vec![md(class), usd.to_string(), share(*usd), md(meaning(class))]);
    let columns =
        [Column::Text("evidence"), Column::Number("$ a month of the plan"), Column::Number("share"), Column::Text("what it means")];
    let mut out = format!(
        "## Evidence\n\nCost of the pools by how the performance numbers behind it were obtained:\n\n{}",
        table(&columns, classes.collect())
    );
    let points = plan.workloads.iter().map(|w| {
        let v = &w.variant;
        let what = format!("{} x {}, {}, {}", v.gpus_per_replica, md(&v.accelerator), md(&v.precision), md(&v.engine));
        vec![md(&w.name), what, md(&v.evidence), percent(v.derate), md(&v.source)]
    });
    let columns = [
        Column::Text("workload"),
        Column::Text("runs on"),
        Column::Text("evidence"),
        Column::Number("capacity held back"),
        Column::Text("source"),
    ];
    out.push_str(&format!("\n{}", table(&columns, points.collect())));
    out.push_str(&prices(&plan.provenance.prices));
    out
}

fn meaning(class: &str) -> &str {
    match class {
        "measured" => "measured on this hardware",
        "fitted" => "a model fitted on measured tables of single operations",
        "estimated" => "worked out from data sheets; measure before you rely on it",
        other => other,
    }
}

fn prices(prices: &[PriceOrigin]) -> String {
    if prices.is_empty() {
        return String::new();
    }
    let days: std::collections::BTreeSet<&str> = prices.iter().map(|p| p.as_of.as_str()).collect();
    let dates = match (days.first(), days.last()) {
        (Some(first), Some(last)) if first != last => format!("between {} and {}", md(first), md(last)),
        (Some(only), _) => format!("on {}", md(only)),
        _ => "on unknown days".to_owned(),
    };
    let rows = prices
        .iter()
        .map(|p| {
            let PriceOrigin { offering, list_usd_per_hour, usd_per_hour, source, as_of } = p;
            vec![md(offering), list_usd_per_hour.to_string(), usd_per_hour.to_string(), md(as_of), md(source)]
        })
        .collect();
    let columns =
        [Column::Text("offering"), Column::Number("list"), Column::Number("planned on"), Column::Text("as of"), Column::Text("source")];
    format!("\nPrices were read {dates}; *planned on* is list less your discount, plus the scenario's adders:\n\n{}", table(&columns, rows))
}

/// Why each decision, and what the planner noted.
pub fn why(workloads: &[WorkloadPlan], notes: &[String]) -> String {
    let mut out = String::new();
    for w in workloads {
        let summary = if w.change.unchanged { "unchanged".to_owned() } else { md(&w.change.summary) };
        let reasons: String = w.why.iter().map(|reason| format!("  - {}\n", md(reason))).collect();
        out.push_str(&format!("- **{}** ({}, {}): {summary}\n{reasons}", md(&w.name), md(&w.kind), md(&facts::words(&w.mode))));
    }
    let mut out = if out.is_empty() { out } else { format!("## Why\n\n{out}") };
    if !notes.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("## Notes\n\n{}", bullets(notes.iter().map(|n| md(n)))));
    }
    out
}

/// Where every input came from.
pub fn provenance(format: &str, provenance: &Provenance) -> String {
    let Provenance {
        gpuplan_version,
        scenario_sha256,
        inputs,
        prices: _,
        network: _,
        solver,
        anchor_monday,
        time_zone,
        weeks_to_month,
        node_autoscaler,
    } = provenance;
    let mut out = String::from("## Where this comes from\n\n");
    out.push_str(&bullets([
        format!("gpuplan {}, plan format {}, solver {}", md(gpuplan_version), md(format), md(solver)),
        format!("scenario {}", md(scenario_sha256)),
        format!("week of {}, report in {}, weeks to a month: {}", md(anchor_monday), md(time_zone), md(weeks_to_month)),
        format!("node autoscaler: {}", md(node_autoscaler)),
    ]));
    let rows = inputs.iter().map(|InputDigest { path, sha256 }| vec![md(path), md(sha256)]).collect::<Vec<_>>();
    if !rows.is_empty() {
        out.push_str(&format!("\n{}", table(&[Column::Text("input"), Column::Text("SHA-256")], rows)));
    }
    out
}
