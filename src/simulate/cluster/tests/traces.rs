//! Published formats of spot traces, and their faults.

use super::*;

fn tick_file(values: &str) -> String {
    format!("{{\"metadata\": {{\"gap_seconds\": 300, \"device\": \"v100\"}}, \"data\": [{values}]}}")
}

#[test]
fn one_means_what_it_is_said_to_mean() {
    let text = tick_file("1, 1, 0, 1");
    let available = Trace::ticks(&text, OneMeans::Available).expect("a trace");
    let preempted = Trace::ticks(&text, OneMeans::Preempted).expect("a trace");
    assert_eq!([0, 599, 600, 899, 900].map(|t| available.nodes(t)), [1, 1, 0, 0, 1]);
    assert_eq!([0, 599, 600, 899, 900].map(|t| preempted.nodes(t)), [0, 0, 1, 1, 0]);
    // Up for 900 of 1,200 s, lost once: 4 losses an hour of being up.
    assert_eq!(available.availability_and_hazard(), (0.75, 4.0));
    assert_eq!(preempted.availability_and_hazard(), (0.25, 12.0));
    assert_eq!(available.length_s(), 1200);
}

#[test]
fn counts_in_seconds_or_hours() {
    let seconds = Trace::counts("0,0\n3600,0\n3600,2\n5400,2\n5400,1\n7200,1\n", 1.0).expect("a trace");
    let hours = Trace::counts("0.000,0\n1.000,0\n1.000,2\n1.500,2\n1.500,1\n2.000,1\n", 3600.0).expect("a trace");
    assert_eq!(seconds, hours);
    assert_eq!([0, 3599, 3600, 5399, 5400].map(|t| seconds.nodes(t)), [0, 0, 2, 2, 1]);
    assert_eq!((seconds.most(), seconds.length_s()), (2, 7200));
}

#[test]
fn events_of_nodes() {
    let trace = Trace::node_events("0,add,n1\n0,add,n2\n60000,remove,n1\n120000,remove,n2\n").expect("a trace");
    assert_eq!([0, 59, 60, 119].map(|t| trace.nodes(t)), [2, 2, 1, 1]);
    assert_eq!(trace.length_s(), 120);
    let fault = Trace::node_events("0,add,n1\n5000,remove,n2\n").expect_err("n2 was never there");
    assert_eq!(fault.to_string(), "line 2: `remove` of `n2`, which is not there");
    assert!(Trace::node_events("0,add,n1\n0,add,n1\n9,remove,n1").is_err());
    assert!(Trace::node_events("0,grow,n1\n").is_err());
}

#[test]
fn stamped_logs_with_polls_mixed_up() {
    let text = "2021-12-31, 23:59:00, 8\n2022-01-01, 00:00:00, 8\n2021-12-31, 23:59:30, 5\n2022-01-01, 00:01:00, 5\n";
    let trace = Trace::stamped(text).expect("a trace");
    assert_eq!([0, 59, 60, 119].map(|t| trace.nodes(t)), [8, 8, 5, 5]);
    let far = Trace::stamped("2022-01-01, 00:02:00, 8\n2022-01-01, 00:00:00, 8\n").expect_err("two minutes back");
    assert_eq!(far.to_string(), "line 2: 120 s before the line above it");
    assert!(Trace::stamped("2022-02-30, 00:02:00, 8\n").is_err());
}

#[test]
fn faults_name_their_line() {
    let fault = |text: &str| Trace::counts(text, 1.0).map_err(|fault| fault.to_string());
    assert_eq!(fault("0,1\n\n5,x\n"), Err("line 3: `x` is no count of nodes".into()));
    assert_eq!(fault("0,1\n5,1\n4,2\n"), Err("line 3: 1 s before the line above it".into()));
    assert_eq!(fault("0,1\n-5,1\n"), Err("line 2: `-5` is no time".into()));
    assert_eq!(fault("0,1,2\n"), Err("line 1: 3 columns in place of 2".into()));
    assert_eq!(fault("0,8\n0,8\n"), Err("it covers no time".into()));
    assert_eq!(fault("0,0\n9,0\n"), Err("no node was ever available".into()));
    assert!(fault("").is_err());
    assert!(Trace::ticks("{\"data\": []}", OneMeans::Available).is_err());
    assert!(Trace::ticks(&tick_file(""), OneMeans::Available).is_err());
    assert!(Trace::ticks(&tick_file("-1"), OneMeans::Available).is_err());
}

#[test]
fn a_trace_repeats_from_its_offset() {
    // Down for 600..900 of 1,200 s; started at 500: down at 100..400 and 1300..1600.
    let trace = Trace::ticks(&tick_file("1, 1, 0, 1"), OneMeans::Available).expect("a trace");
    let mut weather = Weather::calm(0, 2000);
    weather.set_trace("p", "a", (&trace, 500));
    let windows: Vec<_> = weather.windows().into_iter().map(|w| (w.from, w.to, w.reclaims)).collect();
    assert_eq!(windows, vec![(100, 400, true), (1300, 1600, true)]);
    // Started inside the gap, it is away from the first second, and nothing is there to be reclaimed.
    weather.set_trace("p", "a", (&trace, 700));
    assert_eq!(weather.windows()[0], Window { pool: "p".into(), zone: "a".into(), from: 0, to: 200, reclaims: false });
}
