//! A workload exactly as it runs today: its share of a node group, bought as it is bought now.

use crate::domain::{CapacityType, NodeGroup, Scenario};
use crate::formulation::network;
use crate::formulation::pools::{Context, Pools};
use crate::formulation::problem::{PoolIndex, Sharing};
use crate::risk;
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
    /// The same at the group's peak, whole.
    pub held: f64,
    /// Nodes of it that go with one zone of a spot group.
    pub lost: f64,
    /// Slots held in a fixed pool.
    pub slots: u32,
    /// Slots of the group that nobody uses: held by its first workload, so that the nodes are there.
    pub idle_slots: u32,
    /// Cost a week of exclusive nodes, and of its traffic and starts, dollars.
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
    let pool = pools.pool(scenario, offering(scenario, group, group.capacity_type)?, sharing)?;
    if group.capacity_type == CapacityType::Spot {
        // What takes over when the group is lost is a pool of the plan as well.
        offering(scenario, group, CapacityType::OnDemand).and_then(|o| pools.pool(scenario, o, sharing));
    }
    let tenants: Vec<_> = scenario
        .workloads
        .iter()
        .filter_map(|w| w.placement.as_ref().filter(|p| p.node_group == group.id).map(|p| (&w.id, p.replicas * p.gpus_per_replica)))
        .collect();
    let used: u32 = tenants.iter().map(|(_, gpus)| gpus).sum();
    let mine = placement.replicas * placement.gpus_per_replica;
    let idle = (group.nodes.ceil() as u32 * instance.gpus).saturating_sub(used);
    let first = tenants.first().is_some_and(|(id, _)| *id == &context.workload.id);
    let share = f64::from(mine) / f64::from(used.max(1));
    let (nodes, held) = (group.nodes * share, (f64::from(group.max_nodes) * share).ceil());
    let p = &pools.list[pool];
    let week = HOURS_PER_WEEK as f64;
    let remote = network::as_today(scenario, context.workload).map_or(0.0, |(egress, bytes)| egress + bytes);
    // A gang loses its workers together, a service the share of one zone.
    let lost = match (group.capacity_type, context.workload.service()) {
        (CapacityType::OnDemand, _) => 0.0,
        (CapacityType::Spot, Some(_)) => f64::from(risk::lost_with_one_zone(held as u32, p.zones)),
        (CapacityType::Spot, None) => held,
    };
    let frozen = FrozenOption { pool, sharing, nodes, held, lost, slots: mine, idle_slots: 0, cost: 0.0, exposure: 0.0 };
    Some(match sharing {
        Sharing::Exclusive => FrozenOption {
            cost: nodes * p.price * week + remote,
            exposure: nodes * f64::from(p.gpus) * p.hazard * week,
            slots: 0,
            ..frozen
        },
        Sharing::Fixed => FrozenOption { idle_slots: if first { idle } else { 0 }, cost: remote, ..frozen },
    })
}

/// Position of a group's machines in the price list, bought one way.
fn offering(scenario: &Scenario, group: &NodeGroup, capacity_type: CapacityType) -> Option<usize> {
    let wanted = |o: &crate::domain::Offering| o.instance_type == group.instance_type && o.region == group.region;
    scenario.offerings.iter().position(|o| wanted(o) && o.capacity_type == capacity_type)
}
