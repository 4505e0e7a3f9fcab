//! What triggers make of what they read: empty results, several elements, NaN, types, caching.

use super::*;
use crate::simulate::autoscaler::promql::{Query, Series};
use std::collections::BTreeMap;

const RUNNING: &str = "sum(vllm:num_requests_running + vllm:num_requests_waiting)";

/// A pod's two engine metrics.
fn engine(pod: &str, (running, waiting): (f64, f64)) -> [Series; 2] {
    let labels: BTreeMap<String, String> = [("pod".to_owned(), pod.to_owned())].into();
    let series = |name: &str, value: f64| Series { name: name.to_owned(), labels: labels.clone(), value };
    [series("vllm:num_requests_running", running), series("vllm:num_requests_waiting", waiting)]
}

/// Every count that is set, a query being asked about series that exist.
#[expect(clippy::unwrap_used, reason = "test")]
fn answered(object: &ScaledObject, span: &Span, (query, series): (&str, &[Series])) -> Vec<(i64, u32)> {
    let query = Query::parse(query).unwrap();
    let read = |_: i64, _: usize| query.read(series);
    changes_with(object, span, Play { read: &read, ready: &|spec| spec })
}

/// T35 A service that only its own pods could wake stays asleep
// Ref: prometheus_scaler `ExecutePromQuery` (empty is 0).
// By hand: at zero no pod exposes a series, the sum is empty, 0 is not above 0. A metric of the gateway in front wakes it at
// the first poll.
#[test]
fn t35_vanished_series() {
    let object = object(vec![load(10.0)]);
    assert_eq!(answered(&object, &span(0, 3600), (RUNNING, &[])), []);
    let gateway = [Series { name: "gateway_in_flight".to_owned(), labels: BTreeMap::new(), value: 7.0 }];
    assert_eq!(answered(&object, &span(0, 3600), ("sum(gateway_in_flight)", &gateway)), [(0, 1)]);
}

/// T36 `ignoreNullValues: false`: an empty result is a failure, and holds the count
// Ref: prometheus_scaler `ExecutePromQuery`; executor `RequestScale` (inactive, error, no fallback: no change).
// By hand: 1 replica, min 0, empty. A failure: stays 1, and at zero stays 0. Where empty is 0: never active, zero at the
// first poll.
#[test]
fn t36_empty_is_a_failure() {
    let strict = object(vec![load_with(10.0, (0.0, false))]);
    assert_eq!(changes(&strict, &span(1, 3600), &[(0, &[Reading::Empty])]), []);
    assert_eq!(changes(&strict, &span(0, 3600), &[(0, &[Reading::Empty])]), []);
    assert_eq!(changes(&object(vec![load(10.0)]), &span(1, 3600), &[(0, &[Reading::Empty])]), [(0, 0)]);
}

/// T37 A result of several elements is a failure
// Ref: prometheus_scaler `ExecutePromQuery` ("returned multiple elements").
// By hand: two pods with 30 each. Summed: 6 wanted, limit 2 + 4. Not summed: two elements, no change, whatever the load.
#[test]
fn t37_several_elements() {
    let object = object(vec![load(10.0)]);
    let series = [engine("a", (20.0, 10.0)), engine("b", (25.0, 5.0))].concat();
    assert_eq!(answered(&object, &span(2, 60), (RUNNING, &series)), [(15, 6)]);
    assert_eq!(answered(&object, &span(2, 60), ("vllm:num_requests_running + vllm:num_requests_waiting", &series)), []);
}

/// T38 NaN is 0, or with `ignoreNullValues: false` a failure
// Ref: prometheus_scaler `ExecutePromQuery` (`math.IsNaN`).
// By hand: 0 / 0. As 0: never active, zero at poll 0. As a failure: stays 1.
#[test]
fn t38_not_a_number() {
    let query = "sum(vllm:num_requests_waiting) / sum(vllm:num_requests_running)";
    let series = engine("a", (0.0, 0.0));
    assert_eq!(answered(&object(vec![load(10.0)]), &span(1, 600), (query, &series)), [(0, 0)]);
    assert_eq!(answered(&object(vec![load_with(10.0, (0.0, false))]), &span(1, 600), (query, &series)), []);
}

/// T39 Several triggers: the largest proposal
// Ref: horizontal `computeReplicasForMetrics`.
// By hand: 30 of 10 each wants 3, 14 of 2 each wants 7: 7, by 4 + 4 at most from 4.
#[test]
fn t39_largest_of_several() {
    let object = object(vec![load(10.0), load(2.0)]);
    assert_eq!(changes(&object, &span(4, 600), &[(0, &[value(30.0), value(14.0)])]), [(15, 7)]);
}

/// T40 `metricType: Value`: the ratio times the ready pods
// Ref: replica_calculator `GetExternalMetricReplicas`, `getUsageRatioReplicaCount`.
// By hand: target 100, value 200, ratio 2, 4 replicas. All ready: 8. Two ready: ceil(2 x 2) = 4. None ready: 0, held by the
// first 4 until 315, then the minimum 1: a value scales pods away that only start. 105: within the tolerance.
#[test]
fn t40_value_metric() {
    let mut object = object(vec![load(100.0)]);
    object.triggers[0].metric_type = MetricType::Value;
    let run = |load: f64, ready: &dyn Fn(u32) -> u32, to| changes_with(&object, &span(4, to), Play { read: &|_, _| value(load), ready });
    assert_eq!(run(200.0, &|spec| spec, 20), [(15, 8)]);
    assert_eq!(run(200.0, &|_| 2, 600), []);
    assert_eq!(run(200.0, &|_| 0, 330), [(315, 1)]);
    assert_eq!(run(105.0, &|spec| spec, 600), []);
}

/// T41 `useCachedMetrics`: the HPA sees the value of the last poll
// Ref: scale_handler `GetScaledObjectMetrics`, `StoreRecords`.
// By hand: poll every 60 s; 10 until 61 s, then 100. Cached: syncs 75 to 120 see the 10 of poll 60 (120 syncs before it
// polls); 135: 5, 150: 10. Not cached: 75: 5, 90: 10.
#[test]
fn t41_cached_metrics() {
    let mut object = object(vec![load(10.0)]);
    object.polling_interval_s = 60;
    let inputs: Inputs<'_> = &[(0, &[value(10.0)]), (61, &[value(100.0)])];
    assert_eq!(changes(&object, &span(1, 300), inputs), [(75, 5), (90, 10)]);
    object.triggers[0].use_cached_metrics = true;
    assert_eq!(changes(&object, &span(1, 300), inputs), [(135, 5), (150, 10)]);
}

/// T42 An infinite ratio is 0 as well: a division by no capacity does not scale up
// Ref: prometheus_scaler `ExecutePromQuery` (`math.IsInf`).
// By hand: 5 / 0 = +Inf, read as 0: not active; zero at poll 0.
#[test]
fn t42_infinite() {
    let query = "sum(vllm:num_requests_waiting) / sum(vllm:num_requests_running)";
    assert_eq!(answered(&object(vec![load(10.0)]), &span(1, 600), (query, &engine("a", (0.0, 5.0)))), [(0, 0)]);
}
