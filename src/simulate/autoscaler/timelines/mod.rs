//! Timelines computed by hand: what triggers read from when on, and every count that is set, to the second.
//!
//! Numbered and titled for the list in the documentation. *Ref* is the page or the function that is followed, *By hand* the
//! computation. Short names: `executor` is KEDA `pkg/scaling/executor/scale_scaledobjects.go`, `fallback` is KEDA
//! `pkg/fallback/fallback.go`, `cron_scaler` and `prometheus_scaler` lie in KEDA `pkg/scalers`, `horizontal` and
//! `replica_calculator` in Kubernetes `pkg/controller/podautoscaler`, `robfig` is `spec.go` of robfig/cron v3.0.1.

mod activation;
mod failures;
mod jobs;
mod metrics;
mod stabilization;
mod windows;

use super::{Counts, Reading, Scaler};
use crate::emit::parse::types::{
    Behavior, MetricType, PolicyUnit, ScaledObject, ScalingPolicy, ScalingRules, SelectPolicy, Trigger, TriggerKind,
};
use jiff::Timestamp;

/// Monday 2026-01-05 00:00 UTC.
const ANCHOR: &str = "2026-01-05T00:00:00Z";

/// An instant in seconds since 1970-01-01 00:00 UTC.
#[expect(clippy::unwrap_used, reason = "test")]
fn utc(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

/// Seconds of a time of day.
fn clock(hour: i64, minute: i64, second: i64) -> i64 {
    hour * 3600 + minute * 60 + second
}

fn policy(unit: PolicyUnit, value: u32, period_s: u32) -> ScalingPolicy {
    ScalingPolicy { unit, value, period_s }
}

/// Kubernetes' defaults.
fn behavior() -> Behavior {
    let percent = policy(PolicyUnit::Percent, 100, 15);
    let rules = |stabilization_s, policies| ScalingRules { stabilization_s, select: SelectPolicy::Max, policies, tolerance: 0.1 };
    Behavior { up: rules(0, vec![policy(PolicyUnit::Pods, 4, 15), percent]), down: rules(300, vec![percent]) }
}

/// KEDA's defaults: poll every 30 s, cooldown 300 s, 0 to 100 replicas.
fn object(triggers: Vec<Trigger>) -> ScaledObject {
    ScaledObject {
        namespace: "demo".to_owned(),
        name: "chat".to_owned(),
        workload: "chat".to_owned(),
        target: "chat".to_owned(),
        polling_interval_s: 30,
        cooldown_s: 300,
        initial_cooldown_s: 0,
        min_replicas: 0,
        max_replicas: 100,
        idle_replicas: None,
        fallback: None,
        behavior: behavior(),
        triggers,
        paused: false,
    }
}

fn trigger(kind: TriggerKind) -> Trigger {
    Trigger { name: String::new(), metric_type: MetricType::AverageValue, use_cached_metrics: false, kind }
}

/// A load metric with this target for each replica, active above 0, an empty result being 0.
fn load(threshold: f64) -> Trigger {
    load_with(threshold, (0.0, true))
}

fn load_with(threshold: f64, (activation_threshold, ignore_null_values): (f64, bool)) -> Trigger {
    let (server, query) = ("http://prometheus".to_owned(), "sum(load)".to_owned());
    trigger(TriggerKind::Prometheus { server, query, threshold, activation_threshold, ignore_null_values })
}

fn cron((start, end): (&str, &str), desired_replicas: u32) -> Trigger {
    trigger(TriggerKind::Cron { timezone: "UTC".to_owned(), start: start.to_owned(), end: end.to_owned(), desired_replicas })
}

/// Down at once, to see what is below the stabilization.
fn unstabilized(mut object: ScaledObject) -> ScaledObject {
    object.behavior.down.stabilization_s = 0;
    object
}

/// What each trigger reads from a second on; cron triggers are not asked.
type Inputs<'a> = &'a [(i64, &'a [Reading])];

const fn value(value: f64) -> Reading {
    Reading::Value(value)
}

/// A run: where it starts and ends, and the replicas at the start.
struct Span {
    from: i64,
    to: i64,
    replicas: u32,
}

/// A run from second 0.
const fn span(replicas: u32, to: i64) -> Span {
    Span { from: 0, to, replicas }
}

/// Every count that is set, with its second. Pods exist from the second after; how many of them are ready, `ready` says.
#[expect(clippy::unwrap_used, reason = "test")]
fn changes_with(object: &ScaledObject, span: &Span, play: Play<'_>) -> Vec<(i64, u32)> {
    let mut scaler = Scaler::new(object, span.from, utc(ANCHOR)).unwrap();
    let (mut spec, mut changes) = (span.replicas, Vec::new());
    loop {
        let now = scaler.next_at();
        if now > span.to {
            return changes;
        }
        let mut read = |trigger: usize| (play.read)(now, trigger);
        let counts = Counts { spec, status: spec, ready: (play.ready)(spec) };
        if let Some(replicas) = scaler.tick(now, counts, &mut read) {
            changes.push((now, replicas));
            spec = replicas;
        }
    }
}

/// What a run answers to the scaler.
struct Play<'a> {
    read: &'a dyn Fn(i64, usize) -> Reading,
    ready: &'a dyn Fn(u32) -> u32,
}

/// The reading of a trigger by the last row at or before a second.
fn reading(inputs: Inputs<'_>, now: i64, trigger: usize) -> Reading {
    let row = inputs.iter().rev().find(|(from, _)| *from <= now);
    row.and_then(|(_, readings)| readings.get(trigger)).copied().unwrap_or(Reading::Empty)
}

/// Every count that is set, all pods ready at once.
fn changes(object: &ScaledObject, span: &Span, inputs: Inputs<'_>) -> Vec<(i64, u32)> {
    let read = |now: i64, trigger: usize| reading(inputs, now, trigger);
    changes_with(object, span, Play { read: &read, ready: &|spec| spec })
}
