//! Cron triggers: windows, clock changes, and what becomes of them in replicas.

use super::*;
use crate::simulate::autoscaler::cron::Window;

/// Whether a window is open at instants.
#[expect(clippy::unwrap_used, reason = "test")]
fn open(zone: &str, edges: (&str, &str), times: &[&str]) -> Vec<bool> {
    let mut cached = Window::new(zone, edges).unwrap();
    let answer = |time: &&str| {
        let answer = cached.is_open(utc(time));
        // What was kept from earlier questions changes no answer.
        assert_eq!(answer, Window::new(zone, edges).unwrap().is_open(utc(time)), "{time}");
        answer
    };
    times.iter().map(answer).collect()
}

const MORNING: Span = Span { from: 7 * 3600, to: 9 * 3600, replicas: 0 };

/// T11 A window opens 0, 1, 5, 10: through the HPA, not at once
// Ref: cron_scaler (metric = desiredReplicas, target 1, AverageValue); executor `scaleFromZeroOrIdle`.
// By hand: polls and syncs lie on the full minute. Poll 08:00:00 is inside: 1. Syncs 08:00:15: min(10, 5); 08:00:30: 10.
#[test]
fn t11_window_from_zero() {
    let object = object(vec![cron(("0 8 * * *", "0 18 * * *"), 10)]);
    assert_eq!(changes(&object, &MORNING, &[]), [(clock(8, 0, 0), 1), (clock(8, 0, 15), 5), (clock(8, 0, 30), 10)]);
}

/// T12 Zero comes one cooldown after the last poll in the window
// Ref: executor `scaleToZeroOrIdle`.
// By hand: last open poll 17:59:30, + 300 s = 18:04:30. The HPA would follow at 18:04:45, when the last 3 (17:59:45) leaves
// its 300 s; without stabilization it sets its minimum 1 at once, at 18:00:00.
#[test]
fn t12_window_to_zero() {
    let object = object(vec![cron(("0 8 * * *", "0 18 * * *"), 3)]);
    let evening = Span { from: 17 * 3600, to: 19 * 3600, replicas: 3 };
    assert_eq!(changes(&object, &evening, &[]), [(clock(18, 4, 30), 0)]);
    assert_eq!(changes(&unstabilized(object), &evening, &[]), [(clock(18, 0, 0), 1), (clock(18, 4, 30), 0)]);
}

/// T13 Overlapping windows: the larger count
// Ref: horizontal `computeReplicasForMetrics` (max).
// By hand: 4 from 8 to 18, 6 from 12 to 14. Sync 12:00:00 sets 6 (limit 8). After 14:00 4 is wanted; the last 6 (13:59:45)
// leaves the 300 s at 14:04:45.
#[test]
fn t13_overlapping_windows() {
    let object = object(vec![cron(("0 8 * * *", "0 18 * * *"), 4), cron(("0 12 * * *", "0 14 * * *"), 6)]);
    let noon = Span { from: 11 * 3600, to: 15 * 3600, replicas: 4 };
    assert_eq!(changes(&object, &noon, &[]), [(clock(12, 0, 0), 6), (clock(14, 4, 45), 4)]);
}

/// T14 A window over a load metric is a floor, not a ceiling
// Ref: horizontal `computeReplicasForMetrics`.
// By hand: window 3, load 50 of 10 each from 09:00 on: max(3, 5) = 5 at sync 09:00:00.
#[test]
fn t14_window_and_load() {
    let object = object(vec![cron(("0 8 * * *", "0 18 * * *"), 3), load(10.0)]);
    let inputs: Inputs<'_> = &[(0, &[value(0.0), value(10.0)]), (clock(9, 0, 0), &[value(0.0), value(50.0)])];
    let day = Span { from: 8 * 3600 + 60, to: 10 * 3600, replicas: 3 };
    assert_eq!(changes(&object, &day, inputs), [(clock(9, 0, 0), 5)]);
}

/// T15 A window over midnight
// Ref: cron_scaler `GetMetricsAndActivity`.
// By hand: from 22:00:00 the next end (06:00) comes before the next start (22:00 tomorrow); at 06:00:00 the next end is
// tomorrow's.
#[test]
fn t15_over_midnight() {
    let times = ["2026-01-05T21:59:59Z", "2026-01-05T22:00:00Z", "2026-01-06T00:00:00Z", "2026-01-06T05:59:59Z", "2026-01-06T06:00:00Z"];
    assert_eq!(open("UTC", ("0 22 * * *", "0 6 * * *"), &times), [false, true, true, true, false]);
}

/// T16 A start that comes round again before the end closes the window
// Ref: cron_scaler (`nextStart.Before(nextEnd)` is outside).
// By hand: meant as Monday 08:00 to Friday 18:00. On Tuesday the next start (Wednesday) comes before the next end (Friday):
// closed. Only from Friday 08:00 the end comes first. With one start a week it works.
#[test]
fn t16_start_before_end() {
    let times = ["2026-01-05T08:00:00Z", "2026-01-06T12:00:00Z", "2026-01-09T07:59:59Z", "2026-01-09T08:00:00Z", "2026-01-09T18:00:00Z"];
    assert_eq!(open("UTC", ("0 8 * * 1-5", "0 18 * * 5"), &times), [false, false, false, true, false]);
    assert_eq!(open("UTC", ("0 8 * * 1", "0 18 * * 5"), &times), [true, true, true, true, false]);
    // A next start and a next end in the same second: "not before" is inside, here all night long.
    let night = ["2026-01-05T19:59:59Z", "2026-01-05T20:00:00Z", "2026-01-06T07:59:59Z", "2026-01-06T08:00:00Z"];
    assert_eq!(open("UTC", ("0 8 * * *", "0 8,20 * * *"), &night), [true, true, true, true]);
}

/// T17 Spring, New York: a start in the skipped hour opens the window a day early
// Ref: robfig `Next` (skipped times do not run).
// By hand: 2026-03-08 02:30 does not exist. From the end on March 7, 08:00 EST = 13:00Z, the next start is March 9, the next
// end March 8, 08:00 EDT = 12:00Z: the window never closes in between.
#[test]
fn t17_spring_start_new_york() {
    let times = ["2026-03-06T13:00:00Z", "2026-03-07T07:30:00Z", "2026-03-07T13:00:00Z", "2026-03-08T11:59:59Z", "2026-03-08T12:00:00Z"];
    assert_eq!(open("America/New_York", ("30 2 * * *", "0 8 * * *"), &times), [false, true, true, true, false]);
}

/// T18 Spring, New York: an end in the skipped hour leaves the window out
// Ref: robfig `Next`.
// By hand: on March 7 at 23:00 EST = 04:00Z the next end is March 9 02:30, the next start March 8 22:00: closed, all night. A
// day earlier it was open.
#[test]
fn t18_spring_end_new_york() {
    let times = ["2026-03-07T04:00:00Z", "2026-03-08T04:00:00Z", "2026-03-08T06:59:59Z", "2026-03-09T03:00:00Z"];
    assert_eq!(open("America/New_York", ("0 22 * * *", "30 2 * * *"), &times), [true, false, false, true]);
}

/// T19 Autumn, New York: a start in the repeated hour opens the second time
// Ref: robfig `Next` (repeated times run twice).
// By hand: 01:30 is 05:30Z (EDT) and 06:30Z (EST). At 05:30Z the next start, 06:30Z, comes before the next end, 08:00 EST =
// 13:00Z: closed until 06:30Z.
#[test]
fn t19_autumn_start_new_york() {
    let times = ["2026-11-01T05:30:00Z", "2026-11-01T06:29:59Z", "2026-11-01T06:30:00Z", "2026-11-01T12:59:59Z", "2026-11-01T13:00:00Z"];
    assert_eq!(open("America/New_York", ("30 1 * * *", "0 8 * * *"), &times), [false, false, true, true, false]);
}

/// T20 Spring, Berlin: a window over the change is an hour shorter, and later ones begin an hour earlier in UTC
// Ref: robfig `Next`.
// By hand: 2026-03-29 01:00 CET = 00:00Z, 03:00 CEST = 01:00Z. The day's 08:00 is 06:00Z after 07:00Z the day before.
#[test]
fn t20_spring_berlin() {
    let times = ["2026-03-28T23:59:59Z", "2026-03-29T00:00:00Z", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"];
    assert_eq!(open("Europe/Berlin", ("0 1 * * *", "0 3 * * *"), &times), [false, true, true, false]);
    let times = ["2026-03-28T06:59:59Z", "2026-03-28T07:00:00Z", "2026-03-29T05:59:59Z", "2026-03-29T06:00:00Z"];
    assert_eq!(open("Europe/Berlin", ("0 8 * * *", "0 20 * * *"), &times), [false, true, false, true]);
}

/// T21 Autumn, Berlin: an end in the repeated hour closes the second time
// Ref: robfig `Next`.
// By hand: 2026-10-25 02:30 is 00:30Z (CEST) and 01:30Z (CET). At 00:30Z the next end is 01:30Z, before the next start 22:00
// CET = 21:00Z: still open.
#[test]
fn t21_autumn_berlin() {
    let times = ["2026-10-24T20:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:29:59Z", "2026-10-25T01:30:00Z", "2026-10-25T21:00:00Z"];
    assert_eq!(open("Europe/Berlin", ("0 22 * * *", "30 2 * * *"), &times), [true, true, true, false, true]);
}

/// T22 A window that lies between two polls is never seen
// Ref: scale_handler `startScaleLoop` (polls only).
// By hand: polls at 20 s past every other minute (interval 120 s, created 07:00:20): 07:58:20, 08:00:20. A window of 08:01 to
// 08:02 lies between 08:00:20 and 08:02:20: never seen, nothing happens.
#[test]
fn t22_window_between_polls() {
    let mut object = object(vec![cron(("1 8 * * *", "2 8 * * *"), 3)]);
    object.polling_interval_s = 120;
    let morning = Span { from: 7 * 3600 + 20, to: 9 * 3600, replicas: 0 };
    assert_eq!(changes(&object, &morning, &[]), []);
}
