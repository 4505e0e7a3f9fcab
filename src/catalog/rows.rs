//! The catalogue as plain rows, one price each, with where it was read and when.

use crate::domain::Cloud;
use serde::Deserialize;
use std::fmt;

/// How a row's price is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowCapacity {
    /// By the hour.
    OnDemand,
    /// By the hour, and taken back when the cloud wants it.
    Spot,
    /// For a term of one or three years.
    Committed,
}

impl RowCapacity {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
            Self::Committed => "committed",
        }
    }
}

/// A GPU type.
#[derive(Clone, Debug, PartialEq)]
pub struct AcceleratorRow {
    /// Id, for example `l40s`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Memory that the device shows, GiB, when known.
    pub visible_memory_gib: Option<f64>,
    /// MIG profiles, `none` or empty.
    pub mig_profiles: String,
    /// Hard to get on demand.
    pub scarce: bool,
    /// Source of the row.
    pub source: String,
    /// Day of the row.
    pub as_of: String,
}

/// One price.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogRow {
    /// Cloud.
    pub cloud: Cloud,
    /// Region.
    pub region: String,
    /// Machine shape.
    pub instance_type: String,
    /// GPU type.
    pub accelerator: String,
    /// GPUs, possibly a fraction of one.
    pub gpus: f64,
    /// Memory that one device shows, GiB, when known.
    pub gpu_memory_gib: Option<f64>,
    /// Virtual CPUs, when known.
    pub vcpus: Option<f64>,
    /// Main memory, GiB, when known.
    pub ram_gib: Option<f64>,
    /// NVLink between the GPUs.
    pub nvlink: bool,
    /// Zones that offer it; empty when unknown.
    pub zones: Vec<String>,
    /// How it is bought.
    pub capacity_type: RowCapacity,
    /// `1y` or `3y` for a commitment, else empty.
    pub term: String,
    /// Dollars a machine and hour.
    pub usd_per_hour: f64,
    /// The cloud's interruption band, empty when unknown.
    pub interruption_band: String,
    /// Whether it can be bought this way.
    pub purchasable: bool,
    /// Where the price was read.
    pub source: String,
    /// Day of the price.
    pub as_of: String,
    /// Remark.
    pub note: String,
}

impl CatalogRow {
    /// GPUs as a whole number, if they are one.
    #[must_use]
    pub fn whole_gpus(&self) -> Option<u32> {
        let rounded = self.gpus.round();
        ((self.gpus - rounded).abs() < 1e-9 && rounded >= 1.0).then_some(rounded as u32)
    }
}

/// All rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    /// GPU types in the order of the file.
    pub accelerators: Vec<AcceleratorRow>,
    /// Prices in the order of the file: cloud, region, instance type, capacity type, term.
    pub rows: Vec<CatalogRow>,
}

/// A row of the embedded data that cannot be read: a fault of the program, not of its user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("catalogue `{file}`: {message}")]
pub struct CatalogError {
    /// Which file.
    pub file: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Columns of `accelerators.csv` that the planner reads; the others are for people.
#[derive(Deserialize)]
struct AcceleratorRecord {
    id: String,
    name: String,
    visible_memory_gib: Option<f64>,
    mig_profiles: String,
    scarce: bool,
    source: String,
    as_of: String,
}

/// Columns of `offerings.csv`.
#[derive(Deserialize)]
struct OfferingRecord {
    cloud: String,
    region: String,
    instance_type: String,
    accelerator: String,
    gpus: f64,
    visible_gpu_memory_gib: Option<f64>,
    vcpus: Option<f64>,
    ram_gib: Option<f64>,
    nvlink: Option<bool>,
    zones: String,
    capacity_type: RowCapacity,
    term: String,
    usd_per_hour: f64,
    interruption_band: String,
    purchasable: bool,
    source: String,
    as_of: String,
    note: String,
}

impl Catalog {
    /// Reads both files.
    ///
    /// # Errors
    /// A row that does not parse, a price that is not positive, an unknown cloud.
    pub fn parse(accelerators_csv: &str, offerings_csv: &str) -> Result<Self, CatalogError> {
        let accelerators = records(accelerators_csv, "accelerators.csv")?.into_iter().map(accelerator_row).collect();
        let rows = records(offerings_csv, "offerings.csv")?.into_iter().map(catalog_row).collect::<Result<_, _>>()?;
        Ok(Self { accelerators, rows })
    }

    /// Regions that have a price, sorted, each with its cloud.
    #[must_use]
    pub fn regions(&self) -> std::collections::BTreeMap<&str, Cloud> {
        self.rows.iter().map(|row| (row.region.as_str(), row.cloud)).collect()
    }
}

/// All records of one file.
fn records<T: for<'de> Deserialize<'de>>(text: &str, file: &'static str) -> Result<Vec<T>, CatalogError> {
    let fault = |e: csv::Error| CatalogError { file, message: e.to_string() };
    csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes()).deserialize().map(|r| r.map_err(fault)).collect()
}

fn accelerator_row(record: AcceleratorRecord) -> AcceleratorRow {
    let AcceleratorRecord { id, name, visible_memory_gib, mig_profiles, scarce, source, as_of } = record;
    AcceleratorRow { id, name, visible_memory_gib, mig_profiles, scarce, source, as_of }
}

fn catalog_row(record: OfferingRecord) -> Result<CatalogRow, CatalogError> {
    let fault = |message: String| CatalogError { file: "offerings.csv", message };
    let cloud = match record.cloud.as_str() {
        "aws" => Cloud::Aws,
        "gcp" => Cloud::Gcp,
        "azure" => Cloud::Azure,
        other => return Err(fault(format!("unknown cloud `{other}`"))),
    };
    if !(record.usd_per_hour.is_finite() && record.usd_per_hour > 0.0) {
        return Err(fault(format!("`{}` in `{}` has no positive price", record.instance_type, record.region)));
    }
    Ok(CatalogRow {
        cloud,
        region: record.region,
        instance_type: record.instance_type,
        accelerator: record.accelerator,
        gpus: record.gpus,
        gpu_memory_gib: record.visible_gpu_memory_gib,
        vcpus: record.vcpus,
        ram_gib: record.ram_gib,
        nvlink: record.nvlink.unwrap_or(false),
        zones: record.zones.split(';').filter(|z| !z.is_empty()).map(str::to_owned).collect(),
        capacity_type: record.capacity_type,
        term: record.term,
        usd_per_hour: record.usd_per_hour,
        interruption_band: record.interruption_band,
        purchasable: record.purchasable,
        source: record.source,
        as_of: record.as_of,
        note: record.note,
    })
}

impl fmt::Display for CatalogRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.cloud.as_str(), self.region, self.instance_type, self.capacity_type.as_str())
    }
}
