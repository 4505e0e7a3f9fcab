//! Single values: numbers within bounds, names, dates, plain text.

use crate::input::at::{At, Span};
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::suggest;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Bounds of a number, with its key for the message.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    key: &'static str,
    least: f64,
    most: f64,
    open: bool,
}

/// More than 0, at most a trillion.
pub const fn positive(key: &'static str) -> Rule {
    Rule { key, least: 0.0, most: 1e12, open: true }
}

/// 0 or more, at most a trillion.
pub const fn not_negative(key: &'static str) -> Rule {
    Rule { key, least: 0.0, most: 1e12, open: false }
}

/// From `least` to `most`, both allowed.
pub const fn between(key: &'static str, least: f64, most: f64) -> Rule {
    Rule { key, least, most, open: false }
}

/// A share: 0 to 1.
pub const fn share(key: &'static str) -> Rule {
    between(key, 0.0, 1.0)
}

/// A price of a machine and hour; beyond ten thousand dollars it is a slip of units.
pub const fn price(key: &'static str) -> Rule {
    Rule { key, least: 0.0, most: 10_000.0, open: true }
}

/// The number, with a fault when it breaks its rule.
pub fn number(faults: &mut Faults, given: &At<f64>, rule: Rule) -> f64 {
    let Rule { key, least, most, open } = rule;
    let value = given.value;
    if !value.is_finite() {
        faults.error(codes::NOT_FINITE, given.span, format!("`{key}` is {value}, which is no number to plan with"));
        return least.max(1.0).min(most);
    }
    if value < least || value > most || (open && value <= least) {
        let bounds = match (open, most >= 1e12) {
            (true, true) => format!("more than {least}"),
            (false, true) => format!("{least} or more"),
            (true, false) => format!("more than {least} and at most {most}"),
            (false, false) => format!("between {least} and {most}"),
        };
        let code = if (most - 1.0).abs() < 1e-12 { codes::NOT_A_SHARE } else { codes::OUT_OF_RANGE };
        let diagnostic = faults.error(code, given.span, format!("`{key}` is {value}"));
        diagnostic.label(format!("must be {bounds}"));
        if code == codes::NOT_A_SHARE && value > 1.0 && value <= 100.0 {
            diagnostic.help(format!("a share is a part of 1: {value}% is {}", value / 100.0));
        }
        return least.max(value.min(most));
    }
    value
}

/// The number, if given.
pub fn optional(faults: &mut Faults, given: Option<&At<f64>>, rule: Rule) -> Option<f64> {
    given.map(|given| number(faults, given, rule))
}

/// A whole number of at least `least`.
pub fn count(faults: &mut Faults, given: &At<u32>, (key, least): (&'static str, u32)) -> u32 {
    const MOST: u32 = 100_000;
    if given.value < least || given.value > MOST {
        faults
            .error(codes::OUT_OF_RANGE, given.span, format!("`{key}` is {}", given.value))
            .label(format!("must be between {least} and {MOST}"));
    }
    given.value.clamp(least, MOST)
}

/// A DNS label: what Kubernetes, Terraform and file names all take.
pub fn dns_label(faults: &mut Faults, given: &At<String>, key: &str) {
    if !is_dns_label(given) {
        faults
            .error(codes::BAD_NAME, given.span, format!("`{key}` {} is no DNS label", quoted(given)))
            .help("use lower-case letters, digits and dashes, begin and end with a letter or digit, 63 at most");
    }
}

/// Lower-case letters, digits and inner dashes, 63 at most.
pub fn is_dns_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    name.len() <= 63 && name.chars().all(inner) && edge(name.chars().next()) && edge(name.chars().next_back())
}

/// A name with the characters of a Kubernetes label value: safe in labels, tags, tables and queries.
pub fn label_value(faults: &mut Faults, given: &At<String>, key: &str) {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let sound = given.len() <= 63 && given.chars().all(inner) && edge(given.chars().next()) && edge(given.chars().next_back());
    if !sound {
        faults
            .error(codes::BAD_NAME, given.span, format!("`{key}` {} is no label value", quoted(given)))
            .help("use letters, digits, `-`, `_` and `.`, begin and end with a letter or digit, 63 at most");
    }
}

/// A token of an image or a profile name: no blanks, quotes, brackets or `$`.
pub fn token(faults: &mut Faults, given: &At<String>, key: &str) {
    let sound = !given.is_empty()
        && given.len() <= 255
        && given.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@'));
    if !sound {
        faults
            .error(codes::BAD_NAME, given.span, format!("`{key}` {} has characters that are not allowed", quoted(given)))
            .help("use letters, digits and `-_./:@` only");
    }
}

/// Text for people: one line without control characters.
pub fn one_line(faults: &mut Faults, text: &str, (key, at): (&str, Span)) {
    if text.len() > 500 || text.chars().any(char::is_control) {
        faults.error(codes::BAD_TEXT, at, format!("`{key}` must be one line of at most 500 characters without control characters"));
    }
}

/// A day, `YYYY-MM-DD`.
pub fn date(faults: &mut Faults, given: &At<String>, key: &str) -> Option<Date> {
    let parsed = given.parse::<Date>().ok().filter(|_| given.len() == 10);
    if parsed.is_none() {
        faults.error(codes::BAD_DATE, given.span, format!("`{key}` {} is no day", quoted(given))).help("write it as YYYY-MM-DD");
    }
    parsed
}

/// What is known of the zones that a scenario names, each looked up once.
#[derive(Debug)]
pub struct Zones {
    by_name: BTreeMap<String, Zone>,
}

/// A zone on the anchor Monday.
#[derive(Debug)]
enum Zone {
    /// Seconds ahead of UTC.
    Ahead(i32),
    /// Not in the database, with the way out.
    Unknown(String),
}

impl Zones {
    /// Looks the names up.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>, monday: Date) -> Self {
        let names: BTreeSet<&str> = names.into_iter().collect();
        let look_up = |name: &str| offset_seconds(name, monday).map_or_else(|| Zone::Unknown(nearest_zone(name)), Zone::Ahead);
        Self { by_name: names.into_iter().map(|name| (name.to_owned(), look_up(name))).collect() }
    }

    /// Hours ahead of UTC, rounded, with a note when it was uneven and a fault when the zone is unknown.
    pub fn offset(&self, faults: &mut Faults, zone: &At<String>) -> i32 {
        match self.by_name.get(zone.as_str()) {
            Some(Zone::Ahead(seconds)) => {
                let exact = f64::from(*seconds) / 3600.0;
                let hours = exact.round() as i32;
                if seconds % 3600 != 0 {
                    let zone_name = &zone.value;
                    let message = format!(
                        "`{zone_name}` is {exact:+} h from UTC and planned as {hours:+} h: schedules are off by up to half an hour"
                    );
                    faults.note(codes::ROUNDED_ZONE, zone.span, message);
                }
                hours
            }
            found => {
                let diagnostic = faults.error(codes::UNKNOWN_TIME_ZONE, zone.span, format!("unknown time zone {}", quoted(zone)));
                if let Some(Zone::Unknown(help)) = found {
                    diagnostic.help(help);
                }
                0
            }
        }
    }
}

/// The way out for an unknown zone.
fn nearest_zone(name: &str) -> String {
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let near = suggest::nearest(name, known.iter().map(String::as_str));
    near.map_or_else(|| "use an IANA name, for example `America/New_York` or `UTC`".to_owned(), |zone| format!("did you mean `{zone}`?"))
}

/// Seconds that a zone is ahead of UTC at noon of a day; `None` for an unknown zone.
fn offset_seconds(zone: &str, day: Date) -> Option<i32> {
    let zoned = day.at(12, 0, 0, 0).in_tz(zone).ok()?;
    Some(zoned.offset().seconds())
}

/// A value in backticks, shortened, with control characters spelled out.
pub fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    let dots = if text.chars().count() > 40 { "..." } else { "" };
    format!("`{shown}{dots}`")
}

/// Faults for names that are given twice.
pub fn unique<'a>(faults: &mut Faults, what: &str, names: impl IntoIterator<Item = &'a At<String>>) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.as_str()) {
            faults
                .error(codes::DUPLICATE_NAME, name.span, format!("{what} `{}` is there twice", name.value))
                .help("give each its own name");
        }
    }
}
