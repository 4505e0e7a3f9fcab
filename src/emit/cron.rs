//! Weekly five-field schedules: enough of cron to join runs that differ only in their day and to move one by whole hours.

use std::collections::BTreeSet;

/// `minute hour * * days`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weekly {
    /// 0..=59.
    pub minute: u32,
    /// 0..=23.
    pub hour: u32,
    /// 0 Sunday ..= 6 Saturday, not empty.
    pub days: BTreeSet<u32>,
}

/// Reads a schedule of one minute, one hour and days of the week; `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<Weekly> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let &[minute, hour, "*", "*", days] = fields.as_slice() else { return None };
    let minute = minute.parse().ok().filter(|m| *m < 60)?;
    let hour = hour.parse().ok().filter(|h| *h < 24)?;
    let mut set = BTreeSet::new();
    for part in days.split(',') {
        let (first, last) = match part.split_once('-') {
            _ if part == "*" => (0, 6),
            Some((a, b)) => (a.parse().ok()?, b.parse().ok()?),
            None => (part.parse().ok()?, part.parse().ok()?),
        };
        if first > last || last > 7 {
            return None;
        }
        set.extend((first..=last).map(|d: u32| d % 7));
    }
    Some(Weekly { minute, hour, days: set })
}

/// The same schedule `hours` later.
#[must_use]
pub fn later(schedule: &Weekly, hours: u32) -> Weekly {
    let total = schedule.hour + hours;
    let days = schedule.days.iter().map(|d| (d + total / 24) % 7).collect();
    Weekly { minute: schedule.minute, hour: total % 24, days }
}

/// As text, days as a list, every day as `*`.
#[must_use]
pub fn text(schedule: &Weekly) -> String {
    let days: Vec<String> = schedule.days.iter().map(u32::to_string).collect();
    let days = if days.len() == 7 { "*".to_owned() } else { days.join(",") };
    format!("{} {} * * {days}", schedule.minute, schedule.hour)
}

/// Schedules with those of equal time of day joined; what cannot be read stays as it is. Sorted, without doubles.
#[must_use]
pub fn joined<'a>(schedules: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut weekly: Vec<Weekly> = Vec::new();
    let mut other: BTreeSet<String> = BTreeSet::new();
    for schedule in schedules {
        let Some(read) = parse(schedule) else {
            other.insert(schedule.to_owned());
            continue;
        };
        match weekly.iter_mut().find(|w| (w.hour, w.minute) == (read.hour, read.minute)) {
            Some(same) => same.days.extend(read.days),
            None => weekly.push(read),
        }
    }
    weekly.sort_by_key(|w| (w.hour, w.minute));
    weekly.iter().map(text).chain(other).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_time_of_day_become_one_schedule() {
        let runs = ["0 1 * * 1", "0 1 * * 2", "30 4 * * 0", "0 1 * * 5-6"];
        assert_eq!(joined(runs.into_iter()), ["0 1 * * 1,2,5,6", "30 4 * * 0"]);
        assert_eq!(joined(["0 1 1 * *"].into_iter()), ["0 1 1 * *"]);
    }

    #[test]
    fn moving_passes_midnight_and_the_week() {
        let saturday_night = parse("15 23 * * 6").unwrap();
        assert_eq!(text(&later(&saturday_night, 3)), "15 2 * * 0");
        assert_eq!(text(&later(&saturday_night, 168)), "15 23 * * 6");
    }
}
