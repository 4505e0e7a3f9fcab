//! The cluster itself: its state, its events in the order of time, and what the control loop may ask of it.

use super::consolidate::Swap;
use super::nodes::{Node, NodeLife, NodeState};
use super::pods::{Pod, PodState, Spread, Whereabouts};
use super::types::{Delays, Happening, NodeCounts, PodRequest, Pool, Pull, Setup};
use super::weather::{Change, UNLIMITED, Weather};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// A pool and what it has.
#[derive(Clone, Debug)]
pub(super) struct PoolState {
    pub pool: Pool,
    /// Its zones, by number, each with the most nodes that it can have there now.
    pub zones: Vec<(usize, u32)>,
    /// Nodes of any state.
    pub nodes: BTreeSet<u64>,
    /// Of them, those that are not leaving.
    pub active: u32,
    /// Node-seconds until `counted_to`, summed up as time goes by; held against the lives of the nodes.
    pub node_s: i64,
    pub counted_to: i64,
}

impl PoolState {
    /// Brings the running sum up to a second; before every change of `nodes`.
    pub fn count_to(&mut self, now: i64) {
        self.node_s += self.nodes.len() as i64 * (now - self.counted_to);
        self.counted_to = now;
    }
}

/// What happens by itself. Each is checked against the state when it fires: what was overtaken does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// A node comes up.
    NodeUp(u64),
    /// A pod becomes ready.
    PodUp(u64),
    /// A pod has ended.
    PodOut(u64),
    /// A reclaimed node goes.
    NodeOut(u64),
    /// A node may have been empty for long enough.
    Empty(u64),
    /// One node is reclaimed alone.
    Reclaim(u64),
    /// A pod that found no place is tried again.
    Retry(u64),
    /// The look around each minute.
    Look,
}

/// Pods, nodes and the two programs that bring them together.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(super) pools: Vec<PoolState>,
    pub(super) delays: Delays,
    pub(super) seed: u64,
    pub(super) weather: Weather,
    /// Changes of the weather by time, as (pool, position of the zone in it, change), and how many are over.
    pub(super) sky: Vec<(usize, usize, Change)>,
    pub(super) seen: usize,
    pub(super) nodes: BTreeMap<u64, Node>,
    pub(super) pods: BTreeMap<u64, Pod>,
    /// Pods that are not on a node, by rank.
    pub(super) unbound: BTreeSet<(u64, u64)>,
    pub(super) spread: Spread,
    pub(super) swaps: BTreeMap<usize, Swap>,
    pub(super) lives: Vec<NodeLife>,
    pub(super) pulls: Vec<Pull>,
    pub(super) ordered: u64,
    pub(super) out: Vec<Happening>,
    pub(super) now: i64,
    /// Pods may find places that they did not find before.
    pub(super) dirty: bool,
    pub(super) look_at: Option<i64>,
    from: i64,
    requested: u64,
    events: BinaryHeap<Reverse<(i64, u64, Event)>>,
    pushed: u64,
}

impl Cluster {
    /// A cluster at its first second, with the nodes of `min_nodes` up.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let Setup { pools, weather, delays, seed, from } = setup;
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let mut sky = Vec::new();
        let mut states = Vec::with_capacity(pools.len());
        for (index, pool) in pools.into_iter().enumerate() {
            let mut zones = Vec::new();
            for (place, zone) in pool.zone_names().iter().enumerate() {
                let next = names.len();
                zones.push((*names.entry(zone.clone()).or_insert(next), UNLIMITED));
                sky.extend(weather.changes(&pool.name, zone).unwrap_or_default().iter().map(|change| (index, place, *change)));
            }
            states.push(PoolState { pool, zones, nodes: BTreeSet::new(), active: 0, node_s: 0, counted_to: from });
        }
        // Stable: changes of one zone at one second stay in their order.
        sky.sort_by_key(|(pool, place, change)| (change.at, *pool, *place));
        let seen = sky.partition_point(|(_, _, change)| change.at <= from);
        for (pool, place, change) in &sky[..seen] {
            states[*pool].zones[*place].1 = change.capacity;
        }
        let mut cluster = Self {
            pools: states,
            delays,
            seed,
            weather,
            sky,
            seen,
            nodes: BTreeMap::new(),
            pods: BTreeMap::new(),
            unbound: BTreeSet::new(),
            spread: Spread::default(),
            swaps: BTreeMap::new(),
            lives: Vec::new(),
            pulls: Vec::new(),
            ordered: 0,
            out: Vec::new(),
            now: from,
            dirty: false,
            look_at: None,
            from,
            requested: 0,
            events: BinaryHeap::new(),
            pushed: 0,
        };
        cluster.hold_minimum();
        cluster.settle();
        cluster
    }

    /// Second of the next thing that happens by itself; `None`: nothing will. What has happened and was not fetched counts as now.
    #[must_use]
    pub fn next_event(&self) -> Option<i64> {
        if self.out.is_empty() { self.upcoming() } else { Some(self.now) }
    }

    /// Lets everything happen up to and including a second.
    pub fn run_to(&mut self, now: i64) -> Vec<Happening> {
        self.advance(now);
        std::mem::take(&mut self.out)
    }

    /// A controller wants a pod. A number that is in use changes nothing.
    pub fn request_pod(&mut self, now: i64, request: PodRequest) {
        self.advance(now);
        let (id, now) = (request.pod, self.now);
        if self.pods.contains_key(&id) {
            return;
        }
        self.add_pod(request, PodState::Waiting(now));
        self.dirty = true;
        self.settle();
    }

    /// A controller deletes a pod: one that serves has its grace to end, any other is gone at once.
    pub fn delete_pod(&mut self, now: i64, pod: u64) {
        self.advance(now);
        let Some(known) = self.pods.get(&pod) else { return };
        if !known.leaving() {
            let grace_s = i64::from(known.request.grace_s);
            self.end_pod(pod, grace_s);
        }
        self.settle();
    }

    /// A pod has ended by itself, before its grace was over or with its work done.
    pub fn finish_pod(&mut self, now: i64, pod: u64) {
        self.advance(now);
        self.release(pod);
        self.settle();
    }

    /// Puts a pod down as ready at once, on a node that is up or on a new one that is up at once: how a replay starts in the middle of
    /// the week. Says nothing of it in [`Self::run_to`]. False: no pool can hold it; it then waits like any other.
    pub fn place_running(&mut self, now: i64, request: PodRequest) -> bool {
        self.advance(now);
        let pod = request.pod;
        if self.pods.contains_key(&pod) {
            return true;
        }
        let image = request.image;
        self.add_pod(request, PodState::Waiting(self.now));
        let node = self.choose_up(pod).or_else(|| self.order_for(pod, true));
        if let Some(node) = node {
            self.attach(pod, node, PodState::Ready(node));
            if let Some(node) = self.nodes.get_mut(&node) {
                node.images.insert(image, self.now);
            }
        }
        self.dirty = true;
        self.settle();
        node.is_some()
    }

    /// Where a pod is; `None` without a node.
    #[must_use]
    pub fn whereabouts(&self, pod: u64) -> Option<Whereabouts> {
        let node = self.pods.get(&pod)?.node()?;
        Some(Whereabouts { node, pool: self.nodes.get(&node)?.pool })
    }

    /// Nodes of a pool now.
    #[must_use]
    pub fn counts(&self, pool: usize) -> NodeCounts {
        let mut counts = NodeCounts::default();
        for node in self.pools.get(pool).into_iter().flat_map(|pool| &pool.nodes).filter_map(|id| self.nodes.get(id)) {
            match node.state {
                NodeState::Booting(_) => counts.booting += 1,
                NodeState::Up => counts.up += 1,
                NodeState::Leaving(_) => counts.leaving += 1,
            }
        }
        counts
    }

    /// Pools in their order.
    pub fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().map(|state| &state.pool)
    }

    /// Starts up to now, in the order of time.
    #[must_use]
    pub fn pulls(&self) -> &[Pull] {
        &self.pulls
    }

    /// The lives of all nodes up to now, in the order of orders.
    #[must_use]
    pub fn lives(&self) -> Vec<NodeLife> {
        let running = self.nodes.iter().map(|(id, node)| NodeLife { node: *id, pool: node.pool, from: node.ordered_at, to: self.now });
        let mut lives: Vec<NodeLife> = self.lives.iter().copied().chain(running).collect();
        lives.sort_by_key(|life| life.node);
        lives
    }

    /// Node-seconds of a pool, counted as time went by: equal to the sum of its [`Self::lives`].
    #[must_use]
    pub fn node_seconds(&self, pool: usize) -> i64 {
        self.pools.get(pool).map_or(0, |state| state.node_s + state.nodes.len() as i64 * (self.now - state.counted_to))
    }

    /// First second.
    #[must_use]
    pub const fn from(&self) -> i64 {
        self.from
    }

    pub(super) fn push(&mut self, at: i64, event: Event) {
        self.events.push(Reverse((at, self.pushed, event)));
        self.pushed += 1;
    }

    /// Finds places after a change, and sees to it that the minute's look happens if it has something to look at.
    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.dirty) {
            self.bind_unbound();
            self.nominate_due();
        }
        if self.look_at.is_none() && self.wants_look() {
            let at = (self.now.div_euclid(super::CHECK_S) + 1) * super::CHECK_S;
            self.look_at = Some(at);
            self.push(at, Event::Look);
        }
    }

    fn add_pod(&mut self, request: PodRequest, state: PodState) {
        let (id, rank) = (request.pod, self.requested);
        self.requested += 1;
        self.unbound.insert((rank, id));
        self.pods.insert(id, Pod { request, rank, state, told_pending: false, evicted_at: None });
    }

    fn upcoming(&self) -> Option<i64> {
        let event = self.events.peek().map(|Reverse((at, _, _))| *at);
        let sky = self.sky.get(self.seen).map(|(_, _, change)| change.at);
        event.into_iter().chain(sky).min().map(|at| at.max(self.now))
    }

    fn advance(&mut self, now: i64) {
        while let Some(at) = self.upcoming().filter(|at| *at <= now) {
            self.now = at;
            while let Some((pool, place, change)) = self.sky.get(self.seen).copied().filter(|(_, _, change)| change.at <= at) {
                self.seen += 1;
                self.weather_changes((pool, place), change);
            }
            while let Some(Reverse((due, _, event))) = self.events.peek().copied().filter(|Reverse((due, _, _))| *due <= at) {
                self.events.pop();
                self.fire(due, event);
            }
            self.settle();
        }
        self.now = self.now.max(now);
    }

    fn fire(&mut self, due: i64, event: Event) {
        let node_in = |id: u64, state: NodeState| self.nodes.get(&id).is_some_and(|node| node.state == state);
        let pod = |id: u64| self.pods.get(&id).map(|pod| pod.state);
        match event {
            Event::NodeUp(id) if node_in(id, NodeState::Booting(due)) => self.node_up(id),
            Event::PodUp(id) => {
                if let Some(PodState::Starting(node, ready_at)) = pod(id)
                    && ready_at == due
                {
                    self.set_state(id, PodState::Ready(node));
                    self.out.push(Happening::PodReady { pod: id, at: due });
                }
            }
            Event::PodOut(id) => {
                if matches!(pod(id), Some(PodState::Leaving(_, gone_at)) if gone_at == due) {
                    self.release(id);
                }
            }
            Event::NodeOut(id) if node_in(id, NodeState::Leaving(due)) => self.force_out(id),
            Event::Empty(id) => self.give_up_if_empty(id),
            Event::Reclaim(id) => self.reclaim(id),
            Event::Retry(id) => self.dirty |= matches!(pod(id), Some(PodState::Waiting(_))),
            Event::Look => self.look(),
            Event::NodeUp(_) | Event::NodeOut(_) => {}
        }
    }
}

impl Pool {
    /// Its zones; without any, its region as one.
    #[must_use]
    pub fn zone_names(&self) -> Vec<String> {
        if self.zones.is_empty() { vec![self.region.clone()] } else { self.zones.clone() }
    }
}
