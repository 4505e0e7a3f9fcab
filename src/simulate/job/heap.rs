//! Independent work: every worker that is ready takes from one heap, oldest release first.

use super::JobSpec;
use super::time::{NO_WORK_S, WorkerTime, up};
use std::collections::{BTreeSet, VecDeque};

/// Work that waits, and the workers that take from it.
#[derive(Clone, Debug)]
pub(super) struct Heap {
    /// Units a second of one worker.
    rate: f64,
    /// Releases with their units left.
    batches: VecDeque<(usize, f64)>,
    ready: BTreeSet<u64>,
    at: i64,
    pub time: WorkerTime,
}

/// Units below which a batch is done: what rounding leaves.
const DUST: f64 = 1e-9;

impl Heap {
    pub fn new(spec: &JobSpec, now: i64) -> Self {
        let mut time = WorkerTime::default();
        time.counted_to(now);
        Self { rate: spec.units_per_s / f64::from(spec.workers.max(1)), batches: VecDeque::new(), ready: BTreeSet::new(), at: now, time }
    }

    pub fn add(&mut self, release: usize, units: f64) {
        self.batches.push_back((release, units));
    }

    /// Workers that are ready and find no work.
    pub fn idle(&self) -> Vec<u64> {
        if self.batches.is_empty() { self.ready.iter().copied().collect() } else { Vec::new() }
    }

    pub fn units_left(&self) -> f64 {
        self.batches.iter().map(|(_, units)| units).sum()
    }

    /// First whole second at which no work is left for workers that are ready; `None` without any.
    pub fn empty_at(&self) -> Option<i64> {
        let rate = self.rate * self.ready.len() as f64;
        (rate > 0.0).then(|| up(self.at as f64 + self.units_left() / rate))
    }

    pub fn ready(&mut self, pod: u64) {
        self.ready.insert(pod);
    }

    pub fn lose(&mut self, pod: u64, now: i64) {
        self.time.ended(pod, now);
        self.ready.remove(&pod);
    }

    /// Works up to a second; releases that were finished, and when.
    pub fn advance(&mut self, now: i64) -> Vec<(usize, f64)> {
        let mut finished = Vec::new();
        let (workers, all) = (self.ready.len() as f64, self.time.workers() as f64);
        let rate = self.rate * workers;
        let span = (now - self.at) as f64;
        let mut left = span;
        while let Some((release, units)) = self.batches.front_mut() {
            let needed = if rate > 0.0 { *units / rate } else { f64::INFINITY };
            if needed <= left + NO_WORK_S {
                left = (left - needed).max(0.0);
                finished.push((*release, now as f64 - left));
                self.batches.pop_front();
            } else {
                *units = (*units - left * rate).max(DUST);
                left = 0.0;
                break;
            }
        }
        self.time.useful_s += (span - left) * workers;
        self.time.overhead_s += left * workers;
        self.time.waiting_s += span * (all - workers);
        self.at = now;
        self.time.counted_to(now);
        finished
    }
}
