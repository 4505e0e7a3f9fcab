//! KEDA's loop for one ScaledJob: how many Jobs a poll creates. Nothing ever removes one.
//!
//! Source: KEDA `pkg/scaling/executor/scale_jobs.go` (`RequestJobScale`, `getScalingDecision`, `createJobs`, the default
//! strategy), `pkg/scaling/scaledjob/metrics.go` (`CalculateQueueLengthAndMaxValue`, `IsScaledJobActive` with `max`),
//! `controllers/keda/scaledjob_controller.go` (`checkIfPaused`: pausing stops the loop, releasing starts a new one, which polls at
//! once).

use super::scaler::following;
use super::trigger::{Reading, TriggerError, TriggerState};
use crate::emit::parse::types::ScaledJob;

/// The autoscaler of one ScaledJob.
#[derive(Clone, Debug)]
pub struct ScaledJobScaler {
    triggers: Vec<TriggerState>,
    min_jobs: i64,
    max_jobs: i64,
    /// Unix time of the anchor.
    anchor: i64,
    polling_interval_s: i64,
    next_poll: i64,
    paused: bool,
}

impl ScaledJobScaler {
    /// The autoscaler of a ScaledJob that is created at `created_at`, in seconds since the anchor; `anchor` is that in seconds
    /// since 1970-01-01 00:00 UTC. Errors where KEDA would refuse a trigger or a replay cannot evaluate it.
    pub fn new(job: &ScaledJob, created_at: i64, anchor: i64) -> Result<Self, TriggerError> {
        Ok(Self {
            triggers: TriggerState::all(&job.triggers)?,
            min_jobs: i64::from(job.min_replicas),
            max_jobs: i64::from(job.max_replicas),
            anchor,
            polling_interval_s: i64::from(job.polling_interval_s.max(1)),
            next_poll: created_at,
            paused: job.paused,
        })
    }

    /// When [`Self::tick`] has something to do next, in seconds since the anchor; never, while paused.
    #[must_use]
    pub fn next_at(&self) -> i64 {
        if self.paused { i64::MAX } else { self.next_poll }
    }

    /// Sets or removes the annotation that pauses, as a gate does.
    pub fn set_paused(&mut self, now: i64, paused: bool) {
        if self.paused && !paused {
            self.next_poll = now;
        }
        self.paused = paused;
    }

    /// Does what is due and returns how many Jobs are created. `unfinished` counts the Jobs that are neither complete nor failed,
    /// pending ones too; `read` answers for a trigger by its position in the file.
    pub fn tick(&mut self, now: i64, unfinished: u32, read: &mut dyn FnMut(usize) -> Reading) -> u32 {
        if self.paused || now < self.next_poll {
            return 0;
        }
        self.next_poll = following(self.next_poll, self.polling_interval_s, now);
        // Of the active triggers the one with the longest queue, whatever its target.
        let (mut queue, mut most) = (0.0_f64, 0.0_f64);
        let mut active = self.min_jobs > 0;
        for (i, trigger) in self.triggers.iter_mut().enumerate() {
            let polled = trigger.value(self.anchor + now, &mut || read(i));
            let length = polled.metric.map_or(0.0, |milli| milli as f64 / 1000.0);
            if polled.active && length > queue {
                active = true;
                (queue, most) = (length, length / (trigger.target_milli() as f64 / 1000.0));
            }
        }
        if !active {
            return 0;
        }
        let running = i64::from(unfinished);
        let created = if running < self.min_jobs {
            self.min_jobs - running
        } else {
            let room = (most.ceil() as i64).min(self.max_jobs) - (running - self.min_jobs);
            room.min(queue.ceil() as i64)
        };
        u32::try_from(created).unwrap_or(0)
    }
}
