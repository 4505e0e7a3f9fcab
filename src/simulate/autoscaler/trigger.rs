//! A trigger of a ScaledObject as KEDA reads it: value, activity, failures in a row, fallback and cached value.
//!
//! Source: KEDA `pkg/scaling/scale_handler.go` (`getScalerState` for polls, `GetScaledObjectMetrics` for the HPA's requests),
//! `pkg/fallback/fallback.go` (`GetMetricsWithFallback`, `doFallback`), `pkg/scalers/{cron,prometheus}_scaler.go`.
//!
//! Failures are counted by trigger at polls and at the HPA's requests alike, in one counter, since both paths share the status of
//! the ScaledObject. The fallback holds once there are *more* than `failureThreshold` of them: with 3, from the fourth on. It makes
//! the trigger active. A success sets the counter to 0, and a cached fallback value counts as a success when the HPA asks for it,
//! so that `useCachedMetrics` makes the fallback come and go.
//!
//! Metrics are in thousandths, as Kubernetes quantities are (`scaler.go`, `quantityFromFloat64`: three decimals, and 0 for what is
//! negative or not a number).

use super::cron::{CronError, Window};
use super::queue;
use crate::emit::parse::types::{Fallback, MetricType, Trigger, TriggerKind};
use thiserror::Error;

/// What a trigger's source answers at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// One value; NaN and infinite ones are for KEDA to judge.
    Value(f64),
    /// The result is empty: no such series now.
    Empty,
    /// No answer, or one that KEDA refuses (several elements).
    Error,
}

/// Why KEDA would not start with a trigger, or a replay cannot.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TriggerError {
    /// A cron trigger that is refused.
    #[error("trigger {index} is refused")]
    Cron {
        /// Position in the file, from 0.
        index: usize,
        /// Why.
        source: CronError,
    },
    /// A scaler whose value a replay does not know.
    #[error("trigger {index}: a replay cannot evaluate scaler `{scaler}` with this metadata")]
    NotEvaluated {
        /// Position in the file, from 0.
        index: usize,
        /// KEDA's type.
        scaler: String,
    },
    /// A target below a thousandth, which the HPA refuses.
    #[error("trigger {index}: the target is not above zero")]
    Target {
        /// Position in the file, from 0.
        index: usize,
    },
    /// No trigger at all, which KEDA refuses.
    #[error("there is no trigger")]
    None,
}

/// A metric that could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// Thousandths of a value, as in a Kubernetes quantity.
#[must_use]
pub fn milli(value: f64) -> i64 {
    if value.is_finite() && value > 0.0 { (value * 1000.0).round() as i64 } else { 0 }
}

/// When a trigger is read, and what its fallback needs.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Seconds since 1970-01-01 00:00 UTC.
    pub unix: i64,
    /// Ready pods.
    pub ready: u32,
    /// `fallback` of the ScaledObject.
    pub fallback: Option<Fallback>,
}

/// What a poll learns of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polled {
    /// Active, by its value or by its fallback.
    pub active: bool,
    /// Value in thousandths, that of the fallback where it holds.
    pub metric: Result<i64, Failed>,
}

#[derive(Clone, Debug)]
enum Source {
    Cron {
        window: Window,
        replicas: u32,
    },
    Read {
        activation: f64,
        /// `ignoreNullValues`: empty, NaN and infinite are 0 rather than a failure.
        null_is_zero: bool,
    },
}

/// A trigger and its state.
#[derive(Clone, Debug)]
pub struct TriggerState {
    source: Source,
    metric_type: MetricType,
    target_milli: i64,
    use_cached_metrics: bool,
    failures: u32,
    cached: Option<Result<i64, Failed>>,
}

impl TriggerState {
    /// A trigger that has not been read yet; `index` is its position in the file. Errors where KEDA or the HPA would refuse it, or
    /// where its scaler is not one that a replay knows.
    pub fn new(index: usize, trigger: &Trigger) -> Result<Self, TriggerError> {
        let (source, target) = match &trigger.kind {
            TriggerKind::Cron { timezone, start, end, desired_replicas } => {
                let window = Window::new(timezone, (start, end)).map_err(|source| TriggerError::Cron { index, source })?;
                if *desired_replicas == 0 {
                    return Err(TriggerError::Cron { index, source: CronError::NoReplicas });
                }
                (Source::Cron { window, replicas: *desired_replicas }, 1.0)
            }
            TriggerKind::Prometheus { server: _, query: _, threshold, activation_threshold, ignore_null_values } => {
                (Source::Read { activation: *activation_threshold, null_is_zero: *ignore_null_values }, *threshold)
            }
            TriggerKind::Other { scaler, metadata } => {
                let target = queue::target(scaler, metadata).ok_or_else(|| TriggerError::NotEvaluated { index, scaler: scaler.clone() })?;
                (Source::Read { activation: target.activation, null_is_zero: false }, target.per_replica)
            }
        };
        let target_milli = milli(target);
        if target_milli == 0 {
            return Err(TriggerError::Target { index });
        }
        let (metric_type, use_cached_metrics) = (trigger.metric_type, trigger.use_cached_metrics);
        Ok(Self { source, metric_type, target_milli, use_cached_metrics, failures: 0, cached: None })
    }

    /// All triggers of an object, in order. Errors with the first that is refused.
    pub fn all(triggers: &[Trigger]) -> Result<Vec<Self>, TriggerError> {
        if triggers.is_empty() {
            return Err(TriggerError::None);
        }
        triggers.iter().enumerate().map(|(index, trigger)| Self::new(index, trigger)).collect()
    }

    /// Target in thousandths; for cron 1.
    #[must_use]
    pub fn target_milli(&self) -> i64 {
        self.target_milli
    }

    /// How the HPA compares the value with the target.
    #[must_use]
    pub fn metric_type(&self) -> MetricType {
        self.metric_type
    }

    /// The value and whether it is above the activation, before any fallback.
    pub fn value(&mut self, unix: i64, read: &mut dyn FnMut() -> Reading) -> Polled {
        let (activation, null_is_zero) = match &mut self.source {
            Source::Cron { window, replicas } => {
                let open = window.is_open(unix);
                return Polled { active: open, metric: Ok(if open { i64::from(*replicas) * 1000 } else { 0 }) };
            }
            Source::Read { activation, null_is_zero } => (*activation, *null_is_zero),
        };
        let value = match read() {
            Reading::Value(value) if value.is_finite() => Ok(value),
            Reading::Value(_) | Reading::Empty if null_is_zero => Ok(0.0),
            Reading::Value(_) | Reading::Empty | Reading::Error => Err(Failed),
        };
        Polled { active: value.is_ok_and(|value| value > activation), metric: value.map(milli) }
    }

    /// Counts the failure, or the success, and puts the fallback in its place. Returns whether the fallback holds.
    fn with_fallback(&mut self, moment: &Moment, raw: Result<i64, Failed>) -> (Result<i64, Failed>, bool) {
        let Some(fallback) = moment.fallback else { return (raw, false) };
        if raw.is_ok() {
            self.failures = 0;
            return (raw, false);
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures <= fallback.failure_threshold {
            return (raw, false);
        }
        let wanted = self.target_milli.saturating_mul(i64::from(fallback.replicas));
        match (self.metric_type, moment.ready) {
            (MetricType::AverageValue, _) => (Ok(wanted), true),
            // A value is multiplied by the ready pods again; without any there is nothing to do.
            (MetricType::Value, 0) => (raw, false),
            (MetricType::Value, ready) => (Ok(wanted / i64::from(ready)), true),
        }
    }

    /// What the operator's loop sees, every `pollingInterval`.
    pub fn poll(&mut self, moment: &Moment, read: &mut dyn FnMut() -> Reading) -> Polled {
        let raw = self.value(moment.unix, read);
        let (metric, falls_back) = self.with_fallback(moment, raw.metric);
        if self.use_cached_metrics {
            self.cached = Some(metric);
        }
        Polled { active: metric.is_ok() && (raw.active || falls_back), metric }
    }

    /// What the HPA is given, every sync: read anew, unless the trigger uses the value of the last poll.
    pub fn request(&mut self, moment: &Moment, read: &mut dyn FnMut() -> Reading) -> Result<i64, Failed> {
        let raw = match self.cached {
            Some(cached) => cached,
            None => self.value(moment.unix, read).metric,
        };
        self.with_fallback(moment, raw).0
    }
}
