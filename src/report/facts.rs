//! Figures that more than one report shows, each computed from the plan in one place.
//!
//! Every table of money ends in rows that make it sum to the plan's own totals, so that nothing can be lost between
//! the tables and the headline.

use crate::plan::{JobPlan, NodePool, Plan, Purchase, ServicePlan, WorkloadPlan};
use crate::report::text::{count, percent, range};
use crate::units::Usd;
use std::collections::BTreeMap;

/// Below half a cent an amount is the rest of a division, not a fact.
const HALF_A_CENT: Usd = Usd::from_nanos(5_000_000);

/// A row of a before-and-after table, dollars a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyRow {
    /// What it is: users' text, not yet escaped.
    pub label: String,
    /// Today, at the plan's prices.
    pub before: Usd,
    /// In the plan.
    pub after: Usd,
}

impl MoneyRow {
    /// Saved, negative when dearer.
    #[must_use]
    pub fn saved(&self) -> Usd {
        self.before - self.after
    }

    /// Saved as a percentage of today's amount; a dash where nothing is paid today.
    #[must_use]
    pub fn saved_percent(&self) -> String {
        if self.before.abs_diff(Usd::ZERO) < HALF_A_CENT { "-".to_owned() } else { percent(self.saved().as_f64() / self.before.as_f64()) }
    }
}

/// Label of what no workload holds.
pub const UNASSIGNED: &str = "unassigned";

/// Whether an amount is worth a row.
#[must_use]
pub fn matters(amount: Usd) -> bool {
    amount.abs_diff(Usd::ZERO) >= HALF_A_CENT
}

/// Saving of the plan, dollars a month; negative when it costs more than today.
#[must_use]
pub fn saved(plan: &Plan) -> Usd {
    plan.baseline.usd_per_month - plan.cost.usd_per_month
}

/// What the safety stages gave back of the least-cost saving.
#[must_use]
pub fn given_back(plan: &Plan) -> Usd {
    plan.cost.usd_per_month - plan.optimality.usd_per_month
}

/// Commitments paid today.
fn baseline_commitments(plan: &Plan) -> Usd {
    plan.baseline.commitments.iter().map(|c| c.usd_per_month).sum()
}

/// Rows by workload, without the closing ones.
#[must_use]
pub fn by_workload(plan: &Plan) -> Vec<MoneyRow> {
    let row = |w: &WorkloadPlan| MoneyRow { label: w.name.clone(), before: w.baseline_usd_per_month, after: w.usd_per_month };
    plan.workloads.iter().map(row).collect()
}

/// Rows by team and cost centre, without the closing ones; the key is (team, cost centre), sorted.
#[must_use]
pub fn by_team(plan: &Plan) -> BTreeMap<(String, String), MoneyRow> {
    let mut teams = BTreeMap::new();
    for w in &plan.workloads {
        let label = w.team.clone();
        let row = teams.entry((w.team.clone(), w.cost_center.clone())).or_insert(MoneyRow { label, before: Usd::ZERO, after: Usd::ZERO });
        row.before += w.baseline_usd_per_month;
        row.after += w.usd_per_month;
    }
    teams
}

/// Rows by capacity type: on demand, spot, commitments, total.
#[must_use]
pub fn by_capacity_type(plan: &Plan) -> Vec<MoneyRow> {
    let today = |spot: bool| -> Usd {
        plan.baseline.node_groups.iter().filter(|g| (g.capacity_type == "spot") == spot).map(|g| g.usd_per_month).sum()
    };
    let row = |label: &str, before, after| MoneyRow { label: label.to_owned(), before, after };
    let mut rows = vec![
        row("on demand, beyond commitments", today(false), plan.cost.on_demand_usd_per_month),
        row("spot, at its expected price", today(true), plan.cost.spot_usd_per_month),
        row("commitments, paid in full either way", baseline_commitments(plan), plan.cost.commitments_usd_per_month),
    ];
    let (now, then) = (&plan.baseline, &plan.cost);
    for (label, before, after) in [
        ("traffic that leaves regions", now.egress_usd_per_month, then.egress_usd_per_month),
        ("bytes of starts through NAT", now.start_up_bytes_usd_per_month, then.start_up_bytes_usd_per_month),
    ] {
        if before.is_some() || after.is_some() {
            rows.push(row(label, before.unwrap_or(Usd::ZERO), after.unwrap_or(Usd::ZERO)));
        }
    }
    rows.extend(bought(plan));
    rows.push(total(plan));
    rows
}

/// Commitments that the plan buys, where it buys any.
fn bought(plan: &Plan) -> Option<MoneyRow> {
    let after = plan.cost.purchases_usd_per_month;
    (!plan.purchases.is_empty()).then(|| MoneyRow { label: "commitments to buy".to_owned(), before: Usd::ZERO, after })
}

/// `3 nodes`, `$1.234 an hour`.
#[must_use]
pub fn amount(purchase: &Purchase) -> String {
    let n = purchase.amount;
    match purchase.unit.as_str() {
        "usd-per-hour" => format!("${n:.3} an hour"),
        "ram-gib" => format!("{n} GiB"),
        "vcpus" => format!("{n} vCPUs"),
        "gpus" => format!("{n} GPUs"),
        unit => format!("{n} {unit}"),
    }
}

/// The rows below a table by workload or team: what belongs to none, the commitments, the total.
#[must_use]
pub fn closing(plan: &Plan) -> Vec<MoneyRow> {
    let commitments =
        MoneyRow { label: "commitments".to_owned(), before: baseline_commitments(plan), after: plan.cost.commitments_usd_per_month };
    let held: Vec<MoneyRow> = by_workload(plan);
    let rest = MoneyRow {
        label: UNASSIGNED.to_owned(),
        before: plan.baseline.usd_per_month - commitments.before - held.iter().map(|r| r.before).sum(),
        after: plan.cost.usd_per_month - commitments.after - plan.cost.purchases_usd_per_month - held.iter().map(|r| r.after).sum(),
    };
    let mut rows: Vec<MoneyRow> = [rest, commitments].into_iter().filter(|r| matters(r.before) || matters(r.after)).collect();
    rows.extend(bought(plan));
    rows.push(total(plan));
    rows
}

/// The last row of every table.
#[must_use]
pub fn total(plan: &Plan) -> MoneyRow {
    MoneyRow { label: "total".to_owned(), before: plan.baseline.usd_per_month, after: plan.cost.usd_per_month }
}

/// The pool of a name.
#[must_use]
pub fn pool<'a>(plan: &'a Plan, name: &str) -> Option<&'a NodePool> {
    plan.pools.iter().find(|p| p.name == name)
}

/// Where a workload runs today: `6 x g5.xlarge`, on demand unless it says spot; node groups shared with others marked.
#[must_use]
pub fn today(plan: &Plan, workload: &WorkloadPlan) -> String {
    let groups = plan.baseline.node_groups.iter().filter(|g| g.workloads.contains(&workload.name));
    let parts: Vec<String> = groups
        .map(|g| {
            let shared = if g.workloads.len() > 1 { " (shared)" } else { "" };
            format!("{} x {}{}{shared}", count(g.nodes), g.instance_type, if_spot(&g.capacity_type))
        })
        .collect();
    if parts.is_empty() { "not running".to_owned() } else { parts.join(" + ") }
}

/// Where it runs in the plan: `2-4 + 0-6 spot x g6.xlarge`, on demand unless it says spot.
#[must_use]
pub fn planned(plan: &Plan, workload: &WorkloadPlan) -> String {
    let mut parts: Vec<(&str, String)> = Vec::new();
    if let Some(service) = &workload.service {
        let extremes = |series: &[u32]| (series.iter().min().copied().unwrap_or(0), series.iter().max().copied().unwrap_or(0));
        let (low, high) = extremes(&service.floor_by_hour);
        if high > 0 {
            parts.push((&service.floor.pool, range(low, high)));
        }
        if let Some(flex) = &service.flex {
            let (low, high) = extremes(&service.flex_by_hour);
            let sleeps = service.awake_share_by_hour.iter().any(|a| *a < 1.0 - 1e-9);
            parts.push((&flex.pool, range(if sleeps { 0 } else { low }, high)));
        }
    }
    if let Some(job) = &workload.job {
        parts.push((&job.pool, job.workers.to_string()));
    }
    let words: Vec<(String, String)> = parts.iter().map(|(name, number)| placed(plan, workload, name, number)).collect();
    match words.as_slice() {
        [] if workload.mode == "bundled" => {
            let mut servers = plan.bundles.iter().filter(|b| b.members.iter().any(|m| m.workload == workload.name));
            servers.next().map_or_else(|| "a server".to_owned(), |b| format!("a model of {}", b.host.name))
        }
        [] => "as today".to_owned(),
        [(number, machine)] => format!("{number} x {machine}"),
        [(a, machine), (b, same), ..] if machine == same => format!("{a} + {b} x {machine}"),
        [(a, first), (b, second), ..] => format!("{a} x {first} + {b} x {second}"),
    }
}

/// One part of [`planned`]: number and machine; replicas on shared nodes with the GPUs they take.
fn placed(plan: &Plan, workload: &WorkloadPlan, pool_name: &str, number: &str) -> (String, String) {
    let Some(pool) = pool(plan, pool_name) else { return (number.to_owned(), pool_name.to_owned()) };
    let gpus = workload.variant.gpus_per_replica;
    if let Some(slice) = &workload.variant.slice {
        return (number.to_owned(), format!("{} of {}", slice.name, pool.instance_type));
    }
    let machine = match (pool.shared, gpus) {
        (true, 1) => format!("1 GPU of {}", pool.instance_type),
        (true, gpus) => format!("{gpus} GPUs of {}", pool.instance_type),
        (false, _) => pool.instance_type.clone(),
    };
    (format!("{number}{}", if_spot(&pool.capacity_type)), machine)
}

fn if_spot(capacity_type: &str) -> &'static str {
    if capacity_type == "spot" { " spot" } else { "" }
}

/// Share of a workload's replica-hours on spot; none when it holds no replica at all.
#[must_use]
pub fn spot_share(plan: &Plan, workload: &WorkloadPlan) -> Option<f64> {
    let is_spot = |name: &str| pool(plan, name).is_some_and(|p| p.capacity_type == "spot");
    let (mut spot, mut all) = (0.0, 0.0);
    let mut add = |pool_name: &str, hours: f64| {
        all += hours;
        if is_spot(pool_name) {
            spot += hours;
        }
    };
    if let Some(service) = &workload.service {
        add(&service.floor.pool, service.floor_by_hour.iter().map(|n| f64::from(*n)).sum());
        if let Some(flex) = &service.flex {
            add(&flex.pool, flex_hours(service));
        }
    }
    if let Some(job) = &workload.job {
        add(&job.pool, worker_hours(job));
    }
    (all > 0.0).then(|| spot / all)
}

fn flex_hours(service: &ServicePlan) -> f64 {
    let awake = service.awake_share_by_hour.iter().copied().chain(std::iter::repeat(1.0));
    service.flex_by_hour.iter().zip(awake).map(|(n, a)| f64::from(*n) * a).sum()
}

fn worker_hours(job: &JobPlan) -> f64 {
    job.workers_by_hour.iter().sum()
}

/// `fewest_changes` as `fewest changes`: names of levers, stages and modes for people.
#[must_use]
pub fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// How the solve ended, for people.
#[must_use]
pub fn outcome_words(outcome: &str) -> &str {
    match outcome {
        "optimal" => "proven optimal",
        "within-gap" => "the best found",
        "limit" => "stopped at a limit",
        other => other,
    }
}

/// Names of the stages after least cost: `least exposure, then fewest changes`; none without any.
#[must_use]
pub fn safety_stages(plan: &Plan) -> Option<String> {
    let names: Vec<String> = plan.optimality.stages.iter().filter(|s| s.name != "least_cost").map(|s| words(&s.name)).collect();
    (!names.is_empty()).then(|| names.join(", then "))
}

/// Points of the baseline that an amount is: `1.0 points`.
#[must_use]
pub fn points(plan: &Plan, amount: Usd) -> String {
    let baseline = plan.baseline.usd_per_month.as_f64();
    if baseline > 0.0 { format!("{:.1} points", amount.as_f64() / baseline * 100.0) } else { "no baseline".to_owned() }
}
