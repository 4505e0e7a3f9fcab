//! Base counts and windows give the counts of every hour; crons open them in time. Clock changes are not considered.

use super::cron::{self, WEEK_MINUTES};
use super::finding::{Family, Finding, first_hour};
use super::view::{ServiceView, View};
use crate::domain::Mode;
use crate::plan::{ServicePlan, Window};
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeSet;

/// What base and windows give in each hour (UTC).
pub(super) struct Schedule {
    pub floor: Vec<u32>,
    pub flex: Vec<u32>,
    /// Windows that cover the hour.
    pub covering: Vec<u32>,
}

/// Lays the windows over the base counts.
pub(super) fn schedule(decided: &ServicePlan, windows: &[&Window], utc_offset_hours: i32) -> Schedule {
    let base_flex = decided.flex.as_ref().map_or(0, |f| f.base_replicas);
    let mut laid = Schedule {
        floor: vec![decided.floor.base_replicas; HOURS_PER_WEEK],
        flex: vec![base_flex; HOURS_PER_WEEK],
        covering: vec![0; HOURS_PER_WEEK],
    };
    for window in windows {
        for local in local_hours(window) {
            let hour = (i64::from(local) - i64::from(utc_offset_hours)).rem_euclid(HOURS_PER_WEEK as i64) as usize;
            laid.floor[hour] = window.floor;
            laid.flex[hour] = window.flex;
            laid.covering[hour] += 1;
        }
    }
    laid
}

/// Local hours of the week that a window covers.
fn local_hours(window: &Window) -> impl Iterator<Item = u32> + '_ {
    let hours = u32::from(window.start_hour)..u32::from(window.end_hour);
    window.days.iter().flat_map(move |day| hours.clone().map(move |hour| (u32::from(*day) * 24 + hour) % HOURS_PER_WEEK as u32))
}

/// Checks shapes, numbers, crons and the counts of every hour.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in &view.services {
        let own: Vec<_> = view.plan.windows.iter().filter(|w| w.workload == service.common.plan.name).collect();
        if service.common.frozen {
            if !own.is_empty() {
                findings.push(finding(service, "a frozen workload has windows").differs(0_usize, own.len()));
            }
            continue;
        }
        findings.extend(numbers(service, own.len()));
        if !own.is_empty() {
            findings.extend(lead(view, service));
        }
        findings.extend(limits(service));
        for window in own {
            findings.extend(shape(service, window));
            findings.extend(crons(service, window));
        }
        let covering = &service.schedule.covering;
        let overlaps = (0..HOURS_PER_WEEK).filter(|t| covering[*t] > 1);
        findings.extend(first_hour(overlaps.map(|t| finding(service, "windows overlap").at(t).differs("at most 1", covering[t]))));
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| floor_of_hour(service, t))));
        findings.extend(first_hour((0..HOURS_PER_WEEK).filter_map(|t| flex_of_hour(service, t))));
    }
    findings
}

fn finding(service: &ServiceView<'_>, message: impl Into<String>) -> Finding {
    Finding::new(Family::Windows, service.common.name(), message)
}

fn numbers(service: &ServiceView<'_>, windows: usize) -> Option<Finding> {
    let most = if service.mode == Some(Mode::Static) { 0 } else { service.service.scaling.max_windows as usize };
    (windows > most).then(|| finding(service, "more windows than allowed").differs(most, windows))
}

/// Crons must open early enough for polling, provisioning and the cold start; HPA steps may come on top.
fn lead(view: &View<'_>, service: &ServiceView<'_>) -> Option<Finding> {
    let chain_s = service.service.scaling.polling.0 + view.provision_s() + service.common.replica_cold_s();
    let least = (chain_s / 60.0 - 1e-9).ceil();
    let found = service.decided.scaling.lead_minutes;
    (f64::from(found) < least).then(|| finding(service, "crons do not open early enough for a cold start, minutes").differs(least, found))
}

/// Stated maxima hold every hour.
fn limits(service: &ServiceView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let floor_most = service.decided.floor_by_hour.iter().copied().max().unwrap_or(0);
    if service.decided.floor.max_replicas < floor_most {
        findings.push(finding(service, "most floor replicas are below an hour's").differs(floor_most, service.decided.floor.max_replicas));
    }
    if let Some(flex) = &service.decided.flex {
        let flex_most = service.decided.flex_by_hour.iter().copied().max().unwrap_or(0);
        if flex.max_replicas < flex_most || service.decided.scaling.max_replicas < flex_most {
            let found = flex.max_replicas.min(service.decided.scaling.max_replicas);
            findings.push(finding(service, "most flex replicas are below an hour's").differs(flex_most, found));
        }
        if service.decided.scaling.min_replicas > flex.base_replicas {
            let found = service.decided.scaling.min_replicas;
            findings.push(finding(service, "the autoscaler's fewest are above the base").differs(flex.base_replicas, found));
        }
    }
    findings
}

fn shape(service: &ServiceView<'_>, window: &Window) -> Vec<Finding> {
    let mut findings = Vec::new();
    let days: BTreeSet<u8> = window.days.iter().copied().collect();
    if days.is_empty() || days.len() != window.days.len() || days.iter().any(|d| *d > 6) {
        findings.push(finding(service, "a window's days are not distinct days 0 to 6").differs("0..=6", format!("{:?}", window.days)));
    }
    if window.start_hour > 23 || window.end_hour <= window.start_hour || window.end_hour > window.start_hour + 24 {
        let found = format!("{} to {}", window.start_hour, window.end_hour);
        findings.push(finding(service, "a window's hours are no span of at most a day").differs("0..=23, then 1 to 24 hours", found));
    }
    if window.time_zone != service.common.workload.time_zone {
        let zone = service.common.workload.time_zone.as_str();
        findings.push(finding(service, "a window in another zone").differs(zone, window.time_zone.as_str()));
    }
    let base_flex = service.decided.flex.as_ref().map_or(0, |f| f.base_replicas);
    let base_floor = service.decided.floor.base_replicas;
    // A cron trigger acts as a dynamic minimum: the autoscaler takes the largest, so a window can raise and never lower.
    if window.floor < base_floor || window.flex < base_flex || (window.floor, window.flex) == (0, 0) {
        let found = format!("{} + {}", window.floor, window.flex);
        findings
            .push(finding(service, "a window below the base, which no cron can do").differs(format!("{base_floor} + {base_flex}"), found));
    }
    findings
}

fn crons(service: &ServiceView<'_>, window: &Window) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ahead = service.decided.scaling.lead_minutes % WEEK_MINUTES;
    let at = |hour: u8, ahead: u32| -> BTreeSet<u32> {
        let minutes = window.days.iter().map(|day| u32::from(*day) * 1440 + u32::from(hour) * 60);
        minutes.map(|minute| (minute + WEEK_MINUTES - ahead) % WEEK_MINUTES).collect()
    };
    let (start, end) = (cron::firings(&window.cron_start), cron::firings(&window.cron_end));
    for (what, line, found, wanted) in
        [("start", &window.cron_start, &start, at(window.start_hour, ahead)), ("end", &window.cron_end, &end, at(window.end_hour, 0))]
    {
        match found {
            None => {
                findings.push(finding(service, format!("the {what} cron does not parse")).differs("minute hour * * days", line.as_str()))
            }
            Some(found) if *found != wanted => {
                findings.push(finding(service, format!("the {what} cron fires at other times")).differs(clock(&wanted), line.as_str()));
            }
            Some(_) => {}
        }
    }
    if let (Some(start), Some(end)) = (&start, &end) {
        let shut = local_hours(window).find(|hour| !cron::open(start, end, hour * 60 + 30));
        if let Some(hour) = shut {
            let found = format!("shut on local day {} at {}:30", hour / 24, hour % 24);
            findings.push(finding(service, "KEDA would see the window shut inside its span").differs("open", found));
        }
    }
    findings
}

/// Firing times for people: `day hour:minute`, day 0 is Monday.
fn clock(at: &BTreeSet<u32>) -> String {
    let times: Vec<String> = at.iter().map(|m| format!("{} {:02}:{:02}", m / 1440, m % 1440 / 60, m % 60)).collect();
    times.join(", ")
}

fn floor_of_hour(service: &ServiceView<'_>, hour: usize) -> Option<Finding> {
    let (wanted, found) = (service.schedule.floor[hour], service.decided.floor_by_hour[hour]);
    (wanted != found).then(|| finding(service, "floor replicas are not those of base and windows").at(hour).differs(wanted, found))
}

/// Static and scheduled: exactly the schedule's. Reactive: the schedule is the least. Asleep: the count when awake.
fn flex_of_hour(service: &ServiceView<'_>, hour: usize) -> Option<Finding> {
    let (wanted, found) = (service.schedule.flex[hour], service.decided.flex_by_hour[hour]);
    let kept = service.asleep(hour) || if service.mode == Some(Mode::Reactive) { found >= wanted } else { found == wanted };
    (!kept).then(|| finding(service, "flex replicas are not those of base and windows").at(hour).differs(wanted, found))
}
