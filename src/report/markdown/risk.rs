//! What can go wrong and what is held against it: lost pools, error budgets, assumptions that are off.

use crate::plan::{ErrorBudget, NodePool, Plan, Sensitivity, SpotTerms, WorkloadPlan};
use crate::report::loss::worst_hour;
use crate::report::markdown::table::{Column, bullets, table};
use crate::report::terminal::target_cell;
use crate::report::text::{count, listed, md, percent, plural, span};
use crate::report::week::Clock;

/// Each spot pool: how often it is expected to go, and what is left then.
pub fn lost_pools(plan: &Plan, pools: &[NodePool]) -> String {
    let mut out = String::from("## When a pool is lost\n\n");
    let spot: Vec<(&NodePool, &SpotTerms)> = pools.iter().filter_map(|p| p.spot.as_ref().map(|s| (p, s))).collect();
    if spot.is_empty() {
        out.push_str("The plan uses no spot capacity, so no pool is expected to be taken back.\n");
    }
    for (pool, terms) in spot {
        out.push_str(&one_pool(plan, pool, terms));
    }
    out.push_str(
        "On-demand capacity is taken as granted: scarce types are kept all week, reliable ones are released and had back. If the cloud \
         has none when it is asked, the plan's service levels do not hold for that time.\n",
    );
    out
}

fn one_pool(plan: &Plan, pool: &NodePool, terms: &SpotTerms) -> String {
    let SpotTerms { availability, reclaims_per_hour, evidence, zones_spread, notice_s, fallback_pool, fallback_usd_per_hour, switch_hours } =
        terms;
    let every =
        if *reclaims_per_hour > 0.0 { format!("about once in {}", span(3600.0 / reclaims_per_hour)) } else { "never (rate 0)".to_owned() };
    let known = match evidence.as_str() {
        "prior" => "nothing is known of this pool; a pessimistic prior",
        "own-log" => "your own interruption log",
        "trace" => "a collected trace",
        "advisor-band" => "the cloud's advisor band, a weak hint",
        other => other,
    };
    let zones = plural(*zones_spread as usize, "zone");
    let fallback = fallback_pool.as_ref().map_or_else(
        || "No pool takes over.".to_owned(),
        |f| format!("Pool {} takes over at {fallback_usd_per_hour} for each spot node.", md(f)),
    );
    let mut out = format!(
        "### {}\n\n{} ({}) on {zones}: expected to supply {} of the time and to be taken back from one zone {every} ({}), with {} of \
         notice. {fallback} Each reclaim is charged with {} h of paid time.\n\n",
        md(&pool.name),
        md(&pool.instance_type),
        md(&pool.region),
        percent(*availability),
        md(known),
        span(*notice_s),
        format_args!("{switch_hours:.2}")
    );
    if let Some(words) = &pool.when_lost {
        out.push_str(&format!("{}\n\n", md(words)));
    }
    let lines: Vec<String> =
        plan.workloads.iter().filter(|w| pool.workloads.contains(&w.name)).filter_map(|w| left(plan, w, pool)).collect();
    if !lines.is_empty() {
        out.push_str(&bullets(lines));
        out.push('\n');
    }
    out
}

/// What a workload is left with when this pool goes.
fn left(plan: &Plan, workload: &WorkloadPlan, pool: &NodePool) -> Option<String> {
    let name = md(&workload.name);
    if let Some(job) = workload.job.as_ref().filter(|j| j.pool == pool.name) {
        let start = if job.checkpoint_interval_s.is_some() { "goes on from its last checkpoint" } else { "does the lost pieces again" };
        let workers = plural(job.workers as usize, "worker");
        let planned = "the run time that meets its deadline already contains the expected loss";
        return Some(format!("{name}: its {workers} stop and the job {start}; {planned}."));
    }
    let service = workload.service.as_ref().filter(|s| s.flex.as_ref().is_some_and(|f| f.pool == pool.name))?;
    let worst = worst_hour(service)?;
    let (clock, _) = Clock::of(&workload.kubernetes.time_zone, &plan.provenance.anchor_monday);
    let stable =
        if worst.stable_over_mean >= 1.0 { "stays stable, slower than its SLO," } else { "**falls behind** until replicas are back" };
    Some(format!(
        "{name}: at its worst hour ({} local) one zone takes {} of {} replicas; the rest carries {} of the mean load and {stable} until \
         replacements serve.",
        clock.at(worst.utc_hour as f64),
        worst.lost,
        worst.replicas,
        percent(worst.stable_over_mean)
    ))
}

/// How each service's error budget is used.
pub fn error_budgets(workloads: &[WorkloadPlan]) -> String {
    let mut rows = Vec::new();
    for w in workloads {
        let Some(service) = &w.service else { continue };
        let ErrorBudget { requests_per_week, steady_state_share, spare_share, miss_factor: _, uses } = &service.error_budget;
        let spare = spare_share * requests_per_week;
        let used: f64 = uses.iter().map(|u| u.misses_per_week).sum();
        let of = |name: &str| uses.iter().filter(|u| u.name == name).map(|u| u.misses_per_week).sum::<f64>();
        let left = if spare > 0.0 { percent(1.0 - used / spare) } else { "-".to_owned() };
        rows.push(vec![
            md(&w.name),
            objective(service),
            count(*requests_per_week),
            count(steady_state_share * requests_per_week),
            count(spare),
            count(of("cold_starts")),
            count(of("reclaims")),
            left,
        ]);
    }
    if rows.is_empty() {
        return String::new();
    }
    let columns = [
        Column::Text("service"),
        Column::Text("objective"),
        Column::Number("requests a week"),
        Column::Number("misses allowed in steady state"),
        Column::Number("misses spare"),
        Column::Number("expected: cold starts"),
        Column::Number("expected: reclaims"),
        Column::Number("spare left"),
    ];
    format!(
        "## Error budgets\n\nHalf of each budget belongs to queueing in steady state, which capacity is sized for; the spare half pays \
         for cold starts and reclaims.\n\n{}",
        table(&columns, rows)
    )
}

/// The objective in words: `99% within TTFT 500 ms, TPOT 60 ms`.
fn objective(service: &crate::plan::ServicePlan) -> String {
    let slo = &service.slo;
    let limits: Vec<String> = [("TTFT", slo.ttft_ms), ("TPOT", slo.tpot_ms), ("whole request", slo.latency_ms)]
        .into_iter()
        .filter_map(|(name, limit)| limit.map(|ms| format!("{name} {} ms", count(ms))))
        .collect();
    format!("{} within {}", percent(slo.attainment), listed(&limits))
}

/// Assumptions that are off.
pub fn sensitivity(sensitivity: &[Sensitivity]) -> String {
    let rows = sensitivity
        .iter()
        .map(|s| {
            let Sensitivity { name, usd_per_month, saving, target_met } = s;
            let usd = usd_per_month.map_or_else(|| "no feasible plan".to_owned(), |u| u.to_string());
            vec![md(name), usd, saving.map_or_else(|| "-".to_owned(), percent), target_cell(*target_met).to_owned()]
        })
        .collect::<Vec<_>>();
    if rows.is_empty() {
        return String::new();
    }
    let columns = [Column::Text("assumption"), Column::Number("$ a month"), Column::Number("saving"), Column::Text("target")];
    format!(
        "## If an assumption is off\n\nThe least-cost plan, solved anew under the changed assumption, against the same baseline. It says \
         what a new plan would cost, not how this plan would fare unchanged.\n\n{}",
        table(&columns, rows)
    )
}
