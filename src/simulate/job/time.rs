//! Where the time of workers goes.

use std::collections::BTreeMap;

/// Share of wall time by which accounts may differ from it: sums of up to millions of terms in `f64`, whose relative rounding is 1e-16
/// each.
const TOLERANCE: f64 = 1e-9;

/// Seconds that may be rounding: far below what any duration is known to.
pub(super) const ROUNDING_S: f64 = 1e-6;

/// Seconds of work that count as none. Wider than [`ROUNDING_S`], so that at the second that [`up`] names all work is done.
pub(super) const NO_WORK_S: f64 = 2e-6;

/// Worker-seconds by what they were for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerTime {
    /// Work that counted.
    pub useful_s: f64,
    /// Work that was lost with a worker, or with its run, and is to be done again.
    pub lost_s: f64,
    /// Saves, restarts, the rest of the last second.
    pub overhead_s: f64,
    /// Pending, starting, waiting for the gang or for work.
    pub waiting_s: f64,
    /// End less creation of workers that have ended, whole seconds.
    ended_s: i64,
    /// Creation of those that have not.
    running: BTreeMap<u64, i64>,
    /// Second up to which it is counted.
    to: i64,
}

/// The accounts do not add up: a fault of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{wall_s} worker-seconds by creation and end, {counted_s} by what they were for")]
pub struct TimeImbalance {
    /// By creation and end.
    pub wall_s: f64,
    /// By what they were for.
    pub counted_s: f64,
}

impl WorkerTime {
    /// Worker-seconds from creation to end, those of running workers up to now.
    #[must_use]
    pub fn wall_s(&self) -> f64 {
        let running: i64 = self.running.values().map(|from| self.to - from).sum();
        (self.ended_s + running) as f64
    }

    /// Useful, lost, overhead and waiting are wall time.
    ///
    /// # Errors
    /// When they are not: a fault of the simulation.
    pub fn balance(&self) -> Result<(), TimeImbalance> {
        let counted_s = self.useful_s + self.lost_s + self.overhead_s + self.waiting_s;
        let wall_s = self.wall_s();
        if (counted_s - wall_s).abs() > TOLERANCE * wall_s.max(1.0) { Err(TimeImbalance { wall_s, counted_s }) } else { Ok(()) }
    }

    /// Both together, up to the later of both.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let Self { useful_s, lost_s, overhead_s, waiting_s, ended_s, running, to } = other;
        let mut sum = self.clone();
        sum.useful_s += useful_s;
        sum.lost_s += lost_s;
        sum.overhead_s += overhead_s;
        sum.waiting_s += waiting_s;
        sum.ended_s += ended_s;
        sum.running.extend(running);
        sum.to = sum.to.max(*to);
        sum
    }

    pub(super) fn created(&mut self, pod: u64, at: i64) {
        self.running.insert(pod, at);
    }

    pub(super) fn ended(&mut self, pod: u64, at: i64) {
        if let Some(from) = self.running.remove(&pod) {
            self.ended_s += at - from;
        }
    }

    /// All of the work is to be done again.
    pub(super) fn forfeit(&mut self) {
        self.lost_s += std::mem::take(&mut self.useful_s);
    }

    /// Workers that have not ended.
    pub(super) fn workers(&self) -> usize {
        self.running.len()
    }

    pub(super) const fn counted_to(&mut self, to: i64) {
        self.to = to;
    }
}

/// The first whole second at which something that happens at `second` is over.
pub(super) fn up(second: f64) -> i64 {
    (second - ROUNDING_S).ceil() as i64
}
