//! The controller of one Deployment: pods that are wanted, pods that are there.

use crate::simulate::autoscaler::Counts;
use crate::simulate::cluster::{Budget, Cluster, PodRequest};
use crate::simulate::fleet::{PodTemplate, ServiceSetup};
use std::collections::BTreeMap;

/// Bits of a pod's number: workload, Deployment, running number.
const WORKLOAD_SHIFT: u32 = 40;
const PART_SHIFT: u32 = 32;
/// Set for pods of jobs.
const JOB_BIT: u64 = 1 << 62;

/// Whose pod it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Service at this position.
    Service(usize),
    /// Job at this position.
    Job(usize),
}

/// Owner of a pod.
#[must_use]
pub fn owner(pod: u64) -> Owner {
    let index = ((pod & !JOB_BIT) >> WORKLOAD_SHIFT) as usize;
    if pod & JOB_BIT == 0 { Owner::Service(index) } else { Owner::Job(index) }
}

/// First number of the pods of a job's CronJob or queue.
#[must_use]
pub const fn first_job_pod(index: usize, track: usize) -> u64 {
    JOB_BIT | (index as u64) << WORKLOAD_SHIFT | (track as u64) << PART_SHIFT
}

/// Position of the Deployment of a service's pod.
#[must_use]
pub const fn part_of(pod: u64) -> usize {
    ((pod >> PART_SHIFT) & 0xff) as usize
}

/// A Deployment.
#[derive(Clone, Debug)]
pub struct Controller {
    first_pod: u64,
    made: u64,
    group: u32,
    image: u32,
    template: PodTemplate,
    start_up: crate::simulate::cluster::StartUp,
    /// `spec.replicas`.
    pub wanted: u32,
    /// Pods that do not end, with whether each is ready.
    pods: BTreeMap<u64, bool>,
}

impl Controller {
    /// A Deployment of a service without pods.
    #[must_use]
    pub fn new(setup: &ServiceSetup, (service, part): (usize, usize), wanted: u32) -> Self {
        Self {
            first_pod: (service as u64) << WORKLOAD_SHIFT | (part as u64) << PART_SHIFT,
            made: 0,
            group: (service * 16 + part) as u32,
            image: service as u32,
            template: setup.parts[part].pod.clone(),
            start_up: setup.start_up,
            wanted,
            pods: BTreeMap::new(),
        }
    }

    /// Counts as an autoscaler sees them.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { spec: self.wanted, status: self.pods.len() as u32, ready: self.ready() }
    }

    /// Pods that serve.
    #[must_use]
    pub fn ready(&self) -> u32 {
        self.pods.values().filter(|ready| **ready).count() as u32
    }

    /// Puts the wanted pods down as running; those that found a place.
    pub fn begin(&mut self, now: i64, cluster: &mut Cluster) -> Vec<u64> {
        let mut running = Vec::new();
        while (self.pods.len() as u32) < self.wanted {
            let request = self.request();
            let pod = request.pod;
            let placed = cluster.place_running(now, request);
            self.pods.insert(pod, placed);
            if placed {
                running.push(pod);
            }
        }
        running
    }

    /// Makes what is missing and takes away what is too much: pods that do not serve yet first, then the youngest. The ones taken away.
    pub fn reconcile(&mut self, now: i64, cluster: &mut Cluster) -> Vec<u64> {
        while (self.pods.len() as u32) < self.wanted {
            let request = self.request();
            self.pods.insert(request.pod, false);
            cluster.request_pod(now, request);
        }
        let mut gone = Vec::new();
        while self.pods.len() as u32 > self.wanted {
            let last = self.pods.iter().map(|(pod, ready)| (!ready, *pod)).max();
            let Some((_, pod)) = last else { break };
            self.pods.remove(&pod);
            cluster.delete_pod(now, pod);
            gone.push(pod);
        }
        gone
    }

    /// A pod serves. False: it is not wanted any more.
    pub fn became_ready(&mut self, pod: u64) -> bool {
        self.pods.get_mut(&pod).map(|ready| *ready = true).is_some()
    }

    /// A pod is on its way out. True: it was one of ours, and another one is needed.
    pub fn lost(&mut self, pod: u64) -> bool {
        self.pods.remove(&pod).is_some()
    }

    /// Seconds that a pod may take to end.
    #[must_use]
    pub const fn grace_s(&self) -> u32 {
        self.template.grace_s
    }

    fn request(&mut self) -> PodRequest {
        let pod = self.first_pod + self.made;
        self.made += 1;
        PodRequest {
            pod,
            group: self.group,
            pools: self.template.pools.clone(),
            ask: self.template.ask,
            grace_s: self.template.grace_s,
            zones_spread: self.template.zones_spread,
            image: self.image,
            start_up: self.start_up,
            do_not_disrupt: self.template.do_not_disrupt,
            budget: self.template.max_unavailable.map(|max_unavailable| Budget { key: self.image, max_unavailable }),
        }
    }
}
