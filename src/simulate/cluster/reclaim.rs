//! Losing nodes and pods: changes of the weather, notices, evictions, deletions.

use super::control::{Cluster, Event};
use super::nodes::NodeState;
use super::pods::PodState;
use super::types::Happening;
use super::weather::Change;

impl Cluster {
    /// A pool can have more or less in a zone, and loses what is not kept.
    pub(super) fn weather_changes(&mut self, (pool, place): (usize, usize), change: Change) {
        let Some((zone, most)) = self.pools.get_mut(pool).and_then(|state| state.zones.get_mut(place)) else { return };
        *most = change.capacity;
        let (zone, Some(keep)) = (*zone, change.keep) else { return };
        let here = self.pools[pool].nodes.iter().filter_map(|id| Some((*id, self.nodes.get(id)?))).filter(|(_, node)| node.zone == zone);
        let (mut active, mut leaving) = (Vec::new(), Vec::new());
        for (id, node) in here {
            if node.active() {
                active.push((node.luck, id));
            } else {
                leaving.push(id);
            }
        }
        active.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let surplus = active.len().saturating_sub(keep as usize);
        for (_, id) in active.into_iter().take(surplus) {
            self.reclaim(id);
        }
        if keep == 0 {
            for id in leaving {
                self.hurry(id);
            }
        }
    }

    /// Gives a node its notice. One that boots is lost at once, its pods wait again; one that leaves anyway is left alone.
    pub(super) fn reclaim(&mut self, id: u64) {
        let Some(node) = self.nodes.get(&id) else { return };
        match node.state {
            NodeState::Leaving(_) => {}
            NodeState::Booting(_) => {
                let pods: Vec<u64> = node.pods.iter().copied().collect();
                for pod in pods {
                    self.detach(pod, id);
                    self.set_state(pod, PodState::Waiting(self.now));
                }
                self.node_gone(id);
            }
            NodeState::Up => {
                let by = self.now + i64::from(self.pools[node.pool].pool.notice_s);
                self.leave(id, by);
                self.push(by, Event::NodeOut(id));
                for pod in self.pods_of(id) {
                    self.evict(pod, by);
                }
                self.gone_if_empty(id);
            }
        }
    }

    /// A node that drains is taken back before it is done.
    fn hurry(&mut self, id: u64) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let by = self.now + i64::from(self.pools[node.pool].pool.notice_s);
        if matches!(node.state, NodeState::Leaving(until) if until > by) {
            node.state = NodeState::Leaving(by);
            self.push(by, Event::NodeOut(id));
            for pod in self.pods_of(id) {
                self.evict(pod, by);
            }
        }
    }

    /// The notice is over: whatever is left on the node goes with it.
    pub(super) fn force_out(&mut self, id: u64) {
        for pod in self.pods_of(id) {
            self.release(pod);
        }
        self.gone_if_empty(id);
    }

    /// A node that is up takes no more pods and no longer counts against the limit.
    pub(super) fn leave(&mut self, id: u64, by: i64) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let was_active = node.active();
        node.state = NodeState::Leaving(by);
        self.pools[node.pool].active -= u32::from(was_active);
        self.dirty = true;
    }

    pub(super) fn gone_if_empty(&mut self, id: u64) {
        if self.nodes.get(&id).is_some_and(|node| node.pods.is_empty()) {
            self.node_gone(id);
        }
    }

    pub(super) fn pods_of(&self, node: u64) -> Vec<u64> {
        self.nodes.get(&node).map(|node| node.pods.iter().copied().collect()).unwrap_or_default()
    }

    /// Evicts a pod: it has its grace, and not longer than until `by`. One that does not serve yet is gone at once. One that is
    /// leaving already has only its time cut.
    pub(super) fn evict(&mut self, id: u64, by: i64) {
        let now = self.now;
        let Some(pod) = self.pods.get_mut(&id) else { return };
        if let PodState::Leaving(node, until) = pod.state {
            if until > by {
                pod.state = PodState::Leaving(node, by);
                self.push(by, Event::PodOut(id));
            }
            return;
        }
        pod.evicted_at = Some(now);
        let grace_s = if pod.ready() { i64::from(pod.request.grace_s).min(by.saturating_sub(now)) } else { 0 };
        self.out.push(Happening::PodEvicted { pod: id, at: now, deadline: now + grace_s });
        self.end_pod(id, grace_s);
    }

    /// Ends a pod: one that serves after `grace_s`, any other at once.
    pub(super) fn end_pod(&mut self, id: u64, grace_s: i64) {
        let Some(pod) = self.pods.get_mut(&id) else { return };
        match pod.state {
            PodState::Ready(node_id) if grace_s > 0 => {
                let gone_at = self.now + grace_s;
                pod.state = PodState::Leaving(node_id, gone_at);
                if let Some(node) = self.nodes.get(&node_id) {
                    self.spread.remove(pod.request.group, node.zone);
                }
                self.dirty = true;
                self.push(gone_at, Event::PodOut(id));
            }
            PodState::Waiting(_) | PodState::Nominated(_) | PodState::Starting(..) | PodState::Ready(_) | PodState::Leaving(..) => {
                self.release(id);
            }
        }
    }

    /// A pod is gone and its place is free.
    pub(super) fn release(&mut self, id: u64) {
        let Some(pod) = self.pods.get(&id) else { return };
        let (rank, node) = (pod.rank, pod.node());
        self.out.push(Happening::PodGone { pod: id, at: self.now });
        if let Some(node) = node {
            self.detach(id, node);
        }
        self.unbound.remove(&(rank, id));
        self.pods.remove(&id);
        self.dirty = true;
    }
}
