use super::*;

fn series(name: &str, labels: &[(&str, &str)], value: f64) -> Series {
    let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Series { name: name.to_owned(), labels, value }
}

/// Two pods of a model, one of another, and a gateway.
fn present() -> Vec<Series> {
    vec![
        series("run", &[("pod", "chat-a"), ("model", "chat")], 3.0),
        series("run", &[("pod", "chat-b"), ("model", "chat")], 5.0),
        series("run", &[("pod", "code-a"), ("model", "code")], 2.0),
        series("wait", &[("pod", "chat-a"), ("model", "chat")], 10.0),
        series("wait", &[("pod", "chat-b"), ("model", "chat")], 0.0),
        series("gateway:in_flight", &[], 7.0),
    ]
}

#[expect(clippy::unwrap_used, reason = "test")]
fn answer(query: &str) -> Answer {
    Query::parse(query).unwrap().evaluate(&present())
}

fn error(query: &str) -> String {
    Query::parse(query).map_or_else(|error| error.to_string(), |_| "read".to_owned())
}

#[test]
fn selectors_match_names_and_labels() {
    assert_eq!(answer("gateway:in_flight"), Answer::One(7.0));
    assert_eq!(answer("run{pod='code-a'}"), Answer::One(2.0));
    assert_eq!(answer(r#"{__name__="wait", pod!="chat-a"}"#), Answer::One(0.0));
    assert_eq!(answer(r#"run{model=~"co.e|none"}"#), Answer::One(2.0));
    assert_eq!(answer(r#"run{model!~"ch.*", pod=~".+-a",}"#), Answer::One(2.0));
    assert_eq!(answer("run"), Answer::Several(3));
    assert_eq!(answer("gone"), Answer::Empty);
    // A label that is absent is empty.
    assert_eq!(answer(r#"sum(run{zone=""})"#), Answer::One(10.0));
}

#[test]
fn aggregations_group() {
    assert_eq!(answer("sum(run)"), Answer::One(10.0));
    assert_eq!(answer("SUM(run) by (model)"), Answer::Several(2));
    assert_eq!(answer("max by (model) (run{model='chat'})"), Answer::One(5.0));
    assert_eq!(answer("min without (pod) (run{model='chat'})"), Answer::One(3.0));
    assert_eq!(answer("avg(run{model='chat'})"), Answer::One(4.0));
    assert_eq!(answer("count(run)"), Answer::One(3.0));
    assert_eq!(answer("sum(gone)"), Answer::Empty);
    assert_eq!(answer("count(sum by (model) (run) > 2)"), Answer::One(1.0));
}

#[test]
fn arithmetic_matches_by_labels() {
    // code-a has no `wait` and drops out: (3 + 10) + (5 + 0).
    assert_eq!(answer("sum(run + wait)"), Answer::One(18.0));
    assert_eq!(answer("sum(run) + sum(wait)"), Answer::One(20.0));
    assert_eq!(answer("sum(run) / count(run) * 3"), Answer::One(10.0));
    assert_eq!(answer("2 * sum(run) - -1"), Answer::One(21.0));
    assert_eq!(answer("sum(run) + sum(gone)"), Answer::Empty);
    // Without a label both pods of chat are one.
    assert_eq!(answer(r#"sum({__name__=~"run|wait"} * run)"#), Answer::Ambiguous);
}

#[test]
fn precedence_is_that_of_promql() {
    assert_eq!(answer("vector(2 + 3 * 2 ^ 3 ^ 0)"), Answer::One(8.0));
    assert_eq!(answer("vector(-2 ^ 2)"), Answer::One(-4.0));
    assert_eq!(answer("vector((2 + 3) * 2 % 4)"), Answer::One(2.0));
    assert_eq!(answer("sum(run) > 9 or vector(1)"), Answer::One(10.0));
}

#[test]
fn filters_and_sets() {
    assert_eq!(answer("sum(run) > 10"), Answer::Empty);
    assert_eq!(answer("10 <= sum(run)"), Answer::One(10.0));
    assert_eq!(answer("sum(run) > bool 10"), Answer::One(0.0));
    assert_eq!(answer("sum(gone) or vector(0)"), Answer::One(0.0));
    assert_eq!(answer("sum(run) or vector(0)"), Answer::One(10.0));
    // Other labels: both stay, which KEDA refuses.
    assert_eq!(answer("run{pod='code-a'} or vector(0)"), Answer::Several(2));
    assert_eq!(answer("sum(run and wait)"), Answer::One(8.0));
    assert_eq!(answer("run unless wait"), Answer::One(2.0));
}

#[test]
fn functions() {
    assert_eq!(answer("clamp_min(sum(run), 12)"), Answer::One(12.0));
    assert_eq!(answer("clamp_max(sum(run), 4)"), Answer::One(4.0));
    assert_eq!(answer("clamp(sum(run), 5, 1)"), Answer::Empty);
    assert_eq!(answer("ceil(sum(run) / 4)"), Answer::One(3.0));
    assert_eq!(answer("vector(scalar(sum(run)) + 1)"), Answer::One(11.0));
    assert!(matches!(answer("vector(scalar(run))"), Answer::One(value) if value.is_nan()));
    assert_eq!(answer("sum(run) / 0"), Answer::One(f64::INFINITY));
}

#[test]
fn keda_refuses_scalars_and_several_elements() {
    assert_eq!(answer("scalar(sum(run))"), Answer::Scalar(10.0));
    assert_eq!(Reading::from(answer("scalar(sum(run))")), Reading::Error);
    assert_eq!(Reading::from(answer("run")), Reading::Error);
    assert_eq!(Reading::from(answer("gone")), Reading::Empty);
    assert_eq!(Reading::from(answer("sum(run)")), Reading::Value(10.0));
}

#[test]
fn what_needs_a_history_is_named() {
    assert_eq!(error("sum(deriv(run[5m]))"), "the query cannot be evaluated: function `deriv`");
    assert_eq!(error("avg_over_time(run[1m])"), "the query cannot be evaluated: function `avg_over_time`");
    assert_eq!(error("run[5m]"), "the query cannot be evaluated: a range of samples `[...]` needs a history");
    assert_eq!(error("run offset 5m"), "the query cannot be evaluated: `offset` and `@` need a history");
    assert_eq!(error("a * on(x) b"), "the query cannot be evaluated: vector matching with `on` or `ignoring`");
    assert_eq!(error("run{pod=~\"[ab]\"}"), "the query cannot be evaluated: regular expression `[ab]`");
}

#[test]
#[expect(clippy::unwrap_used, reason = "test")]
fn counters_are_series_of_their_window() {
    let query = Query::parse("sum(increase(requests_total{service=\"x\"}[2m]))").unwrap();
    let selected = query.selections();
    assert_eq!(selected.len(), 1);
    assert_eq!(super::counted_over(&selected[0].name), Some(120));
    let series = [Series { name: selected[0].name.clone(), labels: selected[0].labels.clone(), value: 6.0 }];
    assert_eq!(query.evaluate(&series), Answer::One(6.0));
    assert_eq!(query.evaluate(&[]), Answer::Empty);
    let rate = Query::parse("rate(requests_total{service=\"x\"}[120s])").unwrap();
    assert_eq!(rate.evaluate(&series), Answer::One(0.05));
}

#[test]
fn syntax_errors_have_a_place() {
    assert_eq!(error("sum(run"), "syntax error at byte 7 of the query: expected `)`");
    assert_eq!(error("sum(1)"), "syntax error at byte 4 of the query: expected a vector, not a scalar");
    assert_eq!(error("1 > 2"), "syntax error at byte 2 of the query: a comparison of scalars needs `bool`");
    assert_eq!(error("run or 1"), "syntax error at byte 4 of the query: a set operator needs vectors");
    assert_eq!(
        error("{}"),
        "syntax error at byte 0 of the query: a selector needs a name or a matcher that does not match the empty string"
    );
    assert_eq!(error("run run"), "syntax error at byte 4 of the query: expected the end of the query");
    assert_eq!(error(""), "syntax error at byte 0 of the query: expected an expression");
    assert_eq!(error("run{pod='a"), "syntax error at byte 8 of the query: the string does not end");
    assert_eq!(error("run $"), "syntax error at byte 4 of the query: unexpected `$`");
    assert!(error(&"(".repeat(10_000)).ends_with("expected fewer brackets"));
}

#[test]
#[expect(clippy::unwrap_used, reason = "test")]
fn selections_are_series_with_their_equal_labels() {
    let query = r#"sum(run{model="chat",pod=~"x.*"}) + clamp_min(sum(wait{zone!="b"}), scalar(gone)) or vector(0)"#;
    let found = Query::parse(query).unwrap().selections();
    let selection = |name: &str, labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Selection { name: name.to_owned(), labels }
    };
    assert_eq!(found, [selection("gone", &[]), selection("run", &[("model", "chat")]), selection("wait", &[])]);
}
