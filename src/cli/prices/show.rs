//! `gpuplan prices show`: all that is known of one price.

use super::{Exit, Format, Terminal, cache, told};
use crate::catalog::{RowCapacity, Terms, market};
use crate::domain::{Adders, CapacityType, Risk};
use crate::ids::RegionId;
use crate::pricing::snapshot::{self, PriceRow, Snapshot};
use crate::pricing::statistics::SpotStatistics;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Price: `aws/us-east-1/g6e.12xlarge/spot`, or a commitment: `.../committed/1y/standard-reserved/no-upfront`.
    #[arg(value_name = "OFFERING")]
    pub offering: String,
    /// Which prices: `current`, `builtin`, the beginning of a snapshot's digest, or a file.
    #[arg(long, value_name = "SNAPSHOT")]
    pub prices: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let found = match cache::find(args.prices.as_deref(), terminal) {
        Ok(found) => found,
        Err(fault) => return told(&fault, terminal),
    };
    let key = match cache::key(&args.offering, &found.snapshot) {
        Ok(key) => key,
        Err(fault) => {
            let _ = writeln!(terminal.err, "error: {fault}");
            return Exit::BadInput;
        }
    };
    let Some(row) = found.snapshot.row(&key) else { return Exit::Failure };
    let facts = facts(&found.snapshot, row);
    let written = match args.format {
        Format::Json => serde_json::to_string_pretty(&facts).map_err(io::Error::other).and_then(|text| writeln!(terminal.out, "{text}")),
        Format::Human => human(&facts, &found.name, terminal),
    };
    if written.is_ok() { Exit::Done } else { Exit::Failure }
}

/// Everything, as one document.
#[derive(Serialize)]
struct Facts<'a> {
    format: &'static str,
    offering: String,
    usd_per_hour: f64,
    usd_per_gpu_hour: f64,
    currency: &'a str,
    purchasable: bool,
    accelerator: &'a str,
    gpus: f64,
    gpu_memory_gib: Option<f64>,
    vcpus: Option<f64>,
    ram_gib: Option<f64>,
    zones: &'a [String],
    source: &'a str,
    as_of: &'a str,
    read_at: Option<String>,
    derivation: &'a str,
    note: &'a str,
    usd_per_hour_by_zone: &'a BTreeMap<String, f64>,
    spot_history: Option<History>,
    interruption_band: &'a str,
    risk: Option<PlannedRisk>,
    placement_scores: Vec<Score<'a>>,
    held_back: Vec<Held<'a>>,
    beside: Vec<Beside>,
}

/// Prices of a spot pool over time.
#[derive(Serialize)]
struct History {
    days: f64,
    mean: f64,
    latest: f64,
    low: f64,
    high: f64,
    p50: f64,
    p90: f64,
    p95: f64,
    volatility: f64,
    changes_per_day: f64,
    share_at_on_demand: Option<f64>,
}

/// Availability and hazard that a scenario without knowledge of its own would plan on, and where they come from.
#[derive(Serialize)]
struct PlannedRisk {
    availability: f64,
    reclaims_per_hour: f64,
    evidence: &'static str,
}

/// How likely a request for spot succeeds.
#[derive(Serialize)]
struct Score<'a> {
    zone: &'a str,
    score: u8,
}

/// A price that waits to be seen again.
#[derive(Serialize)]
struct Held<'a> {
    usd_per_hour: f64,
    source: &'a str,
    as_of: &'a str,
    first_seen: String,
}

/// The same machine, bought otherwise.
#[derive(Serialize)]
struct Beside {
    offering: String,
    usd_per_hour: f64,
}

fn facts<'a>(snapshot: &'a Snapshot, price: &'a PriceRow) -> Facts<'a> {
    let PriceRow { row, product: _, payment: _, currency, derivation, zone_prices, statistics, read_at } = price;
    let key = price.key();
    let same_machine = |other: &&PriceRow| {
        let same = (other.row.cloud, &other.row.region, &other.row.instance_type) == (row.cloud, &row.region, &row.instance_type);
        same && other.key() != key
    };
    let beside = |other: &PriceRow| Beside { offering: other.key().to_string(), usd_per_hour: other.row.usd_per_hour };
    let scores = snapshot.placement.iter().filter(|p| p.region == row.region && p.is_of(&row.instance_type));
    let held = snapshot.held_back.iter().filter(|held| held.key == key).map(|held| Held {
        usd_per_hour: held.usd_per_hour,
        source: &held.source,
        as_of: &held.as_of,
        first_seen: held.first_seen.to_string(),
    });
    Facts {
        format: "gpuplan/price/v1",
        offering: key.to_string(),
        usd_per_hour: row.usd_per_hour,
        usd_per_gpu_hour: row.usd_per_hour / row.gpus,
        currency,
        purchasable: row.purchasable,
        accelerator: &row.accelerator,
        gpus: row.gpus,
        gpu_memory_gib: row.gpu_memory_gib,
        vcpus: row.vcpus,
        ram_gib: row.ram_gib,
        zones: &row.zones,
        source: &row.source,
        as_of: &row.as_of,
        read_at: read_at.map(|at| at.to_string()),
        derivation,
        note: &row.note,
        usd_per_hour_by_zone: zone_prices,
        spot_history: statistics.map(history),
        interruption_band: &row.interruption_band,
        risk: risk(snapshot, price),
        placement_scores: scores.map(|p| Score { zone: &p.zone, score: p.score }).collect(),
        held_back: held.collect(),
        beside: snapshot.rows.iter().filter(same_machine).map(beside).collect(),
    }
}

fn history(statistics: SpotStatistics) -> History {
    let SpotStatistics { days, level: mean, latest, low, high, p50, p90, p95, volatility, changes_per_day, share_at_on_demand } =
        statistics;
    History { days, mean, latest, low, high, p50, p90, p95, volatility, changes_per_day, share_at_on_demand }
}

fn risk(snapshot: &Snapshot, price: &PriceRow) -> Option<PlannedRisk> {
    if price.row.capacity_type != RowCapacity::Spot {
        return None;
    }
    let catalog = snapshot::catalog(snapshot, &cache::builtin_catalog().ok()?);
    let regions = [RegionId::new(&*price.row.region)];
    let terms = Terms { regions: &regions, adders: Adders::NONE, risk: &Risk::prior(), prices: &[] };
    let offerings = market(&catalog, &terms).offerings;
    let mut spot = offerings.iter().filter(|o| o.capacity_type == CapacityType::Spot);
    let risk = spot.find(|o| o.instance_type.as_str() == price.row.instance_type)?.risk?;
    let evidence = risk.evidence.as_str();
    Some(PlannedRisk { availability: risk.availability, reclaims_per_hour: risk.reclaims_per_hour, evidence })
}

fn human(facts: &Facts<'_>, from: &str, terminal: &mut Terminal) -> io::Result<()> {
    let known = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |v| v.to_string());
    let joined = |parts: Vec<String>| parts.join(", ");
    let machine = format!(
        "{} x {} ({} GiB each), {} vCPUs, {} GiB",
        facts.gpus,
        facts.accelerator,
        known(facts.gpu_memory_gib),
        known(facts.vcpus),
        known(facts.ram_gib)
    );
    let lines = [
        ("price", format!("${:.4} an hour, ${:.4} a GPU", facts.usd_per_hour, facts.usd_per_gpu_hour)),
        ("machine", machine),
        ("source", format!("{}, as of {}", facts.source, facts.as_of)),
        ("read", facts.read_at.clone().unwrap_or_default()),
        ("derivation", facts.derivation.to_owned()),
        ("note", facts.note.to_owned()),
        ("zones", facts.zones.join(", ")),
        ("zone prices", joined(facts.usd_per_hour_by_zone.iter().map(|(zone, price)| format!("{zone} {price:.4}")).collect())),
        ("history", facts.spot_history.as_ref().map(history_words).unwrap_or_default()),
        ("reclaims", facts.risk.as_ref().map(|risk| risk_words(risk, facts.interruption_band)).unwrap_or_default()),
        ("placement", joined(facts.placement_scores.iter().map(|p| format!("{} {} of 10", p.zone, p.score)).collect())),
        ("held back", joined(facts.held_back.iter().map(|h| format!("${:.4} since {}", h.usd_per_hour, h.first_seen)).collect())),
        ("beside", joined(facts.beside.iter().map(|o| format!("{} {:.4}", o.offering, o.usd_per_hour)).collect())),
    ];
    writeln!(terminal.out, "{}", facts.offering)?;
    for (label, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(terminal.out, "  {label:<12} {value}")?;
    }
    writeln!(terminal.out, "\nfrom {from}")
}

fn history_words(history: &History) -> String {
    let History { days, mean, low, high, p50, p90, volatility, changes_per_day, share_at_on_demand, .. } = history;
    let full = share_at_on_demand.map(|share| format!(", {:.0}% of the time at the on-demand price", 100.0 * share));
    format!(
        "{days:.0} days: mean {mean:.4}, half of the time below {p50:.4}, nine tenths below {p90:.4}, from {low:.4} to {high:.4}, \
         {changes_per_day:.1} changes a day, daily means vary by {:.0}%{}",
        100.0 * volatility,
        full.unwrap_or_default()
    )
}

fn risk_words(risk: &PlannedRisk, band: &str) -> String {
    let band = if band.is_empty() { String::new() } else { format!("; advisor band {band} of machines a month") };
    let away = 100.0 * (1.0 - risk.availability);
    format!("planned as away {away:.0}% of the time and {} collapses an hour, by {}{band}", risk.reclaims_per_hour, risk.evidence)
}
