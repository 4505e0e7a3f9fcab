//! `capacity.json`: calibrated capacity tables, format `gpuplan/capacity/v1`. Written by `gpuplan calibrate`.
//!
//! A table is addressed by what it depends on: `key` is the digest of the performance numbers, the lengths, the burstiness, the
//! routing, the limits, the percentile, the timeout and the version of the method. So the file is a cache as well, and a table
//! that was made for other numbers is never used for these.

use super::canon;
use crate::domain::{OperatingPoint, Service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the format that this program writes and reads.
pub const CAPACITY_FORMAT: &str = "gpuplan/capacity/v1";

/// Calibrated capacity tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityFile {
    /// Always `gpuplan/capacity/v1`.
    pub format: String,
    /// How the tables were made, in words.
    pub method: String,
    /// Version of that method; part of every key.
    pub method_version: u32,
    /// Tables, sorted by (workload, accelerator, GPUs, precision).
    pub entries: Vec<CapacityEntry>,
    /// SHA-256 of the entries as compact JSON: a file that was changed by hand is refused.
    pub sha256: String,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityEntry {
    /// Service.
    pub workload: String,
    /// GPU type of the operating point.
    pub accelerator: String,
    /// GPUs of one replica.
    pub gpus_per_replica: u32,
    /// Numeric precision.
    pub precision: String,
    /// Burst class.
    pub burst: String,
    /// Routing.
    pub routing: String,
    /// Share of the requests that meet the limits at these rates.
    pub percentile: f64,
    /// Digest of all that the rates depend on.
    pub key: String,
    /// By count of replicas, ascending from 1. A replica's rate never falls with the count.
    pub points: Vec<CapacityRow>,
    /// Why one replica attains nothing, if so.
    pub reason: Option<String>,
}

/// What one count of replicas sustains, before the derate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityRow {
    /// Replicas.
    pub replicas: u32,
    /// Requests a second at which the attainment is the percentile.
    pub rps: f64,
    /// Requests a second at which the lower end of its 95% interval is: what is planned on.
    pub rps_low: f64,
}

/// Why a text is no file of this kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not the JSON of this format: the reader's own words.
    Form(String),
    /// Another format or version.
    Format(String),
    /// The entries are not those that the digest was made of.
    Digest,
    /// A table that is none.
    Table(String),
}

impl CapacityFile {
    /// A file of these tables.
    #[must_use]
    pub fn new(method: &str, method_version: u32, mut entries: Vec<CapacityEntry>) -> Self {
        let place = |e: &CapacityEntry| (e.workload.clone(), e.accelerator.clone(), e.gpus_per_replica, e.precision.clone());
        entries.sort_by_key(place);
        let sha256 = digest(&entries);
        Self { format: CAPACITY_FORMAT.to_owned(), method: method.to_owned(), method_version, entries, sha256 }
    }

    /// Reads one.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|e| Refused::Form(e.to_string()))?;
        // The format first: a file of a later version has other fields, and that is not what is wrong with it.
        let format = value.get("format").and_then(serde_json::Value::as_str).unwrap_or_default();
        if format != CAPACITY_FORMAT {
            return Err(Refused::Format(format.to_owned()));
        }
        let file: Self = serde_json::from_str(text).map_err(|e| Refused::Form(e.to_string()))?;
        if digest(&file.entries) != file.sha256 {
            return Err(Refused::Digest);
        }
        match file.entries.iter().find(|entry| !is_table(&entry.points)) {
            Some(entry) => Err(Refused::Table(format!("`{}` on `{}`", entry.workload, entry.accelerator))),
            None => Ok(file),
        }
    }
}

/// Ascending from one replica, and a replica's rate neither negative nor falling.
fn is_table(points: &[CapacityRow]) -> bool {
    let each = |row: &CapacityRow| row.rps_low / f64::from(row.replicas);
    // Rates are rounded when they are written.
    let rises = |pair: &[CapacityRow]| pair[0].replicas < pair[1].replicas && each(&pair[1]) >= each(&pair[0]) * (1.0 - 1e-4);
    points.first().is_some_and(|row| row.replicas == 1)
        && points.iter().all(|row| row.rps_low.is_finite() && row.rps_low >= 0.0)
        && points.windows(2).all(rises)
}

fn digest(entries: &[CapacityEntry]) -> String {
    canon::sha256_hex(serde_json::to_string(entries).unwrap_or_default().as_bytes())
}

/// Key of the table of a service on an operating point.
#[must_use]
pub fn key(service: &Service, point: &OperatingPoint) -> String {
    canon::sha256_hex(canon::capacity_question(service, point).as_bytes())
}
