//! Jobs: runs of work that pods carry out, with checkpoints, restarts, gangs and deadlines.
//!
//! In: releases of work, the count of workers that a ScaledJob's autoscaler adds, and what happens to pods. Out: [`Order`]s for the
//! cluster, and what became of every run. It places no pods and decides no worker counts.
//!
//! **A CronJob's run** is one Job of `workers` pods from the moment that the schedule fires (`concurrencyPolicy: Forbid`): while the last
//! run works, the latest firing waits, and starts when that run ends if `startingDeadlineSeconds` are not over; earlier ones
//! are skipped (Kubernetes, `cronjob_controllerv2.go`: the most recent unmet schedule time counts). At `activeDeadlineSeconds` the Job
//! fails, its pods are deleted, its work stays undone.
//!
//! **A queue** holds the work of all releases in their order. Each worker is a Job of its own with an `activeDeadlineSeconds` of its
//! own; it takes work until none is left and ends.
//!
//! **A gang** makes progress only while all of its workers are ready. After each `interval_s` of work it saves for `save_s`; work
//! since the last save that ended is lost with any worker, and when all are ready again it takes `restart_s` to go on. Workers that
//! are left wait. **Independent workers** share one heap of work at `units_per_s / workers` each; what a lost one was at is small
//! against a run and counts as done (the plan's requeueing efficiency counts the start-up alone, too).
//!
//! A worker that is evicted ends on its SIGTERM and is made again at once: with a `podFailurePolicy` a Job replaces a pod only when it
//! has ended. No emergency checkpoint is written within the notice. A worker that has its work done ends by itself.
//!
//! **Accounts.** Every second of every worker, from its creation to its end, is useful (work that counted), lost (work done again),
//! overhead (saves, restarts, the rest of the second in which work ends) or waiting (pending, starting, for the gang); they add up
//! to wall time, which [`WorkerTime::balance`] holds against the sum over workers of end less creation.

mod gang;
mod heap;
mod time;

pub use time::{TimeImbalance, WorkerTime};

use super::cluster::Happening;
use gang::Gang;
use heap::Heap;
use std::collections::BTreeMap;

/// Saves of a gang's state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checkpoint {
    /// Seconds of work between saves.
    pub interval_s: f64,
    /// Seconds that a save takes; no work is done meanwhile.
    pub save_s: f64,
}

/// What starts work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A CronJob: each release is a run of its own.
    Cron {
        /// `startingDeadlineSeconds`.
        starting_deadline_s: Option<u32>,
    },
    /// A queue behind a ScaledJob.
    Queue,
}

/// A job as the emitted files and its profile describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    /// Workers of a run; of a queue, those that `units_per_s` was measured with.
    pub workers: u32,
    /// Workers need each other. A queue's never do.
    pub gang: bool,
    /// Units of work of one release.
    pub units: f64,
    /// Units a second of all workers together.
    pub units_per_s: f64,
    /// Saves; `None`: all work of a run is lost with a worker.
    pub checkpoint: Option<Checkpoint>,
    /// Seconds from a gang that is ready again to progress.
    pub restart_s: f64,
    /// `activeDeadlineSeconds` of its Jobs.
    pub active_deadline_s: Option<u32>,
    /// What starts it.
    pub source: Source,
    /// Number of its first pod; the following ones are its own.
    pub first_pod: u64,
}

/// What a job wants of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// A new worker pod.
    Create {
        /// Pod.
        pod: u64,
    },
    /// A worker has ended by itself.
    Finish {
        /// Pod.
        pod: u64,
    },
    /// A worker is to be deleted, with its grace.
    Delete {
        /// Pod.
        pod: u64,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RunEnd {
    /// Not yet.
    Open,
    /// All work was done at this second.
    Done(f64),
    /// `activeDeadlineSeconds` were over at this second.
    Failed(i64),
    /// It was never started.
    Skipped,
}

/// What became of one release.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunOutcome {
    /// Second at which the work was released.
    pub released_at: i64,
    /// Second at which it has to be done.
    pub deadline: i64,
    /// How it ended.
    pub end: RunEnd,
}

impl RunOutcome {
    /// Whether its deadline is missed for certain at `now`.
    #[must_use]
    pub fn missed(&self, now: i64) -> bool {
        match self.end {
            RunEnd::Open => now > self.deadline,
            RunEnd::Done(at) => at > self.deadline as f64,
            RunEnd::Failed(_) | RunEnd::Skipped => true,
        }
    }
}

/// A job and its runs.
#[derive(Clone, Debug)]
pub struct Job {
    spec: JobSpec,
    work: Work,
    /// One of each release, in their order.
    outcomes: Vec<RunOutcome>,
    /// Pods of its Jobs, with the second at which the Job of each fails.
    pods: BTreeMap<u64, Option<i64>>,
    /// CronJob: the release that works, and the latest that waits.
    active: Option<usize>,
    due: Option<usize>,
    next_pod: u64,
    orders: Vec<Order>,
    now: i64,
    /// Of runs that are over.
    past: WorkerTime,
}

#[derive(Clone, Debug)]
enum Work {
    Gang(Gang),
    Heap(Heap),
}

impl Job {
    /// A job without work.
    #[must_use]
    pub fn new(spec: JobSpec, now: i64) -> Self {
        let work = Self::work(&spec, now);
        let next_pod = spec.first_pod;
        Self {
            spec,
            work,
            outcomes: Vec::new(),
            pods: BTreeMap::new(),
            active: None,
            due: None,
            next_pod,
            orders: Vec::new(),
            now,
            past: WorkerTime::default(),
        }
    }

    fn work(spec: &JobSpec, now: i64) -> Work {
        if spec.gang && spec.source != Source::Queue { Work::Gang(Gang::new(spec, now)) } else { Work::Heap(Heap::new(spec, now)) }
    }

    /// The CronJob fires, or work comes into the queue; it has to be done by `deadline`.
    pub fn release(&mut self, now: i64, deadline: i64) {
        self.advance(now);
        self.outcomes.push(RunOutcome { released_at: now, deadline, end: RunEnd::Open });
        let index = self.outcomes.len() - 1;
        match self.spec.source {
            Source::Queue => {
                if let Work::Heap(heap) = &mut self.work {
                    heap.add(index, self.spec.units);
                }
            }
            Source::Cron { .. } => {
                if let Some(before) = self.due.replace(index) {
                    self.outcomes[before].end = RunEnd::Skipped;
                }
                self.start_due(now);
            }
        }
        self.advance(now);
    }

    /// The ScaledJob's autoscaler makes so many Jobs. CronJobs make their own.
    pub fn add_workers(&mut self, now: i64, count: u32) {
        self.advance(now);
        if self.spec.source == Source::Queue {
            let fails_at = self.fails_at(now);
            (0..count).for_each(|_| self.create(fails_at));
            self.advance(now);
        }
    }

    /// What happened to a pod; pods that are not its own are passed over.
    pub fn on(&mut self, happening: &Happening) {
        match *happening {
            Happening::PodReady { pod, at } => {
                self.advance(at);
                if self.pods.contains_key(&pod) {
                    self.worker_ready(pod);
                }
            }
            Happening::PodEvicted { pod, at, .. } | Happening::PodGone { pod, at } => {
                self.advance(at);
                // One that was told to end is not there any more.
                if let Some(fails_at) = self.pods.remove(&pod) {
                    self.worker_out(pod);
                    self.orders.push(Order::Finish { pod });
                    self.create(fails_at);
                }
            }
            Happening::PodPending { .. } => {}
        }
    }

    /// Second at which work ends or a Job fails, if nothing else happens.
    #[must_use]
    pub fn next_event(&self) -> Option<i64> {
        if self.orders.is_empty() { self.due_at() } else { Some(self.now) }
    }

    /// Lets work go on up to a second; what the job wants of the cluster since the last call.
    pub fn run_to(&mut self, now: i64) -> Vec<Order> {
        self.advance(now);
        std::mem::take(&mut self.orders)
    }

    /// Units of work that wait or are being done.
    #[must_use]
    pub fn units_left(&self) -> f64 {
        match &self.work {
            Work::Gang(gang) => gang.units_left(),
            Work::Heap(heap) => heap.units_left(),
        }
    }

    /// Jobs that are not over: of a queue, its workers; of a CronJob, its run.
    #[must_use]
    pub fn unfinished(&self) -> u32 {
        match self.spec.source {
            Source::Queue => self.pods.len() as u32,
            Source::Cron { .. } => u32::from(self.active.is_some()),
        }
    }

    /// What became of each release, in their order.
    #[must_use]
    pub fn outcomes(&self) -> &[RunOutcome] {
        &self.outcomes
    }

    /// Where the workers' time went, up to the last call. Work that is not saved yet counts as useful until it is lost.
    #[must_use]
    pub fn time(&self) -> WorkerTime {
        match &self.work {
            Work::Gang(gang) => self.past.plus(&gang.time_so_far()),
            Work::Heap(heap) => self.past.plus(&heap.time),
        }
    }

    const fn time_mut(&mut self) -> &mut WorkerTime {
        match &mut self.work {
            Work::Gang(gang) => &mut gang.time,
            Work::Heap(heap) => &mut heap.time,
        }
    }

    fn fails_at(&self, now: i64) -> Option<i64> {
        self.spec.active_deadline_s.map(|s| now + i64::from(s))
    }

    fn create(&mut self, fails_at: Option<i64>) {
        let pod = self.next_pod;
        self.next_pod += 1;
        self.pods.insert(pod, fails_at);
        let now = self.now;
        self.time_mut().created(pod, now);
        self.orders.push(Order::Create { pod });
    }

    fn worker_ready(&mut self, pod: u64) {
        match &mut self.work {
            Work::Gang(gang) => gang.ready(pod),
            Work::Heap(heap) => heap.ready(pod),
        }
    }

    /// A worker does nothing from now on.
    fn worker_out(&mut self, pod: u64) {
        match &mut self.work {
            Work::Gang(gang) => gang.lose(pod, self.now),
            Work::Heap(heap) => heap.lose(pod, self.now),
        }
    }

    fn advance(&mut self, now: i64) {
        while let Some(at) = self.due_at().filter(|at| *at <= now) {
            self.work_to(at);
            self.end_if_done(at);
            self.fail_at(at);
        }
        self.work_to(now);
    }

    /// The next second at which something has to be done here; orders that wait for their caller do not count.
    fn due_at(&self) -> Option<i64> {
        let done = match &self.work {
            Work::Gang(gang) => gang.done_at(),
            Work::Heap(heap) => heap.empty_at(),
        };
        let fails = self.pods.values().filter_map(|at| *at).min();
        done.into_iter().chain(fails).min().map(|at| at.max(self.now))
    }

    fn work_to(&mut self, at: i64) {
        self.now = self.now.max(at);
        match &mut self.work {
            Work::Gang(gang) => gang.advance(self.now),
            Work::Heap(heap) => {
                for (index, second) in heap.advance(self.now) {
                    self.outcomes[index].end = RunEnd::Done(second);
                }
            }
        }
    }

    /// Workers that are ready and have no work left end.
    fn end_if_done(&mut self, at: i64) {
        let ending: Vec<u64> = match &self.work {
            Work::Gang(gang) => {
                if let (Some(active), Some(second)) = (self.active, gang.done()) {
                    self.outcomes[active].end = RunEnd::Done(second);
                    self.pods.keys().copied().collect()
                } else {
                    Vec::new()
                }
            }
            Work::Heap(heap) => heap.idle(),
        };
        for pod in ending {
            self.pods.remove(&pod);
            self.worker_out(pod);
            self.orders.push(Order::Finish { pod });
        }
        self.close_if_over(at);
    }

    /// Jobs fail whose time is over.
    fn fail_at(&mut self, at: i64) {
        let late: Vec<u64> = self.pods.iter().filter(|(_, fails)| fails.is_some_and(|fails| fails <= at)).map(|(pod, _)| *pod).collect();
        for pod in &late {
            self.pods.remove(pod);
            self.worker_out(*pod);
            self.orders.push(Order::Delete { pod: *pod });
        }
        if late.is_empty() {
            return;
        }
        if let Some(run) = self.active.and_then(|active| self.outcomes.get_mut(active)).filter(|run| run.end == RunEnd::Open) {
            run.end = RunEnd::Failed(at);
            self.time_mut().forfeit();
        }
        self.close_if_over(at);
    }

    /// A CronJob's run is over once its last pod has ended; the one that waits may start.
    fn close_if_over(&mut self, at: i64) {
        if self.active.is_some() && self.pods.is_empty() {
            self.past = self.time();
            self.work = Self::work(&self.spec, at);
            self.active = None;
            self.start_due(at);
        }
    }

    fn start_due(&mut self, at: i64) {
        let Source::Cron { starting_deadline_s } = self.spec.source else { return };
        if self.active.is_some() {
            return;
        }
        let Some(due) = self.due.take() else { return };
        if starting_deadline_s.is_some_and(|s| self.outcomes[due].released_at + i64::from(s) < at) {
            self.outcomes[due].end = RunEnd::Skipped;
            return;
        }
        self.active = Some(due);
        match &mut self.work {
            Work::Gang(gang) => gang.begin(self.spec.units),
            Work::Heap(heap) => heap.add(due, self.spec.units),
        }
        let fails_at = self.fails_at(at);
        (0..self.spec.workers).for_each(|_| self.create(fails_at));
    }
}

#[cfg(test)]
mod tests;
