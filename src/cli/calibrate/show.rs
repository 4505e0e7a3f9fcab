//! The tables on the screen and as JSON: calibrated against the closed form.

use super::tables::{Made, Needed};
use crate::input::capacity_file::CapacityEntry;
use crate::report::text::printable;
use crate::sizing::capacity;
use serde::Serialize;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Style as TableStyle};

/// Format of the JSON document.
const FORMAT: &str = "gpuplan/calibration/v1";

/// Counts that are shown on the screen.
const SHOWN: [u32; 4] = [1, 2, 4, 8];

/// The JSON document.
#[derive(Serialize)]
struct Report<'a> {
    format: &'static str,
    file: String,
    computed: usize,
    cached: usize,
    dropped: usize,
    wall_seconds: f64,
    tables: Vec<Table<'a>>,
}

#[derive(Serialize)]
struct Table<'a> {
    workload: &'a str,
    accelerator: &'a str,
    gpus_per_replica: u32,
    precision: &'a str,
    burst: &'a str,
    routing: &'a str,
    percentile: f64,
    key: &'a str,
    reason: Option<&'a str>,
    points: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    replicas: u32,
    rps: f64,
    rps_low: f64,
    closed_form_rps: Option<f64>,
    ratio: Option<f64>,
}

/// Where the file is and how long it took.
pub struct Outcome<'a> {
    /// File.
    pub file: String,
    /// Seconds.
    pub wall_seconds: f64,
    /// What was made.
    pub made: &'a Made,
    /// What for.
    pub needed: &'a [Needed<'a>],
}

/// Rates of an entry beside the closed form's, before the derate.
fn rows(entry: &CapacityEntry, needed: &[Needed<'_>]) -> Vec<Row> {
    let need = needed.iter().find(|n| n.key == entry.key && n.workload == entry.workload);
    let form = need.and_then(|n| capacity::closed_form(n.service, n.point).ok());
    let row = |replicas: u32, rps: f64, rps_low: f64| {
        let closed = form.as_ref().map(|form| form.rate(replicas)).filter(|rate| *rate > 0.0);
        Row { replicas, rps, rps_low, closed_form_rps: closed, ratio: closed.map(|closed| rps_low / closed) }
    };
    entry.points.iter().map(|p| row(p.replicas, p.rps, p.rps_low)).collect()
}

/// The document.
///
/// # Errors
/// A number that JSON cannot hold.
pub fn json(outcome: &Outcome<'_>) -> serde_json::Result<String> {
    let Outcome { file, wall_seconds, made, needed } = outcome;
    serde_json::to_string_pretty(&Report {
        format: FORMAT,
        file: file.clone(),
        computed: made.computed,
        cached: made.cached,
        dropped: made.dropped,
        wall_seconds: *wall_seconds,
        tables: made.file.entries.iter().map(|entry| table(entry, needed)).collect(),
    })
}

fn table<'a>(entry: &'a CapacityEntry, needed: &[Needed<'_>]) -> Table<'a> {
    let CapacityEntry { workload, accelerator, gpus_per_replica, precision, burst, routing, percentile, key, points: _, reason } = entry;
    Table {
        workload,
        accelerator,
        gpus_per_replica: *gpus_per_replica,
        precision,
        burst,
        routing,
        percentile: *percentile,
        key,
        reason: reason.as_deref(),
        points: rows(entry, needed),
    }
}

/// For people.
#[must_use]
pub fn human(outcome: &Outcome<'_>) -> String {
    let Outcome { file, wall_seconds, made, needed } = outcome;
    let mut builder = Builder::default();
    let head = ["workload".to_owned(), "variant".to_owned(), "load".to_owned()];
    builder.push_record(head.into_iter().chain(SHOWN.iter().map(|n| format!("n={n}"))));
    let mut reasons = Vec::new();
    for entry in &made.file.entries {
        let rows = rows(entry, needed);
        let cell = |n: &u32| match rows.iter().find(|row| row.replicas == *n) {
            Some(Row { rps_low, closed_form_rps: Some(closed), ratio: Some(ratio), .. }) => {
                format!("{} / {} = {ratio:.2}", figure(*rps_low), figure(*closed))
            }
            Some(row) => figure(row.rps_low),
            None => "-".to_owned(),
        };
        let variant = format!("{} x{} {}", entry.accelerator, entry.gpus_per_replica, entry.precision);
        let load = format!("{}, {}", entry.burst, entry.routing);
        let names = [printable(&entry.workload), printable(&variant), load];
        builder.push_record(names.into_iter().chain(SHOWN.iter().map(cell)));
        reasons.extend(entry.reason.iter().map(|why| format!("- {} on {variant}: one replica attains nothing: {why}\n", entry.workload)));
    }
    let mut table = builder.build();
    table.with(TableStyle::psql());
    for column in 3..3 + SHOWN.len() {
        table.modify(Columns::one(column), Alignment::right());
    }
    format!(
        "Requests a second within the objective at the planning percentile, calibrated / closed form = ratio, before the derate\n\n\
         {table}\n{}\n{file}: {} tables; {} simulated in {wall_seconds:.1} s, {} there already, {} no longer needed\n",
        reasons.concat(),
        made.file.entries.len(),
        made.computed,
        made.cached,
        made.dropped,
    )
}

/// Three digits.
fn figure(rate: f64) -> String {
    match rate {
        r if r >= 100.0 => format!("{r:.0}"),
        r if r >= 10.0 => format!("{r:.1}"),
        r => format!("{r:.2}"),
    }
}
