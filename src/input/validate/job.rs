//! Work of a batch or training job: runs of the week in UTC hours.

use super::values::{dns_label, number, one_line, positive, quoted};
use crate::domain::{JobRun, Queue};
use crate::input::at::At;
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::workload_file::{QueueFile, RunFile, WorkFile};

const WEEK_H: i64 = 168;

/// A deadline named before its release lies in the next week if that leaves at most this many hours.
const LONGEST_WRAP_H: i64 = 72;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Work units of a run, and the runs, sorted.
pub fn work(file: &At<WorkFile>, offset: i32, faults: &mut Faults) -> (f64, Vec<JobRun>) {
    let units = number(faults, &file.units_per_run, positive("units_per_run"));
    let local: Vec<(i64, i64)> = match (&file.runs, &file.daily, &file.weekdays) {
        (Some(runs), None, None) => {
            if runs.is_empty() {
                faults.error(codes::NO_RUNS, runs.span, "`runs` is empty").help("give at least one run, or leave the workload out");
            }
            runs.iter().filter_map(|run| weekly(run, faults)).collect()
        }
        (None, Some(run), None) => each_day(run, 7, faults),
        (None, None, Some(run)) => each_day(run, 5, faults),
        _ => {
            faults.error(codes::EXACTLY_ONE, file.span, "`work` takes exactly one of `runs`, `daily` and `weekdays`");
            Vec::new()
        }
    };
    let mut runs: Vec<JobRun> = local
        .into_iter()
        .map(|(release, deadline)| {
            let utc = (release - i64::from(offset)).rem_euclid(WEEK_H);
            JobRun { release_hour: utc as u32, deadline_hour: (utc + deadline - release) as u32 }
        })
        .collect();
    runs.sort_unstable();
    runs.dedup();
    (units, runs)
}

/// A run with days: local hours of the week.
fn weekly(file: &At<RunFile>, faults: &mut Faults) -> Option<(i64, i64)> {
    let release = moment(&file.release, "release", faults);
    let deadline = moment(&file.deadline, "deadline", faults);
    let (release, mut deadline) = (release?, deadline?);
    if release >= WEEK_H {
        faults.error(codes::BAD_TIME, file.release.span, "a release lies in the week itself").help("leave `next` to the deadline");
        return None;
    }
    if deadline <= release && deadline + WEEK_H - release <= LONGEST_WRAP_H {
        deadline += WEEK_H;
    }
    if deadline <= release {
        faults
            .error(
                codes::DEADLINE_BEFORE_RELEASE,
                file.deadline.span,
                format!("the deadline {} does not come after the release", quoted(&file.deadline)),
            )
            .label(format!("released {}", quoted(&file.release)))
            .help("write `next mon 06:00` for a deadline in the following week");
        return None;
    }
    Some((release, deadline))
}

/// A run on each of the first `days` days; a deadline not after the release is of the next day.
fn each_day(file: &At<RunFile>, days: i64, faults: &mut Faults) -> Vec<(i64, i64)> {
    let release = clock(&file.release, &file.release, faults);
    let deadline = clock(&file.deadline, &file.deadline, faults);
    let (Some(release), Some(deadline)) = (release, deadline) else { return Vec::new() };
    let length = if deadline > release { deadline - release } else { deadline + 24 - release };
    (0..days).map(|day| (day * 24 + release, day * 24 + release + length)).collect()
}

/// `mon 22:00` or `next mon 06:00` as hours after Monday 00:00.
fn moment(given: &At<String>, key: &str, faults: &mut Faults) -> Option<i64> {
    let words: Vec<&str> = given.split_whitespace().collect();
    let (weeks, rest) = match words.as_slice() {
        ["next", rest @ ..] => (1, rest),
        rest => (0, rest),
    };
    let &[day, time] = rest else {
        faults.error(codes::BAD_TIME, given.span, format!("`{key}` {} is no time of the week", quoted(given))).help("write `mon 22:00`");
        return None;
    };
    let short: String = day.to_lowercase().chars().take(3).collect();
    let Some(index) = DAYS.iter().position(|name| *name == short) else {
        let message = format!("`{key}` {} names no day", quoted(given));
        faults.error(codes::BAD_TIME, given.span, message).help(format!("days are {}", DAYS.join(", ")));
        return None;
    };
    Some(weeks * WEEK_H + index as i64 * 24 + clock(time, given, faults)?)
}

/// `22:00` as an hour; plans are made by whole hours.
fn clock(text: &str, given: &At<String>, faults: &mut Faults) -> Option<i64> {
    let parts = text.split_once(':').and_then(|(h, m)| Some((h.parse::<u32>().ok()?, m.parse::<u32>().ok()?)));
    match parts {
        Some((hour, 0)) if hour <= 24 => Some(i64::from(hour)),
        Some((hour, minute)) if hour < 24 && minute < 60 => {
            faults
                .error(codes::BAD_TIME, given.span, format!("{} is no whole hour", quoted(given)))
                .help("plans are made by the hour: write the next hour for a release, the one before for a deadline");
            None
        }
        _ => {
            faults.error(codes::BAD_TIME, given.span, format!("{} is no time of day", quoted(given))).help("write `22:00`, in quotes");
            None
        }
    }
}

/// The queue of a job.
pub fn queue(file: &QueueFile, faults: &mut Faults) -> Queue {
    dns_label(faults, &file.scaler, "scaler");
    for (key, value) in &file.metadata {
        let sound = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !sound {
            faults.error(codes::BAD_NAME, file.scaler.span, format!("metadata key {} is none that KEDA has", quoted(key)));
        }
        one_line(faults, value, (key, file.scaler.span));
    }
    Queue { scaler: file.scaler.value.clone(), metadata: file.metadata.clone().into_iter().collect() }
}
