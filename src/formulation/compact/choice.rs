//! Choice: one way to run each workload, one level an hour of a scheduled service, one base.
//!
//! ```text
//! sum of y[u, way] over units u that run w = 1   for each workload w
//! sum over s of x[w, o, d, p, s] = y[w, o]       for each scheduled option o, set of days d, hour p of the service day
//! sum over s of b[w, o, s] = y[w, o]
//! ```
//!
//! `y`, `x`, `b` are binaries without unit. Ways are: a constant count, the HPA's response (awake or with zero), a
//! schedule by one pattern of days, a start of a job, as today. The dual of the first row is what the workload costs at
//! the margin, dollars a week.

use crate::domain::Mode;
use crate::formulation::columns::column::{self, Decision};
use crate::formulation::columns::{price, schedule};
use crate::formulation::compact::draft::{Draft, JobStart, Presence, Schedule, Sense, Terms};
use crate::formulation::compact::uses;
use crate::formulation::family::Family;
use crate::formulation::job::JobOption;
use crate::formulation::problem::{Place, Problem, Sharing};
use crate::formulation::service::ServiceOption;
use crate::units::HOURS_PER_WEEK;

/// Makes the binaries and states the rows.
pub fn state(draft: &mut Draft<'_>) {
    let problem = draft.problem;
    let mut choices: Vec<Terms> = vec![Vec::new(); problem.count()];
    for (workload, options) in problem.workloads.iter().enumerate() {
        let first = draft.model.columns.len();
        let mut ways: Vec<usize> = Vec::new();
        for (index, option) in options.services.iter().enumerate() {
            for mode in &option.modes {
                match mode {
                    Mode::Static => ways.push(week(draft, (workload, index), price::constant(index, option))),
                    Mode::Reactive => {
                        ways.extend(price::reactive(index, option).into_iter().map(|decision| week(draft, (workload, index), decision)));
                    }
                    Mode::Scheduled => ways.extend(scheduled(draft, workload, (index, option))),
                }
            }
        }
        for (index, option) in options.jobs.iter().enumerate() {
            let latest = if option.held { 0 } else { option.latest_offset };
            ways.extend((0..=latest).map(|offset| job(draft, workload, (index, option), offset)));
        }
        ways.extend(frozen(draft, workload));
        debug_assert!(ways.iter().all(|&way| way >= first));
        for &member in &options.members {
            choices[member].extend(ways.iter().map(|&way| (way, 1.0)));
        }
        if !bundled(problem, workload) {
            draft.row((Family::Choice, &format!("{workload}")), &std::mem::take(&mut choices[workload]), (Sense::Equal, 1.0));
        }
    }
    // Bundles come after the workloads that they may run.
    for (workload, terms) in choices.iter().enumerate().filter(|(_, terms)| !terms.is_empty()) {
        draft.row((Family::Choice, &format!("{workload}")), terms, (Sense::Equal, 1.0));
    }
}

/// A bundle, or a workload that one may run.
fn bundled(problem: &Problem, unit: usize) -> bool {
    problem.workloads.iter().any(|u| u.bundle.is_some() && (u.members.contains(&unit))) || problem.workloads[unit].bundle.is_some()
}

/// A way with a fixed week of counts.
fn week(draft: &mut Draft<'_>, (workload, index): (usize, usize), decision: Decision) -> usize {
    let option = &draft.problem.workloads[workload].services[index];
    let Decision::Service { mode, sleeps, hours, .. } = &decision else { return draft.binary(format!("none_{workload}")) };
    let column = draft.binary(format!("{}{}_{workload}_{index}", mode.as_str(), if *sleeps { "_zero" } else { "" }));
    let floor: Vec<u32> = hours.iter().map(|h| h.floor).collect();
    let flex: Vec<u32> = hours.iter().map(|h| if h.asleep { 0 } else { h.flex }).collect();
    let starts = f64::from(column::starts(&floor)) * option.floor.start + f64::from(column::starts(&flex)) * option.flex().start;
    draft.cost.push((column, starts + option.egress));
    for (hour, count) in hours.iter().enumerate() {
        uses::service(draft, (column, workload, index), (hour, count));
    }
    let hours = hours.iter().copied().enumerate().collect();
    draft.presences.push(Presence { column, workload, option: index, hours });
    // A way that breaks the error budget is ruled out by its own row.
    if column::of_service(draft.problem, workload, option, decision).is_none_or(|c| c.changed) {
        draft.changes.push((column, 1.0));
    }
    column
}

/// A schedule by each pattern of days; without windows the patterns are the same.
fn scheduled<'a>(draft: &mut Draft<'a>, workload: usize, (index, option): (usize, &'a ServiceOption)) -> Vec<usize> {
    let patterns = if option.shape.max_windows == 0 { &schedule::PATTERNS[..1] } else { &schedule::PATTERNS[..] };
    let mut ways = Vec::new();
    for (pattern, sets) in patterns.iter().enumerate() {
        let name = format!("{workload}_{index}_{pattern}");
        let taken = draft.binary(format!("scheduled_{name}"));
        draft.changes.push((taken, 1.0));
        draft.cost.push((taken, option.egress));
        let levels = schedule::levels(option);
        let states = levels.len() + usize::from(!option.shape.sleep.is_empty());
        let base = (0..states).map(|s| draft.binary(format!("base_{name}_{s}"))).collect();
        let mut plan =
            Schedule { workload, option, name, taken, sets, cut: schedule::least_loaded_hour(option), levels, level: Vec::new(), base };
        plan.level = (0..sets.len())
            .map(|set| (0..24).map(|p| (0..states).map(|s| draft.binary(format!("level_{}_{set}_{p}_{s}", plan.name))).collect()).collect())
            .collect();
        for set in 0..sets.len() {
            for position in 0..24 {
                hold(draft, &plan, (index, set, position));
            }
        }
        let mut terms: Terms = plan.base.iter().map(|&b| (b, 1.0)).collect();
        terms.push((taken, -1.0));
        draft.row((Family::Choice, &format!("base_{}", plan.name)), &terms, (Sense::Equal, 0.0));
        draft.schedules.push(plan);
        ways.push(taken);
    }
    ways
}

/// One level in an hour of the service day, with what each level takes.
fn hold(draft: &mut Draft<'_>, plan: &Schedule<'_>, (index, set, position): (usize, usize, usize)) {
    let columns = &plan.level[set][position];
    let mut terms: Terms = columns.iter().map(|&x| (x, 1.0)).collect();
    terms.push((plan.taken, -1.0));
    draft.row((Family::Choice, &format!("level_{}_{set}_{position}", plan.name)), &terms, (Sense::Equal, 0.0));
    for (state, &column) in columns.iter().enumerate() {
        let hours: Vec<_> = plan.hours(set, position).into_iter().map(|hour| (hour, plan.count(state, hour))).collect();
        for (hour, count) in &hours {
            uses::service(draft, (column, plan.workload, index), (*hour, count));
        }
        draft.presences.push(Presence { column, workload: plan.workload, option: index, hours });
    }
}

/// A start of a job.
fn job(draft: &mut Draft<'_>, workload: usize, (index, option): (usize, &JobOption), offset: u32) -> usize {
    let column = draft.binary(format!("start_{workload}_{index}_{offset}"));
    let workers = f64::from(option.workers);
    let week = HOURS_PER_WEEK as f64;
    let paid = if option.held { week } else { option.runs.len() as f64 * (option.hours + option.tail_hours) };
    draft.cost.push((column, option.place.price * workers * paid + option.bytes));
    draft.changes.push((column, 1.0));
    let exclusive_all_week = option.held && option.place.sharing == Sharing::Exclusive;
    let (touched, share) = (column::job_hours(option, offset, true), column::job_hours(option, offset, false));
    for hour in 0..HOURS_PER_WEEK {
        let (held, expected) = if exclusive_all_week { (1.0, 1.0) } else { (touched[hour], share[hour]) };
        uses::nodes(draft, column, (&option.place, hour), (held * workers, expected * workers));
    }
    draft.job_starts.push(JobStart { column, workload, option: index, offset });
    column
}

/// As today.
fn frozen(draft: &mut Draft<'_>, workload: usize) -> Option<usize> {
    let option = draft.problem.workloads[workload].frozen.as_ref()?;
    let column = draft.binary(format!("today_{workload}"));
    draft.cost.push((column, option.cost));
    let (held, slots) = match option.sharing {
        Sharing::Exclusive => (option.nodes.ceil(), 0),
        Sharing::Fixed => (1.0, option.slots),
    };
    let place = Place { pool: option.pool, kind: 0, slots, price: 0.0, start: 0.0, bytes: 0.0, restart: 0.0, sharing: option.sharing };
    for hour in 0..HOURS_PER_WEEK {
        uses::nodes(draft, column, (&place, hour), (held, option.nodes));
        // What runs on spot today has its fallback today.
        if let Some(taken) = draft.uses.last_mut() {
            taken.lost = 0.0;
        }
    }
    Some(column)
}
