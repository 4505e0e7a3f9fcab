//! YAML to a file struct, with every fault of its structure that can be told apart.
//!
//! The reader stops at its first fault. What it names (an unknown key, a value of the wrong type) is blanked out in a
//! copy of the text, byte for byte, and the rest is read again, so that one slip does not hide the next.

use super::at::{Span, span_of};
use super::codes;
use super::faults::Faults;
use super::repair;
use super::suggest;
use crate::diagnostic::Diagnostic;
use serde::de::DeserializeOwned;
use serde_saphyr::{Error, Location, Options};

/// Faults of structure that are reported for one file at most.
const MAX_REPAIRS: usize = 20;

/// A file that was read.
#[derive(Debug)]
pub struct Parsed<T> {
    /// The value; `None` when nothing sound is left.
    pub value: Option<T>,
    /// What was changed to read on.
    pub excuses: Excuses,
}

/// What was changed in the text to read on: a later fault of it would be our own doing.
#[derive(Debug, Default)]
pub struct Excuses {
    /// Keys that were blanked out or whose word was replaced.
    pub keys: Vec<String>,
    /// Places of values that were replaced.
    pub values: Vec<Span>,
}

impl Excuses {
    /// Whether a later diagnostic speaks of what was changed, which is told already.
    #[must_use]
    pub fn cover(&self, diagnostic: &Diagnostic) -> bool {
        let replaced = diagnostic.place.as_ref().is_some_and(|place| self.values.iter().any(|at| at.range().start == place.span.start));
        let texts = || [Some(&diagnostic.message), diagnostic.help.as_ref()].into_iter().flatten();
        let absent = codes::OF_ABSENCE.contains(&diagnostic.code) && self.keys.iter().any(|key| texts().any(|text| text.contains(key)));
        replaced || absent
    }
}

/// Reads a text as `T`.
pub fn parse<T: DeserializeOwned>(text: &str, faults: &mut Faults) -> Parsed<T> {
    let mut work = text.to_owned();
    let mut excuses = Excuses::default();
    for repairs in 0..=MAX_REPAIRS {
        let error = match serde_saphyr::from_str_with_options::<T>(&work, options()) {
            Ok(value) => return Parsed { value: Some(value), excuses },
            Err(error) => error,
        };
        let error = innermost(&error);
        if repairs > 0 && is_syntax(error) {
            break;
        }
        let at = error.location().map(|location| place(&location, &work)).unwrap_or_default();
        let mended = match error {
            Error::SerdeMissingField { field, .. } => {
                let item = repair::blank_item(&mut work, at);
                if !excuses.keys.iter().any(|key| key == field) {
                    missing(field, item, text, faults);
                }
                item.is_some()
            }
            _ => {
                report(error, text, at, faults);
                is_local(error) && mend(error, at, (&mut work, &mut excuses))
            }
        };
        if !mended {
            break;
        }
    }
    Parsed { value: None, excuses }
}

/// Takes the fault out of the text: a sound value in place of a wrong one, or no entry at all.
fn mend(error: &Error, at: Span, (work, excuses): (&mut String, &mut Excuses)) -> bool {
    let key = repair::key_at(work, at);
    let sound: Vec<&str> = match error {
        // The nearest word is what was meant; any other one stands for it, and may bring faults of its own.
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            suggest::nearest(variant, expected.iter().copied()).into_iter().chain(expected.iter().copied()).collect()
        }
        Error::InvalidScalar { .. } => vec!["1", "true"],
        _ => Vec::new(),
    };
    let before = work.clone();
    if sound.into_iter().any(|value| repair::substitute(work, at, value)) && *work != before {
        excuses.values.push(at);
        excuses.keys.extend(key.filter(|_| matches!(error, Error::SerdeUnknownVariant { .. })));
        return true;
    }
    let Some(key) = repair::blank(work, at) else { return false };
    match error {
        // What was never a key of the format is missed by nobody, but the one that was meant is.
        Error::SerdeUnknownField { field, expected, .. } => {
            excuses.keys.extend(suggest::nearest(field, expected.iter().copied()).map(str::to_owned));
        }
        _ => excuses.keys.push(key),
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

/// Bytes that the reader points at; it gives a line and a column alone where it could not read on.
fn place(location: &Location, text: &str) -> Span {
    if let Some(span) = span_of(location) {
        return span;
    }
    let (line, column) = (location.line().max(1) as usize - 1, location.column().max(1) as usize - 1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &text[start..];
    let offset = rest.char_indices().nth(column).map_or(rest.len(), |(i, _)| i);
    let at = (start + offset).min(text.len().saturating_sub(1)) as u32;
    Span { start: at, end: at + 1 }
}

/// The reader's own words without its "at line x" tail.
fn plain(error: &Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.split(" at line ").next().unwrap_or(first).trim_start_matches("error: ").to_owned()
}
