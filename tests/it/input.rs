//! The way in: a sound scenario becomes the values it says, whatever the order and the layout of its file.

use gpuplan::diagnostic::Diagnostic;
use gpuplan::domain::{BurstClass, CapacityType, JobRun, Mode, NodeAutoscalerKind, Scenario, Target};
use gpuplan::ids::{InstanceTypeId, RegionId, WorkloadId};
use gpuplan::input::{Loaded, Rejected, load};
use std::fs;
use std::path::Path;

/// A small scenario with one of everything, which the tests patch.
pub const BASE: &str = include_str!("input_base/scenario.yaml");
/// A job profile beside it.
pub const PROFILE: &str = include_str!("input_base/own-job.yaml");

/// The demand of `chat` in the base, to put another one in its place.
pub const SHAPE: &str =
    "shape:\n        mean_rps: 4\n        weekday: [0.1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]";

/// A day of equal steps of ten minutes at two requests a second.
pub fn flat_series() -> String {
    let rows: Vec<String> = (0..144).map(|i| format!("{},2,1", i * 600)).collect();
    format!("t_s,rate_rps,idc\n{}\n", rows.join("\n"))
}

/// A day and a bit of requests, one every ten seconds.
pub fn steady_trace() -> String {
    let rows: Vec<String> = (0..9000).map(|i| format!("{},500,100", i * 10)).collect();
    format!("t_s,input_tokens,output_tokens\n{}\n", rows.join("\n"))
}

/// Loads a folder of these files.
pub fn load_files(files: &[(&str, &[u8])]) -> Result<Loaded, Rejected> {
    let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
    for (path, content) in files {
        write(&folder.path().join(path), content);
    }
    load(folder.path())
}

fn write(path: &Path, content: &[u8]) {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).and_then(|()| fs::write(path, content)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// Loads the base scenario with this text, beside all its files.
pub fn load_text(scenario: &str) -> Result<Loaded, Rejected> {
    load_files(&[
        ("scenario.yaml", scenario.as_bytes()),
        ("profiles/own-job.yaml", PROFILE.as_bytes()),
        ("flat.csv", flat_series().as_bytes()),
        ("steady.csv", steady_trace().as_bytes()),
    ])
}

/// The base scenario with each `(old, new)` replaced once; a patch that does not apply is a fault of the test.
pub fn patched(patches: &[(&str, &str)]) -> String {
    patches.iter().fold(BASE.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the base has no {old:?}");
        text.replacen(old, new, 1)
    })
}

/// The scenario, or a panic with what is wrong with it.
pub fn sound(loaded: Result<Loaded, Rejected>) -> (Scenario, Vec<Diagnostic>) {
    match loaded {
        Ok(loaded) => (loaded.scenario, loaded.diagnostics),
        Err(rejected) => panic!("not sound: {:#?}", rejected.diagnostics),
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9 * b.abs().max(1.0)
}

#[test]
fn a_sound_scenario_is_what_it_says() {
    let (scenario, notes) = sound(load_text(BASE));
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(scenario.name, "base");
    assert!(!scenario.demo);
    assert_eq!(scenario.target, Some(Target::Saving(0.4)));
    assert_eq!(scenario.node_autoscaler.kind, NodeAutoscalerKind::Karpenter);
    let names: Vec<&str> = scenario.workloads.iter().map(|workload| workload.id.as_str()).collect();
    assert_eq!(names, ["chat", "nightly"]);
    assert_eq!(scenario.profiles.len(), 2);
    assert!(scenario.freeze.contains(&WorkloadId::new("nightly")));
    // On demand: (1.861 x 0.9 + 0.01) x 1.02; the discount does not touch spot.
    let group = &scenario.fleet.node_groups[1];
    assert_eq!((group.id.as_str(), group.max_nodes), ("serving", 4));
    let offering = |capacity| scenario.offering(&InstanceTypeId::new("g6e.xlarge"), &RegionId::new("us-east-1"), capacity);
    let price = |capacity| offering(capacity).map_or(0.0, |o| o.price.as_f64());
    assert!(near(price(CapacityType::OnDemand), (1.861 * 0.9 + 0.01) * 1.02), "{}", price(CapacityType::OnDemand));
    assert!(near(price(CapacityType::Spot), (0.7 + 0.01) * 1.02), "the scenario's own price holds");
    assert!(offering(CapacityType::Spot).and_then(|o| o.risk).is_some_and(|r| near(r.availability, 0.95)), "and its own log");
}

#[test]
fn times_of_day_become_utc_hours() {
    let (scenario, _) = sound(load_text(BASE));
    let nightly = scenario.workload(&WorkloadId::new("nightly")).and_then(|w| w.job());
    let runs = nightly.map(|job| job.runs.clone()).unwrap_or_default();
    // 22:00 to 06:00 in New York, five hours behind: Tuesday 03:00 to 11:00 UTC for Monday's.
    assert_eq!(runs.len(), 5);
    assert_eq!(runs[0], JobRun { release_hour: 27, deadline_hour: 35 });
    let chat = scenario.workload(&WorkloadId::new("chat")).and_then(|w| w.service());
    let demand = &chat.unwrap_or_else(|| panic!("chat is a service")).demand;
    // Midnight in New York has a tenth of the factor of the other hours: 05:00 UTC on Monday.
    let least = demand.mean_rps.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(near(demand.mean_rps[5], least) && demand.mean_rps[6] > 9.0 * least);
    let mean = demand.mean_rps.iter().sum::<f64>() / 168.0;
    assert!(near(mean, 4.0), "factors are brought to the mean: {mean}");
    assert!(demand.peak_rps.iter().zip(&demand.mean_rps).all(|(peak, mean)| peak >= mean));
    assert_eq!(demand.burst, BurstClass::Bursty);
}

#[test]
fn what_is_not_said_has_its_default() {
    let (scenario, _) = sound(load_text(BASE));
    let chat = scenario.workload(&WorkloadId::new("chat")).unwrap_or_else(|| panic!("chat"));
    let scaling = &chat.service().unwrap_or_else(|| panic!("a service")).scaling;
    assert_eq!(scaling.modes, [Mode::Static, Mode::Scheduled], "no metric: not reactive");
    assert!(near(chat.spot.max_share, 0.0) && !scaling.scale_to_zero, "spot and zero are opt-in");
    assert_eq!((scaling.max_windows, scaling.min_replicas), (4, 1));
    let nightly = scenario.workload(&WorkloadId::new("nightly")).unwrap_or_else(|| panic!("nightly"));
    assert!(near(nightly.spot.max_share, 1.0), "a job that checkpoints may use spot");
}

#[test]
fn order_and_layout_of_the_file_change_nothing() {
    let (first, _) = sound(load_text(BASE));
    let start = BASE.find("  - name: chat").unwrap_or(0);
    let middle = BASE.find("  - name: nightly").unwrap_or(0);
    let end = BASE.find("quotas:").unwrap_or(0);
    let shuffled = format!("# a comment\n{}{}{}{}", &BASE[..start], &BASE[middle..end], &BASE[start..middle], &BASE[end..]);
    let (second, _) = sound(load_text(&shuffled.replace("regions: [us-east-1, us-west-2]", "regions:\n  - us-west-2\n  - us-east-1")));
    assert_eq!(first, second);
    let (third, _) = sound(load_text(&patched(&[("mean_rps: 4", "mean_rps: 4.000001")])));
    assert_ne!(first.sha256, third.sha256, "a changed number is another scenario");
}

#[test]
fn anchors_and_aliases_may_be_used() {
    let text = patched(&[("weekday: [", "weekday: &day ["), ("      tokens:", "        weekend: *day\n      tokens:")]);
    sound(load_text(&text));
}

#[test]
fn percentiles_in_key_names_set_the_attainment() {
    for (slo, attainment) in
        [("{ttft_p95_ms: 900}", 0.95), ("{ttft_ms: 900, attainment: 0.9}", 0.9), ("{latency_p99_ms: 9000, ttft_ms: 900}", 0.99)]
    {
        let (scenario, _) = sound(load_text(&patched(&[("{ttft_p99_ms: 2000, tpot_p99_ms: 80}", slo)])));
        let chat = scenario.workload(&WorkloadId::new("chat")).and_then(|w| w.service());
        assert!(chat.is_some_and(|service| near(service.slo.attainment, attainment)), "{slo}");
    }
}

#[test]
fn the_digest_of_the_inputs_names_every_file() {
    let (scenario, _) = sound(load_text(&patched(&[(SHAPE, "series: {file: flat.csv}\n      like: {file: steady.csv}")])));
    let paths: Vec<&str> = scenario.inputs.iter().map(|input| input.path.as_str()).collect();
    for path in ["scenario.yaml", "flat.csv", "steady.csv", "profiles/own-job.yaml", "profiles/llama-3.1-8b.yaml", "builtin:offerings.csv"]
    {
        assert!(paths.contains(&path), "{path} is not in {paths:?}");
    }
}

#[test]
fn every_scenario_and_builtin_profile_of_the_tree_is_sound() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = fs::read_dir(root.join("scenarios")).unwrap_or_else(|e| panic!("scenarios: {e}"));
    let mut count = 0;
    for folder in folders.flatten().filter(|entry| entry.path().join("scenario.yaml").is_file()) {
        sound(load(&folder.path()));
        count += 1;
    }
    assert!(count > 0);
    let (demo, _) = sound(gpuplan::input::load_builtin_demo());
    assert!(demo.demo);
    for profile in gpuplan::catalog::builtin::PROFILES {
        let name = profile.path.trim_end_matches(".yaml");
        let rejected = load_text(&patched(&[("profile: llama-3.1-8b", &format!("profile: {name}"))]));
        let faults = rejected.map_or_else(|r| r.diagnostics, |l| l.diagnostics);
        let own: Vec<_> = faults.iter().filter(|f| f.place.as_ref().is_some_and(|p| p.path.starts_with("builtin:profiles"))).collect();
        assert!(own.is_empty(), "{name}: {own:?}");
    }
}

#[test]
fn ten_thousand_workloads_take_less_than_two_seconds() {
    let start = BASE.find("  - name: chat").unwrap_or(0);
    let middle = BASE.find("  - name: nightly").unwrap_or(0);
    let chat = BASE[start..middle].replace("    runs_on: {node_group: serving, replicas: 4}\n", "");
    let many: String = (0..10_000).map(|i| chat.replace("name: chat", &format!("name: chat-{i}"))).collect();
    let text = format!("{}{many}{}", &BASE[..middle], &BASE[middle..]);
    let before = std::time::Instant::now();
    let (scenario, _) = sound(load_text(&text));
    assert_eq!(scenario.workloads.len(), 10_002);
    // Three times the promise: the machine of the tests is shared.
    assert!(before.elapsed().as_secs_f64() < 6.0, "{:?}", before.elapsed());
}
