//! Which tables a scenario needs, which of them are there already, and the file of all of them.

use crate::demand::{self, HPA_TOLERANCE};
use crate::domain::{METHOD_VERSION, OperatingPoint, Scenario, Service};
use crate::feasibility;
use crate::input::capacity_file::{self, CapacityEntry, CapacityFile, CapacityRow};
use crate::simulate::calibrate::{self, Answer, GRID, METHOD, Question, ROOM, Reach};
use crate::sizing::capacity;
use std::collections::BTreeMap;

/// Digits that a rate is written with: more than it is known to.
const DIGITS: i32 = 6;

/// A table that the scenario needs.
pub struct Needed<'a> {
    /// Service.
    pub workload: &'a str,
    /// Its side of the question.
    pub service: &'a Service,
    /// Operating point.
    pub point: &'a OperatingPoint,
    /// Digest of the question.
    pub key: String,
    /// The question.
    pub question: Question,
    /// Highest rate that is ever planned on, before the derate, requests a second.
    pub highest_rps: f64,
}

/// Tables of every operating point that a plan might choose: what the owner accepts, what the regions hold, and what the closed
/// form does not rule out. Sorted as in the file.
#[must_use]
pub fn needed(scenario: &Scenario) -> Vec<Needed<'_>> {
    let mut all = Vec::new();
    for workload in scenario.workloads.iter().filter(|w| !scenario.freeze.contains(&w.id)) {
        let Some(service) = workload.service() else { continue };
        for point in &scenario.profiles[&workload.profile].points {
            if feasibility::ruled_out(scenario, workload, point).is_some() {
                continue;
            }
            let Ok(form) = capacity::closed_form(service, point) else { continue };
            let Some(question) = Question::of(service, point, form.saturation_rps()) else { continue };
            all.push(Needed {
                workload: workload.id.as_str(),
                service,
                point,
                key: capacity_file::key(service, point),
                question,
                highest_rps: demand::highest_peak(service) * (1.0 + HPA_TOLERANCE) / (1.0 - point.evidence.derate()),
            });
        }
    }
    all
}

/// The file, and how many of its tables were made now.
pub struct Made {
    /// The file.
    pub file: CapacityFile,
    /// Tables that were simulated.
    pub computed: usize,
    /// Tables that were there.
    pub cached: usize,
    /// Tables that were there and are not needed.
    pub dropped: usize,
}

/// What is simulated.
pub struct Task {
    /// What for: `chat on l40s x1 fp8`.
    pub name: String,
    key: String,
    /// The question.
    pub question: Question,
    /// Up to which count.
    pub reach: Reach,
}

/// Makes the file: tables of `before` that are needed stay, the others are solved, the longest first.
pub fn make(needed: &[Needed<'_>], before: &[CapacityEntry], max_replicas: u32, solve: impl FnOnce(&[Task]) -> Vec<Answer>) -> Made {
    let reaches = |rows: &[CapacityRow], highest_rps: f64| {
        let last = GRID.into_iter().take_while(|&n| n <= max_replicas).last().unwrap_or(1);
        rows.last().is_some_and(|row| row.rps_low >= highest_rps || row.replicas >= last)
    };
    let mut known: BTreeMap<String, (Vec<CapacityRow>, Option<String>)> = BTreeMap::new();
    let mut tasks: BTreeMap<&str, Task> = BTreeMap::new();
    let mut cached = 0;
    for need in needed {
        let there = before.iter().find(|entry| entry.key == need.key && reaches(&entry.points, need.highest_rps));
        if let Some(entry) = there {
            cached += 1;
            known.insert(need.key.clone(), (entry.points.clone(), entry.reason.clone()));
            continue;
        }
        let load_rps = ROOM * need.highest_rps;
        let task = tasks.entry(&need.key).or_insert_with(|| Task {
            name: format!("{} on {} x{} {}", need.workload, need.point.accelerator, need.point.gpus_per_replica, need.point.precision),
            key: need.key.clone(),
            question: need.question.clone(),
            reach: Reach { load_rps, max_replicas },
        });
        task.reach.load_rps = task.reach.load_rps.max(load_rps);
    }
    let mut tasks: Vec<Task> = tasks.into_values().collect();
    tasks.sort_by(|a, b| b.question.effort().total_cmp(&a.question.effort()).then_with(|| a.key.cmp(&b.key)));
    let answers = solve(&tasks);
    for (task, answer) in tasks.iter().zip(answers) {
        let Answer { points, reason } = answer;
        let rows = points.iter().map(|p| CapacityRow { replicas: p.replicas, rps: rounded_down(p.rps), rps_low: rounded_down(p.rps_low) });
        known.insert(task.key.clone(), (rows.collect(), reason));
    }
    let entries: Vec<CapacityEntry> = needed.iter().filter_map(|need| entry(need, known.get(&need.key)?)).collect();
    let dropped = before.iter().filter(|old| !entries.iter().any(|entry| entry.key == old.key)).count();
    Made { computed: tasks.len(), cached, dropped, file: CapacityFile::new(METHOD, METHOD_VERSION, entries) }
}

fn entry(need: &Needed<'_>, (points, reason): &(Vec<CapacityRow>, Option<String>)) -> Option<CapacityEntry> {
    Some(CapacityEntry {
        workload: need.workload.to_owned(),
        accelerator: need.point.accelerator.to_string(),
        gpus_per_replica: need.point.gpus_per_replica,
        precision: need.point.precision.clone(),
        burst: need.service.demand.burst.as_str().to_owned(),
        routing: need.service.scaling.routing.as_str().to_owned(),
        percentile: need.service.slo.planning_percentile(),
        key: need.key.clone(),
        points: points.clone(),
        reason: reason.clone(),
    })
}

/// To so many digits, never up.
fn rounded_down(rate: f64) -> f64 {
    if rate <= 0.0 {
        return 0.0;
    }
    let unit = 10.0_f64.powi(DIGITS - 1 - rate.log10().floor() as i32);
    (rate * unit).floor() / unit
}

/// All tasks, on all cores; says of each when it is done.
pub fn simulate(tasks: &[Task], progress: &(impl Fn(&str) + Sync)) -> Vec<Answer> {
    let done = std::sync::atomic::AtomicUsize::new(0);
    crate::parallel::map(tasks, |task| {
        let answer = calibrate::answer(&task.question, &task.reach);
        let count = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        progress(&format!("{count} of {} tables: {}", tasks.len(), task.name));
        answer
    })
}
