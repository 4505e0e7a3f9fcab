//! Series and traces: what they become, and every fault of them.

use crate::input::{SHAPE, flat_series, load_files, patched, sound, steady_trace};
use gpuplan::diagnostic::Diagnostic;
use gpuplan::domain::{BurstClass, Demand, Scenario};
use gpuplan::ids::WorkloadId;

/// The base with this demand of `chat`, beside one data file.
fn load_data(demand: &str, csv: &[u8]) -> Result<gpuplan::input::Loaded, gpuplan::input::Rejected> {
    load_files(&[
        ("scenario.yaml", patched(&[(SHAPE, demand), ("      burst_cv2: 4\n", "")]).as_bytes()),
        ("profiles/own-job.yaml", crate::input::PROFILE.as_bytes()),
        ("data.csv", csv),
    ])
}

fn chat(scenario: &Scenario) -> &Demand {
    let chat = scenario.workload(&WorkloadId::new("chat")).and_then(|w| w.service());
    &chat.unwrap_or_else(|| panic!("chat is a service")).demand
}

fn found(demand: &str, csv: &[u8]) -> Vec<Diagnostic> {
    load_data(demand, csv).map_or_else(|rejected| rejected.diagnostics, |loaded| loaded.diagnostics)
}

/// The code is told, on the line of the data file (0: in the scenario).
fn check(demand: &str, csv: &str, (code, line): (&str, usize)) {
    let found = found(demand, csv.as_bytes());
    let told = found.iter().find(|d| d.code == code).unwrap_or_else(|| panic!("{code} is not among {found:#?}"));
    let place = told.place.as_ref();
    let at = place.filter(|p| p.path.ends_with("data.csv")).map_or(0, |p| csv[..p.span.start].matches('\n').count() + 1);
    assert_eq!(at, line, "{code}: {told:?}");
}

const SERIES: &str = "series: {file: data.csv}";
const TRACE: &str = "trace: {file: data.csv}";

#[test]
fn every_fault_of_a_series_is_told() {
    let series = flat_series();
    check(SERIES, "t_s,rate_rps\n", ("E1301", 0));
    check(SERIES, "", ("E1301", 0));
    check(SERIES, &series.replacen("rate_rps", "rate", 1), ("E1302", 1));
    check("series: {file: data.csv, idc_column: disp}", &series, ("E1302", 1));
    check(SERIES, &series.replacen("\n600,2,1", "\n600,NaN,1", 1), ("E1303", 3));
    check(SERIES, &series.replacen("\n600,2,1", "\n600,-2,1", 1), ("E1303", 3));
    check(SERIES, &series.replacen("\n600,2,1", "\n600,2", 1), ("E1303", 3));
    check(SERIES, &series.replacen("\n1200,2,1", "\n300,2,1", 1), ("E1304", 4));
    check(SERIES, &series.replacen("\n1200,2,1", "\n1300,2,1", 1), ("E1305", 4));
    check(SERIES, "t_s,rate_rps\n0,1\n7200,1\n14400,1\n", ("E1305", 3));
    check(SERIES, "t_s,rate_rps\n0,1\n3600,1\n", ("E1306", 3));
    check(SERIES, "t_s,rate_rps\n600,1\n1200,1\n", ("E1308", 2));
    check(SERIES, &series, ("E1315", 0));
    check("series: {file: data.csv}\n      scale: 0.5", &series, ("E1316", 0));
    check("series: {file: gone.csv}", &series, ("E1001", 0));
    let binary = found(SERIES, b"t_s,rate_rps\n0,\xff\xfe\n");
    assert!(binary.iter().any(|d| d.code == "E1002"), "{binary:?}");
}

#[test]
fn every_fault_of_a_trace_is_told() {
    check(TRACE, "t_s,input_tokens,output_tokens\n", ("E1301", 0));
    check(TRACE, "t_s,input_tokens,output_tokens\n5,1,1\n3,1,1\n", ("E1304", 3));
    check(TRACE, "t_s,input_tokens,output_tokens\n5,x,1\n", ("E1303", 2));
    check(TRACE, "t_s,input_tokens,output_tokens\n5,1,1\n1e300,1,1\n", ("E1303", 3));
    check(TRACE, "t_s,input_tokens,output_tokens\n5,1,1\n9,1,1\n", ("E1307", 0));
    let hour = "shape: {mean_rps: 2}\n      like: {file: data.csv}";
    check(hour, "t_s,input_tokens,output_tokens\n5,1,1\n9,1,1\n", ("E1314", 0));
}

#[test]
fn a_series_becomes_means_and_peaks_by_the_hour() {
    // The first hour holds 1..6 requests a second in steps of ten minutes: mean 3.5, largest 6.
    let rows: String = (0..144).map(|i| format!("{},{},1\n", i * 600, if i < 6 { i + 1 } else { 2 })).collect();
    let (scenario, _) = sound(load_data(SERIES, format!("t_s,rate_rps,idc\n{rows}").as_bytes()));
    let demand = chat(&scenario);
    // Midnight in New York is 05:00 UTC.
    assert!((demand.mean_rps[5] - 3.5).abs() < 1e-12);
    // p99 of the five-minute rate at 6 a second: 6 (1 + 2.33 / sqrt(1800)).
    assert!((demand.peak_rps[5] - 6.0 * (1.0 + 2.33 / 1800.0_f64.sqrt())).abs() < 1e-9);
    assert!((demand.mean_rps[5] - demand.mean_rps[29]).abs() < 1e-12, "a single day is repeated");
    assert_eq!(demand.burst, BurstClass::Poisson);
}

#[test]
fn thinning_smooths_a_stream_and_headroom_raises_its_peaks() {
    let bursty = flat_series().replace(",2,1", ",2,21");
    let (whole, _) = sound(load_data(SERIES, bursty.as_bytes()));
    let (tenth, _) = sound(load_data("series: {file: data.csv}\n      scale: 0.1\n      headroom_percent: 50", bursty.as_bytes()));
    assert_eq!(chat(&whole).burst, BurstClass::Spiky, "an index of 21");
    assert_eq!(chat(&tenth).burst, BurstClass::Bursty, "1 + 20 x 0.1 = 3");
    let peak = 0.2 * (1.0 + 2.33 * (3.0_f64 / 60.0).sqrt()) * 1.5;
    assert!((chat(&tenth).peak_rps[0] - peak).abs() < 1e-9, "{} is not {peak}", chat(&tenth).peak_rps[0]);
}

#[test]
fn load_that_outruns_replicas_is_never_reactive() {
    // Every other step is five times the one before.
    let rows: String = (0..144).map(|i| format!("{},{},1\n", i * 600, if i % 2 == 0 { 1 } else { 5 })).collect();
    let csv = format!("t_s,rate_rps,idc\n{rows}");
    check(SERIES, &csv, ("E1318", 0));
    let (scenario, _) = sound(load_data(SERIES, csv.as_bytes()));
    assert_eq!(chat(&scenario).burst, BurstClass::Untrackable);
    assert!((chat(&scenario).lag_growth - 3.0).abs() < 1e-12);
}

#[test]
fn a_trace_becomes_rates_tokens_and_burstiness() {
    let demand = format!("{TRACE}\n      #");
    let text =
        patched(&[(SHAPE, &demand), ("      tokens: {input_mean: 600, input_p95: 2000, output_mean: 220}\n      burst_cv2: 4\n", "")]);
    let loaded = load_files(&[
        ("scenario.yaml", text.as_bytes()),
        ("profiles/own-job.yaml", crate::input::PROFILE.as_bytes()),
        ("data.csv", steady_trace().as_bytes()),
    ]);
    let (scenario, _) = sound(loaded);
    let demand = chat(&scenario);
    assert!((demand.mean_rps[0] - 0.1).abs() < 1e-9, "one request in ten seconds");
    assert_eq!(demand.burst, BurstClass::Poisson);
    assert!(demand.tokens.is_some_and(|t| (t.input_mean - 500.0).abs() < 1e-9 && (t.output_mean - 100.0).abs() < 1e-9));
}
