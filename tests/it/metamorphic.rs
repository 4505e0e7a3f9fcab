//! What must not happen when one thing of a scenario changes: no plan gets cheaper because something got dearer or
//! scarcer, and none dearer because something was allowed.
//!
//! Answers are intervals [bound, value]. A law is broken only where the intervals prove it: where cost may not rise,
//! bound(after) > value(before); where it may not fall, value(after) < bound(before).
//!
//! Not tested, since the model is knowingly not monotone there: another workload (the slowest start-up chain of the
//! scenario prices all spot pools), a longer cold start of one of them, an accelerator that becomes allowed with its own
//! operating point (as before), more replicas of load where capacity per replica is pooled.

use crate::generated::{self, Random, Size};
use gpuplan::domain::{CapacityType, Scenario, WorkloadKind};
use gpuplan::formulation::{self, Freedom};
use gpuplan::ids::WorkloadId;
use gpuplan::solver::{self, ColumnPool, SolveError, Stage};

/// Scenarios that a law is held against: each law has its own, so that together they are several hundred.
const SCENARIOS: u64 = 45;

/// Of these, as many must be such that the law can be tried on them.
const ENOUGH: usize = 8;

/// The scenarios of the law with that number.
fn seeds(law: u64) -> std::ops::Range<u64> {
    let first = 10_000 + law * SCENARIOS;
    first..first + SCENARIOS
}

/// Bound and value; a scenario without a plan has a value without limit.
#[derive(Clone, Copy, Debug)]
struct Interval {
    bound: f64,
    value: f64,
}

fn solve(scenario: &Scenario) -> Interval {
    let problem = formulation::build(scenario, &Freedom::FULL);
    let mut pool = ColumnPool::of(&problem);
    match solver::solve(&problem, &Stage::least_cost(), &mut pool) {
        Ok(solution) => Interval { bound: solution.bound, value: solution.value },
        // That there is none may be a miss of the search, not a proof: it says nothing.
        Err(SolveError::Infeasible(_)) => Interval { bound: 0.0, value: f64::INFINITY },
        Err(other) => panic!("{other}"),
    }
}

/// A millionth for the solvers' own tolerances.
fn slack(interval: Interval) -> f64 {
    1e-6 * interval.bound.abs().max(1.0)
}

fn may_not_fall(before: Interval, after: Interval) -> bool {
    after.value >= before.bound - slack(before)
}

fn may_not_rise(before: Interval, after: Interval) -> bool {
    after.bound <= before.value + slack(after)
}

/// Holds a law over its scenarios: `change` edits one and says whether it could.
fn hold(number: u64, change: impl Fn(&mut Scenario, &mut Random) -> bool, law: impl Fn(Interval, Interval) -> bool) {
    let mut faults = Vec::new();
    let mut tried = 0;
    for seed in seeds(number) {
        let before = generated::scenario(seed, Size::SMALL);
        let mut after = before.clone();
        if !change(&mut after, &mut Random::new(seed)) {
            continue;
        }
        tried += 1;
        let (first, second) = (solve(&before), solve(&after));
        if !law(first, second) {
            faults.push(format!("seed {seed}: before {first:?}, after {second:?}"));
        }
    }
    assert!(faults.is_empty(), "{} of {tried}:\n{}", faults.len(), faults.join("\n"));
    assert!(tried >= ENOUGH, "only {tried} scenarios could be changed");
}

#[test]
fn a_dearer_offering_makes_no_plan_cheaper() {
    let dearer = |scenario: &mut Scenario, random: &mut Random| {
        let index = random.below(scenario.offerings.len());
        let offering = &mut scenario.offerings[index];
        offering.price = offering.price.scaled(1.3);
        true
    };
    hold(0, dearer, may_not_fall);
}

#[test]
fn more_demand_makes_no_plan_cheaper() {
    let more = |scenario: &mut Scenario, random: &mut Random| {
        let index = random.below(scenario.workloads.len());
        let WorkloadKind::Service(service) = &mut scenario.workloads[index].kind else { return false };
        // Every hour alike: the cut of the day and the share of the error budget stay where they are.
        service.demand.mean_rps.iter_mut().for_each(|rps| *rps *= 1.5);
        service.demand.peak_rps.iter_mut().for_each(|rps| *rps *= 1.5);
        !service.scaling.scale_to_zero
    };
    hold(1, more, may_not_fall);
}

#[test]
fn a_looser_slo_makes_no_plan_dearer() {
    let looser = |scenario: &mut Scenario, random: &mut Random| {
        let index = random.below(scenario.workloads.len());
        let WorkloadKind::Service(service) = &mut scenario.workloads[index].kind else { return false };
        service.slo.attainment = 1.0 - 2.0 * (1.0 - service.slo.attainment);
        true
    };
    hold(2, looser, may_not_rise);
}

#[test]
fn more_quota_makes_no_plan_dearer() {
    let more = |scenario: &mut Scenario, _: &mut Random| {
        scenario.quotas.iter_mut().for_each(|quota| quota.limit *= 2.0);
        !scenario.quotas.is_empty()
    };
    hold(3, more, may_not_rise);
}

#[test]
fn a_larger_spot_share_makes_no_plan_dearer() {
    let larger = |scenario: &mut Scenario, random: &mut Random| {
        let index = random.below(scenario.workloads.len());
        let share = &mut scenario.workloads[index].spot.max_share;
        // Shares are tried in quarters of the owner's limit: twice the limit has every quarter of before.
        let before = *share;
        *share = if before > 0.0 { (2.0 * before).min(1.0) } else { 1.0 };
        before <= 0.5
    };
    hold(4, larger, may_not_rise);
}

#[test]
fn more_windows_make_no_plan_dearer() {
    let more = |scenario: &mut Scenario, _: &mut Random| {
        let mut changed = false;
        for workload in &mut scenario.workloads {
            if let WorkloadKind::Service(service) = &mut workload.kind {
                service.scaling.max_windows += 1;
                changed = true;
            }
        }
        changed
    };
    hold(5, more, may_not_rise);
}

#[test]
fn another_offering_makes_no_plan_dearer() {
    // Taken away before, there after: the same scenario read backwards.
    let fewer = |scenario: &mut Scenario, random: &mut Random| {
        let index = random.below(scenario.offerings.len());
        let gone = scenario.offerings.remove(index);
        // Spot stands on the same shape on demand, and goes with it.
        let stands = |o: &gpuplan::domain::Offering| gone.capacity_type == CapacityType::Spot || o.instance_type != gone.instance_type;
        scenario.offerings.retain(stands);
        !scenario.offerings.is_empty() && scenario.fleet.node_groups.iter().all(|g| g.instance_type != gone.instance_type)
    };
    hold(6, fewer, may_not_fall);
}

#[test]
fn prices_times_four_cost_four_times_as_much() {
    for seed in seeds(7) {
        let before = generated::scenario(seed, Size::SMALL);
        let mut after = before.clone();
        after.offerings.iter_mut().for_each(|o| o.price = o.price * 4);
        let (first, second) = (solve(&before), solve(&after));
        let scaled = Interval { bound: 4.0 * first.bound, value: 4.0 * first.value };
        let overlap = may_not_fall(scaled, second) && may_not_rise(scaled, second);
        assert!(overlap, "seed {seed}: {scaled:?} is not {second:?}");
    }
}

#[test]
fn names_and_order_of_workloads_do_not_matter() {
    for seed in seeds(8) {
        let before = generated::scenario(seed, Size::SMALL);
        let mut after = before.clone();
        after.workloads.reverse();
        for (rank, workload) in after.workloads.iter_mut().enumerate() {
            let name = WorkloadId::new(format!("renamed-{rank}"));
            if after.freeze.remove(&workload.id) {
                after.freeze.insert(name.clone());
            }
            workload.id = name;
        }
        let (first, second) = (solve(&before), solve(&after));
        assert!(may_not_fall(first, second) && may_not_rise(first, second), "seed {seed}: {first:?} is not {second:?}");
    }
}
