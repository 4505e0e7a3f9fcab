//! Five-field cron lines, numbers only: as many as a plan needs. Sunday is 0 (7 is read as 0).

use std::collections::BTreeSet;

/// Minutes of a week.
pub(super) const WEEK_MINUTES: u32 = 7 * 24 * 60;

/// Minutes of the local week (0 is Monday 00:00) at which the line fires; none: it does not parse, or it does not repeat
/// every week alike.
pub(super) fn firings(line: &str) -> Option<BTreeSet<u32>> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [minute, hour, "*", "*", weekday] = fields[..] else { return None };
    let minutes = values(minute, 0, 59)?;
    let hours = values(hour, 0, 23)?;
    let weekdays: BTreeSet<u32> = values(weekday, 0, 7)?.into_iter().map(|day| (day + 6) % 7).collect();
    let mut at = BTreeSet::new();
    for day in &weekdays {
        for hour in &hours {
            at.extend(minutes.iter().map(|minute| day * 1440 + hour * 60 + minute));
        }
    }
    Some(at)
}

/// `*`, `*/5`, `3`, `1-5`, `8-18/2` and lists of them.
fn values(field: &str, least: u32, most: u32) -> Option<BTreeSet<u32>> {
    let mut all = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step).filter(|s| *s > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" => (least, most),
            None => (number(range)?, number(range)?),
        };
        if from < least || to > most || from > to {
            return None;
        }
        all.extend((from..=to).step_by(step as usize));
    }
    Some(all)
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// KEDA's rule for a pair of cron lines: open when the next end comes before the next start.
pub(super) fn open(start: &BTreeSet<u32>, end: &BTreeSet<u32>, minute: u32) -> bool {
    match (next(start, minute), next(end, minute)) {
        (Some(start), Some(end)) => end <= start,
        _ => false,
    }
}

/// Minutes until the next firing strictly after `minute`.
fn next(at: &BTreeSet<u32>, minute: u32) -> Option<u32> {
    let later = at.range(minute + 1..).next().map(|m| m - minute);
    later.or_else(|| at.first().map(|m| m + WEEK_MINUTES - minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: &str) -> Option<Vec<u32>> {
        firings(line).map(|set| set.into_iter().collect())
    }

    #[test]
    fn lines() {
        assert_eq!(at("30 8 * * 1"), Some(vec![8 * 60 + 30]));
        assert_eq!(at("0 0 * * 0"), Some(vec![6 * 1440]));
        assert_eq!(at("0 0 * * 7"), at("0 0 * * 0"));
        assert_eq!(at("0 8 * * 1-5").map(|v| v.len()), Some(5));
        assert_eq!(at("*/20 1,2 * * 2").map(|v| v.len()), Some(6));
        for bad in ["0 24 * * 1", "60 1 * * 1", "0 8 1 * *", "0 8 * *", "x 8 * * 1", "0 8 * * 5-1", "0 +8 * * 1"] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pair_is_open_between_start_and_end() {
        let both = firings("45 7 * * 1-5").zip(firings("0 18 * * 1-5"));
        let Some((start, end)) = both else { panic!("both parse") };
        assert!(open(&start, &end, 8 * 60) && !open(&start, &end, 18 * 60) && !open(&start, &end, 7 * 60));
        assert!(!open(&start, &end, 5 * 1440 + 8 * 60), "Saturday");
    }

    #[test]
    fn a_whole_day_moved_ahead_closes_itself() {
        let both = firings("45 23 * * *").zip(firings("0 0 * * *"));
        let Some((start, end)) = both else { panic!("both parse") };
        assert!(!open(&start, &end, 12 * 60));
    }
}
