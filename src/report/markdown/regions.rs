//! Where workloads run, how far from their clients, and what traffic and the bytes of starts cost.

use crate::plan::{NetworkOrigin, Plan, WorkloadNetwork};
use crate::report::markdown::table::{Column, table};
use crate::report::text::{md, percent};
use std::collections::BTreeSet;

/// The chapter; empty in a plan without `network`.
pub fn chapter(plan: &Plan) -> String {
    let placed: Vec<_> = plan.workloads.iter().filter_map(|w| Some((w, w.network.as_ref()?))).collect();
    if placed.is_empty() {
        return String::new();
    }
    let rows = placed.iter().map(|(w, network)| {
        let WorkloadNetwork { cluster, clients, added_ms, egress_usd_per_month, start_up_bytes_usd_per_month } = network;
        let way = |c: &crate::plan::ClientDistance| format!("{} {} at {:.0} ms", percent(c.share), md(&c.place), c.round_trip_ms);
        let from = if clients.is_empty() { "-".to_owned() } else { clients.iter().map(way).collect::<Vec<_>>().join(", ") };
        let left = w.service.as_ref().map_or_else(|| "-".to_owned(), |s| left(s, *added_ms));
        let money = [egress_usd_per_month.to_string(), start_up_bytes_usd_per_month.to_string()];
        [vec![md(&w.name), md(cluster), from, left], money.to_vec()].concat()
    });
    let columns = [
        Column::Text("workload"),
        Column::Text("cluster"),
        Column::Text("requests from"),
        Column::Text("limits left"),
        Column::Number("traffic"),
        Column::Number("bytes of starts"),
    ];
    let clusters: BTreeSet<&str> = placed.iter().map(|(_, network)| network.cluster.as_str()).collect();
    let several = if clusters.len() > 1 {
        "\nEach cluster has its own folder below `clusters/`, complete in itself: the steps of this report are taken in each, with its own \
         `kubernetes/` and `terraform/`. Sending the clients there (DNS, gateways) is yours.\n"
    } else {
        ""
    };
    format!(
        "## Regions and traffic\n\nDollars a month. The round trip of a service's farthest clients comes off its limits on the first token and \
         on the whole request; traffic is what leaves regions for the mean request.\n\n{}{several}{}",
        table(&columns, rows.collect()),
        sources(&plan.provenance.network)
    )
}

/// What the way leaves: `first token 420 ms, whole request 1920 ms`.
fn left(service: &crate::plan::ServicePlan, added_ms: f64) -> String {
    let limits = [("first token", service.slo.ttft_ms), ("whole request", service.slo.latency_ms)];
    let words: Vec<String> = limits.iter().filter_map(|(name, limit)| Some(format!("{name} {:.0} ms", (*limit)? - added_ms))).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

fn sources(origins: &[NetworkOrigin]) -> String {
    let row = |NetworkOrigin { what, value, unit, source, as_of }: &NetworkOrigin| {
        let value = if unit == "ms" { format!("{value} ms") } else { format!("${value} a GiB") };
        vec![md(what), value, md(as_of), md(source)]
    };
    let columns = [Column::Text("way"), Column::Number("list"), Column::Text("as of"), Column::Text("source")];
    let rows = table(&columns, origins.iter().map(row).collect());
    if rows.is_empty() { rows } else { format!("\n{rows}") }
}
