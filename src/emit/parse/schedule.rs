//! Cron lines and time zones as KEDA and the CronJob controller accept them, by `robfig/cron/v3`.

use jiff::tz::TimeZoneDatabase;

/// Five fields with their limits and names.
const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of the week", 0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// Checks a line of five fields; what is wrong otherwise.
///
/// Source: robfig/cron/v3 `parser.go`, `getRange`: Sunday is 0 and never 7.
pub(super) fn check(line: &str) -> Result<(), String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("`{line}` has {} fields, not 5", fields.len()));
    }
    for (text, (name, low, high, names)) in fields.iter().zip(FIELDS) {
        for part in text.split(',').filter(|part| !part.is_empty()) {
            if !range(part, (low, high), names) {
                return Err(format!("`{part}` is no {name} (from {low} to {high})"));
            }
        }
        if text.split(',').all(str::is_empty) {
            return Err(format!("`{text}` is no {name}"));
        }
    }
    Ok(())
}

fn range(part: &str, (low, high): (u32, u32), names: &[&str]) -> bool {
    let (span, step) = part.split_once('/').map_or((part, None), |(span, step)| (span, Some(step)));
    let value = |text: &str| {
        let named = names.iter().zip(low..).find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| number);
        named.or_else(|| text.parse::<u32>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())))
    };
    let fits = |n: u32| (low..=high).contains(&n);
    let span_fits = match span.split_once('-') {
        _ if span == "*" || span == "?" => true,
        Some((first, last)) => value(first).zip(value(last)).is_some_and(|(a, b)| fits(a) && fits(b) && a <= b),
        None => value(span).is_some_and(fits),
    };
    span_fits && step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0))
}

/// The five fields of a CronJob's schedule, which may also be a word such as `@daily`.
pub(super) fn of_cron_job(line: &str) -> Result<String, String> {
    let fields = match line {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        fields => {
            check(fields)?;
            fields
        }
    };
    Ok(fields.to_owned())
}

/// Checks an IANA zone in its own spelling; what is wrong otherwise.
pub(super) fn zone(name: &str) -> Result<(), String> {
    let found = TimeZoneDatabase::bundled().get(name).ok();
    let spelled = found.as_ref().and_then(|zone| zone.iana_name());
    match spelled {
        Some(spelled) if spelled == name => Ok(()),
        Some(spelled) => Err(format!("time zone `{name}` is spelled `{spelled}`")),
        None => Err(format!("there is no time zone `{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_robfig_reads() {
        for line in ["52 7 * * 1-5", "0 19 * * 0,6", "*/15 0-6/2 1,15 JAN-mar MON", "5/10 ? * * ?", "0 0 * * 1,"] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
        for line in
            ["", "0 1 * *", "0 1 * * * *", "60 1 * * *", "0 24 * * *", "0 1 0 * *", "0 1 * * 7", "0 1 * * 5-1", "x 1 * * *", "*/0 1 * * *"]
        {
            assert!(check(line).is_err(), "{line}");
        }
        assert!(check("+5 1 * * *").is_err());
    }

    #[test]
    fn words_of_cron_jobs() {
        assert_eq!(of_cron_job("@daily").as_deref(), Ok("0 0 * * *"));
        assert!(of_cron_job("@every 1h").is_err());
        assert!(check("@daily").is_err(), "KEDA has no words");
    }

    #[test]
    fn zones_in_their_own_spelling() {
        assert_eq!(zone("Europe/Berlin"), Ok(()));
        assert_eq!(zone("UTC"), Ok(()));
        assert_eq!(zone("europe/berlin"), Err("time zone `europe/berlin` is spelled `Europe/Berlin`".to_owned()));
        assert!(zone("Mars/Olympus").is_err());
        assert!(zone("").is_err());
    }
}
