//! Windows as people read them and as cron fires them, the start moved ahead by the whole start-up chain.

use super::Context;
use crate::formulation::columns::{Decision, WindowSpec};
use crate::plan::Window;
use crate::sizing::cold_start;

const MINUTES_PER_DAY: i64 = 24 * 60;

/// Windows of a workload.
#[must_use]
pub fn of(context: &Context<'_>) -> Vec<Window> {
    let Decision::Service { windows, .. } = &context.column.decision else { return Vec::new() };
    let most = windows.iter().map(|w| w.floor + w.flex).max().unwrap_or(1);
    let lead = lead_minutes(context, most);
    windows.iter().map(|spec| window(context, spec, lead)).collect()
}

/// Minutes from a cron's firing to serving replicas: polling, HPA steps from one replica, provisioning and cold start.
#[must_use]
pub fn lead_minutes(context: &Context<'_>, replicas: u32) -> u32 {
    let polling = context.workload.service().map_or(30.0, |s| s.scaling.polling.0);
    let profile = &context.scenario.profiles[&context.workload.profile];
    let chain = cold_start::chain_p95_s(&context.scenario.node_autoscaler, profile);
    let seconds = polling + 15.0 * f64::from(cold_start::ramp_steps(replicas)) + chain;
    (seconds / 60.0).ceil() as u32
}

fn window(context: &Context<'_>, spec: &WindowSpec, lead: u32) -> Window {
    Window {
        workload: context.workload.id.to_string(),
        time_zone: context.workload.time_zone.clone(),
        days: spec.days.clone(),
        start_hour: spec.start_hour,
        end_hour: spec.end_hour,
        floor: spec.floor,
        flex: spec.flex,
        cron_start: cron(&spec.days, i64::from(spec.start_hour) * 60 - i64::from(lead)),
        cron_end: cron(&spec.days, i64::from(spec.end_hour) * 60),
    }
}

/// Five-field cron of a minute after (or before) midnight of the given days, 0 Monday; Sunday is 0 in cron.
#[must_use]
pub fn cron(days: &[u8], minute_of_day: i64) -> String {
    let shift = minute_of_day.div_euclid(MINUTES_PER_DAY);
    let minute = minute_of_day.rem_euclid(MINUTES_PER_DAY);
    let mut on: Vec<i64> = days.iter().map(|&day| (i64::from(day) + shift + 1).rem_euclid(7)).collect();
    on.sort_unstable();
    let on = if on.len() == 7 { "*".to_owned() } else { on.iter().map(ToString::to_string).collect::<Vec<_>>().join(",") };
    format!("{} {} * * {on}", minute % 60, minute / 60)
}
