//! The HPA: tolerance, rounding, stabilization windows, policies and limits.

use super::*;

/// T23 Tolerance: a ratio of 1.1 or 0.9 is kept, 1.1001 and 0.8999 are not
// Ref: replica_calculator `Tolerances.isWithin`, `GetExternalPerPodMetricReplicas`.
// By hand: 10 replicas, target 10. 110 / (10 x 10) = 1.1 keeps 10; 110.01 wants ceil(11.001) = 12. 90: 0.9 keeps; 89.99 wants
// ceil(8.999) = 9.
#[test]
fn t23_tolerance() {
    let object = unstabilized(object(vec![load(10.0)]));
    for (load, expected) in [(110.0, None), (110.01, Some(12)), (90.0, None), (89.99, Some(9))] {
        let changes = changes(&object, &span(10, 15), &[(0, &[value(load)])]);
        assert_eq!(changes, expected.map(|replicas| (15, replicas)).into_iter().collect::<Vec<_>>(), "{load}");
    }
}

/// T24 Tolerance by direction
// Ref: KEP-4951 (`behavior.scaleUp.tolerance`); horizontal `reconcileAutoscaler`.
// By hand: up 0, down 0.5: 10 replicas at 101 of 100: 1.01 wants ceil(10.1) = 11; at 51: 0.51 is within 1 - 0.5.
#[test]
fn t24_tolerance_by_direction() {
    let mut object = unstabilized(object(vec![load(10.0)]));
    (object.behavior.up.tolerance, object.behavior.down.tolerance) = (0.0, 0.5);
    assert_eq!(changes(&object, &span(10, 15), &[(0, &[value(101.0)])]), [(15, 11)]);
    assert_eq!(changes(&object, &span(10, 15), &[(0, &[value(51.0)])]), []);
}

/// T25 Counts are rounded up, values to thousandths
// Ref: replica_calculator (`math.Ceil`); KEDA `scaler.go` `quantityFromFloat64` (three decimals).
// By hand: target 10: 30 wants 3, 30.001 wants 4, 30.0004 is 30.000 and wants 3.
#[test]
fn t25_rounding() {
    let object = object(vec![load(10.0)]);
    for (load, replicas) in [(30.0, 3), (30.001, 4), (30.0004, 3)] {
        assert_eq!(changes(&object, &span(1, 15), &[(0, &[value(load)])]), [(15, replicas)], "{load}");
    }
}

/// T26 Down: the largest recommendation of 300 s
// Ref: horizontal `stabilizeRecommendationWithBehaviors`.
// By hand: target 10. 100 until 600 s, then 50, with 80 seen by sync 705 only, then 20 from 900 s. Last 10 at 585: gone at
// 885, then 8. The 8 of 705 is gone at 1005: 5. Last 5 at 885: gone at 1185: 2.
#[test]
fn t26_stabilization_down() {
    let inputs: Inputs<'_> =
        &[(0, &[value(100.0)]), (600, &[value(50.0)]), (700, &[value(80.0)]), (715, &[value(50.0)]), (900, &[value(20.0)])];
    assert_eq!(changes(&object(vec![load(10.0)]), &span(10, 1800), inputs), [(885, 8), (1005, 5), (1185, 2)]);
}

/// T27 Up: the smallest recommendation of the window
// Ref: horizontal `stabilizeRecommendationWithBehaviors`.
// By hand: 60 s. 20 keeps 2 until 100 s, then 60 wants 6 (limit 2 + 4). Last 2 at 90: gone at 150. A dip in between would
// start it again.
#[test]
fn t27_stabilization_up() {
    let mut object = object(vec![load(10.0)]);
    object.behavior.up.stabilization_s = 60;
    assert_eq!(changes(&object, &span(2, 300), &[(0, &[value(20.0)]), (100, &[value(60.0)])]), [(150, 6)]);
    let dip: Inputs<'_> = &[(0, &[value(20.0)]), (100, &[value(60.0)]), (130, &[value(20.0)]), (140, &[value(60.0)])];
    assert_eq!(changes(&object, &span(2, 300), dip), [(195, 6)]);
}

/// T28 Policy in pods: so many in a period
// Ref: horizontal `calculateScaleUpLimitWithScalingRules`, `getReplicasChangePerPeriod`.
// By hand: 2 pods in 60 s, 10 wanted. Sync 15: 3. Until 60 the period began at 1: 3 is the limit. At 75 the change of 15 is
// 60 s old and out: 5; 135: 7.
#[test]
fn t28_policy_pods() {
    let mut object = object(vec![load(10.0)]);
    object.behavior.up.policies = vec![policy(PolicyUnit::Pods, 2, 60)];
    assert_eq!(changes(&object, &span(1, 190), &[(0, &[value(100.0)])]), [(15, 3), (75, 5), (135, 7)]);
}

/// T29 Policy in percent, down: cut, not rounded up
// Ref: horizontal `calculateScaleDownLimitWithBehaviors` (`int32(...)`).
// By hand: 50% in 60 s from 10, 1 wanted: 5; 2.5 is cut to 2; 1.
#[test]
fn t29_policy_percent() {
    let mut object = unstabilized(object(vec![load(10.0)]));
    object.behavior.down.policies = vec![policy(PolicyUnit::Percent, 50, 60)];
    assert_eq!(changes(&object, &span(10, 400), &[(0, &[value(1.0)])]), [(15, 5), (75, 2), (135, 1)]);
}

/// T30 `selectPolicy: Min`: the policy that changes least
// Ref: horizontal `calculateScaleUpLimitWithScalingRules`.
// By hand: 4 pods or 100% in 15 s, 20 wanted: min(5, 2) = 2; min(6, 4) = 4; min(8, 8) = 8; min(12, 16) = 12; 16; 20.
#[test]
fn t30_select_min() {
    let mut object = object(vec![load(10.0)]);
    object.behavior.up.select = SelectPolicy::Min;
    let expected = [(15, 2), (30, 4), (45, 8), (60, 12), (75, 16), (90, 20)];
    assert_eq!(changes(&object, &span(1, 600), &[(0, &[value(200.0)])]), expected);
}

/// T31 `selectPolicy: Disabled`: not in this direction
// Ref: horizontal `calculateScaleDownLimitWithBehaviors`.
// By hand: 8 replicas, 1 wanted, down disabled: 8 for good. Up is still allowed: 90 wants 9.
#[test]
fn t31_select_disabled() {
    let mut object = unstabilized(object(vec![load(10.0)]));
    object.behavior.down.select = SelectPolicy::Disabled;
    assert_eq!(changes(&object, &span(8, 900), &[(0, &[value(1.0)]), (600, &[value(90.0)])]), [(600, 9)]);
}

/// T32 What was added within the period may be taken away at once
// Ref: horizontal `calculateScaleDownLimitWithBehaviors` (the period starts without what was added).
// By hand: down 1 pod in 60 s. Sync 15 adds 4 to 2. Sync 30, 1 wanted: the period began at 6 - 4 = 2, less 1 is 1.
#[test]
fn t32_events_of_both_directions() {
    let mut object = unstabilized(object(vec![load(10.0)]));
    object.behavior.down.policies = vec![policy(PolicyUnit::Pods, 1, 60)];
    assert_eq!(changes(&object, &span(2, 200), &[(0, &[value(60.0)]), (20, &[value(1.0)])]), [(15, 6), (30, 1)]);
}

/// T33 The maximum holds against metrics, and against a count that is above it
// Ref: horizontal `convertDesiredReplicasWithBehaviorRate`, `reconcileAutoscaler` ("above Spec.MaxReplicas").
// By hand: max 8, 20 wanted from 1: 5, then min(10, 8). From 12: 8 at the first sync, without stabilization or policies.
#[test]
fn t33_maximum() {
    let mut object = object(vec![load(10.0)]);
    object.max_replicas = 8;
    assert_eq!(changes(&object, &span(1, 600), &[(0, &[value(200.0)])]), [(15, 5), (30, 8)]);
    assert_eq!(changes(&object, &span(12, 600), &[(0, &[value(200.0)])]), [(15, 8)]);
}

/// T34 Pods that are not ready count: no runaway, and no help
// Ref: replica_calculator `GetExternalPerPodMetricReplicas` (`status.replicas`).
// By hand: load 30 of 10 each, no pod ever ready: 3 at sync 15, then 30 / (10 x 3) = 1 keeps 3.
#[test]
fn t34_unready_pods() {
    let play = Play { read: &|_, _| value(30.0), ready: &|_| 0 };
    assert_eq!(changes_with(&object(vec![load(10.0)]), &span(1, 900), play), [(15, 3)]);
}
