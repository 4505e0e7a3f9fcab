//! Where the money goes, before and after: by workload, team, capacity type, pool and lever.

use crate::plan::{Baseline, CostBreakdown, Lever, NodePool, Plan, WorkloadPlan};
use crate::report::facts::{self, MoneyRow, words};
use crate::report::markdown::table::{Column, bold, table};
use crate::report::text::{count, listed, md, percent};
use crate::units::{HOURS_PER_MONTH, HOURS_PER_WEEK, Usd};

/// Before, after, saved, and saved in percent.
fn cells(row: &MoneyRow) -> Vec<String> {
    vec![row.before.to_string(), row.after.to_string(), row.saved().to_string(), row.saved_percent()]
}

/// Label, `blank` empty cells, then the money; the total in bold.
fn closing_rows(plan: &Plan, blank: usize) -> Vec<Vec<String>> {
    let rows = facts::closing(plan).into_iter().map(|row| {
        let mut line = vec![row.label.clone()];
        line.extend(std::iter::repeat_n(String::new(), blank));
        line.extend(cells(&row));
        if row.label == "total" { bold(line) } else { line }
    });
    rows.collect()
}

/// By workload, with the price of 1,000 requests where there are requests.
pub fn by_workload(plan: &Plan, workloads: &[WorkloadPlan]) -> String {
    let mut rows = Vec::new();
    for (w, money) in workloads.iter().zip(facts::by_workload(plan)) {
        let spot = facts::spot_share(plan, w).map_or_else(|| "-".to_owned(), |s| format!("{:.0}%", s * 100.0));
        let mut row = vec![md(&w.name), md(&facts::today(plan, w)), md(&facts::planned(plan, w)), md(&w.mode), spot];
        row.extend(cells(&money));
        rows.push(row);
    }
    rows.extend(closing_rows(plan, 4));
    let columns = [
        Column::Text("workload"),
        Column::Text("today"),
        Column::Text("plan"),
        Column::Text("mode"),
        Column::Number("spot"),
        Column::Number("before"),
        Column::Number("after"),
        Column::Number("saved"),
        Column::Number("saved %"),
    ];
    let mut out = String::from(
        "## By workload\n\nDollars a month. Machines are on demand unless it says spot; *spot* is the share of replica-hours on \
         spot.\n\n",
    );
    out.push_str(&table(&columns, rows));
    if !plan.cost.commitments.is_empty() {
        out.push_str(
            "\nNodes that a commitment pays for make a node group cheaper before, and the whole pool cheaper after: a pool's cost is shared \
             out by node-hours, so a workload whose group had the committed nodes may look dearer although it runs on fewer.\n",
        );
    }
    if facts::closing(plan).iter().any(|row| row.label == facts::UNASSIGNED && facts::matters(row.before)) {
        let idle = "node groups that run none of these workloads. The plan does without them; if one must stay, its cost comes back.";
        out.push_str(&format!("\n*{}*: {idle}\n", facts::UNASSIGNED));
    }
    let unit = unit_prices(workloads);
    if !unit.is_empty() {
        out.push_str(&format!("\nPrice of 1,000 requests (commitments not included):\n\n{unit}"));
    }
    out
}

fn unit_prices(workloads: &[WorkloadPlan]) -> String {
    let mut rows = Vec::new();
    for w in workloads {
        let Some(service) = &w.service else { continue };
        let thousands = service.error_budget.requests_per_week * HOURS_PER_MONTH / HOURS_PER_WEEK as f64 / 1000.0;
        if thousands <= 0.0 {
            continue;
        }
        let price = |usd: Usd| format!("${:.4}", usd.as_f64() / thousands);
        rows.push(vec![md(&w.name), count(thousands * 1000.0), price(w.baseline_usd_per_month), price(w.usd_per_month)]);
    }
    let columns = [Column::Text("service"), Column::Number("requests a month"), Column::Number("before"), Column::Number("after")];
    table(&columns, rows)
}

/// By team and cost center.
pub fn by_team(plan: &Plan) -> String {
    let named = |name: &str| if name.is_empty() { "-".to_owned() } else { md(name) };
    let mut rows: Vec<Vec<String>> = facts::by_team(plan)
        .into_iter()
        .map(|((team, center), row)| {
            let mut line = vec![named(&team), named(&center)];
            line.extend(cells(&row));
            line
        })
        .collect();
    rows.extend(closing_rows(plan, 1));
    let columns = [
        Column::Text("team"),
        Column::Text("cost center"),
        Column::Number("before"),
        Column::Number("after"),
        Column::Number("saved"),
        Column::Number("saved %"),
    ];
    format!("## By team and cost center\n\n{}", table(&columns, rows))
}

/// By capacity type, and how much of the cost pays for starting up.
pub fn by_capacity_type(plan: &Plan) -> String {
    let lines = facts::by_capacity_type(plan).into_iter().map(|row| {
        let mut line = vec![row.label.clone()];
        line.extend(cells(&row));
        if row.label == "total" { bold(line) } else { line }
    });
    let columns =
        [Column::Text("bought"), Column::Number("before"), Column::Number("after"), Column::Number("saved"), Column::Number("saved %")];
    let start_up = plan.cost.start_up_usd_per_month;
    let total = plan.cost.usd_per_month.as_f64();
    let share = if total > 0.0 { percent(start_up.as_f64() / total) } else { "0.0%".to_owned() };
    format!(
        "## By capacity type\n\n{}\nThe plan's amounts include {start_up} ({share}) for booting, pulling, loading, draining and \
         consolidation delay. Spot is charged at its expected price: the on-demand capacity that stands in when spot is gone, and the \
         time lost to reclaims, are in it.\n",
        table(&columns, lines.collect())
    )
}

/// By pool, then the commitments.
pub fn by_pool(pools: &[NodePool], cost: &CostBreakdown) -> String {
    let mut rows: Vec<Vec<String>> = pools.iter().map(pool_row).collect();
    for c in &cost.commitments {
        let price = c.usd_per_hour.to_string();
        let label = format!("commitment {}", md(&c.name));
        let machine = format!("{} x {}", c.nodes, md(&c.instance_type));
        rows.push(vec![label, md(&c.region), machine, "all hours".to_owned(), String::new(), price, c.usd_per_month.to_string()]);
    }
    if cost.purchases_usd_per_month > Usd::ZERO {
        let mut row = vec![String::new(); 7];
        (row[0], row[3], row[6]) = ("commitments to buy".to_owned(), "all hours".to_owned(), cost.purchases_usd_per_month.to_string());
        rows.push(row);
    }
    rows.push(bold(vec![
        "total".to_owned(),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        cost.usd_per_month.to_string(),
    ]));
    let columns = [
        Column::Text("pool"),
        Column::Text("where"),
        Column::Text("machine"),
        Column::Number("nodes: least / mean / most"),
        Column::Number("limit"),
        Column::Number("planned price"),
        Column::Number("$ a month"),
    ];
    let mut out = format!("## By pool\n\n{}", table(&columns, rows));
    out.push_str(
        "\n*Limit* is what the node autoscaler may reach, fallback for lost spot included; nodes beyond *most* are expected only then. \
         Nodes that a commitment pays for cost nothing in the pool.\n",
    );
    for c in cost.commitments.iter().filter(|c| c.stranded_node_hours_per_week > 0.0) {
        out.push_str(&format!(
            "\nCommitment {} runs until {}; the plan leaves {} of its node-hours a week unused.\n",
            md(&c.name),
            md(&c.expires),
            count(c.stranded_node_hours_per_week)
        ));
    }
    out
}

fn pool_row(p: &NodePool) -> Vec<String> {
    let most = p.nodes_by_hour.iter().copied().fold(0.0, f64::max);
    let least = p.nodes_by_hour.iter().copied().fold(f64::INFINITY, f64::min).min(most);
    let mean = p.nodes_by_hour.iter().sum::<f64>() / (p.nodes_by_hour.len().max(1) as f64);
    let committed = if p.committed_nodes > 0 { format!(", {} committed", p.committed_nodes) } else { String::new() };
    vec![
        md(&p.name),
        format!("{} {}", md(&p.cloud), md(&p.region)),
        format!("{} ({} x {}), {}{committed}", md(&p.instance_type), p.gpus_per_node, md(&p.accelerator), md(&p.capacity_type)),
        format!("{} / {} / {}", count(least), count(mean), count(most)),
        p.max_nodes.to_string(),
        p.planned_usd_per_hour.to_string(),
        p.usd_per_month.to_string(),
    ]
}

/// By lever, down to the saving of this plan.
pub fn by_lever(plan: &Plan, levers: &[Lever]) -> String {
    if levers.is_empty() {
        return String::new();
    }
    let line = |l: &Lever| {
        let Lever { name, usd_per_month, first_in_usd_per_month, last_in_usd_per_month, counted: _ } = l;
        vec![md(&words(name)), usd_per_month.to_string(), first_in_usd_per_month.to_string(), last_in_usd_per_month.to_string()]
    };
    let (counted, apart): (Vec<&Lever>, Vec<&Lever>) = levers.iter().partition(|l| l.counted);
    let mut rows: Vec<Vec<String>> = counted.iter().map(|l| line(l)).collect();
    let sum = |label: &str, usd: Usd| vec![label.to_owned(), usd.to_string(), String::new(), String::new()];
    let together: Usd = counted.iter().map(|l| l.usd_per_month).sum();
    rows.push(sum("together: the least-cost plan", together));
    let back = facts::given_back(plan);
    if facts::matters(back) {
        rows.push(sum("given back for safety", -back));
    }
    rows.push(bold(sum("this plan", facts::saved(plan))));
    let columns =
        [Column::Text("lever"), Column::Number("its share of the saving"), Column::Number("alone"), Column::Number("lost without it")];
    let mut out = String::from(
        "## By lever\n\nDollars a month saved. A lever's share is its mean contribution over every order in which the levers could be \
         pulled (exact Shapley value), so the shares add up; *alone* and *lost without it* do not.\n\n",
    );
    out.push_str(&table(&columns, rows));
    for l in apart {
        out.push_str(&format!(
            "\nApart, and inside the shares above: leaving out {} would cost {} a month.\n",
            md(&words(&l.name)),
            l.usd_per_month
        ));
    }
    out
}

/// Today's node groups.
pub fn today(baseline: &Baseline) -> String {
    let mut rows: Vec<Vec<String>> = baseline
        .node_groups
        .iter()
        .map(|g| {
            let machine = format!("{} {}", md(&g.instance_type), md(&g.capacity_type));
            let workloads: Vec<String> = g.workloads.iter().map(|w| md(w)).collect();
            let used = if workloads.is_empty() { "nothing that is planned".to_owned() } else { listed(&workloads) };
            let used = if g.reason.is_empty() { used } else { format!("{used}; {}", md(&g.reason)) };
            vec![md(&g.name), md(&g.region), machine, count(g.nodes), g.committed_nodes.to_string(), g.usd_per_month.to_string(), used]
        })
        .collect();
    for c in &baseline.commitments {
        let text = format!("paid until {}", md(&c.expires));
        let name = format!("commitment {}", md(&c.name));
        rows.push(vec![
            name,
            md(&c.region),
            md(&c.instance_type),
            c.nodes.to_string(),
            c.nodes.to_string(),
            c.usd_per_month.to_string(),
            text,
        ]);
    }
    let remote = [("traffic", baseline.egress_usd_per_month), ("bytes of starts", baseline.start_up_bytes_usd_per_month)];
    for (name, usd) in remote.into_iter().filter_map(|(name, usd)| Some((name, usd?))) {
        let mut row = vec![String::new(); 7];
        (row[0], row[5]) = (name.to_owned(), usd.to_string());
        rows.push(row);
    }
    let mut total = vec![String::new(); 7];
    "total".clone_into(&mut total[0]);
    total[5] = baseline.usd_per_month.to_string();
    rows.push(bold(total));
    let columns = [
        Column::Text("node group"),
        Column::Text("region"),
        Column::Text("machine"),
        Column::Number("nodes"),
        Column::Number("of them committed"),
        Column::Number("$ a month"),
        Column::Text("what for"),
    ];
    format!("## Today's nodes, at the plan's prices\n\n{}", table(&columns, rows))
}
