//! One ScaledObject: KEDA's loop and the HPA side by side.
//!
//! The loop polls when the ScaledObject is created and every `pollingInterval` from then on (`scale_handler.go`,
//! `startScaleLoop`). The HPA syncs 15 s after its creation and every 15 s from then on (`rate_limiters.go`: every request is
//! delayed by the sync period). Where both fall on one second the HPA goes first, so that the step from zero that a poll makes is
//! seen one sync later: in a cluster the two have no common phase, and this is the slower case.

use super::Counts;
use super::hpa::{Hpa, Metric, SYNC_PERIOD_S};
use super::keda::{Operator, Poll};
use super::trigger::{Moment, Reading, TriggerError, TriggerState};
use crate::emit::parse::types::{Fallback, ScaledObject};

/// The autoscaler of one Deployment.
#[derive(Clone, Debug)]
pub struct Scaler {
    triggers: Vec<TriggerState>,
    fallback: Option<Fallback>,
    operator: Operator,
    hpa: Hpa,
    /// Unix time of the anchor.
    anchor: i64,
    polling_interval_s: i64,
    next_poll: i64,
    next_sync: i64,
    paused: bool,
}

impl Scaler {
    /// The autoscaler of a ScaledObject that is created at `created_at`, in seconds since the anchor; `anchor` is that in seconds
    /// since 1970-01-01 00:00 UTC, for the zones of cron triggers. Errors where KEDA would refuse a trigger or a replay cannot
    /// evaluate it.
    pub fn new(object: &ScaledObject, created_at: i64, anchor: i64) -> Result<Self, TriggerError> {
        Ok(Self {
            triggers: TriggerState::all(&object.triggers)?,
            fallback: object.fallback,
            operator: Operator::new(object, created_at),
            hpa: Hpa::new(object),
            anchor,
            polling_interval_s: i64::from(object.polling_interval_s.max(1)),
            next_poll: created_at,
            next_sync: created_at + SYNC_PERIOD_S,
            paused: object.paused,
        })
    }

    /// When [`Self::tick`] has something to do next, in seconds since the anchor; never, while paused.
    #[must_use]
    pub fn next_at(&self) -> i64 {
        if self.paused { i64::MAX } else { self.next_poll.min(self.next_sync) }
    }

    /// Does what is due and returns the new `spec.replicas` where it changes. `read` answers for a trigger by its position in the
    /// file; it is never asked for cron triggers.
    pub fn tick(&mut self, now: i64, counts: Counts, read: &mut dyn FnMut(usize) -> Reading) -> Option<u32> {
        if self.paused {
            return None;
        }
        let moment = Moment { unix: self.anchor + now, ready: counts.ready, fallback: self.fallback };
        let mut spec = counts.spec;
        if now >= self.next_sync {
            self.next_sync = following(self.next_sync, SYNC_PERIOD_S, now);
            let triggers = &mut self.triggers;
            let mut metrics = || triggers.iter_mut().enumerate().map(|(i, trigger)| metric(trigger, &moment, &mut || read(i))).collect();
            spec = self.hpa.sync(now, counts, &mut metrics).unwrap_or(spec);
        }
        if now >= self.next_poll {
            self.next_poll = following(self.next_poll, self.polling_interval_s, now);
            let mut poll = Poll { now, replicas: spec, active: false, failed: false };
            for (i, trigger) in self.triggers.iter_mut().enumerate() {
                let polled = trigger.poll(&moment, &mut || read(i));
                poll.active |= polled.active;
                poll.failed |= polled.metric.is_err();
            }
            spec = self.operator.request_scale(poll).unwrap_or(spec);
        }
        (spec != counts.spec).then_some(spec)
    }
}

fn metric(trigger: &mut TriggerState, moment: &Moment, read: &mut dyn FnMut() -> Reading) -> Metric {
    let usage_milli = trigger.request(moment, read);
    Metric { metric_type: trigger.metric_type(), target_milli: trigger.target_milli(), usage_milli }
}

/// The first time after `now` on the grid of `due`.
pub(super) fn following(due: i64, period_s: i64, now: i64) -> i64 {
    due + ((now - due).div_euclid(period_s) + 1) * period_s
}
