//! Finding places: binding pods to nodes that are up, nominating them to nodes that boot, ordering nodes.

use super::control::{Cluster, Event};
use super::draw;
use super::nodes::{Node, NodeLife, NodeState};
use super::pods::{Pod, PodState, SpreadRule};
use super::types::{Happening, Pull, Room};
use crate::simulate::random::Stream;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A pool and a zone to order a node in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Berth {
    pub pool: usize,
    pub zone: usize,
}

impl Cluster {
    /// Pods without a node take what is up and has room, in the order of their requests.
    pub(super) fn bind_unbound(&mut self) {
        let unbound: Vec<u64> = self.unbound.iter().map(|(_, pod)| *pod).collect();
        for pod in unbound {
            if let Some(node) = self.choose_up(pod) {
                self.bind(pod, node);
            }
        }
    }

    /// Pods that are due and fit nowhere go to nodes that boot or are ordered for them: large ones first, as Karpenter packs.
    pub(super) fn nominate_due(&mut self) {
        let due = |pod: &Pod| matches!(pod.state, PodState::Waiting(at) if at <= self.now);
        let size = |pod: &Pod| (Reverse(pod.request.ask.cpu_milli), Reverse(pod.request.ask.memory_mib), pod.rank);
        let mut waiting: Vec<_> = self
            .unbound
            .iter()
            .filter_map(|(_, id)| Some((*id, self.pods.get(id)?)))
            .filter(|(_, pod)| due(pod))
            .map(|(id, pod)| (size(pod), id))
            .collect();
        waiting.sort_unstable();
        for (_, pod) in waiting {
            match self.choose_booting(pod).or_else(|| self.order_for(pod, false)) {
                Some(node) => self.attach(pod, node, PodState::Nominated(node)),
                None => self.try_later(pod),
            }
        }
    }

    fn try_later(&mut self, id: u64) {
        let again = self.now + super::RETRY_S;
        let Some(pod) = self.pods.get_mut(&id) else { return };
        pod.state = PodState::Waiting(again);
        if !std::mem::replace(&mut pod.told_pending, true) {
            self.out.push(Happening::PodPending { pod: id, at: self.now });
        }
        self.push(again, Event::Retry(id));
    }

    /// The node that kube-scheduler would take among those that are up.
    pub(super) fn choose_up(&self, pod: u64) -> Option<u64> {
        self.choose_up_but(pod, None, &BTreeMap::new())
    }

    /// The same without one node, and with room already promised on others.
    pub(super) fn choose_up_but(&self, pod: u64, but: Option<u64>, promised: &BTreeMap<u64, Room>) -> Option<u64> {
        let request = &self.pods.get(&pod)?.request;
        let usable = |id: &u64| self.nodes.get(id).filter(|node| node.up() && Some(*id) != but).map(|node| (*id, node));
        let nodes = || request.pools.iter().filter_map(|pool| self.pools.get(*pool)).flat_map(|pool| &pool.nodes);
        let zones = || nodes().filter_map(usable).map(|(_, node)| node.zone).collect::<BTreeSet<_>>();
        let rule = self.spread_rule(pod, zones);
        let spreads = |zone| rule.as_ref().is_none_or(|rule| self.spread.allows(rule, zone));
        for pool in request.pools.iter().filter_map(|pool| self.pools.get(*pool)) {
            let room = |(id, node): (u64, &Node)| {
                let taken = node.taken.plus(promised.get(&id).copied().unwrap_or_default());
                let free = pool.pool.allocatable.less(taken);
                free.holds(request.ask).then_some((id, node.zone, free))
            };
            let fitting = pool.nodes.iter().filter_map(usable).filter_map(room).filter(|(_, zone, _)| spreads(*zone));
            let score = |(id, zone, free): &(u64, usize, Room)| {
                (self.spread.count(request.group, *zone), Reverse(emptiness(*free, pool.pool.allocatable)), *id)
            };
            if let Some((id, _, _)) = fitting.min_by_key(score) {
                return Some(id);
            }
        }
        None
    }

    /// The first node that boots and has room, preferred pools first.
    fn choose_booting(&self, pod: u64) -> Option<u64> {
        let request = &self.pods.get(&pod)?.request;
        let rule = self.spread_rule(pod, || self.all_zones(&request.pools));
        let fits = |pool: usize, id: &u64| {
            let (Some(state), Some(node)) = (self.pools.get(pool), self.nodes.get(id)) else { return false };
            matches!(node.state, NodeState::Booting(_))
                && state.pool.allocatable.less(node.taken).holds(request.ask)
                && rule.as_ref().is_none_or(|rule| self.spread.allows(rule, node.zone))
        };
        request.pools.iter().find_map(|pool| self.pools.get(*pool)?.nodes.iter().copied().find(|id| fits(*pool, id)))
    }

    /// Zones of all pools of a pod: the domains that Karpenter spreads over.
    fn all_zones(&self, pools: &[usize]) -> BTreeSet<usize> {
        pools.iter().filter_map(|pool| self.pools.get(*pool)).flat_map(|pool| pool.zones.iter().map(|(zone, _)| *zone)).collect()
    }

    /// The pod's hard spread over the given zones, if it has one.
    fn spread_rule(&self, pod: u64, domains: impl Fn() -> BTreeSet<usize>) -> Option<SpreadRule> {
        let pod = self.pods.get(&pod)?;
        let min_domains = pod.request.zones_spread?;
        let counted_in = match pod.state {
            PodState::Nominated(node) => self.nodes.get(&node).map(|node| node.zone),
            PodState::Waiting(_) | PodState::Starting(..) | PodState::Ready(_) | PodState::Leaving(..) => None,
        };
        Some(SpreadRule { group: pod.request.group, min_domains, domains: domains().into_iter().collect(), counted_in })
    }

    /// Orders a node that holds the pod, in the first of its pools that can have one.
    pub(super) fn order_for(&mut self, pod: u64, at_once: bool) -> Option<u64> {
        let pools = self.pods.get(&pod)?.request.pools.clone();
        let berth = pools.into_iter().find_map(|pool| self.berth(pool, &[pod]))?;
        Some(self.order(berth, at_once))
    }

    /// Where a pool could have one more node, for pods that all go onto it: within its limit, in a zone that supplies and that the
    /// pods may spread to; the one with the fewest of the first pod's group, then the fewest nodes.
    pub(super) fn berth(&self, pool: usize, pods: &[u64]) -> Option<Berth> {
        let state = self.pools.get(pool)?;
        let requests: Vec<_> = pods.iter().filter_map(|id| self.pods.get(id)).map(|pod| &pod.request).collect();
        let ask = requests.iter().fold(Room::default(), |sum, request| sum.plus(request.ask));
        let within = state.active < state.pool.max_nodes && state.nodes.len() <= state.pool.max_nodes as usize;
        if !within || !state.pool.allocatable.holds(ask) || requests.iter().any(|request| !request.pools.contains(&pool)) {
            return None;
        }
        let here = |zone: usize| {
            let mine = state.nodes.iter().filter_map(|id| self.nodes.get(id));
            mine.filter(|node| node.zone == zone && node.active()).count() as u32
        };
        let rules: Vec<SpreadRule> =
            pods.iter().zip(&requests).filter_map(|(pod, request)| self.spread_rule(*pod, || self.all_zones(&request.pools))).collect();
        let spreads = |zone: usize| rules.iter().all(|rule| self.spread.allows(rule, zone));
        let group = requests.first().map_or(0, |request| request.group);
        let open = state.zones.iter().enumerate().filter(|(_, (zone, most))| here(*zone) < *most && spreads(*zone));
        let best = open.min_by_key(|(place, (zone, _))| (self.spread.count(group, *zone), here(*zone), *place))?;
        Some(Berth { pool, zone: best.1.0 })
    }

    /// Orders a node. It is up after a provisioning delay, or at once.
    pub(super) fn order(&mut self, berth: Berth, at_once: bool) -> u64 {
        let (id, now) = (self.ordered, self.now);
        self.ordered += 1;
        let mut stream = Stream::new(self.seed, "node", &id.to_string());
        let luck = stream.uniform();
        let alone_h = stream.exponential();
        let delay_s = draw::span(&mut stream, self.delays.provision) * self.weather.slowness(now);
        let up_at = now + draw::seconds(delay_s);
        let state = if at_once { NodeState::Up } else { NodeState::Booting(up_at) };
        let node = Node {
            pool: berth.pool,
            zone: berth.zone,
            ordered_at: now,
            state,
            taken: Room::default(),
            pods: BTreeSet::new(),
            images: BTreeMap::new(),
            touched_at: now,
            luck,
        };
        self.nodes.insert(id, node);
        let state = &mut self.pools[berth.pool];
        state.count_to(now);
        state.nodes.insert(id);
        state.active += 1;
        let hazard = state.pool.node_reclaims_per_hour;
        if state.pool.spot && hazard > 0.0 {
            // A life beyond any horizon stays a number.
            let life_s = (alone_h / hazard * 3600.0).min(1e12);
            self.push(now + draw::seconds(life_s), Event::Reclaim(id));
        }
        if at_once {
            self.watch_empty(id);
        } else {
            self.push(up_at, Event::NodeUp(id));
        }
        id
    }

    pub(super) fn node_up(&mut self, id: u64) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.state = NodeState::Up;
        node.touched_at = self.now;
        let pods: Vec<u64> = node.pods.iter().copied().collect();
        for pod in pods {
            self.start(pod, id);
        }
        self.watch_empty(id);
        self.dirty = true;
        self.replacement_up(id);
    }

    fn bind(&mut self, pod: u64, node: u64) {
        self.attach(pod, node, PodState::Nominated(node));
        self.start(pod, node);
    }

    /// Puts a pod that is not on a node onto one, taking it off the one that it was nominated to.
    pub(super) fn attach(&mut self, id: u64, node_id: u64, state: PodState) {
        let Some(pod) = self.pods.get(&id) else { return };
        if let PodState::Nominated(before) = pod.state {
            self.detach(id, before);
        }
        let (Some(pod), Some(node)) = (self.pods.get_mut(&id), self.nodes.get_mut(&node_id)) else { return };
        pod.state = state;
        pod.told_pending = false;
        node.taken = node.taken.plus(pod.request.ask);
        node.pods.insert(id);
        node.touched_at = self.now;
        self.spread.add(pod.request.group, node.zone);
        if !pod.unbound() {
            self.unbound.remove(&(pod.rank, id));
        }
    }

    /// Takes a pod off a node.
    pub(super) fn detach(&mut self, id: u64, node_id: u64) {
        let (Some(pod), Some(node)) = (self.pods.get(&id), self.nodes.get_mut(&node_id)) else { return };
        if !node.pods.remove(&id) {
            return;
        }
        node.taken = node.taken.less(pod.request.ask);
        node.touched_at = self.now;
        if !pod.leaving() {
            self.spread.remove(pod.request.group, node.zone);
        }
        self.dirty = true;
        if node.pods.is_empty() {
            match node.state {
                NodeState::Booting(_) => {}
                NodeState::Up => self.watch_empty(node_id),
                NodeState::Leaving(_) => self.node_gone(node_id),
            }
        }
    }

    /// Image, weights, engine, one after the other.
    fn start(&mut self, id: u64, node_id: u64) {
        let (Some(pod), Some(node)) = (self.pods.get_mut(&id), self.nodes.get_mut(&node_id)) else { return };
        let mut stream = Stream::new(self.seed, "start-up", &id.to_string());
        let stages = pod.request.start_up;
        let [image_s, weights_s, engine_s] = [stages.image, stages.weights, stages.engine].map(|stage| draw::span(&mut stream, stage));
        let image = !node.images.contains_key(&pod.request.image);
        self.pulls.push(Pull { at: self.now, of: pod.request.image, image });
        let pulled_at = *node.images.entry(pod.request.image).or_insert(self.now + draw::seconds(image_s));
        let ready_at = pulled_at.max(self.now) + draw::seconds(weights_s + engine_s);
        pod.state = PodState::Starting(node_id, ready_at);
        self.unbound.remove(&(pod.rank, id));
        self.push(ready_at, Event::PodUp(id));
    }

    pub(super) fn set_state(&mut self, id: u64, state: PodState) {
        if let Some(pod) = self.pods.get_mut(&id) {
            pod.state = state;
        }
    }

    /// The node is no more.
    pub(super) fn node_gone(&mut self, id: u64) {
        let Some(node) = self.nodes.remove(&id) else { return };
        let state = &mut self.pools[node.pool];
        state.count_to(self.now);
        state.nodes.remove(&id);
        state.active -= u32::from(node.active());
        self.lives.push(NodeLife { node: id, pool: node.pool, from: node.ordered_at, to: self.now });
        self.forget_swap(id);
        self.dirty = true;
    }
}

/// Mean free share of CPUs and memory in 1/1,000,000: kube-scheduler's `LeastAllocated` in whole numbers.
fn emptiness(free: Room, of: Room) -> u64 {
    let share = |free: u64, of: u64| (free * 1_000_000).checked_div(of).unwrap_or(0);
    u64::midpoint(share(free.cpu_milli, of.cpu_milli), share(free.memory_mib, of.memory_mib))
}
