//! Prices that the master puts on what columns share.

use crate::formulation::problem::{PoolIndex, Problem, Sharing, SlotKind};
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeMap;

/// Dual prices, in the units of the stage's objective.
#[derive(Clone, Debug)]
pub struct Duals {
    /// Weight of a dollar a week of a column's own cost: the objective's plus the cost row's.
    pub cost: f64,
    /// Weight of a unit of exposure.
    pub exposure: f64,
    /// Weight of a changed node.
    pub changed_nodes: f64,
    /// Weight of a changed workload.
    pub changed: f64,
    /// Added a node-hour that is expected to be paid in an exclusive pool (negative where commitments pay).
    pub expected: BTreeMap<PoolIndex, Vec<f64>>,
    /// Added a node-hour that is held when awake in an exclusive pool (quotas).
    pub held: BTreeMap<PoolIndex, Vec<f64>>,
    /// Added a node-hour that would move to fallback when a zone is lost.
    pub lost: BTreeMap<PoolIndex, Vec<f64>>,
    /// Price of a slot-hour of a fixed pool, by kind of slot.
    pub slot: BTreeMap<(PoolIndex, SlotKind), Vec<f64>>,
    /// Price of a node at the peak of one workload in a fixed pool.
    pub peak: BTreeMap<(usize, PoolIndex), f64>,
    /// Price of one way to run each workload.
    pub choice: Vec<f64>,
}

impl Duals {
    /// Before any master is solved: own cost at face value, slots of fixed pools at their share of the node, nodes that
    /// commitments pay for at nothing, and those that a commitment could be bought for at its price. What no column uses
    /// yet has no row in the master; these prices stand in for its duals, and must leave no node, no credit and no purchase
    /// worth having for itself, or the bound would not hold.
    #[must_use]
    pub fn face_value(problem: &Problem) -> Self {
        let discount = |pool: PoolIndex| problem.purchases.machine_of(pool).map_or(0.0, |m| problem.purchases.face_discount(m));
        let of = |sharing: Sharing| problem.pools.iter().enumerate().filter(move |(_, p)| p.sharing == sharing);
        let slot = of(Sharing::Fixed)
            .flat_map(|(i, p)| (0..p.kinds()).map(move |kind| (i, p, kind)))
            .map(|(i, p, kind)| ((i, kind), if p.committed > 0 { 0.0 } else { (p.price - discount(i)) * p.share_of_slot(kind) }))
            .map(|(key, price)| (key, vec![price; HOURS_PER_WEEK]))
            .collect();
        let expected = of(Sharing::Exclusive)
            .map(|(i, p)| (i, if p.committed > 0 { p.price } else { discount(i) }))
            .filter(|(_, off)| *off > 0.0)
            .map(|(i, off)| (i, vec![-off; HOURS_PER_WEEK]))
            .collect();
        Self {
            cost: 1.0,
            exposure: 0.0,
            changed_nodes: 0.0,
            changed: 0.0,
            expected,
            held: BTreeMap::new(),
            lost: BTreeMap::new(),
            slot,
            peak: BTreeMap::new(),
            choice: vec![0.0; problem.count()],
        }
    }

    /// Value of a map at (pool, hour), 0 where it has none.
    #[must_use]
    pub fn at<K: Ord>(map: &BTreeMap<K, Vec<f64>>, pool: K, hour: usize) -> f64 {
        map.get(&pool).map_or(0.0, |hours| hours[hour])
    }
}
