//! Quotas in every hour: `sum over pools of the group of units x nodes <= limit`, all replicas awake.

use super::finding::{Family, Finding, first_hour};
use super::node_capacity::peak_nodes;
use super::tolerance::at_most;
use super::view::{PoolView, View};
use crate::domain::{CapacityType, Quota, QuotaUnit};
use crate::units::HOURS_PER_WEEK;

/// Checks every quota group.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let over = |quota: &Quota, hour: usize| {
        let used = used(view, quota, hour);
        let message = format!("above the quota, {}", quota.unit.as_str());
        (!at_most(used, quota.limit)).then(|| Finding::new(Family::Quota, quota.id.as_str(), message).at(hour).differs(quota.limit, used))
    };
    view.scenario.quotas.iter().filter_map(|quota| first_hour((0..HOURS_PER_WEEK).filter_map(|t| over(quota, t)))).collect()
}

/// Units of the group in use in an hour.
pub(super) fn used(view: &View<'_>, quota: &Quota, hour: usize) -> f64 {
    let pools = view.pools.iter().filter(|p| covers(quota, p));
    pools
        .map(|pool| {
            let claims: Vec<_> = view.claims.iter().filter(|c| c.pool == pool.pool.name).collect();
            units(quota.unit, pool) * peak_nodes(pool, &claims, hour)
        })
        .sum()
}

/// The group counts the pool's nodes.
pub(super) fn covers(quota: &Quota, pool: &PoolView<'_>) -> bool {
    let spot = quota.capacity_type == CapacityType::Spot;
    quota.region == pool.region && spot == pool.spot && quota.instance_types.contains(&pool.machine.id)
}

/// Units of one node.
pub(super) fn units(unit: QuotaUnit, pool: &PoolView<'_>) -> f64 {
    match unit {
        QuotaUnit::Vcpus => pool.machine.vcpus,
        QuotaUnit::Gpus => f64::from(pool.machine.gpus),
        QuotaUnit::Nodes => 1.0,
    }
}
