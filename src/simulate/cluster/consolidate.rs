//! Giving nodes back: empty ones after a delay, ones that stand in for spot one at a time, and the minimum that stays.

use super::control::{Cluster, Event};
use super::nodes::NodeState;
use super::pods::Pod;
use super::types::Room;
use std::collections::BTreeMap;

/// The end of a node that drains without haste.
const UNHURRIED: i64 = i64::MAX;

/// A node of a pool that is being given up, and what takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Swap {
    /// Given up.
    pub old: u64,
    /// Ordered for its pods; `None`: they fit on nodes that are there.
    pub new: Option<u64>,
}

impl Cluster {
    /// Starts the clock of an empty node.
    pub(super) fn watch_empty(&mut self, id: u64) {
        let Some(node) = self.nodes.get(&id) else { return };
        if let (true, true, Some(after)) = (node.up(), node.pods.is_empty(), self.pools[node.pool].pool.consolidate_after_s) {
            self.push(node.touched_at + i64::from(after), Event::Empty(id));
        }
    }

    /// Gives a node back that has been empty for the pool's delay, unless the pool's minimum needs it.
    pub(super) fn give_up_if_empty(&mut self, id: u64) {
        let Some(node) = self.nodes.get(&id) else { return };
        let state = &self.pools[node.pool];
        let after = state.pool.consolidate_after_s.map(i64::from);
        let over = after.is_some_and(|after| node.touched_at + after <= self.now);
        if node.up() && node.pods.is_empty() && over && state.active > state.pool.min_nodes {
            self.node_gone(id);
        }
    }

    /// Nodes of the minimum, up from the first second, where their zones supply.
    pub(super) fn hold_minimum(&mut self) {
        self.refill(true);
    }

    fn refill(&mut self, at_once: bool) {
        for pool in 0..self.pools.len() {
            while self.pools[pool].active < self.pools[pool].pool.min_nodes {
                let Some(berth) = self.berth(pool, &[]) else { break };
                self.order(berth, at_once);
            }
        }
    }

    /// The minute's look: missing nodes of the minimum, drains that a budget held up, nodes to give up.
    pub(super) fn look(&mut self) {
        self.look_at = None;
        self.refill(false);
        for swap in self.swaps.values().copied().collect::<Vec<_>>() {
            self.go_on(swap);
        }
        for pool in 0..self.pools.len() {
            if self.pools[pool].pool.replaces_underutilized && !self.swaps.contains_key(&pool) {
                self.find_swap(pool);
            }
        }
    }

    /// There is something to look at each minute.
    pub(super) fn wants_look(&self) -> bool {
        let short = |state: &super::control::PoolState| state.active < state.pool.min_nodes.min(state.pool.max_nodes);
        !self.swaps.is_empty() || self.pools.iter().any(short) || (0..self.pools.len()).any(|pool| self.stands_in(pool))
    }

    /// A pool holds pods that a cheaper pool, which supplies or has nodes, could hold.
    fn stands_in(&self, pool: usize) -> bool {
        let state = &self.pools[pool];
        let pods = || state.nodes.iter().filter_map(|id| self.nodes.get(id)).filter(|node| node.up()).flat_map(|node| &node.pods);
        let offers = |cheaper: &usize| {
            let cheaper = &self.pools[*cheaper];
            !cheaper.nodes.is_empty() || cheaper.zones.iter().any(|(_, most)| *most > 0)
        };
        let movable = |pod: &Pod| !pod.request.do_not_disrupt && self.cheaper_pools(pool, pod).iter().any(offers);
        state.pool.replaces_underutilized && pods().filter_map(|id| self.pods.get(id)).any(movable)
    }

    fn cheaper_pools(&self, than: usize, pod: &Pod) -> Vec<usize> {
        let price = |pool: usize| self.pools.get(pool).map(|state| state.pool.usd_per_hour);
        pod.request.pools.iter().copied().filter(|pool| *pool < self.pools.len() && price(*pool) < price(than)).collect()
    }

    /// The first node of a pool that can be given up: few pods first.
    fn find_swap(&mut self, pool: usize) {
        let state = &self.pools[pool];
        let Some(after) = state.pool.consolidate_after_s.map(i64::from) else { return };
        if state.active <= state.pool.min_nodes {
            return;
        }
        let ripe = |id: &u64| {
            let node = self.nodes.get(id)?;
            let ok = node.up() && !node.pods.is_empty() && node.touched_at + after <= self.now;
            (ok && self.may_move(*id)).then_some((node.pods.len(), *id))
        };
        let mut ripe: Vec<(usize, u64)> = state.nodes.iter().filter_map(ripe).collect();
        ripe.sort_unstable();
        for (_, old) in ripe {
            if let Some(swap) = self.swap_for(pool, old) {
                self.swaps.insert(pool, swap);
                self.go_on(swap);
                return;
            }
        }
    }

    /// What could take the pods of a node; a cheaper node is ordered for them.
    fn swap_for(&mut self, pool: usize, old: u64) -> Option<Swap> {
        let zone = self.nodes.get(&old)?.zone;
        let staying = |id: &u64| self.pods.get(id).filter(|pod| !pod.leaving()).map(|pod| pod.request.group);
        let pods: Vec<(u64, u32)> = self.pods_of(old).into_iter().filter_map(|id| Some((id, staying(&id)?))).collect();
        let ids: Vec<u64> = pods.iter().map(|(id, _)| *id).collect();
        // Where the pods could go is judged as if they were gone.
        pods.iter().for_each(|(_, group)| self.spread.remove(*group, zone));
        let elsewhere = self.fit_elsewhere(old, &ids);
        let berth = match self.pods.get(ids.first()?) {
            Some(pod) if !elsewhere => self.cheaper_pools(pool, pod).into_iter().find_map(|cheaper| self.berth(cheaper, &ids)),
            Some(_) | None => None,
        };
        pods.iter().for_each(|(_, group)| self.spread.add(*group, zone));
        match berth {
            Some(berth) => Some(Swap { old, new: Some(self.order(berth, false)) }),
            None => elsewhere.then_some(Swap { old, new: None }),
        }
    }

    fn fit_elsewhere(&self, old: u64, pods: &[u64]) -> bool {
        let mut promised: BTreeMap<u64, Room> = BTreeMap::new();
        pods.iter().all(|id| {
            let (Some(node), Some(pod)) = (self.choose_up_but(*id, Some(old), &promised), self.pods.get(id)) else { return false };
            let taken = promised.entry(node).or_default();
            *taken = taken.plus(pod.request.ask);
            true
        })
    }

    /// Drains the old node once the new one is up and no budget forbids it.
    fn go_on(&mut self, swap: Swap) {
        let there = swap.new.is_none_or(|new| self.nodes.get(&new).is_some_and(super::nodes::Node::up));
        let Some(old) = self.nodes.get(&swap.old).filter(|_| there) else { return };
        if old.up() {
            if !self.may_move(swap.old) {
                return;
            }
            self.leave(swap.old, UNHURRIED);
        }
        for pod in self.pods_of(swap.old) {
            if self.pods.get(&pod).is_some_and(|pod| !pod.leaving()) && self.budget_allows(pod) {
                self.evict(pod, UNHURRIED);
            }
        }
        self.gone_if_empty(swap.old);
    }

    pub(super) fn replacement_up(&mut self, new: u64) {
        if let Some(swap) = self.swaps.values().copied().find(|swap| swap.new == Some(new)) {
            self.go_on(swap);
        }
    }

    /// A swap is over when its old node is gone, and off when its new one is lost before the old one drains.
    pub(super) fn forget_swap(&mut self, gone: u64) {
        let nodes = &self.nodes;
        let drains = |id: u64| nodes.get(&id).is_some_and(|node| matches!(node.state, NodeState::Leaving(_)));
        self.swaps.retain(|_, swap| swap.old != gone && (swap.new != Some(gone) || drains(swap.old)));
    }

    /// No pod of a node forbids to move it, and the budgets allow each of them.
    fn may_move(&self, node: u64) -> bool {
        self.pods_of(node).iter().all(|id| self.pods.get(id).is_none_or(|pod| !pod.request.do_not_disrupt) && self.budget_allows(*id))
    }

    /// A pod that does not serve may always go; one that does while fewer of its budget than allowed are not ready.
    fn budget_allows(&self, id: u64) -> bool {
        let Some(pod) = self.pods.get(&id) else { return true };
        let Some(budget) = pod.request.budget.filter(|_| pod.ready()) else { return true };
        let missing = |other: &Pod| {
            let fresh = other.leaving() && other.evicted_at == Some(self.now);
            other.request.budget.is_some_and(|b| b.key == budget.key) && (fresh || (!other.leaving() && !other.ready()))
        };
        let unready = self.pods.values().filter(|other| missing(other)).count();
        unready < budget.max_unavailable as usize
    }
}
