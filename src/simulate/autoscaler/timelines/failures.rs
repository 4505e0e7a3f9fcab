//! Triggers that fail: fallback, recovery, and what the HPA does with part of its metrics.

use super::*;
use crate::emit::parse::types::Fallback;

const FAILS: Reading = Reading::Error;

fn with_fallback(replicas: u32) -> ScaledObject {
    let mut object = object(vec![load(10.0)]);
    object.fallback = Some(Fallback { failure_threshold: 3, replicas });
    object
}

/// T43 Fallback from the fourth failure on, and recovery
// Ref: fallback `GetMetricsWithFallback` (`NumberOfFailures > FailureThreshold`, threshold 3).
// By hand: fails from 100 s on. Failures: sync 105, sync 120, poll 120; the fourth is sync 135: metric 10 x 6 = 60 wants 6 of
// 2 + 4. Reads 20 again from 200 s on; last 6 at 195, gone at 495: 2.
#[test]
fn t43_fallback_and_recovery() {
    let mut object = with_fallback(6);
    object.min_replicas = 1;
    let inputs: Inputs<'_> = &[(0, &[value(20.0)]), (100, &[FAILS]), (200, &[value(20.0)])];
    assert_eq!(changes(&object, &span(2, 900), inputs), [(135, 6), (495, 2)]);
}

/// T44 Three failures and a success: no fallback
// Ref: fallback `GetMetricsWithFallback` (a success sets the counter to 0).
// By hand: fails at sync 105, sync 120 and poll 120; sync 135 reads. Then it fails three times again, sync 150, poll 150 and
// sync 165, and reads at sync 180.
#[test]
fn t44_failures_in_a_row() {
    let mut object = with_fallback(6);
    object.min_replicas = 1;
    let inputs: Inputs<'_> = &[(0, &[value(20.0)]), (100, &[FAILS]), (130, &[value(20.0)]), (140, &[FAILS]), (170, &[value(20.0)])];
    assert_eq!(changes(&object, &span(2, 900), inputs), []);
}

/// T45 A fallback wakes a service at zero
// Ref: scale_handler `getScalerState` (fallback counts as active, since 2.19).
// By hand: fails from the start. At zero only polls ask: 0, 30, 60, and the fourth at 90 sets 1. Then 6 wanted: sync 105: 5,
// sync 120: 6.
#[test]
fn t45_fallback_from_zero() {
    assert_eq!(changes(&with_fallback(6), &span(0, 600), &[(0, &[FAILS])]), [(90, 1), (105, 5), (120, 6)]);
}

/// T46 A failing trigger with a fallback never leads to zero; with `replicas: 0` it does
// Ref: executor `RequestScale` (error and Fallback.Replicas != 0: no change).
// By hand: 1 replica, min 0, never active. Failures: poll 0, sync 15, sync 30; the fourth is poll 30. With 1 as fallback: no
// change before, active after. With 0: no such case, never active, zero at poll 0.
#[test]
fn t46_no_zero_while_failing() {
    assert_eq!(changes(&with_fallback(1), &span(1, 900), &[(0, &[FAILS])]), []);
    assert_eq!(changes(&with_fallback(0), &span(1, 900), &[(0, &[FAILS])])[0], (0, 0));
}

/// T47 One failing metric of two: no scale-down, but scale-up
// Ref: horizontal `computeReplicasForMetrics` (`invalidMetricsCount > 0 && replicas < specReplicas`).
// By hand: 5 replicas. 20 wants 2: not with the other one failing. 80 wants 8: sync 60. When the other reads again, 20 wants
// 2: last 8 at 585 gone at 885.
#[test]
fn t47_part_of_the_metrics() {
    let object = object(vec![load(10.0), load(10.0)]);
    let inputs: Inputs<'_> =
        &[(0, &[value(20.0), FAILS]), (60, &[value(80.0), FAILS]), (600, &[value(20.0), FAILS]), (700, &[value(20.0), value(0.0)])];
    assert_eq!(changes(&object, &span(5, 1200), inputs), [(60, 8), (885, 2)]);
}

/// T48 A failing trigger beside an active one stops the clock of the cooldown
// Ref: executor `RequestScale` (`case isError` sets no LastActiveTime).
// By hand: one trigger active until 600 s, the other failing from 100 s to 600 s. Last active poll without a failure: 90, so
// that the cooldown is long over at poll 600. Without failures: 570 + 300 = 870.
#[test]
fn t48_cooldown_beside_a_failure() {
    let object = object(vec![load(10.0), load(10.0)]);
    let failing: Inputs<'_> = &[(0, &[value(1.0), value(0.0)]), (100, &[value(1.0), FAILS]), (600, &[value(0.0), value(0.0)])];
    assert_eq!(changes(&object, &span(1, 1200), failing), [(600, 0)]);
    let reading: Inputs<'_> = &[(0, &[value(1.0), value(0.0)]), (600, &[value(0.0), value(0.0)])];
    assert_eq!(changes(&object, &span(1, 1200), reading), [(870, 0)]);
}

/// T49 Without a fallback a failure holds everything, and a long one uses up the stabilization
// Ref: executor `RequestScale` (error, no fallback); horizontal `reconcileAutoscaler` (all metrics invalid: returns before it
// records a recommendation).
// By hand: 4 replicas, Prometheus down from 0 to 1000 s: no change. At sync 1005 the load is 0 and the only earlier
// recommendation, the 4 of sync 15, is older than 300 s: the minimum 1 at once. Never active: zero at poll 1020.
#[test]
fn t49_no_fallback() {
    let object = object(vec![load(10.0)]);
    assert_eq!(changes(&object, &span(4, 1200), &[(0, &[FAILS]), (1000, &[value(0.0)])]), [(1005, 1), (1020, 0)]);
}
