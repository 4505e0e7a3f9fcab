//! Jobs are done in time: `E = (provisioning + cold start)/3600 + work/(U eff 3600)` hours a run, `start >= release`,
//! `start + E <= deadline`, one offset after the release and one width for all runs of the week.

use super::cron;
use super::finding::{Family, Finding};
use super::run_shape::{self, RunShape};
use super::tolerance::{at_most, same};
use super::view::{JobView, View};
use crate::domain::Performance;
use crate::units::HOURS_PER_WEEK;

/// Checks every job that is not frozen.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for job in view.jobs.iter().filter(|j| !j.common.frozen) {
        findings.extend(width(job));
        findings.extend(runs(job));
        let Some(shape) = run_shape::of(view, job) else {
            findings.push(
                finding(job, "no throughput is known for this width on this pool").differs("a gang of the profile", job.decided.workers),
            );
            continue;
        };
        findings.extend(numbers(view, job, &shape));
        findings.extend(work_done(view, job));
        findings.extend(in_time(job, &shape));
    }
    findings
}

fn finding(job: &JobView<'_>, message: impl Into<String>) -> Finding {
    Finding::new(Family::Deadline, job.common.name(), message)
}

fn width(job: &JobView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let workers = job.decided.workers;
    if workers > job.job.max_workers {
        findings.push(finding(job, "a wider gang than allowed").differs(job.job.max_workers, workers));
    }
    if let Some(Performance::Job { throughput }) = job.common.point.map(|p| &p.performance)
        && !throughput.iter().any(|gang| gang.workers == workers)
    {
        let known: Vec<String> = throughput.iter().map(|gang| gang.workers.to_string()).collect();
        findings.push(finding(job, "a width that was never measured").differs(known.join(" or "), workers));
    }
    findings
}

/// The runs are the scenario's, each moved by the same offset.
fn runs(job: &JobView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if job.decided.runs.len() != job.job.runs.len() {
        findings.push(finding(job, "another number of runs a week").differs(job.job.runs.len(), job.decided.runs.len()));
    }
    for (wanted, found) in job.job.runs.iter().zip(&job.decided.runs) {
        if (wanted.release_hour, wanted.deadline_hour) != (found.release_hour, found.deadline_hour) {
            let wanted = format!("{} to {}", wanted.release_hour, wanted.deadline_hour);
            findings
                .push(finding(job, "a run of another span").differs(wanted, format!("{} to {}", found.release_hour, found.deadline_hour)));
        }
    }
    let offset = |run: &crate::plan::JobRunPlan| i64::from(run.start_hour) - i64::from(run.release_hour);
    let mut offsets = job.decided.runs.iter().map(offset);
    if let Some(first) = offsets.next()
        && let Some(other) = offsets.find(|o| *o != first)
    {
        findings.push(finding(job, "runs start at different offsets").differs(first as f64, other as f64));
    }
    findings
}

fn numbers(view: &View<'_>, job: &JobView<'_>, shape: &RunShape) -> Vec<Finding> {
    let decided = job.decided;
    let mut findings = Vec::new();
    let rows = [
        ("work of a run", job.job.work_per_run, decided.work_per_run),
        ("throughput, units a second", shape.units_per_s, decided.units_per_s),
        ("efficiency", shape.efficiency, decided.efficiency),
        ("duration of a run, hours", shape.hours, decided.hours_per_run),
        ("tail of a run, hours", view.tail_hours(), decided.tail_hours),
    ];
    for (what, wanted, found) in rows {
        if !same(wanted, found) {
            findings.push(finding(job, format!("another {what}")).differs(wanted, found));
        }
    }
    let interval = match (shape.checkpoint_s, decided.checkpoint_interval_s) {
        (None, None) => true,
        (Some(wanted), Some(found)) => same(wanted, found),
        _ => false,
    };
    if !interval {
        findings.push(finding(job, "another checkpoint interval, s").differs(shape.checkpoint_s, decided.checkpoint_interval_s));
    }
    findings
}

/// The plan's own numbers, too, get the work done: units x efficiency x time.
fn work_done(view: &View<'_>, job: &JobView<'_>) -> Option<Finding> {
    let decided = job.decided;
    let up_hours = (view.provision_s() + job.common.replica_cold_s()) / 3600.0;
    let done = decided.units_per_s * decided.efficiency * (decided.hours_per_run - up_hours) * 3600.0;
    (!at_most(job.job.work_per_run, done)).then(|| finding(job, "less work is done than there is").differs(job.job.work_per_run, done))
}

fn in_time(job: &JobView<'_>, shape: &RunShape) -> Vec<Finding> {
    let mut findings = Vec::new();
    for run in &job.decided.runs {
        let hour = run.start_hour as usize % HOURS_PER_WEEK;
        let end = f64::from(run.start_hour) + shape.hours;
        if run.start_hour < run.release_hour {
            findings.push(finding(job, "a run starts before its release").at(hour).differs(run.release_hour, run.start_hour));
        }
        if !at_most(end, f64::from(run.deadline_hour)) {
            findings.push(finding(job, "a run misses its deadline").at(hour).differs(run.deadline_hour, end));
        }
        if !same(end, run.end_hour) {
            findings.push(finding(job, "a run ends at another hour").at(hour).differs(end, run.end_hour));
        }
        findings.extend(starts_on_time(job, run));
    }
    findings
}

fn starts_on_time(job: &JobView<'_>, run: &crate::plan::JobRunPlan) -> Option<Finding> {
    let week = HOURS_PER_WEEK as i64;
    let local = (i64::from(run.start_hour) + i64::from(job.common.workload.utc_offset_hours)).rem_euclid(week) as u32;
    let fires = cron::firings(&run.cron).is_some_and(|at| at.len() == 1 && at.contains(&(local * 60)));
    let wanted = format!("local day {} at {:02}:00", local / 24, local % 24);
    (!fires).then(|| {
        finding(job, "the cron of a run fires at another time")
            .at(run.start_hour as usize % HOURS_PER_WEEK)
            .differs(wanted, run.cron.as_str())
    })
}
