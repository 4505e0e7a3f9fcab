//! The checker: a good plan is clean, and every deliberate corruption is found by the family that is there for it.
#![expect(clippy::unwrap_used, reason = "test")]

use crate::corruptions::{CORRUPTIONS, Corruption, REMOTE};
use crate::fixture;
use crate::planned;
use crate::sharing_corruptions::SHARING;
use gpuplan::check::{self, Family, Finding};
use gpuplan::domain::{BurstClass, ColdRequests, Evidence, Job, Mode, Scenario, Service, Workload, WorkloadKind};
use gpuplan::ids::{AcceleratorId, InstanceTypeId, ProfileId, RegionId, WorkloadId};
use gpuplan::plan::Plan;
use gpuplan::units::{Millis, UsdPerHour};
use serde_json::Value;
use std::collections::BTreeSet;

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|f| format!("{f}\n")).collect()
}

#[test]
fn the_good_plan_is_clean() {
    let (scenario, plan) = fixture::good();
    let findings = check::plan(&scenario, &plan);
    assert!(findings.is_empty(), "{}", lines(&findings));
}

/// What must hold of one corruption: applicable here, and found by its family. Returns what is wrong.
fn judge(scenario: &Scenario, good: &Plan, corruption: &Corruption) -> Option<String> {
    let mut plan = good.clone();
    if !(corruption.apply)(&mut plan) {
        return Some(format!("`{}` is not applicable", corruption.name));
    }
    let findings = check::plan(scenario, &plan);
    let found = findings.iter().any(|f| f.family == corruption.family);
    let wanted = corruption.family.as_str();
    (!found).then(|| format!("`{}` is not found by {wanted}, but by:\n{}", corruption.name, lines(&findings)))
}

#[test]
fn every_corruption_is_found_by_its_family() {
    let (scenario, good) = fixture::good();
    let buys = planned::all().iter().find(|of| of.name == "commit-by-hand").unwrap();
    // The fixture buys nothing.
    let on = |c: &Corruption| if c.family == Family::Purchase { (&buys.scenario, &buys.plan) } else { (&scenario, &good) };
    let missed: Vec<String> = CORRUPTIONS.iter().filter_map(|c| judge(on(c).0, on(c).1, c)).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_family_has_a_corruption() {
    let covered: BTreeSet<Family> = CORRUPTIONS.iter().chain(REMOTE).chain(SHARING).map(|c| c.family).collect();
    let missing: Vec<_> = Family::ALL.iter().filter(|f| !covered.contains(f)).map(|f| f.as_str()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(CORRUPTIONS.len() >= 30);
}

/// A scenario made stricter, and the family that finds the plan wrong for it.
type Stricter = (&'static str, Family, fn(&mut Scenario));

fn service<'a>(scenario: &'a mut Scenario, name: &str) -> &'a mut Service {
    let workload = scenario.workloads.iter_mut().find(|w| w.id.as_str() == name).unwrap();
    match &mut workload.kind {
        WorkloadKind::Service(service) => service,
        WorkloadKind::Job(_) => panic!("{name} is a job"),
    }
}

fn workload<'a>(scenario: &'a mut Scenario, name: &str) -> &'a mut Workload {
    scenario.workloads.iter_mut().find(|w| w.id.as_str() == name).unwrap()
}

fn job<'a>(scenario: &'a mut Scenario, name: &str) -> &'a mut Job {
    match &mut workload(scenario, name).kind {
        WorkloadKind::Job(job) => job,
        WorkloadKind::Service(_) => panic!("{name} is a service"),
    }
}

const STRICTER: &[Stricter] = &[
    ("demand rises", Family::DemandCover, |s| service(s, "rank").demand.peak_rps[5] = 14.0),
    ("latency limit falls", Family::CapacityTable, |s| service(s, "chat").slo.tpot = Some(Millis(40.0))),
    ("unreachable limit", Family::DemandCover, |s| service(s, "chat").slo.ttft = Some(Millis(300.0))),
    ("burstier", Family::CapacityTable, |s| service(s, "detect").demand.burst = BurstClass::Bursty),
    ("untrackable", Family::DemandCover, |s| service(s, "chat").demand.burst = BurstClass::Untrackable),
    ("no metrics", Family::DemandCover, |s| service(s, "chat").scaling.metrics = None),
    ("mode not allowed", Family::DemandCover, |s| service(s, "chat").scaling.modes = vec![Mode::Static]),
    ("capped", Family::DemandCover, |s| service(s, "rank").scaling.max_replicas = Some(2)),
    ("no windows", Family::Windows, |s| service(s, "detect").scaling.max_windows = 0),
    ("other zone", Family::Windows, |s| workload(s, "detect").utc_offset_hours = 2),
    ("no zero", Family::ZeroHours, |s| service(s, "notes").scaling.scale_to_zero = false),
    ("no metric outlives the pods", Family::ZeroHours, |s| {
        service(s, "notes").scaling.metrics.as_mut().unwrap().survives_pods = false;
    }),
    ("held requests time out", Family::ZeroHours, |s| service(s, "notes").scaling.cold_requests = ColdRequests::Hold),
    ("no spot", Family::PoolLoss, |s| workload(s, "chat").spot.max_share = 0.0),
    ("no spot for the job", Family::PoolLoss, |s| workload(s, "finetune").spot.max_share = 0.0),
    ("all must survive", Family::PoolLoss, |s| workload(s, "chat").spot.contingency = 3.0),
    ("quota cut", Family::Quota, |s| s.quotas[2].limit = 100.0),
    ("no quota left to fall back", Family::PoolLoss, |s| s.quotas[0].limit = 30.0),
    ("budget cut", Family::ErrorBudget, |s| service(s, "notes").slo.attainment = 0.999),
    ("more work", Family::Deadline, |s| job(s, "pages").work_per_run *= 4.0),
    ("earlier deadline", Family::Deadline, |s| job(s, "finetune").runs[0].deadline_hour = 24),
    ("narrower", Family::Deadline, |s| job(s, "pages").max_workers = 1),
    ("nothing saved", Family::PoolLoss, |s| s.profiles.get_mut(&ProfileId::new("finetune")).unwrap().checkpoint = None),
    ("scarce card", Family::Scarce, |s| s.accelerators.get_mut(&AcceleratorId::new("l40s")).unwrap().scarce = true),
    ("estimated", Family::Evidence, |s| {
        s.profiles.get_mut(&ProfileId::new("chat")).unwrap().points[0].evidence = Evidence::Estimated;
    }),
    ("precision withdrawn", Family::Precision, |s| workload(s, "rank").precisions = vec!["fp8".to_owned()]),
    ("card not allowed", Family::Variant, |s| workload(s, "rank").accelerators = vec![AcceleratorId::new("l4")]),
    ("no nvlink", Family::Variant, |s| {
        s.instance_types.get_mut(&InstanceTypeId::new("p4d.24xlarge")).unwrap().nvlink = false;
    }),
    ("smaller memory", Family::Variant, |s| s.reserves.gpu_memory_share = 0.5),
    ("fewer CPUs", Family::NodeCapacity, |s| {
        s.instance_types.get_mut(&InstanceTypeId::new("p4d.24xlarge")).unwrap().vcpus = 30.0;
    }),
    ("region withdrawn", Family::Region, |s| s.regions = vec![RegionId::new("eu-west-1")]),
    ("dearer", Family::Price, |s| s.offerings[0].list_price = UsdPerHour::from_f64(0.9)),
    ("worse pool", Family::Spot, |s| s.risk.prior_availability = 0.5),
    ("frozen", Family::Frozen, |s| {
        s.freeze.insert(WorkloadId::new("chat"));
    }),
    ("few changes", Family::Frozen, |s| s.max_changes = Some(3)),
    ("more committed", Family::Commitment, |s| s.fleet.commitments[0].nodes = 3),
];

#[test]
fn a_stricter_scenario_finds_the_same_plan_wrong() {
    let mut missed = String::new();
    for (name, family, stricter) in STRICTER {
        let (mut scenario, plan) = fixture::good();
        stricter(&mut scenario);
        let findings = check::plan(&scenario, &plan);
        if !findings.iter().any(|f| f.family == *family) {
            missed.push_str(&format!("`{name}` is not found by {}, but by:\n{}", family.as_str(), lines(&findings)));
        }
    }
    assert!(missed.is_empty(), "{missed}");
}

#[test]
fn findings_are_sorted_and_repeatable() {
    let (mut scenario, plan) = fixture::good();
    scenario.reserves.gpu_memory_share = 0.1;
    scenario.risk.prior_availability = 0.1;
    let findings = check::plan(&scenario, &plan);
    assert!(findings.len() > 5 && findings.is_sorted());
    assert_eq!(findings, check::plan(&scenario, &plan));
}

#[test]
fn a_plan_that_went_through_a_file_is_as_good() {
    let (scenario, plan) = fixture::good();
    let text = serde_json::to_string_pretty(&plan).unwrap();
    let read: Plan = serde_json::from_str(&text).unwrap();
    let findings = check::plan(&scenario, &read);
    assert!(findings.is_empty(), "{}", lines(&findings));
}

/// What the checker does not judge: words, names of tools, and what is only shown. Indices are left out. A new field of the
/// plan is either checked or comes here, with `docs/checks.md`.
const UNCHECKED: &[&str] = &[
    "alternatives.changed_nodes",
    "alternatives.differs",
    "alternatives.instance_types",
    "alternatives.spot_exposure",
    "competent_operations.rules",
    "levers.first_in_usd_per_month",
    "levers.last_in_usd_per_month",
    "levers.name",
    "pools.when_lost",
    "provenance.gpuplan_version",
    "provenance.solver",
    "provenance.weeks_to_month",
    "robustness.candidates.name",
    "robustness.holds.limited_by",
    "sensitivity.name",
    "target.margin",
    "workloads.change.summary",
    "workloads.service.scaling.query",
    "workloads.variant.source",
];

/// Every scalar of the plan with its path; of a long list only two elements.
pub fn leaves(value: &Value, path: &str, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                leaves(inner, &format!("{path}.{name}"), &format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate().filter(|(at, _)| items.len() < 100 || [0, 60].contains(at)) {
                leaves(inner, path, &format!("{pointer}/{at}"), found);
            }
        }
        _ => found.push((path.trim_start_matches('.').to_owned(), pointer.to_owned())),
    }
}

pub fn edits(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(b) => vec![Value::from(!b)],
        Value::Number(n) => {
            let x = n.as_f64().unwrap();
            let mut edits = vec![Value::from(x * 1.5 + 1.0), Value::from(x * 0.5), Value::from(-x - 1.0), Value::from(1e18)];
            if let Some(whole) = n.as_u64() {
                edits.extend([whole + 1, whole.saturating_sub(1), 0, 4_294_967_295].map(Value::from));
            }
            edits
        }
        Value::String(_) => vec![Value::from("another")],
        _ => vec![Value::from("another"), Value::from(7), Value::from(7.5)],
    }
}

#[test]
fn every_value_is_checked_or_listed() {
    let (scenario, plan) = fixture::good();
    let (never, noticed) = silent(&scenario, &plan, "");
    assert_eq!(never, UNCHECKED);
    assert!(noticed > 150, "{noticed}");
}

#[test]
fn every_value_of_a_purchase_is_checked() {
    let buys = planned::all().iter().find(|of| of.name == "commit-by-hand").unwrap();
    let (never, noticed) = silent(&buys.scenario, &buys.plan, "purchases");
    assert!(never.is_empty(), "{never:?}");
    assert!(noticed > 20, "{noticed}");
}

/// Values below a path that no edit of makes the checker speak, and the number of the others.
fn silent(scenario: &Scenario, plan: &Plan, below: &str) -> (Vec<String>, usize) {
    let document = serde_json::to_value(plan).unwrap();
    let mut all = Vec::new();
    leaves(&document, "", "", &mut all);
    all.retain(|(path, _)| path.starts_with(below));
    let (mut noticed, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for (path, pointer) in all {
        for edit in edits(document.pointer(&pointer).unwrap()) {
            let mut edited = document.clone();
            *edited.pointer_mut(&pointer).unwrap() = edit;
            let Ok(plan) = serde_json::from_value::<Plan>(edited) else { continue };
            let list = if check::plan(scenario, &plan).is_empty() { &mut silent } else { &mut noticed };
            list.insert(path.clone());
        }
    }
    (silent.difference(&noticed).cloned().collect(), noticed.len())
}
