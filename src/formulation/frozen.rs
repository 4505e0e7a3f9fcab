//! A workload exactly as it runs today: its share of a node group, bought as it is bought now.

use crate::formulation::pools::{Context, Pools};
use crate::formulation::problem::{PoolIndex, Sharing};
use crate::units::HOURS_PER_WEEK;

/// Today's nodes of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenOption {
    /// Pool that stands for the node group.
    pub pool: PoolIndex,
    /// Sharing.
    pub sharing: Sharing,
    /// Mean nodes that are its share of an exclusive group.
    pub nodes: f64,
    /// Slots held in a fixed pool, what nobody uses of the group included for its first workload.
    pub slots: u32,
    /// Cost a week of exclusive nodes, dollars.
    pub cost: f64,
    /// Exposure a week: spot GPU-hours x hazard.
    pub exposure: f64,
}

/// The option; `None` for a workload that runs nowhere today.
#[must_use]
pub fn option(context: &Context<'_>, pools: &mut Pools) -> Option<FrozenOption> {
    let scenario = context.scenario;
    let placement = context.workload.placement.as_ref()?;
    let group = scenario.node_group(&placement.node_group)?;
    let instance = &scenario.instance_types[&group.instance_type];
    let sharing = if 2 * placement.gpus_per_replica > instance.gpus { Sharing::Exclusive } else { Sharing::Fixed };
    let offering = scenario
        .offerings
        .iter()
        .position(|o| o.instance_type == group.instance_type && o.region == group.region && o.capacity_type == group.capacity_type)?;
    let pool = pools.pool(scenario, offering, sharing)?;
    let tenants: Vec<_> = scenario
        .workloads
        .iter()
        .filter_map(|w| w.placement.as_ref().filter(|p| p.node_group == group.id).map(|p| (&w.id, p.replicas * p.gpus_per_replica)))
        .collect();
    let used: u32 = tenants.iter().map(|(_, gpus)| gpus).sum();
    let mine = placement.replicas * placement.gpus_per_replica;
    let idle = (group.nodes.ceil() as u32 * instance.gpus).saturating_sub(used);
    let first = tenants.first().is_some_and(|(id, _)| *id == &context.workload.id);
    let nodes = group.nodes * f64::from(mine) / f64::from(used.max(1));
    let week = HOURS_PER_WEEK as f64;
    let (cost, slots, exposure) = match sharing {
        Sharing::Exclusive => {
            let p = &pools.list[pool];
            (nodes * p.price * week, 0, nodes * f64::from(p.gpus) * p.hazard * week)
        }
        Sharing::Fixed => (0.0, mine + if first { idle } else { 0 }, 0.0),
    };
    Some(FrozenOption { pool, sharing, nodes, slots, cost, exposure })
}
