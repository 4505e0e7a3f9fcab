//! GPUs that several workloads share: cut ones with their tenants, and servers with several models.

use crate::plan::{Bundle, NodePool, Plan, WorkloadPlan};
use crate::report::markdown::table::{Column, table};
use crate::report::text::{code, listed, md, percent, plural};

/// The chapter; empty where no GPU is shared.
pub fn chapter(plan: &Plan, pools: &[NodePool], bundles: &[Bundle]) -> String {
    let cut: Vec<Vec<String>> = pools.iter().filter_map(|pool| cut_pool(plan, pool)).collect();
    if cut.is_empty() && bundles.is_empty() {
        return String::new();
    }
    let mut out =
        "## Shared GPUs\n\nOnly workloads whose owners allow it share a GPU (`share` of the scenario), and what they do there is of the \
                   class `estimated` unless it was measured on the slice.\n"
            .to_owned();
    if !cut.is_empty() {
        let columns = [
            Column::Text("pool"),
            Column::Text("each GPU is cut into"),
            Column::Text("by"),
            Column::Text("who is in it"),
            Column::Number("$ a month"),
        ];
        out.push_str(&format!("\n{}", table(&columns, cut)));
    }
    for bundle in bundles {
        out.push_str(&server(bundle));
    }
    out
}

fn cut_pool(plan: &Plan, pool: &NodePool) -> Option<Vec<String>> {
    let cut = pool.partition.as_ref()?;
    let slices: Vec<String> = cut.slices.iter().map(|s| format!("{} x {}", s.per_gpu, s.name)).collect();
    let tenant = |w: &&WorkloadPlan| {
        let slice = w.variant.slice.as_ref()?;
        let most = w.service.as_ref().and_then(|s| s.floor_by_hour.iter().zip(&s.flex_by_hour).map(|(a, b)| a + b).max()).unwrap_or(0);
        Some(format!("{} ({most} x {})", md(&w.name), slice.name))
    };
    let tenants: Vec<String> = plan.workloads.iter().filter(|w| pool.workloads.contains(&w.name)).filter_map(|w| tenant(&w)).collect();
    let team = cut.team.as_ref().map_or_else(String::new, |team| format!("; team {} only", md(team)));
    Some(vec![md(&pool.name), slices.join(" + "), format!("{}{team}", cut.technique), tenants.join(", "), pool.usd_per_month.to_string()])
}

fn server(bundle: &Bundle) -> String {
    let Bundle { host, members, interference, interference_source } = bundle;
    let columns = [
        Column::Text("model"),
        Column::Number("memory, GiB"),
        Column::Number("peak, requests/s"),
        Column::Number("alone a replica carries"),
        Column::Number("of the card at its peak"),
        Column::Number("limit, ms"),
        Column::Number("priority"),
    ];
    let rows = members
        .iter()
        .map(|m| {
            let peak = m.planning_load_rps.iter().copied().fold(0.0, f64::max);
            vec![
                md(&m.workload),
                format!("{:.1}", m.gpu_memory_gib),
                format!("{peak:.3}"),
                format!("{:.2}", m.alone_rps),
                percent(peak / m.alone_rps),
                m.slo.latency_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.0}")),
                m.priority.to_string(),
            ]
        })
        .collect();
    let names: Vec<String> = members.iter().map(|m| m.model.clone()).collect();
    format!(
        "\n### {}: {} in one Triton server\n\n{} on {}, {}. Beside each other every time is taken {interference} times as long ({}). Models: {}.\n\n{}",
        md(&host.name),
        plural(members.len(), "model"),
        host.usd_per_month,
        md(&host.variant.accelerator),
        host.mode,
        md(interference_source),
        code(&listed(&names)),
        table(&columns, rows)
    )
}
