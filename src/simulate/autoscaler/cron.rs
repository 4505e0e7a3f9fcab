//! Five-field schedules in an IANA zone, read and stepped as KEDA and Kubernetes do, and KEDA's windows between two of them.
//!
//! Both use robfig/cron v3.0.1, whose `parser.go` and `spec.go` (`SpecSchedule.Next`) are followed here, the clock changes with
//! them. A time that the spring change skips does not exist, so that run is left out. A time that the autumn change repeats fires
//! twice. Of the day of the month and the day of the week either is enough, unless one of them is `*` (or `*/1`). Sunday is 0: 7
//! is refused, as it is by KEDA and by Kubernetes.
//!
//! Times are whole seconds since 1970-01-01 00:00 UTC. Zones come from the database that is compiled in, never from the machine.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use thiserror::Error;

const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3_600;
const MINUTE_S: i64 = 60;
/// robfig gives up on a schedule that does not fire within five years, such as 30 February.
const YEARS_AHEAD: i64 = 5;

/// Why a schedule or a window is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CronError {
    /// Not five fields.
    #[error("expected 5 fields, found {found}: `{text}`")]
    Fields {
        /// Fields found.
        found: usize,
        /// The schedule.
        text: String,
    },
    /// A field that cannot be read.
    #[error("`{part}` is no {field}: {why}")]
    Field {
        /// Which field.
        field: &'static str,
        /// The part of it at fault.
        part: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A zone that is not in the IANA database.
    #[error("unknown time zone `{0}`")]
    Zone(String),
    /// A window whose start and end are the same text, which KEDA refuses.
    #[error("start and end of a cron trigger are both `{0}`")]
    SameEdges(String),
    /// A window at zero, which KEDA refuses.
    #[error("a cron trigger has no `desiredReplicas`")]
    NoReplicas,
}

/// One field: a bit a value, and whether it is unrestricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    bits: u64,
    star: bool,
}

impl Field {
    fn has(self, value: i64) -> bool {
        (0..64).contains(&value) && self.bits >> value & 1 == 1
    }
}

/// What a field may hold.
struct Bounds {
    field: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const MONTH_NAMES: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAY_NAMES: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const BOUNDS: [Bounds; 5] = [
    Bounds { field: "minute", low: 0, high: 59, names: &[] },
    Bounds { field: "hour", low: 0, high: 23, names: &[] },
    Bounds { field: "day of the month", low: 1, high: 31, names: &[] },
    Bounds { field: "month", low: 1, high: 12, names: MONTH_NAMES },
    Bounds { field: "day of the week", low: 0, high: 6, names: DAY_NAMES },
];

impl Bounds {
    fn fault(&self, part: &str, why: &'static str) -> CronError {
        CronError::Field { field: self.field, part: part.to_owned(), why }
    }

    fn number(&self, text: &str, part: &str) -> Result<u32, CronError> {
        let lower = text.to_ascii_lowercase();
        if let Some(index) = self.names.iter().position(|name| *name == lower) {
            return Ok(index as u32 + self.low);
        }
        text.parse().map_err(|_| self.fault(part, "not a number"))
    }

    /// `number | number "-" number`, `*` or `?`, each with an optional `/step`.
    fn range(&self, part: &str) -> Result<Field, CronError> {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(step.parse::<u32>().map_err(|_| self.fault(part, "the step is not a number"))?)),
            None => (part, None),
        };
        let (first, last, star) = if span == "*" || span == "?" {
            (self.low, self.high, step.is_none_or(|step| step <= 1))
        } else if let Some((first, last)) = span.split_once('-') {
            (self.number(first, part)?, self.number(last, part)?, false)
        } else {
            let first = self.number(span, part)?;
            // `5/15` is `5-max/15`.
            (first, if step.is_some() { self.high } else { first }, false)
        };
        let step = step.unwrap_or(1);
        if self.field == "day of the week" && last == 7 {
            return Err(self.fault(part, "Sunday is 0 to KEDA and Kubernetes, which refuse 7"));
        }
        if first < self.low || last > self.high {
            return Err(self.fault(part, "out of range"));
        }
        if first > last {
            return Err(self.fault(part, "the range ends before it begins"));
        }
        if step == 0 {
            return Err(self.fault(part, "the step is 0"));
        }
        let bits = (first..=last).step_by(step as usize).fold(0_u64, |bits, value| bits | 1 << value);
        Ok(Field { bits, star })
    }

    fn read(&self, text: &str) -> Result<Field, CronError> {
        let mut field = Field { bits: 0, star: false };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let more = self.range(part)?;
            field = Field { bits: field.bits | more.bits, star: field.star || more.star };
        }
        Ok(field)
    }
}

/// An IANA zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

/// A local time, taken apart.
#[derive(Clone, Copy, Debug)]
struct Local {
    /// Days since 1970-01-01, local.
    date: i64,
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Local {
    fn weekday(&self) -> i64 {
        // 1970-01-01 was a Thursday.
        (self.date + 4).rem_euclid(7)
    }

    fn second_of_day(&self) -> i64 {
        self.hour * HOUR_S + self.minute * MINUTE_S + self.second
    }
}

impl Zone {
    /// The zone of this name. Errors with [`CronError::Zone`] for a name that the database lacks.
    pub fn named(name: &str) -> Result<Self, CronError> {
        // Go's `time.LoadLocation` takes no name for UTC.
        if name.is_empty() {
            return Ok(Self(TimeZone::UTC));
        }
        TimeZoneDatabase::bundled().get(name).map(Self).map_err(|_| CronError::Zone(name.to_owned()))
    }

    /// Seconds east of Greenwich at an instant.
    #[must_use]
    pub fn offset_s(&self, at: i64) -> i64 {
        Timestamp::from_second(at).map_or(0, |at| i64::from(self.0.to_offset(at).seconds()))
    }

    fn local(&self, at: i64) -> Local {
        let seconds = at + self.offset_s(at);
        let date = seconds.div_euclid(DAY_S);
        let of_day = seconds.rem_euclid(DAY_S);
        let (year, month, day) = civil(date);
        Local { date, year, month, day, hour: of_day / HOUR_S, minute: of_day % HOUR_S / MINUTE_S, second: of_day % MINUTE_S }
    }

    /// Instant of a local time as Go's `time.Date` finds it, also where the clock change leaves none or two.
    fn instant(&self, date: i64, second_of_day: i64) -> i64 {
        let naive = date * DAY_S + second_of_day;
        let guess = naive - self.offset_s(naive);
        naive - self.offset_s(guess)
    }
}

/// Year, month and day of a date in days since 1970-01-01 (H. Hinnant, *chrono-compatible low-level date algorithms*).
fn civil(date: i64) -> (i64, i64, i64) {
    let shifted = date + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since 1970-01-01 of the first of a month; month 13 is January of the next year.
fn first_of_month(year: i64, month: i64) -> i64 {
    let (year, month) = if month > 12 { (year + 1, month - 12) } else { (year, month) };
    let year = if month <= 2 { year - 1 } else { year };
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted_month + 2) / 5;
    year.div_euclid(400) * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// `minute hour day-of-month month day-of-week`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

/// A search for the next run: the instant reached, and whether it was moved off the start, after which it lies on whole units.
struct Search<'a> {
    schedule: &'a Schedule,
    zone: &'a Zone,
    at: i64,
    local: Local,
    moved: bool,
}

impl Search<'_> {
    fn go(&mut self, at: i64) {
        self.at = at;
        self.local = self.zone.local(at);
    }

    /// Moves to the start of the unit before the first step.
    fn align(&mut self, at: i64) {
        if !self.moved {
            self.moved = true;
            self.go(at);
        }
    }

    /// Steps to a month that matches; false where the year ended first.
    fn month(&mut self) -> bool {
        while !self.schedule.month.has(self.local.month) {
            self.align(self.zone.instant(first_of_month(self.local.year, self.local.month), 0));
            let date = first_of_month(self.local.year, self.local.month + 1) + self.local.day - 1;
            self.go(self.zone.instant(date, self.local.second_of_day()));
            if self.local.month == 1 {
                return false;
            }
        }
        true
    }

    /// Steps to a day that matches; false where the month ended first.
    fn day(&mut self) -> bool {
        while !self.schedule.day_matches(&self.local) {
            self.align(self.zone.instant(self.local.date, 0));
            self.go(self.zone.instant(self.local.date + 1, self.local.second_of_day()));
            // Where a clock change removes midnight.
            if self.local.hour > 12 {
                self.go(self.at + (24 - self.local.hour) * HOUR_S);
            } else if self.local.hour != 0 {
                self.go(self.at - self.local.hour * HOUR_S);
            }
            if self.local.day == 1 {
                return false;
            }
        }
        true
    }

    /// Steps to an hour that matches; false where the day ended first.
    fn hour(&mut self) -> bool {
        while !self.schedule.hour.has(self.local.hour) {
            self.align(self.zone.instant(self.local.date, self.local.hour * HOUR_S));
            self.go(self.at + HOUR_S);
            if self.local.hour == 0 {
                return false;
            }
        }
        true
    }

    /// Steps to a minute that matches; false where the hour ended first.
    fn minute(&mut self) -> bool {
        while !self.schedule.minute.has(self.local.minute) {
            self.align(self.at - self.at.rem_euclid(MINUTE_S));
            self.go(self.at + MINUTE_S);
            if self.local.minute == 0 {
                return false;
            }
        }
        true
    }

    /// Steps to the full minute; false where that began another one.
    fn second(&mut self) -> bool {
        let late = self.local.second != 0;
        if late {
            self.moved = true;
            self.go(self.at + MINUTE_S - self.local.second);
        }
        !late
    }
}

impl Schedule {
    /// Reads a schedule. Errors name the part at fault.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::Fields { found: fields.len(), text: text.to_owned() });
        };
        let [minutes, hours, days, months, weekdays] = &BOUNDS;
        Ok(Self {
            minute: minutes.read(minute)?,
            hour: hours.read(hour)?,
            day: days.read(day)?,
            month: months.read(month)?,
            weekday: weekdays.read(weekday)?,
        })
    }

    fn day_matches(&self, at: &Local) -> bool {
        let (day, weekday) = (self.day.has(at.day), self.weekday.has(at.weekday()));
        if self.day.star || self.weekday.star { day && weekday } else { day || weekday }
    }

    /// First run strictly after an instant; `None` where there is none within five years.
    #[must_use]
    pub fn next_after(&self, zone: &Zone, now: i64) -> Option<i64> {
        let local = zone.local(now + 1);
        let mut search = Search { schedule: self, zone, at: now + 1, local, moved: false };
        let last_year = local.year + YEARS_AHEAD;
        while search.local.year <= last_year {
            if search.month() && search.day() && search.hour() && search.minute() && search.second() {
                return Some(search.at);
            }
        }
        None
    }
}

/// The next run of an edge, and from when on that is known.
#[derive(Clone, Copy, Debug)]
struct Edge {
    from: i64,
    at: Option<i64>,
}

impl Edge {
    fn holds(&self, now: i64) -> bool {
        now >= self.from && self.at.is_none_or(|at| now < at)
    }
}

/// A window of KEDA's cron scaler.
#[derive(Clone, Debug)]
pub struct Window {
    zone: Zone,
    start: Schedule,
    end: Schedule,
    edges: Option<(Edge, Edge)>,
}

impl Window {
    /// A window from its metadata `(start, end)`. Errors where KEDA would refuse the trigger.
    pub fn new(zone: &str, (start, end): (&str, &str)) -> Result<Self, CronError> {
        if start == end {
            return Err(CronError::SameEdges(start.to_owned()));
        }
        Ok(Self { zone: Zone::named(zone)?, start: Schedule::parse(start)?, end: Schedule::parse(end)?, edges: None })
    }

    /// Whether the window is open (KEDA `cron_scaler.go`, `GetMetricsAndActivity`): it is iff the next end comes no later than the
    /// next start. The edges are kept until one of them is passed.
    pub fn is_open(&mut self, now: i64) -> bool {
        let (start, end) = match self.edges {
            Some((start, end)) => (start.holds(now).then_some(start), end.holds(now).then_some(end)),
            None => (None, None),
        };
        let start = start.unwrap_or_else(|| Edge { from: now, at: self.start.next_after(&self.zone, now) });
        let end = end.unwrap_or_else(|| Edge { from: now, at: self.end.next_after(&self.zone, now) });
        self.edges = Some((start, end));
        match (start.at, end.at) {
            (Some(start), Some(end)) => end <= start,
            // An edge that never comes is Go's zero time, long past: a start so, an end not.
            (None, _) => true,
            (Some(_), None) => false,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    fn unix(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    /// The next runs after an instant.
    fn runs(zone: &str, schedule: &str, (after, count): (&str, usize)) -> Vec<String> {
        let (zone, schedule) = (Zone::named(zone).unwrap(), Schedule::parse(schedule).unwrap());
        let first = schedule.next_after(&zone, unix(after));
        let all = std::iter::successors(first, |at| schedule.next_after(&zone, *at)).take(count);
        all.map(|at| Timestamp::from_second(at).unwrap().to_string()).collect()
    }

    #[test]
    fn lists_ranges_steps_and_names() {
        let after = ("2026-01-05T00:00:30Z", 3);
        assert_eq!(runs("UTC", "*/20 * * * *", after), ["2026-01-05T00:20:00Z", "2026-01-05T00:40:00Z", "2026-01-05T01:00:00Z"]);
        assert_eq!(runs("UTC", "5/30 6-7 * * *", after), ["2026-01-05T06:05:00Z", "2026-01-05T06:35:00Z", "2026-01-05T07:05:00Z"]);
        assert_eq!(runs("UTC", "0 9 * * tue,FRI", after), ["2026-01-06T09:00:00Z", "2026-01-09T09:00:00Z", "2026-01-13T09:00:00Z"]);
        assert_eq!(runs("UTC", "0 0 1 mar-apr *", after), ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "2027-03-01T00:00:00Z"]);
        assert_eq!(runs("UTC", "0 0 29 2 *", (after.0, 1)), ["2028-02-29T00:00:00Z"]);
    }

    #[test]
    fn either_day_is_enough_unless_one_is_a_star() {
        let after = ("2026-01-05T00:00:00Z", 3);
        assert_eq!(runs("UTC", "0 0 13 * 5", after), ["2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z", "2026-01-16T00:00:00Z"]);
        assert_eq!(runs("UTC", "0 0 13 * *", (after.0, 1)), ["2026-01-13T00:00:00Z"]);
        // `*/2` is no star: odd days, or Fridays.
        assert_eq!(runs("UTC", "0 0 */2 * 5", ("2026-01-07T12:00:00Z", 2)), ["2026-01-09T00:00:00Z", "2026-01-11T00:00:00Z"]);
        assert_eq!(runs("UTC", "0 0 13 * 5", ("2026-02-13T00:00:00Z", 1)), ["2026-02-20T00:00:00Z"]);
    }

    #[test]
    fn a_run_is_strictly_later() {
        assert_eq!(runs("UTC", "0 8 * * *", ("2026-01-05T07:59:59Z", 1)), ["2026-01-05T08:00:00Z"]);
        assert_eq!(runs("UTC", "0 8 * * *", ("2026-01-05T08:00:00Z", 1)), ["2026-01-06T08:00:00Z"]);
        assert_eq!(runs("UTC", "0 0 30 2 *", ("2026-01-05T08:00:00Z", 1)), Vec::<String>::new());
    }

    // robfig/cron documents: runs within the hour that is skipped do not happen; those within the repeated one happen twice.
    #[test]
    fn clock_changes() {
        let spring = ("2026-03-07T12:00:00Z", 2);
        assert_eq!(runs("America/New_York", "30 2 * * *", spring), ["2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z"]);
        assert_eq!(runs("America/New_York", "0 3 * * *", spring), ["2026-03-08T07:00:00Z", "2026-03-09T07:00:00Z"]);
        let autumn = ("2026-10-31T12:00:00Z", 3);
        let twice = ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"];
        assert_eq!(runs("America/New_York", "30 1 * * *", autumn), twice);
        // Midnight itself is skipped in Beirut on 2026-03-29 (00:00 becomes 01:00): the day's run at 00:00 is left out.
        let beirut = runs("Asia/Beirut", "0 0 * * *", ("2026-03-27T23:00:00Z", 2));
        assert_eq!(beirut, ["2026-03-29T21:00:00Z", "2026-03-30T21:00:00Z"]);
    }

    // Every minute whose local time matches is a run, none other: an independent way to the same answer, over both changes.
    #[test]
    fn agrees_with_a_look_at_every_minute() {
        let schedules = ["30 2 * * *", "15 1-3 * * 0", "*/40 * * * *", "0 0 * * 1", "5 23,0 8,29 * *", "59 1 1,25 3-11 0"];
        let starts = ["2026-03-06T22:17:41Z", "2026-03-27T00:00:00Z", "2026-10-23T13:30:00Z", "2026-10-30T05:59:59Z"];
        for zone in ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "UTC"].map(|zone| Zone::named(zone).unwrap()) {
            for (text, start) in schedules.iter().flat_map(|text| starts.iter().map(move |start| (text, unix(start)))) {
                let schedule = Schedule::parse(text).unwrap();
                let matches = |at: &i64| {
                    let local = zone.local(*at);
                    schedule.minute.has(local.minute) && schedule.hour.has(local.hour) && schedule.day_matches(&local)
                };
                let end = start + 4 * DAY_S;
                let first = start - start.rem_euclid(MINUTE_S) + MINUTE_S;
                let seen: Vec<i64> = (first..=end).step_by(60).filter(matches).collect();
                let within_months = |at: &i64| schedule.month.has(zone.local(*at).month);
                let seen: Vec<i64> = seen.into_iter().filter(within_months).collect();
                let next = |at: &i64| schedule.next_after(&zone, *at);
                let found: Vec<i64> = std::iter::successors(next(&start), next).take_while(|at| *at <= end).collect();
                assert_eq!(found, seen, "{text}");
            }
        }
    }

    #[test]
    fn half_hour_zones() {
        assert_eq!(runs("Asia/Kolkata", "15 9 * * *", ("2026-01-05T00:00:00Z", 1)), ["2026-01-05T03:45:00Z"]);
        // Lord Howe moves by half an hour: +11:00 in January, +10:30 in July.
        assert_eq!(runs("Australia/Lord_Howe", "0 9 * * *", ("2026-07-01T00:00:00Z", 1)), ["2026-07-01T22:30:00Z"]);
    }

    #[test]
    fn dates_come_back() {
        for date in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil(date);
            assert_eq!(first_of_month(year, month) + day - 1, date);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(first_of_month(2025, 13), first_of_month(2026, 1));
    }

    #[test]
    fn faults_name_the_part() {
        let fault = |text: &str| Schedule::parse(text).unwrap_err().to_string();
        assert_eq!(fault("0 8 * *"), "expected 5 fields, found 4: `0 8 * *`");
        assert_eq!(fault("60 8 * * *"), "`60` is no minute: out of range");
        assert_eq!(fault("0 8 * * 7"), "`7` is no day of the week: Sunday is 0 to KEDA and Kubernetes, which refuse 7");
        assert_eq!(fault("0 9-8 * * *"), "`9-8` is no hour: the range ends before it begins");
        assert_eq!(fault("*/0 8 * * *"), "`*/0` is no minute: the step is 0");
        assert_eq!(fault("0 8 * foo *"), "`foo` is no month: not a number");
        assert!(Zone::named("Mars/Olympus").is_err());
        assert!(Window::new("UTC", ("0 8 * * *", "0 8 * * *")).is_err());
    }

    #[test]
    fn an_edge_that_never_comes() {
        let now = unix("2026-01-05T12:00:00Z");
        assert!(!Window::new("UTC", ("0 8 * * *", "0 0 30 2 *")).unwrap().is_open(now));
        assert!(Window::new("UTC", ("0 0 30 2 *", "0 8 * * *")).unwrap().is_open(now));
    }
}
