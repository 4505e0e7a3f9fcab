//! A gang: progress only while all are ready, saved at intervals, lost with any worker.

use super::time::{NO_WORK_S, WorkerTime, up};
use super::{Checkpoint, JobSpec};
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Not all workers are ready.
    Gathering,
    /// So many seconds to progress.
    Restarting(f64),
    /// Progress.
    Working,
    /// So many seconds of a save are left.
    Saving(f64),
    /// All work was done at the second.
    Done(f64),
}

/// One run of a gang.
#[derive(Clone, Debug)]
pub(super) struct Gang {
    workers: u32,
    units_per_s: f64,
    checkpoint: Option<Checkpoint>,
    restart_s: f64,
    /// Seconds of work that are not saved and not being done; and those since the last save.
    left_s: f64,
    open_s: f64,
    phase: Phase,
    /// It worked before and lost a worker.
    interrupted: bool,
    ready: BTreeSet<u64>,
    at: f64,
    pub time: WorkerTime,
}

impl Gang {
    pub fn new(spec: &JobSpec, now: i64) -> Self {
        let mut time = WorkerTime::default();
        time.counted_to(now);
        Self {
            workers: spec.workers,
            units_per_s: spec.units_per_s,
            checkpoint: spec.checkpoint,
            restart_s: spec.restart_s,
            left_s: 0.0,
            open_s: 0.0,
            phase: Phase::Gathering,
            interrupted: false,
            ready: BTreeSet::new(),
            at: now as f64,
            time,
        }
    }

    /// Gives it work.
    pub fn begin(&mut self, units: f64) {
        self.left_s = units / self.units_per_s;
    }

    pub fn units_left(&self) -> f64 {
        if self.done().is_some() { 0.0 } else { (self.left_s - self.open_s).max(0.0) * self.units_per_s }
    }

    pub const fn done(&self) -> Option<f64> {
        match self.phase {
            Phase::Done(at) => Some(at),
            Phase::Gathering | Phase::Restarting(_) | Phase::Working | Phase::Saving(_) => None,
        }
    }

    /// First whole second at which all is done, if no worker is lost; `None` while it gathers.
    pub fn done_at(&self) -> Option<i64> {
        let mut second = self.at;
        match self.phase {
            Phase::Gathering => return None,
            Phase::Done(at) => return Some(up(at)),
            Phase::Restarting(left) | Phase::Saving(left) => second += left,
            Phase::Working => {}
        }
        let (mut left, open) = match self.phase {
            Phase::Saving(_) => (self.left_s - self.open_s, 0.0),
            Phase::Gathering | Phase::Restarting(_) | Phase::Working | Phase::Done(_) => (self.left_s - self.open_s, self.open_s),
        };
        left = left.max(0.0);
        if let Some(Checkpoint { interval_s, save_s }) = self.checkpoint.filter(|c| c.interval_s > 0.0) {
            // Saves that begin before the end; one that would begin at the end is not needed.
            let saves = ((open + left - NO_WORK_S) / interval_s).floor().max(0.0);
            second += saves * save_s;
        }
        Some(up(second + left))
    }

    pub fn ready(&mut self, pod: u64) {
        self.ready.insert(pod);
        if self.phase == Phase::Gathering && self.ready.len() >= self.workers as usize {
            self.phase = if self.interrupted && self.restart_s > 0.0 { Phase::Restarting(self.restart_s) } else { Phase::Working };
        }
    }

    pub fn lose(&mut self, pod: u64, now: i64) {
        self.time.ended(pod, now);
        self.ready.remove(&pod);
        match self.phase {
            Phase::Gathering | Phase::Done(_) => {}
            Phase::Restarting(_) | Phase::Working | Phase::Saving(_) => {
                self.time.lost_s += self.open_s * f64::from(self.workers);
                self.open_s = 0.0;
                self.interrupted = true;
                self.phase = Phase::Gathering;
            }
        }
    }

    pub fn advance(&mut self, now: i64) {
        let to = now as f64;
        while self.at < to {
            let span = self.step(to - self.at);
            self.at += span;
        }
        if self.phase == Phase::Working && self.left_s - self.open_s <= NO_WORK_S {
            self.phase = Phase::Done(self.at);
            self.keep();
        }
        self.time.counted_to(now);
    }

    /// One step of at most `most` seconds in one phase.
    fn step(&mut self, most: f64) -> f64 {
        let all = f64::from(self.workers);
        match self.phase {
            Phase::Gathering => {
                self.time.waiting_s += most * self.time.workers() as f64;
                most
            }
            Phase::Restarting(left) => {
                let span = left.min(most);
                self.time.overhead_s += span * all;
                self.phase = if left <= most { Phase::Working } else { Phase::Restarting(left - span) };
                span
            }
            Phase::Working => self.work(most),
            Phase::Saving(left) => {
                let span = left.min(most);
                self.time.overhead_s += span * all;
                self.phase = Phase::Saving(left - span);
                if left <= most {
                    self.keep();
                    self.phase = Phase::Working;
                }
                span
            }
            Phase::Done(_) => {
                self.time.overhead_s += most * self.time.workers() as f64;
                most
            }
        }
    }

    fn work(&mut self, most: f64) -> f64 {
        let left = (self.left_s - self.open_s).max(0.0);
        let to_save = self.checkpoint.filter(|c| c.interval_s > 0.0).map_or(f64::INFINITY, |c| (c.interval_s - self.open_s).max(0.0));
        let span = left.min(to_save).min(most);
        self.open_s += span;
        if left <= span + NO_WORK_S {
            self.phase = Phase::Done(self.at + span);
            self.keep();
        } else if to_save <= span {
            self.phase = Phase::Saving(self.checkpoint.map_or(0.0, |c| c.save_s));
        }
        span
    }

    /// The accounts with work that is not saved yet as useful.
    pub fn time_so_far(&self) -> WorkerTime {
        let mut time = self.time.clone();
        time.useful_s += self.open_s * f64::from(self.workers);
        time
    }

    /// Work since the last save counts from now on.
    fn keep(&mut self) {
        self.time.useful_s += self.open_s * f64::from(self.workers);
        self.left_s -= self.open_s;
        self.open_s = 0.0;
    }
}
