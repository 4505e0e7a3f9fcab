//! Every diagnostic of the scenario and of profiles: what is wrong with the file, its code, and the place it is told at.

use crate::input::{BASE, PROFILE, SHAPE, flat_series, load_files, load_text, patched, steady_trace};
use gpuplan::diagnostic::{Diagnostic, Severity};
use gpuplan::input::{Loaded, Rejected};
use std::collections::BTreeSet;
use std::path::Path;

/// A patch of the base, the code it must bring, and the text that the place must mark (empty: any place).
type Case = (&'static str, &'static str, &'static str, &'static str);

const SLO: &str = "{ttft_p99_ms: 2000, tpot_p99_ms: 80}";
const TOKENS: &str = "tokens: {input_mean: 600, input_p95: 2000, output_mean: 220}";
const WORK: &str = "weekdays: {release: \"22:00\", deadline: \"06:00\"}";
const PROMETHEUS: &str = "metrics: {server: \"http://prom:9090\", query: up, survives_pods: true}";

const STRUCTURE: &[Case] = &[
    ("name: base\n", "name: base\n  broken: [\n", "E1003", ""),
    ("team: search", "tema: search", "E1005", "tema"),
    ("max_workers: 2", "max_workers: two", "E1006", "two"),
    ("ttft_p99_ms: 2000", "ttft_p99_ms: 500ms", "E1006", "500ms"),
    ("mean_rps: 4", "mean_rps: [4]", "E1006", ""),
    ("regions: [us-east-1, us-west-2]", "regions: us-east-1", "E1006", ""),
    ("time_zone: America/New_York\n", "", "E1007", "format: gpuplan/scenario/v1"),
    ("    kind: service\n", "", "E1007", "- name: chat"),
    ("    team: search\n", "    team: search\n    team: find\n", "E1008", ""),
    ("kind: training", "kind: trainning", "E1009", "trainning"),
    ("capacity_type: on-demand, nodes: 4", "capacity_type: ondemand, nodes: 4", "E1009", "ondemand"),
    ("gpuplan/scenario/v1", "gpuplan/scenario/v9", "E1010", "gpuplan/scenario/v9"),
    ("{saving_percent: 40}", "{saving_percent: 40, budget_usd_per_month: 9}", "E1011", ""),
    ("families: [g6e, g4dn], ", "", "E1011", "g-on-demand"),
    (TOKENS, "trace: {file: steady.csv}", "E1011", ""),
    (WORK, "runs: [], daily: {release: \"1:00\", deadline: \"2:00\"}", "E1011", ""),
    ("    slo: {ttft_p99_ms: 2000, tpot_p99_ms: 80}\n", "", "E1012", "chat"),
    ("    max_workers: 2\n", "    max_workers: 2\n    slo: {latency_ms: 5}\n", "E1013", ""),
    ("    team: search\n", "    max_workers: 2\n", "E1013", "2"),
];

const NAMES: &[Case] = &[
    ("name: chat", "name: \"chat\\n${var.x}\"", "E1101", "\"chat\\n${var.x}\""),
    ("name: chat", "name: Chat", "E1101", "Chat"),
    ("team: search", "team: \"<script>alert(1)</script>\"", "E1101", ""),
    ("team: search", "namespace: \"a'b\"", "E1101", "\"a'b\""),
    ("team: search", "image: \"a b\"", "E1101", "\"a b\""),
    ("name: sp,", "name: -sp,", "E1101", "-sp"),
    ("name: nightly", "name: chat", "E1102", "chat"),
    ("name: batch", "name: serving", "E1102", "serving"),
    ("regions: [us-east-1, us-west-2]", "regions: [us-east-1, us-east-1]", "E1102", ""),
    ("regions: [us-east-1, us-west-2]", "regions: [us-east-1, us-wset-2]", "E1103", "us-wset-2"),
    ("    team: search\n", "    regions: [eu-west-1]\n", "E1103", "eu-west-1"),
    ("instance_type: g4dn.xlarge", "instance_type: g4dn.xlrge", "E1104", "g4dn.xlrge"),
    ("instance_type: g4dn.xlarge", "instance_type: a2-highgpu-1g", "E1104", "a2-highgpu-1g"),
    ("    team: search\n", "    accelerators: [l40]\n", "E1105", "l40"),
    ("profile: llama-3.1-8b", "profile: llama-3.1-8", "E1106", "llama-3.1-8"),
    ("node_group: serving", "node_group: servng", "E1107", "servng"),
    ("freeze: [nightly]", "freeze: [nightl]", "E1108", "nightl"),
    ("families: [g6e, g4dn]", "families: [g6f7]", "E1109", "g6f7"),
    ("time_zone: America/New_York", "time_zone: America/New_Yrok", "E1110", "America/New_Yrok"),
    ("    team: search\n", "    time_zone: Mars/Olympus\n", "E1110", "Mars/Olympus"),
    ("    team: search\n", "    precisions: [bf61]\n", "E1111", "bf61"),
    ("instance_type: g4dn.xlarge", "instance_type: g6f.xlarge", "E1114", "g6f.xlarge"),
    ("regions: [us-east-1, us-west-2]", "regions: []", "E1115", ""),
];

const VALUES: &[Case] = &[
    ("mean_rps: 4", "mean_rps: .nan", "E1201", ".nan"),
    ("mean_rps: 4", "mean_rps: .inf", "E1201", ".inf"),
    ("mean_rps: 4", "mean_rps: -4", "E1202", "-4"),
    ("      burst_cv2: 4\n", "      burst_cv2: 4\n      scale: -1\n", "E1202", "-1"),
    ("nodes: 4,", "nodes: -4,", "E1202", "-4"),
    ("usd_per_hour: 1.17", "usd_per_hour: 1170000", "E1202", "1170000"),
    ("max_workers: 2", "max_workers: 0", "E1202", "0"),
    ("    team: search\n", "    spot: {max_share: 40}\n", "E1203", "40"),
    ("availability: 0.95", "availability: 95", "E1203", "95"),
    ("as_of: \"2026-01-10\"", "as_of: \"2026-13-10\"", "E1204", "\"2026-13-10\""),
    ("name: base\n", "name: base\nanchor_monday: \"2026-01-13\"\n", "E1205", "\"2026-01-13\""),
    ("reason: peak", "reason: \"two\\nlines\"", "E1206", ""),
    ("    team: search\n", "    scaling: {metrics: {server: prom, query: up}}\n", "E1206", "prom"),
    ("release: \"22:00\"", "release: \"22:30\"", "E1207", "\"22:30\""),
    ("release: \"22:00\"", "release: \"25:00\"", "E1207", "\"25:00\""),
    ("    team: search\n", "    time_zone: Asia/Kolkata\n", "E1208", "Asia/Kolkata"),
];

const WORKLOADS: &[Case] = &[
    ("weekday: [0.1, ", "weekday: [", "E1309", ""),
    (SHAPE, "series: {file: flat.csv}\n      scale: 0", "E1202", "0"),
    (SHAPE, "series: {file: zero.csv}", "E1310", ""),
    (TOKENS, "headroom_percent: 5", "E1311", ""),
    ("profile: llama-3.1-8b", "profile: resnet50-triton", "E1312", "600"),
    ("input_p95: 2000", "input_p95: 20", "E1313", "20"),
    ("      burst_cv2: 4\n", "", "E1317", ""),
    ("      burst_cv2: 4\n", "      burst_cv2: 4\n      lag_growth: 4\n", "E1318", ""),
    (SLO, "{attainment: 0.9}", "E1401", ""),
    (SLO, "{ttft_ms: 9, ttft_p99_ms: 9}", "E1402", "9"),
    (SLO, "{ttft_ms: 900, attainment: 1}", "E1403", "1"),
    (SLO, "{ttft_ms: 900, attainment: 99}", "E1403", "99"),
    (SLO, "{ttft_p99_ms: 900, tpot_p95_ms: 90}", "E1404", "90"),
    (SLO, "{ttft_p99_ms: 900, attainment: 0.9}", "E1404", "900"),
    (SLO, "{ttft_ms: 900}", "E1405", ""),
    ("profile: llama-3.1-8b", "profile: resnet50-triton", "E1406", "2000"),
    ("profile: own-job", "profile: llama-3.1-8b", "E1407", "llama-3.1-8b"),
    ("    team: search\n", "    accelerators: [p4]\n", "E1408", "llama-3.1-8b"),
    ("    team: search\n", "    scaling: {modes: [reactive]}\n", "E1409", ""),
    ("    team: search\n", "    scaling: {modes: []}\n", "E1410", ""),
    ("    team: search\n", "    scaling: {scale_to_zero: true}\n", "E1411", "true"),
    ("profile: own-job", "profile: own-fragile\n    spot: {max_share: 1}", "E1413", "1"),
    (WORK, "runs: []", "E1414", ""),
    (
        WORK,
        "runs: [{release: \"fri 22:00\", deadline: \"mon 06:00\"}, {release: \"tue 9:00\", deadline: \"mon 6:00\"}]",
        "E1415",
        "\"mon 6:00\"",
    ),
    ("replicas: 4}", "replicas: 4, precision: int4}", "E1416", ""),
    (
        "    team: search\n",
        "    scaling: {scale_to_zero: true, metrics: {server: \"http://prom:9090\", query: up, survives_pods: true}}\n",
        "E1420",
        "true",
    ),
];

const FLEET: &[Case] = &[
    ("expires: \"2027-01-01\"", "expires: \"2026-01-01\"", "E1502", "\"2026-01-01\""),
    ("replicas: 4", "replicas: 9", "E1503", "9"),
    ("replicas: 4}", "replicas: 4, gpus_per_replica: 2}", "E1503", "2"),
    ("nodes: 1, usd_per_hour: 1.17", "nodes: 90000, usd_per_hour: 9999", "E1504", ""),
    ("discount_percent: 10", "node_autoscaler: {kind: gke}", "E1505", ""),
    ("discount_percent: 10", "node_autoscaler: {kind: karpenter, provision_p50_s: 400}", "E1202", "400"),
    ("regions: [us-east-1, us-west-2]", "regions: [us-east-1, us-central1]", "E1506", ""),
    ("    runs_on: {node_group: batch, replicas: 2}\n", "", "E1507", "nightly"),
    ("discount_percent: 10", "uncertainty: {cases: [{name: a, probability: 0.5}, {name: b, probability: 0.4}]}", "E1520", ""),
    ("discount_percent: 10", "uncertainty: {cases: [{name: a, probability: 0.5}, {name: a, probability: 0.5}]}", "E1102", "a"),
    ("discount_percent: 10", "uncertainty: {cases: [{name: a, probability: 1, demand_factor: 0}]}", "E1202", "0"),
    ("discount_percent: 10", "risk: {level: brave}", "E1009", "brave"),
];

const PROFILES: &[Case] = &[
    ("kind: job", "kind: jobb", "E1009", "jobb"),
    ("gpuplan/profile/v1", "gpuplan/profile/v2", "E1010", ""),
    ("    source: bench", "    source: bensh", "E1112", "bensh"),
    ("name: own-job", "name: other-job", "E1113", ""),
    ("accelerator: t4", "accelerator: t44", "E1105", "t44"),
    ("gpus_per_replica: 1", "gpus_per_replica: 3", "E1202", "3"),
    ("p50: 60, p95: 120", "p50: 600, p95: 120", "E1202", ""),
    ("gpu_memory_gib: 10", "gpu_memory_gib: 80", "E1408", ""),
    ("workers: 2,", "workers: 1,", "E1419", ""),
    ("requires_nvlink: false", "requires_nvlink: false\n    slice: mpss-4", "E1421", "mpss-4"),
    ("    job:\n", "    request:\n", "E1005", "throughput"),
    ("kind: job", "kind: llm", "E1418", "t4"),
    ("as_of: \"2026-01-01\"}\nvariants", "as_of: \"2026-01-32\"}\nvariants", "E1204", "\"2026-01-32\""),
];

/// Diagnostics of a load, sound or not, with the texts.
fn diagnostics(loaded: Result<Loaded, Rejected>) -> (Vec<Diagnostic>, gpuplan::input::read::Sources) {
    match loaded {
        Ok(loaded) => (loaded.diagnostics, loaded.sources),
        Err(rejected) => (rejected.diagnostics, rejected.sources),
    }
}

/// The base with these texts for the scenario and the profile, beside everything the cases name.
fn load_with(scenario: &str, profile: &str) -> Result<Loaded, Rejected> {
    let fragile = PROFILE.replace("name: own-job", "name: own-fragile").replace("checkpoint:", "# checkpoint:");
    let zero = flat_series().replace(",2,1", ",0,1");
    load_files(&[
        ("scenario.yaml", scenario.as_bytes()),
        ("profiles/own-job.yaml", profile.as_bytes()),
        ("profiles/own-fragile.yaml", fragile.as_bytes()),
        ("flat.csv", flat_series().as_bytes()),
        ("zero.csv", zero.as_bytes()),
        ("steady.csv", steady_trace().as_bytes()),
    ])
}

/// One case: the code is told, at the marked text, in words and with a line and a column when it is rendered.
fn check(case: &Case, loaded: Result<Loaded, Rejected>) {
    let (old, new, code, marked) = case;
    let (found, sources) = diagnostics(loaded);
    let told: Vec<&Diagnostic> = found.iter().filter(|d| d.code == *code).collect();
    assert!(!told.is_empty(), "{old:?} -> {new:?} should bring {code}, and brought {found:#?}");
    let texts: Vec<&str> = told.iter().filter_map(|d| d.place.as_ref()).filter_map(|p| sources.get(&p.path)?.get(p.span.clone())).collect();
    assert!(!texts.is_empty(), "{code} has no place");
    assert!(marked.is_empty() || texts.contains(marked), "{code} marks {texts:?}, not {marked:?}");
    assert!(told.iter().all(|d| !d.message.is_empty() && !d.message.ends_with('.')), "{told:?}");
}

#[test]
fn every_fault_of_a_scenario_is_told_with_its_place() {
    for case in &[STRUCTURE, NAMES, VALUES, WORKLOADS, FLEET].concat() {
        check(case, load_with(&patched(&[(case.0, case.1)]), PROFILE));
    }
}

#[test]
fn every_fault_of_a_profile_is_told_in_its_own_file() {
    for case in PROFILES {
        assert!(PROFILE.contains(case.0), "the profile has no {:?}", case.0);
        check(case, load_with(BASE, &PROFILE.replacen(case.0, case.1, 1)));
    }
    let twice = PROFILE.replace(
        "cold_start:",
        &format!("{}cold_start:", &PROFILE[PROFILE.find("  - accelerator").unwrap_or(0)..PROFILE.find("cold_start:").unwrap_or(0)]),
    );
    check(&("variants", "twice", "E1102", "t4"), load_with(BASE, &twice));
    let none = PROFILE.split("variants:").next().unwrap_or_default().to_owned()
        + "variants: []\n"
        + &PROFILE[PROFILE.find("cold_start:").unwrap_or(0)..];
    check(&("variants", "none", "E1417", ""), load_with(BASE, &none));
}

#[test]
fn faults_of_combined_settings_are_told() {
    let held = format!("    scaling: {{scale_to_zero: true, cold_requests: hold, {PROMETHEUS}}}\n");
    check(&("hold", "", "E1412", "hold"), load_text(&patched(&[("    team: search\n", &held)])));
    let patient = held.replace("hold,", "hold, request_timeout_s: 2000,");
    assert!(load_text(&patched(&[("    team: search\n", &patient)])).is_ok(), "a caller that waits long enough may be held");
    let start = BASE.find("workloads:").unwrap_or(0);
    let none = format!("{}workloads: []\n", &BASE[..start]);
    check(&("workloads", "none", "E1116", ""), load_text(&none));
}

#[test]
fn a_group_without_a_price_is_told() {
    // A type that one of the regions has and the other has not, whichever the catalogue holds.
    let catalog = gpuplan::catalog::builtin::catalog().unwrap_or_else(|e| panic!("{e}"));
    let types = |region: &str| -> BTreeSet<&str> {
        let rows = catalog.rows.iter().filter(|row| row.region == region && row.whole_gpus().is_some());
        rows.map(|row| row.instance_type.as_str()).collect()
    };
    let (east, west) = (types("us-east-1"), types("eu-west-1"));
    let name = east.difference(&west).next().unwrap_or_else(|| panic!("both regions have the same types"));
    let group = format!("instance_type: {name}, region: eu-west-1, capacity_type: spot");
    let regions = ("regions: [us-east-1, us-west-2]", "regions: [us-east-1, eu-west-1]");
    let text = patched(&[regions, ("instance_type: g4dn.xlarge, region: us-east-1, capacity_type: spot", &group)]);
    let (found, _) = diagnostics(load_text(&text));
    assert!(found.iter().any(|d| d.code == "E1501" && d.message.contains(name)), "{found:?}");
}

#[test]
fn one_fault_does_not_hide_another_in_the_same_file_or_the_next() {
    let text = patched(&[
        ("tpot_p99_ms: 80", "tpot_p99_ms: soon"),
        ("team: search", "tema: search"),
        ("kind: training", "kind: trainng"),
        ("node_group: batch", "node_group: btach"),
        (SHAPE, "series: {file: gone.csv}"),
    ]);
    let (found, _) = diagnostics(load_with(&text, &PROFILE.replace("workers: 2,", "workers: 0,")));
    let codes: BTreeSet<&str> = found.iter().filter(|d| d.severity == Severity::Error).map(|d| d.code).collect();
    assert_eq!(codes, BTreeSet::from(["E1001", "E1005", "E1006", "E1009", "E1107", "E1419"]), "{found:#?}");
}

#[test]
fn a_scenario_that_is_no_yaml_does_not_hide_its_profiles() {
    let (found, _) = diagnostics(load_with("format: gpuplan/scenario/v1\n\tname: x\n", &PROFILE.replace("kind: job", "kind: jobb")));
    let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["E1003", "E1009"]);
}

#[test]
fn unknown_names_come_with_the_nearest_known_one() {
    let helps = [
        ("team: search", "tema: search", "did you mean `team`?"),
        ("time_zone: America/New_York", "time_zone: America/NewYork", "did you mean `America/New_York`?"),
        ("profile: llama-3.1-8b", "profile: lama-3.1-8b", "did you mean `llama-3.1-8b`?"),
        ("profile: own-job", "profile: own-jobs", "did you mean `own-job`?"),
        ("    team: search\n", "    accelerators: [h100]\n", "did you mean `h100-80-sxm` or `h100-94-nvl`?"),
        ("instance_type: g4dn.xlarge", "instance_type: g4nd.xlarge", "did you mean `g4dn.xlarge`?"),
    ];
    for (old, new, help) in helps {
        let (found, _) = diagnostics(load_text(&patched(&[(old, new)])));
        assert!(found.iter().any(|d| d.help.as_deref() == Some(help)), "{new}: {found:#?}");
    }
}

#[test]
fn a_bomb_of_aliases_is_refused_at_once() {
    let mut bomb =
        patched(&[("name: base\n", "name: base\ndescription: &a0 [x, x, x, x, x, x, x, x, x]\n")]).replace("description: ", "k0: ");
    for i in 1..12 {
        let items = vec![format!("*a{}", i - 1); 9].join(", ");
        bomb.push_str(&format!("k{i}: &a{i} [{items}]\n"));
    }
    let before = std::time::Instant::now();
    assert!(load_text(&bomb).is_err());
    // In a place where a list belongs, so that nothing but the limit can stop it.
    let deep = format!("{}freeze: {}a{}\n", "format: gpuplan/scenario/v1\n", "[".repeat(500), "]".repeat(500));
    let (found, _) = diagnostics(load_text(&deep));
    assert!(!found.is_empty());
    let mut wide = String::from("format: gpuplan/scenario/v1\nname: x\ntime_zone: UTC\nregions: &r [");
    wide.push_str(&vec!["us-east-1"; 1000].join(", "));
    wide.push_str("]\nfreeze: *r\nworkloads:\n");
    for i in 0..2000 {
        wide.push_str(&format!("- {{name: w{i}, kind: service, profile: llama-3.1-8b, regions: *r, accelerators: *r}}\n"));
    }
    let (found, _) = diagnostics(load_text(&wide));
    assert!(found.iter().any(|d| d.code == "E1004"), "{:?}", found.iter().map(|d| d.code).collect::<BTreeSet<_>>());
    assert!(before.elapsed().as_secs() < 5);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 300, failure_persistence: None, ..Default::default() })]

    /// Whatever a slip of the hand does to the files, they are told of and nothing panics; the diagnostics can be rendered.
    #[test]
    fn no_slip_of_the_hand_is_a_panic(
        cuts in proptest::collection::vec((0.0..1.0_f64, 0_usize..12, "[a-z0-9:{}\\[\\], \n\"'&*#é.-]{0,6}"), 1..5),
        of_profile in proptest::bool::ANY,
    ) {
        let mut text = if of_profile { PROFILE.to_owned() } else { BASE.to_owned() };
        for (at, length, put) in &cuts {
            let start = text.floor_char_boundary((at * text.len() as f64) as usize);
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end, put);
        }
        let loaded = if of_profile { load_with(BASE, &text) } else { load_with(&text, PROFILE) };
        let sound = loaded.is_ok();
        let (found, sources) = diagnostics(loaded);
        proptest::prop_assert_eq!(sound, !found.iter().any(|d| d.severity == Severity::Error));
        let rendered = gpuplan::input::render::render(&found, &sources, gpuplan::input::render::Style::default());
        proptest::prop_assert!(found.is_empty() || rendered.contains("[E1"));
    }
}

#[test]
fn a_broken_catalogue_would_be_told() {
    assert_eq!(gpuplan::input::codes::BROKEN_BUILTIN, "E1901");
    let header = "cloud,region,instance_type,accelerator,gpus,visible_gpu_memory_gib,vcpus,ram_gib,nvlink,zones,capacity_type,term,usd_per_hour,interruption_band,purchasable,source,as_of,note\n";
    let row = |price: &str, cloud: &str| format!("{header}{cloud},r,x.large,t4,1,15,4,16,false,,on-demand,,{price},,true,s,2026-01-01,\n");
    let gpus = gpuplan::catalog::builtin::ACCELERATORS_CSV;
    assert!(gpuplan::catalog::Catalog::parse(gpus, &row("1.5", "aws")).is_ok());
    assert!(gpuplan::catalog::Catalog::parse(gpus, &row("0", "aws")).is_err(), "unknown is no row, never a price of 0");
    assert!(gpuplan::catalog::Catalog::parse(gpus, &row("1.5", "moon")).is_err());
}

#[test]
fn every_code_is_tested_here_and_in_order_in_the_documents() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let defined = read("src/input/codes.rs");
    let tests: String = ["input.rs", "input_faults.rs", "input_data.rs", "capacity.rs", "purchases/input.rs", "regions.rs", "robust.rs"]
        .map(|f| read(&format!("tests/it/{f}")))
        .concat();
    let document = read("docs/diagnostics.md");
    let codes: BTreeSet<&str> = defined.split('"').filter(|part| part.len() == 5 && part.starts_with('E')).collect();
    assert!(codes.len() > 70, "{} codes found", codes.len());
    let untested: Vec<&&str> = codes.iter().filter(|code| !tests.contains(&format!("\"{code}\""))).collect();
    assert!(untested.is_empty(), "codes without a test: {untested:?}");
    let undocumented: Vec<&&str> = codes.iter().filter(|code| !document.contains(&format!("### {code}"))).collect();
    assert!(undocumented.is_empty(), "codes without a section in docs/diagnostics.md: {undocumented:?}");
}
