//! `gpuplan prices show`: all that is known of one price.

use super::{Exit, Format, Terminal, cache, told};
use crate::catalog::{RowCapacity, Terms, market};
use crate::domain::{Adders, CapacityType, Risk};
use crate::ids::RegionId;
use crate::pricing::snapshot::{self, PriceRow, Snapshot};
use serde_json::{Value, json};
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
        Format::Human => human(&facts, &found, terminal),
    };
    if written.is_ok() { Exit::Done } else { Exit::Failure }
}

/// Everything, as one document.
fn facts(snapshot: &Snapshot, row: &PriceRow) -> Value {
    let key = row.key();
    let same_machine = |other: &&PriceRow| {
        let (a, b) = (&other.row, &row.row);
        (a.cloud, &a.region, &a.instance_type) == (b.cloud, &b.region, &b.instance_type) && other.key() != key
    };
    let beside = snapshot
        .rows
        .iter()
        .filter(same_machine)
        .map(|other| json!({"offering": other.key().to_string(), "usd_per_hour": other.row.usd_per_hour}));
    let held = snapshot.held_back.iter().filter(|held| held.key == key);
    let placement = snapshot.placement.iter().filter(|p| p.region == row.row.region && p.is_of(&row.row.instance_type));
    json!({
        "format": "gpuplan/price/v1",
        "offering": key.to_string(),
        "usd_per_hour": row.row.usd_per_hour,
        "usd_per_gpu_hour": row.row.usd_per_hour / row.row.gpus,
        "currency": row.currency,
        "purchasable": row.row.purchasable,
        "accelerator": row.row.accelerator,
        "gpus": row.row.gpus,
        "gpu_memory_gib": row.row.gpu_memory_gib,
        "vcpus": row.row.vcpus,
        "ram_gib": row.row.ram_gib,
        "zones": row.row.zones,
        "source": row.row.source,
        "as_of": row.row.as_of,
        "read_at": row.read_at.map(|at| at.to_string()),
        "derivation": row.derivation,
        "note": row.row.note,
        "usd_per_hour_by_zone": row.zone_prices,
        "spot_history": row.statistics.map(|s| json!({
            "days": s.days, "mean": s.level, "latest": s.latest, "low": s.low, "high": s.high, "p50": s.p50, "p90": s.p90, "p95": s.p95,
            "volatility": s.volatility, "changes_per_day": s.changes_per_day, "share_at_on_demand": s.share_at_on_demand,
        })),
        "interruption_band": row.row.interruption_band,
        "risk": risk(snapshot, row),
        "placement_scores": placement.map(|p| json!({"zone": p.zone, "score": p.score})).collect::<Vec<_>>(),
        "held_back": held.map(|h| json!({"usd_per_hour": h.usd_per_hour, "source": h.source, "as_of": h.as_of, "first_seen": h.first_seen.to_string()})).collect::<Vec<_>>(),
        "beside": beside.collect::<Vec<_>>(),
    })
}

/// Availability and hazard that a scenario without knowledge of its own would plan on, and where they come from.
fn risk(snapshot: &Snapshot, row: &PriceRow) -> Value {
    let Ok(builtin) = crate::catalog::builtin::catalog() else { return Value::Null };
    let catalog = snapshot::catalog(snapshot, &builtin);
    let regions = [RegionId::new(&*row.row.region)];
    let risk = Risk::prior();
    let terms = Terms { regions: &regions, adders: Adders::NONE, risk: &risk, prices: &[] };
    let offerings = market(&catalog, &terms).offerings;
    let same = |o: &&crate::domain::Offering| o.instance_type.as_str() == row.row.instance_type && o.capacity_type == CapacityType::Spot;
    let found = offerings.iter().find(same).and_then(|o| o.risk).filter(|_| row.row.capacity_type == RowCapacity::Spot);
    found.map_or(
        Value::Null,
        |r| json!({"availability": r.availability, "reclaims_per_hour": r.reclaims_per_hour, "evidence": r.evidence.as_str()}),
    )
}

fn human(facts: &Value, found: &cache::Found, terminal: &mut Terminal) -> io::Result<()> {
    let text = |name: &str| facts[name].as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_f64().map_or_else(|| "unknown".to_owned(), |v| format!("{v:.4}"));
    let plain = |value: &Value| value.as_f64().map_or_else(|| "unknown".to_owned(), |v| format!("{v}"));
    let list =
        |value: &Value, one: &dyn Fn(&Value) -> String| value.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ");
    let mut lines: Vec<(&str, String)> = vec![
        ("price", format!("${} an hour, ${} a GPU", number(&facts["usd_per_hour"]), number(&facts["usd_per_gpu_hour"]))),
        (
            "machine",
            format!(
                "{} x {} ({} GiB each), {} vCPUs, {} GiB",
                plain(&facts["gpus"]),
                text("accelerator"),
                plain(&facts["gpu_memory_gib"]),
                plain(&facts["vcpus"]),
                plain(&facts["ram_gib"])
            ),
        ),
        ("source", format!("{}, as of {}", text("source"), text("as_of"))),
    ];
    let mut add = |label, value: String| {
        if !value.is_empty() {
            lines.push((label, value));
        }
    };
    add("read", text("read_at"));
    add("derivation", text("derivation"));
    add("note", text("note"));
    add("zones", list(&facts["zones"], &|zone| zone.as_str().unwrap_or_default().to_owned()));
    let by_zone = facts["usd_per_hour_by_zone"].as_object().into_iter().flatten();
    add("zone prices", by_zone.map(|(zone, price)| format!("{zone} {}", number(price))).collect::<Vec<_>>().join(", "));
    add("history", facts.get("spot_history").filter(|h| !h.is_null()).map(spot_history).unwrap_or_default());
    add("reclaims", risk_words(&facts["risk"], &text("interruption_band")));
    add("placement", list(&facts["placement_scores"], &|p| format!("{} {} of 10", p["zone"].as_str().unwrap_or_default(), p["score"])));
    add(
        "held back",
        list(&facts["held_back"], &|h| format!("${} since {}", number(&h["usd_per_hour"]), h["first_seen"].as_str().unwrap_or_default())),
    );
    add("beside", list(&facts["beside"], &|o| format!("{} {}", o["offering"].as_str().unwrap_or_default(), number(&o["usd_per_hour"]))));
    writeln!(terminal.out, "{}", text("offering"))?;
    for (label, value) in lines {
        writeln!(terminal.out, "  {label:<12} {value}")?;
    }
    writeln!(terminal.out, "\nfrom {}", found.name)
}

fn spot_history(history: &Value) -> String {
    let at = |name: &str| history[name].as_f64().unwrap_or(0.0);
    let full = history["share_at_on_demand"].as_f64().map(|share| format!(", {:.0}% of the time at the on-demand price", 100.0 * share));
    format!(
        "{:.0} days: mean {:.4}, half of the time below {:.4}, nine tenths below {:.4}, from {:.4} to {:.4}, {:.1} changes a day, daily means vary by {:.0}%{}",
        at("days"),
        at("mean"),
        at("p50"),
        at("p90"),
        at("low"),
        at("high"),
        at("changes_per_day"),
        100.0 * at("volatility"),
        full.unwrap_or_default()
    )
}

fn risk_words(risk: &Value, band: &str) -> String {
    if risk.is_null() {
        return String::new();
    }
    let band = if band.is_empty() { String::new() } else { format!("; advisor band {band} of machines a month") };
    format!(
        "planned as away {:.0}% of the time and {} collapses an hour, by {}{band}",
        100.0 * (1.0 - risk["availability"].as_f64().unwrap_or(0.0)),
        risk["reclaims_per_hour"],
        risk["evidence"].as_str().unwrap_or_default()
    )
}
