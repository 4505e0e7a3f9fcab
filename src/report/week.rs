//! The week on the clock of the people who run it: UTC hours of a plan as local days and hours.

use crate::plan::ServicePlan;
use crate::units::HOURS_PER_WEEK;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Days from Monday, as plans count them.
pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Whole hours that a zone is ahead of UTC when the anchor week begins; none for a zone or date nobody knows.
///
/// The zone data are the ones built into the program, so that a report is the same on every machine.
#[must_use]
pub fn utc_offset_hours(time_zone: &str, anchor_monday: &str) -> Option<i32> {
    let zone = TimeZoneDatabase::bundled().get(time_zone).ok()?;
    let monday: Date = anchor_monday.parse().ok()?;
    let start = TimeZone::UTC.to_timestamp(monday.at(0, 0, 0, 0)).ok()?;
    Some((f64::from(zone.to_offset(start).seconds()) / 3600.0).round() as i32)
}

/// An hour of the week on the local clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Hours ahead of UTC.
    pub offset_hours: i32,
}

impl Clock {
    /// The clock of a zone, and the zone's name to show; UTC where the zone is unknown.
    #[must_use]
    pub fn of<'a>(time_zone: &'a str, anchor_monday: &str) -> (Self, &'a str) {
        match utc_offset_hours(time_zone, anchor_monday) {
            Some(offset_hours) => (Self { offset_hours }, time_zone),
            None => (Self { offset_hours: 0 }, "UTC"),
        }
    }

    /// Local hour of the week, 0..168, of a UTC hour.
    #[must_use]
    pub fn local(self, utc_hour: usize) -> usize {
        (utc_hour as i64 + i64::from(self.offset_hours)).rem_euclid(HOURS_PER_WEEK as i64) as usize
    }

    /// `Tue 05:24`, from hours after Monday 00:00 UTC.
    #[must_use]
    pub fn at(self, utc_hours: f64) -> String {
        let minutes = ((utc_hours + f64::from(self.offset_hours)) * 60.0).ceil() as i64;
        let minutes = minutes.rem_euclid(HOURS_PER_WEEK as i64 * 60);
        format!("{} {:02}:{:02}", DAYS[(minutes / 1440) as usize], minutes / 60 % 24, minutes % 60)
    }
}

/// Days as people write them: `Mon-Fri`, `Sat, Sun`, `daily`. Numbers above 6 are left out.
#[must_use]
pub fn day_list(days: &[u8]) -> String {
    let present: Vec<usize> = (0..7).filter(|d| days.iter().any(|x| usize::from(*x) == *d)).collect();
    if present.len() == 7 {
        return "daily".to_owned();
    }
    let mut parts = Vec::new();
    let mut i = 0;
    while i < present.len() {
        let mut j = i;
        while j + 1 < present.len() && present[j + 1] == present[j] + 1 {
            j += 1;
        }
        if j - i >= 2 {
            parts.push(format!("{}-{}", DAYS[present[i]], DAYS[present[j]]));
        } else {
            parts.extend(present[i..=j].iter().map(|d| DAYS[*d].to_owned()));
        }
        i = j + 1;
    }
    parts.join(", ")
}

/// Start and end of a window: `08:00-20:00`, `22:00-06:00 next day`.
#[must_use]
pub fn hour_span(start_hour: u8, end_hour: u8) -> String {
    let next = if end_hour > 24 { " next day" } else { "" };
    let end = if end_hour > 24 { end_hour - 24 } else { end_hour };
    format!("{start_hour:02}:00-{end:02}:00{next}")
}

/// Days that look alike, and what they look like.
#[derive(Clone, Debug, PartialEq)]
pub struct DayRow {
    /// `Mon-Fri`.
    pub days: String,
    /// One cell a local hour.
    pub cells: Vec<String>,
}

/// Replicas of a service by local hour, equal days in one row. `~3`: three while awake, asleep part of the hour.
#[must_use]
pub fn replica_rows(service: &ServicePlan, clock: Clock) -> Vec<DayRow> {
    let mut week = vec![String::from("?"); HOURS_PER_WEEK];
    let at = |series: &[u32], hour: usize| series.get(hour).copied().unwrap_or(0);
    for hour in 0..HOURS_PER_WEEK {
        let flex = at(&service.flex_by_hour, hour);
        let awake = service.awake_share_by_hour.get(hour).copied().unwrap_or(1.0);
        let total = at(&service.floor_by_hour, hour) + flex;
        // Shares are 1 by definition wherever the service is never asleep; the tolerance is for sums that were.
        let asleep_at_times = flex > 0 && awake < 1.0 - 1e-9;
        week[clock.local(hour)] = if asleep_at_times { format!("~{total}") } else { total.to_string() };
    }
    collapse(&week)
}

/// Puts equal days of a week of 168 cells into one row each, in the order of their first day.
fn collapse(week: &[String]) -> Vec<DayRow> {
    let mut groups: Vec<(Vec<u8>, &[String])> = Vec::new();
    for (day, cells) in week.chunks(24).enumerate() {
        match groups.iter_mut().find(|(_, known)| *known == cells) {
            Some((days, _)) => days.push(day as u8),
            None => groups.push((vec![day as u8], cells)),
        }
    }
    groups.into_iter().map(|(days, cells)| DayRow { days: day_list(&days), cells: cells.to_vec() }).collect()
}

/// Day rows as fixed-width text with the hours on top.
#[must_use]
pub fn grid(rows: &[DayRow]) -> String {
    let cell = rows.iter().flat_map(|r| &r.cells).map(|c| c.chars().count()).max().unwrap_or(1).max(2);
    let label = rows.iter().map(|r| r.days.chars().count()).max().unwrap_or(4).max(4);
    let line = |name: &str, cells: &[String]| {
        let cells: String = cells.iter().map(|c| format!(" {c:>cell$}")).collect();
        format!("{name:<label$}{cells}\n")
    };
    let hours: Vec<String> = (0..24).map(|h| format!("{h:02}")).collect();
    let mut out = line("", &hours);
    for row in rows {
        out.push_str(&line(&row.days, &row.cells));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_hold_for_the_anchor_week() {
        // 2026-10-05 is in summer time, 2026-11-16 is not.
        assert_eq!(utc_offset_hours("America/New_York", "2026-10-05"), Some(-4));
        assert_eq!(utc_offset_hours("America/New_York", "2026-11-16"), Some(-5));
        assert_eq!(utc_offset_hours("Asia/Kolkata", "2026-10-05"), Some(6));
        assert_eq!(utc_offset_hours("Mars/Olympus", "2026-10-05"), None);
    }

    #[test]
    fn the_local_week_wraps() {
        let clock = Clock { offset_hours: -4 };
        assert_eq!(clock.local(0), 164);
        assert_eq!(clock.at(0.0), "Sun 20:00");
        assert_eq!(clock.at(29.4), "Tue 01:24");
        assert_eq!(clock.at(172.0), "Mon 00:00");
    }

    #[test]
    fn days_read_as_ranges() {
        assert_eq!(day_list(&[0, 1, 2, 3, 4]), "Mon-Fri");
        assert_eq!(day_list(&[5, 6]), "Sat, Sun");
        assert_eq!(day_list(&[0, 2, 3, 4]), "Mon, Wed-Fri");
        assert_eq!(day_list(&[0, 1, 2, 3, 4, 5, 6]), "daily");
        assert_eq!(hour_span(22, 30), "22:00-06:00 next day");
        assert_eq!(hour_span(8, 24), "08:00-24:00");
    }
}
