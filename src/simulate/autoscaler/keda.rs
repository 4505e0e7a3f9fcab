//! The loop of KEDA's operator for one ScaledObject: between zero, idle and the first replica. Everything above is the HPA's.
//!
//! Source: KEDA `pkg/scaling/executor/scale_scaledobjects.go`, `RequestScale`, `scaleFromZeroOrIdle`, `scaleToZeroOrIdle`.
//!
//! Cooldowns end *at* their second, not after it. KEDA compares `lastActiveTime + cooldownPeriod` with the clock by a strict
//! "before", but the first is cut to whole seconds when it is stored and the second is not, so that a poll at the very second of
//! the end is practically always late enough.

use crate::emit::parse::types::ScaledObject;

/// What a poll found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Seconds since the anchor.
    pub now: i64,
    /// `spec.replicas` of the target.
    pub replicas: u32,
    /// Some trigger is active.
    pub active: bool,
    /// Some trigger failed and has no fallback yet.
    pub failed: bool,
}

/// The operator's state for one ScaledObject.
#[derive(Clone, Debug)]
pub struct Operator {
    min_replicas: u32,
    idle_replicas: Option<u32>,
    cooldown_s: i64,
    /// `creationTimestamp + initialCooldownPeriod`.
    initial_cooldown_end: i64,
    /// `fallback.replicas`.
    fallback_replicas: Option<u32>,
    last_active: Option<i64>,
}

impl Operator {
    /// An operator that has not polled yet. `created_at` is the ScaledObject's creation, seconds since the anchor.
    #[must_use]
    pub fn new(object: &ScaledObject, created_at: i64) -> Self {
        Self {
            min_replicas: object.min_replicas,
            idle_replicas: object.idle_replicas,
            cooldown_s: i64::from(object.cooldown_s),
            initial_cooldown_end: created_at + i64::from(object.initial_cooldown_s),
            fallback_replicas: object.fallback.map(|fallback| fallback.replicas),
            last_active: None,
        }
    }

    /// The count that this poll sets; `None`: it leaves the count alone.
    pub fn request_scale(&mut self, poll: Poll) -> Option<u32> {
        if poll.active { self.active(poll) } else { self.inactive(poll) }
    }

    fn active(&mut self, poll: Poll) -> Option<u32> {
        if poll.replicas == 0 || (self.idle_replicas.is_some() && poll.replicas < self.min_replicas) {
            self.last_active = Some(poll.now);
            return Some(self.min_replicas.max(1));
        }
        // With a failing trigger beside the active one the time stays as it is.
        if !poll.failed {
            self.last_active = Some(poll.now);
        }
        None
    }

    fn inactive(&self, poll: Poll) -> Option<u32> {
        if poll.failed && self.fallback_replicas != Some(0) {
            return None;
        }
        let above_idle = self.idle_replicas.is_some_and(|idle| poll.replicas > idle);
        if above_idle || (poll.replicas > 0 && self.min_replicas == 0) {
            // A target that KEDA has never seen active is scaled down without a cooldown.
            let cold_at = self.last_active.map_or(self.initial_cooldown_end, |active| active + self.cooldown_s);
            return (poll.now >= cold_at).then_some(self.idle_replicas.unwrap_or(self.min_replicas));
        }
        (self.idle_replicas.is_none() && poll.replicas < self.min_replicas).then_some(self.min_replicas)
    }
}
