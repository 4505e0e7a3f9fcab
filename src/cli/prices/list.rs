//! `gpuplan prices list`: prices as a table, each with its day and its source.

use super::{CloudArg, Exit, Terminal, cache, told};
use crate::catalog::{Catalog, CatalogRow, RowCapacity};
use crate::input::suggest;
use clap::ValueEnum;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{self, Write};
use tabled::builder::Builder;
use tabled::settings::Style;

/// Which prices, and how they are printed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// GPU type, or the beginning of one: `l40s`, `a100`.
    #[arg(long)]
    pub gpu: Option<String>,
    /// Cloud.
    #[arg(long, value_enum)]
    pub cloud: Option<CloudArg>,
    /// Region, for example `us-east-1`.
    #[arg(long)]
    pub region: Option<String>,
    /// Dearest machine, dollars an hour.
    #[arg(long, value_name = "USD_PER_HOUR")]
    pub max_price: Option<f64>,
    /// How it is bought.
    #[arg(long, value_enum)]
    pub capacity_type: Option<CapacityArg>,
    /// Which prices: `current`, `builtin`, the beginning of a snapshot's digest, or a file.
    #[arg(long, value_name = "SNAPSHOT")]
    pub prices: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Ways to buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CapacityArg {
    /// By the hour.
    OnDemand,
    /// By the hour, and taken back.
    Spot,
    /// For one or three years.
    Committed,
}

/// How prices are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One document with all columns.
    Json,
    /// One line a price, with all columns.
    Csv,
}

/// A price as it is written to files.
#[derive(Serialize)]
struct PriceRecord<'a> {
    cloud: &'a str,
    region: &'a str,
    instance_type: &'a str,
    accelerator: &'a str,
    gpus: f64,
    gpu_memory_gib: Option<f64>,
    vcpus: Option<f64>,
    ram_gib: Option<f64>,
    capacity_type: &'a str,
    term: &'a str,
    usd_per_hour: f64,
    usd_per_gpu_hour: f64,
    interruption_band: &'a str,
    purchasable: bool,
    planned_on: bool,
    source: &'a str,
    as_of: &'a str,
    note: &'a str,
}

/// The JSON document.
#[derive(Serialize)]
struct PricesDocument<'a> {
    format: &'static str,
    prices: Vec<PriceRecord<'a>>,
}

/// Runs the command.
pub fn run(list: &Args, terminal: &mut Terminal) -> Exit {
    let catalog = match cache::catalog(list.prices.as_deref(), terminal) {
        Ok(catalog) => catalog,
        Err(fault) => return told(&fault, terminal),
    };
    if let Some(fault) = unknown(list, &catalog) {
        let _ = writeln!(terminal.err, "error: {fault}");
        return Exit::BadInput;
    }
    let mut rows: Vec<&CatalogRow> = catalog.rows.iter().filter(|row| is_asked_for(row, list)).collect();
    rows.sort_by(|a, b| a.accelerator.cmp(&b.accelerator).then(per_gpu(a).total_cmp(&per_gpu(b))).then(place(a).cmp(&place(b))));
    let written = match list.format {
        Format::Table => table(&rows, terminal),
        Format::Json => json(&rows, terminal),
        Format::Csv => csv(&rows, terminal),
    };
    if written.is_ok() { Exit::Done } else { Exit::Failure }
}

/// A filter that no price can pass, with the way out.
fn unknown(list: &Args, catalog: &Catalog) -> Option<String> {
    let gpus: BTreeSet<&str> = catalog.rows.iter().map(|row| row.accelerator.as_str()).collect();
    let regions: BTreeSet<&str> = catalog.rows.iter().map(|row| row.region.as_str()).collect();
    let fault = |what: &str, given: &str, known: &BTreeSet<&str>| {
        let way_out = suggest::help(given, known.iter().copied()).map(|help| format!("; {help}")).unwrap_or_default();
        format!("no prices of {what} `{given}`{way_out}")
    };
    if let Some(gpu) = list.gpu.as_deref().filter(|gpu| !gpus.iter().any(|known| is_gpu(known, gpu))) {
        return Some(fault("GPU", gpu, &gpus));
    }
    if let Some(region) = list.region.as_deref().filter(|region| !regions.contains(region)) {
        return Some(fault("region", region, &regions));
    }
    list.max_price.filter(|price| !(price.is_finite() && *price > 0.0)).map(|price| format!("`--max-price {price}` is no price"))
}

/// `l4` is the L4 and not the L40S; `a100` is every A100.
fn is_gpu(known: &str, given: &str) -> bool {
    let given = given.to_lowercase();
    known == given || known.strip_prefix(&given).is_some_and(|rest| rest.starts_with('-'))
}

fn is_asked_for(row: &CatalogRow, list: &Args) -> bool {
    let cloud = list.cloud.is_none_or(|cloud| row.cloud == cloud.cloud());
    let capacity = list.capacity_type.is_none_or(|capacity| {
        row.capacity_type
            == match capacity {
                CapacityArg::OnDemand => RowCapacity::OnDemand,
                CapacityArg::Spot => RowCapacity::Spot,
                CapacityArg::Committed => RowCapacity::Committed,
            }
    });
    cloud
        && capacity
        && list.gpu.as_deref().is_none_or(|gpu| is_gpu(&row.accelerator, gpu))
        && list.region.as_deref().is_none_or(|region| row.region == region)
        && list.max_price.is_none_or(|most| row.usd_per_hour <= most)
}

fn per_gpu(row: &CatalogRow) -> f64 {
    row.usd_per_hour / row.gpus
}

fn place(row: &CatalogRow) -> (&str, &str, RowCapacity, &str) {
    (&row.region, &row.instance_type, row.capacity_type, &row.term)
}

/// Planned on: can be bought by the hour with whole GPUs, and its size is known.
fn is_planned_on(row: &CatalogRow) -> bool {
    row.purchasable
        && row.capacity_type != RowCapacity::Committed
        && row.whole_gpus().is_some()
        && row.vcpus.is_some()
        && row.ram_gib.is_some()
}

fn table(rows: &[&CatalogRow], terminal: &mut Terminal) -> io::Result<()> {
    let sources: BTreeSet<&str> = rows.iter().map(|row| row.source.as_str()).collect();
    let number = |row: &CatalogRow| sources.iter().position(|source| *source == row.source).map_or(0, |i| i + 1);
    let mut builder = Builder::default();
    builder.push_record(["GPU", "x", "$/GPU-h", "$/h", "bought", "reclaims", "instance type", "region", "as of", "source"]);
    for row in rows {
        let mark = if is_planned_on(row) { "" } else { " *" };
        builder.push_record([
            row.accelerator.clone(),
            format!("{}", row.gpus),
            format!("{:.4}", per_gpu(row)),
            format!("{:.4}", row.usd_per_hour),
            format!("{}{}{}{mark}", row.capacity_type.as_str(), if row.term.is_empty() { "" } else { " " }, row.term),
            row.interruption_band.clone(),
            row.instance_type.clone(),
            format!("{} {}", row.cloud.as_str(), row.region),
            row.as_of.clone(),
            format!("[{}]", number(row)),
        ]);
    }
    if rows.is_empty() {
        return writeln!(terminal.out, "no prices match");
    }
    writeln!(terminal.out, "{}\n", builder.build().with(Style::blank()))?;
    writeln!(terminal.out, "{}", ages(rows))?;
    for (i, source) in sources.iter().enumerate() {
        writeln!(terminal.out, "[{}] {source}", i + 1)?;
    }
    if rows.iter().any(|row| !is_planned_on(row)) {
        writeln!(terminal.out, "* listed and not planned on: a commitment, a part of a GPU, or not for sale this way")?;
    }
    writeln!(terminal.out, "list prices of a dated snapshot, no quote; set your own under `prices` in the scenario")
}

/// How many, and how old.
fn ages(rows: &[&CatalogRow]) -> String {
    let today = jiff::ZonedDateTime::now().date();
    let age = |day: &str| match day.parse::<jiff::civil::Date>().and_then(|day| today.since(day)) {
        Ok(span) if span.get_days() > 0 => format!("{day}, {} days ago", span.get_days()),
        _ => day.to_owned(),
    };
    let oldest = rows.iter().map(|row| row.as_of.as_str()).min().unwrap_or_default();
    let newest = rows.iter().map(|row| row.as_of.as_str()).max().unwrap_or_default();
    let n = rows.len();
    format!("{n} price{}, read between {} and {}", if n == 1 { "" } else { "s" }, age(oldest), age(newest))
}

fn json(rows: &[&CatalogRow], terminal: &mut Terminal) -> io::Result<()> {
    let document = PricesDocument { format: "gpuplan/prices/v1", prices: rows.iter().map(|row| record(row)).collect() };
    let text = serde_json::to_string_pretty(&document).map_err(io::Error::other)?;
    writeln!(terminal.out, "{text}")
}

fn csv(rows: &[&CatalogRow], terminal: &mut Terminal) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(&mut terminal.out);
    for row in rows {
        writer.serialize(record(row)).map_err(io::Error::other)?;
    }
    writer.flush()
}

fn record(row: &CatalogRow) -> PriceRecord<'_> {
    PriceRecord {
        cloud: row.cloud.as_str(),
        region: &row.region,
        instance_type: &row.instance_type,
        accelerator: &row.accelerator,
        gpus: row.gpus,
        gpu_memory_gib: row.gpu_memory_gib,
        vcpus: row.vcpus,
        ram_gib: row.ram_gib,
        capacity_type: row.capacity_type.as_str(),
        term: &row.term,
        usd_per_hour: row.usd_per_hour,
        usd_per_gpu_hour: per_gpu(row),
        interruption_band: &row.interruption_band,
        purchasable: row.purchasable,
        planned_on: is_planned_on(row),
        source: &row.source,
        as_of: &row.as_of,
        note: &row.note,
    }
}
