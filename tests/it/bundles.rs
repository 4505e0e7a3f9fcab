//! Several services in one Triton server: the files of the server, read back, and their replay.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::bundle_fixture::{MEMBERS, SERVER, bundled, inputs};
use gpuplan::emit;
use gpuplan::emit::parse::{SourceText, files};
use gpuplan::plan::Plan;
use gpuplan::simulate::of_files;
use gpuplan::simulate::outcome::{Simulation, WorkloadOutcome};
use gpuplan::simulate::replay::{self, Seeds};
use gpuplan::simulate::run::{Options, Sampling};

fn texts(plan: &Plan) -> Vec<SourceText> {
    emit::artifacts(plan).into_iter().map(|file| SourceText { path: file.path, text: file.contents }).collect()
}

/// The first day, every request, of two seeds; files of the plan with edits (end of the path, text, replacement).
fn replayed(plan: &Plan, edits: &[(&str, &str, &str)]) -> Simulation {
    let mut texts = texts(plan);
    for (path, from, to) in edits {
        let file = texts.iter_mut().find(|file| file.path.ends_with(path)).unwrap();
        assert!(file.text.contains(from), "{path} has no {from:?}");
        file.text = file.text.replacen(from, to, 1);
    }
    let read = files(&texts).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let fleet = of_files::fleet(&read, plan, &inputs(plan)).unwrap();
    let options = Options { hours: 24, sampling: Sampling::Week, timeline: true, ..Options::default() };
    let seeds = Seeds { first: 1, count: 2 };
    let played = replay::play(fleet, seeds, &options).unwrap();
    replay::outcome(plan, &played, (seeds, &options))
}

fn of<'a>(simulation: &'a Simulation, name: &str) -> &'a WorkloadOutcome {
    simulation.workloads.iter().find(|w| w.name == name).unwrap()
}

#[test]
fn every_member_is_a_workload_with_its_own_objective() {
    let simulation = replayed(&bundled(), &[]);
    let names: Vec<&str> = simulation.workloads.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(names, MEMBERS.map(|member| member.name));
    for member in MEMBERS {
        let found = of(&simulation, member.name);
        assert_eq!((found.kind.as_str(), found.server.as_deref()), ("service", Some(SERVER)));
        // Two days of Poisson arrivals: a standard error of 0.1 to 0.3%.
        let expected = member.rps * 86_400.0 * 2.0;
        assert!((found.arrived / expected - 1.0).abs() < 0.01, "{}: {} of {expected}", member.name, found.arrived);
        assert!(found.met && found.attainment > 0.995, "{}: {} {:?}", member.name, found.attainment, found.fates);
        assert!(found.latency_ms.is_some_and(|ms| ms.p99 < member.limit_ms), "{}: {:?}", member.name, found.latency_ms);
        let shown = &found.timeline[30];
        assert!((shown.demand_rps - member.rps).abs() < 1e-9 && shown.ready >= 2, "{shown:?}");
    }
    // Two replicas all day, four while the window is open: all of it is paid, by every member once.
    let hours = of(&simulation, "captions").replica_hours_per_week;
    assert!(hours > 2.0 * 168.0 && hours < 5.0 * 168.0, "{hours}");
    assert!(simulation.reasons.is_empty(), "{:?}", simulation.reasons);
    assert_eq!(simulation.verdict, "holds");
}

/// Three models that slow each other down four times take a load that one replica carried otherwise; all miss.
#[test]
fn interference_is_what_the_plan_states() {
    let mut plan = bundled();
    plan.windows.clear();
    plan.bundles[0].interference = 6.0;
    let simulation = replayed(&plan, &[("vision-models-floor.yaml", "maxReplicaCount: 6", "maxReplicaCount: 2")]);
    assert_eq!(simulation.verdict, "missed");
    let missed: Vec<&str> = simulation.workloads.iter().filter(|w| !w.met).map(|w| w.name.as_str()).collect();
    assert!(missed.contains(&"photo-check"), "{missed:?}");
    assert!(simulation.reasons.iter().any(|reason| reason.starts_with("`photo-check`: ")), "{:?}", simulation.reasons);
}

#[test]
fn a_member_that_the_inputs_do_not_know_is_named() {
    let plan = bundled();
    let read = files(&texts(&plan)).unwrap();
    let mut without = inputs(&plan);
    without.services.remove(1);
    assert!(of_files::fleet(&read, &plan, &without).unwrap_err().contains("`face-blur`"));
    let mut other = inputs(&plan);
    other.services[0].engines[0].precision = "int8".into();
    assert!(of_files::fleet(&read, &plan, &other).unwrap_err().contains("`captions` on 1 x l4 in fp16"));
}
