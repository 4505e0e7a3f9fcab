//! The HorizontalPodAutoscaler that KEDA makes of a ScaledObject, one sync at a time.
//!
//! Source: Kubernetes `pkg/controller/podautoscaler/horizontal.go` (`reconcileAutoscaler`, `computeReplicasForMetrics`,
//! `stabilizeRecommendationWithBehaviors`, `convertDesiredReplicasWithBehaviorRate`, `calculateScale{Up,Down}Limit...`) and
//! `replica_calculator.go` (`GetExternalPerPodMetricReplicas`, `GetExternalMetricReplicas`, `Tolerances.isWithin`); KEDA
//! `controllers/keda/hpa.go` for the limits.
//!
//! Events and recommendations count while they are younger than their window: one of exactly that age does not, which on a 15 s
//! grid is what the controller's small delays lead to.

use super::Counts;
use super::trigger::Failed;
use crate::emit::parse::types::{Behavior, MetricType, PolicyUnit, ScaledObject, ScalingRules, SelectPolicy};
use std::collections::VecDeque;

/// `--horizontal-pod-autoscaler-sync-period`, default.
pub const SYNC_PERIOD_S: i64 = 15;

/// A metric at a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// `AverageValue` or `Value`.
    pub metric_type: MetricType,
    /// Target in thousandths, above 0.
    pub target_milli: i64,
    /// Value in thousandths.
    pub usage_milli: Result<i64, Failed>,
}

/// A time with a count: a recommendation, or a change.
#[derive(Clone, Copy, Debug)]
struct Dated {
    at: i64,
    replicas: i64,
}

/// The HPA's state.
#[derive(Clone, Debug)]
pub struct Hpa {
    min: i64,
    max: i64,
    behavior: Behavior,
    /// Recommendations before stabilization; `None` before the first sync.
    recommendations: Option<VecDeque<Dated>>,
    added: VecDeque<Dated>,
    removed: VecDeque<Dated>,
}

impl Hpa {
    /// The HPA of a ScaledObject before its first sync.
    #[must_use]
    pub fn new(object: &ScaledObject) -> Self {
        Self {
            min: i64::from(object.min_replicas.max(1)),
            max: i64::from(object.max_replicas),
            behavior: object.behavior.clone(),
            recommendations: None,
            added: VecDeque::new(),
            removed: VecDeque::new(),
        }
    }

    /// The count that this sync sets; `None`: it leaves the count alone. `now` is in seconds since the anchor and never decreases.
    /// The metrics are read only where they matter: not at zero replicas, where the HPA is disabled.
    pub fn sync(&mut self, now: i64, counts: Counts, metrics: &mut dyn FnMut() -> Vec<Metric>) -> Option<u32> {
        let spec = i64::from(counts.spec);
        self.recommendations.get_or_insert_with(|| VecDeque::from([Dated { at: now, replicas: spec }]));
        let desired = if spec == 0 {
            return None;
        } else if spec > self.max {
            self.max
        } else if spec < self.min {
            self.min
        } else {
            let wanted = self.wanted(counts, &metrics())?;
            let stabilized = self.stabilized(now, spec, wanted);
            self.limited(now, spec, stabilized)
        };
        if desired == spec {
            return None;
        }
        self.record(now, spec, desired);
        u32::try_from(desired).ok()
    }

    /// The largest proposal. `None` where no metric could be read, or where one could not and the others would scale down.
    fn wanted(&self, counts: Counts, metrics: &[Metric]) -> Option<i64> {
        let proposals = metrics.iter().map(|metric| self.proposal(counts, metric));
        let largest = proposals.clone().filter_map(Result::ok).max()?;
        let failed = proposals.into_iter().any(|proposal| proposal.is_err());
        if failed && largest < i64::from(counts.spec) { None } else { Some(largest) }
    }

    fn proposal(&self, counts: Counts, metric: &Metric) -> Result<i64, Failed> {
        let (usage, target) = (metric.usage_milli? as f64, metric.target_milli as f64);
        match metric.metric_type {
            MetricType::AverageValue => {
                let within = self.tolerates(usage / (target * f64::from(counts.status)));
                Ok(if within { i64::from(counts.status) } else { (usage / target).ceil() as i64 })
            }
            MetricType::Value => {
                let ratio = usage / target;
                if self.tolerates(ratio) {
                    return Ok(i64::from(counts.spec));
                }
                if counts.status == 0 {
                    // "no pods returned by selector"
                    return Err(Failed);
                }
                Ok((ratio * f64::from(counts.ready)).ceil() as i64)
            }
        }
    }

    fn tolerates(&self, ratio: f64) -> bool {
        (1.0 - self.behavior.down.tolerance..=1.0 + self.behavior.up.tolerance).contains(&ratio)
    }

    /// The present count moved into the band of the recommendations of the two windows; records the new one.
    fn stabilized(&mut self, now: i64, spec: i64, wanted: i64) -> i64 {
        let (up_s, down_s) = (i64::from(self.behavior.up.stabilization_s), i64::from(self.behavior.down.stabilization_s));
        let recommendations = self.recommendations.get_or_insert_default();
        while recommendations.front().is_some_and(|old| old.at <= now - up_s.max(down_s)) {
            recommendations.pop_front();
        }
        let (mut lowest, mut highest) = (wanted, wanted);
        for recommendation in recommendations.iter() {
            if recommendation.at > now - up_s {
                lowest = lowest.min(recommendation.replicas);
            }
            if recommendation.at > now - down_s {
                highest = highest.max(recommendation.replicas);
            }
        }
        recommendations.push_back(Dated { at: now, replicas: wanted });
        spec.max(lowest).min(highest)
    }

    /// Policies of the direction, then the limits.
    fn limited(&self, now: i64, spec: i64, desired: i64) -> i64 {
        if desired > spec {
            let most = self.policies(now, (spec, 1), &self.behavior.up).max(spec);
            desired.min(most.min(self.max))
        } else if desired < spec {
            let least = self.policies(now, (spec, -1), &self.behavior.down).min(spec);
            desired.max(least.max(self.min))
        } else {
            desired
        }
    }

    /// The farthest count that the policies of a direction (1 up, -1 down) allow.
    fn policies(&self, now: i64, (spec, direction): (i64, i64), rules: &ScalingRules) -> i64 {
        let proposals = rules.policies.iter().map(|policy| {
            let since = now - i64::from(policy.period_s);
            let start = spec - changed(&self.added, since) + changed(&self.removed, since);
            let share = 1.0 + direction as f64 * f64::from(policy.value) / 100.0;
            match policy.unit {
                PolicyUnit::Pods => start + direction * i64::from(policy.value),
                PolicyUnit::Percent if direction > 0 => (start as f64 * share).ceil() as i64,
                PolicyUnit::Percent => (start as f64 * share) as i64,
            }
        });
        let upwards = direction > 0;
        match rules.select {
            SelectPolicy::Disabled => spec,
            SelectPolicy::Max if upwards => proposals.max().unwrap_or(i64::MIN),
            SelectPolicy::Max => proposals.min().unwrap_or(i64::MAX),
            SelectPolicy::Min if upwards => proposals.min().unwrap_or(i64::MAX),
            SelectPolicy::Min => proposals.max().unwrap_or(i64::MIN),
        }
    }

    fn record(&mut self, now: i64, spec: i64, desired: i64) {
        let rules = [&self.behavior.up, &self.behavior.down];
        let longest = rules.into_iter().flat_map(|rules| &rules.policies).map(|policy| policy.period_s).max().unwrap_or(0);
        let events = if desired > spec { &mut self.added } else { &mut self.removed };
        while events.front().is_some_and(|old| old.at <= now - i64::from(longest)) {
            events.pop_front();
        }
        events.push_back(Dated { at: now, replicas: (desired - spec).abs() });
    }
}

/// Changes younger than `since`, added up.
fn changed(events: &VecDeque<Dated>, since: i64) -> i64 {
    events.iter().rev().take_while(|event| event.at > since).map(|event| event.replicas).sum()
}
