//! KEDA's loop: to and from zero, idle and the minimum.

use super::*;

/// T01 Activation from zero is strictly above the threshold
// Ref: prometheus_scaler `GetMetricsAndActivity` (`val > activationThreshold`); keda.sh "Scaling Deployments", Activating and
// Scaling.
// By hand: 5.0 at polls 0 and 30 is not above 5; 5.001 at poll 60 is. The HPA is off until then.
#[test]
fn t01_activation_is_strictly_above() {
    let object = object(vec![load_with(10.0, (5.0, true))]);
    let inputs: Inputs<'_> = &[(0, &[value(5.0)]), (31, &[value(5.001)])];
    assert_eq!(changes(&object, &span(0, 74), inputs), [(60, 1)]);
}

/// T02 A burst from zero climbs 1, 5, 10, 20
// Ref: executor `scaleFromZeroOrIdle` (lands on 1); horizontal `calculateScaleUpLimitWithScalingRules`.
// By hand: load 200, target 10: 20 wanted. Poll 0 sets 1. Syncs: 15 max(1+4, 1x2) = 5; 30 max(5+4, 5x2) = 10; 45 max(14, 20)
// = 20. The change of 15 s ago is out of its period each time.
#[test]
fn t02_burst_from_zero() {
    let inputs: Inputs<'_> = &[(0, &[value(200.0)])];
    assert_eq!(changes(&object(vec![load(10.0)]), &span(0, 600), inputs), [(0, 1), (15, 5), (30, 10), (45, 20)]);
}

/// T03 Cooldown counts from the last active poll and ends at its second
// Ref: executor `scaleToZeroOrIdle`.
// By hand: 1 request until 100 s keeps 1 replica; last active poll 90; 90 + 300 = 390 is a poll. With 301 s the first poll
// not before 391 is 420.
#[test]
fn t03_cooldown_edge() {
    let mut object = object(vec![load(10.0)]);
    let inputs: Inputs<'_> = &[(0, &[value(1.0)]), (100, &[value(0.0)])];
    assert_eq!(changes(&object, &span(0, 900), inputs), [(0, 1), (390, 0)]);
    object.cooldown_s = 301;
    assert_eq!(changes(&object, &span(0, 900), inputs), [(0, 1), (420, 0)]);
}

/// T04 One active poll within the cooldown starts it again
// Ref: executor `RequestScale` (LastActiveTime at every active poll).
// By hand: active at poll 0, and at 270 again; 270 + 300 = 570.
#[test]
fn t04_cooldown_starts_again() {
    let inputs: Inputs<'_> = &[(0, &[value(1.0)]), (1, &[value(0.0)]), (260, &[value(1.0)]), (280, &[value(0.0)])];
    assert_eq!(changes(&object(vec![load(10.0)]), &span(0, 900), inputs), [(0, 1), (570, 0)]);
}

/// T05 A target never seen active goes to zero after the initial cooldown only
// Ref: executor `scaleToZeroOrIdle` (LastActiveTime nil: creation + initialCooldownPeriod).
// By hand: 0 + 120 = poll 120, without the 300 s of the cooldown; with 0 s the very first poll.
#[test]
fn t05_initial_cooldown() {
    let mut object = object(vec![load(10.0)]);
    object.initial_cooldown_s = 120;
    let inputs: Inputs<'_> = &[(0, &[value(0.0)])];
    assert_eq!(changes(&object, &span(1, 900), inputs), [(120, 0)]);
    object.initial_cooldown_s = 0;
    assert_eq!(changes(&object, &span(1, 900), inputs), [(0, 0)]);
}

/// T06 Below the minimum the count is restored, idle by KEDA, busy by the HPA
// Ref: executor `RequestScale` (inactive, replicas < min); horizontal `reconcileAutoscaler` ("below Spec.MinReplicas").
// By hand: inactive: poll 0 sets 3. Active: KEDA leaves 1 alone, sync 15 sets 3.
#[test]
fn t06_minimum_is_restored() {
    let mut object = object(vec![load(10.0)]);
    object.min_replicas = 3;
    assert_eq!(changes(&object, &span(1, 600), &[(0, &[value(0.0)])]), [(0, 3)]);
    assert_eq!(changes(&object, &span(1, 600), &[(0, &[value(1.0)])]), [(15, 3)]);
}

/// T07 From zero with a minimum lands on the minimum
// Ref: executor `scaleFromZeroOrIdle`.
// By hand: poll 0 sets max(1, 3) = 3; load 40 of 10 each wants 4: sync 15.
#[test]
fn t07_from_zero_to_the_minimum() {
    let mut object = object(vec![load(10.0)]);
    object.min_replicas = 3;
    assert_eq!(changes(&object, &span(0, 600), &[(0, &[value(40.0)])]), [(0, 3), (15, 4)]);
}

/// T08 `idleReplicaCount`: down to idle after the cooldown, up to the minimum when active
// Ref: executor `getIdleOrMinimumReplicaCount`; keda.sh "ScaledObject specification", idleReplicaCount.
// By hand: 5 replicas, min 3, idle 0, 1 request until 100 s. HPA wants 1; the 5 recorded at its first sync (15) holds until
// 315, then min 3. Last active poll 90: idle at 390. Active again from 500: poll 510 sets min 3.
#[test]
fn t08_idle_replicas() {
    let mut object = object(vec![load(10.0)]);
    (object.min_replicas, object.idle_replicas) = (3, Some(0));
    let inputs: Inputs<'_> = &[(0, &[value(1.0)]), (100, &[value(0.0)]), (500, &[value(1.0)])];
    assert_eq!(changes(&object, &span(5, 780), inputs), [(315, 3), (390, 0), (510, 3)]);
}

/// T09 Paused: neither KEDA nor an HPA
// Ref: executor `handlePaused`; keda.sh "Pausing autoscaling": the HPA is removed.
// By hand: nothing is ever due.
#[test]
fn t09_paused() {
    let mut object = object(vec![load(10.0)]);
    object.paused = true;
    assert_eq!(changes(&object, &span(0, 600), &[(0, &[value(200.0)])]), []);
    assert_eq!(Scaler::new(&object, 0, utc(ANCHOR)).map(|scaler| scaler.next_at()), Ok(i64::MAX));
}

/// T10 A poll that falls on a sync is seen by the next sync
// Ref: scaler.rs, order within a second.
// By hand: load from 20 s on; poll 30 sets 1 after the sync of 30; sync 45 sets 5.
#[test]
fn t10_poll_and_sync_in_one_second() {
    let inputs: Inputs<'_> = &[(20, &[value(200.0)])];
    assert_eq!(changes(&object(vec![load(10.0)]), &span(0, 50), inputs), [(30, 1), (45, 5)]);
}
