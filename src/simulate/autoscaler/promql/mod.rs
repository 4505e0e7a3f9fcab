//! The part of PromQL that needs no history, for the queries of triggers.
//!
//! In: a query, read once, and the series that exist at this moment. Out: what KEDA's Prometheus scaler sees of the answer. What
//! needs earlier samples (range selectors but for `rate` and `increase` of a counter, `offset`) is refused when the query is read, with its name, and so is what a
//! scaling query has no use for (`group_left`, `topk`).
//!
//! Written here rather than taken from the crate `promql-parser`, whose grammar is generated at build time: it and what it brings
//! cost 216 s of processor time in a clean release build.
//!
//! Simplified: sums are plain, not compensated; labels that are equal after the name is dropped are not refused.

mod evaluate;
mod lex;
mod parse;
mod pattern;

#[cfg(test)]
mod tests;

use super::Reading;
use std::collections::BTreeMap;
use thiserror::Error;

pub use parse::{Query, counted_over};

/// Why a query is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PromqlError {
    /// Prometheus would refuse it too.
    #[error("syntax error at byte {at} of the query: {what}")]
    Syntax {
        /// Byte of the query.
        at: usize,
        /// What is wrong.
        what: String,
    },
    /// Prometheus would answer, a replay cannot.
    #[error("the query cannot be evaluated: {0}")]
    NotEvaluated(String),
}

/// A series with its present value.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Metric name.
    pub name: String,
    /// Labels without the name.
    pub labels: BTreeMap<String, String>,
    /// Last sample.
    pub value: f64,
}

/// What a query selects by equality: a series that has to exist for the query to see anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selection {
    /// Metric name.
    pub name: String,
    /// Labels given by `=`, without empty ones.
    pub labels: BTreeMap<String, String>,
}

/// What Prometheus answers to an instant query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// No element.
    Empty,
    /// One element; may be NaN or infinite.
    One(f64),
    /// So many elements.
    Several(usize),
    /// A scalar, which is not a vector of one element.
    Scalar(f64),
    /// Refused while evaluating: two series of a side have equal labels.
    Ambiguous,
}

impl From<Answer> for Reading {
    /// As KEDA reads the answer (`prometheus_scaler.go`, `ExecutePromQuery`): several elements are an error, and so is a scalar,
    /// whose JSON has another shape.
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Empty => Self::Empty,
            Answer::One(value) => Self::Value(value),
            Answer::Several(_) | Answer::Scalar(_) | Answer::Ambiguous => Self::Error,
        }
    }
}
