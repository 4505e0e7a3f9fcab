//! What an unchanged plan costs under a case: its pools with the nodes and prices of that case.

use super::{run, week};
use crate::domain::Case;
use crate::plan::{NodePool, Plan};
use crate::risk::{self, SpotPriceTerms};
use crate::units::{HOURS_PER_WEEK, Usd, UsdPerHour};

/// What a case adds to a pool that is not shared: nodes by hour and hours of start-ups, both less where fewer come.
struct Change<'a> {
    pool: &'a str,
    nodes: Vec<f64>,
    start_hours: f64,
}

/// Cost of a plan under a case, $ a month.
#[must_use]
pub fn of(plan: &Plan, (services, jobs): (&[week::Part<'_>], &[run::Part<'_>]), case: &Case) -> Usd {
    let mut changes: Vec<Change<'_>> = services.iter().filter_map(|part| of_service(part, case)).collect();
    changes.extend(jobs.iter().map(|part| of_job(part, case)));
    let pools: Usd = plan.pools.iter().map(|pool| of_pool(plan, (pool, &changes), case)).sum();
    pools + plan.cost.commitments_usd_per_month
}

/// The floor stands as planned; what changes is the flex part.
fn of_service<'a>(part: &week::Part<'a>, case: &Case) -> Option<Change<'a>> {
    let decided = part.decided;
    let flex = decided.flex.as_ref()?;
    let now = part.week(case);
    let nodes = (0..HOURS_PER_WEEK)
        .map(|t| f64::from(now.flex[t]) * now.awake[t] - f64::from(decided.flex_by_hour[t]) * decided.awake_share_by_hour[t])
        .collect();
    let planned_starts = decided.starts_per_week - week::starts(|t| decided.floor_by_hour[t]);
    let start_hours = (now.flex_starts - planned_starts) * decided.cold_start.paid_hours_per_start;
    Some(Change { pool: &flex.pool, nodes, start_hours })
}

/// Runs take longer; their number, and with it what follows each, stays.
fn of_job<'a>(part: &run::Part<'a>, case: &Case) -> Change<'a> {
    let nodes = part.workers(case).iter().zip(&part.decided.workers_by_hour).map(|(now, planned)| now - planned).collect();
    Change { pool: &part.decided.pool, nodes, start_hours: 0.0 }
}

fn of_pool(plan: &Plan, (pool, changes): (&NodePool, &[Change<'_>]), case: &Case) -> Usd {
    let own: Vec<&Change<'_>> = changes.iter().filter(|c| c.pool == pool.name && !pool.shared).collect();
    let mut paid = pool.start_up_node_hours_per_week + own.iter().map(|c| c.start_hours).sum::<f64>();
    let credit = f64::from(pool.committed_nodes) - credited_elsewhere(plan, pool);
    for hour in 0..HOURS_PER_WEEK {
        let nodes = pool.nodes_by_hour[hour] + own.iter().map(|c| c.nodes[hour]).sum::<f64>();
        paid += nodes.max(0.0) - nodes.max(0.0).min(credit.max(0.0));
    }
    price(pool, case).for_hours(paid).week_to_month()
}

/// Nodes of a commitment that the shared pool of the same machines takes first.
fn credited_elsewhere(plan: &Plan, pool: &NodePool) -> f64 {
    let same = |p: &&NodePool| {
        p.shared && !pool.shared && p.capacity_type == "on-demand" && p.instance_type == pool.instance_type && p.region == pool.region
    };
    plan.pools.iter().filter(same).map(|p| p.nodes_by_hour.first().copied().unwrap_or(0.0)).sum()
}

/// Price of a node-hour under a case: spot by its expected price at the case's posted price, availability and hazard.
fn price(pool: &NodePool, case: &Case) -> UsdPerHour {
    let Some(spot) = &pool.spot else { return pool.planned_usd_per_hour };
    risk::expected_price(&SpotPriceTerms {
        spot: UsdPerHour::from_f64(pool.usd_per_hour.as_f64() * case.spot_price),
        fallback: spot.fallback_usd_per_hour,
        availability: (spot.availability * case.availability).min(1.0),
        reclaims_per_hour: spot.reclaims_per_hour * case.hazard,
        switch_hours: spot.switch_hours,
    })
}
