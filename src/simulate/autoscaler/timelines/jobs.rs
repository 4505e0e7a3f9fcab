//! ScaledJobs: how many Jobs each poll creates, and gates.

use super::*;
use crate::emit::parse::types::{PodSpec, ScaledJob};
use crate::simulate::autoscaler::ScaledJobScaler;

fn queue(length: &str) -> Trigger {
    let metadata = [("queueLength".to_owned(), length.to_owned())].into();
    trigger(TriggerKind::Other { scaler: "aws-sqs-queue".to_owned(), metadata })
}

fn job(max_replicas: u32, triggers: Vec<Trigger>) -> ScaledJob {
    let pod = PodSpec { pools: Vec::new(), gpus: None, slice: None, cpu_milli: None, memory_mib: None, grace_s: 30, zones_spread: None };
    ScaledJob {
        namespace: "demo".to_owned(),
        name: "batch".to_owned(),
        workload: "batch".to_owned(),
        polling_interval_s: 30,
        max_replicas,
        min_replicas: 0,
        active_deadline_s: None,
        triggers,
        paused: false,
        pod,
    }
}

/// What each poll creates, given `(second, Jobs unfinished, queue)`; a second without a poll creates nothing.
#[expect(clippy::unwrap_used, reason = "test")]
fn created(job: &ScaledJob, rows: &[(i64, u32, f64)]) -> Vec<u32> {
    let mut scaler = ScaledJobScaler::new(job, 0, utc(ANCHOR)).unwrap();
    rows.iter().map(|(now, unfinished, queue)| scaler.tick(*now, *unfinished, &mut |_| value(*queue))).collect()
}

/// T50 ScaledJob, default strategy: maximum less what runs
// Ref: KEDA scale_jobs.go `defaultScalingStrategy`, `createJobs`.
// By hand: 10 messages, 1 each, at most 3. Poll 0: min(10, 3) - 0 = 3. Poll 30: 3 - 3 = 0. Poll 60: one is done: 3 - 2 = 1.
// Second 75 is no poll. Poll 90: 1 message, 3 run: min(1, 3) - 3 < 0: none.
#[test]
fn t50_jobs() {
    let rows = [(0, 0, 10.0), (30, 3, 10.0), (60, 2, 10.0), (75, 0, 10.0), (90, 3, 1.0)];
    assert_eq!(created(&job(3, vec![queue("1")]), &rows), [3, 0, 1, 0, 0]);
}

/// T51 ScaledJob: rounded up by target, none for an empty queue
// Ref: KEDA scaledjob/metrics.go `CalculateQueueLengthAndMaxValue`, `IsScaledJobActive`.
// By hand: 5 each, at most 10. 2 messages: ceil(0.4) = 1. 11: ceil(2.2) = 3, less the 1 that runs = 2. 0: not active.
#[test]
fn t51_jobs_by_target() {
    assert_eq!(created(&job(10, vec![queue("5")]), &[(0, 0, 2.0), (30, 1, 11.0), (60, 0, 0.0)]), [1, 2, 0]);
}

/// T52 ScaledJob with a gate: closed no polls, opened one at once
// Ref: KEDA scaledjob_controller.go `checkIfPaused`, `requestScaleLoop`.
// By hand: paused in the file: nothing until released at 100, when the loop starts anew: polls 100, 130. Closed at 140,
// released at 150, again at 155 (no change): polls 150, 180.
#[test]
#[expect(clippy::unwrap_used, reason = "test")]
fn t52_gate() {
    let mut object = job(4, vec![queue("1")]);
    object.paused = true;
    let mut scaler = ScaledJobScaler::new(&object, 0, utc(ANCHOR)).unwrap();
    let mut polls = Vec::new();
    for now in 0..200 {
        match now {
            100 | 150 | 155 => scaler.set_paused(now, false),
            140 => scaler.set_paused(now, true),
            _ => {}
        }
        let created = scaler.tick(now, 1, &mut |_| value(9.0));
        if created > 0 {
            polls.push((now, created));
        }
    }
    assert_eq!(polls, [(100, 3), (130, 3), (150, 3), (180, 3)]);
}

/// T53 ScaledJob, several triggers: the longest queue of the active ones counts, a cron trigger takes nothing away
// Ref: KEDA scaledjob/metrics.go `IsScaledJobActive` (max).
// By hand: queue 9, 1 each; a window of 2 that is closed at midnight. 9 counts, at most 5: 5. At noon (a poll) it is open,
// the queue is empty: 2 is the longest.
#[test]
fn t53_jobs_with_a_window() {
    let job = job(5, vec![queue("1"), cron(("0 8 * * *", "0 18 * * *"), 2)]);
    assert_eq!(created(&job, &[(0, 0, 9.0), (clock(12, 0, 0), 0, 0.0)]), [5, 2]);
}

/// T54 ScaledJob with a minimum: that many run without work, and come on top of the work
// Ref: KEDA scale_jobs.go `getScalingDecision`.
// By hand: min 2, at most 5, 1 each. Empty, none runs: 2. 4 messages, 2 run: min(4, 5) - (2 - 2) = 4.
#[test]
fn t54_jobs_with_a_minimum() {
    let mut job = job(5, vec![queue("1")]);
    job.min_replicas = 2;
    assert_eq!(created(&job, &[(0, 0, 0.0), (30, 2, 4.0)]), [2, 4]);
}
