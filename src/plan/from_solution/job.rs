//! The plan of a job: gang, starts, checkpoints, queue.

use super::{Context, pools, windows};
use crate::domain::Job;
use crate::formulation::columns::{Decision, column};
use crate::plan::{JobPlan, JobRunPlan, QueuePlan};
use crate::units::HOURS_PER_WEEK;

/// The plan of the job; `None` when its column is no job's.
#[must_use]
pub fn of(context: &Context<'_>, job: &Job) -> Option<JobPlan> {
    let Decision::Job { option, offset } = &context.column.decision else { return None };
    let option = &context.problem.workloads[context.index].jobs[*option];
    let profile = &context.scenario.profiles[&context.workload.profile];
    let fallback = option.spot.then(|| pools::stand_in(context.problem, option.place.pool)).flatten();
    let share = if option.held { vec![1.0; HOURS_PER_WEEK] } else { column::job_hours(option, *offset, false) };
    Some(JobPlan {
        pool: context.names[&option.place.pool].clone(),
        fallback_pool: fallback.and_then(|p| context.names.get(&p).cloned()),
        workers: option.workers,
        work_per_run: job.work_per_run,
        work_unit: profile.work_unit.clone().unwrap_or_else(|| "units".to_owned()),
        units_per_s: option.units_per_s,
        efficiency: option.efficiency,
        checkpoint_interval_s: option.checkpoint_hours.map(|h| h * 3600.0),
        hours_per_run: option.hours,
        tail_hours: option.tail_hours,
        runs: option
            .runs
            .iter()
            .map(|run| {
                let start = run.release_hour + offset;
                JobRunPlan {
                    release_hour: run.release_hour,
                    start_hour: start,
                    end_hour: f64::from(start) + option.hours,
                    deadline_hour: run.deadline_hour,
                    cron: start_cron(context, start),
                }
            })
            .collect(),
        queue: job.queue.as_ref().map(|q| QueuePlan { scaler: q.scaler.clone(), metadata: q.metadata.iter().cloned().collect() }),
        workers_by_hour: share.into_iter().map(|s| s * f64::from(option.workers)).collect(),
    })
}

/// Cron of a start in the workload's zone.
fn start_cron(context: &Context<'_>, start_hour: u32) -> String {
    let local = (i64::from(start_hour) + i64::from(context.workload.utc_offset_hours)).rem_euclid(HOURS_PER_WEEK as i64);
    windows::cron(&[(local / 24) as u8], (local % 24) * 60)
}
