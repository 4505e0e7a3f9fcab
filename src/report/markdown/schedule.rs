//! The week in local time: base and windows, replicas by hour, runs of jobs.

use crate::plan::{JobPlan, JobRunPlan, Plan, ServicePlan, Window, WorkloadPlan};
use crate::report::markdown::table::{Column, table};
use crate::report::text::{code, count, md, percent, plural, span};
use crate::report::week::{Clock, day_list, grid, hour_span, replica_rows};

/// Every service: how it scales, its windows and its replicas by local hour.
pub fn week(plan: &Plan, workloads: &[WorkloadPlan], windows: &[Window]) -> String {
    let services: Vec<String> = workloads
        .iter()
        .filter_map(|w| {
            let service = w.service.as_ref()?;
            let own: Vec<&Window> = windows.iter().filter(|x| x.workload == w.name).collect();
            Some(one_service(plan, w, service, &own))
        })
        .collect();
    if services.is_empty() {
        return String::new();
    }
    format!(
        "## The week\n\nReplicas that the plan counts on, by local hour. Schedules start earlier than the hour they are for, by the time a \
         node and a replica need to start. `~3` is three while awake, in an hour in which the service may be asleep at zero.\n\n{}",
        services.join("\n")
    )
}

fn one_service(plan: &Plan, workload: &WorkloadPlan, service: &ServicePlan, windows: &[&Window]) -> String {
    let (clock, zone) = Clock::of(&workload.kubernetes.time_zone, &plan.provenance.anchor_monday);
    let mut out = format!("### {} ({})\n\n{}\n\n", md(&workload.name), md(zone), how_it_scales(workload, service));
    out.push_str(&format!("```text\n{}```\n", grid(&replica_rows(service, clock))));
    if !windows.is_empty() {
        let rows = windows
            .iter()
            .map(|w| {
                let Window { workload: _, time_zone: _, days, start_hour, end_hour, floor, flex, cron_start, cron_end } = w;
                let when = format!("{} {}", day_list(days), hour_span(*start_hour, *end_hour));
                vec![when, floor.to_string(), flex.to_string(), code(cron_start), code(cron_end)]
            })
            .collect();
        let columns = [
            Column::Text("window"),
            Column::Number("floor, on demand"),
            Column::Number("flex"),
            Column::Text("cron start"),
            Column::Text("cron end"),
        ];
        out.push_str(&format!("\n{}", table(&columns, rows)));
    }
    out
}

/// Mode, base, limits and lead in a sentence or two.
fn how_it_scales(workload: &WorkloadPlan, service: &ServicePlan) -> String {
    let base = service.floor.base_replicas + service.flex.as_ref().map_or(0, |f| f.base_replicas);
    let how = match workload.mode.as_str() {
        "static" => format!("Static: {} all week.", plural(base as usize, "replica")),
        "scheduled" => format!("Scheduled: {} outside windows.", plural(base as usize, "replica")),
        "reactive" => {
            let (low, high) = (service.scaling.min_replicas, service.scaling.max_replicas);
            let threshold =
                service.scaling.threshold.map_or_else(String::new, |t| format!(", one more for every {} requests in flight", count(t)));
            format!(
                "Reactive: the autoscaler keeps {low} to {high} elastic replicas{threshold}; the hours below are what it is expected to do."
            )
        }
        other => format!("{}.", md(other)),
    };
    let zero = if service.scaling.scale_to_zero {
        let start = service.cold_start.provision_p95_s + service.cold_start.replica_p95_s;
        let cold = md(&service.scaling.cold_requests);
        format!(" May sleep at zero; a start takes up to {} (p95), requests meanwhile: {cold}.", span(start))
    } else {
        String::new()
    };
    let starts = if service.starts_per_week > 0.0 {
        format!(" About {} replica starts a week.", count(service.starts_per_week))
    } else {
        String::new()
    };
    let lead = service.scaling.lead_minutes;
    let lead = if workload.mode == "scheduled" { format!(" Windows start {lead} min early.") } else { String::new() };
    format!("{how}{zero}{starts}{lead}")
}

/// Runs of jobs: when they may start, when they do, and when they must be done.
pub fn jobs(plan: &Plan, workloads: &[WorkloadPlan]) -> String {
    let mut out = String::new();
    for (w, job) in workloads.iter().filter_map(|w| w.job.as_ref().map(|j| (w, j))) {
        let (clock, zone) = Clock::of(&w.kubernetes.time_zone, &plan.provenance.anchor_monday);
        let rows = job
            .runs
            .iter()
            .map(|run| {
                let JobRunPlan { release_hour, start_hour, end_hour, deadline_hour, cron } = run;
                let slack = f64::from(*deadline_hour) - end_hour;
                vec![
                    clock.at(f64::from(*release_hour)),
                    clock.at(f64::from(*start_hour)),
                    clock.at(*end_hour),
                    clock.at(f64::from(*deadline_hour)),
                    span(slack * 3600.0),
                    code(cron),
                ]
            })
            .collect();
        let columns = [
            Column::Text("may start"),
            Column::Text("starts"),
            Column::Text("done by"),
            Column::Text("deadline"),
            Column::Number("slack"),
            Column::Text("cron"),
        ];
        out.push_str(&format!("\n### {} ({})\n\n{}\n\n{}", md(&w.name), md(zone), how_it_runs(job), table(&columns, rows)));
    }
    if out.is_empty() { out } else { format!("## Jobs\n{out}") }
}

fn how_it_runs(job: &JobPlan) -> String {
    let workers = plural(job.workers as usize, "worker");
    let unit = md(&job.work_unit);
    let checkpoints = job.checkpoint_interval_s.map_or_else(String::new, |s| format!(", a checkpoint every {}", span(s)));
    let efficiency = if job.efficiency < 1.0 {
        format!(" {} of the time makes progress; the rest goes to checkpoints and work done again after reclaims.", percent(job.efficiency))
    } else {
        String::new()
    };
    format!(
        "{workers} in pool {}{checkpoints}: {} {unit} a run in {}, start-up included.{efficiency}",
        md(&job.pool),
        count(job.work_per_run),
        span(job.hours_per_run * 3600.0)
    )
}
