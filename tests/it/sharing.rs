//! Several workloads on one GPU: the scenarios that are solved on paper, what owners allow, and tiny generated cases against the textbook
//! program.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::generated::{self, Size};
use crate::planned;
use crate::sharing_corruptions::SHARING;
use gpuplan::check;
use gpuplan::domain::{
    Evidence, Isolation, Layout, OperatingPoint, Performance, ProfileKind, Scenario, SharePolicy, ShareWith, Slice, Technique,
};
use gpuplan::formulation::compact::{self, Goal};
use gpuplan::formulation::{self, Freedom, Problem};
use gpuplan::plan::Plan;
use gpuplan::solver::{self, ColumnPool, SolveError, Stage, reference};
use gpuplan::study::whatif::{self, Lessons};
use gpuplan::units::{GiB, PerSecond};
use std::collections::BTreeSet;

fn plan_of(name: &str, change: fn(&mut Scenario)) -> Plan {
    let mut scenario = planned::load(&planned::folder(name));
    change(&mut scenario);
    planned::quick(&scenario, None)
}

fn policy(with: ShareWith, isolation: Isolation) -> SharePolicy {
    SharePolicy { with, isolation }
}

/// `(layout, nodes)` of pools whose GPUs are cut.
fn cut(plan: &Plan) -> Vec<(String, f64)> {
    plan.pools.iter().filter_map(|p| p.partition.as_ref().map(|cut| (cut.layout.clone(), p.nodes_by_hour[0]))).collect()
}

fn dollars(plan: &Plan) -> f64 {
    plan.cost.usd_per_month.as_f64()
}

fn near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 0.01, "{found}, by hand {wanted}");
}

#[test]
fn four_assistants_share_one_card_by_mig() {
    let plan = plan_of("mig-by-hand", |_| {});
    near(dollars(&plan), 3.998_16 * 730.0);
    assert_eq!(cut(&plan), [("all-1g.24gb".to_owned(), 1.0)]);
    assert_eq!(plan.optimality.outcome, "optimal");
}

#[test]
fn four_classifiers_share_two_cards_by_mps() {
    let plan = plan_of("mps-by-hand", |_| {});
    near(dollars(&plan), 2.0 * 0.752 * 730.0);
    assert_eq!(cut(&plan), [("mps-2".to_owned(), 2.0)]);
    assert_eq!(plan.optimality.outcome, "optimal");
}

#[test]
fn three_models_share_one_server() {
    let plan = plan_of("bundle-by-hand", |_| {});
    near(dollars(&plan), 0.752 * 730.0);
    assert_eq!(plan.bundles.len(), 1);
    assert_eq!(plan.bundles[0].members.len(), 3);
    assert_eq!(plan.optimality.outcome, "optimal");
}

#[test]
fn nobody_shares_whose_owner_does_not_allow_it() {
    let plan = plan_of("mps-by-hand", |s| s.workloads.iter_mut().for_each(|w| w.share = SharePolicy::NEVER));
    near(dollars(&plan), 4.0 * 0.526 * 730.0);
    assert!(cut(&plan).is_empty() && plan.bundles.is_empty());
    // MIG is the only technique with isolation in hardware, and a T4 has none.
    let plan = plan_of("mps-by-hand", |s| {
        s.workloads.iter_mut().for_each(|w| w.share = policy(ShareWith::Any, Isolation::Hardware));
    });
    assert!(cut(&plan).is_empty());
}

#[test]
fn teams_that_share_among_themselves_have_cards_of_their_own() {
    let plan = plan_of("mps-by-hand", |s| {
        for (index, workload) in s.workloads.iter_mut().enumerate() {
            workload.share = policy(ShareWith::Team, Isolation::Memory);
            workload.team = format!("team-{}", index % 2);
        }
    });
    near(dollars(&plan), 2.0 * 0.752 * 730.0);
    let teams: BTreeSet<_> = plan.pools.iter().filter_map(|p| p.partition.as_ref()?.team.clone()).collect();
    assert_eq!(teams.len(), 2, "{teams:?}");
    // Each its own team: nobody to share with.
    let plan = plan_of("mps-by-hand", |s| {
        for (index, workload) in s.workloads.iter_mut().enumerate() {
            workload.share = policy(ShareWith::Team, Isolation::Memory);
            workload.team = format!("team-{index}");
        }
    });
    near(dollars(&plan), 4.0 * 0.526 * 730.0);
}

#[test]
fn who_keeps_missing_in_company_gets_a_gpu_of_its_own() {
    let scenario = planned::load(&planned::folder("bundle-by-hand"));
    for (factor, usd) in [(1.1, 0.752), (1.3, 0.752 + 0.526)] {
        let lessons = Lessons { loads: [("covers".to_owned(), factor)].into(), ..Lessons::default() };
        let plan = planned::quick(&whatif::taught(&scenario, &lessons), None);
        near(dollars(&plan), usd * 730.0);
        let mode = &plan.workloads.iter().find(|w| w.name == "covers").unwrap().mode;
        assert_eq!(mode == "bundled", factor < 1.2, "x{factor}: {mode}");
    }
}

#[test]
fn every_corruption_of_a_shared_plan_is_found() {
    let mut applied = BTreeSet::new();
    for name in ["mig-by-hand", "mps-by-hand", "bundle-by-hand"] {
        let scenario = planned::load(&planned::folder(name));
        let plan = planned::quick(&scenario, None);
        assert_eq!(check::plan(&scenario, &plan), []);
        for corruption in SHARING {
            let mut broken = plan.clone();
            if !(corruption.apply)(&mut broken) || broken == plan {
                continue;
            }
            applied.insert(corruption.name);
            let findings = check::plan(&scenario, &broken);
            assert!(findings.iter().any(|f| f.family == corruption.family), "{name}: `{}`: {findings:?}", corruption.name);
        }
    }
    assert_eq!(applied.len(), SHARING.len(), "{applied:?}");
}

/// A generated scenario whose services may share: halves of a card by MPS, and servers of request models.
fn sharing(seed: u64) -> Scenario {
    let mut scenario = generated::scenario(seed, Size::TINY);
    for card in scenario.accelerators.values_mut() {
        let name = "mps-2".to_owned();
        card.slices = vec![Slice { name: name.clone(), technique: Technique::Mps, compute: 0.5, memory_share: 0.5, memory: GiB(11.5) }];
        card.layouts = vec![Layout { name: name.clone(), technique: Technique::Mps, slices: vec![(name, 2)] }];
    }
    for profile in scenario.profiles.values_mut().filter(|p| p.kind == ProfileKind::Request) {
        let whole: Vec<OperatingPoint> = profile.points.iter().filter(|p| p.gpus_per_replica == 1).cloned().collect();
        for point in whole {
            let Performance::Request { knots } = &point.performance else { continue };
            let mut knots = knots.clone();
            knots.iter_mut().for_each(|k| k.rate = PerSecond(k.rate.0 * 0.5 * Technique::Mps.delivered()));
            let performance = Performance::Request { knots };
            profile.points.push(OperatingPoint { slice: Some("mps-2".to_owned()), evidence: Evidence::Estimated, performance, ..point });
        }
    }
    for workload in scenario.workloads.iter_mut().filter(|w| w.service().is_some()) {
        workload.share = policy(ShareWith::Any, Isolation::None);
        workload.utc_offset_hours = 0;
    }
    scenario
}

fn by_columns(problem: &Problem) -> Option<(f64, f64)> {
    let mut pool = ColumnPool::of(problem);
    match solver::solve(problem, &Stage::least_cost(), &mut pool) {
        Ok(solution) => Some((solution.value, solution.bound)),
        Err(SolveError::Infeasible(_)) => None,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn columns_agree_with_the_textbook_program_where_gpus_are_shared() {
    let (mut compared, mut bundled, mut dearer) = (0, 0, Vec::new());
    for seed in 0..280 {
        let problem = formulation::build(&sharing(seed), &Freedom::FULL);
        let shared = problem.pools.iter().any(|p| p.partition.is_some()) || problem.workloads.len() > problem.count();
        if !shared || compact::build(&problem, &Goal::LEAST_COST).columns.len() > 2500 {
            continue;
        }
        let truth = reference::optimum(&problem, &Stage::least_cost()).unwrap().map(|answer| answer.objective);
        match (truth, by_columns(&problem)) {
            (None, None) => {}
            (Some(truth), Some((value, bound))) => {
                let slack = 1e-5 * truth.abs().max(1.0);
                assert!(bound <= truth + slack, "seed {seed}: bound {bound} above the optimum {truth}");
                assert!(value >= truth - slack, "seed {seed}: value {value} below the optimum {truth}");
                if value > truth + slack {
                    dearer.push(format!("seed {seed}: {value} for {truth}"));
                }
            }
            (truth, found) => panic!("seed {seed}: textbook {truth:?}, columns {found:?}"),
        }
        compared += 1;
        bundled += usize::from(problem.workloads.len() > problem.count());
    }
    assert!(compared >= 20 && bundled >= 4, "{compared} compared, {bundled} with servers");
    assert!(dearer.len() * 20 <= compared, "{} of {compared} too dear:\n{}", dearer.len(), dearer.join("\n"));
}

#[test]
fn letting_others_share_never_costs_more() {
    for seed in 0..24 {
        let scenario = sharing(seed);
        let alone = Freedom { sharing: false, ..Freedom::FULL };
        let (with, without) =
            (by_columns(&formulation::build(&scenario, &Freedom::FULL)), by_columns(&formulation::build(&scenario, &alone)));
        if let (Some((_, bound)), Some((value, _))) = (with, without) {
            assert!(bound <= value * (1.0 + 1e-6) + 1e-6, "seed {seed}: at least {bound} with sharing, {value} without");
        }
        assert!(with.is_some() || without.is_none(), "seed {seed}: no plan with sharing, one without");
    }
}
