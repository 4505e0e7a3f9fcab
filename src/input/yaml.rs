//! YAML to a file struct, with every fault of its structure that can be told apart.
//!
//! The reader stops at its first fault. What it names (an unknown key, a value of the wrong type) is blanked out in a
//! copy of the text, byte for byte, and the rest is read again, so that one slip does not hide the next.

use super::at::{Span, span_of};
use super::codes;
use super::faults::Faults;
use super::repair;
use super::suggest;
use serde::de::DeserializeOwned;
use serde_saphyr::{Error, Options};

/// Faults of structure that are reported for one file at most.
const MAX_REPAIRS: usize = 20;

/// A file that was read.
#[derive(Debug)]
pub struct Parsed<T> {
    /// The value; `None` when nothing sound is left.
    pub value: Option<T>,
    /// Keys that were blanked out: a check that misses one of them in `value` has found nothing.
    pub absent: Vec<String>,
}

/// Reads a text as `T`.
pub fn parse<T: DeserializeOwned>(text: &str, faults: &mut Faults) -> Parsed<T> {
    let mut work = text.to_owned();
    // Keys whose absence from now on is our own doing.
    let mut excused: Vec<String> = Vec::new();
    for repairs in 0..=MAX_REPAIRS {
        let error = match serde_saphyr::from_str_with_options::<T>(&work, options()) {
            Ok(value) => return Parsed { value: Some(value), absent: excused },
            Err(error) => error,
        };
        let error = innermost(&error);
        if repairs > 0 && is_syntax(error) {
            break;
        }
        let at = error.location().as_ref().and_then(span_of).unwrap_or_default();
        let mended = match error {
            Error::SerdeMissingField { field, .. } => {
                let item = repair::blank_item(&mut work, at);
                if !excused.iter().any(|key| key == field) {
                    missing(field, item, text, faults);
                }
                item.is_some()
            }
            _ => {
                report(error, text, at, faults);
                is_local(error) && mend(error, at, (&mut work, &mut excused))
            }
        };
        if !mended {
            break;
        }
    }
    Parsed { value: None, absent: excused }
}

/// Takes the fault out of the text: a sound value in place of a wrong one, or no entry at all.
fn mend(error: &Error, at: Span, (work, excused): (&mut String, &mut Vec<String>)) -> bool {
    let sound: Vec<&str> = match error {
        Error::SerdeUnknownVariant { expected, .. } => expected.clone(),
        Error::InvalidScalar { .. } => vec!["1", "true"],
        _ => Vec::new(),
    };
    let before = work.clone();
    if sound.into_iter().any(|value| repair::substitute(work, at, value)) && *work != before {
        return true;
    }
    let Some(key) = repair::blank(work, at) else { return false };
    if let Error::SerdeUnknownField { field, expected, .. } = error {
        excused.extend(suggest::nearest(field, expected.iter().copied()).map(str::to_owned));
    }
    // What was never a key of the format is missed by nobody.
    if !matches!(error, Error::SerdeUnknownField { .. }) {
        excused.push(key);
    }
    true
}

/// A key that must be there: told at the item of the list that lacks it, else at the head of the file.
fn missing(field: &str, item: Option<Span>, text: &str, faults: &mut Faults) {
    let first = text.lines().next().unwrap_or_default().len() as u32;
    let (at, whose) = item.map_or((Span { start: 0, end: first.max(1) }, "the file"), |item| (item, "this item"));
    faults.error(codes::MISSING_KEY, at, format!("missing key `{field}`")).label(format!("{whose} needs `{field}`"));
}

/// Limits that a scenario of ten thousand workloads keeps and a bomb of aliases does not.
fn options() -> Options {
    serde_saphyr::options! {
        with_snippet: false,
        emit_comments: false,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 200_000 },
        budget: serde_saphyr::budget! {
            max_events: 20_000_000,
            max_nodes: 20_000_000,
            max_aliases: 20_000,
            max_depth: 32,
            max_documents: 1,
        },
    }
}

fn innermost(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => innermost(error),
        other => other,
    }
}

/// Faults of one key or one value: the rest of the file is sound.
fn is_local(error: &Error) -> bool {
    matches!(
        error,
        Error::SerdeUnknownField { .. }
            | Error::SerdeUnknownVariant { .. }
            | Error::SerdeInvalidType { .. }
            | Error::SerdeInvalidValue { .. }
            | Error::InvalidScalar { .. }
            | Error::InvalidBooleanStrict { .. }
            | Error::NullIntoString { .. }
            | Error::Unexpected { .. }
            | Error::DuplicateMappingKey { .. }
    )
}

fn is_syntax(error: &Error) -> bool {
    !is_local(error) && !matches!(error, Error::SerdeMissingField { .. })
}

/// One fault of structure as a diagnostic.
fn report(error: &Error, text: &str, at: Span, faults: &mut Faults) {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let known = expected.iter().copied();
            let diagnostic = faults.error(codes::UNKNOWN_KEY, at, format!("unknown key `{field}`"));
            diagnostic.help = suggest::help(field, known);
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            let diagnostic = faults.error(codes::UNKNOWN_VALUE, at, format!("unknown value `{variant}`{}", of_key(text, at)));
            diagnostic.help = suggest::help(variant, expected.iter().copied());
        }
        Error::DuplicateMappingKey { key, .. } => {
            let name = key.as_deref().unwrap_or("?");
            faults.error(codes::DUPLICATE_KEY, at, format!("key `{name}` is given twice")).help("keep one of the two");
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            let message = format!("the file expands beyond its limits: {}", plain(error));
            faults.error(codes::TOO_MUCH, at, message).help("write repeated parts out, or split the scenario");
        }
        _ if is_local(error) => wrong_type(error, text, at, faults),
        _ => {
            faults.error(codes::SYNTAX, at, format!("no valid YAML: {}", plain(error)));
        }
    }
}

fn wrong_type(error: &Error, text: &str, at: Span, faults: &mut Faults) {
    let key = repair::key_at(text, at);
    let wanted = match error {
        Error::InvalidScalar { ty, .. } => (*ty).to_owned(),
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => expected.clone(),
        Error::Unexpected { expected, .. } => (*expected).to_owned(),
        Error::InvalidBooleanStrict { .. } => "`true` or `false`".to_owned(),
        _ => "a value".to_owned(),
    };
    let wanted = plain_type(&wanted);
    let of = key.as_ref().map(|key| format!("`{key}` ")).unwrap_or_default();
    let diagnostic = faults.error(codes::WRONG_TYPE, at, format!("{of}must be {wanted}"));
    if let Some(unit) = key.as_deref().and_then(unit_of).filter(|_| wanted.contains("number")) {
        diagnostic.help(format!("write the bare number: the key says that it is in {unit}"));
    }
}

/// Rust's names of types in a reader's words.
fn plain_type(wanted: &str) -> String {
    match wanted {
        "f64" | "f32" | "float" | "floating point" | "invalid float" => "a number".to_owned(),
        "u32" | "u64" | "unsigned integer" => "a whole number, not negative".to_owned(),
        "i64" | "i32" | "integer" => "a whole number".to_owned(),
        "bool" | "boolean" => "`true` or `false`".to_owned(),
        "mapping" | "mapping start" => "a mapping (`key: value`)".to_owned(),
        "sequence" | "sequence start" => "a list (`- item`, or `[a, b]`)".to_owned(),
        "string" | "string scalar" | "scalar" => "a single value".to_owned(),
        other if other.starts_with("struct ") => "a mapping (`key: value`)".to_owned(),
        other => other.to_owned(),
    }
}

/// Unit that a key's name ends in.
fn unit_of(key: &str) -> Option<&'static str> {
    const UNITS: [(&str, &str); 10] = [
        ("_ms", "milliseconds"),
        ("_rps", "requests a second"),
        ("usd_per_hour", "dollars an hour"),
        ("usd_per_node_hour", "dollars a node and hour"),
        ("usd_per_month", "dollars a month"),
        ("_percent", "percent"),
        ("_gib", "GiB"),
        ("_cv2", "squared coefficients of variation"),
        ("_share", "shares of 1"),
        ("_s", "seconds"),
    ];
    UNITS.iter().find(|(suffix, _)| key.ends_with(suffix)).map(|(_, unit)| *unit)
}

fn of_key(text: &str, at: Span) -> String {
    repair::key_at(text, at).map(|key| format!(" of `{key}`")).unwrap_or_default()
}

/// The reader's own words without its "at line x" tail.
fn plain(error: &Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.split(" at line ").next().unwrap_or(first).trim_start_matches("error: ").to_owned()
}
