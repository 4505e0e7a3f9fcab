//! The scenario that is solved on paper: its README and the planner agree to the cent.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::planned;
use crate::repository;
use gpuplan::plan::{Plan, WorkloadPlan};
use gpuplan::units::Usd;
use std::path::Path;

/// `1,234.57`.
fn dollars(usd: Usd) -> String {
    let cents = (usd.as_f64() * 100.0).round() as i64;
    let (whole, rest) = ((cents / 100).to_string(), cents % 100);
    let mut grouped = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}.{rest:02}")
}

fn near(found: f64, wanted: f64, what: &str) {
    // Numbers of the README carry six decimals; a week's dollars are compared to a hundredth of a cent.
    assert!((found - wanted).abs() < 1e-4, "{what}: {found}, by hand {wanted}");
}

fn workload<'a>(plan: &'a Plan, name: &str) -> &'a WorkloadPlan {
    plan.workloads.iter().find(|w| w.name == name).unwrap()
}

fn plan() -> Plan {
    planned::quick(&planned::load(&planned::folder("two-by-hand")), None)
}

#[test]
fn money_is_that_of_the_readme() {
    let plan = plan();
    let readme = repository::text(Path::new("scenarios/two-by-hand/README.md")).unwrap();
    near(plan.baseline.usd_per_month.as_f64(), 4_663.094, "today");
    near(plan.cost.usd_per_month.as_f64(), (526.898_727 + 34.565_518) * 730.0 / 168.0, "plan");
    near(workload(&plan, "assistant").usd_per_month.as_f64(), 526.898_727 * 730.0 / 168.0, "assistant");
    near(workload(&plan, "embeddings").usd_per_month.as_f64(), 34.565_518 * 730.0 / 168.0, "embeddings");
    assert_eq!(plan.optimality.outcome, "optimal");
    let saved = plan.baseline.usd_per_month - plan.cost.usd_per_month;
    let answer = format!(
        "**Answer: ${} a month instead of ${}, a saving of {:.2}%.**",
        dollars(plan.cost.usd_per_month),
        dollars(plan.baseline.usd_per_month),
        plan.saving * 100.0
    );
    let assistant = workload(&plan, "assistant");
    let embeddings = workload(&plan, "embeddings");
    let parts = format!(
        "{} because the assistant's second and third machines rest at night, {} because the job's machine rests by day",
        dollars(assistant.baseline_usd_per_month - assistant.usd_per_month),
        dollars(embeddings.baseline_usd_per_month - embeddings.usd_per_month)
    );
    for line in [answer, parts, format!("${} a month less", dollars(saved))] {
        assert!(readme.contains(&line), "the README does not say: {line}");
    }
}

#[test]
fn machines_and_windows_are_those_of_the_readme() {
    let plan = plan();
    let machines: Vec<_> = plan.pools.iter().map(|p| (p.instance_type.as_str(), p.capacity_type.as_str(), p.max_nodes)).collect();
    assert_eq!(machines, [("g6.xlarge", "on-demand", 1), ("g6e.xlarge", "on-demand", 3)]);
    let [window] = &plan.windows[..] else { panic!("{:?}", plan.windows) };
    assert_eq!((window.start_hour, window.end_hour, window.floor, window.flex), (9, 17, 3, 0));
    assert_eq!(window.days, [0, 1, 2, 3, 4, 5, 6]);
    // Polling 30 s, two HPA steps of 15 s, node 300 s, replica 414 s: 774 s, 13 minutes early.
    assert_eq!((window.cron_start.as_str(), window.cron_end.as_str()), ("47 8 * * *", "0 17 * * *"));
    let assistant = workload(&plan, "assistant").service.as_ref().unwrap();
    assert_eq!((assistant.floor.base_replicas, assistant.floor.max_replicas), (1, 3));
    near(assistant.starts_per_week, 14.0, "starts a week");
    near(assistant.cold_start.paid_hours_per_start, 0.223_333_333, "paid hours a start");
    near((assistant.planning_load_rps[12] * 1000.0).round(), 5_301.0, "peak by day");
    near((assistant.planning_load_rps[3] * 1000.0).round(), 595.0, "peak by night");
    for (row, wanted) in assistant.capacity.iter().zip([2.107, 4.213, 6.320]) {
        near((row.rps * 1000.0).round() / 1000.0, wanted, "capacity");
    }
}

#[test]
fn the_job_is_that_of_the_readme() {
    let plan = plan();
    let job = workload(&plan, "embeddings").job.as_ref().unwrap();
    assert_eq!((job.workers, job.runs.len()), (1, 7));
    near(job.hours_per_run, 6.110_6, "hours of a run");
    near(job.tail_hours, 0.025, "tail");
    let pool = plan.pools.iter().find(|p| p.instance_type == "g6.xlarge").unwrap();
    near(pool.paid_node_hours_per_week + pool.start_up_node_hours_per_week, 42.949_202, "node-hours a week");
    assert!(job.runs.iter().all(|run| run.start_hour % 24 == 22 || run.start_hour % 24 == 23), "{:?}", job.runs);
}
